// Everything that knows aarch64's registers.
#if defined(__aarch64__)
#include "CShims.h"
#include <string.h>

void sbx_exit_code(uint64_t out[2], int status) {
    uint32_t code[4] = {0xd2800000u | (uint32_t)SYS_exit_group << 5 | 8,           // mov x8, exit_group
                        0xd2800000u | (uint32_t)(unsigned char)status << 5,        // mov x0, status
                        0xd4000001u,                                               // svc #0
                        0xd4200000u};                                              // brk
    memcpy(out, code, sizeof code);
}

// arm64 settles the restart before the tracer sees the signal (do_signal, arch/arm64/kernel/signal.c): nothing can be
// told or changed here, and a call that a signal without SA_RESTART meets before it is received ends with EINTR.
int sbx_ptrace_interrupted(int tid, int64_t *nr, uint64_t args[6]) {
    (void)tid;
    (void)nr;
    (void)args;
    return 0;
}
int sbx_ptrace_restart_always(int tid) {
    (void)tid;
    return -ENOSYS;
}
#endif
