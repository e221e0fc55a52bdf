internal import Glibc
internal import SandboxModel

/// Who runs the session, as rules and approvals ask.
struct People: Sendable {
    /// `user:alice`: the account, and whoever it acts for.
    let askers: [String]
    let groups: [String]
    let roles: [String]
    /// It was started on a terminal.
    let hasTerminal: Bool

    /// `groups`: what a token says; without one they are the account's own, looked up where rules may ask.
    init(_ info: SessionInfo, groups: [String]?, hasRules: Bool) {
        let person = Person(uid: info.user, channel: "")
        askers = [person.name, info.onBehalfOf].compactMap { $0 }
        self.groups = groups ?? (hasRules ? Principal.groups(of: info.user) : [])
        roles = info.roles
        hasTerminal = isatty(0) == 1
    }
}
