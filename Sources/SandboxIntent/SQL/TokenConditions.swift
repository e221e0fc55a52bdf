/// Tokens → `Condition`, by precedence, for MySQL and SQLite.
struct TokenConditions {
    let tokens: ArraySlice<Lexeme>
    let dialect: SQLDialect
    /// What a subquery can mean besides tables of its own.
    let around: Around
    var i: Int
    var depth = 0

    /// Why an UPDATE or DELETE leaves nothing out, or nil.
    static func gap(_ tokens: [Lexeme], from start: Int, _ dialect: SQLDialect) -> String? {
        var depth = 0
        var condition: Range<Int>?
        var joins: [Range<Int>] = []
        var isOuter = false
        var k = start
        func end(_ from: Int, _ words: Set<String>) -> Int {
            var depth = 0
            var k = from
            while k < tokens.count {
                if tokens[k].isSymbol("(") { depth += 1 }
                if tokens[k].isSymbol(")") { depth -= 1 }
                if depth < 0 || depth == 0 && tokens[k].isWord(words) { break }
                k += 1
            }
            return k
        }
        while k < tokens.count {
            if tokens[k].isSymbol("(") { depth += 1 }
            if tokens[k].isSymbol(")") { depth -= 1 }
            if depth == 0, tokens[k].isWord("WHERE") {
                condition = k + 1..<end(k + 1, ["ORDER", "LIMIT", "RETURNING", "GROUP"])
                break
            }
            if depth == 0, tokens[k].isWord(["LEFT", "RIGHT", "FULL", "CROSS", "NATURAL"]) { isOuter = true }
            if depth == 0, tokens[k].isWord("ON"), joins.count < 64 {
                joins.append(k + 1..<end(k + 1, ["JOIN", "INNER", "LEFT", "RIGHT", "WHERE", "SET", "STRAIGHT_JOIN", "ORDER", "LIMIT"]))
            }
            k += 1
        }
        let around = Around(tokens, change: start, dialect)
        func leavesNothingOut(_ range: Range<Int>) -> Bool {
            var parser = TokenConditions(tokens: tokens[range], dialect: dialect, around: around, i: range.lowerBound)
            let parsed = parser.expression(0)
            // What is left over was not understood
            return parser.i >= range.upperBound ? parsed.leavesNothingOut : !tokens[range].contains { $0.kind == .word || $0.kind == .name }
        }
        if let condition { return leavesNothingOut(condition) ? "with a condition that leaves nothing out" : nil }
        if !isOuter, joins.contains(where: { !leavesNothingOut($0) }) { return nil }
        return "without a condition"
    }

    init(tokens: ArraySlice<Lexeme>, dialect: SQLDialect, around: Around, i: Int) {
        self.tokens = tokens
        self.dialect = dialect
        self.around = around
        self.i = i
    }

    func word(_ ahead: Int = 0) -> String {
        i + ahead < tokens.endIndex && tokens[i + ahead].kind == .word ? tokens[i + ahead].text : ""
    }
    func symbol(_ ahead: Int = 0) -> String {
        i + ahead < tokens.endIndex && tokens[i + ahead].kind == .symbol ? tokens[i + ahead].text : ""
    }

    /// The operator that stands here, and how tightly it binds.
    private func operation() -> (name: String, power: Int)? {
        switch word() {
        case "OR": return ("or", 1)
        case "XOR": return ("xor", 2)
        case "AND": return ("and", 3)
        case "IS", "LIKE", "IN", "BETWEEN", "REGEXP", "RLIKE", "GLOB", "MATCH", "NOT", "ISNULL", "NOTNULL", "SOUNDS", "MEMBER":
            return (word(), 5)
        case "DIV", "MOD": return (word(), 8)
        case "COLLATE": return ("collate", 10)
        default: break
        }
        switch symbol() {
        case "||": return dialect == .mysql ? ("or", 1) : ("||", 9)
        case "&&": return ("and", 3)
        case "=", "==": return ("=", 5)
        case "<>", "!=": return ("<>", 5)
        case "<", ">", "<=", ">=", "<=>": return (symbol(), 5)
        case "|", "&", "<<", ">>": return (symbol(), 6)
        case "+", "-": return (symbol(), 7)
        case "*", "/", "%": return (symbol(), 8)
        case "->", "->>": return (symbol(), 9)
        default: return nil
        }
    }

