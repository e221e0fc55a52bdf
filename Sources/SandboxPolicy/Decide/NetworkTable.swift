internal import SandboxModel

/// The entries of network lists, found by what they name: ranges by their masked address, hosts by their index.
struct NetworkTable: Sendable {
    struct Row {
        let rule: UInt16
        let decision: Decision
        let transport: Transport?
        let ports: ClosedRange<UInt16>

        @inline(__always)
        func matches(_ port: UInt16, _ other: Transport) -> Bool {
            guard port >= ports.lowerBound, port <= ports.upperBound else { return false }
            if let transport { return transport == other }
            // No scheme is TCP and UDP; to deny less than everything else would leave a way round.
            return other != .other || decision == .deny
        }
    }

    private var anywhere: [Row] = []
    private var loopback: [Row] = []
    private var ranges: [AddressRange: [Row]] = [:]
    /// The prefix lengths in use: a lookup for each, whatever the number of ranges.
    private var prefixes4: [Int] = []
    private var prefixes6: [Int] = []
    private var hosts: [[Row]] = []

    mutating func addAnywhere(_ row: Row) { anywhere.append(row) }
    mutating func addLoopback(_ row: Row) { loopback.append(row) }

    /// Loopback, the other addresses of this machine, and those of everybody: 255.255.255.255, 224.0.0.0/4, ff00::/8.
    mutating func addMachine(_ row: Row, _ own: Set<IPAddress>) {
        for range in Self.machine(own) { add(row, range: range) }
    }

    static func machine(_ own: Set<IPAddress>) -> [AddressRange] {
        [
            AddressRange(IPAddress(v4: 0x7f00_0000), prefix: 8), AddressRange(.loopback6, prefix: 128),
            AddressRange(IPAddress(v4: .max), prefix: 32), AddressRange(IPAddress(v4: 0xe000_0000), prefix: 4),
            AddressRange(IPAddress(v6High: 0xff << 56, v6Low: 0), prefix: 8),
        ] + own.filter { !$0.isLoopback }.map { AddressRange($0, prefix: $0.isV4 ? 32 : 128) }
    }

    mutating func add(_ row: Row, range: AddressRange) {
        ranges[range, default: []].append(row)
        if range.base.isV4 {
            if !prefixes4.contains(range.prefix) { prefixes4.append(range.prefix) }
        } else if !prefixes6.contains(range.prefix) {
            prefixes6.append(range.prefix)
        }
    }

    mutating func add(_ row: Row, host: Int) {
        while hosts.count <= host { hosts.append([]) }
        hosts[host].append(row)
    }

    /// The strictest entry that matches, and of those the first; `nil` where none does.
    func judge(_ address: IPAddress, _ port: UInt16, _ transport: Transport, _ names: HostSet) -> Ruling? {
        var best = Best()
        best.look(anywhere, port, transport)
        if address.isLoopback { best.look(loopback, port, transport) }
        for prefix in address.isV4 ? prefixes4 : prefixes6 {
            if let rows = ranges[AddressRange(masking: address, prefix: prefix)] { best.look(rows, port, transport) }
        }
        if !names.isEmpty {
            for word in 0..<4 {
                var bits = names.word(word)
                while bits != 0 {
                    let host = word << 6 | bits.trailingZeroBitCount
                    if host < hosts.count { best.look(hosts[host], port, transport) }
                    bits &= bits - 1
                }
            }
        }
        return best.ruling
    }

    private struct Best {
        var deny = Hits.none
        var allow = Hits.none

        @inline(__always)
        mutating func look(_ rows: [Row], _ port: UInt16, _ transport: Transport) {
            for row in rows where row.matches(port, transport) {
                if row.decision == .deny { deny = min(deny, row.rule) } else { allow = min(allow, row.rule) }
            }
        }

        var ruling: Ruling? {
            if deny != Hits.none { return Ruling(.deny, by: RuleID(rawValue: deny)) }
            if allow != Hits.none { return Ruling(.allow, by: RuleID(rawValue: allow)) }
            return nil
        }
    }
}

/// Abstract unix sockets: names without a place. There are few of them, so they are tried one by one.
struct AbstractSockets: Sendable {
    typealias Row = (rule: UInt16, glob: Glob)
    var allow: [Row] = []
    var deny: [Row] = []
    var listen: [Row] = []

    func judge(connect name: Span<UInt8>) -> Ruling? {
        for row in deny where row.glob.matches(name) { return Ruling(.deny, by: RuleID(rawValue: row.rule)) }
        for row in allow where row.glob.matches(name) { return Ruling(.allow, by: RuleID(rawValue: row.rule)) }
        return nil
    }

    func judge(listen name: Span<UInt8>) -> Ruling? {
        for row in listen where row.glob.matches(name) { return Ruling(.allow, by: RuleID(rawValue: row.rule)) }
        return nil
    }
}
