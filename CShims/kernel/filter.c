// Rows, not code: what happens to each system call. docs/ADDING_A_SYSCALL.md says how to add one.
#include "CShims.h"
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// Calls that come to the supervisor in every mode: they name a path or an address in the caller's memory,
// or change what a descriptor refers to.
static const int notified[] = {
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat),
    SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rmdir),
    SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2),
    SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(mknod), SCMP_SYS(mknodat),
    SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(symlink), SCMP_SYS(symlinkat),
    SCMP_SYS(truncate),
    SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat), 452 /* fchmodat2 */,
    SCMP_SYS(chown), SCMP_SYS(lchown), SCMP_SYS(fchown), SCMP_SYS(fchownat),
    SCMP_SYS(utime), SCMP_SYS(utimes), SCMP_SYS(futimesat), SCMP_SYS(utimensat),
    SCMP_SYS(setxattr), SCMP_SYS(lsetxattr), SCMP_SYS(fsetxattr),
    SCMP_SYS(removexattr), SCMP_SYS(lremovexattr), SCMP_SYS(fremovexattr),
    SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg),
};

// Calls after which a process may no longer have the credentials it was started with, or the root directory.
// They go on at once, by registers alone; from then on the supervisor looks before it acts for anybody.
static const int identity_changing[] = {
    SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid),
    SCMP_SYS(setresgid), SCMP_SYS(setfsuid), SCMP_SYS(setfsgid), SCMP_SYS(setgroups), SCMP_SYS(capset),
};

// Ways around a supervisor, or changes to the machine that no agent has any business with.
static const int refused[] = {
    SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(process_madvise), SCMP_SYS(kcmp),
    SCMP_SYS(pidfd_getfd), SCMP_SYS(userfaultfd), SCMP_SYS(bpf), SCMP_SYS(perf_event_open),
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(open_tree), SCMP_SYS(move_mount), SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fspick), SCMP_SYS(mount_setattr), SCMP_SYS(setns),
    SCMP_SYS(chroot), SCMP_SYS(pivot_root), SCMP_SYS(open_by_handle_at), SCMP_SYS(fanotify_init),
    SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(init_module), SCMP_SYS(finit_module),
    SCMP_SYS(delete_module), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(acct),
    SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(quotactl), SCMP_SYS(quotactl_fd), SCMP_SYS(iopl), SCMP_SYS(ioperm),
    SCMP_SYS(syslog), SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(clock_adjtime), SCMP_SYS(adjtimex),
    SCMP_SYS(reboot), SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(vhangup), SCMP_SYS(nfsservctl),
    SCMP_SYS(lookup_dcookie), SCMP_SYS(uselib), SCMP_SYS(migrate_pages), SCMP_SYS(move_pages),
};

// Absent, so that libraries fall back on calls that can be judged: clone3 hides its flags in memory,
// memfd_secret memory that cannot be read, modify_ldt old attack surface. Landlock, because it would hold nothing: files
// are opened by the supervisor, outside the domain; a program that confines itself must hear so.
static const int absent[] = {
    SCMP_SYS(clone3), SCMP_SYS(memfd_secret), SCMP_SYS(modify_ldt),
    444 /* landlock_create_ruleset */, 446 /* landlock_restrict_self */,
};

// The pid is a register; whoever is outside the session must not be reached.
static const int towards_a_process[] = {
    SCMP_SYS(kill), SCMP_SYS(tkill), SCMP_SYS(tgkill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo),
    SCMP_SYS(pidfd_send_signal),
};

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define NE(arg, value) SCMP_CMP64((arg), SCMP_CMP_NE, (value), 0)
#define GT(arg, value) SCMP_CMP64((arg), SCMP_CMP_GT, (value), 0)
#define MASKED(arg, mask, value) SCMP_CMP64((arg), SCMP_CMP_MASKED_EQ, (mask), (value))
// Descriptors, commands and pids are 32 bits wide: what a caller leaves in the upper half does not count.
#define LOW32(arg, value) MASKED((arg), 0xffffffffu, (uint32_t)(value))
#define ADD(action, call, ...) \
    do { if (!e) e = seccomp_rule_add(ctx, (action), (call), __VA_ARGS__); } while (0)

