package import SandboxDecode
package import SandboxModel
internal import CShims
internal import Glibc

/// A file call on its way: prepared (copied, pinned, named), judged by others, then performed on what was pinned.
///
/// Holds its buffers and descriptors from call to call; not thread-safe.
package final class FileWork {
    package let first = FileSubject()
    package let second = FileSubject()
    package private(set) var operation = Operation.other
    package private(set) var hasSecond = false
    /// The target's folder is moved as a whole.
    package private(set) var movesDirectory = false
    /// A device that may write into a process's memory by itself. Not one of memory's (null, zero, random), and no terminal:
    /// devices.txt, majors 1 (what is raw there is refused, `isRawDevice`), 4, 5 and 136 to 143.
    package var reachesMemory: Bool {
        let major = first.special >> 8 & 0xfff
        return first.kind == .device && ![1, 4, 5].contains(major) && !(136...143).contains(major)
    }
    /// It can make a name mean something else than it did: a link is made, moved or named again, or a folder is moved.
    package var redirectsNames: Bool {
        switch call {
        case .symlink: true
        case .rename, .link: movesDirectory || first.kind == .symlink || hasSecond && second.kind == .symlink
        default: false
        }
    }
    /// Opening it may wait for somebody else (a FIFO, a terminal line).
    package private(set) var mayBlock = false

    /// The result of `perform` is a descriptor for the caller.
    package var opens: Bool { if case .open = call { true } else { false } }
    /// `O_PATH` by open(2) or openat(2). seccomp hands over no such descriptor (EBADF), and there is no need: the flag
    /// is a register, and whatever is done with the descriptor later (opening it through `/proc/self/fd`, executing it,
    /// using it as a folder) is judged by what it refers to then. Handles of other sessions' processes are out of reach
    /// by Landlock. A racer gains nothing but another name to be judged.
    package var mayProceed: Bool {
        guard case .open(let request) = call else { return false }
        return request.how.isNull && Int32(truncatingIfNeeded: request.flags) & Flag.path != 0
    }
    /// It matters that we have closed our duplicate before the caller goes on.
    package var mustBeLetGo: Bool {
        Int32(truncatingIfNeeded: open.flags) & O_ACCMODE != O_RDONLY || first.kind == .fifo || first.kind == .device
    }
    package var closesOnExec: Bool { Int32(truncatingIfNeeded: open.flags) & Flag.closeOnExec != 0 }

    let context: KernelContext
    let resolver: Resolver
    let identity: Identity
    private var isUsed = false
    /// What the caller gets in the place of the object that is pinned: a copy of it that was judged. Ours to close.
    package var substitute: Int32 = -1
    private(set) var call = Call.unknown
    package private(set) var caller = Caller(tid: 0, pid: 0, serial: 0)
    private(set) var open = OpenRequest(path: .plain(RemoteAddress(0), follow: true), flags: 0, mode: 0)
    let text = PathBuffer()

    package init(_ context: KernelContext) {
        self.context = context
        resolver = Resolver(context)
        identity = Identity(context)
    }

    deinit { reset() }

    /// Copies what the call names out of the caller's memory and pins it. Throws what the kernel would answer.
    package func prepare(_ call: Call, for caller: Caller) throws(Errno) {
        reset()
        isUsed = true
        self.call = call
        self.caller = caller
        switch call {
        case .open(let request): try prepareOpen(request)
        case .remove(let at, _, let flags):
            operation = .delete
            if flags & ~0x200 != 0 { throw Errno(EINVAL) }
            try named(first, at, .delete, mustExist: true)
        case .rename(let from, let to, let flags):
            operation = .rename
            try prepareRename(from, to, flags)
        case .makeDirectory(let at, _), .makeNode(let at, _, _), .symlink(_, let at):
            operation = .create
            try named(first, at, .create, mustExist: false, symlink: call)
            // As the kernel says it, wherever it is: nothing would be made, so there is nothing to judge.
            if first.kind != .absent { throw Errno(EEXIST) }
        case .link(let from, let to, let flags):
            operation = .link
            if flags & ~(At.symlinkFollow | At.emptyPath) != 0 { throw Errno(EINVAL) }
            try object(first, from, .link)
            try named(second, to, [.link, .create], mustExist: false)
            if second.kind != .absent { throw Errno(EEXIST) }
            hasSecond = true
        case .truncate(let at, _):
            operation = .open
            try object(first, at, [.write, .truncate])
        case .changeMode(let at, _, _), .changeOwner(let at, _, _), .changeTimes(let at, _, _), .setAttribute(let at, _),
            .removeAttribute(let at, _):
            operation = .metadata
            try object(first, at, .metadata)
        case .readLink(let at, _, _):
            operation = .other
            try object(first, at, .pathOnly)
        default: throw Errno(ENOSYS)
        }
    }

    /// One of our own descriptors that the session is to have, as if it were opened now.
    package func prepare(inherited descriptor: Int32) throws(Errno) {
        reset()
        operation = .open
        first.access = FileAccess(openFlags: fcntl(descriptor, F_GETFL))
        first.hold(try Descriptor(fcntl(descriptor, F_DUPFD_CLOEXEC, 0)))
        try describeObject(first)
    }

    package func reset() {
        guard isUsed else { return }
        isUsed = false
        first.reset()
        second.reset()
        dropSubstitute()
        hasSecond = false
        movesDirectory = false
        mayBlock = false
        operation = .other
    }

    // MARK: Pinning

    /// Pins an object that must be there.
    func object(_ s: FileSubject, _ at: PathArgument, _ access: FileAccess, resolve: UInt64 = 0, directory: Bool = false) throws(Errno) {
        s.access = access
        s.given.clear()
        if !at.address.isNull {
            try TraceeMemory.readPath(caller.tid, at.address, into: s.given)
        } else if !at.mayBeEmpty {
            throw Errno(EFAULT)
        }
        if s.given.isEmpty {
            guard at.mayBeEmpty else { throw Errno(ENOENT) }
            s.hold(try resolver.base(at.base, of: caller))
        } else {
            try pinGiven(s, at, Resolver.Options(follow: at.follow, directory: directory, resolve: resolve))
        }
        try describeObject(s)
    }

    private func pinGiven(_ s: FileSubject, _ at: PathArgument, _ options: Resolver.Options) throws(Errno) {
        let relative = !s.given.isAbsolute || options.resolve & (Flag.inRoot | Flag.beneath) != 0
        if relative {
            let base = try resolver.folder(at.base, of: caller)
            let pin = try identity.assumed(caller) { () throws(Errno) in
                try resolver.pin(s.given, from: base.number, options, for: caller)
            }
            s.hold(pin)
        } else {
            let pin = try identity.assumed(caller) { () throws(Errno) in
                try resolver.pin(s.given, from: At.workingDirectory, options, for: caller)
            }
            s.hold(pin)
        }
    }

    private func describeObject(_ s: FileSubject) throws(Errno) {
        var st = stat()
        if let seen = resolver.seen { st = seen } else { _ = try Errno.check(sbx_fstat(s.pin, &st)) }
        s.take(st)
        try resolver.describe(s.pin, into: s.path)
        if !s.path.isAbsolute {
            // `(unreachable)/…` is a file in a tree that we do not see (getcwd(2)), not one without a place.
            if s.path.hasPrefix("(") { throw Errno(EACCES) }
            s.isAnonymous = true
        } else if st.st_nlink == 0 {
            s.path.dropDeletedMark()
            s.isAnonymous = s.path.hasPrefix("/memfd:")
        }
        s.noteLostName()
    }

    /// In the kernel's order: flags, both strings, both folders, then the names (fs/namei.c, do_renameat2).
    private func prepareRename(_ from: PathArgument, _ to: PathArgument, _ flags: UInt32) throws(Errno) {
        let exchanges = flags & 2 != 0
        if flags & ~7 != 0 || exchanges && flags & 5 != 0 { throw Errno(EINVAL) }
        try readName(first, from, .rename)
        try readName(second, to, exchanges ? .rename : [.rename, .create])
        try splitGiven(first, from, resolve: 0)
        try splitGiven(second, to, resolve: 0)
        for s in [first, second] where s.isDots { throw Errno(EBUSY) }
        try lookUpName(first, mustExist: true)
        try lookUpName(second, mustExist: exchanges)
        // As for what is made: nothing would be moved (RENAME_NOREPLACE).
        if flags & 1 != 0, second.kind != .absent { throw Errno(EEXIST) }
        hasSecond = true
        movesDirectory = first.kind == .directory || (exchanges && second.kind == .directory)
    }

    /// Pins the folder of a name that may or may not be there; the name itself is never followed.
    func named(_ s: FileSubject, _ at: PathArgument, _ access: FileAccess, mustExist: Bool, symlink: Call = .unknown) throws(Errno) {
        if case .symlink(let target, _) = symlink {
            try TraceeMemory.readPath(caller.tid, target, into: text)
            if text.isEmpty { throw Errno(ENOENT) }
        }
        try readName(s, at, access)
        try splitGiven(s, at, resolve: 0)
        try lookUpName(s, mustExist: mustExist)
    }

    private func readName(_ s: FileSubject, _ at: PathArgument, _ access: FileAccess) throws(Errno) {
        s.access = access
        try TraceeMemory.readPath(caller.tid, at.address, into: s.given)
        if s.given.isEmpty { throw Errno(ENOENT) }
    }

    func lookUpName(_ s: FileSubject, mustExist: Bool) throws(Errno) {
        var st = stat()
        let found = sbx_fstatat(s.pin, s.name.base, &st, At.symlinkNoFollow)
        if found == 0 { s.take(st) } else { s.kind = .absent }
        if found == -ENOENT && mustExist { throw Errno(ENOENT) }
        if found < 0 && found != -ENOENT { throw Errno(-found) }
        try nameInFolder(s)
    }

    /// `given` becomes a pinned folder and a last name. The name keeps its trailing slashes, which mean something
    /// to the kernel.
    func splitGiven(_ s: FileSubject, _ at: PathArgument, resolve: UInt64) throws(Errno) {
        let (start, end, _) = s.given.lastName()
        if end - start > 255 { throw Errno(ENAMETOOLONG) }
        s.name.set(UnsafeRawBufferPointer(rebasing: s.given.bytes[start...]))
        // Nothing but slashes: the kernel refuses to make, move or remove the root, each call with its own error.
        if end == 0 { s.name.append("/") }
        s.given.setCount(start)
        if s.given.isEmpty { s.given.append(".") }
        try pinGiven(s, at, Resolver.Options(follow: true, directory: true, resolve: resolve))
    }

    /// The judged path of a name: its folder's path and the name.
    func nameInFolder(_ s: FileSubject) throws(Errno) {
        try resolver.describe(s.pin, into: s.path)
        if s.isDots { return }
        if s.path.count > 1 { s.path.append("/") }
        let (start, end, _) = s.name.lastName()
        s.path.append(UnsafeRawBufferPointer(rebasing: s.name.bytes[start..<end]))
    }

    // MARK: Opening

    private func prepareOpen(_ request: OpenRequest) throws(Errno) {
        open = request
        operation = .open
        if !request.how.isNull || request.howSize != 0 { try readHow() }
        open.flags &= 0x7fff_ffff
        let access = FileAccess(openFlags: Int32(truncatingIfNeeded: open.flags))
        let flags = Int32(truncatingIfNeeded: open.flags)
        if flags & Flag.path == 0, flags & O_CREAT != 0, flags & Flag.temporary != Flag.temporary {
            return try prepareCreate(access)
        }
        let follow = flags & Flag.noFollow == 0
        var at = open.path
        at.follow = follow
        try object(first, at, access, resolve: open.resolve, directory: flags & Flag.directory != 0)
        if flags & Flag.temporary == Flag.temporary { first.access.insert(.create) }
        if first.kind == .symlink, flags & Flag.path == 0 { throw Errno(ELOOP) }
        settleBlocking()
    }

    fileprivate func settleBlocking() {
        let flags = Int32(truncatingIfNeeded: open.flags)
        guard flags & (Flag.path | O_NONBLOCK) == 0 else { return }
        mayBlock = first.kind == .fifo || first.kind == .device
    }

    /// struct open_how, openat2(2): a longer one is fine as long as the rest is zero.
    private func readHow() throws(Errno) {
        guard open.howSize >= 24 else { throw Errno(EINVAL) }
        guard open.howSize <= 4096 else { throw Errno(E2BIG) }
        let how = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(open.howSize), alignment: 8)
        defer { how.deallocate() }
        try TraceeMemory.read(caller.tid, open.how, into: how)
        if how[24...].contains(where: { $0 != 0 }) { throw Errno(E2BIG) }
        open.flags = how.load(fromByteOffset: 0, as: UInt64.self)
        open.mode = how.load(fromByteOffset: 8, as: UInt64.self)
        open.resolve = how.load(fromByteOffset: 16, as: UInt64.self)
        try validateHow()
    }

    /// The checks that openat2 makes and openat does not (fs/open.c, build_open_flags).
    private func validateHow() throws(Errno) {
        let known: UInt64 = 0x7f_ffc3 | UInt64(O_ACCMODE)
        if open.flags & ~known != 0 || open.resolve & ~0x3f != 0 { throw Errno(EINVAL) }
        if open.resolve & Flag.beneath != 0 && open.resolve & Flag.inRoot != 0 { throw Errno(EINVAL) }
        let f = Int32(truncatingIfNeeded: open.flags)
        let creates = f & O_CREAT != 0 || f & Flag.temporary == Flag.temporary
        if open.mode != 0 && !creates || open.mode & ~0o7777 != 0 { throw Errno(EINVAL) }
        if f & O_CREAT != 0 && f & Flag.directory != 0 { throw Errno(EINVAL) }
        if f & Flag.path != 0 && f & ~(Flag.path | Flag.directory | Flag.noFollow | Flag.closeOnExec) != 0 { throw Errno(EINVAL) }
        if open.resolve & 0x20 != 0 { throw Errno(EAGAIN) }  // RESOLVE_CACHED: may always be answered so
    }

    /// Opening that makes the file where it is not there: the folder is pinned, the last name looked at without
    /// following it, and a link followed by hand, so that what is made is made in the folder that was judged.
    private func prepareCreate(_ access: FileAccess) throws(Errno) {
        let s = first
        let flags = Int32(truncatingIfNeeded: open.flags)
        s.access = access
        try TraceeMemory.readPath(caller.tid, open.path.address, into: s.given)
        if s.given.isEmpty { throw Errno(ENOENT) }
        var at = open.path
        for _ in 0..<40 {
            let (_, end, slash) = s.given.lastName()
            try splitGiven(s, at, resolve: open.resolve)
            var st = stat()
            let found = sbx_fstatat(s.pin, s.name.base, &st, At.symlinkNoFollow)
            if slash && end > 0 { throw Errno(EISDIR) }
            if s.isDots { throw Errno(flags & O_EXCL != 0 ? EEXIST : EISDIR) }
            if found == -ENOENT { return try absent(s) }
            if found < 0 { throw Errno(-found) }
            if flags & O_EXCL != 0 { throw Errno(EEXIST) }
            let isLink = st.st_mode & S_IFMT == S_IFLNK
            if isLink && flags & Flag.noFollow != 0 { throw Errno(ELOOP) }
            if !isLink || UInt64(st.st_dev) == context.procDevice {
                do throws(Errno) { return try existing(s, follow: isLink) } catch {
                    if error.code == ENOENT, !isLink { try restore(s, at); continue }  // gone since we looked
                    throw error
                }
            }
            if open.resolve & Flag.noSymlinks != 0 { throw Errno(ELOOP) }
            // What the link says is relative to the folder it lies in; outside a confined look-up that is named from the
            // root.
            if try !followName(s) { at.base = .workingDirectory }
        }
        throw Errno(ELOOP)
    }

    private func absent(_ s: FileSubject) throws(Errno) {
        s.kind = .absent
        s.access.insert(.create)
        operation = .create
        try nameInFolder(s)
    }

    /// Turns a name into the object behind it.
    private func existing(_ s: FileSubject, follow: Bool) throws(Errno) {
        s.given.set(s.name.bytes)
        let folder = s.pin
        let pin = try identity.assumed(caller) { () throws(Errno) in
            try resolver.pin(s.given, from: folder, Resolver.Options(follow: follow), for: caller)
        }
        s.hold(pin)
        s.name.clear()
        try describeObject(s)
        if s.kind == .directory { throw Errno(EISDIR) }
        settleBlocking()
    }

    /// The caller's own text once more, for another round.
    private func restore(_ s: FileSubject, _ at: PathArgument) throws(Errno) {
        try TraceeMemory.readPath(caller.tid, at.address, into: s.given)
    }

    /// `given` becomes the folder's path and the link's text, so that the loop goes on from there. True where it stays
    /// relative to the caller's own base, which it must not leave (`RESOLVE_BENEATH`, `RESOLVE_IN_ROOT`).
    private func followName(_ s: FileSubject) throws(Errno) -> Bool {
        let n = sbx_readlinkat(s.pin, s.name.base, text.base, 4096)
        if n <= 0 { throw Errno(n == 0 ? ENOENT : Int32(-n)) }
        text.setCount(n)
        let confined = open.resolve & (Flag.beneath | Flag.inRoot) != 0
        if text.isAbsolute {
            if open.resolve & Flag.beneath != 0 { throw Errno(EXDEV) }
            s.given.set(text.bytes)
        } else {
            // `splitGiven` has left the folder's part there.
            if !confined { try resolver.describe(s.pin, into: s.given) }
            s.given.append("/")
            guard s.given.append(text.bytes) else { throw Errno(ENAMETOOLONG) }
        }
        if s.given.count >= 4096 { throw Errno(ENAMETOOLONG) }
        return confined
    }
}
