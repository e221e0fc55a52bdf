internal import Glibc
internal import SandboxDecode
internal import SandboxKernel
internal import SandboxLineage
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import Synchronization

/// Files: what is opened.
extension Supervision {
    /// What the call brings with it, before it is carried out; what it must not bring with it refuses it. `before`: what the caller
    /// carried when the rules were asked; `isIdle`: it is refused already.
    func carry(_ work: FileWork, _ call: Call, _ caller: Caller, since before: UInt64, isIdle: Bool) -> Carrying.Refusal? {
        guard let carrying else { return nil }
        if let refusal = newNames(work, call, carrying, caller, isIdle: isIdle) { return refusal }
        switch call {
        case .open where !work.first.access.contains(.pathOnly):
            return open(work.first, carrying, caller, since: before, isIdle: isIdle)
        case .truncate, .setAttribute: return open(work.first, carrying, caller, since: before, isIdle: isIdle)
        case .rename, .link:
            if !isIdle { move(work, carrying, caller) }
            return nil
        default: return nil
        }
    }

    private func open(
        _ subject: FileSubject, _ carrying: Carrying, _ caller: Caller, since before: UInt64, isIdle: Bool
    ) -> Carrying.Refusal? {
        if let refusal = look(into: subject, carrying, caller, isIdle: isIdle) { return refusal }
        guard let place = place(of: subject) else { return nil }
        let reads = subject.access.contains(.read), writes = !subject.access.isDisjoint(with: [.write, .truncate, .metadata])
        let ways = ways(of: subject, place, caller, reads: reads, writes: writes)
        // Before it is looked at what it has: who labels it from now on knows of us.
        if !isIdle {
            let path = writes && policy.judgesCarriedWrites ? Array(subject.path.text) : nil
            carrying.begin(
                caller.tid, Carrying.Pending(process: caller.serial, ways: ways, writes: path, makes: subject.kind == .absent))
            if writes, let refusal = objection(toWriting: subject, caller, since: before) { return refusal }
        }
        guard subject.kind != .absent else { return nil }
        if writes, subject.kind == .regular {
            carrying.state.withLock { state in
                state.written.insert(place)
                if policy.judgesCarriedWrites { state.name(place, Array(subject.path.text)) }
            }
        }
        var seeds = reads || writes ? brought(by: subject, place, carrying) : []
        // Of files there is a list.
        let asks = reads && subject.kind == .fifo && !neighbours.areAbsent
        guard asks || !seeds.isEmpty || carrying.hasLabels.load(ordering: .acquiring) else { return nil }
        let isNew = carrying.state.withLock { state in
            if !seeds.isEmpty || state.labels.classes(of: caller.serial) != 0 { state.name(place, Array(subject.path.text)) }
            // Where the labels say it all already, nobody need be looked at.
            seeds.removeAll { $0.classes & ~state.labels.classes(of: $0.carrier) == 0 }
            return !state.labels.spread(seeds, over: ways).isEmpty
        }
        return isNew || asks ? spread(carrying, Spreading(seeds: seeds, ways: ways, caller: caller, asks: asks, isIdle: isIdle)) : nil
    }

    /// A terminal has two ways; everything else has one.
    private func ways(of subject: FileSubject, _ place: DataPlace, _ caller: Caller, reads: Bool, writes: Bool) -> [Way] {
        guard let terminal = subject.terminal else {
            return [Way(process: caller.serial, place: place, reads: reads, writes: writes && subject.kind != .directory)]
        }
        return [
            Way(process: caller.serial, place: Surroundings.terminal(terminal, input: true), reads: reads),
            Way(process: caller.serial, place: Surroundings.terminal(terminal, input: false), writes: writes),
        ]
    }

    /// What it has as it lies there.
    func classes(of file: FileSubject, _ carrying: Carrying) -> UInt64 {
        guard file.kind == .regular, let place = place(of: file) else { return 0 }
        let brought = brought(by: file, place, carrying).reduce(0) { $0 | $1.classes }
        return carrying.state.withLock { $0.labels.classes(of: .place(place)) } | brought
    }

    /// What the file has by its path, by its content, or from an earlier session.
    func brought(by subject: FileSubject, _ place: DataPlace, _ carrying: Carrying) -> [Gain] {
        var gains: [Gain] = []
        if subject.kind == .directory { return namesIn(subject, place, carrying) }
        guard subject.kind == .regular || subject.kind == .fifo || subject.kind == .device else { return [] }
        if !subject.isAnonymous {
            let bits = policy.classes(ofFile: subject.path.text.span)
            if bits != 0 { gains.append(Gain(.place(place), bits, source: classified(bits))) }
        }
        guard subject.kind == .regular, place.kind == .file else { return gains }
        gains += kept(carrying, place, born: { subject.born })
        if subject.access.contains(.read), policy.looksInto(file: subject.path.text.span) { gains += content(of: subject, place, carrying) }
        return gains
    }

