internal import Glibc
internal import SandboxKernel
package import SandboxModel
package import SandboxPolicy
internal import SandboxStore

/// Makes policies for judging without running anything.
package enum DryRun {
    /// As a session started here would have it. Nothing is made: the session's temporary folder is one that it could have.
    /// `home`: another's than ours.
    package static func variables(
        _ profile: ResolvedProfile, workspace: String?, state: String?, home: String? = nil
    ) throws -> PolicyVariables {
        func resolved(_ path: String) -> [UInt8] { ProfileFiles.resolve([UInt8](path.utf8)) ?? [UInt8](path.utf8) }
        let place = resolved(workspace ?? ".")
        var variables = PolicyVariables(
            home: resolved(home ?? getenv("HOME").map { String(cString: $0) } ?? "/"), workspace: place,
            repository: Repository.linked(to: place), tmp: resolved(TemporaryFolder.parent) + Array("/sandbox-session".utf8),
            nameservers: HostTable.nameservers(),
            protected: [ProtectedPath(resolved(try StateDirectory.locate(state)), .everything)], resolve: LinkResolver().resolve)
        variables.protected += (ProfileFiles().folders.map(\.path) + profile.files).map { ProtectedPath(resolved($0), .changes) }
        variables.protected.append(ProtectedPath(resolved("/proc/self/exe"), .changes))
        let mounts = MountTable.atStart
        variables.kernelMounts = mounts.kernelPlaces
        variables.otherPaths = mounts.others
        variables.ownAddresses = Interfaces.addresses
        return variables
    }

    /// As a recorded session had it, but for its temporary folder.
    package static func variables(_ profile: ResolvedProfile, of session: SessionInfo, state: String?) throws -> PolicyVariables {
        let home = session.user == geteuid() ? nil : Person.home(of: session.user)
        return try variables(profile, workspace: session.workspace, state: state, home: home)
    }

    /// On a machine with nothing on it.
    package static func nowhere() -> PolicyVariables {
        PolicyVariables(home: NoMachine.home, workspace: NoMachine.workspace, tmp: NoMachine.tmp)
    }

    package static func identity() -> String { Person.name(of: geteuid()) }

    /// The account's groups, by which rules and `identities` know it where there is no token.
    package static func groups() -> [String] { Principal.groups(of: geteuid()) }

    /// Seconds since midnight, UTC.
    package static func timeOfDay() -> UInt32 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return UInt32(now.tv_sec % 86_400)
    }
}
