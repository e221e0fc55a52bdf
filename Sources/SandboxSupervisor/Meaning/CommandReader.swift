package import SandboxIntent
internal import SandboxModel
package import SandboxPolicy

/// From a command line to the facts that rules judge by: what the catalogue says of it, and the SQL that it hands to a client.
/// One for the dry run and for what really runs.
package struct CommandReader: Sendable {
    /// What a client is given to read.
    package enum Input: Sendable {
        case text([UInt8])
        /// Nothing there, or a person types it: that is for the guards.
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
        package var input: (StatementSource.Place) -> Input

        package init(
            program: [UInt8], invoked: [UInt8], arguments: [[UInt8]], variable: @escaping (String) -> String?,
            input: @escaping (StatementSource.Place) -> Input
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
        /// What each source of SQL holds: the text, and what was understood of it.
        package var sources: [(source: StatementSource, text: [UInt8], statements: [Statement])] = []
    }

    package typealias Catalogued = @Sendable (_ program: [UInt8], _ arguments: [[UInt8]]) -> CommandMeaning
    package typealias Statements = @Sendable (_ text: [UInt8], _ dialect: SQLDialect) -> [Statement]
    private let catalogue: Catalogued
    private let sql: Statements

    package init(catalogue: @escaping Catalogued, sql: @escaping Statements) {
        self.catalogue = catalogue
        self.sql = sql
    }

    package func statements(_ text: [UInt8], _ dialect: SQLDialect) -> [Statement] { sql(text, dialect) }

    package func read(_ command: Command) -> Reading {
        let meaning = catalogue(command.program, command.arguments)
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
        connection(command, &reading.facts, meaning.statements[0].dialect)
        return reading
    }

    private func add(_ source: StatementSource, _ command: Command, _ reading: inout Reading) {
        let input: Input = if case .text(let text) = source.place { .text(text) } else { command.input(source.place) }
        switch input {
        case .nothing: return
        case .unknown:
            reading.facts.intents.insert(.sqlUnknown)
            reading.facts.unknown.insert(.table)
        case .text(let text):
            let statements = sql(text, source.dialect)
            for statement in statements {
                reading.facts.intents.formUnion(statement.intents)
                reading.facts.tables += statement.tables
                if statement.intents.contains(.sqlUnknown) { reading.facts.unknown.insert(.table) }
            }
            reading.sources.append((source, text, statements))
        }
    }

    /// Where a client goes that was not told by its arguments (libpq's environment, mysql(1)).
    private func connection(_ command: Command, _ facts: inout Facts, _ dialect: SQLDialect) {
        let names: (host: [String], port: String, base: String, elsewhere: String?, usual: UInt16)
        switch dialect {
        case .postgres: names = (["PGHOSTADDR", "PGHOST"], "PGPORT", "PGDATABASE", "PGSERVICE", 5432)
        case .mysql: names = (["MYSQL_HOST"], "MYSQL_TCP_PORT", "MYSQL_DATABASE", nil, 3306)
        case .sqlite: return
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
