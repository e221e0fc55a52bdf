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

    /// Counted once, by the name that was given. What is refused needs no more reasons.
    func decide(byNames names: [[UInt8]], _ facts: Facts, _ finding: inout Judged) {
        for name in names where finding.decision != .deny {
            var other = facts
            other.path = name
            finding.add(policy.decide(other, counters: nil), other)
        }
    }

    /// A move or a link: by its new name a file may be used only as by its old one, and what comes to have a name is like something
    /// written under it; so is what a symbolic link brings. A name that goes must not be the one that a rule is about, where the file keeps others.
    func decideUse(_ work: FileWork, _ call: Call, _ caller: Caller, _ finding: inout Judged) {
        var pairs: [(old: FileSubject, new: FileSubject)] = [], lost: [FileSubject] = [], laid: [FileSubject] = []
        switch call {
        case .remove: lost = [work.first]
        case .symlink: laid = [work.first]
        case .link: pairs = [(work.first, work.second)]
        case .rename(_, _, let flags):
            pairs = [(work.first, work.second)]
            if flags & 2 /* RENAME_EXCHANGE */ != 0 { pairs.append((work.second, work.first)) } else { lost = [work.second] }
        default: return
        }
        // Its content may have to be looked at.
        func carried(by file: FileSubject) -> UInt64 { carrying.map { classes(of: file, $0) } ?? 0 }
        func verdict(_ name: FileSubject, _ intents: IntentSet, carrying classes: UInt64) -> Verdict {
            var facts = baseFacts(intents.contains(.netConnect) ? .connect : .open, intents, caller)
            facts.carries |= classes
            facts.access = intents.contains(.fileRead) ? [.read, .write] : .write
            facts.path = Array(name.path.text)
            // A link may lead to a folder.
            facts.movesFolder = work.redirectsNames
            return policy.decide(facts, counters: nil)
        }
        func refuse(_ verdict: Verdict, unless other: Decision) {
            guard verdict.decision > other else { return }
            var verdict = verdict
            verdict.note = verdict.note ?? "by another name it could be used as this rule does not let it"
            finding.add(verdict, Facts(work.operation, intents: []))
        }
        for (old, new) in pairs {
            let classes = carried(by: old)
            for use in uses(of: old) { refuse(verdict(old, use, carrying: classes), unless: verdict(new, use, carrying: classes).decision) }
            if old.kind == .socket { continue }
            refuse(verdict(new, [.fileWrite], carrying: classes), unless: verdict(old, [.fileWrite], carrying: classes).decision)
        }
        // Whatever lies where it leads to comes to be found there.
        for link in laid { refuse(verdict(link, [.fileWrite], carrying: 0), unless: .allow) }
        for name in lost where name.kind != .absent && name.names > 1 {
            let classes = carried(by: name)
            for use in uses(of: name) { refuse(verdict(name, use, carrying: classes), unless: .allow) }
        }
    }

    /// What is moved away from where a rule is about deleting it, to where the rule is not, is as good as deleted: there nobody would
    /// ask about it any more. A folder counts as much as there is in it.
    func decideLeaving(_ work: FileWork, _ call: Call, _ caller: Caller, _ finding: inout Judged) {
        guard case .rename(_, _, let flags) = call, policy.ruleIntents.contains(.fileDelete) else { return }
        func deletion(_ name: FileSubject) -> Facts {
            var facts = baseFacts(.delete, [.fileDelete], caller)
            facts.access = .delete
            facts.path = Array(name.path.text)
            facts.movesFolder = work.movesDirectory
            return facts
        }
        let isExchange = flags & 2 /* RENAME_EXCHANGE */ != 0
        for (old, new) in isExchange ? [(work.first, work.second), (work.second, work.first)] : [(work.first, work.second)] {
            let facts = deletion(old)
            let folder = Array(old.path.text)
            let verdict = policy.decide(
                facts, counters: finding.decision == .deny ? nil : counters, unless: deletion(new),
                below: { FolderNames.forEachPath(below: folder, $0) })
            if verdict.decision != .allow { finding.add(verdict, facts) }
        }
    }

    /// In a folder there may be anything.
    private func uses(of file: FileSubject) -> [IntentSet] {
        let files: IntentSet = [.fileRead, .fileWrite], sockets: IntentSet = [.netConnect, .netEgress, .netLocalSocket]
        return file.kind == .directory ? [files, sockets] : [file.kind == .socket ? sockets : files]
    }
}
