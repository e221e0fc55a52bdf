import SandboxLineage
import SandboxModel
import Testing

@testable import SandboxStore

/// What a question to the graph costs does not grow with what others have put there.
@Suite struct LineageQueryTests {
    private let temporary: TemporaryState
    private var state: StateDirectory { temporary.state }

    init() throws { temporary = try TemporaryState() }

    /// A session in which so many processes read one file.
    private func session(_ id: String, readers: UInt32, identity: String = "agent:builder") throws {
        let journal = try newJournal(state, sessionInfo(id, identity: identity))
        let writer = TrailWriter(state: state, journal: journal)
        for serial in 1...readers {
            try journal.startProcess(serial, parent: serial == 1 ? 0 : 1)
            try journal.setProgram(serial, "/usr/bin/reader", ["reader"])
            var header = access(process: serial)
            (header.device, header.inode) = (7, 10)
            try journal.append(header, "/lib/hub")
        }
        try writer.finish(status: 0, at: baseTime + 60_000_000_000)
    }

    private func hub(identities: [String] = [], since: UInt64 = 0) throws -> LineageGraph {
        let reader = try #require(try LineageReader(state, identities: identities, since: since))
        let object = try #require(try reader.objects(named: Array("/lib/hub".utf8)).first)
        var limits = TraceLimits()
        limits.since = since
        return try reader.graph([Trace.follow(.downstream, from: [.object(object)], in: reader, limits: limits)], target: "/lib/hub")
    }

    /// Every statement goes by an index to what it wants, and sorts nothing.
    @Test func questionsGoByIndexes() throws {
        try session("s-01JAAAAAA", readers: 1)
        let database = try Database(path: state.database, mode: .readOnly)
        for sql in LineageQueries.all {
            let plan = try database.prepare("EXPLAIN QUERY PLAN " + sql)
            var steps: [String] = []
            while try plan.step() { steps.append(plan.text(3) ?? "") }
            #expect(!steps.isEmpty && steps.allSatisfy { $0.hasPrefix("SEARCH ") }, "\(sql): \(steps)")
        }
        // The check can fail.
        let plan = try database.prepare("EXPLAIN QUERY PLAN SELECT * FROM lineage_edge WHERE count = 1 ORDER BY first")
        #expect(try plan.step() && plan.text(3)?.hasPrefix("SCAN") == true)
    }

    @Test func whatIsLeftOutIsCounted() throws {
        try session("s-01JAAAAAA", readers: 700)
        try session("s-01JBBBBBB", readers: 500)
        let graph = try hub()
        #expect(graph.isCut && graph.processes.count == 1000)
        // The latest are there.
        #expect(graph.processes.keys.count { $0.session == 2 } == 500)
        #expect(LineageText.tree(graph, style: TextStyle(colour: false)).contains("    and 200 more\n"))
        #expect(LineageJSON.object(graph).contains("\"more\":200"))
    }

    /// Where nobody counts on, the answer says so.
    @Test func whatIsNotCountedIsSaidToBe() throws {
        try session("s-01JAAAAAA", readers: 1001)
        let reader = try #require(try LineageReader(state, patience: 0))
        let object = try #require(try reader.objects(named: Array("/lib/hub".utf8)).first)
        let answer = try Trace.follow(.downstream, from: [.object(object)], in: reader)
        #expect(answer.isCut && answer.more[.object(object)] == 1)
        let text = LineageText.tree(try reader.graph([answer], target: "hub"), style: TextStyle(colour: false))
        #expect(text.contains("and 1 more at least\n"))
    }

    /// Those who are asked for are found behind any number of others.
    @Test func othersArePassedOver() throws {
        try session("s-01JAAAAAA", readers: 2)
        try session("s-01JBBBBBB", readers: 1500, identity: "agent:other")
        try session("s-01JCCCCCC", readers: 3)
        let graph = try hub(identities: ["agent:builder"])
        #expect(!graph.isCut && graph.processes.keys.map(\.session).sorted() == [1, 1, 3, 3, 3])
        #expect(try hub(identities: ["agent:nobody"]).processes.isEmpty)
        #expect(try hub(since: baseTime + 3_600_000_000_000).processes.isEmpty)
        #expect(try hub().isCut)
    }

    /// The graph of an older version is made anew.
    @Test func anOlderLayoutIsReplaced() throws {
        try session("s-01JAAAAAA", readers: 2)
        try Database(path: state.database, mode: .readWrite).execute(
            """
            DROP TABLE lineage_child; DROP TABLE lineage_edge;
            CREATE TABLE lineage_edge (process INTEGER, object INTEGER, relations INTEGER, first INTEGER, span INTEGER, count INTEGER,
                PRIMARY KEY (process, object, relations)) WITHOUT ROWID;
            """)
        #expect(try hub().processes.count == 2)
    }

    /// A name that was given to one file after the other: the one that has it is found, and where none has, the last.
    @Test(arguments: [true, false]) func theLastOfANameIsFound(lives: Bool) throws {
        for number: UInt64 in 1...5 {
            let journal = try newJournal(state, sessionInfo("s-01JAAAAA\(number)"))
            let writer = TrailWriter(state: state, journal: journal)
            try journal.startProcess(1, parent: 0)
            try journal.append(access(.create, access: [.write, .create], second: number), "/w/lock")
            var header = access(.delete, access: .delete, result: 0, second: number)
            (header.device, header.inode) = (7, 10 + number)
            if number < 5 || !lives { try journal.append(header, "/w/lock") }
            try writer.finish(status: 0)
        }
        let reader = try #require(try LineageReader(state))
        let object = try #require(try reader.objects(named: Array("/w/lock".utf8)).first)
        let graph = try reader.graph([Trace.follow(.upstream, from: [.object(object)], in: reader)], target: "/w/lock")
        #expect(graph.objects[object]?.born == baseTime + 5_000_000_000 && (graph.objects[object]?.ended == nil) == lives)
    }
}
