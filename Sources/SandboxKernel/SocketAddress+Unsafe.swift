package import SandboxModel
internal import Glibc

/// What a socket address names, in canonical form.
package enum Endpoint {
    case ip(IPAddress, port: UInt16)
    /// The path is in the work's `path`.
    case unixPath
    /// The name, without the leading NUL, is in the work's `path`.
    case unixAbstract
    /// A unix address without a name: bind(2) then picks an abstract one.
    case unixUnnamed
    /// `AF_UNSPEC`: dissolves a connection.
    case unspecified
    case netlink
    case other(family: UInt16)
}

/// A copy of a caller's `struct sockaddr`, at most `sizeof(struct sockaddr_storage)` long.
struct SocketAddress {
    static let capacity = 128
    let bytes: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init() {
        bytes = .allocate(byteCount: SocketAddress.capacity + 1, alignment: 16)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    func deallocate() { bytes.deallocate() }

    mutating func read(_ tid: Int32, _ address: RemoteAddress, _ length: UInt32) throws(Errno) {
        // move_addr_to_kernel: a length is an int, and at most that of the largest address.
        guard Int32(bitPattern: length) >= 0, length <= SocketAddress.capacity else { throw Errno(EINVAL) }
        count = Int(length)
        try TraceeMemory.read(tid, address, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]))
        bytes[count] = 0
    }

    /// What the kernel wrote into `bytes` itself (getsockname(2)).
    mutating func adopt(count n: Int) { count = min(n, SocketAddress.capacity) }

    private func word16(_ at: Int) -> UInt16 { UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt16.self)) }
    private func word64(_ at: Int) -> UInt64 { UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)) }

    /// "This host" becomes the address that the kernel would take for it, so that what is judged is where it goes: the
    /// socket's own address where it has one (ip_route_output_key), else loopback (ip(7)). `own` is what getsockname(2) says.
    mutating func settleUnspecified(own: IPAddress?) {
        guard case .ip(let ip, _) = endpoint(domain: AF_INET), ip.isUnspecified else { return }
        if Int32(family) == AF_INET6 {
            // Bound to a mapped address, an IPv6 socket takes even `::` for IPv4's loopback (tcp_v6_connect, udpv6_sendmsg).
            guard ip.isV4 || own?.isV4 == true else { return store(IPAddress.loopback6, at: 8) }
            store(ip.isV4 ? own4(own) : .loopback4, at: 8)
        } else {
            store(own4(own), at: 4)
        }
    }

    private func own4(_ own: IPAddress?) -> IPAddress {
        if let own, own.isV4, own.low != 0 { own } else { .loopback4 }
    }

    private func store(_ ip: IPAddress, at offset: Int) {
        if offset == 4 { return bytes.storeBytes(of: UInt32(truncatingIfNeeded: ip.low).bigEndian, toByteOffset: 4, as: UInt32.self) }
        bytes.storeBytes(of: ip.high.bigEndian, toByteOffset: 8, as: UInt64.self)
        bytes.storeBytes(of: (ip.isV4 ? 0xffff_0000_0000 | ip.low : ip.low).bigEndian, toByteOffset: 16, as: UInt64.self)
    }

    var family: UInt16 { count >= 2 ? bytes.loadUnaligned(as: UInt16.self) : 0 }

    /// The name of a unix address: up to the first NUL, or all of it behind the NUL of an abstract one (unix(7)).
    var unixName: UnsafeRawBufferPointer {
        let all = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[2..<max(count, 2)])
        guard let first = all.first else { return all }
        if first == 0 { return UnsafeRawBufferPointer(rebasing: all[1...]) }
        return UnsafeRawBufferPointer(rebasing: all[..<(all.firstIndex(of: 0) ?? all.count)])
    }

    /// What the address names for a socket of family `domain`; too short a one is the kernel's to refuse.
    func endpoint(domain: @autoclosure () -> Int32, connecting: Bool = false) -> Endpoint {
        guard count >= 2 else { return .other(family: 0) }
        switch Int32(family) {
        case AF_INET where count >= 16:
            return .ip(IPAddress(v4: UInt32(word64(0) & 0xffff_ffff)), port: word16(2))
        case AF_INET6 where count >= 24:
            return .ip(IPAddress(v6High: word64(8), v6Low: word64(16)), port: word16(2))
        case AF_UNIX:
            if count == 2 { return .unixUnnamed }
            return bytes[2] == 0 ? .unixAbstract : .unixPath
        case AF_UNSPEC:
            // An IPv4 socket takes this for AF_INET when it binds or sends (inet_bind, udp_sendmsg); connect(2)
            // dissolves the connection. An IPv6 socket becomes an IPv4 one at any moment (IPV6_ADDRFORM, ipv6(7)).
            let domain = domain()
            let mayBeIPv4 = domain == AF_INET || domain == AF_INET6
            if mayBeIPv4, !connecting, count >= 16 { return .ip(IPAddress(v4: UInt32(word64(0) & 0xffff_ffff)), port: word16(2)) }
            return .unspecified
        case AF_NETLINK: return .netlink
        default: return .other(family: family)
        }
    }
}
