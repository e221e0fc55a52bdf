internal import Glibc
internal import SandboxKernel
internal import SandboxLineage
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import Synchronization

/// Which classes of data the processes of a session carry. There is one only where the profile has rules that ask.
///
/// Reading and writing are not seen, so what counts is what could way. A process gains a class when it opens something that has
/// it; before that call is answered, all that every process holds is looked at (`Surroundings`), and whoever the data could reach
/// from there gains as well. From then on every new way is a call that is judged: a process that is started has what its maker
/// has, and pipes, sockets and memory that it makes are known to itself alone until it gives them away.
///
/// INVARIANT: under `state`, no process can get from another what the labels do not say: whoever adds a way (an open, a
/// connection, a descriptor that is passed on, a process) comes here first, and waits while others spread.
final class Carrying: Sendable {
    struct State {
        var labels = Labels()
        /// By serial.
        var living: [UInt32: Int32] = [:]
        var parents: [UInt32: UInt32] = [:]
        var programs: [UInt32: [UInt8]] = [:]
        /// Numbers of processes that have ended, for people.
        var pids: [UInt32: Int32] = [:]
        var names: [DataPlace: [UInt8]] = [:]
        /// What was sent over unix sockets (SCM_RIGHTS).
        var passed: Set<DataPlace> = []
        /// Whoever has used a System V object may be waiting in a call of its own for what comes there.
        var users: Set<Way> = []
        /// Files that were opened for writing.
        var written: Set<DataPlace> = []
    }

    /// Why a process may not gain what it would: the rule, and where the data would go.
    struct Refusal {
        let rule: RuleID
        let note: String
    }

    static let mostLabels = 1 << 16
    let state = Mutex(State())
    let files: FileLabels
    /// Sockets that the session was started with.
    let inherited: Set<UInt64>
    let hasLabels = Atomic<Bool>(false)
    /// While this is so nothing is let go on by a look alone.
    let isSpreading = Atomic<Int>(0)

    init(_ files: FileLabels) {
        self.files = files
        var sockets: Set<UInt64> = []
        for stream: Int32 in 0...2 {
            var st = stat()
            if fstat(stream, &st) == 0, st.st_mode & S_IFMT == S_IFSOCK { sockets.insert(UInt64(st.st_ino)) }
        }
        inherited = sockets
    }

    func classes(of process: UInt32) -> UInt64 {
        hasLabels.load(ordering: .acquiring) ? state.withLock { $0.labels.classes(of: process) } : 0
    }
}

extension Supervision {
    /// Spreads what is gained over all that the session holds, and takes it in; or refuses, and nothing is changed.
    ///
    /// A shell that has just made a pipe holds both ends until it has started both sides. Where it alone stands in the way, it is
    /// given a moment to let go: the call that gains is not answered yet, so nothing ways meanwhile.
    func spread(
        _ carrying: Carrying, _ seeds: [Gain], over more: [Way] = [], for caller: Caller, patiently: Bool = true, isTracer: Bool = false
    ) -> Carrying.Refusal? {
        carrying.isSpreading.add(1, ordering: .sequentiallyConsistent)
        defer { carrying.isSpreading.subtract(1, ordering: .sequentiallyConsistent) }
        // Whoever was let go on before has opened what it opens.
        if enforces, !isTracer, context.flights.grounded(context.tracer, { 0 }) == nil {
            return Carrying.Refusal(rule: .none, note: "a call does not end")
        }
        var rounds = patiently ? 60 : 0
        while true {
            let result: Carrying.Refusal?? = carrying.state.withLock { state in
                // Before the look: who lies down meanwhile may have let go meanwhile.
                let awake = rounds > 0 ? awakeAncestors(of: caller, state) : []
                let around: Surroundings
                do throws(Errno) { around = try surroundings(carrying, state) } catch {
                    return .some(
                        Carrying.Refusal(rule: .none, note: "what the session holds cannot be looked at: \(errorText(error.code))"))
                }
                let found = state.labels.spread(seeds, over: around.ways + more + state.users)
                if isOnItsWay(found, awake) { return nil }
                if enforces, let refusal = objection(to: found, around, state) { return .some(refusal) }
                take(carrying, found, around, &state)
                return .some(nil)
            }
            if let result { return result }
            rounds -= 1
            usleep(500)
        }
    }

    private func surroundings(_ carrying: Carrying, _ state: Carrying.State) throws(Errno) -> Surroundings {
        // A process that comes to be meanwhile is looked at when it does (`started`).
        try Surroundings(
            of: state.living, ancestors: { state.ancestors(of: $0) }, threads: context.haveSeparateDescriptors,
            inherited: carrying.inherited,
            passed: state.passed, written: state.written)
    }

    private func awakeAncestors(of caller: Caller, _ state: Carrying.State) -> Set<UInt32> {
        Set(state.ancestors(of: caller.serial).filter { serial in state.living[serial].map { !ProcessState.isAsleep($0) } ?? false })
    }

    /// Somebody between two forks: an ancestor of the caller that gains by a pipe alone and did not wait for anything.
    private func isOnItsWay(_ found: [Gain], _ awake: Set<UInt32>) -> Bool {
        found.contains { gain in
            guard case .process(let serial) = gain.carrier, case .place(let place)? = gain.from else { return false }
            return place.kind == .pipe && awake.contains(serial)
        }
    }

