internal import SandboxModel
package import SandboxYAML

/// How a program reads its arguments, where that is not getopt's way.
struct Style: OptionSet {
    let rawValue: UInt16
    /// The beginning of a long option suffices where no other begins so.
    static let abbreviations = Style(rawValue: 1)
    /// `--no-force` takes `--force` back.
    static let negations = Style(rawValue: 2)
    /// One dash begins a long option: `-auto-approve`, find's `-delete`.
    static let singleDash = Style(rawValue: 4)
    /// The options before the subcommand are not known after it.
    static let ownOptions = Style(rawValue: 8)
    /// `NAME=value` before the first operand is none.
    static let assignments = Style(rawValue: 16)
    /// The first argument is a bundle without its dash: `tar xzf`.
    static let bundleFirst = Style(rawValue: 32)
    static let ignoreCase = Style(rawValue: 64)
    /// `--skip_lock` is `--skip-lock`.
    static let underscores = Style(rawValue: 128)
    /// What patterns are compared with may be in upper or lower case: git's settings.
    static let anyCase = Style(rawValue: 256)
    /// `+x` before the first operand takes an option back: sh(1).
    static let plusOptions = Style(rawValue: 512)

    static let names: [(String, Style)] = [
        ("abbreviations", .abbreviations), ("negations", .negations), ("single-dash", .singleDash), ("own-options", .ownOptions),
        ("assignments", .assignments), ("bundle-first", .bundleFirst), ("ignore-case", .ignoreCase), ("underscores", .underscores),
        ("any-case", .anyCase), ("plus-options", .plusOptions),
    ]
}

struct Option: Sendable {
    enum Argument: Sendable {
        case none
        case required
        /// Only in the same argument: `--color=always`, `-pSECRET`.
        case attached
        /// Required, and no option comes after it: `python -m`.
        case last
        /// All up to `;`, or to `{} +`: find's `-exec`.
        case command
        /// So many arguments, never in the same one: bwrap's `--bind`.
        case several(Int)
    }
    /// One number for all of its names, counted along the path of subcommands.
    let id: Int
    let argument: Argument
    /// As long as options of one path are counted in a set.
    static let maximumCount = 256
}

/// Shared by all levels that know the same options.
final class OptionTable: Sendable {
    let names: NameTable<Option>
    /// `-x` by its byte.
    let short: [Option?]

    init(_ entries: [(name: [UInt8], value: Option)]) {
        names = NameTable(entries)
        var short = [Option?](repeating: nil, count: 128)
        for (name, option) in entries where name.count == 2 && name[1] < 128 { short[Int(name[1])] = option }
        self.short = short
    }
}

/// Where in a command line something stands.
indirect enum Place: Sendable {
    case option(Int)
    /// Of an option's value that matches, what comes after its first `=` or blank: `-c alias.x=…`.
    case setting(Int, ByteGlob, isAnyCase: Bool)
    /// The operand of that number, from 1.
    case operand(Int)
    case operandsFrom(Int)
    case last
    case afterDashes
    /// What is assigned to a variable before the first operand: `env PAGER=…`.
    case assigned(ByteGlob)
    /// Of what stands there and begins so, in any case, the rest: vim's `-c '!…'`.
    case after(Place, [UInt8])
}

/// One word of a condition.
struct Test: Sendable {
    enum Kind: Sendable {
        case option(Int)
        case value(Int, ByteGlob)
        case anyOperand(ByteGlob)
        case operand(Int, ByteGlob)
        case lastOperand(ByteGlob)
        /// It is on another machine, as rsync(1) writes that.
        case remoteOperand(Int)
        case remoteLast
        case operandCount(Int)
        /// There is one after `--`.
        case afterDashes
        /// A variable of such a name is assigned.
        case assigned(ByteGlob)
    }
    let kind: Kind
    let text: String
    let isAnyCase: Bool
}

/// One of `lines` must hold; a line holds where each of its clauses does; a clause where one of its tests does, or none.
struct Criterion: Sendable {
    struct Clause: Sendable {
        let isNegated: Bool
        let tests: [Test]
        /// The options that the tests ask for: where none of them was seen, no test of these holds.
        let options: OptionBits
        let asksOnlyForOptions: Bool

        init(isNegated: Bool, tests: [Test]) {
            self.isNegated = isNegated
            self.tests = tests
            var options = OptionBits()
            var others = 0
            for test in tests {
                switch test.kind {
                case .option(let id), .value(let id, _): options.insert(id)
                default: others += 1
                }
            }
            self.options = options
            asksOnlyForOptions = others == 0
        }
    }
    var lines: [[Clause]]
}

struct Meaning: Sendable {
    let intents: [Intent]
    let condition: Criterion
}

