/// The calls the filter sends to the supervisor, named once for every architecture.
package enum Trapped: UInt8, Sendable, CaseIterable {
    case open, openat, openat2, creat
    case unlink, unlinkat, rmdir, rename, renameat, renameat2
    case mkdir, mkdirat, mknod, mknodat, link, linkat, symlink, symlinkat, truncate
    case chmod, fchmod, fchmodat, fchmodat2, chown, lchown, fchown, fchownat
    case utime, utimes, futimesat, utimensat
    case setxattr, lsetxattr, fsetxattr, removexattr, lremovexattr, fremovexattr
    case connect, bind, listen, sendto, sendmsg, sendmmsg
    case setuid, setgid, setreuid, setregid, setresuid, setresgid, setfsuid, setfsgid, setgroups, capset
    case kill, tkill, tgkill, rtSigqueueinfo, rtTgsigqueueinfo, pidfdSendSignal
    case prlimit64, schedSetaffinity, schedSetscheduler, schedSetparam, schedSetattr, setpriority, ioprioSet, personality, fcntl
    case unshare, clone, closeRange, prctl, ioSetup
    case shmget, shmat, shmctl, semget, semop, semtimedop, semctl, msgget, msgsnd, msgrcv, msgctl

    /// By this machine's numbers.
    private static let byNumber: [Trapped?] = {
        var list = [Trapped?](repeating: nil, count: SystemCall.numbers)
        for row in SystemCall.table {
            guard let n = row.number(on: .current) else { continue }
            for case .judge(let call) in row.rule.clauses.map(\.action) { list[Int(n)] = call }
        }
        return list
    }()

    package init?(number: Int32) {
        guard number >= 0, Int(number) < Trapped.byNumber.count, let call = Trapped.byNumber[Int(number)] else { return nil }
        self = call
    }
}
