internal import SandboxModel
package import SandboxYAML

/// Every error found in the files of a catalogue.
package struct CatalogueFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package let diagnostics: [Diagnostic]
    package var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}

/// What programs mean by their arguments: data, read from files (docs/INTENTS.md).
package final class Catalogue: Sendable {
    /// Which of the programs that a command line starts count for its meaning.
    package enum Nested: Sendable {
        /// Those that nobody judges when they start: on another machine, in a container.
        case remote
        /// Those of this machine as well, for a command line that is not run.
        case all
        /// Those of this machine are listed instead (`CommandMeaning.starts`), to be judged one by one.
        case listed
    }

    package let examples: [CatalogueExample]
    /// The intents of each entry that has any, in the order of the files: `git push`.
    package let entries: [(name: String, file: String, meanings: [(intents: [String], when: String)])]
    private let names: NameTable<[Program]>
    private let globs: [(glob: ByteGlob, program: Program)]
    private let places: [(glob: ByteGlob, program: Program)]

    private let deferred: DeferredPrograms?

    struct Program: Sendable {
        let level: Level
        /// What earlier files say of the name does not count.
        var replaces = false
        /// What it does depends on the name that it is called by, after this: `git-`, or nothing for busybox.
        let multicall: [UInt8]?
        /// It comes with the system: what has its name elsewhere is another program. What it does is seen by its effects.
        var isSystem = false
    }

    /// In the order of the files: what a later one says of a program is added, unless it says `replace: true`.
    package static func load(_ files: [(name: String, text: [UInt8])]) throws(CatalogueFailure) -> Catalogue {
        var builder = CatalogueBuilder()
        for file in files { builder.read(file.text, file: file.name) }
        guard !builder.found.contains(where: { $0.severity == .error }) else { throw CatalogueFailure(diagnostics: builder.found) }
        return Catalogue(builder, nil)
    }

    /// The same meanings, but what the first files say of a program is read when it is asked for. They are known to be good; the
    /// others are read and checked now. `examples` and `entries` are those of the others alone.
    package static func load(
        deferring known: [(name: String, text: [UInt8])], _ others: [(name: String, text: [UInt8])]
    ) throws(CatalogueFailure) -> Catalogue {
        guard let deferred = DeferredPrograms(known) else { return try load(known + others) }
        var builder = CatalogueBuilder()
        for file in others { builder.read(file.text, file: file.name) }
        guard !builder.found.contains(where: { $0.severity == .error }) else { throw CatalogueFailure(diagnostics: builder.found) }
        return Catalogue(builder, deferred)
    }

    private init(_ builder: CatalogueBuilder, _ deferred: DeferredPrograms?) {
        self.deferred = deferred
        examples = builder.examples
        entries = builder.entries
        names = NameTable(builder.names.map { ($0.key, $0.value) })
        globs = builder.globs
        places = builder.places
    }

    /// What a program is told to do: `program` is the path of the file that runs, `arguments` what it is given, its name first.
    package func meaning(program: [UInt8], arguments: [[UInt8]], nested: Nested = .remote) -> CommandMeaning {
        let invoked = arguments.first.map { Self.base($0[...]) } ?? []
        var reading = Reading(catalogue: self, nested: nested, budget: 8 * arguments.count + 4096)
        reading.add(program[...], invoked: invoked, arguments, from: 1, to: arguments.count, inPlace: true)
        return reading.meaning
    }

    /// Reads what is known of the program, if that has not been asked for before.
    package func prepare(for program: [UInt8]) { _ = programs(named: Self.base(program[...])) }

    /// What a shell on another machine, or in a container, is told to do.
    package func meaning(elsewhere text: [UInt8]) -> CommandMeaning {
        var reading = Reading(catalogue: self, nested: .remote, budget: text.count + 4096)
        reading.readElsewhere(text)
        return reading.meaning
    }

    /// Where a system has its programs; a name alone is looked for there. Of a path from a folder that is not known the last folder tells.
    static func isSystemPlace(_ path: ArraySlice<UInt8>) -> Bool {
        guard let last = path.lastIndex(of: UInt8(ascii: "/")) else { return true }
        if path.first == UInt8(ascii: "/") { return systemPlaces.contains { path.starts(with: $0) } }
        let folder = base(path[..<last])
        return folder.elementsEqual("bin".utf8) || folder.elementsEqual("sbin".utf8)
    }
    private static let systemPlaces = [
        "/bin/", "/sbin/", "/usr/", "/lib/", "/lib64/", "/libexec/", "/opt/", "/snap/", "/nix/store/", "/gnu/store/",
        "/run/current-system/",
    ].map { Array($0.utf8) }

    /// What it reads from its standard input is shell text.
    package static func isShell(_ path: ArraySlice<UInt8>) -> Bool {
        ["sh", "bash", "dash", "zsh", "ksh", "ash"].contains { base(path).elementsEqual($0.utf8) }
    }

    /// The last component of a path. A login shell's name begins with a dash.
    static func base(_ path: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let name = path.lastIndex(of: UInt8(ascii: "/")).map { path[($0 + 1)...] } ?? path
        return name.first == UInt8(ascii: "-") ? name.dropFirst() : name
    }

    /// By where it lies, whatever its name: `/etc/init.d/mysql`. Nil: nothing is known of the place.
    func programs(at path: ArraySlice<UInt8>) -> [Program]? {
        guard path.first == UInt8(ascii: "/") else { return nil }
        for (glob, program) in places where glob.matches(path.span) { return [program] }
        return deferred?.programs(at: path)
    }

    /// By its name; `python3.11` and `python@3` are `python`; then by the patterns. Nil: what is known of it could not be read.
    func programs(named name: ArraySlice<UInt8>) -> [Program]? {
        for name in [name, Self.withoutVersion(name), Self.withoutRequest(name)] {
            guard let found = exactly(name) else { return nil }
            if !found.isEmpty { return found }
        }
        guard let found = deferred.map({ $0.programs(matching: name) }) ?? [] else { return nil }
        if !found.isEmpty { return found }
        for (glob, program) in globs where glob.matches(name.span) { return [program] }
        return []
    }

    private func exactly(_ name: ArraySlice<UInt8>) -> [Program]? {
        let own = names[name] ?? []
        guard let deferred, own.first?.replaces != true else { return own }
        return deferred.programs(named: name).map { $0 + own }
    }

    /// `prisma@latest`, as npx(1) and others are asked for one.
    private static func withoutRequest(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard let mark = name.lastIndex(of: UInt8(ascii: "@")), mark > name.startIndex else { return name }
        return name[..<mark]
    }

    private static func withoutVersion(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var end = name.endIndex
        while end > name.startIndex, (0x30...0x39).contains(name[end - 1]) || name[end - 1] == UInt8(ascii: ".") { end -= 1 }
        if end < name.endIndex, end > name.startIndex, name[end - 1] == UInt8(ascii: "-") { end -= 1 }
        return name[..<end]
    }
}

