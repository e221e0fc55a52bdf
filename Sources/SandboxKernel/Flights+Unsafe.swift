internal import CShims
internal import Glibc
internal import SandboxDecode
internal import Synchronization

/// Opens that were let go on after a look, and changes of names that could lead them elsewhere: never at the same time.
///
/// A call that was let go on is looked up by the kernel a moment later, and nobody says when that is done. So its process
/// is noted here (it flies) until it is met again. A change that can make a name mean something else (a link that is made,
/// a link or a folder that is moved) waits until nobody flies, and nobody takes off meanwhile.
package final class Flights: @unchecked Sendable {
    // @unchecked: `places` is only touched through atomics, and lives as long as we do.

    /// The process ids of those that fly, each at its own number modulo `count`.
    private let places: UnsafeMutablePointer<Atomic<Int32>>
    private static let count = 1024
    /// Changes that were begun, and those that are over.
    private let begun = Atomic<UInt64>(0)
    private let over = Atomic<UInt64>(0)
    private let isClosed = Atomic<Bool>(false)

    init() {
        places = .allocate(capacity: Flights.count)
        for i in 0..<Flights.count { (places + i).initialize(to: Atomic(0)) }
    }
    deinit { places.deallocate() }

    /// From now on nobody takes off.
    package func close() { isClosed.store(true, ordering: .sequentiallyConsistent) }

    /// To be asked before the look; nil while names are being changed.
    package func mark() -> UInt64? {
        let n = over.load(ordering: .sequentiallyConsistent)
        return n == begun.load(ordering: .sequentiallyConsistent) && !isClosed.load(ordering: .relaxed) ? n : nil
    }

    /// After the look: false where names have changed since the mark, or where another process has the place.
    package func takeOff(_ pid: Int32, since mark: UInt64) -> Bool {
        let place = places + place(of: pid)
        let other = place.pointee.load(ordering: .relaxed)
        guard other == 0 || other == pid else { return false }
        guard place.pointee.compareExchange(expected: other, desired: pid, ordering: .sequentiallyConsistent).exchanged else {
            return false
        }
        // Either we see the change that has begun, or the one who begins it sees us.
        if begun.load(ordering: .sequentiallyConsistent) == mark, !isClosed.load(ordering: .sequentiallyConsistent) { return true }
        land(pid)
        return false
    }

    /// The process makes another call, has stopped or has ended: what it was doing is done.
    package func land(_ pid: Int32) {
        let place = places + place(of: pid)
        if place.pointee.load(ordering: .relaxed) == pid {
            _ = place.pointee.compareExchange(expected: pid, desired: 0, ordering: .sequentiallyConsistent)
        }
    }

    package var areAbsent: Bool {
        for i in 0..<Flights.count where (places + i).pointee.load(ordering: .sequentiallyConsistent) != 0 { return false }
        return true
    }

    private func place(of pid: Int32) -> Int { Int(pid & Int32(Flights.count - 1)) }

    // MARK: Changes of names

    /// Performs `change` while nobody flies. One change at a time: the caller sees to that. Nil, and nothing is done,
    /// where somebody does not land in a second: a file system that does not answer.
    package func grounded(_ tracer: TracerLink, _ change: () -> Int32) -> Int32? {
        begun.add(1, ordering: .sequentiallyConsistent)
        defer { over.add(1, ordering: .sequentiallyConsistent) }
        for i in 0..<Flights.count where (places + i).pointee.load(ordering: .sequentiallyConsistent) != 0 {
            if !waited(for: places + i, tracer) { return nil }
        }
        return change()
    }

    private func waited(for place: UnsafeMutablePointer<Atomic<Int32>>, _ tracer: TracerLink) -> Bool {
        for round in 0..<5_000 {
            let pid = place.pointee.load(ordering: .sequentiallyConsistent)
            if pid == 0 { return true }
            switch Flights.whereabouts(of: pid) {
            case .elsewhere: land(pid)
            case .running where round < 8: sched_yield()
            // It may compute for an hour before it makes a call again: it is stopped for a moment on its way.
            case .running:
                if round % 64 == 8 { tracer.interrupt(pid) }
                usleep(200)
            // It may have come back long since and be at its next open, which nobody receives where all who could wait here: a
            // stop takes it out of that call, and it makes it again.
            case .opening:
                if round % 16 == 1 { tracer.interrupt(pid) }
                usleep(200)
            }
        }
        return false
    }

    private enum Whereabouts { case opening, elsewhere, running }

    /// `/proc/PID/syscall` (proc(5)): the number of the call that it sleeps in, `running`, or nothing of a process that
    /// has ended. -1: it sleeps outside of any call.
    private static func whereabouts(of pid: Int32) -> Whereabouts {
        let path = PathBuffer()
        path.setProcess(pid, "/syscall")
        let fd = sbx_openat(At.workingDirectory, path.base, O_RDONLY | Flag.closeOnExec, 0)
        guard fd >= 0 else { return fd == -ENOENT ? .elsewhere : .running }
        defer { _ = sbx_close(fd) }
        let n = sbx_read(fd, path.base, 64)
        if n == -Int(ESRCH) { return .elsewhere }
        guard n > 0, path.base[0] != 0x72 /* r */ else { return .running }
        path.setCount(n)
        switch Trapped(number: Int32(truncatingIfNeeded: atol(path.base))) {
        case .open, .openat: return .opening
        default: return .elsewhere
        }
    }
}

/// The one thread that may make ptrace(2) requests, as others reach it.
package final class TracerLink: Sendable {
    private let thread = Atomic<Int32>(0)
    private let asked = Mutex<[Int32]>([])
    /// Program starts that were held and may be decided now.
    private let decided = Mutex<[Int32]>([])
    private let isAsked = Atomic<Bool>(false)
    /// By the tracer, before it sleeps.
    var isWanted: Bool { isAsked.load(ordering: .acquiring) }

    /// By the tracer, before it waits: from now on it can be interrupted.
    func attach() {
        WorkerThread.acceptInterruptions()
        thread.store(sbx_gettid(), ordering: .releasing)
    }

    /// Asks for PTRACE_INTERRUPT. It may be lost on the way: who waits for it asks again.
    func interrupt(_ pid: Int32) {
        asked.withLock { if $0.count < 1024 { $0.append(pid) } }
        _ = sbx_tgkill(getpid(), thread.load(ordering: .acquiring), SIGUSR2)
    }

    /// A program start that is held may be decided. By any thread, and never waits: a signal that comes just before the tracer sleeps
    /// wakes nobody, so that somebody has to `nudge` it now and then.
    package func decide(_ pid: Int32) {
        decided.withLock { $0.append(pid) }
        isAsked.store(true, ordering: .releasing)
        nudge()
    }

    package func nudge() {
        let tracer = thread.load(ordering: .acquiring)
        if tracer != 0, isAsked.load(ordering: .acquiring) { _ = sbx_tgkill(getpid(), tracer, SIGUSR2) }
    }

    /// By the tracer, when nobody is left to trace.
    func detach() { thread.store(0, ordering: .releasing) }

    /// By the tracer: what it was asked for. Returns the processes whose program start may be decided.
    func serve() -> [Int32] {
        isAsked.store(false, ordering: .sequentiallyConsistent)
        for pid in TracerLink.take(asked) { _ = sbx_ptrace_interrupt(pid) }
        return TracerLink.take(decided)
    }

    private static func take(_ list: borrowing Mutex<[Int32]>) -> [Int32] {
        list.withLock { list in
            defer { list = [] }
            return list
        }
    }
}
