internal import CShims
internal import Glibc
internal import SandboxLineage
internal import SandboxModel

/// Makes edges and objects of the events of one session. `write` puts what there is into the graph, within its caller's transaction.
final class LineageBuilder {
    private struct Key: Hashable {
        var process: ProcessID
        var object: ObjectID
        var relations: Relations
    }

    private static let edgesLimit = 1 << 20
    private let database: Database
    /// The first object that is not in the data base.
    private var firstNew: Int64
    private var files: FileTable<StoredObjects>
    private var edges: [Key: Edge] = [:]
    private let texts: TextReader
    private let insertEdge, insertObject, updateObject, insertName, endName, insertText: Statement

    init(_ database: Database) throws(StoreError) {
        self.database = database
        texts = try TextReader(database)
        firstNew = try LineageBuilder.nextObject(database)
        files = FileTable(known: try StoredObjects(database), next: firstNew)
        insertEdge = try database.prepare(
            """
            INSERT INTO lineage_edge (process, object, relations, first, span, count) VALUES (?,?,?,?,?,?)
            ON CONFLICT DO UPDATE SET span = max(first + span, excluded.first + excluded.span) - min(first, excluded.first),
            first = min(first, excluded.first), count = count + excluded.count
            """)
        insertObject = try database.prepare(
            "INSERT INTO lineage_object (id, kind, name, names, device, inode, born, ended) VALUES (?,?,?,?,?,?,?,?)")
        updateObject = try database.prepare(
            "UPDATE lineage_object SET name = ?, names = ?, device = ?, inode = ?, ended = ? WHERE id = ?")
        insertName = try database.prepare("INSERT OR REPLACE INTO lineage_name (hash, object, text, lives) VALUES (?,?,?,?)")
        endName = try database.prepare("UPDATE OR REPLACE lineage_name SET lives = 0 WHERE hash = ? AND lives = 1 AND object = ?")
        insertText = try database.prepare("INSERT INTO text (bytes) VALUES (?)")
    }

    static func nextObject(_ database: Database) throws(StoreError) -> Int64 {
        (try database.number("SELECT max(id) FROM lineage_object") ?? 0) + 1
    }

    /// Somebody was killed after the event `last`: what he knew besides what is in the data base. Names tell what lies in a folder that
    /// is moved, pipes have none that is kept, and files without a name are met by what they were.
    func recall(_ events: LineageEvents, until last: Int64, firstObject: Int64) throws(StoreError) {
        var position = events.start, seen: Set<Int64> = []
        while position < last {
            let batch = try events.after(position, limit: 8192).filter { $0.id <= last }
            for event in batch where event.type != .socket {
                for text in [event.resource, event.second] where text != 0 && seen.insert(text).inserted {
                    try files.recall(texts.bytes(text))
                }
            }
            position = batch.last?.id ?? last
        }
        let select = try database.prepare(
            """
            SELECT o.id, o.kind, o.device, o.inode, t.bytes FROM lineage_object o JOIN text t ON t.id = o.name
            WHERE o.kind = \(ObjectKind.pipe.rawValue) AND o.id >= \(firstObject) OR o.ended IS NOT NULL ORDER BY o.ended, o.id
            """)
        while try select.step() {
            files.recall(
                ObjectID(rawValue: select.integer(0)), ObjectKind(rawValue: UInt8(truncatingIfNeeded: select.integer(1))) ?? .file,
                Inode(device: select.unsigned(2), inode: select.unsigned(3)), select.bytes(4) ?? [])
        }
    }

    func add(_ event: LineageEvents.Event, _ session: Int64) throws(StoreError) {
        var relations = event.relations
        if try isOfNameless(event) { relations.formUnion([.created, .wrote]) }
        guard event.process != 0, !relations.isEmpty, let object = try object(of: event) else { return }
        let key = Key(process: ProcessID(session: session, serial: event.process), object: object, relations: relations)
        if var edge = edges[key] {
            edge.first = min(edge.first, event.first)
            edge.last = max(edge.last, event.last)
            edge.count += event.count
            edges[key] = edge
        } else {
            edges[key] = Edge(
                process: key.process, object: object, relations: relations, first: event.first, last: event.last, count: event.count)
            if edges.count >= LineageBuilder.edgesLimit { try write() }
        }
    }

    /// What was made without a name (O_TMPFILE) is given one: by proc(5) it was called `#` and its number. Its maker had to do with a folder.
    private func isOfNameless(_ event: LineageEvents.Event) throws(StoreError) -> Bool {
        guard event.operation == .link, event.inode.isKnown else { return false }
        return try (texts.bytes(event.resource).split(separator: UInt8(ascii: "/")).last ?? []).elementsEqual("#\(event.inode.inode)".utf8)
    }

