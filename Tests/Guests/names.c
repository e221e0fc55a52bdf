// Changing names and metadata: unlink, rename, mkdir, link, symlink, mknod, truncate, chmod, chown, times, xattrs.
#include "guest.h"
#include <sys/xattr.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#define RENAME_WHITEOUT 4
#endif

static char label[256];
static const char *lab(const char *call, const char *a, const char *b) {
    snprintf(label, sizeof label, b ? "%s \"%s\" \"%s\"" : "%s \"%s\"", call, a, b);
    return label;
}

static void fresh(void) {
    remove_tree("w");
    if (mkdir("w", 0755) < 0 || chdir("w") < 0) die("fresh");
    mkdir("empty", 0755), mkdir("full", 0755), mkdir("full/sub", 0755), put("full/f", "in full"), put("file", "file"), put("other", "other");
    symlink("file", "link"), symlink("missing", "dangling"), symlink("full", "to-full"), symlink("loop", "loop"), symlink("empty", "to-empty");
}
static void done(void) { if (chdir(scratch) < 0) die("chdir"); }

static const char *const targets[] = {"file", "file/", "link", "dangling", "loop", "loop/x", "missing", "missing/x", "empty", "empty/", "empty/.",
    "empty/..", "full", "full/", "to-full", "to-full/", "to-empty/", "to-full/f", "file/x", ".", "..", "/", "", "./other", "full/../other", "/proc/version", "/proc/self"};
#define EACH(array, name) for (size_t i_ = 0; i_ < sizeof array / sizeof *array; i_++) for (const char *name = array[i_]; name; name = NULL)

static void removing(void) {
    EACH(targets, t) { fresh(); result(lab("unlink", t, NULL), unlink(t)); done(); }
    EACH(targets, t) { fresh(); result(lab("rmdir", t, NULL), rmdir(t)); done(); }
    EACH(targets, t) { fresh(); int at = open("full", O_PATH); result(lab("unlinkat full", t, NULL), unlinkat(at, t, 0)); close(at); done(); }
    fresh();
    int at = open("full", O_RDONLY | O_DIRECTORY);
    result("unlinkat AT_REMOVEDIR", unlinkat(at, "sub", AT_REMOVEDIR));
    result("unlinkat AT_REMOVEDIR on a file", unlinkat(at, "f", AT_REMOVEDIR));
    result("unlinkat bad flags", unlinkat(at, "f", 0x1000));
    result("unlinkat AT_REMOVEDIR .", unlinkat(at, ".", AT_REMOVEDIR));
    result("unlinkat closed dirfd", unlinkat(999, "f", 0));
    result("unlinkat file as dirfd", unlinkat(open("file", O_RDONLY | O_CLOEXEC), "f", 0));
    result("unlinkat NULL", syscall(SYS_unlinkat, AT_FDCWD, NULL, 0));
    int held = open("other", O_RDONLY);
    result("unlink while open", unlink("other"));
    opened("still open", held);
    close(at), done();
}

