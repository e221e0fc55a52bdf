internal import CShims
internal import Glibc
internal import SandboxModel

/// Paths by what they were asked for and where that led; direct-mapped, of fixed size, without allocation.
final class LookTable {
    struct Key {
        var text = UnsafeRawBufferPointer(start: nil, count: 0)
        var device: UInt64 = 0
        var inode: UInt64 = 0
        var changed: UInt64 = 0
        /// The folder that the text starts from, where that matters.
        var originDevice: UInt64 = 0
        var origin: UInt64 = 0

        init() {}
        init(device: UInt64, inode: UInt64) {
            self.device = device
            self.inode = inode
        }
        /// A folder, whatever comes and goes in it.
        init(folder st: inout stat) {
            device = UInt64(st.st_dev)
            inode = UInt64(st.st_ino)
        }
        init(text: UnsafeRawBufferPointer, _ st: inout stat) {
            self.text = text
            device = UInt64(st.st_dev)
            inode = UInt64(st.st_ino)
            changed = UInt64(bitPattern: Int64(st.st_ctim.tv_sec)) &* 1_000_000_000 &+ UInt64(st.st_ctim.tv_nsec)
        }

        /// FNV-1a over the text, eight bytes at a time, or over the inode where there is none.
        var slot: Int {
            var h: UInt64 = 0xcbf2_9ce4_8422_2325
            var i = 0
            while i + 8 <= text.count {
                h = (h ^ text.loadUnaligned(fromByteOffset: i, as: UInt64.self)) &* 0x9e37_79b9_7f4a_7c15
                h ^= h >> 29
                i += 8
            }
            while i < text.count {
                h = (h ^ UInt64(text[i])) &* 0x100_0000_01b3
                i += 1
            }
            h = (h ^ origin) &* 0x9e37_79b9_7f4a_7c15
            if text.isEmpty { h = (inode ^ device << 32) &* 0x9e37_79b9_7f4a_7c15 }
            return Int((h ^ h >> 32) & UInt64(LookTable.count - 1))
        }
    }

    struct Found {
        var path = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
        var ruling: Ruling?
    }

    private struct Head {
        var device: UInt64 = 0
        var inode: UInt64 = 0
        var changed: UInt64 = 0
        var originDevice: UInt64 = 0
        var origin: UInt64 = 0
        var made: UInt64 = 0
        var textCount: UInt16 = 0
        var pathCount: UInt16 = 0
        var rule: UInt16 = 0
        var decision: UInt8 = 0
        var hasRuling = false
    }

    private static let count = 2048, size = 512
    private static let room = size - MemoryLayout<Head>.stride
    private let base: UnsafeMutableRawPointer

    init() {
        // Zero pages of the kernel's: what is never used costs nothing.
        base = mmap(nil, LookTable.count * LookTable.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        precondition(base != MAP_FAILED, "mmap of a table of paths failed")
    }
    deinit { munmap(base, LookTable.count * LookTable.size) }

    /// What was remembered after `since`, nanoseconds since boot, and not more than a second ago.
    func find(_ key: Key, since: UInt64, now: UInt64) -> Found? {
        let place = base + key.slot * LookTable.size
        let head = place.load(as: Head.self)
        guard head.pathCount > 0, head.inode == key.inode, head.device == key.device, head.changed == key.changed,
            head.origin == key.origin, head.originDevice == key.originDevice, head.made > since, now &- head.made < 1_000_000_000,
            Int(head.textCount) == key.text.count
        else { return nil }
        let text = place + MemoryLayout<Head>.stride
        if !key.text.isEmpty, memcmp(text, key.text.baseAddress!, key.text.count) != 0 { return nil }
        let path = UnsafeBufferPointer(
            start: (text + key.text.count).assumingMemoryBound(to: UInt8.self), count: Int(head.pathCount))
        let decision = head.hasRuling ? Decision(rawValue: head.decision) : nil
        return Found(path: path, ruling: decision.map { Ruling($0, by: RuleID(rawValue: head.rule)) })
    }

    func remember(_ key: Key, _ path: UnsafeRawBufferPointer, _ ruling: Ruling? = nil, at now: UInt64) {
        guard key.text.count + path.count <= LookTable.room, let from = path.baseAddress else { return }
        let place = base + key.slot * LookTable.size
        let text = place + MemoryLayout<Head>.stride
        if let given = key.text.baseAddress { memcpy(text, given, key.text.count) }
        memcpy(text + key.text.count, from, path.count)
        place.storeBytes(
            of: Head(
                device: key.device, inode: key.inode, changed: key.changed, originDevice: key.originDevice, origin: key.origin, made: now,
                textCount: UInt16(key.text.count),
                pathCount: UInt16(path.count), rule: ruling?.rule.rawValue ?? 0, decision: ruling?.decision.rawValue ?? 0,
                hasRuling: ruling != nil), as: Head.self)
    }
}
