import Foundation
import Testing

extension EndToEnd {
    /// What one judged call costs the supervisor, in system calls: a number that is the same on every machine. A change that
    /// makes it more should know why; docs/PERFORMANCE.md says what each of them is for.
    @Suite struct CostTests {
        struct Cost: CustomTestStringConvertible, Sendable {
            let kind: String
            let mode: String
            let thread: String
            let calls: [String: Int]
            /// As many as the machine has answers.
            var uncounted: String?
            var testDescription: String { "\(kind), \(mode)" }
        }

        static let costs = [
            // Receive and answer, the name, a look.
            Cost(kind: "open", mode: "observe", thread: "sbx-notify", calls: ["ioctl": 2, "process_vm_readv": 1, "newfstatat": 1]),
            Cost(kind: "absent", mode: "observe", thread: "sbx-notify", calls: ["ioctl": 2, "process_vm_readv": 1, "newfstatat": 1]),
            // A look at the folder besides.
            Cost(kind: "write", mode: "observe", thread: "sbx-notify", calls: ["ioctl": 2, "process_vm_readv": 1, "newfstatat": 2]),
            // The memory of the name besides.
            Cost(kind: "open", mode: "enforce", thread: "sbx-notify", calls: ["ioctl": 3, "process_vm_readv": 1, "newfstatat": 1]),
            // The same by the rules of a shipped profile, which are about other things.
            Cost(kind: "open", mode: "coding-agent", thread: "sbx-notify", calls: ["ioctl": 3, "process_vm_readv": 1, "newfstatat": 1]),
            // Pin, look, name, is the caller still there, open what was pinned, place it, close both, then answer.
            Cost(
                kind: "write", mode: "enforce", thread: "sbx-notify",
                calls: ["ioctl": 4, "process_vm_readv": 1, "openat2": 1, "newfstatat": 1, "readlinkat": 1, "openat": 1, "close": 2]),
            // A second look without links, because procfs means somebody else to us.
            Cost(
                kind: "absent", mode: "enforce", thread: "sbx-notify",
                calls: ["ioctl": 3, "process_vm_readv": 1, "newfstatat": 1, "openat2": 1]),
            // Receive and answer, the address, the socket and its type.
            Cost(
                kind: "connect", mode: "observe", thread: "sbx-notify",
                calls: ["ioctl": 2, "process_vm_readv": 1, "pidfd_getfd": 1, "getsockopt": 1, "close": 1]),
            // By which device it would go, besides.
            Cost(
                kind: "connect", mode: "enforce", thread: "sbx-notify",
                calls: ["ioctl": 3, "process_vm_readv": 1, "pidfd_getfd": 1, "getsockopt": 2, "connect": 1, "close": 1]),
            // Who answers there is asked of the kernel besides, of both families, however many sockets there are.
            Cost(
                kind: "connect", mode: "carries", thread: "sbx-notify",
                calls: [
                    "ioctl": 3, "process_vm_readv": 1, "pidfd_getfd": 1, "getsockopt": 2, "connect": 1, "close": 2, "socket": 1,
                    "sendto": 2,
                ], uncounted: "recvfrom"),
            // Five stops (fork, the child, exec, the child's end, SIGCHLD), each waited for and taken; the child's pidfd; the
            // program's file and name, the loader's (of a kernel since 6.11), its stack and arguments; and each standard stream
            // taken, what it is, which way it goes, its name, closed.
            Cost(
                kind: "start", mode: "enforce", thread: "sandbox",
                calls: [
                    "waitid": 5, "wait4": 5, "ptrace": 7, "pidfd_open": 1, "close": 5, "newfstatat": 5, "readlinkat": 4, "openat": 1,
                    "ioctl": 1, "process_vm_readv": 3, "pidfd_getfd": 3, "fcntl": 3,
                ]),
        ]

        @Test(
            .enabled(if: getuid() == 0 && Built.installed("strace"), "the supervisor lets nobody but root look at it, with strace"),
            arguments: costs) func systemCalls(_ cost: Cost) throws
        {
            let world = try World()
            let file = "\(world.work)/file"
            try "text".write(toFile: file, atomically: false, encoding: .utf8)
            let path = cost.kind == "start" ? world.guest : cost.kind == "absent" ? "\(world.work)/none" : file
            let profile =
                switch cost.mode {
                case "enforce": try world.permissive()
                case "carries": try world.carrying()
                default: cost.mode
                }
            let running = try world.start(world.sandboxCommand([world.guest, "calls", cost.kind, path], profile: profile))
            #expect(running.line() == "ready")
            let supervisor = try #require(World.supervisor(of: running.pid))
            let log = "\(world.root)/calls"
            // Before it is looked at, so that what is remembered is remembered.
            running.write("20\n")
            #expect(running.line() == "done")
            let tracer = try world.start(["strace", "-f", "-qq", "-o", log, "-p", "\(supervisor)"])
            #expect(eventually(within: 20) { threads(supervisor).allSatisfy { traced(supervisor, $0) } })
            let tids = threads(supervisor).filter { name(supervisor, $0) == cost.thread }
            let rounds = 200
            running.write("\(rounds)\n")
            #expect(running.line(within: 60) == "done")
            tracer.signal(SIGTERM)
            _ = tracer.finish(within: 20)
            running.closeInput()
            _ = running.finish(within: 20)
            var counted = count(log, tids)
            if let uncounted = cost.uncounted { counted[uncounted] = nil }
            for (call, expected) in cost.calls {
                // What comes by the second or by the change of receivers is no part of a call.
                let each = (Double(counted.removeValue(forKey: call) ?? 0) / Double(rounds)).rounded()
                #expect(Int(each) == expected, "\(call)")
            }
            for (call, n) in counted { #expect(n < rounds / 4, "\(call): \(n) in \(rounds) calls") }
        }

        private func threads(_ pid: pid_t) -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")) ?? [] }

        private func text(_ pid: pid_t, _ tid: String, _ file: String) -> String {
            (try? String(contentsOfFile: "/proc/\(pid)/task/\(tid)/\(file)", encoding: .utf8)) ?? ""
        }

        private func name(_ pid: pid_t, _ tid: String) -> String { text(pid, tid, "comm").trimmingCharacters(in: .newlines) }

        private func traced(_ pid: pid_t, _ tid: String) -> Bool { !text(pid, tid, "status").contains("TracerPid:\t0") }

        /// By name; a call that another thread's line cut in two counts once.
        private func count(_ log: String, _ tids: [String]) -> [String: Int] {
            var counted: [String: Int] = [:]
            let lines = ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n")
            for line in lines {
                let words = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
                guard words.count == 2, tids.contains(String(words[0])), let end = words[1].firstIndex(of: "(") else { continue }
                let call = words[1][..<end].trimmingCharacters(in: .whitespaces)
                if call.first?.isLetter == true { counted[call, default: 0] += 1 }
            }
            return counted
        }
    }
}
