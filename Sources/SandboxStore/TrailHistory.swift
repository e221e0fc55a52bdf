internal import Glibc
package import SandboxModel

/// What a program was started as, from one exec to the next.
package struct RecordedImage: Sendable {
    package var id: Int64
    package var process: UInt32
    package var seq: UInt64
    package var program: Int64
}

/// A row of the trail as it lies there: texts by number, so that what repeats is looked at once.
package struct RecordedAccess: Sendable {
    package var seq: UInt64 = 0
    /// An index into the sessions that were asked for.
    package var session = 0
    package var process: UInt32 = 0
    /// 0: none.
    package var image: Int64 = 0
    package var operation = Operation.other
    package var access: FileAccess = []
    package var decision = Decision.allow
    package var flags: RecordFlags = []
    package var rule: UInt16?
    package var resourceType = ResourceType.none
    package var resource: Int64 = 0
    package var second: Int64 = 0
    package var device: UInt64 = 0
    package var inode: UInt64 = 0
    /// The judgement's number; 0: none.
    package var subject: UInt64 = 0
    package var result: Int32?
    package var first: UInt64 = 0
    package var last: UInt64 = 0
    package var count: UInt64 = 1

    /// It took place: nobody refused it, or nobody enforced that.
    package var passed: Bool {
        if !flags.contains(.enforced) { return true }
        // A question that was answered with yes has a result of its own.
        return decision == .ask ? ![nil, -EACCES, -EINTR].contains(result) : decision != .deny
    }
}

