internal import SandboxKernel
internal import SandboxLineage
internal import SandboxModel
internal import SandboxPolicy
internal import Synchronization

/// Tables that a client's SQL names: what comes from their server is in all that the client writes, and in whatever it starts.
extension Supervision {
    /// A dump without SQL may be one of any table.
    func carries(reading facts: Facts, _ caller: Caller) -> Carrying.Refusal? {
        guard let carrying else { return nil }
        let isDump = facts.tables.isEmpty && facts.intents.contains(.sqlCopyOut)
        let bits = isDump ? policy.classesOfTables : facts.tables.reduce(0) { $0 | policy.classes(ofTable: $1) }
        guard bits & ~carrying.state.withLock({ $0.labels.given(caller.serial) }) != 0 else { return nil }
        let what = isDump ? "it takes tables out, maybe one" : "its SQL names a table"
        let gain = Gain(.process(caller.serial), bits, source: "\(what) \(classified(bits))")
        carrying.state.withLock { state in
            state.labels.give(gain)
            if !carrying.isCandidate { record(gain, of: caller.serial, state) }
        }
        carrying.hasLabels.store(true, ordering: .releasing)
        return spread(carrying, Spreading(caller: caller, patiently: false, isTracer: true))
    }

    /// What the caller would take where it connects to. The one server that it talks to has the tables anyway; from the second on nobody
    /// knows which of them has what from which.
    func taken(to place: Facts.Destination, _ work: SocketWork, _ caller: Caller) -> UInt64 {
        guard let carrying, carrying.hasLabels.load(ordering: .acquiring), let ip = place.address else { return 0 }
        return carrying.state.withLock { state in
            let bits = state.labels.given(caller.serial)
            let known = state.servers[caller.serial] ?? []
            // Before a server is connected to its name is looked up.
            if bits == 0 || work.transport != .tcp { return known.isEmpty ? 0 : bits }
            let server = (place.names.first ?? (ip.isLoopback ? "localhost" : "\(ip)")) + ":\(place.port ?? 0)"
            // The second is all that matters.
            if known.count < 2 { state.servers[caller.serial, default: []].insert(server) }
            return known.count > 1 || known != [] && !known.contains(server) ? bits : 0
        }
    }
}
