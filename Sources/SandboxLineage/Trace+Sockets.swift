/// Who serves an address of this machine, and who has talked to it.
struct SocketEnds {
    var servers: [Edge] = []
    var clients: [Edge] = []
}

extension Trace {
    /// All who had to do with a socket that was asked for: what they had may have gone there, what they did may have come of it.
    mutating func users(of socket: ObjectID, _ bound: UInt64, _ depth: Int) throws(Source.Failure) {
        for edge in try edges(of: socket, [.connected, .sent, .bound, .accepted]) {
            guard let life = try source.process(edge.process) else { continue }
            visit(.process(edge.process), direction == .upstream ? min(bound, life.ended ?? .max) : max(bound, edge.first), depth + 1)
            record(edge, end: socket)
        }
    }

    /// The others at a socket of this machine: who served it while somebody was connected. `edge`: whose end we come from.
    mutating func peers(
        of object: ObjectID, _ depth: Int, as edge: Edge, bound: (UInt64) -> UInt64
    ) throws(Source.Failure) {
        let ends = try socketEnds(object)
        if edge.relations.isDisjoint(with: .serving) {
            for server in ends.servers { try meet(server, edge, at: object, depth, from: edge, bound) }
        } else {
            for client in ends.clients { try meet(edge, client, at: object, depth, from: edge, bound) }
        }
    }

    private mutating func meet(
        _ server: Edge, _ client: Edge, at object: ObjectID, _ depth: Int, from edge: Edge, _ bound: (UInt64) -> UInt64
    ) throws(Source.Failure) {
        guard client.last >= server.first, server.process != client.process, let life = try source.process(server.process),
            client.first <= life.ended ?? .max, let clientLife = try source.process(client.process)
        else { return }
        let end = direction == .upstream ? min(life.ended ?? .max, clientLife.ended ?? .max) : client.first
        let other = edge.process == server.process ? client : server
        visit(.process(other.process), bound(end), depth + 1)
        record(other, end: object)
    }

    private mutating func socketEnds(_ socket: ObjectID) throws(Source.Failure) -> SocketEnds {
        if let known = sockets[socket] { return known }
        var ends = SocketEnds()
        ends.servers = try edges(of: socket, .serving)
        if !ends.servers.isEmpty { ends.clients = try edges(of: socket, [.connected, .sent]) }
        sockets[socket] = ends
        return ends
    }

    private mutating func record(_ edge: Edge, end socket: ObjectID) {
        switch direction {
        case .upstream: record(edge, .process(edge.process), .object(socket))
        case .downstream: record(edge, .object(socket), .process(edge.process))
        }
    }
}
