internal import CShims
internal import Glibc
internal import SandboxFiles
internal import SandboxModel

/// A descriptor or a shared mapping of a process, by what is behind it.
package struct Holding: Sendable {
    package enum Kind: Sendable {
        case file, folder, pipe, socket, memory
        /// An event counter, by its number (`eventfd-id` in `/proc/PID/fdinfo/N`).
        case counter
        /// Waits and timers, epoll(7) and timerfd_create(2): what is registered can be read by whoever has the same one. They have no
        /// number.
        case settings
        /// Of a pseudo-terminal, whose number is the inode: the side that programs have as their terminal, and the other.
        case terminal, master
    }
    package let kind: Kind
    package let reads: Bool
    package let writes: Bool
    package let device: UInt64
    package let inode: UInt64
    /// A negative one is a mapping.
    package let descriptor: Int32
    /// Whose descriptor it is: see `all(of:mappings:threads:)`.
    package let task: Int32
    package var isSharedMapping: Bool { descriptor == Int32(SBX_HELD_SHARED) }

    fileprivate init?(_ h: sbx_held, _ task: Int32) {
        reads = h.access & Int32(SBX_HELD_READS) != 0
        writes = h.access & Int32(SBX_HELD_WRITES) != 0
        self.task = task
        descriptor = h.fd
        device = h.device
        var number = h.inode
        switch mode_t(h.mode) & S_IFMT {
        case S_IFREG: kind = h.device == Holding.memoryDevice ? .memory : .file
        case S_IFDIR: kind = .folder
        case S_IFIFO: kind = .pipe
        case S_IFSOCK: kind = .socket
        case S_IFCHR where (136...143).contains(h.special >> 8 & 0xfff):  // unix98 slaves, devices.txt
            kind = .terminal
            number = h.special
        case S_IFCHR where h.special == 0x502:
            guard let slave = Holding.slave(ofMaster: h.fd, task) else { return nil }
            kind = .master
            number = slave
        default: return nil
        }
        inode = number
    }

    private init(_ kind: Kind, of h: sbx_held, _ task: Int32, device: UInt64 = 0, inode: UInt64, writes: Bool) {
        (self.kind, self.device, self.inode, self.writes) = (kind, device, inode, writes)
        (reads, descriptor, self.task) = (true, h.fd, task)
    }

    /// Descriptors that lead to no file: an event counter, eventfd(2), passes eight bytes at a time; inotify(7) tells the names that
    /// are made in the folders that it watches.
    private static func nameless(_ h: sbx_held, _ task: Int32) -> [Holding] {
        let target = name(of: task, h.fd)
        if ["anon_inode:[eventpoll]", "anon_inode:[timerfd]"].contains(where: { target.elementsEqual($0.utf8) }) {
            return [Holding(.settings, of: h, task, inode: 0, writes: true)]
        }
        return lines(ofDescriptor: h.fd, task).flatMap { line -> [Holding] in
            let words = line.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
            func number(_ key: String, radix: Int) -> UInt64? {
                words.first { $0.hasPrefix(key) }.flatMap { UInt64($0.dropFirst(key.count), radix: radix) }
            }
            if words.first == "eventfd-id:", words.count == 2, let id = UInt64(words[1]) {
                return [Holding(.counter, of: h, task, inode: id, writes: true)]
            }
            guard words.first == "inotify", let inode = number("ino:", radix: 16), let device = number("sdev:", radix: 16) else {
                return []
            }
            // The kernel's own form of a device number: twelve bits, twenty bits.
            return [
                Holding(
                    .folder, of: h, task, device: sbx_device(UInt32(device >> 20), UInt32(device & 0xfffff)), inode: inode, writes: false)
            ]
        }
    }

    /// Of a descriptor of ours.
    static func own(_ descriptor: Int32) -> [Holding] {
        var st = stat()
        guard sbx_fstat(descriptor, &st) == 0 else { return [] }
        let how = sbx_getfl(descriptor) & O_ACCMODE
        let access = (how != O_WRONLY ? SBX_HELD_READS : 0) | (how != O_RDONLY ? SBX_HELD_WRITES : 0)
        let held = sbx_held(
            access: Int32(access), mode: UInt32(st.st_mode), fd: descriptor, device: UInt64(st.st_dev), inode: UInt64(st.st_ino),
            special: UInt64(st.st_rdev))
        return all(held, getpid())
    }

    private static func all(_ h: sbx_held, _ task: Int32) -> [Holding] {
        mode_t(h.mode) & S_IFMT == 0 ? nameless(h, task) : Holding(h, task).map { [$0] } ?? []
    }

    /// The kernel's own file system for memory: memfd_create(2), shared mappings without a file.
    private static let memoryDevice: UInt64 = {
        let fd = sbx_memory_file()
        defer { if fd >= 0 { _ = sbx_close(fd) } }
        var st = stat()
        return fd >= 0 && sbx_fstat(fd, &st) == 0 ? UInt64(st.st_dev) : .max
    }()

    /// `tty-index` of a `/dev/ptmx` (fs/devpts): the device number of its slave.
    private static func slave(ofMaster fd: Int32, _ task: Int32) -> UInt64? {
        for line in lines(ofDescriptor: fd, task) where line.starts(with: "tty-index:".utf8) {
            let digits = line.drop { !(0x30...0x39).contains($0) }
            guard let index = UInt64(String(decoding: digits, as: UTF8.self)) else { return nil }
            // makedev(3): 136 + index / 256, index % 256, as the kernel's large numbers go
            return UInt64(136) << 8 | index & 0xff | (index & ~0xff) << 12
        }
        return nil
    }

    /// `/proc/PID/fdinfo/N`, proc_pid_fdinfo(5).
    private static func lines(ofDescriptor fd: Int32, _ task: Int32) -> [[UInt8]] {
        let path = PathBuffer()
        path.setProcess(task, "/fdinfo/")
        path.append(decimal: fd)
        let file = sbx_openat(At.workingDirectory, path.base, O_RDONLY | Flag.closeOnExec, 0)
        guard file >= 0 else { return [] }
        defer { _ = sbx_close(file) }
        var all: [UInt8] = []
        while all.count < 1 << 20 {
            let n = sbx_read(file, path.base, 4096)
            guard n > 0 else { break }
            path.setCount(n)
            all += path.text
        }
        return all.split(separator: 0x0a).map { Array($0.map { $0 == 0x09 ? 0x20 : $0 }) }
    }

    /// What a process holds, and the task by which `/proc` shows it.
    package struct All {
        package var holdings: [Holding] = []
        package var task: Int32
    }

    /// With `mappings` also the memory that the process shares. Nothing of one that has ended. A thread that has ended shows nothing of
    /// what the others still hold, and an ordinary account may not even look (EACCES): where it is the first, another one is looked at.
    package static func all(of pid: Int32, mappings: Bool, threads: Bool) throws(Errno) -> All {
        var task = pid
        for _ in 0..<Holding.mostEnds {
            let found: Result<[Holding], Errno>
            do throws(Errno) {
                found = .success(try all(of: pid, by: task, mappings: mappings, threads: threads))
            } catch {
                found = .failure(error)
            }
            if !ProcessState.isEnding(task) { return All(holdings: try found.get(), task: task) }
            guard let next = try ProcessState.lastingTask(of: pid) else { return All(task: pid) }
            task = next
        }
        throw Errno(EAGAIN)
    }

    /// How many threads may end while they are looked at.
    private static let mostEnds = 100

    private static func all(of pid: Int32, by task: Int32, mappings: Bool, threads: Bool) throws(Errno) -> [Holding] {
        var list = sbx_held_list()
        defer { free(list.items) }
        let path = PathBuffer()
        var found: [Holding] = []
        // Who is in the list may have started another before it was looked at.
        var looked: Set<Int32> = [], rounds = 0
        while true {
            let new = (threads ? try ProcessList.tasks(of: pid) : [task]).filter { looked.insert($0).inserted }
            if new.isEmpty { break }
            for task in new {
                path.setProcess(task, "/fd")
                list.count = 0
                try check(sbx_held_descriptors(path.base, &list), task)
                found += (0..<list.count).flatMap { all(list.items[$0], task) }
            }
            rounds += 1
            if rounds == Holding.mostEnds { throw Errno(EAGAIN) }
        }
        guard mappings else { return found }
        list.count = 0
        try check(sbx_held_mappings(task, &list), task)
        return found + (0..<list.count).flatMap { all(list.items[$0], task) }
    }

    private static func check(_ result: Int32, _ task: Int32) throws(Errno) {
        if result < 0, !ProcessState.isEnding(task) { throw Errno(-result) }
    }

    /// Tasks of two processes with the same memory or the same descriptors (clone(2), CLONE_VM, CLONE_FILES): whatever one has the
    /// other has. Where the kernel does not tell (no kcmp(2)) they count as one.
    package static func areJoined(_ a: Int32, _ b: Int32) -> Bool {
        let result = sbx_share(a, b)
        return result == 1 || result != 0 && result != -ESRCH
    }

    /// Whether two descriptors are one and the same, opened once. Where the kernel does not tell they are; not those of who has ended.
    package static func areSame(_ a: Holding, _ b: Holding) -> Bool {
        let result = sbx_same_file(a.task, a.descriptor, b.task, b.descriptor)
        return result == 1 || result != 0 && result != -ESRCH
    }

    /// Where a descriptor of a task leads to, for people.
    package static func name(of task: Int32, _ descriptor: Int32) -> [UInt8] {
        let path = PathBuffer(), target = PathBuffer()
        path.setProcess(task, "/fd/")
        path.append(decimal: descriptor)
        let n = sbx_readlinkat(At.workingDirectory, path.base, target.base, 4096)
        guard n > 0 else { return [] }
        target.setCount(n)
        return Array(target.text)
    }
}