/// One command line, and those inside it.
private struct Reading {
    let catalogue: Catalogue
    let nested: Catalogue.Nested
    /// How many more arguments are looked at, those of nested command lines included.
    var budget: Int
    var meaning = CommandMeaning()
    private var depth = 0
    /// What is being read runs on another machine, or in a container.
    private var isElsewhere = false
    private static let maximumDepth = 32

    init(catalogue: Catalogue, nested: Catalogue.Nested, budget: Int) {
        self.catalogue = catalogue
        self.nested = nested
        self.budget = budget
    }

    /// `invoked` is the name that the program goes by, where that can be another than its file's.
    mutating func add(
        _ path: ArraySlice<UInt8>, invoked: ArraySlice<UInt8>, _ arguments: [[UInt8]], from start: Int, to end: Int, inPlace: Bool
    ) {
        budget -= max(end - start, 0) + 1
        guard budget >= 0, depth < Self.maximumDepth else {
            meaning.isComplete = false
            return
        }
        depth += 1
        defer { depth -= 1 }
        let name = Catalogue.base(path), isInstalled = Catalogue.isSystemPlace(path)
        let placed = catalogue.programs(at: path)
        guard var found = placed ?? catalogue.programs(named: name),
            let others = placed.map({ _ in [] }) ?? catalogue.programs(named: invoked)
        else {
            meaning.isComplete = false
            return
        }
        found.removeAll { $0.isSystem && !isInstalled }
        var command: [UInt8]?
        if let prefix = found.first?.multicall {
            if !prefix.isEmpty {
                let called = [name, invoked].first { $0.starts(with: prefix) && $0.count > prefix.count }
                command = called.map { Array($0.dropFirst(prefix.count)) }
            } else if prefix.isEmpty, invoked != name {
                if !others.isEmpty { found = others }
            }
        } else {
            // The name that a process claims can say more of it (a link to rustup, to a script), and hides nothing.
            for other in others where (isInstalled || !other.isSystem) && !found.contains(where: { $0.level === other.level }) {
                found.append(other)
            }
        }
        let from = max(start, 0)
        for program in found {
            Scan.readings(of: program.level, arguments, from: min(from, end), to: end, command: command) { add($0, inPlace: inPlace) }
        }
    }

