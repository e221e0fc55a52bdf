// The sockets of this machine, and how they are joined.
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "sbx_calls.h"
#include "sbx_held.h"

static int add_socket(struct sbx_socket_list *list, struct sbx_socket s) {
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        struct sbx_socket *more = realloc(list->items, room * sizeof *more);
        if (!more) return -ENOMEM;
        list->items = more;
        list->room = room;
    }
    list->items[list->count++] = s;
    return 0;
}

// Four words as the kernel holds them, each printed as a number of the machine's byte order.
static int address(const char *text, uint8_t out[16]) {
    uint32_t words[4] = {0, 0, htonl(0xffff), 0};
    if (strlen(text) == 8) {
        words[3] = (uint32_t)strtoul(text, NULL, 16);
    } else if (strlen(text) == 32) {
        for (int i = 0; i < 4; i++) {
            char word[9] = {0};
            memcpy(word, text + i * 8, 8);
            words[i] = (uint32_t)strtoul(word, NULL, 16);
        }
    } else {
        return -EINVAL;
    }
    memcpy(out, words, 16);
    return 0;
}

// /proc/net/tcp and its like, proc_pid_net(5): for kernels that do not have sock_diag(7) for these.
int sbx_internet_sockets_by_file(struct sbx_socket_list *list, int which) {
    static const struct { const char *path; int type, which; } tables[] = {
        {"/proc/self/net/tcp", SOCK_STREAM, SBX_TCP_SERVERS | SBX_TCP_CONNECTIONS},
        {"/proc/self/net/tcp6", SOCK_STREAM, SBX_TCP_SERVERS | SBX_TCP_CONNECTIONS},
        {"/proc/self/net/udp", SOCK_DGRAM, SBX_UDP}, {"/proc/self/net/udp6", SOCK_DGRAM, SBX_UDP}};
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        if (!(tables[t].which & which)) continue;
        FILE *f = fopen(tables[t].path, "re");
        if (!f && errno == ENOENT) continue;  // no IPv6 here
        if (!f) return -errno;
        char line[512], local[40], remote[40];
        int result = 0;
        while (result == 0 && fgets(line, sizeof line, f)) {
            struct sbx_socket s = {.type = tables[t].type};
            unsigned lport, rport, state;
            unsigned long long inode;
            if (sscanf(line, " %*d: %39[0-9A-F]:%x %39[0-9A-F]:%x %x %*s %*s %*s %*u %*u %llu", local, &lport, remote, &rport, &state,
                       &inode) < 6 || address(local, s.local) < 0 || address(remote, s.remote) < 0)
                continue;
            s.local_port = (uint16_t)lport;
            s.remote_port = (uint16_t)rport;
            s.listens = s.type == SOCK_STREAM && state == TCP_LISTEN;
            s.inode = inode;
            if (s.type == SOCK_DGRAM || which & (s.listens ? SBX_TCP_SERVERS : SBX_TCP_CONNECTIONS)) result = add_socket(list, s);
        }
        fclose(f);
        if (result < 0) return result;
    }
    return 0;
}

// MARK: sock_diag(7)

typedef int (*take_one)(const struct nlmsghdr *h, struct sbx_socket_list *list);

// Asks for all that there are, and takes each. ENOENT: the kernel has nobody who answers that.
static int ask(int fd, const void *request, size_t size, uint16_t type, take_one take, struct sbx_socket_list *list) {
    if (send(fd, request, size, 0) < 0) return -errno;
    size_t room = 1 << 16;
    char *buffer = malloc(room);
    int result = buffer ? 0 : -ENOMEM;
    for (int more = 1; more && result == 0;) {
        struct sockaddr_nl from = {0};
        socklen_t length = sizeof from;
        ssize_t n = recvfrom(fd, buffer, room, 0, (struct sockaddr *)&from, &length);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) { result = n < 0 ? -errno : -EPIPE; break; }
        if (from.nl_pid != 0) continue;  // not from the kernel
        for (const struct nlmsghdr *h = (const struct nlmsghdr *)buffer; result == 0 && NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
            if (h->nlmsg_type == NLMSG_DONE) more = 0;
            else if (h->nlmsg_type == NLMSG_ERROR) result = ((const struct nlmsgerr *)NLMSG_DATA(h))->error ?: -EIO;
            else if (h->nlmsg_type == type) result = take(h, list);
        }
    }
    free(buffer);
    return result;
}

