// Everything that knows aarch64's registers.
#if defined(__aarch64__)
#include "CShims.h"
#include <elf.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

void sbx_exit_code(uint64_t out[2], int status) {
    uint32_t code[4] = {0xd2800000u | (uint32_t)SYS_exit_group << 5 | 8,           // mov x8, exit_group
                        0xd2800000u | (uint32_t)(unsigned char)status << 5,        // mov x0, status
                        0xd4000001u,                                               // svc #0
                        0xd4200000u};                                              // brk
    memcpy(out, code, sizeof code);
}

// What the call under way returns is put into x0 only after the event, so the path waits in x3.
void sbx_exec_code(uint64_t out[SBX_EXEC_CODE_WORDS], int status) {
    uint32_t code[2 * SBX_EXEC_CODE_WORDS] = {0xaa0303e0u,                                            // mov x0, x3
                                              0xd2800000u | (uint32_t)SYS_execve << 5 | 8,            // mov x8, execve
                                              0xd4000001u,                                            // svc #0
                                              0xd2800000u | (uint32_t)SYS_exit_group << 5 | 8,        // mov x8, exit_group
                                              0xd2800000u | (uint32_t)(unsigned char)status << 5,     // mov x0, status
                                              0xd4000001u,                                            // svc #0
                                              0xd4200000u,                                            // brk
                                              0xd4200000u};
    memcpy(out, code, sizeof code);
}

static int get_registers(int tid, struct user_regs_struct *r) {
    struct iovec v = {r, sizeof *r};
    return (int)sbx_ret(ptrace(PTRACE_GETREGSET, tid, (long)NT_PRSTATUS, &v));
}

static int set_registers(int tid, struct user_regs_struct *r) {
    struct iovec v = {r, sizeof *r};
    return (int)sbx_ret(ptrace(PTRACE_SETREGSET, tid, (long)NT_PRSTATUS, &v));
}

int sbx_ptrace_set_exec_arguments(int tid, const uint64_t arguments[3]) {
    struct user_regs_struct r;
    int e = get_registers(tid, &r);
    if (e < 0) return e;
    r.regs[3] = arguments[0];
    r.regs[1] = arguments[1];
    r.regs[2] = arguments[2];
    return set_registers(tid, &r);
}

void sbx_call_code(uint64_t out[SBX_CALL_CODE_WORDS]) {
    uint32_t code[2 * SBX_CALL_CODE_WORDS] = {0xd2800000u | (uint32_t)SYS_openat << 5 | 8,  // mov x8, openat
                                              0xd4000001u,                                  // svc #0
                                              0xd4200000u,                                  // brk
                                              0xd4200000u};
    memcpy(out, code, sizeof code);
}

uint64_t sbx_call_end(void) { return 8; }  // a breakpoint stops at its instruction

int sbx_ptrace_get_registers(int tid, uint64_t out[40]) {
    _Static_assert(sizeof(struct user_regs_struct) <= 40 * 8, "room for all of them");
    struct user_regs_struct r;
    int e = get_registers(tid, &r);
    if (e == 0) memcpy(out, &r, sizeof r);
    return e;
}

int sbx_ptrace_set_registers(int tid, const uint64_t all[40], uint64_t at) {
    struct user_regs_struct r;
    memcpy(&r, all, sizeof r);
    r.pc = at;
    r.regs[0] = 0;  // what execve(2) returns
    return set_registers(tid, &r);
}

int sbx_ptrace_set_stack(int tid, uint64_t pointer) {
    struct user_regs_struct r;
    int e = get_registers(tid, &r);
    if (e < 0) return e;
    r.sp = pointer;
    return set_registers(tid, &r);
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
