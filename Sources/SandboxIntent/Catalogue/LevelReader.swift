internal import SandboxModel
internal import SandboxYAML

/// Reads one program with all of its subcommands.
struct LevelReader {
    var sink: DiagnosticSink
    let file: String
    private(set) var examples: [CatalogueExample] = []
    private(set) var entries: [(name: String, file: String, meanings: [(intents: [String], when: String)])] = []
    private(set) var isReplaced = false
    private var programName = ""

    private static let keys = [
        "parse", "stop", "options", "harmless", "commands", "means", "hosts", "port", "database", "statements", "run", "files", "examples",
    ]
    private static let programKeys = keys + ["multicall", "replace", "system"]
    private static let maximumDepth = 6

    init(sink: DiagnosticSink, file: String) {
        self.sink = sink
        self.file = file
    }

    mutating func program(_ node: YAMLNode, _ name: String) -> Catalogue.Program {
        programName = name
        var multicall: [UInt8]?
        if case .mapping = node.value, let fields = sink.fields(of: node, "`\(name)`", known: Self.programKeys) {
            multicall = fields["multicall"].flatMap { sink.text($0, "multicall") }.map { Array($0.utf8) }
            isReplaced = fields["replace"].flatMap { choice($0, "replace", among: ["true", "false"]) } == "true"
            let isSystem = fields["system"].flatMap { choice($0, "system", among: ["true", "false"]) } == "true"
            return Catalogue.Program(
                level: level(fields, LevelDraft(name: name), depth: 0), multicall: multicall, isSystem: isSystem)
        }
        return Catalogue.Program(level: brief(node, LevelDraft(name: name)), multicall: nil)
    }

    /// `rm: cloud.delete` says no more than that.
    private mutating func brief(_ node: YAMLNode, _ draft: LevelDraft) -> Level {
        var draft = draft
        means(node, &draft)
        return Level(draft)
    }

    private mutating func level(_ fields: [String: YAMLNode], _ draft: LevelDraft, depth: Int) -> Level {
        var draft = draft
        for word in words(fields["parse"], "parse") {
            if let style = Style.names.first(where: { $0.0 == word.text })?.1 {
                draft.style.insert(style)
            } else {
                complain(word, "no way of parsing", among: Style.names.map(\.0))
            }
        }
        fields["stop"].map { draft.stop = number($0, "stop") }
        options(fields["options"], &draft)
        draft.harmless = words(fields["harmless"], "harmless").compactMap { test($0, draft) }
        fields["means"].map { means($0, &draft) }
        for (key, value) in fields["hosts"].flatMap({ sink.pairs(of: $0, "hosts") }) ?? [] {
            guard let shape = HostShape(rawValue: key.text) else {
                complain((key.text, key.position), "no shape of a host", among: HostShape.allCases.map(\.rawValue))
                continue
            }
            draft.hosts.append((shape, places(value, "hosts", draft)))
        }
        draft.ports = places(fields["port"], "port", draft)
        draft.databases = places(fields["database"], "database", draft)
        for node in list(fields["statements"]) { statement(node, &draft) }
        for node in list(fields["run"]) { nested(node, &draft) }
        for node in list(fields["files"]) { touched(node, &draft) }
        for (key, value) in fields["commands"].flatMap({ sink.pairs(of: $0, "commands") }) ?? [] {
            command(key, value, &draft, depth: depth)
        }
        for (key, value) in fields["examples"].flatMap({ sink.pairs(of: $0, "examples") }) ?? [] {
            guard let expected = sink.text(value, "examples") else { continue }
            examples.append(
                CatalogueExample(line: key.text, expected: expected, program: programName, file: file, position: key.position))
        }
        return Level(draft)
    }

