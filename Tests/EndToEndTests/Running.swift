import Foundation

/// What a finished command left behind.
struct Outcome: Equatable {
    var code: Int32  // as a shell says it: 128+N for signal N
    var out: String
    var err: String
    var late = false  // the deadline passed and it was killed
}

/// A child process in a session of its own, its three streams on pipes. Waits for its own pid only.
final class Running {
    let pid: pid_t
    private var input: Int32, output: Int32, error: Int32
    private var outBytes: [UInt8] = [], errBytes: [UInt8] = []
    private var status: Int32?

    private static let ignoresBrokenPipes: Void = { Glibc.signal(SIGPIPE, SIG_IGN) }()

    init(_ command: [String], environment: [String: String], directory: String) throws {
        Self.ignoresBrokenPipes
        var streams: [[Int32]] = []
        for _ in 0..<3 {
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else { throw Trouble("pipe: \(errno)") }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            streams.append(ends)
        }
        var actions = posix_spawn_file_actions_t(), attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, streams[0][0], 0)
        posix_spawn_file_actions_adddup2(&actions, streams[1][1], 1)
        posix_spawn_file_actions_adddup2(&actions, streams[2][1], 2)
        var none = sigset_t(), all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | 0x80 /* SETSID */))
        var words = ([Built.guest, "enter", directory] + command).map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer {
            for pointer in words + variables { free(pointer) }
        }
        var child: pid_t = 0
        let failed = posix_spawn(&child, Built.guest, &actions, &attributes, &words, &variables)
        for end in [streams[0][0], streams[1][1], streams[2][1]] { close(end) }
        pid = child
        (input, output, error) = (streams[0][1], streams[1][0], streams[2][0])
        _ = fcntl(input, F_SETFL, O_NONBLOCK)
        guard failed == 0 else { throw Trouble("cannot start \(command): \(String(cString: strerror(failed)))") }
    }

    deinit {
        if status == nil { kill() }
        for end in [input, output, error] where end >= 0 { close(end) }
    }

    /// Takes in what comes meanwhile: who echoes would otherwise wait for us as we for it.
    func write(_ text: String) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let n = bytes[sent...].withUnsafeBytes { Glibc.write(input, $0.baseAddress, $0.count) }
            if n > 0 { sent += n } else if errno == EAGAIN { gather(milliseconds: 10) } else { return }
        }
    }

    func closeInput() {
        if input >= 0 { close(input) }
        input = -1
    }

    /// The next line of standard output, or nil at its end or the deadline.
    func line(within seconds: Double = 20) -> String? {
        let end = Deadline(seconds)
        while true {
            if let newline = outBytes.firstIndex(of: 10) {
                let line = String(decoding: outBytes[..<newline], as: UTF8.self)
                outBytes.removeSubrange(...newline)
                return line
            }
            if output < 0 || end.passed { return nil }
            gather(milliseconds: 50)
        }
    }

    func signal(_ number: Int32) { Glibc.kill(pid, number) }

    /// SIGKILL for the child and what shares its process group; no one else.
    func kill() {
        guard status == nil else { return }
        Glibc.kill(-pid, SIGKILL)
        Glibc.kill(pid, SIGKILL)
        var word: Int32 = 0
        while waitpid(pid, &word, 0) < 0 && errno == EINTR {}
        status = word
    }

    /// Reads to the end. Who daemonises may hold the streams for longer: a second after the exit is enough.
    func finish(within seconds: Double = 60) -> Outcome {
        let end = Deadline(seconds)
        var grace: Deadline?
        var late = false
        while output >= 0 || error >= 0 || status == nil {
            if output >= 0 || error >= 0 { gather(milliseconds: 10) } else { usleep(1000) }
            if reap(), grace == nil { grace = Deadline(1) }
            if let grace, grace.passed { break }
            if end.passed {
                late = true
                kill()
                break
            }
        }
        closeInput()
        let word = status ?? 0
        let code = word & 0x7f == 0 ? (word >> 8) & 0xff : 128 + (word & 0x7f)
        return Outcome(
            code: code, out: String(decoding: outBytes, as: UTF8.self),
            err: String(decoding: errBytes, as: UTF8.self), late: late)
    }

    private func reap() -> Bool {
        if status != nil { return true }
        var word: Int32 = 0
        if waitpid(pid, &word, WNOHANG) == pid { status = word }
        return status != nil
    }

    private func gather(milliseconds: Int32) {
        var waiting = [pollfd(fd: output, events: Int16(POLLIN), revents: 0), pollfd(fd: error, events: Int16(POLLIN), revents: 0)]
        guard poll(&waiting, 2, milliseconds) > 0 else { return }
        if waiting[0].revents != 0, !Self.take(output, into: &outBytes) { close(output); output = -1 }
        if waiting[1].revents != 0, !Self.take(error, into: &errBytes) { close(error); error = -1 }
    }

    private static func take(_ descriptor: Int32, into bytes: inout [UInt8]) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65536)
        let n = read(descriptor, &chunk, chunk.count)
        if n > 0 { bytes += chunk[..<n] }
        return n > 0
    }
}

struct Deadline {
    private let end: Double
    init(_ seconds: Double) { end = ProcessInfo.processInfo.systemUptime + seconds }
    var passed: Bool { ProcessInfo.processInfo.systemUptime > end }
}

struct Trouble: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
