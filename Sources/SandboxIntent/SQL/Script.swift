package import SandboxModel

/// Programs that take SQL with commands of their own in it.
package enum SQLClient: String, Sendable, CaseIterable {
    case psql, mysql, sqlite3

    package var dialect: SQLDialect {
        switch self {
        case .psql: .postgres
        case .mysql: .mysql
        case .sqlite3: .sqlite
        }
    }
}

/// What a script makes its client do.
package struct ScriptMeaning: Sendable, Hashable {
    package struct Include: Sendable, Hashable {
        package let path: [UInt8]
        /// `\ir`: seen from the script that names it, not from the working directory.
        package let isRelativeToScript: Bool
    }
    /// With their places in the script.
    package var statements: [Statement] = []
    /// What the client does by itself: `sql.copy_program` where it runs a program, `sql.copy_out` where it writes rows into files,
    /// `sql.unknown` where that cannot be told.
    package var intents: IntentSet = []
    /// What led to them, for people.
    package var reasons: [String] = []
    /// Scripts that it reads as if they stood here. Whoever judges reads them too.
    package var includes: [Include] = []
    /// Files whose rows it loads, and files that it writes.
    package var reads: [[UInt8]] = []
    package var writes: [[UInt8]] = []
    /// Command lines that it gives to a shell.
    package var programs: [[UInt8]] = []
    /// Where it connects to instead: `\c`'s words.
    package var connections: [String] = []

    mutating func add(_ more: IntentSet, _ reason: String) {
        intents.formUnion(more)
        if reasons.count < 100 { reasons.append(reason) }
    }
    mutating func runs(_ command: [UInt8], _ reason: String) {
        programs.append(command)
        add([.sqlCopyProgram], reason)
    }
    mutating func writes(_ path: [UInt8], _ reason: String) {
        writes.append(path)
        add([.sqlCopyOut], reason)
    }
}

extension SQL {
    /// A script as its client takes it, from a file or from standard input. `stopsAtErrors`: it is run as one transaction, or ends at
    /// the first error; otherwise what a failed statement should have made may not be there.
    package static func readScript(_ text: [UInt8], _ client: SQLClient, stopsAtErrors: Bool = false) -> ScriptMeaning {
        guard text.count <= maximumText else {
            var meaning = ScriptMeaning()
            meaning.statements = read(text, dialect: client.dialect)
            return meaning
        }
        var session = SQLSession()
        session.stopsAtErrors = stopsAtErrors || client == .mysql
        switch client {
        case .psql:
            var script = PsqlScript(text, session)
            return script.read()
        case .mysql:
            var script = MySQLScript(text, session)
            return script.read()
        case .sqlite3:
            var script = SQLiteScript(text, session)
            return script.read()
        }
    }
}

extension [UInt8] {
    /// The line that holds a byte, from there to its end, without the end itself.
    func line(from start: Int) -> Range<Int> { start..<(self[start...].firstIndex(of: 0x0a) ?? count) }

    /// The words of a client's command: quotes of both kinds keep blanks together.
    func commandWords(_ range: Range<Int>) -> [[UInt8]] {
        var words: [[UInt8]] = []
        var word: [UInt8]?
        var quote: UInt8?
        for c in self[range] {
            if let open = quote {
                if c == open { quote = nil } else { word = (word ?? []) + [c] }
            } else if c == UInt8(ascii: "'") || c == UInt8(ascii: "\"") {
                quote = c
                word = word ?? []
            } else if c.isBlank {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? []) + [c]
            }
        }
        if let done = word { words.append(done) }
        return words
    }
}
