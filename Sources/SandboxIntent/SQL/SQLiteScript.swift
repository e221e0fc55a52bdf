internal import SandboxModel

/// The input of `sqlite3`: a line that begins with a dot, where no statement is open, is a command.
struct SQLiteScript {
    private let text: [UInt8]
    private let isLast: Bool
    private(set) var state: ScriptState
    /// Up to here everything was complete.
    private(set) var consumed = 0
    private var meaning = ScriptMeaning()
    /// Where the statement that is being read begins.
    private var start: Int?
    private var body = RoutineBody(.sqlite)
    /// The last tokens were `;`, or `; END`: in a trigger's body another `;` ends it, whatever else is open (sqlite3_complete).
    private var ending = 0
    private var session: SQLSession {
        get { state.session }
        set { state.session = newValue }
    }

    init(_ text: [UInt8], _ state: ScriptState, isLast: Bool) {
        self.text = text
        self.state = state
        self.isLast = isLast
    }

    mutating func read() -> ScriptMeaning {
        var scanner = Scanner(text, .sqlite)
        while let token = scanner.next() {
            let at = token.range.lowerBound
            // A dot counts only where nothing is open
            if start == nil, text[at] == UInt8(ascii: "."), at == 0 ? state.isAtLineStart : text[at - 1] == 0x0a {
                let line = text.line(from: at)
                if !isLast, line.upperBound == text.count { return meaning }
                command(line)
                consumed = line.upperBound
                scanner = Scanner(text, .sqlite, range: consumed..<text.count)
                continue
            }
            take(token)
        }
        guard isLast else { return meaning }
        // A string without an end has none of its tokens behind it
        if start != nil || scanner.isDoubtful { statement((start ?? consumed)..<text.count) }
        return meaning
    }

    private mutating func take(_ token: Token) {
        let isEnd = token.kind == .symbol && text[token.range.lowerBound] == UInt8(ascii: ";")
        if isEnd, !body.isOpen || ending == 2 {
            if let start { statement(start..<token.range.lowerBound) }
            consumed = token.range.upperBound
            return
        }
        ending = isEnd ? 1 : ending == 1 && text.isWord("END", in: token.range) ? 2 : 0
        start = start ?? token.range.lowerBound
        body.take(token, of: text)
    }

    private mutating func statement(_ range: Range<Int>) {
        var reader = TokenReader(text, .sqlite, session: session)
        meaning.statements.append(reader.statement(range))
        session = reader.session
        start = nil
        body = RoutineBody(.sqlite)
        ending = 0
    }

    private mutating func command(_ line: Range<Int>) {
        let words = text.commandWords(line)
        guard let first = words.first else { return }
        let name = String(decoding: first.dropFirst(), as: UTF8.self).lowercased()
        let arguments = Array(words.dropFirst())
        let plain = arguments.filter { $0.first != UInt8(ascii: "-") }
        // A command may be cut short as far as it stays its own
        func means(_ full: String, _ least: Int = 2) -> Bool { name.count >= least && full.hasPrefix(name) }
        if means("shell", 2) || means("system", 2) {
            meaning.runs(arguments.joined(by: 0x20), ".\(name) runs a program")
        } else if means("read", 3) {
            if plain.first?.first == UInt8(ascii: "|") {
                meaning.runs(Array(plain.joined(by: 0x20).dropFirst()), ".read | runs a program")
            } else {
                meaning.include(Array(text[line].drop { !$0.isBlank }), quotes: "'\"", special: "'\"\\ \t")
            }
        } else if means("import", 2) {
            let source = plain.first ?? []
            if source.first == UInt8(ascii: "|") {
                meaning.runs(Array(source.dropFirst()), ".import | runs a program")
            } else {
                meaning.reads.append(source)
            }
            meaning.add([.sqlInsert, .sqlCreate], ".import")
        } else if means("output", 1) || means("once", 2) || means("backup", 1) || means("save", 2) || means("clone", 2) || means("trace", 2)
            || means("log", 1)
        {
            if arguments.contains(where: { $0 == Array("-x".utf8) || $0 == Array("-e".utf8) }) {
                meaning.runs([], ".\(name) opens a program")
            }
            write(plain, name)
        } else if name == "excel" || name == "www" {
            meaning.runs([], ".\(name) opens a program")
        } else if means("load", 2) {
            meaning.add([.sqlCopyProgram, .sqlCall], ".load runs a library")
        } else if means("restore", 3) {
            meaning.reads.append(plain.last ?? [])
            meaning.add([.sqlDrop, .sqlInsert], ".restore replaces the database")
        } else if means("open", 2) {
            meaning.connections.append(plain.last.map { String(decoding: $0, as: UTF8.self) } ?? "")
            session = SQLSession(stopsAtErrors: session.stopsAtErrors)
            if arguments.contains(where: { $0.elementsEqual("--new".utf8) || $0.elementsEqual("-new".utf8) }) {
                meaning.add([.sqlDrop], ".open --new empties the file")
            }
        } else if means("archive", 2) || name == "ar" {
            meaning.add([.sqlUnknown, .sqlCopyOut], ".archive")
        } else if means("dump", 2) {
            meaning.add([.sqlSelect, .sqlCopyOut], ".dump")
        } else if means("fullschema", 1) || means("recover", 3) || means("sha3sum", 3) {
            meaning.add([.sqlSelect], ".\(name)")
        } else if means("imposter", 3) || means("testctrl", 5) || means("dbconfig", 4) || means("filectrl", 5) || means("session", 3)
            || means("unmodule")
        {
            meaning.add([.sqlAlter, .sqlUnknown], ".\(name)")
        } else if name == "cd" {
            meaning.changesFolder = true
        } else if means("bail", 2) {
            session.stopsAtErrors = arguments.first == Array("on".utf8)
        } else if !SQLiteScript.harmless.contains(where: { $0.hasPrefix(name) }) {
            meaning.add([.sqlUnknown], ".\(name) is not known")
        }
    }

    private mutating func write(_ arguments: [[UInt8]], _ name: String) {
        guard let target = arguments.last else { return }
        if target.first == UInt8(ascii: "|") || arguments.first?.first == UInt8(ascii: "|") {
            meaning.runs(Array(arguments.joined(by: 0x20).dropFirst()), ".\(name) | runs a program")
        } else if !["stdout", "off", "on"].contains(String(decoding: target, as: UTF8.self)) {
            meaning.writes(target, ".\(name) writes a file")
        }
    }

    private static let harmless = [
        "auth", "binary", "changes", "check", "connection", "databases", "echo", "eqp", "exit", "expert", "explain", "headers",
        "help",
        "indexes", "limit", "lint", "mode", "nonce", "nullvalue", "parameter", "print", "progress", "prompt", "quit", "scanstats", "schema",
        "selftest", "separator", "show", "stats", "tables", "timeout", "timer", "version", "vfsinfo", "vfslist", "vfsname", "width", "crlf",
    ]
}

extension [[UInt8]] {
    fileprivate func joined(by separator: UInt8) -> [UInt8] { Array<UInt8>(joined(separator: [separator])) }
}
