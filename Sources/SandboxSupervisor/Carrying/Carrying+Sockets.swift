internal import Glibc
internal import SandboxDecode
internal import SandboxKernel
internal import SandboxLineage
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import Synchronization

/// Sockets: where an address leads, who comes in, and what is sent along.
extension Supervision {
    /// The sockets that answer at an address of this machine, and whether all of them are the session's.
    struct Servers {
        let sockets: [UInt64]
        let areOwn: Bool
        /// None of them is.
        let areOthers: Bool
    }

    /// Nil where the address is not of this machine, or nobody can tell.
    func servers(_ work: SocketWork) -> Servers? {
        guard let carrying, work.operation != .bind, work.hasAddress else { return nil }
        do throws(Errno) {
            let map = try SocketMap(servers: work.endpoint, work.type)
            let found: [UInt64] =
                switch work.endpoint {
                case .ip(let ip, let port): map.servers(at: ip, port, work.type)
                case .unixPath: map.servers(file: work.device, work.inode)
                case .unixAbstract: map.servers(abstract: Array(work.path.text))
                default: []
                }
            if found.isEmpty { return nil }
            let held = try held(carrying)
            return Servers(sockets: found, areOwn: held.isSuperset(of: found), areOthers: held.isDisjoint(with: found))
        } catch { return nil }
    }

    /// The numbers of all sockets that the session's processes have.
    private func held(_ carrying: Carrying) throws(Errno) -> Set<UInt64> {
        var held: Set<UInt64> = []
        for pid in carrying.state.withLock({ Array($0.living.values) }) {
            let all = try Holding.all(of: pid, mappings: false, threads: context.haveSeparateDescriptors)
            for h in all.holdings where h.kind == .socket { held.insert(h.inode) }
        }
        return held
    }

    /// The caller's own descriptors are looked at once more. Where it is about to be connected is known from here on: whoever brings it
    /// something meanwhile is asked about that, too.
    func carry(_ work: SocketWork, to servers: Servers?, _ caller: Caller, isIdle: Bool) -> Carrying.Refusal? {
        guard let carrying else { return nil }
        if work.operation == .bind { return bind(work, carrying, caller, isIdle: isIdle) }
        if let refusal = pass(work, servers, carrying, caller, isIdle: isIdle) { return refusal }
        if work.operation == .connect || work.isFastOpen, !isIdle {
            let ends = servers?.areOwn == true ? [] : outside(work)
            carrying.begin(caller.tid, Carrying.Pending(process: caller.serial, outside: ends))
        }
        return carrying.hasLabels.load(ordering: .acquiring) ? refresh(carrying, caller, isTracer: false) : nil
    }

    /// Whoever answers at the address is joined with the caller, once no rule refuses that: what was refused brings nobody anything.
    func join(_ work: SocketWork, to servers: Servers?, _ caller: Caller, isIdle: Bool) -> Carrying.Refusal? {
        guard let carrying, let servers, work.operation != .bind else { return nil }
        let ways = servers.sockets.map { Way(process: caller.serial, place: Surroundings.socket($0), reads: true, writes: true) }
        if !isIdle { carrying.state.withLock { $0.pending[caller.tid]?.ways = ways } }
        let asks = !servers.areOwn && !neighbours.areAbsent
        guard asks || carrying.hasLabels.load(ordering: .acquiring) else { return nil }
        // Where the labels say it all already, nobody need be looked at, unless a server may have come to listen after it gained.
        if !asks, servers.areOthers, carrying.state.withLock({ $0.labels.spread([], over: ways).isEmpty }) { return nil }
        return spread(carrying, Spreading(ways: ways, caller: caller, patiently: false, asks: asks, isIdle: isIdle))
    }

    private func outside(_ work: SocketWork) -> [Surroundings.Outside] {
        switch work.endpoint {
        case .ip(let ip, let port): [.ip(ip, port: port)]
        case .unixPath, .unixAbstract: [.unix]
        default: []
        }
    }

    /// A socket's name can be data, and everybody can list them.
    private func bind(_ work: SocketWork, _ carrying: Carrying, _ caller: Caller, isIdle: Bool) -> Carrying.Refusal? {
        switch work.endpoint {
        case .unixPath, .unixAbstract: break
        default: return nil
        }
        guard carrying.hasLabels.load(ordering: .acquiring) else { return nil }
        let way = Way(process: caller.serial, place: Surroundings.socketNames, writes: true)
        if let refusal = spread(carrying, Spreading(ways: [way], caller: caller, patiently: false, isIdle: isIdle)) { return refusal }
        guard let folder = work.boundFolder else { return nil }
        return newName(Array(work.path.text), in: folder, carrying, caller, isIdle: isIdle)
    }

    // MARK: Descriptors

