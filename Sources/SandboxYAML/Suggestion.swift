/// "did you mean": the nearest of the words that would have been right.
package enum Suggestion {
    /// Longer words are not typing errors of ours, and the cost is quadratic.
    private static let longest = 64

    package static func help(for word: String, among known: [String]) -> String {
        if let nearest = nearest(to: word, among: known) { return "did you mean `\(nearest)`?" }
        return "one of " + known.map { "`\($0)`" }.joined(separator: ", ")
    }

    package static func nearest(to word: String, among known: [String]) -> String? {
        guard word.utf8.count <= longest else { return nil }
        let word = word.lowercased()
        var best: (word: String, distance: Int)?
        for candidate in known {
            let distance = distance(Array(word.utf8), Array(candidate.lowercased().utf8))
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        guard let best, best.distance <= max(1, min(word.utf8.count, best.word.utf8.count) / 3) else { return nil }
        return best.word
    }

    /// Levenshtein's distance with neighbours swapped counted once, over bytes.
    package static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var before: [Int] = []
        var previous = Array(0...b.count)
        for (i, byte) in a.enumerated() {
            var row = [i + 1]
            for (j, other) in b.enumerated() {
                var cost = min(row[j] + 1, previous[j + 1] + 1, previous[j] + (byte == other ? 0 : 1))
                if i > 0, j > 0, byte == b[j - 1], a[i - 1] == other { cost = min(cost, before[j - 1] + 1) }
                row.append(cost)
            }
            before = previous
            previous = row
        }
        return previous[b.count]
    }
}
