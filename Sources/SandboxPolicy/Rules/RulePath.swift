/// A path pattern with its place filled in, matched by itself: the names before the first wildcard as bytes, then one test a name.
struct RulePath: Sendable, Hashable {
    /// `/data/customers`; empty at the root.
    let prefix: [UInt8]
    let depth: Int
    private let rest: [PathPattern.Component]

    init(_ components: [PathPattern.Component]) {
        let names = PathPattern(anchor: .root, components: components).literalPrefix
        prefix = names.flatMap { [UInt8(ascii: "/")] + $0 }
        depth = names.count
        rest = Array(components.dropFirst(names.count))
    }

    /// One path, without a wildcard.
    var isExact: Bool { rest.isEmpty }

    func matches(_ path: Span<UInt8>) -> Bool {
        guard starts(path) else { return false }
        if rest == [.anyDepth] { return true }
        return walk(path)
    }

    /// Whether it is bound to a place below this folder, so that moving the folder would take things out of its reach.
    func mayMatchBelow(_ folder: Span<UInt8>) -> Bool {
        if folder.count >= prefix.count { return begun(at: folder) != 0 }
        guard prefix[folder.count] == UInt8(ascii: "/") || folder.count == 1 else { return false }
        for i in 0..<folder.count where prefix[i] != folder[i] { return false }
        return true
    }

    /// The same of a folder that would get this other path, where it may go on as it did.
    func loses(_ folder: Span<UInt8>, to other: Span<UInt8>) -> Bool {
        folder.count > prefix.count ? begun(at: folder) & ~begun(at: other) != 0 : mayMatchBelow(folder)
    }

    /// By which of its parts, as bits, it would go on below this folder: the same for two folders, and it matches the same in both. None
    /// for what begins with `**` and has not begun to match: that will match wherever the folder is moved to.
    func begun(at folder: Span<UInt8>) -> UInt64 {
        guard starts(folder), !isExact else { return 0 }
        let isLoose = prefix.isEmpty && rest[0] == .anyDepth
        var at = folder.count == 1 ? 1 : prefix.count, parts = withDepths(1)
        while at < folder.count, parts != 0 {
            let end = Self.end(of: folder, at + 1)
            var next: UInt64 = 0
            for (i, part) in rest.enumerated() where parts >> UInt64(i) & 1 != 0 {
                if part == .anyDepth { next |= 1 << UInt64(i) } else if fits(part, folder, at + 1, end) { next |= 2 << UInt64(i) }
            }
            (parts, at) = (withDepths(next), end)
        }
        return isLoose ? parts & ~3 : parts
    }

    /// A `**` may stand for no name at all. What lies behind the last part is not counted.
    private func withDepths(_ parts: UInt64) -> UInt64 {
        var parts = parts
        for (i, part) in rest.enumerated() where part == .anyDepth && parts >> UInt64(i) & 1 != 0 { parts |= 2 << UInt64(i) }
        return rest.count < 64 ? parts & (1 << UInt64(rest.count) - 1) : parts
    }

    private func starts(_ path: Span<UInt8>) -> Bool {
        guard path.count >= prefix.count, path.count == prefix.count || path[prefix.count] == UInt8(ascii: "/") else { return false }
        for i in prefix.indices where prefix[i] != path[i] { return false }
        return true
    }

    /// Only the last `**` is ever tried again: what an earlier one took never needs to change.
    private func walk(_ path: Span<UInt8>) -> Bool {
        var piece = 0, at = prefix.count
        // `/` alone has no names.
        if path.count == 1 { at = 1 }
        var retryPiece = -1, retryAt = 0
        while piece < rest.count || at < path.count {
            if piece < rest.count, case .anyDepth = rest[piece] {
                piece += 1
                (retryPiece, retryAt) = (piece, at)
                continue
            }
            if piece < rest.count, at < path.count {
                let end = Self.end(of: path, at + 1)
                if fits(rest[piece], path, at + 1, end) {
                    piece += 1
                    at = end
                    continue
                }
            }
            guard retryPiece >= 0, retryAt < path.count else { return false }
            retryAt = Self.end(of: path, retryAt + 1)
            (piece, at) = (retryPiece, retryAt)
        }
        return true
    }

    private func fits(_ component: PathPattern.Component, _ path: Span<UInt8>, _ from: Int, _ to: Int) -> Bool {
        switch component {
        case .literal(let name):
            guard name.count == to - from else { return false }
            for i in name.indices where name[i] != path[from + i] { return false }
            return true
        case .glob(let glob): return Glob.matches(glob.code.span, 0, glob.code.count, path, from, to)
        case .anyDepth: return true
        }
    }

    private static func end(of path: Span<UInt8>, _ start: Int) -> Int {
        var i = start
        while i < path.count, path[i] != UInt8(ascii: "/") { i += 1 }
        return i
    }
}
