/// A question to a name service, RFC 1035: as much of it as it takes to know that it asks for one name and says nothing else.
package struct NameQuestion: Sendable, Equatable {
    /// In lower case, without the dot at its end.
    package let name: String

    /// Nil for everything that holds, or may hold, more than the one name.
    package init?(_ message: [UInt8]) {
        // Twelve bytes: an id, flags (a standard query; recursion, and data that is not checked, may be asked for), one question,
        // no answers, and one additional record at the most.
        guard message.count >= 12, message[2] & ~0x01 == 0, message[3] & ~0x30 == 0, Array(message[4..<11]) == [0, 1, 0, 0, 0, 0, 0],
            message[11] <= 1
        else { return nil }
        var at = 12
        var labels: [[UInt8]] = []
        while at < message.count, message[at] != 0 {
            let length = Int(message[at])
            guard length < 64, at + 1 + length < message.count else { return nil }
            labels.append(message[(at + 1)...(at + length)].map(NameQuestion.lower))
            at += 1 + length
        }
        at += 1
        guard !labels.isEmpty, labels.allSatisfy({ $0.allSatisfy(NameQuestion.isPlain) }), at + 4 <= message.count,
            NameQuestion.kinds.contains(message[at + 1]), message[at] == 0, message[at + 2] == 0, message[at + 3] == 1
        else { return nil }
        // EDNS(0), RFC 6891, without options: root, type 41, a size, no further bits but that signatures are welcome.
        let rest = Array(message[(at + 4)...])
        if message[11] == 1 {
            guard rest.count == 11, Array(rest[..<3]) == [0, 0, 41], Array(rest[5..<7]) == [0, 0], rest[7] & 0x7f == 0,
                Array(rest[8...]) == [0, 0, 0]
            else { return nil }
        } else if !rest.isEmpty {
            return nil
        }
        name = labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
    }

    /// A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, SVCB, HTTPS.
    private static let kinds: [UInt8] = [1, 2, 5, 6, 12, 15, 16, 28, 33, 64, 65]

    private static func lower(_ b: UInt8) -> UInt8 { (0x41...0x5a).contains(b) ? b | 0x20 : b }
    /// Letters, digits, `-` and `_`: nothing that would have to be escaped.
    private static func isPlain(_ b: UInt8) -> Bool { (0x61...0x7a).contains(b) || (0x30...0x39).contains(b) || b == 0x2d || b == 0x5f }

    /// Where names are asked for: DNS, the same over TLS, and what asks everybody in the neighbourhood.
    package static func isService(port: UInt16) -> Bool { [53, 853, 5353, 5355].contains(port) }

    /// The same over unix sockets: systemd-resolved, nscd, avahi, and the bus that they listen on.
    package static func isService(socket path: [UInt8]) -> Bool {
        let places = [
            "/run/systemd/resolve/", "/run/systemd/resolve.hook/", "/run/nscd/", "/run/unscd/", "/run/avahi-daemon/",
            "/run/dbus/system_bus_socket",
        ]
        return places.contains { path.starts(with: $0.utf8) || path.starts(with: ("/var" + $0).utf8) }
    }
}
