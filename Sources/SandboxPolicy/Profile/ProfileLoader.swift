internal import SandboxModel
internal import SandboxYAML

/// The bytes of a profile, and what to call the file they came from.
package struct ProfileSource: Sendable {
    package let bytes: [UInt8]
    package let file: String
    package init(bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
    }
}

/// Why a profile could not be had: it is not there, or must not be used.
package struct ProfileLookupFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package let message: String
    package let help: String?
    /// The file could be read but must not be believed.
    package let isRefusal: Bool
    package init(_ message: String, help: String? = nil, isRefusal: Bool = false) {
        self.message = message
        self.help = help
        self.isRefusal = isRefusal
    }
    package init(missing name: String, among known: [String]) {
        let meant = Suggestion.nearest(to: name, among: known).map { "did you mean `\($0)`? " } ?? ""
        let all = known.isEmpty ? "no profiles were found at all" : meant + "there are: " + known.joined(separator: ", ")
        self.init("there is no profile `\(name)`", help: all)
    }
    package var description: String {
        Printable.escape(message) + (help.map { "\n  help: " + Printable.escape($0) } ?? "")
    }
}

/// Finds profiles by name, or by path where there is a `/` in it. All input and output of loading is behind this.
package protocol ProfileLookup {
    /// `from` is the file that asks, for paths relative to it.
    func find(_ name: String, from: String?) throws(ProfileLookupFailure) -> ProfileSource?
    /// What could have been meant.
    var names: [String] { get }
}

/// One file, read.
package struct ParsedProfile: Sendable {
    fileprivate let profile: Profile?
    fileprivate let found: [Diagnostic]
    /// Whether it denies what it allows was looked at before, and is not looked at again.
    fileprivate let isKnown: Bool

    /// `forSession`: without what only people are shown, and without tests. `isShipped`: that its tests can be read, and that nothing
    /// in it contradicts, is known; the one is a quarter of such a file, the other a quarter of what reading it takes.
    package init(_ source: ProfileSource, forSession: Bool, isShipped: Bool = false) {
        isKnown = forSession && isShipped
        let bytes = isKnown ? Self.withoutTests(source.bytes) : source.bytes
        (profile, found) = ProfileReader.readAll(bytes, file: source.file, forSession: forSession, isShipped: isKnown)
    }

    /// All of it, where something follows them.
    private static func withoutTests(_ bytes: [UInt8]) -> [UInt8] {
        var end = bytes.count
        while end > 0 {
            let start = bytes[..<(end - 1)].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            if bytes[start...].starts(with: "tests:".utf8) { return Array(bytes[..<start]) }
            guard [UInt8(ascii: " "), UInt8(ascii: "#"), UInt8(ascii: "\n")].contains(bytes[start]) else { break }
            end = start
        }
        return bytes
    }
}

