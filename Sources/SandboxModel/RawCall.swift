/// An address inside a tracee. Never a pointer of ours.
package struct RemoteAddress: Hashable, Sendable {
    package let rawValue: UInt64
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }
    package var isNull: Bool { rawValue == 0 }
    package static func + (a: RemoteAddress, offset: Int) -> RemoteAddress {
        RemoteAddress(a.rawValue &+ UInt64(bitPattern: Int64(offset)))
    }
}

/// One system call as the kernel reported it: the number and the registers, nothing read from memory yet.
package struct RawCall: Sendable {
    package var number: Int32
    package var arguments: InlineArray<6, UInt64>
    package init(number: Int32, arguments: InlineArray<6, UInt64>) {
        self.number = number
        self.arguments = arguments
    }

    /// Descriptors, flags, modes and pids are 32 bits wide: the upper halves do not count.
    package func int(_ i: Int) -> Int32 { Int32(truncatingIfNeeded: arguments[i]) }
    package func word(_ i: Int) -> UInt32 { UInt32(truncatingIfNeeded: arguments[i]) }
    package func address(_ i: Int) -> RemoteAddress { RemoteAddress(arguments[i]) }
}
