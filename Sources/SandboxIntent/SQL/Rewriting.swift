internal import SandboxModel
internal import SandboxSQLParser

/// Text that does what was meant with less harm. What cannot be rewritten exactly is refused; what was is read again as any other text.
extension SQL {
    /// `DROP TABLE x` → the table moves out of the way: into the schema `trash` (PostgreSQL), the database `trash` (MySQL), or under
    /// the name `trash_x` (SQLite). Nil: something in the text drops otherwise, or is not understood. Two tables of one name need two
    /// names for `trash`.
    package static func keepingDropped(_ text: [UInt8], dialect: SQLDialect, trash: String) -> [UInt8]? {
        rewrite(text, dialect) { statement, shape in
            guard statement.intents.contains(.sqlDrop) else { return .kept }
            guard case .dropTable(let names, let ifExists) = shape, statement.intents == [.sqlDrop] else { return .refused }
            return moved(names, ifExists: ifExists, dialect, trash).map { .replaced($0) } ?? .refused
        } check: {
            $0.allSatisfy { !$0.intents.contains(.sqlDrop) }
        }
    }

    /// Each SELECT that says not how many rows it wants gets `LIMIT rows`. Nil: one of them cannot be given a limit.
    package static func limited(_ text: [UInt8], dialect: SQLDialect, rows: Int) -> [UInt8]? {
        rewrite(text, dialect) { statement, shape in
            switch shape {
            case .select(let isLimited): return isLimited ? .kept : .appended("\nLIMIT \(rows)")
            case .bound: return .refused
            case .dropTable, .other: return .kept
            }
        } check: { _ in
            true
        }
    }

    private enum Change { case kept, refused, replaced(String), appended(String) }
    private enum Shape {
        case select(isLimited: Bool)
        /// A SELECT that no LIMIT can be put behind: it locks or writes.
        case bound
        case dropTable([[String]], ifExists: Bool)
        case other
    }

    private static func rewrite(
        _ text: [UInt8], _ dialect: SQLDialect, _ change: (Statement, Shape) -> Change, check: ([Statement]) -> Bool
    ) -> [UInt8]? {
        let before = read(text, dialect: dialect)
        guard !before.contains(where: { $0.intents.contains(.sqlUnknown) }) else { return nil }
        var out: [UInt8] = []
        var last = 0
        for statement in before {
            let shape = shape(Array(text[statement.range]), dialect)
            out += text[last..<statement.range.lowerBound]
            switch change(statement, shape) {
            case .kept: out += text[statement.range]
            case .refused: return nil
            case .replaced(let new): out += new.utf8
            case .appended(let more): out += text[statement.range] + Array(more.utf8)
            }
            last = statement.range.upperBound
        }
        out += text[last...]
        let after = read(out, dialect: dialect)
        guard after.count >= before.count, check(after), !after.contains(where: { $0.intents.contains(.sqlUnknown) }) else { return nil }
        return out
    }

