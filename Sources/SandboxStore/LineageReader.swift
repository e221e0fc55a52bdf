package import SandboxLineage
internal import SandboxModel

/// Questions to the graph: a snapshot, with sessions that are still under way in it.
package final class LineageReader {
    private let turn: LineageTurn
    private let database: Database
    package let trail: TrailReader
    package let sessions: [Int64: SessionRow]
    /// Others' processes are not looked at: numbers of sessions, in their order; nil: all are.
    private let allowed: [Int64]?
    private let ofObject, ofProcess: EdgeQueries
    private let life, childLives, kinds, objectText, processText: Statement
    private var lives: [ProcessID: ProcessLife] = [:]
    private var knownKinds: [ObjectID: ObjectKind] = [:]
    private var children: [ProcessID: [ProcessLife]] = [:]
    /// So many rows more are gone through in all, to pass over others' and to say how many were left out.
    private var patience: Int

    /// `identities`: globs; none are all. `since`: what ended before is not looked at.
    package init?(_ state: StateDirectory, identities: [String] = [], since: UInt64 = 0, patience: Int = 100_000) throws(StoreError) {
        guard let reader = try TrailReader(state) else { return nil }
        turn = try LineageTurn(state)
        try LineageIngest.takeIn(state, turn)
        trail = reader
        self.patience = patience
        database = try Database(path: state.database, mode: .readWrite)
        // Taken back when we are done: a live session's edges are made anew with each question, and stored at its end.
        try database.execute("BEGIN IMMEDIATE")
        try LineageIngest.addLive(database)
        let globs = identities.map { ByteGlob($0) }
        let rows = try reader.sessions()
        sessions = Dictionary(uniqueKeysWithValues: rows.map { ($0.number, $0) })
        let chosen = rows.filter { row in
            row.ended ?? .max >= since && (globs.isEmpty || globs.contains { $0.matches(Array(row.info.identity.utf8)) })
        }
        allowed = chosen.count == rows.count ? nil : chosen.map(\.number).sorted()
        ofObject = try EdgeQueries(
            rows: database.prepare(LineageQueries.ofObject), others: database.prepare(LineageQueries.othersOfObject),
            relations: database.prepare(LineageQueries.relationsOfObject), end: 0)
        ofProcess = try EdgeQueries(
            rows: database.prepare(LineageQueries.ofProcess), others: database.prepare(LineageQueries.othersOfProcess),
            relations: database.prepare(LineageQueries.relationsOfProcess), end: 1)
        life = try database.prepare(LineageQueries.life)
        childLives = try database.prepare(LineageQueries.children)
        kinds = try database.prepare(LineageQueries.kind)
        objectText = try database.prepare(LineageQueries.object)
        processText = try database.prepare(LineageQueries.process)
    }

    deinit { try? database.execute("ROLLBACK") }

    // MARK: Targets

    /// The objects that are or were called so, of each kind the latest, those that still are first.
    package func objects(named name: [UInt8]) throws(StoreError) -> [ObjectID] {
        let select = try database.prepare(LineageQueries.named)
        var found: [ObjectID] = []
        for lives: Int64 in [1, 0] {
            for (name, kind) in [(name, ObjectKind.file), (name, .system), (LineageName.shared(name), .socket)] {
                select.bind(1, LineageName.hash(name, kind))
                select.bind(2, name)
                select.bind(3, lives)
                while try select.step() { found.append(ObjectID(rawValue: select.integer(0))) }
            }
        }
        return found
    }

    package func processes(of session: SessionRow, pid: Int32? = nil, limit: Int) throws(StoreError) -> [ProcessID] {
        let base = session.number << 32
        let select = try database.prepare(
            """
            SELECT id FROM process WHERE id BETWEEN \(base) AND \(base | 0xffff_ffff) \(pid.map { "AND pid = \($0)" } ?? "")
            ORDER BY id LIMIT \(limit)
            """)
        var found: [ProcessID] = []
        while try select.step() { found.append(ProcessID(rawValue: select.integer(0))) }
        return found
    }

    // MARK: The graph

    package func graph(_ answers: [Answer], target: String) throws(StoreError) -> LineageGraph {
        var graph = LineageGraph(target: target, answers: answers)
        for id in Set(answers.flatMap { $0.nodes.map(\.id) } + answers.flatMap { $0.flows.flatMap { [$0.from, $0.to] } }) {
            switch id {
            case .object(let id): graph.objects[id] = try object(id)
            case .process(let id): graph.processes[id] = try describe(id)
            }
        }
        graph.store = sessions.min { $0.key < $1.key }?.value.info.id ?? ""
        for number in Set(graph.processes.keys.map(\.session)) { graph.sessions[number] = sessions[number] }
        return graph
    }

    private func object(_ id: ObjectID) throws(StoreError) -> LineageGraph.Object? {
        let select = objectText
        select.bind(1, id.rawValue)
        defer { select.reset() }
        guard try select.step() else { return nil }
        return LineageGraph.Object(
            kind: ObjectKind(rawValue: UInt8(truncatingIfNeeded: select.integer(0))) ?? .file, name: select.bytes(1) ?? [],
            device: select.unsigned(3), inode: select.unsigned(4), born: select.optional(5).map { UInt64(bitPattern: $0) },
            ended: select.optional(6).map { UInt64(bitPattern: $0) })
    }

    private func describe(_ id: ProcessID) throws(StoreError) -> LineageGraph.Process? {
        let select = processText
        select.bind(1, id.rawValue)
        defer { select.reset() }
        guard try select.step() else { return nil }
        return LineageGraph.Process(
            pid: Int32(truncatingIfNeeded: select.integer(0)), started: select.unsigned(1),
            ended: select.optional(2).map { UInt64(bitPattern: $0) }, status: select.optional(3).map { Int32(truncatingIfNeeded: $0) },
            program: select.bytes(4), arguments: TrailReader.splitArguments(select.bytes(5) ?? []))
    }
}

