internal import Glibc
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy
package import SandboxStore
internal import Synchronization

/// The unix socket through which people look at a live session and end it. It lies in the state directory, which no
/// supervised process can reach, and serves its own account and root alone; or, with `forApprovers`, where every account gets to, and
/// serves those who may answer a question, with nothing but that.
final class ControlServer: Sendable {
    private let supervision: Supervision
    private let path: String
    private let forApprovers: Bool
    /// -1 where nobody can be served: then the session is not seen by `ps`, and runs all the same.
    private let socket: Int32

    /// Binds before anything runs, so that what is bound is there to be removed at the end.
    init(_ supervision: Supervision, path: String, forApprovers: Bool = false) {
        self.supervision = supervision
        self.path = path
        self.forApprovers = forApprovers
        let mask = umask(forApprovers ? 0o111 : 0o077)
        socket = ControlSocket.listen(path) ?? -1
        umask(mask)
    }

    func serve() {
        while socket >= 0 {
            let client = accept(socket, nil, nil)
            if client >= 0 {
                answer(client)
                close(client)
            } else if errno == EINVAL || errno == EBADF {
                return  // `stop`
            } else if errno != EINTR {
                // For want of descriptors, say: a session that takes them all is not one that nobody can end.
                usleep(50_000)
            }
        }
    }

    func stop() {
        unlink(path)
        if socket >= 0 { shutdown(socket, Int32(SHUT_RDWR)) }
    }

