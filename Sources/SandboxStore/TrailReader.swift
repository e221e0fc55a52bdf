internal import Glibc
package import SandboxModel

/// A session as the trail knows it.
package struct SessionRow: Sendable {
    package var number: Int64
    package var info: SessionInfo
    package var ended: UInt64?
    /// The command's wait(2) status; nil while it runs, and where nobody lived to see it.
    package var status: Int32?
    /// The supervisor was killed.
    package var lost: Bool
    /// Records that were begun and never finished when it was.
    package var torn: Int
    /// The last record that is in the tables.
    package var drained: UInt64
}

/// Questions to the trail. Works beside any number of writers; one thread at a time.
package final class TrailReader {
    let database: Database
    private var dataVersion: Int64?

    /// nil where there is no trail yet.
    package init?(_ state: StateDirectory) throws(StoreError) {
        if access(state.database, F_OK) != 0, errno == ENOENT { return nil }
        database = try Database(path: state.database, mode: .readOnly)
        var version = try database.number("PRAGMA user_version") ?? 0
        if version == 0 { return nil }  // Its first writer is just making the tables.
        if version < Schema.version {
            try Schema.prepare(try Database(path: state.database, mode: .readWrite))
            version = try database.number("PRAGMA user_version") ?? 0
        }
        guard version == Schema.version else {
            throw .refused(
                object: state.database, reason: "has schema \(version), this sandbox reads \(Schema.version)",
                help: "use the sandbox that wrote it")
        }
    }

    /// True when another connection has committed since the last call (PRAGMA data_version).
    package func hasChanged() throws(StoreError) -> Bool {
        let version = try database.number("PRAGMA data_version")
        defer { dataVersion = version }
        return version != dataVersion
    }

    /// All sessions, oldest first.
    package func sessions() throws(StoreError) -> [SessionRow] {
        let select = try database.prepare(
            """
            SELECT s.id, s.name, s.title, i.name, o.name, s.purpose, s.profile, s.mode, s.workspace, s.command,
            s.host, s.user, s.supervisor, s.started, s.ended, s.status, s.lost, s.torn, s.drained,
            s.groups, s.roles
            FROM session s JOIN identity i ON i.id = s.identity LEFT JOIN identity o ON o.id = s.on_behalf_of
            ORDER BY s.started, s.id
            """)
        var rows: [SessionRow] = []
        while try select.step() { rows.append(TrailReader.session(select)) }
        return rows
    }

    package enum Match: Sendable {
        case one(SessionRow)
        case none
        case several([SessionRow])
    }

    /// The session that people mean by its id, the start of one, its name (then the latest of that name), or `last`.
    package func session(_ text: String) throws(StoreError) -> Match {
        let all = try sessions()
        if text == "last" { return all.last.map { .one($0) } ?? .none }
        if let exact = all.first(where: { $0.info.id == text }) { return .one(exact) }
        if let named = all.last(where: { $0.info.name == text }) { return .one(named) }
        let prefixed = all.filter { $0.info.id.hasPrefix(text) || $0.info.id.dropFirst(2).hasPrefix(text) }
        return prefixed.count > 1 ? .several(prefixed) : prefixed.first.map { .one($0) } ?? .none
    }

    private static func session(_ row: Statement) -> SessionRow {
        func list(_ column: Int32) -> [String] { splitArguments(row.bytes(column) ?? []).map { String(decoding: $0, as: UTF8.self) } }
        let info = SessionInfo(
            id: row.text(1) ?? "", name: row.text(2), identity: row.text(3) ?? "", onBehalfOf: row.text(4), groups: list(19),
            roles: list(20),
            purpose: row.text(5), profile: row.text(6) ?? "", mode: row.text(7) ?? "", workspace: row.text(8) ?? "",
            command: list(9), host: row.text(10) ?? "", user: UInt32(truncatingIfNeeded: row.integer(11)),
            supervisor: Int32(truncatingIfNeeded: row.integer(12)), started: row.unsigned(13))
        return SessionRow(
            number: row.integer(0), info: info, ended: row.optional(14).map { UInt64(bitPattern: $0) },
            status: row.optional(15).map { Int32(truncatingIfNeeded: $0) }, lost: row.integer(16) != 0,
            torn: Int(row.integer(17)), drained: row.unsigned(18))
    }

    /// Arguments that each end with a NUL; a last one that was cut off counts.
    static func splitArguments(_ bytes: [UInt8]) -> [[UInt8]] {
        var parts = bytes.split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
        if parts.last?.isEmpty == true { parts.removeLast() }
        return parts
    }
}

/// What runs in processes, as events show it, looked up once: thousands of events are of one program, whose arguments may
/// fill pages.
final class TrailImages {
    struct Image {
        var program: [UInt8]?
        var arguments: TrailEvent.Arguments?
        var subagent: String?
    }

    private static let mostBytes = 16 << 20
    private let select: Statement
    private var known: [Int64: Image] = [:]
    private var bytes = 0

    init(_ database: Database) throws(StoreError) {
        select = try database.prepare(
            """
            SELECT t.bytes, i.args, a.name FROM image i LEFT JOIN text t ON t.id = i.program
            LEFT JOIN identity a ON a.id = i.subagent WHERE i.id = ?1
            """)
    }

    /// Empty where it is not known what ran.
    func image(_ id: Int64?) throws(StoreError) -> Image {
        guard let id else { return Image() }
        if let image = known[id] { return image }
        select.bind(1, id)
        defer { select.reset() }
        guard try select.step() else { return Image() }
        let arguments = select.bytes(1)
        let image = Image(program: select.bytes(0), arguments: arguments.map(TrailEvent.Arguments.init), subagent: select.text(2))
        bytes += 256 + (arguments?.count ?? 0)
        if bytes > TrailImages.mostBytes {
            known.removeAll()
            bytes = 0
        }
        known[id] = image
        return image
    }
}
