internal import CShims
internal import Glibc
package import SandboxModel

/// Copies out of a tracee's memory, once and bounded. What cannot be read is `EFAULT`, never a guess.
package enum TraceeMemory {
    static let pageSize: UInt64 = 4096
    /// PATH_MAX, the NUL included (path_resolution(7)).
    static let pathMax = 4096
    private static let usual = 256

    /// A string that ends with a NUL, at most PATH_MAX bytes long: as much as most names are long, never past the end of a
    /// page, and then page by page, because it may end at the last byte before memory that is not mapped.
    package static func readPath(_ tid: Int32, _ address: RemoteAddress, into path: PathBuffer) throws(Errno) {
        path.clear()
        var got = 0
        while got < pathMax {
            let at = address.rawValue &+ UInt64(got)
            let want = min(Int(pageSize - at % pageSize), got == 0 ? usual : pathMax - got)
            let n = sbx_vm_read(tid, at, path.base + got, want)
            if n <= 0 { throw unreadable(n) }
            if let end = memchr(path.base + got, 0, n) {
                path.setCount(end - UnsafeMutableRawPointer(path.base))
                return
            }
            got += n
        }
        throw Errno(ENAMETOOLONG)
    }

    /// Exactly `buffer.count` bytes.
    package static func read(_ tid: Int32, _ address: RemoteAddress, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) {
        if buffer.isEmpty { return }
        let n = sbx_vm_read(tid, address.rawValue, buffer.baseAddress, buffer.count)
        if n != buffer.count { throw unreadable(n) }
    }

    package static func value<T: BitwiseCopyable>(_ tid: Int32, _ address: RemoteAddress, _ zero: T) throws(Errno) -> T {
        var v = zero
        let n = withUnsafeMutableBytes(of: &v) { sbx_vm_read(tid, address.rawValue, $0.baseAddress, $0.count) }
        if n != MemoryLayout<T>.size { throw unreadable(n) }
        return v
    }

    /// For what a call returns through its caller's memory (`sendmmsg`).
    static func write<T: BitwiseCopyable>(_ tid: Int32, _ address: RemoteAddress, _ value: T) throws(Errno) {
        let n = withUnsafeBytes(of: value) { sbx_vm_write(tid, address.rawValue, $0.baseAddress, $0.count) }
        if n != MemoryLayout<T>.size { throw unreadable(n) }
    }

    static func write(_ tid: Int32, _ address: RemoteAddress, _ bytes: UnsafeRawBufferPointer) throws(Errno) {
        if bytes.isEmpty { return }
        let n = sbx_vm_write(tid, address.rawValue, bytes.baseAddress, bytes.count)
        if n != bytes.count { throw unreadable(n) }
    }

    /// A caller that is gone is told apart from one whose memory is not there.
    private static func unreadable(_ result: Int) -> Errno {
        result == -Int(ESRCH) ? Errno(ESRCH) : Errno(EFAULT)
    }
}
