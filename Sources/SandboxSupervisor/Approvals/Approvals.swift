internal import Glibc
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import Synchronization

/// An answer, whatever way it came.
struct Answer: Sendable {
    var approves: Bool
    var scope: AskTerms.Scope = .once
    /// Nanoseconds, with `scope` `time`.
    var duration: UInt64?
    var reason: String?
}

/// The questions of one session. Every step is in the journal before it has an effect.
final class Approvals: Sendable {
    enum Reply: Sendable, Hashable {
        case done(Question.Outcome)
        /// Others must approve, too: so many.
        case noted(Int)
        case closed(Question.Outcome)
        case refused(String)
        case unknown
    }

    private struct Book {
        var open: [String: Question] = [:]
        /// The latest that have an outcome, so that who answers late learns it.
        var closed: [String: Question] = [:]
        var order: [String] = []
        /// Until when what was approved for longer is: of the clock that never goes back.
        var remembered: [String: (until: UInt64, id: String)] = [:]
        var isOver = false
    }

    /// More than so many at once are denied: each holds what it was asked about.
    private static let most = 512
    private static let mostClosed = 1024
    private static let mostRemembered = 4096
    private static let usualDuration: UInt64 = 3_600_000_000_000

    /// Who must not answer for himself where several have to, and may where nobody is named.
    private let asker: [String]
    private let record: @Sendable (_ id: String, _ json: String) -> Void
    private let book = Mutex(Book())
    private let monitor = Monitor()
    private let watching = Mutex(false)
    private let listeners: [any QuestionListener]
    /// Done some times a second once there has been a question.
    private let tick: @Sendable () -> Void

    init(
        asker: [String], listeners: [any QuestionListener] = [], tick: @escaping @Sendable () -> Void,
        record: @escaping @Sendable (String, String) -> Void
    ) {
        self.asker = asker
        self.listeners = listeners
        self.tick = tick
        self.record = record
    }

    // MARK: Asking

    /// The question's id where the same was approved for longer and that is not over.
    func remembered(_ key: String) -> String? {
        book.withLock { book in
            guard let entry = book.remembered[key] else { return nil }
            if entry.until > Approvals.now() { return entry.id }
            book.remembered[key] = nil
            return nil
        }
    }

    /// From now on it may be answered. False where no more can be asked; nothing is called then.
    func ask(_ question: Question) -> Bool {
        let isTaken = book.withLock { book in
            guard !book.isOver, question.outcome == nil, book.open.count < Approvals.most else { return false }
            book.open[question.id] = question
            return true
        }
        guard isTaken, startWatch() else {
            _ = book.withLock { $0.open.removeValue(forKey: question.id) }
            return false
        }
        record(question.id, "{\(question.shown),\"event\":\"asked\"}")
        monitor.locked { monitor.broadcast() }
        for listener in listeners { listener.asked(question, self) }
        return true
    }

    /// Who asked is gone, or has been interrupted.
    func withdraw(_ question: Question) { finish(question, .withdrawn, by: nil) }

    /// The session is over: nobody is asked any more.
    func end() {
        let open = book.withLock { book in
            book.isOver = true
            return Array(book.open.values)
        }
        for question in open { finish(question, .ended, by: nil) }
        monitor.locked { monitor.broadcast() }
    }

    // MARK: Answering

    func answer(_ id: String, _ answer: Answer, by person: Person) -> Reply {
        guard let question = find(id) else { return .unknown }
        let reply = take(answer, question, person)
        switch reply {
        case .done(let outcome): finish(question, outcome, by: person)
        case .noted: note(question, answer, person, "noted")
        case .closed: note(question, answer, person, "too_late")
        case .refused(let why): note(question, answer, person, "refused", why)
        case .unknown: break
        }
        return reply
    }

    private func take(_ answer: Answer, _ question: Question, _ person: Person) -> Reply {
        let terms = question.terms
        return question.state.withLock { state in
            if let outcome = state.outcome { return .closed(outcome) }
            if let why = Approvals.objection(to: person, terms, state.approvers, askers: asker) { return .refused(why) }
            guard answer.approves else {
                state.outcome = .denied("by \(person.name)" + (answer.reason.map { ": " + $0 } ?? ""))
                return .done(state.outcome!)
            }
            guard terms.scopes.contains(answer.scope) else {
                return .refused("the rule lets nobody approve for `\(answer.scope.rawValue)`")
            }
            state.approvers.append(person)
            state.scope = Approvals.narrower(state.scope, answer.scope, isFirst: state.approvers.count == 1)
            if let duration = answer.duration { state.duration = min(state.duration ?? duration, duration) }
            let lists = terms.approvers.filter { list in !state.approvers.contains { Approvals.mayAnswer($0, list, askers: asker) } }
            let missing = max(terms.approvals - state.approvers.count, lists.isEmpty ? 0 : 1)
            guard missing == 0 else { return .noted(missing) }
            state.outcome = .approved(state.scope)
            return .done(.approved(state.scope))
        }
    }

    /// Why this person may not approve it, or not any more.
    func objection(to person: Person, _ question: Question) -> String? {
        Approvals.objection(to: person, question.terms, question.approvers, askers: asker)
    }

