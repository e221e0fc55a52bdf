import Foundation
import Testing

extension EndToEnd {
    /// What would be decided, asked without running anything, and the tools for whoever writes profiles.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct ExplainTests {
        private static let profile = """
            files: { default: deny, read: ["/usr/**", "/etc/**"], write: ["${workspace}/**"] }
            network: { default: deny, allow: ["db.example.org:5432"] }
            rules:
              - { name: no-drop, intent: sql.drop, decide: deny, reason: Use the migration pipeline. }
              - name: lease
                intent: git.force_push
                decide: rewrite
                rewrite: { replace: { "--force": "--force-with-lease" } }
              - { name: publish, intent: pkg.publish, decide: ask, ask: { approvers: ["group:ops"] } }
            """

        private func explain(_ world: World, _ arguments: [String], input: String = "") throws -> Outcome {
            let profile = try world.profile("explained", Self.profile)
            return try world.native([Built.sandbox, "explain", "-p", profile, "-w", world.work] + arguments, input: input)
        }

        @Test(arguments: Account.all) func exitCodes(account: Account) throws {
            let world = try World(account)
            for (arguments, code) in [
                (["--", "git", "status"], 0), (["--", "psql", "-c", "DROP TABLE t"], 1), (["--", "npm", "publish"], 2),
                (["--", "git", "push", "--force"], 3), (["--", "git", "commit", "-m", "DROP TABLE t; git push --force"], 0),
                (["--read", "/etc/passwd"], 0), (["--read", world.secret], 1), (["--write", "\(world.work)/new"], 0),
                (["--write", "/etc/passwd"], 1),
                (["--delete", "\(world.work)/x"], 0), (["--connect", "db.example.org:5432"], 0), (["--connect", "db.example.org:5433"], 1),
                (["--sql", "drop table t"], 1), (["--sql", "select 'drop table t'"], 0), (["--sql", "x", "--dialect", "oracle"], 125),
                ([], 125), (["--read", ""], 125), (["--dialect", "mysql", "--", "ls"], 125),
                (["--connect", "nowhere"], 125), (["--read", "/a", "--", "ls"], 125),
            ] {
                let outcome = try explain(world, arguments)
                #expect(outcome.code == Int32(code), "\(arguments): \(outcome)")
            }
            // Nothing was made by asking.
            #expect(!FileManager.default.fileExists(atPath: "\(world.work)/new"))
        }

        /// Shell text writes files by itself.
        @Test func redirections() throws {
            let world = try World(.own)
            for (text, code) in [
                ("echo x > out; echo x >> out 2>&1", 0), ("echo x >> /etc/profile", 1), ("cat x > /dev/sda", 1),
                ("cat < \(world.secret)", 1),
                ("echo '> /etc/profile'", 0), ("cat <<E > out\n> /etc/profile\nE", 0), ("echo x > $y", 0),
            ] {
                let outcome = try explain(world, ["--", "sh", "-c", text])
                #expect(outcome.code == Int32(code), "\(text): \(outcome)")
            }
        }

