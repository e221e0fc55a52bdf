/// What becomes of calls whose meaning lies in their arguments. The first clause that holds counts; a further one is a row.
extension Rule {
    // MARK: Processes

    static let clone = Rule(
        // Namespaces (in clone's flags the low byte is the exit signal), CLONE_UNTRACED; CLONE_PARENT, which would make it the
        // supervisor's child. It is refused there, and recorded.
        .enforced([.anyBit(0, 0x7e82_8000)], .judge(.clone)),
        // Processes (no threads) that share memory while both run, a working directory, or descriptors. The supervisor notes
        // it: no call of theirs is let go on after a look. CLONE_VM without CLONE_VFORK, CLONE_FS, CLONE_FILES.
        .enforced([.among(0, mask: 0x14100, [0x100])], .judge(.clone)),
        .enforced([.among(0, mask: 0x10200, [0x200])], .judge(.clone)),
        .enforced([.among(0, mask: 0x10400, [0x400])], .judge(.clone)),
        // A thread with descriptors of its own, CLONE_THREAD without CLONE_FILES: from then on the supervisor asks for the
        // thread's instead of the process's.
        .always([.among(0, mask: 0x10400, [0x10000])], .judge(.clone)))
    static let unshare = Rule(
        .enforced([.anyBit(0, 0x7e02_0080)], .judge(.unshare)),
        .always([.anyBit(0, 0x400 /* CLONE_FILES */)], .judge(.unshare)))
    static let closeRange = Rule(.always([.anyBit(2, 2 /* CLOSE_RANGE_UNSHARE */)], .judge(.closeRange)))

    static let ptrace = Rule(.enforced([], .judge(.refused)), .always([], .refuse(EPERM)))

    static let personality = Rule(.enforced([.differs(0, 0)], .judge(.personality)))
    static let seccomp = Rule(
        .enforced([.anyBit(1, 8 /* SECCOMP_FILTER_FLAG_NEW_LISTENER */)], .judge(.refused)),
        .always([.anyBit(1, 8)], .refuse(EBUSY)))
    static let prctl = Rule(
        // An undumpable process could be neither read nor answered. Programs that ask for it (ssh-agent) go on if told that it
        // is done: PR_SET_DUMPABLE, 0.
        .always([.among(0, [4]), .among(1, [0])], .refuse(0)),
        // What a program started later may do, whoever its user is: PR_CAPBSET_DROP, PR_SET_SECUREBITS, PR_CAP_AMBIENT.
        .always([.among(0, [24, 28, 47])], .judge(.prctl)),
        .enforced([.among(0, [35 /* PR_SET_MM: would hide its program */])], .refuse(EPERM)),
        // As on kernels without it: shares the processor with whom it will, or with nobody.
        .enforced([.among(0, [62 /* PR_SCHED_CORE */])], .refuse(EINVAL)),
        // Options beyond those that somebody has looked at; three known ones spell names: PR_SET_VMA, PR_GET_AUXV, PR_SET_PTRACER.
        .enforced([.among(0, [0x5356_4d41, 0x4155_5856, 0x5961_6d61])], .allow),
        .enforced([.above(0, 79 /* PR_RSEQ_SLICE_EXTENSION */)], .refuse(EINVAL)))

    static let kill = Rule(
        .scoped([.among(0, [.supervisor, .front, .supervisorGroup, 0xffff_ffff])], .judge(.kill)), .unscoped([], .judge(.kill)))
    static func unscoped(_ call: Trapped) -> Rule { Rule(.unscoped([], .judge(call))) }
    /// Signals that bring a value of their sender's choice.
    static func signalsWithValue(_ call: Trapped) -> Rule { Rule(.tracking([], .judge(call)), .unscoped([], .judge(call))) }
    /// Where data classes are followed the kernel alone says what comes with it.
    static let pidfdSendSignal = Rule(.tracking([.pointer(2)], .refuse(EINVAL)), .unscoped([], .judge(.pidfdSendSignal)))
    /// In the supervisor's process group kill(0, …) would reach it, where Landlock cannot scope signals.
    static let setpgid = Rule(.enforced([.among(1, [.supervisor])], .refuse(EPERM)))

