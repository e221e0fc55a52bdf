#include "relay.h"
#include "CShims.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MOST_OUTPUT (64u << 10)
#define MOST_WHILE_ASKING (1u << 20)  // what the agent writes meanwhile waits here, and it goes on
#define MOST_TYPED (4u << 10)

// Whatever an agent has told the terminal before: an unfinished sequence is ended (CAN, ST), text is visible and in the usual
// letters and colours, it goes where we put it, keys are plain (xterm's ctlseqs, the kitty protocols). What was on the screen
// is scrolled away, so that the question stands alone.
static const char usual[] =
    "\x18\x1b\\\x1b[!p\x1b[?5l\x1b[?6l\x1b[?7h\x1b[?25h\x1b[?69l\x1b[?2026l\x1b[>0u\x1b[r\x1b[0m\x1b(B\x0f"
    "\x1b]104\a\x1b]110\a\x1b]111\a\x1b_Ga=d\x1b\\\x1b[999;1H";
static const char clear[] = "\x1b[H\x1b[2J";
static const char keys_as_before[] = "\x1b[<u";

static size_t queued(const struct queue *q) { return q->end - q->start; }

static void queue_add(struct queue *q, const char *bytes, size_t n) {
    if (q->start == q->end) q->start = q->end = 0;
    if (q->end + n > q->capacity && q->start > 0) {
        memmove(q->bytes, q->bytes + q->start, queued(q));
        q->end -= q->start;
        q->start = 0;
    }
    if (q->end + n > q->capacity) {
        char *more = realloc(q->bytes, q->end + n + 4096);
        if (!more) return;
        q->bytes = more;
        q->capacity = q->end + n + 4096;
    }
    memcpy(q->bytes + q->end, bytes, n);
    q->end += n;
}

static void queue_text(struct queue *q, const char *text) { queue_add(q, text, strlen(text)); }

// As much as goes without waiting. What nobody can take any more is gone.
static void queue_write(struct queue *q, int fd) {
    while (queued(q) > 0) {
        ssize_t n = write(fd, q->bytes + q->start, queued(q));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno != EAGAIN) q->start = q->end;
        if (n <= 0) return;
        q->start += (size_t)n;
    }
}

