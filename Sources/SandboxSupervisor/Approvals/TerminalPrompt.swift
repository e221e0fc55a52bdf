internal import SandboxModel
internal import SandboxPolicy
internal import Glibc
internal import Synchronization

/// Questions on the terminal that the session was started on, one after the other, for whoever sits there and may answer.
///
/// The agent has another terminal, and the front shows nothing of what it writes while a question is on the screen (`relay.c`). What
/// could still be typed in its name, a terminal's answer to what it wrote before, does not know the word that has to be typed: it is a
/// new one for each showing.
final class TerminalPrompt: QuestionListener {
    private struct Entry {
        let question: Question
        let approvals: Approvals
        var word = ""
        var showings = 0
    }

    private struct State {
        var shown: Entry?
        var waiting: [Entry] = []
    }

    private let front: Front
    private let person = Person(uid: geteuid(), channel: "terminal")
    private let state = Mutex(State())
    /// Who has not given an answer by then gives it elsewhere.
    private static let mostShowings = 5

    init(_ front: Front) { self.front = front }

    // MARK: Questions

    func asked(_ question: Question, _ approvals: Approvals) {
        guard approvals.objection(to: person, question) == nil else { return elsewhere(Entry(question: question, approvals: approvals)) }
        state.withLock { $0.waiting.append(Entry(question: question, approvals: approvals)) }
        showNext()
    }

    func closed(_ question: Question, _ outcome: Question.Outcome) {
        let wasShown = state.withLock { state in
            state.waiting.removeAll { $0.question === question }
            guard state.shown?.question === question else { return false }
            leave(&state, "\r\n\(outcome.name)\r\n")
            return true
        }
        if wasShown { showNext() }
    }

    /// The front leaves whatever is on the screen: so it is told before another question can be shown, which nobody would see then.
    private func leave(_ state: inout State, _ text: String) {
        state.shown = nil
        _ = front.tell("E", text)
    }

    private func showNext() {
        while let entry = state.withLock({ state in take(&state) }) { elsewhere(entry) }
    }

    /// Shows the next one. Returns one that cannot be shown.
    private func take(_ state: inout State) -> Entry? {
        while state.shown == nil, !state.waiting.isEmpty {
            let entry = state.waiting.removeFirst()
            guard entry.question.outcome == nil else { continue }
            guard let shown = show(entry) else { return entry }
            state.shown = shown
        }
        return nil
    }

    /// It waits for an answer that comes another way.
    private func elsewhere(_ entry: Entry) { QuestionNotice(isQuiet: false).asked(entry.question, entry.approvals) }

    // MARK: The screen

    private func show(_ entry: Entry, saying remark: String? = nil) -> Entry? {
        var entry = entry
        entry.word = TerminalPrompt.word()
        entry.showings += 1
        let lines = lines(entry, remark)
        guard entry.showings <= TerminalPrompt.mostShowings, fits(lines), front.tell("Q", lines.joined(separator: "\r\n")) else {
            return nil
        }
        return entry
    }

    private func lines(_ entry: Entry, _ remark: String?) -> [String] {
        let question = entry.question, scopes = question.terms.scopes
        let longer = [("session", AskTerms.Scope.session), ("10m", .time)].filter { scopes.contains($0.1) }.map {
            "`\(entry.word) \($0.0)`"
        }
        let once = scopes.contains(.once) ? ["`\(entry.word)`"] : []
        let text = question.text.split(separator: "\n").map { TerminalPrompt.inOrder(String($0)) }
        return (remark.map { [$0, ""] } ?? []) + ["sandbox: \(question.id) waits for approval"] + text + [
            "",
            "Type " + (once + longer).joined(separator: ", or ") + " to approve, `no` to deny; nothing to answer later",
            "with `sandbox approvals`. Until \(Timestamp.text(question.asked &+ question.terms.timeout).prefix(19))Z; then it is denied.",
            "",
        ]
    }

    /// All of it is seen at once, or nobody is asked here: a letter that is not ASCII may be two columns wide.
    private func fits(_ lines: [String]) -> Bool {
        let (rows, columns) = front.size
        let needed = lines.reduce(0) { sum, line in
            let width = line.unicodeScalars.reduce(0) { $0 + ($1.isASCII ? 1 : 2) }
            return sum + max(1, (width + columns - 2) / max(columns - 1, 1))
        }
        return needed < rows
    }

    /// A terminal puts what is written from right to left in another order, and marks over other letters: such are shown by number.
    private static func inOrder(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { line, scalar in
            let isMark = [.nonspacingMark, .enclosingMark, .spacingMark].contains(scalar.properties.generalCategory)
            let isRightToLeft =
                switch scalar.value {
                case 0x590...0x8ff, 0xfb1d...0xfdff, 0xfe70...0xfeff, 0x10800...0x10fff, 0x1e800...0x1efff: true
                default: false
                }
            line += isMark || isRightToLeft ? "\\u{" + String(scalar.value, radix: 16) + "}" : String(scalar)
        }
    }

    /// Six letters that can be read and typed: one in a million.
    private static func word() -> String {
        var random = SystemRandomNumberGenerator()
        return String((0..<6).map { Array($0 % 2 == 0 ? "bcdfghjklmnprstvwxyz" : "aeiou").randomElement(using: &random)! })
    }

    // MARK: Answers

    /// `L ` and a line, or `B.`: the question is not on the screen any more.
    func heard(_ message: ArraySlice<UInt8>) {
        guard let entry = state.withLock({ $0.shown }) else { return }
        guard message.first == UInt8(ascii: "L") else { return again(entry) }
        let words = String(decoding: message.dropFirst(2), as: UTF8.self).split(separator: " ").map(String.init)
        switch words.first {
        case nil: later(entry)
        case "no": take(Answer(approves: false, reason: words.count > 1 ? words.dropFirst().joined(separator: " ") : nil), entry)
        case entry.word where words.count <= 2:
            guard let answer = ApprovalDesk.approval(words.count > 1 ? words[1] : "once") else {
                return again(entry, saying: "for how long? `session`, or so long: 90s, 10m, 2h")
            }
            take(answer, entry)
        default: again(entry, saying: "that is not the word")
        }
    }

    /// An outcome is heard of by `closed`.
    private func take(_ answer: Answer, _ entry: Entry) {
        switch entry.approvals.answer(entry.question.id, answer, by: person) {
        case .done, .closed: break
        case .refused(let why): again(entry, saying: Escaped.text(why))
        case .noted, .unknown: later(entry)
        }
    }

    /// With another word.
    private func again(_ entry: Entry, saying remark: String? = nil) {
        let isShown = state.withLock { state in
            guard state.shown?.question === entry.question, let shown = show(entry, saying: remark) else { return false }
            state.shown = shown
            return true
        }
        if !isShown { later(entry) }
    }

    private func later(_ entry: Entry) {
        let isOpen = state.withLock { state in
            guard state.shown?.question === entry.question else { return false }
            leave(&state, "\r\n")
            return true
        }
        // It was closed meanwhile: nothing is left to be answered.
        guard isOpen else { return }
        elsewhere(entry)
        showNext()
    }
}
