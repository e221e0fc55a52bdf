internal import Glibc
package import SandboxPolicy
internal import SandboxStore

/// Finds profiles where users, administrators and the installation keep them, and refuses those that somebody else
/// could have written.
package struct ProfileFiles: ProfileLookup, Sendable {
    /// One folder of profiles.
    package struct Folder: Sendable, Hashable {
        package let path: String
        /// `user`, `system` or `shipped`.
        package let origin: String
    }
    /// In the order of the search: the first that has a name wins.
    package let folders: [Folder]

    private static let suffix = ".yaml"
    private static let maximumBytes = 1 << 20

    package init() { self.init(folders: Self.folders("profiles", shipped: "")) }

    package init(folders: [Folder]) { self.folders = folders }

    /// The folders of that name; the shipped one lies at `shipped` below `Policies/`.
    static func folders(_ name: String, shipped below: String) -> [Folder] {
        var folders: [Folder] = []
        if let own = variable("XDG_CONFIG_HOME") ?? variable("HOME").map({ $0 + "/.config" }) {
            folders.append(Folder(path: own + "/sandbox/" + name, origin: "user"))
        }
        folders.append(Folder(path: "/etc/sandbox/" + name, origin: "system"))
        if let shipped = shipped() { folders.append(Folder(path: shipped + below, origin: "shipped")) }
        return folders
    }

    // MARK: Names

    package var names: [String] { Set(list().map(\.name)).sorted() }

    /// Every profile that a name leads to, by name.
    package func list() -> [(name: String, path: String, origin: String)] {
        var found: [String: (String, String)] = [:]
        for folder in folders {
            for file in Self.files(in: folder) {
                let name = String(file.dropLast(Self.suffix.count))
                if found[name] == nil { found[name] = (folder.path + "/" + file, folder.origin) }
            }
        }
        return found.keys.sorted().map { ($0, found[$0]?.0 ?? "", found[$0]?.1 ?? "") }
    }

    package func find(_ name: String, from: String?) throws(ProfileLookupFailure) -> ProfileSource? {
        if name.contains("/") || name.hasSuffix(Self.suffix) || name.hasSuffix(".yml") {
            return try Self.read(Self.relative(name, to: from))
        }
        for folder in folders {
            if let source = try Self.read(folder.path + "/" + name + Self.suffix) { return source }
        }
        return nil
    }

    /// A path in `extends` counts from the file that holds it.
    private static func relative(_ path: String, to file: String?) -> String {
        guard !path.hasPrefix("/"), let file, let slash = file.lastIndex(of: "/") else { return path }
        return file[...slash] + path
    }

    // MARK: Reading

    /// The bytes of a profile file, or `nil` where there is none. Checked is the file that was opened, not what
    /// the path may lead to a moment later.
    package static func read(_ path: String) throws(ProfileLookupFailure) -> ProfileSource? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw failure("cannot open", path, errno)
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure("cannot look at", path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw ProfileLookupFailure("`\(path)` is not a file") }
        try checkOwner(status, path)
        try checkFolder(of: file, path)
        return ProfileSource(bytes: try contents(file, path), file: path)
    }

    private static func failure(_ what: String, _ path: String, _ error: Int32) -> ProfileLookupFailure {
        ProfileLookupFailure("\(what) `\(path)`: \(String(cString: strerror(error)).lowercased())")
    }

    /// Who could change the program itself need not be kept from its profiles. In a user namespace root's installation belongs
    /// to nobody that has a number there (user_namespaces(7), overflowuid).
    private static let programOwner: uid_t? = {
        var status = stat()
        return stat("/proc/self/exe", &status) == 0 ? status.st_uid : nil
    }()

    private static func checkOwner(_ status: stat, _ path: String) throws(ProfileLookupFailure) {
        guard status.st_uid == geteuid() || status.st_uid == 0 || status.st_uid == programOwner else {
            throw ProfileLookupFailure(
                "`\(path)` belongs to user \(status.st_uid), who could change it at any time",
                help: "profiles belong to you, to root, or to whom this program belongs", isRefusal: true)
        }
        // In a sticky folder such as /tmp, others can neither rename nor replace what is not theirs.
        let isStickyFolder = status.st_mode & S_IFMT == S_IFDIR && status.st_mode & S_ISVTX != 0
        guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 || isStickyFolder else {
            throw ProfileLookupFailure(
                "`\(path)` can be written by others than its owner", help: "chmod go-w \(path)",
                isRefusal: true)
        }
    }

    /// The folder in which the opened file really lies: whoever may write there could put another in its place.
    private static func checkFolder(of file: Int32, _ path: String) throws(ProfileLookupFailure) {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/fd/\(file)", &buffer, buffer.count - 1)
        guard count > 0 else { throw failure("cannot resolve", path, errno) }
        let real = buffer.prefix(count).map { UInt8(bitPattern: $0) }
        guard let slash = real.lastIndex(of: UInt8(ascii: "/")) else { throw ProfileLookupFailure("cannot resolve `\(path)`") }
        let folder = String(decoding: slash == 0 ? real[...0] : real[..<slash], as: UTF8.self)
        let descriptor = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
        guard descriptor >= 0 else { throw failure("cannot open", folder, errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("cannot look at", folder, errno) }
        try checkOwner(status, folder)
    }

    /// Of a file of the kernel's own; nil where it cannot be read.
    static func contents(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        do throws(ProfileLookupFailure) { return try contents(file, path) } catch { return nil }
    }

    private static func contents(_ file: Int32, _ path: String) throws(ProfileLookupFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("cannot read", path, errno) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            if bytes.count > maximumBytes { throw ProfileLookupFailure("`\(path)` is larger than 1 MiB") }
        }
    }

    // MARK: Places

    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.hasPrefix("/") ? text : nil
    }

    /// The shipped `Policies/`: installed beside the program, named by the environment, or in the tree it was built in.
    private static func shipped() -> String? {
        let program = realPath("/proc/self/exe") ?? ""
        var folder = parent(program)
        let installed = parent(folder) + "/share/sandbox/policies"
        if holdsProfiles(installed) { return installed }
        if let named = variable("SANDBOX_POLICIES") { return named }
        while !folder.isEmpty {
            if holdsProfiles(folder + "/Policies") { return folder + "/Policies" }
            folder = parent(folder)
        }
        return nil
    }

    private static func holdsProfiles(_ folder: String) -> Bool { access(folder + "/baseline.yaml", F_OK) == 0 }

    private static func parent(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }

    /// The names of the YAML files in a folder, sorted.
    static func files(in folder: Folder) -> [String] { entries(folder.path).filter { $0.hasSuffix(suffix) && !$0.hasPrefix(".") } }

    private static func entries(_ folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) { names.append(DirectoryEntry.name(entry)) }
        return names.sorted()
    }

    private static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    /// Resolves the links of a path as far as it exists.
    package static func resolve(_ path: [UInt8]) -> [UInt8]? {
        var existing = path[...]
        while !existing.isEmpty {
            let text = existing.map { CChar(bitPattern: $0) } + [0]
            if let real = realpath(text, nil) {
                defer { free(real) }
                let bytes = (0..<strlen(real)).map { UInt8(bitPattern: real[$0]) }
                let rest = path[existing.endIndex...]
                return bytes == [UInt8(ascii: "/")] ? Array(rest) : bytes + rest
            }
            existing = existing[..<(existing.lastIndex(of: UInt8(ascii: "/")) ?? existing.startIndex)]
        }
        return path
    }
}
