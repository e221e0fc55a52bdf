internal import CShims
internal import Glibc
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore

/// The supervisor's side of one run, on the thread that is the tracer.
struct LiveSession {
    private let options: RunOptions
    private let setup: SessionSetup
    private let supervision: Supervision
    private let writer: TrailWriter
    private let launched: Launched
    private let front: Int32

    /// Everything up to the program's first instruction. Nothing has run when this throws.
    init(_ options: RunOptions, front: Int32, signals: sbx_signals) throws(RunFailure) {
        self.options = options
        self.front = front
        let filter = Filter(front: front)
        setup = try SessionSetup(options)
        do throws(RunFailure) { (supervision, writer, launched) = try LiveSession.prepare(options, setup, front, signals, filter) } catch {
            setup.temporary.remove()
            throw error
        }
    }

    private static func prepare(
        _ options: RunOptions, _ setup: SessionSetup, _ front: Int32, _ signals: sbx_signals, _ filter: Filter
    ) throws(RunFailure) -> (Supervision, TrailWriter, Launched) {
        let program = try ProgramSearch.find(options.command.first ?? [], path: setup.searchPath)
        let context: KernelContext
        do throws(Errno) { context = try KernelContext(tasks: TaskTable(pidMax: LiveSession.pidMax())) } catch {
            throw RunFailure("open `/proc`: \(errorText(error.code))", help: "procfs must be mounted")
        }
        context.noteInheritedTerminals()
        SessionSetup.rememberLimits()
        LiveSession.raiseDescriptorLimit()
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
            launched = try Launcher.start(setup.launchSpec(program, front: front, signals: signals), filter)
        } catch {
            try? writer.finish(status: 125)
            throw RunFailure("\(error.step): \(errorText(error.code)); nothing was run", help: error.help.isEmpty ? nil : error.help)
        }
        // What is done on behalf of the session is done without the powers that it has not got. Every thread that does
        // such a thing is started from here on, and inherits this.
        if setup.enforces, sbx_thread_limit_caps() != 0 {
            kill(launched.pid, SIGKILL)
            throw RunFailure("capset: \(errorText(EPERM)); nothing was run")
        }
        let policy: Policy
        do throws(PolicyFailure) { policy = try setup.policy.get() } catch {
            kill(launched.pid, SIGKILL)
            try? writer.finish(status: 125)
            throw RunFailure(error)
        }
        let supervision = Supervision(
            setup.info, policy: policy, enforces: setup.enforces, context: context, journal: journal, neighbours: neighbours,
            status: options.statusDescriptor.map(StatusStream.init), agentGroup: getpgid(front), root: launched.pid)
        if options.user != nil { context.tasks.setForeign(launched.pid) }
        return (supervision, writer, launched)
    }

    private static func pidMax() -> Int {
        guard let file = fopen("/proc/sys/kernel/pid_max", "re") else { return 1 << 22 }
        defer { fclose(file) }
        var text = [CChar](repeating: 0, count: 32)
        return fgets(&text, 32, file) == nil ? 1 << 22 : max(atol(&text), 32768)
    }

    /// Our own table holds what many callers have under way.
    private static func raiseDescriptorLimit() {
        var l = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &l)
        l.rlim_cur = l.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &l)
    }

    // MARK: Running

    mutating func supervise(reports: Int32) throws(RunFailure) -> Int32 {
        let tree = Tree(supervision, front: front)
        let tracer = Tracer(supervision.context, tree)
        tracer.adopt(launched.pid)
        let cores = Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        guard Notifier.start(processors: cores, supervision, launched.listener) else {
            kill(launched.pid, SIGKILL)
            throw RunFailure(
                "pthread_create: the notifiers could not be started", help: "the limit on processes may be reached (`ulimit -u`)")
        }
        let control = ControlServer(supervision, path: setup.controlPath)
        startHelpers(reports, control)
        _ = sbx_set_undumpable()
        supervision.status?.started(setup.info, pid: launched.pid)
        launched.go()
        Session.dropStandardStreams()
        let status = tracer.run()
        return finish(status, control)
    }

    private func startHelpers(_ reports: Int32, _ control: ControlServer) {
        let pid = launched.pid
        let group = supervision.agentGroup
        WorkerThread.start("sbx-front") { FrontLink.serve(reports, agent: pid, group: group) }
        WorkerThread.start("sbx-control") { control.serve() }
        WorkerThread.start("sbx-store") { [writer, setup] in
            do throws(StoreError) {
                try writer.start()
                TemporaryFolder.sweep(try Trail.recover(setup.state).recovered)
            } catch { Session.say("the trail waits in the journal: \(error)") }
        }
        if let limit = setup.timeLimit { WorkerThread.start("sbx-time") { [supervision] in Deadline.wait(limit, thenEnd: supervision) } }
        if supervision.enforces, let limit = supervision.policy.limits.memory {
            WorkerThread.start("sbx-memory") { [supervision] in MemoryWatch(supervision, limit).run() }
        }
    }

    // MARK: The end

    private func finish(_ status: Int32, _ control: ControlServer) -> Int32 {
        control.stop()
        setup.temporary.remove()
        var code = (status & 0x7f) == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
        let failure = launched.outcome()
        if failure != 0 { code = startFailed(failure) }
        if let reason = supervision.reasonOfEnd {
            if !options.isQuiet { Session.say(reason) }
            code = 125
        }
        do throws(StoreError) { try writer.finish(status: code << 8) } catch {
            Session.say("the trail of \(setup.info.id) waits in its journal: \(error)")
        }
        let lost = supervision.lostEvents
        if lost > 0 { Session.say("\(lost) events could not be recorded") }
        supervision.status?.ended(code: code)
        supervision.neighbours.leave()
        return code
    }

    private func startFailed(_ code: Int32) -> Int32 {
        Session.say("exec `\(setup.info.command[0])`: \(errorText(code))")
        return code == ENOENT ? 127 : 126
    }
}
