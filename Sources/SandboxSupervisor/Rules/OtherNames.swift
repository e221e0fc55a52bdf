internal import SandboxDecode
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy

/// What rules say about a file hangs on its path; it must not come out of their reach by having another.
extension Supervision {
    /// A file with several names from before the session is judged by those that rules are about, too.
    func decideByOtherNames(of subject: FileSubject, _ finding: inout Judged, _ facts: () -> Facts) {
        guard subject.names > 1, !subject.isAnonymous else { return }
        let names = denied.names(device: subject.device, inode: subject.inode).filter { !$0.elementsEqual(subject.path.text) }
        if !names.isEmpty { decide(byNames: names, facts(), &finding) }
    }

    /// Counted once, by the name that was given.
    func decide(byNames names: [[UInt8]], _ facts: Facts, _ finding: inout Judged) {
        for name in names {
            var other = facts
            other.path = name
            finding.add(policy.decide(other, counters: nil), other)
        }
    }

    /// A move or a link: by its new name a file may be used only as by its old one, and what comes to have a name is like something
    /// written under it.
    func decideUse(_ work: FileWork, _ call: Call, _ caller: Caller, _ finding: inout Judged) {
        var pairs = [(work.first, work.second)]
        if case .rename(_, _, let flags) = call, flags & 2 /* RENAME_EXCHANGE */ != 0 { pairs.append((work.second, work.first)) }
        for (old, new) in pairs {
            let uses: IntentSet = old.kind == .socket ? [.netConnect, .netEgress, .netLocalSocket] : [.fileRead, .fileWrite]
            compareUse(old, uses, by: old, than: new, work, caller, &finding)
            if old.kind != .socket { compareUse(old, [.fileWrite], by: new, than: old, work, caller, &finding) }
        }
    }

    private func compareUse(
        _ file: FileSubject, _ intents: IntentSet, by one: FileSubject, than other: FileSubject, _ work: FileWork, _ caller: Caller,
        _ finding: inout Judged
    ) {
        func verdict(_ subject: FileSubject) -> Verdict {
            var facts = baseFacts(file.kind == .socket ? .connect : .open, intents, caller)
            facts.access = intents.contains(.fileRead) ? [.read, .write] : .write
            facts.path = Array(subject.path.text)
            facts.movesFolder = work.movesDirectory
            return policy.decide(facts, counters: nil)
        }
        var found = verdict(one)
        guard found.decision > verdict(other).decision else { return }
        found.note = found.note ?? "by its other name it could be used as this rule does not let it"
        finding.add(found, Facts(work.operation, intents: []))
    }
}
