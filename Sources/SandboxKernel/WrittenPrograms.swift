internal import Synchronization

/// The files that a session made, wrote, made executable, or gave a name to, as far as somebody may execute them; and those it
/// was given to write to.
package final class WrittenPrograms: Sendable {
    private struct Key: Hashable {
        let device, inode: UInt64
    }
    private let known = Mutex<Set<Key>>([])
    private static let limit = 1 << 16

    package func insert(device: UInt64, inode: UInt64) {
        known.withLock { if $0.count < WrittenPrograms.limit { _ = $0.insert(Key(device: device, inode: inode)) } }
    }

    /// Where there were too many to know them all, every file may be one of them.
    package func contains(device: UInt64, inode: UInt64) -> Bool {
        known.withLock { $0.count >= WrittenPrograms.limit || $0.contains(Key(device: device, inode: inode)) }
    }
}
