internal import CShims
internal import Glibc
package import SandboxModel

/// The supervisor's end of the seccomp filter, seccomp_unotify(2).
package struct Listener: Sendable {
    package let descriptor: Int32
    package init(descriptor: Int32) { self.descriptor = descriptor }

    /// What came of waiting for a call.
    package enum Reception: ~Copyable {
        case call(Notice)
        /// A signal came first.
        case interrupted
        /// Nobody is left who could make a call.
        case over
    }

    /// Waits for the next call.
    package func receive() -> Reception {
        var raw = sbx_notice()
        while true {
            switch sbx_notify_receive(descriptor, &raw) {
            case 0: return .call(Notice(descriptor, raw))
            case -EINTR: return .interrupted
            case -ENOENT:
                // Either the caller died between our waking and our reading, or all of them did.
                var p = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                if poll(&p, 1, 0) >= 0, p.revents & Int16(POLLHUP) == 0 { continue }
                return .over
            default: return .over
            }
        }
    }
}

/// A system call that waits for its answer. It can be given one just once; one that is dropped without an answer is
/// refused.
package struct Notice: ~Copyable, Sendable {
    /// `ERESTARTSYS`: the signal that is pending decides whether the call starts again or ends with `EINTR`.
    package static let restart: Int32 = 512

    private let listener: Int32
    package let id: UInt64
    package let tid: Int32
    package let call: RawCall

    init(_ listener: Int32, _ raw: sbx_notice) {
        self.listener = listener
        id = raw.id
        tid = Int32(bitPattern: raw.tid)
        let a = raw.args
        call = RawCall(number: raw.nr, arguments: [a.0, a.1, a.2, a.3, a.4, a.5])
    }

    deinit { _ = sbx_notify_answer(listener, id, 0, -EPERM) }

    /// False once the caller is gone, or was and its number belongs to somebody else. What was read from its memory
    /// before a `true` was its own.
    package borrowing func isStillValid() -> Bool { sbx_notify_valid(listener, id) == 0 }

    /// Asks the same wherever the notice itself is.
    package struct Ticket: Sendable {
        fileprivate let listener: Int32
        fileprivate let id: UInt64
        package func isStillValid() -> Bool { sbx_notify_valid(listener, id) == 0 }
    }
    package var ticket: Ticket { Ticket(listener: listener, id: id) }

    /// Ends the call with `result`: a value, or `-errno`.
    package consuming func answer(_ result: Int32) {
        _ = sbx_notify_answer(listener, id, Int64(max(result, 0)), min(result, 0))
        discard self
    }

    /// Ends the call for a signal's sake: the kernel starts it again, or answers `EINTR`, as the signal's handler says.
    ///
    /// A signal for the whole process may be taken by another of its threads at any moment. Then nothing would make the
    /// kernel look, and the caller would see ERESTARTSYS itself as its `errno`. So it gets a signal of its own that
    /// nobody can block; the tracer takes it away again.
    package consuming func restart(_ tasks: TaskTable) {
        tasks.setWaiting(tid, true)
        _ = sbx_tgkill(tasks.leader(of: tid), tid, SIGSTOP)
        answer(-Notice.restart)
    }

    /// Lets the kernel carry the call out as it stands. Only where the decision rests on registers alone, or where
    /// nothing is enforced: the caller's memory may have changed since it was looked at.
    package consuming func proceed() {
        _ = sbx_notify_continue(listener, id)
        discard self
    }

    /// Gives the caller a duplicate of `descriptor` without ending its call; returns its number there, or `-errno`.
    /// For files where it matters that nobody else has them open once the call is over: a writer keeps a program from
    /// being executed (ETXTBSY), an end of a FIFO keeps the other end waiting. Close ours, then `answer`.
    package borrowing func place(_ descriptor: Int32, closeOnExec: Bool) -> Int32 {
        sbx_notify_place(listener, id, descriptor, closeOnExec ? 1 : 0)
    }

    /// The same in the place of one that the caller has; 0 or more, or `-errno`.
    borrowing func replace(_ descriptor: Int32, at number: Int32) -> Int32 { sbx_notify_replace(listener, id, descriptor, number) }

    /// Gives the caller a duplicate of `descriptor` as the call's result; returns its number there, or `-errno`.
    package consuming func handOver(_ descriptor: Int32, closeOnExec: Bool) -> Int32 {
        let r = sbx_notify_hand_over(listener, id, descriptor, closeOnExec ? 1 : 0)
        // The caller's table may be full (EMFILE): then that is its answer.
        if r < 0 && r != -ENOENT { _ = sbx_notify_answer(listener, id, 0, r) }
        discard self
        return r
    }
}
