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
        var finding = finding
        let question = Held()
        finding.approval = question.id
        let record = supervision.record(files, finding, caller)
        let work = files
        files = FileWork(supervision.context)
        let box = Box(notice), ticket = box.ticket
        let hands = Notifier(supervision, listener, receivers)
        hands.files = work
        let job = supervision.waits.park(tid: box.tid) { [supervision] isInterrupted in
            defer { hands.files.reset() }
            switch question.outcome(isInterrupted() || !ticket.isStillValid(), supervision.approvals) {
            case .goesOn where !work.isStillWhatItWas():
                supervision.complete(record, -EACCES)
                supervision.note("\(question.id): what was approved has been changed meanwhile; the call was refused")
                box.take().answer(-EACCES)
            case .goesOn: hands.carryOut(call, record, box.take(), caller, isInterrupted)
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
        var result: Int32 = -EINTR
        var held: Notice? = consume notice
        repeat {
            if files.redirectsNames {
                result = supervision.naming.withLock { _ in supervision.context.redirect(files.perform) }
            } else {
                result = files.perform()
            }
        } while result == -EINTR && files.mayBlock && !isInterrupted() && ticket.isStillValid()
        let answered = held.take()!
        if result == -EINTR {
            supervision.complete(record, result)
            answered.restart(supervision.context.tasks)
        } else if result == -EAGAIN, files.first.kind == .absent {
            // Made by somebody else meanwhile: judged, and asked about, anew.
            supervision.complete(record, result)
            useFile(call, answered, caller)
        } else {
            finish(files, result, record, answered)
        }
    }

    func hold(socket finding: Judged, _ shown: Shown, _ notice: consuming Notice, _ caller: Caller) {
        var finding = finding
        let question = Held()
        finding.approval = question.id
        let record = supervision.record(sockets, finding, caller)
        let held = sockets.held
        guard supervision.waits.reserve(held) else {
            supervision.complete(record, -ENOBUFS)
            return notice.answer(-ENOBUFS)
        }
        let work = sockets
        sockets = SocketWork(supervision.context)
        let box = Box(notice), ticket = box.ticket
        let hands = Notifier(supervision, listener, receivers)
        hands.sockets = work
        let job = supervision.waits.park(tid: box.tid) { [supervision] isInterrupted in
            supervision.waits.giveBack(held)
            defer { hands.sockets.reset() }
            switch question.outcome(isInterrupted() || !ticket.isStillValid(), supervision.approvals) {
            // What it may wait for then, it waits for as if nobody had been asked.
            case .goesOn: hands.act(record, box.take())
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
            resume()
        }
    }
}
