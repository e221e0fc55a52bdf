/// Names of tables among a statement's tokens.
enum TableNames {
    /// Behind the words that a table's name follows.
    static func all(_ tokens: [Lexeme]) -> [[String]] {
        var found: [[String]] = []
        for i in tokens.indices where tokens[i].kind == .word {
            switch tokens[i].text {
            case "FROM", "JOIN", "INTO", "TABLE", "TABLES", "DESCRIBE", "STRAIGHT_JOIN", "TRUNCATE": break
            case "UPDATE" where i == 0 || !tokens[i - 1].isWord(["KEY", "FOR", "ON", "DO", "NO"]): break
            case "DELETE", "REPLACE", "INSERT", "HANDLER": break
            case "USING" where tokens.contains { $0.isWord("DELETE") }: break
            default: continue
            }
            found += list(tokens, from: i + 1)
        }
        return found
    }

    private static let skipped: Set<String> = [
        "IF", "NOT", "EXISTS", "LOW_PRIORITY", "QUICK", "IGNORE", "DELAYED", "HIGH_PRIORITY", "ONLY", "LATERAL", "TABLE", "INTO", "FROM", "OR",
        "ABORT", "FAIL", "ROLLBACK", "TEMPORARY",
    ]
    private static let ends: Set<String> = [
        "SELECT", "VALUES", "SET", "WHERE", "OUTFILE", "DUMPFILE", "ON", "USING", "GROUP", "ORDER", "LIMIT", "UPDATE", "DEFAULT", "REPLACE",
    ]

    /// `a`, `s.b AS x`, `c y`: as many as commas join.
    static func list(_ tokens: [Lexeme], from start: Int) -> [[String]] {
        var found: [[String]] = []
        var i = start
        while i < tokens.count {
            while i < tokens.count, tokens[i].isWord(skipped) { i += 1 }
            guard i < tokens.count, !tokens[i].isWord(ends) else { break }
            guard let (name, next) = name(tokens, i) else { break }
            found.append(name)
            i = next
            if i < tokens.count, tokens[i].isWord("AS") { i += 2 } else if i < tokens.count, tokens[i].kind == .word || tokens[i].kind == .name { i += 1 }
            guard i < tokens.count, tokens[i].isSymbol(",") else { break }
            i += 1
        }
        return found
    }

    private static func name(_ tokens: [Lexeme], _ start: Int) -> ([String], Int)? {
        var parts: [String] = []
        var i = start
        while i < tokens.count, [.word, .name].contains(tokens[i].kind) {
            parts.append(tokens[i].name)
            i += 1
            guard i + 1 < tokens.count, tokens[i].isSymbol(".") else { break }
            i += 1
            if tokens[i].isSymbol("*") { i += 1; break }
        }
        return parts.isEmpty ? nil : (parts, i)
    }
}
