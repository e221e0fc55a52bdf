internal import Glibc
internal import SandboxDecode
internal import SandboxKernel
internal import SandboxLineage
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import Synchronization

/// What is made, and under which names: a name can be data, too.
extension Supervision {
    // MARK: Names

    /// A process that carries something makes a name in a folder: who lists the folder reads it. Not where the name is a word of what
    /// the program was started with, by somebody who carried nothing.
    func newNames(_ work: FileWork, _ call: Call, _ carrying: Carrying, _ caller: Caller, isIdle: Bool) -> Carrying.Refusal? {
        let subject: FileSubject
        switch call {
        case .rename, .link: subject = work.second
        case .open, .makeDirectory, .makeNode, .symlink: subject = work.first
        default: return nil
        }
        guard subject.kind == .absent, let folder = subject.folder else { return nil }
        return newName(Array(subject.path.text), in: folder, carrying, caller, isIdle: isIdle)
    }

    func newName(
        _ path: [UInt8], in folder: (device: UInt64, inode: UInt64), _ carrying: Carrying, _ caller: Caller, isIdle: Bool
    ) -> Carrying.Refusal? {
        guard carrying.hasLabels.load(ordering: .acquiring) else { return nil }
        let place = DataPlace(.folder, device: folder.device, inode: folder.inode)
        let gain: Gain? = carrying.state.withLock { state in
            let bits = state.labels.flowing(caller.serial)
            if bits == 0 || state.plain.contains(caller.serial) && isWord(lastName(path), of: caller) { return nil }
            state.name(place, path)
            return Gain(.place(place), bits, from: .process(caller.serial))
        }
        guard let gain else { return nil }
        if let refusal = spread(carrying, Spreading(seeds: [gain], caller: caller, isIdle: isIdle)) { return refusal }
        // For each name: the folder is what it was once they are gone.
        if !isIdle { carrying.state.withLock { keep(carrying, gain, of: place, $0) } }
        return nil
    }

    private func lastName(_ path: [UInt8]) -> [UInt8] { Array(path[(path.lastIndex(of: 0x2f).map { $0 + 1 } ?? 0)...]) }

    private func isWord(_ name: [UInt8], of caller: Caller) -> Bool {
        let ends = Array(" \t\n\"'`;&|<>()$={}/".utf8)
        return book.of(caller.serial)?.arguments?.contains { $0.split(whereSeparator: ends.contains).contains { $0.elementsEqual(name) } }
            ?? false
    }

    /// Of the names in a folder, those that count and are still there.
    func namesIn(_ folder: FileSubject, _ place: DataPlace, _ carrying: Carrying) -> [Gain] {
        let found = kept(carrying, place, born: { 0 }) { $0.isEmpty || folder.holds(lastName($0)) }
        if found.isEmpty, !carrying.isCandidate { carrying.state.withLock { $0.labels.forget(.place(place)) } }
        return found
    }

    // MARK: Moving

    /// A file keeps what it had by its place.
    func move(_ work: FileWork, _ carrying: Carrying, _ caller: Caller) {
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
                state.name(place, path)
                for gain in gains {
                    if gain.classes & ~state.labels.classes(of: .place(place)) != 0 { take(carrying, [gain], nil, &state) }
                    // Also where it was known: that was by its path.
                    keep(carrying, gain, of: place, state)
                }
            }
        }
    }

    /// What cannot be followed is not done, as on a file system that does not do it: programs then do without. A folder that would be
    /// moved out of its class, or to where not everything may be written, is copied instead; attributes are read by calls that nobody sees.
    func cannotFollow(_ work: FileWork, _ call: Call, _ caller: Caller) -> Int32? {
        guard let carrying else { return nil }
        if case .setAttribute = call, carrying.state.withLock({ $0.labels.flowing(caller.serial) }) != 0 { return EOPNOTSUPP }
        let leavesClass = [(work.first, work.second), (work.second, work.first)].contains { (folder, other) in
            folder.kind == .directory && policy.classifiesBelow(folder.path.text.span, movedTo: other.path.text.span)
        }
        return work.movesDirectory && (leavesClass || mayTakeOut(work, carrying, caller)) ? EXDEV : nil
    }

    // MARK: What was made

    /// A file that was made is its maker's. False where it is no more to be had: somebody who must not have what its maker writes has
    /// opened it already.
    func made(_ descriptor: Int32, _ work: FileWork) -> Bool {
        _ = shadow?.made(descriptor, work)
        downloads(made: descriptor, work)
        guard let carrying else { return true }
        var st = stat()
        guard fstat(descriptor, &st) == 0, st.st_mode & S_IFMT == S_IFREG else { return true }
        let place = DataPlace(.file, device: UInt64(st.st_dev), inode: UInt64(st.st_ino))
        let caller = work.caller
        let isKnown: Bool? = carrying.state.withLock { state in
            state.written.insert(place)
            if policy.judgesCarriedWrites { state.name(place, Array(work.first.path.text)) }
            // A number that was another file's.
            state.labels.forget(.place(place))
            state.pending[caller.tid]?.ways = [
                Way(process: caller.serial, place: place, reads: work.first.access.contains(.read), writes: true)
            ]
            let bits = state.labels.flowing(caller.serial)
            guard bits != 0, work.first.access.contains(.write) else { return nil }
            state.name(place, Array(work.first.path.text))
            take(carrying, [Gain(.place(place), bits, from: .process(caller.serial))], nil, &state)
            return state.recent.contains(place)
                || state.pending.contains { $0.key != caller.tid && $0.value.ways.contains { $0.place == place } }
        }
        guard let isKnown, isKnown || !context.flights.areAbsent || !neighbours.areAbsent else { return true }
        let gain = Gain(.place(place), carrying.state.withLock { $0.labels.classes(of: .place(place)) }, from: .process(caller.serial))
        guard let refusal = spread(carrying, Spreading(caller: caller, patiently: false, taken: [gain])) else { return true }
        record(refusal, .create, .file, Escaped.text(work.first.path.text), caller)
        return false
    }

    /// A symbolic link's text is its maker's, too. With `naming` held: nobody reads it before it is labelled.
    func madeLink(_ work: FileWork) {
        shadow?.madeLink(work)
        guard let carrying, let link = work.first.made else { return }
        let place = DataPlace(.file, device: link.device, inode: link.inode)
        carrying.state.withLock { state in
            state.labels.forget(.place(place))
            let bits = state.labels.flowing(work.caller.serial)
            guard bits != 0 else { return }
            state.name(place, Array(work.first.path.text))
            take(carrying, [Gain(.place(place), bits, from: .process(work.caller.serial))], nil, &state)
        }
    }

    /// What a link says is read: what its maker had, and what it tells of another process.
    func carry(link work: FileWork, _ caller: Caller) -> Carrying.Refusal? {
        if let shadow { _ = shadow.carry(link: work, caller) }
        guard let carrying else { return nil }
        if let refusal = look(into: work.first, carrying, caller) { return refusal }
        guard work.first.kind == .symlink else { return nil }
        let place = DataPlace(.file, device: work.first.device, inode: work.first.inode)
        let seeds = kept(carrying, place, born: { work.first.born })
        let way = Way(process: caller.serial, place: place, reads: true)
        let isNew = carrying.state.withLock { !$0.labels.spread(seeds, over: [way]).isEmpty }
        return isNew ? spread(carrying, Spreading(seeds: seeds, ways: [way], caller: caller)) : nil
    }
}
