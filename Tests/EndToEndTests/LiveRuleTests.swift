import Foundation
import Testing

/// Rules of profiles, as they hold while a session runs.
extension EndToEnd {
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct LiveRuleTests {
        // MARK: Rewriting

        private let more =
            "{ name: more, intent: proc.exec, when: { program: guest }, decide: rewrite, rewrite: { append: [\"last one\"], set: { T_NEW: new, T_OLD: other } } }"

        @Test(arguments: Account.all) func aRewrittenProgramStartsAsIfItHadBeenAskedForSo(account: Account) throws {
            let world = try World(account)
            let asked = try world.sandboxed(
                [world.guest, "begin", "one", ""], profile: try world.rules(more), options: ["--env", "T_OLD=old", "--env", "HOME"])
            let native = try world.native(
                ["env", "-i", "HOME=" + world.home, "T_NEW=new", "T_OLD=other", world.guest, "begin", "one", "", "last one"])
            func lines(_ outcome: Outcome) -> [String] {
                outcome.out.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("seen") }
            }
            #expect(asked.code == 0 && lines(asked).sorted() == lines(native).sorted(), "\(asked) \(native)")
            #expect(lines(native).contains("aligned 0") && lines(native).count > 6)
        }

        @Test(arguments: Account.all) func aScriptIsRewritten(account: Account) throws {
            let world = try World(account), script = world.work + "/script"
            try "#!\(world.guest) begin\n".write(toFile: script, atomically: false, encoding: .utf8)
            chmod(script, 0o755)
            let outcome = try world.sandboxed([script, "one"], profile: try world.rules(more))
            #expect(outcome.out.contains("argument \"one\"\nargument \"last one\"\n"), "\(outcome)")
            #expect(outcome.out.contains("execfn \"\(script)\""), "\(outcome)")
        }

        @Test func whatCannotBeRewrittenDoesNotRun() throws {
            let world = try World()
            let long = String(repeating: "x", count: 100_000)
            let lines = [world.guest, "begin"] + Array(repeating: long, count: 15)
            #expect(try world.sandboxed(lines, profile: world.permissive()).code == 0)
            let outcome = try world.sandboxed(lines, profile: try world.rules(more))
            #expect(outcome.code == 126 && outcome.err.contains("could not be rewritten") && outcome.out.isEmpty, "\(outcome.code)")
        }

        @Test(arguments: Account.all) func anotherProgramIsStarted(account: Account) throws {
            let world = try World(account)
            let rule = "{ name: other, intent: proc.exec, when: { program: guest }, decide: rewrite, rewrite: { program: /bin/echo } }"
            let outcome = try world.sandboxed([world.guest, "begin", "one"], profile: try world.rules(rule))
            #expect(outcome.code == 0 && outcome.out == "begin one\n", "\(outcome)")
            let event = try world.events("--decision", "rewrite").first
            #expect(event?.rules.first == "other")
            let both = rule + "\n{ name: no, intent: proc.exec, when: { program: echo }, decide: deny, reason: never }"
            let denied = try world.sandboxed([world.guest, "begin", "one"], profile: try world.rules(both))
            #expect(denied.code == 126 && denied.out.isEmpty, "\(denied)")
        }

        // MARK: Long lists

        /// However much of something else a process has been given, or has run before.
        @Test(arguments: Account.all) func whatRulesAskForIsFoundInLongLists(account: Account) throws {
            let world = try World(account), client = world.work + "/psql", step = world.work + "/step-0"
            try FileManager.default.copyItem(atPath: "/bin/true", toPath: client)
            try "#!/bin/sh\n[ $1 = 0 ] && echo SECRET > made && exec cat made\nexec ./step-$1 $(($1 - 1))\n"
                .write(toFile: step, atomically: false, encoding: .utf8)
            let steps = account == .own ? 260 : 2
            for file in [client, step] { chmod(file, 0o755) }
            for i in 1...steps { link(step, world.work + "/step-\(i)") }
            let profile = try world.rules(
                """
                { name: not-so, intent: file.create, when: { args: --bad }, decide: deny }
                { name: not-then, intent: file.create, when: { since_exec_of: "${workspace}/step-0" }, decide: deny }
                { name: not-there, intent: sql.drop, when: { database: prod }, decide: deny }
                """)
            let words = Array(repeating: "x", count: 100),
                dropping = "env A=$0 B=$0 PGDATABASE=prod ./psql -c 'DROP TABLE t' && echo SECRET"
            for command in [
                ["sh", "-c", "echo SECRET > made && cat made", "sh"] + words + ["--bad"], ["./step-0", "\(steps)"],
                ["sh", "-c", dropping, String(repeating: "x", count: 100_000)],
            ] {
                #expect(try world.native(command).out == "SECRET\n")
                unlink(world.work + "/made")
                let outcome = try world.sandboxed(command, profile: profile)
                #expect(![0, 125].contains(outcome.code) && !outcome.out.contains("SECRET"), "\(outcome)")
            }
        }

