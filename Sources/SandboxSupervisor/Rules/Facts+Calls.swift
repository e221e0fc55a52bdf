internal import Glibc
internal import SandboxDecode
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore

/// From what a call touches to what the rules are asked.
extension Supervision {
    /// `isCarriedOut`: of a candidate, that the live profile lets the call go on.
    func find(_ work: FileWork, _ call: Call, _ caller: Caller, isCarriedOut: Bool = true) -> Judged {
        var finding = Judged(judge(work, call, caller))
        downloads(opening: work, caller)
        let before = carrying?.classes(of: caller.serial) ?? 0
        let access = work.hasSecond ? work.first.access.union(work.second.access) : work.first.access
        if policy.rulesMayMatter(for: work.operation, access), !work.first.isAnonymous || work.hasSecond {
            decide(facts(work, work.first, call, caller), &finding)
            decideByOtherNames(of: work.first, &finding) { facts(work, work.first, call, caller) }
            if work.hasSecond { decide(facts(target: work, call, caller), &finding) }
            decideLeaving(work, call, caller, &finding)
        }
        if work.redirectsNames || !work.first.access.isDisjoint(with: .naming), finding.decision != .deny, policy.judgesUseByPath {
            decideUse(work, call, caller, &finding)
        }
        if isFollowed(finding), let refusal = carry(work, call, caller, since: before, isIdle: !isCarriedOut) { finding.refuse(refusal) }
        finding.carries = carried(by: caller)
        compare(&finding) { $0.find(work, call, caller, isCarriedOut: $1) }
        return finding
    }

    func find(_ work: SocketWork, _ caller: Caller, isCarriedOut: Bool = true) -> Judged {
        var finding = Judged(judge(work))
        let servers = servers(work)
        var host: Facts.Destination?
        if isFollowed(finding), let refusal = carry(work, to: servers, caller, isIdle: !isCarriedOut) { finding.refuse(refusal) }
        if work.hasAddress, policy.rulesMayMatter(for: work.operation), var facts = facts(work, caller) {
            if servers?.areOwn == true { facts.intents.subtract([.netEgress]) }
            if facts.intents.contains(.netEgress), let place = facts.destinations.first { facts.carries |= taken(to: place, work, caller) }
            if work.operation != .bind, downloads(connecting: work, facts, caller) { facts.intents.insert(.procExecDownloaded) }
            decide(facts, &finding)
            if case .unixPath = work.endpoint, work.operation != .bind, work.names > 1 {
                decide(byNames: denied.names(device: work.device, inode: work.inode), facts, &finding)
            }
            host = facts.destinations.first
        }
        if isFollowed(finding), let refusal = join(work, to: servers, caller, isIdle: !isCarriedOut) { finding.refuse(refusal) }
        finding.carries = carried(by: caller)
        compare(&finding) { $0.find(work, caller, isCarriedOut: $1) }
        // Last: a candidate sets none for what is really done.
        if work.operation == .bind { setTerms(work) }
        if enforces, finding.decision == .deny, let host, let socket = work.socketInode { downloads?.refused(socket, host) }
        return finding
    }

    /// What is refused brings nothing; what a candidate would refuse happens all the same.
    private func isFollowed(_ finding: Judged) -> Bool { finding.decision != .deny || !enforces || carrying?.isCandidate == true }

    func find(_ look: OpenLook, _ ruling: Ruling, _ caller: Caller) -> Judged {
        var finding = Judged(ruling)
        downloads(seeing: look, caller)
        // A look tells of files and folders alone: no device, and nothing of procfs.
        if look.access == .read ? rulesJudgeReads : policy.rulesMayMatter(for: look.operation, look.access) {
            var facts = baseFacts(look.operation, IntentSet.effects(of: look.operation, look.access), caller)
            facts.access = look.access
            facts.path = Array(look.path)
            decide(facts, &finding)
        }
        finding.carries = carried(by: caller)
        compare(&finding) { other, _ in
            other.find(look, other.policy.judge(file: look.path.span, access: look.access, isProgram: look.isProgram), caller)
        }
        return finding
    }

    /// What is refused already is none of those that a rule counts.
    func decide(_ facts: borrowing Facts, _ finding: inout Judged) {
        finding.add(policy.decide(facts, counters: finding.decision == .deny ? nil : counters), facts)
    }

    /// The candidate's say, where it is another.
    func compare(_ finding: inout Judged, _ other: (Supervision, _ isCarriedOut: Bool) -> Judged) {
        guard let shadow else { return }
        let found = other(shadow, !enforces || finding.decision != .deny)
        guard found.decision != finding.decision else { return }
        finding.shadow = Judgement.Shadow(decision: found.decision, rules: found.judgementRules.map { shadow.policy.rule($0).name })
    }

    // MARK: Facts

