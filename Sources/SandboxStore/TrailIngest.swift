internal import SandboxModel

/// Puts the records of one session into the database, a batch a transaction. The number of the last record
/// goes into the same transaction, so that a batch is in the tables once or not at all, whenever we are killed.
///
/// `add` takes records whose pointers live until `commit` or `rollback`.
final class TrailIngest {
    private let database: Database
    private let statements: TrailStatements
    private let session: Int64
    private let texts = TextCache()
    private let merged = MergeCache()
    /// The image that runs in each live process.
    private var images: [UInt32: Image] = [:]

    // The batch being collected.
    private var batch: UInt32 = 0
    private var rows: [EventRow] = []
    private var outcomes: [(seq: UInt64, result: Int32)] = []
    private var failure: StoreError?

    /// Everything up to here is in the database.
    private(set) var drained: UInt64
    private(set) var hasEnded: Bool
    private var lastTime: UInt64 = 0

    init(state: StateDirectory, session info: SessionInfo) throws(StoreError) {
        database = try Database(path: state.database, mode: .readWrite)
        try Schema.prepare(database)
        statements = try TrailStatements(database)
        let row = try statements.register(info)
        session = row.number
        drained = row.drained
        hasEnded = row.ended
        lastTime = info.started
    }

    var count: Int { rows.count }

    func begin() throws(StoreError) {
        try statements.begin.run()
        batch += 1
    }

    func add(_ record: JournalRecord) throws(StoreError) {
        let header = record.header
        lastTime = max(lastTime, header.time)
        switch header.kind {
        case .event: try addEvent(record)
        case .outcome: outcomes.append((header.subject, header.result))
        case .processStart: try addProcess(header)
        case .processExit: try endProcess(header)
        case .program: try addProgram(record)
        case .rule:
            try statements.addRule(session, header.rule, name: record.resource, reason: record.extra)
        case .subagent:
            var image = try image(of: header.process)
            image.subagent = try statements.setSubagent(image.id, record.resource)
            images[header.process] = image
        case .note: try statements.addNote(session, header.seq, header.time, record.resource)
        case .judgement: try statements.addJudgement(session, header.seq, Judgement(decoding: Array(record.extra)))
        case .carried: try statements.addCarried(session, record)
        case .traffic: try statements.addTraffic(session, record, image: image(of: header.process).id, resource: text(record.resource))
        case .approval: try statements.addApproval(session, header.seq, header.time, id: record.resource, what: record.extra)
        }
    }

    /// Writes what was collected; everything up to `last` is then in the database.
    func commit(through last: UInt64, torn: Int = 0) throws(StoreError) {
        for row in rows {
            if row.isNew {
                try statements.insert(row, session: session)
            } else {
                try statements.update(row, session: session)
            }
        }
        for outcome in outcomes { try statements.setResult(session, outcome.seq, outcome.result) }
        try statements.setDrained(session, last, torn: torn)
        try statements.commit.run()
        drained = last
        rows.removeAll(keepingCapacity: rows.count < 65_536)
        outcomes.removeAll()
    }

    /// Forgets the batch, and what the caches know of rows that are not there now.
    func rollback() {
        try? statements.rollback.run()
        rows.removeAll()
        outcomes.removeAll()
        texts.clear()
        merged.clear()
        images.removeAll()
    }

    /// The session is over although it never said so.
    func markLost() throws(StoreError) {
        try statements.end(session, at: lastTime, status: nil, lost: true)
        hasEnded = true
    }

    // MARK: Events

    private func addEvent(_ record: JournalRecord) throws(StoreError) {
        let header = record.header
        let isExec = header.operation == .exec
        let second = !isExec || header.flags.contains(.secondPath) ? try text(record.extra) : 0
        let key = MergeKey(
            process: header.process, result: header.operation == .exit ? header.result : min(header.result, 0),
            kind: UInt32(header.operation.rawValue) | UInt32(header.decision.rawValue) << 8
                | UInt32(header.flags.rawValue) << 16 | UInt32(header.resourceType.rawValue) << 24,
            access: header.access.rawValue, rule: header.rule.rawValue, image: try image(of: header.process).id,
            resource: try text(record.resource), second: second, device: header.device, inode: header.inode,
            subject: header.subject, detail: header.detail)
        if isExec || header.operation == .exit || header.result == RecordHeader.pending {
            rows.append(EventRow(header: header, key: key, args: isExec && second == 0 ? record.extra : nil))
        } else {
            merge(header, key)
        }
    }

    private func merge(_ header: RecordHeader, _ key: MergeKey) {
        let entry = merged.place(for: key)
        if entry.pointee.seq != 0, entry.pointee.batch == batch {
            rows[Int(entry.pointee.row)].count(header.time)
            return
        }
        var row = EventRow(header: header, key: key, args: nil)
        if entry.pointee.seq != 0 {
            row.isNew = false
            row.seq = entry.pointee.seq
        }
        entry.pointee = MergeCache.Entry(key: key, seq: row.seq, batch: batch, row: UInt32(rows.count))
        rows.append(row)
    }

    /// The number of a text, 0 where it is empty.
    private func text(_ bytes: UnsafeRawBufferPointer) throws(StoreError) -> Int64 {
        if bytes.isEmpty { return 0 }
        let hash = TextCache.hash(bytes)
        if let id = texts.find(bytes, hash: hash) { return id }
        let id = try statements.addText(bytes)
        texts.insert(bytes, hash: hash, id: id)
        return id
    }

    // MARK: Processes

    private func image(of process: UInt32) throws(StoreError) -> Image {
        if process == 0 { return Image() }
        if let image = images[process] { return image }
        // After a restart, or an event that comes after its process's end.
        return try statements.image(session, process) ?? Image()
    }

    private func addProcess(_ header: RecordHeader) throws(StoreError) {
        let parent = UInt32(truncatingIfNeeded: header.subject)
        let image = try image(of: parent)
        images[header.process] = image
        try statements.addProcess(session, header, parent: parent, image: image.id)
    }

    private func endProcess(_ header: RecordHeader) throws(StoreError) {
        if header.process == 0 {
            // The supervisor's own end: the session is over.
            try statements.end(session, at: header.time, status: header.result, lost: false)
            hasEnded = true
        } else {
            images[header.process] = nil
            try statements.endProcess(session, header)
        }
    }

    private func addProgram(_ record: JournalRecord) throws(StoreError) {
        let subagent = try image(of: record.header.process).subagent
        let id = try statements.addImage(session, record, program: try text(record.resource), subagent: subagent)
        images[record.header.process] = Image(id: id, subagent: subagent)
        try statements.setImage(session, record.header.process, id)
    }
}

/// What runs in a process: the row of its program, and as which sub-agent; 0 is none.
struct Image {
    var id: Int64 = 0
    var subagent: Int64 = 0
}

/// A row of `event` that is new in this batch, or what this batch adds to an older one.
struct EventRow {
    var seq: UInt64
    var key: MergeKey
    var pid: Int32
    var first: UInt64
    var last: UInt64
    var count: UInt64 = 1
    var isNew = true
    /// The arguments of a start, in the journal's memory.
    var args: UnsafeRawBufferPointer?

    init(header: RecordHeader, key: MergeKey, args: UnsafeRawBufferPointer?) {
        seq = header.seq
        self.key = key
        pid = header.pid
        first = header.time
        last = header.time
        self.args = args
    }

    mutating func count(_ time: UInt64) {
        count += 1
        first = min(first, time)
        last = max(last, time)
    }
}
