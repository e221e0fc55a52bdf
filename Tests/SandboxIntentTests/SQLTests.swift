import Foundation
import SandboxIntent
import SandboxModel
import Testing

@Suite struct SQLTests {
    @Test(arguments: [
        (SQLDialect.postgres, postgresTable), (.mysql, mysqlTable), (.sqlite, sqliteTable), (.postgres, morePostgres), (.mysql, moreMySQL),
        (.sqlite, moreSQLite), (.postgres, postgresByHand), (.mysql, mysqlByHand), (.sqlite, sqliteByHand),
        (.postgres, everywhereByHand), (.mysql, everywhereByHand), (.sqlite, everywhereByHand),
    ])
    func table(_ dialect: SQLDialect, _ table: String) {
        var count = 0
        for line in table.split(separator: "\n") {
            guard let bar = line.firstIndex(of: "|") else { continue }
            let wanted = Set(line[..<bar].split(separator: " ").map { "sql.\($0)" })
            let text = String(line[bar...].dropFirst(2))
            let statements = SQL.read(Array(text.utf8), dialect: dialect)
            let found = Set(statements.flatMap(\.intents.names))
            if found != wanted { Issue.record("\(dialect): \(text): \(found.sorted())") }
            #expect(!statements.contains { $0.intents.isEmpty }, "\(text)")
            count += 1
        }
        #expect(count > 40)
    }

    private func all(_ text: String, _ dialect: SQLDialect = .postgres) -> [[String]] {
        SQL.read(Array(text.utf8), dialect: dialect).map { $0.intents.names.map { String($0.dropFirst(4)) } }
    }

    @Test func everyStatementOfATextIsSeen() {
        #expect(all("SELECT 1; DROP TABLE t; ; DELETE FROM t") == [["select"], ["drop"], ["delete", "delete_all"]])
        #expect(all("SELECT 1; DROP TABEL t; DROP TABLE t") == [["select"], ["drop", "unknown"], ["drop"]])
        #expect(all("").isEmpty && all(" ; -- nothing").isEmpty)
        let text = "SELECT 1; /* a */ DELETE FROM t ;"
        let ranges = SQL.read(Array(text.utf8), dialect: .postgres).map { String(decoding: Array(text.utf8)[$0.range], as: UTF8.self) }
        #expect(ranges == ["SELECT 1", "DELETE FROM t "])
    }

    /// A statement that names more tables than anybody keeps may be about any.
    @Test(arguments: SQLDialect.allCases.filter { $0 != .redis }) func moreTablesThanAreKept(_ dialect: SQLDialect) {
        for (count, isTold) in [(900, true), (1100, false)] {
            let names = (0..<count).map { "t\($0)" }.joined(separator: ", ")
            let statement = SQL.read(Array("SELECT * FROM \(names), customers".utf8), dialect: dialect)[0]
            #expect(statement.tables.contains("customers") == isTold)
            #expect(statement.intents.contains(.sqlUnknown) != isTold)
        }
    }

