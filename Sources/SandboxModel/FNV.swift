/// FNV-1a, 64 bits (RFC 9923): for tables whose keys come from people who may be trusted; who chooses its input can make two values meet.
package enum FNV {
    @inlinable package static var start: UInt64 { 0xcbf2_9ce4_8422_2325 }

    /// The hash of what has the hash `hash`, followed by `byte`.
    @inlinable @inline(__always)
    package static func add(_ byte: UInt8, to hash: UInt64) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
}
