import Foundation
import Testing

extension EndToEnd.CarriesTests {
    /// What is neither a file nor a pipe, what is under way, and who comes from outside (`Tools/channels.py`).
    static let channels = [
        "fifo-waited-for", "file-in-the-making", "first-thread-gone", "serve-after", "serve-nonblocking", "serve-before", "serve-thread",
        "serve-unix",
        "end-given-away", "memfd-passed", "counter", "terminal-pair", "private-mapping", "dev-shm", "title", "name-of-memory", "link-text",
        "attribute", "name-file", "name-folder", "name-moved", "name-linked", "name-socket", "name-held", "name-watched", "name-abstract",
        "semaphore", "counter-in-flight", "terminal-in-flight", "words-of-waits", "timers", "value-of-signal", "client-gone",
    ]
    private static let hasCounters = Built.installed("python3")

    /// All in one session, each in a folder of its own.
    private static let each =
        "for w in \(channels.joined(separator: " ")); do (cd $w; /usr/bin/python3 $T/channels.py $w); echo $w $?; done"

    private func place(_ account: Account) throws -> Place {
        let place = try Place(account, doors: Self.channels)
        for channel in Self.channels {
            mkdir(place.world.work + "/" + channel, 0o755)
            if account == .ordinary { chown(place.world.work + "/" + channel, Account.uid, Account.uid) }
        }
        return place
    }

    @Test(.enabled(if: hasCounters), arguments: Account.all) func channelsAreShut(account: Account) throws {
        let place = try place(account)
        defer { place.end() }
        let outcome = try place.run(Self.each, file: place.classified)
        #expect(place.sink.received().range(of: Data("SECRET".utf8)) == nil, "\(outcome)")
        #expect(outcome.out.split(separator: "\n").count == Self.channels.count, "\(outcome)")
        // An attribute is not set, as on a file system that has none.
        let denied = try place.world.events("--decision", "deny").filter { $0.rules.first == "pii-stays-home" }
        #expect(denied.reduce(0) { $0 + $1.count } >= Self.channels.count - 1, "\(denied) \(outcome)")
    }

    /// Nobody is there for long enough to be looked at: who is in a list of threads has started another and ended.
    @Test(arguments: Account.all, ["relay", "own"]) func threadsThatReplaceEachOther(account: Account, how: String) throws {
        func relay(_ file: String, _ place: Place) -> [String] {
            [place.world.guest, "relay", file, "\(place.sink.port)"] + (how == "own" ? [how] : [])
        }
        let native = try Place(account)
        defer { native.end() }
        let control = try native.world.native(relay(native.classified, native))
        #expect(native.sink.received().range(of: Data("SECRET".utf8)) != nil, "\(control)")
        for _ in 0..<5 {
            let place = try Place(account)
            defer { place.end() }
            let outcome = try place.world.sandboxed(relay(place.classified, place), profile: place.profile)
            #expect(place.sink.received().isEmpty && !outcome.late, "\(outcome)")
            #expect(try place.world.events("--decision", "deny").contains { $0.resource.hasSuffix("people.csv") }, "\(outcome)")
        }
    }

    /// With a file that carries nothing each of them leads out.
    @Test(.enabled(if: hasCounters)) func channelsLeadOut() throws {
        let place = try place(.own)
        defer { place.end() }
        let outcome = try place.run(Self.each, file: place.open)
        #expect(outcome.out == Self.channels.map { "\($0) 0\n" }.joined(), "\(outcome)")
        let received = String(decoding: place.sink.received(), as: UTF8.self)
        #expect(received.components(separatedBy: "SECRET").count - 1 == Self.channels.count, "\(received) \(outcome)")
        #expect(try place.world.events("--decision", "deny").isEmpty, "\(outcome)")
    }

