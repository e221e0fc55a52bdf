package import SandboxModel

/// How one rule saw an operation, for people.
package struct RuleTrace: Sendable {
    package enum Outcome: Sendable { case matches, unknown, counts, fails }
    package let rule: RuleID
    package let name: String
    package let decision: Decision
    package let outcome: Outcome
    /// The conditions that did not hold, or could not be told; of a rule that counts, what it counts.
    package let conditions: [String]
}

extension Policy {
    /// Every rule that is about what the operation means: those that match, and those that nearly did.
    package func trace(_ facts: borrowing Facts) -> [RuleTrace] {
        var atHand = AtHand(ruleTable.classes)
        var found: [RuleTrace] = []
        for rule in ruleTable.rules {
            let meaning = rule.meaning(facts)
            if meaning == .no { continue }
            var failed: [String] = [], unknown: [String] = meaning == .unknown ? ["intent"] : []
            for condition in rule.conditions {
                switch condition.holds(facts, &atHand) {
                case .no: failed.append("\(condition.condition.name): \(condition.condition.text)")
                case .unknown: unknown.append("\(condition.condition.name): \(condition.condition.text)")
                case .yes: break
                }
            }
            let count = rule.rule.count.map { ["count: \($0.text)"] }
            let (outcome, conditions): (RuleTrace.Outcome, [String]) =
                !failed.isEmpty
                ? (.fails, failed)
                : !unknown.isEmpty
                    ? (.unknown, unknown)
                    : count.map { (.counts, $0) } ?? (.matches, [])
            found.append(
                RuleTrace(
                    rule: rule.id, name: self.rule(rule.id).name, decision: rule.rule.decision, outcome: outcome,
                    conditions: conditions))
        }
        return found
    }
}
