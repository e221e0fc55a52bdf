// How a path is read: relative ones, directory descriptors, cwd, links, lengths, bytes, bad pointers.
#include "guest.h"

static void relative(void) {
    mkdir("a", 0755), mkdir("a/b", 0755), put("a/b/f", "deep"), put("f", "top");
    int top = open(".", O_RDONLY | O_DIRECTORY), a = open("a", O_PATH), file = open("f", O_RDONLY);
    opened("openat dirfd", openat(top, "a/b/f", O_RDONLY));
    opened("openat O_PATH dirfd", openat(a, "b/f", O_RDONLY));
    opened("openat dirfd ..", openat(a, "../f", O_RDONLY));
    opened("openat file as dirfd", openat(file, "f", O_RDONLY));
    opened("openat closed dirfd", openat(999, "f", O_RDONLY));
    opened("openat -1", openat(-1, "f", O_RDONLY));
    opened("openat absolute, closed dirfd", openat(999, "/etc/passwd", O_RDONLY | O_PATH));
    opened("openat upper half of dirfd", (int)syscall(SYS_openat, 0x500000000L | (unsigned)top, "f", O_RDONLY));
    opened("openat AT_FDCWD as unsigned", (int)syscall(SYS_openat, 0xffffff9cUL, "f", O_RDONLY));
    result("chdir", chdir("a"));
    content("after chdir", "b/f");
    content("after chdir ..", "../f");
    opened("create after chdir", open("made", O_CREAT | O_WRONLY, 0600));
    result("fchdir", fchdir(top));
    mode_of("made", "a/made");
    mkdir("gone", 0755);
    result("chdir gone", chdir("gone"));
    result("rmdir gone", rmdir("../gone"));
    opened("open in a removed folder", open("x", O_RDONLY));
    opened("create in a removed folder", open("x", O_CREAT | O_WRONLY, 0600));
    opened(". of a removed folder", open(".", O_RDONLY));
    opened(".. of a removed folder", open("../f", O_RDONLY));
    fchdir(top);
    close(top), close(a), close(file);
}

static void *own_directory(void *unused) {
    if (unshare(CLONE_FS) < 0) return (void *)(intptr_t)errno;
    if (chdir("a") < 0) return (void *)(intptr_t)errno;
    int fd = open("b/f", O_RDONLY);
    if (fd < 0) return (void *)(intptr_t)errno;
    close(fd);
    umask(077);
    fd = open("thread-made", O_CREAT | O_WRONLY, 0666);
    if (fd < 0) return (void *)(intptr_t)errno;
    close(fd);
    return unused;
}

static void threads(void) {
    pthread_t thread;
    void *failed;
    start(&thread, own_directory, NULL);
    pthread_join(thread, &failed);
    errno = (int)(intptr_t)failed;
    result("thread with a cwd and umask of its own", failed ? -1 : 0);
    mode_of("what it made", "a/thread-made");
    content("cwd of the others", "f");
}

static void shapes(void) {
    const char *paths[] = {"", "/", "//", "///etc//passwd", ".", "..", "./", "../", "./f", "a/./b/../b/f", "f/", "f/.", "f/..",
        "a/", "a//", "a/.", "nothing", "nothing/", "nothing/..", "a/b/f/g", "/etc/passwd/", "/etc/../etc/passwd", "/..", "/../../etc/passwd"};
    char label[64];
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        snprintf(label, sizeof label, "read \"%s\"", paths[i]);
        opened(label, open(paths[i], O_RDONLY));
        snprintf(label, sizeof label, "write \"%s\"", paths[i]);
        if (paths[i][0] != '/') opened(label, open(paths[i], O_WRONLY));
    }
}

