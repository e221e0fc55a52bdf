import SandboxModel
import SandboxYAML
import Testing
@testable import SandboxPolicy

/// What is made of names and paths when a profile is learned.
@Suite struct LearnTests {
    @Test(arguments: [
        // Versions, numbers and dates.
        ("python3.11", "python3.*"), ("libpython3.11.so.1.0", "libpython3.*.so.*"), ("serde-1.0.193", "serde-*"), ("gcc-12", "gcc-*"),
        ("v1.2.3", "v*.*"), ("3.11.7rc1", "*"), ("12", "*"), ("2026-11-26.log", "*.log"),
        ("2026-11-26T21_27_24_591Z-debug-0.log", "*-debug-*.log"), ("20261126T212724Z", "*"), ("a-2026-11-26T21:27:24Z.gz", "a-*.gz"),
        ("os.cpython-311.pyc", "os.cpython-*.pyc"),
        ("go-build3141592653", "go-build*"), ("1234567", "*"),
        // Hashes.
        ("b983be36b73c0788dc9cbcb76cbb80fc7bb057", "*"), ("index.crates.io-6f17d22bba15001f", "index.crates.io-*"),
        ("0b1f4c2e-9d7a-4f63-8a4e-2b6c1d0e9f87", "*"), ("pack-3f2a9c1.idx", "pack-*.idx"),
        // What programs make up for a moment.
        ("tmpk_jx9dqe", "tmp*"), ("tmp2goq1pza.py", "tmp*.py"), ("ccvhN0mM.s", "cc*.s"), ("ccm8vOHx.cdtor.c", "cc*.cdtor.c"),
        ("tmp.AbC1dEf2gH", "tmp.*"), ("tmp_obj_ShKjxI", "tmp_obj_*"), ("sh-thd.x9Qz2L", "sh-thd.*"),
        // What somebody has thought of.
        ("main.c", "main.c"), ("x86_64-linux-gnu", "x86_64-linux-gnu"), ("Makefile", "Makefile"), ("README.md", "README.md"),
        ("python3", "python3"),
        ("lib64", "lib64"), ("sha256", "sha256"), ("MyFileName.swift", "MyFileName.swift"), ("deadbeef", "deadbeef"),
        ("tmpfile", "tmpfile"),
        ("ccache", "ccache"), ("report2024.pdf", "report2024.pdf"), ("man1", "man1"), (".gitconfig", ".gitconfig"), ("ubuntu", "ubuntu"),
        // What a pattern would take for its own.
        ("a*b", "a\\*b"), ("{x}", "\\{x\\}"), ("what?", "what\\?"), ("$HOME", "\\$HOME"), ("[1]", "\\[*]"), ("a\\b", "a\\\\b"),
    ])
    func shapes(name: String, pattern: String) { #expect(NameShape.pattern(Array(name.utf8)) == pattern) }

    private static let places = Places(home: Array("/home/u".utf8), workspace: Array("/home/u/src/w".utf8), tmp: Array("/tmp/s1".utf8))

    private static func lines(_ paths: [String], made: Set<String> = [], places: Places = LearnTests.places, programs: Bool = false)
        -> [String]
    {
        let tree = PathTree(above: places.above, isForPrograms: programs)
        for path in paths { tree.add(Array(path.utf8), in: places, 1, by: "p", isMade: made.contains(path)) }
        return tree.lines.map(\.text)
    }

    private static func many(_ folder: String, _ names: String...) -> [String] { names.map { "\(folder)/\($0)" } }

    @Test(arguments: [
        // A few are named, enough become a glob, with their ending where they share one.
        (many("/home/u/src/w", "a.c", "b.c", "c.c"), ["${workspace}/a.c", "${workspace}/b.c", "${workspace}/c.c"]),
        (many("/home/u/src/w", "a.c", "b.c", "c.c", "d.c"), ["${workspace}/*.c"]),
        (many("/home/u/src/w", "a.c", "b.c", "c.c", "d.h"), ["${workspace}/*"]),
        (many("/home/u/src/w/s", "a/x", "b/x", "c/x", "d/x"), ["${workspace}/s/**"]),
        (many("/home/u/src/w", "s", "s/a/x", "s/b/x", "s/c/x", "s/d/x"), ["${workspace}/s/**"]),
        (["/home/u/src/w", "/home/u/src/w/a"], ["${workspace}", "${workspace}/a"]),
        // Never the home, what everybody keeps his things in, or the root.
        (many("/home/u", "a", "b", "c", "d"), ["~/a", "~/b", "~/c", "~/d"]),
        (many("/home/u", ".a/x", ".b/x", ".c/x", ".d/x"), ["~/.a/x", "~/.b/x", "~/.c/x", "~/.d/x"]),
        (many("/home/u/.config", "a/x", "b/x", "c/x", "d/x"), ["~/.config/a/x", "~/.config/b/x", "~/.config/c/x", "~/.config/d/x"]),
        (many("/home/u/.config/a", "w", "x", "y", "z"), ["~/.config/a/*"]),
        (many("/home/u/Documents", "a", "b", "c", "d"), ["~/Documents/a", "~/Documents/b", "~/Documents/c", "~/Documents/d"]),
        (many("/home/v", "a", "b", "c", "d"), ["/home/v/a", "/home/v/b", "/home/v/c", "/home/v/d"]),
        (many("", "a", "b", "c", "d"), ["/a", "/b", "/c", "/d"]),
        (many("/etc", "a", "b", "c", "d"), ["/etc/a", "/etc/b", "/etc/c", "/etc/d"]),
        (many("/data", "a", "b", "c", "d"), ["/data/*"]),
        (many("/var/lib/x", "a", "b", "c", "d"), ["/var/lib/x/*"]),
        (many("/var/lib", "a", "b", "c", "d"), ["/var/lib/a", "/var/lib/b", "/var/lib/c", "/var/lib/d"]),
        (many("/tmp", "a", "b", "c", "d"), ["/tmp/a", "/tmp/b", "/tmp/c", "/tmp/d"]),
        (["/tmp/x9Qz2LaB"], ["/tmp/x9Qz2LaB"]),
        (["/home/u/1234567"], ["~/1234567"]),
        // Never across the border of the workspace.
        (many("/home/u/src", "a", "b", "c", "d"), ["~/src/a", "~/src/b", "~/src/c", "~/src/d"]),
        (many("/home/u/src", "v/a", "x/a", "y/a", "z/a", "w/a"), ["~/src/v/a", "~/src/x/a", "~/src/y/a", "~/src/z/a", "${workspace}/a"]),
        // Versions and hashes make one of many.
        (["/home/u/.x/lib-1.2/a", "/home/u/.x/lib-1.3/a"], ["~/.x/lib-*/a"]),
        (["/home/u/.rustup/3f2a9c1b7d/a"], ["~/.rustup/*/a"]),
        // The session's own folder is its own.
        (["/tmp/s1/a"], ["${tmp}/**"]),
    ])
    func patterns(paths: [String], lines: [String]) {
        #expect(Self.lines(paths) == lines)
        // In whatever order.
        #expect(Self.lines(paths.reversed()) == lines)
    }

    /// What the session has made is its own with all that is in it; what it found there is not.
    @Test func made() {
        let paths = ["/home/u/src/w/.git", "/home/u/src/w/.git/HEAD", "/home/u/src/w/.git/refs/a"]
        #expect(Self.lines(paths, made: ["/home/u/src/w/.git"]) == ["${workspace}/.git/**"])
        #expect(Self.lines(paths).count == 3)
        #expect(Self.lines(["/tmp/tmpa1b2c3d4", "/tmp/tmpa1b2c3d4/x"], made: ["/tmp/tmpa1b2c3d4"]) == ["/tmp/tmp*/**"])
        // Not where that would reach another place.
        #expect(Self.lines(["/home/u/src", "/home/u/src/x"], made: ["/home/u/src"]) == ["~/src", "~/src/x"])
    }

    @Test func programs() {
        let tools = Self.many("/usr/bin", "a", "b", "c", "d") + Self.many("/usr/local/bin", "a", "b", "c", "d")
        #expect(Self.lines(tools, programs: true).count == 8)
        #expect(Self.lines(Self.many("/usr/lib/git-core", "a", "b", "c", "d"), programs: true) == ["/usr/lib/git-core/*"])
        #expect(Self.lines(["/usr/lib/gcc/x86_64-linux-gnu/12/cc1"], programs: true) == ["/usr/lib/gcc/x86_64-linux-gnu/*/cc1"])
    }

    /// A workspace that is the home is the home; a name beside the workspace that looks like it is another.
    @Test func borders() {
        let home = Places(home: Array("/home/u".utf8), workspace: Array("/home/u".utf8), tmp: Array("/tmp/s1".utf8))
        #expect(Self.lines(Self.many("/home/u", "a", "b", "c", "d"), places: home).allSatisfy { $0.hasPrefix("~/") && !$0.contains("*") })
        let all = Places(home: Array("/home/u".utf8), workspace: Array("/".utf8), tmp: Array("/tmp/s1".utf8))
        #expect(Self.lines(Self.many("", "a", "b", "c", "d"), places: all) == ["/a", "/b", "/c", "/d"])
        let numbered = Places(home: Array("/home/u".utf8), workspace: Array("/home/u/run-2/w".utf8), tmp: Array("/tmp/s1".utf8))
        #expect(Self.lines(["/home/u/run-1/a"], places: numbered) == ["~/run-1/a"])
    }

    /// Whatever the names are, what is written is a pattern, and it is met by what it was made of.
    @Test func everyPatternMatchesWhatItStandsFor() throws {
        var random = Seeded(state: 7)
        let letters = Array("ab1*?[]{}\\$.-_,~".utf8) + [0xff, 0xc3, 0x0a]
        for _ in 0..<300 {
            let folder = ["/home/u/src/w", "/home/u", "/data/x", "/tmp", "/home/u/src/w/deep/deeper"].randomElement(using: &random)!
            let paths = (0..<6).map { _ in
                Array(folder.utf8)
                    + (0..<Int.random(in: 1...3, using: &random)).flatMap { _ in
                        [0x2f] + (0..<Int.random(in: 1...9, using: &random)).map { _ in letters.randomElement(using: &random)! }
                    }
            }.filter { path in !path.split(separator: 0x2f).contains { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) } }
            let tree = PathTree(above: Self.places.above)
            for path in paths { tree.add(path, in: Self.places, 1, by: "p") }
            var profile = LearnedProfile(name: "p", extends: "base")
            profile.read = tree.lines.map { LearnedProfile.Entry($0.text, $0.evidence.text(isPattern: $0.isPattern)) }
            let loaded = try load(profile.yaml, ["base": "version: 1\nname: base"])
            let given = PolicyVariables(home: Array("/home/u".utf8), workspace: Array("/home/u/src/w".utf8), tmp: Array("/tmp/s1".utf8))
            let policy = try Policy.compile(profile: loaded, variables: given)
            for path in paths {
                #expect(
                    policy.judge(file: path.span, access: .read).decision == .allow,
                    "\(String(decoding: path, as: UTF8.self)): \(tree.lines)")
            }
            #expect(policy.judge(file: Array("/etc/other".utf8).span, access: .read).decision == .deny)
        }
    }

    @Test func neverOffered() throws {
        let base = try load("version: 1\nname: base\nfiles: { deny: [\"~/.ssh/**\"] }")
        let other = try load(
            "version: 1\nname: other\nfiles: { deny: [\"~/.ssh/**\", \"**/.env\", \"/data/keys/*\"] }\ndata: { pii: { files: [\"${workspace}/people/**\"] } }"
        )
        let never = NeverOffered([base, other])
        for (patterns, reached) in [
            (["${workspace}/**"], ["**/.env", "${workspace}/people/**"]), (["${workspace}/*"], ["**/.env", "${workspace}/people/**"]),
            (["${workspace}/*.c"], []), (["${workspace}/a", "/usr/**"], ["**/.env"]), (["/data/**"], ["**/.env", "/data/keys/*"]),
            (["/data/k*"], []),
            (["~/.ssh/**"], ["**/.env"]),
        ] { #expect(never.reached(by: patterns, besides: base).map(\.text) == reached, "\(patterns)") }
    }

    @Test(arguments: [
        ("when: { program: git }, decide: ask", true), ("when: { args: push }, decide: deny", true),
        ("when: { program_not: git, identity: x }, decide: deny", true), ("when: { program: git, args: push }, decide: ask", true),
        ("intent: git, when: { program: git }, decide: ask", false), ("intent: \"*\", when: { program: git }, decide: ask", false),
        ("when: { program: git, path: /a }, decide: deny", false), ("when: { program: curl, host: a }, decide: deny", false),
        ("when: { identity: x }, decide: deny", false), ("when: { args: x }, decide: rewrite, rewrite: { append: [y] }", false),
    ])
    func rulesWithoutIntent(rule: String, isWarned: Bool) throws {
        let warnings = try load("version: 1\nname: p\nrules: [{ name: r, \(rule) }]").warnings
        #expect(
            warnings.contains { $0.message.contains("has no `intent`") && $0.help?.contains("proc.exec") == true } == isWarned,
            "\(warnings)")
    }
}
