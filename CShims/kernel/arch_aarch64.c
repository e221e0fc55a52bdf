// Everything that knows aarch64's registers.
#if defined(__aarch64__)
#include "CShims.h"
#include <elf.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#ifndef NT_ARM_SYSTEM_CALL
#define NT_ARM_SYSTEM_CALL 0x404
#endif

int sbx_ptrace_exit_instead(int tid, int status) {
    struct user_regs_struct r;
    struct iovec v = {&r, sizeof r};
    if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &v) < 0) return -errno;
    r.regs[0] = (unsigned long)status;
    if (ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &v) < 0) return -errno;
    int nr = SYS_exit_group;
    struct iovec n = {&nr, sizeof nr};
    return (int)sbx_ret(ptrace(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, &n));
}

// arm64 settles the restart before the tracer sees the signal (do_signal, arch/arm64/kernel/signal.c): nothing can be
// told or changed here, and a call that a signal without SA_RESTART meets before it is received ends with EINTR.
int sbx_ptrace_interrupted(int tid, int64_t *nr) {
    (void)tid;
    (void)nr;
    return 0;
}
int sbx_ptrace_restart_always(int tid) {
    (void)tid;
    return -ENOSYS;
}
#endif
