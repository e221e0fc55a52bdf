internal import SandboxModel
internal import SandboxYAML

/// Entries that could never have a say, because a deny of the same profile takes all they name.
enum Contradictions {
    static func check(_ body: ProfileBody, _ sink: inout DiagnosticSink) {
        let denials = Denials(denies(body), for: body.files.read + body.files.write)
        check(body.files.read, "files.read", denials, &sink)
        check(body.files.write, "files.write", denials, &sink)
        check(body.exec.allow, "exec.allow", body.exec.deny, "exec.deny", &sink)
        check(body.network.allow, "network.allow", body.network.deny, "network.deny", &sink)
    }

    /// The beginning of a pattern.
    private struct Key: Hashable {
        let anchor: PathPattern.Anchor
        let components: ArraySlice<PathPattern.Component>
        init(_ pattern: PathPattern, _ count: Int) {
            anchor = pattern.anchor
            components = pattern.components.prefix(count)
        }
    }

    private struct Deny {
        let text: String
        let list: String
        let pattern: PathPattern
    }

    /// Finds what covers a pattern without trying every denial, so that a large file takes no quadratic time.
    private struct Denials {
        private let exact: [PathPattern: Deny]
        private let subtree: [Key: Deny]

        /// Only those of interest for these entries: what a denial covers begins with the same two names, or with the one
        /// that it has.
        init(_ all: [Deny], for entries: [Entry<[PathPattern]>]) {
            let beginnings = Set(entries.flatMap(\.value).map { Key($0, 2) })
            let denies = all.filter { $0.pattern.components.count <= 2 || beginnings.contains(Key($0.pattern, 2)) }
            // Of several that deny the same, the first is named.
            exact = Dictionary(denies.map { ($0.pattern, $0) }, uniquingKeysWith: { first, _ in first })
            let trees = denies.filter { $0.pattern.components.last == .anyDepth }
            subtree = Dictionary(
                trees.map { (Key($0.pattern, $0.pattern.components.count - 1), $0) }, uniquingKeysWith: { first, _ in first })
        }

        func cover(_ pattern: PathPattern) -> Deny? {
            if let deny = exact[pattern] { return deny }
            if subtree.isEmpty { return nil }
            for count in 0...pattern.components.count {
                if let deny = subtree[Key(pattern, count)] { return deny }
            }
            return nil
        }
    }

    /// All that takes paths away: `exec.deny` too, for what may not be run may not be read.
    private static func denies(_ body: ProfileBody) -> [Deny] {
        let files = body.files.deny.flatMap { entry in
            entry.value.map { Deny(text: entry.text, list: "files.deny", pattern: $0) }
        }
        let programs = body.exec.deny.flatMap { entry -> [Deny] in
            guard case .path(let patterns) = entry.value else { return [] }
            return patterns.map { Deny(text: entry.text, list: "exec.deny", pattern: $0) }
        }
        return files + programs
    }

    private static func check(
        _ entries: [Entry<[PathPattern]>], _ list: String, _ denials: Denials, _ sink: inout DiagnosticSink
    ) {
        for entry in entries {
            for pattern in entry.value {
                guard let deny = denials.cover(pattern) else { continue }
                let help =
                    deny.list == "files.deny"
                    ? "take one of the two out"
                    : "what may not be run may not be read; to say where programs may be run from, use `exec.allow`"
                sink.error(
                    "`\(entry.text)` in `\(list)` can never match: `\(deny.text)` in `\(deny.list)` beats it",
                    at: entry.origin.position, help: help)
                break
            }
        }
    }

    private static func check<Value>(
        _ entries: [Entry<Value>], _ list: String, _ denies: [Entry<Value>], _ other: String, _ sink: inout DiagnosticSink
    ) {
        let listed = Set(entries.map(\.value))
        let denied = Set(denies.lazy.map(\.value).filter(listed.contains))
        for entry in entries where denied.contains(entry.value) {
            sink.error(
                "`\(entry.text)` in `\(list)` can never match: `\(other)` has it too, and denies",
                at: entry.origin.position, help: "take one of the two out")
        }
    }
}

/// What the network lists may hold in general but not where it stands.
enum NetworkChecks {
    /// As many names as a `HostSet` tells apart.
    static func check(_ lists: NetworkLists, _ sink: inout DiagnosticSink) {
        for entry in lists.allow {
            if case .hostsBelow(let domain) = entry.value.peer {
                sink.warning(
                    "`\(entry.text)` matches nothing yet: names are not guarded by this version",
                    at: entry.origin.position, help: "name each host, such as `api.\(domain):443`")
            }
            port(entry, "network.allow", &sink)
        }
        for entry in lists.deny {
            if case .hostsBelow = entry.value.peer {
                sink.error(
                    "`\(entry.text)` cannot be enforced by this version yet", at: entry.origin.position,
                    help: "name each host, or use `default: deny` and list what is allowed")
            }
            port(entry, "network.deny", &sink)
        }
        for entry in lists.listen { listen(entry, &sink) }
    }

    private static func port(_ entry: Entry<NetworkTarget>, _ list: String, _ sink: inout DiagnosticSink) {
        guard entry.value.ports == 0...0 else { return }
        sink.error("`\(entry.text)` in `\(list)` can never match: nothing is reached at port 0", at: entry.origin.position)
    }

    private static func listen(_ entry: Entry<NetworkTarget>, _ sink: inout DiagnosticSink) {
        switch entry.value.peer {
        case .host, .hostsBelow, .nameservers:
            sink.error(
                "`\(entry.text)` in `network.listen` can never match: one listens on an address of this machine",
                at: entry.origin.position, help: "for example `127.0.0.1:*`, `localhost:8080` or `*:8080`")
        case .unixPath:
            sink.warning(
                "`\(entry.text)` in `network.listen` has no effect: a socket in a folder is a file",
                at: entry.origin.position, help: "list the folder in `files.write`; `unix:@NAME` is for abstract sockets")
        default: break
        }
    }
}
