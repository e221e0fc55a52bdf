internal import Glibc
internal import SandboxIntent
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy
internal import Synchronization

/// A program that takes SQL, from its start to its end.
final class Client: @unchecked Sendable {
    // @unchecked: everything mutable is only touched under `state`.
    let caller: Caller
    let program: [UInt8]
    let arguments: [[UInt8]]
    let dialect: SQLDialect
    /// What its command line says, without what any SQL does.
    let facts: Facts
    private struct State {
        /// Scripts that it is going to open, by their plain names, with what was judged already.
        var scripts: [[UInt8]: Intake?] = [:]
        /// It may open others.
        var expectsAnything: Bool
        /// What a rule has made of them.
        var texts: [[UInt8]: [UInt8]] = [:]
        /// Its standard input is a copy of a file, of which it has read as far as this descriptor (ours) says.
        var reading: (intake: Intake, descriptor: Int32)?
        var input: Intake?
        var feed: Feed?
    }
    private let state: Mutex<State>

    init(_ caller: Caller, _ reading: CommandReader.Reading, _ dialect: SQLDialect) {
        self.caller = caller
        state = Mutex(State(expectsAnything: reading.hasUnnamedScripts))
        program = reading.facts.program ?? []
        arguments = reading.facts.arguments ?? []
        self.dialect = dialect
        var facts = reading.facts
        facts.operation = .query
        facts.intents = []
        facts.tables = []
        facts.unknown.subtract([.table, .intents])
        self.facts = facts
    }

    deinit { state.withLock { if let reading = $0.reading { close(reading.descriptor) } } }

    // MARK: Scripts

    func expects(_ script: [UInt8], _ intake: Intake? = nil, as text: [UInt8]? = nil) {
        let name = Client.plain(script)
        state.withLock { state in
            // Nobody keeps more names than that.
            guard state.scripts.count < 10_000 else { return state.expectsAnything = true }
            if state.scripts[name].flatMap({ $0 }) == nil { state.scripts[name] = .some(intake) }
            if let text { state.texts[name] = text }
        }
    }

    /// Scripts of which nobody can tell the names.
    func expectsAnything() { state.withLock { $0.expectsAnything = true } }

    struct Expected {
        let name: [UInt8]
        let intake: Intake?
        let text: [UInt8]?
    }

    /// By the name that the client gives, and by the object: one of them is right, whoever changes names meanwhile.
    func expected(_ work: FileWork) -> Expected? {
        let name = Client.plain(work.first.givenText)
        return state.withLock { state in
            if let intake = state.scripts[name] { return Expected(name: name, intake: intake, text: state.texts[name]) }
            // psql looks for one of its own version first: `.psqlrc-15.4`.
            if state.scripts.keys.contains(where: { name.starts(with: $0 + [UInt8(ascii: "-")]) }) {
                return Expected(name: name, intake: nil, text: nil)
            }
            for (name, intake) in state.scripts {
                guard let source = intake?.source, source.inode == work.first.inode, source.device == work.first.device else { continue }
                return Expected(name: name, intake: intake, text: state.texts[name])
            }
            return state.expectsAnything && !Client.isSystems(Array(work.first.path.text))
                ? Expected(name: name, intake: nil, text: nil) : nil
        }
    }

    /// Libraries, settings, the kernel's own: what every program opens.
    private static func isSystems(_ path: [UInt8]) -> Bool {
        ["/usr/", "/lib", "/etc/", "/proc/", "/sys/", "/dev/"].contains { path.starts(with: $0.utf8) }
    }

    /// Without `.`, `..` and needless slashes, as far as text can tell: clients tidy up names in their own ways.
    static func plain(_ path: [UInt8]) -> [UInt8] {
        var names: [ArraySlice<UInt8>] = []
        for name in path.split(separator: 0x2f) where !name.elementsEqual(".".utf8) {
            if name.elementsEqual("..".utf8), let last = names.last, !last.elementsEqual("..".utf8) {
                names.removeLast()
            } else {
                names.append(name)
            }
        }
        return Array((path.first == 0x2f ? [0x2f] : []) + names.joined(separator: [0x2f]))
    }

    /// What was judged of a script that is still as it was.
    func unchanged(_ script: [UInt8], _ source: InputSource, _ dialect: SQLDialect) -> Intake? {
        guard dialect == self.dialect, let intake = state.withLock({ $0.scripts[Client.plain(script)] }).flatMap({ $0 }),
            intake.isWhole, let version = intake.version, source.version == version
        else { return nil }
        return intake
    }

    // MARK: Standard input

    /// `descriptor`: of the same open file as the client's.
    func reads(_ intake: Intake, _ descriptor: Int32) {
        state.withLock { state in
            state.input = intake
            if intake.source.isFile { state.reading = (intake, fcntl(descriptor, F_DUPFD_CLOEXEC, 0)) }
        }
    }

    /// What it was given as its standard input, if it has left all of it to the program that comes after it.
    func untouched(_ source: InputSource, _ dialect: SQLDialect) -> Intake? {
        guard dialect == self.dialect, let input = state.withLock({ $0.input }), input.isCopied(in: source) else { return nil }
        return input
    }

    func isFed(by feed: Feed) { state.withLock { $0.feed = feed } }

    /// It has ended: what it has not read of a file is there for those that share it.
    func settle() {
        state.withLock { state in
            if let (intake, descriptor) = state.reading {
                let position = lseek(descriptor, 0, SEEK_CUR)
                intake.source.settle(position < 0 ? intake.size : position)
                close(descriptor)
            }
            state.feed?.settle()
            (state.reading, state.feed) = (nil, nil)
        }
    }
}

/// Those that run now, by their process ids.
final class Clients: Sendable {
    private let all = Mutex<[Int32: Client]>([:])
    private let count = Atomic<Int>(0)

    /// For a quick no.
    var areNone: Bool { count.load(ordering: .acquiring) == 0 }

    func of(_ caller: Caller) -> Client? {
        if areNone { return nil }
        return all.withLock { $0[caller.pid] }.flatMap { $0.caller.serial == caller.serial ? $0 : nil }
    }

    func add(_ client: Client) {
        all.withLock { all in
            all[client.caller.pid] = client
            count.store(all.count, ordering: .releasing)
        }
    }

    /// It ends, or becomes another program. Before anybody is told.
    func remove(_ pid: Int32) {
        if areNone { return }
        let client = all.withLock { all in
            defer { count.store(all.count, ordering: .releasing) }
            return all.removeValue(forKey: pid)
        }
        client?.settle()
    }
}