/// The questions for the edges at one kind of node.
private struct EdgeQueries {
    let rows, others, relations: Statement
    /// The column of the other end.
    let end: Int32
}

extension LineageReader: GraphSource {
    package func edges(of object: ObjectID, _ relations: Relations, limit: Int) throws(StoreError) -> Edges {
        var found = try edges(ofObject, object.rawValue, relations, limit)
        if found.edges.count > limit {
            found.edges.sort { $0.process > $1.process }
            found.more += found.edges.count - limit
            found.edges.removeLast(found.edges.count - limit)
        }
        return found
    }

    package func edges(of process: ProcessID, _ relations: Relations, limit: Int) throws(StoreError) -> Edges {
        try edges(ofProcess, process.rawValue, relations, limit)
    }

    /// At most `limit` of each set of relations.
    private func edges(_ queries: EdgeQueries, _ node: Int64, _ wanted: Relations, _ limit: Int) throws(StoreError) -> Edges {
        var found = Edges()
        var relations: Int64 = 0
        while try advance(queries.relations, node, &relations) {
            if Relations(rawValue: UInt16(truncatingIfNeeded: relations)).isDisjoint(with: wanted) { continue }
            let last = try go(queries, queries.rows, node, relations, from: .max, limit, &found) { found, row in
                found.edges.append(LineageReader.edge(row))
            }
            guard let last else { continue }
            let before = found.more
            // That there is one more is said in any case.
            let end = try go(queries, queries.others, node, relations, from: last - 1, max(patience, 1), &found) { found, _ in
                found.more += 1
            }
            if end != nil { found.isCounted = false }
            patience -= min(patience, found.more - before)
        }
        return found
    }

