// Roads to a unix socket that is denied. SOCKET is its path; beside it `SOCKET.datagrams` takes datagrams (`guest serve`).
// The folder it lies in may be written and is denied by no list of files.
#include "guest.h"
#include <stddef.h>

static const char *target;

static socklen_t named(struct sockaddr_un *a, const char *name) {
    *a = (struct sockaddr_un){.sun_family = AF_UNIX};
    size_t n = strlen(name);
    if (n > sizeof a->sun_path) n = sizeof a->sun_path;
    memcpy(a->sun_path, name, n);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}
static bool reaches(const char *name) {
    struct sockaddr_un to;
    char text[6] = "";
    socklen_t length = named(&to, name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    bool leaked = connect(fd, (void *)&to, length) == 0 && poll(&p, 1, 1000) > 0 && recv(fd, text, 6, 0) == 6 && memcmp(text, "SECRET", 6) == 0;
    close(fd);
    return leaked;
}

int attack_unix_names(int argc, char **argv) {  // by every spelling; then by another name, and from another folder
    target = argument(argc, argv, 1);
    char folder[PATH_MAX], path[PATH_MAX + 64], moved[PATH_MAX + 64];
    snprintf(folder, sizeof folder, "%s", target);
    char *name = strrchr(folder, '/');
    *name++ = 0;
    enter_scratch();
    bool leaked = reaches(target);
    symlink(target, "link"), leaked |= reaches("link");
    symlink(folder, "folder"), snprintf(path, sizeof path, "folder/../%s/%s", strrchr(folder, '/') + 1, name), leaked |= reaches(path);
    snprintf(path, sizeof path, "/proc/self/root%s", target), leaked |= reaches(path);
    int fd = open(target, O_PATH | O_CLOEXEC), dir = open(folder, O_PATH | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd), leaked |= reaches(path);
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir, name), leaked |= reaches(path);
    leaked |= link(target, "hard") == 0 && reaches("hard");
    leaked |= linkat(fd, "", AT_FDCWD, "hard2", AT_EMPTY_PATH) == 0 && reaches("hard2");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    leaked |= linkat(AT_FDCWD, path, AT_FDCWD, "hard3", AT_SYMLINK_FOLLOW) == 0 && reaches("hard3");
    if (rename(target, "taken") == 0) { leaked |= reaches("taken"); rename("taken", target); }
    snprintf(moved, sizeof moved, "%s.away", folder);
    if (rename(folder, moved) == 0) { snprintf(path, sizeof path, "%s/%s", moved, name); leaked |= reaches(path); rename(moved, folder); }
    if (fchdir(dir) == 0) leaked |= reaches(name);
    if (chdir(scratch) < 0) die("chdir");
    leave_scratch();
    return verdict(leaked);
}

int attack_unix_linked_before(int argc, char **argv) {  // LINK is another name of SOCKET, from before
    target = argument(argc, argv, 1);
    return verdict(reaches(argument(argc, argv, 2)));
}

/// The current folder is where sockets may be talked to, and SOCKET lies elsewhere: alone and with its folder, it is brought here.
int attack_unix_moved(int argc, char **argv) {
    target = argument(argc, argv, 1);
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s", target);
    char *name = strrchr(folder, '/');
    *name = 0;
    bool leaked = link(target, "hard") == 0 && reaches("hard");
    if (rename(target, "taken") == 0) { leaked |= reaches("taken"); rename("taken", target); }
    mkdir("empty", 0700);
    if (renameat2(AT_FDCWD, target, AT_FDCWD, "empty", 2 /* RENAME_EXCHANGE */) == 0) { leaked |= reaches("empty"); renameat2(AT_FDCWD, target, AT_FDCWD, "empty", 2); }
    rmdir("empty");
    if (rename(folder, "with") == 0) { leaked |= reaches("with/socket"); rename("with", folder); }
    return verdict(leaked);
}

int attack_unix_datagram(int argc, char **argv) {  // a datagram needs no connection: sendto, sendmsg, sendmmsg
    char path[PATH_MAX + 16], reply[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s.datagrams", argument(argc, argv, 1));
    bool leaked = false;
    enter_scratch();
    for (int way = 0; way < 5; way++) {
        struct sockaddr_un to, own;
        snprintf(reply, sizeof reply, "%s/reply%d", scratch, way);
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        bind(fd, (void *)&own, named(&own, reply));
        struct iovec part = {"x", 1};
        socklen_t length = named(&to, path);
        struct mmsghdr one = {.msg_hdr = {.msg_name = &to, .msg_namelen = length, .msg_iov = &part, .msg_iovlen = 1}};
        if (way == 0) sendto(fd, "x", 1, 0, (void *)&to, length);
        else if (way == 1) sendmsg(fd, &one.msg_hdr, 0);
        else if (way == 2) sendmmsg(fd, &one, 1, 0);
        else if (way == 3 && connect(fd, (void *)&to, length) == 0) send(fd, "x", 1, 0);
        else if (way == 4) { symlink(path, "alias"); sendto(fd, "x", 1, 0, (void *)&to, named(&to, "alias")); }
        struct pollfd p = {.fd = fd, .events = POLLIN};
        char text[6] = "";
        leaked |= poll(&p, 1, 200) > 0 && recv(fd, text, 6, 0) == 6 && memcmp(text, "SECRET", 6) == 0;
        close(fd);
    }
    leave_scratch();
    return verdict(leaked);
}

static _Atomic bool stop;
static int kinds[2], moving;
static void *swap(void *unused) {
    while (!stop) { dup2(kinds[0], moving); dup2(kinds[1], moving); }
    return unused;
}
/// A datagram socket takes the place of a stream one during the call, and the other way round.
int attack_race_unix_dup2(int argc, char **argv) {
    target = argument(argc, argv, 1);
    pthread_t thread;
    bool leaked = false;
    struct sockaddr_un to;
    socklen_t length = named(&to, target);
    kinds[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), kinds[1] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    moving = fcntl(kinds[0], F_DUPFD_CLOEXEC, 10);
    start(&thread, swap, NULL);
    double since = now();
    for (int i = 0; i < 2000 && !leaked && now() - since < SECONDS; i++) {
        struct pollfd p = {.fd = kinds[0], .events = POLLIN};
        char text[6] = "";
        leaked = connect(moving, (void *)&to, length) == 0 && poll(&p, 1, 100) > 0 && recv(kinds[0], text, 6, 0) == 6;
        sendto(moving, "x", 1, MSG_DONTWAIT, (void *)&to, length);
    }
    stop = true;
    pthread_join(thread, NULL);
    return verdict(leaked);
}
