// Attacks on whoever watches: the parent and every ancestor up to FENCE (a pid; that one is spared), see `guest fence`.
#include "guest.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/pidfd.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

static pid_t parent_of(pid_t pid) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC), parent = 0;
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    if (n <= 0) return 0;
    text[n] = 0;
    char *end = strrchr(text, ')');
    return end && sscanf(end, ") %*c %d", &parent) == 1 ? parent : 0;
}

/// True if `attack` works on any ancestor below the fence. The parent is attacked even where /proc does not show it.
static bool on_ancestors(int argc, char **argv, bool (*attack)(pid_t)) {
    pid_t fence = atoi(argument(argc, argv, 1)), pid = getppid();
    bool leaked = false;
    for (int i = 0; i < 8 && pid > 1 && pid != fence; i++) { leaked |= attack(pid); pid = parent_of(pid); }
    return leaked;
}

static bool traces(pid_t pid) {
    if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0) { ptrace(PTRACE_INTERRUPT, pid, 0, 0); waitpid(pid, NULL, __WALL); ptrace(PTRACE_DETACH, pid, NULL, NULL); return true; }
    return false;
}
int attack_ptrace_parent(int argc, char **argv) { return verdict(on_ancestors(argc, argv, traces)); }

/// The lowest mapping that /proc shows, or the usual place of a program.
static uintptr_t some_address(pid_t pid) {
    char path[64], line[256];
    uintptr_t address = 0x400000;
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *maps = fopen(path, "re");
    if (maps) { if (fgets(line, sizeof line, maps)) address = strtoul(line, NULL, 16); fclose(maps); }
    return address;
}
static bool reads_memory(pid_t pid) {
    char byte[8];
    struct iovec local = {byte, 8}, remote = {(void *)some_address(pid), 8};
    return process_vm_readv(pid, &local, 1, &remote, 1, 0) > 0 || (errno == EFAULT && some_address(pid) != 0x400000);
}
int attack_process_vm_parent(int argc, char **argv) { return verdict(on_ancestors(argc, argv, reads_memory)); }

static bool signals(pid_t pid) {  // SIGCONT and SIGURG: what may be sent at all is shown without harm
    siginfo_t info = {.si_signo = SIGCONT, .si_code = SI_QUEUE};
    bool leaked = kill(pid, SIGCONT) == 0;
    leaked |= syscall(SYS_tkill, pid, SIGCONT) == 0;
    leaked |= syscall(SYS_tgkill, pid, pid, SIGCONT) == 0;
    leaked |= syscall(SYS_rt_sigqueueinfo, pid, SIGCONT, &info) == 0;
    leaked |= syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGCONT, &info) == 0;
    int pidfd = pidfd_open(pid, 0);
    leaked |= pidfd >= 0 && pidfd_send_signal(pidfd, SIGCONT, NULL, 0) == 0;
    leaked |= kill((int)(0xffffffff00000000UL | (unsigned)pid), SIGURG) == 0;
    struct rlimit limit;
    leaked |= syscall(SYS_prlimit64, pid, RLIMIT_CORE, NULL, &limit) == 0 && syscall(SYS_prlimit64, pid, RLIMIT_CORE, &limit, NULL) == 0;
    return leaked;
}
int attack_kill_supervisor(int argc, char **argv) { return verdict(on_ancestors(argc, argv, signals)); }

static bool opens_for(pid_t pid, const char *what, int flags) {
    char path[128];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, what);
    int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) close(fd);
    return fd >= 0;
}
static bool proc_shows(pid_t pid) {
    const char *const readable[] = {"environ", "mem", "root/etc/passwd", "cwd/.", "auxv", "maps", "exe", "task/../mem"};
    bool leaked = false;
    char name[32];
    for (size_t i = 0; i < sizeof readable / sizeof *readable; i++) leaked |= opens_for(pid, readable[i], O_RDONLY);
    for (int fd = 0; fd < 64; fd++) { snprintf(name, sizeof name, "fd/%d", fd); leaked |= opens_for(pid, name, O_RDONLY); }
    return leaked || opens_for(pid, "mem", O_RDWR) || opens_for(pid, "oom_score_adj", O_WRONLY);
}
int attack_proc_supervisor(int argc, char **argv) { return verdict(on_ancestors(argc, argv, proc_shows)); }

static bool takes_descriptor(pid_t pid) {
    int pidfd = pidfd_open(pid, 0);
    bool leaked = false;
    for (int fd = 0; pidfd >= 0 && fd < 64; fd++) leaked |= pidfd_getfd(pidfd, fd, 0) >= 0;
    return leaked;
}
int attack_pidfd_getfd_supervisor(int argc, char **argv) { return verdict(on_ancestors(argc, argv, takes_descriptor)); }

static bool owns_signal(pid_t pid) {  // would have the kernel signal it for us
    int pair[2], owner = pid;
    struct f_owner_ex extended = {F_OWNER_PID, pid};
    bool leaked = false;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) die("socketpair");
    for (int way = 0; way < 4; way++) {
        fcntl(pair[0], F_SETOWN, 0);
        if (way == 0) fcntl(pair[0], F_SETOWN, pid);
        else if (way == 1) fcntl(pair[0], F_SETOWN_EX, &extended);
        else ioctl(pair[0], way == 2 ? 0x8901 /* FIOSETOWN */ : 0x8902 /* SIOCSPGRP */, &owner);
        leaked |= fcntl(pair[0], F_GETOWN) == pid;
    }
    close(pair[0]), close(pair[1]);
    return leaked;
}
int attack_fsetown(int argc, char **argv) { return verdict(on_ancestors(argc, argv, owns_signal)); }

int attack_new_listener(int argc, char **argv) {
    (void)argc, (void)argv;
    struct sock_filter allow_all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {1, allow_all};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return verdict(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program) >= 0);
}

static pid_t run_child(char **line) {
    pid_t child = fork();
    if (child == 0) { execvp(line[0], line); fprintf(stderr, "guest: %s: %s\n", line[0], strerror(errno)); _exit(127); }
    return child;
}
static int status_of(pid_t child) {
    int status;
    while (waitpid(child, &status, __WALL) < 0) if (errno != EINTR) return 97;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// `fence CMD…`: runs CMD, with @FENCE@ in its arguments replaced by the own pid: no attack goes beyond it.
int tool_fence(int argc, char **argv) {
    static char own[16];
    snprintf(own, sizeof own, "%d", getpid());
    for (int i = 1; i < argc; i++) if (strcmp(argv[i], "@FENCE@") == 0) argv[i] = own;
    argument(argc, argv, 1);
    return status_of(run_child(argv + 1));
}
/// `victim CMD…`: a parent to be attacked, for the run without a sandbox.
int tool_victim(int argc, char **argv) { argument(argc, argv, 1); setpgid(0, 0); return status_of(run_child(argv + 1)); }
