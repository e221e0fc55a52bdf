internal import Glibc
internal import SandboxKernel
internal import Synchronization

/// `limits.written` for the session as a whole. The kernel counts for each task what it gave to write(2) and its kin, whatever
/// that leads to, and what it made the kernel write to a disk (proc(5), `/proc/PID/io`): the greater of the two counts here.
/// Looked at a few times a second, and whenever a task ends. A process's own figure also holds those of the children it has
/// waited for, so the tasks are added up one by one.
final class WriteWatch: Sendable {
    private static let interval: UInt32 = 200_000  // microseconds

    fileprivate struct Tasks {
        /// Descriptors of their figures: of one that has ended nobody but root could open them any more.
        var files: [Int32: Int32] = [:]
        /// By those that have ended.
        var bytes: UInt64 = 0
        /// Of processes that live: what their ended threads wrote.
        var threads: [Int32: UInt64] = [:]
    }
    private let tasks = Mutex(Tasks())
    private let supervision: Supervision
    private let limit: UInt64

    init(_ supervision: Supervision, _ limit: UInt64) {
        self.supervision = supervision
        self.limit = limit
    }

    /// Whether this kernel counts at all.
    static var isPossible: Bool { access("/proc/self/io", R_OK) == 0 }

    func run() {
        while true {
            usleep(WriteWatch.interval)
            end(at: tasks.withLock { t in t.files.values.reduce(t.bytes) { $0 &+ WriteWatch.written($1) } })
        }
    }

    // MARK: On the tracer's thread, while the task stands still

    func met(_ tid: Int32) {
        let file = open("/proc/\(tid)/task/\(tid)/io", O_RDONLY | O_CLOEXEC)
        if file < 0, errno == EMFILE || errno == ENFILE {
            return supervision.end(because: "limits.written: no descriptor is left to count with; the session was killed")
        }
        // Else it was killed meanwhile, and has written nothing.
        if file >= 0, let old = tasks.withLock({ $0.files.updateValue(file, forKey: tid) }) { close(old) }
    }

    /// It has run its last instruction.
    func isEnding(_ tid: Int32) {
        let leader = supervision.context.tasks.leader(of: tid)
        let sum = tasks.withLock { t in
            let bytes = t.take(tid)
            t.bytes &+= bytes
            t.threads[leader] = leader == tid ? nil : t.threads[leader, default: 0] &+ bytes
            return t.bytes
        }
        end(at: sum)
    }

    /// The thread `former` has become the leader, which has ended unseen. All that its process counts beside the new one is
    /// taken instead, children that were waited for among it.
    func leaderWasReplaced(_ pid: Int32, by former: Int32) {
        let file = open("/proc/\(pid)/io", O_RDONLY | O_CLOEXEC)
        defer { if file >= 0 { close(file) } }
        let sum = tasks.withLock { t in
            _ = t.take(former)
            let known = t.threads[pid, default: 0], own = t.files[pid].map(WriteWatch.written) ?? 0
            let unknown = max(WriteWatch.written(file), own &+ known) &- own &- known
            t.bytes &+= unknown
            t.threads[pid] = known &+ unknown
            return t.bytes
        }
        end(at: sum)
    }

    // MARK: Figures

    private func end(at sum: UInt64) {
        guard sum > limit else { return }
        supervision.end(because: "limits.written: \(sum >> 10) KiB of \(limit >> 10) were written; the session was killed")
    }

    fileprivate static func written(_ file: Int32) -> UInt64 {
        var text = [UInt8](repeating: 0, count: 512)
        let n = pread(file, &text, text.count, 0)
        var most: UInt64 = 0
        for line in text[..<max(n, 0)].split(separator: UInt8(ascii: "\n"))
        where ["wchar: ", "write_bytes: "].contains(where: { line.starts(with: $0.utf8) }) {
            most = max(most, line.reduce(0) { 0x30...0x39 ~= $1 ? $0 &* 10 &+ UInt64($1 - 0x30) : $0 })
        }
        return most
    }
}

extension WriteWatch.Tasks {
    /// The last figure of a task that is looked at no more.
    fileprivate mutating func take(_ tid: Int32) -> UInt64 {
        guard let file = files.removeValue(forKey: tid) else { return 0 }
        defer { close(file) }
        return WriteWatch.written(file)
    }
}
