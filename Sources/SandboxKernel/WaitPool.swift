internal import CShims
internal import Glibc
internal import Synchronization

/// Carries out the calls that may have to wait for somebody else (a blocking connect, a FIFO without a writer), so
/// that no notifier ever does.
///
/// A caller whose notification was received waits in a state that only a fatal signal ends
/// (`SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV`): that is what keeps a call from being done twice. So a signal for a
/// waiting caller is looked for here, and the wait ended as the kernel would have ended it, with `ERESTARTSYS`.
package final class WaitPool: @unchecked Sendable {
    // @unchecked: everything mutable is only touched under `monitor`.
    package final class Job: @unchecked Sendable {
        fileprivate let tid: Int32
        fileprivate let body: () -> Void
        /// It does something in its caller's name. Otherwise the caller's end need not wait for it.
        fileprivate let acts: Bool
        fileprivate var worker: Int32 = 0
        fileprivate var isInterrupted = false
        fileprivate var seen: UInt64 = 0
        /// A stop (SIGTSTP and its kin, signal(7)) ends the wait as other signals do.
        fileprivate let mindsStops: Bool
        fileprivate init(tid: Int32, acts: Bool, mindsStops: Bool, body: @escaping () -> Void) {
            self.tid = tid
            self.acts = acts
            self.mindsStops = mindsStops
            self.body = body
        }
    }

    private static let interval = 10  // milliseconds between two looks at the callers that wait
    private static let mostThreads = 1024
    /// Of messages that wait to be sent: our copies are no part of what limits the callers' own memory.
    private static let mostBytes = 256 << 20

    private let monitor = Monitor()
    private let watched = Monitor()
    private var queue: [Job] = []
    private var active: [ObjectIdentifier: Job] = [:]
    /// Those that nothing can be done for until somebody answers. No thread waits with them.
    private var parked: [ObjectIdentifier: Job] = [:]
    /// How many jobs there are, for a look without the lock.
    private let busy = Atomic<Int>(0)
    private let heldBytes = Atomic<Int>(0)
    private var idle = 0
    private var threads = 0

    private let tasks: TaskTable

    package init(_ tasks: TaskTable) {
        self.tasks = tasks
        // Without SA_RESTART: the system call that the worker sleeps in ends.
        var a = sigaction()
        a.__sigaction_handler.sa_handler = { _ in }
        sigaction(SIGUSR2, &a, nil)
        // There is always one, however many processes the user has later.
        threads = 1
    }

    /// Before anything is submitted.
    package func start() {
        WorkerThread.start("sbx-watch") { [unowned self] in self.watch() }
        startWorker()
    }

    /// Whether so much more may be kept here; then it is to be given back.
    package func reserve(_ bytes: Int) -> Bool {
        if heldBytes.add(bytes, ordering: .relaxed).newValue <= WaitPool.mostBytes { return true }
        giveBack(bytes)
        return false
    }

    package func giveBack(_ bytes: Int) { heldBytes.subtract(bytes, ordering: .relaxed) }

    /// Runs `body` on a thread where it may sleep. `body` gets a function that tells whether it was interrupted for
    /// its caller's sake.
    package func submit(tid: Int32, acts: Bool = true, _ body: @escaping (_ isInterrupted: () -> Bool) -> Void) {
        let job = makeJob(tid, acts, true, body)
        busy.wrappingAdd(1, ordering: .acquiringAndReleasing)
        enqueue(job)
    }

    /// The same, once `resume` says so or the caller's wait is over.
    package func park(tid: Int32, mindsStops: Bool = true, _ body: @escaping (_ isInterrupted: () -> Bool) -> Void) -> Job {
        let job = makeJob(tid, true, mindsStops, body)
        busy.wrappingAdd(1, ordering: .acquiringAndReleasing)
        monitor.locked { parked[ObjectIdentifier(job)] = job }
        watched.locked { watched.signal() }
        return job
    }

    package func resume(_ job: Job) {
        if monitor.locked({ parked.removeValue(forKey: ObjectIdentifier(job)) }) != nil { enqueue(job) }
    }

    private func makeJob(
        _ tid: Int32, _ acts: Bool, _ mindsStops: Bool, _ body: @escaping (_ isInterrupted: () -> Bool) -> Void
    ) -> Job {
        var job: Job!
        job = Job(tid: tid, acts: acts, mindsStops: mindsStops) { [unowned self] in
            let j = job!
            body { self.monitor.locked { j.isInterrupted } }
            job = nil
        }
        return job
    }

    private func enqueue(_ job: Job) {
        let needsThread = monitor.locked {
            queue.append(job)
            if idle >= queue.count || threads >= WaitPool.mostThreads {
                monitor.broadcast()
                return false
            }
            threads += 1
            return true
        }
        if needsThread { startWorker() }
    }

    /// Where no thread can be had (a fork bomb of the agent's), the job waits for one of those there are.
    private func startWorker() {
        if WorkerThread.start("sbx-wait", { [unowned self] in self.work() }) != 0 { monitor.locked { threads -= 1 } }
    }

    private func work() {
        WorkerThread.acceptInterruptions()
        let tid = sbx_gettid()
        while true {
            let job = monitor.locked {
                idle += 1
                while queue.isEmpty { monitor.wait() }
                idle -= 1
                let j = queue.removeFirst()
                j.worker = tid
                active[ObjectIdentifier(j)] = j
                return j
            }
            watched.locked { watched.signal() }
            job.body()
            monitor.locked { _ = active.removeValue(forKey: ObjectIdentifier(job)) }
            busy.wrappingSubtract(1, ordering: .acquiringAndReleasing)
        }
    }

    /// Ends the waiting done for a task that has gone, and returns when nobody acts for it any more.
    package func cancel(tid: Int32) {
        guard busy.load(ordering: .acquiring) > 0 else { return }
        for job in monitor.locked({ parked.values.filter { $0.tid == tid } }) { interrupt(parked: job) }
        while true {
            let found = monitor.locked {
                // One that still waits for a thread will find itself interrupted.
                for job in queue where job.tid == tid { job.isInterrupted = true }
                let mine = active.values.filter { $0.tid == tid && $0.acts }
                for job in mine {
                    job.isInterrupted = true
                    _ = sbx_tgkill(getpid(), job.worker, SIGUSR2)
                }
                return !mine.isEmpty
            }
            if !found { return }
            usleep(200)  // until the worker is out of its call; it may not have been in it yet
        }
    }

    private func interrupt(parked job: Job) {
        monitor.locked { job.isInterrupted = true }
        resume(job)
    }

    // MARK: Signals for callers that wait

    private func watch() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 8192, alignment: 16)
        let path = PathBuffer()
        var round = 0
        while true {
            watched.locked {
                let busy = monitor.locked { !active.isEmpty || !parked.isEmpty }
                busy ? watched.wait(milliseconds: WaitPool.interval) : watched.wait()
            }
            round += 1
            // What is parked may be there for long, and be many.
            let all = monitor.locked { Array(active.values) + (round % (1 + parked.count / 8) == 0 ? Array(parked.values) : []) }
            for job in all { look(at: job, buffer, path) }
        }
    }

    /// A signal for the whole process may be taken by another of its threads; what is still pending at the second
    /// look was meant for this one.
    private func look(at job: Job, _ buffer: UnsafeMutableRawBufferPointer, _ path: PathBuffer) {
        var pending: UInt64 = .max  // a caller that is gone needs no answer any more
        do throws(Errno) { pending = try ProcStatus.read(job.tid, buffer, path).interrupting } catch { job.seen = .max }
        if !job.mindsStops { pending &= ~ProcStatus.stops }
        let again = pending & job.seen
        job.seen = pending
        // A stop of the process waits for every thread, and is pending for none once one of them has taken the signal.
        guard again != 0 || job.mindsStops && tasks.isStopping(tasks.leader(of: job.tid)) else { return }
        if monitor.locked({ parked[ObjectIdentifier(job)] != nil }) { return interrupt(parked: job) }
        monitor.locked {
            guard active[ObjectIdentifier(job)] != nil else { return }
            job.isInterrupted = true
            // Sent again at every look until the worker is out of its call: it may not have been in it yet.
            _ = sbx_tgkill(getpid(), job.worker, SIGUSR2)
        }
    }
}
