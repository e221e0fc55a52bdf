// Thin wrappers: one system call each, -errno on failure.
#ifndef SBX_CALLS_H
#define SBX_CALLS_H
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#ifndef RESOLVE_NO_MAGICLINKS
#error "linux/openat2.h is too old"
#endif
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL  // pidfd_open(2), Linux 6.9
#endif

static inline long sbx_ret(long r) { return r < 0 ? -(long)errno : r; }

// syscall(2) without the C library: `errno` is left alone. For what runs in somebody else's memory.
static inline long sbx_raw6(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    __asm__ volatile("syscall" : "+a"(number) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return number;
#else
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d,
                  x4 __asm__("x4") = e, x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
#endif
}
#define SBX_RAW_7(n, a, b, c, d, e, f, ...) sbx_raw6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define sbx_raw(...) SBX_RAW_7(__VA_ARGS__, 0, 0, 0, 0, 0, 0)

static inline int sbx_openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    return (int)sbx_ret(syscall(SYS_openat2, dir, path, &how, sizeof how));
}
static inline int sbx_openat(int dir, const char *path, int flags, unsigned mode) {
    return (int)sbx_ret(openat(dir, path, flags, mode));
}
static inline int sbx_close(int fd) { return (int)sbx_ret(close(fd)); }
static inline int sbx_fstat(int fd, struct stat *out) { return (int)sbx_ret(fstat(fd, out)); }
static inline int sbx_fstatat(int dir, const char *path, struct stat *out, int flags) {
    return (int)sbx_ret(fstatat(dir, path, out, flags));
}
static inline long sbx_readlinkat(int dir, const char *path, char *buf, size_t cap) {
    return sbx_ret(readlinkat(dir, path, buf, cap));
}
static inline long sbx_read(int fd, void *buf, size_t n) { return sbx_ret(read(fd, buf, n)); }
static inline long sbx_pread(int fd, void *buf, size_t n, long at) { return sbx_ret(pread(fd, buf, n, at)); }
// Never waits (RWF_NOWAIT, pwritev2(2)); EOPNOTSUPP where the file cannot do that.
static inline long sbx_write_at_once(int fd, const void *buf, size_t n) {
    struct iovec v = {(void *)buf, n};
    return sbx_ret(syscall(SYS_pwritev2, fd, &v, 1ul, -1l, -1l, 8l /* RWF_NOWAIT */));
}
static inline long sbx_read_at_once(int fd, void *buf, size_t n) {
    struct iovec v = {buf, n};
    return sbx_ret(syscall(SYS_preadv2, fd, &v, 1ul, -1l, -1l, 8l));
}
static inline long sbx_seek(int fd, long at, int from) { return sbx_ret(lseek(fd, at, from)); }
static inline int sbx_pipe(int ends[2]) { return (int)sbx_ret(syscall(SYS_pipe2, ends, O_CLOEXEC)); }
// What stands in a pipe into another one, and nothing is taken from it. Never waits (SPLICE_F_NONBLOCK).
static inline long sbx_tee(int from, int to, size_t n) { return sbx_ret(syscall(SYS_tee, from, to, n, 2ul)); }
// As much room in the one as in the other (F_SETPIPE_SZ, F_GETPIPE_SZ).
static inline int sbx_same_room(int pipe, int other) { return (int)sbx_ret(fcntl(pipe, 1031, fcntl(other, 1032))); }
static inline long sbx_write(int fd, const void *buf, size_t n) { return sbx_ret(write(fd, buf, n)); }
static inline int sbx_unlinkat(int dir, const char *name, int flags) { return (int)sbx_ret(unlinkat(dir, name, flags)); }
static inline int sbx_mkdirat(int dir, const char *name, unsigned mode) { return (int)sbx_ret(mkdirat(dir, name, mode)); }
static inline int sbx_mknodat(int dir, const char *name, unsigned mode, uint64_t dev) {
    return (int)sbx_ret(mknodat(dir, name, mode, (dev_t)dev));
}
static inline int sbx_renameat2(int from, const char *a, int to, const char *b, unsigned flags) {
    return (int)sbx_ret(syscall(SYS_renameat2, from, a, to, b, flags));
}
static inline int sbx_linkat(int from, const char *a, int to, const char *b, int flags) {
    return (int)sbx_ret(linkat(from, a, to, b, flags));
}
static inline int sbx_symlinkat(const char *target, int dir, const char *name) {
    return (int)sbx_ret(symlinkat(target, dir, name));
}
static inline int sbx_truncate(const char *path, long length) { return (int)sbx_ret(syscall(SYS_truncate, path, length)); }
static inline int sbx_fchmodat(int dir, const char *path, unsigned mode) {
    return (int)sbx_ret(syscall(SYS_fchmodat, dir, path, mode));
}
static inline int sbx_fchownat(int dir, const char *path, unsigned uid, unsigned gid, int flags) {
    return (int)sbx_ret(fchownat(dir, path, uid, gid, flags));
}
static inline int sbx_utimensat(int dir, const char *path, const struct timespec *times, int flags) {
    return (int)sbx_ret(syscall(SYS_utimensat, dir, path, times, flags));
}
static inline int sbx_setxattr(const char *path, const char *name, const void *value, size_t size, int flags) {
    return (int)sbx_ret(setxattr(path, name, value, size, flags));
}
static inline int sbx_removexattr(const char *path, const char *name) { return (int)sbx_ret(removexattr(path, name)); }