    /// The pid is a register, so that the supervisor can settle it from that alone. 0 is the caller itself.
    static func ofOthers(_ call: Trapped) -> Rule { Rule(.enforced([.differs(0, 0)], .judge(call))) }
    static let prlimit64 = Rule(.enforced([.differs(0, 0), .pointer(2)], .judge(.prlimit64)))
    // 0 is the caller itself, but with PRIO_PGRP (1) and IOPRIO_WHO_PGRP (2) its group, with PRIO_USER (2) and IOPRIO_WHO_USER (3) the user.
    static let setpriority = Rule(
        .enforced([.differs(1, 0)], .judge(.setpriority)), .enforced([.among(0, [1, 2])], .judge(.setpriority)))
    static let ioprioSet = Rule(
        .enforced([.differs(1, 0)], .judge(.ioprioSet)), .enforced([.among(0, [2, 3])], .judge(.ioprioSet)))

    // MARK: Descriptors

    /// FALLOC_FL_PUNCH_HOLE and COLLAPSE_RANGE give room back.
    static let fallocate = Rule(.counted([.among(1, mask: 0xa, [0])], .judge(.fallocate)))

    static let fcntl = Rule(
        // Who gets SIGIO: with the pid in a register it is looked at (F_SETOWN), with the pid in memory it is refused (F_SETOWN_EX).
        .enforced([.among(1, [8, 15])], .judge(.fcntl)),
        // SIGIO may not be turned into a signal that nobody can block: F_SETSIG with SIGKILL, SIGSTOP.
        .enforced([.among(1, [10]), .among(2, [9, 19])], .judge(.fcntl)),
        // A lease would make an open of the supervisor's wait for the one who holds it: F_SETLEASE, F_SETDELEG.
        .enforced([.among(1, [1024, 1040])], .refuse(EINVAL)),
        // Later than the last that somebody has looked at, as the kernel answers it.
        .enforced([.above(1, 1040)], .refuse(EINVAL)))

    static let ioctl = Rule(
        // Types into the terminal (TIOCSTI, TIOCLINUX) or takes the console's output (TIOCCONS), has others signalled (FIOSETOWN,
        // SIOCSPGRP), makes a userfaultfd(2) by way of /dev/userfaultfd (USERFAULTFD_IOC_NEW), or a network or an input device of a
        // terminal, by a line discipline that lies in memory (TIOCSETD).
        .enforced([.among(1, [0x5412, 0x541c, 0x541d, 0x5423, 0x8901, 0x8902, 0xaa00])], .judge(.refused)),
        // Exchanges a file with the boot loader's (EXT4_IOC_SWAP_BOOT; PROCMAP_QUERY has the same type and number).
        .enforced([.among(1, [0x6611])], .refuse(EPERM)),
        // They change a file or make names through a descriptor that was judged for reading: type and number, whatever the
        // direction and the size. FS_IOC_SETFLAGS, _FSSETXATTR, _SETVERSION, _ENABLE_VERITY, _SET_ENCRYPTION_POLICY; then btrfs:
        // SNAP_CREATE, SUBVOL_CREATE, SNAP_DESTROY, both _V2, SUBVOL_SETFLAGS, SET_RECEIVED_SUBVOL, SNAP_DESTROY_V2; then
        // EXT4_IOC_SETVERSION, EXT4_IOC_MOVE_EXT, XFS_IOC_SWAPEXT, XFS_IOC_EXCHANGE_RANGE; FAT_IOCTL_SET_ATTRIBUTES; by names in memory
        // OCFS2_IOC_REFLINK. And fallocate(2) by other names, which
        // nobody counts: FS_IOC_RESVSP, RESVSP64, ZERO_RANGE.
        .enforced(
            [
                .among(
                    1, mask: 0xffff,
                    [
                        0x6602, 0x5820, 0x7602, 0x6685, 0x6613, 0x9401, 0x940e, 0x940f, 0x9417, 0x9418, 0x941a, 0x9425, 0x943f,
                        0x6604, 0x660f, 0x586d, 0x5881, 0x7211, 0x6f04, 0x5828, 0x582a, 0x5839,
                    ])
            ], .refuse(EOPNOTSUPP)),
        // Bcachefs' own, which make and remove names as well: BCH_IOCTL_SUBVOLUME_CREATE, _DESTROY, and what else is of its type.
        .enforced([.among(1, mask: 0xff00, [0xbc00])], .refuse(EOPNOTSUPP)),
        // They open or read what they are told by number: XFS_IOC_FD_TO_HANDLE, PATH_TO_HANDLE, OPEN_BY_HANDLE,
        // READLINK_BY_HANDLE, FSSETDM_BY_HANDLE, ATTRLIST_, ATTRMULTI_BY_HANDLE; btrfs: TREE_SEARCH, SEND, ENCODED_READ and _WRITE. Or
        // stop a file system (FIFREEZE, FITHAW, EXT4_IOC_SHUTDOWN), or lock away what it holds (FS_IOC_ADD_ENCRYPTION_KEY,
        // REMOVE_, REMOVE_..._ALL_USERS).
        .enforced(
            [
                .among(
                    1, mask: 0xffff,
                    [
                        0x5869, 0x586a, 0x586b, 0x586c, 0x586e, 0x587a, 0x587b, 0x9411, 0x9426, 0x9440, 0x5877, 0x5878, 0x587d,
                        0x6617, 0x6618, 0x6619,
                    ])
            ], .refuse(EOPNOTSUPP)))

