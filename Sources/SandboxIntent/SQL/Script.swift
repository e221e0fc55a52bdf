package import SandboxModel

/// Programs that take SQL with commands of their own in it.
package enum SQLClient: String, Sendable, CaseIterable {
    case psql, mysql, sqlite3, redis

    package var dialect: SQLDialect {
        switch self {
        case .psql: .postgres
        case .mysql: .mysql
        case .sqlite3: .sqlite
        case .redis: .redis
        }
    }

    package init(_ dialect: SQLDialect) {
        switch dialect {
        case .postgres: self = .psql
        case .mysql: self = .mysql
        case .sqlite: self = .sqlite3
        case .redis: self = .redis
        }
    }
}

/// What a script makes its client do.
package struct ScriptMeaning: Sendable, Hashable {
    package struct Include: Sendable, Hashable {
        /// Empty: it cannot be told.
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
    /// Commands of the client that the catalogue knows by their words, as if they were its arguments: redis-cli's.
    package var commands: [[[UInt8]]] = []
    /// Where it connects to instead: `\c`'s words.
    package var connections: [String] = []
    /// What names of files are relative to is another folder from somewhere on.
    package var changesFolder = false

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
        var reader = ScriptReader(client, stopsAtErrors: stopsAtErrors)
        return reader.take(text, isLast: true).meaning
    }
}

/// What a client has been told so far, for what comes next.
struct ScriptState: Sendable {
    var session = SQLSession()
    /// MySQL: what ends a statement.
    var delimiter: [UInt8] = [UInt8(ascii: ";")]
    /// psql: the next lines are rows of a COPY.
    var isInRows = false
    /// sqlite3: what comes next begins a line.
    var isAtLineStart = true
}

/// Reads a script that comes piece by piece: as far as what it holds is complete.
package struct ScriptReader: Sendable {
    package let client: SQLClient
    private var state = ScriptState()

    package init(_ client: SQLClient, stopsAtErrors: Bool = false) {
        self.client = client
        state.session.stopsAtErrors = stopsAtErrors || client == .mysql
    }

    /// `consumed`: how much of the text was complete, and is read. The rest is to come again, with what follows it. The last piece
    /// is read to its end.
    package mutating func take(_ text: [UInt8], isLast: Bool) -> (meaning: ScriptMeaning, consumed: Int) {
        let result: (meaning: ScriptMeaning, state: ScriptState, consumed: Int)
        switch client {
        case .psql:
            var script = PsqlScript(text, state, isLast: isLast)
            result = (script.read(), script.state, script.consumed)
        case .mysql:
            var script = MySQLScript(text, state, isLast: isLast)
            result = (script.read(), script.state, script.consumed)
        case .sqlite3:
            var script = SQLiteScript(text, state, isLast: isLast)
            result = (script.read(), script.state, script.consumed)
        case .redis:
            var script = RedisScript(text, isLast: isLast)
            result = (script.read(), state, script.consumed)
        }
        state = result.state
        var end = isLast ? text.count : result.consumed
        // The client reads lines: it shall have the whole of the last one where nothing more stands in it. Of rows they are whole.
        if !state.isInRows, let next = text[end...].firstIndex(where: { !$0.isBlank || $0 == 0x0a }), text[next] == 0x0a { end = next + 1 }
        if end > 0 { state.isAtLineStart = text[end - 1] == 0x0a }
        return (result.meaning, end)
    }
}

extension ScriptMeaning {
    /// `text`: what stands behind the command. Quotes that do not simply surround a name, escapes and variables are each client's own.
    mutating func include(_ text: [UInt8], relative: Bool = false, quotes: String, special: String) {
        let text = text.trimmed
        var name = text
        if let quote = text.first, quotes.utf8.contains(quote), text.count > 2, text.last == quote {
            name = Array(text[1..<text.count - 1])
        }
        let isPlain = name.allSatisfy { $0 > 0x1f && $0 != 0x7f && !special.utf8.contains($0) }
        if !isPlain || name.isEmpty || name.count > ScriptMeaning.longestName {
            name = []
            add([.sqlUnknown], "a script whose name is not known")
        }
        includes.append(Include(path: name, isRelativeToScript: relative))
    }
    /// Clients cut names that are longer than they have room for.
    private static let longestName = 500
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
                if c == open { quote = nil } else { word?.append(c) }
            } else if c == UInt8(ascii: "'") || c == UInt8(ascii: "\"") {
                quote = c
                word = word ?? []
            } else if c.isBlank {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = word ?? []
                word?.append(c)
            }
        }
        if let done = word { words.append(done) }
        return words
    }
}

/// Where lines end, for who goes forward in a text: of one long line the end is looked for once.
struct LineEnds {
    private var known: ClosedRange<Int>?

    mutating func line(of text: [UInt8], from start: Int) -> Range<Int> {
        if let known, known.contains(start) { return start..<known.upperBound }
        let line = text.line(from: start)
        known = line.lowerBound...line.upperBound
        return line
    }
}
