import Foundation
import Testing
import SandboxModel
import SandboxYAML
@testable import SandboxPolicy

@Suite struct ProfileErrors {
    /// A profile of one section, and what must be said about it. The section begins at line 3.
    @Test(arguments: [
        ("mod: observe", "p.yaml:3:1: error: unknown key `mod` in a profile\n  help: did you mean `mode`?"),
        ("mode: enforced", "p.yaml:3:7: error: bad value `enforced` for `mode`\n  help: did you mean `enforce`?"),
        ("files: { dney: [/x] }", "p.yaml:3:10: error: unknown key `dney` in files\n  help: did you mean `deny`?"),
        ("files: { default: ask }", "p.yaml:3:19: error: bad value `ask` for `files.default`\n  help: one of `allow`, `deny`"),
        ("files: [/x]", "p.yaml:3:8: error: files must be a mapping, not a list\n  help: it holds `default`, `read`, `write`, `deny`"),
        (
            "environment: { set: [A=1] }",
            "p.yaml:3:21: error: environment.set must be a mapping, not a list\n  help: it holds `key: value` pairs"
        ),
        (
            "files: { read: [\"$HOME/x\"] }",
            "p.yaml:3:17: error: unknown variable `$HOME`\n  help: did you mean `${home}`? `~` is the same"
        ),
        ("files: { read: [$workspace/x] }", "p.yaml:3:17: error: unknown variable `$workspace`\n  help: did you mean `${workspace}`?"),
        ("files: { read: /x }", "p.yaml:3:16: error: `files.read` must be a list, not `/x`\n  help: for example `read: [\"…\"]`"),
        ("files: { read: }", "p.yaml:3:16: error: `files.read` must be a list, not nothing\n  help: for example `read: [\"…\"]`"),
        (
            "files: { read: [src] }",
            "p.yaml:3:17: error: `src` can never match: paths are matched whole, from `/`\n  help: did you mean `**/src` or `${workspace}/src`?"
        ),
        ("files: { read: [{ reason: x }] }", "p.yaml:3:17: error: `files.read[0]` has no `path`\n  help: `{ path: …, reason: … }`"),
        (
            "files: { read: [\"~bob/x\"] }",
            "p.yaml:3:17: error: `~` must be followed by `/`\n  help: the homes of others are written out: `/home/name/…`"
        ),
        ("files: { read: [\"/a/[b\"] }", "p.yaml:3:17: error: `[` without its `]`\n  help: write `\\[` for the character itself"),
        ("files: { read: [\"/a/{b\"] }", "p.yaml:3:17: error: `{` without its `}`\n  help: write `\\{` for the character itself"),
        (
            "files: { read: [\"/a/**b\"] }",
            "p.yaml:3:17: error: `**` must stand alone between slashes in `/a/**b`\n  help: use `*` within a name, and `/**` for everything below"
        ),
        ("files: { read: [\"/a//b\"] }", "p.yaml:3:17: error: `/a//b` can never match: it has `//`, and resolved paths have none"),
        (
            "files: { read: [/a/b], deny: [\"/a/**\"] }",
            "p.yaml:3:17: error: `/a/b` in `files.read` can never match: `/a/**` in `files.deny` beats it\n  help: take one of the two out"
        ),
        (
            "files: { write: [/a], deny: [/a] }",
            "p.yaml:3:18: error: `/a` in `files.write` can never match: `/a` in `files.deny` beats it\n  help: take one of the two out"
        ),
        (
            "files: { write: [\"${workspace}/**\"] }\nexec: { deny: [\"${workspace}/**\"] }",
            "p.yaml:3:18: error: `${workspace}/**` in `files.write` can never match: `${workspace}/**` in `exec.deny` beats it\n  help: what may not be run may not be read; to say where programs may be run from, use `exec.allow`"
        ),
        (
            "network: { allow: [\"::1:443\"] }",
            "p.yaml:3:20: error: bad address `::1:443`\n  help: did you mean `[::1]:443`? the address itself is written `[::1:443]`"
        ),
        ("exec: { deny: [\"git push\"] }", "p.yaml:3:16: error: `git push` can never match: a program is named without its arguments"),
        (
            "exec: { deny: [su], allow: [su] }",
            "p.yaml:3:29: error: `su` in `exec.allow` can never match: `exec.deny` has it too, and denies\n  help: take one of the two out"
        ),
        (
            "network: { allow: [\"1.2.3.4:9-1\"] }",
            "p.yaml:3:20: error: `1.2.3.4:9-1` can never match: the port range is empty\n  help: did you mean `1-9`?"
        ),
        (
            "network: { allow: [\"1.2.3.4:99999\"] }",
            "p.yaml:3:20: error: bad port `99999` in `1.2.3.4:99999`\n  help: a number up to 65535, a range such as `8000-8080`, or `*`"
        ),
        ("network: { allow: [\"x:0\"] }", "p.yaml:3:20: error: `x:0` in `network.allow` can never match: nothing is reached at port 0"),
        ("network: { allow: [\"tpc://x:1\"] }", "p.yaml:3:20: error: unknown scheme `tpc://`\n  help: did you mean `tcp`?"),
        (
            "network: { deny: [\"*.x.org\"] }",
            "p.yaml:3:19: error: `*.x.org` cannot be enforced by this version yet\n  help: name each host, or use `default: deny` and list what is allowed"
        ),
        (
            "network: { listen: [\"x.org:1\"] }",
            "p.yaml:3:21: error: `x.org:1` in `network.listen` can never match: one listens on an address of this machine\n  help: for example `127.0.0.1:*`, `localhost:8080` or `*:8080`"
        ),
        ("limits: { memory: 2 }\nlimits: {}", "p.yaml:4:1: error: the key `limits` appears twice\n  help: the first one is at line 3"),
        ("limits: { memory: 2G }", "p.yaml:3:19: error: bad size `2G` for `limits.memory`\n  help: did you mean `2GiB`?"),
        (
            "limits: { time: 5 }",
            "p.yaml:3:17: error: bad duration `5` for `limits.time`\n  help: a number with `s`, `m`, `h` or `d`, such as `10m`"
        ),
        ("limits: { processes: 0 }", "p.yaml:3:22: error: bad number `0` for `limits.processes`\n  help: a whole number from 1 to 4194304"),
        ("audit: { reads: some }", "p.yaml:3:17: error: bad value `some` for `audit.reads`\n  help: one of `all`, `none`"),
        (
            "environment: { keep: [A=b] }",
            "p.yaml:3:23: error: `A=b` can never match: names of variables hold no `=`\n  help: values are given in `environment.set`"
        ),
        ("extends: [bse]", "p.yaml:3:11: error: no profile `bse`\n  help: did you mean `base`?"),
        (
            "description: &a x",
            "p.yaml:3:14: error: anchors (`&name`) are not supported in profiles\n  help: write the value out; text that begins with `&` needs quotes"
        ),
    ])
    func one(_ section: String, _ expected: String) {
        #expect(errors("version: 1\nname: p\n" + section, ["base": "version: 1\nname: base"]) == [expected])
    }

