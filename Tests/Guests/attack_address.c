// Other spellings of a denied address, other sockets that would reach it. DENIED is a port on 127.0.0.1, see attack_net.c.
#include "guest.h"
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

static int denied_port;
static struct sockaddr_in v4(uint32_t host, int port) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(host)};
}
static struct sockaddr_in6 v6(const char *host, int port) {
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    inet_pton(AF_INET6, host, &a.sin6_addr);
    return a;
}
static bool answers(int fd) {
    char text[6] = "";
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 200) > 0 && recv(fd, text, sizeof text, MSG_DONTWAIT) == 6 && memcmp(text, "SECRET", 6) == 0;
}
/// Connects and asks, as a stream and as datagrams: connected, and with the address beside the bytes.
static bool reaches(int family, const void *own, const void *to, socklen_t size) {
    bool leaked = false;
    for (int way = 0; way < 3; way++) {
        int fd = socket(family, (way ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
        if (own && bind(fd, own, size) < 0) { close(fd); continue; }
        if (way < 2) leaked |= connect(fd, to, size) == 0 && (way == 0 || send(fd, "x", 1, 0) == 1) && answers(fd);
        else leaked |= sendto(fd, "x", 1, 0, to, size) == 1 && answers(fd);
        close(fd);
    }
    return leaked;
}

int attack_unspecified_bound(int argc, char **argv) {  // "this host" is the address that the socket is bound to, and more than one loopback
    denied_port = atoi(argument(argc, argv, 1));
    struct sockaddr_in own = v4(INADDR_LOOPBACK, 0), zero = v4(0, denied_port);
    struct sockaddr_in6 mapped = v6("::ffff:127.0.0.1", 0), none = v6("::", denied_port), none4 = v6("::ffff:0.0.0.0", denied_port);
    bool leaked = reaches(AF_INET, &own, &zero, sizeof zero);
    leaked |= reaches(AF_INET6, &mapped, &none, sizeof none);
    leaked |= reaches(AF_INET6, &mapped, &none4, sizeof none4);
    // The source named beside the message decides where "this host" is.
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(struct in_pktinfo))]; } control = {0};
    struct iovec part = {"x", 1};
    struct msghdr m = {.msg_name = &zero, .msg_namelen = sizeof zero, .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    control.head.cmsg_level = IPPROTO_IP, control.head.cmsg_type = IP_PKTINFO, control.head.cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
    ((struct in_pktinfo *)CMSG_DATA(&control.head))->ipi_spec_dst.s_addr = htonl(INADDR_LOOPBACK);
    leaked |= sendmsg(fd, &m, 0) == 1 && answers(fd);
    return verdict(leaked);
}

int attack_address_lengths(int argc, char **argv) {  // longer and shorter than the family's own, up to 4 GiB; with AF_UNSPEC for AF_INET
    denied_port = atoi(argument(argc, argv, 1));
    union { struct sockaddr_in v4; struct sockaddr_in6 v6; char room[256]; } a = {.v4 = v4(INADDR_LOOPBACK, denied_port)};
    const uint64_t lengths[] = {0, 1, 2, 8, 15, 16, 17, 28, 108, 128, 129, 256, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000010};
    bool leaked = false;
    for (int family = 0; family < 3; family++) {
        if (family == 2) a.v6 = v6("::ffff:127.0.0.1", denied_port);
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            a.v4.sin_family = family == 0 ? AF_INET : family == 1 ? AF_UNSPEC : AF_INET6;
            int domain = family == 2 ? AF_INET6 : AF_INET;
            int tcp = socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0), udp = socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0);
            leaked |= syscall(SYS_connect, tcp, &a, lengths[i]) == 0 && answers(tcp);
            leaked |= syscall(SYS_sendto, udp, "x", 1, 0, &a, lengths[i]) == 1 && answers(udp);
            struct iovec part = {"x", 1};
            struct mmsghdr one = {.msg_hdr = {.msg_name = &a, .msg_namelen = (socklen_t)lengths[i], .msg_iov = &part, .msg_iovlen = 1}};
            leaked |= (sendmsg(udp, &one.msg_hdr, 0) == 1 || sendmmsg(udp, &one, 1, 0) == 1) && answers(udp);
            close(tcp), close(udp);
        }
    }
    return verdict(leaked);
}

int attack_reconnect(int argc, char **argv) {  // ALLOWED DENIED: a connection judged once, then dissolved and made anew
    struct sockaddr_in good = v4(INADDR_LOOPBACK, atoi(argument(argc, argv, 1))), bad = v4(INADDR_LOOPBACK, atoi(argument(argc, argv, 2)));
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool leaked = false;
    if (connect(udp, (void *)&good, sizeof good) == 0) {
        leaked |= connect(udp, (void *)&bad, sizeof bad) == 0 && send(udp, "x", 1, 0) == 1 && answers(udp);
        connect(udp, &none, sizeof none);
        leaked |= connect(udp, (void *)&bad, sizeof bad) == 0 && send(udp, "x", 1, 0) == 1 && answers(udp);
    }
    if (connect(tcp, (void *)&good, sizeof good) == 0 && connect(tcp, &none, sizeof none) == 0)
        leaked |= connect(tcp, (void *)&bad, sizeof bad) == 0 && answers(tcp);
    return verdict(leaked);
}

