internal import Glibc
internal import SandboxKernel
internal import SandboxLineage
internal import SandboxModel

/// Everything that the processes of a session hold at a moment, and so every way that data may take from now on.
struct Surroundings {
    private(set) var ways: [Way] = []
    /// By process: where its connections lead to outside the session.
    private(set) var outside: [UInt32: [Outside]] = [:]
    /// Whoever has a unix socket that something was sent through may have been sent it.
    private(set) var canBeHanded: Set<UInt32> = []
    private(set) var places: Set<DataPlace> = []
    /// A descriptor of each place, to find its name by.
    private(set) var samples: [DataPlace: Holding] = [:]
    private(set) var sockets: SocketMap
    private let written: Set<DataPlace>
    private let touched: Set<UInt64>
    private let accepted: Set<UInt64>
    /// Our own sockets, once somebody has asked.
    private var ours: Set<UInt64>?

    enum Outside: Hashable {
        case ip(IPAddress, port: UInt16)
        /// A unix socket whose other end nobody in the session has.
        case unix
    }

    /// `processes`: by serial. `inherited`: sockets that the session was started with; they are nobody's egress. `passed`: what was
    /// sent over unix sockets: between two processes it is in nobody's list, so that whoever can be sent something may have it. `written`:
    /// files that were opened for writing. `pending`: what calls bring that are under way.
    init(
        of processes: [UInt32: Int32], ancestors: (UInt32) -> [UInt32], mayShare: (Int32) -> Bool, threads: Bool, inherited: Set<UInt64>,
        passed: Set<Way> = [], touched: Set<UInt64> = [], accepted: Set<UInt64> = [], written: Set<DataPlace> = [],
        pending: [Carrying.Pending] = []
    ) throws(Errno) {
        self.written = written
        self.touched = touched
        self.accepted = accepted
        sockets = try SocketMap()
        var held = Set(passed.lazy.map(\.place).filter { $0.kind == .socket }.map(\.inode))
        var settings: [(process: UInt32, held: Holding)] = []
        /// One of each process that has not ended.
        var tasks: [UInt32: Int32] = [:]
        var ends: [(process: UInt32, inode: UInt64)] = []
        for call in pending where processes[call.process] != nil {
            for way in call.ways { add(way.process, way.place, reads: way.reads, writes: way.writes) }
            if !call.outside.isEmpty { outside[call.process, default: []] += call.outside }
            for inode in call.sockets {
                held.insert(inode)
                ends.append((call.process, inode))
            }
        }
        for (serial, pid) in processes {
            let all = try Holding.all(of: pid, mappings: true, threads: threads)
            tasks[serial] = all.task
            for h in all.holdings {
                if h.kind == .socket {
                    held.insert(h.inode)
                    ends.append((serial, h.inode))
                } else if h.kind == .settings {
                    settings.append((serial, h))
                } else {
                    take(h, serial)
                }
            }
        }
        for (serial, task) in tasks {
            for other in ancestors(serial) {
                if let its = tasks[other], Holding.areJoined(task, its) { joinMemory(serial, other) }
            }
        }
        try sockets.addConnections(of: held)
        joinSettings(settings, isPassed: passed.contains { $0.place == Self.passedSettings })
        joinAll(tasks.filter { mayShare(processes[$0.key] ?? 0) }.sorted { $0.key < $1.key })
        for end in Set(ends.map { End(process: $0.process, inode: $0.inode) }) {
            join(end.process, end.inode, held, isInherited: inherited.contains(end.inode))
        }
        for way in passed {
            for process in canBeHanded {
                if way.place.kind == .socket {
                    join(process, way.place.inode, held, isInherited: inherited.contains(way.place.inode))
                } else {
                    add(process, way.place, reads: way.reads, writes: way.writes)
                }
            }
        }
    }

    /// A connection that is being accepted is in our own hands until it is in the server's, who is asked about it then. Nil: nobody knows.
    static func socketsInOurHands() -> Set<UInt64>? {
        guard let all = try? Holding.all(of: getpid(), mappings: false, threads: false) else { return nil }
        return Set(all.holdings.lazy.filter { $0.kind == .socket }.map(\.inode))
    }

    private mutating func isOurs(_ inode: UInt64) -> Bool {
        let all = ours ?? Self.socketsInOurHands() ?? []
        ours = all
        return all.contains(inode)
    }

    private struct End: Hashable {
        let process: UInt32
        let inode: UInt64
    }

    private mutating func add(_ process: UInt32, _ place: DataPlace, reads: Bool, writes: Bool) {
        ways.append(Way(process: process, place: place, reads: reads, writes: writes))
        places.insert(place)
    }

    private mutating func take(_ h: Holding, _ serial: UInt32) {
        for way in Self.ways(of: h, serial) {
            // What is mapped for reading alone may be made writable where it was opened for writing, mprotect(2).
            add(serial, way.place, reads: way.reads, writes: way.writes || h.isSharedMapping && written.contains(way.place))
            if h.descriptor >= 0, way.place.kind != .terminal, samples[way.place] == nil { samples[way.place] = h }
        }
    }