    @Test func allAtOnceInOrder() {
        let found = errors("version: 2\nname: a b\nfiles: { read: [x, /ok], deny: [\"/[\"] }\nextends: [zzzzzz]\n")
        #expect(found.map { $0.prefix(12) } == ["p.yaml:1:10:", "p.yaml:2:7: ", "p.yaml:3:17:", "p.yaml:3:33:", "p.yaml:4:11:"])
        #expect(errors("") == ["p.yaml:1:1: error: the file is empty\n  help: begin with `version: 1` and `name: …`"])
        #expect(errors("x: 1").count == 3)
    }

    /// What libyaml finds, and where.
    @Test(arguments: [
        ("", "1:1: error: the file is empty\n  help: begin with `version: 1` and `name: …`"),
        ("# nothing\n", "1:1: error: the file is empty\n  help: begin with `version: 1` and `name: …`"),
        ("---\n", "2:1: error: a profile must be a mapping, not nothing"),
        ("a: 1\nb: é\u{1}", "2:5: error: not valid YAML: control characters are not allowed"),
        ("é: {é: 1, é: 2]", "1:15: error: not valid YAML: while parsing a flow mapping: did not find expected ',' or '}'"),
        ("a:\n  - 1\n\tb: 2", "3:1: error: a line begins with a tab\n  help: YAML is indented with blanks"),
        ("a: [1\nb: 2", "2:2: error: not valid YAML: while parsing a flow sequence (from line 1 on): did not find expected ',' or ']'"),
        ("a: 1\n---\nb: 1", "2:1: error: not valid YAML: expected a single document in the stream: but found another document"),
        ("a: &b {}", "1:4: error: anchors (`&name`) are not supported in profiles"),
        ("a: 1\n&b c: 2", "2:1: error: anchors (`&name`) are not supported in profiles"),
        ("[!!seq &b []]", "1:2: error: anchors (`&name`) are not supported in profiles"),
        ("a: *b", "1:4: error: aliases (`*name`) are not supported in profiles"),
        ("[[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]", "1:17: error: nested more than 16 deep"),
        ("[\(String(repeating: "x,", count: 100_000))]", "1:200000: error: the file has more than 100000 values"),
    ])
    func notATree(_ text: String, _ expected: String) {
        let found = errors(text)
        #expect(found.count == 1 && found[0].hasPrefix("p.yaml:" + expected), "\(found)")
    }

