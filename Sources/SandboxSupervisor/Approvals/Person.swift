internal import Glibc
internal import SandboxModel
internal import Synchronization

/// Whoever answers by the command line.
package enum Approver {
    package static var own: String { Person(uid: getuid(), channel: "control").name }
}

/// Somebody who may answer a question.
struct Person: Sendable, Hashable {
    /// `user:alice`.
    let name: String
    /// `user:alice`, `group:ops`, `role:dba`: whatever a rule may name them by.
    let titles: [String]
    /// How the answer came: `control`, `terminal`, `webhook`.
    let channel: String

    init(name: String, titles: [String] = [], channel: String) {
        self.name = name
        self.titles = [name] + titles
        self.channel = channel
    }

    /// As the kernel knows the other end of a socket (SO_PEERCRED, unix(7)), and the account data base its groups.
    init(uid: UInt32, channel: String) { self = Person.dataBase.withLock { _ in Person(account: uid, channel) } }

    /// What getpwuid(3) and getgrgid(3) return is overwritten by the next call, whoever's.
    private static let dataBase = Mutex(())

    private init(account uid: UInt32, _ channel: String) {
        guard let account = getpwuid(uid) else {
            self.init(name: "user:\(uid)", channel: channel)
            return
        }
        let name = account.pointee.pw_name!
        var count: Int32 = 256
        var groups = [gid_t](repeating: 0, count: Int(count))
        let found = getgrouplist(name, account.pointee.pw_gid, &groups, &count) >= 0 ? groups.prefix(Int(count)) : []
        let names = found.compactMap { getgrgid($0).map { "group:" + String(cString: $0.pointee.gr_name) } }
        self.init(name: "user:" + String(cString: name), titles: names, channel: channel)
    }

    /// One of the patterns of a rule (`user:NAME`, `group:NAME`, `role:NAME`, globs).
    func fits(_ patterns: [String]) -> Bool {
        let globs = patterns.map { ByteGlob($0) }
        return titles.contains { title in globs.contains { $0.matches(Array(title.utf8)) } }
    }
}
