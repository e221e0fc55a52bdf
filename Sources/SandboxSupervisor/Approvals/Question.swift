internal import SandboxModel
internal import SandboxPolicy
internal import Synchronization

/// One operation that is held until people have answered. What is shown is what runs: the operation stands still with all that it
/// was judged by, and nobody can change that meanwhile.
final class Question: Sendable {
    enum Outcome: Sendable, Hashable {
        case approved(AskTerms.Scope)
        case denied(String)
        case timedOut
        /// The process that asked is gone, or a signal ended its call.
        case withdrawn
        case ended

        var name: String {
            switch self {
            case .approved: "approved"
            case .denied: "denied"
            case .timedOut: "timed_out"
            case .withdrawn: "withdrawn"
            case .ended: "ended"
            }
        }
    }

    struct State {
        var approvers: [Person] = []
        /// The narrowest that somebody gave.
        var scope = AskTerms.Scope.time
        var duration: UInt64?
        var outcome: Outcome?
    }

    let id: String
    /// The fields of a JSON object: what is to be approved, and under what terms.
    let shown: String
    /// The same for people, in a few lines. Escaped.
    let text: String
    /// What an answer for longer is remembered by: the rules and what was shown.
    let key: String
    let terms: AskTerms
    /// Nanoseconds since 1970, and of the clock that never goes back.
    let asked: UInt64
    let deadline: UInt64
    let state = Mutex(State())
    /// Called when the outcome is on record; on whatever thread that was found on.
    private let resume: @Sendable (Question) -> Void
    private let settled = Atomic<Bool>(false)

    init(
        id: String, shown: String, text: String, key: String, terms: AskTerms, asked: UInt64, deadline: UInt64,
        resume: @escaping @Sendable (Question) -> Void
    ) {
        self.id = id
        self.shown = shown
        self.text = text
        self.key = key
        self.terms = terms
        self.asked = asked
        self.deadline = deadline
        self.resume = resume
    }

    var approvers: [Person] { state.withLock { $0.approvers } }
    var outcome: Outcome? { state.withLock { $0.outcome } }

    /// False where there is an outcome already: the first counts.
    func close(_ outcome: Outcome) -> Bool {
        state.withLock { state in
            guard state.outcome == nil else { return false }
            state.outcome = outcome
            return true
        }
    }

    /// There is an outcome, and it is on record.
    var isSettled: Bool { settled.load(ordering: .acquiring) }

    /// Lets whoever waits for it see the outcome.
    func settle() {
        settled.store(true, ordering: .releasing)
        resume(self)
    }

    /// Everything about it as one JSON object.
    var json: String {
        let (outcome, approvers) = state.withLock { ($0.outcome, $0.approvers.map(\.name)) }
        var fields = shown + #","state":"\#(outcome?.name ?? "open")""#
        if !approvers.isEmpty { fields += #","approved_by":[\#(approvers.map { Escaped.json($0) }.joined(separator: ","))]"# }
        if case .denied(let reason)? = outcome { fields += #","answer":\#(Escaped.json(reason))"# }
        return "{" + fields + "}"
    }
}
