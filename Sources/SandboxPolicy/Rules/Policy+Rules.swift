package import SandboxModel

extension Policy {
    /// What the rules say; the lists (`judge…`) have a say of their own, and the stricter of the two holds. Rules that count
    /// note the operation in `counters`; without them they count this operation alone (`explain`). `other`: rules for which all but the
    /// count holds of that as well have nothing to say. `below`: of a folder, what there is in it; asked where a rule counts.
    package func decide(
        _ facts: borrowing Facts, counters: Counters?, unless other: Facts? = nil, below: PathsBelow? = nil
    ) -> Verdict {
        guard !ruleTable.isEmpty else { return Verdict() }
        let found = ruleTable.matches(facts, counters, unless: other, below: below)
        if found.isEmpty { return Verdict() }
        var verdict = Verdict()
        // The order of the profile is that of the numbers, and sorting keeps it among equals.
        let sorted = found.sorted { ($1.effect, $0.rule.id.rawValue) < ($0.effect, $1.rule.id.rawValue) }
        verdict.decision = sorted[0].effect
        verdict.rules = sorted.map(\.rule.id)
        if sorted[0].truth == .unknown {
            verdict.isUnsure = !sorted.contains { $0.truth == .yes && $0.effect == .deny }
            verdict.note = "it cannot be told whether the rule matches: " + unknowns(sorted[0].rule, facts)
        }
        switch verdict.decision {
        case .ask: verdict.ask = AskTerms(all: sorted.filter { $0.effect == .ask }.compactMap(\.rule.rule.ask))
        case .rewrite: rewrite(sorted.filter { $0.effect == .rewrite }.map(\.rule), facts, &verdict)
        case .allow, .deny: break
        }
        return verdict
    }

    /// Whether any rule could have something to say: where it is false, nobody need collect facts.
    package func rulesMayMatter(for operation: Operation, _ access: FileAccess = []) -> Bool {
        if ruleTable.isEmpty { return false }
        switch operation {
        // What a program or a message means is known only once it has been looked at.
        case .exec, .query, .http, .other: return true
        case .connect, .send:
            return !ruleTable.intents.isDisjoint(with: [.netConnect, .netEgress, .netDNS, .netLocalSocket, .procExecDownloaded])
        // A unix socket's name is a file that it makes.
        case .bind: return !ruleTable.intents.isDisjoint(with: [.netListen, .fileCreate])
        default:
            // A file may be a process's memory, or where programs are kept to run later.
            let more: IntentSet =
                access.isDisjoint(with: .changing)
                ? [.procInspect, .diskRaw] : [.procInspect, .diskRaw, .procPersist, .gitConfigExec, .netListen]
            // What has the name already goes when another file takes it.
            let taken: IntentSet = operation == .rename ? [.fileDelete] : []
            return !ruleTable.intents.isDisjoint(with: IntentSet.effects(of: operation, access).union(more).union(taken))
        }
    }

    /// Whether what SQL does could make a difference.
    package var judgesStatements: Bool { ruleTable.judgesStatements }

    /// Whether one may have a say about reading what is a file or a folder and nothing else: no device, and nothing of procfs.
    package var judgesPlainReads: Bool { !ruleTable.intents.isDisjoint(with: IntentSet.effects(of: .open, .read)) }

    /// What its rules are about.
    package var ruleIntents: IntentSet { ruleTable.intents }

    /// There are rules at all.
    package var hasRules: Bool { !ruleTable.isEmpty }

    /// Whether the rule counts: then one operation is like another to it.
    package func counts(_ id: RuleID) -> Bool { ruleTable.rules.contains { $0.id == id && $0.rule.count != nil } }

    /// Rules ask whether what runs was downloaded, so somebody has to keep an eye on it.
    package var asksWhatIsDownloaded: Bool { ruleTable.intents.contains(.procExecDownloaded) }

    /// Whether one of the rules about any of these counts: then no two operations are alike.
    package func counts(_ intents: IntentSet) -> Bool {
        ruleTable.rules.contains { $0.rule.count != nil && !$0.rule.intents.isDisjoint(with: intents) }
    }

    /// Whether a rule has a condition on one of these.
    package func asks(_ keys: Set<ConditionKey>) -> Bool {
        ruleTable.rules.contains { $0.conditions.contains { keys.contains($0.condition.key) } }
    }

    /// Of a process's arguments, for each value that a condition asks for the first that it fits: the others change nothing.
    package func arguments(askedFor all: ArraySlice<[UInt8]>) -> [[UInt8]] {
        guard !all.isEmpty else { return [] }
        return values(.args) { (test: Condition.Test, _) -> [Glob] in if case .texts(let globs) = test { globs } else { [] } }
            .compactMap { glob in all.first { glob.matches($0.span) } }
    }

    /// The same of the programs that it and its ancestors have run.
    package func programs(askedFor all: ArraySlice<[UInt8]>) -> [[UInt8]] {
        guard !all.isEmpty else { return [] }
        return values(.since_exec_of) { (_, test: CompiledCondition.Test) -> [CompiledProgram] in
            if case .programs(let programs) = test { programs } else { [] }
        }
        .compactMap { program in all.first { [program].contains($0, isSure: true) } }
    }

    private func values<Value>(_ key: ConditionKey, _ each: (Condition.Test, CompiledCondition.Test) -> [Value]) -> [Value] {
        ruleTable.rules.flatMap { rule in
            rule.conditions.filter { $0.condition.key == key }.flatMap { each($0.condition.test, $0.test) }
        }
    }

    /// What a file is used for, once it is open, or a socket connected.
    package static let uses: IntentSet = [.fileRead, .fileWrite, .netConnect, .netEgress, .netLocalSocket]

