internal import SandboxPolicy
internal import Synchronization

/// Which files and programs have something from the network, as far as it is known who writes where: what `proc.exec_downloaded` rests on.
///
/// It is kept as a graph of who gives to whom, and asked when a program starts: so it does not matter what came first, the file that was
/// opened or the connection. A program gives to the files that it opens for writing and to the pipes that it finds open; it has what comes
/// from its sockets and from the pipes it reads, from files that it is given by name or as standard input, and, until it starts another
/// program, from whoever it was forked from. There only where a rule asks.
///
/// Each link is there before anything goes over it. So what a program had is settled when it ends: nobody who is connected later can
/// have given it anything. What it was given by is then put down to the sockets that it came from, and is forgotten where there are none.
final class Downloads: Sendable {
    enum Node: Hashable {
        /// What a process runs, from one program start to the next.
        case program(UInt32)
        case pipe(UInt64)
        /// One that has been connected.
        case socket(UInt64)
        case file(device: UInt64, inode: UInt64)
        /// A file that was not there yet, in observe mode, where nobody sees it made.
        case path([UInt8])
        /// What somebody was given by a name that could not be looked up: it may be anything.
        case untold
    }

    private struct State {
        /// By the serial of a process.
        var running: [UInt32: UInt32] = [:]
        var last: UInt32 = 0
        var givers: [Node: Set<Node>] = [:]
        /// Programs that gave something to somebody, and so are remembered when they have ended.
        var isGiver: Set<UInt32> = []
        /// By the number of a socket.
        var hosts: [UInt64: [Facts.Destination]] = [:]
        /// What interpreters run, while they run.
        var scripts: [UInt32: [Node]] = [:]
        var links = 0
        /// How many there were when those that lead nowhere were last taken away.
        var sweptAt = 0
        /// One was not remembered for want of room: from then on everything counts as downloaded.
        var isFull = false
    }
    private let state = Mutex(State())
    private static let mostLinks = 1 << 18, mostHosts = 64
    /// A program that has something from more than so many, over others, is not put down to where that came from.
    private static let mostLooked = 4096

    /// What came from the network, and from where as far as that is known.
    struct Origin {
        var hosts: [Facts.Destination] = []
        var isSure = true
    }

    // MARK: Who gives to whom

    func started(_ serial: UInt32, parent: UInt32) {
        state.withLock { state in
            let former = state.running[parent]
            let own = Self.begin(serial, &state)
            if let former { Self.link(.program(former), to: .program(own), &state) }
        }
    }

    /// `reads`, `writes`: what it finds open or is given by name.
    func became(_ serial: UInt32, reads: [Node], writes: [Node]) {
        state.withLock { state in
            let former = state.running[serial]
            let own = Node.program(Self.begin(serial, &state))
            for node in reads {
                // Most are pairs of unix sockets, which lead nowhere.
                if case .socket(let number) = node, state.hosts[number] == nil { continue }
                Self.link(node, to: own, &state)
            }
            for node in writes { Self.link(own, to: node, &state) }
            if let former { Self.forget(former, &state) }
        }
    }

    func ended(_ serial: UInt32) {
        state.withLock { state in
            guard let own = state.running.removeValue(forKey: serial) else { return }
            Self.forget(own, &state)
        }
    }

    func opened(_ node: Node, by serial: UInt32, reads: Bool, writes: Bool, isNew: Bool = false) {
        state.withLock { state in
            guard let own = state.running[serial] else { return }
            // A number that was another file's.
            if isNew, let former = state.givers.removeValue(forKey: node) { state.links -= former.count }
            if writes { Self.link(.program(own), to: node, &state) }
            if reads { Self.link(node, to: .program(own), &state) }
        }
    }

    private static func begin(_ serial: UInt32, _ state: inout State) -> UInt32 {
        state.last &+= 1
        state.running[serial] = state.last
        return state.last
    }

    private static func link(_ from: Node, to node: Node, _ state: inout State) {
        if state.givers[node]?.contains(from) == true { return }
        if state.links >= mostLinks, state.links - state.sweptAt > mostLinks / 8 { sweep(&state) }
        guard state.links < mostLinks else {
            state.isFull = true
            return
        }
        state.givers[node, default: []].insert(from)
        state.links += 1
        if case .program(let number) = from { state.isGiver.insert(number) }
    }

