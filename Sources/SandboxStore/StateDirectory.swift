internal import Glibc

/// Where the trail and the journals live: `--state`, else `SANDBOX_STATE`, else `/var/lib/sandbox` for root and
/// `$XDG_STATE_HOME/sandbox` (`~/.local/state/sandbox`) for others. Opened once and held, mode 0700.
package final class StateDirectory: Sendable {
    package let path: String
    package let descriptor: Int32

    /// Opens the directory, and makes it where it is missing.
    ///
    /// Refused: one that belongs to somebody else or that group or others can write; they could plant a
    /// journal in it or take evidence away.
    package convenience init(_ explicit: String? = nil) throws(StoreError) {
        let path = try StateDirectory.locate(explicit)
        try StateDirectory.makeDirectories(path)
        try self.init(opening: path)
    }

    /// The directory where it is there already; nil where it is not: asking makes nothing.
    package static func existing(_ explicit: String? = nil) throws(StoreError) -> StateDirectory? {
        let path = try locate(explicit)
        if access(path, F_OK) != 0, errno == ENOENT { return nil }
        return try StateDirectory(opening: path)
    }

    private init(opening path: String) throws(StoreError) {
        let descriptor = try check("open", path) { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        do throws(StoreError) {
            try StateDirectory.verify(descriptor, path)
            if mkdirat(descriptor, "sessions", 0o700) != 0, errno != EEXIST {
                throw .system(call: "mkdir", object: path + "/sessions", errno: errno)
            }
        } catch {
            close(descriptor)
            throw error
        }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    package var database: String { path + "/trail.db" }
    package var sessions: String { path + "/sessions" }

    /// The path alone; nothing is made or opened.
    package static func locate(_ explicit: String? = nil) throws(StoreError) -> String {
        // Whole, because a supervisor goes on after its working directory.
        if let path = explicit ?? variable("SANDBOX_STATE") { return path.hasPrefix("/") ? path : currentDirectory() + "/" + path }
        if geteuid() == 0 { return "/var/lib/sandbox" }
        // The XDG base directory specification: a relative path is to be ignored.
        if let base = variable("XDG_STATE_HOME"), base.hasPrefix("/") { return base + "/sandbox" }
        if let home = variable("HOME"), home.hasPrefix("/") { return home + "/.local/state/sandbox" }
        throw .refused(
            object: "~/.local/state/sandbox", reason: "cannot be found: HOME is not set",
            help: "name a state directory with --state or SANDBOX_STATE")
    }

    private static func variable(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    private static func currentDirectory() -> String {
        guard let path = getcwd(nil, 0) else { return "." }
        defer { free(path) }
        return String(cString: path)
    }

    private static func makeDirectories(_ path: String) throws(StoreError) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw .system(call: "mkdir", object: path, errno: errno)
        }
        try makeDirectories(String(path[..<slash]))
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw .system(call: "mkdir", object: path, errno: errno) }
    }

    private static func verify(_ descriptor: Int32, _ path: String) throws(StoreError) {
        var info = stat()
        _ = try check("fstat", path) { fstat(descriptor, &info) }
        if info.st_uid != geteuid() {
            throw .refused(
                object: path, reason: "belongs to user \(info.st_uid), not to you",
                help: "name a state directory of your own with --state or SANDBOX_STATE")
        }
        if info.st_mode & 0o022 != 0 {
            throw .refused(
                object: path, reason: "can be written by others",
                help: "`chmod go-w` it, after a look at what is in it, or name another with --state")
        }
    }
}
