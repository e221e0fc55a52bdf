internal import ArgumentParser
internal import Glibc
internal import SandboxModel
internal import SandboxStore

struct AuditEvents: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Lists what was judged.",
        discussion: """
            Repeats of the same access by the same process are one line with a count. A filter that is given \
            several times matches any of its values; all filters must match. Globs: `?` and `*` stay within one \
            name, `**` crosses `/`; a path that begins with neither `/` nor `*` may lie anywhere.
            """)
    @OptionGroup var state: StateOptions
    @Option(help: "Only this session: an id or the start of one, a name, or `last`.") var session: String?
    @Option(help: ArgumentHelp("Only sessions of identities like this.", valueName: "glob")) var identity: [String] = []
    @Option(help: "allow, deny, ask or rewrite.", transform: parseDecision) var decision: [Decision] = []
    @Option(help: "exec, open, create, delete, rename, connect …", transform: parseOperation) var operation: [Operation] = []
    @Option(help: ArgumentHelp("Only what means this: git.push, sql …", valueName: "intent"), transform: parseIntent) var intent:
        [IntentSet] = []
    @Flag(help: "Only where a candidate profile would have decided otherwise.") var differs = false
    @Option(help: ArgumentHelp("Only files and programs like this.", valueName: "glob")) var path: [String] = []
    @Option(help: ArgumentHelp("Only connections to hosts like this.", valueName: "glob")) var host: [String] = []
    @Option(help: ArgumentHelp("Only what programs like this did.", valueName: "glob")) var program: [String] = []
    @Option(help: "From this time on (RFC 3339), or for so long back: 90s 10m 2h 7d.", transform: parseTime) var since: UInt64?
    @Option(help: "Up to this time.", transform: parseTime) var until: UInt64?
    @Option(help: ArgumentHelp("Only the latest so many.", valueName: "n")) var limit: Int?
    @Flag(help: "One JSON object a line.") var json = false
    @Flag(help: "Go on with what is new, until interrupted.") var follow = false

    func validate() throws {
        if let limit, limit < 0 { throw ValidationError("--limit takes a number from 0 on") }
    }

    func run() throws {
        try reportingFailures {
            if follow { return try followEvents() }
            let reader = try state.reader()
            let filter = try filter(reader)
            var output = Output()
            try reader?.events(filter) { try output.write(text($0)) }
            try output.flush()
        }
    }

    private func text(_ event: TrailEvent) -> String {
        json ? EventJSON.line(event) + "\n" : TrailText.line(event, style: Output.style)
    }

    private func filter(_ reader: TrailReader?) throws -> EventFilter {
        var filter = EventFilter()
        if let session { filter.session = try state.session(session, in: reader) }
        filter.identities = identity
        filter.decisions = decision
        filter.operations = operation
        filter.intents = intent.reduce([]) { $0.union($1) }
        filter.differs = differs
        filter.paths = path
        filter.hosts = host
        filter.programs = program
        filter.since = since
        filter.until = until
        filter.limit = limit
        return filter
    }

    // MARK: --follow

    /// Five looks a second. SIGINT and SIGTERM are taken between them, so that no line is cut in two, and then
    /// do to us what they do to anyone: whoever started us sees that we died of them.
    private func followEvents() throws {
        let ending = blockEndingSignals()
        var cursor = FollowCursor()
        var output = Output()
        var reader = try state.reader()
        var filter = try filter(reader)
        for look in 0... {
            // A supervisor may be killed, or the first one start, while we watch.
            if look % 25 == 24 || reader == nil, let directory = try StateDirectory.existing(state.path) {
                state.takeInJournals(directory)
                if reader == nil { reader = try TrailReader(directory) }
            }
            if let reader, try look == 0 || reader.hasChanged() {
                try reader.events(filter, since: &cursor) { try output.write(text($0)) }
                try output.flush()
                filter.limit = nil
            }
            if Output.readerIsGone { return }
            if let signal = waitForSignal(ending, milliseconds: 200) { return die(of: signal, ending) }
        }
    }

    private func blockEndingSignals() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // What nohup(1) or a script's `&` made us ignore stays ignored; blocking would undo that.
            var action = sigaction()
            sigaction(signal, nil, &action)
            let handler = unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            if handler != unsafeBitCast(SIG_IGN, to: Int.self) { sigaddset(&set, signal) }
        }
        sigprocmask(SIG_BLOCK, &set, nil)
        return set
    }

    private func waitForSignal(_ set: sigset_t, milliseconds: Int) -> Int32? {
        var set = set
        var time = timespec(tv_sec: 0, tv_nsec: milliseconds * 1_000_000)
        let signal = sigtimedwait(&set, nil, &time)
        return signal > 0 ? signal : nil
    }

    private func die(of signal: Int32, _ set: sigset_t) {
        var set = set
        Glibc.signal(signal, SIG_DFL)
        kill(getpid(), signal)
        sigprocmask(SIG_UNBLOCK, &set, nil)
    }
}

private func parseDecision(_ text: String) throws -> Decision {
    if let decision = Decision.allCases.first(where: { $0.name == text }) { return decision }
    throw ValidationError("`\(Escaped.text(text))` is none of: " + Decision.allCases.map(\.name).joined(separator: " "))
}

private func parseIntent(_ text: String) throws -> IntentSet {
    if let set = IntentSet(pattern: text) { return set }
    throw ValidationError("`\(Escaped.text(text))` is no intent and no family of intents; `sandbox intents` lists them")
}

private func parseOperation(_ text: String) throws -> Operation {
    if let operation = Operation.allCases.first(where: { $0.name == text }) { return operation }
    throw ValidationError("`\(Escaped.text(text))` is none of: " + Operation.allCases.map(\.name).joined(separator: " "))
}

func parseTime(_ text: String) throws -> UInt64 {
    if let time = Timestamp.parse(text, now: currentTime()) { return time }
    throw ValidationError("`\(Escaped.text(text))` is no time: give RFC 3339 (2026-11-20T10:00:00Z) or 90s 10m 2h 7d")
}
