/// What is wrong with a pattern, in words.
struct PatternProblem: Error, Hashable {
    let message: String
    let help: String?
    init(_ message: String, help: String? = nil) {
        self.message = message
        self.help = help
    }
}

/// A glob over one name (a path component, a variable, an abstract socket): `*`, `?`, `[a-z]`, `[!a]`, and `\` before
/// a character that shall stand for itself. Kept as a small byte code, so that many can lie in one flat table.
package struct Glob: Hashable, Sendable {
    enum Code {
        static let literal: UInt8 = 0  // and the byte
        static let any: UInt8 = 1
        static let star: UInt8 = 2
        static let set: UInt8 = 3  // and a map of 256 bits
    }
    let code: [UInt8]

    init(code: [UInt8]) { self.code = code }

    init(literal bytes: some Sequence<UInt8>) {
        code = bytes.flatMap { [Code.literal, $0] }
    }

    init(_ pattern: ArraySlice<UInt8>) throws(PatternProblem) {
        var code: [UInt8] = []
        var i = pattern.startIndex
        while i < pattern.endIndex {
            switch pattern[i] {
            case UInt8(ascii: "*"):
                if code.last != Code.star || !Self.endsWithStar(code) { code.append(Code.star) }
                i += 1
            case UInt8(ascii: "?"):
                code.append(Code.any)
                i += 1
            case UInt8(ascii: "["):
                code.append(Code.set)
                code += try Self.set(pattern, &i)
            case UInt8(ascii: "\\"):
                guard i + 1 < pattern.endIndex else { throw PatternProblem("the pattern ends with a lone `\\`") }
                code += [Code.literal, pattern[i + 1]]
                i += 2
            case let byte:
                code += [Code.literal, byte]
                i += 1
            }
        }
        self.code = code
    }

    /// True when the last *instruction* is a star (a literal byte 2 looks the same in the code).
    private static func endsWithStar(_ code: [UInt8]) -> Bool {
        var i = 0, last: UInt8 = Code.any
        while i < code.count {
            last = code[i]
            i += width(last)
        }
        return last == Code.star
    }

    static func width(_ instruction: UInt8) -> Int {
        switch instruction {
        case Code.literal: 2
        case Code.set: 33
        default: 1
        }
    }

    /// `[abc]`, `[a-z]`, `[!abc]` or `[^abc]`; a `]` right after the opening stands for itself, as in glob(7).
    private static func set(_ pattern: ArraySlice<UInt8>, _ i: inout Int) throws(PatternProblem) -> [UInt8] {
        var map = [UInt8](repeating: 0, count: 32)
        var at = i + 1
        var negated = false
        if at < pattern.endIndex, pattern[at] == UInt8(ascii: "!") || pattern[at] == UInt8(ascii: "^") {
            negated = true
            at += 1
        }
        let first = at
        while at < pattern.endIndex, pattern[at] != UInt8(ascii: "]") || at == first {
            let low = pattern[at]
            var high = low
            if at + 2 < pattern.endIndex, pattern[at + 1] == UInt8(ascii: "-"), pattern[at + 2] != UInt8(ascii: "]") {
                high = pattern[at + 2]
                at += 2
            }
            guard low <= high else { throw PatternProblem("a range in `[…]` runs backwards") }
            for byte in low...high { map[Int(byte >> 3)] |= 1 << (byte & 7) }
            at += 1
        }
        guard at < pattern.endIndex else {
            throw PatternProblem("`[` without its `]`", help: "write `\\[` for the character itself")
        }
        i = at + 1
        return negated ? map.map { ~$0 } : map
    }

    /// The bytes this stands for when it holds no wildcard.
    var literal: [UInt8]? {
        var bytes: [UInt8] = []
        var i = 0
        while i < code.count {
            guard code[i] == Code.literal else { return nil }
            bytes.append(code[i + 1])
            i += 2
        }
        return bytes
    }

    /// The literal bytes before the first wildcard, and after the last star.
    var ends: (prefix: [UInt8], suffix: [UInt8]) {
        var prefix: [UInt8] = [], suffix: [UInt8] = []
        var i = 0, wild = false
        while i < code.count {
            if code[i] == Code.literal {
                if !wild { prefix.append(code[i + 1]) }
                suffix.append(code[i + 1])
            } else {
                wild = true
                suffix = []
            }
            i += Self.width(code[i])
        }
        return (prefix, suffix)
    }

    package func matches(_ text: Span<UInt8>) -> Bool {
        Self.matches(code.span, 0, code.count, text, 0, text.count)
    }

    /// Matches `text[from..<to]` against `code[start..<end]`: with one place to go back to, the last star,
    /// so that the cost is bounded by the product of the lengths, whatever the pattern.
    static func matches(
        _ code: Span<UInt8>, _ start: Int, _ end: Int, _ text: Span<UInt8>, _ from: Int, _ to: Int
    ) -> Bool {
        var c = start, t = from
        var starCode = -1, starText = 0
        while t < to || c < end {
            if c < end, code[c] == Code.star {
                starCode = c
                starText = t
                c += 1
            } else if c < end, t < to, accepts(code, c, text[t]) {
                c += width(code[c])
                t += 1
            } else if starCode >= 0, starText < to {
                starText += 1
                c = starCode + 1
                t = starText
            } else {
                return false
            }
        }
        return true
    }

    @inline(__always)
    private static func accepts(_ code: Span<UInt8>, _ c: Int, _ byte: UInt8) -> Bool {
        switch code[c] {
        case Code.literal: code[c + 1] == byte
        case Code.any: true
        default: code[c + 1 + Int(byte >> 3)] & (1 << (byte & 7)) != 0
        }
    }
}
