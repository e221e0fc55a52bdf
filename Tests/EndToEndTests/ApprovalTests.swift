import Foundation
import Testing

/// Operations that are held until people have answered.
extension EndToEnd {
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct ApprovalTests {
        static let kept =
            #"{ name: kept, intent: file.delete, when: { path: "${workspace}/keep*" }, decide: ask, ask: { timeout: TIME } }"#
        static let greeting = "{ name: greeting, intent: proc.exec, when: { program: echo }, decide: ask, ask: { timeout: TIME } }"

        private static func asks(_ world: World, timeout: String = "1h") throws -> String {
            try world.rules((kept + "\n" + greeting).replacingOccurrences(of: "TIME", with: timeout))
        }

        @Test(arguments: Account.all) func aHeldStartGoesOnWhenItIsApproved(account: Account) throws {
            let world = try World(account)
            let running = try world.start(world.sandboxCommand(["sh", "-c", "/bin/echo one; /bin/echo one"], profile: Self.asks(world)))
            let first = try world.questions()
            try #require(first.count == 1)
            let answer = try world.native([Built.sandbox, "approvals", "approve", first[0], "--for", "session"])
            #expect(answer.code == 0, "\(answer)")
            // The second is the same, and nobody is asked.
            #expect(running.finish().out == "one\none\n")
            let twice = try world.native([Built.sandbox, "approvals", "approve", first[0]])
            #expect(twice.code == 1 && twice.err.contains("ended"), "\(twice)")
            let steps = try world.native([Built.sandbox, "approvals", "show", "--json", first[0]]).out
            #expect(steps.contains(#""outcome":"approved""#) && steps.contains(#""taken":"too_late""#), "\(steps)")
            let me = try world.native(["id", "-un"]).out.trimmingCharacters(in: .newlines)
            let text = try world.native([Built.sandbox, "approvals", "show", first[0]]).out.split(separator: "\n")
            #expect(text.contains { $0.hasPrefix("state         approved by user:\(me) for the session, after ") }, "\(text)")
            #expect(
                text.contains("answer        approve by user:\(me): too_late") && text.contains("approvers     whoever runs the session"))
            #expect(text.contains { $0.hasPrefix("rules         greet") }, "\(text)")
        }

        @Test(arguments: Account.all) func aDenialSaysWhoAndWhy(account: Account) throws {
            let world = try World(account)
            let running = try world.start(world.sandboxCommand(["/bin/echo", "one"], profile: Self.asks(world)))
            let id = try #require(try world.questions().first)
            _ = try world.native([Built.sandbox, "approvals", "deny", id, "--reason", "not today"])
            let outcome = running.finish()
            #expect(outcome.code == 126 && outcome.out.isEmpty && outcome.err.contains("not today"), "\(outcome)")
            // Who reads the trail later sees it, too.
            let me = try world.native(["id", "-un"]).out.trimmingCharacters(in: .newlines)
            let line = try world.native([Built.sandbox, "audit", "events", "--decision", "ask"]).out
            #expect(line.contains("  \(id) (denied by user:\(me): not today)  "), "\(line)")
            let shown = try world.native([Built.sandbox, "audit", "show", "last"]).out
            #expect(shown.contains(", 1 kind asked about, see below\n") && !shown.contains("refused"), "\(shown)")
            #expect(shown.contains("\n        denied by user:\(me): not today\n"), "\(shown)")
            let json = try world.native([Built.sandbox, "audit", "events", "--decision", "ask", "--json"]).out
            #expect(json.contains(#""answer":{"outcome":"denied","by":["user:\#(me)"],"reason":"by user:\#(me): not today"}"#), "\(json)")
        }

        @Test(arguments: Account.all) func silenceIsNoConsent(account: Account) throws {
            let world = try World(account)
            let outcome = try world.sandboxed(
                ["sh", "-c", ": > keep; /bin/echo one; rm keep; ls"], profile: Self.asks(world, timeout: "1s"))
            #expect(outcome.out == "keep\n" && outcome.err.contains("nobody answered"), "\(outcome)")
        }

        @Test(arguments: Account.all) func aKilledAskerWithdrawsItsQuestion(account: Account) throws {
            let world = try World(account)
            let script = ": > keep; rm keep & held=$!; /bin/echo one & start=$!; read go; kill -9 $held $start; wait; ls"
            let running = try world.start(world.sandboxCommand(["sh", "-c", script], profile: Self.asks(world)))
            let found = try world.questions(2)
            try #require(found.count == 2)
            running.write("go\n")
            running.closeInput()
            #expect(running.finish().out == "keep\n")
            for id in found {
                #expect(try world.native([Built.sandbox, "approvals", "show", "--json", id]).out.contains(#""outcome":"withdrawn""#))
            }
        }

