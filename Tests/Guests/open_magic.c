// Names that mean something else for each process: /proc/self, /dev/fd, terminals; and openat2 in full.
#include "guest.h"
#include <linux/openat2.h>

static int in_child(void (*body)(void)) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) { body(); fflush(stdout); _exit(0); }
    int status;
    waitpid(child, &status, 0);
    return status;
}

static void descriptors(void) {
    char path[64];
    put("f", "content");
    int fd = open("f", O_RDONLY), both = open("f", O_RDWR), pinned = open("f", O_PATH), gone;
    const char *forms[] = {"/proc/self/fd/%d", "/dev/fd/%d", "/proc/thread-self/fd/%d"};
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, forms[i], fd);
        opened(forms[i], open(path, O_RDONLY));
        opened("upgraded to writing", open(path, O_WRONLY));
        opened("truncating", (put("f", "content"), open(path, O_RDONLY | O_APPEND)));
        opened("O_NOFOLLOW", open(path, O_RDONLY | O_NOFOLLOW));
        opened("O_PATH|O_NOFOLLOW", open(path, O_PATH | O_NOFOLLOW));
        opened("O_CREAT", open(path, O_RDWR | O_CREAT, 0600));
        opened("O_CREAT|O_EXCL", open(path, O_RDWR | O_CREAT | O_EXCL, 0600));
        snprintf(path, sizeof path, forms[i], pinned);
        opened("of an O_PATH descriptor", open(path, O_RDWR));
        snprintf(path, sizeof path, forms[i], 777);
        opened("not open", open(path, O_RDONLY));
    }
    int pid = getpid();
    snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, both);
    opened("/proc/PID/fd", open(path, O_RDONLY));
    snprintf(path, sizeof path, "/proc/%d/task/%d/fd/%d", pid, pid, both);
    opened("/proc/PID/task/TID/fd", open(path, O_RDONLY));
    put("removed", "still here");
    gone = open("removed", O_RDONLY);
    unlink("removed");
    snprintf(path, sizeof path, "/proc/self/fd/%d", gone);
    opened("removed, by its descriptor", open(path, O_RDWR));
    content("its content", path);
    int ends[2];
    if (pipe(ends) < 0) die("pipe");
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    opened("pipe reopened", open(path, O_RDONLY | O_NONBLOCK));
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[1]);
    opened("pipe's other end", open(path, O_WRONLY));
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) die("socketpair");
    snprintf(path, sizeof path, "/proc/self/fd/%d", pair[0]);
    opened("socket by name", open(path, O_RDWR));
    int folder = open(".", O_RDONLY | O_DIRECTORY);
    snprintf(path, sizeof path, "/proc/self/fd/%d/f", folder);
    content("below a descriptor", path);
    snprintf(path, sizeof path, "/proc/self/fd/%d/made", folder);
    opened("create below a descriptor", open(path, O_CREAT | O_WRONLY, 0640));
    int memory = memfd_create("memory", MFD_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
    result("write to a memfd", write(memory, "in memory", 9));
    content("memfd reopened", path);
    close(fd), close(both), close(pinned), close(gone), close(folder), close(memory);
    close(ends[0]), close(ends[1]), close(pair[0]), close(pair[1]);
}

static void standard_input(void) {
    int file = open("f", O_RDONLY);
    dup2(file, 0);
    opened("/dev/stdin, a file", open("/dev/stdin", O_RDONLY));
    opened("/proc/self/fd/0", open("/proc/self/fd/0", O_RDONLY));
    content("/dev/stdin's content", "/dev/stdin");
    close(0);
    opened("/dev/stdin, closed", open("/dev/stdin", O_RDONLY | O_PATH));
    int ends[2];
    if (pipe(ends) < 0) die("pipe");
    dup2(ends[0], 0);
    if (write(ends[1], "through", 7) != 7) die("write");
    close(ends[1]);
    content("/dev/stdin, a pipe", "/dev/stdin");
}

