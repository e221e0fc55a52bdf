internal import SandboxModel
internal import SandboxYAML

/// What an entry of a network list names.
package struct NetworkTarget: Hashable, Sendable {
    enum Peer: Hashable {
        case any
        /// All of loopback, 127.0.0.0/8 and ::1.
        case localhost
        /// The resolvers of the session: `${nameservers}`.
        case nameservers
        case range(AddressRange)
        /// Exactly this name, in lower case.
        case host(String)
        /// `*.example.org`: cannot be judged before names are guarded.
        case hostsBelow(String)
        case unixPath([PathPattern])
        case unixAbstract(Glob)
    }
    let peer: Peer
    /// `nil`: no scheme was written.
    let transport: Transport?
    let ports: ClosedRange<UInt16>

    static func parse(_ text: String) throws(PatternProblem) -> NetworkTarget {
        guard text.utf8.count <= PathPattern.maximumBytes else { throw PatternProblem("an entry this long names nothing") }
        if text.hasPrefix("unix:") { return try unix(text.dropFirst(5)) }
        var rest = text[...]
        var transport: Transport?
        if let mark = text.range(of: "://") {
            transport = try scheme(text[..<mark.lowerBound], text)
            rest = text[mark.upperBound...]
        }
        let (host, port) = try split(rest)
        return NetworkTarget(peer: try peer(host, text), transport: transport, ports: try ports(port, text))
    }

    /// The one host that an entry of a list names; nil where it names none by its name.
    package static func host(inEntry text: String) -> String? {
        do throws(PatternProblem) {
            if case .host(let name) = try parse(text).peer { return name }
        } catch {}
        return nil
    }

    private static func unix(_ name: Substring) throws(PatternProblem) -> NetworkTarget {
        if name.hasPrefix("@") {
            guard name.utf8.count > 1 else { throw PatternProblem("`unix:@` without a name", help: "`unix:@*` is every abstract socket") }
            let glob = try Glob(Array(name.utf8.dropFirst())[...])
            return NetworkTarget(peer: .unixAbstract(glob), transport: nil, ports: 0...UInt16.max)
        }
        return NetworkTarget(peer: .unixPath(try PathPattern.parse(String(name))), transport: nil, ports: 0...UInt16.max)
    }

    private static func scheme(_ name: Substring, _ text: String) throws(PatternProblem) -> Transport {
        switch name {
        case "tcp": return .tcp
        case "udp": return .udp
        case "http": throw PatternProblem("`http://` is not a transport", help: "write `HOST:80`")
        case "https": throw PatternProblem("`https://` is not a transport", help: "write `HOST:443`")
        default:
            throw PatternProblem(
                "unknown scheme `\(name)://`",
                help: Suggestion.help(for: String(name), among: ["tcp", "udp", "unix"]))
        }
    }

    /// `host:port`, `[v6]:port`, or a bare IPv6 address or range, which has no port.
    private static func split(_ text: Substring) throws(PatternProblem) -> (host: Substring, port: Substring?) {
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { throw PatternProblem("`[` without its `]` in `\(text)`") }
            let host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard host.contains(":") else { throw PatternProblem("`[…]` is for IPv6 addresses", help: "`[::1]:443`") }
            if rest.isEmpty { return (host, nil) }
            guard rest.first == ":" else { throw PatternProblem("expected `:PORT` after `]` in `\(text)`") }
            return (host, rest.dropFirst())
        }
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { return (text, nil) }
        let host = text[..<colon], port = text[text.utf8.index(after: colon)...]
        if host.utf8.contains(UInt8(ascii: ":")), !text.hasPrefix("${") {
            // `::1:443` is an address of its own, and nobody who writes it means that.
            let isTrap = IPAddress(parsing: host) != nil && UInt16(port) != nil
            guard !isTrap, (try? AddressRange.parse(text)) != nil else {
                throw PatternProblem(
                    "bad address `\(text)`",
                    help: isTrap
                        ? "did you mean `[\(host)]:\(port)`? the address itself is written `[\(text)]`"
                        : "an IPv6 address with a port is written `[::1]:443`")
            }
            return (text, nil)
        }
        return (host, port)
    }

    private static func peer(_ host: Substring, _ text: String) throws(PatternProblem) -> Peer {
        if host == "*" { return .any }
        if host == "${nameservers}" { return .nameservers }
        if host.hasPrefix("${") {
            throw PatternProblem("unknown variable `\(host)`", help: Suggestion.help(for: String(host), among: ["${nameservers}"]))
        }
        if host.hasPrefix("/") || host.hasPrefix("~") || host.hasPrefix("@") {
            throw PatternProblem("`\(text)` is not a host", help: "did you mean `unix:\(host)`?")
        }
        if let range = try AddressRange.parse(host) { return .range(range) }
        let name = host.lowercased()
        if name == "localhost" || name == "localhost." { return .localhost }
        if name.hasPrefix("*.") { return .hostsBelow(try hostName(name.dropFirst(2), text)) }
        return .host(try hostName(name[...], text))
    }

    /// A name as the resolver takes it (RFC 1123): labels of letters, digits and hyphens.
    private static func hostName(_ name: Substring, _ text: String) throws(PatternProblem) -> String {
        let name = name.hasSuffix(".") ? name.dropLast() : name
        guard !name.isEmpty else { throw PatternProblem("`\(text)` names no host", help: "`*` is every host") }
        if name.utf8.contains(UInt8(ascii: "*")) {
            throw PatternProblem("`*` stands for a whole host or begins one, as in `*.example.org`")
        }
        if name.utf8.contains(UInt8(ascii: "/")) {
            throw PatternProblem("bad address range `\(text)`", help: "for example `10.0.0.0/8:5432`")
        }
        guard name.utf8.allSatisfy({ $0 < 0x80 }) else {
            throw PatternProblem("`\(text)` is not in ASCII", help: "write the name in its `xn--` form")
        }
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let fits = labels.allSatisfy { label in
            (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
                && label.allSatisfy { isNamePart($0) }
        }
        guard fits, name.utf8.count <= 253 else { throw PatternProblem("bad host name in `\(text)`") }
        // `10.0.0` and `0x7f000001` are addresses to inet_aton(3), which some programs still use.
        guard let last = labels.last,
            last.first.map(isDigit) != true || labels.count > 1 && last.contains(where: isLetter) && !last.starts(with: "0x".utf8)
        else {
            throw PatternProblem("bad address in `\(text)`", help: "four decimal numbers, such as `10.0.0.1`")
        }
        return String(name)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
    /// Names are in lower case by then.
    private static func isLetter(_ byte: UInt8) -> Bool { byte >= 0x61 && byte <= 0x7a }
    private static func isNamePart(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    /// `443` or `8000-8080`, by itself.
    static func portRange(_ text: String) throws(PatternProblem) -> ClosedRange<UInt16> { try ports(text[...], text) }

    private static func ports(_ port: Substring?, _ text: String) throws(PatternProblem) -> ClosedRange<UInt16> {
        guard let port, port != "*" else { return 0...UInt16.max }
        let parts = port.utf8.split(separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
        var numbers: [UInt16] = []
        for part in parts {
            guard !part.isEmpty, part.allSatisfy(isDigit), let number = UInt16(Substring(part)) else {
                throw PatternProblem("bad port `\(port)` in `\(text)`", help: "a number up to 65535, a range such as `8000-8080`, or `*`")
            }
            numbers.append(number)
        }
        let low = numbers[0], high = numbers[numbers.count - 1]
        guard low <= high else {
            throw PatternProblem("`\(text)` can never match: the port range is empty", help: "did you mean `\(high)-\(low)`?")
        }
        return low...high
    }
}

extension String {
    /// The first occurrence of `part`; the standard library has none without Foundation.
    func range(of part: String) -> Range<String.Index>? {
        guard let first = part.utf8.first else { return nil }
        var rest = utf8[...]
        while let start = rest.firstIndex(of: first) {
            if rest[start...].starts(with: part.utf8) { return start..<rest.index(start, offsetBy: part.utf8.count) }
            rest = rest[rest.index(after: start)...]
        }
        return nil
    }
}
