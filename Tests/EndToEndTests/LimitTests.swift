import Foundation
import Testing

extension EndToEnd {
    /// Section 10: too much of everything ends the session or a part of it, never the supervisor, and the trail says so.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct LimitTests {
        private func profile(_ world: World, _ more: String) throws -> String {
            try world.profile(
                "limited", "mode: enforce\nfiles: { default: allow }\nexec: { default: allow }\nnetwork: { default: allow }\n\(more)")
        }
        private func shown(_ world: World) throws -> String { try world.native([Built.sandbox, "audit", "show", "last"]).out }

        @Test(arguments: Account.all) func forkBombEndsTheSession(account: Account) throws {
            let world = try World(account)
            let outcome = try world.sandboxed([world.guest, "bomb", "300"], profile: try profile(world, "limits: { processes: 16 }"))
            #expect(outcome.code == 125 && !outcome.late, "\(outcome)")
            let text = try shown(world)
            #expect(text.contains("limits.processes: more than 16 processes at once"), "\(text)")
            #expect(text.contains("then the session"), "\(text)")
        }

        @Test(arguments: Account.all) func processesWithinTheLimitRun(account: Account) throws {
            let world = try World(account)
            let outcome = try world.sandboxed([world.guest, "crowd", "31"], profile: try profile(world, "limits: { processes: 32 }"))
            #expect(outcome.out == "31\n" && outcome.code == 0, "\(outcome)")
        }

        /// Sixteen a process: a process that takes those of all the others alone may, and no more.
        @Test(arguments: [63, 64], Account.all) func threadsAreCounted(count: Int, account: Account) throws {
            let world = try World(account)
            let outcome = try world.sandboxed(
                [world.guest, "threads", "\(count)"], profile: try profile(world, "limits: { processes: 4 }"))
            #expect(outcome.code == (count < 64 ? 0 : 128 + SIGKILL), "\(outcome)")
            #expect(try shown(world).contains("more than 64 threads at once") == (count == 64))
        }

        /// Each process alone is within the limit; the largest of those that are not together is killed.
        @Test(arguments: ["own", "unnamed", "second-thread", "own-descriptors"], Account.all) func memoryIsCountedForTheWholeTree(
            how: String, account: Account
        ) throws {
            let world = try World(account), command = [world.guest, "eat", how, "12", "4"]
            let outcome = try world.sandboxed(command, profile: try profile(world, "limits: { memory: 32MiB }"))
            #expect(outcome.out == "one: signal 9\n" && outcome.code == 0, "\(outcome)")
            let text = try shown(world)
            #expect(text.contains("limits.memory: "), "\(text)")
        }

