import Foundation
import SandboxIntent
import SandboxModel
import SandboxSQLParser
import Testing

/// Many statements, and what PostgreSQL's parser says of them, looked at with no cleverness at all: a node of that kind anywhere in its
/// tree must show in the intents. A quote within a string is escaped there, so that no text of a statement can pose as a node.
@Suite struct SQLDifferentialTests {
    /// What surely shows as this. Whatever is not here and not harmless must show as something that is not harmless.
    private static let shows: [String: Intent] = [
        "Delete": .sqlDelete, "Update": .sqlUpdate, "Insert": .sqlInsert, "Truncate": .sqlTruncate, "Drop": .sqlDrop, "Dropdb": .sqlDrop,
        "DropRole": .sqlDrop, "DropOwned": .sqlDrop, "DropSubscription": .sqlDrop, "DropTableSpace": .sqlDrop,
        "DropUserMapping": .sqlDrop, "Grant": .sqlGrant, "GrantRole": .sqlGrant, "AlterRole": .sqlGrant, "CreateRole": .sqlGrant,
        "AlterTable": .sqlAlter, "AlterSystem": .sqlAlter, "Rename": .sqlAlter, "Do": .sqlUnknown, "Call": .sqlCall, "Execute": .sqlCall,
        "CreateFunction": .sqlCreate, "Index": .sqlCreate, "Load": .sqlCopyProgram, "AlterOwner": .sqlGrant,
        "CreateTrig": .sqlCreate, "Rule": .sqlCreate, "AlterDatabase": .sqlAlter, "Createdb": .sqlCreate, "CreatePolicy": .sqlGrant,
        "AlterPolicy": .sqlGrant, "AlterDefaultPrivileges": .sqlGrant, "ReassignOwned": .sqlGrant, "CreateExtension": .sqlCreate,
        "CreateSubscription": .sqlCopyOut, "CreatePublication": .sqlCopyOut, "Define": .sqlCreate,
    ]
    private static let harmless: Set<String> = [
        "Select", "Explain", "VariableShow", "VariableSet", "Transaction", "Fetch", "ClosePortal", "DeclareCursor", "Prepare", "Deallocate",
        "Listen", "Unlisten", "Discard", "ConstraintsSet", "Lock", "Vacuum", "Return",
        // By its parts.
        "Merge",
    ]
    /// Whose effect may be on nothing but the connection's own temporary tables.
    private static let mayBeTemporary: Set<String> = [
        "Delete", "Update", "Insert", "Truncate", "Drop", "Create", "CreateTableAs", "View", "CreateSeq", "Copy",
    ]

    /// The kinds of statements in a tree, `DeleteStmt` as `Delete`. Nil: it does not parse.
    private func kinds(_ bytes: [UInt8]) -> (kinds: [String: Int], tree: [UInt8])? {
        guard !bytes.contains(0), case .tree(let json) = PostgresParser.parse(bytes) else { return nil }
        let tree = json + [0]
        var kinds: [String: Int] = [:]
        let mark = Array("Stmt\":{".utf8)
        var at = 0
        while let found = position(of: mark, in: tree, from: at) {
            var start = found
            while start > 0, tree[start - 1] != UInt8(ascii: "\"") { start -= 1 }
            if tree[start] < 0x61 { kinds[String(decoding: tree[start..<found], as: UTF8.self), default: 0] += 1 }
            at = found + mark.count
        }
        return (kinds, tree)
    }