    private mutating func command(_ key: DiagnosticSink.Key, _ node: YAMLNode, _ draft: inout LevelDraft, depth: Int) {
        guard depth < Self.maximumDepth else { return sink.error("subcommands of subcommands, too deep", at: key.position) }
        let names = Self.split(key.text)
        var inner = LevelDraft(name: draft.name + (names.first.map { " " + $0 } ?? ""))
        inner.style = draft.style.subtracting([.ownOptions, .assignments, .bundleFirst])
        inner.optionCount = draft.optionCount
        if !draft.style.contains(.ownOptions) { inner.options = draft.options }
        let command: Level.Command
        if case .scalar("again") = node.value {
            command = .again
        } else if case .mapping = node.value, let fields = sink.fields(of: node, "`\(inner.name)`", known: Self.keys) {
            command = .level(level(fields, inner, depth: depth + 1))
        } else {
            command = .level(brief(node, inner))
        }
        if names.isEmpty, case .level(let level) = command { draft.bare = level }
        for name in names {
            if name.utf8.contains(UInt8(ascii: "*")) {
                draft.globs.append((Self.glob(name), command))
            } else {
                draft.commands.append((Array(name.utf8), command))
            }
        }
    }

    // MARK: What it means

    private mutating func means(_ node: YAMLNode, _ draft: inout LevelDraft) {
        var told: [(intents: [String], when: String)] = []
        if case .scalar = node.value {
            let intents = intents(sink.text(node, "means") ?? "", node.position)
            draft.means.append(Meaning(intents: intents, condition: Criterion(lines: [])))
            told.append((intents.map(\.name), "always"))
        } else {
            for (key, value) in sink.pairs(of: node, "means") ?? [] {
                let intents = intents(key.text, key.position)
                let (condition, text) = condition(value, "means", draft)
                draft.means.append(Meaning(intents: intents, condition: condition))
                told.append((intents.map(\.name), text))
            }
        }
        entries.append((draft.name, file, told))
    }

    private mutating func intents(_ text: String, _ position: Position) -> [Intent] {
        Self.split(text).compactMap { name in
            if let intent = Intent(name: name) { return intent }
            complain((name, position), "no intent", among: Intent.allCases.map(\.name))
            return nil
        }
    }

    /// `-f --mirror and not -n`, or a list of such lines; `always`.
    private mutating func condition(_ node: YAMLNode, _ what: String, _ draft: LevelDraft) -> (Criterion, String) {
        var lines: [[Criterion.Clause]] = []
        var told: [String] = []
        for item in list(node) {
            guard let text = sink.text(item, what) else { continue }
            told.append(text)
            if text == "always" { return (Criterion(lines: []), text) }
            lines.append(line(text, item.position, draft))
        }
        if lines.isEmpty { sink.error("`\(what)` has no condition", at: node.position, help: "`always`, or options and operands") }
        return (Criterion(lines: lines), told.joined(separator: ", or "))
    }

    private mutating func line(_ text: String, _ position: Position, _ draft: LevelDraft) -> [Criterion.Clause] {
        var clauses: [Criterion.Clause] = []
        for part in Self.split(text).split(separator: "and") {
            let isNegated = part.first == "not"
            let words = part.dropFirst(isNegated ? 1 : 0)
            let tests = words.compactMap { test(($0, position), draft) }
            if words.isEmpty { sink.error("`\(text)` has an empty part", at: position) }
            clauses.append(Criterion.Clause(isNegated: isNegated, tests: tests))
        }
        return clauses
    }