        /// `timeout`, Ctrl-C: a start that is held stands still, and ends all the same.
        @Test(arguments: Account.all) func aSignalEndsAStartThatIsHeld(account: Account) throws {
            let world = try World(account)
            let running = try world.start(world.sandboxCommand(["/bin/echo", "one"], profile: Self.asks(world)))
            let id = try #require(try world.questions().first)
            running.signal(SIGTERM)
            let outcome = running.finish()
            #expect(outcome.code == 128 + SIGTERM && outcome.out.isEmpty, "\(outcome)")
            #expect(try world.native([Built.sandbox, "approvals", "show", "--json", id]).out.contains(#""outcome":"withdrawn""#))
        }

        /// A signal whose handler returns interrupts the wait as it would any other; the call asks again.
        @Test(arguments: Account.all) func aSignalEndsAHeldCall(account: Account) throws {
            let world = try World(account)
            let outcome = try world.sandboxed(["sh", "-c", ": > keep; timeout -s INT 1 rm keep; echo $?; ls"], profile: Self.asks(world))
            #expect(outcome.out == "124\nkeep\n", "\(outcome)")
        }

        /// Nobody has answered, and nothing happens any more.
        @Test(arguments: Account.all) func aKilledSupervisorLetsNothingThrough(account: Account) throws {
            let world = try World(account)
            let running = try world.start(
                world.sandboxCommand(["sh", "-c", ": > keep; rm keep & /bin/echo one"], profile: Self.asks(world)))
            let found = try world.questions(2)
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
            let running = try world.start(world.sandboxCommand(["sh", "-c", script], profile: Self.asks(world)))
            let id = try #require(try world.questions().first)
            running.write("go\n")
            running.closeInput()
            let outcome = running.finish()
            #expect(!outcome.err.contains(id + "  "), "\(outcome)")
        }

        // MARK: Many

        private struct Crowd {
            let ids: [String: String]
            func named(_ prefix: String, _ numbers: Range<Int>) -> [String] { numbers.compactMap { ids["\(prefix)\($0)"] } }
        }

