internal import Glibc
internal import SandboxKernel
internal import SandboxLineage
internal import SandboxModel
internal import SandboxPolicy
internal import SandboxStore
internal import Synchronization

/// Processes: what they are started with. All of it on the tracer's thread, while the process stands still.
extension Supervision {
    /// False where it must not live.
    func carries(started serial: UInt32, pid: Int32, parent: UInt32) -> Bool {
        guard let carrying else { return true }
        carrying.state.withLock { state in
            state.living[serial] = pid
            state.parents[serial] = parent
            state.programs[serial] = state.programs[parent]
            if let gain = state.labels.inherit(serial, from: parent) { record(gain, of: serial, state) }
        }
        if pid == root { takeStreams(carrying, serial) }
        return carrying.hasLabels.load(ordering: .acquiring) ? refresh(carrying, Caller(tid: pid, pid: pid, serial: serial)) == nil : true
    }

    func carries(ended serial: UInt32) {
        carrying?.state.withLock { state in
            state.pids[serial] = state.living.removeValue(forKey: serial)
            // What carried nothing need not be remembered.
            if state.labels.classes(of: serial) == 0 { state.pids[serial] = nil }
            state.labels.forget(.process(serial))
        }
    }

    /// What a program brings with it, and what it finds open.
    func carries(became work: ProgramWork, _ caller: Caller) -> Carrying.Refusal? {
        guard let carrying, work.count > 0 else { return nil }
        var seeds: [Gain] = []
        for file in work.chain[..<work.count] {
            let place = DataPlace(.file, device: file.device, inode: file.inode)
            let bits = policy.classes(ofFile: file.resolved.text.span)
            var gains = kept(carrying, place, born: { FileBirth.of(Array(file.resolved.text), file.device, file.inode) })
            if bits != 0 { gains.append(Gain(.place(place), bits, source: "classified by `data.\(names(of: bits).joined(separator: "`, `data."))`")) }
            let all = gains.reduce(0) { $0 | $1.classes } | carrying.state.withLock { $0.labels.classes(of: .place(place)) }
            seeds += gains
            if all != 0 { seeds.append(Gain(.process(caller.serial), all, from: .place(place))) }
        }
        carrying.state.withLock { state in
            state.programs[caller.serial] = Array(work.chain[0].resolved.text)
            state.labels.release(0, for: caller.serial)
            seeds.removeAll { $0.classes & ~state.labels.classes(of: $0.carrier) == 0 }
        }
        if !seeds.isEmpty { return spread(carrying, seeds, for: caller, patiently: false, isTracer: true) }
        return carrying.hasLabels.load(ordering: .acquiring) ? refresh(carrying, caller) : nil
    }

    /// The process's own descriptors once more.
    func refresh(_ carrying: Carrying, _ caller: Caller, isTracer: Bool = true) -> Carrying.Refusal? {
        let isNew: Bool = carrying.state.withLock { state in
            // One that holds what nobody else has changes nothing.
            guard
                let around = try? Surroundings(
                    of: [caller.serial: caller.pid], ancestors: { _ in [] }, threads: context.haveSeparateDescriptors,
                    inherited: carrying.inherited, passed: [])
            else { return true }
            return !state.labels.spread([], over: around.ways).isEmpty
        }
        return isNew ? spread(carrying, [], for: caller, patiently: false, isTracer: isTracer) : nil
    }

    /// The streams that the session is started with.
    private func takeStreams(_ carrying: Carrying, _ serial: UInt32) {
        for stream: Int32 in 0...2 {
            let work = FileWork(context)
            do throws(Errno) { try work.prepare(inherited: stream) } catch { continue }
            guard let place = place(of: work.first), work.first.access.contains(.read) else { continue }
            let seeds = classes(of: work.first, place, carrying)
            guard !seeds.isEmpty else { continue }
            carrying.state.withLock { state in
                state.names[place] = Array(work.first.path.text)
                let way = Way(process: serial, place: place, reads: true)
                take(carrying, state.labels.spread(seeds, over: [way]), nil, &state)
            }
        }
    }
}
