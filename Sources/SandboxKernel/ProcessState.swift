internal import CShims
internal import Glibc

/// What a process is doing, as proc(5) tells it.
package enum ProcessState {
    /// It waits in one of its own calls, and not for a supervisor: state `S` in the wait for a child, for data or for time. `wchan`
    /// is not there for everybody, so the call's number tells (`/proc/PID/syscall`).
    package static func isAsleep(_ pid: Int32) -> Bool {
        let path = PathBuffer()
        path.setProcess(pid, "/syscall")
        let fd = sbx_openat(At.workingDirectory, path.base, O_RDONLY | Flag.closeOnExec, 0)
        guard fd >= 0 else { return fd == -ENOENT }
        defer { _ = sbx_close(fd) }
        let n = sbx_read(fd, path.base, 64)
        guard n > 0, (0x30...0x39).contains(path[0]) else { return n == -Int(ESRCH) }
        path.setCount(n)
        return sbx_is_wait(atol(path.base)) != 0
    }
}