        /// Approved, denied, withdrawn, timed out, answered twice, and after the end: each comes to what it should, and is on record.
        @Test(arguments: Account.all) func twoHundredAtOnce(account: Account) throws {
            let world = try World(account)
            let script = """
                for i in $(seq 0 199); do : > keep$i; : > brief$i; done
                for i in $(seq 0 179); do rm keep$i 2>/dev/null & [ $i -lt 30 ] && echo $! >> pids; done
                for i in $(seq 180 199); do rm brief$i 2>/dev/null & done; : > others-go-on
                read go; kill -9 $(cat pids); read go
                """
            let brief = Self.kept.replacingOccurrences(of: "kept", with: "brief").replacingOccurrences(of: "keep", with: "brief")
            let profile = try world.rules(
                brief.replacingOccurrences(of: "TIME", with: "5s") + "\n" + Self.kept.replacingOccurrences(of: "TIME", with: "1h"))
            let running = try world.start(world.sandboxCommand(["sh", "-c", script], profile: profile))
            let found = try world.openQuestions(200)
            try #require(found.count == 200 && access(world.work + "/others-go-on", F_OK) == 0)
            let crowd = Crowd(ids: Dictionary(uniqueKeysWithValues: found.map { (String($0.resource.split(separator: "/").last!), $0.id) }))
            func answer(_ how: String, _ ids: [String]) throws -> Outcome {
                try world.native([Built.sandbox, "approvals", how] + ids.shuffled(), within: 120)
            }
            let (approved, denied) = (crowd.named("keep", 30..<110), crowd.named("keep", 110..<160))
            #expect(try answer("approve", approved).code == 0)
            #expect(try answer("deny", denied).code == 0)
            let twice = try answer("deny", Array(approved.prefix(1)))
            #expect(twice.code == 1 && twice.err.contains("outcome already"), "\(twice)")
            running.write("go\n")
            let left = crowd.named("keep", 160..<180)
            #expect(eventually(within: 60) { (try? world.openQuestions().map(\.id)) == left.sorted() })
            running.write("go\n")
            running.closeInput()
            #expect(running.finish().code == 0)
            let late = try answer("approve", left)
            #expect(late.code == 1 && late.err.contains("session has ended"), "\(late)")
            for i in 0..<180 { #expect((access(world.work + "/keep\(i)", F_OK) == 0) == !(30..<110).contains(i), "\(i)") }

            let steps = try world.steps(found.map(\.id))
            func outcomes(_ ids: [String]) -> Set<String> {
                Set(
                    ids.map { id in
                        let own = steps.filter { $0["approval"] as? String == id }, ends = own.compactMap { $0["outcome"] as? String }
                        let whole = own.first?["event"] as? String == "asked" && ends.count == 1 && own.contains { $0["waited"] != nil }
                        return whole ? ends[0] : "\(own)"
                    })
            }
            #expect(outcomes(approved) == ["approved"] && outcomes(denied) == ["denied"])
            #expect(outcomes(crowd.named("keep", 0..<30)) == ["withdrawn"] && outcomes(crowd.named("brief", 180..<200)) == ["timed_out"])
            #expect(outcomes(left).isSubset(of: ["withdrawn", "ended"]))
            let tooLate = steps.filter { $0["taken"] as? String == "too_late" }.compactMap { $0["approval"] as? String }
            #expect(tooLate.sorted() == (left + approved.prefix(1)).sorted())
            #expect(steps.filter { $0["outcome"] != nil || $0["taken"] != nil }.filter { $0["by"] != nil }.count == 130 + 21)
        }

        // MARK: Others

        /// Another account sees what it may answer and nothing else, and answers it: where root runs the session.
        @Test(.enabled(if: getuid() == 0)) func anotherAccountAnswersWhatItMay() throws {
            let world = try World(), other = try World(.ordinary)
            let name = try #require(try other.native(["id", "-un"]).out.split(separator: "\n").first)
            let rules =
                Self.kept.replacingOccurrences(of: "timeout: TIME", with: "approvers: [\"user:\(name)\"]")
                + "\n" + Self.greeting.replacingOccurrences(of: "timeout: TIME", with: "approvers: [\"user:somebody-else\"]")
            let script = ": > keep; rm keep & /bin/echo one"
            let running = try world.start(world.sandboxCommand(["sh", "-c", script], profile: world.rules(rules)))
            let all = try world.openQuestions(2), seen = try other.openQuestions(1)
            #expect(all.count == 2 && seen.map(\.operation) == ["delete"] && all.contains(seen[0]))
            let hidden = try #require(all.first { $0.operation == "exec" })
            let refused = try other.native([Built.sandbox, "approvals", "approve", hidden.id])
            #expect(refused.code == 1 && refused.err.contains("no such question"), "\(refused)")
            #expect(try other.native([Built.sandbox, "approvals", "approve", seen[0].id]).code == 0)
            #expect(try world.native([Built.sandbox, "approvals", "deny", hidden.id]).code == 1)
            #expect(try other.native([Built.sandbox, "ps"]).out.contains(seen[0].id) == false)
            #expect(try world.native([Built.sandbox, "kill", "last"]).code == 0)
            _ = running.finish()
            #expect(access(world.work + "/keep", F_OK) != 0)
            let steps = try world.steps([seen[0].id])
            #expect(steps.last?["outcome"] as? String == "approved" && steps.last?["by"] as? [String] == ["user:\(name)"], "\(steps)")
        }

        /// What it is reached by is out of reach of every session.
        @Test(.enabled(if: getuid() == 0)) func theWayOfOtherAccountsIsNoneOfASessions() throws {
            let world = try World()
            let outcome = try world.sandboxed(["ls", "/run/sandbox"], profile: world.permissive())
            #expect(outcome.code == 2 && outcome.err.contains("Permission denied"), "\(outcome)")
        }

        // MARK: Wrappers

        /// What a wrapper starts is asked about with it, once: where it is what was shown, and nobody in the session could have made it.
        @Test(
            arguments: [
                ("env nice sort wipe", 1), ("./script wipe", 1), ("sh -c 'exec env sort wipe'", 1),
                // Once more is once more, by another process or with words of its own; and so is what the session has made, or can.
                ("env sh ./other wipe", 2), ("env sort wipe; sort wipe", 2), ("PATH=$PWD:$PATH env made wipe", 2), ("env ./script wipe", 2),
                ("./wrapper sort wipe", 2),
            ], Account.all)
        func aWrapperAndWhatItWrapsAreOneQuestion(_ scene: (command: String, questions: Int), account: Account) throws {
            let (command, questions) = scene
            let world = try World(account)
            let lists = "extends: [baseline]\nfiles: { write: [\"${workspace}/**\"] }"
            let rule = "rules: [{ name: wipes, intent: proc.exec, when: { args: wipe }, decide: ask }]"
            let profile = try world.profile("wrapped", lists + "\n" + rule)
            let make =
                "echo done > wipe; printf '#!/usr/bin/env sort\\n' > script; printf '#!/bin/sh\\nexec \"$@\"\\n' > wrapper; echo 'exec sort wipe' > other; cp $(command -v sort) made;"
                + " chmod +x script wrapper made"
            #expect(try world.native(["sh", "-c", make]).code == 0)
            let running = try world.start(world.sandboxCommand(["sh", "-c", command], profile: profile))
            var seen: [String] = []
            for _ in 0..<questions {
                _ = eventually(within: 60) {
                    guard let id = (try? world.questions(within: 1))?.first(where: { !seen.contains($0) }) else { return false }
                    seen.append(id)
                    return true
                }
                #expect(try world.native([Built.sandbox, "approvals", "approve", seen.last ?? ""]).code == 0)
            }
            let outcome = running.finish(within: 60)
            #expect(outcome.code == 0 && outcome.out.contains("done\n"), "\(outcome)")
            let events = try world.native([Built.sandbox, "audit", "events", "--decision", "ask", "--json"]).out.split(separator: "\n")
            let asked = Set(try world.steps(seen).compactMap { $0["approval"] as? String })
            #expect(asked == Set(seen) && seen.count == questions, "\(seen)")
            // Each start is on record with the question that it went by.
            #expect(
                events.count > questions || command.contains("made") || command.contains("other") || command.contains("wrapper"),
                "\(events)")
            #expect(
                events.allSatisfy { event in seen.contains { event.contains($0) } && event.contains(#""outcome":"approved""#) }, "\(events)"
            )
        }

        // MARK: For how long

        /// The same again is not asked about until the time is over; then it is.
        @Test(arguments: Account.all) func anApprovalForATimeEnds(account: Account) throws {
            let world = try World(account)
            let script = "i=0; while [ $i -lt 100000 ]; do : > keep; rm keep || exit 3; i=$((i+1)); done"
            let running = try world.start(world.sandboxCommand(["sh", "-c", script], profile: Self.asks(world)))
            let first = try #require(try world.questions().first)
            #expect(try world.native([Built.sandbox, "approvals", "approve", first, "--for", "1s"]).code == 0)
            var second: String?
            #expect(
                eventually(within: 60) {
                    second = (try? world.questions(within: 1))?.first { $0 != first }
                    return second != nil
                })
            _ = try world.native([Built.sandbox, "approvals", "deny", second ?? ""])
            #expect(running.finish().code == 3)
            #expect(try world.events("--decision", "ask").map(\.count).reduce(0, +) > 2)
        }

