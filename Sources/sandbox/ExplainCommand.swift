internal import ArgumentParser
internal import Glibc
internal import SandboxIntent
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxSupervisor
internal import SandboxYAML

/// `sandbox explain …`: what would be decided, and why; nothing is run.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Says what would be decided about a command, a file, a connection or a statement, and why.",
        usage: """
            sandbox explain [<options>] -- <command> [<argument> ...]
            sandbox explain [<options>] (--read <path> | --write <path> | --delete <path> | --connect <host:port>)
            sandbox explain [<options>] --sql <text> [--dialect postgres|mysql|sqlite|redis]
            sandbox explain [<options>] --batch <file|->
            """,
        discussion: """
            Nothing is run, opened or connected to. Exit codes: 0 allow, 1 deny, 2 ask, 3 rewrite, 125 own failure. With --batch, \
            JSON lines in and out, in the same order: {"run":["git","push"]}, {"read":"/etc/passwd"}, {"write":…}, {"delete":…}, \
            {"connect":"example.com:443"}, {"sql":"DROP TABLE t","dialect":"postgres"}; a line that cannot be read gives an object \
            with `error` and `line` in its place, and the exit code is then 125, else 0.
            """)

    @Option(name: [.short, .long], help: ArgumentHelp("The profile to judge by.", valueName: "name|file"))
    var profile = "coding-agent"
    @Option(name: .customLong("as"), help: ArgumentHelp("Who would do it (default: user:NAME of the account).", valueName: "id"))
    var identity: String?
    @Option(help: ArgumentHelp("A group of that identity (default: the account's, without --as); may be repeated.", valueName: "name"))
    var group: [String] = []
    @Option(help: ArgumentHelp("A role of that identity; may be repeated.", valueName: "name"))
    var role: [String] = []
    @Option(help: ArgumentHelp("The sub-agent it would be, with what it is nested in: planner/coder.", valueName: "name"))
    var subagent: String?
    @Option(help: ArgumentHelp("The purpose of the session.", valueName: "text"))
    var purpose: String?
    @Option(help: ArgumentHelp("A class of data that the process has taken in; may be repeated.", valueName: "class"))
    var carries: [String] = []
    @Option(name: [.short, .long], help: ArgumentHelp("What ${workspace} means (default: the current directory).", valueName: "dir"))
    var workspace: String?
    @Option(help: ArgumentHelp("Where the trail is kept (or SANDBOX_STATE).", valueName: "dir"))
    var state: String?
    @Option(help: ArgumentHelp("Reading a file.", valueName: "path")) var read: String?
    @Option(help: ArgumentHelp("Writing a file.", valueName: "path")) var write: String?
    @Option(help: ArgumentHelp("Deleting a file.", valueName: "path")) var delete: String?
    @Option(help: ArgumentHelp("A connection: HOST:PORT, unix:PATH or unix:@NAME.", valueName: "host:port")) var connect: String?
    @Option(help: ArgumentHelp("A statement that a server is sent.", valueName: "text")) var sql: String?
    @Option(
        help: ArgumentHelp(
            "Whose SQL it is: postgres (the default), mysql or sqlite; or redis, whose commands are none.", valueName: "dialect"))
    var dialect: String?
    @Option(help: ArgumentHelp("JSON lines, from a file or standard input.", valueName: "file|-")) var batch: String?
    @Flag(help: "One JSON object.") var json = false
    @Argument(parsing: .captureForPassthrough, help: "The command and its arguments.")
    var command: [String] = []

    func validate() throws {
        if command.first == "-h" || command.first == "--help" { throw CleanExit.helpRequest(self) }
        if let first = command.first, first.hasPrefix("-"), first != "--" { throw unknownOption(first, of: Self.self) }
        if identity == "" { throw ValidationError("`--as` wants 1 to 256 bytes") }
        let given = [read, write, delete, connect, sql, batch].count { $0 != nil } + (command.isEmpty ? 0 : 1)
        guard given == 1 else {
            throw ValidationError(given == 0 ? "there is nothing to explain" : "explain one thing at a time; several go into --batch")
        }
        if [read, write, delete, connect, sql].contains("") { throw ValidationError("an empty text names nothing") }
        guard let dialect else { return }
        if SQLDialect(rawValue: dialect) == nil {
            throw ValidationError("`--dialect \(dialect)` is none of postgres, mysql, sqlite, redis")
        }
        if sql == nil { throw ValidationError("--dialect goes with --sql; in a batch it stands in the line") }
    }

    func run() throws {
        let explainer = try explainer()
        if let batch { throw ExitCode(try ExplainBatch(explainer).run(batch)) }
        let explanation: Explanation
        do throws(DryFailure) { explanation = try explainer.explain(subject) } catch {
            complain(error.message)
            throw ExitCode(125)
        }
        var output = Output()
        try output.write(
            json
                ? ExplainText.json(explanation, explainer.policy) + "\n"
                : ExplainText.words(explanation, explainer.policy, title, Output.style))
        try output.flush()
        throw ExitCode(explanation.decision.exitCode)
    }

    private var words: [[UInt8]] { RunCommand.raw(last: command.first == "--" ? command.count - 1 : command.count) }

    private var subject: DrySubject {
        if let read { return .read(Array(read.utf8)) }
        if let write { return .write(Array(write.utf8)) }
        if let delete { return .delete(Array(delete.utf8)) }
        if let connect { return .connect(connect) }
        if let sql { return .sql(Array(sql.utf8), dialect.flatMap(SQLDialect.init) ?? .postgres) }
        return .run(words)
    }

    private var title: String {
        if let read { return "read \(Escaped.text(read))" }
        if let write { return "write \(Escaped.text(write))" }
        if let delete { return "delete \(Escaped.text(delete))" }
        if let connect { return "connect \(Escaped.text(connect))" }
        if let sql { return "\(dialect ?? "postgres"): \(Escaped.text(sql))" }
        return Escaped.commandLine(words)
    }

    private func explainer() throws -> Explainer {
        let loaded = try ProfileSupport.load(profile)
        let policy = try ProfileSupport.compile(loaded, DryRun.variables(loaded, workspace: workspace, state: state))
        let explainer = Explainer(try Meanings.judge(policy), place: ThisMachine())
        explainer.identity = identity ?? DryRun.identity()
        explainer.groups = group.isEmpty && identity == nil ? DryRun.groups() : group
        explainer.roles = role
        explainer.subagent = subagent
        explainer.purpose = purpose
        explainer.mode = policy.mode
        explainer.timeOfDay = DryRun.timeOfDay()
        for name in carries {
            guard let i = policy.dataClasses.firstIndex(of: name) else {
                complain("the profile `\(policy.name)` has no class of data `\(name)`")
                if !policy.dataClasses.isEmpty { complain("  help: \(Suggestion.help(for: name, among: policy.dataClasses))") }
                throw ExitCode(125)
            }
            explainer.carries |= 1 << UInt64(i)
        }
        guard explainer.isAdmitted else {
            complain("`\(explainer.identity ?? "")` may not run under the profile `\(policy.name)`")
            complain("  help: its `identities` say who may; `--as`, `--group` and `--role` say who it would be")
            throw ExitCode(1)
        }
        return explainer
    }
}

extension Decision {
    var exitCode: Int32 {
        switch self {
        case .allow: 0
        case .deny: 1
        case .ask: 2
        case .rewrite: 3
        }
    }
}
