internal import CShims
internal import Glibc
internal import SandboxIntent
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import Synchronization

/// The supervisor's side of one run, on the thread that is the tracer.
struct LiveSession {
    private let options: RunOptions
    private let setup: SessionSetup
    private let supervision: Supervision
    private let writer: TrailWriter
    private let launched: Launched
    private let group: ControlGroup?
    private let front: Front
    private let prompt: TerminalPrompt?
    /// After this time what is in the journal begins to move into the store, microseconds.
    private static let storeDelay: UInt32 = 100_000

    /// Everything up to the program's first instruction. Nothing has run when this throws.
    init(_ options: RunOptions, _ token: GivenToken?, _ front: Front, _ signals: sbx_signals) throws(RunFailure) {
        self.options = options
        setup = try SessionSetup(options, token)
        var front = front
        if !options.isQuiet, front.isAtTerminal, setup.mayAskHere { try front.makeTerminal() }
        self.front = front
        prompt = front.hasAgentsTerminal ? TerminalPrompt(front) : nil
        let group = setup.controlGroup
        do throws(RunFailure) {
            (supervision, writer, launched) = try LiveSession.prepare(options, setup, group, front, prompt, signals)
        } catch {
            group?.remove()
            setup.temporary.remove()
            throw error
        }
        guard let group else {
            self.group = nil
            return
        }
        self.group = launched.isInGroup ? group : nil
        if launched.isInGroup { supervision.note(group.description) } else { group.remove() }
    }

    private static func prepare(
        _ options: RunOptions, _ setup: SessionSetup, _ group: ControlGroup?, _ front: Front, _ prompt: TerminalPrompt?,
        _ signals: sbx_signals
    ) throws(RunFailure) -> (Supervision, TrailWriter, Launched) {
        let program = try ProgramSearch.find(options.command.first ?? [], path: setup.searchPath)
        // Everything that is asked there about a process would be answered about another one.
        if let missing = ProcPath.missing {
            throw RunFailure("\(missing); nothing was run", help: "mount -t proc proc /proc, or `unshare --mount-proc`")
        }
        let context: KernelContext
        do throws(Errno) { context = try KernelContext(tasks: TaskTable(pidMax: LiveSession.pidMax())) } catch {
            throw RunFailure("openat2 `/proc/self/fd`: \(errorText(error.code)); nothing was run", help: Capability.filtered)
        }
        context.terminals.insertInherited()
        SessionSetup.rememberLimits()
        guard LiveSession.raiseDescriptorLimit() >= 64 else {
            throw RunFailure("fewer than 64 descriptors may be open here; nothing was run", help: "ulimit -n 64, or more")
        }
        let directory: SessionDirectory
        let journal: Journal
        let neighbours: Neighbours
        do throws(StoreError) {
            directory = try SessionDirectory.create(setup.info, in: setup.state)
            journal = try Journal(directory: directory, session: setup.info)
            neighbours = try Neighbours(setup.info.id, in: setup.state)
        } catch { throw RunFailure(error) }
        let writer = TrailWriter(state: setup.state, journal: journal)
        let launched: Launched
        do throws(LaunchError) {
            launched = try Launcher.start(setup.launchSpec(program, in: group, front: front, signals: signals))
            Session.leaveGroup()
            if front.hasAgentsTerminal { _ = sbx_terminal_give(launched.pid) }
        } catch {
            try? writer.finish(status: 125)
            throw RunFailure("\(error.step): \(errorText(error.code)); nothing was run", help: error.help.isEmpty ? nil : error.help)
        }
        // What is done on behalf of the session is done without the powers that it has not got. Every thread that does
        // such a thing is started from here on, and inherits this.
        if setup.enforces, sbx_thread_limit_caps() != 0 {
            kill(launched.pid, SIGKILL)
            try? writer.finish(status: 125)
            throw RunFailure("capset: \(errorText(EPERM)); nothing was run")
        }
        // The program is loaded while the policy is made. It stops at its exec event, before its first instruction, until this
        // thread, the tracer, comes to it.
        launched.go()
        var listeners: [any QuestionListener] = [prompt ?? QuestionNotice(isQuiet: options.isQuiet)]
        let policy: Policy, reader: CommandReader, candidate: (Policy, CommandReader)?
        do throws(RunFailure) {
            (policy, reader) = try setup.policy.get()
            candidate = try setup.shadow?.get()
            if policy.hasRules, let webhook = try Webhook.configured() { listeners.append(webhook) }
        } catch {
            kill(launched.pid, SIGKILL)
            try? writer.finish(status: 125)
            throw error
        }
        let carrying: Carrying?, candidates: Carrying?
        do throws(RunFailure) {
            carrying = try LiveSession.carrying(policy, setup, isCandidate: false)
            candidates = try candidate.flatMap { (policy, _) throws(RunFailure) in
                try LiveSession.carrying(policy, setup, isCandidate: true)
            }
        } catch {
            kill(launched.pid, SIGKILL)
            try? writer.finish(status: 125)
            throw error
        }
        let asksGroups = [policy, candidate?.0].contains { $0?.asks([.group]) == true }
        let people = People(setup.info, groups: setup.groups, areAsked: asksGroups)
        let ownGroup = front.hasAgentsTerminal ? launched.pid : getpgid(front.pid)
        let shadow = candidate.map { policy, reader in
            Supervision(
                setup.info, policy: policy, enforces: setup.enforces, context: context, journal: journal, neighbours: neighbours,
                status: nil, agentGroup: ownGroup, root: launched.pid, group: nil, people: people,
                commands: CommandJudge(policy: policy, reader: reader), searchPath: setup.searchPath, carrying: candidates)
        }
        let supervision = Supervision(
            setup.info, policy: policy, enforces: setup.enforces, context: context, journal: journal, neighbours: neighbours,
            status: options.statusDescriptor.map(StatusStream.init), agentGroup: ownGroup, root: launched.pid,
            group: launched.isInGroup ? group : nil, people: people, commands: CommandJudge(policy: policy, reader: reader),
            searchPath: setup.searchPath, carrying: carrying, shadow: shadow, listeners: listeners)
        for stream: Int32 in 0...2 where setup.enforces {
            guard let refusal = supervision.refusal(ofStream: stream) else { continue }
            kill(launched.pid, SIGKILL)
            try? writer.finish(status: 125)
            throw refusal
        }
        if options.user != nil { context.tasks.setForeign(launched.pid) }
        if setup.enforces { supervision.note("Landlock \(KernelFloor.here)") }
        return (supervision, writer, launched)
    }

