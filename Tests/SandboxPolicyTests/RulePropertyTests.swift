import SandboxModel
import Testing
@testable import SandboxPolicy

/// Random rules over a small vocabulary, so that they meet often.
@Suite(.timeLimit(.minutes(2))) struct RuleProperties {
    static let intents = ["file.delete", "file", "sql.drop", "git.push", "net.egress", "\"*\"", "[git, sql]"]
    static let values: [(String, [String])] = [
        ("path", ["/a/**", "/a/b", "\"**/b\"", "\"/*/b/**\"", "[/a/b/c, /b]", "/"]), ("program", ["git", "/usr/bin/*", "[rm, g*]"]),
        ("args", ["-f", "\"-*\"", "[x, --y]"]), ("host", ["h.example", "[h.example, g.example]"]), ("table", ["t", "s.t", "[s.*, u]"]),
        ("carries", ["pii", "[pii, secret]"]), ("identity", ["agent:a", "\"agent:*\""]),
    ]
    static let data = "data: { pii: { files: [/a/b/**], tables: [s.t] }, secret: { files: [\"**/c\"] } }\n"

    static func rule(_ i: Int, _ random: inout Seeded, decide: String? = nil) -> String {
        var conditions: [String] = []
        for (key, values) in values.shuffled(using: &random).prefix(Int.random(in: 0...3, using: &random)) {
            conditions.append(key + (Bool.random(using: &random) ? "" : "_not") + ": " + values.randomElement(using: &random)!)
        }
        let decide = decide ?? ["deny", "ask", "allow", "ask"].randomElement(using: &random)!
        return
            "- { name: r\(i), intent: \(intents.randomElement(using: &random)!), when: { \(conditions.joined(separator: ", ")) }, decide: \(decide) }"
    }

    static func profile(_ rules: [String]) -> String { "version: 1\nname: p\n" + data + "rules:\n" + rules.map { "  \($0)\n" }.joined() }

    static func facts(_ random: inout Seeded) -> Facts {
        func pick<T>(_ all: [T]) -> T { all.randomElement(using: &random)! }
        func maybe<T>(_ all: [T]) -> T? { Bool.random(using: &random) ? pick(all) : nil }
        var facts = Facts(
            pick([.exec, .delete, .connect]), intents: pick([[.fileDelete], [.sqlDrop, .procExec], [.gitPush], [.netEgress], []]))
        facts.path = maybe(["/a", "/a/b", "/a/b/c", "/b", "/", "/x/b/y"]).map { Array($0.utf8) }
        facts.program = maybe(["/usr/bin/git", "/bin/rm", "/usr/bin/x"]).map { Array($0.utf8) }
        facts.invoked = maybe(["/usr/bin/git", "/x/grep"]).map { Array($0.utf8) }
        facts.arguments = maybe([["git", "-f"], ["x", "x"], ["git", "--y", "z"]]).map { $0.map { Array($0.utf8) } }
        facts.destinations = pick([
            [], [.init(names: ["h.example"])], [.init(names: ["g.example", "k.example"]), .init(names: ["h.example"])],
        ])
        facts.tables = pick([[], ["t"], ["S.T", "x.t"], ["u", "t"]])
        facts.identity = maybe(["agent:a", "user:b"])
        facts.carries = UInt64.random(in: 0...3, using: &random)
        if UInt8.random(in: 0...3, using: &random) == 0 {
            facts.unknown = Facts.Set(
                rawValue: UInt32.random(in: 0..<1 << 11, using: &random) & UInt32.random(in: 0..<1 << 11, using: &random))
        }
        return facts
    }

    static func compile(_ rules: [String]) -> (Policy, ResolvedProfile)? {
        guard let profile = try? load(profile(rules)), let policy = try? Policy.compile(profile: profile, variables: variables()) else {
            return nil
        }
        return (policy, profile)
    }

    @Test func fastEqualsNaive() throws {
        var random = Seeded(state: 20_261_126)
        var decided: [Decision: Int] = [:]
        for _ in 0..<150 {
            guard let (policy, profile) = Self.compile((0..<Int.random(in: 1...12, using: &random)).map { Self.rule($0, &random) }) else {
                continue
            }
            let naive = NaiveRules(body: profile.body)
            for _ in 0..<100 {
                let facts = Self.facts(&random)
                let verdict = policy.decide(facts, counters: nil), expected = naive.decide(facts)
                let names = verdict.rules.map { policy.rule($0).name }
                #expect(
                    verdict.decision == expected.decision && names == expected.rules,
                    "\(names) \(expected) \(facts)\n\(profile.body.rules.map(\.text))")
                decided[verdict.decision, default: 0] += 1
            }
        }
        for decision in [Decision.allow, .ask, .deny] { #expect(decided[decision, default: 0] > 200, "\(decided)") }
    }

    @Test func orderChangesNothing() throws {
        var random = Seeded(state: 1)
        for _ in 0..<80 {
            let rules = (0..<8).map { Self.rule($0, &random) }
            guard let (a, _) = Self.compile(rules), let (b, _) = Self.compile(rules.shuffled(using: &random)) else { continue }
            for _ in 0..<60 {
                let facts = Self.facts(&random)
                let x = a.decide(facts, counters: nil), y = b.decide(facts, counters: nil)
                #expect(x.decision == y.decision && x.ask == y.ask)
                #expect(Set(x.rules.map { a.rule($0).name }) == Set(y.rules.map { b.rule($0).name }))
            }
        }
    }

    @Test func moreRulesNeverAllowMore() throws {
        var random = Seeded(state: 2)
        for _ in 0..<80 {
            let rules = (0..<6).map { Self.rule($0, &random) }
            guard let (fewer, _) = Self.compile(rules), let (more, _) = Self.compile(rules + [Self.rule(6, &random, decide: "deny")]) else {
                continue
            }
            for _ in 0..<60 {
                let facts = Self.facts(&random)
                #expect(fewer.decide(facts, counters: nil).decision <= more.decide(facts, counters: nil).decision)
            }
        }
    }

    /// Whatever a profile says that extends another: what the other forbade stays forbidden.
    @Test func extendingNeverAllowsMore() throws {
        var random = Seeded(state: 3)
        for _ in 0..<80 {
            let base = Self.profile((0..<5).map { Self.rule($0, &random) }).replacing("name: p\n", with: "name: base\n")
            let own = "version: 1\nname: p\nextends: base\nrules:\n" + (0..<4).map { "  \(Self.rule($0, &random))\n" }.joined()
            guard let above = try? load(base), let below = try? load(own, ["base": base]) else { continue }
            let a = try Policy.compile(profile: above, variables: variables()),
                b = try Policy.compile(profile: below, variables: variables())
            for _ in 0..<60 {
                let facts = Self.facts(&random)
                #expect(a.decide(facts, counters: nil).decision <= b.decide(facts, counters: nil).decision)
            }
        }
    }
}
