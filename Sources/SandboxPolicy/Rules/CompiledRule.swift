internal import SandboxModel

/// Whether something holds; what cannot be found out is neither.
enum Truth: UInt8 { case no, unknown, yes }

/// A rule with its places filled in.
struct CompiledRule: Sendable {
    let id: RuleID
    let rule: Rule
    let conditions: [CompiledCondition]

    /// Whether a program start alone is its business.
    var isForCommands: Bool { rule.decision == .rewrite }

    /// That it is about.
    var paths: [RulePath] {
        conditions.flatMap { (each: CompiledCondition) -> [RulePath] in
            if each.condition.key == .path, !each.condition.isNegated, case .paths(let paths) = each.test { paths } else { [] }
        }
    }

    /// That it asks about, also as exceptions.
    var conditionPaths: [RulePath] {
        conditions.flatMap { (each: CompiledCondition) -> [RulePath] in
            if each.condition.key == .path, case .paths(let paths) = each.test { paths } else { [] }
        }
    }

    /// All but what it counts. What surely does not hold settles it, whatever else is unknown.
    func holds(_ facts: borrowing Facts, _ atHand: inout AtHand) -> Truth {
        var truth = meaning(facts)
        if truth == .no { return .no }
        for condition in conditions {
            // Whoever clears a name service has not cleared all that can be reached by it.
            if let question = facts.question, rule.asksWhatIsCarried, condition.excuses(facts), !condition.clears(question) { continue }
            switch condition.holds(facts, &atHand) {
            case .no: return .no
            case .unknown: truth = .unknown
            case .yes: break
            }
        }
        return truth
    }

    func meaning(_ facts: borrowing Facts) -> Truth {
        if isForCommands, facts.operation != .exec, facts.operation != .query || rule.rewrite?.sql == nil { return .no }
        if !rule.intents.isDisjoint(with: facts.intents) { return .yes }
        return facts.unknown.contains(.intents) ? .unknown : .no
    }
}

/// The classes of the data that the operation itself touches, looked up when they are first asked for.
struct AtHand {
    let classes: [CompiledClass]
    private var found: UInt64?

    init(_ classes: [CompiledClass]) { self.classes = classes }

    mutating func classes(_ facts: borrowing Facts) -> UInt64 {
        if let found { return found }
        var bits: UInt64 = 0
        for (i, each) in classes.enumerated() where each.touches(facts) { bits |= 1 << UInt64(i) }
        found = bits
        return bits
    }
}

struct CompiledClass: Sendable {
    let name: String
    let files: [RulePath]
    let tables: [TablePattern]
    let content: [CompiledContent]

    func touches(_ facts: borrowing Facts) -> Bool {
        if let path = facts.path, has(file: path.span) { return true }
        return facts.tables.contains { table in tables.contains { $0.mayMatch(table) } }
    }

    func has(file path: Span<UInt8>) -> Bool {
        for pattern in files where pattern.matches(path) { return true }
        return false
    }
}

struct CompiledContent: Sendable {
    let folders: [RulePath]
    let counts: [ContentKind: UInt64]

    func covers(_ path: Span<UInt8>) -> Bool {
        for folder in folders where folder.matches(path) { return true }
        return false
    }
}

struct CompiledRelease: Sendable {
    let programs: [RulePath]
    let classes: UInt64
    let sha256: String?
}

struct CompiledCondition: Sendable {
    enum Test: Sendable {
        case paths([RulePath])
        /// Loopback is among the targets: these lead there as well.
        case machine([AddressRange])
        case programs([CompiledProgram])
        case classes(UInt64)
        /// Nothing in it depends on where the session runs.
        case plain
    }
    let condition: Condition
    let test: Test

