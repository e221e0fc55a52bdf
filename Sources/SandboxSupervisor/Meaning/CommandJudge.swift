package import SandboxIntent
internal import SandboxModel
package import SandboxPolicy

/// What the rules say of a program start, with rewriting carried through: what a rule made of a command line is read and judged
/// again, and what still is what the rule set out to change does not run.
package struct CommandJudge: Sendable {
    package let policy: Policy
    package let reader: CommandReader

    package init(policy: Policy, reader: CommandReader) {
        self.policy = policy
        self.reader = reader
    }

    /// Nil where it cannot be done exactly.
    package func rewriteSQL(_ text: [UInt8], _ dialect: SQLDialect, _ change: SQLChange) -> [UInt8]? {
        // Commands of the client's own, and nothing else: what they lead to is rewritten where it stands.
        var reader = ScriptReader(SQLClient(dialect))
        if reader.take(text, isLast: true).meaning.statements.isEmpty { return text }
        var text = text
        if let trash = change.trashSchema {
            guard let kept = SQL.keepingDropped(text, dialect: dialect, trash: trash) else { return nil }
            text = kept
        }
        guard let limit = change.limit else { return text }
        return SQL.limited(text, dialect: dialect, rows: Int(limit))
    }

    package struct Judgement {
        package var reading: CommandReader.Reading
        package var verdict: Verdict
        /// What clients are given in the place of texts that are in no argument.
        package var texts: [StatementSource.Place: [UInt8]] = [:]
        /// Of what it was rewritten to.
        package var rewritten: CommandReader.Reading?
    }

    /// `around`: adds who, when and what else is known. `lookUp`: where a program is that a rule names, resolved and as asked for.
    package func judge(
        _ command: CommandReader.Command, counters: Counters?, around: (inout Facts) -> Void,
        lookUp: ([UInt8]) -> (program: [UInt8], invoked: [UInt8])?
    ) -> Judgement {
        var reading = reader.read(command)
        around(&reading.facts)
        var verdict = policy.decide(reading.facts, counters: counters)
        guard verdict.decision == .rewrite else { return Judgement(reading: reading, verdict: verdict) }
        var texts: [StatementSource.Place: [UInt8]] = [:]
        guard let rewritten = carryOut(&verdict, &texts, reading, command, lookUp) else {
            return Judgement(reading: reading, verdict: verdict)
        }
        var again = reader.read(rewritten)
        around(&again.facts)
        let done = Judgement(reading: reading, verdict: verdict, texts: texts, rewritten: again)
        let second = policy.decide(again.facts, counters: nil)
        if second.decision == .rewrite, isDone(second, again, rewritten) { return done }
        guard second.decision != .allow else { return done }
        // A question is about what would run: what would be rewritten first is refused, for nobody has seen that.
        refuse(&verdict, "what it was rewritten to is judged \(second.decision.name) by `\(policy.rule(second.rules[0]).name)`")
        return Judgement(reading: reading, verdict: verdict)
    }

    /// The rules match what one of them made, too, and would leave it as it is: a limit that is there by now.
    private func isDone(_ verdict: Verdict, _ reading: CommandReader.Reading, _ command: CommandReader.Command) -> Bool {
        let first = Verdict.Change(rewrite: verdict.rewrite, sql: verdict.sql)
        return ([first] + verdict.others).allSatisfy { change in
            guard let rewriting = change.rewrite, adds(nothingTo: command.arguments, rewriting.arguments) else { return false }
            guard let sql = change.sql else { return true }
            return reading.sources.allSatisfy { source, text in text.map { rewriteSQL($0, source.dialect, sql) == $0 } ?? false }
        }
    }

    /// The same, or with once more at its end what it ends with: a rule that appends.
    private func adds(nothingTo arguments: [[UInt8]], _ new: [[UInt8]]) -> Bool {
        new.starts(with: arguments) && arguments.dropFirst().reversed().starts(with: new.dropFirst(arguments.count).reversed())
    }

    private func carryOut(
        _ verdict: inout Verdict, _ texts: inout [StatementSource.Place: [UInt8]], _ reading: CommandReader.Reading,
        _ command: CommandReader.Command,
        _ lookUp: ([UInt8]) -> (program: [UInt8], invoked: [UInt8])?
    ) -> CommandReader.Command? {
        guard var rewriting = verdict.rewrite else { return nil }
        var changed = command
        if let program = rewriting.program {
            guard let found = lookUp(program) else {
                refuse(&verdict, "the program that the rule names is not there")
                return nil
            }
            (changed.program, changed.invoked) = found
            rewriting.program = found.invoked
        }
        if let change = verdict.sql {
            // The rule may have moved arguments; the texts are where they were only where it has not.
            guard rewriting.arguments == command.arguments, let arguments = rewritten(rewriting.arguments, reading, change, &texts) else {
                refuse(&verdict, "the SQL is none that the rule can rewrite")
                return nil
            }
            rewriting.arguments = arguments
            let texts = texts
            changed.input = { source in texts[source.place].map { .text($0) } ?? command.input(source) }
        }
        changed.arguments = rewriting.arguments
        changed.meaning = nil
        let set = Dictionary(rewriting.variables.map { (String(decoding: $0.name, as: UTF8.self), $0.value) }, uniquingKeysWith: { $1 })
        changed.variable = { name in set[name].map { String(decoding: $0, as: UTF8.self) } ?? command.variable(name) }
        verdict.rewrite = rewriting
        return changed
    }

    private func rewritten(
        _ arguments: [[UInt8]], _ reading: CommandReader.Reading, _ change: SQLChange, _ texts: inout [StatementSource.Place: [UInt8]]
    ) -> [[UInt8]]? {
        var arguments = arguments
        for (source, text) in reading.sources {
            guard let text, let new = rewriteSQL(text, source.dialect, change) else { return nil }
            if new == text { continue }
            if case .text = source.place {
                guard let at = source.argument, arguments.indices.contains(at), arguments[at].count == source.prefix + text.count else {
                    return nil
                }
                arguments[at] = arguments[at].prefix(source.prefix) + new
            } else {
                texts[source.place] = new
            }
        }
        return arguments
    }

    private func refuse(_ verdict: inout Verdict, _ note: String) {
        verdict.decision = .deny
        verdict.rewrite = nil
        verdict.sql = nil
        verdict.note = note
    }
}