static void same_first_line(const char *label, const char *path, const char *expected) {
    char text[256] = "";
    int fd = open(path, O_RDONLY);
    if (fd < 0) { result(label, -1); return; }
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    say("%s: %s", label, n > 0 && strncmp(text, expected, strlen(expected)) == 0 ? "mine" : "not mine");
}

static void *from_a_thread(void *unused) {
    char expected[32], path[64];
    snprintf(expected, sizeof expected, "%ld ", syscall(SYS_gettid));
    same_first_line("/proc/thread-self/stat in a thread", "/proc/thread-self/stat", expected);
    snprintf(path, sizeof path, "/proc/self/task/%ld/stat", syscall(SYS_gettid));
    same_first_line("/proc/self/task/TID/stat in a thread", path, expected);
    snprintf(expected, sizeof expected, "%d ", getpid());
    same_first_line("/proc/self/stat in a thread", "/proc/self/stat", expected);
    return unused;
}

static void oneself(void) {
    char expected[PATH_MAX];
    pthread_t thread;
    snprintf(expected, sizeof expected, "%d ", getpid());
    same_first_line("/proc/self/stat", "/proc/self/stat", expected);
    same_first_line("/proc/thread-self/stat", "/proc/thread-self/stat", expected);
    int proc = open("/proc", O_RDONLY | O_DIRECTORY), self = open("/proc/self", O_PATH);
    same_first_line("//proc/./self/../self/stat", "//proc/./self/../self/stat", expected);
    int fd = openat(proc, "self/stat", O_RDONLY);
    char text[16] = "";
    if (fd >= 0 && read(fd, text, sizeof text - 1) > 0) say("openat(/proc, self/stat): %s", strncmp(text, expected, strlen(expected)) ? "not mine" : "mine");
    else result("openat(/proc, self/stat)", -1);
    opened("openat(/proc/self, status)", openat(self, "status", O_RDONLY));
    symlink("/proc/self/stat", "to-self");
    same_first_line("link to /proc/self/stat", "to-self", expected);
    start(&thread, from_a_thread, NULL);
    pthread_join(thread, NULL);
    same_first_line("/proc/self/comm", "/proc/self/comm", "guest");
    opened("/proc/self/exe", open("/proc/self/exe", O_RDONLY | O_PATH));
    opened("/proc/self/exe for writing", open("/proc/self/exe", O_WRONLY));
    content("/proc/self/cwd/f", "/proc/self/cwd/f");
    opened("create in /proc/self/cwd", open("/proc/self/cwd/by-cwd", O_CREAT | O_WRONLY, 0600));
    mode_of("made", "by-cwd");
    opened("/proc/self/root/etc/passwd", open("/proc/self/root/etc/passwd", O_RDONLY));
    opened("/proc/self/cwd", open("/proc/self/cwd", O_RDONLY | O_DIRECTORY));
    opened("/proc/self/ns/mnt", open("/proc/self/ns/mnt", O_RDONLY));
    opened("/proc/self/environ", open("/proc/self/environ", O_RDONLY));
    opened("/proc/self/mem", open("/proc/self/mem", O_RDWR));
    opened("/proc/self/maps", open("/proc/self/maps", O_RDONLY));
    opened("/proc/self/task", open("/proc/self/task", O_RDONLY | O_DIRECTORY));
    opened("/proc/self/nothing", open("/proc/self/nothing", O_RDONLY));
    opened("/proc/4194305/stat", open("/proc/4194305/stat", O_RDONLY));
    opened("/proc/self for creating", open("/proc/self/x", O_CREAT | O_WRONLY, 0600));
    close(proc), close(self), close(fd);
    fd = open("/proc/self/comm", O_WRONLY);
    result("write own comm", write(fd, "renamed", 7));
    close(fd);
    content("own comm", "/proc/self/comm");
}

static void devices(void) {
    opened("/dev/null", open("/dev/null", O_RDWR));
    opened("/dev/zero", open("/dev/zero", O_RDONLY | O_CLOEXEC));
    opened("/dev/urandom", open("/dev/urandom", O_RDONLY));
    opened("/dev/full", open("/dev/full", O_WRONLY | O_CREAT, 0600));
    opened("/dev/null truncated", open("/dev/null", O_WRONLY | O_TRUNC | O_CREAT, 0666));
    int sock = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "sock"};
    result("bind", bind(sock, (struct sockaddr *)&address, sizeof address));
    opened("open of a socket", open("sock", O_RDWR));
    opened("O_PATH of a socket", open("sock", O_PATH));
    close(sock);
}

