import Foundation
import Testing

/// A guest that attacks: what it needs, and what the trail should name afterwards.
struct Attack: Sendable, CustomTestStringConvertible {
    enum Needs: Sendable { case nothing, secret, forbidden, address, denied, abstract, socket, ipc, terminal, node, fence, own, store }
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
            "race-clone-vm", "race-vfork-thread", "race-mapped-file", "race-aio", "race-clone-fs", "race-clone-files", "race-link-of-link",
            "link-to-own-proc", "rename-parent", "truncate", "otmpfile-linkat", "set-dumpable-0-then-open",
        ].map { Attack(name: $0, needs: .secret) }
        + ["io-uring-open", "i386-open", "open-by-handle", "mount-new-api"].map { Attack(name: $0, needs: .secret, recorded: false) }
        + [Attack(name: "x32-open", needs: .secret, recorded: false, nativelyHeld: true)]
        + ["race-exec-path", "race-exec-script-symlink", "memfd-exec", "ld-so-exec", "exec-plain"].map {
            Attack(name: $0, needs: .forbidden)
        }
        + ["connect", "sendto", "sendmsg", "sendmmsg"].map { Attack(name: "race-sockaddr", needs: .address, how: $0) }
        + ["race-socket-dup2", "mapped-v4", "unspecified-address", "udp-sendmmsg-last"].map { Attack(name: $0, needs: .address) }
        + [Attack(name: "fastopen", needs: .address), Attack(name: "unix-abstract", needs: .abstract)]
        + ["unshare-user", "clone3-newuser", "userfaultfd", "keyctl", "tiocsti", "new-listener"].map {
            Attack(name: $0, needs: .nothing, recorded: false)
        }
        + ["ptrace-parent", "process-vm-parent", "kill-supervisor", "proc-supervisor", "pidfd-getfd-supervisor", "fsetown"]
        .map { Attack(name: $0, needs: .fence, recorded: false) } + outward

    /// Sections 5 to 8: other spellings of addresses, sockets in the file system, whoever supervises, the machine.
    private static let outward: [Attack] =
        ["unspecified-bound", "address-lengths"].map { Attack(name: $0, needs: .denied) }
        + ["unix-names", "unix-datagram", "race-unix-dup2"].map { Attack(name: $0, needs: .socket) }
        + ["signal-groups", "schedule-supervisor", "limit-supervisor", "proc-write-supervisor", "setns-supervisor"].map {
            Attack(name: $0, needs: .fence, recorded: false)
        }
        + ["rare-sockets", "netlink-change", "signal-everybody", "schedule-user", "kernel-settings", "machine-calls", "clone-flags"].map {
            Attack(name: $0, needs: .nothing, recorded: false)
        }
        + [
            Attack(name: "reconnect", needs: .address), Attack(name: "listen-unbound", needs: .nothing, recorded: false, closed: true),
            Attack(name: "unix-moved", needs: .socket, closed: true), Attack(name: "shared-ipc", needs: .ipc, recorded: false),
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
    let key = String(Int32.random(in: 1...Int32.max))
    private(set) var terminal = ""

    init(_ world: World) throws {
        socket = world.root + "/vault/open/socket"
        allowed = try start(world, "serve", "tcp", "PUBLIC")
        denied = try start(world, "serve", "tcp", "SECRET")
        _ = try start(world, "serve", "udp", "PUBLIC", allowed)
        _ = try start(world, "serve", "udp", "SECRET", denied)
        _ = try start(world, "serve", "abstract", "SECRET", abstract)
        _ = try start(world, "serve", "unix", "SECRET", socket)
        _ = try start(world, "serve", "unixgram", "SECRET", socket + ".datagrams")
        _ = try start(world, "share", key)
        terminal = try start(world, "terminal")
    }

    /// What they share with the whole machine goes with them.
    deinit {
        for one in running { one.closeInput() }
        for one in running { _ = one.finish(within: 5) }
    }

    private func start(_ world: World, _ words: String...) throws -> String {
        let one = try world.start([world.guest] + words)
        running.append(one)
        guard let line = one.line(), line.hasPrefix("ready") else { throw Trouble("no `guest \(words.joined(separator: " "))`") }
        return String(line.dropFirst(6))
    }
}

