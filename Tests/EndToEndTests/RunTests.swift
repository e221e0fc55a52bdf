import Foundation
import Testing

extension EndToEnd {
    /// CONTRACT.md, section 1: exit codes, streams, options.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct RunTests {
        @Test(arguments: [0, 1, 3, 42, 125, 126, 127, 255])
        func exitCodeIsTheCommands(code: Int32) throws {
            let world = try World()
            #expect(try world.sandboxed([world.guest, "exit", "\(code)"]).code == code)
        }

        @Test(arguments: [SIGTERM, SIGKILL, SIGSEGV, SIGABRT, SIGINT, SIGPIPE, SIGHUP])
        func diedOfASignal(number: Int32) throws {
            let world = try World()
            #expect(try world.sandboxed([world.guest, "signal", "\(number)"]).code == 128 + number)
        }

        @Test func notFoundAndNotExecutable() throws {
            let world = try World()
            let missing = try world.sandboxed(["no-such-program-anywhere"])
            #expect(missing.code == 127 && missing.err.hasPrefix("sandbox: ") && missing.out.isEmpty, "\(missing)")
            let plain = try world.sandboxed(["/etc/passwd"])
            #expect(plain.code == 126 && plain.err.hasPrefix("sandbox: ") && plain.out.isEmpty, "\(plain)")
            let folder = try world.sandboxed(["/etc"])
            #expect(folder.code == 126, "\(folder)")
        }

        @Test func usageErrors() throws {
            let world = try World()
            for options in [["--profile", "no-such-profile"], ["--workspace", "/no/such/folder"], ["--no-such-option"], ["--env", ""]] {
                let outcome = try world.native([Built.sandbox, "run"] + options + ["--", "touch", "ran"])
                #expect(outcome.code == 125 && outcome.out.isEmpty && !outcome.err.isEmpty, "\(options): \(outcome)")
                #expect(try FileManager.default.contentsOfDirectory(atPath: world.work).isEmpty)
            }
            #expect(try world.native([Built.sandbox, "run"]).code == 125)
            let help = try world.native([Built.sandbox, "run", "--help"])
            #expect(help.code == 0 && help.out.contains("--profile"), "\(help)")
        }

