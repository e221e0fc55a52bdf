internal import SandboxModel

/// Calls what it is given for each path below a folder, as long as that answers true.
package typealias PathsBelow = (_ body: ([UInt8]) -> Bool) -> Void

/// The rules of a policy, found by what they name: a rule that asks for a path, a table, a program, a host or an argument is
/// looked at only where one of those is at hand.
struct RuleTable: Sendable {
    let rules: [CompiledRule]
    let classes: [CompiledClass]
    let releases: [CompiledRelease]
    /// Of all rules, for a quick no.
    let intents: IntentSet
    let judgesStatements: Bool
    private let needs: [IntentSet]
    private let index: RuleIndex

    init() { self.init([], []) }

    init(_ rules: [CompiledRule], _ classes: [CompiledClass], _ releases: [CompiledRelease] = []) {
        self.rules = rules
        self.classes = classes
        self.releases = releases
        needs = rules.map(\.rule.intents)
        intents = needs.reduce([]) { $0.union($1) }
        index = RuleIndex(rules)
        judgesStatements = rules.contains(where: Self.isAboutStatements)
    }

    /// A rule about every program start, whatever it means, asks for none, but where it asks for tables.
    private static func isAboutStatements(_ rule: CompiledRule) -> Bool {
        let told = (IntentSet(pattern: "sql") ?? []).union(IntentSet(pattern: "kv") ?? [])
        guard !rule.rule.intents.isDisjoint(with: told) else { return false }
        if !rule.rule.intents.contains(.procExec) { return true }
        return rule.conditions.contains { [.table, .database, .carries].contains($0.condition.key) }
    }

    var isEmpty: Bool { rules.isEmpty }

    struct Match {
        let rule: CompiledRule
        let truth: Truth
        /// A rule that cannot be evaluated denies.
        var effect: Decision { truth == .unknown ? .deny : rule.rule.decision }
    }

    /// Every rule that matches, in the order of the profile; with `unknown` those that could not be evaluated.
    func matches(_ facts: borrowing Facts, _ counters: Counters?, unless other: Facts? = nil, below: PathsBelow? = nil) -> [Match] {
        var found: [Match] = []
        var atHand = AtHand(classes)
        // What is unknown is in no index.
        let all = !facts.unknown.isEmpty || facts.movesFolder
        for i in all ? Array(rules.indices) : index.candidates(facts, needs) {
            let truth = rules[i].holds(facts, &atHand)
            if truth == .no || other.map({ holds(rules[i], $0) }) == true { continue }
            if truth == .yes && !counted(rules[i], facts, counters, below) { continue }
            found.append(Match(rule: rules[i], truth: truth))
        }
        return found
    }

    private func holds(_ rule: CompiledRule, _ facts: Facts) -> Bool {
        var atHand = AtHand(classes)
        return rule.holds(facts, &atHand) == .yes
    }

    private func counted(_ rule: CompiledRule, _ facts: borrowing Facts, _ counters: Counters?, _ below: PathsBelow?) -> Bool {
        guard let count = rule.rule.count else { return true }
        let times = times(rule, facts, most: count.threshold, below)
        guard let counters else { return count.threshold <= times }
        let part: UInt64 =
            switch count.scope {
            case .session: 0
            case .subtree: facts.subtree
            case .folder: RuleIndex.hash(folderOf: facts.path ?? [])
            }
        var isReached = false
        for _ in 0..<times {
            isReached = counters.note(rule.id.rawValue, part: part, at: facts.time, threshold: count.threshold, within: count.within)
        }
        return isReached
    }

    /// A folder counts as what it holds that the rule is about, and as itself where that is; more than `most` says nothing more.
    private func times(_ rule: CompiledRule, _ facts: borrowing Facts, most: Int, _ below: PathsBelow?) -> Int {
        guard facts.movesFolder, let below else { return 1 }
        var one = copy facts
        one.movesFolder = false
        var n = holds(rule, one) ? 1 : 0
        below { path in
            one.path = path
            if holds(rule, one) { n += 1 }
            return n < most
        }
        return n
    }
}

/// From a literal to the rules that ask for it. A collision of hashes costs a look, and changes nothing.
struct RuleIndex: Sendable {
    /// In the order of choice: the first for which each value of a condition has a literal.
    private enum Kind: UInt64, CaseIterable { case path, table, program, host, argument, database, identity, purpose }

    private var byLiteral: [UInt64: [Int]] = [:]
    private var always: [Int] = []
    private var kinds: UInt64 = 0
    /// How many names the prefixes in the index have, as bits.
    private var depths: UInt64 = 0

    init(_ rules: [CompiledRule]) {
        for (i, rule) in rules.enumerated() {
            guard let keys = keys(of: rule) else {
                always.append(i)
                continue
            }
            for key in Set(keys) { byLiteral[key, default: []].append(i) }
        }
    }

