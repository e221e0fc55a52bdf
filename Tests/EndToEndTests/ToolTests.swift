import Foundation
import Testing

/// A real program's work, as a shell script in `Tools/`: it prints what has to be the same inside as outside.
struct Work: Sendable, CustomTestStringConvertible {
    let name: String
    let needs: [String]
    var agent = true  // runs under `coding-agent` as well
    var also: [String] = []  // and under these
    var ordinaryOnly = false
    var seconds = 180.0
    var testDescription: String { name }
    /// Fed to the shell, because under a profile the folder it lies in may be out of reach.
    var script: String { (try? String(contentsOfFile: "\(Built.tools)/\(name).sh", encoding: .utf8)) ?? "exit 99" }

    static let all: [Work] = [
        Work(name: "git", needs: ["git"], also: ["data-analyst"]), Work(name: "make", needs: ["make", "gcc"], seconds: 400),
        Work(name: "archives", needs: ["tar"]),
        Work(name: "rsync", needs: ["rsync"]), Work(name: "find", needs: ["find", "xargs"]),
        Work(name: "venv", needs: ["python3"], agent: false, seconds: 400),
        Work(name: "pytest", needs: ["python3", "pytest"], agent: false),
        Work(name: "postgres", needs: ["psql", "pgbench"], agent: false, ordinaryOnly: true, seconds: 400),
        Work(name: "node", needs: ["node"], agent: false), Work(name: "keys", needs: ["ssh-keygen"]),
        Work(name: "gdb", needs: ["gdb"], agent: false),
        Work(name: "shell", needs: ["bash"]), Work(name: "python", needs: ["python3"]),
    ]
    static var here: [Work] { all.filter { work in work.needs.allSatisfy { Built.installed($0) } } }
}

