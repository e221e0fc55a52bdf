import Foundation
import Testing

extension EndToEnd {
    /// `proc.exec_downloaded`: what came from the network does not run where a rule says so, by whatever hands it went.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox) && Built.installed("python3", "curl", "tar"))) struct DownloadTests {
        /// An HTTP server outside the session, on a port of its own.
        private final class Server {
            private let running: Running
            let address: String

            init(_ world: World) throws {
                let folder = world.root + "/served"
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                chmod(folder, 0o777)
                let made = try world.native([
                    "sh", "-c",
                    "cd '\(folder)' && printf '#!/bin/sh\\necho ran\\n' > tool && chmod 755 tool && tar cf a.tar tool && echo 'print(\"ran\")' > tool.py",
                ])
                #expect(made.code == 0, "\(made)")
                let script = """
                    import functools, http.server, sys, threading
                    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
                    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
                    print(server.server_port, flush=True)
                    threading.Thread(target=server.serve_forever, daemon=True).start()
                    sys.stdin.read()
                    """
                running = try world.start(["python3", "-c", script, folder])
                address = "127.0.0.1:\(running.line() ?? "")"
            }
            deinit {
                running.closeInput()
                _ = running.finish(within: 20)
            }
        }

        private func profile(_ world: World, when condition: String = "", mode: String = "enforce") throws -> String {
            try world.profile(
                "no-downloads",
                """
                mode: \(mode)
                files: { default: allow }
                exec: { default: allow }
                network: { default: allow }
                rules:
                  - { name: no-downloads, intent: proc.exec_downloaded, \(condition)decide: deny, reason: install it }
                """)
        }

        static let downloads = [
            "curl -so x $U/tool; chmod +x x; ./x", "curl -s $U/tool > x; chmod +x x; ./x", "curl -s $U/tool | cat > x; chmod +x x; ./x",
            "curl -s $U/tool | tee y > x; chmod +x y; ./y", "exec 3> x; curl -s $U/tool >&3; exec 3>&-; chmod +x x; ./x",
            "curl -so x $U/tool; mv x y; chmod +x y; ./y", "curl -so x $U/tool; ln x y; chmod +x y; ./y",
            "curl -so x $U/tool; cp x y; chmod +x y; ./y", "curl -so a $U/a.tar; tar xf a; ./tool", "curl -s $U/a.tar | tar x; ./tool",
            "mkfifo p; curl -s $U/tool > p & cat p > x; chmod +x x; ./x", "curl -so x $U/tool; chmod +x x; ln -s x z; ./z",
            "python3 -c 'import sys, urllib.request as u; f = open(\"x\", \"wb\"); f.write(u.urlopen(sys.argv[1]).read())' http://$U/tool; chmod +x x; ./x",
            "curl -s $U/tool | sh", "curl -s $U/tool | cat | tee y | sh", "curl -so x $U/tool; sh x", "curl -so x $U/tool; sh < x",
            "curl -so x $U/tool.py; python3 x", "curl -s $U/tool.py | python3 -", "bash -c 'bash <(curl -s $0/tool)' $U",
            "curl -so x $U/tool; chmod +x x; env ./x",
            "curl -so x $U/tool; cat $(yes /dev/null | head -n 300) x > y; chmod +x y; ./y",
            "bash -c 'exec 3<>/dev/tcp/${0%:*}/${0#*:}; printf \"GET /tool HTTP/1.0\\r\\n\\r\\n\" >&3; sed \"1,/^.$/d\" <&3 > x' $U; chmod +x x; ./x",
            // More names than are looked at: from where is not known.
            "curl -so x $U/tool; cat $(yes /dev/null | head -n 5000) x > y; chmod +x y; ./y",
        ]

        /// Each in a folder of its own, with `N ran` where it did. Nobody's outer shell is connected.
        private func script(_ cases: [String], _ server: Server) -> String {
            cases.enumerated().map { i, text in
                "mkdir d\(i); (cd d\(i); \(text.replacingOccurrences(of: "$U", with: server.address))) > out\(i); sed 's/^/\(i) /' out\(i)\n"
            }.joined()
        }

