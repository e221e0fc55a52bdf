// What TCP connections have carried, as the kernel counts it: tcp(7), sock_diag(7).
#include "sbx_traffic.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "sbx_calls.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

// Older kernels give less of it, and newer ones more.
static int count(struct sbx_traffic *t, const void *info, size_t size) {
    struct tcp_info i = {0};
    if (size < offsetof(struct tcp_info, tcpi_bytes_retrans) + sizeof i.tcpi_bytes_retrans) return -ENODATA;
    memcpy(&i, info, size < sizeof i ? size : sizeof i);
    t->state = i.tcpi_state;
    t->sent = i.tcpi_bytes_sent - i.tcpi_bytes_retrans;
    t->received = i.tcpi_bytes_received;
    return 0;
}

int sbx_socket_cookie(int socket, uint64_t *out) {
    socklen_t n = sizeof *out;
    return getsockopt(socket, SOL_SOCKET, SO_COOKIE, out, &n) < 0 ? -errno : 0;
}

int sbx_traffic_of(int socket, struct sbx_traffic *out) {
    struct tcp_info i;
    socklen_t n = sizeof i;
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &i, &n) < 0) return -errno;
    return count(out, &i, n);
}

int sbx_traffic_listen(void) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
    if (fd < 0) return -errno;
    struct sockaddr_nl own = {.nl_family = AF_NETLINK,
                              .nl_groups = 1 << (SKNLGRP_INET_TCP_DESTROY - 1) | 1 << (SKNLGRP_INET6_TCP_DESTROY - 1)};
    int room = 4 << 20;  // as much of it as the system lets us have
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (bind(fd, (struct sockaddr *)&own, sizeof own) == 0) return fd;
    int e = errno;
    close(fd);
    return -e;
}

int sbx_traffic_ask(int family) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0) return -errno;
    struct {
        struct nlmsghdr h;
        struct inet_diag_req_v2 r;
    } ask = {.h = {.nlmsg_len = sizeof ask, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
             .r = {.sdiag_family = (uint8_t)family, .sdiag_protocol = IPPROTO_TCP, .idiag_ext = 1 << (INET_DIAG_INFO - 1), .idiag_states = ~0u}};
    if (send(fd, &ask, sizeof ask, 0) == sizeof ask) return fd;
    int e = errno;
    close(fd);
    return -e;
}

static int take(const struct nlmsghdr *h, struct sbx_traffic *out) {
    struct inet_diag_msg m;
    if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY || h->nlmsg_len < NLMSG_LENGTH(sizeof m)) return -ENOMSG;
    memcpy(&m, NLMSG_DATA(h), sizeof m);
    out->cookie = (uint64_t)m.id.idiag_cookie[1] << 32 | m.id.idiag_cookie[0];
    const char *at = (const char *)NLMSG_DATA(h) + NLMSG_ALIGN(sizeof m), *end = (const char *)h + h->nlmsg_len;
    while (at + NLA_HDRLEN <= end) {
        const struct nlattr *a = (const struct nlattr *)at;
        if (a->nla_len < NLA_HDRLEN || at + a->nla_len > end) break;
        if (a->nla_type == INET_DIAG_INFO) return count(out, at + NLA_HDRLEN, (size_t)a->nla_len - NLA_HDRLEN);
        at += NLA_ALIGN(a->nla_len);
    }
    return -ENODATA;
}

int sbx_traffic_read(int fd, struct sbx_traffic *out, int room, int *ends) {
    _Alignas(struct nlmsghdr) char buffer[1 << 15];
    struct sockaddr_nl from = {0};
    socklen_t size = sizeof from;
    ssize_t n = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &size);
    if (n < 0) return -errno;
    if (from.nl_pid != 0) return 0;  // not from the kernel
    int found = 0;
    for (const struct nlmsghdr *h = (const struct nlmsghdr *)buffer; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
        if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR) *ends = 1;
        else if (found < room && take(h, &out[found]) == 0) found++;
    }
    return found;
}
