import Foundation
import SandboxDecode
import SandboxModel
import Testing

extension EndToEnd {
    /// The table against the running kernel: each number, issued by a guest with nothing but -1 in its registers.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct SystemCallTests {
        /// They end the process, make another, wait for ever, flush the machine's disks, or depend on who started the guest.
        static let leftOut: Set = [
            "exit", "exit_group", "rt_sigreturn", "fork", "vfork", "pause", "uretprobe", "uprobe", "sync", "setsid",
        ]
        /// Settled by the supervisor from a process id, -1: nobody's to change.
        static let settled: Set = [
            // By what they ask for: a signal to everybody, every flag.
            "kill", "clone", "unshare",
            "setpriority", "ioprio_set", "prlimit64", "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr",
        ]

        /// With everything wrong at once the supervisor may meet another mistake first.
        static let oneOfMany: Set = [EFAULT, EBADF, EINVAL]

        private struct Walk {
            var refused: [UInt32: Int32] = [:]
            var others: [UInt32: SystemCall] = [:]
            var judged: Set<UInt32> = []

            init(_ kind: FilterKind) {
                for row in SystemCall.table {
                    guard let n = row.number(on: .current), !SystemCallTests.leftOut.contains(row.name.description) else { continue }
                    let call = RawCall(number: Int32(n), arguments: .init(repeating: .max))
                    switch kind.answer(row.rule, call) {
                    case .refuse(let error): refused[n] = error
                    case .judge(.refused): refused[n] = EPERM
                    default: others[n] = row
                    }
                    if kind.judges(call) { judged.insert(n) }
                }
            }
        }

        private func ranges(_ numbers: some Sequence<UInt32>) -> [String] { numbers.sorted().map { "\($0)-\($0)" } }

        private func answers(_ outcome: Outcome) -> [UInt32: Int32] {
            let lines = outcome.out.split(separator: "\n").map { $0.split(separator: " ") }
            return Dictionary(uniqueKeysWithValues: lines.map { (UInt32($0[0])!, Int32($0[1])!) })
        }

        @Test(arguments: Account.all, [true, false]) func eachNumberIsWhatTheTableSays(account: Account, enforces: Bool) throws {
            let world = try World(account)
            let profile = enforces ? try world.permissive() : "observe"
            let walk = Walk(FilterKind(enforces: enforces, scopesSignals: true, countsRoom: true, supervisor: 0, front: 0))
            let command = [world.guest, "numbers"]
            // What is refused is not tried outside.
            let native = answers(try world.native(command + ranges(walk.others.keys)))
            let outcome = try world.sandboxed(command + ranges(Array(walk.others.keys) + walk.refused.keys), profile: profile)
            let inside = answers(outcome)
            #expect(inside.count == walk.others.count + walk.refused.count, "\(outcome.err)")
            for (n, error) in walk.refused { #expect(inside[n] == error, "\(n)") }
            for (n, row) in walk.others {
                let isJudged = enforces && walk.judged.contains(n), name = row.name.description
                if isJudged, Self.settled.contains(name) {
                    #expect(inside[n] == EPERM, "\(name)")
                } else if isJudged, let error = native[n], Self.oneOfMany.contains(error) {
                    #expect(Self.oneOfMany.contains(inside[n]!), "\(name): \(row.reason)")
                } else if name != "landlock_restrict_self" {  // asks for no_new_privs, which is there inside
                    #expect(inside[n] == native[n], "\(name): \(row.reason)")
                }
            }
        }

        @Test(arguments: Account.all) func whatIsInNoRowIsAbsent(account: Account) throws {
            let world = try World(account)
            let known = Set(SystemCall.table.compactMap { $0.number(on: .current) })
            let unknown = (0...1023 as ClosedRange<UInt32>).filter { !known.contains($0) }
            #expect(unknown.count > 500)
            let inside = answers(try world.sandboxed([world.guest, "numbers"] + ranges(unknown), profile: world.permissive()))
            #expect(inside == Dictionary(uniqueKeysWithValues: unknown.map { ($0, ENOSYS) }))
        }

        @Test func theSessionAndDoctorSayWhatLandlockTakes() throws {
            let world = try World()
            let doctor = try world.native([Built.sandbox, "doctor"]).out
            #expect(doctor.contains("system calls"))
            _ = try world.sandboxed(["true"], profile: world.permissive())
            let shown = try world.native([Built.sandbox, "audit", "show", "last"]).out
            let line = try #require(shown.split(separator: "\n").first { $0.contains("Landlock") }).drop { $0 == " " }
            #expect(doctor.contains(line.dropFirst("Landlock ".count)))
        }
    }
}
