// The terminal of a session in which somebody may be asked: the agent has one of its own, and what goes between that and the
// user's passes through the front. So while a question is on the screen nobody but us writes there, and nobody but us
// reads what is typed.
#ifndef SBX_RELAY_H
#define SBX_RELAY_H
#include <poll.h>
#include <stddef.h>
#include <termios.h>

struct terminal { int fd, group, discipline; struct termios modes; };

struct queue { char *bytes; size_t start, end, capacity; };

struct relay {
    const struct terminal *user;
    int master;     // the front's end of the agent's terminal; -1: the agent is on the user's
    int link;
    int is_ahead;   // ours is the foreground process group of the user's terminal
    // A question is on its way to the screen; typed text is its answer; it has one, and the supervisor has the word.
    enum { NO_QUESTION, SHOWN, ASKED, ANSWERED } question;
    struct queue typed, output, said;
    char line[256];
    unsigned length;
    int escape;
};

void relay_start(struct relay *r, const struct terminal *user, int master, int link);
// What to wait for: the user's terminal, the agent's, and how long.
void relay_wish(const struct relay *r, struct pollfd p[2]);
int relay_timeout(const struct relay *r);
void relay_move(struct relay *r, const struct pollfd p[2]);
void relay_ask(struct relay *r, const char *text, size_t n);
void relay_answered(struct relay *r, const char *text, size_t n);
void relay_stop(struct relay *r, int signal);
void relay_continue(struct relay *r);
void relay_resize(struct relay *r);
void relay_finish(struct relay *r);
// The supervisor's side: a message, kept apart from others, with a descriptor. 0 or -errno.
int relay_hand_over(int link, const char *bytes, size_t n, int fd);
#endif
