#include "CShims.h"
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

struct report { int stage, value; };

static void reset_signals(const struct sbx_signals *s) {
    struct { uintptr_t handler; unsigned long flags; uintptr_t restorer; uint64_t mask; } action = {0};  // the kernel's sigaction
    for (int n = 1; n < 65; n++) {
        action.handler = s->ignored >> (n - 1) & 1 ? (uintptr_t)SIG_IGN : (uintptr_t)SIG_DFL;
        if (n != SIGKILL && n != SIGSTOP && n != 32 && n != 33) sbx_raw(SYS_rt_sigaction, n, &action, 0, 8);
    }
    sbx_raw(SYS_rt_sigprocmask, SIG_SETMASK, &s->blocked, 0, 8);
}

void sbx_signals_capture(struct sbx_signals *out) {
    out->ignored = 0;
    struct sigaction a;
    for (int n = 1; n < 65; n++)
        if (sigaction(n, 0, &a) == 0 && a.sa_handler == SIG_IGN) out->ignored |= 1ull << (n - 1);
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, 0, &out->blocked, 8);
}

static int say(int fd, enum sbx_stage stage, int value) {
    struct report r = {stage, value};
    return sbx_raw(SYS_write, fd, &r, sizeof r) == sizeof r ? 0 : -1;
}

static int hear(int fd, struct report *r) {
    for (;;) {
        long n = sbx_raw(SYS_read, fd, r, sizeof *r);
        if (n == sizeof *r) return 0;
        if (n != -EINTR) return n < 0 ? (int)n : -EPIPE;
    }
}

// Closes everything but 0, 1, 2, those to keep and our own end.
static int close_others(const struct sbx_launch *s, int own) {
    unsigned from = 3;
    for (unsigned i = 0; i <= s->keep_count; i++) {
        // `own` was moved above everything that is kept.
        unsigned next = i < s->keep_count ? (unsigned)s->keep[i] : (unsigned)own;
        int e = next > from ? (int)sbx_raw(SYS_close_range, from, next - 1) : 0;
        if (e < 0) return e;
        from = next + 1;
    }
    return (int)sbx_raw(SYS_close_range, from, ~0u);
}

static _Noreturn void give_up(int fd, enum sbx_stage stage, int error) {
    say(fd, stage, error);
    for (;;) sbx_raw(SYS_exit_group, 125);
}

static int install(const struct sbx_launch *s) {
    struct sock_fprog p = {(unsigned short)s->filter_count, (struct sock_filter *)s->filter};
    unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    return (int)sbx_raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}

// Where neither a `#!` line nor a known format begins the file, the shell reads it, as execvp(3) does.
static int exec_with_fallback(const struct sbx_launch *s) {
    int e = (int)sbx_raw(SYS_execve, s->program, s->argv, s->envp);
    if (e != -ENOEXEC) return e;
    const char **argv = (const char **)(s->argv - 1);
    argv[0] = "/bin/sh";
    argv[1] = s->program;
    return (int)sbx_raw(SYS_execve, argv[0], argv, s->envp);
}

// `--user`: all ids for good, before the first call is judged. Plain calls: there is one thread here.
static int become(const struct sbx_launch *s) {
    int e = (int)sbx_raw(SYS_setgroups, s->group_count, s->groups);
    if (e == 0) e = (int)sbx_raw(SYS_setresgid, s->group_id, s->group_id, s->group_id);
    return e ? e : (int)sbx_raw(SYS_setresuid, s->user, s->user, s->user);
}

static int set_limits(const struct sbx_launch *s) {
    int e = 0;
    for (unsigned i = 0; i < s->limit_count && e == 0; i++) {
        struct { uint64_t soft, hard; } l = {s->limits[i].soft, s->limits[i].hard}, now;
        e = (int)sbx_raw(SYS_prlimit64, 0, s->limits[i].resource, 0, &now);
        if (e == 0 && now.hard < l.hard) l.hard = now.hard;  // never more than there was
        if (l.soft > l.hard) l.soft = l.hard;
        if (e == 0) e = (int)sbx_raw(SYS_prlimit64, 0, s->limits[i].resource, &l);
    }
    return e;
}

