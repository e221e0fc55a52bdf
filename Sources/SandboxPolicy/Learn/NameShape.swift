/// One name as a pattern that the next run fits as well: versions, dates, numbers, hashes and what programs make up for a moment
/// become `*`, everything else stays, with what a pattern would take for its own escaped.
package enum NameShape {
    /// The name itself, as a pattern that means nothing else.
    package static func literal(_ name: some Sequence<UInt8>) -> String {
        var out: [UInt8] = []
        for byte in name {
            switch byte {
            case UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "["), UInt8(ascii: "\\"), UInt8(ascii: "{"), UInt8(ascii: "}"),
                UInt8(ascii: "$"):
                out += [UInt8(ascii: "\\"), byte]
            default: out.append(byte)
            }
        }
        if let text = String(validating: out, as: UTF8.self) { return text }
        // A pattern is text; what is none in a name is any byte.
        return String(decoding: out.map { $0 < 0x80 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    package static func pattern(_ name: some Collection<UInt8>) -> String {
        let bytes = Array(name)
        if isHash(bytes[...]) || isUUID(bytes) { return "*" }
        if let made = temporary(bytes) { return made }
        var parts: [String] = [], start = 0
        while start < bytes.count {
            let isWord = isAlphanumeric(bytes[start])
            let end = bytes[start...].firstIndex { isAlphanumeric($0) != isWord } ?? bytes.count
            let before = start > 0 ? bytes[start - 1] : nil, after = end < bytes.count ? bytes[end] : nil
            let goesOn = parts.count > 1 && parts[parts.count - 2] == "*" && isNumber(bytes[start..<end])
            parts.append(goesOn ? "*" : isWord ? word(bytes[start..<end], before, after) : literal(bytes[start..<end]))
            start = end
        }
        return joined(parts)
    }

    /// How much of a pattern is the name's own.
    package static func literalBytes(_ pattern: String) -> Int {
        pattern.utf8.count { $0 != UInt8(ascii: "*") && $0 != UInt8(ascii: "\\") }
    }

    // MARK: Words

    private static func word(_ word: ArraySlice<UInt8>, _ before: UInt8?, _ after: UInt8?) -> String {
        if isVersion(word, before, after) || isHash(word) || isRandom(word) || isTime(word) { return "*" }
        // `v1` of `v1.2.3`.
        if after == UInt8(ascii: "."), before != UInt8(ascii: "."), word.first == UInt8(ascii: "v"), word.count > 1,
            word.dropFirst().allSatisfy(isDigit)
        {
            return "v*"
        }
        let digits = word.reversed().prefix(while: isDigit).count
        if digits >= 5, digits < word.count { return literal(word.dropLast(digits)) + "*" }
        return literal(word)
    }

    /// `11` of `python3.11`, `7rc1` of `3.11.7rc1`, `12` of `gcc-12`, `2026` of `2026-11-26.log`; not the `64` of `x86_64`.
    private static func isVersion(_ word: ArraySlice<UInt8>, _ before: UInt8?, _ after: UInt8?) -> Bool {
        guard let first = word.first, isDigit(first) else { return false }
        if word.allSatisfy(isDigit) {
            guard let before else { return after == nil || after == UInt8(ascii: "-") || after == UInt8(ascii: ".") }
            return before != UInt8(ascii: "_") || word.count >= 5
        }
        let number = word.prefix(while: isDigit).count, tail = word.dropFirst(number)
        let marks = ["a", "b", "rc", "alpha", "beta", "dev", "post", "p"]
        return before == UInt8(ascii: ".")
            && marks.contains { mark in
                tail.starts(with: mark.utf8) && tail.dropFirst(mark.utf8.count).allSatisfy(isDigit)
            }
    }

    /// `26T21` of `2026-11-26T21_27_24_591Z`.
    private static func isTime(_ word: ArraySlice<UInt8>) -> Bool {
        let day = word.prefix(while: isDigit)
        return (1...8).contains(day.count) && word.dropFirst(day.count).first == UInt8(ascii: "T")
            && isNumber(word.dropFirst(day.count + 1))
    }

    /// With the letter of a time zone, perhaps.
    private static func isNumber(_ word: ArraySlice<UInt8>) -> Bool {
        let digits = word.last == UInt8(ascii: "Z") ? word.dropLast() : word
        return !digits.isEmpty && digits.allSatisfy(isDigit)
    }

    private static func isHash(_ word: ArraySlice<UInt8>) -> Bool {
        guard word.count >= 7, word.allSatisfy({ isDigit($0) || (0x61...0x66).contains($0) || (0x41...0x46).contains($0) }) else {
            return false
        }
        return word.contains(where: isDigit) && (word.count >= 16 || word.contains { !isDigit($0) })
    }

    private static func isUUID(_ name: [UInt8]) -> Bool {
        let groups = name.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return groups.map(\.count) == [8, 4, 4, 4, 12]
            && groups.allSatisfy { $0.allSatisfy { isDigit($0) || (0x61...0x66).contains($0 | 0x20) } }
    }

    /// Kinds of characters change so often that nobody has thought of it; a capital begins a word.
    private static func isRandom(_ word: ArraySlice<UInt8>) -> Bool {
        guard (6...40).contains(word.count) else { return false }
        var runs = 0, last: Kind?
        for byte in word {
            let kind = Kind(byte)
            if kind != last, !(kind == .lower && last == .upper) { runs += 1 }
            last = kind
        }
        return runs >= 3 && word.count * 10 <= runs * 23
    }

    private enum Kind {
        case digit, upper, lower
        init(_ byte: UInt8) { self = isDigit(byte) ? .digit : byte & 0x20 == 0 ? .upper : .lower }
    }

    // MARK: Whole names

    /// `tmpk_jx9dqe` of Python, `ccvhN0mM.s` of compilers: a fixed beginning, so many characters, and perhaps an ending.
    private static func temporary(_ name: [UInt8]) -> String? {
        for (beginning, count) in [("tmp", 8), ("cc", 6)] where name.starts(with: beginning.utf8) {
            let made = name.dropFirst(beginning.utf8.count).prefix { $0 != UInt8(ascii: ".") }
            let isMade =
                made.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "_") } && made.contains { isDigit($0) || $0 & 0x20 == 0 }
            guard made.count == count, isMade || beginning == "tmp" && made.contains(UInt8(ascii: "_")) else { continue }
            let ending = name.dropFirst(beginning.utf8.count + count)
            return beginning + "*" + (ending.isEmpty ? "" : pattern(ending))
        }
        return nil
    }

    /// `3.11.7` is one version.
    private static func joined(_ parts: [String]) -> String {
        var out: [String] = []
        for part in parts {
            if part == "*", out.count >= 2, out[out.count - 2] == "*", [".", "-", "_", ":"].contains(out[out.count - 1]) {
                out.removeLast()
            } else {
                out.append(part)
            }
        }
        return out.joined()
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }
}
