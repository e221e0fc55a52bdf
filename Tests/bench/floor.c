// floor: runs a command with one way of intercepting its calls and nothing more: no profile, no record. What it costs,
// every supervisor that works this way pays at the least.
//   floor [-o allow|notify|addfd] [-e none|trace|event] [-s] [-r] [-l] [-n THREADS] command [argument...]
// -o  open, openat, openat2, connect: allow  a filter that lets everything go on
//                                     notify a notification, answered with "continue"
//                                     addfd  the same, but the supervisor opens and hands the descriptor over
// -e  program starts: none; trace (a ptrace stop at the entry of execve, by SECCOMP_RET_TRACE); event (at the exec event alone)
// -s  the listener wakes synchronously   -r  the path or address is read from the caller   -n  threads at the listener
// -l  besides, what it takes at the least that nobody wins a race against the answer: before an open goes on, a look at what
//     the name leads to, and at the memory that the name lies in; what is handed over is pinned, its path asked for, and then
//     opened; a connect is made on the caller's socket with our copy of the address; with -e event what has been loaded and with
//     which arguments is asked for where nobody can change it any more, each process is known by a pidfd, and who has ended is
//     still there when it is told
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS  // Linux 6.6
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP 1UL
#endif

#ifndef PROCMAP_QUERY  // Linux 6.11
struct procmap_query {
    uint64_t size, query_flags, query_addr, vma_start, vma_end, vma_flags, vma_page_size, vma_offset, inode;
    uint32_t dev_major, dev_minor, vma_name_size, build_id_size;
    uint64_t vma_name_addr, build_id_addr;
};
#define PROCMAP_QUERY _IOWR('f', 17, struct procmap_query)
#endif

#ifdef __x86_64__
#define INSTRUCTION(registers) (registers).rip
#define STACK(registers) (registers).rsp
#else
#define INSTRUCTION(registers) (registers).pc
#define STACK(registers) (registers).sp
#endif

static enum { ALLOW, NOTIFY, ADDFD } opens = ALLOW;
static enum { NONE, TRACE, EVENT } execs = NONE;
static int synchronous, reading, looking, threads = 1, listener;

static void fail(const char *what) {
    perror(what);
    _exit(125);
}

static int choice(const char *given, const char *const *names) {
    for (int i = 0; names[i]; i++)
        if (!strcmp(given, names[i])) return i;
    fprintf(stderr, "floor: `%s` is not known\n", given);
    exit(125);
}

// The listener's number, or 0 where the filter has none.
static int install_filter(void) {
    const uint32_t open_action = opens == ALLOW ? SECCOMP_RET_ALLOW : SECCOMP_RET_USER_NOTIF;
    const uint32_t exec_action = execs == TRACE ? SECCOMP_RET_TRACE : SECCOMP_RET_ALLOW;
    const struct { uint32_t call, action; } rows[] = {
#ifdef SYS_open
        {SYS_open, open_action},
#endif
        {SYS_openat, open_action}, {SYS_openat2, open_action}, {SYS_connect, open_action},
        {SYS_execve, exec_action}, {SYS_execveat, exec_action},
    };
    struct sock_filter code[2 * sizeof rows / sizeof *rows + 2] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    unsigned short n = 1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, rows[i].call, 0, 1);
        code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, rows[i].action);
    }
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {n, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) fail("no_new_privs");
    long made = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, opens == ALLOW ? 0 : SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    if (made < 0) fail("seccomp");
    return (int)made;
}

// Never over the end of a page, because the next may not be there.
static int read_string(pid_t pid, uint64_t address, char text[PATH_MAX]) {
    for (size_t have = 0; have < PATH_MAX;) {
        size_t size = 4096 - (address + have) % 4096;
        if (size > PATH_MAX - have) size = PATH_MAX - have;
        struct iovec here = {text + have, size}, there = {(void *)(address + have), size};
        ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);
        if (got <= 0) return -1;
        if (memchr(text + have, 0, (size_t)got)) return 0;
        have += (size_t)got;
    }
    return -1;
}

// What is kept of the last caller: its pidfd, and its memory map. A number that comes round again is not noticed: nobody
// attacks the floor.
static void meet(pid_t pid, int *handle, int *maps) {
    static _Thread_local pid_t known;
    static _Thread_local int known_handle = -1, known_maps = -1;
    if (pid != known) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/maps", pid);
        if (known_handle >= 0) close(known_handle);
        if (known_maps >= 0) close(known_maps);
        known = pid;
        known_handle = (int)syscall(SYS_pidfd_open, pid, 0);
        known_maps = open(path, O_RDONLY | O_CLOEXEC);
    }
    *handle = known_handle;
    *maps = known_maps;
}

