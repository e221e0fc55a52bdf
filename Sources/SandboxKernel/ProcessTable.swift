internal import CShims
internal import Glibc
internal import Synchronization

/// Which tasks belong to the session. Written by the tracer alone, before a new task runs its first instruction;
/// read by every notifier without a lock. A value, because counting references to it would cost as much as the look: its memory
/// is the process's until its end.
package struct TaskTable: @unchecked Sendable {
    // @unchecked: `tasks` is only touched through atomics, and is never given back.

    /// What is known of one task; what is of its process, with the process's own number. One line of the cache: all of it is
    /// looked at for each call.
    private struct Task: ~Copyable {
        let serial = Atomic<UInt32>(0)
        let leader = Atomic<Int32>(0)
        /// By process: 0 where nobody else can change its memory, its folder or its descriptors while it waits for a call of
        /// its own. Else its other threads are counted, and `Company` says what more there is.
        let company = Atomic<UInt32>(0)
        /// One more than a pidfd of ours for the process; 0: none.
        let handle = Atomic<Int32>(0)
        /// The same for its `/proc/PID/maps`.
        let maps = Atomic<Int32>(0)
        /// 1: the task's last call was received and may wait in the kernel, or was ended by us for a signal's sake, so that
        /// the signal that interrupts it does so by right.
        let waiting = Atomic<UInt8>(0)
        /// By process: 1 where its credentials may differ from the supervisor's.
        let foreign = Atomic<UInt8>(0)
        /// By process: 1 while a stop of all its threads (SIGSTOP) is under way or lasts.
        let stopping = Atomic<UInt8>(0)
        let filler: (UInt8, UInt64) = (0, 0)
    }
    private let tasks: UnsafeMutablePointer<Task>
    /// One more than the greatest task id this kernel gives (`/proc/sys/kernel/pid_max`).
    private let limit: Int

    package init(pidMax: Int) {
        limit = max(pidMax, 1) + 1
        // Zero pages of the kernel's: what is never touched costs nothing.
        let size = limit * MemoryLayout<Task>.stride
        let p = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        precondition(p != MAP_FAILED, "mmap of the task table failed")
        tasks = p!.bindMemory(to: Task.self, capacity: limit)
    }

    private func task(_ tid: Int32) -> UnsafeMutablePointer<Task>? { tid > 0 && Int(tid) < limit ? tasks + Int(tid) : nil }

    /// The serial of the process that the task belongs to; 0: not of this session.
    package func serial(of tid: Int32) -> UInt32 {
        task(tid)?.pointee.serial.load(ordering: .acquiring) ?? 0
    }

    /// The process id (thread group) of a task; 0: not of this session.
    package func leader(of tid: Int32) -> Int32 {
        task(tid)?.pointee.leader.load(ordering: .acquiring) ?? 0
    }

    /// From now on the process's credentials are looked up for each of its calls, and those of all it starts.
    package func setForeign(_ pid: Int32, _ value: Bool = true) {
        guard let task = task(pid), task.pointee.foreign.load(ordering: .acquiring) != (value ? 1 : 0) else { return }
        task.pointee.foreign.store(value ? 1 : 0, ordering: .releasing)
    }

    func isForeign(_ pid: Int32) -> Bool {
        task(pid)?.pointee.foreign.load(ordering: .acquiring) != 0
    }

    /// A pidfd of the process, or -1. The tracer closes it, and its number may become another process's, once the
    /// process has ended: what was got through it counts if the caller's notice is still valid afterwards.
    func handle(of pid: Int32) -> Int32 {
        (task(pid)?.pointee.handle.load(ordering: .acquiring) ?? 0) - 1
    }

    /// Takes the pidfd over.
    func setHandle(_ pid: Int32, _ pidfd: Int32) {
        TaskTable.close(task(pid)?.pointee.handle.exchange(pidfd + 1, ordering: .acquiringAndReleasing))
    }

    /// A descriptor of ours for the process's `/proc/PID/maps`, or -1. What is true of the pidfd is true of it.
    func maps(of pid: Int32) -> Int32 {
        (task(pid)?.pointee.maps.load(ordering: .acquiring) ?? 0) - 1
    }

    /// Takes the descriptor over; -1 for none.
    func setMaps(_ pid: Int32, _ descriptor: Int32) {
        TaskTable.close(task(pid)?.pointee.maps.exchange(descriptor + 1, ordering: .acquiringAndReleasing))
    }

    private static func close(_ replaced: Int32?) {
        if let replaced, replaced > 0 { _ = sbx_close(replaced - 1) }
    }

    package func set(_ tid: Int32, serial: UInt32, leader: Int32) {
        guard let task = task(tid) else { return }
        task.pointee.leader.store(leader, ordering: .releasing)
        task.pointee.serial.store(serial, ordering: .releasing)
    }

    package func remove(_ tid: Int32) {
        set(tid, serial: 0, leader: 0)
        setHandle(tid, -1)
        setMaps(tid, -1)
        setForeign(tid, false)
        task(tid)?.pointee.company.store(0, ordering: .releasing)
        setWaiting(tid, false)
        setStopping(tid, false)
    }

    func setStopping(_ pid: Int32, _ value: Bool) { task(pid)?.pointee.stopping.store(value ? 1 : 0, ordering: .releasing) }

    func isStopping(_ pid: Int32) -> Bool { task(pid)?.pointee.stopping.load(ordering: .acquiring) == 1 }

    package func setWaiting(_ tid: Int32, _ value: Bool) {
        guard let task = task(tid), task.pointee.waiting.load(ordering: .acquiring) != (value ? 1 : 0) else { return }
        task.pointee.waiting.store(value ? 1 : 0, ordering: .releasing)
    }

    func isWaiting(_ tid: Int32) -> Bool {
        task(tid)?.pointee.waiting.load(ordering: .acquiring) == 1
    }
}

