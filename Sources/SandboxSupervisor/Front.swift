internal import CShims
internal import Glibc

/// The process that the user started, as the supervisor sees it.
struct Front: Sendable {
    let pid: Int32
    let link: Int32
    /// The user's terminal, where the agent has one of its own and somebody may be asked; -1: the agent is on the user's.
    private(set) var screen: Int32 = -1

    init(pid: Int32, link: Int32) {
        self.pid = pid
        self.link = link
    }

    var hasAgentsTerminal: Bool { screen >= 0 }

    /// Whether somebody sits there: standard streams and all are the terminal that the session is started on.
    var isAtTerminal: Bool {
        guard sbx_terminal_is_ours(pid) == 1, let type = getenv("TERM").map({ String(cString: $0) }) else { return false }
        return !type.isEmpty && type != "dumb"
    }

    /// From now on the agent's terminal is another than the user's.
    mutating func makeTerminal() throws(RunFailure) {
        let result = sbx_terminal_own(pid, link)
        guard result >= 0 else { throw RunFailure("a terminal for the agent: \(errorText(-result))", help: "nothing was run") }
        screen = result
    }

    /// A message about the terminal. False where the front does not take it.
    func tell(_ kind: Character, _ text: String) -> Bool {
        let bytes = Array((String(kind) + text).utf8)
        guard bytes.count > 1, bytes.count <= Int(SBX_FRONT_MESSAGE) else { return false }
        return send(link, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)) == bytes.count
    }

    /// The agent was stopped by a signal, or goes on (0). Whoever waits for the front is to see the same of it.
    func agentStopped(by signal: Int32) {
        if signal == 0 {
            kill(pid, SIGCONT)
        } else if hasAgentsTerminal {
            let message: [UInt8] = [UInt8(ascii: "S"), UInt8(truncatingIfNeeded: signal)]
            _ = send(link, message, message.count, Int32(MSG_NOSIGNAL))
        } else {
            kill(pid, SIGSTOP)
        }
    }

    /// How much fits on the user's screen.
    var size: (rows: Int, columns: Int) {
        var rows: Int32 = 0, columns: Int32 = 0
        guard sbx_terminal_size(screen, &rows, &columns) == 0, rows > 0, columns > 0 else { return (24, 80) }
        return (Int(rows), Int(columns))
    }
}
