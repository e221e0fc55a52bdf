internal import SandboxModel

/// Everything the writer says to the database, prepared once.
final class TrailStatements {
    let begin, commit, rollback: Statement
    private let database: Database
    private let insertText, insertEvent, updateEvent, updateResult, insertRule, insertNote, insertImage: Statement
    private let insertJudgement, insertApproval, insertCarried, insertTraffic: Statement
    private let insertProcess, updateProcessEnd, updateProcessImage, updateSubagent, selectImage, updateDrained, updateEnd: Statement

    init(_ database: Database) throws(StoreError) {
        self.database = database
        begin = try database.prepare("BEGIN IMMEDIATE")
        commit = try database.prepare("COMMIT")
        rollback = try database.prepare("ROLLBACK")
        insertText = try database.prepare("INSERT INTO text (bytes) VALUES (?)")
        insertEvent = try database.prepare(
            """
            INSERT OR IGNORE INTO event (id, process, pid, image, operation, access, decision, flags, rule,
            resource_type, resource, second, args, device, inode, subject, detail, result, first, last, count)
            VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
            """)
        updateEvent = try database.prepare("UPDATE event SET last = max(last, ?), count = count + ? WHERE id = ?")
        updateResult = try database.prepare("UPDATE event SET result = ? WHERE id = ? AND result IS NULL")
        insertRule = try database.prepare("INSERT OR REPLACE INTO rule (session, rule, name, reason) VALUES (?,?,?,?)")
        insertNote = try database.prepare("INSERT OR IGNORE INTO note (session, seq, time, text) VALUES (?,?,?,?)")
        insertJudgement = try database.prepare(
            """
            INSERT OR IGNORE INTO judgement (session, seq, intents_low, intents_high, rules, note, rewritten, approval, shadow,
            shadow_rules, carries) VALUES (?,?,?,?,?,?,?,?,?,?,?)
            """)
        insertApproval = try database.prepare("INSERT OR IGNORE INTO approval (session, seq, time, id, what) VALUES (?,?,?,?,?)")
        insertCarried = try database.prepare(
            "INSERT OR IGNORE INTO carried (session, seq, time, process, class, why, refused) VALUES (?,?,?,?,?,?,?)")
        insertTraffic = try database.prepare(
            """
            INSERT OR IGNORE INTO traffic (session, seq, time, process, image, resource, sent, received, carries)
            VALUES (?,?,?,?,?,?,?,?,?)
            """)
        insertImage = try database.prepare(
            "INSERT INTO image (session, process, seq, program, args, args_length, subagent) VALUES (?,?,?,?,?,?,?)")
        insertProcess = try database.prepare(
            "INSERT OR IGNORE INTO process (id, parent, pid, start_ticks, started, image) VALUES (?,?,?,?,?,?)")
        updateProcessEnd = try database.prepare("UPDATE process SET ended = ?, status = ? WHERE id = ?")
        updateProcessImage = try database.prepare("UPDATE process SET image = ? WHERE id = ?")
        updateSubagent = try database.prepare("UPDATE image SET subagent = ? WHERE id = ?")
        selectImage = try database.prepare("SELECT p.image, i.subagent FROM process p LEFT JOIN image i ON i.id = p.image WHERE p.id = ?")
        updateDrained = try database.prepare("UPDATE session SET drained = ?, torn = torn + ? WHERE id = ?")
        updateEnd = try database.prepare("UPDATE session SET ended = ?, status = ?, lost = ? WHERE id = ?")
    }

    static func eventID(_ session: Int64, _ seq: UInt64) -> Int64 { session << 40 | Int64(seq) }
    static func processID(_ session: Int64, _ serial: UInt32) -> Int64 { session << 32 | Int64(serial) }

    // MARK: Sessions

    /// The session's row, made where there is none.
    func register(_ info: SessionInfo) throws(StoreError) -> (number: Int64, drained: UInt64, ended: Bool) {
        try begin.run()
        do throws(StoreError) {
            let identity = try identity(info.identity)
            let principal = try info.onBehalfOf.map { text throws(StoreError) in try self.identity(text) }
            let insert = try database.prepare(
                """
                INSERT OR IGNORE INTO session (name, title, identity, on_behalf_of, purpose, profile, mode, workspace,
                command, host, user, supervisor, started, groups, roles) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
                """)
            insert.bind(1, info.id)
            insert.bind(2, info.name)
            insert.bind(3, identity)
            insert.bind(4, principal)
            insert.bind(5, info.purpose)
            insert.bind(6, info.profile)
            insert.bind(7, info.mode)
            insert.bind(8, info.workspace)
            insert.bind(9, info.command.flatMap { Array($0.utf8) + [0] })
            insert.bind(10, info.host)
            insert.bind(11, Int64(info.user))
            insert.bind(12, Int64(info.supervisor))
            insert.bind(13, info.started)
            insert.bind(14, info.groups.flatMap { Array($0.utf8) + [0] })
            insert.bind(15, info.roles.flatMap { Array($0.utf8) + [0] })
            try insert.run()
            let select = try database.prepare("SELECT id, drained, ended IS NOT NULL FROM session WHERE name = ?")
            select.bind(1, info.id)
            _ = try select.step()
            let row = (select.integer(0), select.unsigned(1), select.integer(2) != 0)
            select.reset()
            try commit.run()
            return row
        } catch {
            try? rollback.run()
            throw error
        }
    }