        @Test(arguments: [
            (["rnu"], ["sandbox: there is no command `rnu`", "  help: did you mean `run`?"]),
            (
                ["run", "-p", "observ", "true"],
                ["sandbox: there is no profile `observ`", "sandbox:   help: did you mean `observe`? there are: "]
            ),
            (["run", "-p", "./no.yaml", "true"], ["sandbox: there is no profile `./no.yaml`: no such file"]),
            (
                ["run", "--profil", "ci", "true"],
                ["sandbox: unknown option `--profil`", "  help: did you mean `--profile`?", "Usage: sandbox run "]
            ),
            (
                ["explain", "--carrys=x", "--", "true"],
                ["sandbox: unknown option `--carrys=x`", "  help: did you mean `--carries`?", "Usage: "]
            ),
            (["explain", "--carries", "x", "--", "true"], ["sandbox: the profile `coding-agent` has no class of data `x`"]),
            (["explain", "--as", "", "--", "true"], ["sandbox: `--as` wants 1 to 256 bytes"]),
            (["intents", "git.pus"], ["sandbox: no intent `git.pus`, and no program", "sandbox:   help: did you mean `git.push`?"]),
            (["run", "--name", "last", "true"], ["sandbox: `--name last`: that word means the latest session"]),
            (
                ["run", "-p", "mine", "true"],
                ["sandbox: there is no profile `mine`", "sandbox:   help: the file `mine.yaml` is taken where"]
            ),
            (["run", "--nope", "true"], ["sandbox: unknown option `--nope`", "Usage: sandbox run "]),
            (["run", "--timeout", "5", "true"], ["sandbox: The value '5' is invalid", "Help:  --timeout", "Usage: sandbox run "]),
            (
                ["run", "--status-fd", "77", "true"],
                ["sandbox: `--status-fd 77` is not an open descriptor above 2", "Usage: sandbox run "]
            ),
            (["run", "-w", "/", "true"], ["sandbox: the workspace cannot be `/`", "sandbox:   help: name a folder with --workspace"]),
            (
                ["run", "-p", "HOME/bad.yaml", "true"],
                [
                    "sandbox: the profile is not valid; nothing was run", "sandbox: HOME/bad.yaml:3:1: error: unknown key",
                    "sandbox:   help: did you",
                ]
            ),
        ])
        func errorsSayWhatToDo(words: [String], lines: [String]) throws {
            let world = try World(), bad = try world.profile("bad", "fils: { read: [] }")
            try "".write(toFile: world.work + "/mine.yaml", atomically: false, encoding: .utf8)
            let command = [Built.sandbox] + words.map { $0 == "HOME/bad.yaml" ? bad : $0 }
            let outcome = try world.native(command)
            let said = outcome.err.replacingOccurrences(of: world.home, with: "HOME").split(separator: "\n")
            #expect(outcome.code == 125 && outcome.out.isEmpty, "\(outcome)")
            for (number, line) in lines.enumerated() { #expect(number < said.count && said[number].hasPrefix(line), "\(outcome.err)") }
        }

        /// Nothing is opened by it.
        @Test func theWholeMachineMayBeObserved() throws {
            let world = try World()
            let command = [Built.sandbox, "run", "-p", "observe", "-w", "/", "--", "pwd"]
            #expect(try world.native(command) == Outcome(code: 0, out: world.work + "\n", err: ""))
        }

        /// As a service, in a container, by `env -i`.
        @Test func withoutAHome() throws {
            let world = try World()
            let command = [Built.sandbox, "run", "--", "true"]
            #expect(try world.native(["env", "-u", "HOME"] + command) == Outcome(code: 0, out: "", err: ""))
            #expect(try world.native(["env", "HOME="] + command) == Outcome(code: 0, out: "", err: ""))
            #expect(try world.native(["env", "HOME=/"] + command) == Outcome(code: 0, out: "", err: ""))
        }

        @Test(arguments: [
            "files: { reed: [] }", "files: { default: maybe }", "extends: [no-such]", "rules: [{ name: x }]", "files: [",
            "files: { read: [\"[\"] }",
        ])
        func nothingRunsUnderABadProfile(body: String) throws {
            let world = try World(), bad = try world.profile("bad", body)
            for (profile, options) in [(bad, []), (try world.permissive(), ["--shadow", bad])] {
                let command = world.sandboxCommand(["touch", "ran"], profile: profile, options: options)
                let running = try world.start(command, environment: ["TMPDIR": world.home])
                running.closeInput()
                let outcome = running.finish(within: 60)
                #expect(outcome.code == 125 && outcome.err.contains("sandbox: "), "\(outcome)")
                #expect(access(world.work + "/ran", F_OK) != 0)
                let left = try FileManager.default.contentsOfDirectory(atPath: world.home)
                #expect(!left.contains { $0.hasPrefix("sandbox-s-") }, "\(options): \(left)")
            }
        }

        /// What programs mean is read while the program is being loaded; nothing of it runs where that cannot be done.
        @Test(arguments: Account.all) func nothingRunsUnderABadCatalogue(account: Account) throws {
            let world = try World(account), folder = world.home + "/.config/sandbox/intents"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try "version: 1\nprograms:\n  touch: { intents: [no.such] }\n".write(
                toFile: folder + "/own.yaml", atomically: false, encoding: .utf8)
            let rule = #"{ name: rule, intent: file.delete, decide: ask, ask: { approvers: ["user:ada"] } }"#
            func sockets() -> Set<String> { Set((try? FileManager.default.contentsOfDirectory(atPath: "/run/sandbox")) ?? []) }
            let before = sockets()
            for (profile, asks) in [(try world.rules(rule), true), (try world.permissive(), false)] {
                let running = try world.start(
                    world.sandboxCommand(["touch", "ran"], profile: profile), environment: ["TMPDIR": world.home])
                running.closeInput()
                let outcome = running.finish(within: 60)
                #expect((outcome.code == 125) == asks && outcome.err.contains("own.yaml") == asks, "\(outcome)")
                #expect((access(world.work + "/ran", F_OK) != 0) == asks)
                #expect(sockets().isSubset(of: before), "\(sockets())")
                #expect(!(try FileManager.default.contentsOfDirectory(atPath: world.home).contains { $0.hasPrefix("sandbox-s-") }))
            }
        }

        @Test func profileThatOthersCanWriteIsRefused() throws {
            let world = try World(), path = try world.permissive()
            chmod(path, 0o666)
            #expect(try world.sandboxed(["true"], profile: path).code == 125)
        }

        /// The exit code comes when the journal is whole; the store may follow, and nobody notices.
        @Test(arguments: Account.all) func theTrailIsWholeRightAfterTheRun(account: Account) throws {
            let world = try World(account)
            for round in 1...10 {
                let script = "i=0; while [ $i -lt 200 ]; do : > made-\(round)-$i; i=$((i+1)); done; exit 7"
                #expect(try world.sandboxed(["sh", "-c", script], profile: try world.permissive()).code == 7)
                let made = try world.events("--operation", "create", "--limit", "100000")
                #expect(made.count { $0.resource.contains("/made-\(round)-") } == 200)
            }
            let sessions = try world.native([Built.sandbox, "audit", "sessions", "--json"]).out.split(separator: "\n")
            #expect(sessions.count == 10 && sessions.allSatisfy { $0.contains(#""exit":7"#) }, "\(sessions)")
        }

        /// Whoever was given the exit code can rely on it: killing what is left of the supervisor takes nothing back.
        @Test func killedAfterTheEnd() throws {
            let world = try World(), profile = try world.permissive()
            for round in 1...20 {
                let script = "echo ready; read go; i=0; while [ $i -lt 100 ]; do : > last-\(round)-$i; i=$((i+1)); done; exit 7"
                let running = try world.start(world.sandboxCommand(["sh", "-c", script], profile: profile))
                try #require(running.line() == "ready")
                let supervisor = try #require(World.supervisor(of: running.pid))
                running.write("go\n")
                #expect(running.finish(within: 20).code == 7)
                if processes(carrying: "last-\(round)-").contains(supervisor) { kill(supervisor, SIGKILL) }
                let made = try world.events("--operation", "create", "--limit", "100000")
                #expect(made.count { $0.resource.contains("/last-\(round)-") } == 100)
            }
            let sessions = try world.native([Built.sandbox, "audit", "sessions", "--json"]).out.split(separator: "\n")
            #expect(sessions.count == 20 && sessions.allSatisfy { $0.contains(#""exit":7"#) }, "\(sessions)")
        }

        /// The supervisor asks the scheduler for a short slice; its program has what its user had.
        @Test func isScheduledAsBefore() throws {
            let world = try World()
            let command = world.sandboxCommand([world.guest, "schedule"])
            for start in [["nice", "-n", "5"], ["chrt", "--batch", "0"], ["env"]] {
                let alone = try world.native(start + [world.guest, "schedule"]), outcome = try world.native(start + command)
                #expect(outcome.code == 0 && outcome.out == alone.out && !alone.out.isEmpty, "\(start): \(outcome)")
            }
        }

        @Test func environmentAndOptions() throws {
            let world = try World()
            #expect(
                try world.sandboxed(["sh", "-c", "echo $GIVEN"], options: ["--env", "GIVEN=value with = sign"]).out == "value with = sign\n"
            )
            let passed = try world.start(
                world.sandboxCommand(["sh", "-c", "echo $PASSED"], options: ["--env", "PASSED"]), environment: ["PASSED": "on"])
            #expect(passed.finish().out == "on\n")
            #expect(try world.sandboxed(["pwd"]).out == world.work + "\n")
        }

