internal import SandboxModel
internal import SandboxYAML

/// Tree → profile. Goes on after an error, so that all of them are told at once.
package struct ProfileReader {
    var sink: DiagnosticSink
    var profile = ""
    /// How many more patterns the file may hold, each alternative of its braces counted.
    var patternBudget = maximumPatterns
    /// A session runs no tests, and shows no rule as it is written.
    var isForSession = false
    /// It came with this program, and was looked through when that was built.
    var isShipped = false

    private static let keys = [
        "version", "name", "description", "extends", "mode", "identities", "files", "exec",
        "network", "rules", "data", "releases", "environment", "limits", "audit", "tests",
    ]

    /// One file by itself, without what it extends.
    package static func read(_ bytes: [UInt8], file: String) throws(ProfileFailure) -> Profile {
        let (profile, found) = readAll(bytes, file: file)
        guard let profile, !found.contains(where: { $0.severity == .error }) else {
            throw ProfileFailure(diagnostics: found)
        }
        return profile
    }

    /// As much of a profile as could be made out, and what is wrong with it. Never to be judged by where there is
    /// an error; good for finding more of them.
    static func readAll(
        _ bytes: [UInt8], file: String, forSession: Bool = false, isShipped: Bool = false
    ) -> (profile: Profile?, diagnostics: [Diagnostic]) {
        var reader = ProfileReader(sink: DiagnosticSink(file: file), isForSession: forSession, isShipped: isShipped)
        var profile = YAMLTree.parse(bytes, &reader.sink).flatMap { reader.profile(from: $0) }
        let found = reader.sink.found.sorted {
            ($0.position.line, $0.position.column) < ($1.position.line, $1.position.column)
        }
        profile?.warnings = found.filter { $0.severity == .warning }
        return (profile, found)
    }

    private mutating func profile(from root: YAMLNode) -> Profile? {
        guard let fields = fields(of: root, "a profile", known: Self.keys) else { return nil }
        version(fields["version"], root.position)
        name(fields["name"], root.position)
        var body = ProfileBody()
        body.mode = fields["mode"].flatMap { choice($0, "mode", among: Mode.allCases.map(\.rawValue)) }.flatMap(Mode.init)
        body.identities = fields["identities"].map { entries($0, "identities", key: "identity", Self.glob) }
        fields["files"].map { files($0, &body.files) }
        fields["exec"].map { exec($0, &body.exec) }
        fields["network"].map { network($0, &body.network) }
        fields["environment"].map { environment($0, &body.environment) }
        fields["data"].map { body.data = data($0) }
        fields["releases"].map { body.releases = releases($0) }
        fields["rules"].map { body.rules = rules($0) }
        fields["limits"].map { limits($0, &body.limits) }
        fields["audit"].map { audit($0, &body.audit) }
        if !isShipped { Contradictions.check(body, &sink) }
        return Profile(
            name: profile, file: sink.file, description: fields["description"].flatMap { text($0, "description") } ?? "",
            extends: fields["extends"].map { extends($0) } ?? [], body: body,
            tests: isForSession ? [] : fields["tests"].map { tests($0) } ?? [], warnings: [])
    }

    private mutating func version(_ node: YAMLNode?, _ start: Position) {
        guard let node else {
            sink.error("`version` is missing", at: start, help: "begin with `version: 1`")
            return
        }
        guard let text = text(node, "version"), text != "1" else { return }
        sink.error("version `\(text)` is not known", at: node.position, help: "this is `version: 1`")
    }

    private mutating func name(_ node: YAMLNode?, _ start: Position) {
        guard let node else {
            sink.error("`name` is missing", at: start, help: "for example `name: my-agent`")
            return
        }
        guard let text = text(node, "name") else { return }
        guard Self.isName(text) else {
            sink.error("bad name `\(text)`", at: node.position, help: "letters, digits, `.`, `_` and `-`, at most 64")
            return
        }
        profile = text
    }

    /// Names appear in rules as `baseline:files.deny[0]` and in paths, so they hold neither `:` nor `/`.
    static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.first != "." && text.first != "-"
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
                default: false
                }
            }
    }

    /// One name or a list of names (or paths).
    private mutating func extends(_ node: YAMLNode) -> [Entry<String>] {
        let list: YAMLNode
        if case .scalar = node.value {
            list = YAMLNode(value: .sequence([node]), position: node.position)
        } else {
            list = node
        }
        return entries(list, "extends", key: "profile") { text throws(PatternProblem) in
            guard text.contains("/") || ProfileReader.isName(text) else { throw PatternProblem("bad profile name `\(text)`") }
            return text
        }
    }

    private mutating func files(_ node: YAMLNode, _ lists: inout FileLists) {
        guard let fields = fields(of: node, "files", known: ["default", "read", "write", "deny"]) else { return }
        lists.fallback = fields["default"].flatMap { verdict($0, "files.default") }
        fields["read"].map { lists.read = entries($0, "files.read", key: "path", PathPattern.parse) }
        fields["write"].map { lists.write = entries($0, "files.write", key: "path", PathPattern.parse) }
        fields["deny"].map { lists.deny = entries($0, "files.deny", key: "path", PathPattern.parse) }
    }

    private mutating func exec(_ node: YAMLNode, _ lists: inout ExecLists) {
        guard let fields = fields(of: node, "exec", known: ["default", "allow", "deny"]) else { return }
        lists.fallback = fields["default"].flatMap { verdict($0, "exec.default") }
        fields["allow"].map { lists.allow = entries($0, "exec.allow", key: "program", Self.program) }
        fields["deny"].map { lists.deny = entries($0, "exec.deny", key: "program", Self.program) }
    }

    private mutating func network(_ node: YAMLNode, _ lists: inout NetworkLists) {
        guard let fields = fields(of: node, "network", known: ["default", "allow", "deny", "listen"]) else { return }
        lists.fallback = fields["default"].flatMap { verdict($0, "network.default") }
        fields["allow"].map { lists.allow = entries($0, "network.allow", key: "host", NetworkTarget.parse) }
        fields["deny"].map { lists.deny = entries($0, "network.deny", key: "host", NetworkTarget.parse) }
        fields["listen"].map { lists.listen = entries($0, "network.listen", key: "host", NetworkTarget.parse) }
        NetworkChecks.check(lists, &sink)
    }

    private mutating func environment(_ node: YAMLNode, _ lists: inout EnvironmentLists) {
        guard let fields = fields(of: node, "environment", known: ["keep", "drop", "set"]) else { return }
        lists.keep = fields["keep"].map { entries($0, "environment.keep", key: "name", Self.variable) }
        fields["drop"].map { lists.drop = entries($0, "environment.drop", key: "name", Self.variable) }
        guard let node = fields["set"], let pairs = pairs(of: node, "environment.set") else { return }
        for (i, (key, value)) in pairs.enumerated() {
            guard let text = text(value, "environment.set.\(key.text)") else { continue }
            if key.text.isEmpty || key.text.contains("=") || key.text.utf8.contains(0) || text.utf8.contains(0) {
                sink.error("bad variable `\(key.text)`", at: key.position, help: "a name without `=`, and no NUL in either")
            }
            let origin = Origin(profile: profile, file: sink.file, position: key.position, index: i)
            lists.set.append(Entry(value: Array(text.utf8), text: key.text, reason: nil, origin: origin))
        }
    }

    private mutating func limits(_ node: YAMLNode, _ limits: inout Limits) {
        guard let fields = fields(of: node, "limits", known: ["memory", "processes", "time", "open_files", "written"]) else { return }
        limits.memory = fields["memory"].flatMap { quantity($0, "limits.memory", Quantity.bytes) }
        limits.written = fields["written"].flatMap { quantity($0, "limits.written", Quantity.bytes) }
        limits.time = fields["time"].flatMap { quantity($0, "limits.time", Quantity.nanoseconds) }
        limits.processes = fields["processes"].flatMap { node in
            quantity(node, "limits.processes") { text throws(PatternProblem) in try Quantity.count(text, upTo: 1 << 22) }
        }
        limits.openFiles = fields["open_files"].flatMap { node in
            quantity(node, "limits.open_files") { text throws(PatternProblem) in try Quantity.count(text, upTo: 1 << 30) }
        }
    }

    private mutating func audit(_ node: YAMLNode, _ audit: inout AuditSettings) {
        typealias A = AuditSettings
        guard let fields = fields(of: node, "audit", known: ["on_failure", "reads", "arguments", "entropy"]) else { return }
        audit.onFailure = fields["on_failure"]
            .flatMap { choice($0, "audit.on_failure", among: A.OnFailure.allCases.map(\.rawValue)) }.flatMap(A.OnFailure.init)
        audit.reads = fields["reads"]
            .flatMap { choice($0, "audit.reads", among: A.Reads.allCases.map(\.rawValue)) }.flatMap(A.Reads.init)
        audit.arguments = fields["arguments"]
            .flatMap { choice($0, "audit.arguments", among: A.Arguments.allCases.map(\.rawValue)) }.flatMap(A.Arguments.init)
        audit.entropy = fields["entropy"].flatMap { choice($0, "audit.entropy", among: ["true", "false"]) }.map { $0 == "true" }
        if let node = fields["entropy"], audit.entropy == true, audit.arguments == .full {
            sink.error("`audit.entropy` says nothing where `audit.arguments` is `full`", at: node.position, help: "leave one of them out")
        }
    }
}
