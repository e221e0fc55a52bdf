/// What a sub-agent may be called. Names are nested with `/` as they are given, so that nothing in a name's subtree can be
/// without it: `sandbox as coder` below `planner` is `planner/coder`.
package enum SubagentName {
    package static let longest = 64
    /// Of the whole, with all that it is nested in.
    package static let longestPath = 256

    /// Letters, digits and `. _ - : @ +`, a letter or a digit first.
    package static func isValid(_ name: some Collection<UInt8>) -> Bool {
        guard let first = name.first, isAlphanumeric(first), name.count <= longest else { return false }
        return name.allSatisfy { isAlphanumeric($0) || ".:@+_-".utf8.contains($0) }
    }

    /// nil where it would be nested too deep.
    package static func nested(_ name: [UInt8], in outer: [UInt8]?) -> [UInt8]? {
        let path = outer.map { $0 + [UInt8(ascii: "/")] + name } ?? name
        return path.count <= longestPath ? path : nil
    }

    /// All that somebody with this name is: `a/b/c` is also `a`, `b`, `c` and `a/b`. Whoever gives himself a further name only adds to
    /// it.
    package static func all(in path: [UInt8]) -> [[UInt8]] {
        let slash = UInt8(ascii: "/")
        return path.split(separator: slash).map { Array($0) } + path.indices.filter { path[$0] == slash }.map { Array(path[..<$0]) } + [
            path
        ]
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20) }
}

/// How the supervisor answers `sandbox as NAME …`, in the place of the first byte of `as`, before the program's first
/// instruction: there is no way to the supervisor inside a session, and none is needed.
package enum SubagentAnswer {
    package static let word = Array("as".utf8)
    package static let accepted: UInt8 = 0x06
    /// The name would be nested too deep.
    package static let refused: UInt8 = 0x15

    /// nil: nobody has answered, or it is another command.
    package static func read(_ word: [UInt8]) -> UInt8? {
        guard let first = word.first, word[1...] == self.word[1...] else { return nil }
        return first == accepted || first == refused ? first : nil
    }
}
