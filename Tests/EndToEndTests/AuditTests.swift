import Foundation
import Testing

extension EndToEnd {
    /// Section 9: what a supervised program says never speaks through us, and nothing it does goes unrecorded.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct AuditTests {
        /// Window title, clipboard, C1, a forged line, two ways to end one, a turned direction, no UTF-8, tags, a null.
        static let hostile = [
            "\u{1b}]0;owned\u{7}", "\u{1b}]52;c;QUFB\u{7}", "\u{9b}31m", "x\nsession  s-forged", "x\r\nforged", "x\u{2028}forged",
            "x\u{85}forged", "\u{202e}gnp.exe", "\u{2066}x\u{2069}", "\u{200b}\u{feff}x", "\u{e0041}\u{e007f}", "\\x1b[31m",
            "\"},{\"forged\":\"",
        ]

        /// Every byte is of a character that does nothing; lines end with LF alone.
        private func expectHarmless(_ bytes: String, _ command: [String]) {
            let bad = bytes.unicodeScalars.filter { scalar in
                switch scalar.properties.generalCategory {
                case .control: scalar != "\n"
                case .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: true
                default: scalar == "\u{fffd}"
                }
            }
            #expect(bad.isEmpty, "\(command): \(bad.map { String($0.value, radix: 16) })")
            let lines = bytes.split(separator: "\n")
            #expect(!lines.contains { $0.hasPrefix("forged") || $0.hasPrefix("session  s-forged") }, "\(command)")
        }

        /// What is refused whatever it asks for is in the trail all the same.
        @Test(arguments: Account.all) func refusedCallsAreRecorded(account: Account) throws {
            let world = try World(account), profile = try world.permissive()
            for attack in [
                "machine-calls", "clone-flags", "tiocsti", "unshare-user", "keyctl", "ptrace-parent 0", "mount-new-api /x/y",
                "new-listener", "rare-sockets", "line-discipline", "i386-exec /x",
            ] {
                let words = attack.split(separator: " ").map(String.init)
                #expect(try world.sandboxed([world.guest] + words, profile: profile).out == "held\n")
            }
            let denied = Set(try world.events("--decision", "deny").filter { $0.rules == ["builtin.calls"] }.map(\.resource))
            var expected: Set = [
                "seccomp", "socket", "mount", "umount2", "fsopen", "open_tree", "chroot", "pivot_root", "unshare", "clone", "ptrace",
                "process_vm_readv", "bpf",
                "kcmp",
                "perf_event_open", "keyctl", "add_key", "init_module", "kexec_load", "reboot", "swapon", "acct", "syslog", "userfaultfd",
                "clock_settime", "fanotify_init", "ioctl",
            ]
            #if arch(x86_64)
                expected.insert("a call of another architecture (SIGSYS)")
            #endif
            #expect(denied.isSuperset(of: expected), "\(expected.subtracting(denied))")
        }

