internal import SandboxModel

extension ProfileBody {
    /// Without a word about `exec`, programs start: what they can reach is for the other lists to say.
    /// A list of what may start says that the rest may not.
    var execFallback: Decision { exec.fallback ?? (exec.allow.isEmpty ? .allow : .deny) }
}

extension ProtectedPath {
    fileprivate var tag: Tag { extent == .everything ? .sealed : .unchangeable }
}

/// Numbers the rules of a resolved profile and puts each where judging will look for it.
struct PolicyCompiler {
    private let given: PolicyVariables
    private var own = ""
    private(set) var rules: [RuleInfo] = []
    private(set) var hostNames: [String] = []
    private(set) var paths = PathTableBuilder()
    private(set) var connects = NetworkTable()
    private(set) var listens = NetworkTable()
    private(set) var abstractSockets = AbstractSockets()
    private(set) var environment = EnvironmentRules()
    private(set) var defaults = Policy.Defaults()
    private(set) var builtin = BuiltinRules()
    private(set) var deniedPlaces: [DeniedPlace] = []
    private var notedPlaces: Set<DeniedPlace> = []
    private(set) var ruleTable = RuleTable()

    /// What patterns hang on: what a variable holds is taken literally, whatever characters are in it.
    private let roots: [PathPattern.Anchor: [PathPattern.Component]]

    init(_ variables: PolicyVariables) {
        given = variables
        roots = [
            .home: variables.home, .workspace: variables.workspace, .repository: variables.repository, .tmp: variables.tmp,
        ].mapValues(Self.literals)
    }

    var ownFolders: [[UInt8]] { [given.workspace, given.repository, given.tmp] }

    private static func literals(_ path: [UInt8]) -> [PathPattern.Component] {
        path.split(separator: UInt8(ascii: "/")).map { .literal(Array($0)) }
    }

    mutating func compile(_ body: ProfileBody, own: String) throws(PolicyFailure) {
        self.own = own
        try checkVariables()
        try builtIn()
        try files(body.files)
        try exec(body.exec, body.execFallback)
        try network(body)
        let rule = try rule("network.default", Self.unlisted)
        defaults.network = Ruling(body.network.fallback ?? .deny, by: rule)
        try compileRules(body)
        setEnvironment(body.environment)
    }

    private static let unlisted = "no list names it"

    private func checkVariables() throws(PolicyFailure) {
        for (name, path) in [
            ("~", given.home), ("${workspace}", given.workspace), ("${repository}", given.repository), ("${tmp}", given.tmp),
        ] {
            let names = path.split(separator: UInt8(ascii: "/"))
            let dots = names.contains { $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }
            if path.first != UInt8(ascii: "/") || dots { throw .notAbsolute(variable: name, path: path) }
        }
    }

    // MARK: Rules

    private mutating func rule(_ name: String, _ reason: String) throws(PolicyFailure) -> RuleID {
        guard rules.count < Int(Hits.none) else { throw .tooManyRules }
        rules.append(RuleInfo(name: name, reason: reason))
        return RuleID(rawValue: UInt16(rules.count - 1))
    }

    /// The profile's own rules have bare names; those it took over say from where.
    private mutating func rule<Value>(_ list: String, _ entry: Entry<Value>) throws(PolicyFailure) -> RuleID {
        let bare = "\(list)[\(entry.origin.index)]"
        let name = entry.origin.profile == own ? bare : "\(entry.origin.profile):\(bare)"
        return try rule(name, entry.reason ?? "`\(entry.text)` is listed")
    }

