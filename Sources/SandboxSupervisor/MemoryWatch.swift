internal import Glibc
internal import SandboxKernel
internal import Synchronization

/// `limits.memory` for the session as a whole: what setrlimit(2) holds each process to, all of them together may not exceed
/// either. Looked at a few times a second; the largest process is killed, as the kernel would do it in a control group.
struct MemoryWatch {
    private static let interval: UInt32 = 200_000  // microseconds
    /// So many are killed; then the session is.
    private static let patience = 4

    private let supervision: Supervision
    private let limit: UInt64
    private let page = UInt64(sysconf(Int32(_SC_PAGESIZE)))

    init(_ supervision: Supervision, _ limit: UInt64) {
        self.supervision = supervision
        self.limit = limit
    }

    private struct Share {
        /// Processes with one memory between them: a child of vfork(2) has its parent's.
        let processes: [Int32]
        /// What it has alone, its part of what several have mapped, and what it holds without a name.
        var own: UInt64 = 0, shared: UInt64 = 0, held: UInt64 = 0
        var bytes: UInt64 { own &+ max(shared, held) }
    }

    func run() {
        var killed = 0, looks = 0, held: [Int32: [UnnamedMemory.File: UInt64]] = [:]
        while true {
            usleep(MemoryWatch.interval)
            let processes = supervision.living.withLock { Array($0) }
            // Whoever has many descriptors is not asked for each of them five times a second.
            if looks % 5 == 0 {
                let separate = supervision.context.haveSeparateDescriptors
                held = Dictionary(
                    uniqueKeysWithValues: processes.map { ($0, UnnamedMemory.held(by: ProcessState.tasks(of: $0, separate: separate))) })
            }
            looks &+= 1
            let segments = supervision.context.objects.sharedBytes
            let unnamed = held.values.reduce(into: [:]) { $0.merge($1) { first, _ in first } }.values.reduce(segments, &+)
            // What several share is counted several times here, so that it says nothing if it is too much, but if it is not.
            guard processes.reduce(unnamed, { $0 &+ resident($1) }) > limit else { continue }
            let shares = byMemory(processes).map { one in
                share(one.processes, one.task, held: one.processes.reduce(0) { held[$1]?.values.reduce($0, &+) ?? $0 })
            }
            // The same file may be mapped and held.
            let sum = shares.reduce(0) { $0 &+ $1.own } &+ max(shares.reduce(0) { $0 &+ $1.shared }, unnamed)
            guard sum > limit, let largest = shares.max(by: { $0.bytes < $1.bytes }) else { continue }
            let rule = "limits.memory: \(sum >> 20) MiB of \(limit >> 20) are in use; "
            killed += 1
            if killed > MemoryWatch.patience || segments > limit {
                // It would outlive the session.
                supervision.context.objects.removeSharedMemory()
                return supervision.end(because: rule + "the session was killed")
            }
            supervision.note(rule + "process \(largest.processes[0]), with \(largest.bytes >> 20) MiB the largest, was killed")
            // A process of the session stays one until the tracer has seen its end.
            supervision.living.withLock { living in for pid in largest.processes where living.contains(pid) { kill(pid, SIGKILL) } }
            for pid in largest.processes { held[pid] = nil }
        }
    }

    /// Each memory once, with a task that shows it: the oldest process comes first.
    private func byMemory(_ processes: [Int32]) -> [(processes: [Int32], task: Int32)] {
        let tasks = supervision.context.tasks
        var found: [(processes: [Int32], task: Int32)] = []
        for pid in processes.sorted(by: { tasks.serial(of: $0) < tasks.serial(of: $1) }) {
            let task = ProcessState.shownBy(pid)
            if let i = found.firstIndex(where: { ProcessState.haveSameMemory($0.task, task) }) {
                found[i].processes.append(pid)
            } else {
                found.append(([pid], task))
            }
        }
        return found
    }

    /// Second field of `/proc/PID/statm`: readable for everybody, quick, and an upper bound. A process whose first thread has ended
    /// seems to have nothing (pthread_exit(3)).
    private func resident(_ pid: Int32) -> UInt64 {
        var task = pid
        for _ in 0..<MemoryWatch.mostLooks {
            let pages = pages(task)
            if pages > 0 { return page * pages }
            do throws(Errno) {
                guard let next = try ProcessState.lastingTask(of: pid) else { return 0 }
                task = next
            } catch { break }
        }
        // Threads that are gone before they are looked at, and start others: nobody can say how much that is.
        return limit &+ 1
    }
    private static let mostLooks = 100

    private func pages(_ tid: Int32) -> UInt64 {
        let words = ControlSocket.bytes(file: "/proc/\(tid)/statm", limit: 128).split(separator: UInt8(ascii: " "))
        return words.count > 1 ? number(words[1]) : 0
    }

    /// Its part of what nobody can take away from it: memory without a file behind it, shared memory, what is swapped out.
    /// `/proc/PID/smaps_rollup`, in kB.
    private func share(_ processes: [Int32], _ task: Int32, held: UInt64) -> Share {
        let lines = ControlSocket.bytes(file: "/proc/\(task)/smaps_rollup", limit: 4096).split(separator: UInt8(ascii: "\n"))
        var share = Share(processes: processes, held: held)
        if lines.isEmpty { share.own = resident(processes[0]) }
        for line in lines {
            if line.starts(with: "Pss_Shmem:".utf8) { share.shared = number(line) << 10 }
            if ["Pss_Anon:", "SwapPss:"].contains(where: { line.starts(with: $0.utf8) }) { share.own += number(line) << 10 }
        }
        return share
    }

    private func number(_ text: ArraySlice<UInt8>) -> UInt64 {
        text.reduce(0) { 0x30...0x39 ~= $1 ? $0 &* 10 &+ UInt64($1 - 0x30) : $0 }
    }
}
