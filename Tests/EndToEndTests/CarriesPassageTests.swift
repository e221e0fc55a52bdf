import Foundation
import Testing

extension EndToEnd.CarriesTests {
    /// Copies made inside the kernel, memory, what sockets tell besides data, descriptors that were handed out before, and programs that
    /// keep something for others (`Tools/passages.py`).
    static let passages = [
        "copy-range", "copied-by-another", "tee-between-pipes", "mapped-and-synced", "sealed-memory", "mapped-anew",
        "asynchronous-io", "abstract-datagram", "seqpacket", "datagram-to-self", "urgent-byte", "peer-credentials-name",
        "source-port", "helper-with-connection", "descriptor-taken", "reopened-by-proc", "nameless-linked", "command-line",
        "working-folder", "lock-owner", "terminal-size", "terminal-opened-by-name", "database", "database-log",
        "own-web-server", "cache-server", "tmux-buffer", "git-objects", "socat", "socat-starts", "vim", "curl-configuration",
        "in-parts", "patch", "exit-trap", "make", "parallel", "attached-database",
    ]
    private static let hasPrograms = Built.installed("python3", "tmux", "git", "socat", "vim", "curl", "make", "sqlite3")

    /// All in one session, each in a folder of its own.
    private static let each =
        "for w in \(passages.joined(separator: " ")); do mkdir $w; (cd $w; /usr/bin/python3 $T/passages.py $w > said 2>&1); echo $w $?; done"

    @Test(.enabled(if: hasPrograms), arguments: Account.all) func passagesAreShut(account: Account) throws {
        let place = try Place(account)
        defer { place.end() }
        let outcome = try place.run(Self.each, file: place.classified)
        #expect(place.sink.received().range(of: Data("SECRET".utf8)) == nil, "\(outcome)")
        #expect(outcome.out.split(separator: "\n").count == Self.passages.count, "\(outcome)")
        let denied = try place.world.events("--decision", "deny").filter { $0.rules.first == "pii-stays-home" }
        #expect(denied.reduce(0) { $0 + $1.count } >= Self.passages.count - 1, "\(denied) \(outcome)")
        // Whoever was stopped: from the file on.
        let why = try place.world.native([Built.sandbox, "lineage", "--why-carries", "last", "--json"])
        let steps = try why.out.split(separator: "\n").map { line -> (pid: String, why: [String]) in
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            return (object["subject"] as? String ?? "", object["why"] as? [String] ?? [])
        }
        for event in denied {
            #expect(steps.contains { $0.pid == "pid \(event.pid)" && $0.why.contains { $0.contains("people.csv") } }, "\(event) \(why)")
        }
    }

    /// With a file that carries nothing each of them leads out, but for what no session may do: to take a descriptor out of another process.
    @Test(.enabled(if: hasPrograms)) func passagesLeadOut() throws {
        let place = try Place(.own)
        defer { place.end() }
        let outcome = try place.run(Self.each, file: place.open)
        #expect(outcome.out == Self.passages.map { "\($0) 0\n" }.joined(), "\(outcome)")
        let received = String(decoding: place.sink.received(), as: UTF8.self)
        #expect(received.components(separatedBy: "SECRET").count == Self.passages.count, "\(received) \(outcome)")
        let denied = try place.world.events("--decision", "deny")
        #expect(denied.allSatisfy { $0.rules.first == "builtin.calls" }, "\(denied) \(outcome)")
    }
}
