internal import Glibc
internal import SandboxKernel
internal import SandboxLineage
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import Synchronization

/// What follows from a gain.
struct Spreading {
    var seeds: [Gain] = []
    /// Ways that are about to be there.
    var ways: [Way] = []
    let caller: Caller
    /// A shell that has just made a pipe holds both ends until it has started both sides. Where it alone stands in the way, it is
    /// given a moment to let go: the call that gains is not answered yet, so nothing flows meanwhile.
    var patiently = true
    var isTracer = false
    /// What has been taken in already and others have not been told.
    var taken: [Gain] = []
    /// Other sessions are asked what is at the ends of these ways.
    var asks = false
    /// The call is refused anyway: nothing of it will come to be.
    var isIdle = false
}

extension Supervision {
    /// Spreads what is gained over all that the session holds, and takes it in; or refuses, and nothing is changed.
    func spread(_ carrying: Carrying, _ spreading: Spreading) -> Carrying.Refusal? {
        carrying.isSpreading.add(1, ordering: .sequentiallyConsistent)
        defer { carrying.isSpreading.subtract(1, ordering: .sequentiallyConsistent) }
        // Whoever was let go on before has opened what it opens.
        if enforces, !carrying.isCandidate, !spreading.isTracer, context.flights.grounded(context.tracer, { 0 }) == nil {
            return Carrying.Refusal(rule: policy.builtin.data, note: "a call does not end")
        }
        guard let link = carrying.link else { return spread(carrying, spreading, others: nil) }
        // One session at a time, and never with our own state held: the one whose turn it is asks for it. Who is there is looked at
        // then: who comes later waits for us before it runs anything (`carries(started:)`).
        return carrying.files.alone { spread(carrying, spreading, others: neighbours.areAbsent ? nil : link) }
    }

    private func spread(_ carrying: Carrying, _ spreading: Spreading, others: LabelLink?) -> Carrying.Refusal? {
        var rounds = spreading.patiently && !carrying.isCandidate ? 60 : 0
        while true {
            let result: Carrying.Refusal?? = carrying.state.withLock { state in
                // Before the look: who lies down meanwhile may have let go meanwhile.
                let awake = rounds > 0 ? awakeAncestors(of: spreading.caller, state) : []
                let around: Surroundings
                do throws(Errno) { around = try surroundings(carrying, state) } catch {
                    return .some(
                        Carrying.Refusal(
                            rule: policy.builtin.data, note: "what the session holds cannot be looked at: \(errorText(error.code))"))
                }
                var seeds = spreading.seeds
                let ways = around.ways + spreading.ways + state.users
                var found = state.labels.spread(seeds, over: ways)
                if isOnItsWay(found, awake) { return nil }
                var objection = objection(to: found, around, state)
                if objection == nil, let others {
                    let asks = spreading.asks ? spreading.ways.filter(\.reads).map(\.place) : []
                    objection = tell(others, asks, spreading.taken, &seeds, &found, ways, around, state)
                }
                if enforces, !carrying.isCandidate, let objection {
                    for gain in found { name(gain.carrier, around, &state) }
                    record(objection, found, spreading.caller, &state)
                    return .some(objection)
                }
                if spreading.isIdle { return .some(objection) }
                take(carrying, found, around, &state)
                // Whoever has opened one of these files since they heard of it, and before it was labelled.
                var none: [Gain] = []
                if let others, !(found.isEmpty && spreading.taken.isEmpty) {
                    objection = tell(others, [], spreading.taken, &none, &found, [], around, state)
                }
                return .some(objection)
            }
            if let result { return enforces ? result : nil }
            rounds -= 1
            usleep(500)
        }
    }

