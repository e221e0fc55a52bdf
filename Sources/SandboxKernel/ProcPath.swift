/// Paths in procfs (proc(5)).
package enum ProcPath {
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
