package import SandboxModel

/// One instruction of a classic BPF program, linux/filter.h.
package struct Instruction: Sendable, Hashable {
    package var code: UInt16
    package var whenTrue: UInt8
    package var whenFalse: UInt8
    package var value: UInt32

    init(_ code: UInt16, _ value: UInt32, whenTrue: Int = 0, whenFalse: Int = 0) {
        self.code = code
        self.value = value
        // A jump that does not fit traps here and not in the kernel.
        self.whenTrue = UInt8(whenTrue)
        self.whenFalse = UInt8(whenFalse)
    }

    // seccomp(2), struct seccomp_data; both architectures are little-endian.
    static let loadNumber = Instruction(0x20, 0)
    static let loadArchitecture = Instruction(0x20, 4)
    static func load(_ argument: Int, upper: Bool = false) -> Instruction { Instruction(0x20, UInt32(16 + 8 * argument + (upper ? 4 : 0))) }
    static func and(_ mask: UInt32) -> Instruction { Instruction(0x54, mask) }
    static func skip(_ count: Int) -> Instruction { Instruction(0x05, UInt32(count)) }
    static func ifEqual(_ v: UInt32, _ t: Int, _ f: Int) -> Instruction { Instruction(0x15, v, whenTrue: t, whenFalse: f) }
    static func ifAbove(_ v: UInt32, _ t: Int, _ f: Int) -> Instruction { Instruction(0x25, v, whenTrue: t, whenFalse: f) }
    static func ifAtLeast(_ v: UInt32, _ t: Int, _ f: Int) -> Instruction { Instruction(0x35, v, whenTrue: t, whenFalse: f) }
    static func ifAnyBit(_ v: UInt32, _ t: Int, _ f: Int) -> Instruction { Instruction(0x45, v, whenTrue: t, whenFalse: f) }

    static func answer(_ action: Action) -> Instruction {
        switch action {
        case .allow: Instruction(0x06, 0x7fff_0000)
        case .judge: Instruction(0x06, 0x7fc0_0000)
        case .refuse(let error): Instruction(0x06, 0x0005_0000 | UInt32(error))
        case .kill: Instruction(0x06, 0x8000_0000)
        }
    }
}

/// What a filter is made for.
package struct FilterKind: Sendable {
    package var architecture = Architecture.current
    /// Observe mode refuses nothing but what cannot be supervised at all.
    package var enforces: Bool
    /// Landlock keeps signals in the session.
    package var scopesSignals: Bool
    /// What is written is limited.
    package var countsRoom: Bool
    /// The profile has rules about data classes.
    package var tracksData = false
    /// Process ids: ours, and the one that the user started, in the agent's process group.
    package var supervisor: Int32
    package var front: Int32

    package init(enforces: Bool, scopesSignals: Bool, countsRoom: Bool, supervisor: Int32, front: Int32) {
        self.enforces = enforces
        self.scopesSignals = scopesSignals
        self.countsRoom = countsRoom
        self.supervisor = supervisor
        self.front = front
    }

    func holds(_ when: Clause.When) -> Bool {
        switch when {
        case .always: true
        case .enforced: enforces
        case .scoped: enforces && scopesSignals
        case .unscoped: enforces && !scopesSignals
        case .counted: enforces && countsRoom
        case .tracking: enforces && tracksData
        }
    }

    package func value(_ word: Word) -> UInt32 {
        switch word {
        case .value(let v): v
        case .supervisor: UInt32(bitPattern: supervisor)
        case .supervisorGroup: UInt32(bitPattern: -supervisor)
        case .front: UInt32(bitPattern: front)
        }
    }

    /// For numbers that are in no row.
    package var unknown: Action { enforces ? .refuse(ENOSYS) : .allow }

    /// What the program answers to a call of this row.
    package func answer(_ rule: Rule, _ call: RawCall) -> Action {
        rule.clauses.first { clause in holds(clause.when) && clause.conditions.allSatisfy { $0.holds(call, self) } }?.action ?? .allow
    }

    /// Whether a call comes to the supervisor, with these registers.
    package func judges(_ call: RawCall) -> Bool {
        guard let rule = SystemCall.judged(call.number)?.rule, case .judge = answer(rule, call) else { return false }
        return true
    }
}

