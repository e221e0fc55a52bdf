/// Where a path hangs, in a profile's own words: a session's workspace, its temporary folder or the home, else the root.
package struct Places: Sendable {
    package enum Anchor: Int, Sendable, CaseIterable {
        case root, home, workspace, tmp
        package var text: String { ["", "~", "${workspace}", "${tmp}"][rawValue] }
    }
    private let named: [(anchor: Anchor, path: [UInt8])]
    /// Folders above the workspace, the temporary folder or the home, and these themselves: what is said of all that is in one of
    /// them would be said across that border.
    package let above: Set<String>

    /// Absolute and resolved. A workspace that is the home, or holds it, is no place of its own: what is known of it must not be
    /// said of the home.
    package init(home: [UInt8], workspace: [UInt8], tmp: [UInt8]) {
        var named: [(anchor: Anchor, path: [UInt8])] = [(.tmp, tmp), (.home, home)]
        if workspace != [0x2f], workspace != home, !home.starts(with: workspace + [0x2f]) { named.append((.workspace, workspace)) }
        self.named = named.filter { $0.path.count > 1 }.sorted { ($1.path.count, $0.anchor.rawValue) < ($0.path.count, $1.anchor.rawValue) }
        var above: Set<String> = []
        for (anchor, path) in self.named {
            let rest = self.named.filter { $0.anchor != anchor && path.starts(with: $0.path + [0x2f]) }.first
            let names = path.dropFirst(rest?.path.count ?? 0).split(separator: 0x2f).map { NameShape.literal($0) }
            let from = rest?.anchor ?? .root
            for count in 0...names.count { above.insert(Places.text(from, names.prefix(count))) }
        }
        self.above = above
    }

    /// The rest begins with `/`, or is empty.
    package func place(_ path: [UInt8]) -> (anchor: Anchor, rest: ArraySlice<UInt8>) {
        for (anchor, folder) in named where path.starts(with: folder) && (path.count == folder.count || path[folder.count] == 0x2f) {
            return (anchor, path.dropFirst(folder.count))
        }
        return (.root, path.count == 1 ? [] : path[...])
    }

    package static func text(_ anchor: Anchor, _ names: some Sequence<String>) -> String {
        let text = anchor.text + names.map { "/" + $0 }.joined()
        return text.isEmpty ? "/" : text
    }

    /// Whether all that is in a folder may stand for what was seen in it. Not where everybody keeps his own things: the root, the
    /// system's folders, the home itself and the first folders in it.
    package static func mayBeWhole(_ anchor: Anchor, _ names: ArraySlice<String>) -> Bool {
        switch anchor {
        case .workspace, .tmp: return true
        case .home: return names.count >= homeDepth(names.first ?? "")
        case .root:
            guard let first = names.first else { return false }
            switch first {
            case "root": return mayBeWhole(.home, names.dropFirst())
            case "home": return names.count >= 2 && mayBeWhole(.home, names.dropFirst(2))
            case "run", "var": return names.count >= (names.dropFirst().first == "user" ? 4 : 3)
            case "usr", "dev", "proc", "sys": return names.count >= 3
            case "bin", "boot", "etc", "lib", "lib64", "media", "mnt", "nix", "opt", "sbin", "snap", "srv", "tmp": return names.count >= 2
            default: return true
            }
        }
    }

    private static func homeDepth(_ first: String) -> Int {
        switch first {
        case ".local": 3
        case ".config", ".cache", ".var", "snap", "Desktop", "Documents", "Downloads", "Library", "Music", "Pictures", "Videos": 2
        default: 1
        }
    }
}
