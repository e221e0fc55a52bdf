internal import ArgumentParser
internal import Glibc
internal import SandboxModel

/// Run inside a session, by the agent. The supervisor has named the process before its first instruction and says so in the
/// command line itself (`SubagentAnswer`); what is left to do here is to become the command.
struct AsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "as", abstract: "Inside a session: names a sub-agent, and runs a command as it.",
        usage: "sandbox as <name> [--] <command> [<argument> ...]",
        discussion: """
            The command and all that it starts carry the name in the trail, below the name of who runs this: a name can be \
            added to and never be taken off. It gives no rights. Exit codes are the command's own; 125 outside a session.
            """)

    @Argument(help: "Letters, digits and . _ - : @ +, at most 64.") var name: String
    @Argument(parsing: .captureForPassthrough, help: "The command and its arguments.") var command: [String] = []

    func validate() throws {
        guard SubagentName.isValid(name.utf8) else {
            throw ValidationError(
                "`\(name)` is no name of a sub-agent: letters, digits and . _ - : @ +, a letter or digit first, at most 64")
        }
        guard command.first == "--" ? command.count > 1 : !command.isEmpty else {
            throw ValidationError("there is nothing to run: sandbox as \(name) -- CMD [ARG…]")
        }
    }

    /// Nobody has answered.
    func run() throws {
        complain("`sandbox as` works inside a session of this very program alone")
        complain("  help: start one by `sandbox run`; see who an agent is by `--as`")
        throw ExitCode(125)
    }

    /// Where the supervisor has answered: does not return.
    static func continueIfAnswered() {
        let count = Int(CommandLine.argc)
        guard count > 2, let word = CommandLine.unsafeArgv[1] else { return }
        let bytes = (0..<strlen(word)).map { UInt8(bitPattern: word[$0]) }
        guard let answer = SubagentAnswer.read(bytes) else { return }
        if answer == SubagentAnswer.refused { end("the names are nested deeper than \(SubagentName.longestPath) bytes", 125) }
        var first = 3
        if count > 3, let word = CommandLine.unsafeArgv[3], strcmp(word, "--") == 0 { first = 4 }
        guard first < count, let program = CommandLine.unsafeArgv[first] else { end("there is nothing to run", 125) }
        execvp(program, CommandLine.unsafeArgv + first)
        end("exec `\(String(cString: program))`: \(String(cString: strerror(errno)).lowercased())", errno == ENOENT ? 127 : 126)
    }

    private static func end(_ why: String, _ code: Int32) -> Never {
        complain(why)
        Glibc.exit(code)
    }
}
