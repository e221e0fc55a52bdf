internal import SandboxModel

/// psql's input: statements, and `\` commands where no quote or comment is open.
struct PsqlScript {
    private let text: [UInt8]
    private let isLast: Bool
    private(set) var state: ScriptState
    /// Up to here everything was complete.
    private(set) var consumed = 0
    private var meaning = ScriptMeaning()
    private var lineEnds = LineEnds()
    private var session: SQLSession {
        get { state.session }
        set { state.session = newValue }
    }
    /// Where the statement that is being read begins.
    private var start: Int?
    private var brackets = 0
    private var body = RoutineBody(.postgres)
    /// Its text is not all here: a variable stands in it.
    private var hasVariable = false

    init(_ text: [UInt8], _ state: ScriptState, isLast: Bool) {
        self.text = text
        self.state = state
        self.isLast = isLast
    }

    mutating func read() -> ScriptMeaning {
        if state.isInRows { skipRows(0) }
        var scanner = Scanner(text, .postgres, range: consumed..<text.count)
        while !state.isInRows, let token = scanner.next() {
            let first = text[token.range.lowerBound]
            if token.kind == .symbol, first == UInt8(ascii: "\\") {
                guard isWhole(token.range.lowerBound) else { return meaning }
                let end = command(token.range.lowerBound)
                scanner = Scanner(text, .postgres, range: end..<text.count)
                if start == nil { consumed = end }
                continue
            }
            if token.kind == .symbol { bracket(first) }
            if token.kind == .symbol, first == UInt8(ascii: ";"), brackets == 0, !body.isOpen {
                let takesRows = start.map { PsqlScript.takesRows(text, $0..<token.range.lowerBound) } ?? false
                if takesRows, !isWhole(token.range.upperBound) { return meaning }
                finish(token.range.lowerBound)
                consumed = token.range.upperBound
                if takesRows {
                    skipRows(afterLine(consumed))
                    scanner = Scanner(text, .postgres, range: consumed..<text.count)
                }
                continue
            }
            start = start ?? token.range.lowerBound
            body.take(token, of: text)
            if isVariable(token) { hasVariable = true }
        }
        guard isLast else { return meaning }
        finish(text.count)
        if scanner.isDoubtful { meaning.add([.sqlUnknown], "something has no end") }
        return meaning
    }

    /// The line is all here.
    private mutating func isWhole(_ at: Int) -> Bool { isLast || lineEnds.line(of: text, from: at).upperBound < text.count }

    private mutating func afterLine(_ at: Int) -> Int { min(lineEnds.line(of: text, from: at).upperBound + 1, text.count) }

    private mutating func bracket(_ c: UInt8) {
        if c == UInt8(ascii: "(") { brackets += 1 }
        if c == UInt8(ascii: ")") { brackets = max(0, brackets - 1) }
    }

