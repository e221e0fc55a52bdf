/// What a supervised process is about to do, in the words of the trail.
///
/// The names are fixed: they are the `operation` field of an event.
package enum Operation: UInt8, Sendable, CaseIterable {
    case exec = 1, exit, open, create, delete, rename, link, metadata
    case connect, bind, accept, send, dns, query, http, signal, mount, other

    package var name: String {
        switch self {
        case .exec: "exec"
        case .exit: "exit"
        case .open: "open"
        case .create: "create"
        case .delete: "delete"
        case .rename: "rename"
        case .link: "link"
        case .metadata: "metadata"
        case .connect: "connect"
        case .bind: "bind"
        case .accept: "accept"
        case .send: "send"
        case .dns: "dns"
        case .query: "query"
        case .http: "http"
        case .signal: "signal"
        case .mount: "mount"
        case .other: "other"
        }
    }
}

/// How a call wants to use a file. One call may want several.
package struct FileAccess: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Reading its content, or listing it where it is a directory.
    package static let read = FileAccess(rawValue: 1 << 0)
    package static let write = FileAccess(rawValue: 1 << 1)
    package static let execute = FileAccess(rawValue: 1 << 2)
    /// Making a name that was not there.
    package static let create = FileAccess(rawValue: 1 << 3)
    package static let delete = FileAccess(rawValue: 1 << 4)
    package static let truncate = FileAccess(rawValue: 1 << 5)
    /// Mode, owner, times, extended attributes.
    package static let metadata = FileAccess(rawValue: 1 << 6)
    /// The name disappears here, or appears there, by `rename`.
    package static let rename = FileAccess(rawValue: 1 << 7)
    /// A further name for the same file (`link`), or a name that points elsewhere (`symlink`).
    package static let link = FileAccess(rawValue: 1 << 8)
    /// `O_PATH`: a handle without content. Judged as reading.
    package static let pathOnly = FileAccess(rawValue: 1 << 9)

    /// Everything that changes something.
    package static let changing: FileAccess = [.write, .create, .delete, .truncate, .metadata, .rename, .link]
}

/// What is decided about one operation. The larger raw value is the stricter.
package enum Decision: UInt8, Sendable, Comparable, CaseIterable {
    case allow = 0, rewrite, ask, deny

    package var name: String {
        switch self {
        case .allow: "allow"
        case .rewrite: "rewrite"
        case .ask: "ask"
        case .deny: "deny"
        }
    }

    package static func < (a: Decision, b: Decision) -> Bool { a.rawValue < b.rawValue }
}

/// Names a rule of the policy in force: an index into its table of rules.
package struct RuleID: Hashable, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }
    /// No rule: nothing was judged (a process that ends, a note of the supervisor).
    package static let none = RuleID(rawValue: .max)
}

/// A decision and the rule it rests on.
package struct Ruling: Hashable, Sendable {
    package var decision: Decision
    package var rule: RuleID
    package init(_ decision: Decision, by rule: RuleID) {
        self.decision = decision
        self.rule = rule
    }
}

/// A rule as people know it: `files.deny[0]` or its own name, and why it is there.
package struct RuleInfo: Sendable, Hashable {
    package var name: String
    package var reason: String
    package init(name: String, reason: String) {
        self.name = name
        self.reason = reason
    }
}
