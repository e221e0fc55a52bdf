internal import Glibc
internal import Synchronization

/// Whether other sessions of the same state folder are alive: their programs change names too, and not by our hands.
///
/// A page that all supervisors share counts sessions that have begun or ended; when the count has changed, it is looked
/// up who is there. A session is counted before its program runs.
package final class Neighbours: @unchecked Sendable {
    // @unchecked: `count` is only touched through atomics, and mapped for as long as we live.
    private let count: UnsafeMutablePointer<Atomic<UInt64>>
    private let state: StateDirectory
    private let own: String
    /// The count at the last look, and 1 in the lowest bit where somebody was there.
    private let known = Atomic<UInt64>(.max)

    /// To be made once the session's own directory is there.
    package init(_ session: String, in state: StateDirectory) throws(StoreError) {
        self.state = state
        own = session
        let path = state.path + "/live"
        let file = try check("open", path) { openat(state.descriptor, "live", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode_t(0o600)) }
        defer { close(file) }
        _ = try check("ftruncate", path) { ftruncate(file, 4096) }
        guard let page = mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), page != MAP_FAILED else {
            throw .system(call: "mmap", object: path, errno: errno)
        }
        count = page.bindMemory(to: Atomic<UInt64>.self, capacity: 1)
        count.pointee.add(1, ordering: .sequentiallyConsistent)
    }

    deinit { munmap(count, 4096) }

    /// The session has ended, and its lock with it.
    package func leave() { count.pointee.add(1, ordering: .sequentiallyConsistent) }

    /// No system call, unless a session has begun or ended since the last time.
    package var areAbsent: Bool {
        let now = count.pointee.load(ordering: .sequentiallyConsistent) << 1
        let last = known.load(ordering: .relaxed)
        if last & ~1 == now { return last & 1 == 0 }
        let somebody = isAnybodyElse()
        known.store(now | (somebody ? 1 : 0), ordering: .relaxed)
        return !somebody
    }

    /// Another session of the same state folder that is alive.
    package struct Other: Sendable {
        package let id: String
        package let path: String
        fileprivate let state: StateDirectory
        package var isAlive: Bool { SessionDirectory.isLive(id, in: state) }
    }

    /// Nil where nobody can tell.
    package var others: [Other]? {
        do throws(StoreError) {
            return try SessionDirectory.all(in: state).filter { $0 != own && SessionDirectory.isLive($0, in: state) }
                .map { Other(id: $0, path: state.sessions + "/" + $0, state: state) }
        } catch { return nil }
    }

    private func isAnybodyElse() -> Bool {
        do throws(StoreError) {
            for id in try SessionDirectory.all(in: state) where id != own && SessionDirectory.isLive(id, in: state) { return true }
            return false
        } catch { return true }
    }
}
