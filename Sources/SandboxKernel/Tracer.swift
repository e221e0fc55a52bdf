internal import CShims
internal import Glibc
internal import SandboxDecode
internal import SandboxModel

/// What becomes of a program that was loaded.
package enum ProgramStart: Sendable {
    case goesOn
    /// It finds this descriptor, which is taken over, in the place of its standard input.
    case goesOnReading(Int32)
    /// Its parent sees exit code 126, as a shell has it.
    case ends
    /// It stays where it is, while all others go on.
    case isHeld
}

/// What the tracer reports, on its own thread, while the task concerned stands still.
package protocol TracerEvents: AnyObject {
    /// A new task, a thread or a process, that has run nothing yet.
    func met(tid: Int32)
    /// A new process (not a thread). `parent` is the serial of the one that made it, 0 where nobody knows.
    func started(pid: Int32, serial: UInt32, parent: UInt32)
    /// The new image is there and nothing of it has run.
    func became(_ caller: Caller) -> ProgramStart
    /// What was held may be decided (`TracerLink.decide`).
    func decided(_ caller: Caller) -> ProgramStart
    /// A task has ended and has not been reaped: its parent does not know yet.
    func isEnding(tid: Int32)
    /// Another thread has started a program and has the leader's number now; the leader has ended without a report.
    func leaderWasReplaced(pid: Int32, by former: Int32)
    func ended(pid: Int32, serial: UInt32, status: Int32)
    /// The first process was stopped by this signal, or goes on (0).
    func rootStopped(by signal: Int32)
}

