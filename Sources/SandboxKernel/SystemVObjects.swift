internal import CShims
internal import Glibc
package import SandboxDecode
internal import SandboxFiles
internal import Synchronization

/// System V shared memory, semaphores and message queues (sysvipc(7)) that the session has made. Keys and ids are the
/// whole machine's, so that with them a process reaches objects of any other of its user. An object is the session's if it
/// was made here, on behalf: what the kernel tells of its maker is a process id, and those come round again.
///
/// Once an id is the session's, a call with it goes on by itself: it is a register. The id of an object that was removed
/// could come round as well, after 64 objects for each of its 65,536 sequence numbers (ipc/util.c, ipc_idr_alloc): a
/// session that makes ever more of them is told that there is no room.
package final class SystemVObjects: Sendable {
    private static let most = 100_000
    private let made = Mutex<[Set<Int32>]>(ObjectKind.allCases.map { _ in [] })

    package func isOurs(_ kind: ObjectKind, _ id: Int32) -> Bool { made.withLock { $0[kind.rawValue].contains(id) } }

    /// The bytes of the session's shared memory, in memory and swapped out, whether anybody is attached to it or not: the last two columns of
    /// `/proc/sysvipc/shm` (proc_sysvipc_shm(5)).
    package var sharedBytes: UInt64 { sharedMemory.reduce(0) { $0 &+ $1.bytes } }

    package func removeSharedMemory() { for one in sharedMemory { _ = shmctl(one.id, IPC_RMID, nil) } }

    private var sharedMemory: [(id: Int32, bytes: UInt64)] {
        let ours = made.withLock { $0[ObjectKind.sharedMemory.rawValue] }
        if ours.isEmpty { return [] }
        // Where there are too many to be listed, each counts by what it could take.
        guard let table = TrustedFile.contents("/proc/sysvipc/shm") else { return ours.map { ($0, SystemVObjects.size(ofShared: $0)) } }
        return table.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: " ")).map { UInt64(String(decoding: $0, as: UTF8.self)) }
            // The fifth is who made it: we did.
            guard fields.count >= 16, let id = fields[1].flatMap({ Int32(exactly: $0) }), ours.contains(id), fields[4] == UInt64(getpid())
            else { return nil }
            return (id, (fields[14] ?? 0) &+ (fields[15] ?? 0))
        }
    }

    private static func size(ofShared id: Int32) -> UInt64 {
        var status = shmid_ds()
        return shmctl(id, IPC_STAT, &status) == 0 ? UInt64(status.shm_segsz) : 0
    }

    /// shmget(2), semget(2), msgget(2): `≥ 0` or `-errno`; `-EACCES` for an object of somebody else's.
    package func get(
        _ kind: ObjectKind, key: Int32, size: UInt64, flags: Int32, for caller: Caller, _ context: KernelContext
    ) -> Int32 {
        let identity = Identity(context)
        do throws(Errno) {
            return try identity.assumed(caller) { () throws(Errno) in try get(kind, key, Int(truncatingIfNeeded: size), flags) }
        } catch {
            return -error.code
        }
    }

    private func get(_ kind: ObjectKind, _ key: Int32, _ size: Int, _ flags: Int32) throws(Errno) -> Int32 {
        let creates: Int32 = 0o1000, exclusive: Int32 = 0o2000  // IPC_CREAT, IPC_EXCL
        // Found by its key, or else made: what is new must be told from what was there.
        for _ in 0..<16 {
            if key == 0 /* IPC_PRIVATE */ || flags & creates != 0 {
                let id = try make(kind, key, size, flags | creates | exclusive)
                if id != -EEXIST || flags & exclusive != 0 { return id }
            }
            let id = sbx_get_object(Int32(kind.rawValue), key, size, flags & ~(creates | exclusive))
            if id >= 0 { return isOurs(kind, id) ? id : -EACCES }
            // Removed since it was in the way.
            if id != -ENOENT || flags & creates == 0 { return id }
        }
        return -EAGAIN
    }

    private func make(_ kind: ObjectKind, _ key: Int32, _ size: Int, _ flags: Int32) throws(Errno) -> Int32 {
        try made.withLock { (made) throws(Errno) in
            guard made[kind.rawValue].count < SystemVObjects.most else { throw Errno(ENOSPC) }
            let id = sbx_get_object(Int32(kind.rawValue), key, size, flags)
            if id >= 0 { made[kind.rawValue].insert(id) }
            return id
        }
    }
}
