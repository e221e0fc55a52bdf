package import SandboxIntent
package import SandboxModel
package import SandboxPolicy

/// What would be asked for: the subjects of a dry run.
package enum DrySubject: Sendable {
    case run([[UInt8]])
    case read([UInt8]), write([UInt8]), delete([UInt8])
    case connect(String)
    case sql([UInt8], SQLDialect)
}

/// Why there is nothing to judge.
package struct DryFailure: Error, Sendable {
    package let message: String
    package init(message: String) { self.message = message }
}

/// What a policy would say, and why.
package struct Explanation {
    package var operation: Operation
    package var facts: Facts
    /// Each intent with what led to it.
    package var evidence: [(intent: Intent, because: String)] = []
    /// What the lists say; nil where they have no say.
    package var ruling: Ruling?
    package var verdict: Verdict
    /// The stricter of the two.
    package var decision: Decision
    /// All that matched, the strictest first.
    package var rules: [RuleID]
    package var note: String?
    package var arguments: [[UInt8]] = []
    /// The programs that it would start, as far as its words tell. The strictest decision is that of the whole.
    package var starts: [Explanation] = []
    /// What would be refused or asked of the files that its words name.
    package var touches: [Explanation] = []
    /// Of all that would be started.
    package var intents: IntentSet { starts.reduce(facts.intents) { $0.union($1.intents) } }

    mutating func add(start: Explanation) {
        starts.append(start)
        guard start.decision > decision else { return }
        (decision, rules) = (start.decision, start.rules)
    }

    mutating func add(touch: Explanation) {
        guard touch.decision != .allow else { return }
        touches.append(touch)
        guard touch.decision > decision else { return }
        (decision, rules) = (touch.decision, touch.rules)
    }

    init(_ operation: Operation, _ facts: Facts, _ ruling: Ruling?, _ verdict: Verdict) {
        self.operation = operation
        self.facts = facts
        self.ruling = ruling
        self.verdict = verdict
        decision = max(ruling?.decision ?? .allow, verdict.decision)
        let listed = ruling.map { [$0.rule] } ?? []
        let listsDecide = ruling.map { $0.decision == .deny || $0.decision > verdict.decision } ?? false
        rules = (listsDecide ? listed + verdict.rules : verdict.rules + listed).filter { $0 != .none }
        // That the lists let it through says nothing where a rule was stricter.
        if !listsDecide, !verdict.rules.isEmpty { rules = verdict.rules }
    }

    /// Only where something is decided that the policy gives a reason for.
    package func reason(_ policy: Policy) -> String { rules.first.map { policy.rule($0).reason } ?? "nothing speaks against it" }
}
