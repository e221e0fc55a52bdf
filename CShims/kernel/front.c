// The process that the user started. It stays in the agent's process group and does nothing but wait, so that a
// terminal, a shell and `kill` see what they would see if the agent had been started directly; the supervisor
// itself is in a group of its own, out of reach of Ctrl-C and of kill(0).
#include "CShims.h"
#include <link.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>

struct terminal { int fd, group, discipline; struct termios modes; };

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

// What the supervisor has said last; -1: nothing. What it says first is no code, it lends the listener (`sbx_front_lend`).
static int supervisor_byte(int link) {
    unsigned char code;
    char room[CMSG_SPACE(sizeof(int))];
    struct iovec part = {&code, 1};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    while (recvmsg(link, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) == 1) {
        if (m.msg_controllen == 0 && !(m.msg_flags & MSG_CTRUNC)) return code;
        m.msg_controllen = sizeof room;
    }
    return -1;
}

// The exit code, once there is one: -1 before. The supervisor says it as soon as the agent has ended and everything is in
// the journal, and goes on with what nobody need wait for.
static int supervisor_code(int supervisor, int link) {
    int st;
    int code = supervisor_byte(link);
    if (code >= 0) return code;
    int p = waitpid(supervisor, &st, WNOHANG);
    if (p == 0 || (p < 0 && errno == EINTR)) return -1;
    if (p == supervisor && WIFEXITED(st)) return WEXITSTATUS(st);
    if (p == supervisor && !WIFSIGNALED(st)) return -1;
    dprintf(2, "sandbox: the supervisor was killed by signal %d; everything it supervised is dead\n", p == supervisor ? WTERMSIG(st) : 0);
    return 125;
}

int sbx_front_run(int supervisor, int link) {
    struct terminal t = terminal_capture();
    sigset_t all;
    sigfillset(&all);
    for (int code;;) {
        siginfo_t i;
        int s = sigwaitinfo(&all, &i);
        if ((code = supervisor_code(supervisor, link)) >= 0) {
            terminal_restore(&t, code == 125);
            return code;
        }
        // What the terminal sends reached the agent by itself; what somebody sends to us is meant for it.
        // Its own group's signals (si_pid in the session) would come twice and are harmless.
        int by_somebody = i.si_code <= 0 && i.si_pid != supervisor;
        if (s > 0 && s != SIGCHLD && by_somebody) {
            unsigned char b = (unsigned char)s;
            if (send(link, &b, 1, MSG_NOSIGNAL) < 0) {}
        }
    }
}

int sbx_front_lend(int link, int listener) {
    char byte = 0, room[CMSG_SPACE(sizeof(int))] = "";
    struct iovec part = {&byte, 1};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(c), &listener, sizeof listener);
    return (int)sbx_ret(sendmsg(link, &m, MSG_NOSIGNAL));
}

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
        int *words = module->dlpi_tls_data;
        for (size_t k = 0; k < module->dlpi_phdr[i].p_memsz / sizeof *words; k++)
            if (words[k] == ids->from) words[k] = ids->to;
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
