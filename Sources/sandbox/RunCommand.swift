internal import ArgumentParser
internal import Glibc
internal import SandboxModel
internal import SandboxSupervisor

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Runs a command and everything it starts under supervision.",
        usage: "sandbox run [<options>] [--] <command> [<argument> ...]",
        discussion: """
            The command runs as if it had been started directly, on the same terminal, with the same signals and \
            pipes. Exit codes: the command's own; 128+N where it died of signal N; 125 where sandbox itself failed; \
            126 where the command was denied or is not executable; 127 where it was not found.
            """)

    @Option(name: [.short, .long], help: ArgumentHelp("The profile to judge by.", valueName: "name|file"))
    var profile = "coding-agent"
    @Option(help: ArgumentHelp("Overrides the profile's mode: enforce or observe.", valueName: "mode"))
    var mode: String?
    @Option(help: ArgumentHelp("A candidate profile: judged as well, recorded where it differs, never enforced.", valueName: "file"))
    var shadow: String?
    @Option(name: .customLong("as"), help: ArgumentHelp("Who the agent is (default: user:NAME of the account).", valueName: "id"))
    var identity: String?
    @Option(help: ArgumentHelp("For whom it acts.", valueName: "id"))
    var onBehalfOf: String?
    @Option(
        help: ArgumentHelp(
            "A signed token (OIDC) that says who runs this, or for whom; else SANDBOX_TOKEN. It is checked first.", valueName: "file"))
    var tokenFile: String?
    @Option(help: ArgumentHelp("Why; kept with the session.", valueName: "text"))
    var purpose: String?
    @Option(
        name: [.short, .long],
        help: ArgumentHelp("What ${workspace} means in the profile (default: the current directory).", valueName: "dir"))
    var workspace: String?
    @Option(name: .customLong("env"), help: ArgumentHelp("A variable for the command: taken over, or set with =V.", valueName: "k[=v]"))
    var environment: [String] = []
    @Option(help: ArgumentHelp("Runs the command as another account (root only).", valueName: "name"))
    var user: String?
    @Option(help: ArgumentHelp("Where the trail is kept (or SANDBOX_STATE).", valueName: "dir"))
    var state: String?
    @Option(
        help: ArgumentHelp("Kills the session after this time, such as 90s, 10m, 2h.", valueName: "duration"), transform: parseTimeLimit)
    var timeout: UInt64?
    @Option(help: ArgumentHelp("A name for the session.", valueName: "name"))
    var name: String?
    @Option(help: ArgumentHelp("Writes JSON lines (started, decision, exit) to this descriptor.", valueName: "n"))
    var statusFd: Int32?
    @Flag(help: "Says nothing but errors.")
    var quiet = false
    @Argument(parsing: .captureForPassthrough, help: "The command and its arguments.")
    var command: [String] = []

    func validate() throws {
        if command.first == "-h" || command.first == "--help" { throw CleanExit.helpRequest(self) }
        // What stands before the command and is no option of ours is a mistake, not a program's name.
        if let first = command.first, first.hasPrefix("-"), first != "--" { throw unknownOption(first, of: Self.self) }
        if name == "last" { throw ValidationError("`--name last`: that word means the latest session, whatever its name") }
        if name == "" { throw ValidationError("`--name` wants a name") }
        for e in environment where e.isEmpty || e.hasPrefix("=") { throw ValidationError("`--env \(e)` names no variable") }
        // It must not reach the command, and must be there.
        if let statusFd, statusFd <= 2 || fcntl(statusFd, F_SETFD, FD_CLOEXEC) != 0 {
            throw ValidationError("`--status-fd \(statusFd)` is not an open descriptor above 2")
        }
    }

    func run() throws {
        var o = RunOptions()
        o.profile = profile
        o.mode = mode
        o.shadow = shadow
        o.identity = identity
        o.onBehalfOf = onBehalfOf
        o.tokenFile = tokenFile
        o.purpose = purpose
        o.workspace = workspace
        o.environment = environment
        o.user = user
        o.state = state
        o.name = name
        o.statusDescriptor = statusFd
        o.isQuiet = quiet
        o.command = rawCommand
        o.timeout = timeout
        Session.run(o)
    }

    /// The command as the kernel gave it to us: a `String` would have repaired what is not UTF-8.
    private var rawCommand: [[UInt8]] { RunCommand.raw(last: command.first == "--" ? command.count - 1 : command.count) }

    static func raw(last count: Int) -> [[UInt8]] {
        let total = Int(CommandLine.argc)
        return (total - count..<total).map { i in
            guard let text = CommandLine.unsafeArgv[i] else { return [] }
            return UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }
        }
    }
}

private func parseTimeLimit(_ text: String) throws -> UInt64 {
    if let time = Timestamp.parseDuration(text), time > 0 { return time }
    throw ValidationError("`\(Escaped.text(text))` is no duration; write 90s, 10m, 2h or 7d")
}

extension RunOptions {
    /// What nearly every start says, understood without the argument parser, which would take a quarter of the time until
    /// the command runs. Nil for everything else, mistakes included: `RunCommand` deals with that.
    init?(plain arguments: some Collection<String>) {
        self.init()
        profile = "coding-agent"
        var rest = arguments[...]
        while let word = rest.first, word.hasPrefix("-") {
            rest = rest.dropFirst()
            switch word {
            case "--": break
            case "--quiet":
                isQuiet = true
                continue
            case "-p", "--profile", "--mode", "-w", "--workspace", "--state", "--name", "--purpose", "--as":
                guard let value = rest.popFirst(), !value.hasPrefix("-") else { return nil }
                switch word {
                case "--mode": mode = value
                case "-w", "--workspace": workspace = value
                case "--state": state = value
                case "--name": name = value
                case "--purpose": purpose = value
                case "--as": identity = value
                default: profile = value
                }
                continue
            default: return nil
            }
            break
        }
        guard !rest.isEmpty, name != "last", name != "" else { return nil }
        command = RunCommand.raw(last: rest.count)
    }
}
