internal import SandboxModel
internal import SandboxYAML

/// Rules that could never have a say, or could not do what they say. Only what is certain: an operation may have several
/// intents, so that `intent: net.connect` and a condition on tables do not exclude each other.
enum RuleChecks {
    static func check(_ rule: Rule, _ sink: inout DiagnosticSink) {
        places(rule, &sink)
        contradictions(rule, &sink)
        rewrites(rule, &sink)
        if rule.decision == .allow {
            sink.warning(
                "the rule `\(rule.name)` allows, which changes nothing", at: rule.origin.position,
                help: "what is allowed is for the lists to say; a rule can only be stricter")
        }
    }

    /// A rule without `intent` is about everything: who names a program or its arguments mostly means its start.
    static func checkWithoutIntent(_ rule: Rule, _ sink: inout DiagnosticSink) {
        let aboutSubject: Set<ConditionKey> = [
            .program, .args, .parent, .since_exec_of, .identity, .role, .group, .purpose, .mode, .terminal, .time_of_day,
        ]
        let keys = Set(rule.conditions.map(\.key))
        guard rule.decision != .rewrite, !keys.isDisjoint(with: [.program, .args]), keys.isSubset(of: aboutSubject) else { return }
        let effect = rule.decision == .ask ? "asks about" : rule.decision == .deny ? "denies" : "matches"
        sink.warning(
            "the rule `\(rule.name)` has no `intent`, and so \(effect) each file that such a program opens and each connection it makes",
            at: rule.origin.position,
            help:
                "`intent: proc.exec` is its start alone, `intent: [file.write, file.delete]` or `net.egress` what it then does; `intent: \"*\"` where all of it is meant"
        )
    }

    /// What can be meant by an operation that has a path: by a file operation, or one on a socket in a folder.
    private static let withPath: IntentSet = IntentSet(pattern: "file")!.union([
        .netConnect, .netEgress, .netLocalSocket, .netListen, .procPersist, .procInspect, .procExecDownloaded, .procExecWritten,
        .gitConfigExec, .diskRaw,
    ])
    private static let withSecondPath: IntentSet = [
        .fileRename, .fileLink, .fileCreate, .fileWrite, .fileDelete, .procPersist, .gitConfigExec,
    ]

    private static func places(_ rule: Rule, _ sink: inout DiagnosticSink) {
        for condition in rule.conditions {
            let fitting: IntentSet? =
                switch condition.key {
                case .path: withPath
                case .path_to: withSecondPath
                default: nil
                }
            guard let fitting, rule.intents.isDisjoint(with: fitting) else { continue }
            let names = rule.intents.names.prefix(3).map { "`\($0)`" }.joined(separator: ", ")
            sink.error(
                "the rule `\(rule.name)` can never match: what means \(names) has no `\(condition.key.rawValue)`", at: condition.position,
                help: rule.intents.contains(.procExec)
                    ? "where a program lies is `program`" : "`path` is for intents of files, such as `file.delete`")
        }
    }

    private static func contradictions(_ rule: Rule, _ sink: inout DiagnosticSink) {
        for condition in rule.conditions where !condition.isNegated && condition.key.isSingle {
            guard let opposite = rule.conditions.first(where: { $0.isNegated && $0.key == condition.key }),
                condition.test.isWithin(opposite.test)
            else { continue }
            sink.error(
                "the rule `\(rule.name)` can never match: `\(opposite.name)` excludes all that `\(condition.name)` names",
                at: opposite.position, help: "take one of the two out")
        }
    }

    private static func rewrites(_ rule: Rule, _ sink: inout DiagnosticSink) {
        guard rule.decision == .rewrite, let terms = rule.rewrite else { return }
        let noProgram: IntentSet = [.netLocalSocket, .procExecMemory]
        if rule.intents.isSubset(of: noProgram) {
            sink.error(
                "the rule `\(rule.name)` can never match: only program starts can be rewritten, and none means \(rule.intents.names.joined(separator: ", "))",
                at: rule.origin.position)
        }
        if terms.sql != nil, rule.intents.isDisjoint(with: IntentSet(pattern: "sql")!) {
            sink.error(
                "the rule `\(rule.name)` rewrites SQL but matches none", at: rule.origin.position, help: "for example `intent: sql.drop`")
        }
        for condition in rule.conditions where condition.key == .path || condition.key == .path_to {
            sink.error(
                "the rule `\(rule.name)` can never match: a program start, which alone can be rewritten, has no `\(condition.key.rawValue)`",
                at: condition.position, help: "`args` are the arguments, `program` is where the program lies")
        }
    }
}

extension Condition.Test {
    /// Whether each value stands, as written, in the other.
    fileprivate func isWithin(_ other: Condition.Test) -> Bool {
        switch (self, other) {
        case (.paths(let a), .paths(let b)): Set(a).isSubset(of: b)
        case (.programs(let a), .programs(let b)): Set(a).isSubset(of: b)
        case (.texts(let a), .texts(let b)): Set(a).isSubset(of: b)
        case (.modes(let a), .modes(let b)): Set(a).isSubset(of: b)
        case (.flags(let a), .flags(let b)): Set(a).isSubset(of: b)
        case (.times(let a), .times(let b)): Set(a).isSubset(of: b)
        default: false
        }
    }
}