        /// Segments outlive whoever has made them, so that they go with the session that has too many.
        @Test(arguments: Account.all) func segmentsCount(account: Account) throws {
            let world = try World(account)
            let outcome = try world.sandboxed(
                [world.guest, "eat", "segment", "12", "4"], profile: try profile(world, "limits: { memory: 32MiB }"))
            #expect(outcome.code == 125 && !outcome.late, "\(outcome)")
            #expect(try shown(world).contains("limits.memory: "))
            let made = outcome.out.split(separator: "\n"), left = try world.native(["cat", "/proc/sysvipc/shm"]).out
            #expect(
                made.count >= 3
                    && !left.split(separator: "\n").contains { $0.split(separator: " ").dropFirst().first.map(made.contains) == true })
        }

        /// Nor does a process's memory count twice while its child is in it.
        @Test(arguments: Account.all) func lentMemoryCountsOnce(account: Account) throws {
            let world = try World(account)
            let outcome = try world.sandboxed([world.guest, "lends", "20"], profile: try profile(world, "limits: { memory: 32MiB }"))
            #expect(outcome.out == "lent: exit 0\nlent: exit 0\n" && outcome.code == 0, "\(outcome)")
        }

        /// What has ended keeps its number until somebody has waited for it.
        @Test(arguments: [16, 300], Account.all) func processesThatNobodyWaitsFor(count: Int, account: Account) throws {
            let world = try World(account), command = [world.guest, "unreaped", "\(count)"]
            #expect(try world.native(command).out == "\(count)\n")
            let outcome = try world.sandboxed(command, profile: try profile(world, "limits: { processes: 16 }"))
            #expect(outcome.code == (count == 16 ? 0 : 125) && !outcome.late, "\(outcome)")
            #expect(try shown(world).contains("that have ended and nobody waits for") == (count == 300))
        }

        /// What processes share counts once: four times the same page is one page.
        @Test func sharedMemoryCountsOnce() throws {
            let world = try World()
            let script =
                "import os, sys\nheld = bytearray(b'x') * (16 << 20)\nr, w = os.pipe()\n"
                + "for i in range(3):\n  if os.fork() == 0:\n    os.close(w); os.read(r, 1); os._exit(0)\n"
                + "[os.close(os.open('/etc/passwd', 0)) for i in range(20000)]\nos.close(w)\nprint([os.waitstatus_to_exitcode(os.wait()[1]) for i in range(3)])\n"
            guard Built.installed("python3") else { return }
            let outcome = try world.sandboxed(["python3", "-c", script], profile: try profile(world, "limits: { memory: 48MiB }"))
            #expect(outcome.out == "[0, 0, 0]\n", "\(outcome)")
        }

        /// Where a group may be made, the session lies in one of its own from its first instruction on, and nothing is left of it.
        @Test(.enabled(if: getuid() == 0 && Built.installed("unshare", "mount")), arguments: Account.all)
        func controlGroupOfItsOwn(account: Account) throws {
            let world = try World(account), profile = try profile(world, "limits: { processes: 64, memory: 1GiB }")
            let look = ["grep", "^0::", "/proc/self/cgroup"], inside = account.prefix + world.sandboxCommand(look, profile: profile)
            // A mount of its own, so that it does not matter whether and where the machine has one.
            let script = """
                mkdir "$1/groups" && mount -t cgroup2 none "$1/groups" || exit 77
                own="$1/groups/e2e-$$"; user=$2; shift 2
                mkdir "$own" || exit 77; chown "$user" "$own" "$own"/cgroup.procs; echo $$ > "$own/cgroup.procs"
                grep ^0:: /proc/self/cgroup; "$@"; ls -d "$own"/*/ 2> /dev/null; echo $$ > "$own/../cgroup.procs"
                # The supervisor goes on for a moment, alone.
                for i in $(seq 1000); do rmdir "$own" 2> /dev/null && break; sleep 0.01; done
                """
            let user = account == .own ? "0" : "\(Account.uid)"
            let words = ["unshare", "--mount", "sh", "-c", script, "sh", world.root, user] + inside
            let running = try Running(words, environment: world.environment, directory: world.work)
            running.closeInput()
            let outcome = running.finish(within: 60)
            if outcome.code == 77 { return }
            let lines = outcome.out.split(separator: "\n")
            #expect(lines.count == 2 && lines.last?.hasPrefix((lines.first ?? "") + "/sandbox-s-") == true, "\(outcome)")
            #expect(try shown(world).contains("control group "))
        }

        /// By whom and how they are written makes no difference; four times 3 MiB are more than 8.
        @Test(arguments: ["children", "mapped", "threads", "replaced", "reserved"], Account.all)
        func writtenBytesAreCountedForTheWholeTree(how: String, account: Account) throws {
            let world = try World(account), command = [world.guest, "writes", how, "3"]
            #expect(try world.native(command).out == "written\n")
            let outcome = try world.sandboxed(command, profile: try profile(world, "limits: { written: 8MiB }"))
            #expect(outcome.code == 125 && !outcome.late, "\(outcome)")
            #expect(try shown(world).contains("limits.written: "))
        }

        /// What a process was told of its children's figures counts once.
        @Test(arguments: ["children", "mapped", "threads", "replaced", "reserved"], Account.all)
        func writtenBytesCountOnce(how: String, account: Account) throws {
            let world = try World(account)
            let outcome = try world.sandboxed([world.guest, "writes", how, "3"], profile: try profile(world, "limits: { written: 14MiB }"))
            #expect(outcome.out == "written\n" && outcome.code == 0, "\(outcome)")
        }

        @Test(arguments: Account.all) func noFileIsLongerThanWhatMayBeWritten(account: Account) throws {
            let world = try World(account), script = "head -c 3M /dev/zero > long; wc -c < long"
            #expect(try world.native(["bash", "-c", script]).out == "3145728\n")
            _ = try world.sandboxed(["bash", "-c", script], profile: try profile(world, "limits: { written: 1MiB }"))
            #expect(try FileManager.default.attributesOfItem(atPath: world.work + "/long")[.size] as? Int == 1 << 20)
        }

        @Test(arguments: Account.all) func timeIsUp(account: Account) throws {
            let world = try World(account), marker = "limit-\(UInt64.random(in: 0...UInt64.max))"
            let outcome = try world.sandboxed(
                [world.guest, "linger", marker], profile: try profile(world, "limits: { time: 1s }"), within: 30)
            #expect(outcome.code == 125 && !outcome.late && processes(carrying: marker).isEmpty, "\(outcome)")
            #expect(try shown(world).contains("the time limit of 1 s is over"))
        }

        @Test(arguments: Account.all) func openFiles(account: Account) throws {
            let world = try World(account)
            let script =
                "i=3; while [ $i -lt 60 ] && eval \"exec $i</dev/null\" 2>/dev/null; do i=$((i + 1)); done; ulimit -Hn; [ $i -gt 30 ] && [ $i -lt 41 ] && echo few"
            let outcome = try world.sandboxed(["bash", "-c", script], profile: try profile(world, "limits: { open_files: 40 }"))
            #expect(outcome.out == "40\nfew\n", "\(outcome)")
        }

        /// A supervisor with hardly a descriptor of its own, and more processes than that.
        @Test(arguments: Account.all) func fewDescriptorsManyProcesses(account: Account) throws {
            let world = try World(account)
            let command = world.sandboxCommand([world.guest, "crowd", "120"], profile: try world.permissive())
            let outcome = try world.native(["bash", "-c", "ulimit -n 90; exec \"$@\"", "-"] + command, within: 60)
            #expect(outcome.code == 0 && outcome.out == "120\n" && !outcome.late, "\(outcome)")
            let text = try shown(world)
            #expect(text.contains("121 processes"), "\(text)")
            let tooFew = try world.native(["bash", "-c", "ulimit -n 20; exec \"$@\"", "-"] + world.sandboxCommand(["true"]))
            #expect(tooFew.code == 125 && tooFew.err.contains("descriptors"), "\(tooFew)")
        }

        /// Three hundred calls that wait for ever hold up nobody, and not the end either.
        @Test(arguments: Account.all) func callsThatWaitForEver(account: Account) throws {
            let world = try World(account)
            let outcome = try world.sandboxed([world.guest, "wait-forever", "100"], profile: try world.permissive(), within: 60)
            #expect(outcome.code == 0 && outcome.out == "answered\n" && !outcome.late, "\(outcome)")
        }

        /// A file system whose server is gone holds those who ask it, and nobody else: neither notifiers nor the tracer, which looks where
        /// an argument leads and what a program's standard input is. Only root can mount one.
        @Test(
            .enabled(if: getuid() == 0), arguments: Account.all,
            [
                ("asks-the-dead", "file: \"text\"\nrename: ok\ntrue: exit 0\n"),
                ("begins-with-the-slow", "quick: exit 0\nslow: exit 0\n"),
            ])
        func filesThatNeverAnswer(account: Account, tool: (name: String, says: String)) throws {
            let world = try World(account), folder = world.work + "/dead"
            mkdir(folder, 0o755)
            let server = try Running([world.guest, "dead-files", folder], environment: world.environment, directory: world.root)
            defer { server.closeInput() }
            guard server.line() == "ready" else { return }  // this machine has no FUSE
            let profile = try world.profile(
                "patient",
                """
                mode: enforce
                files: { default: allow, write: ["/**"] }
                exec: { default: allow }
                network: { default: deny }
                rules:
                  - { name: downloaded, intent: proc.exec_downloaded, decide: deny, reason: r }
                """)
            let native = try world.native([world.guest, tool.name, folder])
            #expect(native.out == tool.says, "\(native)")
            let outcome = try world.sandboxed([world.guest, tool.name, folder], profile: profile, within: 60)
            #expect(outcome.code == 0 && outcome.out == native.out && !outcome.late, "\(outcome)")
        }

        /// The supervisor's copies of what waits to be sent are bounded.
        @Test(arguments: Account.all) func messagesThatNobodyTakes(account: Account) throws {
            let world = try World(account)
            let outcome = try world.sandboxed([world.guest, "hoard", "280"], profile: try world.permissive(), within: 90)
            #expect(outcome.code == 0 && outcome.out == "refused\n" && !outcome.late, "\(outcome)")
        }

        @Test(arguments: Account.all) func sandboxInSandboxIsRefused(account: Account) throws {
            let world = try World(account)
            for profile in [try world.permissive(), "observe"] {
                let inner = world.sandboxCommand(["touch", "ran"], profile: "observe", options: ["--state", world.work + "/inner"])
                let outcome = try world.sandboxed(inner, profile: profile)
                #expect(outcome.code == 125 && outcome.err.contains("inside another `sandbox`"), "\(outcome)")
                #expect(access(world.work + "/ran", F_OK) != 0)
            }
        }

        /// Neither the trail nor the live sessions are there for who is supervised: not even its own.
        @Test(arguments: Account.all) func sandboxCommandsFromInside(account: Account) throws {
            let world = try World(account), profile = try world.permissive()
            for words in ["ps", "inspect last", "kill last", "audit sessions", "audit show last", "audit events"] {
                let outcome = try world.sandboxed([Built.sandbox] + words.split(separator: " ").map(String.init), profile: profile)
                #expect(outcome.code == 125 && outcome.out.isEmpty, "\(words): \(outcome)")
            }
            #expect(try world.events("--decision", "deny").contains { $0.resource.hasPrefix(world.state) })
        }
    }

    /// A record that cannot be made: `audit.on_failure` says whether the call waits or goes on.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct StoreFailureTests {
        /// Runs a script in a mount namespace of its own, where `$STATE` has 5 MiB left: the journal's first segment fits, the
        /// beginning of the database, and no second one.
        private func onSmallDisk(_ world: World, _ script: String) throws -> Outcome? {
            let prepare = "mount -t tmpfs -o size=64m,mode=0700 none \"$STATE\" || exit 77; head -c 59m /dev/zero > \"$STATE/filler\""
            // As root the namespace alone; others need one in which they are root. Where neither can be had, there is no such disk.
            let namespaces =
                world.account == .own && getuid() == 0 ? ["unshare", "--mount"] : ["unshare", "--user", "--map-root-user", "--mount"]
            let running = try world.start(namespaces + ["bash", "-c", prepare + "\n" + script], environment: ["STATE": world.state])
            running.closeInput()
            let outcome = running.finish(within: 90)
            return outcome.code == 77 || outcome.err.contains("unshare:") ? nil : outcome
        }
        private func command(_ world: World, _ failure: String, _ opens: Int) throws -> String {
            let profile = try world.profile(
                failure,
                "mode: enforce\nfiles: { default: allow }\nexec: { default: allow }\nnetwork: { default: allow }\naudit: { on_failure: \(failure) }"
            )
            return world.sandboxCommand([world.guest, "makes", world.work, "\(opens)"], profile: profile).map { "'\($0)'" }.joined(
                separator: " ")
        }
        /// More records than the first segment holds, of files with long paths.
        private static let many = 5_000

        @Test(arguments: Account.all) func fullDiskBlocks(account: Account) throws {
            let world = try World(account)
            let line = try command(world, "block", Self.many)
            // It stands still once the segment is full, and goes on when there is room.
            let script = """
                \(line) & pid=$!
                last=-1
                while count=$(find '\(world.work)' -type f | wc -l); [ $count -lt \(Self.many) ] && { [ $count != $last ] || [ $count = 0 ]; }; do last=$count; sleep 1; done
                [ $count -lt \(Self.many) ] && kill -0 $pid && echo held
                rm "$STATE/filler"
                wait $pid; echo "exit $?"
                '\(Built.sandbox)' audit events --operation create --limit 1000000 | grep -c /file
                """
            guard let outcome = try onSmallDisk(world, script) else { return }
            #expect(outcome.out == "held\nexit 0\n\(Self.many)\n", "\(outcome)")
        }

        @Test(arguments: Account.all) func fullDiskCanBeGoneOnFrom(account: Account) throws {
            let world = try World(account)
            let line = try command(world, "continue", Self.many)
            guard let outcome = try onSmallDisk(world, "\(line); echo \"exit $?\"; find '\(world.work)' -type f | wc -l") else { return }
            #expect(outcome.out == "exit 0\n\(Self.many)\n" && outcome.err.contains("events could not be recorded"), "\(outcome)")
        }

        /// A session that is ended while its calls are held ends.
        @Test(arguments: Account.all) func fullDiskDoesNotKeepFromEnding(account: Account) throws {
            let world = try World(account)
            let line = try command(world, "block", Self.many).replacingOccurrences(of: "'run'", with: "'run' '--timeout' '5s'")
            guard let outcome = try onSmallDisk(world, "\(line); echo \"exit $?\"; find '\(world.work)' -type f | wc -l") else { return }
            #expect(outcome.out.hasPrefix("exit 125\n") && !outcome.late && !outcome.out.hasSuffix("\n\(Self.many)\n"), "\(outcome)")
        }

        @Test(arguments: ["block", "continue"], Account.all) func removedStore(failure: String, account: Account) throws {
            let world = try World(account)
            let line = try command(world, failure, Self.many)
            let held = """
                last=-1
                while count=$(find '\(world.work)' -type f | wc -l); [ $count -lt \(Self.many) ] && [ $count != $last ]; do last=$count; sleep 2; done
                [ $count -lt \(Self.many) ] && { echo held; kill -KILL $pid; }
                """
            let script = """
                \(line) & pid=$!
                while [ $(find '\(world.work)' -type f | wc -l) -lt 100 ]; do sleep 0.1; done
                rm -r "$STATE"/*
                \(failure == "block" ? held : "")
                wait $pid; echo "exit $?"
                """
            guard let outcome = try onSmallDisk(world, script) else { return }
            // The call that is held when the supervisor dies fails (ENOSYS, seccomp_unotify(2)), and its caller may get to say so
            // before it is killed too.
            let said = outcome.out.replacing(/guest broke: file\d+: Function not implemented\n/, with: "")
            if failure == "block" { #expect(said == "held\nexit 137\n", "\(outcome)") }
            if failure == "continue" { #expect(outcome.out == "exit 0\n" && outcome.err.contains("could not be recorded"), "\(outcome)") }
        }
    }
}