    /// strstr(3): a debug build takes longer for a byte than it. A tree is JSON, ended by a NUL here.
    private func position(of mark: [UInt8], in text: [UInt8], from: Int) -> Int? {
        text.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress?.assumingMemoryBound(to: CChar.self), from < bytes.count else { return nil }
            return (mark + [0]).withUnsafeBytes { mark in
                strstr(base + from, mark.baseAddress?.assumingMemoryBound(to: CChar.self) ?? base).map {
                    $0 - UnsafeMutablePointer(mutating: base)
                }
            }
        }
    }

    private func holds(_ mark: String, _ tree: [UInt8]) -> Bool { position(of: Array(mark.utf8), in: tree, from: 0) != nil }

    /// The kinds that were in it; nil where it does not parse.
    @discardableResult
    private func check(_ bytes: [UInt8]) -> Set<String>? {
        let statements = SQL.read(bytes, dialect: .postgres)
        let text = String(decoding: bytes, as: UTF8.self)
        if statements.contains(where: { $0.intents.isEmpty }) { Issue.record("no intent: \(text)") }
        guard let (kinds, tree) = kinds(bytes) else {
            if !statements.isEmpty, statements.count == 1, !statements[0].intents.contains(.sqlUnknown) {
                Issue.record("not understood, and not said so: \(text)")
            }
            return nil
        }
        if statements.isEmpty != !holds("\"stmt\":{", tree) { Issue.record("nothing is said of \(text)") }
        let intents = statements.reduce(into: IntentSet()) { $0.formUnion($1.intents) }
        if holds("\"is_program\":true", tree), !intents.contains(.sqlCopyProgram) { Issue.record("a program: \(text)") }
        // What is explained and not run does nothing.
        if kinds["Explain"] != nil { return Set(kinds.keys) }
        let isTemporary = holds("\"relpersistence\":\"t\"", tree) || holds("pg_temp", tree)
        for (command, intent) in [("INSERT", Intent.sqlInsert), ("UPDATE", .sqlUpdate), ("DELETE", .sqlDelete)]
        where kinds["Merge"] != nil && kinds["Rule"] == nil && !isTemporary {
            if holds("\"CMD_\(command)\"", tree), !intents.contains(intent) { Issue.record("MERGE … \(command): \(text)") }
        }
        for kind in kinds.keys where !Self.harmless.contains(kind) && !(isTemporary && Self.mayBeTemporary.contains(kind)) {
            // The rows of a change are found in its own node; `INSERT … SELECT` reads besides.
            if intents.isSubset(of: [.sqlSelect]) { Issue.record("\(kind)Stmt is called harmless: \(text)") }
            if let intent = Self.shows[kind], !intents.contains(intent) { Issue.record("\(kind)Stmt is not \(intent.name): \(text)") }
        }
        if !isTemporary { checkConditions(tree, intents, text) }
        return Set(kinds.keys)
    }

    /// Each change without any condition at all.
    private func checkConditions(_ tree: [UInt8], _ intents: IntentSet, _ text: String) {
        for (node, intent) in [("DeleteStmt", Intent.sqlDeleteAll), ("UpdateStmt", .sqlUpdateAll)] where !intents.contains(intent) {
            for body in bodies(of: node, in: tree) where !holds("\"whereClause\":", body) { Issue.record("\(intent.name): \(text)") }
        }
    }

    /// From `{` to its `}`.
    private func bodies(of node: String, in json: [UInt8]) -> [[UInt8]] {
        let mark = Array("\"\(node)\":{".utf8)
        var found: [[UInt8]] = []
        var from = 0
        while let start = position(of: mark, in: json, from: from) {
            var depth = 0, end = start + mark.count - 1, isQuoted = false
            while end < json.count {
                let c = json[end]
                if c == UInt8(ascii: "\\") { end += 1 } else if c == UInt8(ascii: "\"") { isQuoted.toggle() }
                if !isQuoted, c == UInt8(ascii: "{") { depth += 1 }
                if !isQuoted, c == UInt8(ascii: "}") { depth -= 1 }
                if depth == 0 { break }
                end += 1
            }
            found.append(json[start...min(end, json.count - 1)] + [0])
            from = start + mark.count
        }
        return found
    }

    /// How many rounds in `make soak`, and from which seed on.
    private static func number(_ name: String) -> UInt64? { ProcessInfo.processInfo.environment[name].flatMap(UInt64.init) }
    private static let first = number("SQL_SEED") ?? 1
    private static let seeds = Array(first..<(first + 4))

    /// Four at a time, each seed other statements; what parses of them must be understood.
    @Test(arguments: seeds) func generated(seed: UInt64) {
        let grammar = SQLGrammar(), rounds = Int(Self.number("SQL_ROUNDS") ?? 2500)
        var random = SQLGrammar.Random(state: seed &* 0x1_0000_0001)
        var parsed = 0, mutants = 0
        var seen: Set<String> = []
        for _ in 0..<rounds {
            let text = grammar.statement(&random)
            if let kinds = check(text) {
                parsed += 1
                seen.formUnion(kinds)
            }
            if check(SQLGrammar.mutated(text, &random)) != nil { mutants += 1 }
        }
        #expect(parsed * 10 > rounds * 9 && mutants * 5 > rounds, "\(parsed) and \(mutants) of \(rounds) parse")
        #expect(seen.count >= 100, "\(seen.count) kinds of statements: \(seen.sorted())")
    }

    /// Bytes, and pieces of SQL in any order.
    @Test(arguments: seeds) func fuzz(seed: UInt64) {
        var random = SQLGrammar.Random(state: seed ^ 0xabcdef)
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
