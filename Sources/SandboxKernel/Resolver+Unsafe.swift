internal import CShims
internal import Glibc
internal import SandboxDecode

/// Finds the one object that a caller's path means, once, and holds on to it (`O_PATH`), so that what is judged
/// is what is acted on: path_resolution(7) as the caller would do it, in its own working directory.
///
/// Not thread-safe: one for each notifier.
final class Resolver {
    private let context: KernelContext
    private let link = PathBuffer()
    private let rest = PathBuffer()
    private let name = PathBuffer()
    private let scratch = PathBuffer()
    private let digits = PathBuffer()

    /// What `pin` has seen of the object that it gave last; nil where it has to be looked at.
    private(set) var seen: stat?

    init(_ context: KernelContext) { self.context = context }

    /// Where the caller's relative path starts: its working directory or one of its descriptors. `EBADF` for a
    /// descriptor it does not have.
    func base(_ base: PathArgument.Base, of caller: Caller) throws(Errno) -> Descriptor {
        seen = nil
        scratch.clear()
        scratch.append("/proc/")
        scratch.append(decimal: caller.tid)
        switch base {
        case .workingDirectory: scratch.append("/cwd")
        case .descriptor(let fd):
            guard fd >= 0 else { throw Errno(EBADF) }
            scratch.append("/fd/")
            scratch.append(decimal: fd)
        }
        let fd = sbx_openat(At.workingDirectory, scratch.base, Flag.path | Flag.closeOnExec, 0)
        if fd == -ENOENT, case .descriptor = base { throw Errno(EBADF) }
        return try Descriptor(fd)
    }

    /// The same for a folder to start from. The descriptor is the caller's own open file, which must not outlive its call.
    func folder(_ base: PathArgument.Base, of caller: Caller) throws(Errno) -> Descriptor {
        if case .descriptor(let fd) = base, fd >= 0 {
            let copy = sbx_pidfd_getfd(context.descriptors(of: caller), fd)
            if copy >= 0 { return try Descriptor(copy) }
        }
        return try self.base(base, of: caller)
    }

    struct Options {
        var follow: Bool
        var directory = false
        /// `RESOLVE_*` of openat2(2) that the caller asked for.
        var resolve: UInt64 = 0
    }

    /// Pins what `path` names. `base` is only looked at where the path is relative (or `resolve` says otherwise).
    func pin(_ path: PathBuffer, from base: Int32, _ options: Options, for caller: Caller) throws(Errno) -> Descriptor {
        let flags = Flag.path | Flag.closeOnExec | (options.follow ? 0 : Flag.noFollow) | (options.directory ? Flag.directory : 0)
        seen = nil
        let fd = sbx_openat2(base, path.base, UInt64(flags), 0, Flag.noMagicLinks | options.resolve)
        if fd >= 0 {
            let pin = try Descriptor(fd)
            var st = stat()
            _ = try Errno.check(sbx_fstat(fd, &st))
            // `/proc/self` was ours, not the caller's: go there again, step by step.
            if UInt64(st.st_dev) == context.procDevice { return try walk(path, from: base, options, for: caller) }
            seen = st
            return pin
        }
        if fd == -ELOOP || mayCrossProc(path, base, options, failed: fd) {
            return try walk(path, from: base, options, for: caller)
        }
        throw Errno(-fd)
    }

    /// A failed look-up is final unless it went through procfs, where we see ourselves instead of the caller.
    /// A path without any symbolic link that does not begin there never does.
    private func mayCrossProc(_ path: PathBuffer, _ base: Int32, _ options: Options, failed: Int32) -> Bool {
        guard failed == -ENOENT || failed == -ENOTDIR || failed == -EACCES, !path.isEmpty else { return false }
        if path.hasPrefix("/proc") { return true }
        if !path.isAbsolute {
            var st = stat()
            if sbx_fstat(base, &st) == 0, UInt64(st.st_dev) == context.procDevice { return true }
        }
        return sbx_openat2(base, path.base, UInt64(Flag.path | Flag.closeOnExec), 0, Flag.noSymlinks | options.resolve) == -ELOOP
    }

    // MARK: Step by step

    private enum Place { case next, done }

    /// The same as `pin`, one name at a time, with `/proc/self` and `/proc/thread-self` meaning the caller and magic
    /// links followed by hand.
    private func walk(_ path: PathBuffer, from base: Int32, _ o: Options, for caller: Caller) throws(Errno) -> Descriptor {
        if path.isEmpty { throw Errno(ENOENT) }
        let confined = o.resolve & (Flag.beneath | Flag.inRoot) != 0
        if path.isAbsolute, o.resolve & Flag.beneath != 0 { throw Errno(EXDEV) }
        rest.set(path.bytes)
        var at = try start(absolute: path.isAbsolute && !confined, base)
        let origin = try identity(base, needed: confined)
        var links = 0
        var position = 0
        while true {
            while rest[position] == 0x2f { position += 1 }
            if position == rest.count { return at }
            let (isLast, mustBeDirectory) = takeName(&position)
            if name.count > 255 { throw Errno(ENAMETOOLONG) }
            if confined, name.equals(".."), try isSame(at.number, origin) {
                if o.resolve & Flag.beneath != 0 { throw Errno(EXDEV) }
                continue
            }
            let next = try Descriptor(
                sbx_openat2(
                    at.number, name.base, UInt64(Flag.path | Flag.noFollow | Flag.closeOnExec), 0,
                    o.resolve & Flag.noCrossing))
            var st = stat()
            _ = try Errno.check(sbx_fstat(next.number, &st))
            let follows = !isLast || o.follow || mustBeDirectory
            guard st.st_mode & S_IFMT == S_IFLNK, follows else {
                if st.st_mode & S_IFMT != S_IFDIR && (mustBeDirectory || (isLast && o.directory)) { throw Errno(ENOTDIR) }
                at = next
                continue
            }
            links += 1
            if links > 40 || o.resolve & Flag.noSymlinks != 0 { throw Errno(ELOOP) }
            if UInt64(st.st_dev) == context.procDevice, try readProcLink(in: at.number, next.number, for: caller) == .done {
                if o.resolve & (Flag.noMagicLinks | Flag.beneath | Flag.inRoot) != 0 { throw Errno(ELOOP) }
                at = try Descriptor(sbx_openat(at.number, name.base, Flag.path | Flag.closeOnExec, 0))
                continue
            } else if UInt64(st.st_dev) != context.procDevice {
                try readLink(next.number)
            }
            if link.isAbsolute {
                if o.resolve & Flag.beneath != 0 { throw Errno(EXDEV) }
                at = try start(absolute: !confined, base)
            }
            try prepend(keeping: position)
            position = 0
        }
    }

