// Other roads to a file that is denied. SECRET begins with the word SECRET; the current folder may be written.
#include "guest.h"
#include <linux/openat2.h>

static const char *secret;
static void set_up(int argc, char **argv) { secret = argument(argc, argv, 1); enter_scratch(); }
static int finish(bool leaked) { leave_scratch(); return verdict(leaked); }

int attack_legacy_open(int argc, char **argv) {
    set_up(argc, argv);
    bool leaked = opens_secret(secret);
#ifdef SYS_open
    leaked |= shows_secret((int)syscall(SYS_open, secret, O_RDONLY));
    leaked |= shows_secret((int)syscall(SYS_open, secret, O_RDWR));
#endif
    uint64_t how[3] = {O_RDONLY};
    leaked |= shows_secret((int)syscall(SYS_openat2, AT_FDCWD, secret, how, sizeof how));
    char path[PATH_MAX * 2];
    snprintf(path, sizeof path, "/usr/..//%s", secret), leaked |= opens_secret(path);
    snprintf(path, sizeof path, "%s/.", secret), leaked |= opens_secret(path);
    symlink(secret, "link"), leaked |= opens_secret("link");
    symlink("/", "root"), snprintf(path, sizeof path, "root%s", secret), leaked |= opens_secret(path);
    char up[PATH_MAX] = "";
    for (const char *c = scratch; *c; c++) if (*c == '/') strcat(up, "../");
    snprintf(path, sizeof path, "%s%s", up, secret + 1), leaked |= opens_secret(path);
    return finish(leaked);
}

int attack_creat(int argc, char **argv) {  // SECRET is a file that should not change, or not come to be
    set_up(argc, argv);
    struct stat before = {0}, after = {0};
    stat(secret, &before);
    char sibling[PATH_MAX + 16];
    snprintf(sibling, sizeof sibling, "%s.planted", secret);
    symlink(sibling, "dangling");
    int fd = open(sibling, O_CREAT | O_WRONLY, 0644);
    if (fd < 0) fd = open("dangling", O_CREAT | O_WRONLY, 0644);
#ifdef SYS_creat
    if (fd < 0) fd = (int)syscall(SYS_creat, sibling, 0644);
#endif
    if (fd < 0) fd = mkdir(sibling, 0755) == 0 ? 1 : mkfifo(sibling, 0644) == 0 ? 1 : symlink("x", sibling) == 0 ? 1 : -1;
    bool leaked = fd >= 0 || lstat(sibling, &after) == 0;
    if (leaked) remove(sibling);
    return finish(leaked);
}

int attack_hardlink(int argc, char **argv) {
    set_up(argc, argv);
    char path[64];
    bool leaked = link(secret, "hard") == 0 && opens_secret("hard");
    int fd = open(secret, O_PATH);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    leaked |= linkat(AT_FDCWD, path, AT_FDCWD, "hard2", AT_SYMLINK_FOLLOW) == 0 && opens_secret("hard2");
    leaked |= linkat(fd, "", AT_FDCWD, "hard3", AT_EMPTY_PATH) == 0 && opens_secret("hard3");
    return finish(leaked);
}

int attack_proc_self_fd_reopen(int argc, char **argv) {  // a folder or the file pinned, then opened by its descriptor's name
    set_up(argc, argv);
    const char *forms[] = {"/proc/self/fd/%d", "/dev/fd/%d", "/proc/thread-self/fd/%d", "/proc/self/task/../fd/%d", "/proc/self/root/proc/self/fd/%d"};
    char path[128], folder[PATH_MAX];
    bool leaked = false;
    snprintf(folder, sizeof folder, "%s", secret);
    char *name = strrchr(folder, '/');
    if (!name) die("the secret's path must be absolute");
    *name++ = 0;
    int fd = open(secret, O_PATH), dir = open(folder, O_PATH | O_DIRECTORY);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        snprintf(path, sizeof path, forms[i], fd), leaked |= opens_secret(path);
        int n = snprintf(path, sizeof path, forms[i], dir);
        snprintf(path + n, sizeof path - (size_t)n, "/%s", name), leaked |= opens_secret(path);
    }
    // Reading is not writing: a descriptor for reading may not become one for writing.
    return finish(leaked);
}

