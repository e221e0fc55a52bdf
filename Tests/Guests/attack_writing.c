// Changing what may only be read, or not be there at all. READONLY is a file that may be read; SECRET one that is denied.
#include "guest.h"
#include <sys/time.h>
#include <sys/xattr.h>
#include <utime.h>

static const char *target;
static struct stat before;
static void set_up(int argc, char **argv) {
    target = argument(argc, argv, 1);
    if (stat(target, &before) < 0) die("stat");
    enter_scratch();
}
static bool is_changed(void) {
    struct stat after;
    char value[8];
    return stat(target, &after) < 0 || after.st_ino != before.st_ino || after.st_size != before.st_size || after.st_mode != before.st_mode
        || after.st_uid != before.st_uid || memcmp(&after.st_mtim, &before.st_mtim, sizeof after.st_mtim) != 0 || after.st_nlink != before.st_nlink
        || getxattr(target, "user.guest", value, sizeof value) >= 0;
}
static int finish(bool leaked) {
    leaked |= is_changed();
    leave_scratch();
    return verdict(leaked);
}

int attack_reopen_for_writing(int argc, char **argv) {  // a descriptor for reading names the file; that must not be enough
    set_up(argc, argv);
    const char *forms[] = {"/proc/self/fd/%d", "/dev/fd/%d", "/proc/thread-self/fd/%d", "/proc/self/root/proc/self/fd/%d"};
    const int flags[] = {O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC, O_WRONLY | O_APPEND, O_RDWR | O_CREAT};
    char path[64];
    int fd = open(target, O_RDONLY);
    if (fd < 0) die("the file must be readable");
    bool leaked = false;
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, forms[i], fd);
        for (size_t k = 0; k < sizeof flags / sizeof *flags; k++) leaked |= open(path, flags[k], 0600) >= 0;
        truncate(path, 0), chmod(path, 0777), link(path, "name"), setxattr(path, "user.guest", "x", 1, 0);
        leaked |= linkat(AT_FDCWD, path, AT_FDCWD, "other", AT_SYMLINK_FOLLOW) == 0;
    }
    leaked |= linkat(fd, "", AT_FDCWD, "third", AT_EMPTY_PATH) == 0 || open(target, O_RDONLY | O_TRUNC) >= 0;
    fd = open(target, O_PATH);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd), leaked |= open(path, O_RDWR) >= 0;
    return finish(leaked);
}