static void links(void) {
    char from[32], to[32];
    symlink("loop", "loop"), symlink("ping", "pong"), symlink("pong", "ping");
    opened("link to itself", open("loop", O_RDONLY));
    opened("ping pong", open("ping", O_RDONLY));
    opened("create at a loop", open("loop", O_CREAT | O_WRONLY, 0600));
    opened("loop as a folder", open("loop/x", O_RDONLY));
    put("l0", "chain");
    for (int i = 1; i <= 42; i++) {
        snprintf(from, sizeof from, "l%d", i - 1), snprintf(to, sizeof to, "l%d", i);
        symlink(from, to);
    }
    opened("chain of 40", open("l40", O_RDONLY));
    opened("chain of 41", open("l41", O_RDONLY));
    opened("create exclusive at a chain of 41", open("l41", O_CREAT | O_EXCL | O_WRONLY, 0600));
    opened("O_NOFOLLOW on a link", open("l1", O_RDONLY | O_NOFOLLOW));
    opened("O_NOFOLLOW on a link, trailing slash", open("l1/", O_RDONLY | O_NOFOLLOW));
    opened("O_PATH|O_NOFOLLOW on a link", open("l1", O_PATH | O_NOFOLLOW));
    opened("O_PATH|O_NOFOLLOW on a dangling link", open("loop", O_PATH | O_NOFOLLOW));
    opened("O_PATH on a link", open("l1", O_PATH));
    symlink("a", "to-a"), symlink(scratch, "to-scratch"), symlink("/", "to-root");
    content("through a link to a folder", "to-a/b/f");
    opened("O_NOFOLLOW does not mind links before the end", open("to-a/b/f", O_RDONLY | O_NOFOLLOW));
    opened("O_DIRECTORY|O_NOFOLLOW on a link to a folder", open("to-a", O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
    opened("the same with a slash", open("to-a/", O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
    opened("link/..", open("to-a/../f", O_RDONLY));
    content("absolute link", "to-scratch/f");
    opened("link to the root", open("to-root/etc/passwd", O_RDONLY | O_PATH));
    opened("O_DIRECTORY on a file", open("f", O_RDONLY | O_DIRECTORY));
    opened("O_DIRECTORY on a folder, close on exec", open("a", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    opened("O_PATH drops other flags", open("f", O_PATH | O_WRONLY | O_TRUNC | O_APPEND | O_CLOEXEC));
    content("not truncated", "f");
    opened("O_PATH on what is not readable", (chmod("l0", 0), open("l0", O_PATH)));
    opened("folder for writing", open("a", O_RDWR));
}

static void lengths(void) {
    char name[300], path[PATH_MAX + 16];
    memset(name, 'n', 256);
    name[255] = 0;
    opened("create a name of 255", open(name, O_CREAT | O_WRONLY, 0600));
    name[255] = 'n', name[256] = 0;
    opened("create a name of 256", open(name, O_CREAT | O_WRONLY, 0600));
    opened("read a name of 256", open(name, O_RDONLY));
    // "./././…/f": the same file by a path of any odd length
    for (int length = 4093; length <= 4099; length += 2) {
        char label[48];
        for (int i = 0; i < length - 1; i += 2) memcpy(path + i, "./", 2);
        path[length - 1] = 'f', path[length] = 0;
        snprintf(label, sizeof label, "path of %d bytes", length);
        opened(label, open(path, O_RDONLY));
    }
    memset(path, '/', 4094);
    memcpy(path + 4090, "/etc/", 5), path[4095] = 0;
    opened("4,095 bytes, mostly slashes", open(path, O_RDONLY | O_DIRECTORY));
    path[4095] = '/', path[4096] = 0;
    opened("4,096 bytes, mostly slashes", open(path, O_RDONLY | O_DIRECTORY));
    const char *odd[] = {"\xff\xfe", "caf\xc3\xa9", "cafe\xcc\x81", "new\nline", "\x1b[31mred", " ", "-", "*", "tab\t", "\xed\xa0\x80", "\r\n"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        char label[32];
        put(odd[i], odd[i]);
        snprintf(label, sizeof label, "odd name %zu", i);
        opened(label, open(odd[i], O_RDWR));
        result(label, unlink(odd[i]));
    }
    // 40 folders of 100 bytes: deeper than a path may name, reached step by step
    memset(name, 'd', 100), name[100] = 0;
    int depth = 0;
    while (depth < 45 && mkdir(name, 0755) == 0 && chdir(name) == 0) depth++;
    say("depth %d", depth);
    opened("create below PATH_MAX", open("deep", O_CREAT | O_WRONLY, 0600));
    opened("read below PATH_MAX", open("deep", O_RDONLY));
    result("unlink below PATH_MAX", unlink("deep"));
    for (; depth > 0; depth--) if (chdir("..") < 0 || rmdir(name) < 0) die("climb");
}

static void pointers(void) {
    opened("NULL", (int)syscall(SYS_openat, AT_FDCWD, NULL, O_RDONLY));
    opened("address 1", (int)syscall(SYS_openat, AT_FDCWD, 1L, O_RDONLY));
    opened("kernel address", (int)syscall(SYS_openat, AT_FDCWD, (long)0xffff800000000000UL, O_RDONLY));
    opened("not canonical", (int)syscall(SYS_openat, AT_FDCWD, 0x7fffffffffff0000L, O_RDONLY));
    char *edge = unmapped_edge(2);
    memcpy(edge, "f", 2);
    opened("string ends at the edge", (int)syscall(SYS_openat, AT_FDCWD, edge, O_RDONLY));
    edge = unmapped_edge(3);
    memcpy(edge, "./f", 3);
    opened("string runs over the edge", (int)syscall(SYS_openat, AT_FDCWD, edge, O_RDONLY));
    edge = unmapped_edge(0);
    opened("string starts past the edge", (int)syscall(SYS_openat, AT_FDCWD, edge, O_RDONLY));
    edge = unmapped_edge(4097);
    for (int i = 0; i < 4096; i += 2) memcpy(edge + i, "./", 2);
    edge[4096] = 0;
    edge[4094] = 'f', edge[4095] = 0;
    opened("4,095 bytes over two pages", (int)syscall(SYS_openat, AT_FDCWD, edge, O_RDONLY));
    edge = unmapped_edge(5);
    memcpy(edge, "wxyz", 5);
    opened("created by a name at the edge", (int)syscall(SYS_openat, AT_FDCWD, edge, O_RDWR | O_CREAT, 0600));
    char *hidden = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(hidden, "f", 2);
    mprotect(hidden, 4096, PROT_NONE);
    opened("PROT_NONE", (int)syscall(SYS_openat, AT_FDCWD, hidden, O_RDONLY));
    mprotect(hidden, 4096, PROT_WRITE);
    opened("PROT_WRITE", (int)syscall(SYS_openat, AT_FDCWD, hidden, O_RDONLY));
}

int guest_open_paths(int argc, char **argv) {
    (void)argc, (void)argv;
    relative();
    threads();
    shapes();
    links();
    lengths();
    pointers();
    return 0;
}
