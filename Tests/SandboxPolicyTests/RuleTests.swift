import SandboxModel
import Testing
@testable import SandboxPolicy

func facts(_ operation: Operation, _ intents: IntentSet, _ change: (inout Facts) -> Void = { _ in }) -> Facts {
    var facts = Facts(operation, intents: intents)
    change(&facts)
    return facts
}

extension Policy {
    func says(_ facts: Facts, _ counters: Counters? = nil) -> String {
        let verdict = decide(facts, counters: counters)
        return verdict.decision.name + verdict.rules.map { " " + rule($0).name }.joined()
    }
}

func bytes(_ words: String...) -> [[UInt8]] { words.map { Array($0.utf8) } }

@Suite struct Rules {
    static let contract = """
        data:
          pii: { files: ["/data/customers/**"], tables: ["crm.public.customers"] }
        rules:
          - { name: migrations, intent: [sql.drop, sql.truncate, sql.alter], decide: deny, reason: Use the migration pipeline. }
          - name: lease
            intent: git.force_push
            decide: rewrite
            rewrite: { replace: { "--force": "--force-with-lease", "-f": "--force-with-lease" } }
          - name: bulk
            intent: file.delete
            when: { path: "${workspace}/**", count: "> 50", within: 10s }
            decide: ask
            ask: { approvers: ["group:ops"], timeout: 10m }
          - name: pii-stays-home
            intent: net.egress
            when: { carries: pii, host_not: ["warehouse.internal"] }
            decide: deny
        """

    @Test func strictestWins() throws {
        let policy = try policy(Self.contract)
        #expect(policy.says(facts(.exec, [.procExec, .sqlDrop])) == "deny migrations")
        #expect(policy.says(facts(.exec, [.procExec])) == "allow")
        var push = facts(.exec, [.procExec, .gitForcePush]) { $0.arguments = bytes("git", "push", "-f", "origin", "--", "-f") }
        var verdict = policy.decide(push, counters: nil)
        #expect(verdict.decision == .rewrite)
        #expect(verdict.rewrite?.arguments == bytes("git", "push", "--force-with-lease", "origin", "--", "-f"))
        push.intents.insert(.sqlDrop)
        verdict = policy.decide(push, counters: nil)
        #expect(verdict.decision == .deny && verdict.rewrite == nil && verdict.rules.count == 2)
    }

    /// What a rule set out to change does not run unchanged: here the option is in a bundle.
    @Test func whatCannotBeRewrittenIsDenied() throws {
        let policy = try policy(Self.contract)
        let verdict = policy.decide(facts(.exec, [.gitForcePush]) { $0.arguments = bytes("git", "push", "-fu") }, counters: nil)
        #expect(verdict.decision == .deny && verdict.note != nil)
    }

    @Test func dataGoesWhereItMay() throws {
        let policy = try policy(Self.contract)
        #expect(policy.dataClasses == ["pii"] && policy.hostNames == ["warehouse.internal"])
        let there = Facts.Destination(names: ["warehouse.internal"], address: IPAddress(v4: 0x0a00_0001), port: 5432)
        let elsewhere = Facts.Destination(address: IPAddress(v4: 0x0a00_0009), port: 443)
        func send(_ places: [Facts.Destination], _ change: (inout Facts) -> Void) -> String {
            policy.says(
                facts(.connect, [.netConnect, .netEgress]) {
                    $0.destinations = places
                    change(&$0)
                })
        }
        #expect(send([elsewhere]) { _ in } == "allow")
        #expect(send([elsewhere]) { $0.carries = 1 } == "deny pii-stays-home")
        #expect(send([there]) { $0.carries = 1 } == "allow")
        // One of several is enough, a socket in a folder is not the warehouse, and what is not known denies.
        #expect(send([there, elsewhere]) { $0.carries = 1 } == "deny pii-stays-home")
        #expect(send([]) { $0.carries = 1 } == "deny pii-stays-home")
        #expect(send([elsewhere]) { $0.unknown = .carries } == "deny pii-stays-home")
        #expect(send([there]) { $0.unknown = .carries } == "allow")
        // A statement on the table itself, however much of its name it says.
        for table in ["crm.public.customers", "public.customers", "customers", "CUSTOMERS"] {
            #expect(send([elsewhere]) { $0.tables = [table] } == "deny pii-stays-home", "\(table)")
        }
        #expect(send([elsewhere]) { $0.tables = ["crm.private.customers", "orders"] } == "allow")
        #expect(send([elsewhere]) { $0.path = Array("/data/customers/a".utf8) } == "deny pii-stays-home")
    }

