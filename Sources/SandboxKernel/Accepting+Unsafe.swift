internal import CShims
internal import Glibc
internal import SandboxDecode
internal import SandboxModel

/// Taking a connection for the caller, accept(2): who is at its other end is looked at before the caller has it.
extension SocketWork {
    /// It would have to wait, and does not want to.
    package var isTooEarly: Bool {
        var p = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return !mayBlock && poll(&p, 1, 0) == 0
    }

    /// A descriptor of ours, or `-errno`. May wait.
    package func takeConnection() -> Int32 {
        guard case .accept(_, _, _, let flags) = call else { return -EINVAL }
        let nonBlocking = Int32(SOCK_NONBLOCK.rawValue), closeOnExec = Int32(SOCK_CLOEXEC.rawValue)
        if flags & ~(nonBlocking | closeOnExec) != 0 { return -EINVAL }
        do throws(Errno) {
            return try identity.assumed(caller) { () throws(Errno) in sbx_accept(socket, flags & nonBlocking | closeOnExec) }
        } catch { return -error.code }
    }

    /// Whether the caller wants the descriptor closed when it starts a program.
    package var closesOnExec: Bool {
        guard case .accept(_, _, _, let flags) = call else { return false }
        return flags & Int32(SOCK_CLOEXEC.rawValue) != 0
    }

    /// Writes down for the caller who is there, as much of it as it has room for, and how long that is.
    package func tell(of connection: Int32) -> Int32 {
        guard case .accept(_, let at, let lengthAt, _) = call, !at.isNull else { return 0 }
        let peer = SocketAddress()
        defer { peer.deallocate() }
        let count = sbx_getpeername(connection, peer.bytes.baseAddress, UInt32(SocketAddress.capacity))
        if count < 0 { return count }
        do throws(Errno) {
            let room = try TraceeMemory.value(caller.tid, lengthAt, 0 as Int32)
            if room < 0 { return -EINVAL }
            try TraceeMemory.write(caller.tid, at, UnsafeRawBufferPointer(rebasing: peer.bytes[..<Int(min(room, count))]))
            try TraceeMemory.write(caller.tid, lengthAt, count)
            return 0
        } catch { return -error.code }
    }
}
