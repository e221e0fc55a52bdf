/// Command lines in examples.
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
}
