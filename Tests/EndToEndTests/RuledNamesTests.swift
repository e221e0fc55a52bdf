import Foundation
import Testing

extension EndToEnd {
    /// What rules, and not lists, say about files and places: by whatever name these are found.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct RuledNamesTests {
        private static let python = Built.installed("python3")

        /// Each works natively, and leads to nothing inside.
        @Test(
            arguments: [
                "cat read", "cat links/read", "ln read other && cat other", "mv read other && cat other", "rm read && cat links/read",
                "echo own > own && mv own read && cat links/read",
                "mv ../vault moved && cat moved/read",
                "echo new > written", "echo new > links/written", "ln written other && echo new > other",
                "mv written other && echo new > other",
                "echo new > own && mv own written", "echo new > own && ln -f own written", "rm deletable",
                "echo new > own && mv own deletable",
            ], Account.all)
        func filesByOtherNames(_ command: String, account: Account) throws {
            let world = try prepared(account)
            let script = ["sh", "-c", replaced(command, world)]
            #expect(try state(of: world, after: world.native(script)) != "SECRET old there", "natively")
            let inside = try prepared(account)
            let profile = try inside.rules(
                """
                { name: no-reading, intent: file.read, when: { path: "\(inside.root)/vault/read" }, decide: deny }
                { name: no-writing, intent: file.write, when: { path: "\(inside.root)/vault/written" }, decide: deny }
                { name: no-deleting, intent: file.delete, when: { path: "\(inside.root)/vault/delet*" }, decide: deny }
                """)
            let outcome = try inside.sandboxed(["sh", "-c", replaced(command, inside)], profile: profile)
            #expect(outcome.code != 0 && !outcome.out.contains("SECRET"), "\(outcome)")
            #expect(try state(of: inside, after: outcome) == "SECRET old there", "\(outcome)")
        }

        /// By a pattern with a wildcard within, by a link that brings another folder in, and programs that are never to start: each says
        /// SECRET natively.
        @Test(
            arguments: [
                "mv ../vault own && cat own/inner/secret", "mv ../vault/inner own && cat own/secret", "./linked SECRET",
                "cp ../vault/program own && ./own SECRET", "ln ../vault/program own && ./own SECRET",
                "mv ../vault/program own && ./own SECRET", "mv ../vault own && own/program SECRET",
                "mkdir own && ln -s own hooks && echo SECRET > hooks/new && cat hooks/new",
                "mkdir own && ln -s own other && mv other hooks && echo SECRET > hooks/new && cat hooks/new",
            ], Account.all)
        func placesAndPrograms(_ command: String, account: Account) throws {
            func prepared() throws -> World {
                let world = try World(account), program = world.root + "/vault/program"
                try FileManager.default.copyItem(atPath: "/bin/echo", toPath: program)
                chmod(program, 0o755)
                link(program, world.work + "/linked")
                if account == .ordinary { chown(program, Account.uid, Account.uid) }
                return world
            }
            #expect(try prepared().native(["sh", "-c", command]).out.contains("SECRET"))
            let world = try prepared()
            let profile = try world.rules(
                """
                { name: no-reading, intent: file.read, when: { path: "\(world.root)/*/inner/sec*" }, decide: deny }
                { name: no-starting, intent: proc.exec, when: { program: "\(world.root)/vault/program" }, decide: deny }
                { name: no-hooks, intent: file.write, when: { path: "${workspace}/hooks/*" }, decide: deny }
                """)
            let outcome = try world.sandboxed(["sh", "-c", command], profile: profile)
            #expect(![0, 125].contains(outcome.code) && !outcome.out.contains("SECRET"), "\(outcome)")
        }

