internal import Glibc
internal import SandboxModel

/// What makes two accesses the same: everything that is in the row but its times and its count.
struct MergeKey: Equatable {
    var process: UInt32
    var result: Int32
    var kind: UInt32
    var access: UInt16
    var rule: UInt16
    var image: Int64
    var resource: Int64
    var second: Int64
    var device: UInt64
    var inode: UInt64
    var subject: UInt64
    var detail: UInt64

    /// Good enough for places in a table; equality decides. The seed keeps places from being picked on purpose.
    func hash(seed: UInt64) -> UInt64 {
        var hash = seed
        func mix(_ word: UInt64) {
            hash = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash >> 29
        }
        mix(UInt64(process) << 32 | UInt64(UInt32(bitPattern: result)))
        mix(UInt64(kind) << 32 | UInt64(access) << 16 | UInt64(rule))
        mix(UInt64(bitPattern: image) ^ inode << 24)
        mix(UInt64(bitPattern: resource) ^ UInt64(bitPattern: second) << 32)
        mix(device ^ subject << 20 ^ detail << 40)
        return hash ^ hash >> 32
    }
}

/// Which row of `event` an access was counted in last. Bounded as `TextCache` is; what is pushed out begins a
/// new row when it comes again.
final class MergeCache {
    struct Entry {
        var key: MergeKey
        /// The row's seq; 0: no entry.
        var seq: UInt64
        /// Where the row is in the batch that is being collected, when `batch` is that batch.
        var batch: UInt32
        var row: UInt32
    }

    private static let ways = 4
    private static let sets = 16_384
    private let entries: UnsafeMutablePointer<Entry>
    private let seed = UInt64.random(in: .min ... .max)
    private var victim = 0

    init() {
        let memory = calloc(MergeCache.sets * MergeCache.ways, MemoryLayout<Entry>.stride)!
        entries = memory.bindMemory(to: Entry.self, capacity: MergeCache.sets * MergeCache.ways)
    }

    deinit { free(entries) }

    /// The entry of `key`, or the place for one (its `seq` is then 0).
    func place(for key: MergeKey) -> UnsafeMutablePointer<Entry> {
        let set = entries + Int(key.hash(seed: seed) % UInt64(MergeCache.sets)) * MergeCache.ways
        var empty: UnsafeMutablePointer<Entry>?
        for way in 0..<MergeCache.ways {
            if set[way].seq == 0 { empty = empty ?? set + way } else if set[way].key == key { return set + way }
        }
        if let empty { return empty }
        victim = (victim + 1) % MergeCache.ways
        set[victim].seq = 0
        return set + victim
    }

    func clear() { memset(entries, 0, MergeCache.sets * MergeCache.ways * MemoryLayout<Entry>.stride) }
}
