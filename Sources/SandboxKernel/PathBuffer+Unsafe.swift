internal import CShims
internal import Glibc

/// Bytes of one path, always followed by a NUL, in memory of their own that is used again for every call.
/// Room for PATH_MAX and a name behind it.
package final class PathBuffer {
    static let capacity = 2 * 4096 + 512
    let base: UnsafeMutablePointer<CChar>
    package private(set) var count = 0

    package init() {
        base = .allocate(capacity: PathBuffer.capacity)
        // The rest of it when it is used: pages that nobody has touched cost nothing.
        base[0] = 0
    }
    deinit { base.deallocate() }

    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
    package var text: UnsafeBufferPointer<UInt8> { bytes.assumingMemoryBound(to: UInt8.self) }
    var cString: UnsafePointer<CChar> { UnsafePointer(base) }
    package var isEmpty: Bool { count == 0 }
    var isAbsolute: Bool { base[0] == 0x2f }
    subscript(i: Int) -> UInt8 { UInt8(bitPattern: base[i]) }

    func clear() { setCount(0) }

    func setCount(_ n: Int) {
        count = n
        base[n] = 0
    }

    /// False where it does not fit.
    @discardableResult
    func append(_ more: UnsafeRawBufferPointer) -> Bool {
        guard count + more.count < PathBuffer.capacity, let start = more.baseAddress else { return more.isEmpty }
        memcpy(base + count, start, more.count)
        setCount(count + more.count)
        return true
    }

    @discardableResult
    func append(_ literal: StaticString) -> Bool {
        append(UnsafeRawBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    func append(_ text: String) {
        var text = text
        text.withUTF8 { _ = append(UnsafeRawBufferPointer($0)) }
    }

    func append(decimal value: Int32) {
        var digits: (UInt64, UInt32) = (0, 0)
        withUnsafeMutableBytes(of: &digits) { d in
            var i = d.count
            var v = UInt32(value.magnitude)
            repeat {
                i -= 1
                d[i] = UInt8(0x30 + v % 10)
                v /= 10
            } while v > 0
            if value < 0 {
                i -= 1
                d[i] = 0x2d
            }
            append(UnsafeRawBufferPointer(rebasing: d[i...]))
        }
    }

    func set(_ other: UnsafeRawBufferPointer) {
        count = 0
        append(other)
    }

    /// `/proc/PID` and what follows (proc(5)).
    func setProcess(_ pid: Int32, _ rest: StaticString) {
        count = 0
        append("/proc/")
        append(decimal: pid)
        append(rest)
    }

    /// `/proc/self/fd/N` of our own.
    func setDescriptor(_ fd: Int32) {
        count = 0
        append("/proc/self/fd/")
        append(decimal: fd)
    }

    func hasPrefix(_ literal: StaticString) -> Bool {
        count >= literal.utf8CodeUnitCount && memcmp(base, literal.utf8Start, literal.utf8CodeUnitCount) == 0
    }

    func equals(_ literal: StaticString) -> Bool { count == literal.utf8CodeUnitCount && hasPrefix(literal) }

    /// Removes `" (deleted)"` from the name of an object that has no link left.
    func dropDeletedMark() {
        if hasDeletedMark { setCount(count - PathBuffer.mark.utf8CodeUnitCount) }
    }

    var hasDeletedMark: Bool {
        let n = PathBuffer.mark.utf8CodeUnitCount
        return count > n && memcmp(base + count - n, PathBuffer.mark.utf8Start, n) == 0
    }
    private static let mark: StaticString = " (deleted)"

    /// Splits into the folder's part and the last name: (`a/b/`, `c`), (`/`, `c`), (``, `c`). Trailing slashes are
    /// left out of the name and reported.
    func lastName() -> (nameStart: Int, nameEnd: Int, trailingSlash: Bool) {
        var end = count
        while end > 0, base[end - 1] == 0x2f { end -= 1 }
        var start = end
        while start > 0, base[start - 1] != 0x2f { start -= 1 }
        return (start, end, end < count)
    }
}
