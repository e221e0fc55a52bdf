internal import CShims
internal import Glibc

/// Paths in procfs (proc(5)).
package enum ProcPath {
    /// Why `/proc` tells nothing about our own processes; nil where it does. In a PID namespace of one's own it may still be the procfs
    /// from outside, where our numbers are other people's.
    package static var missing: String? {
        let own = PathBuffer()
        let n = sbx_readlinkat(At.workingDirectory, "/proc/self", own.base, 32)
        guard n > 0 else { return "no procfs that knows this process is mounted on /proc" }
        own.setCount(Int(n))
        return Int32(String(decoding: own.text, as: UTF8.self)) == getpid() ? nil : "/proc is that of another PID namespace"
    }

    /// The process that `/proc/PID…` is about.
    package static func process(_ path: PathBuffer) -> Int32? {
        guard path.hasPrefix("/proc/") else { return nil }
        var pid: Int32 = 0
        var i = 6
        while i < path.count, path[i] >= 0x30, path[i] <= 0x39, i < 16 {
            pid = pid &* 10 &+ Int32(path[i] - 0x30)
            i += 1
        }
        return i > 6 && (i == path.count || path[i] == 0x2f) ? pid : nil
    }
}
