internal import Glibc
internal import SandboxDecode
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import Synchronization

/// Calls that are held until people have answered. Their notices stay open and no thread waits with them; what was pinned stays
/// pinned, so that what is done in the end is what was shown.
extension Notifier {
    func hold(_ call: Call, _ finding: Judged, _ shown: Shown, _ notice: consuming Notice, _ caller: Caller) {
        hold(finding, shown, notice, caller) { hands, finding in
            hands.supervision.record(hands.files, finding, caller)
        } goOn: { hands, record, notice, isInterrupted in
            hands.carryOut(call, record, notice, caller, isInterrupted)
        }
    }

    func hold(socket finding: Judged, _ shown: Shown, _ notice: consuming Notice, _ caller: Caller) {
        hold(finding, shown, notice, caller) { hands, finding in
            hands.supervision.record(hands.sockets, finding, caller)
        } goOn: { hands, record, notice, _ in
            // What it may wait for then, it waits for as if nobody had been asked.
            hands.act(record, notice)
        }
    }

    /// Other hands take over all that was pinned, and see the call through when there is an outcome.
    private func hold(
        _ finding: Judged, _ shown: Shown, _ notice: consuming Notice, _ caller: Caller, record: (Notifier, Judged) -> RecordRef?,
        goOn: @escaping (Notifier, RecordRef?, consuming Notice, () -> Bool) -> Void
    ) {
        let question = Held(), hands = Notifier(supervision, listener, receivers)
        swap(&hands.files, &files)
        swap(&hands.sockets, &sockets)
        var finding = finding
        finding.approval = question.id
        let record = record(hands, finding), bytes = hands.sockets.held
        guard supervision.waits.reserve(bytes) else {
            supervision.complete(record, -ENOBUFS)
            hands.reset()
            return notice.answer(-ENOBUFS)
        }
        let box = Box(notice), ticket = box.ticket
        let job = supervision.waits.park(tid: box.tid) { [supervision] isInterrupted in
            supervision.waits.giveBack(bytes)
            defer { hands.reset() }
            switch question.outcome(isInterrupted() || !ticket.isStillValid(), supervision.approvals) {
            case .goesOn: goOn(hands, record, box.take(), isInterrupted)
            case .fails:
                supervision.complete(record, -EACCES)
                box.take().answer(-EACCES)
            case .isOver:
                supervision.complete(record, -EINTR)
                box.take().restart(supervision.context.tasks)
            }
        }
        supervision.ask(question, shown, finding, caller) { [supervision] in supervision.waits.resume(job) }
    }

    /// An approved call, on a thread that may wait.
    private func carryOut(
        _ call: Call, _ record: RecordRef?, _ notice: consuming Notice, _ caller: Caller, _ isInterrupted: () -> Bool
    ) {
        if files.mayProceed { return proceed(record, notice) }
        let ticket = notice.ticket
        var result = performAsShown()
        while result == -EINTR, files.mayBlock, !isInterrupted(), ticket.isStillValid() { result = performAsShown() }
        if result == -EINTR {
            supervision.complete(record, result)
            notice.restart(supervision.context.tasks)
        } else if result == -EAGAIN, files.first.kind == .absent {
            // Made by somebody else meanwhile: judged, and asked about, anew.
            supervision.complete(record, result)
            useFile(call, notice, caller)
        } else {
            finish(files, result, record, notice)
        }
    }

    /// Nobody gives the name that was shown to another file between the last look and the act: that would be a move. `EACCES`
    /// where somebody has done so before.
    private func performAsShown() -> Int32 {
        if files.mayBlock { return isAsShown ? files.perform() : -EACCES }
        return supervision.naming.whileTaken {
            guard isAsShown else { return -EACCES }
            return files.redirectsNames ? supervision.context.redirect(files.perform) : files.perform()
        } ?? -EBUSY
    }

    private var isAsShown: Bool {
        let path = Escaped.text(Array(files.first.path.text))
        if files.isStillWhatItWas() { return true }
        supervision.note("`\(path)`: what was approved has been changed meanwhile; the call was refused")
        return false
    }
}

/// One that is held, and what came of the question about it. The question is made after the call has been parked, so that
/// whatever ends the wait finds both.
final class Held: Sendable {
    enum Outcome { case goesOn, fails, isOver }
    let id = "a-" + SessionID.make(at: currentTime()).dropFirst(2)
    private let asked = Mutex<(question: Question?, isOver: Bool)>((nil, false))

    /// False where the wait is over already.
    func put(_ question: Question) -> Bool {
        asked.withLock { state in
            state.question = question
            return !state.isOver
        }
    }

    var question: Question? { asked.withLock { $0.question } }

    func outcome(_ isGone: Bool, _ approvals: Approvals) -> Outcome {
        let question = asked.withLock { state in
            state.isOver = true
            return state.question
        }
        guard let question else { return .isOver }
        if question.outcome == nil || isGone { approvals.withdraw(question) }
        if isGone { return .isOver }
        return switch question.outcome {
        case .approved: .goesOn
        case .withdrawn, nil: .isOver
        case .denied, .timedOut, .ended: .fails
        }
    }
}

extension Supervision {
    /// The same was approved for longer.
    func isApproved(_ finding: inout Judged, _ shown: Shown) -> Bool {
        finding.approval = approvals.remembered(shown.key)
        return finding.approval != nil
    }

    /// Puts the question. Where nobody can be asked, `resume` is called at once, and the operation is refused.
    func ask(_ held: Held, _ shown: Shown, _ finding: Judged, _ caller: Caller, resume: @escaping @Sendable () -> Void) {
        let terms = finding.ask ?? AskTerms()
        let now = currentTime()
        let question = Question(
            id: held.id, shown: shown.json(held.id, finding, terms, caller, now, self), text: shown.text(held.id, finding, self),
            key: shown.key, terms: terms, asked: now, deadline: Approvals.now() &+ terms.timeout
        ) { _ in resume() }
        guard held.put(question) else { return }
        if !approvals.ask(question) {
            _ = question.close(.denied("nobody can be asked: too many questions are open, or the session is ending"))
            question.settle()
        }
    }
}
