internal import SandboxModel

/// MySQL's, MariaDB's and SQLite's text → statements, by their tokens. What is not surely understood is `sql.unknown` besides.
struct TokenReader {
    let text: [UInt8]
    let dialect: SQLDialect
    var session: SQLSession
    let level: Int

    init(_ text: [UInt8], _ dialect: SQLDialect, session: SQLSession = SQLSession(), level: Int = 0) {
        self.text = text
        self.dialect = dialect
        self.session = session
        self.level = level
    }

    mutating func read() -> [Statement] {
        Splitter.pieces(of: text, dialect).map { statement($0) }
    }

    mutating func statement(_ range: Range<Int>) -> Statement {
        var (findings, sawExecutableComment) = findings(range, readsExecutableComments: true)
        if sawExecutableComment {
            // Which servers take it for code is theirs to know: both readings count
            let other = self.findings(range, readsExecutableComments: false).0
            findings.add(other.intents, "read without `/*! … */`")
        }
        if text[range].contains(0) { findings.add(.sqlUnknown, "a zero byte") }
        if session.isReadDifferently { findings.add(.sqlUnknown, "the server was told to read text differently") }
        return findings.statement(range)
    }

    private mutating func findings(_ range: Range<Int>, readsExecutableComments: Bool) -> (Findings, Bool) {
        var scanner = Scanner(text, dialect, range: range, readsExecutableComments: readsExecutableComments)
        var tokens: [Lexeme] = []
        while let token = scanner.next() { tokens.append(Lexeme(token, of: text)) }
        var walk = TokenStatement(tokens, dialect, session: session, level: level)
        if !tokens.isEmpty { walk.read() } else { walk.findings.add(.sqlSelect, "nothing") }
        if scanner.isDoubtful {
            walk.findings.add(Guess.intents(text, dialect, range).union([.sqlUnknown]), "something has no end")
        }
        session = walk.session
        return (walk.findings, scanner.sawExecutableComment)
    }
}

/// A token with its text: words in capitals, names and strings without their quotes.
struct Lexeme: Equatable {
    let kind: Token.Kind
    let text: String
    /// As it is written.
    let name: String
    let start: Int

    init(_ token: Token, of bytes: [UInt8]) {
        kind = token.kind
        start = token.range.lowerBound
        var slice = bytes[token.range]
        switch token.kind {
        case .word:
            name = String(decoding: slice, as: UTF8.self)
            text = name.uppercased()
        case .name, .string:
            if let quote = slice.firstIndex(where: { $0 == 0x27 || $0 == 0x22 || $0 == 0x60 || $0 == 0x5b }) {
                let mark = slice[quote]
                slice = slice[(quote + 1)...].dropLast(slice.count > 1 ? 1 : 0)
                var out: [UInt8] = []
                var skips = false
                for c in slice {
                    if c == mark, !skips {
                        skips = true
                        continue
                    }
                    skips = false
                    out.append(c)
                }
                slice = out[...]
            }
            text = String(decoding: slice, as: UTF8.self)
            name = text
        default:
            text = String(decoding: slice, as: UTF8.self)
            name = text
        }
    }

    func isWord(_ word: String) -> Bool { kind == .word && text == word }
    func isWord(_ words: Set<String>) -> Bool { kind == .word && words.contains(text) }
    func isSymbol(_ symbol: String) -> Bool { kind == .symbol && text == symbol }
}
