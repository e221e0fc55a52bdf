internal import CShims
internal import Glibc
internal import Synchronization

/// What every stage that touches the kernel shares.
package final class KernelContext: Sendable {
    package let tasks: TaskTable
    /// Our own `/proc/self/fd`, to name a pinned object by a short path.
    let ownDescriptors: Int32
    /// The device number of procfs: what lies there means something else for the caller than for us.
    let procDevice: UInt64
    package let isRoot: Bool
    /// Set once a supervised process may have other credentials than we have; from then on they are looked up.
    private let identitiesVary = Atomic<Bool>(false)

    package init(tasks: TaskTable) throws(Errno) {
        self.tasks = tasks
        ownDescriptors = try Errno.check(sbx_openat(At.workingDirectory, "/proc/self/fd", Flag.path | Flag.directory | Flag.closeOnExec, 0))
        var st = stat()
        _ = try Errno.check(sbx_fstatat(At.workingDirectory, "/proc", &st, 0))
        procDevice = UInt64(st.st_dev)
        isRoot = geteuid() == 0
    }

    /// Pseudo-terminals that are the session's: what it was started on, and what it makes.
    private let terminals = Mutex<Set<UInt64>>([])

    package func isOwnTerminal(_ device: UInt64) -> Bool { terminals.withLock { $0.contains(device) } }
    func noteTerminal(_ device: UInt64) { terminals.withLock { _ = $0.insert(device) } }

    /// The terminals behind our standard streams, which the session inherits, and the one that controls us.
    package func noteInheritedTerminals() {
        for fd: Int32 in 0...2 {
            var st = stat()
            if sbx_fstat(fd, &st) == 0, st.st_mode & S_IFMT == S_IFCHR { noteTerminal(UInt64(st.st_rdev)) }
        }
        do throws(Errno) { noteTerminal(try ProcStat.terminal(of: getpid())) } catch {}
    }

    /// When a folder was last moved, or may have been, and for a moment after: the move itself comes after its note.
    private let movedUntil = Atomic<UInt64>(0)
    package func noteMove() { movedUntil.store(now() &+ 50_000_000, ordering: .releasing) }
    var lastMove: UInt64 { movedUntil.load(ordering: .acquiring) }

    /// Nanoseconds since boot.
    func now() -> UInt64 {
        var t = timespec()
        clock_gettime(CLOCK_MONOTONIC, &t)
        return UInt64(t.tv_sec) &* 1_000_000_000 &+ UInt64(t.tv_nsec)
    }

    /// Set once a thread may have descriptors of its own.
    private let descriptorsVary = Atomic<Bool>(false)
    package func noteSeparateDescriptors() { descriptorsVary.store(true, ordering: .sequentiallyConsistent) }

    /// A pidfd that leads to the caller's descriptors, kept for the life of its process; -1 where there is none.
    func descriptors(of caller: Caller) -> Int32 {
        descriptorsVary.load(ordering: .sequentiallyConsistent) ? -1 : tasks.handle(of: caller.pid)
    }

    package func noteIdentityChange() { identitiesVary.store(true, ordering: .sequentiallyConsistent) }
    var mustLookUpIdentity: Bool { isRoot && identitiesVary.load(ordering: .sequentiallyConsistent) }
}
