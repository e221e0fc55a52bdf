import Foundation
import Testing

/// A guest that attacks: what it needs, and what the trail should name afterwards.
struct Attack: Sendable, CustomTestStringConvertible {
    enum Needs: Sendable {
        case nothing, secret, forbidden, address, abstract, fence, memory, objects, denied, socket, terminal, node, own, store
        /// A file that may be read and nothing else; a name that is not there and has denied ones below it.
        case readOnly, place
        /// Another name from before: of the secret, of the program. The program is denied by its bare name.
        case linkedSecret, linkedForbidden, linkedSocket, bareForbidden
        /// A program at an address of its own, which is denied as well.
        case fixed
        /// No program but those listed by name may be started.
        case unlisted
        /// Somebody outside has the secret open: who started the attack, or who listens on a socket.
        case lent, handed
        /// The same where the socket is one that may be talked to.
        case handedByAllowed
        /// Somebody outside connects to what the attack binds, or has the other end of its standard input.
        case brought, streamed
        /// Standard error leads to a file that no list lets it write to.
        case spilled
    }
    let name: String
    let needs: Needs
    var how: String? = nil
    var recorded = true  // a denial in the trail; calls that the filter refuses by number need none
    var nativelyHeld = false  // where this machine does not know the technique
    var closed = false  // under a profile that lists no address, and sockets in the workspace alone
    var testDescription: String { how.map { "\(name) \($0)" } ?? name }

    static let all: [Attack] =
        [
            "race-path-thread", "race-path-process", "race-symlink", "race-dir-exchange", "race-dirfd", "race-chdir", "legacy-open",
            "creat", "hardlink", "proc-self-fd-reopen", "o-path-then-open", "proc-root", "openat2-in-root", "rename-over",
            "race-inherited-mem", "race-vfork-clone", "race-clone-vm", "race-vfork-thread", "race-mapped-file", "race-aio", "race-clone-fs",
            "race-clone-files",
            "race-link-of-link",
            "link-to-own-proc", "rename-parent", "truncate", "otmpfile-linkat", "set-dumpable-0-then-open",
        ].map { Attack(name: $0, needs: .secret) }
        + ["io-uring-open", "i386-open", "open-by-handle", "mount-new-api"].map { Attack(name: $0, needs: .secret, recorded: false) }
        + [Attack(name: "x32-open", needs: .secret, recorded: false, nativelyHeld: true)]
        + ["race-exec-path", "race-exec-script-symlink", "memfd-exec", "ld-so-exec", "exec-plain"].map {
            Attack(name: $0, needs: .forbidden)
        }
        + ["connect", "sendto", "sendmsg", "sendmmsg"].map { Attack(name: "race-sockaddr", needs: .address, how: $0) }
        + ["thread", "process"].map { Attack(name: "race-header", needs: .address, how: $0) }
        + ["race-socket-dup2", "mapped-v4", "unspecified-address", "udp-sendmmsg-last"].map { Attack(name: $0, needs: .address) }
        + [
            "race-o-path", "unreadable-argument", "longest-path", "upper-halves", "longer-structs",
            "signal-storm", "interpreters", "make-names", "children",
        ].map { Attack(name: $0, needs: .secret) }
        + ["hardlink-before"].map { Attack(name: $0, needs: .linkedSecret) }
        + ["reopen-for-writing", "metadata", "replace"].map { Attack(name: $0, needs: .readOnly) }
        + [Attack(name: "race-move-of-link", needs: .place), Attack(name: "handed-descriptor", needs: .handed)]
        + (World.refusesDescriptors ? refusedToSender : [])
        + ["exec-script-chain", "exec-launchers", "exec-from-thread", "exec-arguments", "exec-memory", "exec-stopped"].map {
            Attack(name: $0, needs: .forbidden)
        }
        + ["exec-plain", "memfd-exec", "ld-so-exec"].map { Attack(name: $0, needs: .bareForbidden, how: "by-name") }
        + ["exec-as-loader", "exec-filtered"].map { Attack(name: $0, needs: .fixed) }
        + [Attack(name: "exec-hardlink-before", needs: .linkedForbidden), Attack(name: "i386-exec", needs: .forbidden, recorded: false)]
        + ["mounts", "raw-disk", "race-path-remote-write"].map { Attack(name: $0, needs: .secret, recorded: false) }
        + ["fanotify", "accounting", "kernel-settings", "new-privileges"].map { Attack(name: $0, needs: .nothing, recorded: false) }
        + [Attack(name: "exec-allowed-name", needs: .unlisted), Attack(name: "race-mapped-stream", needs: .spilled)]
        + [Attack(name: "inherited-descriptors", needs: .lent, recorded: false)]
        + [Attack(name: "proc-self", needs: .nothing, recorded: false, nativelyHeld: true)]
        + [Attack(name: "fastopen", needs: .address), Attack(name: "unix-abstract", needs: .abstract)]
        + ["unshare-user", "clone3-newuser", "userfaultfd", "keyctl", "tiocsti", "line-discipline", "clone-parent", "new-listener"].map {
            Attack(name: $0, needs: .nothing, recorded: false)
        }
        + [Attack(name: "memfd-start", needs: .memory), Attack(name: "objects-of-others", needs: .objects)]
        + ["ptrace-parent", "process-vm-parent", "kill-supervisor", "proc-supervisor", "pidfd-getfd-supervisor", "fsetown"]
        .map { Attack(name: $0, needs: .fence, recorded: false) } + outward

