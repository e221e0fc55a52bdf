// Opening and creating: O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_TMPFILE, masks and modes, links on the way.
#include "guest.h"

static void exclusive(void) {
    put("file", "data");
    mkdir("dir", 0755);
    symlink("file", "to-file");
    symlink("missing", "dangling");
    symlink("dir", "to-dir");
    const char *names[] = {"file", "to-file", "dangling", "dir", "to-dir", "new-excl", ".", "..", "dir/", "new/", "/", ""};
    char label[64];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(label, sizeof label, "create exclusive \"%s\"", names[i]);
        opened(label, open(names[i], O_RDWR | O_CREAT | O_EXCL, 0640));
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(label, sizeof label, "create \"%s\"", names[i]);
        opened(label, open(names[i], O_WRONLY | O_CREAT, 0640));
    }
    mode_of("dangling made its target", "missing");
    symlink("nodir/x", "dangling-far");
    opened("create through link into a missing folder", open("dangling-far", O_CREAT | O_WRONLY, 0600));
    symlink("chain1", "chain0"), symlink("dir/chain2", "chain1"), symlink("../end", "dir/chain2");
    opened("create through a chain", open("chain0", O_CREAT | O_WRONLY, 0600));
    mode_of("end of the chain", "end");
    opened("create with O_NOFOLLOW over a link", open("dangling", O_CREAT | O_WRONLY | O_NOFOLLOW, 0600));
    opened("create with O_DIRECTORY", open("created-dir", O_CREAT | O_RDONLY | O_DIRECTORY, 0755));
    opened("create read-only", open("read-only", O_CREAT | O_RDONLY, 0444));
    opened("create mode 0 for writing", open("mode-zero", O_CREAT | O_WRONLY, 0));
    opened("again, as it is now", open("mode-zero", O_WRONLY));
    opened("create in a file", open("file/x", O_CREAT | O_WRONLY, 0600));
    opened("create in a missing folder", open("nodir/x", O_CREAT | O_WRONLY, 0600));
#ifdef SYS_creat
    opened("creat new", (int)syscall(SYS_creat, "creat", 0604));
    opened("creat over", (int)syscall(SYS_creat, "file", 0604));
    opened("creat dir", (int)syscall(SYS_creat, "dir", 0604));
#endif
#ifdef SYS_open
    opened("legacy open", (int)syscall(SYS_open, "creat", O_RDWR | O_CLOEXEC));
    opened("legacy open create", (int)syscall(SYS_open, "legacy", O_RDWR | O_CREAT, 0666));
    opened("legacy open missing", (int)syscall(SYS_open, "nothing", O_RDWR));
#endif
}

static void masks(void) {
    const mode_t umasks[] = {0, 022, 077, 0777}, modes[] = {0666, 0777, 01777, 02777, 04755, 0100644, 0170000 | 0600};
    char name[32], label[64];
    for (size_t u = 0; u < 4; u++)
        for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
            umask(umasks[u]);
            snprintf(name, sizeof name, "mask-%zu-%zu", u, m);
            snprintf(label, sizeof label, "umask %03o mode %o", umasks[u], modes[m]);
            opened(label, open(name, O_CREAT | O_EXCL | O_RDWR, modes[m]));
        }
    umask(022);
    mkdir("setgid", 0755);
    chmod("setgid", 02775);
    opened("in a setgid folder", open("setgid/x", O_CREAT | O_WRONLY, 02755));
}

