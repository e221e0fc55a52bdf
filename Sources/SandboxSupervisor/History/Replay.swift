package import SandboxModel
package import SandboxPolicy
package import SandboxStore

/// Recorded history against a candidate profile: what would have been decided, where that is another thing, counted and with examples.
package struct Replay {
    package struct Example: Sendable {
        package var session: String
        package var operation: Operation
        package var access: FileAccess
        package var resource: [UInt8]
        package var target: [UInt8]?
        package var program: [UInt8]
        package var count: UInt64
    }

    /// All that one rule would change in one way.
    package struct Change: Sendable {
        package var was: Decision
        /// Nil: it cannot be told.
        package var now: Decision?
        package var rule: RuleInfo
        package var note: String?
        package var count: UInt64 = 0
        /// Rows of the trail: accesses of one kind.
        package var rows = 0
        package var examples: [Example] = []
    }

    package private(set) var sessions = 0
    package private(set) var count: UInt64 = 0
    package private(set) var unchanged: UInt64 = 0
    package private(set) var changes: [Change] = []
    /// Passed, and would be stopped or held.
    package private(set) var stopped: UInt64 = 0
    /// What the trail does not tell.
    package private(set) var gaps: [String] = []

    private struct Key: Hashable {
        let was: Decision
        let now: Decision?
        let rule: RuleInfo
        let note: String?
    }

    package init(
        _ profile: ResolvedProfile, over history: TrailHistory, since: UInt64, examples: Int, reader: CommandReader,
        _ variables: @escaping (SessionInfo) throws -> PolicyVariables
    ) throws {
        let judge = try HistoryJudge(profile, history, reader: reader, variables)
        guard let first = history.sessions.first else { return }
        var subjects = SubjectReader(history, temporary: try variables(first.info).tmp)
        var found: [Key: Gathering] = [:]
        try history.each(since: since) { row in
            let subject = try subjects.subject(row)
            let rule = try subjects.rule(row)
            // What nobody enforced passed.
            let was = row.flags.contains(.enforced) ? row.decision : .allow
            let hindsight = try judge.judge(row, subject, recordedRule: rule)
            count += row.count
            if hindsight.decision == was { return unchanged += row.count }
            if row.passed, let now = hindsight.decision, now == .deny || now == .ask { stopped += row.count }
            let key = Key(was: was, now: hindsight.decision, rule: hindsight.rule, note: hindsight.note)
            try found[
                key, default: Gathering(Change(was: was, now: hindsight.decision, rule: hindsight.rule, note: hindsight.note))
            ].add(row, history, examples)
        }
        sessions = history.sessions.count
        changes = found.values.map(\.change).sorted { a, b in
            let left = (a.now.map { Int($0.rawValue) } ?? 4, a.was.rawValue), right = (b.now.map { Int($0.rawValue) } ?? 4, b.was.rawValue)
            if left != right { return left > right }
            return (b.count, a.rule.name, a.note ?? "") < (a.count, b.rule.name, b.note ?? "")
        }
        gaps = try Replay.gaps(try judge.policy(0))
    }

    /// A change, and which of its examples is which row's.
    private struct Gathering {
        var change: Change
        private var shown: [(resource: Int64, operation: Operation, access: FileAccess)] = []

        init(_ change: Change) { self.change = change }

        mutating func add(_ row: RecordedAccess, _ history: TrailHistory, _ most: Int) throws(StoreError) {
            change.count += row.count
            change.rows += 1
            if let i = shown.firstIndex(where: { $0 == (row.resource, row.operation, row.access) }) {
                change.examples[i].count += row.count
            } else if shown.count < most {
                shown.append((row.resource, row.operation, row.access))
                change.examples.append(
                    Example(
                        session: history.sessions[row.session].info.id, operation: row.operation, access: row.access,
                        resource: try history.text(row.resource),
                        target: row.flags.contains(.secondPath) ? try history.text(row.second) : nil,
                        program: row.image == 0 ? [] : try history.program(ofImage: row.image), count: row.count))
            }
        }
    }

    private static func gaps(_ policy: Policy) throws -> [String] {
        var gaps = [
            "looks at what is not there, and what the kernel's filter refuses by itself, are not on record",
            "scripts are on record as their interpreters; whether a moved name was a folder's, and other names of a file, are not looked at",
        ]
        if policy.counts(.all) {
            gaps.append("rules with `count`: repeats of one access are on record with their first and last time alone")
        }
        if policy.asksWhatIsCarried {
            gaps.append("`carries`: only sessions under a profile that asked for it know what their processes carried")
        }
        if !policy.hostNames.isEmpty { gaps.append("names of hosts are known only where a list let the address pass by its name") }
        if !policy.ruleIntents.isDisjoint(with: IntentSet(pattern: "sql") ?? []) {
            gaps.append(
                "SQL on standard input, in files and from programs is not on record, nor are variables such as PGHOST; secrets in arguments are masked"
            )
        }
        if !policy.ruleIntents.isDisjoint(with: [.diskRaw, .procInspect]) {
            gaps.append("whether a path was a device, or another process's, is judged by its name")
        }
        return gaps
    }
}