    @Test func tablesAndColumns() {
        func tables(_ text: String, _ dialect: SQLDialect = .postgres) -> [String] {
            SQL.read(Array(text.utf8), dialect: dialect).flatMap(\.tables)
        }
        #expect(tables("SELECT * FROM crm.public.Customers c JOIN \"Orders\" USING (id)") == ["crm.public.customers", "Orders"])
        #expect(tables("DROP TABLE a, s.b") == ["a", "s.b"])
        #expect(tables("WITH a AS (SELECT * FROM b) SELECT * FROM a") == ["b"])
        #expect(tables("WITH users AS (SELECT * FROM users) SELECT * FROM users") == ["users"])
        #expect(tables("WITH t AS (SELECT 1) DELETE FROM t WHERE id = 1") == ["t"])
        #expect(tables("WITH a AS (WITH a AS (SELECT * FROM a) SELECT * FROM a) SELECT * FROM a") == ["a"])
        #expect(tables("WITH a AS (SELECT * FROM b), b AS (SELECT * FROM a) SELECT * FROM b") == ["b"])
        #expect(tables("WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT * FROM a) SELECT * FROM b").isEmpty)
        #expect(tables("SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a) x, a") == ["a"])
        let twice = "(WITH a AS (SELECT 2) SELECT * FROM a) x, (WITH a AS (SELECT 3) SELECT * FROM a) y"
        #expect(tables("WITH a AS (SELECT 1) SELECT (SELECT 1 FROM a) FROM \(twice)").isEmpty)
        #expect(tables("SELECT 1 WHERE EXISTS (SELECT 1 FROM x WHERE y IN (SELECT z FROM s.w))") == ["x", "s.w"])
        #expect(tables("CREATE TEMP TABLE t AS SELECT * FROM s; SELECT * FROM t") == ["s"])
        #expect(tables("TRUNCATE a, b") == ["a", "b"])
        #expect(tables("SELECT * FROM a, `b c` x JOIN d.e ON 1", .mysql) == ["a", "b c", "d.e"])
        #expect(tables("DELETE a FROM a JOIN b ON a.id = b.id", .mysql).sorted() == ["a", "b"])
        #expect(tables("DROP TABLE [a b], c", .sqlite) == ["a b", "c"])
        let statement = SQL.read(Array("UPDATE t SET a = 1, b = c WHERE d.e = 2".utf8), dialect: .postgres)[0]
        #expect(Set(statement.columns) == ["a", "b", "c", "e"])
    }

    /// A name is a temporary table's only as long as nothing can have taken that away.
    @Test func temporaryTables() {
        #expect(all("CREATE TEMP TABLE t (a int); DROP TABLE t") == [["select"], ["select"]])
        #expect(all("CREATE TEMP TABLE t (a int); DELETE FROM t; TRUNCATE t") == [["select"], ["select"], ["select"]])
        #expect(all("CREATE TEMP TABLE t (a int); DROP TABLE t; DROP TABLE t")[2] == ["drop"])
        #expect(all("CREATE TEMP TABLE t (a int); DROP TABLE public.t")[1] == ["drop"])
        #expect(all("CREATE TEMP TABLE t (a int); DROP TABLE t, u")[1] == ["drop"])
        #expect(all("BEGIN; CREATE TEMP TABLE t (a int); ROLLBACK; DROP TABLE t")[3] == ["drop"])
        #expect(all("CREATE TEMP TABLE t (a int); SET search_path = public, pg_temp; DROP TABLE t")[2] == ["drop"])
        #expect(all("CREATE TEMP TABLE t (a int); DISCARD TEMP; DROP TABLE t")[2] == ["drop"])
        #expect(all("CREATE TEMP TABLE t (a int); SELECT f(); DROP TABLE t")[2] == ["drop"])
        #expect(all("CREATE TEMP TABLE t (a int); ALTER TABLE t RENAME TO u; DROP TABLE t")[2] == ["drop"])
        #expect(all("CREATE TABLE t (a int); DROP TABLE t")[1] == ["drop"])
        #expect(all("DROP TABLE pg_temp.t") == [["select"]])
        #expect(all("CREATE TEMPORARY TABLE t (a int); DROP TABLE t", .mysql) == [["select"], ["select"]])
    }

    @Test func whatIsPreparedCounts() {
        #expect(all("PREPARE q AS DELETE FROM t; EXECUTE q")[1] == ["delete", "delete_all", "call"])
        #expect(all("PREPARE q AS SELECT 1; DEALLOCATE q; EXECUTE q")[2].contains("call"))
        #expect(all("PREPARE s FROM 'DROP TABLE t'; EXECUTE s", .mysql)[1] == ["select", "drop", "call"])
    }