        @Test(arguments: Account.all) func hostileBytesInEverythingPrinted(account: Account) throws {
            let world = try World(account)
            // Names, a program among them, arguments, 100 kB of them, and what the user is told about the session.
            let names = Self.hostile.filter { !$0.contains("/") }
            let script = """
                for name; do : > "$name"; mv "$name" "$name.moved"; done
                cp '\(world.guest)' "$1"; "./$1" exit 0 "$@" "$(printf '\\377\\376\\200')" "$(head -c 100000 /dev/zero | tr '\\0' '\\33')"
                cat '\(world.secret)'; printf '\\033]0;x' > "$(printf '\\377\\033[2J')"; '\(world.guest)' hold
                """
            let text = Self.hostile.joined(separator: " ")
            let profile = try world.profile(
                "hostile",
                "description: \"\\e[31mred\"\nmode: enforce\nfiles: { default: allow, deny: [{ path: \"\(world.root)/vault/inner/**\", reason: \"\\e]0;x\\a\" }] }\nexec: { default: allow }\nnetwork: { default: allow }"
            )
            let options = ["--name", "\u{1b}[31mname", "--purpose", text, "--as", "agent:\u{1b}[2J", "--on-behalf-of", "user:\u{202e}x"]
            let running = try world.start(world.sandboxCommand(["sh", "-c", script, "sh"] + names, profile: profile, options: options))
            #expect(running.line(within: 60) == "ready")
            let live = [["ps"], ["ps", "--json"], ["inspect", "last"], ["kill", "\u{1b}[31m"]]
            for words in live { try check(world, words) }
            running.write("x")
            running.closeInput()
            #expect(running.finish(within: 60).code == 0)
            let afterwards = [
                ["audit", "sessions"], ["audit", "sessions", "--json"], ["audit", "show", "last"], ["audit", "show", "last", "--json"],
                ["audit", "events"], ["audit", "events", "--json"], ["audit", "events", "--decision", "deny"],
                ["audit", "show", "\u{1b}[31m\nforged"], ["audit", "usage"], ["audit", "usage", "--by", "host"],
                ["lineage", "last"], ["lineage", "last", "--json"], ["lineage", "last", "--format", "dot"],
                ["lineage", "last", "--format", "mermaid"], ["lineage", "last", "--format", "prov"],
                ["lineage", "last", "--format", "openlineage"], ["lineage", "\u{1b}[31m\nforged"],
                ["audit", "events", "--operation", "\u{1b}[31m"], ["profile", "list"], ["profile", "show", profile],
                ["profile", "show", profile, "--resolved"],
                ["profile", "check", profile], ["profile", "check", "\u{1b}[31m"], ["run", "-p", "\u{1b}[31m", "--", "true"],
                ["run", "--", "\u{1b}[31m"],
                ["run", "--mode", "\u{1b}[31m", "--", "true"], ["\u{1b}[31m"], ["doctor"],
            ]
            for words in afterwards { try check(world, words) }
            let json = try world.native([Built.sandbox, "audit", "events", "--json"]).out.split(separator: "\n")
            #expect(json.allSatisfy { (try? JSONSerialization.jsonObject(with: Data($0.utf8))) is [String: Any] })
            #expect(json.contains { $0.contains("100000") || $0.count > 1000 }, "the long argument, at least its beginning")
        }

        private func check(_ world: World, _ words: [String]) throws {
            let outcome = try world.native([Built.sandbox] + words)
            expectHarmless(outcome.out, words)
            expectHarmless(outcome.err, words)
        }

        /// A shell that becomes its last command is told as both, and what git does for itself stands behind what was worked on.
        @Test(.enabled(if: Built.installed("git")), arguments: Account.all) func aReviewerSeesTheWorkFirst(account: Account) throws {
            let world = try World(account)
            let script = "git init -q .; echo x > zz; rm -f none; /bin/cat zz > /dev/null; exec env nice true"
            #expect(try world.sandboxed(["bash", "-c", script], profile: "coding-agent").code == 0)
            let text = try world.native([Built.sandbox, "audit", "show", "last"]).out
            let lines = text.split(separator: "\n").map { $0.drop { $0 == " " } }
            #expect(lines.contains { $0.hasSuffix(" bash → env → nice → true") }, "\(text)")
            let changed = Array(lines.drop { $0 != "files changed" }.dropFirst())
            #expect(changed.count > 10 && changed[1] == "created  \(world.work)/zz" && !changed[0].contains("/.git/"), "\(text)")
            #expect(!text.contains("wrote    /dev/null"), "\(text)")
            let json = try world.native([Built.sandbox, "audit", "show", "last", "--json"]).out
            #expect(json.contains(#""before":["bash","env","nice"]"#), "\(json)")
        }

        @Test(.enabled(if: Built.installed("script"))) func coloursAreForTerminalsThatHaveThem() throws {
            let world = try World(.own)
            #expect(try world.sandboxed(["true"], profile: "observe").code == 0)
            func coloured(_ variables: String) throws -> Bool {
                let shown = try world.native(["script", "-qec", "env \(variables) \(Built.sandbox) audit sessions", "/dev/null"])
                #expect(shown.code == 0 && shown.out.contains("exit 0"), "\(shown)")
                return shown.out.contains("\u{1b}")
            }
            #expect(try coloured("TERM=xterm"))
            #expect(try !coloured("TERM=dumb"))
            #expect(try !coloured("TERM=xterm NO_COLOR=1"))
            #expect(try world.native([Built.sandbox, "audit", "sessions"]).out.contains("\u{1b}") == false)
        }

