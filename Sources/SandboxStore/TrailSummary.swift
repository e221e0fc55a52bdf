package import SandboxModel

/// What a reviewer wants to know of one session; lists hold the first few, and how many there are in all.
package struct SessionSummary: Sendable {
    package struct List<Item: Sendable>: Sendable {
        package var items: [Item] = []
        package var total = 0
    }

    package struct Process: Sendable {
        package var serial: UInt32
        package var parent: UInt32?
        package var pid: Int32
        /// What it ran before its last program, by name, in order: a shell becomes its last command.
        package var before: [[UInt8]] = []
        package var program: [UInt8]?
        package var arguments: [[UInt8]]
        package var started: UInt64
        package var ended: UInt64?
        package var status: Int32?
        package var subagent: String?
    }

    package struct Refusal: Sendable {
        package var decision: Decision
        package var operation: Operation
        package var access: FileAccess
        package var enforced: Bool
        package var resource: [UInt8]?
        package var rule: RuleInfo?
        package var answer: ApprovalAnswer?
        package var count: Int
    }

    /// Something that was changed or reached, and how often.
    package struct Touched: Sendable {
        package var operation: Operation
        package var resource: [UInt8]
        package var target: [UInt8]?
        package var count: Int
    }

    /// Where a candidate profile would have decided otherwise.
    package struct Difference: Sendable {
        package var decision: Decision
        package var shadow: Decision
        package var operation: Operation
        package var resource: [UInt8]?
        package var rules: [String]
        package var count: Int
    }

    package var session: SessionRow
    package var differences = List<Difference>()
    /// How often in all.
    package var differing = 0
    /// Accesses, and the rows they were merged into.
    package var accesses = 0
    package var rows = 0
    package var processes = List<Process>()
    package var refused = List<Refusal>()
    /// Of these, how many kinds were denied, asked about and rewritten.
    package var decided: [Decision: Int] = [:]
    package var files = List<Touched>()
    package var hosts = List<Touched>()
    package var notes: [[UInt8]] = []
}

extension TrailReader {
    /// Of files: git's own, and those of the session's temporary folder. They are many, and seldom what a reviewer looks for.
    private static let isHousekeeping = "instr(t.bytes, CAST('/.git/' AS BLOB)) > 0 OR instr(t.bytes, CAST('/sandbox-s-' AS BLOB)) > 0"

    /// `listLimit` items of each list at most.
    package func summary(of session: SessionRow, listLimit: Int = 15) throws(StoreError) -> SessionSummary {
        var summary = SessionSummary(session: session)
        let events = "id BETWEEN \(session.number << 40) AND \(session.number << 40 | 0xff_ffff_ffff)"
        let totals = try database.prepare(
            "SELECT count(*), coalesce(sum(count), 0) FROM event e WHERE e.\(events) AND \(ResourceType.isJudged)")
        if try totals.step() { (summary.rows, summary.accesses) = (Int(totals.integer(0)), Int(totals.integer(1))) }
        summary.processes = try processes(session, listLimit)
        summary.refused = try refusals(session, events, listLimit, &summary.decided)
        summary.files = try touched(
            // What is written there is nowhere.
            """
            e.access & \(FileAccess.changing.rawValue) AND resource_type = \(ResourceType.file.rawValue)
            AND t.bytes <> CAST('/dev/null' AS BLOB)
            """,
            events, order: "\(Self.isHousekeeping), 2, 3", listLimit)
        summary.hosts = try touched(
            """
            e.operation IN (\(Operation.connect.rawValue), \(Operation.send.rawValue), \(Operation.accept.rawValue))
            AND resource_type = \(ResourceType.socket.rawValue) AND \(ResourceType.isNoKernelSocket)
            """, events, order: "1 DESC, 3", listLimit)
        try differences(session, events, listLimit, &summary)
        let notes = try database.prepare("SELECT text FROM note WHERE session = \(session.number) ORDER BY seq LIMIT 10")
        while try notes.step() { summary.notes.append(notes.bytes(0) ?? []) }
        return summary
    }