        private func ran(_ outcome: Outcome) -> Set<Int> {
            Set(outcome.out.split(separator: "\n").filter { $0.hasSuffix(" ran") }.compactMap { Int($0.split(separator: " ")[0]) })
        }

        @Test(arguments: Account.all) func doNotRun(account: Account) throws {
            let world = try World(account), server = try Server(world), all = Set(Self.downloads.indices)
            let command = ["sh", "-c", script(Self.downloads, server)], clean = ["sh", "-c", "rm -rf d* out*"]
            if account == .own {
                #expect(ran(try world.native(command)) == all)
                _ = try world.native(clean)
            }
            let outcome = try world.sandboxed(command, profile: try profile(world))
            #expect(ran(outcome).isEmpty, "\(ran(outcome).sorted().map { Self.downloads[$0] }): \(outcome)")
            let denied = try world.events("--decision", "deny").filter { $0.intents.contains("proc.exec_downloaded") }
            #expect(denied.count >= Self.downloads.count && denied.contains { $0.operation == "exec" }, "\(denied.count)")
            guard account == .own else { return }
            _ = try world.native(clean)
            // Where the rule is about other hosts it says nothing, as long as it is known where everything came from.
            let elsewhere = try world.sandboxed(command, profile: try profile(world, when: "when: { host_not: [\"127.0.0.1\"] }, "))
            let known = all.subtracting([all.count - 1])
            #expect(ran(elsewhere) == known, "\(known.symmetricDifference(ran(elsewhere)).map { Self.downloads[$0] }): \(elsewhere)")
        }

        /// What a program writes itself is not downloaded because another one talks to the network.
        static let others = [
            "printf '#!/bin/sh\\necho ran\\n' > x; chmod +x x; ./x",
            "curl -s $U/tool > /dev/null; printf '#!/bin/sh\\necho ran\\n' > x; chmod +x x; ./x",
            "curl -so data $U/tool; printf '#!/bin/sh\\necho ran\\n' > x; chmod +x x; ./x", "curl -s $U/tool | wc -c > n; sh -c 'echo ran'",
            "curl -so x $U/tool; cat x > /dev/null; cp /bin/echo e; ./e ran", "curl -s $U/tool & wait; sh -c 'echo ran'",
            "curl -so d $U/tool; python3 -c 'print(\"ran\")' d", "curl -so d $U/tool; echo 'print(\"ran\")' > x; python3 x d",
            "curl -s $U/tool | python3 -c 'import sys; sys.stdin.read(); print(\"ran\")'", "curl -s $U/tool | sh -c 'cat > d; echo ran'",
            "curl -so x $U/tool; rm x; printf '#!/bin/sh\\necho ran\\n' > x; chmod +x x; ./x", "echo 'echo ran' | sh",
            // What was made before, by a program that has ended.
            "printf '#!/bin/sh\\necho ran\\n' > s; cat s > y; curl -so s $U/tool; chmod +x y; ./y",
        ]

        @Test(arguments: Account.all) func othersRun(account: Account) throws {
            let world = try World(account), server = try Server(world)
            let outcome = try world.sandboxed(["sh", "-c", script(Self.others, server)], profile: try profile(world))
            let missing = Set(Self.others.indices).subtracting(ran(outcome))
            #expect(missing.isEmpty, "\(missing.map { Self.others[$0] }): \(outcome)")
        }

        @Test func observed() throws {
            let world = try World(), server = try Server(world)
            let script = "curl -so x \(server.address)/tool; chmod +x x; ./x; curl -s \(server.address)/tool | sh"
            let outcome = try world.sandboxed(["sh", "-c", script], profile: try profile(world, mode: "observe"))
            #expect(outcome.out == "ran\nran\n", "\(outcome)")
            let told = try world.events("--decision", "deny").filter { $0.intents.contains("proc.exec_downloaded") }
            #expect(told.count >= 2, "\(told)")
        }
    }
}