/// The table as a BPF program: the architecture, then a binary tree over the numbers, in whose leaves lie the rules.
///
/// Ranges of calls with one rule are one leaf. The kernel finds out by itself which calls the program lets go whatever
/// their arguments, and does not run it for those (kernel/seccomp.c, seccomp_cache_prepare, Linux 5.11).
package struct FilterProgram: Sendable {
    package let instructions: [Instruction]

    private struct Leaf {
        var first: UInt32
        var code: [Instruction]
    }

    package init(_ kind: FilterKind) {
        // i386 and x32 have numbers of their own for everything: no call of theirs is ever judged, so none is made.
        let dead = Instruction.answer(.kill)
        var start: [Instruction] = [.loadArchitecture, .ifEqual(kind.architecture.auditNumber, 1, 0), dead, .loadNumber]
        // Bit 30 says x32, but a tracer that skips a call sets all of them: there is no call number -1.
        if kind.architecture == .x86_64 { start += [.ifAtLeast(0x4000_0000, 0, 2), .ifEqual(.max, 1, 0), dead] }
        start.reserveCapacity(1024)
        FilterProgram.append(FilterProgram.leaves(kind)[...], to: &start)
        instructions = start
    }

    private static func leaves(_ kind: FilterKind) -> [Leaf] {
        let unknown = [Instruction.answer(kind.unknown)], allowed = [Instruction.answer(.allow)]
        // One more than there are: the last leaf is for all that come later.
        var byNumber = [[Instruction]](repeating: unknown, count: SystemCall.numbers + 1)
        for row in SystemCall.table {
            if let n = row.number(on: kind.architecture) { byNumber[Int(n)] = row.rule.clauses.isEmpty ? allowed : code(row.rule, kind) }
        }
        var leaves = [Leaf(first: 0, code: byNumber[0])]
        for (n, code) in byNumber.enumerated() where code != leaves[leaves.count - 1].code {
            leaves.append(Leaf(first: UInt32(n), code: code))
        }
        return leaves
    }

    private static func append(_ leaves: ArraySlice<Leaf>, to program: inout [Instruction]) {
        if leaves.count == 1 { return program += leaves[leaves.startIndex].code }
        let middle = leaves.startIndex + leaves.count / 2, node = program.count
        let first = leaves[middle].first
        program.append(.ifAtLeast(first, 0, 1))
        append(leaves[..<middle], to: &program)
        let below = program.count - node - 1
        // A condition jumps over 255 instructions at the most, `skip` over any number.
        if below <= 255 { program[node] = .ifAtLeast(first, below, 0) } else { program.insert(.skip(below), at: node + 1) }
        append(leaves[middle...], to: &program)
    }

    private static func code(_ rule: Rule, _ kind: FilterKind) -> [Instruction] {
        var code: [Instruction] = []
        for clause in rule.clauses where kind.holds(clause.when) {
            // From the last condition to the first: each knows how far it is to the next clause.
            var tail = [Instruction.answer(clause.action)]
            for condition in clause.conditions.reversed() { tail = test(condition, kind, else: tail.count) + tail }
            code += tail
            if clause.conditions.isEmpty { return code }
        }
        return code + [.answer(.allow)]
    }

    /// Goes on behind itself where the condition holds, and `else` instructions further where it does not.
    private static func test(_ condition: Condition, _ kind: FilterKind, else miss: Int) -> [Instruction] {
        switch condition {
        case .among(let argument, let mask, let words):
            var code: [Instruction] = [.load(argument)]
            if mask != .max { code.append(.and(mask)) }
            for (i, word) in words.enumerated() {
                let left = words.count - 1 - i
                code.append(.ifEqual(kind.value(word), left, left == 0 ? miss : 0))
            }
            return code
        case .differs(let argument, let v): return [.load(argument), .ifEqual(v, miss, 0)]
        case .above(let argument, let v): return [.load(argument), .ifAbove(v, 0, miss)]
        case .anyBit(let argument, let mask): return [.load(argument), .ifAnyBit(mask, 0, miss)]
        case .pointer(let argument):
            return [.load(argument), .ifEqual(0, 0, 2), .load(argument, upper: true), .ifEqual(0, miss, 0)]
        }
    }
}