enum { FAMILY_UNIX = 1, FAMILY_INET = 2, FAMILY_INET6 = 10, FAMILY_NETLINK = 16, LAST_FAMILY = 63 };
enum { LAST_KNOWN_CALL = 462, LAST_CALL = 511 };  // mseal; what comes later is not judged yet

static int add_all(scmp_filter_ctx ctx, uint32_t action, const int *calls, size_t n) {
    int e = 0;
    for (size_t i = 0; i < n; i++) ADD(action, calls[i], 0);
    return e;
}

// In every mode.
static int add_common(scmp_filter_ctx ctx) {
    int e = add_all(ctx, SCMP_ACT_NOTIFY, notified, COUNT(notified));
    // A datagram or a fast-open with an address; without one it is the data path.
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(sendto), 1, NE(4, 0));
    // io_uring does file and socket calls that no filter sees; libraries fall back on the plain ones.
    ADD(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(io_uring_setup), 0);
    ADD(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(io_uring_enter), 0);
    ADD(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(io_uring_register), 0);
    // A tracee cannot be traced twice; this is the answer the kernel would give for most of it.
    ADD(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ptrace), 0);
    // One listener a process: ours. The kernel would answer EBUSY as well.
    ADD(SCMP_ACT_ERRNO(EBUSY), SCMP_SYS(seccomp), 1,
        MASKED(1, SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_FILTER_FLAG_NEW_LISTENER));
    // An undumpable process could be neither read nor answered. Programs that ask for it (ssh-agent) go on if
    // told that it is done.
    ADD(SCMP_ACT_ERRNO(0), SCMP_SYS(prctl), 2, LOW32(0, 4 /* PR_SET_DUMPABLE */), LOW32(1, 0));
    for (size_t i = 0; i < COUNT(identity_changing); i++) ADD(SCMP_ACT_NOTIFY, identity_changing[i], 0);
    // What a program started later may do, whoever its user is: PR_CAPBSET_DROP, PR_SET_SECUREBITS.
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(prctl), 1, LOW32(0, 24));
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(prctl), 1, LOW32(0, 28));
    // A thread with descriptors of its own: CLONE_FILES, CLONE_THREAD without it, CLOSE_RANGE_UNSHARE. From then on the
    // supervisor asks for the thread's instead of the process's. Namespace flags beside it are settled there, too.
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(unshare), 1, MASKED(0, 0x400, 0x400));
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(clone), 1, MASKED(0, 0x10400, 0x10000));
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(close_range), 1, MASKED(2, 2, 2));
    return e;
}

