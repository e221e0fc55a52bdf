internal import ArgumentParser
internal import Glibc
internal import SandboxModel
internal import SandboxStore

/// Standard output with a buffer of our own: whole lines, and a reader that has gone ends us quietly.
struct Output: ~Copyable {
    private var buffer: [UInt8] = []

    static var style: TextStyle {
        let unwanted = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false || getenv("TERM").map { strcmp($0, "dumb") == 0 } ?? false
        return TextStyle(colour: isatty(STDOUT_FILENO) == 1 && !unwanted)
    }

    mutating func write(_ text: String) throws {
        buffer += text.utf8
        if buffer.count >= 65_536 { try flush() }
    }

    mutating func write(bytes: [UInt8]) throws {
        buffer += bytes
        if buffer.count >= 65_536 { try flush() }
    }

    mutating func flush() throws {
        var written = 0
        while written < buffer.count {
            let count = buffer.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress! + written, $0.count - written) }
            if count >= 0 {
                written += count
            } else if errno == EPIPE {
                throw ExitCode(0)  // SIGPIPE was ignored by whoever started us; the reader has what it wanted.
            } else if errno != EINTR {
                complain("write `standard output`: " + String(cString: strerror(errno)))
                throw ExitCode(125)
            }
        }
        buffer.removeAll(keepingCapacity: true)
    }

    /// True when nobody reads any more: poll(2) reports an error on the writing end of a broken pipe.
    static var readerIsGone: Bool {
        var descriptor = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
        return poll(&descriptor, 1, 0) == 1 && descriptor.revents & Int16(POLLERR | POLLNVAL) != 0
    }
}

/// A word of our own, on standard error.
func complain(_ message: String) {
    let line = Array("sandbox: \(Escaped.text(message))\n".utf8)
    line.withUnsafeBytes { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// Runs `body`; an error of the store is said in our words and ends us with 125.
func reportingFailures(_ body: () throws -> Void) throws {
    do { try body() } catch let error as StoreError {
        complain(String(describing: error))
        throw ExitCode(125)
    }
}