        @Test func whereThereIsNoTrailItIsSaid() throws {
            let world = try World(), nowhere = world.root + "/nowhere"
            let outcome = try world.native([Built.sandbox, "audit", "events", "--state", nowhere])
            #expect(outcome.code == 0 && outcome.out.isEmpty && outcome.err == "sandbox: there is no trail in `\(nowhere)`\n", "\(outcome)")
        }

        @Test(arguments: Account.all) func doctorTellsWhetherATrailCanBeKept(account: Account) throws {
            let world = try World(account), file = world.work + "/file"
            try "".write(toFile: file, atomically: false, encoding: .utf8)
            mkdir(world.root + "/closed", 0o755)
            let places = [
                (world.state, "lies in", true), (world.work + "/new/one", "is made when", true), (file + "/one", "ot a directory", false),
                (file, "ot a directory", false), (world.root + "/closed/one", "made", getuid() == 0 && account == .own),
            ]
            for (place, words, isGood) in places {
                let outcome = try world.native([Built.sandbox, "doctor", "--state", place])
                let line = outcome.out.split(separator: "\n").first { $0.hasPrefix("state directory") } ?? ""
                #expect(line.contains(place) && line.contains(words) && line.contains("full") == isGood, "\(place): \(outcome)")
                #expect(isGood || outcome.code == 1, "\(outcome)")
            }
            #expect(access(world.work + "/new", F_OK) != 0)
        }

        /// Programs that live for a moment, in every way to start one; each is a process with its program.
        @Test(arguments: Account.all) func shortLivedProgramsAreRecorded(account: Account) throws {
            let world = try World(account)
            let outcome = try world.sandboxed([world.guest, "spawn", "200", "8", "/bin/true"], profile: try world.permissive())
            #expect(outcome.code == 0, "\(outcome)")
            let starts = try world.events("--operation", "exec", "--limit", "100000").filter { $0.program.hasSuffix("/true") }
            #expect(Set(starts.map(\.pid)).count == 200)
        }

        /// What goes out without any connect(2) is named all the same.
        @Test(arguments: Account.all) func sendsWithoutConnectAreRecorded(account: Account) throws {
            let world = try World(account), listeners = try Listeners(world)
            _ = try world.sandboxed(
                [world.guest, "udp-sendmmsg-last", listeners.allowed, listeners.denied], profile: try world.permissive())
            let sent = try world.events("--operation", "send").map(\.resource)
            #expect(sent.contains("127.0.0.1:" + listeners.allowed) && sent.contains("127.0.0.1:" + listeners.denied), "\(sent)")
        }

        /// A name that is denied is looked up before anything is let go; `hosts` of the test's own say where it leads.
        @Test(arguments: Account.all) func deniedNamesAreResolvedFirst(account: Account) throws {
            let world = try World(account), listeners = try Listeners(world)
            try "127.0.0.1 localhost denied.example\n".write(toFile: world.home + "/hosts", atomically: false, encoding: .utf8)
            let profile = try world.profile(
                "named",
                "mode: enforce\nfiles: { default: allow }\nexec: { default: allow }\nnetwork: { default: allow, deny: [\"denied.example:\(listeners.denied)\"] }"
            )
            let namespaces =
                account == .own && getuid() == 0 ? ["unshare", "--mount"] : ["unshare", "--user", "--map-root-user", "--mount"]
            for guest in [["mapped-v4", listeners.allowed, listeners.denied], ["udp-sendmmsg-last", listeners.allowed, listeners.denied]] {
                let line = world.sandboxCommand([world.guest] + guest, profile: profile).map { "'\($0)'" }.joined(separator: " ")
                let outcome = try world.native(
                    namespaces + ["bash", "-c", "mount --bind '\(world.home)/hosts' /etc/hosts || exit 77; \(line)"], within: 60)
                if outcome.code == 77 || outcome.err.contains("unshare:") { return }
                #expect(outcome.out == "held\n", "\(outcome)")
            }
        }
    }
}
