import SandboxDecode
import SandboxModel
import Testing

/// The program that the kernel gets says of every number and register what the table says.
@Suite struct FilterTests {
    struct Setting: CustomTestStringConvertible, Sendable {
        var kind: FilterKind
        var testDescription: String {
            "\(kind.architecture), \(kind.enforces ? "enforce" : "observe")\(kind.scopesSignals ? "" : ", signals are judged")\(kind.tracksData ? ", data is followed" : "")"
        }
        static let all = Architecture.allCases.flatMap { architecture in
            [(true, true, false), (true, false, false), (true, true, true), (false, false, false)].map { enforces, scopes, tracks in
                var kind = FilterKind(enforces: enforces, scopesSignals: scopes, countsRoom: scopes, supervisor: 4321, front: 4320)
                kind.tracksData = tracks
                kind.architecture = architecture
                return Setting(kind: kind)
            }
        }
    }

    @Test(arguments: Setting.all) func saysWhatTheTableSays(_ setting: Setting) {
        let kind = setting.kind, machine = Machine(FilterProgram(kind), kind.architecture)
        let rows = Dictionary(
            uniqueKeysWithValues: SystemCall.table.compactMap { row in row.number(on: kind.architecture).map { ($0, row) } })
        for number in Array(0..<1100 as Range<UInt32>) + [0x3fff_ffff, .max] {
            guard let row = rows[number] else {
                #expect(machine.answer(number, [0, 0, 0, 0, 0, 0]) == kind.unknown, "\(number)")
                continue
            }
            for registers in interesting(row.rule, kind) {
                var call = RawCall(number: Int32(number), arguments: .init(repeating: 0))
                for i in 0..<6 { call.arguments[i] = registers[i] }
                let expected = kind.answer(row.rule, call)
                #expect(same(machine.answer(number, registers), expected), "\(row.name) \(registers)")
            }
        }
    }

    @Test(arguments: Setting.all) func killsForeignTables(_ setting: Setting) {
        let kind = setting.kind, machine = Machine(FilterProgram(kind), kind.architecture)
        for other: UInt32 in [
            0x4000_0003 /* i386 */, 0x4000_0028 /* arm */, 0, Architecture.allCases.first { $0 != kind.architecture }!.auditNumber,
        ] {
            #expect(machine.answer(39, [0, 0, 0, 0, 0, 0], architecture: other) == .kill)
        }
        let x32: [UInt32] = [0x4000_0000, 0x4000_0002, 0x4000_0208, 0x7fff_ffff, 0xffff_fffe]
        for number in x32 {
            #expect(machine.answer(number, [0, 0, 0, 0, 0, 0]) == (kind.architecture == .x86_64 ? .kill : kind.unknown))
        }
    }

