import Foundation
import Testing

extension EndToEnd {
    /// However the supervisor ends, nobody lives on, and what was done is in the trail.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct KillTests {
        static let rounds = Int(ProcessInfo.processInfo.environment["KILL_ROUNDS"] ?? "") ?? 200

        @Test(arguments: Account.all) func killedAtRandomMoments(account: Account) throws {
            let world = try World(account), profile = try world.permissive(), temporary = ["TMPDIR": world.home]
            var reported: [String] = []
            for round in 1...(account == .own ? Self.rounds : max(20, Self.rounds / 10)) {
                let marker = "kill\(round)x\(UInt32.random(in: 0...UInt32.max))"
                let running = try world.start(
                    world.sandboxCommand([world.guest, "maker", world.work, marker], profile: profile), environment: temporary)
                // Some die while they start, some after a number of files: what is waited for is the report, not the clock.
                let wanted = Int.random(in: -5...40)
                var seen: [String] = []
                while seen.count < wanted, let line = running.line(within: 20) { seen.append(line) }
                try #require(seen.count >= wanted, "round \(round): \(running.finish(within: 1))")
                if wanted < 0 { usleep(UInt32.random(in: 0...30_000)) }
                // In turn the one who only waits and the one who supervises.
                let supervisor = round % 2 == 0 ? World.supervisor(of: running.pid) : nil
                if let supervisor { kill(supervisor, SIGKILL) } else { running.signal(SIGKILL) }
                let outcome = running.finish(within: 20)
                #expect(outcome.code == (supervisor == nil ? 128 + SIGKILL : 125))
                // The one who only waits holds the listener too: no call is answered for want of a supervisor.
                #expect(supervisor == nil || !outcome.out.contains("Function not implemented"), "\(outcome)")
                reported += seen + outcome.out.split(separator: "\n").map(String.init).filter { $0.hasPrefix(marker) }
                let gone = eventually { processes(carrying: marker).isEmpty }
                try #require(gone, "round \(round): left behind: \(processes(carrying: marker))")
            }
            // Who asks for the trail takes in what was left, and removes the rest of those sessions.
            let asked = try world.start([Built.sandbox, "audit", "sessions"], environment: temporary)
            let sessions = asked.finish(within: 120).out
            let left = try FileManager.default.contentsOfDirectory(atPath: world.home).filter { $0.hasPrefix("sandbox-s-") }
            #expect(sessions.contains("s-0") && !left.contains { sessions.contains($0.dropFirst("sandbox-".count)) }, "\(left)")
            let names = Set(
                try world.events("--operation", "create", "--limit", "1000000").map { URL(fileURLWithPath: $0.resource).lastPathComponent })
            let lost = reported.filter { !names.contains($0) }
            #expect(lost.isEmpty, "\(lost.count) of \(reported.count) are not in the trail, as \(lost.prefix(5))")
            #expect(!reported.isEmpty)
        }

        @Test(arguments: [SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGSEGV, SIGABRT])
        func endedByOtherSignals(number: Int32) throws {
            let world = try World(), marker = "end\(number)x\(UInt32.random(in: 0...UInt32.max))"
            let running = try world.start(world.sandboxCommand([world.guest, "maker", world.work, marker, "3"]))
            for _ in 0..<3 { try #require(running.line() != nil) }
            running.signal(number)
            #expect(!running.finish(within: 30).late)
            #expect(eventually { processes(carrying: marker).isEmpty })
        }
    }

    /// Many processes, many opens: nothing lost, little memory, no descriptors.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct ScaleTests {
        static let opens = Int(ProcessInfo.processInfo.environment["SCALE_OPENS"] ?? "") ?? 100_000
        static let starts = Int(ProcessInfo.processInfo.environment["SCALE_PROCESSES"] ?? "") ?? 10_000

        private func peakMegabytes(_ pid: pid_t) -> Int {
            let text = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
            return (Int(line.split(whereSeparator: \.isWhitespace).dropFirst().first ?? "") ?? 0) / 1024
        }
        private func descriptors(_ pid: pid_t) -> Int {
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count) ?? -1
        }

        /// Runs the work between two stops of a shell, and looks at the supervisor before and after.
        private func measured(_ world: World, _ work: String, expect text: String, within seconds: Double) throws {
            let script = "echo ready; read a; \(work); echo done; read b"
            let running = try world.start(world.sandboxCommand(["sh", "-c", script], profile: try world.permissive()))
            try #require(running.line() == "ready")
            let supervisor = try #require(World.supervisor(of: running.pid))
            let before = descriptors(supervisor)
            running.write("go\n")
            #expect(running.line(within: seconds) == text)
            try #require(running.line() == "done")
            let settled = eventually(within: 20) { descriptors(supervisor) <= before + 8 }
            #expect(settled, "descriptors: \(before) before, \(descriptors(supervisor)) after")
            #expect((1..<100).contains(peakMegabytes(supervisor)), "peak \(peakMegabytes(supervisor)) MiB")
            running.write("end\n")
            #expect(running.finish(within: 60).code == 0)
        }

        @Test func shortProcesses() throws {
            let world = try World()
            try measured(
                world, "'\(world.guest)' spawn \(Self.starts) 200", expect: "started \(Self.starts) good \(Self.starts)", within: 300)
            let exits = try world.events("--operation", "exit", "--limit", "10000000").reduce(0) { $0 + $1.count }
            #expect(exits >= Self.starts)
        }

        @Test func shortPrograms() throws {
            let world = try World()
            try measured(world, "'\(world.guest)' spawn 2000 50 /bin/true", expect: "started 2000 good 2000", within: 300)
            let starts = try world.events("--operation", "exec", "--limit", "10000000")
                .filter { $0.resource.hasSuffix("/true") }.reduce(0) { $0 + $1.count }
            #expect(starts == 2000)
        }

        @Test(arguments: [1, 8]) func manyOpens(threads: Int) throws {
            let world = try World(), count = Self.opens / threads * threads, path = world.work + "/opened"
            try "x".write(toFile: path, atomically: false, encoding: .utf8)
            try measured(world, "'\(world.guest)' opens \(count) '\(path)' \(threads)", expect: "opened \(count)", within: 900)
            let recorded = try world.events("--path", path, "--limit", "10000000").filter { $0.operation == "open" }.reduce(0) {
                $0 + $1.count
            }
            #expect(recorded == count)
        }
    }
}
