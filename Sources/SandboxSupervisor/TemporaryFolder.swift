internal import CShims
internal import Glibc
internal import SandboxKernel

/// A folder that lives as long as its session.
struct TemporaryFolder: Sendable {
    let path: String
    static var parent: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }

    /// Made with mode 0700 in `TMPDIR`; a name that is taken already is an error, never used.
    init(session: String, owner: Account?) throws(RunFailure) {
        path = "\(TemporaryFolder.parent)/sandbox-\(session)"
        guard mkdir(path, 0o700) == 0 else {
            throw RunFailure("mkdir `\(path)`: \(errorText(errno))", help: "set TMPDIR to a folder you can write to")
        }
        if let owner, chown(path, owner.user, owner.group) != 0 {
            throw RunFailure("chown `\(path)`: \(errorText(errno))")
        }
    }

    /// Removes it with all it holds, once every process of the session is dead.
    func remove() { sbx_remove_tree(path) }

    /// What a supervisor that was killed could not remove.
    static func sweep(_ session: String) { sbx_remove_tree("\(parent)/sandbox-\(session)") }
}
