internal import Glibc
internal import SandboxDecode
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy
internal import Synchronization

/// Calls that are judged only where data classes are followed.
extension Notifier {
    /// accept(2): the connection is taken for the caller, who has it once it is known who is at the other end. Who must not have what
    /// the caller carries is let go, and it is waited for the next.
    func accept(_ call: Call, _ notice: consuming Notice, _ caller: Caller) {
        do throws(Errno) { try sockets.prepare(call, for: caller) } catch { return notice.answer(-error.code) }
        guard notice.isStillValid() else { return notice.answer(-ESRCH) }
        if sockets.isTooEarly { return notice.answer(-EAGAIN) }
        let work = sockets
        sockets = SocketWork(supervision.context)
        let box = Box(notice)
        // Somebody else may take the connection first: a notifier waits for nobody.
        supervision.waits.submit(tid: box.tid) { [supervision] isInterrupted in
            defer { work.reset() }
            var result: Int32 = -EINTR
            while !isInterrupted(), box.ticket.isStillValid() {
                result = work.takeConnection()
                if result == -EINTR || result == -Notice.restart { continue }
                if result < 0 || supervision.admits(result, caller) { break }
                close(result)
                supervision.settle(caller.tid)
                result = work.mayBlock ? -EINTR : -EAGAIN
                if !work.mayBlock { break }
            }
            Notifier.handOver(result, work, box, supervision)
        }
    }

    private static func handOver(_ connection: Int32, _ work: SocketWork, _ box: Box, _ supervision: Supervision) {
        let notice = box.take()
        var result = connection
        if connection >= 0 {
            let told = work.tell(of: connection)
            result = told < 0 ? told : notice.place(connection, closeOnExec: work.closesOnExec)
            close(connection)
        }
        supervision.settle(notice.tid)
        if result == -EINTR || result == -Notice.restart { return notice.restart(supervision.context.tasks) }
        notice.answer(result)
    }

    /// readlink(2): what a link says is its maker's text.
    func readLink(_ call: Call, _ notice: consuming Notice, _ caller: Caller) {
        do throws(Errno) { try files.prepare(call, for: caller) } catch { return notice.answer(-error.code) }
        guard notice.isStillValid() else { return notice.answer(-ESRCH) }
        // A link that has just been made is labelled when this is free.
        let result =
            supervision.naming.whileTaken { () -> Int32 in
                if !supervision.mayReadLink(files, caller) { return -EACCES }
                guard let refusal = supervision.carry(link: files, caller) else { return files.readLink() }
                var finding = Judged(Ruling(.allow, by: .none))
                finding.refuse(refusal)
                finding.carries = supervision.carried(by: caller)
                _ = supervision.record(files, finding, caller)
                return -EACCES
            } ?? -EBUSY
        notice.answer(result)
    }
}
