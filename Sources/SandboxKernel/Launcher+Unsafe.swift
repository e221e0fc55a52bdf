package import CShims
internal import Glibc
internal import SandboxDecode

/// What a program is started with.
package struct LaunchSpec: Sendable {
    package var program: [CChar]
    package var arguments: [[CChar]]
    package var environment: [[CChar]]
    package var enforces: Bool
    /// The profile follows data classes: more calls are judged.
    package var tracksData = false
    /// The process the user started; the program joins its group,
    package var front: Int32
    /// or, with a terminal of its own, makes one.
    package var hasOwnGroup = false
    /// The folder of the control group to be born in; -1: ours.
    package var controlGroup: Int32 = -1
    /// What is written is limited, and so is what is set aside for it.
    package var countsRoom = false
    package var limits: [(resource: Int32, soft: UInt64, hard: UInt64)] = []
    package var keep: [Int32] = []
    package var signals: sbx_signals
    package var account: Account?

    package init(program: [CChar], arguments: [[CChar]], environment: [[CChar]], enforces: Bool, front: Int32, signals: sbx_signals) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.enforces = enforces
        self.front = front
        self.signals = signals
    }
}

/// Another account to run as (`--user`).
package struct Account: Sendable {
    package let user: UInt32
    package let group: UInt32
    package let groups: [UInt32]
    package let home: String

    /// By name or number, from the user database; nil where there is no such account.
    package init?(_ name: String) {
        guard let entry = getpwnam(name) ?? UInt32(name).flatMap({ getpwuid($0) }) else { return nil }
        user = entry.pointee.pw_uid
        group = entry.pointee.pw_gid
        home = String(cString: entry.pointee.pw_dir)
        var list = [UInt32](repeating: 0, count: 256)
        var count: Int32 = 256
        getgrouplist(entry.pointee.pw_name, group, &list, &count)
        groups = Array(list.prefix(Int(max(count, 0))))
    }
}

/// Why nothing was started: the step, and what the kernel said.
package struct LaunchError: Error {
    package let step: String
    package let code: Int32
    package let help: String
}

/// A program that waits just before its first instruction: traced, filtered, its listener proven to work.
package struct Launched {
    fileprivate var raw: sbx_launched
    package let listener: Listener
    package let synchronous: Bool
    package var pid: Int32 { raw.pid }
    /// It lies in the control group that it was to be born in.
    package var isInGroup: Bool { raw.in_group != 0 }

    fileprivate init(_ raw: sbx_launched) {
        self.raw = raw
        listener = Listener(descriptor: raw.listener)
        synchronous = sbx_notify_sync_wake_up(raw.listener) == 0
    }

    /// Lets it become the program.
    package func go() { withUnsafePointer(to: raw) { _ = sbx_launch_go($0) } }

    /// 0 once it has become the program (or died); else the error that execve(2) gave.
    package func outcome() -> Int32 {
        var copy = raw
        return -sbx_launch_outcome(&copy)
    }
}

/// The path, the arguments behind an empty place, and the environment, in memory that stays where it is and is never given back:
/// whether the child still reads it is the child's to say.
private struct LaunchWords {
    let program: UnsafeMutablePointer<CChar>
    let arguments, environment: UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>

    init(_ spec: LaunchSpec) {
        program = strdup(spec.program)
        arguments = LaunchWords.copy([nil] + spec.arguments.map { strdup($0) })
        environment = LaunchWords.copy(spec.environment.map { strdup($0) })
    }

    private static func copy(_ words: [UnsafeMutablePointer<CChar>?]) -> UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?> {
        let list = UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: words.count + 1)
        _ = list.initialize(from: words + [nil])
        return list
    }
}

