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

/// Something that another thread makes meanwhile.
final class Later<Value: Sendable>: @unchecked Sendable {
    // @unchecked: `value` is only touched under `monitor`.
    private let monitor = Monitor()
    private var value: Value?

    init(_ name: StaticString, _ make: @escaping @Sendable () -> Value) {
        let work: @Sendable () -> Void = { [self] in
            let made = make()
            monitor.locked {
                value = made
                monitor.broadcast()
            }
        }
        if WorkerThread.start(name, stack: 8 << 20, work) != 0 { work() }
    }

    /// Waits for it.
    func get() -> Value {
        monitor.locked {
            while value == nil { monitor.wait() }
            return value!
        }
    }
}
