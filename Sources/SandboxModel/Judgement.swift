/// What a decision rests on and came to, beyond the one rule that every record has. Events name it by the number of the record
/// that holds it, so that what repeats is kept once.
package struct Judgement: Sendable, Hashable {
    package struct Shadow: Sendable, Hashable {
        package var decision: Decision
        /// Names: the candidate's table of rules is not the session's.
        package var rules: [String]
        package init(decision: Decision, rules: [String]) {
            self.decision = decision
            self.rules = rules
        }
    }

    package var intents: IntentSet = []
    /// Every rule that matched, the strictest first.
    package var rules: [RuleID] = []
    /// Why, where there is more to say than the first rule's reason.
    package var note: String?
    /// What ran instead.
    package var rewritten: [[UInt8]]?
    /// The question that was asked.
    package var approval: String?
    /// What a candidate profile would have said, where it differs.
    package var shadow: Shadow?

    /// Classes of data that the process carried.
    package var carries: [String] = []

    package init() {}

    /// It says nothing that the event does not say itself.
    package var isPlain: Bool {
        rules.count <= 1 && note == nil && rewritten == nil && approval == nil && shadow == nil && intents.isEmpty && carries.isEmpty
    }
}

/// As bytes: fields, each a tag, a length (32 bits, little endian) and its bytes. What is unknown is skipped.
extension Judgement {
    private enum Tag: UInt8 { case intents = 1, rule, note, rewritten, approval, shadow, shadowRule, carries }
    /// As much as a record holds. A rewritten command line that is longer is cut.
    private static let most = 60_000

    package var encoded: [UInt8] {
        var out: [UInt8] = []
        func put(_ tag: Tag, _ bytes: some Collection<UInt8>) {
            guard out.count + bytes.count < Judgement.most else { return }
            out.append(tag.rawValue)
            out += Judgement.little(UInt64(bytes.count)).prefix(4)
            out += bytes
        }
        put(.intents, Judgement.little(intents.low) + Judgement.little(intents.high))
        for rule in rules.prefix(64) { put(.rule, Judgement.little(UInt64(rule.rawValue)).prefix(2)) }
        if let note { put(.note, note.utf8) }
        for name in carries { put(.carries, name.utf8) }
        if let approval { put(.approval, approval.utf8) }
        if let shadow {
            put(.shadow, [shadow.decision.rawValue])
            for rule in shadow.rules.prefix(64) { put(.shadowRule, rule.utf8) }
        }
        for argument in rewritten ?? [] { put(.rewritten, argument) }
        return out
    }

    package init(decoding bytes: [UInt8]) {
        var rest = bytes[...]
        while rest.count >= 5 {
            let tag = Tag(rawValue: rest[rest.startIndex])
            let count = Int(Judgement.number(rest.dropFirst().prefix(4)))
            rest = rest.dropFirst(5)
            take(tag, rest.prefix(count))
            rest = rest.dropFirst(count)
        }
    }

    private mutating func take(_ tag: Tag?, _ field: ArraySlice<UInt8>) {
        let text = { String(decoding: field, as: UTF8.self) }
        switch tag {
        case .intents: intents = IntentSet(low: Judgement.number(field.prefix(8)), high: Judgement.number(field.dropFirst(8)))
        case .rule: rules.append(RuleID(rawValue: UInt16(truncatingIfNeeded: Judgement.number(field))))
        case .note: note = text()
        case .approval: approval = text()
        case .rewritten: rewritten = (rewritten ?? []) + [Array(field)]
        case .shadow: shadow = Shadow(decision: Decision(rawValue: field.first ?? 0) ?? .allow, rules: [])
        case .shadowRule: shadow?.rules.append(text())
        case .carries: carries.append(text())
        case nil: break
        }
    }

    private static func little(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}