    private func identity(_ name: String) throws(StoreError) -> Int64 {
        let insert = try database.prepare("INSERT OR IGNORE INTO identity (name) VALUES (?)")
        insert.bind(1, name)
        try insert.run()
        let select = try database.prepare("SELECT id FROM identity WHERE name = ?")
        select.bind(1, name)
        _ = try select.step()
        defer { select.reset() }
        return select.integer(0)
    }

    func setDrained(_ session: Int64, _ last: UInt64, torn: Int) throws(StoreError) {
        updateDrained.bind(1, last)
        updateDrained.bind(2, torn)
        updateDrained.bind(3, session)
        try updateDrained.run()
    }

    func end(_ session: Int64, at time: UInt64, status: Int32?, lost: Bool) throws(StoreError) {
        updateEnd.bind(1, time)
        updateEnd.bind(2, status.map(Int64.init))
        updateEnd.bind(3, lost ? 1 : 0)
        updateEnd.bind(4, session)
        try updateEnd.run()
    }

    // MARK: Events

    func addText(_ bytes: UnsafeRawBufferPointer) throws(StoreError) -> Int64 {
        insertText.bind(1, uncopied: bytes)
        try insertText.run()
        return database.lastRowID
    }

    func insert(_ row: EventRow, session: Int64) throws(StoreError) {
        let key = row.key
        let statement = insertEvent
        statement.bind(1, TrailStatements.eventID(session, row.seq))
        statement.bind(2, Int64(key.process))
        statement.bind(3, Int64(row.pid))
        statement.bind(4, nonZero: UInt64(bitPattern: key.image))
        statement.bind(5, Int64(key.kind & 0xff))
        statement.bind(6, Int64(key.access))
        statement.bind(7, Int64(key.kind >> 8 & 0xff))
        statement.bind(8, Int64(key.kind >> 16 & 0xff))
        statement.bind(9, key.rule == RuleID.none.rawValue ? nil : Int64(key.rule))
        statement.bind(10, Int64(key.kind >> 24))
        statement.bind(11, nonZero: UInt64(bitPattern: key.resource))
        statement.bind(12, nonZero: UInt64(bitPattern: key.second))
        if let args = row.args, !args.isEmpty { statement.bind(13, uncopied: args) } else { statement.bindNull(13) }
        statement.bind(14, nonZero: key.device)
        statement.bind(15, nonZero: key.inode)
        statement.bind(16, nonZero: key.subject)
        statement.bind(17, nonZero: key.detail)
        statement.bind(18, key.result <= RecordHeader.unknown ? nil : Int64(key.result))
        statement.bind(19, row.first)
        statement.bind(20, row.last)
        statement.bind(21, row.count)
        try statement.run()
    }

    func update(_ row: EventRow, session: Int64) throws(StoreError) {
        updateEvent.bind(1, row.last)
        updateEvent.bind(2, row.count)
        updateEvent.bind(3, TrailStatements.eventID(session, row.seq))
        try updateEvent.run()
    }

    func setResult(_ session: Int64, _ seq: UInt64, _ result: Int32) throws(StoreError) {
        updateResult.bind(1, Int64(min(result, 0)))
        updateResult.bind(2, TrailStatements.eventID(session, seq & 0xff_ffff_ffff))
        try updateResult.run()
    }

    func addRule(
        _ session: Int64, _ rule: RuleID, name: UnsafeRawBufferPointer, reason: UnsafeRawBufferPointer
    ) throws(StoreError) {
        insertRule.bind(1, session)
        insertRule.bind(2, Int64(rule.rawValue))
        insertRule.bind(3, String(decoding: name, as: UTF8.self))
        insertRule.bind(4, String(decoding: reason, as: UTF8.self))
        try insertRule.run()
    }

    func addNote(
        _ session: Int64, _ seq: UInt64, _ time: UInt64, _ text: UnsafeRawBufferPointer
    ) throws(StoreError) {
        insertNote.bind(1, session)
        insertNote.bind(2, seq)
        insertNote.bind(3, time)
        insertNote.bind(4, uncopied: text)
        try insertNote.run()
    }

