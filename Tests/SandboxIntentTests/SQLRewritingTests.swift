import SandboxIntent
import SandboxModel
import Testing

@Suite struct SQLRewritingTests {
    private func kept(_ text: String, _ dialect: SQLDialect = .postgres) -> String? {
        SQL.keepingDropped(Array(text.utf8), dialect: dialect, trash: "trash").map { String(decoding: $0, as: UTF8.self) }
    }
    private func limited(_ text: String, _ dialect: SQLDialect = .postgres) -> String? {
        SQL.limited(Array(text.utf8), dialect: dialect, rows: 10).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func droppedTablesMove() {
        #expect(kept("DROP TABLE t") == "CREATE SCHEMA IF NOT EXISTS \"trash\"; ALTER TABLE \"t\" SET SCHEMA \"trash\"")
        #expect(
            kept("SELECT 1; DROP TABLE IF EXISTS a.T, \"B c\"; SELECT 2")
                == "SELECT 1; CREATE SCHEMA IF NOT EXISTS \"trash\"; ALTER TABLE IF EXISTS \"a\".\"t\" SET SCHEMA \"trash\"; "
                + "ALTER TABLE IF EXISTS \"B c\" SET SCHEMA \"trash\"; SELECT 2")
        #expect(
            kept("DROP TABLE a, `b`.`c`", .mysql)
                == "CREATE DATABASE IF NOT EXISTS `trash`; RENAME TABLE `a` TO `trash`.`a`, `b`.`c` TO `trash`.`c`")
        #expect(kept("DROP TABLE t", .sqlite) == "ALTER TABLE \"t\" RENAME TO \"trash_t\"")
        for text in ["DROP TABLE t", "drop table if exists s.t"] {
            let intents = SQL.read(Array(kept(text)!.utf8), dialect: .postgres).reduce(into: IntentSet()) { $0.formUnion($1.intents) }
            #expect(intents == [.sqlCreate, .sqlAlter])
        }
    }

    @Test(arguments: [
        "DROP TABLE t CASCADE", "DROP SCHEMA s", "DROP VIEW v", "DROP DATABASE d", "DROP TABLE a, b.a", "DROP TABEL t",
        "ALTER TABLE t DROP COLUMN a",
        "DO $$ BEGIN DROP TABLE t; END $$", "SELECT dblink_exec('x', 'DROP TABLE t')", "DROP TABLE \"a\"\"b\"",
        "SELECT 1; DROP TABLE t; DROP INDEX i",
    ]) func whatCannotMoveIsRefused(text: String) { #expect(kept(text) == nil) }

    @Test(arguments: [
        ("DROP TABLE IF EXISTS t", SQLDialect.mysql), ("DROP TABLE IF EXISTS t", .sqlite), ("DROP TABLE t CASCADE", .mysql),
        ("DROP DATABASE d", .mysql),
        ("DROP TABLE a, b.a", .mysql), ("DROP /*!50000 TABLE */ t", .mysql), ("DROP TABLE `a``b`", .mysql),
        ("ALTER TABLE t DROP COLUMN a", .sqlite),
    ]) func whatCannotMoveIsRefusedElsewhere(text: String, dialect: SQLDialect) { #expect(kept(text, dialect) == nil) }

    @Test func limits() {
        #expect(limited("SELECT * FROM t") == "SELECT * FROM t\nLIMIT 10")
        #expect(limited("SELECT * FROM t -- all\n; SELECT 2 LIMIT 1") == "SELECT * FROM t -- all\n\nLIMIT 10; SELECT 2 LIMIT 1")
        #expect(limited("SELECT a FROM t UNION SELECT b FROM u") == "SELECT a FROM t UNION SELECT b FROM u\nLIMIT 10")
        #expect(limited("SELECT * FROM (SELECT * FROM t LIMIT 3) x") == "SELECT * FROM (SELECT * FROM t LIMIT 3) x\nLIMIT 10")
        #expect(limited("SELECT 1 FETCH FIRST ROW ONLY") == "SELECT 1 FETCH FIRST ROW ONLY")
        #expect(limited("UPDATE t SET a = 1 WHERE id = 1") == "UPDATE t SET a = 1 WHERE id = 1")
        #expect(
            limited("SELECT * FROM t", .mysql) == "SELECT * FROM t\nLIMIT 10"
                && limited("SELECT * FROM t LIMIT 5", .sqlite) == "SELECT * FROM t LIMIT 5")
        for text in ["SELECT * FROM t FOR UPDATE", "SELECT * INTO u FROM t", "SELECT * FROM t LIMIT ALL", "SELEC 1", "(SELECT 1 LIMIT 5)"] {
            #expect(limited(text) == nil || limited(text) == text, "\(text)")
        }
        #expect(limited("SELECT * FROM t INTO OUTFILE 'x'", .mysql) == nil && limited("SELECT 1 UNION SELECT 2", .mysql) == nil)
    }
}
