/// What a pattern is in the table for. One walk over a path answers for all of them.
enum Tag: Int, CaseIterable {
    /// Out of reach altogether, or for changes only.
    case sealed, unchangeable
    case fileDeny, fileWrite, fileRead
    /// `exec.deny`: a path, a bare name anywhere, a bare name in a folder of programs.
    case execDenyPath, execDenyName, execDenyFolder
    case execAllow, execAllowName
    case unixDeny, unixAllow

    /// Whether moving a folder away from above such a pattern would take something out of its reach.
    /// Not for bare names: they hold wherever the program is moved to, and folders called `bin` are moved every day.
    var isPlaceBound: Bool {
        switch self {
        case .sealed, .unchangeable, .fileDeny, .execDenyPath, .unixDeny: true
        default: false
        }
    }
}

/// The lowest rule of each kind that matched one path. Lives on the stack.
struct Hits {
    static let none = UInt16.max
    private var lowest = InlineArray<12, UInt16>(repeating: none)
    /// A pattern of `files.write` takes in the path and all below it.
    var writesWhole = false
    /// The lowest place-bound rule that could match below the path, if it names a folder.
    var below = none

    subscript(_ tag: Tag) -> UInt16 {
        @inline(__always) get { lowest[tag.rawValue] }
    }

    @inline(__always)
    mutating func record(_ hit: PathTable.Accept) {
        if hit.rule < lowest[hit.tag.rawValue] { lowest[hit.tag.rawValue] = hit.rule }
    }
}

/// All path patterns of a policy, as a trie over names walked as a nondeterministic automaton.
///
/// A name is looked up by hash, a glob by the hash of its literal beginning or end, so that a thousand patterns
/// side by side cost as much as ten. Everything lies in flat arrays; a walk allocates nothing, but for profiles
/// in which more than `StateSet.inlineCapacity` patterns are half matched at once.
struct PathTable: Sendable {
    struct Accept: Hashable {
        let tag: Tag
        let rule: UInt16
    }

    struct Node {
        var probes: Range<Int32> = 0..<0
        /// What is decided here, and what is decided here and for all below.
        var exact: Range<Int32> = 0..<0
        var subtree: Range<Int32> = 0..<0
        /// The node that stays active for all names to come: the far side of `**`.
        var loop: Int32 = -1
        /// The lowest place-bound rule that is decided strictly below.
        var below = Hits.none
    }

    /// How edges of a node are found: the whole name, its first or last `length` bytes, or always.
    struct Probe: Hashable {
        enum Kind: UInt8 { case whole, prefix, suffix, always }
        var kind: Kind
        var length: UInt16
    }

    struct Edge {
        var source: Int32
        var probe: Probe
        /// In `pool`: the name itself for `whole`, and else the code of a glob.
        var code: Range<Int32>
        var target: Int32
        /// The next edge with the same key, or -1.
        var next: Int32
    }

    struct Slot {
        var key: UInt64 = 0
        var edge: Int32 = -1
    }

    var nodes: [Node]
    var probes: [Probe]
    var edges: [Edge]
    var accepts: [Accept]
    var pool: [UInt8]
    /// Open addressing; the count is a power of two and at least twice the number of keys.
    var slots: [Slot]

    static let hashStart: UInt64 = 0xcbf2_9ce4_8422_2325
    @inline(__always)
    static func hash(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    static func hash(_ bytes: [UInt8]) -> UInt64 { bytes.reduce(hashStart) { hash($0, $1) } }

    @inline(__always)
    static func key(_ node: Int32, _ probe: Probe, _ hash: UInt64) -> UInt64 {
        var key = hash &+ UInt64(UInt32(bitPattern: node)) &* 0x9e37_79b9_7f4a_7c15
        key ^= UInt64(probe.kind.rawValue) << 56 ^ UInt64(probe.length) << 32
        key = (key ^ key >> 29) &* 0xbf58_476d_1ce4_e5b9
        return key ^ key >> 32
    }
}

/// The active nodes of a walk: on the stack, unless there are very many.
struct StateSet {
    static let inlineCapacity = 48
    private var first = InlineArray<48, Int32>(repeating: 0)
    private var rest: [Int32] = []
    private(set) var count = 0

    subscript(_ i: Int) -> Int32 {
        @inline(__always) get { i < Self.inlineCapacity ? first[i] : rest[i - Self.inlineCapacity] }
    }

    @inline(__always)
    mutating func append(_ node: Int32) {
        if count < Self.inlineCapacity { first[count] = node } else { rest.append(node) }
        count += 1
    }

    mutating func appendOnce(_ node: Int32) {
        for i in 0..<count where self[i] == node { return }
        append(node)
    }
}
