// From clone(2) to the program's first instruction, wholly in C: until exec the child lies in our memory, makes nothing but plain
// system calls, and allocates nothing.
#ifndef SBX_LAUNCH_H
#define SBX_LAUNCH_H
#include <linux/filter.h>
#include <stdint.h>
#include <sys/resource.h>

enum sbx_stage {
    SBX_STAGE_NONE, SBX_STAGE_PIPE, SBX_STAGE_FORK, SBX_STAGE_GROUP, SBX_STAGE_LIMIT, SBX_STAGE_SIGNALS,
    SBX_STAGE_DESCRIPTORS, SBX_STAGE_NO_NEW_PRIVS, SBX_STAGE_LANDLOCK, SBX_STAGE_USER, SBX_STAGE_SEIZE, SBX_STAGE_FILTER,
    SBX_STAGE_LISTENER, SBX_STAGE_PROBE, SBX_STAGE_EXEC,
};

struct sbx_limit { int resource; uint64_t soft, hard; };

// The signals that were ignored when the user started us: the program inherits them, as `nohup` means it.
struct sbx_signals { uint64_t ignored, blocked; };
void sbx_signals_capture(struct sbx_signals *out);

struct sbx_launch {
    // Read until the child has become the program.
    const char *program;       // a path; no search is made here
    char **argv, **envp;       // before argv[0] there is room for a shell's name
    const struct sock_filter *filter;
    unsigned filter_count;
    int group;                 // process group to join; 0: none; -1: one of its own
    int landlock;              // ruleset descriptor, or -1
    int control_group;         // folder to be born in, or -1
    int drop_machine_caps;
    const struct sbx_limit *limits;
    unsigned limit_count;
    const int *keep;           // inherited descriptors to keep above 2, ascending
    unsigned keep_count;
    struct sbx_signals signals;
    int user, group_id;        // -1: as we are
    const unsigned *groups;    // supplementary, with `user`
    unsigned group_count;
};

struct sbx_launched {
    int in_group;                // it was born in `control_group`
    int pid, listener, control;  // control: closed by exec, or carries why there was none
    enum sbx_stage stage;        // where it failed
    int error;                   // -errno there
};

// Starts the child and brings it to the moment before exec: traced, filtered, the listener in our hands.
// The calling thread becomes the tracer. 0 or -errno with `stage` set; on failure no child is left.
int sbx_launch_prepare(const struct sbx_launch *spec, struct sbx_launched *out);
// The child makes one trapped call and waits for its answer: whoever serves the listener answers
// SBX_PROBE_ERRNO. 0 once it has come back.
#define SBX_PROBE_ERRNO 4095
int sbx_launch_probe_begin(const struct sbx_launched *l);
int sbx_launch_probe_end(const struct sbx_launched *l);
int sbx_launch_go(const struct sbx_launched *l);
// After the first exec or the child's end: 0 when it has become the program, else what execve answered (-errno).
int sbx_launch_outcome(const struct sbx_launched *l);

// A ruleset whose domain takes away all that the supervisor does on behalf, and keeps the session from looking into
// other processes, from ABI 6 on also from signalling them (landlock(7)); or -errno.
int sbx_landlock_domain(void);
int sbx_landlock_enter(int rules);  // the calling thread, for life
int sbx_landlock_scopes_signals(void);
int sbx_landlock_abi(void);
// Binds with the given bytes, relative to `cwd`, to a name that can only come to be below `folder`. The calling
// thread must have a file system context of its own (`unshare(CLONE_FS)`).
int sbx_bind_confined(int socket, const void *address, unsigned length, int cwd, int folder, const char *name, int keep_name);

// The process the user started: waits for the supervisor, passes its signals on, stops when the agent stops.
// Returns the exit code. `link` is its end of a pair of sockets that keep messages apart. To the supervisor go signals (one byte),
// and of the terminal `L ` and a line that answers a question, or `B.`: it is not on the screen any more. From the supervisor
// come the exit code (one byte), `T.` with the agent's terminal, `S` and a signal: the agent was stopped; `Q` and a text: ask; `E`
// and a text: there is an outcome.
int sbx_front_run(int supervisor, int link);
// The supervisor's side, once: the front holds the listener too from then on. Should the supervisor be killed, calls that wait for
// their answer go on waiting until their callers are dead: the kernel answers them ENOSYS where nobody holds it any more.
int sbx_front_lend(int link, int listener);
#define SBX_FRONT_MESSAGE (48 << 10)
// The supervisor's side: lets the front end with this code. From then on it can no longer kill us by dying.
int sbx_front_release(int front, int link, int code);
// Whether 0, 1 and 2 are the terminal that controls the front, and its job is in the foreground.
int sbx_terminal_is_ours(int front);
// Makes a terminal for the agent, which becomes 0, 1 and 2 and controls a new session that the caller leads; the front gets the other
// end of it. A descriptor of the user's terminal, or -errno.
int sbx_terminal_own(int front, int link);
int sbx_terminal_give(int group);  // the foreground
int sbx_terminal_size(int terminal, int *rows, int *columns);
int sbx_fork(void);
void sbx_block_all_signals(void);
// Of the descriptors above 2; negative for none. Others may wait for what we were handed to be closed.
void sbx_close_all_but(int one, int other);
void sbx_die_with_parent(int parent);
int sbx_set_undumpable(void);
char **sbx_environment(void);  // environ(7): a mutable global that Swift 6 does not let us name
#endif
