internal import CShims
internal import Glibc

/// Plain pthreads: notifiers and waiters must not share a pool with anybody, and their credentials, masks and
/// working directories are their own.
package enum WorkerThread {
    private final class Box {
        let name: StaticString
        let body: @Sendable () -> Void
        init(_ name: StaticString, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts a thread with its own file system context. Returns 0 or an error number.
    @discardableResult
    package static func start(_ name: StaticString, stack: Int = 256 * 1024, _ body: @escaping @Sendable () -> Void) -> Int32 {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, stack)
        let box = Unmanaged.passRetained(Box(name, body))
        var thread = pthread_t()
        let e = pthread_create(
            &thread, &attributes,
            { raw in
                let box = Unmanaged<Box>.fromOpaque(raw!).takeRetainedValue()
                // Without it a file mode mask set here would be everybody's.
                sbx_name_thread(UnsafeRawPointer(box.name.utf8Start).assumingMemoryBound(to: CChar.self))
                guard sbx_unshare_fs() == 0 else { _exit(125) }
                box.body()
                return nil
            }, box.toOpaque())
        if e != 0 { box.release() }
        return e
    }
}

extension WorkerThread {
    /// The calling thread, and what it starts from now on, runs as soon as it is woken: somebody stands still for it. False:
    /// as all others do. (EEVDF; `sched_runtime` in sched_setattr(2).)
    package static func runsAtOnce(_ isUrgent: Bool) { sbx_slice(isUrgent ? 100_000 : 0) }

    /// From now on SIGUSR2 ends a system call that the calling thread sleeps in.
    package static func acceptInterruptions() {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGUSR2)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }
}

/// A mutex and a condition, for the few places that have to sleep.
package final class Monitor: @unchecked Sendable {
    // @unchecked: both are only used through pthread calls, and never move.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>

    package init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    package func locked<R>(_ body: () -> R) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Inside `locked` only. With `milliseconds` it also returns when that time is over.
    package func wait(milliseconds: Int? = nil) {
        guard let milliseconds else {
            pthread_cond_wait(condition, mutex)
            return
        }
        var t = timespec()
        clock_gettime(CLOCK_REALTIME, &t)
        t.tv_nsec += milliseconds * 1_000_000
        t.tv_sec += t.tv_nsec / 1_000_000_000
        t.tv_nsec %= 1_000_000_000
        pthread_cond_timedwait(condition, mutex, &t)
    }

    package func signal() { pthread_cond_signal(condition) }
    package func broadcast() { pthread_cond_broadcast(condition) }
}