static void look(const struct seccomp_notif *call, const char *path, uint64_t address) {
    int handle, maps;
    struct stat st;
    meet((pid_t)call->pid, &handle, &maps);
    fstatat(AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW);
    struct procmap_query query = {.size = sizeof query, .query_addr = address};
    ioctl(maps, PROCMAP_QUERY, &query);
}

// The result, or INT_MIN where the caller itself has to do it.
static int connect_for(const struct seccomp_notif *call, const char *address, socklen_t size) {
    int handle, maps, type;
    meet((pid_t)call->pid, &handle, &maps);
    int own = (int)syscall(SYS_pidfd_getfd, handle, (int)call->data.args[0], 0);
    if (own < 0) return INT_MIN;
    socklen_t length = sizeof type;
    getsockopt(own, SOL_SOCKET, SO_TYPE, &type, &length);
    int result = connect(own, (const struct sockaddr *)address, size) < 0 ? -errno : 0;
    close(own);
    return result;
}

// INT_MIN: it goes on.
static int read_argument(const struct seccomp_notif *call) {
    char text[PATH_MAX];
    if (call->data.nr != SYS_connect) {
        uint64_t address = call->data.args[call->data.nr == SYS_openat || call->data.nr == SYS_openat2];
        if (read_string((pid_t)call->pid, address, text) == 0 && looking) look(call, text, address);
        return INT_MIN;
    }
    socklen_t size = call->data.args[2] < 128 ? (socklen_t)call->data.args[2] : 128;
    struct iovec here = {text, size}, there = {(void *)call->data.args[1], size};
    if (process_vm_readv((pid_t)call->pid, &here, 1, &there, 1, 0) < 0) return INT_MIN;
    return looking ? connect_for(call, text, size) : INT_MIN;
}

// What is opened is what was looked at, under the name that the kernel has for it.
static int open_pinned(const char *path, const struct seccomp_notif *call) {
    char link[64], name[PATH_MAX];
    int pin = open(path, O_PATH | O_CLOEXEC);
    if (pin < 0) return INT_MIN;  // the row opens what is there
    snprintf(link, sizeof link, "/proc/self/fd/%d", pin);
    int file = readlink(link, name, sizeof name) < 0 ? -1 : open(link, (int)call->data.args[2] | O_CLOEXEC);
    int error = errno;
    close(pin);
    return file < 0 ? -error : file;
}

// A descriptor, -errno, or INT_MIN for what only the caller itself can open: procfs means somebody else to us.
static int open_for(const struct seccomp_notif *call) {
    char path[PATH_MAX], from_here[PATH_MAX + 64];
    if (call->data.nr != SYS_openat || read_string((pid_t)call->pid, call->data.args[1], path)) return INT_MIN;
    if (!strncmp(path, "/proc/", 6) || !strncmp(path, "/dev/", 5)) return INT_MIN;
    int folder = (int)call->data.args[0];
    if (path[0] == '/') snprintf(from_here, sizeof from_here, "%s", path);
    else if (folder == AT_FDCWD) snprintf(from_here, sizeof from_here, "/proc/%u/cwd/%s", call->pid, path);
    else snprintf(from_here, sizeof from_here, "/proc/%u/fd/%d/%s", call->pid, folder, path);
    if (looking) return open_pinned(from_here, call);
    int file = open(from_here, (int)call->data.args[2] | O_CLOEXEC, (mode_t)call->data.args[3]);
    return file < 0 ? -errno : file;
}

static void *answer_all(void *unused) {
    for (;;) {
        struct seccomp_notif call = {0};
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call)) {
            if (errno == EINTR || errno == ENOENT) continue;  // ENOENT: the caller died meanwhile
            return unused;
        }
        struct seccomp_notif_resp answer = {.id = call.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
        int file = opens == ADDFD ? open_for(&call) : INT_MIN;
        if (file >= 0) {
            struct seccomp_notif_addfd gift = {.id = call.id, .flags = SECCOMP_ADDFD_FLAG_SEND, .srcfd = (uint32_t)file,
                                               .newfd_flags = call.data.args[2] & O_CLOEXEC};
            ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &gift);
            close(file);
            continue;
        }
        if (file == INT_MIN && reading && opens == NOTIFY) file = read_argument(&call);
        if (file != INT_MIN) answer = (struct seccomp_notif_resp){.id = call.id, .error = file};
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}

