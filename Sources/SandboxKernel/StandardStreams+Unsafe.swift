internal import CShims
internal import Glibc
package import SandboxModel
internal import Synchronization

/// What a program finds at its standard streams when it begins: nothing else shows which pipes join the programs of a
/// pipeline, and where a shell has sent the output of what it starts. To be asked at the exec event, while the process stands
/// still.
package final class StandardStreams {
    package struct Stream {
        package var device, inode: UInt64
        package var access: FileAccess
        package var name: [UInt8]
    }

    private let context: KernelContext
    private let closer = Closer()
    private var found: [Stream] = []
    private let link = PathBuffer()
    private let name = PathBuffer()

    package init(_ context: KernelContext) { self.context = context }

    /// Files, pipes and sockets, each once. Terminals and other devices carry nothing from one program to another.
    package func read(_ caller: Caller) -> [Stream] {
        found = []
        for place: Int32 in 0...2 {
            if closer.isFree { take(place, caller) } else { look(place, caller) }
        }
        return found
    }

    /// By a duplicate of its own: a fifth of what it takes to go by its name in procfs.
    private func take(_ place: Int32, _ caller: Caller) {
        let fd = sbx_pidfd_getfd(context.tasks.handle(of: caller.pid), place)
        if fd == -EBADF { return }
        if fd < 0 { return look(place, caller) }
        var st = stat()
        let isKnown = sbx_fstatat(fd, "", &st, At.emptyPath | At.asKnown) == 0
        defer { closer.close(fd, st) }
        guard isKnown, carries(st) else { return }
        let flags = sbx_getfl(fd)
        link.setDescriptor(fd)
        add(st, flags & Flag.path != 0 ? [] : FileAccess(openFlags: flags & O_ACCMODE))
    }

    private func look(_ place: Int32, _ caller: Caller) {
        link.setProcess(caller.tid, "/fd/")
        link.append(decimal: place)
        var st = stat(), own = stat()
        guard sbx_fstatat(At.workingDirectory, link.base, &st, At.asKnown) == 0, carries(st),
            sbx_fstatat(At.workingDirectory, link.base, &own, At.symlinkNoFollow) == 0
        else { return }
        // The link's own permissions are those of the descriptor (proc(5), `/proc/PID/fd`).
        add(st, (own.st_mode & S_IRUSR != 0 ? FileAccess.read : []).union(own.st_mode & S_IWUSR != 0 ? .write : []))
    }

    /// By `link`, which leads there.
    private func add(_ st: stat, _ access: FileAccess) {
        if let same = found.firstIndex(where: { $0.device == UInt64(st.st_dev) && $0.inode == UInt64(st.st_ino) }) {
            return found[same].access.formUnion(access)
        }
        let n = sbx_readlinkat(At.workingDirectory, link.base, name.base, 4096)
        guard n > 0, n < 4096 else { return }
        name.setCount(n)
        found.append(Stream(device: UInt64(st.st_dev), inode: UInt64(st.st_ino), access: access, name: Array(name.bytes)))
    }

    private func carries(_ st: stat) -> Bool { [S_IFREG, S_IFIFO, S_IFSOCK].contains(st.st_mode & S_IFMT) }
}

/// Closes duplicates of what tracees have open. To close a file may mean to wait for its server (FUSE, NFS: close(2) writes back), to
/// close a connection for its peer (SO_LINGER, socket(7)), and the tracer must wait for nobody: what may is closed by a thread beside.
private final class Closer: Sendable {
    /// Devices of which it is known that nobody waits for them.
    private let disks = Mutex<Set<UInt64>>([])
    private let waiting = Atomic<Int>(0)
    /// So many are waited for: then somebody does not answer.
    private static let most = 8
    private let jobs: (takes: Int32, gives: Int32)

    init() {
        var ends: [Int32] = [-1, -1]
        _ = sbx_pipe(&ends)
        jobs = (ends[0], ends[1])
    }

    private let isThere = Atomic<Bool>(false)
    var isFree: Bool { jobs.gives >= 0 && waiting.load(ordering: .acquiring) < Closer.most }

    func close(_ fd: Int32, _ st: stat) {
        var job = fd
        if isQuick(fd, st) || !start() || sbx_write(jobs.gives, &job, MemoryLayout.size(ofValue: job)) < 0 {
            _ = sbx_close(fd)
        } else {
            waiting.add(1, ordering: .acquiringAndReleasing)
        }
    }

    private func isQuick(_ fd: Int32, _ st: stat) -> Bool {
        switch st.st_mode & S_IFMT {
        case S_IFIFO, S_IFCHR: true
        case S_IFSOCK: sbx_getsockopt_int(fd, SOL_SOCKET, SO_DOMAIN) == AF_UNIX
        default: disks.withLock { $0.contains(UInt64(st.st_dev)) }
        }
    }

    private func start() -> Bool {
        if isThere.load(ordering: .relaxed) { return true }
        let isStarted = WorkerThread.start("sbx-close") { self.run() } == 0
        isThere.store(isStarted, ordering: .relaxed)
        return isStarted
    }

    private func run() {
        var job: Int32 = 0
        while true {
            let n = sbx_read(jobs.takes, &job, MemoryLayout.size(ofValue: job))
            if n == -Int(EINTR) { continue }
            guard n == MemoryLayout.size(ofValue: job) else { return }
            var st = stat()
            if sbx_fstat(job, &st) == 0, sbx_lies_on_disk(job, st.st_dev) == 1 {
                disks.withLock { _ = $0.insert(UInt64(st.st_dev)) }
            }
            _ = sbx_close(job)
            waiting.subtract(1, ordering: .acquiringAndReleasing)
        }
    }
}
