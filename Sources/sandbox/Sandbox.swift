internal import ArgumentParser
internal import Glibc
internal import SandboxModel
internal import SandboxSupervisor
internal import SandboxYAML

@main
struct Sandbox: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox",
        abstract: "Runs an agent's commands under supervision: judged, recorded, and stopped where a profile says so.",
        version: "0.1.0",
        subcommands: [
            RunCommand.self, ExplainCommand.self, IntentsCommand.self, AuditCommand.self, LineageCommand.self, ProfileCommand.self,
            PsCommand.self, InspectCommand.self, KillCommand.self, ApprovalsCommand.self, DoctorCommand.self, AsCommand.self,
        ])

    static func main() {
        Session.fillStandardStreams()
        // Swift takes them from /proc/self/cmdline. Without, everything would look as if nothing had been asked for.
        guard CommandLine.argc > 0 else {
            complain("what was asked for cannot be read: procfs must be mounted on /proc")
            Glibc.exit(125)
        }
        let arguments = CommandLine.arguments.dropFirst()
        AsCommand.continueIfAnswered()
        do {
            if arguments.first == "run" {
                Session.split()
                if let options = RunOptions(plain: arguments.dropFirst()) { Session.run(options) }
            }
            var command = try parseAsRoot(Array(arguments))
            try command.run()
        } catch {
            let code = exitCode(for: error).rawValue
            // A usage error is a failure of our own: 64 would be taken for the command's exit code.
            if code == EX_USAGE {
                let text = Array(Sandbox.misused(fullMessage(for: error), Array(arguments.prefix(2))).utf8)
                _ = write(STDERR_FILENO, text, text.count)
                Glibc.exit(125)
            }
            exit(withError: error)
        }
    }

    /// What the argument parser says, in our own words where it does not help.
    private static func misused(_ message: String, _ words: [String]) -> String {
        // It repeats what it was given.
        var lines = message.utf8.split(separator: 0x0a, omittingEmptySubsequences: false).map { Escaped.text($0) }
        if let first = lines.first, first.hasPrefix("Error: ") { lines[0] = "sandbox: " + first.dropFirst(7) }
        var above = configuration.subcommands, said = ""
        for word in words where !above.isEmpty && !word.hasPrefix("-") && word != "help" {
            said += (said.isEmpty ? "" : " ") + word
            guard let command = above.first(where: { $0.configuration.commandName == word }) else {
                lines[0] = "sandbox: there is no command `\(Escaped.text(said))`"
                let known = above.compactMap { $0.configuration.commandName }
                lines.insert("  help: " + Suggestion.help(for: word, among: known), at: 1)
                break
            }
            above = command.configuration.subcommands
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// For commands that pass on what they do not know, so that the argument parser has no say in it.
func unknownOption(_ word: String, of command: (some ParsableCommand).Type) -> ValidationError {
    // Without what all have in common, which would make any two alike.
    let name = String(word.drop { $0 == "-" }.prefix { $0 != "=" })
    let known = command.helpMessage().split { " ,\n".contains($0) }.filter { $0.hasPrefix("--") }.map { String($0.dropFirst(2)) }
    let meant = Suggestion.nearest(to: name, among: known).map { "\n  help: did you mean `--\($0)`?" } ?? ""
    return ValidationError("unknown option `\(word)`" + meant)
}
