internal import SandboxModel

/// What two profiles, with all that they extend, say differently.
package enum ProfileDiff {
    package struct Difference: Hashable, Sendable {
        package enum Effect: String, Sendable { case tighter, looser, neither }
        package let isAdded: Bool
        package let section: String
        package let text: String
        /// Of the change, for whoever runs under the profile.
        package let effect: Effect
    }

    /// From the first to the second, section by section.
    package static func between(_ a: ResolvedProfile, _ b: ResolvedProfile) -> [Difference] {
        let before = lines(a.body), after = lines(b.body)
        var found: [Difference] = []
        for (section, gives) in sections {
            let old = before[section] ?? [], new = after[section] ?? []
            let oldSet = Set(old), newSet = Set(new)
            var said: Set<String> = []
            for text in old where !newSet.contains(text) && said.insert(text).inserted {
                found.append(Difference(isAdded: false, section: section, text: text, effect: effect(gives, isAdded: false)))
            }
            for text in new where !oldSet.contains(text) && said.insert(text).inserted {
                found.append(Difference(isAdded: true, section: section, text: text, effect: effect(gives, isAdded: true)))
            }
        }
        return found
    }

    private enum Gives { case more, less, neither }

    private static let sections: [(String, Gives)] = [
        ("mode", .neither), ("identities", .more), ("files.default", .neither), ("files.read", .more), ("files.write", .more),
        ("files.deny", .less),
        ("exec.default", .neither), ("exec.allow", .neither), ("exec.deny", .less), ("network.default", .neither), ("network.allow", .more),
        ("network.deny", .less), ("network.listen", .more), ("data", .neither), ("rules", .less), ("environment.keep", .neither),
        ("environment.drop", .less), ("environment.set", .neither), ("limits", .neither), ("audit", .neither),
    ]

    private static func effect(_ gives: Gives, isAdded: Bool) -> Difference.Effect {
        switch gives {
        case .more: isAdded ? .looser : .tighter
        case .less: isAdded ? .tighter : .looser
        case .neither: .neither
        }
    }

    private static func lines(_ body: ProfileBody) -> [String: [String]] {
        var lines: [String: [String]] = [
            "mode": [(body.mode ?? .enforce).rawValue],
            "files.default": [(body.files.fallback ?? .deny).name], "files.read": body.files.read.map(\.text),
            "files.write": body.files.write.map(\.text), "files.deny": body.files.deny.map(\.text),
            "exec.default": [body.execFallback.name], "exec.allow": body.exec.allow.map(\.text), "exec.deny": body.exec.deny.map(\.text),
            "network.default": [(body.network.fallback ?? .deny).name], "network.allow": body.network.allow.map(\.text),
            "network.deny": body.network.deny.map(\.text), "network.listen": body.network.listen.map(\.text),
            "rules": body.rules.map { "\($0.name): \($0.text)" },
            "environment.drop": body.environment.drop.map(\.text),
            "environment.set": body.environment.set.map { "\($0.text)=\(String(decoding: $0.value, as: UTF8.self))" },
        ]
        lines["identities"] = body.identities?.map(\.text)
        lines["environment.keep"] = body.environment.keep?.map(\.text)
        lines["data"] = body.data.flatMap { each in
            each.files.map { "\(each.name): \($0.text)" } + each.tables.map { "\(each.name): table \($0.text)" }
        }
        lines["limits"] = [
            body.limits.memory.map { "memory \($0)" }, body.limits.processes.map { "processes \($0)" },
            body.limits.time.map { "time \($0 / 1_000_000)ms" }, body.limits.openFiles.map { "open_files \($0)" },
            body.limits.written.map { "written \($0)" },
        ].compactMap { $0 }
        lines["audit"] = [
            body.audit.onFailure.map { "on_failure \($0.rawValue)" }, body.audit.reads.map { "reads \($0.rawValue)" },
            body.audit.arguments.map { "arguments \($0.rawValue)" },
        ].compactMap { $0 }
        return lines
    }
}

/// A profile to begin with.
package enum ProfileTemplate {
    package static func isName(_ text: String) -> Bool { ProfileReader.isName(text) }

    package static func text(name: String, extends: String) -> String {
        """
        # yaml-language-server: the schema is printed by `sandbox profile schema`.
        # Check with `sandbox profile check`, run the tests below with `sandbox profile test`.
        version: 1
        name: \(YAMLFlow.quoted(name))
        description: What this agent is for.
        extends: [\(YAMLFlow.quoted(extends))]
        mode: enforce

        files:
          write:
            - "${workspace}/**"
          deny:
            - { path: "**/.env", reason: "holds secrets; give the agent what it needs with `--env`" }

        rules:
          - name: no-force-push
            intent: git.force_push
            decide: rewrite
            reason: somebody else may have pushed meanwhile
            rewrite: { replace: { "--force": "--force-with-lease", "-f": "--force-with-lease" } }
          - name: bulk-deletion
            intent: file.delete
            # git takes away a temporary file for each that it adds, and has the rest in its history.
            when: { path: "${workspace}/**", program_not: [git, sed], count: "> 200", within: 10s }
            decide: ask
            reason: that is a lot at once

        tests:
          - { run: [git, push, --force], expect: rewrite, to: [git, push, --force-with-lease] }
          - { write: "${workspace}/a.txt", expect: allow }
          - { read: "${workspace}/.env", expect: deny }
          - { delete: "${workspace}/a.txt", expect: allow }
          - { delete: "${workspace}/a.txt", times: 201, expect: ask }

        """
    }
}
