internal import SandboxModel

/// What text that no grammar takes may yet do, by its words: added to `sql.unknown`, never instead of it.
enum Guess {
    static func statement(_ text: [UInt8], _ dialect: SQLDialect, _ range: Range<Int>, _ reason: String) -> Statement {
        Statement(intents: intents(text, dialect, range).union([.sqlUnknown]), range: range, reasons: [reason])
    }

    static func intents(_ text: [UInt8], _ dialect: SQLDialect, _ range: Range<Int>) -> IntentSet {
        var found: IntentSet = []
        var scanner = Scanner(text, dialect, range: range)
        while let token = scanner.next() {
            guard token.kind == .word, token.range.count <= 16 else { continue }
            for (word, intents) in words where text.isWord(word, in: token.range) { found.formUnion(intents) }
        }
        return found
    }

    /// Text that PL/pgSQL's EXECUTE is given: `EXECUTE 'DROP TABLE ' || x`, `EXECUTE format('DROP TABLE %I', x)`. Its values are no SQL.
    static func executed(_ code: [UInt8]) -> [[UInt8]] {
        var scanner = Scanner(code, .postgres), found: [[UInt8]] = []
        var isOpen = false, follows = false
        while let token = scanner.next() {
            let isJoin = token.kind == .symbol && code[token.range].first == UInt8(ascii: "|")
            if token.kind == .word, code.isWord("EXECUTE", in: token.range) { (isOpen, follows) = (true, true) }
            if code[token.range].first == UInt8(ascii: ";") { isOpen = false }
            if isOpen, follows, token.kind == .string {
                found.append(text(of: token, code))
                follows = false
            }
            if isJoin { follows = true }
        }
        return found
    }

    private static func text(of token: Token, _ code: [UInt8]) -> [UInt8] {
        let raw = code[token.range], mark = UInt8(ascii: "$")
        guard raw.first == mark, let end = raw.dropFirst().firstIndex(of: mark) else { return Array(Lexeme(token, of: code).text.utf8) }
        return Array(raw[(end + 1)...].dropLast(end - raw.startIndex + 1))
    }

    static func looksLikeSQL(_ text: [UInt8]) -> Bool {
        var scanner = Scanner(text, .postgres)
        guard let first = scanner.next(), first.kind == .word, scanner.next() != nil else { return false }
        return verbs.contains { text.isWord($0, in: first.range) }
    }

    private static let verbs = [
        "SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "DROP", "ALTER", "CREATE", "GRANT", "REVOKE", "COPY", "DO",
        "CALL", "EXECUTE", "SET", "BEGIN", "COMMIT", "VALUES", "TABLE", "LOCK", "REASSIGN", "REINDEX", "VACUUM", "PREPARE", "EXPLAIN",
    ]
    private static let words: [(String, IntentSet)] = [
        ("SELECT", [.sqlSelect]), ("INSERT", [.sqlInsert]), ("UPDATE", [.sqlUpdate, .sqlUpdateAll]), ("REPLACE", [.sqlInsert, .sqlDelete]),
        ("DELETE", [.sqlDelete, .sqlDeleteAll]), ("MERGE", [.sqlInsert, .sqlUpdate, .sqlDelete]), ("TRUNCATE", [.sqlTruncate]),
        ("DROP", [.sqlDrop]), ("ALTER", [.sqlAlter]), ("RENAME", [.sqlAlter]), ("CREATE", [.sqlCreate]), ("GRANT", [.sqlGrant]),
        ("REVOKE", [.sqlGrant]), ("REASSIGN", [.sqlGrant]), ("COPY", [.sqlCopyOut]), ("OUTFILE", [.sqlCopyOut]),
        ("DUMPFILE", [.sqlCopyOut]), ("ATTACH", [.sqlCopyOut]), ("PROGRAM", [.sqlCopyProgram]), ("CALL", [.sqlCall]),
        ("EXECUTE", [.sqlCall]), ("PERFORM", [.sqlCall]), ("PURGE", [.sqlDrop]),
    ]
}
