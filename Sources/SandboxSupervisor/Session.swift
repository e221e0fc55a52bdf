internal import CShims
internal import Glibc
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore

/// `sandbox run`, from the options to the exit code.
package enum Session {
    /// What is left to the supervisor of how it was started.
    private struct Start: Sendable {
        let front: Int32
        let link: Int32
        let signals: sbx_signals
    }

    /// Where a standard stream is closed, what is opened first would take its number, and our words would go into it: the trail,
    /// for one. What takes its place can be used no more than it could, and is closed for the command as well. First of all.
    package static func fillStandardStreams() {
        for stream: Int32 in 0...2 where fcntl(stream, F_GETFD) < 0 {
            guard open("/dev/null", (stream == 0 ? O_WRONLY : O_RDONLY) | O_CLOEXEC) == stream else { _exit(125) }
        }
    }

    /// The process splits in two. The one the user started stays in the agent's process group and only waits; the
    /// other, in a group of its own, is the supervisor, and goes on. Done first of all: the less there is of a process,
    /// the less it costs to have it twice.
    ///
    /// Not within a `static let`: the lock of its making would be held by a thread that the child does not have.
    package static func split() {
        var signals = sbx_signals()
        sbx_signals_capture(&signals)
        sbx_block_all_signals()
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            exit(fail(RunFailure("socketpair: \(errorText(errno))")))
        }
        let front = getpid()
        let supervisor = sbx_fork()
        if supervisor < 0 { exit(fail(RunFailure("fork: \(errorText(-supervisor))"))) }
        if supervisor > 0 {
            close(ends[0])
            dropStandardStreams()
            _exit(sbx_front_run(supervisor, ends[1]))
        }
        close(ends[1])
        // The front's group may have no number here (it is from outside of our PID namespace): who is to be in it must inherit it, and that
        // is the agent. `LiveSession` goes on from there.
        if getpgrp() != 0 { leaveGroup() }
        sbx_die_with_parent(front)
        start = Start(front: front, link: ends[0], signals: signals)
    }

    /// Where Ctrl-C and kill(0) do not reach us.
    static func leaveGroup() { setpgid(0, 0) }

    /// Written before there is a second thread.
    private nonisolated(unsafe) static var start: Start?

    /// Runs the command and everything it starts under supervision. The exit code is the one for the shell.
    package static func run(_ options: RunOptions) -> Never {
        guard let start else { preconditionFailure("`split` comes first") }
        // Left to itself the C library gives every thread a heap of its own, and opens it up a page at a time: what each of these calls
        // changes, the other processors must hear of, and the other threads wait.
        sbx_heaps(Int32(sysconf(Int32(_SC_NPROCESSORS_ONLN))) + 1, 1 << 20)
        do throws(RunFailure) {
            // Before the rest is closed: it may be a descriptor, as in `--token-file <(…)`.
            let token = try GivenToken(options.tokenFile)
            sbx_close_all_but(start.link, options.statusDescriptor ?? -1)
            var live = try LiveSession(options, token, Front(pid: start.front, link: start.link), start.signals)
            _exit(try live.supervise())
        } catch {
            _exit(
                fail(
                    isInsideAnother ? RunFailure("it runs inside another `sandbox` already, and cannot be nested; nothing was run") : error)
            )
        }
    }

    /// What traces us goes by our own name. Asked only once something has failed, which it then always does: a process has
    /// one tracer and one listener.
    private static var isInsideAnother: Bool {
        let lines = ControlSocket.bytes(file: "/proc/self/status", limit: 4096).split(separator: UInt8(ascii: "\n"))
        guard let line = lines.first(where: { $0.starts(with: "TracerPid:".utf8) }),
            let tracer = Int32(String(decoding: line.drop { !(0x30...0x39 ~= $0) }, as: UTF8.self)), tracer > 0
        else { return false }
        return ControlSocket.bytes(file: "/proc/\(tracer)/comm", limit: 32) == ControlSocket.bytes(file: "/proc/self/comm", limit: 32)
    }

    static func fail(_ failure: RunFailure) -> Int32 {
        say(failure.message)
        for line in failure.details { say(line) }
        if let help = failure.help { say("  help: \(help)") }
        return failure.code
    }

    /// Our own words, on standard error and never anywhere else.
    static func say(_ text: String) {
        let line = Array("sandbox: \(Escaped.text(text))\n".utf8)
        _ = write(2, line, line.count)
    }

    /// The agent alone holds the ends of its pipes, so that who reads them sees it close them.
    static func dropStandardStreams(_ streams: ClosedRange<Int32> = 0...1) {
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard null >= 0 else { return }
        for stream in streams { dup2(null, stream) }
        close(null)
    }
}

func errorText(_ code: Int32) -> String { String(cString: strerror(code)).lowercased() }
