import Foundation
import Testing

extension EndToEnd {
    /// Standard streams and other descriptors, on their way from whoever starts a session to its program.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct StreamTests {
        @Test(arguments: ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"], Account.all)
        func standardStreamsThatAreClosed(closed: String, account: Account) throws {
            let world = try World(account), permissive = try world.permissive()
            let script = "for i in 0 1 2; do [ -e /proc/self/fd/$i ] || echo no $i >> closed; done; echo out; echo error >&2; exit 3"
            func run(_ command: [String]) throws -> (Outcome, String) {
                let outcome = try world.native(["sh", "-c", "\"$@\" \(closed)", "-"] + command + ["sh", "-c", script])
                defer { unlink(world.work + "/closed") }
                return (outcome, (try? String(contentsOfFile: world.work + "/closed", encoding: .utf8)) ?? "")
            }
            let control = try run([])
            #expect(control.0.code == 3 && !control.1.isEmpty, "\(control)")
            for profile in ["observe", permissive] {
                let inside = try run(world.sandboxCommand([], profile: profile))
                #expect(inside == control, "under \(profile): \(inside)")
            }
            // And nothing is said into the trail.
            let listing = "\"$@\" \(closed); echo code $?"
            #expect(try world.native(["sh", "-c", listing, "-", Built.sandbox, "audit", "events"]).code == 0)
            #expect(try world.events("--operation", "exec").count >= 2)
        }

        /// The number of a terminal that the session has had may be somebody else's the next moment.
        @Test(arguments: Account.all) func terminalsWithTheNumberOfAnother(account: Account) throws {
            let world = try World(account)
            func seen(_ command: [String]) throws -> String? {
                let attack = try world.start(command)
                #expect(attack.line() == "ready")
                let other = try world.start([world.guest, "terminal"])
                defer { other.closeInput() }
                attack.write((other.line() ?? "").dropFirst("ready ".count) + "\n")
                return attack.line()
            }
            #expect(try seen([world.guest, "reuse-terminal"]) == "leaked")
            #expect(try seen(world.sandboxCommand([world.guest, "reuse-terminal"], profile: world.permissive())) == "held")
        }

        /// A pipe or a lock that we were handed is nobody's when we have ended.
        @Test func nothingInheritedIsHeldPastTheEnd() throws {
            let world = try World()
            let run = world.sandboxCommand(["true"]).map { "'\($0)'" }.joined(separator: " ")
            let script = "for i in 1 2 3 4 5 6 7 8 9 10; do (flock -n 9 || echo held; \(run)) 9>>lock; done"
            let outcome = try world.native(["bash", "-c", script])
            #expect(outcome.code == 0 && outcome.out.isEmpty, "\(outcome)")
        }

        @Test func streamsPassThrough() throws {
            let world = try World()
            let text = String(repeating: "0123456789abcdef\n", count: 20_000)
            let outcome = try world.sandboxed(["sh", "-c", "tee /dev/stderr"], input: text)
            #expect(outcome.out == text && outcome.err == text && outcome.code == 0)
            #expect(try world.sandboxed(["sh", "-c", "read line; echo \"[$line]\""], input: "").out == "[]\n")
        }

        @Test func nothingLeaksIntoTheChild() throws {
            let world = try World()
            #expect(try world.sandboxed([world.guest, "descriptors"]).out == "0 1 2 \n")
            let command = world.sandboxCommand([world.guest, "descriptors"]).map { "'\($0)'" }.joined(separator: " ")
            let outcome = try world.native(["bash", "-c", "exec 7</etc/passwd 99</etc/passwd; exec \(command)"])
            #expect(outcome.out == "0 1 2 \n", "\(outcome)")
        }

        /// Who starts a session may give it more than the profile grants, but not what it denies.
        @Test(arguments: ["< '%'", "0<> '%'", "3>&1 >> '%'", "2<> '%'", "< '%.other'"])
        func streamsThatAreDenied(_ redirection: String) throws {
            let world = try World()
            link(world.secret, world.root + "/link.other")
            let profile = try world.profile(
                "no-secret", "mode: enforce\nfiles: { default: allow, deny: [\"\(world.secret)\"] }\nnetwork: { default: allow }")
            let path = redirection.hasSuffix(".other'") ? world.root + "/link" : world.secret
            let command = world.sandboxCommand([world.guest, "exit", "0"], profile: profile).map { "'\($0)'" }.joined(separator: " ")
            let outcome = try world.native(["sh", "-c", command + " " + redirection.replacingOccurrences(of: "%", with: path)])
            #expect(outcome.code == 125 && outcome.out.isEmpty, "\(outcome)")
            #expect(redirection.hasPrefix("2") || outcome.err.contains("denied by files.deny[0]"), "\(outcome)")
            let given = try world.native(["sh", "-c", command + " < /etc/hostname"])
            #expect(given.code == 0, "\(given)")
        }

        /// Found by a name that is no more: the file has its denied one alone by then.
        @Test(arguments: Account.all) func streamWhoseNameIsGone(account: Account) throws {
            let world = try World(account), name = world.work + "/name"
            let profile = try world.profile(
                "no-secret", "mode: enforce\nfiles: { default: allow, deny: [\"\(world.secret)\"] }\nnetwork: { default: allow }")
            func run(_ command: [String]) throws -> Outcome {
                link(world.secret, name)
                return try world.native(["sh", "-c", "exec < \"$1\"; rm -f \"$1\"; shift; exec \"$@\"", "-", name] + command)
            }
            #expect(try run(["cat"]).out == World.secretText)
            let outcome = try run(world.sandboxCommand(["cat"], profile: profile))
            #expect(outcome.code == 125 && outcome.out.isEmpty && outcome.err.contains("denied by files.deny[0]"), "\(outcome)")
        }

        /// Where this machine has such a driver; there need be nothing behind the number.
        @Test(.enabled(if: World.hasNodes), arguments: Account.all) func disksByOtherDrivers(account: Account) throws {
            let devices = try String(contentsOfFile: "/proc/devices", encoding: .utf8).split(separator: "\n").map {
                $0.split(separator: " ")
            }
            guard let driver = devices.first(where: { $0.count == 2 && ["bsg", "nvme", "dax", "ndctl"].contains($0[1]) }),
                let major = UInt(driver[0])
            else { return }
            let world = try World(account), node = world.root + "/disk", command = ["head", "-c1", node]
            mknod(node, S_IFCHR | 0o666, major << 8 | 200)
            chmod(node, 0o666)
            #expect(try world.native(command).err.contains("No such device"))
            let outcome = try world.sandboxed(command, profile: try world.permissive())
            #expect(outcome.err.contains("Permission denied"), "\(outcome)")
            #expect(try world.events("--decision", "deny").contains { $0.rules == ["builtin.raw-devices"] })
        }

        /// Keyboards and radios that are made of what is written there: vhci, uhid, userio (10:137, 239, 240). And those that are there:
        /// event0 (13:64).
        @Test(.enabled(if: World.hasNodes), arguments: [0xa89, 0xaef, 0xaf0, 0xd40], Account.all)
        func makersOfDevices(device: UInt, account: Account) throws {
            let world = try World(account), node = world.root + "/maker", command = ["head", "-c0", node]
            mknod(node, S_IFCHR | 0o666, device)
            chmod(node, 0o666)
            #expect(try !world.native(command).err.contains("Permission denied"))
            #expect(try world.sandboxed(command, profile: try world.permissive()).err.contains("Permission denied"))
            #expect(try world.events("--decision", "deny").contains { $0.rules == ["builtin.raw-devices"] })
        }

        /// Nor somebody else's memory, nor a device that could write to its own.
        @Test(arguments: ["0<> /proc/self/mem", "< /proc/self/environ", "3>&1 >> /proc/self/mem"]) func streamsIntoOthers(
            _ redirection: String
        ) throws {
            let world = try World(), command = [world.guest, "exit", "0"]
            #expect(try world.native(["sh", "-c", "\"$@\" " + redirection, "sh"] + command).code == 0)
            let inside = world.sandboxCommand(command, profile: try world.permissive())
            let outcome = try world.native(["sh", "-c", "\"$@\" " + redirection, "sh"] + inside)
            #expect(outcome.code == 125 && outcome.err.contains("denied by builtin.other-processes"), "\(outcome)")
        }

        /// A socket for standard input may hold a descriptor already: nothing could keep it out.
        @Test(.enabled(if: World.refusesDescriptors), arguments: Account.all) func streamWithDescriptorsInIt(account: Account) throws {
            let world = try World(account), wrap = [world.guest, "stream", "before", world.secret], command = [world.guest, "exit", "0"]
            #expect(try world.native(wrap + command).code == 0)
            let outcome = try world.native(wrap + world.sandboxCommand(command, profile: try world.permissive()))
            #expect(
                outcome.code == 125 && outcome.err.contains("descriptor 0 is a socket in which descriptors may be waiting"), "\(outcome)")
        }
    }
}
