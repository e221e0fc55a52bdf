internal import Glibc
internal import SandboxModel
internal import SandboxPolicy

/// Who runs, for whom, and what else `identities:` of a profile may know them by.
///
/// Without a token the account vouches for nothing but itself: `--as` and `--on-behalf-of` are its own word, and its groups are
/// the system's. With one, the subject is the identity, or, where `--as` names an agent, the one whom that agent acts for; groups and
/// roles of the token take the place of the account's.
struct Principal {
    let identity: String
    let onBehalfOf: String?
    let verified: VerifiedIdentity?

    init(_ options: RunOptions, _ verified: VerifiedIdentity?) throws(RunFailure) {
        self.verified = verified
        try Principal.check(options.identity, "--as")
        try Principal.check(options.onBehalfOf, "--on-behalf-of")
        guard let verified else {
            identity = options.identity ?? Person.name(of: geteuid())
            onBehalfOf = options.onBehalfOf
            return
        }
        identity = options.identity ?? verified.subject
        guard options.onBehalfOf == nil || options.identity == nil else {
            throw RunFailure(
                "`--on-behalf-of` cannot be given with both a token and `--as`: the agent acts for `\(verified.subject)`, as the token says"
            )
        }
        onBehalfOf = options.identity == nil ? options.onBehalfOf : verified.subject
    }

    private static func check(_ name: String?, _ option: String) throws(RunFailure) {
        guard let name else { return }
        guard !name.isEmpty, name.utf8.count <= 256 else { throw RunFailure("`\(option)` wants 1 to 256 bytes") }
        if let prefix = VerifiedIdentity.reserved.first(where: { name.hasPrefix($0) }) {
            throw RunFailure(
                "`\(option) \(name)`: names in `\(prefix)` cannot be claimed",
                help: "they come from a token that was checked (`--token-file`)")
        }
    }

    /// The account's groups by name, asked for only where its own name is not enough: on some machines that takes a while.
    private static func accountGroups() -> [String] {
        var ids = [gid_t](repeating: 0, count: 65_536)
        let count = getgroups(Int32(ids.count), &ids)
        return Set(ids.prefix(Int(max(count, 0))) + [getegid()]).sorted().map(Person.group)
    }

    /// Of who runs the session: what the kernel goes by, or, of another (`--user`), what it will be given.
    static func groups(of user: UInt32) -> [String] {
        user == geteuid() ? accountGroups() : Person(uid: user, channel: "").groups
    }

    /// Whether the profile lets them run.
    func check(_ profile: ResolvedProfile) throws(RunFailure) {
        func admits(_ names: [String]) -> Bool { names.contains { profile.admits(identity: Array($0.utf8).span) } }
        if admits([identity] + (verified?.names ?? [])) || verified == nil && admits(Principal.accountGroups().map { "group:" + $0 }) {
            return
        }
        throw RunFailure(
            "`\(identity)` may not run under the profile `\(profile.name)`",
            help: "its `identities` say who may; see `sandbox profile show \(profile.name)`")
    }
}
