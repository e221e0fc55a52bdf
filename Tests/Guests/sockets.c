// Socket calls that carry an address.
#include "sockets.h"

int port_of(int fd) {
    struct sockaddr_storage s;
    socklen_t n = sizeof s;
    if (getsockname(fd, SA(s), &n) < 0) return -1;
    return ntohs(s.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&s)->sin6_port : ((struct sockaddr_in *)&s)->sin_port);
}
int bound(int family, int type, const void *address, socklen_t length) {
    int fd = socket(family, type | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, address, length) < 0) return close(fd), -1;
    if (type == SOCK_STREAM) listen(fd, 16);
    return fd;
}
void name_of(const char *label, int fd, bool peer) {
    struct sockaddr_storage s;
    memset(&s, 0xee, sizeof s);
    socklen_t n = sizeof s;
    long rc = peer ? getpeername(fd, SA(s), &n) : getsockname(fd, SA(s), &n);
    if (rc < 0) { result(label, rc); return; }
    char text[300];
    int at = snprintf(text, sizeof text, "family=%d length=%u ", s.ss_family, n);
    size_t from = s.ss_family == AF_INET ? 4 : s.ss_family == AF_INET6 ? 8 : 2;
    for (size_t i = from; i < n && at < 280; i++) at += snprintf(text + at, sizeof text - (size_t)at, "%02x", ((unsigned char *)&s)[i]);
    say("%s: %s", label, text);
}
void try_connect(const char *label, int family, int type, const void *address, socklen_t length, int listener) {
    int fd = socket(family, type, 0);
    long rc = connect(fd, address, length);
    result(label, rc);
    if (rc == 0) {
        name_of("  peer", fd, true);
        if (listener >= 0) {
            int other = accept(listener, NULL, NULL);
            char text[8] = "";
            say("  talk: %d %d", (int)write(fd, "hello", 5), (int)read(other, text, sizeof text));
            close(other);
        }
    }
    close(fd);
}

static void streams(void) {
    struct sockaddr_in any = v4(INADDR_LOOPBACK, 0), refused = v4(INADDR_LOOPBACK, 1);
    int l4 = bound(AF_INET, SOCK_STREAM, AT(any)), port = port_of(l4);
    struct sockaddr_in to = v4(INADDR_LOOPBACK, port), zero = v4(0, port);
    try_connect("TCP v4", AF_INET, SOCK_STREAM, AT(to), l4);
    try_connect("TCP 0.0.0.0", AF_INET, SOCK_STREAM, AT(zero), l4);
    try_connect("TCP refused", AF_INET, SOCK_STREAM, AT(refused), -1);
    struct sockaddr_in6 any6 = v6("::1", 0), mapped = v6("::ffff:127.0.0.1", port), mapped_zero = v6("::ffff:0.0.0.0", port);
    try_connect("TCP v4-mapped", AF_INET6, SOCK_STREAM, AT(mapped), l4);
    try_connect("TCP v4-mapped zero", AF_INET6, SOCK_STREAM, AT(mapped_zero), l4);
    int l6 = bound(AF_INET6, SOCK_STREAM, AT(any6));
    struct sockaddr_in6 to6 = v6("::1", port_of(l6)), none6 = v6("::", port_of(l6));
    try_connect("TCP v6", AF_INET6, SOCK_STREAM, AT(to6), l6);
    try_connect("TCP ::", AF_INET6, SOCK_STREAM, AT(none6), l6);
    to6.sin6_flowinfo = htonl(5), to6.sin6_scope_id = 1;
    try_connect("TCP v6 with flow and scope", AF_INET6, SOCK_STREAM, AT(to6), l6);
    try_connect("v6 address on a v4 socket", AF_INET, SOCK_STREAM, AT(to6), -1);
    try_connect("v4 address on a v6 socket", AF_INET6, SOCK_STREAM, AT(to), l4);
    try_connect("unix address on a v4 socket", AF_INET, SOCK_STREAM, AT(((struct sockaddr_un){.sun_family = AF_UNIX})), -1);
    const socklen_t lengths[] = {0, 1, 2, 7, 8, 15, 16, 17, 28, 128, 129, 0x7fffffff, (socklen_t)-1};
    char storage[256] = {0}, label[64];
    memcpy(storage, &to, sizeof to);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        snprintf(label, sizeof label, "connect, length %d", (int)lengths[i]);
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        long rc = connect(fd, (void *)storage, lengths[i]);
        result(label, rc);
        if (rc == 0) close(accept(l4, NULL, NULL));
        close(fd);
        snprintf(label, sizeof label, "bind, length %d", (int)lengths[i]);
        fd = socket(AF_INET, SOCK_STREAM, 0);
        ((struct sockaddr_in *)storage)->sin_port = 0;
        result(label, bind(fd, (void *)storage, lengths[i]));
        ((struct sockaddr_in *)storage)->sin_port = htons((uint16_t)port);
        close(fd);
    }
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    result("connect NULL", connect(fd, NULL, 16));
    result("connect bad pointer", connect(fd, (void *)1, 16));
    struct sockaddr *edge = (void *)unmapped_edge(16);
    memcpy(edge, &to, 16);
    result("connect over the edge", connect(fd, edge, 17));
    result("connect at the edge", connect(fd, edge, 16));
    close(accept(l4, NULL, NULL));
    result("connect again", connect(fd, SA(to), sizeof to));
    struct sockaddr unspecified = {.sa_family = AF_UNSPEC};
    result("disconnect", connect(fd, &unspecified, sizeof unspecified));
    name_of("peer after it", fd, true);
    result("connect anew", connect(fd, SA(to), sizeof to));
    close(accept(l4, NULL, NULL)), close(fd);
    result("connect a file", (fd = open("/dev/null", O_RDWR), connect(fd, SA(to), sizeof to)));
    result("connect a closed descriptor", connect(999, SA(to), sizeof to));
    close(fd);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    long rc = connect(fd, SA(to), sizeof to);
    say("not blocking: %s", rc == 0 || errno == EINPROGRESS ? "under way" : outcome(rc));
    struct pollfd poller = {.fd = fd, .events = POLLOUT};
    int error = -1;
    socklen_t size = sizeof error;
    say("poll %d", poll(&poller, 1, 5000)), getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size), say("SO_ERROR %d", error);
    close(accept(l4, NULL, NULL)), close(fd);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    rc = connect(fd, SA(refused), sizeof refused);
    say("not blocking, refused: %s", errno == EINPROGRESS || errno == ECONNREFUSED ? "refused or under way" : outcome(rc));
    poller.fd = fd, poll(&poller, 1, 5000), close(fd);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    long sent = sendto(fd, "fast", 4, MSG_FASTOPEN, AT(to));
    result("MSG_FASTOPEN", sent);
    if (sent >= 0) close(accept(l4, NULL, NULL));
    close(fd);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    result("sendto on a stream that is not connected", sendto(fd, "x", 1, MSG_NOSIGNAL, AT(to)));
    result("send on it", send(fd, "x", 1, MSG_NOSIGNAL));
    close(fd), close(l4), close(l6);
}

