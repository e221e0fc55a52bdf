import SandboxModel
import SandboxYAML
import Testing
@testable import SandboxIntent

@Suite struct ShippedCatalogue {
    @Test func everyExampleHolds() throws {
        let catalogue = try Shipped.catalogue.get()
        for example in catalogue.examples {
            let found = told(meaning(example.line, catalogue))
            #expect(
                found == wanted(example.expected),
                "\(example.file):\(example.position.line): `\(example.line)` means \(found.sorted()), not `\(example.expected)`")
        }
    }

    /// An entry that nobody tries is one that nobody knows.
    @Test func everyProgramHasExamplesOfBothKinds() throws {
        let catalogue = try Shipped.catalogue.get()
        let tried = Set(catalogue.examples.map(\.program))
        for entry in catalogue.entries where !entry.name.contains(" ") {
            #expect(tried.contains(entry.name), "\(entry.file): \(entry.name)")
        }
        #expect(catalogue.entries.count >= 150)
        #expect(catalogue.examples.count { $0.expected == "none" } * 5 >= catalogue.examples.count)
    }

    /// `command-lines.txt`: a line each, `COMMAND => INTENTS`; `none` for what only looks like one.
    @Test func theTableHolds() throws {
        let catalogue = try Shipped.catalogue.get()
        let table = try Shipped.table()
        for (line, expected) in table {
            let found = Set(meaning(line, catalogue).intents.names)
            #expect(found == wanted(expected), "\(line) => \(found.sorted().joined(separator: " "))")
        }
        #expect(table.count >= 3000 && table.count { $0.expected == "none" } * 2 >= table.count)
    }

    /// Read when it is asked for, it says the same as read at once.
    @Test func deferredIsTheSame() throws {
        let whole = try Shipped.catalogue.get()
        let more = ("more.yaml", Array("version: 1\nprograms:\n  git:\n    options: [--hole]\n    means:\n      net.tunnel: --hole\n".utf8))
        let deferred = try Catalogue.load(deferring: Shipped.files(), [more])
        #expect(deferred.entries.count == 1, "the shipped files are cut")
        for line in try Shipped.table().map(\.line) + whole.examples.map(\.line) {
            #expect(meaning(line, deferred) == meaning(line, whole), "\(line)")
        }
        #expect(meaning("git --hole push --force", deferred).intents.names == ["net.tunnel", "git.push", "git.force_push"])
    }

    /// Told of in a message, searched for or printed, a command is only words.
    @Test func wordsAreNeverCommands() throws {
        let catalogue = try Shipped.catalogue.get()
        for (line, _) in try Shipped.table() {
            let text = Array(line.utf8)
            let words = Words.split(line)
            func intents(_ command: String, _ rest: [[UInt8]]) -> IntentSet {
                let all = Words.split(command) + rest
                return catalogue.meaning(program: all[0], arguments: all, nested: .all).intents
            }
            #expect(intents("git commit -m", [text]) == [.gitCommit], "\(line)")
            #expect(intents("git log --grep", [text]) == [], "\(line)")
            #expect(intents("grep -rn -e", [text, Array("docs".utf8)]) == [], "\(line)")
            #expect(intents("echo", words) == [], "\(line)")
            #expect(intents("xargs echo", words) == [], "\(line)")
            #expect(intents("gh pr create --body", [text]) == [], "\(line)")
            #expect(intents("python3 -c", [text]) == [.procExec], "\(line)")
        }
    }

    /// What other guards took for commands: the text of a here-document, of a message, of a pattern, of a comment.
    @Test(arguments: [
        ("git commit -F - <<EOF\nrows restore byte identical\nEOF", "git.commit"),
        ("git commit -m \"rows restore byte identical\"", "git.commit"),
        ("git commit -F - <<'EOF'\ndocs: note that rm -rf /tmp/x is denied\nEOF", "git.commit"),
        ("git commit -F - <<'EOF'\ndocs: note that git branch -d is denied; git push --force too\nEOF", "git.commit"),
        ("true <<'EOF'\ngit worktrees and active sessions restore only selected agents\nEOF", ""),
        ("cat > /tmp/x.md <<'EOF'\ngit checkout -- foo.ts\nEOF", ""), ("cat > x.md <<-EOF\n\tgit reset --hard; rm -rf /\n\tEOF", ""),
        ("cat > migration-notes.md <<'EOF'\nThis will DROP TABLE old_sessions; rm -rf / never ran.\nEOF\nwc -l migration-notes.md", ""),
        ("echo 'git checkout -- foo.ts'", ""), ("grep -rn 'git clean -f' src", ""),
        ("printf '%s' 'git reset --hard undoes work' >> notes.md", ""), ("ls # rm -rf /", ""), ("echo a#b && echo \"rm -rf /\"", ""),
        ("gh pr comment 1 --body \"$(cat <<'E'\n`rm -rf /` is what it says\nE\n)\"", ""),
        ("python3 - <<'EOF'\nprint('rm -rf /')\nEOF", "proc.exec"), ("rg 'kubectl delete' <<< 'rm -rf /'", ""),
        ("test -f rm && echo rm -rf x > rm", ""),
    ]) func whatOthersTookForCommands(_ text: String, _ expected: String) throws {
        let catalogue = try Shipped.catalogue.get()
        let words = ["bash", "-c", text].map { Array($0.utf8) }
        let found = catalogue.meaning(program: words[0], arguments: words, nested: .all).intents
        #expect(Set(found.names) == wanted(expected).union(["proc.exec"]), "\(text): \(found.names)")
        // What is there besides is seen all the same.
        let more = ["bash", "-c", text + "\ngit push --force"].map { Array($0.utf8) }
        let both = catalogue.meaning(program: more[0], arguments: more, nested: .all).intents
        #expect(both == found.union([.gitPush, .gitForcePush]), "\(text): \(both.names)")
    }

    /// What starts a command means what the command means; elsewhere even when it runs.
    @Test func wrappersHideNothing() throws {
        let catalogue = try Shipped.catalogue.get()
        // Every second wrapper around every line: each meets half of them.
        for (number, (line, expected)) in try Shipped.table().enumerated() where !wanted(expected).isEmpty {
            let words = Words.split(line)
            let wrappers = [
                "env A=b", "timeout -k 1 5", "nice -n 5", "nohup", "xargs -n 1", "sudo -u x", "docker exec -it c", "kubectl exec p --",
                "doas -u x", "setsid -f", "bwrap --bind / / --dev /dev", "unshare -rm -w /", "nsenter -t 1 -m", "setpriv --reuid 1",
                "setarch x86_64 -R", "firejail --quiet", "taskset -c 0", "proot -b /a", "cross-env A=b", "op run --env-file x --",
                "stdbuf -oL", "ionice -c 3", "chroot /x", "flock /l", "watch -x", "busybox env", "find . -exec",
                "docker exec c sudo -u x", "ssh h --",
            ]
            for (i, wrapper) in wrappers.enumerated()
            where (i + number) % 2 == 0 && (!wrapper.hasPrefix("ssh") || !line.contains(where: { "'\"\\$;&|<>(){}*?#~".contains($0) })) {
                let all = Words.split(wrapper) + words
                let found = catalogue.meaning(program: all[0], arguments: all, nested: .all).intents
                #expect(wanted(expected).isSubset(of: found.names), "\(wrapper) \(line)")
            }
            // In shell text every word is quoted.
            let quoted = words.map { "'" + String(decoding: $0, as: UTF8.self).replacing("'", with: "'\\''") + "'" }
            let text = quoted.joined(separator: " ")
            for (i, shell) in ["sh -c", "bash -lc", "su x -c", "flock /l -c", "script -qc", "ssh h"].enumerated()
            where (i + number) % 2 == 0 {
                let all = Words.split(shell) + [Array(("cd /x && A=b " + text + " || true").utf8)]
                let found = catalogue.meaning(program: all[0], arguments: all, nested: .all).intents
                #expect(wanted(expected).isSubset(of: found.names), "\(shell) \(text)")
            }
        }
    }
}