int attack_o_path_then_open(int argc, char **argv) {
    set_up(argc, argv);
    char empty[1] = "";
    int fd = open(secret, O_PATH);
    bool leaked = shows_secret(openat(fd, empty, O_RDONLY)) || (fd >= 0 && shows_secret(dup(fd)));
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", secret);
    char *name = strrchr(folder, '/');
    *name++ = 0;
    int dir = open(folder, O_PATH);
    leaked |= shows_secret(openat(dir, name, O_RDONLY));
    leaked |= fchdir(dir) == 0 && opens_secret(name);
    leaked |= chdir(folder) == 0 && opens_secret(name);
    int root = open("/", O_PATH);
    leaked |= shows_secret(openat(root, secret + 1, O_RDONLY));
    return finish(leaked);
}

int attack_proc_root(int argc, char **argv) {
    set_up(argc, argv);
    char path[PATH_MAX + 128], up[PATH_MAX] = "";
    for (const char *c = scratch; *c; c++) if (*c == '/') strcat(up, "../");
    bool leaked = false;
    const char *roots[] = {"/proc/self/root", "/proc/thread-self/root", "/proc/1/root", "/proc/self/cwd/../../../../../../../../../..", "/proc/self/root/proc/self/root"};
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) snprintf(path, sizeof path, "%s%s", roots[i], secret), leaked |= opens_secret(path);
    snprintf(path, sizeof path, "/proc/%d/root%s", getpid(), secret), leaked |= opens_secret(path);
    snprintf(path, sizeof path, "/proc/%d/task/%d/root%s", getpid(), getpid(), secret), leaked |= opens_secret(path);
    snprintf(path, sizeof path, "/proc/%d/cwd/%s%s", getpid(), up, secret + 1), leaked |= opens_secret(path);
    snprintf(path, sizeof path, "/proc/%d/root%s", getppid(), secret), leaked |= opens_secret(path);
    int root = open("/proc/self/root", O_PATH);
    leaked |= shows_secret(openat(root, secret + 1, O_RDONLY));
    return finish(leaked);
}

int attack_openat2_in_root(int argc, char **argv) {
    set_up(argc, argv);
    int root = open("/", O_PATH | O_DIRECTORY), usr = open("/usr", O_PATH | O_DIRECTORY);
    const uint64_t resolves[] = {0, RESOLVE_IN_ROOT, RESOLVE_BENEATH, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_CACHED, RESOLVE_IN_ROOT | RESOLVE_CACHED};
    bool leaked = false;
    char path[PATH_MAX + 8];
    for (size_t i = 0; i < sizeof resolves / sizeof *resolves; i++) {
        struct open_how how = {.flags = O_RDONLY, .resolve = resolves[i]};
        leaked |= shows_secret((int)syscall(SYS_openat2, root, secret, &how, sizeof how));
        leaked |= shows_secret((int)syscall(SYS_openat2, root, secret + 1, &how, sizeof how));
        snprintf(path, sizeof path, "../../..%s", secret);
        leaked |= shows_secret((int)syscall(SYS_openat2, root, path, &how, sizeof how));
        leaked |= shows_secret((int)syscall(SYS_openat2, usr, path, &how, sizeof how));
    }
    return finish(leaked);
}

static bool unchanged(const struct stat *before) {
    struct stat after;
    return stat(secret, &after) == 0 && after.st_ino == before->st_ino && after.st_size == before->st_size && after.st_mode == before->st_mode
        && after.st_mtim.tv_sec == before->st_mtim.tv_sec && after.st_mtim.tv_nsec == before->st_mtim.tv_nsec;
}
static struct stat look(void) { struct stat st; if (stat(secret, &st) < 0) die("stat of the secret"); return st; }