    private mutating func test(_ word: Word, _ draft: LevelDraft) -> Test? {
        let text = word.text, isAnyCase = draft.style.contains(.anyCase)
        func glob(_ text: String) -> ByteGlob { Self.glob(isAnyCase ? text.lowercased() : text) }
        let parts = text.utf8.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false).map {
            String(Substring($0))
        }
        let kind: Test.Kind
        if text == "--" {
            kind = .afterDashes
        } else if text.hasPrefix("$"), text.utf8.count > 1 {
            kind = .assigned(Self.glob(String(text.dropFirst())))
        } else if text.hasPrefix("-"), text != "-" {
            guard let option = option(parts[0], word.position, draft) else { return nil }
            kind = parts.count == 1 ? .option(option) : .value(option, glob(parts[1]))
        } else if parts.count == 2, let n = Int(parts[0]), n > 0 {
            kind = .operand(n, glob(parts[1]))
        } else if parts.count == 2, parts[0] == "last" {
            kind = .lastOperand(glob(parts[1]))
        } else if let place = text.hasSuffix("@remote") ? text.dropLast("@remote".count) : nil, place == "last" || Int(place) ?? 0 > 0 {
            kind = Int(place).map { .remoteOperand($0) } ?? .remoteLast
        } else if text.hasSuffix("+"), let n = Int(text.dropLast()), n > 0 {
            kind = .operandCount(n)
        } else {
            kind = .anyOperand(glob(text))
        }
        return Test(kind: kind, text: text, isAnyCase: isAnyCase)
    }

    // MARK: Options and places

    /// `-f --force, -C=, --color=?`: names of one option with blanks, options with commas between them.
    private mutating func options(_ node: YAMLNode?, _ draft: inout LevelDraft) {
        guard let node else { return }
        var entries = draft.options.names.entries
        defer { draft.options = OptionTable(entries) }
        for item in list(node) {
            for group in (sink.text(item, "options") ?? "").utf8.split(separator: UInt8(ascii: ",")) {
                guard draft.optionCount < Option.maximumCount else {
                    return sink.error("more than \(Option.maximumCount) options on one command line", at: item.position)
                }
                let (names, argument) = oneOption(group, item.position)
                entries += names.map { ($0, Option(id: draft.optionCount, argument: argument)) }
                draft.optionCount += 1
            }
        }
    }

    /// `-f --force`; what follows an `=` holds for all the names.
    private mutating func oneOption(_ text: Substring.UTF8View, _ position: Position) -> (names: [[UInt8]], argument: Option.Argument) {
        var argument = Option.Argument.none
        var names: [[UInt8]] = []
        for word in text.split(separator: UInt8(ascii: " ")) {
            let name = Array(word.prefix { $0 != UInt8(ascii: "=") })
            guard name.count > 1, name[0] == UInt8(ascii: "-") else {
                sink.error(
                    "`\(Substring(word))` is no option", at: position, help: "options begin with `-`, and commas part them")
                continue
            }
            names.append(name)
            guard name.count < word.count else { continue }
            switch Array(word.dropFirst(name.count + 1)) {
            case []: argument = .required
            case [UInt8(ascii: "?")]: argument = .attached
            case [UInt8(ascii: "!")]: argument = .last
            case [UInt8(ascii: ";")]: argument = .command
            case [UInt8(ascii: "2")]: argument = .several(2)
            case [UInt8(ascii: "3")]: argument = .several(3)
            default: sink.error("`\(Substring(word))`: after `=` comes nothing, `?`, `!`, `;`, `2` or `3`", at: position)
            }
        }
        return (names, argument)
    }

    private mutating func option(_ name: String, _ position: Position, _ draft: LevelDraft) -> Int? {
        if let option = draft.options.names[Array(name.utf8)[...]] { return option.id }
        complain((name, position), "no option", among: draft.options.names.entries.map { String(decoding: $0.name, as: UTF8.self) })
        return nil
    }

    private mutating func places(_ node: YAMLNode?, _ what: String, _ draft: LevelDraft) -> [Place] {
        words(node, what).compactMap { place($0, draft) }
    }

    private mutating func place(_ word: Word, _ draft: LevelDraft) -> Place? {
        switch word.text {
        case "--": return .afterDashes
        case "last": return .last
        case let text where text.hasPrefix("$") && text.utf8.count > 1: return .assigned(Self.glob(String(text.dropFirst())))
        case let text where text.utf8.contains(UInt8(ascii: "~")):
            let parts = text.utf8.split(separator: UInt8(ascii: "~"), maxSplits: 1, omittingEmptySubsequences: false)
            let whole = place((String(Substring(parts[0])), word.position), draft)
            return whole.map { .after($0, parts[1].map(Scan.lower)) }
        case let text where text.hasPrefix("-") && text.hasSuffix("="):
            let parts = text.dropLast().utf8.split(separator: UInt8(ascii: "="), maxSplits: 1).map { String(Substring($0)) }
            guard parts.count == 2, let option = option(parts[0], word.position, draft) else { return nil }
            let isAnyCase = draft.style.contains(.anyCase)
            return .setting(option, Self.glob(isAnyCase ? parts[1].lowercased() : parts[1]), isAnyCase: isAnyCase)
        case let text where text.hasPrefix("-"): return option(text, word.position, draft).map { .option($0) }
        case let text where text.hasSuffix("+") && Int(text.dropLast()) ?? 0 > 0: return .operandsFrom(Int(text.dropLast()) ?? 1)
        case let text where Int(text) ?? 0 > 0: return .operand(Int(text) ?? 1)
        default:
            complain(word, "no place", among: ["1", "2", "1+", "2+", "last", "--"])
            return nil
        }
    }

    // MARK: SQL and other programs

    private mutating func statement(_ node: YAMLNode, _ draft: inout LevelDraft) {
        guard let fields = sink.fields(of: node, "statements", known: ["dialect", "text", "file", "stdin"]) else { return }
        let known = SQLDialect.allCases.map(\.rawValue)
        guard let name = fields["dialect"].flatMap({ choice($0, "dialect", among: known) }), let dialect = SQLDialect(rawValue: name) else {
            if fields["dialect"] == nil { sink.error("`statements` has no `dialect`", at: node.position) }
            return
        }
        var rule = StatementRule(dialect: dialect)
        rule.text = places(fields["text"], "text", draft)
        rule.file = places(fields["file"], "file", draft)
        rule.standardInput = fields["stdin"].map { condition($0, "stdin", draft).0 }
        draft.statements.append(rule)
    }

    private mutating func touched(_ node: YAMLNode, _ draft: inout LevelDraft) {
        guard let fields = sink.fields(of: node, "files", known: Touch.allCases.map(\.rawValue) + ["when"]) else { return }
        let when = fields["when"].map { condition($0, "when", draft).0 } ?? Criterion(lines: [])
        for touch in Touch.allCases {
            guard let node = fields[touch.rawValue] else { continue }
            draft.files.append(TouchRule(touch: touch, places: places(node, "files", draft), condition: when))
        }
    }

    private mutating func nested(_ node: YAMLNode, _ draft: inout LevelDraft) {
        let texts: [(String, NestedRule.Text, isOpen: Bool)] = [
            ("", .none, false), ("_script", .one, false), ("_text", .joined, false), ("_command", .command, false),
            ("_alone", .alone, false), ("_entry", .entry, false), ("_more", .none, true), ("_text_more", .joined, true),
            ("_lines", .inside(.lines), false), ("_awk", .inside(.awk), false), ("_sed", .inside(.sed), false),
        ]
        let kinds = NestedRule.Kind.allCases.flatMap { kind in texts.map { kind.rawValue + $0.0 } }
        guard let fields = sink.fields(of: node, "run", known: kinds + ["when", "input", "remote_input"]) else { return }
        fields["input"].map { draft.runsInput = condition($0, "input", draft).0 }
        fields["remote_input"].map { draft.feedsShellElsewhere = condition($0, "remote_input", draft).0 }
        let when = fields["when"].map { condition($0, "when", draft).0 } ?? Criterion(lines: [])
        for kind in NestedRule.Kind.allCases {
            for (suffix, text, isOpen) in texts {
                guard let node = fields[kind.rawValue + suffix] else { continue }
                let places = places(node, "run", draft)
                draft.nested.append(NestedRule(kind: kind, text: text, isOpen: isOpen, places: places, condition: when))
            }
        }
    }
}