@Suite struct CatalogueLanguage {
    private func load(_ text: String) throws -> Catalogue { try Catalogue.load([("x.yaml", Array(text.utf8))]) }

    private func names(_ text: String, _ line: String) throws -> [String] { meaning(line, try load(text)).intents.names }

    @Test(arguments: [
        ("version: 1\nprograms: { x: { means: { git.forcepush: always } } }", "2:27", "did you mean `git.force_push`?"),
        ("version: 1\nprograms:\n  x:\n    optoins: -f", "4:5", "did you mean `options`?"),
        ("version: 1\nprograms:\n  x:\n    options: -f --force\n    means: { git.push: --forse }", "5:24", "did you mean `--force`?"),
        ("version: 1\nprograms:\n  x:\n    parse: abreviations", "4:12", "did you mean `abbreviations`?"),
        ("version: 1\nprograms:\n  x:\n    hosts: { hots: 1 }", "4:14", "did you mean `host`?"),
        ("version: 1\nprograms:\n  x:\n    database: zwei", "4:15", "one of"),
        ("version: 2\nprograms: {}", "1:10", "version: 1"),
        ("version: 1\nprograms: { x: { statements: { text: 1 } } }", "2:", "no `dialect`"),
        ("version: 1\nprograms: { x: { options: 'force' } }", "2:", "begin with `-`"),
        ("version: 1\nprograms: [", "", "not valid YAML"),
    ])
    func errorsSayWhereAndWhat(_ text: String, _ place: String, _ word: String) {
        do throws(CatalogueFailure) {
            _ = try Catalogue.load([("x.yaml", Array(text.utf8))])
            Issue.record("valid: \(text)")
        } catch {
            #expect(error.description.contains("x.yaml:\(place)") && error.description.contains(word), "\(error)")
        }
    }