    private static func moved(_ names: [[String]], ifExists: Bool, _ dialect: SQLDialect, _ trash: String) -> String? {
        let lasts = names.compactMap(\.last)
        guard !trash.isEmpty, lasts.count == names.count, !lasts.isEmpty, Set(lasts).count == lasts.count else { return nil }
        func quoted(_ name: [String]) -> String? {
            let mark = dialect == .mysql ? "`" : "\""
            // Nobody's table; and no quoting to be clever about
            guard name.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 63 && !$0.contains(mark) && !$0.contains("\\") && !$0.contains("\0") })
            else { return nil }
            return name.map { mark + $0 + mark }.joined(separator: ".")
        }
        let all = names.compactMap(quoted)
        guard all.count == names.count, let place = quoted([trash]) else { return nil }
        switch dialect {
        case .postgres:
            let moves = all.map { "ALTER TABLE \(ifExists ? "IF EXISTS " : "")\($0) SET SCHEMA \(place)" }
            return (["CREATE SCHEMA IF NOT EXISTS \(place)"] + moves).joined(separator: "; ")
        case .mysql:
            guard !ifExists else { return nil }  // RENAME fails where the table is not there
            let moves = zip(all, lasts).map { "\($0) TO \(place).`\($1)`" }
            return "CREATE DATABASE IF NOT EXISTS \(place); RENAME TABLE " + moves.joined(separator: ", ")
        case .sqlite:
            guard !ifExists, all.count == 1, let new = quoted(["\(trash)_\(lasts[0])"]) else { return nil }
            return "ALTER TABLE \(all[0]) RENAME TO \(new)"
        case .redis: return nil
        }
    }

    // MARK: Shapes

    private static func shape(_ text: [UInt8], _ dialect: SQLDialect) -> Shape {
        if dialect == .postgres { return postgresShape(text) }
        var scanner = Scanner(text, dialect)
        var tokens: [Lexeme] = []
        while let token = scanner.next() { tokens.append(Lexeme(token, of: text)) }
        guard !scanner.sawExecutableComment, let first = tokens.first else { return .other }
        if first.isWord("DROP") { return tokenDrop(tokens) }
        guard first.isWord(["SELECT", "WITH"]) else { return first.isSymbol("(") ? .bound : .other }
        var depth = 0
        var isLimited = false
        for token in tokens {
            if token.isSymbol("(") { depth += 1 }
            if token.isSymbol(")") { depth -= 1 }
            guard depth == 0 else { continue }
            if token.isWord("LIMIT") { isLimited = true }
            if token.isWord(["INTO", "FOR", "LOCK", "PROCEDURE", "FETCH", "UNION", "INSERT", "UPDATE", "DELETE", "REPLACE"]) {
                return .bound
            }
        }
        return .select(isLimited: isLimited)
    }

    private static func tokenDrop(_ tokens: [Lexeme]) -> Shape {
        guard tokens.count >= 3, tokens[1].isWord("TABLE") else { return .other }
        let ifExists = tokens.count > 4 && tokens[2].isWord("IF") && tokens[3].isWord("EXISTS")
        var names: [[String]] = [[]]
        var wantsName = true
        for token in tokens.dropFirst(ifExists ? 4 : 2) {
            switch token.kind {
            case .word where wantsName, .name where wantsName: names[names.count - 1].append(token.name)
            case .symbol where token.text == "." && !wantsName: break
            case .symbol where token.text == "," && !wantsName: names.append([])
            default: return .other  // CASCADE, or whatever else
            }
            wantsName.toggle()
        }
        return wantsName ? .other : .dropTable(names, ifExists: ifExists)
    }

    private static func postgresShape(_ text: [UInt8]) -> Shape {
        guard !Nesting.isTooDeep(text, 0..<text.count), !OperatorRuns.areSlow(text, 0..<text.count),
            case .tree(let json) = PostgresParser.parse(text), let tree = ParseTree(json)
        else {
            return .other
        }
        let statements = tree.children(tree.child(0, .stmts))
        guard statements.count == 1, let body = tree.child(statements[0], .stmt).map(tree.unwrapped) else { return .other }
        switch tree.key(body) {
        case .selectStmt:
            // Anywhere in it: INTO may stand in the first of several parts
            let isBound = tree.isTrue(body, .lockingClause) || (body..<tree.end(body)).contains { tree.key($0) == .intoClause }
            let limit = tree.child(body, .limitCount)
            // LIMIT ALL is none
            let isVoid = limit.map { tree.child($0, .aConst, .isnull) != nil } ?? false
            return isBound || isVoid ? .bound : .select(isLimited: limit != nil)
        case .dropStmt:
            guard tree.string(body, .removeType) == "OBJECT_TABLE", tree.string(body, .behavior) == "DROP_RESTRICT" else { return .other }
            let names = tree.children(tree.child(body, .objects)).map { tree.names(tree.child(tree.unwrapped($0), .items)) }
            return .dropTable(names, ifExists: tree.isTrue(body, .missingOk))
        default: return .other
        }
    }
}
