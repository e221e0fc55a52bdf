internal import Glibc
internal import SandboxModel
internal import Synchronization

/// A segment in use: its mapping, and the atomics that appenders, completers and the drain agree on.
///
/// INVARIANT: blocks live as long as their journal and are used again for later segments, so that a thread
/// which was held up between reading `Journal.current` and using it never touches freed memory:
/// - `cursor` is sealed unless the block is the current one; a late appender fails to reserve and looks again;
/// - a reserved slot keeps its segment mapped, since the drain does not pass an uncommitted slot;
/// - a completer holds the mapping by counting itself in `users`, which fails once `retired` is set.
struct JournalBlock: ~Copyable {
    static let sealed: UInt64 = 1 << 63
    static let retired: UInt64 = 1 << 63

    /// Bits 0–31: bytes used; 32–62: slots used; 63: sealed.
    let cursor = Atomic<UInt64>(JournalBlock.sealed)
    let users = Atomic<UInt64>(JournalBlock.retired)
    // Written only while `cursor` is sealed and `users` retired.
    var number: UInt32 = 0
    var firstSeq: UInt64 = 0
    var base: UnsafeMutableRawPointer?
    /// The same for all segments of a journal: a late appender may look at it at any time.
    let size: Int

    init(size: Int) { self.size = size }

    struct Reservation {
        let slot: Int
        let offset: Int
        /// More than half of the segment is used, and this reservation is the one that crossed the line.
        let crossedHalf: Bool
    }

    struct Fill {
        let count: Int
        let bytes: Int
        let sealed: Bool
        init(_ cursor: UInt64) {
            count = Int(cursor >> 32 & 0x7fff_ffff)
            bytes = Int(cursor & 0xffff_ffff)
            sealed = cursor & JournalBlock.sealed != 0
        }
    }

    var fill: Fill { Fill(cursor.load(ordering: .acquiring)) }

    /// Space and a slot for a record, in one compare-and-exchange; nil when it does not fit or is sealed.
    @inline(__always)
    borrowing func reserve(_ bytes: Int) -> Reservation? {
        var old = cursor.load(ordering: .acquiring)
        while true {
            let fill = Fill(old)
            if fill.sealed || fill.bytes + bytes > size || fill.count >= JournalLayout.slotCount(size: size) {
                return nil
            }
            let new = old &+ UInt64(bytes) &+ 1 << 32
            let (exchanged, original) = cursor.weakCompareExchange(
                expected: old, desired: new, successOrdering: .acquiringAndReleasing, failureOrdering: .acquiring)
            if exchanged {
                let crossed = fill.bytes < size / 2 && fill.bytes + bytes >= size / 2
                return Reservation(slot: fill.count, offset: fill.bytes, crossedHalf: crossed)
            }
            old = original
        }
    }

    @inline(__always)
    borrowing func commit(_ slot: Int, _ value: JournalSlot) {
        slotWord(slot).pointee.store(value.word, ordering: .releasing)
    }

    @inline(__always)
    borrowing func slot(_ index: Int) -> JournalSlot {
        JournalSlot(word: slotWord(index).pointee.load(ordering: .acquiring))
    }

    /// Sets the result of a committed record that is still pending; false where the drain has passed it.
    borrowing func complete(_ slot: Int, result: Int32, segment: UInt32) -> Bool {
        defer { users.wrappingSubtract(1, ordering: .releasing) }
        let held = users.wrappingAdd(1, ordering: .acquiring).oldValue
        guard held & JournalBlock.retired == 0, number == segment else { return false }
        let word = slotWord(slot)
        let old = JournalSlot(word: word.pointee.load(ordering: .acquiring))
        guard old.state == .committed else { return false }
        return word.pointee.compareExchange(
            expected: old.word, desired: old.with(result: result).word, ordering: .acquiringAndReleasing
        ).exchanged
    }

    /// The slot as the drain takes it: pending becomes taken, so that a later result comes as a record.
    borrowing func take(_ index: Int) -> JournalSlot {
        let old = slot(index)
        guard old.state == .committed, old.result == RecordHeader.pending else { return old }
        let taken = slotWord(index).pointee.compareExchange(
            expected: old.word, desired: old.with(state: .taken).word, ordering: .acquiringAndReleasing)
        return taken.exchanged ? old : JournalSlot(word: taken.original)
    }

    @inline(__always)
    private borrowing func slotWord(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        // Atomic<UInt64> has the size and alignment of UInt64 (SE-0410).
        (base! + JournalLayout.slotsOffset + index * 8).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    // MARK: Life

    /// Puts a mapped segment into the block; it stays sealed until `open`.
    mutating func load(_ segment: UnsafeMutableRawPointer, number: UInt32) {
        base = segment
        self.number = number
        users.bitwiseAnd(~JournalBlock.retired, ordering: .releasing)
    }

    /// Lets appenders in.
    mutating func open(firstSeq: UInt64) {
        self.firstSeq = firstSeq
        (base! + 24).storeBytes(of: firstSeq, as: UInt64.self)
        cursor.store(UInt64(JournalLayout.recordsOffset(size: size)), ordering: .releasing)
    }

    /// Keeps appenders out; gives the number of records that got in.
    borrowing func seal() -> Int {
        Fill(cursor.bitwiseOr(JournalBlock.sealed, ordering: .acquiringAndReleasing).oldValue).count
    }

    /// Waits for the completers that are inside (each is there for nanoseconds) and keeps others out.
    mutating func retire() -> UnsafeMutableRawPointer? {
        while !users.compareExchange(
            expected: 0, desired: JournalBlock.retired, ordering: .acquiringAndReleasing
        ).exchanged { sched_yield() }
        defer { base = nil }
        return base
    }
}
