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

    /// Its controlling terminal's device number; 0: none.
    static func terminal(of tid: Int32) throws(Errno) -> UInt64 { try field(7, of: tid) }

    /// It has ended, or does so: it makes no call any more.
    static func isEnding(_ tid: Int32) -> Bool {
        let exiting: UInt64 = 4  // PF_EXITING, linux/sched.h; also of who waits to be waited for
        do throws(Errno) { return try field(9, of: tid) & exiting != 0 } catch { return error.code == ENOENT || error.code == ESRCH }
    }

    /// By which `/proc` shows what a process has: itself, or where its first thread has ended, one that has not.
    package static func lastingTask(of pid: Int32) -> Int32 {
        isEnding(pid) ? ProcessList.tasks(of: pid).first { !isEnding($0) } ?? pid : pid
    }

    /// Those by which `/proc` shows all that a process has open: one of them, or where threads may have `separate` tables, each.
    package static func tasks(of pid: Int32, separate: Bool) -> [Int32] {
        separate ? ProcessList.tasks(of: pid) : [lastingTask(of: pid)]
    }

    /// They share all memory (clone(2), CLONE_VM): not where the kernel does not tell.
    package static func haveSameMemory(_ a: Int32, _ b: Int32) -> Bool { sbx_same_memory(a, b) == 1 }

    /// It has ended, and its parent, one of the session's, has not asked how. (Its number may be somebody's outside by now.)
    package static func isUnreaped(_ pid: Int32, _ tasks: TaskTable) -> Bool {
        let (_, parent, tracer) = ProcIdentity.of(pid)
        return tracer != getpid() && tasks.serial(of: parent) != 0
    }

    /// A number in `/proc/PID/stat`, proc_pid_stat(5): they are counted from 1.
    private static func field(_ number: Int, of tid: Int32) throws(Errno) -> UInt64 {
        let path = PathBuffer()
        path.setProcess(tid, "/stat")
        let file = try Descriptor(sbx_openat(At.workingDirectory, path.base, O_RDONLY | Flag.closeOnExec, 0))
        let n = sbx_read(file.number, path.base, 4096)
        guard n > 0 else { throw Errno(ESRCH) }
        path.setCount(n)
        // The name in brackets, the second, may hold anything, brackets and spaces too.
        guard let close = path.bytes.lastIndex(of: 0x29) else { throw Errno(ESRCH) }
        let fields = path.bytes[(close + 1)...].split(separator: 0x20)
        guard fields.count > number - 3 else { throw Errno(ESRCH) }
        return fields[number - 3].reduce(0) { 0x30...0x39 ~= $1 ? $0 &* 10 &+ UInt64($1 - 0x30) : $0 }
    }
}