int attack_rename_over(int argc, char **argv) {
    set_up(argc, argv);
    struct stat before = look();
    put("own", "replaced\n"), put("own2", "replaced\n"), put("own3", "replaced\n");
    rename("own", secret);
    renameat2(AT_FDCWD, "own2", AT_FDCWD, secret, RENAME_EXCHANGE);
    rename(secret, "taken");
    unlink(secret);
    link("own3", secret);
    bool leaked = opens_secret("taken") || opens_secret("own2");
    return finish(leaked || !unchanged(&before));
}

int attack_rename_parent(int argc, char **argv) {
    set_up(argc, argv);
    char folder[PATH_MAX], path[PATH_MAX + 128], target[PATH_MAX];
    bool leaked = false;
    snprintf(folder, sizeof folder, "%s", secret);
    for (int level = 0; level < 2; level++) {  // the folder of the secret, and the one above
        char *slash = strrchr(folder, '/');
        if (!slash || slash == folder) break;
        *slash = 0;
        snprintf(target, sizeof target, "moved-%d", level);
        bool moved = rename(folder, target) == 0;
        if (!moved) {
            mkdir("mine", 0755);
            if ((moved = renameat2(AT_FDCWD, folder, AT_FDCWD, "mine", RENAME_EXCHANGE) == 0)) strcpy(target, "mine");
        }
        snprintf(path, sizeof path, "%s%s", target, secret + strlen(folder));
        leaked |= opens_secret(path);
        if (moved) {  // put it back
            if (strcmp(target, "mine") == 0) renameat2(AT_FDCWD, folder, AT_FDCWD, "mine", RENAME_EXCHANGE);
            else rename(target, folder);
        }
    }
    return finish(leaked);
}

int attack_truncate(int argc, char **argv) {
    set_up(argc, argv);
    struct stat before = look();
    const struct timespec then[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    truncate(secret, before.st_size + 1);
    close(open(secret, O_RDONLY | O_TRUNC));
    close(open(secret, O_WRONLY | O_APPEND));
    chmod(secret, 0777);
    utimensat(AT_FDCWD, secret, then, 0);
    int fd = open(secret, O_PATH);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    truncate(path, before.st_size + 2), chmod(path, 0777);
    syscall(452, fd, "", 0777, AT_EMPTY_PATH);
    return finish(!unchanged(&before));
}

int attack_otmpfile_linkat(int argc, char **argv) {
    set_up(argc, argv);
    char sibling[PATH_MAX + 16], path[64];
    snprintf(sibling, sizeof sibling, "%s.planted", secret);
    int fd = open(".", O_TMPFILE | O_RDWR, 0644);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    bool leaked = linkat(AT_FDCWD, path, AT_FDCWD, sibling, AT_SYMLINK_FOLLOW) == 0 || linkat(fd, "", AT_FDCWD, sibling, AT_EMPTY_PATH) == 0;
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", secret), *strrchr(folder, '/') = 0;
    int inside = open(folder, O_TMPFILE | O_RDWR, 0644);
    leaked |= inside >= 0;
    remove(sibling);
    return finish(leaked);
}

int attack_set_dumpable_0_then_open(int argc, char **argv) {  // who cannot be read must not be let through
    set_up(argc, argv);
    prctl(PR_SET_DUMPABLE, 0);
    bool leaked = opens_secret(secret);
    int ends[2];
    if (pipe(ends) < 0) die("pipe");
    pid_t child = fork();
    if (child == 0) { prctl(PR_SET_DUMPABLE, 0); _exit(opens_secret(secret)); }
    int status;
    waitpid(child, &status, 0);
    leaked |= WIFEXITED(status) && WEXITSTATUS(status) == 1;
    prctl(PR_SET_DUMPABLE, 1);
    // The name in memory that only the kernel's own copy can read
    int fd = (int)syscall(447 /* memfd_secret */, 0);
    if (fd >= 0 && ftruncate(fd, 4096) == 0) {
        char *hidden = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (hidden != MAP_FAILED) { strcpy(hidden, secret); leaked |= shows_secret((int)syscall(SYS_openat, AT_FDCWD, hidden, O_RDONLY)); }
    }
    return finish(leaked);
}
