internal import ArgumentParser
internal import Glibc
internal import SandboxModel
internal import SandboxSupervisor

@main
struct Sandbox: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox",
        abstract: "Runs an agent's commands under supervision: judged, recorded, and stopped where a profile says so.",
        version: "0.1.0",
        subcommands: [
            RunCommand.self, ExplainCommand.self, IntentsCommand.self, AuditCommand.self, LineageCommand.self, ProfileCommand.self,
            PsCommand.self, InspectCommand.self, KillCommand.self, ApprovalsCommand.self, DoctorCommand.self,
        ])

    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
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
                // It repeats what it was given.
                let lines = fullMessage(for: error).utf8.split(separator: 0x0a, omittingEmptySubsequences: false)
                let text = Array((lines.map { Escaped.text($0) }.joined(separator: "\n") + "\n").utf8)
                _ = write(STDERR_FILENO, text, text.count)
                Glibc.exit(125)
            }
            exit(withError: error)
        }
    }
}
