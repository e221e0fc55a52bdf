// More attacks on whoever watches (see attack_supervisor.c): its scheduling, its limits, its files. Nothing here does harm
// where it works: values are set to what they are, signals are those that nobody minds.
#include "guest.h"
#include <sys/file.h>

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
static bool on_ancestors(int argc, char **argv, bool (*attack)(pid_t)) {
    pid_t fence = atoi(argument(argc, argv, 1)), pid = getppid();
    bool leaked = false;
    for (int i = 0; i < 8 && pid > 1 && pid != fence; i++) { leaked |= attack(pid); pid = parent_of(pid); }
    return leaked;
}

static bool signals_groups(pid_t pid) {  // signal 0: whether one could be sent
    bool leaked = kill(-pid, 0) == 0 || syscall(SYS_kill, 0xffffffff00000000UL | (unsigned)-pid, 0) == 0;
    pid_t group = getpgid(pid);
    if (group > 0 && group != getpgrp()) leaked |= kill(-group, 0) == 0;
    return leaked;
}
int attack_signal_groups(int argc, char **argv) {
    setpgid(0, 0);  // so that the own group is not theirs
    return verdict(on_ancestors(argc, argv, signals_groups));
}

/// In the sandbox nobody is left whom kill(-1) would reach but the caller's own processes, and it is refused as a whole.
int attack_signal_everybody(int argc, char **argv) {
    (void)argc, (void)argv;
    return verdict(kill(-1, 0) == 0 || syscall(SYS_kill, 0x00000000ffffffffUL, 0) == 0);
}

static bool schedules(pid_t pid) {
    cpu_set_t cpus;
    struct sched_param param = {0};
    struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t times[3]; } attributes = {.size = 48};
    bool leaked = sched_getaffinity(pid, sizeof cpus, &cpus) == 0 && sched_setaffinity(pid, sizeof cpus, &cpus) == 0;
    leaked |= sched_setscheduler(pid, SCHED_OTHER, &param) == 0;
    leaked |= sched_setparam(pid, &param) == 0;
    leaked |= syscall(SYS_sched_setattr, pid, &attributes, 0) == 0;
    leaked |= setpriority(PRIO_PROCESS, (id_t)pid, getpriority(PRIO_PROCESS, (id_t)pid)) == 0;
    leaked |= getpgid(pid) != getpgrp() && setpriority(PRIO_PGRP, (id_t)getpgid(pid), 0) == 0;
    leaked |= syscall(SYS_ioprio_set, 1 /* process */, pid, 2 << 13 | 4) == 0;
    leaked |= syscall(SYS_ioprio_set, 0xffffffff00000001UL, 0xffffffff00000000UL | (unsigned)pid, 2 << 13 | 4) == 0;
    return leaked;
}
int attack_schedule_supervisor(int argc, char **argv) { return verdict(on_ancestors(argc, argv, schedules)); }

int attack_schedule_user(int argc, char **argv) {  // every process of this user, the supervisor among them
    (void)argc, (void)argv;
    bool leaked = setpriority(PRIO_USER, 0, 0) == 0 || setpriority(PRIO_USER, getuid(), 0) == 0;
    leaked |= syscall(SYS_ioprio_set, 3 /* user */, getuid(), 2 << 13 | 4) == 0;
    // Those of its group, which it need not have made.
    leaked |= setpriority(PRIO_PGRP, 0, getpriority(PRIO_PROCESS, 0)) == 0 || syscall(SYS_ioprio_set, 2 /* group */, 0, 2 << 13 | 4) == 0;
    return verdict(leaked);
}

static bool limits(pid_t pid) {  // RLIMIT_FSIZE 0 would end its writing
    bool leaked = false;
    for (int what = 0; what < 16; what++) {
        struct rlimit limit;
        leaked |= syscall(SYS_prlimit64, pid, what, NULL, &limit) == 0 && syscall(SYS_prlimit64, pid, what, &limit, NULL) == 0;
    }
    return leaked;
}
int attack_limit_supervisor(int argc, char **argv) { return verdict(on_ancestors(argc, argv, limits)); }

