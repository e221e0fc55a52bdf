internal import SandboxModel
internal import SandboxSQLParser

/// PostgreSQL text → statements, by the server's own grammar.
struct PostgresReader {
    let text: [UInt8]
    var session: SQLSession
    /// How often text within text has been followed.
    let level: Int
    /// Above this, statements are parsed one by one, so that no tree grows without bound.
    private static let wholeText = 64 * 1024
    private static let longestStatement = 256 * 1024

    init(_ text: [UInt8], session: SQLSession = SQLSession(), level: Int = 0) {
        self.text = text
        self.session = session
        self.level = level
    }

    mutating func read() -> [Statement] {
        if text.count <= PostgresReader.wholeText, let statements = parse(0..<text.count) { return statements }
        let pieces = Splitter.pieces(of: text, .postgres)
        return pieces.flatMap { piece in
            let piece = trimmed(piece)
            return parse(piece) ?? [Guess.statement(text, .postgres, piece, "not understood by PostgreSQL's grammar")]
        }
    }

    /// Nil: this is not SQL, as a whole.
    private mutating func parse(_ range: Range<Int>) -> [Statement]? {
        guard range.count <= PostgresReader.longestStatement, !text[range].contains(0), !Nesting.isTooDeep(text, range) else { return nil }
        let part = range.count == text.count ? text : Array(text[range])
        guard case .tree(let json) = PostgresParser.parse(part), let tree = ParseTree(json), let list = tree.child(0, .stmts) else {
            return nil
        }
        return tree.children(list).map { statement in
            let start = tree.number(statement, .stmtLocation) + range.lowerBound
            let length = tree.number(statement, .stmtLen)
            let place = trimmed(start..<min(length == 0 ? range.upperBound : start + length, text.count))
            guard let body = tree.child(statement, .stmt) else { return Statement(intents: [.sqlUnknown], range: place) }
            return read(tree, tree.unwrapped(body)).statement(place)
        }
    }

    /// Without the blanks and comments in front.
    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        guard let first = text[range].first, first.isBlank || first == UInt8(ascii: "-") || first == UInt8(ascii: "/") else { return range }
        var scanner = Scanner(text, .postgres, range: range)
        return (scanner.next()?.range.lowerBound ?? range.lowerBound)..<range.upperBound
    }

    private mutating func read(_ tree: ParseTree, _ body: Int) -> Findings {
        var walk = PostgresWalk(tree, session: session, level: level)
        walk.readTop(body)
        session = walk.session
        if session.isReadDifferently { walk.findings.add(.sqlUnknown, "the server was told to read text differently") }
        return walk.findings
    }
}
