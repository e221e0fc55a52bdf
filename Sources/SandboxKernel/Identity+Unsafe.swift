internal import CShims
internal import Glibc

/// Acts with the credentials of whoever the call is made for. Matters only where the supervisor is root: an
/// ordinary supervisor and all it supervises share one user, and no_new_privs keeps it so.
final class Identity {
    private let context: KernelContext
    private let status = UnsafeMutableRawBufferPointer.allocate(byteCount: 8192, alignment: 16)
    private let path = PathBuffer()
    private var ownGroups: [UInt32] = []
    private var ownCaps = sbx_caps()
    private let ownUser = Int32(bitPattern: getuid()), ownGroup = Int32(bitPattern: getgid())
    private let ownEffectiveGroup = Int32(bitPattern: getegid())

    init(_ context: KernelContext) {
        self.context = context
        if context.isRoot {
            var list = [UInt32](repeating: 0, count: 256)
            let n = sbx_thread_getgroups(256, &list)
            ownGroups = Array(list.prefix(Int(max(n, 0))))
            _ = sbx_thread_getcaps(&ownCaps)
        }
    }
    deinit { status.deallocate() }

    /// Runs `body` as the caller. Anything that fails on the way there is `EPERM`: nobody is served with more
    /// rights than it has.
    func assumed<R: ~Copyable>(_ caller: Caller, _ body: () throws(Errno) -> R) throws(Errno) -> R {
        guard let who = try someoneElse(caller) else { return try body() }
        try take(who)
        defer { restore() }
        return try body()
    }

    /// Who the caller is, where it is not the same as we are.
    func someoneElse(_ caller: Caller) throws(Errno) -> Credentials? {
        guard context.mustLookUpIdentity(of: caller) else { return nil }
        let who = try Credentials(caller.tid, status, path)
        return who.differs(from: ownCaps) ? who : nil
    }

    /// CAP_SYS_ADMIN (21), which an enforcing supervisor has laid down.
    var mayNameOthers: Bool { ownCaps.effective & 1 << 21 != 0 }

    private func take(_ who: Credentials) throws(Errno) {
        var groups = who.groups
        var ok = sbx_thread_setgroups(Int32(groups.count), &groups) == 0
        // The real ids too: they are what a receiver with SO_PASSCRED is told (unix(7)). The saved ones lead back.
        let user = Int32(bitPattern: who.fileUser), group = Int32(bitPattern: who.fileGroup)
        ok = ok && sbx_thread_setresgid(group, group, -1) == 0
        ok = ok && sbx_thread_setresuid(user, user, -1) == 0
        var caps = sbx_caps(effective: who.effective & ownCaps.permitted, permitted: ownCaps.permitted, inheritable: ownCaps.inheritable)
        ok = ok && sbx_thread_setcaps(&caps) == 0
        if !ok {
            restore()
            throw Errno(EPERM)
        }
    }

    /// A thread that could not get its own rights back must not go on.
    private func restore() {
        var ok = sbx_thread_setresuid(ownUser, 0, -1) == 0
        ok = ok && sbx_thread_setcaps(&ownCaps) == 0
        ok = ok && sbx_thread_setresgid(ownGroup, ownEffectiveGroup, -1) == 0
        ok = ok && sbx_thread_setgroups(Int32(ownGroups.count), &ownGroups) == 0
        if !ok { _exit(125) }
    }

    /// The file mode creation mask of the caller, umask(2).
    func mask(of caller: Caller) throws(Errno) -> UInt32 {
        try ProcStatus.mask(of: caller.tid, status, path)
    }
}

/// Who somebody is, from `/proc/TID/status` (proc(5)).
struct Credentials {
    var fileUser: UInt32
    var fileGroup: UInt32
    var groups: [UInt32]
    var effective: UInt64
    private var users: [UInt32]
    private var mainGroups: [UInt32]

    init(_ tid: Int32, _ buffer: UnsafeMutableRawBufferPointer, _ path: PathBuffer) throws(Errno) {
        let s = try ProcStatus.read(tid, buffer, path)
        fileUser = s.fileUser
        fileGroup = s.fileGroup
        groups = s.groups
        effective = s.effective
        users = s.users
        mainGroups = s.mainGroups
    }

    /// What the kernel asks of `SCM_CREDENTIALS`: one of one's own ids, CAP_SETGID (6) or CAP_SETUID (7).
    func mayClaim(user: UInt32, group: UInt32) -> Bool {
        (effective & 1 << 7 != 0 || users.contains(user)) && (effective & 1 << 6 != 0 || mainGroups.contains(group))
    }

    func differs(from own: sbx_caps) -> Bool {
        // What all the session lacks makes nobody different, and is no part of any call that is made on its behalf.
        fileUser != 0 || fileGroup != 0 || (effective ^ own.effective) & ~sbx_machine_caps() != 0
    }
}

