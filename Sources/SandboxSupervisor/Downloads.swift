internal import SandboxLineage
internal import SandboxPolicy
internal import Synchronization

/// Which files and programs have something from the network, as far as it is known who writes where: what `proc.exec_downloaded` rests on.
///
/// The graph of who gives to whom is asked when a program starts: so it does not matter what came first, the file that was opened or the
/// connection. It is kept only where a rule asks.
final class Downloads: Sendable {
    typealias Node = DownloadGraph.Node

    private struct State {
        var graph = DownloadGraph()
        /// By the number of a socket.
        var hosts: [UInt64: [Facts.Destination]] = [:]
    }
    private let state = Mutex(State())
    private static let mostHosts = 64

    /// What came from the network, and from where as far as that is known.
    struct Origin {
        var hosts: [Facts.Destination] = []
        var isSure = true
    }

    func started(_ serial: UInt32, parent: UInt32) { state.withLock { $0.graph.started(serial, parent: parent) } }

    /// `reads`, `writes`: what it finds open or is given by name.
    func became(_ serial: UInt32, reads: [Node], writes: [Node]) {
        state.withLock { $0.graph.became(serial, reads: reads, writes: writes) }
    }

    func ended(_ serial: UInt32) { state.withLock { $0.graph.ended(serial) } }

    func opened(_ node: Node, by serial: UInt32, reads: Bool, writes: Bool, isNew: Bool = false) {
        state.withLock { $0.graph.opened(node, by: serial, reads: reads, writes: writes, isNew: isNew) }
    }

    /// True where an interpreter runs what it has from the one that connects now.
    func connects(_ serial: UInt32, by socket: UInt64, to host: Facts.Destination) -> Bool {
        state.withLock { state in
            let known = state.hosts[socket, default: []]
            if !state.graph.isFull, !known.contains(host) {
                state.hosts[socket] = (known.count < Self.mostHosts ? known : Array(known.dropFirst())) + [host]
            }
            return state.graph.connects(serial, by: socket)
        }
    }

    /// The connection was refused.
    func refused(_ socket: UInt64, _ host: Facts.Destination) {
        state.withLock { state in
            state.hosts[socket]?.removeAll { $0 == host }
            guard state.hosts[socket]?.isEmpty == true else { return }
            state.hosts[socket] = nil
            state.graph.forget(socket: socket)
        }
    }

    /// Nil: nothing of it is known to come from the network. `scripts`: what the process runs as an interpreter.
    func origin(of files: [Node], scripts: [Node], of serial: UInt32) -> Origin? {
        state.withLock { state in
            state.graph.runs(scripts, serial)
            let found = state.graph.origin(of: files + scripts)
            var origin = Origin()
            for socket in found.sockets { origin.hosts += (state.hosts[socket] ?? []).filter { !origin.hosts.contains($0) } }
            origin.isSure = !found.isUntold && !state.graph.isFull
            return found.sockets.isEmpty && origin.isSure ? nil : origin
        }
    }
}
