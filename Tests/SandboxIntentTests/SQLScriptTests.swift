import SandboxIntent
import SandboxModel
import Testing

@Suite struct SQLScriptTests {
    private func read(_ text: String, _ client: SQLClient, stopsAtErrors: Bool = false) -> ScriptMeaning {
        SQL.readScript(Array(text.utf8), client, stopsAtErrors: stopsAtErrors)
    }
    private func names(_ meaning: ScriptMeaning) -> [[String]] {
        meaning.statements.map { $0.intents.names.map { String($0.dropFirst(4)) } }
    }
    private func texts(_ lists: [[UInt8]]) -> [String] { lists.map { String(decoding: $0, as: UTF8.self) } }

    @Test(arguments: [
        ("\\! rm -rf /", "rm -rf /"), ("SELECT 1 \\! id", "id"), ("\\o | cat > x", "cat > x"), ("SELECT 1 \\g | sh", "sh"),
        ("\\w |sh", "sh"), ("\\copy t to program 'sh -c x'", "sh -c x"), ("\\copy (select 1) to program 'id'", "id"),
        ("\\set x `id`", " x `id`"),
        ("\\i a.sql \\! id", "id"),
    ]) func psqlRunsPrograms(script: String, program: String) {
        let meaning = read(script, .psql)
        #expect(texts(meaning.programs) == [program], "\(script)")
        #expect(meaning.intents.contains(.sqlCopyProgram))
    }

    @Test(arguments: [
        "SELECT '\\! id'", "SELECT 1 -- \\! id", "/* \\! id */ SELECT 1", "SELECT \"\\! id\"", "SELECT $$\\! id$$", "\\echo '\\! id'",
        "\\d users",
        "\\x\n\\timing\nSELECT 1;", "\\copy t to stdout",
    ]) func psqlRunsNothing(script: String) { #expect(read(script, .psql).programs.isEmpty, "\(script)") }

    @Test func psqlFiles() {
        let meaning = read(
            "\\i a.sql\n\\ir 'b c.sql'\n\\o out.txt\nSELECT 1;\n\\o\n\\copy t from 'in.csv' csv\n\\copy (select * from u) to out.csv\n",
            .psql)
        #expect(
            texts(meaning.includes.map(\.path)) == ["a.sql", "b c.sql"] && meaning.includes.map(\.isRelativeToScript) == [false, true])
        #expect(texts(meaning.writes) == ["out.txt", "out.csv"] && texts(meaning.reads) == ["in.csv"])
        #expect(names(meaning) == [["select"], ["insert"], ["select", "copy_out"]])
        #expect(meaning.intents == [.sqlCopyOut])
    }

    /// What a client makes of quotes, escapes and variables is not guessed.
    @Test(arguments: [
        (SQLClient.psql, "\\i :x"), (.psql, "\\i 'e\\166il.sql'"), (.psql, "\\i 'a''b'"), (.psql, "\\i \"a\""), (.psql, "\\i a'b'"),
        (.psql, "\\i `x`"), (.psql, "\\i"), (.mysql, "source a\u{1}\n"), (.sqlite3, ".read \"a\\x62\""), (.sqlite3, ".read a'b'"),
        (.psql, "\\i " + String(repeating: "x", count: 600)),
    ]) func namesThatCannotBeTold(client: SQLClient, script: String) {
        let meaning = read(script, client)
        #expect(meaning.includes.map(\.path) == [[]] && meaning.intents.contains(.sqlUnknown), "\(script)")
    }

    @Test func psqlStatements() {
        #expect(names(read("SELECT 1;\nDROP TABLE t;\n", .psql)) == [["select"], ["drop"]])
        #expect(names(read("SELECT 1 \\; DROP TABLE t;", .psql)) == [["select"], ["drop"]])
        #expect(names(read("DELETE FROM t\n\\g\nSELECT 1", .psql)) == [["delete", "delete_all"], ["select"]])
        #expect(names(read("SELECT :x FROM t WHERE id = :'id' AND a::int = 1;", .psql)) == [["select", "unknown"]])
        #expect(read("SELECT 'DROP TABLE t' \\gexec", .psql).intents.contains(.sqlUnknown))
        #expect(read("\\c other\nSELECT 1", .psql).connections == ["other"])
        let text = "SELECT 1;\n  DELETE FROM t;"
        let place = read(text, .psql).statements[1].range
        #expect(String(decoding: Array(text.utf8)[place], as: UTF8.self) == "DELETE FROM t")
        #expect(read("\\password", .psql).intents.contains(.sqlGrant))
    }

