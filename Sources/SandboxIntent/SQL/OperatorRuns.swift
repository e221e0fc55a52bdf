/// PostgreSQL's lexer looks at a whole run of operator characters again for each comment that begins in it, and over and over for each
/// `+` or `-` that it takes off its end: 16,000 times `/*` keep it busy for a minute. What would is not given to it.
enum OperatorRuns {
    static let longestSigned = 64
    static let mostLooks = 1 << 22

    static func areSlow(_ text: [UInt8], _ range: Range<Int>) -> Bool {
        var looks = 0
        var i = range.lowerBound
        while i < range.upperBound {
            guard isOperator[Int(text[i])] else {
                i += 1
                continue
            }
            let start = i
            var comments = 0
            /// Up to where a comment cuts it.
            var cut: Int?
            while i < range.upperBound, isOperator[Int(text[i])] {
                if i + 1 < range.upperBound {
                    let opens = text[i] == UInt8(ascii: "/") && text[i + 1] == UInt8(ascii: "*")
                    if opens { comments += 1 }
                    if opens || text[i] == UInt8(ascii: "-") && text[i + 1] == UInt8(ascii: "-") { cut = cut ?? i }
                }
                i += 1
            }
            let end = cut ?? i
            let isSigned = end > start && (text[end - 1] == UInt8(ascii: "+") || text[end - 1] == UInt8(ascii: "-"))
            if isSigned, end - start > longestSigned { return true }
            looks += comments * (i - start)
            if looks > mostLooks { return true }
        }
        return false
    }

    private static let isOperator: [Bool] = (0...255).map { "~!@#^&|`?+-*/%<>=".utf8.contains(UInt8($0)) }
}
