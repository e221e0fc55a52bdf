import Glibc
import SandboxFiles
import SandboxModel
import Testing

@testable import SandboxStore

@Suite struct RecoveryTests {
    /// Copies of a live session's segments, as a killed supervisor would leave them: the lock is free.
    private func abandon(_ state: StateDirectory, _ fill: (Journal, TrailWriter) throws -> Void) throws {
        do {
            let journal = try newJournal(state, segmentSize: 256 << 10)
            try fill(journal, TrailWriter(state: state, journal: journal))
        }
        // Children that other tests have just forked hold it as well, until they run a program.
        let lock = open(state.sessions + "/s-01JABCDEF/lock", O_RDONLY | O_CLOEXEC)
        #expect(lock >= 0 && flock(lock, LOCK_EX) == 0)
        close(lock)
    }

    @Test func aJournalThatWasLeftBehindIsTakenInOnce() throws {
        let temporary = try TemporaryState()
        try abandon(temporary.state) { journal, writer in
            for index in 0..<3000 { try journal.append(access(second: UInt64(index)), "/w/\(index % 1500)") }
            try writer.drainOnce()
            for index in 3000..<6000 { try journal.append(access(second: UInt64(index)), "/w/\(index % 1500)") }
            #expect(try Trail.recover(temporary.state).recovered == [])  // It lives.
        }
        #expect(try Trail.recover(temporary.state).recovered == ["s-01JABCDEF"])
        #expect(try Trail.recover(temporary.state).recovered == [])
        let events = try allEvents(temporary.state)
        #expect(events.reduce(0) { $0 + $1.count } == 6000)
        let session = try #require(events.first?.session)
        #expect(session.lost && session.ended == baseTime + 5999 * 1_000_000_000 && session.torn == 0)
    }

    @Test func takingInAgainGivesNoDuplicates() throws {
        let temporary = try TemporaryState()
        let copy = temporary.state.sessions + "/copy"
        try abandon(temporary.state) { journal, _ in
            for index in 0..<2000 { try journal.append(access(), "/w/\(index)") }
        }
        let directory = temporary.state.sessions + "/s-01JABCDEF"
        #expect(system("cp -a \(directory) \(copy)") == 0)
        _ = try Trail.recover(temporary.state)
        // As if it had been killed between the commit and the removal of the files.
        rename(copy, directory)
        #expect(try Trail.recover(temporary.state).recovered.count == 1)
        #expect(try allEvents(temporary.state).count == 2000)
    }

    @Test func anEndOnRecordIsNotALoss() throws {
        let temporary = try TemporaryState()
        try abandon(temporary.state) { journal, _ in
            try journal.append(access(), "/w/a")
            try journal.append(RecordHeader(kind: .processExit, result: 512, time: baseTime + 5))
        }
        _ = try Trail.recover(temporary.state)
        let session = try #require(try TrailReader(temporary.state)?.sessions().first)
        #expect(!session.lost && session.status == 512)
    }

    @Test func anEndIsAnEndAlsoForWhoIsKilledRightAfterIt() throws {
        let temporary = try TemporaryState()
        try abandon(temporary.state) { journal, writer in
            try journal.append(access(), "/w/a")
            try writer.end(status: 512)
            #expect(try TrailReader(temporary.state) == nil)  // Nothing of it is in the store.
        }
        #expect(try Trail.recover(temporary.state, patiently: true).recovered.count == 1)
        let session = try #require(try allEvents(temporary.state).first?.session)
        #expect(!session.lost && session.status == 512)
    }

    @Test func whoAsksForTheTrailWaitsForWhatHasEndedAndForNothingElse() throws {
        let temporary = try TemporaryState()
        let state = temporary.state
        let journal = try newJournal(state)
        let writer = TrailWriter(state: state, journal: journal)
        for index in 0..<20_000 { try journal.append(access(), "/w/\(index)") }
        let living = try Trail.recover(state, patiently: true)
        #expect(living.recovered.isEmpty && living.failures.isEmpty)
        try writer.end(status: 0)
        onThreads(2) { index in
            if index == 0 {
                #expect(throws: Never.self) { try writer.settle() }
            } else {
                // However far the other one is.
                #expect((try? Trail.recover(state, patiently: true))?.failures.isEmpty == true)
                #expect((try? allEvents(state).count) == 20_000)
            }
        }
    }

