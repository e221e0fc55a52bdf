import Foundation
import Testing

extension EndToEnd {
    /// The same guest natively, observed, and enforced with everything allowed: three equal traces.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct ConformanceTests {
        static let guests = ["open-create", "open-paths", "open-magic", "openat2", "names", "fifo", "signals", "limits",
                             "processes", "sockets", "sockets-local"]

        @Test(arguments: guests, Account.all)
        func sameTrace(guest: String, account: Account) throws {
            let world = try World(account)
            let native = try world.native([world.guest, guest], within: 120)
            try #require(native.code == 0 && !native.out.contains("guest broke"), "natively: \(native)")
            for profile in ["observe", try world.permissive()] {
                let inside = try world.sandboxed([world.guest, guest], profile: profile, within: 240)
                #expect(firstDifference(native.out, inside.out) == nil, "under \(profile): \(inside.err)")
                #expect(inside.code == native.code && !inside.late, "under \(profile): \(inside.err)")
            }
        }

        @Test func everyGuestIsListed() throws {
            let listed = try World().native([Built.guest, "list", "conformance"]).out.split(separator: "\n").map(String.init)
            #expect(listed == Self.guests)
        }
    }
}
