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
            views.append(view)
        }
        return views
    }

    /// The strictest of lists and rules about everything that is started.
    func find(_ work: ProgramWork, _ arguments: [[UInt8]]?, _ caller: Caller, isSecondLook: Bool = false) -> (
        finding: Judged, view: ProgramView?
    ) {
        // What comes with the program counts already.
        let refusal = isSecondLook ? nil : carries(became: work, caller)
        var finding = Judged(judge(work))
        var decisive: ProgramView?
        if policy.hasRules {
            for view in views(of: work, arguments) {
                let before = finding.decision
                let (verdict, facts) = judge(view, work, caller, counters: isSecondLook || before == .deny ? nil : counters)
                finding.add(verdict, facts)
                if finding.decision > before { decisive = view }
            }
        }
        if let refusal { finding.refuse(refusal) }
        finding.carries = carried(by: caller)
        compare(&finding) { other, _ in other.find(work, arguments, caller, isSecondLook: isSecondLook).finding }
        return (finding, decisive)
    }

    private func judge(_ view: ProgramView, _ work: ProgramWork, _ caller: Caller, counters: Counters?) -> (Verdict, Facts) {
        let command = CommandReader.Command(
            program: view.program, invoked: view.invoked, arguments: view.arguments ?? [view.invoked],
            variable: { StartedWith.variable($0, caller) }, input: { StartedWith.input($0, caller) })
        let judged = commands.judge(command, counters: counters) { facts in
            surround(&facts, caller)
            facts.access = .execute
            facts.isWritten = view.isWritten
            if view.arguments == nil { facts.unknown.formUnion([.arguments, .intents]) }
            if work.isInMemory { facts.intents.insert(.procExecMemory) } else if view.isWritten { facts.intents.insert(.procExecWritten) }
        } lookUp: { [self] name in
            guard let path = find(program: name) else { return nil }
            return (ProfileFiles.resolve(path) ?? path, path)
        }
        return (judged.verdict, judged.reading.facts)
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
                arguments: arguments.map { Array($0.prefix(64)) }, parent: former?.parent, lineage: Array(lineage.suffix(256))))
    }
}