    private func advance(_ select: Statement, _ node: Int64, _ relations: inout Int64) throws(StoreError) -> Bool {
        select.bind(1, node)
        select.bind(2, relations)
        defer { select.reset() }
        guard try select.step() else { return false }
        relations = select.integer(0)
        return true
    }

    /// Down from one other end. Gives the last of so many, nil where there are no more.
    private func go(
        _ queries: EdgeQueries, _ select: Statement, _ node: Int64, _ relations: Int64, from: Int64, _ limit: Int, _ found: inout Edges,
        _ take: (inout Edges, Statement) -> Void
    ) throws(StoreError) -> Int64? {
        var from = from, left = limit, last: Int64?
        defer { select.reset() }
        while left > 0 {
            for (index, value) in [node, relations, from, Int64(left)].enumerated() { select.bind(Int32(index + 1), value) }
            var next: Int64?
            while next == nil, try select.step() {
                let end = select.integer(queries.end)
                next = queries.end == 0 ? passing(end) : nil
                if next != nil { break }
                take(&found, select)
                (left, last) = (left - 1, end)
            }
            select.reset()
            guard let next, next >= 0 else { break }
            guard patience > 0 else {
                found.more += 1
                found.isCounted = false
                break
            }
            patience -= 1
            from = next
        }
        return left == 0 ? last : nil
    }

    /// Where to go on from a process that is not to be looked at: at the last of the next session that is, or below all (-1).
    private func passing(_ process: Int64) -> Int64? {
        guard let allowed else { return nil }
        let session = process >> 32
        var low = 0, high = allowed.count
        while low < high {
            let middle = (low + high) / 2
            if allowed[middle] <= session { low = middle + 1 } else { high = middle }
        }
        if low == 0 { return -1 }
        return allowed[low - 1] == session ? nil : allowed[low - 1] << 32 | 0xffff_ffff
    }

    private static func edge(_ row: Statement) -> Edge {
        let first = row.unsigned(3)
        return Edge(
            process: ProcessID(rawValue: row.integer(0)), object: ObjectID(rawValue: row.integer(1)),
            relations: Relations(rawValue: UInt16(truncatingIfNeeded: row.integer(2))), first: first, last: first + row.unsigned(4),
            count: row.unsigned(5))
    }

    package func process(_ id: ProcessID) throws(StoreError) -> ProcessLife? {
        guard passing(id.rawValue) == nil else { return nil }
        if let known = lives[id] { return known }
        life.bind(1, id.rawValue)
        defer { life.reset() }
        guard try life.step() else { return nil }
        lives[id] = LineageReader.life(life)
        return lives[id]
    }

    private static func life(_ row: Statement) -> ProcessLife {
        let id = ProcessID(rawValue: row.integer(0))
        let parent = row.optional(1).map { ProcessID(session: id.session, serial: UInt32(truncatingIfNeeded: $0)) }
        return ProcessLife(
            id: id, parent: parent, started: row.unsigned(2), ended: row.optional(3).map { UInt64(bitPattern: $0) },
            hasRun: row.integer(4) == Int64(id.serial))
    }

    package func children(of process: ProcessID, limit: Int) throws(StoreError) -> [ProcessLife] {
        if let known = children[process] { return known }
        childLives.bind(1, process.rawValue)
        childLives.bind(2, limit)
        defer { childLives.reset() }
        var found: [ProcessLife] = []
        while try childLives.step() {
            let life = LineageReader.life(childLives)
            lives[life.id] = life
            found.append(life)
        }
        children[process] = found
        return found
    }

    package func kind(of object: ObjectID) throws(StoreError) -> ObjectKind {
        if let known = knownKinds[object] { return known }
        kinds.bind(1, object.rawValue)
        defer { kinds.reset() }
        let kind = try kinds.step() ? ObjectKind(rawValue: UInt8(truncatingIfNeeded: kinds.integer(0))) : nil
        knownKinds[object] = kind ?? .file
        return kind ?? .file
    }
}