    /// Facts of the subject (who, with what arguments, what it carries) are negated as a whole: none fits. Of several objects
    /// that are acted on (destinations, databases, tables), one that does not fit is enough.
    func holds(_ facts: borrowing Facts, _ atHand: inout AtHand) -> Truth {
        switch condition.key {
        case .path: return path(facts.path, facts, .path)
        case .path_to: return path(facts.pathTo, facts, .pathTo)
        case .program: return program(facts)
        case .parent: return unless(facts, .parent) { hits in facts.parent.map { hits.contains($0, isSure: true) } ?? false }
        case .since_exec_of: return unless(facts, .lineage) { hits in facts.lineage.contains { hits.contains($0, isSure: true) } }
        case .args: return text(facts, .arguments) { globs in facts.arguments?.dropFirst().contains { globs.match($0) } ?? false }
        case .database: return database(facts)
        case .identity: return text(facts, .identity) { globs in facts.identity.map { globs.match($0) } ?? false }
        case .role: return text(facts, .identity) { globs in facts.roles.contains { globs.match($0) } }
        case .group: return text(facts, .identity) { globs in facts.groups.contains { globs.match($0) } }
        case .subagent: return text(facts, .subagent) { globs in SubagentName.all(in: facts.subagent ?? []).contains { globs.match($0) } }
        case .purpose: return text(facts, []) { globs in facts.purpose.map { globs.match($0) } ?? false }
        case .host: return host(facts)
        case .port: return port(facts)
        case .table: return table(facts)
        case .carries: return carries(facts, &atHand)
        case .mode: return own { if case .modes(let modes) = $0 { modes.contains(facts.mode) } else { false } }
        case .terminal: return own { if case .flags(let flags) = $0 { flags.contains(facts.terminal) } else { false } }
        case .time_of_day: return own { if case .times(let spans) = $0 { spans.contains { $0.contains(facts.timeOfDay) } } else { false } }
        }
    }

    /// It names places that the rule is not about.
    func excuses(_ facts: borrowing Facts) -> Bool {
        condition.isNegated && (condition.key == .host || condition.key == .path && facts.path != nil)
    }

    func clears(_ question: Facts.Question) -> Bool {
        guard case .targets(let targets) = condition.test, case .name(let name) = question else { return false }
        return targets.contains { $0.isMet(by: Facts.Destination(names: [name])) }
    }

    private func truth(_ matches: Bool) -> Truth { matches != condition.isNegated ? .yes : .no }

    private func own(_ matches: (Condition.Test) -> Bool) -> Truth { truth(matches(condition.test)) }

    /// An operation without a path is none that a condition on paths is about, negated or not.
    private func path(_ path: [UInt8]?, _ facts: borrowing Facts, _ fact: Facts.Set) -> Truth {
        if facts.unknown.contains(fact) { return .unknown }
        guard let path, case .paths(let patterns) = test else { return .no }
        for pattern in patterns where pattern.matches(path.span) { return truth(true) }
        if facts.movesFolder, !condition.isNegated {
            for pattern in patterns where pattern.mayMatchBelow(path.span) { return .yes }
        }
        return truth(false)
    }

    /// By what runs or by what it was called; what must not match is what runs, and a name that the session gave is none.
    private func program(_ facts: borrowing Facts) -> Truth {
        guard case .programs(let programs) = test else { return .unknown }
        if facts.unknown.contains(.program) { return .unknown }
        let isSure = condition.isNegated
        var matches = facts.program.map { programs.contains($0, isSure: isSure, isWritten: facts.isWritten) } ?? false
        if !isSure, !matches { matches = facts.invoked.map { programs.contains($0, isSure: false) } ?? false }
        return truth(matches)
    }

    private func unless(_ facts: borrowing Facts, _ fact: Facts.Set, _ matches: ([CompiledProgram]) -> Bool) -> Truth {
        guard case .programs(let programs) = test, facts.unknown.isDisjoint(with: fact) else { return .unknown }
        return truth(matches(programs))
    }

