internal import Glibc
package import SandboxModel

/// The machine's own addresses, getifaddrs(3).
package enum Interfaces {
    package static func addresses() -> Set<IPAddress> {
        var own: Set<IPAddress> = [], first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return [] }
        defer { freeifaddrs(first) }
        var next = first
        while let i = next {
            next = i.pointee.ifa_next
            guard let a = i.pointee.ifa_addr else { continue }
            let bytes = UnsafeRawPointer(a)
            switch Int32(a.pointee.sa_family) {
            case AF_INET: own.insert(IPAddress(v4: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))))
            case AF_INET6:
                own.insert(
                    IPAddress(
                        v6High: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                        v6Low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))))
            default: break
            }
        }
        return own
    }
}
