internal import Glibc
internal import Synchronization

/// How appenders wake the writer: not at all while it works in its own rhythm, with one system call when it
/// sleeps for good or a segment is half full.
///
/// `@unchecked Sendable` holds because the mutex and the condition are made for many threads, their addresses
/// never change, and `posted` is only touched under the mutex.
final class Wakeup: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var posted = false
    private let idle = Atomic(false)

    init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        // A semaphore would wait by the wall clock, which people set back.
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    @inline(__always)
    func appended(urgent: Bool) {
        if urgent || (idle.load(ordering: .relaxed) && idle.exchange(false, ordering: .acquiringAndReleasing)) {
            post()
        }
    }

    func post() {
        pthread_mutex_lock(mutex)
        posted = true
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    /// From now on an append wakes the writer. Call before the last look at the journal: an append that this
    /// look misses then sees the flag, or in the worst case waits for the timeout.
    func setIdle(_ value: Bool) { idle.store(value, ordering: .sequentiallyConsistent) }

    /// Until a post that came since the last wait, or the time is over.
    func wait(milliseconds: Int) {
        var until = timespec()
        clock_gettime(CLOCK_MONOTONIC, &until)
        let nanoseconds = until.tv_nsec + milliseconds % 1000 * 1_000_000
        until.tv_sec += milliseconds / 1000 + nanoseconds / 1_000_000_000
        until.tv_nsec = nanoseconds % 1_000_000_000
        pthread_mutex_lock(mutex)
        while !posted, pthread_cond_timedwait(condition, mutex, &until) == 0 {}
        posted = false
        pthread_mutex_unlock(mutex)
    }
}
