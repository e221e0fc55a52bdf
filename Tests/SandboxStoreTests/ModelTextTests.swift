import SandboxModel
import Testing

@Suite struct ModelTextTests {
    @Test(
        arguments: [
            (Array("plain/path".utf8), "plain/path"), (Array("a b".utf8), "a b"), (Array("grün 猫 🙂".utf8), "grün 猫 🙂"),
            (Array("a\nb\tc\rd".utf8), "a\\nb\\tc\\rd"), (Array("\u{1b}[31mred\u{7}".utf8), "\\x1b[31mred\\x07"),
            (Array("\u{7f}".utf8), "\\x7f"), (Array("\u{85}\u{9b}".utf8), "\\u{85}\\u{9b}"),
            (Array("a\u{202e}b\u{2066}".utf8), "a\\u{202e}b\\u{2066}"), (Array("\u{2028}\u{2029}".utf8), "\\u{2028}\\u{2029}"),
            (Array("\u{200b}\u{feff}\u{e0041}".utf8), "\\u{200b}\\u{feff}\\u{e0041}"), (Array("\u{a0}".utf8), "\\u{a0}"),
            (Array("back\\slash".utf8), "back\\\\slash"), ([0x61, 0xff, 0x62], "a\\xffb"), ([0xc0, 0xaf], "\\xc0\\xaf"),
            ([0xed, 0xa0, 0x80], "\\xed\\xa0\\x80"), ([0xf4, 0x90, 0x80, 0x80], "\\xf4\\x90\\x80\\x80"), ([0xe2, 0x82], "\\xe2\\x82"),
            ([0], "\\x00"), ([], ""),
        ] as [([UInt8], String)])
    func textForPeople(bytes: [UInt8], shown: String) {
        #expect(Escaped.text(bytes) == shown)
    }

    @Test(
        arguments: [
            (Array("say \"hi\"\\".utf8), #""say \"hi\"\\""#), (Array("\u{1b}\n\u{85}\u{202e}".utf8), #""\u001b\n\u0085\u202e""#),
            ([0x61, 0xff], #""a\\xff""#), (Array("\u{e0041}".utf8), #""\udb40\udc41""#), (Array("ü".utf8), "\"ü\""),
        ] as [([UInt8], String)])
    func textForPrograms(bytes: [UInt8], shown: String) {
        #expect(Escaped.json(bytes) == shown)
    }

    @Test func noControlEverComesThrough() {
        let ranges: [ClosedRange<UInt32>] = [0...0x3100, 0xfe00...0xffff, 0x1d000...0x1d200, 0xe0000...0xe0200]
        for value in ranges.joined() {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let bytes = Array(String(scalar).utf8)
            for text in [Escaped.text(bytes), Escaped.json(bytes)] {
                let hidden = text.unicodeScalars.contains { shown in
                    shown.value < 0x20 || (0x7f...0x9f).contains(shown.value)
                        || [.format, .lineSeparator, .paragraphSeparator].contains(shown.properties.generalCategory)
                }
                if hidden { Issue.record("U+\(String(value, radix: 16)) comes through") }
            }
        }
    }

    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")])
    func base64(text: String, encoded: String) { #expect(Escaped.base64(Array(text.utf8)) == encoded) }

    @Test func commandLinesAreQuoted() {
        let words = ["s", "h i", "it's", "", "a\u{1b}b"].map { Array($0.utf8) }
        #expect(Escaped.commandLine(words) == #"s 'h i' 'it'\''s' '' a\x1bb"#)
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (1_763_632_800_123_456_789, "2025-11-20T10:00:00.123456Z"),
            (951_827_696_000_000_000, "2000-02-29T12:34:56.000000Z"), (4_107_542_399_000_000_000, "2100-02-28T23:59:59.000000Z"),
        ] as [(UInt64, String)])
    func times(time: UInt64, shown: String) {
        #expect(Timestamp.text(time) == shown)
        #expect(Timestamp.parse(shown, now: 0) == time / 1000 * 1000)
    }

    @Test(
        arguments: [
            ("90s", 910), ("10m", 400), ("1970-01-01T00:10:00Z", 600), ("1970-01-01t02:10:00+02:00", 600),
            ("1970-01-02", 86_400), ("2h", 0), ("", nil), ("10", nil), ("-5s", nil), ("+5s", nil), ("5 s", nil),
            ("1970-13-01T00:00:00Z", nil), ("1970-01-01T00:00:00", nil), ("1970-01-01T25:00:00Z", nil), ("yesterday", nil),
            ("99999999999999999999d", nil), ("9999999999999999d", nil),
        ] as [(String, UInt64?)])
    func timesThatPeopleGive(text: String, seconds: UInt64?) {
        #expect(Timestamp.parse(text, now: 1_000_000_000_000) == seconds.map { $0 * 1_000_000_000 })
    }

    @Test(arguments: [
        ("/w/*.c", "/w/a.c", true), ("/w/*.c", "/w/x/a.c", false), ("/w/**", "/w/x/a.c", true), ("/w/**", "/w", false),
        ("**/.env", "/a/b/.env", true), ("**/.env", "/a/b.env", false), ("/w/**/x/*.c", "/w/a/x/b/x/c.c", true),
        ("/w/?", "/w/ab", false), ("/w/?", "/w/a", true), ("/w/\\*", "/w/*", true), ("/w/\\*", "/w/a", false),
        ("*", "a/b", false), ("**", "a/b", true), ("a*b*c", "aXbXbXc", true), ("a**c*e", "a/c/cd/ce", true), ("", "", true),
    ])
    func globs(pattern: String, text: String, matches: Bool) {
        #expect(ByteGlob(pattern).matches(Array(text.utf8)) == matches)
    }

    @Test func aHostileGlobIsQuick() {
        let glob = ByteGlob(String(repeating: "a**", count: 30) + "b")
        #expect(!glob.matches([UInt8](repeating: 0x61, count: 4000)))
    }
}