        // MARK: Counting

        /// Whoever deletes, the sixth is the first that is refused; observe mode says so and lets it go.
        @Test(arguments: Account.all, ["enforce", "observe"]) func theDeletionThatCrossesTheLineIsTheFirstRefused(
            account: Account, mode: String
        ) throws {
            let world = try World(account)
            let rule = #"{ name: bulk, intent: file.delete, when: { path: "${workspace}/**", count: "> 5" }, decide: deny, reason: many }"#
            let profile = try world.rules(rule, mode: mode)
            let script =
                "for i in 1 2 3 4 5 6 7 8; do : > $PWD/f$i; done; for i in 1 2 3 4; do rm f$i; done; rm f5 f6 f7 f8 2>/dev/null; ls"
            let outcome = try world.sandboxed(["sh", "-c", script], profile: profile)
            #expect(outcome.out == (mode == "enforce" ? "f6\nf7\nf8\n" : ""), "\(outcome)")
            #expect(try world.events("--decision", "deny", "--operation", "delete").count == 3)
        }

        /// What is moved away from where its deletion counts, or is denied, is as good as deleted there: a folder as much as it holds of that.
        @Test(
            arguments: Account.all,
            [
                ("mv d ~/d", "held"), ("mv d cache/d", "held"), ("mv p/d ~/d", "held"), ("mv p ~/p", "held"),
                ("for i in 1 2 3 4 5 6; do mv d/$i ~/$i; done", "held"),
                ("python3 -c 'import ctypes; exit(ctypes.CDLL(None).renameat2(-100, b\"d\", -100, b\"cache/k\", 2) != 0)'", "held"),
                ("mv kept ~/kept", "held"), ("mv kept cache/kept", "held"), ("mv kept other && mv other ~/kept", "held"),
                ("mv d e && mv e p/e && mv p q", "done"), ("mv cache/k ~/k && mv cache ~/cache", "done"),
                ("mv d/1 ~/1 && mv d/2 cache/2", "done"),
                ("mv ~/made made && mv made/1 new", "done"),
            ])
        func whatIsMovedAwayCountsAsDeleted(account: Account, way: (command: String, outcome: String)) throws {
            let world = try World(account)
            let place = #"path: "${workspace}/**", path_not: "${workspace}/cache/**""#
            let profile = try world.rules(
                """
                { name: bulk, intent: file.delete, when: { \(place), count: "> 5" }, decide: deny, reason: many }
                { name: kept, intent: file.delete, when: { path: ["${workspace}/kept", "${workspace}/other"] }, decide: deny, reason: stays }
                """)
            let files =
                "d/1 d/2 d/3 d/4 d/5 d/6 p/d/1 p/d/2 p/d/3 p/d/4 p/d/5 p/d/6 cache/k/1 cache/k/2 cache/k/3 cache/k/4 cache/k/5 cache/k/6"
            let script = """
                mkdir d p p/d cache cache/k ~/made; touch \(files) kept ~/made/1
                if \(way.command); then echo done; else echo held; fi 2>/dev/null
                """
            let command = ["sh", "-c", script]
            if account == .own { #expect(try World().native(command).out == "done\n") }
            let outcome = try world.sandboxed(command, profile: profile)
            #expect(outcome.out == way.outcome + "\n", "\(outcome)")
        }

        // MARK: Candidates

        @Test(arguments: Account.all) func aCandidateIsRecordedAndNotEnforced(account: Account) throws {
            let world = try World(account)
            let candidate = try world.profile(
                "candidate", "files: { default: allow, deny: [\"${workspace}/x\"] }\nexec: { default: allow }")
            let outcome = try world.sandboxed(
                ["sh", "-c", ": > x; : > y; ls"], profile: world.permissive(), options: ["--shadow", candidate])
            #expect(outcome.out == "x\ny\n", "\(outcome)")
            let different = try world.events("--differs", "--operation", "create")
            #expect(different.map(\.resource) == [world.work + "/x"])
            #expect(try world.native([Built.sandbox, "audit", "show", "last"]).out.contains("allow -> deny"))
        }
    }
}