static void renaming(void) {
    const char *from[] = {"file", "file/", "link", "dangling", "missing", "empty", "full", "full/", "to-full", "full/f", ".", "..", "empty/.", "", "/proc/version"};
    const char *to[] = {"new", "new/", "other", "link", "dangling", "empty", "empty/", "full", "full/f", "full/sub/new", "file/x", "missing/x", ".", "..", "", "file", "to-full/new", "full/sub"};
    EACH(from, f)
        for (size_t j = 0; j < sizeof to / sizeof *to; j++) { fresh(); result(lab("rename", f, to[j]), rename(f, to[j])); done(); }
    const int flags[] = {RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_NOREPLACE | RENAME_EXCHANGE, 8};
    const char *some_to[] = {"new", "other", "empty", "full", "link", "dangling", "full/sub/x", "missing/x", "file"};
    const char *some_from[] = {"file", "empty", "full", "dangling", "missing"};
    for (int k = 0; k < 4; k++)
        EACH(some_from, f)
            for (size_t j = 0; j < sizeof some_to / sizeof *some_to; j++) {
                char call[32];
                fresh();
                snprintf(call, sizeof call, "renameat2 %d", flags[k]);
                result(lab(call, f, some_to[j]), renameat2(AT_FDCWD, f, AT_FDCWD, some_to[j], (unsigned)flags[k]));
                done();
            }
    fresh();
    int full = open("full", O_PATH), empty = open("empty", O_RDONLY);
    result("renameat between dirfds", renameat(full, "f", empty, "moved"));
    content("moved", "empty/moved");
    result("renameat2 exchange of two folders", renameat2(AT_FDCWD, "full", AT_FDCWD, "empty", RENAME_EXCHANGE));
    mode_of("exchanged", "full/moved");
    result("dirfd follows its folder", faccessat(full, "sub", F_OK, 0));
    result("renameat closed", renameat(999, "f", full, "x"));
    result("rename NULL", syscall(SYS_renameat2, AT_FDCWD, NULL, AT_FDCWD, "x", 0));
    result("rename to NULL", syscall(SYS_renameat2, AT_FDCWD, "file", AT_FDCWD, NULL, 0));
    char *edge = unmapped_edge(5), *edge2 = unmapped_edge(6);
    memcpy(edge, "file", 5), memcpy(edge2, "moved", 6);
    result("rename at the edges", rename(edge, edge2));
    content("moved", "moved");
    close(full), close(empty), done();
}

static void making(void) {
    const char *names[] = {"new", "new/", "new/.", "new//", "file", "link", "dangling", "dangling/", "loop", "empty", "missing/x", "file/x", "full/new", "to-full/new", ".", "..", "/", ""};
    EACH(names, t) { fresh(); result(lab("mkdir", t, NULL), mkdir(t, 01777)); if (!strcmp(t, "new")) mode_of("made", t); done(); }
    EACH(names, t) { fresh(); result(lab("mkfifo", t, NULL), mkfifo(t, 0666)); if (!strcmp(t, "new")) mode_of("made", t); done(); }
    EACH(names, t) { fresh(); result(lab("mknod file", t, NULL), mknod(t, S_IFREG | 04755, 0)); done(); }
    EACH(names, t) { fresh(); result(lab("symlink to it", t, NULL), symlink("anything\xff at all", t)); done(); }
    EACH(names, t) { fresh(); result(lab("link file", t, NULL), link("file", t)); done(); }
    EACH(names, t) { fresh(); result(lab("link from", t, NULL), link(t, "linked")); if (*t != '/') mode_of("linked", "linked"); done(); }
    fresh();
    result("symlink to an empty name", symlink("", "to-nothing"));
    char target[5000];
    memset(target, 't', sizeof target), target[4095] = 0;
    result("symlink of 4,095 bytes", symlink(target, "long-link"));
    target[4095] = 't', target[4096] = 0;
    result("symlink of 4,096 bytes", symlink(target, "longer-link"));
    mode_of("long link", "long-link");
    result("linkat following", linkat(AT_FDCWD, "link", AT_FDCWD, "hard-1", AT_SYMLINK_FOLLOW));
    result("linkat not following", linkat(AT_FDCWD, "link", AT_FDCWD, "hard-2", 0));
    result("linkat bad flags", linkat(AT_FDCWD, "file", AT_FDCWD, "hard-3", 1));
    mode_of("followed", "hard-1"), mode_of("not followed", "hard-2");
    int full = open("full", O_PATH), file = open("file", O_RDONLY);
    result("linkat dirfds", linkat(full, "f", full, "g", 0));
    result("linkat AT_EMPTY_PATH", linkat(file, "", full, "empty-path", AT_EMPTY_PATH));
    result("mkdirat", mkdirat(full, "made", 0700));
    result("mkdirat closed", mkdirat(999, "made", 0700));
    result("symlinkat", symlinkat("../file", full, "sym"));
    content("symlinkat", "full/sym");
    result("mknodat fifo", mknodat(full, "fifo", S_IFIFO | 0600, 0));
    result("mknod socket", mknod("socket", S_IFSOCK | 0600, 0));
    result("mknod folder", mknod("folder", S_IFDIR | 0600, 0));
    result("mknod bad type", mknod("bad", 0170000, 0));
    umask(0);
    result("mkdir umask 0", mkdir("open", 0777)), mode_of("open", "open");
    umask(077);
    result("mkdir umask 077", mkdir("closed", 0777)), mode_of("closed", "closed");
    umask(022);
    mkdir("sgid", 0755), chmod("sgid", 02775);
    result("mkdir in setgid", mkdir("sgid/in", 0755)), mode_of("inherits", "sgid/in");
    result("mkdir NULL", syscall(SYS_mkdirat, AT_FDCWD, NULL, 0755));
    close(full), close(file), done();
}

