internal import SandboxModel

/// One statement of MySQL or SQLite.
struct TokenStatement {
    let tokens: [Lexeme]
    let dialect: SQLDialect
    var session: SQLSession
    let level: Int
    var findings = Findings()

    init(_ tokens: [Lexeme], _ dialect: SQLDialect, session: SQLSession, level: Int) {
        self.tokens = tokens
        self.dialect = dialect
        self.session = session
        self.level = level
    }

    func word(_ i: Int) -> String { i >= 0 && i < tokens.count && tokens[i].kind == .word ? tokens[i].text : "" }
    func symbol(_ i: Int) -> String { i >= 0 && i < tokens.count && tokens[i].kind == .symbol ? tokens[i].text : "" }
    func has(_ wanted: String...) -> Bool { tokens.contains { $0.kind == .word && wanted.contains($0.text) } }
    func has(_ first: String, then second: String) -> Bool {
        tokens.indices.contains { word($0) == first && word($0 + 1) == second }
    }

    mutating func read() {
        var start = 0
        while symbol(start) == "(" { start += 1 }
        statement(start)
        collectTables()
        collectEffects()
        if dialect == .mysql { findings.tables.forEach { findings.database(ofTable: $0) } }
        if findings.intents.isEmpty { findings.add(.sqlUnknown, "a statement that is not known") }
    }

    private mutating func statement(_ i: Int) {
        switch word(i) {
        case "SELECT", "VALUES", "TABLE": findings.add(.sqlSelect, "SELECT")
        case "WITH": afterWith(i)
        case "INSERT": insert(i)
        case "REPLACE": findings.add([.sqlInsert, .sqlDelete], "REPLACE removes the rows it replaces")
        case "UPDATE", "DELETE":
            if word(i + 1) == "OR", word(i + 2) == "REPLACE" { findings.add(.sqlDelete, "UPDATE OR REPLACE") }
            change(i)
        case "TRUNCATE": findings.add(.sqlTruncate, "TRUNCATE")
        case "DROP": drop(i)
        case "CREATE": create(i)
        case "ALTER": alter(i)
        case "EXPLAIN", "DESCRIBE", "DESC": explain(i)
        case "GRANT", "REVOKE": findings.add(.sqlGrant, word(i))
        case "BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "END": transaction(i)
        case "REINDEX", "SHOW": findings.add(.sqlSelect, "a statement of the session's own")
        case _ where dialect == .mysql: mysql(i)
        default: sqlite(i)
        }
        if tokens.contains(where: { $0.isWord("SELECT") }) { findings.add(.sqlSelect, "SELECT") }
    }

