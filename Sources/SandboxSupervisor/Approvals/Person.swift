internal import Glibc
internal import SandboxModel
internal import Synchronization

/// Whoever answers by the command line.
package enum Approver {
    package static var own: String { Person.name(of: getuid()) }
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

    /// What getpwuid(3) and getgrgid(3) return is overwritten by the next call, whoever's: here alone they are called.
    private static let dataBase = Mutex(())

    /// `user:alice`; one without a name goes by its number.
    static func name(of uid: UInt32) -> String {
        dataBase.withLock { _ in getpwuid(uid).map { "user:" + String(cString: $0.pointee.pw_name) } ?? "user:\(uid)" }
    }

    static func home(of uid: UInt32) -> String? { dataBase.withLock { _ in getpwuid(uid).map { String(cString: $0.pointee.pw_dir) } } }

    /// One without a name goes by its number.
    static func group(_ id: gid_t) -> String { dataBase.withLock { _ in groupName(id) } }

    private static func groupName(_ id: gid_t) -> String { getgrgid(id).map { String(cString: $0.pointee.gr_name) } ?? "\(id)" }

    private init(account uid: UInt32, _ channel: String) {
        guard let account = getpwuid(uid) else {
            self.init(name: "user:\(uid)", channel: channel)
            return
        }
        let name = String(cString: account.pointee.pw_name)
        let own = account.pointee.pw_gid
        var count: Int32 = 64
        var found = [gid_t](repeating: 0, count: Int(count))
        // It says how many there are where there is no room for all, getgrouplist(3).
        while getgrouplist(name, own, &found, &count) < 0, Int(count) > found.count { found = [gid_t](repeating: 0, count: Int(count)) }
        found = Array(found.prefix(Int(count)))
        self.init(name: "user:" + name, titles: found.map { "group:" + Person.groupName($0) }, channel: channel)
    }

    var groups: [String] { titles.filter { $0.hasPrefix("group:") }.map { String($0.dropFirst(6)) } }

    /// One of the patterns of a rule (`user:NAME`, `group:NAME`, `role:NAME`, globs).
    func fits(_ patterns: [String]) -> Bool {
        let globs = patterns.map { ByteGlob($0) }
        return titles.contains { title in globs.contains { $0.matches(Array(title.utf8)) } }
    }
}
