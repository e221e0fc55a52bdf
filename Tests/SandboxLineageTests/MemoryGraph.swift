import SandboxLineage

/// A graph that is written down in a test. Times are small numbers.
final class MemoryGraph: GraphSource {
    private var byObject: [ObjectID: [Edge]] = [:]
    private var byProcess: [ProcessID: [Edge]] = [:]
    private var children: [ProcessID: [ProcessLife]] = [:]
    /// So many edges and processes were handed out.
    private(set) var given = 0
    private var lives: [ProcessID: ProcessLife] = [:]
    private var kinds: [ObjectID: ObjectKind] = [:]
    private var names: [String: ObjectID] = [:]

    func start(_ serial: UInt32, parent: UInt32? = nil, at started: UInt64 = 0, until ended: UInt64? = nil, forkOnly: Bool = false) {
        let id = process(serial)
        let life = ProcessLife(id: id, parent: parent.map(process), started: started, ended: ended, hasRun: !forkOnly)
        lives[id] = life
        if let parent { children[process(parent), default: []].append(life) }
    }

    func access(_ serial: UInt32, _ name: String, _ relations: Relations, _ time: UInt64, last: UInt64? = nil) {
        let edge = Edge(process: process(serial), object: object(name), relations: relations, first: time, last: last ?? time)
        byObject[edge.object, default: []].append(edge)
        byProcess[edge.process, default: []].append(edge)
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

    func edges(of object: ObjectID, _ relations: Relations, limit: Int) -> Edges { found(byObject[object] ?? [], relations, limit) }
    func edges(of process: ProcessID, _ relations: Relations, limit: Int) -> Edges { found(byProcess[process] ?? [], relations, limit) }

    private func found(_ all: [Edge], _ relations: Relations, _ limit: Int) -> Edges {
        let fitting = all.filter { !$0.relations.isDisjoint(with: relations) }
        var result = Edges()
        result.edges = Array(fitting.prefix(limit))
        result.more = fitting.count - result.edges.count
        given += result.edges.count
        return result
    }

    func process(_ id: ProcessID) -> ProcessLife? { lives[id] }
    func children(of process: ProcessID, limit: Int) -> [ProcessLife] {
        let found = Array((children[process] ?? []).prefix(limit))
        given += found.count
        return found
    }
    func kind(of object: ObjectID) -> ObjectKind { kinds[object] ?? .file }
}

/// Nothing is known from before, but what a test says.
struct Earlier: KnownObjects {
    var objects: [TrackedObject] = []
    func object(named name: [UInt8], _ kind: ObjectKind) -> TrackedObject? {
        objects.first { $0.names.contains(name) && $0.kind == kind }
    }
    func object(at inode: Inode) -> TrackedObject? { objects.first { $0.inode == inode } }
    var laterNames: Set<[UInt8]> = []
    func isLater(_ name: [UInt8], _ inode: Inode, than object: ObjectID) -> Bool { laterNames.contains(name) }
}
