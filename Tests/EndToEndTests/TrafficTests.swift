import Foundation
import Testing

extension EndToEnd {
    /// Bytes of connections: what the other side counted is what `audit usage` says.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct TrafficTests {
        /// Listens, and says how much each connection brought.
        private final class Sink {
            let port: String
            private let running: Running

            init(_ world: World) throws {
                running = try world.start([world.guest, "serve", "sink", "ANSWER"])
                guard let line = running.line(), line.hasPrefix("ready ") else { throw Trouble("the sink is not ready") }
                port = String(line.dropFirst(6))
            }

            /// Of the connections so far.
            func counts(_ number: Int) -> [UInt64] {
                (0..<number).map { _ in
                    var line = running.line() ?? ""
                    if line == "accepted" { line = running.line() ?? "" }
                    return UInt64(line.dropFirst(5)) ?? 0
                }
            }

            deinit {
                running.closeInput()
                _ = running.finish(within: 5)
            }
        }

        private func usage(_ world: World, by key: String) throws -> [[String: Any]] {
            let outcome = try world.native([Built.sandbox, "audit", "usage", "--by", key, "--json"])
            return try outcome.out.split(separator: "\n").compactMap {
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            }
        }

        private func bytes(_ row: [String: Any]?) -> (sent: UInt64, received: UInt64) {
            (row?["bytes_sent"] as? UInt64 ?? 0, row?["bytes_received"] as? UInt64 ?? 0)
        }

        /// However a connection ends: closed, left to the end of its process, killed, dissolved and made again, by a child that has it.
        @Test(arguments: ["exit", "kill", "dissolve", "inherit", "early"], Account.all) func bytesAreCounted(how: String, account: Account)
            throws
        {
            let world = try World(account), sink = try Sink(world), wanted: UInt64 = 300_001
            for profile in [try world.permissive(), "observe"] {
                _ = try world.sandboxed([world.guest, "talk", sink.port, String(wanted), how], profile: profile)
                let counted = sink.counts(how == "dissolve" ? 2 : 1)
                #expect(counted.allSatisfy { $0 == wanted }, "the control: \(counted)")
            }
            let rows = try usage(world, by: "host"),
                (sent, received) = bytes(rows.first { $0["host"] as? String == "127.0.0.1:\(sink.port)" })
            let times: UInt64 = how == "dissolve" ? 4 : 2
            #expect(sent == times * wanted, "\(rows)")
            // The end of what came in may count.
            #expect((times * 6...times * 7).contains(received), "\(rows)")
            #expect(bytes(rows.first { $0["host"] as? String == "127.0.0.1:9" }) == (0, 0), "\(rows)")
            for key in ["identity", "program", "day"] {
                #expect(try usage(world, by: key).contains { bytes($0) == (sent, received) }, "\(key)")
            }
        }

        /// close(2) is nobody's business, and is seen all the same while the process lives on.
        @Test(arguments: Account.all) func aClosedConnectionIsKnownAtOnce(account: Account) throws {
            let world = try World(account), sink = try Sink(world)
            let running = try world.start(
                world.sandboxCommand([world.guest, "talk", sink.port, "5000", "close"], profile: try world.permissive()))
            #expect(running.line() == "closed")
            #expect(eventually(within: 20) { (try? bytes(usage(world, by: "host").first).sent) == 5000 })
            running.closeInput()
            #expect(running.finish(within: 20).code == 0)
            #expect(try bytes(usage(world, by: "host").first).sent == 5000)
        }

        /// Nothing is asked of the kernel before there is a connection.
        @Test func whoConnectsNowherePaysNothing() throws {
            let world = try World(), sink = try Sink(world)
            func isAsking(_ command: [String], within seconds: Double) throws -> Bool {
                let running = try world.start(world.sandboxCommand(command, profile: try world.permissive()))
                _ = running.line()
                defer {
                    running.closeInput()
                    _ = running.finish(within: 20)
                }
                let folder = "/proc/\(try #require(World.supervisor(of: running.pid)))/task"
                // A thread gives itself its name.
                return eventually(within: seconds) {
                    let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
                    return threads.contains { (try? String(contentsOfFile: "\(folder)/\($0)/comm", encoding: .utf8)) == "sbx-traffic\n" }
                }
            }
            #expect(try !isAsking([world.guest, "hold"], within: 0.2))
            #expect(try isAsking([world.guest, "talk", sink.port, "1", "close"], within: 20))
        }

        /// Whoever has read what is classified, how much left with him, and where to.
        @Test(arguments: Account.all) func usageByDataClass(account: Account) throws {
            let world = try World(account), sink = try Sink(world)
            try "one\n".write(toFile: world.work + "/customers", atomically: false, encoding: .utf8)
            let profile = try world.profile(
                "classes",
                """
                mode: enforce
                files: { default: allow }
                exec: { default: allow }
                network: { default: allow }
                data: { pii: { files: ["${workspace}/customers"] } }
                rules: [{ name: kept, intent: net.egress, when: { carries: pii, port: 9 }, decide: deny, reason: it stays }]
                """)
            let talk = "\(world.guest) talk \(sink.port)"
            let script = "\(talk) 1000 exit; read line < customers; \(talk) 500 exit; exec 3<>/dev/tcp/127.0.0.1/9; true"
            _ = try world.sandboxed(["bash", "-c", script], profile: profile, options: ["--as", "agent:reader"])
            #expect(sink.counts(2) == [1000, 500])
            let rows = try usage(world, by: "data"), row = try #require(rows.first)
            #expect(rows.count == 1 && row["data"] as? String == "pii" && row["identity"] as? String == "agent:reader", "\(rows)")
            #expect(bytes(row).sent == 500 && row["refused"] as? Int == 1, "\(row)")
            #expect(row["destinations"] as? [String] == ["127.0.0.1:\(sink.port)"], "\(row)")
            let table = try world.native([Built.sandbox, "audit", "usage", "--by", "data"]).out
            #expect(table.contains("agent:reader") && table.contains("to 127.0.0.1:\(sink.port)"), "\(table)")
            // The shell was connected before its child read it, and the child reads more than that.
            let redirected = "cat customers /etc/hostname > /dev/tcp/127.0.0.1/\(sink.port)"
            _ = try world.sandboxed(["bash", "-c", redirected], profile: profile, options: ["--as", "agent:other"])
            let other = try #require(try usage(world, by: "data").first { $0["identity"] as? String == "agent:other" })
            #expect(other["sessions"] as? Int == 1 && other["files_read"] as? Int == 2 && other["hosts"] as? Int == 1, "\(other)")
            #expect(other["destinations"] as? [String] == ["127.0.0.1:\(sink.port)"] && bytes(other).sent > 4, "\(other)")
            let events = try world.native([Built.sandbox, "audit", "events", "--json", "--session", "last"]).out.split(separator: "\n")
            for name in ["/customers\"}", "/hostname\"}"] {
                #expect(events.filter { $0.contains(name) }.allSatisfy { $0.contains("\"carries\":[\"pii\"]") }, "\(name) \(events)")
            }
        }
    }
}
