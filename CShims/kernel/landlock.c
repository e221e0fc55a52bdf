#include "CShims.h"

// linux/landlock.h of the build machine may be older than the kernel it runs on.
struct ruleset_attr { uint64_t handled_access_fs, handled_access_net, scoped; };
#define SCOPE_SIGNAL (1ull << 1)

int sbx_landlock_abi(void) { return (int)sbx_ret(syscall(444, (void *)0, 0, 1u /* CREATE_RULESET_VERSION */)); }

int sbx_landlock_signal_scope(void) {
    int abi = sbx_landlock_abi();
    if (abi < 6) return abi < 0 ? abi : -EOPNOTSUPP;
    struct ruleset_attr a = {.scoped = SCOPE_SIGNAL};
    return (int)sbx_ret(syscall(444, &a, sizeof a, 0));
}
