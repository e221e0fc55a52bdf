package import SandboxModel
internal import Glibc
internal import Synchronization

/// The journal of one session: what is appended outlives the death of this process, because it lies in a
/// shared mapping and so in the kernel's page cache. `append` and `complete` may be called on any thread; the
/// usual path allocates nothing, makes no system call and takes no lock.
package final class Journal: Sendable {
    package let directory: SessionDirectory
    package let session: SessionInfo
    let wakeup = Wakeup()
    private let blocks: JournalBlocks
    private let current: Atomic<Int>
    private let switching: Mutex<Switching>
    private let isGone = Atomic<Bool>(false)
    private let segmentSize: Int
    private let allocate: JournalSegment.Allocate

    /// Everything about segments that changes rarely.
    private struct Switching {
        var lastNumber: UInt32 = 0
        /// Prepared in advance by the writer, still sealed.
        var next: Int?
        var free: [Int] = []
        /// From the oldest that is not drained to the current one.
        var queue: [Int] = []
    }

    /// Makes the journal's first segment in a directory that was just created.
    package convenience init(
        directory: SessionDirectory, session: SessionInfo, segmentSize: Int = 4 << 20
    ) throws(StoreError) {
        try self.init(directory: directory, session: session, segmentSize: segmentSize) { posix_fallocate($0, 0, $1) }
    }

    init(
        directory: SessionDirectory, session: SessionInfo, segmentSize: Int, allocate: @escaping JournalSegment.Allocate
    ) throws(StoreError) {
        self.directory = directory
        self.session = session
        self.segmentSize = min(max(segmentSize, JournalLayout.minimumSize), JournalLayout.maximumSize) & ~4095
        self.allocate = allocate
        blocks = JournalBlocks(segmentSize: self.segmentSize)
        current = Atomic(0)
        var initial = Switching()
        initial.free = Array((0..<JournalBlocks.capacity).reversed())
        switching = Mutex(initial)
        try switching.withLock { state throws(StoreError) in
            let first = try prepare(&state)
            blocks[first].pointee.open(firstSeq: 1)
            state.queue = [first]
            current.store(first, ordering: .releasing)
        }
    }

    // MARK: Appending

    /// Puts a record into the journal. When this returns, the record survives SIGKILL.
    ///
    /// A header whose `result` is `pending` must be completed; one whose result nobody will know says `unknown`.
    /// Throws only when a new segment is needed and cannot be had (a full disk).
    @discardableResult
    package func append(
        _ header: RecordHeader, resource: UnsafeRawBufferPointer = .init(start: nil, count: 0),
        extra: UnsafeRawBufferPointer = .init(start: nil, count: 0)
    ) throws(StoreError) -> RecordRef {
        let size = JournalCoding.size(
            resource: min(resource.count, JournalLayout.resourceLimit),
            extra: min(extra.count, JournalLayout.extraLimit))
        if isGone.load(ordering: .relaxed) { throw .system(call: "stat", object: directory.path, errno: ENOENT) }
        while true {
            let index = current.load(ordering: .acquiring)
            let block = blocks[index]
            guard let reserved = block.pointee.reserve(size) else {
                try replaceSegment(index)
                continue
            }
            let seq = block.pointee.firstSeq &+ UInt64(reserved.slot)
            let number = block.pointee.number
            JournalCoding.write(
                header, seq: seq, resource: resource, extra: extra, to: block.pointee.base! + reserved.offset)
            block.pointee.commit(
                reserved.slot, JournalSlot(offset: reserved.offset, state: .committed, result: header.result))
            wakeup.appended(urgent: reserved.crossedHalf)
            return RecordRef(seq: seq, segment: number, block: Int32(index), slot: Int32(reserved.slot))
        }
    }

    /// The same with arrays, where speed does not matter.
    @discardableResult
    package func append(
        _ header: RecordHeader, resource: [UInt8], extra: [UInt8] = []
    ) throws(StoreError) -> RecordRef {
        var outcome: Result<RecordRef, StoreError>?
        resource.withUnsafeBytes { resource in
            extra.withUnsafeBytes { extra in
                do throws(StoreError) {
                    outcome = .success(try append(header, resource: resource, extra: extra))
                } catch { outcome = .failure(error) }
            }
        }
        return try outcome!.get()
    }

    /// Gives a pending record its result, once. In place where the drain has not passed it yet, otherwise as a
    /// record of its own, which is why this can throw as `append` does.
    package func complete(_ record: RecordRef, result: Int32) throws(StoreError) {
        let block = blocks[Int(record.block)]
        if block.pointee.complete(Int(record.slot), result: result, segment: record.segment) { return }
        var outcome = RecordHeader(kind: .outcome, result: result, time: currentTime())
        outcome.subject = record.seq
        try append(outcome)
    }

    // MARK: Segments

    /// Puts a new segment in the place of a full one. Several threads may come here at once; one does it.
    private func replaceSegment(_ full: Int) throws(StoreError) {
        try switching.withLock { state throws(StoreError) in
            guard current.load(ordering: .acquiring) == full else { return }
            let count = blocks[full].pointee.seal()
            let next: Int
            if let prepared = state.next { next = prepared } else { next = try prepare(&state) }
            state.next = nil
            blocks[next].pointee.open(firstSeq: blocks[full].pointee.firstSeq + UInt64(count))
            state.queue.append(next)
            current.store(next, ordering: .releasing)
            // A drain that is far behind must not cost us memory as well.
            if state.queue.count > 4 { blocks.letGo(full) }
        }
        wakeup.appended(urgent: true)
    }

    private func prepare(_ state: inout Switching) throws(StoreError) -> Int {
        guard let index = state.free.popLast() else { throw .backlog(object: directory.path) }
        state.lastNumber += 1
        do throws(StoreError) {
            let base = try JournalSegment.create(
                state.lastNumber, in: directory, size: segmentSize, allocate: allocate)
            blocks[index].pointee.load(base, number: state.lastNumber)
            return index
        } catch {
            state.lastNumber -= 1
            state.free.append(index)
            throw error
        }
    }

    // MARK: For the one thread that drains

    /// Somebody has removed the store: what is appended would go into files without a name. From now on nothing can be.
    var hasGone: Bool { isGone.load(ordering: .relaxed) }
    func noteGone() { isGone.store(true, ordering: .relaxed) }

    /// Makes the next segment in advance when the current one is half full. A failure is left to the appender
    /// who needs it: only then does it matter.
    func prepareNext() {
        let fill = blocks[current.load(ordering: .acquiring)].pointee.fill
        guard fill.bytes >= segmentSize / 2 else { return }
        switching.withLock { state in
            guard state.next == nil else { return }
            do throws(StoreError) {
                let index = try prepare(&state)
                JournalSegment.warmUp(blocks[index].pointee.base!, size: segmentSize)
                state.next = index
            } catch {}
        }
    }

    /// The blocks that hold what is not drained yet, oldest first.
    func undrained() -> [Int] { switching.withLock { $0.queue } }

    func block(_ index: Int) -> UnsafeMutablePointer<JournalBlock> { blocks[index] }

    /// The oldest segment is in the database: its file goes.
    func retireOldest() {
        switching.withLock { state in
            let index = state.queue.removeFirst()
            let number = blocks[index].pointee.number
            blocks.unload(index)
            JournalSegment.remove(number, from: directory)
            state.free.append(index)
        }
    }
}

/// The blocks of a journal, at addresses that do not change.
///
/// `@unchecked Sendable` holds because the table itself never changes and `JournalBlock` says who may touch
/// what of a block when.
final class JournalBlocks: @unchecked Sendable {
    /// 1,024 segments of 4 MiB are more than any drain should ever be behind.
    static let capacity = 1024
    private let table: UnsafeMutablePointer<JournalBlock>

    init(segmentSize: Int) {
        table = .allocate(capacity: JournalBlocks.capacity)
        for index in 0..<JournalBlocks.capacity { (table + index).initialize(to: JournalBlock(size: segmentSize)) }
    }

    deinit {
        for index in 0..<JournalBlocks.capacity {
            if let base = table[index].base { JournalSegment.unmap(base, size: table[index].size) }
        }
        table.deinitialize(count: JournalBlocks.capacity)
        table.deallocate()
    }

    @inline(__always)
    subscript(index: Int) -> UnsafeMutablePointer<JournalBlock> { table + index }

    func letGo(_ index: Int) {
        if let base = table[index].base { JournalSegment.letGo(base, size: table[index].size) }
    }

    func unload(_ index: Int) {
        let size = table[index].size
        if let base = table[index].retire() { JournalSegment.unmap(base, size: size) }
    }
}
