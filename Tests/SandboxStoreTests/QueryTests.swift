import Glibc
import SandboxModel
import Testing

@testable import SandboxStore

@Suite struct QueryTests {
    @Test func errorsNameTheirStatementAndNotAllOfIt() {
        let error = StoreError.database(call: "-- Why.\nCREATE TABLE t (\n    a)", object: "/x/trail.db", code: 1, message: "no space")
        #expect("\(error)" == "CREATE TABLE t (… `/x/trail.db`: no space")
        let short = StoreError.database(call: "BEGIN", object: "/x/trail.db", code: 1, message: "locked")
        #expect("\(short)" == "BEGIN `/x/trail.db`: locked")
    }

    /// A small session with one of everything.
    private func record(_ journal: Journal) throws {
        try journal.setRule(1, "files.read[0]", "")
        try journal.setRule(2, "files.deny[0]", "Keys stay home.")
        try journal.setRule(3, "network.allow[1]", "")
        let (read, deny, net) = (RuleID(rawValue: 1), RuleID(rawValue: 2), RuleID(rawValue: 3))
        try journal.startProcess(1, parent: 0)
        try journal.append(access(.exec, access: .execute, type: .program, result: 0), "/usr/bin/make", extra: "make\0-j4\0all\0")
        try journal.setProgram(1, "/usr/bin/make", ["make", "-j4", "all"])
        try journal.startProcess(2, parent: 1, second: 1)
        try journal.setProgram(2, "/usr/bin/cc", ["cc", "-c", "evil\u{1b}[2J.c"])
        for second in 1...3 as ClosedRange<UInt64> {
            try journal.append(access(process: 2, rule: read, second: second), "/usr/include/stdio.h")
        }
        try journal.append(access(.create, process: 2, access: [.write, .create], second: 3), "/w/main.o")
        try journal.append(
            access(process: 2, decision: .deny, rule: deny, result: -13, second: 4), "/home/alice/.ssh/id_ed25519")
        try journal.append(
            access(.rename, process: 2, access: .rename, result: 0, second: 5, flags: [.enforced, .secondPath]),
            "/w/main.o", extra: "/w/lib/main.o")
        try journal.append(
            access(.connect, process: 1, access: [], rule: net, type: .socket, result: -115, second: 6),
            "192.0.2.7:443", extra: "api.example.com")
        try journal.append(access(.delete, process: 1, access: .delete, result: -2, second: 7), "/w/none")
        try journal.append(
            access(.open, process: 1, access: [.write], type: .file, result: 0, second: 8),
            resource: Array("/w/x".utf8) + [0xff], extra: [])
        try journal.endProcess(2, status: 256)
        try journal.endProcess(1, status: 0)
    }

    private func made() throws -> TemporaryState {
        let temporary = try TemporaryState()
        let journal = try newJournal(temporary.state, sessionInfo("s-01JAAA", name: "nightly"))
        try record(journal)
        try TrailWriter(state: temporary.state, journal: journal).finish(status: 0, at: baseTime + 12_500_000_000)
        let other = try newJournal(temporary.state, sessionInfo("s-01JABB", identity: "user:bob"))
        try other.append(access(process: 1, second: 100), "/etc/hosts")
        try TrailWriter(state: temporary.state, journal: other).finish(status: 0)
        return temporary
    }

