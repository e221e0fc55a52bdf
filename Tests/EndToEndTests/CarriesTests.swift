import Foundation
import Testing

extension EndToEnd {
    /// What carries a class of data reaches nobody who is not cleared, by whatever way.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct CarriesTests {
        struct Place {
            let world: World
            let sink, cleared: Sink
            let profile: String
            var classified: String { world.root + "/data/pii/people.csv" }
            var open: String { world.root + "/open/people.csv" }

            /// `doors`: folders of the workspace where somebody may say that he can be visited.
            init(_ account: Account, doors: [String] = []) throws {
                world = try World(account)
                let work = world.work
                sink = try Sink(world, doors: doors.map { work + "/" + $0 })
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

        /// Why, of what was refused before anything was carried: opens, writes, program starts and connections, by every name.
        @Test(arguments: Account.all) func chainOfWhatWasRefused(account: Account) throws {
            let place = try Place(account)
            defer { place.end() }
            let world = place.world
            let profile = try world.profile(
                "refusing",
                """
                mode: enforce
                files: { default: allow }
                exec: { default: allow }
                network: { default: allow }
                data: { pii: { files: ["\(world.root)/data/pii/**"] } }
                rules:
                  - { name: stays, intent: net.egress, when: { carries: pii }, decide: deny }
                  - { name: stays-in-work, intent: [file.write, file.create], when: { carries: pii, path_not: ["${workspace}/**", "/dev/**"] }, decide: deny }
                  - { name: no-sort, intent: proc.exec, when: { carries: pii, program: "/usr/bin/sort" }, decide: deny }
                """)
            let sink = "127.0.0.1:\(place.sink.port)", file = place.classified, out = world.root + "/open/out"
            let script = """
                (exec 3<> /dev/tcp/127.0.0.1/\(place.sink.port); /usr/bin/cat \(file)); cp \(file) c
                (read -r l < c; : > \(out)); (read -r l < c; /usr/bin/sort /dev/null); (read -r l < c; : > /dev/udp/127.0.0.2/9)
                """
            let outcome = try world.sandboxed(["bash", "-c", script], profile: profile)
            func why(_ target: String) throws -> String {
                let answer = try world.native([Built.sandbox, "lineage", "--why-carries", target])
                #expect(answer.code == 0, "\(target) \(answer) \(outcome)")
                return answer.out
            }
            let denied = try world.events("--decision", "deny")
            #expect(Set(denied.flatMap(\.rules)).isSuperset(of: ["stays", "stays-in-work", "no-sort"]), "\(denied) \(outcome)")
            // Each by whoever was stopped.
            for event in denied {
                let text = try why("pid:\(event.pid)@last")
                #expect(text.contains("people.csv`: classified by `data.pii`"), "\(event) \(text)")
            }
            // By what was refused. The first never came to carry it.
            for target in [sink, file] {
                let text = try why(target)
                #expect(text.contains("/usr/bin/cat (pid ") && text.contains("would carry pii, and was refused by stays at"), "\(text)")
                #expect(text.contains("is connected to \(sink)"), "\(text)")
            }
            for target in [out, "/usr/bin/sort", "127.0.0.2:9"] {
                let text = try why(target)
                #expect(text.contains("could write `\(world.work)/c`") && text.contains(" carries pii since "), "\(target) \(text)")
            }
            let whole = try why("last")
            #expect(whole.contains("refused by stays at"), "\(whole)")
            let json = try world.native([Built.sandbox, "lineage", "--why-carries", sink, "--json"]).out.split(separator: "\n")
            let objects = try json.map { try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
            #expect(objects.first?["would_carry"] as? String == "pii" && objects.first?["refused_by"] as? String == "stays", "\(json)")
            #expect((objects.first?["why"] as? [String])?.count == 3, "\(json)")
            // Of a file that nobody was refused and that has nothing there is nothing to say.
            #expect(try world.native([Built.sandbox, "lineage", "--why-carries", place.open]).code == 1)
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