static void metadata(void) {
    const struct timespec then[2] = {{.tv_sec = 1000000000, .tv_nsec = 123456789}, {.tv_sec = 1100000000, .tv_nsec = 987654321}};
    const struct timespec omit[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 5}}, bad[2] = {{.tv_nsec = 2000000000}, {.tv_nsec = 0}};
    const char *names[] = {"file", "file/", "link", "dangling", "missing", "empty", "empty/", "full/f", "to-full", "loop", "file/x", "", "/proc/version", "/etc/passwd"};
    EACH(names, t) {
        fresh();
        // Nothing here may change the machine when it is run as root: absolute paths get what they have, or are skipped.
        if (strcmp(t, "/etc/passwd")) {
            result(lab("truncate", t, NULL), truncate(t, 3));
            result(lab("chmod", t, NULL), chmod(t, 0604));
            result(lab("chown self", t, NULL), chown(t, geteuid(), getegid()));
            result(lab("lchown self", t, NULL), lchown(t, (uid_t)-1, getegid()));
            result(lab("utimensat", t, NULL), utimensat(AT_FDCWD, t, then, 0));
            result(lab("setxattr", t, NULL), setxattr(t, "user.guest", "value", 5, 0));
            result(lab("lsetxattr", t, NULL), lsetxattr(t, "user.guest2", "v", 1, 0));
            result(lab("removexattr", t, NULL), removexattr(t, "user.guest"));
            result(lab("removexattr again", t, NULL), removexattr(t, "user.guest"));
        } else if (geteuid() != 0) {
            result(lab("truncate", t, NULL), truncate(t, 3000));
            result(lab("chmod", t, NULL), chmod(t, 0644));
            result(lab("chown", t, NULL), chown(t, geteuid(), (gid_t)-1));
            result(lab("utimensat", t, NULL), utimensat(AT_FDCWD, t, then, 0));
        }
        done();
    }
    fresh();
    struct stat st;
    int full = open("full", O_PATH), file = open("file", O_RDWR), pinned = open("file", O_PATH);
    result("truncate up", truncate("file", 100)), mode_of("longer", "file");
    result("truncate negative", truncate("file", -1));
    result("ftruncate", ftruncate(file, 7)), mode_of("shorter", "file");
    result("fchmod", fchmod(file, 0751)), mode_of("fchmod", "file");
    result("fchmod O_PATH", fchmod(pinned, 0700));
    result("fchmodat", fchmodat(full, "f", 0640, 0)), mode_of("fchmodat", "full/f");
    result("fchmodat AT_SYMLINK_NOFOLLOW on a link", fchmodat(AT_FDCWD, "link", 0640, AT_SYMLINK_NOFOLLOW));
    result("fchmodat2 AT_EMPTY_PATH", syscall(452, file, "", 0600, AT_EMPTY_PATH));
    result("chmod setuid", chmod("file", 06755)), mode_of("setuid", "file");
    result("fchown", fchown(file, geteuid(), getegid())), mode_of("chown clears setuid", "file");
    result("fchownat AT_EMPTY_PATH", fchownat(file, "", geteuid(), (gid_t)-1, AT_EMPTY_PATH));
    result("fchownat of a link", fchownat(AT_FDCWD, "dangling", geteuid(), getegid(), AT_SYMLINK_NOFOLLOW));
    if (geteuid() != 0) result("chown to root", chown("file", 0, 0));
    result("utimensat", utimensat(full, "f", then, 0));
    if (fstatat(full, "f", &st, 0) == 0) say("times %lld.%09ld %lld.%09ld", (long long)st.st_atim.tv_sec, st.st_atim.tv_nsec, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    result("utimensat omit", utimensat(full, "f", omit, 0));
    if (fstatat(full, "f", &st, 0) == 0) say("times %lld %lld", (long long)st.st_atim.tv_sec, (long long)st.st_mtim.tv_sec);
    result("utimensat bad", utimensat(full, "f", bad, 0));
    result("utimensat now", utimensat(full, "f", NULL, 0));
    result("utimensat on a descriptor", syscall(SYS_utimensat, file, NULL, then, 0));
    result("utimensat link itself", utimensat(AT_FDCWD, "dangling", then, AT_SYMLINK_NOFOLLOW));
    result("utimensat NULL path, no descriptor", syscall(SYS_utimensat, AT_FDCWD, NULL, then, 0));
    result("utimensat bad times pointer", syscall(SYS_utimensat, AT_FDCWD, "file", 1L, 0));
    result("fsetxattr", fsetxattr(file, "user.f", "1", 1, XATTR_CREATE));
    result("fsetxattr create again", fsetxattr(file, "user.f", "2", 1, XATTR_CREATE));
    result("fsetxattr replace", fsetxattr(file, "user.f", "3", 1, XATTR_REPLACE));
    result("setxattr name too long", setxattr("file", "user.nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", "x", 1, 0));
    result("setxattr bad namespace", setxattr("file", "nonsense.x", "x", 1, 0));
    result("setxattr bad value pointer", setxattr("file", "user.p", (void *)1, 10, 0));
    result("setxattr empty value", setxattr("file", "user.e", NULL, 0, 0));
    char value[16] = "";
    result("getxattr", getxattr("file", "user.f", value, sizeof value));
    say("value %s", value);
    close(full), close(file), close(pinned), done();
}

