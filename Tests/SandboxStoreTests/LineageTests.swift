import Foundation
import SandboxLineage
import SandboxModel
import Testing

@testable import SandboxStore

/// Records in, questions to the graph out.
@Suite struct LineageTests {
    private let temporary: TemporaryState
    private var state: StateDirectory { temporary.state }

    init() throws { temporary = try TemporaryState() }

    /// One session: `body` writes its records, then it ends.
    private func session(_ id: String, identity: String = "agent:builder", ends: Bool = true, _ body: (Recorder) throws -> Void) throws {
        let journal = try newJournal(state, sessionInfo(id, identity: identity))
        let writer = TrailWriter(state: state, journal: journal)
        try body(Recorder(journal: journal))
        if ends { try writer.finish(status: 0, at: baseTime + 60_000_000_000) } else { while try writer.drainOnce() > 0 {} }
    }

    private struct Recorder {
        let journal: Journal

        func open(_ process: UInt32, _ path: String, _ access: FileAccess, inode: UInt64, at second: UInt64) throws {
            var header = SandboxStoreTests.access(inode == 0 ? .create : .open, process: process, access: access, second: second)
            (header.device, header.inode) = (inode == 0 ? 0 : 7, inode)
            try journal.append(header, path)
        }

        func stream(_ process: UInt32, _ name: String, _ access: FileAccess, inode: UInt64 = 0, at second: UInt64) throws {
            var header = SandboxStoreTests.access(.open, process: process, access: access, type: .stream, result: 0, second: second)
            (header.device, header.inode) = (inode == 0 ? 0 : 7, inode)
            try journal.append(header, name)
        }

        func change(
            _ operation: SandboxModel.Operation, _ process: UInt32, _ path: String, to other: String, inode: UInt64, at second: UInt64
        ) throws {
            var header = SandboxStoreTests.access(operation, process: process, access: .rename, result: 0, second: second)
            (header.device, header.inode) = (7, inode)
            if !other.isEmpty { header.flags.insert(.secondPath) }
            try journal.append(header, path, extra: other)
        }
    }

    private func answer(
        _ direction: Direction, _ path: String, identities: [String] = [], _ limits: TraceLimits = TraceLimits()
    ) throws -> LineageGraph {
        let reader = try #require(try LineageReader(state, identities: identities))
        let object = try #require(try reader.objects(named: Array(path.utf8)).first)
        return try reader.graph([Trace.follow(direction, from: [.object(object)], in: reader, limits: limits)], target: path)
    }

    private func names(_ graph: LineageGraph) -> Set<String> {
        Set(graph.objects.values.map { String(decoding: $0.name, as: UTF8.self) }).subtracting([graph.target])
    }

    /// Made in one session, renamed and linked in another, used in a third.
    private func threeSessions() throws {
        try session("s-01JAAAAAA") { record in
            try record.journal.startProcess(1, parent: 0)
            try record.journal.setProgram(1, "/usr/bin/make", ["make", "x;\u{1b}[31m\"y\""])
            try record.open(1, "/w/in \"q\"", .read, inode: 10, at: 1)
            try record.open(1, "/w/made", [.write, .create], inode: 0, at: 2)
        }
        try session("s-01JBBBBBB", identity: "agent:other") { record in
            try record.journal.startProcess(1, parent: 0)
            try record.change(.rename, 1, "/w/made", to: "/w/moved", inode: 11, at: 3)
            try record.change(.link, 1, "/w/moved", to: "/w/linked", inode: 11, at: 4)
            try record.open(1, "/w/made", [.write, .create], inode: 0, at: 5)
        }
        try session("s-01JCCCCCC") { record in
            try record.journal.startProcess(1, parent: 0)
            try record.open(1, "/w/linked", .read, inode: 11, at: 6)
            try record.open(1, "/w/out", [.write, .create], inode: 0, at: 7)
            var header = access(.connect, access: [], type: .socket, result: 0, second: 8)
            header.process = 1
            try record.journal.append(header, "10.1.2.3:443")
        }
    }

    @Test func aFileIsFollowedThroughNamesAndSessions() throws {
        try threeSessions()
        #expect(try names(answer(.upstream, "/w/out")) == ["/w/linked", "/w/in \"q\"", "10.1.2.3:443"])
        #expect(try names(answer(.downstream, "/w/in \"q\"")) == ["/w/linked", "/w/out", "10.1.2.3:443"])
        #expect(try names(answer(.upstream, "10.1.2.3:443")) == ["/w/linked", "/w/in \"q\""])
        // What was made in its place later came of nothing.
        #expect(try names(answer(.upstream, "/w/made")).isEmpty)
    }

