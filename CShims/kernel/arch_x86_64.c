// Everything that knows x86_64's registers.
#if defined(__x86_64__)
#include "CShims.h"
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>

int sbx_ptrace_exit_instead(int tid, int status) {
    struct user_regs_struct r;
    if (ptrace(PTRACE_GETREGS, tid, 0L, &r) < 0) return -errno;
    r.orig_rax = SYS_exit_group;
    r.rdi = (unsigned long)status;
    return (int)sbx_ret(ptrace(PTRACE_SETREGS, tid, 0L, &r));
}

// arch_do_signal_or_restart() looks at these two after the tracer has let the signal through.
int sbx_ptrace_interrupted(int tid, int64_t *nr) {
    errno = 0;
    long result = ptrace(PTRACE_PEEKUSER, tid, offsetof(struct user_regs_struct, rax), 0L);
    if (errno || result != -512) return 0;
    *nr = ptrace(PTRACE_PEEKUSER, tid, offsetof(struct user_regs_struct, orig_rax), 0L);
    return errno ? 0 : *nr >= 0;
}

int sbx_ptrace_restart_always(int tid) {
    return (int)sbx_ret(ptrace(PTRACE_POKEUSER, tid, offsetof(struct user_regs_struct, rax), -513L));
}
#endif
