package import SandboxLineage
internal import SandboxModel

/// Questions to the graph: a snapshot, with sessions that are still under way in it.
package final class LineageReader {
    private let database: Database
    package let trail: TrailReader
    package let sessions: [Int64: SessionRow]
    /// Others' processes are not looked at.
    private let allowed: Set<Int64>
    private let ofProcess, held, used, made, life, kinds, objectText, processText: Statement
    private var lives: [ProcessID: ProcessLife] = [:]
    private var knownKinds: [ObjectID: ObjectKind] = [:]
    private var children: [Int64: [ProcessID: [ProcessLife]]] = [:]

    /// `identities`: globs; none are all.
    package init?(_ state: StateDirectory, identities: [String] = []) throws(StoreError) {
        guard let reader = try TrailReader(state) else { return nil }
        try LineageIngest.takeIn(state)
        trail = reader
        database = try Database(path: state.database, mode: .readWrite)
        // Taken back when we are done: a live session's edges are made anew with each question, and stored at its end.
        try database.execute("BEGIN IMMEDIATE")
        try LineageIngest.addLive(database)
        let globs = identities.map { ByteGlob($0) }
        let rows = try reader.sessions()
        sessions = Dictionary(uniqueKeysWithValues: rows.map { ($0.number, $0) })
        allowed = Set(
            rows.filter { row in globs.isEmpty || globs.contains { $0.matches(Array(row.info.identity.utf8)) } }.map(\.number))
        let columns = "process, object, relations, first, span, count FROM lineage_edge"
        ofProcess = try database.prepare("SELECT \(columns) WHERE process = ?1 AND relations & ?2 LIMIT ?3")
        held = try database.prepare(
            "SELECT \(columns) INDEXED BY lineage_held WHERE process = ?1 AND relations & 2048 AND relations & ?2 LIMIT ?3")
        used = try database.prepare(
            "SELECT \(columns) INDEXED BY lineage_used WHERE object = ?1 AND relations & ?2 ORDER BY process DESC LIMIT ?3")
        made = try database.prepare(
            """
            SELECT \(columns) INDEXED BY lineage_made WHERE object = ?1 AND relations & 780 AND relations & ?2
            ORDER BY process DESC LIMIT ?3
            """)
        life = try database.prepare(
            "SELECT p.id, p.parent, p.started, p.ended, i.process FROM process p LEFT JOIN image i ON i.id = p.image WHERE p.id = ?")
        kinds = try database.prepare("SELECT kind FROM lineage_object WHERE id = ?")
        objectText = try database.prepare(
            """
            SELECT o.kind, t.bytes, o.names, o.device, o.inode, o.born, o.ended FROM lineage_object o
            JOIN text t ON t.id = o.name WHERE o.id = ?
            """)
        processText = try database.prepare(
            """
            SELECT p.pid, p.started, p.ended, p.status, t.bytes, i.args FROM process p LEFT JOIN image i ON i.id = p.image
            LEFT JOIN text t ON t.id = i.program WHERE p.id = ?
            """)
    }

    deinit { try? database.execute("ROLLBACK") }

    // MARK: Targets

    /// The objects that are or were called so, those that still are first.
    package func objects(named name: [UInt8]) throws(StoreError) -> [ObjectID] {
        let select = try database.prepare(
            """
            SELECT n.object FROM lineage_name n JOIN text t ON t.id = n.text WHERE n.hash = ? AND t.bytes = ?
            ORDER BY n.lives DESC, n.object DESC
            """)
        var found: [ObjectID] = []
        for (name, kind) in [(name, ObjectKind.file), (name, .system), (LineageName.shared(name), .socket)] {
            select.bind(1, LineageName.hash(name, kind))
            select.bind(2, name)
            while try select.step() { found.append(ObjectID(rawValue: select.integer(0))) }
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

extension LineageReader: GraphSource {
    package func edges(of object: ObjectID, _ relations: Relations, limit: Int) throws(StoreError) -> [Edge] {
        let writes: Relations = [.wrote, .created, .bound, .accepted]
        return try edges(relations.isSubset(of: writes) ? made : used, object.rawValue, relations, limit)
    }

    package func edges(of process: ProcessID, _ relations: Relations, limit: Int) throws(StoreError) -> [Edge] {
        try edges(relations == .held ? held : ofProcess, process.rawValue, relations, limit)
    }

    private func edges(_ select: Statement, _ node: Int64, _ relations: Relations, _ limit: Int) throws(StoreError) -> [Edge] {
        select.bind(1, node)
        select.bind(2, Int64(relations.rawValue))
        select.bind(3, limit)
        defer { select.reset() }
        var found: [Edge] = []
        while try select.step() {
            let first = select.unsigned(3)
            found.append(
                Edge(
                    process: ProcessID(rawValue: select.integer(0)), object: ObjectID(rawValue: select.integer(1)),
                    relations: Relations(rawValue: UInt16(truncatingIfNeeded: select.integer(2))), first: first,
                    last: first + select.unsigned(4), count: select.unsigned(5)))
        }
        return found
    }

    package func process(_ id: ProcessID) throws(StoreError) -> ProcessLife? {
        guard allowed.contains(id.session) else { return nil }
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

    /// The tree of a session is read once.
    package func children(of process: ProcessID) throws(StoreError) -> [ProcessLife] {
        if let known = children[process.session] { return known[process] ?? [] }
        let base = process.session << 32
        let select = try database.prepare(
            """
            SELECT p.id, p.parent, p.started, p.ended, i.process FROM process p LEFT JOIN image i ON i.id = p.image
            WHERE p.id BETWEEN \(base) AND \(base | 0xffff_ffff) AND p.parent IS NOT NULL
            """)
        var tree: [ProcessID: [ProcessLife]] = [:]
        while try select.step() {
            let life = LineageReader.life(select)
            if let parent = life.parent { tree[parent, default: []].append(life) }
        }
        children[process.session] = tree
        return tree[process] ?? []
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