        @Test func timeoutEndsIt() throws {
            let world = try World(), marker = "timeout-\(UInt64.random(in: 0...UInt64.max))"
            let outcome = try world.sandboxed([world.guest, "linger", marker], options: ["--timeout", "1s"], within: 30)
            #expect(!outcome.late && outcome.code != 0, "\(outcome)")
            // The supervisor, which carries it too, may still be moving the journal.
            #expect(eventually { processes(carrying: marker).isEmpty })
        }

        @Test func statusDescriptor() throws {
            let world = try World()
            let command = world.sandboxCommand([world.guest, "exit", "9"], options: ["--status-fd", "3"]).map { "'\($0)'" }.joined(
                separator: " ")
            let outcome = try world.native(["sh", "-c", "exec 3>status.json; \(command)"])
            #expect(outcome.code == 9)
            let lines = try String(contentsOfFile: world.work + "/status.json", encoding: .utf8).split(separator: "\n")
            #expect(lines.count >= 2, "started and exit at least")
            for line in lines { #expect((try? JSONSerialization.jsonObject(with: Data(line.utf8))) is [String: Any], "\(line)") }
        }

        @Test func deniedProgramSaysWhy() throws {
            let world = try World()
            let profile = try world.profile(
                "no-forbidden",
                "mode: enforce\nfiles: { default: allow }\nexec: { default: allow, deny: [\"\(world.forbidden)\"] }\nnetwork: { default: allow }"
            )
            let top = try world.sandboxed([world.forbidden], profile: profile)
            #expect(top.code == 126 && top.out.isEmpty && top.err.contains("sandbox: denied by exec.deny[0]"), "\(top)")
            let below = try world.sandboxed(["sh", "-c", "'\(world.forbidden)'; echo \"then $?\""], profile: profile)
            #expect(below.out == "then 126\n" && below.err.contains("sandbox: denied by exec.deny[0]"), "\(below)")
            #expect(try world.events("--decision", "deny").contains { $0.operation == "exec" && $0.resource == world.forbidden })
        }

        @Test func deniedFileIsEACCES() throws {
            let world = try World()
            let profile = try world.profile(
                "no-vault",
                "mode: enforce\nfiles: { default: allow, deny: [\"\(world.root)/vault/inner/**\"] }\nexec: { default: allow }\nnetwork: { default: allow }"
            )
            let outcome = try world.sandboxed(["cat", world.secret], profile: profile)
            #expect(outcome.code == 1 && outcome.out.isEmpty && outcome.err.contains("Permission denied"), "\(outcome)")
            let observed = try world.sandboxed(["cat", world.secret], profile: profile, options: ["--mode", "observe"])
            #expect(observed.code == 0 && observed.out == World.secretText, "\(observed)")
        }

        /// What is denied is denied wherever else it is mounted: the folder, the one above it, one below it, and a disk that is mounted below.
        @Test(.enabled(if: getuid() == 0 && Built.installed("unshare", "mount"))) func mountedTwice() throws {
            let world = try World()
            let profile = try world.profile(
                "no-inner",
                """
                mode: enforce
                files: { default: allow, deny: ["\(world.root)/vault/inner/**", "\(world.root)/vault/*/in*/file"] }
                exec: { deny: ["\(world.forbidden)"] }
                network: { default: allow }
                """)
            let look =
                "cat a/secret; cat b/inner/secret; cat c/file; cat e/inside/file; cat f/file; cat g/file; cat h/file; b/forbidden; mv a d; cat b/open"
            let inside = world.sandboxCommand(["sh", "-c", look], profile: profile).map { "'\($0)'" }.joined(separator: " ")
            for command in [look, inside] {
                let script = """
                    mkdir -p a b c e f g h ../vault/inner/sub ../vault/inner/disk ../vault/other/inside; echo open > ../vault/open
                    mount -t tmpfs none ../vault/inner/disk; mkdir ../vault/inner/disk/part
                    for at in inner/sub other/inside inner/disk inner/disk/part; do echo SECRET > ../vault/$at/file; done
                    mount --bind ../vault/inner a; mount --bind ../vault b; mount --bind ../vault/inner/sub c
                    mount --bind ../vault/other e; mount --bind ../vault/other/inside f
                    mount --bind ../vault/inner/disk g; mount --bind ../vault/inner/disk/part h; \(command)
                    """
                let outcome = try world.native(["unshare", "-m", "sh", "-c", script])
                let seen = outcome.out.components(separatedBy: "SECRET").count - 1
                #expect(seen == (command == look ? 8 : 0) && outcome.out.hasSuffix("open\n"), "\(outcome)")
            }
        }

        /// As containers do it.
        @Test(.enabled(if: getuid() == 0 && Built.installed("unshare", "mount"))) func hiddenBehindNull() throws {
            let world = try World()
            let profile = try world.profile(
                "no-symbols", "mode: enforce\nfiles: { default: allow, deny: [\"/proc/kallsyms\"] }\nexec: { default: allow }")
            let command = world.sandboxCommand(["sh", "-c", "echo x > /dev/null && echo ok; cat /proc/kallsyms"], profile: profile)
            let script = "mount --bind /dev/null /proc/kallsyms; exec \"$@\""
            let outcome = try world.native(["unshare", "-m", "sh", "-c", script, "sh"] + command)
            #expect(outcome.out == "ok\n" && outcome.err.contains("Permission denied"), "\(outcome)")
        }

        /// A name lies in a file that may not be written to by the path that it was mapped from, but by another.
        @Test(.enabled(if: getuid() == 0 && Built.installed("unshare", "mount"))) func mappedAndMountedTwice() throws {
            let world = try World()
            let lists = "files: { default: deny, read: [\"/**\"], write: [\"${workspace}/**\", \"/dev/**\"], deny: [\"\(world.secret)\"] }"
            let profile = try world.profile("no-secret", "mode: enforce\n\(lists)\nexec: { default: allow }")
            let attack = [world.guest, "spill", "b/file", world.guest, "race-mapped-stream", world.secret, world.root + "/vault/lib/file"]
            for (command, expected) in [(attack, "leaked\n"), (world.sandboxCommand(attack, profile: profile), "held\n")] {
                let script = "mkdir -p b ../vault/lib; mount --bind ../vault/lib b; exec \"$@\""
                func run() throws -> Outcome { try world.native(["unshare", "-m", "sh", "-c", script, "sh"] + command) }
                var outcome = try run()
                for _ in 0..<4 where expected == "leaked\n" && outcome.out != expected { outcome = try run() }
                #expect(outcome.out == expected, "\(outcome)")
            }
        }

        /// Another name of it is allowed; the denied one lies below a folder that fills during the session.
        @Test(arguments: Account.all) func aDeniedFileIsFoundAmongManyNewNames(account: Account) throws {
            let world = try World(account), other = world.work + "/other"
            #expect(link(world.secret, other) == 0)
            let files = "files: { default: deny, read: [\"/**\"], write: [\"${workspace}/**\"], deny: [\"\(world.root)/**/secret\"] }"
            let profile = try world.profile("no-secret", "mode: enforce\n\(files)\nexec: { default: allow }")
            let command = ["sh", "-c", "echo ready; read go; cat other"]
            #expect(try world.native(command, input: "go\n").out == "ready\n" + World.secretText)
            let running = try world.start(world.sandboxCommand(command, profile: profile))
            #expect(running.line() == "ready")
            for i in 0..<50_001 { close(open("\(world.work)/\(i)", O_CREAT | O_WRONLY | O_CLOEXEC, 0o644)) }
            running.write("go\n")
            running.closeInput()
            let outcome = running.finish(within: 60)
            #expect(outcome.code == 1 && !outcome.out.contains("SECRET") && outcome.err.contains("ermission denied"), "\(outcome)")
        }

        /// The trail says of each start where the program comes from.
        @Test(arguments: Account.all, ["enforce", "observe"]) func originOfPrograms(account: Account, mode: String) throws {
            let world = try World(account)
            let profile = mode == "observe" ? mode : try world.permissive()
            let script = """
                cp /bin/true copied; ./copied; mkdir d; mv copied d/moved; d/moved; cat /bin/true > late; chmod +x late; ./late
                printf '#!/bin/true\\n' > script; chmod 755 script; ./script; '\(world.guest)' from-memory /bin/true; /bin/true; '\(world.guest)' exit 0
                """
            #expect(try world.sandboxed(["sh", "-c", script], profile: profile).code == 0)
            var seen: [String: [String]] = [:]
            for event in try world.events("--operation", "exec") { seen[(event.resource as NSString).lastPathComponent] = event.intents }
            for name in ["copied", "moved", "late"] { #expect(seen[name] == ["proc.exec", "proc.exec_written"], "\(name): \(seen)") }
            #expect(seen["memfd:program"] == ["proc.exec", "proc.exec_memory"], "\(seen)")
            // The catalogue, which a profile with rules asks, says more of cp.
            #expect(seen["guest"] == ["proc.exec"] && seen["cp"]?.contains("proc.exec_written") == false, "\(seen)")
            let started = try world.events("--operation", "exec")
            #expect(started.contains { $0.resource.hasSuffix("/true") && $0.intents.contains("proc.exec_written") }, "a script's")
        }

        @Test func signalsArePassedOn() throws {
            let world = try World()
            for number in [SIGTERM, SIGHUP] {
                let running = try world.start(world.sandboxCommand([world.guest, "catch"]))
                #expect(running.line() == "ready")
                running.signal(number)
                #expect(running.line() == (number == SIGTERM ? "signal TERM" : "signal HUP"))
                #expect(running.finish(within: 20).code == 10)
            }
        }

        /// Without randomised addresses pointers begin with 0x7fff and with 0x5555; `sbx_fork` replaces the id of its thread wherever
        /// it is kept, and nothing else.
        @Test(
            .enabled(
                if: access("/proc/sys/kernel/ns_last_pid", W_OK) == 0 && Built.installed("setarch"),
                "only root says which process id comes next"),
            arguments: [0x7fff, 0x5555])
        func processIdsThatLookLikeHalfAPointer(_ pid: Int) throws {
            let world = try World()
            // Somebody else may start a process in between: then the number is another's.
            let script =
                "for i in 1 2 3 4 5 6; do echo \(pid - 1) > /proc/sys/kernel/ns_last_pid; setarch -R \"$@\" & wait $!; echo $! $?; done"
            let outcome = try world.native(["sh", "-c", script, "sh"] + world.sandboxCommand(["true"]), within: 60)
            let lines = outcome.out.split(separator: "\n")
            #expect(lines.count == 6 && lines.allSatisfy { $0.hasSuffix(" 0") } && lines.contains { $0 == "\(pid) 0" }, "\(outcome)")
        }

        @Test func nothingIsLeftAtTheEnd() throws {
            let world = try World(), marker = "left-\(UInt64.random(in: 0...UInt64.max))"
            let outcome = try world.sandboxed(
                ["sh", "-c", "setsid '\(world.guest)' linger \(marker) >/dev/null 2>&1 & exit 5"], within: 90)
            #expect(outcome.code == 5 && !outcome.late)
            #expect(eventually { processes(carrying: marker).isEmpty })
        }
    }

    /// Pipelines are where lost wake-ups show.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct PipelineTests {
        @Test func threeStagesAHundredTimes() throws {
            let world = try World()
            for round in 1...100 {
                let outcome = try world.sandboxed(["sh", "-c", "seq 1000 | sort -rn | head -n 3"], within: 20)
                try #require(outcome.out == "1000\n999\n998\n" && outcome.code == 0, "round \(round): \(outcome)")
            }
        }

        @Test func aHundredTimesInOneSession() throws {
            let world = try World()
            let outcome = try world.sandboxed(
                ["sh", "-c", "for i in $(seq 100); do seq 100 | grep 7 | wc -l; done | sort | uniq -c | tr -s ' '"], within: 120)
            #expect(outcome.out == " 100 19\n" && outcome.code == 0, "\(outcome)")
        }
    }
}
