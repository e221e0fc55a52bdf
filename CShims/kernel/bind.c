// Binding a unix socket to a path, confined to one folder.
#include "CShims.h"
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
        return j.result;
    }
    // Otherwise the name is made in the pinned folder itself; getsockname(2) then tells the short name.
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t n = strlen(name);
    if (n >= sizeof a.sun_path) return -EINVAL;
    memcpy(a.sun_path, name, n + 1);
    if (fchdir(folder) < 0) return -errno;
    return sbx_bind(socket, &a, (unsigned)(offsetof(struct sockaddr_un, sun_path) + n + 1));
}
