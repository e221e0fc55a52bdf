// The listener's side of seccomp user notification, seccomp_unotify(2).
#ifndef SBX_NOTIFY_H
#define SBX_NOTIFY_H
#include <linux/seccomp.h>
#include <stdint.h>

// Newer than the headers this builds with.
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#define SBX_SYNC_WAKE_UP 1ull  // SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP, Linux 6.6

// What a notifier works on, flat, so that Swift sees plain integers.
struct sbx_notice {
    uint64_t id;
    uint32_t tid;
    int32_t nr;
    uint64_t args[6];
    uint64_t pad[8];  // room for a kernel whose struct seccomp_notif is larger
};

int sbx_notify_receive(int listener, struct sbx_notice *out);  // 0 or -errno
int sbx_notify_answer(int listener, uint64_t id, int64_t value, int error);
int sbx_notify_continue(int listener, uint64_t id);
int sbx_notify_valid(int listener, uint64_t id);
// Installs srcfd in the caller as its lowest free descriptor and answers with that number, in one step.
int sbx_notify_hand_over(int listener, uint64_t id, int srcfd, int cloexec);
// The same without the answer.
int sbx_notify_place(int listener, uint64_t id, int srcfd, int cloexec);
// Installs srcfd in the caller in the place of its descriptor `at`.
int sbx_notify_replace(int listener, uint64_t id, int srcfd, int at);
int sbx_notify_sync_wake_up(int listener);
#endif
