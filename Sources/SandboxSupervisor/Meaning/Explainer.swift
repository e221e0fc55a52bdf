internal import SandboxIntent
internal import SandboxModel
package import SandboxPolicy

/// Says what a policy would decide, without doing anything.
package final class Explainer {
    package let policy: Policy
    private let judge: CommandJudge
    private let place: any DryPlace
    private let counters: Counters?
    /// Who asks and why, and what the process is said to carry.
    package var identity: String?
    package var groups: [String] = []
    package var roles: [String] = []
    package var subagent: String?
    package var purpose: String?
    package var carries: UInt64 = 0
    package var mode = Mode.enforce
    package var timeOfDay: UInt32 = 0

    package init(_ judge: CommandJudge, place: any DryPlace, counters: Counters? = nil) {
        self.judge = judge
        self.place = place
        self.counters = counters
        policy = judge.policy
    }

    /// Whether the profile lets whoever is described here run under it: by name, or as one of a group or role.
    package var isAdmitted: Bool {
        let names = [identity ?? ""] + groups.map { "group:" + $0 } + roles.map { "role:" + $0 }
        return names.contains { policy.admits(identity: Array($0.utf8).span) }
    }

    package func explain(_ subject: DrySubject) throws(DryFailure) -> Explanation {
        left = Self.mostWords
        return switch subject {
        case .run(let words): try run(words, depth: 0)
        case .read(let path): file(path, .open, .read, [.fileRead])
        case .write(let path): write(path)
        case .delete(let path): delete(path)
        case .connect(let text): try connect(text)
        case .sql(let text, let dialect): query(text, dialect)
        }
    }

    private func around(_ facts: inout Facts) {
        facts.identity = identity
        facts.groups = groups
        facts.roles = roles
        facts.subagent = subagent.map { Array($0.utf8) }
        facts.purpose = purpose
        facts.carries = carries
        facts.mode = mode
        facts.timeOfDay = timeOfDay
    }

    /// `folder`: where, seen from here; empty: here.
    private func run(
        _ words: [[UInt8]], input: ShellText.Input = .inherited, in folder: [UInt8] = [], depth: Int
    ) throws(DryFailure) -> Explanation {
        left -= max(words.count, 128)
        guard let name = words.first, !name.isEmpty else { throw DryFailure(message: "no command") }
        let asked = name.contains(0x2f) ? ShellText.path(name, in: folder) : name
        let found = place.program(asked)
        // What is not there is judged as if it were where programs are.
        let usual = name.contains(0x2f) ? place.path(asked) : Array("/usr/bin/".utf8) + name
        let (program, invoked) = found ?? (program: usual, invoked: usual)
        var command = CommandReader.Command(
            program: program, invoked: invoked, arguments: words, variable: place.variable,
            input: { [place] source in
                if case .standardInput = source.place, case .text(let text) = input { return .text(text) }
                if case .file(let name) = source.place { return place.input(.file(ShellText.path(name, in: folder))) }
                return place.input(source.place)
            })
        if case .text(let text) = input { command.meaning = judge.reader.meaning(program, words, reading: text) }
        let judgement = judge.judge(command, counters: counters, around: around, lookUp: place.program)
        var ruling = policy.judge(exec: program.span, invoked: invoked.span)
        if let rewriting = judgement.verdict.rewrite?.program {
            let other = place.program(rewriting)?.program ?? rewriting
            let second = policy.judge(exec: other.span, invoked: rewriting.span)
            if second.decision > ruling.decision { ruling = second }
        }
        var explanation = Explanation(.exec, judgement.reading.facts, ruling, judgement.verdict)
        explanation.evidence = [(.procExec, "a program starts")]
        for e in judgement.reading.meaning.evidence { explanation.evidence.append((e.intent, e.because)) }
        explanation.evidence += judgement.reading.evidence
        explanation.arguments = words
        if found == nil { explanation.note = "`\(Escaped.text(name))` is not on this machine" }
        let meaning = judgement.reading.meaning
        if let text = meaning.unread.first {
            explanation.note = "what `\(Escaped.text(text))` starts can only be told in part: each program is judged when it starts"
        }
        let touches = meaning.touches.prefix(Self.mostStarts).map { (touch: $0.touch, path: ShellText.path($0.path, in: folder)) }
        for (touch, path) in touches { explanation.add(touch: file(touch, path, touches)) }
        var isCut = meaning.starts.count > Self.mostStarts || depth == Self.deepest && !meaning.starts.isEmpty
        for start in meaning.starts.prefix(Self.mostStarts) where depth < Self.deepest && start.words.first?.isEmpty == false {
            guard left > 0 else {
                isCut = true
                break
            }
            let given = start.input == .inherited ? input : start.input
            let place = ShellText.path(start.folder, in: folder)
            explanation.add(start: try run(start.words, input: given, in: start.folder.isEmpty ? folder : place, depth: depth + 1))
        }
        if isCut { explanation.note = "it starts more than is looked at here: each program is judged when it starts" }
        var texts = judgement.reading.programs.filter { !$0.isEmpty }.prefix(Self.mostStarts).map { (shell: Array("sh".utf8), text: $0) }
        if meaning.runsInput, case .text(let text) = input, Catalogue.isShell(program[...]) { texts.append((name, text)) }
        for (shell, text) in texts where depth < Self.deepest && left > 0 {
            explanation.add(start: try run([shell, Array("-c".utf8), text], in: folder, depth: depth + 1))
        }
        return explanation
    }
    private static let mostStarts = 64, deepest = 8
    /// Of all programs together, so that what starts two that each start two comes to an end.
    private static let mostWords = 1 << 16
    private var left = 0

    /// What a program would be let do to a file that its words name.
    private func file(_ touch: Touch, _ path: [UInt8], _ all: [(touch: Touch, path: [UInt8])]) -> Explanation {
        switch touch {
        case .read: return file(path, .open, .read, [.fileRead])
        case .write: return write(path)
        case .delete: return delete(path)
        case .change: return file(path, .metadata, .metadata, [.fileChmod])
        case .into:
            guard place.isFolder(place.path(path)), let first = all.first(where: { $0.touch != .into })?.path else { return write(path) }
            let name = first.split(separator: 0x2f).last ?? []
            return write(path + [0x2f] + name)
        }
    }

    private func delete(_ text: [UInt8]) -> Explanation { file(text, .delete, .delete, [.fileDelete], at: place.entry(text)) }

    private func write(_ text: [UInt8]) -> Explanation {
        let isNew = !place.exists(place.path(text))
        return file(text, .open, isNew ? [.write, .create] : .write, isNew ? [.fileWrite, .fileCreate] : [.fileWrite])
    }

    private func file(
        _ text: [UInt8], _ operation: Operation, _ access: FileAccess, _ intents: IntentSet, at entry: [UInt8]? = nil
    ) -> Explanation {
        let path = entry ?? place.path(text)
        var facts = Facts(operation, intents: intents, access: access)
        around(&facts)
        facts.path = path
        let verdict = policy.decide(facts, counters: counters)
        var explanation = Explanation(operation, facts, policy.judge(file: path.span, access: access), verdict)
        explanation.evidence = intents.elements.map { ($0, Escaped.text(path)) }
        return explanation
    }

    private func query(_ text: [UInt8], _ dialect: SQLDialect) -> Explanation {
        var facts = Facts(.query, intents: [])
        around(&facts)
        let commands = dialect == .redis ? ScriptSummary.of(text, dialect, client: .redis) : ScriptSummary()
        judge.reader.take(commands, into: &facts)
        let statements = dialect == .redis ? [] : SQL.read(text, dialect: dialect)
        for statement in statements {
            facts.intents.formUnion(statement.intents)
            facts.tables += statement.tables
            if statement.intents.contains(.sqlUnknown) { facts.unknown.insert(.table) }
        }
        var explanation = Explanation(.query, facts, nil, policy.decide(facts, counters: counters))
        explanation.add(statements)
        explanation.evidence += judge.reader.evidence(ofCommandsIn: commands)
        return explanation
    }

    // MARK: Network

    private func connect(_ text: String) throws(DryFailure) -> Explanation {
        if text.hasPrefix("unix:") { return socket(Array(text.utf8.dropFirst(5))) }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
            throw DryFailure(message: "`\(Escaped.text(text))` is no HOST:PORT, such as `example.com:443`, and no unix:PATH")
        }
        let host = text[..<colon], name = host.hasPrefix("[") && host.hasSuffix("]") ? host.dropFirst().dropLast() : host
        guard let place = CommandReader.destination(String(name), port) else {
            throw DryFailure(message: "`\(Escaped.text(text))` is no HOST:PORT, such as `example.com:443`, and no unix:PATH")
        }
        var facts = Facts(.connect, intents: [.netConnect, .netEgress])
        around(&facts)
        facts.destinations = [place]
        let known = HostSet(place.names.compactMap { policy.hostNames.firstIndex(of: $0) })
        // A name is not looked up: an address of nobody's (RFC 5737) stands for it.
        let address = place.address ?? IPAddress(v4: 0xc000_0201)
        let ruling = policy.judge(connect: address, port: port, transport: .tcp, names: known)
        var explanation = Explanation(.connect, facts, ruling, policy.decide(facts, counters: counters))
        explanation.evidence = [(.netConnect, Escaped.text(text)), (.netEgress, "what this session does not serve itself")]
        if place.address == nil { explanation.note = "the name is not looked up: rules on address ranges may hold as well" }
        return explanation
    }

    private func socket(_ name: [UInt8]) -> Explanation {
        var facts = Facts(.connect, intents: [.netConnect, .netEgress, .netLocalSocket])
        around(&facts)
        let ruling: Ruling
        if name.first == UInt8(ascii: "@") {
            ruling = policy.judge(abstract: Array(name.dropFirst()).span)
        } else {
            let path = place.path(name)
            facts.path = path
            ruling = policy.judge(unixConnect: path.span)
        }
        var explanation = Explanation(.connect, facts, ruling, policy.decide(facts, counters: counters))
        explanation.evidence = facts.intents.elements.map { ($0, "unix:" + Escaped.text(name)) }
        return explanation
    }
}

extension Explanation {
    mutating func add(_ statements: [Statement]) {
        for statement in statements {
            for (i, intent) in statement.intents.elements.enumerated() {
                evidence.append((intent, i < statement.reasons.count ? statement.reasons[i] : statement.reasons.last ?? "SQL"))
            }
        }
    }
}