/// Follows the process tree by ptrace(2). Everything here runs on the thread that started the first process: the
/// kernel takes ptrace requests from no other.
package final class Tracer<Events: TracerEvents> {
    private struct Task {
        var leader: Int32
        var serial: UInt32
        /// A thread that the table counts among its process's.
        var isCounted = false
        /// By vfork(2): the process whose memory it runs in, and which stands still meanwhile; 0: none.
        var lender: Int32 = 0
        /// Of a leader: there have been other threads since its program was started.
        var hadThreads = false
    }

    private let table: TaskTable
    private let flights: Flights
    private let link: TracerLink
    private let gifts: InputGifts
    private unowned let events: Events
    /// Which calls come to the supervisor: what it does in enforce mode alone waits for nobody, and no signal ends it.
    private let filter: FilterKind
    private var tasks: [Int32: Task] = [:]
    /// Tasks that were met, or had ended, before the event of the one that made them was seen.
    private var early: Set<Int32> = []
    /// Processes that stand at their exec event until somebody has decided.
    private var held: Set<Int32> = []
    /// Processes whose program was denied and that are about to end. A signal would stop them, or have them written to a core
    /// file, with that program in their memory: they take none any more.
    private var leaving: Set<Int32> = []
    /// Program starts that make a call of ours first, and what is put back then.
    private var calls: [Int32: (call: sbx_call, tries: Int)] = [:]
    /// New tasks whose first stop was reported before the event of the one that made them. They stay stopped until that
    /// event says whose they are.
    private var unmet: Set<Int32> = []
    /// New processes that no event will name, because another thread has started a program in the place of their maker.
    private var orphans: Set<Int32> = []
    private var lastSerial: UInt32 = 0
    /// Tasks that are no leaders: without any, a program is started by the leader itself.
    private var threads = 0
    private var root: Int32 = 0
    /// Some task may have ended in the middle of making another: it was killed, or another thread ended the process.
    private var mayBeOrphans = false
    private var borrowersWereKilled = false
    private var rootIsStopped = false
    private var isEnding = false
    /// wait(2) status of the first process, once it has ended.
    private var rootStatus: Int32?

    package init(_ context: KernelContext, _ events: Events, tracksData: Bool) {
        var filter = FilterKind(enforces: true, scopesSignals: true, countsRoom: true, supervisor: getpid(), front: 0)
        filter.tracksData = tracksData
        self.filter = filter
        table = context.tasks
        flights = context.flights
        link = context.tracer
        gifts = context.gifts
        self.events = events
    }

    /// Makes the launched process the root of the tree.
    package func adopt(_ pid: Int32) {
        root = pid
        _ = isLeader(pid)
        register(pid, leader: pid, parent: 0)
    }

    /// Until no tracee is left. Returns the first process's wait(2) status.
    package func run() -> Int32 {
        var status: Int32 = 0
        link.attach()
        defer { link.detach() }
        while true {
            var isEnd: Int32 = 0
            let tid = link.isWanted ? -EINTR : sbx_wait_peek(&isEnd)
            if tid == -EINTR {
                for pid in link.serve() where held.contains(pid) { start(pid) { self.events.decided($0) } }
                continue
            }
            if tid < 0 { return rootStatus ?? SIGKILL }
            // Nobody learns of its end before whoever acts for it has stopped.
            if isEnd != 0 { events.isEnding(tid: tid) }
            guard sbx_wait_for(tid, &status) == tid else { continue }
            if status & 0xff == 0x7f { stopped(tid, status) } else { gone(tid, status) }
        }
    }

    // MARK: Tasks

    private func register(_ tid: Int32, leader: Int32, parent: UInt32) {
        if tid == leader {
            lastSerial += 1
            tasks[tid] = Task(leader: tid, serial: lastSerial)
            table.set(tid, serial: lastSerial, leader: tid)
            events.started(pid: tid, serial: lastSerial, parent: parent)
        } else {
            threads += 1
            let serial = tasks[leader]?.serial ?? table.serial(of: leader)
            tasks[tid] = Task(leader: leader, serial: serial, isCounted: true)
            tasks[leader]?.hadThreads = true
            table.set(tid, serial: serial, leader: leader)
            table.addThread(of: leader)
            // It goes on in borrowed memory when the one that was lent it has ended.
            if let lender = tasks[leader]?.lender, lender != 0 { table.addCompany(lender, TaskTable.Company.memory) }
        }
        events.met(tid: tid)
        if isEnding { _ = sbx_kill(leader, SIGKILL) }
    }

    private func gone(_ tid: Int32, _ status: Int32) {
        flights.land(tid)
        if status & 0x7f == SIGKILL || threads > 0 { mayBeOrphans = true }
        table.remove(tid)
        unmet.remove(tid)
        orphans.remove(tid)
        held.remove(tid)
        leaving.remove(tid)
        if calls.removeValue(forKey: tid) != nil { gifts.drop(tid) }
        // Killed in the stop that would have named its child. One that ran in borrowed memory leaves it to the child,
        // while the one that had lent it runs on: nobody could tell any more who shares what.
        if status & 0x7f != 0, tasks[tid]?.lender ?? 0 != 0 {
            borrowersWereKilled = true
            for child in unmet { _ = sbx_kill(child, SIGKILL) }
        }
        if !unmet.isEmpty { meetAll() }
        guard let t = tasks.removeValue(forKey: tid) else {
            early.insert(tid)  // killed before its first stop
            return
        }
        guard tid == t.leader else {
            threads -= 1
            if t.isCounted { table.removeThread(of: t.leader) }
            return
        }
        events.ended(pid: tid, serial: t.serial, status: status)
        if tid == root { endAll(status) }
    }

    /// What outlives the first process is killed: nothing supervised outlives its supervisor.
    private func endAll(_ status: Int32) {
        rootStatus = status
        isEnding = true
        for t in tasks where t.key == t.value.leader { _ = sbx_kill(t.key, SIGKILL) }
        meetAll()
    }

    // MARK: Stops

    private func stopped(_ tid: Int32, _ status: Int32) {
        let event = status >> 16, sig = status >> 8 & 0xff
        flights.land(tid)
        if tasks[tid] == nil {
            unmet.insert(tid)
            guard orphans.remove(tid) != nil || mayBeOrphans && isOrphan(tid) else { return }
            // It may be what `gone` speaks of.
            if borrowersWereKilled { _ = sbx_kill(tid, SIGKILL) }
            meetAll()
            return
        }
        switch UInt32(event) {
        case 0: leaving.contains(tid) ? leave(tid, sig) : deliver(tid, sig)
        case SBX_EVENT_FORK.rawValue, SBX_EVENT_VFORK.rawValue, SBX_EVENT_CLONE.rawValue:
            bore(tid, inOwnMemory: event != Int(SBX_EVENT_VFORK.rawValue))
            resume(tid)
        case SBX_EVENT_EXEC.rawValue: execed(tid)
        case SBX_EVENT_STOP.rawValue: stoppedByGroup(tid, sig)
        default: resume(tid)
        }
    }

    private func resume(_ tid: Int32, _ sig: Int32 = 0) {
        // ESRCH: it was killed meanwhile; its end will be reported.
        _ = sbx_ptrace_continue(tid, sig)
    }

    /// What it does itself is one call, and nothing that follows may run: where a filter of its own (seccomp(2)) has refused that call,
    /// or trapped it, it stands at the trap behind. All else was sent by somebody.
    private func leave(_ tid: Int32, _ sig: Int32) {
        let isTrap = [SIGTRAP, SIGSYS, SIGSEGV, SIGBUS, SIGILL].contains(sig)
        if isTrap { _ = sbx_kill(tid, SIGKILL) }
        // Nobody is to look at it while it is stopped. execve(2) has left no handler: by another signal it ends, or ignores it.
        resume(tid, isTrap || ProcStatus.isStop(sig) ? 0 : sig)
    }

    /// A call of ours that a signal ended before we had received it never began: it starts again, whether the handler
    /// says SA_RESTART or not, as if the signal had come just before it. (Afterwards the caller sleeps killable, and
    /// nothing interrupts it but us.)
    private func deliver(_ tid: Int32, _ sig: Int32) {
        if sig == SIGTRAP, let call = calls[tid]?.call, hasReturned(tid, from: call) { return resume(tid) }
        // `Notice.restart`: it has done its work by being there.
        if sig == SIGSTOP, sbx_ptrace_is_sent_by(tid, getpid()) == 1 { return resume(tid) }
        if !table.isWaiting(tid), let call = interrupted(tid), filter.judges(call) { _ = sbx_ptrace_restart_always(tid) }
        resume(tid, sig)
    }

    /// The call that the signal ended, where the kernel would restart it or not as the handler says. One that waits for itself,
    /// such as send(2) without an address, is not ours.
    private func interrupted(_ tid: Int32) -> RawCall? {
        var number: Int64 = 0
        var call = RawCall(number: 0, arguments: .init(repeating: 0))
        var span = call.arguments.mutableSpan
        let isOurs = span.withUnsafeMutableBufferPointer { sbx_ptrace_interrupted(tid, &number, $0.baseAddress!) } == 1
        call.number = Int32(truncatingIfNeeded: number)
        return isOurs ? call : nil
    }

    private func bore(_ tid: Int32, inOwnMemory: Bool) {
        var message: UInt = 0
        guard sbx_ptrace_message(tid, &message) == 0, let me = tasks[tid] else { return }
        let child = Int32(truncatingIfNeeded: message)
        // It may be gone by now, and its number must not be taken for one of the session's.
        if early.remove(child) != nil, tasks[child] == nil, !isStillOurs(child) { return }
        guard tasks[child] == nil else { return }
        register(child, leader: isLeader(child) ? child : me.leader, parent: me.serial)
        // Before it runs its first instruction; its parent, which stands still, has the same credentials.
        if table.isForeign(me.leader) { table.setForeign(child) }
        if tasks[child]?.leader == child { noteCompany(of: child, madeBy: me.leader, inOwnMemory: inOwnMemory) }
        if unmet.remove(child) != nil { resume(child) }
    }

    /// Whose memory a new process has. clone(2) without CLONE_VFORK comes to a notifier first where it shares anything, and is
    /// noted of the parent there. What vfork(2) makes has its parent's memory to itself, because the parent stands
    /// still, unless the parent has other threads, or runs in borrowed memory itself.
    private func noteCompany(of child: Int32, madeBy parent: Int32, inOwnMemory: Bool) {
        let inherited = table.companyOf(parent) & (TaskTable.Company.memory | TaskTable.Company.places)
        if inherited != 0 { table.addCompany(child, inherited) }
        let lender = tasks[parent]?.lender ?? 0
        // What was borrowed is shared with one more, who may outlive the borrower.
        if inherited & TaskTable.Company.memory != 0, lender != 0 { table.addCompany(lender, TaskTable.Company.memory) }
        guard !inOwnMemory else { return }
        tasks[child]?.lender = parent
        guard table.companyOf(parent) != 0 || lender != 0 else { return }
        for pid in [child, parent, lender] where pid != 0 { table.addCompany(pid, TaskTable.Company.memory) }
    }

    /// pidfd_open(2) takes leaders of thread groups only: `EINVAL` for another thread, `ENOENT` since Linux 6.15. What
    /// it gives is kept for as long as the process lives. tgkill(2) tells as well, where no descriptor is left.
    private func isLeader(_ tid: Int32) -> Bool {
        let fd = sbx_pidfd_open(tid, 0)
        if fd >= 0 { table.setHandle(tid, fd) }
        return fd >= 0 || fd != -EINVAL && fd != -ENOENT && sbx_tgkill(tid, tid, 0) == 0
    }

    /// A number may come round again before it is forgotten here. (What has ended and waits for its parent is ours no more.)
    private func isStillOurs(_ tid: Int32) -> Bool { ProcIdentity.of(tid).tracer == getpid() }

    /// Whoever made it ended on the way to the event that would have named it, and has gone before it was seen. In a session
    /// that is ending nobody is waited for.
    private func isOrphan(_ tid: Int32) -> Bool {
        let (leader, parent, _) = ProcIdentity.of(tid)
        return isEnding || tasks[leader == tid ? parent : leader] == nil
    }

    private func meetAll() {
        let waiting = unmet
        unmet = []
        for tid in waiting {
            early.insert(tid)
            meet(tid)
            resume(tid)
        }
    }

    /// A task that no event will name any more. (One that does after all finds it known.)
    private func meet(_ tid: Int32) {
        let (leader, parent, _) = ProcIdentity.of(tid)
        if leader != 0, leader != tid, tasks[leader] != nil { return register(tid, leader: leader, parent: 0) }
        _ = isLeader(tid)
        table.setForeign(tid)
        table.addCompany(tid, TaskTable.Company.memory | TaskTable.Company.places)
        register(tid, leader: tid, parent: tasks[parent]?.serial ?? 0)
    }

    /// Every other thread is gone, and the one that called execve(2) has the leader's id now.
    private func execed(_ tid: Int32) {
        if !unmet.isEmpty { meetAll() }
        var former: UInt = 0
        if threads > 0, sbx_ptrace_message(tid, &former) == 0, Int32(truncatingIfNeeded: former) != tid {
            let old = Int32(truncatingIfNeeded: former)
            if tasks.removeValue(forKey: old) != nil { threads -= 1 }
            table.remove(old)
            // What waited for the thread that had this number would never learn.
            events.leaderWasReplaced(pid: tid, by: old)
        }
        guard tasks[tid] != nil else { return resume(tid) }
        if tasks[tid]?.hadThreads == true {
            tasks[tid]?.hadThreads = false
            orphans.formUnion(ProcessList.children(of: tid).filter { tasks[$0] == nil && isStillOurs($0) })
        }
        forgetCompany(of: tid)
        start(tid) { self.events.became($0) }
    }

    private func start(_ tid: Int32, _ judge: (Caller) -> ProgramStart) {
        guard let t = tasks[tid] else { return }
        held.remove(tid)
        switch judge(Caller(tid: tid, pid: t.leader, serial: t.serial)) {
        case .goesOn: break
        case .goesOnReading(let input): give(input, to: tid)
        case .ends:
            leaving.insert(tid)
            if sbx_ptrace_exit_now(tid, 126) != 0 { _ = sbx_kill(tid, SIGKILL) }
        case .isHeld:
            held.insert(tid)
            return
        }
        resume(tid)
    }

    /// The first thing that the program does is a call that a notifier answers with the descriptor; then it traps, and is put back to
    /// its beginning.
    private func give(_ input: Int32, to tid: Int32) {
        var call = sbx_call()
        let result = sbx_ptrace_call_now(tid, &call)
        gifts.put(input, for: tid)
        calls[tid] = (call, 0)
        if result < 0 { _ = sbx_kill(tid, SIGKILL) }
    }

    /// False for a signal that somebody else has sent.
    private func hasReturned(_ tid: Int32, from call: sbx_call) -> Bool {
        var call = call
        if gifts.isWaiting(tid) {
            // A signal came before the call was received. Or the program before had a filter of its own that lets it come to nobody.
            let tries = (calls[tid]?.tries ?? 0) + 1
            calls[tid]?.tries = tries
            if tries > 100 || sbx_ptrace_call_again(tid, &call) < 0 { _ = sbx_kill(tid, SIGKILL) }
            return true
        }
        let result = sbx_ptrace_call_done(tid, &call)
        if result < 0 { _ = sbx_kill(tid, SIGKILL) }
        if result == 1 { calls[tid] = nil }
        return result != 0
    }

    private func forgetCompany(of tid: Int32) {
        tasks[tid]?.lender = 0
        if threads > 0 { for other in tasks where other.value.leader == tid { tasks[other.key]?.isCounted = false } }
        table.startedProgram(tid)
    }

    private func stoppedByGroup(_ tid: Int32, _ sig: Int32) {
        let isStop = ProcStatus.isStop(sig)
        if tid == root, isStop != rootIsStopped {
            rootIsStopped = isStop
            events.rootStopped(by: isStop ? sig : 0)
        }
        if isStop, !leaving.contains(tid) { _ = sbx_ptrace_listen(tid) } else { resume(tid) }
        if let leader = tasks[tid]?.leader { table.setStopping(leader, isStop) }
    }
}