    private func object(of event: LineageEvents.Event) throws(StoreError) -> ObjectID? {
        let name = try texts.bytes(event.resource)
        // `/dev/fd/63`, of `<(…)`
        if event.operation == .open, FileTable<StoredObjects>.isPipe(name) { return try files.stream(name, event.inode) }
        if event.type == .socket { return try files.socket(LineageName.shared(name)) }
        if event.type == .stream { return try files.stream(name, event.inode) }
        switch event.operation {
        case .create where !event.inode.isKnown: return try files.created(name, at: event.first)
        case .delete: return try files.deleted(name, event.inode, at: event.last)
        // An exchange makes no name.
        case .rename where event.second != 0 && !event.access.contains(.create):
            return try files.exchanged(name, texts.bytes(event.second), event.inode)
        case .rename where event.second != 0:
            return try files.renamed(name, to: texts.bytes(event.second), event.inode, at: event.last)
        case .link where event.second != 0: return try files.linked(name, to: texts.bytes(event.second), event.inode)
        // Nothing was there, and nothing was made.
        case .open where !event.inode.isKnown && !SystemPlaces.contains(name): return nil
        default: return try files.file(name, event.inode)
        }
    }

    /// A file that is made has no inode on record yet. Where nobody has opened it since, it is looked for once the session is over: so it
    /// is known by another name as well, and from what is put in its place.
    func lookForUnseen(firstObject: Int64, ended: UInt64) {
        for (id, name) in files.unseen(from: firstObject) {
            let found = FileLook(name)
            if (1...max(1, ended)).contains(found.born) { files.saw(found.inode, of: id) }
        }
    }

    // MARK: Writing

    func write() throws(StoreError) {
        try writeEdges()
        for object in files.takeChanged() {
            try write(object)
            firstNew = max(firstNew, object.id.rawValue + 1)
        }
    }

    private func writeEdges() throws(StoreError) {
        let sorted = edges.sorted { a, b in
            (a.key.process, a.key.relations.rawValue, a.key.object) < (b.key.process, b.key.relations.rawValue, b.key.object)
        }
        edges.removeAll(keepingCapacity: true)
        for (key, edge) in sorted {
            insertEdge.bind(1, key.process.rawValue)
            insertEdge.bind(2, key.object.rawValue)
            insertEdge.bind(3, Int64(key.relations.rawValue))
            insertEdge.bind(4, edge.first)
            insertEdge.bind(5, edge.last - edge.first)
            insertEdge.bind(6, edge.count)
            try insertEdge.run()
        }
    }

    private func write(_ object: TrackedObject) throws(StoreError) {
        let isNew = object.id.rawValue >= firstNew
        let statement = isNew ? insertObject : updateObject
        var at: Int32 = 1
        func place() -> Int32 {
            defer { at += 1 }
            return at
        }
        if isNew {
            statement.bind(place(), object.id.rawValue)
            statement.bind(place(), Int64(object.kind.rawValue))
        }
        statement.bind(place(), try text(object.name))
        statement.bind(place(), object.names.count + max(0, object.hiddenNames))
        statement.bind(place(), nonZero: object.inode.isKnown ? object.inode.device : 0)
        statement.bind(place(), nonZero: object.inode.inode)
        if isNew { statement.bind(place(), object.born.map { Int64(bitPattern: $0) }) }
        statement.bind(place(), object.ended.map { Int64(bitPattern: $0) })
        if !isNew { statement.bind(place(), object.id.rawValue) }
        try statement.run()
        try writeNames(object)
    }

    private func writeNames(_ object: TrackedObject) throws(StoreError) {
        for name in object.newNames {
            insertName.bind(1, LineageName.hash(name, object.kind))
            insertName.bind(2, object.id.rawValue)
            insertName.bind(3, try text(name))
            insertName.bind(4, object.lostNames.contains(name) ? 0 : 1)
            try insertName.run()
        }
        for name in object.lostNames where !object.newNames.contains(name) {
            endName.bind(1, LineageName.hash(name, object.kind))
            endName.bind(2, object.id.rawValue)
            try endName.run()
        }
    }

    /// The number of a text: the session's own, but for names below a folder that was renamed.
    private func text(_ bytes: [UInt8]) throws(StoreError) -> Int64 {
        if let number = texts.numbers[bytes] { return number }
        insertText.bind(1, bytes)
        try insertText.run()
        texts.numbers[bytes] = database.lastRowID
        return database.lastRowID
    }
}

/// A file as it is now, and when it was made, statx(2): nanoseconds since 1970, 0 where the file system does not say.
struct FileLook {
    let inode: Inode
    let born: UInt64