    /// A look at how the file begins, through what is pinned. It is looked at again when it is opened again: somebody may have
    /// written to it. A file that cannot be looked at counts as holding everything that its folder is looked through for.
    func content(of subject: FileSubject, _ place: DataPlace, _ carrying: Carrying) -> [Gain] {
        let path = subject.path.text.span
        guard let found = subject.head(Content.limit).map({ Content.look(at: $0.span) }) else {
            let bits = policy.classes(ofFile: path, holding: .everything)
            return bits == 0 ? [] : [Gain(.place(place), bits, source: "its content could not be looked at")]
        }
        let bits = policy.classes(ofFile: path, holding: found)
        if bits == 0 { return [] }
        let counts = ContentKind.allCases.filter { found[$0] > 0 }.map { "\(found[$0]) \($0.name)" }
        return [Gain(.place(place), bits, source: "by its content: \(counts.joined(separator: ", "))")]
    }

    /// `entry`: whether a label that came of a name in a folder still counts.
    func kept(_ carrying: Carrying, _ place: DataPlace, born: () -> UInt64, entry: ([UInt8]) -> Bool = { _ in true }) -> [Gain] {
        let labels = carrying.files.of(device: place.device, inode: place.inode)
        if labels.isEmpty { return [] }
        let born = born()
        return labels.compactMap { label in
            guard label.born == 0 || born == 0 || label.born == born, entry(label.path),
                let i = policy.dataClasses.firstIndex(of: label.name)
            else { return nil }
            let before =
                label.session == info.id
                ? "" : "\nin \(label.session) at \(Timestamp.text(label.time)): it was `\(Escaped.text(label.path))`"
            return Gain(.place(place), 1 << UInt64(i), source: "labelled before" + before + "\n" + label.why)
        }
    }

    func place(of subject: FileSubject) -> DataPlace? {
        switch subject.kind {
        case .regular: DataPlace(subject.isAnonymous ? .memory : .file, device: subject.device, inode: subject.inode)
        case .directory: DataPlace(.folder, device: subject.device, inode: subject.inode)
        case .fifo: DataPlace(.pipe, device: subject.device, inode: subject.inode)
        case .device where subject.terminal != nil || subject.isRawDevice: DataPlace(.file, device: subject.device, inode: subject.inode)
        // It is made by this call.
        case .absent: DataPlace(.file, device: 0, inode: 0)
        default: nil
        }
    }

    /// Whatever procfs tells of another process may be what that process has put there: its arguments, its name, the names of what
    /// it has open, its limits. And a list of all sockets tells the names that processes have given theirs.
    func look(into subject: FileSubject, _ carrying: Carrying, _ caller: Caller, isIdle: Bool = false) -> Carrying.Refusal? {
        guard let place = ProcPlace(subject.path), carrying.hasLabels.load(ordering: .acquiring) else { return nil }
        let serial = place.pid == caller.pid ? 0 : context.tasks.serial(of: place.pid)
        let gains: [Gain] = carrying.state.withLock { state in
            let sources: [Carrier] = [.process(serial)] + (place.listsSockets ? [.place(Surroundings.socketNames)] : [])
            return sources.compactMap { source in
                let bits = state.labels.classes(of: source)
                return bits & ~state.labels.classes(of: caller.serial) == 0 ? nil : Gain(.process(caller.serial), bits, from: source)
            }
        }
        return gains.isEmpty ? nil : spread(carrying, Spreading(seeds: gains, caller: caller, isIdle: isIdle))
    }

    func classified(_ bits: UInt64) -> String {
        "classified by " + names(of: bits).map { "`data.\($0)`" }.joined(separator: ", ")
    }

    /// Whether a look is enough: the file brings nothing with it.
    func bringsNothing(_ look: OpenLook, _ caller: Caller) -> Bool {
        if let shadow, !shadow.bringsNothing(look, caller) { return false }
        guard let carrying else { return true }
        if carrying.isSpreading.load(ordering: .sequentiallyConsistent) != 0 { return false }
        if policy.classes(ofFile: look.path.span) != 0 || policy.looksInto(file: look.path.span) { return false }
        if !carrying.files.of(device: look.device, inode: look.inode).isEmpty { return false }
        return carrying.state.withLock { state in
            if state.pending.values.contains(where: \.makes) { return false }
            let kinds: [DataPlace.Kind] = [.file, .folder]
            return kinds.allSatisfy { state.labels.classes(of: .place(DataPlace($0, device: look.device, inode: look.inode))) == 0 }
        }
    }
}
