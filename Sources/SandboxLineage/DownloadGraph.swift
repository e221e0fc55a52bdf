/// Who gives to whom, as far as it is known who writes where: what follows from a connection.
///
/// A program gives to the files that it opens for writing and to the pipes that it finds open; it has what comes from its sockets and from
/// the pipes it reads, from files that it is given by name or as standard input, and, until it starts another program, from whoever it was
/// forked from.
///
/// Each link is there before anything goes over it. So what a program had is settled when it ends: nobody who is connected later can
/// have given it anything. What it was given by is then put down to the sockets that it came from, and is forgotten where there are none.
package struct DownloadGraph: Sendable {
    package enum Node: Hashable, Sendable {
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

    /// By the serial of a process.
    private var running: [UInt32: UInt32] = [:]
    private var last: UInt32 = 0
    private var givers: [Node: Set<Node>] = [:]
    /// Programs that gave something to somebody, and so are remembered when they have ended.
    private var isGiver: Set<UInt32> = []
    private var connected: Set<UInt64> = []
    /// What interpreters run, while they run.
    private var scripts: [UInt32: [Node]] = [:]
    private var links = 0
    /// How many there were when those that lead nowhere were last taken away.
    private var sweptAt = 0
    private var crowds: [Crowd] = []
    /// One was not remembered for want of room: from then on everything counts as downloaded.
    package private(set) var isFull = false

    private let mostLinks: Int
    /// A program that has something from more than so many, over others, is not put down to where that came from.
    private static let mostLooked = 4096
    private static let mostCrowds = 16

    package init(mostLinks: Int = 1 << 18) { self.mostLinks = mostLinks }

    // MARK: Who gives to whom

    package mutating func started(_ serial: UInt32, parent: UInt32) {
        let former = running[parent]
        let own = begin(serial)
        if let former { link(.program(former), to: .program(own)) }
    }

    /// `reads`, `writes`: what it finds open or is given by name.
    package mutating func became(_ serial: UInt32, reads: [Node], writes: [Node]) {
        let former = running[serial]
        let own = Node.program(begin(serial))
        for node in reads {
            // Most are pairs of unix sockets, which lead nowhere.
            if case .socket(let number) = node, !connected.contains(number) { continue }
            link(node, to: own)
        }
        for node in writes { link(own, to: node) }
        if let former { forget(former) }
    }

    package mutating func ended(_ serial: UInt32) {
        guard let own = running.removeValue(forKey: serial) else { return }
        forget(own)
    }

    package mutating func opened(_ node: Node, by serial: UInt32, reads: Bool, writes: Bool, isNew: Bool) {
        guard let own = running[serial] else { return }
        // A number that was another file's.
        if isNew, let former = givers.removeValue(forKey: node) { links -= former.count }
        if writes { link(.program(own), to: node) }
        if reads { link(node, to: .program(own)) }
    }

    private mutating func begin(_ serial: UInt32) -> UInt32 {
        last &+= 1
        running[serial] = last
        return last
    }

    private mutating func forget(_ program: UInt32) {
        scripts[program] = nil
        let node = Node.program(program)
        var origins: Set<Node> = []
        if isGiver.contains(program) {
            guard let found = sockets(behind: node) else { return }
            origins = found
        }
        if let given = givers.removeValue(forKey: node) { links -= given.count }
        if origins.isEmpty {
            isGiver.remove(program)
            leaveCrowds { $0 != node }
        } else {
            givers[node] = origins
            links += origins.count
        }
    }

    /// Nil: that would take too long to find out. What nobody could look up counts among them.
    private func sockets(behind node: Node) -> Set<Node>? {
        var sockets: Set<Node> = [], looked = 0
        let isTooMuch = reaches(node) { giver in
            looked += 1
            if giver == .untold { sockets.insert(giver) }
            if case .socket(let number) = giver, connected.contains(number) { sockets.insert(giver) }
            return looked > Self.mostLooked
        }
        return isTooMuch ? nil : sockets
    }

    // MARK: Room

    private mutating func link(_ from: Node, to node: Node) {
        if givers[node]?.contains(from) == true { return }
        if let crowd = crowds.firstIndex(where: { $0.givers.contains(from) }) { return crowds[crowd].insert(node) }
        if links >= mostLinks, links - sweptAt > mostLinks / 8 { sweep() }
        if links >= mostLinks { gather() }
        guard links < mostLinks else {
            isFull = true
            return
        }
        givers[node, default: []].insert(from)
        links += 1
        if case .program(let number) = from { isGiver.insert(number) }
    }

    /// Takes away what ended programs gave that had nothing from the network themselves.
    private mutating func sweep() {
        let running = Set(running.values), known = givers
        func counts(_ giver: Node) -> Bool {
            guard case .program(let number) = giver else { return true }
            return running.contains(number) || known[giver] != nil
        }
        var links = 0
        for (node, given) in known {
            let left = given.filter(counts)
            if left.count < given.count { givers[node] = left.isEmpty ? nil : left }
            links += left.count
        }
        leaveCrowds(counts)
        (self.links, sweptAt) = (links, links)
    }

    /// The program that gave to most others makes room: what it gave to is no longer listed one by one.
    private mutating func gather() {
        var counts: [Node: Int] = [:]
        for given in givers.values {
            for giver in given { if case .program = giver { counts[giver, default: 0] += 1 } }
        }
        guard let (most, count) = counts.max(by: { $0.value < $1.value }), count > mostLinks / 64 else { return }
        if crowds.count < Self.mostCrowds { crowds.append(Crowd()) }
        let last = crowds.count - 1
        crowds[last].givers.insert(most)
        for (node, given) in givers where given.contains(most) {
            crowds[last].insert(node)
            givers[node] = given.count == 1 ? nil : given.subtracting([most])
        }
        links -= count
    }

    private mutating func leaveCrowds(_ stays: (Node) -> Bool) {
        if crowds.isEmpty { return }
        for i in crowds.indices { crowds[i].givers = crowds[i].givers.filter(stays) }
        crowds.removeAll { $0.givers.isEmpty }
    }

    // MARK: The network

    /// True where an interpreter runs what it has from the one that connects now.
    package mutating func connects(_ serial: UInt32, by socket: UInt64) -> Bool {
        guard let own = running[serial] else { return false }
        // Once there is no more room everything counts, wherever it is from.
        if isFull { return !scripts.isEmpty }
        connected.insert(socket)
        link(.socket(socket), to: .program(own))
        return scripts.values.joined().contains { reaches($0) { $0 == .program(own) } }
    }

    /// Nothing was connected after all.
    package mutating func forget(socket: UInt64) { connected.remove(socket) }

    // MARK: What is asked

    /// The process is an interpreter, and runs these.
    package mutating func runs(_ files: [Node], _ serial: UInt32) {
        if !files.isEmpty, let own = running[serial] { scripts[own] = files }
    }

    /// The sockets that something of it came from, and whether some of it may be from anywhere.
    package func origin(of files: [Node]) -> (sockets: [UInt64], isUntold: Bool) {
        var sockets: [UInt64] = [], isUntold = false
        for node in files {
            _ = reaches(node) { giver in
                if giver == .untold { isUntold = true }
                if case .socket(let number) = giver, connected.contains(number) { sockets.append(number) }
                return false
            }
        }
        return (sockets, isUntold)
    }

    /// Whether one of those that give to it, over however many others, is the one.
    private func reaches(_ node: Node, _ isMeant: (Node) -> Bool) -> Bool {
        var seen: Set<Node> = [node], open = [node]
        while let next = open.popLast() {
            if isMeant(next) { return true }
            for giver in givers[next] ?? [] where seen.insert(giver).inserted { open.append(giver) }
            for crowd in crowds where crowd.contains(next) {
                for giver in crowd.givers where seen.insert(giver).inserted { open.append(giver) }
            }
        }
        return false
    }
}

/// What was given to so many that they are not listed: a Bloom filter. What is in it is found; of what is not, with a million files
/// two in a hundred are taken for one that is.
private struct Crowd: Sendable {
    var givers: Set<DownloadGraph.Node> = []
    private var words = [UInt64](repeating: 0, count: 1 << 17)

    private static func places(_ node: DownloadGraph.Node) -> [Int] {
        var hasher = Hasher()
        hasher.combine(node)
        let hash = UInt64(truncatingIfNeeded: hasher.finalize())
        let first = hash & 0xffff_ffff, step = hash >> 32 | 1
        return (0..<4).map { Int((first &+ $0 &* step) & (1 << 23 - 1)) }
    }

    mutating func insert(_ node: DownloadGraph.Node) {
        for place in Self.places(node) { words[place >> 6] |= 1 << UInt64(place & 63) }
    }

    func contains(_ node: DownloadGraph.Node) -> Bool {
        Self.places(node).allSatisfy { words[$0 >> 6] & (1 << UInt64($0 & 63)) != 0 }
    }
}
