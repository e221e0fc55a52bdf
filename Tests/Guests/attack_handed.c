// Open files from somebody outside (SCM_RIGHTS), by whichever socket there is.
#include "guest.h"

struct parcel { struct msghdr message; struct iovec part; char byte, space[CMSG_SPACE(sizeof(int))]; };
static struct msghdr *parcel(struct parcel *p, int fd) {
    *p = (struct parcel){.byte = 'x', .part = {&p->byte, 1}};
    p->message = (struct msghdr){.msg_iov = &p->part, .msg_iovlen = 1, .msg_control = p->space, .msg_controllen = sizeof p->space};
    *CMSG_FIRSTHDR(&p->message) = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&p->message)), &fd, sizeof fd);
    return &p->message;
}
static int received(int socket) {
    struct parcel p;
    int fd;
    parcel(&p, -1)->msg_controllen = sizeof p.space;
    if (recvmsg(socket, &p.message, 0) != 1 || !CMSG_FIRSTHDR(&p.message)) return -1;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&p.message)), sizeof fd);
    return fd;
}
static struct sockaddr_un at_path(const char *path, const char *suffix) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s%s", path, suffix);
    return at;
}

int attack_handed_descriptor(int argc, char **argv) {  // SOCKET: whoever connects gets one
    struct sockaddr_un to = at_path(argument(argc, argv, 1), "");
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return verdict(connect(fd, (void *)&to, sizeof to) == 0 && shows_secret(received(fd)));
}

int attack_returned_descriptor(int argc, char **argv) {  // SOCKET: who is given a socket there sends one back through it
    struct sockaddr_un to = at_path(argument(argc, argv, 1), "");
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), pair[2];
    struct parcel p;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || connect(fd, (void *)&to, sizeof to) < 0) return verdict(false);
    sendmsg(fd, parcel(&p, pair[0]), MSG_NOSIGNAL);
    close(fd), close(pair[0]);
    return verdict(shows_secret(received(pair[1])));
}

/// SOCKET: names that are bound, and somebody connects and brings one; by stream, by packets, by datagrams.
int attack_brought_descriptor(int argc, char **argv) {
    const char *path = argument(argc, argv, 1);
    bool leaked = false;
    for (int i = 0; i < 3; i++) {
        struct sockaddr_un at = at_path(path, (const char *[]){".stream", ".packets", ".datagrams"}[i]);
        int type = (int[]){SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM}[i], fd = socket(AF_UNIX, type, 0);
        if (bind(fd, (void *)&at, sizeof at) < 0 || (type != SOCK_DGRAM && listen(fd, 1) < 0)) die("bind");
        int from = type == SOCK_DGRAM ? fd : accept(fd, NULL, NULL);
        leaked |= shows_secret(received(from));
        close(from), close(fd), unlink(at.sun_path);
    }
    return verdict(leaked);
}

/// Tells who brings one the name that a socket has got without bind(2).
static void tell_name(int fd, const char *path) {
    struct sockaddr_un own;
    socklen_t length = sizeof own;
    char temporary[PATH_MAX], at[PATH_MAX];
    snprintf(temporary, sizeof temporary, "%s.new", path), snprintf(at, sizeof at, "%s.name", path);
    if (getsockname(fd, (void *)&own, &length) < 0 || length <= 3) die("no name");
    int file = open(temporary, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
    if (write(file, &own, length) != (ssize_t)length || rename(temporary, at) < 0) die("name");
    close(file);
}

/// SOCKET: names that sockets get when they send or connect, which SO_PASSCRED and SO_PASSPIDFD do.
int attack_named_descriptor(int argc, char **argv) {
    const char *path = argument(argc, argv, 1);
    struct sockaddr_un own = at_path(path, ".own"), full = at_path(path, ".full");
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    const int on = 1;
    bool leaked = false;
    for (int i = 0; i < 4; i++) {
        int pair[2], server = socket(AF_UNIX, SOCK_DGRAM, 0);
        unlink(own.sun_path);
        if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0 || bind(server, (void *)&own, sizeof own) < 0) die("bind");
        int fd = i < 3 ? pair[0] : socket(AF_UNIX, SOCK_DGRAM, 0);
        setsockopt(fd, SOL_SOCKET, i == 1 ? 76 /* SO_PASSPIDFD */ : SO_PASSCRED, &on, sizeof on);
        if (i == 3) sendto(fd, "x", 1, 0, (void *)&own, sizeof own);
        else write(fd, "x", 1);
        // Its other end goes, and it has not.
        if (i < 2) close(pair[1]), write(fd, "x", 1);
        if (i == 2) connect(fd, &none, sizeof none);
        tell_name(fd, path), leaked |= shows_secret(received(fd)), close(fd), close(server);
    }
    int server = socket(AF_UNIX, SOCK_STREAM, 0), fd = -1, refused = 0;
    if (bind(server, (void *)&full, sizeof full) < 0 || listen(server, 0) < 0) die("bind");
    for (int i = 0; i < 4 && refused == 0; i++) {  // nobody takes them
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
        setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
        refused = connect(fd, (void *)&full, sizeof full);
    }
    if (refused == 0 || listen(fd, 4) < 0 || fcntl(fd, F_SETFL, 0) < 0) die("listen");
    tell_name(fd, path);
    leaked |= shows_secret(received(accept(fd, NULL, NULL)));
    unlink(own.sun_path), unlink(full.sun_path);
    return verdict(leaked);
}