/// Makes a socket of each kind, in a child: some of them load a module.
int attack_rare_sockets(int argc, char **argv) {
    (void)argc, (void)argv;
    const int kinds[][3] = {
        {AF_PACKET, SOCK_RAW, 0x0300}, {AF_PACKET, SOCK_DGRAM, 0x0300}, {AF_INET, SOCK_RAW, IPPROTO_RAW}, {AF_INET6, SOCK_RAW, IPPROTO_ICMPV6},
        {AF_INET, 10 /* SOCK_PACKET */, 0x0300}, {AF_INET, SOCK_STREAM, 262 /* mptcp */}, {AF_INET6, SOCK_STREAM, 262}, {AF_INET, SOCK_STREAM, 132 /* sctp */},
        {AF_INET, SOCK_SEQPACKET, 132}, {AF_VSOCK, SOCK_STREAM, 0}, {AF_VSOCK, SOCK_DGRAM, 0}, {38 /* AF_ALG */, SOCK_SEQPACKET, 0}, {44 /* AF_XDP */, SOCK_RAW, 0},
        {AF_KEY, SOCK_RAW, 2}, {AF_BLUETOOTH, SOCK_RAW, 1}, {AF_TIPC, SOCK_DGRAM, 0}, {AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG}, {AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT},
        {AF_NETLINK, SOCK_RAW, NETLINK_AUDIT}, {AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER}, {AF_NETLINK, SOCK_RAW, NETLINK_CONNECTOR}, {AF_NETLINK, SOCK_RAW, NETLINK_GENERIC},
    };
    bool leaked = false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        int fd = socket(kinds[i][0], kinds[i][1], kinds[i][2]);
        if (fd < 0) fd = (int)syscall(SYS_socket, 0xffffffff00000000UL | (unsigned)kinds[i][0], kinds[i][1] | SOCK_CLOEXEC, kinds[i][2]);
        if (fd >= 0) { fprintf(stderr, "socket %d %d %d\n", kinds[i][0], kinds[i][1], kinds[i][2]); close(fd); leaked = true; }
    }
    return verdict(leaked);
}

int attack_netlink_change(int argc, char **argv) {  // another address for the loopback device: changes nothing for anybody
    (void)argc, (void)argv;
    struct { struct nlmsghdr head; struct ifaddrmsg what; struct rtattr kind; uint32_t address; } r = {
        {.nlmsg_len = sizeof r, .nlmsg_type = RTM_NEWADDR, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE},
        {.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = 1}, {.rta_len = 8, .rta_type = IFA_LOCAL}, htonl(0x7f00fffe)};
    struct { struct nlmsghdr head; struct nlmsgerr error; char rest[512]; } answer = {0};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    bool leaked = sendto(fd, &r, sizeof r, 0, (void *)&kernel, sizeof kernel) > 0 && recv(fd, &answer, sizeof answer, 0) > 0 && answer.head.nlmsg_type == NLMSG_ERROR && answer.error.error == 0;
    if (leaked) { r.head.nlmsg_type = RTM_DELADDR, r.head.nlmsg_flags = NLM_F_REQUEST; send(fd, &r, sizeof r, 0); }
    // What asks for CAP_NET_ADMIN: of whoever makes the call, which is not always the caller.
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), mark = 7;
    leaked |= setsockopt(udp, SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0;
    union { struct cmsghdr head; char room[CMSG_SPACE(4)]; } control = {0};
    struct sockaddr_in to = v4(INADDR_LOOPBACK, 9);
    struct iovec part = {"x", 1};
    struct msghdr m = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    control.head.cmsg_level = SOL_SOCKET, control.head.cmsg_type = SO_MARK, control.head.cmsg_len = CMSG_LEN(4), memcpy(CMSG_DATA(&control.head), &mark, 4);
    leaked |= sendmsg(udp, &m, 0) == 1;
    return verdict(leaked);
}

int attack_listen_unbound(int argc, char **argv) {  // a port on every address, without any bind(2)
    (void)argc, (void)argv;
    int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), six = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in any = v4(0, 0);
    bool leaked = listen(tcp, 1) == 0;
    leaked |= listen(six, 1) == 0;
    int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    leaked |= bind(bound, (void *)&any, sizeof any) == 0;
    return verdict(leaked);
}

