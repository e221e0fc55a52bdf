/// Secrets that are known by their look: by what their issuers put in front so that they can be found, as JSON Web Tokens
/// are made, and, where a profile asks for it, because nobody would think such a word up.
enum TokenShape {
    private enum Kind { case alphanumeric, upper, word, dotted, mixed }

    /// What a token begins with, and how many bytes of which kind follow at the least.
    private struct Prefix {
        let text: [UInt8]
        let least: Int
        let kind: Kind
        init(_ text: String, _ least: Int, _ kind: Kind) { (self.text, self.least, self.kind) = (Array(text.utf8), least, kind) }
    }

    private static let prefixes: [Prefix] = [
        (["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "hf_", "lin_api_", "dop_v1_", "dp.pt."], 30, .alphanumeric),
        (["npm_", "shpat_", "shpss_", "shpca_", "shppa_", "sbp_", "r8_", "nfp_", "gsk_", "pul-", "dapi"], 32, .alphanumeric),
        (["rubygems_", "secret_"], 43, .alphanumeric),
        (["sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"], 16, .alphanumeric),
        (["AKIA", "ASIA"], 16, .upper), (["AGE-SECRET-KEY-1"], 50, .alphanumeric),
        (["github_pat_", "dckr_pat_", "ya29.", "hvs.", "tskey-", "pypi-AgE", "GOCSPX-", "sq0atp-", "sq0csp-", "figd_", "ntn_"], 20, .word),
        (
            [
                "AIza", "glsa_", "ATATT3x", "ATCTT3x", "xkeysib-", "nvapi-", "xai-", "pplx-", "PMAK-", "sntrys_", "sntryu_", "glc_",
                "doo_v1_",
            ], 32, .word
        ),
        (["pscale_tkn_", "pscale_pw_", "dor_v1_", "hvb."], 32, .word),
        (["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-"], 20, .dotted),
        (["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xapp-"], 10, .dotted), (["SG."], 40, .dotted),
        (["sk-"], 20, .mixed),
    ].flatMap { texts, least, kind in texts.map { Prefix($0, least, kind) } }
    /// Nearly every byte begins none.
    private static let byFirst: [[Prefix]] = (0..<256).map { byte in prefixes.filter { Int($0.text[0]) == byte } }

    /// Whether there may be one: a look without copying anything, and without the tables, which most sessions never need.
    static func mayBe(in bytes: Span<UInt8>) -> Bool {
        var before: UInt8 = 0
        for i in bytes.indices {
            let byte = bytes[i]
            if !isWordByte(before), isAlphanumeric(byte), mayBegin(bytes.extracting(i..<bytes.count)) { return true }
            before = byte
        }
        return false
    }

    private static func mayBegin(_ rest: Span<UInt8>) -> Bool {
        // A word as short as most are is none.
        guard rest.count >= leastLength else { return false }
        for i in 0..<leastLength where Bytes.isBlank(rest[i]) || rest[i] == 0 { return false }
        return begins(rest, with: jwt) || byFirst[Int(rest[0])].contains { begins(rest, with: $0.text) }
    }

    private static func begins(_ rest: Span<UInt8>, with text: [UInt8]) -> Bool {
        for i in text.indices where i >= rest.count || rest[i] != text[i] { return false }
        return true
    }

    /// Of the shortest token there is: `xoxb-` and ten bytes.
    private static let leastLength = 15

    /// All of them masked, and with `entropy` what looks as random as they do.
    static func masked(_ word: [UInt8], entropy: Bool) -> [UInt8] {
        var out: [UInt8] = []
        var i = 0, copied = 0
        while i < word.count {
            let before = i == 0 ? 0 : word[i - 1]
            // Each start is where what came before cannot go on: a hostile word is not gone through again and again.
            let known = isWordByte(before) ? nil : token(word[i...])
            guard let length = known ?? (entropy && !isRunByte(before) ? random(word[i...], in: word) : nil) else {
                i += 1
                continue
            }
            out += word[copied..<i] + ArgumentRedaction.mask
            i += length
            copied = i
        }
        return copied == 0 ? word : out + word[copied...]
    }

    // MARK: By prefix

    private static let jwt = Array("eyJ".utf8)

    private static func token(_ rest: ArraySlice<UInt8>) -> Int? {
        guard let first = rest.first else { return nil }
        if first == UInt8(ascii: "e"), let length = webToken(rest) { return length }
        for prefix in byFirst[Int(first)] where rest.starts(with: prefix.text) {
            let body = rest.dropFirst(prefix.text.count).prefix { belongs($0, prefix.kind) }
            guard body.count >= prefix.least else { continue }
            if prefix.kind == .mixed, !isMixed(body) { continue }
            // Neither more nor less: a longer word is another.
            if prefix.kind == .upper,
                body.count > prefix.least || rest.dropFirst(prefix.text.count + body.count).first.map(isWordByte) ?? false
            {
                continue
            }
            return prefix.text.count + body.count
        }
        return nil
    }

    /// `{"` in base64 is `eyJ`: a header, a payload, and a signature that may be empty (RFC 7515); five parts where it is encrypted.
    private static func webToken(_ rest: ArraySlice<UInt8>) -> Int? {
        guard rest.starts(with: jwt) else { return nil }
        let header = rest.prefix(while: isWordByte)
        guard header.count >= 10, rest.dropFirst(header.count).first == UInt8(ascii: ".") else { return nil }
        let payload = rest.dropFirst(header.count + 1).prefix(while: isWordByte)
        let length = header.count + 1 + payload.count
        guard payload.count >= 8, rest.dropFirst(length).first == UInt8(ascii: ".") else { return nil }
        return length + rest.dropFirst(length).prefix { belongs($0, .dotted) }.count
    }

    private static func belongs(_ byte: UInt8, _ kind: Kind) -> Bool {
        switch kind {
        case .alphanumeric: isAlphanumeric(byte)
        case .upper: isAlphanumeric(byte) && !(0x61...0x7a).contains(byte)
        case .word, .mixed: isWordByte(byte)
        case .dotted: isWordByte(byte) || byte == UInt8(ascii: ".")
        }
    }

    // MARK: By entropy

    /// Shorter ones are names as often as not.
    private static let leastRandom = 20

    /// Letters of both cases and digits that alternate as in no name. What is hexadecimal alone stays (digests, commits,
    /// UUIDs); so does what has no capitals, within a path (folders of package stores).
    private static func random(_ rest: ArraySlice<UInt8>, in word: [UInt8]) -> Int? {
        let run = rest.prefix(while: isRunByte)
        guard run.count >= leastRandom, !run.allSatisfy({ isHex($0) || $0 == UInt8(ascii: "-") }) else { return nil }
        let isPath = word.contains(UInt8(ascii: "/"))
        let isDense = changes(run) * (isPath ? 2 : 3) >= run.count && run.count(where: isDigit) >= 3
        guard isDense, isMixed(run) || !isPath && isOneLowerWord(run) else { return nil }
        return distinct(run) * 2 >= min(run.count, 32) ? run.count : nil
    }

    /// How often a letter follows a digit or another case, and so on.
    private static func changes(_ run: ArraySlice<UInt8>) -> Int {
        zip(run, run.dropFirst()).count { kind($0) != kind($1) }
    }

    private static func kind(_ byte: UInt8) -> Int {
        isDigit(byte) ? 0 : (0x61...0x7a).contains(byte) ? 1 : (0x41...0x5a).contains(byte) ? 2 : 3
    }

    private static func isOneLowerWord(_ run: ArraySlice<UInt8>) -> Bool {
        run.count >= 24 && run.allSatisfy { isAlphanumeric($0) && kind($0) != 2 }
    }

    private static func distinct(_ run: ArraySlice<UInt8>) -> Int { Set(run).count }

    private static func isMixed(_ run: ArraySlice<UInt8>) -> Bool {
        Set(run.map(kind)).isSuperset(of: [0, 1, 2])
    }

    // MARK: Bytes

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x66).contains(byte | 0x20) }
    private static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x7a).contains(byte | 0x20) }
    private static func isRunByte(_ byte: UInt8) -> Bool { isWordByte(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "=") }
    private static func isWordByte(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }
}
