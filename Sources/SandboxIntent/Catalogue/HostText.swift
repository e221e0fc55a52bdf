/// Hosts, ports and databases as command lines write them.
enum HostText {
    struct Target: Equatable {
        var hosts: [(name: String, port: UInt16?)] = []
        var database: String?

        static func == (a: Target, b: Target) -> Bool { a.hosts.elementsEqual(b.hosts) { $0 == $1 } && a.database == b.database }
    }
    /// No name is longer, and what is goes nowhere.
    private static let longest = 4096

    static func read(_ text: ArraySlice<UInt8>, as shape: HostShape) -> Target {
        guard !text.isEmpty, text.count <= longest else { return Target() }
        if let scheme = self.scheme(text) { return url(text[(scheme + 3)...]) }
        switch shape {
        case .host: return Target(hosts: hosts(text))
        case .url: return url(text)
        case .remote: return remote(text)
        case .conninfo: return conninfo(text)
        }
    }

    /// A database's name; the one in a connection string where it is such.
    static func database(_ text: ArraySlice<UInt8>) -> String? {
        guard !text.isEmpty, text.count <= longest else { return nil }
        if let scheme = scheme(text) { return url(text[(scheme + 3)...]).database }
        return text.contains(UInt8(ascii: "=")) ? conninfo(text).database : string(text)
    }

    /// Where `://` begins, after nothing but a scheme, or several: `jdbc:postgresql://`.
    private static func scheme(_ text: ArraySlice<UInt8>) -> Int? {
        let end = text.firstIndex { byte in
            switch byte {
            case 0x30...0x3a, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): false
            default: true
            }
        }
        guard let end, end - text.startIndex > 1, text[end - 1] == UInt8(ascii: ":"), text[end...].starts(with: "//".utf8) else {
            return nil
        }
        return end - 1
    }

    /// `[USER[:PASSWORD]@]HOST[:PORT][,HOST…][/DATABASE][?…]`; `?host=` as libpq has it.
    private static func url(_ text: ArraySlice<UInt8>) -> Target {
        let end = text.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? text.endIndex
        var target = Target(hosts: hosts(text[..<end]))
        let rest = text[end...]
        if rest.first == UInt8(ascii: "/") {
            let path = rest.dropFirst().prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
            if !path.isEmpty { target.database = string(path) }
        }
        if let query = rest.firstIndex(of: UInt8(ascii: "?")) {
            for field in rest[(query + 1)...].split(separator: UInt8(ascii: "&")) { add(field, to: &target) }
        }
        return target
    }

    /// scp(1), rsync(1): `[USER@]HOST:PATH` is elsewhere, a name with a `/` before the colon is not.
    private static func remote(_ text: ArraySlice<UInt8>) -> Target {
        // Only an address stands in brackets: of `host:a]b` the colon tells.
        let name = text.firstIndex(of: UInt8(ascii: "@")).map { text[($0 + 1)...] } ?? text
        let isAddress = name.first == UInt8(ascii: "[")
        let from = isAddress ? name.firstIndex(of: UInt8(ascii: "]")) ?? text.startIndex : text.startIndex
        guard let colon = text[from...].firstIndex(of: UInt8(ascii: ":")),
            !text[..<colon].contains(UInt8(ascii: "/"))
        else { return Target() }
        return Target(hosts: hosts(text[..<colon]))
    }

    /// libpq's `host=… port=… dbname=…`; a name alone is a database.
    private static func conninfo(_ text: ArraySlice<UInt8>) -> Target {
        var target = Target()
        for field in text.split(separator: UInt8(ascii: " ")) { add(field, to: &target) }
        return target
    }

    private static func add(_ field: ArraySlice<UInt8>, to target: inout Target) {
        guard let equals = field.firstIndex(of: UInt8(ascii: "=")) else { return }
        let value = field[(equals + 1)...].filter { $0 != UInt8(ascii: "'") }[...]
        switch String(decoding: field[..<equals], as: UTF8.self) {
        case "host", "hostaddr": target.hosts += hosts(value)
        case "dbname": target.database = string(value)
        case "port": for i in target.hosts.indices { target.hosts[i].port = port(value) }
        default: break
        }
    }

    static func port(_ text: ArraySlice<UInt8>) -> UInt16? { UInt16(String(decoding: text, as: UTF8.self)) }

    /// `[USER@]HOST[:PORT]`, several with commas.
    private static func hosts(_ text: ArraySlice<UInt8>) -> [(name: String, port: UInt16?)] {
        let named = text.lastIndex(of: UInt8(ascii: "@")).map { text[($0 + 1)...] } ?? text
        return named.split(separator: UInt8(ascii: ",")).compactMap(host)
    }

    private static func host(_ text: ArraySlice<UInt8>) -> (name: String, port: UInt16?)? {
        if text.first == UInt8(ascii: "["), let close = text.firstIndex(of: UInt8(ascii: "]")) {
            let rest = text[(close + 1)...]
            return (string(text[(text.startIndex + 1)..<close]), rest.first == UInt8(ascii: ":") ? port(rest.dropFirst()) : nil)
        }
        let colons = text.count { $0 == UInt8(ascii: ":") }
        guard colons == 1, let colon = text.firstIndex(of: UInt8(ascii: ":")) else {
            return text.isEmpty ? nil : (string(text), nil)  // more colons: an IPv6 address
        }
        return colon == text.startIndex ? nil : (string(text[..<colon]), port(text[(colon + 1)...]))
    }

    private static func string(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
