internal import Glibc
internal import SandboxDecode
internal import SandboxIntent
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore

/// A client opens a script: it gets a copy, and what is in the copy is what was judged.
extension Notifier {
    func open(
        _ script: Client.Expected, of client: Client, _ call: Call, _ finding: Judged, _ notice: consuming Notice, _ caller: Caller
    ) {
        let hands = Notifier(supervision, listener, receivers)
        hands.files = files
        files = FileWork(supervision.context)
        let box = Box(notice)
        // Handed to the one thread that goes on with them.
        nonisolated(unsafe) let mine = hands
        let error = WorkerThread.start("sbx-input", stack: Feed.stack) {
            mine.hand(over: script, of: client, call, finding, box.take(), caller)
            mine.files.reset()
        }
        if error != 0 { box.take().answer(-EAGAIN) }
    }

    private func hand(
        over script: Client.Expected, of client: Client, _ call: Call, _ finding: Judged, _ notice: consuming Notice, _ caller: Caller
    ) {
        var finding = finding
        let ticket = notice.ticket
        do throws(Errno) {
            guard let source = try files.source() else { return carryOut(finding, notice, caller) }
            if let known = script.intake, known.isWhole, let version = known.version, source.version == version {
                finding.sources = [Escaped.text(script.name)]
                files.substitute = try supervision.descriptor(known, holding: script.text, for: caller)
                return carryOut(finding, notice, caller)
            }
            let intake = try Intake(source, SQLClient(client.dialect), supervision.waits)
            try intake.run { !ticket.isStillValid() }
            let name = Escaped.text(script.name)
            let new = supervision.judge(intake.summary, intake.text, client, in: name, into: &finding)
            let ruling = finding.ruling
            supervision.compare(&finding) { other, _ in
                var found = Judged(ruling)
                _ = other.judge(intake.summary, intake.text, client, in: name, into: &found)
                return found
            }
            if finding.decision == .ask {
                guard intake.isWhole else {
                    finding.refuse("it has not come to its end, so that nobody could be asked about it")
                    return carryOut(finding, notice, caller)
                }
                files.substitute = try supervision.descriptor(intake, holding: new, for: caller)
                supervision.expect(intake.summary, in: .file(script.name), client)
                return hold(call, finding, Shown(query: client, finding, supervision, text: name), notice, caller)
            }
            if finding.decision != .deny {
                supervision.expect(intake.summary, in: .file(script.name), client)
                files.substitute =
                    intake.isWhole
                    ? try supervision.descriptor(intake, holding: new, for: caller)
                    : try supervision.feed(client, intake, name: name, first: new).reader
            }
            carryOut(finding, notice, caller)
        } catch {
            finding.refuse("the script could not be read: \(errorText(error.code))")
            carryOut(finding, notice, caller)
        }
    }

    private func carryOut(_ finding: Judged, _ notice: consuming Notice, _ caller: Caller) {
        let record = supervision.record(files, finding, caller)
        if finding.decision == .deny {
            let rule = supervision.policy.rule(finding.ruling.rule)
            let text = "sandbox: denied by \(rule.name): \(rule.reason) (\(finding.remark ?? ""))\n"
            TraceeOutput.write(Array(text.utf8), toStandardErrorOf: caller)
            return notice.answer(-EACCES)
        }
        finish(files, files.perform(), record, notice)
    }
}