struct StatementRule: Sendable {
    let dialect: SQLDialect
    var text: [Place] = []
    var file: [Place] = []
    var standardInput: Criterion?
}

/// A program that this one becomes or starts.
struct NestedRule: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        /// The same process: a script that it interprets, an applet.
        case here
        /// A process of this session, which is judged when it starts.
        case child
        /// Where nobody judges it: another machine, a container.
        case remote
    }
    let kind: Kind
    enum Text: Sendable {
        case none
        /// Shell text in one argument.
        case one
        /// Text of another language, and the shell text in it.
        case inside(CommandsInside)
        /// Shell text, with all arguments that follow.
        case joined
        /// A program's name, and all operands are its arguments: start-stop-daemon(8).
        case alone
        /// The words that begin another command line, which the operands from the second on end: a container's entry point.
        case entry
        /// A subcommand of the program itself with its arguments, as shell text, and what follows the first operand: git's aliases.
        case command
    }
    let text: Text
    /// It is given further arguments, which nobody knows yet: xargs(1).
    let isOpen: Bool
    let places: [Place]
    let condition: Criterion
}

/// What is done to files that the words name.
struct TouchRule: Sendable {
    let touch: Touch
    let places: [Place]
    let condition: Criterion
}

enum HostShape: String, Sendable, CaseIterable { case host, url, remote, conninfo }

/// A program or one of its subcommands.
final class Level: Sendable {
    /// `git push`.
    let name: String
    let style: Style
    /// After so many words that are no options, none is an option.
    let stop: Int?
    let options: OptionTable
    let commands: NameTable<Command>
    let globs: [(glob: ByteGlob, command: Command)]
    /// What the program does where no subcommand is given.
    let bare: Level?
    let harmless: Criterion.Clause
    let means: [Meaning]
    /// There is something in the lists that follow.
    let hasPlaces: Bool
    let hosts: [(shape: HostShape, places: [Place])]
    let ports: [Place]
    let databases: [Place]
    let statements: [StatementRule]
    let nested: [NestedRule]
    /// A program stands among the operands, and its own options after it.
    let startsOperand: Bool
    /// Of a dry run alone: what really runs is judged at each call.
    let files: [TouchRule]
    /// When it runs what its standard input says.
    let runsInput: Criterion?
    /// When a shell elsewhere does.
    let feedsShellElsewhere: Criterion?

    enum Command: Sendable {
        case level(Level)
        /// The word is passed over, and the next one looked up at the same level: `gcloud compute instances delete`.
        case again
    }

    init(_ draft: LevelDraft) {
        name = draft.name
        style = draft.style
        stop = draft.stop
        options = draft.options
        commands = NameTable(draft.commands)
        globs = draft.globs
        bare = draft.bare
        harmless = Criterion.Clause(isNegated: true, tests: draft.harmless)
        means = draft.means
        hasPlaces =
            !(draft.hosts.isEmpty && draft.databases.isEmpty && draft.statements.isEmpty && draft.nested.isEmpty && draft.files.isEmpty)
        hosts = draft.hosts
        ports = draft.ports
        databases = draft.databases
        statements = draft.statements
        nested = draft.nested
        startsOperand =
            stop != nil
            && nested.contains { rule in
                rule.kind != .here && rule.places.contains { if case .operand = $0 { true } else { false } }
            }
        files = draft.files
        runsInput = draft.runsInput
        feedsShellElsewhere = draft.feedsShellElsewhere
    }

    func command(like word: ArraySlice<UInt8>) -> Command? {
        for (glob, command) in globs where glob.matches(word.span) { return command }
        return nil
    }

    var hasCommands: Bool { commands.count > 0 || !globs.isEmpty }
}

/// A level while it is read.
struct LevelDraft {
    var name: String
    var style: Style = []
    var stop: Int?
    var options = OptionTable([])
    var optionCount = 0
    var commands: [(name: [UInt8], value: Level.Command)] = []
    var globs: [(glob: ByteGlob, command: Level.Command)] = []
    var bare: Level?
    var harmless: [Test] = []
    var means: [Meaning] = []
    var hosts: [(shape: HostShape, places: [Place])] = []
    var ports: [Place] = []
    var databases: [Place] = []
    var statements: [StatementRule] = []
    var nested: [NestedRule] = []
    var files: [TouchRule] = []
    var runsInput: Criterion?
    var feedsShellElsewhere: Criterion?
}

/// A command line of the catalogue, and what it is to mean.
package struct CatalogueExample: Sendable {
    package let line: String
    /// `git.push git.force_push host=example.com`, or `none`.
    package let expected: String
    package let program: String
    package let file: String
    package let position: Position
}