    /// Files and folders that rules take out of use by name: they may have other names.
    package var ruledPlaces: [DeniedPlace] {
        ruledPaths.map { path in
            path.prefix.isEmpty
                ? DeniedPlace(path: ownFolders.first ?? [], extent: .everything)
                : DeniedPlace(path: path.prefix, extent: path.isExact ? .names : .everything)
        }
    }

    /// Whether a rule takes what has this name out of use.
    package func rulesName(_ path: Span<UInt8>) -> Bool {
        for pattern in ruledPaths where pattern.matches(path) { return true }
        return false
    }

    static func judgesUseByPath(_ rule: CompiledRule) -> Bool {
        rule.rule.decision > .allow && !rule.isForCommands && rule.rule.count == nil && !rule.rule.intents.isDisjoint(with: uses)
            && rule.conditions.contains { $0.condition.key == .path }
    }

    static func judgesCarriedWrites(_ rule: CompiledRule) -> Bool {
        rule.rule.decision > .allow && !rule.isForCommands && rule.rule.asksWhatIsCarried && rule.rule.intents.contains(.fileWrite)
    }

    /// Rules ask what a process carries, so somebody has to keep an eye on it.
    package var asksWhatIsCarried: Bool {
        !ruleTable.classes.isEmpty && ruleTable.rules.contains { $0.rule.asksWhatIsCarried }
    }

    /// Whether what lies below a folder belongs to a class by its place, so that moving the folder there would take it out.
    package func classifiesBelow(_ folder: Span<UInt8>, movedTo other: Span<UInt8>) -> Bool {
        var below = folder.indices.map { folder[$0] }
        below += [UInt8(ascii: "/"), UInt8(ascii: "x")]
        return ruleTable.classes.contains { each in
            for pattern in each.files where pattern.loses(folder, to: other) || pattern.matches(below.span) { return true }
            return false
        }
    }

    /// What conditions on paths, and classes of data, tell this one by: two names of a file for which it is the same are the same to all.
    package func sight(of path: Span<UInt8>) -> [UInt64] {
        var bits = [UInt64](repeating: 0, count: (conditionPaths.count + 63) / 64)
        for (i, pattern) in conditionPaths.enumerated() where pattern.matches(path) { bits[i / 64] |= 1 << UInt64(i % 64) }
        return bits
    }

    /// The names behind the bits of `Facts.carries`.
    package var dataClasses: [String] { ruleTable.classes.map(\.name) }

    /// The classes of a file by its resolved path, as bits.
    package func classes(ofFile path: Span<UInt8>) -> UInt64 {
        var bits: UInt64 = 0
        for (i, each) in ruleTable.classes.enumerated() where each.has(file: path) { bits |= 1 << UInt64(i) }
        return bits
    }

    /// Whether the content of a file decides to which classes it belongs.
    package func looksInto(file path: Span<UInt8>) -> Bool {
        for each in ruleTable.classes {
            for content in each.content where content.covers(path) { return true }
        }
        return false
    }

    /// The classes of a file by what was found in it, as bits.
    package func classes(ofFile path: Span<UInt8>, holding found: ContentCounts) -> UInt64 {
        var bits: UInt64 = 0
        for (i, each) in ruleTable.classes.enumerated() {
            for content in each.content where content.covers(path) {
                if content.counts.contains(where: { found[$0.key] >= $0.value }) { bits |= 1 << UInt64(i) }
            }
        }
        return bits
    }

    /// What a program does not pass on though it reads it, as bits; `hash` is asked for where the profile names one.
    package func releases(by program: Span<UInt8>, hash: () -> String?) -> UInt64 {
        var bits: UInt64 = 0
        for release in ruleTable.releases {
            var isIt = false
            for path in release.programs where path.matches(program) { isIt = true }
            if isIt, release.sha256 == nil || release.sha256 == hash() { bits |= release.classes }
        }
        return bits
    }

    package var hasReleases: Bool { !ruleTable.releases.isEmpty }

    /// Those that tables belong to.
    package var classesOfTables: UInt64 {
        ruleTable.classes.enumerated().reduce(0) { $1.element.tables.isEmpty ? $0 : $0 | 1 << UInt64($1.offset) }
    }

    /// The classes of a table, as bits.
    package func classes(ofTable name: String) -> UInt64 {
        var bits: UInt64 = 0
        for (i, each) in ruleTable.classes.enumerated() where each.tables.contains(where: { $0.mayMatch(name) }) { bits |= 1 << UInt64(i) }
        return bits
    }

    /// What the first rule makes of it, and the others would.
    private func rewrite(_ rules: [CompiledRule], _ facts: borrowing Facts, _ verdict: inout Verdict) {
        var changes: [Verdict.Change] = []
        for rule in rules {
            let rewriting = facts.operation == .query ? nil : rule.rule.rewrite?.applied(to: facts.arguments ?? [])
            guard facts.operation == .query || rewriting != nil else {
                // What a rule set out to change must not run unchanged, whatever others do to it.
                verdict.decision = .deny
                verdict.note = "the command line is not one that the rule `\(rule.rule.name)` can rewrite"
                return
            }
            changes.append(Verdict.Change(rewrite: rewriting, sql: rule.rule.rewrite?.sql))
        }
        (verdict.rewrite, verdict.sql) = (changes[0].rewrite, changes[0].sql)
        verdict.others = Array(changes.dropFirst())
    }

    private func unknowns(_ rule: CompiledRule, _ facts: borrowing Facts) -> String {
        var atHand = AtHand(ruleTable.classes)
        var names: [String] = rule.meaning(facts) == .unknown ? ["intent"] : []
        for condition in rule.conditions where condition.holds(facts, &atHand) == .unknown { names.append(condition.condition.name) }
        return names.map { "`\($0)`" }.joined(separator: ", ")
    }
}