extension EndToEnd {
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct ToolTests {
        @Test(arguments: Work.here, Account.all)
        func sameResult(_ work: Work, account: Account) throws {
            if work.ordinaryOnly && account == .own && getuid() == 0 { return }
            let outside = try World(account)
            let native = try outside.native(["sh", "-c", work.script], within: work.seconds)
            try #require(native.code == 0, "natively: \(native)")
            for profile in ["observe"] + (work.agent ? ["coding-agent"] : []) + work.also {
                let world = try World(account)
                let inside = try world.sandboxed(["sh", "-c", work.script], profile: profile, within: work.seconds * 3)
                #expect(firstDifference(plain(native.out, outside), plain(inside.out, world)) == nil, "under \(profile): \(inside.err)")
                #expect(inside.code == native.code && !inside.late, "under \(profile): \(inside.err)")
            }
        }

        /// Whoever may listen on loopback alone may take every address, is reached from this machine, and cannot change that.
        @Test(arguments: Account.all) func serversAtEveryAddressStayOnThisMachine(account: Account) throws {
            let world = try World(account)
            func served(_ listen: String) throws -> String {
                let lists =
                    "files: { default: allow }\nexec: { default: allow }\nnetwork: { allow: [\"localhost:*\"], listen: [\(listen)] }"
                return try world.sandboxed([world.guest, "serve-everywhere"], profile: world.profile("served", "mode: enforce\n\(lists)"))
                    .out
            }
            let native = try world.native([world.guest, "serve-everywhere"]).out
            #expect(native.contains("interface 0") && native.contains("listen there: ok"), "\(native)")
            // By which device it goes nobody says in a session.
            let everywhere = ["any interface", "any by name", "another interface"].reduce(native) {
                $0.replacingOccurrences(of: "\($1): ok", with: "\($1): EPERM")
            }
            #expect(firstDifference(everywhere, try served("\"*:*\"")) == nil)
            var kept = everywhere.replacingOccurrences(of: "interface 0", with: "interface 1")
            // A datagram socket is at a loopback address instead.
            for (label, address, own) in [("UDP 0.0.0.0", "0.0.0.0", "127.0.0.1"), ("UDP ::", "::", "::1")] {
                kept = kept.replacingOccurrences(of: "\(label): ok\n  at \(address)\n", with: "\(label): ok\n  at \(own)\n")
            }
            #expect(kept.contains("at 127.0.0.1\n") && kept.contains("at ::1\n"), "\(native)")
            #expect(firstDifference(kept, try served("\"localhost:*\"")) == nil)
            // What listens at `::` is reached over IPv6 as well.
            let four = try served("\"127.0.0.1:*\"")
            #expect(four.contains("::: EACCES") && four.contains("0.0.0.0: ok"), "\(four)")
        }

        /// What a linked work tree belongs to is open as its own `.git` would be; not where the tree alone says that it belongs there.
        @Test(.enabled(if: Built.installed("git")), arguments: Account.all) func linkedWorkTrees(account: Account) throws {
            let world = try World(account)
            let lists =
                "extends: [baseline]\nfiles: { write: [\"${workspace}/**\", \"${repository}/**\"], deny: [\"${repository}/description\"] }"
            let profile = try world.profile("tree", lists)
            let git =
                "export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b"
                + " GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b HOME=$PWD; "
            let commit = ["sh", "-c", git + "echo 1 > f; git add f && git commit -qm f; git log --oneline | wc -l"]
            let changing = [
                "sh", "-c", "for f in one/HEAD two/HEAD one/description; do (: >> ../home/$f) 2> /dev/null && echo $f; done; :",
            ]
            let make =
                "for r in one two; do git init -q --bare -b main ../home/$r; git clone -q ../home/$r ../home/$r.made; cd ../home/$r.made;"
                + " git commit -q --allow-empty -m 1; git push -q origin HEAD:main; cd ../../work; done 2> /dev/null;"
                + " git -C ../home/one worktree add -q ../../work main; git -C ../home/two worktree add -q ../tree main"
            #expect(try world.native(["sh", "-c", git + make]).code == 0)
            let committed = try world.sandboxed(commit, profile: profile)
            #expect(committed.out == "2\n", "\(committed)")
            #expect(try world.sandboxed(changing, profile: profile).out == "one/HEAD\n")
            // A session may write this, and what it names is there; but it names another tree.
            try "gitdir: \(world.home)/two/worktrees/tree\n".write(toFile: world.work + "/.git", atomically: false, encoding: .utf8)
            #expect(try world.sandboxed(changing, profile: profile).out == "")
            try? FileManager.default.removeItem(atPath: world.work + "/.git")
            mkfifo(world.work + "/.git", 0o666)
            #expect(try world.sandboxed(changing, profile: profile).out == "")
            #expect(try world.native(changing).out == "one/HEAD\ntwo/HEAD\none/description\n")
        }

        private func plain(_ text: String, _ world: World) -> String { text.replacingOccurrences(of: world.root, with: "ROOT") }
    }

    /// A terminal is a terminal: `Tools/terminal.py` types and waits for what has to appear.
    @Suite(.serialized, .enabled(if: Built.installed("python3", "bash"))) struct TerminalTests {
        static let scenes = [
            "stop-and-continue", "interrupt", "window-size", "python", "less", "vim", "quit", "background", "cooked", "restored", "hangup",
            "tmux",
        ]

        static func available(_ scene: String) -> Bool { ["less", "vim", "tmux"].contains(scene) ? Built.installed(scene) : true }

        /// What is typed while a shell takes its terminal back is lost now and then, without us as well: a scene may be
        /// played twice. One that never works fails all the same.
        static func again(_ play: () throws -> Outcome) throws -> Outcome {
            let first = try play()
            return first.code == 0 ? first : try play()
        }

        @Test(arguments: scenes) func natively(scene: String) throws {
            guard Self.available(scene) else { return }
            let world = try World()
            let outcome = try Self.again { try world.native(["python3", "\(Built.tools)/terminal.py", scene], within: 90) }
            #expect(outcome.code == 0, "\(outcome)")
        }

        @Test(.enabled(if: Built.exists(Built.sandbox)), arguments: scenes, Account.all)
        func inside(scene: String, account: Account) throws {
            guard Self.available(scene) else { return }
            let world = try World(account)
            let command = ["python3", "\(Built.tools)/terminal.py", scene] + world.sandboxCommand([])
            let outcome = try Self.again { try world.native(command, within: 120) }
            #expect(outcome.code == 0, "\(outcome)")
        }
    }
}