static void without_terminal(void) { setsid(); opened("/dev/tty without a terminal", open("/dev/tty", O_RDWR)); }

static void with_terminal(void) {
    setsid();
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) { result("pty", -1); return; }
    char *name = ptsname(master);
    int slave = open(name, O_RDWR | O_NOCTTY);
    result("slave", slave);
    opened("/dev/tty before it is ours", open("/dev/tty", O_RDWR));
    result("TIOCSCTTY", ioctl(slave, TIOCSCTTY, 0));
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
    result("/dev/tty", tty);
    if (tty < 0) return;
    struct winsize size = {.ws_row = 33, .ws_col = 77}, got = {0};
    ioctl(master, TIOCSWINSZ, &size);
    ioctl(tty, TIOCGWINSZ, &got);
    say("/dev/tty is ours: %d x %d, isatty %d, group mine %d", got.ws_row, got.ws_col, isatty(tty), tcgetpgrp(tty) == getpgrp());
    opened("/dev/tty", tty);
    opened("/dev/tty through a link", (symlink("/dev/tty", "to-tty"), open("to-tty", O_RDWR)));
    ioctl(slave, TIOCNOTTY);
    opened("/dev/tty after TIOCNOTTY", open("/dev/tty", O_RDWR));
}

static void takes_terminal_by_opening(void) {
    setsid();
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) { result("pty", -1); return; }
    int slave = open(ptsname(master), O_RDWR);  // without O_NOCTTY: becomes the controlling terminal
    result("slave without O_NOCTTY", slave);
    opened("/dev/tty", open("/dev/tty", O_RDWR));
}

int guest_open_magic(int argc, char **argv) {
    (void)argc, (void)argv;
    descriptors();
    say_status("standard input", in_child(standard_input));
    oneself();
    devices();
    say_status("no terminal", in_child(without_terminal));
    say_status("terminal", in_child(with_terminal));
    say_status("terminal by opening", in_child(takes_terminal_by_opening));
    return 0;
}

static int open2(int at, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    int fd = -1;
    // `..` below a root that must not be left: EAGAIN where anything on the machine was moved meanwhile (openat2(2)).
    for (int again = 0; again < 100; again++) {
        fd = (int)syscall(SYS_openat2, at, path, &how, sizeof how);
        if (fd >= 0 || errno != EAGAIN || !(resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT))) break;
    }
    return fd;
}

