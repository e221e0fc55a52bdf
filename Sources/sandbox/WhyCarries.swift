internal import ArgumentParser
internal import Glibc
internal import SandboxModel
internal import SandboxStore

/// `lineage --why-carries`: how a class of data came to a file or a process, step by step.
extension LineageCommand {
    func explainCarrying() throws {
        guard let directory = try StateDirectory.existing(state.path) else { throw nothing() }
        state.takeInJournals(directory)
        let rows = try carried(directory) ?? labels(directory)
        if rows.isEmpty { throw nothing() }
        var output = Output()
        for row in rows { try output.write(json ? row.json + "\n" : row.text) }
        try output.flush()
    }

    /// Nil where the target is no session's and no process.
    private func carried(_ directory: StateDirectory) throws -> [Answer]? {
        guard let reader = try TrailReader(directory) else { return nil }
        var pid: Int32?, session = target
        if target.hasPrefix("pid:"), let at = target.firstIndex(of: "@") {
            pid = Int32(target[..<at].dropFirst(4))
            session = String(target[target.index(after: at)...])
        } else {
            if target.utf8.contains(UInt8(ascii: "/")) { return nil }
            if case .none = try reader.session(target) { return nil }
        }
        let row = try state.session(session, in: reader)
        return try reader.carried(in: row, pid: pid).map {
            Answer(
                head: "pid \($0.pid)", program: Escaped.text($0.program), name: $0.name, time: $0.time, session: row.info.id, why: $0.why)
        }
    }

    /// By its number, so that its name does not matter.
    private func labels(_ directory: StateDirectory) throws -> [Answer] {
        var st = stat()
        guard stat(target, &st) == 0 else { return [] }
        return try FileLabels(in: directory).of(device: UInt64(st.st_dev), inode: UInt64(st.st_ino)).map {
            Answer(head: Escaped.text($0.path), program: "", name: $0.name, time: $0.time, session: $0.session, why: $0.why)
        }
    }

    private struct Answer {
        let head, program, name: String
        let time: UInt64
        let session, why: String

        /// What is in it was escaped when it was written down.
        private var steps: [String] { why.split(separator: "\n").map(String.init) }

        var text: String {
            "\(program.isEmpty ? head : "\(program) (\(head))") carries \(Escaped.text(name)) since \(Timestamp.text(time)) (\(session))\n"
                + steps.map { "  \(Escaped.text($0))\n" }.joined()
        }

        var json: String {
            let list = steps.map { Escaped.json($0) }.joined(separator: ",")
            let own = program.isEmpty ? "" : #""program":\#(Escaped.json(program)),"#
            return #"{"subject":\#(Escaped.json(head)),\#(own)"carries":\#(Escaped.json(name)),"time":"\#(Timestamp.text(time))","#
                + #""session":\#(Escaped.json(session)),"why":[\#(list)]}"#
        }
    }
}
