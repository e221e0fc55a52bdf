/// libpg_query's tree, read from its JSON into one flat array: each node is followed by what lies in it. Nothing here recurses.
struct ParseTree {
    struct Node {
        enum Kind: UInt8 { case object, array, string, literal }
        let key: ParseKey
        /// Its key begins with a capital: a node's type, not a field.
        let isTyped: Bool
        let kind: Kind
        /// The bytes of a string, between its quotes and still with its escapes, or of a literal.
        let bytes: Range<Int32>
        /// The first node that lies no longer within this one.
        var end: Int32
    }
    private(set) var nodes: [Node] = []
    private let json: [UInt8]

    /// Nil: not what libpg_query writes, or more than anybody wants to walk.
    init?(_ json: [UInt8], maximumNodes: Int = 4_000_000) {
        self.json = json
        guard json.count < Int32.max else { return nil }
        nodes.reserveCapacity(json.count / 16)
        guard fill(maximumNodes) else { return nil }
    }

    private mutating func fill(_ maximumNodes: Int) -> Bool {
        var open: [Int] = []
        var key = ParseKey.none
        var isTyped = false
        var i = 0
        while i < json.count {
            let c = json[i]
            switch c {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                open.append(nodes.count)
                nodes.append(Node(key: key, isTyped: isTyped, kind: c == UInt8(ascii: "{") ? .object : .array, bytes: 0..<0, end: 0))
                key = .none
                isTyped = false
                i += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard let container = open.popLast() else { return false }
                nodes[container].end = Int32(nodes.count)
                i += 1
            case UInt8(ascii: "\""):
                let start = i + 1
                guard let end = endOfString(start) else { return false }
                i = end + 1
                if i < json.count, json[i] == UInt8(ascii: ":") {
                    key = ParseKey(json, start..<end)
                    isTyped = json[start] & 0x20 == 0
                    i += 1
                } else {
                    nodes.append(Node(key: key, isTyped: false, kind: .string, bytes: Int32(start)..<Int32(end), end: Int32(nodes.count + 1)))
                    key = .none
                }
            case UInt8(ascii: ","): i += 1
            default:
                let start = i
                while i < json.count, json[i] != UInt8(ascii: ","), json[i] != UInt8(ascii: "}"), json[i] != UInt8(ascii: "]") { i += 1 }
                nodes.append(Node(key: key, isTyped: false, kind: .literal, bytes: Int32(start)..<Int32(i), end: Int32(nodes.count + 1)))
                key = .none
            }
            guard nodes.count <= maximumNodes else { return false }
        }
        return open.isEmpty && !nodes.isEmpty
    }

    private func endOfString(_ start: Int) -> Int? {
        var i = start
        while i < json.count, json[i] != UInt8(ascii: "\"") { i += json[i] == UInt8(ascii: "\\") ? 2 : 1 }
        return i < json.count ? i : nil
    }

    // MARK: Looking

    func end(_ node: Int) -> Int { Int(nodes[node].end) }
    func key(_ node: Int) -> ParseKey { nodes[node].key }

    func child(_ node: Int, _ key: ParseKey) -> Int? {
        var i = node + 1
        let end = self.end(node)
        while i < end {
            if nodes[i].key == key { return i }
            i = self.end(i)
        }
        return nil
    }
    func child(_ node: Int?, _ first: ParseKey, _ second: ParseKey) -> Int? {
        node.flatMap { child($0, first) }.flatMap { child($0, second) }
    }
    func children(_ node: Int?) -> [Int] {
        guard let node else { return [] }
        var found: [Int] = []
        var i = node + 1
        while i < end(node) {
            found.append(i)
            i = end(i)
        }
        return found
    }
    /// The node that a wrapper holds: `{"A_Const":{…}}` is written for every node whose type its field leaves open.
    func unwrapped(_ node: Int) -> Int {
        nodes[node].kind == .object && end(node) > node + 1 && nodes[node + 1].isTyped ? node + 1 : node
    }

    func string(_ node: Int) -> String {
        let bytes = json[Int(nodes[node].bytes.lowerBound)..<Int(nodes[node].bytes.upperBound)]
        return bytes.contains(UInt8(ascii: "\\")) ? String(decoding: unescaped(bytes), as: UTF8.self) : String(decoding: bytes, as: UTF8.self)
    }
    func string(_ node: Int, _ key: ParseKey) -> String? { child(node, key).map(string) }
    func bytes(_ node: Int) -> [UInt8] { unescaped(json[Int(nodes[node].bytes.lowerBound)..<Int(nodes[node].bytes.upperBound)]) }
    /// Fields that are false or 0 are not written.
    func isTrue(_ node: Int, _ key: ParseKey) -> Bool { child(node, key) != nil }
    func number(_ node: Int, _ key: ParseKey) -> Int { child(node, key).flatMap { Int(string($0)) } ?? 0 }

    /// The strings of a list of `String` nodes: a name's parts.
    func names(_ list: Int?) -> [String] {
        guard let list else { return [] }
        return children(list).compactMap { item in
            let node = unwrapped(item)
            return key(node) == .string ? string(node, .sval) ?? "" : nil
        }
    }

    private func unescaped(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var i = bytes.startIndex
        while i < bytes.endIndex {
            guard bytes[i] == UInt8(ascii: "\\"), i + 1 < bytes.endIndex else {
                out.append(bytes[i])
                i += 1
                continue
            }
            switch bytes[i + 1] {
            case UInt8(ascii: "n"): out.append(0x0a)
            case UInt8(ascii: "r"): out.append(0x0d)
            case UInt8(ascii: "t"): out.append(0x09)
            case UInt8(ascii: "b"): out.append(0x08)
            case UInt8(ascii: "f"): out.append(0x0c)
            case UInt8(ascii: "u"):
                // Only for control characters, `<` and `>`: all below 0x80
                out.append(UInt8(String(decoding: bytes[i...].dropFirst(4).prefix(2), as: UTF8.self), radix: 16) ?? 0x3f)
                i += 4
            default: out.append(bytes[i + 1])
            }
            i += 2
        }
        return out
    }
}
