internal import CShims
internal import Glibc
package import SandboxModel

/// The machine's own addresses, and those by which it and its neighbours are reached at once, getifaddrs(3).
package enum Interfaces {
    package static func addresses() -> Set<IPAddress> {
        var own: Set<IPAddress> = [], first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return [] }
        defer { freeifaddrs(first) }
        var next = first
        while let i = next {
            next = i.pointee.ifa_next
            take(i.pointee.ifa_addr, into: &own)
            if i.pointee.ifa_flags & UInt32(IFF_BROADCAST) != 0 { take(i.pointee.ifa_ifu.ifu_broadaddr, into: &own) }
        }
        return own
    }

    private static func take(_ address: UnsafePointer<sockaddr>?, into own: inout Set<IPAddress>) {
        guard let address else { return }
        let bytes = UnsafeRawPointer(address)
        switch Int32(address.pointee.sa_family) {
        case AF_INET: own.insert(IPAddress(v4: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))))
        case AF_INET6:
            own.insert(
                IPAddress(
                    v6High: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                    v6Low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))))
        default: break
        }
    }
}
