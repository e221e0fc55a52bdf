// Unix sockets: binding one to a path, confined to one folder; descriptors that came with one.
#include "CShims.h"
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

struct ruleset_attr { uint64_t handled_access_fs; };
struct path_beneath { uint64_t allowed_access; int32_t parent_fd; } __attribute__((packed));
#define MAKE_SOCK (1ull << 9)

struct job {
    int socket, cwd, folder, result;
    const void *address;
    unsigned length;
};

static int confine(int folder) {
    struct ruleset_attr a = {MAKE_SOCK};
    int rules = (int)sbx_ret(syscall(444, &a, sizeof a, 0));
    if (rules < 0) return rules;
    struct path_beneath p = {MAKE_SOCK, folder};
    int e = (int)sbx_ret(syscall(445, rules, 1 /* LANDLOCK_RULE_PATH_BENEATH */, &p, 0));
    if (!e) e = sbx_landlock_enter(rules);
    close(rules);
    return e;
}

// A thread of its own: Landlock and the working directory are this thread's alone, and end with it.
static void *bind_there(void *v) {
    struct job *j = v;
    mode_t mask = umask(0);
    umask(mask);
    j->result = sbx_unshare_fs();
    if (!j->result) umask(mask);
    if (!j->result) j->result = confine(j->folder);
    if (!j->result) j->result = (int)sbx_ret(fchdir(j->cwd));
    if (!j->result) j->result = sbx_bind(j->socket, j->address, j->length);
    return 0;
}

int sbx_bind_confined(int socket, const void *address, unsigned length, int cwd, int folder, const char *name, int keep_name) {
    struct job j = {socket, cwd, folder, 0, address, length};
    if (keep_name && sbx_landlock_abi() > 0) {
        pthread_t t;
        int e = pthread_create(&t, 0, bind_there, &j);
        if (e) return -e;
        pthread_join(t, 0);
        // `/proc/self/fd/3/name` is the caller's, and leads nowhere here, or to another folder.
        if (j.result != -ENOENT && j.result != -ENOTDIR && j.result != -EACCES) return j.result;
    }
    // Otherwise the name is made in the pinned folder itself; getsockname(2) then tells the short name.
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t n = strlen(name);
    if (n >= sizeof a.sun_path) return -EINVAL;
    memcpy(a.sun_path, name, n + 1);
    if (fchdir(folder) < 0) return -errno;
    return sbx_bind(socket, &a, (unsigned)(offsetof(struct sockaddr_un, sun_path) + n + 1));
}

static int brings_descriptors(struct msghdr *m) {
    int found = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
        found = 1;
        for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++) close(((int *)CMSG_DATA(c))[i]);
    }
    return found;
}

int sbx_take_no_descriptors(int socket) {
    int off = 0, start = 0, end = -1, found = 0;
    if (setsockopt(socket, SOL_SOCKET, 83 /* SO_PASSRIGHTS */, &off, sizeof off) < 0) return 0;
    if (sbx_getsockopt_int(socket, SOL_SOCKET, SO_ACCEPTCONN) == 1) {
        struct pollfd p = {socket, POLLIN, 0};
        return poll(&p, 1, 0) != 0;
    }
    // What is in it is looked through without being taken out.
    if (setsockopt(socket, SOL_SOCKET, SO_PEEK_OFF, &start, sizeof start) < 0) return 1;
    for (ssize_t n = 1; n > 0 && !found;) {
        char data[4096], control[CMSG_SPACE(253 * sizeof(int)) + CMSG_SPACE(256)] __attribute__((aligned(8)));
        struct iovec part = {data, sizeof data};
        struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        n = recvmsg(socket, &m, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        // An empty datagram hides what comes after it.
        found = n >= 0 && (brings_descriptors(&m) || (n == 0 && sbx_getsockopt_int(socket, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM));
    }
    setsockopt(socket, SOL_SOCKET, SO_PEEK_OFF, &end, sizeof end);
    return found;
}
