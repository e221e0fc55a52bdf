/// Which way to follow data.
package enum Direction: Sendable {
    case upstream, downstream
}

/// One step of data in an answer: out of `from`, into `to`.
package struct Flow: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// An access to a file or a socket.
        case access(Relations)
        /// A process was started by another.
        case started
        /// A descriptor may have come by fork: whether it was used, or closed at once, the trail does not know.
        case descriptor
    }

    package var from: NodeID
    package var to: NodeID
    package var kind: Kind
    package var first: UInt64
    package var last: UInt64
    package var count: UInt64

    package init(from: NodeID, to: NodeID, kind: Kind, first: UInt64, last: UInt64, count: UInt64) {
        self.from = from
        self.to = to
        self.kind = kind
        self.first = first
        self.last = last
        self.count = count
    }
}

package struct Answer: Sendable {
    package var direction: Direction
    /// Where it began.
    package var roots: [NodeID]
    /// Nodes in the order in which they were met, with the depth.
    package var nodes: [(id: NodeID, depth: Int)] = []
    package var flows: [Flow] = []
    /// There is more than was followed.
    package var isCut = false
}

/// Follows data through the graph, in the order of time.
///
/// What a file was made of is what its writers had read before or while they wrote it. The trail does not know when a
/// descriptor is closed, so a process counts as writing until it ends, or until somebody who read the file had opened it.
/// A process has what its parent had when it was started. Of a connection to a server of the same machine, each side gets
/// what the other had; of one that leads elsewhere, nothing but its name is known.
package struct Trace<Source: GraphSource> {
    let source: Source
    let direction: Direction
    let limits: TraceLimits
    private var answer: Answer
    /// How far each node has been followed: again only where a later visit sees more.
    private var seen: [NodeID: UInt64] = [:]
    private var known: Set<Flow> = []
    private var open: [(node: NodeID, bound: UInt64, depth: Int)] = []
    private var steps = 0
    /// The sides of each pipe that was met.
    var pipes: [ObjectID: PipeEnds] = [:]

    private init(_ source: Source, _ direction: Direction, _ roots: [NodeID], _ limits: TraceLimits) {
        self.source = source
        self.direction = direction
        self.limits = limits
        answer = Answer(direction: direction, roots: roots)
    }

    package static func follow(
        _ direction: Direction, from roots: [NodeID], in source: Source, limits: TraceLimits = TraceLimits()
    ) throws(Source.Failure) -> Answer {
        var trace = Trace(source, direction, roots, limits)
        for root in roots { trace.visit(root, direction == .upstream ? .max : limits.since, 0) }
        var next = 0
        while next < trace.open.count {
            let (node, bound, depth) = trace.open[next]
            next += 1
            trace.steps += 1
            if trace.steps > 4 * limits.nodes { break }
            if depth >= limits.depth { continue }
            switch (node, direction) {
            case (.object(let id), .upstream): try trace.origins(of: id, until: bound, depth)
            case (.process(let id), .upstream): try trace.inputs(of: id, until: bound, depth)
            case (.object(let id), .downstream): try trace.uses(of: id, from: bound, depth)
            case (.process(let id), .downstream): try trace.outputs(of: id, from: bound, depth)
            }
        }
        trace.answer.isCut = trace.answer.isCut || next < trace.open.count
        return trace.answer
    }

    // MARK: Upstream: `bound` is the latest time that counts

    private mutating func origins(of object: ObjectID, until bound: UInt64, _ depth: Int) throws(Source.Failure) {
        switch try source.kind(of: object) {
        case .system: return
        case .socket: return try users(of: object, bound, depth)
        case .pipe: return try ends(of: object, bound, depth)
        case .file: break
        }
        for edge in try take(source.edges(of: object, [.wrote, .created], limit: limits.edges)) where edge.first <= bound {
            guard let life = try source.process(edge.process) else { continue }
            record(edge, .process(edge.process), .object(object))
            let until = min(bound, life.ended ?? .max)
            visit(.process(edge.process), until, depth + 1)
            try writers(below: edge, until: until, depth)
        }
    }

    /// What was forked after a file had been opened for writing, and ran no program of its own, may have written to it as well.
    /// What a program found open when it began is on record, as far as it is a standard stream.
    private mutating func writers(below edge: Edge, until bound: UInt64, _ depth: Int) throws(Source.Failure) {
        for child in try forks(of: edge.process) where child.started >= edge.first && child.started <= bound {
            if answer.nodes.count >= limits.nodes { return answer.isCut = true }
            record(child, wroteTo: edge.object)
            visit(.process(child.id), min(bound, child.ended ?? .max), depth + 1)
        }
    }

    /// All that has come of a process by fork alone.
    func forks(of process: ProcessID) throws(Source.Failure) -> [ProcessLife] {
        var found: [ProcessLife] = []
        var left = [process]
        while let next = left.popLast() {
            for child in try source.children(of: next) where !child.hasRun && child.id > next {
                found.append(child)
                left.append(child.id)
            }
        }
        return found
    }

    private mutating func inputs(of process: ProcessID, until bound: UInt64, _ depth: Int) throws(Source.Failure) {
        for edge in try take(source.edges(of: process, .inward, limit: limits.edges)) where edge.first <= bound {
            record(edge, .object(edge.object), .process(process))
            switch try source.kind(of: edge.object) {
            case .socket:
                try peers(of: edge.object, depth, as: edge) { min(bound, $0) }
                visit(.object(edge.object), bound, depth + 1, isEnd: true)
            // What comes through a pipe comes after it was opened.
            case .pipe: visit(.object(edge.object), bound, depth + 1)
            case .file, .system: visit(.object(edge.object), min(bound, edge.last), depth + 1)
            }
        }
        try throughPipes(process, until: bound, depth)
        guard let life = try source.process(process), let parent = life.parent, try source.process(parent) != nil else { return }
        record(Flow(from: .process(parent), to: .process(process), kind: .started, first: life.started, last: life.started, count: 1))
        visit(.process(parent), min(bound, life.started), depth + 1)
    }

    // MARK: Downstream: `bound` is the earliest time that counts

    private mutating func uses(of object: ObjectID, from bound: UInt64, _ depth: Int) throws(Source.Failure) {
        switch try source.kind(of: object) {
        case .system: return
        case .socket: return try users(of: object, bound, depth)
        case .pipe: return try ends(of: object, bound, depth)
        case .file: break
        }
        for edge in try take(source.edges(of: object, [.read, .ran], limit: limits.edges)) where edge.last >= bound {
            guard try source.process(edge.process) != nil else { continue }
            record(edge, .object(object), .process(edge.process))
            visit(.process(edge.process), max(bound, edge.first), depth + 1)
        }
    }

    private mutating func outputs(of process: ProcessID, from bound: UInt64, _ depth: Int) throws(Source.Failure) {
        for edge in try take(source.edges(of: process, .outward, limit: limits.edges)) {
            // All but a datagram go on for as long as somebody holds them open.
            if edge.relations.isSubset(of: .sent), edge.last < bound { continue }
            record(edge, .process(process), .object(edge.object))
            if try source.kind(of: edge.object) == .socket {
                try peers(of: edge.object, depth, as: edge) { max(bound, $0) }
                visit(.object(edge.object), bound, depth + 1, isEnd: true)
            } else {
                visit(.object(edge.object), max(bound, edge.first), depth + 1)
            }
        }
        for child in try source.children(of: process) where child.started >= bound {
            record(
                Flow(from: .process(process), to: .process(child.id), kind: .started, first: child.started, last: child.started, count: 1))
            visit(.process(child.id), max(bound, child.started), depth + 1)
        }
        try throughPipes(process, from: bound, depth)
        guard let life = try source.process(process), !life.hasRun else { return }
        for edge in try openBefore(life) {
            record(life, wroteTo: edge.object)
            visit(.object(edge.object), max(bound, edge.first), depth + 1)
        }
    }

    /// The files that those had open for writing of whom a process has come by fork alone.
    private func openBefore(_ process: ProcessLife) throws(Source.Failure) -> [Edge] {
        var found: [Edge] = []
        var life = process
        while !life.hasRun, let parent = life.parent, parent < life.id, let above = try source.process(parent) {
            found += try source.edges(of: parent, [.wrote, .created], limit: limits.edges).filter { $0.first <= life.started }
            life = above
        }
        return found
    }

    mutating func record(_ process: ProcessLife, wroteTo object: ObjectID) {
        let ends = (NodeID.process(process.id), NodeID.object(object))
        record(Flow(from: ends.0, to: ends.1, kind: .descriptor, first: process.started, last: process.started, count: 1))
    }

    // MARK: Sockets

    /// All who had to do with a socket that was asked for: what they had may have gone there, what they did may have come of it.
    private mutating func users(of socket: ObjectID, _ bound: UInt64, _ depth: Int) throws(Source.Failure) {
        for edge in try take(source.edges(of: socket, [.connected, .sent, .bound, .accepted], limit: limits.edges)) {
            guard let life = try source.process(edge.process) else { continue }
            record(edge, end: socket)
            visit(.process(edge.process), direction == .upstream ? min(bound, life.ended ?? .max) : max(bound, edge.first), depth + 1)
        }
    }

    /// The others at a socket of this machine: who served it while somebody was connected. `edge`: whose end we come from.
    private mutating func peers(
        of object: ObjectID, _ depth: Int, as edge: Edge, bound: (UInt64) -> UInt64
    ) throws(Source.Failure) {
        let servers = try take(source.edges(of: object, .serving, limit: limits.edges))
        if servers.isEmpty { return }
        let clients = try take(source.edges(of: object, [.connected, .sent], limit: limits.edges))
        for server in servers {
            guard let life = try source.process(server.process) else { continue }
            for client in clients where client.last >= server.first && client.first <= life.ended ?? .max {
                guard edge.process == server.process || edge.process == client.process,
                    let clientLife = try source.process(client.process)
                else { continue }
                let end = direction == .upstream ? min(life.ended ?? .max, clientLife.ended ?? .max) : client.first
                for side in [server, client] where side.process != edge.process {
                    record(side, end: object)
                    visit(.process(side.process), bound(end), depth + 1)
                }
            }
        }
    }

    private mutating func record(_ edge: Edge, end socket: ObjectID) {
        switch direction {
        case .upstream: record(edge, .process(edge.process), .object(socket))
        case .downstream: record(edge, .object(socket), .process(edge.process))
        }
    }

    // MARK: The answer

    mutating func take(_ edges: [Edge]) -> [Edge] {
        if edges.count >= limits.edges { answer.isCut = true }
        return limits.since == 0 ? edges : edges.filter { $0.last >= limits.since }
    }

    mutating func record(_ edge: Edge, _ from: NodeID, _ to: NodeID) {
        record(Flow(from: from, to: to, kind: .access(edge.relations), first: edge.first, last: edge.last, count: edge.count))
    }

    mutating func record(_ flow: Flow) {
        if known.insert(flow).inserted { answer.flows.append(flow) }
    }

    mutating func visit(_ node: NodeID, _ bound: UInt64, _ depth: Int, isEnd: Bool = false) {
        if let before = seen[node] {
            guard !isEnd, direction == .upstream ? bound > before : bound < before else { return }
        } else {
            if answer.nodes.count >= limits.nodes { return answer.isCut = true }
            answer.nodes.append((node, depth))
        }
        seen[node] = bound
        if !isEnd { open.append((node, bound, depth)) }
    }
}

package struct TraceLimits: Sendable {
    package var depth = Int.max
    /// Only what has happened since.
    package var since: UInt64 = 0
    package var nodes = 2000
    package var edges = 1000
    package init() {}
}
