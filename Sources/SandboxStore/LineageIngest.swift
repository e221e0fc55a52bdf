internal import Glibc
internal import SandboxLineage
internal import SandboxModel

/// Makes the edges of sessions that are over.
package enum LineageIngest {
    /// All sessions that have ended and are not in the graph yet.
    package static func takeIn(_ state: StateDirectory) throws(StoreError) { try takeIn(state, LineageTurn(state)) }

    static func takeIn(_ state: StateDirectory, _ turn: LineageTurn) throws(StoreError) {
        let database = try Database(path: state.database, mode: .readWrite)
        try Schema.prepare(database)
        let sessions = try missing(database, where: "ended IS NOT NULL")
        if sessions.isEmpty { return }
        try database.execute("PRAGMA cache_size=-65536")
        try database.transaction { () throws(StoreError) in try LineageTables.prepare(database) }
        for session in sessions {
            let graph = try LineageSession(session, database)
            while try graph.step() {}
        }
    }

    /// What is under way is added for one question, within a transaction that its caller takes back.
    static func addLive(_ database: Database) throws(StoreError) {
        try LineageTables.prepare(database)
        for session in try missing(database, where: "ended IS NULL") { try LineageSession(session, database).addAll() }
    }

    /// What somebody was killed in comes first: nothing else has been numbered since.
    private static func missing(_ database: Database, where condition: String) throws(StoreError) -> [Int64] {
        guard try LineageTables.exist(database) else { return try numbers(database, "WHERE \(condition) ORDER BY started, id") }
        let begun = try LineageTables.knowProgress(database) ? "id NOT IN (SELECT session FROM lineage_progress)," : ""
        return try numbers(
            database, "WHERE \(condition) AND id NOT IN (SELECT session FROM lineage_session) ORDER BY \(begun) started, id")
    }

    private static func numbers(_ database: Database, _ which: String) throws(StoreError) -> [Int64] {
        let select = try database.prepare("SELECT id FROM session \(which)")
        var found: [Int64] = []
        while try select.step() { found.append(select.integer(0)) }
        return found
    }
}

/// Only one at a time makes edges or asks for them: sessions are whole in the graph, and objects have one number.
final class LineageTurn {
    private let file: Int32

    /// Waits for its turn.
    init(_ state: StateDirectory) throws(StoreError) {
        let path = state.path + "/lineage.turn"
        file = try check("open", path) { open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode_t(0o600)) }
        while flock(file, LOCK_EX) != 0, errno == EINTR {}
    }

    deinit { close(file) }
}

/// Puts one session into the graph, a batch a transaction, so that those who write to the same data base wait for a moment only. How
/// far it is goes into the same transaction: whoever is killed has lost nothing, and nothing is counted twice.
final class LineageSession {
    /// How long a transaction may take, in nanoseconds.
    private static let patience: UInt64 = 100_000_000

    private let database: Database
    private let session: Int64
    private let builder: LineageBuilder
    private let events: LineageEvents
    /// The first object that this session made.
    private let firstObject: Int64
    /// The last event that is in the graph.
    private var position: Int64
    /// The last process whose parent knows it.
    private var child: Int64
    private var limit: Int

    init(_ session: Int64, _ database: Database, limit: Int = 512) throws(StoreError) {
        (self.session, self.database, self.limit) = (session, database, limit)
        events = try LineageEvents(database, session)
        let begun = try database.prepare("SELECT event, object FROM lineage_progress WHERE session = \(session)")
        let isBegun = try begun.step()
        position = isBegun ? begun.integer(0) : events.start
        firstObject = isBegun ? begun.integer(1) : try LineageBuilder.nextObject(database)
        begun.reset()
        child = session << 32
        builder = try LineageBuilder(database)
        if isBegun { try builder.recall(events, until: position, firstObject: firstObject) }
    }

    /// One batch; false once all of it is there.
    func step() throws(StoreError) -> Bool {
        let batch = try events.after(position, limit: limit)
        for event in batch { try builder.add(event, session) }
        let begin = currentTime()
        let isThere = try database.transaction { () throws(StoreError) in try write(batch.last) }
        let took = currentTime() &- begin
        limit = took > LineageSession.patience ? max(64, limit / 2) : took < LineageSession.patience / 4 ? min(8192, limit * 2) : limit
        return !isThere
    }

    /// All of it in its caller's transaction.
    func addAll() throws(StoreError) {
        var last: Int64? = position
        while let from = last {
            let batch = try events.after(from, limit: 8192)
            for event in batch { try builder.add(event, session) }
            last = batch.last?.id
        }
        while try !write(nil) {}
    }

