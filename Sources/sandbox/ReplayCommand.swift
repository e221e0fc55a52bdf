internal import ArgumentParser
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import SandboxSupervisor

struct ReplayProfile: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Judges recorded history by a candidate profile, and says what would have been decided otherwise.",
        discussion: """
            Each recorded operation is judged as if its session had run under the candidate, enforced; nothing is run. Counted by \
            what was and what would be, and by the rule, with examples. What nobody enforced (`observe`) counts as allowed. \
            Repeats are one row of the trail: one that began before --since counts whole. What the trail cannot tell is counted as \
            such, and the gaps are named at the end. Exit codes: 0; with --fail-on-change 1 where something that passed would be \
            stopped; 125 own failure.
            """)
    @OptionGroup var state: StateOptions
    @Option(help: "From this time on (RFC 3339), or for so long back: 90s 10m 2h 7d.", transform: parseTime) var since: UInt64?
    @Option(help: "Only this session: an id or the start of one, a name, or `last`; may be repeated.") var session: [String] = []
    @Option(help: ArgumentHelp("Only sessions of identities like this.", valueName: "glob")) var identity: [String] = []
    @Option(help: ArgumentHelp("Only sessions that ran under profiles like this.", valueName: "glob")) var profile: [String] = []
    @Option(help: ArgumentHelp("So many examples for each rule.", valueName: "n")) var examples = 3
    @Flag(help: "One JSON object.") var json = false
    @Flag(help: "Exit with 1 where something that passed would be stopped or held for an approval.") var failOnChange = false
    @Argument(help: "The candidate: a file, or the name of a profile.") var file: String

    func validate() throws {
        if examples < 0 { throw ValidationError("--examples takes a number from 0 on") }
    }

    func run() throws {
        try reportingFailures {
            let candidate = try ProfileSupport.load(file, isFile: true)
            let reader = try state.reader()
            let rows = try sessions(reader)
            guard let reader, !rows.isEmpty else {
                complain("no recorded session is meant; `sandbox audit sessions` lists them")
                throw ExitCode(125)
            }
            let state = state.path
            let replay: Replay
            do {
                replay = try Replay(
                    candidate, over: TrailHistory(reader, rows), since: since ?? 0, examples: examples, reader: Meanings.reader()
                ) { try DryRun.variables(candidate, of: $0, state: state) }
            } catch let error as PolicyFailure {
                complain("\(error)")
                throw ProfileSupport.ownFailure
            }
            var output = Output()
            try output.write(json ? ReplayText.json(replay, candidate.name) + "\n" : ReplayText.words(replay, candidate.name, Output.style))
            try output.flush()
            if failOnChange, replay.stopped > 0 { throw ExitCode(1) }
        }
    }

    private func sessions(_ reader: TrailReader?) throws -> [SessionRow] {
        let named = try session.map { try state.session($0, in: reader).number }
        let identities = identity.map { ByteGlob($0) }, profiles = profile.map { ByteGlob($0) }
        return try (reader?.sessions() ?? []).filter { row in
            (named.isEmpty || named.contains(row.number)) && !(row.ended.map { $0 < since ?? 0 } ?? false)
                && (identities.isEmpty || identities.contains { $0.matches(Array(row.info.identity.utf8)) })
                && (profiles.isEmpty || profiles.contains { $0.matches(Array(row.info.profile.utf8)) })
        }
    }
}

/// A replay in words, and as JSON.
enum ReplayText {
    static func words(_ replay: Replay, _ name: String, _ style: TextStyle) -> String {
        var out = "\(Escaped.text(name)), over \(replay.sessions) session\(replay.sessions == 1 ? "" : "s"): "
        out += "\(replay.count) operations, \(replay.unchanged) as they were\n"
        var last = ""
        for change in replay.changes {
            let title = heading(change)
            if title != last {
                let total = replay.changes.filter { heading($0) == title }.reduce(0) { $0 + $1.count }
                out += "\n" + style.bold("\(title)  \(total)×") + "\n"
                last = title
            }
            let reason = change.note ?? change.rule.reason
            out += "  \(change.count)×  \(Escaped.text(change.rule.name))\(reason.isEmpty ? "" : ": " + Escaped.text(reason))\n"
            for example in change.examples { out += "      \(line(example))\n" }
            if change.rows > change.examples.count, !change.examples.isEmpty { out += "      … \(change.rows) kinds in all\n" }
        }
        out += "\n" + style.bold("the trail does not tell everything") + "\n"
        return out + replay.gaps.map { "  \($0)\n" }.joined()
    }

    private static func heading(_ change: Replay.Change) -> String { "\(change.was.name) → \(change.now?.name ?? "cannot be told")" }

    private static func line(_ example: Replay.Example) -> String {
        let access = example.operation == .exec || example.access.names.isEmpty ? "" : "(\(example.access.names.joined(separator: "+")))"
        let target = example.target.map { " → " + Escaped.text($0) } ?? ""
        let program = example.program.isEmpty || example.operation == .exec ? "" : "  by " + Escaped.text(example.program)
        let times = example.count > 1 ? "  ×\(example.count)" : ""
        return "\(example.operation.name)\(access) \(Escaped.text(example.resource))\(target)\(times)\(program)"
    }

    static func json(_ replay: Replay, _ name: String) -> String {
        func list(_ items: [String]) -> String { "[" + items.joined(separator: ",") + "]" }
        let fields = [
            "\"profile\":\(Escaped.json(name))", "\"sessions\":\(replay.sessions)", "\"operations\":\(replay.count)",
            "\"unchanged\":\(replay.unchanged)", "\"stopped\":\(replay.stopped)", "\"changes\":\(list(replay.changes.map(change)))",
            "\"gaps\":\(list(replay.gaps.map { Escaped.json($0) }))",
        ]
        return "{" + fields.joined(separator: ",") + "}"
    }

    /// `now` is absent where it cannot be told.
    private static func change(_ change: Replay.Change) -> String {
        var fields = ["\"was\":\"\(change.was.name)\""]
        if let now = change.now { fields.append("\"now\":\"\(now.name)\"") }
        fields += ["\"rule\":\(Escaped.json(change.rule.name))", "\"reason\":\(Escaped.json(change.rule.reason))"]
        if let note = change.note { fields.append("\"note\":\(Escaped.json(note))") }
        fields += ["\"count\":\(change.count)", "\"kinds\":\(change.rows)"]
        let examples = change.examples.map { example in
            var fields = ["\"session\":\(Escaped.json(example.session))", "\"operation\":\"\(example.operation.name)\""]
            if !example.access.names.isEmpty {
                fields.append("\"access\":[" + example.access.names.map { "\"\($0)\"" }.joined(separator: ",") + "]")
            }
            fields.append("\"name\":\(Escaped.json(example.resource))")
            if let target = example.target { fields.append("\"to\":\(Escaped.json(target))") }
            if !example.program.isEmpty { fields.append("\"program\":\(Escaped.json(example.program))") }
            return "{" + fields.joined(separator: ",") + ",\"count\":\(example.count)}"
        }
        fields.append("\"examples\":[" + examples.joined(separator: ",") + "]")
        return "{" + fields.joined(separator: ",") + "}"
    }
}
