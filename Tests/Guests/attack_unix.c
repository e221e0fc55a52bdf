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

/// Another program's shared memory and queues (SysV, POSIX), made by `guest share NAME` outside: SECRET in each.
int attack_shared_ipc(int argc, char **argv) {
    int key = atoi(argument(argc, argv, 1));
    char name[32];
    bool leaked = false;
    int shm = (int)syscall(SYS_shmget, key, 0, 0);
    char *text = shm < 0 ? (char *)-1 : (char *)syscall(SYS_shmat, shm, NULL, 010000 /* SHM_RDONLY */);
    leaked |= text != (char *)-1 && memcmp(text, "SECRET", 6) == 0;
    struct { long type; char text[16]; } message = {0};
    int queue = (int)syscall(SYS_msgget, key, 0);
    leaked |= queue >= 0 && syscall(SYS_msgrcv, queue, &message, sizeof message.text, 0, 040000 | 04000 /* MSG_COPY | IPC_NOWAIT */) > 0;
    leaked |= syscall(SYS_semget, key, 0, 0) >= 0;
    snprintf(name, sizeof name, "guest%d", key);
    leaked |= syscall(SYS_mq_open, name, O_RDONLY | O_NONBLOCK, 0, NULL) >= 0;
    return verdict(leaked);
}

/// `share KEY`: memory, a queue and semaphores under that key, and a POSIX queue; removed when its stdin ends.
int tool_share(int argc, char **argv) {
    int key = atoi(argument(argc, argv, 1));
    char name[32], text[16];
    struct { long type; char text[16]; } message = {1, "SECRET"};
    int shm = (int)syscall(SYS_shmget, key, 4096, 0600 | 01000 /* IPC_CREAT */), queue = (int)syscall(SYS_msgget, key, 0600 | 01000);
    int semaphores = (int)syscall(SYS_semget, key, 1, 0600 | 01000);
    char *memory = (char *)syscall(SYS_shmat, shm, NULL, 0);
    if (shm < 0 || queue < 0 || semaphores < 0 || memory == (char *)-1) die("shmget, msgget, semget");
    memcpy(memory, "SECRET", 6);
    syscall(SYS_msgsnd, queue, &message, 6, 0);
    snprintf(name, sizeof name, "guest%d", key);
    int posix = (int)syscall(SYS_mq_open, name, O_RDWR | O_CREAT, 0600, NULL);
    say("ready");
    while (read(0, text, sizeof text) > 0) {}
    syscall(SYS_shmctl, shm, 0 /* IPC_RMID */, NULL), syscall(SYS_msgctl, queue, 0, NULL), syscall(SYS_semctl, semaphores, 0, 0, NULL);
    if (posix >= 0) syscall(SYS_mq_unlink, name);
    return 0;
}
