internal import Glibc
internal import SandboxIntent
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy
internal import Synchronization

/// The SQL that a program which stands at its start will take from elsewhere than its arguments: read on a thread of its own, while
/// everybody else goes on.
final class Gathering: @unchecked Sendable {
    // @unchecked: `found` is filled by the thread and read by the tracer once `isDone`; the rest is constant.
    private enum Found {
        case intake(Intake)
        case nothing, unknown
    }
    private let supervision: Supervision
    private let caller: Caller
    private let views: [ProgramView]
    /// What the process ran before: a script that prepares things for a client has had its input.
    private let former: Client?
    private var found: [StatementSource.Place: Found] = [:]
    private let isOver = Atomic<Bool>(false)
    private let done = Atomic<Bool>(false)
    var isDone: Bool { done.load(ordering: .acquiring) }
    private let taken = Atomic<Bool>(false)
    /// Why what a client reads cannot be told.
    private(set) var failure: String?
    private static let running = Atomic<Int>(0)
    private static let most = 256

    init(_ supervision: Supervision, _ views: [ProgramView], _ caller: Caller, after former: Client?) {
        self.supervision = supervision
        self.former = former
        self.views = views
        self.caller = caller
    }

    /// The tracer is asked to `decide` when all is read. False where there is no thread for it.
    func begin() -> Bool {
        guard Gathering.running.add(1, ordering: .relaxed).newValue <= Gathering.most else {
            Gathering.running.subtract(1, ordering: .relaxed)
            return false
        }
        let error = WorkerThread.start("sbx-input", stack: Feed.stack) { [self] in
            run()
            done.store(true, ordering: .releasing)
            Gathering.running.subtract(1, ordering: .relaxed)
            let tracer = supervision.context.tracer
            tracer.decide(caller.pid)
            // A signal that comes just before the tracer sleeps wakes nobody.
            while !taken.load(ordering: .acquiring), !isOver.load(ordering: .acquiring) {
                usleep(2_000)
                tracer.nudge()
            }
        }
        if error != 0 { Gathering.running.subtract(1, ordering: .relaxed) }
        return error == 0
    }

    /// The tracer goes on with it.
    func take() { taken.store(true, ordering: .releasing) }

    /// Nobody waits for it any more.
    func cancel() { isOver.store(true, ordering: .releasing) }

    /// Clients look there, too, when HOME is not set.
    private(set) var accountHome: [UInt8] = []
    private static let accounts = Mutex<[UInt32: [UInt8]]>([:])

    private func findHome() {
        var process = stat()
        guard stat("/proc/\(caller.pid)", &process) == 0 else { return }
        accountHome = Gathering.accounts.withLock { known in
            if let home = known[process.st_uid] { return home }
            let home = Person.home(of: process.st_uid).map { Array($0.utf8) } ?? []
            known[process.st_uid] = home
            return home
        }
    }

    private func run() {
        findHome()
        let finder = ScriptFinder(supervision.context)
        for view in views where view.takesSQL {
            let command = view.command(of: caller, opensAreJudged: supervision.enforces) { [self] source in
                let known = found[source.place] ?? fetch(source, finder)
                found[source.place] = known
                return input(of: known, for: source)
            }
            _ = supervision.commands.reader.read(command)
        }
    }

    /// What was found, for the judge.
    func input(_ source: StatementSource) -> CommandReader.Input {
        if let known = found[source.place] { return input(of: known, for: source) }
        // A rule has named another script.
        if case .file = source.place, supervision.enforces { return .nothing }
        return .unknown
    }

    private func input(of found: Found, for source: StatementSource) -> CommandReader.Input {
        switch found {
        case .intake(let intake): .read(intake.summary, text: intake.text)
        case .nothing: .nothing
        case .unknown: .unknown
        }
    }

    func intake(_ place: StatementSource.Place) -> Intake? {
        if case .intake(let intake)? = found[place] { intake } else { nil }
    }

    private func fetch(_ source: StatementSource, _ finder: ScriptFinder) -> Found {
        let enforces = supervision.enforces
        do throws(Errno) {
            let input: InputSource
            switch source.place {
            case .text: return .unknown
            case .file(let name):
                // One that is not there, or no file: it is judged when the client opens it.
                do throws(Errno) { input = try finder.find(name, for: caller) } catch { return enforces ? .nothing : .unknown }
                if let known = former?.unchanged(name, input, source.dialect) { return .intake(known) }
            case .standardInput:
                guard let stream = try InputSource.standardInput(of: caller) else { return .nothing }
                // Nothing is put in its place there, and so nothing may be taken.
                if !stream.isFile, !enforces { return .intake(try looked(at: stream, source.dialect)) }
                if let known = former?.untouched(stream, source.dialect) { return .intake(known) }
                input = stream
            }
            let intake = try Intake(input, SQLClient(source.dialect), supervision.waits)
            try intake.run(patiently: former == nil) { isOver.load(ordering: .acquiring) }
            return intake.isWhole || enforces ? .intake(intake) : .unknown
        } catch {
            if source.place == .standardInput, error.code != EOPNOTSUPP { failure = errorText(error.code) }
            return .unknown
        }
    }
}

extension Gathering {
    /// What stands in a pipe and stays there.
    private func looked(at stream: InputSource, _ dialect: SQLDialect) throws(Errno) -> Intake {
        let held = try stream.peek(silence: former == nil ? 500 : 0, patience: 5_000) { isOver.load(ordering: .acquiring) }
        guard let held, let copy = try InputSource(taking: SealedCopy(of: held).reader()) else { throw Errno(EOPNOTSUPP) }
        let intake = try Intake(copy, SQLClient(dialect), supervision.waits)
        try intake.run(patiently: false) { isOver.load(ordering: .acquiring) }
        return intake
    }
}

extension ProgramView {
    /// Then more than what its arguments say could matter: clients read files of their own before they begin.
    var takesSQL: Bool { !meaning.statements.isEmpty }

    func command(
        of caller: Caller, opensAreJudged: Bool, input: @escaping (StatementSource) -> CommandReader.Input
    ) -> CommandReader.Command {
        var command = CommandReader.Command(
            program: program, invoked: invoked, arguments: arguments ?? [invoked],
            variable: { StartedWith.variable($0, caller) }, input: input)
        command.meaning = meaning
        command.opensAreJudged = opensAreJudged
        return command
    }
}
