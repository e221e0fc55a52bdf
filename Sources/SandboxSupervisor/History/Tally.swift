internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore

/// Operations, counted by what they were done to and by the rule that is about them.
struct Tally {
    private struct Kind: Hashable {
        let what: String
        let resource: [UInt8]
        let session: Int
        let rule: RuleInfo
    }
    private var kindsSeen: [Kind: Evidence] = [:]
    private(set) var count: UInt64 = 0
    private static let mostLines = 40

    var isEmpty: Bool { kindsSeen.isEmpty }
    var kinds: Int { kindsSeen.count }

    mutating func add(_ row: RecordedAccess, _ subject: RecordedSubject, _ rule: RuleInfo?, _ program: String) {
        let (what, resource): (String, [UInt8]) =
            switch subject {
            case .file(let path, let access):
                (access.isDisjoint(with: .changing) ? "read" : access.contains(.delete) ? "delete" : "write", path)
            case .files(let path, _, _, _): (row.operation.name, path)
            case .program(let path, _): ("run", path)
            case .address(let address, let port, let name):
                (row.operation == .bind ? "listen on" : "connect to", Array("\(name ?? String(describing: address)):\(port)".utf8))
            case .unixSocket(let path): ("connect to", path)
            case .abstractSocket(let name): ("connect to", [0x40] + name)
            case .fixed: (row.operation.name, [])
            }
        count += row.count
        let kind = Kind(what: what, resource: resource, session: row.session, rule: rule ?? RuleInfo(name: "", reason: ""))
        kindsSeen[kind, default: Evidence()].add(row.count, by: program)
    }

    /// One for each, with variables for places.
    func lines(_ places: [Places]) -> [String] {
        var merged: [String: (rule: RuleInfo, evidence: Evidence)] = [:]
        for (kind, evidence) in kindsSeen.sorted(by: { $0.key.rule.name < $1.key.rule.name }) {
            var text = kind.what
            if kind.resource.first == 0x2f {
                let (anchor, rest) = places[kind.session].place(kind.resource)
                text += " " + Places.text(anchor, rest.split(separator: 0x2f).map { Escaped.text($0) })
            } else if !kind.resource.isEmpty {
                text += " " + Escaped.text(kind.resource)
            }
            merged[text, default: (kind.rule, Evidence())].evidence.add(evidence)
        }
        let lines = merged.sorted { $0.key < $1.key }.map { text, found in
            "\(text)  \(found.evidence.text(isPattern: false))"
                + (found.rule.name.isEmpty ? "" : "; \(found.rule.name): \(Escaped.text(found.rule.reason))")
        }
        return lines.count > Self.mostLines ? lines.prefix(Self.mostLines) + ["… and \(lines.count - Self.mostLines) more"] : lines
    }
}