    mutating func expression(_ floor: Int) -> Condition {
        depth += 1
        defer { depth -= 1 }
        guard depth < 50 else {
            i = tokens.endIndex
            return .opaque(readsColumns: false)
        }
        var left = prefix()
        while let (name, power) = operation(), power > floor {
            i += 1
            left = infix(name, left, power)
        }
        return left
    }

    private mutating func infix(_ name: String, _ left: Condition, _ power: Int) -> Condition {
        switch name {
        case "or": return joined(left, expression(power), isOr: true)
        case "and": return joined(left, expression(power), isOr: false)
        case "NOT": return word().isEmpty ? .opaque(readsColumns: true) : .not(special(left))
        case "IS":
            let negated = word() == "NOT"
            if negated { i += 1 }
            if word() == "DISTINCT", word(1) == "FROM" {
                i += 2
                let same = Condition.call("is", [left, expression(power)])
                return negated ? same : .not(same)
            }
            let test: Condition
            switch word() {
            case "NULL", "UNKNOWN": test = .isNull(left)
            case "TRUE": test = left
            case "FALSE": test = .not(left)
            default:
                test = .call("is", [left, expression(power)])
                return negated ? .not(test) : test
            }
            i += 1
            return negated ? .not(test) : test
        case "ISNULL": return .isNull(left)
        case "NOTNULL": return .not(.isNull(left))
        case "LIKE", "IN", "BETWEEN", "REGEXP", "RLIKE", "GLOB", "MATCH":
            i -= 1
            return special(left)
        case "collate":
            i += 1
            return left
        default: return .comparison(name, left, expression(power))
        }
    }

    private func joined(_ a: Condition, _ b: Condition, isOr: Bool) -> Condition {
        switch (a, isOr) {
        case (.or(let parts), true): .or(parts + [b])
        case (.and(let parts), false): .and(parts + [b])
        default: isOr ? .or([a, b]) : .and([a, b])
        }
    }

    /// LIKE, IN, BETWEEN and their kin.
    private mutating func special(_ left: Condition) -> Condition {
        let name = word()
        i += 1
        switch name {
        case "LIKE":
            let like = Condition.call("~~", [left, expression(5)])
            if word() == "ESCAPE" { i += 2 }
            return like
        case "GLOB":
            let pattern = expression(5)
            if case .constant(.text(let text)) = pattern, text.allSatisfy({ $0 == "*" }) {
                return .call("~~", [left, .constant(.text("%"))])
            }
            return .call("glob", [left, pattern])
        case "REGEXP", "RLIKE": return .call("~", [left, expression(5)])
        case "BETWEEN":
            let low = expression(3)
            guard word() == "AND" else { return .opaque(readsColumns: left.readsColumns) }
            i += 1
            return .call("between", [left, low, expression(5)])
        case "IN":
            guard symbol() == "(" else { return .opaque(readsColumns: left.readsColumns) }
            if ["SELECT", "WITH", "VALUES"].contains(word(1)) {
                let subquery = subquery()
                guard left.readsColumns else { return .opaque(readsColumns: false) }
                return subquery.membership(of: left, around) ?? .opaque(readsColumns: true)
            }
            let items = arguments()
            return items.count == 1 ? .comparison("=", left, items[0]) : .call("in", [left] + items)
        default: return .call(name.lowercased(), [left, expression(5)])
        }
    }

    private mutating func prefix() -> Condition {
        guard i < tokens.endIndex else { return .opaque(readsColumns: false) }
        let token = tokens[i]
        switch token.kind {
        case .number:
            i += 1
            return Double(token.text).map { .constant(.number($0)) } ?? .opaque(readsColumns: false)
        case .string:
            i += 1
            return .constant(.text(token.text))
        case .parameter:
            i += 1
            return .opaque(readsColumns: false)
        case .symbol: return prefixSymbol(token.text)
        case .name: return name()
        case .word: return prefixWord(token.text)
        }
    }