struct start { const struct sbx_launch *launch; int control; };

// In the supervisor's memory, on a stack of its own, until it has become the program: `errno` is the supervisor's.
static int child(void *argument) {
    const struct sbx_launch *s = ((struct start *)argument)->launch;
    int fd = ((struct start *)argument)->control, e = 0;
    struct report r;
    sbx_raw(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
    sbx_slice(0);  // the tracer's is not inherited
    // Above every descriptor to keep, so that one pass closes the rest.
    int high = s->keep_count ? s->keep[s->keep_count - 1] + 1 : 3;
    int own = (int)sbx_raw(SYS_fcntl, fd, F_DUPFD_CLOEXEC, high > 3 ? high : 3);
    if (own < 0) give_up(fd, SBX_STAGE_DESCRIPTORS, own);
    if (s->group && (e = (int)sbx_raw(SYS_setpgid, 0, s->group < 0 ? 0 : s->group)) < 0) give_up(own, SBX_STAGE_GROUP, e);
    if ((e = (int)sbx_raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1)) < 0) give_up(own, SBX_STAGE_NO_NEW_PRIVS, e);
    if (s->landlock >= 0 && (e = sbx_landlock_enter(s->landlock)) < 0) give_up(own, SBX_STAGE_LANDLOCK, e);
    if ((e = close_others(s, own)) < 0) give_up(own, SBX_STAGE_DESCRIPTORS, e);
    if ((e = set_limits(s)) < 0) give_up(own, SBX_STAGE_LIMIT, e);
    if (s->user >= 0 && (e = become(s)) < 0) give_up(own, SBX_STAGE_USER, e);
    if (s->drop_machine_caps && (e = sbx_thread_drop_machine_caps()) < 0) give_up(own, SBX_STAGE_USER, e);
    // The tracer attaches; a filter that stops at exec without a tracer would answer ENOSYS.
    if (hear(own, &r) < 0) give_up(own, SBX_STAGE_SEIZE, -EPIPE);
    int listener = install(s);
    if (listener < 0) give_up(own, SBX_STAGE_FILTER, listener);
    say(own, SBX_STAGE_LISTENER, listener);
    if (hear(own, &r) < 0) give_up(own, SBX_STAGE_LISTENER, -EPIPE);
    sbx_raw(SYS_close, listener);
    // One trapped call that comes back with an answer only the supervisor gives.
    long got = sbx_raw(SYS_openat, AT_FDCWD, "", O_RDONLY);
    say(own, SBX_STAGE_PROBE, got < 0 ? (int)-got : 0);
    if (hear(own, &r) < 0) give_up(own, SBX_STAGE_PROBE, -EPIPE);
    sbx_raw(SYS_prctl, PR_SET_PDEATHSIG, 0);
    reset_signals(&s->signals);
    give_up(own, SBX_STAGE_EXEC, exec_with_fallback(s));
}

static int fail(struct sbx_launched *out, enum sbx_stage stage, int error) {
    out->stage = stage;
    out->error = error;
    if (out->pid > 0) {
        kill(out->pid, SIGKILL);
        int st;
        while (waitpid(out->pid, &st, __WALL) == out->pid && !WIFEXITED(st) && !WIFSIGNALED(st)) {}
    }
    if (out->control >= 0) close(out->control);
    if (out->listener >= 0) close(out->listener);
    return error;
}

// The next report; a stage other than the expected one is the child's failure.
static int expect(struct sbx_launched *out, enum sbx_stage stage, int *value) {
    struct report r;
    int e = hear(out->control, &r);
    if (e < 0) return fail(out, stage, e);
    if (r.stage != (int)stage) return fail(out, (enum sbx_stage)r.stage, r.value);
    *value = r.value;
    return 0;
}