    /// Ascending, each once. `needs`: the intents of each rule.
    func candidates(_ facts: borrowing Facts, _ needs: [IntentSet]) -> [Int] {
        var found: [Int] = []
        for i in always where !needs[i].isDisjoint(with: facts.intents) { found.append(i) }
        if kinds == 0 { return found }
        let unindexed = found.count
        eachKey(facts) { key in
            guard let rules = byLiteral[key] else { return }
            for i in rules where !needs[i].isDisjoint(with: facts.intents) { found.append(i) }
        }
        if found.count == unindexed { return found }
        found.sort()
        var last = -1
        found.removeAll { i in
            defer { last = i }
            return i == last
        }
        return found
    }

    private func uses(_ kind: Kind) -> Bool { kinds >> kind.rawValue & 1 != 0 }

    private func eachKey(_ facts: borrowing Facts, _ body: (UInt64) -> Void) {
        if uses(.path), let path = facts.path { eachPrefix(path.span, body) }
        if uses(.table) {
            for table in facts.tables { body(Self.hash(.table, Self.lastPart(table))) }
        }
        if uses(.program) {
            for program in [facts.program, facts.invoked] {
                guard let program else { continue }
                body(Self.hash(.program, program[(program.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0)...]))
            }
        }
        if uses(.host) {
            for place in facts.destinations { place.names.forEach { body(Self.hash(.host, $0.utf8)) } }
        }
        if uses(.argument), let arguments = facts.arguments { arguments.dropFirst().forEach { body(Self.hash(.argument, $0)) } }
        if uses(.database) {
            for database in facts.databases(isSure: false) { database.map { body(Self.hash(.database, $0.utf8)) } }
        }
        if uses(.identity), let identity = facts.identity { body(Self.hash(.identity, identity.utf8)) }
        if uses(.purpose), let purpose = facts.purpose { body(Self.hash(.purpose, purpose.utf8)) }
    }

    private func eachPrefix(_ path: Span<UInt8>, _ body: (UInt64) -> Void) {
        var hash = Self.start(.path)
        var depth = 0
        for i in 0..<path.count {
            if path[i] == UInt8(ascii: "/"), i > 0 {
                depth += 1
                if depths >> UInt64(depth) & 1 != 0 { body(hash) }
            }
            Self.add(path[i], &hash)
        }
        if depths >> UInt64(depth + 1) & 1 != 0 { body(hash) }
    }

    // MARK: Making it

    private mutating func keys(of rule: CompiledRule) -> [UInt64]? {
        for kind in Kind.allCases {
            for condition in rule.conditions where !condition.condition.isNegated {
                guard let keys = keys(condition, kind) else { continue }
                kinds |= 1 << kind.rawValue
                return keys
            }
        }
        return nil
    }

    private mutating func keys(_ condition: CompiledCondition, _ kind: Kind) -> [UInt64]? {
        switch (kind, condition.condition.key, condition.condition.test, condition.test) {
        case (.path, .path, _, .paths(let paths)):
            guard paths.allSatisfy({ (1...60).contains($0.depth) }) else { return nil }
            for path in paths { depths |= 1 << UInt64(path.depth) }
            return paths.map { Self.hash(.path, $0.prefix) }
        case (.table, .table, .tables(let tables), _): return Self.hashes(.table, tables.map(\.lastPart))
        case (.program, .program, .programs(let programs), _):
            return Self.hashes(.program, programs.map { if case .name(let glob) = $0 { glob.literal } else { nil } })
        case (.host, .host, .targets(let targets), _):
            return Self.hashes(.host, targets.map { if case .host(let name) = $0.peer { Array(name.utf8) } else { nil } })
        case (.argument, .args, .texts(let globs), _): return Self.hashes(.argument, globs.map(\.literal))
        case (.database, .database, .texts(let globs), _): return Self.hashes(.database, globs.map(\.literal))
        case (.identity, .identity, .texts(let globs), _): return Self.hashes(.identity, globs.map(\.literal))
        case (.purpose, .purpose, .texts(let globs), _): return Self.hashes(.purpose, globs.map(\.literal))
        default: return nil
        }
    }

    private static func hashes(_ kind: Kind, _ literals: [[UInt8]?]) -> [UInt64]? {
        let known = literals.compactMap { $0 }
        return known.count == literals.count ? known.map { hash(kind, $0) } : nil
    }

    private static func lastPart(_ table: String) -> [UInt8] {
        Array(table.lowercased().utf8.reversed().prefix { $0 != UInt8(ascii: ".") }.reversed())
    }

    /// Two folders with one hash are counted together: that finds more, never less.
    static func hash(folderOf path: [UInt8]) -> UInt64 { hash(.path, path[..<(path.lastIndex(of: UInt8(ascii: "/")) ?? 0)]) }

    // FNV-1a: from left to right, so that each prefix of a path has its hash on the way.
    private static func start(_ kind: Kind) -> UInt64 { 0xcbf2_9ce4_8422_2325 ^ kind.rawValue &* 0x9e37_79b9_7f4a_7c15 }
    private static func add(_ byte: UInt8, _ hash: inout UInt64) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    private static func hash(_ kind: Kind, _ bytes: some Sequence<UInt8>) -> UInt64 {
        var hash = start(kind)
        for byte in bytes { add(byte, &hash) }
        return hash
    }
}
