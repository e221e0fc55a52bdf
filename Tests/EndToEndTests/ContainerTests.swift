import Foundation
import Testing

extension EndToEnd {
    /// Where `sandbox run` is started inside of something else that keeps processes apart.
    @Suite(.serialized) struct ContainerTests {
        static let userNamespaces = (try? World().native(["unshare", "-Ur", "true"]).code == 0) ?? false
        static let containers: [[String]] =
            [["unshare", "-Ur"], ["unshare", "-Urpf", "--mount-proc"]]
            + (getuid() == 0
                ? [
                    [
                        "unshare", "-m", "sh", "-c",
                        "mount --rbind / /mnt && exec chroot /mnt sh -c 'cd \"$0\" && exec \"$@\"' \"$PWD\" \"$@\"", "sh",
                    ]
                ] : [])

        /// In a user namespace, where root's files belong to nobody, with processes of its own besides, in another root: what
        /// is denied is denied, what is allowed goes on.
        @Test(.enabled(if: userNamespaces, "no user namespaces here (`unshare -Ur`)"), arguments: containers, Account.all)
        func insideAContainer(container: [String], account: Account) throws {
            guard container.count == 2 || container[1] != "-m" || account == .own else { return }
            let world = try World(account)
            let command = world.sandboxCommand(
                ["sh", "-c", "echo made > file; cat file; cat \(world.secret); \(world.forbidden); test -e /proc/self/fd/0 && echo here"],
                profile: try world.profile(
                    "contained",
                    "mode: enforce\nfiles: { default: allow, deny: [\"\(world.root)/vault/inner/**\"] }\nexec: { default: allow, deny: [\"\(world.forbidden)\"] }"
                ))
            let outcome = try world.native(container + command)
            #expect(outcome.code == 0 && outcome.out == "made\nhere\n", "\(outcome)")
            #expect(outcome.err.contains("Permission denied") && outcome.err.contains("denied by exec.deny[0]"), "\(outcome)")
            let shipped = try world.native(container + world.sandboxCommand(["echo", "well"], profile: "coding-agent"))
            #expect(shipped.code == 0 && shipped.out == "well\n", "\(shipped)")
        }

        /// The front's process group has no number in there: the agent inherits it all the same, so that it works at the terminal like what
        /// was started directly, and the supervisor is in another.
        @Test(.enabled(if: userNamespaces, "no user namespaces here (`unshare -Ur`)"), arguments: Account.all)
        func groupFromOutside(account: Account) throws {
            let world = try World(account), group = ["sh", "-c", "read a b c d group rest < /proc/self/stat; echo $group"]
            for command in [group, world.sandboxCommand(group), world.sandboxCommand(group, profile: try world.permissive())] {
                let outcome = try world.native(["unshare", "-Urpf", "--mount-proc"] + command)
                #expect(outcome.code == 0 && outcome.out == "0\n", "\(outcome)")
            }
        }

        /// Without a procfs of our own every look at a process would be at another one, or at none: nothing runs, and it is said why.
        @Test(
            .enabled(if: userNamespaces, "no user namespaces here (`unshare -Ur`)"), arguments: Account.all,
            [
                (["-Urpf"], "exec \"$@\"", "another PID namespace"),
                (["-Urm"], "mount -t tmpfs none /proc && exec \"$@\"", "procfs must be mounted"),
            ])
        func procfsOfOthers(account: Account, place: (options: [String], script: String, reason: String)) throws {
            let world = try World(account)
            let container = ["unshare"] + place.options + ["sh", "-c", place.script, "sh"]
            for profile in ["observe", try world.permissive()] {
                let outcome = try world.native(container + world.sandboxCommand(["echo", "ran"], profile: profile))
                #expect(outcome.code == 125 && outcome.out.isEmpty && outcome.err.contains(place.reason), "\(outcome)")
            }
            #expect(try world.native(container + [Built.sandbox, "doctor"]).code != 0)
        }

        /// A call that the container refuses, and without which nothing could be judged.
        @Test(
            arguments: Account.all,
            ["openat2", "process_vm_readv", "unshare", "signalfd", "pidfd_getfd", "close_range", "seccomp", "ptrace"])
        func callsThatAreRefused(account: Account, call: String) throws {
            let world = try World(account)
            for profile in ["observe", try world.permissive()] {
                let outcome = try world.native([world.guest, "without", call] + world.sandboxCommand(["echo", "ran"], profile: profile))
                #expect(outcome.code == 125 && outcome.out.isEmpty, "\(outcome)")
                #expect(outcome.err.hasPrefix("sandbox: \(call)") && outcome.err.contains("nothing was run"), "\(outcome)")
            }
            let doctor = try world.native([world.guest, "without", call, Built.sandbox, "doctor"])
            #expect(call == "signalfd" || doctor.code == 1, "\(doctor)")
        }
    }
}
