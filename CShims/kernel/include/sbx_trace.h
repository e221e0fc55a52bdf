// ptrace(2), on the one thread that started the tracees.
#ifndef SBX_TRACE_H
#define SBX_TRACE_H
#include <stddef.h>
#include <stdint.h>

int sbx_ptrace_seize(int pid);
int sbx_ptrace_continue(int tid, int sig);
int sbx_ptrace_interrupt(int tid);  // it stops before it is in user mode again
int sbx_ptrace_listen(int tid);
int sbx_ptrace_message(int tid, unsigned long *out);

// A stopped tracee's stack pointer, and where it will go on. At the exec event: the new image's count of arguments lies at the
// former; the latter is in the program, or in its loader where it has one (PT_INTERP, elf(5)).
int sbx_ptrace_stack(int tid, uint64_t *out, uint64_t *instruction);
// At the exec event: the first thing that the new image does is exit_group(status).
int sbx_ptrace_exit_now(int tid, int status);
void sbx_exit_code(uint64_t out[2], int status);  // the machine's instructions for it
// At the exec event, too: the stack pointer that the new image starts with.
int sbx_ptrace_set_stack(int tid, uint64_t pointer);
// The stack grows down to `address`, as far as a word there can be written; limits on it are the caller's business.
int sbx_ptrace_reach(int tid, uint64_t address);
// The first thing that the new image does is execve(path, argv, envp), which lie in its memory; where that fails, it
// ends with `status`.
int sbx_ptrace_exec_now(int tid, const uint64_t arguments[3], int status);
// The machine's instructions for it, and the registers they take the arguments from.
enum { SBX_EXEC_CODE_WORDS = 4 };
void sbx_exec_code(uint64_t out[SBX_EXEC_CODE_WORDS], int status);
int sbx_ptrace_set_exec_arguments(int tid, const uint64_t arguments[3]);
// At the exec event: the new image makes one call that comes to the supervisor, and traps. `sbx_ptrace_call_done` puts back what was
// there: 1 where it did, 0 where the task is somewhere else.
struct sbx_call { uint64_t at, code[2], registers[40]; };
enum { SBX_CALL_CODE_WORDS = 2 };
int sbx_ptrace_call_now(int tid, struct sbx_call *saved);
int sbx_ptrace_call_again(int tid, const struct sbx_call *saved);
int sbx_ptrace_call_done(int tid, const struct sbx_call *saved);
// The machine's instructions, where the trap leaves the task behind their beginning, and its registers.
void sbx_call_code(uint64_t out[SBX_CALL_CODE_WORDS]);
uint64_t sbx_call_end(void);
int sbx_ptrace_get_registers(int tid, uint64_t out[40]);
int sbx_ptrace_set_registers(int tid, const uint64_t all[40], uint64_t at);
// `/proc/PID/maps`. It stays with the memory that the process has now: not with that of a program it starts later.
int sbx_open_maps(int tid);
struct sbx_mapping { uint64_t start, end, device, inode; int is_shared; };
// The mapping that holds `address` (PROCMAP_QUERY, Linux 6.11), and the name of the file behind it where `cap` is not 0:
// the name's length, or -errno.
int sbx_mapping_at(int maps, uint64_t address, struct sbx_mapping *out, char *name, size_t cap);
// The name of the file that is mapped at `address`, NUL-terminated, whatever the kernel: its length, or -errno. What else
// the mapping tells (not always what stat(2) says) is zero where this kernel has no such query.
long sbx_mapped_file(int maps, uint64_t address, struct sbx_mapping *out, char *name, size_t cap);

// At a signal's delivery: 1 if it interrupted system call `nr` with these arguments that would return ERESTARTSYS.
int sbx_ptrace_interrupted(int tid, int64_t *nr, uint64_t args[6]);
// Makes that ERESTARTNOINTR.
int sbx_ptrace_restart_always(int tid);

// At a signal's delivery: 1 if process `sender` sent it to this very thread (tgkill(2)).
int sbx_ptrace_is_sent_by(int tid, int sender);

enum sbx_event {
    SBX_EVENT_FORK = 1, SBX_EVENT_VFORK = 2, SBX_EVENT_CLONE = 3, SBX_EVENT_EXEC = 4,
    SBX_EVENT_STOP = 128,
};

// waitpid(-1, __WALL | __WNOTHREAD): only tracees of this thread, so that nobody else's child is reaped.
int sbx_wait_any(int *status);
// The same without taking it: who it is, and whether it has ended. sbx_wait_for() takes it.
int sbx_wait_peek(int *is_end);
int sbx_wait_for(int tid, int *status);
#endif
