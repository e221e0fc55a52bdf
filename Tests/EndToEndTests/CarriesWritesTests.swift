import Foundation
import Testing

extension EndToEnd.CarriesTests {
    /// Where somebody who carries a class must not write: by a file that was open before, by a move, a link, a folder, a mapping.
    /// `O` is the folder outside.
    static let writes: [(script: String, file: String)] = [
        ("cp $F $O/a", "a"), ("cat $F > $O/b", "b"), ("cat $F >> $O/c", "c"), ("exec 3> $O/d; cat $F >&3", "d"),
        ("exec 3>> $O/e; (read -r l < $F; echo $l >&3)", "e"), ("cp $F x; mv x $O/f", "f"), ("cp $F x; ln x $O/g", "g"),
        ("mkdir x; cp $F x/; mv x $O/h", "h/people.csv"), ("dd if=$F of=$O/i 2> /dev/null", "i"), ("tee $O/j < $F > /dev/null", "j"),
        ("sort $F -o $O/k", "k"), ("sort $F | uniq > $O/l", "l"), ("(cat $F; true) | (cat > $O/m)", "m"),
        ("P=0 U=0 /usr/bin/python3 $T/channels.py mapped-before $O/n", "n"), ("touch $O/o; exec 3<> $O/o; mv $O/o $O/p; cat $F >&3", "p"),
    ]

    private func place(_ account: Account) throws -> (Place, profile: String) {
        let place = try Place(account), root = place.world.root
        let profile = try place.world.profile(
            "writing",
            """
            mode: enforce
            files: { default: allow }
            exec: { default: allow }
            network: { default: allow }
            data: { pii: { files: ["\(root)/data/pii/**"] } }
            rules:
              - { name: stays-in-work, intent: file.write, when: { carries: pii, path_not: ["${workspace}/**", "/dev/**"] }, decide: deny }
            """)
        return (place, profile)
    }

    private func run(_ script: String, _ file: String, _ place: Place, _ profile: String) throws -> Outcome {
        let variables = ["F=\(file)", "G=\(place.open)", "O=\(place.world.root)/open", "T=\(Built.tools)"]
        return try place.world.sandboxed(["env"] + variables + ["bash", "-c", script], profile: profile)
    }

    @Test(arguments: Account.all) func nothingIsWrittenOutside(account: Account) throws {
        let (place, profile) = try place(account)
        defer { place.end() }
        for (script, file) in Self.writes {
            let outcome = try run("mkdir w; cd w\n" + script + "\ncd ..; rm -rf w", place.classified, place, profile)
            let written = (try? String(contentsOfFile: "\(place.world.root)/open/\(file)", encoding: .utf8)) ?? ""
            #expect(!written.contains("SECRET"), "\(script): \(outcome)")
            let denied = try place.world.events("--session", "last", "--decision", "deny")
            #expect(denied.contains { $0.rules.first == "stays-in-work" }, "\(script): \(denied) \(outcome)")
        }
    }

    /// The same with what carries nothing; and what whoever starts the session has given it.
    @Test func othersAreWritten() throws {
        let (place, profile) = try place(.own)
        defer { place.end() }
        for (script, file) in Self.writes {
            let outcome = try run("mkdir w; cd w\n" + script, place.open, place, profile)
            let written = (try? String(contentsOfFile: "\(place.world.root)/open/\(file)", encoding: .utf8)) ?? ""
            #expect(written.contains("SECRET"), "\(script): \(outcome)")
            _ = try place.world.native(["rm", "-rf", "w"])
        }
        let beside = """
            cat $F > kept; cat $G > $O/q; exec 3> $O/r; echo x >&3; exec 3>&-; sort $F > sorted
            mkdir d; cp $F d/; mv d e; mv e/people.csv f; ln f g; cat $F
            """
        let outcome = try run(beside, place.classified, place, profile)
        #expect(outcome.code == 0, "\(outcome)")
        let into = "\(Built.sandbox) run -p \(profile) -- cat \(place.classified) > \(place.world.root)/open/given"
        #expect(try place.world.native(["bash", "-c", into]).code == 0)
        #expect(try place.world.events("--decision", "deny").isEmpty)
    }
}
