import Glibc
import SandboxModel
import Synchronization
import Testing

@testable import SandboxStore

@Suite struct JournalTests {
    @Test func whatIsAppendedIsInTheTrail() throws {
        let temporary = try TemporaryState()
        let journal = try newJournal(temporary.state)
        let writer = TrailWriter(state: temporary.state, journal: journal)
        try journal.startProcess(1, parent: 0)
        try journal.setProgram(1, "/usr/bin/make", ["make", "-j4"])
        try journal.setRule(7, "files.deny[0]", "Keys stay home.")
        try journal.append(
            access(decision: .deny, rule: RuleID(rawValue: 7), result: -13), "/home/alice/.ssh/id_ed25519")
        try journal.append(
            access(.rename, access: .rename, result: 0, flags: [.enforced, .secondPath]), "/w/a", extra: "/w/b")
        #expect(try writer.drainOnce() == 5)
        let events = try allEvents(temporary.state)
        #expect(events.map(\.seq) == [4, 5])
        #expect(events[0].decision == .deny)
        #expect(events[0].rule == RuleInfo(name: "files.deny[0]", reason: "Keys stay home."))
        #expect(events[0].result == -13)
        #expect(events[0].process.arguments.map { $0.words.map { text($0) } } == ["make", "-j4"])
        #expect(text(events[1].resource) == "/w/a")
        #expect(text(events[1].target) == "/w/b")
        #expect(events[1].session.info == sessionInfo())
        #expect(events[1].session.ended == nil)
        try writer.finish(status: 256, at: baseTime + 10_000_000_000)
        let session = try #require(try TrailReader(temporary.state)?.sessions().first)
        #expect(session.status == 256 && !session.lost && session.ended == baseTime + 10_000_000_000)
        #expect(try SessionDirectory.all(in: temporary.state) == [])
    }

    @Test func severalThreadsAppendAcrossSegments() throws {
        let temporary = try TemporaryState()
        let journal = try newJournal(temporary.state, segmentSize: 256 << 10)
        let writer = TrailWriter(state: temporary.state, journal: journal)
        try writer.start()
        let each = 20_000
        let numbers = Mutex<Set<UInt64>>([])
        onThreads(4) { thread in
            var mine: Set<UInt64> = []
            for index in 0..<each {
                let path = Array("/w/\(thread)/\(index % 100)".utf8)
                let header = access(process: UInt32(thread + 1), result: RecordHeader.pending)
                guard let record = try? journal.append(header, resource: path) else { return }
                try? journal.complete(record, result: Int32(index % 2) * -2)
                mine.insert(record.seq)
            }
            numbers.withLock { $0.formUnion(mine) }
        }
        try writer.finish(status: 0)
        #expect(numbers.withLock { $0.count } == 4 * each)
        let events = try allEvents(temporary.state)
        #expect(events.reduce(0) { $0 + $1.count } == UInt64(4 * each))
        #expect(events.allSatisfy { $0.result != nil })
        #expect(events.reduce(0) { $0 + ($1.result == 0 ? $1.count : 0) } == UInt64(2 * each))
        #expect(events.count < 4 * each)
    }

    @Test func aResultThatComesLateFindsItsRow() throws {
        let temporary = try TemporaryState()
        let journal = try newJournal(temporary.state, segmentSize: 256 << 10)
        let writer = TrailWriter(state: temporary.state, journal: journal)
        let early = try journal.append(access(result: RecordHeader.pending), "/early")
        try journal.complete(early, result: 5)
        let late = try journal.append(
            access(.connect, access: [], type: .socket, result: RecordHeader.pending), "192.0.2.1:443")
        try writer.drainOnce()
        #expect(try allEvents(temporary.state).map(\.result) == [0, nil])
        // Its segment is long gone when the connect ends.
        for index in 0..<5000 { try journal.append(access(), "/fill/\(index)") }
        while try writer.drainOnce() > 0 {}
        try journal.complete(late, result: -111)
        try writer.drainOnce()
        var filter = EventFilter()
        filter.operations = [.connect]
        #expect(try allEvents(temporary.state, filter).map(\.result) == [-111])
        try writer.finish(status: 0)
    }