    @Test func filters() throws {
        let temporary = try made()
        func names(_ change: (inout EventFilter) -> Void) throws -> [String] {
            var filter = EventFilter()
            change(&filter)
            return try allEvents(temporary.state, filter).map { Escaped.text($0.resource ?? []) }
        }
        #expect(try names { _ in }.count == 9)
        #expect(try names { $0.decisions = [.deny] } == ["/home/alice/.ssh/id_ed25519"])
        #expect(try names { $0.decisions = [.deny, .allow] }.count == 9)
        #expect(try names { $0.operations = [.create, .connect] } == ["/w/main.o", "192.0.2.7:443"])
        #expect(try names { $0.paths = ["/w/*"] } == ["/w/main.o", "/w/main.o", "/w/none", "/w/x\\xff"])
        #expect(try names { $0.paths = ["lib/*.o"] } == ["/w/main.o"])  // The rename's target.
        #expect(
            try names {
                $0.paths = ["/w/*"]; $0.operations = [.delete]
            } == ["/w/none"])
        #expect(try names { $0.hosts = ["*.example.com"] } == ["192.0.2.7:443"])
        #expect(try names { $0.hosts = ["192.0.2.*"] } == ["192.0.2.7:443"])
        #expect(try names { $0.hosts = ["*.o"] } == [])
        #expect(
            try names {
                $0.programs = ["make"]; $0.operations = [.exec]
            } == ["/usr/bin/make"])
        #expect(
            try names {
                $0.programs = ["/usr/**"]; $0.operations = [.create]
            } == ["/w/main.o"])
        #expect(try names { $0.identities = ["user:*"] } == ["/etc/hosts"])
        #expect(try names { $0.since = baseTime + 99_000_000_000 } == ["/etc/hosts"])
        #expect(try names { $0.until = baseTime + 1_500_000_000 } == ["/usr/bin/make", "/usr/include/stdio.h"])
        #expect(try names { $0.limit = 2 } == ["/w/x\\xff", "/etc/hosts"])
        #expect(try names { $0.limit = 0 } == [])
    }

    @Test func sessionsAreFoundByWhatPeopleSay() throws {
        let temporary = try made()
        let reader = try #require(try TrailReader(temporary.state))
        func found(_ text: String) throws -> String? {
            if case .one(let row) = try reader.session(text) { return row.info.id }
            return nil
        }
        #expect(try found("s-01JAAA") == "s-01JAAA")
        #expect(try found("01JAB") == "s-01JABB")
        #expect(try found("nightly") == "s-01JAAA")
        #expect(try found("last") == "s-01JABB")
        #expect(try found("s-01JA") == nil)
        #expect(try found("x") == nil)
    }

    @Test func followSeesEachEventOnce() throws {
        let temporary = try TemporaryState()
        let journal = try newJournal(temporary.state)
        let writer = TrailWriter(state: temporary.state, journal: journal)
        try journal.append(access(), "/w/0")
        try writer.drainOnce()
        let reader = try #require(try TrailReader(temporary.state))
        var cursor = FollowCursor()
        var seen: [UInt64] = []
        for index in 1...5 {
            try reader.events(EventFilter(), since: &cursor) { seen.append($0.seq) }
            #expect(try reader.hasChanged())
            #expect(try !reader.hasChanged())
            try journal.append(access(), "/w/\(index)")
            try journal.append(access(), "/w/0")
            try writer.drainOnce()
        }
        #expect(seen == [1, 2, 4, 6, 8])
        try writer.finish(status: 0)
    }

    @Test func jsonHasTheNamesOfTheContract() throws {
        let temporary = try made()
        var filter = EventFilter()
        filter.decisions = [.deny]
        let denied = try #require(try allEvents(temporary.state, filter).first)
        #expect(
            EventJSON.line(denied) == """
                {"seq":13,"time":"2025-11-20T10:00:04.000000Z","session":"s-01JAAA","identity":"agent:builder",\
                "on_behalf_of":"user:alice","purpose":"nightly build","process":{"pid":4242,"parent":4241,\
                "started":"2025-11-20T10:00:01.000000Z","program":"/usr/bin/cc","args":["cc","-c","evil\\u001b[2J.c"]},\
                "operation":"open","access":["read"],"resource":{"type":"file","name":"/home/alice/.ssh/id_ed25519"},\
                "decision":"deny","rules":["files.deny[0]"],"reason":"Keys stay home.","outcome":{"error":"EACCES"}}
                """)
        filter = EventFilter()
        filter.paths = ["/w/x*"]
        let odd = EventJSON.line(try #require(try allEvents(temporary.state, filter).first))
        #expect(odd.contains(#""name":"/w/x\\xff","name_base64":"L3cveP8=""#))
        filter.paths = ["*/stdio.h", "**/stdio.h"]
        let repeated = EventJSON.line(try #require(try allEvents(temporary.state, filter).first))
        #expect(repeated.contains(#""outcome":{"result":0},"count":3,"last":"2025-11-20T10:00:03.000000Z"}"#))
    }

    @Test func whatAReviewerReadsFirst() throws {
        let temporary = try made()
        let reader = try #require(try TrailReader(temporary.state))
        let session = try #require(try reader.sessions().first)
        let text = TrailText.summary(try reader.summary(of: session), style: TextStyle(colour: false), now: 0)
        #expect(
            text == #"""
                session  s-01JAAA (nightly)
                who      agent:builder, on behalf of user:alice, as user 1000 on build-7
                why      nightly build
                command  make -j4 all
                where    /w
                profile  coding-agent, enforce
                when     2025-11-20T10:00:00.000000Z, 12.5 s
                end      exit 0
                did      10 accesses, 2 processes, 1 kind refused, see below

                denied, asked and rewritten
                  deny  open(read) /home/alice/.ssh/id_ed25519
                        by files.deny[0]: Keys stay home.

                processes
                  4241 make -j4 all
                    4242 cc -c 'evil\x1b[2J.c'  (exit 1)

                files changed
                  wrote    /w/x\xff
                  created  /w/main.o
                  renamed  /w/main.o -> /w/lib/main.o

                hosts reached
                  connect  192.0.2.7:443 (api.example.com)

                """#)
    }

    @Test func longListsSayHowMuchIsMissing() throws {
        let temporary = try TemporaryState()
        let journal = try newJournal(temporary.state)
        for index in 0..<40 { try journal.append(access(.create, access: .create), "/w/\(index)") }
        try TrailWriter(state: temporary.state, journal: journal).finish(status: 9)
        let reader = try #require(try TrailReader(temporary.state))
        let session = try #require(try reader.sessions().first)
        let text = TrailText.summary(try reader.summary(of: session), style: TextStyle(colour: false), now: 0)
        #expect(text.contains("… and 25 more: sandbox audit events --session s-01JABCDEF "))
        #expect(text.contains("killed by signal 9"))
    }

    @Test func readersWorkWhileWritersWrite() throws {
        let temporary = try TemporaryState()
        let journals = try ["s-01JA", "s-01JB"].map { try newJournal(temporary.state, sessionInfo($0)) }
        let writers = journals.map { TrailWriter(state: temporary.state, journal: $0) }
        for writer in writers { try writer.start() }
        onThreads(2) { thread in
            for index in 0..<30_000 {
                _ = try? journals[thread].append(access(), resource: Array("/w/\(index)".utf8))
                if index % 10_000 == 0 { _ = try? allEvents(temporary.state) }
            }
        }
        for writer in writers { try writer.finish(status: 0) }
        #expect(try allEvents(temporary.state).count == 60_000)
    }

    @Test func manySessionsBeginAtOnceInAnEmptyState() throws {
        for _ in 0..<5 {
            let temporary = try TemporaryState()
            onThreads(8) { thread in
                do {
                    let journal = try newJournal(temporary.state, sessionInfo("s-01J\(thread)"))
                    try journal.append(access(), "/w/\(thread)")
                    try TrailWriter(state: temporary.state, journal: journal).finish(status: 0)
                } catch { Issue.record(error) }
            }
            #expect(try allEvents(temporary.state).count == 8)
        }
    }

    @Test func aStateDirectoryThatOthersCanWriteIsRefused() throws {
        let temporary = try TemporaryState()
        chmod(temporary.state.path, 0o775)
        #expect(throws: StoreError.self) { try StateDirectory(temporary.state.path) }
        chmod(temporary.state.path, 0o700)
        #expect(try StateDirectory.existing(temporary.state.path + "/none") == nil)
        var info = stat()
        stat(try StateDirectory(temporary.state.path + "/a/b").path, &info)
        #expect(info.st_mode & 0o777 == 0o700)
    }
}