/// The lines of `/proc/TID/status` that a decision or an answer needs.
struct ProcStatus {
    var leader: Int32 = 0
    var parent: Int32 = 0
    var tracer: Int32 = 0
    var fileUser: UInt32 = .max
    var fileGroup: UInt32 = .max
    var groups: [UInt32] = []
    /// Real, effective, saved, file system.
    var users: [UInt32] = []
    var mainGroups: [UInt32] = []
    var effective: UInt64 = 0
    /// Signals that would interrupt the task now: pending, not blocked, and not ignored. (Of a traced task those are pending, too.)
    var interrupting: UInt64 = 0

    static func read(_ tid: Int32, _ buffer: UnsafeMutableRawBufferPointer, _ path: PathBuffer) throws(Errno) -> ProcStatus {
        ProcStatus(try text(of: tid, buffer, path))
    }

    /// One line alone: whoever makes a file waits for it.
    static func mask(of tid: Int32, _ buffer: UnsafeMutableRawBufferPointer, _ path: PathBuffer) throws(Errno) -> UInt32 {
        var rest = try text(of: tid, buffer, path)[...]
        while let end = rest.firstIndex(of: 0x0a) {
            let line = rest[..<end]
            if line.starts(with: "Umask:".utf8) {
                return UInt32(truncatingIfNeeded: number(UnsafeRawBufferPointer(rebasing: line.dropFirst(6)), radix: 8))
            }
            rest = rest[(end + 1)...]
        }
        return 0o022
    }

    private static func text(
        of tid: Int32, _ buffer: UnsafeMutableRawBufferPointer, _ path: PathBuffer
    ) throws(Errno) -> UnsafeRawBufferPointer {
        path.clear()
        path.append("/proc/")
        path.append(decimal: tid)
        path.append("/status")
        let file = try Descriptor(sbx_openat(At.workingDirectory, path.base, O_RDONLY | Flag.closeOnExec, 0))
        let n = sbx_read(file.number, buffer.baseAddress, buffer.count)
        if n <= 0 { throw Errno(ESRCH) }
        return UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<n])
    }

    private init(_ bytes: UnsafeRawBufferPointer) {
        var pending: UInt64 = 0, blocked: UInt64 = 0, ignored: UInt64 = 0, caught: UInt64 = 0
        for line in bytes.split(separator: 0x0a) {
            guard let colon = line.firstIndex(of: 0x3a) else { continue }
            let key = UnsafeRawBufferPointer(rebasing: line[..<colon])
            let value = UnsafeRawBufferPointer(rebasing: line[(colon + 1)...])
            func isKey(_ s: StaticString) -> Bool {
                key.count == s.utf8CodeUnitCount && memcmp(key.baseAddress!, s.utf8Start, key.count) == 0
            }
            if isKey("Tgid") { leader = Int32(truncatingIfNeeded: ProcStatus.number(value, radix: 10)) }
            if isKey("TracerPid") { tracer = Int32(truncatingIfNeeded: ProcStatus.number(value, radix: 10)) }
            if isKey("PPid") { parent = Int32(truncatingIfNeeded: ProcStatus.number(value, radix: 10)) }
            if isKey("Uid") { users = ProcStatus.numbers(value) }
            if isKey("Gid") { mainGroups = ProcStatus.numbers(value) }
            if isKey("Groups") { groups = ProcStatus.numbers(value) }
            if isKey("CapEff") { effective = ProcStatus.number(value, radix: 16) }
            if isKey("SigPnd") || isKey("ShdPnd") { pending |= ProcStatus.number(value, radix: 16) }
            if isKey("SigBlk") { blocked = ProcStatus.number(value, radix: 16) }
            if isKey("SigIgn") { ignored = ProcStatus.number(value, radix: 16) }
            if isKey("SigCgt") { caught = ProcStatus.number(value, radix: 16) }
        }
        fileUser = users.last ?? .max
        fileGroup = mainGroups.last ?? .max
        interrupting = pending & ~blocked & ~ignored & ~(ProcStatus.ignoredByDefault & ~caught)
    }

    /// signal(7).
    private static let ignoredByDefault = set([SIGCHLD, SIGCONT, SIGURG, SIGWINCH])
    static let stops = set([SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU])
    static func isStop(_ signal: Int32) -> Bool { (1...64).contains(signal) && stops >> UInt64(signal - 1) & 1 != 0 }
    private static func set(_ signals: [Int32]) -> UInt64 { signals.reduce(0) { $0 | 1 << UInt64($1 - 1) } }

    private static func numbers(_ text: UnsafeRawBufferPointer) -> [UInt32] {
        text.split(whereSeparator: { $0 == 0x20 || $0 == 0x09 }).map {
            UInt32(truncatingIfNeeded: number(UnsafeRawBufferPointer(rebasing: $0), radix: 10))
        }
    }

    private static func number(_ text: UnsafeRawBufferPointer, radix: UInt64) -> UInt64 {
        var v: UInt64 = 0
        for c in text {
            switch c {
            case 0x30...0x39: v = v &* radix &+ UInt64(c - 0x30)
            case 0x61...0x66: v = v &* radix &+ UInt64(c - 0x57)
            default: continue
            }
        }
        return v
    }
}