    @Test func repeatsAreOneRow() throws {
        let temporary = try TemporaryState()
        let journal = try newJournal(temporary.state)
        let writer = TrailWriter(state: temporary.state, journal: journal)
        for second in 1...10 as ClosedRange<UInt64> {
            // A success is a success, whatever the descriptor's number.
            try journal.append(access(result: Int32(second), second: second), "/w/same")
            try journal.append(access(result: RecordHeader.unknown, second: second), "/w/continued")
            if second == 5 { try writer.drainOnce() }
        }
        try journal.append(access(result: -2, second: 11), "/w/same")
        try journal.append(access(access: .write, second: 12), "/w/same")
        try journal.append(access(process: 2, second: 13), "/w/same")
        for _ in 0..<3 { try journal.append(access(.exec, type: .program), "/bin/true") }
        try writer.finish(status: 0)
        let events = try allEvents(temporary.state)
        #expect(events.map(\.count) == [10, 10, 1, 1, 1, 1, 1, 1])
        #expect(events[0].first == baseTime + 1_000_000_000 && events[0].last == baseTime + 10_000_000_000)
        #expect(events[1].result == nil)
    }

    @Test func whatIsTooLongIsCutAndFlagged() throws {
        let temporary = try TemporaryState()
        let journal = try newJournal(temporary.state)
        let writer = TrailWriter(state: temporary.state, journal: journal)
        try journal.append(
            access(.exec, type: .program), resource: [UInt8](repeating: 0x61, count: 10_000),
            extra: [UInt8](repeating: 0x62, count: 100_000))
        try writer.finish(status: 0)
        let event = try #require(try allEvents(temporary.state).first)
        #expect(event.flags.contains(.truncated))
        #expect(event.resource?.count == JournalLayout.resourceLimit)
        #expect(event.process.arguments?.words.first?.count == JournalLayout.extraLimit)
    }

    @Test func aFullDiskThrowsAndLosesNothingBefore() throws {
        let temporary = try TemporaryState()
        let info = sessionInfo()
        let left = Atomic(2)
        let journal = try Journal(
            directory: try SessionDirectory.create(info, in: temporary.state), session: info, segmentSize: 256 << 10
        ) { file, size in
            let had = left.wrappingSubtract(1, ordering: .relaxed).oldValue
            return had > 0 ? posix_fallocate(file, 0, size) : ENOSPC
        }
        var appended = 0
        let failure = #expect(throws: StoreError.self) {
            for index in 0..<100_000 {
                try journal.append(access(), "/w/\(index)")
                appended = index + 1
            }
        }
        guard case .system("fallocate", _, ENOSPC)? = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(appended > 2000)
        // The database takes in what there is; the segment that is full stays the current one until another can be had.
        let writer = TrailWriter(state: temporary.state, journal: journal)
        while try writer.drainOnce() > 0 {}
        #expect(throws: StoreError.self) { try journal.append(access(), "/w/not yet") }
        #expect(try writer.drainOnce() == 0)
        // There is space again: it goes on where it was.
        left.store(10, ordering: .relaxed)
        let record = try journal.append(access(), "/w/again")
        #expect(record.seq == UInt64(appended + 1))
        try writer.finish(status: 0)
        #expect(try allEvents(temporary.state).count == appended + 1)
    }

    private func begun() throws -> (TemporaryState, SessionDirectory, Journal, TrailWriter) {
        let temporary = try TemporaryState(), info = sessionInfo()
        let directory = try SessionDirectory.create(info, in: temporary.state)
        let journal = try Journal(directory: directory, session: info)
        return (temporary, directory, journal, TrailWriter(state: temporary.state, journal: journal))
    }

    /// Files without a name are no trail.
    @Test(arguments: [true, false]) func removedStoreIsNoticed(database: Bool) throws {
        let (temporary, directory, journal, writer) = try begun()
        try journal.append(access(), "/w/one")
        #expect(try writer.drainOnce() == 1)
        if database { unlink(temporary.state.database) } else { try directory.remove() }
        #expect(throws: StoreError.self) { try writer.drainOnce() }
        #expect(throws: StoreError.self) { try journal.append(access(), "/w/two") }
    }

    /// Also where nothing has been drained since: after the end nobody is there to be told.
    @Test func removedJournalIsNoticedAtTheEnd() throws {
        let (temporary, directory, journal, writer) = try begun()
        defer { withExtendedLifetime(temporary) {} }
        try journal.append(access(), "/w/one")
        try directory.remove()
        #expect(throws: StoreError.self) { try writer.end(status: 0) }
        #expect(writer.isGone)
    }
}