static inline int sbx_pidfd_open(int pid, unsigned flags) { return (int)sbx_ret(syscall(SYS_pidfd_open, pid, flags)); }
static inline int sbx_pidfd_getfd(int pidfd, int fd) { return (int)sbx_ret(syscall(SYS_pidfd_getfd, pidfd, fd, 0)); }
static inline int sbx_pidfd_send_signal(int pidfd, int sig) {
    return (int)sbx_ret(syscall(SYS_pidfd_send_signal, pidfd, sig, (void *)0, 0));
}
static inline int sbx_get_limit(int pid, int resource, struct rlimit *out) {
    return (int)sbx_ret(syscall(SYS_prlimit64, pid, resource, (void *)0, out));
}
static inline int sbx_kill(int pid, int sig) { return (int)sbx_ret(kill(pid, sig)); }
static inline int sbx_tgkill(int tgid, int tid, int sig) { return (int)sbx_ret(syscall(SYS_tgkill, tgid, tid, sig)); }
// The first two numbers of uname(2)'s release.
static inline void sbx_kernel_version(int *major, int *minor) {
    struct utsname u;
    *major = *minor = 0;
    if (uname(&u) == 0) sscanf(u.release, "%d.%d", major, minor);
}
static inline int sbx_gettid(void) { return (int)syscall(SYS_gettid); }
// futex(2), within this process. The word is an atomic of Swift's.
static inline int sbx_futex_wait(const void *word, uint32_t value, int milliseconds) {
    struct timespec t = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    return (int)sbx_ret(syscall(SYS_futex, word, 128 /* FUTEX_WAIT_PRIVATE */, value, &t, (void *)0, 0));
}
static inline int sbx_futex_wake(const void *word) {
    return (int)sbx_ret(syscall(SYS_futex, word, 129 /* FUTEX_WAKE_PRIVATE */, INT32_MAX, (void *)0, (void *)0, 0));
}
// Keeps the calling thread on one processor, or (-1) lets it run wherever the process may. sched_setaffinity(2)
void sbx_pin(int processor);
// How long the calling thread may go on when others want to (0: as usual). One with a shorter slice takes the processor from one
// with a longer as soon as it is woken. Linux 6.12, sched_setattr(2); before, and in other scheduling classes, nothing happens.
void sbx_slice(uint64_t nanoseconds);
// How many heaps the threads share, and how much memory each takes from the kernel at once: how far it may go without asking, nothing
// is touched.
void sbx_heaps(int most, int bytes);
int sbx_processors(int *out, int room);  // those that the process may run on
static inline void sbx_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
static inline int sbx_unshare_fs(void) { return (int)sbx_ret(syscall(SYS_unshare, 0x200 /* CLONE_FS */)); }
// The same for a thread, which without it would work in another's folder. Where that fails it ends the process, which is no session yet:
// the first of these threads are started before the program.
void sbx_thread_own_folder(void);
void sbx_cannot_start(const char *call, int e, const char *help);  // on standard error, where no Swift can say it; help: a line, or null

