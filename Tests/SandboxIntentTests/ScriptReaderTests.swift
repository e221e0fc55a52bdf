import SandboxIntent
import SandboxModel
import Testing

/// Scripts that come in pieces mean what they mean as a whole.
@Suite struct ScriptReaderTests {
    private struct Found: Equatable {
        var statements: [[String]] = []
        var tables: [[String]] = []
        var intents: IntentSet = []
        var programs: [[UInt8]] = []
        var includes: [[UInt8]] = []
        var commands: [[[UInt8]]] = []

        mutating func add(_ meaning: ScriptMeaning) {
            statements += meaning.statements.map(\.intents.names)
            tables += meaning.statements.map(\.tables)
            intents.formUnion(meaning.intents)
            programs += meaning.programs
            includes += meaning.includes.map(\.path)
            commands += meaning.commands
        }
    }

    private static let scripts: [(SQLClient, String)] = [
        (
            .psql,
            "SELECT 1;\nDROP TABLE a; -- ;\nCOPY b FROM stdin;\n\tx; y\n2\t'\n\\.\nDELETE FROM c;\n\\i d.sql\n\\! id\nSELECT $$;\n$$;\n"
        ),
        (.psql, "BEGIN;\r\nSELECT ';' \\; DROP TABLE a;\r\n/* ; \n*/ SELECT 1 \\g\n\\copy t from stdin\n1;\n\\.\nTRUNCATE b"),
        (
            .mysql,
            "SELECT 1;\nDELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT 1; END//\nDROP TABLE a//\nDELIMITER ;\nsource b.sql\nDELETE FROM c"
        ),
        (.mysql, "INSERT INTO a VALUES ('x\\';\n', \";\"); # ;\n\\! id\nTRUNCATE b\\G\nUPDATE c SET d = 1;"),
        (
            .sqlite3,
            "SELECT 1;\n.read a.sql\nCREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; END;\nDROP TABLE c; .x '\n' ;\n.shell id\n"
        ),
        (.sqlite3, "SELECT ';\n.shell no\n'; -- ;\nINSERT INTO a VALUES (1);\n/* ;\n.shell no\n*/ DROP TABLE b;"),
        (.redis, "GET a\r\n\n5 incr b\nset 'x\\'y' \"flush\\x61ll\\n\"\nFLUSHALL\nconnect h 1\ndel 'k"),
    ]

    private func whole(_ client: SQLClient, _ text: [UInt8]) -> Found {
        var reader = ScriptReader(client, stopsAtErrors: true), found = Found()
        let (meaning, consumed) = reader.take(text, isLast: true)
        #expect(consumed == text.count)
        found.add(meaning)
        return found
    }

    @Test func aWordAsLongAsTheInput() {
        let word = [UInt8](repeating: UInt8(ascii: "a"), count: 2 << 20)
        var reader = ScriptReader(.redis, stopsAtErrors: true)
        let (meaning, _) = reader.take(Array("set k ".utf8) + word, isLast: true)
        #expect(meaning.commands == [[Array("set".utf8), Array("k".utf8), word]])
    }

    @Test(arguments: scripts) func cutAnywhere(client: SQLClient, script: String) {
        let text = Array(script.utf8), expected = whole(client, text)
        for cut in 0...text.count {
            var reader = ScriptReader(client, stopsAtErrors: true), found = Found()
            let (first, consumed) = reader.take(Array(text[..<cut]), isLast: false)
            found.add(first)
            #expect(consumed <= cut)
            found.add(reader.take(Array(text[consumed...]), isLast: true).meaning)
            #expect(found == expected, "cut at \(cut) of \(script)")
        }
    }

    @Test(arguments: scripts) func byteByByte(client: SQLClient, script: String) {
        let text = Array(script.utf8)
        var reader = ScriptReader(client, stopsAtErrors: true), found = Found(), pending: [UInt8] = []
        for byte in text {
            pending.append(byte)
            let (meaning, consumed) = reader.take(pending, isLast: false)
            found.add(meaning)
            pending.removeFirst(consumed)
        }
        found.add(reader.take(pending, isLast: true).meaning)
        #expect(found == whole(client, text))
    }

