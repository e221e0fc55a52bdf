internal import SandboxModel

/// Writing a record into a segment, and reading one back from bytes that a crash may have torn.
enum JournalCoding {
    static func size(resource: Int, extra: Int) -> Int {
        (JournalLayout.recordHeaderSize + resource + extra + 7) & ~7
    }

    /// `place` has room for `size(…)` bytes, all zero, on a multiple of 8.
    @inline(__always)
    static func write(
        _ header: RecordHeader, seq: UInt64, resource: UnsafeRawBufferPointer, extra: UnsafeRawBufferPointer,
        to place: UnsafeMutableRawPointer
    ) {
        let resourceCount = min(resource.count, JournalLayout.resourceLimit)
        let extraCount = min(extra.count, JournalLayout.extraLimit)
        var flags = header.flags
        if resourceCount < resource.count || extraCount < extra.count { flags.insert(.truncated) }
        let words = place.assumingMemoryBound(to: UInt64.self)
        words[1] =
            UInt64(header.kind.rawValue) | UInt64(header.operation.rawValue) << 8
            | UInt64(header.decision.rawValue) << 16 | UInt64(flags.rawValue) << 24
            | UInt64(header.resourceType.rawValue) << 32 | UInt64(header.access.rawValue) << 48
        words[2] = UInt64(header.rule.rawValue) | UInt64(header.process) << 32
        words[3] = UInt64(UInt32(bitPattern: header.pid)) | UInt64(UInt32(bitPattern: header.tid)) << 32
        words[4] = header.time
        words[5] = header.device
        words[6] = header.inode
        words[7] = header.subject
        words[8] = header.detail
        words[9] = UInt64(resourceCount) | UInt64(extraCount) << 32
        words[10] = UInt64(UInt32(clamping: resource.count)) | UInt64(UInt32(clamping: extra.count)) << 32
        let body = place + JournalLayout.recordHeaderSize
        if resourceCount > 0 { body.copyMemory(from: resource.baseAddress!, byteCount: resourceCount) }
        if extraCount > 0 { (body + resourceCount).copyMemory(from: extra.baseAddress!, byteCount: extraCount) }
        words[0] = checksum(words, count: size(resource: resourceCount, extra: extraCount) / 8, seq: seq)
    }

    /// The record at `offset`, or nil where the bytes are not a whole record with this number.
    static func read(_ segment: UnsafeRawBufferPointer, slot: JournalSlot, seq: UInt64) -> JournalRecord? {
        let offset = slot.offset
        let headerSize = JournalLayout.recordHeaderSize
        guard let base = segment.baseAddress, offset >= JournalLayout.slotsOffset,
            offset <= segment.count - headerSize
        else { return nil }
        let words = (base + offset).assumingMemoryBound(to: UInt64.self)
        let resourceCount = Int(words[9] & 0xffff_ffff)
        let extraCount = Int(words[9] >> 32)
        guard resourceCount <= JournalLayout.resourceLimit, extraCount <= JournalLayout.extraLimit else { return nil }
        let size = size(resource: resourceCount, extra: extraCount)
        guard offset <= segment.count - size, checksum(words, count: size / 8, seq: seq) == words[0],
            let header = header(words, result: slot.result, seq: seq)
        else { return nil }
        let body = offset + headerSize
        return JournalRecord(
            header: header, resource: UnsafeRawBufferPointer(rebasing: segment[body..<body + resourceCount]),
            extra: UnsafeRawBufferPointer(
                rebasing: segment[body + resourceCount..<body + resourceCount + extraCount]),
            resourceLength: Int(words[10] & 0xffff_ffff), extraLength: Int(words[10] >> 32))
    }

    private static func header(_ words: UnsafePointer<UInt64>, result: Int32, seq: UInt64) -> RecordHeader? {
        let first = words[1]
        guard let kind = RecordKind(rawValue: UInt8(truncatingIfNeeded: first)),
            let operation = Operation(rawValue: UInt8(truncatingIfNeeded: first >> 8)),
            let decision = Decision(rawValue: UInt8(truncatingIfNeeded: first >> 16)),
            let type = ResourceType(rawValue: UInt8(truncatingIfNeeded: first >> 32))
        else { return nil }
        var header = RecordHeader(
            kind: kind, operation: operation, decision: decision,
            flags: RecordFlags(rawValue: UInt8(truncatingIfNeeded: first >> 24)), resourceType: type,
            access: FileAccess(rawValue: UInt16(truncatingIfNeeded: first >> 48)),
            rule: RuleID(rawValue: UInt16(truncatingIfNeeded: words[2])),
            process: UInt32(truncatingIfNeeded: words[2] >> 32),
            pid: Int32(truncatingIfNeeded: words[3] & 0xffff_ffff), tid: Int32(truncatingIfNeeded: words[3] >> 32),
            result: result, time: words[4])
        header.seq = seq
        header.device = words[5]
        header.inode = words[6]
        header.subject = words[7]
        header.detail = words[8]
        return header
    }

    /// Against pages that did not reach the disk before a power failure, not against people: the chain in the
    /// database is for them. The number goes in, so that a record in another's place does not count.
    @inline(__always)
    private static func checksum(_ words: UnsafePointer<UInt64>, count: Int, seq: UInt64) -> UInt64 {
        var sum = seq ^ 0x9e37_79b9_7f4a_7c15
        for index in 1..<count {
            sum = (sum ^ words[index]) &* 0xff51_afd7_ed55_8ccd
            sum ^= sum >> 32
        }
        return sum
    }
}
