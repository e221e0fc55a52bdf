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

    /// All in one session, each in a folder of its own.
    private static let each = writes.enumerated().map { "(mkdir w\($0); cd w\($0); \($1.script))" }.joined(separator: "\n")

    private func written(_ file: String, _ place: Place) -> String {
        (try? String(contentsOfFile: "\(place.world.root)/open/\(file)", encoding: .utf8)) ?? ""
    }

    @Test(arguments: Account.all) func nothingIsWrittenOutside(account: Account) throws {
        let (place, profile) = try place(account)
        defer { place.end() }
        let outcome = try run(Self.each, place.classified, place, profile)
        for (script, file) in Self.writes { #expect(!written(file, place).contains("SECRET"), "\(script): \(outcome)") }
        let denied = try place.world.events("--decision", "deny")
        let stopped = denied.filter { $0.rules.first == "stays-in-work" }.reduce(0) { $0 + $1.count }
        #expect(stopped >= Self.writes.count, "\(denied) \(outcome)")
    }

    /// The same with what carries nothing; and what whoever starts the session has given it.
    @Test func othersAreWritten() throws {
        let (place, profile) = try place(.own)
        defer { place.end() }
        let outcome = try run(Self.each, place.open, place, profile)
        for (script, file) in Self.writes { #expect(written(file, place).contains("SECRET"), "\(script): \(outcome)") }
        let script = """
            cat $F > kept; cat $G > $O/q; exec 3> $O/r; echo x >&3; exec 3>&-; sort $F > sorted
            mkdir d; cp $F d/; mv d e; mv e/people.csv f; ln f g; cat $F
            """
        let beside = try run(script, place.classified, place, profile)
        #expect(beside.code == 0, "\(beside)")
        let into = "\(Built.sandbox) run -p \(profile) -- cat \(place.classified) > \(place.world.root)/open/given"
        #expect(try place.world.native(["bash", "-c", into]).code == 0)
        #expect(try place.world.events("--decision", "deny").isEmpty)
    }

    /// What a client's SQL names is in what it writes, whatever it is asked for by.
    @Test(.enabled(if: Built.installed("sqlite3")), arguments: Account.all) func tables(account: Account) throws {
        let place = try Place(account), world = place.world
        defer { place.end() }
        let profile = try world.profile(
            "tables",
            """
            mode: enforce
            files: { default: allow }
            exec: { default: allow }
            network: { default: allow }
            data: { pii: { tables: ["people"] } }
            rules: [{ name: stays, intent: net.egress, when: { carries: pii }, decide: deny }]
            """)
        for table in ["people", "other"] {
            let made = try world.native(["sqlite3", "\(table).db", "CREATE TABLE \(table)(a); INSERT INTO \(table) VALUES ('SECRET')"])
            #expect(made.code == 0, "\(made)")
            for read in ["sqlite3 @.db 'SELECT * FROM @' > out-@; cat out-@", "echo 'SELECT a FROM main.@;' | sqlite3 @.db"] {
                let script = "(" + read.replacingOccurrences(of: "@", with: table)
                let outcome = try world.sandboxed(["bash", "-c", script + ") > /dev/tcp/127.0.0.1/\(place.sink.port)"], profile: profile)
                let denied = try world.events("--session", "last", "--decision", "deny").contains { $0.rules.first == "stays" }
                #expect(denied == (table == "people"), "\(script): \(outcome)")
            }
        }
        #expect(place.sink.received().range(of: Data("SECRET".utf8)) != nil)
    }
}
