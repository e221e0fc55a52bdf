internal import CShims
internal import Glibc
internal import SandboxIntent
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore

/// What is settled before anything is started: who, under which policy, where, with what environment.
struct SessionSetup {
    let info: SessionInfo
    let policy: PendingPolicy
    let shadow: PendingPolicy?
    private let profile: ResolvedProfile
    let enforces: Bool
    let state: StateDirectory
    let environment: [EnvironmentVariable]
    let searchPath: [UInt8]
    private let arguments: [[UInt8]]
    let timeLimit: UInt64?
    /// What a token says; nil without one.
    let groups: [String]?
    /// `${tmp}`: this session's own, never the folder that everybody's sockets lie in.
    let temporary: TemporaryFolder
    private let account: Account?
    /// To be dismissed when the session goes on: what threads leave behind is taken away while others wait.
    let crew: Crew

    init(_ options: RunOptions, _ token: GivenToken?) throws(RunFailure) {
        crew = Crew()
        // None of them takes the processor from this thread, which has most to do.
        WorkerThread.runs(.atOnce)
        let found = Later(crew) { MachinePlaces() }
        account = try SessionSetup.account(options.user)
        let workspace = try SessionSetup.directory(options.workspace ?? ".", option: "--workspace")
        do throws(StoreError) { state = try StateDirectory(options.state) } catch { throw RunFailure(error) }
        let files = ProfileFiles()
        let source = try Settled.find(options.profile, files)
        let ahead = ProfilesAhead(files, for: source, crew)
        let started = currentTime()
        let id = SessionID.make(at: started)
        temporary = try TemporaryFolder(session: id, owner: account)
        let settled: Settled
        do throws(RunFailure) {
            settled = try Settled(options, files, source, ahead, workspace, token, state, crew)
        } catch {
            temporary.remove()
            throw error
        }
        profile = settled.profile
        enforces = settled.enforces
        groups = settled.verified?.groups
        // Services and `env -i` have none.
        let home = account?.home ?? SessionSetup.variable("HOME") ?? Person.home(of: geteuid()) ?? "/"
        let own = PolicyVariables(
            home: SessionSetup.resolved(home), workspace: SessionSetup.resolved(workspace), tmp: SessionSetup.resolved(temporary.path),
            nameservers: [], protected: [])
        let given = SessionSetup.inherited()
        environment = SessionSetup.environment(
            enforces ? profile.environment(from: given, own) : given, options.environment, keepsToken: profile.keepsToken)
        searchPath = environment.first { $0.name == Array("PATH".utf8) }?.value ?? Array("/usr/bin:/bin".utf8)
        let (state, profile, searchPath) = (state, profile, searchPath)
        let roots = (home: own.home, workspace: own.workspace, repository: Repository.linked(to: own.workspace), tmp: own.tmp)
        // For one thread each: they remember what they have looked up.
        let places: @Sendable () -> PolicyVariables = {
            var variables = PolicyVariables(
                home: roots.home, workspace: roots.workspace, repository: roots.repository, tmp: roots.tmp,
                nameservers: found.get().nameservers,
                protected: SessionSetup.protected(state, files, profile, token), resolve: LinkResolver().resolve)
            variables.kernelMounts = found.get().mounts.kernelPlaces
            variables.otherPaths = found.get().mounts.others
            variables.ownAddresses = Interfaces.addresses
            variables.programFolders =
                searchPath == found.get().searchPath ? found.get().programFolders : MachinePlaces.programFolders(searchPath)
            return variables
        }
        policy = PendingPolicy(profile, places, first: options.command, crew)
        shadow = settled.candidate.map { [crew] in PendingPolicy($0, places, first: options.command, crew) }
        arguments = options.command
        timeLimit = [options.timeout, enforces ? profile.body.limits.time : nil].compactMap { $0 }.min()
        info = SessionInfo(
            id: id, name: options.name, identity: settled.who.identity, onBehalfOf: settled.who.onBehalfOf, groups: groups ?? [],
            roles: settled.verified?.roles ?? [], purpose: options.purpose, profile: profile.name, mode: enforces ? "enforce" : "observe",
            workspace: workspace,
            command: profile.body.audit.shown(options.command).map { String(decoding: $0, as: UTF8.self) }, host: SessionSetup.hostName(),
            user: account?.user ?? geteuid(), supervisor: getpid(),
            started: started)
    }