        @Test func saysWhy() throws {
            let world = try World(.own)
            let words = try explain(world, ["--", "git", "push", "--force"]).out
            for part in ["git.force_push", "rewrite by lease", "git push --force-with-lease"] { #expect(words.contains(part), "\(words)") }
            let json = try explain(world, ["--json", "--", "psql", "-c", "DROP TABLE crm.t"]).out
            let object = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
            #expect(object["decision"] as? String == "deny" && object["rules"] as? [String] == ["no-drop", "exec.default"].dropLast())
            #expect((object["intents"] as? [String])?.contains("sql.drop") == true && object["tables"] as? [String] == ["crm.t"])
            #expect(object["reason"] as? String == "Use the migration pipeline.")
        }

        /// What a command would start is judged as well, as far as its words tell.
        @Test(arguments: Account.all) func whatWouldBeStarted(account: Account) throws {
            let world = try World(account)
            for (command, code, note) in [
                (["sh", "-c", "cd x && psql -c \"DROP TABLE t\" > log 2>&1"], 1, false),
                (["sudo", "-n", "env", "A=b", "git", "push", "--force"], 3, false),
                (["xargs", "npm", "publish"], 2, false), (["find", ".", "-exec", "sh", "-c", "npm publish", ";"], 2, false),
                (["sh", "-c", "echo 'DROP TABLE t'; git commit -m 'git push --force' # npm publish"], 0, false),
                (["sh", "-c", "psql -c \"$q\""], 0, true), (["sh", "-c", "eval 'npm publish'"], 2, true),
                (["sh", "-c", "(cd x; npm publish)"], 2, true), (["bash", "-c", "npm() { :; }; case $1 in npm) ls;; esac"], 0, true),
                (["sh", "-c", "psql <<'E'\nDROP TABLE t\nE"], 1, true), (["sh", "-c", "cat <<'E'\nDROP TABLE t\nE"], 0, true),
                (["bash", "-c", "psql <<< 'DROP TABLE t'"], 1, false), (["sh", "-c", "echo 'npm publish' | sh"], 2, false),
                (["sh", "-c", "echo 'npm publish' | cat"], 0, false), (["psql", "-c", "\\! npm publish"], 2, false),
                (["git", "-c", "alias.p=push --force", "p", "origin"], 3, false),
                (["sh", "-c", "git commit -F - <<E\nnpm publish\nE"], 0, true),
                (["sh", "-c", "ssh host <<E\nnpm publish\nE"], 2, true),
                (["sh", "-c", "docker exec -i c sh -s <<E\nnpm publish\nE"], 2, true),
                (["sh", "-c", "ssh host cat <<E\nnpm publish\nE"], 0, true), (["sh", "-c", "echo npm publish | ssh host bash"], 2, false),
                (["sh", "-c", "cat <<E | psql\nDROP TABLE t\nE"], 1, true),
                (["sh", "-c", "printf '%s\\n' 'DROP TABLE t' | psql"], 1, false),
                (["sh", "-c", "for i in a; do $i; done; npm publish"], 2, true),
                (["bash", "-c", "bash -c 'bash -c \"npm publish\"'"], 2, false),
            ] as [([String], Int32, Bool)] {
                let outcome = try explain(world, ["--"] + command)
                #expect(outcome.code == code && outcome.out.contains("can only be told in part") == note, "\(command): \(outcome)")
            }
            // Each may be given one argument more, so that there are twice as many at every step.
            let many = try explain(world, ["--"] + Array(repeating: "xargs", count: 500) + ["npm", "publish"])
            #expect(many.code == 0 && many.out.contains("it starts more than is looked at here"), "\(many)")
            let json = try explain(world, ["--json", "--", "sudo", "sh", "-c", "psql -c 'DROP TABLE crm.t'"]).out
            let object = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
            #expect(object["decision"] as? String == "deny" && (object["intents"] as? [String])?.contains("sql.drop") == true, "\(json)")
            let shell = try #require((object["starts"] as? [[String: Any]])?.first)
            #expect(shell["run"] as? [String] == ["sh", "-c", "psql -c 'DROP TABLE crm.t'"])
            let client = try #require((shell["starts"] as? [[String: Any]])?.first)
            #expect(
                client["run"] as? [String] == ["psql", "-c", "DROP TABLE crm.t"] && client["rules"] as? [String] == ["no-drop"], "\(json)")
            let line = try explain(world, ["--batch", "-"], input: #"{"run":["nohup","npm","publish"]}"#).out
            #expect(line.contains(#""decision":"ask""#) && line.contains(#""starts":[{"run":["npm","publish"],"intents":"#), "\(line)")
        }

        @Test(arguments: Account.all) func batch(account: Account) throws {
            let world = try World(account)
            let lines = [
                #"{"run":["git","push","--force"]}"#, #"{"read":"/etc/passwd"}"#, "nonsense", #"{"sql":"DROP TABLE t","dialect":"mysql"}"#,
                #"{"connect":"db.example.org:5432"}"#, #"{"run":"ls"}"#, #"{"read":"/a","write":"/a"}"#, #"{"write":"\u001b[31m"}"#,
            ]
            let outcome = try explain(world, ["--batch", "-"], input: lines.joined(separator: "\n") + "\n")
            let answers = try outcome.out.split(separator: "\n").map {
                try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            }
            #expect(outcome.code == 125 && answers.count == lines.count, "\(outcome)")
            #expect(
                answers.map { $0["decision"] as? String ?? "error" } == [
                    "rewrite", "allow", "error", "deny", "allow", "error", "error", "allow",
                ])
            #expect(answers[0]["rewritten"] as? [String] == ["git", "push", "--force-with-lease"])
            #expect(answers.compactMap { $0["line"] as? Int } == [3, 6, 7])
            #expect(!outcome.out.contains("\u{1b}"))
            // Without a last line feed, and from a file.
            let file = world.work + "/lines"
            try "{\"read\":\"/etc/passwd\"}\n\n{\"read\":\"/etc/passwd\"}".write(toFile: file, atomically: true, encoding: .utf8)
            let again = try explain(world, ["--batch", file])
            #expect(again.code == 0 && again.out.split(separator: "\n").count == 2)
        }