    func surroundings(_ carrying: Carrying, _ state: Carrying.State) throws(Errno) -> Surroundings {
        // A process that comes to be meanwhile is looked at when it does (`started`).
        try Surroundings(
            of: state.living, ancestors: { state.ancestors(of: $0) }, mayShare: context.tasks.mayShare,
            threads: context.haveSeparateDescriptors, inherited: carrying.inherited, passed: state.passed, touched: state.touched,
            accepted: state.accepted, written: state.written,
            pending: Array(state.pending.values))
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

    // MARK: Objections

    /// A connection to outside that is there already would carry what is gained: its rule has been judged when it was made, by what
    /// was known then. So it is judged now; and so is what somebody outside was handed an end of.
    func objection(to found: [Gain], _ around: Surroundings, _ state: Carrying.State) -> Carrying.Refusal? {
        for gain in found {
            if var refusal = objection(toWritesBy: gain, around, state) {
                refusal.gain = gain
                return refusal
            }
            switch gain.carrier {
            case .process(let serial):
                let classes = gain.classes | state.labels.outgoing(serial)
                if var refusal = objection(to: serial, carrying: classes, new: gain.classes, around, state) {
                    refusal.gain = gain
                    return refusal
                }
            case .place(let place) where state.given.contains(place):
                guard case .process(let serial)? = gain.from,
                    let rule = denial(of: .unix, carrying: gain.classes, caller(serial, state))
                else { continue }
                let note = "\(state.name(of: gain.carrier)) \(would(gain.classes)), and somebody outside was handed an end of it"
                return Carrying.Refusal(rule: rule, note: note, gain: gain)
            case .place: continue
            }
        }
        return nil
    }

    func objection(
        to serial: UInt32, carrying classes: UInt64, new: UInt64, _ around: Surroundings, _ state: Carrying.State
    ) -> Carrying.Refusal? {
        for end in Set(around.outside[serial] ?? []) {
            guard let rule = denial(of: end, carrying: classes, caller(serial, state)) else { continue }
            return Carrying.Refusal(
                rule: rule, note: "\(state.name(of: .process(serial))) \(would(new)) and is connected to \(end.text)")
        }
        return nil
    }

    func would(_ classes: UInt64) -> String { "would carry \(names(of: classes).joined(separator: ", "))" }

    func caller(_ serial: UInt32, _ state: Carrying.State) -> Caller {
        Caller(tid: state.living[serial] ?? 0, pid: state.living[serial] ?? 0, serial: serial)
    }

    /// The rule that would not let it go there.
    private func denial(of end: Surroundings.Outside, carrying classes: UInt64, _ caller: Caller) -> RuleID? {
        var facts = baseFacts(.connect, [.netConnect, .netEgress], caller, carrying: classes)
        if case .ip(let ip, let port) = end { place(&facts, at: ip, port) } else { facts.intents.insert(.netLocalSocket) }
        let verdict = policy.decide(facts, counters: nil)
        return verdict.decision == .deny || verdict.decision == .ask ? verdict.rules.first ?? policy.builtin.data : nil
    }

    func carried(by caller: Caller) -> [String] { carrying.map { names(of: $0.classes(of: caller.serial)) } ?? [] }

    func names(of classes: UInt64) -> [String] {
        classes == 0 ? [] : policy.dataClasses.enumerated().filter { classes >> UInt64($0.offset) & 1 != 0 }.map(\.element)
    }

    // MARK: Taking in

    func take(_ carrying: Carrying, _ found: [Gain], _ around: Surroundings?, _ state: inout Carrying.State) {
        guard !found.isEmpty else { return }
        for gain in found { name(gain.carrier, around, &state) }
        state.labels.take(found)
        carrying.hasLabels.store(true, ordering: .releasing)
        for gain in found {
            switch gain.carrier {
            case .process(let serial): if !carrying.isCandidate { record(gain, of: serial, state) }
            case .place(let place) where place.kind == .file || place.kind == .folder: keep(carrying, gain, of: place, state)
            case .place: break
            }
        }
        // Numbers of pipes and sockets do not come round again soon; some may be under way to somebody.
        if let around, state.labels.count > Carrying.mostLabels { state.labels.keep(only: around.places) }
    }

    private func name(_ carrier: Carrier, _ around: Surroundings?, _ state: inout Carrying.State) {
        guard case .place(let place) = carrier, state.names[place] == nil, let sample = around?.samples[place] else { return }
        state.name(place, Holding.name(of: sample.task, sample.descriptor))
    }

    func keep(_ carrying: Carrying, _ gain: Gain, of place: DataPlace, _ state: Carrying.State) {
        // What its path says it says again the next time.
        guard !carrying.isCandidate, gain.from != nil || gain.source?.hasPrefix("classified") != true else { return }
        for (i, name) in policy.dataClasses.enumerated() where gain.classes >> UInt64(i) & 1 != 0 {
            let chain = state.text(of: state.labels.chain(to: gain.carrier, 1 << UInt64(i)))
            let path = state.names[place] ?? []
            let kept = carrying.files.add(
                FileLabel(
                    device: place.device, inode: place.inode, born: FileBirth.of(path, place.device, place.inode), name: name,
                    time: currentTime(), session: info.id, path: path, why: chain), eachPath: place.kind == .folder)
            if !kept { note("the label \(name) of `\(Escaped.text(path))` could not be kept for later sessions") }
        }
    }
}