    private mutating func add(_ scan: Scan, inPlace: Bool) {
        if scan.isHarmless { return }
        for level in scan.path {
            for means in level.means {
                guard let witness = scan.witness(means.condition) else { continue }
                for intent in means.intents where !meaning.intents.contains(intent) {
                    meaning.intents.insert(intent)
                    let because = witness.isEmpty ? level.name : level.name + " " + witness.joined(separator: " ")
                    meaning.evidence.append(.init(intent, entry: level.name, because: because))
                }
            }
        }
        for level in scan.path where level.hasPlaces {
            if let condition = level.runsInput, scan.holds(condition) {
                if isElsewhere { meaning.feedsShellElsewhere = true } else { meaning.runsInput = true }
            }
            if let condition = level.feedsShellElsewhere, scan.holds(condition) { meaning.feedsShellElsewhere = true }
            scan.addTarget(of: level, to: &meaning)
            if nested == .listed, !isElsewhere { scan.addTouches(of: level, to: &meaning) }
            scan.addStatements(of: level, to: &meaning, inPlace: inPlace, elsewhere: isElsewhere)
            for rule in level.nested where (rule.kind != .child || nested != .remote || isElsewhere) && scan.holds(rule.condition) {
                follow(rule, scan, inPlace: inPlace)
            }
        }
    }

    private mutating func follow(_ rule: NestedRule, _ scan: Scan, inPlace: Bool) {
        let wasElsewhere = isElsewhere, isListed = rule.kind == .child && nested == .listed && !isElsewhere
        if rule.kind == .remote { isElsewhere = true }
        defer { isElsewhere = wasElsewhere }
        for place in rule.places {
            // Of operands the first is the program, and all after it are its own.
            var starts: [(argument: Int, start: Int, end: Int)] = []
            scan.each([place]) { starts.append(($0, $1, $2)) }
            switch place {
            case .option, .setting, .assigned, .after: break
            default: starts = Array(starts.prefix(1)).map { ($0.argument, $0.start, scan.end) }
            }
            for (argument, start, end) in starts {
                let first = scan.arguments[argument][start...]
                switch rule.text {
                // Of a shell what follows is `$0`, `$1`…
                case .one: text(first, given: Array(scan.arguments[min(argument + 1, end)..<end]), isListed: isListed)
                case .inside(let language): for found in language.texts(in: first) { text(found[...], isListed: isListed) }
                case .joined:
                    let all = first + rest(scan, argument + 1, end)
                    text(all + Self.more(rule, all), isListed: isListed)
                case .alone:
                    let words = [Array(first)] + scan.operands.map { scan.arguments[$0] }
                    begin(words, isListed: isListed)
                case .entry:
                    let words = Self.words(first) + scan.operands.dropFirst().map { scan.arguments[$0] }
                    guard let program = words.first else { continue }
                    add(program[...], invoked: Catalogue.base(program[...]), words, from: 1, to: words.count, inPlace: false)
                case .command:
                    let words = scan.arguments[(scan.operands.first.map { $0 + 1 } ?? scan.end)..<scan.end]
                    let isShell = first.first == UInt8(ascii: "!")
                    let own = isShell ? first.dropFirst() : scan.path[0].name.prefix { $0 != " " }.utf8 + [UInt8(ascii: " ")] + first
                    text(own + words.flatMap { [UInt8(ascii: " ")] + Self.quoted($0) }, isListed: isListed)
                case .none where isListed || rule.isOpen:
                    let words = [Array(first)] + scan.arguments[min(argument + 1, end)..<end]
                    for words in rule.isOpen ? Self.opened(words) : [words] {
                        begin(words, isListed: isListed)
                    }
                case .none:
                    if rule.kind == .here, !isElsewhere { meaning.scripts.append(Array(first)) }
                    let name = Catalogue.base(first)
                    add(first, invoked: name, scan.arguments, from: argument + 1, to: end, inPlace: inPlace && rule.kind == .here)
                }
            }
        }
    }

