internal import Glibc
internal import SandboxDecode
internal import SandboxKernel
internal import SandboxStore

/// Calls that wait for somebody else are seen through by threads that may (`WaitPool`).
extension Notifier {
    func wait(opening record: RecordRef?, _ notice: consuming Notice) {
        let work = files
        files = FileWork(supervision.context)
        let ticket = notice.ticket
        let box = Box(notice)
        supervision.waits.submit(tid: box.tid) { [self] isInterrupted in
            // A caller that died before this job was known had nobody to cancel it.
            var result = isInterrupted() || !ticket.isStillValid() ? -EINTR : work.perform()
            while result == -EINTR, !isInterrupted(), ticket.isStillValid() { result = work.perform() }
            if result == -EINTR {
                supervision.complete(record, result)
                supervision.settle(box.tid)
                box.take().restart(supervision.context.tasks)
            } else {
                finish(work, result, record, box.take())
            }
            work.reset()
        }
    }

    func wait(acting record: RecordRef?, _ notice: consuming Notice) {
        let held = sockets.held
        guard supervision.waits.reserve(held) else {
            supervision.complete(record, -ENOBUFS)
            return notice.answer(-ENOBUFS)
        }
        let work = sockets
        sockets = SocketWork(supervision.context)
        let ticket = notice.ticket
        let box = Box(notice)
        supervision.waits.submit(tid: box.tid) { [supervision] isInterrupted in
            var result = isInterrupted() || !ticket.isStillValid() ? -EINTR : work.perform(wait: true)
            // A connect that was begun goes on; asking again waits for the same one.
            while result == -EINTR || result == -Notice.restart, !isInterrupted(), ticket.isStillValid() {
                result = work.perform(wait: true)
            }
            if work.sent > 0 { result = Int32(clamping: work.sent) }  // never twice
            let interrupted = result == -EINTR || result == -Notice.restart
            supervision.complete(record, interrupted ? -EINTR : min(result, 0))
            supervision.waits.giveBack(held)
            supervision.settle(box.tid)
            if interrupted { box.take().restart(supervision.context.tasks) } else { box.take().answer(work.answer(to: result)) }
            work.reset()
        }
    }

    /// The first message found no room: the others follow it on a thread that may wait for it.
    func wait(sending call: Call, _ count: Int, _ notice: consuming Notice, _ caller: Caller) {
        guard supervision.waits.reserve(SocketWork.mostHeld) else { return notice.answer(-ENOBUFS) }
        let ticket = notice.ticket
        let box = Box(notice)
        supervision.waits.submit(tid: box.tid) { [supervision, listener, receivers] isInterrupted in
            let hands = Notifier(supervision, listener, receivers)
            var sent: Int32 = 0
            var result: Int32 = 0
            var asked: (finding: Judged, shown: Shown)?
            while sent < min(count, 1024), !isInterrupted() {
                switch hands.exchangeOne(call, Int(sent), caller, ticket, wait: true) {
                case .done(let number): result = number
                case .asks(let finding, let shown): asked = (finding, shown)
                }
                if asked == nil, result == -EINTR { continue }
                if asked != nil || result < 0 { break }
                sent += 1
            }
            supervision.waits.giveBack(SocketWork.mostHeld)
            if let asked, sent == 0 { return hands.hold(socket: asked.finding, asked.shown, box.take(), caller) }
            // What failed of itself says so; a signal that came meanwhile interrupts nothing any more.
            let interrupted = sent == 0 && (result == 0 || result == -EINTR) && isInterrupted()
            if interrupted { box.take().restart(supervision.context.tasks) } else { box.take().answer(sent > 0 ? sent : result) }
            hands.sockets.reset()
        }
    }

    /// The address may belong to a host the profile names but that was resolved too long ago.
    func wait(resolving call: Call, _ notice: consuming Notice, _ caller: Caller) {
        let box = Box(notice)
        // Resolvers take their time, and the tracer must not wait for them when the caller dies; `handle` looks whether it
        // is still there.
        supervision.waits.submit(tid: box.tid, acts: false) { [supervision, listener, receivers] _ in
            supervision.hosts.refresh()
            let hands = Notifier(supervision, listener, receivers)
            hands.mayResolve = false
            hands.handle(box.take())
        }
    }
}

/// Carries a notice to another thread.
final class Box: @unchecked Sendable {
    // @unchecked: handed from one thread to the next through the pool's lock, used by one at a time.
    private var notice: Notice?
    let tid: Int32
    let ticket: Notice.Ticket
    init(_ notice: consuming Notice) {
        tid = notice.tid
        ticket = notice.ticket
        self.notice = consume notice
    }
    func take() -> Notice { notice.take()! }
}
