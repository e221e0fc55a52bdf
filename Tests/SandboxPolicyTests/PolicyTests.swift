import Testing
import SandboxModel
import SandboxYAML
@testable import SandboxPolicy

@Suite struct FileRules {
    static let text = """
        files:
          default: deny
          read: ["/usr/**", "/lib*/**", "/data/*/public", "/x/[a-c]?.{txt,md}", "/b\\\\*c"]
          write: ["${workspace}/**", "/tmp/*"]
          deny: ["${workspace}/.git/hooks/**", "**/secret", "~/.ssh/**", "/tmp/no*"]
        exec: { default: allow, deny: [sudo, "/opt/x/bin/nc*"] }
        """

    @Test(arguments: [
        ("/usr", "allow files.read[0]"), ("/usr/bin/x", "allow files.read[0]"), ("/usrx", "deny files.default"),
        ("/lib64/a", "allow files.read[1]"), ("/lib", "allow files.read[1]"), ("/li", "deny files.default"),
        ("/data/a/public", "allow files.read[2]"), ("/data/public", "deny files.default"),
        ("/data/a/b/public", "deny files.default"), ("/data/.h/public", "allow files.read[2]"),
        ("/x/aZ.txt", "allow files.read[3]"), ("/x/dZ.txt", "deny files.default"), ("/x/bq.md", "allow files.read[3]"),
        ("/b*c", "allow files.read[4]"), ("/bxc", "deny files.default"),
        ("/home/u/w", "allow files.write[0]"), ("/home/u/w/a/b", "allow files.write[0]"),
        ("/home/u/w/.git/hooks", "deny files.deny[0]"), ("/home/u/w/.git/hooks/pre-commit", "deny files.deny[0]"),
        ("/home/u/w/.git/hooksx", "allow files.write[0]"),
        ("/secret", "deny files.deny[1]"), ("/usr/a/secret", "deny files.deny[1]"), ("/usr/secret/x", "allow files.read[0]"),
        ("/home/u/.ssh", "deny files.deny[2]"), ("/tmp/nothing", "deny files.deny[3]"), ("/tmp/yes", "allow files.write[1]"),
        ("/tmp/a/b", "deny files.default"), ("/usr/bin/sudo", "deny exec.deny[0]"), ("/usr/share/sudo", "allow files.read[0]"),
        ("/usr/sbin/sudo", "deny exec.deny[0]"), ("/opt/x/bin/ncat", "deny exec.deny[1]"),
        ("", "deny builtin.path"), ("usr/x", "deny builtin.path"), ("/usr/../etc", "deny builtin.path"),
        ("/usr//x", "deny builtin.path"), ("/usr/./x", "deny builtin.path"), ("/usr/", "deny builtin.path"), ("/", "deny files.default"),
        ("/usr/...", "allow files.read[0]"),
    ])
    func reading(_ path: String, _ expected: String) throws {
        #expect(try policy(Self.text).file(path) == expected)
    }

    @Test(arguments: [FileAccess.write, .create, .delete, .truncate, .metadata, .rename, .link, [.read, .write]])
    func changingNeedsWrite(_ access: FileAccess) throws {
        let policy = try policy(Self.text)
        #expect(policy.file("/usr/x", access) == "deny files.default")
        #expect(policy.file("/home/u/w/x", access) == "allow files.write[0]")
        #expect(policy.file("/home/u/w/.git/hooks/x", access) == "deny files.deny[0]")
    }

    @Test func otherAccess() throws {
        let policy = try policy(Self.text)
        #expect(policy.file("/usr/x", .pathOnly) == "allow files.read[0]")
        #expect(policy.file("/etc/x", .pathOnly) == "deny files.default")
        #expect(policy.file("/etc/x", .execute) == "allow exec.default")
        #expect(policy.file("/home/u/.ssh/x", .execute) == "deny files.deny[2]")
    }

    /// Bytes are bytes: neither invalid UTF-8 nor canonical equivalence changes what matches.
    @Test func bytes() throws {
        let policy = try policy("files: { read: [\"/d/**\"], deny: [\"/d/\u{e9}\"] }")
        let latin: [UInt8] = Array("/d/".utf8) + [0xe9]
        let ruling = policy.judge(file: latin.span, access: .read)
        #expect(ruling.decision == .allow)
        #expect(policy.file("/d/\u{e9}") == "deny files.deny[0]")
        #expect(policy.file("/d/e\u{301}") == "allow files.read[0]")
    }

