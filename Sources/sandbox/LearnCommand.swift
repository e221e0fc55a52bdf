internal import ArgumentParser
internal import Glibc
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import SandboxSupervisor

struct LearnProfile: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "learn", abstract: "Writes the smallest readable profile under which recorded sessions would have passed.",
        discussion: """
            What the sessions did beyond what the extended profile allows, put together: what lies side by side becomes a glob, \
            versions, hashes and temporary names become `*`, and each line says what it rests on. What shipped profiles deny is \
            not offered but listed under `Left out`; what was refused is not learned. Tests are written with it, so that \
            `sandbox profile test` holds at once. Best learned from sessions under `-p observe`. Exit codes: 0, 1 no such session, \
            125 own failure.
            """)
    @OptionGroup var state: StateOptions
    @Option(help: ArgumentHelp("The profile to extend.", valueName: "name")) var extends = "baseline"
    @Option(help: ArgumentHelp("Its name (default: the file's, or `learned`).", valueName: "name")) var name: String?
    @Option(name: [.short, .long], help: ArgumentHelp("The file to write, or - for standard output.", valueName: "file|-"))
    var output = "-"
    @Flag(help: "List what was refused, too.") var refused = false
    @Argument(help: "Sessions: ids or starts of them, names, or `last`.") var session: [String]

    func run() throws {
        try reportingFailures {
            let name = name ?? ownName
            guard ProfileTemplate.isName(name) else {
                complain("bad name `\(name)`: letters, digits, `.`, `_` and `-`, at most 64")
                throw ProfileSupport.ownFailure
            }
            let reader = try state.reader()
            var rows: [SessionRow] = []
            for text in session {
                let row = try state.session(text, in: reader)
                if !rows.contains(where: { $0.number == row.number }) { rows.append(row) }
            }
            guard let reader else { return }
            let base = try ProfileSupport.load(extends)
            let text = try profile(name, from: try TrailHistory(reader, rows.sorted { $0.number < $1.number }), base)
            if output != "-" {
                try ProfileSupport.write(text, to: output)
                return print(Escaped.text(output))
            }
            var out = Output()
            try out.write(text)
            try out.flush()
        }
    }

    private func profile(_ name: String, from history: TrailHistory, _ base: ResolvedProfile) throws -> String {
        let state = state.path
        // A path counts from the file that holds it, wherever that will lie.
        let isFile = extends.contains("/") || extends.hasSuffix(".yaml") || extends.hasSuffix(".yml")
        let whole = isFile ? ProfileFiles.resolve(Array(extends.utf8)).map { String(decoding: $0, as: UTF8.self) } : nil
        var options = Learning.Options(name: name, extends: whole ?? extends)
        options.showsRefused = refused
        do {
            let learning = try Learning(history, extending: base, neverOffered: others(), reader: Meanings.reader()) {
                try DryRun.variables(base, of: $0, state: state)
            }
            let (text, leftOut) = try learning.learn(options)
            if leftOut > 0 { complain("\(leftOut) kinds of what they did are left out: the profile lists them before its tests") }
            return text
        } catch let error as ProfileFailure {
            ProfileSupport.say(error.description)
        } catch let error as PolicyFailure {
            complain("\(error)")
        }
        throw ProfileSupport.ownFailure
    }

    /// What is shipped and what the system has: the user's own say nothing about what may be offered.
    private func others() throws -> [ResolvedProfile] {
        let files = ProfileFiles()
        return try files.list().filter { $0.origin != "user" }.map { try ProfileSupport.load($0.path) }
    }

    private var ownName: String {
        let file = output.split(separator: "/").last.map(String.init) ?? "-"
        return file == "-"
            ? "learned" : file.hasSuffix(".yaml") ? String(file.dropLast(5)) : file.hasSuffix(".yml") ? String(file.dropLast(4)) : file
    }
}
