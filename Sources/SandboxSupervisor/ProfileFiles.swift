internal import Glibc
internal import SandboxFiles
package import SandboxPolicy

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
        if Self.isPath(name) { return try Self.read(Self.relative(name, to: from)) }
        for folder in folders {
            if let source = try Self.read(folder.path + "/" + name + Self.suffix) { return source }
        }
        return nil
    }

    /// Whether the file came with this program.
    func isShipped(_ file: String) -> Bool {
        folders.contains { $0.origin == "shipped" && $0.path == Self.parent(file) }
    }

    /// Why nothing was found, and what was perhaps meant.
    package func missing(_ name: String) -> ProfileLookupFailure {
        if Self.isPath(name) { return ProfileLookupFailure("there is no profile `\(name)`: no such file") }
        // A file of one's own is not looked for where one stands: what lies in a folder must not become a profile by its name alone.
        let here = name + Self.suffix
        if access(here, F_OK) == 0 {
            return ProfileLookupFailure(
                "there is no profile `\(name)`", help: "the file `\(here)` is taken where its path is given: `./\(here)`")
        }
        return ProfileLookupFailure(missing: name, among: names)
    }

    private static func isPath(_ name: String) -> Bool { name.contains("/") || name.hasSuffix(suffix) || name.hasSuffix(".yml") }

    /// A path in `extends` counts from the file that holds it.
    private static func relative(_ path: String, to file: String?) -> String {
        guard !path.hasPrefix("/"), let file, let slash = file.lastIndex(of: "/") else { return path }
        // Without `./`, so that who extends itself is met again by the same name.
        var rest = path[...]
        while rest.hasPrefix("./") { rest = rest.dropFirst(2) }
        return String(file[...slash] + rest)
    }

    // MARK: Reading

    /// The profile in a file, or `nil` where there is none.
    package static func read(_ path: String) throws(ProfileLookupFailure) -> ProfileSource? {
        do throws(TrustedFileFailure) {
            return try TrustedFile.read(path).map { ProfileSource(bytes: $0, file: path) }
        } catch {
            throw ProfileLookupFailure(error.message, help: error.help, isRefusal: error.isRefusal)
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

    static func parent(_ path: String) -> String {
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
        // Nothing can exist by a longer name.
        let longest = path.prefix(Int(PATH_MAX))
        var existing = longest.count == path.count ? longest : longest[..<(longest.lastIndex(of: UInt8(ascii: "/")) ?? 0)]
        while !existing.isEmpty {
            let text = existing.map { CChar(bitPattern: $0) } + [0]
            if let real = realpath(text, nil) {
                defer { free(real) }
                let bytes = (0..<strlen(real)).map { UInt8(bitPattern: real[$0]) }
                let rest = path[existing.endIndex...]
                return bytes == [UInt8(ascii: "/")] && !rest.isEmpty ? Array(rest) : bytes + rest
            }
            existing = existing[..<(existing.lastIndex(of: UInt8(ascii: "/")) ?? existing.startIndex)]
        }
        return path
    }
}