    /// A page that lies in a pipe without having been copied could be written to later, by somebody else.
    @Test func pagesAreNotLent() throws {
        let place = try Place(.own)
        defer { place.end() }
        let lends = ["/usr/bin/env", "F=\(place.open)", "P=1", "U=1", "/usr/bin/python3", Built.tools + "/channels.py", "lends"]
        let native = try place.world.native(lends)
        #expect(native.out == "sendfile 4\nsplice 4\nvmsplice 4\n", "\(native)")
        let sandboxed = try place.world.sandboxed(lends, profile: place.profile)
        #expect(sandboxed.out == ["sendfile", "splice", "vmsplice"].map { "\($0) Invalid argument\n" }.joined(), "\(sandboxed)")
        // Where nobody follows data, nothing is different.
        let plain = try place.world.sandboxed(lends, profile: place.world.permissive())
        #expect(plain.out == native.out, "\(plain)")
    }

    /// Names that are asked for are data: who clears a name server has not cleared all of them.
    @Test(.enabled(if: getuid() == 0 && Built.installed("unshare", "python3"), "a name server wants a port of its own")) func names() throws
    {
        let place = try Place(.ordinary)
        defer { place.end() }
        let world = place.world, asked = world.root + "/asked", resolver = world.root + "/resolv.conf"
        try "nameserver 127.0.0.1\n".write(toFile: resolver, atomically: false, encoding: .utf8)
        let profile = try world.profile(
            "names",
            """
            mode: enforce
            files: { default: allow }
            exec: { default: allow }
            network: { default: allow }
            data: { pii: { files: ["\(world.root)/data/pii/**"] } }
            rules: [{ name: stays, intent: net.egress, when: { carries: pii, host_not: ["127.0.0.1", "cleared.example"] }, decide: deny }]
            """)
        let up =
            "python3 -c 'import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack(\"16sh14s\", b\"lo\", 0x49, b\"\"))'"
        let ask =
            (world.account.prefix
            + world.sandboxCommand(["env", "F=\(place.classified)", "python3", Built.tools + "/names.py", "ask"], profile: profile))
            .joined(separator: " ")
        let script = """
            \(up); mount --bind \(resolver) /etc/resolv.conf
            coproc N { exec python3 \(Built.tools)/names.py serve \(asked); }
            read -r line <&${N[0]}; \(ask); code=$?; kill $N_PID; exit $code
            """
        let running = try Running(["unshare", "-n", "-m", "bash", "-c", script], environment: world.environment, directory: world.work)
        running.closeInput()
        let outcome = running.finish()
        let expected = [
            "before, by the library answered", "before, sent answered", "before, connected answered", "cleared, sent answered",
            "cleared, connected refused", "cleared, with more refused", "other, sent refused", "other, connected refused",
            "other, by the library refused",
        ]
        #expect(outcome.out == expected.map { $0 + "\n" }.joined(), "\(outcome)")
        let names = try String(contentsOfFile: asked, encoding: .utf8)
        #expect(Set(names.split(separator: "\n")) == ["www.example", "cleared.example"], "\(names)")
        let denied = try world.events("--decision", "deny")
        #expect(denied.allSatisfy { $0.rules.first == "stays" && $0.intents.contains("net.dns") } && !denied.isEmpty, "\(denied)")
    }

    /// A candidate profile follows data of its own and changes nothing.
    @Test(arguments: Account.all) func aCandidateFollows(account: Account) throws {
        let place = try Place(account)
        defer { place.end() }
        let script =
            "cp \(place.classified) c; cat c > /dev/tcp/127.0.0.1/\(place.sink.port); cat \(place.open) > /dev/tcp/127.0.0.1/\(place.sink.port)"
        let outcome = try place.world.sandboxed(
            ["bash", "-c", script], profile: place.world.permissive(), options: ["--shadow", place.profile])
        #expect(outcome.code == 0, "\(outcome)")
        #expect(place.sink.received().range(of: Data("SECRET".utf8)) != nil)
        // The shell is connected when its child opens the file.
        let lines = try place.world.native([Built.sandbox, "audit", "events", "--json"]).out.split(separator: "\n")
        let shadowed = lines.filter { $0.contains(#""shadow":{"decision":"deny","rules":["pii-stays-home""#) }
        #expect(shadowed.count == 1 && shadowed[0].contains("/work/c\""), "\(lines)")
        #expect(try place.world.events("--decision", "deny").isEmpty)
        // Nothing of it lasts.
        let later = try place.run("cat c > /dev/tcp/127.0.0.1/$P", file: place.open)
        #expect(later.code == 0, "\(later)")
    }
}
