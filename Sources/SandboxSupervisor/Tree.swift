internal import CShims
internal import Glibc
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import Synchronization

/// What happens in the process tree: judged where a program starts, recorded always. All of it runs on the tracer's
/// thread while the process concerned stands still.
final class Tree: TracerEvents {
    private let supervision: Supervision
    private let front: Int32
    private let programs: ProgramWork
    private let streams = StandardStreams()
    private let limit: Int
    /// How many processes were killed for being one too many.
    private var refused = 0
    /// A build that starts more than it may loses some; who goes on and on means it.
    private static let patience = 100

    init(_ supervision: Supervision, front: Int32) {
        self.supervision = supervision
        self.front = front
        programs = ProgramWork(supervision.context)
        limit = supervision.policy.limits.processes.map { Int(clamping: $0) } ?? .max
    }

    func started(pid: Int32, serial: UInt32, parent: UInt32) {
        var h = RecordHeader(kind: .processStart, process: serial, pid: pid, result: 0, time: currentTime())
        h.subject = UInt64(parent)
        h.detail = Tree.ticksSinceBoot()
        _ = supervision.append(h, .init(start: nil, count: 0), isCall: false)
        let alive = supervision.living.withLock { living in
            living.insert(pid)
            return living.count
        }
        if supervision.enforces, alive > limit { refuseProcess(pid) }
    }

    /// The clock of proc(5)'s start time, which the new process has had for a few microseconds.
    private static func ticksSinceBoot() -> UInt64 {
        var t = timespec()
        clock_gettime(CLOCK_BOOTTIME, &t)
        return UInt64(t.tv_sec) * 100 + UInt64(t.tv_nsec) / 10_000_000
    }

    /// Over the profile's limit: the new process dies before it has run anything.
    private func refuseProcess(_ pid: Int32) {
        kill(pid, SIGKILL)
        refused += 1
        let rule = "limits.processes: more than \(limit) processes at once; "
        if refused == 1 { supervision.note(rule + "process \(pid) was killed, and so will be others") }
        if refused == Tree.patience { supervision.end(because: rule + "\(refused) were killed, then the session") }
    }

    func ended(pid: Int32, serial: UInt32, status: Int32) {
        supervision.living.withLock { _ = $0.remove(pid) }
        if pid == supervision.root { supervision.rootHasEnded() }
        var h = RecordHeader(kind: .processExit, operation: .exit, process: serial, pid: pid, result: status, time: currentTime())
        _ = supervision.append(h, .init(start: nil, count: 0), isCall: false)
        h.kind = .event
        h.flags = .enforced
        h.resourceType = .process
        h.result = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + (status & 0x7f)
        _ = supervision.append(h, .init(start: nil, count: 0), isCall: false)
    }

    func isEnding(tid: Int32) { supervision.waits.cancel(tid: tid) }

    func rootStopped(_ stopped: Bool) { kill(front, stopped ? SIGSTOP : SIGCONT) }

    // MARK: Program starts

    func became(_ caller: Caller) -> Bool {
        do throws(Errno) { try programs.readLoaded(caller) } catch {
            if programs.isUnreadable {
                record(Ruling(.deny, by: supervision.policy.builtin.unreadable), caller, result: -EACCES, isRunning: false)
            }
            return !supervision.enforces
        }
        let ruling = supervision.judge(programs)
        let refused = ruling.decision == .deny && supervision.enforces
        record(ruling, caller, result: refused ? -EACCES : 0, isRunning: true)
        if refused { explain(ruling, to: caller) }
        return !refused
    }

    private func record(_ ruling: Ruling, _ caller: Caller, result: Int32, isRunning: Bool) {
        guard programs.count > 0 else { return }
        let program = programs.chain[0]
        var h = supervision.header(.exec, ruling, caller, .program)
        h.access = .execute
        h.device = program.device
        h.inode = program.inode
        h.result = result
        h.flags.remove(.looked)
        if programs.isWritten(orChangedSince: supervision.enforces ? nil : supervision.info.started) { h.flags.insert(.written) }
        if program.names == 0, !programs.isUnreadable { h.flags.insert(.memory) }
        supervision.status?.decision(h, program.resolved.bytes, supervision.policy)
        withArguments { arguments in
            if isRunning { recordProgram(caller, program, arguments) }
            _ = supervision.append(h, program.resolved.bytes, arguments, isCall: false)
        }
        if isRunning, result == 0 { recordStreams(caller) }
    }

    /// No call, and nothing that was judged: for the lineage alone.
    private func recordStreams(_ caller: Caller) {
        for stream in streams.read(caller) {
            var h = supervision.header(.open, Ruling(.allow, by: .none), caller, .stream)
            h.flags.remove(.looked)
            (h.access, h.device, h.inode, h.result) = (stream.access, stream.device, stream.inode, 0)
            stream.name.withUnsafeBytes { _ = supervision.append(h, $0, isCall: false) }
        }
    }

    private func recordProgram(_ caller: Caller, _ program: ProgramFile, _ arguments: UnsafeRawBufferPointer) {
        var h = RecordHeader(kind: .program, operation: .exec, process: caller.serial, pid: caller.pid, result: 0, time: currentTime())
        h.device = program.device
        h.inode = program.inode
        if programs.image.argumentsAreCut { h.flags.insert(.truncated) }
        _ = supervision.append(h, program.resolved.bytes, arguments, isCall: false)
    }

    /// The arguments, each ended by a NUL, without the secrets in them unless the profile wants those kept.
    private func withArguments(_ body: (UnsafeRawBufferPointer) -> Void) {
        let raw = programs.image.arguments
        if supervision.policy.audit.arguments == .full || !ArgumentRedaction.mayHoldSecrets(raw) { return body(raw) }
        var list = raw.split(separator: 0, omittingEmptySubsequences: false).map { Array($0) }
        if raw.last == 0 { list.removeLast() }
        let redacted = Array(ArgumentRedaction.redact(list).map { $0 + [0] }.joined())
        redacted.withUnsafeBytes(body)
    }

    private func explain(_ ruling: Ruling, to caller: Caller) {
        let rule = supervision.policy.rule(ruling.rule)
        TraceeOutput.write(Array("sandbox: denied by \(rule.name): \(rule.reason)\n".utf8), toStandardErrorOf: caller)
    }
}
