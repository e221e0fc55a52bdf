internal import CShims
internal import Glibc
internal import SandboxPolicy
internal import SandboxStore

/// A control group of the session's own (cgroups(7), version 2), where this account may make one. As far as controllers are
/// delegated with it, the kernel holds the limits itself; in any case it kills the whole session at once. What is looked at
/// from time to time (`MemoryWatch`, `Tree`) stays.
struct ControlGroup: Sendable {
    let path: String
    /// Of the folder, for clone3(2).
    let descriptor: Int32
    /// Which limits the kernel holds.
    let controllers: [String]
    /// `pids.max` counts threads as well, and a process may have some.
    static let tasksPerProcess: UInt64 = 16

    /// Nil where there is nothing to hold or no place for it. The best of what there is.
    init?(session: String, _ limits: Limits) {
        guard limits.memory != nil || limits.processes != nil else { return nil }
        var best: (path: String, controllers: [String])?
        for folder in ControlGroup.places() where best?.controllers.isEmpty ?? true {
            let path = "\(folder)/sandbox-\(session)"
            guard mkdir(path, 0o755) == 0 else { continue }
            let held = ControlGroup.hold(limits, path)
            if best == nil || !held.isEmpty {
                best.map { _ = rmdir($0.path) }
                best = (path, held)
            } else {
                rmdir(path)
            }
        }
        guard let best else { return nil }
        (path, controllers) = best
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }

    private static func hold(_ limits: Limits, _ path: String) -> [String] {
        var held: [String] = []
        if let n = limits.memory, write("\(n)", to: path + "/memory.max") { held.append("memory") }
        if let n = limits.processes, write("\(n.multipliedReportingOverflow(by: tasksPerProcess).partialValue)", to: path + "/pids.max") {
            held.append("processes")
        }
        return held
    }

    /// The group that we are in, and the one above: processes may not lie where controllers are handed on (cgroups(7), "no
    /// internal processes"), so that what is delegated is usually the latter.
    static func places() -> [String] {
        let lines = ControlSocket.bytes(file: "/proc/self/cgroup", limit: 4096).split(separator: UInt8(ascii: "\n"))
        guard let own = lines.first(where: { $0.starts(with: "0::/".utf8) })?.dropFirst(3),
            let folder = MountTable.atStart.folder(ofControlGroup: Array(own)), let above = folder.lastIndex(of: UInt8(ascii: "/"))
        else { return [] }
        let places = [folder[...]] + (own.count > 1 ? [folder[..<above]] : [])
        return places.map { String(decoding: $0, as: UTF8.self) }.filter { access($0, W_OK) == 0 }
    }

    var description: String {
        "control group \(path): "
            + (controllers.isEmpty ? "no controllers are delegated here" : "the kernel limits " + controllers.joined(separator: ", "))
    }

    // MARK: The end

    func kill() { _ = ControlGroup.write("1", to: path + "/cgroup.kill") }

    /// So many the kernel has killed because memory was used up.
    var killedForMemory: Int {
        let lines = ControlSocket.bytes(file: path + "/memory.events", limit: 512).split(separator: UInt8(ascii: "\n"))
        let line = lines.first { $0.starts(with: "oom_kill ".utf8) }
        return line.flatMap { Int(String(decoding: $0.dropFirst(9), as: UTF8.self)) } ?? 0
    }

    /// Once nobody is in it. The kernel may take a moment to let go of the last.
    func remove() {
        close(descriptor)
        for _ in 0..<100 where rmdir(path) != 0 && errno == EBUSY { usleep(1000) }
    }

    /// What a supervisor that was killed could not remove.
    static func sweep(_ session: String) {
        for folder in places() { rmdir("\(folder)/sandbox-\(session)") }
    }

    private static func write(_ text: String, to file: String) -> Bool {
        let fd = open(file, O_WRONLY | O_CLOEXEC)
        guard fd >= 0 else { return false }
        defer { close(fd) }
        let bytes = Array(text.utf8)
        return Glibc.write(fd, bytes, bytes.count) == bytes.count
    }
}