    /// One call, one row, one number.
    @Test func rowsAreUnique() {
        #expect(Set(SystemCall.table.map(\.name.description)).count == SystemCall.table.count)
        for architecture in Architecture.allCases {
            let numbers = SystemCall.table.compactMap { $0.number(on: architecture) }
            #expect(Set(numbers).count == numbers.count)
            #expect(numbers.max().map(Int.init) == SystemCall.numbers - 1)
        }
        // Added since Linux 5.0 under the same number everywhere, from 424 on.
        for row in SystemCall.table where row.x86_64 ?? 0 >= 424 { #expect(row.x86_64 == row.aarch64, "\(row.name)") }
    }

    /// What a program does all the time is let go whatever its arguments, which is what the kernel remembers; and the
    /// rest takes few steps.
    @Test(arguments: Setting.all) func isShort(_ setting: Setting) {
        let program = FilterProgram(setting.kind), machine = Machine(program, setting.kind.architecture)
        #expect(program.instructions.count < 800)
        let hot = ["read", "write", "futex", "mmap", "munmap", "newfstatat", "fstat", "close", "lseek", "epoll_pwait", "recvmsg", "getpid"]
        for row in SystemCall.table {
            guard let number = row.number(on: setting.kind.architecture) else { continue }
            if hot.contains(row.name.description) { #expect(row.rule.clauses.isEmpty, "\(row.name)") }
            #expect(machine.steps(number) <= 72, "\(row.name): \(machine.steps(number))")
        }
    }

    private func same(_ a: Action, _ b: Action) -> Bool {
        if case .judge = a, case .judge = b { return true }
        return a == b
    }

    /// Every value that a condition names, its neighbours, and each with the upper half set; in one register after the
    /// other, and in those of two conditions at once.
    private func interesting(_ rule: Rule, _ kind: FilterKind) -> [[UInt64]] {
        var values: [Int: Set<UInt64>] = [:]
        for clause in rule.clauses {
            for condition in clause.conditions {
                let (register, words) = condition.named(kind)
                for w in words {
                    for v in [w, w &+ 1, w &- 1, w | 0x1_0000] {
                        values[register, default: [0]].formUnion([UInt64(v), UInt64(v) | 0x1_0000_0000])
                    }
                }
            }
        }
        var all: [[UInt64]] = [
            [0, 0, 0, 0, 0, 0], [UInt64](repeating: .max, count: 6), [UInt64](repeating: 0xffff_ffff_0000_0000, count: 6),
        ]
        for (i, vs) in values {
            for v in vs {
                for (j, ws) in values where j != i {
                    for w in ws {
                        var registers: [UInt64] = [0, 0, 0, 0, 0, 0]
                        registers[i] = v
                        registers[j] = w
                        all.append(registers)
                    }
                }
                var registers: [UInt64] = [0, 0, 0, 0, 0, 0]
                registers[i] = v
                all.append(registers)
            }
        }
        return all
    }
}

extension Condition {
    func named(_ kind: FilterKind) -> (register: Int, words: [UInt32]) {
        switch self {
        case .among(let i, _, let words): (i, words.map(kind.value))
        case .differs(let i, let v), .above(let i, let v), .anyBit(let i, let v): (i, [v])
        case .pointer(let i): (i, [0])
        }
    }
}

/// A classic BPF machine, as far as a seccomp filter may go (seccomp(2)): it loads, masks, compares and jumps forward.
struct Machine {
    private let program: [Instruction]
    private let architecture: Architecture

    init(_ program: FilterProgram, _ architecture: Architecture) {
        self.program = program.instructions
        self.architecture = architecture
    }

    func answer(_ number: UInt32, _ registers: [UInt64], architecture other: UInt32? = nil) -> Action {
        run(number, registers, other ?? architecture.auditNumber).action
    }
    func steps(_ number: UInt32) -> Int { run(number, [0, 0, 0, 0, 0, 0], architecture.auditNumber).steps }

    private func run(_ number: UInt32, _ registers: [UInt64], _ architecture: UInt32) -> (action: Action, steps: Int) {
        var data = [number, architecture, 0, 0]
        for r in registers { data += [UInt32(truncatingIfNeeded: r), UInt32(r >> 32)] }
        var a: UInt32 = 0, at = 0, steps = 0
        while true {
            let i = program[at]
            at += 1
            steps += 1
            switch i.code {
            case 0x20: a = data[Int(i.value) / 4]
            case 0x54: a &= i.value
            case 0x05: at += Int(i.value)
            case 0x15: at += Int(a == i.value ? i.whenTrue : i.whenFalse)
            case 0x25: at += Int(a > i.value ? i.whenTrue : i.whenFalse)
            case 0x35: at += Int(a >= i.value ? i.whenTrue : i.whenFalse)
            case 0x45: at += Int(a & i.value != 0 ? i.whenTrue : i.whenFalse)
            case 0x06: return (meaning(i.value), steps)
            default: fatalError("no instruction of a seccomp filter: \(i)")
            }
        }
    }

    private func meaning(_ value: UInt32) -> Action {
        switch value {
        case 0x7fff_0000: .allow
        case 0x7fc0_0000: .judge(.open)
        case 0x8000_0000: .kill
        default: .refuse(Int32(value & 0xffff))
        }
    }
}
