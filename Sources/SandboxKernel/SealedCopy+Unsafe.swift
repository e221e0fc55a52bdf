internal import CShims
internal import Glibc

/// A copy of what a client reads, in memory, that nobody can change once it is sealed (memfd_create(2), fcntl(2)).
package final class SealedCopy: Sendable {
    private let descriptor: Int32

    package init() throws(Errno) { descriptor = try Errno.check(sbx_memory_file()) }

    /// Complete, and sealed.
    package init(of bytes: [UInt8]) throws(Errno) {
        descriptor = try Errno.check(sbx_memory_file())
        try append(bytes)
        try seal()
    }

    deinit { _ = sbx_close(descriptor) }

    package func append(_ bytes: [UInt8]) throws(Errno) {
        var done = 0
        while done < bytes.count {
            let n = bytes.withUnsafeBytes { sbx_write(descriptor, $0.baseAddress! + done, $0.count - done) }
            if n == -Int(EINTR) { continue }
            if n <= 0 { throw Errno(n < 0 ? Int32(-n) : EIO) }
            done += n
        }
    }

    package func seal() throws(Errno) { _ = try Errno.check(sbx_seal(descriptor)) }

    package func bytes(at position: Int, _ count: Int) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let n = bytes.withUnsafeMutableBytes { sbx_pread(descriptor, $0.baseAddress! + done, count - done, position + done) }
            if n == -Int(EINTR) { continue }
            if n < 0 { throw Errno(Int32(-n)) }
            if n == 0 { break }
            done += n
        }
        return done == count ? bytes : Array(bytes[..<done])
    }

    /// From its beginning.
    package func isIt(_ source: InputSource) -> Bool {
        var st = stat()
        return sbx_fstat(descriptor, &st) == 0 && UInt64(st.st_dev) == source.device && UInt64(st.st_ino) == source.inode
            && source.isAtStart
    }

    /// For reading alone, from the beginning.
    package func reader() throws(Errno) -> Descriptor {
        let path = PathBuffer()
        path.append("/proc/self/fd/")
        path.append(decimal: descriptor)
        return try Descriptor(sbx_openat(At.workingDirectory, path.base, O_RDONLY | Flag.closeOnExec, 0))
    }
}
