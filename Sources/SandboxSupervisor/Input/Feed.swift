internal import Glibc
internal import SandboxIntent
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import Synchronization

/// Hands a client its input through a pipe of ours: only whole statements, each judged before. What is denied ends the client.
final class Feed: @unchecked Sendable {
    // @unchecked: used by the one thread that runs it; `pipe` and `passed` are under `state`.
    private struct State {
        var pipe: InputPipe?
        /// How much of the source the client has been given, as long as nothing was changed.
        var passed: Int? = 0
    }
    private let supervision: Supervision
    private let client: Client
    private let intake: Intake
    private let name: String
    private let state: Mutex<State>
    private var reader: ScriptReader
    private var pending: [UInt8]
    private var enough = 0
    /// Of `pending`, what nobody has set aside before.
    private var reserved = 0
    /// The client's process: it gets no signal that is meant for another.
    private let process: Int32

    /// The parser of PostgreSQL goes as deep as the text does.
    static let stack = 8 << 20
    private static let longestStatement = 64 << 20
    private static let running = Atomic<Int>(0)
    private static let most = 512

    /// `pipe`: its reading end is the caller's to hand over.
    init(_ supervision: Supervision, _ client: Client, _ intake: Intake, _ pipe: InputPipe, name: String) throws(Errno) {
        self.supervision = supervision
        self.client = client
        self.intake = intake
        self.name = name
        reader = intake.reader
        pending = intake.pending
        state = Mutex(State(pipe: pipe))
        process = try PidDescriptor.open(client.caller.pid)
    }

    deinit {
        supervision.waits.giveBack(reserved)
        close(process)
    }

    /// `first`: what a rule has made of what was judged before. False where there is no thread for it.
    func begin(_ first: [UInt8]?) -> Bool {
        guard Feed.running.add(1, ordering: .relaxed).newValue <= Feed.most else {
            Feed.running.subtract(1, ordering: .relaxed)
            return false
        }
        let error = WorkerThread.start("sbx-input", stack: Feed.stack) { [self] in
            run(first)
            state.withLock { $0.pipe = nil }
            Feed.running.subtract(1, ordering: .relaxed)
        }
        if error != 0 { Feed.running.subtract(1, ordering: .relaxed) }
        return error == 0
    }

    /// The client has ended.
    func settle() {
        state.withLock { state in
            if let passed = state.passed { intake.source.settle(passed - (state.pipe?.unread ?? 0)) }
        }
    }

    private func run(_ first: [UInt8]?) {
        guard let pipe = state.withLock({ $0.pipe }) else { return }
        do throws(Errno) {
            if let first {
                guard hand(first, to: pipe, of: nil) else { return }
            } else {
                for position in stride(from: 0, to: intake.judged, by: 1 << 16) {
                    let bytes = try intake.bytes(at: position, min(1 << 16, intake.judged - position))
                    guard hand(bytes, to: pipe, of: bytes.count) else { return }
                }
            }
            while true {
                switch try intake.source.next(milliseconds: 1000, watching: pipe.writer) {
                case .bytes(let bytes):
                    guard supervision.waits.reserve(bytes.count) else {
                        return refuse("there is no room to hold more of its input until a statement is complete")
                    }
                    reserved += bytes.count
                    pending += bytes
                    if pending.count >= enough, !step(isLast: false, pipe) { return }
                case .quiet: if hasEnded(0) { return }
                case .end:
                    _ = step(isLast: true, pipe)
                    return
                case .gone: return
                }
            }
        } catch {
            end("its input could not be read: \(errorText(error.code))")
        }
    }

    private func hand(_ bytes: [UInt8], to pipe: InputPipe, of original: Int?) -> Bool {
        guard pipe.write(bytes, isOver: { hasEnded(0) }) else { return false }
        state.withLock { state in state.passed = original.flatMap { count in state.passed.map { $0 + count } } }
        return true
    }

    /// False where it is over.
    private func step(isLast: Bool, _ pipe: InputPipe) -> Bool {
        let (meaning, consumed) = reader.take(pending, isLast: isLast)
        guard consumed > 0 else {
            enough = 2 * pending.count
            if pending.count <= Feed.longestStatement { return true }
            refuse("a statement of more than \(Feed.longestStatement) bytes")
            return false
        }
        enough = 0
        let text = Array(pending[..<consumed])
        pending.removeFirst(consumed)
        let free = min(consumed, reserved)
        supervision.waits.giveBack(free)
        reserved -= free
        var summary = ScriptSummary()
        summary.add(meaning)
        let (finding, new) = decide(summary, text)
        let record = supervision.record(query: finding, client)
        switch finding.decision {
        case .deny:
            end(finding)
            return false
        case .ask: if !ask(finding, record) { return false }
        case .allow, .rewrite: supervision.complete(record, 0)
        }
        return hand(new ?? text, to: pipe, of: new == nil ? text.count : nil)
    }

    /// By no rule: it cannot be judged.
    private func refuse(_ note: String) {
        var finding = Judged(Ruling(.deny, by: .none))
        finding.note = note
        finding.sources = [name]
        _ = supervision.record(query: finding, client)
        end(finding.remark ?? note)
    }

    private func decide(_ summary: ScriptSummary, _ text: [UInt8]) -> (Judged, [UInt8]?) {
        var finding = Judged(Ruling(.allow, by: .none))
        let new = supervision.judge(summary, text, client, in: name, into: &finding)
        supervision.compare(&finding) { other, _ in
            var found = Judged(Ruling(.allow, by: .none))
            _ = other.judge(summary, text, client, in: name, into: &found)
            return found
        }
        if finding.decision != .deny { supervision.expect(summary, in: .standardInput, client) }
        return (finding, new)
    }

    // MARK: Asking and ending

    private func ask(_ finding: Judged, _ record: RecordRef?) -> Bool {
        var finding = finding
        // The text is in no argument, so that no answer can be meant for the next one as well.
        let held = Held(), monitor = Monitor()
        finding.approval = held.id
        let shown = Shown(query: client, finding, supervision, text: held.id)
        supervision.ask(held, shown, finding, client.caller) { monitor.locked { monitor.signal() } }
        monitor.locked {
            while held.question?.outcome == nil, !hasEnded(0) { monitor.wait(milliseconds: 200) }
        }
        let outcome = held.outcome(hasEnded(0), supervision.approvals)
        supervision.complete(record, outcome == .goesOn ? 0 : -EACCES)
        if outcome == .fails { end(finding) }
        return outcome == .goesOn
    }

    private func end(_ finding: Judged) {
        let rule = supervision.policy.rule(finding.ruling.rule)
        let note = finding.remark.map { " (\($0))" } ?? ""
        end("denied by \(rule.name): \(rule.reason)\(note)")
    }

    /// The end of its input would look like success, and what was begun might be kept. A server undoes what a client that is gone has
    /// not committed.
    private func end(_ why: String) {
        TraceeOutput.write(Array("sandbox: \(why)\n".utf8), toStandardErrorOf: client.caller)
        PidDescriptor.kill(process)
        while !hasEnded(1000) {}
    }

    private func hasEnded(_ milliseconds: Int32) -> Bool {
        var waiting = pollfd(fd: process, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, milliseconds) > 0
    }
}
