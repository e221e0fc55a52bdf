internal import Glibc
internal import SandboxModel
internal import SandboxStore

/// A script's start is on record as its interpreter's, with the script's name behind it (execve(2)). The interpreter opens it: that
/// is where the script's path is found.
struct LearnedScripts {
    private struct Process: Hashable {
        let session: Int
        let serial: UInt32
    }
    private var expected: [Process: [[UInt8]]] = [:]

    mutating func started(_ row: RecordedAccess, _ program: [UInt8], _ arguments: [[UInt8]]) {
        let process = Process(session: row.session, serial: row.process)
        // The kernel names the interpreter as the script's first line does: by its path. `env` goes on to another.
        guard let first = arguments.first, first.first == 0x2f || expected[process] != nil else { return }
        let names = arguments.dropFirst().prefix(2).filter { !$0.isEmpty && $0.first != UInt8(ascii: "-") }
        expected[process, default: []] += names.map { $0.first == 0x2f ? ProfileFiles.resolve($0) ?? $0 : LearnedScripts.tail($0) }
    }

    /// The path, where this is an interpreter's look at the script that it was started for.
    func script(_ row: RecordedAccess, _ path: [UInt8], _ access: FileAccess) -> [UInt8]? {
        guard access == .read, row.operation == .open, let names = expected[Process(session: row.session, serial: row.process)],
            names.contains(where: { LearnedScripts.names($0, path) })
        else { return nil }
        return LearnedScripts.isScript(path) ? path : nil
    }

    private static func names(_ name: [UInt8], _ path: [UInt8]) -> Bool {
        if name.first == 0x2f { return name == path }
        return path.count > name.count && path.suffix(name.count).elementsEqual(name) && path[path.count - name.count - 1] == 0x2f
    }

    /// Without `./` and `../`: where they lead to is not on record.
    private static func tail(_ name: [UInt8]) -> [UInt8] {
        var rest = name[...]
        while rest.starts(with: "./".utf8) || rest.starts(with: "../".utf8) { rest = rest.dropFirst(rest.starts(with: "./".utf8) ? 2 : 3) }
        return Array(rest)
    }

    /// As it is now; one that is gone is believed to have been one.
    private static func isScript(_ path: [UInt8]) -> Bool {
        let text = path.map { CChar(bitPattern: $0) } + [0]
        if access(text, F_OK) != 0 { return true }
        var status = stat()
        guard stat(text, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o111 != 0 else { return false }
        let file = open(text, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard file >= 0 else { return false }
        defer { close(file) }
        var head: [UInt8] = [0, 0]
        return read(file, &head, 2) == 2 && head == Array("#!".utf8)
    }
}
