internal import CShims
internal import Glibc
internal import SandboxModel

/// The stack of a process that has just loaded a program: the count of arguments, their addresses, those of the
/// environment, the auxiliary vector, and above them the strings (System V ABI, "Process Initialization"; getauxval(3)).
package final class LoadedImage {
    /// Arguments, each ended by a NUL; cut at `limit`.
    package var arguments: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(strings)[..<count]) }
    package private(set) var argumentsAreCut = false
    /// The name that was asked for (`AT_EXECFN`).
    private(set) var name = RemoteAddress(0)
    /// Its first instruction: the loader's, where it has one. `AT_BASE` is no guide: it is 0 as well for a loader with an address of
    /// its own (`ET_EXEC`), which any program that needs no loader can be made.
    private(set) var entry: UInt64 = 0

    /// Where the vector of addresses begins (the stack pointer) and ends.
    private(set) var start: UInt64 = 0
    private(set) var vectorEnd: UInt64 = 0
    /// The first argument's address.
    private(set) var firstString: UInt64 = 0
    private var stringsEnd: UInt64 = 0

    static let nameKey: UInt64 = 31
    /// Arguments and environment are no longer than three quarters of 8 MiB (execve(2)).
    static let most = 6 << 20
    private static let limit = 64 * 1024
    private let strings = UnsafeMutableRawBufferPointer.allocate(byteCount: LoadedImage.limit, alignment: 16)
    private var count = 0
    private let chunk = UnsafeMutablePointer<UInt64>.allocate(capacity: 512)
    /// Words in `chunk`, the next of them, and the address behind them.
    private var filled = 0, next = 0
    private var end: UInt64 = 0
    private var tid: Int32 = 0
    /// Where the arguments' strings lie in the process.
    private var argumentsStart: UInt64 = 0

    deinit {
        strings.deallocate()
        chunk.deallocate()
    }

    /// Changes a byte of the arguments, by its place in `arguments`, in the process itself: it stands still, and finds it so.
    package func overwrite(at offset: Int, with byte: UInt8) {
        guard offset < count else { return }
        withUnsafePointer(to: byte) { _ = sbx_vm_write(tid, argumentsStart + UInt64(offset), $0, 1) }
    }

    func read(_ tid: Int32) throws(Errno) {
        self.tid = tid
        (filled, next, count, name, argumentsAreCut, firstString) = (0, 0, 0, RemoteAddress(0), false, 0)
        _ = try Errno.check(sbx_ptrace_stack(tid, &end, &entry))
        start = end
        // The kernel has put all of it there a moment ago (ARG_MAX bounds it), and nobody can change it.
        let argc = try word()
        let first = try word()
        // The rest of them, and the NULL; without any the first word was that.
        if argc > 0 { for _ in 0..<argc { _ = try word() } }
        let environment = try word()
        var at = environment
        while at != 0 { at = try word() }
        while true {
            let key = try word(), value = try word()
            switch key {
            case 0:
                vectorEnd = end - UInt64((filled - next) * 8)
                return try readStrings(first, until: environment != 0 ? environment : name.rawValue)
            case LoadedImage.nameKey: name = RemoteAddress(value)
            default: break
            }
        }
    }

    private func word() throws(Errno) -> UInt64 {
        if next == filled {
            // To the end of the page: what lies behind it may not be mapped.
            let want = Int(4096 - end % 4096)
            let n = sbx_vm_read(tid, end, chunk, want)
            if n < 8 { throw Errno(n < 0 ? Int32(-n) : EFAULT) }
            (filled, next) = (n / 8, 0)
            end &+= UInt64(filled * 8)
        }
        next += 1
        return chunk[next - 1]
    }

    /// The arguments' strings lie one behind the other, and the environment's behind them.
    private func readStrings(_ first: UInt64, until end: UInt64) throws(Errno) {
        firstString = first
        stringsEnd = end
        guard first != 0, end > first else { return }
        let size = Int(min(end - first, UInt64(LoadedImage.limit)))
        argumentsAreCut = end - first > UInt64(LoadedImage.limit)
        let n = sbx_vm_read(tid, first, strings.baseAddress, size)
        if n != size { throw Errno(n < 0 ? Int32(-n) : EFAULT) }
        count = size
        argumentsStart = first
    }

    /// Every argument, however long the list is.
    package func allArguments() throws(Errno) -> [[UInt8]] {
        guard firstString != 0, stringsEnd > firstString else { return [] }
        guard stringsEnd - firstString <= UInt64(LoadedImage.most) else { throw Errno(E2BIG) }
        var bytes = Array(arguments)
        if argumentsAreCut {
            bytes = [UInt8](repeating: 0, count: Int(stringsEnd - firstString))
            let n = bytes.withUnsafeMutableBytes { sbx_vm_read(tid, firstString, $0.baseAddress, $0.count) }
            if n != bytes.count { throw Errno(n < 0 ? Int32(-n) : EFAULT) }
        }
        var list = bytes.split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
        if bytes.last == 0 { list.removeLast() }
        return list
    }
}
