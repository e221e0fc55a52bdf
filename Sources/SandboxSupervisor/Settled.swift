internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore

/// Under what, and who: all that may turn out to be a mistake of whoever starts the session.
struct Settled {
    let profile: ResolvedProfile
    /// The one of `--shadow`.
    let candidate: ResolvedProfile?
    let enforces: Bool
    let who: Principal
    let verified: VerifiedIdentity?

    init(
        _ options: RunOptions, _ files: ProfileFiles, _ source: ProfileSource, _ ahead: ProfilesAhead, _ workspace: String,
        _ token: GivenToken?, _ state: StateDirectory, _ crew: Crew
    ) throws(RunFailure) {
        profile = try Settled.load(source, files, ahead)
        enforces = try Settled.mode(options.mode, profile.body.mode ?? .enforce)
        if workspace == "/", enforces, profile.opensWorkspace {
            throw RunFailure(
                "the workspace cannot be `/`: with this profile every file could be written",
                help: "name a folder with --workspace, or start in one")
        }
        if enforces, profile.body.limits.written != nil, !WriteWatch.isPossible {
            throw RunFailure("`limits.written`: this kernel does not count what is written (`/proc/self/io`); nothing was run")
        }
        verified = try token.map { token throws(RunFailure) in try token.check(state: state.path) }
        who = try Principal(options, verified)
        try who.check(profile)
        candidate = try options.shadow.map { name throws(RunFailure) in
            let source = try Settled.find(name, files)
            return try Settled.load(source, files, ProfilesAhead(files, for: source, crew))
        }
    }

    static func find(_ name: String, _ files: ProfileFiles) throws(RunFailure) -> ProfileSource {
        do throws(ProfileLookupFailure) {
            guard let source = try files.find(name, from: nil) else { throw files.missing(name) }
            return source
        } catch {
            throw RunFailure(error.message, help: error.help)
        }
    }

    private static func load(_ source: ProfileSource, _ files: ProfileFiles, _ ahead: ProfilesAhead) throws(RunFailure) -> ResolvedProfile {
        do throws(ProfileFailure) { return try ProfileLoader.load(source, lookup: files, parse: ahead.parsed) } catch {
            let lines = "\(error)".split(separator: "\n").map(String.init)
            throw RunFailure("the profile is not valid; nothing was run", details: lines)
        }
    }

    private static func mode(_ asked: String?, _ profile: Mode) throws(RunFailure) -> Bool {
        guard let asked else { return profile == .enforce }
        guard let mode = Mode(rawValue: asked) else {
            throw RunFailure("`--mode \(asked)`: there are `enforce` and `observe`")
        }
        return mode == .enforce
    }
}