static void put_address(uint8_t out[16], uint8_t family, const uint32_t words[4]) {
    uint32_t mapped[4] = {0, 0, htonl(0xffff), words[0]};
    memcpy(out, family == AF_INET6 ? words : mapped, 16);
}

static int take_internet(const struct nlmsghdr *h, struct sbx_socket_list *list, int type) {
    struct inet_diag_msg m;
    if (h->nlmsg_len < NLMSG_LENGTH(sizeof m)) return 0;
    memcpy(&m, NLMSG_DATA(h), sizeof m);
    struct sbx_socket s = {.inode = m.idiag_inode, .type = type, .local_port = ntohs(m.id.idiag_sport), .remote_port = ntohs(m.id.idiag_dport),
                           .listens = type == SOCK_STREAM && m.idiag_state == TCP_LISTEN};
    put_address(s.local, m.idiag_family, m.id.idiag_src);
    put_address(s.remote, m.idiag_family, m.id.idiag_dst);
    return add_socket(list, s);
}

static int take_tcp(const struct nlmsghdr *h, struct sbx_socket_list *list) { return take_internet(h, list, SOCK_STREAM); }

static int take_udp(const struct nlmsghdr *h, struct sbx_socket_list *list) { return take_internet(h, list, SOCK_DGRAM); }

