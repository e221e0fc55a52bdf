#include "sbx_confine.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#include "sbx_calls.h"

// linux/landlock.h of the build machine may be older than the kernel it runs on. Rights by the ABI that brought them.
enum {
    READ_FILE = 1 << 2, READ_DIR = 1 << 3, WRITE_FILE = 1 << 1, REMOVE_FILE = 1 << 5, MAKE_REG = 1 << 8, TRUNCATE = 1 << 14,
    ALL_1 = (1 << 13) - 1, ALL_2 = (1 << 14) - 1, ALL_3 = (1 << 15) - 1, ALL_5 = (1 << 16) - 1,
    BIND_TCP = 1, CONNECT_TCP = 2, SCOPES = 3,
};
struct ruleset { uint64_t files, network, scopes; };
struct beneath { uint64_t allowed; int32_t parent; } __attribute__((packed));

static int grant(int rules, const char *path, uint64_t rights) {
    struct beneath p = {rights, open(path, O_PATH | O_CLOEXEC)};
    if (p.parent < 0) return errno == ENOENT || errno == EACCES || errno == ENOTDIR ? 0 : -errno;
    struct stat st;
    if (fstat(p.parent, &st) == 0 && !S_ISDIR(st.st_mode)) p.allowed &= READ_FILE | WRITE_FILE | TRUNCATE;
    int e = (int)sbx_ret(syscall(445, rules, 1 /* LANDLOCK_RULE_PATH_BENEATH */, &p, 0));
    close(p.parent);
    return e;
}

static int confine_files(const struct sbx_confinement *c) {
    int abi = (int)sbx_ret(syscall(444, (void *)0, 0, 1u /* CREATE_RULESET_VERSION */));
    if (abi < 1) return 0;  // the calls that are left are fewer all the same
    struct ruleset a = {
        .files = abi >= 5 ? ALL_5 : abi >= 3 ? ALL_3 : abi == 2 ? ALL_2 : ALL_1,
        .network = abi >= 4 ? BIND_TCP | (c->network ? 0 : CONNECT_TCP) : 0,
        .scopes = abi >= 6 ? SCOPES : 0,
    };
    int rules = (int)sbx_ret(syscall(444, &a, abi >= 6 ? sizeof a : abi >= 4 ? (size_t)16 : (size_t)8, 0));
    if (rules < 0) return rules;
    int e = 0;
    for (const char *const *path = c->reads; e == 0 && *path; path++) e = grant(rules, *path, READ_FILE | READ_DIR);
    uint64_t writing = READ_FILE | READ_DIR | WRITE_FILE | REMOVE_FILE | MAKE_REG | (abi >= 3 ? TRUNCATE : 0);
    if (e == 0 && c->writes) e = grant(rules, c->writes, writing);
    if (e == 0) e = (int)sbx_ret(syscall(446, rules, 0));
    close(rules);
    return e;
}

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#else
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

// What a program needs that computes, reads and writes files, and has threads.
static const int usual[] = {
    SYS_read, SYS_readv, SYS_pread64, SYS_write, SYS_writev, SYS_pwrite64, SYS_close, SYS_openat, SYS_lseek, SYS_fstat, SYS_newfstatat,
    SYS_statx, SYS_readlinkat, SYS_faccessat, 439 /* faccessat2 */, SYS_getdents64, SYS_fcntl, SYS_dup, SYS_dup3, SYS_fsync,
    SYS_ftruncate, SYS_mkdirat, SYS_unlinkat, SYS_renameat, SYS_renameat2, SYS_umask, SYS_getcwd, SYS_fstatfs, SYS_statfs, SYS_fadvise64,
    SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_brk, SYS_mincore, SYS_membarrier, SYS_set_tid_address,
    SYS_set_robust_list, SYS_rseq, SYS_futex, 449 /* futex_waitv */, SYS_sched_yield, SYS_sched_getaffinity, SYS_sched_getparam,
    SYS_sched_getscheduler, SYS_sched_get_priority_max, SYS_sched_get_priority_min, SYS_getpid, SYS_gettid, SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getrlimit,
    SYS_uname, SYS_sysinfo, SYS_getrandom, SYS_getrusage, SYS_times, SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep,
    SYS_gettimeofday, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_restart_syscall, SYS_exit,
    SYS_exit_group, SYS_ppoll, SYS_pselect6, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait, SYS_eventfd2, SYS_timerfd_create,
    SYS_timerfd_settime, SYS_pipe2, SYS_prctl, SYS_getcpu,
#if defined(__x86_64__)
    SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_getdents, SYS_dup2, SYS_mkdir, SYS_unlink, SYS_rename, SYS_poll,
    SYS_select, SYS_epoll_wait, SYS_pipe, SYS_arch_prctl, SYS_time,
#endif
};
static const int network[] = {
    SYS_connect, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_sendmmsg, SYS_recvmsg, SYS_shutdown, SYS_getsockname, SYS_getpeername,
    SYS_setsockopt, SYS_getsockopt, SYS_bind /* getaddrinfo(3) binds its netlink socket */, SYS_socketpair,
};

