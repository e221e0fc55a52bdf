import Foundation
import Testing

extension EndToEnd.CarriesTests {
    /// Two sessions of one state folder, alive at once, and what is between them (`Tools/sessions.py`).
    static let between = ["fifo", "file", "tcp", "unix", "late", "served"]

    private func run(_ scene: String, _ place: Place, file: String) throws -> (reads: Outcome, sends: Outcome) {
        // What goes from one session to the other is egress like any other, unless somebody clears it.
        let profile = try place.world.profile(
            "between",
            """
            mode: enforce
            files: { default: allow }
            exec: { default: allow }
            network: { default: allow }
            data: { pii: { files: ["\(place.world.root)/data/pii/**"] } }
            rules:
              - { name: pii-stays-home, intent: net.egress, when: { carries: pii, host: ["127.0.0.1"], port: [\(place.sink.port)] }, decide: deny }
            """)
        func start(_ part: String) throws -> Running {
            let running = try place.world.start(
                place.world.sandboxCommand(
                    ["env", "F=\(file)", "P=\(place.sink.port)", "/usr/bin/python3", Built.tools + "/sessions.py", "\(scene)-\(part)"],
                    profile: profile))
            running.closeInput()
            return running
        }
        let reads = try start("reads"), sends = try start("sends")
        return (reads.finish(), sends.finish())
    }

    @Test(.enabled(if: Built.installed("python3")), arguments: between, [Account.all.last!]) func stopsBetweenSessions(
        scene: String, account: Account
    ) throws {
        let place = try Place(account)
        defer { place.end() }
        let outcome = try run(scene, place, file: place.classified)
        #expect(place.sink.received().isEmpty, "\(outcome)")
        let denied = try place.world.events("--decision", "deny")
        #expect(denied.contains { ["pii-stays-home", "builtin.data"].contains($0.rules.first) }, "\(denied) \(outcome)")
    }

    @Test(.enabled(if: Built.installed("python3")), arguments: between) func goesOnBetweenSessions(scene: String) throws {
        let place = try Place(.own)
        defer { place.end() }
        let outcome = try run(scene, place, file: place.open)
        #expect(String(decoding: place.sink.received(), as: UTF8.self).contains("SECRET"), "\(outcome)")
        #expect(try place.world.events("--decision", "deny").isEmpty, "\(outcome)")
    }

    /// `sandbox run … | sandbox run …`: the one that comes later asks what is in the pipe.
    @Test(.enabled(if: Built.installed("python3"))) func pipedSessions() throws {
        for (isClassified, passes) in [(true, false), (false, true)] {
            let place = try Place(.own)
            defer { place.end() }
            let file = isClassified ? place.classified : place.open
            func part(_ name: String) -> String {
                place.world.sandboxCommand(
                    ["env", "F=\(file)", "P=\(place.sink.port)", "/usr/bin/python3", Built.tools + "/sessions.py", name],
                    profile: place.profile
                ).joined(separator: " ")
            }
            let outcome = try place.world.native(["bash", "-c", part("pipe-reads") + " | " + part("pipe-sends")])
            #expect(place.sink.received().isEmpty != passes, "\(outcome)")
            #expect(try place.world.events("--decision", "deny").isEmpty == passes, "\(outcome)")
        }
    }
}
