internal import Glibc
internal import SandboxDecode
internal import SandboxKernel
internal import SandboxLineage
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import Synchronization

/// Files: what is opened, made, and given another name.
extension Supervision {
    /// What the call brings with it, before it is carried out; what it must not bring with it refuses it.
    func carry(_ work: FileWork, _ call: Call, _ caller: Caller) -> Carrying.Refusal? {
        guard let carrying else { return nil }
        switch call {
        case .open where !work.first.access.contains(.pathOnly): return open(work.first, carrying, caller)
        case .truncate, .setAttribute: return open(work.first, carrying, caller)
        case .rename, .link: return move(work, carrying, caller)
        default: return nil
        }
    }

    private func open(_ subject: FileSubject, _ carrying: Carrying, _ caller: Caller) -> Carrying.Refusal? {
        if let place = ProcPlace(subject.path) { return look(into: place, subject, carrying, caller) }
        guard let place = place(of: subject), subject.kind != .absent else { return nil }
        let reads = subject.access.contains(.read), writes = !subject.access.isDisjoint(with: [.write, .truncate, .metadata])
        if writes, subject.kind == .regular { carrying.state.withLock { _ = $0.written.insert(place) } }
        let given = reads || writes ? brought(by: subject, place, carrying) : []
        guard !given.isEmpty || carrying.hasLabels.load(ordering: .acquiring) else { return nil }
        var seeds = given, ways: [Way] = []
        // A terminal has two ways; everything else has one.
        if let terminal = subject.terminal {
            ways = [
                Way(process: caller.serial, place: Surroundings.terminal(terminal, input: true), reads: reads),
                Way(process: caller.serial, place: Surroundings.terminal(terminal, input: false), writes: writes),
            ]
        } else {
            ways = [Way(process: caller.serial, place: place, reads: reads, writes: writes)]
        }
        let isNew = carrying.state.withLock { state in
            if !given.isEmpty || state.labels.classes(of: caller.serial) != 0 { state.names[place] = Array(subject.path.text) }
            // Where the labels say it all already, nobody need be looked at.
            seeds.removeAll { $0.classes & ~state.labels.classes(of: $0.carrier) == 0 }
            return !state.labels.spread(seeds, over: ways).isEmpty
        }
        return isNew ? spread(carrying, seeds, over: ways, for: caller) : nil
    }

    /// What the file has by its path, by its content, or from an earlier session.
    func brought(by subject: FileSubject, _ place: DataPlace, _ carrying: Carrying) -> [Gain] {
        var gains: [Gain] = []
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
    private func content(of subject: FileSubject, _ place: DataPlace, _ carrying: Carrying) -> [Gain] {
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

    func kept(_ carrying: Carrying, _ place: DataPlace, born: () -> UInt64) -> [Gain] {
        let labels = carrying.files.of(device: place.device, inode: place.inode)
        if labels.isEmpty { return [] }
        let born = born()
        return labels.compactMap { label in
            guard label.born == 0 || born == 0 || label.born == born, let i = policy.dataClasses.firstIndex(of: label.name) else {
                return nil
            }
            let before =
                label.session == info.id
                ? "" : "\nin \(label.session) at \(Timestamp.text(label.time)): it was `\(Escaped.text(label.path))`"
            return Gain(.place(place), 1 << UInt64(i), source: "labelled before" + before + "\n" + label.why)
        }
    }

    func place(of subject: FileSubject) -> DataPlace? {
        switch subject.kind {
        case .regular: DataPlace(subject.isAnonymous ? .memory : .file, device: subject.device, inode: subject.inode)
        case .fifo: DataPlace(.pipe, device: subject.device, inode: subject.inode)
        case .device where subject.terminal != nil || subject.isRawDevice: DataPlace(.file, device: subject.device, inode: subject.inode)
        default: nil
        }
    }

    /// Another process's memory, arguments and environment are what it has.
    private func look(into place: ProcPlace, _ subject: FileSubject, _ carrying: Carrying, _ caller: Caller) -> Carrying.Refusal? {
        guard place.pid != caller.pid, carrying.hasLabels.load(ordering: .acquiring), place.showsContent else { return nil }
        let serial = context.tasks.serial(of: place.pid)
        let gains: [Gain] = carrying.state.withLock { state in
            let bits = state.labels.classes(of: serial)
            return bits & ~state.labels.classes(of: caller.serial) == 0 ? [] : [Gain(.process(caller.serial), bits, from: .process(serial))]
        }
        return gains.isEmpty ? nil : spread(carrying, gains, for: caller)
    }

    // MARK: Names

    /// A file keeps what it had by its place.
    private func move(_ work: FileWork, _ carrying: Carrying, _ caller: Caller) -> Carrying.Refusal? {
        for subject in [work.first, work.second] where subject.kind == .regular {
            guard let place = place(of: subject) else { continue }
            let path = Array(subject.path.text), bits = policy.classes(ofFile: path.span)
            var gains: [Gain] = []
            if bits != 0 {
                gains.append(
                    Gain(.place(place), bits, source: "moved or linked from `\(Escaped.text(path))`, which is \(classified(bits))"))
            }
            if policy.looksInto(file: path.span) { gains += content(of: subject, place, carrying) }
            if gains.isEmpty { continue }
            carrying.state.withLock { state in
                state.names[place] = path
                for gain in gains {
                    if gain.classes & ~state.labels.classes(of: .place(place)) != 0 { take(carrying, [gain], nil, &state) }
                    // Also where it was known: that was by its path.
                    keep(carrying, gain, of: place, state)
                }
            }
        }
        return nil
    }

    func classified(_ bits: UInt64) -> String {
        "classified by " + names(of: bits).map { "`data.\($0)`" }.joined(separator: ", ")
    }

    /// What a folder's move would take out of its class: refused as a move to another file system, so that programs copy.
    func takesOutOfClass(_ work: FileWork) -> Bool {
        guard carrying != nil, work.movesDirectory else { return false }
        return [work.first, work.second].contains { $0.kind == .directory && policy.classifiesBelow($0.path.text.span) }
    }

    /// A file that was made is its maker's. Before anybody is told that it is there.
    func made(_ descriptor: Int32, _ work: FileWork) {
        downloads(made: descriptor, work)
        guard let carrying else { return }
        var st = stat()
        guard fstat(descriptor, &st) == 0, st.st_mode & S_IFMT == S_IFREG else { return }
        let place = DataPlace(.file, device: UInt64(st.st_dev), inode: UInt64(st.st_ino))
        carrying.state.withLock { state in
            state.written.insert(place)
            // A number that was another file's.
            state.labels.forget(.place(place))
            let bits = state.labels.outgoing(work.caller.serial)
            guard bits != 0, work.first.access.contains(.write) else { return }
            state.names[place] = Array(work.first.path.text)
            take(carrying, [Gain(.place(place), bits, from: .process(work.caller.serial))], nil, &state)
        }
    }

    /// Whether a look is enough: the file brings nothing with it.
    func bringsNothing(_ look: OpenLook, _ caller: Caller) -> Bool {
        guard let carrying else { return true }
        if carrying.isSpreading.load(ordering: .sequentiallyConsistent) != 0 { return false }
        if policy.classes(ofFile: look.path.span) != 0 || policy.looksInto(file: look.path.span) { return false }
        if !carrying.files.of(device: look.device, inode: look.inode).isEmpty { return false }
        guard carrying.hasLabels.load(ordering: .acquiring) else { return true }
        let place = DataPlace(.file, device: look.device, inode: look.inode)
        return carrying.state.withLock { $0.labels.classes(of: .place(place)) == 0 }
    }
}
