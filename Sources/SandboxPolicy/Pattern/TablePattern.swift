/// A glob over a table's name, `crm.public.customers`. A statement may leave out what the connection supplies, so that
/// `customers` may be that one, too.
package struct TablePattern: Hashable, Sendable {
    /// As written: what a `_not` goes by.
    private let whole: Glob
    /// In lower case: all of it, without its first part, without its first two, …
    private let ends: [Glob]

    static func parse(_ text: String) throws(PatternProblem) -> TablePattern {
        let whole = try ProfileReader.glob(text)
        var ends: [Glob] = []
        var rest = text.lowercased()[...]
        while true {
            ends.append(try ProfileReader.glob(String(rest)))
            guard let dot = rest.firstIndex(of: "."), ends.count < 4 else { break }
            rest = rest[rest.index(after: dot)...]
        }
        return TablePattern(whole: whole, ends: ends)
    }

    /// Surely this one.
    func matches(_ name: String) -> Bool { whole.matches(Array(name.utf8).span) }

    /// Possibly this one.
    func mayMatch(_ name: String) -> Bool {
        let name = Array(name.lowercased().utf8)
        if ends[0].matches(name.span) { return true }
        let missing = ends.count - 1 - name.count { $0 == UInt8(ascii: ".") }
        return missing > 0 && ends[missing].matches(name.span)
    }

    /// What an index can go by: the last part, where nothing in it is wild.
    var lastPart: [UInt8]? { ends[ends.count - 1].literal }
}
