/// Command lines in examples, and shell text as far as it is nothing but words.
package enum Words {
    /// Splits an example as a shell would, without expanding anything: blanks, `'…'`, `"…"` and `\`.
    package static func split(_ line: String) -> [[UInt8]] {
        var words: [[UInt8]] = []
        var word: [UInt8]?
        var quote: UInt8?
        var bytes = Array(line.utf8)[...]
        while let byte = bytes.popFirst() {
            switch byte {
            case quote: quote = nil
            case UInt8(ascii: "\\") where quote != UInt8(ascii: "'"): word = (word ?? []) + [bytes.popFirst() ?? byte]
            case _ where quote != nil: word?.append(byte)
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                quote = byte
                word = word ?? []
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"):
                if let done = word { words.append(done) }
                word = nil
            default: word = (word ?? []) + [byte]
            }
        }
        if let word { words.append(word) }
        return words
    }

    /// The words of shell text in which every byte stands for itself, so that they are what a shell makes of it; nil for all
    /// other text, of which nothing is guessed.
    static func plain(_ text: ArraySlice<UInt8>) -> [[UInt8]]? {
        var words: [[UInt8]] = []
        var start = text.startIndex
        for i in text.indices {
            let byte = text[i]
            if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
                if i > start { words.append(Array(text[start..<i])) }
                start = i + 1
            } else if isSpecial[Int(byte)] {
                return nil
            }
        }
        if start < text.endIndex { words.append(Array(text[start...])) }
        return words.isEmpty ? nil : words
    }

    /// Of sh(1), bash(1) and zsh(1) together.
    private static let isSpecial: [Bool] = {
        var table = [Bool](repeating: false, count: 256)
        for byte in "\n'\"\\$`&;|<>()*?[]#~!{}^%".utf8 { table[Int(byte)] = true }
        return table
    }()
}
