// The process that the user started. It stays in the agent's process group and does nothing but wait, so that a
// terminal, a shell and `kill` see what they would see if the agent had been started directly; the supervisor
// itself is in a group of its own, out of reach of Ctrl-C and of kill(0).
#include "CShims.h"
#include <link.h>
#include "relay.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

static struct terminal terminal_capture(void) {
    struct terminal t = {.fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY), .group = -1};
    if (t.fd >= 0 && (tcgetattr(t.fd, &t.modes) < 0 || (t.group = tcgetpgrp(t.fd)) < 0 || ioctl(t.fd, TIOCGETD, &t.discipline) < 0)) {
        close(t.fd);
        t.fd = -1;
    }
    return t;
}

// Somebody else works at the terminal: a shell that put us into the background, or what it runs there now.
static int terminal_is_taken(const struct terminal *t, int killed) {
    // What a killed supervisor leaves behind is on its way out.
    for (int look = 0; look < (killed ? 100 : 1); look++) {
        int group = tcgetpgrp(t->fd);
        if (group == t->group || group <= 0 || (kill(-group, 0) < 0 && errno == ESRCH)) return 0;
        if (killed) poll(0, 0, 10);
    }
    return 1;
}

// Nothing of what an agent did to the terminal stays: raw mode, no echo, stopped output, another line discipline, a lock.
static void terminal_restore(const struct terminal *t, int killed) {
    if (t->fd < 0 || t->group != getpgrp() || terminal_is_taken(t, killed)) return;
    int discipline;
    if (tcgetpgrp(t->fd) != t->group) tcsetpgrp(t->fd, t->group);
    if (ioctl(t->fd, TIOCGETD, &discipline) == 0 && discipline != t->discipline) ioctl(t->fd, TIOCSETD, &t->discipline);
    ioctl(t->fd, TIOCNXCL);
    tcflow(t->fd, TCOON);
    tcsetattr(t->fd, TCSANOW, &t->modes);
}

// One message of the supervisor's: its length, 0 where there is none, -1 where there will be none any more. `fd`: -1 where none came
// with it, -2 where there was no room for it.
static ssize_t receive(int link, char *bytes, size_t most, int *fd) {
    char space[CMSG_SPACE(sizeof *fd)];
    struct iovec text = {bytes, most};
    struct msghdr m = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    ssize_t n = recvmsg(link, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : 0;
    *fd = m.msg_flags & MSG_CTRUNC ? -2 : -1;
    if (c && c->cmsg_type == SCM_RIGHTS) memcpy(fd, CMSG_DATA(c), sizeof *fd);
    return n > 0 ? n : n == 0 ? -1 : 0;
}

// The exit code, once there is one: -1 before. The supervisor says it as soon as the agent has ended and everything is in
// the journal, and goes on with what nobody need wait for. What is longer than a byte is about the terminal.
static int supervisor_code(int supervisor, struct relay *r, const struct terminal *t, int link) {
    static char bytes[SBX_FRONT_MESSAGE];
    int fd, st;
    ssize_t n;
    while ((n = receive(link, bytes, sizeof bytes, &fd)) > 1 || (n == 1 && fd != -1)) {
        // The listener, which is only held (`sbx_front_lend`).
        if (n == 1) continue;
        size_t rest = (size_t)n - 1;
        if (bytes[0] == 'T' && fd >= 0) relay_start(r, t, fd, link);
        if (bytes[0] == 'Q') relay_ask(r, bytes + 1, rest);
        if (bytes[0] == 'E') relay_answered(r, bytes + 1, rest);
        if (bytes[0] == 'S') relay_stop(r, bytes[1]);
    }
    if (n == 1) return (unsigned char)bytes[0];
    int p;
    while ((p = waitpid(supervisor, &st, n < 0 ? 0 : WNOHANG)) < 0 && errno == EINTR) {}
    if (p == 0) return -1;
    if (p == supervisor && WIFEXITED(st)) return WEXITSTATUS(st);
    if (p == supervisor && !WIFSIGNALED(st)) return -1;
    return -2 - (p == supervisor ? WTERMSIG(st) : 0);
}

// What the terminal sends reached the agent by itself, unless that has one of its own; what somebody sends to us is meant for
// it. Its own group's signals (ssi_pid in the session) would come twice and are harmless.
static void pass(const struct signalfd_siginfo *i, int supervisor, struct relay *r, int link) {
    int signal = (int)i->ssi_signo, by_somebody = i->ssi_code <= 0 && (int)i->ssi_pid != supervisor && (int)i->ssi_pid != getpid();
    if (signal == SIGCHLD) return;
    if (signal == SIGCONT) relay_continue(r);
    if (signal == SIGWINCH && r->master >= 0) return relay_resize(r);
    if (r->master >= 0 && i->ssi_code > 0 && signal != SIGTTIN && signal != SIGTTOU) by_somebody = 1;
    // Of a terminal that goes away only the session's leader is told, and that is us where no shell started us (`ssh -t`, `xterm -e`).
    if (signal == SIGHUP && i->ssi_code > 0 && getsid(0) == getpid()) by_somebody = 1;
    unsigned char b = (unsigned char)signal;
    if (by_somebody && send(link, &b, 1, MSG_NOSIGNAL) < 0) {}
}

int sbx_front_run(int supervisor, int link) {
    struct terminal t = terminal_capture();
    struct relay relay = {.master = -1};
    sigset_t all;
    sigfillset(&all);
    int signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0) {  // our end is the supervisor's
        sbx_cannot_start("signalfd", errno, 0);
        return 125;
    }
    for (int code;;) {
        struct pollfd p[4] = {{signals, POLLIN, 0}, {link, POLLIN, 0}, {-1, 0, 0}, {-1, 0, 0}};
        relay_wish(&relay, p + 2);
        if (poll(p, 4, relay_timeout(&relay)) < 0) continue;
        struct signalfd_siginfo i;
        while (read(signals, &i, sizeof i) == sizeof i) pass(&i, supervisor, &relay, link);
        code = supervisor_code(supervisor, &relay, &t, link);
        if (code == -1) {
            relay_move(&relay, p + 2);
            continue;
        }
        relay_finish(&relay);
        terminal_restore(&t, code < 0 || code == 125);
        if (code >= 0) return code;
        dprintf(2, "sandbox: the supervisor was killed by signal %d; everything it supervised is dead\n", -2 - code);
        return 125;
    }
}

