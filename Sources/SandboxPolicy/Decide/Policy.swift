package import SandboxModel
internal import SandboxYAML

/// What a profile leaves open until a session starts. Paths are absolute and resolved, as bytes.
package struct PolicyVariables {
    package var home: [UInt8]
    package var workspace: [UInt8]
    /// Git's folder for the workspace: in it, or, where the workspace is a linked work tree, elsewhere.
    package var repository: [UInt8]
    package var tmp: [UInt8]
    package var nameservers: [IPAddress]
    /// What no profile can lift.
    package var protected: [ProtectedPath]
    /// The same for what the kernel shows as files, beyond `/proc` and `/sys`.
    package var kernelMounts: [ProtectedPath] = []
    /// Resolved folders in which programs are looked up by bare names.
    package var programFolders: [[UInt8]] = []
    /// Resolves the links of a path as far as it exists, so that a `deny` of `~/.ssh/**` also holds where `~/.ssh`
    /// is a link, or of `/var/run/x` where `/var/run` is. Used for denials only: a grant must not follow a link
    /// that an earlier session may have laid.
    package var resolve: (([UInt8]) -> [UInt8]?)?
    /// The other paths of a resolved path, and of what lies `below` it by these names: what is mounted more than once. For denials, too.
    package var otherPaths: (_ path: [UInt8]) -> [(path: [UInt8], below: [[UInt8]])] = { _ in [] }

    /// Whoever listens at all of the machine's addresses is reached by each of them. For denials of loopback.
    package var ownAddresses: () -> Set<IPAddress> = { [] }

    package init(
        home: [UInt8], workspace: [UInt8], repository: [UInt8]? = nil, tmp: [UInt8], nameservers: [IPAddress] = [],
        protected: [ProtectedPath] = [], resolve: (([UInt8]) -> [UInt8]?)? = nil
    ) {
        self.home = home
        self.workspace = workspace
        self.repository = repository ?? workspace + Array("/.git".utf8)
        self.tmp = tmp
        self.nameservers = nameservers
        self.protected = protected
        self.resolve = resolve
    }
}

/// A path, with all below it, that supervised programs must not reach whatever the profile says.
package struct ProtectedPath: Hashable, Sendable {
    package enum Extent: Sendable {
        /// Neither read nor changed: the trail.
        case everything
        /// Not changed: profiles, the supervisor's own program.
        case changes
    }
    package let path: [UInt8]
    package let extent: Extent
    package init(_ path: [UInt8], _ extent: Extent) {
        self.path = path
        self.extent = extent
    }
}

/// Why a valid profile cannot be put in force here.
package enum PolicyFailure: Error, Hashable, Sendable, CustomStringConvertible {
    case notAbsolute(variable: String, path: [UInt8])
    case tooManyRules

    package var description: String {
        switch self {
        case .notAbsolute(let variable, let path):
            "`\(variable)` must be an absolute, resolved path, not `\(Printable.escape(String(decoding: path, as: UTF8.self)))`"
        case .tooManyRules: "the profile has more rules than can be numbered"
        }
    }
}

/// Rules every policy has, applied by the supervisor where a path or an address alone does not tell.
package struct BuiltinRules: Sendable {
    package internal(set) var anonymous = RuleID.none
    package internal(set) var way = RuleID.none
    package internal(set) var otherProcess = RuleID.none
    package internal(set) var data = RuleID.none
    package internal(set) var deviceNode = RuleID.none
    package internal(set) var kernelSocket = RuleID.none
    package internal(set) var terminal = RuleID.none
    package internal(set) var unreadable = RuleID.none
    package internal(set) var memoryProgram = RuleID.none
    package internal(set) var refusedCall = RuleID.none
    package internal(set) var systemV = RuleID.none
    package internal(set) var names = RuleID.none
    package internal(set) var rawDevice = RuleID.none
}

/// A file or a folder to begin at when the files that are denied are to be found.
package struct DeniedPlace: Hashable, Sendable {
    /// How far below: as far as rules say that something is denied there, the folder's own names alone, or everywhere.
    package enum Extent: Sendable { case asDenied, names, everything }
    package let path: [UInt8]
    package let extent: Extent
    package init(path: [UInt8], extent: Extent) {
        self.path = path
        self.extent = extent
    }

    /// Paths differ at their ends, and many begin alike.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(path.count)
        for byte in path.suffix(8) { hasher.combine(byte) }
    }
}

