internal import Glibc
internal import SandboxModel

/// A line for whoever started the session: something waits for an answer.
enum QuestionNotice {
    /// Never waits itself: a stream that is full loses the line.
    static func say(isQuiet: Bool) -> @Sendable (Question, Approvals) -> Void {
        { question, _ in
            guard !isQuiet else { return }
            var p = pollfd(fd: 2, events: Int16(POLLOUT), revents: 0)
            guard poll(&p, 1, 0) == 1, p.revents & Int16(POLLOUT) != 0 else { return }
            let text = "\(question.id) waits for approval: \(question.text)\n  sandbox approvals approve \(question.id)"
            let lines = text.split(separator: "\n").map { "sandbox: \($0)\n" }.joined()
            let bytes = Array(lines.utf8.prefix(4000))
            _ = write(2, bytes, bytes.count)
        }
    }
}
