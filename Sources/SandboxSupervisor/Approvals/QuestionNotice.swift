internal import Glibc
internal import SandboxModel

/// Told of the questions of a session.
protocol QuestionListener: Sendable {
    func asked(_ question: Question, _ approvals: Approvals)
    /// There is an outcome, and it is on record.
    func closed(_ question: Question, _ outcome: Question.Outcome)
}

extension QuestionListener {
    func closed(_ question: Question, _ outcome: Question.Outcome) {}
}

/// A line for whoever started the session: something waits for an answer.
struct QuestionNotice: QuestionListener {
    let isQuiet: Bool

    /// Never waits itself: a stream that is full loses the line.
    func asked(_ question: Question, _ approvals: Approvals) {
        guard !isQuiet else { return }
        var p = pollfd(fd: 2, events: Int16(POLLOUT), revents: 0)
        guard poll(&p, 1, 0) == 1, p.revents & Int16(POLLOUT) != 0 else { return }
        let text = "\(question.id) waits for approval: \(question.text)\n  sandbox approvals approve \(question.id)"
        let lines = text.split(separator: "\n").map { "sandbox: \($0)\n" }.joined()
        let bytes = Array(lines.utf8.prefix(4000))
        _ = write(2, bytes, bytes.count)
    }
}
