internal import CShims
internal import Glibc
internal import SandboxModel

/// What is started in the place of what was asked for.
package struct ProgramChange: Sendable, Equatable {
    package struct Variable: Sendable, Equatable {
        package var name: [UInt8]
        package var value: [UInt8]
        package init(name: [UInt8], value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    /// Another program, by an absolute path; nil: the one that was loaded.
    package var program: [UInt8]?
    /// Nil: as they are.
    package var arguments: [[UInt8]]?
    package var variables: [Variable]
    package init(program: [UInt8]? = nil, arguments: [[UInt8]]? = nil, variables: [Variable] = []) {
        self.program = program
        self.arguments = arguments
        self.variables = variables
    }
}

/// Changes a program start at its exec event: the image is loaded, nobody else has its memory, and nothing of it has run.
///
/// The stack is built anew below what the kernel built, in the same order (System V ABI, "Process Initialization"; AArch64's says the
/// same): count, arguments, environment and auxiliary vector, above them the strings, the stack pointer a multiple of 16. What
/// the auxiliary vector points to stays where it is, but for the name of the program (`AT_EXECFN`), which lies behind the others.
package enum ExecRewrite {
    /// What the kernel leaves to arguments and environment is a quarter of the stack's limit (execve(2)), and here no more than this.
    private static let most = 1 << 20

    /// Everything that was written is read back and compared. Throws `E2BIG` where there is no room; the program must not run then.
    package static func apply(_ change: ProgramChange, to image: LoadedImage, of caller: Caller) throws(Errno) {
        let tid = caller.tid
        let old = try StartStack(image, tid)
        let arguments = change.arguments ?? old.arguments
        guard !arguments.isEmpty, !arguments.contains(where: { $0.contains(0) }) else { throw Errno(EINVAL) }
        let environment = change.variables.reduce(old.environment, set)
        if let program = change.program {
            return try startOther(program, arguments, environment, below: old, tid)
        }
        let block = try place(arguments + environment + [old.name], below: old, tid) { strings in
            let first = strings.prefix(arguments.count), second = strings[arguments.count..<strings.count - 1]
            return [UInt64(arguments.count)] + first + [0] + second + [0] + old.auxiliary(name: strings[strings.count - 1])
        }
        _ = try Errno.check(sbx_ptrace_set_stack(tid, block))
        var now: UInt64 = 0, entry: UInt64 = 0
        _ = try Errno.check(sbx_ptrace_stack(tid, &now, &entry))
        guard now == block else { throw Errno(EIO) }
        showArguments(arguments, in: old, tid)
        try image.read(tid)
        guard try image.allArguments() == arguments else { throw Errno(EIO) }
    }

    private static func set(_ environment: [[UInt8]], _ variable: ProgramChange.Variable) -> [[UInt8]] {
        let start = variable.name + [UInt8(ascii: "=")]
        return environment.filter { !$0.starts(with: start) } + [start + variable.value]
    }

    /// It is asked for by the process itself, before anything else, and judged at its own exec event.
    private static func startOther(
        _ program: [UInt8], _ arguments: [[UInt8]], _ environment: [[UInt8]], below old: StartStack, _ tid: Int32
    ) throws(Errno) {
        let count = arguments.count
        var path: UInt64 = 0
        let vectors = try place(arguments + environment + [program], below: old, tid) { strings in
            path = strings[strings.count - 1]
            return strings.prefix(count) + [0] + strings[count..<strings.count - 1] + [0]
        }
        _ = try Errno.check(sbx_ptrace_set_stack(tid, vectors))
        let registers = [path, vectors, vectors + UInt64(count + 1) * 8]
        _ = try Errno.check(sbx_ptrace_exec_now(tid, registers, 126))
    }

    /// Writes the words that `vector` makes of the strings' addresses, and the strings above them. Returns the first word's address.
    private static func place(
        _ strings: [[UInt8]], below old: StartStack, _ tid: Int32, vector: ([UInt64]) -> [UInt64]
    ) throws(Errno) -> UInt64 {
        let size = strings.reduce(0) { $0 + $1.count + 1 }
        // Some room, so that nothing of the old is touched.
        let start = (old.pointer - 256 - UInt64(size)) & ~15
        var next = start
        let addresses = strings.map { string in
            defer { next += UInt64(string.count + 1) }
            return next
        }
        let words = vector(addresses)
        let bottom = (start - UInt64(words.count * 8)) & ~15
        let limit = try stackLimit(tid)
        guard size + words.count * 8 <= min(UInt64(most), limit / 4), old.top - bottom <= limit / 2 else { throw Errno(E2BIG) }
        var block = [UInt8](repeating: 0, count: Int(start - bottom) + size)
        block.withUnsafeMutableBytes { block in
            words.withUnsafeBytes { block.copyMemory(from: $0) }
            var at = Int(start - bottom)
            for string in strings {
                UnsafeMutableRawBufferPointer(rebasing: block[at...]).copyBytes(from: string)
                at += string.count + 1
            }
        }
        _ = try Errno.check(sbx_ptrace_reach(tid, bottom))
        guard write(block, tid, bottom) == block.count, try read(tid, bottom, block.count) == block else { throw Errno(EFAULT) }
        return bottom
    }

    /// `/proc/PID/cmdline` is read where the kernel put the arguments (proc(5)). As much of the new ones as has room there.
    private static func showArguments(_ arguments: [[UInt8]], in old: StartStack, _ tid: Int32) {
        let room = old.argumentBytes
        var shown = Array(arguments.joined(separator: [0]).prefix(max(room - 1, 0)))
        shown += [UInt8](repeating: 0, count: room - shown.count)
        _ = write(shown, tid, old.firstString)
    }

    private static func write(_ bytes: [UInt8], _ tid: Int32, _ address: UInt64) -> Int {
        bytes.withUnsafeBytes { sbx_vm_write(tid, address, $0.baseAddress, $0.count) }
    }

    private static func stackLimit(_ tid: Int32) throws(Errno) -> UInt64 {
        var limit = rlimit()
        _ = try Errno.check(sbx_get_limit(tid, Int32(RLIMIT_STACK.rawValue), &limit))
        return UInt64(limit.rlim_cur)
    }

    fileprivate static func read(_ tid: Int32, _ address: UInt64, _ count: Int) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let n = bytes.withUnsafeMutableBytes { sbx_vm_read(tid, address, $0.baseAddress, $0.count) }
        guard n == count else { throw Errno(n < 0 ? Int32(-n) : EFAULT) }
        return bytes
    }
}

/// What the kernel has put on a new program's stack, all of it.
private struct StartStack {
    let pointer: UInt64
    /// Behind the last string.
    let top: UInt64
    let firstString: UInt64
    let arguments: [[UInt8]]
    let argumentBytes: Int
    let environment: [[UInt8]]
    /// `AT_EXECFN`.
    let name: [UInt8]
    private let pairs: ArraySlice<UInt64>

    init(_ image: LoadedImage, _ tid: Int32) throws(Errno) {
        pointer = image.start
        let bytes = try ExecRewrite.read(tid, image.start, Int(image.vectorEnd - image.start))
        let words = bytes.withUnsafeBytes { Array($0.bindMemory(to: UInt64.self)) }
        let count = Int(words[0])
        guard count > 0, !image.name.isNull, image.firstString != 0 else { throw Errno(EINVAL) }
        pairs = words[(words[(count + 2)...].firstIndex(of: 0) ?? words.count - 1) + 1..<words.count]
        arguments = try image.allArguments()
        argumentBytes = arguments.reduce(0) { $0 + $1.count + 1 }
        firstString = image.firstString
        let path = PathBuffer()
        try TraceeMemory.readPath(tid, image.name, into: path)
        name = Array(path.bytes)
        top = image.name.rawValue + UInt64(name.count + 1)
        // They lie between the arguments and the name.
        let start = firstString + UInt64(argumentBytes)
        guard start <= image.name.rawValue, image.name.rawValue - start <= UInt64(LoadedImage.most) else { throw Errno(E2BIG) }
        let block = try ExecRewrite.read(tid, start, Int(image.name.rawValue - start))
        environment = block.split(separator: 0, omittingEmptySubsequences: false).dropLast().map(Array.init)
    }

    func auxiliary(name address: UInt64) -> [UInt64] {
        var pairs = Array(pairs)
        for i in stride(from: 0, to: pairs.count - 1, by: 2) where pairs[i] == LoadedImage.nameKey { pairs[i + 1] = address }
        return pairs
    }
}
