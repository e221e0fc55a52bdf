// Roads to an address that is denied. ALLOWED and DENIED are ports on 127.0.0.1; the listeners (`guest serve`) greet a
// connection with SECRET or PUBLIC, and answer a datagram with it.
#include "guest.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>

static int allowed_port, denied_port;
static struct sockaddr_in place;     // rewritten by a second thread
static _Atomic bool stop;

static struct sockaddr_in loopback(int port) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}
static void ports(int argc, char **argv) {
    allowed_port = atoi(argument(argc, argv, 1)), denied_port = atoi(argument(argc, argv, 2));
    place = loopback(allowed_port);
}
static void *flip_port(void *unused) {
    volatile uint16_t *port = &place.sin_port;
    uint16_t a = htons((uint16_t)allowed_port), b = htons((uint16_t)denied_port);
    while (!stop) { *port = b; *port = a; }
    return unused;
}
/// Waits for an answer; each datagram is looked at.
static bool answered(int fd, int wait_ms) {
    char text[16];
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    bool secret = false;
    while (poll(&poller, 1, wait_ms) > 0) {
        ssize_t n = recv(fd, text, sizeof text, MSG_DONTWAIT);
        if (n <= 0) break;
        if (n >= 6 && memcmp(text, "SECRET", 6) == 0) secret = true;
        if (secret) break;
        wait_ms = 0;
    }
    return secret;
}
static int tcp(void) {  // closes at once, without TIME_WAIT
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct linger now_ = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now_, sizeof now_);
    return fd;
}
static bool peer_is_denied(int fd) {
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    return getpeername(fd, (void *)&peer, &size) == 0 && ntohs(peer.sin_port) == denied_port;
}

int attack_race_sockaddr(int argc, char **argv) {  // HOW: connect, sendto, sendmsg, sendmmsg
    ports(argc, argv);
    const char *how = argument(argc, argv, 3);
    pthread_t thread;
    bool leaked = false;
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct iovec part = {"x", 1};
    struct sockaddr_in fixed = loopback(allowed_port);
    struct mmsghdr several[3] = {0};
    for (int i = 0; i < 3; i++) several[i].msg_hdr = (struct msghdr){.msg_name = i == 2 ? &place : &fixed, .msg_namelen = sizeof place, .msg_iov = &part, .msg_iovlen = 1};
    start(&thread, flip_port, NULL);
    double since = now();
    for (int i = 0; !leaked && !overdue(i, since); i++) {
        if (strcmp(how, "connect") == 0) {
            int fd = tcp();
            leaked = connect(fd, (void *)&place, sizeof place) == 0 && peer_is_denied(fd);
            close(fd);
            continue;
        }
        if (strcmp(how, "sendto") == 0) sendto(udp, "x", 1, 0, (void *)&place, sizeof place);
        else if (strcmp(how, "sendmsg") == 0) sendmsg(udp, &several[2].msg_hdr, 0);
        else sendmmsg(udp, several, 3, 0);
        leaked = answered(udp, 0);
    }
    stop = true;
    pthread_join(thread, NULL);
    return verdict(leaked || answered(udp, 200));
}

// A message that names nobody goes on by itself; so here it names somebody a moment later.
static struct msghdr *header;
static _Atomic bool flips;
static void *flip_name(void *unused) {
    void *volatile *name = &header->msg_name;
    double since = now();
    for (flips = true; !stop && now() - since < 2 * SECONDS;)
        for (int i = 0; i < 100; i++) { *name = &place; *name = NULL; }
    return unused;
}
static int flipping_process(void *unused) { flip_name(unused); _exit(0); }

int attack_race_header(int argc, char **argv) {  // HOW: thread, process
    ports(argc, argv);
    static char stack[65536] __attribute__((aligned(16)));
    bool is_thread = strcmp(argument(argc, argv, 3), "thread") == 0, leaked = false;
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct iovec part = {"x", 1};
    pthread_t thread;
    pid_t child = 0;
    place = loopback(denied_port);
    header = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *header = (struct msghdr){.msg_namelen = sizeof place, .msg_iov = &part, .msg_iovlen = 1};
    if (is_thread) start(&thread, flip_name, NULL);
    else if ((child = clone(flipping_process, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL)) < 0) die("clone");
    while (!flips) sched_yield();
    double since = now();
    // Unsupervised, all tries would be over before the other one runs.
    while (!leaked && now() - since < 1) sendmsg(udp, header, MSG_NOSIGNAL), leaked = answered(udp, 0);
    stop = true;
    if (is_thread) pthread_join(thread, NULL);
    else waitpid(child, NULL, 0);
    return verdict(leaked || answered(udp, 200));
}

