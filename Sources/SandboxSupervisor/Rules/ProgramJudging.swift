internal import Glibc
internal import SandboxIntent
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy

/// One of the programs that a program start is: what was loaded with all arguments, and each script that led to it with its own.
struct ProgramView {
    let program: [UInt8]
    let invoked: [UInt8]
    let isWritten: Bool
    /// Nil: they could not be read.
    var arguments: [[UInt8]]?
    var meaning = CommandMeaning()
    /// How many arguments of the process come before these, in the place of the first.
    var offset: Int
}

extension Supervision {
    /// The program itself first.
    func views(of work: ProgramWork, _ arguments: [[UInt8]]?) -> [ProgramView] {
        var views: [ProgramView] = []
        for (i, file) in work.chain[..<work.count].enumerated() {
            let invoked = Array(file.invoked.text)
            var view = ProgramView(
                program: Array(file.resolved.text), invoked: invoked, isWritten: isOwn(file), arguments: arguments, offset: 0)
            // The kernel puts a script's name behind its interpreter's (execve(2)).
            if i > 0, let list = arguments {
                let place = list.dropFirst().firstIndex(of: invoked)
                view.offset = place ?? 0
                view.arguments = place.map { Array(list[$0...]) }
            }
            view.meaning = commands.reader.meaning(view.program, view.arguments ?? [invoked])
            views.append(view)
        }
        return views
    }

    /// What was found about a program start.
    struct StartFinding {
        var finding: Judged
        /// Which of the programs decided.
        var view: ProgramView?
        /// The one that takes SQL, with what was read of it.
        var client: (reading: CommandReader.Reading, texts: [StatementSource.Place: [UInt8]])?
    }

    /// The strictest of lists and rules about everything that is started.
    func find(
        _ work: ProgramWork, _ views: [ProgramView], _ inputs: Gathering?, _ caller: Caller, isSecondLook: Bool = false
    ) -> StartFinding {
        // What comes with the program counts already.
        var refusal = isSecondLook ? nil : carries(became: work, caller)
        var found = StartFinding(finding: Judged(judge(work)))
        if policy.hasRules {
            for view in views {
                let before = found.finding.decision
                let judged = judge(view, work, inputs, caller, counters: isSecondLook || before == .deny ? nil : counters)
                found.finding.add(judged.verdict, judged.reading.facts)
                found.finding.sources += judged.reading.origins.filter { !found.finding.sources.contains($0) }
                if found.finding.decision > before { found.view = view }
                if refusal == nil { refusal = carries(reading: judged.reading.facts, caller) }
                if found.client == nil, view.takesSQL { found.client = (judged.rewritten ?? judged.reading, judged.texts) }
            }
        }
        if let refusal { found.finding.refuse(refusal) }
        found.finding.carries = carried(by: caller)
        compare(&found.finding) { other, _ in other.find(work, views, inputs, caller, isSecondLook: isSecondLook).finding }
        return found
    }

    private func judge(
        _ view: ProgramView, _ work: ProgramWork, _ inputs: Gathering?, _ caller: Caller, counters: Counters?
    ) -> CommandJudge.Judgement {
        let command = view.command(of: caller, opensAreJudged: enforces && inputs != nil) { source in
            inputs?.input(source) ?? .unknown
        }
        return commands.judge(command, counters: counters) { facts in
            surround(&facts, caller)
            facts.access = .execute
            facts.isWritten = view.isWritten
            if view.arguments == nil { facts.unknown.formUnion([.arguments, .intents]) }
            if work.isInMemory { facts.intents.insert(.procExecMemory) } else if view.isWritten { facts.intents.insert(.procExecWritten) }
            addOrigin(of: work, to: &facts, caller)
        } lookUp: { [self] name in
            guard let path = find(program: name) else { return nil }
            return (ProfileFiles.resolve(path) ?? path, path)
        }
    }

    /// By the name that a rule gives it: where nobody but root writes, before where the session may.
    private func find(program name: [UInt8]) -> [UInt8]? {
        let places = Array("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:".utf8) + searchPath
        do throws(RunFailure) { return try ProgramSearch.find(name, path: places).dropLast().map { UInt8(bitPattern: $0) } } catch {
            return nil
        }
    }

    /// What the process is from now on.
    func remember(_ work: ProgramWork, _ arguments: [[UInt8]]?, _ caller: Caller) {
        guard work.count > 0 else { return }
        let former = book.of(caller.serial), file = work.chain[0]
        // A script is what was asked for.
        let asked = work.count > 1 ? work.chain[1].resolved : file.invoked
        let programs = work.chain[..<work.count].map { Array($0.resolved.text) }
        let lineage = (former?.lineage ?? []) + programs.filter { former?.lineage.contains($0) != true }
        book.became(
            caller.serial,
            ProcessFacts(
                program: Array(file.resolved.text), invoked: Array(asked.text), isWritten: isOwn(file),
                arguments: arguments.map { kept($0[...].prefix(64), of: $0) { $0.arguments(askedFor: $1) } }, parent: former?.parent,
                lineage: kept(lineage.suffix(256), of: lineage) { $0.programs(askedFor: $1) }, subtree: former?.subtree ?? 0))
    }

    /// Of a list that may be as long as the process likes, a part, and of the rest what some rule asks for.
    private func kept(
        _ part: ArraySlice<[UInt8]>, of all: [[UInt8]], _ asked: (Policy, ArraySlice<[UInt8]>) -> [[UInt8]]
    ) -> [[UInt8]] {
        let before = all[..<part.startIndex], after = all[part.endIndex...], policies = [policy, shadow?.policy].compactMap(\.self)
        return policies.flatMap { asked($0, before) } + part + policies.flatMap { asked($0, after) }
    }
}
