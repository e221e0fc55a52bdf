internal import CShims
internal import Glibc
internal import SandboxDecode
internal import SandboxModel

/// One file that has a part in a program start: the program, a script's interpreter, or a script.
package final class ProgramFile {
    /// As it was asked for.
    package let invoked = PathBuffer()
    /// After all links.
    package let resolved = PathBuffer()
    package fileprivate(set) var device: UInt64 = 0
    package fileprivate(set) var inode: UInt64 = 0
}

/// What a program start would load, or has loaded. One for the tracer's thread.
package final class ProgramWork {
    /// The file asked for, then its interpreters, as far as `count`.
    package let chain = (0..<5).map { _ in ProgramFile() }
    package private(set) var count = 0
    /// The program's own loader (PT_INTERP, elf(5)), where it has one. The kernel opens it without asking anybody, and
    /// it is what runs first: a file of one's own can name any program here.
    package let loader = PathBuffer()
    /// Arguments as the process has them, each ended by a NUL; cut at `argumentLimit`.
    package let arguments = UnsafeMutableRawBufferPointer.allocate(byteCount: ProgramWork.argumentLimit, alignment: 16)
    package private(set) var argumentCount = 0
    package private(set) var argumentsAreCut = false
    /// We may not read one of the files (execute permission alone).
    package private(set) var isUnreadable = false
    package static let argumentLimit = 64 * 1024

    private let resolver: Resolver
    private let identity: Identity
    private let text = PathBuffer()
    private let head = PathBuffer()

    package init(_ context: KernelContext) {
        resolver = Resolver(context)
        identity = Identity(context)
    }

    // MARK: Before

    /// Looks at what execve(2) would load: the file and the interpreters named in its first lines.
    package func look(_ request: ProgramRequest, for caller: Caller) throws(Errno) {
        isUnreadable = false
        count = 0
        loader.clear()
        let first = chain[0]
        try TraceeMemory.readPath(caller.tid, request.path, into: first.invoked)
        var at = PathArgument.path(request.directory, request.path, follow: request.flags & At.symlinkNoFollow == 0)
        at.mayBeEmpty = request.flags & At.emptyPath != 0
        var pin = try locate(first, at, caller)
        // The kernel goes at most five levels deep (fs/exec.c).
        while count < chain.count, try readInterpreter(of: pin.number) {
            let next = chain[count]
            next.invoked.set(text.bytes)
            pin = try locate(next, .plain(RemoteAddress(0), follow: true), caller)
        }
    }

    private func locate(_ file: ProgramFile, _ at: PathArgument, _ caller: Caller) throws(Errno) -> Descriptor {
        let pin: Descriptor
        if file.invoked.isEmpty {
            guard at.mayBeEmpty else { throw Errno(ENOENT) }
            pin = try resolver.base(at.base, of: caller)
        } else {
            let base = file.invoked.isAbsolute ? At.workingDirectory : try resolver.base(at.base, of: caller).release()
            defer { if base != At.workingDirectory { _ = sbx_close(base) } }
            pin = try identity.assumed(caller) { () throws(Errno) in
                try resolver.pin(file.invoked, from: base, Resolver.Options(follow: at.follow), for: caller)
            }
        }
        try take(pin.number, as: file)
        // Nothing else can be executed, and to open a device or a FIFO for a look may do something.
        guard isRegular(pin.number) else { throw Errno(EACCES) }
        count += 1
        return pin
    }

    private func isRegular(_ fd: Int32) -> Bool {
        var st = stat()
        return sbx_fstat(fd, &st) == 0 && st.st_mode & S_IFMT == S_IFREG
    }

    private func take(_ fd: Int32, as file: ProgramFile) throws(Errno) {
        var st = stat()
        _ = try Errno.check(sbx_fstat(fd, &st))
        file.device = UInt64(st.st_dev)
        file.inode = UInt64(st.st_ino)
        try resolver.describe(fd, into: file.resolved)
    }

    /// `#!` and the interpreter's path, from the first 256 bytes (execve(2), "Interpreter scripts").
    private func readInterpreter(of pin: Int32) throws(Errno) -> Bool {
        let fd = sbx_openat(At.workingDirectory, resolver.reference(pin), O_RDONLY | O_NONBLOCK | Flag.closeOnExec, 0)
        // A program that may be run but not read makes a process that cannot be read either.
        if fd < 0 {
            isUnreadable = isUnreadable || fd == -EACCES
            return false
        }
        let file = try Descriptor(fd)
        let n = sbx_pread(file.number, head.base, 256, 0)
        guard n > 2, head[0] == 0x23, head[1] == 0x21 else { return false }
        head.setCount(n)
        var i = 2
        while i < n, head[i] == 0x20 || head[i] == 0x09 { i += 1 }
        let start = i
        while i < n, head[i] != 0x20, head[i] != 0x09, head[i] != 0x0a, head[i] != 0 { i += 1 }
        text.set(UnsafeRawBufferPointer(rebasing: head.bytes[start..<i]))
        return i > start
    }

    /// The arguments as they are asked for now; for the record of a start that is refused.
    package func readAskedArguments(_ request: ProgramRequest, for caller: Caller) {
        argumentCount = 0
        argumentsAreCut = false
        for i in 0..<1024 {
            do throws(Errno) {
                let at = try TraceeMemory.value(caller.tid, request.arguments + i * 8, UInt64(0))
                if at == 0 { return }
                try TraceeMemory.readPath(caller.tid, RemoteAddress(at), into: text)
            } catch {
                argumentsAreCut = true
                return
            }
            guard argumentCount + text.count + 1 <= arguments.count else { break }
            memcpy(arguments.baseAddress! + argumentCount, text.base, text.count + 1)
            argumentCount += text.count + 1
        }
        argumentsAreCut = true
    }

    // MARK: After

    /// What the new image was made of: the file that is mapped, the name it was asked for (`AT_EXECFN`, which is the
    /// script's where a script was started), and the arguments on its stack. The process stands still.
    package func readLoaded(_ caller: Caller) throws(Errno) {
        isUnreadable = false
        count = 0
        let program = chain[0]
        procPath(caller.tid, "/exe")
        let exe = try Descriptor(sbx_openat(At.workingDirectory, text.base, Flag.path | Flag.closeOnExec, 0))
        try take(exe.number, as: program)
        program.invoked.set(program.resolved.bytes)
        count = 1
        try readLoader(caller)
        try readArguments(caller)
        try readScript(caller)
    }

    /// The one file besides the program that is mapped at the exec event, from `/proc/PID/maps`.
    private func readLoader(_ caller: Caller) throws(Errno) {
        loader.clear()
        procPath(caller.tid, "/maps")
        let file = try Descriptor(sbx_openat(At.workingDirectory, text.base, O_RDONLY | Flag.closeOnExec, 0))
        // A page at a time is all that seq_file gives; `arguments` is not in use yet.
        var n = 0
        while n < arguments.count {
            let got = sbx_read(file.number, arguments.baseAddress! + n, arguments.count - n)
            if got < 0 { throw Errno(Int32(-got)) }
            if got == 0 { break }
            n += got
        }
        for line in UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(arguments)[..<n]).split(separator: 0x0a) {
            guard let slash = line.firstIndex(of: 0x2f) else { continue }
            let path = UnsafeRawBufferPointer(rebasing: line[slash...])
            if path.elementsEqual(chain[0].resolved.bytes) { continue }
            guard path.count < PathBuffer.capacity else { throw Errno(ENAMETOOLONG) }
            return loader.set(path)
        }
    }

    private func readArguments(_ caller: Caller) throws(Errno) {
        procPath(caller.tid, "/cmdline")
        let file = try Descriptor(sbx_openat(At.workingDirectory, text.base, O_RDONLY | Flag.closeOnExec, 0))
        argumentCount = 0
        while argumentCount < arguments.count {
            let n = sbx_read(file.number, arguments.baseAddress! + argumentCount, arguments.count - argumentCount)
            if n < 0 { throw Errno(Int32(-n)) }
            if n == 0 { break }
            argumentCount += n
        }
        argumentsAreCut = argumentCount == arguments.count
    }

    /// Adds the file that was asked for where it is not the program itself.
    private func readScript(_ caller: Caller) throws(Errno) {
        let asked = try executableName(caller)
        guard !asked.isNull else { return }
        let script = chain[1]
        do throws(Errno) {
            try TraceeMemory.readPath(caller.tid, asked, into: script.invoked)
            if script.invoked.hasPrefix("/dev/fd/") { return }  // closed by now, and judged at entry
            _ = try locate(script, .plain(asked, follow: true), caller)
        } catch {
            // Gone or moved: its interpreter cannot read it by that name either.
            count = 1
            return
        }
        chain[0].invoked.set(script.invoked.bytes)
        if script.device == chain[0].device, script.inode == chain[0].inode { count = 1 }
    }

    /// `AT_EXECFN` (31) of the auxiliary vector, getauxval(3).
    private func executableName(_ caller: Caller) throws(Errno) -> RemoteAddress {
        procPath(caller.tid, "/auxv")
        let file = try Descriptor(sbx_openat(At.workingDirectory, text.base, O_RDONLY | Flag.closeOnExec, 0))
        let n = sbx_read(file.number, head.base, 1024)
        guard n > 0 else { throw Errno(Int32(n == 0 ? ESRCH : -Int32(n))) }
        let words = UnsafeRawBufferPointer(start: head.base, count: n)
        for at in stride(from: 0, to: n - 15, by: 16) where words.loadUnaligned(fromByteOffset: at, as: UInt64.self) == 31 {
            return RemoteAddress(words.loadUnaligned(fromByteOffset: at + 8, as: UInt64.self))
        }
        return RemoteAddress(0)
    }

    private func procPath(_ tid: Int32, _ rest: StaticString) {
        text.clear()
        text.append("/proc/")
        text.append(decimal: tid)
        text.append(rest)
    }
}
