internal import Glibc

/// Resolves the links of paths as far as the paths exist, for `PolicyVariables.resolve`. A profile denies many
/// things in few folders: each folder is looked at once.
final class LinkResolver {
    /// Resolved paths, without the last slash: the root is empty.
    private var known: [[UInt8]: [UInt8]] = [[]: []]

    func resolve(_ path: [UInt8]) -> [UInt8] {
        if let real = known[path] { return real }
        let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex
        let real = follow(resolve(Array(path[..<slash])) + path[slash...])
        known[path] = real
        return real
    }

    /// `path` lies in a folder that is resolved already, so that only its last name can be a link.
    private func follow(_ path: [UInt8]) -> [UInt8] {
        var byte: CChar = 0
        let isLink = readlink(path.map { CChar(bitPattern: $0) } + [0], &byte, 1) >= 0
        return isLink ? ProfileFiles.resolve(path) ?? path : path
    }
}
