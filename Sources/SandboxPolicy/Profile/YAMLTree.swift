internal import SandboxYAML

extension YAMLNode {
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
        guard String(validating: bytes, as: UTF8.self) != nil else {
            sink.error("the file is not valid UTF-8", at: .start)
            return nil
        }
        if let offset = firstAnchor(in: bytes) {
            anchor(position(of: offset, in: bytes), &sink)
            return nil
        }
        do throws(YAMLFailure) {
            return try YAMLBuilder.parse(bytes, maximumDepth: maximumDepth, maximumValues: maximumNodes)
        } catch {
            report(error, &sink)
            return nil
        }
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

    private static func report(_ failure: YAMLFailure, _ sink: inout DiagnosticSink) {
        let quoting = "text that holds `*`, `{`, `[`, `!`, `#` or `: ` needs quotes"
        let at = failure.position
        switch failure.reason {
        case .empty: sink.error("the file is empty", at: at, help: "begin with `version: 1` and `name: …`")
        case .invalid(let problem): sink.error("not valid YAML: \(problem)", at: at, help: quoting)
        case .character(let problem): sink.error("not valid YAML: \(problem)", at: at)
        case .anchor: anchor(at, &sink)
        case .alias: sink.error("aliases (`*name`) are not supported in profiles", at: at, help: quoting)
        case .tooDeep: sink.error("nested more than \(maximumDepth) deep", at: at)
        case .tooManyValues: sink.error("the file has more than \(maximumNodes) values", at: at)
        }
    }

    private static func anchor(_ position: Position, _ sink: inout DiagnosticSink) {
        sink.error(
            "anchors (`&name`) are not supported in profiles", at: position,
            help: "write the value out; in quoted text, write `&` as `\\x26`")
    }
}