    /// `classes`: where it is asked what would be if the process carried that.
    func baseFacts(_ operation: Operation, _ intents: IntentSet, _ caller: Caller, carrying classes: UInt64? = nil) -> Facts {
        var facts = Facts(operation, intents: intents)
        let process = book.of(caller.serial)
        facts.program = process?.program
        facts.invoked = process?.invoked
        facts.isWritten = process?.isWritten ?? false
        facts.arguments = process?.arguments
        if process?.program == nil { facts.unknown.formUnion([.program, .arguments]) }
        surround(&facts, caller, carrying: classes)
        return facts
    }

    /// Who, when and after what.
    func surround(_ facts: inout Facts, _ caller: Caller, carrying classes: UInt64? = nil) {
        let process = book.of(caller.serial)
        facts.parent = process?.parent
        facts.lineage = process?.lineage ?? []
        facts.subtree = UInt64(process?.subtree ?? 0)
        if process == nil { facts.unknown.formUnion([.lineage, .parent]) }
        facts.carries = classes ?? carrying?.classes(of: caller.serial) ?? 0
        facts.identity = info.identity
        facts.groups = people.groups
        facts.roles = people.roles
        facts.subagent = subagents.name(of: caller.serial)
        if facts.subagent == Subagents.unknown { facts.unknown.insert(.subagent) }
        facts.purpose = info.purpose
        facts.terminal = people.hasTerminal
        facts.mode = enforces ? .enforce : .observe
        let time = currentTime()
        facts.timeOfDay = UInt32(time / 1_000_000_000 % 86_400)
        facts.time = Approvals.now()
    }

    private func facts(_ work: FileWork, _ subject: FileSubject, _ call: Call, _ caller: Caller) -> Facts {
        var facts = baseFacts(work.operation, IntentSet.effects(of: work.operation, subject.access), caller)
        facts.access = subject.access
        facts.path = Array(subject.path.text)
        if work.hasSecond { facts.pathTo = Array(work.second.path.text) }
        facts.movesFolder = work.movesDirectory
        switch call {
        case .changeMode: facts.intents.subtract([.fileChown])
        case .changeOwner: facts.intents.subtract([.fileChmod])
        default: break
        }
        if subject.isRawDevice { facts.intents.insert(.diskRaw) }
        if let place = ProcPlace(subject.path), place.isPrivate, place.pid != caller.pid { facts.intents.insert(.procInspect) }
        if !subject.access.isDisjoint(with: .changing) { facts.intents.formUnion(PersistentPlaces.intents(of: subject.path.text)) }
        return facts
    }

    /// Where a file is moved or linked to. What was there under that name is gone afterwards.
    private func facts(target work: FileWork, _ call: Call, _ caller: Caller) -> Facts {
        var facts = facts(work, work.second, call, caller)
        facts.pathTo = nil
        if case .rename = call, work.second.kind != .absent { facts.intents.insert(.fileDelete) }
        return facts
    }

    /// Nil for what reaches nobody: a connection that is dissolved, the kernel's own sockets.
    private func facts(_ work: SocketWork, _ caller: Caller) -> Facts? {
        let listens = work.operation == .bind
        var facts = baseFacts(work.operation, listens ? [.netListen] : [.netConnect, .netEgress], caller)
        switch work.endpoint {
        case .ip(let ip, let port):
            if listens, work.transport == .udp, port == 0 { return nil }
            if !listens, NameQuestion.isService(port: port), let question = work.shortPayload.flatMap(NameQuestion.init) {
                place(&facts, at: ip, port, asksFor: question.name)
            } else {
                place(&facts, at: ip, port, isServer: listens)
            }
        case .unixPath:
            facts.path = Array(work.path.text)
            if listens {
                facts.intents.insert(.fileCreate)
            } else {
                if NameQuestion.isService(socket: Array(work.path.text)) {
                    facts.intents.insert(.netDNS)
                    facts.question = .unseen
                }
                local(&facts, isOwn: context.sockets.contains(device: work.device, inode: work.inode, context.tasks))
            }
        case .unixAbstract:
            if !listens { local(&facts, isOwn: context.sockets.contains(abstract: Array(work.path.text), context.tasks)) }
        case .unspecified, .unixUnnamed, .netlink, .other: return nil
        }
        return facts
    }

    /// A name service passes on what it is asked to whoever answers for the name. Where the question can be read, it goes to that name
    /// and to nobody else; where not, it may go to anybody.
    func place(_ facts: inout Facts, at ip: IPAddress, _ port: UInt16, isServer: Bool = false, asksFor name: String? = nil) {
        facts.destinations = [Facts.Destination(names: hosts.texts(of: ip), address: ip, port: port)]
        if !hosts.areKnown { facts.unknown.insert(.host) }
        guard !isServer, NameQuestion.isService(port: port) else { return }
        facts.intents.insert(.netDNS)
        facts.question = name.map { .name($0) } ?? .unseen
    }

    /// What the session itself listens on leads nowhere else.
    private func local(_ facts: inout Facts, isOwn: Bool) {
        facts.intents.insert(.netLocalSocket)
        if isOwn { facts.intents.subtract([.netEgress]) }
    }
}