    /// The statement behind the named queries; in these dialects they only read.
    private mutating func afterWith(_ i: Int) {
        var depth = 0
        for k in i..<tokens.count {
            if symbol(k) == "(" { depth += 1 }
            if symbol(k) == ")" { depth -= 1 }
            if depth == 0, ["SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "VALUES", "TABLE"].contains(word(k)), k > i + 1,
                symbol(k - 1) == ")"
            {
                return statement(k)
            }
        }
        findings.add(
            Set(tokens.map(\.text)).isDisjoint(with: ["INSERT", "REPLACE", "UPDATE", "DELETE"]) ? [.sqlSelect] : [.sqlSelect, .sqlUnknown],
            "WITH")
    }

    private mutating func insert(_ i: Int) {
        findings.add(.sqlInsert, "INSERT")
        if word(i + 1) == "OR", word(i + 2) == "REPLACE" { findings.add(.sqlDelete, "INSERT OR REPLACE") }
        if has("KEY", then: "UPDATE") || has("DO", then: "UPDATE") { findings.add(.sqlUpdate, "INSERT … UPDATE") }
    }

    private mutating func explain(_ i: Int) {
        var k = i + 1
        if dialect == .mysql, ["ANALYZE", "FORMAT", "EXTENDED", "PARTITIONS"].contains(word(k)) {
            while k < tokens.count, !["SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "WITH", "TABLE"].contains(word(k)) { k += 1 }
            if has("ANALYZE") { statement(k) }
        }
        findings.add(.sqlSelect, "EXPLAIN")
    }

    private mutating func transaction(_ i: Int) {
        let verb = word(i)
        if verb == "START", ["SLAVE", "REPLICA", "GROUP_REPLICATION"].contains(word(i + 1)) {
            return findings.add(.sqlAlter, "replication")
        }
        if ["COMMIT", "ROLLBACK", "END"].contains(verb) {
            session.temporary = []
            session.isInTransaction = verb == "ROLLBACK" && has("TO") && session.isInTransaction
        } else if verb == "BEGIN" || verb == "START" {
            session.isInTransaction = true
            // a body, not a transaction
            if verb == "BEGIN", tokens.count > i + 3 { findings.add(.sqlUnknown, "BEGIN with more than a transaction's words") }
        }
        findings.add(.sqlSelect, "a statement of the session's own")
    }

    // MARK: Tables that are made, changed and dropped

    private mutating func drop(_ i: Int) {
        let isTable = word(i + 1) == "TABLE"
        if word(i + 1) == "TEMPORARY" { return findings.add(.sqlSelect, "DROP of a temporary table") }
        if ["USER", "ROLE"].contains(word(i + 1)) { findings.add([.sqlDrop, .sqlGrant], "DROP \(word(i + 1))") }
        if ["PREPARE"].contains(word(i + 1)) { return findings.add(.sqlSelect, "a statement of the session's own") }
        let names = TableNames.list(tokens, from: i + 2)
        if isTable, !names.isEmpty, names.allSatisfy(isTemporary) {
            for name in names { session.temporary.remove(name.last ?? "") }
            return findings.add(.sqlSelect, "DROP of a temporary table")
        }
        findings.add(.sqlDrop, "DROP")
        if namesDatabase(i + 1) { names.compactMap(\.last).forEach { findings.database($0) } }
    }

    private func namesDatabase(_ i: Int) -> Bool { dialect == .mysql && ["DATABASE", "SCHEMA"].contains(word(i)) }

    func isTemporary(_ name: [String]) -> Bool {
        guard let last = name.last else { return false }
        if name.count == 1 { return session.temporary.contains(last) }
        return dialect == .sqlite && name[0].lowercased() == "temp"
    }

    private mutating func create(_ i: Int) {
        let head = tokens[i..<min(tokens.count, i + 12)]
        func heads(_ words: Set<String>) -> Bool { head.contains { $0.isWord(words) } }
        if has("SONAME") { findings.add(.sqlCopyProgram, "a function in a library") }
        if ["USER", "ROLE"].contains(word(i + 1)) || word(i + 1) == "DEFINER" { findings.add(.sqlGrant, "CREATE \(word(i + 1))") }
        if ["TEMPORARY", "TEMP"].contains(word(i + 1)) {
            let names = tokens.indices.first { ["TABLE", "VIEW"].contains(word($0)) }.map { TableNames.list(tokens, from: $0 + 1) } ?? []
            if let name = names.first?.last, names.first?.count == 1 || dialect == .sqlite, word(i + 2) == "TABLE" {
                session.created(temporary: name)
            }
            return findings.add(.sqlSelect, "a temporary table")
        }
        findings.add(.sqlCreate, "CREATE")
        if namesDatabase(i + 1), let name = TableNames.list(tokens, from: i + 2).first?.last { findings.database(name) }
        if word(i + 1) == "OR", word(i + 2) == "REPLACE", heads(["TABLE", "DATABASE", "SCHEMA"]) {
            findings.add(.sqlDrop, "CREATE OR REPLACE")
        }
        guard heads(["TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"]) else { return }
        // A client that knows no bodies sends what is in one as statements of their own
        var isBody = false
        for (k, token) in tokens.enumerated().dropFirst(i + 1) where token.kind == .word {
            // `AFTER INSERT ON` says when, not what
            isBody = isBody || ["BEGIN", "ROW", "DO", "SQL", "RETURNS", "STATEMENT"].contains(token.text)
            if isBody, ["UPDATE", "DELETE"].contains(token.text), !["KEY", "FOR", "ON"].contains(word(k - 1)) { changeInBody(k) }
            for (word, intents) in TokenStatement.bodyWords where isBody && token.text == word {
                findings.add(intents, "\(word) in a body")
            }
        }
    }

    /// A body's own statement, up to where it ends.
    private mutating func changeInBody(_ k: Int) {
        // SQLite's `ON CONFLICT DO UPDATE` has the condition of its key.
        if dialect == .sqlite, word(k - 1) == "DO" { return }
        let own = Array(tokens[k...].prefix { !$0.isSymbol(";") })
        guard let gap = TokenConditions.gap(own, from: 0, dialect) else { return }
        findings.add(word(k) == "UPDATE" ? .sqlUpdateAll : .sqlDeleteAll, "\(word(k)) \(gap) in a body")
    }
    private static let bodyWords: [(String, IntentSet)] = [
        ("DROP", [.sqlDrop]), ("TRUNCATE", [.sqlTruncate]), ("ALTER", [.sqlAlter]), ("GRANT", [.sqlGrant]), ("DELETE", [.sqlDelete]),
        ("INSERT", [.sqlInsert]), ("UPDATE", [.sqlUpdate]), ("REPLACE", [.sqlInsert]), ("CALL", [.sqlCall]), ("EXECUTE", [.sqlCall]),
        ("OUTFILE", [.sqlCopyOut]), ("DUMPFILE", [.sqlCopyOut]),
    ]

    private mutating func alter(_ i: Int) {
        findings.add(.sqlAlter, "ALTER")
        if ["USER", "ROLE"].contains(word(i + 1)) { findings.add(.sqlGrant, "ALTER \(word(i + 1))") }
        for k in tokens.indices
        where word(k) == "DROP" && !["CONSTRAINT", "INDEX", "KEY", "PRIMARY", "FOREIGN", "CHECK", "DEFAULT"].contains(word(k + 1)) {
            findings.add(.sqlDrop, "ALTER … DROP")
        }
        if has("TRUNCATE") { findings.add(.sqlTruncate, "TRUNCATE PARTITION") }
        if has("DISCARD", "EXCHANGE") { findings.add(.sqlDrop, "takes a table's rows away") }
        if tokens.indices.contains(where: { word($0) == "DATA" && word($0 + 1) == "DIRECTORY" }) {
            findings.add(.sqlCopyOut, "DATA DIRECTORY")
        }
    }

    // MARK: UPDATE and DELETE

    private mutating func change(_ i: Int) {
        let isUpdate = word(i) == "UPDATE"
        findings.add(isUpdate ? .sqlUpdate : .sqlDelete, word(i))
        if dialect == .sqlite, tokens.contains(where: { ["sqlite_master", "sqlite_schema"].contains($0.name.lowercased()) }) {
            findings.add([.sqlAlter, .sqlDrop], "changes the schema by hand")
        }
        let gap = TokenConditions.gap(tokens, from: i, dialect)
        if let gap { findings.add(isUpdate ? .sqlUpdateAll : .sqlDeleteAll, "\(word(i)) \(gap)") }
    }

    // MARK: Whatever stands anywhere

    private mutating func collectTables() {
        for name in TableNames.all(tokens) where !isTemporary(name) { findings.table(name.joined(separator: ".")) }
    }

    private mutating func collectEffects() {
        for i in tokens.indices where tokens[i].kind == .word {
            switch tokens[i].text {
            case "OUTFILE", "DUMPFILE": if word(i - 1) == "INTO" { findings.add(.sqlCopyOut, "INTO \(tokens[i].text)") }
            case _ where symbol(i + 1) == "(": call(i)
            default: break
            }
        }
        for i in tokens.indices where tokens[i].kind == .name && symbol(i + 1) == "(" { call(i) }
    }

    private mutating func call(_ i: Int) {
        let name = tokens[i].name.lowercased()
        if dialect == .sqlite, name.hasPrefix("pragma_") { return }
        let known = FunctionEffect.of(name, schema: nil)
        guard let effect = known, !(effect.intents == [.sqlCall] && !effect.runsText) || isCallPosition(i) else { return }
        if effect.intents == [.sqlCall], !effect.runsText, MoreFunctions.harmless.contains(name) { return }
        findings.add(effect.intents, "\(name): \(effect.reason)")
        if effect.runsText { findings.add(.sqlUnknown, "runs text that is not known") }
    }

    /// A name before a bracket is a function where a value is wanted; elsewhere it is a table, an index or a type.
    private func isCallPosition(_ i: Int) -> Bool {
        guard let first = tokens.first(where: { $0.kind == .word }),
            ["SELECT", "WITH", "UPDATE", "DELETE", "INSERT", "REPLACE", "SET", "DO", "VALUES"].contains(first.text)
        else { return false }
        return !["INTO", "TABLE", "AS", "WITH", "RECURSIVE", "UPDATE", "INDEX", "KEY", "JOIN", "CONFLICT", "REFERENCES", "OVER"].contains(
            word(i - 1))
            && !(tokens[i].kind == .name && symbol(i - 1) == ".") || symbol(i - 1) == "." && !["INTO"].contains(word(i - 3))
    }
}
