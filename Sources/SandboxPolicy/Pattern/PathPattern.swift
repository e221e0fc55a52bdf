internal import SandboxYAML

/// A path pattern: where it hangs, and one glob for each name below.
package struct PathPattern: Hashable, Sendable {
    enum Anchor: Hashable { case root, home, workspace, repository, tmp }
    enum Component: Hashable {
        case literal([UInt8])
        case glob(Glob)
        /// `**`: any number of names, none included.
        case anyDepth

        /// A session's start hashes thousands of these; byte by byte `Hasher` takes five times as long.
        func hash(into hasher: inout Hasher) {
            switch self {
            case .literal(let name): hasher.combine(PathTable.hash(name))
            case .glob(let glob): hasher.combine(~PathTable.hash(glob.code))
            case .anyDepth: hasher.combine(PathTable.hashStart)
            }
        }
    }
    let anchor: Anchor
    let components: [Component]

    static let variables = ["${home}", "${workspace}", "${repository}", "${tmp}"]
    /// Braces multiply; more than this is not a pattern any more.
    static let maximumAlternatives = 256
    static let maximumBytes = 4096
    static let maximumNames = 64

    /// Everything below and including one path, taken literally.
    init(subtreeOf path: [UInt8]) {
        anchor = .root
        components = path.split(separator: UInt8(ascii: "/")).map { .literal(Array($0)) } + [.anyDepth]
    }

    init(anchor: Anchor, components: [Component]) {
        self.anchor = anchor
        self.components = components
    }

    /// The pattern, one for each alternative of its braces.
    static func parse(_ text: String) throws(PatternProblem) -> [PathPattern] {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty else { throw PatternProblem("an empty path") }
        guard bytes.count <= maximumBytes, !bytes.contains(0) else {
            throw PatternProblem("a path has at most \(maximumBytes) bytes and no NUL")
        }
        var patterns: [PathPattern] = []
        for alternative in try Braces.expand(bytes, limit: maximumAlternatives) {
            patterns.append(try PathPattern(alternative, text))
        }
        return patterns
    }

    private init(_ bytes: [UInt8], _ text: String) throws(PatternProblem) {
        let (anchor, rest) = try Self.anchor(bytes, text)
        var components: [Component] = []
        let names = rest.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for (i, name) in names.enumerated() {
            // `/` alone is the root; everything else has a name between its slashes.
            if name.isEmpty && names.count == 1 { continue }
            let component = try Self.component(name, last: i == names.count - 1, text)
            if component == .anyDepth && components.last == .anyDepth { continue }
            components.append(component)
        }
        guard components.count <= Self.maximumNames else {
            throw PatternProblem("a path pattern has at most \(Self.maximumNames) names")
        }
        self.anchor = anchor
        self.components = components
    }

    private static let anchors: [(String, Anchor)] = [
        ("~", .home), ("${home}", .home), ("${workspace}", .workspace), ("${repository}", .repository),
        ("${tmp}", .tmp),
    ]

    private static func anchor(_ bytes: [UInt8], _ text: String) throws(PatternProblem) -> (Anchor, ArraySlice<UInt8>) {
        if bytes.first == UInt8(ascii: "/") { return (.root, bytes.dropFirst()) }
        for (name, anchor) in anchors where bytes.starts(with: name.utf8) {
            let rest = bytes.dropFirst(name.utf8.count)
            if rest.isEmpty { return (anchor, []) }
            if rest.first == UInt8(ascii: "/") { return (anchor, rest.dropFirst()) }
            throw PatternProblem("`\(name)` must be followed by `/`", help: "the homes of others are written out: `/home/name/…`")
        }
        if bytes == Array("**".utf8) || bytes.starts(with: "**/".utf8) { return (.root, bytes[...]) }
        if bytes.first == UInt8(ascii: "$") {
            if bytes == Array("$HOME".utf8) || bytes.starts(with: "$HOME/".utf8) {
                throw PatternProblem("unknown variable `$HOME`", help: "did you mean `${home}`? `~` is the same")
            }
            let name = String(decoding: bytes.prefix { $0 != UInt8(ascii: "/") }, as: UTF8.self)
            throw PatternProblem("unknown variable `\(name)`", help: Suggestion.help(for: name, among: variables))
        }
        throw PatternProblem(
            "`\(text)` can never match: paths are matched whole, from `/`",
            help: "did you mean `**/\(text.trimmingDotSlash)` or `${workspace}/\(text.trimmingDotSlash)`?")
    }

    private static func component(_ name: ArraySlice<UInt8>, last: Bool, _ text: String) throws(PatternProblem) -> Component {
        if name.isEmpty {
            if last { throw PatternProblem("`\(text)` ends with `/`", help: "did you mean `\(text)**`?") }
            throw PatternProblem("`\(text)` can never match: it has `//`, and resolved paths have none")
        }
        let dot = UInt8(ascii: "."), star = UInt8(ascii: "*")
        if name.count <= 2, name.first == dot, name.last == dot {
            throw PatternProblem(
                "`\(text)` can never match: resolved paths hold neither `.` nor `..`",
                help: "write the path that it leads to")
        }
        if !name.contains(where: isSpecial) { return .literal(Array(name)) }
        if name.count == 2, name.first == star, name.last == star { return .anyDepth }
        if holdsTwoStars(name) {
            throw PatternProblem(
                "`**` must stand alone between slashes in `\(text)`",
                help: "use `*` within a name, and `/**` for everything below")
        }
        if zip(name, name.dropFirst()).contains(where: { $0 == UInt8(ascii: "$") && $1 == UInt8(ascii: "{") }) {
            throw PatternProblem("a variable may only begin a path", help: "write `\\$` for the character itself")
        }
        let glob = try Glob(name)
        if let literal = glob.literal { return .literal(literal) }
        return .glob(glob)
    }

    /// One that stands for itself is none.
    private static func holdsTwoStars(_ name: ArraySlice<UInt8>) -> Bool {
        var i = name.startIndex, last: UInt8 = 0
        while i < name.endIndex {
            if name[i] == UInt8(ascii: "*"), last == UInt8(ascii: "*") { return true }
            last = name[i]
            i += last == UInt8(ascii: "\\") ? 2 : 1
        }
        return false
    }

    /// Whether a name that holds this may be other than literal, or wrong.
    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "["), UInt8(ascii: "\\"), UInt8(ascii: "$"): true
        default: false
        }
    }

    /// The names before the first wildcard.
    var literalPrefix: [[UInt8]] {
        var names: [[UInt8]] = []
        for case .literal(let name) in components.prefix(while: { if case .literal = $0 { true } else { false } }) {
            names.append(name)
        }
        return names
    }
}

