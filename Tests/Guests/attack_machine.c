// What is the machine's: settings of the kernel, its clock, its modules; and terminals of other people.
#include "guest.h"
#include <linux/sched.h>

static bool opens(const char *path, int flags) {
    int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return false;
    close(fd);
    fprintf(stderr, "opened %s\n", path);
    return true;
}

int attack_control_groups(int argc, char **argv) {  // moved to another, released by a program of one's own, given a new one; opened and not written to
    (void)argc, (void)argv;
    const char *const files[] = {
        "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/pids/cgroup.procs", "/sys/fs/cgroup/memory/release_agent", "/sys/fs/cgroup/unified/cgroup.procs",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/power/state", "/sys/kernel/mm/ksm/run",
    };
    bool leaked = false;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) leaked |= opens(files[i], O_WRONLY);
    const char *const groups[] = {"/sys/fs/cgroup/guest", "/sys/fs/cgroup/pids/guest", "/sys/fs/cgroup/unified/guest"};
    for (size_t i = 0; i < 3; i++) if (mkdir(groups[i], 0700) == 0) { leaked = true; rmdir(groups[i]); }
    return verdict(leaked);
}

/// NODE is a device that may be written to: it stays, under its name, with its permissions.
int attack_device_node(int argc, char **argv) {
    const char *node = argument(argc, argv, 1);
    char other[PATH_MAX + 8];
    struct stat st;
    if (stat(node, &st) < 0) die(node);
    snprintf(other, sizeof other, "%s.x", node);
    bool leaked = chmod(node, st.st_mode & 07777) == 0;
    leaked |= chown(node, st.st_uid, st.st_gid) == 0;
    if (link(node, other) == 0) { leaked = true; unlink(other); }
    if (rename(node, other) == 0) { leaked = true; rename(other, node); }
    if (unlink(node) == 0) { leaked = true; mknod(node, st.st_mode, st.st_rdev); }
    int fd = open(node, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "x", 1) != 1) die("it may be written to");
    return verdict(leaked | (fchmod(fd, st.st_mode & 07777) == 0));
}

/// Calls that a supervised program has no business with. Each does nothing where it works; what this kernel does not know
/// or does not let root do is named on standard error.
int attack_machine_calls(int argc, char **argv) {
    (void)argc, (void)argv;
    struct timespec t;
    char host[65] = "", buffer[64];
    clock_gettime(CLOCK_REALTIME, &t), gethostname(host, sizeof host);
    struct { uint32_t type, size; uint64_t config, rest[14]; } perf = {1 /* software */, 128, 0, {0}};
    perf.rest[3] = 1;  // disabled
    uint32_t map[18] = {2 /* ARRAY */, 4, 4, 1};
    const struct { const char *name; long number, a, b, c, d, e; } calls[] = {
        {"clock_settime", SYS_clock_settime, 0, (long)&t, 0, 0, 0}, {"settimeofday", SYS_settimeofday, 0, 0, 0, 0, 0},
        {"sethostname", SYS_sethostname, (long)host, (long)strlen(host), 0, 0, 0}, {"syslog", SYS_syslog, 10, 0, 0, 0, 0}, {"syslog-read", SYS_syslog, 3, (long)buffer, 64, 0, 0},
        {"perf_event_open", SYS_perf_event_open, (long)&perf, 0, -1, -1, 0}, {"bpf", SYS_bpf, 0, (long)map, sizeof map, 0, 0},
        {"init_module", SYS_init_module, (long)buffer, 1, (long)"", 0, 0}, {"finit_module", SYS_finit_module, -1, (long)"", 0, 0, 0}, {"delete_module", SYS_delete_module, (long)"guest-none", 04000, 0, 0, 0},
        {"kexec_load", SYS_kexec_load, 0, 0, 0, 0, 0}, {"acct", SYS_acct, 0, 0, 0, 0, 0}, {"swapon", SYS_swapon, (long)"/dev/null", 0, 0, 0, 0}, {"swapoff", SYS_swapoff, (long)"/dev/null", 0, 0, 0, 0},
        {"reboot", SYS_reboot, 0, 0, 0, 0, 0}, {"quotactl", SYS_quotactl, 1L << 31 >> 8 /* Q_SYNC */, 0, 0, 0, 0}, {"mount", SYS_mount, 0, (long)"/guest-none", 0, 0, 0}, {"umount2", SYS_umount2, (long)"/guest-none", 0, 0, 0, 0},
        {"fsopen", SYS_fsopen, (long)"tmpfs", 0, 0, 0, 0}, {"open_tree", SYS_open_tree, -100, (long)"/", 0, 0, 0}, {"fspick", SYS_fspick, -100, (long)"/", 0, 0, 0}, {"pivot_root", SYS_pivot_root, (long)"/guest-none", (long)"/", 0, 0, 0},
        {"chroot", SYS_chroot, (long)"/", 0, 0, 0, 0}, {"fanotify_init", SYS_fanotify_init, 0, 0, 0, 0, 0}, {"memfd_secret", 447, 0, 0, 0, 0, 0}, {"userfaultfd", SYS_userfaultfd, 0, 0, 0, 0, 0},
        {"keyctl", SYS_keyctl, 0, -3, 1, 0, 0}, {"personality", SYS_personality, 0x0400000 /* READ_IMPLIES_EXEC */, 0, 0, 0, 0}, {"io_uring_setup", SYS_io_uring_setup, 0, 0, 0, 0, 0},
        {"kcmp", SYS_kcmp, getpid(), getpid(), 0, 0, 0}, {"process_vm_readv", SYS_process_vm_readv, getpid(), 0, 0, 0, 0}, {"migrate_pages", SYS_migrate_pages, 0, 0, 0, 0, 0},
        {"prctl-set-mm", SYS_prctl, 35, 13 /* PR_SET_MM_EXE_FILE */, -1, 0, 0}, {"unshare-newns", SYS_unshare, 0x20000, 0, 0, 0, 0}, {"landlock", 444, 0, 0, 1, 0, 0},
#ifdef __x86_64__
        {"modify_ldt", SYS_modify_ldt, 0, (long)buffer, 64, 0, 0}, {"iopl", SYS_iopl, 0, 0, 0, 0, 0}, {"ioperm", SYS_ioperm, 0x80, 1, 0, 0, 0},
#endif
    };
    bool leaked = false;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        pid_t child = fork();
        if (child == 0) {
            long rc = syscall(calls[i].number, calls[i].a, calls[i].b, calls[i].c, calls[i].d, calls[i].e);
            _exit(rc >= 0 ? 0 : errno);
        }
        int status = 0;
        waitpid(child, &status, 0);
        int error = WIFEXITED(status) ? WEXITSTATUS(status) : ENOSYS;
        bool refused = error == EPERM || error == ENOSYS || error == EACCES;
        if (!refused) leaked = true;
        fprintf(stderr, "%s: %s\n", calls[i].name, error ? strerrorname_np(error) : "ok");
    }
    return verdict(leaked);
}