        /// What is left of what another rule set out to change does not run.
        @Test func rewrittenTwice() throws {
            let world = try World(.own)
            let rules = """
                rules:
                  - { name: loud, intent: git.push, decide: rewrite, rewrite: { append: [-v] } }
                  - { name: lease, intent: git.force_push, decide: rewrite, rewrite: { replace: { "--force": "--force-with-lease" } } }
                """
            let profile = try world.profile("twice", rules)
            func decision(_ command: String...) throws -> Int32 {
                try world.native([Built.sandbox, "explain", "-p", profile, "--"] + command).code
            }
            #expect(try decision("git", "push", "x") == 3)
            #expect(try decision("git", "push", "--force", "x") == 1)
            #expect(try decision("git", "push", "origin", "+x") == 1)
        }

        /// No shell has put the home in its place.
        @Test func aTildeIsTheHome() throws {
            let world = try World(.own)
            let asked = [Built.sandbox, "explain", "-p", "coding-agent", "-w", world.root, "--batch", "-"]
            let outcome = try world.native(asked, input: #"{"read":"~/.ssh/id_ed25519"}"#)
            #expect(outcome.out.contains(#""decision":"deny""#), "\(outcome)")
        }

        /// What words do to the files that they name is judged as well: it is the link that goes, and what lies in a folder that is written.
        @Test(arguments: Account.all) func namedFiles(account: Account) throws {
            let world = try World(account)
            let link = world.work + "/link"
            #expect(symlink("/etc/passwd", link) == 0)
            let cases: [([String], String)] = [
                (["rm", "-rf", "/etc"], "deny"), (["rm", link], "allow"), (["tee", link], "deny"), (["cat", "~/.ssh/id_ed25519"], "deny"),
                (["sh", "-c", "cat $HOME/.ssh/id_ed25519"], "deny"), (["cp", "/etc/hosts", world.work], "allow"),
                (["cp", "x", "/etc"], "deny"), (["cp", "-t", "/etc", "x"], "deny"), (["mv", "/etc/hosts", world.work], "deny"),
                (["echo", "rm", "-rf", "/etc"], "allow"), (["rm", "--help", "/etc"], "allow"), (["find", "/etc", "-delete"], "deny"),
                (["sh", "-c", "cd /etc && rm passwd"], "deny"), (["sh", "-c", "(cd /etc); echo x > y"], "allow"),
                (["sh", "-c", "cd /etc; sh -c 'echo x > y'"], "deny"), (["sh", "-c", "cd /etc && ./passwd"], "allow"),
                (["find", "/etc", "-name", "-delete"], "allow"), (["ssh", "host", "rm -rf /etc"], "allow"),
            ]
            let lines = try cases.map { String(decoding: try JSONEncoder().encode(["run": $0.0]), as: UTF8.self) }
            let asked = [Built.sandbox, "explain", "-p", "coding-agent", "-w", world.root, "--batch", "-"]
            let outcome = try world.native(asked, input: lines.joined(separator: "\n"))
            let answers = try outcome.out.split(separator: "\n").map {
                try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            }
            #expect(answers.count == cases.count, "\(outcome)")
            for ((words, decision), answer) in zip(cases, answers) {
                #expect(answer["decision"] as? String == decision, "\(words): \(answer)")
            }
        }

        @Test func shippedTestsHold() throws {
            let world = try World(.own)
            let names = try world.native([Built.sandbox, "profile", "list", "--json"]).out.split(separator: "\n").compactMap {
                (try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])?["name"] as? String
            }
            #expect(names.contains("coding-agent") && names.contains("deploy"))
            let outcome = try world.native([Built.sandbox, "profile", "test"] + names)
            #expect(outcome.code == 0, "\(outcome)")
        }