extension ArraySlice<PathPattern.Component> {
    /// What is left of it for what lies below these names: `secret` of `*/secret` below `a`.
    func ends(behind names: [[UInt8]]) -> Set<Self> {
        names.reduce([self]) { ends, name in
            ends.reduce(into: []) { next, end in
                for (i, part) in zip(end.indices, end) {
                    switch part {
                    case .anyDepth:
                        next.insert(end[i...])
                        continue
                    case .literal(let literal): if literal == name { next.insert(end[(i + 1)...]) }
                    case .glob(let glob): if glob.matches(name.span) { next.insert(end[(i + 1)...]) }
                    }
                    break
                }
            }
        }
    }
}

extension String {
    /// `./x` and `x` mean the same to those who write them.
    fileprivate var trimmingDotSlash: String { hasPrefix("./") ? String(dropFirst(2)) : self }
}

/// `{a,b}` in a pattern, written out. `${name}` is left alone, and so is what stands in `[…]` or after `\`.
enum Braces {
    static func expand(_ bytes: [UInt8], limit: Int) throws(PatternProblem) -> [[UInt8]] {
        if !bytes.contains(where: { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") }) { return [bytes] }
        var done: [[UInt8]] = []
        var open = [bytes]
        while let next = open.popLast() {
            guard let group = try firstGroup(next) else {
                done.append(next)
                if done.count > limit { throw PatternProblem("`{…}` stands for more than \(limit) patterns") }
                continue
            }
            if open.count + group.alternatives.count > limit {
                throw PatternProblem("`{…}` stands for more than \(limit) patterns")
            }
            for alternative in group.alternatives.reversed() {
                open.append(Array(next[..<group.start]) + alternative + next[group.end...])
            }
        }
        return done
    }

    private typealias Group = (start: Int, end: Int, alternatives: [[UInt8]])

    private static func firstGroup(_ bytes: [UInt8]) throws(PatternProblem) -> Group? {
        var i = 0
        while i < bytes.count {
            switch bytes[i] {
            case UInt8(ascii: "\\"): i += 2
            case UInt8(ascii: "["): i = skipSet(bytes, i)
            case UInt8(ascii: "$") where i + 1 < bytes.count && bytes[i + 1] == UInt8(ascii: "{"):
                i = bytes[i...].firstIndex(of: UInt8(ascii: "}")).map { $0 + 1 } ?? bytes.count
            case UInt8(ascii: "{"): return try group(bytes, i)
            case UInt8(ascii: "}"): throw PatternProblem("`}` without its `{`", help: "write `\\}` for the character itself")
            default: i += 1
            }
        }
        return nil
    }

    private static func group(_ bytes: [UInt8], _ start: Int) throws(PatternProblem) -> Group {
        var alternatives: [[UInt8]] = [[]]
        var depth = 1, i = start + 1
        while i < bytes.count {
            let byte = bytes[i]
            if byte == UInt8(ascii: "\\"), i + 1 < bytes.count {
                alternatives[alternatives.count - 1] += bytes[i...i + 1]
                i += 2
                continue
            }
            if byte == UInt8(ascii: "{") { depth += 1 }
            if byte == UInt8(ascii: "}") { depth -= 1 }
            if depth == 0 { return (start, i + 1, alternatives) }
            if byte == UInt8(ascii: ","), depth == 1 {
                alternatives.append([])
            } else {
                alternatives[alternatives.count - 1].append(byte)
            }
            i += 1
        }
        throw PatternProblem("`{` without its `}`", help: "write `\\{` for the character itself")
    }

    private static func skipSet(_ bytes: [UInt8], _ start: Int) -> Int {
        var i = start + 1
        if i < bytes.count, bytes[i] == UInt8(ascii: "!") || bytes[i] == UInt8(ascii: "^") { i += 1 }
        if i < bytes.count, bytes[i] == UInt8(ascii: "]") { i += 1 }
        while i < bytes.count, bytes[i] != UInt8(ascii: "]") { i += 1 }
        return i + 1
    }
}
