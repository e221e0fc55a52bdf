import Foundation
import Testing

extension EndToEnd {
    /// The same guest natively, observed, and enforced with everything allowed: three equal traces.
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox))) struct ConformanceTests {
        static let guests = [
            "open-create", "open-paths", "open-magic", "openat2", "names", "fifo", "signals", "limits",
            "processes", "sockets", "sockets-local", "objects", "shapes",
        ]

        /// What an enforced program can notice, line by line (by the beginning of the native line): each stands with its
        /// reason in docs/DIFFERENCES.md.
        static let knownDifferences: [String: [String]] = [
            "open-create": ["/proc/version for writing", "create in /proc"],
            "open-paths": [
                "O_NOFOLLOW does not mind links before the end", "the same with a slash", "depth ", "create below PATH_MAX",
                "read below PATH_MAX", "unlink below PATH_MAX", "PROT_WRITE",
            ],
            "open-magic": ["/dev/tty: ok", "/dev/tty through a link"],
            "openat2": ["O_PATH with O_RDWR", "RESOLVE_CACHED"],
            "names": [
                "fchmod O_PATH", "utimensat NULL path, no descriptor", "unlink \"/proc/", "rmdir \"/proc/", "unlinkat full \"/proc/",
                "rename \"/proc/", "truncate \"/proc/", "chmod \"/proc/", "chown self \"/proc/", "lchown self \"/proc/",
                "utimensat \"/proc/", "setxattr \"/proc/", "lsetxattr \"/proc/", "removexattr \"/proc/", "removexattr again \"/proc/",
            ],
            "limits": ["a missing file with no descriptor left", "not truncated"],
            "sockets-local": ["  peer is me"],
        ]

        @Test(arguments: guests, Account.all)
        func sameTrace(guest: String, account: Account) throws {
            let world = try World(account)
            let native = try world.native([world.guest, guest], within: 120)
            try #require(native.code == 0 && !native.out.contains("guest broke"), "natively: \(native)")
            for profile in ["observe", try world.permissive()] {
                let inside = try world.sandboxed([world.guest, guest], profile: profile, within: 240)
                let known = profile == "observe" ? [] : Self.knownDifferences[guest] ?? []
                #expect(firstDifference(native.out, inside.out, except: known) == nil, "under \(profile): \(inside.err)")
                #expect(inside.code == native.code && !inside.late, "under \(profile): \(inside.err)")
            }
        }

        @Test func everyGuestIsListed() throws {
            let listed = try World().native([Built.guest, "list", "conformance"]).out.split(separator: "\n").map(String.init)
            #expect(listed == Self.guests)
        }
    }
}
