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
    let supervision: Supervision
    private let front: Front
    let programs: ProgramWork
    let streams: StandardStreams
    private let limit: Int
    let writes: WriteWatch?
    /// How many processes were killed for being one too many.
    private var refused = 0
    /// Threads among them, where their number is limited.
    private var tasks: Set<Int32> = []
    /// Processes that have ended, where their number is limited: they keep a number of the machine's until their parent waits for them.
    private var ended: Set<Int32> = []
    /// The arguments of the start at hand before they were rewritten.
    private(set) var asked: [UInt8]?
    /// By process: another program that it is about to ask for in the place of its own, and the rules that wanted it.
    private var changes: [Int32: (program: [UInt8], rules: [RuleID])] = [:]
    /// By process: program starts whose input is being read.
    private var gatherings: [Int32: Gathering] = [:]
    private struct Start {
        let question: Held
        let watch: WaitPool.Job
        let finding: Judged
        let record: RecordRef?
        let image: [UInt8]
        let arguments: [[UInt8]]
        /// So many of its last words at least must be those of what it wraps; nil: it wraps nothing.
        let wraps: Int?
        let input: Int32?
    }
    /// By process: program starts that wait for an answer.
    private var held: [Int32: Start] = [:]
    /// By process: the start that was approved last, until its next but one.
    private var agreed: [Int32: Agreed] = [:]
    /// A build that starts more than it may loses some; who goes on and on means it.
    private static let patience = 100

    init(_ supervision: Supervision, front: Front) {
        self.supervision = supervision
        self.front = front
        streams = StandardStreams(supervision.context)
        programs = ProgramWork(supervision.context)
        limit = supervision.policy.limits.processes.map { Int(clamping: $0) } ?? .max
        writes = supervision.enforces ? supervision.policy.limits.written.map { WriteWatch(supervision, $0) } : nil
    }

    func met(tid: Int32) {
        writes?.met(tid)
        guard supervision.enforces, limit != .max else { return }
        tasks.insert(tid)
        let most = limit.multipliedReportingOverflow(by: Int(ControlGroup.tasksPerProcess))
        if !most.overflow, tasks.count > most.partialValue {
            refuse(supervision.context.tasks.leader(of: tid), "\(most.partialValue) threads")
        }
    }

    func started(pid: Int32, serial: UInt32, parent: UInt32) {
        var h = RecordHeader(kind: .processStart, process: serial, pid: pid, result: 0, time: currentTime())
        h.subject = UInt64(parent)
        h.detail = Tree.ticksSinceBoot()
        _ = supervision.append(h, .init(start: nil, count: 0), isCall: false)
        let subagent = supervision.subagents.started(serial, by: parent)
        subagent?.withUnsafeBytes { recordSubagent(pid, serial, $0) }
        if supervision.hasRules { supervision.book.started(serial, parent: parent) }
        supervision.downloads?.started(serial, parent: parent)
        if !supervision.carries(started: serial, pid: pid, parent: parent), supervision.enforces { kill(pid, SIGKILL) }
        let alive = supervision.living.withLock { living in
            living.insert(pid)
            return living.count
        }
        guard supervision.enforces, limit != .max else { return }
        if alive > limit { refuse(pid, "\(limit) processes") }
        ended.remove(pid)
        if ended.count > limit { ended = ended.filter { ProcessState.isUnreaped($0, supervision.context.tasks) } }
        if ended.count > limit { refuse(pid, "\(limit) processes that have ended and nobody waits for") }
    }

    /// The clock of proc(5)'s start time, which the new process has had for a few microseconds.
    private static func ticksSinceBoot() -> UInt64 {
        var t = timespec()
        clock_gettime(CLOCK_BOOTTIME, &t)
        return UInt64(t.tv_sec) * 100 + UInt64(t.tv_nsec) / 10_000_000
    }

    /// Over the profile's limit: the new process dies before it has run anything, or with the new thread.
    private func refuse(_ pid: Int32, _ most: String) {
        kill(pid, SIGKILL)
        refused += 1
        let rule = "limits.processes: more than \(most) at once; "
        if refused == 1 { supervision.note(rule + "process \(pid) was killed, and so will be others") }
        if refused == Tree.patience { supervision.end(because: rule + "\(refused) were killed, then the session") }
    }

    func ended(pid: Int32, serial: UInt32, status: Int32) {
        supervision.living.withLock { _ = $0.remove(pid) }
        supervision.book.ended(serial)
        supervision.downloads?.ended(serial)
        supervision.noteTraffic(ended: serial)
        supervision.carries(ended: serial)
        changes[pid] = nil
        agreed[pid] = nil
        if limit != .max, supervision.enforces { ended.insert(pid) }
        if status & 0x7f == SIGSYS { supervision.recordForeignCall(Caller(tid: pid, pid: pid, serial: serial)) }
        if pid == supervision.root { supervision.rootHasEnded() }
        var h = RecordHeader(kind: .processExit, operation: .exit, process: serial, pid: pid, result: status, time: currentTime())
        supervision.subagents.ended(serial)
        _ = supervision.append(h, .init(start: nil, count: 0), isCall: false)
        h.kind = .event
        h.flags = .enforced
        h.resourceType = .process
        h.result = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + (status & 0x7f)
        _ = supervision.append(h, .init(start: nil, count: 0), isCall: false)
    }

    func isEnding(tid: Int32) {
        supervision.waits.cancel(tid: tid)
        tasks.remove(tid)
        supervision.clients.remove(tid)
        writes?.isEnding(tid)
        withdraw(tid)
    }

    func leaderWasReplaced(pid: Int32, by former: Int32) {
        supervision.waits.cancel(tid: pid)
        tasks.remove(former)
        writes?.leaderWasReplaced(pid, by: former)
        withdraw(pid)
    }

    /// Nobody waits for the answer any more.
    private func withdraw(_ pid: Int32) {
        gatherings.removeValue(forKey: pid)?.cancel()
        guard let start = held.removeValue(forKey: pid) else { return }
        _ = start.question.outcome(true, supervision.approvals)
        supervision.complete(start.record, -EINTR)
        if let input = start.input { close(input) }
    }

    func rootStopped(by signal: Int32) { front.agentStopped(by: signal) }

    // MARK: Program starts

    func became(_ caller: Caller) -> ProgramStart {
        let former = supervision.clients.of(caller)
        supervision.clients.remove(caller.pid)
        if agreed[caller.pid]?.goesOn(caller) == false { agreed[caller.pid] = nil }
        return judge(caller, nil, after: former)
    }

    /// `inputs`: what SQL the program will read, once that is known.
    private func judge(_ caller: Caller, _ inputs: Gathering?, after former: Client? = nil) -> ProgramStart {
        asked = nil
        do throws(Errno) { try programs.readLoaded(caller) } catch {
            if programs.isUnreadable {
                record(Judged(Ruling(.deny, by: supervision.policy.builtin.unreadable)), caller, result: -EACCES, isRunning: false, nil)
            }
            return supervision.enforces ? .ends : .goesOn
        }
        // All of them where rules judge; what the trail holds is cut.
        var arguments: [[UInt8]]?
        if supervision.hasRules {
            do throws(Errno) { arguments = try programs.image.allArguments() } catch {}
        }
        let views = supervision.hasRules ? supervision.views(of: programs, arguments) : []
        let reads = supervision.judgesStatements && views.contains { $0.takesSQL }
        var failure: String?
        if reads, inputs == nil {
            if gather(views, caller, after: former) { return .isHeld }
            failure = "there is no room to read its input"
        }
        supervision.downloads(became: programs, arguments, caller)
        var found = supervision.find(programs, views, inputs, caller)
        if supervision.enforces, let failure = failure ?? inputs?.failure { found.finding.refuse(failure) }
        let change = changes.removeValue(forKey: caller.pid)
        var input: Int32?
        if supervision.enforces {
            if let change, Array(programs.chain[0].resolved.text) != change.program, !isScript(change.program) {
                found.finding.refuse("it is not what a rule wanted in the place of another")
            }
            if found.finding.decision == .rewrite { rewrite(&found.finding, found.view, arguments, change?.rules ?? [], caller) }
            if let inputs { input = supervision.prepare(&found, inputs, caller) }
            if found.finding.decision == .ask {
                let shown = shown(arguments, found, inputs)
                if shown.isTooLong {
                    found.finding.refuse("it is too long to be shown to anybody")
                } else if !supervision.isApproved(&found.finding, shown), !isAgreed(&found.finding, arguments ?? [], caller) {
                    return hold(found.finding, shown, arguments, input, caller)
                }
            }
        } else if let wanted = found.finding.rewrite, let view = found.view {
            found.finding.rewritten = Array((arguments ?? []).prefix(view.offset)) + wanted.arguments
        }
        let finding = found.finding
        if supervision.hasRules { supervision.remember(programs, finding.rewritten ?? arguments, caller) }
        let refused = finding.decision == .deny && supervision.enforces
        let subagent = refused ? nil : supervision.subagents.became(caller, programs)
        record(finding, caller, result: refused ? -EACCES : 0, isRunning: true, subagent)
        if refused {
            explain(finding, to: caller)
            if let input { close(input) }
        }
        return refused ? .ends : input.map { .goesOnReading($0) } ?? .goesOn
    }

    // MARK: Input

    private func gather(_ views: [ProgramView], _ caller: Caller, after former: Client?) -> Bool {
        let gathering = Gathering(supervision, views, caller, after: former)
        gatherings[caller.pid] = gathering
        if gathering.begin() { return true }
        gatherings[caller.pid] = nil
        return false
    }

    private func isScript(_ path: [UInt8]) -> Bool { programs.chain[..<programs.count].contains { $0.resolved.text.elementsEqual(path) } }

    // MARK: Rewriting

    /// Carries out what the rules say; they have judged what it becomes. What a rule set out to change must not run unchanged.
    private func rewrite(
        _ finding: inout Judged, _ view: ProgramView?, _ arguments: [[UInt8]]?, _ done: [RuleID], _ caller: Caller
    ) {
        guard let view, let arguments, let wanted = finding.rewrite else {
            return finding.refuse("the command line could not be rewritten")
        }
        // What was put in the place of another is not put in its own.
        if done.contains(finding.ruling.rule) { return }
        var change = ProgramChange(
            program: wanted.program, arguments: Array(arguments.prefix(view.offset)) + wanted.arguments,
            variables: wanted.variables.map { ProgramChange.Variable(name: $0.name, value: $0.value) })
        if let path = wanted.program {
            // Its interpreter goes with the script.
            change.arguments = wanted.arguments
            changes[caller.pid] = (ProfileFiles.resolve(path) ?? path, done + [finding.ruling.rule])
        }
        asked = Array(programs.image.arguments)
        do throws(Errno) { try ExecRewrite.apply(change, to: programs.image, of: caller) } catch {
            changes[caller.pid] = nil
            return finding.refuse("the command line could not be rewritten: \(errorText(error.code))")
        }
        finding.rewritten = change.arguments
    }

    // MARK: Asking

    private func shown(_ arguments: [[UInt8]]?, _ found: Supervision.StartFinding, _ inputs: Gathering?) -> Shown {
        let finding = found.finding
        return Shown(
            program: Array(programs.chain[0].resolved.text), finding.rewritten ?? arguments ?? [], finding, supervision,
            texts: found.client?.reading.digest)
    }

    /// It is what the process's last start, which was approved, has wrapped. Not where somebody in the session could have put
    /// another program in its place: the words that were shown would be the same.
    private func isAgreed(_ finding: inout Judged, _ arguments: [[UInt8]], _ caller: Caller) -> Bool {
        guard let last = agreed[caller.pid] else { return false }
        guard programs.chain[..<programs.count].allSatisfy(isOutOfReach) else { return false }
        let script = arguments.firstIndex { isScript($0) } ?? 0
        guard let approval = last.covers(finding, arguments[...]) ?? last.covers(finding, arguments[script...]) else { return false }
        finding.approval = approval
        agreed[caller.pid] = Agreed(approval, finding, arguments, caller, least: last.least)
        return true
    }

    /// Nobody in the session may write to it.
    private func isOutOfReach(_ file: ProgramFile) -> Bool {
        supervision.policy.judge(file: file.resolved.text.span, access: .write).decision == .deny
    }

    /// A wrapper of the session's own could go elsewhere with the same words: a script may be wrapped itself, as by the `env` in its first
    /// line, and wraps nothing.
    private func wraps(_ words: [[UInt8]]) -> Int? {
        guard isOutOfReach(programs.chain[0]) else { return nil }
        if programs.chain[..<programs.count].allSatisfy(isOutOfReach) { return 0 }
        let scripts = programs.chain[1..<programs.count]
        return words.firstIndex { word in scripts.contains { $0.invoked.text.elementsEqual(word) } }.map { words.count - $0 }
    }

    /// It stands where it is, and everybody else goes on.
    private func hold(
        _ finding: Judged, _ shown: Shown, _ arguments: [[UInt8]]?, _ input: Int32?, _ caller: Caller
    ) -> ProgramStart {
        var finding = finding
        let question = Held()
        finding.approval = question.id
        supervision.remember(programs, finding.rewritten ?? arguments, caller)
        let record = record(finding, caller, result: RecordHeader.pending, isRunning: true, nil)
        tell("held by", finding, " (to approve: sandbox approvals approve \(question.id))", caller)
        // Decided on this thread, once it is free.
        supervision.ask(question, shown, finding, caller) { [supervision] in
            supervision.context.tracer.decide(caller.pid)
        }
        // It stands still, and so is told of no signal until it goes on.
        let watch = supervision.waits.park(tid: caller.tid, mindsStops: false) { [supervision] isInterrupted in
            if isInterrupted() { _ = question.outcome(true, supervision.approvals) }
        }
        let words = finding.rewritten ?? arguments ?? []
        held[caller.pid] = Start(
            question: question, watch: watch, finding: finding, record: record, image: image, arguments: words,
            wraps: input == nil ? wraps(words) : nil, input: input)
        return .isHeld
    }

    func decided(_ caller: Caller) -> ProgramStart {
        if let inputs = gatherings[caller.pid] {
            guard inputs.isDone else { return .isHeld }
            gatherings[caller.pid] = nil
            inputs.take()
            return judge(caller, inputs)
        }
        guard let start = held[caller.pid] else { return .ends }
        // It was about another that had this number before.
        guard start.question.question?.isSettled == true else { return .isHeld }
        held[caller.pid] = nil
        supervision.waits.resume(start.watch)
        let outcome = start.question.outcome(false, supervision.approvals)
        var finding = start.finding
        var goesOn = outcome == .goesOn
        if goesOn {
            // A script may have been written to meanwhile.
            do throws(Errno) { try programs.readLoaded(caller) } catch { goesOn = false }
            if image != start.image {
                goesOn = false
                finding.note = "what was approved has been changed meanwhile"
            }
        } else {
            finding.note = start.question.question?.outcome.map(why)
        }
        if goesOn, let subagent = supervision.subagents.became(caller, programs) {
            subagent.withUnsafeBytes { recordSubagent(caller.pid, caller.serial, $0) }
        }
        if goesOn, let least = start.wraps {
            agreed[caller.pid] = Agreed(start.question.id, start.finding, start.arguments, caller, least: least)
        }
        supervision.complete(start.record, goesOn ? 0 : -EACCES)
        if !goesOn {
            explain(finding, to: caller)
            if let input = start.input { close(input) }
        }
        return goesOn ? start.input.map { .goesOnReading($0) } ?? .goesOn : .ends
    }

    private func why(_ outcome: Question.Outcome) -> String {
        switch outcome {
        case .approved: "approved"
        case .denied(let reason): "denied \(reason)"
        case .timedOut: "nobody answered in time"
        case .withdrawn: "the question was withdrawn"
        case .ended: "the session is ending"
        }
    }

    /// What was loaded, and with what.
    private var image: [UInt8] {
        let files = programs.chain[..<programs.count].map { "\($0.device):\($0.inode):\(programs.count > 1 ? $0.changed : 0)" }
        return Array(files.joined(separator: " ").utf8) + [0] + Array(programs.image.arguments)
    }

    private func explain(_ finding: Judged, to caller: Caller) {
        tell("denied by", finding, finding.remark.map { " (\($0))" } ?? "", caller)
    }

    /// Its standard error is where an agent reads why.
    private func tell(_ what: String, _ finding: Judged, _ more: String, _ caller: Caller) {
        let rule = supervision.policy.rule(finding.ruling.rule)
        TraceeOutput.write(Array("sandbox: \(what) \(rule.name): \(rule.reason)\(more)\n".utf8), toStandardErrorOf: caller)
    }
}
