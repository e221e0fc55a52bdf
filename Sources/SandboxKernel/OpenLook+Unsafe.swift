internal import CShims
internal import Glibc
package import SandboxDecode
package import SandboxModel

/// A look at what an open(2) means, for calls that the kernel then carries out by itself. Nothing is pinned: the last name
/// is looked at without following it, and its folder's path is remembered from an earlier look.
///
/// What is remembered counts as long as device, inode and change time are the same, no folder was moved in the session,
/// and for a second at the most: somebody outside may move a folder too. One for each notifier.
///
/// A strict look tells what a caller that is alone gets as long as no name is redirected (`Flights`): it goes through no
/// magic link of procfs, knows each text by the folder it starts from, and leaves files with several names to others.
package final class OpenLook {
    package enum Result {
        /// It fails in the kernel too, with that error (0: with which, is not sure), and nothing is opened.
        case nothing(Int32)
        /// It takes more than a look: procfs, a device, a link that was not met before.
        case unclear
        /// `path` and what follows tell what it is.
        case known
    }

    package var path: UnsafeBufferPointer<UInt8> { current.path }
    package private(set) var operation = Operation.open
    package private(set) var access: FileAccess = []
    package private(set) var device: UInt64 = 0
    package private(set) var inode: UInt64 = 0
    /// What was remembered about reading this path; nil at the first time.
    package private(set) var ruling: Ruling?

    /// A regular file that somebody may execute.
    package var isProgram: Bool { inode != 0 && st.st_mode & S_IFMT == S_IFREG && st.st_mode & 0o111 != 0 }
    /// How long the given name is.
    package var givenCount: Int { given.count }

    private let context: KernelContext
    private let isStrict: Bool
    private let given = PathBuffer()
    private let composed = PathBuffer()
    private let names = LookTable()
    private let folders = LookTable()
    private var current = LookTable.Found()
    private var st = stat()
    private var key = LookTable.Key()
    /// The path can be remembered under `key`.
    private var isNew = false
    private var flags: Int32 = 0
    /// When the look began, or a little earlier.
    private var now: UInt64 = 0

    package init(_ context: KernelContext, isStrict: Bool) {
        self.context = context
        self.isStrict = isStrict
    }

    /// Nothing that the kernel would read from the caller's memory but the name.
    package static func isFor(_ request: OpenRequest) -> Bool {
        let f = Int32(truncatingIfNeeded: request.flags)
        return request.how.isNull && request.howSize == 0 && f & (Flag.path | Flag.temporary & ~Flag.directory) == 0
    }

    /// It makes nothing, and changes nothing.
    package static func onlyReads(_ request: OpenRequest) -> Bool {
        let f = Int32(truncatingIfNeeded: request.flags)
        return FileAccess(openFlags: f) == .read && f & O_CREAT == 0
    }

    package func look(_ request: OpenRequest, _ caller: Caller) throws(Errno) -> Result {
        isNew = false
        ruling = nil
        now = context.recently()
        if context.mustLookUpIdentity(of: caller) { return .unclear }
        try TraceeMemory.readPath(caller.tid, request.path.address, into: given)
        flags = Int32(truncatingIfNeeded: request.flags)
        access = FileAccess(openFlags: flags)
        operation = .open
        if given.isEmpty { return .nothing(ENOENT) }
        // What lies there means something else for the caller than for us.
        if given.hasPrefix("/proc") || given.hasPrefix("/dev/") { return .unclear }
        if given.isAbsolute { return lookUp(At.workingDirectory) }
        let base: Int32
        switch request.path.base {
        case .workingDirectory:
            composed.setProcess(caller.tid, "/cwd")
            base = sbx_openat(At.workingDirectory, composed.base, Flag.path | Flag.closeOnExec, 0)
        case .descriptor(let fd): base = sbx_pidfd_getfd(context.descriptors(of: caller), fd)
        }
        guard base >= 0 else { return .unclear }
        defer { _ = sbx_close(base) }
        return lookUp(base)
    }

    private func lookUp(_ base: Int32) -> Result {
        let found = sbx_fstatat(base, given.base, &st, At.symlinkNoFollow)
        if found == -ENOENT, flags & O_CREAT != 0 { return lookForNew(base) }
        guard found == 0 else { return .nothing(isCertain(found, base) ? -found : 0) }
        if st.st_mode & S_IFMT == S_IFLNK { return lookThroughLink(base) }
        guard isPlain else { return isMisplaced ? .nothing(0) : .unclear }
        if isMisplaced || flags & (O_CREAT | O_EXCL) == O_CREAT | O_EXCL { return .nothing(0) }
        let hasOneName = st.st_nlink == 1 || isFolder
        if isStrict, !hasOneName { return .unclear }
        // A single name is found as quickly by its folder.
        if access == .read, hasOneName, isLong {
            guard makeKey(base) else { return .unclear }
            if let known = names.find(key, since: context.lastMove, now: now) { return know(known) }
            isNew = true
        }
        return nameInFolder(base)
    }

    /// More than one name: there may be links between them.
    private var isLong: Bool { memchr(given.base, 0x2f, given.count) != nil }

    /// Whether a failed look tells what the caller would get. Through procfs it would not, and nobody gets there without a link.
    private func isCertain(_ found: Int32, _ base: Int32) -> Bool {
        guard isStrict, isLong else { return true }
        return sbx_openat2(base, given.base, UInt64(Flag.path | Flag.closeOnExec), 0, Flag.noSymlinks) == found
    }

    /// The same text may lead elsewhere from another folder.
    private func makeKey(_ base: Int32) -> Bool {
        key = LookTable.Key(text: given.bytes, &st)
        guard isStrict, base != At.workingDirectory else { return true }
        var origin = stat()
        guard sbx_fstat(base, &origin) == 0 else { return false }
        key.originDevice = UInt64(origin.st_dev)
        key.origin = UInt64(origin.st_ino)
        return true
    }

    /// The text leads through a link at its end, to where it led when it was met first.
    private func lookThroughLink(_ base: Int32) -> Result {
        if flags & (Flag.noFollow | O_EXCL) != 0 { return .nothing(0) }
        guard sbx_fstatat(base, given.base, &st, 0) == 0 else { return flags & O_CREAT != 0 ? .unclear : .nothing(0) }
        guard access == .read, isPlain, st.st_nlink == 1 || isFolder else { return .unclear }
        if isMisplaced { return .nothing(0) }
        guard makeKey(base) else { return .unclear }
        isNew = true
        if let known = names.find(key, since: context.lastMove, now: now) { return know(known) }
        return isStrict && pathOfPinned(base) ? know(LookTable.Found(path: composed.text, ruling: nil)) : .unclear
    }

    /// By the kernel's own account, of what the text leads to without magic links; into `composed`.
    private func pathOfPinned(_ base: Int32) -> Bool {
        let fd = sbx_openat2(base, given.base, UInt64(Flag.path | Flag.closeOnExec), 0, Flag.noMagicLinks)
        guard fd >= 0 else { return false }
        defer { _ = sbx_close(fd) }
        var pinned = stat()
        return sbx_fstat(fd, &pinned) == 0 && pinned.st_ino == st.st_ino && pinned.st_dev == st.st_dev && readPath(of: fd)
    }

    private func readPath(of fd: Int32) -> Bool {
        composed.setDescriptor(fd)
        let n = sbx_readlinkat(At.workingDirectory, composed.base, composed.base, 4096)
        guard n > 0, n < 4096 else { return false }
        composed.setCount(n)
        return composed.isAbsolute
    }

    private func lookForNew(_ base: Int32) -> Result {
        operation = .create
        access.insert(.create)
        let result = nameInFolder(base)
        (device, inode) = (0, 0)
        return result
    }

    /// The last name behind the path of the folder it lies in.
    private func nameInFolder(_ base: Int32) -> Result {
        let (start, end, slash) = given.lastName()
        if slash || isDots(start, end) { return .unclear }
        guard folder(base, endingAt: start) else { return .unclear }
        if composed.count > 1 { composed.append("/") }
        composed.append(UnsafeRawBufferPointer(rebasing: given.bytes[start..<end]))
        device = UInt64(st.st_dev)
        inode = UInt64(st.st_ino)
        current = LookTable.Found(path: composed.text, ruling: nil)
        return .known
    }

    /// The path of the folder that the given text begins with becomes `composed`.
    private func folder(_ base: Int32, endingAt end: Int) -> Bool {
        var above = stat()
        var own: Int32 = end == 0 ? base : -1
        if end > 0 { composed.set(UnsafeRawBufferPointer(rebasing: given.bytes[..<end])) }
        if end > 0, isStrict { own = pin(base) }
        defer { if own >= 0, own != base { _ = sbx_close(own) } }
        guard (own >= 0 ? sbx_fstat(own, &above) : isStrict ? -1 : sbx_fstatat(base, composed.base, &above, 0)) == 0 else { return false }
        guard above.st_mode & S_IFMT == S_IFDIR, UInt64(above.st_dev) != context.procDevice else { return false }
        let place = LookTable.Key(folder: &above)
        if let known = folders.find(place, since: context.lastMove, now: now) {
            composed.set(UnsafeRawBufferPointer(known.path))
            return true
        }
        if own < 0 { own = pin(base) }
        guard own >= 0, readPath(of: own), above.st_nlink > 0 else { return false }
        folders.remember(place, composed.bytes, at: now)
        return true
    }

    private func pin(_ base: Int32) -> Int32 {
        let flags = Flag.path | Flag.directory | Flag.closeOnExec
        return isStrict
            ? sbx_openat2(base, composed.base, UInt64(flags), 0, Flag.noMagicLinks) : sbx_openat(base, composed.base, flags, 0)
    }

    private func know(_ found: LookTable.Found) -> Result {
        device = UInt64(st.st_dev)
        inode = UInt64(st.st_ino)
        current = found
        ruling = found.ruling
        return .known
    }

    /// What was ruled about reading what is `known`.
    package func remember(_ ruling: Ruling) {
        guard isNew else { return }
        isNew = false
        names.remember(key, UnsafeRawBufferPointer(current.path), ruling, at: now)
    }

    /// After a closer look at a call that was `unclear`: it was this object, by this path, and this was ruled.
    package func remember(_ subject: FileSubject, _ ruling: Ruling) {
        guard isNew, subject.access == .read, subject.device == UInt64(st.st_dev), subject.inode == UInt64(st.st_ino),
            !subject.isAnonymous
        else { return }
        isNew = false
        names.remember(key, subject.path.bytes, ruling, at: now)
    }

    private var isFolder: Bool { st.st_mode & S_IFMT == S_IFDIR }

    /// A regular file or a folder.
    private var isPlain: Bool {
        UInt64(st.st_dev) != context.procDevice && (isFolder || st.st_mode & S_IFMT == S_IFREG)
    }

    /// No folder where one is asked for, or one that would be written to.
    private var isMisplaced: Bool { isFolder ? access != .read || flags & O_CREAT != 0 : flags & Flag.directory != 0 }

    private func isDots(_ start: Int, _ end: Int) -> Bool {
        end - start == 0 || end - start <= 2 && given.bytes[start..<end].allSatisfy { $0 == 0x2e }
    }
}
