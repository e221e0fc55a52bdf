internal import SandboxYAML

/// YAML on one line: what can be read again, and means the same.
enum YAMLFlow {
    static func text(_ node: YAMLNode) -> String {
        switch node.value {
        case .scalar(let text): quoted(text)
        case .sequence(let items): "[" + items.map(text).joined(separator: ", ") + "]"
        case .mapping: "{ " + fields(node) + " }"
        }
    }

    /// What stands between the braces of a mapping, but for one key.
    static func fields(_ node: YAMLNode, without key: String = "") -> String {
        guard case .mapping(let pairs) = node.value else { return "" }
        let kept = pairs.filter { if case .scalar(key) = $0.key.value { false } else { true } }
        return kept.map { "\(text($0.key)): \(text($0.value))" }.joined(separator: ", ")
    }

    /// Plain where nothing in it could be mistaken, else double-quoted, which can hold any text.
    static func quoted(_ text: String) -> String {
        let isPlain = { (byte: UInt8) in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "-"): true
            default: false
            }
        }
        if let first = text.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "."), text.utf8.allSatisfy(isPlain) {
            return text
        }
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            case _
            where scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
                || scalar.value == 0x2028 || scalar.value == 0x2029:
                let digits = String(scalar.value, radix: 16)
                out += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
