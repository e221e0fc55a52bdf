package import SandboxModel

/// What is known about one operation, for the rules. A fact that is nil (or empty) does not apply: no condition on it matches,
/// and its `_not` holds. A fact in `unknown` applies, but could not be found out: a rule that asks for it denies.
package struct Facts: Sendable {
    /// One place to which the operation goes, by every name that `sandbox` itself resolved for it, in lower case.
    package struct Destination: Sendable, Hashable {
        package var names: [String]
        package var address: IPAddress?
        package var port: UInt16?
        package init(names: [String] = [], address: IPAddress? = nil, port: UInt16? = nil) {
            self.names = names
            self.address = address
            self.port = port
        }
    }

    package var operation: Operation
    package var access: FileAccess = []
    package var intents: IntentSet
    /// The file that runs, or that is about to: resolved.
    package var program: [UInt8]?
    /// How it was asked for: `/usr/bin/rm` where that leads to busybox.
    package var invoked: [UInt8]?
    /// The session itself wrote that file, so that its bare name says nothing.
    package var isWritten = false
    /// Of an interpreter: the files whose text it runs, and whether it runs what it reads from its standard input.
    package var scripts: [[UInt8]] = []
    package var runsInput = false
    /// With the program's name as the first.
    package var arguments: [[UInt8]]?
    /// Resolved. Of a program start they do not apply: what the program does to files is judged when it does it.
    package var path: [UInt8]?
    package var pathTo: [UInt8]?
    /// It moves a folder with all that is in it: what rules say of places below counts, too.
    package var movesFolder = false
    package var destinations: [Destination] = []
    /// Of what goes to a name service: whoever answers for the name that it asks for hears of it, wherever he is.
    package enum Question: Sendable, Hashable {
        case name(String)
        /// It may ask for anything.
        case unseen
    }
    package var question: Question?
    /// That a connection is to, as far as anybody said.
    package var database: String?
    /// That statements name themselves; what they are about besides is in `database`.
    package var namedDatabases: [String] = []
    package var usesOwnDatabase = false
    /// Those that may be acted on; nil for one that nobody named. `isSure`: those alone that are.
    package func databases(isSure: Bool) -> [String?] {
        isSure && !namedDatabases.isEmpty && !usesOwnDatabase ? namedDatabases : namedDatabases + [database]
    }
    package var tables: [String] = []
    package var identity: String?
    package var roles: [String] = []
    package var groups: [String] = []
    /// As which sub-agent the process runs, with all that it is nested in: `planner/coder`.
    package var subagent: [UInt8]?
    package var purpose: String?
    /// What the process may have taken in, as bits: the indices of `Policy.dataClasses`. What the file or the tables at hand
    /// belong to is added by the policy.
    package var carries: UInt64 = 0
    /// The program of the parent process, and all programs that this process and its ancestors have run: resolved.
    package var parent: [UInt8]?
    package var lineage: [[UInt8]] = []
    package var terminal = false
    package var mode = Mode.enforce
    /// Seconds since midnight, UTC.
    package var timeOfDay: UInt32 = 0
    /// Nanoseconds of a clock that never goes back, for `within`.
    package var time: UInt64 = 0
    /// The process that the session's first one started and from which this one descends, for `per: subtree`; 0: the first itself.
    package var subtree: UInt64 = 0
    package var unknown: Set = []

    package init(_ operation: Operation, intents: IntentSet, access: FileAccess = []) {
        self.operation = operation
        self.intents = intents
        self.access = access
    }

    /// Facts that can be unknown.
    package struct Set: OptionSet, Sendable, Hashable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let intents = Set(rawValue: 1 << 0)
        package static let program = Set(rawValue: 1 << 1)
        package static let arguments = Set(rawValue: 1 << 2)
        package static let path = Set(rawValue: 1 << 3)
        package static let pathTo = Set(rawValue: 1 << 4)
        package static let host = Set(rawValue: 1 << 5)
        package static let port = Set(rawValue: 1 << 6)
        package static let database = Set(rawValue: 1 << 7)
        package static let table = Set(rawValue: 1 << 8)
        package static let identity = Set(rawValue: 1 << 9)
        package static let carries = Set(rawValue: 1 << 10)
        package static let parent = Set(rawValue: 1 << 11)
        package static let lineage = Set(rawValue: 1 << 12)
        package static let subagent = Set(rawValue: 1 << 13)
    }
}
