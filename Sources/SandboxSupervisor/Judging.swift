internal import CShims
internal import Glibc
internal import SandboxDecode
internal import SandboxKernel
internal import SandboxModel
internal import SandboxPolicy

/// From what a call touches to the policy's ruling. The strictest of several wins.
extension Supervision {
    func judge(_ work: FileWork, _ call: Call, _ caller: Caller) -> Ruling {
        if case .makeNode(_, let mode, let device) = call, isDevice(mode, device) {
            return Ruling(.deny, by: policy.builtin.deviceNode)
        }
        var ruling = judge(work.first, caller)
        if work.hasSecond { ruling = stricter(ruling, judge(work.second, caller)) }
        if ruling.decision == .deny { return ruling }
        if work.movesDirectory {
            // Both ends, whether or not there is anything at the second: what the folder holds arrives there with it.
            ruling = stricter(ruling, policy.judge(renameOfDirectory: work.first.path.text.span))
            ruling = stricter(ruling, policy.judge(renameOfDirectory: work.second.path.text.span))
        }
        if work.hasSecond {
            if let denied = socketMoved(from: work.first, to: work.second, call) { return denied }
            if let denied = socketMoved(from: work.second, to: work.first, call) { return denied }
        }
        for subject in linksMade(by: work, call) {
            if let denied = policy.judge(linkAt: subject.path.text.span) { return denied }
        }
        return ruling
    }

    /// Where the call makes a symbolic link, or moves or links one to.
    private func linksMade(by work: FileWork, _ call: Call) -> [FileSubject] {
        if case .symlink = call { return [work.first] }
        guard work.hasSecond else { return [] }
        return (work.first.kind == .symlink ? [work.second] : []) + (work.second.kind == .symlink ? [work.first] : [])
    }

    /// A unix socket is known by its place. It must not come to where a list lets it be talked to from where none does: by a
    /// further name, by a new one, or with the folder it lies in.
    private func socketMoved(from: FileSubject, to: FileSubject, _ call: Call) -> Ruling? {
        guard from.kind == .socket || from.kind == .directory else { return nil }
        let here = policy.judge(unixConnect: from.path.text.span)
        guard here.decision == .deny else { return nil }
        if from.kind == .directory { return policy.listsSockets && from.mayHoldSocket ? here : nil }
        if case .link = call { return here }
        return policy.judge(unixConnect: to.path.text.span).decision == .deny ? nil : here
    }

    /// Not the whiteouts of overlay file systems (`FileSubject.isNode`).
    private func isDevice(_ mode: UInt32, _ device: UInt64) -> Bool {
        let type = mode & S_IFMT
        return type == S_IFBLK || type == S_IFCHR && device != 0
    }

    private func judge(_ subject: FileSubject, _ caller: Caller) -> Ruling {
        if subject.isAnonymous { return Ruling(.allow, by: policy.builtin.anonymous) }
        if subject.isRawDevice, !subject.access.isDisjoint(with: [.read, .write, .metadata]) {
            return Ruling(.deny, by: policy.builtin.rawDevice)
        }
        if let ruling = judgeProcess(subject, caller) { return ruling }
        if enforces, subject.terminal != nil, !context.terminals.contains(subject), subject.access != .pathOnly {
            return Ruling(.deny, by: policy.builtin.terminal)
        }
        if enforces, subject.isNode, !subject.access.isDisjoint(with: .naming), subject.terminal == nil {
            return Ruling(.deny, by: policy.builtin.deviceNode)
        }
        let ruling = policy.judge(file: subject.path.text.span, access: subject.access, isProgram: subject.isProgram)
        return subject.names > 1 ? judgeOtherNames(subject, ruling) : ruling
    }

    /// What is denied under one of its names is denied under all.
    private func judgeOtherNames(_ subject: FileSubject, _ ruling: Ruling) -> Ruling {
        if ruling.decision == .deny {
            denied.note(device: subject.device, inode: subject.inode, path: subject.path.text.span, isProgram: subject.isProgram)
            return ruling
        }
        if let denial = denied.ruling(device: subject.device, inode: subject.inode, access: subject.access) { return denial }
        // Without that name it could still be talked to by whoever has found it by that one.
        let isTakenAway = subject.kind == .socket && !subject.access.isDisjoint(with: [.delete, .rename])
        return isTakenAway ? denied.ruling(ofSocket: subject.device, subject.inode) ?? ruling : ruling
    }

