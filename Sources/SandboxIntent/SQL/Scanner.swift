/// One token of SQL text, by bytes. White space and comments are none.
struct Token: Sendable {
    enum Kind: Sendable {
        case word
        /// A name in quotes: `"x"`, `` `x` ``, `[x]`.
        case name
        case string, number
        /// `$1`, `?`, `:name`, `@name`.
        case parameter
        case symbol
    }
    let kind: Kind
    let range: Range<Int>
}

/// SQL text → tokens, as each dialect's own lexer cuts them.
struct Scanner {
    let text: [UInt8]
    let dialect: SQLDialect
    private(set) var position: Int
    let end: Int
    /// MySQL's `/*! … */`: code for the servers that it is meant for, a comment for the others.
    let readsExecutableComments: Bool
    /// Something had no end, or lies where another reading is possible.
    private(set) var isDoubtful = false
    private(set) var sawExecutableComment = false
    private var openExecutableComments = 0

    init(_ text: [UInt8], _ dialect: SQLDialect, range: Range<Int>? = nil, readsExecutableComments: Bool = true) {
        self.text = text
        self.dialect = dialect
        position = range?.lowerBound ?? 0
        end = range?.upperBound ?? text.count
        self.readsExecutableComments = readsExecutableComments
    }

    mutating func next() -> Token? {
        skipBlanks()
        guard position < end else { return nil }
        let start = position
        let kind = scan(text[position])
        return Token(kind: kind, range: start..<position)
    }

    private func byte(_ ahead: Int) -> UInt8 { position + ahead < end ? text[position + ahead] : 0 }

    private mutating func scan(_ c: UInt8) -> Token.Kind {
        switch c {
        case UInt8(ascii: "'"):
            quoted(c, escapes: dialect == .mysql)
            return .string
        case UInt8(ascii: "\""):
            quoted(c, escapes: dialect == .mysql)
            return dialect == .mysql ? .string : .name
        case UInt8(ascii: "`") where dialect != .postgres:
            quoted(c, escapes: false)
            return .name
        case UInt8(ascii: "[") where dialect == .sqlite:
            quoted(UInt8(ascii: "]"), escapes: false, doubles: false)
            return .name
        case UInt8(ascii: "$") where dialect == .postgres: return dollar()
        case UInt8(ascii: "@") where dialect == .mysql && (byte(1).isWordPart || byte(1) == c), UInt8(ascii: "?") where dialect != .postgres,
            UInt8(ascii: ":") where dialect == .sqlite && byte(1).isWordPart, UInt8(ascii: "@") where dialect == .sqlite,
            UInt8(ascii: "$") where dialect == .sqlite:
            position += 1
            while position < end, text[position].isWordPart || text[position] == c { position += 1 }
            return .parameter
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return number()
        case UInt8(ascii: ".") where byte(1).isDigit: return number()
        case _ where c.isWordStart: return word()
        default: return symbol(c)
        }
    }

    // MARK: Blanks

