internal import SandboxModel
internal import SandboxYAML

/// The parts that sections are read with.
extension ProfileReader {
    typealias Key = DiagnosticSink.Key
    /// More entries than this in one list is not a profile; rule ids are 16 bits wide.
    static let maximumEntries = 8_192
    /// Braces make many patterns of few bytes; this bounds the memory that one file can ask for.
    static let maximumPatterns = 50_000

    /// The fields of a mapping with known keys; the rest are errors, each with the nearest known key.
    mutating func fields(of node: YAMLNode, _ what: String, known: [String]) -> [String: YAMLNode]? {
        sink.fields(of: node, what, known: known)
    }

    mutating func pairs(of node: YAMLNode, _ what: String) -> [(key: Key, value: YAMLNode)]? { sink.pairs(of: node, what) }

    mutating func text(_ node: YAMLNode, _ what: String) -> String? { sink.text(node, what) }

    mutating func choice(_ node: YAMLNode, _ what: String, among known: [String]) -> String? {
        guard let text = text(node, what) else { return nil }
        guard known.contains(text) else {
            sink.error("bad value `\(text)` for `\(what)`", at: node.position, help: Suggestion.help(for: text, among: known))
            return nil
        }
        return text
    }

    mutating func verdict(_ node: YAMLNode, _ what: String) -> Decision? {
        choice(node, what, among: ["allow", "deny"]).map { $0 == "allow" ? .allow : .deny }
    }

    mutating func quantity(
        _ node: YAMLNode, _ what: String, _ parse: (String) throws(PatternProblem) -> UInt64
    ) -> UInt64? {
        guard let text = text(node, what) else { return nil }
        do throws(PatternProblem) {
            return try parse(text)
        } catch {
            sink.error(error.message + " for `\(what)`", at: node.position, help: error.help)
            return nil
        }
    }

    /// A list whose entries are plain text, or mappings of `key` and `reason`.
    mutating func entries<Value>(
        _ node: YAMLNode, _ what: String, key: String, _ parse: (String) throws(PatternProblem) -> Value
    ) -> [Entry<Value>] {
        guard case .sequence(let items) = node.value else {
            sink.error(
                "`\(what)` must be a list, not \(node.kind)", at: node.position,
                help: "for example `\(what.split(separator: ".").last ?? ""): [\"…\"]`")
            return []
        }
        guard items.count <= Self.maximumEntries else {
            sink.error("`\(what)` has more than \(Self.maximumEntries) entries", at: node.position)
            return []
        }
        var entries: [Entry<Value>] = []
        for (i, item) in items.enumerated() {
            guard let (text, reason) = entry(item, i, of: what, key: key) else { continue }
            do throws(PatternProblem) {
                let origin = Origin(profile: profile, file: sink.file, position: item.position, index: i)
                let value = try parse(text)
                patternBudget -= Self.patterns(value)
                guard patternBudget >= 0 else {
                    sink.error("more than \(Self.maximumPatterns) patterns, each alternative in braces counted", at: item.position)
                    return []
                }
                entries.append(Entry(value: value, text: text, reason: reason, origin: origin))
            } catch {
                sink.error(error.message, at: item.position, help: error.help)
            }
        }
        return entries
    }

    static func patterns<Value>(_ value: Value) -> Int {
        switch value {
        case let patterns as [PathPattern]: patterns.count
        case ProgramPattern.path(let patterns) as ProgramPattern: patterns.count
        case let target as NetworkTarget:
            if case .unixPath(let patterns) = target.peer { patterns.count } else { 1 }
        default: 1
        }
    }

    private mutating func entry(
        _ node: YAMLNode, _ index: Int, of list: String, key: String
    ) -> (text: String, reason: String?)? {
        if case .scalar(let text) = node.value, !text.isEmpty { return (text, nil) }
        let what = "\(list)[\(index)]"
        if case .scalar = node.value {
            sink.error("`\(what)` is empty", at: node.position)
            return nil
        }
        guard let fields = fields(of: node, what, known: [key, "reason"]) else { return nil }
        guard let value = fields[key] else {
            sink.error("`\(what)` has no `\(key)`", at: node.position, help: "`{ \(key): …, reason: … }`")
            return nil
        }
        guard let text = text(value, "\(what).\(key)") else { return nil }
        return (text, fields["reason"].flatMap { self.text($0, "\(what).reason") })
    }

    static func glob(_ text: String) throws(PatternProblem) -> Glob {
        guard !text.isEmpty, text.utf8.count <= 1024 else { throw PatternProblem("a pattern has 1 to 1024 bytes") }
        return try Glob(Array(text.utf8)[...])
    }

    static func variable(_ text: String) throws(PatternProblem) -> Glob {
        guard !text.contains("=") else {
            throw PatternProblem(
                "`\(text)` can never match: names of variables hold no `=`",
                help: "values are given in `environment.set`")
        }
        return try glob(text)
    }

    static func program(_ text: String) throws(PatternProblem) -> ProgramPattern {
        if text.contains("/") || text.hasPrefix("~") || text.hasPrefix("${") { return .path(try PathPattern.parse(text)) }
        if text.contains(" ") {
            throw PatternProblem("`\(text)` can never match: a program is named without its arguments")
        }
        return .name(try glob(text))
    }
}
