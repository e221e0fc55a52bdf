internal import SandboxModel

extension TrailReader {
    /// Every step of the question whose id this is, or a part of it: JSON objects, in order.
    package func approval(_ id: String) throws(StoreError) -> [String] {
        let select = try database.prepare("SELECT what FROM approval WHERE instr(id, ?) ORDER BY session, seq")
        select.bind(1, id)
        var steps: [String] = []
        while try select.step() { steps.append(select.text(0) ?? "") }
        return steps
    }
}

extension Trail {
    /// An answer to a question that nobody waits for any more. It is not the supervisor's to write down: that has gone.
    package static func noteLateAnswer(to id: String, approves: Bool, in state: StateDirectory) throws(StoreError) {
        let database = try Database(path: state.database, mode: .readWrite)
        try Schema.prepare(database)
        let time = currentTime()
        let insert = try database.prepare(
            """
            INSERT INTO approval (session, seq, time, id, what)
            SELECT session, max(max(seq), 1 << 41) + 1, ?, id, ? FROM approval WHERE instr(id, ?) GROUP BY session, id
            """)
        insert.bind(1, time)
        insert.bind(2, #"{"event":"answer","taken":"too_late","approves":\#(approves),"time":"\#(Timestamp.text(time))"}"#)
        insert.bind(3, id)
        try insert.run()
    }
}
