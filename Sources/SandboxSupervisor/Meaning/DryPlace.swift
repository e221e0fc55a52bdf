internal import Glibc
package import SandboxIntent
internal import SandboxModel

/// Where names lead in a dry run: on this machine, or on one that is made up, for tests that come out the same everywhere.
package protocol DryPlace: AnyObject {
    /// Where a program is: resolved, and as it would be asked for. Nil: not there.
    func program(_ name: [UInt8]) -> (program: [UInt8], invoked: [UInt8])?
    /// Absolute and resolved.
    func path(_ text: [UInt8]) -> [UInt8]
    /// The name itself, where it is a link: what is deleted.
    func entry(_ text: [UInt8]) -> [UInt8]
    func isFolder(_ path: [UInt8]) -> Bool
    func exists(_ path: [UInt8]) -> Bool
    func variable(_ name: String) -> String?
    func input(_ place: StatementSource.Place) -> CommandReader.Input
}

/// This machine. What was looked up once is not looked up again: a dry run is over soon.
package final class ThisMachine: DryPlace {
    private let workingDirectory: [UInt8]
    private var programs: [[UInt8]: (program: [UInt8], invoked: [UInt8])?] = [:]
    private lazy var folders: [[UInt8]] = Array((variable("PATH") ?? "/usr/bin:/bin").utf8).split(separator: 0x3a).map { Array($0) }
    private static let maximumText = 64 << 20

    package init() { workingDirectory = ProfileFiles.resolve([UInt8](".".utf8)) ?? [0x2f] }

    package func program(_ name: [UInt8]) -> (program: [UInt8], invoked: [UInt8])? {
        if let known = programs[name] { return known }
        let found = look(for: name)
        programs[name] = .some(found)
        return found
    }

    private func look(for name: [UInt8]) -> (program: [UInt8], invoked: [UInt8])? {
        if name.contains(0x2f) { return executable(absolute(name)) }
        return folders.lazy.compactMap { [self] in executable(absolute($0) + [0x2f] + name) }.first
    }

    private func executable(_ path: [UInt8]) -> (program: [UInt8], invoked: [UInt8])? {
        guard access(path.map { CChar(bitPattern: $0) } + [0], X_OK) == 0, let real = ProfileFiles.resolve(path) else { return nil }
        return (real, path)
    }

    private func absolute(_ path: [UInt8]) -> [UInt8] { path.first == 0x2f ? path : workingDirectory + [0x2f] + path }

    /// No shell has seen it: `~` is the home here.
    package func path(_ text: [UInt8]) -> [UInt8] {
        let path = whole(text)
        return Self.plain(ProfileFiles.resolve(path) ?? path)
    }

    package func entry(_ text: [UInt8]) -> [UInt8] {
        var path = whole(text)[...]
        while path.count > 1, path.last == 0x2f { path.removeLast() }
        guard let slash = path.lastIndex(of: 0x2f) else { return self.path(text) }
        let name = path[(slash + 1)...]
        if name.isEmpty || name.elementsEqual(".".utf8) || name.elementsEqual("..".utf8) { return self.path(text) }
        let folder = Array(path[...slash])
        return Self.plain((ProfileFiles.resolve(folder) ?? folder) + [0x2f] + name)
    }

    private func whole(_ text: [UInt8]) -> [UInt8] {
        for home in ["~", "$HOME", "${HOME}"] where text.starts(with: home.utf8) {
            let rest = text.dropFirst(home.utf8.count)
            if rest.isEmpty || rest.first == 0x2f, let place = variable("HOME") { return Array(place.utf8) + rest }
        }
        return absolute(text)
    }

    /// `.` and `..` below what does not exist, as far as text can tell.
    static func plain(_ path: [UInt8]) -> [UInt8] {
        var names: [ArraySlice<UInt8>] = []
        for name in path.split(separator: 0x2f) {
            if name.elementsEqual("..".utf8) {
                _ = names.popLast()
            } else if !name.elementsEqual(".".utf8) {
                names.append(name)
            }
        }
        return names.isEmpty ? [0x2f] : names.flatMap { [0x2f] + $0 }
    }

    package func exists(_ path: [UInt8]) -> Bool { access(path.map { CChar(bitPattern: $0) } + [0], F_OK) == 0 }

    package func isFolder(_ path: [UInt8]) -> Bool { exists(path + [0x2f]) }

    package func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    package func input(_ place: StatementSource.Place) -> CommandReader.Input {
        switch place {
        case .text(let text): return .text(text)
        // Ours is not the one that the command would have.
        case .standardInput: return .unknown
        case .file(let name): return Self.text(absolute(name)).map { .text($0) } ?? .unknown
        }
    }

    private static func text(_ path: [UInt8]) -> [UInt8]? {
        let file = open(path.map { CChar(bitPattern: $0) } + [0], O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= maximumText else { return nil }
        var bytes: [UInt8] = [], chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0, bytes.count <= maximumText else { return nil }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }
}

/// A machine with nothing on it but what is asked for: programs in `/usr/bin`, and these folders.
package final class NoMachine: DryPlace {
    package static let home = [UInt8]("/home/agent".utf8), workspace = [UInt8]("/home/agent/work".utf8), tmp = [UInt8]("/tmp/session".utf8)

    package init() {}

    package func program(_ name: [UInt8]) -> (program: [UInt8], invoked: [UInt8])? {
        let path = name.contains(0x2f) ? self.path(name) : Array("/usr/bin/".utf8) + name
        return (path, path)
    }

    package func path(_ text: [UInt8]) -> [UInt8] {
        let variables: [(String, [UInt8])] = [
            ("~", Self.home), ("${home}", Self.home), ("${workspace}", Self.workspace),
            ("${repository}", Self.workspace + Array("/.git".utf8)), ("${tmp}", Self.tmp),
        ]
        for (name, path) in variables where text.starts(with: name.utf8) {
            let rest = text.dropFirst(name.utf8.count)
            if rest.isEmpty || rest.first == 0x2f { return ThisMachine.plain(path + rest) }
        }
        return ThisMachine.plain(text.first == 0x2f ? text : Self.workspace + [0x2f] + text)
    }

    package func entry(_ text: [UInt8]) -> [UInt8] { path(text) }
    package func isFolder(_ path: [UInt8]) -> Bool {
        [Self.home, Self.workspace, Self.tmp, Array("/tmp".utf8)].contains(path)
    }
    package func exists(_ path: [UInt8]) -> Bool { true }
    package func variable(_ name: String) -> String? { nil }
    package func input(_ place: StatementSource.Place) -> CommandReader.Input { .unknown }
}
