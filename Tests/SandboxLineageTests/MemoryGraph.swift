import SandboxLineage

/// A graph that is written down in a test. Times are small numbers.
final class MemoryGraph: GraphSource {
    private(set) var edges: [Edge] = []
    private var lives: [ProcessID: ProcessLife] = [:]
    private var kinds: [ObjectID: ObjectKind] = [:]
    private var names: [String: ObjectID] = [:]

    func start(_ serial: UInt32, parent: UInt32? = nil, at started: UInt64 = 0, until ended: UInt64? = nil, forkOnly: Bool = false) {
        let id = process(serial)
        lives[id] = ProcessLife(id: id, parent: parent.map(process), started: started, ended: ended, hasRun: !forkOnly)
    }

    func access(_ serial: UInt32, _ name: String, _ relations: Relations, _ time: UInt64, last: UInt64? = nil) {
        edges.append(
            Edge(process: process(serial), object: object(name), relations: relations, first: time, last: last ?? time))
    }

    func process(_ serial: UInt32) -> ProcessID { ProcessID(session: 1, serial: serial) }

    func object(_ name: String) -> ObjectID {
        if let id = names[name] { return id }
        let id = ObjectID(rawValue: Int64(names.count + 1))
        names[name] = id
        kinds[id] = name.hasPrefix("pipe:") ? .pipe : name.hasPrefix("/dev/") ? .system : name.hasPrefix("/") ? .file : .socket
        return id
    }

    /// The names of the objects, and `#N` for process N, that the answer holds.
    func reach(_ direction: Direction, _ name: String, _ limits: TraceLimits = TraceLimits()) -> Set<String> {
        let answer = Trace.follow(direction, from: [.object(object(name))], in: self, limits: limits)
        return Set(
            answer.nodes.map { node in
                switch node.id {
                case .process(let id): "#\(id.serial)"
                case .object(let id): names.first { $0.value == id }?.key ?? "?"
                }
            }
        ).subtracting([name])
    }

    // MARK: GraphSource

    func edges(of object: ObjectID, _ relations: Relations, limit: Int) -> [Edge] {
        Array(edges.filter { $0.object == object && !$0.relations.isDisjoint(with: relations) }.prefix(limit))
    }

    func edges(of process: ProcessID, _ relations: Relations, limit: Int) -> [Edge] {
        Array(edges.filter { $0.process == process && !$0.relations.isDisjoint(with: relations) }.prefix(limit))
    }

    func process(_ id: ProcessID) -> ProcessLife? { lives[id] }
    func children(of process: ProcessID) -> [ProcessLife] { lives.values.filter { $0.parent == process }.sorted { $0.id < $1.id } }
    func kind(of object: ObjectID) -> ObjectKind { kinds[object] ?? .file }
}

/// Nothing is known from before, but what a test says.
struct Earlier: KnownObjects {
    var objects: [TrackedObject] = []
    func object(named name: [UInt8], _ kind: ObjectKind) -> TrackedObject? {
        objects.first { $0.names.contains(name) && $0.kind == kind }
    }
    func object(at inode: Inode) -> TrackedObject? { objects.first { $0.inode == inode } }
}