    private mutating func skipBlanks() {
        while position < end {
            let c = text[position]
            switch c {
            case 0x20, 0x09...0x0d: position += 1
            case UInt8(ascii: "-") where byte(1) == c && (dialect != .mysql || byte(2) <= 0x20): skipLine()
            case UInt8(ascii: "#") where dialect == .mysql: skipLine()
            case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "*"): skipComment()
            case UInt8(ascii: "*") where openExecutableComments > 0 && byte(1) == UInt8(ascii: "/"):
                openExecutableComments -= 1
                position += 2
            default: return
            }
        }
    }

    private mutating func skipLine() {
        while position < end, text[position] != 0x0a, dialect != .postgres || text[position] != 0x0d { position += 1 }
    }

    private mutating func skipComment() {
        let marked = byte(2) == UInt8(ascii: "!") || byte(2) == UInt8(ascii: "M") && byte(3) == UInt8(ascii: "!")
        if dialect == .mysql, marked {
            sawExecutableComment = true
            if readsExecutableComments {
                position += byte(2) == UInt8(ascii: "!") ? 3 : 4
                while byte(0).isDigit, position < end { position += 1 }
                openExecutableComments += 1
                return
            }
        }
        position += 2
        var depth = 1
        while depth > 0 {
            guard position + 1 < end else {
                position = end
                isDoubtful = isDoubtful || dialect != .sqlite  // SQLite takes the end of the text for the comment's
                return
            }
            if byte(0) == UInt8(ascii: "*"), byte(1) == UInt8(ascii: "/") {
                depth -= 1
                position += 2
            } else if dialect == .postgres, byte(0) == UInt8(ascii: "/"), byte(1) == UInt8(ascii: "*") {
                depth += 1
                position += 2
            } else {
                position += 1
            }
        }
    }

    // MARK: Tokens

    private mutating func quoted(_ quote: UInt8, escapes: Bool, doubles: Bool = true) {
        position += 1
        while position < end {
            let c = text[position]
            position += 1
            if c == UInt8(ascii: "\\"), escapes {
                position += 1
            } else if c == quote {
                guard doubles, position < end, text[position] == quote else { return }
                position += 1
            }
        }
        position = end
        isDoubtful = true
    }

    /// `$1`, or a string between `$tag$`s.
    private mutating func dollar() -> Token.Kind {
        let start = position
        position += 1
        if byte(0).isDigit {
            while byte(0).isDigit { position += 1 }
            return .parameter
        }
        while position < end, text[position].isWordPart, text[position] != UInt8(ascii: "$") { position += 1 }
        guard byte(0) == UInt8(ascii: "$"), position < end else {
            position = start + 1
            return .symbol
        }
        position += 1
        let tag = text[start..<position]
        while position < end {
            if text[position] == UInt8(ascii: "$"), text[position..<end].starts(with: tag) {
                position += tag.count
                return .string
            }
            position += 1
        }
        isDoubtful = true
        return .string
    }

    private mutating func number() -> Token.Kind {
        while position < end, text[position].isWordPart || text[position] == UInt8(ascii: ".") { position += 1 }
        return .number
    }

    private mutating func word() -> Token.Kind {
        let start = position
        while position < end, text[position].isWordPart { position += 1 }
        guard byte(0) == UInt8(ascii: "'"), position < end, position - start <= 1 || text[start] == UInt8(ascii: "_") else { return .word }
        let prefix = text[start] | 0x20
        switch dialect {
        // E'…' has escapes, B, X, N and U& have none of their own
        case .postgres where prefix == UInt8(ascii: "e"): quoted(UInt8(ascii: "'"), escapes: true)
        case .postgres where [UInt8(ascii: "b"), UInt8(ascii: "x"), UInt8(ascii: "n")].contains(prefix),
            .sqlite where prefix == UInt8(ascii: "x"):
            quoted(UInt8(ascii: "'"), escapes: false)
        case .mysql: quoted(UInt8(ascii: "'"), escapes: true)
        default: return .word
        }
        return .string
    }

    private mutating func symbol(_ c: UInt8) -> Token.Kind {
        position += 1
        switch c {
        case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "="), UInt8(ascii: "!"), UInt8(ascii: "|"), UInt8(ascii: "&"),
            UInt8(ascii: "~"):
            while position < end, [0x3c, 0x3d, 0x3e, 0x21, 0x7c, 0x26, 0x7e].contains(text[position]) { position += 1 }
        case UInt8(ascii: ":"):
            while byte(0) == c || byte(0) == UInt8(ascii: "="), position < end { position += 1 }
        default: break
        }
        return .symbol
    }
}

extension UInt8 {
    var isDigit: Bool { self >= 0x30 && self <= 0x39 }
    var isWordStart: Bool { self | 0x20 >= 0x61 && self | 0x20 <= 0x7a || self == UInt8(ascii: "_") || self >= 0x80 }
    var isWordPart: Bool { isWordStart || isDigit || self == UInt8(ascii: "$") }
    var isBlank: Bool { self == 0x20 || self >= 0x09 && self <= 0x0d }
}

extension [UInt8] {
    /// Whether these bytes are that word, whatever its case. The word is in capitals.
    func isWord(_ word: StaticString, in range: Range<Int>) -> Bool { isWord("\(word)", in: range) }
    func isWord(_ word: String, in range: Range<Int>) -> Bool {
        word.utf8.count == range.count && zip(word.utf8, self[range]).allSatisfy { $0 == $1 || $0 | 0x20 == $1 && $0.isWordStart }
    }
}
