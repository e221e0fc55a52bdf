/// Text → statements, where a parser does not say it.
enum Splitter {
    /// At each `;` that stands neither in brackets nor in the body of a routine. Empty ones are left out.
    static func pieces(of text: [UInt8], _ dialect: SQLDialect, range: Range<Int>? = nil) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var scanner = Scanner(text, dialect, range: range)
        var start: Int?
        var brackets = 0
        var body = RoutineBody(dialect)
        while let token = scanner.next() {
            if token.kind == .symbol {
                switch text[token.range.lowerBound] {
                case UInt8(ascii: "("): brackets += 1
                case UInt8(ascii: ")"): brackets = max(0, brackets - 1)
                case UInt8(ascii: ";") where brackets == 0 && !body.isOpen:
                    if let first = start { pieces.append(first..<token.range.lowerBound) }
                    start = nil
                    body = RoutineBody(dialect)
                    continue
                default: break
                }
            }
            start = start ?? token.range.lowerBound
            body.take(token, of: text)
        }
        if let first = start { pieces.append(first..<scanner.end) }
        return pieces
    }
}

/// `CREATE TRIGGER … BEGIN …; …; END`: within, a `;` ends nothing.
struct RoutineBody {
    private let dialect: SQLDialect
    private var words = 0
    private var isCreate = false
    private var isRoutine = false
    private var sawBegin = false
    private var depth = 0

    init(_ dialect: SQLDialect) { self.dialect = dialect }
    var isOpen: Bool { depth > 0 }

    mutating func take(_ token: Token, of text: [UInt8]) {
        guard token.kind == .word else {
            sawBegin = false
            return
        }
        words += 1
        func isOne(of list: [String]) -> Bool { list.contains { text.isWord($0, in: token.range) } }
        if words == 1 { isCreate = isOne(of: ["CREATE"]) }
        guard isCreate else { return }
        if words <= 8, isOne(of: ["TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"]) { isRoutine = true }
        guard isRoutine else { return }
        if depth == 0 {
            // PostgreSQL's bodies are strings, but for those of standard SQL
            if dialect == .postgres ? sawBegin && isOne(of: ["ATOMIC"]) : isOne(of: ["BEGIN"]) { depth = 1 }
            sawBegin = isOne(of: ["BEGIN"])
        } else if isOne(of: ["END"]) {
            depth -= 1
        } else if isOne(of: ["CASE"]) || dialect == .mysql && isOne(of: ["BEGIN"]) {
            depth += 1
        }
    }
}