    /// A connection to outside that is there already would carry what is gained: its rule has been judged when it was made, by what
    /// was known then. So it is judged now.
    private func objection(to found: [Gain], _ around: Surroundings, _ state: Carrying.State) -> Carrying.Refusal? {
        for gain in found {
            guard case .process(let serial) = gain.carrier else { continue }
            for end in Set(around.outside[serial] ?? []) {
                let caller = Caller(tid: state.living[serial] ?? 0, pid: state.living[serial] ?? 0, serial: serial)
                let verdict = verdict(on: end, carrying: gain.classes | state.labels.outgoing(serial), caller)
                guard verdict.decision == .deny || verdict.decision == .ask else { continue }
                return Carrying.Refusal(
                    rule: verdict.rules.first ?? .none,
                    note:
                        "\(state.name(of: .process(serial))) would carry \(names(of: gain.classes).joined(separator: ", ")) and is connected to \(end.text)"
                )
            }
        }
        return nil
    }

    private func verdict(on end: Surroundings.Outside, carrying classes: UInt64, _ caller: Caller) -> Verdict {
        var facts = baseFacts(.connect, [.netConnect, .netEgress], caller, carrying: classes)
        if case .ip(let ip, let port) = end {
            facts.destinations = [Facts.Destination(names: hosts.texts(of: ip), address: ip, port: port)]
            if !hosts.areKnown { facts.unknown.insert(.host) }
        } else {
            facts.intents.insert(.netLocalSocket)
        }
        return policy.decide(facts, counters: nil)
    }

    func carried(by caller: Caller) -> [String] { carrying.map { names(of: $0.classes(of: caller.serial)) } ?? [] }

    func names(of classes: UInt64) -> [String] {
        policy.dataClasses.enumerated().filter { classes >> UInt64($0.offset) & 1 != 0 }.map(\.element)
    }

    // MARK: Taking in

    func take(_ carrying: Carrying, _ found: [Gain], _ around: Surroundings?, _ state: inout Carrying.State) {
        guard !found.isEmpty else { return }
        for gain in found { name(gain.carrier, around, &state) }
        state.labels.take(found)
        carrying.hasLabels.store(true, ordering: .releasing)
        for gain in found {
            switch gain.carrier {
            case .process(let serial): record(gain, of: serial, state)
            case .place(let place) where place.kind == .file: keep(carrying, gain, of: place, state)
            case .place: break
            }
        }
        // Numbers of pipes and sockets do not come round again soon; some may be under way to somebody.
        if let around, state.labels.count > Carrying.mostLabels { state.labels.keep(only: around.places) }
    }

    private func name(_ carrier: Carrier, _ around: Surroundings?, _ state: inout Carrying.State) {
        guard case .place(let place) = carrier, state.names[place] == nil, let sample = around?.samples[place] else { return }
        state.names[place] = Holding.name(of: sample.pid, sample.descriptor)
    }

    func keep(_ carrying: Carrying, _ gain: Gain, of place: DataPlace, _ state: Carrying.State) {
        // What its path says it says again the next time.
        guard gain.from != nil || gain.source?.hasPrefix("classified") != true else { return }
        for (i, name) in policy.dataClasses.enumerated() where gain.classes >> UInt64(i) & 1 != 0 {
            let chain = state.text(of: state.labels.chain(to: gain.carrier, 1 << UInt64(i)))
            let path = state.names[place] ?? []
            let kept = carrying.files.add(
                FileLabel(
                    device: place.device, inode: place.inode, born: FileBirth.of(path, place.device, place.inode), name: name,
                    time: currentTime(), session: info.id, path: path, why: chain))
            if !kept { note("the label \(name) of `\(Escaped.text(path))` could not be kept for later sessions") }
        }
    }
}

extension Surroundings.Outside {
    var text: String {
        switch self {
        case .ip(let ip, let port): ip.isV4 ? "\(ip):\(port)" : "[\(ip)]:\(port)"
        case .unix: "a unix socket outside"
        }
    }
}

extension Carrying.State {
    func ancestors(of serial: UInt32) -> [UInt32] {
        var list: [UInt32] = []
        var next = parents[serial]
        while let serial = next, serial != 0, list.count < 64 {
            if living[serial] != nil { list.append(serial) }
            next = parents[serial]
        }
        return list
    }

    func pid(of serial: UInt32) -> Int32 { living[serial] ?? pids[serial] ?? 0 }

    // MARK: For people

    func name(of carrier: Carrier) -> String {
        switch carrier {
        case .process(let serial):
            let program = programs[serial].map { Escaped.text($0) } ?? "a process"
            return "\(program) (pid \(pid(of: serial)))"
        case .place(let place):
            if let name = names[place], !name.isEmpty { return "`\(Escaped.text(name))`" }
            return switch place.kind {
            case .file: "a file (inode \(place.inode))"
            case .pipe: "a pipe (\(place.inode))"
            case .socket: "a socket (\(place.inode))"
            case .memory: "memory that is shared"
            case .terminal: "a terminal"
            case .object: "a System V object (\(place.inode))"
            }
        }
    }

    /// One line a step, the beginning first.
    func text(of chain: [Gain]) -> String {
        let lines = chain.suffix(64).map { gain -> String in
            let who = name(of: gain.carrier)
            guard let from = gain.from else { return "\(who): \(gain.source ?? "unknown")" }
            switch (gain.carrier, from) {
            case (.process, .process): return "\(who) was started by, or looked into, \(name(of: from))"
            case (.process, .place): return "\(who) could read \(name(of: from))"
            case (.place, _): return "\(name(of: from)) could write \(who)"
            }
        }
        return lines.joined(separator: "\n")
    }
}