// The program by what is mapped, the file that its first instruction lies in (its loader), and its arguments.
static void look_at_program(pid_t pid) {
    char path[64], name[PATH_MAX], stack[8192];
    struct stat st;
    struct user_regs_struct registers;
    struct iovec all = {&registers, sizeof registers};
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    fstatat(AT_FDCWD, path, &st, 0x4000 /* AT_STATX_DONT_SYNC */);
    if (readlink(path, name, sizeof name) < 0) return;
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    int maps = open(path, O_RDONLY | O_CLOEXEC);
    ptrace(PTRACE_GETREGSET, pid, (void *)1 /* NT_PRSTATUS */, &all);
    struct procmap_query query = {.size = sizeof query, .query_addr = INSTRUCTION(registers), .vma_name_size = sizeof name,
                                  .vma_name_addr = (uintptr_t)name};
    ioctl(maps, PROCMAP_QUERY, &query);
    close(maps);
    uint64_t at = STACK(registers);
    struct iovec here = {stack, 4096 - at % 4096}, there = {(void *)at, 4096 - at % 4096};
    process_vm_readv(pid, &here, 1, &there, 1, 0);
    here = (struct iovec){stack, sizeof stack}, there = (struct iovec){(void *)(at + 4096 - at % 4096), sizeof stack};
    process_vm_readv(pid, &here, 1, &there, 1, 0);
}

// Until the last tracee is gone; the first one's status.
static int trace_all(pid_t first) {
    static int handles[1 << 22];
    int status, result = 0;
    siginfo_t next;
    for (pid_t pid;;) {
        if (looking && waitid(P_ALL, 0, &next, WEXITED | WSTOPPED | WNOWAIT | __WALL) && errno != EINTR) return result;
        if ((pid = waitpid(-1, &status, __WALL)) <= 0) {
            if (errno == EINTR) continue;
            return result;
        }
        if (looking && !handles[pid]) handles[pid] = (int)syscall(SYS_pidfd_open, pid, 0);
        if (looking && !WIFSTOPPED(status)) close(handles[pid]), handles[pid] = 0;
        if (!WIFSTOPPED(status)) {
            if (pid == first) result = status;
            continue;
        }
        int event = status >> 16, signal = WSTOPSIG(status);
        if (event == PTRACE_EVENT_EXEC && looking) look_at_program(pid);
        if (event == PTRACE_EVENT_SECCOMP && reading) {
            struct __ptrace_syscall_info call;
            char text[PATH_MAX];
            ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof call, &call);
            read_string(pid, call.seccomp.args[call.seccomp.nr == SYS_execveat], text);
        }
        if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) ptrace(PTRACE_LISTEN, pid, 0, 0);  // stopped for job control
        else ptrace(PTRACE_CONT, pid, 0, (void *)(long)(event ? 0 : signal));
    }
}

// Waits until it is traced, tells its listener's number, waits until somebody answers there.
static void become(char **command, int channel) {
    char go;
    if (read(channel, &go, 1) != 1) _exit(125);
    int number = install_filter();
    if (write(channel, &number, sizeof number) != sizeof number || read(channel, &go, 1) != 1) _exit(125);
    close(channel);
    execvp(command[0], command);
    fail(command[0]);
}

int main(int argc, char **argv) {
    for (int option; (option = getopt(argc, argv, "+o:e:srln:")) > 0;) {
        if (option == 'o') opens = choice(optarg, (const char *[]){"allow", "notify", "addfd", 0});
        else if (option == 'e') execs = choice(optarg, (const char *[]){"none", "trace", "event", 0});
        else if (option == 's') synchronous = 1;
        else if (option == 'r') reading = 1;
        else if (option == 'l') looking = 1;
        else if (option == 'n') threads = atoi(optarg);
        else return 125;
    }
    int channel[2], number, status;
    if (optind >= argc || socketpair(AF_UNIX, SOCK_STREAM, 0, channel)) return 125;
    pid_t pid = fork();
    if (!pid) close(channel[0]), become(argv + optind, channel[1]);
    close(channel[1]);
    long events = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
    events |= execs == EVENT ? PTRACE_O_TRACEEXEC : PTRACE_O_TRACESECCOMP;
    if (execs != NONE && ptrace(PTRACE_SEIZE, pid, 0, (void *)events)) fail("ptrace");
    if (write(channel[0], "", 1) != 1 || read(channel[0], &number, sizeof number) != sizeof number) return 125;
    if (opens != ALLOW) {
        int process = (int)syscall(SYS_pidfd_open, pid, 0);
        if ((listener = (int)syscall(SYS_pidfd_getfd, process, number, 0)) < 0) fail("pidfd_getfd");
        if (synchronous && ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)) fail("sync wake-up");
        for (pthread_t thread; threads > 0; threads--) pthread_create(&thread, 0, answer_all, 0);
    }
    if (write(channel[0], "", 1) != 1) return 125;
    close(channel[0]);
    if (execs != NONE) status = trace_all(pid);
    else while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
