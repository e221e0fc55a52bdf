internal import Glibc
internal import SandboxDecode
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
        if let shadow { _ = shadow.carries(started: serial, pid: pid, parent: parent) }
        guard let carrying else { return true }
        carrying.state.withLock { state in
            state.living[serial] = pid
            state.parents[serial] = parent
            if state.plain.contains(parent) { state.plain.insert(serial) }
            state.programs[serial] = state.programs[parent]
            if let gain = state.labels.inherit(serial, from: parent) { record(gain, of: serial, state) }
        }
        // Whoever has not seen that we are here has said what there is to say when it is our turn.
        if pid == root { carrying.files.alone {} }
        let caller = Caller(tid: pid, pid: pid, serial: serial)
        var refusal = pid == root ? takeStreams(carrying, caller) : nil
        if refusal == nil, carrying.hasLabels.load(ordering: .acquiring) { refusal = refresh(carrying, caller) }
        guard let refusal else { return true }
        record(refusal, .other, .name, "a process that had just been made", caller)
        return false
    }

    func carries(ended serial: UInt32) {
        shadow?.carries(ended: serial)
        carrying?.state.withLock { state in
            state.pids[serial] = state.living.removeValue(forKey: serial)
            if state.labels.classes(of: serial) != 0, state.labels.hasCounters { forgetCounters(&state) }
            // What carried nothing need not be remembered.
            if state.labels.classes(of: serial) == 0 { state.pids[serial] = nil }
            state.labels.forget(.process(serial))
            state.plain.remove(serial)
            state.servers[serial] = nil
            state.pending = state.pending.filter { $0.value.process != serial }
            if !state.users.isEmpty { state.users = state.users.filter { $0.process != serial } }
            if !state.refused.isEmpty { state.refused = state.refused.filter { $0.caller != serial } }
        }
    }

    private func forgetCounters(_ state: inout Carrying.State) {
        var held = Set(state.passed.map(\.place))
        for call in state.pending.values { held.formUnion(call.ways.map(\.place)) }
        for pid in state.living.values {
            guard let all = try? Holding.all(of: pid, mappings: false, threads: context.haveSeparateDescriptors) else { return }
            for h in all.holdings where h.kind == .counter { held.formUnion(Surroundings.ways(of: h, 0).map(\.place)) }
        }
        state.labels.keepCounters(only: held)
    }

    /// What a program brings with it, and what it finds open.
    func carries(became work: ProgramWork, _ caller: Caller) -> Carrying.Refusal? {
        guard let carrying, work.count > 0 else { return nil }
        var seeds: [Gain] = []
        for file in work.chain[..<work.count] {
            let place = DataPlace(.file, device: file.device, inode: file.inode)
            let bits = policy.classes(ofFile: file.resolved.text.span)
            var gains = kept(carrying, place, born: { FileBirth.of(Array(file.resolved.text), file.device, file.inode) })
            if bits != 0 { gains.append(Gain(.place(place), bits, source: classified(bits))) }
            let all = gains.reduce(0) { $0 | $1.classes } | carrying.state.withLock { $0.labels.classes(of: .place(place)) }
            seeds += gains
            if all != 0 { seeds.append(Gain(.process(caller.serial), all, from: .place(place))) }
        }
        carrying.state.withLock { state in
            // Its other threads are gone, and their calls with them.
            state.pending = state.pending.filter { $0.value.process != caller.serial }
            if state.labels.classes(of: caller.serial) == 0 { state.plain.insert(caller.serial) } else { state.plain.remove(caller.serial) }
            state.programs[caller.serial] = Array(work.chain[0].resolved.text)
            state.labels.release(released(work, caller), for: caller.serial)
            state.labels.takeBack(from: caller.serial)
            state.servers[caller.serial] = nil
            seeds.removeAll { $0.classes & ~state.labels.classes(of: $0.carrier) == 0 }
        }
        if !seeds.isEmpty { return spread(carrying, Spreading(seeds: seeds, caller: caller, patiently: false, isTracer: true)) }
        return carrying.hasLabels.load(ordering: .acquiring) ? refresh(carrying, caller) : nil
    }

    /// What the program reads and does not pass on, where it is what the profile names and nobody in the session has a hand in it:
    /// no script, nothing that the session wrote or may write, and no variable that could lead it to load other code.
    private func released(_ work: ProgramWork, _ caller: Caller) -> UInt64 {
        guard enforces, policy.hasReleases, work.count == 1, !isOwn(work.chain[0]) else { return 0 }
        let path = work.chain[0].resolved.text.span
        let bits = policy.releases(by: path, hash: { ProgramHash.of(caller.pid) })
        guard bits != 0, policy.judge(file: path, access: .write).decision == .deny, let names = ProgramHash.variables(of: caller.pid)
        else {
            return 0
        }
        let harmless = [
            "PATH", "HOME", "PWD", "OLDPWD", "USER", "LOGNAME", "SHELL", "SHLVL", "TERM", "LANG", "LANGUAGE", "TZ", "TMPDIR", "_",
        ]
        let isHarmless = names.allSatisfy { name in name.starts(with: "LC_".utf8) || harmless.contains { name.elementsEqual($0.utf8) } }
        return isHarmless ? bits : 0
    }

    /// What comes with a signal, sigqueue(3), or as a limit of another process is its sender's choice.
    func mayTell(_ pid: Int32, _ call: RawCall, _ caller: Caller) -> Bool {
        if let shadow { _ = shadow.mayTell(pid, call, caller) }
        guard let carrying, carrying.hasLabels.load(ordering: .acquiring) else { return true }
        let target = context.tasks.serial(of: pid)
        let bits = carrying.state.withLock { $0.labels.flowing(caller.serial) & ~$0.labels.classes(of: target) }
        guard bits != 0, target != 0, target != caller.serial else { return true }
        let gain = Gain(.process(target), bits, from: .process(caller.serial))
        guard let refusal = spread(carrying, Spreading(seeds: [gain], caller: caller)) else { return true }
        record(refusal, .other, .name, SystemCall.name(call.number), caller)
        return false
    }

    /// The process's own descriptors once more.
    func refresh(_ carrying: Carrying, _ caller: Caller, isTracer: Bool = true) -> Carrying.Refusal? {
        let isNew: Bool = carrying.state.withLock { state in
            // One that holds what nobody else has changes nothing.
            guard
                let around = try? Surroundings(
                    of: [caller.serial: caller.pid], ancestors: { _ in [] }, mayShare: { _ in false },
                    threads: context.haveSeparateDescriptors, inherited: carrying.inherited)
            else { return true }
            return !state.labels.spread([], over: around.ways).isEmpty
        }
        return isNew ? spread(carrying, Spreading(caller: caller, patiently: false, isTracer: isTracer)) : nil
    }

    /// The streams that the session is started with. Where another session is at their other end, it says what it has.
    private func takeStreams(_ carrying: Carrying, _ caller: Caller) -> Carrying.Refusal? {
        for stream: Int32 in 0...2 {
            let work = FileWork(context)
            do throws(Errno) { try work.prepare(inherited: stream) } catch { continue }
            let isSocket = work.first.kind == .socket
            guard let place = isSocket ? Surroundings.socket(work.first.inode) : place(of: work.first) else { continue }
            if work.first.access.contains(.write) { carrying.state.withLock { _ = $0.written.insert(place) } }
            guard work.first.access.contains(.read) else { continue }
            let seeds = brought(by: work.first, place, carrying)
            let asks = !neighbours.areAbsent && (isSocket || place.kind == .pipe)
            guard asks || !seeds.isEmpty else { continue }
            carrying.state.withLock { $0.name(place, Array(work.first.path.text)) }
            let ways = [Way(process: caller.serial, place: place, reads: true)]
            let spreading = Spreading(seeds: seeds, ways: ways, caller: caller, patiently: false, isTracer: true, asks: asks)
            if let refusal = spread(carrying, spreading) { return refusal }
        }
        return nil
    }
}
