import Foundation
import Testing

/// All end-to-end suites, one test after the other: they watch processes, time and each other's absence.
@Suite(.serialized) struct EndToEnd {}

/// Who runs a command: the account of the tests, or, where that is root, an ordinary one.
enum Account: String, CaseIterable, CustomTestStringConvertible, Sendable {
    case own, ordinary
    static let uid: UInt32 = 65534
    static var all: [Account] { getuid() == 0 ? [.own, .ordinary] : [.own] }
    var testDescription: String { self == .own ? (getuid() == 0 ? "root" : "own account") : "uid \(Account.uid)" }
    var prefix: [String] {
        self == .own ? [] : ["setpriv", "--reuid", "\(Account.uid)", "--regid", "\(Account.uid)", "--clear-groups"]
    }
}

/// Where the built programs are: beside the test bundle. `SANDBOX_BIN` names a directory to use instead.
enum Built {
    static let directory: String = {
        if let named = ProcessInfo.processInfo.environment["SANDBOX_BIN"] { return named }
        let places = [Bundle.main.executablePath] + CommandLine.arguments.map(Optional.some)
        for place in places.compactMap(\.self) {
            var url = URL(fileURLWithPath: place)
            while url.path != "/" {
                url.deleteLastPathComponent()
                if exists(url.path + "/guest") { return url.path }
            }
        }
        return URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../../.build/debug"
    }()
    static var sandbox: String { directory + "/sandbox" }
    static var guest: String { ProcessInfo.processInfo.environment["GUEST_BIN"] ?? directory + "/guest" }
    static var tools: String { URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Tools" }
    static func exists(_ path: String) -> Bool { access(path, X_OK) == 0 }
    static func installed(_ programs: String...) -> Bool {
        programs.allSatisfy { program in searchPath.split(separator: ":").contains { exists("\($0)/\(program)") } }
    }
    static let searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
}

/// A home, a workspace and a state directory of its own, gone at the end.
final class World {
    let root: String
    let account: Account
    var home: String { root + "/home" }
    var work: String { root + "/work" }
    var state: String { root + "/state" }
    /// What attacks are after: SECRET below `vault/inner`, FORBIDDEN a program.
    var secret: String { root + "/vault/inner/secret" }
    var forbidden: String { root + "/vault/forbidden" }
    var guest: String { root + "/bin/guest" }
    /// As good as /dev/null, and one's own.
    var node: String { root + "/vault/node" }
    /// Whether a socket can be told to take no descriptors (SO_PASSRIGHTS, Linux 6.16).
    static let refusesDescriptors: Bool = {
        let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(fd) }
        var off: Int32 = 0
        return setsockopt(fd, SOL_SOCKET, 83, &off, 4) == 0
    }()
    /// Only root makes devices, and not everywhere do they lead anywhere.
    static let hasNodes: Bool = {
        guard getuid() == 0, let world = try? World() else { return false }
        return open(world.node, O_WRONLY | O_CLOEXEC) >= 0
    }()
    static let secretText = "SECRET text\n"

    init(_ account: Account = .own) throws {
        var name = Array("/tmp/sandbox-e2e.XXXXXX".utf8CString)
        guard mkdtemp(&name) != nil else { throw Trouble("mkdtemp: \(errno)") }
        root = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        self.account = account
        chmod(root, 0o755)
        for folder in ["home", "work", "state", "vault", "vault/inner", "vault/sockets", "bin"] { mkdir("\(root)/\(folder)", 0o755) }
        try FileManager.default.copyItem(atPath: Built.guest, toPath: guest)
        try FileManager.default.copyItem(atPath: Built.guest, toPath: forbidden)
        try World.secretText.write(toFile: secret, atomically: false, encoding: .utf8)
        mknod(node, S_IFCHR | 0o666, 0x103)
        chmod(node, 0o666)
        if account == .ordinary {
            for folder in [
                "home", "work", "state", "vault", "vault/inner", "vault/sockets", "vault/inner/secret", "vault/forbidden", "vault/node", "",
            ] {
                chown("\(root)/\(folder)", Account.uid, Account.uid)
            }
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    /// The process that was started only waits; its child, in a group of its own, is the supervisor.
    static func supervisor(of front: pid_t) -> pid_t? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.first { pid in
            guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8), let end = text.lastIndex(of: ")") else {
                return false
            }
            return text[text.index(after: end)...].split(separator: " ").dropFirst().first.flatMap { pid_t($0) } == front
        }
    }

    var environment: [String: String] {
        [
            "PATH": Built.searchPath, "HOME": home, "LANG": "C.UTF-8", "TERM": "xterm", "USER": "tester", "SANDBOX_STATE": state,
            "SHELL": "/bin/bash", "TMPDIR": "/tmp", "XDG_CONFIG_HOME": home + "/.config",
        ]
    }

    func start(_ command: [String], environment more: [String: String] = [:]) throws -> Running {
        try Running(account.prefix + command, environment: environment.merging(more) { $1 }, directory: work)
    }

