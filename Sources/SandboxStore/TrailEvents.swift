package import SandboxModel

/// An event as the trail shows it; repeats of the same access are one, with `count` and the `last` time.
package struct TrailEvent: Sendable {
    package struct Process: Sendable {
        package var serial: UInt32
        package var pid: Int32
        package var parent: Int32?
        package var started: UInt64?
        package var program: [UInt8]?
        package var arguments: Arguments?
        /// Named within the session (`sandbox as`); `a/b`: b within a.
        package var subagent: String?
    }

    /// Of a program: for people, and as it stands in JSON. Thousands of events share them.
    package struct Arguments: Sendable {
        package let words: [[UInt8]]
        let json: String

        init(_ bytes: [UInt8]) {
            words = TrailReader.splitArguments(bytes)
            var object = JSONObject()
            object.put("args", bytes: words)
            json = object.fields
        }
    }

    package var seq: UInt64
    package var session: SessionRow
    /// What ran when it happened. For a start: the program and the arguments that were asked for.
    package var process: Process
    package var operation: Operation
    package var access: FileAccess
    package var resourceType: ResourceType
    package var resource: [UInt8]?
    /// Where a rename or a link leads to.
    package var target: [UInt8]?
    /// The name that was asked for, where the resource is an address.
    package var host: [UInt8]?
    package var decision: Decision
    package var flags: RecordFlags
    package var rule: RuleInfo?
    /// Other rules that matched, by name.
    package var otherRules: [String] = []
    package var judgement: Judgement?
    /// Of an operation that somebody was asked about.
    package var answer: ApprovalAnswer?
    /// 0 or `-errno`; nil where it is not known.
    package var result: Int32?
    package var first: UInt64
    package var last: UInt64
    package var count: UInt64
}

/// Which events; empty lists and nil mean any.
package struct EventFilter: Sendable {
    package var session: SessionRow?
    /// Globs over identities.
    package var identities: [String] = []
    package var decisions: [Decision] = []
    package var operations: [Operation] = []
    /// Globs over sub-agents.
    package var subagents: [String] = []
    /// Globs; one that begins with neither `/` nor `*` may match below any directory.
    package var paths: [String] = []
    /// Globs over the host part of an address, and over names that were asked for.
    package var hosts: [String] = []
    /// Any of these.
    package var intents: IntentSet = []
    /// Only where a candidate profile would have decided otherwise.
    package var differs = false
    /// Globs over a program's path, or over its last name where they hold no `/`.
    package var programs: [String] = []
    package var since: UInt64?
    package var until: UInt64?
    /// The latest so many.
    package var limit: Int?
    package init() {}
}

/// How far each session has been shown.
package struct FollowCursor: Sendable {
    fileprivate var seen: [Int64: UInt64] = [:]
    package init() {}
}

extension TrailReader {
    /// Calls `body` for each event that is new since `cursor`, in order of time, and moves the cursor on.
    package func events(
        _ filter: EventFilter, since cursor: inout FollowCursor, _ body: (TrailEvent) throws -> Void
    ) throws {
        // One snapshot for the sessions and their events.
        try database.execute("BEGIN")
        defer { try? database.execute("COMMIT") }
        let identities = filter.identities.map { ByteGlob($0) }
        var chosen: [Int64: SessionRow] = [:]
        var spans: [(low: Int64, high: Int64)] = []
        for session in try sessions() where filter.session == nil || filter.session?.number == session.number {
            let seen = cursor.seen[session.number] ?? 0
            guard session.drained > seen, filter.covers(session),
                identities.isEmpty || identities.contains(where: { $0.matches(Array(session.info.identity.utf8)) })
            else { continue }
            cursor.seen[session.number] = session.drained
            chosen[session.number] = session
            let base = session.number << 40
            spans.append((base | Int64(seen), base | Int64(session.drained)))
        }
        if spans.isEmpty { return }
        let globs = GlobTable(filter.globs)
        try database.useGlobs(globs)
        let rules = try ruleNames(of: Array(chosen.keys)), images = try TrailImages(database)
        let select = try database.prepare(filter.sql(spans: spans))
        defer { select.reset() }
        var held: [TrailEvent] = []
        while try select.step() {
            guard let event = try TrailReader.event(select, chosen, rules, images) else { continue }
            if filter.limit == nil { try body(event) } else { held.append(event) }
        }
        for event in held.reversed() { try body(event) }
    }

