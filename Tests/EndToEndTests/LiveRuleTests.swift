import Foundation
import Testing

/// Rules of profiles, as they hold while a session runs.
extension EndToEnd {
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct LiveRuleTests {
        private func profile(_ world: World, _ rules: String, mode: String = "enforce") throws -> String {
            try world.profile(
                "rules",
                """
                mode: \(mode)
                files: { default: allow }
                exec: { default: allow }
                network: { default: allow }
                rules:
                \(rules.split(separator: "\n").map { "  - " + $0 }.joined(separator: "\n"))
                """)
        }

        // MARK: Rewriting

        private let more =
            "{ name: more, intent: proc.exec, when: { program: guest }, decide: rewrite, rewrite: { append: [\"last one\"], set: { T_NEW: new, T_OLD: other } } }"

        @Test(arguments: Account.all) func aRewrittenProgramStartsAsIfItHadBeenAskedForSo(account: Account) throws {
            let world = try World(account)
            let asked = try world.sandboxed(
                [world.guest, "begin", "one", ""], profile: try profile(world, more), options: ["--env", "T_OLD=old", "--env", "HOME"])
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
            let outcome = try world.sandboxed([script, "one"], profile: try profile(world, more))
            #expect(outcome.out.contains("argument \"one\"\nargument \"last one\"\n"), "\(outcome)")
            #expect(outcome.out.contains("execfn \"\(script)\""), "\(outcome)")
        }

        @Test func whatCannotBeRewrittenDoesNotRun() throws {
            let world = try World()
            let long = String(repeating: "x", count: 100_000)
            let lines = [world.guest, "begin"] + Array(repeating: long, count: 15)
            #expect(try world.sandboxed(lines, profile: world.permissive()).code == 0)
            let outcome = try world.sandboxed(lines, profile: try profile(world, more))
            #expect(outcome.code == 126 && outcome.err.contains("could not be rewritten") && outcome.out.isEmpty, "\(outcome.code)")
        }

        @Test(arguments: Account.all) func anotherProgramIsStarted(account: Account) throws {
            let world = try World(account)
            let rule = "{ name: other, intent: proc.exec, when: { program: guest }, decide: rewrite, rewrite: { program: /bin/echo } }"
            let outcome = try world.sandboxed([world.guest, "begin", "one"], profile: try profile(world, rule))
            #expect(outcome.code == 0 && outcome.out == "begin one\n", "\(outcome)")
            let event = try world.events("--decision", "rewrite").first
            #expect(event?.rules.first == "other")
            let both = rule + "\n{ name: no, intent: proc.exec, when: { program: echo }, decide: deny, reason: never }"
            let denied = try world.sandboxed([world.guest, "begin", "one"], profile: try profile(world, both))
            #expect(denied.code == 126 && denied.out.isEmpty, "\(denied)")
        }

        // MARK: Counting

        /// Whoever deletes, the sixth is the first that is refused; observe mode says so and lets it go.
        @Test(arguments: Account.all, ["enforce", "observe"]) func theDeletionThatCrossesTheLineIsTheFirstRefused(
            account: Account, mode: String
        ) throws {
            let world = try World(account)
            let rule = #"{ name: bulk, intent: file.delete, when: { path: "${workspace}/**", count: "> 5" }, decide: deny, reason: many }"#
            let profile = try profile(world, rule, mode: mode)
            let script =
                "for i in 1 2 3 4 5 6 7 8; do : > $PWD/f$i; done; for i in 1 2 3 4; do rm f$i; done; rm f5 f6 f7 f8 2>/dev/null; ls"
            let outcome = try world.sandboxed(["sh", "-c", script], profile: profile)
            #expect(outcome.out == (mode == "enforce" ? "f6\nf7\nf8\n" : ""), "\(outcome)")
            #expect(try world.events("--decision", "deny", "--operation", "delete").count == 3)
        }

        // MARK: Asking

        private let kept =
            #"{ name: kept, intent: file.delete, when: { path: "${workspace}/keep*" }, decide: ask, ask: { timeout: TIME } }"#
        private let greeting = "{ name: greeting, intent: proc.exec, when: { program: echo }, decide: ask, ask: { timeout: TIME } }"

        private func asks(_ world: World, timeout: String = "1h") throws -> String {
            try profile(world, (kept + "\n" + greeting).replacingOccurrences(of: "TIME", with: timeout))
        }

        private func open(_ world: World) throws -> [String] {
            let outcome = try world.native([Built.sandbox, "approvals", "list"])
            return outcome.out.split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) }
        }

        private func waitForQuestions(_ world: World, _ count: Int = 1) throws -> [String] {
            var found: [String] = []
            _ = eventually(within: 60) {
                found = (try? open(world)) ?? []
                return found.count >= count
            }
            return found
        }

        @Test(arguments: Account.all) func aHeldStartGoesOnWhenItIsApproved(account: Account) throws {
            let world = try World(account)
            let running = try world.start(world.sandboxCommand(["sh", "-c", "/bin/echo one; /bin/echo one"], profile: asks(world)))
            let first = try waitForQuestions(world)
            try #require(first.count == 1)
            let answer = try world.native([Built.sandbox, "approvals", "approve", first[0], "--for", "session"])
            #expect(answer.code == 0, "\(answer)")
            // The second is the same, and nobody is asked.
            #expect(running.finish().out == "one\none\n")
            let twice = try world.native([Built.sandbox, "approvals", "approve", first[0]])
            #expect(twice.code == 1 && twice.err.contains("ended"), "\(twice)")
            let steps = try world.native([Built.sandbox, "approvals", "show", first[0]]).out
            #expect(steps.contains(#""outcome":"approved""#) && steps.contains(#""taken":"too_late""#), "\(steps)")
        }

        @Test(arguments: Account.all) func aDenialSaysWhoAndWhy(account: Account) throws {
            let world = try World(account)
            let running = try world.start(world.sandboxCommand(["/bin/echo", "one"], profile: asks(world)))
            let id = try #require(try waitForQuestions(world).first)
            _ = try world.native([Built.sandbox, "approvals", "deny", id, "--reason", "not today"])
            let outcome = running.finish()
            #expect(outcome.code == 126 && outcome.out.isEmpty && outcome.err.contains("not today"), "\(outcome)")
        }

        @Test(arguments: Account.all) func silenceIsNoConsent(account: Account) throws {
            let world = try World(account)
            let outcome = try world.sandboxed(
                ["sh", "-c", ": > keep; /bin/echo one; rm keep; ls"], profile: asks(world, timeout: "1s"))
            #expect(outcome.out == "keep\n" && outcome.err.contains("nobody answered"), "\(outcome)")
        }

        @Test(arguments: Account.all) func aKilledAskerWithdrawsItsQuestion(account: Account) throws {
            let world = try World(account)
            let script = ": > keep; rm keep & held=$!; /bin/echo one & start=$!; read go; kill -9 $held $start; wait; ls"
            let running = try world.start(world.sandboxCommand(["sh", "-c", script], profile: asks(world)))
            let found = try waitForQuestions(world, 2)
            try #require(found.count == 2)
            running.write("go\n")
            running.closeInput()
            #expect(running.finish().out == "keep\n")
            for id in found {
                #expect(try world.native([Built.sandbox, "approvals", "show", id]).out.contains(#""outcome":"withdrawn""#))
            }
        }

        /// A signal whose handler returns interrupts the wait as it would any other; the call asks again.
        @Test(arguments: Account.all) func aSignalEndsAHeldCall(account: Account) throws {
            let world = try World(account)
            let outcome = try world.sandboxed(["sh", "-c", ": > keep; timeout -s INT 1 rm keep; echo $?; ls"], profile: asks(world))
            #expect(outcome.out == "124\nkeep\n", "\(outcome)")
        }

        @Test(arguments: Account.all) func twoHundredAtOnce(account: Account) throws {
            let world = try World(account)
            let script = """
                i=0; while [ $i -lt 200 ]; do : > keep$i; i=$((i+1)); done
                i=0; while [ $i -lt 200 ]; do rm keep$i 2>/dev/null & i=$((i+1)); done; : > others-go-on; wait; ls | grep -c keep
                """
            let running = try world.start(world.sandboxCommand(["sh", "-c", script], profile: asks(world)))
            let found = try waitForQuestions(world, 200)
            try #require(found.count == 200)
            #expect(access(world.work + "/others-go-on", F_OK) == 0)
            let order = found.shuffled()
            #expect(try world.native([Built.sandbox, "approvals", "approve"] + order.prefix(120), within: 120).code == 0)
            #expect(try world.native([Built.sandbox, "approvals", "deny"] + order.suffix(80), within: 120).code == 0)
            #expect(running.finish().out == "80\n")
        }

        /// Nobody has answered, and nothing happens any more.
        @Test(arguments: Account.all) func aKilledSupervisorLetsNothingThrough(account: Account) throws {
            let world = try World(account)
            let running = try world.start(world.sandboxCommand(["sh", "-c", ": > keep; rm keep & /bin/echo one"], profile: asks(world)))
            let found = try waitForQuestions(world, 2)
            try #require(found.count == 2)
            kill(try #require(World.supervisor(of: running.pid)), SIGKILL)
            #expect(running.finish().out.isEmpty)
            #expect(access(world.work + "/keep", F_OK) == 0)
            #expect(try world.events("--decision", "ask").count == 2)
        }

        /// From inside, the questions are out of reach.
        @Test(arguments: Account.all) func whoAsksDoesNotAnswerFromInside(account: Account) throws {
            let world = try World(account)
            let script = "/bin/echo one & \(Built.sandbox) approvals list --state \(world.state) >&2; read go; kill $!"
            let running = try world.start(world.sandboxCommand(["sh", "-c", script], profile: asks(world)))
            let id = try #require(try waitForQuestions(world).first)
            running.write("go\n")
            running.closeInput()
            let outcome = running.finish()
            #expect(!outcome.err.contains(id + "  "), "\(outcome)")
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
