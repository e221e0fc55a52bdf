internal import SandboxIntent
internal import SandboxModel
package import SandboxPolicy

/// Runs the `tests` of a profile, on a machine that is made up, so that they come out the same everywhere.
package struct ProfileTesting {
    package struct Failure {
        package let test: ProfileTest
        package let message: String
    }
    private let policy: Policy
    private let judge: CommandJudge

    package init(_ profile: ResolvedProfile, reader: CommandReader) throws(PolicyFailure) {
        policy = try Policy.compile(profile: profile, variables: DryRun.nowhere())
        judge = CommandJudge(policy: policy, reader: reader)
    }

    package func run(_ test: ProfileTest) -> Failure? {
        let explainer = Explainer(judge, place: NoMachine(), counters: Counters())
        explainer.identity = test.identity ?? "user:tester"
        explainer.groups = test.groups
        explainer.roles = test.roles
        explainer.subagent = test.subagent
        explainer.purpose = test.purpose
        for name in test.carries {
            if let i = policy.dataClasses.firstIndex(of: name) { explainer.carries |= 1 << UInt64(i) }
        }
        // Of whom a test says nothing, he is somebody who may: tests are about what a session does.
        if let named = test.identity ?? test.groups.first ?? test.roles.first, !explainer.isAdmitted {
            return Failure(test: test, message: "`\(named)` may not run under the profile: its `identities` say who may")
        }
        do throws(DryFailure) {
            for _ in 1..<max(1, test.times) { _ = try explainer.explain(subject(test)) }
            return check(test, try explainer.explain(subject(test)))
        } catch {
            return Failure(test: test, message: error.message)
        }
    }

    private func subject(_ test: ProfileTest) -> DrySubject {
        switch test.subject {
        case .run(let words): .run(words.map { Array($0.utf8) })
        case .read(let path): .read(Array(path.utf8))
        case .write(let path): .write(Array(path.utf8))
        case .delete(let path): .delete(Array(path.utf8))
        case .connect(let place): .connect(place)
        case .sql(let text, let dialect): .sql(Array(text.utf8), SQLDialect(rawValue: dialect) ?? .postgres)
        }
    }

    private func check(_ test: ProfileTest, _ found: Explanation) -> Failure? {
        var wrong: [String] = []
        let rules = found.rules.map { policy.rule($0).name }
        if let expected = test.expect, expected != found.decision {
            let why = rules.isEmpty ? "" : " by `" + rules.joined(separator: "`, `") + "`" + (found.verdict.note.map { " (\($0))" } ?? "")
            wrong.append("expected \(expected.name), got \(found.decision.name)\(why)")
        }
        if let to = test.to {
            let got = found.verdict.rewrite?.arguments.map { String(decoding: $0, as: UTF8.self) }
            if got != to { wrong.append("expected to run `\(to.joined(separator: " "))`, got `\((got ?? []).joined(separator: " "))`") }
        }
        if !test.intents.isSubset(of: found.intents) {
            wrong.append("expected the intents \(list(test.intents)), got \(list(found.intents))")
        }
        if !test.intentsNot.isDisjoint(with: found.intents) {
            wrong.append("expected none of the intents \(list(test.intentsNot)), got \(list(found.intents))")
        }
        if let rule = test.rule, rules.first != rule { wrong.append("expected the rule `\(rule)`, got `\(rules.first ?? "none")`") }
        return wrong.isEmpty ? nil : Failure(test: test, message: wrong.joined(separator: "; "))
    }

    private func list(_ intents: IntentSet) -> String { intents.isEmpty ? "none" : intents.names.joined(separator: ", ") }
}