        @Test func aScopeThatTheRuleDoesNotNameIsRefused() throws {
            let world = try World()
            let rule = Self.greeting.replacingOccurrences(of: "timeout: TIME", with: "scopes: [once]")
            let running = try world.start(world.sandboxCommand(["/bin/echo", "one"], profile: world.rules(rule)))
            let id = try #require(try world.questions().first)
            let session = try world.native([Built.sandbox, "approvals", "approve", id, "--for", "session"])
            #expect(session.code == 1 && session.err.contains("nobody approve for `session`"), "\(session)")
            #expect(try world.native([Built.sandbox, "approvals", "approve", id]).code == 0)
            #expect(running.finish().out == "one\n")
        }

        // MARK: What is counted

        static let performers = [
            "rm": "rm f*", "rm, one by one": "for f in f*; do rm $f; done",
            "python": "python3 -c \"import os; [os.unlink(f'f{i}') for i in range(9)]\"",
            "find": "find . -name 'f*' -delete", "git": "git clean -fdq", "C": "\"$0\" removes 9 f",
        ]

        /// Whatever deletes is stopped in the middle: the deletion that crosses the line is the first that is held.
        /// Where the workspace lies excuses nothing: `build` is a folder of builds in it alone.
        @Test(arguments: Account.all) func bulkDeletionInAnyWorkspace(account: Account) throws {
            let world = try World(account), place = world.work + "/build/app"
            let script = """
                import os
                for i in range(600):
                    try: os.unlink("s/%d" % i)
                    except PermissionError: exit(print(i))
                print("all")
                """
            let make = "mkdir -p build/app/s build/app/dist/s; for i in $(seq 0 599); do : > build/app/s/$i; : > build/app/dist/s/$i; done"
            #expect(try world.native(["sh", "-c", make]).code == 0)
            func started(in folder: String) throws -> Running {
                try world.start([
                    Built.sandbox, "run", "--quiet", "--profile", "coding-agent", "--workspace", place, "--", "python3", "-c",
                    "import os; os.chdir('\(folder)')\n" + script,
                ])
            }
            #expect(try started(in: place + "/dist").finish().out == "all\n")
            let running = try started(in: place)
            var question = ""
            let isAsked = eventually(within: 60) {
                let list = try? world.native([Built.sandbox, "approvals", "list"])
                question = list?.out.split(separator: " ").first.map(String.init) ?? ""
                return !question.isEmpty
            }
            #expect(isAsked)
            // An empty name is no question's, though there is only one.
            #expect(try world.native([Built.sandbox, "approvals", "approve", ""]).code == 1)
            #expect(try world.native([Built.sandbox, "approvals", "show", question]).out.contains("bulk-deletion"))
            #expect(try world.native([Built.sandbox, "approvals", "deny", question]).code == 0)
            #expect(running.finish().out == "500\n")
        }