/// Reads a profile and all that it extends, and makes one of them.
package struct ProfileLoader<Lookup: ProfileLookup> {
    private let lookup: Lookup
    private let parse: (ProfileSource) -> ParsedProfile
    private var diagnostics: [Diagnostic] = []
    /// In the order in which they take effect: what is extended comes before what extends it.
    private var ordered: [Profile] = []
    private var done: Set<String> = []
    private var areKnown = true

    private static var maximumDepth: Int { 16 }
    private static var maximumProfiles: Int { 64 }

    package static func load(
        _ source: ProfileSource, lookup: Lookup,
        parse: @escaping (ProfileSource) -> ParsedProfile = { ParsedProfile($0, forSession: false) }
    ) throws(ProfileFailure) -> ResolvedProfile {
        var loader = ProfileLoader(lookup: lookup, parse: parse)
        loader.visit(source, path: [])
        guard !loader.diagnostics.contains(where: { $0.severity == .error }) else {
            throw ProfileFailure(diagnostics: loader.diagnostics)
        }
        return try loader.merged()
    }

    private init(lookup: Lookup, parse: @escaping (ProfileSource) -> ParsedProfile) { (self.lookup, self.parse) = (lookup, parse) }

    private mutating func visit(_ source: ProfileSource, path: [String]) {
        let parsed = parse(source), profile = parsed.profile
        diagnostics += parsed.found
        let path = path + [source.file]
        for entry in profile?.extends ?? [] { visit(entry, path) }
        // A profile reached twice (a diamond) counts once.
        guard done.insert(source.file).inserted, let profile else { return }
        ordered.append(profile)
        areKnown = areKnown && parsed.isKnown
    }

    private mutating func visit(_ entry: Entry<String>, _ path: [String]) {
        let found: ProfileSource?
        do throws(ProfileLookupFailure) {
            found = try lookup.find(entry.text, from: entry.origin.file)
        } catch {
            return complain(entry, error.message, help: error.help)
        }
        guard let found else {
            let nearest = Suggestion.nearest(to: entry.text, among: lookup.names)
            let all = lookup.names.map { "`\($0)`" }.joined(separator: ", ")
            return complain(entry, "no profile `\(entry.text)`", help: nearest.map { "did you mean `\($0)`?" } ?? "there are " + all)
        }
        if let start = path.firstIndex(of: found.file) {
            let round = (path[start...] + [found.file]).map { "`\($0)`" }.joined(separator: " → ")
            return complain(entry, "`extends` goes round in a circle: \(round)", help: "take `\(entry.text)` out")
        }
        if done.contains(found.file) { return }
        guard path.count < Self.maximumDepth, done.count + path.count < Self.maximumProfiles else {
            return complain(
                entry, "`extends` reaches further than \(Self.maximumDepth) profiles deep or \(Self.maximumProfiles) in all", help: nil)
        }
        visit(found, path: path)
    }

    private mutating func complain(_ entry: Entry<String>, _ message: String, help: String?) {
        diagnostics.append(
            Diagnostic(
                severity: .error, file: entry.origin.file, position: entry.origin.position,
                message: message, help: help))
    }

    private func merged() throws(ProfileFailure) -> ResolvedProfile {
        var body = ProfileBody()
        for profile in ordered { body.add(profile.body) }
        let own = ordered[ordered.count - 1]
        try ExtendedChecks.check(ordered, body, areKnown: areKnown)
        return ResolvedProfile(
            name: own.name, file: own.file, description: own.description,
            chain: ordered.map(\.name), files: ordered.map(\.file), body: body,
            tests: own.tests, warnings: diagnostics)
    }
}

extension ProfileBody {
    /// What `extends` does: lists add up, so that a deny always stays; the nearer scalar wins.
    mutating func add(_ child: ProfileBody) {
        mode = child.mode ?? mode
        if let more = child.identities { identities = (identities ?? []) + more }
        files.fallback = child.files.fallback ?? files.fallback
        files.read += child.files.read
        files.write += child.files.write
        files.deny += child.files.deny
        exec.fallback = child.exec.fallback ?? exec.fallback
        exec.allow += child.exec.allow
        exec.deny += child.exec.deny
        network.fallback = child.network.fallback ?? network.fallback
        network.allow += child.network.allow
        network.deny += child.network.deny
        network.listen += child.network.listen
        rules += child.rules
        releases += child.releases
        for more in child.data {
            if let i = data.firstIndex(where: { $0.name == more.name }) {
                data[i].files += more.files
                data[i].tables += more.tables
                data[i].content += more.content
            } else {
                data.append(more)
            }
        }
        if let more = child.environment.keep { environment.keep = (environment.keep ?? []) + more }
        environment.drop += child.environment.drop
        environment.set += child.environment.set
        limits.memory = child.limits.memory ?? limits.memory
        limits.processes = child.limits.processes ?? limits.processes
        limits.time = child.limits.time ?? limits.time
        limits.openFiles = child.limits.openFiles ?? limits.openFiles
        limits.written = child.limits.written ?? limits.written
        audit.onFailure = child.audit.onFailure ?? audit.onFailure
        audit.reads = child.audit.reads ?? audit.reads
        audit.arguments = child.audit.arguments ?? audit.arguments
        audit.entropy = child.audit.entropy ?? audit.entropy
    }
}

