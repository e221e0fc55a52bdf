import Testing
import SandboxModel
@testable import SandboxPolicy

/// Random profiles over a small alphabet, so that patterns meet often, judged both ways.
@Suite(.timeLimit(.minutes(2))) struct Differential {
    static let parts = ["a", "b", "ab", "bin", "ba", "*", "a*", "*b", "?", "[ab]", "a?", "*a*", "**", "**", "[!a]*", "{a,b}", "a*b"]

    static func pattern(_ random: inout Seeded) -> String {
        let count = Int.random(in: 1...5, using: &random)
        return "/" + (0..<count).map { _ in parts.randomElement(using: &random)! }.joined(separator: "/")
    }

    static func list(_ random: inout Seeded, _ most: Int) -> String {
        "[" + (0..<Int.random(in: 0...most, using: &random)).map { _ in "\"\(pattern(&random))\"" }.joined(separator: ", ") + "]"
    }

    static func path(_ random: inout Seeded) -> String {
        let names = ["a", "b", "ab", "ba", "bin", "aab", "abb", "c", "aa"]
        return "/" + (0..<Int.random(in: 1...7, using: &random)).map { _ in names.randomElement(using: &random)! }.joined(separator: "/")
    }

    @Test func fastEqualsNaive() throws {
        var random = Seeded(state: 20_261_121)
        var decided: [String: Int] = [:]
        for _ in 0..<400 {
            let text = """
                version: 1
                name: p
                files:
                  default: \(Bool.random(using: &random) ? "allow" : "deny")
                  read: \(Self.list(&random, 8))
                  write: \(Self.list(&random, 8))
                  deny: \(Self.list(&random, 3))
                exec: { deny: [\(["a", "\"b*\"", "/a/bin/*", "\"**/b/c\""].randomElement(using: &random)!)] }
                """
            // Entries that a deny covers are refused, rightly; they are not the subject here.
            guard let profile = try? load(text) else { continue }
            let fast = try Policy.compile(profile: profile, variables: variables())
            let naive = NaiveEvaluator(body: profile.body)
            for _ in 0..<150 {
                let path = Self.path(&random)
                let access: FileAccess = Bool.random(using: &random) ? .read : .write
                let expected = naive.judge(file: path, access: access)
                let got = fast.file(path, access)
                #expect(got == expected, "\(path) under\n\(text)")
                decided[String(expected.prefix { $0 != "[" }), default: 0] += 1
            }
        }
        // The test is worth something only where all ways to decide occurred.
        for kind in [
            "deny files.deny", "deny exec.deny", "allow files.write", "allow files.read", "deny files.default", "allow files.default",
        ] {
            #expect(decided[kind, default: 0] > 500, "\(kind): \(decided)")
        }
    }

    /// Whatever a move of a folder is allowed to do to one file in it, the file's own rules allow as well.
    @Test func movesTakeNothingOutOfReach() throws {
        var random = Seeded(state: 7)
        for _ in 0..<300 {
            let text = "version: 1\nname: p\nfiles:\n  write: [\"/**\"]\n  deny: \(Self.list(&random, 3))\n"
            guard let profile = try? load(text) else { continue }
            let fast = try Policy.compile(profile: profile, variables: variables())
            for _ in 0..<60 {
                let from = Self.path(&random), to = Self.path(&random) + "/moved", inside = Self.path(&random)
                guard fast.move(from).hasPrefix("allow"), fast.file(from + inside).hasPrefix("deny") else { continue }
                #expect(fast.file(to + inside).hasPrefix("deny"), "\(from) → \(to), \(inside) under\n\(text)")
            }
        }
    }

    @Test func manyStatesAtOnce() throws {
        let globs = (1...200).map { "\"/**/" + String(repeating: "?", count: $0 % 20) + "a*/**/x\($0)\"" }.joined(separator: ", ")
        let policy = try policy("files: { read: [\(globs)] }")
        #expect(policy.file("/" + String(repeating: "a", count: 30) + "/q/r/x137") == "allow files.read[136]")
        #expect(policy.file("/" + String(repeating: "a", count: 30) + "/q/r/x237") == "deny files.default")
    }
}
