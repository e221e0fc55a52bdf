/// Something that can hold data, as the kernel numbers it.
package struct DataPlace: Hashable, Sendable {
    package enum Kind: UInt8, Sendable {
        case file = 1, pipe, socket
        /// Shared by mappings, a file without a name among it; or all of the memory that several processes have in common.
        case memory
        /// The slave's side of a pseudo-terminal: what is written there comes out at its master.
        case terminal
        /// A System V object.
        case object
        /// The names in a folder.
        case folder
        /// An event counter, eventfd(2).
        case counter
        /// The names of sockets, as `/proc/net/unix` tells them to everybody.
        case names
    }
    package var kind: Kind
    package var device: UInt64
    package var inode: UInt64
    package init(_ kind: Kind, device: UInt64 = 0, inode: UInt64) {
        self.kind = kind
        self.device = device
        self.inode = inode
    }
}

/// What carries data classes: a process, by its serial, or a place.
package enum Carrier: Hashable, Sendable {
    case process(UInt32)
    case place(DataPlace)
}

/// A way that data can take between a process and a place.
package struct Way: Hashable, Sendable {
    package var process: UInt32
    package var place: DataPlace
    package var reads: Bool
    package var writes: Bool
    package init(process: UInt32, place: DataPlace, reads: Bool = false, writes: Bool = false) {
        self.process = process
        self.place = place
        self.reads = reads
        self.writes = writes
    }
}

/// That a carrier has come to carry more, and by what.
package struct Gain: Hashable, Sendable {
    package var carrier: Carrier
    package var classes: UInt64
    package var from: Carrier?
    /// In people's words, where there is no carrier that it came from: `classified by data.pii.files`.
    package var source: String?
    package init(_ carrier: Carrier, _ classes: UInt64, from: Carrier? = nil, source: String? = nil) {
        self.carrier = carrier
        self.classes = classes
        self.from = from
        self.source = source
    }
}

/// Which classes of data every process and every place of a session may hold, as bits, and how each came there. What it rests on
/// is what could flow, not what did: reading and writing are nobody's business but the kernel's.
package struct Labels: Sendable {
    private var classes: [Carrier: UInt64] = [:]
    private var gains: [Carrier: [Gain]] = [:]
    /// What a process may read without passing it on (`releases`).
    private var released: [UInt32: UInt64] = [:]
    /// What a process has from the server that it talks to, and passes on to all others (`give`).
    private var given: [UInt32: UInt64] = [:]

    package init() {}

    package var isEmpty: Bool { classes.isEmpty }
    package var count: Int { classes.count }
    package func classes(of carrier: Carrier) -> UInt64 { classes[carrier] ?? 0 }
    package func classes(of process: UInt32) -> UInt64 { classes(of: .process(process)) }

    /// What leaves a process.
    package func outgoing(_ process: UInt32) -> UInt64 { classes(of: process) & ~(released[process] ?? 0) }

    /// The same to places: what is read from a server is none of its own secrets, but whatever the process writes holds it.
    package func flowing(_ process: UInt32) -> UInt64 { outgoing(process) | given(process) }
    package func given(_ process: UInt32) -> UInt64 { given[process] ?? 0 }

    package mutating func give(_ gain: Gain) {
        guard case .process(let process) = gain.carrier else { return }
        given[process, default: 0] |= gain.classes
        gains[gain.carrier, default: []].append(gain)
    }

    /// Another program runs in the process.
    package mutating func takeBack(from process: UInt32) { given[process] = nil }

    package mutating func release(_ bits: UInt64, for process: UInt32) { released[process] = bits == 0 ? nil : bits }

    // MARK: Spreading

    /// Everything that follows from the seeds, they first, and each after what it came from. Nothing is changed yet. What is
    /// labelled already is looked at as well: a way that was not there before may lead on from it.
    package func spread(_ seeds: [Gain], over ways: [Way]) -> [Gain] {
        var found: [Gain] = []
        var more: [Carrier: UInt64] = [:]
        // Each once at a time: a process is met with every descriptor that it holds.
        var waiting: [Carrier] = [], queued: Set<Carrier> = []
        func wait(_ carrier: Carrier) { if queued.insert(carrier).inserted { waiting.append(carrier) } }
        func gain(_ g: Gain) {
            let new = g.classes & ~(classes(of: g.carrier) | (more[g.carrier] ?? 0))
            guard new != 0 else { return }
            more[g.carrier, default: 0] |= new
            found.append(Gain(g.carrier, new, from: g.from, source: g.source))
            wait(g.carrier)
        }
        var out: [UInt32: [DataPlace]] = [:], into: [DataPlace: [UInt32]] = [:]
        for way in ways {
            if way.writes { out[way.process, default: []].append(way.place) }
            if way.reads { into[way.place, default: []].append(way.process) }
            if way.writes, flowing(way.process) != 0 { wait(.process(way.process)) }
            if way.reads, classes(of: .place(way.place)) != 0 { wait(.place(way.place)) }
        }
        for seed in seeds { gain(seed) }
        while let carrier = waiting.popLast() {
            queued.remove(carrier)
            let all = classes(of: carrier) | (more[carrier] ?? 0)
            switch carrier {
            case .process(let process):
                let leaving = all & ~(released[process] ?? 0) | given(process)
                for place in out[process] ?? [] { gain(Gain(.place(place), leaving, from: carrier)) }
            case .place(let place):
                for process in into[place] ?? [] { gain(Gain(.process(process), all, from: carrier)) }
            }
        }
        return found
    }

    package mutating func take(_ found: [Gain]) {
        for g in found {
            classes[g.carrier, default: 0] |= g.classes
            gains[g.carrier, default: []].append(g)
        }
    }

    /// A new process has all that its maker has.
    package mutating func inherit(_ child: UInt32, from parent: UInt32) -> Gain? {
        let bits = classes(of: parent) | given(parent)
        guard bits != 0 else { return nil }
        let gain = Gain(.process(child), bits, from: .process(parent))
        take([gain])
        return gain
    }

    package mutating func forget(_ carrier: Carrier) {
        classes[carrier] = nil
        if case .process(let serial) = carrier { (released[serial], given[serial]) = (nil, nil) }
    }

    /// What was never one of these is forgotten: pipes and sockets that nobody holds any more, and memory.
    package mutating func keep(only held: Set<DataPlace>) {
        let lasting: [DataPlace.Kind] = [.file, .folder, .object, .names]
        for case .place(let place) in classes.keys where !lasting.contains(place.kind) && !held.contains(place) {
            classes[.place(place)] = nil
        }
    }

    package var hasCounters: Bool { classes.keys.contains { if case .place(let place) = $0 { place.kind == .counter } else { false } } }

    /// Numbers of event counters come round again at once: those that nobody holds are forgotten.
    package mutating func keepCounters(only held: Set<DataPlace>) {
        for case .place(let place) in classes.keys where place.kind == .counter && !held.contains(place) { classes[.place(place)] = nil }
    }

    // MARK: Why

    /// How the class came to the carrier, from its beginning. A process that is gone has its part in it still.
    package func chain(to carrier: Carrier, _ bit: UInt64) -> [Gain] {
        var steps: [Gain] = []
        var at: Carrier? = carrier
        var seen: Set<Carrier> = []
        while let next = at, seen.insert(next).inserted, let gain = gains[next]?.first(where: { $0.classes & bit != 0 }) {
            steps.append(gain)
            at = gain.from
        }
        return steps.reversed()
    }
}
