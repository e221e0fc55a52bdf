package import SandboxModel

private let symlinkFollow: Int32 = 0x400, symlinkNoFollow: Int32 = 0x100, emptyPath: Int32 = 0x1000

extension RawCall {
    /// clone(2), whose flags hold a signal in their low byte.
    package var isClone: Bool { Trapped(number: number) == .clone }

    /// Only asks whether a process is there: kill(2) with no signal.
    package var isProbe: Bool { Trapped(number: number) == .kill && word(1) == 0 }

    /// The call in the supervisor's terms, from the registers alone.
    package var decoded: Call {
        guard let call = Trapped(number: number) else { return .unknown }
        switch call {
        case .open, .openat, .openat2, .creat: return decodedOpen(call)
        case .connect, .bind, .listen, .sendto, .sendmsg, .sendmmsg, .accept, .accept4: return decodedSocket(call)
        case .chmod, .fchmod, .fchmodat, .fchmodat2, .chown, .lchown, .fchown, .fchownat, .utime, .utimes, .futimesat,
            .utimensat, .setxattr, .lsetxattr, .fsetxattr, .removexattr, .lremovexattr, .fremovexattr:
            return decodedMetadata(call)
        case .setuid, .setgid, .setreuid, .setregid, .setresuid, .setresgid, .setfsuid, .setfsgid, .setgroups, .capset, .prctl:
            return .changeIdentity(decodedIdentity(call))
        case .kill, .tkill, .tgkill, .schedSetaffinity, .schedSetscheduler, .schedSetparam, .schedSetattr:
            return .towardsProcess(int(0))
        case .rtSigqueueinfo, .rtTgsigqueueinfo, .prlimit64: return .tellsProcess(int(0))
        // PRIO_USER and IOPRIO_WHO_USER mean every process of a user, the supervisor among them: nobody's to change. Nor is one's own
        // group where it has no number (PRIO_PGRP, IOPRIO_WHO_PGRP): the front is in it, and any of that terminal can be joined.
        case .setpriority: return .towardsProcess(word(0) == 2 || word(0) == 1 && int(1) == 0 ? -1 : int(1))
        case .ioprioSet: return .towardsProcess(word(0) == 3 || word(0) == 2 && int(1) == 0 ? -1 : int(1))
        // F_SETOWN; a negative number is a process group. The rest of what comes here has no good end.
        case .fcntl: return word(1) == 8 ? .towardsProcess(int(2)) : .refused
        case .fallocate: return .takeRoom(arguments[3])
        // SOL_SOCKET; what comes here of other levels is refused.
        case .setsockopt where word(1) == 1: return .nameSender(socket: int(0), option: int(2), value: address(3), length: int(4))
        case .pidfdSendSignal: return .signalDescriptor(int(0), signal: int(1))
        case .refused, .setsockopt: return .refused
        case .personality: return .personality(word(0))
        case .clone where arguments[0] & 0x10000 /* CLONE_THREAD */ == 0: return .shares(flags: arguments[0])
        case .ioSetup: return .shares(flags: 0)
        case .unshare, .clone: return .separateDescriptors(flags: arguments[0])
        case .closeRange: return .separateDescriptors(flags: 0)
        case .shmget, .shmat, .shmctl, .semget, .semop, .semtimedop, .semctl, .msgget, .msgsnd, .msgrcv, .msgctl:
            return decodedSystemV(call)
        default: return decodedName(call)
        }
    }

    private func decodedIdentity(_ call: Trapped) -> IdentityChange {
        switch call {
        case .setuid, .setfsuid: .users([word(0), .max, .max])
        case .setreuid: .users([word(0), word(1), .max])
        case .setresuid: .users([word(0), word(1), word(2)])
        case .setgid, .setfsgid: .groups([word(0), .max, .max])
        case .setregid: .groups([word(0), word(1), .max])
        case .setresgid: .groups([word(0), word(1), word(2)])
        default: .other
        }
    }

    private func decodedOpen(_ call: Trapped) -> Call {
        switch call {
        case .open:
            let flags = UInt64(word(1))
            return .open(OpenRequest(path: .plain(address(0), follow: true), flags: flags, mode: UInt64(word(2))))
        case .creat:  // O_CREAT | O_WRONLY | O_TRUNC, creat(2)
            return .open(OpenRequest(path: .plain(address(0), follow: true), flags: 0o1101, mode: UInt64(word(1))))
        case .openat2:
            var r = OpenRequest(path: .path(int(0), address(1), follow: true), flags: 0, mode: 0)
            r.how = address(2)
            // A size of 0 marks open and openat; the kernel refuses it as it does any below 24 (EINVAL).
            r.howSize = max(arguments[3], 1)
            return .open(r)
        default:
            return .open(
                OpenRequest(
                    path: .path(int(0), address(1), follow: true), flags: UInt64(word(2)),
                    mode: UInt64(word(3))))
        }
    }

