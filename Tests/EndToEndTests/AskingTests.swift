import Foundation
import Testing

/// Who is asked: whoever sits at the terminal, and a web server.
extension EndToEnd {
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox) && Built.installed("python3", "bash"))) struct TerminalQuestionTests {
        private static let kept =
            #"{ name: kept, intent: file.delete, when: { path: "${workspace}/keep*" }, decide: ask, reason: keep it, ask: { TERMS } }"#

        private func play(
            _ scene: String, _ world: World, _ tool: String = "asking.py", terms: String = "timeout: 1h", options: [String] = []
        )
            throws -> Outcome
        {
            let profile = try world.rules(Self.kept.replacingOccurrences(of: "TERMS", with: terms))
            let command = world.sandboxCommand([], profile: profile, options: options).filter { $0 != "--quiet" || options.contains($0) }
            return try world.native(["python3", "\(Built.tools)/\(tool)", scene] + command, within: 120)
        }

        static let scenes = [
            "approved", "denied", "for-the-session", "later", "from-elsewhere", "withdrawn", "several", "resized", "too-long", "names",
            "stopped", "put-aside", "interrupted", "quit", "attacked",
        ]

        @Test(arguments: scenes, Account.all) func isAsked(scene: String, account: Account) throws {
            let world = try World(account)
            let outcome = try play(scene, world)
            #expect(outcome.code == 0, "\(outcome)")
            guard scene == "approved" else { return }
            let id = try #require(try world.events("--decision", "ask").first?.approval)
            let steps = try world.steps([id])
            #expect(steps.last?["outcome"] as? String == "approved" && steps.last?["channel"] as? String == "terminal", "\(steps)")
        }

        /// Without a question in the way, the same does get what is typed.
        @Test func theAttackIsOne() throws {
            let outcome = try World().native(["python3", "\(Built.tools)/asking.py", "attacked"])
            #expect(outcome.code == 0, "\(outcome)")
        }

        /// Where the profile names others, or two must approve, whoever sits there is not asked.
        @Test(arguments: ["timeout: 1s, approvers: [\"user:somebody-else\"]", "timeout: 1s, four_eyes: true"], Account.all)
        func isNotAskedWhoMayNotAnswer(terms: String, account: Account) throws {
            let outcome = try play("not-here", try World(account), terms: terms)
            #expect(outcome.code == 0, "\(outcome)")
        }

        /// On a terminal of its own a program behaves as on the user's.
        @Test(arguments: EndToEnd.TerminalTests.scenes, Account.all) func behaves(scene: String, account: Account) throws {
            guard EndToEnd.TerminalTests.available(scene) else { return }
            let world = try World(account)
            let outcome = try EndToEnd.TerminalTests.again { try play(scene, world, "terminal.py") }
            #expect(outcome.code == 0, "\(outcome)")
        }
    }

    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox) && Built.installed("python3"))) struct WebhookTests {
        private static let kept = #"{ name: kept, intent: file.delete, when: { path: "${workspace}/keep*" }, decide: ask, ask: { TERMS } }"#

        private func run(_ world: World, _ script: String, terms: String, rule: String = kept) throws -> Running {
            try world.start(
                world.sandboxCommand(["sh", "-c", script], profile: world.rules(rule.replacingOccurrences(of: "TERMS", with: terms))))
        }

        private func yes(_ id: String, _ more: String) -> String { #"{"approval":"\#(id)","answer":"approve",\#(more)}"# }

        @Test(arguments: Account.all) func whoHasTheRoleAnswers(account: Account) throws {
            let world = try World(account), approver = try Approver(world)
            let running = try run(world, ": > keep; rm keep; ls", terms: #"approvers: ["role:dba"]"#)
            let question = try #require(approver.next())
            #expect(question.operation == "delete" && question.resource == world.work + "/keep")
            // Not by the one who runs it, not by somebody without the role.
            let own = try world.native([Built.sandbox, "approvals", "approve", question.id])
            #expect(own.code == 1 && own.err.contains("does not name"), "\(own)")
            approver.answer(question.id, "right", yes(question.id, #""by":"user:bob","groups":["dba"]"#))
            #expect(approver.next()?.id == question.id)
            approver.answer(question.id, "right", yes(question.id, #""by":"user:ada","roles":["dba"]"#))
            #expect(running.finish().out.isEmpty)
            let steps = try world.steps([question.id])
            #expect(steps.compactMap { $0["taken"] as? String } == ["refused", "refused"], "\(steps)")
            #expect(steps.last?["outcome"] as? String == "approved" && steps.last?["by"] as? [String] == ["user:ada"])
            #expect(steps.last?["channel"] as? String == "webhook" && steps.last?["waited"] is Int)
        }

        /// What is signed by somebody else, at another time, for another question, or not at all, is no answer; each is taken once.
        @Test(arguments: Account.all) func whatIsNotSignedRightIsNoAnswer(account: Account) throws {
            let world = try World(account), approver = try Approver(world)
            let hows = ["right", "wrong", "stale", "unsigned", "again", "other"]
            let running = try run(
                world, "for i in 0 1 2 3 4 5; do : > keep$i; rm keep$i & done; wait; ls", terms: "approvers: [\"user:ada\"]")
            var ids: [String] = []
            while ids.count < hows.count, let question = approver.next() { ids.append(question.id) }
            try #require(ids.count == hows.count)
            func answer(_ id: String) -> String { yes(id, #""by":"user:ada""#) }
            approver.answer(ids[0], "right", answer(ids[0]))
            #expect(eventually { (try? world.questions(within: 1)) == ids.dropFirst().sorted() })
            for (id, how) in zip(ids, hows).dropFirst() {
                approver.answer(id, how == "other" ? "right" : how, answer(how == "other" ? ids[1] : id))
            }
            // They are asked again.
            var again: Set<String> = []
            while again.count < hows.count - 1, let question = approver.next() { again.insert(question.id) }
            #expect(again == Set(ids.dropFirst()))
            for id in ids.dropFirst() {
                approver.answer(id, "right", #"{"approval":"\#(id)","answer":"deny","by":"user:ada","reason":"no"}"#)
            }
            #expect(running.finish().out.split(separator: "\n").count == hows.count - 1)
            let reasons = [
                "its signature is wrong", "it was signed at another time", "it is not signed", "it is about another question",
                "it is about another question",
            ]
            for (id, reason) in zip(ids.dropFirst(), reasons) {
                let steps = try world.steps([id])
                #expect(
                    steps.compactMap { $0["reason"] as? String }.contains(reason) && steps.last?["outcome"] as? String == "denied",
                    "\(steps)")
            }
        }

        @Test(arguments: Account.all) func fourEyesAreTwoPeople(account: Account) throws {
            let world = try World(account), approver = try Approver(world)
            let running = try run(world, ": > keep; rm keep; ls", terms: #"approvers: ["group:ops"], four_eyes: true"#)
            let asker = try #require(try world.native(["id", "-un"]).out.split(separator: "\n").first)
            var taken: [String] = []
            for name in [String(asker), "ada", "ada", "bob"] {
                let id = try #require(approver.next()).id
                approver.answer(
                    id, "right", yes(id, #""by":"user:\#(name)","groups":["ops"],"scope":"\#(name == "bob" ? "once" : "session")""#))
                taken.append(id)
            }
            #expect(running.finish().out.isEmpty && Set(taken).count == 1)
            let steps = try world.steps([taken[0]])
            #expect(steps.compactMap { $0["taken"] as? String } == ["refused", "noted", "refused"], "\(steps)")
            #expect(steps.last?["by"] as? [String] == ["user:ada", "user:bob"] && steps.last?["scope"] as? String == "once")
        }

        /// Its question has timed out meanwhile.
        @Test(arguments: Account.all) func aLateAnswerIsRecordedAndDoesNothing(account: Account) throws {
            let world = try World(account), approver = try Approver(world)
            let running = try run(world, ": > keep; rm keep; echo denied; read go; ls", terms: "timeout: 1s, approvers: [\"user:ada\"]")
            let id = try #require(approver.next()).id
            #expect(running.line() == "denied")
            approver.answer(id, "right", yes(id, #""by":"user:ada""#))
            #expect(approver.heard() == id)
            running.write("go\n")
            running.closeInput()
            #expect(running.finish().out.hasSuffix("keep\n"))
            let steps = try world.steps([id])
            #expect(
                steps.compactMap { $0["outcome"] as? String } == ["timed_out"] && steps.last?["taken"] as? String == "too_late", "\(steps)")
        }

        // MARK: Sockets

        /// Each address is held by itself, by whatever call it comes.
        @Test(arguments: Account.all) func addressesAreHeld(account: Account) throws {
            let world = try World(account), approver = try Approver(world)
            let rule = #"{ name: out, intent: [net.connect, net.listen], decide: ask, ask: { TERMS } }"#
            let profile = try world.rules(rule.replacingOccurrences(of: "TERMS", with: "approvers: [\"user:ada\"]"))
            let running = try world.start(world.sandboxCommand([world.guest, "sends", "\(approver.port)", "9"], profile: profile))
            let (there, other) = ("127.0.0.1:\(approver.port)", "127.0.0.1:9")
            let expected = [
                ("connect", there), ("bind", "127.0.0.1:0"), ("send", there), ("send", there), ("send", there), ("send", other),
            ]
            for (i, (operation, resource)) in expected.enumerated() {
                let question = try #require(approver.next())
                #expect(question.operation == operation && question.resource == resource, "\(i): \(question)")
                let word = i == 3 ? "deny" : "approve"
                approver.answer(question.id, "right", #"{"approval":"\#(question.id)","answer":"\#(word)","by":"user:ada"}"#)
            }
            let lines = ["connect: ok", "bind: ok", "sendto: ok", "sendmsg: EACCES", "sendmmsg: 1 of 1", "sendmmsg: 1, the rest"]
            #expect(running.finish().out == lines.joined(separator: "\n") + "\n")
        }
    }
}

/// A web server that is asked.
final class Approver {
    private let server: Running
    let port: Int
    private static let secret = "a-secret-of-the-two"

    init(_ world: World) throws {
        server = try world.start(["python3", "\(Built.tools)/approver.py", Approver.secret])
        guard let port = server.line().flatMap({ Int($0) }) else {
            throw Trouble("the approver did not start: \(server.finish(within: 1))")
        }
        self.port = port
        let folder = world.home + "/.config/sandbox", file = folder + "/approvals.yaml"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try "url: http://127.0.0.1:\(port)/ask\nsecret: \(Approver.secret)\n".write(toFile: file, atomically: false, encoding: .utf8)
        chmod(file, 0o600)
        if world.account == .ordinary { for path in [world.home + "/.config", folder, file] { chown(path, Account.uid, Account.uid) } }
    }

    deinit { server.kill() }

    private func words(_ first: String) -> [String]? {
        while let line = server.line() {
            let words = line.split(separator: " ").map(String.init)
            if words.first == first { return words }
        }
        return nil
    }

    /// The next question that comes, signed as it should be.
    func next() -> OpenQuestion? {
        guard let words = words("asked"), words.count >= 5, words[2] == "yes" else { return nil }
        return OpenQuestion(id: words[1], operation: words[3], resource: words.dropFirst(4).joined(separator: " "))
    }

    /// The next question whose answer has had its effect.
    func heard() -> String? { words("heard")?[1] }

    func answer(_ id: String, _ how: String, _ json: String) { server.write("\(id) \(how) \(json)\n") }
}
