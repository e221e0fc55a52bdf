internal import SandboxModel

extension PathPattern {
    /// Whether a path could fit both. Two globs may be said to that do not: it is asked to find what to deny as well.
    func mayMeet(_ other: PathPattern) -> Bool {
        anchor == other.anchor && Self.meet(components[...], other.components[...])
    }

    private static func meet(_ a: ArraySlice<Component>, _ b: ArraySlice<Component>) -> Bool {
        if case .anyDepth? = a.first { return meet(a.dropFirst(), b) || !b.isEmpty && meet(a, b.dropFirst()) }
        if case .anyDepth? = b.first { return meet(b, a) }
        guard let first = a.first, let second = b.first else { return a.isEmpty && b.isEmpty }
        return meet(first, second) && meet(a.dropFirst(), b.dropFirst())
    }

    private static func meet(_ a: Component, _ b: Component) -> Bool {
        switch (a, b) {
        case (.literal(let a), .literal(let b)): return a == b
        case (.literal(let name), .glob(let glob)), (.glob(let glob), .literal(let name)): return glob.matches(name.span)
        case (.glob(let a), .glob(let b)):
            let (a, b) = (a.ends, b.ends)
            func agree(_ x: some BidirectionalCollection<UInt8>, _ y: some BidirectionalCollection<UInt8>) -> Bool {
                zip(x, y).allSatisfy { $0 == $1 }
            }
            return agree(a.prefix, b.prefix) && agree(a.suffix.reversed(), b.suffix.reversed())
        case (.anyDepth, _), (_, .anyDepth): return true
        }
    }
}

/// What no learned profile offers: what the profiles of the system deny, and what they say belongs to a class of data.
package struct NeverOffered: Sendable {
    package let entries: [Entry<[PathPattern]>]

    /// Each entry once, however many profiles have it.
    package init(_ profiles: [ResolvedProfile]) {
        var seen: Set<String> = [], entries: [Entry<[PathPattern]>] = []
        for body in profiles.map(\.body) {
            for entry in body.files.deny + body.data.flatMap(\.files) where seen.insert(entry.text).inserted { entries.append(entry) }
        }
        self.entries = entries
    }

    /// Those that a profile with these patterns would let through, were they not denied in it.
    package func reached(by patterns: [String], besides base: ResolvedProfile) -> [Entry<[PathPattern]>] {
        let known = Set(base.body.files.deny.map(\.text))
        var offered: [PathPattern] = []
        for text in patterns {
            do throws(PatternProblem) { offered += try PathPattern.parse(text) } catch { continue }
        }
        return entries.filter { entry in
            !known.contains(entry.text) && entry.value.contains { pattern in offered.contains { reach(pattern, $0) } }
        }
    }

    /// A pattern of any place begins with `**`, and meets those of all places.
    private func reach(_ denied: PathPattern, _ offered: PathPattern) -> Bool {
        if case .anyDepth? = denied.components.first, denied.anchor == .root {
            return denied.mayMeet(PathPattern(anchor: .root, components: offered.components))
        }
        return denied.mayMeet(offered)
    }

    /// A policy that denies all of it, and nothing else.
    package func profile(_ base: ResolvedProfile) -> ResolvedProfile {
        var profile = base
        // Nobody's own: each rule says which profile it is from.
        profile.name = ""
        profile.body = ProfileBody()
        profile.body.files.fallback = .allow
        profile.body.network.fallback = .allow
        profile.body.files.deny = entries
        return profile
    }
}