/// Recorded accesses, session by session, in the order in which they were recorded.
package final class TrailHistory {
    package let sessions: [SessionRow]
    private let trail: TrailReader
    private let texts, images, judgements, starts: Statement

    /// Of these sessions alone; what ended before `since` is left out.
    package init(_ trail: TrailReader, _ sessions: [SessionRow]) throws(StoreError) {
        self.trail = trail
        self.sessions = sessions
        texts = try trail.database.prepare("SELECT bytes FROM text WHERE id = ?")
        images = try trail.database.prepare("SELECT args, args_length FROM image WHERE id = ?")
        judgements = try trail.database.prepare("SELECT intents_low, intents_high, carries FROM judgement WHERE session = ? AND seq = ?")
        starts = try trail.database.prepare("SELECT args FROM event WHERE id = ?")
    }

    /// What was judged: no streams, no ends of processes.
    package func each(since: UInt64 = 0, _ body: (RecordedAccess) throws -> Void) throws {
        for (index, session) in sessions.enumerated() {
            let base = session.number << 40
            let select = try trail.database.prepare(
                """
                SELECT e.id, e.process, e.image, e.operation, e.access, e.decision, e.flags, e.rule, e.resource_type, e.resource, e.second,
                e.device, e.inode, e.subject, e.result, e.first, e.last, e.count FROM event e
                WHERE e.id > \(base) AND e.id <= \(base | Int64(session.drained)) AND e.last >= ? AND \(ResourceType.isJudged)
                AND e.operation <> \(Operation.exit.rawValue) ORDER BY e.id
                """)
            select.bind(1, since)
            while try select.step() {
                var row = RecordedAccess()
                row.session = index
                TrailHistory.fill(&row, select)
                try body(row)
            }
        }
    }

    private static func fill(_ row: inout RecordedAccess, _ select: Statement) {
        row.seq = UInt64(select.integer(0) & 0xff_ffff_ffff)
        row.process = UInt32(truncatingIfNeeded: select.integer(1))
        row.image = select.integer(2)
        row.operation = Operation(rawValue: UInt8(truncatingIfNeeded: select.integer(3))) ?? .other
        row.access = FileAccess(rawValue: UInt16(truncatingIfNeeded: select.integer(4)))
        // What nobody knows was refused.
        row.decision = Decision(rawValue: UInt8(truncatingIfNeeded: select.integer(5))) ?? .deny
        row.flags = RecordFlags(rawValue: UInt8(truncatingIfNeeded: select.integer(6)))
        row.rule = select.optional(7).map { UInt16(truncatingIfNeeded: $0) }
        row.resourceType = ResourceType(rawValue: UInt8(truncatingIfNeeded: select.integer(8))) ?? .none
        (row.resource, row.second) = (select.integer(9), select.integer(10))
        (row.device, row.inode, row.subject) = (select.unsigned(11), select.unsigned(12), select.unsigned(13))
        row.result = select.optional(14).map { Int32(truncatingIfNeeded: $0) }
        (row.first, row.last, row.count) = (select.unsigned(15), select.unsigned(16), select.unsigned(17))
    }

    // MARK: What rows name

    package func text(_ id: Int64) throws(StoreError) -> [UInt8] {
        texts.bind(1, id)
        defer { texts.reset() }
        return try texts.step() ? texts.bytes(0) ?? [] : []
    }

    package func program(ofImage id: Int64) throws(StoreError) -> [UInt8] {
        let select = try trail.database.prepare("SELECT t.bytes FROM image i JOIN text t ON t.id = i.program WHERE i.id = ?")
        select.bind(1, id)
        return try select.step() ? select.bytes(0) ?? [] : []
    }

    /// The arguments of what ran; nil where they were cut.
    package func arguments(ofImage id: Int64) throws(StoreError) -> [[UInt8]]? {
        images.bind(1, id)
        defer { images.reset() }
        guard try images.step(), let bytes = images.bytes(0), Int64(bytes.count) >= images.integer(1) else { return nil }
        return TrailReader.splitArguments(bytes)
    }

    /// The arguments that a start was asked for with.
    package func arguments(ofStart row: RecordedAccess) throws(StoreError) -> [UInt8] {
        starts.bind(1, sessions[row.session].number << 40 | Int64(row.seq))
        defer { starts.reset() }
        return try starts.step() ? starts.bytes(0) ?? [] : []
    }

    /// What it was found to mean when it was judged, and the classes of data that the process carried.
    package func judgement(of row: RecordedAccess) throws(StoreError) -> (intents: IntentSet, carries: [String])? {
        if row.subject == 0 { return nil }
        judgements.bind(1, sessions[row.session].number)
        judgements.bind(2, row.subject)
        defer { judgements.reset() }
        guard try judgements.step() else { return nil }
        let carries = (judgements.text(2) ?? "").split(separator: ",").map(String.init)
        return (IntentSet(low: judgements.unsigned(0), high: judgements.unsigned(1)), carries)
    }

    package func rules(of session: Int) throws(StoreError) -> [UInt16: RuleInfo] {
        let select = try trail.database.prepare("SELECT rule, name, reason FROM rule WHERE session = \(sessions[session].number)")
        var rules: [UInt16: RuleInfo] = [:]
        while try select.step() {
            rules[UInt16(truncatingIfNeeded: select.integer(0))] = RuleInfo(name: select.text(1) ?? "", reason: select.text(2) ?? "")
        }
        return rules
    }

    /// All that ran, of all sessions at once: the table has no index by session.
    package func allImages() throws(StoreError) -> [[RecordedImage]] {
        let places = Dictionary(uniqueKeysWithValues: zip(sessions.map(\.number), sessions.indices))
        var found = [[RecordedImage]](repeating: [], count: sessions.count)
        let select = try trail.database.prepare("SELECT id, session, process, seq, program FROM image ORDER BY id")
        while try select.step() {
            guard let place = places[select.integer(1)] else { continue }
            found[place].append(
                RecordedImage(
                    id: select.integer(0), process: UInt32(truncatingIfNeeded: select.integer(2)), seq: select.unsigned(3),
                    program: select.integer(4)))
        }
        return found
    }

    /// Each process's parent, by serial.
    package func parents(of session: Int) throws(StoreError) -> [UInt32: UInt32] {
        let base = sessions[session].number << 32
        let select = try trail.database.prepare(
            "SELECT id, parent FROM process WHERE id BETWEEN \(base) AND \(base | 0xffff_ffff) AND parent IS NOT NULL")
        var parents: [UInt32: UInt32] = [:]
        while try select.step() {
            parents[UInt32(truncatingIfNeeded: select.integer(0))] = UInt32(truncatingIfNeeded: select.integer(1))
        }
        return parents
    }

    /// The session kept an eye on what its processes carried, and some came to carry something.
    package func tracksCarrying(_ session: Int) throws(StoreError) -> Bool {
        try trail.database.number("SELECT 1 FROM carried WHERE session = \(sessions[session].number) LIMIT 1") != nil
    }
}