    func addJudgement(_ session: Int64, _ seq: UInt64, _ judgement: Judgement) throws(StoreError) {
        insertJudgement.bind(1, session)
        insertJudgement.bind(2, seq)
        insertJudgement.bind(3, judgement.intents.low)
        insertJudgement.bind(4, judgement.intents.high)
        insertJudgement.bind(5, judgement.rules.map { String($0.rawValue) }.joined(separator: ","))
        insertJudgement.bind(6, judgement.note)
        if let list = judgement.rewritten {
            insertJudgement.bind(7, Array(list.map { $0 + [0] }.joined()))
        } else {
            insertJudgement.bindNull(7)
        }
        insertJudgement.bind(8, judgement.approval)
        insertJudgement.bind(9, judgement.shadow.map { Int64($0.decision.rawValue) })
        insertJudgement.bind(10, judgement.shadow.map { $0.rules.joined(separator: "\n") })
        insertJudgement.bind(11, judgement.carries.isEmpty ? nil : judgement.carries.joined(separator: ","))
        try insertJudgement.run()
    }

    func addApproval(
        _ session: Int64, _ seq: UInt64, _ time: UInt64, id: UnsafeRawBufferPointer, what: UnsafeRawBufferPointer
    ) throws(StoreError) {
        insertApproval.bind(1, session)
        insertApproval.bind(2, seq)
        insertApproval.bind(3, time)
        insertApproval.bind(4, String(decoding: id, as: UTF8.self))
        insertApproval.bind(5, String(decoding: what, as: UTF8.self))
        try insertApproval.run()
    }

    func addCarried(_ session: Int64, _ record: JournalRecord) throws(StoreError) {
        let header = record.header
        insertCarried.bind(1, session)
        insertCarried.bind(2, header.seq)
        insertCarried.bind(3, header.time)
        insertCarried.bind(4, TrailStatements.processID(session, header.process))
        insertCarried.bind(5, String(decoding: record.resource, as: UTF8.self))
        insertCarried.bind(6, String(decoding: record.extra, as: UTF8.self))
        insertCarried.bind(7, header.decision == .deny ? Int64(header.rule.rawValue) : nil)
        try insertCarried.run()
    }

    func addTraffic(_ session: Int64, _ record: JournalRecord, image: Int64, resource: Int64) throws(StoreError) {
        let header = record.header
        insertTraffic.bind(1, session)
        insertTraffic.bind(2, header.seq)
        insertTraffic.bind(3, header.time)
        insertTraffic.bind(4, TrailStatements.processID(session, header.process))
        insertTraffic.bind(5, nonZero: UInt64(bitPattern: image))
        insertTraffic.bind(6, resource)
        insertTraffic.bind(7, header.subject)
        insertTraffic.bind(8, header.detail)
        insertTraffic.bind(9, record.extra.isEmpty ? nil : String(decoding: record.extra, as: UTF8.self))
        try insertTraffic.run()
    }

    // MARK: Processes

    func image(_ session: Int64, _ process: UInt32) throws(StoreError) -> Image? {
        selectImage.bind(1, TrailStatements.processID(session, process))
        defer { selectImage.reset() }
        guard try selectImage.step(), let id = selectImage.optional(0) else { return nil }
        return Image(id: id, subagent: selectImage.integer(1))
    }

    func addImage(_ session: Int64, _ record: JournalRecord, program: Int64, subagent: Int64) throws(StoreError) -> Int64 {
        insertImage.bind(1, session)
        insertImage.bind(2, Int64(record.header.process))
        insertImage.bind(3, record.header.seq)
        insertImage.bind(4, program)
        insertImage.bind(5, uncopied: record.extra)
        insertImage.bind(6, record.extraLength)
        insertImage.bind(7, nonZero: UInt64(bitPattern: subagent))
        try insertImage.run()
        return database.lastRowID
    }

    func addProcess(
        _ session: Int64, _ header: RecordHeader, parent: UInt32, image: Int64
    ) throws(StoreError) {
        insertProcess.bind(1, TrailStatements.processID(session, header.process))
        insertProcess.bind(2, nonZero: UInt64(parent))
        insertProcess.bind(3, Int64(header.pid))
        insertProcess.bind(4, nonZero: header.detail)
        insertProcess.bind(5, header.time)
        insertProcess.bind(6, nonZero: UInt64(bitPattern: image))
        try insertProcess.run()
    }

    func endProcess(_ session: Int64, _ header: RecordHeader) throws(StoreError) {
        updateProcessEnd.bind(1, header.time)
        updateProcessEnd.bind(2, Int64(header.result))
        updateProcessEnd.bind(3, TrailStatements.processID(session, header.process))
        try updateProcessEnd.run()
    }

    func setSubagent(_ image: Int64, _ name: UnsafeRawBufferPointer) throws(StoreError) -> Int64 {
        let subagent = try identity(String(decoding: name, as: UTF8.self))
        updateSubagent.bind(1, subagent)
        updateSubagent.bind(2, image)
        try updateSubagent.run()
        return subagent
    }

    func setImage(_ session: Int64, _ process: UInt32, _ image: Int64) throws(StoreError) {
        updateProcessImage.bind(1, image)
        updateProcessImage.bind(2, TrailStatements.processID(session, process))
        try updateProcessImage.run()
    }
}
