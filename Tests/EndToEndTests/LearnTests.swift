import Foundation
import Testing

extension EndToEnd {
    /// Profiles that are learned from sessions, and history against a candidate: on real sessions.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox) && Built.installed("bash", "git", "make", "cc", "python3")))
    struct LearnTests {
        /// A day's work: a repository, a build, programs of its own, temporary files, a server and its client.
        private static let work = """
            set -e
            git init -q . 2>/dev/null; git config user.name a; git config user.email a@b
            mkdir -p src; for i in 1 2 3 4 5; do echo "int f$i(void) { return $i; }" > src/f$i.c; done
            printf '#include <stdio.h>\\nint f5(void);\\nint main(void) { printf("%d\\\\n", f5()); return 0; }\\n' > main.c
            printf 'm: main.c src/f5.c\\n\\t@cc -o m main.c src/f5.c\\n' > Makefile
            make; ./m
            printf '#!/bin/bash\\necho a script\\n' > run.sh; chmod +x run.sh; ./run.sh
            git add Makefile main.c src run.sh; git commit -qm one; git log --format=%s
            python3 - <<'P'
            import os, socket, tempfile
            with tempfile.TemporaryDirectory() as d: open(d + "/x", "w").write("x")
            s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); c = socket.create_connection(s.getsockname()); c.sendall(b"hello"); print(s.accept()[0].recv(9))
            u = socket.socket(socket.AF_UNIX); u.bind("sock"); u.listen(); socket.socket(socket.AF_UNIX).connect("sock")
            open("out", "w").write("x"); os.rename("out", "done"); os.remove("done"); os.remove("sock")
            P
            cat ../shared/notes
            """

        private func prepare(_ world: World) throws {
            let files = FileManager.default
            for name in try files.contentsOfDirectory(atPath: world.work) { try files.removeItem(atPath: "\(world.work)/\(name)") }
            for folder in ["shared", "home/.ssh"] {
                mkdir("\(world.root)/\(folder)", 0o777)
                chmod("\(world.root)/\(folder)", 0o777)
            }
            try "notes\n".write(toFile: world.root + "/shared/notes", atomically: false, encoding: .utf8)
            for file in [world.home + "/.ssh/id_rsa", world.work + "/.env"] {
                try World.secretText.write(toFile: file, atomically: false, encoding: .utf8)
            }
            try Self.work.write(toFile: world.root + "/shared/work.sh", atomically: false, encoding: .utf8)
        }

        private func denials(_ world: World) throws -> [String] {
            try world.events("--session", "last", "--decision", "deny").map { "\($0.operation) \($0.resource) \($0.rules)" }
        }

        private func sandbox(_ world: World, _ words: String...) throws -> Outcome { try world.native([Built.sandbox] + words) }

        @Test(arguments: Account.all) func aDaysWorkPassesUnderWhatWasLearnedFromIt(account: Account) throws {
            let world = try World(account)
            try prepare(world)
            let script = "bash ../shared/work.sh"
            let native = try world.native(["bash", "-c", script])
            try prepare(world)
            let observed = try world.sandboxed(["bash", "-c", script + "; cat ~/.ssh/id_rsa .env"])
            #expect(native.code == 0 && observed.out == native.out + World.secretText + World.secretText, "\(native) \(observed)")

            let file = world.home + "/learned.yaml"
            let learned = try sandbox(world, "profile", "learn", "last", "-o", file)
            #expect(learned.code == 0 && learned.out == file + "\n" && learned.err.contains("left out"), "\(learned)")
            let text = try String(contentsOfFile: file, encoding: .utf8)
            #expect(try sandbox(world, "profile", "learn", "last", "--name", "learned").out == text, "the same again")
            #expect(try sandbox(world, "profile", "learn", "last", "-o", file).code == 125, "never over what is there")
            for command in ["check", "test"] {
                let outcome = try sandbox(world, "profile", command, file)
                #expect(outcome.code == 0 && outcome.err.isEmpty, "\(outcome)")
            }
            let before = text.components(separatedBy: "# Left out")
            #expect(
                before.count == 2 && before[1].contains("read ~/.ssh/id_rsa") && before[1].contains("read ${workspace}/.env"), "\(text)")
            let lines = before[0].split(separator: "\n").filter { !$0.hasPrefix("#") }.joined(separator: "\n")
            #expect(
                !lines.contains("id_rsa") && !lines.contains("\"/**\"") && !lines.contains("\"~/**\"")
                    && !lines.contains("\"~/*\""))
            for line in ["- \"${workspace}/.git/**\"", "- \"${tmp}/**\"", "\"${workspace}/run.sh\"", "\"**/.env\"", "intent: ["] {
                #expect(before[0].contains(line), "\(line): \(text)")
            }