package enum Launcher {
    /// Starts the program stopped. The calling thread becomes its tracer and must stay.
    package static func start(_ spec: LaunchSpec) throws(LaunchError) -> Launched {
        let landlock = spec.enforces ? sbx_landlock_domain() : -1
        defer { if landlock >= 0 { _ = sbx_close(landlock) } }
        if spec.enforces, landlock < 0, KernelFloor.here.abi >= 0 {
            throw LaunchError(step: "landlock_create_ruleset", code: -landlock, help: "")
        }
        let scoped = landlock >= 0 && sbx_landlock_scopes_signals() == 1
        var kind = FilterKind(
            enforces: spec.enforces, scopesSignals: scoped, countsRoom: spec.countsRoom, supervisor: getpid(), front: spec.front)
        kind.tracksData = spec.tracksData
        let filter = FilterProgram(kind)

        var out = sbx_launched()
        let words = LaunchWords(spec)
        let result = withArrays(spec, filter) { filter, limits, keep in
            var raw = sbx_launch()
            raw.program = UnsafePointer(words.program)
            raw.argv = words.arguments.baseAddress! + 1
            raw.envp = words.environment.baseAddress!
            raw.filter = filter.baseAddress
            raw.filter_count = UInt32(filter.count)
            raw.group = spec.hasOwnGroup ? -1 : getpgid(spec.front)
            raw.landlock = landlock
            raw.control_group = spec.controlGroup
            raw.drop_machine_caps = spec.enforces ? 1 : 0
            raw.limits = limits.baseAddress
            raw.limit_count = UInt32(limits.count)
            raw.keep = keep.baseAddress
            raw.keep_count = UInt32(keep.count)
            raw.signals = spec.signals
            raw.user = -1
            return start(&raw, as: spec.account, &out)
        }
        if result < 0 { throw error(out.stage, -out.error) }
        let launched = Launched(out)
        try prove(launched)
        return launched
    }

    private static func start(_ raw: inout sbx_launch, as account: Account?, _ out: inout sbx_launched) -> Int32 {
        guard let account else { return sbx_launch_prepare(&raw, &out) }
        raw.user = Int32(bitPattern: account.user)
        raw.group_id = Int32(bitPattern: account.group)
        return account.groups.withUnsafeBufferPointer { groups in
            raw.groups = groups.baseAddress
            raw.group_count = UInt32(groups.count)
            return sbx_launch_prepare(&raw, &out)
        }
    }

    /// One call goes all the way before anything runs: a listener that cannot be received from (AppArmor, a runtime
    /// with a listener of its own) shows itself here.
    private static func prove(_ l: Launched) throws(LaunchError) {
        var raw = l.raw
        _ = sbx_launch_probe_begin(&raw)
        var p = pollfd(fd: raw.listener, events: Int16(POLLIN), revents: 0)
        var ok = poll(&p, 1, 10_000) == 1
        if ok, case .call(let notice) = l.listener.receive() { notice.answer(-Int32(SBX_PROBE_ERRNO)) } else { ok = false }
        if !ok || sbx_launch_probe_end(&raw) != 0 {
            _ = sbx_kill(raw.pid, SIGKILL)
            throw LaunchError(
                step: "SECCOMP_IOCTL_NOTIF_RECV", code: EIO,
                help: "the listener does not deliver; an AppArmor profile or a container runtime may stand in the way")
        }
        let e = sbx_memory_is_readable(raw.pid)
        guard e == 0 else {
            _ = sbx_kill(raw.pid, SIGKILL)
            throw LaunchError(
                step: "process_vm_readv", code: -e, help: "what programs ask for could not be read; " + Capability.filtered)
        }
    }

    private static func withArrays<R>(
        _ spec: LaunchSpec, _ filter: FilterProgram,
        _ body: (UnsafeBufferPointer<sock_filter>, UnsafeBufferPointer<sbx_limit>, UnsafeBufferPointer<Int32>) -> R
    ) -> R {
        let limits = spec.limits.map { sbx_limit(resource: $0.resource, soft: $0.soft, hard: $0.hard) }
        let instructions = filter.instructions.map { sock_filter(code: $0.code, jt: $0.whenTrue, jf: $0.whenFalse, k: $0.value) }
        return instructions.withUnsafeBufferPointer { f in
            limits.withUnsafeBufferPointer { l in spec.keep.sorted().withUnsafeBufferPointer { k in body(f, l, k) } }
        }
    }

    private static func error(_ stage: sbx_stage, _ code: Int32) -> LaunchError {
        switch stage {
        case SBX_STAGE_PIPE: LaunchError(step: "socketpair", code: code, help: "")
        case SBX_STAGE_FORK: LaunchError(step: "fork", code: code, help: "the limit on processes may be reached (`ulimit -u`)")
        case SBX_STAGE_GROUP: LaunchError(step: "setpgid", code: code, help: "")
        case SBX_STAGE_LIMIT: LaunchError(step: "setrlimit", code: code, help: "look at `limits` in the profile")
        case SBX_STAGE_SIGNALS: LaunchError(step: "sigaction", code: code, help: "")
        case SBX_STAGE_DESCRIPTORS: LaunchError(step: "close_range", code: code, help: "Linux 5.9 or later is needed")
        case SBX_STAGE_NO_NEW_PRIVS: LaunchError(step: "prctl(PR_SET_NO_NEW_PRIVS)", code: code, help: "")
        case SBX_STAGE_LANDLOCK: LaunchError(step: "landlock_restrict_self", code: code, help: "")
        case SBX_STAGE_USER: LaunchError(step: "setresuid", code: code, help: "`--user` is for root")
        case SBX_STAGE_SEIZE:
            LaunchError(
                step: "ptrace(PTRACE_SEIZE)", code: code,
                help: "ptrace is refused here; look at kernel.yama.ptrace_scope and the container's seccomp profile")
        case SBX_STAGE_FILTER:
            LaunchError(
                step: "seccomp(SECCOMP_SET_MODE_FILTER)", code: code,
                help: code == EBUSY
                    ? "there is a listener already; `sandbox` cannot run inside another one"
                    : "Linux 5.19 or later is needed")
        default: LaunchError(step: "pidfd_getfd", code: code, help: "the listener could not be taken over; " + Capability.filtered)
        }
    }
}
