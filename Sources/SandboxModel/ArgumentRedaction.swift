/// Takes secrets out of an argument vector before it is recorded.
///
/// Names decide, not the look of a value: `--password=…`, `--token …`, `API_KEY=…`, `-p…` of mysql,
/// `https://user:…@host`, `Authorization: Bearer …`. An argument with blanks in it (the text for `sh -c`) is
/// looked at word by word. Where in doubt the value is masked: a trail is kept for years.
package enum ArgumentRedaction {
    package static let mask = Array("***".utf8)

    package static func redact(_ arguments: [[UInt8]]) -> [[UInt8]] {
        guard let first = arguments.first else { return [] }
        return [first] + redact(words: arguments.dropFirst(), of: programName(first))
    }

    /// False where no argument but the program's own name has anything that a secret is known by: an option, a `=`, a `:`
    /// or a blank. Most program starts are such.
    package static func mayHoldSecrets(_ arguments: some Collection<UInt8>) -> Bool {
        guard let first = arguments.firstIndex(of: 0) else { return false }
        return arguments[first...].contains { $0 == 0x2d || $0 == 0x3d || $0 == 0x3a || isBlank($0) }
    }

    private static func redact(words: some Sequence<[UInt8]>, of program: String) -> [[UInt8]] {
        var out: [[UInt8]] = []
        var next: Expectation = .nothing
        for word in words {
            let expected = next
            next = .nothing
            if expected != .nothing, !word.starts(with: Array("--".utf8)) {
                out.append(expected == .secret ? mask : maskingAfterColon(word))
                continue
            }
            out.append(redact(word, of: program, expecting: &next))
        }
        return out
    }

    private enum Expectation { case nothing, secret, userAndSecret }

    /// `A=B=C=…`: so many names are looked at, what comes behind them is masked. A hostile argument of 64 KiB of `=`
    /// would otherwise cost 64 Ki copies and as many stack frames, on the tracer's thread.
    private static let deepest = 8

    private static func redact(_ word: [UInt8], of program: String, expecting next: inout Expectation, depth: Int = 0) -> [UInt8] {
        if depth == deepest { return mask }
        if let header = maskingHeader(word) { return header }
        if word.contains(where: isBlank) { return redactText(word, of: program) }
        if let short = maskingShortOption(word, of: program, expecting: &next) { return short }
        guard let equals = word.firstIndex(of: UInt8(ascii: "=")) else {
            if word.first == UInt8(ascii: "-"), isSecretName(word[...]) { next = .secret }
            if word == Array("--user".utf8), program == "curl" { next = .userAndSecret }
            return maskingURL(word)
        }
        let name = word[..<equals]
        if isSecretName(name) { return name + [word[equals]] + mask }
        // `--env=KEY=VALUE`: the name that counts is the last one before the value.
        let value = Array(word[(equals + 1)...])
        return name + [word[equals]] + redact(value, of: program, expecting: &next, depth: depth + 1)
    }

    /// The text of `sh -c`: its words, with their separators kept.
    private static func redactText(_ text: [UInt8], of program: String) -> [UInt8] {
        var words: [[UInt8]] = [[]]
        var separators: [UInt8] = []
        for byte in text {
            if isBlank(byte) {
                separators.append(byte)
                words.append([])
            } else {
                words[words.count - 1].append(byte)
            }
        }
        let shown = redact(words: words, of: words.first.map(programName) ?? program)
        var out = shown[0]
        for (separator, word) in zip(separators, shown.dropFirst()) { out += [separator] + word }
        return out
    }

    // MARK: The shapes a secret comes in

    /// Programs whose short option carries a password in the same word, and (second list) in the next.
    private static let attached: [String: String] = [
        "mysql": "-p", "mysqldump": "-p", "mysqladmin": "-p", "mysqlimport": "-p", "mariadb": "-p",
        "mariadb-dump": "-p", "sshpass": "-p", "redis-cli": "-a", "7z": "-p",
    ]
    private static let separate: [String: String] = [
        "sshpass": "-p", "redis-cli": "-a", "docker": "-p", "podman": "-p", "ldapsearch": "-w", "zip": "-P", "unzip": "-P",
    ]

    private static func maskingShortOption(
        _ word: [UInt8], of program: String, expecting next: inout Expectation
    ) -> [UInt8]? {
        if let option = separate[program], word == Array(option.utf8) {
            next = .secret
            return word
        }
        if let option = attached[program].map({ Array($0.utf8) }), word.starts(with: option), word.count > option.count,
            word[1] != UInt8(ascii: "-")
        {
            return option + mask
        }
        guard program == "curl", word.starts(with: Array("-u".utf8)) else { return nil }
        if word.count == 2 { next = .userAndSecret }
        return maskingAfterColon(word)
    }

    private static func maskingAfterColon(_ word: [UInt8]) -> [UInt8] {
        guard let colon = word.firstIndex(of: UInt8(ascii: ":")) else { return word }
        return word[...colon] + mask
    }

    /// `Authorization: Bearer …` and its kin, wherever in the argument it starts (`-HAuthorization: …`).
    private static func maskingHeader(_ word: [UInt8]) -> [UInt8]? {
        let lower = lowercased(word[...])
        for header in ["authorization:", "x-api-key:", "x-auth-token:", "private-token:", "cookie:"] {
            guard let start = position(of: Array(header.utf8), in: lower) else { continue }
            let end = start + header.utf8.count
            let rest = word[end...].drop(while: isBlank)
            let scheme = rest.prefix { !isBlank($0) }
            let keepsScheme = header == "authorization:" && scheme.count < rest.count
            return word[..<end] + [UInt8(ascii: " ")] + (keepsScheme ? scheme + [UInt8(ascii: " ")] : []) + mask
        }
        return nil
    }

    /// `scheme://user:secret@host`; for HTTP a user name alone is a token as often as not.
    private static func maskingURL(_ word: [UInt8]) -> [UInt8] {
        guard let colon = position(of: Array("://".utf8), in: word) else { return word }
        let start = colon + 3
        let authority = word[start...].prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        guard let at = authority.lastIndex(of: UInt8(ascii: "@")) else { return word }
        let user = word[start..<at].prefix { $0 != UInt8(ascii: ":") }
        if user.count < at - start { return word[..<(start + user.count + 1)] + mask + word[at...] }
        return lowercased(word[..<colon]).starts(with: Array("http".utf8)) ? word[..<start] + mask + word[at...] : word
    }

    /// `*TOKEN*`, `*SECRET*`, `*PASSWORD*`, `*KEY` and their spellings, in any case, `-` and `_` apart.
    private static func isSecretName(_ name: ArraySlice<UInt8>) -> Bool {
        let plain = lowercased(name).filter { isNameByte($0) && $0 != UInt8(ascii: "_") }
        guard !plain.isEmpty, name.allSatisfy({ isNameByte($0) || $0 == UInt8(ascii: "-") }) else { return false }
        let parts = ["token", "secret", "password", "passwd", "passphrase", "credential", "apikey", "accesskey"]
        if parts.contains(where: { position(of: Array($0.utf8), in: plain) != nil }) { return true }
        return plain.count > 3 && plain.suffix(3).elementsEqual("key".utf8) || plain == Array("pwd".utf8) && name.count > 3
    }

    // MARK: Bytes

    private static func programName(_ path: [UInt8]) -> String {
        String(decoding: path.split(separator: UInt8(ascii: "/")).last ?? [], as: UTF8.self)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private static func lowercased(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        bytes.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    }

    private static func position(of needle: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= needle.count else { return nil }
        return (0...(bytes.count - needle.count)).first { bytes[$0..<($0 + needle.count)].elementsEqual(needle) }
    }
}