int attack_metadata(int argc, char **argv) {  // mode, owner, times, attributes: by name, by descriptor, by nothing but a descriptor
    set_up(argc, argv);
    const struct timespec then[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    const struct timeval earlier[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    const struct utimbuf old = {1, 1};
    int fd = open(target, O_RDONLY), pinned = open(target, O_PATH);
    chmod(target, 0777), fchmod(fd, 0777), fchmodat(AT_FDCWD, target, 0777, 0), lchown(target, 1, 1), chown(target, 1, 1), fchown(fd, 1, 1);
    syscall(452 /* fchmodat2 */, fd, "", 0777, AT_EMPTY_PATH), syscall(452, pinned, "", 0777, AT_EMPTY_PATH), syscall(452, AT_FDCWD, target, 0777, AT_SYMLINK_NOFOLLOW);
    fchownat(fd, "", 1, 1, AT_EMPTY_PATH), fchownat(pinned, "", 1, 1, AT_EMPTY_PATH), fchownat(AT_FDCWD, target, 1, 1, AT_SYMLINK_NOFOLLOW);
    utimensat(AT_FDCWD, target, then, 0), futimens(fd, then), utimensat(pinned, "", then, AT_EMPTY_PATH), syscall(SYS_utimensat, fd, NULL, then, 0);
    utimes(target, earlier), utime(target, &old), futimesat(AT_FDCWD, target, earlier), futimesat(fd, NULL, earlier);
    setxattr(target, "user.guest", "x", 1, 0), lsetxattr(target, "user.guest", "x", 1, 0), fsetxattr(fd, "user.guest", "x", 1, 0);
    struct { uint64_t value; uint32_t size, flags; } attribute = {(uintptr_t)"x", 1, 0};
    syscall(463 /* setxattrat */, AT_FDCWD, target, 0, "user.guest", &attribute, sizeof attribute);
    syscall(463, fd, "", AT_EMPTY_PATH, "user.guest", &attribute, sizeof attribute);
    unsigned long flags = 0x10 /* FS_IMMUTABLE_FL */ | 0x40 /* FS_NODUMP_FL */;
    bool leaked = ioctl(fd, _IOW('f', 2, long) /* FS_IOC_SETFLAGS */, &flags) == 0;
    if (leaked) flags = 0, ioctl(fd, _IOW('f', 2, long), &flags);
    return finish(leaked);
}

int attack_replace(int argc, char **argv) {  // another file in its place, or it in another's
    set_up(argc, argv);
    char folder[PATH_MAX];
    bool leaked = false;
    put("own", "replaced\n");
    leaked |= renameat2(AT_FDCWD, "own", AT_FDCWD, target, RENAME_EXCHANGE) == 0 || rename("own", target) == 0 || rename(target, "taken") == 0;
    leaked |= renameat2(AT_FDCWD, target, AT_FDCWD, "taken", RENAME_NOREPLACE) == 0 || unlink(target) == 0 || link("own", target) == 0;
    snprintf(folder, sizeof folder, "%s", target), *strrchr(folder, '/') = 0;
    mkdir("mine", 0755);
    int dir = open(folder, O_PATH | O_DIRECTORY);
    leaked |= unlinkat(dir, strrchr(target, '/') + 1, 0) == 0 || rename(folder, "folder") == 0;
    leaked |= renameat2(AT_FDCWD, folder, AT_FDCWD, "mine", RENAME_EXCHANGE) == 0 || truncate(target, 1) == 0;
    return finish(leaked);
}

int attack_make_names(int argc, char **argv) {  // every call that makes a name, beside SECRET
    set_up(argc, argv);
    char path[PATH_MAX + 16], folder[PATH_MAX];
    snprintf(path, sizeof path, "%s.new", target), snprintf(folder, sizeof folder, "%s", target), *strrchr(folder, '/') = 0;
    int dir = open(folder, O_PATH | O_DIRECTORY), unnamed = open(".", O_TMPFILE | O_RDWR, 0644), made = 0;
    put("own", "x"), symlink(path, "dangling");
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    for (int way = 0; way < 14; way++) {
        int fd = -1;
        switch (way) {
            case 0: fd = open(path, O_CREAT | O_WRONLY, 0644); break;
            case 1: fd = open("dangling", O_CREAT | O_WRONLY, 0644); break;
            case 2: fd = creat(path, 0644); break;
            case 3: mkdir(path, 0755); break;
            case 4: mknod(path, S_IFREG | 0644, 0); break;
            case 5: mkfifo(path, 0644); break;
            case 6: symlink("x", path); break;
            case 7: link("own", path); break;
            case 8: bind(fd = socket(AF_UNIX, SOCK_STREAM, 0), (void *)&at, sizeof at); break;
            case 9: linkat(unnamed, "", AT_FDCWD, path, AT_EMPTY_PATH); break;
            case 10: fd = openat(dir, strrchr(path, '/') + 1, O_CREAT | O_EXCL | O_RDWR, 0644); break;
            case 11: fd = open(folder, O_TMPFILE | O_RDWR, 0644), made += fd >= 0; break;
            case 12: mknod(path, S_IFSOCK | 0644, 0); break;
            default: rename("own", path);
        }
        struct stat st;
        if (fd >= 0) close(fd);
        if (lstat(path, &st) == 0) made++, remove(path);
    }
    leave_scratch();
    return verdict(made > 0);
}

static char link_name[] = "point";
static _Atomic bool *stop;
static void *swap_kinds(void *unused) {
    while (!*stop) { unlink(link_name), symlink("elsewhere", link_name), unlink(link_name), close(open(link_name, O_CREAT | O_WRONLY, 0644)); }
    return unused;
}
int attack_race_move_of_link(int argc, char **argv) {  // PLACE has denied names below: a link there would bring them in from elsewhere
    const char *place = argument(argc, argv, 1);
    enter_scratch();
    mkdir("elsewhere", 0755);
    stop = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_t thread;
    start(&thread, swap_kinds, NULL);
    bool leaked = false;
    double since = now();
    for (int i = 0; !leaked && !overdue(i, since); i++) {
        struct stat st;
        rename(link_name, place);
        leaked = lstat(place, &st) == 0 && S_ISLNK(st.st_mode);
        unlink(place);
    }
    *stop = true;
    pthread_join(thread, NULL);
    leave_scratch();
    return verdict(leaked);
}

int attack_kernel_settings(int argc, char **argv) {  // opened, never written: that alone would be enough
    (void)argc, (void)argv;
    const char *files[] = {"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sys/vm/drop_caches", "/proc/sysrq-trigger", "/proc/irq/default_smp_affinity",
                           "/proc/sys/fs/binfmt_misc/register", "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/fs/cgroup/cgroup.procs", "/sys/kernel/uevent_helper",
                           "/sys/module/kernel/parameters/panic", "/proc/self/../sys/kernel/core_pattern", "/proc/self/root/proc/sys/kernel/core_pattern"};
    bool leaked = false;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) leaked |= open(files[i], O_WRONLY) >= 0 || open(files[i], O_RDWR) >= 0;
    int dir = open("/proc/sys/kernel", O_PATH | O_DIRECTORY);
    leaked |= openat(dir, "core_pattern", O_WRONLY) >= 0;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/oom_score_adj", getppid()), leaked |= open(path, O_WRONLY) >= 0;
    return verdict(leaked);
}

int attack_accounting(int argc, char **argv) {  // the kernel writes into a file for us
    (void)argc, (void)argv;
    enter_scratch();
    put("log", "");
    bool leaked = syscall(SYS_acct, "log") == 0, absent = errno == ENOSYS;
    if (leaked) syscall(SYS_acct, NULL);
    leave_scratch();
    return !leaked && absent ? say("unknown here"), 0 : verdict(leaked);
}
