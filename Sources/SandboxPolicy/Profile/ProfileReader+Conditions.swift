internal import SandboxModel
internal import SandboxYAML

/// `when`.
extension ProfileReader {
    mutating func when(_ node: YAMLNode, _ what: String, _ rule: inout Rule) {
        guard
            let fields = fields(of: node, what, known: ConditionKey.names + ConditionKey.counting + ConditionKey.names.map { $0 + "_not" })
        else { return }
        if let node = fields["subagent_not"] {
            sink.error(
                "`\(what).subagent_not`: a name would gain something by it", at: node.position,
                help: "whoever wants it gives himself the name; say what sub-agents of a name lose, with `subagent`")
        }
        for key in ConditionKey.allCases {
            if let node = fields[key.rawValue] { condition(node, key, false, what).map { rule.conditions.append($0) } }
            if key.isNegatable, let node = fields[key.rawValue + "_not"] {
                condition(node, key, true, what).map { rule.conditions.append($0) }
            }
        }
        rule.count = count(fields, what)
    }

    private mutating func condition(_ node: YAMLNode, _ key: ConditionKey, _ isNegated: Bool, _ what: String) -> Condition? {
        let name = "\(what).\(key.rawValue)" + (isNegated ? "_not" : "")
        let before = sink.found.count
        let test = test(node, key, name)
        guard sink.found.count == before else { return nil }
        return Condition(key: key, isNegated: isNegated, test: test, text: isForSession ? "" : YAMLFlow.text(node), position: node.position)
    }

    private mutating func test(_ node: YAMLNode, _ key: ConditionKey, _ name: String) -> Condition.Test {
        switch key {
        case .path, .path_to: .paths(patterns(node, name, PathPattern.parse).flatMap { $0 })
        case .program, .parent, .since_exec_of: .programs(patterns(node, name, Self.program))
        case .table: .tables(patterns(node, name, TablePattern.parse))
        case .args, .database, .identity, .role, .group, .subagent, .purpose: .texts(patterns(node, name, Self.glob))
        case .host: .targets(patterns(node, name, Self.host))
        case .port: .ports(patterns(node, name) { text throws(PatternProblem) in try NetworkTarget.portRange(text) })
        case .carries: .classes(texts(node, name).map(\.0))
        case .mode: .modes(choices(node, name, among: Mode.allCases.map(\.rawValue)).compactMap(Mode.init))
        case .terminal: .flags(choices(node, name, among: ["true", "false"]).map { $0 == "true" })
        case .time_of_day: .times(patterns(node, name, Self.daySpan))
        }
    }

    private static func host(_ text: String) throws(PatternProblem) -> NetworkTarget {
        if text.hasPrefix("unix:") {
            throw PatternProblem("`\(text)` is not a host", help: "a socket in a folder is a `path`, with the intent `net.local_socket`")
        }
        let target = try NetworkTarget.parse(text)
        guard target.transport == nil, target.ports == 0...UInt16.max else {
            throw PatternProblem("`\(text)` names more than a host", help: "write the port as `port`")
        }
        if case .nameservers = target.peer { throw PatternProblem("`\(text)` cannot be a condition", help: "use the intent `net.dns`") }
        return target
    }

    /// `22:00-06:00`, UTC.
    private static func daySpan(_ text: String) throws(PatternProblem) -> DaySpan {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map(second)
        guard parts.count == 2, let start = parts[0], let end = parts[1] else {
            throw PatternProblem("bad time of day `\(text)`", help: "`22:00-06:00`, in UTC")
        }
        guard start != end, start < 86_400 else { throw PatternProblem("`\(text)` can never match: it ends where it begins") }
        return DaySpan(start: start, end: end)
    }

