internal import SandboxModel

extension TrailReader {
    /// The ids of questions that have this part.
    package func approvals(like id: String) throws(StoreError) -> [String] {
        let select = try database.prepare("SELECT DISTINCT id FROM approval WHERE instr(id, ?) ORDER BY id")
        select.bind(1, id)
        var ids: [String] = []
        while try select.step() { ids.append(select.text(0) ?? "") }
        return ids
    }

    /// Every step of the question: JSON objects, in order.
    package func approval(_ id: String) throws(StoreError) -> [String] {
        let select = try database.prepare("SELECT what FROM approval WHERE id = ? ORDER BY session, seq")
        select.bind(1, id)
        var steps: [String] = []
        while try select.step() { steps.append(select.text(0) ?? "") }
        return steps
    }
}

extension Trail {
    /// An answer to a question that nobody waits for any more. It is not the supervisor's to write down: that has gone.
    package static func noteLateAnswer(to id: String, approves: Bool, by person: String, in state: StateDirectory) throws(StoreError) {
        let database = try Database(path: state.database, mode: .readWrite)
        try Schema.prepare(database)
        let time = currentTime()
        let insert = try database.prepare(
            """
            INSERT INTO approval (session, seq, time, id, what)
            SELECT DISTINCT session, (SELECT max(max(seq), 1 << 41) + 1 FROM approval AS other WHERE other.session = own.session), ?, id, ?
            FROM approval AS own WHERE id = ?
            """)
        insert.bind(1, time)
        insert.bind(
            2,
            #"{"approval":"\#(id)","event":"answer","taken":"too_late","approves":\#(approves),"by":[\#(Escaped.json(person))],"channel":"control","time":"\#(Timestamp.text(time))"}"#
        )
        insert.bind(3, id)
        try insert.run()
    }
}
