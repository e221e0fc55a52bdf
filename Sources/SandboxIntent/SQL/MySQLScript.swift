internal import SandboxModel

/// The input of `mysql` and `mariadb`: lines, a delimiter that the script may change, and the client's own commands.
struct MySQLScript {
    private let text: [UInt8]
    private let isLast: Bool
    private(set) var state: ScriptState
    /// Up to here everything was complete.
    private(set) var consumed = 0
    private var meaning = ScriptMeaning()
    private var lineEnds = LineEnds()
    private var start: Int?
    private var delimiter: [UInt8] { state.delimiter }
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
        var scanner = Scanner(text, .mysql)
        while let token = scanner.next() {
            guard let end = take(token) else { return meaning }
            if end != token.range.upperBound { scanner = Scanner(text, .mysql, range: end..<text.count) }
            if start == nil { consumed = end }
        }
        guard isLast else { return meaning }
        finish(text.count)
        if scanner.isDoubtful { meaning.add([.sqlUnknown], "something has no end") }
        return meaning
    }

    /// Gives where it goes on. Nil: the line is not all here yet.
    private mutating func take(_ token: Token) -> Int? {
        let position = token.range.lowerBound
        if text[position...].starts(with: delimiter) {
            finish(position)
            return position + delimiter.count
        }
        let isCommand = text[position] == UInt8(ascii: "\\") && position + 1 < text.count
        let code = start == nil && token.kind == .word ? command(token.range) : nil
        if isCommand || code != nil, !isLast, lineEnds.line(of: text, from: position).upperBound == text.count { return nil }
        if isCommand {
            let letter = text[position + 1]
            if [UInt8(ascii: "g"), UInt8(ascii: "G")].contains(letter) { finish(position) }
            let end = short(letter, position + 2)
            if letter == UInt8(ascii: "c") { start = nil }
            return end
        }
        if let code { return long(code, token.range) }
        start = start ?? position
        // A delimiter of letters may stand right behind a word
        if token.kind == .word, delimiter.count > 1, let cut = delimiterWithin(token.range) {
            finish(cut)
            return cut + delimiter.count
        }
        return token.range.upperBound
    }

    private func delimiterWithin(_ range: Range<Int>) -> Int? { range.first { text[$0...].starts(with: delimiter) } }

    private mutating func finish(_ end: Int) {
        defer { start = nil }
        guard let start, start < end else { return }
        var reader = TokenReader(text, .mysql, session: session)
        // What goes to the server at once may still hold several, where it takes them
        let pieces = delimiter == [UInt8(ascii: ";")] ? [start..<end] : Splitter.pieces(of: text, .mysql, range: start..<end)
        for piece in pieces { meaning.statements.append(reader.statement(piece)) }
        session = reader.session
    }

    /// `\! ls`: a letter.
    private mutating func short(_ letter: UInt8, _ after: Int) -> Int {
        // There may be thousands of the others in one line.
        guard "!.TPedruC".utf8.contains(letter) else { return after }
        let line = lineEnds.line(of: text, from: after)
        let rest = Array(text[line]).trimmed
        switch letter {
        case UInt8(ascii: "!"): meaning.runs(rest, "\\! runs a program")
        case UInt8(ascii: "."): meaning.include(rest.withoutDelimiter, quotes: "", special: "")
        case UInt8(ascii: "T"): meaning.writes(rest.withoutDelimiter, "tee writes a file")
        case UInt8(ascii: "P"): meaning.runs(rest, "pager runs a program")
        case UInt8(ascii: "e"): meaning.add([.sqlCopyProgram, .sqlUnknown], "runs an editor")
        case UInt8(ascii: "d"): setDelimiter(rest)
        case UInt8(ascii: "r"), UInt8(ascii: "u"): meaning.connections.append(String(decoding: rest, as: UTF8.self))
        case UInt8(ascii: "C"):
            if SettingEffect.changesReading("names", to: String(decoding: rest, as: UTF8.self)) { session.isReadDifferently = true }
        default: break
        }
        return line.upperBound
    }

    /// The letter of a command by its word, where a statement would begin. Nil: none.
    private func command(_ word: Range<Int>) -> UInt8? {
        let commands: [(String, Character)] = [
            ("SYSTEM", "!"), ("SOURCE", "."), ("TEE", "T"), ("PAGER", "P"), ("EDIT", "e"), ("DELIMITER", "d"), ("CONNECT", "r"),
            ("CHARSET", "C"),
            ("WARNINGS", "W"), ("NOWARNING", "w"), ("NOTEE", "t"), ("NOPAGER", "n"), ("STATUS", "s"), ("QUIT", "q"), ("EXIT", "q"),
            ("PROMPT", "R"), ("REHASH", "#"),
        ]
        return commands.first { text.isWord($0.0, in: word) }?.1.asciiValue
    }

    private mutating func long(_ code: UInt8, _ word: Range<Int>) -> Int {
        if "!.TPedrC".utf8.contains(code) { return short(code, word.upperBound) }
        return lineEnds.line(of: text, from: word.upperBound).upperBound
    }

    private mutating func setDelimiter(_ rest: [UInt8]) {
        let word = Array(rest.prefix { !$0.isBlank })
        if !word.isEmpty, word.count <= 15, !word.contains(UInt8(ascii: "\\")) {
            state.delimiter = word
        } else {
            meaning.add([.sqlUnknown], "a delimiter that is not understood")
        }
    }
}

extension [UInt8] {
    fileprivate var withoutDelimiter: [UInt8] { last == UInt8(ascii: ";") ? Array(dropLast()).trimmed : self }
}