    private func differences(
        _ session: SessionRow, _ events: String, _ limit: Int, _ summary: inout SessionSummary
    ) throws(StoreError) {
        let grouped = """
            SELECT e.decision AS decision, j.shadow AS shadow, e.operation, t.bytes, j.shadow_rules, sum(e.count) AS times
            FROM event e JOIN judgement j ON j.session = \(session.number) AND j.seq = e.subject
            LEFT JOIN text t ON t.id = e.resource WHERE e.\(events) AND j.shadow IS NOT NULL GROUP BY 1, 2, 3, 4, 5
            """
        let totals = try database.prepare("SELECT count(*), coalesce(sum(times), 0) FROM (\(grouped))")
        if try totals.step() { (summary.differences.total, summary.differing) = (Int(totals.integer(0)), Int(totals.integer(1))) }
        let select = try database.prepare("\(grouped) ORDER BY shadow DESC, times DESC LIMIT \(limit)")
        while try select.step() {
            summary.differences.items.append(
                SessionSummary.Difference(
                    decision: Decision(rawValue: UInt8(truncatingIfNeeded: select.integer(0))) ?? .allow,
                    shadow: Decision(rawValue: UInt8(truncatingIfNeeded: select.integer(1))) ?? .allow,
                    operation: Operation(rawValue: UInt8(truncatingIfNeeded: select.integer(2))) ?? .other, resource: select.bytes(3),
                    rules: (select.text(4) ?? "").split(separator: "\n").map(String.init), count: Int(select.integer(5))))
        }
    }

    private func processes(
        _ session: SessionRow, _ limit: Int
    ) throws(StoreError) -> SessionSummary.List<SessionSummary.Process> {
        var list = SessionSummary.List<SessionSummary.Process>()
        let base = session.number << 32
        let span = "BETWEEN \(base) AND \(base | 0xffff_ffff)"
        list.total = Int(try database.number("SELECT count(*) FROM process WHERE id \(span)") ?? 0)
        // Those whose parents are listed too: serials grow from parent to child.
        let select = try database.prepare(
            """
            SELECT p.id, p.parent, p.pid, t.bytes, i.args, p.started, p.ended, p.status, a.name FROM process p
            LEFT JOIN image i ON i.id = p.image LEFT JOIN text t ON t.id = i.program
            LEFT JOIN identity a ON a.id = i.subagent
            WHERE p.id \(span) ORDER BY p.id LIMIT \(limit)
            """)
        while try select.step() {
            list.items.append(
                SessionSummary.Process(
                    serial: UInt32(truncatingIfNeeded: select.integer(0)),
                    parent: select.optional(1).map { UInt32(truncatingIfNeeded: $0) },
                    pid: Int32(truncatingIfNeeded: select.integer(2)), program: select.bytes(3),
                    arguments: TrailReader.splitArguments(select.bytes(4) ?? []), started: select.unsigned(5),
                    ended: select.optional(6).map { UInt64(bitPattern: $0) },
                    status: select.optional(7).map { Int32(truncatingIfNeeded: $0) }, subagent: select.text(8)))
        }
        try addEarlierPrograms(session, &list.items)
        return list
    }

    private func addEarlierPrograms(_ session: SessionRow, _ items: inout [SessionSummary.Process]) throws(StoreError) {
        let places = Dictionary(items.enumerated().map { ($1.serial, $0) }) { first, _ in first }
        let serials = places.keys.map(String.init).joined(separator: ",")
        let select = try database.prepare(
            """
            SELECT e.process, e.args, t.bytes FROM event e JOIN text t ON t.id = e.resource
            WHERE e.id BETWEEN \(session.number << 40) AND \(session.number << 40 | 0xff_ffff_ffff)
            AND e.operation = \(Operation.exec.rawValue) AND e.process IN (\(serials)) ORDER BY e.id
            """)
        var names: [Int: [[UInt8]]] = [:]
        while try select.step() {
            guard let place = places[UInt32(truncatingIfNeeded: select.integer(0))] else { continue }
            let asked = TrailReader.splitArguments(select.bytes(1) ?? []).first ?? select.bytes(2) ?? []
            names[place, default: []].append(asked.split(separator: UInt8(ascii: "/")).last.map { Array($0) } ?? asked)
        }
        for (place, names) in names { items[place].before = names.dropLast() }
    }