    @Test func aTornRecordCostsOnlyItself() throws {
        let temporary = try TemporaryState()
        try abandon(temporary.state) { journal, _ in
            try journal.append(access(), "/w/before")
            // A thread that is killed between reserving and committing.
            _ = journal.block(journal.undrained()[0]).pointee.reserve(128)
            try journal.append(access(), "/w/after")
        }
        _ = try Trail.recover(temporary.state)
        let events = try allEvents(temporary.state)
        #expect(events.map { text($0.resource) } == ["/w/before", "/w/after"])
        #expect(events.first?.session.torn == 1)
    }

    @Test func theLiveDrainPassesNoUncommittedRecordButTheEndDoes() throws {
        let temporary = try TemporaryState()
        let journal = try newJournal(temporary.state)
        let writer = TrailWriter(state: temporary.state, journal: journal)
        try journal.append(access(), "/w/before")
        _ = journal.block(journal.undrained()[0]).pointee.reserve(128)
        try journal.append(access(), "/w/after")
        #expect(try writer.drainOnce() == 1)
        #expect(try writer.drainOnce() == 0)
        try writer.finish(status: 0)
        #expect(try allEvents(temporary.state).count == 2)
    }

    @Test func sigkillLosesNothingThatWasAppended() throws {
        let temporary = try TemporaryState()
        let state = temporary.state
        // Shared with the child: the number of its last append that returned.
        let page = try #require(
            mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
        let last = page.assumingMemoryBound(to: UInt64.self)
        // fork(2) is unavailable in Swift; this child only appends until it is killed.
        typealias Fork = @convention(c) () -> pid_t
        let fork = unsafeBitCast(dlsym(nil, "fork"), to: Fork.self)
        let child = fork()
        if child == 0 {
            guard let journal = try? newJournal(state, segmentSize: 1 << 20) else { _exit(1) }
            let path = Array("/w/some/path".utf8)
            while true {
                guard let record = try? journal.append(access(), resource: path) else { _exit(2) }
                last.pointee = record.seq
            }
        }
        for _ in 0..<4000 where last.pointee < 20_000 { usleep(1000) }
        kill(child, SIGKILL)
        var status: Int32 = 0
        waitpid(child, &status, 0)
        #expect(status == SIGKILL)
        #expect(try Trail.recover(state).recovered.count == 1)
        let event = try #require(try allEvents(state).first)
        #expect(event.count >= last.pointee && event.count <= last.pointee + 1)
        munmap(page, 4096)
    }

    @Test func noBytesMakeTheReaderCrash() throws {
        let temporary = try TemporaryState()
        try abandon(temporary.state) { journal, _ in
            for index in 0..<800 { try journal.append(access(.exec), "/w/\(index)", extra: "a\0b\0") }
        }
        let directory = try #require(try SessionDirectory.adopt("s-01JABCDEF", in: temporary.state))
        let whole = try JournalSegment.read(1, in: directory)
        var random = SeededRandom(state: 42)
        for round in 0..<400 {
            let copy = SegmentBytes(count: whole.bytes.count - (round % 5 == 0 ? Int.random(in: 0..<64, using: &random) * 8 : 0))
            copy.bytes.copyMemory(from: UnsafeRawBufferPointer(rebasing: whole.bytes[..<copy.bytes.count]))
            for _ in 0..<Int.random(in: 1...50, using: &random) {
                // Half of the time among the header and the slots, where most of the meaning is.
                let end = Bool.random(using: &random) ? copy.bytes.count : 4096 + 8 * 800
                copy.bytes[Int.random(in: 0..<end, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            var seen = 0
            _ = try JournalReader.records(in: UnsafeRawBufferPointer(copy.bytes), after: 0) { record in
                seen += record.resource.count + record.extra.count
            }
            #expect(seen <= 800 * (7 + 4) + 8)
        }
    }

    /// readdir(3) may give the last entry of a buffer that ends right behind its name.
    @Test func aFolderEntryIsReadNoFurtherThanItGoes() throws {
        let page = Int(getpagesize())
        let memory = try #require(mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
        defer { munmap(memory, 2 * page) }
        #expect(mprotect(memory + page, page, PROT_NONE) == 0)
        let entry = memory + page - 24
        (entry + 19).copyMemory(from: Array("name\0".utf8), byteCount: 5)
        let bound = UnsafePointer(entry.assumingMemoryBound(to: dirent.self))
        #expect(DirectoryEntry.name(bound) == "name" && DirectoryEntry.bytes(bound) == Array("name".utf8))
    }
}

struct SeededRandom: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }
}
