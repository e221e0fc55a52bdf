package import SandboxModel

/// What all of a script does, put together: it may be long, and this is not.
package struct ScriptSummary: Sendable {
    package private(set) var intents: IntentSet = []
    /// Each once.
    package private(set) var tables: [String] = []
    /// Databases that its statements name themselves, each once.
    package private(set) var databases: [String] = []
    /// Something is about the database that the connection is to.
    package private(set) var usesOwnDatabase = false
    /// What led to each intent first, for people.
    package private(set) var evidence: [(intent: Intent, because: String)] = []
    package private(set) var includes: [ScriptMeaning.Include] = []
    /// It goes on in another database; elsewhere: perhaps on another host.
    package private(set) var changesDatabase = false
    package private(set) var changesHost = false
    package private(set) var changesFolder = false
    /// It includes scripts of which nobody can tell the names.
    package private(set) var includesUnnamed = false
    /// Shell text that the client hands to a shell: the first few.
    package private(set) var programs: [[UInt8]] = []
    /// Commands for the catalogue (`ScriptMeaning.commands`), each kind once.
    package private(set) var commands: [[[UInt8]]] = []
    private var known: Set<String> = []
    private var kinds: Set<[[UInt8]]> = []
    private static let most = 10_000, mostPrograms = 16, mostDatabases = 100

    package init() {}

    package mutating func add(_ meaning: ScriptMeaning) {
        for statement in meaning.statements { add(statement) }
        add(meaning.intents, meaning.reasons)
        let named = meaning.includes.filter { !$0.path.isEmpty }
        if named.count < meaning.includes.count { includesUnnamed = true }
        if includes.count + named.count <= Self.most { includes += named } else { tooMuch() }
        changesFolder = changesFolder || meaning.changesFolder
        programs += meaning.programs.prefix(Self.mostPrograms - programs.count)
        for words in meaning.commands { add(command: words) }
        for words in meaning.connections {
            changesDatabase = true
            if words.utf8.contains(where: { $0 == 0x20 || $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ":") }) { changesHost = true }
        }
    }

    package mutating func add(_ statement: Statement) {
        add(statement.intents, statement.reasons)
        usesOwnDatabase = usesOwnDatabase || statement.usesOwnDatabase
        for database in statement.databases where !databases.contains(database) {
            if databases.count < Self.mostDatabases { databases.append(database) } else { tooMuch() }
        }
        for table in statement.tables where known.insert(table).inserted {
            if tables.count < Self.most { tables.append(table) } else { tooMuch() }
        }
    }

    /// What a command means its first words say: `SET key value` is the same whatever is set, `CONFIG SET` and `CONFIG GET` are not, nor
    /// are two texts of EVAL.
    private mutating func add(command words: [[UInt8]]) {
        func lower(_ word: [UInt8]) -> [UInt8] { word.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 } }
        let name = lower(words[0]), second = words.count > 1 ? words[1] : []
        let isTold =
            name.starts(with: "eval".utf8) || second.count <= 24 && second.allSatisfy { (0x61...0x7a).contains($0 | 0x20) || $0 == 0x2d }
        guard kinds.insert([name, isTold ? lower(second) : []]).inserted else { return }
        if commands.count < Self.most {
            commands.append(words)
        } else {
            add([.kvFlush, .kvDelete, .kvAdmin], ["more than \(Self.most) commands"])
        }
    }

    private mutating func tooMuch() {
        includesUnnamed = true
        add([.sqlUnknown], ["more than \(Self.most) tables, databases or scripts"])
    }

    private mutating func add(_ more: IntentSet, _ reasons: [String]) {
        guard !more.isSubset(of: intents) else { return }
        for (i, intent) in more.elements.enumerated() where !intents.contains(intent) {
            evidence.append((intent, i < reasons.count ? reasons[i] : reasons.last ?? "SQL"))
        }
        intents.formUnion(more)
    }

    /// Of a text that is all there: as its client takes it, or (`client` nil) as its server does.
    package static func of(_ text: [UInt8], _ dialect: SQLDialect, client: SQLClient?) -> ScriptSummary {
        var summary = ScriptSummary()
        if let client {
            var reader = ScriptReader(client)
            summary.add(reader.take(text, isLast: true).meaning)
        } else {
            for statement in SQL.read(text, dialect: dialect) { summary.add(statement) }
        }
        return summary
    }
}