    private func answer(_ client: Int32) {
        guard let peer = ControlSocket.peer(client), forApprovers || peer.uid == geteuid() || peer.uid == 0,
            supervision.context.tasks.serial(of: peer.pid) == 0
        else { return }
        var limit = forApprovers ? timeval(tv_sec: 0, tv_usec: 200_000) : timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let request = (ControlSocket.readLine(client, limit: 4096) ?? "").split(separator: "\t", omittingEmptySubsequences: false).map(
            String.init)
        switch request.first ?? "" {
        case "approvals", "approval", "approve", "deny":
            let person = Person(uid: peer.uid, channel: "control")
            let desk = ApprovalDesk(approvals: supervision.approvals, person: person, seesAll: !forApprovers)
            ControlSocket.write(client, desk.answer(request))
        case _ where forApprovers: break
        case "inspect": ControlSocket.write(client, description)
        case "kill":
            supervision.end(because: "the session was killed by process \(peer.pid) of user \(peer.uid)")
            ControlSocket.write(client, #"{"killed":true}"#)
        default: ControlSocket.write(client, #"{"error":"unknown request"}"#)
        }
    }

    private var description: String {
        let i = supervision.info
        let processes = supervision.living.withLock { $0.sorted() }
        var fields = [
            #""session":\#(Escaped.json(i.id))"#, #""identity":\#(Escaped.json(i.identity))"#, #""profile":\#(Escaped.json(i.profile))"#,
            #""mode":"\#(i.mode)""#, #""workspace":\#(Escaped.json(i.workspace))"#, #""supervisor":\#(i.supervisor)"#,
            #""pid":\#(supervision.root)"#,
            #""started":"\#(Timestamp.text(i.started))""#, #""command":[\#(i.command.map { Escaped.json($0) }.joined(separator: ","))]"#,
            #""processes":[\#(processes.map(process).joined(separator: ","))]"#,
        ]
        if let name = i.name { fields.append(#""name":\#(Escaped.json(name))"#) }
        if let other = i.onBehalfOf { fields.append(#""on_behalf_of":\#(Escaped.json(other))"#) }
        if !i.groups.isEmpty { fields.append(#""groups":[\#(i.groups.map { Escaped.json($0) }.joined(separator: ","))]"#) }
        if !i.roles.isEmpty { fields.append(#""roles":[\#(i.roles.map { Escaped.json($0) }.joined(separator: ","))]"#) }
        if let purpose = i.purpose { fields.append(#""purpose":\#(Escaped.json(purpose))"#) }
        return "{" + fields.joined(separator: ",") + "}"
    }

    private func process(_ pid: Int32) -> String {
        let program = ControlSocket.bytes(link: "/proc/\(pid)/exe")
        let arguments = ControlSocket.bytes(file: "/proc/\(pid)/cmdline", limit: 4096).split(separator: 0, omittingEmptySubsequences: false)
            .dropLast()
        let redacted = supervision.policy.audit.shown(arguments.map { Array($0) })
        let subagent = supervision.subagents.name(of: supervision.context.tasks.serial(of: pid)).map {
            #","subagent":\#(Escaped.json($0))"#
        }
        let args = redacted.map { Escaped.json($0) }.joined(separator: ",")
        return #"{"pid":\#(pid),"program":\#(Escaped.json(program)),"args":[\#(args)]\#(subagent ?? "")}"#
    }
}

/// The client's side.
package enum ControlClient {
    /// What a live session answers; nil where nobody listens (it has ended).
    package static func ask(_ request: String, session: String, state: StateDirectory) -> String? {
        ask(request, at: state.sessions + "/" + session + "/control")
    }

    /// The sockets of all sessions whose questions one may see: those of the state directory, and other accounts'.
    package static func sockets(in state: StateDirectory) throws(StoreError) -> [String] {
        try SessionDirectory.all(in: state).map { state.sessions + "/" + $0 + "/control" } + ApproverSockets.all
    }

    package static func ask(_ request: String, at path: String) -> String? {
        guard let fd = ControlSocket.connect(path) else { return nil }
        defer { close(fd) }
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        ControlSocket.write(fd, request)
        return ControlSocket.readLine(fd, limit: 16 << 20)
    }
}

enum ControlSocket {
    /// A socket address is 107 bytes long at most, a state directory's path may be longer: so the folder is opened and
    /// named through our own descriptor table.
    private static func address<R>(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R? {
        guard let slash = path.lastIndex(of: "/") else { return nil }
        let folder = open(String(path[..<slash]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return nil }
        defer { close(folder) }
        var a = sockaddr_un()
        a.sun_family = sa_family_t(AF_UNIX)
        let short = Array("/proc/self/fd/\(folder)\(path[slash...])".utf8) + [0]
        guard short.count <= MemoryLayout.size(ofValue: a.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &a.sun_path) { $0.copyBytes(from: short) }
        return withUnsafePointer(to: &a) { p in
            p.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }

    private static func make() -> Int32 { socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0) }

    static func listen(_ path: String) -> Int32? {
        let fd = make()
        if fd >= 0, address(path, { bind(fd, $0, $1) }) == 0, Glibc.listen(fd, 16) == 0 { return fd }
        close(fd)
        return nil
    }

    static func connect(_ path: String) -> Int32? {
        let fd = make()
        if fd >= 0, address(path, { Glibc.connect(fd, $0, $1) }) == 0 { return fd }
        close(fd)
        return nil
    }

    static func peer(_ fd: Int32) -> (pid: Int32, uid: UInt32)? {
        // struct ucred, unix(7): pid, uid, gid.
        var c: (Int32, UInt32, UInt32) = (0, 0, 0)
        var n = socklen_t(MemoryLayout.size(ofValue: c))
        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &n) == 0 ? (c.0, c.1) : nil
    }

    static func readLine(_ fd: Int32, limit: Int = 256) -> String? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while bytes.count < limit {
            let n = read(fd, &chunk, chunk.count)
            if n < 0 && errno == EINTR { continue }
            if n <= 0 { break }
            bytes += chunk[..<n]
            if let end = bytes.firstIndex(of: 0x0a) { return String(decoding: bytes[..<end], as: UTF8.self) }
        }
        return nil
    }

    static func write(_ fd: Int32, _ line: String) {
        let bytes = Array(line.utf8) + [0x0a]
        var sent = 0
        while sent < bytes.count {
            let n = bytes.withUnsafeBytes { send(fd, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL)) }
            if n < 0 && errno == EINTR { continue }
            if n <= 0 { return }
            sent += n
        }
    }

    static func bytes(link path: String) -> [UInt8] {
        var b = [UInt8](repeating: 0, count: 4096)
        let n = b.withUnsafeMutableBytes { readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count) }
        return Array(b[..<max(n, 0)])
    }

    static func bytes(file path: String, limit: Int) -> [UInt8] {
        let fd = open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { return [] }
        defer { close(fd) }
        var bytes: [UInt8] = [], part: [UInt8]
        var n: Int
        repeat {
            part = [UInt8](repeating: 0, count: min(limit - bytes.count, max(bytes.count, 4096)))
            n = read(fd, &part, part.count)
            bytes += part[..<max(n, 0)]
        } while n == part.count && bytes.count < limit
        return bytes
    }
}
