internal import Glibc
internal import SandboxIntent
internal import SandboxKernel
internal import SandboxLineage
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import Synchronization

/// SQL that a running client is about to read.
extension Supervision {
    var judgesStatements: Bool { policy.judgesStatements || shadow?.policy.judgesStatements == true }

    /// No look settles an open: rules judge it, or a client may open a script.
    func pinsReads(of caller: Caller) -> Bool { enforces && (rulesJudgeReads || clients.of(caller) != nil) }

    /// The script that a client opens.
    func script(_ work: FileWork, _ finding: Judged, _ caller: Caller) -> (Client, Client.Expected)? {
        guard enforces, finding.decision < .ask, work.onlyReads, let client = clients.of(caller), let script = client.expected(work)
        else { return nil }
        return (client, script)
    }

    /// Adds what the rules say. Gives what they make of the text, where they rewrite it.
    func judge(_ summary: ScriptSummary, _ text: [UInt8]?, _ client: Client, in name: String, into finding: inout Judged) -> [UInt8]? {
        finding.sources = [name]
        let facts = facts(summary, client)
        let verdict = policy.decide(facts, counters: finding.decision == .deny ? nil : counters)
        finding.add(verdict, facts)
        guard finding.decision == .rewrite, let change = verdict.sql else { return nil }
        guard let text, let new = commands.rewriteSQL(text, client.dialect, change) else {
            finding.refuse("the SQL is none that the rule can rewrite")
            return nil
        }
        let second = policy.decide(
            self.facts(.of(new, client.dialect, client: SQLClient(client.dialect)), client), counters: nil)
        let isDone = second.decision == .rewrite && second.sql.map { commands.rewriteSQL(new, client.dialect, $0) == new } == true
        if second.decision == .allow || isDone { return new }
        finding.refuse("what it was rewritten to is judged \(second.decision.name) by `\(policy.rule(second.rules[0]).name)`")
        return nil
    }

    private func facts(_ summary: ScriptSummary, _ client: Client) -> Facts {
        var facts = client.facts
        commands.reader.take(summary, into: &facts)
        surround(&facts, client.caller)
        return facts
    }

    /// The client may open these next.
    func expect(_ summary: ScriptSummary, in place: StatementSource.Place, _ client: Client) {
        let command = CommandReader.Command(
            program: client.program, invoked: client.program, arguments: client.arguments,
            variable: { StartedWith.variable($0, client.caller) }, input: { _ in .unknown })
        let source = StatementSource(place, client.dialect)
        for include in summary.includes {
            if let name = commands.reader.path(of: include, in: source, command, SQLClient(client.dialect)) {
                client.expects(name)
            } else {
                client.expectsAnything()
            }
        }
        if summary.includesUnnamed { client.expectsAnything() }
    }

    /// What the client gets in the place of its standard input. Whatever it opens later is judged by what is known of it now.
    func prepare(_ found: inout StartFinding, _ inputs: Gathering, _ caller: Caller) -> Int32? {
        guard found.finding.decision != .deny, let (reading, texts) = found.client, let dialect = reading.meaning.statements.first?.dialect
        else { return nil }
        let client = Client(caller, reading, dialect)
        for script in reading.scripts { client.expects(script, inputs.intake(.file(script)), as: texts[.file(script)]) }
        for name in ["/.psqlrc", "/.sqliterc"] { client.expects(inputs.accountHome + Array(name.utf8)) }
        clients.add(client)
        guard let intake = inputs.intake(.standardInput) else { return nil }
        do throws(Errno) {
            let text = texts[.standardInput]
            if !intake.isWhole {
                let (reader, feed) = try self.feed(client, intake, name: "standard input", first: text)
                client.isFed(by: feed)
                return reader
            }
            let descriptor = try descriptor(intake, holding: text, for: caller)
            if text == nil { client.reads(intake, descriptor) } else { intake.source.settle(intake.size) }
            return descriptor
        } catch {
            found.finding.refuse("its input could not be handed over: \(errorText(error.code))")
            return nil
        }
    }

    /// What the client has of ours has what the client has: others may come to read it.
    private func carries(into descriptor: Int32, _ caller: Caller) {
        var st = stat()
        guard let carrying, fstat(descriptor, &st) == 0 else { return }
        let isPipe = st.st_mode & S_IFMT == S_IFIFO
        let place = DataPlace(isPipe ? .pipe : .memory, device: UInt64(st.st_dev), inode: UInt64(st.st_ino))
        carrying.state.withLock { _ = $0.users.insert(Way(process: caller.serial, place: place, writes: true)) }
    }

    /// What comes through our pipe comes from where the client would have read it itself.
    private func carries(from source: InputSource, _ caller: Caller) {
        let origin =
            source.isSocket
            ? Surroundings.socket(source.inode) : DataPlace(source.isFile ? .file : .pipe, device: source.device, inode: source.inode)
        carrying?.state.withLock { _ = $0.users.insert(Way(process: caller.serial, place: origin, reads: true)) }
    }

    /// All of it, to be handed to the client.
    func descriptor(_ intake: Intake, holding text: [UInt8]?, for caller: Caller) throws(Errno) -> Int32 {
        let descriptor = try intake.descriptor(holding: text)
        carries(into: descriptor, caller)
        return descriptor
    }

    /// A client's own input, where it cannot be had as a whole: what has been judged goes first. The descriptor is the client's.
    func feed(_ client: Client, _ intake: Intake, name: String, first: [UInt8]?) throws(Errno) -> (reader: Int32, feed: Feed) {
        let pipe = try InputPipe()
        carries(from: intake.source, client.caller)
        carries(into: pipe.reader, client.caller)
        let feed: Feed
        do throws(Errno) { feed = try Feed(self, client, intake, pipe, name: name) } catch {
            close(pipe.reader)
            throw error
        }
        guard feed.begin(first) else {
            close(pipe.reader)
            throw Errno(EAGAIN)
        }
        return (pipe.reader, feed)
    }
}
