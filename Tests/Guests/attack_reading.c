// Reading what is denied: other names for it, other holders of it, and the disk it lies on.
#include "guest.h"
#include <dirent.h>
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

static bool cannot;  // this kernel or machine does not know the technique
static int answer(bool leaked) { return !leaked && cannot ? say("unknown here"), 0 : verdict(leaked); }

/// SECRET has had a second name, LINK, since before the session.
int attack_hardlink_before(int argc, char **argv) {
    const char *secret = argument(argc, argv, 1), *link_before = argument(argc, argv, 2);
    enter_scratch();
    struct stat before, after;
    if (stat(secret, &before) < 0) die("stat");
    bool leaked = opens_secret(link_before);
    int fd = open(link_before, O_WRONLY);
    leaked |= fd >= 0;
    char path[PATH_MAX];
    leaked |= link(link_before, "again") == 0 || rename(link_before, "moved") == 0;
    symlink(link_before, "soft"), leaked |= opens_secret("soft");
    snprintf(path, sizeof path, "/proc/self/root%s", link_before), leaked |= opens_secret(path);
    truncate(link_before, before.st_size + 1), chmod(link_before, 0777);
    leaked |= stat(secret, &after) < 0 || after.st_size != before.st_size || after.st_mode != before.st_mode;
    leave_scratch();
    return verdict(leaked);
}

/// Every road to `/proc/self` must lead to the caller, not to whoever looks the path up for it.
int attack_proc_self(int argc, char **argv) {
    (void)argc, (void)argv;
    enter_scratch();
    symlink("/proc", "p"), symlink("/proc/self", "s"), symlink("p/self/status", "t");
    int proc = open("/proc", O_PATH), root = open("/", O_PATH), self = open("/proc/self", O_PATH);
    const struct { int base; const char *path; } roads[] = {
        {AT_FDCWD, "/proc/self/status"}, {AT_FDCWD, "/proc/thread-self/status"}, {proc, "self/status"}, {proc, "thread-self/../../status"},
        {root, "proc/self/status"}, {self, "status"}, {AT_FDCWD, "p/self/status"}, {AT_FDCWD, "s/status"}, {AT_FDCWD, "t"},
        {AT_FDCWD, "/proc/self/root/proc/self/status"}, {AT_FDCWD, "/proc/self/cwd/p/self/status"}, {AT_FDCWD, "/dev/fd/../status"},
        {AT_FDCWD, "/proc/mounts/../status"}, {AT_FDCWD, "//proc/.//self/task/../status"},
    };
    bool leaked = false;
    for (size_t i = 0; i < sizeof roads / sizeof *roads; i++) {
        char text[4096] = "";
        int fd = openat(roads[i].base, roads[i].path, O_RDONLY);
        if (fd < 0) continue;
        read(fd, text, sizeof text - 1), close(fd);
        char *tgid = strstr(text, "Tgid:");
        leaked |= tgid && atoi(tgid + 5) != getpid();
    }
    leave_scratch();
    return verdict(leaked);
}