    /// By SO_PASSRIGHTS; the kernel answers whoever sends.
    static let refusedToSender: [Attack] =
        ["handed-descriptor", "returned-descriptor", "squatted-name", "claimed-name"].map {
            Attack(name: $0, needs: .handedByAllowed, recorded: false)
        }
        + [
            Attack(name: "brought-descriptor", needs: .brought, recorded: false),
            Attack(name: "named-descriptor", needs: .brought, recorded: false),
            Attack(name: "streamed-descriptor", needs: .streamed, recorded: false),
        ]

    /// Sections 5 to 8: other spellings of addresses, sockets in the file system, whoever supervises, the machine.
    private static let outward: [Attack] =
        ["unspecified-bound", "address-lengths"].map { Attack(name: $0, needs: .denied) }
        + ["unix-names", "unix-datagram", "race-unix-dup2"].map { Attack(name: $0, needs: .socket) }
        + ["signal-groups", "schedule-supervisor", "limit-supervisor", "proc-write-supervisor", "setns-supervisor"].map {
            Attack(name: $0, needs: .fence, recorded: false)
        }
        + [
            "rare-sockets", "netlink-change", "source-route", "signal-everybody", "schedule-user", "control-groups", "machine-calls",
            "clone-flags",
        ].map {
            Attack(name: $0, needs: .nothing, recorded: false)
        }
        + [
            Attack(name: "reconnect", needs: .address), Attack(name: "listen-unbound", needs: .nothing, recorded: false, closed: true),
            Attack(name: "unix-moved", needs: .socket, closed: true), Attack(name: "unix-linked-before", needs: .linkedSocket),
            Attack(name: "other-terminal", needs: .terminal, recorded: false),
            Attack(name: "own-files", needs: .own, recorded: false), Attack(name: "read-store", needs: .store, recorded: false),
        ] + (World.hasNodes ? [Attack(name: "device-node", needs: .node)] : [])
}

/// What the attacks on addresses are after; runs outside the sandbox.
final class Listeners {
    private var running: [Running] = []
    private(set) var allowed = "", denied = ""
    let abstract = "guest-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    /// Lies in a folder that may be written.
    let socket: String
    private(set) var terminal = ""