    /// Nil where nothing is limited.
    var controlGroup: ControlGroup? { enforces ? ControlGroup(session: info.id, profile.body.limits) : nil }

    var controlPath: String { state.sessions + "/" + info.id + "/control" }

    /// Whether a rule asks what whoever runs this may answer.
    var mayAskHere: Bool {
        let asking = enforces ? profile.body.rules.filter { $0.decision == .ask } : []
        if asking.isEmpty { return false }
        let person = Person(uid: geteuid(), channel: "terminal"), askers = People.askers(info)
        return asking.contains { Approvals.objection(to: person, $0.ask ?? AskTerms(), askers: askers) == nil }
    }

    /// Whether a rule asks others than whoever runs this.
    var namesApprovers: Bool {
        enforces && profile.body.rules.contains { $0.decision == .ask && $0.ask?.approvers.contains { !$0.isEmpty } == true }
    }

    // MARK: Parts

    private static func account(_ name: String?) throws(RunFailure) -> Account? {
        guard let name else { return nil }
        guard geteuid() == 0 else { throw RunFailure("`--user` is for root") }
        guard let account = Account(name) else { throw RunFailure("`--user \(name)`: there is no such account") }
        return account
    }

    private static func directory(_ path: String, option: String) throws(RunFailure) -> String {
        guard let real = realpath(path, nil) else { throw RunFailure("`\(option) \(path)`: \(errorText(errno))") }
        defer { free(real) }
        var st = stat()
        guard stat(real, &st) == 0, st.st_mode & S_IFMT == S_IFDIR else { throw RunFailure("`\(option) \(path)`: it is no directory") }
        return String(cString: real)
    }

    /// What no profile can open up: the trail, the places profiles come from, and ourselves.
    private static func protected(
        _ state: StateDirectory, _ files: ProfileFiles, _ profile: ResolvedProfile, _ token: GivenToken?
    ) -> [ProtectedPath] {
        var list = [ProtectedPath(resolved(state.path), .everything)]
        list.append(ProtectedPath(resolved(ApproverSockets.folder), .everything))
        list += Webhook.paths.map { ProtectedPath(resolved($0), .everything) }
        list += ((files.folders + CatalogueFiles.folders).map(\.path) + profile.files).map { ProtectedPath(resolved($0), .changes) }
        if let own = realpath("/proc/self/exe", nil) {
            defer { free(own) }
            list.append(ProtectedPath(Array(String(cString: own).utf8), .changes))
        }
        if let checker = GivenToken.checker() { list.append(ProtectedPath(resolved(checker), .changes)) }
        if let file = token?.file, !profile.keepsToken { list.append(ProtectedPath(file, .everything)) }
        return list
    }

    private static func resolved(_ path: String) -> [UInt8] { ProfileFiles.resolve(Array(path.utf8)) ?? Array(path.utf8) }

    private static func variable(_ name: String) -> String? {
        getenv(name).flatMap { $0.pointee == 0 ? nil : String(cString: $0) }
    }

