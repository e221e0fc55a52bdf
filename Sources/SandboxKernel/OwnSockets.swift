internal import CShims
internal import Glibc
internal import Synchronization

/// The unix sockets that the session has bound: the others belong to somebody outside.
package final class OwnSockets: Sendable {
    enum Key: Hashable {
        case file(device: UInt64, inode: UInt64)
        case abstract([UInt8])
    }
    /// Where a socket was last seen: somebody's descriptor, and the number of what should be behind it.
    struct Place {
        var process: Int32, descriptor: Int32
        let socket: UInt64
        /// So many of the session are talking to it right now (`admitting`).
        var guests = 0
    }
    private let known = Mutex<[Key: Place]>([:])
    private static let limit = 1 << 16

    /// Where there are too many to know them all, the rest count as somebody else's.
    func insert(_ key: Key, _ place: Place) { known.withLock { if $0.count < OwnSockets.limit { $0[key] = place } } }

    /// It still lives: then its name, or its file's number, is nobody else's.
    func contains(_ key: Key, _ tasks: TaskTable) -> Bool {
        let socket = find(key, tasks)
        if socket >= 0 { _ = sbx_close(socket) }
        return socket >= 0
    }

    package func contains(device: UInt64, inode: UInt64, _ tasks: TaskTable) -> Bool {
        contains(.file(device: device, inode: inode), tasks)
    }
    package func contains(abstract name: [UInt8], _ tasks: TaskTable) -> Bool { contains(.abstract(name), tasks) }

    /// A bound socket takes no descriptors (`SocketWork.takeNoDescriptors`), and neither does a connection to it that begins so.
    /// For the session's own, `socket`, it does while `body` runs, which never waits.
    func admitting<R>(to key: Key, _ socket: Int32, _ body: () -> R) -> R {
        count(1, key, socket)
        defer { count(-1, key, socket) }
        return body()
    }

    /// A duplicate of the socket, or -1 where the session has none of that name any more.
    func find(_ key: Key, _ tasks: TaskTable) -> Int32 {
        guard let place = known.withLock({ $0[key] }) else { return -1 }
        let socket = take(place, tasks.handle(of: place.process))
        return socket >= 0 ? socket : search(key, place, tasks)
    }

    /// A duplicate of what is there, or -1 where that is not the socket.
    private func take(_ place: Place, _ pidfd: Int32) -> Int32 {
        let socket = sbx_pidfd_getfd(pidfd, place.descriptor)
        var st = stat()
        if socket < 0 || sbx_fstat(socket, &st) == 0 && UInt64(st.st_ino) == place.socket { return max(socket, -1) }
        _ = sbx_close(socket)
        return -1
    }

    /// Who has bound it may have handed it on to the one who serves it, and closed its own; or is a thread with descriptors of its own.
    private func search(_ key: Key, _ place: Place, _ tasks: TaskTable) -> Int32 {
        for pid in ProcessList.all where tasks.serial(of: pid) != 0 {
            var held: [Holding] = []
            do throws(Errno) { held = try Holding.all(of: pid, mappings: false, threads: true).holdings } catch {}
            for one in held where one.kind == .socket && one.inode == place.socket {
                var found = place
                (found.process, found.descriptor) = (pid, one.descriptor)
                guard let owner = try? PidDescriptor.thread(one.task, of: pid) else { continue }
                let socket = take(found, owner.number)
                guard socket >= 0 else { continue }
                known.withLock {
                    $0[key]?.process = pid
                    $0[key]?.descriptor = one.descriptor
                }
                return socket
            }
        }
        return -1
    }

    private func count(_ step: Int, _ key: Key, _ socket: Int32) {
        known.withLock { known in
            let guests = max(0, (known[key]?.guests ?? 0) + step)
            known[key]?.guests = guests
            _ = sbx_setsockopt_int(socket, SOL_SOCKET, SocketWork.passRights, guests > 0 ? 1 : 0)
        }
    }
}