            try prepare(world)
            let again = try world.sandboxed(["bash", "-c", script], profile: file)
            let refused = try denials(world)
            #expect(again.code == 0 && again.out == native.out, "\(again) \(refused) \(text)")
            #expect(refused == [], "\(text)")

            // What is outside of it: done natively, and refused, every bit of it.
            let outside = [
                "cat ~/.ssh/id_rsa", "cat .env", "cat ../vault/inner/secret", "echo x > ../shared/new && echo written",
                "echo x > ~/new && echo written",
                "echo x > /tmp/learned-outside && echo written && rm /tmp/learned-outside",
                "\(world.guest) exec-probe; test $? -ne 126 && echo ran",
                "git push nowhere; test $? -ne 126 && echo ran",
            ].map { "(\($0)) 2>/dev/null" }.joined(separator: "\n")
            let secrets = String(repeating: World.secretText, count: 3)
            let control = try world.native(["bash", "-c", outside])
            #expect(control.out == secrets + "written\nwritten\nwritten\nran\nran\n", "\(control)")
            let inside = try world.sandboxed(["bash", "-c", outside], profile: file)
            #expect(inside.out.isEmpty && inside.code != 0, "\(inside)")
            let connect = ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9"]
            #expect(try world.native(connect).err.contains("Connection refused"))
            #expect(try world.sandboxed(connect, profile: file).err.contains("Permission denied"))
        }

        /// Places differ from session to session; what was refused is not learned, and what was let pass for a candidate's eyes is.
        @Test(arguments: Account.all) func severalSessionsAndRefusals(account: Account) throws {
            let world = try World(account)
            let strict = try world.profile(
                "strict",
                "files: { default: deny, read: [\"/usr/**\", \"/etc/**\", \"/lib*/**\", \"/proc/**\", \"/dev/**\"], write: [\"${workspace}/**\", /dev/null] }\nexec: { default: allow }\nnetwork: { default: deny }"
            )
            for name in ["one", "two"] {
                mkdir("\(world.root)/\(name)", 0o777)
                chmod("\(world.root)/\(name)", 0o777)
                let outcome = try world.sandboxed(
                    ["bash", "-c", "cd ../\(name); echo x > file; cat ../vault/inner/secret"], profile: strict,
                    options: ["--workspace", "\(world.root)/\(name)", "--name", name])
                #expect(outcome.code != 0 && outcome.out.isEmpty, "\(outcome)")
            }
            let text = try sandbox(world, "profile", "learn", "one", "two").out
            #expect(text.contains("\"${workspace}/file\"  # 2× by bash\n"), "\(text)")
            #expect(
                text.contains("Was refused") && text.contains("`--refused` lists them") && !text.contains("read \(world.secret)"), "\(text)"
            )
            #expect(try sandbox(world, "profile", "learn", "one", "--refused").out.contains("read \(world.secret)"))
            #expect(try sandbox(world, "profile", "learn", "nobody").code == 1)
            #expect(try sandbox(world, "profile", "learn", "one", "--name", "a:b").code == 125)
        }

        // MARK: Replaying

        private func replay(_ world: World, _ words: String...) throws -> (object: [String: Any], code: Int32) {
            let outcome = try world.native([Built.sandbox, "profile", "replay", "--json"] + words)
            let object = try JSONSerialization.jsonObject(with: Data(outcome.out.utf8)) as? [String: Any]
            return (try #require(object, "\(outcome)"), outcome.code)
        }

        private func changes(_ replay: (object: [String: Any], code: Int32)) -> [String] {
            (replay.object["changes"] as? [[String: Any]] ?? []).map { change in
                "\(change["was"] ?? "") \(change["now"] ?? "?") \(change["rule"] ?? "") \(change["count"] ?? 0)"
            }
        }

        /// What a policy says of what it judged itself is what it said then.
        @Test(arguments: zip(Account.all, ["coding-agent", "readonly"])) func aProfileAgreesWithItself(account: Account, profile: String)
            throws
        {
            let world = try World(account)
            try prepare(world)
            let script = """
                bash ../shared/work.sh; cat ~/.ssh/id_rsa .env ../vault/inner/secret; echo x > ~/new; rm -rf src; mv main.c other.c; sudo id
                git push --force nowhere main; exec 3<>/dev/tcp/127.0.0.1/9; exec 3<>/dev/tcp/192.0.2.1/9; ln other.c link; chmod 600 other.c; terraform destroy
                """
            _ = try world.sandboxed(["bash", "-c", script], profile: profile)
            let denied = try denials(world)
            #expect(!denied.isEmpty)
            let again = try replay(world, profile)
            let told = changes(again).filter { !$0.contains(" ? ") }
            #expect(told == [] && again.object["stopped"] as? Int == 0, "\(again.object)")
            #expect(again.object["operations"] as? Int ?? 0 > 100)
        }

        @Test(arguments: Account.all) func aCandidate(account: Account) throws {
            let world = try World(account), listeners = try Listeners(world)
            try prepare(world)
            let script =
                "cat ../shared/notes ../shared/notes; for i in 1 2 3; do echo $i > f$i; done; rm f1 f2 f3; exec 3<>/dev/tcp/127.0.0.1/\(listeners.allowed); psql --version; cat ../vault/inner/secret"
            let permissive = try world.permissive()
            _ = try world.sandboxed(["bash", "-c", script], profile: permissive, options: ["--as", "agent:one"])
            let body = "files: { default: allow }\nexec: { default: allow }\nnetwork: { default: allow"
            let same = try world.profile("same", body + " }")
            #expect(changes(try replay(world, same, "--fail-on-change")) == [])
            #expect(try replay(world, same, "--fail-on-change").code == 0)

            let tighter = try world.profile(
                "tighter",
                body + ", deny: [\"127.0.0.1:\(listeners.allowed)\"] }\nrules:\n  - { name: gone, intent: file.delete, decide: ask }\n")
            let found = try replay(world, tighter, "--fail-on-change")
            #expect(found.code == 1 && found.object["stopped"] as? Int == 5, "\(found)")
            #expect(Set(changes(found)) == ["allow deny network.deny[0] 1", "allow ask gone 4"], "\(found)")
            #expect(try replay(world, tighter).code == 0)

            let counted = try world.profile(
                "counted", body + " }\nrules:\n  - { name: many, intent: file.delete, when: { count: \"> 2\" }, decide: deny }\n")
            #expect(changes(try replay(world, counted)) == ["allow deny many 2"])

            // What nobody wrote down is not guessed.
            let untold = try world.profile(
                "untold",
                "data: { pii: { files: [/nowhere] } }\n" + body
                    + ", deny: [\"udp://127.0.0.1:*\"] }\nrules:\n  - { name: stays, intent: net.egress, when: { carries: pii }, decide: deny }\n"
            )
            let unknown = try replay(world, untold)
            #expect(changes(unknown).allSatisfy { $0.hasPrefix("allow ? ") } && changes(unknown).count == 1, "\(unknown)")
            #expect((unknown.object["gaps"] as? [String])?.contains { $0.contains("carries") } == true)

            // The other way round: what was refused would pass. And only the sessions that are meant.
            let strict = try world.profile("strict", body + " }\nrules:\n  - { name: no, intent: file.delete, decide: deny }\n")
            _ = try world.sandboxed(["bash", "-c", "echo x > g; rm g"], profile: strict, options: ["--as", "agent:two"])
            #expect(changes(try replay(world, same)) == ["deny allow exec.default 1"])
            #expect(changes(try replay(world, same, "--identity", "*:one")) == [])
            #expect(changes(try replay(world, same, "--profile", "strict")) == ["deny allow exec.default 1"])
            #expect(changes(try replay(world, same, "--session", "last", "--since", "1h")) == ["deny allow exec.default 1"])
            #expect(try sandbox(world, "profile", "replay", same, "--since", "2400-01-01").code == 125)
            #expect(try sandbox(world, "profile", "replay", "/nowhere.yaml").code == 125)
            let words = try sandbox(world, "profile", "replay", tighter, "--identity", "agent:one").out
            for part in ["allow → ask  4×", "gone", "delete(delete) \(world.work)/f1", "does not tell"] {
                #expect(words.contains(part), "\(words)")
            }
        }
    }
}
