internal import Synchronization

/// What `count` and `within` remember: for each rule and what it counts by (`per`) the times of what matched, no more of them than
/// the rule asks for. Shared by all threads that judge for one session; no clock of its own.
package final class Counters: Sendable {
    private struct Key: Hashable {
        let rule: UInt16
        let part: UInt64
    }
    private let windows = Mutex<[Key: Window]>([:])
    /// Parts beyond this are counted together: that finds more, never less.
    private static let maximumWindows = 1_024

    package init() {}

    /// Notes that something happened now, and says whether that makes `threshold` of them within the time.
    func note(_ rule: UInt16, part: UInt64, at time: UInt64, threshold: Int, within: UInt64?) -> Bool {
        windows.withLock { all in
            var key = Key(rule: rule, part: part)
            if all[key] == nil, all.count >= Self.maximumWindows { key = Key(rule: rule, part: .max) }
            return all[key, default: Window()].note(time, threshold, within)
        }
    }
}

/// The last `threshold` times, in a ring.
struct Window {
    private var times: [UInt64] = []
    private var oldest = 0

    mutating func note(_ time: UInt64, _ threshold: Int, _ within: UInt64?) -> Bool {
        if times.count < threshold {
            times.append(time)
        } else {
            times[oldest] = time
            oldest = (oldest + 1) % threshold
        }
        guard times.count == threshold else { return false }
        guard let within else { return true }
        let first = times[oldest]
        // Threads are not in step: what seems to lie ahead happened at the same time.
        return time <= first || time - first <= within
    }
}
