internal import ArgumentParser
internal import SandboxIntent
internal import SandboxModel
internal import SandboxSupervisor
internal import SandboxYAML

/// `sandbox intents [NAME]`: the vocabulary, and what the catalogue says leads there.
struct IntentsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "intents", abstract: "Prints the intents, the commands that mean them, and examples.",
        discussion: "A catalogue of one's own is read from `sandbox/intents` in the folder of settings, and from /etc.")
    @Argument(help: "An intent or a family: `git.push`, `sql`; or a program: `git`.") var name: String?
    @Flag(help: "One JSON object a line.") var json = false

    func run() throws {
        let catalogue: Catalogue
        do { catalogue = try CatalogueFiles.whole() } catch {
            for line in "the catalogue of intents cannot be used\n\(error)".split(separator: "\n") { complain(String(line)) }
            throw ExitCode(125)
        }
        var output = Output()
        let intents = try chosen(catalogue)
        for intent in intents {
            let entries = Self.entries(intent, catalogue)
            let examples = catalogue.examples.filter { $0.expected.split(separator: " ").contains(Substring(intent)) }.map(\.line)
            if json {
                try output.write(Self.object(intent, entries, examples))
            } else if name == nil {
                try output.write(Self.line(intent, entries))
            } else {
                try output.write(Self.page(intent, entries, examples))
            }
        }
        try output.flush()
    }

    private func chosen(_ catalogue: Catalogue) throws -> [String] {
        guard let name else { return Intent.allCases.map(\.name) }
        if let set = IntentSet(pattern: name) { return set.names }
        let own = Set(
            catalogue.entries.filter { $0.name == name || $0.name.hasPrefix(name + " ") }.flatMap { $0.meanings.flatMap(\.intents) })
        if !own.isEmpty { return Intent.allCases.map(\.name).filter(own.contains) }
        complain("no intent `\(name)`, and no program of that name in the catalogue")
        let programs = catalogue.entries.map { String($0.name.prefix { $0 != " " }) }
        if let meant = Suggestion.nearest(to: name, among: Intent.allCases.map(\.name) + programs) {
            complain("  help: did you mean `\(meant)`?")
        } else {
            complain("  help: `sandbox intents` lists them")
        }
        throw ExitCode(125)
    }

    private typealias Entry = (name: String, when: String)

    private static func entries(_ intent: String, _ catalogue: Catalogue) -> [Entry] {
        catalogue.entries.flatMap { entry in
            entry.meanings.filter { $0.intents.contains(intent) }.map { (entry.name, $0.when) }
        }
    }

    private static func line(_ intent: String, _ entries: [Entry]) -> String {
        let pad = String(repeating: " ", count: max(1, 22 - intent.count))
        var names: [String] = []
        for entry in entries where !names.contains(entry.name) { names.append(entry.name) }
        let shown = names.prefix(5).joined(separator: ", ")
        let rest = names.count > 5 ? ", and \(names.count - 5) more" : ""
        return Escaped.text(intent + pad + (names.isEmpty ? "(by its effects)" : shown + rest)) + "\n"
    }

    private static func page(_ intent: String, _ entries: [Entry], _ examples: [String]) -> String {
        var lines = [intent]
        for entry in entries { lines.append("  \(entry.name)" + (entry.when == "always" ? "" : ": \(entry.when)")) }
        if !examples.isEmpty { lines.append("  for example") }
        for example in examples { lines.append("    \(example)") }
        return lines.map { Escaped.text($0) }.joined(separator: "\n") + "\n\n"
    }

    private static func object(_ intent: String, _ entries: [Entry], _ examples: [String]) -> String {
        let told = entries.map { "{\"entry\":\(Escaped.json($0.name)),\"when\":\(Escaped.json($0.when))}" }.joined(separator: ",")
        let lines = examples.map { Escaped.json($0) }.joined(separator: ",")
        return "{\"intent\":\(Escaped.json(intent)),\"entries\":[\(told)],\"examples\":[\(lines)]}\n"
    }
}