int attack_clone_flags(int argc, char **argv) {  // namespaces, and a child that its parent's tracer does not get
    (void)argc, (void)argv;
    const unsigned long flags[] = {CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP, CLONE_UNTRACED, CLONE_NEWUSER | CLONE_UNTRACED};
    bool leaked = false;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        pid_t child = (pid_t)syscall(SYS_clone, flags[i] | SIGCHLD, NULL, NULL, NULL, 0);
        if (child == 0) _exit(0);
        if (child > 0) { waitpid(child, NULL, __WALL); leaked = true; }
        struct clone_args args = {.flags = flags[i], .exit_signal = SIGCHLD};
        child = (pid_t)syscall(SYS_clone3, &args, sizeof args);
        if (child == 0) _exit(0);
        if (child > 0) { waitpid(child, NULL, __WALL); leaked = true; }
    }
    return verdict(leaked);
}

int attack_other_terminal(int argc, char **argv) {  // TERMINAL: somebody else's, see `guest terminal`
    const char *name = argument(argc, argv, 1);
    char byte = 'x', path[PATH_MAX + 32];
    bool leaked = opens(name, O_RDONLY);
    leaked |= opens(name, O_WRONLY), leaked |= opens(name, O_RDWR);
    snprintf(path, sizeof path, "/proc/self/root%s", name), leaked |= opens(path, O_RDWR);
    int handle = open(name, O_PATH | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", handle), leaked |= opens(path, O_RDWR);
    const char *const consoles[] = {"/dev/console", "/dev/tty0", "/dev/tty1", "/dev/tty63", "/dev/vcs", "/dev/vcsa", "/dev/vcsu1", "/dev/ttyS0"};
    for (size_t i = 0; i < sizeof consoles / sizeof *consoles; i++) leaked |= opens(consoles[i], O_RDWR);
    pid_t child = fork();
    if (child == 0) {
        setsid();
        int fd = open(name, O_RDWR | O_CLOEXEC);
        _exit(fd >= 0 && (ioctl(fd, TIOCSCTTY, 1) == 0 || ioctl(fd, TIOCSTI, &byte) == 0) ? 42 : 0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return verdict(leaked || (WIFEXITED(status) && WEXITSTATUS(status) == 42));
}

/// `reuse-terminal`: makes pseudo-terminals and lets them go, prints `ready`, reads the name of one that was made after that, by somebody
/// else, and opens it.
int tool_reuse_terminal(int argc, char **argv) {
    (void)argc, (void)argv;
    int masters[16];
    char name[64];
    for (int i = 0; i < 16; i++)
        if ((masters[i] = posix_openpt(O_RDWR | O_NOCTTY)) < 0 || unlockpt(masters[i]) < 0) die("pty");
    // Its own can be opened by its name.
    bool opened = opens(ptsname(masters[15]), O_RDWR);
    for (int i = 0; i < 16; i++) close(masters[i]);
    if (!opened) die("own terminal");
    say("ready");
    if (!fgets(name, sizeof name, stdin)) return 1;
    name[strcspn(name, "\n")] = 0;
    return verdict(opens(name, O_RDWR));
}

/// `terminal`: a pseudo-terminal of its own; prints `ready NAME`, ends with its stdin.
int tool_terminal(int argc, char **argv) {
    (void)argc, (void)argv;
    char text[16];
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) die("pty");
    say("ready %s", ptsname(master));
    while (read(0, text, sizeof text) > 0) {}
    return 0;
}