    /// A terminal has two.
    static func ways(of h: Holding, _ process: UInt32) -> [Way] {
        switch h.kind {
        case .terminal, .master:
            let isSlave = h.kind == .terminal
            return [
                Way(process: process, place: terminal(h.inode, input: false), reads: !isSlave && h.reads, writes: isSlave && h.writes),
                Way(process: process, place: terminal(h.inode, input: true), reads: isSlave && h.reads, writes: !isSlave && h.writes),
            ]
        case .socket: return [Way(process: process, place: socket(h.inode), reads: true, writes: true)]
        case .settings: return [Way(process: process, place: passedSettings, reads: true, writes: true)]
        default: return [Way(process: process, place: place(h), reads: h.reads, writes: h.writes)]
        }
    }

    /// Of waits and timers that are under way nobody can tell which they are.
    private static let passedSettings = DataPlace(.counter, device: .max, inode: 0)

    /// Those who have one and the same. Where they are many, nobody asks.
    private mutating func joinSettings(_ all: [(process: UInt32, held: Holding)], isPassed: Bool) {
        for (i, one) in all.enumerated() {
            if isPassed { add(one.process, Self.passedSettings, reads: true, writes: true) }
            for other in all[..<i] where other.process != one.process && (all.count > 256 || Holding.areSame(one.held, other.held)) {
                joinMemory(one.process, other.process)
            }
        }
    }

    private static func place(_ h: Holding) -> DataPlace {
        let kind: DataPlace.Kind =
            switch h.kind {
            case .file: .file
            case .folder: .folder
            case .pipe: .pipe
            case .counter: .counter
            default: .memory
            }
        return DataPlace(kind, device: h.device, inode: h.inode)
    }

    /// Two ways: what programs write there, and what they read there. (There is no echo but by the terminal itself.)
    static func terminal(_ number: UInt64, input: Bool) -> DataPlace { DataPlace(.terminal, device: input ? 1 : 0, inode: number) }
    static let socketNames = DataPlace(.names, inode: 0)
    static func socket(_ inode: UInt64) -> DataPlace { DataPlace(.socket, inode: inode) }

    private mutating func joinMemory(_ one: UInt32, _ other: UInt32) {
        let place = DataPlace(.memory, device: .max, inode: UInt64(min(one, other)))
        for process in [one, other] { add(process, place, reads: true, writes: true) }
    }

    /// Those that clone(2) may have given each other's memory, who need not be each other's ancestors any more. Where they are many, nobody asks.
    private mutating func joinAll(_ some: [(key: UInt32, value: Int32)]) {
        for (i, one) in some.enumerated() {
            for other in some[..<i] where some.count > 32 || Holding.areJoined(one.value, other.value) { joinMemory(one.key, other.key) }
        }
    }

    private mutating func join(_ process: UInt32, _ inode: UInt64, _ held: Set<UInt64>, isInherited: Bool) {
        let own = Self.socket(inode)
        if sockets.isUnix(inode), mayHold(inode) { canBeHanded.insert(process) }
        add(process, own, reads: true, writes: sockets.isListening(inode))
        // Whoever has connected within this machine may have said all that he had to say and gone, and nobody comes to have his end
        // again. That there was one is known from accept(2); an address alone does not tell.
        if accepted.contains(inode), sockets.isAbandoned(inode) { return }
        for end in sockets.ends(of: inode) {
            switch end {
            case .socket(let other) where held.contains(other) || isOurs(other):
                add(process, Self.socket(other), reads: false, writes: true)
            // Not accepted yet: whatever the server has is the client's, and the other way round.
            case .server(let other) where held.contains(other): add(process, Self.socket(other), reads: true, writes: true)
            case .outside(let ip, let port): outside[process, default: []].append(.ip(ip, port: port))
            case .socket, .server, .unknown:
                // Another session's, maybe, that is told what arrives there.
                if let other = end.inode { add(process, Self.socket(other), reads: false, writes: true) }
                guard !isInherited else { continue }
                let remote = sockets.remote(of: inode)
                outside[process, default: []].append(remote.map { .ip($0.ip, port: $0.port) } ?? .unix)
            }
        }
    }
}

extension Surroundings {
    /// Whether what was sent may lie in this unix socket. Not in one whose other end is known, where neither was sent through: the pair
    /// that a library keeps to wake itself. One that was connected to later has an end that was, or one that is gone.
    private func mayHold(_ inode: UInt64) -> Bool {
        let ends = sockets.ends(of: inode)
        return touched.contains(inode) || ends.isEmpty
            || ends.contains {
                if case .socket(let other) = $0 { touched.contains(other) } else { true }
            }
    }
}

extension SocketMap.End {
    var inode: UInt64? {
        switch self {
        case .socket(let inode), .server(let inode): inode
        case .outside, .unknown: nil
        }
    }
}
