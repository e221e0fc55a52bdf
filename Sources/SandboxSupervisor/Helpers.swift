internal import Glibc
internal import SandboxKernel
internal import Synchronization

/// What the process that the user started passes on: signals, one byte each, and what somebody types who is asked.
enum FrontLink {
    /// Set when the agent has ended: its number may be somebody else's from then on.
    static let isOver = Atomic(false)

    /// `group`: the front's, where the agent was started in it.
    static func serve(_ link: Int32, agent: Int32, group: Int32, _ prompt: TerminalPrompt?) {
        var message = [UInt8](repeating: 0, count: 512)
        while true {
            let n = read(link, &message, message.count)
            if isOver.load(ordering: .acquiring) { return }
            if n < 0 && errno == EINTR { continue }
            if n > 1 {
                prompt?.heard(message[..<n])
                continue
            }
            let byte = message[0]
            // The front has gone. PR_SET_PDEATHSIG does not always see to that: it ends with a change of credentials,
            // as the tracer makes them under --user (prctl(2)).
            if n <= 0 {
                kill(agent, SIGKILL)
                return
            }
            guard Int32(byte) == SIGCONT else {
                kill(agent, Int32(byte))
                continue
            }
            // A shell's `fg` continues our group; an agent that has made one of its own would not hear of it.
            let own = getpgid(agent)
            if own > 0, own != group { kill(-own, SIGCONT) }
        }
    }
}

/// `limits.time` and `--timeout`.
enum Deadline {
    static func wait(_ nanoseconds: UInt64, thenEnd supervision: Supervision) {
        var t = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        var left = timespec()
        while nanosleep(&t, &left) != 0 { t = left }
        supervision.end(because: "the time limit of \(nanoseconds / 1_000_000_000) s is over; the session was killed")
    }
}

/// Makes what a session needs to start, on a few threads beside the one that starts it: to make a thread for each thing costs as much as
/// some of the things. They are begun in the order in which they were asked for, and may wait for what was asked for before.
final class Crew: @unchecked Sendable {
    // @unchecked: `jobs` and `isDismissed` are only touched under `monitor`.
    private let monitor = Monitor()
    private var jobs: [@Sendable () -> Void] = []
    private var isDismissed = false
    private var count = 0
    private static let most = 4

    init() {
        for _ in 0..<max(1, min(Crew.most, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))) {
            if WorkerThread.start("sbx-crew", stack: 8 << 20, { [self] in while let job = next() { job() } }) == 0 { count += 1 }
        }
    }

    /// Returns at once; where there is no thread, when it is done.
    func make(_ job: @escaping @Sendable () -> Void) {
        if count == 0 { return job() }
        monitor.locked {
            jobs.append(job)
            monitor.signal()
        }
    }

    private func next() -> (@Sendable () -> Void)? {
        monitor.locked {
            while jobs.isEmpty, !isDismissed { monitor.wait() }
            return jobs.isEmpty ? nil : jobs.removeFirst()
        }
    }

    /// The threads end when all is made.
    func dismiss() {
        monitor.locked {
            isDismissed = true
            monitor.broadcast()
        }
    }
}

/// Something that another thread makes meanwhile.
final class Later<Value: Sendable>: @unchecked Sendable {
    // @unchecked: `value` is only touched under `monitor`.
    private let monitor = Monitor()
    private var value: Value?

    init(_ crew: Crew, _ make: @escaping @Sendable () -> Value) {
        crew.make { [self] in finish(make()) }
    }

    /// On a thread of its own, which is scheduled as the calling one is.
    init(_ name: StaticString, _ make: @escaping @Sendable () -> Value) {
        let work: @Sendable () -> Void = { [self] in finish(make()) }
        if WorkerThread.start(name, work) != 0 { work() }
    }

    private func finish(_ made: Value) {
        monitor.locked {
            value = made
            monitor.broadcast()
        }
    }

    /// Waits for it.
    func get() -> Value {
        monitor.locked {
            while value == nil { monitor.wait() }
            return value!
        }
    }
}