    @Test func aLaterFileAddsOrReplaces() throws {
        let first = ("a.yaml", Array("version: 1\nprograms: { x: git.push }".utf8))
        let more = ("b.yaml", Array("version: 1\nprograms: { x: git.clean }".utf8))
        let other = ("c.yaml", Array("version: 1\nprograms: { x: { replace: true, means: git.commit } }".utf8))
        #expect(meaning("x", try Catalogue.load([first, more])).intents.names == ["git.push", "git.clean"])
        #expect(meaning("x", try Catalogue.load([first, more, other])).intents.names == ["git.commit"])
    }

    /// What may be there counts for an intent, only what is there for certain against it.
    @Test func doubtNeverMakesHarmless() throws {
        let text =
            "version: 1\nprograms: { x: { options: \"-n --dry-run, -f --force, -o=\", harmless: -n, means: { git.force_push: -f } } }"
        #expect(try names(text, "x -f") == ["git.force_push"])
        #expect(try names(text, "x -f -n") == [])
        #expect(try names(text, "x -f -o -n") == ["git.force_push"], "the value of an option is none")
        #expect(try names(text, "x -f --other -n") == ["git.force_push"], "it may be the value of one that is not known")
        #expect(try names(text, "x --other -f") == ["git.force_push"])
        #expect(try names(text, "x -f -zn") == ["git.force_push"])
        #expect(try names(text, "x -f --other=1 -n") == [])
        #expect(try names(text, "x -f -- -n") == ["git.force_push"])
        #expect(try names(text, "x -- -f") == [])
    }

    @Test func everyNameIsOneProgram() throws {
        let catalogue = try Shipped.catalogue.get()
        for (program, arguments) in [
            ("/usr/bin/git", ["git"]), ("/opt/x/git", ["/opt/x/git"]), ("/usr/bin/git", ["anything"]), ("git-2.39", ["git"]),
            ("/usr/lib/git-core/git", ["git"]), ("/snap/git/unknown-name", ["git"]),
        ] {
            let all = (arguments + ["push", "-f"]).map { Array($0.utf8) }
            #expect(catalogue.meaning(program: Array(program.utf8), arguments: all).intents == [.gitPush, .gitForcePush], "\(program)")
        }
        func told(_ program: String, _ arguments: String...) -> IntentSet {
            catalogue.meaning(program: Array(program.utf8), arguments: arguments.map { Array($0.utf8) }).intents
        }
        #expect(told("/usr/bin/git", "git-push", "-f") == [.gitPush, .gitForcePush])
        #expect(told("/bin/busybox", "rm", "-rf", "x") == [.fileDelete])
        #expect(told("/bin/busybox", "/bin/busybox", "rm", "x") == [.fileDelete])
        #expect(told("/usr/bin/coreutils", "rm", "x") == [.fileDelete])
        #expect(told("/usr/bin/systemctl", "reboot") == [.systemShutdown])
        #expect(told("/usr/bin/systemctl", "echo", "reboot") == [.systemShutdown])
        #expect(told("/bin/busybox", "echo", "rm", "x") == [], "busybox is what it is called")
        #expect(told("/usr/bin/rm", "echo", "x") == [.fileDelete], "a name that it merely claims hides nothing")
        #expect(told("/usr/bin/python3.11", "python3", "/usr/bin/alembic", "downgrade", "base").contains(.sqlDrop))
        #expect(told("/usr/sbin/xtables-nft-multi", "iptables", "-F") == [.systemService])
    }

