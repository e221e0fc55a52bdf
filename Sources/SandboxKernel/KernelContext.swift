internal import CShims
package import SandboxDecode
internal import Glibc
internal import Synchronization

/// What every stage that touches the kernel shares.
package final class KernelContext: Sendable {
    package let tasks: TaskTable
    package let flights = Flights()
    package let tracer = TracerLink()
    package let gifts = InputGifts()
    /// Our own `/proc/self/fd`, to name a pinned object by a short path.
    let ownDescriptors: Int32
    /// The device number of procfs: what lies there means something else for the caller than for us.
    let procDevice: UInt64
    package let isRoot: Bool
    /// Our own ids, where real, effective and saved ones are the same.
    private let ownUser: UInt32?
    private let ownGroup: UInt32?

    package init(tasks: TaskTable) throws(Errno) {
        self.tasks = tasks
        // By openat2(2), because every name is looked up so: it is known now if a container refuses it.
        let flags = UInt64(Flag.path | Flag.directory | Flag.closeOnExec)
        ownDescriptors = try Errno.check(sbx_openat2(At.workingDirectory, "/proc/self/fd", flags, 0, 0))
        var st = stat()
        _ = try Errno.check(sbx_fstatat(At.workingDirectory, "/proc", &st, 0))
        procDevice = UInt64(st.st_dev)
        isRoot = geteuid() == 0
        var user: UInt32 = 0, group: UInt32 = 0
        ownUser = sbx_only_user(&user) == 1 ? user : nil
        ownGroup = sbx_only_group(&group) == 1 ? group : nil
    }

    package let terminals = OwnTerminals()
    /// System V objects that the session has made.
    package let objects = SystemVObjects()
    /// Unix sockets that the session has bound.
    package let sockets = OwnSockets()
    /// Programs that the session wrote.
    package let written = WrittenPrograms()

    /// Who makes the call that was just received.
    package func arrived(_ tid: Int32) -> Caller {
        tasks.setWaiting(tid, false)
        let pid = tasks.leader(of: tid)
        flights.land(pid)
        return Caller(tid: tid, pid: pid, serial: tasks.serial(of: tid))
    }

    /// When a folder was last moved, or may have been, and for a moment after: the move itself comes after its note.
    private let movedUntil = Atomic<UInt64>(0)
    package func noteMove() { movedUntil.store(now() &+ 50_000_000, ordering: .releasing) }

    /// Performs what can make a name mean something else, one at a time, while no call is under way that was let go on by
    /// what its name meant before. `EBUSY`: one of those does not end.
    package func redirect(_ change: () -> Int32) -> Int32 {
        defer { movedUntil.store(now(), ordering: .releasing) }
        return flights.grounded(tracer, change) ?? -EBUSY
    }

    var lastMove: UInt64 { movedUntil.load(ordering: .acquiring) }

    /// The same some milliseconds ago: the clock of the last tick costs next to nothing.
    func recently() -> UInt64 {
        var t = timespec()
        clock_gettime(CLOCK_MONOTONIC_COARSE, &t)
        return UInt64(t.tv_sec) &* 1_000_000_000 &+ UInt64(t.tv_nsec)
    }

    /// Nanoseconds since boot.
    func now() -> UInt64 {
        var t = timespec()
        clock_gettime(CLOCK_MONOTONIC, &t)
        return UInt64(t.tv_sec) &* 1_000_000_000 &+ UInt64(t.tv_nsec)
    }

    /// Set once a thread may have descriptors of its own.
    private let descriptorsVary = Atomic<Bool>(false)
    package func noteSeparateDescriptors() { descriptorsVary.store(true, ordering: .sequentiallyConsistent) }

    package var haveSeparateDescriptors: Bool { descriptorsVary.load(ordering: .sequentiallyConsistent) }

    /// A pidfd that leads to the caller's descriptors, kept for the life of its process; -1 where there is none.
    func descriptors(of caller: Caller) -> Int32 {
        descriptorsVary.load(ordering: .sequentiallyConsistent) ? -1 : tasks.handle(of: caller.pid)
    }

    /// To be called before the change happens. One that asks for what everybody has already changes nothing: shells and
    /// make(1) do that all the time.
    package func noteIdentityChange(_ change: IdentityChange, by caller: Caller) {
        switch change {
        case .users(let ids) where !tasks.isForeign(caller.pid) && isOwn(ids, ownUser): break
        case .groups(let ids) where !tasks.isForeign(caller.pid) && isOwn(ids, ownGroup): break
        default: tasks.setForeign(caller.pid)
        }
    }

    private func isOwn(_ ids: InlineArray<3, UInt32>, _ own: UInt32?) -> Bool {
        guard let own else { return false }
        for i in 0..<3 where ids[i] != own && ids[i] != .max { return false }
        return true
    }

    /// A supervised process may have other credentials than we have.
    func mustLookUpIdentity(of caller: Caller) -> Bool { isRoot && tasks.isForeign(caller.pid) }
}
