import Foundation
import Testing

extension TestIssuer {
    func token(_ change: [String: Any?]) throws -> String { try token("RS256", change) }
}

extension EndToEnd {
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox) && TestIssuer.isPossible)) struct IdentityTests {
        private func expectRefused(_ outcome: Outcome, _ says: String) {
            #expect(outcome.code == 125 && outcome.out.isEmpty, "\(outcome)")
            #expect(outcome.err.contains(says), "wants `\(says)`: \(outcome.err)")
        }

        @Test(arguments: ["RS256", "ES256", "EdDSA"], Account.all) func aGoodTokenNamesWhoRuns(algorithm: String, account: Account) throws {
            let issuer = try TestIssuer(World(account), algorithms: [algorithm])
            let outcome = try issuer.run(try issuer.token(algorithm))
            #expect(outcome.code == 0 && outcome.out == "ran\n", "\(outcome)")
            let session = try issuer.session()
            #expect(session["identity"] as? String == "oidc:ada" && session["on_behalf_of"] == nil)
            #expect(session["groups"] as? [String] == ["data-eng"] && session["roles"] as? [String] == ["builder"], "\(session)")
        }

        /// Each is refused by a reason of its own, and nothing runs. The control: the same issuer's good token.
        @Test(arguments: Account.all) func badTokens(account: Account) throws {
            let issuer = try TestIssuer(World(account), algorithms: ["RS256", "ES256"])
            #expect(try issuer.run(try issuer.token()).out == "ran\n")
            for bad in BadToken.all { expectRefused(try issuer.run(try bad.make(issuer)), bad.says) }
        }

        /// What the token says of groups and roles is what rules go by; without one it is what the system says.
        @Test(arguments: Account.all) func rulesAskForGroupsAndRoles(account: Account) throws {
            let world = try World(account), issuer = try TestIssuer(world), own = try world.native(["id", "-gn"]).out.dropLast()
            func runs(_ condition: String, _ change: [String: Any?]? = [:]) throws -> Bool {
                let profile = try world.profile(
                    "groups",
                    """
                    mode: enforce
                    files: { default: allow }
                    exec: { default: allow }
                    rules: [{ name: no, intent: proc.exec, when: { program: echo, \(condition) }, decide: deny, reason: no }]
                    """)
                let outcome =
                    try change.map { try issuer.run(try issuer.token($0), profile: profile, ["/bin/echo", "ran"]) }
                    ?? world.sandboxed(["/bin/echo", "ran"], profile: profile)
                #expect(outcome.code == (outcome.out == "ran\n" ? 0 : 126), "\(outcome)")
                return outcome.out == "ran\n"
            }
            #expect(try !runs("group: data-eng") && !runs("role: builder") && runs("role: [dba, data-eng]") && runs("group: builder"))
            #expect(try runs("group_not: data-eng") && runs("role_not: builder") && !runs("role_not: dba"))
            #expect(try runs("group: \(own)") && !runs("group: \(own)", nil) && runs("group: data-eng", nil))
            // A token without groups has none.
            #expect(try runs("group: [data-eng, \(own)]", ["groups": nil]) && !runs("group_not: data-eng", ["groups": nil]))
        }

        /// Some issuers have them within another claim, some by a name with dots in it.
        @Test func aClaimMayLieWithinAnother() throws {
            let issuer = try TestIssuer(World())
            try issuer.configure(
                """
                version: 1
                issuers:
                  - issuer: \(issuer.address)
                    audience: [sandbox]
                    algorithms: [RS256]
                    discovery: \(issuer.address)
                    claims: { groups: "https://a.example/groups", roles: realm_access.roles }
                """)
            func session(_ claims: [String: Any?]) throws -> [[String]?] {
                #expect(try issuer.run(try issuer.token(claims)).out == "ran\n")
                let session = try issuer.session()
                return [session["groups"] as? [String], session["roles"] as? [String]]
            }
            let access: [String: Any] = ["roles": ["dba", "reader"], "x": [["y": 1]]]
            #expect(try session(["realm_access": access, "https://a.example/groups": ["data"]]) == [["data"], ["dba", "reader"]])
            #expect(try session(["realm_access.roles": "whole", "realm_access": access]) == [nil, ["whole"]])
            #expect(try session(["realm_access": ["other": ["dba"]]]) == [nil, nil])
            #expect(try session(["roles": ["builder"]]) == [nil, nil])
            for wrong: Any in ["dba", ["dba"], ["roles": ["dba": 1]], ["roles": [1]]] as [Any] {
                expectRefused(try issuer.run(try issuer.token(["realm_access": wrong])), "`realm_access.roles` is no list of names")
            }
            expectRefused(
                try issuer.run(try issuer.token(claims: { $0.dropLast() + ",\"realm_access\":{\"roles\":[],\"roles\":[\"dba\"]}}" })),
                "claims are malformed")
        }

        @Test func theVariableIsAsGoodAsTheFile() throws {
            let world = try World(), issuer = try TestIssuer(world)
            func run(_ token: String) throws -> Outcome {
                let running = try world.start(
                    world.sandboxCommand(["sh", "-c", "echo \"[$SANDBOX_TOKEN]\""]), environment: ["SANDBOX_TOKEN": token])
                running.closeInput()
                return running.finish()
            }
            let good = try run(try issuer.token())
            #expect(good.out == "[]\n" && good.code == 0, "\(good)")
            #expect(try issuer.session()["identity"] as? String == "oidc:ada")
            expectRefused(try run(try issuer.token(["exp": 0])), "expired at 1970")
            expectRefused(try run("x"), "no signed JSON Web Token")
        }

        @Test func clocksMayDifferAsMuchAsIsSaid() throws {
            let issuer = try TestIssuer(World()), now = Int(Date().timeIntervalSince1970)
            let token = try issuer.token(["exp": now - 20, "nbf": now + 20])
            try issuer.configure(more: "skew: 10m")
            #expect(try issuer.run(token).out == "ran\n")
            try issuer.configure(more: "skew: 5s")
            expectRefused(try issuer.run(token), "expired at")
        }

        /// Keys are kept, looked up again when they are old or one is missing, and then once.
        @Test(arguments: Account.all) func keysAreExchanged(account: Account) throws {
            let world = try World(account), issuer = try TestIssuer(world, algorithms: ["ES256"])
            let both = ["/.well-known/openid-configuration", "/keys"]
            let first = try issuer.token("ES256")
            #expect(try issuer.run(first).out == "ran\n")
            #expect(issuer.asked() == both)
            #expect(try issuer.run(first).out == "ran\n")
            #expect(issuer.asked() == [])
            issuer.keys["next"] = try TestKey.make("ES256")
            try issuer.publish()
            let second = try issuer.token("next", header: ["alg": "ES256"])
            #expect(try issuer.run(second).out == "ran\n")
            #expect(issuer.asked() == both)
            expectRefused(try issuer.run(try issuer.token("ES256", header: ["kid": "never"])), "a key `never` that")
            #expect(issuer.asked() == both)
            // Withdrawn: until it is looked up again, at the latest after `max_age`.
            issuer.keys["ES256"] = nil
            try issuer.publish()
            let cache = world.state + "/identity"
            let file = try #require(try FileManager.default.contentsOfDirectory(atPath: cache).first)
            try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -3700)], ofItemAtPath: cache + "/" + file)
            expectRefused(try issuer.run(first), "a key `ES256` that")
            #expect(issuer.asked() == both)
            issuer.stop()
            #expect(try issuer.run(second).out == "ran\n")
            try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -3700)], ofItemAtPath: cache + "/" + file)
            expectRefused(try issuer.run(second), "gave nothing")
        }

        @Test func whatAnIssuerMustServe() throws {
            let world = try World(), issuer = try TestIssuer(world), token = try issuer.token()
            try issuer.publish(issuer: "https://other.example")
            expectRefused(try issuer.run(token), "speaks for `https://other.example`")
            try issuer.publish(keysAt: "http://192.0.2.1/keys")
            expectRefused(try issuer.run(token), "`http://192.0.2.1/keys` is no https address")
            try issuer.publish(keysAt: "file://" + issuer.keysFile)
            expectRefused(try issuer.run(token), "is no https address")
            try issuer.publish(keysAt: "http://127.0.0.1@192.0.2.1/keys")
            expectRefused(try issuer.run(token), "is no https address")
            try issuer.publish()
            try issuer.serve("-> /keys", at: "/moved")
            try issuer.publish(keysAt: issuer.address + "/moved")
            expectRefused(try issuer.run(token), "answered with status 302")
            try issuer.publish(keysAt: issuer.address + "/nowhere")
            expectRefused(try issuer.run(token), "answered with status 404")
            try issuer.publish()
            try issuer.serve("{}", at: "/keys")
            expectRefused(try issuer.run(token), "is no set of keys")
            try issuer.serve(String(repeating: " ", count: 2 << 20), at: "/keys")
            expectRefused(try issuer.run(token), "larger than 1 MiB")
            try issuer.serve("<html>", at: "/.well-known/openid-configuration")
            expectRefused(try issuer.run(token), "no discovery document")
            try issuer.publish()
            #expect(try issuer.run(token).out == "ran\n")
        }

        @Test(arguments: Account.all) func keysInAFile(account: Account) throws {
            let issuer = try TestIssuer(World(account), algorithms: ["ES256"])
            try issuer.configure(source: "jwks: \(issuer.keysFile)")
            #expect(try issuer.run(try issuer.token("ES256")).out == "ran\n")
            #expect(try issuer.run(try issuer.token("ES256", header: ["kid": NSNull()])).out == "ran\n", "the only key there is")
            #expect(issuer.asked() == [])
            chmod(issuer.keysFile, 0o666)
            expectRefused(try issuer.run(try issuer.token("ES256")), "can be written by others")
        }

        /// Before it reads the token it has taken from itself what it does not need: every thread of it.
        @Test(arguments: Account.all) func theCheckerIsConfined(account: Account) throws {
            let world = try World(account), issuer = try TestIssuer(world, algorithms: ["ES256"])
            try issuer.configure(source: "jwks: \(issuer.keysFile)")
            let checker = try world.start([Built.directory + "/sandbox-identity", world.state])
            func text(_ file: String) -> String { (try? String(contentsOfFile: "/proc/\(checker.pid)/\(file)", encoding: .utf8)) ?? "" }
            #expect(eventually { text("status").contains("Seccomp:\t2") })
            for thread in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(checker.pid)/task")) ?? [] {
                let status = text("task/\(thread)/status")
                #expect(status.contains("NoNewPrivs:\t1") && status.contains("Seccomp:\t2"), "\(status)")
            }
            let limits = text("limits")
            #expect(
                limits.contains { $0 == "\n" }
                    && limits.split(separator: "\n").contains { $0.hasPrefix("Max cpu time") && $0.contains(" 30 ") })
            checker.write(try issuer.token("ES256"))
            checker.closeInput()
            let outcome = checker.finish()
            #expect(outcome.code == 0 && outcome.out.hasSuffix("end\n") && outcome.out.contains("subject"), "\(outcome)")
        }

        @Test func sharedSecrets() throws {
            let world = try World(), issuer = try TestIssuer(world), file = world.root + "/secret"
            let secret = Data(repeating: 0x41, count: 32)
            try secret.write(to: URL(fileURLWithPath: file))
            chmod(file, 0o600)
            try issuer.configure(algorithms: "[HS256]", source: "secret: \(file)")
            #expect(try issuer.run(try issuer.symmetric(secret)).out == "ran\n")
            expectRefused(try issuer.run(try issuer.symmetric(Data(repeating: 0x42, count: 32))), "signature does not fit")
            expectRefused(try issuer.run(try issuer.token()), "signed with `RS256`, which is not allowed")
            chmod(file, 0o644)
            expectRefused(try issuer.run(try issuer.symmetric(secret)), "can be read by others")
            chmod(file, 0o600)
            try secret.prefix(31).write(to: URL(fileURLWithPath: file))
            expectRefused(try issuer.run(try issuer.symmetric(secret.prefix(31))), "shorter than the 32 bytes")
        }

        @Test func configurationsThatAreNone() throws {
            let world = try World(), issuer = try TestIssuer(world), token = try issuer.token()
            let path = world.home + "/.config/sandbox/identity.yaml"
            func refused(_ says: String, algorithms: String = "[RS256]", source: String? = nil, more: String = "") throws {
                try issuer.configure(algorithms: algorithms, source: source, more: more)
                expectRefused(try issuer.run(token), says)
            }
            try refused("identity.yaml:5:17: `HS256` cannot be allowed with public keys", algorithms: "[RS256, HS256]")
            try refused("`none` cannot be allowed", algorithms: "[none]")
            try refused("`RS256` cannot be allowed with a `secret`", source: "secret: /x")
            try refused("the list is empty", algorithms: "[]")
            try refused("wants an https address", source: "discovery: http://192.0.2.1")
            try refused("wants a whole path", source: "jwks: keys.json")
            try refused("say where its keys are", more: "jwks: /x")
            try refused("`prefix.subject` begins with `oidc:`", more: "prefix: { subject: \"user:\" }")
            try refused("identity.yaml:8:5: unknown key", more: "skw: 5s")
            try refused("at most 600 seconds", more: "skew: 1h")
            for (text, says) in [
                ("", "not YAML"), ("version: 2\nissuers: []", "begin with `version: 1`"), ("version: 1\nissuers: []", "at least one"),
                (
                    "version: 1\nissuers: [{ issuer: a, audience: b, algorithms: RS256, jwks: /x }, { issuer: c, audience: b, algorithms: RS256, jwks: /x }]",
                    "could not be told apart"
                ),
                ("version: 1\nissuers: [{ issuer: a, algorithms: RS256, jwks: /x }]", "`audience` is missing"),
            ] {
                try issuer.configure(text)
                expectRefused(try issuer.run(token), says)
            }
            try issuer.configure()
            chmod(path, 0o666)
            expectRefused(try issuer.run(token), "can be written by others")
            unlink(path)
            expectRefused(try issuer.run(token), "no issuer is trusted")
            expectRefused(try world.sandboxed(["true"], options: ["--token-file", "/nowhere"]), "--token-file /nowhere")
        }

        /// By its variable, its file, another name of it, and the memory of those who had it.
        @Test(arguments: Account.all) func theAgentDoesNotGetTheToken(account: Account) throws {
            let world = try World(account), issuer = try TestIssuer(world), token = try issuer.token()
            let script = """
                echo "[$SANDBOX_TOKEN]"; cat '\(world.root)/token' '\(world.root)/hard' '\(world.work)/soft'
                for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/environ | grep SANDBOX_TOKEN; done
                """
            func run(_ profile: String?) throws -> Outcome {
                let command = ["sh", "-c", script]
                let options = ["--token-file", world.root + "/token", "--env", "SANDBOX_TOKEN"]
                let words = profile.map { world.sandboxCommand(command, profile: $0, options: options) } ?? command
                let running = try world.start(words, environment: ["SANDBOX_TOKEN": token])
                running.closeInput()
                return running.finish()
            }
            _ = try issuer.run(token)
            link(world.root + "/token", world.root + "/hard")
            symlink(world.root + "/token", world.work + "/soft")
            #expect(try run(nil).out.components(separatedBy: token).count > 4, "the control finds it in every way")
            let outcome = try run(try world.permissive())
            #expect(outcome.out.hasPrefix("[]\n") && !outcome.out.contains(token), "\(outcome)")
            // Unless the profile says otherwise; a glob does not.
            let open =
                "mode: enforce\nfiles: { default: allow }\nexec: { default: allow }\nnetwork: { default: allow }\nenvironment: { keep: [\"*\""
            #expect(try run(try world.profile("glob", open + "] }")).out.hasPrefix("[]\n"))
            let given = try run(try world.profile("given", open + ", SANDBOX_TOKEN] }")).out
            #expect(given.hasPrefix("[\(token)]\n\(token)"), "\(given)")
        }

        @Test(arguments: Account.all) func whoMayRun(account: Account) throws {
            let world = try World(account), issuer = try TestIssuer(world), token = try issuer.token()
            func profile(_ identities: String) throws -> String {
                try world.profile(
                    "who",
                    "mode: observe\nidentities: [\(identities)]\nfiles: { default: allow }\nexec: { default: allow }\nnetwork: { default: allow }"
                )
            }
            for who in ["\"oidc:ada\"", "\"oidc:*\"", "\"group:data-eng\"", "\"role:b*\"", "\"user:nobody-here\", \"group:*\""] {
                let file = try profile(who)
                #expect(try issuer.run(token, profile: file).out == "ran\n", "\(who)")
            }
            let others = try profile("\"group:ops\", \"oidc:bob\", \"role:data-eng\", \"group:builder\", \"user:*\"")
            expectRefused(try issuer.run(token, profile: others), "`oidc:ada` may not run under the profile `who`")
            // The account's own groups, where there is no token; a name that is claimed is none.
            let ownGroup = try world.native(["id", "-gn"]).out.split(separator: "\n").first.map(String.init) ?? ""
            #expect(try world.sandboxed(["echo", "ran"], profile: try profile("\"group:\(ownGroup)\"")).out == "ran\n")
            expectRefused(try issuer.run(token, profile: try profile("\"group:\(ownGroup)\"")), "may not run")
            let team = try profile("\"group:data-eng\"")
            expectRefused(try world.sandboxed(["echo", "ran"], profile: team), "may not run")
            for (option, name) in [("--as", "group:data-eng"), ("--as", "oidc:ada"), ("--as", "role:x"), ("--on-behalf-of", "oidc:ada")] {
                expectRefused(try world.sandboxed(["echo", "ran"], profile: team, options: [option, name]), "cannot be claimed")
            }
            // An agent acts for the person of the token.
            #expect(try issuer.run(token, profile: team, options: ["--as", "agent:x"]).out == "ran\n")
            let session = try issuer.session()
            #expect(session["identity"] as? String == "agent:x" && session["on_behalf_of"] as? String == "oidc:ada", "\(session)")
            expectRefused(
                try issuer.run(token, profile: team, options: ["--as", "agent:x", "--on-behalf-of", "user:bob"]), "as the token says")
        }

        /// What is in the arguments is a secret as well, also those of the session itself.
        @Test func theTrailHoldsNoSecrets() throws {
            let world = try World(), issuer = try TestIssuer(world), token = try issuer.token()
            let command = ["sh", "-c", "true --password hunter2; /bin/true \(token); exec /bin/true https://ada:hunter2@a.example"]
            #expect(try issuer.run(token, options: [], command).code == 0)
            var all = ""
            for words in [
                ["audit", "sessions", "--json"], ["audit", "show", "last"], ["audit", "show", "last", "--json"],
                ["audit", "events", "--json"],
            ] {
                all += try world.native([Built.sandbox] + words).out
            }
            #expect(all.contains("***") && !all.contains("hunter2") && !all.contains(token), "\(all)")
            let raw = try world.native(["sh", "-c", "cat '\(world.state)'/trail.db*; find '\(world.state)' -type f -exec cat {} +"]).out
            #expect(!raw.contains("hunter2") && !raw.contains(token.suffix(40)))
        }
    }
}
