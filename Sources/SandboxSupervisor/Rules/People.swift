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

    /// `groups`: what a token says; without one they are the account's own, looked up where a rule asks: on some machines that
    /// takes a while.
    init(_ info: SessionInfo, groups: [String]?, areAsked: Bool) {
        askers = People.askers(info)
        self.groups = groups ?? (areAsked ? Principal.groups(of: info.user) : [])
        roles = info.roles
        hasTerminal = isatty(0) == 1
    }

    static func askers(_ info: SessionInfo) -> [String] { [Person.name(of: info.user), info.onBehalfOf].compactMap { $0 } }
}
