// A file system that answers nothing (fuse(4)), and whoever asks it.
#include "guest.h"
#include <linux/fuse.h>
#include <sys/uio.h>
#include <sys/mount.h>

static void reply(int device, uint64_t unique, const void *data, size_t length) {
    struct fuse_out_header head = {.len = (uint32_t)(sizeof head + length), .unique = unique};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)data, length}};
    if (writev(device, parts, 2) < 0) die("writev");
}

/// There is a file `slow` whose closing is answered (FUSE_FLUSH) once somebody has asked for `now`. Whether it was answered.
static bool answer_slow(int device, const struct fuse_in_header *in, const char *name) {
    static uint64_t held[64];
    static unsigned count;
    static bool now;
    struct fuse_attr attr = {.ino = 2, .mode = S_IFREG | 0666, .nlink = 1};
    switch (in->opcode) {
    case FUSE_LOOKUP:
        if (strcmp(name, "now") == 0) {
            now = true;
            while (count > 0) reply(device, held[--count], NULL, 0);
            struct fuse_entry_out none = {0};  // without a number: there is no such file
            return reply(device, in->unique, &none, sizeof none), true;
        } else if (strcmp(name, "slow") == 0) {
            struct fuse_entry_out out = {.nodeid = 2, .attr_valid = 1000000, .attr = attr};
            now = false;
            return reply(device, in->unique, &out, sizeof out), true;
        }
        return false;
    case FUSE_OPEN: return reply(device, in->unique, &(struct fuse_open_out){0}, sizeof(struct fuse_open_out)), true;
    case FUSE_FLUSH:
        if (now) return reply(device, in->unique, NULL, 0), true;
        if (count < 64) held[count++] = in->unique;
        return true;
    case FUSE_RELEASE: return reply(device, in->unique, NULL, 0), true;
    case FUSE_GETATTR:
        if (in->nodeid != 2) return false;
        return reply(device, in->unique, &(struct fuse_attr_out){.attr_valid = 1000000, .attr = attr}, sizeof(struct fuse_attr_out)), true;
    default: return false;
    }
}

/// `dead-files FOLDER`: mounts a file system there that never says what else is in it, until standard input ends.
int tool_dead_files(int argc, char **argv) {
    const char *folder = argument(argc, argv, 1);
    static char request[FUSE_MIN_READ_BUFFER * 32];
    char options[64];
    int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", device);
    if (device < 0 || mount("dead", folder, "fuse", MS_NOSUID | MS_NODEV, options) < 0) { say("none"); return 0; }
    say("ready");
    struct pollfd both[2] = {{.fd = 0, .events = POLLIN}, {.fd = device, .events = POLLIN}};
    while (poll(both, 2, -1) > 0 && !both[0].revents) {
        const struct fuse_in_header *in = (void *)request;
        if (read(device, request, sizeof request) < (ssize_t)sizeof *in) continue;
        if (in->opcode == FUSE_INIT) {
            struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION, .max_write = 4096};
            reply(device, in->unique, &out, sizeof out);
        } else if (answer_slow(device, in, request + sizeof *in)) {
        } else if (in->opcode == FUSE_GETATTR) {
            struct fuse_attr_out out = {.attr_valid = 1000000, .attr = {.ino = 1, .mode = S_IFDIR | 0755, .nlink = 2}};
            reply(device, in->unique, &out, sizeof out);
        }
    }
    umount2(folder, MNT_DETACH);
    close(device);
    return 0;
}

/// It has nothing else to sleep in than its next call; as `name`.
static bool sleeps(pid_t pid, const char *states, const char *name) {
    char path[64], line[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, line, sizeof line - 1);
    close(fd);
    const char *state = n > 0 ? strrchr(line, ')') : NULL;
    return state && strchr(states, state[2]) && strstr(line, name);
}

/// `begins-with-the-slow FOLDER`: programs begin with what is slow to be closed, and so do not end; another one does.
int tool_begins_with_the_slow(int argc, char **argv) {
    const char *folder = argument(argc, argv, 1);
    char path[PATH_MAX], now[PATH_MAX];
    pid_t slow[12];
    int status = -1;
    snprintf(path, sizeof path, "%s/slow", folder), snprintf(now, sizeof now, "%s/now", folder);
    for (int i = 0; i < 12; i++) {
        if ((slow[i] = fork()) == 0) close(0), _exit(open(path, O_RDONLY) == 0 ? execl("/usr/bin/true", "true", NULL) : 127);
        for (int k = 0; k < 5000 && !sleeps(slow[i], "SD", "(true)"); k++) nap_ms(1);
    }
    pid_t quick = fork();
    if (quick == 0) execl("/usr/bin/true", "true", NULL), _exit(127);
    waitpid(quick, &status, 0), say_status("quick", status);
    if (open(now, O_RDONLY) >= 0) die("now");
    for (int i = 0; i < 12; i++) waitpid(slow[i], &status, 0);
    say_status("slow", status);
    return 0;
}

/// `asks-the-dead FOLDER`: as many wait for a file there as there may be hands for it; whoever does not goes on.
int tool_asks_the_dead(int argc, char **argv) {
    const char *folder = argument(argc, argv, 1);
    char path[PATH_MAX];
    pid_t waiting[5];
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "%s/%d", folder, i);
        if ((waiting[i] = fork()) == 0) _exit(open(path, O_RDONLY) < 0);
        while (!sleeps(waiting[i], "SD", "")) nap_ms(1);
    }
    enter_scratch();
    put("file", "text"), content("file", "file"), result("rename", rename("file", "other"));
    // An argument is nobody's business.
    pid_t child = fork();
    int status = -1;
    if (child == 0) execl("/usr/bin/true", "true", path, NULL), _exit(127);
    waitpid(child, &status, 0), say_status("true", status);
    leave_scratch();
    for (int i = 0; i < 5; i++) kill(waiting[i], SIGKILL);
    return 0;
}
