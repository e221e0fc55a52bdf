package import SandboxModel
package import SandboxPolicy
package import SandboxStore

/// What a policy would have said of a recorded operation.
package struct Hindsight: Hashable, Sendable {
    /// Nil: the trail does not hold what a rule asks for.
    package var decision: Decision?
    package var rule: RuleInfo
    package var note: String?
}

/// Judges recorded operations by a profile, each as if its session had run under it.
package final class HistoryJudge {
    private struct Key: Hashable {
        let session: Int
        let resource, second: Int64
        let operation: Operation
        let access: UInt16
    }
    private struct Start: Hashable {
        let session: Int
        let program: [UInt8]
        let arguments: [[UInt8]]
        let flags: UInt8
    }
    private static let mostRemembered = 1 << 17
    private static let mostCounted: UInt64 = 10_000

    package let profile: ResolvedProfile
    private let history: TrailHistory
    private let reader: CommandReader
    private let processes: RecordedProcesses
    private var policies: [String: Policy] = [:]
    private let variables: (SessionInfo) throws -> PolicyVariables
    private var counting = (session: -1, counters: Counters())
    private var remembered: [Key: Hindsight] = [:]
    private var starts: [Start: Hindsight] = [:]
    private var asked: [Start: [UInt8]] = [:]
    /// Sockets that the session listened on.
    private var own: Set<[UInt8]> = []
    private var ownSession = -1

    package init(
        _ profile: ResolvedProfile, _ history: TrailHistory, reader: CommandReader,
        _ variables: @escaping (SessionInfo) throws -> PolicyVariables
    ) throws {
        self.profile = profile
        self.history = history
        self.reader = reader
        self.variables = variables
        processes = RecordedProcesses(history)
    }

    /// Of the session's place; its temporary folder is the same for all.
    package func policy(_ session: Int) throws -> Policy {
        let info = history.sessions[session].info, place = "\(info.user) \(info.workspace)"
        if let known = policies[place] { return known }
        let policy = try Policy.compile(profile: profile, variables: variables(info))
        policies[place] = policy
        return policy
    }

    package func judge(_ row: RecordedAccess, _ subject: RecordedSubject, recordedRule: RuleInfo?) throws -> Hindsight {
        let policy = try policy(row.session)
        switch subject {
        case .fixed: return Hindsight(decision: row.decision, rule: recordedRule ?? RuleInfo(name: "", reason: ""))
        case .program(let program, let arguments): return try start(row, program, arguments, policy)
        default: break
        }
        if row.operation == .bind { listensOn(row, subject) }
        var intents = IntentSet.effects(of: row.operation, row.access)
        if !row.access.isDisjoint(with: .changing) { intents.formUnion([.procPersist, .gitConfigExec]) }
        if row.resourceType == .socket { intents.formUnion([.netDNS, .netLocalSocket, .fileCreate]) }
        if !policy.ruleIntents.isDisjoint(with: intents) { return try byRules(row, subject, policy) }
        // What the lists say depends on nothing else.
        let key = Key(
            session: row.session, resource: row.resource, second: row.second, operation: row.operation, access: row.access.rawValue)
        if let known = remembered[key] { return known }
        let found = lists(row, subject, policy)
        if remembered.count >= Self.mostRemembered { remembered.removeAll(keepingCapacity: true) }
        remembered[key] = found
        return found
    }

    private func byRules(_ row: RecordedAccess, _ subject: RecordedSubject, _ policy: Policy) throws -> Hindsight {
        var found = lists(row, subject, policy)
        for facts in try facts(row, subject, policy) where found.decision != .deny {
            guard policy.counts(facts.intents) else {
                add(policy.decide(facts, counters: nil), policy, &found)
                continue
            }
            // Repeats are one row: of their times the first and the last are known.
            var facts = facts
            for number in 0..<min(row.count, Self.mostCounted) where found.decision == .allow {
                facts.time = number == 0 ? row.first : row.last
                add(policy.decide(facts, counters: counters(row.session)), policy, &found)
            }
        }
        return found
    }

    /// One session after the other: each counts for itself.
    private func counters(_ session: Int) -> Counters {
        if counting.session != session { counting = (session, Counters()) }
        return counting.counters
    }

    /// The stricter counts, and what is sure before what is not.
    private func add(_ verdict: Verdict, _ policy: Policy, _ found: inout Hindsight) {
        guard let id = verdict.rules.first, found.decision != .deny else { return }
        if verdict.isUnsure {
            found = Hindsight(decision: nil, rule: policy.rule(id), note: verdict.note)
        } else if verdict.decision > found.decision ?? .allow, found.decision != nil || verdict.decision == .deny {
            found = Hindsight(decision: verdict.decision, rule: policy.rule(id), note: verdict.note)
        }
    }

    // MARK: Lists

    private func lists(_ row: RecordedAccess, _ subject: RecordedSubject, _ policy: Policy) -> Hindsight {
        let listens = row.operation == .bind
        let ruling: Ruling
        switch subject {
        case .file(let path, let access): ruling = policy.judge(file: path.span, access: access)
        case .files(let one, let access, let other, let second):
            let a = policy.judge(file: one.span, access: access), b = policy.judge(file: other.span, access: second)
            ruling = b.decision > a.decision ? b : a
        case .unixSocket(let path):
            ruling = listens ? policy.judge(file: path.span, access: .create) : policy.judge(unixConnect: path.span)
        case .abstractSocket(let name):
            ruling = listens ? policy.judge(abstractListen: name.span) : policy.judge(abstract: name.span)
        case .address(let address, let port, let name): return network(address, port, name, listens: listens, policy)
        case .program, .fixed: ruling = Ruling(.allow, by: .none)
        }
        return Hindsight(decision: ruling.decision, rule: policy.rule(ruling.rule))
    }

    private func network(_ address: IPAddress, _ port: UInt16, _ name: String?, listens: Bool, _ policy: Policy) -> Hindsight {
        let names = HostSet(name.flatMap { policy.hostNames.firstIndex(of: $0) }.map { [$0] } ?? [])
        func ruling(_ transport: Transport) -> Ruling {
            listens
                ? policy.judge(listen: address, port: port, transport: transport)
                : policy.judge(connect: address, port: port, transport: transport, names: names)
        }
        let tcp = ruling(.tcp), udp = ruling(.udp)
        var found = Hindsight(decision: tcp.decision, rule: policy.rule(tcp.rule))
        let isLocal = listens || address.canonicalDestination.isLoopback
        if tcp.decision != udp.decision {
            found.note = "it is not on record whether it was TCP or UDP"
        } else if !isLocal, name == nil, !policy.hostNames.isEmpty, policy.dependsOnNames(tcp) {
            found.note = "it is not on record whether the address was one of the hosts that the profile names"
        }
        if found.note != nil { found.decision = nil }
        return found
    }

    private func listensOn(_ row: RecordedAccess, _ subject: RecordedSubject) {
        if ownSession != row.session { own.removeAll() }
        ownSession = row.session
        switch subject {
        case .unixSocket(let path): own.insert(path)
        case .abstractSocket(let name): own.insert([0x40] + name)
        default: break
        }
    }

    // MARK: Rules

    private func facts(_ row: RecordedAccess, _ subject: RecordedSubject, _ policy: Policy) throws -> [Facts] {
        var facts = Facts(row.operation, intents: IntentSet.effects(of: row.operation, row.access), access: row.access)
        try processes.add(to: &facts, row, policy)
        // Where its own session had rules about it, what it meant is on record, with what only a look at the file tells.
        let recorded = try history.judgement(of: row)?.intents ?? []
        switch subject {
        case .file(let path, let access):
            var single = at(path, access, facts)
            if !recorded.isEmpty { single.intents = recorded }
            return [single]
        case .files(let one, let access, let other, let second):
            var from = at(one, access, facts)
            from.pathTo = other
            var to = at(other, second, facts)
            if row.operation == .rename, recorded.contains(.fileDelete) { to.intents.insert(.fileDelete) }
            return [from, to]
        case .unixSocket(let path):
            facts.path = path
            facts.intents.insert(row.operation == .bind ? .fileCreate : .netLocalSocket)
            if ownSession == row.session, own.contains(path) { facts.intents.subtract([.netEgress]) }
        case .abstractSocket(let name):
            if row.operation != .bind { facts.intents.insert(.netLocalSocket) }
            if ownSession == row.session, own.contains([0x40] + name) { facts.intents.subtract([.netEgress]) }
        case .address(let address, let port, let name):
            facts.destinations = [Facts.Destination(names: name.map { [$0] } ?? [], address: address, port: port)]
            if name == nil, !address.canonicalDestination.isLoopback, row.operation != .bind { facts.unknown.insert(.host) }
            if port == 53, row.operation != .bind { facts.intents.insert(.netDNS) }
        case .program, .fixed: break
        }
        if !recorded.isEmpty, !recorded.contains(.netEgress) { facts.intents.subtract([.netEgress]) }
        return [facts]
    }

    private func at(_ path: [UInt8], _ access: FileAccess, _ base: Facts) -> Facts {
        var facts = base
        facts.path = path
        facts.access = access
        facts.intents = IntentSet.effects(of: base.operation, access)
        if !access.isDisjoint(with: .changing) { facts.intents.formUnion(PersistentPlaces.intents(of: path)) }
        return facts
    }

    // MARK: Programs

    private func start(_ row: RecordedAccess, _ program: [UInt8], _ arguments: [[UInt8]], _ policy: Policy) throws -> Hindsight {
        let key = Start(session: row.session, program: program, arguments: arguments, flags: row.flags.rawValue)
        let isPlain = !policy.counts(.all) && !policy.asks([.parent, .since_exec_of, .time_of_day, .carries])
        if isPlain, let known = starts[key] { return known }
        let invoked = asked(for: program, arguments)
        let ruling = policy.judge(exec: program.span, invoked: invoked.span, isWritten: row.flags.contains(.written))
        var found = Hindsight(decision: ruling.decision, rule: policy.rule(ruling.rule))
        if policy.hasRules, ruling.decision != .deny {
            let command = CommandReader.Command(
                program: program, invoked: invoked, arguments: arguments, variable: { _ in nil }, input: { _ in .unknown })
            let judge = CommandJudge(policy: policy, reader: reader)
            var failure: (any Error)?
            let judged = judge.judge(command, counters: isPlain ? nil : counters(row.session)) { facts in
                do { try processes.add(to: &facts, row, policy) } catch { failure = error }
                RecordedProcesses.note(row, &facts)
            } lookUp: { name in
                (name, name)
            }
            if let failure { throw failure }
            add(judged.verdict, policy, &found)
        }
        if starts.count >= Self.mostRemembered { starts.removeAll(keepingCapacity: true) }
        starts[key] = found
        return found
    }

    /// The path that it was asked for by is not on record. Where the name in its arguments leads to it today, it is that one.
    package func asked(for program: [UInt8], _ arguments: [[UInt8]]) -> [UInt8] {
        guard let name = arguments.first, !name.isEmpty else { return program }
        let key = Start(session: 0, program: program, arguments: [name], flags: 0)
        if let known = asked[key] { return known }
        let folder = program[...(program.lastIndex(of: 0x2f) ?? 0)]
        let path = name.first == 0x2f ? name : folder + name
        let found =
            path != program && !name.dropFirst().contains(0x2f) || name.first == 0x2f ? ProfileFiles.resolve(path) == program : false
        asked[key] = found ? path : program
        return found ? path : program
    }
}
