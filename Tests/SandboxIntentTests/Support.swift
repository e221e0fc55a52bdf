import Foundation
import SandboxModel
import Testing
@testable import SandboxIntent

/// The catalogue in `Policies/intents`.
enum Shipped {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Policies/intents")

    static func files() throws -> [(name: String, text: [UInt8])] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }.sorted()
        return try names.map { ($0, Array(try Data(contentsOf: folder.appending(path: $0)))) }
    }

    /// `command-lines.txt`.
    static func table() throws -> [(line: String, expected: String)] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "command-lines.txt")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let parts = line.components(separatedBy: " => ")
            return (parts[0], try #require(parts.count == 2 ? parts[1] : nil, "\(line)"))
        }
    }

    static let catalogue = Result { try Catalogue.load(files()) }
}

/// What a command line means, as examples and tables write it: `git.push host=example.com sql=text`, `none`.
func told(_ meaning: CommandMeaning) -> Set<String> {
    var words = Set(meaning.intents.names)
    for (name, port) in meaning.hosts { words.insert("host=" + name + (port.map { ":\($0)" } ?? "")) }
    if let database = meaning.database { words.insert("database=" + database) }
    for statement in meaning.statements {
        switch statement.place {
        case .text: words.insert("sql=text")
        case .file: words.insert("sql=file")
        case .standardInput: words.insert("sql=stdin")
        }
    }
    return words
}

/// The words that an example or a line of the table expects; hosts and databases need not be told in the table.
func wanted(_ text: String) -> Set<String> { Set(text.split(separator: " ").map(String.init)).subtracting(["none"]) }

func meaning(_ line: String, _ catalogue: Catalogue) -> CommandMeaning {
    let words = Words.split(line)
    return catalogue.meaning(program: words.first ?? [], arguments: words, nested: .all)
}
