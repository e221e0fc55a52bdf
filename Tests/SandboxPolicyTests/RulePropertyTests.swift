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
        var decide = decide ?? ["deny", "ask", "allow", "ask"].randomElement(using: &random)!
        if decide == "rewrite" { decide += ", rewrite: { append: [last] }" }
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

    /// One of them may be a rewrite: of several, the first is taken.
    @Test func orderChangesNothing() throws {
        var random = Seeded(state: 1)
        var told: [Decision: Int] = [:]
        for _ in 0..<80 {
            let rules = (0..<7).map { Self.rule($0, &random) } + [Self.rule(7, &random, decide: "rewrite")]
            guard let (a, _) = Self.compile(rules), let (b, _) = Self.compile(rules.shuffled(using: &random)) else { continue }
            for _ in 0..<60 {
                let facts = Self.facts(&random)
                let x = a.decide(facts, counters: nil), y = b.decide(facts, counters: nil)
                #expect(x.decision == y.decision && x.ask == y.ask && x.rewrite == y.rewrite)
                #expect(Set(x.rules.map { a.rule($0).name }) == Set(y.rules.map { b.rule($0).name }))
                told[x.decision, default: 0] += 1
            }
        }
        for decision in Decision.allCases { #expect(told[decision, default: 0] > 10, "\(told)") }
    }

    /// The decision of many is the strictest of what each says alone, and all that matched are named.
    @Test func theStrictestWins() throws {
        var random = Seeded(state: 4)
        var compared = 0, several = 0
        for _ in 0..<60 {
            let rules = (0..<6).map { Self.rule($0, &random) }
            guard let (all, _) = Self.compile(rules) else { continue }
            let alone = try rules.map { try #require(Self.compile([$0])).0 }
            for _ in 0..<60 {
                let facts = Self.facts(&random)
                let verdict = all.decide(facts, counters: nil), each = alone.map { $0.decide(facts, counters: nil) }
                #expect(verdict.decision == each.map(\.decision).max())
                let names = zip(alone, each).flatMap { policy, verdict in verdict.rules.map { policy.rule($0).name } }
                #expect(Set(verdict.rules.map { all.rule($0).name }) == Set(names))
                compared += 1
                several += names.count > 1 ? 1 : 0
            }
        }
        #expect(compared > 1500 && several > 200, "\(compared), \(several)")
    }

    /// Wherever it stands, whatever it decides.
    @Test(arguments: ["deny", "ask", "allow", "rewrite"]) func moreRulesNeverAllowMore(decide: String) throws {
        var random = Seeded(state: 2)
        var compared = 0, stricter = 0
        for _ in 0..<80 {
            let rules = (0..<6).map { Self.rule($0, &random) }
            var more = rules
            more.insert(Self.rule(6, &random, decide: decide), at: Int.random(in: 0...6, using: &random))
            guard let (a, _) = Self.compile(rules), let (b, _) = Self.compile(more) else { continue }
            for _ in 0..<60 {
                let facts = Self.facts(&random)
                let x = a.decide(facts, counters: nil), y = b.decide(facts, counters: nil)
                #expect(x.decision <= y.decision)
                #expect(Set(x.rules.map { a.rule($0).name }).isSubset(of: y.rules.map { b.rule($0).name }))
                compared += 1
                stricter += x.decision < y.decision ? 1 : 0
            }
        }
        #expect(compared > 2000 && (decide == "allow" || stricter > 30), "\(compared), \(stricter)")
    }

    /// Whatever a profile says that extends another: what the other forbade stays forbidden.
    @Test func extendingNeverAllowsMore() throws {
        var random = Seeded(state: 3)
        var compared = 0, stricter = 0
        for _ in 0..<80 {
            let base = Self.profile((0..<5).map { Self.rule($0, &random) }).replacing("name: p\n", with: "name: base\n")
            let own = "version: 1\nname: p\nextends: base\nrules:\n" + (0..<4).map { "  \(Self.rule($0, &random))\n" }.joined()
            guard let above = try? load(base), let below = try? load(own, ["base": base]) else { continue }
            let a = try Policy.compile(profile: above, variables: variables()),
                b = try Policy.compile(profile: below, variables: variables())
            for _ in 0..<60 {
                let facts = Self.facts(&random)
                let x = a.decide(facts, counters: nil).decision, y = b.decide(facts, counters: nil).decision
                #expect(x <= y)
                compared += 1
                stricter += x < y ? 1 : 0
            }
        }
        #expect(compared > 2000 && stricter > 100, "\(compared), \(stricter)")
    }

    /// What cannot be found out is at most refused, never let go.
    @Test func lessKnownNeverAllowsMore() throws {
        var random = Seeded(state: 5)
        var compared = 0, stricter = 0
        for _ in 0..<80 {
            guard let (policy, _) = Self.compile((0..<6).map { Self.rule($0, &random) }) else { continue }
            for _ in 0..<60 {
                var facts = Self.facts(&random)
                facts.unknown = []
                let known = policy.decide(facts, counters: nil).decision
                facts.unknown = Facts.Set(rawValue: UInt32.random(in: 0..<1 << 13, using: &random))
                let unknown = policy.decide(facts, counters: nil).decision
                // A rule that matches still does, or cannot be told; one that does not may come to.
                #expect(known <= unknown, "\(facts)")
                compared += 1
                stricter += known < unknown ? 1 : 0
            }
        }
        #expect(compared > 2000 && stricter > 200, "\(compared), \(stricter)")
    }
}