    private mutating func builtIn() throws(PolicyFailure) {
        let own = try rule(
            "builtin.protected", "the trail, the profiles and the supervisor are out of reach of supervised programs")
        defaults.malformed = try rule("builtin.path", "the path is not absolute and resolved")
        builtin.anonymous = try rule("builtin.held", "the process holds it already: a pipe, a socket, memory without a name")
        builtin.way = try rule(
            "builtin.way", "a folder above the workspace: a handle on it without content, as some programs take on their way")
        builtin.otherProcess = try rule("builtin.other-processes", "memory, descriptors and environment of processes outside the session")
        builtin.data = try rule(
            "builtin.data", "classes of data could not be followed, or another session that would get them must not have them")
        builtin.deviceNode = try rule(
            "builtin.device-nodes",
            "device nodes are the machine's: a new one would reach the device past every file rule, and one that is gone is missed by all")
        builtin.terminal = try rule("builtin.terminals", "a terminal that is neither the session's own nor made in it")
        builtin.unreadable = try rule(
            "builtin.unreadable", "a program that the supervisor may not read makes a process it cannot supervise")
        builtin.memoryProgram = try rule("builtin.memory-programs", "a program that lies in memory alone has no name to judge it by")
        builtin.refusedCall = try rule(
            "builtin.calls", "a system call that would go round the rules, or that is the machine's and not one session's")
        builtin.systemV = try rule(
            "builtin.system-v", "shared memory, semaphores and message queues that were not made in the session are somebody else's")
        builtin.names = try rule(
            "builtin.names", "a file with several names, and so many have been made that it cannot be told whether one of them is denied")
        builtin.kernelSocket = try rule("builtin.kernel-sockets", "routes of this machine are asked of the kernel, not of the network")
        builtin.rawDevice = try rule(
            "builtin.raw-devices", "a disk, a machine's memory, somebody's keyboard or a maker of devices goes round every other rule")
        let kernel = try rule("builtin.kernel", "settings and memory of the kernel are the machine's, not one session's")
        for place in given.protected {
            let pattern = PathPattern(subtreeOf: place.path)
            if pattern.components.count > 1 { addDenied(pattern, place.tag, own) }
        }
        for place in given.kernelMounts { paths.add(PathPattern(subtreeOf: place.path).components, place.tag, kernel.rawValue) }
        // Without a capability, root may write most of it, and `core_pattern` names a program to be run outside.
        for (text, tag) in [
            ("/proc/[!0-9]*/**", Tag.unchangeable), ("/sys/**", .unchangeable), ("/proc/{kcore,kmsg,kpage*}", .sealed),
            // `/proc/net` leads there: tables of the firewall and of what is kept in the network.
            ("/proc/*/net/**", .unchangeable), ("/proc/*/task/*/net/**", .unchangeable),
        ] {
            for pattern in Self.literal(text) { paths.add(pattern.components, tag, kernel.rawValue) }
        }
    }

    private static func literal(_ text: String) -> [PathPattern] {
        do throws(PatternProblem) { return try PathPattern.parse(text) } catch { preconditionFailure(error.message) }
    }

    // MARK: Files and programs

    private mutating func files(_ lists: FileLists) throws(PolicyFailure) {
        for entry in lists.deny {
            let rule = try rule("files.deny", entry)
            for pattern in entry.value { addDenied(pattern, .fileDeny, rule) }
        }
        for entry in lists.write {
            let rule = try rule("files.write", entry)
            for pattern in entry.value { paths.add(placed(pattern), .fileWrite, rule.rawValue) }
        }
        for entry in lists.read {
            let rule = try rule("files.read", entry)
            for pattern in entry.value { paths.add(placed(pattern), .fileRead, rule.rawValue) }
        }
        defaults.files = Ruling(lists.fallback ?? .deny, by: try rule("files.default", Self.unlisted))
    }

    private mutating func exec(_ lists: ExecLists, _ fallback: Decision) throws(PolicyFailure) {
        for entry in lists.deny { deny(entry.value, try rule("exec.deny", entry)) }
        for entry in lists.allow {
            let rule = try rule("exec.allow", entry)
            switch entry.value {
            case .path(let patterns): for pattern in patterns { paths.add(placed(pattern), .execAllow, rule.rawValue) }
            case .name(let glob): paths.add([.anyDepth, component(glob)], .execAllowName, rule.rawValue)
            }
        }
        defaults.exec = Ruling(fallback, by: try rule("exec.default", Self.unlisted))
    }

    private mutating func deny(_ program: ProgramPattern, _ rule: RuleID) {
        switch program {
        case .path(let patterns): for pattern in patterns { addDenied(pattern, .execDenyPath, rule) }
        case .name(let glob):
            let name = component(glob)
            paths.add([.anyDepth, name], .execDenyName, rule.rawValue)
            given.programFolders.forEach { note(DeniedPlace(path: $0, extent: .names)) }
            for folder in ["bin", "sbin", "libexec"] {
                paths.add([.anyDepth, .literal(Array(folder.utf8)), name], .execDenyFolder, rule.rawValue)
            }
        }
    }