static void tell(const struct relay *r, const void *bytes, size_t n) {
    if (send(r->link, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {}
}

static int is_ahead(const struct relay *r) { return tcgetpgrp(r->user->fd) == getpgrp(); }

static void make_raw(const struct relay *r) {
    struct termios raw = r->user->modes;
    cfmakeraw(&raw);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(r->user->fd, TCSANOW, &raw);
}

void relay_start(struct relay *r, const struct terminal *user, int master, int link) {
    r->user = user;
    r->master = master;
    r->link = link;
    // Opened by us alone: nobody else's descriptor changes with it.
    fcntl(user->fd, F_SETFL, fcntl(user->fd, F_GETFL) | O_NONBLOCK);
    fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK);
    relay_continue(r);
    relay_resize(r);
}

void relay_continue(struct relay *r) {
    if (r->master < 0) return;
    r->is_ahead = is_ahead(r);
    if (r->is_ahead) make_raw(r);
}

// A shell that puts a running job into the foreground tells nobody.
int relay_timeout(const struct relay *r) { return r->master >= 0 && !r->is_ahead ? 200 : -1; }

void relay_wish(const struct relay *r, struct pollfd p[2]) {
    if (r->master < 0) return;
    p[0].fd = r->user->fd;
    p[1].fd = r->master;
    int reads = r->question == ASKED || (r->question == NO_QUESTION && queued(&r->typed) < MOST_TYPED);
    if (r->is_ahead && reads) p[0].events |= POLLIN;
    if (queued(&r->said) > 0 || (r->question == NO_QUESTION && queued(&r->output) > 0)) p[0].events |= POLLOUT;
    if (queued(&r->output) < (r->question == NO_QUESTION ? MOST_OUTPUT : MOST_WHILE_ASKING)) p[1].events |= POLLIN;
    if (queued(&r->typed) > 0) p[1].events |= POLLOUT;
}

// Nobody sits there any more: the agent hears it from its own terminal.
static void hang_up(struct relay *r) {
    close(r->master);
    r->master = -1;
    r->question = NO_QUESTION;
}

static void dismiss(struct relay *r) {
    if (r->question == NO_QUESTION) return;
    r->question = NO_QUESTION;
    r->said.start = r->said.end = 0;
    queue_text(&r->said, keys_as_before);
    tell(r, "B.", 2);
}

// Mouse, focus and function keys, and what a terminal answers to a question of the agent's, are no text.
static int next_escape(int state, char c) {
    if (state == 1) return c == '[' ? 2 : c == 'O' ? 3 : 0;
    return state == 2 && !(c >= 0x40 && c <= 0x7e) ? 2 : 0;
}

static void answer(struct relay *r) {
    char message[sizeof r->line + 2] = "L ";
    memcpy(message + 2, r->line, r->length);
    tell(r, message, r->length + 2);
    r->question = ANSWERED;
    queue_text(&r->said, "\r\n");
}

static void take_answer(struct relay *r, const char *bytes, ssize_t n) {
    for (ssize_t i = 0; i < n && r->question == ASKED; i++) {
        char c = bytes[i];
        if (r->escape) {
            r->escape = next_escape(r->escape, c);
        } else if (c == 27) {
            r->escape = 1;
        } else if (c == '\r' || c == '\n') {
            answer(r);
        } else if (c == 3 || c == 4 || c == 26 || c == 28) {
            // Ctrl-C, Ctrl-D, Ctrl-Z, Ctrl-\: not now. But for the end of input they are meant for what runs.
            r->length = 0;
            answer(r);
            if (c != 4) queue_add(&r->typed, &c, 1);
        } else if (c == 127 || c == 8 || c == 21) {
            unsigned left = c == 21 || r->length == 0 ? 0 : r->length - 1;
            for (; r->length > left; r->length--) queue_text(&r->said, "\b \b");
        } else if (c >= 32 && c < 127 && r->length < sizeof r->line - 2) {
            r->line[r->length++] = c;
            queue_add(&r->said, &c, 1);
        }
    }
}

static void read_user(struct relay *r) {
    char bytes[1024];
    ssize_t n = read(r->user->fd, bytes, sizeof bytes);
    if (n > 0) return r->question == ASKED ? take_answer(r, bytes, n) : queue_add(&r->typed, bytes, (size_t)n);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    // Whoever reads in the background gets EIO as well, tty_ioctl(4).
    if (n < 0 && !is_ahead(r)) {
        r->is_ahead = 0;
        return dismiss(r);
    }
    hang_up(r);
}

static void read_agent(struct relay *r) {
    char bytes[16 << 10];
    ssize_t n = read(r->master, bytes, sizeof bytes);
    if (n > 0) queue_add(&r->output, bytes, (size_t)n);
}

void relay_move(struct relay *r, const struct pollfd p[2]) {
    if (r->master < 0) return;
    if (!r->is_ahead) relay_continue(r);
    if (p[1].revents & POLLIN) read_agent(r);
    if (p[0].revents & (POLLHUP | POLLERR | POLLNVAL)) return hang_up(r);
    if (p[0].revents & POLLIN) read_user(r);
    if (r->master < 0) return;
    queue_write(&r->said, r->user->fd);
    if (r->question == SHOWN && queued(&r->said) == 0) {
        // What was typed before anybody could have read the question is no answer to it.
        tcflush(r->user->fd, TCIFLUSH);
        r->question = ASKED;
        queue_text(&r->said, "> ");
        queue_write(&r->said, r->user->fd);
    }
    if (r->question == NO_QUESTION && queued(&r->said) == 0) queue_write(&r->output, r->user->fd);
    queue_write(&r->typed, r->master);
}

void relay_ask(struct relay *r, const char *text, size_t n) {
    if (r->master < 0 || !r->is_ahead || !is_ahead(r)) return tell(r, "B.", 2);
    struct winsize size = {0};
    ioctl(r->user->fd, TIOCGWINSZ, &size);
    queue_text(&r->said, usual);
    for (int row = 0; row < size.ws_row; row++) queue_text(&r->said, "\n");
    queue_text(&r->said, clear);
    queue_add(&r->said, text, n);
    r->question = SHOWN;
    r->length = 0;
    r->escape = 0;
}

void relay_answered(struct relay *r, const char *text, size_t n) {
    if (r->question == NO_QUESTION) return;
    r->question = NO_QUESTION;
    queue_add(&r->said, text, n);
    queue_text(&r->said, keys_as_before);
    // What was on the screen is drawn anew by whoever drew it.
    int group = tcgetpgrp(r->master);
    if (group > 1) kill(-group, SIGWINCH);
}

void relay_resize(struct relay *r) {
    struct winsize size;
    if (r->master < 0 || ioctl(r->user->fd, TIOCGWINSZ, &size) < 0) return;
    ioctl(r->master, TIOCSWINSZ, &size);
    // It may no longer be on the screen as a whole.
    dismiss(r);
}

// What the agent has written so far, as long as somebody takes it.
static void drain(struct relay *r) {
    for (int idle = 0; idle < 20;) {
        struct pollfd p = {r->user->fd, POLLOUT, 0};
        size_t before = queued(&r->output) + queued(&r->said);
        if (before < MOST_OUTPUT) read_agent(r);
        if (queued(&r->output) + queued(&r->said) == 0) return;
        if (poll(&p, 1, 100) < 0 || p.revents & (POLLHUP | POLLERR)) return;
        before = queued(&r->output) + queued(&r->said);
        queue_write(&r->said, r->user->fd);
        queue_write(&r->output, r->user->fd);
        idle = queued(&r->output) + queued(&r->said) < before ? 0 : idle + 1;
    }
}

void relay_stop(struct relay *r, int signal) {
    if (r->master < 0) return;
    dismiss(r);
    // Without a shell that could continue us the kernel would not have stopped anybody, setpgid(2).
    if (signal != SIGSTOP && getsid(getppid()) != getsid(0)) {
        char go_on = SIGCONT;
        return tell(r, &go_on, 1);
    }
    drain(r);
    if (is_ahead(r)) tcsetattr(r->user->fd, TCSANOW, &r->user->modes);
    // The rest of our job would have been stopped by the terminal; we do not take that signal ourselves.
    if (signal != SIGSTOP) kill(0, signal);
    kill(getpid(), SIGSTOP);
}

void relay_finish(struct relay *r) {
    if (r->master < 0) return;
    dismiss(r);
    drain(r);
}

// The supervisor's side.

int sbx_terminal_is_ours(int front) {
    struct stat first, other;
    if (fstat(0, &first) < 0 || tcgetpgrp(0) != getpgid(front) || tcgetsid(0) != getsid(front)) return 0;
    for (int fd = 1; fd < 3; fd++)
        if (!isatty(fd) || fstat(fd, &other) < 0 || other.st_rdev != first.st_rdev) return 0;
    return 1;
}

int relay_hand_over(int link, const char *bytes, size_t n, int fd) {
    char space[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec text = {(char *)bytes, n};
    struct msghdr m = {.msg_iov = &text, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    return sendmsg(link, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

// A session of its own, led by us, so that the agent's process group has a parent in it: the kernel stops nobody at a terminal
// whom nobody could continue.
static int lead_session(int front, int slave) {
    int group = getpgid(front);  // 0: one from outside, in which we are still
    if (group && setpgid(0, group) < 0) return -errno;
    if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0) return -errno;
    return 0;
}

int sbx_terminal_own(int front, int link) {
    struct termios modes;
    struct winsize size;
    int unlock = 0, slave = -1, user = fcntl(0, F_DUPFD_CLOEXEC, 3), e = 0;
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (user < 0 || master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0) e = -errno;
    if (!e && (slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0) e = -errno;
    if (!e && (tcgetattr(0, &modes) < 0 || tcsetattr(slave, TCSANOW, &modes) < 0)) e = -errno;
    if (!e && ioctl(0, TIOCGWINSZ, &size) == 0) ioctl(slave, TIOCSWINSZ, &size);
    if (!e) e = lead_session(front, slave);
    if (!e) e = relay_hand_over(link, "T.", 2, master);
    for (int fd = 0; !e && fd < 3; fd++)
        if (dup2(slave, fd) < 0) e = -errno;
    // From now on the front alone holds it: with the front's end the agent's terminal is gone.
    if (master >= 0) close(master);
    if (slave >= 0) close(slave);
    if (e && user >= 0) close(user);
    return e ? e : user;
}

int sbx_terminal_give(int group) { return (int)sbx_ret(tcsetpgrp(0, group)); }

int sbx_terminal_size(int terminal, int *rows, int *columns) {
    struct winsize size;
    if (ioctl(terminal, TIOCGWINSZ, &size) < 0) return -errno;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}
