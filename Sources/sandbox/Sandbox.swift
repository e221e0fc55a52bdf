internal import ArgumentParser

@main
struct Sandbox: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sandbox",
        abstract: "Runs an agent's commands under supervision: judged, recorded, and stopped where a profile says so.",
        subcommands: [AuditCommand.self])
}