        /// A test that does not hold says where it stands and what came instead.
        @Test func failingTestsAreTold() throws {
            let world = try World(.own)
            let profile = try world.profile(
                "failing",
                "files: { default: deny }\ntests:\n  - { read: /etc/passwd, expect: allow }\n  - { read: /etc/passwd, expect: deny }")
            let outcome = try world.native([Built.sandbox, "profile", "test", profile])
            #expect(
                outcome.code == 1 && outcome.out.contains("expected allow, got deny") && outcome.out.contains("1 of 2 tests fail"),
                "\(outcome)")
        }

        /// Who may run under a profile is asked of whom a test names; the others are somebody who may.
        @Test func testsOfProfilesForSomeAlone() throws {
            let world = try World(.own)
            let lists = "identities: [\"agent:*\", \"group:ops\", \"role:dba\"]\nfiles: { default: deny }\ntests:\n"
            func outcome(_ around: String) throws -> Outcome {
                let profile = try world.profile("some", lists + "  - { read: /etc/passwd, expect: deny\(around) }")
                return try world.native([Built.sandbox, "profile", "test", profile])
            }
            for around in ["", ", as: \"agent:x\"", ", as: \"oidc:1\", role: dba", ", group: [staff, ops]"] {
                let held = try outcome(around)
                #expect(held.code == 0, "\(around): \(held)")
            }
            for around in [", as: \"oidc:1\"", ", role: intern", ", as: x, group: staff"] {
                let failed = try outcome(around)
                #expect(failed.code == 1 && failed.out.contains("may not run under the profile"), "\(around): \(failed)")
            }
            let profile = try world.profile("some", lists + "  - { read: /etc/passwd, expect: deny }")
            let refused = try world.native([Built.sandbox, "explain", "-p", profile, "--as", "oidc:1", "--read", "/etc/passwd"])
            #expect(refused.code == 1 && refused.out.isEmpty && refused.err.contains("`--role` say who it would be"), "\(refused)")
            let admitted = try world.native(
                [Built.sandbox, "explain", "-p", profile, "--as", "oidc:1", "--role", "dba", "--read", "/etc/passwd"])
            #expect(admitted.code == 1 && admitted.out.contains("files.default"), "\(admitted)")
            // As a session would be let run: by the account's own groups.
            let own = try world.native(["id", "-gn"]).out.split(separator: "\n").first.map(String.init) ?? ""
            let ours = try world.profile("ours", "identities: [\"group:\(own)\"]\nfiles: { default: deny }")
            let explained = try world.native([Built.sandbox, "explain", "-p", ours, "--read", "/etc/passwd"])
            #expect(explained.code == 1 && explained.out.contains("files.default"), "\(explained)")
        }

        @Test func newProfilesAreValid() throws {
            let world = try World(.own)
            let made = try world.native([Built.sandbox, "profile", "new", "mine"])
            #expect(made.code == 0, "\(made)")
            #expect(try world.native([Built.sandbox, "profile", "new", "mine"]).code == 125)
            // One of a shipped profile's name would be taken in its place.
            let shadow = try world.native([Built.sandbox, "profile", "new", "coding-agent"])
            #expect(shadow.code == 125 && shadow.err.contains("already"), "\(shadow)")
            let outcome = try world.native([Built.sandbox, "profile", "test", "mine"])
            #expect(outcome.code == 0 && outcome.out.contains("5 tests hold"), "\(outcome)")
            let difference = try world.native([Built.sandbox, "profile", "diff", "readonly", "mine"])
            #expect(difference.code == 1 && difference.out.contains("+ files.write: ${workspace}/**  (looser)"), "\(difference)")
            #expect(try world.native([Built.sandbox, "profile", "diff", "mine", "mine"]).code == 0)
        }

        /// Every shipped profile is what the schema says, and what is wrong is not.
        @Test func schema() throws {
            let world = try World(.own)
            let script = """
                import json, sys
                try:
                    import jsonschema, yaml
                except ImportError:
                    print("none"); sys.exit(0)
                schema = json.load(open(sys.argv[1]))
                jsonschema.Draft202012Validator.check_schema(schema)
                validator = jsonschema.Draft202012Validator(schema)
                for path in sys.argv[2:]:
                    for error in validator.iter_errors(yaml.safe_load(open(path))): print(path, list(error.path), error.message)
                for wrong in ["files: { raed: [] }", "rules: [{ name: r, intent: sgl, decide: deny }]", "rules: [{ name: r, decide: dney }]"]:
                    if validator.is_valid(yaml.safe_load("version: 1\\nname: p\\n" + wrong)): print("passes:", wrong)
                """
            let text = try world.native([Built.sandbox, "profile", "schema"]).out
            let object = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            #expect(object["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
            let file = world.work + "/schema.json"
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../../Policies"
            let profiles = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".yaml") }.map {
                "\(folder)/\($0)"
            }
            guard Built.installed("python3") else { return }
            let outcome = try world.native(["python3", "-c", script, file] + profiles)
            #expect(outcome.code == 0 && ["", "none\n"].contains(outcome.out), "\(outcome)")
        }
    }
}
