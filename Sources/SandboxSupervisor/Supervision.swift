internal import Glibc
internal import SandboxDecode
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import Synchronization

/// One live session: what all its threads share. Everything in it is immutable or guards itself.
final class Supervision: Sendable {
    let info: SessionInfo
    let policy: Policy
    let enforces: Bool
    let context: KernelContext
    let journal: Journal
    let neighbours: Neighbours
    let denied: DeniedFiles
    let hosts: HostTable
    let waits: WaitPool
    let subagents: Subagents
    let traffic = Traffic()
    let recordsReads: Bool
    /// The open of a plain file for reading may be a rule's business: then no look settles it. What the fast lane lets go on
    /// is nothing else.
    let rulesJudgeReads: Bool
    let counters = Counters()
    let book: ProcessBook
    /// It, or the candidate beside it, has rules: then facts are kept.
    var hasRules: Bool { policy.hasRules || shadow?.policy.hasRules == true }
    let people: People
    /// What command lines mean, and what the rules say of them.
    let commands: CommandJudge
    /// The session's own, for programs that a rule names.
    let searchPath: [UInt8]
    let approvals: Approvals
    /// Programs that take SQL, as they run.
    let clients = Clients()
    /// What processes carry, where rules ask.
    let carrying: Carrying?
    /// What came from the network, where rules of it or of its candidate ask.
    let downloads: Downloads?
    let aside = Aside()
    /// Judges by a candidate profile and does nothing else.
    let shadow: Supervision?
    private let judgements = Mutex<[Judgement: UInt64]>([:])
    private static let mostJudgements = 8192
    let status: StatusStream?
    /// The process group the agent was started in.
    let agentGroup: Int32
    /// The session's first process: its end is the session's.
    let root: Int32
    /// Where the kernel lets one be made: all of the session's processes lie in it.
    private let group: ControlGroup?
    /// The processes that live, for people to look at and for limits.
    let living = Mutex<Set<Int32>>([])
    private let ending = Mutex<String?>(nil)
    private let isOver = Atomic<Bool>(false)
    /// Held from the look to the act by what can put a folder or a symbolic link in the place of a file: a move was judged by
    /// which of them it saw.
    let naming = Turn()
    private let lost = Atomic<UInt64>(0)
    private let reserved = Atomic<UInt64>(0)
    /// By rule: its name is in the journal.
    private nonisolated(unsafe) let named: UnsafeMutablePointer<Atomic<Bool>>

    init(
        _ info: SessionInfo, policy: Policy, enforces: Bool, context: KernelContext, journal: Journal, neighbours: Neighbours,
        status: StatusStream?,
        agentGroup: Int32, root: Int32, group: ControlGroup?, people: People, commands: CommandJudge, searchPath: [UInt8],
        carrying: Carrying? = nil,
        shadow: Supervision? = nil, listeners: [any QuestionListener] = []
    ) {
        self.info = info
        self.policy = policy
        self.enforces = enforces
        self.context = context
        self.journal = journal
        self.neighbours = neighbours
        self.status = status
        self.agentGroup = agentGroup
        self.root = root
        self.group = group
        denied = DeniedFiles(policy, started: info.started)
        hosts = HostTable(policy.hostNames)
        waits = WaitPool(context.tasks)
        // As many as there are rules; they live as long as the process.
        named = .allocate(capacity: max(policy.rules.count, 1))
        for i in 0..<policy.rules.count { (named + i).initialize(to: Atomic(false)) }
        recordsReads = policy.audit.reads != AuditSettings.Reads.none
        rulesJudgeReads = policy.judgesPlainReads || shadow != nil
        self.people = people
        self.commands = commands
        self.searchPath = searchPath
        self.shadow = shadow
        self.carrying = carrying
        downloads = shadow?.downloads ?? (policy.asksWhatIsDownloaded ? Downloads() : nil)
        book = shadow?.book ?? ProcessBook()
        subagents = shadow?.subagents ?? Subagents()
        approvals = Approvals(asker: people.askers, listeners: listeners, tick: { context.tracer.nudge() }) { id, json in
            Supervision.note(step: json, of: id, in: journal)
        }
    }

    /// Who makes the call that was just received.
    func arrived(_ tid: Int32) -> Caller {
        let caller = context.arrived(tid)
        if followsData { settle(tid) }
        return caller
    }

    /// Events that could not be kept, where the profile says to go on without (`audit.on_failure: continue`).
    var lostEvents: UInt64 { lost.load(ordering: .relaxed) }

    // MARK: The end

