import Foundation
import Synchronization
import Testing

/// Somebody outside who takes whatever comes: TCP and UDP on one port of loopback, and a unix socket, also what is handed over there.
/// He goes to whoever says in a file `door` where he is to be found, and says by `shut` that he has been there.
final class Sink: @unchecked Sendable {
    // @unchecked: `thread` is set before anybody else knows of this; the rest guards itself.
    let port: Int
    let path: String
    private let bytes = Mutex(Data())
    private let stop = Atomic<Bool>(false)
    private let tcp: Int32, udp: Int32, unix: Int32
    private var thread: Thread?

    /// Folders in which somebody may say where he is.
    private let folders: [String]

    init(_ world: World, address: UInt32 = 0x7f00_0001, doors folders: [String] = []) throws {
        self.folders = folders
        path = world.root + "/vault/sockets/sink-\(address & 0xff)"
        tcp = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC_, 0)
        udp = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC_, 0)
        unix = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC_, 0)
        var a = sockaddr_in()
        a.sin_family = sa_family_t(AF_INET)
        a.sin_addr.s_addr = address.bigEndian
        var n = socklen_t(MemoryLayout<sockaddr_in>.size)
        func bound(_ fd: Int32) -> Bool {
            withUnsafeMutablePointer(to: &a) { p in
                p.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(fd, $0, n) == 0 && getsockname(fd, $0, &n) == 0 }
            }
        }
        guard bound(tcp), listen(tcp, 64) == 0, bound(udp) else { throw Trouble("sink: \(errno)") }
        port = Int(UInt16(bigEndian: a.sin_port))
        var u = sockaddr_un()
        u.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &u.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let isBound = withUnsafePointer(to: &u) { p in
            p.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(unix, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 }
        }
        guard isBound, listen(unix, 64) == 0 else { throw Trouble("sink: \(errno)") }
        chmod(path, 0o777)
        let thread = Thread { [self] in run() }
        self.thread = thread
        thread.start()
    }

    /// What has come. Whoever sent it has ended, so that all of it is in the sockets by now: everything there is taken first.
    func received() -> Data {
        let round = rounds.load(ordering: .acquiring)
        _ = eventually { rounds.load(ordering: .acquiring) > round + 1 }
        return bytes.withLock { $0 }
    }

    /// How often there was nothing to take.
    private let rounds = Atomic<Int>(0)

    func end() { stop.store(true, ordering: .releasing) }

    private func run() {
        var open: [Int32] = [], visits: [Int32: String] = [:], doors = folders
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while !stop.load(ordering: .acquiring) {
            for folder in doors {
                guard let visit = Sink.visit(folder + "/door") else { continue }
                doors.removeAll { $0 == folder }
                visits[visit] = folder
                open.append(visit)
            }
            var all = ([tcp, unix, udp] + open).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            if poll(&all, nfds_t(all.count), 20) == 0 {
                rounds.add(1, ordering: .acquiringAndReleasing)
                continue
            }
            for p in all where p.revents != 0 {
                if p.fd == tcp || p.fd == unix {
                    let c = accept(p.fd, nil, nil)
                    if c >= 0 {
                        _ = fcntl(c, F_SETFD, FD_CLOEXEC)
                        open.append(c)
                    }
                    continue
                }
                let (n, handed) = Sink.receive(p.fd, &buffer)
                open += handed
                if n > 0 { bytes.withLock { $0.append(contentsOf: buffer[..<n]) } }
                guard p.fd != udp else { continue }
                if n > 0 {
                    let answer = Array("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n".utf8)
                    _ = send(p.fd, answer, answer.count, Int32(MSG_NOSIGNAL))
                    shutdown(p.fd, Int32(SHUT_WR))
                } else {
                    close(p.fd)
                    open.removeAll { $0 == p.fd }
                    if let folder = visits.removeValue(forKey: p.fd) {
                        _ = FileManager.default.createFile(atPath: folder + "/shut", contents: nil)
                    }
                }
            }
        }
        for fd in open + [tcp, udp, unix] { close(fd) }
    }

    /// `host:port`, or the path of a unix socket.
    private static func visit(_ door: String) -> Int32? {
        guard let place = try? String(contentsOfFile: door, encoding: .utf8) else { return nil }
        let parts = place.split(separator: ":")
        let fd = socket(parts.count == 2 ? AF_INET : AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC_, 0)
        var u = sockaddr_un(), i = sockaddr_in()
        u.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &u.sun_path) { $0.copyBytes(from: Array(place.utf8.prefix(107))) }
        i.sin_family = sa_family_t(AF_INET)
        i.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        i.sin_port = UInt16(parts.last ?? "")?.bigEndian ?? 0
        func reached<Address>(_ address: inout Address) -> Bool {
            withUnsafePointer(to: &address) { p in
                p.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(fd, $0, socklen_t(MemoryLayout<Address>.size)) == 0 }
            }
        }
        if parts.count == 2 ? reached(&i) : reached(&u) { return fd }
        close(fd)
        return nil
    }

    /// Also the descriptors that come along, recvmsg(2).
    private static func receive(_ fd: Int32, _ buffer: inout [UInt8]) -> (Int, [Int32]) {
        var control = [UInt8](repeating: 0, count: 64)
        let n = buffer.withUnsafeMutableBytes { data in
            control.withUnsafeMutableBytes { control in
                var v = iovec(iov_base: data.baseAddress, iov_len: data.count)
                return withUnsafeMutablePointer(to: &v) { v in
                    var m = msghdr()
                    (m.msg_iov, m.msg_iovlen, m.msg_control, m.msg_controllen) = (v, 1, control.baseAddress, control.count)
                    return recvmsg(fd, &m, Int32(MSG_DONTWAIT) | 0x4000_0000 /* MSG_CMSG_CLOEXEC */)
                }
            }
        }
        if n < 0, errno == ENOTSOCK { return (read(fd, &buffer, buffer.count), []) }
        // struct cmsghdr: a length of eight bytes, SOL_SOCKET, SCM_RIGHTS, then the descriptors.
        let words = control.withUnsafeBytes { Array($0.bindMemory(to: Int32.self)) }
        return (n, n > 0 && words[2] == SOL_SOCKET && words[3] == 1 ? Array(words[4..<(Int(words[0]) / 4)]) : [])
    }
}

private let O_CLOEXEC_: Int32 = 0o2000000
