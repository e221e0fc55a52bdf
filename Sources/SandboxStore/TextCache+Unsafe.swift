internal import Glibc

/// Bytes that already have a row in `text`, and its number. Bounded: four places for each hash, and a limit on
/// the bytes; what is pushed out gets a second row when it comes again, which costs space but is no error.
final class TextCache {
    private struct Entry {
        var hash: UInt64
        var id: Int64
        var bytes: UnsafeMutableRawPointer?
        var count: Int
    }

    private static let ways = 4
    private static let sets = 16_384
    private static let bytesLimit = 16 << 20
    /// Rare, and a few thousand of them would fill the cache.
    private static let longest = 1024
    /// calloc(3): pages that a small session never touches cost nothing.
    private let entries: UnsafeMutablePointer<Entry>
    private var bytesHeld = 0
    private var victim = 0

    init() {
        let memory = calloc(TextCache.sets * TextCache.ways, MemoryLayout<Entry>.stride)!
        entries = memory.bindMemory(to: Entry.self, capacity: TextCache.sets * TextCache.ways)
    }

    deinit {
        clear()
        free(entries)
    }

    /// A hash that is keyed at random for each process: whoever picks the paths cannot pick collisions.
    static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(bytes: bytes)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    func find(_ bytes: UnsafeRawBufferPointer, hash: UInt64) -> Int64? {
        let set = entries + Int(hash % UInt64(TextCache.sets)) * TextCache.ways
        for way in 0..<TextCache.ways where set[way].hash == hash && set[way].count == bytes.count {
            // The hash alone would let one text stand for another.
            if let held = set[way].bytes, memcmp(held, bytes.baseAddress!, bytes.count) == 0 { return set[way].id }
        }
        return nil
    }

    func insert(_ bytes: UnsafeRawBufferPointer, hash: UInt64, id: Int64) {
        guard !bytes.isEmpty, bytes.count <= TextCache.longest else { return }
        if bytesHeld > TextCache.bytesLimit { clear() }
        let set = entries + Int(hash % UInt64(TextCache.sets)) * TextCache.ways
        victim = (victim + 1) % TextCache.ways
        let way = (0..<TextCache.ways).first { set[$0].bytes == nil } ?? victim
        guard let copy = malloc(bytes.count) else { return }
        copy.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
        bytesHeld += bytes.count - set[way].count
        free(set[way].bytes)
        set[way] = Entry(hash: hash, id: id, bytes: copy, count: bytes.count)
    }

    func clear() {
        for index in 0..<TextCache.sets * TextCache.ways where entries[index].bytes != nil {
            free(entries[index].bytes)
            entries[index] = Entry(hash: 0, id: 0, bytes: nil, count: 0)
        }
        bytesHeld = 0
    }
}
