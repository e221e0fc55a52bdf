internal import SandboxModel
internal import SandboxPolicy

/// What one person wants to know of, or say to, the questions of a session. Requests are words with tabs between them; answers are
/// JSON objects.
struct ApprovalDesk {
    let approvals: Approvals
    let person: Person
    /// Others see what they may answer, and what they have answered.
    let seesAll: Bool

    func answer(_ request: [String]) -> String {
        let words = request.dropFirst()
        switch (request.first, words.first) {
        case ("approvals", _): return #"{"approvals":[\#(approvals.open.filter(sees).map(\.json).joined(separator: ","))]}"#
        case (_, let id?) where approvals.find(id).map(sees) == false: return ApprovalDesk.problem("there is no such question", "unknown")
        case ("approval", let id?): return approvals.find(id)?.json ?? ApprovalDesk.problem("there is no such question", "unknown")
        case ("approve", let id?):
            guard let answer = ApprovalDesk.approval(words.dropFirst().first ?? "once") else {
                return ApprovalDesk.problem("for how long? `once`, `session` or a duration", "refused")
            }
            return reply(approvals.answer(id, answer, by: person))
        case ("deny", let id?): return reply(approvals.answer(id, Answer(approves: false, reason: words.dropFirst().first), by: person))
        default: return ApprovalDesk.problem("unknown request", "refused")
        }
    }

    private func sees(_ question: Question) -> Bool {
        seesAll || approvals.objection(to: person, question) == nil
            || question.approvers.contains { $0.name == person.name }
    }

    /// `once`, `session`, or a duration.
    static func approval(_ scope: String) -> Answer? {
        if let scope = AskTerms.Scope(rawValue: scope), scope != .time { return Answer(approves: true, scope: scope) }
        guard let duration = Timestamp.parseDuration(scope), duration > 0 else { return nil }
        return Answer(approves: true, scope: .time, duration: duration)
    }

    private func reply(_ reply: Approvals.Reply) -> String {
        switch reply {
        case .done(let outcome): #"{"state":"\#(outcome.name)","by":\#(Escaped.json(person.name))}"#
        case .noted(let missing): #"{"state":"open","by":\#(Escaped.json(person.name)),"missing":\#(missing)}"#
        case .closed(let outcome): ApprovalDesk.problem("it has an outcome already: \(outcome.name)", "too_late")
        case .refused(let why): ApprovalDesk.problem(why, "refused")
        case .unknown: ApprovalDesk.problem("there is no such question", "unknown")
        }
    }

    private static func problem(_ text: String, _ kind: String) -> String { #"{"error":\#(Escaped.json(text)),"kind":"\#(kind)"}"# }
}
