import SandboxIntent
import SandboxModel
import SandboxSQLParser
import Testing

/// Statements made from a grammar of the test's own, and what PostgreSQL's parser says of them, looked at with no cleverness at all: a
/// node of that type anywhere in its text must show in the intents. A quote within a string is escaped there, so that no text of a
/// statement can pose as a node.
@Suite struct SQLDifferentialTests {
    struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {  // splitmix64
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
            return z ^ z >> 31
        }
        mutating func below(_ n: Int) -> Int { Int(next() % UInt64(n)) }
        mutating func of(_ choices: [String]) -> String { choices[below(choices.count)] }
    }

    private static let rules: [(node: String, intent: Intent)] = [
        ("DeleteStmt", .sqlDelete), ("UpdateStmt", .sqlUpdate), ("InsertStmt", .sqlInsert), ("TruncateStmt", .sqlTruncate),
        ("DropStmt", .sqlDrop), ("DropdbStmt", .sqlDrop), ("DropRoleStmt", .sqlDrop), ("DropOwnedStmt", .sqlDrop),
        ("DropSubscriptionStmt", .sqlDrop), ("DropTableSpaceStmt", .sqlDrop), ("DropUserMappingStmt", .sqlDrop), ("GrantStmt", .sqlGrant),
        ("GrantRoleStmt", .sqlGrant), ("AlterRoleStmt", .sqlGrant), ("CreateRoleStmt", .sqlGrant), ("AlterTableStmt", .sqlAlter),
        ("AlterSystemStmt", .sqlAlter), ("RenameStmt", .sqlAlter), ("DoStmt", .sqlUnknown), ("CallStmt", .sqlCall),
        ("ExecuteStmt", .sqlCall), ("CreateFunctionStmt", .sqlCreate), ("ViewStmt", .sqlCreate), ("IndexStmt", .sqlCreate),
        ("LoadStmt", .sqlCopyProgram), ("AlterOwnerStmt", .sqlGrant), ("CreateTrigStmt", .sqlCreate), ("RuleStmt", .sqlCreate),
    ]

    private func check(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        let statements = SQL.read(bytes, dialect: .postgres)
        #expect(!statements.contains { $0.intents.isEmpty }, "\(text)")
        guard !bytes.contains(0), case .tree(let json) = PostgresParser.parse(bytes) else {
            #expect(statements.isEmpty || statements.contains { $0.intents.contains(.sqlUnknown) } || statements.count > 1, "\(text)")
            return false
        }
        let tree = String(decoding: json, as: UTF8.self)
        let intents = statements.reduce(into: IntentSet()) { $0.formUnion($1.intents) }
        // What is explained without being run does nothing; temporary tables are the connection's own
        let isExempt =
            tree.contains("\"ExplainStmt\":{") || tree.contains("\"relpersistence\":\"t\"") || text.lowercased().contains("pg_temp")
        for (node, intent) in SQLDifferentialTests.rules where !isExempt && tree.contains("\"\(node)\":{") {
            #expect(intents.contains(intent), "\(node) in \(text)")
        }
        if tree.contains("\"is_program\":true") { #expect(intents.contains(.sqlCopyProgram), "\(text)") }
        if !isExempt {
            // Each change without any condition at all, by its own braces
            for (node, intent) in [("DeleteStmt", Intent.sqlDeleteAll), ("UpdateStmt", .sqlUpdateAll)] {
                for body in bodies(of: node, in: json) where !body.contains("\"whereClause\":") {
                    #expect(intents.contains(intent), "\(text)")
                }
            }
        }
        return true
    }

    /// From `{` to its `}`.
    private func bodies(of node: String, in json: [UInt8]) -> [String] {
        let mark = Array("\"\(node)\":{".utf8)
        var found: [String] = []
        for start in json.indices
        where json[start] == mark[0] && json[min(start + 1, json.count - 1)] == mark[1] && json[start...].starts(with: mark) {
            var depth = 0
            var end = start + mark.count - 1
            var isQuoted = false
            while end < json.count {
                let c = json[end]
                if c == UInt8(ascii: "\\") { end += 1 } else if c == UInt8(ascii: "\"") { isQuoted.toggle() }
                if !isQuoted, c == UInt8(ascii: "{") { depth += 1 }
                if !isQuoted, c == UInt8(ascii: "}") { depth -= 1 }
                if depth == 0 { break }
                end += 1
            }
            found.append(String(decoding: json[start...min(end, json.count - 1)], as: UTF8.self))
        }
        return found
    }

    // MARK: The grammar

    private func name(_ r: inout Random) -> String {
        r.of(["t", "users", "\"Drop\"", "s.orders", "\"delete from\"", "a.b.c", "U&\"d\\0061ta\"", "pg_temp.x", "\"we\"\"ird\"", "_x1"])
    }
    private func value(_ r: inout Random, _ depth: Int) -> String {
        let plain = [
            "1", "'x'", "null", "true", "a", "t.a", "$1", "'DROP TABLE t'", "$$DELETE FROM t$$", "E'\\''", "now()", "1.5e3", "-1",
            "current_user", "U&'\\0041'",
        ]
        guard depth > 0, r.below(3) == 0 else { return r.of(plain) }
        switch r.below(8) {
        case 0: return "(\(select(&r, depth - 1)) LIMIT 1)"
        case 1: return "f(\(value(&r, depth - 1)))"
        case 2: return "CASE WHEN \(condition(&r, depth - 1)) THEN \(value(&r, depth - 1)) END"
        case 3: return "(\(value(&r, depth - 1)))::text"
        case 4: return "ARRAY[\(value(&r, depth - 1))]"
        case 5: return "coalesce(\(value(&r, depth - 1)), 1)"
        default: return "(\(value(&r, depth - 1)) \(r.of(["+", "||", "*", "="])) \(value(&r, depth - 1)))"
        }
    }
    private func condition(_ r: inout Random, _ depth: Int) -> String {
        guard depth > 0 else { return r.of(["a = 1", "true", "1 = 1", "x IS NULL", "a IN (1, 2)", "b LIKE '%'"]) }
        switch r.below(6) {
        case 0: return "\(condition(&r, depth - 1)) AND \(condition(&r, depth - 1))"
        case 1: return "(\(condition(&r, depth - 1)) OR \(condition(&r, depth - 1)))"
        case 2: return "NOT (\(condition(&r, depth - 1)))"
        case 3: return "EXISTS (\(select(&r, depth - 1)))"
        default: return "\(value(&r, depth - 1)) \(r.of(["=", "<", "<>", "~", "IS DISTINCT FROM"])) \(value(&r, depth - 1))"
        }
    }
    private func select(_ r: inout Random, _ depth: Int) -> String {
        let with =
            depth > 0 && r.below(4) == 0
            ? "WITH w AS (\(r.below(2) == 0 ? select(&r, depth - 1) : change(&r, depth - 1) + " RETURNING *")) " : ""
        var text = with + "SELECT \(value(&r, depth)), * FROM \(name(&r))"
        if r.below(3) == 0 { text += " JOIN \(name(&r)) AS j ON \(condition(&r, depth - 1))" }
        if r.below(2) == 0 { text += " WHERE \(condition(&r, depth))" }
        if r.below(6) == 0 { text += " UNION ALL SELECT 1" }
        return text
    }
    private func change(_ r: inout Random, _ depth: Int) -> String {
        let limit = r.below(2) == 0 ? " WHERE \(condition(&r, depth))" : ""
        switch r.below(4) {
        case 0: return "DELETE FROM \(name(&r))\(r.below(3) == 0 ? " USING u" : "")\(limit)"
        case 1: return "UPDATE \(name(&r)) SET a = \(value(&r, depth))\(limit)"
        case 2: return "INSERT INTO \(name(&r)) VALUES (\(value(&r, depth)))"
        default: return "INSERT INTO \(name(&r)) (a) \(select(&r, depth - 1)) ON CONFLICT DO NOTHING"
        }
    }
    private func statement(_ r: inout Random, _ depth: Int) -> String {
        switch r.below(15) {
        case 0, 1: return select(&r, depth)
        case 2, 3, 4: return change(&r, depth)
        case 5:
            return
                "DROP \(r.of(["TABLE", "VIEW", "INDEX", "SEQUENCE", "MATERIALIZED VIEW"])) \(r.of(["", "IF EXISTS "]))\(name(&r)), \(name(&r)) \(r.of(["", "CASCADE"]))"
        case 6:
            return r.of([
                "TRUNCATE \(name(&r))", "DROP SCHEMA s", "DROP ROLE r", "DROP DATABASE d", "DROP OWNED BY r", "DROP FUNCTION f(int)",
                "DROP TYPE \(name(&r))",
            ])
        case 7: return "ALTER TABLE \(name(&r)) \(r.of(["ADD COLUMN c int", "DROP COLUMN c", "RENAME TO z", "OWNER TO r", "SET SCHEMA s"]))"
        case 8: return "\(r.of(["GRANT SELECT ON", "REVOKE ALL ON"])) t \(r.of(["TO r", "FROM r"]))"
        case 9:
            return
                "COPY (\(r.below(2) == 0 ? select(&r, depth) : change(&r, depth) + " RETURNING *")) TO \(r.of(["STDOUT", "'x'", "PROGRAM 'id'"]))"
        case 10: return "PREPARE p AS \(r.below(2) == 0 ? select(&r, depth) : change(&r, depth))"
        case 11: return "EXPLAIN \(r.of(["", "ANALYZE ", "(COSTS off) "]))\(change(&r, depth))"
        case 12:
            return r.of([
                "CREATE VIEW v AS ", "CREATE TABLE n AS ", "CREATE TEMP TABLE n AS ", "CREATE MATERIALIZED VIEW m AS ",
                "DECLARE c CURSOR FOR ",
            ]) + select(&r, depth)
        case 13:
            return r.of([
                "DO $$ BEGIN DROP TABLE t; END $$", "CALL p(1)", "EXECUTE p", "LOAD 'x'", "ALTER SYSTEM SET a = 1",
                "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM x; UPDATE y SET a = 1)",
            ])
        default:
            return r.of([
                "BEGIN", "COMMIT", "SET a = 1", "SHOW a", "CREATE ROLE r", "CREATE INDEX ON t (a)",
                "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC DELETE FROM t; SELECT 1; END",
            ])
        }
    }

    /// The same, written otherwise; or something else.
    private func mutated(_ text: String, _ r: inout Random) -> String {
        var bytes = Array(text.utf8)
        for _ in 0..<r.below(4) {
            guard !bytes.isEmpty else { break }
            let at = r.below(bytes.count)
            switch r.below(9) {
            case 0: for i in bytes.indices where bytes[i] | 0x20 >= 0x61 && bytes[i] | 0x20 <= 0x7a && r.below(2) == 0 { bytes[i] ^= 0x20 }
            case 1:
                if bytes[at] == 0x20 {
                    bytes.replaceSubrange(at...at, with: r.of(["/**/", "\n", " -- x\n", "/* /* ; */ */", "\t\u{c}", "\n--'\n"]).utf8)
                }
            case 2: bytes.insert(contentsOf: r.of(["'", "\"", ";", "(", ")", "--", "/*", "*/", "$$", "\\", ","]).utf8, at: at)
            case 3: bytes.remove(at: at)
            case 4: bytes.removeLast(r.below(bytes.count))
            case 5: bytes = Array("/* c */ ".utf8) + bytes + Array(" ; ".utf8)
            case 6: bytes += Array("; SELECT 1".utf8)
            case 7: bytes = Array("SELECT 1; ".utf8) + bytes
            default: bytes += Array(" -- DROP TABLE x".utf8)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>) func generated(seed: UInt64) {
        var random = Random(state: seed)
        var parsed = 0
        for _ in 0..<200 {
            let text = statement(&random, 2)
            if check(text) { parsed += 1 }
            _ = check(mutated(text, &random))
        }
        #expect(parsed > 130)
    }

    /// Bytes, and pieces of SQL in any order.
    @Test(arguments: 1...4 as ClosedRange<UInt64>) func fuzz(seed: UInt64) {
        var random = Random(state: seed ^ 0xabcdef)
        let pieces = [
            "SELECT", "DELETE", "FROM", "WHERE", "'", "\"", "`", "[", "]", "(", ")", ";", "--", "/*", "*/", "/*!", "#", "$$", "$a$", "\\",
            "\\!", ":", "::", "E'", "U&'",
            "U&\"", "x", "1", ",", ".", "=", "OR", "AND", "NOT", "IN", "BETWEEN", "CASE", "WHEN", "END", "BEGIN", "CREATE TRIGGER",
            "DELIMITER", "\n", " ", "\u{0}", "é",
            ".read", "COPY t FROM STDIN;", "UPDATE", "SET", "IS", "NULL", "LIKE", "WITH", "AS", "EXISTS", "@", "@@", "?", "%", "\\copy",
            "\\g",
        ]
        for round in 0..<100 {
            var bytes: [UInt8] = []
            for _ in 0..<random.below(40) {
                if round % 3 == 0 {
                    bytes.append(UInt8(truncatingIfNeeded: random.next()))
                } else {
                    bytes += Array(random.of(pieces).utf8) + (random.below(2) == 0 ? [0x20] : [])
                }
            }
            for dialect in SQLDialect.allCases {
                let statements = SQL.read(bytes, dialect: dialect)
                #expect(statements.allSatisfy { !$0.intents.isEmpty && $0.range.upperBound <= bytes.count })
                _ = SQL.keepingDropped(bytes, dialect: dialect, trash: "trash")
                _ = SQL.limited(bytes, dialect: dialect, rows: 5)
            }
            for client in SQLClient.allCases {
                #expect(SQL.readScript(bytes, client).statements.allSatisfy { !$0.intents.isEmpty && $0.range.upperBound <= bytes.count })
            }
        }
    }
}