    private mutating func prefixSymbol(_ text: String) -> Condition {
        i += 1
        switch text {
        case "(":
            if ["SELECT", "WITH", "VALUES"].contains(word()) {
                i -= 1
                let subquery = subquery()
                return subquery.value ?? .opaque(readsColumns: subquery.readsRow(of: around))
            }
            var parts = [expression(0)]
            while symbol() == "," {
                i += 1
                parts.append(expression(0))
            }
            if symbol() == ")" { i += 1 } else { i = tokens.endIndex + 1 }
            return parts.count == 1 ? parts[0] : .call("row", parts)
        case "-", "+": return text == "-" ? .call("-", [expression(9)]) : expression(9)
        case "!": return .not(expression(9))
        case "!!": return expression(9)
        case "~": return .call("~", [expression(9)])
        default:
            return .opaque(readsColumns: true)
        }
    }

    private mutating func prefixWord(_ text: String) -> Condition {
        switch text {
        case "NOT":
            i += 1
            return .not(expression(4))
        case "TRUE", "FALSE":
            i += 1
            return .constant(.bool(text == "TRUE"))
        case "NULL":
            i += 1
            return .constant(.null)
        case "EXISTS":
            i += 1
            return .opaque(readsColumns: subquery().isChoosy)
        case "CASE": return caseExpression()
        case "BINARY", "DATE", "TIMESTAMP", "TIME", "INTERVAL":
            if i + 1 < tokens.endIndex, [.string, .word, .name, .number].contains(tokens[i + 1].kind),
                !["IS", "IN", "LIKE", "BETWEEN", "NOT", "AND", "OR"].contains(word(1))
            {
                i += 1
                return expression(10)
            }
            return name()
        case "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "CURRENT_USER", "LOCALTIME", "LOCALTIMESTAMP":
            i += 1
            if symbol() == "(" { _ = arguments() }
            return .opaque(readsColumns: false)
        default: return name()
        }
    }

    private mutating func caseExpression() -> Condition {
        i += 1
        var cases: [(when: Condition, then: Condition)] = [], otherwise = Condition.constant(.null)
        var value: Condition?, when = Condition.opaque(readsColumns: true)
        while i < tokens.endIndex, word() != "END" {
            let role = word(), before = i
            if ["WHEN", "THEN", "ELSE"].contains(role) { i += 1 }
            let part = expression(0)
            switch role {
            case "WHEN": when = value.map { .call("=", [$0, part]) } ?? part
            case "THEN": cases.append((when, part))
            case "ELSE": otherwise = part
            default: value = part
            }
            if i == before { i += 1 }
        }
        i += 1
        return .cases(cases, otherwise: otherwise)
    }

    private mutating func name() -> Condition {
        var parts = [tokens[i].name]
        i += 1
        while symbol() == ".", i + 1 < tokens.endIndex, [.word, .name].contains(tokens[i + 1].kind) {
            parts.append(tokens[i + 1].name)
            i += 2
        }
        guard symbol() == "(" else { return .column(parts.joined(separator: ".")) }
        let function = parts[parts.count - 1].lowercased()
        let values = arguments()
        return ["coalesce", "ifnull"].contains(function)
            ? .choice(values) : function == "if" || function == "iif" ? .choice(Array(values.dropFirst())) : .call(function, values)
    }

    /// From `(` to behind its `)`.
    private mutating func arguments() -> [Condition] {
        i += 1
        var values: [Condition] = []
        while i < tokens.endIndex, symbol() != ")" {
            let before = i
            values.append(expression(0))
            if symbol() == "," {
                i += 1
            } else if i == before || symbol() != ")" {
                values.append(
                    .opaque(readsColumns: tokens[before..<max(before, min(i + 1, tokens.endIndex))].contains { $0.kind == .word }))
                i += i == before || symbol() != ")" ? 1 : 0
            }
        }
        i += 1
        return values
    }
}
