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
        /// A descriptor, or memory, may have come by fork: whether it was used, or closed at once, the trail does not know.
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
    /// At these nodes there is more than was looked at, and how much; at least so much where nobody has counted on.
    package var more: [NodeID: Int] = [:]
    package var uncounted: Set<NodeID> = []
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
    /// How much may still be looked at.
    private var left: Int
    /// The sides of each pipe and each socket that was met.
    var pipes: [ObjectID: PipeEnds] = [:]
    var sockets: [ObjectID: SocketEnds] = [:]
    /// What has come of a process by fork alone, and which pipes the program made for others.
    var forked: [ProcessID: [ProcessLife]] = [:]
    var made: [ProcessID: [(pipe: ObjectID, edge: Edge)]] = [:]
    /// Of those, who took something in or gave something out, and what.
    var busy: [ProcessID: [(life: ProcessLife, touched: [Edge])]] = [:]

    private init(_ source: Source, _ direction: Direction, _ roots: [NodeID], _ limits: TraceLimits) {
        self.source = source
        self.direction = direction
        self.limits = limits
        left = limits.rows
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
            if depth >= limits.depth { continue }
            if !trace.spend(1) { break }
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
        for edge in try edges(of: object, [.wrote, .created]) where edge.first <= bound {
            guard let life = try source.process(edge.process) else { continue }
            let until = min(bound, life.ended ?? .max)
            visit(.process(edge.process), until, depth + 1)
            record(edge, .process(edge.process), .object(object))
            try writers(below: edge, until: until, depth)
        }
    }

    /// What was forked after a file had been opened for writing, and ran no program of its own, may have written to it as well.
    /// What a program found open when it began is on record, as far as it is a standard stream.
    private mutating func writers(below edge: Edge, until bound: UInt64, _ depth: Int) throws(Source.Failure) {
        for child in try forks(of: edge.process) where child.started >= edge.first && child.started <= bound {
            if answer.nodes.count >= limits.nodes { return answer.isCut = true }
            visit(.process(child.id), min(bound, child.ended ?? .max), depth + 1)
            record(child, wroteTo: edge.object)
        }
    }

    private mutating func inputs(of process: ProcessID, until bound: UInt64, _ depth: Int) throws(Source.Failure) {
        for edge in try edges(of: process, .inward) where edge.first <= bound {
            switch try source.kind(of: edge.object) {
            case .socket:
                visit(.object(edge.object), bound, depth + 1, isEnd: true)
                try peers(of: edge.object, depth, as: edge) { min(bound, $0) }
            // What comes through a pipe comes after it was opened.
            case .pipe: visit(.object(edge.object), bound, depth + 1)
            case .file where edge.relations.contains(.fifo): visit(.object(edge.object), bound, depth + 1)
            case .file, .system: visit(.object(edge.object), min(bound, edge.last), depth + 1)
            }
            record(edge, .object(edge.object), .process(process))
        }
        try throughPipes(process, until: bound, depth)
        try throughForks(process, until: bound, depth)
        guard let life = try source.process(process), let parent = life.parent, try source.process(parent) != nil else { return }
        visit(.process(parent), min(bound, life.started), depth + 1)
        record(Flow(from: .process(parent), to: .process(process), kind: .started, first: life.started, last: life.started, count: 1))
    }

    // MARK: Downstream: `bound` is the earliest time that counts

    private mutating func uses(of object: ObjectID, from bound: UInt64, _ depth: Int) throws(Source.Failure) {
        switch try source.kind(of: object) {
        case .system: return
        case .socket: return try users(of: object, bound, depth)
        case .pipe: return try ends(of: object, bound, depth)
        case .file: break
        }
        for edge in try edges(of: object, [.read, .ran]) where edge.last >= bound || edge.relations.contains(.fifo) {
            guard let life = try source.process(edge.process), life.ended ?? .max >= bound else { continue }
            visit(.process(edge.process), max(bound, edge.first), depth + 1)
            record(edge, .object(object), .process(edge.process))
        }
    }

    private mutating func outputs(of process: ProcessID, from bound: UInt64, _ depth: Int) throws(Source.Failure) {
        for edge in try edges(of: process, .outward) {
            // All but a datagram go on for as long as somebody holds them open.
            if edge.relations.isSubset(of: .sent), edge.last < bound { continue }
            if try source.kind(of: edge.object) == .socket {
                visit(.object(edge.object), bound, depth + 1, isEnd: true)
                try peers(of: edge.object, depth, as: edge) { max(bound, $0) }
            } else {
                visit(.object(edge.object), max(bound, edge.first), depth + 1)
            }
            record(edge, .process(process), .object(edge.object))
        }
        for child in try children(of: process) where child.started >= bound {
            visit(.process(child.id), max(bound, child.started), depth + 1)
            record(
                Flow(from: .process(process), to: .process(child.id), kind: .started, first: child.started, last: child.started, count: 1))
        }
        try throughPipes(process, from: bound, depth)
        try throughForks(process, from: bound, depth)
        guard let life = try source.process(process), !life.hasRun else { return }
        for edge in try openBefore(life) {
            visit(.object(edge.object), max(bound, edge.first), depth + 1)
            record(life, wroteTo: edge.object)
        }
    }

    /// The files that those had open for writing of whom a process has come by fork alone.
    private mutating func openBefore(_ process: ProcessLife) throws(Source.Failure) -> [Edge] {
        var found: [Edge] = []
        var life = process
        while !life.hasRun, let parent = life.parent, parent < life.id, let above = try source.process(parent) {
            found += try edges(of: parent, [.wrote, .created]).filter { $0.first <= life.started }
            life = above
        }
        return found
    }

    mutating func record(_ process: ProcessLife, wroteTo object: ObjectID) {
        let ends = (NodeID.process(process.id), NodeID.object(object))
        record(Flow(from: ends.0, to: ends.1, kind: .descriptor, first: process.started, last: process.started, count: 1))
    }

    // MARK: The answer

    mutating func edges(of object: ObjectID, _ relations: Relations) throws(Source.Failure) -> [Edge] {
        try take(source.edges(of: object, relations, limit: limits.edges), at: .object(object))
    }

    mutating func edges(of process: ProcessID, _ relations: Relations) throws(Source.Failure) -> [Edge] {
        try take(source.edges(of: process, relations, limit: limits.edges), at: .process(process))
    }

    private mutating func take(_ found: Edges, at node: NodeID) -> [Edge] {
        if found.more > 0 {
            answer.more[node] = max(answer.more[node] ?? 0, found.more)
            if !found.isCounted { answer.uncounted.insert(node) }
            answer.isCut = true
        }
        guard spend(found.edges.count) else { return [] }
        return limits.since == 0 ? found.edges : found.edges.filter { $0.last >= limits.since }
    }

    mutating func children(of process: ProcessID) throws(Source.Failure) -> [ProcessLife] {
        let found = try source.children(of: process, limit: limits.children + 1)
        if found.count > limits.children { answer.isCut = true }
        return spend(found.count) ? found : []
    }

    /// False where so much has been looked at that the rest is left out.
    private mutating func spend(_ rows: Int) -> Bool {
        left -= rows
        if left < 0 { answer.isCut = true }
        return left >= 0
    }

    mutating func record(_ edge: Edge, _ from: NodeID, _ to: NodeID) {
        record(Flow(from: from, to: to, kind: .access(edge.relations), first: edge.first, last: edge.last, count: edge.count))
    }

    /// After both of its nodes were visited: what leads to none that is in the answer is not in it either.
    mutating func record(_ flow: Flow) {
        guard seen[flow.from] != nil, seen[flow.to] != nil else { return }
        guard known.count < limits.flows else { return answer.isCut = true }
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
    package var flows = 40_000
    /// At one node.
    package var edges = 1000
    package var children = 10_000
    /// Edges and processes that are looked at, for the whole answer.
    package var rows = 200_000
    package init() {}
}