int guest_openat2(int argc, char **argv) {
    (void)argc, (void)argv;
    mkdir("root", 0755), mkdir("root/etc", 0755), mkdir("root/sub", 0755);
    put("root/etc/passwd", "inner"), put("root/sub/f", "x"), put("outside", "y");
    symlink("/etc/passwd", "root/absolute"), symlink("../outside", "root/escape"), symlink("sub/f", "root/inside"), symlink("sub", "root/to-sub");
    int root = open("root", O_PATH | O_DIRECTORY);
    const struct { const char *name; uint64_t bits; } resolves[] = {{"plain", 0}, {"NO_XDEV", RESOLVE_NO_XDEV}, {"NO_MAGICLINKS", RESOLVE_NO_MAGICLINKS},
        {"NO_SYMLINKS", RESOLVE_NO_SYMLINKS}, {"BENEATH", RESOLVE_BENEATH}, {"IN_ROOT", RESOLVE_IN_ROOT},
        {"BENEATH|IN_ROOT", RESOLVE_BENEATH | RESOLVE_IN_ROOT}, {"IN_ROOT|NO_SYMLINKS", RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS},
        {"BENEATH|NO_XDEV|NO_MAGICLINKS", RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS}, {"unknown", 1 << 20}, {"high", 1ULL << 40}};
    const char *paths[] = {"sub/f", "/etc/passwd", "../outside", "absolute", "escape", "inside", "to-sub/f", "sub/../etc/passwd", "sub/../../outside",
        "/../etc/passwd", "/proc/self/fd/0", "/proc/self/exe", "/proc/version", "missing", ".", "/", ""};
    char label[128];
    for (size_t r = 0; r < sizeof resolves / sizeof *resolves; r++)
        for (size_t p = 0; p < sizeof paths / sizeof *paths; p++) {
            snprintf(label, sizeof label, "%s \"%s\"", resolves[r].name, paths[p]);
            int fd = open2(root, paths[p], O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0, resolves[r].bits);
            if (fd >= 0 && strstr(paths[p], "fd/0")) { result(label, fd); close(fd); continue; }  // 0 may be anything
            if (fd >= 0 && strstr(paths[p], "exe")) { result(label, fd); close(fd); continue; }
            opened(label, fd);
        }
    opened("create BENEATH", open2(root, "sub/new", O_CREAT | O_RDWR, 0640, RESOLVE_BENEATH));
    opened("create IN_ROOT absolute", open2(root, "/sub/new2", O_CREAT | O_RDWR | O_EXCL, 0640, RESOLVE_IN_ROOT));
    opened("create BENEATH outside", open2(root, "../new3", O_CREAT | O_RDWR, 0640, RESOLVE_BENEATH));
    opened("create IN_ROOT over the escape", open2(root, "escape", O_CREAT | O_RDWR, 0640, RESOLVE_IN_ROOT));
    mode_of("which made", "root/outside");
    opened("O_TMPFILE BENEATH", open2(root, "sub", O_TMPFILE | O_RDWR, 0600, RESOLVE_BENEATH));
    opened("RESOLVE_CACHED", open2(root, "sub/f", O_RDONLY, 0, RESOLVE_CACHED));
    opened("RESOLVE_CACHED|O_TRUNC", open2(root, "sub/f", O_RDWR | O_TRUNC, 0, RESOLVE_CACHED));
    opened("mode without O_CREAT", open2(root, "sub/f", O_RDONLY, 0600, 0));
    opened("mode with unknown bits", open2(root, "sub/g", O_CREAT | O_RDWR, 0200000, 0));
    opened("unknown flags", open2(root, "sub/f", 0x40000000, 0, 0));
    opened("flags above 32 bits", open2(root, "sub/f", 1ULL << 40, 0, 0));
    opened("O_PATH with O_RDWR", open2(root, "sub/f", O_PATH | O_RDWR, 0, 0));
    opened("O_CREAT|O_DIRECTORY", open2(root, "sub/h", O_CREAT | O_DIRECTORY | O_RDWR, 0600, 0));
    struct open_how how = {.flags = O_RDONLY};
    struct { struct open_how how; uint64_t more[2]; } longer = {.how = how};
    const size_t sizes[] = {0, 1, 8, 16, 23, 24, 25, 32, 40, 4096, 4097, 1 << 20};
    char *page = calloc(1, (1 << 20) + 8);
    memcpy(page, &how, sizeof how);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        snprintf(label, sizeof label, "size %zu", sizes[i]);
        opened(label, (int)syscall(SYS_openat2, root, "sub/f", page, sizes[i]));
    }
    longer.more[1] = 1;
    opened("tail that is not zero", (int)syscall(SYS_openat2, root, "sub/f", &longer, sizeof longer));
    longer.more[1] = 0;
    opened("tail of zeroes", (int)syscall(SYS_openat2, root, "sub/f", &longer, sizeof longer));
    opened("how NULL", (int)syscall(SYS_openat2, root, "sub/f", NULL, sizeof how));
    struct open_how *edge = (void *)unmapped_edge(sizeof how);
    *edge = how;
    opened("how at the edge", (int)syscall(SYS_openat2, root, "sub/f", edge, sizeof how));
    opened("how over the edge", (int)syscall(SYS_openat2, root, "sub/f", (char *)edge + 8, sizeof how));
    opened("path NULL", open2(root, NULL, O_RDONLY, 0, 0));
    free(page), close(root);
    return 0;
}