    /// What comes with the system is known where the system has it, by whatever link; a file of that name elsewhere is another.
    /// Other programs are known by their names wherever they lie.
    @Test func placesTellTheSystemsPrograms() throws {
        let catalogue = try Shipped.catalogue.get()
        func told(_ program: String, _ arguments: String...) -> IntentSet {
            catalogue.meaning(program: Array(program.utf8), arguments: arguments.map { Array($0.utf8) }).intents
        }
        for place in ["/bin", "/usr/bin", "/usr/local/sbin", "/opt/x/bin", "/snap/core/1/bin", "/nix/store/x-coreutils/bin"] {
            #expect(told(place + "/rm", "rm", "x") == [.fileDelete], "\(place)")
        }
        for place in ["/home/me/work", "/tmp", "/srv/app/bin", "/home/me/.cargo/bin", "/usrx", "/binx"] {
            #expect(told(place + "/rm", "rm", "x") == [], "\(place)")
            #expect(told(place + "/script", "./script", "deploy") == [], "\(place)")
            #expect(told(place + "/git", "./git", "push", "-f") == [.gitPush, .gitForcePush], "\(place)")
            #expect(told(place + "/kubectl", "./kubectl", "delete", "ns", "x") == [.kubeDelete], "\(place)")
            // One file, many programs: there the name is what it goes by, wherever it lies.
            #expect(told(place + "/busybox", place + "/rm", "x") == [.fileDelete], "\(place)")
            #expect(told(place + "/busybox", "busybox", "rm", "x") == [.fileDelete], "\(place)")
            #expect(told(place + "/mine", "rm", "x") == [], "\(place): a name that it claims is not the system's program")
            #expect(told(place + "/mine", "git", "push", "-f") == [.gitPush, .gitForcePush], "\(place)")
        }
        #expect(told("/usr/bin/rustup", "cargo", "publish") == [.pkgPublish])
        #expect(told("/home/me/.cargo/bin/rustup", "cargo", "publish") == [.pkgPublish])
        #expect(told("/usr/bin/vim.basic", "vim", "-c", "x").contains(.procExec))
    }

    /// What is started here is judged when it starts; what is started elsewhere is not.
    @Test func onlyTheRemoteCountsWhenLive() throws {
        let catalogue = try Shipped.catalogue.get()
        func live(_ line: String) -> [String] {
            let words = Words.split(line)
            return catalogue.meaning(program: words[0], arguments: words).intents.names
        }
        #expect(live("env rm x") == [])
        #expect(live("xargs rm") == [])
        #expect(live("ssh host rm x") == ["file.delete", "net.connect"])
        #expect(live("ssh host sudo env rm x") == ["file.delete", "proc.privilege", "net.connect"])
        #expect(live("docker exec db sh -c 'cd /x; dropdb shop'") == ["proc.exec", "sql.drop", "container.run"])
        #expect(live("sh -c 'rm x'") == ["proc.exec"])
        #expect(live("docker exec db dropdb shop") == ["sql.drop", "container.run"])
        #expect(live("busybox rm x") == ["file.delete"])
        #expect(live("python3 manage.py flush") == ["proc.exec", "sql.delete_all"])
    }

