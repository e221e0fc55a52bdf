/// Names, sorted and in one piece, so that a part of an argument is looked up without a copy of it, and so that what begins
/// alike lies together.
struct NameTable<Value: Sendable>: Sendable {
    private var bytes: [UInt8] = []
    /// Where each name ends.
    private var ends: [Int] = []
    private var values: [Value] = []

    init() {}

    /// Of two values of one name the later counts.
    init(_ entries: [(name: [UInt8], value: Value)]) {
        let order = entries.indices.sorted { a, b in
            entries[a].name == entries[b].name ? a < b : entries[a].name.lexicographicallyPrecedes(entries[b].name)
        }
        for (place, i) in order.enumerated() {
            if place + 1 < order.count, entries[order[place + 1]].name == entries[i].name { continue }
            bytes += entries[i].name
            ends.append(bytes.count)
            values.append(entries[i].value)
        }
    }

    var count: Int { ends.count }

    var entries: [(name: [UInt8], value: Value)] { ends.indices.map { (Array(bytes[start($0)..<ends[$0]]), values[$0]) } }

    subscript(_ name: ArraySlice<UInt8>) -> Value? {
        let place = firstPlace(notBefore: name)
        guard place < ends.count, ends[place] - start(place) == name.count, begins(place, with: name) else { return nil }
        return values[place]
    }

    /// The values of all names that begin so.
    func values(beginning prefix: ArraySlice<UInt8>) -> [Value] {
        var place = firstPlace(notBefore: prefix)
        var found: [Value] = []
        while place < ends.count, begins(place, with: prefix) {
            found.append(values[place])
            place += 1
        }
        return found
    }

    private func start(_ place: Int) -> Int { place == 0 ? 0 : ends[place - 1] }

    private func firstPlace(notBefore name: ArraySlice<UInt8>) -> Int {
        var low = 0, high = ends.count
        while low < high {
            let middle = (low + high) / 2
            if precedes(middle, name) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func precedes(_ place: Int, _ name: ArraySlice<UInt8>) -> Bool {
        let mine = start(place), count = ends[place] - mine
        let first = name.startIndex
        for i in 0..<min(count, name.count) where bytes[mine + i] != name[first + i] { return bytes[mine + i] < name[first + i] }
        return count < name.count
    }

    private func begins(_ place: Int, with prefix: ArraySlice<UInt8>) -> Bool {
        let mine = start(place)
        guard ends[place] - mine >= prefix.count else { return false }
        let first = prefix.startIndex
        for i in 0..<prefix.count where bytes[mine + i] != prefix[first + i] { return false }
        return true
    }
}
