/// JSON as programs send it (RFC 8259), read in bounded depth. Text stays bytes: a file's name need not be UTF-8.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// As written.
    case number([UInt8])
    case string([UInt8])
    case array([JSONValue])
    case object([Member])

    package struct Member: Sendable, Equatable {
        package let key: [UInt8]
        package let value: JSONValue
    }

    package init(_ text: [UInt8]) throws(JSONFailure) {
        var reader = JSONReader(text: text)
        self = try reader.document()
    }
}

package struct JSONFailure: Error, Hashable, Sendable {
    package let message: String
    /// In bytes, from 0.
    package let offset: Int
}

private struct JSONReader {
    let text: [UInt8]
    private var at = 0
    private static let deepest = 32

    init(text: [UInt8]) { self.text = text }

    mutating func document() throws(JSONFailure) -> JSONValue {
        let value = try value(depth: 0)
        blanks()
        if at < text.count { throw failure("there is more after the value") }
        return value
    }

    private func failure(_ message: String) -> JSONFailure { JSONFailure(message: message, offset: at) }

    private mutating func blanks() {
        while at < text.count, text[at] == 0x20 || text[at] == 0x09 || text[at] == 0x0a || text[at] == 0x0d { at += 1 }
    }

    private mutating func value(depth: Int) throws(JSONFailure) -> JSONValue {
        blanks()
        guard at < text.count else { throw failure("the text ends early") }
        guard depth < Self.deepest else { throw failure("nested more than \(Self.deepest) deep") }
        switch text[at] {
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), 0x30...0x39: return try number()
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: throw failure("no value begins so")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONFailure) -> JSONValue {
        for byte in word.description.utf8 {
            guard at < text.count, text[at] == byte else { throw failure("no value begins so") }
            at += 1
        }
        return value
    }

    private mutating func array(_ depth: Int) throws(JSONFailure) -> JSONValue {
        var items: [JSONValue] = []
        at += 1
        blanks()
        if take("]") { return .array([]) }
        while true {
            items.append(try value(depth: depth + 1))
            blanks()
            if take("]") { return .array(items) }
            guard take(",") else { throw failure("`,` or `]` is missing") }
        }
    }

    private mutating func object(_ depth: Int) throws(JSONFailure) -> JSONValue {
        var members: [JSONValue.Member] = []
        at += 1
        blanks()
        if take("}") { return .object([]) }
        while true {
            blanks()
            guard at < text.count, text[at] == UInt8(ascii: "\"") else { throw failure("a key must be a string") }
            let key = try string()
            // Which of two would count is something that readers disagree about.
            guard !members.contains(where: { $0.key == key }) else { throw failure("a key appears twice") }
            blanks()
            guard take(":") else { throw failure("`:` is missing") }
            members.append(JSONValue.Member(key: key, value: try value(depth: depth + 1)))
            blanks()
            if take("}") { return .object(members) }
            guard take(",") else { throw failure("`,` or `}` is missing") }
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard at < text.count, text[at] == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func number() throws(JSONFailure) -> JSONValue {
        let start = at
        if text[at] == UInt8(ascii: "-") { at += 1 }
        let whole = digits()
        guard whole > 0, whole == 1 || text[at - whole] != 0x30 else { throw failure("bad number") }
        if take(".") { guard digits() > 0 else { throw failure("bad number") } }
        if at < text.count, text[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            if at < text.count, text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-") { at += 1 }
            guard digits() > 0 else { throw failure("bad number") }
        }
        return .number(Array(text[start..<at]))
    }

    private mutating func digits() -> Int {
        let start = at
        while at < text.count, text[at] >= 0x30, text[at] <= 0x39 { at += 1 }
        return at - start
    }

    // MARK: Strings

    private mutating func string() throws(JSONFailure) -> [UInt8] {
        at += 1
        let start = at
        while at < text.count, text[at] != UInt8(ascii: "\""), text[at] != UInt8(ascii: "\\"), text[at] >= 0x20 { at += 1 }
        guard at < text.count else { throw failure("a string does not end") }
        if text[at] == UInt8(ascii: "\"") {
            at += 1
            return Array(text[start..<at - 1])
        }
        return try escaped(Array(text[start..<at]))
    }

    private mutating func escaped(_ beginning: [UInt8]) throws(JSONFailure) -> [UInt8] {
        var out = beginning
        while at < text.count {
            let byte = text[at]
            guard byte >= 0x20 else { throw failure("a control character in a string") }
            at += 1
            if byte == UInt8(ascii: "\"") { return out }
            if byte == UInt8(ascii: "\\") { try escape(&out) } else { out.append(byte) }
        }
        throw failure("a string does not end")
    }

    private mutating func escape(_ out: inout [UInt8]) throws(JSONFailure) {
        guard at < text.count else { throw failure("a string does not end") }
        let byte = text[at]
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0c)
        case UInt8(ascii: "n"): out.append(0x0a)
        case UInt8(ascii: "r"): out.append(0x0d)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "u"): out += String(try scalar()).utf8
        default: throw failure("no such escape")
        }
    }

    private mutating func scalar() throws(JSONFailure) -> Character {
        var value = try unit()
        if (0xd800..<0xdc00).contains(value) {
            guard take("\\"), take("u") else { throw failure("half of a surrogate pair") }
            let low = try unit()
            guard (0xdc00..<0xe000).contains(low) else { throw failure("half of a surrogate pair") }
            value = 0x10000 + (value - 0xd800) << 10 + (low - 0xdc00)
        }
        guard let scalar = Unicode.Scalar(value) else { throw failure("half of a surrogate pair") }
        return Character(scalar)
    }

    private mutating func unit() throws(JSONFailure) -> UInt32 {
        guard at + 4 <= text.count, text[at..<at + 4].allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let value = UInt32(String(decoding: text[at..<at + 4], as: UTF8.self), radix: 16)
        else { throw failure("`\\u` wants four digits") }
        at += 4
        return value
    }
}
