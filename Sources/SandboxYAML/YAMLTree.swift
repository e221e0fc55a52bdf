extension YAMLNode {
    package var kind: String {
        switch value {
        case .scalar(let text): text.isEmpty ? "nothing" : "`\(text.prefix(60))`"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// Bytes → tree, in bounded time and memory, whatever the bytes.
package enum YAMLTree {
    package static let maximumBytes = 1 << 20
    package static let maximumDepth = 16
    package static let maximumNodes = 100_000

    package static func parse(_ bytes: [UInt8], _ sink: inout DiagnosticSink) -> YAMLNode? {
        guard bytes.count <= maximumBytes else {
            sink.error("the file is larger than 1 MiB", at: .start)
            return nil
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
            let line = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
            sink.error("the file is not valid UTF-8", at: Position(line: line + 1, column: 1))
            return nil
        }
        do throws(YAMLFailure) {
            return try YAMLBuilder.parse(bytes, maximumDepth: maximumDepth, maximumValues: maximumNodes)
        } catch {
            report(error, &sink)
            return nil
        }
    }

    private static let quoting = "text that holds `*`, `{`, `[`, `!`, `#` or `: ` needs quotes"
    /// What to do about what libyaml says; what is not here is mostly about quotes that are missing.
    private static let remedies: [(problem: String, help: String)] = [
        ("single document", "one file, one document: take `---` out"),
        ("mapping values are not allowed", "text that holds `: ` needs quotes, and keys that belong together begin in the same column"),
        ("did not find expected key", "keys that belong together begin in the same column"),
        ("did not find expected '-' indicator", "entries of one list begin in the same column, each with `-`"),
        ("quoted scalar", "a quote that is opened must be closed"),
        ("did not find expected ',' or", "between entries stands `,`, and a bracket that is opened must be closed"),
    ]

    private static func report(_ failure: YAMLFailure, _ sink: inout DiagnosticSink) {
        let at = failure.position
        switch failure.reason {
        case .empty: sink.error("the file is empty", at: at, help: "begin with `version: 1` and `name: …`")
        case .invalid(let problem):
            let help = remedies.first { problem.contains($0.problem) }?.help ?? quoting
            sink.error("not valid YAML: \(problem)", at: at, help: help)
        case .tab: sink.error("a line begins with a tab", at: at, help: "YAML is indented with blanks")
        case .character(let problem): sink.error("not valid YAML: \(problem)", at: at)
        case .anchor:
            sink.error(
                "anchors (`&name`) are not supported in profiles", at: at,
                help: "write the value out; text that begins with `&` needs quotes")
        case .alias: sink.error("aliases (`*name`) are not supported in profiles", at: at, help: quoting)
        case .tooDeep: sink.error("nested more than \(maximumDepth) deep", at: at)
        case .tooManyValues: sink.error("the file has more than \(maximumNodes) values", at: at)
        }
    }
}