static int add_process_rules(scmp_filter_ctx ctx, const struct sbx_filter_spec *spec) {
    static const uint64_t namespaces[] = {0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000};
    int e = 0;
    for (size_t i = 0; i < COUNT(namespaces); i++) {
        ADD(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 1, MASKED(0, namespaces[i], namespaces[i]));
        if (namespaces[i] != 0x80)  // in clone's flags the low byte is the exit signal
            ADD(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, MASKED(0, namespaces[i], namespaces[i]));
    }
    ADD(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, MASKED(0, 0x800000, 0x800000));  // CLONE_UNTRACED
    // Processes (no threads) that share memory while both run, a working directory, or descriptors; and memory that the
    // kernel writes to by itself. The supervisor notes it: no call of theirs is let go on after a look.
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(clone), 1, MASKED(0, 0x14100, 0x100));  // CLONE_VM, without CLONE_VFORK
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(clone), 1, MASKED(0, 0x10200, 0x200));  // CLONE_FS
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(clone), 1, MASKED(0, 0x10400, 0x400));  // CLONE_FILES
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(io_setup), 0);
    ADD(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prctl), 1, LOW32(0, 35 /* PR_SET_MM */));
    // Settled from the register: what changes nothing that a decision rests on goes on.
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(personality), 1, NE(0, 0));
    const int mine[] = {spec->supervisor, spec->front, -spec->supervisor, -1};
    for (size_t i = 0; i < COUNT(mine); i++) {
        if (spec->trap_signals) break;
        ADD(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(kill), 1, LOW32(0, mine[i]));
    }
    if (!e && spec->trap_signals) e = add_all(ctx, SCMP_ACT_NOTIFY, towards_a_process, COUNT(towards_a_process));
    // In the supervisor's process group kill(0, …) would reach it, where Landlock cannot scope signals.
    ADD(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(setpgid), 1, LOW32(1, spec->supervisor));
    // Limits and scheduling of others: the pid is a register, so the supervisor can settle it from that alone.
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(prlimit64), 2, NE(0, 0), NE(2, 0));
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(sched_setaffinity), 1, NE(0, 0));
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(sched_setscheduler), 1, NE(0, 0));
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(sched_setparam), 1, NE(0, 0));
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(sched_setattr), 1, NE(0, 0));
    // 0 is the caller itself or its group, but with PRIO_USER (2) and IOPRIO_WHO_USER (3) the user.
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(setpriority), 1, NE(1, 0));
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(setpriority), 1, LOW32(0, 2));
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(ioprio_set), 1, NE(1, 0));
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(ioprio_set), 1, LOW32(0, 3));
    // Who gets SIGIO: with the pid in a register it is looked at, with the pid in memory it is refused.
    ADD(SCMP_ACT_NOTIFY, SCMP_SYS(fcntl), 1, LOW32(1, 8 /* F_SETOWN */));
    ADD(SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(fcntl), 1, LOW32(1, 15 /* F_SETOWN_EX */));
    ADD(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, LOW32(1, 0x8901 /* FIOSETOWN */));
    ADD(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, LOW32(1, 0x8902 /* SIOCSPGRP */));
    return e;
}

static int add_descriptor_rules(scmp_filter_ctx ctx) {
    int e = 0;
    ADD(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, LOW32(1, 0x5412 /* TIOCSTI */));
    ADD(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, LOW32(1, 0x541C /* TIOCLINUX */));
    // They change a file or make names through a descriptor that was judged for reading: type and number, whatever the
    // direction and the size. FS_IOC_SETFLAGS, _FSSETXATTR, _SETVERSION, _ENABLE_VERITY, _SET_ENCRYPTION_POLICY; then
    // btrfs: SNAP_CREATE, SUBVOL_CREATE, SNAP_DESTROY, both _V2, SUBVOL_SETFLAGS, SET_RECEIVED_SUBVOL, SNAP_DESTROY_V2.
    static const unsigned changing[] = {0x6602, 0x5820, 0x7602, 0x6685, 0x6613, 0x9401, 0x940e, 0x940f, 0x9417, 0x9418,
                                        0x941a, 0x9425, 0x943f};
    for (size_t i = 0; i < COUNT(changing); i++)
        ADD(SCMP_ACT_ERRNO(EOPNOTSUPP), SCMP_SYS(ioctl), 1, MASKED(1, 0xffff, changing[i]));
    // userfaultfd(2) by way of /dev/userfaultfd.
    ADD(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, LOW32(1, 0xAA00 /* USERFAULTFD_IOC_NEW */));
    // A lease would make an open of the supervisor's wait for the one who holds it.
    ADD(SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(fcntl), 1, LOW32(1, 1024 /* F_SETLEASE */));
    // SIGIO may not be turned into a signal that nobody can block.
    ADD(SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(fcntl), 2, LOW32(1, 10 /* F_SETSIG */), LOW32(2, 9));
    ADD(SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(fcntl), 2, LOW32(1, 10 /* F_SETSIG */), LOW32(2, 19));
    return e;
}

