import Foundation
import SandboxModel
import Testing
@testable import SandboxPolicy

/// The files in `Policies/`.
enum Shipped {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Policies")
    static let names = ["baseline", "ci", "coding-agent", "data-analyst", "database-admin", "deploy", "observe", "readonly", "workplace"]

    static func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: folder.appending(path: name + ".yaml")))
    }

    static func lookup() throws -> FakeLookup {
        FakeLookup(files: try Dictionary(uniqueKeysWithValues: names.map { ($0, String(decoding: try bytes($0), as: UTF8.self)) }))
    }

    static func profile(_ name: String) throws -> ResolvedProfile {
        try ProfileLoader.load(ProfileSource(bytes: bytes(name), file: name + ".yaml"), lookup: lookup())
    }

    static func policy(_ name: String) throws -> Policy {
        try Policy.compile(profile: profile(name), variables: variables())
    }
}

@Suite struct ShippedProfiles {
    @Test func allAreKnownHere() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Shipped.folder.path).filter { $0.hasSuffix(".yaml") }
        #expect(files.sorted() == Shipped.names.map { $0 + ".yaml" })
    }

    /// What readers copy is valid.
    @Test(arguments: [("README.md", 1), ("docs/PROFILES.md", 1)])
    func profilesInDocumentsAreValid(_ file: String, _ count: Int) throws {
        let text = try String(contentsOf: Shipped.folder.deletingLastPathComponent().appending(path: file), encoding: .utf8)
        let blocks = text.components(separatedBy: "```yaml\n").dropFirst().compactMap { $0.components(separatedBy: "```").first }
        let profiles = blocks.filter { $0.hasPrefix("version: 1\nname: ") }
        #expect(profiles.count == count)
        for text in profiles {
            let profile = try ProfileLoader.load(ProfileSource(bytes: Array(text.utf8), file: file), lookup: Shipped.lookup())
            #expect(profile.warnings.isEmpty, "\(profile.warnings)")
        }
    }

    /// A session leaves the tests of these unread.
    @Test(arguments: Shipped.names)
    func aSessionNeedsNoTests(_ name: String) throws {
        let source = ProfileSource(bytes: try Shipped.bytes(name), file: name + ".yaml"), lookup = try Shipped.lookup()
        func body(isShipped: Bool) throws -> ProfileBody {
            try ProfileLoader.load(source, lookup: lookup) { ParsedProfile($0, forSession: true, isShipped: isShipped) }.body
        }
        #expect(try body(isShipped: true) == body(isShipped: false))
    }

    @Test func whatFollowsTheTestsIsRead() throws {
        let text = "version: 1\nname: x\ntests:\n  - { read: /a, expect: deny }\n# More.\nfiles: { deny: [/a] }\n"
        let source = ProfileSource(bytes: Array(text.utf8), file: "x.yaml")
        let profile = try ProfileLoader.load(source, lookup: FakeLookup(files: [:])) {
            ParsedProfile($0, forSession: true, isShipped: true)
        }
        #expect(profile.body.files.deny.count == 1)
    }

    @Test(arguments: Shipped.names)
    func valid(_ name: String) throws {
        let profile = try Shipped.profile(name)
        #expect(profile.name == name)
        #expect(!profile.description.isEmpty)
        #expect(profile.warnings.isEmpty)
        for entry in profile.body.files.deny where entry.origin.profile == name { #expect(entry.reason != nil, "\(entry.text)") }
        for entry in profile.body.exec.deny { #expect(entry.reason != nil, "\(entry.text)") }
        for entry in profile.body.network.deny { #expect(entry.reason != nil, "\(entry.text)") }
        for rule in profile.body.rules { #expect(rule.reason != nil, "\(rule.name)") }
        #expect(!profile.tests.isEmpty)
    }

    /// What `show --resolved` prints is a profile again, with the same rules.
    @Test(arguments: Shipped.names)
    func resolvedReadsBack(_ name: String) throws {
        let profile = try Shipped.profile(name)
        let text = ProfileWriter.yaml(profile)
        let again = try load(text)
        #expect(ProfileWriter.yaml(profile) == text)
        #expect(again.body.files.deny.map(\.value) == profile.body.files.deny.map(\.value))
        #expect(again.body.files.write.map(\.value) == profile.body.files.write.map(\.value))
        #expect(again.body.files.read.map(\.value) == profile.body.files.read.map(\.value))
        #expect(again.body.network.allow.map(\.value) == profile.body.network.allow.map(\.value))
        #expect(again.body.exec.deny.map(\.reason) == profile.body.exec.deny.map(\.reason))
        #expect(again.body.limits == profile.body.limits && again.body.audit == profile.body.audit)
        #expect(again.body.mode == profile.body.mode ?? .enforce)
        #expect(again.body.rules.map(\.intents) == profile.body.rules.map(\.intents))
        #expect(again.body.rules.map { $0.conditions.map(\.test) } == profile.body.rules.map { $0.conditions.map(\.test) })
        #expect(again.body.rules.map(\.decision) == profile.body.rules.map(\.decision))
    }

    @Test func modes() throws {
        #expect(try Shipped.policy("observe").mode == .observe)
        #expect(try Shipped.policy("coding-agent").mode == .enforce)
    }

    @Test(arguments: [
        "/usr/lib/x86_64-linux-gnu/libc.so.6", "/etc/ld.so.cache", "/etc/ssl/certs/ca-certificates.crt", "/proc/12/status",
        "/proc/cpuinfo", "/sys/devices/system/cpu/online", "/dev/null", "/dev/urandom", "/home/u/.bashrc", "/home/u/.gitconfig",
        "/home/u/.pyenv/versions/3.12/bin/python3", "/home/u/.nvm/versions/node/v22/bin/node", "/home/u/.vimrc",
        "/usr/share/terminfo/x/xterm", "/run/systemd/resolve/stub-resolv.conf", "/", "/home/u/w", "/home/u/w/.git/config",
        "/home/u/.config/git/config", "/home/u/.claude/settings.json", "/etc/passwd", "/usr/bin/git", "/opt/x/y",
        "/proc/12/environ", "/var/cache/man/cat1/ls.1.gz",
    ])
    func codingAgentReads(_ path: String) throws {
        #expect(try Shipped.policy("coding-agent").file(path).hasPrefix("allow"))
    }

    @Test(arguments: [
        "/home/u/w/src/a.c", "/home/u/w", "/home/u/w/.git/config", "/home/u/w/.git/hooks/pre-commit.sample", "/home/u/w/.git/hooks",
        "/home/u/w/.git/index.lock", "/tmp/x", "/tmp/s1/y", "/var/tmp/z", "/home/u/.cache/pip/x", "/home/u/.npm/_cacache/x",
        "/home/u/.cargo/registry/cache/x", "/dev/null", "/dev/tty", "/dev/pts/3", "/dev/shm/sem.x", "/proc/5/task/6/comm",
        "/home/u/w/.env.example", "/home/u/.viminfo.tmp", "/home/u/.claude.json", "/home/u/.claude/projects/a/b.jsonl",
    ])
    func codingAgentWrites(_ path: String) throws {
        #expect(try Shipped.policy("coding-agent").file(path, [.read, .write, .create]).hasPrefix("allow"))
    }

    @Test(arguments: [
        "/home/u/.ssh/id_ed25519", "/home/u/.aws/credentials", "/home/u/.netrc", "/etc/shadow", "/etc/shadow-", "/etc/gshadow",
        "/etc/sudoers",
        "/etc/sudoers.d/x", "/home/u/w/.env", "/home/u/w/a/.env.local", "/proc/1/mem", "/proc/1/task/1/mem", "/dev/sda",
        "/dev/mem", "/dev/nvme0n1", "/home/u/.config/gcloud/x", "/home/u/.docker/config.json", "/usr/bin/sudo", "/run/docker.sock",
        "/home/other/x", "/root/x", "/home/u/Documents/x", "/var/log/syslog", "/home/u/.local/share/keyrings/login.keyring",
        "/home/u/w/.git/hooks/pre-commit", "/home/u/w/sub/.git/hooks/post-checkout", "/home/u/w/.git/modules/m/hooks/pre-push",
    ])
    func codingAgentDoesNotRead(_ path: String) throws {
        #expect(try Shipped.policy("coding-agent").file(path).hasPrefix("deny"))
    }

    @Test(arguments: [
        "/usr/bin/x", "/etc/passwd", "/etc/cron.d/x", "/home/u/.bashrc", "/home/u/.gitconfig", "/home/u/.local/bin/x",
        "/proc/sys/kernel/core_pattern",
        "/proc/sysrq-trigger", "/sys/class/x", "/home/u/.claude/settings.json", "/home/u/.codex/config.toml", "/home/u/.cargo/bin/cargo",
        "/home/u/.config/autostart/x.desktop", "/var/spool/cron/crontabs/u", "/home/u/.profile", "/home/u", "/proc/5/oom_score_adj",
    ])
    func codingAgentDoesNotWrite(_ path: String) throws {
        #expect(try Shipped.policy("coding-agent").file(path, .write).hasPrefix("deny"))
    }

    @Test func codingAgentElsewhere() throws {
        let policy = try Shipped.policy("coding-agent")
        for program in ["/usr/bin/sudo", "/bin/su", "/home/u/w/sudo"] {
            #expect(policy.exec(program).hasPrefix("deny"), "\(program)")
        }
        for program in ["/usr/bin/git", "/usr/bin/bash", "/home/u/w/a.out", "/usr/bin/node"] {
            #expect(policy.exec(program).hasPrefix("allow"), "\(program)")
        }
        #expect(policy.exec("/home/u/w/.git/hooks/pre-commit").hasPrefix("deny"))
        #expect(policy.connect("169.254.169.254", 80).hasPrefix("deny"))
        #expect(policy.connect("127.0.0.1", 5432).hasPrefix("allow"))
        #expect(policy.connect("10.0.0.2", 53, .udp).hasPrefix("allow"))
        #expect(policy.connect("93.184.216.34", 443).hasPrefix("deny"))
        let github = try #require(policy.hostNames.firstIndex(of: "github.com"))
        #expect(policy.connect("140.82.121.3", 443, .tcp, [github]).hasPrefix("allow"))
        #expect(policy.connect("140.82.121.3", 80, .tcp, [github]).hasPrefix("deny"))
        #expect(policy.listen("127.0.0.1", 8000).hasPrefix("allow"))
        for everywhere in ["0.0.0.0", "::"] {
            #expect(policy.listen(everywhere, 8000).hasPrefix("allow"))
            #expect(!policy.listensToOthers(at: IPAddress(parsing: everywhere)!, port: 8000, transport: .tcp))
        }
        #expect(policy.listen("10.0.0.9", 8000).hasPrefix("deny"))
        for socket in ["/run/docker.sock", "/tmp/ssh-x/agent.1", "/tmp/tmux-1000/default", "/run/user/1000/bus", "/tmp/.X11-unix/X0"] {
            #expect(policy.unix(socket).hasPrefix("deny"), "\(socket)")
        }
        #expect(policy.unix("/tmp/s1/tmux-1000/default").hasPrefix("allow"))
        #expect(policy.move("/home/u/w/src").hasPrefix("allow"))
        #expect(policy.move("/home/u/w/.git").hasPrefix("deny"))
        #expect(policy.move("/home/u/w/node_modules/.bin").hasPrefix("allow"))
    }

    @Test func readonlyWritesNothing() throws {
        let policy = try Shipped.policy("readonly")
        for path in ["/home/u/w/x", "/tmp/x", "/home/u/.cache/x"] { #expect(policy.file(path, .write).hasPrefix("deny")) }
        #expect(policy.file("/tmp/s1/x", .create).hasPrefix("allow"))
        #expect(policy.file("/home/u/w/x").hasPrefix("allow"))
        #expect(policy.hostNames.isEmpty)
    }

    /// Two thousand damaged profiles: each is read or refused, none is fatal, none takes long.
    @Test(.timeLimit(.minutes(2))) func fuzz() throws {
        var random = Seeded(state: 42)
        let texts = try Shipped.names.map(Shipped.bytes)
        let scraps = [
            "*", "**", "{", "}", "[", "]", "&a", "*a", "!!", "\\", "\0", "\n", "  ", ": ", "- ", "~", "${", "}}", "/../", "|", ">", "%",
            "\u{2028}", "\u{feff}", "\"", "'", "#", "? ", "99999999999999999999", "://", "[::]", "---\n", "...",
        ].map { Array($0.utf8) }
        let lookup = try Shipped.lookup()
        var valid = 0
        for _ in 0..<2000 {
            var bytes = texts.randomElement(using: &random)!
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1...40, using: &random)))
                case 2: bytes.insert(contentsOf: scraps.randomElement(using: &random)!, at: at)
                default:
                    let from = Int.random(in: 0..<bytes.count, using: &random)
                    bytes.insert(contentsOf: bytes[from..<min(bytes.count, from + 30)], at: at)
                }
                if bytes.isEmpty { bytes = [0x61] }
            }
            guard let profile = try? ProfileLoader.load(ProfileSource(bytes: bytes, file: "fuzz.yaml"), lookup: lookup) else { continue }
            valid += 1
            _ = try Policy.compile(profile: profile, variables: variables()).file("/home/u/w/x")
        }
        #expect(valid > 50)
    }
}