    private static func hostName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        return gethostname(&name, 255) == 0
            ? String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : "localhost"
    }

    /// What the profile lets through, then what `--env` adds.
    /// Observed programs run as they would without us: nothing is taken away.
    /// The token alone is never given but by the profile.
    private static func environment(_ given: [EnvironmentVariable], _ added: [String], keepsToken: Bool) -> [EnvironmentVariable] {
        var list = given
        for text in added {
            let bytes = Array(text.utf8)
            let name = Array(bytes.prefix { $0 != UInt8(ascii: "=") })
            var value = name.count < bytes.count ? Array(bytes[(name.count + 1)...]) : nil
            if value == nil { value = variable(text).map { Array($0.utf8) } }
            list.removeAll { $0.name == name }
            if let value { list.append(EnvironmentVariable(name: name, value: value)) }
        }
        return keepsToken ? list : list.filter { $0.name != Array(GivenToken.variable.utf8) }
    }

    private static func inherited() -> [EnvironmentVariable] {
        var list: [EnvironmentVariable] = []
        var next = sbx_environment()
        while let entry = next?.pointee {
            let bytes = UnsafeBufferPointer(start: entry, count: strlen(entry)).map { UInt8(bitPattern: $0) }
            if let equals = bytes.firstIndex(of: UInt8(ascii: "=")) {
                list.append(EnvironmentVariable(name: Array(bytes[..<equals]), value: Array(bytes[(equals + 1)...])))
            }
            next = next! + 1
        }
        return list
    }

    // MARK: Launching

    func launchSpec(_ program: [CChar], in group: ControlGroup?, front: Front, signals: sbx_signals) -> LaunchSpec {
        func text(_ bytes: [UInt8]) -> [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }
        var spec = LaunchSpec(
            program: program, arguments: arguments.map(text),
            environment: environment.map { text($0.name + [UInt8(ascii: "=")] + $0.value) }, enforces: enforces, front: front.pid,
            signals: signals)
        spec.hasOwnGroup = front.hasAgentsTerminal
        spec.tracksData = enforces && profile.body.asksWhatIsCarried
        spec.limits = limits()
        spec.countsRoom = enforces && profile.body.limits.written != nil
        spec.controlGroup = group?.descriptor ?? -1
        spec.account = account
        return spec
    }

    /// setrlimit(2). Memory is what a process has written to or may write to, not address space, of which some
    /// runtimes reserve terabytes.
    private func limits() -> [(resource: Int32, soft: UInt64, hard: UInt64)] {
        var list: [(resource: Int32, soft: UInt64, hard: UInt64)] = []
        // Ours was raised; the program starts with what the user had.
        let files = SessionSetup.descriptorLimit
        let asked = enforces ? profile.body.limits.openFiles : nil
        list.append((resource: 7 /* RLIMIT_NOFILE */, soft: asked ?? UInt64(files.rlim_cur), hard: asked ?? UInt64(files.rlim_max)))
        // The kernel writes a core file by itself, into whatever folder the process has gone to.
        if enforces { list.append((resource: 4 /* RLIMIT_CORE */, soft: 0, hard: 0)) }
        if enforces, let n = profile.body.limits.memory { list.append((resource: 2 /* RLIMIT_DATA */, soft: n, hard: n)) }
        if enforces, let n = profile.body.limits.written { list.append((resource: 1 /* RLIMIT_FSIZE */, soft: n, hard: n)) }
        return list
    }

    /// As it was when this process started.
    private static let descriptorLimit: rlimit = {
        var l = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &l)
        return l
    }()

    static func rememberLimits() { _ = descriptorLimit }
}

/// A policy in the making: it is compiled while the program is being started, and needed when that is done.
struct PendingPolicy: Sendable {
    private let result: Later<Result<Policy, RunFailure>>

    /// `places` looks at the machine, and is asked by the thread that compiles; `first` is the command that will be judged first.
    init(_ profile: ResolvedProfile, _ places: @escaping @Sendable () -> PolicyVariables, first: [[UInt8]], _ crew: Crew) {
        result = Later(crew) {
            Result { () throws(RunFailure) in
                do throws(PolicyFailure) { return try Policy.compile(profile: profile, variables: places()) } catch {
                    throw RunFailure(error)
                }
            }
        }
        // Begun after that, which is waited for first.
        if !profile.body.rules.isEmpty {
            crew.make {
                guard case .success(let catalogue) = CatalogueFiles.catalogue, let program = first.first else { return }
                // What is known of it and of secrets is read now, and not while it stands still to be judged.
                catalogue.prepare(for: program)
                _ = ArgumentRedaction.mayHoldSecrets((program + [0]).span)
            }
        }
    }