    // MARK: Sockets

    // (family, type, protocol) by allow list: unix (1), IPv4 (2), IPv6 (10) without raw sockets, netlink (16) for routes only.
    static let socket = Rule(
        // Raw, seqpacket (sctp, whatever the protocol), dccp, packet; of families, those that reach a network past IP: packet, vsock, xdp.
        .enforced([.among(0, [2, 10]), .among(1, mask: 0xf, [3, 5, 6, 10])], .judge(.refused)),
        .enforced([.among(0, [17, 40, 44])], .judge(.refused)),
        // icmp (pings that need no rights), tcp, udp, icmpv6, udplite; not sctp, smc, mptcp, l2tp.
        .enforced([.among(0, [2, 10]), .among(2, [0, 1, 6, 17, 58, 136])], .allow),
        .enforced([.among(0, [16]), .among(2, [0])], .allow),
        .enforced([.among(0, [2, 10, 16])], .refuse(EPROTONOSUPPORT)),
        .enforced([.differs(0, 1)], .refuse(EAFNOSUPPORT)))
    static let socketpair = Rule(.enforced([.differs(0, 1)], .refuse(EAFNOSUPPORT)))  // TIPC makes pairs too

    static let setsockopt = Rule(
        // A judged address must be where the bytes go. Source routes send to another host first: IP_OPTIONS, IPV6_RTHDR, and
        // two old ways to set the latter, IPV6_2292PKTOPTIONS and IPV6_FLOWLABEL_MGR.
        .enforced([.among(1, [0]), .among(2, [4])], .judge(.setsockopt)),
        .enforced([.among(1, [41]), .among(2, [57, 6, 32])], .judge(.setsockopt)),
        // 127.0.0.1, sent by another device than the loopback's, is on its way to another machine: SO_BINDTODEVICE, SO_BINDTOIFINDEX (as
        // before Linux 5.7), IP_UNICAST_IF, IPV6_UNICAST_IF, IPV6_PKTINFO.
        .enforced([.among(1, [1]), .among(2, [25, 62])], .refuse(EPERM)),
        .enforced([.among(1, [0]), .among(2, [50])], .refuse(EPERM)),
        .enforced([.among(1, [41]), .among(2, [50, 76])], .refuse(EPERM)),
        // A unix socket that has them gets a name when it sends or connects, without bind(2): SO_PASSCRED, SO_PASSPIDFD.
        .enforced([.among(1, [1]), .among(2, [16, 76])], .judge(.setsockopt)),
        // MSG_ZEROCOPY would go on reading the supervisor's copy after it has been used for the next message: SO_ZEROCOPY.
        .enforced([.among(1, [1]), .among(2, [60])], .refuse(EOPNOTSUPP)),
        // Descriptors from outside stay outside: SO_PASSRIGHTS.
        .enforced([.among(1, [1]), .among(2, [83])], .refuse(ENOPROTOOPT)))
    /// A datagram or a fast-open with an address; without one it is the data path.
    static let sendto = Rule(.always([.pointer(4)], .judge(.sendto)))

    // MARK: System V objects

    // What tells of all objects, by index or as a sum, changes nothing: IPC_INFO, and SHM_, SEM_, MSG_ with INFO, STAT, STAT_ANY.
    static let shmctl = Rule(.enforced([.among(1, [3, 13, 14, 15])], .allow), .enforced([], .judge(.shmctl)))
    static let semctl = Rule(.enforced([.among(2, [3, 18, 19, 20])], .allow), .enforced([], .judge(.semctl)))
    static let msgctl = Rule(.enforced([.among(1, [3, 11, 12, 13])], .allow), .enforced([], .judge(.msgctl)))
}
