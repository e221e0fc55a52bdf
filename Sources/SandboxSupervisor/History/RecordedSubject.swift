package import SandboxModel
internal import SandboxPolicy
package import SandboxStore

/// What a recorded operation was done to, as far as the trail tells.
package enum RecordedSubject: Sendable {
    case file([UInt8], FileAccess)
    /// A rename or a link: each end with what happens to it.
    case files([UInt8], FileAccess, [UInt8], FileAccess)
    case program([UInt8], arguments: [[UInt8]])
    /// The name is one that the session's supervisor had resolved, and let the address pass for.
    case address(IPAddress, UInt16, name: String?)
    case unixSocket([UInt8])
    case abstractSocket([UInt8])
    /// The same under every profile: what a process held, what the kernel is asked, calls that nobody may make.
    case fixed
}

/// Reads subjects out of rows.
package struct SubjectReader {
    private let history: TrailHistory
    /// The session's temporary folder has its name; every candidate is judged as if all sessions had the same.
    private let temporary: [[UInt8]]
    private let placeholder: [UInt8]
    private var rules: [Int: [UInt16: RuleInfo]] = [:]
    /// Built-in rules that a path alone decides: those are judged again.
    private static let byPath: Set<String> = ["builtin.protected", "builtin.path", "builtin.kernel"]

    /// `temporary`: what stands for `${tmp}`.
    package init(_ history: TrailHistory, temporary placeholder: [UInt8]) {
        self.history = history
        self.placeholder = placeholder
        temporary = history.sessions.map { Array("/sandbox-\($0.info.id)".utf8) }
    }

    package mutating func rule(_ row: RecordedAccess) throws(StoreError) -> RuleInfo? {
        guard let id = row.rule else { return nil }
        if rules[row.session] == nil { rules[row.session] = try history.rules(of: row.session) }
        return rules[row.session]?[id]
    }

    package mutating func subject(_ row: RecordedAccess) throws(StoreError) -> RecordedSubject {
        let rule = try rule(row)
        if let name = rule?.name, name.hasPrefix("builtin."), !Self.byPath.contains(name) { return .fixed }
        switch row.resourceType {
        case .file: return try file(row)
        case .program:
            let arguments = try history.arguments(ofStart: row).split(separator: 0, omittingEmptySubsequences: false).map { Array($0) }
            return .program(try path(row.resource, row), arguments: arguments.last?.isEmpty == true ? arguments.dropLast() : arguments)
        case .socket: return try socket(row, rule)
        case .none, .process, .name, .stream: return .fixed
        }
    }

    private func file(_ row: RecordedAccess) throws(StoreError) -> RecordedSubject {
        let first = try path(row.resource, row)
        guard row.flags.contains(.secondPath) else { return .file(first, row.access) }
        let second = try path(row.second, row)
        if row.operation == .link { return .files(first, .link, second, [.link, .create]) }
        // An exchange makes no name.
        return .files(first, .rename, second, row.access.contains(.create) ? [.rename, .create] : .rename)
    }

    private func socket(_ row: RecordedAccess, _ rule: RuleInfo?) throws(StoreError) -> RecordedSubject {
        let name = try path(row.resource, row)
        switch name.first {
        case UInt8(ascii: "/"): return .unixSocket(name)
        case UInt8(ascii: "@"): return .abstractSocket(Array(name.dropFirst()))
        default: break
        }
        guard let colon = name.lastIndex(of: UInt8(ascii: ":")),
            let port = UInt16(String(decoding: name[(colon + 1)...], as: UTF8.self)),
            let address = IPAddress(parsing: String(decoding: name[..<colon].filter { $0 != 0x5b && $0 != 0x5d }, as: UTF8.self))
        else { return .fixed }
        return .address(address, port, name: rule.flatMap { SubjectReader.host($0) })
    }

    /// The rule that lists a host says so in its reason, unless it has one of its own.
    private static func host(_ rule: RuleInfo) -> String? {
        guard rule.name.contains("network.allow["), rule.reason.hasPrefix("`"), rule.reason.hasSuffix("` is listed") else { return nil }
        return NetworkTarget.host(inEntry: String(rule.reason.dropFirst().dropLast("` is listed".count)))
    }

    private func path(_ id: Int64, _ row: RecordedAccess) throws(StoreError) -> [UInt8] {
        let path = try history.text(id), own = temporary[row.session]
        guard path.count > own.count else { return path }
        for start in 0...path.count - own.count where path[start] == 0x2f {
            let end = start + own.count
            guard path[start..<end] == own[...], end == path.count || path[end] == 0x2f else { continue }
            return placeholder + path[end...]
        }
        return path
    }
}
