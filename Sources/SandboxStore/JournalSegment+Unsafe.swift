internal import Glibc

/// A segment's file and its mapping.
enum JournalSegment {
    /// Gives a file its blocks; posix_fallocate(3) but in tests.
    typealias Allocate = @Sendable (_ descriptor: Int32, _ size: Int) -> Int32

    /// Makes and maps a segment. Its space is taken now: a full disk is an error here, never a SIGBUS later.
    static func create(
        _ number: UInt32, in directory: SessionDirectory, size: Int, allocate: Allocate
    ) throws(StoreError) -> UnsafeMutableRawPointer {
        let name = JournalLayout.segmentName(number)
        let path = directory.path + "/" + name
        let file = try check("open", path) {
            openat(directory.descriptor, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(0o600))
        }
        defer { close(file) }
        do throws(StoreError) {
            // posix_fallocate(3) returns the error, it does not set errno.
            let code = allocate(file, size)
            if code != 0 { throw .system(call: "fallocate", object: path, errno: code) }
            guard let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), base != MAP_FAILED else {
                throw .system(call: "mmap", object: path, errno: errno)
            }
            // The trail is not in the memory of a child, not even between its fork and its exec.
            madvise(base, size, MADV_DONTFORK)
            // There is nothing in the file to read ahead of.
            madvise(base, size, MADV_RANDOM)
            writeHeader(base, size: size, number: number)
            return base
        } catch {
            unlinkat(directory.descriptor, name, 0)
            throw error
        }
    }

    private static func writeHeader(_ base: UnsafeMutableRawPointer, size: Int, number: UInt32) {
        base.storeBytes(of: JournalLayout.version, toByteOffset: 8, as: UInt32.self)
        base.storeBytes(of: number, toByteOffset: 12, as: UInt32.self)
        base.storeBytes(of: UInt64(size), toByteOffset: 16, as: UInt64.self)
        base.storeBytes(of: UInt64(0), toByteOffset: 24, as: UInt64.self)
        base.storeBytes(of: UInt32(JournalLayout.slotCount(size: size)), toByteOffset: 32, as: UInt32.self)
        base.storeBytes(of: JournalLayout.magic, as: UInt64.self)
    }

    static func unmap(_ base: UnsafeMutableRawPointer, size: Int) { munmap(base, size) }

    static func remove(_ number: UInt32, from directory: SessionDirectory) {
        unlinkat(directory.descriptor, JournalLayout.segmentName(number), 0)
    }

    /// Takes the pages out of this process; their content stays in the page cache (madvise(2), shared mappings).
    static func letGo(_ base: UnsafeMutableRawPointer, size: Int) { madvise(base, size, MADV_DONTNEED) }

    /// Writes to every page now, on the writer's time and not on an appender's. Best effort: Linux 5.14.
    static func warmUp(_ base: UnsafeMutableRawPointer, size: Int) {
        let populateWrite: Int32 = 23  // MADV_POPULATE_WRITE, <linux/mman.h>
        madvise(base, size, populateWrite)
    }

    /// The bytes of a segment that a dead supervisor left: read, not mapped, so that whatever happens to the
    /// file meanwhile is an error and not a signal.
    static func read(_ number: UInt32, in directory: SessionDirectory) throws(StoreError) -> SegmentBytes {
        let name = JournalLayout.segmentName(number)
        let path = directory.path + "/" + name
        let file = try check("open", path) { openat(directory.descriptor, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
        defer { close(file) }
        var info = stat()
        _ = try check("fstat", path) { fstat(file, &info) }
        let copy = SegmentBytes(count: min(Int(info.st_size), JournalLayout.maximumSize))
        var filled = 0
        while filled < copy.bytes.count {
            let count = pread(file, copy.bytes.baseAddress! + filled, copy.bytes.count - filled, off_t(filled))
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw .system(call: "read", object: path, errno: errno) }
            if count == 0 { break }
            filled += count
        }
        return copy
    }
}

/// Memory for the copy of a segment; zero where the file had nothing.
final class SegmentBytes {
    let bytes: UnsafeMutableRawBufferPointer

    init(count: Int) {
        bytes = .allocate(byteCount: count, alignment: 8)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { bytes.deallocate() }
}