int sbx_front_lend(int link, int listener) { return relay_hand_over(link, "", 1, listener); }

int sbx_front_release(int front, int link, int code) {
    unsigned char c = (unsigned char)code;
    // Nobody's death concerns us any more: what is left to do is done whether the front lives or not.
    prctl(PR_SET_PDEATHSIG, 0);
    if (send(link, &c, 1, MSG_NOSIGNAL) < 0) return -errno;
    return (int)sbx_ret(kill(front, SIGCHLD));
}

struct renaming { int from, to; };

static int rename_thread(struct dl_phdr_info *module, size_t size, void *argument) {
    const struct renaming *ids = argument;
    (void)size;
    for (int i = 0; module->dlpi_tls_data && i < module->dlpi_phnum; i++) {
        if (module->dlpi_phdr[i].p_type != PT_TLS) continue;
        int *first = module->dlpi_tls_data, *end = first + module->dlpi_phdr[i].p_memsz / sizeof *first;
        for (int *word = first; word < end; word++) {
            // The upper half of a pointer (0x7fab, 0x55cd …) is as small as a thread id, but its lower half is not.
            int is_upper = ((uintptr_t)word & 4) != 0 && word > first && (unsigned)word[-1] > 0xffff;
            if (*word == ids->from && !is_upper) *word = ids->to;
        }
    }
    return 0;
}

// Swift's locks know their owner by a thread id that each thread asks for once and keeps (`ulock_get_tid`, `_swift_stdlib_gettid`).
// After fork(2) it is the parent's: a lock that two threads of the child meet at is never opened again, and both spin.
int sbx_fork(void) {
    struct renaming ids = {.from = (int)syscall(SYS_gettid)};
    pid_t child = fork();
    if (child == 0) {
        ids.to = (int)syscall(SYS_gettid);
        dl_iterate_phdr(rename_thread, &ids);
    }
    return (int)sbx_ret(child);
}

void sbx_block_all_signals(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, 0);
}

void sbx_close_all_but(int one, int other) {
    unsigned keep[] = {(unsigned)(one < other ? one : other), (unsigned)(one < other ? other : one), ~0u}, from = 3;
    for (int i = 0; i < 3; i++) {
        if ((int)keep[i] < 3 && i < 2) continue;
        if (keep[i] > from) syscall(SYS_close_range, from, keep[i] - 1, 0);
        from = keep[i] + 1;
    }
}

void sbx_die_with_parent(int parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(125);
}

int sbx_set_undumpable(void) { return (int)sbx_ret(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)); }

char **sbx_environment(void) { return environ; }
