internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore

/// What sessions made in the folders that everybody has his temporary files in. A name that was made and taken away again, and that
/// looks like no other, will not come again: who asks for a temporary folder is given the session's own.
struct LearnedTemporaries {
    struct Kept {
        var path: [UInt8]
        var session: Int
        var count: UInt64
        var program: String
        var isMade: Bool
    }
    private struct Name: Hashable {
        let path: [UInt8]
        let session: Int
    }
    private struct Use {
        var counts: [String: UInt64] = [:]
        var isFolder = false
        var isMade = false
        var isGone = false
    }
    private var uses: [Name: Use] = [:]
    private static let folders = ["/tmp/", "/var/tmp/", "/dev/shm/"].map { Array($0.utf8) }

    /// False: it lies elsewhere.
    mutating func take(_ path: [UInt8], _ access: FileAccess, _ row: RecordedAccess, _ program: String) -> Bool {
        guard let folder = Self.folders.first(where: { path.starts(with: $0) }), !path.dropFirst(folder.count).contains(0x2f) else {
            return false
        }
        var use = uses[Name(path: path, session: row.session), default: Use()]
        use.counts[program, default: 0] += row.count
        if row.operation == .create, access == .create { use.isFolder = true }
        if access.contains(.create) { use.isMade = true }
        if access.contains(.delete) || access == .rename { use.isGone = true }
        uses[Name(path: path, session: row.session)] = use
        return true
    }

    private func isPassing(_ name: Name, _ use: Use) -> Bool {
        let last = name.path[((name.path.lastIndex(of: 0x2f) ?? -1) + 1)...]
        return use.isMade && use.isGone && !use.isFolder && NameShape.pattern(last) == NameShape.literal(last)
    }

    var kept: [Kept] {
        uses.filter { !isPassing($0.key, $0.value) }.flatMap { name, use in
            use.counts.map { Kept(path: name.path, session: name.session, count: $0.value, program: $0.key, isMade: use.isFolder) }
        }
    }

    func reason(_ subject: RecordedSubject) -> RuleInfo? {
        guard case .file(let path, _) = subject, uses.contains(where: { $0.key.path == path && isPassing($0.key, $0.value) }) else {
            return nil
        }
        return RuleInfo(name: "temporary", reason: "it was there for a moment; who asks for a temporary folder gets `${tmp}`")
    }
}