// All words are longs: the last one travels on the stack, where an int would leave its upper half to chance.
static inline long sbx_vm_read(int pid, uint64_t from, void *to, size_t n) {
    struct iovec l = {to, n}, r = {(void *)(uintptr_t)from, n};
    return sbx_ret(syscall(SYS_process_vm_readv, pid, &l, 1ul, &r, 1ul, 0ul));
}
// Ours, or that of a child which still has it in common with us.
static inline int sbx_memory_is_readable(int pid) {
    int word = 0, copy;
    long n = sbx_vm_read(pid, (uintptr_t)&word, &copy, sizeof copy);
    return n == sizeof copy ? 0 : n < 0 ? (int)n : -EIO;
}
// For results that a call writes back into its caller (sendmmsg's msg_len).
static inline long sbx_vm_write(int pid, uint64_t to, const void *from, size_t n) {
    struct iovec l = {(void *)from, n}, r = {(void *)(uintptr_t)to, n};
    return sbx_ret(syscall(SYS_process_vm_writev, pid, &l, 1ul, &r, 1ul, 0ul));
}

// Sockets
static inline int sbx_connect(int fd, const void *a, unsigned n) { return (int)sbx_ret(connect(fd, (const struct sockaddr *)a, n)); }
static inline int sbx_bind(int fd, const void *a, unsigned n) { return (int)sbx_ret(bind(fd, (const struct sockaddr *)a, n)); }
static inline int sbx_accept(int fd, int flags) { return (int)sbx_ret(syscall(SYS_accept4, fd, (void *)0, (void *)0, flags)); }
static inline int sbx_getpeername(int fd, void *a, unsigned cap) {
    socklen_t n = cap;
    return getpeername(fd, (struct sockaddr *)a, &n) < 0 ? -errno : (int)n;
}
static inline int sbx_listen(int fd, int backlog) { return (int)sbx_ret(listen(fd, backlog)); }
// A unix socket takes no descriptors from now on (SO_PASSRIGHTS, Linux 6.16; before, nothing happens). 1 where some may be
// waiting in it already, or connections that were begun before; else 0.
int sbx_take_no_descriptors(int socket);
static inline int sbx_getsockopt_int(int fd, int level, int name) {
    int v = 0;
    socklen_t n = sizeof v;
    return getsockopt(fd, level, name, &v, &n) < 0 ? -errno : v;
}
static inline int sbx_setsockopt_int(int fd, int level, int name, int value) {
    return (int)sbx_ret(setsockopt(fd, level, name, &value, sizeof value));
}
static inline int sbx_getsockname(int fd, void *a, unsigned cap) {
    socklen_t n = cap;
    return getsockname(fd, (struct sockaddr *)a, &n) < 0 ? -errno : (int)n;
}
static inline long sbx_sendmsg(int fd, const struct msghdr *m, int flags) { return sbx_ret(sendmsg(fd, m, flags)); }
static inline int sbx_setfl(int fd, int flags) { return (int)sbx_ret(fcntl(fd, F_SETFL, flags)); }
static inline int sbx_getfl(int fd) { return (int)sbx_ret(fcntl(fd, F_GETFL)); }

static inline int sbx_ioctl_int(int fd, unsigned long request, void *arg) { return (int)sbx_ret(ioctl(fd, request, arg)); }
// The other end of a pseudo-terminal, which is not opened: ioctl_tty(2).
static inline int sbx_terminal_peer(int master) { return (int)sbx_ret(ioctl(master, TIOCGPTPEER, __O_PATH | O_CLOEXEC)); }

