internal import Glibc
internal import SandboxKernel
internal import SandboxLineage
internal import SandboxModel

/// Everything that the processes of a session hold at a moment, and so every way that data may take from now on.
struct Surroundings {
    private(set) var ways: [Way] = []
    /// By process: where its connections lead to outside the session.
    private(set) var outside: [UInt32: [Outside]] = [:]
    /// Whoever has a unix socket may be sent a descriptor.
    private(set) var canBeHanded: Set<UInt32> = []
    private(set) var places: Set<DataPlace> = []
    /// A descriptor of each place, to find its name by.
    private(set) var samples: [DataPlace: (pid: Int32, descriptor: Int32)] = [:]
    let sockets: SocketMap
    private let written: Set<DataPlace>

    enum Outside: Hashable {
        case ip(IPAddress, port: UInt16)
        /// A unix socket whose other end nobody in the session has.
        case unix
    }

    /// `processes`: by serial. `inherited`: sockets that the session was started with; they are nobody's egress. `passed`: what was
    /// sent over unix sockets: between two processes it is in nobody's list, so that whoever can be sent something may have it. `written`: files that were opened for writing.
    init(
        of processes: [UInt32: Int32], ancestors: (UInt32) -> [UInt32], threads: Bool, inherited: Set<UInt64>, passed: Set<DataPlace>,
        written: Set<DataPlace>
    ) throws(Errno) {
        self.written = written
        sockets = try SocketMap()
        var held = Set(passed.lazy.filter { $0.kind == .socket }.map(\.inode))
        var ends: [(process: UInt32, inode: UInt64)] = []
        for (serial, pid) in processes {
            for h in try Holding.all(of: pid, mappings: true, threads: threads) {
                if h.kind == .socket {
                    held.insert(h.inode)
                    ends.append((serial, h.inode))
                } else {
                    take(h, serial, pid)
                }
            }
            joinMemory(serial, pid, ancestors(serial), processes)
        }
        for end in Set(ends.map { End(process: $0.process, inode: $0.inode) }) {
            join(end.process, end.inode, held, isInherited: inherited.contains(end.inode))
        }
        for place in passed {
            for process in canBeHanded {
                if place.kind == .socket {
                    join(process, place.inode, held, isInherited: inherited.contains(place.inode))
                } else {
                    add(process, place, reads: true, writes: true)
                }
            }
        }
    }

    private struct End: Hashable {
        let process: UInt32
        let inode: UInt64
    }

    private mutating func add(_ process: UInt32, _ place: DataPlace, reads: Bool, writes: Bool) {
        ways.append(Way(process: process, place: place, reads: reads, writes: writes))
        places.insert(place)
    }

    private mutating func take(_ h: Holding, _ serial: UInt32, _ pid: Int32) {
        switch h.kind {
        case .terminal:
            add(serial, Self.terminal(h.inode, input: false), reads: false, writes: h.writes)
            add(serial, Self.terminal(h.inode, input: true), reads: h.reads, writes: false)
        case .master:
            add(serial, Self.terminal(h.inode, input: false), reads: h.reads, writes: false)
            add(serial, Self.terminal(h.inode, input: true), reads: false, writes: h.writes)
        default:
            let place = Self.place(h)
            // What is mapped for reading alone may be made writable where it was opened for writing, mprotect(2).
            add(serial, place, reads: h.reads, writes: h.writes || h.descriptor < 0 && written.contains(place))
            if h.descriptor >= 0, samples[place] == nil { samples[place] = (pid, h.descriptor) }
        }
    }

    static func place(_ h: Holding) -> DataPlace {
        let kind: DataPlace.Kind = h.kind == .file ? .file : h.kind == .pipe ? .pipe : .memory
        return DataPlace(kind, device: h.device, inode: h.inode)
    }

    /// Two ways: what programs write there, and what they read there. (There is no echo but by the terminal itself.)
    static func terminal(_ number: UInt64, input: Bool) -> DataPlace { DataPlace(.terminal, device: input ? 1 : 0, inode: number) }
    static func socket(_ inode: UInt64) -> DataPlace { DataPlace(.socket, inode: inode) }

    private mutating func joinMemory(_ serial: UInt32, _ pid: Int32, _ ancestors: [UInt32], _ processes: [UInt32: Int32]) {
        for other in ancestors {
            guard let its = processes[other], Holding.areJoined(pid, its) else { continue }
            let place = DataPlace(.memory, device: .max, inode: UInt64(min(serial, other)))
            for process in [serial, other] { add(process, place, reads: true, writes: true) }
        }
    }

    private mutating func join(_ process: UInt32, _ inode: UInt64, _ held: Set<UInt64>, isInherited: Bool) {
        let own = Self.socket(inode)
        if sockets.isUnix(inode) { canBeHanded.insert(process) }
        add(process, own, reads: true, writes: sockets.isListening(inode))
        for end in sockets.ends(of: inode) {
            switch end {
            case .socket(let other) where held.contains(other): add(process, Self.socket(other), reads: false, writes: true)
            // Not accepted yet: whatever the server has is the client's, and the other way round.
            case .server(let other) where held.contains(other): add(process, Self.socket(other), reads: true, writes: true)
            case .outside(let ip, let port): outside[process, default: []].append(.ip(ip, port: port))
            case .socket, .server, .unknown:
                guard !isInherited else { continue }
                let remote = sockets.remote(of: inode)
                outside[process, default: []].append(remote.map { .ip($0.ip, port: $0.port) } ?? .unix)
            }
        }
    }
}