    /// Descriptors that leave their process. What somebody outside gets an end of is known from then on, whoever writes there later.
    private func pass(
        _ work: SocketWork, _ servers: Servers?, _ carrying: Carrying, _ caller: Caller, isIdle: Bool
    ) -> Carrying.Refusal? {
        let ways = work.passedHoldings.flatMap { Surroundings.ways(of: $0, 0) }
        if ways.isEmpty || isIdle { return nil }
        // Whoever has one end of a pipe can open the other, proc(5).
        let places = ways.filter { $0.reads || $0.place.kind != .terminal }.map(\.place)
        // Only unix sockets take descriptors along.
        guard let inode = work.socketInode, let map = try? SocketMap() else {
            return Carrying.Refusal(rule: policy.builtin.data, note: "nobody can look")
        }
        let leaves = work.hasAddress ? servers?.areOwn != true : isJoinedOutside(inode, map, carrying)
        carrying.state.withLock { state in
            state.passed.formUnion(ways)
            state.touched.formUnion([inode] + map.ends(of: inode).compactMap(\.inode) + (servers?.sockets ?? []))
            if leaves { state.given.formUnion(places) }
        }
        // What it holds already it gives away now.
        guard leaves, carrying.hasLabels.load(ordering: .acquiring) else { return nil }
        return carrying.state.withLock { state in
            let gains = places.map { Gain(.place($0), state.labels.classes(of: .place($0)), from: .process(caller.serial)) }
            guard let around = try? surroundings(carrying, state) else {
                return Carrying.Refusal(rule: policy.builtin.data, note: "nobody can look")
            }
            let refusal = objection(to: gains.filter { $0.classes != 0 }, around, state)
            if let refusal, enforces, !carrying.isCandidate { record(refusal, [], caller, &state) }
            return refusal
        }
    }

    /// Somebody else has the other end of a socket that is connected.
    private func isJoinedOutside(_ inode: UInt64, _ map: SocketMap, _ carrying: Carrying) -> Bool {
        guard var held = try? held(carrying), let ours = Surroundings.socketsInOurHands() else { return true }
        held.formUnion(ours)
        return map.ends(of: inode).contains { end in
            switch end {
            case .socket(let other), .server(let other): !held.contains(other)
            case .outside, .unknown: true
            }
        }
    }

    // MARK: Coming in

    /// Who has connected from outside gets what the caller has from now on: as if the caller had connected to him. What it is about
    /// to have is told before that is asked.
    func admits(_ connection: Int32, _ caller: Caller) -> Bool {
        if let shadow { _ = shadow.admits(connection, caller) }
        guard let carrying else { return true }
        var st = stat()
        guard fstat(connection, &st) == 0 else { return false }
        carrying.state.withLock { state in
            if state.accepted.count == 1 << 16 { state.accepted = [] }
            state.accepted.insert(UInt64(st.st_ino))
        }
        carrying.begin(caller.tid, Carrying.Pending(process: caller.serial, sockets: [UInt64(st.st_ino)]))
        guard carrying.hasLabels.load(ordering: .acquiring) else { return true }
        var refusal = spread(carrying, Spreading(caller: caller, patiently: false))
        if refusal == nil {
            refusal = objection(toWhatHasComeFor: caller, carrying)
            // Between a process's end and that of its sockets they are nobody's.
            for _ in 0..<4 where refusal != nil {
                usleep(1000)
                refusal = objection(toWhatHasComeFor: caller, carrying)
            }
        }
        guard let refusal else { return true }
        record(refusal, .accept, .socket, "a connection from outside", caller)
        return false
    }

    private func objection(toWhatHasComeFor caller: Caller, _ carrying: Carrying) -> Carrying.Refusal? {
        carrying.state.withLock { state in
            let classes = state.labels.flowing(caller.serial)
            if classes == 0 { return nil }
            guard let around = try? surroundings(carrying, state) else {
                return Carrying.Refusal(rule: policy.builtin.data, note: "nobody can look")
            }
            return objection(to: caller.serial, carrying: classes, new: classes, around, state)
        }
    }

    /// What no call's own record speaks of.
    func record(_ refusal: Carrying.Refusal, _ operation: Operation, _ type: ResourceType, _ name: String, _ caller: Caller) {
        if carrying?.isCandidate != false { return }
        var finding = Judged(Ruling(.allow, by: .none))
        finding.refuse(refusal)
        finding.carries = carried(by: caller)
        var h = header(operation, finding.ruling, caller, type)
        h.subject = number(of: finding.judgement)
        record(h, name)
    }

    /// System V objects: every use is a call. False where it is refused.
    func mayUse(_ kind: SandboxDecode.ObjectKind, _ id: Int32, _ caller: Caller) -> Bool {
        if let shadow { _ = shadow.mayUse(kind, id, caller) }
        guard let carrying else { return true }
        let place = DataPlace(.object, device: UInt64(kind.rawValue), inode: UInt64(UInt32(bitPattern: id)))
        let way = Way(process: caller.serial, place: place, reads: true, writes: true)
        let isNew = carrying.state.withLock { state in
            state.users.insert(way)
            return !state.labels.spread([], over: [way]).isEmpty
        }
        guard isNew, let refusal = spread(carrying, Spreading(ways: [way], caller: caller)) else { return true }
        record(refusal, .other, .name, "\(kind.name) \(id)", caller)
        return false
    }
}