// A System V object by its key: shared memory (0), semaphores (1), messages (2). sysvipc(7)
static inline int sbx_get_object(int kind, int key, size_t size, int flags) {
    if (kind == 0) return (int)sbx_ret(syscall(SYS_shmget, key, size, flags));
    if (kind == 1) return (int)sbx_ret(syscall(SYS_semget, key, (int)size, flags));
    return (int)sbx_ret(syscall(SYS_msgget, key, flags));
}

// Credentials of the calling thread alone (glibc's wrappers would change every thread).
struct sbx_caps { uint64_t effective, permitted, inheritable; };
// 1 where the real, the effective and the saved id are one.
static inline int sbx_only_user(unsigned *id) {
    unsigned e, s;
    return syscall(SYS_getresuid, id, &e, &s) == 0 && *id == e && e == s;
}
static inline int sbx_only_group(unsigned *id) {
    unsigned e, s;
    return syscall(SYS_getresgid, id, &e, &s) == 0 && *id == e && e == s;
}
static inline int sbx_thread_setresuid(int r, int e, int s) { return (int)sbx_ret(syscall(SYS_setresuid, r, e, s)); }
static inline int sbx_thread_setresgid(int r, int e, int s) { return (int)sbx_ret(syscall(SYS_setresgid, r, e, s)); }
static inline int sbx_thread_setgroups(int n, const unsigned *list) { return (int)sbx_ret(syscall(SYS_setgroups, n, list)); }
static inline int sbx_thread_getgroups(int n, unsigned *list) { return (int)sbx_ret(syscall(SYS_getgroups, n, list)); }
// Removes a folder, by its absolute path, and all it holds, following no link and entering nothing that is mounted there, whoever else
// may be at work in it: where its owner is not who removes it, that may be another session.
void sbx_remove_tree(const char *path);
// Whether a folder holds a socket anywhere below, or so much, or what may not be looked at, that nobody can tell.
int sbx_may_hold_socket(const char *folder);
// Whether the file takes memory and no disk.
int sbx_lies_in_memory(const char *path);
// Whether its file system is one of this machine's, on a disk, so that nobody ever waits for a server.
int sbx_lies_on_disk(int fd, dev_t device);

// What no supervised process has, root's among them: powers over the machine that no rule about files, programs or
// addresses judges.
uint64_t sbx_machine_caps(void);
int sbx_thread_drop_machine_caps(void);
// The same for who acts on behalf of such threads, but for what it takes to look into them (ptrace(2)).
int sbx_thread_limit_caps(void);
int sbx_thread_getcaps(struct sbx_caps *out);
int sbx_thread_setcaps(const struct sbx_caps *caps);

// Constants that are macros with casts, or missing from the C library's Swift overlay.
enum {
    SBX_O_PATH = __O_PATH, SBX_O_TMPFILE = __O_TMPFILE, SBX_O_CLOEXEC = O_CLOEXEC, SBX_O_DIRECTORY = O_DIRECTORY,
    SBX_O_NOFOLLOW = O_NOFOLLOW, SBX_O_NOCTTY = O_NOCTTY, SBX_AT_EMPTY_PATH = 0x1000,
    SBX_AT_SYMLINK_FOLLOW = AT_SYMLINK_FOLLOW, SBX_AT_SYMLINK_NOFOLLOW = AT_SYMLINK_NOFOLLOW,
    SBX_AT_REMOVEDIR = AT_REMOVEDIR, SBX_AT_FDCWD = AT_FDCWD, SBX_AT_STATX_DONT_SYNC = 0x4000,
    SBX_RESOLVE_NO_XDEV = RESOLVE_NO_XDEV, SBX_RESOLVE_NO_MAGICLINKS = RESOLVE_NO_MAGICLINKS,
    SBX_RESOLVE_NO_SYMLINKS = RESOLVE_NO_SYMLINKS, SBX_RESOLVE_BENEATH = RESOLVE_BENEATH,
    SBX_RESOLVE_IN_ROOT = RESOLVE_IN_ROOT, SBX_PIDFD_THREAD = PIDFD_THREAD,
};
#endif
