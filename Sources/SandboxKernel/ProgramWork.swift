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
    package private(set) var device: UInt64 = 0
    package private(set) var inode: UInt64 = 0
    /// How many names it has (link(2)); 0: it was removed, or never had one.
    package private(set) var names: UInt64 = 0
    fileprivate var isInMemory: Bool { names == 0 && resolved.hasPrefix("/memfd:") }
    /// When it was last changed (`st_ctim`, nanoseconds since 1970): nobody can set that back.
    package private(set) var changed: UInt64 = 0

    fileprivate func take(_ st: stat) {
        device = UInt64(st.st_dev)
        inode = UInt64(st.st_ino)
        names = UInt64(st.st_nlink)
        changed = UInt64(bitPattern: Int64(st.st_ctim.tv_sec)) &* 1_000_000_000 &+ UInt64(st.st_ctim.tv_nsec)
    }

    /// The name by which it was loaded has gone, and it has others: which, nobody tells.
    fileprivate func noteLostName() { if names > 0, resolved.hasDeletedMark { names = .max } }

    /// To be looked for among what is denied under other names.
    fileprivate func takeUnsure(inode: UInt64) {
        self.inode = inode
        names = .max
    }
}

/// What a program start has loaded. One for the tracer's thread.
package final class ProgramWork {
    /// The file that was loaded, then the scripts that led to it, as far as `count`.
    package let chain = (0..<7).map { _ in ProgramFile() }
    package private(set) var count = 0
    /// The program's own loader (PT_INTERP, elf(5)), where it has one. The kernel opens it without asking anybody, and
    /// it is what runs first: a file of one's own can name any program here.
    package let loader = ProgramFile()
    /// The last one that was looked at, as its mapping tells it: nearly every program has the same.
    private var lastLoader = (mapping: sbx_mapping(), status: stat())
    /// We may not look into the process (execute permission alone); the program's short name is all there is.
    package private(set) var isUnreadable = false
    /// A part of it lies in memory alone (memfd_create(2)), under a name that its maker chose.
    package var isInMemory: Bool { chain[..<count].contains { $0.isInMemory } || loader.isInMemory }
    /// Its stack, with the arguments.
    package let image = LoadedImage()

    private let context: KernelContext
    private let resolver: Resolver
    private let identity: Identity
    private let text = PathBuffer()
    private let head = PathBuffer()

    package init(_ context: KernelContext) {
        self.context = context
        resolver = Resolver(context)
        identity = Identity(context)
    }

    /// Whether this session wrote the program or a script that led to it; where its calls go their own way, whether somebody
    /// has since it began.
    package func isWritten(orChangedSince start: UInt64?) -> Bool {
        chain[..<count].contains {
            $0.names > 0 && (context.written.contains(device: $0.device, inode: $0.inode) || $0.changed >= start ?? .max)
        }
    }

    // MARK: What was loaded

    /// What the new image was made of: the file that is mapped, the loader beside it, the name it was asked for
    /// (`AT_EXECFN`, which is the script's where a script was started), and the arguments on its stack. The process stands
    /// still and has run nothing.
    package func readLoaded(_ caller: Caller) throws(Errno) {
        count = 0
        isUnreadable = false
        loader.resolved.clear()
        text.setProcess(caller.tid, "/exe")
        var st = stat()
        do throws(Errno) { _ = try Errno.check(sbx_fstatat(At.workingDirectory, text.base, &st, At.asKnown)) } catch {
            takeShortName(caller)
            throw error
        }
        let n = sbx_readlinkat(At.workingDirectory, text.base, program.resolved.base, 4096)
        if n < 0 || n >= 4096 { throw Errno(n < 0 ? Int32(-n) : ENAMETOOLONG) }
        program.resolved.setCount(n)
        if st.st_nlink == 0 { program.resolved.dropDeletedMark() }
        program.take(st)
        program.noteLostName()
        program.invoked.set(program.resolved.bytes)
        count = 1
        try image.read(caller.tid)
        try readLoader(caller)
        if !image.name.isNull { readAskedName(caller) }
    }

    /// A program that may be run but not read makes a process that cannot be looked at either. Its name as far as the
    /// kernel tells it to everybody.
    private func takeShortName(_ caller: Caller) {
        text.setProcess(caller.tid, "/comm")
        let fd = sbx_openat(At.workingDirectory, text.base, O_RDONLY | Flag.closeOnExec, 0)
        guard fd >= 0 else { return }
        defer { _ = sbx_close(fd) }
        let n = sbx_read(fd, program.resolved.base, 16)
        guard n > 1 else { return }
        program.resolved.setCount(n - 1)
        program.take(stat())
        count = 1
        isUnreadable = true
    }

    /// The one file besides the program that is mapped at the exec event. Where there is none, the program begins with itself.
    private func readLoader(_ caller: Caller) throws(Errno) {
        let maps = try Errno.check(sbx_open_maps(caller.tid))
        // It stays: the next to be asked is which memory the names of its calls lie in.
        context.tasks.setMaps(caller.pid, maps)
        var mapping = sbx_mapping()
        let path = loader.resolved
        let n = sbx_mapped_file(maps, image.entry, &mapping, path.base, 4096)
        if n < 0 { throw Errno(Int32(-n)) }
        path.setCount(n)
        if isProgram(mapping, path) { return path.clear() }
        var st = stat()
        if mapping.inode != 0, mapping.inode == lastLoader.mapping.inode, mapping.device == lastLoader.mapping.device {
            return loader.take(lastLoader.status)
        }
        _ = try Errno.check(sbx_fstatat(At.workingDirectory, path.base, &st, At.symlinkNoFollow))
        loader.take(st)
        if UInt64(st.st_ino) == mapping.inode { return lastLoader = (mapping, st) }
        // Another file has that name by now, or the file system numbers its files in two ways.
        if mapping.inode != 0 { loader.takeUnsure(inode: mapping.inode) }
    }

    /// By its path, which a removed file has with a mark at its end.
    private func isProgram(_ mapping: sbx_mapping, _ path: PathBuffer) -> Bool {
        if path.bytes.elementsEqual(program.resolved.bytes) { return true }
        guard program.names == 0, mapping.inode == 0 || mapping.inode == program.inode else { return false }
        text.set(path.bytes)
        text.dropDeletedMark()
        return text.bytes.elementsEqual(program.resolved.bytes)
    }

    /// The name that was asked for, and where it is a script's, the script and those between it and the program.
    private func readAskedName(_ caller: Caller) {
        let script = chain[1]
        do throws(Errno) {
            try TraceeMemory.readPath(caller.tid, image.name, into: script.invoked)
            program.invoked.set(script.invoked.bytes)
            if isProgram(script.invoked) { return }
            var pin = try locate(script, caller)
            // A `#!` line may name a script again; the kernel goes at most five levels deep (fs/exec.c).
            while !isProgram(chain[count - 1]), count < chain.count, try readInterpreter(of: pin.number) {
                chain[count].invoked.set(text.bytes)
                pin = try locate(chain[count], caller)
            }
        } catch {
            // Gone or moved: its interpreter cannot read it by that name either.
        }
        guard count > 1, isProgram(chain[count - 1]) else { return }
        count -= 1
        program.invoked.set(chain[count].invoked.bytes)
    }

    private var program: ProgramFile { chain[0] }

    private func isProgram(_ file: ProgramFile) -> Bool { file.device == program.device && file.inode == program.inode }

    /// One look that is enough for nearly every program. `/dev/fd/N` and what begins with `/proc` would be ours.
    private func isProgram(_ path: PathBuffer) -> Bool {
        var st = stat()
        return path.isAbsolute && !path.hasPrefix("/dev/") && !path.hasPrefix("/proc")
            && sbx_fstatat(At.workingDirectory, path.base, &st, 0) == 0
            && UInt64(st.st_dev) == program.device && UInt64(st.st_ino) == program.inode
    }

    private func locate(_ file: ProgramFile, _ caller: Caller) throws(Errno) -> Descriptor {
        if file.invoked.isEmpty { throw Errno(ENOENT) }
        let base = file.invoked.isAbsolute ? At.workingDirectory : try resolver.base(.workingDirectory, of: caller).release()
        defer { if base != At.workingDirectory { _ = sbx_close(base) } }
        let pin = try identity.assumed(caller) { () throws(Errno) in
            try resolver.pin(file.invoked, from: base, Resolver.Options(follow: true), for: caller)
        }
        var st = stat()
        _ = try Errno.check(sbx_fstat(pin.number, &st))
        // Nothing else can be executed, and to open a device or a FIFO for a look may do something.
        guard st.st_mode & S_IFMT == S_IFREG else { throw Errno(EACCES) }
        file.take(st)
        try resolver.describe(pin.number, into: file.resolved)
        file.noteLostName()
        count += 1
        return pin
    }

    /// `#!` and the interpreter's path, from the first 256 bytes (execve(2), "Interpreter scripts").
    private func readInterpreter(of pin: Int32) throws(Errno) -> Bool {
        let fd = sbx_openat(At.workingDirectory, resolver.reference(pin), O_RDONLY | O_NONBLOCK | Flag.closeOnExec, 0)
        if fd < 0 { return false }
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
}
