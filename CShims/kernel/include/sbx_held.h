// What processes hold and where that leads.
#ifndef SBX_HELD_H
#define SBX_HELD_H
#include <stddef.h>
#include <stdint.h>

enum { SBX_HELD_READS = 1, SBX_HELD_WRITES = 2 };

// A descriptor, or in the place of its number a mapping.
enum { SBX_HELD_SHARED = -1, SBX_HELD_PRIVATE = -2 };
struct sbx_held {
    int access;
    unsigned mode;
    int fd;
    uint64_t device, inode, special;
};
struct sbx_held_list { struct sbx_held *items; size_t count, room; };

int sbx_held_descriptors(const char *folder, struct sbx_held_list *list);
int sbx_held_mappings(int pid, struct sbx_held_list *list);
// 1 where the two have the same memory, or also where they have the same table of descriptors; 0 where not. kcmp(2)
int sbx_same_memory(int a, int b);
int sbx_share(int a, int b);
// 1 where two descriptors are one that was opened once, 0 where not. kcmp(2)
int sbx_same_file(int a, int fd_a, int b, int fd_b);
// makedev(3)
uint64_t sbx_device(unsigned major, unsigned minor);
// An empty file in memory, memfd_create(2).
int sbx_memory_file(void);
// Nobody changes it, or its size, from now on. fcntl(2), F_ADD_SEALS
int sbx_seal(int fd);

// Whether a call waits for others: for data, a child, time.
int sbx_is_wait(long call);

// When a file was made, nanoseconds since 1970; 0 where that is not known. statx(2)
uint64_t sbx_birth(int dir, const char *path, uint64_t *device, uint64_t *inode);

struct sbx_socket {
    uint64_t inode;
    int type;
    uint8_t is_unix, listens;
    // Of IPv4 the mapped form. Ports in the machine's order; a remote port of 0 is none.
    uint8_t local[16], remote[16];
    uint16_t local_port, remote_port;
    // Unix alone: the other end (0: nobody has it yet), the file it is bound to, its name.
    uint8_t has_peer;
    uint64_t peer, file_device, file_inode;
    uint8_t name_length, name[108];
    // `inode` has connected to the listening `peer` and waits to be accepted.
    uint8_t is_waiting;
};
struct sbx_socket_list { struct sbx_socket *items; size_t count, room; };

// Which of those of the internet: to list connections the kernel goes through all the table that it has for them, however few there are.
enum { SBX_TCP_SERVERS = 1, SBX_TCP_CONNECTIONS = 2, SBX_UDP = 4 };
int sbx_internet_sockets(struct sbx_socket_list *list, int which);
int sbx_internet_sockets_by_file(struct sbx_socket_list *list, int which);
int sbx_unix_sockets(struct sbx_socket_list *list);
// The number of the file that a unix socket is bound to, as the kernel knows it (32 bits of it). -ENOENT also where this kernel does not tell.
int sbx_bound_file(int socket, uint32_t *inode);
#endif
