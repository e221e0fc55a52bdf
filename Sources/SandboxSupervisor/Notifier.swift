internal import Glibc
internal import SandboxDecode
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore

/// One thread's hands: it receives calls and sees each through to its answer, and never waits for anybody.
final class Notifier {
    let supervision: Supervision
    let listener: Listener
    var files: FileWork
    var sockets: SocketWork
    /// One of the two may hold something.
    var handsAreFull = false
    let looks: OpenLook
    let nameMemory: NameMemory
    let receivers: Receivers
    /// False for hands that have waited for names once already.
    var mayResolve = true

    init(_ supervision: Supervision, _ listener: Listener, _ receivers: Receivers) {
        self.receivers = receivers
        self.supervision = supervision
        self.listener = listener
        files = FileWork(supervision.context)
        sockets = SocketWork(supervision.context)
        looks = OpenLook(supervision.context, isStrict: supervision.enforces)
        nameMemory = NameMemory(supervision.context)
    }

    static func start(processors: Int, _ supervision: Supervision, _ listener: Listener) -> Bool {
        let receivers = Receivers(processors: processors)
        for i in 0..<receivers.count {
            let e = WorkerThread.start("sbx-notify") { Notifier(supervision, listener, receivers).run(i) }
            if e != 0 { return false }
        }
        return WorkerThread.start("sbx-spare") {
            receivers.startSpares { i in WorkerThread.start("sbx-notify") { Notifier(supervision, listener, receivers).run(i) } == 0 }
        } == 0
    }

    private func run(_ index: Int) {
        WorkerThread.acceptInterruptions()
        var place = receivers.enter(index)
        while let notice = receivers.next(listener, &place) {
            handle(notice)
            receivers.done(place)
            if handsAreFull { reset() }
        }
    }

    /// Duplicates of a caller's sockets and files must not outlive its call.
    func reset() {
        files.reset()
        sockets.reset()
        handsAreFull = false
    }

    // MARK: Registers alone

    func settle(_ call: Call, _ notice: consuming Notice, _ caller: Caller) {
        switch call {
        case .changeIdentity(let change):
            // Before it goes on, so that the next call is looked up with the new credentials.
            supervision.context.noteIdentityChange(change, by: caller)
            notice.proceed()
        case .tellsProcess(let pid) where isOurs(pid) && !supervision.mayTell(pid, notice.call, caller): notice.answer(-EPERM)
        case .towardsProcess(let pid), .tellsProcess(let pid):
            // The register cannot change any more, and a process of the session stays one until the tracer has
            // seen its end.
            if isOurs(pid) { return notice.proceed() }
            if !notice.call.isProbe { supervision.recordRefusal(of: notice.call, caller) }
            notice.answer(-EPERM)
        case .separateDescriptors(let flags):
            // Before it goes on, so that the next call of any thread is looked up in its own. Namespaces, CLONE_UNTRACED, CLONE_PARENT.
            let others: UInt64 = 0x7e82_8000 | (notice.call.isClone ? 0 : 0x80)
            if supervision.enforces, flags & others != 0 { return refuseAndRecord(notice, caller) }
            supervision.context.noteSeparateDescriptors()
            notice.proceed()
        case .shares(let flags):
            if supervision.enforces, flags & 0x7e82_8000 != 0 { return refuseAndRecord(notice, caller) }
            supervision.context.tasks.addCompany(caller.pid, TaskTable.Company.memory | (flags & 0x600 != 0 ? TaskTable.Company.places : 0))
            notice.proceed()
        case .takeRoom(let bytes): supervision.takesRoom(bytes) ? notice.proceed() : notice.answer(-ENOSPC)
        case .personality(let persona):
            // Query, PER_LINUX, PER_LINUX32, ADDR_NO_RANDOMIZE: nothing a decision rests on.
            [0, .max, 8, 0x40000].contains(persona) ? notice.proceed() : notice.answer(-EPERM)
        case .signalDescriptor(let fd, let signal):
            notice.answer(PidDescriptor.signal(fd, signal, of: caller, tasks: supervision.context.tasks))
        case .useObject(let kind, let id) where !supervision.mayUse(kind, id, caller):
            notice.answer(-EACCES)
        case .getObject(let kind, let key, let size, let flags):
            let result = supervision.context.objects.get(kind, key: key, size: size, flags: flags, for: caller, supervision.context)
            if result == -EACCES { supervision.recordObject(kind, key: key, caller) }
            notice.answer(result)
        case .useObject(let kind, let id), .removeObject(let kind, let id):
            // The kernel answers EINVAL to the latter.
            if supervision.context.objects.isOurs(kind, id) || id < 0 { return notice.proceed() }
            supervision.recordObject(kind, id: id, caller)
            notice.answer(-EACCES)
        default: refuseAndRecord(notice, caller)
        }
    }