int attack_mounts(int argc, char **argv) {  // another tree in which the file has another path
    const char *secret = argument(argc, argv, 1);
    char folder[PATH_MAX], path[PATH_MAX + 64];
    snprintf(folder, sizeof folder, "%s", secret), *strrchr(folder, '/') = 0;
    enter_scratch();
    mkdir("m", 0755), mkdir("n", 0755), mkdir("w", 0755), mkdir("u", 0755), mkdir("proc", 0755);
    pid_t child = fork();
    if (child == 0) {
        unshare(CLONE_NEWNS), mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
        snprintf(path, sizeof path, "m%s", strrchr(secret, '/'));
        bool leaked = mount(folder, "m", NULL, MS_BIND, NULL) == 0 && opens_secret(path);
        snprintf(path, sizeof path, "lowerdir=%s,upperdir=u,workdir=w", folder);
        leaked |= mount("o", "n", "overlay", 0, path) == 0 || mount("p", "proc", "proc", 0, NULL) == 0 || mount("t", "n", "tmpfs", 0, NULL) == 0;
        leaked |= mount("/", "m", NULL, MS_BIND | MS_REC, NULL) == 0 && syscall(SYS_pivot_root, "m", "m") == 0;
        _exit(leaked ? 42 : 0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    leave_scratch();
    return verdict(WIFEXITED(status) && WEXITSTATUS(status) == 42);
}

int attack_fanotify(int argc, char **argv) {  // events bring open descriptors of what others open
    (void)argc, (void)argv;
    int fd = fanotify_init(FAN_CLASS_CONTENT, O_RDONLY);
    if (fd < 0) fd = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID, O_RDONLY);
    cannot = errno == ENOSYS;
    return answer(fd >= 0);
}

static bool reads_disk(const char *path) {
    char byte;
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    bool read_it = fd >= 0 && read(fd, &byte, 1) == 1;
    if (fd >= 0) close(fd);
    return read_it;
}

int attack_raw_disk(int argc, char **argv) {  // SECRET's bytes lie on a disk; so do all other files'
    const char *secret = argument(argc, argv, 1);
    struct stat st, device;
    if (stat(secret, &st) < 0) die("stat");
    enter_scratch();
    bool leaked = mknod("disk", S_IFBLK | 0600, st.st_dev) == 0 && reads_disk("disk"), any = false;
    DIR *folder = opendir("/dev");
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "/dev/%s", entry->d_name);
        if (stat(path, &device) == 0 && S_ISBLK(device.st_mode)) any = true, leaked |= reads_disk(path);
    }
    leaked |= open("/dev/mem", O_RDONLY) >= 0 || open("/dev/kmsg", O_RDONLY | O_NONBLOCK) >= 0 || open("/proc/kcore", O_RDONLY) >= 0;
    leaked |= open("/dev/fuse", O_RDWR) >= 0 || open("/dev/loop-control", O_RDWR) >= 0 || open("/dev/net/tun", O_RDWR) >= 0;
    cannot = !any;
    leave_scratch();
    return answer(leaked);
}

int attack_inherited_descriptors(int argc, char **argv) {  // whoever started us had the file open
    (void)argc, (void)argv;
    bool leaked = false;
    for (int fd = 3; fd < 1024; fd++) {
        char text[6];
        leaked |= pread(fd, text, 6, 0) == 6 && memcmp(text, "SECRET", 6) == 0;
    }
    return verdict(leaked);
}

int attack_interpreters(int argc, char **argv) {  // data that a permitted program reads and quotes
    const char *secret = argument(argc, argv, 1);
    const char *forms[] = {"cat %s", "read x < %s; echo $x", ". %s", "dd if=%s 2>&1", "sh %s 2>&1", "awk '{ print }' %s", "sed '' %s", "while read l; do echo $l; done < %s",
                           "exec 9< %s; cat <&9", "cp %s x && cat x", "ln %s y && cat y", "tar cf - %s 2>/dev/null", "perl -pe 1 %s", "grep . %s", "cd / && cat .%s", "head -c 6 %s", "env -i cat %s"};
    enter_scratch();
    char text[PATH_MAX + 64];
    bool leaked = false;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0) die("pipe");
        snprintf(text, sizeof text, forms[i], secret);
        pid_t child = fork();
        if (child == 0) { dup2(ends[1], 1), dup2(open("/dev/null", O_WRONLY), 2); execl("/bin/sh", "sh", "-c", text, NULL); _exit(127); }
        close(ends[1]);
        leaked |= output_has_secret(ends[0]);
        waitpid(child, NULL, 0);
    }
    leave_scratch();
    return verdict(leaked);
}

/// `lend FILE CMD…`: CMD, with FILE open under several numbers.
int tool_lend(int argc, char **argv) {
    const int numbers[] = {3, 9, 200, 1000};
    int fd = open(argument(argc, argv, 1), O_RDWR);
    if (fd < 0) die(argv[1]);
    for (int i = 0; i < 4; i++) if (fd != numbers[i]) dup2(fd, numbers[i]);
    execvp(argument(argc, argv, 2), argv + 2);
    die(argv[2]);
}