/// A profile made ready to judge with: an immutable snapshot. Judging allocates nothing and reads no clock.
///
/// Every rule is looked at and the strictest wins; of several that decide the same, the one with the lowest
/// number is named. `mode` says whether a ruling is to be enforced; the ruling is the same either way.
package final class Policy: Sendable {
    package let name: String
    package let description: String
    package let mode: Mode
    package let limits: Limits
    package let audit: AuditSettings
    /// Every rule, indexed by `RuleID`.
    package let rules: [RuleInfo]
    /// The exact host names in the lists. An address that `sandbox` resolved from one carries its index in a `HostSet`.
    package let hostNames: [String]

    /// Rules that rest on what only the supervisor can see.
    package let builtin: BuiltinRules
    /// Where denied files may be found.
    package let deniedPlaces: [DeniedPlace]
    /// What rules say about using a file hangs on its path; and the paths that they take out of use.
    package let judgesUseByPath: Bool
    let ruledPaths: [RulePath]
    /// All that rules ask about paths.
    let conditionPaths: [RulePath]
    /// Rules say who writes where by what he carries.
    package let judgesCarriedWrites: Bool
    let identities: [Glob]?
    let paths: PathTable
    /// The session's own folders, resolved.
    let ownFolders: [[UInt8]]
    let connects: NetworkTable
    let listens: NetworkTable
    let abstractSockets: AbstractSockets
    /// There are sockets in the file system that a list lets be talked to.
    package let listsSockets: Bool
    /// There are denied host names: what no list denies may be theirs until they have been resolved.
    package let deniesNames: Bool
    let variables: EnvironmentRules
    let defaults: Defaults
    let ruleTable: RuleTable

    struct Defaults {
        var malformed = RuleID.none
        var files = Ruling(.deny, by: .none)
        var exec = Ruling(.deny, by: .none)
        var network = Ruling(.deny, by: .none)
    }

    init(_ profile: ResolvedProfile, _ parts: PolicyCompiler) {
        name = profile.name
        description = profile.description
        mode = profile.body.mode ?? .enforce
        limits = profile.body.limits
        audit = profile.body.audit
        rules = parts.rules
        hostNames = parts.hostNames
        identities = profile.body.identities?.map(\.value)
        paths = parts.paths.table()
        ownFolders = parts.ownFolders
        connects = parts.connects
        listens = parts.listens
        abstractSockets = parts.abstractSockets
        listsSockets = profile.body.network.allow.contains { if case .unixPath = $0.value.peer { true } else { false } }
        deniesNames = profile.body.network.deny.contains { if case .host = $0.value.peer { true } else { false } }
        variables = parts.environment
        defaults = parts.defaults
        builtin = parts.builtin
        deniedPlaces = parts.deniedPlaces
        ruleTable = parts.ruleTable
        let byPath = parts.ruleTable.rules.filter(Self.judgesUseByPath)
        (judgesUseByPath, ruledPaths) = (!byPath.isEmpty, byPath.flatMap(\.paths))
        conditionPaths = byPath.isEmpty ? [] : parts.ruleTable.rules.flatMap(\.conditionPaths) + parts.ruleTable.classes.flatMap(\.files)
        judgesCarriedWrites = parts.ruleTable.rules.contains(where: Self.judgesCarriedWrites)
    }

    package static func compile(
        profile: ResolvedProfile, variables: PolicyVariables
    ) throws(PolicyFailure) -> Policy {
        var compiler = PolicyCompiler(variables)
        try compiler.compile(profile.body, own: profile.name)
        return Policy(profile, compiler)
    }

    /// The rule behind a ruling; a placeholder for an id that is none of this policy's.
    package func rule(_ id: RuleID) -> RuleInfo {
        let i = Int(id.rawValue)
        return i < rules.count ? rules[i] : RuleInfo(name: "", reason: "")
    }

    /// Whether somebody of this identity may run under the profile: anyone may where it lists none.
    package func admits(identity: Span<UInt8>) -> Bool { Policy.admits(identity, identities) }

    fileprivate static func admits(_ identity: Span<UInt8>, _ identities: [Glob]?) -> Bool {
        guard let identities else { return true }
        for glob in identities where glob.matches(identity) { return true }
        return false
    }
}

extension ResolvedProfile {
    /// The same before the profile is compiled.
    package func admits(identity: Span<UInt8>) -> Bool { Policy.admits(identity, body.identities?.map(\.value)) }
}