    private static func second(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].utf8.count == 2, (1...2).contains(parts[0].utf8.count),
            text.utf8.allSatisfy({ (0x30...0x3a).contains($0) }),
            let hour = UInt32(parts[0]), let minute = UInt32(parts[1]), minute < 60, hour * 60 + minute <= 1440
        else { return nil }
        return (hour * 60 + minute) * 60
    }

    private mutating func count(_ fields: [String: YAMLNode], _ what: String) -> CountCondition? {
        let within = fields["within"], per = fields["per"]
        guard let node = fields["count"] else {
            for (name, node) in [("within", within), ("per", per)] {
                guard let node else { continue }
                sink.error("`\(name)` says nothing without `count`", at: node.position, help: "`count: \"> 50\", within: 10s`")
            }
            return nil
        }
        let scope = per.flatMap { choice($0, "\(what).per", among: CountCondition.Scope.allCases.map(\.rawValue)) }
        guard let text = text(node, "\(what).count") else { return nil }
        let time = within.flatMap { quantity($0, "\(what).within", Quantity.nanoseconds) }
        let isMore = text.hasPrefix(">") && !text.hasPrefix(">=")
        let number = text.drop { $0 == ">" || $0 == "=" }.drop { $0 == " " }
        guard text.hasPrefix(">"), let threshold = UInt64(number), number.first != "+", threshold < CountCondition.most else {
            sink.error(
                "bad count `\(text)`", at: node.position,
                help: UInt64(text).map { "did you mean `\"> \($0)\"`?" } ?? "`\"> 50\"` or `\">= 50\"`, below \(CountCondition.most)")
            return nil
        }
        let said = text + (within.map { " within " + YAMLFlow.text($0) } ?? "") + (scope.map { " per " + $0 } ?? "")
        guard isMore || threshold > 0 else {
            sink.error("`count: \"\(text)\"` is always met", at: node.position, help: "take it out")
            return nil
        }
        return CountCondition(
            scope: scope.flatMap(CountCondition.Scope.init) ?? .session, threshold: Int(threshold) + (isMore ? 1 : 0), within: time,
            text: said)
    }

    // MARK: Values

    /// A list, or one value.
    mutating func texts(_ node: YAMLNode, _ what: String) -> [(String, Position)] {
        switch node.value {
        case .scalar(let text) where !text.isEmpty: return [(text, node.position)]
        case .sequence(let items) where !items.isEmpty && items.count <= Self.maximumEntries:
            return items.compactMap { item in text(item, what).map { ($0, item.position) } }
        case .sequence(let items):
            let isEmpty = items.isEmpty
            sink.error(isEmpty ? "`\(what)` is an empty list" : "`\(what)` has more than \(Self.maximumEntries) entries", at: node.position)
        case .scalar: sink.error("`\(what)` is empty", at: node.position)
        case .mapping: sink.error("`\(what)` must be text or a list, not a mapping", at: node.position)
        }
        return []
    }

    mutating func patterns<Value>(
        _ node: YAMLNode, _ what: String, _ parse: (String) throws(PatternProblem) -> Value
    ) -> [Value] {
        var values: [Value] = []
        for (text, position) in texts(node, what) {
            do throws(PatternProblem) {
                let value = try parse(text)
                patternBudget -= Self.patterns(value)
                guard patternBudget >= 0 else {
                    sink.error("more than \(Self.maximumPatterns) patterns, each alternative in braces counted", at: position)
                    return []
                }
                values.append(value)
            } catch {
                sink.error(error.message, at: position, help: error.help)
            }
        }
        return values
    }

    private mutating func choices(_ node: YAMLNode, _ what: String, among known: [String]) -> [String] {
        var found: [String] = []
        for (text, position) in texts(node, what) {
            if known.contains(text) {
                found.append(text)
            } else {
                sink.error("bad value `\(text)` for `\(what)`", at: position, help: Suggestion.help(for: text, among: known))
            }
        }
        return found
    }

    mutating func flag(_ node: YAMLNode, _ what: String) -> Bool? {
        choice(node, what, among: ["true", "false"]).map { $0 == "true" }
    }

    mutating func list(_ node: YAMLNode, _ what: String) -> [YAMLNode]? {
        guard case .sequence(let items) = node.value, items.count <= Self.maximumEntries else {
            sink.error("`\(what)` must be a list of at most \(Self.maximumEntries), not \(node.kind)", at: node.position)
            return nil
        }
        return items
    }
}