// To move a process into a control group later takes milliseconds. As after fork(2), but for what the C library would note of it.
static int fork_into(int group, struct start *start) {
    struct clone_args a = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)group};
    int pid = (int)sbx_ret(syscall(SYS_clone3, &a, sizeof a));
    return pid ? pid : child(start);
}

// A copy of our memory would be made for nothing: it costs the time of a hundred judged calls, and as much again whenever either
// writes to what was one. The stack is left where it is; the child has few calls to make.
static int start_beside(struct start *start) {
    enum { STACK = 64 << 10 };
    char *stack = mmap(0, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return -errno;
    struct start *own = (struct start *)(stack + STACK) - 1;  // ours goes on
    struct sbx_launch *launch = (struct sbx_launch *)own - 1;
    *launch = *start->launch;
    *own = (struct start){launch, start->control};
    uintptr_t top = (uintptr_t)launch & ~(uintptr_t)15;
    return (int)sbx_ret(clone(child, (void *)top, CLONE_VM | SIGCHLD, own));
}

int sbx_launch_prepare(const struct sbx_launch *spec, struct sbx_launched *out) {
    *out = (struct sbx_launched){.pid = -1, .listener = -1, .control = -1};
    int pair[2], number;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return fail(out, SBX_STAGE_PIPE, -errno);
    out->control = pair[0];
    struct start start = {spec, pair[1]};
    out->pid = spec->control_group >= 0 ? fork_into(spec->control_group, &start) : -1;
    out->in_group = out->pid > 0;
    if (out->pid < 0) out->pid = start_beside(&start);
    close(pair[1]);
    if (out->pid < 0) return fail(out, SBX_STAGE_FORK, out->pid);
    // The tracer waits for its tracees; a signal for each of their stops would be work for nothing.
    struct sigaction quiet = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP};
    sigaction(SIGCHLD, &quiet, 0);
    int e = sbx_ptrace_seize(out->pid);
    if (e < 0) {
        // The child may have died of a failure that it reported first; else it waits for us.
        struct report r;
        struct pollfd p = {out->control, POLLIN, 0};
        if (poll(&p, 1, 200) == 1 && hear(out->control, &r) == 0) return fail(out, (enum sbx_stage)r.stage, r.value);
        return fail(out, SBX_STAGE_SEIZE, e);
    }
    say(out->control, SBX_STAGE_SEIZE, 0);
    if ((e = expect(out, SBX_STAGE_LISTENER, &number)) < 0) return e;
    int pidfd = sbx_pidfd_open(out->pid, 0);
    if (pidfd < 0) return fail(out, SBX_STAGE_LISTENER, pidfd);
    out->listener = sbx_pidfd_getfd(pidfd, number);
    close(pidfd);
    if (out->listener < 0) return fail(out, SBX_STAGE_LISTENER, out->listener);
    return 0;
}

int sbx_launch_probe_begin(const struct sbx_launched *l) { return say(l->control, SBX_STAGE_PROBE, 0); }

int sbx_launch_probe_end(const struct sbx_launched *l) {
    struct report r;
    struct pollfd p = {l->control, POLLIN, 0};
    if (poll(&p, 1, 10000) == 0) return -ETIMEDOUT;  // nobody receives: AppArmor, or a runtime's own listener
    int e = hear(l->control, &r);
    if (e < 0) return e;
    return r.stage == SBX_STAGE_PROBE && r.value == SBX_PROBE_ERRNO ? 0 : -EPROTO;
}

int sbx_launch_go(const struct sbx_launched *l) { return say(l->control, SBX_STAGE_EXEC, 0); }

int sbx_launch_outcome(const struct sbx_launched *l) {
    struct report r;
    return hear(l->control, &r) < 0 ? 0 : r.value;
}