static int sockets[2], moving;
static void *swap_socket(void *unused) {
    while (!stop) { dup2(sockets[0], moving); dup2(sockets[1], moving); }
    return unused;
}
int attack_race_socket_dup2(int argc, char **argv) {  // a unix socket and a TCP socket take turns; both may not reach DENIED
    ports(argc, argv);
    pthread_t thread;
    bool leaked = false;
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)denied_port)};
    inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr);
    struct sockaddr_in to = loopback(denied_port);
    sockets[0] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), sockets[1] = tcp();
    moving = fcntl(sockets[0], F_DUPFD_CLOEXEC, 10);
    start(&thread, swap_socket, NULL);
    double since = now();
    for (int i = 0; !leaked && !overdue(i, since); i++) {
        connect(moving, (void *)&to, sizeof to);
        connect(moving, (void *)&mapped, sizeof mapped);
        leaked = peer_is_denied(sockets[0]) || peer_is_denied(sockets[1]);
    }
    stop = true;
    pthread_join(thread, NULL);
    return verdict(leaked);
}

static bool reaches6(const char *host) {
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)denied_port)};
    inet_pton(AF_INET6, host, &to.sin6_addr);
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), udp = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool leaked = connect(fd, (void *)&to, sizeof to) == 0;
    if (sendto(udp, "x", 1, 0, (void *)&to, sizeof to) == 1) leaked |= answered(udp, 200);
    close(fd), close(udp);
    return leaked;
}
static bool reaches4(uint32_t host) {
    struct sockaddr_in to = loopback(denied_port);
    to.sin_addr.s_addr = htonl(host);
    int fd = tcp(), udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool leaked = connect(fd, (void *)&to, sizeof to) == 0;
    if (sendto(udp, "x", 1, 0, (void *)&to, sizeof to) == 1) leaked |= answered(udp, 200);
    if (connect(udp, (void *)&to, sizeof to) == 0 && send(udp, "x", 1, 0) == 1) leaked |= answered(udp, 200);
    close(fd), close(udp);
    return leaked;
}
int attack_mapped_v4(int argc, char **argv) { ports(argc, argv); return verdict(reaches6("::ffff:127.0.0.1") || reaches4(INADDR_LOOPBACK)); }
int attack_unspecified_address(int argc, char **argv) { ports(argc, argv); return verdict(reaches4(0) || reaches6("::") || reaches6("::ffff:0.0.0.0")); }

int attack_fastopen(int argc, char **argv) {
    ports(argc, argv);
    struct sockaddr_in to = loopback(denied_port);
    struct iovec part = {"x", 1};
    struct mmsghdr one = {.msg_hdr = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &part, .msg_iovlen = 1}};
    bool leaked = false;
    for (int way = 0; way < 4; way++) {
        int fd = tcp(), on = 1;
        long rc = -1;
        if (way == 0) rc = sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (void *)&to, sizeof to);
        else if (way == 1) rc = sendmsg(fd, &one.msg_hdr, MSG_FASTOPEN | MSG_NOSIGNAL);
        else if (way == 2) rc = sendmmsg(fd, &one, 1, MSG_FASTOPEN | MSG_NOSIGNAL);
        else if (setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on) == 0 && connect(fd, (void *)&to, sizeof to) == 0) rc = send(fd, "x", 1, MSG_NOSIGNAL);
        leaked |= rc > 0 || answered(fd, 50);
        close(fd);
    }
    return verdict(leaked);
}

int attack_udp_sendmmsg_last(int argc, char **argv) {
    ports(argc, argv);
    struct sockaddr_in good = loopback(allowed_port), bad = loopback(denied_port);
    struct iovec part = {"x", 1};
    struct mmsghdr many[64] = {0};
    for (int i = 0; i < 64; i++) many[i].msg_hdr = (struct msghdr){.msg_name = i == 63 ? &bad : &good, .msg_namelen = sizeof good, .msg_iov = &part, .msg_iovlen = 1};
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sendmmsg(udp, many, 64, 0);
    bool leaked = answered(udp, 300);
    // Connected to the one, sent to the other
    if (connect(udp, (void *)&good, sizeof good) == 0) { sendto(udp, "x", 1, 0, (void *)&bad, sizeof bad); }
    int other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    connect(other, (void *)&good, sizeof good), connect(other, &none, sizeof none);
    sendto(other, "x", 1, 0, (void *)&bad, sizeof bad);
    return verdict(leaked || answered(udp, 300) || answered(other, 300));
}

