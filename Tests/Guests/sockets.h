// Addresses, and what the socket guests share.
#pragma once
#include "guest.h"
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>

static inline struct sockaddr_in v4(uint32_t host, int port) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(host)};
}
static inline struct sockaddr_in6 v6(const char *host, int port) {
    struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    inet_pton(AF_INET6, host, &a.sin6_addr);
    return a;
}
static inline struct sockaddr_un un(const char *path) { struct sockaddr_un a = {.sun_family = AF_UNIX}; strncpy(a.sun_path, path, sizeof a.sun_path); return a; }
#define SA(x) ((struct sockaddr *)&(x))
#define AT(x) SA(x), sizeof(x)

int port_of(int fd);
int bound(int family, int type, const void *address, socklen_t length);   // a listener, or a datagram socket
void name_of(const char *label, int fd, bool peer);                       // the very bytes, ports aside
void try_connect(const char *label, int family, int type, const void *address, socklen_t length, int listener);