    private func component(_ glob: Glob) -> PathPattern.Component {
        glob.literal.map { .literal($0) } ?? .glob(glob)
    }

    /// The pattern from the root down.
    private func placed(_ pattern: PathPattern) -> [PathPattern.Component] {
        roots[pattern.anchor].map { $0 + pattern.components } ?? pattern.components
    }

    private mutating func addDenied(_ pattern: PathPattern, _ tag: Tag, _ rule: RuleID) {
        for components in everywhere(placed(pattern)) {
            paths.add(components, tag, rule.rawValue)
            let path = PathPattern(anchor: .root, components: components).literalPrefix.flatMap { [UInt8(ascii: "/")] + $0 }
            // What is denied anywhere is looked for where the session works.
            note(path.isEmpty ? DeniedPlace(path: given.workspace, extent: .everything) : DeniedPlace(path: path, extent: .asDenied))
        }
    }

    /// A denial holds for the path as written, for where its links lead, and wherever else that, or something that it is about, is mounted.
    private func everywhere(_ written: [PathPattern.Component]) -> [[PathPattern.Component]] {
        let names = PathPattern(anchor: .root, components: written).literalPrefix
        if names.isEmpty { return [written] }
        let path = names.flatMap { [UInt8(ascii: "/")] + $0 }, rest = written.dropFirst(names.count)
        var all = [written], seen = path
        if let real = given.resolve?(path), real != path, real.first == UInt8(ascii: "/") {
            all.append(Self.literals(real) + rest)
            seen = real
        }
        for other in given.otherPaths(seen) {
            // Where the root folder is a part of something that is denied as a whole, as subvolumes are, the whole machine is not meant.
            all += rest.ends(behind: other.below).filter { !other.path.isEmpty || $0.first != .anyDepth || $0.count > 1 }
                .map { Self.literals(other.path) + $0 }
        }
        return all
    }

    private mutating func note(_ place: DeniedPlace) {
        if notedPlaces.insert(place).inserted { deniedPlaces.append(place) }
    }

    // MARK: Network

    private mutating func network(_ body: ProfileBody) throws(PolicyFailure) {
        hostNames = body.hostNames
        let indices = Dictionary(uniqueKeysWithValues: zip(hostNames, hostNames.indices))
        for entry in body.network.deny {
            let rule = try rule("network.deny", entry)
            switch entry.value.peer {
            case .unixPath(let patterns): for pattern in patterns { addDenied(pattern, .unixDeny, rule) }
            case .unixAbstract(let glob): abstractSockets.deny.append((rule.rawValue, glob))
            default: add(entry.value, rule, .deny, indices, to: &connects)
            }
        }
        for entry in body.network.allow {
            let rule = try rule("network.allow", entry)
            switch entry.value.peer {
            case .unixPath(let patterns): for pattern in patterns { paths.add(placed(pattern), .unixAllow, rule.rawValue) }
            case .unixAbstract(let glob): abstractSockets.allow.append((rule.rawValue, glob))
            default: add(entry.value, rule, .allow, indices, to: &connects)
            }
        }
        for entry in body.network.listen {
            let rule = try rule("network.listen", entry)
            if case .unixAbstract(let glob) = entry.value.peer {
                abstractSockets.listen.append((rule.rawValue, glob))
            } else {
                add(entry.value, rule, .allow, indices, to: &listens)
            }
        }
    }

    private func add(
        _ target: NetworkTarget, _ rule: RuleID, _ decision: Decision, _ hosts: [String: Int], to table: inout NetworkTable
    ) {
        let row = NetworkTable.Row(rule: rule.rawValue, decision: decision, transport: target.transport, ports: target.ports)
        switch target.peer {
        case .any: table.addAnywhere(row)
        case .localhost: decision == .deny ? table.addMachine(row, given.ownAddresses()) : table.addLoopback(row)
        case .nameservers:
            for address in given.nameservers {
                let address = address.canonicalDestination
                table.add(row, range: AddressRange(address, prefix: address.isV4 ? 32 : 128))
            }
        case .range(let range):
            table.add(row, range: range)
            if decision == .deny, range.isLoopback { table.addMachine(row, given.ownAddresses()) }
        case .host(let name): if let host = hosts[name] { table.add(row, host: host) }
        // Warned of when the profile was read; it allows nothing.
        case .hostsBelow, .unixPath, .unixAbstract: break
        }
    }

