// Random system calls: any number, any arguments, from several processes and threads. Nothing is asked of them but that whoever
// supervises stays well. It keeps off what would end the guest itself or what nobody outside a sandbox should try.
#include "guest.h"

static uint64_t state_of(uint64_t *s) {  // splitmix64
    uint64_t z = (*s += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static char *memory;  // 1 MiB to point into, the page behind it is not mapped
enum { ROOM = 1 << 20 };

static long value(uint64_t *s) {
    static const char *const names[] = {"/etc/passwd", ".", "..", "fuzz", "fuzz/x", "/proc/self/fd/0", "/proc/self/exe", "/dev/null", "", "/proc/self/mem", "/dev/tty", "a/b/c"};
    uint64_t r = state_of(s);
    switch (r % 12) {
    case 0: return 0;
    case 1: return -1;
    case 2: return (long)(r >> 32 & 63);
    case 3: return (long)(r >> 60) - 8;
    case 4: return 1L << (r >> 32 & 63);
    case 5: return (long)(memory + ROOM - (r >> 40 & 63));
    case 6: return -100;  // AT_FDCWD
    case 7: { char *at = memory + (r >> 32) % (ROOM - 256); strcpy(at, names[(r >> 16) % (sizeof names / sizeof *names)]); return (long)at; }
    case 8: { uint64_t *at = (uint64_t *)(memory + ((r >> 32) % (ROOM - 256) & ~7u)); for (int i = 0; i < 16; i++) at[i] = state_of(s); return (long)at; }
    case 9: return (long)((r >> 32) | 0xffffffff00000000u);
    case 10: return (long)(r >> 32 & 0xfff);
    default: return (long)r;
    }
}

static bool spared(long number) {
    if (number == 335 || number == 336) return true;  // uretprobe, uprobe: SIGILL for whoever is not probed
    switch (number) {
    case SYS_shmget: case SYS_semget: case SYS_msgget: case SYS_mq_open:  // what they make outlives everybody
    case SYS_exit: case SYS_exit_group: case SYS_rt_sigreturn: case SYS_clone: case SYS_clone3: case SYS_munmap: case SYS_mremap: case SYS_mprotect: case SYS_mmap: case SYS_madvise:
    case SYS_brk: case SYS_shmat: case SYS_pause: case SYS_rt_sigsuspend: case SYS_rt_sigprocmask: case SYS_rt_sigtimedwait: case SYS_poll: case SYS_ppoll: case SYS_select: case SYS_pselect6: case SYS_kill: case SYS_tkill: case SYS_tgkill:
    case SYS_rt_sigqueueinfo: case SYS_rt_tgsigqueueinfo: case SYS_futex: case SYS_nanosleep: case SYS_clock_nanosleep: case SYS_setrlimit: case SYS_prlimit64: case SYS_alarm: case SYS_setitimer: case SYS_set_tid_address:
    case SYS_set_robust_list: case SYS_seccomp: case SYS_prctl: case SYS_chdir: case SYS_fchdir: case SYS_dup2: case SYS_dup3: case SYS_close: case SYS_close_range: case SYS_wait4: case SYS_waitid: case SYS_mlockall: case SYS_rseq:
    case SYS_sched_setscheduler: case SYS_sched_setattr: case SYS_sched_setparam: case SYS_timer_create: case SYS_timer_settime: case SYS_mlock: case SYS_mlock2: case SYS_fallocate: case SYS_ftruncate: case SYS_truncate: case SYS_flock:
    case SYS_semop: case SYS_semtimedop: case SYS_msgrcv: case SYS_msgsnd: case SYS_mq_timedreceive: case SYS_mq_timedsend: case SYS_process_madvise: case SYS_pkey_mprotect: case SYS_remap_file_pages: case SYS_membarrier: case SYS_io_getevents:
    case 453 /* map_shadow_stack */: case 449 /* futex_waitv */: case 454: case 455: case 456: case 462 /* mseal */: case SYS_epoll_wait: case SYS_epoll_pwait: case 441 /* epoll_pwait2 */: case SYS_read: case SYS_readv: case SYS_recvfrom: case SYS_recvmsg: case SYS_recvmmsg: case SYS_accept: case SYS_accept4:
#ifdef SYS_fork
    case SYS_fork: case SYS_vfork: case SYS_arch_prctl:
#endif
        return true;
    default: return false;
    }
}

struct job { uint64_t seed; long calls; };
static void *fuzz(void *argument) {
    struct job *j = argument;
    uint64_t s = j->seed;
    for (long i = 0; i < j->calls; i++) {
        long number = (long)(state_of(&s) % 470);  // beyond the last that is known
        // A call that the supervisor sees, every other time: the rest is the kernel's own.
        static const int seen[] = {SYS_openat, SYS_openat2, SYS_unlinkat, SYS_renameat2, SYS_linkat, SYS_symlinkat, SYS_mkdirat, SYS_mknodat, SYS_fchmodat, SYS_fchownat, SYS_utimensat,
                                   SYS_setxattr, SYS_fsetxattr, SYS_removexattr, SYS_connect, SYS_bind, SYS_listen, SYS_sendto, SYS_sendmsg, SYS_sendmmsg, SYS_socket, SYS_execve, SYS_execveat, SYS_personality, SYS_unshare};
        if (state_of(&s) & 1) number = seen[state_of(&s) % (sizeof seen / sizeof *seen)];
        if (spared(number)) continue;
        long a[6];
        for (int k = 0; k < 6; k++) a[k] = value(&s);
        if (number == SYS_openat && (state_of(&s) & 3)) a[2] |= O_NONBLOCK;
        long rc = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
        if (rc > 2 && rc < 4096) syscall(SYS_close, rc);
    }
    return NULL;
}

enum { CALLS_EACH = 400 };

/// Random calls end their process sooner or later: each one makes a few hundred.
static void one_process(uint64_t seed) {
    // Whatever a call waits for, and whatever a signal does: this one's end.
    alarm(20);
    setpgid(0, 0);
    struct rlimit room = {48 << 20, 48 << 20}, size = {1 << 20, 1 << 20};
    setrlimit(RLIMIT_DATA, &room), setrlimit(RLIMIT_FSIZE, &size);
    struct job jobs[2] = {{seed, CALLS_EACH / 2}, {~seed, CALLS_EACH / 2}};
    pthread_t thread;
    start(&thread, fuzz, &jobs[1]);
    fuzz(&jobs[0]);
    pthread_join(thread, NULL);
    _exit(0);
}

/// `fuzz SEED CALLS PROCESSES`: for a sandbox only: some of these calls do harm where they work.
int tool_fuzz(int argc, char **argv) {
    uint64_t seed = strtoull(argument(argc, argv, 1), NULL, 0);
    long rounds = atol(argument(argc, argv, 2)) / CALLS_EACH;
    int most = atoi(argument(argc, argv, 3)), running = 0;
    if (syscall(SYS_ptrace, 0, 0, 0, 0) == 0) { fprintf(stderr, "guest: fuzz is for a sandbox\n"); return 98; }
    memory = unmapped_edge(ROOM);
    enter_scratch();
    for (long i = 0; i < rounds || running > 0;) {
        if (i < rounds && running < most) {
            pid_t child = fork();
            if (child < 0) die("fork");
            if (child == 0) one_process(state_of(&seed) + (uint64_t)i);
            running++, i++;
        } else if (wait(NULL) > 0) running--;
        else if (errno != EINTR) break;
    }
    chdir(scratch);
    leave_scratch();
    say("done");
    return 0;
}