    /// A folder that moves, names that come and go, inodes and pipes that are met again: as much as there is to forget.
    private func busySession(_ id: String) throws {
        try session(id) { record in
            try record.journal.startProcess(1, parent: 0)
            try record.journal.startProcess(2, parent: 1)
            for round: UInt64 in 0..<3 {
                try record.open(1, "/w/in", .read, inode: 10, at: round * 10)
                try record.open(1, "/w/d/a", [.write, .create], inode: 0, at: round * 10 + 1)
                try record.open(1, "/w/d/a", .read, inode: 20 + round, at: round * 10 + 2)
                try record.stream(1, "pipe:[7]", .write, at: round * 10 + 3)
                try record.stream(2, "pipe:[7]", .read, at: round * 10 + 3)
                try record.change(.rename, 2, "/w/d", to: "/w/e", inode: 30, at: round * 10 + 4)
                try record.open(2, "/w/e/a", .read, inode: 20 + round, at: round * 10 + 5)
                try record.change(.link, 2, "/w/e/a", to: "/w/kept\(round)", inode: 20 + round, at: round * 10 + 6)
                try record.change(.delete, 2, "/w/e/a", to: "", inode: 20 + round, at: round * 10 + 7)
                try record.change(.delete, 2, "/w/kept\(round)", to: "", inode: 20 + round, at: round * 10 + 7)
                try record.stream(2, "/w/kept\(round) (deleted)", .read, inode: 20 + round, at: round * 10 + 8)
                try record.change(.rename, 2, "/w/e", to: "/w/d", inode: 30, at: round * 10 + 9)
            }
        }
    }

    private func wholeGraph() throws -> [[String]] {
        let database = try Database(path: state.database, mode: .readOnly)
        return try [
            "SELECT process || ' ' || object || ' ' || relations || ' ' || first || ' ' || span || ' ' || count FROM lineage_edge ORDER BY 1",
            """
            SELECT id || ' ' || kind || ' ' || ifnull(inode, '-') || ' ' || ifnull(born, '-') || ' ' || ifnull(ended, '-')
            FROM lineage_object ORDER BY 1
            """,
            "SELECT DISTINCT object || ' ' || max(lives) || ' ' || bytes FROM lineage_name JOIN text t ON t.id = text GROUP BY object, bytes ORDER BY 1",
            "SELECT parent || ' ' || process FROM lineage_child ORDER BY 1", "SELECT session FROM lineage_session",
            "SELECT session FROM lineage_progress",
        ].map { sql in
            let select = try database.prepare(sql)
            var rows: [String] = []
            while try select.step() { rows.append(select.text(0) ?? "") }
            return rows
        }
    }

