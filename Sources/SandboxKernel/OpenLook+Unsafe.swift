internal import CShims
internal import Glibc
package import SandboxDecode
package import SandboxModel

/// A look at what an open(2) for reading means, for calls that the kernel then carries out by itself. Nothing is pinned:
/// one stat(2) tells whether the name still leads where it led before, and its resolved path is remembered from then.
///
/// What is remembered counts as long as device, inode and change time are the same, the object has one name, and no
/// folder was moved meanwhile: a rename changes an object's change time, that of a folder above it does not.
/// One for each notifier.
package final class OpenLook {
    package enum Result {
        /// It fails in the kernel too, and nothing is opened.
        case nothing
        /// It takes more than a look: procfs, a device, a name not met before.
        case unclear
        /// `path`, `device` and `inode` tell what it is.
        case known
    }

    package var path: UnsafeBufferPointer<UInt8> { current.path }
    package private(set) var device: UInt64 = 0
    package private(set) var inode: UInt64 = 0
    /// What the one who asks has remembered about this path with `remember`; nil at the first time.
    package private(set) var ruling: Ruling?

    private let context: KernelContext
    private let given = PathBuffer()
    private let composed = PathBuffer()
    private let names = LookTable()
    private let folders = LookTable()
    private var current = LookTable.Found()
    private var st = stat()
    private var key = LookTable.Key()
    private var mustBeFolder = false
    /// `current` can be remembered under `key`.
    private var isNew = false

    package init(_ context: KernelContext) { self.context = context }

    /// Reading, and nothing that the kernel would read from the caller's memory but the name.
    package static func isFor(_ request: OpenRequest) -> Bool {
        let f = Int32(truncatingIfNeeded: request.flags)
        return request.how.isNull && f & (O_ACCMODE | O_CREAT | O_TRUNC | Flag.path) == O_RDONLY
    }

    package func look(_ request: OpenRequest, _ caller: Caller) throws(Errno) -> Result {
        isNew = false
        ruling = nil
        if context.mustLookUpIdentity(of: caller) { return .unclear }
        try TraceeMemory.readPath(caller.tid, request.path.address, into: given)
        let follow = Int32(truncatingIfNeeded: request.flags) & Flag.noFollow == 0
        mustBeFolder = Int32(truncatingIfNeeded: request.flags) & Flag.directory != 0
        if given.isAbsolute { return lookUp(At.workingDirectory, given, follow) }
        if given.isEmpty { return .nothing }
        switch request.path.base {
        case .workingDirectory:
            composed.setProcess(caller.tid, "/cwd/")
            return composed.append(given.bytes) && composed.count < 4096 ? lookUp(At.workingDirectory, composed, follow) : .unclear
        case .descriptor(let fd):
            let copy = sbx_pidfd_getfd(context.descriptors(of: caller), fd)
            guard copy >= 0 else { return .unclear }
            defer { _ = sbx_close(copy) }
            return isName(given) ? lookUpInFolder(copy) : lookUp(copy, given, follow)
        }
    }

    /// The text leads there as it did when it was met first.
    private func lookUp(_ base: Int32, _ path: PathBuffer, _ follow: Bool) -> Result {
        // What lies there means something else for the caller than for us.
        if given.hasPrefix("/proc") || given.hasPrefix("/dev/") { return .unclear }
        guard sbx_fstatat(base, path.base, &st, follow ? 0 : At.symlinkNoFollow) == 0, !isMisplaced else { return .nothing }
        guard isPlain else { return .unclear }
        key = LookTable.Key(text: given.bytes, &st)
        isNew = true
        guard let found = names.find(key, since: context.lastMove) else { return .unclear }
        return know(found)
    }

    /// A single name in a folder: where the folder is known, its path is, too.
    private func lookUpInFolder(_ folder: Int32) -> Result {
        var above = stat()
        guard sbx_fstat(folder, &above) == 0, above.st_mode & S_IFMT == S_IFDIR, UInt64(above.st_dev) != context.procDevice,
            sbx_fstatat(folder, given.base, &st, At.symlinkNoFollow) == 0, !isMisplaced
        else { return .nothing }
        guard isPlain else { return .unclear }
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        let place = LookTable.Key(text: none, &above)
        if let found = folders.find(place, since: context.lastMove) {
            composed.set(UnsafeRawBufferPointer(found.path))
        } else {
            composed.setDescriptor(folder)
            let n = sbx_readlinkat(At.workingDirectory, composed.base, composed.base, 4096)
            guard n > 0, n < 4096 else { return .unclear }
            composed.setCount(n)
            guard composed.isAbsolute, above.st_nlink > 0 else { return .unclear }
            folders.remember(place, composed.bytes, at: context.now())
        }
        if composed.count > 1 { composed.append("/") }
        composed.append(given.bytes)
        device = UInt64(st.st_dev)
        inode = UInt64(st.st_ino)
        current = LookTable.Found(path: composed.text, ruling: nil)
        return .known
    }

    private func know(_ found: LookTable.Found) -> Result {
        device = UInt64(st.st_dev)
        inode = UInt64(st.st_ino)
        current = found
        ruling = found.ruling
        isNew = false
        return .known
    }

    /// After a closer look at a call that was `unclear`: it was this object, by this path, and this was ruled.
    package func remember(_ subject: FileSubject, _ ruling: Ruling) {
        guard isNew, subject.access == .read, subject.device == UInt64(st.st_dev), subject.inode == UInt64(st.st_ino), !subject.isAnonymous else { return }
        isNew = false
        names.remember(key, subject.path.bytes, ruling, at: context.now())
    }

    /// A regular file with one name, or a folder.
    private var isPlain: Bool {
        guard UInt64(st.st_dev) != context.procDevice else { return false }
        let type = st.st_mode & S_IFMT
        return type == S_IFDIR || type == S_IFREG && st.st_nlink == 1
    }

    /// Neither a folder where one is asked for, nor a link that may lead to one.
    private var isMisplaced: Bool {
        let type = st.st_mode & S_IFMT
        return mustBeFolder && type != S_IFDIR && type != S_IFLNK
    }

    private func isName(_ path: PathBuffer) -> Bool {
        memchr(path.base, 0x2f, path.count) == nil && !path.equals(".") && !path.equals("..")
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

    /// What was remembered after `since`, nanoseconds since boot.
    func find(_ key: Key, since: UInt64) -> Found? {
        let place = base + key.slot * LookTable.size
        let head = place.load(as: Head.self)
        guard head.pathCount > 0, head.inode == key.inode, head.device == key.device, head.changed == key.changed,
            head.made > since, Int(head.textCount) == key.text.count
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