    /// Nil where no rule asks what is carried.
    private static func carrying(_ policy: Policy, _ setup: SessionSetup, isCandidate: Bool) throws(RunFailure) -> Carrying? {
        guard policy.asksWhatIsCarried else { return nil }
        let files: FileLabels
        do throws(StoreError) { files = try FileLabels(in: setup.state) } catch { throw RunFailure(error) }
        if isCandidate { return Carrying(files, link: nil) }
        guard let link = LabelLink(session: setup.state.sessions + "/" + setup.info.id) else {
            throw RunFailure("the socket that tells other sessions of data classes could not be made: \(errorText(errno)); nothing was run")
        }
        return Carrying(files, link: link)
    }

    private static func pidMax() -> Int {
        guard let file = fopen("/proc/sys/kernel/pid_max", "re") else { return 1 << 22 }
        defer { fclose(file) }
        var text = [CChar](repeating: 0, count: 32)
        return fgets(&text, 32, file) == nil ? 1 << 22 : max(atol(&text), 32768)
    }

    /// Our own table holds what many callers have under way. To what the limit is then.
    private static func raiseDescriptorLimit() -> UInt {
        var l = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &l)
        l.rlim_cur = l.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &l)
        return l.rlim_cur
    }

    // MARK: Running

    mutating func supervise() throws(RunFailure) -> Int32 {
        _ = sbx_front_lend(front.link, launched.listener.descriptor)
        // Before it is our turn to ask: whoever asks us must not wait for that.
        if let carrying = supervision.carrying, let link = carrying.link {
            WorkerThread.start("sbx-labels") { [supervision] in link.serve(supervision, carrying) }
        }
        let tree = Tree(supervision, front: front)
        let tracer = Tracer(supervision.context, tree, tracksData: supervision.enforces && supervision.carrying != nil)
        tracer.adopt(launched.pid)
        // All there before the program's first instruction: later there may be no room for another thread.
        let helpers = Later("sbx-helpers") { [self, writes = tree.writes] in startHelpers(writes) }
        let cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        guard Notifier.start(processors: cores, supervision, launched.listener) else {
            throw abandon(
                helpers.get(),
                RunFailure(
                    "pthread_create: the notifiers could not be started", help: "the limit on processes may be reached (`ulimit -u`)"))
        }
        _ = sbx_set_undumpable()
        supervision.status?.started(setup.info, pid: launched.pid)
        Session.dropStandardStreams()
        do throws(RunFailure) {
            try setup.policy.awaitCatalogue()
            try setup.shadow?.awaitCatalogue()
        } catch { throw abandon(helpers.get(), error) }
        let controls = helpers.get()
        let status = tracer.run()
        return finish(status, controls)
    }

    /// Nothing was run: the program is still at its exec event.
    private func abandon(_ controls: [ControlServer], _ failure: RunFailure) -> RunFailure {
        kill(launched.pid, SIGKILL)
        for control in controls { control.stop() }
        try? writer.finish(status: 125)
        group?.remove()
        setup.temporary.remove()
        return failure
    }

    private func startHelpers(_ writes: WriteWatch?) -> [ControlServer] {
        supervision.waits.start()
        let pid = launched.pid
        let group = getpgid(front.pid)
        WorkerThread.start("sbx-front") { [front, prompt] in FrontLink.serve(front.link, agent: pid, group: group, prompt) }
        var controls = [ControlServer(supervision, path: setup.controlPath)]
        if setup.namesApprovers, let path = ApproverSockets.path(session: setup.info.id) {
            controls.append(ControlServer(supervision, path: path, forApprovers: true))
        }
        for control in controls { WorkerThread.start("sbx-control") { control.serve() } }
        WorkerThread.start("sbx-store") { [writer, setup] in
            WorkerThread.runs(.afterAllOthers)
            // A short session needs the processors for itself; until then the journal has it all.
            usleep(LiveSession.storeDelay)
            setup.crew.dismiss()
            do throws(StoreError) {
                try writer.start()
                _ = try Abandoned.takeIn(setup.state)
            } catch { Session.say("the trail waits in the journal: \(error)") }
        }
        if let limit = setup.timeLimit { WorkerThread.start("sbx-time") { [supervision] in Deadline.wait(limit, thenEnd: supervision) } }
        if supervision.enforces, let limit = supervision.policy.limits.memory {
            WorkerThread.start("sbx-memory") { [supervision] in MemoryWatch(supervision, limit).run() }
        }
        if let writes { WorkerThread.start("sbx-writes") { writes.run() } }
        return controls
    }

    // MARK: The end

    private func finish(_ status: Int32, _ controls: [ControlServer]) -> Int32 {
        FrontLink.isOver.store(true, ordering: .releasing)
        supervision.approvals.end()
        supervision.endTraffic()
        // Output that the agent has stopped would hold up our own words.
        if front.hasAgentsTerminal { tcflow(2, TCOON) }
        for control in controls { control.stop() }
        supervision.carrying?.link?.stop()
        if let group { leave(group) }
        setup.temporary.remove()
        var code = (status & 0x7f) == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
        let failure = launched.outcome()
        if failure != 0 { code = startFailed(failure) }
        if let reason = supervision.reasonOfEnd {
            if !options.isQuiet { Session.say(reason) }
            code = 125
        }
        let isComplete = end(code)
        let lost = supervision.lostEvents
        if lost > 0 { Session.say("\(lost) events could not be recorded") }
        supervision.status?.ended(code: code)
        supervision.neighbours.leave()
        if isComplete { settle(code) }
        return code
    }

    private func leave(_ group: ControlGroup) {
        let killed = group.killedForMemory
        if killed > 0 { supervision.note("limits.memory: the kernel killed \(killed) of the session's processes for want of memory") }
        group.remove()
    }

    /// True when the journal holds everything, the end included. Where the store is in trouble, its user hears of it now.
    private func end(_ code: Int32) -> Bool {
        do throws(StoreError) {
            try writer.end(status: code << 8)
            // Another session that writes will have done soon.
            if writer.failure?.isBusy ?? true { return true }
            try writer.settle()
        } catch {
            let what =
                writer.isGone
                ? "what was not yet in the trail of \(setup.info.id) is lost" : "the trail of \(setup.info.id) waits in its journal"
            Session.say("\(what): \(error)")
        }
        return false
    }

    /// Nobody need wait for what is left to do: whoever asks for the trail waits until it is done (`Trail.recover`), or does
    /// it himself if we are killed before.
    private func settle(_ code: Int32) {
        Session.dropStandardStreams(0...2)
        chdir("/")
        // Who started us and has waited for the front must not wait for us: both may be woken on this processor.
        WorkerThread.runs(.afterAllOthers)
        _ = sbx_front_release(front.pid, front.link, code)
        try? writer.settle()
    }

    private func startFailed(_ code: Int32) -> Int32 {
        Session.say("exec `\(setup.info.command[0])`: \(errorText(code))")
        return code == ENOENT ? 127 : 126
    }
}