    /// Whoever makes the graph may be killed after any batch, or in one: the next goes on where that was, and nothing is lost or counted twice.
    @Test func whatWasInterruptedGoesOn() throws {
        try busySession("s-01JAAAAAA")
        try busySession("s-01JBBBBBB")
        let whole = try wholeGraph()
        #expect(whole[0].count > 20 && whole[3].count == 2 && whole[4].count == 2 && whole[5].isEmpty)
        for limit in [1, 2, 5] {
            let database = try Database(path: state.database, mode: .readWrite)
            try database.execute(
                ["object", "name", "edge", "session", "child", "progress"].map { "DELETE FROM lineage_\($0);" }.joined())
            var batches = 0
            for session: Int64 in [1, 2] {
                // Each goes on from what the last has left; some are cut off in their transaction.
                while try LineageSession(session, database, limit: limit).step() {
                    batches += 1
                    try database.execute("BEGIN IMMEDIATE")
                    try LineageSession(session, database, limit: limit).addAll()
                    try database.execute("ROLLBACK")
                }
            }
            #expect(batches > 20 / limit)
            let again = try wholeGraph()
            for (found, wanted) in zip(again, whole) { #expect(found == wanted) }
        }
    }

    @Test func othersSessionsAreLeftOut() throws {
        try threeSessions()
        #expect(try names(answer(.downstream, "/w/in \"q\"", identities: ["agent:builder"])).contains("/w/out"))
        #expect(try names(answer(.downstream, "/w/in \"q\"", identities: ["agent:other"])).isEmpty)
        var limits = TraceLimits()
        limits.since = baseTime + 3_000_000_000
        #expect(try names(answer(.upstream, "/w/out", limits)) == ["/w/linked", "10.1.2.3:443"])
    }

    @Test func whatWasRefusedOrFailedMovedNothing() throws {
        try session("s-01JAAAAAA") { record in
            try record.journal.startProcess(1, parent: 0)
            for (decision, result) in [(Decision.deny, Int32(-13)), (.allow, -2)] {
                var header = access(decision: decision, result: result, second: 1)
                (header.device, header.inode) = (7, 10)
                try record.journal.append(header, "/w/in")
            }
            try record.open(1, "/w/out", [.write, .create], inode: 0, at: 2)
        }
        #expect(try names(answer(.upstream, "/w/out")).isEmpty)
    }

    /// A live session is in the answer, and is not stored: what comes later must not be missed.
    @Test func aLiveSessionIsInTheAnswer() throws {
        let journal = try newJournal(state)
        let writer = TrailWriter(state: state, journal: journal)
        let record = Recorder(journal: journal)
        try journal.startProcess(1, parent: 0)
        try record.open(1, "/w/out", [.write, .create], inode: 0, at: 2)
        while try writer.drainOnce() > 0 {}
        #expect(try names(answer(.upstream, "/w/out")).isEmpty)
        try record.open(1, "/w/in", .read, inode: 10, at: 3)
        while try writer.drainOnce() > 0 {}
        #expect(try names(answer(.upstream, "/w/out")) == ["/w/in"])
        try writer.finish(status: 0)
        #expect(try names(answer(.upstream, "/w/out")) == ["/w/in"])
    }

    @Test func repeatsAreOneEdge() throws {
        try session("s-01JAAAAAA") { record in
            try record.journal.startProcess(1, parent: 0)
            for second: UInt64 in 1...50 { try record.open(1, "/w/in", .read, inode: 10, at: second) }
        }
        let flows = try answer(.downstream, "/w/in").flows
        #expect(flows.map(\.count) == [50])
        #expect(flows.first?.last == baseTime + 50_000_000_000)
    }

    // MARK: Formats

    @Test func exportsAreValidByTheirSchemas() throws {
        try threeSessions()
        let graph = try answer(.upstream, "/w/out"), prov = LineageProv.document(graph), events = OpenLineage.events(graph)
        let provSchema = try JSONSchema(named: "prov-json"), eventSchema = try JSONSchema(named: "openlineage-2-0-2")
        #expect(try provSchema.problems(in: prov) == [])
        #expect(events.count == 4)
        for event in events { #expect(try eventSchema.problems(in: event) == []) }
        // The check can fail.
        for (part, other) in [
            ("RUNNING", "DONE"), ("eventTime", "eventtime"), ("Z\"", "\""), ("urn:sandbox:lineage", "urn:sandbox"),
            ("\"runId\":\"", "\"runId\":\"x"),
            ("\"namespace\"", "\"Namespace\""), ("\"inputs\":[", "\"inputs\":[{},"), ("schemaURL", "schema"), ("\"job\"", "\"dataset\""),
        ] { #expect(try !eventSchema.problems(in: events[1].replacingOccurrences(of: part, with: other)).isEmpty, "\(part)") }
        for (part, other) in [
            ("prov:entity\"", "prov:thing\""), ("prov:startTime\":\"2", "prov:startTime\":\"X"), ("\"$\"", "\"value\""),
            ("\"used\"", "\"uses\""),
            ("\"sbx\":\"urn:", "\"sbx\":\"/"), ("prov:label\":\"", "prov:label\":[],\"x\":\""), ("prov:agent\":\"", "prov:agent\":\"_:"),
        ] { #expect(try !provSchema.problems(in: prov.replacingOccurrences(of: part, with: other)).isEmpty, "\(part)") }
    }

    /// One start, and one end where there is one.
    @Test func everyRunStartsAndEndsOnce() throws {
        try session("s-01JAAAAAA") { record in
            for (process, status): (UInt32, Int32?) in [(1, 0), (2, 256), (3, 9), (4, nil)] {
                try record.journal.startProcess(process, parent: 0)
                try record.open(process, "/w/in", .read, inode: 10, at: 1)
                try record.open(process, "/w/out", .write, inode: 11, at: 2)
                guard let status else { continue }
                try record.journal.append(
                    RecordHeader(kind: .processExit, process: process, result: status, time: baseTime + 3_000_000_000))
            }
        }
        let graph = try answer(.upstream, "/w/out")
        let events = try OpenLineage.events(graph).map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        let runs = Dictionary(grouping: events) { ($0["run"] as? [String: Any])?["runId"] as? String ?? "" }
        let courses = runs.values.map { $0.map { $0["eventType"] as? String ?? "" } }
        #expect(
            Set(courses) == [["START", "COMPLETE"], ["START", "FAIL"], ["START", "ABORT"], ["START", "RUNNING"]] && runs.count == 4)
        #expect(events.allSatisfy { ($0["inputs"] as? [Any])?.isEmpty == ($0["eventType"] as? String == "START") })
        #expect(LineageProv.document(graph).hasPrefix("{\"prefix\":{\"sbx\":\"urn:sandbox:s-01JAAAAAA:\"}"))
    }

    @Test func namesOfProvArePaired() throws {
        try threeSessions()
        let text = try LineageProv.document(answer(.upstream, "/w/out"))
        let document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: [String: Any]])
        let known = Set(["entity", "activity", "agent"].flatMap { (document[$0] ?? [:]).keys })
        let records = ["used", "wasGeneratedBy", "wasInformedBy", "wasAssociatedWith", "actedOnBehalfOf"].flatMap {
            (document[$0] ?? [:]).values
        }
        let names = records.compactMap { $0 as? [String: String] }.flatMap { $0.filter { $0.key != "prov:time" }.values }
        #expect(!names.isEmpty && Set(names).isSubset(of: known))
    }

    /// Line by line what the grammars of the two allow, with hostile names in it.
    @Test func picturesAreWellFormed() throws {
        try threeSessions()
        let graph = try answer(.upstream, "/w/out")
        let dot = LineagePictures.dot(graph).split(separator: "\n")
        #expect(dot.first == "digraph lineage {" && dot.last == "}")
        let string = #""([^"\\]|\\["\\])*""#
        let statements = #"^  (\w+=\w+|node \[fontname=\#(string)\]|\w+ \[shape=\w+,label=\#(string)\]|\w+ -> \w+ \[label=\#(string)\]);$"#
        for line in dot.dropFirst().dropLast() { #expect(line.range(of: statements, options: .regularExpression) != nil, "\(line)") }
        let mermaid = LineagePictures.mermaid(graph).split(separator: "\n")
        #expect(mermaid.first == "flowchart LR")
        let label = ##""([^"#<>`]|#[0-9]+;)*""##
        let lines = ##"^  (\w+\[\##(label)\]|\w+\(\[\##(label)\]\)|\w+ -->\|[a-z ]+\| \w+)$"##
        for line in mermaid.dropFirst() { #expect(line.range(of: lines, options: .regularExpression) != nil, "\(line)") }
        #expect(dot.contains { $0.contains(#"\"q\""#) } && mermaid.contains { $0.contains("#34;q#34;") })
    }

    @Test func theTreeIsEscapedAndCalm() throws {
        try threeSessions()
        let tree = LineageText.tree(try answer(.upstream, "/w/out"), style: TextStyle(colour: false))
        #expect(!tree.utf8.contains(0x1b) && tree.contains("\\x1b[31m"))
        let json = LineageJSON.object(try answer(.upstream, "/w/out"))
        #expect(try JSONSerialization.jsonObject(with: Data(json.utf8)) is [String: Any])
    }

    // MARK: Usage

    @Test func usageAddsUp() throws {
        try threeSessions()
        let reader = try #require(try TrailReader(state))
        let rows = try reader.usage(by: .identity)
        #expect(rows.map { text($0.name) } == ["agent:builder", "agent:other"])
        #expect(rows[0].sessions == 2 && rows[0].accesses == 5 && rows[0].filesRead == 2 && rows[0].filesChanged == 2 && rows[0].hosts == 1)
        #expect(try reader.usage(by: .host).map { text($0.name) } == ["10.1.2.3:443"])
        #expect(try reader.usage(by: .day).map { text($0.name) } == ["2025-11-20"])
        #expect(try reader.usage(by: .program).map { text($0.name) } == ["/usr/bin/make"])
        #expect(try reader.usage(by: .identity, since: baseTime + 3_500_000_000).first?.accesses == 3)
    }
}
