internal import ArgumentParser
internal import Glibc
internal import SandboxModel
internal import SandboxStore

/// `lineage --why-carries`: how a class of data came to a file or a process, or would have, step by step.
extension LineageCommand {
    func explainCarrying() throws {
        guard let directory = try StateDirectory.existing(state.path) else { throw nothing() }
        state.takeInJournals(directory)
        let rows: [Answer]
        if let reader = try TrailReader(directory) {
            rows = try carried(reader) ?? labels(directory, reader) + refused(reader)
        } else {
            rows = try labels(directory, nil)
        }
        if rows.isEmpty { throw nothing() }
        var output = Output()
        for row in rows { try output.write(json ? row.json + "\n" : row.text) }
        try output.flush()
    }

    /// Nil where the target is no session's and no process.
    private func carried(_ reader: TrailReader) throws -> [Answer]? {
        var pid: Int32?, session = target
        if target.hasPrefix("pid:"), let at = target.firstIndex(of: "@") {
            pid = Int32(target[..<at].dropFirst(4))
            session = String(target[target.index(after: at)...])
        } else {
            if target.utf8.contains(UInt8(ascii: "/")) { return nil }
            if case .none = try reader.session(target) { return nil }
        }
        return try reader.carried(in: state.session(session, in: reader), pid: pid).map(answer)
    }

    /// What a file has: by its number, so that its name does not matter, and by its place.
    private func labels(_ directory: StateDirectory, _ reader: TrailReader?) throws -> [Answer] {
        let byPlace = try reader.map { reader in
            try reader.carried(from: absolutePath).map {
                Answer(head: Escaped.text(absolutePath), name: $0.name, time: $0.time, session: $0.session, why: $0.why)
            }
        }
        var st = stat()
        guard stat(givenTarget.map { CChar(bitPattern: $0) } + [0], &st) == 0 else { return byPlace ?? [] }
        return try (byPlace ?? [])
            + FileLabels(in: directory).of(device: UInt64(st.st_dev), inode: UInt64(st.st_ino)).map {
                Answer(head: Escaped.text($0.path), name: $0.name, time: $0.time, session: $0.session, why: $0.why)
            }
    }

    /// Why somebody was refused a file, a program or an address.
    private func refused(_ reader: TrailReader) throws -> [Answer] {
        var names = [absolutePath]
        if !target.utf8.contains(UInt8(ascii: "/")) { names += [Array(target.utf8)] + addresses }
        return try names.flatMap { try reader.carried(byRefusedAt: $0) }.map(answer)
    }

    private func answer(_ row: CarriedRow) -> Answer {
        Answer(
            head: "pid \(row.pid)", program: Escaped.text(row.program), name: row.name, time: row.time, session: row.session,
            why: row.why, refused: row.refused)
    }

    private struct Answer {
        let head: String
        var program = ""
        let name: String
        let time: UInt64
        let session, why: String
        /// The rule by which it did not come to that.
        var refused: String?

        /// What is in it was escaped when it was written down.
        private var steps: [String] { why.split(separator: "\n").map(String.init) }

        var text: String {
            let who = program.isEmpty ? head : "\(program) (\(head))", label = Escaped.text(name)
            let what =
                refused.map { "would carry \(label), and was refused by \(Escaped.text($0)) at" } ?? "carries \(label) since"
            return "\(who) \(what) \(Timestamp.text(time)) (\(session))\n" + steps.map { "  \(Escaped.text($0))\n" }.joined()
        }

        var json: String {
            var fields = [("subject", head), ("program", program), (refused == nil ? "carries" : "would_carry", name)]
            fields += [("refused_by", refused ?? ""), ("time", Timestamp.text(time)), ("session", session)]
            let list = steps.map { Escaped.json($0) }.joined(separator: ",")
            return "{" + fields.filter { !$0.1.isEmpty }.map { #""\#($0.0)":\#(Escaped.json($0.1)),"# }.joined() + #""why":[\#(list)]}"#
        }
    }
}
