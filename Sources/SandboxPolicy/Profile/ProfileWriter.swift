internal import SandboxModel

/// A resolved profile as YAML: the same input gives the same bytes, and reading them gives the same rules.
package enum ProfileWriter {
    package static func yaml(_ profile: ResolvedProfile) -> String {
        var out = "# `\(profile.name)` with all that it extends: \(profile.chain.joined(separator: ", "))\n"
        out += "version: 1\nname: \(YAMLFlow.quoted(profile.name))\n"
        if !profile.description.isEmpty { out += "description: \(YAMLFlow.quoted(profile.description))\n" }
        let body = profile.body
        out += "mode: \((body.mode ?? .enforce).rawValue)\n"
        if let identities = body.identities { out += list("identities", identities, key: "identity", indent: "") }
        out += section(
            "files",
            [
                fallback(body.files.fallback ?? .deny), list("read", body.files.read, key: "path"),
                list("write", body.files.write, key: "path"), list("deny", body.files.deny, key: "path"),
            ])
        out += section(
            "exec",
            [
                fallback(body.execFallback), list("allow", body.exec.allow, key: "program"),
                list("deny", body.exec.deny, key: "program"),
            ])
        out += section(
            "network",
            [
                fallback(body.network.fallback ?? .deny), list("allow", body.network.allow, key: "host"),
                list("deny", body.network.deny, key: "host"), list("listen", body.network.listen, key: "host"),
            ])
        return out + data(body.data) + releases(body.releases) + rules(body.rules, own: profile.name) + environment(body.environment)
            + limits(body.limits) + audit(body.audit)
    }

    /// Two profiles may have given the same name; in one file it says whose it is.
    private static func rules(_ rules: [Rule], own: String) -> String {
        let lines = rules.map { rule in
            let from = rule.origin.profile
            return "  - { name: \(YAMLFlow.quoted(from == own ? rule.name : "\(from).\(rule.name)")), \(rule.text) }  # \(from)\n"
        }
        return lines.isEmpty ? "" : "rules:\n" + lines.joined()
    }

    private static func data(_ classes: [DataClass]) -> String {
        guard !classes.isEmpty else { return "" }
        return "data:\n"
            + classes.map { each in
                "  \(YAMLFlow.quoted(each.name)):\n" + list("files", each.files, key: "path", indent: "    ")
                    + list("tables", each.tables, key: "table", indent: "    ") + each.content.map(content).joined()
            }.joined()
    }

    private static func content(_ terms: ContentTerms) -> String {
        let counts = ContentKind.allCases.compactMap { kind in terms.counts[kind].map { "\(kind.name): \($0)" } }
        let places = terms.folders.map { YAMLFlow.quoted($0.text) }.joined(separator: ", ")
        return "    content: { in: [\(places)], \(counts.joined(separator: ", ")) }\n"
    }

    private static func releases(_ list: [Release]) -> String {
        guard !list.isEmpty else { return "" }
        return "releases:\n"
            + list.map { each in
                let hash = each.sha256.map { ", sha256: \(YAMLFlow.quoted($0))" } ?? ""
                let classes = each.classes.map { YAMLFlow.quoted($0) }.joined(separator: ", ")
                return "  - { program: \(YAMLFlow.quoted(each.program.text)), classes: [\(classes)]\(hash) }\n"
            }.joined()
    }

    private static func environment(_ lists: EnvironmentLists) -> String {
        var set = ""
        // The last one said wins, and a mapping holds each key once.
        var values: [String: [UInt8]] = [:]
        for entry in lists.set { values[entry.text] = entry.value }
        for name in values.keys.sorted() {
            set += "    \(YAMLFlow.quoted(name)): \(YAMLFlow.quoted(String(decoding: values[name] ?? [], as: UTF8.self)))\n"
        }
        return section(
            "environment",
            [
                lists.keep.map { list("keep", $0, key: "name", always: true) } ?? "", list("drop", lists.drop, key: "name"),
                set.isEmpty ? "" : "  set:\n" + set,
            ])
    }

    private static func limits(_ limits: Limits) -> String {
        section(
            "limits",
            [
                limits.memory.map { "  memory: \($0)\n" } ?? "",
                limits.processes.map { "  processes: \($0)\n" } ?? "",
                limits.time.map { "  time: \($0 / 1_000_000)ms\n" } ?? "",
                limits.openFiles.map { "  open_files: \($0)\n" } ?? "",
                limits.written.map { "  written: \($0)\n" } ?? "",
            ])
    }

    private static func audit(_ audit: AuditSettings) -> String {
        section(
            "audit",
            [
                audit.onFailure.map { "  on_failure: \($0.rawValue)\n" } ?? "",
                audit.reads.map { "  reads: \($0.rawValue)\n" } ?? "",
                audit.arguments.map { "  arguments: \($0.rawValue)\n" } ?? "",
                audit.entropy.map { "  entropy: \($0)\n" } ?? "",
            ])
    }

    private static func section(_ name: String, _ parts: [String]) -> String {
        let text = parts.joined()
        return text.isEmpty ? "" : "\(name):\n" + text
    }

    private static func fallback(_ decision: Decision) -> String { "  default: \(decision.name)\n" }

    private static func list<Value>(
        _ name: String, _ entries: [Entry<Value>], key: String, indent: String = "  ", always: Bool = false
    ) -> String {
        guard !entries.isEmpty else { return always ? "\(indent)\(name): []\n" : "" }
        var out = "\(indent)\(name):\n"
        for entry in entries {
            let from = "  # \(entry.origin.profile)"
            if let reason = entry.reason {
                out += "\(indent)  - { \(key): \(YAMLFlow.quoted(entry.text)), reason: \(YAMLFlow.quoted(reason)) }\(from)\n"
            } else {
                out += "\(indent)  - \(YAMLFlow.quoted(entry.text))\(from)\n"
            }
        }
        return out
    }
}
