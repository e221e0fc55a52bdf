internal import SandboxModel

/// How a segment file of the journal is laid out (integers in the machine's order: a journal never travels).
///
///     0      magic, version, number, size, first seq, number of slots
///     4096   slots, 8 bytes each: where record i is, whether it is whole, and its result
///     …      records, each on a multiple of 8: checksum, header, resource, extra
///
/// The slots are what makes a torn record harmless: one that was reserved but never committed is an empty slot,
/// and the next slot says where the next record is. Record i of a segment has the number `first seq` + i.
enum JournalLayout {
    static let magic: UInt64 = 0x314c_4e52_4a58_4253  // "SBXJRNL1"
    static let version: UInt32 = 1
    static let slotsOffset = 4096
    static let recordHeaderSize = 88
    /// Longer ones are cut, flagged, and their whole length is kept. The kernel's PATH_MAX is 4096.
    static let resourceLimit = 8192
    static let extraLimit = 65_536
    static let minimumSize = 256 << 10
    static let maximumSize = 1 << 30

    /// A record of the usual size takes about 128 bytes: then slots and space run out together.
    static func slotCount(size: Int) -> Int { size / 128 }
    static func recordsOffset(size: Int) -> Int { slotsOffset + slotCount(size: size) * 8 }

    static func segmentName(_ number: UInt32) -> String {
        let digits = String(number)
        return "journal." + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
    }

    static func segmentNumber(_ name: String) -> UInt32? {
        name.hasPrefix("journal.") ? UInt32(name.dropFirst(8)) : nil
    }
}

/// One slot: 28 bits of offset (in units of 8 bytes), 4 bits of state, 32 bits of result. One word, so that
/// committing, completing and draining a record are one atomic operation each.
struct JournalSlot: Equatable {
    enum State: UInt64 {
        case empty = 0
        /// The record is whole.
        case committed
        /// It was whole but still pending when the drain passed it: its result comes as a record of its own.
        case taken
    }

    var word: UInt64

    init(word: UInt64) { self.word = word }

    init(offset: Int, state: State, result: Int32) {
        word = UInt64(offset) >> 3 | state.rawValue << 28 | UInt64(UInt32(bitPattern: result)) << 32
    }

    var offset: Int { Int(word & 0x0fff_ffff) << 3 }
    var state: State? { State(rawValue: word >> 28 & 0xf) }
    var result: Int32 { Int32(bitPattern: UInt32(word >> 32)) }

    func with(state: State) -> JournalSlot { JournalSlot(offset: offset, state: state, result: result) }
    func with(result: Int32) -> JournalSlot { JournalSlot(offset: offset, state: .committed, result: result) }
}

/// A record where it lies in a segment. The pointers are good as long as the segment is mapped.
struct JournalRecord {
    var header: RecordHeader
    var resource: UnsafeRawBufferPointer
    var extra: UnsafeRawBufferPointer
    /// The lengths before anything was cut.
    var resourceLength: Int
    var extraLength: Int
}

/// Finds where a record that was just appended lies, to give it its result.
package struct RecordRef: Sendable {
    /// The record's number within the session.
    package let seq: UInt64
    let segment: UInt32
    let block: Int32
    let slot: Int32
}