    private func refuseAndRecord(_ notice: consuming Notice, _ caller: Caller) {
        supervision.recordRefusal(of: notice.call, caller)
        notice.answer(-EPERM)
    }

    /// 0 is the caller's own group; a negative number a group, which is the session's if its leader is.
    private func isOurs(_ pid: Int32) -> Bool {
        if pid == 0 { return true }
        if pid == -1 || pid == .min { return false }  // the second has no positive counterpart
        return supervision.context.tasks.serial(of: abs(pid)) != 0 || -pid == supervision.agentGroup
    }

    // MARK: Acting

    /// What was judged and is on record.
    func refuse(_ notice: consuming Notice, _ caller: Caller) {
        supervision.settle(caller.tid)
        notice.answer(-EACCES)
    }

    func proceed(_ record: RecordRef?, _ notice: consuming Notice) {
        supervision.complete(record, RecordHeader.unknown)
        notice.proceed()
    }

    /// One at a time: what can put a folder or a link in the place of a file.
    func useNames(_ call: Call, _ notice: consuming Notice, _ caller: Caller) {
        var held: Notice? = consume notice
        supervision.naming.whileTaken { useFile(call, held.take()!, caller) }
        // Dropped where nobody got that far.
        if let late = held.take() { late.answer(-EBUSY) }
    }

    func letGo(_ work: FileWork, _ ruling: Ruling, _ notice: consuming Notice) {
        if work.operation == .open { looks.remember(work.first, ruling) }
        if work.movesDirectory { supervision.context.noteMove() }
        letGo(notice, mayBlock: work.mayBlock)
    }

    /// Observe mode: the call goes its own way. From now on a signal interrupts it as it always would.
    func letGo(_ notice: consuming Notice, mayBlock: Bool) {
        if mayBlock { supervision.context.tasks.setWaiting(notice.tid, true) }
        notice.proceed()
    }

    func finish(_ work: FileWork, _ result: Int32, _ record: RecordRef?, _ notice: consuming Notice) {
        // From here on it is in the caller's list, or nowhere.
        let tid = work.caller.tid
        if result >= 0, work.opens {
            if work.first.access.contains(.create), !supervision.made(result, work) {
                work.undoCreation(result)
                close(result)
                supervision.complete(record, -EACCES)
                return refuse(notice, work.caller)
            }
            // A descriptor of one's own memory (proc(5), mem) is its children's as well.
            let isMemory = work.first.access.contains(.write) && ProcPlace(work.first.path)?.isMemory == true
            if isMemory || work.reachesMemory { supervision.context.flights.close() }
            // Where data is followed, the call is over for us before it is for its caller, whose next one may come at once.
            let alone = work.mustBeLetGo || supervision.followsData
            receivers.handedOver()
            let number = alone ? notice.place(result, closeOnExec: work.closesOnExec) : 0
            if alone, number < 0 { work.undoCreation(result) }
            if alone {
                close(result)
                supervision.complete(record, min(number, 0))
                supervision.settle(tid)
                notice.answer(number)
            } else {
                supervision.complete(record, min(notice.handOver(result, closeOnExec: work.closesOnExec), 0))
                close(result)
            }
        } else {
            if result >= 0, work.makesLink { supervision.madeLink(work) }
            supervision.complete(record, result)
            supervision.settle(tid)
            notice.answer(result)
        }
    }

