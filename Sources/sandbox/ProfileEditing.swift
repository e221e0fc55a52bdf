internal import ArgumentParser
internal import Glibc
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxSupervisor

struct NewProfile: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Writes a profile to begin with; into the folder where your own are looked up, unless --output says where.")
    @Option(help: ArgumentHelp("The profile to extend.", valueName: "name")) var extends = "workplace"
    @Option(name: [.short, .long], help: ArgumentHelp("The file to write, or - for standard output.", valueName: "file|-"))
    var output: String?
    @Argument(help: "Its name.") var name: String

    func run() throws {
        guard ProfileTemplate.isName(name) else {
            complain("bad name `\(name)`: letters, digits, `.`, `_` and `-`, at most 64")
            throw ProfileSupport.ownFailure
        }
        let files = ProfileFiles()
        _ = try ProfileSupport.source(extends, files)
        if output == nil, let taken = try? files.find(name, from: nil) {
            complain("there is a profile `\(name)` already, in \(Escaped.text(taken.file)): yours would be taken in its place")
            ProfileSupport.say("  help: give it another name, or say with --output where to write it")
            throw ProfileSupport.ownFailure
        }
        let text = ProfileTemplate.text(name: name, extends: extends)
        if output == "-" { return print(text, terminator: "") }
        let path = try output ?? ownPath()
        try ProfileSupport.write(text, to: path)
        print(Escaped.text(path))
    }

    private func ownPath() throws -> String {
        guard let folder = ProfileFiles().folders.first(where: { $0.origin == "user" })?.path else {
            complain("neither XDG_CONFIG_HOME nor HOME is set")
            throw ProfileSupport.ownFailure
        }
        var made = ""
        for part in folder.split(separator: "/") {
            made += "/" + part
            if mkdir(made, 0o755) != 0, errno != EEXIST { throw ProfileSupport.failure("mkdir", made) }
        }
        return "\(folder)/\(name).yaml"
    }
}

struct DiffProfiles: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Says what two profiles, with all that they extend, say differently: 0 nothing, 1 something.")
    @Flag(help: "One JSON object for each difference.") var json = false
    @Argument(help: "A name, or a file.") var first: String
    @Argument(help: "A name, or a file.") var second: String

    func run() throws {
        let a = try ProfileSupport.load(first, isFile: true), b = try ProfileSupport.load(second, isFile: true)
        let differences = ProfileDiff.between(a, b)
        var output = Output()
        for d in differences {
            let sign = d.isAdded ? "+" : "-"
            let line =
                json
                ? "{\"change\":\"\(d.isAdded ? "added" : "removed")\",\"section\":\(Escaped.json(d.section)),\"entry\":\(Escaped.json(d.text)),\"effect\":\"\(d.effect)\"}\n"
                : "\(sign) \(d.section): \(Escaped.text(d.text))" + (d.effect == .neither ? "" : "  (\(d.effect))") + "\n"
            try output.write(line)
        }
        try output.flush()
        if !differences.isEmpty { throw ExitCode(1) }
    }
}

struct ProfileSchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema", abstract: "Prints the JSON Schema of profiles, for editors.")
    func run() { print(ProfileSchema.json) }
}