    private func decodedName(_ call: Trapped) -> Call {
        switch call {
        case .unlink: .remove(.plain(address(0), follow: false), directory: false, flags: 0)
        case .rmdir: .remove(.plain(address(0), follow: false), directory: true, flags: 0x200)
        case .unlinkat:
            .remove(.path(int(0), address(1), follow: false), directory: int(2) & 0x200 != 0, flags: int(2))
        case .rename:
            .rename(from: .plain(address(0), follow: false), to: .plain(address(1), follow: false), flags: 0)
        case .renameat, .renameat2:
            .rename(
                from: .path(int(0), address(1), follow: false), to: .path(int(2), address(3), follow: false),
                flags: call == .renameat ? 0 : word(4))
        case .mkdir: .makeDirectory(.plain(address(0), follow: false), mode: word(1))
        case .mkdirat: .makeDirectory(.path(int(0), address(1), follow: false), mode: word(2))
        case .mknod: .makeNode(.plain(address(0), follow: false), mode: word(1), device: UInt64(word(2)))
        case .mknodat: .makeNode(.path(int(0), address(1), follow: false), mode: word(2), device: UInt64(word(3)))
        case .link:
            .link(from: .plain(address(0), follow: false), to: .plain(address(1), follow: false), flags: 0)
        case .linkat:
            .link(
                from: .path(int(0), address(1), follow: int(4) & symlinkFollow != 0, mayBeEmpty: int(4) & emptyPath != 0),
                to: .path(int(2), address(3), follow: false), flags: int(4))
        case .symlink: .symlink(target: address(0), at: .plain(address(1), follow: false))
        case .symlinkat: .symlink(target: address(0), at: .path(int(1), address(2), follow: false))
        case .truncate: .truncate(.plain(address(0), follow: true), length: Int64(bitPattern: arguments[1]))
        case .readlink: .readLink(.plain(address(0), follow: false), buffer: address(1), size: int(2))
        case .readlinkat:
            .readLink(.path(int(0), address(1), follow: false, mayBeEmpty: true), buffer: address(2), size: int(3))
        default: .unknown
        }
    }

    private func decodedMetadata(_ call: Trapped) -> Call {
        switch call {
        case .chmod: return .changeMode(.plain(address(0), follow: true), mode: word(1), flags: 0)
        case .fchmod: return .changeMode(.descriptor(int(0)), mode: word(1), flags: 0)
        case .fchmodat: return .changeMode(.path(int(0), address(1), follow: true), mode: word(2), flags: 0)
        case .fchmodat2: return .changeMode(flagged(3), mode: word(2), flags: int(3))
        case .chown: return .changeOwner(.plain(address(0), follow: true), user: word(1), group: word(2))
        case .lchown: return .changeOwner(.plain(address(0), follow: false), user: word(1), group: word(2))
        case .fchown: return .changeOwner(.descriptor(int(0)), user: word(1), group: word(2))
        case .fchownat: return .changeOwner(flagged(4), user: word(2), group: word(3))
        case .utime: return .changeTimes(.plain(address(0), follow: true), times: address(1), layout: .utimbuf)
        case .utimes: return .changeTimes(.plain(address(0), follow: true), times: address(1), layout: .timevals)
        case .futimesat, .utimensat:
            // A null path means the descriptor itself (utimensat(2), "C library/kernel differences").
            let at =
                address(1).isNull
                ? PathArgument.descriptor(int(0)) : (call == .utimensat ? flagged(3) : .path(int(0), address(1), follow: true))
            return .changeTimes(at, times: address(2), layout: call == .utimensat ? .timespecs : .timevals)
        default: return decodedAttribute(call)
        }
    }

    private func decodedAttribute(_ call: Trapped) -> Call {
        let set = ExtendedAttribute(name: address(1), value: address(2), size: arguments[3], flags: int(4))
        switch call {
        case .setxattr: return .setAttribute(.plain(address(0), follow: true), set)
        case .lsetxattr: return .setAttribute(.plain(address(0), follow: false), set)
        case .fsetxattr: return .setAttribute(.descriptor(int(0)), set)
        case .removexattr: return .removeAttribute(.plain(address(0), follow: true), name: address(1))
        case .lremovexattr: return .removeAttribute(.plain(address(0), follow: false), name: address(1))
        default: return .removeAttribute(.descriptor(int(0)), name: address(1))
        }
    }

    /// `(dirfd, path)` in the first two registers, `AT_*` flags in register `i`.
    private func flagged(_ i: Int) -> PathArgument {
        .path(int(0), address(1), follow: int(i) & symlinkNoFollow == 0, mayBeEmpty: int(i) & emptyPath != 0)
    }

    private func decodedSocket(_ call: Trapped) -> Call {
        switch call {
        case .connect: .connect(socket: int(0), address: address(1), length: word(2))
        case .bind: .bind(socket: int(0), address: address(1), length: word(2))
        case .listen: .listen(socket: int(0), backlog: int(1))
        case .sendto:
            .sendTo(socket: int(0), data: address(1), count: arguments[2], flags: int(3), address: address(4), length: word(5))
        case .sendmsg: .sendMessage(Message(socket: int(0), header: address(1), flags: int(2)))
        case .accept: .accept(socket: int(0), address: address(1), length: address(2), flags: 0)
        case .accept4: .accept(socket: int(0), address: address(1), length: address(2), flags: int(3))
        default: .sendMessages(Message(socket: int(0), header: address(1), flags: int(3)), count: word(2))
        }
    }
    private func kind(of call: Trapped) -> ObjectKind {
        switch call {
        case .shmget, .shmat, .shmctl: .sharedMemory
        case .semget, .semop, .semtimedop, .semctl: .semaphores
        default: .messages
        }
    }

    private func decodedSystemV(_ call: Trapped) -> Call {
        switch call {
        case .shmget, .semget: .getObject(kind(of: call), key: int(0), size: arguments[1], flags: int(2))
        case .msgget: .getObject(.messages, key: int(0), size: 0, flags: int(1))
        case .shmctl where int(1) == 0, .semctl where int(2) == 0, .msgctl where int(1) == 0:
            .removeObject(kind(of: call), id: int(0))
        default: .useObject(kind(of: call), id: int(0))
        }
    }
}
