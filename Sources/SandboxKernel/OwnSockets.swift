internal import Synchronization

/// The unix sockets that the session has bound: the others belong to somebody outside.
package final class OwnSockets: Sendable {
    private enum Key: Hashable {
        case file(device: UInt64, inode: UInt64)
        case abstract([UInt8])
    }
    private let known = Mutex<Set<Key>>([])
    private static let limit = 1 << 16

    func insert(device: UInt64, inode: UInt64) { insert(.file(device: device, inode: inode)) }
    func insert(abstract name: [UInt8]) { insert(.abstract(name)) }

    /// Where there are too many to know them all, the rest count as somebody else's.
    private func insert(_ key: Key) { known.withLock { if $0.count < OwnSockets.limit { _ = $0.insert(key) } } }

    package func contains(device: UInt64, inode: UInt64) -> Bool { known.withLock { $0.contains(.file(device: device, inode: inode)) } }
    package func contains(abstract name: [UInt8]) -> Bool { known.withLock { $0.contains(.abstract(name)) } }
}