    /// What an interpreter runs, and not what it is given besides.
    @Test func interpretersSayWhatTheyRun() throws {
        let catalogue = try Shipped.catalogue.get()
        func told(_ line: String) -> String {
            let words = Words.split(line), found = catalogue.meaning(program: words[0], arguments: words)
            return (found.scripts.map { String(decoding: $0, as: UTF8.self) } + (found.runsInput ? ["-input"] : [])).joined(separator: " ")
        }
        for (line, expected) in [
            ("sh x.sh data", "x.sh"), ("sh", "-input"), ("bash -s a b", "-input"), ("bash -c 'x' y", ""), ("bash -x run.sh", "run.sh"),
            ("python3 x.py data.csv", "x.py"), ("python3 -c 'x' data", ""), ("python3 -", "- -input"),
            ("python3 -m json.tool f", "json.tool"),
            ("node x.js y", "x.js"), ("node", "-input"), ("node -e x y", ""), ("perl -ne x f", ""), ("perl x.pl", "x.pl"),
            ("ruby", "-input"),
            ("cat x", ""), ("ssh h sh x.sh", ""),
        ] { #expect(told(line) == expected, "\(line)") }
    }

    @Test func statementsSayWhereTheirTextIs() throws {
        let catalogue = try Shipped.catalogue.get()
        func found(_ line: String) -> [StatementSource] { meaning(line, catalogue).statements }
        #expect(found("psql -c 'SELECT 1'") == [StatementSource(.text(Array("SELECT 1".utf8)), .postgres, argument: 2)])
        #expect(found("psql --command=X") == [StatementSource(.text([0x58]), .postgres, argument: 1, prefix: 10)])
        #expect(found("psql -tAcX db") == [StatementSource(.text([0x58]), .postgres, argument: 1, prefix: 4)])
        #expect(found("mysql -eX") == [StatementSource(.text([0x58]), .mysql, argument: 1, prefix: 2)])
        #expect(found("sqlite3 a.db X") == [StatementSource(.text([0x58]), .sqlite, argument: 2)])
        #expect(found("psql -f a.sql") == [StatementSource(.file(Array("a.sql".utf8)), .postgres)])
        #expect(found("psql -f /dev/stdin") == [StatementSource(.standardInput, .postgres)])
        // Not in the arguments of the process itself: it is another's.
        #expect(found("docker exec db psql -c X") == [StatementSource(.text([0x58]), .postgres, isElsewhere: true)])
    }

    @Test(arguments: [
        ("db.example.com", HostShape.host, "db.example.com"), ("me@db:5432", .host, "db:5432"), ("::1", .host, "::1"),
        ("[::1]:80", .host, "::1:80"), ("a:1,b:2", .host, "a:1 b:2"), ("https://u:p@a.b:8443/x?y=https://c", .url, "a.b:8443"),
        ("a.b/x@y", .url, "a.b"), ("git@github.com:a/b", .remote, "github.com"), ("./a:b", .remote, ""), ("a/b", .remote, ""),
        ("[::1]:x", .remote, "::1"), ("rsync://h/x", .remote, "h"), ("host=a port=1", .conninfo, "a:1"), ("shop", .conninfo, ""),
        ("postgres://a/x?host=b", .conninfo, "a b"), ("jdbc:mysql://a:3306/x", .url, "a:3306"), ("", .host, ""), (":", .host, ""),
        ("@", .url, ""),
    ])
    func hosts(_ text: String, _ shape: HostShape, _ expected: String) {
        let found = HostText.read(Array(text.utf8)[...], as: shape).hosts.map { $0.name + ($0.port.map { ":\($0)" } ?? "") }
        #expect(found.joined(separator: " ") == expected)
    }
}

@Suite struct HostileArguments {
    /// Every argument vector ends, and soon; whatever the bytes.
    @Test func noiseIsRead() throws {
        let catalogue = try Shipped.catalogue.get()
        let words =
            catalogue.examples.flatMap { Words.split($0.line) }
            + ["--", "-", "", ";", "{}", "+", "=", "-=", "--=", "---"].map { Array($0.utf8) }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var arguments = (0..<Int.random(in: 0..<12, using: &random)).map { _ in words.randomElement(using: &random) ?? [] }
            if !arguments.isEmpty, Bool.random(using: &random) {
                let i = Int.random(in: 0..<arguments.count, using: &random)
                arguments[i].insert(UInt8.random(in: 0...255, using: &random), at: Int.random(in: 0...arguments[i].count, using: &random))
            }
            let program = arguments.first ?? words.randomElement(using: &random) ?? []
            let live = catalogue.meaning(program: program, arguments: arguments)
            let all = catalogue.meaning(program: program, arguments: arguments, nested: .all)
            #expect(live.intents.isSubset(of: all.intents), "\(Escaped.commandLine(arguments))")
            #expect(Set(live.evidence.map(\.intent)) == Set(live.intents.elements))
        }
    }

    /// In the shapes that could be dear.
    @Test func theLargestAreRead() throws {
        let catalogue = try Shipped.catalogue.get()
        let many = 10_000
        func read(_ program: String, _ arguments: [[UInt8]]) -> CommandMeaning {
            catalogue.meaning(program: Array(program.utf8), arguments: [Array(program.utf8)] + arguments, nested: .all)
        }
        func times(_ words: String, _ count: Int) -> [[UInt8]] { Array(repeating: Words.split(words), count: count).flatMap { $0 } }
        #expect(read("rm", times("x", many)).intents == [.fileDelete])
        #expect(read("git", times("-c", many)).isComplete)
        #expect(read("find", times("-exec rm ;", many / 3)).intents == [.fileDelete])
        #expect(read("kubectl", times("--what get", many / 2)).isComplete)
        #expect(!read("env", times("env", many)).isComplete, "what is too deep is said to be")
        #expect(read("gcloud", times("compute", many)).intents.isEmpty)
        #expect(read("psql", times("-c x", many / 2)).statements.count == many / 2)
        let long = [UInt8](repeating: UInt8(ascii: "a"), count: 2 << 20)
        #expect(read("git", [Array("push".utf8), Array("-".utf8) + long]).intents.contains(.gitPush))
        #expect(read("curl", [long + Array(":".utf8) + long]).hosts.isEmpty)
        #expect(read("ssh", [Array("h".utf8), long]).intents == [.netConnect])
        #expect(read("docker", [Array("run".utf8), Array("-v".utf8), long]).intents == [.containerRun])
    }
}
