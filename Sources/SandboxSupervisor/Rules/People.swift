internal import Glibc
internal import SandboxModel

/// Who runs the session, as rules and approvals ask.
struct People: Sendable {
    /// `user:alice`: the account, and whoever it acts for.
    let askers: [String]
    let groups: [String]
    /// It was started on a terminal.
    let hasTerminal: Bool

    init(_ info: SessionInfo) {
        let person = Person(uid: info.user, channel: "")
        askers = [person.name, info.onBehalfOf].compactMap { $0 }
        groups = person.titles.filter { $0.hasPrefix("group:") }.map { String($0.dropFirst(6)) }
        hasTerminal = isatty(0) == 1
    }
}
