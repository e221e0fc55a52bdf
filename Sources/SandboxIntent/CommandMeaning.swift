package import SandboxModel

/// SQL that a command line hands to a client.
package struct StatementSource: Sendable, Hashable {
    package enum Place: Sendable, Hashable {
        /// The text itself is in the arguments.
        case text([UInt8])
        /// A file that the client reads; relative to the process's working directory.
        case file([UInt8])
        case standardInput
    }
    package var place: Place
    package var dialect: SQLDialect
    /// The argument that holds the text, so that it can be rewritten there; with the bytes of it before the text (`--command=`).
    package var argument: Int?
    package var prefix: Int
    /// The client runs on another machine, or in a container: its files are not ours.
    package var isElsewhere: Bool

    package init(_ place: Place, _ dialect: SQLDialect, argument: Int? = nil, prefix: Int = 0, isElsewhere: Bool = false) {
        self.isElsewhere = isElsewhere
        self.place = place
        self.dialect = dialect
        self.argument = argument
        self.prefix = prefix
    }
}

/// What a program does to a file that it is given by name.
package enum Touch: String, Sendable, CaseIterable {
    case read, write, delete
    /// Into it, where it is a directory; else it is written.
    case into
    /// Its mode, owner or times.
    case change
}

/// What a program that is about to run was told to do.
package struct CommandMeaning: Sendable, Hashable {
    package struct Evidence: Sendable, Hashable {
        package let intent: Intent
        /// The catalogue's entry, and the arguments that led there: `git push --force`.
        package let entry: String
        package let because: String
        package init(_ intent: Intent, entry: String, because: String) {
            self.intent = intent
            self.entry = entry
            self.because = because
        }
    }
    package struct Start: Sendable, Hashable {
        package let words: [[UInt8]]
        package var input = ShellText.Input.inherited
        /// Where, seen from where the shell begins.
        package var folder: [UInt8] = []
    }
    package var intents: IntentSet = []
    package var evidence: [Evidence] = []
    package var statements: [StatementSource] = []
    /// Where it is told to go, as written: `db.example.com`, with the port where one is given.
    package var hosts: [(name: String, port: UInt16?)] = []
    package var database: String?
    /// Programs of this machine that it starts by what its words say, where these were asked for (`Catalogue.Nested.listed`).
    package var starts: [Start] = []
    /// Files of this machine that its words name, and what it would do to them, where the programs that it starts are listed.
    package var touches: [(touch: Touch, path: [UInt8])] = []
    /// Of an interpreter: the files whose text it runs, and whether it runs what it reads from its standard input.
    package var scripts: [[UInt8]] = []
    package var runsInput = false
    /// A shell on another machine, or in a container, runs what it reads from its standard input.
    package var feedsShellElsewhere = false
    /// Shell text of which not everything can be told before it runs.
    package var unread: [[UInt8]] = []
    /// False: there was more in it than is ever looked at, so that something may be missing.
    package var isComplete = true

    package init() {}

    package static func == (a: CommandMeaning, b: CommandMeaning) -> Bool {
        a.intents == b.intents && a.evidence == b.evidence && a.statements == b.statements && a.database == b.database
            && a.isComplete == b.isComplete && a.starts == b.starts && a.unread == b.unread && a.scripts == b.scripts
            && a.runsInput == b.runsInput && a.hosts.elementsEqual(b.hosts) { $0 == $1 }
    }
    package func hash(into hasher: inout Hasher) {
        hasher.combine(intents)
        hasher.combine(evidence)
    }
}