    private static func forget(_ program: UInt32, _ state: inout State) {
        state.scripts[program] = nil
        let node = Node.program(program)
        var origins: Set<Node> = []
        if state.isGiver.contains(program) {
            guard let found = sockets(behind: node, state) else { return }
            origins = found
        }
        if let givers = state.givers.removeValue(forKey: node) { state.links -= givers.count }
        if origins.isEmpty {
            state.isGiver.remove(program)
        } else {
            state.givers[node] = origins
            state.links += origins.count
        }
    }

    /// Nil: that would take too long to find out. What nobody could look up counts among them.
    private static func sockets(behind node: Node, _ state: State) -> Set<Node>? {
        var sockets: Set<Node> = [], looked = 0
        let isTooMuch = reaches(node, state) { giver in
            looked += 1
            if giver == .untold { sockets.insert(giver) }
            if case .socket(let number) = giver, state.hosts[number] != nil { sockets.insert(giver) }
            return looked > mostLooked
        }
        return isTooMuch ? nil : sockets
    }

    /// Takes away what ended programs gave that had nothing from the network themselves.
    private static func sweep(_ state: inout State) {
        let running = Set(state.running.values)
        var links = 0
        for (node, givers) in state.givers {
            let left = givers.filter { giver in
                guard case .program(let number) = giver else { return true }
                return running.contains(number) || state.givers[giver] != nil
            }
            if left.count < givers.count { state.givers[node] = left.isEmpty ? nil : left }
            links += left.count
        }
        (state.links, state.sweptAt) = (links, links)
    }

    // MARK: The network

    /// True where an interpreter runs what it has from the one that connects now.
    func connects(_ serial: UInt32, by socket: UInt64, to host: Facts.Destination) -> Bool {
        state.withLock { state in
            guard let own = state.running[serial] else { return false }
            // Once there is no more room everything counts, wherever it is from.
            if state.isFull { return !state.scripts.isEmpty }
            let known = state.hosts[socket, default: []]
            if !known.contains(host) { state.hosts[socket] = (known.count < Self.mostHosts ? known : Array(known.dropFirst())) + [host] }
            Self.link(.socket(socket), to: .program(own), &state)
            return state.scripts.values.joined().contains { Self.reaches($0, state) { $0 == .program(own) } }
        }
    }

    /// The connection was refused.
    func refused(_ socket: UInt64, _ host: Facts.Destination) {
        state.withLock { state in
            state.hosts[socket]?.removeAll { $0 == host }
            if state.hosts[socket]?.isEmpty == true { state.hosts[socket] = nil }
        }
    }

    // MARK: What is asked

    /// Nil: nothing of it is known to come from the network. `scripts`: what the process runs as an interpreter.
    func origin(of files: [Node], scripts: [Node], of serial: UInt32) -> Origin? {
        state.withLock { state in
            if !scripts.isEmpty, let own = state.running[serial] { state.scripts[own] = scripts }
            var origin = Origin(), isFound = false
            for node in files + scripts {
                _ = Self.reaches(node, state) { giver in
                    if giver == .untold { (isFound, origin.isSure) = (true, false) }
                    guard case .socket(let number) = giver, let hosts = state.hosts[number] else { return false }
                    isFound = true
                    origin.hosts += hosts.filter { !origin.hosts.contains($0) }
                    return false
                }
            }
            if state.isFull { (isFound, origin.isSure) = (true, false) }
            return isFound ? origin : nil
        }
    }

    /// Whether one of those that give to it, over however many others, is the one.
    private static func reaches(_ node: Node, _ state: State, _ isMeant: (Node) -> Bool) -> Bool {
        var seen: Set<Node> = [node], open = [node]
        while let next = open.popLast() {
            if isMeant(next) { return true }
            for giver in state.givers[next] ?? [] where seen.insert(giver).inserted { open.append(giver) }
        }
        return false
    }
}