    init(_ world: World) throws {
        socket = world.root + "/vault/sockets/socket"
        allowed = try startBoth(world, "PUBLIC")
        denied = try startBoth(world, "SECRET")
        _ = try start(world, "serve", "abstract", "SECRET", abstract)
        _ = try start(world, "serve", "unix", "SECRET", socket)
        link(socket, socket + ".linked")
        _ = try start(world, "serve", "unixgram", "SECRET", socket + ".datagrams")
        terminal = try start(world, "terminal")
    }

    /// Shared memory, semaphores and queues of a process outside.
    func objects(_ world: World) throws -> [String] {
        try ready(world, [world.guest, "make-objects"]).split(separator: " ").map(String.init)
    }

    /// What they share with the whole machine goes with them.
    deinit {
        for one in running { one.closeInput() }
        for one in running { _ = one.finish(within: 5) }
    }

    private func start(_ world: World, _ words: String...) throws -> String { try ready(world, [world.guest] + words) }

    /// TCP and UDP at the same port: one that is free for the first may be somebody's for the second.
    private func startBoth(_ world: World, _ word: String) throws -> String {
        for _ in 0..<8 {
            let port = try start(world, "serve", "tcp", word)
            if (try? start(world, "serve", "udp", word, port)) != nil { return port }
        }
        throw Trouble("no port is free for both TCP and UDP")
    }

    private func ready(_ world: World, _ command: [String]) throws -> String {
        let one = try world.start(command)
        running.append(one)
        guard let line = one.line(), line.hasPrefix("ready ") else { throw Trouble("it is not ready: \(command)") }
        return String(line.dropFirst(6))
    }
}

extension EndToEnd {
    /// Every technique natively, where it has to work, and under a profile that denies one folder, one program, one address.
    @Suite(.serialized) struct AttackTests {
        private func arguments(_ attack: Attack, _ world: World, _ listeners: Listeners, own: [String] = []) throws -> [String] {
            let target: [String] =
                switch attack.needs {
                case .nothing, .memory, .lent, .streamed: []
                case .objects: try listeners.objects(world)
                case .secret: [world.secret]
                case .forbidden, .bareForbidden, .unlisted: [world.forbidden]
                case .fixed: [world.root + "/vault/fixed"]
                case .spilled: [world.secret, world.root + "/spilled"]
                case .linkedSecret: [world.secret, world.root + "/links/secret"]
                case .linkedForbidden: [world.forbidden, world.root + "/links/program"]
                case .readOnly: [world.root + "/vault/readonly"]
                case .place: [world.work + "/place"]
                case .handed, .handedByAllowed, .brought: [world.work + "/socket"]
                case .address: [listeners.allowed, listeners.denied]
                case .denied: [listeners.denied]
                case .abstract: [listeners.abstract]
                case .socket: [listeners.socket]
                case .linkedSocket: [listeners.socket, listeners.socket + ".linked"]
                case .terminal: [listeners.terminal]
                case .node: [world.node]
                case .fence: ["@FENCE@"]
                case .own: own
                case .store: [world.state, world.state + "/trail.db"]
                }
            return [world.guest, attack.name] + target + (attack.how.map { [$0] } ?? [])
        }

        /// A guest that leaks nothing when nobody stops it proves nothing. Root only: an ordinary account lacks some rights.
        @Test(.enabled(if: getuid() == 0), arguments: Attack.all)
        func worksUnsandboxed(_ attack: Attack) throws {
            let world = try World(), listeners = try Listeners(world)
            try "x".write(toFile: world.state + "/trail.db", atomically: false, encoding: .utf8)
            let outside = try prepare(attack, world)
            defer { outside?.closeInput() }
            var command = try arguments(attack, world, listeners, own: [world.secret, world.home])
            if attack.needs == .lent { command = [world.guest, "lend", world.secret] + command }
            if attack.needs == .streamed { command = [world.guest, "stream", "asked", world.secret] + command }
            if attack.needs == .spilled { command = [world.guest, "spill", world.root + "/spilled"] + command }
            if attack.needs == .fence { command = [world.guest, "fence", world.guest, "victim"] + command }
            var outcome = try world.native(command)
            // A race is won by luck, above all where another job has the second processor.
            for _ in 0..<4 where attack.name.hasPrefix("race-") && outcome.out != "leaked\n" { outcome = try world.native(command) }
            if outcome.out == "unknown here\n" { return }
            #expect(outcome.out == (attack.nativelyHeld ? "held\n" : "leaked\n"), "\(outcome)")
        }

