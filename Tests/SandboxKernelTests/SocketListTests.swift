import CShims
import Glibc
import Testing

/// The kernel is asked in two ways which sockets there are: both say the same.
@Suite struct SocketListTests {
    private struct Socket: Hashable {
        let type: Int32
        let listens: Bool
        let local, remote: [UInt8]
        let ports: [UInt16]
    }

    @Test func bothWaysTellTheSame() throws {
        var open: [Int32] = []
        defer { for fd in open { close(fd) } }
        for (family, loopback) in [(AF_INET, "127.0.0.1"), (AF_INET6, "::1"), (AF_INET6, "::ffff:127.0.0.1")] {
            for type in [SOCK_STREAM, SOCK_DGRAM] {
                let server = socket(family, Int32(type.rawValue), 0)
                guard server >= 0, bound(server, family, loopback) else { continue }  // no IPv6 here
                open.append(server)
                if type == SOCK_STREAM { #expect(listen(server, 4) == 0) }
                for isClosed in [false, true] {
                    let client = socket(family, Int32(type.rawValue), 0)
                    #expect(joined(client, server) == 0)
                    guard type == SOCK_STREAM else {
                        open.append(client)
                        continue
                    }
                    let other = accept(server, nil, nil)
                    // One that is over, and waits for its time to pass, is nobody's.
                    if isClosed {
                        close(client)
                        close(other)
                    } else {
                        open += [client, other]
                    }
                }
            }
        }
        #expect(open.count >= 6)
        let inodes = Set(open.map(inode))
        for which in [SBX_TCP_SERVERS, SBX_TCP_CONNECTIONS, SBX_UDP, SBX_TCP_SERVERS | SBX_TCP_CONNECTIONS | SBX_UDP] {
            let asked = list(Int32(which), inodes, sbx_internet_sockets), read = list(Int32(which), inodes, sbx_internet_sockets_by_file)
            #expect(asked == read && !asked.isEmpty, "\(which)")
        }
        let all = list(Int32(SBX_TCP_SERVERS | SBX_TCP_CONNECTIONS | SBX_UDP), inodes, sbx_internet_sockets)
        #expect(Set(all.keys) == inodes)
    }

    private func list(
        _ which: Int32, _ inodes: Set<UInt64>, _ ask: (UnsafeMutablePointer<sbx_socket_list>?, Int32) -> Int32
    ) -> [UInt64: Socket] {
        var list = sbx_socket_list()
        defer { free(list.items) }
        #expect(ask(&list, which) == 0)
        var found: [UInt64: Socket] = [:]
        for i in 0..<list.count where inodes.contains(list.items[i].inode) {
            let s = list.items[i]
            #expect(found[s.inode] == nil)
            found[s.inode] = Socket(
                type: s.type, listens: s.listens != 0, local: withUnsafeBytes(of: s.local) { Array($0) },
                remote: s.listens != 0 ? [] : withUnsafeBytes(of: s.remote) { Array($0) }, ports: [s.local_port, s.remote_port])
        }
        return found
    }

    private func inode(_ fd: Int32) -> UInt64 {
        var st = stat()
        return fstat(fd, &st) == 0 ? UInt64(st.st_ino) : 0
    }

    private func bound(_ fd: Int32, _ family: Int32, _ text: String) -> Bool {
        if family == AF_INET {
            var a = sockaddr_in()
            a.sin_family = sa_family_t(family)
            inet_pton(family, text, &a.sin_addr)
            return call(bind, fd, &a) == 0
        }
        var a = sockaddr_in6()
        a.sin6_family = sa_family_t(family)
        inet_pton(family, text, &a.sin6_addr)
        return call(bind, fd, &a) == 0
    }

    private func joined(_ client: Int32, _ server: Int32) -> Int32 {
        var a = sockaddr_in6(), n = socklen_t(MemoryLayout<sockaddr_in6>.size)
        return withUnsafeMutablePointer(to: &a) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(server, $0, &n) == 0 ? connect(client, $0, n) : -1 }
        }
    }

    private func call<Address>(
        _ f: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32, _ fd: Int32, _ address: inout Address
    ) -> Int32 {
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { f(fd, $0, socklen_t(MemoryLayout<Address>.size)) }
        }
    }
}
