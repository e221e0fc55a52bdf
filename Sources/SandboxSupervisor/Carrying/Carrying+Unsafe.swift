internal import SandboxLineage
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore

extension Supervision {
    /// On record before the call is answered that it rests on.
    func record(_ gain: Gain, of serial: UInt32, _ state: Carrying.State) {
        for (i, name) in policy.dataClasses.enumerated() where gain.classes >> UInt64(i) & 1 != 0 {
            var h = RecordHeader(kind: .carried, process: serial, pid: state.pid(of: serial), result: 0, time: currentTime())
            h.flags = enforces ? .enforced : []
            let chain = state.text(of: state.labels.chain(to: gain.carrier, 1 << UInt64(i)))
            Array(name.utf8).withUnsafeBytes { name in Array(chain.utf8).withUnsafeBytes { _ = append(h, name, $0, isCall: false) } }
        }
    }

    func record(_ header: RecordHeader, _ resource: String) {
        Array(resource.utf8).withUnsafeBytes { bytes in
            status?.decision(header, bytes, policy)
            _ = append(header, bytes)
        }
    }
}