int attack_unix_abstract(int argc, char **argv) {  // NAME of an abstract socket, or with a slash a path
    const char *name = argument(argc, argv, 1);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    socklen_t length = sizeof to;
    if (*name == '/') strncpy(to.sun_path, name, sizeof to.sun_path - 1);
    else { strncpy(to.sun_path + 1, name, sizeof to.sun_path - 2); length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name)); }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return verdict(connect(fd, (void *)&to, length) == 0 && answered(fd, 1000));
}

/// `serve tcp|sink|udp|unix|unixgram|abstract WORD [NAME]`: prints `ready PORT`, then `accepted` or `received` for each; ends with its
/// stdin. A sink reads all that comes before it says its word, and how much that was.
int tool_serve(int argc, char **argv) {
    const char *kind = argument(argc, argv, 1), *word = argument(argc, argv, 2);
    bool local = strncmp(kind, "unix", 4) == 0 || strcmp(kind, "abstract") == 0, udp = strcmp(kind, "udp") == 0 || strcmp(kind, "unixgram") == 0;
    int fd = socket(local ? AF_UNIX : AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0), port = 0;
    if (local) {
        struct sockaddr_un at = {.sun_family = AF_UNIX};
        const char *name = argument(argc, argv, 3);
        bool hidden = kind[0] == 'a';
        strncpy(at.sun_path + hidden, name, sizeof at.sun_path - 2);
        if (bind(fd, (void *)&at, hidden ? (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name)) : sizeof at) < 0) die("bind");
        if (!hidden) chmod(name, 0777);
    } else {
        struct sockaddr_in at = loopback(argc > 3 ? atoi(argv[3]) : 0);
        socklen_t size = sizeof at;
        if (bind(fd, (void *)&at, sizeof at) < 0) die("bind");
        getsockname(fd, (void *)&at, &size), port = ntohs(at.sin_port);
    }
    if (!udp && listen(fd, 1024) < 0) die("listen");
    say("ready %d", port);
    // Nobody may be reading what is said from here on; a full pipe must not keep us from accepting.
    fcntl(1, F_SETFL, fcntl(1, F_GETFL) | O_NONBLOCK);
    struct pollfd both[2] = {{.fd = 0, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    char text[64];
    for (;;) {
        if (poll(both, 2, -1) < 0) continue;
        if (both[1].revents && udp) {
            struct sockaddr_storage from;
            socklen_t size = sizeof from;
            if (recvfrom(fd, text, sizeof text, 0, (void *)&from, &size) >= 0) { say("received"); sendto(fd, word, strlen(word), 0, (void *)&from, size); }
        } else if (both[1].revents) {
            int one = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
            size_t count = 0;
            if (kind[0] == 's') for (ssize_t n; (n = read(one, text, sizeof text)) > 0;) count += (size_t)n;
            if (kind[0] == 's') say("read %zu", count);
            if (one >= 0) { say("accepted"); send(one, word, strlen(word), MSG_NOSIGNAL); close(one); }
        } else if (both[0].revents && read(0, text, sizeof text) <= 0) return 0;
    }
}

/// So many bytes, no more, and then all that the other side says.
static void exchange(int fd, size_t left) {
    char text[4096] = {0};
    for (ssize_t n; left > 0; left -= (size_t)n)
        if ((n = send(fd, text, left < sizeof text ? left : sizeof text, MSG_NOSIGNAL)) < 0) die("send");
    shutdown(fd, SHUT_WR);
    while (read(fd, text, sizeof text) > 0) continue;
}

/// `talk PORT BYTES HOW`: a connection to a sink, and how it ends. `close` stays until its input ends. `dissolve` talks once more, over
/// the same socket; `early` asks for another address while it is connected, which is refused; `inherit` leaves the talking to a child.
int tool_talk(int argc, char **argv) {
    struct sockaddr_in to = loopback(atoi(argument(argc, argv, 1))), other = loopback(9);
    size_t bytes = (size_t)atol(argument(argc, argv, 2));
    const char *how = argument(argc, argv, 3);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (void *)&to, sizeof to) < 0) die("connect");
    if (how[0] == 'e' && how[1] == 'a' && connect(fd, (void *)&other, sizeof other) == 0) die("twice");
    if (how[0] == 'i') {
        pid_t child = fork();
        if (child == 0) { exchange(fd, bytes); _exit(0); }
        waitpid(child, NULL, 0);
    } else {
        exchange(fd, bytes);
    }
    if (how[0] == 'd') {
        struct sockaddr none = {.sa_family = AF_UNSPEC};
        if (connect(fd, &none, sizeof none) < 0 || connect(fd, (void *)&to, sizeof to) < 0) die("again");
        exchange(fd, bytes);
    }
    if (how[0] == 'k') raise(SIGKILL);
    if (how[0] != 'c') return 0;
    close(fd);
    say("closed");
    char text[1];
    while (read(0, text, 1) > 0) continue;
    return 0;
}
