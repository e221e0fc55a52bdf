internal import Glibc
internal import SandboxKernel
internal import SandboxModel
internal import SandboxStore
internal import Synchronization

/// How much went over which TCP connection, and whose it was. The kernel tells it when it takes the socket away, however that has
/// come about: nothing is looked at while data flows, nor when a process ends that has no connection.
final class Traffic: Sendable {
    fileprivate struct Connection {
        let process: UInt32
        let pid: Int32
        let name: [UInt8]
        /// Classes of data that the process carried when it was last looked at.
        var classes: UInt64
    }
    fileprivate struct State {
        var closed: ClosedSockets?
        var isAsked = false
        /// Said once.
        var isIncomplete = false
        /// By the socket's cookie.
        var open: [UInt64: Connection] = [:]
        var processes: Set<UInt32> = []
    }
    fileprivate let state = Mutex(State())
    /// The rest is not counted.
    fileprivate static let most = 1 << 16
}

extension Supervision {
    /// About to be connected, by what was judged. A socket can be connected once, unless it is dissolved first (AF_UNSPEC, connect(2)).
    func note(connection work: SocketWork, _ name: UnsafeRawBufferPointer, _ caller: Caller) {
        switch work.endpoint {
        case .ip, .unspecified: break
        default: return
        }
        guard work.transport == .tcp, work.operation != .bind, let cookie = work.cookie else { return }
        traffic.state.withLock { state in
            if let before = state.open[cookie], let now = work.traffic {
                switch work.endpoint {
                case .unspecified: record(now, of: before)
                case .ip where now.isIdle: break
                default: return
                }
                state.open[cookie] = nil
            }
            guard case .ip = work.endpoint, listen(&state) else { return }
            guard state.open.count < Traffic.most else { return noteLoss("more than \(Traffic.most) are open at once", &state) }
            state.open[cookie] = Traffic.Connection(
                process: caller.serial, pid: caller.pid, name: Array(name), classes: carrying?.classes(of: caller.serial) ?? 0)
            state.processes.insert(caller.serial)
        }
    }

    /// Before the first connection is made.
    private func listen(_ state: inout Traffic.State) -> Bool {
        if state.isAsked { return state.closed != nil }
        state.isAsked = true
        guard let closed = ClosedSockets() else {
            note("what connections carry is not counted: the kernel does not tell of sockets that it takes away (sock_diag)")
            return false
        }
        state.closed = closed
        WorkerThread.start("sbx-traffic") { [self] in
            while true {
                closed.wait(milliseconds: -1)
                traffic.state.withLock { takeClosed(&$0) }
            }
        }
        return true
    }

    private func takeClosed(_ state: inout Traffic.State) {
        guard let closed = state.closed else { return }
        var hasLost = false
        for socket in closed.next(hasLost: &hasLost) {
            if let connection = state.open.removeValue(forKey: socket.cookie) { record(socket, of: connection) }
        }
        if hasLost { noteLoss("more were closed on this machine than could be taken in", &state) }
    }

    private func noteLoss(_ why: String, _ state: inout Traffic.State) {
        if !state.isIncomplete { note("what some connections carried is not counted: \(why)") }
        state.isIncomplete = true
    }

    /// What it carries is forgotten with it.
    func noteTraffic(ended serial: UInt32) {
        traffic.state.withLock { state in
            guard state.processes.remove(serial) != nil, let carrying else { return }
            let classes = carrying.classes(of: serial)
            for (cookie, connection) in state.open where connection.process == serial {
                state.open[cookie]?.classes = connection.classes | classes
            }
        }
    }

    /// No process is left. A socket that was closed may wait for the other side yet: it is counted as it stands. Between the two
    /// ways to learn of one lies a moment.
    func endTraffic() {
        traffic.state.withLock { state in
            for _ in 0..<10 {
                takeClosed(&state)
                if state.open.isEmpty { return }
                for socket in SocketTraffic.all() {
                    if let connection = state.open.removeValue(forKey: socket.cookie) { record(socket, of: connection) }
                }
                if state.open.isEmpty { return }
                state.closed?.wait(milliseconds: 5)
            }
        }
    }

    private func record(_ socket: SocketTraffic, of connection: Traffic.Connection) {
        guard socket.sent > 0 || socket.received > 0 else { return }
        var h = RecordHeader(kind: .traffic, process: connection.process, pid: connection.pid, result: 0, time: currentTime())
        h.resourceType = .socket
        (h.subject, h.detail) = (socket.sent, socket.received)
        let classes = connection.classes | (carrying?.classes(of: connection.process) ?? 0)
        connection.name.withUnsafeBytes { name in
            Array(names(of: classes).joined(separator: ",").utf8).withUnsafeBytes { _ = append(h, name, $0, isCall: false) }
        }
    }
}
