internal import SandboxModel
internal import SandboxYAML

/// The parts that levels are read with.
extension LevelReader {
    typealias Word = (text: String, position: Position)

    /// A list, or what would be its only item.
    func list(_ node: YAMLNode?) -> [YAMLNode] {
        guard let node else { return [] }
        if case .sequence(let items) = node.value { return items }
        return [node]
    }

    mutating func words(_ node: YAMLNode?, _ what: String) -> [Word] {
        list(node).flatMap { item in
            (sink.text(item, what) ?? "").split(separator: " ").map { (String($0), item.position) }
        }
    }

    mutating func choice(_ node: YAMLNode, _ what: String, among known: [String]) -> String? {
        guard let text = sink.text(node, what) else { return nil }
        guard known.contains(text) else {
            complain((text, node.position), "no value of `\(what)`", among: known)
            return nil
        }
        return text
    }

    mutating func number(_ node: YAMLNode, _ what: String) -> Int? {
        guard let text = sink.text(node, what) else { return nil }
        guard let number = Int(text), (0...100).contains(number) else {
            sink.error("`\(what)` must be a number from 0 to 100, not `\(text)`", at: node.position)
            return nil
        }
        return number
    }

    mutating func complain(_ word: Word, _ what: String, among known: [String]) {
        sink.error("`\(word.text)` is \(what)", at: word.position, help: Suggestion.help(for: word.text, among: known))
    }

    /// In arguments a `*` stands for a `/` as well.
    static func glob(_ text: String) -> ByteGlob { ByteGlob(text.split(separator: "*", omittingEmptySubsequences: false).joined(separator: "**")) }
}
