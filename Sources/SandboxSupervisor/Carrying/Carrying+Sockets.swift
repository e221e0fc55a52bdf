internal import Glibc
internal import SandboxDecode
internal import SandboxKernel
internal import SandboxLineage
internal import SandboxModel
internal import SandboxPolicy
internal import Synchronization

/// Sockets: where an address leads, and what is sent along.
extension Supervision {
    /// The sockets that answer at the address; nil where it is not of this machine, or nobody of the session's is there alone.
    func servers(_ work: SocketWork) -> [UInt64]? {
        guard let carrying, work.operation != .bind, work.hasAddress else { return nil }
        do throws(Errno) {
            let map = try SocketMap()
            let found: [UInt64] =
                switch work.endpoint {
                case .ip(let ip, let port): map.servers(at: ip, port, work.type)
                case .unixPath: map.servers(file: work.device, work.inode)
                case .unixAbstract: map.servers(abstract: Array(work.path.text))
                default: []
                }
            guard !found.isEmpty else { return nil }
            let living = carrying.state.withLock { $0.living }
            var held: Set<UInt64> = []
            for pid in living.values {
                for h in try Holding.all(of: pid, mappings: false, threads: context.haveSeparateDescriptors) where h.kind == .socket {
                    held.insert(h.inode)
                }
            }
            return found.allSatisfy(held.contains) ? found : nil
        } catch { return nil }
    }

    /// The caller's own descriptors are looked at once more; then whoever answers at the address is joined with it.
    func carry(_ work: SocketWork, to servers: [UInt64]?, _ caller: Caller) -> Carrying.Refusal? {
        guard let carrying else { return nil }
        note(passed: work, carrying)
        guard carrying.hasLabels.load(ordering: .acquiring) else { return nil }
        if let refusal = refresh(carrying, caller, isTracer: false) { return refusal }
        guard let servers else { return nil }
        let ways = servers.map { Way(process: caller.serial, place: Surroundings.socket($0), reads: true, writes: true) }
        // Whoever has the server is looked at, too: it may have come to listen after it gained.
        return spread(carrying, [], over: ways, for: caller, patiently: false)
    }

    /// Descriptors that leave their process.
    private func note(passed work: SocketWork, _ carrying: Carrying) {
        let holdings = work.passedHoldings
        guard !holdings.isEmpty else { return }
        carrying.state.withLock { state in
            for h in holdings where h.kind != .terminal && h.kind != .master {
                state.passed.insert(h.kind == .socket ? Surroundings.socket(h.inode) : Surroundings.place(h))
            }
        }
    }

    /// System V objects: every use is a call.
    func carry(object kind: SandboxDecode.ObjectKind, _ id: Int32, _ caller: Caller) -> Carrying.Refusal? {
        guard let carrying else { return nil }
        let place = DataPlace(.object, device: UInt64(kind.rawValue), inode: UInt64(UInt32(bitPattern: id)))
        let way = Way(process: caller.serial, place: place, reads: true, writes: true)
        let isNew = carrying.state.withLock { state in
            state.users.insert(way)
            return !state.labels.spread([], over: [way]).isEmpty
        }
        return isNew ? spread(carrying, [], over: [way], for: caller) : nil
    }
}
