internal import SandboxKernel
internal import SandboxLineage
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore

extension Supervision {
    /// On record before the call is answered that it rests on.
    func record(_ gain: Gain, of serial: UInt32, _ state: Carrying.State) {
        for (i, name) in policy.dataClasses.enumerated() where gain.classes >> UInt64(i) & 1 != 0 {
            let h = header(of: serial, state)
            append(h, name, state.text(of: state.labels.chain(to: gain.carrier, 1 << UInt64(i))))
        }
    }

    /// What would have followed from the caller's call, for whoever asks why that was refused.
    func record(_ refusal: Carrying.Refusal, _ found: [Gain], _ caller: Caller, _ state: inout Carrying.State) {
        guard let gain = refusal.gain ?? found.first else { return }
        var labels = state.labels
        labels.take(found)
        for (i, name) in policy.dataClasses.enumerated() where gain.classes >> UInt64(i) & 1 != 0 {
            let chain = labels.chain(to: gain.carrier, 1 << UInt64(i))
            guard let origin = chain.first?.carrier,
                state.refused.insert(Carrying.Refused(caller: caller.serial, rule: refusal.rule, origin: origin)).inserted
            else { continue }
            var h = header(of: caller.serial, state)
            (h.decision, h.rule) = (.deny, refusal.rule)
            append(h, name, state.text(of: chain) + "\n" + refusal.note)
        }
    }

    private func header(of serial: UInt32, _ state: Carrying.State) -> RecordHeader {
        var h = RecordHeader(kind: .carried, process: serial, pid: state.pid(of: serial), result: 0, time: currentTime())
        h.flags = enforces ? .enforced : []
        return h
    }

    private func append(_ header: RecordHeader, _ name: String, _ why: String) {
        Array(name.utf8).withUnsafeBytes { name in Array(why.utf8).withUnsafeBytes { _ = append(header, name, $0, isCall: false) } }
    }

    func record(_ header: RecordHeader, _ resource: String) {
        Array(resource.utf8).withUnsafeBytes { bytes in
            status?.decision(header, bytes, policy)
            _ = append(header, bytes)
        }
    }
}
