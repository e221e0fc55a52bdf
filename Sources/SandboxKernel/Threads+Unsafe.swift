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
                sbx_thread_own_folder()
                box.body()
                return nil
            }, box.toOpaque())
        if e != 0 { box.release() }
        return e
    }
}

extension WorkerThread {
    /// How long a slice a thread asks for, nanoseconds: who has a shorter one goes first as soon as it is woken. Of the processors
    /// each gets its share all the same. (EEVDF; `sched_runtime` in sched_setattr(2).)
    package enum Pace: UInt64 {
        /// Somebody stands still for it.
        case atOnce = 100_000
        /// Nobody waits for it: it stands in nobody's way. The longest that there is.
        case afterAllOthers = 100_000_000
    }

    /// Of the calling thread, and of those that it starts from now on.
    package static func runs(_ pace: Pace) { sbx_slice(pace.rawValue) }

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
        var end = Monitor.time(in: milliseconds)
        pthread_cond_timedwait(condition, mutex, &end)
    }

    /// Inside `locked` only. Until it is so, and at most so long, however often it is woken meanwhile. False: it is not.
    package func wait(milliseconds: Int, until isSo: () -> Bool) -> Bool {
        var end = Monitor.time(in: milliseconds)
        while !isSo() {
            if pthread_cond_timedwait(condition, mutex, &end) == ETIMEDOUT { return isSo() }
        }
        return true
    }

    private static func time(in milliseconds: Int) -> timespec {
        var t = timespec()
        clock_gettime(CLOCK_REALTIME, &t)
        t.tv_nsec += milliseconds * 1_000_000
        t.tv_sec += t.tv_nsec / 1_000_000_000
        t.tv_nsec %= 1_000_000_000
        return t
    }

    package func signal() { pthread_cond_signal(condition) }
    package func broadcast() { pthread_cond_broadcast(condition) }
}

/// One at a time, for what may be with a file system that never answers. The others do not wait for ever.
package final class Turn: @unchecked Sendable {
    // @unchecked: `isTaken` is only touched under `monitor`.
    private let monitor = Monitor()
    private var isTaken = false
    private let patience: Int  // milliseconds

    package init(patience: Int = 10_000) { self.patience = patience }

    /// Nil, and nothing is done, where the one who has the turn keeps it.
    @discardableResult
    package func whileTaken<R>(_ body: () -> R) -> R? {
        guard take() else { return nil }
        defer {
            monitor.locked {
                isTaken = false
                monitor.signal()
            }
        }
        return body()
    }

    private func take() -> Bool {
        monitor.locked {
            guard monitor.wait(milliseconds: patience, until: { !isTaken }) else { return false }
            isTaken = true
            return true
        }
    }
}

/// Asks what may never be answered (a file system behind a dead server, fuse(4), nfs(5)) on a thread of its own, which is left
/// behind where there is no answer in time.
package final class Aside: @unchecked Sendable {
    // @unchecked: everything mutable is only touched under `monitor`.
    private final class Answer<Value: Sendable>: @unchecked Sendable {
        var value: Value?
        var isAwaited = true
    }

    private let monitor = Monitor()
    private var leftBehind = 0
    private let patience: Int  // milliseconds
    private static let mostLeftBehind = 32

    package init(patience: Int = 1_000) { self.patience = patience }

    package func ask<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> Value? {
        guard monitor.locked({ leftBehind }) < Aside.mostLeftBehind else { return nil }
        let answer = Answer<Value>()
        let e = WorkerThread.start("sbx-aside") { [self] in
            let value = body()
            monitor.locked {
                answer.value = value
                if !answer.isAwaited { leftBehind -= 1 }
                monitor.broadcast()
            }
        }
        guard e == 0 else { return nil }
        return monitor.locked { wait(for: answer) }
    }

    private func wait<Value>(for answer: Answer<Value>) -> Value? {
        guard monitor.wait(milliseconds: patience, until: { answer.value != nil }) else {
            answer.isAwaited = false
            leftBehind += 1
            return nil
        }
        return answer.value
    }
}