int attack_streamed_descriptor(int argc, char **argv) {  // standard input is a socket; who has the other end is asked for one
    (void)argc, (void)argv;
    return verdict(write(0, "x", 1) == 1 && shows_secret(received(0)));
}

static struct sockaddr_un abstract_name(const char *path) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memccpy(at.sun_path + 1, path, 0, sizeof at.sun_path - 1);
    return at;
}

int attack_squatted_name(int argc, char **argv) {  // SOCKET: a name that was the session's own, and is somebody else's now
    const char *path = argument(argc, argv, 1);
    struct sockaddr_un name = abstract_name(path), sign = at_path(path, ".squatted");
    int own = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(own, (void *)&name, sizeof name) < 0 || close(own) < 0) die("bind");
    put(sign.sun_path, "");
    while (connect(fd, (void *)&name, sizeof name) < 0) nap_ms(1);
    unlink(sign.sun_path);
    return verdict(shows_secret(received(fd)));
}

/// SOCKET: a name that is bound, and the moment it is there the socket of somebody else has it.
int attack_claimed_name(int argc, char **argv) {
    struct sockaddr_un to = at_path(argument(argc, argv, 1), ""), at = at_path(argv[1], ".claimed"), sign = at_path(argv[1], ".claims");
    bool leaked = false;
    struct stat theirs, there;
    if (lstat(to.sun_path, &theirs) < 0) die("no socket");
    put(sign.sun_path, "");
    for (int i = 0; i < 20 && !leaked; i++) {
        int server = socket(AF_UNIX, SOCK_STREAM, 0), fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (bind(server, (void *)&at, sizeof at) < 0) die("bind");
        while (lstat(at.sun_path, &there) < 0 || there.st_ino != theirs.st_ino) sched_yield();
        leaked = connect(fd, (void *)&at, sizeof at) == 0 && shows_secret(received(fd));
        if (rename(at.sun_path, to.sun_path) < 0) die("rename");
        close(fd), close(server);
    }
    unlink(sign.sun_path);
    return verdict(leaked);
}

/// What lies at the two names changes places as soon as there is something else at the second.
static void *claim(void *socket) {
    struct sockaddr_un at = at_path(socket, ""), other = at_path(socket, ".claimed"), sign = at_path(socket, ".claims");
    struct stat own, there;
    if (lstat(at.sun_path, &own) < 0) die("no socket");
    while (true) {
        if (access(sign.sun_path, F_OK) < 0) nap_ms(1);
        else if (lstat(other.sun_path, &there) == 0 && there.st_ino != own.st_ino)
            syscall(SYS_renameat2, AT_FDCWD, at.sun_path, AT_FDCWD, other.sun_path, 2 /* RENAME_EXCHANGE */);
    }
    return NULL;
}

