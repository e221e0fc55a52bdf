internal import CShims
internal import Glibc
internal import SandboxFiles

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

    /// How often a list of threads is read anew because all that were in it have ended.
    private static let mostRelays = 1000

    /// By which `/proc` shows what a process has: itself, or where its first thread has ended, one that has not; nil where all have. Who is
    /// in a list may have ended when he is looked at, and have started another: all have only where the next list names nobody new. EAGAIN:
    /// that does not come to an end.
    package static func lastingTask(of pid: Int32) throws(Errno) -> Int32? {
        if !isEnding(pid) { return pid }
        var known: Set<Int32> = []
        for _ in 0..<mostRelays {
            let new = try ProcessList.tasks(of: pid).filter { known.insert($0).inserted }
            if new.isEmpty { return nil }
            // The last is the youngest.
            if let task = new.last(where: { !isEnding($0) }) { return task }
        }
        throw Errno(EAGAIN)
    }

    /// The same for a look that is taken again and again.
    package static func shownBy(_ pid: Int32) -> Int32 {
        do throws(Errno) { return try lastingTask(of: pid) ?? pid } catch { return pid }
    }

    /// Those by which `/proc` shows all that a process has open: one of them, or where threads may have `separate` tables, each.
    package static func tasks(of pid: Int32, separate: Bool) -> [Int32] {
        guard separate else { return [shownBy(pid)] }
        do throws(Errno) { return try ProcessList.tasks(of: pid) } catch { return [pid] }
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

/// Thread group, parent and tracer, from `/proc/TID/status`; 0 where it is gone.
enum ProcIdentity {
    static func of(_ tid: Int32) -> (leader: Int32, parent: Int32, tracer: Int32) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 8192, alignment: 16)
        defer { buffer.deallocate() }
        do throws(Errno) {
            let s = try ProcStatus.read(tid, buffer, PathBuffer())
            return (s.leader, s.parent, s.tracer)
        } catch {
            return (0, 0, 0)
        }
    }
}

/// Whose names in a folder are numbers: tasks, processes.
enum ProcessList {
    static var all: [Int32] { numbers(in: "/proc") ?? [] }

    /// None where it has ended.
    static func tasks(of pid: Int32) throws(Errno) -> [Int32] {
        let path = PathBuffer()
        path.setProcess(pid, "/task")
        if let found = numbers(in: path.base) { return found }
        let code = errno
        if code == ENOENT || code == ESRCH { return [] }
        throw Errno(code)
    }

    /// Of its first thread; where that has just started a program, of the whole process: proc_tid_children(5).
    static func children(of pid: Int32) -> [Int32] {
        let text = TrustedFile.contents("/proc/\(pid)/task/\(pid)/children") ?? []
        return text.split(separator: UInt8(ascii: " ")).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
    }

    private static func numbers(in path: UnsafePointer<CChar>) -> [Int32]? {
        guard let folder = opendir(path) else { return nil }
        defer { closedir(folder) }
        var found: [Int32] = []
        while let entry = readdir(folder) {
            if let number = Int32(DirectoryEntry.name(entry)) { found.append(number) }
        }
        return found
    }
}