    /// At once where that is possible, else on a thread that may wait.
    func act(_ record: RecordRef?, _ notice: consuming Notice) {
        if sockets.operation == .connect, sockets.mayBlock {
            let result = sockets.connectAtOnce()
            if result == -EINPROGRESS || result == -EAGAIN { return wait(acting: record, notice) }
            supervision.complete(record, min(result, 0))
            supervision.settle(notice.tid)
            return notice.answer(result)
        }
        if sockets.mayBlock, sockets.isFastOpen { return wait(acting: record, notice) }
        let result = sockets.perform(wait: false)
        if result == -EAGAIN && sockets.mayBlock || sockets.isUnfinished { return wait(acting: record, notice) }
        supervision.complete(record, min(result, 0))
        supervision.settle(notice.tid)
        notice.answer(sockets.answer(to: result))
    }

    /// Nobody is asked, and nothing is to be refused.
    func setOption(_ call: Call, _ notice: consuming Notice, _ caller: Caller) {
        do throws(Errno) { try sockets.prepare(call, for: caller) } catch { return notice.answer(-error.code) }
        notice.answer(notice.isStillValid() ? sockets.perform(wait: false) : -ESRCH)
    }

    /// sendmmsg(2): message by message, each judged; what was sent before an error counts.
    func exchangeAll(_ call: Call, _ count: Int, _ notice: consuming Notice, _ caller: Caller) {
        guard notice.isStillValid() else { return notice.answer(-ESRCH) }
        guard supervision.enforces else {
            lookAtAll(call, min(count, 1024), caller)
            return notice.proceed()
        }
        if mayResolve, supervision.policy.deniesNames, !supervision.hosts.isFresh { return wait(resolving: call, notice, caller) }
        var sent: Int32 = 0
        while sent < min(count, 1024) {
            let result: Int32
            switch exchangeOne(call, Int(sent), caller, notice.ticket, wait: false) {
            case .done(let number): result = number
            // What comes before it has gone, and that is a call of its own: the caller asks again for the rest, sendmmsg(2).
            case .asks(let finding, let shown): return sent > 0 ? notice.answer(sent) : hold(socket: finding, shown, notice, caller)
            }
            if result == -EAGAIN, sockets.mayBlock, sent == 0 { return wait(sending: call, count, notice, caller) }
            if result < 0 { return notice.answer(sent > 0 ? sent : result) }
            sent += 1
        }
        notice.answer(sent)
    }

    enum Exchange { case done(Int32), asks(Judged, Shown) }

    func exchangeOne(_ call: Call, _ index: Int, _ caller: Caller, _ ticket: Notice.Ticket, wait: Bool) -> Exchange {
        do throws(Errno) {
            try sockets.prepare(call, for: caller, index: index)
            guard ticket.isStillValid() else { return .done(-ESRCH) }
            var finding = supervision.find(sockets, caller)
            if finding.decision == .ask {
                let shown = Shown(sockets, finding, supervision)
                guard supervision.isApproved(&finding, shown) else { return .asks(finding, shown) }
            }
            let record = supervision.record(sockets, finding, caller)
            if finding.decision == .deny { return .done(-EACCES) }
            let result = sockets.perform(wait: wait)
            supervision.complete(record, min(result, 0))
            if result >= 0 { try sockets.reportLength(result, index: index) }
            return .done(result)
        } catch {
            return .done(-error.code)
        }
    }

    private func lookAtAll(_ call: Call, _ count: Int, _ caller: Caller) {
        for i in 0..<count {
            do throws(Errno) { try sockets.prepare(call, for: caller, index: i) } catch { return }
            _ = supervision.record(sockets, supervision.find(sockets, caller), caller)
        }
    }
}
