/// How deep PostgreSQL's parse tree of a text can be at the most, by its tokens alone, before the parser sees it: what walks the tree
/// does so recursively, on whatever stack there is.
struct Nesting {
    /// So many levels fit into 128 KiB.
    static let limit = 500
    /// A level takes a byte at the least, so that a short text cannot be too deep.
    static let shortText = 512

    /// What is open: a bracket, a CASE, or the statement.
    private struct Level {
        var isCase = false
        /// Tokens of the item that is being read; a list's items lie beside one another, not within.
        var item = 0
        /// The deepest item so far.
        var deepest = 0
        /// Set operations nest, and each may have lists of its own.
        var unions = 0
        /// Its AND ends no item.
        var isBetween = false

        mutating func endItem() {
            deepest = max(deepest, item)
            item = 0
            isBetween = false
        }
        var depth: Int { max(deepest, item) + 2 * unions + 2 }
    }
    private var levels = [Level()]
    private(set) var deepest = 0

    static func isTooDeep(_ text: [UInt8], _ range: Range<Int>) -> Bool {
        guard range.count > shortText else { return false }
        var nesting = Nesting()
        var scanner = Scanner(text, .postgres, range: range)
        while let token = scanner.next() {
            nesting.take(token, of: text)
            if nesting.deepest > limit || nesting.levels.count > limit { return true }
        }
        while nesting.levels.count > 1 { nesting.close() }
        nesting.levels[0].endItem()
        return max(nesting.deepest, nesting.levels[0].depth) > limit
    }

    private mutating func take(_ token: Token, of text: [UInt8]) {
        if token.kind == .symbol {
            switch text[token.range.lowerBound] {
            case UInt8(ascii: "("), UInt8(ascii: "["): levels.append(Level())
            case UInt8(ascii: ")"), UInt8(ascii: "]"): close()
            case UInt8(ascii: ","): levels[levels.count - 1].endItem()
            case UInt8(ascii: ";"):
                if levels.count == 1 {
                    deepest = max(deepest, levels[0].depth)
                    levels[0] = Level()
                } else {
                    levels[levels.count - 1].endItem()
                }
            default: count()
            }
            return
        }
        count()
        guard token.kind == .word, token.range.count >= 2, token.range.count <= 9 else { return }
        word(token.range, of: text)
    }

    private mutating func count() {
        levels[levels.count - 1].item += 1
        deepest = max(deepest, levels[levels.count - 1].item)
    }

    private mutating func word(_ range: Range<Int>, of text: [UInt8]) {
        let top = levels.count - 1
        switch text[range.lowerBound] | 0x20 {
        case UInt8(ascii: "a") where text.isWord("AND", in: range) && !levels[top].isBetween,
            UInt8(ascii: "o") where text.isWord("OR", in: range),
            UInt8(ascii: "w") where text.isWord("WHERE", in: range),
            UInt8(ascii: "w") where levels[top].isCase && text.isWord("WHEN", in: range),
            UInt8(ascii: "t") where levels[top].isCase && text.isWord("THEN", in: range):
            levels[top].endItem()
        case UInt8(ascii: "b") where text.isWord("BETWEEN", in: range): levels[top].isBetween = true
        case UInt8(ascii: "c") where text.isWord("CASE", in: range): levels.append(Level(isCase: true))
        case UInt8(ascii: "e") where levels[top].isCase && text.isWord("END", in: range): close()
        case UInt8(ascii: "u") where text.isWord("UNION", in: range), UInt8(ascii: "i") where text.isWord("INTERSECT", in: range),
            UInt8(ascii: "e") where text.isWord("EXCEPT", in: range):
            levels[top].endItem()
            levels[top].unions += 1
        default: break
        }
    }

    /// What ends lies within the item around it.
    private mutating func close() {
        guard levels.count > 1, var inner = levels.popLast() else { return }
        inner.endItem()
        levels[levels.count - 1].item += inner.depth
        deepest = max(deepest, levels[levels.count - 1].item)
    }
}