    /// These send what stands before them.
    @Test func psqlSends() {
        for command in ["g", "gx", "gset", "gexec", "gdesc", "crosstabview", "watch 5"] {
            #expect(names(read("DELETE FROM t \\\(command)\nWHERE id = 1;", .psql))[0] == ["delete", "delete_all"], "\(command)")
        }
    }

    /// Rows are not SQL, unless their COPY fails and nothing stops psql.
    @Test func psqlRows() {
        let dump = "COPY t FROM stdin;\n1\tDROP TABLE t;\n2\t\\N\n\\.\nSELECT 1;\n"
        #expect(names(read(dump, .psql, stopsAtErrors: true)) == [["insert"], ["select"]])
        #expect(read(dump, .psql, stopsAtErrors: true).intents.isEmpty)
        #expect(read(dump, .psql).intents.contains(.sqlUnknown) && read(dump, .psql).intents.contains(.sqlDrop))
        #expect(read("COPY t FROM stdin;\n1\t\\N\n\\.\n", .psql).intents.isEmpty)
        #expect(read("COPY t FROM stdin;\n\\! id\n\\.\n", .psql).intents.contains(.sqlUnknown))
    }

    /// Where psql goes on after an error, a temporary table may never have been made.
    @Test func psqlTemporaryTables() {
        let script = "CREATE TEMP TABLE t (a int);\nDROP TABLE t;\n"
        #expect(names(read(script, .psql))[1] == ["drop"])
        #expect(names(read(script, .psql, stopsAtErrors: true))[1] == ["select"])
        #expect(names(read("\\set ON_ERROR_STOP on\n" + script, .psql))[1] == ["select"])
        #expect(names(read("BEGIN;\n" + script, .psql))[2] == ["select"])
        #expect(names(read("BEGIN; CREATE TEMP TABLE t (a int); COMMIT; DROP TABLE t;", .psql))[3] == ["drop"])
    }

    @Test func mysql() {
        #expect(texts(read("\\! id", .mysql).programs) == ["id"] && texts(read("system id", .mysql).programs) == ["id"])
        #expect(texts(read("SELECT 1;\nsource a.sql;\n\\. b.sql\n", .mysql).includes.map(\.path)) == ["a.sql", "b.sql"])
        #expect(names(read("prompt drop table x\nrehash\nSELECT 1;", .mysql)) == [["select"]])
        #expect(texts(read("tee log.txt\nSELECT 1;", .mysql).writes) == ["log.txt"])
        #expect(texts(read("pager sh -c x", .mysql).programs) == ["sh -c x"])
        #expect(read("SELECT '\\\\! id'; SELECT system FROM t", .mysql).programs.isEmpty)
        #expect(names(read("SELECT 1\\G\nDROP TABLE t\\g", .mysql)) == [["select"], ["drop"]])
        #expect(
            names(read("DELIMITER //\nSELECT 1; DROP TABLE t//\nDELETE FROM t//", .mysql)) == [
                ["select"], ["drop"], ["delete", "delete_all"],
            ])
        #expect(
            names(
                read("DELIMITER $$\nCREATE PROCEDURE p() BEGIN SELECT 1; DELETE FROM t WHERE id = 1; END$$\nDELIMITER ;\nSELECT 2;", .mysql)
            ) == [["select", "delete", "create"], ["select"]])
        #expect(names(read("CREATE PROCEDURE p() BEGIN SELECT 1; DROP TABLE t; END;", .mysql)).contains(["drop"]))
    }

    @Test func sqlite() {
        #expect(texts(read(".shell id\n.system ls -l\n", .sqlite3).programs) == ["id", "ls -l"])
        #expect(texts(read(".output '|sh'\n", .sqlite3).programs) == ["sh"])
        #expect(texts(read("SELECT 1;\n.read a.sql\n.import b.csv t\n", .sqlite3).includes.map(\.path)) == ["a.sql"])
        #expect(texts(read(".output x.txt\n.once y.txt\n.backup z.db\n.output stdout\n", .sqlite3).writes) == ["x.txt", "y.txt", "z.db"])
        #expect(read(".load ./evil\n", .sqlite3).intents.contains(.sqlCopyProgram))
        #expect(read("SELECT '\n.shell id\n';", .sqlite3).programs.isEmpty)
        #expect(read(".tables\n.mode csv\n.headers on\n.schema\n", .sqlite3).intents.isEmpty)
        #expect(read(".open --new x.db", .sqlite3).intents == [.sqlDrop] && read(".open x.db", .sqlite3).intents.isEmpty)
        #expect(read(".frobnicate", .sqlite3).intents == [.sqlUnknown])
        #expect(names(read("SELECT 1;\n.mode csv\nDROP TABLE t;\n", .sqlite3)) == [["select"], ["drop"]])
    }
}