    @Test func textThatTheServerWouldReadDifferently() {
        #expect(all("SET standard_conforming_strings = off; SELECT 'a\\'; DROP TABLE t; --'").allSatisfy { $0.contains("unknown") })
        #expect(all("SET client_encoding = 'SJIS'; SELECT 1")[1].contains("unknown"))
        #expect(all("SET client_encoding = 'UTF8'; SELECT 1")[1] == ["select"])
        #expect(all("SELECT set_config('standard_conforming_strings', 'off', false); SELECT 1")[1].contains("unknown"))
    }

    /// Each subquery is looked at once, however many others ask about it: twice in each made 2⁴⁰ of 40.
    @Test(.timeLimit(.minutes(1))) func subqueriesThatAskEachOther() {
        let depth = 40
        func nested(_ one: String) -> String {
            "DELETE FROM t WHERE " + String(repeating: one, count: depth) + "true" + String(repeating: ")", count: depth)
        }
        let chain = (0..<depth).map { "a\($0) AS (SELECT id FROM a\($0 + 1) UNION SELECT id FROM a\($0 + 1))" }.joined(separator: ", ")
        for dialect in SQLDialect.allCases where dialect != .redis {
            func intents(_ text: String) -> IntentSet {
                SQL.read(Array(text.utf8), dialect: dialect).reduce(into: []) { $0.formUnion($1.intents) }
            }
            #expect(intents(nested("id IN (SELECT id FROM t WHERE ")).contains(.sqlDelete))
            #expect(intents(nested("a = 1 AND id NOT IN (SELECT id FROM t WHERE ")).contains(.sqlDelete))
            #expect(
                intents("WITH \(chain), a\(depth) AS (SELECT id FROM u) DELETE FROM t WHERE id IN (SELECT id FROM a0)").contains(.sqlDelete)
            )
        }
        #expect(
            SQL.read(Array(nested("id IN (SELECT id FROM t WHERE ").utf8), dialect: .postgres).contains {
                $0.intents.contains(.sqlDeleteAll)
            })
    }

    /// On the stack that the supervisor's threads have.
    @Test func hostileText() async {
        await withCheckedContinuation { done in
            let thread = Thread {
                self.readHostileText()
                done.resume()
            }
            thread.stackSize = 256 * 1024
            thread.start()
        }
    }

    /// Eight times as deep as is read at all, and on that stack far too deep for the parser.
    private func readHostileText() {
        func times(_ text: String, _ count: Int = 4_000) -> String { String(repeating: text, count: count) }
        for text in [
            times("("), "SELECT " + times("(") + "1" + times(")"), "SELECT 1" + times("+1"), "SELECT 1" + times(" UNION SELECT 1", 5_000),
            "SELECT " + times("NOT ") + "true", "SELECT " + times("CASE WHEN 1 THEN "), "SELECT * FROM a" + times(" CROSS JOIN b", 5_000),
            "SELECT 1" + times("::int"), times("SELECT ("), "/*" + times("/*", 20_000), times("'", 99_999),
            "SELECT 1, 2" + times(" UNION SELECT 1, 2"), "DELETE FROM t WHERE " + times("NOT (") + "1" + times(")"),
            "WITH " + (0..<20_000).map { "a\($0) AS (SELECT 1)" }.joined(separator: ", ") + " DELETE FROM t",
            "SELECT " + times("+", 20_000) + "1", "SELECT " + times("/**/", 20_000) + "1", "SELECT 1;\u{0}DROP TABLE t",
        ] {
            for dialect in SQLDialect.allCases {
                let statements = SQL.read(Array(text.utf8), dialect: dialect)
                #expect(!statements.isEmpty && statements.contains { $0.intents.contains(.sqlUnknown) || dialect != .postgres })
            }
        }
        // More than is parsed in one piece.
        let long = Array(("SELECT 1; " + times("INSERT INTO t VALUES (1, 'x'); ", 2_500) + "DROP TABLE t").utf8)
        #expect(long.count > 70_000 && SQL.read(long, dialect: .postgres).last?.intents == [.sqlDrop])
        #expect(SQL.read([UInt8](repeating: 0x20, count: SQL.maximumText + 1), dialect: .postgres).map(\.intents) == [[.sqlUnknown]])
    }
}
