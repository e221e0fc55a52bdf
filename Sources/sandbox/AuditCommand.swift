internal import ArgumentParser
internal import Glibc
internal import SandboxModel
internal import SandboxStore
internal import SandboxSupervisor

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "What sessions did: the audit trail.",
        subcommands: [AuditSessions.self, AuditShow.self, AuditEvents.self, AuditUsage.self])
}

/// Where the trail is: the same for every command that needs it.
struct StateOptions: ParsableArguments {
    @Option(
        name: .customLong("state"),
        help: ArgumentHelp("The state directory (default: SANDBOX_STATE, else the user's own).", valueName: "dir"))
    var path: String?

    /// The trail, with what killed supervisors left behind taken in; nil where there is none.
    func reader() throws(StoreError) -> TrailReader? {
        guard let state = try StateDirectory.existing(path) else {
            complain("there is no trail in `\(Escaped.text(try StateDirectory.locate(path)))`")
            return nil
        }
        takeInJournals(state)
        return try TrailReader(state)
    }

    func takeInJournals(_ state: StateDirectory) {
        do throws(StoreError) {
            for failure in try Abandoned.takeIn(state, patiently: true).failures {
                complain("session \(failure.session) could not be taken in: \(failure.error)")
            }
        } catch {
            complain("the journals could not be looked at: \(error)")
        }
    }

    /// The session that the user means; says so and ends with 1 where there is not just one.
    func session(_ text: String, in reader: TrailReader?) throws -> SessionRow {
        switch try reader?.session(text) ?? .none {
        case .one(let row): return row
        case .none:
            guard let reader else { break }  // That there is no trail has been said.
            let isEmpty = try reader.sessions().isEmpty
            complain("no session `\(text)`; " + (isEmpty ? "none is on record here yet" : "`sandbox audit sessions` lists them"))
        case .several(let rows):
            complain("`\(text)` begins \(rows.count) sessions: " + rows.prefix(5).map(\.info.id).joined(separator: " "))
        }
        throw ExitCode(1)
    }
}

struct AuditSessions: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions", abstract: "Lists all sessions, oldest first.")
    @OptionGroup var state: StateOptions
    @Flag(help: "One JSON object a line.") var json = false

    func run() throws {
        try reportingFailures {
            var output = Output()
            let rows = try state.reader()?.sessions() ?? []
            if json {
                for row in rows { try output.write(EventJSON.line(row) + "\n") }
            } else if !rows.isEmpty {
                try output.write(TrailText.sessions(rows, style: Output.style, now: currentTime()))
            }
            try output.flush()
        }
    }
}

struct AuditShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows one session: who, for whom, why, what it ran, changed and reached, and what was refused.")
    @OptionGroup var state: StateOptions
    @Argument(help: "A session's id or the start of one, its name, or `last`.") var session: String
    @Flag(help: "One JSON object.") var json = false

    func run() throws {
        try reportingFailures {
            let reader = try state.reader()
            let row = try state.session(session, in: reader)
            guard let reader else { return }
            var output = Output()
            let summary = try reader.summary(of: row, listLimit: json ? 1000 : 15)
            if json {
                try output.write(EventJSON.object(summary) + "\n")
            } else {
                try output.write(TrailText.summary(summary, style: Output.style, now: currentTime()))
            }
            try output.flush()
        }
    }
}
