/// Values out of a tree, and what is wrong with them.
extension DiagnosticSink {
    package struct Key {
        package let text: String
        package let position: Position
    }

    /// The fields of a mapping with known keys; the rest are errors, each with the nearest known key.
    package mutating func fields(of node: YAMLNode, _ what: String, known: [String]) -> [String: YAMLNode]? {
        // Of the many that a condition has, a list would hide what is said.
        let help = known.count <= 24 ? "it holds " + known.map { "`\($0)`" }.joined(separator: ", ") : nil
        guard let pairs = pairs(of: node, what, help: help) else { return nil }
        var fields = [String: YAMLNode](minimumCapacity: pairs.count)
        for (key, value) in pairs {
            if !known.contains(key.text) {
                error("unknown key `\(key.text)` in \(what)", at: key.position, help: Suggestion.help(for: key.text, among: known))
            } else {
                fields[key.text] = value
            }
        }
        return fields
    }

    package mutating func pairs(of node: YAMLNode, _ what: String, help: String? = nil) -> [(key: Key, value: YAMLNode)]? {
        guard case .mapping(let pairs) = node.value else {
            error("\(what) must be a mapping, not \(node.kind)", at: node.position, help: help ?? "it holds `key: value` pairs")
            return nil
        }
        // Where there are few, looking at each is quicker than a table.
        var seen: [String: Position] = [:]
        let isLarge = pairs.count > 24
        var out: [(key: Key, value: YAMLNode)] = []
        out.reserveCapacity(pairs.count)
        for (key, value) in pairs {
            guard case .scalar(let text) = key.value else {
                error("a key must be text, not \(key.kind)", at: key.position)
                continue
            }
            if let first = isLarge ? seen[text] : out.first(where: { $0.key.text == text })?.key.position {
                error("the key `\(text)` appears twice", at: key.position, help: "the first one is at line \(first.line)")
                continue
            }
            if isLarge { seen[text] = key.position }
            out.append((Key(text: text, position: key.position), value))
        }
        return out
    }

    package mutating func text(_ node: YAMLNode, _ what: String) -> String? {
        guard case .scalar(let text) = node.value else {
            error("`\(what)` must be text, not \(node.kind)", at: node.position)
            return nil
        }
        return text
    }
}