    // MARK: Rules with names

    private mutating func compileRules(_ body: ProfileBody) throws(PolicyFailure) {
        guard !body.rules.isEmpty || !body.data.isEmpty else { return }
        let classes = body.data.map { each in
            CompiledClass(
                name: each.name, files: each.files.flatMap(\.value).flatMap { rulePaths($0, followsLinks: true) },
                tables: each.tables.map(\.value),
                content: each.content.map { terms in
                    CompiledContent(
                        folders: terms.folders.flatMap(\.value).flatMap { rulePaths($0, followsLinks: true) }, counts: terms.counts)
                })
        }
        let releases = body.releases.map { each in
            CompiledRelease(
                programs: each.program.value.flatMap { rulePaths($0, followsLinks: false) },
                classes: Self.bits(each.classes, body), sha256: each.sha256)
        }
        var compiled: [CompiledRule] = []
        for rule in body.rules {
            let name = rule.origin.profile == own ? rule.name : "\(rule.origin.profile):\(rule.name)"
            let id = try self.rule(name, rule.reason ?? "the rule `\(rule.name)` matches")
            compiled.append(CompiledRule(id: id, rule: rule, conditions: rule.conditions.map { compiledCondition($0, rule, body) }))
            rule.programsNeverStarted.forEach { deny($0, id) }
        }
        ruleTable = RuleTable(compiled, classes, releases)
    }

    private func compiledCondition(_ condition: Condition, _ rule: Rule, _ body: ProfileBody) -> CompiledCondition {
        let test: CompiledCondition.Test =
            switch condition.test {
            case .paths(let patterns): .paths(patterns.flatMap { rulePaths($0, followsLinks: !condition.isNegated) })
            case .programs(let programs):
                .programs(
                    programs.map { program in
                        switch program {
                        case .name(let glob): .name(glob)
                        case .path(let patterns): .path(patterns.flatMap { rulePaths($0, followsLinks: !condition.isNegated) })
                        }
                    })
            case .classes(let names):
                .classes(Self.bits(names, body))
            case .targets(let targets) where rule.decision > .allow && !condition.isNegated && targets.contains(where: \.isLoopback):
                .machine(NetworkTable.machine(given.ownAddresses()))
            default: .plain
            }
        return CompiledCondition(condition: condition, test: test)
    }

    private static func bits(_ names: [String], _ body: ProfileBody) -> UInt64 {
        names.reduce(0) { bits, name in bits | (body.data.firstIndex { $0.name == name }.map { 1 << UInt64($0) } ?? 0) }
    }

    /// A rule holds for the path as written and for where its links lead. What it exempts is only the former: a link may have
    /// been laid by an earlier session.
    private func rulePaths(_ pattern: PathPattern, followsLinks: Bool) -> [RulePath] {
        let written = placed(pattern)
        return (followsLinks ? everywhere(written) : [written]).map { RulePath($0) }
    }

    // MARK: Environment

    mutating func setEnvironment(_ lists: EnvironmentLists) {
        environment.keep = lists.keep?.map(\.value)
        environment.drop = lists.drop.map(\.value)
        for entry in lists.set {
            let name = Array(entry.text.utf8)
            environment.set.removeAll { $0.name == name }
            environment.set.append(EnvironmentVariable(name: name, value: expanded(entry.value)))
        }
    }

    /// `${home}`, `${workspace}` and `${tmp}` in a value; everything else stays as it is.
    private func expanded(_ value: [UInt8]) -> [UInt8] {
        let known: [(String, [UInt8])] = [("${home}", given.home), ("${workspace}", given.workspace), ("${tmp}", given.tmp)]
        var out: [UInt8] = []
        var rest = value[...]
        while let byte = rest.first {
            if let (name, path) = known.first(where: { rest.starts(with: $0.0.utf8) }) {
                out += path
                rest = rest.dropFirst(name.utf8.count)
            } else {
                out.append(byte)
                rest = rest.dropFirst()
            }
        }
        return out
    }
}