extension EndToEnd {
    /// Every technique natively, where it has to work, and under a profile that denies one folder, one program, one address.
    @Suite(.serialized) struct AttackTests {
        private func arguments(_ attack: Attack, _ world: World, _ listeners: Listeners, own: [String] = []) -> [String] {
            let target: [String] =
                switch attack.needs {
                case .nothing: []
                case .secret: [world.secret]
                case .forbidden: [world.forbidden]
                case .address: [listeners.allowed, listeners.denied]
                case .denied: [listeners.denied]
                case .abstract: [listeners.abstract]
                case .socket: [listeners.socket]
                case .ipc: [listeners.key]
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
            var command = arguments(attack, world, listeners, own: [world.secret, world.home])
            if attack.needs == .fence { command = [world.guest, "fence", world.guest, "victim"] + command }
            var outcome = try world.native(command)
            // A race is won by luck, above all where another job has the second processor.
            for _ in 0..<4 where attack.name.hasPrefix("race-") && outcome.out != "leaked\n" { outcome = try world.native(command) }
            #expect(outcome.out == (attack.nativelyHeld ? "held\n" : "leaked\n"), "\(outcome)")
        }

        @Test(.enabled(if: Built.exists(Built.sandbox)), arguments: Attack.all, Account.all)
        func isHeld(_ attack: Attack, account: Account) throws {
            let world = try World(account), listeners = try Listeners(world)
            let denied = [
                "127.0.0.1:\(listeners.denied)", "unix:@\(listeners.abstract)", "unix:\(listeners.socket)",
                "unix:\(listeners.socket).datagrams",
            ].map { "\"\($0)\"" }.joined(separator: ", ")
            let profile = try world.profile(
                "attacked",
                """
                mode: enforce
                files: { default: allow, deny: ["\(world.root)/vault/inner", "\(world.root)/vault/inner/**"] }
                exec: { default: allow, deny: ["\(world.forbidden)"] }
                network: \(attack.closed ? "{ default: deny, allow: [\"unix:${workspace}/**\"] }" : "{ default: allow, deny: [\(denied)] }")
                """)
            // The program, a folder of profiles and a profile that could come to be there, the state and what is in it.
            let profiles = world.home + "/.config/sandbox/profiles"
            try FileManager.default.createDirectory(atPath: profiles, withIntermediateDirectories: true)
            let own = [Built.sandbox, profiles, profiles + "/coding-agent.yaml", world.state, world.state + "/sessions"]
            var command = world.sandboxCommand(arguments(attack, world, listeners, own: own), profile: profile)
            if attack.needs == .fence { command = [world.guest, "fence"] + command }
            let outcome = try world.native(command, within: 90)
            #expect(outcome.out == "held\n", "\(outcome)")
            #expect(try String(contentsOfFile: world.secret, encoding: .utf8) == World.secretText)
            let left = try FileManager.default.contentsOfDirectory(atPath: world.root + "/vault/inner")
            #expect(left == ["secret"])
            guard attack.recorded else { return }
            let target =
                switch attack.needs {
                case .address, .denied: ":" + listeners.denied
                case .socket: listeners.socket
                case .abstract: listeners.abstract
                case .forbidden: world.forbidden
                default: world.root + "/vault"
                }
            let denials = try world.events("--decision", "deny")
            #expect(denials.contains { $0.resource.contains(target) && !$0.rules.isEmpty }, "\(denials.map(\.resource))")
        }

        @Test func everyAttackIsListed() throws {
            let listed = try World().native([Built.guest, "list", "attacks"]).out.split(separator: "\n").map {
                String($0.prefix { $0 != " " })
            }
            #expect(Set(listed).subtracting(World.hasNodes ? [] : ["device-node"]) == Set(Attack.all.map(\.name)))
        }
    }
}