/// By way of another host: as options of a socket, and beside a message.
static bool send_by(int family, int way, const char *device) {
    const bool six = family == AF_INET6;
    unsigned index = if_nametoindex(device), order = htonl(index);
    struct sockaddr_in to = v4(INADDR_LOOPBACK, 9);
    struct sockaddr_in6 to6 = v6("::1", 9), own = v6("fe80::1", 0);
    own.sin6_scope_id = index;
    struct in_pktinfo info = {.ipi_ifindex = (int)index};
    struct in6_pktinfo info6 = {.ipi6_ifindex = index};
    char space[CMSG_SPACE(sizeof info6)] = {0};
    struct iovec part = {"MARKED", 6};
    struct msghdr message = {.msg_name = six ? (void *)&to6 : &to, .msg_namelen = six ? sizeof to6 : sizeof to, .msg_iov = &part, .msg_iovlen = 1};
    int fd = socket(family, way == 5 ? SOCK_STREAM | SOCK_NONBLOCK : SOCK_DGRAM, 0), e = 0;
    if (way == 0 || way == 5) e = setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device) + 1);
    if (way == 1) e = setsockopt(fd, SOL_SOCKET, 62 /* SO_BINDTOIFINDEX */, &index, sizeof index);
    if (way == 2) e = six ? setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_IF, &order, sizeof order) : setsockopt(fd, IPPROTO_IP, IP_UNICAST_IF, &order, sizeof order);
    if (way == 3) {
        size_t n = six ? sizeof info6 : sizeof info;
        message.msg_control = space, message.msg_controllen = CMSG_SPACE(n);
        *CMSG_FIRSTHDR(&message) = (struct cmsghdr){.cmsg_len = CMSG_LEN(n), .cmsg_level = six ? IPPROTO_IPV6 : IPPROTO_IP, .cmsg_type = six ? IPV6_PKTINFO : IP_PKTINFO};
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), six ? (void *)&info6 : &info, n);
    }
    if (way == 4) e = six ? setsockopt(fd, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof info6) : 0;
    if (way == 6) e = six ? bind(fd, (void *)&own, sizeof own) : 0;
    bool sent = way == 5 ? connect(fd, message.msg_name, message.msg_namelen) == 0 || errno == EINPROGRESS : sendmsg(fd, &message, 0) == 6;
    close(fd);
    return e == 0 && sent;
}

/// `by-device DEVICE [WAY]`: to this machine's own address, by a device that leads to others; says which ways were refused.
int tool_by_device(int argc, char **argv) {
    for (int way = 0; way < 7; way++)
        if (argc < 3 || atoi(argv[2]) == way) say("%d: %s %s", way, send_by(AF_INET, way, argument(argc, argv, 1)) ? "sent" : "not", send_by(AF_INET6, way, argv[1]) ? "sent" : "not");
    return 0;
}

/// `overhear DEVICE CMD…`: says of each address family whether CMD has sent something to the loopback address by that device.
int tool_overhear(int argc, char **argv) {
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(argument(argc, argv, 1))};
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL)), four = 0, six = 0;
    if (fd < 0 || bind(fd, (void *)&at, sizeof at) < 0) die("packet");
    pid_t child = fork();
    if (child == 0) { execvp(argument(argc, argv, 2), argv + 2); _exit(127); }
    waitpid(child, NULL, 0);
    static const unsigned char own4[4] = {127, 0, 0, 1}, own6[16] = {[15] = 1};
    unsigned char packet[2048];
    for (ssize_t n; (n = recv(fd, packet, sizeof packet, 0)) >= 0;) {
        four += n >= 20 && packet[0] >> 4 == 4 && memcmp(packet + 16, own4, 4) == 0;
        six += n >= 40 && packet[0] >> 4 == 6 && memcmp(packet + 24, own6, 16) == 0;
    }
    say("%d %d", four, six);
    return 0;
}

int attack_source_route(int argc, char **argv) {
    (void)argc, (void)argv;
    // Loose source and record route, RFC 791; segment routing header, RFC 8754.
    unsigned char loose[8] = {131, 7, 4, 127, 0, 0, 2, 0}, segments[24] = {[1] = 2, [2] = 4, [23] = 1};
    char byte = 'x', space[CMSG_SPACE(sizeof loose)] = {0};
    int fd = socket(AF_INET, SOCK_DGRAM, 0), fd6 = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &part, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    *CMSG_FIRSTHDR(&message) = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof loose), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_RETOPTS};
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), loose, sizeof loose);
    bool leaked = sendmsg(fd, &message, 0) == 1;
    leaked |= setsockopt(fd, IPPROTO_IP, IP_OPTIONS, loose, sizeof loose) == 0;
    leaked |= fd6 >= 0 && setsockopt(fd6, IPPROTO_IPV6, IPV6_RTHDR, segments, sizeof segments) == 0;
    return verdict(leaked);
}
