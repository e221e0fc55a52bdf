#include "CShims.h"

// linux/landlock.h of the build machine may be older than the kernel it runs on.
struct ruleset_attr { uint64_t handled_access_fs, handled_access_net, scoped; };
#define SCOPE_SIGNAL (1ull << 1)

int sbx_landlock_abi(void) { return (int)sbx_ret(syscall(444, (void *)0, 0, 1u /* CREATE_RULESET_VERSION */)); }

// What the supervisor refuses anyway, so that handling it changes nothing: the domain is what matters. From inside
// one, no process outside can be looked into (`/proc/PID/fd`, ptrace), whatever the ABI.
#define FS_MAKE_BLOCK (1ull << 11)

int sbx_landlock_domain(void) {
    int abi = sbx_landlock_abi();
    if (abi < 0) return abi;
    struct ruleset_attr a = {.handled_access_fs = FS_MAKE_BLOCK, .scoped = abi >= 6 ? SCOPE_SIGNAL : 0};
    size_t size = abi >= 6 ? sizeof a : abi >= 4 ? 16 : 8;
    return (int)sbx_ret(syscall(444, &a, size, 0));
}

int sbx_landlock_scopes_signals(void) { return sbx_landlock_abi() >= 6; }
