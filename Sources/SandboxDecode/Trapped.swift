/// The calls the filter sends to the supervisor, named once for every architecture.
package enum Trapped: UInt8, Sendable, CaseIterable {
    case open, openat, openat2, creat
    case unlink, unlinkat, rmdir, rename, renameat, renameat2
    case mkdir, mkdirat, mknod, mknodat, link, linkat, symlink, symlinkat, truncate
    case chmod, fchmod, fchmodat, fchmodat2, chown, lchown, fchown, fchownat
    case utime, utimes, futimesat, utimensat
    case setxattr, lsetxattr, fsetxattr, removexattr, lremovexattr, fremovexattr
    case connect, bind, listen, sendto, sendmsg, sendmmsg, setsockopt
    case accept, accept4, readlink, readlinkat
    case setuid, setgid, setreuid, setregid, setresuid, setresgid, setfsuid, setfsgid, setgroups, capset
    case kill, tkill, tgkill, rtSigqueueinfo, rtTgsigqueueinfo, pidfdSendSignal
    case prlimit64, schedSetaffinity, schedSetscheduler, schedSetparam, schedSetattr, setpriority, ioprioSet, personality, fcntl
    case unshare, clone, closeRange, prctl, ioSetup, fallocate
    /// What is refused whatever it asks for, by any name.
    case refused
    case shmget, shmat, shmctl, semget, semop, semtimedop, semctl, msgget, msgsnd, msgrcv, msgctl

    /// By its number on this machine.
    package init?(number: Int32) {
        guard let call = SystemCall.judged(number)?.call else { return nil }
        self = call
    }
}
