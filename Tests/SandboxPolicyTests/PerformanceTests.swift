import Foundation
import SandboxModel
import Testing
@testable import SandboxPolicy

/// Numbers, not verdicts: `SANDBOX_BENCH=1 swift test -c release -Xswiftc -enable-testing --filter Performance`.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["SANDBOX_BENCH"] != nil), .serialized) struct Performance {
    static let paths = [
        "/usr/lib/x86_64-linux-gnu/libc.so.6", "/home/u/w/Sources/SandboxPolicy/Decide/PathTable.swift",
        "/etc/ssl/certs/ca-certificates.crt",
        "/home/u/w/node_modules/react-dom/cjs/react-dom.development.js", "/tmp/s1/cc12345.o", "/home/u/.ssh/id_ed25519",
    ].map { Array($0.utf8) }

    static func rules(_ count: Int) -> String {
        let denies = (0..<count).map { i in
            switch i % 5 {
            case 0: "\"/data/project\(i)/**\""
            case 1: "\"**/secret\(i).pem\""
            case 2: "\"/home/u/w/node_modules/pkg\(i)*/**\""
            case 3: "\"**/*.ext\(i)\""
            default: "\"/home/u/w/**/gen\(i)/*.swift\""
            }
        }
        return
            "files: { default: deny, read: [\"/usr/**\", \"/etc/**\", \"/lib*/**\"], write: [\"${workspace}/**\", \"/tmp/**\"], deny: [\(denies.joined(separator: ", "))] }"
    }

    func measure(_ what: String, _ policy: Policy, _ paths: [[UInt8]] = paths) {
        let rounds = 300_000
        var allowed = 0
        var best = Double.infinity
        for _ in 0..<5 {
            let took = ContinuousClock().measure {
                for path in paths {
                    for _ in 0..<rounds / paths.count {
                        let ruling = policy.judge(file: path.span, access: .read)
                        if ruling.decision == .allow { allowed += 1 }
                    }
                }
            }
            best = min(
                best, Double(took.components.attoseconds) / 1e9 / Double(rounds) + Double(took.components.seconds) * 1e9 / Double(rounds))
        }
        print("bench: \(what): \(best.rounded()) ns per judge(file:), \(policy.rules.count) rules [\(allowed)]")
    }

    @Test func judging() throws {
        for count in [10, 100, 1000, 8000] { measure("\(count) denials", try policy(Self.rules(count))) }
        measure("coding-agent", try Shipped.policy("coding-agent"))
        measure(
            "coding-agent, long path", try Shipped.policy("coding-agent"),
            [Array(("/home/u/w" + String(repeating: "/abcdefgh", count: 20)).utf8)])
        let source = ProfileSource(bytes: try Shipped.bytes("coding-agent"), file: "coding-agent.yaml")
        let lookup = try Shipped.lookup()
        print(
            "bench: load and compile coding-agent: \(try ContinuousClock().measure { _ = try Policy.compile(profile: ProfileLoader.load(source, lookup: lookup), variables: variables()) })"
        )
        let big = "version: 1\nname: p\n" + Self.rules(8000)
        print("bench: load 8000 rules: \(try ContinuousClock().measure { _ = try load(big) })")
    }
}

/// The same for rules with names.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["SANDBOX_BENCH"] != nil), .serialized) struct RulePerformance {
    static func rules(_ count: Int) -> String {
        "rules:\n"
            + (0..<count).map { i in
                let when =
                    switch i % 6 {
                    case 0: "path: \"/data/project\(i)/**\""
                    case 1: "path: \"**/secret\(i).pem\""
                    case 2: "host: h\(i % 200).example.org"
                    case 3: "table: s.t\(i)"
                    case 4: "program: tool\(i)"
                    default: "args: \"--flag\(i)\""
                    }
                let intent = ["file.delete", "file", "net", "sql", "git.push", "proc"][i % 6]
                return "  - { name: r\(i), intent: \(intent), when: { \(when) }, decide: deny }\n"
            }.joined()
    }

    @Test func deciding() throws {
        let delete = facts(.delete, [.fileDelete]) { $0.path = Array("/home/u/w/node_modules/react-dom/cjs/react-dom.development.js".utf8) }
        let exec = facts(.exec, [.procExec, .gitPush]) {
            $0.program = Array("/usr/bin/git".utf8)
            $0.arguments = bytes("git", "push", "--force", "origin", "main")
        }
        let connect = facts(.connect, [.netConnect, .netEgress]) { $0.destinations = [.init(names: ["h8.example"], port: 443)] }
        for count in [10, 100, 1000] {
            let policy = try policy(Self.rules(count))
            for (name, facts) in [("delete", delete), ("exec", exec), ("connect", connect)] {
                let rounds = 100_000
                let took = ContinuousClock().measure { for _ in 0..<rounds { _ = policy.decide(facts, counters: nil) } }
                print("bench: \(count) rules, \(name): \(Int(Double(took.components.attoseconds) / 1e9 / Double(rounds))) ns per decide")
            }
        }
    }
}