    private func text(_ facts: borrowing Facts, _ fact: Facts.Set, _ matches: ([Glob]) -> Bool) -> Truth {
        guard case .texts(let globs) = condition.test, facts.unknown.isDisjoint(with: fact) else { return .unknown }
        return truth(matches(globs))
    }

    private func carries(_ facts: borrowing Facts, _ atHand: inout AtHand) -> Truth {
        guard case .classes(let bits) = test else { return .unknown }
        if bits & (facts.carries | atHand.classes(facts)) != 0 { return truth(true) }
        return facts.unknown.contains(.carries) ? .unknown : truth(false)
    }

    // MARK: What is acted on

    private func host(_ facts: borrowing Facts) -> Truth {
        guard case .targets(let targets) = condition.test else { return .unknown }
        var machine: [AddressRange] = []
        if case .machine(let ranges) = test, facts.operation != .bind { machine = ranges }
        return some(of: facts.destinations, isUnknown: facts.unknown.contains(.host)) { place in
            targets.contains { $0.isMet(by: place) }
                || place.address.map { address in machine.contains { $0.contains(address.canonicalDestination) } } ?? false
        }
    }

    private func port(_ facts: borrowing Facts) -> Truth {
        guard case .ports(let ports) = condition.test else { return .unknown }
        return some(of: facts.destinations, isUnknown: facts.unknown.contains(.port)) { place in
            place.port.map { port in ports.contains { $0.contains(port) } } ?? false
        }
    }

    private func database(_ facts: borrowing Facts) -> Truth {
        guard case .texts(let globs) = condition.test else { return .unknown }
        return some(of: facts.databases(isSure: condition.isNegated), isUnknown: facts.unknown.contains(.database)) { name in
            name.map { globs.match($0) } ?? false
        }
    }

    private func table(_ facts: borrowing Facts) -> Truth {
        guard case .tables(let patterns) = condition.test else { return .unknown }
        let isNegated = condition.isNegated
        return some(of: facts.tables, isUnknown: facts.unknown.contains(.table)) { name in
            patterns.contains { isNegated ? $0.matches(name) : $0.mayMatch(name) }
        }
    }

    private func some<Object>(of objects: [Object], isUnknown: Bool, _ matches: (Object) -> Bool) -> Truth {
        if condition.isNegated, objects.isEmpty, !isUnknown { return .yes }
        if objects.contains(where: { matches($0) != condition.isNegated }) { return .yes }
        return isUnknown ? .unknown : .no
    }
}

enum CompiledProgram: Sendable {
    case name(Glob)
    case path([RulePath])
}

extension [CompiledProgram] {
    func contains(_ program: [UInt8], isSure: Bool, isWritten: Bool = false) -> Bool {
        contains { each in
            switch each {
            case .name(let glob):
                if isSure && isWritten { return false }
                let start = program.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
                return Glob.matches(glob.code.span, 0, glob.code.count, program.span, start, program.count)
            case .path(let patterns): return patterns.contains { $0.matches(program.span) }
            }
        }
    }
}

extension [Glob] {
    func match(_ text: [UInt8]) -> Bool { contains { $0.matches(text.span) } }
    func match(_ text: String) -> Bool { match([UInt8](text.utf8)) }
}

extension NetworkTarget {
    var isLoopback: Bool {
        switch peer {
        case .localhost: true
        case .range(let range): range.isLoopback
        default: false
        }
    }

    /// By every name that is known for the place, and by its address.
    func isMet(by place: Facts.Destination) -> Bool {
        switch peer {
        case .any: true
        case .localhost: place.address?.canonicalDestination.isLoopback ?? place.names.contains("localhost")
        case .range(let range): place.address.map { range.contains($0.canonicalDestination) } ?? false
        case .host(let name): place.names.contains(name)
        case .hostsBelow(let domain): place.names.contains { $0.hasSuffix("." + domain) }
        case .nameservers, .unixPath, .unixAbstract: false
        }
    }
}
