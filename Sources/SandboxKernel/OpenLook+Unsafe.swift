internal import CShims
internal import Glibc
package import SandboxDecode
package import SandboxModel

/// A look at what an open(2) means, for calls that the kernel then carries out by itself. Nothing is pinned: the last name
/// is looked at without following it, and its folder's path is remembered from an earlier look.
///
/// What is remembered counts as long as device, inode and change time are the same, no folder was moved in the session,
/// and for a second at the most: somebody outside may move a folder too. One for each notifier.
package final class OpenLook {
    package enum Result {
        /// It fails in the kernel too, and nothing is opened.
        case nothing
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

    private let context: KernelContext
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
    /// When the look began.
    private var now: UInt64 = 0

    package init(_ context: KernelContext) { self.context = context }

    /// Nothing that the kernel would read from the caller's memory but the name.
    package static func isFor(_ request: OpenRequest) -> Bool {
        let f = Int32(truncatingIfNeeded: request.flags)
        return request.how.isNull && f & (Flag.path | Flag.temporary & ~Flag.directory) == 0
    }

    package func look(_ request: OpenRequest, _ caller: Caller) throws(Errno) -> Result {
        isNew = false
        ruling = nil
        now = context.now()
        if context.mustLookUpIdentity(of: caller) { return .unclear }
        try TraceeMemory.readPath(caller.tid, request.path.address, into: given)
        flags = Int32(truncatingIfNeeded: request.flags)
        access = FileAccess(openFlags: flags)
        operation = .open
        if given.isEmpty { return .nothing }
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
        guard found == 0 else { return .nothing }
        if st.st_mode & S_IFMT == S_IFLNK { return lookThroughLink(base) }
        guard isPlain else { return isMisplaced ? .nothing : .unclear }
        if isMisplaced || flags & (O_CREAT | O_EXCL) == O_CREAT | O_EXCL { return .nothing }
        // A single name is found as quickly by its folder.
        if access == .read, st.st_nlink == 1 || isFolder, memchr(given.base, 0x2f, given.count) != nil {
            key = LookTable.Key(text: given.bytes, &st)
            if let known = names.find(key, since: context.lastMove, now: now) { return know(known) }
            isNew = true
        }
        return nameInFolder(base)
    }

    /// The text leads through a link at its end, to where it led when it was met first.
    private func lookThroughLink(_ base: Int32) -> Result {
        if flags & (Flag.noFollow | O_EXCL) != 0 { return .nothing }
        guard sbx_fstatat(base, given.base, &st, 0) == 0 else { return flags & O_CREAT != 0 ? .unclear : .nothing }
        guard access == .read, isPlain, st.st_nlink == 1 || isFolder else { return .unclear }
        if isMisplaced { return .nothing }
        key = LookTable.Key(text: given.bytes, &st)
        isNew = true
        guard let known = names.find(key, since: context.lastMove, now: now) else { return .unclear }
        return know(known)
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
        if end == 0 {
            guard sbx_fstat(base, &above) == 0 else { return false }
        } else {
            composed.set(UnsafeRawBufferPointer(rebasing: given.bytes[..<end]))
            guard sbx_fstatat(base, composed.base, &above, 0) == 0 else { return false }
        }
        guard above.st_mode & S_IFMT == S_IFDIR, UInt64(above.st_dev) != context.procDevice else { return false }
        let place = LookTable.Key(folder: &above)
        if let known = folders.find(place, since: context.lastMove, now: now) {
            composed.set(UnsafeRawBufferPointer(known.path))
            return true
        }
        guard let own = pin(base, end) else { return false }
        composed.setDescriptor(own)
        let n = sbx_readlinkat(At.workingDirectory, composed.base, composed.base, 4096)
        if own != base { _ = sbx_close(own) }
        guard n > 0, n < 4096 else { return false }
        composed.setCount(n)
        guard composed.isAbsolute, above.st_nlink > 0 else { return false }
        folders.remember(place, composed.bytes, at: now)
        return true
    }

    private func pin(_ base: Int32, _ end: Int) -> Int32? {
        if end == 0 { return base }
        let fd = sbx_openat(base, composed.base, Flag.path | Flag.directory | Flag.closeOnExec, 0)
        return fd >= 0 ? fd : nil
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

/// Paths by what they were asked for and where that led; direct-mapped, of fixed size, without allocation.
final class LookTable {
    struct Key {
        var text = UnsafeRawBufferPointer(start: nil, count: 0)
        var device: UInt64 = 0
        var inode: UInt64 = 0
        var changed: UInt64 = 0

        init() {}
        /// A folder, whatever comes and goes in it.
        init(folder st: inout stat) {
            device = UInt64(st.st_dev)
            inode = UInt64(st.st_ino)
        }
        init(text: UnsafeRawBufferPointer, _ st: inout stat) {
            self.text = text
            device = UInt64(st.st_dev)
            inode = UInt64(st.st_ino)
            changed = UInt64(bitPattern: Int64(st.st_ctim.tv_sec)) &* 1_000_000_000 &+ UInt64(st.st_ctim.tv_nsec)
        }

        /// FNV-1a over the text, eight bytes at a time, or over the inode where there is none.
        var slot: Int {
            var h: UInt64 = 0xcbf2_9ce4_8422_2325
            var i = 0
            while i + 8 <= text.count {
                h = (h ^ text.loadUnaligned(fromByteOffset: i, as: UInt64.self)) &* 0x9e37_79b9_7f4a_7c15
                h ^= h >> 29
                i += 8
            }
            while i < text.count {
                h = (h ^ UInt64(text[i])) &* 0x100_0000_01b3
                i += 1
            }
            if text.isEmpty { h = (inode ^ device << 32) &* 0x9e37_79b9_7f4a_7c15 }
            return Int((h ^ h >> 32) & UInt64(LookTable.count - 1))
        }
    }

    struct Found {
        var path = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
        var ruling: Ruling?
    }

    private struct Head {
        var device: UInt64 = 0
        var inode: UInt64 = 0
        var changed: UInt64 = 0
        var made: UInt64 = 0
        var textCount: UInt16 = 0
        var pathCount: UInt16 = 0
        var rule: UInt16 = 0
        var decision: UInt8 = 0
        var hasRuling = false
    }

    private static let count = 2048, size = 512
    private static let room = size - MemoryLayout<Head>.stride
    private let base: UnsafeMutableRawPointer

    init() {
        // Zero pages of the kernel's: what is never used costs nothing.
        base = mmap(nil, LookTable.count * LookTable.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        precondition(base != MAP_FAILED, "mmap of a table of paths failed")
    }
    deinit { munmap(base, LookTable.count * LookTable.size) }

    /// What was remembered after `since`, nanoseconds since boot, and not more than a second ago.
    func find(_ key: Key, since: UInt64, now: UInt64) -> Found? {
        let place = base + key.slot * LookTable.size
        let head = place.load(as: Head.self)
        guard head.pathCount > 0, head.inode == key.inode, head.device == key.device, head.changed == key.changed,
            head.made > since, now &- head.made < 1_000_000_000, Int(head.textCount) == key.text.count
        else { return nil }
        let text = place + MemoryLayout<Head>.stride
        if !key.text.isEmpty, memcmp(text, key.text.baseAddress!, key.text.count) != 0 { return nil }
        let path = UnsafeBufferPointer(
            start: (text + key.text.count).assumingMemoryBound(to: UInt8.self), count: Int(head.pathCount))
        let decision = head.hasRuling ? Decision(rawValue: head.decision) : nil
        return Found(path: path, ruling: decision.map { Ruling($0, by: RuleID(rawValue: head.rule)) })
    }

    func remember(_ key: Key, _ path: UnsafeRawBufferPointer, _ ruling: Ruling? = nil, at now: UInt64) {
        guard key.text.count + path.count <= LookTable.room, let from = path.baseAddress else { return }
        let place = base + key.slot * LookTable.size
        let text = place + MemoryLayout<Head>.stride
        if let given = key.text.baseAddress { memcpy(text, given, key.text.count) }
        memcpy(text + key.text.count, from, path.count)
        place.storeBytes(
            of: Head(
                device: key.device, inode: key.inode, changed: key.changed, made: now, textCount: UInt16(key.text.count),
                pathCount: UInt16(path.count), rule: ruling?.rule.rawValue ?? 0, decision: ruling?.decision.rawValue ?? 0,
                hasRuling: ruling != nil), as: Head.self)
    }
}
