import Foundation
import Testing

extension EndToEnd {
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct SubagentTests {
        /// Which sub-agent opened which of the files `a`, `b`, …
        private func readers(_ world: World, _ filters: String...) throws -> [String: String] {
            let text = try world.native([Built.sandbox, "audit", "events", "--json", "--path", world.work + "/?"] + filters).out
            var found: [String: String] = [:]
            for line in text.split(separator: "\n") {
                let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
                let name = (object["resource"] as? [String: Any])?["name"] as? String ?? ""
                found[String(name.suffix(1))] = object["subagent"] as? String ?? "-"
            }
            return found
        }

        private func world(_ account: Account) throws -> World {
            let world = try World(account)
            for name in "abcdef" { try Data().write(to: URL(fileURLWithPath: "\(world.work)/\(name)")) }
            return world
        }

        /// The subtree is named, below whoever names it, and nothing in it gets rid of that; what is beside it is not.
        @Test(arguments: ["observe", "permissive"], Account.all) func namesASubtree(profile: String, account: Account) throws {
            let world = try world(account), sandbox = Built.sandbox
            let script = """
                cat a; '\(sandbox)' as planner -- sh -c "cat b; '\(sandbox)' as coder.1 cat c; setsid sh -c 'sh -c \\"cat d\\" & wait' & wait; '\(sandbox)' as planner -- cat e"
                echo "$?"; cat f; '\(sandbox)' as last -- sh -c 'exit 7'; echo "$?"
                """
            let outcome = try world.sandboxed(["sh", "-c", script], profile: profile == "observe" ? profile : try world.permissive())
            #expect(outcome.out == "0\n7\n" && outcome.code == 0, "\(outcome)")
            let all = ["a": "-", "b": "planner", "c": "planner/coder.1", "d": "planner", "e": "planner/planner", "f": "-"]
            #expect(try readers(world) == all)
            #expect(try readers(world, "--subagent", "planner") == ["b": "planner", "d": "planner"])
            #expect(try readers(world, "--subagent", "planner/**") == ["c": "planner/coder.1", "e": "planner/planner"])
            let shown = try world.native([Built.sandbox, "audit", "show", "last"]).out
            #expect(shown.contains("cat c  as planner/coder.1"), "\(shown)")
        }

        /// A rule about a name holds for whoever has it, wherever in what he is nested in, and no further name takes it off again.
        @Test(arguments: Account.all) func aNameCanOnlyLoseRights(account: Account) throws {
            let world = try World(account), sandbox = Built.sandbox
            let profile = try world.profile(
                "names",
                """
                mode: enforce
                files: { default: allow }
                exec: { default: allow }
                rules:
                  - name: reviewers-read
                    intent: [file.write, file.create]
                    when: { subagent: "review*", path: "${workspace}/**" }
                    decide: deny
                    reason: a reviewer changes nothing
                """)
            let script = """
                : > a
                '\(sandbox)' as reviewer -- sh -c ": > b"
                '\(sandbox)' as reviewer -- '\(sandbox)' as writer -- sh -c ": > c"
                '\(sandbox)' as writer -- '\(sandbox)' as reviewer -- '\(sandbox)' as writer -- setsid sh -c ": > d"
                '\(sandbox)' as writer -- sh -c ": > e"
                : > f; ls
                """
            let outcome = try world.sandboxed(["sh", "-c", script], profile: profile)
            #expect(outcome.out == "a\ne\nf\n", "\(outcome)")
            #expect(try world.events("--decision", "deny").map { $0.rules.first } == Array(repeating: "reviewers-read", count: 3))
            // The control: nobody is held back where no rule is about it.
            #expect(try world.sandboxed(["sh", "-c", script], profile: world.permissive()).out == "a\nb\nc\nd\ne\nf\n")
        }

        @Test func liveSessionsTellTheirs() throws {
            let world = try World()
            let running = try world.start(
                world.sandboxCommand([Built.sandbox, "as", "holder", "--", world.guest, "hold"], profile: try world.permissive()))
            #expect(running.line() == "ready")
            #expect(try world.native([Built.sandbox, "inspect", "last"]).out.contains(#""subagent":"holder""#))
            #expect(try world.native([Built.sandbox, "ps"]).out.contains(" holder "))
            _ = try world.native([Built.sandbox, "kill", "last"])
            #expect(running.finish().code == 125)
        }

        /// Outside a session, by a copy, through the loader: nobody answers, and nothing runs.
        @Test(arguments: Account.all) func nobodyAnswers(account: Account) throws {
            let world = try World(account), copy = world.root + "/bin/copy"
            try FileManager.default.copyItem(atPath: Built.sandbox, toPath: copy)
            let outside = try world.native([Built.sandbox, "as", "x", "--", "echo", "ran"])
            #expect(outside.code == 125 && outside.out.isEmpty && outside.err.contains("inside a session"), "\(outside)")
            let profile = try world.permissive()
            let loader = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"].first { Built.exists($0) } ?? ""
            for command in [[copy], [loader, Built.sandbox]] where !command[0].isEmpty {
                let outcome = try world.sandboxed(command + ["as", "x", "--", "echo", "ran"], profile: profile)
                #expect(outcome.code == 125 && outcome.out.isEmpty && outcome.err.contains("inside a session"), "\(command): \(outcome)")
            }
        }

        @Test(arguments: [
            (["a/b", "--", "echo", "ran"], "is no name", 125), (["", "--", "echo", "ran"], "is no name", 125),
            (["a b", "echo", "ran"], "is no name", 125),
            ([String(repeating: "x", count: 65), "echo", "ran"], "is no name", 125), (["?", "echo", "ran"], "is no name", 125),
            (["x"], "nothing to run", 125),
            (["x", "--"], "nothing to run", 125), (["x", "--", "/nowhere"], "no such file", 127),
            (["x", "--", "/etc/passwd"], "permission denied", 126),
        ])
        func mistakes(words: [String], says: String, code: Int32) throws {
            let outcome = try World().sandboxed([Built.sandbox, "as"] + words)
            #expect(outcome.code == code && outcome.out.isEmpty && outcome.err.contains(says), "\(outcome)")
        }

        @Test func namesEnd() throws {
            let world = try World(), name = String(repeating: "x", count: 60)
            let nested = { (depth: Int) in (0..<depth).flatMap { _ in [Built.sandbox, "as", name, "--"] } + ["echo", "ran"] }
            #expect(try world.sandboxed(nested(4)).out == "ran\n")
            let outcome = try world.sandboxed(nested(5))
            #expect(outcome.code == 125 && outcome.out.isEmpty && outcome.err.contains("nested deeper"), "\(outcome)")
        }

        /// A name gives nothing: what is denied stays so, and the name of somebody who is admitted helps nobody.
        @Test(arguments: Account.all) func aNameGivesNoRights(account: Account) throws {
            let world = try World(account)
            let profile = try world.profile(
                "narrow",
                "mode: enforce\nfiles: { default: allow, deny: [\"\(world.root)/vault/**\"] }\nexec: { default: allow }\nnetwork: { default: deny }"
            )
            for name in ["root", "user:root", "agent:builder"] {
                let outcome = try world.sandboxed([Built.sandbox, "as", name, "--", "cat", world.secret], profile: profile)
                #expect(outcome.code == 1 && outcome.out.isEmpty && outcome.err.contains("Permission denied"), "\(outcome)")
            }
            #expect(try world.native(["cat", world.secret]).out == World.secretText)
        }
    }
}
