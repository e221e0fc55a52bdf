package import SandboxModel

/// Addresses as people write them. Strict: what another program could read as a different address is refused
/// (`010.0.0.1` is octal to some, `127.1` is loopback to others).
extension IPAddress {
    package init?(parsing text: String) { self.init(parsing: Array(text.utf8)[...]) }

    init?(parsing text: Substring) { self.init(parsing: Array(text.utf8)[...]) }

    package init?(parsing text: ArraySlice<UInt8>) {
        if text.contains(UInt8(ascii: ":")) {
            guard let groups = Self.groups(text) else { return nil }
            self.init(v6High: Self.word(groups[0..<4]), v6Low: Self.word(groups[4..<8]))
        } else {
            guard let value = Self.dotted(text) else { return nil }
            self.init(v4: value)
        }
    }

    private static func dotted(_ text: ArraySlice<UInt8>) -> UInt32? {
        // Most of what is asked about are names of hosts.
        guard let first = text.first, isDigit(first) else { return nil }
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy(isDigit), part.count == 1 || part.first != UInt8(ascii: "0")
            else { return nil }
            let number = part.reduce(0) { $0 * 10 + UInt32($1 - 0x30) }
            guard number <= 255 else { return nil }
            value = value << 8 | number
        }
        return value
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    /// The eight groups of an IPv6 address (RFC 4291 §2.2), `::` filled in.
    private static func groups(_ bytes: ArraySlice<UInt8>) -> [UInt16]? {
        guard bytes.count <= 45 else { return nil }
        let colon = UInt8(ascii: ":")
        guard let gap = bytes.indices.dropLast().first(where: { bytes[$0] == colon && bytes[$0 + 1] == colon }) else {
            guard let all = list(bytes), all.count == 8 else { return nil }
            return all
        }
        guard let head = list(bytes[..<gap]), let tail = list(bytes[(gap + 2)...]), head.count + tail.count <= 7 else {
            return nil
        }
        return head + [UInt16](repeating: 0, count: 8 - head.count - tail.count) + tail
    }

    private static func list(_ bytes: ArraySlice<UInt8>) -> [UInt16]? {
        if bytes.isEmpty { return [] }
        var groups: [UInt16] = []
        let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        for (i, part) in parts.enumerated() {
            let text = String(decoding: part, as: UTF8.self)
            if i == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                guard let value = dotted(part) else { return nil }
                groups += [UInt16(value >> 16), UInt16(value & 0xffff)]
            } else {
                guard (1...4).contains(part.count), text.first != "+", let group = UInt16(text, radix: 16) else { return nil }
                groups.append(group)
            }
        }
        return groups
    }

    private static func word(_ groups: ArraySlice<UInt16>) -> UInt64 {
        groups.reduce(0) { $0 << 16 | UInt64($1) }
    }

    package var description: String {
        if isV4 { return [24, 16, 8, 0].map { String(low >> $0 & 0xff) }.joined(separator: ".") }
        let groups = [48, 32, 16, 0].map { high >> $0 & 0xffff } + [48, 32, 16, 0].map { low >> $0 & 0xffff }
        return groups.map { String($0, radix: 16) }.joined(separator: ":")
    }
}

/// A range of addresses that share their first bits.
package struct AddressRange: Hashable, Sendable {
    let base: IPAddress
    /// Of 32 for IPv4, of 128 for IPv6.
    let prefix: Int

    init(_ base: IPAddress, prefix: Int) {
        self.base = base
        self.prefix = prefix
    }

    /// 127.0.0.0/8, 127.0.0.1 or ::1: this machine, and not one of its services that has a loopback address for itself.
    var isLoopback: Bool {
        base.isLoopback && (prefix == (base.isV4 ? 8 : 128) || base.isV4 && prefix == 32 && base == IPAddress(v4: 0x7f00_0001))
    }

    func contains(_ address: IPAddress) -> Bool {
        address.isV4 == base.isV4 && AddressRange(masking: address, prefix: prefix) == self
    }

    /// `ADDRESS` or `ADDRESS/BITS`.
    static func parse(_ text: Substring) throws(PatternProblem) -> AddressRange? {
        let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) ?? text.endIndex
        let address = text[..<slash], length = Substring(text.utf8[slash...].dropFirst())
        guard let base = IPAddress(parsing: address) else { return nil }
        guard slash < text.endIndex else { return AddressRange(base, prefix: base.isV4 ? 32 : 128) }
        let written6 = address.utf8.contains(UInt8(ascii: ":"))
        guard var bits = Int(length), length.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            bits <= (written6 ? 128 : 32)
        else {
            throw PatternProblem("bad prefix length in `\(text)`", help: "0 to \(written6 ? 128 : 32)")
        }
        // A mapped IPv6 range is an IPv4 range; cut above the mapping it is neither.
        if written6 && base.isV4 {
            guard bits >= 96 else { throw PatternProblem("`\(text)` can never match: mapped addresses are judged as IPv4") }
            bits -= 96
        }
        let range = AddressRange(masking: base, prefix: bits)
        guard range.base == base else {
            throw PatternProblem("`\(text)` has bits beyond its prefix", help: "did you mean `\(range.base.description)/\(bits)`?")
        }
        return range
    }

    init(masking address: IPAddress, prefix: Int) {
        if address.isV4 {
            base = IPAddress(v4: UInt32(truncatingIfNeeded: address.low) & Self.mask32(prefix))
        } else {
            let high = address.high & Self.mask64(min(prefix, 64))
            let low = address.low & Self.mask64(max(prefix - 64, 0))
            base = IPAddress(v6High: high, v6Low: low)
        }
        self.prefix = prefix
    }

    private static func mask32(_ bits: Int) -> UInt32 { bits == 0 ? 0 : UInt32.max << UInt32(32 - bits) }
    private static func mask64(_ bits: Int) -> UInt64 { bits == 0 ? 0 : UInt64.max << UInt64(64 - bits) }
}
