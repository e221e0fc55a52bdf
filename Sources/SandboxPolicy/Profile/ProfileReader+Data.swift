internal import SandboxModel
internal import SandboxYAML

/// `data` and `tests`.
extension ProfileReader {
    mutating func data(_ node: YAMLNode) -> [DataClass] {
        var classes: [DataClass] = []
        for (key, value) in pairs(of: node, "data") ?? [] {
            guard Self.isName(key.text) else {
                sink.error("bad name `\(key.text)`", at: key.position, help: "letters, digits, `.`, `_` and `-`, at most 64")
                continue
            }
            let what = "data.\(key.text)"
            guard let fields = fields(of: value, what, known: ["files", "tables", "content"]) else { continue }
            if fields.isEmpty { sink.error("`\(what)` names nothing", at: value.position, help: "`{ files: [\"/data/**\"] }`") }
            classes.append(
                DataClass(
                    name: key.text, files: fields["files"].map { entries($0, "\(what).files", key: "path", PathPattern.parse) } ?? [],
                    tables: fields["tables"].map { entries($0, "\(what).tables", key: "table", TablePattern.parse) } ?? [],
                    content: fields["content"].flatMap { content($0, "\(what).content") }.map { [$0] } ?? []))
        }
        if classes.count > DataClass.most { sink.error("more than \(DataClass.most) classes of data", at: node.position) }
        return classes
    }

    private mutating func content(_ node: YAMLNode, _ what: String) -> ContentTerms? {
        guard let fields = fields(of: node, what, known: ["in"] + ContentKind.allCases.map(\.name)) else { return nil }
        var counts: [ContentKind: UInt64] = [:]
        for kind in ContentKind.allCases {
            guard let node = fields[kind.name] else { continue }
            counts[kind] = quantity(node, "\(what).\(kind.name)") { text throws(PatternProblem) in try Quantity.count(text, upTo: 65_536) }
        }
        guard let place = fields["in"], !counts.isEmpty else {
            sink.error("`\(what)` says nothing", at: node.position, help: "`{ in: [\"/data/inbox/**\"], card_number: 1, email: 20 }`")
            return nil
        }
        return ContentTerms(folders: entries(place, "\(what).in", key: "path", PathPattern.parse), counts: counts)
    }

    mutating func releases(_ node: YAMLNode) -> [Release] {
        guard let items = list(node, "releases") else { return [] }
        return items.enumerated().compactMap { i, item in
            let what = "releases[\(i)]"
            guard let fields = fields(of: item, what, known: ["program", "classes", "sha256", "reason"]) else { return nil }
            guard let program = fields["program"], let text = text(program, "\(what).program"), let names = fields["classes"] else {
                sink.error("`\(what)` needs `program` and `classes`", at: item.position)
                return nil
            }
            do throws(PatternProblem) {
                let pattern = try PathPattern.parse(text)
                let origin = Origin(profile: profile, file: sink.file, position: program.position, index: i)
                let entry = Entry(
                    value: pattern, text: text, reason: fields["reason"].flatMap { self.text($0, "\(what).reason") }, origin: origin)
                var release = Release(program: entry, classes: texts(names, "\(what).classes").map(\.0))
                release.sha256 = fields["sha256"].flatMap { hash($0, "\(what).sha256") }
                return release
            } catch {
                sink.error(error.message, at: program.position, help: error.help)
                return nil
            }
        }
    }

    private mutating func hash(_ node: YAMLNode, _ what: String) -> String? {
        guard let text = text(node, what)?.lowercased() else { return nil }
        guard text.utf8.count == 64, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else {
            sink.error("`\(what)` is no SHA-256", at: node.position, help: "64 hexadecimal digits, as `sha256sum` prints them")
            return String(repeating: "-", count: 64)
        }
        return text
    }

    mutating func tests(_ node: YAMLNode) -> [ProfileTest] {
        guard let items = list(node, "tests") else { return [] }
        return items.enumerated().compactMap { test($1, $0) }
    }

    private static let subjects = ["run", "read", "write", "delete", "connect", "sql"]
    private static let around = [
        "dialect", "expect", "to", "intent", "intent_not", "rule", "as", "group", "role", "subagent", "purpose", "carries", "times",
    ]

    private mutating func test(_ node: YAMLNode, _ index: Int) -> ProfileTest? {
        let what = "tests[\(index)]"
        guard let fields = fields(of: node, what, known: Self.subjects + Self.around) else { return nil }
        guard let subject = subject(fields, what, node.position) else { return nil }
        let origin = Origin(profile: profile, file: sink.file, position: node.position, index: index)
        var test = ProfileTest(
            subject: subject, intents: [], intentsNot: [], groups: [], roles: [], carries: [], times: 1, origin: origin,
            text: YAMLFlow.text(node))
        if let node = fields["expect"], let text = choice(node, "\(what).expect", among: ["allow", "rewrite", "ask", "deny"]) {
            test.expect = Decision.allCases.first { $0.name == text }
        }
        if let node = fields["to"] { test.to = texts(node, "\(what).to").map(\.0) }
        if let node = fields["intent"] { test.intents = intents(node, "\(what).intent") }
        if let node = fields["intent_not"] { test.intentsNot = intents(node, "\(what).intent_not") }
        test.rule = fields["rule"].flatMap { text($0, "\(what).rule") }
        test.identity = fields["as"].flatMap { text($0, "\(what).as") }
        if let node = fields["group"] { test.groups = texts(node, "\(what).group").map(\.0) }
        if let node = fields["role"] { test.roles = texts(node, "\(what).role").map(\.0) }
        test.subagent = fields["subagent"].flatMap { text($0, "\(what).subagent") }
        test.purpose = fields["purpose"].flatMap { text($0, "\(what).purpose") }
        if let node = fields["carries"] { test.carries = texts(node, "\(what).carries").map(\.0) }
        if let node = fields["times"] {
            let number = quantity(node, "\(what).times") { text throws(PatternProblem) in
                try Quantity.count(text, upTo: CountCondition.most)
            }
            test.times = number.map(Int.init) ?? 1
        }
        if test.expect == nil, test.to == nil, test.intents.isEmpty, test.intentsNot.isEmpty, test.rule == nil {
            sink.error("`\(what)` expects nothing", at: node.position, help: "`expect: deny`, or `intent: …`")
        }
        return test
    }

    private mutating func subject(_ fields: [String: YAMLNode], _ what: String, _ position: Position) -> ProfileTest.Subject? {
        let given = Self.subjects.filter { fields[$0] != nil }
        guard given.count == 1, let key = given.first, let node = fields[key] else {
            sink.error(
                given.isEmpty ? "`\(what)` does nothing" : "`\(what)` does more than one thing", at: position,
                help: "one of " + Self.subjects.map { "`\($0)`" }.joined(separator: ", "))
            return nil
        }
        if let dialect = fields["dialect"], key != "sql" { sink.error("`dialect` is for `sql`", at: dialect.position) }
        if key == "run" {
            let words = texts(node, "\(what).run").map(\.0)
            return words.isEmpty ? nil : .run(words)
        }
        guard let text = text(node, "\(what).\(key)") else { return nil }
        switch key {
        case "read": return .read(text)
        case "write": return .write(text)
        case "delete": return .delete(text)
        case "connect": return .connect(text)
        default:
            let known = ["postgres", "mysql", "sqlite", "redis"]
            let dialect = fields["dialect"].flatMap { choice($0, "\(what).dialect", among: known) }
            return .sql(text, dialect: dialect ?? "postgres")
        }
    }
}
