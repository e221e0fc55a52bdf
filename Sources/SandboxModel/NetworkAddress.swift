/// The transport of a socket as far as rules tell them apart.
package enum Transport: UInt8, Sendable { case tcp = 1, udp, other }

/// An IPv4 or IPv6 address in canonical form: a mapped IPv6 address (`::ffff:a.b.c.d`, RFC 4291 §2.5.5.2)
/// is the IPv4 address, and an unspecified one (`0.0.0.0`, `::`) stays what it is; where something is
/// *connected to*, the caller of `canonicalDestination` gets loopback, as the kernel does (ip(7)).
package struct IPAddress: Hashable, Sendable {
    /// True for IPv4; then only the low 32 bits of `low` are used.
    package let isV4: Bool
    package let high: UInt64
    package let low: UInt64

    package init(v4 value: UInt32) {
        isV4 = true
        high = 0
        low = UInt64(value)
    }

    package init(v6High: UInt64, v6Low: UInt64) {
        isV4 = v6High == 0 && v6Low >> 32 == 0xffff
        high = v6High
        low = isV4 ? v6Low & 0xffff_ffff : v6Low
    }

    package static let loopback4 = IPAddress(v4: 0x7f00_0001)
    package static let loopback6 = IPAddress(v6High: 0, v6Low: 1)

    package var isUnspecified: Bool { high == 0 && low == 0 }
    package var isLoopback: Bool { isV4 ? low >> 24 == 127 : (high == 0 && low == 1) }
    /// fe80::/10, ff00::/8: it takes a device to say which one is meant (`sin6_scope_id`, ipv6(7)), and binds to that.
    package var isOfOneDevice: Bool { !isV4 && (high >> 54 == 0x3fa || high >> 56 == 0xff) }
    /// Every address of its family.
    package var unspecified: IPAddress { isV4 ? IPAddress(v4: 0) : IPAddress(v6High: 0, v6Low: 0) }
    package var canonicalDestination: IPAddress {
        isUnspecified ? (isV4 ? .loopback4 : .loopback6) : self
    }
}
