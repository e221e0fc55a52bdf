internal import Glibc

/// Resolves the links of paths as far as the paths exist, for `PolicyVariables.resolve`. A profile denies many
/// things in few folders: each folder is looked at once.
final class LinkResolver {
    private struct Place {
        /// Resolved, without the last slash: the root is empty.
        var path: [UInt8]
        /// False where there is nothing, and so nothing below either.
        var exists: Bool
    }
    /// Paths differ at their ends, and many begin alike.
    private struct Key: Hashable {
        let path: [UInt8]
        func hash(into hasher: inout Hasher) {
            hasher.combine(path.count)
            for byte in path.suffix(8) { hasher.combine(byte) }
        }
    }
    private var known: [Key: Place] = [Key(path: []): Place(path: [], exists: true)]

    func resolve(_ path: [UInt8]) -> [UInt8] { place(path).path }

    private func place(_ path: [UInt8]) -> Place {
        if let place = known[Key(path: path)] { return place }
        let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex
        let folder = place(Array(path[..<slash]))
        let place = folder.exists ? follow(folder.path + path[slash...]) : Place(path: folder.path + path[slash...], exists: false)
        known[Key(path: path)] = place
        return place
    }

    /// `path` lies in a folder that is resolved already, so that only its last name can be a link.
    private func follow(_ path: [UInt8]) -> Place {
        var byte: CChar = 0
        if readlink(path.map { CChar(bitPattern: $0) } + [0], &byte, 1) >= 0 {
            return Place(path: ProfileFiles.resolve(path) ?? path, exists: true)
        }
        return Place(path: path, exists: errno != ENOENT && errno != ENOTDIR)
    }
}
