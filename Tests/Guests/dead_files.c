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

/// `dead-files FOLDER`: mounts a file system there that never says what is in it, until standard input ends.
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
        } else if (in->opcode == FUSE_GETATTR) {
            struct fuse_attr_out out = {.attr_valid = 1000000, .attr = {.ino = 1, .mode = S_IFDIR | 0755, .nlink = 2}};
            reply(device, in->unique, &out, sizeof out);
        }
    }
    umount2(folder, MNT_DETACH);
    close(device);
    return 0;
}

/// It has nothing else to sleep in than its next call.
static bool sleeps(pid_t pid) {
    char path[64], line[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(fd, line, sizeof line - 1);
    close(fd);
    const char *state = n > 0 ? strrchr(line, ')') : NULL;
    return state && strchr("SD", state[2]);
}

/// `asks-the-dead FOLDER`: as many wait for a file there as there may be hands for it; whoever does not goes on.
int tool_asks_the_dead(int argc, char **argv) {
    const char *folder = argument(argc, argv, 1);
    char path[PATH_MAX];
    pid_t waiting[5];
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "%s/%d", folder, i);
        if ((waiting[i] = fork()) == 0) _exit(open(path, O_RDONLY) < 0);
        while (!sleeps(waiting[i])) nap_ms(1);
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
