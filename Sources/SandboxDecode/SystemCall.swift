internal import SandboxModel

/// A row of the one table of system calls (`SystemCallTable.swift`): its number on each architecture, and what becomes of it.
package struct SystemCall: Sendable {
    package let name: StaticString
    package let x86_64: UInt32?
    package let aarch64: UInt32?
    package let rule: Rule
    package let reason: StaticString

    init(_ name: StaticString, _ x86_64: UInt32?, _ aarch64: UInt32?, _ rule: Rule, _ reason: StaticString) {
        self.name = name
        self.x86_64 = x86_64
        self.aarch64 = aarch64
        self.rule = rule
        self.reason = reason
    }

    /// What it is to the supervisor, where it comes there.
    private var trapped: Trapped? {
        for case .judge(let call) in rule.clauses.lazy.map(\.action) { return call }
        return nil
    }

    package func number(on architecture: Architecture) -> UInt32? { architecture == .x86_64 ? x86_64 : aarch64 }

    /// Those that come to the supervisor, by this machine's numbers.
    private static let judged: [(call: Trapped, rule: Rule)?] = {
        var list = [(call: Trapped, rule: Rule)?](repeating: nil, count: numbers)
        for row in table {
            if let n = row.number(on: .current), let call = row.trapped { list[Int(n)] = (call, row.rule) }
        }
        return list
    }()

    package static func name(_ number: Int32) -> String {
        table.first { $0.number(on: .current).map(Int32.init) == number }.map { "\($0.name)" } ?? "\(number)"
    }

    static func judged(_ number: Int32) -> (call: Trapped, rule: Rule)? { number >= 0 && number < numbers ? judged[Int(number)] : nil }
}

package enum Architecture: Sendable, CaseIterable {
    case x86_64, aarch64

    #if arch(x86_64)
        package static let current = Architecture.x86_64
    #elseif arch(arm64)
        package static let current = Architecture.aarch64
    #endif

    /// `AUDIT_ARCH_*`, linux/audit.h: what `seccomp_data.arch` says.
    package var auditNumber: UInt32 { self == .x86_64 ? 0xc000_003e : 0xc000_00b7 }
}

/// What the filter answers.
package enum Action: Sendable, Equatable {
    case allow
    /// The call answers this error; with 0 it answers that it is done, and does nothing.
    case refuse(Int32)
    /// It comes to the supervisor.
    case judge(Trapped)
    /// The process ends.
    case kill
}

/// What becomes of a call, by its registers alone: the first clause whose conditions all hold. Where none does, it goes on.
package struct Rule: Sendable {
    package let clauses: [Clause]
    init(_ clauses: Clause...) { self.clauses = clauses }

    static let allow = Rule()
    /// Refused in enforce mode.
    static func refuse(_ error: Int32) -> Rule { Rule(.enforced([], .refuse(error))) }
    /// As if this kernel did not have it, in enforce mode: libraries fall back on a call that is judged.
    static let absent = refuse(ENOSYS)
    /// The same, and the attempt is recorded: for what no program tries in its normal course.
    static let refuse = Rule(.enforced([], .judge(.refused)))
    /// Refused in every mode: it cannot be supervised.
    static func never(_ error: Int32) -> Rule { Rule(.always([], .refuse(error))) }
    static func judge(_ call: Trapped) -> Rule { Rule(.always([], .judge(call))) }
    static func judgeEnforced(_ call: Trapped) -> Rule { Rule(.enforced([], .judge(call))) }
    /// Judged where data classes are followed.
    static func tracked(_ call: Trapped) -> Rule { Rule(.tracking([], .judge(call))) }
    /// It puts pages of memory or of a file into a pipe or a socket without copying them: what is written to them later comes out
    /// there, of whomever it is. Where data classes are followed, libraries fall back on read and write.
    static let lends = Rule(.tracking([], .refuse(EINVAL)))
}

package struct Clause: Sendable {
    /// `unscoped`: enforced where Landlock cannot keep signals in the session; `scoped`: where it can. `counted`: where the profile
    /// limits what is written. `tracking`: where data classes are followed.
    package enum When: Sendable { case always, enforced, scoped, unscoped, counted, tracking }

    package let when: When
    package let conditions: [Condition]
    package let action: Action

    static func always(_ conditions: [Condition], _ action: Action) -> Clause {
        Clause(when: .always, conditions: conditions, action: action)
    }
    static func enforced(_ conditions: [Condition], _ action: Action) -> Clause {
        Clause(when: .enforced, conditions: conditions, action: action)
    }
    static func scoped(_ conditions: [Condition], _ action: Action) -> Clause {
        Clause(when: .scoped, conditions: conditions, action: action)
    }
    static func counted(_ conditions: [Condition], _ action: Action) -> Clause {
        Clause(when: .counted, conditions: conditions, action: action)
    }
    static func unscoped(_ conditions: [Condition], _ action: Action) -> Clause {
        Clause(when: .unscoped, conditions: conditions, action: action)
    }
    static func tracking(_ conditions: [Condition], _ action: Action) -> Clause {
        Clause(when: .tracking, conditions: conditions, action: action)
    }
}

/// About one register. Descriptors, commands, flags and process ids are 32 bits wide: only the lower half counts, or a
/// caller sets the upper one and walks past. Pointers are compared whole.
package enum Condition: Sendable {
    /// The bits of `mask` are one of these.
    case among(Int, mask: UInt32 = .max, [Word])
    case differs(Int, UInt32)
    case above(Int, UInt32)
    /// One of these bits at least.
    case anyBit(Int, UInt32)
    case pointer(Int)

    func holds(_ call: RawCall, _ kind: FilterKind) -> Bool {
        switch self {
        case .among(let i, let mask, let words): words.contains { kind.value($0) == call.word(i) & mask }
        case .differs(let i, let v): call.word(i) != v
        case .above(let i, let v): call.word(i) > v
        case .anyBit(let i, let mask): call.word(i) & mask != 0
        case .pointer(let i): !call.address(i).isNull
        }
    }
}

/// A value, or one that is known when a session starts.
package enum Word: Sendable, ExpressibleByIntegerLiteral {
    case value(UInt32)
    case supervisor, supervisorGroup, front
    package init(integerLiteral value: UInt32) { self = .value(value) }
}

// errno(3), asm-generic/errno.h.
let EPERM: Int32 = 1, EBUSY: Int32 = 16, EINVAL: Int32 = 22, ENOSYS: Int32 = 38, ENOPROTOOPT: Int32 = 92, EPROTONOSUPPORT: Int32 = 93,
    EOPNOTSUPP: Int32 = 95,
    EAFNOSUPPORT: Int32 = 97