    static func objection(to person: Person, _ terms: AskTerms, _ approvers: [Person] = [], askers: [String]) -> String? {
        guard terms.approvers.contains(where: { mayAnswer(person, $0, askers: askers) }) else {
            return "the rule does not name \(person.name)"
        }
        guard terms.approvals > 1 else { return nil }
        if askers.contains(person.name) { return "who asks does not approve" }
        return approvers.contains { $0.name == person.name } ? "\(person.name) has approved already; somebody else must, too" : nil
    }

    /// Where nobody is named, it is the person who runs the session. Four eyes need other people: anybody who can answer.
    private static func mayAnswer(_ person: Person, _ list: [String], askers: [String]) -> Bool {
        list.isEmpty ? askers.contains(person.name) || person.name == "user:root" : person.fits(list)
    }

    private static func narrower(_ a: AskTerms.Scope, _ b: AskTerms.Scope, isFirst: Bool) -> AskTerms.Scope {
        if isFirst { return b }
        let order: [AskTerms.Scope] = [.once, .time, .session]
        return order.first { $0 == a || $0 == b } ?? .once
    }

    private func remember(_ question: Question, _ scope: AskTerms.Scope) {
        let duration = question.state.withLock { $0.duration } ?? Approvals.usualDuration
        book.withLock { book in
            guard book.remembered.count < Approvals.mostRemembered else { return }
            book.remembered[question.key] = (scope == .session ? .max : Approvals.now() &+ duration, question.id)
        }
    }

    private func finish(_ question: Question, _ outcome: Question.Outcome, by person: Person?) {
        // `answer` has closed it under its own lock; everybody else does it here.
        if person == nil, !question.close(outcome) { return }
        book.withLock { book in
            guard book.open.removeValue(forKey: question.id) != nil else { return }
            book.closed[question.id] = question
            book.order.append(question.id)
            if book.order.count > Approvals.mostClosed { book.closed[book.order.removeFirst()] = nil }
        }
        var fields = #""approval":"\#(question.id)","event":"closed","outcome":"\#(outcome.name)""#
        if case .approved(let scope) = outcome { fields += #","scope":"\#(scope.rawValue)""# }
        if case .denied(let reason) = outcome { fields += #","reason":\#(Escaped.json(reason))"# }
        let people = question.approvers
        let who = people.isEmpty ? person.map { [$0] } ?? [] : people
        if !who.isEmpty { fields += #","by":[\#(who.map { Escaped.json($0.name) }.joined(separator: ","))]"# }
        if let person { fields += #","channel":"\#(person.channel)""# }
        fields += #","waited":\#((currentTime() &- question.asked) / 1_000_000)"#
        record(question.id, "{\(fields)}")
        if case .approved(let scope) = outcome, scope != .once { remember(question, scope) }
        question.settle()
        for listener in listeners { listener.closed(question, outcome) }
    }

    private func note(_ question: Question, _ answer: Answer, _ person: Person, _ what: String, _ why: String? = nil) {
        let fields = [
            #""approval":"\#(question.id)""#, #""event":"answer""#, #""taken":"\#(what)""#, #""approves":\#(answer.approves)"#,
            #""by":[\#(Escaped.json(person.name))]"#, #""channel":"\#(person.channel)""#,
        ]
        record(question.id, "{" + (fields + (why.map { [#""reason":\#(Escaped.json($0))"#] } ?? [])).joined(separator: ",") + "}")
    }

    /// What came as an answer is none.
    func refuse(_ question: Question, because why: String, channel: String) {
        let fields =
            #""approval":"\#(question.id)","event":"answer","taken":"refused","channel":"\#(channel)","reason":\#(Escaped.json(why))"#
        record(question.id, "{\(fields)}")
    }

    // MARK: Looking

    /// Open ones, oldest first.
    var open: [Question] { book.withLock { $0.open.values.sorted { $0.id < $1.id } } }

    func find(_ id: String) -> Question? { book.withLock { $0.open[id] ?? $0.closed[id] } }

    // MARK: Time

    /// With the first question. Without somebody to see to the time there is no asking.
    private func startWatch() -> Bool {
        watching.withLock { isWatching in
            if !isWatching { isWatching = WorkerThread.start("sbx-ask") { [self] in watch() } == 0 }
            return isWatching
        }
    }

    /// Until the session is over: silence is no consent.
    private func watch() {
        while true {
            let (isOver, open) = book.withLock { ($0.isOver, Array($0.open.values)) }
            if isOver { return }
            let now = Approvals.now()
            for question in open where question.deadline <= now { finish(question, .timedOut, by: nil) }
            tick()
            let next = open.filter { $0.deadline > now }.map(\.deadline).min()
            monitor.locked { monitor.wait(milliseconds: next.map { Int(min(($0 - now) / 1_000_000 + 1, 100)) } ?? 100) }
        }
    }

    /// Nanoseconds that suspending the machine does not stop.
    static func now() -> UInt64 {
        var t = timespec()
        clock_gettime(CLOCK_BOOTTIME, &t)
        return UInt64(t.tv_sec) &* 1_000_000_000 &+ UInt64(t.tv_nsec)
    }
}