    @Test func variablesAreLiteral() throws {
        let profile = try load("version: 1\nname: p\nfiles: { write: [\"${workspace}/**\"] }")
        let given = PolicyVariables(home: [0x2f], workspace: Array("/w/[a]*".utf8), tmp: Array("/t".utf8))
        let policy = try Policy.compile(profile: profile, variables: given)
        #expect(policy.file("/w/[a]*/x") == "allow files.write[0]")
        #expect(policy.file("/w/a/x") == "deny files.default")
        #expect(throws: PolicyFailure.self) {
            try Policy.compile(profile: profile, variables: PolicyVariables(home: [], workspace: [0x2f], tmp: [0x2f]))
        }
    }

    @Test(arguments: [
        ("/home/u/w/.git", "deny files.deny[0]"), ("/home/u/w/.git/hooks", "deny files.deny[0]"),
        ("/home/u/w/src", "allow files.write[0]"), ("/home/u/w", "deny files.deny[0]"), ("/home/u", "deny files.deny[0]"),
        ("/usr/share", "deny files.default"),
        // Writable by name only: what is in it is not.
        ("/tmp/a", "deny files.default"), ("/w/../x", "deny builtin.path"),
    ])
    func movingFolders(_ path: String, _ expected: String) throws {
        #expect(try policy(Self.text).move(path) == expected)
    }

    @Test func movingBelowAnywherePatterns() throws {
        let policy = try policy("files: { write: [\"/w/**\"], deny: [\"**/.git/**/hooks/a\", \"**/.env\"] }\nexec: { deny: [su] }")
        #expect(policy.move("/w/src") == "allow files.write[0]")
        #expect(policy.move("/w/src/.git") == "deny files.deny[0]")
        #expect(policy.move("/w/src/.git/modules") == "deny files.deny[0]")
        #expect(policy.move("/w/bin") == "allow files.write[0]")
        #expect(policy.move("/w/.env") == "deny files.deny[1]")
        #expect(policy.file("/w/.git/hooks/a") == "deny files.deny[0]")
        #expect(policy.file("/w/.git/modules/m/hooks/a") == "deny files.deny[0]")
        #expect(policy.file("/w/.git/hooks/a.sample", .write) == "allow files.write[0]")
    }

    @Test func protectedBeatsAll() throws {
        let protected = [ProtectedPath(Array("/s/state".utf8), .everything), ProtectedPath(Array("/s/prof".utf8), .changes)]
        let policy = try policy(
            "files: { default: allow }\nexec: { default: allow }\nnetwork: { default: allow, allow: [\"unix:/s/**\"] }",
            protected: protected)
        #expect(policy.file("/s/state/x") == "deny builtin.protected")
        #expect(policy.file("/s/state", .metadata) == "deny builtin.protected")
        #expect(policy.file("/s/prof/p.yaml") == "allow files.default")
        #expect(policy.file("/s/prof/p.yaml", .write) == "deny builtin.protected")
        #expect(policy.move("/s") == "deny builtin.protected")
        #expect(policy.move("/s/prof") == "deny builtin.protected")
        #expect(policy.exec("/s/state/x") == "deny builtin.protected")
        #expect(policy.exec("/s/prof/x") == "allow exec.default")
        #expect(policy.unix("/s/state/control") == "deny builtin.protected")
        #expect(policy.unix("/s/other") == "allow network.allow[0]")
        #expect(policy.file("/other", .write) == "allow files.default")
        #expect(policy.move("/other") == "allow files.default")
    }

    /// A link on the way to what is denied must not lift the denial.
    @Test func denialsFollowLinks() throws {
        let policy = try policy("files: { default: allow, deny: [\"~/.ssh/**\", \"/var/run/*.sock\"] }") { path in
            switch String(decoding: path, as: UTF8.self) {
            case "/home/u/.ssh": Array("/data/keys".utf8)
            case "/var/run": Array("/run".utf8)
            default: nil
            }
        }
        for path in ["/home/u/.ssh/id", "/data/keys/id", "/data/keys"] { #expect(policy.file(path) == "deny files.deny[0]") }
        for path in ["/var/run/d.sock", "/run/d.sock"] { #expect(policy.file(path) == "deny files.deny[1]") }
    }
}

@Suite struct ExecRules {
    @Test func lists() throws {
        let policy = try policy("exec: { default: deny, allow: [git, \"/usr/bin/python3*\"], deny: [\"git-*\", \"/opt/**\"] }")
        #expect(policy.exec("/usr/bin/git") == "allow exec.allow[0]")
        #expect(policy.exec("/usr/bin/git-shell") == "deny exec.deny[0]")
        #expect(policy.exec("/opt/git") == "deny exec.deny[1]")
        #expect(policy.exec("/usr/bin/ls") == "deny exec.default")
        #expect(policy.exec("/etc/alternatives/py", as: "/usr/bin/python3") == "allow exec.allow[1]")
        #expect(policy.exec("/home/evil", as: "/usr/bin/../bin/python3") == "deny exec.default")
        #expect(policy.exec("/home/evil", as: "usr/bin/python3") == "deny exec.default")
        #expect(policy.exec("/bin/busybox", as: "git-x") == "deny exec.deny[0]")
        #expect(policy.exec("/usr/bin/ls", as: "/opt/ls") == "deny exec.deny[1]")
    }

    /// A name that the session can give to whatever it likes allows nothing.
    @Test func namesOfItsOwn() throws {
        let policy = try policy("files: { write: [\"/w/**\"] }\nexec: { default: deny, allow: [git, \"/opt/tool\", \"/w/built\"] }")
        func exec(_ path: String, as invoked: String, written: Bool = false, place: Bool = true) -> String {
            let resolved = Array(path.utf8), asked = Array(invoked.utf8)
            return policy.say(policy.judge(exec: resolved.span, invoked: asked.span, isWritten: written, isPlace: { place }))
        }
        #expect(exec("/usr/bin/git", as: "/usr/bin/git") == "allow exec.allow[0]")
        #expect(exec("/usr/lib/git-2", as: "/usr/bin/git") == "allow exec.allow[0]")
        #expect(exec("/w/git", as: "/w/git") == "allow exec.allow[0]")
        #expect(exec("/w/git", as: "/w/git", written: true) == "deny exec.default")
        #expect(exec("/usr/bin/curl", as: "/w/git", place: false) == "deny exec.default")
        #expect(exec("/usr/bin/curl", as: "/proc/self/cwd/git", place: false) == "deny exec.default")
        #expect(exec("/w/built", as: "/w/built", written: true) == "allow exec.allow[2]")
        #expect(exec("/opt/tool-2", as: "/opt/tool") == "allow exec.allow[1]")
        #expect(exec("/usr/bin/curl", as: "/opt/tool", place: false) == "deny exec.default")
    }

    /// A program that a bare name denies is not read either, wherever it lies; other files of that name are.
    @Test func deniedNamesAreNotRead() throws {
        let policy = try policy("files: { default: allow }\nexec: { deny: [curl] }")
        func file(_ path: String, isProgram: Bool) -> String {
            let path = Array(path.utf8)
            return policy.say(policy.judge(file: path.span, access: .read, isProgram: isProgram))
        }
        #expect(file("/opt/tools/curl", isProgram: true) == "deny exec.deny[0]")
        #expect(file("/opt/tools/curl", isProgram: false) == "allow files.default")
        #expect(file("/usr/bin/curl", isProgram: false) == "deny exec.deny[0]")
        #expect(file("/opt/tools/curly", isProgram: true) == "allow files.default")
    }

    @Test func kernelIsOutOfReach() throws {
        let policy = try policy("files: { default: allow, write: [\"/**\"] }")
        for path in [
            "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/fs/cgroup/x", "/sys/power/state",
            "/proc/17/net/xt_recent/banned", "/proc/17/task/18/net/rpc/nfsd.fh/flush",
        ] {
            #expect(policy.file(path, .write) == "deny builtin.kernel" && policy.file(path) == "allow files.write[0]")
        }
        #expect(policy.file("/proc/kcore") == "deny builtin.kernel")
        #expect(policy.file("/proc/17/oom_score_adj", .write) == "allow files.write[0]")
    }

    @Test func defaults() throws {
        #expect(try policy("").exec("/bin/ls") == "allow exec.default")
        #expect(try policy("exec: { allow: [ls] }").exec("/bin/cat") == "deny exec.default")
        #expect(try policy("files: { deny: [\"/w/**\"] }").exec("/w/x") == "deny files.deny[0]")
    }
}

@Suite struct NetworkRules {
    static let text = """
        network:
          default: deny
          allow: ["api.example.com:443", "10.0.0.0/8:5432", "localhost:*", "[2001:db8::/32]:80-90", "udp://9.9.9.9:53",
                  "${nameservers}:53", "unix:/run/app.sock", "unix:@app-*", "tcp://7.7.7.7", "API.example.com.:80"]
          deny: ["169.254.169.254", "10.9.0.0/16", "bad.example.com", "unix:/run/app.sock2", "unix:@app-x"]
          listen: ["127.0.0.1:*", "*:8080", "unix:@me"]
        files: { default: allow, deny: ["/run/denied/**"] }
        """

    @Test(arguments: [
        ("10.1.2.3", 5432, Transport.tcp, "allow network.allow[1]"), ("10.1.2.3", 5433, .tcp, "deny network.default"),
        ("10.9.2.3", 5432, .tcp, "deny network.deny[1]"), ("::ffff:10.9.2.3", 5432, .tcp, "deny network.deny[1]"),
        ("::ffff:10.1.2.3", 5432, .udp, "allow network.allow[1]"),
        ("127.8.8.8", 1, .tcp, "allow network.allow[2]"), ("::1", 1, .udp, "allow network.allow[2]"),
        ("0.0.0.0", 1, .tcp, "allow network.allow[2]"), ("::", 1, .tcp, "allow network.allow[2]"),
        ("127.0.0.1", 1, .other, "deny network.default"),
        ("2001:db8:1::5", 85, .tcp, "allow network.allow[3]"), ("2001:db9::5", 85, .tcp, "deny network.default"),
        ("9.9.9.9", 53, .udp, "allow network.allow[4]"), ("9.9.9.9", 53, .tcp, "deny network.default"),
        ("10.0.0.2", 53, .udp, "allow network.allow[5]"), ("7.7.7.7", 9, .tcp, "allow network.allow[8]"),
        ("7.7.7.7", 9, .udp, "deny network.default"),
        ("169.254.169.254", 80, .tcp, "deny network.deny[0]"), ("169.254.169.254", 80, .other, "deny network.deny[0]"),
        ("1.2.3.4", 443, .tcp, "deny network.default"),
    ])
    func connecting(_ address: String, _ port: Int, _ transport: Transport, _ expected: String) throws {
        #expect(try policy(Self.text).connect(address, UInt16(port), transport) == expected)
    }

    @Test func names() throws {
        let policy = try policy(Self.text)
        #expect(policy.hostNames == ["bad.example.com", "api.example.com"])
        #expect(policy.connect("1.2.3.4", 443, .tcp, [1]) == "allow network.allow[0]")
        #expect(policy.connect("1.2.3.4", 80, .tcp, [1]) == "allow network.allow[9]")
        #expect(policy.connect("1.2.3.4", 444, .tcp, [1]) == "deny network.default")
        #expect(policy.connect("1.2.3.4", 443, .tcp, [0, 1]) == "deny network.deny[2]")
        #expect(policy.connect("1.2.3.4", 443, .tcp, [255]) == "deny network.default")
    }

    @Test func localSockets() throws {
        let policy = try policy(Self.text)
        #expect(policy.unix("/run/app.sock") == "allow network.allow[6]")
        #expect(policy.unix("/run/app.sock2") == "deny network.deny[3]")
        #expect(policy.unix("/run/denied/s") == "deny files.deny[0]")
        #expect(policy.unix("/run/x") == "deny network.default")
        #expect(policy.abstract("app-1") == "allow network.allow[7]")
        #expect(policy.abstract("app-x") == "deny network.deny[4]")
        #expect(policy.abstract("/tmp/.X11-unix/X0") == "deny network.default")
        #expect(policy.abstractListen("me") == "allow network.listen[2]")
        #expect(policy.abstractListen("you") == "deny network.default")
    }

    /// Programs that follow no links take one folder after the other by a handle (O_PATH), MariaDB for one.
    @Test func waysToOwnFolders() throws {
        let policy = try policy("files: { read: [/usr/**], write: [\"${workspace}/**\"], deny: [/tmp] }")
        #expect(policy.file("/home", .pathOnly) == "allow builtin.way" && policy.file("/home/u", .pathOnly) == "allow builtin.way")
        for other in ["/home/u/wx", "/home/u/x", "/hom", "/home/u/.ssh"] { #expect(policy.file(other, .pathOnly) == "deny files.default") }
        #expect(policy.file("/tmp", .pathOnly) == "deny files.deny[0]")
        #expect(policy.file("/home/u", .read) == "deny files.default" && policy.file("/home/u", .create) == "deny files.default")
        #expect(policy.file("/home/u/w", .pathOnly) == "allow files.write[0]")
    }

    @Test func listening() throws {
        let policy = try policy(Self.text)
        #expect(policy.listen("127.0.0.1", 0) == "allow network.listen[0]")
        #expect(policy.listen("127.0.0.2", 1) == "deny network.default")
        #expect(policy.listen("0.0.0.0", 8080) == "allow network.listen[1]")
        // Kept to this machine.
        #expect(policy.listen("0.0.0.0", 1) == "allow network.listen[0]")
        #expect(!policy.listensToOthers(at: IPAddress(parsing: "0.0.0.0")!, port: 1, transport: .tcp))
        #expect(policy.listensToOthers(at: IPAddress(parsing: "0.0.0.0")!, port: 8080, transport: .tcp))
        #expect(policy.judge(listen: IPAddress(parsing: "0.0.0.0")!, port: 1, transport: .udp).decision == .allow)
        #expect(!policy.listensToOthers(at: IPAddress(parsing: "0.0.0.0")!, port: 1, transport: .udp))
        // That is IPv6's loopback as well, which no list names.
        #expect(policy.listen("::", 8081) == "deny network.default")
        #expect(policy.listen("10.0.0.1", 1) == "deny network.default")
    }

    @Test func wildcardHostsWarn() throws {
        let profile = try load("version: 1\nname: p\nnetwork: { allow: [\"*.example.org:443\"] }")
        #expect(
            profile.warnings.map(\.description) == [
                "p.yaml:3:20: warning: `*.example.org:443` matches nothing yet: names are not guarded by this version\n"
                    + "  help: name each host, such as `api.example.org:443`"
            ])
    }
}

@Suite struct Environments {
    @Test func keepDropSet() throws {
        let policy = try policy(
            "environment: { keep: [PATH, \"LC_*\", X_TOKEN], drop: [\"*_TOKEN\"], set: { CI: 1, T: \"a${tmp}b\", PATH: /p } }")
        let given = ["PATH=/x", "LC_ALL=C", "LCX=1", "X_TOKEN=s", "CI=0", "HOME=/h"].map {
            let parts = $0.split(separator: "=")
            return EnvironmentVariable(name: Array(parts[0].utf8), value: Array(parts[1].utf8))
        }
        let got = policy.environment(from: given).map { String(decoding: $0.name + [0x3d] + $0.value, as: UTF8.self) }
        #expect(got == ["LC_ALL=C", "CI=1", "T=a/tmp/s1b", "PATH=/p"])
        #expect(try self.policy("environment: { drop: [A] }").environment(from: given).count == given.count)
    }

    private func policy(_ text: String) throws -> Policy { try SandboxPolicyTests.policy(text) }

    @Test func identities() throws {
        let policy = try policy("identities: [\"agent:*\"]")
        #expect(policy.admits("agent:x"))
        #expect(!policy.admits("user:x"))
        #expect(try self.policy("").admits("user:x"))
    }

    @Test func limits() throws {
        let policy = try policy("limits: { memory: 2GiB, processes: 256, time: 1h30m, open_files: 4096, written: 3GB }\nmode: observe")
        #expect(policy.limits.memory == 2 << 30)
        #expect(policy.limits.time == 5_400_000_000_000)
        #expect(policy.limits.processes == 256 && policy.limits.openFiles == 4096 && policy.limits.written == 3_000_000_000)
        #expect(policy.mode == .observe)
    }

    /// Whoever listens at all addresses of the machine is reached by each of them; an allowance means what is written.
    @Test(arguments: ["127.0.0.1", "[::1]", "127.0.0.0/8", "localhost"]) func denialsOfLoopback(_ written: String) throws {
        func compiled(_ list: String) throws -> Policy {
            var variables = variables()
            variables.ownAddresses = { [IPAddress(parsing: "192.0.2.7")!, IPAddress(parsing: "2001:db8::7")!, IPAddress(parsing: "::1")!] }
            return try Policy.compile(
                profile: load("version: 1\nname: p\nfiles: { default: allow }\nnetwork: { \(list): [\"\(written):5432\"] }"),
                variables: variables)
        }
        let here = [
            "127.0.0.1", "127.0.0.2", "::ffff:127.0.0.3", "::1", "192.0.2.7", "2001:db8::7", "255.255.255.255", "224.0.0.1", "ff02::1",
        ]
        let denied = try compiled("default: allow, deny"), allowed = try compiled("default: deny, allow")
        for address in here {
            #expect(denied.connect(address, 5432) == "deny network.deny[0]", "\(address)")
            #expect(denied.connect(address, 5433) == "allow network.default", "\(address)")
        }
        #expect(denied.connect("192.0.2.8", 5432) == "allow network.default")
        #expect(allowed.connect("192.0.2.7", 5432) == "deny network.default")
        let service = try policy("files: { default: allow }\nnetwork: { default: allow, deny: [\"127.0.0.53:53\"] }")
        #expect(service.connect("127.0.0.1", 53) == "allow network.default")
    }
}