        /// What has to be there before the session.
        private func prepare(_ attack: Attack, _ world: World) throws -> Running? {
            let links = world.root + "/links"
            mkdir(links, 0o777)
            if world.account == .ordinary { chown(links, Account.uid, Account.uid) }
            switch attack.needs {
            case .linkedSecret: link(world.secret, links + "/secret")
            case .linkedForbidden: link(world.forbidden, links + "/program")
            case .fixed: _ = try world.native([world.guest, "make-program", world.root + "/vault/fixed"])
            case .readOnly:
                let path = world.root + "/vault/readonly"
                try World.secretText.write(toFile: path, atomically: false, encoding: .utf8)
                if world.account == .ordinary { chown(path, Account.uid, Account.uid) }
            case .handed, .handedByAllowed, .brought:
                let helper = try world.start([
                    world.guest, attack.needs == .brought ? "bring" : "hand", world.work + "/socket", world.secret,
                ])
                guard helper.line() == "ready" else { throw Trouble("no helper") }
                return helper
            default: break
            }
            return nil
        }

        /// One folder, one program, one address are denied; or all writing but in the workspace, or all addresses.
        private func rules(_ attack: Attack, _ world: World, _ listeners: Listeners) -> String {
            let isReadOnly = attack.needs == .readOnly || attack.needs == .spilled
            let files =
                isReadOnly
                ? "default: deny, read: [\"/**\"], write: [\"${workspace}/**\", \"/dev/**\"]"
                    + (attack.needs == .spilled ? ", deny: [\"\(world.secret)\"]" : "")
                : "default: allow, deny: [\"\(world.root)/vault/inner\", \"\(world.root)/vault/inner/**\", \"${workspace}/place/run\"]"
            let denied = [
                "127.0.0.1:\(listeners.denied)", "unix:@\(listeners.abstract)", "unix:\(listeners.socket)",
                "unix:\(listeners.socket).datagrams",
            ].map { "\"\($0)\"" }.joined(separator: ", ")
            let network =
                attack.needs == .handed
                ? "default: deny" : attack.closed ? "default: deny, allow: [\"unix:${workspace}/**\"]" : "default: allow, deny: [\(denied)]"
            let programs =
                attack.needs == .unlisted
                ? "default: deny, allow: [guest, ls]"
                : "default: allow, deny: [\"\(attack.needs == .bareForbidden ? "forbidden" : world.forbidden)\", \"\(world.root)/vault/fixed\"]"
            return """
                mode: enforce
                files: { \(files) }
                exec: { \(programs) }
                network: { \(network) }
                """
        }