    /// What the reader knows and what the schema knows is the same: a mapping that is none is told which keys it would have.
    @Test(arguments: [
        ("", []), ("files: []", ["files"]), ("exec: []", ["exec"]), ("network: []", ["network"]), ("environment: []", ["environment"]),
        ("limits: []", ["limits"]), ("audit: []", ["audit"]), ("data: { a: [] }", ["class"]),
        ("data: { a: { content: [] } }", ["class", "content"]),
        ("releases: [[]]", ["releases"]), ("rules: [[]]", ["rule"]), ("rules: [{ name: r, decide: ask, ask: [] }]", ["rule", "ask"]),
        ("rules: [{ name: r, decide: rewrite, rewrite: [] }]", ["rule", "rewrite"]), ("tests: [[]]", ["test"]),
    ])
    func theSchemaKnowsEveryKey(_ section: String, _ place: [String]) throws {
        let said = section.isEmpty ? errors("[]") : errors("version: 1\nname: p\n" + section)
        let help = try #require(said.first { $0.contains("must be a mapping") }?.components(separatedBy: "it holds ").last)
        let known = help.split(separator: ",").map { $0.trimmingCharacters(in: CharacterSet(charactersIn: " `")) }
        var schema = try #require(JSONSerialization.jsonObject(with: Data(ProfileSchema.json.utf8)) as? [String: Any])
        let named = try #require(schema["$defs"] as? [String: Any])
        for name in place {
            let properties = schema["properties"] as? [String: Any]
            schema = try #require((properties?[name] ?? named[name]) as? [String: Any])
            if let items = schema["items"] as? [String: Any] { schema = items }
            if let name = (schema["$ref"] as? String)?.split(separator: "/").last {
                schema = try #require(named[String(name)] as? [String: Any])
            }
        }
        #expect(try Set(#require(schema["properties"] as? [String: Any]).keys) == Set(known))
    }

    /// What to do is said where the cause is known, and not what helps in another case.
    @Test(arguments: [
        ("a:\n  b: [1]\n   c: 2", "keys that belong together begin in the same column"),
        ("a:\n  - 1\n  b: 2", "entries of one list begin in the same column, each with `-`"),
        ("a: \"b\nc: 1\n", "a quote that is opened must be closed"),
        ("a: [1, 2\nb: 1", "between entries stands `,`, and a bracket that is opened must be closed"),
        ("a: 1\n---\nb: 1", "one file, one document: take `---` out"),
        ("a: b: c", "text that holds `: ` needs quotes, and keys that belong together begin in the same column"),
        ("- **/x", "text that holds `*`, `{`, `[`, `!`, `#` or `: ` needs quotes"),
    ])
    func badYAMLSaysWhatToDo(_ text: String, _ help: String) {
        let found = errors(text)
        #expect(found.count == 1 && found[0].hasSuffix("\n  help: " + help), "\(found)")
    }

    @Test func bytesThatAreNoText() throws {
        #expect(try load("\u{feff}version: 1\nname: p").name == "p")
        var sink = DiagnosticSink(file: "p.yaml")
        #expect(YAMLTree.parse(Array("version: 1\nname: ".utf8) + [0xff], &sink) == nil)
        #expect(sink.found.map { $0.description } == ["p.yaml:2:1: error: the file is not valid UTF-8"])
    }

