/// Who has which side of a pipe, as far as it is on record: at the standard streams of programs when they began.
struct PipeEnds {
    var writers: [Edge] = []
    var readers: [Edge] = []
    /// The one that made the pipe, or handed it on: what is not on record of the two sides is with it, or with what has come of
    /// it by fork alone. Nil where that one is not of the session.
    var maker: ProcessID?
    var isCut = false
}

/// Pipes join the programs of a pipeline, and a program with what a shell or a library reads from it or writes to it.
extension Trace {
    /// From a pipe to the other side of it.
    mutating func ends(of pipe: ObjectID, _ bound: UInt64, _ depth: Int) throws(Source.Failure) {
        let ends = try pipeEnds(pipe)
        let others = direction == .upstream ? ends.writers : ends.readers
        for edge in others {
            guard let life = try source.process(edge.process) else { continue }
            pass(to: life, bound, depth)
            switch direction {
            case .upstream: record(edge, .process(edge.process), .object(pipe))
            case .downstream: record(edge, .object(pipe), .process(edge.process))
            }
        }
        guard others.isEmpty, !ends.isCut, let maker = ends.maker else { return }
        for life in try group(of: maker) {
            pass(to: life, bound, depth)
            recordPerhaps(life, pipe, writes: direction == .upstream)
        }
    }

    /// From a process to the pipes of which it may have the side that no program was started on.
    mutating func throughPipes(_ process: ProcessID, until bound: UInt64, _ depth: Int) throws(Source.Failure) {
        for (pipe, edge) in try pipesMade(by: process) where edge.relations.contains(.wrote) && edge.first <= bound {
            guard let life = try source.process(process), try pipeEnds(pipe).readers.isEmpty else { continue }
            visit(.object(pipe), bound, depth + 1)
            recordPerhaps(life, pipe, writes: false)
        }
    }

    mutating func throughPipes(_ process: ProcessID, from bound: UInt64, _ depth: Int) throws(Source.Failure) {
        for (pipe, edge) in try pipesMade(by: process) where edge.relations.contains(.read) {
            guard let life = try source.process(process), try pipeEnds(pipe).writers.isEmpty,
                let reader = try source.process(edge.process), reader.ended ?? .max >= bound
            else { continue }
            visit(.object(pipe), max(bound, edge.first), depth + 1)
            recordPerhaps(life, pipe, writes: true)
        }
    }

    // MARK: Who has it

    private mutating func pipesMade(by process: ProcessID) throws(Source.Failure) -> [(pipe: ObjectID, edge: Edge)] {
        var found: [(ObjectID, Edge)] = []
        guard let root = try root(of: process) else { return [] }
        if let known = made[root.id] { return known }
        for member in try group(of: process) {
            for child in try children(of: member.id) where child.hasRun {
                for edge in try edges(of: child.id, .held) where try source.kind(of: edge.object) == .pipe {
                    guard let maker = try pipeEnds(edge.object).maker, try self.root(of: maker)?.id == root.id else { continue }
                    found.append((edge.object, edge))
                }
            }
        }
        made[root.id] = found
        return found
    }

    private mutating func pipeEnds(_ pipe: ObjectID) throws(Source.Failure) -> PipeEnds {
        if let known = pipes[pipe] { return known }
        let held = try edges(of: pipe, [.read, .wrote])
        var ends = PipeEnds()
        // An end of a pair of sockets is for both, and whoever has the other end has another object.
        ends.writers = held.filter { $0.relations.isSuperset(of: .wrote) && $0.relations.isDisjoint(with: .read) }
        ends.readers = held.filter { $0.relations.isSuperset(of: .read) && $0.relations.isDisjoint(with: .wrote) }
        ends.isCut = held.count >= limits.edges
        ends.maker = try maker(of: Set(held.map(\.process)))
        pipes[pipe] = ends
        return ends
    }

    /// The next above all who have it on record.
    private func maker(of holders: Set<ProcessID>) throws(Source.Failure) -> ProcessID? {
        guard let first = holders.min(), var life = try source.process(first) else { return nil }
        while let parent = life.parent, parent < life.id, let above = try source.process(parent) {
            if !holders.contains(parent) { return parent }
            life = above
        }
        return nil
    }

    /// A process and all that are the same program by fork alone, their first one first.
    private mutating func group(of process: ProcessID) throws(Source.Failure) -> [ProcessLife] {
        guard let root = try root(of: process) else { return [] }
        return try [root] + forks(of: root.id)
    }

    /// The first of those that are the same program by fork alone.
    func root(of process: ProcessID) throws(Source.Failure) -> ProcessLife? {
        guard var root = try source.process(process) else { return nil }
        while !root.hasRun, let parent = root.parent, parent < root.id, let above = try source.process(parent) { root = above }
        return root
    }

    /// All that has come of a process by fork alone.
    mutating func forks(of process: ProcessID) throws(Source.Failure) -> [ProcessLife] {
        if let known = forked[process] { return known }
        var found: [ProcessLife] = []
        var open = [process]
        while let next = open.popLast() {
            for child in try children(of: next) where !child.hasRun && child.id > next {
                found.append(child)
                open.append(child.id)
            }
        }
        forked[process] = found
        return found
    }

    private mutating func pass(to life: ProcessLife, _ bound: UInt64, _ depth: Int) {
        let node = NodeID.process(life.id)
        switch direction {
        case .upstream: visit(node, min(bound, life.ended ?? .max), depth + 1)
        case .downstream: visit(node, max(bound, life.started), depth + 1)
        }
    }

    private mutating func recordPerhaps(_ life: ProcessLife, _ pipe: ObjectID, writes: Bool) {
        let process = NodeID.process(life.id), object = NodeID.object(pipe)
        let (from, to) = writes ? (process, object) : (object, process)
        record(Flow(from: from, to: to, kind: .descriptor, first: life.started, last: life.started, count: 1))
    }
}
