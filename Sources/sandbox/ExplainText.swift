internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import SandboxSupervisor

/// An explanation in words, and as JSON.
enum ExplainText {
    static func words(_ e: Explanation, _ policy: Policy, _ title: String, _ style: TextStyle) -> String {
        var out = title + "\n"
        if let program = e.facts.program { out += "  program   \(Escaped.text(program))\n" }
        if let path = e.facts.path { out += "  path      \(Escaped.text(path))\n" }
        for (i, line) in meanings(e).enumerated() { out += (i == 0 ? "  means     " : "            ") + line + "\n" }
        for (i, table) in e.facts.tables.enumerated() { out += (i == 0 ? "  tables    " : "            ") + Escaped.text(table) + "\n" }
        let by = e.rules.first.map { " by \(Escaped.text(policy.rule($0).name))" } ?? ""
        out += "  decision  \(e.decision.name)\(by): \(Escaped.text(e.reason(policy)))\n"
        if policy.mode == .observe { out += "            only recorded: the profile observes\n" }
        for note in [e.verdict.note, e.note].compactMap({ $0 }) { out += "            \(note)\n" }
        if let rewrite = e.verdict.rewrite, e.decision == .rewrite { out += "  runs      \(Escaped.commandLine(rewrite.arguments))\n" }
        if let ask = e.verdict.ask, e.decision == .ask { out += "  asks      \(terms(ask))\n" }
        out += considered(e, policy)
        for touch in e.touches {
            let text = words(touch, policy, touch.operation.name, style)
            out += "  files     " + text.split(separator: "\n").joined(separator: "\n            ") + "\n"
        }
        for start in e.starts {
            let text = words(start, policy, Escaped.commandLine(ArgumentRedaction.redact(start.arguments)), style)
            out += "  starts    " + text.split(separator: "\n").joined(separator: "\n            ") + "\n"
        }
        return out
    }

    /// Each intent once, with all that led to it.
    private static func meanings(_ e: Explanation) -> [String] {
        e.facts.intents.elements.map { intent in
            var reasons: [String] = []
            for (other, because) in e.evidence where other == intent && !reasons.contains(because) { reasons.append(because) }
            let pad = String(repeating: " ", count: max(1, 22 - intent.name.count))
            return intent.name + pad + Escaped.text(reasons.prefix(4).joined(separator: "; "))
        }
    }

    private static func terms(_ ask: AskTerms) -> String {
        let who = ask.approvers.map { $0.isEmpty ? "whoever runs the session" : $0.joined(separator: " or ") }.joined(separator: ", and ")
        let people = ask.approvals > 1 ? "\(ask.approvals) of " : ""
        return "\(people)\(Escaped.text(who)); denied after \(ask.timeout / 1_000_000_000)s"
    }

    private static func considered(_ e: Explanation, _ policy: Policy) -> String {
        var lines: [String] = []
        if let ruling = e.ruling, ruling.rule != .none {
            lines.append("\(ruling.decision.name)  \(policy.rule(ruling.rule).name)  decides among the lists")
        }
        for trace in policy.trace(e.facts) {
            let said = trace.conditions.joined(separator: ", ")
            let outcome =
                switch trace.outcome {
                case .matches: "matches"
                case .counts: "matches, once \(said)"
                case .unknown: "cannot be told, and so denies: \(said)"
                case .fails: "does not match: \(said)"
                }
            lines.append("\(trace.decision.name)  \(trace.name)  \(outcome)")
        }
        return lines.enumerated().map { ($0 == 0 ? "  rules     " : "            ") + Escaped.text($1) + "\n" }.joined()
    }

    // MARK: JSON

    static func json(_ e: Explanation, _ policy: Policy) -> String {
        var fields = [
            "\"operation\":\(Escaped.json(e.operation.name))", "\"intents\":\(list(e.intents.names))",
            "\"because\":["
                + e.evidence.map { "{\"intent\":\(Escaped.json($0.intent.name)),\"because\":\(Escaped.json($0.because))}" }
                .joined(separator: ",") + "]",
            "\"decision\":\(Escaped.json(e.decision.name))",
            "\"rules\":\(list(e.rules.map { policy.rule($0).name }))", "\"reason\":\(Escaped.json(e.reason(policy)))",
        ]
        if policy.mode == .observe { fields.append("\"enforced\":false") }
        if let program = e.facts.program { fields.append("\"program\":\(Escaped.json(program))") }
        if let path = e.facts.path { fields.append("\"path\":\(Escaped.json(path))") }
        if !e.facts.tables.isEmpty { fields.append("\"tables\":\(list(e.facts.tables))") }
        if let rewrite = e.verdict.rewrite, e.decision == .rewrite {
            fields.append("\"rewritten\":[" + rewrite.arguments.map { Escaped.json($0) }.joined(separator: ",") + "]")
        }
        if let ask = e.verdict.ask, e.decision == .ask {
            fields.append(
                "\"ask\":{\"approvers\":[\(ask.approvers.map(list).joined(separator: ","))],\"approvals\":\(ask.approvals),\"timeout\":\(ask.timeout / 1_000_000_000)}"
            )
        }
        let notes = [e.verdict.note, e.note].compactMap { $0 }
        if !notes.isEmpty { fields.append("\"notes\":\(list(notes))") }
        if !e.touches.isEmpty { fields.append("\"files\":[\(e.touches.map { json($0, policy) }.joined(separator: ","))]") }
        if !e.starts.isEmpty {
            let starts = e.starts.map { start in
                "{\"run\":[\(ArgumentRedaction.redact(start.arguments).map { Escaped.json($0) }.joined(separator: ","))],"
                    + json(start, policy).dropFirst()
            }
            fields.append("\"starts\":[\(starts.joined(separator: ","))]")
        }
        fields.append("\"considered\":[" + policy.trace(e.facts).map(considered).joined(separator: ",") + "]")
        return "{" + fields.joined(separator: ",") + "}"
    }

    private static func considered(_ trace: RuleTrace) -> String {
        "{\"rule\":\(Escaped.json(trace.name)),\"decision\":\(Escaped.json(trace.decision.name)),\"outcome\":\"\(trace.outcome)\",\"conditions\":\(list(trace.conditions))}"
    }

    static func list(_ texts: [String]) -> String { "[" + texts.map { Escaped.json($0) }.joined(separator: ",") + "]" }
}
