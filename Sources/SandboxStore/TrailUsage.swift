internal import SandboxModel

/// By what usage is added up. By `data`: by class of data and who used it.
package enum UsageKey: String, CaseIterable, Sendable { case identity, data, host, program, day }

/// What one identity, class of data, host, program or day used; counts, never content.
package struct UsageRow: Sendable {
    package var name: [UInt8]
    /// Of a class of data: who used it.
    package var identity: String?
    package var sessions = 0
    package var accesses = 0
    /// Distinct files that were read, and that were changed.
    package var filesRead = 0
    package var filesChanged = 0
    /// Distinct addresses that were reached, and the first of them of a class of data.
    package var hosts = 0
    package var destinations: [[UInt8]] = []
    package var starts = 0
    package var refused = 0
    /// Bytes over TCP connections that are over, as the kernel counted them.
    package var sent: UInt64 = 0
    package var received: UInt64 = 0

    static let mostDestinations = 100
}

extension TrailReader {
    /// Everything since `since`, the most accesses first; days in their order.
    package func usage(by key: UsageKey, since: UInt64 = 0) throws(StoreError) -> [UsageRow] {
        var rows: [UsageRow] = []
        var places: [UsageName: Int] = [:]
        func row(_ select: Statement) -> Int {
            let name = UsageName(bytes: select.bytes(0) ?? [], identity: key == .data ? select.text(1) : nil)
            if let place = places[name] { return place }
            rows.append(UsageRow(name: name.bytes, identity: name.identity))
            places[name] = rows.count - 1
            return rows.count - 1
        }
        let events = try database.prepare(UsageQueries.events(key))
        events.bind(1, since)
        while try events.step() {
            let place = row(events)
            rows[place].sessions = Int(events.integer(2))
            rows[place].accesses = Int(events.integer(3))
            (rows[place].filesRead, rows[place].filesChanged) = (Int(events.integer(4)), Int(events.integer(5)))
            rows[place].hosts = Int(events.integer(6))
            (rows[place].starts, rows[place].refused) = (Int(events.integer(7)), Int(events.integer(8)))
        }
        let traffic = try database.prepare(UsageQueries.traffic(key))
        traffic.bind(1, since)
        while try traffic.step() {
            let place = row(traffic)
            (rows[place].sent, rows[place].received) = (traffic.unsigned(2), traffic.unsigned(3))
        }
        guard key == .data else { return rows }
        let reached = try database.prepare(UsageQueries.reached)
        reached.bind(1, since)
        for place in rows.indices { rows[place].hosts = 0 }
        while try reached.step() {
            let place = row(reached)
            rows[place].hosts += 1
            if rows[place].destinations.count < UsageRow.mostDestinations { rows[place].destinations.append(reached.bytes(2) ?? []) }
        }
        return rows
    }
}

private struct UsageName: Hashable {
    let bytes: [UInt8]
    let identity: String?
}

private enum UsageQueries {
    /// Two texts may hold the same bytes: what is counted as one is told by its bytes.
    static func events(_ key: UsageKey) -> String {
        """
        SELECT \(name(key, first: "e.first")), w.name, count(DISTINCT e.id >> 40), sum(e.count),
        count(DISTINCT CASE WHEN \(isFile) AND e.access & \(FileAccess.read.rawValue) THEN t.bytes END),
        count(DISTINCT CASE WHEN \(isFile) AND e.access & \(FileAccess.changing.rawValue) THEN t.bytes END),
        count(DISTINCT CASE WHEN \(isReach) THEN t.bytes END),
        sum(CASE WHEN e.operation = \(Operation.exec.rawValue) THEN e.count ELSE 0 END),
        sum(CASE WHEN e.decision = \(Decision.deny.rawValue) THEN e.count ELSE 0 END)
        FROM event e JOIN session s ON s.id = e.id >> 40 JOIN identity w ON w.id = s.identity LEFT JOIN text t ON t.id = e.resource
        \(program(key, image: "e.image")) \(key == .data ? carried : "")
        WHERE e.last >= ? AND \(ResourceType.isJudged) AND \(key == .host ? isReach : key == .program ? "v.bytes IS NOT NULL" : "1")
        GROUP BY \(group(key)) ORDER BY \(key == .day ? "1" : "4 DESC, 1, 2")
        """
    }

    static func traffic(_ key: UsageKey) -> String {
        """
        SELECT \(name(key, first: "x.time")), w.name, sum(x.sent), sum(x.received)
        FROM traffic x JOIN session s ON s.id = x.session JOIN identity w ON w.id = s.identity JOIN text t ON t.id = x.resource
        \(program(key, image: "x.image")) \(key == .data ? "JOIN (\(classes)) c ON \(names("x.carries"))" : "")
        WHERE x.time >= ? AND \(key == .program ? "v.bytes IS NOT NULL" : "1") GROUP BY \(group(key)) ORDER BY 1, 2
        """
    }