        @Test(.enabled(if: Built.exists(Built.sandbox)), arguments: Attack.all, Account.all)
        func isHeld(_ attack: Attack, account: Account) throws {
            let world = try World(account), listeners = try Listeners(world)
            let outside = try prepare(attack, world)
            defer { outside?.closeInput() }
            let profile = try world.profile("attacked", rules(attack, world, listeners))
            // The program, a folder of profiles and a profile that could come to be there, the state and what is in it.
            let profiles = world.home + "/.config/sandbox/profiles"
            try FileManager.default.createDirectory(atPath: profiles, withIntermediateDirectories: true)
            let own = [Built.sandbox, profiles, profiles + "/coding-agent.yaml", world.state, world.state + "/sessions"]
            var command = world.sandboxCommand(try arguments(attack, world, listeners, own: own), profile: profile)
            if attack.needs == .fence { command = [world.guest, "fence"] + command }
            if attack.needs == .lent { command = [world.guest, "lend", world.secret] + command }
            if attack.needs == .streamed { command = [world.guest, "stream", "asked", world.secret] + command }
            if attack.needs == .spilled { command = [world.guest, "spill", world.root + "/spilled"] + command }
            let outcome = try world.native(command, within: 90)
            #expect(outcome.out == "held\n" || outcome.out == "unknown here\n", "\(outcome)")
            #expect(try String(contentsOfFile: world.secret, encoding: .utf8) == World.secretText)
            let left = try FileManager.default.contentsOfDirectory(atPath: world.root + "/vault/inner")
            #expect(left == ["secret"])
            guard attack.recorded else { return }
            let target =
                switch attack.needs {
                case .address, .denied: ":" + listeners.denied
                case .socket, .linkedSocket: listeners.socket
                case .abstract: listeners.abstract
                case .forbidden, .bareForbidden: world.forbidden
                case .linkedSecret, .linkedForbidden: world.root + "/links"
                case .place, .handed, .handedByAllowed, .unlisted: world.work
                case .fixed: world.root
                case .memory: "/memfd:"
                case .objects: "message queue"
                default: world.root + "/vault"
                }
            let denials = try world.events("--decision", "deny")
            #expect(denials.contains { $0.resource.contains(target) && !$0.rules.isEmpty }, "\(denials.map(\.resource))")
        }

        /// In a network of its own, with a device that leads to others.
        static let withDevice =
            "ip link set lo up; ip link add outside type veth peer name other && ip link set other up && ip link set outside up &&"
            + " ip addr add 192.0.2.1/24 dev outside && ip addr add 2001:db8::1/64 dev outside nodad && ip addr replace fe80::1/64 dev outside nodad"
            + " && ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev outside && ip neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev outside"
            + " && ip route add default via 192.0.2.2 && ip route add default via 2001:db8::2; "
        static let hasDevice = getuid() == 0 && (try? World().native(["unshare", "-n", "sh", "-ec", withDevice]).code) == 0

        /// What is sent to a loopback address stays on this machine, by whichever device it is told to go.
        @Test(.enabled(if: hasDevice, "no network devices can be made here (`ip link add … type veth`)"))
        func loopbackByAnotherDevice() throws {
            let world = try World()
            let network = "network: { allow: [\"localhost:*\"], listen: [\"*:*\"] }"
            let profile = try world.profile("local", "mode: enforce\nfiles: { default: allow }\nexec: { default: allow }\n\(network)")
            func overheard(_ command: [String]) throws -> [String] {
                let run = ["unshare", "-n", "sh", "-c", AttackTests.withDevice + "exec \"$@\"", "sh", world.guest, "overhear", "outside"]
                return try world.native(run + command).out.split(separator: "\n").map(String.init)
            }
            for way in 0..<7 {
                let seen = try overheard([world.guest, "by-device", "outside", "\(way)"])
                // Two of them are IPv6's own.
                #expect(seen.last.map { $0.hasPrefix("0 ") == [4, 6].contains(way) && !$0.hasSuffix(" 0") } == true, "\(way): \(seen)")
            }
            let inside = try overheard(world.sandboxCommand([world.guest, "by-device", "outside"], profile: profile))
            #expect(inside.count == 8 && inside.last == "0 0" && inside.contains("3: sent sent"), "\(inside)")
        }

        @Test func everyAttackIsListed() throws {
            let listed = try World().native([Built.guest, "list", "attacks"]).out.split(separator: "\n").map {
                String($0.prefix { $0 != " " })
            }
            let notHere =
                (World.hasNodes ? [] : ["device-node"]) + (World.refusesDescriptors ? [] : Attack.refusedToSender.map(\.name).dropFirst())
            #expect(Set(listed).subtracting(notHere) == Set(Attack.all.map(\.name)))
        }
    }
}