    /// What a standard stream leads to may be more than the lists grant: who starts the session gives it. What is denied is
    /// denied all the same, and nothing runs.
    func refusal(ofStream number: Int32) -> RunFailure? {
        if sbx_take_no_descriptors(number) != 0 {
            return RunFailure("descriptor \(number) is a socket in which descriptors may be waiting", help: "nothing was run")
        }
        let work = FileWork(context), file = work.first
        do throws(Errno) { try work.prepare(inherited: number) } catch { return nil }
        // The fast lane rests on nobody's having one (`FastLane.swift`).
        if work.reachesMemory { context.flights.close() }
        // Nor is its text anybody's constant: it may be written to, whatever the lists say.
        if file.access.contains(.write) { context.written.insert(device: file.device, inode: file.inode) }
        guard file.names > 0, file.kind == .regular || file.kind == .directory || file.isRawDevice,
            let denial = judgeGift(file)
        else { return nil }
        let rule = policy.rule(denial.rule)
        let path = String(decoding: file.path.bytes, as: UTF8.self)
        return RunFailure("descriptor \(number) leads to `\(path)`, denied by \(rule.name): \(rule.reason)", help: "nothing was run")
    }

    private func judgeGift(_ file: FileSubject) -> Ruling? {
        if file.isRawDevice { return Ruling(.deny, by: policy.builtin.rawDevice) }
        // None of the session's: nothing of it has run yet.
        if let denial = judgeProcess(file, Caller(tid: 0, pid: 0, serial: 0)) { return denial }
        if let denial = policy.denial(of: file.path.text.span, access: file.access, isProgram: file.isProgram) { return denial }
        return file.names > 1 ? denied.ruling(device: file.device, inode: file.inode, access: file.access) : nil
    }

    /// What of procfs is another process's own business, and every change of it: refused for those outside the session, and
    /// another's memory for all. There lies what was loaded of a program that is denied, until it is ended.
    private func judgeProcess(_ subject: FileSubject, _ caller: Caller) -> Ruling? {
        guard let place = ProcPlace(subject.path) else { return nil }
        let isOurs = context.tasks.serial(of: place.pid) != 0
        if place.isMemory, context.tasks.leader(of: place.pid) != caller.pid {
            return Ruling(.deny, by: policy.builtin.otherProcess)
        }
        return isOurs || !place.isPrivate && subject.access.isDisjoint(with: .changing)
            ? nil : Ruling(.deny, by: policy.builtin.otherProcess)
    }

    /// Where a link of a process outside the session leads to is its own business.
    func mayReadLink(_ work: FileWork, _ caller: Caller) -> Bool { judgeProcess(work.first, caller) == nil }

    func judge(_ work: SocketWork) -> Ruling {
        guard work.hasAddress else { return Ruling(.allow, by: policy.builtin.anonymous) }
        switch work.endpoint {
        case .ip(let ip, let port):
            // A datagram socket's first sendto(2) takes a free port by itself.
            if work.operation == .bind, work.transport == .udp, port == 0, !ip.isOfOneDevice {
                return Ruling(.allow, by: policy.builtin.anonymous)
            }
            if work.operation == .bind { return policy.judge(listen: ip, port: port, transport: work.transport) }
            let ruling = policy.judge(connect: ip, port: port, transport: work.transport, names: hosts.names(of: ip))
            return ruling.decision == .allow && enforces && !hosts.areKnown ? policy.nameless ?? ruling : ruling
        case .unixPath:
            if work.operation == .bind { return policy.judge(file: work.path.text.span, access: .create) }
            let ruling = policy.judge(unixConnect: work.path.text.span)
            return ruling.decision == .allow && work.names > 1 ? denied.ruling(ofSocket: work.device, work.inode) ?? ruling : ruling
        case .unixAbstract:
            return work.operation == .bind ? policy.judge(abstractListen: work.path.text.span) : policy.judge(abstract: work.path.text.span)
        // Dissolving a connection, a name the kernel picks, routes asked of the kernel, and what the kernel itself
        // will refuse.
        case .unspecified, .unixUnnamed, .other: return Ruling(.allow, by: policy.builtin.anonymous)
        case .netlink: return Ruling(.allow, by: policy.builtin.kernelSocket)
        }
    }

    /// On which terms a name or an address is taken.
    func setTerms(_ work: SocketWork) {
        switch work.endpoint {
        case .ip(let ip, let port): work.takesOthers = policy.listensToOthers(at: ip, port: port, transport: work.transport)
        case .unixPath: work.keepsName = policy.judge(renameOfDirectory: work.folder.text.span).decision == .allow
        default: break
        }
    }

    /// Whether looking the profile's host names up again might change what is decided.
    func mayResolve(_ work: SocketWork) -> Bool {
        guard enforces, case .ip = work.endpoint, work.operation != .bind, !hosts.isFresh else { return false }
        return policy.rulesMayMatter(for: work.operation) || policy.dependsOnNames(judge(work))
    }

