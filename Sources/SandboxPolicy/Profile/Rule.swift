package import SandboxModel
package import SandboxYAML

/// One of `rules`, as it was written and found to make sense.
package struct Rule: Hashable, Sendable {
    package var name: String
    /// All of them where the rule names none.
    package var intents: IntentSet
    package var conditions: [Condition]
    package var count: CountCondition?
    package var decision: Decision
    package var reason: String?
    package var ask: AskTerms?
    package var rewrite: RewriteTerms?
    package var origin: Origin
    /// All but its name, on one line of YAML.
    package var text: String

    package var asksWhatIsCarried: Bool { conditions.contains { $0.key == .carries } }

    /// Those that it denies to start whoever starts them and however: it is a line of `exec.deny` then.
    var programsNeverStarted: [ProgramPattern] {
        guard decision == .deny, count == nil, conditions.count == 1, intents.contains(.procExec), conditions[0].key == .program,
            !conditions[0].isNegated, case .programs(let programs) = conditions[0].test
        else { return [] }
        return programs
    }
}

/// What a condition asks about, by its name in a profile.
package enum ConditionKey: String, Sendable, CaseIterable {
    case program, path, path_to, args, host, port, database, table, identity, role, group, subagent, purpose, carries
    case mode, since_exec_of, parent, terminal, time_of_day

    static let counting = ["count", "within", "per"]
    static var names: [String] { allCases.map(\.rawValue) }

    /// One operation has at most one of these, so that a value and its negation exclude each other.
    var isSingle: Bool {
        switch self {
        case .program, .path, .path_to, .database, .identity, .purpose, .mode, .parent, .terminal, .time_of_day: true
        case .args, .host, .port, .table, .role, .group, .subagent, .carries, .since_exec_of: false
        }
    }

    /// Everybody may give himself the name of a sub-agent: to be none, or another, must take nothing off him.
    var isNegatable: Bool { self != .subagent }
    /// As they stand in a profile.
    static var written: [String] { allCases.flatMap { $0.isNegatable ? [$0.rawValue, $0.rawValue + "_not"] : [$0.rawValue] } }
}

/// One line of `when`; of its values one must fit.
package struct Condition: Hashable, Sendable {
    package enum Test: Hashable, Sendable {
        case paths([PathPattern])
        case programs([ProgramPattern])
        case texts([Glob])
        case tables([TablePattern])
        case targets([NetworkTarget])
        case ports([ClosedRange<UInt16>])
        case classes([String])
        case modes([Mode])
        case flags([Bool])
        case times([DaySpan])
    }
    package var key: ConditionKey
    package var isNegated: Bool
    package var test: Test
    /// As written, for `explain`.
    package var text: String
    package var position: Position
    package var name: String { key.rawValue + (isNegated ? "_not" : "") }
}

/// `count: "> 50", within: 10s, per: subtree`: met by the operation that makes it `threshold` of them.
package struct CountCondition: Hashable, Sendable {
    /// What is counted together: all that the session does; what each process that its first one started does, with all of that
    /// one's descendants; what is done in each folder.
    package enum Scope: String, Sendable, CaseIterable { case session, subtree, folder }
    package var scope = Scope.session
    package var threshold: Int
    /// Nanoseconds; nil: since the session began.
    package var within: UInt64?
    package var text: String
    /// What is remembered for it grows with it.
    static let most: UInt64 = 100_000
}

/// Hours of a day in seconds since midnight, UTC; over midnight where it ends before it begins.
package struct DaySpan: Hashable, Sendable {
    package var start: UInt32
    package var end: UInt32
    func contains(_ second: UInt32) -> Bool {
        start < end ? (start..<end).contains(second) : second >= start || second < end
    }
}

/// What `rewrite` makes of a command line.
package struct RewriteTerms: Hashable, Sendable {
    package struct Insertion: Hashable, Sendable {
        /// Nil: right after the program's name.
        package var after: [UInt8]?
        package var arguments: [[UInt8]]
    }
    package struct Replacement: Hashable, Sendable {
        package var old: [UInt8]
        package var new: [UInt8]
    }
    package var replace: [Replacement] = []
    package var remove: [Glob] = []
    package var insert: Insertion?
    package var append: [[UInt8]] = []
    package var program: [UInt8]?
    package var set: [EnvironmentVariable] = []
    package var sql: SQLChange?
}

/// One of `data`: what carries this label.
package struct DataClass: Hashable, Sendable {
    package var name: String
    package var files: [Entry<[PathPattern]>]
    package var tables: [Entry<TablePattern>]
    package var content: [ContentTerms] = []
    /// Each is a bit of a word.
    static let most = 64
}

/// Where files are looked into, and how many of which kind make them belong to a class.
package struct ContentTerms: Hashable, Sendable {
    package var folders: [Entry<[PathPattern]>]
    package var counts: [ContentKind: UInt64]
}

/// A program whose output does not carry what it has read.
package struct Release: Hashable, Sendable {
    package var program: Entry<[PathPattern]>
    package var classes: [String]
    /// Of the program's file, as hexadecimal digits in lower case.
    package var sha256: String?
}

/// One of `tests`.
package struct ProfileTest: Hashable, Sendable {
    package enum Subject: Hashable, Sendable {
        case run([String])
        case read(String), write(String), delete(String)
        case connect(String)
        case sql(String, dialect: String)
    }
    package var subject: Subject
    package var expect: Decision?
    package var to: [String]?
    /// All of these must be among what it means; and none of those.
    package var intents: IntentSet
    package var intentsNot: IntentSet
    /// The rule that must decide.
    package var rule: String?
    package var identity: String?
    package var groups: [String]
    package var roles: [String]
    package var subagent: String?
    package var purpose: String?
    package var carries: [String]
    /// As often it is done; the last time counts.
    package var times: Int
    package var origin: Origin
    package var text: String
}
