internal import SandboxModel

/// By what usage is added up: by data class as well, once events carry them.
package enum UsageKey: String, CaseIterable, Sendable { case identity, host, program, day }

/// What one identity, host, program or day used; counts, never content.
package struct UsageRow: Sendable {
    package var name: [UInt8]
    package var sessions = 0
    package var accesses = 0
    /// Distinct files that were read, and that were changed.
    package var filesRead = 0
    package var filesChanged = 0
    /// Distinct addresses that were reached.
    package var hosts = 0
    package var starts = 0
    package var refused = 0
}

extension TrailReader {
    /// Everything since `since`, the most accesses first; days in their order.
    package func usage(by key: UsageKey, since: UInt64 = 0) throws(StoreError) -> [UsageRow] {
        // Two texts may hold the same bytes: what is counted as one is told by its bytes.
        let select = try database.prepare(
            """
            SELECT \(key.column), count(DISTINCT e.id >> 40), sum(e.count),
            count(DISTINCT CASE WHEN \(UsageKey.isFile) AND e.access & \(FileAccess.read.rawValue) THEN t.bytes END),
            count(DISTINCT CASE WHEN \(UsageKey.isFile) AND e.access & \(FileAccess.changing.rawValue) THEN t.bytes END),
            count(DISTINCT CASE WHEN \(UsageKey.isReach) THEN t.bytes END),
            sum(CASE WHEN e.operation = \(Operation.exec.rawValue) THEN e.count ELSE 0 END),
            sum(CASE WHEN e.decision = \(Decision.deny.rawValue) THEN e.count ELSE 0 END)
            FROM event e JOIN session s ON s.id = e.id >> 40 LEFT JOIN text t ON t.id = e.resource \(key.join)
            WHERE e.last >= ? AND \(ResourceType.isJudged) AND \(key.condition) GROUP BY 1 ORDER BY \(key == .day ? "1" : "3 DESC, 1")
            """)
        select.bind(1, since)
        var rows: [UsageRow] = []
        while try select.step() {
            rows.append(
                UsageRow(
                    name: select.bytes(0) ?? [], sessions: Int(select.integer(1)), accesses: Int(select.integer(2)),
                    filesRead: Int(select.integer(3)), filesChanged: Int(select.integer(4)), hosts: Int(select.integer(5)),
                    starts: Int(select.integer(6)), refused: Int(select.integer(7))))
        }
        return rows
    }
}

extension UsageKey {
    fileprivate static let isFile = "e.resource_type = \(ResourceType.file.rawValue)"
    fileprivate static let isReach = """
        e.resource_type = \(ResourceType.socket.rawValue) AND e.operation IN (\(Operation.connect.rawValue), \(Operation.send.rawValue))
        """

    fileprivate var column: String {
        switch self {
        case .identity: "w.name"
        case .host: "t.bytes"
        case .program: "v.bytes"
        case .day: "strftime('%Y-%m-%d', e.first / 1000000000, 'unixepoch')"
        }
    }

    fileprivate var join: String {
        switch self {
        case .identity: "JOIN identity w ON w.id = s.identity"
        case .program: "LEFT JOIN image i ON i.id = e.image LEFT JOIN text v ON v.id = i.program"
        case .host, .day: ""
        }
    }

    fileprivate var condition: String {
        switch self {
        case .identity, .day: "1"
        case .host: UsageKey.isReach
        case .program: "v.bytes IS NOT NULL"
        }
    }
}

/// Usage for people and for programs.
package enum UsageText {
    package static func table(_ rows: [UsageRow], by key: UsageKey, style: TextStyle) -> String {
        let head = [key.rawValue.uppercased(), "SESSIONS", "ACCESSES", "READ", "CHANGED", "HOSTS", "STARTS", "REFUSED"]
        let cells = [head] + rows.map { row in [Escaped.text(row.name)] + numbers(row).map { String($0.1) } }
        let widths = head.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.enumerated().map { number, line in
            let text = line.enumerated().map { column, cell in
                let room = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + room : room + cell
            }.joined(separator: "  ")
            return (number == 0 ? style.bold(text) : text) + "\n"
        }.joined()
    }

    package static func json(_ row: UsageRow, by key: UsageKey) -> String {
        var object = JSONObject()
        object.put(key.rawValue, bytes: row.name)
        for (name, value) in numbers(row) { object.put(name, UInt64(value)) }
        return object.text
    }

    private static func numbers(_ row: UsageRow) -> [(String, Int)] {
        [
            ("sessions", row.sessions), ("accesses", row.accesses), ("files_read", row.filesRead), ("files_changed", row.filesChanged),
            ("hosts", row.hosts), ("starts", row.starts), ("refused", row.refused),
        ]
    }
}
