internal import SandboxModel
internal import SandboxYAML

/// `rules`, but for their conditions.
extension ProfileReader {
    mutating func rules(_ node: YAMLNode) -> [Rule] {
        guard let items = list(node, "rules") else { return [] }
        var rules: [Rule] = []
        var lines: [String: Int] = [:]
        for (i, item) in items.enumerated() {
            guard let rule = rule(item, i) else { continue }
            if let line = lines[rule.name] {
                sink.error(
                    "two rules are called `\(rule.name)`", at: item.position,
                    help: "the first is at line \(line); the trail and approvals know rules by their names")
            }
            lines[rule.name] = item.position.line
            rules.append(rule)
        }
        return rules
    }

    private mutating func rule(_ node: YAMLNode, _ index: Int) -> Rule? {
        let what = "rules[\(index)]"
        guard let fields = fields(of: node, what, known: ["name", "intent", "when", "decide", "reason", "ask", "rewrite"]) else {
            return nil
        }
        guard let name = ruleName(fields["name"], what, node.position) else { return nil }
        guard let decision = decision(fields["decide"], name, node.position) else { return nil }
        let origin = Origin(profile: profile, file: sink.file, position: node.position, index: index)
        var rule = Rule(
            name: name, intents: .all, conditions: [], count: nil, decision: decision, reason: nil, ask: nil, rewrite: nil,
            origin: origin, text: isForSession ? "" : YAMLFlow.fields(node, without: "name"))
        rule.reason = fields["reason"].flatMap { text($0, "\(what).reason") }
        if let intents = fields["intent"] { rule.intents = self.intents(intents, "\(what).intent") }
        fields["when"].map { when($0, "\(what).when", &rule) }
        terms(fields, what, &rule)
        RuleChecks.check(rule, &sink)
        if fields["intent"] == nil { RuleChecks.checkWithoutIntent(rule, &sink) }
        return rule
    }

    /// Names stand beside those of lists (`files.deny[0]`), and in commands.
    private mutating func ruleName(_ node: YAMLNode?, _ what: String, _ position: Position) -> String? {
        guard let node else {
            sink.error("`\(what)` has no `name`", at: position, help: "for example `name: no-force-push`")
            return nil
        }
        guard let text = text(node, "\(what).name") else { return nil }
        guard Self.isName(text) else {
            sink.error("bad name `\(text)`", at: node.position, help: "letters, digits, `.`, `_` and `-`, at most 64")
            return nil
        }
        return text
    }

    private mutating func decision(_ node: YAMLNode?, _ name: String, _ position: Position) -> Decision? {
        let known = ["deny", "ask", "rewrite", "allow"]
        guard let node else {
            sink.error("the rule `\(name)` does not say what to `decide`", at: position, help: "one of `deny`, `ask`, `rewrite`, `allow`")
            return nil
        }
        guard let text = choice(node, "decide", among: known) else { return nil }
        return Decision.allCases.first { $0.name == text }
    }

    /// One intent, or a list: `git.push`, a family (`git`), a family with a star (`git.*`), or `*`.
    mutating func intents(_ node: YAMLNode, _ what: String) -> IntentSet {
        var set: IntentSet = []
        for (text, position) in texts(node, what) {
            if text == "*" {
                set = .all
            } else if let named = IntentSet(pattern: text) {
                set.formUnion(named)
            } else {
                let families = Set(Intent.allCases.map { String($0.name.prefix { $0 != "." }) }).sorted()
                let nearest = Suggestion.nearest(to: text, among: Intent.allCases.map(\.name) + families)
                sink.error(
                    "unknown intent `\(text)`", at: position,
                    help: nearest.map { "did you mean `\($0)`?" } ?? "`sandbox intents` lists them; the families are "
                        + families.joined(separator: ", "))
            }
        }
        return set
    }

    private mutating func terms(_ fields: [String: YAMLNode], _ what: String, _ rule: inout Rule) {
        if let node = fields["ask"] {
            if rule.decision != .ask {
                sink.error("`ask` has no effect where the rule decides `\(rule.decision.name)`", at: node.position, help: "`decide: ask`")
            }
            rule.ask = ask(node, "\(what).ask")
        } else if rule.decision == .ask {
            rule.ask = AskTerms()
        }
        if let node = fields["rewrite"] {
            if rule.decision != .rewrite {
                sink.error(
                    "`rewrite` has no effect where the rule decides `\(rule.decision.name)`", at: node.position, help: "`decide: rewrite`")
            }
            rule.rewrite = rewrite(node, "\(what).rewrite")
        } else if rule.decision == .rewrite {
            sink.error(
                "the rule `\(rule.name)` does not say what to `rewrite`", at: rule.origin.position,
                help: "for example `rewrite: { replace: { \"--force\": \"--force-with-lease\" } }`")
        }
    }

