internal import CShims
internal import Glibc
internal import Synchronization

/// Which tasks belong to the session. Written by the tracer alone, before a new task runs its first instruction;
/// read by every notifier without a lock.
package final class TaskTable: @unchecked Sendable {
    // @unchecked: `serials`, `leaders`, `waiting` and the rest are only touched through atomics, and live as long as the table.
    private let serials: UnsafeMutablePointer<Atomic<UInt32>>
    private let leaders: UnsafeMutablePointer<Atomic<Int32>>
    /// 1: the task's last call was received and may wait in the kernel, or was ended by us for a signal's sake, so that
    /// the signal that interrupts it does so by right.
    private let waiting: UnsafeMutablePointer<Atomic<UInt8>>
    /// By process: 1 where its credentials may differ from the supervisor's.
    private let foreign: UnsafeMutablePointer<Atomic<UInt8>>
    /// One more than a pidfd of ours for the process; 0: none.
    private let handles: UnsafeMutablePointer<Atomic<Int32>>
    /// The same for its `/proc/PID/maps`.
    private let maps: UnsafeMutablePointer<Atomic<Int32>>
    /// By process: 0 where nobody else can change its memory, its folder or its descriptors while it waits for a call of
    /// its own. Else its other threads are counted, and `Company` says what more there is.
    private let company: UnsafeMutablePointer<Atomic<UInt32>>
    /// One more than the greatest task id this kernel gives (`/proc/sys/kernel/pid_max`).
    private let limit: Int

    package init(pidMax: Int) {
        limit = max(pidMax, 1) + 1
        // Zero pages of the kernel's: what is never touched costs nothing.
        serials = TaskTable.map(limit)
        leaders = TaskTable.map(limit)
        waiting = TaskTable.map(limit)
        handles = TaskTable.map(limit)
        maps = TaskTable.map(limit)
        company = TaskTable.map(limit)
        foreign = TaskTable.map(limit)
    }

    private static func map<T: ~Copyable>(_ n: Int) -> UnsafeMutablePointer<T> {
        let size = n * MemoryLayout<T>.stride
        let p = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        precondition(p != MAP_FAILED, "mmap of the task table failed")
        return p!.bindMemory(to: T.self, capacity: n)
    }

    /// The serial of the process that the task belongs to; 0: not of this session.
    package func serial(of tid: Int32) -> UInt32 {
        tid > 0 && Int(tid) < limit ? serials[Int(tid)].load(ordering: .acquiring) : 0
    }

    /// The process id (thread group) of a task; 0: not of this session.
    package func leader(of tid: Int32) -> Int32 {
        tid > 0 && Int(tid) < limit ? leaders[Int(tid)].load(ordering: .acquiring) : 0
    }

    /// From now on the process's credentials are looked up for each of its calls, and those of all it starts.
    package func setForeign(_ pid: Int32, _ value: Bool = true) {
        guard pid > 0, Int(pid) < limit else { return }
        let cell = foreign + Int(pid)
        if cell.pointee.load(ordering: .acquiring) != (value ? 1 : 0) { cell.pointee.store(value ? 1 : 0, ordering: .releasing) }
    }

    func isForeign(_ pid: Int32) -> Bool {
        pid <= 0 || Int(pid) >= limit || foreign[Int(pid)].load(ordering: .acquiring) == 1
    }

    /// A pidfd of the process, or -1. The tracer closes it, and its number may become another process's, once the
    /// process has ended: what was got through it counts if the caller's notice is still valid afterwards.
    func handle(of pid: Int32) -> Int32 {
        pid > 0 && Int(pid) < limit ? handles[Int(pid)].load(ordering: .acquiring) - 1 : -1
    }

    /// Takes the pidfd over.
    func setHandle(_ pid: Int32, _ pidfd: Int32) { replace(handles, pid, pidfd) }

    /// A descriptor of ours for the process's `/proc/PID/maps`, or -1. What is true of the pidfd is true of it.
    func maps(of pid: Int32) -> Int32 {
        pid > 0 && Int(pid) < limit ? maps[Int(pid)].load(ordering: .acquiring) - 1 : -1
    }

    /// Takes the descriptor over; -1 for none.
    func setMaps(_ pid: Int32, _ descriptor: Int32) { replace(maps, pid, descriptor) }

    private func replace(_ table: UnsafeMutablePointer<Atomic<Int32>>, _ pid: Int32, _ descriptor: Int32) {
        guard pid > 0, Int(pid) < limit else { return }
        let old = table[Int(pid)].exchange(descriptor + 1, ordering: .acquiringAndReleasing)
        if old > 0 { _ = sbx_close(old - 1) }
    }

    package func set(_ tid: Int32, serial: UInt32, leader: Int32) {
        guard tid > 0, Int(tid) < limit else { return }
        leaders[Int(tid)].store(leader, ordering: .releasing)
        serials[Int(tid)].store(serial, ordering: .releasing)
    }

    package func remove(_ tid: Int32) {
        set(tid, serial: 0, leader: 0)
        setHandle(tid, -1)
        setMaps(tid, -1)
        setForeign(tid, false)
        if tid > 0, Int(tid) < limit { company[Int(tid)].store(0, ordering: .releasing) }
        setWaiting(tid, false)
    }

    package func setWaiting(_ tid: Int32, _ value: Bool) {
        guard tid > 0, Int(tid) < limit else { return }
        let cell = waiting + Int(tid)
        if cell.pointee.load(ordering: .acquiring) != (value ? 1 : 0) { cell.pointee.store(value ? 1 : 0, ordering: .releasing) }
    }

    func isWaiting(_ tid: Int32) -> Bool {
        tid > 0 && Int(tid) < limit && waiting[Int(tid)].load(ordering: .acquiring) == 1
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
        pid > 0 && Int(pid) < limit ? company[Int(pid)].load(ordering: .acquiring) : .max
    }

    package func addCompany(_ pid: Int32, _ kind: UInt32) {
        guard pid > 0, Int(pid) < limit else { return }
        company[Int(pid)].bitwiseOr(kind, ordering: .acquiringAndReleasing)
    }

    func addThread(of pid: Int32) {
        guard pid > 0, Int(pid) < limit else { return }
        company[Int(pid)].add(1, ordering: .acquiringAndReleasing)
    }

    func removeThread(of pid: Int32) {
        guard pid > 0, Int(pid) < limit else { return }
        company[Int(pid)].subtract(1, ordering: .acquiringAndReleasing)
    }

    /// A new program: memory of its own, and no other threads.
    func startedProgram(_ pid: Int32) {
        guard pid > 0, Int(pid) < limit else { return }
        company[Int(pid)].bitwiseAnd(Company.places, ordering: .acquiringAndReleasing)
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
