#include "CShims.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

int sbx_ptrace_seize(int pid) {
    long options = PTRACE_O_EXITKILL | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                   PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD;
    return (int)sbx_ret(ptrace(PTRACE_SEIZE, pid, 0L, options));
}
int sbx_ptrace_continue(int tid, int sig) { return (int)sbx_ret(ptrace(PTRACE_CONT, tid, 0L, (long)sig)); }
int sbx_ptrace_interrupt(int tid) { return (int)sbx_ret(ptrace(PTRACE_INTERRUPT, tid, 0L, 0L)); }
int sbx_ptrace_listen(int tid) { return (int)sbx_ret(ptrace(PTRACE_LISTEN, tid, 0L, 0L)); }
int sbx_ptrace_message(int tid, unsigned long *out) { return (int)sbx_ret(ptrace(PTRACE_GETEVENTMSG, tid, 0L, out)); }

int sbx_ptrace_stack(int tid, uint64_t *out, uint64_t *instruction) {
    struct __ptrace_syscall_info i;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof i, &i) < 0) return -errno;
    *out = i.stack_pointer;
    *instruction = i.instruction_pointer;
    return 0;
}

// In the place of the first instructions.
static int put_code(int tid, const uint64_t *code, int words) {
    struct __ptrace_syscall_info i;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof i, &i) < 0) return -errno;
    for (int k = 0; k < words; k++)
        if (ptrace(PTRACE_POKETEXT, tid, i.instruction_pointer + 8 * (unsigned)k, code[k]) < 0) return -errno;
    return 0;
}

int sbx_ptrace_exit_now(int tid, int status) {
    uint64_t code[2];
    sbx_exit_code(code, status);
    return put_code(tid, code, 2);
}

int sbx_ptrace_exec_now(int tid, const uint64_t arguments[3], int status) {
    uint64_t code[SBX_EXEC_CODE_WORDS];
    sbx_exec_code(code, status);
    int r = sbx_ptrace_set_exec_arguments(tid, arguments);
    return r < 0 ? r : put_code(tid, code, SBX_EXEC_CODE_WORDS);
}

static int instruction(int tid, uint64_t *out) {
    struct __ptrace_syscall_info i;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof i, &i) < 0) return -errno;
    *out = i.instruction_pointer;
    return 0;
}

static int poke(int tid, uint64_t at, const uint64_t code[SBX_CALL_CODE_WORDS]) {
    for (int k = 0; k < SBX_CALL_CODE_WORDS; k++)
        if (ptrace(PTRACE_POKETEXT, tid, at + 8 * (unsigned)k, code[k]) < 0) return -errno;
    return 0;
}

int sbx_ptrace_call_now(int tid, struct sbx_call *saved) {
    int r = instruction(tid, &saved->at);
    if (r == 0) r = sbx_ptrace_get_registers(tid, saved->registers);
    for (int k = 0; r == 0 && k < SBX_CALL_CODE_WORDS; k++) {
        errno = 0;
        saved->code[k] = (uint64_t)ptrace(PTRACE_PEEKTEXT, tid, saved->at + 8 * (unsigned)k, 0L);
        if (errno) r = -errno;
    }
    uint64_t code[SBX_CALL_CODE_WORDS];
    sbx_call_code(code);
    return r < 0 ? r : poke(tid, saved->at, code);
}

int sbx_ptrace_call_again(int tid, const struct sbx_call *saved) {
    return sbx_ptrace_set_registers(tid, saved->registers, saved->at);
}

int sbx_ptrace_call_done(int tid, const struct sbx_call *saved) {
    uint64_t now;
    int r = instruction(tid, &now);
    if (r < 0) return r;
    if (now != saved->at + sbx_call_end()) return 0;
    r = poke(tid, saved->at, saved->code);
    if (r == 0) r = sbx_ptrace_set_registers(tid, saved->registers, saved->at);
    return r < 0 ? r : 1;
}

// Unlike process_vm_writev(2) it expands a stack.
int sbx_ptrace_reach(int tid, uint64_t address) {
    return (int)sbx_ret(ptrace(PTRACE_POKEDATA, tid, address, 0L));
}

// linux/fs.h of Linux 6.11; the build machine's may be older.
struct procmap_query {
    uint64_t size, query_flags, query_addr, vma_start, vma_end, vma_flags, vma_page_size, vma_offset, inode;
    uint32_t dev_major, dev_minor, vma_name_size, build_id_size;
    uint64_t vma_name_addr, build_id_addr;
};
#define PROCMAP_QUERY _IOWR('f', 17, struct procmap_query)

// Without that call: the line of /proc/PID/maps (proc(5)) whose range holds the address.
static long find_in_maps(int fd, uint64_t address, char *name, size_t cap) {
    char line[4096 + 128];
    FILE *f = fdopen(dup(fd), "re");
    if (!f) return -errno;
    long found = -ENOENT;
    while (found < 0 && fgets(line, sizeof line, f)) {
        char *dash, *path = strchr(line, '/'), *end = strchr(line, '\n');
        if (address < strtoull(line, &dash, 16) || *dash != '-' || address >= strtoull(dash + 1, NULL, 16)) continue;
        if (!path || !end || (size_t)(end - path) >= cap) break;
        *end = 0;
        found = end - path;
        memcpy(name, path, (size_t)found + 1);
    }
    fclose(f);
    return found;
}

int sbx_open_maps(int tid) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/maps", tid);
    return (int)sbx_ret(open(path, O_RDONLY | O_CLOEXEC));
}

int sbx_mapping_at(int maps, uint64_t address, struct sbx_mapping *out, char *name, size_t cap) {
    struct procmap_query q = {.size = sizeof q, .query_addr = address, .vma_name_size = (uint32_t)cap,
                              .vma_name_addr = (uint64_t)(uintptr_t)name};
    if (ioctl(maps, PROCMAP_QUERY, &q) < 0) return -errno;
    *out = (struct sbx_mapping){q.vma_start, q.vma_end, makedev(q.dev_major, q.dev_minor), q.inode,
                                (q.vma_flags & 8 /* PROCMAP_QUERY_VMA_SHARED */) != 0};
    return q.vma_name_size ? (int)q.vma_name_size - 1 : 0;
}

long sbx_mapped_file(int maps, uint64_t address, struct sbx_mapping *out, char *name, size_t cap) {
    *out = (struct sbx_mapping){0};
    int n = sbx_mapping_at(maps, address, out, name, cap);
    if (n > 0) return n;
    return n == 0 ? -ENOENT : n == -ENOTTY ? find_in_maps(maps, address, name, cap) : n;
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
