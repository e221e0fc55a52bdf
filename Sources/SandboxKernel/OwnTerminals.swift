internal import CShims
internal import Glibc
internal import Synchronization

/// The terminals that are the session's: what it was started on, and what it makes.
///
/// The number of a pseudo-terminal is somebody else's soon after it has gone. Its name in `/dev/pts` goes with it: that is held here, without
/// being opened, and as long as it is a name, the number is the session's.
package final class OwnTerminals: Sendable {
    /// By device number; -1 for those whose number stays what it is.
    private let known = Mutex<[UInt64: Int32]>([:])

    package func contains(_ subject: FileSubject) -> Bool {
        subject.terminal.map { contains($0, device: subject.device, inode: subject.inode) } ?? false
    }

    func contains(_ number: UInt64, device: UInt64, inode: UInt64) -> Bool {
        guard let name = known.withLock({ $0[number] }) else { return false }
        var st = stat()
        return name < 0 || OwnTerminals.isThere(name, &st) && UInt64(st.st_dev) == device && UInt64(st.st_ino) == inode
    }

    /// The terminals behind our standard streams, which the session inherits, and the one that controls us.
    package func insertInherited() {
        let path = PathBuffer()
        for fd: Int32 in 0...2 {
            path.setDescriptor(fd)
            insert(sbx_openat(At.workingDirectory, path.base, Flag.path | Flag.closeOnExec, 0))
        }
        do throws(Errno) {
            let own = try ProcessState.terminal(of: getpid())
            if own == 0 { return }
            if !OwnTerminals.comesAndGoes(own) { return known.withLock { $0[own] = -1 } }
            path.setTerminal(own)
            let name = sbx_openat(At.workingDirectory, path.base, Flag.path | Flag.closeOnExec, 0)
            var st = stat()
            if sbx_fstat(name, &st) == 0, UInt64(st.st_rdev) != own { _ = sbx_close(name) } else { insert(name) }
        } catch {}
    }

    /// The other end of a pair that `/dev/ptmx` has just made, ioctl_tty(2).
    func insert(peerOf master: Int32) { insert(sbx_terminal_peer(master)) }

    /// Takes the name over.
    private func insert(_ name: Int32) {
        var st = stat()
        let isTerminal = sbx_fstat(name, &st) == 0 && st.st_mode & S_IFMT == S_IFCHR, number = UInt64(st.st_rdev)
        guard isTerminal, OwnTerminals.comesAndGoes(number) else {
            if name >= 0 { _ = sbx_close(name) }
            if isTerminal { known.withLock { $0[number] = -1 } }
            return
        }
        known.withLock { known in
            known = known.filter { one in
                var st = stat()
                if one.value < 0 || one.key != number && OwnTerminals.isThere(one.value, &st) { return true }
                _ = sbx_close(one.value)
                return false
            }
            known[number] = name
        }
    }

    private static func isThere(_ name: Int32, _ st: inout stat) -> Bool { sbx_fstat(name, &st) == 0 && st.st_nlink > 0 }

    /// Pseudo-terminals, devices.txt.
    private static func comesAndGoes(_ number: UInt64) -> Bool { (136...143).contains(number >> 8 & 0xfff) }
}

extension PathBuffer {
    /// The name of a pseudo-terminal, pts(4).
    func setTerminal(_ number: UInt64) {
        clear()
        append("/dev/pts/")
        append(decimal: Int32(truncatingIfNeeded: number & 0xff | number >> 12 & 0xfff00))
    }
}