    package func events(_ filter: EventFilter, _ body: (TrailEvent) throws -> Void) throws {
        var cursor = FollowCursor()
        try events(filter, since: &cursor, body)
    }

    private func ruleNames(of sessions: [Int64]) throws(StoreError) -> [RuleKey: String] {
        var names: [RuleKey: String] = [:]
        for session in sessions {
            let select = try database.prepare("SELECT rule, name FROM rule WHERE session = \(session)")
            while try select.step() { names[RuleKey(session, UInt16(truncatingIfNeeded: select.integer(0)))] = select.text(1) ?? "" }
        }
        return names
    }

    /// From column 21 on.
    private static func judgement(_ row: Statement) -> Judgement? {
        if row.isNull(21) { return nil }
        var judgement = Judgement()
        judgement.intents = IntentSet(low: row.unsigned(21), high: row.unsigned(22))
        judgement.rules = (row.text(23) ?? "").split(separator: ",").compactMap { UInt16($0).map(RuleID.init) }
        judgement.note = row.text(24)
        judgement.rewritten = row.bytes(25).map(splitArguments)
        judgement.approval = row.text(26)
        judgement.shadow = row.optional(27).map {
            Judgement.Shadow(
                decision: Decision(rawValue: UInt8(truncatingIfNeeded: $0)) ?? .allow,
                rules: (row.text(28) ?? "").split(separator: "\n").map(String.init))
        }
        judgement.carries = (row.text(29) ?? "").split(separator: ",").map(String.init)
        return judgement
    }

    private static func event(
        _ row: Statement, _ sessions: [Int64: SessionRow], _ rules: [RuleKey: String], _ images: TrailImages
    ) throws(StoreError) -> TrailEvent? {
        let id = row.integer(0)
        guard let session = sessions[id >> 40],
            let operation = Operation(rawValue: UInt8(truncatingIfNeeded: row.integer(3))),
            let decision = Decision(rawValue: UInt8(truncatingIfNeeded: row.integer(5)))
        else { return nil }
        let flags = RecordFlags(rawValue: UInt8(truncatingIfNeeded: row.integer(6)))
        let type = ResourceType(rawValue: UInt8(truncatingIfNeeded: row.integer(7))) ?? .none
        let resource = row.bytes(8)
        let second = row.bytes(9)
        let image = try images.image(row.optional(16))
        var process = TrailEvent.Process(
            serial: UInt32(truncatingIfNeeded: row.integer(1)), pid: Int32(truncatingIfNeeded: row.integer(2)),
            parent: row.optional(15).map { Int32(truncatingIfNeeded: $0) },
            started: row.optional(14).map { UInt64(bitPattern: $0) }, program: image.program, arguments: image.arguments,
            subagent: image.subagent)
        if operation == .exec, let resource {
            process.program = resource
            if let asked = row.bytes(18) { process.arguments = TrailEvent.Arguments(asked) }
        }
        let judgement = judgement(row)
        let own = row.optional(17).map { UInt16(truncatingIfNeeded: $0) }
        let others = judgement?.rules.filter { $0.rawValue != own }.compactMap { rules[RuleKey(id >> 40, $0.rawValue)] } ?? []
        return TrailEvent(
            seq: UInt64(id & 0xff_ffff_ffff), session: session, process: process, operation: operation,
            access: FileAccess(rawValue: UInt16(truncatingIfNeeded: row.integer(4))), resourceType: type,
            resource: resource, target: flags.contains(.secondPath) ? second : nil,
            host: flags.contains(.secondPath) ? nil : second, decision: decision, flags: flags,
            rule: row.text(19).map { RuleInfo(name: $0, reason: row.text(20) ?? "") },
            otherRules: others, judgement: judgement, answer: ApprovalAnswer(row, 30),
            result: row.optional(10).map { Int32(truncatingIfNeeded: $0) },
            first: row.unsigned(11),
            last: row.unsigned(12), count: row.unsigned(13))
    }
}