    /// True where there was nothing left to write.
    private func write(_ last: LineageEvents.Event?) throws(StoreError) -> Bool {
        if last == nil, let ended = try database.number("SELECT ended FROM session WHERE id = \(session) AND ended IS NOT NULL") {
            builder.lookForUnseen(firstObject: firstObject, ended: UInt64(bitPattern: ended))
        }
        try builder.write()
        if let last {
            position = last.id
            try database.execute("INSERT OR REPLACE INTO lineage_progress VALUES (\(session), \(position), \(firstObject))")
            return false
        }
        let end = session << 32 | 0xffff_ffff
        let upTo = min(end, child + 8192)
        try database.execute(
            """
            INSERT OR IGNORE INTO lineage_child SELECT \(session << 32) | parent, id FROM process
            WHERE id > \(child) AND id <= \(upTo) AND parent IS NOT NULL ORDER BY 1, 2
            """)
        child = upTo
        if try database.number("SELECT count(*) FROM (SELECT 1 FROM process WHERE id > \(child) AND id <= \(end) LIMIT 1)") == 1 {
            return false
        }
        try database.execute(
            "INSERT INTO lineage_session VALUES (\(session)); DELETE FROM lineage_progress WHERE session = \(session)")
        return true
    }
}

/// The events of a session that took place, in their order.
final class LineageEvents {
    struct Event {
        var id: Int64
        var process: UInt32
        var operation: Operation
        var access: FileAccess
        var type: ResourceType
        var resource: Int64
        var second: Int64
        var inode: Inode
        var first, last, count: UInt64
        var flags: RecordFlags
    }

    private let select: Statement
    /// Before the first and at the last that there may be.
    let start, end: Int64

    init(_ database: Database, _ session: Int64) throws(StoreError) {
        let types = [ResourceType.file, .program, .socket, .stream].map { String($0.rawValue) }.joined(separator: ",")
        (start, end) = (session << 40, session << 40 | 0xff_ffff_ffff)
        select = try database.prepare(
            """
            SELECT process, operation, access, resource_type, resource, second, device, inode, first, last, count, id, flags
            FROM event WHERE id > ? AND id <= ? AND resource_type IN (\(types))
            AND resource IS NOT NULL AND \(EventRow.tookPlace) ORDER BY id LIMIT ?
            """)
    }

    /// At most so many; nothing is read on afterwards, which would keep the data base as it was.
    func after(_ position: Int64, limit: Int) throws(StoreError) -> [Event] {
        select.bind(1, position)
        select.bind(2, end)
        select.bind(3, limit)
        defer { select.reset() }
        var found: [Event] = []
        while try select.step() {
            guard let operation = Operation(rawValue: UInt8(truncatingIfNeeded: select.integer(1))),
                let type = ResourceType(rawValue: UInt8(truncatingIfNeeded: select.integer(3)))
            else { continue }
            found.append(
                Event(
                    id: select.integer(11), process: UInt32(truncatingIfNeeded: select.integer(0)), operation: operation,
                    access: FileAccess(rawValue: UInt16(truncatingIfNeeded: select.integer(2))), type: type,
                    resource: select.integer(4), second: select.integer(5),
                    inode: Inode(device: select.unsigned(6), inode: select.unsigned(7)), first: select.unsigned(8),
                    last: select.unsigned(9), count: select.unsigned(10),
                    flags: RecordFlags(rawValue: UInt8(truncatingIfNeeded: select.integer(12)))))
        }
        return found
    }
}

extension EventRow {
    /// It was not refused, and the kernel did not say no (a connect that goes on in the background has taken place as well).
    static let tookPlace = """
        (result IS NULL OR result >= 0 OR result = -115)
        AND NOT (decision = \(Decision.deny.rawValue) AND flags & \(RecordFlags.enforced.rawValue))
        """
}

extension LineageEvents.Event {
    /// Empty for what moves no data and no name.
    var relations: Relations {
        switch operation {
        case .exec: .ran
        case .create where !inode.isKnown: access.contains(.write) ? [.created, .wrote] : .created
        case .open, .create: opened
        case .delete: .deleted
        case .rename: .renamed
        case .link: .linked
        case .connect: .connected
        case .bind: .bound
        case .accept: .accepted
        case .send: .sent
        default: []
        }
    }

    private var opened: Relations {
        var relations: Relations = access.contains(.read) ? .read : []
        if !access.isDisjoint(with: .write.union(.truncate)) { relations.insert(.wrote) }
        if flags.contains(.fifo) { relations.insert(.fifo) }
        return type == .stream && !relations.isEmpty ? relations.union(.held) : relations
    }
}
