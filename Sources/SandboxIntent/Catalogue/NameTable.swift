/// Names, sorted, so that a piece of an argument is looked up without a copy of it, and so that what begins alike lies together.
struct NameTable<Value: Sendable>: Sendable {
    private var entries: [(name: [UInt8], value: Value)] = []

    var count: Int { entries.count }
    var all: [(name: [UInt8], value: Value)] { entries }

    /// What was there under that name is replaced.
    mutating func insert(_ name: [UInt8], _ value: Value) {
        let place = firstPlace(notBefore: name[...])
        if place < entries.count, entries[place].name == name {
            entries[place].value = value
        } else {
            entries.insert((name, value), at: place)
        }
    }

    subscript(_ name: ArraySlice<UInt8>) -> Value? {
        let place = firstPlace(notBefore: name)
        guard place < entries.count, entries[place].name.count == name.count, Self.begins(entries[place].name, with: name) else {
            return nil
        }
        return entries[place].value
    }

    /// The values of all names that begin so.
    func values(beginning prefix: ArraySlice<UInt8>) -> [Value] {
        var place = firstPlace(notBefore: prefix)
        var found: [Value] = []
        while place < entries.count, Self.begins(entries[place].name, with: prefix) {
            found.append(entries[place].value)
            place += 1
        }
        return found
    }

    private func firstPlace(notBefore name: ArraySlice<UInt8>) -> Int {
        var low = 0, high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if Self.precedes(entries[middle].name, name) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func precedes(_ a: [UInt8], _ b: ArraySlice<UInt8>) -> Bool {
        let start = b.startIndex
        for i in 0..<min(a.count, b.count) where a[i] != b[start + i] { return a[i] < b[start + i] }
        return a.count < b.count
    }

    private static func begins(_ name: [UInt8], with prefix: ArraySlice<UInt8>) -> Bool {
        guard name.count >= prefix.count else { return false }
        let start = prefix.startIndex
        for i in 0..<prefix.count where name[i] != prefix[start + i] { return false }
        return true
    }
}