static bool writes(pid_t pid) {
    const char *const names[] = {"oom_score_adj", "oom_adj", "coredump_filter", "timerslack_ns", "sched", "autogroup", "clear_refs", "comm", "mem",
                                 "attr/current", "uid_map", "gid_map", "setgroups", "loginuid", "projid_map", "task/../oom_score_adj"};
    char path[96];
    bool leaked = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "/proc/%d/%s", pid, names[i]);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        leaked |= fd >= 0;
        if (fd >= 0) close(fd);
        snprintf(path, sizeof path, "/proc/%d/task/%d/%s", pid, pid, names[i]);
        leaked |= (fd = open(path, O_RDWR | O_CLOEXEC)) >= 0;
        if (fd >= 0) close(fd);
    }
    return leaked;
}
int attack_proc_write_supervisor(int argc, char **argv) { return verdict(on_ancestors(argc, argv, writes)); }

static bool namespaces(pid_t pid) {
    const char *const names[] = {"mnt", "net", "pid", "user", "ipc", "uts", "cgroup"};
    char path[64];
    bool leaked = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, names[i]);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) { leaked |= syscall(SYS_setns, fd, 0) == 0; close(fd); }
    }
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    return leaked | (pidfd >= 0 && syscall(SYS_setns, pidfd, 0x08000000 /* CLONE_NEWIPC */) == 0);
}
int attack_setns_supervisor(int argc, char **argv) { return verdict(on_ancestors(argc, argv, namespaces)); }

/// PATH…: what nobody inside may change: opened for writing, linked, renamed, given another mode, all of it taken back.
int attack_own_files(int argc, char **argv) {
    bool leaked = false;
    enter_scratch();
    for (int i = 1; i < argc; i++) {
        char other[PATH_MAX + 8], inside[PATH_MAX + 8];
        struct stat st = {0};
        bool there = stat(argv[i], &st) == 0;
        int fd = open(argv[i], O_WRONLY | O_CLOEXEC | (there ? 0 : O_CREAT), 0600);
        bool changed = fd >= 0;
        if (fd >= 0) close(fd);
        if (fd >= 0 && !there) unlink(argv[i]);
        if (there && link(argv[i], "hard") == 0) { changed = true; unlink("hard"); }
        snprintf(other, sizeof other, "%s.x", argv[i]);
        if (there && rename(argv[i], other) == 0) { changed = true; rename(other, argv[i]); }
        if (there) changed |= chmod(argv[i], st.st_mode & 07777) == 0 || utimensat(AT_FDCWD, argv[i], NULL, 0) == 0;
        snprintf(inside, sizeof inside, "%s/planted", argv[i]);
        if (S_ISDIR(st.st_mode) && mkdir(inside, 0700) == 0) { changed = true; rmdir(inside); }
        if (changed) fprintf(stderr, "changed %s\n", argv[i]);
        leaked |= changed;
    }
    leave_scratch();
    return verdict(leaked);
}

/// FOLDER FILE: what nobody inside may read, or lock and so hold up whoever writes it.
int attack_read_store(int argc, char **argv) {
    int folder = open(argument(argc, argv, 1), O_RDONLY | O_DIRECTORY | O_CLOEXEC), file = open(argument(argc, argv, 2), O_RDONLY | O_CLOEXEC);
    struct flock bytes = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0x40000000, .l_len = 512};  // SQLite's PENDING_BYTE and on
    bool leaked = folder >= 0 || file >= 0;
    leaked |= file >= 0 && (flock(file, LOCK_SH | LOCK_NB) == 0 || fcntl(file, F_SETLK, &bytes) == 0);
    leaked |= access(argv[2], F_OK) == 0 && truncate(argv[2], 1 << 20) == 0;
    return verdict(leaked);
}