    init(_ name: [UInt8]) {
        var device: UInt64 = 0, number: UInt64 = 0
        born = sbx_birth(AT_FDCWD, name.map { CChar(bitPattern: $0) } + [0], &device, &number)
        inode = Inode(device: device, inode: number)
    }
}

/// Texts by number, each read once.
final class TextReader {
    private let select: Statement
    private var known: [Int64: [UInt8]] = [:]
    var numbers: [[UInt8]: Int64] = [:]

    init(_ database: Database) throws(StoreError) {
        select = try database.prepare("SELECT bytes FROM text WHERE id = ?")
    }

    func bytes(_ number: Int64) throws(StoreError) -> [UInt8] {
        if let bytes = known[number] { return bytes }
        select.bind(1, number)
        defer { select.reset() }
        let bytes = try select.step() ? select.bytes(0) ?? [] : []
        known[number] = bytes
        if numbers[bytes] == nil { numbers[bytes] = number }
        return bytes
    }
}

/// Objects of earlier sessions, by name and by inode.
final class StoredObjects: KnownObjects {
    private let byName, byInode, makersEnd: Statement

    init(_ database: Database) throws(StoreError) {
        let columns = "o.id, o.kind, o.names, o.device, o.inode, o.born, o.ended, t.bytes"
        byName = try database.prepare(
            """
            SELECT \(columns) FROM lineage_name n JOIN text t ON t.id = n.text JOIN lineage_object o ON o.id = n.object
            WHERE n.hash = ? AND n.lives = 1 AND o.kind = ? AND t.bytes = ? ORDER BY n.object DESC LIMIT 1
            """)
        byInode = try database.prepare(
            """
            SELECT \(columns) FROM lineage_object o JOIN text t ON t.id = o.name
            WHERE o.inode = ? AND o.device = ? AND o.ended IS NULL ORDER BY o.id DESC LIMIT 1
            """)
        makersEnd = try database.prepare(
            """
            SELECT s.ended FROM lineage_edge e INDEXED BY lineage_use JOIN session s ON s.id = e.process >> 32
            WHERE e.object = ? AND e.relations & \(Relations.created.rawValue) ORDER BY e.process DESC LIMIT 1
            """)
    }

    func isLater(_ name: [UInt8], _ inode: Inode, than object: ObjectID) throws(StoreError) -> Bool {
        makersEnd.bind(1, object.rawValue)
        defer { makersEnd.reset() }
        guard try makersEnd.step(), let ended = makersEnd.optional(0) else { return false }
        let found = FileLook(name)
        return found.inode == inode && found.born > UInt64(bitPattern: ended)
    }

    func object(named name: [UInt8], _ kind: ObjectKind) throws(StoreError) -> TrackedObject? {
        byName.bind(1, LineageName.hash(name, kind))
        byName.bind(2, Int64(kind.rawValue))
        byName.bind(3, name)
        defer { byName.reset() }
        guard try byName.step(), var object = StoredObjects.object(byName) else { return nil }
        object.names = [name]
        object.hiddenNames -= 1
        return object
    }

    func object(at inode: Inode) throws(StoreError) -> TrackedObject? {
        byInode.bind(1, inode.inode)
        byInode.bind(2, inode.device)
        defer { byInode.reset() }
        return try byInode.step() ? StoredObjects.object(byInode) : nil
    }

    private static func object(_ row: Statement) -> TrackedObject? {
        guard let kind = ObjectKind(rawValue: UInt8(truncatingIfNeeded: row.integer(1))) else { return nil }
        var object = TrackedObject(
            id: ObjectID(rawValue: row.integer(0)), kind: kind, inode: Inode(device: row.unsigned(3), inode: row.unsigned(4)),
            name: row.bytes(7) ?? [], born: row.optional(5).map { UInt64(bitPattern: $0) },
            ended: row.optional(6).map { UInt64(bitPattern: $0) })
        object.hiddenNames = Int(row.integer(2))
        return object
    }
}

/// How names are compared and found.
enum LineageName {
    /// Loopback by any address, and what a server binds to take it: one machine.
    static func shared(_ name: [UInt8]) -> [UInt8] {
        for prefix in ["127.", "0.0.0.0:", "[::1]:", "[::]:"] where name.starts(with: prefix.utf8) {
            guard let colon = name.lastIndex(of: UInt8(ascii: ":")) else { return name }
            return Array("127.0.0.1".utf8) + name[colon...]
        }
        return name
    }

    /// FNV-1a: it only finds candidates, the bytes decide.
    static func hash(_ name: [UInt8], _ kind: ObjectKind) -> Int64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(kind.rawValue)
        for byte in name { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int64(bitPattern: hash)
    }
}
