/// Reads a segment that a dead supervisor left: whatever its bytes are, it answers with the whole records in it.
enum JournalReader {
    /// Calls `body` with each whole record whose number is larger than `last`, in order; gives the number of
    /// slots that were taken but hold none. The records point into `segment`.
    static func records(
        in segment: UnsafeRawBufferPointer, after last: UInt64, _ body: (JournalRecord) throws(StoreError) -> Void
    ) throws(StoreError) -> Int {
        guard let firstSeq = firstSeq(segment) else { return 0 }
        var torn = 0
        for index in 0..<lastSlot(segment) {
            let seq = firstSeq + UInt64(index)
            if seq <= last { continue }
            let slot = slot(segment, index)
            if slot.state == .committed || slot.state == .taken,
                let record = JournalCoding.read(segment, slot: slot, seq: seq)
            {
                try body(record)
            } else {
                torn += 1
            }
        }
        return torn
    }

    /// nil where the bytes are no segment, or one that was prepared and never used.
    private static func firstSeq(_ segment: UnsafeRawBufferPointer) -> UInt64? {
        guard segment.count >= JournalLayout.minimumSize,
            segment.load(as: UInt64.self) == JournalLayout.magic,
            segment.load(fromByteOffset: 8, as: UInt32.self) == JournalLayout.version
        else { return nil }
        let first = segment.load(fromByteOffset: 24, as: UInt64.self)
        return first == 0 || first > 1 << 39 ? nil : first
    }

    /// One more than the last slot that was committed: what lies behind it was never begun, or is lost with its
    /// thread before it said anything.
    private static func lastSlot(_ segment: UnsafeRawBufferPointer) -> Int {
        var end = JournalLayout.slotCount(size: segment.count)
        while end > 0, slot(segment, end - 1).word == 0 { end -= 1 }
        return end
    }

    private static func slot(_ segment: UnsafeRawBufferPointer, _ index: Int) -> JournalSlot {
        JournalSlot(word: segment.load(fromByteOffset: JournalLayout.slotsOffset + index * 8, as: UInt64.self))
    }
}