    @Test func keysThatAppearTwice() {
        let text = "version: 1\nname: p\nlimits: { memory: 2, \"memory\": 3,\n  memory: x }\nname: q\nmode: y"
        #expect(
            errors(text).map { $0.split(separator: "\n")[0] } == [
                "p.yaml:3:22: error: the key `memory` appears twice", "p.yaml:4:3: error: the key `memory` appears twice",
                "p.yaml:5:1: error: the key `name` appears twice", "p.yaml:6:7: error: bad value `y` for `mode`",
            ])
    }

    @Test func ampersandsThatAreNoAnchors() throws {
        let text = "version: 1 # &a\nname: p\ndescription: '&a &b'\nenvironment: { set: { A: x?a=1&b=2, B: a &b, C: \"&c\" } }"
        let profile = try load(text)
        #expect(profile.description == "&a &b")
        #expect(profile.body.environment.set.map { String(decoding: $0.value, as: UTF8.self) } == ["x?a=1&b=2", "a &b", "&c"])
        #expect(try ProfileWriter.yaml(load(ProfileWriter.yaml(profile))) == ProfileWriter.yaml(profile))
    }

    /// Tags and the many ways to write a thing in YAML do not matter: a scalar is its text.
    @Test func scalarsAreText() throws {
        let text = """
            %TAG !e! tag:e,2026:
            ---
            version: !!int 1
            name: !e!x 'p'
            mode: "observe"
            description: ~
            limits: { memory: 007 }
            ...
            """
        let profile = try load(text)
        #expect(profile.description == "~" && profile.body.mode == .observe && profile.body.limits.memory == 7)
    }

    @Test func hostileText() {
        let found = errors("version: 1\nname: p\n\"a\\e[31m\\nb\\u202e\": 1")
        #expect(found.count == 1 && found[0].hasPrefix("p.yaml:3:1: error: unknown key `a\\u{1b}[31m\\u{a}b\\u{202e}`"))
    }

    @Test(arguments: [
        "1.2.3", "1.2.3.4.5", "01.2.3.4", "0x7f.1", "2130706433", "10.0.0.0/33", "10.0.0.1/8", "::1:443", "[::1", "[::1]443",
        "a..b", "-a", "a*b", "b\u{fc}cher.de", "", ":80", "x:", "x:1-", "http://x", "/run/x", "${nameserver}:53", "::ffff:0:0/90", "unix:@",
        "unix:rel", "1:2:3:4:5:6:7:8:9", "10.0.0.0/\u{301}8", "1.2.3.4:\u{301}80", "1.2.3.\u{664}",
    ])
    func badTargets(_ text: String) {
        #expect(throws: PatternProblem.self) { try NetworkTarget.parse(text) }
    }
}

@Suite struct Extends {
    static let base = """
        version: 1
        name: base
        mode: observe
        files: { default: allow, deny: [{ path: "/b", reason: "of base" }] }
        exec: { default: deny }
        limits: { memory: 1KiB, processes: 5 }
        audit: { reads: none }
        environment: { set: { A: 1, B: 2 } }
        """