    /// The same command without a sandbox: the control of every comparison.
    func native(_ command: [String], input: String = "", within seconds: Double = 60) throws -> Outcome {
        try complete(start(command), input, seconds)
    }

    func sandboxed(
        _ command: [String], profile: String = "observe", options: [String] = [], input: String = "",
        within seconds: Double = 120
    ) throws -> Outcome {
        try complete(start(sandboxCommand(command, profile: profile, options: options)), input, seconds)
    }

    func sandboxCommand(_ command: [String], profile: String = "observe", options: [String] = []) -> [String] {
        [Built.sandbox, "run", "--quiet", "--profile", profile, "--workspace", work] + options + ["--"] + command
    }

    private func complete(_ running: Running, _ input: String, _ seconds: Double) -> Outcome {
        running.write(input)
        running.closeInput()
        return running.finish(within: seconds)
    }

    /// Writes a profile of this name and answers its path. Not in the workspace: nobody but us may write it.
    func profile(_ name: String, _ body: String) throws -> String {
        let path = "\(home)/\(name).yaml"
        try "version: 1\nname: \(name)\n\(body)\n".write(toFile: path, atomically: false, encoding: .utf8)
        chmod(path, 0o644)
        if account == .ordinary { chown(path, Account.uid, Account.uid) }
        return path
    }

    /// Allows everything, and follows data.
    func carrying() throws -> String {
        try profile(
            "carrying",
            """
            mode: enforce
            files: { default: allow }
            exec: { default: allow }
            network: { default: allow }
            data: { pii: { files: ["\(root)/data/pii/**"] } }
            rules: [{ name: pii-stays-home, intent: net.egress, when: { carries: pii }, decide: deny }]
            """)
    }

    /// Enforces, and allows everything: all calls go the long way.
    func permissive() throws -> String {
        try profile(
            "permissive",
            """
            mode: enforce
            files: { default: allow }
            exec: { default: allow }
            network: { default: allow }
            """)
    }

    /// Allows what these rules, a line each, do not forbid.
    func rules(_ rules: String, mode: String = "enforce") throws -> String {
        try profile(
            "rules",
            """
            mode: \(mode)
            files: { default: allow }
            exec: { default: allow }
            network: { default: allow }
            rules:
            \(rules.split(separator: "\n").map { "  - " + $0 }.joined(separator: "\n"))
            """)
    }

    /// Events of the trail, by the command line that users have.
    func events(_ filters: String...) throws -> [Event] {
        let outcome = try native([Built.sandbox, "audit", "events", "--json"] + filters, within: 120)
        guard outcome.code == 0 else { throw Trouble("audit events: exit \(outcome.code): \(outcome.err)") }
        return outcome.out.split(separator: "\n").compactMap { Event(String($0)) }
    }
}

/// The fields of an event that the tests look at.
struct Event {
    let operation, decision, resource, program: String
    let approval: String?
    let rules, intents: [String]
    let count: Int
    let pid: Int

    init?(_ line: String) {
        guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else { return nil }
        operation = object["operation"] as? String ?? ""
        decision = object["decision"] as? String ?? ""
        resource = (object["resource"] as? [String: Any])?["name"] as? String ?? ""
        let process = object["process"] as? [String: Any]
        program = process?["program"] as? String ?? ""
        pid = process?["pid"] as? Int ?? 0
        approval = object["approval"] as? String
        rules = object["rules"] as? [String] ?? []
        intents = object["intents"] as? [String] ?? []
        count = object["count"] as? Int ?? 1
    }
}

/// Processes that carry this word in their arguments; the way tests find what may have been left behind.
func processes(carrying marker: String) -> [pid_t] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return entries.compactMap { pid_t($0) }.filter { pid in
        guard pid != getpid(), let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") else { return false }
        guard String(decoding: line, as: UTF8.self).contains(marker) else { return false }
        let status = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
        return !status.isEmpty && !status.contains(") Z ")
    }
}

/// Looks again and again until it is so, or the deadline has passed.
func eventually(within seconds: Double = 10, _ condition: () -> Bool) -> Bool {
    let end = Deadline(seconds)
    while !condition() {
        if end.passed { return false }
        usleep(2000)
    }
    return true
}

/// The first line in which two texts differ: a page of equal lines helps nobody.
/// Lines of `one` that begin with one of `except` may differ; there must be as many.
func firstDifference(_ one: String, _ other: String, except: [String] = []) -> String? {
    if one == other { return nil }
    let left = one.components(separatedBy: "\n"), right = other.components(separatedBy: "\n")
    for index in 0..<max(left.count, right.count) {
        let a = index < left.count ? left[index] : "(nothing)", b = index < right.count ? right[index] : "(nothing)"
        if a != b, !except.contains(where: { a.hasPrefix($0) }) { return "line \(index + 1): `\(a)` became `\(b)`" }
    }
    return except.isEmpty ? "they differ" : nil
}
