internal import CShims
internal import Glibc
internal import Synchronization

/// How many of the notifiers wait for calls at the same time, and where.
///
/// The kernel wakes everybody who waits on a listener for each call. One receiver follows its caller from processor to
/// processor (`SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP`) and is the fastest there is for one caller at a time; a second one
/// adds a third to each call, and is worth it where callers come together (then each stays on a processor of its own)
/// and where descriptors are handed over (the kernel wakes the caller elsewhere, and a processor that has just been
/// at work answers four times as fast). docs/PERFORMANCE.md has the figures. So it is counted which of that happens.
package final class Receivers: @unchecked Sendable {
    // @unchecked: `mode` and `threads` are only touched through atomics and futex(2), and live as long as we do.
    private enum Mode { static let one: UInt32 = 0, free: UInt32 = 1, pinned: UInt32 = 2 }

    /// What each notifier knows of itself.
    package struct Place: ~Copyable {
        fileprivate let index: Int
        fileprivate let tid = sbx_gettid()
        fileprivate var mode: UInt32 = .max
        /// Whose call was the last, and whether it was another's than the one before.
        fileprivate var caller: Int32 = 0
        fileprivate var isMixed = true
        fileprivate init(index: Int) { self.index = index }
    }

    /// As many as the notifiers there should be. More than a few only wake each other.
    package let count: Int
    /// Those that came later, in the place of others who are with a file system that does not answer (`startSpares`).
    private let spares = Atomic<Int>(0)
    private static let mostSpares = 60
    private var all: Range<Int> { 0..<(count + spares.load(ordering: .acquiring)) }
    private let processors = Receivers.allowedProcessors()
    /// Its value is a futex as well: those who are not wanted sleep until it changes.
    private let mode = UnsafeMutablePointer<Atomic<UInt32>>.allocate(capacity: 1)
    private let first = Atomic<Int>(0)
    private let threads: UnsafeMutablePointer<Receiver>
    /// Up when calls came together, down with each that came alone; the same for descriptors handed over. Counted
    /// without care: a lost count does no harm.
    private let together = Atomic<Int>(0)
    private let handed = Atomic<Int>(0)

    private static let patience: Int32 = 100  // milliseconds
    private static let most = 256, enough = 128

    private struct Receiver: ~Copyable {
        let tid = Atomic<Int32>(0)
        let isReceiving = Atomic<Bool>(false)
        let calls = Atomic<UInt64>(0)
        /// Whose call it has in hand; 0: none.
        let caller = Atomic<Int32>(0)
    }

    package init(processors n: Int) {
        count = min(max(n, 2), 4)
        threads = .allocate(capacity: count + Receivers.mostSpares)
        for i in 0..<(count + Receivers.mostSpares) { (threads + i).initialize(to: Receiver()) }
        mode.initialize(to: Atomic(Mode.one))
    }

    deinit {
        mode.deallocate()
        threads.deallocate()
    }

    package func enter(_ index: Int) -> Place {
        let place = Place(index: index)
        threads[index].tid.store(place.tid, ordering: .releasing)
        return place
    }

    // MARK: One call

    /// The next call for this notifier; nil when nobody is left who could make one.
    package func next(_ listener: Listener, _ me: inout Place) -> Notice? {
        while true {
            settle(&me)
            // A clock costs as much as all else here; as long as one calls, nobody asks.
            let began = me.isMixed ? now() : 0
            threads[me.index].isReceiving.store(true, ordering: .relaxed)
            let outcome = listener.receive()
            threads[me.index].isReceiving.store(false, ordering: .relaxed)
            threads[me.index].calls.wrappingAdd(1, ordering: .relaxed)
            switch consume outcome {
            case .interrupted: continue
            case .over: return nil
            case .call(let notice):
                // Nobody sleeps and wakes so soon: the call was waiting for us.
                let isAnother = notice.tid != me.caller
                let comesTogether = me.mode == Mode.one ? isAnother && me.isMixed && now() &- began < 1_500 : isAmongOthers(notice.tid, me)
                me.isMixed = isAnother
                me.caller = notice.tid
                threads[me.index].caller.store(notice.tid, ordering: .relaxed)
                weigh(comesTogether, me)
                return notice
            }
        }
    }

    package func done(_ me: borrowing Place) { threads[me.index].caller.store(0, ordering: .relaxed) }

    /// Another notifier has another caller's call in its hands.
    private func isAmongOthers(_ tid: Int32, _ me: borrowing Place) -> Bool {
        for i in all where i != me.index {
            let caller = threads[i].caller.load(ordering: .relaxed)
            if caller != 0 && caller != tid { return true }
        }
        return false
    }

    package func handedOver() {
        raise(handed)
        raise(together)
    }

    private func raise(_ n: borrowing Atomic<Int>) { n.store(min(n.load(ordering: .relaxed) + 8, Receivers.most), ordering: .relaxed) }
    private func lower(_ n: borrowing Atomic<Int>) -> Int {
        let value = max(n.load(ordering: .relaxed) - 1, 0)
        n.store(value, ordering: .relaxed)
        return value
    }

    private func weigh(_ cameTogether: Bool, _ me: borrowing Place) {
        let hands = lower(handed)
        if cameTogether { raise(together) }
        let crowd = cameTogether ? together.load(ordering: .relaxed) : lower(together)
        switch me.mode {
        case Mode.one where crowd >= Receivers.enough: change(hands > 0 || !canPin ? Mode.free : Mode.pinned, me)
        case Mode.free where hands == 0 && crowd >= Receivers.enough && canPin: change(Mode.pinned, me)
        case Mode.pinned where hands >= Receivers.enough: change(Mode.free, me)
        case Mode.free where crowd == 0, Mode.pinned where crowd == 0: change(Mode.one, me)
        default: break
        }
    }

    // MARK: Changing

    private var canPin: Bool { processors.count == count }

    private func change(_ new: UInt32, _ me: borrowing Place) {
        guard mode.pointee.compareExchange(expected: me.mode, desired: new, ordering: .acquiringAndReleasing).exchanged else { return }
        if new == Mode.one { first.store(me.index, ordering: .releasing) }
        _ = sbx_futex_wake(mode)
        // Those who wait for calls must look at it as well. Interrupted elsewhere, they do again what they were doing.
        for i in all where i != me.index && threads[i].isReceiving.load(ordering: .acquiring) {
            _ = sbx_tgkill(getpid(), threads[i].tid.load(ordering: .acquiring), SIGUSR2)
        }
    }

    private func settle(_ me: inout Place) {
        while true {
            let now = mode.pointee.load(ordering: .acquiring)
            if now == Mode.one, first.load(ordering: .acquiring) != me.index {
                me.mode = now
                let before = calls
                if sbx_futex_wait(mode, now, Receivers.patience) == -ETIMEDOUT, isStuck(since: before) { change(Mode.free, me) }
                continue
            }
            guard now != me.mode else { return }
            me.mode = now
            sbx_pin(now == Mode.pinned && me.index < count ? processors[me.index] : -1)
        }
    }

    private var calls: UInt64 { threads[first.load(ordering: .acquiring)].calls.load(ordering: .relaxed) }

    /// The one who receives has been with the same call all the time: a slow disk, perhaps. The others need not wait for it.
    private func isStuck(since before: UInt64) -> Bool {
        !threads[first.load(ordering: .acquiring)].isReceiving.load(ordering: .acquiring) && calls == before
    }

    // MARK: Spares

    /// Never returns. A look at a file on a server that is gone holds a notifier for ever, and no signal ends that: fuse(4), nfs(5).
    /// Where all of them have been with the same call from one look to the next, there is one more, as long as there are not very
    /// many: each of them has a caller who waits as well.
    package func startSpares(_ start: (_ index: Int) -> Bool) {
        var before = [UInt64](repeating: .max, count: count + Receivers.mostSpares)
        while true {
            usleep(UInt32(Receivers.patience) * 1_000)
            var areStuck = true
            for i in all {
                let calls = threads[i].calls.load(ordering: .relaxed)
                if threads[i].caller.load(ordering: .relaxed) == 0 || calls != before[i] { areStuck = false }
                before[i] = calls
            }
            let next = all.upperBound
            guard areStuck, next < before.count else { continue }
            spares.add(1, ordering: .acquiringAndReleasing)
            // It has the room, and is not there yet: as long as it is not, nobody is stuck.
            if !start(next) { spares.subtract(1, ordering: .acquiringAndReleasing) }
        }
    }

    private func now() -> UInt64 {
        var t = timespec()
        clock_gettime(CLOCK_MONOTONIC, &t)
        return UInt64(t.tv_sec) &* 1_000_000_000 &+ UInt64(t.tv_nsec)
    }

    private static func allowedProcessors() -> [Int32] {
        // One more than can be of use.
        var list = [Int32](repeating: 0, count: 5)
        let n = sbx_processors(&list, 5)
        return Array(list.prefix(Int(max(n, 0))))
    }
}