    private mutating func ask(_ node: YAMLNode, _ what: String) -> AskTerms {
        var terms = AskTerms()
        guard let fields = fields(of: node, what, known: ["approvers", "timeout", "four_eyes", "approvals", "scopes"]) else { return terms }
        if let node = fields["approvers"] { terms.approvers = [approvers(node, "\(what).approvers")] }
        if let node = fields["timeout"] { quantity(node, "\(what).timeout", Quantity.nanoseconds).map { terms.timeout = $0 } }
        if let node = fields["approvals"] {
            let number = quantity(node, "\(what).approvals") { text throws(PatternProblem) in try Quantity.count(text, upTo: 16) }
            terms.approvals = number.map(Int.init) ?? 1
        }
        if let node = fields["four_eyes"], flag(node, "\(what).four_eyes") == true { terms.approvals = max(2, terms.approvals) }
        if let node = fields["scopes"] {
            let known = AskTerms.Scope.allCases.map(\.rawValue)
            terms.scopes = Set(
                texts(node, "\(what).scopes").compactMap { text, position in
                    if let scope = AskTerms.Scope(rawValue: text) { return scope }
                    sink.error("unknown scope `\(text)`", at: position, help: Suggestion.help(for: text, among: known))
                    return nil
                })
        }
        return terms
    }

    /// `user:alice`, `group:ops`, `role:dba`, with globs; a bare `*` is anyone else who may talk to the supervisor.
    private mutating func approvers(_ node: YAMLNode, _ what: String) -> [String] {
        texts(node, what).compactMap { text, position in
            let kinds = ["user:", "group:", "role:", "agent:"]
            guard text == "*" || kinds.contains(where: { text.hasPrefix($0) && text != $0 }) else {
                sink.error("bad approver `\(text)`", at: position, help: "`user:NAME`, `group:NAME` or `role:NAME`")
                return nil
            }
            do throws(PatternProblem) { _ = try Self.glob(text) } catch {
                sink.error(error.message, at: position, help: error.help)
                return nil
            }
            return text
        }
    }

    // MARK: Rewriting

    private mutating func rewrite(_ node: YAMLNode, _ what: String) -> RewriteTerms? {
        let known = ["replace", "remove", "insert", "append", "program", "set", "sql"]
        guard let fields = fields(of: node, what, known: known) else { return nil }
        if fields.isEmpty { sink.error("`\(what)` is empty", at: node.position, help: Suggestion.help(for: "", among: known)) }
        var terms = RewriteTerms()
        if let node = fields["replace"] {
            terms.replace = (pairs(of: node, "\(what).replace") ?? []).compactMap { key, value in
                text(value, "\(what).replace.\(key.text)").map { .init(old: Array(key.text.utf8), new: Array($0.utf8)) }
            }
        }
        if let node = fields["remove"] { terms.remove = patterns(node, "\(what).remove", Self.glob) }
        if let node = fields["insert"] { terms.insert = insertion(node, "\(what).insert") }
        if let node = fields["append"] { terms.append = texts(node, "\(what).append").map { Array($0.0.utf8) } }
        if let node = fields["program"] { terms.program = text(node, "\(what).program").map { Array($0.utf8) } }
        if let node = fields["set"] { terms.set = variables(node, "\(what).set") }
        if let node = fields["sql"] { terms.sql = sqlChange(node, "\(what).sql") }
        return terms
    }

    private mutating func insertion(_ node: YAMLNode, _ what: String) -> RewriteTerms.Insertion? {
        guard case .mapping = node.value else {
            return .init(after: nil, arguments: texts(node, what).map { Array($0.0.utf8) })
        }
        guard let fields = fields(of: node, what, known: ["after", "arguments"]) else { return nil }
        guard let arguments = fields["arguments"] else {
            sink.error("`\(what)` has no `arguments`", at: node.position, help: "`{ after: push, arguments: [--dry-run] }`")
            return nil
        }
        let after = fields["after"].flatMap { text($0, "\(what).after") }.map { Array($0.utf8) }
        return .init(after: after, arguments: texts(arguments, "\(what).arguments").map { Array($0.0.utf8) })
    }

    private mutating func variables(_ node: YAMLNode, _ what: String) -> [EnvironmentVariable] {
        (pairs(of: node, what) ?? []).compactMap { key, value in
            guard let text = text(value, "\(what).\(key.text)") else { return nil }
            if key.text.isEmpty || key.text.contains("=") || key.text.utf8.contains(0) || text.utf8.contains(0) {
                sink.error("bad variable `\(key.text)`", at: key.position, help: "a name without `=`, and no NUL in either")
            }
            return EnvironmentVariable(name: Array(key.text.utf8), value: Array(text.utf8))
        }
    }

    private mutating func sqlChange(_ node: YAMLNode, _ what: String) -> SQLChange? {
        guard let fields = fields(of: node, what, known: ["drop_to_trash", "limit"]) else { return nil }
        var change = SQLChange()
        if let node = fields["drop_to_trash"], let schema = text(node, "\(what).drop_to_trash") {
            let isPlain = schema.utf8.allSatisfy { $0 == UInt8(ascii: "_") || (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) }
            if !isPlain || schema.isEmpty || schema.utf8.count > 63 {
                sink.error("bad schema `\(schema)`", at: node.position, help: "lower-case letters, digits and `_`, at most 63")
            }
            change.trashSchema = schema
        }
        if let node = fields["limit"] {
            change.limit = quantity(node, "\(what).limit") { text throws(PatternProblem) in try Quantity.count(text, upTo: 1 << 40) }
        }
        return change
    }
}
