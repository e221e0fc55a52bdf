import SandboxModel
import Testing
@testable import SandboxPolicy

/// What is wrong with rules is said with its place and what would be right.
@Suite struct RuleProfiles {
    @Test(arguments: [
        ("- { name: r, intent: sql.dorp, decide: deny }", "unknown intent `sql.dorp`", "`sql.drop`"),
        ("- { name: r, intent: sgl, decide: deny }", "unknown intent `sgl`", "`sql`"),
        ("- { name: r, intnt: sql, decide: deny }", "unknown key `intnt`", "`intent`"),
        ("- { name: r, intent: sql, decide: dney }", "bad value `dney`", "`deny`"),
        ("- { name: r, intent: sql }", "does not say what to `decide`", "deny"),
        ("- { intent: sql, decide: deny }", "no `name`", "name"),
        ("- { name: \"a:b\", decide: deny }", "bad name", "letters"),
        ("- { name: r, decide: deny, when: { pth: x } }", "unknown key `pth`", "`path`"),
        ("- { name: r, decide: deny, when: { path: \"a[\" } }", "can never match", "did you mean"),
        ("- { name: r, decide: deny, when: { path: \"/a[\" } }", "`[` without its `]`", "write"),
        ("- { name: r, decide: deny, when: { args: \"a[\" } }", "`[` without its `]`", "write"),
        ("- { name: r, decide: deny, when: { path: [] } }", "empty list", ""),
        ("- { name: r, intent: sql.drop, decide: deny, when: { path: /a } }", "can never match", "file.delete"),
        ("- { name: r, intent: proc.exec, decide: deny, when: { path: /a } }", "can never match", "`program`"),
        ("- { name: r, intent: file.read, decide: deny, when: { path_to: /a } }", "can never match", ""),
        ("- { name: r, decide: deny, when: { purpose: a, purpose_not: [a, b] } }", "can never match", "take one"),
        ("- { name: r, decide: deny, when: { path: /a, path_not: /a } }", "can never match", "take one"),
        ("- { name: r, decide: deny, when: { host: \"a:80\" } }", "more than a host", "`port`"),
        ("- { name: r, decide: deny, when: { port: 70000 } }", "bad port", "65535"),
        ("- { name: r, decide: deny, when: { count: 50 } }", "bad count `50`", "> 50"),
        ("- { name: r, decide: deny, when: { count: \"> 500000\" } }", "bad count", "below"),
        ("- { name: r, decide: deny, when: { within: 10s } }", "says nothing without `count`", "count"),
        ("- { name: r, decide: deny, when: { per: folder } }", "says nothing without `count`", "count"),
        ("- { name: r, decide: deny, when: { count: \"> 50\", per: folders } }", "bad value `folders`", "folder"),
        ("- { name: r, decide: deny, when: { time_of_day: \"25:00-26:00\" } }", "bad time of day", "UTC"),
        ("- { name: r, decide: deny, when: { carries: pii } }", "no class of data `pii`", "`data`"),
        ("- { name: r, decide: deny, when: { subagent_not: a } }", "a name would gain something", "`subagent`"),
        ("- { name: r, decide: deny, when: { terminal: yes } }", "bad value `yes`", "true"),
        ("- { name: r, decide: deny, ask: { timeout: 1m } }", "`ask` has no effect", "decide: ask"),
        ("- { name: r, decide: ask, ask: { approvers: [ops] } }", "bad approver `ops`", "group:NAME"),
        ("- { name: r, decide: ask, ask: { scopes: [onec] } }", "unknown scope", "`once`"),
        ("- { name: r, intent: git, decide: rewrite }", "does not say what to `rewrite`", "replace"),
        ("- { name: r, intent: git, decide: deny, rewrite: { append: [x] } }", "`rewrite` has no effect", "decide: rewrite"),
        ("- { name: r, intent: git, decide: rewrite, rewrite: { sql: { limit: 5 } } }", "rewrites SQL but matches none", "sql.drop"),
        ("- { name: r, intent: net.local_socket, decide: rewrite, rewrite: { append: [x] } }", "can never match", ""),
        ("- { name: r, intent: file, when: { path: /a }, decide: rewrite, rewrite: { append: [x] } }", "can never match", "`args`"),
        ("- { name: r, decide: deny }\n  - { name: r, decide: ask }", "two rules are called `r`", "line 4"),
    ])
    func refused(_ rule: String, _ message: String, _ help: String) {
        let found = errors("version: 1\nname: p\nrules:\n  \(rule)\n")
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains(message) == true, "\(found)")
        #expect(help.isEmpty || found.first?.contains(help) == true, "\(found)")
        #expect(found.first?.hasPrefix("p.yaml:") == true && found.first?.hasPrefix("p.yaml:1:") == false, "\(found)")
    }

    @Test func tests() {
        for (test, message) in [
            ("{ run: [git, push] }", "expects nothing"), ("{ expect: deny }", "does nothing"),
            ("{ run: ls, read: /a, expect: deny }", "more than one"),
            ("{ sql: x, dialect: oracle, expect: deny }", "bad value `oracle`"),
            ("{ read: /a, expct: deny, rule: r }", "unknown key `expct`"),
        ] {
            let found = errors("version: 1\nname: p\ntests:\n  - \(test)\n")
            #expect(found.count == 1 && found[0].contains(message), "\(found)")
        }
    }

    /// Rules add up, each says where it is from, and what is printed reads back.
    @Test func extending() throws {
        let base =
            "version: 1\nname: base\ndata: { pii: { files: [/a] } }\nrules: [{ name: r, intent: git, decide: deny }]\ntests: [{ run: [x], expect: deny }]"
        let own =
            "version: 1\nname: p\nextends: base\ndata: { pii: { tables: [t] } }\nrules: [{ name: r, intent: git.push, when: { carries: pii }, decide: ask }]"
        let profile = try load(own, ["base": base])
        #expect(profile.body.rules.map(\.origin.profile) == ["base", "p"] && profile.tests.isEmpty)
        #expect(profile.body.data.count == 1 && profile.body.data[0].tables.count == 1)
        let policy = try Policy.compile(profile: profile, variables: variables())
        #expect(policy.says(facts(.exec, [.gitPush]) { $0.tables = ["T"] }) == "deny base:r r")
        let again = try load(ProfileWriter.yaml(profile))
        #expect(again.body.rules.map(\.conditions.first?.test) == profile.body.rules.map(\.conditions.first?.test))
        #expect(again.body.rules.map(\.intents) == profile.body.rules.map(\.intents))
        #expect(again.body.data.map(\.name) == ["pii"] && again.body.rules.map(\.name) == ["base.r", "r"])
    }

    @Test func traces() throws {
        let policy = try policy(Rules.contract)
        let rename = facts(.delete, [.fileDelete]) { $0.path = Array("/tmp/x".utf8) }
        #expect(policy.trace(rename).map(\.name) == ["bulk"])
        #expect(policy.trace(rename)[0].outcome == .fails && policy.trace(rename)[0].conditions == ["path: \"${workspace}/**\""])
        let delete = facts(.delete, [.fileDelete]) { $0.path = Array("/home/u/w/x".utf8) }
        #expect(policy.trace(delete)[0].outcome == .counts)
        #expect(policy.trace(facts(.exec, [.sqlDrop]))[0].outcome == .matches)
        #expect(policy.trace(facts(.connect, [.netEgress]) { $0.unknown = .carries })[0].outcome == .unknown)
    }
}