    /// Where whoever carried a class has gone, and what he had a connection to that another had made.
    static let reached = """
        SELECT c.name, w.name, t.bytes
        FROM event e JOIN session s ON s.id = e.id >> 40 JOIN identity w ON w.id = s.identity JOIN text t ON t.id = e.resource
        \(carried) WHERE e.last >= ?1 AND \(isReach) AND e.decision <> \(Decision.deny.rawValue)
        UNION SELECT c.name, w.name, t.bytes
        FROM traffic x JOIN session s ON s.id = x.session JOIN identity w ON w.id = s.identity JOIN text t ON t.id = x.resource
        JOIN (\(classes)) c ON \(names("x.carries")) WHERE x.time >= ?1 ORDER BY 1, 2, 3
        """

    private static let isFile = "e.resource_type = \(ResourceType.file.rawValue)"
    private static let isReach = """
        e.resource_type = \(ResourceType.socket.rawValue) AND e.operation IN (\(Operation.connect.rawValue), \(Operation.send.rawValue))
        AND \(ResourceType.isNoKernelSocket)
        """

    private static func name(_ key: UsageKey, first: String) -> String {
        switch key {
        case .identity: "w.name"
        case .data: "c.name"
        case .host: "t.bytes"
        case .program: "v.bytes"
        case .day: "strftime('%Y-%m-%d', \(first) / 1000000000, 'unixepoch')"
        }
    }

    private static func group(_ key: UsageKey) -> String { key == .data ? "1, 2" : "1" }

    private static func program(_ key: UsageKey, image: String) -> String {
        key == .program ? "LEFT JOIN image i ON i.id = \(image) LEFT JOIN text v ON v.id = i.program" : ""
    }

    /// Classes stand in one field, separated by commas: here each stands alone.
    private static let classes = """
        WITH RECURSIVE lists(list) AS (SELECT carries FROM judgement WHERE carries <> '' UNION SELECT carries FROM traffic),
        parts(name, rest) AS (
            SELECT '', list || ',' FROM lists WHERE list IS NOT NULL
            UNION SELECT substr(rest, 1, instr(rest, ',') - 1), substr(rest, instr(rest, ',') + 1) FROM parts WHERE rest <> '')
        SELECT DISTINCT name FROM parts WHERE name <> ''
        """

    private static func names(_ list: String) -> String { "instr(',' || \(list) || ',', ',' || c.name || ',') > 0" }

    private static let carried = """
        JOIN judgement j ON j.session = e.id >> 40 AND j.seq = e.subject JOIN (\(classes)) c ON \(names("j.carries"))
        """
}

/// Usage for people and for programs.
package enum UsageText {
    package static func table(_ rows: [UsageRow], by key: UsageKey, style: TextStyle) -> String {
        let isData = key == .data
        let head =
            [key.rawValue.uppercased()] + (isData ? ["IDENTITY"] : [])
            + ["SESSIONS", "ACCESSES", "READ", "CHANGED", "HOSTS", "STARTS", "REFUSED", "SENT", "RECEIVED"]
        let cells =
            [head]
            + rows.map { row in
                [Escaped.text(row.name)] + (isData ? [Escaped.text(row.identity ?? "")] : []) + numbers(row).map { String($0.1) }
            }
        let widths = head.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.enumerated().map { number, line in
            let text = line.enumerated().map { column, cell in
                let room = String(repeating: " ", count: widths[column] - cell.count)
                return column < (isData ? 2 : 1) ? cell + room : room + cell
            }.joined(separator: "  ")
            return (number == 0 ? style.bold(text) : text + reached(number == 0 ? nil : rows[number - 1])) + "\n"
        }.joined()
    }

    /// A class's destinations stand below it.
    private static func reached(_ row: UsageRow?) -> String {
        guard let row, !row.destinations.isEmpty else { return "" }
        let shown = row.destinations.prefix(5).map { Escaped.text($0) }
        let more = row.hosts - shown.count
        return "\n  to " + shown.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
    }

    package static func json(_ row: UsageRow, by key: UsageKey) -> String {
        var object = JSONObject()
        object.put(key.rawValue, bytes: row.name)
        object.put("identity", row.identity)
        for (name, value) in numbers(row) { object.put(name, value) }
        if key == .data { object.put("destinations", raw: EventJSON.list(row.destinations.map { Escaped.json(Escaped.text($0)) })) }
        return object.text
    }

    private static func numbers(_ row: UsageRow) -> [(String, UInt64)] {
        [
            ("sessions", UInt64(row.sessions)), ("accesses", UInt64(row.accesses)), ("files_read", UInt64(row.filesRead)),
            ("files_changed", UInt64(row.filesChanged)), ("hosts", UInt64(row.hosts)), ("starts", UInt64(row.starts)),
            ("refused", UInt64(row.refused)), ("bytes_sent", row.sent), ("bytes_received", row.received),
        ]
    }
}