/// Who else can reach what a call of a process rests on. Written by the tracer before anybody concerned runs on, and by
/// notifiers while the process waits for their answer.
extension TaskTable {
    package enum Company {
        /// Another process has the same memory (clone(2), CLONE_VM), or the kernel may write there by itself (io_setup(2)).
        /// Over with the next program that is started.
        package static let memory: UInt32 = 1 << 30
        /// Another process has the same working directory or descriptors (CLONE_FS, CLONE_FILES). For good, and for all
        /// that it starts.
        package static let places: UInt32 = 1 << 31
    }

    /// Nobody else can change the caller's memory, working directory or descriptors before its call has come back.
    package func isAlone(_ caller: Caller) -> Bool { caller.tid == caller.pid && companyOf(caller.pid) == 0 }

    /// Another process may have the same memory or the same descriptors.
    package func mayShare(_ pid: Int32) -> Bool { companyOf(pid) & (Company.memory | Company.places) != 0 }

    func companyOf(_ pid: Int32) -> UInt32 {
        task(pid)?.pointee.company.load(ordering: .acquiring) ?? .max
    }

    package func addCompany(_ pid: Int32, _ kind: UInt32) {
        _ = task(pid)?.pointee.company.bitwiseOr(kind, ordering: .acquiringAndReleasing)
    }

    func addThread(of pid: Int32) {
        _ = task(pid)?.pointee.company.add(1, ordering: .acquiringAndReleasing)
    }

    func removeThread(of pid: Int32) {
        _ = task(pid)?.pointee.company.subtract(1, ordering: .acquiringAndReleasing)
    }

    /// A new program: memory of its own, and no other threads.
    func startedProgram(_ pid: Int32) {
        _ = task(pid)?.pointee.company.bitwiseAnd(Company.places, ordering: .acquiringAndReleasing)
        setMaps(pid, -1)
    }
}

/// Who makes a call.
package struct Caller: Sendable {
    package var tid: Int32
    package var pid: Int32
    package var serial: UInt32
    package init(tid: Int32, pid: Int32, serial: UInt32) {
        self.tid = tid
        self.pid = pid
        self.serial = serial
    }
}