/// `hand SOCKET FILE`: FILE, open, to everybody who connects, and through what these send, until standard input ends; also by an
/// abstract name, once somebody has had it.
int tool_hand(int argc, char **argv) {
    struct sockaddr_un at = at_path(argument(argc, argv, 1), ""), sign = at_path(argv[1], ".squatted"), name = abstract_name(argv[1]);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), file = open(argument(argc, argv, 2), O_RDONLY);
    if (file < 0 || bind(fd, (void *)&at, sizeof at) < 0 || listen(fd, 16) < 0) die("hand");
    chmod(at.sun_path, 0777);
    pthread_t thread;
    start(&thread, claim, argv[1]);
    say("ready");
    struct parcel p;
    int late = socket(AF_UNIX, SOCK_STREAM, 0);
    bool is_late = true;
    struct pollfd all[3] = {{.fd = 0, .events = POLLIN}, {.fd = fd, .events = POLLIN}, {.fd = late, .events = POLLIN}};
    while (poll(all, is_late ? 2 : 3, is_late ? 1 : -1) >= 0 && !all[0].revents) {
        if (is_late) is_late = access(sign.sun_path, F_OK) < 0 || bind(late, (void *)&name, sizeof name) < 0 || listen(late, 16) < 0;
        if (!all[1].revents && (is_late || !all[2].revents)) continue;
        int one = accept(all[1].revents ? fd : late, NULL, NULL);
        sendmsg(one, parcel(&p, file), MSG_NOSIGNAL), shutdown(one, SHUT_WR);
        int given = received(one);
        if (given >= 0) sendmsg(given, parcel(&p, file), MSG_NOSIGNAL), close(given);
        close(one);
    }
    return 0;
}

/// Where the socket of that kind is: below `path`, or by the name that is told there. 0: nowhere.
static socklen_t place(const char *path, int kind, struct sockaddr_un *to) {
    *to = at_path(path, (const char *[]){".stream", ".packets", ".datagrams", ".name", ".name"}[kind]);
    if (kind < 3) return sizeof *to;
    int file = open(to->sun_path, O_RDONLY | O_CLOEXEC);
    ssize_t n = read(file, to, sizeof *to);
    close(file);
    return n > 0 ? (socklen_t)n : 0;
}

/// `bring SOCKET FILE`: FILE, open, to whoever listens on what is bound there, again and again, until standard input ends.
int tool_bring(int argc, char **argv) {
    int file = open(argument(argc, argv, 2), O_RDONLY);
    if (file < 0) die("bring");
    say("ready");
    struct parcel p;
    struct pollfd end = {.fd = 0, .events = POLLIN};
    for (int i = 0; poll(&end, 1, 1) == 0; i = (i + 1) % 5) {
        struct sockaddr_un to;
        socklen_t length = place(argv[1], i, &to);
        int fd = socket(AF_UNIX, (int[]){SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM, SOCK_DGRAM, SOCK_STREAM}[i], 0);
        // Whoever takes no descriptors gets a message without one.
        if (length > 0 && connect(fd, (void *)&to, length) == 0 && sendmsg(fd, parcel(&p, file), MSG_NOSIGNAL) < 0 && errno == EPERM) send(fd, "x", 1, MSG_NOSIGNAL);
        close(fd);
    }
    return 0;
}

/// `stream HOW FILE CMD…`: CMD, with a socket for standard input, through which FILE comes: `before` it runs, or when it `asks`.
int tool_stream(int argc, char **argv) {
    bool before = strcmp(argument(argc, argv, 1), "before") == 0;
    int file = open(argument(argc, argv, 2), O_RDONLY), pair[2];
    struct parcel p;
    char byte;
    if (file < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) die("stream");
    // Not the first of what is in it.
    if (before && (write(pair[1], "x", 1) != 1 || sendmsg(pair[1], parcel(&p, file), 0) != 1)) die("sendmsg");
    pid_t child = fork();
    if (child == 0) {
        close(pair[0]);
        if (read(pair[1], &byte, 1) == 1) sendmsg(pair[1], parcel(&p, file), MSG_NOSIGNAL);
        _exit(0);
    }
    dup2(pair[0], 0), close(pair[0]), close(pair[1]), close(file);
    execvp(argument(argc, argv, 3), argv + 3);
    die(argv[3]);
}