        /// Of names that are the same to all rules one is looked at, of others each.
        @Test(arguments: Account.all) func manyNames(account: Account) throws {
            let world = try prepared(account)
            for i in 0..<300 { link(world.root + "/vault/read", world.root + "/vault/open-\(i)") }
            for name in ["shut", "shut-too"] { link(world.root + "/vault/written", world.root + "/vault/" + name) }
            let rule = """
                { name: shut, intent: file.read, when: { path: "\(world.root)/vault/*", path_not: ["**/open-*", "**/read", "**/written"] }, decide: deny }
                """
            let profile = try world.rules(rule)
            #expect(try world.sandboxed(["cat", "../links/read"], profile: profile).out == "SECRET")
            #expect(try world.sandboxed(["cat", "../links/written"], profile: profile).out.isEmpty)
        }

        /// What no rule is about goes on as ever.
        @Test(arguments: Account.all) func othersMove(account: Account) throws {
            let world = try prepared(account)
            let profile = try world.rules(
                """
                { name: no-reading, intent: file.read, when: { path: "\(world.root)/vault/read" }, decide: deny }
                { name: workspace-alone, intent: file.write, when: { path: "\(world.root)/**", path_not: "${workspace}/**" }, decide: deny }
                { name: not-by-nobody, intent: file.write, when: { path: "${workspace}/**", program: nobody }, decide: deny }
                """)
            let script =
                "ln -s a s && mv s t && echo a > a && mv a b && ln b c && mkdir d && mv b c d && mv d e && mv e/b e/x && cat e/x && ! mv e/x ../vault/x"
            let outcome = try world.sandboxed(["sh", "-c", script], profile: profile)
            #expect(outcome.code == 0 && outcome.out == "a\n", "\(outcome)")
        }

        /// bind(2) makes a file; a name by the caller's own descriptor is as good as another.
        @Test(.enabled(if: python), arguments: Account.all) func socketsAreFiles(account: Account) throws {
            let world = try World(account)
            let profile = try world.rules(
                "{ name: no-making, intent: file.create, when: { path: \"\(world.root)/vault/**\" }, decide: deny }")
            func bound(_ name: String, _ run: ([String]) throws -> Outcome) throws -> Outcome {
                let script = "import os, socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[2] % os.open(sys.argv[1], os.O_PATH))"
                return try run(["python3", "-c", script, world.root + "/vault/sockets", name])
            }
            for (i, name) in [world.root + "/vault/sockets/a%.0d", "../vault/b%.0d", "/proc/self/fd/%d/c", "/dev/fd/%d/d"].enumerated() {
                let outcome = try bound(name) { try world.sandboxed($0, profile: profile) }
                #expect(outcome.code != 0 && outcome.err.contains("Permission"), "\(name): \(outcome)")
                #expect(try bound(name) { try world.native($0) }.code == 0)
                #expect(try bound(name + "\(i)") { try world.sandboxed($0, profile: world.permissive()) }.code == 0, "\(name)")
            }
        }

        /// A socket that was found by a name that is no more, and has another.
        @Test(.enabled(if: python), arguments: [false, true], Account.all) func namesThatAreGone(ruled: Bool, account: Account) throws {
            let world = try World(account), socket = world.root + "/vault/sockets/socket"
            let server = try world.start([world.guest, "serve", "unix", "SECRET", socket])
            #expect(server.line()?.hasPrefix("ready") == true)
            defer {
                server.closeInput()
                _ = server.finish(within: 5)
            }
            let profile =
                try ruled
                ? world.rules(
                    "{ name: not-there, intent: net.local_socket, when: { path: \"\(world.root)/vault/sockets/*\" }, decide: deny }")
                : world.profile(
                    "no-socket",
                    "mode: enforce\nfiles: { default: allow }\nexec: { default: allow }\n"
                        + "network: { default: allow, deny: [\"unix:\(socket)\"] }")
            let script = """
                import os, socket, sys
                def ask(name):
                    s = socket.socket(socket.AF_UNIX)
                    try: s.connect(name); print(s.recv(6).decode())
                    except OSError as e: print(e.strerror)
                held = os.open("alias", os.O_PATH)
                ask("alias")
                for take in (lambda: os.rename("own", "alias"), lambda: os.unlink("alias")):
                    try: take()
                    except OSError as e: print(e.strerror)
                ask(f"/proc/self/fd/{held}")
                try: os.rename("../vault/sockets", "sockets"); ask("sockets/socket"); os.rename("sockets", "../vault/sockets")
                except OSError as e: print(e.strerror)
                """
            func run(_ body: ([String]) throws -> Outcome) throws -> Outcome {
                link(socket, world.work + "/alias")
                try "".write(toFile: world.work + "/own", atomically: false, encoding: .utf8)
                if account == .ordinary { chown(world.work + "/own", Account.uid, Account.uid) }
                return try body(["python3", "-c", script])
            }
            let inside = try run { try world.sandboxed($0, profile: profile) }
            #expect(inside.code == 0 && !inside.out.contains("SECRET") && inside.out.contains("Permission denied"), "\(inside)")
            #expect(try run { try world.native($0) }.out == "SECRET\nSECRET\nSECRET\n")
        }

