// Everything that knows x86_64's registers.
#if defined(__x86_64__)
#include "CShims.h"
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>

void sbx_exit_code(uint64_t out[2], int status) {
    unsigned char code[16] = {0xb8, SYS_exit_group, 0, 0, 0,           // mov eax, exit_group
                              0xbf, (unsigned char)status, 0, 0, 0,    // mov edi, status
                              0x0f, 0x05,                              // syscall
                              0xcc, 0xcc, 0xcc, 0xcc};
    memcpy(out, code, sizeof code);
}

void sbx_exec_code(uint64_t out[SBX_EXEC_CODE_WORDS], int status) {
    unsigned char code[8 * SBX_EXEC_CODE_WORDS] = {0xb8, SYS_execve, 0, 0, 0,                // mov eax, execve
                                                   0x0f, 0x05,                               // syscall
                                                   0xb8, SYS_exit_group, 0, 0, 0,            // mov eax, exit_group
                                                   0xbf, (unsigned char)status, 0, 0, 0,     // mov edi, status
                                                   0x0f, 0x05,                               // syscall
                                                   0xcc};
    memcpy(out, code, sizeof code);
}

int sbx_ptrace_set_exec_arguments(int tid, const uint64_t arguments[3]) {
    struct user_regs_struct r;
    if (ptrace(PTRACE_GETREGS, tid, 0L, &r) < 0) return -errno;
    r.rdi = arguments[0];
    r.rsi = arguments[1];
    r.rdx = arguments[2];
    return (int)sbx_ret(ptrace(PTRACE_SETREGS, tid, 0L, &r));
}

void sbx_call_code(uint64_t out[SBX_CALL_CODE_WORDS]) {
    unsigned char code[8 * SBX_CALL_CODE_WORDS] = {0xb8, SYS_openat & 0xff, SYS_openat >> 8, 0, 0,  // mov eax, openat
                                                   0x0f, 0x05,                                      // syscall
                                                   0xcc,                                            // int3
                                                   0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc};
    memcpy(out, code, sizeof code);
}

uint64_t sbx_call_end(void) { return 8; }  // a trap stops behind its instruction

int sbx_ptrace_get_registers(int tid, uint64_t out[40]) {
    _Static_assert(sizeof(struct user_regs_struct) <= 40 * 8, "room for all of them");
    return (int)sbx_ret(ptrace(PTRACE_GETREGS, tid, 0L, out));
}

int sbx_ptrace_set_registers(int tid, const uint64_t all[40], uint64_t at) {
    struct user_regs_struct r;
    memcpy(&r, all, sizeof r);
    r.rip = at;
    r.rax = 0;                    // what execve(2) returns
    r.orig_rax = (uint64_t)-1l;   // in no call: nothing is to be restarted
    return (int)sbx_ret(ptrace(PTRACE_SETREGS, tid, 0L, &r));
}

int sbx_ptrace_set_stack(int tid, uint64_t pointer) {
    return (int)sbx_ret(ptrace(PTRACE_POKEUSER, tid, offsetof(struct user_regs_struct, rsp), pointer));
}

// arch_do_signal_or_restart() looks at these two after the tracer has let the signal through.
int sbx_ptrace_interrupted(int tid, int64_t *nr, uint64_t args[6]) {
    errno = 0;
    long result = ptrace(PTRACE_PEEKUSER, tid, offsetof(struct user_regs_struct, rax), 0L);
    if (errno || result != -512) return 0;
    struct user_regs_struct r;
    if (ptrace(PTRACE_GETREGS, tid, 0L, &r) < 0) return 0;
    *nr = (int64_t)r.orig_rax;
    const uint64_t all[6] = {r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9};
    memcpy(args, all, sizeof all);
    return *nr >= 0;
}

int sbx_ptrace_restart_always(int tid) {
    return (int)sbx_ret(ptrace(PTRACE_POKEUSER, tid, offsetof(struct user_regs_struct, rax), -513L));
}
#endif
