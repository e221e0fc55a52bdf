internal import Glibc
package import SandboxModel
package import SandboxPolicy
package import SandboxStore

/// Writes the profile under which recorded sessions would have passed: what they did beyond what is extended, generalised, each
/// line with what it rests on. Secrets are not offered, and what was refused is not learned. The same sessions give the same text.
package final class Learning {
    package struct Options {
        package var name: String
        /// As the profile names what it extends.
        package var extends: String
        package var showsRefused = false
        package init(name: String, extends: String) {
            self.name = name
            self.extends = extends
        }
    }

    private let history: TrailHistory
    private let base: ResolvedProfile
    private let never: NeverOffered
    private let reader: CommandReader
    private let variables: (SessionInfo) throws -> PolicyVariables
    private let machine: LearningMachine
    private var subjects: SubjectReader

    /// What was found, by list.
    private let writes, programs, sockets: PathTree
    private var reads: [Read: (count: UInt64, programs: [String: UInt64])] = [:]
    private var network = LearnedNetwork()
    private var scripts = LearnedScripts()
    private var temporary = LearnedTemporaries()
    private var meant: IntentSet = []
    private var commands: [[UInt8]: [[UInt8]]] = [:]
    private var known: Set<[[UInt8]]> = []
    private var usesTemporaryFolder = false
    private var leftOut = 0
    /// What sessions made as folders, or moved.
    private var folders: Set<Read> = []
    private var refused = Tally()
    private let places: [Places]
    /// Of all of them.
    private let above: Set<String>
    private var names: [Int64: String] = [:]
    private struct Read: Hashable {
        let path: [UInt8]
        let session: Int
    }

    /// `others`: the profiles that say what nobody is offered.
    package init(
        _ history: TrailHistory, extending base: ResolvedProfile, neverOffered others: [ResolvedProfile], reader: CommandReader,
        _ variables: @escaping (SessionInfo) throws -> PolicyVariables
    ) throws {
        self.history = history
        self.base = base
        self.reader = reader
        self.variables = variables
        never = NeverOffered(others)
        machine = LearningMachine()
        var all: [Places] = [], temporary: [UInt8] = []
        for session in history.sessions {
            let given = try variables(session.info)
            temporary = given.tmp
            all.append(Places(home: given.home, workspace: given.workspace, tmp: given.tmp))
        }
        places = all
        subjects = SubjectReader(history, temporary: temporary)
        let above = all.reduce(into: Set<String>()) { $0.formUnion($1.above) }
        writes = PathTree(above: above)
        programs = PathTree(above: above, isForPrograms: true)
        sockets = PathTree(above: above)
        self.above = above
    }

    /// With how many kinds of what they did are left out.
    package func learn(_ options: Options) throws -> (text: String, leftOut: Int) {
        try collect()
        var profile = LearnedProfile(name: options.name, extends: options.extends)
        profile.heading = heading
        profile.write = writes.lines.map(entry)
        profile.programs = programs.lines.map(entry)
        let reads = try readLines(besides: profile)
        profile.read = reads.map(entry)
        let unix = sockets.lines.map { LearnedProfile.Entry("unix:" + $0.text, $0.evidence.text(isPattern: $0.isPattern)) }
        profile.connect = network.connects(machine) + unix
        profile.listen = network.listens(machine)
        profile.deny = never.reached(by: (profile.read + profile.write).map(\.text), besides: base).map {
            LearnedProfile.Entry($0.text, reason: $0.reason, "denied in \($0.origin.profile)")
        }
        if usesTemporaryFolder {
            profile.usesTemporaryFolder = true
            if !profile.write.contains(where: { $0.text == "${tmp}/**" }) {
                profile.write.append(LearnedProfile.Entry("${tmp}/**", "for what programs make for a moment, see TMPDIR below"))
            }
        }
        let candidates = LearnedIntents.candidates.minus(meant)
        profile.neverMeant = LearnedIntents.names(of: candidates)
        profile.meant = meant.intersection(LearnedIntents.candidates).names.joined(separator: ", ")
        profile.remarks = try remarks(profile, options)
        profile.tests = try tests(profile, reads)
        return (profile.yaml, leftOut)
    }

    private var heading: [String] {
        ["Learned by `sandbox profile learn` from what these sessions did; read it before you use it."]
            + history.sessions.map { session in
                let info = session.info
                let command = Escaped.commandLine(ArgumentRedaction.redact(info.command.prefix(8).map { Array($0.utf8) }))
                return
                    "  \(info.id)  \(Timestamp.text(info.started))  \(info.identity)  \(info.profile), \(info.mode): \(String(command.prefix(80)))"
            }
    }

    private func entry(_ line: PathTree.Line) -> LearnedProfile.Entry {
        LearnedProfile.Entry(line.text, line.evidence.text(isPattern: line.isPattern))
    }

    // MARK: What was done

    private func collect() throws {
        let judge = try HistoryJudge(base, history, reader: reader, variables)
        let forbidden = try HistoryJudge(never.profile(base), history, reader: reader, variables)
        try history.each { row in
            let subject = try subjects.subject(row)
            guard row.passed else { return refused.add(row, subject, try subjects.rule(row), try program(row)) }
            // The kernel itself did not let it: a refusal comes to the same.
            if row.flags.contains(.enforced), let result = row.result, result == -EACCES || result == -EPERM { return }
            try take(row, subject, try judge.policy(row.session), try forbidden.policy(row.session))
        }
        for kept in temporary.kept { writes.add(kept.path, in: places[kept.session], kept.count, by: kept.program, isMade: kept.isMade) }
    }

    private func take(_ row: RecordedAccess, _ subject: RecordedSubject, _ base: Policy, _ forbidden: Policy) throws {
        let place = places[row.session], by = try program(row)
        func file(_ path: [UInt8], _ access: FileAccess, isWhole: Bool = false) {
            if let script = scripts.script(row, path, access) { programs.add(script, in: place, row.count, by: "") }
            if place.place(path).anchor == .tmp { usesTemporaryFolder = true }
            if !access.isDisjoint(with: .changing) { meant.formUnion(PersistentPlaces.intents(of: path)) }
            guard base.leavesOpen(base.judge(file: path.span, access: access)),
                forbidden.denial(of: path.span, access: access, isProgram: false) == nil
            else { return }
            let isFolder = row.operation == .create && access == .create
            if access.isDisjoint(with: .changing) {
                note(read: path, row, by)
            } else if !isWhole, temporary.take(path, access, row, by) {
                usesTemporaryFolder = true
            } else {
                writes.add(path, in: place, row.count, by: by, isMade: isFolder, isWhole: isWhole)
            }
            if isFolder { folders.insert(Read(path: path, session: row.session)) }
        }
        switch subject {
        case .file(let path, let access):
            if access.contains(.delete) { meant.insert(.fileDelete) }
            file(path, access)
        case .files(let one, let access, let other, let second):
            // A rename may take the place of what was there.
            meant.insert(.fileDelete)
            let isFolder = row.operation == .rename && movesFolder(from: one, to: other, row.session)
            file(one, access, isWhole: isFolder)
            file(other, second, isWhole: isFolder)
        case .program(let path, let arguments):
            if base.leavesOpen(base.judge(exec: path.span, invoked: path.span)),
                forbidden.denial(of: path.span, access: .execute, isProgram: true) == nil
            {
                programs.add(path, in: place, row.count, by: "")
            }
            noteCommand(path, arguments)
            scripts.started(row, path, arguments)
        case .address(let address, let port, let name):
            let isListening = row.operation == .bind
            let names = HostSet(name.flatMap { base.hostNames.firstIndex(of: $0) }.map { [$0] } ?? [])
            let ruling =
                isListening
                ? base.judge(listen: address, port: port, transport: .tcp)
                : base.judge(connect: address, port: port, transport: .tcp, names: names)
            if base.leavesOpen(ruling) { network.add(address, port, name, isListening: isListening, row.count, by: by) }
        case .unixSocket(let path):
            if row.operation == .bind { return file(path, .create) }
            if base.leavesOpen(base.judge(unixConnect: path.span)), forbidden.denial(of: path.span, access: .write, isProgram: false) == nil
            {
                sockets.add(path, in: place, row.count, by: by)
            }
        case .abstractSocket(let name):
            let isListening = row.operation == .bind
            let ruling = isListening ? base.judge(abstractListen: name.span) : base.judge(abstract: name.span)
            if base.leavesOpen(ruling) { network.add(abstract: NameShape.pattern(name), isListening: isListening, row.count, by: by) }
        case .fixed: break
        }
    }

    /// Whether it is a folder is not on record. One that the session made is known, and one that is still there.
    private func movesFolder(from old: [UInt8], to new: [UInt8], _ session: Int) -> Bool {
        var status = stat()
        let isThere = lstat(new.map { CChar(bitPattern: $0) } + [0], &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        guard isThere || folders.contains(Read(path: old, session: session)) else { return false }
        folders.insert(Read(path: new, session: session))
        return true
    }

    private func note(read path: [UInt8], _ row: RecordedAccess, _ by: String) {
        var found = reads[Read(path: path, session: row.session), default: (0, [:])]
        found.count += row.count
        found.programs[by, default: 0] += row.count
        reads[Read(path: path, session: row.session)] = found
    }

    private func noteCommand(_ program: [UInt8], _ arguments: [[UInt8]]) {
        let plain =
            arguments.allSatisfy { $0.count <= 80 && $0.allSatisfy { (0x20..<0x7f).contains($0) } }
            && ArgumentRedaction.redact(arguments) == arguments
            && !arguments.contains { String(decoding: $0, as: UTF8.self).contains("***") }
        if plain, arguments.count <= 8, commands[program].map({ arguments.count < $0.count }) ?? true { commands[program] = arguments }
        guard known.insert([program] + arguments).inserted else { return }
        let command = CommandReader.Command(
            program: program, invoked: program, arguments: arguments, variable: { _ in nil }, input: { _ in .unknown })
        meant.formUnion(reader.read(command).facts.intents)
    }

    /// The last name of what ran.
    private func program(_ row: RecordedAccess) throws -> String {
        if row.image == 0 { return "" }
        if let name = names[row.image] { return name }
        let path = try history.program(ofImage: row.image)
        let name = Escaped.text(path[((path.lastIndex(of: 0x2f) ?? -1) + 1)...])
        names[row.image] = name
        return name
    }

    // MARK: What is left to read

    /// What the profile so far lets be written may be read.
    private func readLines(besides profile: LearnedProfile) throws -> [PathTree.Line] {
        let judge = try HistoryJudge(try load(profile), history, reader: reader, variables)
        let tree = PathTree(above: above)
        for (read, found) in reads where try judge.policy(read.session).judge(file: read.path.span, access: .read).decision == .deny {
            for (program, count) in found.programs { tree.add(read.path, in: places[read.session], count, by: program) }
        }
        return tree.lines
    }

    private func load(_ profile: LearnedProfile) throws -> ResolvedProfile {
        try ProfileLoader.load(ProfileSource(bytes: Array(profile.yaml.utf8), file: "\(profile.name).yaml"), lookup: ProfileFiles())
    }

    // MARK: What it comes to

    /// The sessions once more, under the profile.
    private func remarks(_ profile: LearnedProfile, _ options: Options) throws -> [(title: String, lines: [String])] {
        let judge = try HistoryJudge(try load(profile), history, reader: reader, variables)
        let forbidden = try HistoryJudge(never.profile(base), history, reader: reader, variables)
        var left = Tally(), unsure = Tally()
        try history.each { row in
            guard row.passed else { return }
            let subject = try subjects.subject(row)
            let found = try judge.judge(row, subject, recordedRule: try subjects.rule(row))
            guard found.decision != .allow, found.decision != .rewrite else { return }
            if found.decision == nil { return unsure.add(row, subject, found.rule, try program(row)) }
            let why = try temporary.reason(subject) ?? secret(subject, forbidden.policy(row.session)) ?? found.rule
            left.add(row, subject, why, try program(row))
        }
        var remarks: [(title: String, lines: [String])] = []
        leftOut = left.kinds
        if !left.isEmpty { remarks.append(("Left out: these sessions did it, and this profile does not let it pass.", left.lines(places))) }
        if !unsure.isEmpty { remarks.append(("The trail does not tell whether this would pass:", unsure.lines(places))) }
        if !refused.isEmpty {
            let lines =
                options.showsRefused ? refused.lines(places) : ["\(refused.count)×, of \(refused.kinds) kinds; `--refused` lists them"]
            remarks.append(("Was refused, and is not learned:", lines))
        }
        return remarks
    }

    /// The rule for which it is not offered.
    private func secret(_ subject: RecordedSubject, _ policy: Policy) throws -> RuleInfo? {
        let paths: [([UInt8], FileAccess)] =
            switch subject {
            case .file(let path, let access): [(path, access)]
            case .files(let one, let access, let other, let second): [(one, access), (other, second)]
            case .unixSocket(let path): [(path, .write)]
            default: []
            }
        for (path, access) in paths {
            if let ruling = policy.denial(of: path.span, access: access, isProgram: false) { return policy.rule(ruling.rule) }
        }
        return nil
    }

    /// One for each line, and a few that must be refused; those that come out the same on the machine that tests run on.
    private func tests(_ profile: LearnedProfile, _ reads: [PathTree.Line]) throws -> [String] {
        var tests: [String] = []
        func allowed(_ fields: [String]) { tests += fields.prefix(20).map { $0 + ", expect: allow" } }
        allowed(
            programs.lines.compactMap { line in
                let path = Array(line.example.utf8)
                guard line.example.hasPrefix("/"), let arguments = commands[path] else { return nil }
                return LearnedProfile.field("run", ([path] + arguments.dropFirst()).map { String(decoding: $0, as: UTF8.self) })
            })
        func path(_ key: String, _ line: PathTree.Line) -> String? {
            line.example.contains("\\") || line.example.contains("?") ? nil : LearnedProfile.field(key, line.example)
        }
        allowed(reads.compactMap { path("read", $0) })
        allowed(writes.lines.compactMap { path("write", $0) })
        allowed(network.examples(machine).map { LearnedProfile.field("connect", $0) })
        for (key, value) in [
            ("read", "~/.ssh/id_ed25519"), ("read", "/etc/shadow"), ("write", "/etc/passwd"), ("write", "~/.bashrc"),
            ("connect", "paste.example.net:443"),
        ] { tests.append(LearnedProfile.field(key, value) + ", expect: deny") }
        tests.append(LearnedProfile.field("run", ["sudo", "id"]) + ", expect: deny")
        var trial = profile
        trial.tests = tests
        let loaded = try load(trial)
        let testing = try ProfileTesting(loaded, reader: reader)
        return zip(tests, loaded.tests).filter { testing.run($1) == nil }.map(\.0)
    }
}

extension Policy {
    /// No list has said anything, and no denial that holds for all who extend it.
    fileprivate func leavesOpen(_ ruling: Ruling) -> Bool { rule(ruling.rule).name.hasSuffix(".default") }
}
