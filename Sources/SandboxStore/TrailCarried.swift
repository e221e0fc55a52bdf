internal import SandboxModel

/// That a process came to carry a class of data.
package struct CarriedRow: Sendable, Hashable {
    package var pid: Int32
    /// What it ran last: it may have come by the class as another.
    package var program: [UInt8]
    package var time: UInt64
    package var name: String
    /// One line a step, the beginning first.
    package var why: String
}

extension TrailReader {
    /// In the order in which they came; of one process where its number is given.
    package func carried(in session: SessionRow, pid: Int32? = nil) throws(StoreError) -> [CarriedRow] {
        let select = try database.prepare(
            """
            SELECT p.pid, c.time, c.class, c.why, t.bytes FROM carried c LEFT JOIN process p ON p.id = c.process
            LEFT JOIN image i ON i.id = p.image LEFT JOIN text t ON t.id = i.program
            WHERE c.session = \(session.number) AND (? IS NULL OR p.pid = ?) ORDER BY c.seq
            """)
        if let pid {
            select.bind(1, Int64(pid))
            select.bind(2, Int64(pid))
        }
        var rows: [CarriedRow] = []
        while try select.step() {
            rows.append(
                CarriedRow(
                    pid: Int32(truncatingIfNeeded: select.integer(0)), program: select.bytes(4) ?? [], time: select.unsigned(1),
                    name: select.text(2) ?? "",
                    why: select.text(3) ?? ""))
        }
        return rows
    }
}
