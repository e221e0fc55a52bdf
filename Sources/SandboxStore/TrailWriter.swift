internal import Glibc
internal import SandboxModel
internal import Synchronization

/// Moves a journal into the database: on a thread of its own after `start`, or when `drainOnce` is called.
/// Never blocks an appender, whatever the database does.
package final class TrailWriter: Sendable {
    /// At most so many records are one transaction: other sessions write to the same database.
    private static let batchLimit = 32_768

    private let state: StateDirectory
    private let journal: Journal
    private let stopping = Atomic(false)
    private let work: Mutex<Work>
    private let thread = Mutex<pthread_t?>(nil)
    private let lastFailure = Mutex<StoreError?>(nil)

    private struct Work {
        var ingest: TrailIngest?
        /// The next slot of the oldest segment.
        var slot = 0
    }

    package init(state: StateDirectory, journal: Journal) {
        self.state = state
        self.journal = journal
        work = Mutex(Work())
    }

    /// What kept the last drain from its work; the journal holds the records until it works again.
    package var failure: StoreError? { lastFailure.withLock { $0 } }

    /// Somebody has removed the store, or what the journal lies in.
    package var isGone: Bool { journal.hasGone }

    /// Drains what the journal holds now, at most one batch; gives the number of records.
    @discardableResult
    package func drainOnce() throws(StoreError) -> Int {
        journal.prepareNext()
        do throws(StoreError) {
            let count = try work.withLock { work throws(StoreError) in try drain(&work, skippingTorn: false) }
            lastFailure.withLock { $0 = nil }
            return count
        } catch {
            lastFailure.withLock { $0 = error }
            throw error
        }
    }

    /// Ends the session: `end` and `settle`.
    package func finish(status: Int32, at time: UInt64 = currentTime()) throws(StoreError) {
        try end(status: status, at: time)
        try settle()
    }

    /// The session's end is on record. Nobody may append any more; the journal holds everything, and whoever asks for the
    /// trail waits for `settle`, or takes the journal in when we are killed before.
    package func end(status: Int32, at time: UInt64 = currentTime()) throws(StoreError) {
        // Who removed it since the last drain is told now: later there is nobody to tell.
        try check([journal.directory.path])
        let end = RecordHeader(kind: .processExit, result: status, time: time)
        do throws(StoreError) {
            try journal.append(end)
        } catch {
            // The disk is full of journal: make room first.
            try drainAll()
            try journal.append(end)
        }
        try journal.directory.markEnded()
    }

    /// After `end`: everything is drained, the session's directory is gone. When it throws, the journal stays and the
    /// next `Trail.recover` does the rest.
    package func settle() throws(StoreError) {
        stop()
        try drainAll()
        try journal.directory.remove()
        // Nobody waits for it any more, and whoever asks for the graph makes up for what is missing.
        try? LineageIngest.takeIn(state)
    }

    private func drainAll() throws(StoreError) {
        try work.withLock { work throws(StoreError) in
            while try drain(&work, skippingTorn: true) > 0 {}
        }
    }

    // MARK: The thread

    /// Starts the thread. It takes no signals: those are the supervisor's.
    package func start() throws(StoreError) {
        var all = sigset_t()
        var old = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &old)
        defer { pthread_sigmask(SIG_SETMASK, &old, nil) }
        var id = pthread_t()
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(
            &id, nil,
            { context in
                Unmanaged<TrailWriter>.fromOpaque(context!).takeRetainedValue().loop()
                return nil
            }, context.toOpaque())
        if code != 0 {
            context.release()
            throw .system(call: "pthread_create", object: "writer", errno: code)
        }
        thread.withLock { $0 = id }
    }

    /// Ends the thread; what it has not drained stays in the journal.
    package func stop() {
        stopping.store(true, ordering: .sequentiallyConsistent)
        journal.wakeup.post()
        let id = thread.withLock { id in
            defer { id = nil }
            return id
        }
        if let id { pthread_join(id, nil) }
    }

    private func loop() {
        var quiet = 0
        while !stopping.load(ordering: .acquiring) {
            guard let count = try? drainOnce() else {
                restAfterFailure()
                continue
            }
            quiet = count == 0 ? quiet + 1 : 0
            if count >= TrailWriter.batchLimit { continue }
            if quiet < 2 {
                journal.wakeup.wait(milliseconds: 250)
            } else {
                sleepUntilAppend()
            }
        }
    }

    /// A full disk stays full for a while, and appenders that wait for room wake us all the time: each attempt goes through
    /// the whole batch again.
    private func restAfterFailure() {
        for _ in 0..<20 where !stopping.load(ordering: .acquiring) { usleep(25_000) }
    }

    private func sleepUntilAppend() {
        journal.wakeup.setIdle(true)
        if (try? drainOnce()) == 0 { journal.wakeup.wait(milliseconds: 1000) }
        journal.wakeup.setIdle(false)
        // Whatever woke us seldom comes alone.
        if !stopping.load(ordering: .acquiring) { usleep(20_000) }
    }

    // MARK: Draining

    private func drain(_ work: inout Work, skippingTorn: Bool) throws(StoreError) -> Int {
        let queue = journal.undrained()
        let first = journal.block(queue[0])
        if work.ingest == nil {
            work.ingest = try TrailIngest(state: state, session: journal.session)
        }
        try check([state.database, journal.directory.path])
        if queue.count == 1, first.pointee.fill.count <= work.slot { return 0 }
        let ingest = work.ingest!
        try ingest.begin()
        do throws(StoreError) {
            let pass = try collect(queue, from: work.slot, into: ingest, skippingTorn: skippingTorn)
            try ingest.commit(through: pass.last, torn: pass.torn)
            for _ in 0..<pass.finished { journal.retireOldest() }
            work.slot = pass.slot
            return pass.count
        } catch {
            ingest.rollback()
            throw error
        }
    }

    /// SQLite and the journal hold their files open, and would go on writing into removed ones.
    private func check(_ paths: [String]) throws(StoreError) {
        for path in paths where access(path, F_OK) != 0 && errno == ENOENT {
            journal.noteGone()
            throw .system(call: "stat", object: path, errno: ENOENT)
        }
    }

    private struct Pass {
        var count = 0
        var torn = 0
        var finished = 0
        var slot: Int
        var last: UInt64
    }

    /// Goes through the slots in order, up to the first that is reserved and not yet committed: a matter of
    /// nanoseconds, or of a thread that the scheduler holds up.
    private func collect(
        _ queue: [Int], from slot: Int, into ingest: TrailIngest, skippingTorn: Bool
    ) throws(StoreError) -> Pass {
        var pass = Pass(slot: slot, last: ingest.drained)
        for index in queue {
            let block = journal.block(index)
            let segment = UnsafeRawBufferPointer(start: block.pointee.base, count: block.pointee.size)
            let fill = block.pointee.fill
            while pass.slot < fill.count {
                if pass.count >= TrailWriter.batchLimit { return pass }
                let seq = block.pointee.firstSeq + UInt64(pass.slot)
                let taken = take(block, pass.slot, patiently: skippingTorn)
                if taken.state == .empty, !skippingTorn { return pass }
                if let record = JournalCoding.read(segment, slot: taken, seq: seq) {
                    try ingest.add(record)
                } else {
                    pass.torn += 1
                }
                pass.last = seq
                pass.count += 1
                pass.slot += 1
            }
            // A full one without a successor (a full disk) stays the current one.
            if !fill.sealed || index == queue.last { return pass }
            pass.finished += 1
            pass.slot = 0
        }
        return pass
    }

    /// At the end an uncommitted slot gets a fifth of a second; then its thread is gone.
    private func take(_ block: UnsafeMutablePointer<JournalBlock>, _ slot: Int, patiently: Bool) -> JournalSlot {
        var taken = block.pointee.take(slot)
        for _ in 0..<200 where patiently && taken.state == .empty {
            usleep(1000)
            taken = block.pointee.take(slot)
        }
        return taken
    }
}