        /// A denial of loopback holds for all that leads there, and one of name services for each of them.
        @Test(.enabled(if: python), arguments: Account.all) func placesByOtherAddresses(account: Account) throws {
            let world = try World(account)
            let server = try world.start([world.guest, "serve-everywhere"])
            defer {
                server.closeInput()
                _ = server.finish(within: 5)
            }
            let profile = try world.rules(
                """
                { name: not-here, intent: net.connect, when: { host: 127.0.0.1, port: 9 }, decide: deny }
                { name: no-names, intent: net.dns, decide: deny }
                """)
            let script = """
                import socket
                for to in (("127.0.0.1", 9), ("127.0.0.2", 9), ("::1", 9), ("::ffff:127.0.0.3", 9), ("224.0.0.1", 9), ("127.0.0.1", 53),
                           ("127.0.0.1", 10)):
                    s = socket.socket(socket.AF_INET6 if ":" in to[0] else socket.AF_INET, socket.SOCK_DGRAM)
                    try: s.connect(to); print("reached")
                    except PermissionError: print("refused")
                    except OSError: print("nowhere")
                """
            let native = try world.native(["python3", "-c", script]),
                inside = try world.sandboxed(["python3", "-c", script], profile: profile)
            #expect(native.out.hasPrefix("reached") && native.out.hasSuffix("reached\nreached\n"), "\(native)")
            #expect(inside.out == String(repeating: "refused\n", count: 6) + "reached\n", "\(inside)")
        }

        private func prepared(_ account: Account) throws -> World {
            let world = try World(account), vault = world.root + "/vault"
            let files = ["read": "SECRET", "written": "old", "deletable": "there"]
            mkdir(world.root + "/links", 0o755)
            for (name, text) in files {
                try text.write(toFile: vault + "/" + name, atomically: false, encoding: .utf8)
                if name != "deletable" { link(vault + "/" + name, world.root + "/links/" + name) }
            }
            if account == .ordinary {
                for name in files.keys.map({ "vault/" + $0 }) + ["links"] {
                    chown(world.root + "/" + name, Account.uid, Account.uid)
                }
            }
            return world
        }

        private func replaced(_ command: String, _ world: World) -> String {
            command.split(separator: " ").map { word in
                ["read", "written", "deletable"].contains(word)
                    ? world.root + "/vault/" + word : word.hasPrefix("links/") ? world.root + "/" + word : String(word)
            }.joined(separator: " ")
        }

        /// As somebody outside finds it.
        private func state(of world: World, after outcome: Outcome) throws -> String {
            func text(_ name: String) -> String { (try? String(contentsOfFile: world.root + "/vault/" + name, encoding: .utf8)) ?? "none" }
            if outcome.out.contains("SECRET") { return "read" }
            return "\(text("read")) \(text("written")) \(text("deletable"))"
        }
    }
}