    private func refusals(
        _ session: SessionRow, _ events: String, _ limit: Int, _ decided: inout [Decision: Int]
    ) throws(StoreError) -> SessionSummary.List<SessionSummary.Refusal> {
        var list = SessionSummary.List<SessionSummary.Refusal>()
        let enforced = RecordFlags.enforced.rawValue
        let grouped = """
            SELECT decision, operation, access, flags & \(enforced) AS enforced, t.bytes AS resource, r.name AS name,
            r.reason AS reason, sum(count) AS times, min(e.id) AS earliest, \(ApprovalAnswer.columns)
            FROM event e LEFT JOIN text t ON t.id = e.resource
            LEFT JOIN judgement j ON j.session = \(session.number) AND j.seq = e.subject \(ApprovalAnswer.closed)
            LEFT JOIN rule r ON r.session = \(session.number) AND r.rule = e.rule
            WHERE e.\(events) AND decision > 0 AND decision IN (1, 2, 3) 
            GROUP BY 1, 2, 3, 4, 5, 6, 10, 11, 12, 13
            """
        let totals = try database.prepare("SELECT decision, count(*) FROM (\(grouped)) GROUP BY 1")
        while try totals.step() {
            guard let decision = Decision(rawValue: UInt8(truncatingIfNeeded: totals.integer(0))) else { continue }
            decided[decision] = Int(totals.integer(1))
        }
        list.total = decided.values.reduce(0, +)
        let select = try database.prepare("\(grouped) ORDER BY decision DESC, times DESC, earliest LIMIT \(limit)")
        while try select.step() {
            list.items.append(
                SessionSummary.Refusal(
                    decision: Decision(rawValue: UInt8(truncatingIfNeeded: select.integer(0))) ?? .deny,
                    operation: Operation(rawValue: UInt8(truncatingIfNeeded: select.integer(1))) ?? .other,
                    access: FileAccess(rawValue: UInt16(truncatingIfNeeded: select.integer(2))),
                    enforced: select.integer(3) != 0, resource: select.bytes(4),
                    rule: select.text(5).map { RuleInfo(name: $0, reason: select.text(6) ?? "") }, answer: ApprovalAnswer(select, 9),
                    count: Int(select.integer(7))))
        }
        return list
    }

    private func touched(
        _ condition: String, _ events: String, order: String, _ limit: Int
    ) throws(StoreError) -> SessionSummary.List<SessionSummary.Touched> {
        var list = SessionSummary.List<SessionSummary.Touched>()
        let grouped = """
            SELECT sum(e.count), e.operation, t.bytes, u.bytes FROM event e JOIN text t ON t.id = e.resource
            LEFT JOIN text u ON u.id = e.second
            WHERE e.\(events) AND \(condition) AND \(EventRow.tookPlace) GROUP BY 2, 3, 4
            """
        list.total = Int(try database.number("SELECT count(*) FROM (\(grouped))") ?? 0)
        let select = try database.prepare("\(grouped) ORDER BY \(order) LIMIT \(limit)")
        while try select.step() {
            list.items.append(
                SessionSummary.Touched(
                    operation: Operation(rawValue: UInt8(truncatingIfNeeded: select.integer(1))) ?? .other,
                    resource: select.bytes(2) ?? [], target: select.bytes(3), count: Int(select.integer(0))))
        }
        return list
    }
}
