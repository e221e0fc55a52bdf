internal import Glibc
internal import SandboxKernel
internal import SandboxLineage
internal import SandboxModel
internal import SandboxPolicy

/// What the graph of downloads is told, and what is asked of it.
extension Supervision {
    /// At the exec event: the process stands still, and what it holds is what its program begins with.
    func downloads(became work: ProgramWork, _ arguments: [[UInt8]]?, _ caller: Caller) {
        guard let downloads else { return }
        var reads: [Downloads.Node] = [], writes: [Downloads.Node] = []
        do throws(Errno) {
            for held in try Holding.all(of: caller.pid, mappings: false, threads: context.haveSeparateDescriptors).holdings {
                switch held.kind {
                case .socket: reads.append(.socket(held.inode))
                case .pipe, .file:
                    let node: Downloads.Node = held.kind == .pipe ? .pipe(held.inode) : .file(device: held.device, inode: held.inode)
                    if held.reads { reads.append(node) }
                    if held.writes { writes.append(node) }
                case .folder, .memory, .counter, .settings, .terminal, .master: break
                }
            }
        } catch {}  // it is ending
        let names = (arguments ?? []).dropFirst()
        reads += named(by: Array(names.prefix(Self.mostNames)), caller)
        if arguments == nil || names.count > Self.mostNames { reads.append(.untold) }
        downloads.became(caller.serial, reads: reads, writes: writes)
    }
    /// The tracer looks at these, two looks each. What is among more of them counts as downloaded.
    private static let mostNames = 4096

    /// The files that arguments may name. Nobody says that they do, and the tracer must not wait for a server that is gone.
    private func named(by arguments: [[UInt8]], _ caller: Caller) -> [Downloads.Node] {
        arguments.isEmpty ? [] : aside.ask { arguments.flatMap { Self.named(by: $0, caller) } } ?? [.untold]
    }

    /// As it stands, and after `=`.
    private static func named(by argument: [UInt8], _ caller: Caller) -> [Downloads.Node] {
        let value = argument.firstIndex(of: UInt8(ascii: "=")).map { argument[($0 + 1)...] }
        return [argument[...], value ?? []].compactMap { name in
            guard !name.isEmpty, name.count < 4096 else { return nil }
            var path = Array("/proc/\(caller.pid)/".utf8)
            if name.starts(with: "/dev/fd/".utf8) {
                path += name.dropFirst(5)
            } else {
                path += Array((name.first == UInt8(ascii: "/") ? "root" : "cwd/").utf8) + name
            }
            var st = stat()
            guard stat(path.map { CChar(bitPattern: $0) } + [0], &st) == 0 else { return nil }
            switch st.st_mode & S_IFMT {
            case S_IFREG: return .file(device: UInt64(st.st_dev), inode: UInt64(st.st_ino))
            case S_IFIFO: return .pipe(UInt64(st.st_ino))
            default: return nil
            }
        }
    }

    /// What is about to be opened.
    func downloads(opening work: FileWork, _ caller: Caller) {
        guard let downloads, work.operation == .open || work.operation == .create else { return }
        let file = work.first, writes = file.access.contains(.write)
        switch file.kind {
        case .regular where writes:
            downloads.opened(.file(device: file.device, inode: file.inode), by: caller.serial, reads: false, writes: true)
        case .fifo: downloads.opened(.pipe(file.inode), by: caller.serial, reads: file.access.contains(.read), writes: writes)
        default: break
        }
    }

    /// The same in observe mode, where the kernel opens by itself.
    func downloads(seeing look: OpenLook, _ caller: Caller) {
        guard let downloads, !enforces, look.access.contains(.write) else { return }
        let file = Downloads.Node.file(device: look.device, inode: look.inode)
        downloads.opened(look.inode != 0 ? file : .path(Array(look.path)), by: caller.serial, reads: false, writes: true)
    }

    /// A file that has just been made.
    func downloads(made descriptor: Int32, _ work: FileWork) {
        var st = stat()
        guard let downloads, fstat(descriptor, &st) == 0, st.st_mode & S_IFMT == S_IFREG else { return }
        let file = Downloads.Node.file(device: UInt64(st.st_dev), inode: UInt64(st.st_ino))
        downloads.opened(
            file, by: work.caller.serial, reads: false, writes: work.first.access.contains(.write), isNew: work.first.kind == .absent)
    }

    /// True where a program that runs what it reads would read it from there. A question to a name server brings no program.
    func downloads(connecting work: SocketWork, _ facts: borrowing Facts, _ caller: Caller) -> Bool {
        guard let downloads, let host = facts.destinations.first, let socket = work.socketInode, case .ip(_, let port) = work.endpoint,
            port != 53
        else { return false }
        return downloads.connects(caller.serial, by: socket, to: host)
    }

    /// Adds `proc.exec_downloaded`, and where it came from.
    func addOrigin(of work: ProgramWork, to facts: inout Facts, _ caller: Caller) {
        guard let downloads else { return }
        var files: [Downloads.Node] = []
        for file in work.chain[..<work.count] {
            files.append(.file(device: file.device, inode: file.inode))
            if !enforces { files.append(.path(Array(file.resolved.text))) }
        }
        let scripts = named(by: facts.scripts + (facts.runsInput ? [Array("/dev/fd/0".utf8)] : []), caller)
        guard let origin = downloads.origin(of: files, scripts: scripts, of: caller.serial) else { return }
        facts.intents.insert(.procExecDownloaded)
        facts.destinations += origin.hosts
        if !origin.isSure { facts.unknown.insert(.host) }
    }
}
