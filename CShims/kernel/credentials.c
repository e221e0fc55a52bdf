#include "CShims.h"
#include <linux/capability.h>

int sbx_thread_getcaps(struct sbx_caps *out) {
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct d[2];
    int e = (int)sbx_raw(SYS_capget, &h, d);
    if (e < 0) return e;
    out->effective = d[0].effective | (uint64_t)d[1].effective << 32;
    out->permitted = d[0].permitted | (uint64_t)d[1].permitted << 32;
    out->inheritable = d[0].inheritable | (uint64_t)d[1].inheritable << 32;
    return 0;
}

int sbx_thread_setcaps(const struct sbx_caps *c) {
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct d[2] = {
        {(uint32_t)c->effective, (uint32_t)c->permitted, (uint32_t)c->inheritable},
        {(uint32_t)(c->effective >> 32), (uint32_t)(c->permitted >> 32), (uint32_t)(c->inheritable >> 32)}};
    return (int)sbx_raw(SYS_capset, &h, d);
}

uint64_t sbx_machine_caps(void) {
    // LINUX_IMMUTABLE, NET_ADMIN, NET_RAW, SYS_MODULE, SYS_RAWIO, SYS_PTRACE, SYS_PACCT, SYS_ADMIN, SYS_BOOT, SYS_RESOURCE,
    // SYS_TIME, SYS_TTY_CONFIG, AUDIT_CONTROL, MAC_OVERRIDE, MAC_ADMIN, SYSLOG, AUDIT_READ, PERFMON, BPF,
    // CHECKPOINT_RESTORE; DAC_READ_SEARCH stays, because DAC_OVERRIDE says the same.
    static const unsigned char caps[] = {9, 12, 13, 16, 17, 19, 20, 21, 22, 24, 25, 26, 30, 32, 33, 34, 37, 38, 39, 40};
    uint64_t all = 0;
    for (unsigned i = 0; i < sizeof caps; i++) all |= 1ull << caps[i];
    return all;
}

int sbx_thread_limit_caps(void) {
    struct sbx_caps c;
    int e = sbx_thread_getcaps(&c);
    if (e < 0) return e;
    c.effective &= ~sbx_machine_caps() | 1ull << CAP_SYS_PTRACE;
    c.permitted &= c.effective;
    c.inheritable = 0;
    return sbx_thread_setcaps(&c);
}

// With no_new_privs nothing brings them back but root's own execve, which is what the bounding set is for.
int sbx_thread_drop_machine_caps(void) {
    struct sbx_caps c;
    int e = sbx_thread_getcaps(&c);
    if (e < 0) return e;
    for (int i = 0; i < 64; i++) {
        if (!(sbx_machine_caps() >> i & 1) || sbx_raw(SYS_prctl, PR_CAPBSET_READ, i) != 1) continue;
        e = (int)sbx_raw(SYS_prctl, PR_CAPBSET_DROP, i);
        if (e < 0) return c.effective ? e : 0;  // without CAP_SETPCAP there is nobody here who could gain one
    }
    sbx_raw(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL);
    c.effective &= ~sbx_machine_caps();
    c.permitted &= ~sbx_machine_caps();
    c.inheritable &= ~sbx_machine_caps();
    return sbx_thread_setcaps(&c);
}
