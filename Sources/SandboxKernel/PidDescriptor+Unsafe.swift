internal import CShims
internal import Glibc

/// `pidfd_send_signal(2)` on a caller's behalf: on a duplicate of its descriptor, so that what is looked at is what
/// is signalled.
package enum PidDescriptor {
    /// To be closed.
    package static func open(_ pid: Int32) throws(Errno) -> Int32 { try Errno.check(sbx_pidfd_open(pid, 0)) }

    /// One that leads to a thread's own descriptors, where the kernel can say so (`PIDFD_THREAD`, Linux 6.9): its process's first thread
    /// may have others, or none because it has ended.
    static func thread(_ tid: Int32, of pid: Int32) throws(Errno) -> Descriptor {
        let pidfd = sbx_pidfd_open(tid, UInt32(SBX_PIDFD_THREAD))
        return try Descriptor(pidfd < 0 ? sbx_pidfd_open(pid, 0) : pidfd)
    }

    package static func kill(_ pidfd: Int32) { _ = sbx_pidfd_send_signal(pidfd, SIGKILL) }

    /// 0 or `-errno`; `EPERM` for a process outside the session.
    package static func signal(_ fd: Int32, _ signal: Int32, of caller: Caller, tasks: TaskTable) -> Int32 {
        do throws(Errno) {
            let owner = try thread(caller.tid, of: caller.pid)
            let theirs = try Descriptor(sbx_pidfd_getfd(owner.number, fd))
            guard tasks.serial(of: try process(theirs.number)) != 0 else { return -EPERM }
            return sbx_pidfd_send_signal(theirs.number, signal)
        } catch {
            return -error.code
        }
    }

    /// The `Pid:` line of the descriptor's fdinfo (pidfd_open(2)).
    private static func process(_ pidfd: Int32) throws(Errno) -> Int32 {
        let text = PathBuffer()
        text.append("/proc/self/fdinfo/")
        text.append(decimal: pidfd)
        let file = try Descriptor(sbx_openat(At.workingDirectory, text.base, O_RDONLY | Flag.closeOnExec, 0))
        let n = sbx_read(file.number, text.base, 4096)
        guard n > 0 else { throw Errno(EBADF) }
        text.setCount(n)
        for line in text.text.split(separator: 0x0a) where line.starts(with: "Pid:".utf8) {
            return line.reduce(0) { 0x30...0x39 ~= $1 ? $0 &* 10 &+ Int32($1 - 0x30) : $0 }
        }
        throw Errno(EBADF)
    }
}

/// A few bytes for a tracee's own standard error.
package enum TraceeOutput {
    /// Writes what fits at once; a full pipe loses the text, never our time: the tracer writes this, and whatever it is
    /// that the tracee calls its standard error, a call that waits would hold the whole session.
    package static func write(_ text: [UInt8], toStandardErrorOf caller: Caller) {
        guard let owner = try? PidDescriptor.thread(caller.tid, of: caller.pid) else { return }
        let fd = sbx_pidfd_getfd(owner.number, 2)
        guard fd >= 0 else { return }
        defer { _ = sbx_close(fd) }
        var st = stat()
        guard sbx_fstat(fd, &st) == 0 else { return }
        text.prefix(4096).withUnsafeBufferPointer { bytes in
            switch st.st_mode & S_IFMT {
            case S_IFREG: _ = sbx_write(fd, bytes.baseAddress, bytes.count)
            case S_IFSOCK: _ = send(fd, bytes.baseAddress, bytes.count, MSG_DONTWAIT_ | MSG_NOSIGNAL_)
            case S_IFIFO, S_IFCHR: writeWithoutWaiting(bytes, fd)
            default: break  // an eventfd and its like
            }
        }
    }

    /// A pipe can do that by itself; a terminal cannot. O_NONBLOCK belongs to an open file that others share, so that it takes one
    /// of our own (which would be refused for a pipe that `sudo -u` brought along: it is root's). What poll(2) says is no help:
    /// there may be room for one byte of a terminal, or somebody else may fill the pipe first.
    private static func writeWithoutWaiting(_ bytes: UnsafeBufferPointer<UInt8>, _ fd: Int32) {
        if sbx_write_at_once(fd, bytes.baseAddress, bytes.count) != -Int(EOPNOTSUPP) { return }
        let path = PathBuffer()
        path.append("/proc/self/fd/")
        path.append(decimal: fd)
        let own = sbx_openat(
            At.workingDirectory, path.base,
            O_WRONLY | O_NONBLOCK | Flag.closeOnExec | Flag.noControllingTerminal, 0)
        guard own >= 0 else { return }
        _ = sbx_write(own, bytes.baseAddress, bytes.count)
        _ = sbx_close(own)
    }
}
