internal import SandboxModel

/// The input of redis-cli(1): a command in each line, its words in quotes where they need it. What the commands mean says the catalogue.
struct RedisScript {
    private let text: [UInt8]
    private let isLast: Bool
    private(set) var consumed = 0
    private var meaning = ScriptMeaning()

    init(_ text: [UInt8], isLast: Bool) {
        self.text = text
        self.isLast = isLast
    }

    mutating func read() -> ScriptMeaning {
        while consumed < text.count {
            let line = text.line(from: consumed)
            if line.upperBound == text.count, !isLast { break }
            take(line)
            consumed = min(line.upperBound + 1, text.count)
        }
        return meaning
    }

    private mutating func take(_ line: Range<Int>) {
        var words = self.words(line)
        // `5 incr x`: so often.
        if words.count > 1, words[0].allSatisfy({ (0x30...0x39).contains($0) || "+-".utf8.contains($0) }) { words.removeFirst() }
        guard let name = words.first else { return }
        if name.elementsEqual("connect".utf8, by: { $0 | 0x20 == $1 }) {
            meaning.connections.append(String(decoding: Array(words.dropFirst().joined(separator: [0x20])), as: UTF8.self))
        } else {
            meaning.commands.append(words)
        }
    }

    /// As sdssplitargs() of Redis parts them. A line with a quote that is never closed is no command; here it counts as one.
    private func words(_ line: Range<Int>) -> [[UInt8]] {
        var words: [[UInt8]] = [], word: [UInt8]?, quote: UInt8?
        var at = line.lowerBound
        while at < line.upperBound {
            let byte = text[at]
            at += 1
            if let open = quote {
                if byte == open {
                    quote = nil
                } else if byte == UInt8(ascii: "\\"), at < line.upperBound {
                    word?.append(escaped(open, &at, line.upperBound))
                } else {
                    word?.append(byte)
                }
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                quote = byte
                word = word ?? []
            } else if byte.isBlank || byte == 0 {
                if let done = word { words.append(done) }
                word = nil
            } else {
                // Appended in place: a word may be as long as the input.
                if word == nil { word = [] }
                word?.append(byte)
            }
        }
        if let done = word { words.append(done) }
        return words
    }

    /// What a backslash and what follows it stand for; `at` is what follows. In single quotes it is for these alone.
    private func escaped(_ quote: UInt8, _ at: inout Int, _ end: Int) -> UInt8 {
        let byte = text[at]
        if quote == UInt8(ascii: "'") {
            guard byte == quote else { return UInt8(ascii: "\\") }
            at += 1
            return byte
        }
        at += 1
        if byte == UInt8(ascii: "x"), at + 2 <= end, let value = UInt8(String(decoding: text[at..<at + 2], as: UTF8.self), radix: 16) {
            at += 2
            return value
        }
        switch byte {
        case UInt8(ascii: "n"): return 0x0a
        case UInt8(ascii: "r"): return 0x0d
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "a"): return 0x07
        default: return byte
        }
    }
}
