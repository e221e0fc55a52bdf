internal import SandboxLineage
internal import SandboxModel

/// Makes the edges of sessions that are over.
package enum LineageIngest {
    /// All sessions that have ended and are not in the graph yet.
    package static func takeIn(_ state: StateDirectory) throws(StoreError) {
        let database = try Database(path: state.database, mode: .readWrite)
        try Schema.prepare(database)
        try takeIn(database, missing(database, where: "ended IS NOT NULL"))
    }

    /// A transaction each: whoever is killed in one has left nothing.
    static func takeIn(_ database: Database, _ sessions: [Int64]) throws(StoreError) {
        if sessions.isEmpty { return }
        try database.execute("PRAGMA cache_size=-65536")
        for session in sessions {
            try database.execute("BEGIN IMMEDIATE")
            do throws(StoreError) {
                try LineageTables.prepare(database)
                if try isMissing(session, database) { try add(session, to: database) }
                try database.execute("COMMIT")
            } catch {
                try? database.execute("ROLLBACK")
                throw error
            }
        }
    }

    /// What is under way is added for one question, within a transaction that its caller takes back.
    static func addLive(_ database: Database) throws(StoreError) {
        try LineageTables.prepare(database)
        for session in try missing(database, where: "ended IS NULL") { try add(session, to: database) }
    }

    private static func missing(_ database: Database, where condition: String) throws(StoreError) -> [Int64] {
        let done = try LineageTables.exist(database) ? "AND id NOT IN (SELECT session FROM lineage_session)" : ""
        let select = try database.prepare("SELECT id FROM session WHERE \(condition) \(done) ORDER BY started, id")
        var found: [Int64] = []
        while try select.step() { found.append(select.integer(0)) }
        return found
    }

    private static func isMissing(_ session: Int64, _ database: Database) throws(StoreError) -> Bool {
        try database.number("SELECT count(*) FROM lineage_session WHERE session = \(session)") == 0
    }

    private static func add(_ session: Int64, to database: Database) throws(StoreError) {
        let builder = try LineageBuilder(database)
        let events = try LineageEvents(database, session)
        while let event = try events.next() { try builder.add(event, session) }
        try builder.finish()
        let base = session << 32
        try database.execute(
            """
            INSERT INTO lineage_child SELECT \(base) | parent, id FROM process
            WHERE id BETWEEN \(base) AND \(base | 0xffff_ffff) AND parent IS NOT NULL ORDER BY 1, 2;
            INSERT INTO lineage_session VALUES (\(session))
            """)
    }
}

/// The events of a session that took place, in their order.
final class LineageEvents {
    struct Event {
        var process: UInt32
        var operation: Operation
        var access: FileAccess
        var type: ResourceType
        var resource: Int64
        var second: Int64
        var inode: Inode
        var first, last, count: UInt64
    }

    private let select: Statement

    init(_ database: Database, _ session: Int64) throws(StoreError) {
        let types = [ResourceType.file, .program, .socket, .stream].map { String($0.rawValue) }.joined(separator: ",")
        select = try database.prepare(
            """
            SELECT process, operation, access, resource_type, resource, second, device, inode, first, last, count
            FROM event WHERE id BETWEEN \(session << 40) AND \(session << 40 | 0xff_ffff_ffff) AND resource_type IN (\(types))
            AND resource IS NOT NULL AND \(EventRow.tookPlace) ORDER BY id
            """)
    }

    func next() throws(StoreError) -> Event? {
        while try select.step() {
            guard let operation = Operation(rawValue: UInt8(truncatingIfNeeded: select.integer(1))),
                let type = ResourceType(rawValue: UInt8(truncatingIfNeeded: select.integer(3)))
            else { continue }
            return Event(
                process: UInt32(truncatingIfNeeded: select.integer(0)), operation: operation,
                access: FileAccess(rawValue: UInt16(truncatingIfNeeded: select.integer(2))), type: type, resource: select.integer(4),
                second: select.integer(5), inode: Inode(device: select.unsigned(6), inode: select.unsigned(7)), first: select.unsigned(8),
                last: select.unsigned(9),
                count: select.unsigned(10))
        }
        return nil
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
        return type == .stream && !relations.isEmpty ? relations.union(.held) : relations
    }
}