    func judge(_ work: ProgramWork) -> Ruling {
        if work.isInMemory { return Ruling(.deny, by: policy.builtin.memoryProgram) }
        var ruling = Ruling(.allow, by: .none)
        for file in work.chain[..<work.count] {
            let r = policy.judge(
                exec: file.resolved.text.span, invoked: file.invoked.text.span,
                isWritten: isOwn(file), isPlace: { isPlace(file.invoked) })
            ruling = stricter(ruling.rule == .none ? r : stricter(ruling, r), judgeOtherNames(file))
        }
        // Only what is denied counts against a loader: every program has one, and no list of programs names it.
        guard !work.loader.resolved.isEmpty else { return ruling }
        let loader = policy.judge(file: work.loader.resolved.text.span, access: .execute, isProgram: true)
        return stricter(stricter(ruling, loader), judgeOtherNames(work.loader))
    }

    /// No link leads to the folder that the path names, it is none of procfs, which would mean ours, and the session cannot
    /// make a name there.
    private func isPlace(_ path: PathBuffer) -> Bool {
        let folder = Array(path.text[..<(path.text.lastIndex(of: UInt8(ascii: "/")) ?? 0)])
        guard folder.isEmpty || ProfileFiles.resolve(folder) == folder else { return false }
        return policy.judge(file: path.text.span, access: .create).decision == .deny
            || access(folder.map { CChar(bitPattern: $0) } + [0x2f, 0], W_OK) < 0
    }

    /// Memory that a session executes is its own, as a file is that it wrote.
    func isOwn(_ file: ProgramFile) -> Bool {
        file.names == 0 || context.written.contains(device: file.device, inode: file.inode)
    }

    private func judgeOtherNames(_ file: ProgramFile) -> Ruling {
        guard file.names > 1, let denied = denied.ruling(device: file.device, inode: file.inode, access: .execute) else {
            return Ruling(.allow, by: .none)
        }
        return denied
    }

    private func stricter(_ a: Ruling, _ b: Ruling) -> Ruling { b.decision > a.decision ? b : a }

    /// `host:port`, a path, or `@name`, as the trail has it.
    func withEndpointName<R>(_ work: SocketWork, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        switch work.endpoint {
        case .ip(let ip, let port):
            return body(work.name(of: ip, port: port))
        case .unixPath: return body(work.path.bytes)
        case .unixAbstract:
            let text = [UInt8(ascii: "@")] + work.path.text
            return text.withUnsafeBytes(body)
        case .unixUnnamed: return literal("unix:unnamed", body)
        case .unspecified: return literal("unspecified", body)
        case .netlink: return literal("netlink", body)
        case .other(let family): return Array("family:\(family)".utf8).withUnsafeBytes(body)
        }
    }

    private func literal<R>(_ s: StaticString, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        body(UnsafeRawBufferPointer(start: s.utf8Start, count: s.utf8CodeUnitCount))
    }
}

/// A place below `/proc/PID` (proc(5)).
struct ProcPlace {
    let pid: Int32
    let isPrivate: Bool
    let isMemory: Bool
    /// The names of sockets, `/proc/PID/net/unix`.
    let listsSockets: Bool

    /// Nil for everything else.
    init?(_ path: PathBuffer) {
        guard let pid = ProcPath.process(path) else { return nil }
        self.pid = pid
        var own = path.text.split(separator: 0x2f).dropFirst(2).map(Array.init)[...]
        // `/proc/PID/task/TID/x` is the same file as `/proc/PID/x`.
        if own.count >= 2, own.first.map({ $0.elementsEqual("task".utf8) }) == true { own = own.dropFirst(2) }
        let first = own.first ?? []
        isMemory = first.elementsEqual("mem".utf8)
        listsSockets = first.elementsEqual("net".utf8) && own.last.map { $0.elementsEqual("unix".utf8) } == true
        isPrivate = ProcPlace.privateNames.contains { first.elementsEqual($0.utf8) }
    }

    /// What ptrace access would be needed for, and what changes a process.
    private static let privateNames = [
        "environ", "mem", "maps", "smaps", "smaps_rollup", "numa_maps", "auxv", "stack", "syscall", "io", "fd", "fdinfo",
        "map_files", "ns", "cwd", "root", "exe", "pagemap", "clear_refs", "attr", "timers", "coredump_filter", "oom_adj",
        "oom_score_adj", "uid_map", "gid_map", "setgroups", "wchan", "personality", "patch_state", "autogroup", "timerslack_ns",
    ]
}
