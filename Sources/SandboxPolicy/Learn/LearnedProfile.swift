internal import SandboxYAML

/// A profile that was learned, before it is text: every line with what it rests on.
package struct LearnedProfile: Sendable {
    package struct Entry: Hashable, Sendable {
        package var text: String
        /// Why, as the agent is told.
        package var reason: String?
        package var evidence: String
        package init(_ text: String, reason: String? = nil, _ evidence: String) {
            self.text = text
            self.reason = reason
            self.evidence = evidence
        }
    }

    package var name: String
    package var extends: String
    /// About the whole, one line each.
    package var heading: [String] = []
    package var read: [Entry] = []
    package var write: [Entry] = []
    package var deny: [Entry] = []
    package var programs: [Entry] = []
    package var connect: [Entry] = []
    package var listen: [Entry] = []
    /// Names of intents and of families that nothing of it meant; and what was meant, for the comment.
    package var neverMeant: [String] = []
    package var meant = ""
    package var usesTemporaryFolder = false
    /// What is behind the profile, as comments: titles, each with its lines.
    package var remarks: [(title: String, lines: [String])] = []
    package var tests: [String] = []

    package init(name: String, extends: String) {
        self.name = name
        self.extends = extends
    }

    package var yaml: String {
        var out = heading.map { LearnedProfile.comment($0, "") }.joined()
        out += "version: 1\nname: \(YAMLFlow.quoted(name))\n"
        out += "description: What it was learned from would have passed under it, and little else.\n"
        out += "extends: [\(YAMLFlow.quoted(extends))]\nmode: enforce\n"
        out += LearnedProfile.section(
            "files",
            [
                "  default: deny\n", LearnedProfile.list("read", read, "path"), LearnedProfile.list("write", write, "path"),
                LearnedProfile.list("deny", deny, "path"),
            ])
        out += LearnedProfile.section("exec", ["  default: deny\n", LearnedProfile.list("allow", programs, "program")])
        out += LearnedProfile.section(
            "network", ["  default: deny\n", LearnedProfile.list("allow", connect, "host"), LearnedProfile.list("listen", listen, "host")])
        if !neverMeant.isEmpty {
            out += """

                rules:
                  - name: never-meant
                    intent: [\(neverMeant.joined(separator: ", "))]
                    decide: deny
                    reason: nothing that this profile was learned from did that

                """
            if !meant.isEmpty { out += LearnedProfile.comment("meant were " + meant, "    ") }
        }
        if usesTemporaryFolder { out += "\nenvironment: { set: { TMPDIR: \"${tmp}\" } }\n" }
        for (title, lines) in remarks {
            out += "\n" + LearnedProfile.comment(title, "") + lines.map { LearnedProfile.comment("  " + $0, "") }.joined()
        }
        return out + LearnedProfile.section("tests", tests.map { "  - { \($0) }\n" })
    }

    private static func section(_ name: String, _ parts: [String]) -> String {
        let text = parts.joined()
        return text.isEmpty ? "" : "\n\(name):\n" + text
    }

    private static func list(_ name: String, _ entries: [Entry], _ key: String) -> String {
        if entries.isEmpty { return "" }
        return "  \(name):\n"
            + entries.map { entry in
                let text = YAMLFlow.quoted(entry.text)
                let item = entry.reason.map { "{ \(key): \(text), reason: \(YAMLFlow.quoted($0)) }" } ?? text
                return "    - \(item)" + (entry.evidence.isEmpty ? "\n" : "  # \(Printable.escape(entry.evidence))\n")
            }.joined()
    }

    private static func comment(_ text: String, _ indent: String) -> String { "\(indent)# \(Printable.escape(text))\n" }

    /// `key: value` as a test has it.
    package static func field(_ key: String, _ value: String) -> String { "\(key): \(YAMLFlow.quoted(value))" }
    package static func field(_ key: String, _ values: [String]) -> String {
        "\(key): [\(values.map { YAMLFlow.quoted($0) }.joined(separator: ", "))]"
    }
}