    private mutating func begin(_ words: [[UInt8]], isListed: Bool) {
        if isListed { return meaning.starts.append(.init(words: words)) }
        add(words[0][...], invoked: Catalogue.base(words[0][...]), words, from: 1, to: words.count, inPlace: false)
    }

    /// It tells what the variables mean that shell text gives its commands.
    private static let env = Array("env".utf8)
    /// An argument that a program will be given, as xargs(1) and find(1) write it.
    private static let unknown = Array("{}".utf8)
    /// One word of shell text, whatever is in it.
    private static func quoted(_ word: [UInt8]) -> [UInt8] {
        let mark = UInt8(ascii: "'")
        return [mark] + word.flatMap { $0 == mark ? Array("'\\''".utf8) : [$0] } + [mark]
    }
    /// It may be started as it stands, and with one more argument, unless it says where that stands.
    private static func opened(_ words: [[UInt8]]) -> [[[UInt8]]] {
        let isPlaced = words.contains { $0.contains(UInt8(ascii: "{")) }
        return isPlaced ? [words] : [words, words + [unknown]]
    }
    private static func more(_ rule: NestedRule, _ text: some Sequence<UInt8>) -> [UInt8] {
        rule.isOpen && !text.contains(UInt8(ascii: "{")) ? [UInt8(ascii: " ")] + unknown : []
    }

    /// Of an entry point: shell text, or a list as in JSON.
    private static func words(_ text: ArraySlice<UInt8>) -> [[UInt8]] {
        guard text.first == UInt8(ascii: "[") else { return ShellText.read(text).commands.first?.words ?? [] }
        let parts = text.split(separator: UInt8(ascii: "\""), omittingEmptySubsequences: false)
        return stride(from: 1, to: parts.count, by: 2).map { Array(parts[$0]) }
    }

    /// ssh(1) and others join their arguments with blanks.
    private func rest(_ scan: Scan, _ from: Int, _ to: Int) -> [UInt8] {
        from < to ? scan.arguments[from..<to].flatMap { [UInt8(ascii: " ")] + $0 } : []
    }

    mutating func readElsewhere(_ text: [UInt8]) {
        isElsewhere = true
        self.text(text[...], isListed: false)
    }

    private mutating func text(_ text: ArraySlice<UInt8>, given arguments: [[UInt8]] = [], isListed: Bool) {
        guard depth < Self.maximumDepth else {
            meaning.isComplete = false
            return
        }
        depth += 1
        defer { depth -= 1 }
        let script = ShellText.read(text, given: arguments)
        if !script.variables.isEmpty {
            let words = [Self.env] + script.variables
            add(words[0][...], invoked: words[0][...], words, from: 1, to: words.count, inPlace: false)
        }
        if isListed { meaning.touches += script.touches }
        if isListed, !script.isComplete { meaning.unread.append(Array(text)) }
        for command in script.commands {
            if isListed {
                // What its words become is not known; what they are counts as it is written, as it does elsewhere.
                if command.isNamed { meaning.starts.append(.init(words: command.words, input: command.input, folder: command.folder)) }
            } else {
                let path = command.words[0][...]
                add(path, invoked: Catalogue.base(path), command.words, from: 1, to: command.words.count, inPlace: false)
                if case .text(let input) = command.input, Catalogue.isShell(path) { self.text(input[...], isListed: false) }
            }
        }
    }
}
