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
    @inlinable package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Reading its content, or listing it where it is a directory.
    @inlinable package static var read: FileAccess { FileAccess(rawValue: 1 << 0) }
    @inlinable package static var write: FileAccess { FileAccess(rawValue: 1 << 1) }
    @inlinable package static var execute: FileAccess { FileAccess(rawValue: 1 << 2) }
    /// Making a name that was not there.
    @inlinable package static var create: FileAccess { FileAccess(rawValue: 1 << 3) }
    @inlinable package static var delete: FileAccess { FileAccess(rawValue: 1 << 4) }
    @inlinable package static var truncate: FileAccess { FileAccess(rawValue: 1 << 5) }
    /// Mode, owner, times, extended attributes.
    @inlinable package static var metadata: FileAccess { FileAccess(rawValue: 1 << 6) }
    /// The name disappears here, or appears there, by `rename`.
    @inlinable package static var rename: FileAccess { FileAccess(rawValue: 1 << 7) }
    /// A further name for the same file (`link`), or a name that points elsewhere (`symlink`).
    @inlinable package static var link: FileAccess { FileAccess(rawValue: 1 << 8) }
    /// `O_PATH`: a handle without content. Judged as reading.
    @inlinable package static var pathOnly: FileAccess { FileAccess(rawValue: 1 << 9) }

    /// What is done to a name or to its file's attributes, whatever is behind it.
    @inlinable package static var naming: FileAccess { delete.union(metadata).union(rename).union(link) }

    /// Everything that changes something.
    @inlinable package static var changing: FileAccess {
        write.union(create).union(delete).union(truncate).union(metadata).union(rename).union(link)
    }

    // Written out: what the standard library has for all option sets is looked up at run time where the type is another
    // module's, and that was a tenth of a judged call.
    @inlinable package init() { rawValue = 0 }
    @inlinable package init(arrayLiteral elements: FileAccess...) { rawValue = elements.reduce(0) { $0 | $1.rawValue } }
    @inlinable package static func == (a: FileAccess, b: FileAccess) -> Bool { a.rawValue == b.rawValue }
    @inlinable package func isDisjoint(with other: FileAccess) -> Bool { rawValue & other.rawValue == 0 }
    @inlinable package func contains(_ other: FileAccess) -> Bool { rawValue & other.rawValue == other.rawValue }
    @inlinable package func union(_ other: FileAccess) -> FileAccess { FileAccess(rawValue: rawValue | other.rawValue) }
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
