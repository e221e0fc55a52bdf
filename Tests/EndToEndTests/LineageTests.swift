import Foundation
import Testing

/// What `sandbox lineage --json` answered.
private struct Lineage {
    struct Node {
        let type, name, program: String
        let arguments: [String]
    }
    private(set) var nodes: [String: Node] = [:]
    private var edges: [(from: String, to: String, relations: [String])] = []
    private let roots: [String]

    init(_ world: World, _ words: String...) throws {
        let outcome = try world.native([Built.sandbox, "lineage", "--json"] + words)
        guard outcome.code == 0, let object = try JSONSerialization.jsonObject(with: Data(outcome.out.utf8)) as? [String: Any] else {
            throw Trouble("lineage \(words): \(outcome)")
        }
        roots = object["roots"] as? [String] ?? []
        for node in object["nodes"] as? [[String: Any]] ?? [] {
            nodes[node["id"] as? String ?? ""] = Node(
                type: node["type"] as? String ?? "", name: node["name"] as? String ?? "", program: node["program"] as? String ?? "",
                arguments: node["args"] as? [String] ?? [])
        }
        for edge in object["edges"] as? [[String: Any]] ?? [] {
            edges.append((edge["from"] as? String ?? "", edge["to"] as? String ?? "", edge["relations"] as? [String] ?? []))
        }
    }

    /// Everything upstream that is not there by inheritance alone, nor by a pipe of which it is not known who uses it: `make -j`
    /// gives all but one of its children a pipe to read from that nobody writes to.
    func inputs(_ relation: String? = nil) -> [Node] {
        var found: Set<String> = [], left = roots
        var named: Set<String> = []
        while let node = left.popLast() {
            for edge in edges where edge.to == node && Set(edge.relations).isDisjoint(with: ["started", "perhaps"]) {
                if relation.map(edge.relations.contains) ?? true { named.insert(edge.from) }
                if found.insert(edge.from).inserted { left.append(edge.from) }
            }
        }
        return named.compactMap { nodes[$0] }
    }

    var files: Set<String> { Set(nodes.values.filter { $0.type == "file" }.map(\.name)) }
}