// The older request for TCP: the one that tells of both families at once, so that the kernel goes through its table once. Not asked
// for are those that nobody has: connections that are over (TCP_TIME_WAIT, and there may be thousands) or not there yet.
static int ask_tcp(int fd, int which, struct sbx_socket_list *list) {
    uint32_t states = which & SBX_TCP_SERVERS ? 1u << TCP_LISTEN : 0;
    if (which & SBX_TCP_CONNECTIONS)
        states |= 1u << TCP_ESTABLISHED | 1u << TCP_SYN_SENT | 1u << TCP_SYN_RECV | 1u << TCP_FIN_WAIT1 | 1u << TCP_FIN_WAIT2 |
                  1u << TCP_CLOSE_WAIT | 1u << TCP_LAST_ACK | 1u << TCP_CLOSING;
    struct {
        struct nlmsghdr h;
        struct inet_diag_req r;
    } request = {.h = {.nlmsg_len = sizeof request, .nlmsg_type = TCPDIAG_GETSOCK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
                 .r = {.idiag_family = AF_INET, .idiag_states = states}};
    return ask(fd, &request, sizeof request, TCPDIAG_GETSOCK, take_tcp, list);
}

static int ask_udp(int fd, uint8_t family, struct sbx_socket_list *list) {
    struct {
        struct nlmsghdr h;
        struct inet_diag_req_v2 r;
    } request = {.h = {.nlmsg_len = sizeof request, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
                 .r = {.sdiag_family = family, .sdiag_protocol = IPPROTO_UDP, .idiag_states = ~0u}};
    return ask(fd, &request, sizeof request, SOCK_DIAG_BY_FAMILY, take_udp, list);
}

int sbx_internet_sockets(struct sbx_socket_list *list, int which) {
    size_t count = list->count;
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    int result = fd < 0 ? -errno : 0;
    if (result == 0 && which & (SBX_TCP_SERVERS | SBX_TCP_CONNECTIONS)) result = ask_tcp(fd, which, list);
    if (result == 0 && which & SBX_UDP) result = ask_udp(fd, AF_INET, list);
    if (result == 0 && which & SBX_UDP) result = ask_udp(fd, AF_INET6, list);
    if (fd >= 0) close(fd);
    if (result == 0 || result == -ENOMEM) return result;
    list->count = count;
    return sbx_internet_sockets_by_file(list, which);
}

static void take_attribute(struct sbx_socket *s, const struct nlattr *a) {
    const char *body = (const char *)a + NLA_HDRLEN;
    size_t n = (size_t)a->nla_len - NLA_HDRLEN;
    uint32_t peer;
    struct unix_diag_vfs vfs;
    switch (a->nla_type) {
    case UNIX_DIAG_PEER:
        if (n < 4) return;
        memcpy(&peer, body, 4);
        s->peer = peer;
        s->has_peer = 1;
        break;
    case UNIX_DIAG_VFS:
        if (n < sizeof vfs) return;
        memcpy(&vfs, body, sizeof vfs);
        s->file_inode = vfs.udiag_vfs_ino;
        // The kernel's own form of a device number: twelve bits, twenty bits.
        s->file_device = makedev(vfs.udiag_vfs_dev >> 20, vfs.udiag_vfs_dev & 0xfffff);
        break;
    case UNIX_DIAG_NAME:
        s->name_length = n < sizeof s->name ? (uint8_t)n : sizeof s->name;
        memcpy(s->name, body, s->name_length);
        break;
    }
}

static int take_message(const struct nlmsghdr *h, struct sbx_socket_list *list) {
    struct unix_diag_msg m;
    if (h->nlmsg_len < NLMSG_LENGTH(sizeof m)) return 0;
    memcpy(&m, NLMSG_DATA(h), sizeof m);
    struct sbx_socket s = {.is_unix = 1, .inode = m.udiag_ino, .type = m.udiag_type, .listens = m.udiag_state == 10};
    const char *at = (const char *)NLMSG_DATA(h) + NLMSG_ALIGN(sizeof m), *end = (const char *)h + h->nlmsg_len;
    const struct nlattr *waiting = NULL;
    while (at + NLA_HDRLEN <= end) {
        const struct nlattr *a = (const struct nlattr *)at;
        if (a->nla_len < NLA_HDRLEN || at + a->nla_len > end) break;
        if (a->nla_type == UNIX_DIAG_ICONS) waiting = a; else take_attribute(&s, a);
        at += NLA_ALIGN(a->nla_len);
    }
    int result = add_socket(list, s);
    // Who has connected and was not accepted yet: nobody has the other end but the one who listens.
    for (size_t i = 0; waiting && result == 0 && i + 4 <= (size_t)waiting->nla_len - NLA_HDRLEN; i += 4) {
        uint32_t inode;
        memcpy(&inode, (const char *)waiting + NLA_HDRLEN + i, 4);
        if (inode) result = add_socket(list, (struct sbx_socket){.is_unix = 1, .inode = inode, .peer = s.inode, .is_waiting = 1});
    }
    return result;
}

// All unix sockets, with their peers and the files they are bound to.
int sbx_unix_sockets(struct sbx_socket_list *list) {
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0) return -errno;
    struct {
        struct nlmsghdr h;
        struct unix_diag_req r;
    } request = {.h = {.nlmsg_len = sizeof request, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
                 .r = {.sdiag_family = AF_UNIX, .udiag_states = ~0u,
                       .udiag_show = UDIAG_SHOW_PEER | UDIAG_SHOW_NAME | UDIAG_SHOW_VFS | UDIAG_SHOW_ICONS}};
    int result = ask(fd, &request, sizeof request, SOCK_DIAG_BY_FAMILY, take_message, list);
    close(fd);
    return result;
}

int sbx_bound_file(int bound, uint32_t *inode) {
    struct stat st;
    if (fstat(bound, &st) < 0) return -errno;
    struct {
        struct nlmsghdr h;
        struct unix_diag_req r;
    } ask = {.h = {.nlmsg_len = sizeof ask, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST},
             .r = {.sdiag_family = AF_UNIX, .udiag_states = ~0u, .udiag_ino = (uint32_t)st.st_ino, .udiag_show = UDIAG_SHOW_VFS,
                   .udiag_cookie = {~0u, ~0u}}};
    union { struct nlmsghdr h; char room[4096]; } answer;
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0) return errno == EPROTONOSUPPORT ? -ENOENT : -errno;
    // The answer is there when send(2) comes back.
    ssize_t n = send(fd, &ask, sizeof ask, 0) < 0 ? -1 : recv(fd, &answer, sizeof answer, MSG_DONTWAIT);
    int result = n < 0 ? -errno : -EIO;
    close(fd);
    if (n < 0 || !NLMSG_OK(&answer.h, n)) return result;
    if (answer.h.nlmsg_type == NLMSG_ERROR) return ((const struct nlmsgerr *)NLMSG_DATA(&answer.h))->error ?: -EIO;
    struct sbx_socket_list list = {0};
    result = answer.h.nlmsg_type == SOCK_DIAG_BY_FAMILY ? take_message(&answer.h, &list) : -EIO;
    if (list.count) *inode = (uint32_t)list.items[0].file_inode;
    free(list.items);
    return result;
}