    @Test func counting() throws {
        let policy = try policy(Self.contract), counters = Counters()
        func delete(_ path: String, at second: UInt64) -> String {
            policy.says(
                facts(.delete, [.fileDelete]) {
                    $0.path = Array(path.utf8)
                    $0.time = second * 1_000_000_000
                }, counters)
        }
        for i in 0..<50 { #expect(delete("/home/u/w/\(i)", at: 1) == "allow") }
        #expect(delete("/tmp/x", at: 1) == "allow")
        // The deletion that crosses the line is the first that is held.
        #expect(delete("/home/u/w/50", at: 10) == "ask bulk")
        #expect(delete("/home/u/w/52", at: 11) == "ask bulk")
        #expect(delete("/home/u/w/53", at: 12) == "allow")
        let verdict = policy.decide(facts(.delete, [.fileDelete]) { $0.path = Array("/home/u/w/x".utf8) }, counters: nil)
        #expect(verdict.decision == .allow)
    }

    /// Each part has a count of its own; what a session does is one.
    @Test(arguments: [("session", "ask r", "ask r"), ("subtree", "allow", "ask r"), ("folder", "ask r", "allow")])
    func countsByPart(per: String, otherSubtree: String, otherFolder: String) throws {
        let policy = try policy(
            "rules: [{ name: r, intent: file.delete, when: { path: /d/**, count: \"> 2\", per: \(per) }, decide: ask }]")
        func says(_ path: String, _ subtree: UInt64) -> String {
            let counters = Counters()
            func delete(_ path: String, _ subtree: UInt64) -> String {
                policy.says(
                    facts(.delete, [.fileDelete]) {
                        $0.path = Array(path.utf8)
                        $0.subtree = subtree
                    }, counters)
            }
            for i in 0..<2 { #expect(delete("/d/\(i)", 7) == "allow") }
            return delete(path, subtree)
        }
        #expect(says("/d/x", 7) == "ask r")
        #expect(says("/d/x", 8) == otherSubtree)
        #expect(says("/d/e/x", 7) == otherFolder)
    }

    @Test func windowsAreExact() {
        var random = Seeded(state: 5)
        for _ in 0..<200 {
            let threshold = Int.random(in: 1...6, using: &random), within = UInt64.random(in: 1...20, using: &random)
            var window = Window(), all: [UInt64] = [], now: UInt64 = 0
            for _ in 0..<100 {
                now += UInt64.random(in: 0...6, using: &random)
                all.append(now)
                let expected = all.count { now - $0 <= within } >= threshold
                #expect(window.note(now, threshold, within) == expected)
            }
        }
    }

    @Test func memoryOfCountsIsBounded() {
        let counters = Counters()
        for part in 0..<5_000 as Range<UInt64> { _ = counters.note(0, part: part, at: 0, threshold: 3, within: nil) }
        // Beyond the bound they are counted together: that finds more, never less.
        #expect(counters.note(0, part: 9_999, at: 0, threshold: 3, within: nil))
        #expect(!counters.note(0, part: 1, at: 0, threshold: 3, within: nil))
    }

    @Test(arguments: [
        ("program: git", "program_not: git"), ("program: /usr/bin/g*", "program_not: /usr/bin/g*"),
        ("args: \"--for*\"", "args_not: \"--for*\""),
        ("identity: \"agent:*\"", "identity_not: \"agent:*\""), ("role: dba", "role_not: dba"), ("group: [x, ops]", "group_not: [x, ops]"),
        ("purpose: nightly*", "purpose_not: nightly*"), ("database: crm", "database_not: crm"), ("mode: enforce", "mode_not: enforce"),
        ("since_exec_of: make", "since_exec_of_not: make"), ("parent: bash", "parent_not: bash"), ("terminal: true", "terminal_not: true"),
        ("time_of_day: \"22:00-06:00\"", "time_of_day_not: \"22:00-06:00\""), ("host: \"*.example.org\"", "host_not: \"*.example.org\""),
        ("host: 10.0.0.0/8", "host_not: 10.0.0.0/8"), ("port: 5000-6000", "port_not: 5000-6000"),
        ("table: \"crm.*\"", "table_not: \"crm.*\""),
    ])
    func conditions(_ holds: String, _ fails: String) throws {
        let here = facts(.exec, [.gitPush, .netEgress]) {
            $0.program = Array("/usr/bin/git".utf8)
            $0.arguments = bytes("git", "push", "--force")
            $0.identity = "agent:b"
            $0.roles = ["dba"]
            $0.groups = ["ops"]
            $0.purpose = "nightly build"
            $0.database = "crm"
            $0.lineage = bytes("/usr/bin/make", "/bin/sh")
            $0.parent = Array("/usr/bin/bash".utf8)
            $0.terminal = true
            $0.timeOfDay = 3600
            $0.destinations = [.init(names: ["db.example.org"], address: IPAddress(v4: 0x0a01_0203), port: 5432)]
            $0.tables = ["crm.a"]
        }
        let nothing = facts(.exec, [.gitPush]) {
            $0.mode = .observe
            $0.timeOfDay = 43_200
        }
        var unknown = nothing
        unknown.unknown = [.program, .arguments, .host, .port, .database, .table, .identity, .parent, .lineage]
        for (condition, expected) in [(holds, ["deny r", "allow"]), (fails, ["allow", "deny r"])] {
            let one = try policy("rules: [{ name: r, intent: git, when: { \(condition) }, decide: deny }]")
            #expect([one.says(here), one.says(nothing)] == expected, "\(condition)")
            let never = ["purpose", "mode", "terminal", "time_of_day"].contains { condition.hasPrefix($0) }
            if !never { #expect(one.says(unknown) == "deny r", "\(condition)") }
            // Something else that surely does not hold settles it.
            let other = try policy("rules: [{ name: r, intent: sql, when: { \(condition) }, decide: deny }]")
            #expect(other.says(unknown) == "allow", "\(condition)")
        }
    }

    /// What statements name counts beside where the connection goes; alone only where nothing else is meant.
    @Test func databasesThatStatementsName() throws {
        func says(_ condition: String, _ connected: String?, _ named: [String], usesOwn: Bool) throws -> String {
            try policy("rules: [{ name: r, intent: sql, when: { \(condition) }, decide: deny }]").says(
                facts(.exec, [.sqlDrop]) {
                    $0.database = connected
                    $0.namedDatabases = named
                    $0.usesOwnDatabase = usesOwn
                })
        }
        let other = "database_not: \"*test*\""
        #expect(try says(other, "prod", ["a_test"], usesOwn: false) == "allow")
        #expect(try says(other, "prod", ["a_test"], usesOwn: true) == "deny r")
        #expect(try says(other, nil, ["a_test"], usesOwn: true) == "deny r")
        #expect(try says(other, "a_test", ["prod"], usesOwn: false) == "deny r")
        #expect(try says(other, "a_test", ["b_test", "prod"], usesOwn: true) == "deny r")
        for database in ["prod", "crm"] { #expect(try says("database: \(database)", "prod", ["crm"], usesOwn: false) == "deny r") }
        #expect(try says("database: x", "prod", ["crm"], usesOwn: true) == "allow")
    }

    /// Whoever gives himself one more name is still all that he was.
    @Test(
        arguments: [
            ("reviewer", "deny r"), ("reviewer/writer", "deny r"), ("writer/reviewer", "deny r"), ("a/reviewer/b", "deny r"),
            ("coder.1", "deny r"),
            ("coder.1/x/y", "deny r"), ("a/x/y/b", "allow"), ("x/y", "deny r"), ("x/y/z", "deny r"), ("reviewers", "allow"), ("x", "allow"),
            ("y/x", "allow"),
            (nil, "allow"),
        ] as [(String?, String)])
    func subagents(name: String?, expected: String) throws {
        let policy = try policy("rules: [{ name: r, intent: git, when: { subagent: [reviewer, \"coder.*\", x/y] }, decide: deny }]")
        var here = facts(.exec, [.gitPush]) { $0.subagent = name.map { Array($0.utf8) } }
        #expect(policy.says(here) == expected)
        here.unknown = .subagent
        #expect(policy.says(here) == "deny r")
    }

    /// A rule on paths is about operations that have one: a program start has none, its effects are judged when they come.
    @Test func paths() throws {
        let policy = try policy(
            """
            rules:
              - { name: in, intent: file, when: { path: ["/a/**/x", "~/d"] }, decide: deny }
              - { name: out, intent: file.rename, when: { path_to_not: "/a/**" }, decide: deny }
            """)
        func file(_ path: String, _ to: String? = nil, moves: Bool = false) -> String {
            policy.says(
                facts(.rename, [.fileRename]) {
                    $0.path = Array(path.utf8)
                    $0.pathTo = to.map { Array($0.utf8) }
                    $0.movesFolder = moves
                })
        }
        #expect(file("/a/x") == "deny in" && file("/a/b/c/x") == "deny in" && file("/home/u/d") == "deny in")
        #expect(file("/a/y") == "allow" && file("/ab/x") == "allow" && file("/home/u/d/e") == "allow")
        #expect(file("/a/y", "/b") == "deny out" && file("/a/y", "/a/z") == "allow")
        #expect(policy.says(facts(.exec, [.procExec, .fileDelete, .fileRename])) == "allow")
        #expect(policy.says(facts(.open, [.fileRead]) { $0.unknown = .path }) == "deny in")
        // Moving the folder would take what is below out of the rule's reach.
        #expect(
            file("/home", moves: true) == "deny in" && file("/home/u", moves: true) == "deny in" && file("/hom", moves: true) == "allow")
    }

    /// A name that the session gave to a file of its own exempts it from nothing.
    @Test func writtenNames() throws {
        let policy = try policy("rules: [{ name: r, intent: net, when: { program_not: curl }, decide: deny }]")
        func connect(_ program: String, written: Bool) -> String {
            policy.says(
                facts(.connect, [.netEgress]) {
                    $0.program = Array(program.utf8)
                    $0.isWritten = written
                })
        }
        #expect(connect("/usr/bin/curl", written: false) == "allow" && connect("/usr/bin/wget", written: false) == "deny r")
        #expect(connect("/home/u/w/curl", written: true) == "deny r")
    }

    @Test func severalWhoAsk() throws {
        let policy = try policy(
            """
            rules:
              - { name: a, intent: kube, decide: ask, ask: { approvers: ["group:b"], timeout: 5m, scopes: [once, session] } }
              - { name: b, intent: kube.delete, decide: ask, ask: { approvers: ["role:a", "user:c"], four_eyes: true, scopes: [session] } }
              - { name: c, intent: kube.delete, decide: rewrite, rewrite: { append: [--dry-run] } }
            """)
        let terms = try #require(policy.decide(facts(.exec, [.kubeDelete]), counters: nil).ask)
        #expect(terms.approvers == [["group:b"], ["role:a", "user:c"]])
        #expect(terms.timeout == 300_000_000_000 && terms.approvals == 2 && terms.scopes == [.session])
        #expect(policy.says(facts(.exec, [.kubeDelete])) == "ask a b c")
        #expect(policy.says(facts(.exec, [.kubeApply])) == "ask a")
    }

    @Test(arguments: [
        ("remove: [\"--f*\"]", ["g", "p", "x"]), ("insert: [-n]", ["g", "-n", "p", "--force", "x"]),
        ("append: [-z]", ["g", "p", "--force", "x", "-z"]),
        ("insert: { after: p, arguments: [-n, -m] }", ["g", "p", "-n", "-m", "--force", "x"]),
        ("{ replace: { --force: -l }, append: [y] }", ["g", "p", "-l", "x", "y"]), ("program: /usr/bin/true", ["g", "p", "--force", "x"]),
        ("insert: { after: q, arguments: [-n] }", []), ("remove: [zz]", []), ("replace: { --force: --force }", []),
    ])
    func rewriting(_ terms: String, _ expected: [String]) throws {
        let terms = terms.hasPrefix("{") ? terms : "{ \(terms) }"
        let policy = try policy("rules: [{ name: r, intent: git, decide: rewrite, rewrite: \(terms) }]")
        let verdict = policy.decide(facts(.exec, [.gitPush]) { $0.arguments = bytes("g", "p", "--force", "x") }, counters: nil)
        #expect((verdict.rewrite?.arguments ?? []).map { String(decoding: $0, as: UTF8.self) } == expected)
        #expect(verdict.decision == (expected.isEmpty ? .deny : .rewrite))
    }

    /// What one rule cannot rewrite does not run because another can, whatever their order.
    @Test(arguments: [["a", "b"], ["b", "a"]]) func severalRewritings(order: [String]) throws {
        let rules = [
            "a": "{ name: a, intent: git.force_push, decide: rewrite, rewrite: { replace: { -f: -l } } }",
            "b": "{ name: b, intent: git.push, decide: rewrite, rewrite: { append: [-v] } }",
        ]
        let policy = try policy("rules: [\(order.compactMap { rules[$0] }.joined(separator: ", "))]")
        func verdict(_ words: String...) -> Verdict {
            policy.decide(facts(.exec, [.gitPush, .gitForcePush]) { $0.arguments = words.map { Array($0.utf8) } }, counters: nil)
        }
        #expect(verdict("git", "push", "+x").decision == .deny)
        let both = verdict("git", "push", "-f")
        #expect(both.decision == .rewrite && both.others.count == 1 && both.rewrite != both.others[0].rewrite)
        #expect(both.rewrite?.arguments == (order[0] == "a" ? bytes("git", "push", "-l") : bytes("git", "push", "-f", "-v")))
    }

    @Test func whoNeedsNoFacts() throws {
        let none = try policy("files: { default: allow }"), some = try policy(Self.contract)
        for operation in Operation.allCases { #expect(!none.rulesMayMatter(for: operation, .changing)) }
        #expect(some.rulesMayMatter(for: .exec) && some.rulesMayMatter(for: .connect) && some.rulesMayMatter(for: .delete, .delete))
        #expect(!some.rulesMayMatter(for: .open, .read) && !some.rulesMayMatter(for: .bind) && !some.rulesMayMatter(for: .signal))
        // Whatever means something may be asked about.
        for operation in Operation.allCases {
            for access in [FileAccess.read, .write, .create, .delete, .rename, .link, .metadata, .truncate] {
                for intent in IntentSet.effects(of: operation, access).elements {
                    let policy = try policy("rules: [{ name: r, intent: \(intent.name), decide: deny }]")
                    #expect(policy.rulesMayMatter(for: operation, access), "\(operation) \(intent.name)")
                }
            }
        }
    }
}