/// What can only be seen once profiles are put together.
enum ExtendedChecks {
    static func check(_ ordered: [Profile], _ body: ProfileBody, areKnown: Bool) throws(ProfileFailure) {
        guard let own = ordered.last else { return }
        var found: [Diagnostic] = []
        // By itself a profile was looked at when it was read.
        if ordered.count > 1, !areKnown { dead(own, body, &found) }
        tooMuch(own, body, &found)
        classes(ordered, body, &found)
        if !found.isEmpty { throw ProfileFailure(diagnostics: found) }
    }

    /// The profile allows what one that it extends denies. The other way round it merely tightens, as it may.
    private static func dead(_ own: Profile, _ body: ProfileBody, _ found: inout [Diagnostic]) {
        var sink = DiagnosticSink(file: own.file)
        var mixed = own.body
        mixed.files.deny = body.files.deny
        mixed.exec.deny = body.exec.deny
        mixed.network.deny = body.network.deny
        Contradictions.check(mixed, &sink)
        found += sink.found
    }

    /// Classes that rules and tests name must be among `data`, here or in what is extended.
    private static func classes(_ ordered: [Profile], _ body: ProfileBody, _ found: inout [Diagnostic]) {
        let known = body.data.map(\.name)
        for profile in ordered {
            var sink = DiagnosticSink(file: profile.file)
            for condition in profile.body.rules.flatMap(\.conditions) {
                guard case .classes(let names) = condition.test else { continue }
                for name in names where !known.contains(name) { unknown(name, condition.position, known, &sink) }
            }
            for release in profile.body.releases {
                for name in release.classes where !known.contains(name) { unknown(name, release.program.origin.position, known, &sink) }
            }
            for test in profile.tests {
                for name in test.carries where !known.contains(name) { unknown(name, test.origin.position, known, &sink) }
            }
            found += sink.found
        }
        var sink = DiagnosticSink(file: ordered.last?.file ?? "")
        if known.count > DataClass.most { sink.error("more than \(DataClass.most) classes of data, with what is extended", at: .start) }
        found += sink.found
    }

    private static func unknown(_ name: String, _ position: Position, _ known: [String], _ sink: inout DiagnosticSink) {
        sink.error(
            "no class of data `\(name)`", at: position,
            help: known.isEmpty ? "name it under `data`" : Suggestion.help(for: name, among: known))
    }

    private static func tooMuch(_ own: Profile, _ body: ProfileBody, _ found: inout [Diagnostic]) {
        var sink = DiagnosticSink(file: own.file)
        let rules =
            body.files.read.count + body.files.write.count + body.files.deny.count + body.exec.allow.count
            + body.exec.deny.count + body.network.allow.count + body.network.deny.count + body.network.listen.count + body.rules.count
        if rules > 60_000 { sink.error("more than 60000 rules, with what is extended", at: .start) }
        if body.hostNames.count > HostSet.capacity {
            sink.error(
                "more than \(HostSet.capacity) host names, with what is extended", at: .start,
                help: "use address ranges where hosts share one")
        }
        found += sink.found
    }
}

extension ProfileBody {
    /// Every exact host name in the lists and in conditions, once, in their order.
    var hostNames: [String] {
        var names: [String] = []
        var seen: Set<String> = []
        for entry in network.deny + network.allow {
            if case .host(let name) = entry.value.peer, seen.insert(name).inserted { names.append(name) }
        }
        for condition in rules.flatMap(\.conditions) {
            guard case .targets(let targets) = condition.test else { continue }
            for case .host(let name) in targets.map(\.peer) where seen.insert(name).inserted { names.append(name) }
        }
        return names
    }
}