    /// What a client is handed is whole statements, with the end of their line where nothing else stands in it.
    @Test(arguments: [
        (SQLClient.psql, "SELECT 1;\nDROP TA", 10), (.psql, "SELECT 1; DROP TA", 9), (.psql, "\\i a.sq", 0), (.psql, "\\i a.sql\nSEL", 9),
        (.psql, "COPY t FROM stdin;\n1\t", 19), (.psql, "COPY t FROM stdin;", 0), (.psql, "SELECT ';", 0), (.psql, "SELECT (1;\n", 0),
        (.mysql, "SELECT 1;\n# x;\nDROP", 10), (.mysql, "DELIMITER //", 0), (.mysql, "SELECT 1 \\G\nx", 12), (.mysql, "source a", 0),
        (.sqlite3, "SELECT 1;\n.shel", 10), (.sqlite3, "SELECT 1; .x\nS", 9), (.sqlite3, ".shell id\n", 10),
        (.redis, "GET a\nFLUSHA", 6), (.redis, "FLUSHALL", 0),
    ]) func handedOn(client: SQLClient, text: String, count: Int) {
        var reader = ScriptReader(client)
        #expect(reader.take(Array(text.utf8), isLast: false).consumed == count, "\(text)")
    }

    /// redis-cli's words, as it parts them.
    @Test func redisCommands() {
        func words(_ text: String) -> [[String]] {
            var reader = ScriptReader(.redis)
            return reader.take(Array(text.utf8), isLast: true).meaning.commands.map { $0.map { String(decoding: $0, as: UTF8.self) } }
        }
        #expect(words("get a\n\n  set b 'c d'  \r\n") == [["get", "a"], ["set", "b", "c d"]])
        #expect(words("3 \"FLUSH\"'ALL'\n+5 FLUSHALL\n-1 FLUSHALL") == [["FLUSHALL"], ["FLUSHALL"], ["FLUSHALL"]])
        #expect(words(#"set k "\x41\n\"" 'it\'s \n'"#) == [["set", "k", "A\n\"", #"it's \n"#]])
        #expect(words("flushall 'open") == [["flushall", "open"]])
        #expect(words("\n \n").isEmpty && words("connect h 6379").isEmpty)
        var summary = ScriptSummary.of(Array((0..<50_000).map { "SET k\($0) flushall\n" }.joined().utf8), .redis, client: .redis)
        #expect(summary.commands.count == 1 && summary.intents.isEmpty)
        summary = .of(Array("config get x\nCONFIG SET x y\nConfig Set z y".utf8), .redis, client: .redis)
        #expect(summary.commands.count == 2)
        summary = .of(Array("eval 'return 1' 0\nEVAL \"redis.call('flushall')\" 0".utf8), .redis, client: .redis)
        #expect(summary.commands.count == 2)
        #expect(ScriptSummary.of(Array("connect h 1".utf8), .redis, client: .redis).changesHost)
    }

    /// sqlite3 ends a statement where its line ends so, whatever is open in it, and a trigger at `; END ;`.
    @Test(arguments: [
        "SELECT (1;\nDROP TABLE x;\n", "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT case; END;\nDROP TABLE x;\n",
        "SELECT 1; .x 'a\n' ; DROP TABLE x;\n",
    ]) func sqliteEnds(script: String) {
        var reader = ScriptReader(.sqlite3)
        #expect(reader.take(Array(script.utf8), isLast: true).meaning.statements.contains { $0.intents.contains(.sqlDrop) }, "\(script)")
    }

    /// Neither many lines that could be commands nor one that never ends take long.
    @Test(.timeLimit(.minutes(1))) func longScripts() {
        for (client, text) in [
            (SQLClient.sqlite3, "SELECT '\n" + String(repeating: ".x\n", count: 60_000)),
            (.mysql, String(repeating: "\\c\n", count: 60_000)),
            (.psql, String(repeating: "\\x\n", count: 60_000)), (.psql, String(repeating: "\\x '", count: 60_000) + "\n"),
            (.mysql, String(repeating: "\\u x", count: 60_000) + "\n"),
        ] {
            var reader = ScriptReader(client)
            #expect(reader.take(Array(text.utf8), isLast: false).consumed <= text.utf8.count)
        }
    }
}
