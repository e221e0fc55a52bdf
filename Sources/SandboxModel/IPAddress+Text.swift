extension IPAddress: CustomStringConvertible {
    /// `192.0.2.1`, or the shortest form of RFC 5952 (section 4).
    package var description: String {
        isV4 ? (0..<4).map { "\(low >> (24 - 8 * $0) & 0xff)" }.joined(separator: ".") : shortest
    }

    private var shortest: String {
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> (48 - 16 * ($0 % 4))) }
        guard let zeros = longestZeros(groups) else { return text(groups[...]) }
        return text(groups[..<zeros.lowerBound]) + "::" + text(groups[zeros.upperBound...])
    }

    private func text(_ groups: ArraySlice<UInt16>) -> String {
        groups.map { String($0, radix: 16) }.joined(separator: ":")
    }

    /// The first of the longest runs of at least two groups that are zero.
    private func longestZeros(_ groups: [UInt16]) -> Range<Int>? {
        var best: Range<Int>?
        var start = 0
        for i in 0...8 where i == 8 || groups[i] != 0 {
            if i - start > max(best?.count ?? 0, 1) { best = start..<i }
            start = i + 1
        }
        return best
    }
}
