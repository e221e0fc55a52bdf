#include "CShims.h"

// linux/landlock.h of the build machine may be older than the kernel it runs on.
struct ruleset_attr { uint64_t files, network, scopes; };
struct path_beneath { uint64_t allowed; int32_t parent; } __attribute__((packed));
enum {
    WRITE_FILE = 1 << 1, REMOVE_DIR = 1 << 4, REMOVE_FILE = 1 << 5, MAKE_CHAR = 1 << 6, MAKE_DIR = 1 << 7, MAKE_REG = 1 << 8,
    MAKE_SOCK = 1 << 9, MAKE_FIFO = 1 << 10, MAKE_BLOCK = 1 << 11, MAKE_SYM = 1 << 12, REFER = 1 << 13, TRUNCATE = 1 << 14,
    IOCTL_DEV = 1 << 15, RESOLVE_UNIX = 1 << 16,
    BIND_TCP = 1 << 0, CONNECT_TCP = 1 << 1, BIND_UDP = 1 << 2, CONNECT_SEND_UDP = 1 << 3,
    ABSTRACT_UNIX_SOCKET = 1 << 0, SIGNAL = 1 << 1,
};

// All that the supervisor does on behalf, outside the domain, so that the domain need not grant it. Not reading and
// executing: to load a program the kernel opens it in the domain, for reading.
static const struct { int abi; struct ruleset_attr takes; } rights[] = {
    {1, {WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_CHAR | MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO | MAKE_BLOCK | MAKE_SYM, 0, 0}},
    {2, {REFER, 0, 0}},
    {3, {TRUNCATE, 0, 0}},
    {4, {0, BIND_TCP | CONNECT_TCP, 0}},
    {5, {IOCTL_DEV, 0, 0}},
    {6, {0, 0, ABSTRACT_UNIX_SOCKET | SIGNAL}},
    {9, {RESOLVE_UNIX, 0, 0}},
    {10, {0, BIND_UDP | CONNECT_SEND_UDP, 0}},
};

int sbx_landlock_abi(void) { return (int)sbx_ret(syscall(444, (void *)0, 0, 1u /* CREATE_RULESET_VERSION */)); }

// The one open that the kernel makes in the domain by itself: TIOCGPTPEER, the other end of a pseudo-terminal that the
// process holds, ioctl_tty(2). Every open by name of these files is the supervisor's to judge, as all are.
static int grant_terminals(int rules, uint64_t handled) {
    struct path_beneath p = {handled & (WRITE_FILE | IOCTL_DEV), open("/dev/pts", O_PATH | O_CLOEXEC)};
    if (p.parent < 0) return errno == ENOENT ? 0 : -errno;
    int e = (int)sbx_ret(syscall(445, rules, 1 /* LANDLOCK_RULE_PATH_BENEATH */, &p, 0));
    close(p.parent);
    return e;
}

int sbx_landlock_domain(void) {
    int abi = sbx_landlock_abi();
    if (abi < 0) return abi;
    struct ruleset_attr a = {0};
    for (unsigned i = 0; i < sizeof rights / sizeof *rights && rights[i].abi <= abi; i++) {
        a.files |= rights[i].takes.files;
        a.network |= rights[i].takes.network;
        a.scopes |= rights[i].takes.scopes;
    }
    // Each ABI that brought a field of its own knows none of the later ones.
    size_t size = abi >= 6 ? sizeof a : abi >= 4 ? 16 : 8;
    int rules = (int)sbx_ret(syscall(444, &a, size, 0));
    int e = rules < 0 ? 0 : grant_terminals(rules, a.files);
    if (e == 0) return rules;
    close(rules);
    return e;
}

int sbx_landlock_enter(int rules) {
    int e = (int)sbx_raw(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1);
    return e ? e : (int)sbx_raw(446, rules);
}

int sbx_landlock_scopes_signals(void) { return sbx_landlock_abi() >= 6; }