    /// Waits for it, and not for the catalogue: nothing may be judged before `awaitCatalogue`.
    func get() throws(RunFailure) -> (Policy, CommandReader) {
        let policy = try result.get().get()
        guard policy.hasRules else { return (policy, CommandReader(catalogue: { _, _ in CommandMeaning() })) }
        return (
            policy,
            CommandReader(catalogue: {
                guard case .success(let catalogue) = CatalogueFiles.catalogue else { preconditionFailure("`awaitCatalogue` comes first") }
                return catalogue.meaning(program: $0, arguments: $1)
            })
        )
    }

    /// Waits for what the rules of the policy ask about: the catalogue of intents. Where there are none, nobody does.
    func awaitCatalogue() throws(RunFailure) {
        guard try result.get().get().hasRules else { return }
        do throws(CatalogueFiles.Failure) { _ = try CatalogueFiles.catalogue.get() } catch { throw RunFailure(error) }
    }
}

/// What a session finds on the machine, whatever its profile says.
private struct MachinePlaces: Sendable {
    let nameservers = HostTable.nameservers()
    let mounts = MountTable.atStart
    let searchPath = getenv("PATH").map { Array(String(cString: $0).utf8) } ?? []
    let programFolders: [[UInt8]]
    init() { programFolders = MachinePlaces.programFolders(searchPath) }

    /// Each once: several lead to the same.
    static func programFolders(_ searchPath: [UInt8]) -> [[UInt8]] {
        let usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/libexec"
        let folders = (searchPath + [0x3a] + Array(usual.utf8)).split(separator: 0x3a).filter { $0.first == 0x2f }
        return Array(Set(folders.compactMap { ProfileFiles.resolve(Array($0)) }))
    }
}

/// `s-` and a ULID: 48 bits of milliseconds, 80 random bits, in Crockford's base 32, so that ids sort by time.
enum SessionID {
    static func make(at nanoseconds: UInt64) -> String {
        let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        var random = SystemRandomNumberGenerator()
        let high = (nanoseconds / 1_000_000) << 16 | (random.next() & 0xffff)
        let low: UInt64 = random.next()
        var text = "s-"
        // 128 bits in 26 places of five; the first holds three.
        for place in (0..<26).reversed() {
            let shift = place * 5
            let value = shift >= 64 ? high >> (shift - 64) : (low >> shift) | (shift > 59 ? high << (64 - shift) : 0)
            text.append(alphabet[Int(value & 31)])
        }
        return text
    }
}

/// Finds a program as execvp(3) does.
enum ProgramSearch {
    /// The path to execute, ended by a NUL.
    static func find(_ name: [UInt8], path: [UInt8]) throws(RunFailure) -> [CChar] {
        guard !name.isEmpty else { throw RunFailure("there is nothing to run", help: "sandbox run -- CMD [ARG…]") }
        if name.contains(0x2f) { return text(name) }
        var denied = false
        for folder in path.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) {
            let file = text((folder.isEmpty ? [UInt8(ascii: ".")] : Array(folder)) + [0x2f] + name)
            var st = stat()
            guard stat(file, &st) == 0, st.st_mode & S_IFMT == S_IFREG else { continue }
            if access(file, X_OK) == 0 { return file }
            denied = true
        }
        let shown = String(decoding: name, as: UTF8.self)
        throw RunFailure(
            "`\(shown)`: \(denied ? "permission denied" : "not found")",
            help: denied ? nil : "PATH is `\(String(decoding: path, as: UTF8.self))`", code: denied ? 126 : 127)
    }

    private static func text(_ bytes: [UInt8]) -> [CChar] { bytes.map { CChar(bitPattern: $0) } + [0] }
}