// (family, type, protocol) by allow list: unix, IPv4, IPv6 without raw sockets, netlink for routes only.
static int add_socket_rules(scmp_filter_ctx ctx) {
    int e = 0;
    for (int f = 0; f <= LAST_FAMILY; f++) {
        if (f == FAMILY_UNIX || f == FAMILY_INET || f == FAMILY_INET6 || f == FAMILY_NETLINK) continue;
        ADD(SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, LOW32(0, f));
    }
    ADD(SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, GT(0, LAST_FAMILY));
    ADD(SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socketpair), 1, NE(0, FAMILY_UNIX));  // TIPC makes pairs too
    ADD(SCMP_ACT_ERRNO(EPROTONOSUPPORT), SCMP_SYS(socket), 2, LOW32(0, FAMILY_NETLINK), NE(2, 0));
    const int inet[] = {FAMILY_INET, FAMILY_INET6};
    for (size_t i = 0; i < COUNT(inet); i++) {
        const int types[] = {3 /* raw */, 5 /* seqpacket: sctp, whatever the protocol */, 6 /* dccp */, 10 /* packet */};
        for (size_t k = 0; k < COUNT(types); k++)
            ADD(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 2, LOW32(0, inet[i]), MASKED(1, 0xf, types[k]));
        const int protocols[] = {132 /* sctp */, 262 /* mptcp */};
        for (size_t k = 0; k < COUNT(protocols); k++)
            ADD(SCMP_ACT_ERRNO(EPROTONOSUPPORT), SCMP_SYS(socket), 2, LOW32(0, inet[i]), LOW32(2, protocols[k]));
    }
    return e;
}

// A judged address must be where the bytes go.
static int add_option_rules(scmp_filter_ctx ctx) {
    // Source routes send to another host first: IP_OPTIONS, IPV6_RTHDR, and two old ways to set the latter.
    static const int options[][2] = {{0, 4}, {41, 57}, {41, 6 /* IPV6_2292PKTOPTIONS */}, {41, 32 /* IPV6_FLOWLABEL_MGR */}};
    int e = 0;
    for (size_t i = 0; i < COUNT(options); i++)
        ADD(SCMP_ACT_ERRNO(EPERM), SCMP_SYS(setsockopt), 2, LOW32(1, options[i][0]), LOW32(2, options[i][1]));
    // MSG_ZEROCOPY would go on reading the supervisor's copy after it has been used for the next message.
    ADD(SCMP_ACT_ERRNO(EOPNOTSUPP), SCMP_SYS(setsockopt), 2, LOW32(1, SOL_SOCKET), LOW32(2, 60 /* SO_ZEROCOPY */));
    return e;
}

static int add_enforcing(scmp_filter_ctx ctx, const struct sbx_filter_spec *spec) {
    int e = add_all(ctx, SCMP_ACT_ERRNO(EPERM), refused, COUNT(refused));
    if (!e) e = add_all(ctx, SCMP_ACT_ERRNO(ENOSYS), absent, COUNT(absent));
    for (int nr = LAST_KNOWN_CALL + 1; nr <= LAST_CALL; nr++) ADD(SCMP_ACT_ERRNO(ENOSYS), nr, 0);
    if (!e) e = add_process_rules(ctx, spec);
    if (!e) e = add_descriptor_rules(ctx);
    if (!e) e = add_socket_rules(ctx);
    if (!e) e = add_option_rules(ctx);
    return e;
}

static int export(scmp_filter_ctx ctx, struct sock_filter **out, unsigned *count) {
    int fd = memfd_create("sandbox-filter", MFD_CLOEXEC);
    if (fd < 0) return -errno;
    int e = seccomp_export_bpf(ctx, fd);
    long size = e ? 0 : lseek(fd, 0, SEEK_END);
    *out = size > 0 ? malloc((size_t)size) : NULL;
    if (!e && (!*out || pread(fd, *out, (size_t)size, 0) != size)) e = -ENOMEM;
    *count = (unsigned)((size_t)size / sizeof **out);
    close(fd);
    return e;
}

int sbx_filter_build(const struct sbx_filter_spec *spec, struct sock_filter **out, unsigned *count) {
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    if (!ctx) return -ENOMEM;
    // i386 and x32 have numbers of their own for everything: no call of theirs is ever judged, so none is made.
    int e = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (!e) e = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);
    if (!e) e = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (!e) e = add_common(ctx);
    if (!e && spec->enforce) e = add_enforcing(ctx, spec);
    if (!e) e = export(ctx, out, count);
    seccomp_release(ctx);
    return e;
}