extension EndToEnd {
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct LineageTests {
        /// What the compiler says an object depends on is what the trail says it was made of, with files between its passes
        /// and with pipes; the rest is what the programs themselves are made of.
        @Test(.enabled(if: Built.installed("make", "gcc")), arguments: Account.all, ["", "-pipe"])
        func anObjectCameOfWhatTheCompilerSays(account: Account, flag: String) throws {
            let world = try World(account)
            let sources = [
                "one.c": "#include <stdio.h>\n#include \"one.h\"\nint one(void) { return puts(ONE); }\n",
                "two.c": "#include <stdlib.h>\n#include \"two.h\"\nint main(void) { return one() + abs(-TWO); }\n",
                "one.h": "#define ONE \"one\"\nint one(void);\n", "two.h": "#include \"one.h\"\n#define TWO 2\n", "unused.h": "#error\n",
                "Makefile": "CFLAGS = -O1 -DFLAG \(flag)\nprogram: one.o two.o\n\t$(CC) -o $@ $^\n",
            ]
            for (name, text) in sources {
                try text.write(toFile: "\(world.work)/\(name)", atomically: false, encoding: .utf8)
            }
            let outcome = try world.sandboxed(["make", "-j2"])
            #expect(outcome.code == 0, "\(outcome)")
            for name in ["one", "two"] {
                let upstream = try Lineage(world, "\(world.work)/\(name).o", "--upstream")
                let read = Set(upstream.inputs("read").map(\.name))
                let isOfProgram = { (path: String) in
                    !path.hasSuffix(".h")
                        && ["/usr/lib", "/lib", "/etc/", "/usr/share/", "/proc/", "/dev/"].contains(where: path.hasPrefix)
                }
                let between = read.filter { $0.hasPrefix("/tmp/cc") || $0.hasPrefix("pipe:[") }
                #expect(between.contains { $0.hasPrefix("/tmp/cc") } == flag.isEmpty, "\(between)")
                let named = try dependencies(of: name + ".c", world), found = read.filter { !isOfProgram($0) }.subtracting(between)
                #expect(found == named, "\(name): \(found.symmetricDifference(named))")
                let programs = upstream.inputs("ran").map { ($0.name as NSString).lastPathComponent }
                #expect(programs.contains("cc1") && programs.contains { $0.hasSuffix("as") }, "\(programs)")
                let compiler = try #require(upstream.inputs().first { $0.program.hasSuffix("/cc1") })
                #expect(compiler.arguments.contains("FLAG") && compiler.arguments.contains("-O1"), "\(compiler.arguments)")
            }
            let program = try Lineage(world, "\(world.work)/program", "--upstream")
            #expect(program.files.isSuperset(of: ["one.c", "two.c", "one.h", "two.h"].map { "\(world.work)/\($0)" }))
        }

        private func dependencies(of source: String, _ world: World) throws -> Set<String> {
            let text = try world.native(["gcc", "-M", "-O1", "-DFLAG", source]).out.replacingOccurrences(of: "\\\n", with: " ")
            let paths = text.split(whereSeparator: \.isWhitespace).dropFirst().map(String.init)
            return Set(paths.compactMap { realpath($0.hasPrefix("/") ? $0 : "\(world.work)/\($0)", nil).map { String(cString: $0) } })
        }

        /// Through a pipe, a new name and an archive, from one session to the next; and nothing that only stood beside it.
        @Test(arguments: Account.all, ["observe", "enforce"])
        func dataIsFollowedFromSessionToSession(account: Account, mode: String) throws {
            let world = try World(account)
            let profile = mode == "observe" ? "observe" : try world.permissive()
            let scripts = [
                "cat '\(world.secret)' | tr a-z A-Z > staged; echo plain > beside",
                "mv staged moved; ln moved linked; tar cf archive.tar linked; cp beside copy",
                "cat copy > other; (read line < archive.tar; echo \"$line\") > last; x=$(cat archive.tar | head -c 9); echo \"$x\" > words",
            ]
            for script in scripts {
                let outcome = try world.sandboxed(["bash", "-c", script], profile: profile)
                #expect(outcome.code == 0, "\(outcome)")
            }
            let reached = try Lineage(world, world.secret, "--downstream").files.filter { $0.hasPrefix(world.work + "/") }
            let names = Set(reached.map { ($0 as NSString).lastPathComponent })
            #expect(names.isSuperset(of: ["linked", "archive.tar", "last", "words"]), "\(names)")
            #expect(names.isDisjoint(with: ["beside", "copy", "other"]), "\(names)")
            let origins = try Lineage(world, "\(world.work)/words", "--upstream").files
            #expect(origins.contains(world.secret))
            #expect(try !Lineage(world, "\(world.work)/copy", "--upstream").files.contains(world.secret))
            // A file that was put in its place is another.
            _ = try world.native(["sh", "-c", "echo new > new; mv new archive.tar"])
            _ = try world.sandboxed(["cp", "archive.tar", "fresh"], profile: profile)
            #expect(try !Lineage(world, "\(world.work)/fresh", "--upstream").files.contains(world.secret))
        }

        /// Ways from `a` to `e`, with nothing of `b`; what begins with `:` is done outside, between sessions.
        static let passages: [[String]] = [
            ["mkfifo p; cat p > e & cat a > p; wait"], ["cat <(cat a) > e"], ["x=$(read l < a; echo $l); echo $x > e"],
            ["cp a c; cp b d; mv -b d c; cat c~ > e"],
            [
                "cp b c; cp a d; /usr/bin/python3 -c 'import ctypes; exit(ctypes.CDLL(None).renameat2(-100, b\"c\", -100, b\"d\", 2))'",
                "cat c > e",
            ],
            [
                "mkdir x y; cp b x/f; cp a y/f; /usr/bin/python3 -c 'import ctypes; exit(ctypes.CDLL(None).renameat2(-100, b\"x\", -100, b\"y\", 2))'",
                "cat x/f > e",
            ],
            [
                """
                /usr/bin/python3 -c 'import ctypes, os
                f = os.open(".", os.O_TMPFILE | os.O_RDWR, 0o600)
                os.write(f, open("a", "rb").read())
                exit(ctypes.CDLL(None).linkat(-100, b"/proc/self/fd/%d" % f, -100, b"c", 0x400))'
                """, "cat c > e",
            ],
            [
                """
                /usr/bin/python3 -c 'import os, socket
                here, there = socket.socketpair()
                if os.fork() == 0:
                    there.send(open("a", "rb").read())
                    os._exit(0)
                open("e", "wb").write(here.recv(99))'
                """
            ], ["cp b c", ":cp a d; mv d c", "cat c a > e"], ["cp b c", ":rm c; cp a c", "cat c a > e"],
        ]

        @Test(.enabled(if: Built.installed("python3")), arguments: Account.all, passages)
        func dataIsFollowed(account: Account, passage: [String]) throws {
            let world = try World(account)
            for name in ["a", "b"] { _ = try world.native(["bash", "-c", "echo \(name) > \(name)"]) }
            for step in passage {
                let outcome =
                    try step.hasPrefix(":")
                    ? world.native(["bash", "-c", String(step.dropFirst())])
                    : world.sandboxed(["bash", "-c", step], profile: account == .own ? "observe" : world.permissive())
                #expect(outcome.code == 0, "\(step) \(outcome)")
            }
            let upstream = try Lineage(world, "e", "--upstream").files
            #expect(upstream.contains("\(world.work)/a") && !upstream.contains("\(world.work)/b"), "\(passage) \(upstream)")
            #expect(try Lineage(world, "a", "--downstream").files.contains("\(world.work)/e"), "\(passage)")
            let beside = try world.native([Built.sandbox, "lineage", "--json", "b", "--downstream"]).out
            #expect(!beside.contains("\(world.work)/e\""), "\(passage) \(beside)")
        }

        /// Names are bytes, in questions as in answers.
        @Test func namesThatAreNoTextAreFound() throws {
            let world = try World()
            for name in ["$'new\\nline'", "$'no\\xfftext'", "$'\\xff/x'", "$'red\\x1b[31m'"] {
                let outcome = try world.sandboxed(["bash", "-c", "echo in > in; mkdir -p $'\\xff'; cp in \(name)"])
                #expect(outcome.code == 0, "\(outcome)")
                for path in [name, "../work/\(name)", "$PWD/\(name)"] {
                    let answer = try world.native(["bash", "-c", "\(Built.sandbox) lineage --upstream --json \(path)"])
                    #expect(answer.code == 0 && answer.out.contains("\(world.work)/in\""), "\(path) \(answer)")
                }
            }
        }

        /// Every target and every format, of a session with a process and a connection in it.
        @Test(arguments: Account.all) func everyTargetHasAnAnswer(account: Account) throws {
            let world = try World(account), listeners = try Listeners(world)
            try "data\n".write(toFile: world.work + "/in", atomically: false, encoding: .utf8)
            _ = try world.sandboxed([
                "bash", "-c", "read line < in; exec 3<>/dev/tcp/127.0.0.1/\(listeners.allowed); echo \"$line\" >&3; cp in out",
            ])
            let pid = try #require(try world.events("--operation", "exec").first { $0.program.hasSuffix("/bash") }?.pid)
            let port = listeners.allowed
            for target in ["\(world.work)/out", "last", "pid:\(pid)@last", "127.0.0.1:\(port)", "localhost:\(port)"] {
                let answer = try Lineage(world, target)
                #expect(answer.files.contains("\(world.work)/in"), "\(target)")
                for format in ["tree", "json", "dot", "mermaid", "prov", "openlineage"] {
                    let outcome = try world.native([Built.sandbox, "lineage", target, "--format", format])
                    #expect(outcome.code == 0 && !outcome.out.isEmpty, "\(target) \(format): \(outcome)")
                }
            }
            #expect(try world.native([Built.sandbox, "lineage", "\(world.work)/none"]).code == 1)
            #expect(try world.native([Built.sandbox, "lineage", "out", "--depth", "0"]).code == 125)
            let usage = try world.native([Built.sandbox, "audit", "usage", "--by", "host", "--json"])
            #expect(usage.out.contains("\"host\":\"127.0.0.1:\(listeners.allowed)\""), "\(usage)")
        }
    }
}
