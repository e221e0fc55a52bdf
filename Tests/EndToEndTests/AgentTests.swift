import Foundation
import Testing

/// What an agent tries in one language; `@KEY@`, `@OUT@`, `@SUDO@` stand for the places.
struct Attempt: Sendable, CustomTestStringConvertible {
    let language: String
    let needs: String
    let read: [String]
    let write: [String]
    let connect: [String]
    let start: [String]
    var testDescription: String { language }

    static let all: [Attempt] = [
        Attempt(
            language: "bash", needs: "bash", read: ["bash", "-c", "cat < '@KEY@'"], write: ["bash", "-c", "echo x > '@OUT@'"],
            connect: ["bash", "-c", "exec 3<>/dev/tcp/192.0.2.1/443"], start: ["bash", "-c", "'@SUDO@' true"]),
        Attempt(
            language: "python", needs: "python3", read: ["python3", "-c", "print(open('@KEY@').read())"],
            write: ["python3", "-c", "open('@OUT@', 'w')"],
            connect: ["python3", "-c", "import socket; socket.create_connection(('192.0.2.1', 443), 5)"],
            start: ["python3", "-c", "import subprocess, sys; sys.exit(subprocess.run(['@SUDO@', 'true']).returncode)"]),
        Attempt(
            language: "node", needs: "node", read: ["node", "-e", "console.log(require('fs').readFileSync('@KEY@', 'utf8'))"],
            write: ["node", "-e", "require('fs').writeFileSync('@OUT@', 'x')"],
            connect: ["node", "-e", "require('net').connect(443, '192.0.2.1').on('error', () => process.exit(1))"],
            start: ["node", "-e", "process.exit(require('child_process').spawnSync('@SUDO@', ['true']).status)"]),
    ]
    static var here: [Attempt] { all.filter { Built.installed($0.needs) } }
}

extension EndToEnd {
    /// The shipped profile `coding-agent` against what an agent must not do, in the languages agents use. (C, and threads
    /// that race the memory of the call, are AttackTests.)
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct AgentTests {
        @Test(arguments: Attempt.here, Account.all)
        func isRefusedBeforeItHappens(_ attempt: Attempt, account: Account) throws {
            let world = try World(account)
            let key = world.home + "/.ssh/id_ed25519", out = "/usr/sandbox-outside-\(UInt64.random(in: 0...UInt64.max))",
                sudo = world.work + "/sudo"
            try FileManager.default.createDirectory(atPath: world.home + "/.ssh", withIntermediateDirectories: true)
            try "a private key".write(toFile: key, atomically: false, encoding: .utf8)
            try FileManager.default.copyItem(atPath: "/bin/true", toPath: sudo)
            for path in [world.home + "/.ssh", key, sudo] where account == .ordinary { chown(path, Account.uid, Account.uid) }
            for (words, operation, code) in [
                (attempt.read, "open", nil), (attempt.write, "create", nil), (attempt.connect, "connect", nil),
                (attempt.start, "exec", 126 as Int32?),
            ] {
                let command = words.map {
                    $0.replacingOccurrences(of: "@KEY@", with: key).replacingOccurrences(of: "@OUT@", with: out)
                        .replacingOccurrences(of: "@SUDO@", with: sudo)
                }
                let outcome = try world.sandboxed(command, profile: "coding-agent", within: 60)
                #expect(code.map { outcome.code == $0 } ?? (outcome.code != 0), "\(operation): \(outcome)")
                #expect(!outcome.out.contains("private key"))
                let refused = try world.events("--session", "last", "--decision", "deny").filter { $0.operation == operation }
                #expect(refused.contains { !$0.rules.isEmpty }, "\(operation) is not in the trail with its rule")
            }
            #expect(access(out, F_OK) != 0)
        }
    }

    /// Live sessions over the control socket.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct LiveTests {
        @Test(arguments: Account.all) func seenInspectedAndKilled(account: Account) throws {
            let world = try World(account), marker = "live-\(UInt64.random(in: 0...UInt64.max))"
            let running = try world.start(
                world.sandboxCommand(["sh", "-c", "echo ready; '\(world.guest)' linger \(marker)"], options: ["--name", "nightly"]))
            try #require(running.line() == "ready")
            let listed = try world.native([Built.sandbox, "ps", "--json"])
            let object = try #require(try JSONSerialization.jsonObject(with: Data(listed.out.utf8)) as? [String: Any], "\(listed)")
            #expect(object["name"] as? String == "nightly" && object["profile"] as? String == "observe")
            let inspected = try world.native([Built.sandbox, "inspect", "nightly"])
            #expect(inspected.code == 0 && inspected.out.contains("\"program\""), "\(inspected)")
            #expect(try world.native([Built.sandbox, "kill", ""]).code == 1)
            #expect(try world.native([Built.sandbox, "kill", "nightly"]).code == 0)
            #expect(running.finish(within: 20).code == 125)
            #expect(eventually { processes(carrying: marker).isEmpty })
            #expect(try world.native([Built.sandbox, "ps", "--json"]).out.isEmpty)
            #expect(try world.native([Built.sandbox, "kill", "nightly"]).code == 1)
        }

        /// The socket lies where no supervised program can reach it.
        @Test func outOfReachOfTheSupervised() throws {
            let world = try World()
            let outcome = try world.sandboxed(["sh", "-c", "ls '\(world.state)'; '\(Built.sandbox)' ps"], profile: try world.permissive())
            #expect(!outcome.out.contains("sessions") && !outcome.out.contains("s-0"), "\(outcome)")
        }
    }
}