    /// Why we ended the session ourselves, if we did.
    var reasonOfEnd: String? { ending.withLock { $0 } }

    /// Kills the first process, and with it the session; the first reason is the one that counts.
    func end(because reason: String) {
        let isFirst = ending.withLock { known in
            defer { known = known ?? reason }
            return known == nil
        }
        guard isFirst, !isOver.exchange(true, ordering: .acquiringAndReleasing) else { return }
        note(reason)
        kill(root, SIGKILL)
        group?.kill()
    }

    private func giveUp(_ error: StoreError) -> Never {
        Session.say(reasonOfEnd ?? "the session has ended")
        Session.say("its last calls could not be recorded and were not carried out: \(error)")
        _exit(125)
    }

    /// The first process is dead.
    func rootHasEnded() { isOver.store(true, ordering: .releasing) }

    // MARK: Recording

    /// The record is in the journal when this returns. Where it cannot be, the profile says whether the call waits
    /// or goes on unrecorded. What is recorded after the fact (`isCall: false`) is not waited for any more in a session that is
    /// being ended; a call still does not go on, and what is left of the session dies with us.
    func append(
        _ header: RecordHeader, _ resource: UnsafeRawBufferPointer, _ extra: UnsafeRawBufferPointer = .init(start: nil, count: 0),
        isCall: Bool = true
    ) -> RecordRef? {
        if header.kind == .event { name(header.rule) }
        while true {
            do throws(StoreError) { return try journal.append(header, resource: resource, extra: extra) } catch {
                let mustEnd = isOver.load(ordering: .acquiring)
                if mustEnd, isCall, policy.audit.onFailure != .continue { giveUp(error) }
                if policy.audit.onFailure == .continue || mustEnd {
                    lost.wrappingAdd(1, ordering: .relaxed)
                    return nil
                }
                usleep(100_000)
            }
        }
    }

    /// The name behind the number that a record carries, when it is needed first.
    private func name(_ id: RuleID) {
        let i = Int(id.rawValue)
        guard i < policy.rules.count, !named[i].load(ordering: .relaxed), !named[i].exchange(true, ordering: .relaxed) else { return }
        let rule = policy.rules[i]
        let h = RecordHeader(kind: .rule, rule: id, result: 0, time: currentTime())
        Array(rule.name.utf8).withUnsafeBytes { name in
            Array(rule.reason.utf8).withUnsafeBytes { reason in _ = append(h, name, reason) }
        }
    }

    func complete(_ record: RecordRef?, _ result: Int32) {
        guard let record else { return }
        while true {
            do throws(StoreError) { return try journal.complete(record, result: result) } catch {
                if policy.audit.onFailure == .continue || isOver.load(ordering: .acquiring) { return }
                usleep(100_000)
            }
        }
    }

    func header(_ operation: Operation, _ ruling: Ruling, _ caller: Caller, _ type: ResourceType) -> RecordHeader {
        var h = RecordHeader(
            kind: .event, operation: operation, decision: ruling.decision,
            flags: enforces ? .enforced : .looked, resourceType: type, rule: ruling.rule,
            process: caller.serial, pid: caller.pid, tid: caller.tid, time: currentTime())
        h.result = !enforces ? RecordHeader.unknown : ruling.decision == .deny ? -EACCES : RecordHeader.pending
        return h
    }

    /// The number of the record that holds the judgement; 0: there is none.
    func number(of judgement: Judgement?) -> UInt64 {
        guard let judgement else { return 0 }
        if let known = judgements.withLock({ $0[judgement] }) { return known }
        let record = judgement.encoded.withUnsafeBytes {
            append(RecordHeader(kind: .judgement, result: 0, time: currentTime()), .init(start: nil, count: 0), $0)
        }
        for rule in judgement.rules { name(rule) }
        // What holds an approval is said once.
        if let record, judgement.approval == nil {
            judgements.withLock { if $0.count < Supervision.mostJudgements { $0[judgement] = record.seq } }
        }
        return record?.seq ?? 0
    }

    /// A question's step: it is on record before it has an effect. A journal that takes no more holds whoever asked.
    private static func note(step json: String, of id: String, in journal: Journal) {
        let h = RecordHeader(kind: .approval, result: 0, time: currentTime())
        Array(id.utf8).withUnsafeBytes { id in
            Array(json.utf8).withUnsafeBytes { json in
                for _ in 0..<100 {
                    do throws(StoreError) {
                        _ = try journal.append(h, resource: id, extra: json)
                        return
                    } catch { usleep(100_000) }
                }
            }
        }
    }