static void *connect_it(void *argument) { long *a = argument; a[1] = connect((int)a[0], (void *)a[2], sizeof(struct sockaddr_in)); a[3] = errno; a[4] = 1; return NULL; }
static void nothing(int s) { (void)s; }

static void blocking(void) {  // a full backlog on loopback: the next connect waits for the third step of the handshake
    struct sockaddr_in any = v4(INADDR_LOOPBACK, 0);
    int listener = socket(AF_INET, SOCK_STREAM, 0), fillers[8];
    if (bind(listener, AT(any)) < 0) die("bind");
    listen(listener, 0);
    struct sockaddr_in to = v4(INADDR_LOOPBACK, port_of(listener));
    for (int i = 0; i < 8; i++) { fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0); connect(fillers[i], AT(to)); }
    struct sigaction action = {.sa_handler = nothing};
    sigaction(SIGUSR1, &action, NULL);
    volatile long state[5] = {socket(AF_INET, SOCK_STREAM, 0), 0, (long)&to, 0, 0};
    pthread_t thread;
    start(&thread, connect_it, (void *)state);
    opened("others go on while a connect waits", open("/dev/null", O_RDONLY));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in refused = v4(INADDR_LOOPBACK, 1);
    result("other connects as well", connect(fd, AT(refused)));
    for (int i = 0; i < 20000 && !state[4]; i++) { pthread_kill(thread, SIGUSR1); nap_ms(1); }
    pthread_join(thread, NULL);
    errno = (int)state[3];
    result("waiting connect ended by a signal", state[1]);
    // From here the kernel goes on by itself: the same call says so.
    errno = 0;
    int flags = fcntl((int)state[0], F_GETFL);
    fcntl((int)state[0], F_SETFL, flags | O_NONBLOCK);
    result("asked again", connect((int)state[0], AT(to)));
    for (int i = 0; i < 8; i++) close(fillers[i]);
    close((int)state[0]), close(fd), close(listener);
    int timed = socket(AF_INET, SOCK_STREAM, 0);
    struct timeval limit = {0, 100000};
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, AT(any)) < 0) die("bind");
    listen(listener, 0), to = v4(INADDR_LOOPBACK, port_of(listener));
    for (int i = 0; i < 8; i++) { fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0); connect(fillers[i], AT(to)); }
    setsockopt(timed, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    result("SO_SNDTIMEO", connect(timed, AT(to)));
    for (int i = 0; i < 8; i++) close(fillers[i]);
    close(timed), close(listener);
}

