internal import SandboxModel

/// What became of a question.
package struct ApprovalAnswer: Sendable {
    /// `approved denied timed_out withdrawn ended`.
    package var outcome: String
    /// Who answered; empty where nobody did.
    package var by: [String]
    /// For how long an approval holds: `once`, `session`, `time`.
    package var scope: String?
    package var reason: String?

    /// To be read by `init(_:_:)`: `approval a` must be joined by `closed`.
    static let columns = """
        json_extract(a.what, '$.outcome'), (SELECT group_concat(value, char(10)) FROM json_each(a.what, '$.by')),
        json_extract(a.what, '$.scope'), json_extract(a.what, '$.reason')
        """
    /// The one step that ends a question: what comes after it is on record and changes nothing.
    static let closed = "LEFT JOIN approval a ON a.id = j.approval AND json_extract(a.what, '$.event') = 'closed'"

    /// Nil where nobody was asked, or nothing is said yet.
    init?(_ row: Statement, _ first: Int32) {
        guard let outcome = row.text(first) else { return nil }
        self.outcome = outcome
        by = (row.text(first + 1) ?? "").split(separator: "\n").map(String.init)
        scope = row.text(first + 2)
        reason = row.text(first + 3)
    }

    package var text: String {
        let longer = scope == nil || scope == "once" ? "" : scope == "session" ? " for the session" : " for a time"
        // A denial's reason names who denied.
        let who = by.isEmpty || reason != nil ? "" : " by " + by.joined(separator: ", ")
        return Escaped.text(outcome.split(separator: "_").joined(separator: " ") + who + longer + (reason.map { " " + $0 } ?? ""))
    }

    var json: String {
        var object = JSONObject()
        object.put("outcome", outcome)
        if !by.isEmpty { object.put("by", raw: "[" + by.map { Escaped.json($0) }.joined(separator: ",") + "]") }
        object.put("scope", scope)
        object.put("reason", reason)
        return object.text
    }
}

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