    func record(_ work: FileWork, _ finding: Judged, _ caller: Caller) -> RecordRef? {
        let ruling = finding.ruling
        let plainRead = work.operation == .open && work.first.access.isDisjoint(with: .changing)
        if plainRead, ruling.decision == .allow, !recordsReads { return nil }
        var h = header(work.operation, ruling, caller, .file)
        h.access = work.first.access.union(work.hasSecond ? work.second.access : [])
        h.device = work.first.device
        h.inode = work.first.inode
        h.subject = number(of: finding.judgement)
        if work.hasSecond { h.flags.insert(.secondPath) }
        if work.first.kind == .fifo { h.flags.insert(.fifo) }
        status?.decision(h, work.first.path.bytes, policy)
        return append(h, work.first.path.bytes, work.hasSecond ? work.second.path.bytes : .init(start: nil, count: 0))
    }

    /// A call that the kernel carries out by itself.
    func record(_ look: OpenLook, _ finding: Judged, _ caller: Caller) {
        let ruling = finding.ruling
        if ruling.decision == .allow, !recordsReads, look.access.isDisjoint(with: .changing) { return }
        var h = header(look.operation, ruling, caller, .file)
        h.access = look.access
        h.device = look.device
        h.inode = look.inode
        h.subject = number(of: finding.judgement)
        h.result = RecordHeader.unknown
        status?.decision(h, UnsafeRawBufferPointer(look.path), policy)
        _ = append(h, UnsafeRawBufferPointer(look.path))
    }

    func record(_ work: SocketWork, _ finding: Judged, _ caller: Caller) -> RecordRef? {
        let ruling = finding.ruling
        // Without an address it goes where an earlier, recorded call led.
        if !work.hasAddress, ruling.decision == .allow { return nil }
        var h = header(work.operation, ruling, caller, .socket)
        h.device = work.device
        h.inode = work.inode
        h.subject = number(of: finding.judgement)
        return withEndpointName(work) { name in
            status?.decision(h, name, policy)
            if !enforces || ruling.decision != .deny { note(connection: work, name, caller) }
            return append(h, name)
        }
    }

    /// SQL that a running client is about to read.
    func record(query finding: Judged, _ client: Client) -> RecordRef? {
        var h = header(.query, finding.ruling, client.caller, .program)
        h.subject = number(of: finding.judgement)
        return client.program.withUnsafeBytes { program in
            status?.decision(h, program, policy)
            return append(h, program)
        }
    }

    /// A System V object that is not the session's was asked for.
    func recordObject(_ kind: ObjectKind, key: Int32? = nil, id: Int32? = nil, _ caller: Caller) {
        let h = header(.other, Ruling(.deny, by: policy.builtin.systemV), caller, .name)
        let name = key.map { "\(kind.name), key 0x\(String(UInt32(bitPattern: $0), radix: 16))" } ?? "\(kind.name) \(id ?? 0)"
        Array(name.utf8).withUnsafeBytes { name in
            status?.decision(h, name, policy)
            _ = append(h, name)
        }
    }

    /// A call that is never carried out.
    func recordRefusal(of call: RawCall, _ caller: Caller) { recordRefusal(of: SystemCall.name(call.number), caller, isCall: true) }

    /// The filter has killed its caller by itself.
    func recordForeignCall(_ caller: Caller) { recordRefusal(of: "a call of another architecture (SIGSYS)", caller, isCall: false) }

    private func recordRefusal(of name: String, _ caller: Caller, isCall: Bool) {
        let h = header(.other, Ruling(.deny, by: policy.builtin.refusedCall), caller, .name)
        Array(name.utf8).withUnsafeBytes { name in
            status?.decision(h, name, policy)
            _ = append(h, name, isCall: isCall)
        }
    }

    // MARK: Room

    /// What fallocate(2) was asked for counts by itself against `limits.written`: it may be written to later, which counts again.
    func takesRoom(_ bytes: UInt64) -> Bool {
        guard let limit = policy.limits.written else { return true }
        let before = reserved.wrappingAdd(min(bytes, limit &+ 1), ordering: .relaxed).oldValue
        if before <= limit, bytes <= limit - before { return true }
        end(because: "limits.written: more than \(limit >> 10) KiB were set aside; the session was killed")
        return false
    }

    func note(_ text: String) {
        var bytes = Array(text.utf8)
        _ = bytes.withUnsafeMutableBytes {
            append(RecordHeader(kind: .note, result: 0, time: currentTime()), UnsafeRawBufferPointer($0), isCall: false)
        }
    }
}
