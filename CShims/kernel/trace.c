#include "CShims.h"
#include <sys/ptrace.h>
#include <sys/wait.h>

int sbx_ptrace_seize(int pid, int stop_at_exec_entry) {
    long options = PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                   PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD;
    if (stop_at_exec_entry) options |= PTRACE_O_TRACESECCOMP;
    return (int)sbx_ret(ptrace(PTRACE_SEIZE, pid, 0L, options));
}
int sbx_ptrace_continue(int tid, int sig) { return (int)sbx_ret(ptrace(PTRACE_CONT, tid, 0L, (long)sig)); }
int sbx_ptrace_listen(int tid) { return (int)sbx_ret(ptrace(PTRACE_LISTEN, tid, 0L, 0L)); }
int sbx_ptrace_message(int tid, unsigned long *out) { return (int)sbx_ret(ptrace(PTRACE_GETEVENTMSG, tid, 0L, out)); }

int sbx_ptrace_call(int tid, struct sbx_stopped_call *out) {
    struct __ptrace_syscall_info i;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof i, &i) < 0) return -errno;
    if (i.op != PTRACE_SYSCALL_INFO_SECCOMP) return -EINVAL;
    out->nr = (int64_t)i.seccomp.nr;
    for (int k = 0; k < 6; k++) out->args[k] = i.seccomp.args[k];
    return 0;
}

int sbx_ptrace_is_sent_by(int tid, int sender) {
    siginfo_t i;
    if (ptrace(PTRACE_GETSIGINFO, tid, 0L, &i) < 0) return (int)-errno;
    return i.si_code == SI_TKILL && i.si_pid == sender;
}

int sbx_wait_any(int *status) {
    return (int)sbx_ret(waitpid(-1, status, __WALL | __WNOTHREAD));
}

int sbx_wait_peek(int *is_end) {
    siginfo_t i = {0};
    if (waitid(P_ALL, 0, &i, WEXITED | WSTOPPED | WNOWAIT | __WALL | __WNOTHREAD) < 0) return -errno;
    *is_end = i.si_code == CLD_EXITED || i.si_code == CLD_KILLED || i.si_code == CLD_DUMPED;
    return i.si_pid;
}

int sbx_wait_for(int tid, int *status) {
    return (int)sbx_ret(waitpid(tid, status, __WALL | __WNOTHREAD | WNOHANG));
}
