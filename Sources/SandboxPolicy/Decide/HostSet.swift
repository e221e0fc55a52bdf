/// Which of `Policy.hostNames` an address belongs to, as `sandbox` itself resolved them: a set of indices.
package struct HostSet: Hashable, Sendable {
    package static let capacity = 256
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    package init() {}
    package init(_ indices: some Sequence<Int>) {
        for index in indices { insert(index) }
    }

    package var isEmpty: Bool { words.0 | words.1 | words.2 | words.3 == 0 }

    /// Preconditions: `index` is an index of `hostNames`, and so below `capacity`.
    package mutating func insert(_ index: Int) {
        precondition(index >= 0 && index < Self.capacity)
        let bit: UInt64 = 1 << UInt64(index & 63)
        switch index >> 6 {
        case 0: words.0 |= bit
        case 1: words.1 |= bit
        case 2: words.2 |= bit
        default: words.3 |= bit
        }
    }

    package func contains(_ index: Int) -> Bool {
        guard index >= 0 && index < Self.capacity else { return false }
        return word(index >> 6) & (1 << UInt64(index & 63)) != 0
    }

    @inline(__always)
    func word(_ i: Int) -> UInt64 {
        switch i {
        case 0: words.0
        case 1: words.1
        case 2: words.2
        default: words.3
        }
    }

    package static func == (a: HostSet, b: HostSet) -> Bool { a.words == b.words }
    package func hash(into hasher: inout Hasher) {
        for i in 0..<4 { hasher.combine(word(i)) }
    }
}
