internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore

/// What the trail is told of program starts.
extension Tree {
    @discardableResult
    func record(_ finding: Judged, _ caller: Caller, result: Int32, isRunning: Bool, _ subagent: [UInt8]?) -> RecordRef? {
        guard programs.count > 0 else { return nil }
        let program = programs.chain[0]
        var h = supervision.header(.exec, finding.ruling, caller, .program)
        h.access = .execute
        h.device = program.device
        h.inode = program.inode
        h.result = result
        h.flags.remove(.looked)
        if programs.isWritten(orChangedSince: supervision.enforces ? nil : supervision.info.started) { h.flags.insert(.written) }
        if program.names == 0, !programs.isUnreadable { h.flags.insert(.memory) }
        h.subject = supervision.number(of: redacted(finding).judgement)
        supervision.status?.decision(h, program.resolved.bytes, supervision.policy)
        var record: RecordRef?
        if isRunning { withArguments(programs.image.arguments) { recordProgram(caller, program, $0) } }
        subagent?.withUnsafeBytes { recordSubagent(caller.pid, caller.serial, $0) }
        let requested = asked ?? []
        requested.withUnsafeBytes { bytes in
            withArguments(asked == nil ? programs.image.arguments : bytes) {
                record = supervision.append(h, program.resolved.bytes, $0, isCall: false)
            }
        }
        if isRunning, result == 0 || result == RecordHeader.pending { recordStreams(caller) }
        return record
    }

    /// No call, and nothing that was judged: for the lineage alone.
    private func recordStreams(_ caller: Caller) {
        for stream in streams.read(caller) {
            var h = supervision.header(.open, Ruling(.allow, by: .none), caller, .stream)
            h.flags.remove(.looked)
            (h.access, h.device, h.inode, h.result) = (stream.access, stream.device, stream.inode, 0)
            stream.name.withUnsafeBytes { _ = supervision.append(h, $0, isCall: false) }
        }
    }

    private func redacted(_ finding: Judged) -> Judged {
        var finding = finding
        finding.rewritten = finding.rewritten.map(supervision.policy.audit.shown)
        return finding
    }

    private func recordProgram(_ caller: Caller, _ program: ProgramFile, _ arguments: UnsafeRawBufferPointer) {
        var h = RecordHeader(kind: .program, operation: .exec, process: caller.serial, pid: caller.pid, result: 0, time: currentTime())
        h.device = program.device
        h.inode = program.inode
        if programs.image.argumentsAreCut { h.flags.insert(.truncated) }
        _ = supervision.append(h, program.resolved.bytes, arguments, isCall: false)
    }

    /// After the program it is the name of.
    func recordSubagent(_ pid: Int32, _ serial: UInt32, _ name: UnsafeRawBufferPointer) {
        let h = RecordHeader(kind: .subagent, process: serial, pid: pid, result: 0, time: currentTime())
        _ = supervision.append(h, name, isCall: false)
    }

    /// The arguments, each ended by a NUL, without the secrets in them unless the profile wants those kept.
    private func withArguments(_ raw: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        let audit = supervision.policy.audit
        let entropy = audit.entropy ?? false
        if audit.arguments == .full || !entropy && !ArgumentRedaction.mayHoldSecrets(raw.assumingMemoryBound(to: UInt8.self).span) {
            return body(raw)
        }
        var list = raw.split(separator: 0, omittingEmptySubsequences: false).map { Array($0) }
        if raw.last == 0 { list.removeLast() }
        let redacted = Array(ArgumentRedaction.redact(list, byEntropy: entropy).map { $0 + [0] }.joined())
        redacted.withUnsafeBytes(body)
    }
}
