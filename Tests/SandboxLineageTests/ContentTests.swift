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
    ]

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