    /// `:name`, `:'name'`, `:"name"`, `:{?name}`; not `::` and `:=`.
    private func isVariable(_ token: Token) -> Bool {
        guard token.kind == .symbol, token.range.count == 1, text[token.range.lowerBound] == UInt8(ascii: ":"),
            token.range.upperBound < text.count
        else {
            return false
        }
        let next = text[token.range.upperBound]
        return next.isWordPart || [UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "{")].contains(next)
    }

    /// What was sent, from its start to here.
    private mutating func finish(_ end: Int) {
        defer {
            start = nil
            brackets = 0
            body = RoutineBody(.postgres)
            hasVariable = false
        }
        guard let start else { return }
        var piece = Array(text[start..<end])
        if hasVariable { piece = PsqlScript.withoutVariables(piece) }
        let result = SQL.read(piece, .postgres, session)
        session = result.session
        for var statement in result.statements {
            statement.range = start + statement.range.lowerBound..<start + statement.range.upperBound
            if hasVariable {
                statement.intents.insert(.sqlUnknown)
                statement.reasons.append("a variable of psql's stands in it")
            }
            meaning.statements.append(statement)
        }
    }

    /// With a word where each variable was, so that the rest can be read.
    private static func withoutVariables(_ piece: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var scanner = Scanner(piece, .postgres)
        var last = 0
        while let token = scanner.next() {
            guard token.kind == .symbol, token.range.count == 1, piece[token.range.lowerBound] == UInt8(ascii: ":"),
                token.range.upperBound < piece.count
            else { continue }
            let next = piece[token.range.upperBound]
            guard next.isWordPart || next == UInt8(ascii: "'") || next == UInt8(ascii: "\"") else { continue }
            out += piece[last..<token.range.lowerBound] + [0x20]
            last = token.range.upperBound
        }
        return out + piece[last...]
    }

    // MARK: Rows

    /// `COPY … FROM STDIN`: the lines that follow, up to `\.`, are rows.
    private static func takesRows(_ text: [UInt8], _ range: Range<Int>) -> Bool {
        var scanner = Scanner(text, .postgres, range: range)
        guard let first = scanner.next(), text.isWord("COPY", in: first.range) else { return false }
        var wasFrom = false
        while let token = scanner.next() {
            if wasFrom, text.isWord("STDIN", in: token.range) { return true }
            wasFrom = text.isWord("FROM", in: token.range)
        }
        return false
    }

    /// The rows that begin there are read, as far as they are here. Where the server refused the COPY, psql takes them for SQL.
    private mutating func skipRows(_ first: Int) {
        state.isInRows = true
        consumed = first
        while consumed < text.count, state.isInRows {
            let line = lineEnds.line(of: text, from: consumed)
            if !isLast, line.upperBound == text.count { break }
            state.isInRows = !(text[line].elementsEqual("\\.".utf8) || text[line].elementsEqual("\\.\r".utf8))
            if state.isInRows { consumed = min(line.upperBound + 1, text.count) }
        }
        let rows = first..<consumed
        // The line that ends them, without its end.
        if !state.isInRows { consumed = lineEnds.line(of: text, from: consumed).upperBound } else if isLast { state.isInRows = false }
        if !session.stopsAtErrors, PsqlScript.mayRun(text[rows]) {
            meaning.add(Guess.intents(text, .postgres, rows).union([.sqlUnknown]), "rows that would run as SQL where their COPY fails")
        }
    }

    private static func mayRun(_ rows: ArraySlice<UInt8>) -> Bool {
        zip(rows, rows.dropFirst() + [0x0a]).contains { c, next in
            c == UInt8(ascii: ";") || c == UInt8(ascii: "\\") && "!iogcwse".utf8.contains(next)
        }
    }

    // MARK: Commands

    /// Reads the command at a backslash; gives where SQL goes on.
    private mutating func command(_ at: Int) -> Int {
        var end = at + 1
        if end < text.count, text[end] == UInt8(ascii: ";") || text[end] == UInt8(ascii: "\\") {
            // `\;` parts statements that are sent together; `\\` ends a command's arguments
            if text[end] == UInt8(ascii: ";") { finish(at) }
            return end + 1
        }
        if end < text.count, !text[end].isWordStart {
            end += 1
        } else {
            while end < text.count, text[end].isWordPart || text[end] == UInt8(ascii: "+") { end += 1 }
        }
        let name = String(decoding: text[at + 1..<end], as: UTF8.self)
        let line = lineEnds.line(of: text, from: end)
        let takesLine = ["!", "copy", "ef", "ev", "sf", "sv", "help", "h"].contains(name)
        var stop = line.upperBound
        if !takesLine, let next = nextCommand(line) { stop = next }
        if ["g", "gx", "gexec", "gset", "gdesc", "crosstabview", "watch", "bind"].contains(name) { finish(at) }
        run(name, end..<stop)
        if name == "copy", PsqlScript.takesRows(text, at + 1..<stop) {
            skipRows(afterLine(stop))
            return consumed
        }
        return min(stop, text.count)
    }

    /// The next backslash outside of quotes: a command of its own, or `\\`.
    private func nextCommand(_ line: Range<Int>) -> Int? {
        var quote: UInt8?
        for i in line {
            if let open = quote {
                if text[i] == open { quote = nil }
            } else if [UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`")].contains(text[i]) {
                quote = text[i]
            } else if text[i] == UInt8(ascii: "\\") {
                return i
            }
        }
        return nil
    }

    private mutating func run(_ name: String, _ rest: Range<Int>) {
        let words = text.commandWords(rest)
        let argument = words.first ?? []
        if name != "!", name != "copy", text[rest].contains(UInt8(ascii: "`")) {
            meaning.runs(Array(text[rest]), "`…` in the arguments of \\\(name) runs a program")
        }
        switch name {
        case "!": meaning.runs(Array(text[rest]).trimmed, "\\! runs a program")
        case "i", "include": include(rest, relative: false)
        case "ir", "include_relative": include(rest, relative: true)
        case "o", "out", "w", "write", "s": write(Array(text[rest]).trimmed, argument, name)
        case "g", "gx":
            var target = Array(text[rest]).trimmed
            // Options in brackets come first
            if target.first == UInt8(ascii: "("), let end = target.firstIndex(of: UInt8(ascii: ")")) {
                target = Array(target[(end + 1)...]).trimmed
            }
            write(target, target.commandWords(0..<target.count).first ?? [], name)
        case "gexec": meaning.add([.sqlCall, .sqlUnknown], "\\gexec runs what a query gives")
        case "copy": copy(rest)
        case "c", "connect":
            meaning.connections.append(words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " "))
            session = SQLSession(stopsAtErrors: session.stopsAtErrors)
        case "set":
            if argument == Array("ON_ERROR_STOP".utf8) {
                session.stopsAtErrors = ["1", "on", "true", "yes"].contains(
                    String(decoding: words.dropFirst().first ?? [], as: UTF8.self).lowercased())
            }
            if argument == Array("SINGLELINE".utf8) { meaning.add([.sqlUnknown], "lines that end statements") }
        case "e", "edit", "ef", "ev": meaning.add([.sqlCopyProgram, .sqlUnknown], "\\\(name) runs an editor")
        case "setenv": meaning.add([.sqlUnknown], "\\setenv changes what programs are run with")
        case "encoding":
            if SettingEffect.changesReading("names", to: String(decoding: argument, as: UTF8.self)) { session.isReadDifferently = true }
        case "lo_import":
            meaning.reads.append(argument)
            meaning.add([.sqlInsert], "\\lo_import")
        case "lo_export": meaning.writes(words.dropFirst().first ?? [], "\\lo_export")
        case "lo_unlink": meaning.add([.sqlDelete], "\\lo_unlink")
        case "password": meaning.add([.sqlGrant], "\\password")
        case "cd": meaning.changesFolder = true
        case "gset", "prompt", "if", "elif", "else", "endif", "r", "reset": break
        default: break
        }
    }

    private mutating func include(_ rest: Range<Int>, relative: Bool) {
        let text = Array(text[rest]).trimmed
        // What follows the first word is left out.
        let end = text.first == UInt8(ascii: "'") ? text.count : text.firstIndex(where: \.isBlank) ?? text.count
        meaning.include(Array(text[..<end]), relative: relative, quotes: "'", special: "'\"\\:`")
    }

    private mutating func write(_ line: [UInt8], _ target: [UInt8], _ name: String) {
        if target.first == UInt8(ascii: "|") {
            meaning.runs(Array(line.dropFirst()).trimmed, "\\\(name) | runs a program")
        } else if !target.isEmpty {
            meaning.writes(target, "\\\(name) writes a file")
        }
    }

    /// `\copy … FROM|TO file|PROGRAM 'x'|STDIN`: the client opens it, and sends COPY FROM STDIN or TO STDOUT.
    private mutating func copy(_ rest: Range<Int>) {
        let line = Array(text[rest])
        var scanner = Scanner(line, .postgres)
        var depth = 0
        var isFrom: Bool?
        var target: Range<Int>?
        var isProgram = false
        while let token = scanner.next() {
            if token.kind == .symbol, line[token.range.lowerBound] == UInt8(ascii: "(") { depth += 1 }
            if token.kind == .symbol, line[token.range.lowerBound] == UInt8(ascii: ")") { depth -= 1 }
            guard depth == 0 else { continue }
            if isFrom == nil {
                if line.isWord("FROM", in: token.range) { isFrom = true }
                if line.isWord("TO", in: token.range) { isFrom = false }
            } else if line.isWord("PROGRAM", in: token.range), !isProgram {
                isProgram = true
            } else {
                var end = token.range.upperBound
                if token.kind != .string { while end < line.count, !line[end].isBlank { end += 1 } }
                target = token.range.lowerBound..<end
                break
            }
        }
        guard let isFrom, let target else { return meaning.add([.sqlUnknown, .sqlCopyOut, .sqlInsert], "\\copy that is not understood") }
        let name = Array(line.commandWords(target).first ?? [])
        let keyword = String(decoding: name, as: UTF8.self).lowercased()
        if isProgram {
            meaning.runs(name, "\\copy … program")
        } else if !["stdin", "stdout", "pstdin", "pstdout"].contains(keyword) {
            if isFrom { meaning.reads.append(name) } else { meaning.writes(name, "\\copy to a file") }
        }
        // The statement that it becomes
        var cut = target.lowerBound
        if isProgram, let program = line[..<cut].lastIndex(where: { !$0.isBlank }) { cut = max(0, program - 6) }
        let sent = Array("copy ".utf8) + line[..<cut] + Array((isFrom ? " stdin " : " stdout ").utf8) + line[target.upperBound...]
        for var statement in SQL.read(sent, .postgres, session).statements {
            statement.range = rest
            meaning.statements.append(statement)
        }
    }
}

extension [UInt8] {
    var trimmed: [UInt8] {
        guard let first = firstIndex(where: { !$0.isBlank }), let last = lastIndex(where: { !$0.isBlank }) else { return [] }
        return Array(self[first...last])
    }
}
