internal import SandboxModel

/// That a process came to carry a class of data, or would have.
package struct CarriedRow: Sendable, Hashable {
    package var session: String
    package var pid: Int32
    /// What it ran last: it may have come by the class as another.
    package var program: [UInt8]
    package var time: UInt64
    package var name: String
    /// One line a step, the beginning first.
    package var why: String
    /// The rule that refused the call by which it would have come to carry it.
    package var refused: String?
}

extension TrailReader {
    /// In the order in which they came; of one process where its number is given.
    package func carried(in session: SessionRow, pid: Int32? = nil) throws(StoreError) -> [CarriedRow] {
        let select = try database.prepare(
            TrailReader.carriedRows + "WHERE c.session = \(session.number) AND (?1 IS NULL OR p.pid = ?1) ORDER BY c.seq")
        select.bind(1, pid.map(Int64.init))
        return try rows(select)
    }

    /// What those carried, or would have, who were last refused a file, a program or an address of this name, or something else
    /// because they were connected there.
    package func carried(byRefusedAt name: [UInt8]) throws(StoreError) -> [CarriedRow] {
        let select = try database.prepare(
            """
            WITH denied AS MATERIALIZED (
                SELECT id >> 40 << 32 | process AS process, resource FROM event WHERE decision > 0 AND decision = \(Decision.deny.rawValue)
                ORDER BY id DESC LIMIT \(TrailReader.mostLookedAt)),
            -- Looked at one by one: no index is on the bytes.
            who AS MATERIALIZED (
                SELECT DISTINCT d.process FROM denied d CROSS JOIN text t ON t.id = d.resource WHERE t.bytes = ?1 LIMIT 100),
            refused AS MATERIALIZED (
                SELECT session AS s, seq AS q, refused AS r, why AS w FROM carried ORDER BY session DESC, seq DESC
                LIMIT \(TrailReader.mostLookedAt)),
            found AS (
                SELECT session AS s, seq AS q FROM carried
                WHERE session IN (SELECT process >> 32 FROM who) AND process IN (SELECT process FROM who)
                UNION SELECT s, q FROM refused WHERE r IS NOT NULL AND instr(w || char(10), ?2) > 0)
            \(TrailReader.carriedRows) JOIN found ON found.s = c.session AND found.q = c.seq ORDER BY c.session, c.seq
            """)
        select.bind(1, name)
        select.bind(2, " is connected to \(Escaped.text(name))\n")
        return try rows(select)
    }

    /// Who has last come by each class that a file has by its place or its content: the first step says why it has it.
    package func carried(from name: [UInt8]) throws(StoreError) -> [CarriedRow] {
        let select = try database.prepare(
            """
            WITH latest AS MATERIALIZED (
                SELECT session AS s, seq AS q, class AS k, why AS w FROM carried ORDER BY session DESC, seq DESC
                LIMIT \(TrailReader.mostLookedAt)),
            one AS (SELECT s, q, row_number() OVER (PARTITION BY k ORDER BY s DESC, q DESC) AS n FROM latest WHERE instr(w, ?1) = 1)
            \(TrailReader.carriedRows) JOIN one ON one.s = c.session AND one.q = c.seq WHERE one.n = 1 ORDER BY c.class
            """)
        select.bind(1, "`\(Escaped.text(name))`: ")
        return try rows(select).map { row in
            var row = row
            row.why = String(row.why.prefix { $0 != "\n" })
            return row
        }
    }

    private static let mostLookedAt = 100_000

    private static let carriedRows = """
        SELECT s.name, p.pid, t.bytes, c.time, c.class, c.why, r.name FROM carried c JOIN session s ON s.id = c.session
        LEFT JOIN process p ON p.id = c.process
        LEFT JOIN image i ON i.id = p.image LEFT JOIN text t ON t.id = i.program
        LEFT JOIN rule r ON r.session = c.session AND r.rule = c.refused

        """

    private func rows(_ select: Statement) throws(StoreError) -> [CarriedRow] {
        var rows: [CarriedRow] = []
        while try select.step() {
            rows.append(
                CarriedRow(
                    session: select.text(0) ?? "", pid: Int32(truncatingIfNeeded: select.integer(1)), program: select.bytes(2) ?? [],
                    time: select.unsigned(3), name: select.text(4) ?? "", why: select.text(5) ?? "", refused: select.text(6)))
        }
        return rows
    }
}
