internal import ArgumentParser
internal import Glibc
internal import SandboxLineage
internal import SandboxModel
internal import SandboxStore
internal import SandboxSupervisor

struct LineageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lineage", abstract: "Where data came from and where it went: files, processes, hosts, sessions.",
        discussion: """
            A file's inputs are what its writers had read before or while they wrote it, and what those files were made of, also in \
            earlier sessions. A process has what its parent had when it was started. The trail does not know when a file is \
            closed: a process counts as writing until it ends, or until whoever read the file had opened it. Without \
            --upstream and --downstream both are shown; of a session, what it read, wrote and reached.
            """)

    enum Format: String, CaseIterable, ExpressibleByArgument { case tree, json, dot, mermaid, prov, openlineage }

    @OptionGroup var state: StateOptions
    @Argument(
        help: ArgumentHelp(
            "A path, host:port (an address, or a name for what it stands for now), a session (id, start of one, name, `last`), or pid:N@SESSION.",
            valueName: "target"))
    var target: String
    @Flag(help: "Where it came from.") var upstream = false
    @Flag(help: "Where it went.") var downstream = false
    @Flag(
        help: """
            Which classes of data a file, a process or a session's processes carry, and how each came there; also why somebody was refused a \
            file, a program or an address.
            """) var whyCarries = false
    @Option(help: ArgumentHelp("At most so many steps away.", valueName: "n")) var depth: Int?
    @Option(help: "What happened from this time on (RFC 3339), or for so long back: 90s 10m 2h 7d.", transform: parseTime) var since:
        UInt64?
    @Option(help: ArgumentHelp("Only in sessions of identities like this.", valueName: "glob")) var identity: [String] = []
    @Option(help: "tree, json, dot, mermaid, prov (W3C PROV-JSON) or openlineage (run events).") var format: Format?
    @Flag(help: "The same as --format json.") var json = false

    func validate() throws {
        if let depth, depth < 1 { throw ValidationError("--depth takes a number from 1 on") }
        if json, let format, format != .json { throw ValidationError("--json and --format \(format.rawValue) exclude each other") }
    }

    func run() throws {
        try reportingFailures {
            if whyCarries { return try explainCarrying() }
            let graph = try answer()
            var output = Output()
            try output.write(text(graph))
            try output.flush()
        }
    }

    private func text(_ graph: LineageGraph) -> String {
        switch json ? .json : format ?? .tree {
        case .tree: LineageText.tree(graph, style: Output.style)
        case .json: LineageJSON.object(graph) + "\n"
        case .dot: LineagePictures.dot(graph)
        case .mermaid: LineagePictures.mermaid(graph)
        case .prov: LineageProv.document(graph) + "\n"
        case .openlineage: OpenLineage.events(graph).map { $0 + "\n" }.joined()
        }
    }

    /// The data base is let go before anything is printed, and not held while names are looked up: others wait for it while a live session is in the answer.
    private func answer() throws -> LineageGraph {
        guard let directory = try StateDirectory.existing(state.path) else { throw nothing() }
        state.takeInJournals(directory)
        let addresses = addresses
        guard let reader = try LineageReader(directory, identities: identity, since: since ?? 0) else { throw nothing() }
        let (roots, isSession, isCut) = try find(reader, addresses)
        if roots.isEmpty { throw nothing() }
        var limits = TraceLimits()
        limits.since = since ?? 0
        limits.depth = depth ?? (isSession && !upstream && !downstream ? 1 : .max)
        if isSession { limits.nodes = max(limits.nodes, 2 * roots.count) }
        var directions: [Direction] = []
        if upstream || !downstream { directions.append(.upstream) }
        if downstream || !upstream { directions.append(.downstream) }
        let answers = try directions.map { direction in
            var answer = try Trace.follow(direction, from: roots, in: reader, limits: limits)
            answer.isCut = answer.isCut || isCut
            return answer
        }
        return try reader.graph(answers, target: target)
    }

    func nothing() -> ExitCode {
        complain("nothing is on record of `\(target)`")
        return ExitCode(1)
    }

    /// A session's processes, so many of them.
    private static let mostRoots = 2000

    private func find(_ reader: LineageReader, _ addresses: [[UInt8]]) throws -> (roots: [NodeID], isSession: Bool, isCut: Bool) {
        if target.hasPrefix("pid:"), let at = target.firstIndex(of: "@"), let pid = Int32(target[..<at].dropFirst(4)) {
            let row = try state.session(String(target[target.index(after: at)...]), in: reader.trail)
            return (try reader.processes(of: row, pid: pid, limit: 1000).map { .process($0) }, false, false)
        }
        for name in [absolutePath, givenTarget] {
            // The one that is there now, else the last that was.
            if let object = try reader.objects(named: name).first { return ([.object(object)], false, false) }
        }
        let hosts = try addresses.compactMap { try reader.objects(named: $0).first }
        if !hosts.isEmpty { return (hosts.map { .object($0) }, false, false) }
        if target.utf8.contains(UInt8(ascii: "/")) { return ([], false, false) }
        if case .none = try reader.trail.session(target) { return ([], false, false) }
        let row = try state.session(target, in: reader.trail)
        let found = try reader.processes(of: row, limit: LineageCommand.mostRoots + 1)
        return (found.prefix(LineageCommand.mostRoots).map { .process($0) }, true, found.count > LineageCommand.mostRoots)
    }

    /// `localhost:8080`: what the name stands for now. The trail has addresses alone.
    var addresses: [[UInt8]] {
        guard let colon = target.lastIndex(of: ":"), UInt16(target[target.index(after: colon)...]) != nil else { return [] }
        let host = target[..<colon]
        guard !host.isEmpty, !host.contains(where: { ":/[]@ ".contains($0) }) else { return [] }
        let found = HostTable.resolve(String(host)).map { Array(($0.isV4 ? "\($0)" : "[\($0)]").utf8) + target[colon...].utf8 }
        return found.filter { !$0.elementsEqual(target.utf8) }
    }

    /// As it was given: a `String` would have repaired what is not UTF-8.
    var givenTarget: [UInt8] {
        RunCommand.raw(last: Int(CommandLine.argc)).first { String(decoding: $0, as: UTF8.self) == target } ?? Array(target.utf8)
    }

    /// The target as the trail has it: the folder without links, and the file, where it is there.
    var absolutePath: [UInt8] {
        let given = givenTarget
        if let path = LineageCommand.resolved(given) { return path }
        let slash = given.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { Array(given[...$0]) } ?? [UInt8(ascii: ".")]
        guard let path = LineageCommand.resolved(folder) else { return given }
        return (path == [UInt8(ascii: "/")] ? [] : path) + [UInt8(ascii: "/")] + given[(slash.map { $0 + 1 } ?? 0)...]
    }

    private static func resolved(_ path: [UInt8]) -> [UInt8]? {
        guard let found = realpath(path.map { CChar(bitPattern: $0) } + [0], nil) else { return nil }
        defer { free(found) }
        return (0..<strlen(found)).map { UInt8(bitPattern: found[$0]) }
    }
}
