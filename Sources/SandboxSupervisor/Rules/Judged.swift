internal import SandboxModel
internal import SandboxPolicy

/// What the lists and the rules make of one operation: the strictest of them, and what all of them said.
struct Judged {
    private(set) var ruling: Ruling
    private(set) var intents: IntentSet = []
    /// The rules that matched besides, in the order of their strictness.
    private var others: [RuleID] = []
    private(set) var ask: AskTerms?
    private(set) var rewrite: Rewriting?
    var note: String?
    var rewritten: [[UInt8]]?
    var approval: String?
    var shadow: Judgement.Shadow?
    /// What the process carries.
    var carries: [String] = []
    /// Where SQL came from that is in no argument.
    var sources: [String] = []

    init(_ ruling: Ruling) { self.ruling = ruling }

    var decision: Decision { ruling.decision }

    /// What the rules said about one of the things that the operation touches.
    mutating func add(_ verdict: Verdict, _ facts: borrowing Facts) {
        intents.formUnion(facts.intents)
        let terms = [ask, verdict.ask].compactMap { $0 }
        if verdict.decision > ruling.decision {
            if ruling.rule != .none { others.insert(ruling.rule, at: 0) }
            ruling = Ruling(verdict.decision, by: verdict.rules.first ?? .none)
            (note, rewrite) = (verdict.note, verdict.rewrite)
            others = Array(verdict.rules.dropFirst()) + others
        } else {
            others += verdict.rules
        }
        ask = ruling.decision == .ask && !terms.isEmpty ? AskTerms(all: terms) : nil
    }

    /// It is refused after all.
    mutating func refuse(_ note: String) {
        ruling = Ruling(.deny, by: ruling.rule)
        self.note = note
    }

    /// By a rule that was asked about what would follow from it.
    mutating func refuse(_ refusal: Carrying.Refusal) {
        if ruling.rule != .none { others.insert(ruling.rule, at: 0) }
        ruling = Ruling(.deny, by: refusal.rule)
        note = refusal.note
    }

    /// All that matched, the strictest first.
    var judgementRules: [RuleID] {
        var seen: Set<RuleID> = [.none]
        return ([ruling.rule] + others).filter { seen.insert($0).inserted }
    }

    /// The note, and where what was judged came from.
    var remark: String? {
        if sources.isEmpty { return note }
        let named = sources.prefix(8).joined(separator: ", ") + (sources.count > 8 ? " and others" : "")
        return [note, named].compactMap { $0 }.joined(separator: "; ")
    }

    /// Nil where the event itself says everything.
    var judgement: Judgement? {
        // Without rules: no allocation.
        if intents.isEmpty, others.isEmpty, note == nil, rewritten == nil, approval == nil, shadow == nil, sources.isEmpty, carries.isEmpty
        {
            return nil
        }
        var j = Judgement()
        j.intents = intents
        j.rules = judgementRules
        (j.note, j.rewritten, j.approval, j.shadow) = (remark, rewritten, approval, shadow)
        j.carries = carries
        return j.isPlain ? nil : j
    }

    /// What an approval for longer is remembered by.
    func key(_ operation: Operation, _ policy: Policy, shown: [[UInt8]]) -> String {
        // What a rule counts is never twice the same file.
        let isCounted = policy.counts(ruling.rule)
        return ([String(ruling.rule.rawValue)] + others.map { String($0.rawValue) }).joined(separator: ",") + "\n" + operation.name + "\n"
            + (isCounted ? "" : shown.map { Escaped.json($0) }.joined(separator: "\n"))
    }
}