    @Test func listsAddUpAndScalarsWin() throws {
        let text = "version: 1\nname: p\nextends: base\nfiles: { deny: [/p] }\nlimits: { memory: 2KiB }\nenvironment: { set: { B: 3 } }"
        let policy = try Policy.compile(profile: load(text, ["base": Self.base]), variables: variables())
        #expect(policy.file("/b") == "deny base:files.deny[0]")
        #expect(policy.rule(policy.judge(file: Array("/b".utf8).span, access: .read).rule).reason == "of base")
        #expect(policy.file("/p") == "deny files.deny[0]")
        #expect(policy.file("/x") == "allow files.default")
        #expect(
            policy.mode == .observe && policy.limits.memory == 2048 && policy.limits.processes == 5
                && policy.audit.reads == AuditSettings.Reads.none)
        #expect(policy.exec("/x") == "deny exec.default")
        let set = policy.environment(from: []).map { String(decoding: $0.name + $0.value, as: UTF8.self) }
        #expect(set == ["A1", "B3"])
    }

    @Test func circles() {
        let found = errors(
            "version: 1\nname: p\nextends: [a]", ["a": "version: 1\nname: a\nextends: [b]", "b": "version: 1\nname: b\nextends: [a]"])
        #expect(found == ["b.yaml:3:11: error: `extends` goes round in a circle: `a.yaml` → `b.yaml` → `a.yaml`\n  help: take `a` out"])
    }

    @Test func diamondsCountOnce() throws {
        let side = { (name: String) in "version: 1\nname: \(name)\nextends: [base]" }
        let profile = try load("version: 1\nname: p\nextends: [l, r]", ["base": Self.base, "l": side("l"), "r": side("r")])
        #expect(profile.chain == ["base", "l", "r", "p"])
        #expect(profile.body.files.deny.count == 1)
    }

    @Test func chainsEnd() {
        var files: [String: String] = [:]
        for i in 0..<100 { files["c\(i)"] = "version: 1\nname: c\(i)\nextends: [c\(i + 1)]" }
        #expect(errors("version: 1\nname: p\nextends: [c0]", files).count == 1)
        for i in 0..<100 { files["c\(i)"] = "version: 1\nname: c\(i)" }
        #expect(errors("version: 1\nname: p\nextends: [\((0..<100).map { "c\($0)" }.joined(separator: ","))]", files).count > 0)
    }

    @Test func tighteningIsNoError() throws {
        let base = "version: 1\nname: base\nfiles: { read: [/x] }"
        #expect(errors("version: 1\nname: p\nextends: base\nfiles: { deny: [/x] }", ["base": base]).isEmpty)
        let other = "version: 1\nname: base\nfiles: { deny: [/x] }"
        #expect(errors("version: 1\nname: p\nextends: base\nfiles: { read: [/x] }", ["base": other]).count == 1)
    }

    @Test func errorsOfTheExtendedAreTold() {
        #expect(errors("version: 1\nname: p\nextends: base", ["base": "version: 1\nname: base\nfiles: { deny: [x] }"]).count == 1)
    }
}

/// No file takes more than its share of time and memory.
@Suite(.timeLimit(.minutes(1))) struct HostileFiles {
    @Test func bounded() {
        let deep = [
            String(repeating: "[", count: 200_000), String(repeating: "{a: ", count: 100_000),
            "a: " + String(repeating: "- ", count: 100_000), String(repeating: "? ", count: 100_000),
            (0..<3000).map { String(repeating: " ", count: $0 % 300) + "a:\n" }.joined(),
        ]
        for text in deep { #expect(!errors(text).isEmpty) }
        let laughs = "a: &a [x,x,x,x,x,x,x,x]\n" + (0..<20).map { "b\($0): &b\($0) [*a,*a,*a,*a]\n" }.joined() + "? *b19\n: 1\n"
        #expect(errors(laughs).count == 1)
        #expect(errors(String(repeating: "#", count: (1 << 20) + 1)).count == 1)
        #expect(errors("version: 1\nname: p\nfiles: { read: [" + String(repeating: "x,", count: 50_000) + "] }").count == 1)
        #expect(errors("version: 1\nname: p\nfiles: { read: [\"/" + String(repeating: "{a,b}", count: 200) + "\"] }").count == 1)
        #expect(errors("version: 1\nname: p\nfiles: { read: [\"/" + String(repeating: "a/", count: 2000) + "a\"] }").count == 1)
        let braces = String(repeating: "\"/" + String(repeating: "{a,b}", count: 8) + "\", ", count: 8000)
        #expect(errors("version: 1\nname: p\nfiles: { read: [\(braces)] }").count == 1)
        let deepPaths = (0..<4000).map { "\"" + String(repeating: "/a", count: 60) + "/\($0)\", " }.joined()
        #expect(errors("version: 1\nname: p\nfiles: { read: [\(deepPaths)], deny: [/x] }").isEmpty)
        #expect(errors("version: 1\nname: p\n" + (0..<40_000).map { "k\($0): 1\n" }.joined()).count == DiagnosticSink.limit)
    }

    @Test func globsDoNotExplode() throws {
        let policy = try policy("files: { read: [\"/" + String(repeating: "*a", count: 60) + "\", \"/**/a/**/a/**/a/**/a/**/b\"] }")
        #expect(policy.file("/" + String(repeating: "a", count: 255) + "b") == "deny files.default")
        #expect(policy.file(String(repeating: "/a", count: 2000)) == "deny files.default")
    }
}