    private func start(absolute: Bool, _ base: Int32) throws(Errno) -> Descriptor {
        // An empty `O_PATH` re-opening gives a descriptor of our own for the same place.
        if absolute { return try Descriptor(sbx_openat(At.workingDirectory, "/", Flag.path | Flag.directory | Flag.closeOnExec, 0)) }
        return try Descriptor(fcntl(base, F_DUPFD_CLOEXEC, 0))
    }

    private func identity(_ fd: Int32, needed: Bool) throws(Errno) -> stat {
        var st = stat()
        if needed { _ = try Errno.check(sbx_fstat(fd, &st)) }
        return st
    }

    private func isSame(_ fd: Int32, _ other: stat) throws(Errno) -> Bool {
        let st = try identity(fd, needed: true)
        return st.st_dev == other.st_dev && st.st_ino == other.st_ino
    }

    /// Copies the next name into `name`, moves behind it, and says whether it is the last one and whether a slash
    /// follows it.
    private func takeName(_ position: inout Int) -> (isLast: Bool, mustBeDirectory: Bool) {
        let start = position
        while position < rest.count, rest[position] != 0x2f { position += 1 }
        name.set(UnsafeRawBufferPointer(rebasing: rest.bytes[start..<position]))
        var after = position
        while after < rest.count, rest[after] == 0x2f { after += 1 }
        return (after == rest.count, after > position)
    }

    private func readLink(_ fd: Int32) throws(Errno) {
        let n = sbx_readlinkat(fd, "", link.base, 4096)
        if n < 0 { throw Errno(Int32(-n)) }
        if n == 0 { throw Errno(ENOENT) }
        link.setCount(n)
    }

    /// `.next` with the text in `link`, or `.done` for a magic link, which leads to an object and not to a name.
    private func readProcLink(in folder: Int32, _ fd: Int32, for caller: Caller) throws(Errno) -> Place {
        let isSelf = name.equals("self"), isThread = name.equals("thread-self")
        if isSelf || isThread {
            link.clear()
            link.append(decimal: caller.pid)
            if isThread {
                link.append("/task/")
                link.append(decimal: caller.tid)
            }
            return .next
        }
        if sbx_openat2(folder, name.base, UInt64(Flag.path | Flag.closeOnExec), 0, Flag.noMagicLinks) == -ELOOP {
            guard try mayFollowMagic(in: folder) else { throw Errno(EACCES) }
            return .done
        }
        try readLink(fd)
        return .next
    }

    /// We may look through any process's descriptors that have our user; the caller only through its own session's.
    private func mayFollowMagic(in folder: Int32) throws(Errno) -> Bool {
        try describe(folder, into: scratch)
        guard let pid = ProcPath.process(scratch) else { return false }
        return context.tasks.serial(of: pid) != 0
    }

    /// `rest` becomes the link's text followed by what was still to be walked.
    private func prepend(keeping position: Int) throws(Errno) {
        guard link.count + (rest.count - position) + 1 < PathBuffer.capacity else { throw Errno(ENAMETOOLONG) }
        scratch.set(UnsafeRawBufferPointer(rebasing: rest.bytes[position...]))
        rest.set(link.bytes)
        rest.append(scratch.bytes)
    }

    // MARK: Names of what was pinned

    /// The path of a pinned object as it is now, by the kernel's own account.
    func describe(_ fd: Int32, into path: PathBuffer) throws(Errno) {
        digits.clear()
        digits.append(decimal: fd)
        let n = sbx_readlinkat(context.ownDescriptors, digits.base, path.base, 4096)
        if n < 0 { throw Errno(Int32(-n)) }
        if n >= 4096 { throw Errno(ENAMETOOLONG) }
        path.setCount(n)
    }

    /// Opens a pinned object itself, without a second look-up.
    func open(_ fd: Int32, _ flags: Int32) -> Int32 {
        digits.clear()
        digits.append(decimal: fd)
        return sbx_openat(context.ownDescriptors, digits.base, flags, 0)
    }

    /// `/proc/self/fd/N`, through which a pinned object is opened or changed without a second look-up.
    func reference(_ fd: Int32) -> UnsafePointer<CChar> {
        scratch.clear()
        scratch.append("/proc/self/fd/")
        scratch.append(decimal: fd)
        return scratch.cString
    }
}
