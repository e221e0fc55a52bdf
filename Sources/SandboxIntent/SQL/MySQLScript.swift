internal import SandboxModel

/// The input of `mysql` and `mariadb`: lines, a delimiter that the script may change, and the client's own commands.
struct MySQLScript {
    private let text: [UInt8]
    private var session: SQLSession
    private var meaning = ScriptMeaning()
    private var delimiter: [UInt8] = [UInt8(ascii: ";")]

    init(_ text: [UInt8], _ session: SQLSession) {
        self.text = text
        self.session = session
    }

    mutating func read() -> ScriptMeaning {
        var start: Int?
        var position = 0
        var scanner = Scanner(text, .mysql)
        while let token = scanner.next() {
            position = token.range.lowerBound
            if text[position...].starts(with: delimiter) {
                finish(start, position)
                start = nil
                scanner = Scanner(text, .mysql, range: position + delimiter.count..<text.count)
                continue
            }
            if text[position] == UInt8(ascii: "\\"), position + 1 < text.count {
                let letter = text[position + 1]
                if [UInt8(ascii: "g"), UInt8(ascii: "G")].contains(letter) { finish(start, position) }
                let end = short(letter, position + 2)
                if [UInt8(ascii: "g"), UInt8(ascii: "G"), UInt8(ascii: "c")].contains(letter) { start = nil }
                scanner = Scanner(text, .mysql, range: end..<text.count)
                continue
            }
            if start == nil, token.kind == .word, let end = long(token.range) {
                scanner = Scanner(text, .mysql, range: end..<text.count)
                continue
            }
            start = start ?? position
            // A delimiter of letters may stand right behind a word
            if token.kind == .word, delimiter.count > 1, let cut = delimiterWithin(token.range) {
                finish(start, cut)
                start = nil
                scanner = Scanner(text, .mysql, range: cut + delimiter.count..<text.count)
            }
        }
        finish(start, text.count)
        if scanner.isDoubtful { meaning.add([.sqlUnknown], "something has no end") }
        return meaning
    }

    private func delimiterWithin(_ range: Range<Int>) -> Int? { range.first { text[$0...].starts(with: delimiter) } }

    private mutating func finish(_ start: Int?, _ end: Int) {
        guard let start, start < end else { return }
        var reader = TokenReader(text, .mysql, session: session)
        // What goes to the server at once may still hold several, where it takes them
        let pieces = delimiter == [UInt8(ascii: ";")] ? [start..<end] : Splitter.pieces(of: text, .mysql, range: start..<end)
        for piece in pieces { meaning.statements.append(reader.statement(piece)) }
        session = reader.session
    }

    /// `\! ls`: a letter.
    private mutating func short(_ letter: UInt8, _ after: Int) -> Int {
        let line = text.line(from: after)
        let rest = Array(text[line]).trimmed
        switch letter {
        case UInt8(ascii: "!"): meaning.runs(rest, "\\! runs a program")
        case UInt8(ascii: "."): meaning.includes.append(.init(path: rest.withoutDelimiter, isRelativeToScript: false))
        case UInt8(ascii: "T"): meaning.writes(rest.withoutDelimiter, "tee writes a file")
        case UInt8(ascii: "P"): meaning.runs(rest, "pager runs a program")
        case UInt8(ascii: "e"): meaning.add([.sqlCopyProgram, .sqlUnknown], "runs an editor")
        case UInt8(ascii: "d"): setDelimiter(rest)
        case UInt8(ascii: "r"), UInt8(ascii: "u"): meaning.connections.append(String(decoding: rest, as: UTF8.self))
        case UInt8(ascii: "C"):
            if SettingEffect.changesReading("names", to: String(decoding: rest, as: UTF8.self)) { session.isReadDifferently = true }
        default: return after
        }
        return line.upperBound
    }

    /// A command by its word, where a statement would begin. Nil: none.
    private mutating func long(_ word: Range<Int>) -> Int? {
        let commands: [(String, Character)] = [
            ("SYSTEM", "!"), ("SOURCE", "."), ("TEE", "T"), ("PAGER", "P"), ("EDIT", "e"), ("DELIMITER", "d"), ("CONNECT", "r"),
            ("CHARSET", "C"),
            ("WARNINGS", "W"), ("NOWARNING", "w"), ("NOTEE", "t"), ("NOPAGER", "n"), ("STATUS", "s"), ("QUIT", "q"), ("EXIT", "q"),
        ]
        guard let (_, letter) = commands.first(where: { text.isWord($0.0, in: word) }), let code = letter.asciiValue else { return nil }
        if "!.TPedrC".contains(letter) { return short(code, word.upperBound) }
        return text.line(from: word.upperBound).upperBound
    }

    private mutating func setDelimiter(_ rest: [UInt8]) {
        let word = Array(rest.prefix { !$0.isBlank })
        if !word.isEmpty, word.count <= 15, !word.contains(UInt8(ascii: "\\")) {
            delimiter = word
        } else {
            meaning.add([.sqlUnknown], "a delimiter that is not understood")
        }
    }
}

extension [UInt8] {
    fileprivate var withoutDelimiter: [UInt8] { last == UInt8(ascii: ";") ? Array(dropLast()).trimmed : self }
}