private struct RuleKey: Hashable {
    let session: Int64
    let rule: UInt16
    init(_ session: Int64, _ rule: UInt16) {
        self.session = session
        self.rule = rule
    }
}

// MARK: The filter as SQL

extension ResourceType {
    /// Of sockets, as a condition on `text t`: netlink's lead into this machine's kernel, and to nobody.
    static let isNoKernelSocket = "t.bytes <> CAST('netlink' AS BLOB)"
    /// As a condition on `event e`: what is on record for the lineage alone is no event.
    static let isJudged = "e.resource_type <> \(ResourceType.stream.rawValue)"
}

extension EventFilter {
    /// False where nothing of the session can lie between `since` and `until`.
    fileprivate func covers(_ session: SessionRow) -> Bool {
        if let since, let ended = session.ended, ended < since { return false }
        if let until, session.info.started > until { return false }
        return true
    }

    /// The tests of `path_matches`, in the order in which `sql` numbers them: paths, hosts, programs, sub-agents.
    fileprivate var globs: [(UnsafeRawBufferPointer) -> Bool] {
        let paths = paths.map { pattern -> (UnsafeRawBufferPointer) -> Bool in
            let glob = ByteGlob(pattern.hasPrefix("/") || pattern.hasPrefix("*") ? pattern : "**/" + pattern)
            return { matches(glob, $0) }
        }
        let hosts = hosts.map { pattern -> (UnsafeRawBufferPointer) -> Bool in
            let glob = ByteGlob(pattern)
            return { matches(glob, $0) || glob.matches(hostPart($0)) }
        }
        let programs = programs.map { pattern -> (UnsafeRawBufferPointer) -> Bool in
            let glob = ByteGlob(pattern)
            if pattern.utf8.contains(UInt8(ascii: "/")) { return { matches(glob, $0) } }
            return { path in
                let start = path.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
                return matches(glob, UnsafeRawBufferPointer(rebasing: path[start...]))
            }
        }
        let subagents = subagents.map { pattern -> (UnsafeRawBufferPointer) -> Bool in
            let glob = ByteGlob(pattern)
            return { matches(glob, $0) }
        }
        return paths + hosts + programs + subagents
    }

