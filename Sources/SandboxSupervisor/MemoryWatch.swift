internal import Glibc
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

    func run() {
        var killed = 0
        while true {
            usleep(MemoryWatch.interval)
            let processes = supervision.living.withLock { Array($0) }
            // What several share is counted several times here, so that it says nothing if it is too much, but if it is not.
            guard processes.reduce(0, { $0 &+ resident($1) }) > limit else { continue }
            let shares = processes.map { (pid: $0, bytes: share($0)) }
            let sum = shares.reduce(0) { $0 &+ $1.bytes }
            guard sum > limit, let largest = shares.max(by: { $0.bytes < $1.bytes }) else { continue }
            let rule = "limits.memory: \(sum >> 20) MiB of \(limit >> 20) are in use; "
            killed += 1
            if killed > MemoryWatch.patience { return supervision.end(because: rule + "the session was killed") }
            supervision.note(rule + "process \(largest.pid), with \(largest.bytes >> 20) MiB the largest, was killed")
            // A process of the session stays one until the tracer has seen its end.
            supervision.living.withLock { if $0.contains(largest.pid) { kill(largest.pid, SIGKILL) } }
        }
    }

    /// Second field of `/proc/PID/statm`: readable for everybody, quick, and an upper bound.
    private func resident(_ pid: Int32) -> UInt64 {
        let words = ControlSocket.bytes(file: "/proc/\(pid)/statm", limit: 128).split(separator: UInt8(ascii: " "))
        return words.count > 1 ? number(words[1]) * page : 0
    }

    /// Its part of what nobody can take away from it: memory without a file behind it, shared memory, what is swapped out.
    /// `/proc/PID/smaps_rollup`, in kB.
    private func share(_ pid: Int32) -> UInt64 {
        let lines = ControlSocket.bytes(file: "/proc/\(pid)/smaps_rollup", limit: 4096).split(separator: UInt8(ascii: "\n"))
        if lines.isEmpty { return resident(pid) }
        var sum: UInt64 = 0
        for line in lines where ["Pss_Anon:", "Pss_Shmem:", "SwapPss:"].contains(where: { line.starts(with: $0.utf8) }) {
            sum += number(line) << 10
        }
        return sum
    }

    private func number(_ text: ArraySlice<UInt8>) -> UInt64 {
        text.reduce(0) { 0x30...0x39 ~= $1 ? $0 &* 10 &+ UInt64($1 - 0x30) : $0 }
    }
}
