internal import Yams

/// YAML as far as profiles use it: plain trees without anchors, each node with its place.
struct YAMLNode {
    enum Value {
        case scalar(String)
        case sequence([YAMLNode])
        case mapping([(key: YAMLNode, value: YAMLNode)])
    }
    let value: Value
    let position: Position

    var kind: String {
        switch value {
        case .scalar(let text): text.isEmpty ? "nothing" : "`\(text.prefix(60))`"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// Bytes → tree, in bounded time and memory, whatever the bytes.
enum YAMLTree {
    static let maximumBytes = 1 << 20
    static let maximumDepth = 16
    static let maximumNodes = 100_000

    static func parse(_ bytes: [UInt8], _ sink: inout DiagnosticSink) -> YAMLNode? {
        guard bytes.count <= maximumBytes else {
            sink.error("the file is larger than 1 MiB", at: .start)
            return nil
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            sink.error("the file is not valid UTF-8", at: .start)
            return nil
        }
        if let anchor = firstAnchor(in: bytes) {
            sink.error(
                "anchors (`&name`) are not supported in profiles", at: position(of: anchor, in: bytes),
                help: "write the value out; in quoted text, write `&` as `\\x26`")
            return nil
        }
        guard let root = compose(text, &sink) else { return nil }
        var budget = maximumNodes
        return convert(root, depth: 0, &budget, &sink)
    }

    /// The first `&` that could begin an anchor. Without anchors an alias has nothing to repeat, so that no small
    /// file can become a large one ("billion laughs"). Deliberately not a YAML lexer, which could be talked into
    /// seeing a quotation where libyaml sees none: whatever libyaml could take for an anchor is found, and text
    /// such as `a & b` or `x?a=1&b=2` is not.
    private static func firstAnchor(in bytes: [UInt8]) -> Int? {
        for (i, byte) in bytes.enumerated() where byte == UInt8(ascii: "&") && i + 1 < bytes.count {
            let glued = i > 0 && isWord(bytes[i - 1])
            if !glued && (isWord(bytes[i + 1]) || [UInt8(ascii: "_"), UInt8(ascii: "-")].contains(bytes[i + 1])) {
                return i
            }
        }
        return nil
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (byte >= 0x30 && byte <= 0x39) || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a)
    }

    private static func position(of offset: Int, in bytes: [UInt8]) -> Position {
        var line = 1, column = 1
        for byte in bytes.prefix(offset) {
            if byte == 0x0a {
                line += 1
                column = 1
            } else if byte & 0xc0 != 0x80 {
                column += 1
            }
        }
        return Position(line: line, column: column)
    }

    private static func compose(_ text: String, _ sink: inout DiagnosticSink) -> Node? {
        do {
            // The encoding is named, or Yams would let an environment variable choose it.
            guard let root = try Yams.compose(yaml: text, .default, .default, .utf8) else {
                sink.error("the file is empty", at: .start, help: "begin with `version: 1` and `name: …`")
                return nil
            }
            return root
        } catch let error as YamlError {
            report(error, text, &sink)
        } catch {
            sink.error("not valid YAML: \(error)", at: .start)
        }
        return nil
    }

    private static func report(_ error: YamlError, _ text: String, _ sink: inout DiagnosticSink) {
        let quoting = "text that holds `*`, `{`, `[`, `!`, `#` or `: ` needs quotes"
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let what = context.map { $0.text + ": " + problem } ?? problem
            sink.error("not valid YAML: \(what)", at: Position(line: mark.line, column: mark.column), help: quoting)
        case .reader(let problem, let offset, _, _):
            sink.error("not valid YAML: \(problem)", at: position(of: offset ?? 0, in: Array(text.utf8)))
        case .duplicatedKeysInMapping(let keys, let context):
            let first = Position(line: context.mark.line, column: context.mark.column)
            let key = keys.first ?? ""
            sink.error(
                "the key `\(key)` appears twice", at: second(key, after: first, in: text),
                help: "the first one is at line \(first.line)")
        default:
            sink.error("not valid YAML", at: .start)
        }
    }

    /// Where the key stands for the second time. Yams tells only the first place; a block mapping repeats it
    /// in the same column, and else the first place has to do.
    private static func second(_ key: String, after first: Position, in text: String) -> Position {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard first.line < lines.count else { return first }
        for (i, line) in lines.enumerated().dropFirst(first.line) {
            let indent = line.prefix { $0 == " " }.count
            if indent == first.column - 1, line.dropFirst(indent).hasPrefix(key + ":") {
                return Position(line: i + 1, column: indent + 1)
            }
        }
        return first
    }

    private static func convert(_ node: Node, depth: Int, _ budget: inout Int, _ sink: inout DiagnosticSink) -> YAMLNode? {
        let position = node.mark.map { Position(line: $0.line, column: $0.column) } ?? .start
        budget -= 1
        guard budget > 0 else {
            if budget == 0 { sink.error("the file has more than \(maximumNodes) values", at: position) }
            return nil
        }
        guard depth < maximumDepth else {
            sink.error("nested more than \(maximumDepth) deep", at: position)
            return nil
        }
        switch node {
        case .scalar(let scalar):
            return YAMLNode(value: .scalar(scalar.string), position: position)
        case .sequence(let sequence):
            var items: [YAMLNode] = []
            for item in sequence {
                guard let item = convert(item, depth: depth + 1, &budget, &sink) else { return nil }
                items.append(item)
            }
            return YAMLNode(value: .sequence(items), position: position)
        case .mapping(let mapping):
            var pairs: [(YAMLNode, YAMLNode)] = []
            for (key, value) in mapping {
                guard let key = convert(key, depth: depth + 1, &budget, &sink),
                    let value = convert(value, depth: depth + 1, &budget, &sink)
                else { return nil }
                pairs.append((key, value))
            }
            return YAMLNode(value: .mapping(pairs), position: position)
        case .alias:
            sink.error("aliases (`*name`) are not supported in profiles", at: position)
            return nil
        }
    }
}
