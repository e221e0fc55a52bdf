// What TCP connections have carried.
#ifndef SBX_TRAFFIC_H
#define SBX_TRAFFIC_H
#include <stdint.h>

// What a TCP connection has carried so far: bytes of its own, each counted once however often it was sent. The end of what
// comes in counts as one byte more.
struct sbx_traffic { uint64_t cookie, sent, received; int state; };

// A number of the socket's own that is never given twice: SO_COOKIE, socket(7).
int sbx_socket_cookie(int socket, uint64_t *out);
int sbx_traffic_of(int socket, struct sbx_traffic *out);
// A descriptor on which the kernel tells of every TCP socket of this network that it takes away, whoever closed it: nothing waits.
int sbx_traffic_listen(void);
// A descriptor on which it tells of all that are there, in one answer that ends.
int sbx_traffic_ask(int family);
// One datagram: how many are in it. The largest has room for 90.
int sbx_traffic_read(int fd, struct sbx_traffic *out, int room, int *ends);
#endif
