import SandboxLineage
import SandboxModel
import Testing

@Suite struct ContentTests {
    static let table: [(text: String, found: [ContentKind: Int])] = [
        ("4111 1111 1111 1111", [.cardNumber: 1]), ("4111111111111111,5500005555555559;378282246310005", [.cardNumber: 3]),
        ("3782 822463 10005", [.cardNumber: 1]), ("4111111111111112", [:]), ("4111.1111.1111.1111", [:]),
        ("user@example.com, a.b+c@mail.example.co.uk.", [.email: 2]), ("pkg@1.2.3 git@10.0.0.1 @decorator foo@bar", [:]),
        ("219-09-9999", [.nationalID: 1]), ("666-12-1234 000-12-1234 123-00-1234", [:]),
        ("AB123456C BG123456A", [.nationalID: 1]), ("12345678Z X1234567L", [.nationalID: 2]), ("12345678A", [:]),
        ("RSSMRA85T10A562S", [.nationalID: 1]), ("DE89370400440532013000 GB29NWBK60161331926819", [.nationalID: 2]),
        ("GB29NWBK60161331926818", [:]), ("529.982.247-25", [.nationalID: 1]), ("44051401359", [.nationalID: 1]), ("12345678901", [:]),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nabc", [.privateKey: 1]), ("-----BEGIN CERTIFICATE-----", [:]),
        ("AKIAIOSFODNN7EXAMPLE ghp_0123456789abcdefghijABCDEFGHIJ012345", [.cloudKey: 2]),
        ("d41d8cd98f00b204e9800998ecf8427e 550e8400-e29b-41d4-a716-446655440000 1.2.3.4 2026-11-26T14:00:00Z 1764165600123", [:]),
        ("255081416802538", [.nationalID: 1]), ("1 85 05 78 006 084 91", [.nationalID: 1]), ("", [:]),
        // Issuers that few have, numbers that only look like one.
        ("6759649826438453 6445644564456445 9792030394440796", [.cardNumber: 3]), ("+4915112345678 1000000000000008", [:]),
        ("用户@example.com ada@bücher.example", [.email: 2]), ("logo@2x.png icon@3x.webp @media.screen node@20.x", [:]),
        ("AB 12 34 56 C", [.nationalID: 1]), ("AB 12 34 56 CX, AB 12 34 5 6", [:]),
        ("756.9217.0769.85 756.9217.0769.86", [.nationalID: 1]), ("811228-9874 811228-9875 19811228-9874", [.nationalID: 2]),
        ("85.07.30-033.28 130-692-544 900101-1234567 01010750160", [.nationalID: 4]), ("85.07.30-033.29 130-692-545 901301-1234567", [:]),
        ("11010519491231002X 11010519491231002x HEGG560427MVZRRL04", [.nationalID: 3]), ("110105194912310021 HEGG560427MVZRRL05", [:]),
        ("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n", [.privateKey: 1]), ("---- BEGIN SSH2 PUBLIC KEY ----", [:]),
        ("PuTTY-User-Key-File-3: ssh-ed25519", [.privateKey: 1]), ("AGE-SECRET-KEY-1QQQ", [.privateKey: 1]),
        (#"{"kty":"EC","crv":"P-256","x":"f83O","d":"jpsQ"}"#, [.privateKey: 1]),
        (#"{"kty":"EC","crv":"P-256","x":"f83O"} {"d":1}"#, [.privateKey: 1]),
        (#"{"kty":"EC","crv":"P-256","x":"f83O"}"#, [:]),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", [.cloudKey: 1]),
        (#"{"SecretAccessKey": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}"#, [.cloudKey: 1]),
        ("AccountName=a;AccountKey=\(String(repeating: "aB3/", count: 22))==;x", [.cloudKey: 1]),
        ("aws_secret_access_key = $SECRET AccountKey=short secret_access_key", [:]),
        (
            "xo\("xb")-1234567890-abcdefghij xapp-1-A0-123-0123456789abcdef hooks.slack.com/services/T0/B0/\(String(repeating: "x", count: 24))",
            [.cloudKey: 3]
        ),
        ("sk_\("test")_0123456789abcdefghijklmn GOCSPX-0123456789abcdefghijklmnopqr hvs.0123456789abcdefghijklmn", [.cloudKey: 3]),
        ("sk-learn task-0123456789 pk_live_0123456789abcdefghijklmn hf_transfer dapi", [:]),
    ]

    /// DER: what openssl(1) writes, its beginning. A certificate and a request for one begin otherwise.
    @Test(
        arguments: [
            ([0x30, 0x82, 0x04, 0xbe, 0x02, 0x01, 0x00, 0x30, 0x0d, 0x06, 0x09, 0x2a], 1),
            ([0x30, 0x82, 0x04, 0xa4, 0x02, 0x01, 0x00, 0x02, 0x82, 0x01, 0x01, 0x00], 1),
            ([0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70], 1),
            ([0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20, 0x00, 0x00, 0x00, 0x00, 0x00], 1),
            ([0x30, 0x82, 0x03, 0x00, 0x30, 0x82, 0x02, 0x00, 0xa0, 0x03, 0x02, 0x01], 0),
            ([0x30, 0x26, 0x02, 0x01, 0x01, 0x04, 0x06, 0x70, 0x75, 0x62, 0x6c, 0x69], 0),
            ([0x30, 0x82, 0x0a, 0x00, 0x02, 0x01, 0x03, 0x30, 0x82, 0x09, 0x00, 0x06], 0),
        ] as [([UInt8], Int)])
    func structures(begin: [UInt8], count: Int) { #expect(look(begin + [UInt8](repeating: 1, count: 20))[.privateKey] == count) }

    @Test(arguments: table.indices) func counts(row: Int) {
        let (text, expected) = Self.table[row]
        let found = look(Array(text.utf8))
        for kind in ContentKind.allCases { #expect(found[kind] == expected[kind] ?? 0, "\(kind.name) in \(text)") }
    }

    @Test func looksNoFurtherThanItSays() {
        let bytes = [UInt8](repeating: 0x20, count: Content.limit) + Array("4111111111111111".utf8)
        let before = look(bytes), within = look(Array(bytes.dropFirst(16)))
        #expect(before.isEmpty && within[.cardNumber] == 1)
    }

    private func look(_ bytes: [UInt8]) -> ContentCounts { Content.look(at: bytes.span) }
}