static void datagrams(void) {
    struct sockaddr_in any = v4(INADDR_LOOPBACK, 0);
    struct sockaddr_in6 any6 = v6("::1", 0);
    int in = bound(AF_INET, SOCK_DGRAM, AT(any)), in6 = bound(AF_INET6, SOCK_DGRAM, AT(any6)), out = socket(AF_INET, SOCK_DGRAM, 0), out6 = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in to = v4(INADDR_LOOPBACK, port_of(in));
    struct sockaddr_in6 to6 = v6("::1", port_of(in6)), mapped = v6("::ffff:127.0.0.1", port_of(in));
    char text[64], extra[8] = "second";
    struct iovec parts[2] = {{"first ", 6}, {extra, 6}};
    struct msghdr message = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = parts, .msg_iovlen = 2};
#define ARRIVES(label, fd) do { memset(text, 0, sizeof text); long n_ = recv(fd, text, sizeof text - 1, MSG_DONTWAIT); say("  arrives: %ld %s", n_, text); } while (0)
    result("sendto v4", sendto(out, "one", 3, 0, AT(to))); ARRIVES("", in);
    result("sendto v6", sendto(out6, "two", 3, 0, AT(to6))); ARRIVES("", in6);
    result("sendto v4-mapped", sendto(out6, "three", 5, 0, AT(mapped))); ARRIVES("", in);
    result("sendto empty", sendto(out, "", 0, 0, AT(to))); ARRIVES("", in);
    result("sendto no address", sendto(out, "x", 1, 0, NULL, 0));
    result("sendto NULL with a length", sendto(out, "x", 1, 0, NULL, 16));
    result("sendto bad pointer", sendto(out, "x", 1, 0, (void *)1, 16));
    result("sendto length 3", sendto(out, "x", 1, 0, SA(to), 3));
    result("sendto length 200", sendto(out, "x", 1, 0, SA(to), 200));
    result("sendto bad data", sendto(out, (void *)1, 10, 0, AT(to)));
    result("sendto too long", sendto(out, calloc(1, 70000), 70000, 0, AT(to)));
    result("sendmsg", sendmsg(out, &message, 0)); ARRIVES("", in);
    struct cmsghdr *control = calloc(1, CMSG_SPACE(sizeof(int)));
    *control = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = IPPROTO_IP, .cmsg_type = 2 /* IP_TTL */};
    *(int *)CMSG_DATA(control) = 5;
    message.msg_control = control, message.msg_controllen = CMSG_SPACE(sizeof(int));
    result("sendmsg with control data", sendmsg(out, &message, 0)); ARRIVES("", in);
    message.msg_control = NULL, message.msg_controllen = 0;
    struct mmsghdr several[4];
    for (int i = 0; i < 4; i++) several[i] = (struct mmsghdr){.msg_hdr = message};
    several[1].msg_hdr.msg_iovlen = 1;
    result("sendmmsg", 0), say("  sent %d, lengths", sendmmsg(out, several, 4, 0));
    for (int i = 0; i < 4; i++) { say("  %u", several[i].msg_len); ARRIVES("", in); }
    several[2].msg_hdr.msg_name = (void *)1;
    say("sendmmsg, the third is bad: %d", sendmmsg(out, several, 4, 0));
    for (int i = 0; i < 3; i++) ARRIVES("", in);
    several[0].msg_hdr.msg_name = (void *)1;
    result("sendmmsg, the first is bad", sendmmsg(out, several, 4, 0));
    result("sendmmsg of none", sendmmsg(out, several, 0, 0));
    result("sendmmsg NULL", sendmmsg(out, NULL, 1, 0));
    result("sendmsg NULL", sendmsg(out, NULL, 0));
    struct iovec bad_part = {(void *)1, 10};
    struct msghdr bad = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &bad_part, .msg_iovlen = 1};
    result("sendmsg bad data", sendmsg(out, &bad, 0));
    bad.msg_iov = (void *)1;
    result("sendmsg bad vector", sendmsg(out, &bad, 0));
    bad.msg_iov = parts, bad.msg_iovlen = 2000;
    result("sendmsg too many parts", sendmsg(out, &bad, 0));
    result("connect UDP", connect(out, AT(to)));
    message.msg_name = NULL, message.msg_namelen = 0;
    result("connected, no name", sendmsg(out, &message, 0)); ARRIVES("", in);
    result("connected, with name", sendto(out, "named", 5, 0, AT(to))); ARRIVES("", in);
    struct sockaddr unspecified = {.sa_family = AF_UNSPEC};
    result("disconnect", connect(out, &unspecified, sizeof unspecified));
    result("no name any more", sendmsg(out, &message, 0));
    close(in), close(in6), close(out), close(out6), free(control);
}

int guest_sockets(int argc, char **argv) {
    (void)argc, (void)argv;
    streams();
    blocking();
    datagrams();
    return 0;
}
