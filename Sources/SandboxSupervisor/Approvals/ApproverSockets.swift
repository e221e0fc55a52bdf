internal import Glibc
internal import SandboxStore

/// Where accounts other than the one that runs a session reach its questions. Only root can make a folder that nobody else could have
/// made before him, so only sessions of root's have such a socket; no session may reach the folder.
enum ApproverSockets {
    static let folder = "/run/sandbox"

    /// Nil where there can be none.
    static func path(session: String) -> String? {
        guard geteuid() == 0 else { return nil }
        // Whatever the umask.
        if mkdir(folder, 0o755) == 0 { chmod(folder, 0o755) }
        var status = stat()
        guard lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == 0, status.st_mode & 0o022 == 0 else {
            return nil
        }
        return folder + "/" + session
    }

    /// Root has the state directory, where all of its own are.
    static var all: [String] {
        guard geteuid() != 0 else { return [] }
        do throws(StoreError) {
            return try SessionDirectory.names(in: folder).filter { !$0.hasPrefix(".") }.sorted().map { folder + "/" + $0 }
        } catch { return [] }
    }

    /// What a killed supervisor left.
    static func sweep(_ session: String) {
        if geteuid() == 0 { unlink(folder + "/" + session) }
    }
}
