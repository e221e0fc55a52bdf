#include "CShims.h"
#include <string.h>

_Static_assert(sizeof(struct seccomp_notif) == 80, "sbx_notice follows struct seccomp_notif");

int sbx_notify_receive(int listener, struct sbx_notice *out) {
    // The kernel wants the buffer zeroed (EINVAL otherwise).
    union {
        struct seccomp_notif n;
        char room[sizeof(struct sbx_notice) + 64];
    } u;
    memset(&u, 0, sizeof u);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &u.n) < 0) return -errno;
    out->id = u.n.id;
    out->tid = u.n.pid;
    out->nr = u.n.data.nr;
    memcpy(out->args, u.n.data.args, sizeof out->args);
    return 0;
}

// A notifier that is told to look up (`Receivers`) may be anywhere; what was interrupted here has done nothing yet.
static int request(int listener, unsigned long what, void *argument) {
    long r;
    do r = sbx_ret(ioctl(listener, what, argument));
    while (r == -EINTR);
    return (int)r;
}

int sbx_notify_answer(int listener, uint64_t id, int64_t value, int error) {
    struct seccomp_notif_resp a = {.id = id, .val = error ? 0 : value, .error = error};
    return request(listener, SECCOMP_IOCTL_NOTIF_SEND, &a);
}

int sbx_notify_continue(int listener, uint64_t id) {
    struct seccomp_notif_resp a = {.id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    return request(listener, SECCOMP_IOCTL_NOTIF_SEND, &a);
}

int sbx_notify_valid(int listener, uint64_t id) {
    return request(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
}

static int add(int listener, uint64_t id, int srcfd, int cloexec, unsigned flags) {
    struct seccomp_notif_addfd a = {
        .id = id, .flags = flags, .srcfd = (uint32_t)srcfd, .newfd_flags = cloexec ? O_CLOEXEC : 0};
    return request(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a);
}

int sbx_notify_hand_over(int listener, uint64_t id, int srcfd, int cloexec) {
    return add(listener, id, srcfd, cloexec, SECCOMP_ADDFD_FLAG_SEND);
}

int sbx_notify_place(int listener, uint64_t id, int srcfd, int cloexec) { return add(listener, id, srcfd, cloexec, 0); }

int sbx_notify_replace(int listener, uint64_t id, int srcfd, int at) {
    struct seccomp_notif_addfd a = {.id = id, .flags = SECCOMP_ADDFD_FLAG_SETFD, .srcfd = (uint32_t)srcfd, .newfd = (uint32_t)at};
    return request(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a);
}

int sbx_notify_sync_wake_up(int listener) {
    return (int)sbx_ret(ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SBX_SYNC_WAKE_UP));
}