    /// All numbers come from us, all texts go through `path_matches`: nothing of the user's is in the SQL.
    fileprivate func sql(spans: [(low: Int64, high: Int64)]) -> String {
        var terms = [ResourceType.isJudged]
        var source = "span CROSS JOIN event e ON e.id > span.low AND e.id <= span.high"
        if spans.count == 1 {
            // The rows of one session are in order already; SQLite would sort them all if it did not know.
            source = "event e"
            terms.append("e.id > \(spans[0].low) AND e.id <= \(spans[0].high)")
        }
        func list(_ numbers: [UInt8]) -> String { numbers.map(String.init).joined(separator: ",") }
        if !decisions.isEmpty {
            if !decisions.contains(.allow) { terms.append("e.decision > 0") }
            terms.append("e.decision IN (\(list(decisions.map(\.rawValue))))")
        }
        if !operations.isEmpty { terms.append("e.operation IN (\(list(operations.map(\.rawValue))))") }
        if let since { terms.append("e.last >= \(since)") }
        if let until { terms.append("e.first <= \(until)") }
        if !intents.isEmpty {
            let words = "j.intents_low & \(Int64(bitPattern: intents.low)) OR j.intents_high & \(Int64(bitPattern: intents.high))"
            terms.append("(\(words)\(intents.contains(.procExec) ? " OR e.operation = \(Operation.exec.rawValue)" : ""))")
        }
        if differs { terms.append("j.shadow IS NOT NULL") }
        var next = 0
        func texts(_ count: Int) -> String {
            defer { next += count }
            let tests = (next..<next + count).map { "path_matches(bytes, \($0))" }.joined(separator: " OR ")
            return "(SELECT id FROM text WHERE \(tests))"
        }
        if !paths.isEmpty {
            let found = texts(paths.count)
            let types = list([ResourceType.file.rawValue, ResourceType.program.rawValue])
            terms.append("e.resource_type IN (\(types)) AND (e.resource IN \(found) OR e.second IN \(found))")
        }
        if !hosts.isEmpty {
            let found = texts(hosts.count)
            let types = list([ResourceType.socket.rawValue, ResourceType.name.rawValue])
            terms.append("e.resource_type IN (\(types)) AND (e.resource IN \(found) OR e.second IN \(found))")
        }
        if !programs.isEmpty {
            let found = texts(programs.count)
            terms.append(
                """
                (e.image IN (SELECT id FROM image WHERE program IN \(found))
                OR e.operation = \(Operation.exec.rawValue) AND e.resource IN \(found))
                """)
        }
        if !subagents.isEmpty {
            let tests = (next..<next + subagents.count).map { "path_matches(CAST(name AS BLOB), \($0))" }.joined(separator: " OR ")
            let named = "(SELECT id FROM identity WHERE \(tests))"
            terms.append("e.image IN (SELECT id FROM image WHERE subagent IN \(named))")
        }
        let condition = "WHERE " + terms.joined(separator: " AND ")
        let key = spans.count == 1 ? ["e.id"] : ["e.first", "e.id"]
        let order = key.map { limit == nil ? $0 : $0 + " DESC" }.joined(separator: ", ")
        let cut = limit.map { "LIMIT \(max(0, $0))" } ?? ""
        return """
            WITH span (low, high) AS (VALUES \(spans.map { "(\($0.low),\($0.high))" }.joined(separator: ",")))
            SELECT e.id, e.process, e.pid, e.operation, e.access, e.decision, e.flags, e.resource_type, t.bytes,
            u.bytes, e.result, e.first, e.last, e.count, p.started, q.pid, e.image, e.rule, e.args, r.name, r.reason,
            j.intents_low, j.intents_high, j.rules, j.note, j.rewritten, j.approval, j.shadow, j.shadow_rules, j.carries,
            \(ApprovalAnswer.columns)
            FROM \(source)
            LEFT JOIN process p ON p.id = (e.id >> 40 << 32 | e.process)
            LEFT JOIN process q ON q.id = (e.id >> 40 << 32 | p.parent)
            LEFT JOIN text t ON t.id = e.resource LEFT JOIN text u ON u.id = e.second
            LEFT JOIN judgement j ON j.session = e.id >> 40 AND j.seq = e.subject
            \(ApprovalAnswer.closed)
            LEFT JOIN rule r ON r.session = e.id >> 40 AND r.rule = e.rule
            \(condition) ORDER BY \(order) \(cut)
            """
    }
}

private func matches(_ glob: ByteGlob, _ bytes: UnsafeRawBufferPointer) -> Bool {
    glob.matches(bytes.bindMemory(to: UInt8.self).span)
}

/// `host:port`, `[v6]:port` and the like without what stands around the host.
private func hostPart(_ address: UnsafeRawBufferPointer) -> [UInt8] {
    let bytes = Array(address)
    if bytes.first == UInt8(ascii: "["), let close = bytes.firstIndex(of: UInt8(ascii: "]")) { return Array(bytes[1..<close]) }
    guard let colon = bytes.lastIndex(of: UInt8(ascii: ":")) else { return bytes }
    return Array(bytes[..<colon])
}
