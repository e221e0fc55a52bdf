package import SandboxIntent
package import SandboxModel
package import SandboxPolicy

/// From a command line to the facts that rules judge by: what the catalogue says of it, and the SQL that it hands to a client,
/// scripts that this SQL includes among it.
/// One for the dry run and for what really runs.
package struct CommandReader: Sendable {
    /// What a client is given to read.
    package enum Input: Sendable {
        case text([UInt8])
        /// What was read already; nil: the text is too long to be kept.
        case read(ScriptSummary, text: [UInt8]?)
        /// Nothing there, or a person types it: that is for the guards. Or it is judged when the client opens it.
        case nothing
        case unknown
    }

    package struct Command {
        /// Resolved.
        package var program: [UInt8]
        /// As it was asked for.
        package var invoked: [UInt8]
        package var arguments: [[UInt8]]
        package var variable: (String) -> String?
        /// The text of a file that a client reads, or of its standard input.
        package var input: (StatementSource) -> Input
        /// What the client opens is judged when it opens it.
        package var opensAreJudged = false
        /// Where it was looked up already.
        package var meaning: CommandMeaning?

        package init(
            program: [UInt8], invoked: [UInt8], arguments: [[UInt8]], variable: @escaping (String) -> String?,
            input: @escaping (StatementSource) -> Input
        ) {
            self.program = program
            self.invoked = invoked
            self.arguments = arguments
            self.variable = variable
            self.input = input
        }
    }

    package struct Reading {
        package var facts: Facts
        package var meaning: CommandMeaning
        /// Each source of SQL, with its text where that is kept.
        package var sources: [(source: StatementSource, text: [UInt8]?)] = []
        /// Shell text that the client of a script on this machine would run: judged when it starts.
        package var programs: [[UInt8]] = []
        /// What led to each intent of the SQL, for people.
        package var evidence: [(intent: Intent, because: String)] = []
        /// Scripts that were met, as the client names them.
        package var scripts: Set<[UInt8]> = []
        /// There are others, of which nobody can tell the names.
        package var hasUnnamedScripts = false

        /// Another for other texts that are in no argument. Nil: there are none.
        package var digest: [UInt8]? {
            var all: [UInt8] = []
            var isEmpty = true
            for (source, text) in sources {
                if case .text = source.place { continue }
                isEmpty = false
                // One that was not kept is like no other.
                all += SHA256.hash(text ?? Array(String(UInt64.random(in: 0 ... .max)).utf8))
            }
            return isEmpty ? nil : Array(SHA256.hex(SHA256.hash(all)).utf8)
        }

        /// What came from elsewhere than the arguments, and from where, for the trail.
        package var origins: [String] {
            sources.compactMap { source, _ in
                let what = source.dialect == .redis ? "commands" : "SQL"
                return switch source.place {
                case .text: nil
                case .file(let name): "\(what) from \(Escaped.text(name))"
                case .standardInput: "\(what) from standard input"
                }
            }
        }
    }

    package typealias Catalogued = @Sendable (_ program: [UInt8], _ arguments: [[UInt8]]) -> CommandMeaning
    private let catalogue: Catalogued

    private let elsewhere: @Sendable (_ text: [UInt8]) -> CommandMeaning

    /// `elsewhere`: what shell text means that nobody judges where it runs; of a dry run alone.
    package init(catalogue: @escaping Catalogued, elsewhere: @escaping @Sendable ([UInt8]) -> CommandMeaning = { _ in CommandMeaning() }) {
        (self.catalogue, self.elsewhere) = (catalogue, elsewhere)
    }

    package func meaning(_ program: [UInt8], _ arguments: [[UInt8]]) -> CommandMeaning { catalogue(program, arguments) }

    /// The same of one that is given a text to read: what a shell elsewhere reads counts as if it stood among the arguments.
    package func meaning(_ program: [UInt8], _ arguments: [[UInt8]], reading text: [UInt8]) -> CommandMeaning {
        var meaning = meaning(program, arguments)
        guard meaning.feedsShellElsewhere else { return meaning }
        let more = elsewhere(text)
        meaning.intents.formUnion(more.intents)
        meaning.evidence += more.evidence
        meaning.statements += more.statements
        meaning.isComplete = meaning.isComplete && more.isComplete
        return meaning
    }

    package func read(_ command: Command) -> Reading {
        let meaning = command.meaning ?? meaning(command.program, command.arguments)
        var facts = Facts(.exec, intents: meaning.intents.union([.procExec]))
        facts.program = command.program
        facts.invoked = command.invoked
        facts.arguments = command.arguments
        facts.scripts = meaning.scripts
        facts.runsInput = meaning.runsInput
        facts.database = meaning.database
        facts.destinations = meaning.hosts.compactMap { Self.destination($0.name, $0.port) }
        if !meaning.isComplete { facts.unknown.formUnion([.intents, .host, .table]) }
        var reading = Reading(facts: facts, meaning: meaning)
        if meaning.statements.isEmpty { return reading }
        for source in meaning.statements { add(source, command, &reading) }
        if command.opensAreJudged, let first = meaning.statements.first, !first.isElsewhere {
            for name in Self.startUp(command, SQLClient(first.dialect)) {
                add(StatementSource(.file(name), first.dialect), command, &reading)
            }
        }
        connection(command, &reading.facts, meaning.statements[0].dialect)
        return reading
    }

    private func add(_ source: StatementSource, _ command: Command, _ reading: inout Reading, depth: Int = 0) {
        let client = SQLClient(source.dialect)
        var summary: ScriptSummary
        switch source.place {
        case .text(let text):
            summary = ScriptSummary.of(text, source.dialect, client: Self.isScript(text, client) ? client : nil)
            reading.sources.append((source, text))
        case .file(let name):
            // Nobody reads a file for ever that includes itself.
            guard reading.scripts.insert(name).inserted else { return }
            guard !source.isElsewhere, depth <= Self.deepest, reading.scripts.count <= Self.mostScripts else {
                if !source.isElsewhere { reading.hasUnnamedScripts = true }
                return unknown(source.dialect, &reading)
            }
            guard let read = given(source, command, client, &reading) else { return }
            summary = read
        case .standardInput:
            guard let read = given(source, command, client, &reading) else { return }
            summary = read
        }
        take(summary, into: &reading.facts)
        reading.evidence += summary.evidence
        reading.evidence += evidence(ofCommandsIn: summary)
        if !source.isElsewhere { reading.programs += summary.programs }
        if summary.includesUnnamed { reading.hasUnnamedScripts = true }
        for include in summary.includes {
            guard let name = path(of: include, in: source, command, client) else {
                reading.hasUnnamedScripts = true
                return unknown(source.dialect, &reading)
            }
            // Where it is, is known when the client opens it.
            if summary.changesFolder, name.first != UInt8(ascii: "/"), reading.scripts.insert(name).inserted {
                if !command.opensAreJudged { unknown(source.dialect, &reading) }
                continue
            }
            add(StatementSource(.file(name), source.dialect, isElsewhere: source.isElsewhere), command, &reading, depth: depth + 1)
        }
    }

    /// What a script does, and what its client's own commands mean.
    package func take(_ summary: ScriptSummary, into facts: inout Facts) {
        facts.take(summary)
        for words in summary.commands { facts.intents.formUnion(clientCommand(words).intents) }
    }

    package func evidence(ofCommandsIn summary: ScriptSummary) -> [(intent: Intent, because: String)] {
        summary.commands.flatMap { clientCommand($0).evidence.map { ($0.intent, $0.because) } }
    }

    private func clientCommand(_ words: [[UInt8]]) -> CommandMeaning {
        let name = Array("redis-cli".utf8)
        // None of them is an option of the client's.
        return meaning(name, words[0].first == UInt8(ascii: "-") ? [name] : [name] + words)
    }

    /// What a client reads first, unless it is told not to: then nobody opens it.
    private static func startUp(_ command: Command, _ client: SQLClient) -> [[UInt8]] {
        let home = command.variable("HOME").map { Array($0.utf8) } ?? []
        switch client {
        case .psql:
            guard let named = command.variable("PSQLRC").map({ Array($0.utf8) }) else { return [home + Array("/.psqlrc".utf8)] }
            return [named.starts(with: "~/".utf8) ? home + named.dropFirst() : named]
        case .sqlite3: return [home + Array("/.sqliterc".utf8)]
        case .mysql, .redis: return []
        }
    }

    private static let deepest = 16
    private static let mostScripts = 256

    private func given(_ source: StatementSource, _ command: Command, _ client: SQLClient, _ reading: inout Reading) -> ScriptSummary? {
        switch command.input(source) {
        case .nothing: return nil
        case .unknown:
            unknown(source.dialect, &reading)
            return nil
        case .text(let text):
            reading.sources.append((source, text))
            return ScriptSummary.of(text, source.dialect, client: client)
        case .read(let summary, let text):
            reading.sources.append((source, text))
            return summary
        }
    }

    private func unknown(_ dialect: SQLDialect, _ reading: inout Reading) {
        if dialect == .redis { return reading.facts.intents.insert(.kvAdmin) }
        reading.facts.intents.insert(.sqlUnknown)
        reading.facts.unknown.insert(.table)
    }

    /// psql sends a text to its server as it is, or takes it for one command of its own; the others read it as they read everything.
    package static func isScript(_ text: [UInt8], _ client: SQLClient) -> Bool {
        client != .psql || text.first { !$0.isBlank } == UInt8(ascii: "\\")
    }

    /// As the client will ask for it. Nil: that cannot be told.
    package func path(
        of include: ScriptMeaning.Include, in source: StatementSource, _ command: Command, _ client: SQLClient
    ) -> [UInt8]? {
        let path = include.path
        if client != .sqlite3, path.first == UInt8(ascii: "~") {
            guard path.dropFirst().first == UInt8(ascii: "/"), let home = command.variable("HOME") else { return nil }
            return Array(home.utf8) + path.dropFirst()
        }
        guard include.isRelativeToScript, path.first != UInt8(ascii: "/"), case .file(let script) = source.place,
            let slash = script.lastIndex(of: UInt8(ascii: "/"))
        else { return path }
        return script[...slash] + path
    }

    /// Where a client goes that was not told by its arguments (libpq's environment, mysql(1)).
    private func connection(_ command: Command, _ facts: inout Facts, _ dialect: SQLDialect) {
        let names: (host: [String], port: String, base: String, elsewhere: String?, usual: UInt16)
        switch dialect {
        case .postgres: names = (["PGHOSTADDR", "PGHOST"], "PGPORT", "PGDATABASE", "PGSERVICE", 5432)
        case .mysql: names = (["MYSQL_HOST"], "MYSQL_TCP_PORT", "MYSQL_DATABASE", nil, 3306)
        case .sqlite, .redis: return
        }
        if facts.database == nil { facts.database = command.variable(names.base) }
        let port = command.variable(names.port).flatMap(UInt16.init)
        if facts.destinations.isEmpty {
            if let elsewhere = names.elsewhere, command.variable(elsewhere) != nil { facts.unknown.formUnion([.host, .port, .database]) }
            let host = names.host.lazy.compactMap(command.variable).first
            facts.destinations = (host ?? "").split(separator: ",").compactMap { Self.destination(String($0), nil) }
        }
        for i in facts.destinations.indices where facts.destinations[i].port == nil { facts.destinations[i].port = port ?? names.usual }
    }

    /// Nil for a socket in a folder, which is no host.
    package static func destination(_ name: String, _ port: UInt16?) -> Facts.Destination? {
        if name.isEmpty || name.hasPrefix("/") || name.hasPrefix("@") { return nil }
        let name = name.lowercased()
        let plain = name.hasSuffix(".") ? String(name.dropLast()) : name
        if let address = IPAddress(parsing: plain) { return Facts.Destination(address: address.canonicalDestination, port: port) }
        return Facts.Destination(names: [plain], address: plain == "localhost" ? .loopback4 : nil, port: port)
    }
}

extension Facts {
    package mutating func take(_ summary: ScriptSummary) {
        intents.formUnion(summary.intents)
        tables += summary.tables
        namedDatabases += summary.databases
        usesOwnDatabase = usesOwnDatabase || summary.usesOwnDatabase
        if summary.intents.contains(.sqlUnknown) { unknown.insert(.table) }
        if summary.changesDatabase { unknown.insert(.database) }
        if summary.changesHost { unknown.formUnion([.host, .port]) }
    }
}

extension UInt8 {
    fileprivate var isBlank: Bool { self == 0x20 || (0x09...0x0d).contains(self) }
}
