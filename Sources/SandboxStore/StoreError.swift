internal import CSQLite
internal import Glibc

/// Why the trail could not be written or read. Each names the call and the object.
package enum StoreError: Error, Sendable, Equatable {
    /// A system call failed.
    case system(call: String, object: String, errno: Int32)
    /// SQLite answered with an error; `code` is its extended result code.
    case database(call: String, object: String, code: Int32, message: String)
    /// A state directory that cannot be trusted, and what to do.
    case refused(object: String, reason: String, help: String)
    /// A file is not what it should be.
    case malformed(object: String, reason: String)
    /// More segments wait for the drain than the journal can hold.
    case backlog(object: String)
}

extension StoreError {
    /// Others are writing, and took longer than we waited.
    package var isBusy: Bool {
        if case .database(_, _, let code, _) = self { code & 0xff == SQLITE_BUSY } else { false }
    }
}

extension StoreError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .system(let call, let object, let errno):
            "\(call) `\(object)`: \(String(cString: strerror(errno)))\(StoreError.help(for: errno))"
        case .database(let call, let object, _, let message): "\(StoreError.beginning(of: call)) `\(object)`: \(message)"
        case .refused(let object, let reason, let help): "`\(object)` \(reason); \(help)"
        case .malformed(let object, let reason): "`\(object)` is damaged: \(reason)"
        case .backlog(let object): "journal `\(object)`: the drain into the database is too far behind"
        }
    }

    /// Which statement it was; some go on for pages.
    private static func beginning(of statement: String) -> String {
        let lines = statement.split(separator: "\n").map { $0.drop { $0 == " " } }
        let first = lines.first { !$0.hasPrefix("--") } ?? ""
        return first.count > 60 || lines.count > 1 ? first.prefix(60) + "…" : String(first)
    }

    private static func help(for errno: Int32) -> String {
        switch errno {
        case ENOSPC, EDQUOT: "; free some space or choose another place with --state"
        case EACCES, EPERM, EROFS: "; choose a state directory of your own with --state or SANDBOX_STATE"
        default: ""
        }
    }
}

/// The answer of a system call that gives −1 and sets errno, taken before anything else can overwrite it.
func check(
    _ call: String, _ object: @autoclosure () -> String, _ body: () -> Int32
) throws(StoreError) -> Int32 {
    while true {
        let result = body()
        if result >= 0 { return result }
        let code = errno
        if code != EINTR { throw .system(call: call, object: object(), errno: code) }
    }
}

/// Nanoseconds since 1970 UTC.
package func currentTime() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}