        @Test(arguments: Account.all, performers.keys.sorted()) func bulkDeletionIsHeld(account: Account, by performer: String) throws {
            guard Built.installed("python3", "git") else { return }
            let world = try World(account)
            let rule =
                #"{ name: bulk, intent: file.delete, when: { path: "${workspace}/part/f*", count: "> 5", per: subtree }, decide: ask }"#
            let script =
                "git init -q part && cd part && for i in 0 1 2 3 4 5 6 7 8; do : > f$i; done; (" + Self.performers[performer]! + ")"
            let running = try world.start(world.sandboxCommand(["sh", "-c", script, Built.guest], profile: world.rules(rule)))
            let asked = try world.openQuestions(1)
            #expect(asked.count == 1 && asked[0].operation == "delete")
            let left = try FileManager.default.contentsOfDirectory(atPath: world.work + "/part").filter { $0.hasPrefix("f") }
            #expect(left.count == 4 && left.contains { asked[0].resource.hasSuffix("/" + $0) }, "\(left)")
            #expect(try world.native([Built.sandbox, "kill", "last"]).code == 0)
            #expect(running.finish().code == 125)
        }

        /// What else is counted: the fourth is the first that is refused.
        @Test(arguments: [
            ("file.truncate", "for i in 0 1 2 3 4 5; do (: > f$i) 2>/dev/null || echo no; done"),
            ("file.chmod", "for i in 0 1 2 3 4 5; do chmod 600 f$i 2>/dev/null || echo no; done"),
            ("file.read", "cat f0 f1 f2 f3 f4 f5 2>&1 | sed 's/.*denied/no/'"),
        ])
        func theFourthIsTheFirstRefused(intent: String, script: String) throws {
            let world = try World()
            let rule = #"{ name: many, intent: \#(intent), when: { path: "${workspace}/f*", count: "> 3" }, decide: deny }"#
            for i in 0..<6 { try "x".write(toFile: world.work + "/f\(i)", atomically: false, encoding: .utf8) }
            let outcome = try world.sandboxed(["sh", "-c", script], profile: world.rules(rule))
            #expect(outcome.out == "no\nno\nno\n", "\(outcome)")
        }
    }
}

/// A question as the command line lists it.
struct OpenQuestion: Equatable {
    let id, operation, resource: String
}

extension World {
    /// So many, or those there are at the deadline; oldest first.
    func openQuestions(_ count: Int = 0, within seconds: Double = 60) throws -> [OpenQuestion] {
        var found: [OpenQuestion] = []
        _ = eventually(within: seconds) {
            let lines = (try? native([Built.sandbox, "approvals", "list"]))?.out.split(separator: "\n") ?? []
            found = lines.map { line in
                let words = line.split(separator: " ").map(String.init)
                return OpenQuestion(id: words[0], operation: words[2], resource: words.dropFirst(3).joined(separator: " "))
            }
            return found.count >= count
        }
        return found
    }

    func questions(_ count: Int = 1, within seconds: Double = 60) throws -> [String] { try openQuestions(count, within: seconds).map(\.id) }

    /// What is on record about them.
    func steps(_ ids: [String]) throws -> [[String: Any]] {
        let outcome = try native([Built.sandbox, "approvals", "show", "--json"] + ids, within: 120)
        return try outcome.out.split(separator: "\n").compactMap { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] }
    }
}
