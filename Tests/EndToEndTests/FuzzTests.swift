import Foundation
import Testing

extension EndToEnd {
    /// Random system calls, from many processes: the supervisor survives, the session ends, the trail can be read.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct FuzzTests {
        static let calls = Int(ProcessInfo.processInfo.environment["FUZZ_CALLS"] ?? "") ?? 40_000
        static let seeds = (0..<(Int(ProcessInfo.processInfo.environment["FUZZ_SEEDS"] ?? "") ?? 3)).map { UInt64($0) &+ start }
        /// `make test` always makes the same calls.
        private static let start = UInt64(ProcessInfo.processInfo.environment["FUZZ_START"] ?? "") ?? 1

        @Test(arguments: seeds, Account.all) func randomCalls(seed: UInt64, account: Account) throws {
            let world = try World(account)
            // As root a call that is let through may do harm: nothing but the workspace can be written, nowhere can be reached.
            let profile = try world.profile(
                "fuzzed",
                """
                mode: enforce
                files: { default: deny, read: ["/**"], write: ["${workspace}/**"], deny: ["\(world.root)/vault/inner/**"] }
                exec: { default: deny, allow: ["\(world.guest)"] }
                network: { default: deny }
                limits: { processes: 64, memory: 512MiB }
                """)
            let command = [world.guest, "fuzz", "\(seed)", "\(Self.calls)", "8"]
            let outcome = try world.sandboxed(command, profile: profile, options: ["--timeout", "300s"], within: 330)
            // 125 would be the supervisor's own end.
            #expect(outcome.code == 0 && !outcome.late, "seed \(seed): exit \(outcome.code), \(outcome.err.suffix(300))")
            #expect(try String(contentsOfFile: world.secret, encoding: .utf8) == World.secretText)
            let text = try world.native([Built.sandbox, "audit", "show", "last"]).out
            #expect(text.contains("end      exit 0") && !text.contains("cut off"), "seed \(seed): \(text.prefix(600))")
            #expect(try !world.events("--limit", "10").isEmpty)
        }
    }
}