// Links that are made while others open files: whoever makes one waits until nobody is between the look and the open.
static void making_beside_opens(void) {
    enum { LINKERS = 3, OPENERS = 3, LINKS = 40 };
    enter_scratch();
    pid_t openers[OPENERS];
    for (int i = 0; i < OPENERS; i++) {
        char path[] = "/etc/passwd";  // on its own stack: nobody else can change it
        if ((openers[i] = fork()) == 0) {
            for (;;) close(open(path, O_RDONLY));
        }
    }
    int failed = 0, status;
    for (int i = 0; i < LINKERS; i++) {
        if (fork() != 0) continue;
        char path[16];
        for (int n = 0; n < LINKS; n++) {
            snprintf(path, sizeof path, "l%d.%d", i, n);
            if (symlink("x", path) < 0) _exit(1);
        }
        _exit(0);
    }
    for (int i = 0; i < LINKERS; i++) failed += wait(&status) > 0 && status != 0;
    for (int i = 0; i < OPENERS; i++) kill(openers[i], SIGKILL), waitpid(openers[i], &status, 0);
    say("links beside opens: %d of %d failed", failed, LINKERS);
    leave_scratch();
}

int guest_names(int argc, char **argv) {
    (void)argc, (void)argv;
    removing();
    renaming();
    making();
    metadata();
    making_beside_opens();
    return 0;
}
