internal import SandboxKernel
internal import SandboxLineage
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import Synchronization

/// Files that are open for writing already: what their holder comes to carry is as good as written there (`cat secret > copy`: the shell
/// opens the copy first). The rules were asked when it was opened, by what was known then; so they are asked again.
extension Supervision {
    /// `new`: what has been gained since. What a rule forbids without that is none of the gain's business.
    func objection(
        toWriting path: [UInt8], _ serial: UInt32, carrying classes: UInt64, new: UInt64, _ state: Carrying.State
    ) -> Carrying.Refusal? {
        guard let rule = denial(ofWriting: path, serial, classes, state), denial(ofWriting: path, serial, classes & ~new, state) == nil
        else { return nil }
        let name = path.isEmpty ? "a file" : "`\(Escaped.text(path))`"
        return Carrying.Refusal(
            rule: rule, note: "\(state.name(of: .process(serial))) \(would(new)) and has \(name) open for writing")
    }

    /// Of what a process gains, what it would write to a file that it holds, or is about to.
    func objection(toWritesBy gain: Gain, _ around: Surroundings, _ state: Carrying.State) -> Carrying.Refusal? {
        guard policy.judgesCarriedWrites else { return nil }
        switch gain.carrier {
        case .place(let place):
            guard place.kind == .file, place.inode != 0, case .process(let serial)? = gain.from,
                carrying?.inheritedFiles.contains(place) != true
            else { return nil }
            // By the name that it has now, where a descriptor tells; what is only mapped had one when it was opened.
            let held = around.samples[place].map { Holding.name(of: $0.task, $0.descriptor) } ?? []
            let path = held.isEmpty ? state.names[place] ?? [] : held
            return objection(toWriting: path, serial, carrying: gain.classes | state.labels.flowing(serial), new: gain.classes, state)
        case .process(let serial):
            for call in state.pending.values where call.process == serial {
                guard let path = call.writes else { continue }
                let classes = gain.classes | state.labels.flowing(serial)
                if let refusal = objection(toWriting: path, serial, carrying: classes, new: gain.classes, state) { return refusal }
            }
            return nil
        }
    }

    /// What the process has gained between the rules' look at its call and now, when others can see the call.
    func objection(toWriting subject: FileSubject, _ caller: Caller, since before: UInt64) -> Carrying.Refusal? {
        guard policy.judgesCarriedWrites, let carrying, carrying.hasLabels.load(ordering: .acquiring) else { return nil }
        return carrying.state.withLock { state in
            let classes = state.labels.flowing(caller.serial), new = classes & ~before
            return new == 0 ? nil : objection(toWriting: Array(subject.path.text), caller.serial, carrying: classes, new: new, state)
        }
    }

    /// A folder with whatever there may be in it.
    func mayTakeOut(_ work: FileWork, _ carrying: Carrying, _ caller: Caller) -> Bool {
        guard policy.judgesCarriedWrites, carrying.hasLabels.load(ordering: .acquiring) || !carrying.files.isEmpty else { return false }
        let all = policy.dataClasses.indices.reduce(0 as UInt64) { $0 | 1 << UInt64($1) }
        return carrying.state.withLock { state in
            let denials = [work.first, work.second].map { subject in
                denial(ofWriting: Array(subject.path.text) + Array("/x".utf8), caller.serial, all, state) != nil
            }
            return denials[0] != denials[1]
        }
    }

    private func denial(ofWriting path: [UInt8], _ serial: UInt32, _ classes: UInt64, _ state: Carrying.State) -> RuleID? {
        var facts = baseFacts(.open, [.fileWrite], caller(serial, state), carrying: classes)
        facts.access = .write
        if path.isEmpty { facts.unknown.insert(.path) } else { facts.path = path }
        let verdict = policy.decide(facts, counters: nil)
        return verdict.decision == .deny || verdict.decision == .ask ? verdict.rules.first ?? policy.builtin.data : nil
    }
}