enum { ALLOW = SECCOMP_RET_ALLOW, REFUSE = SECCOMP_RET_ERRNO | EPERM, ABSENT = SECCOMP_RET_ERRNO | ENOSYS };
#define ANSWER(action) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, action)
#define IF(value, t, f) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, t, f)
#define LOAD(offset) (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)
#define ARGUMENT(i) (offsetof(struct seccomp_data, args) + 8 * (i))

static int confine_calls(int with_network) {
    struct sock_filter code[400];
    unsigned n = 0;
    code[n++] = LOAD(offsetof(struct seccomp_data, arch));
    code[n++] = IF(ARCHITECTURE, 1, 0);
    code[n++] = ANSWER(SECCOMP_RET_KILL_PROCESS);
    code[n++] = LOAD(offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        code[n++] = IF((unsigned)usual[i], 0, 1);
        code[n++] = ANSWER(ALLOW);
    }
    for (size_t i = 0; with_network && i < sizeof network / sizeof *network; i++) {
        code[n++] = IF((unsigned)network[i], 0, 1);
        code[n++] = ANSWER(ALLOW);
    }
    // Threads, but no processes. (clone3, whose flags are in memory, is absent: libraries fall back on clone.)
    code[n++] = IF(SYS_clone, 0, 4);
    code[n++] = LOAD(ARGUMENT(0));
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x10000 /* CLONE_THREAD */, 0, 1);
    code[n++] = ANSWER(ALLOW);
    code[n++] = ANSWER(REFUSE);
    // Its own limits may be asked for; 0 is the caller itself.
    code[n++] = IF(SYS_prlimit64, 0, 4);
    code[n++] = LOAD(ARGUMENT(2));
    code[n++] = IF(0, 0, 1);
    code[n++] = ANSWER(ALLOW);
    code[n++] = ANSWER(REFUSE);
    // TCGETS, FIONREAD, FIONBIO.
    code[n++] = IF(SYS_ioctl, 0, 6);
    code[n++] = LOAD(ARGUMENT(1));
    code[n++] = IF(0x5401, 2, 0);
    code[n++] = IF(0x541b, 1, 0);
    code[n++] = IF(0x5421, 0, 1);
    code[n++] = ANSWER(ALLOW);
    code[n++] = ANSWER(REFUSE);
    // unix (name services), IPv4, IPv6, netlink (which addresses there are).
    code[n++] = IF(SYS_socket, 0, 7);
    code[n++] = LOAD(ARGUMENT(0));
    code[n++] = IF(1, 3, 0);
    code[n++] = IF(2, 2, 0);
    code[n++] = IF(10, 1, 0);
    code[n++] = IF(16, 0, 1);
    code[n++] = ANSWER(with_network ? ALLOW : REFUSE);
    code[n++] = ANSWER(REFUSE);
    code[n++] = ANSWER(ABSENT);
    struct sock_fprog program = {.len = (unsigned short)n, .filter = code};
    return (int)sbx_ret(syscall(SYS_seccomp, 1 /* SECCOMP_SET_MODE_FILTER */, 1 /* SECCOMP_FILTER_FLAG_TSYNC */, &program));
}

static int limit(int resource, rlim_t most) {
    struct rlimit l = {most, most};
    return (int)sbx_ret(setrlimit(resource, &l));
}

int sbx_confine(const struct sbx_confinement *c) {
    int e = (int)sbx_ret(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    if (e == 0) e = (int)sbx_ret(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
    if (e == 0) e = limit(RLIMIT_CORE, 0);
    if (e == 0) e = limit(RLIMIT_NOFILE, 128);
    if (e == 0) e = limit(RLIMIT_FSIZE, 4 << 20);
    if (e == 0) e = limit(RLIMIT_CPU, 30);
    if (e == 0) e = limit(RLIMIT_DATA, 1 << 30);
    if (e == 0) e = confine_files(c);
    return e ? e : confine_calls(c->network);
}
