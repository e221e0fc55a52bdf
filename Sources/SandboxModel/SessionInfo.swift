/// Who runs what, for whom and why: fixed when a session starts.
package struct SessionInfo: Sendable, Hashable {
    /// `s-` and 26 characters that sort by time (ULID).
    package var id: String
    package var name: String?
    package var identity: String
    package var onBehalfOf: String?
    /// What a checked token says of whom it names; bare names.
    package var groups: [String]
    package var roles: [String]
    package var purpose: String?
    package var profile: String
    /// `enforce` or `observe`.
    package var mode: String
    package var workspace: String
    package var command: [String]
    package var host: String
    package var user: UInt32
    /// The supervisor's process id.
    package var supervisor: Int32
    /// Nanoseconds since 1970 UTC.
    package var started: UInt64

    package init(
        id: String, name: String? = nil, identity: String, onBehalfOf: String? = nil, groups: [String] = [],
        roles: [String] = [], purpose: String? = nil, profile: String, mode: String, workspace: String, command: [String], host: String,
        user: UInt32,
        supervisor: Int32, started: UInt64
    ) {
        self.id = id
        self.name = name
        self.identity = identity
        self.onBehalfOf = onBehalfOf
        self.groups = groups
        self.roles = roles
        self.purpose = purpose
        self.profile = profile
        self.mode = mode
        self.workspace = workspace
        self.command = command
        self.host = host
        self.user = user
        self.supervisor = supervisor
        self.started = started
    }
}
