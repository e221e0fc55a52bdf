// Everything that knows x86_64's registers.
#if defined(__x86_64__)
#include "CShims.h"
#include <sys/ptrace.h>
#include <sys/user.h>

int sbx_ptrace_exit_instead(int tid, int status) {
    struct user_regs_struct r;
    if (ptrace(PTRACE_GETREGS, tid, 0L, &r) < 0) return -errno;
    r.orig_rax = SYS_exit_group;
    r.rdi = (unsigned long)status;
    return (int)sbx_ret(ptrace(PTRACE_SETREGS, tid, 0L, &r));
}
#endif
