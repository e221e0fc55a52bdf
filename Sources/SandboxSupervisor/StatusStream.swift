internal import Glibc
internal import SandboxModel
internal import SandboxPolicy
internal import Synchronization

/// `--status-fd`: JSON lines for whoever started us, because exit codes alone are ambiguous. One line says that the
/// session has started, one each refusal, one the exit.
final class StatusStream: Sendable {
    private let descriptor: Int32
    private let broken = Atomic<Bool>(false)

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    func started(_ info: SessionInfo, pid: Int32) {
        line(
            #"{"event":"started","session":\#(Escaped.json(info.id)),"pid":\#(pid),"supervisor":\#(info.supervisor),"profile":\#(Escaped.json(info.profile)),"mode":\#(Escaped.json(info.mode))}"#
        )
    }

    func decision(_ h: RecordHeader, _ resource: UnsafeRawBufferPointer, _ policy: Policy) {
        guard h.decision != .allow else { return }
        let rule = policy.rule(h.rule)
        line(
            #"{"event":"decision","operation":"\#(h.operation.name)","decision":"\#(h.decision.name)","enforced":\#(h.flags.contains(.enforced)),"pid":\#(h.pid),"resource":\#(Escaped.json(resource)),"rule":\#(Escaped.json(rule.name)),"reason":\#(Escaped.json(rule.reason))}"#
        )
    }

    /// The last line: whoever reads sees the stream end.
    func ended(code: Int32) {
        line(#"{"event":"exit","code":\#(code)}"#)
        broken.store(true, ordering: .relaxed)
        close(descriptor)
    }

    /// A reader that does not keep up or has gone costs lines, never the session's time.
    private func line(_ text: String) {
        guard !broken.load(ordering: .relaxed) else { return }
        var p = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&p, 1, 0) == 1, p.revents & Int16(POLLOUT) != 0 else { return }
        let bytes = Array(text.utf8) + [0x0a]
        if write(descriptor, bytes, bytes.count) < 0 { broken.store(true, ordering: .relaxed) }
    }
}