static void truncating(void) {
    put("full", "0123456789");
    opened("read-only with O_TRUNC", open("full", O_RDONLY | O_TRUNC));
    put("full", "0123456789");
    opened("write with O_TRUNC", open("full", O_WRONLY | O_TRUNC));
    put("full", "0123456789");
    opened("create with O_TRUNC", open("full", O_WRONLY | O_TRUNC | O_CREAT, 0600));
    put("full", "0123");
    int fd = open("full", O_WRONLY | O_APPEND);
    result("append", write(fd, "45", 2));
    result("lseek", lseek(fd, 0, SEEK_SET));
    result("append again", write(fd, "67", 2));
    opened("append descriptor", fd);
    content("appended", "full");
    opened("trunc and append", open("full", O_RDWR | O_APPEND | O_TRUNC));
    opened("trunc dir", open("dir", O_RDONLY | O_TRUNC));
    symlink("full", "full-link");
    put("full", "0123");
    opened("trunc through link", open("full-link", O_WRONLY | O_TRUNC));
    opened("O_NONBLOCK|O_SYNC|O_DSYNC|O_NOATIME", open("full", O_RDWR | O_NONBLOCK | O_SYNC | O_DSYNC | O_NOATIME));
    opened("access mode 3", open("full", 3));
    opened("unknown flag bits", open("full", O_RDONLY | 0x40000000));
}

static void unnamed(void) {
    char path[64];
    int fd = open(".", O_TMPFILE | O_RDWR, 0640);
    if (fd < 0) { result("O_TMPFILE", fd); return; }
    result("write", write(fd, "unnamed", 7));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    result("linkat /proc/self/fd", linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    result("linkat again", linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    opened("O_TMPFILE", fd);
    content("linked", "named");
    fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    result("linkat of O_EXCL", linkat(AT_FDCWD, path, AT_FDCWD, "never", AT_SYMLINK_FOLLOW));
    opened("O_TMPFILE|O_EXCL", fd);
    fd = open(".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    result("linkat AT_EMPTY_PATH", linkat(fd, "", AT_FDCWD, "empty-path", AT_EMPTY_PATH));
    opened("O_TMPFILE|O_CLOEXEC", fd);
    opened("O_TMPFILE read-only", open(".", O_TMPFILE | O_RDONLY, 0600));
    opened("O_TMPFILE in a file", open("named", O_TMPFILE | O_RDWR, 0600));
    opened("O_TMPFILE|O_CREAT", open(".", O_TMPFILE | O_RDWR | O_CREAT, 0600));
    opened("O_TMPFILE nowhere", open("nodir", O_TMPFILE | O_RDWR, 0600));
}

static void permissions(void) {
    const mode_t modes[] = {0, 0400, 0200, 0100, 0600};
    const int access_modes[] = {O_RDONLY, O_WRONLY, O_RDWR};
    char label[64];
    put("guarded", "x");
    for (size_t m = 0; m < 5; m++)
        for (int a = 0; a < 3; a++) {
            chmod("guarded", modes[m]);
            snprintf(label, sizeof label, "mode %03o access %d", modes[m], a);
            opened(label, open("guarded", access_modes[a]));
        }
    mkdir("locked", 0755);
    put("locked/in", "x");
    chmod("locked", 0);
    opened("below a folder of mode 0", open("locked/in", O_RDONLY));
    opened("create below it", open("locked/new", O_RDONLY | O_CREAT, 0600));
    chmod("locked", 0555);
    opened("create in a read-only folder", open("locked/new2", O_RDONLY | O_CREAT, 0600));
    opened("existing in a read-only folder", open("locked/in", O_RDWR | O_CREAT, 0600));
    chmod("locked", 0755);
    opened("/etc/passwd for writing, nothing written", open("/etc/passwd", O_WRONLY | O_APPEND));
    opened("/etc/shadow", open("/etc/shadow", O_RDONLY));
    opened("/proc/version for writing", open("/proc/version", O_WRONLY));
    opened("create in /proc", open("/proc/nothing-of-the-kind", O_WRONLY | O_CREAT, 0600));
    opened("/sys create", open("/sys/nothing-of-the-kind", O_WRONLY | O_CREAT, 0600));
}

int guest_open_create(int argc, char **argv) {
    (void)argc, (void)argv;
    exclusive();
    masks();
    truncating();
    unnamed();
    permissions();
    return 0;
}
