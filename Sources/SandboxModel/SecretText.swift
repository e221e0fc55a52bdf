/// Secrets by their place in a text: key blocks, JSON, headers, addresses.
enum SecretText {
    /// What may hold blanks, and is looked for before an argument is taken apart.
    static func masked(_ argument: [UInt8]) -> [UInt8] {
        maskingHooks(maskingTags(maskingLines(maskingStrings(maskingMembers(maskingKeyBlocks(argument))))))
    }

    /// `-----BEGIN … PRIVATE KEY-----` up to its end.
    private static func maskingKeyBlocks(_ text: [UInt8]) -> [UInt8] {
        let opening = Array("-----BEGIN ".utf8), name = Array("PRIVATE KEY".utf8), closing = Array("-----END ".utf8)
        var out: [UInt8] = []
        var copied = 0
        var next = Bytes.position(of: opening, in: text)
        while let start = next {
            let line = Array(text[start...].prefix(60))
            next = Bytes.position(of: opening, in: text, from: start + 1)
            guard Bytes.position(of: name, in: line) != nil else { continue }
            out += text[copied..<start] + ArgumentRedaction.mask
            // Cut off, or followed by another before it ends: all that is there is masked.
            let end = Bytes.position(of: closing, in: text, from: start).map { end in
                text[(end + closing.count)...].firstIndex(of: UInt8(ascii: "-")).map { $0 + 5 } ?? text.count
            }
            copied = min(end ?? text.count, text.count)
            if copied >= text.count { return out }
            next = Bytes.position(of: opening, in: text, from: copied)
        }
        return copied == 0 ? text : out + text[copied...]
    }

    /// `"password": "…"`, also with quotes that a shell's text has escaped.
    private static func maskingMembers(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(UInt8(ascii: ":")), text.contains(where: isQuote) else { return text }
        var out: [UInt8] = []
        var rest = text[...]
        while let colon = rest.firstIndex(of: UInt8(ascii: ":")) {
            let before = rest[..<colon].reversed().drop(while: Bytes.isBlank)
            out += rest[...colon]
            rest = rest[(colon + 1)...]
            guard let quote = before.first, isQuote(quote) else { continue }
            let name = Array(
                before.dropFirst().drop { $0 == UInt8(ascii: "\\") }.prefix { Bytes.isName($0) || $0 == UInt8(ascii: "-") }.reversed())
            guard SecretName.saysParameter(name[...]) else { continue }
            let value = rest.drop(while: Bytes.isBlank)
            out += rest[..<value.startIndex]
            let opening = value.prefix { $0 == UInt8(ascii: "\\") || isQuote($0) }
            guard let kind = opening.last(where: isQuote) else {
                let scalar = value.prefix { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "}") && !Bytes.isBlank($0) }
                // An object or a list: its own members are looked at.
                if scalar.first == UInt8(ascii: "{") || scalar.first == UInt8(ascii: "[") || SecretName.counts(name[...], scalar) {
                    rest = value; continue
                }
                out += ArgumentRedaction.mask
                rest = value[scalar.endIndex...]
                continue
            }
            out += opening + ArgumentRedaction.mask
            rest = value[opening.endIndex...]
            rest = rest[(endOfString(rest, kind, isEscaped: opening.first == UInt8(ascii: "\\")))...]
        }
        return out + rest
    }

    /// Where the closing quote is, with the backslash that belongs to it.
    private static func endOfString(_ text: ArraySlice<UInt8>, _ quote: UInt8, isEscaped: Bool) -> Int {
        var backslashes = 0
        for i in text.indices {
            if text[i] == quote, isEscaped ? backslashes == 1 : backslashes % 2 == 0 { return i - (isEscaped ? 1 : 0) }
            backslashes = text[i] == UInt8(ascii: "\\") ? backslashes + 1 : 0
        }
        return text.endIndex
    }

    /// `password: …` on a line of its own, as in a here-document.
    private static func maskingLines(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(0x0a), text.contains(UInt8(ascii: ":")) else { return text }
        let lines = text.split(separator: 0x0a, omittingEmptySubsequences: false).map { line -> [UInt8] in
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon + 2 < line.endIndex, Bytes.isBlank(line[colon + 1]) else {
                return Array(line)
            }
            let name = line[..<colon].drop { Bytes.isBlank($0) || $0 == UInt8(ascii: "-") }
            let isName = name.allSatisfy { Bytes.isName($0) || $0 == UInt8(ascii: "-") }
            return isName && SecretName.says(name) ? line[...colon] + [0x20] + ArgumentRedaction.mask : Array(line)
        }
        return Array(lines.joined(separator: [0x0a]))
    }

    /// `<password>…</password>`
    private static func maskingTags(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(UInt8(ascii: "<")), text.contains(UInt8(ascii: ">")) else { return text }
        var out: [UInt8] = []
        var rest = text[...]
        while let close = rest.firstIndex(of: UInt8(ascii: ">")) {
            let name = rest[..<close].suffix(64).reversed().prefix {
                Bytes.isName($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ":")
            }
            let isTag = close - name.count > rest.startIndex && rest[close - name.count - 1] == UInt8(ascii: "<")
            out += rest[...close]
            rest = rest[(close + 1)...]
            guard isTag, SecretName.says(Array(name.reversed())[...]), let end = rest.firstIndex(of: UInt8(ascii: "<")),
                end > rest.startIndex
            else { continue }
            out += ArgumentRedaction.mask
            rest = rest[end...]
        }
        return out + rest
    }

    /// Addresses that let in whoever knows them: all that stands behind these.
    private static let hooks = [
        "hooks.slack.com/", "/api/webhooks/", "webhook.office.com/", "outlook.office.com/webhook/", "api.telegram.org/bot",
        "hooks.zapier.com/hooks/catch/", "maker.ifttt.com/trigger/", "hc-ping.com/",
    ].map { Array($0.utf8) }

    private static func maskingHooks(_ text: [UInt8]) -> [UInt8] {
        guard Bytes.position(of: Array("://".utf8), in: text) != nil else { return text }
        return hooks.reduce(text) { text, hook in
            var out: [UInt8] = []
            var copied = 0
            while let start = Bytes.position(of: hook, in: text, from: copied) {
                let secret = text[(start + hook.count)...].prefix { !Bytes.isBlank($0) && !isQuote($0) }
                out += text[copied..<secret.startIndex] + (secret.isEmpty ? [] : ArgumentRedaction.mask)
                copied = secret.endIndex
            }
            return copied == 0 ? text : out + text[copied...]
        }
    }

    // MARK: Strings

    /// `PASSWORD 'x'`, `IDENTIFIED BY 'x'`, `PASSWORD('x')`, `password = "x"`, `environ['API_TOKEN'] = 'x'`: a string behind a name, with
    /// something between them.
    private static func maskingStrings(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(where: isQuote) else { return text }
        var out: [UInt8] = []
        var copied = 0, i = 0
        while i < text.count {
            defer { i += 1 }
            guard isQuote(text[i]), isNamed(text, before: i) else { continue }
            let isEscaped = i > 0 && text[i - 1] == UInt8(ascii: "\\")
            let end = endOfString(text[(i + 1)...], text[i], isEscaped: isEscaped)
            out += text[copied...i] + ArgumentRedaction.mask
            copied = end
            i = max(i, end)
        }
        return copied == 0 ? text : out + text[copied...]
    }

    /// Whether what stands before `end` announces a secret. Looked at is a little, whatever there is.
    private static func isNamed(_ text: [UInt8], before end: Int) -> Bool {
        var stop = end
        // PostgreSQL's E'…', Python's r"…"
        if stop > 1, Bytes.isName(text[stop - 1]), !Bytes.isName(text[stop - 2]) { stop -= 1 }
        let joined = stop
        while stop > 0, joined - stop < 16, isJoin(text[stop - 1]) || text[stop - 1] == UInt8(ascii: ",") { stop -= 1 }
        guard stop < joined, stop > 0, Bytes.isName(text[stop - 1]) else { return false }
        var start = stop
        while start > 0, stop - start < 64, Bytes.isName(text[start - 1]) || text[start - 1] == UInt8(ascii: "-") { start -= 1 }
        if text[stop..<joined].contains(UInt8(ascii: ",")) { return isPassed(text, start, stop) || isThird(text, before: joined) }
        if text[start..<stop].elementsEqual("value".utf8) { return isAttribute(text, start) }
        if SecretName.says(text[start..<stop]) { return true }
        // `pwd: "…"`
        if text[stop] == UInt8(ascii: ":"), SecretName.isEnding(text[start..<stop]) { return true }
        let phrase = Bytes.lowercased(text[max(0, stop - 64)..<stop])
        // `expect "password:"; send "…"`
        let called = text[start..<stop].split(separator: UInt8(ascii: ".")).last ?? []
        if ["send", "sendline", "exp_send"].contains(where: { called.elementsEqual($0.utf8) }),
            ["assword", "assphrase"].contains(where: { Bytes.position(of: Array($0.utf8), in: phrase) != nil })
        {
            return true
        }
        // `SET PASSWORD FOR 'ada'@'%' = '…'`
        if text[stop..<joined].contains(0x3d), Bytes.position(of: Array("password for ".utf8), in: phrase) != nil { return true }
        guard stop - start == 2 || stop - start == 3 || stop - start == 5 else { return false }
        return phrase.ends(with: Array("pragma key".utf8)) || phrase.ends(with: Array("pragma rekey".utf8))
            || (phrase.ends(with: Array(" by".utf8)) || phrase.ends(with: Array(" as".utf8)))
                && Bytes.position(of: Array("identified".utf8), in: phrase) != nil
    }

    /// `define("DB_PASSWORD", "…")`, `auth=("ada", "…")`: the second of what is passed to a function, by the first or by its name.
    private static func isPassed(_ text: [UInt8], _ start: Int, _ stop: Int) -> Bool {
        guard start > 2, isQuote(text[start - 1]), text[start - 2] == UInt8(ascii: "(") else { return false }
        let before = Bytes.lowercased(text[..<(start - 2)].suffix(32))
        let name = before.last == UInt8(ascii: "=") ? before.dropLast() : before[...]
        guard name.last.map(Bytes.isName) ?? false else { return false }
        return SecretName.says(text[start..<stop]) || ["auth", "login"].contains { Array(name).ends(with: Array($0.utf8)) }
    }

    /// `new PDO("…", "ada", "…")`, `DBI->connect`, `mysqli_connect`: the third of what is passed, behind two strings.
    private static func isThird(_ text: [UInt8], before end: Int) -> Bool {
        let near = text[max(0, end - 160)..<end]
        guard let open = near.lastIndex(of: UInt8(ascii: "(")) else { return false }
        let name = Bytes.lowercased(near[..<open].suffix(16))
        guard ["pdo", "connect", "mysqli"].contains(where: { name.ends(with: Array($0.utf8)) }) else { return false }
        var strings = 0, quote: UInt8?
        for byte in near[(open + 1)...] {
            if let opened = quote {
                if byte == opened { (quote, strings) = (nil, strings + 1) }
            } else if isQuote(byte) {
                quote = byte
            } else if byte != UInt8(ascii: ","), !Bytes.isBlank(byte) {
                return false
            }
        }
        return strings == 2 && quote == nil
    }

    /// `<add key="Password" value="…"/>`
    private static func isAttribute(_ text: [UInt8], _ start: Int) -> Bool {
        let before = text[..<start].suffix(66).reversed().drop(while: Bytes.isBlank)
        guard let quote = before.first, isQuote(quote) else { return false }
        let name = before.dropFirst().prefix { Bytes.isName($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ":") }
        return SecretName.says(Array(name.reversed())[...])
    }

    private static func isJoin(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "="), UInt8(ascii: "("), UInt8(ascii: ":"), UInt8(ascii: ">"), UInt8(ascii: "]"), UInt8(ascii: ")"),
            UInt8(ascii: "\\"):
            true
        default: Bytes.isBlank(byte) || isQuote(byte)
        }
    }

    private static func isQuote(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") }

    // MARK: Headers

    private static let headers = [
        "authorization:", "authentication:", "cookie:", "x-api-key:", "apikey:", "x-auth-token:", "private-token:", "x-session-id:",
    ].map { Array($0.utf8) }

    /// `Authorization: Bearer …` and its kin, wherever in the argument it starts (`-HAuthorization: …`): what stands before it, and
    /// all from there on.
    static func maskingHeader(_ word: [UInt8]) -> (before: [UInt8], masked: [UInt8])? {
        guard word.contains(UInt8(ascii: ":")) else { return nil }
        let lower = Bytes.lowercased(word[...])
        for header in headers {
            guard let start = Bytes.position(of: header, in: lower) else { continue }
            return (Array(word[..<start]), masking(word[start...], from: start + header.count, keepsScheme: header[0] == UInt8(ascii: "a")))
        }
        // `X-Vault-Token: …`: a name of several words, and no address. `Token: …`: of one, with one behind it.
        guard let colon = word.firstIndex(of: UInt8(ascii: ":")), word[colon...].dropFirst().first != UInt8(ascii: "/") else { return nil }
        let name = word[..<colon].suffix(40).split(separator: 0x3d, omittingEmptySubsequences: false).last ?? []
        let value = word[(colon + 1)...]
        let isOne =
            value.count > 1 && value.first == 0x20 && !value.dropFirst().contains(where: Bytes.isBlank) && name.allSatisfy(Bytes.isName)
        let isHeader =
            (isOne || name.dropFirst(2).contains(UInt8(ascii: "-"))) && (name.first != UInt8(ascii: "-") || name.starts(with: "-H".utf8))
            && SecretName.says(name) && !SecretName.counts(name, value.drop(while: Bytes.isBlank))
        if !isHeader { return nil }
        let start = word[..<colon].lastIndex(where: Bytes.isBlank).map { $0 + 1 } ?? 0
        return (Array(word[..<start]), masking(word[start...], from: colon + 1, keepsScheme: false))
    }

    private static func masking(_ word: ArraySlice<UInt8>, from end: Int, keepsScheme: Bool) -> [UInt8] {
        let rest = word[end...].drop(while: Bytes.isBlank)
        let scheme = rest.prefix { !Bytes.isBlank($0) }
        let isScheme = schemes.contains(String(decoding: Bytes.lowercased(scheme), as: UTF8.self))
        let kept = keepsScheme && isScheme && scheme.count < rest.count ? scheme + [UInt8(ascii: " ")] : []
        return word[..<end] + [UInt8(ascii: " ")] + kept + ArgumentRedaction.mask
    }

    private static let schemes: Set<String> = [
        "basic", "bearer", "digest", "token", "negotiate", "ntlm", "apikey", "key", "oauth", "dpop", "hawk", "bot", "aws4-hmac-sha256",
    ]

    // MARK: Addresses

    /// `scheme://user:secret@host`; for HTTP a user name alone is a token as often as not.
    static func maskingUsers(_ word: [UInt8]) -> [UInt8] {
        if let bare = maskingBareUser(word) { return bare }
        var out: [UInt8] = []
        var copied = 0
        while let colon = Bytes.position(of: Array("://".utf8), in: word, from: copied) {
            let start = colon + 3
            let authority = word[start...].prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
            if let at = authority.lastIndex(of: UInt8(ascii: "@")) {
                let user = word[start..<at].prefix { $0 != UInt8(ascii: ":") }
                // GitHub's way to say that the user is the token.
                let isToken = Array(word[start..<at]).ends(with: Array(":x-oauth-basic".utf8))
                let isHTTP = ["http", "https", "nats"].contains { Bytes.lowercased(word[copied..<colon]).ends(with: Array($0.utf8)) }
                out += word[copied..<start]
                out +=
                    user.count < at - start && !isToken
                    ? user + [UInt8(ascii: ":")] + ArgumentRedaction.mask : isHTTP || isToken ? ArgumentRedaction.mask[...] : user
                copied = at
            }
            // What has no user may yet hold another address: `a://b,c://…`.
            let end = copied > start ? authority.endIndex : start
            out += word[copied..<end]
            copied = end
        }
        return copied == 0 ? word : out + word[copied...]
    }

    /// `user:secret@host` without a scheme, and `jdbc:oracle:thin:user/secret@host`.
    private static func maskingBareUser(_ word: [UInt8]) -> [UInt8]? {
        guard let at = word.firstIndex(of: UInt8(ascii: "@")), Bytes.position(of: Array("://".utf8), in: word) == nil else { return nil }
        if word.starts(with: Array("jdbc:oracle:".utf8)) { return ProgramOptions.maskingLogin(word) }
        guard let colon = word[..<at].firstIndex(of: UInt8(ascii: ":")), colon > 0, colon + 1 < at,
            word[..<at].allSatisfy({ $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "=") })
        else { return nil }
        return word[...colon] + ArgumentRedaction.mask + word[at...]
    }

    /// `…?token=…&sig=…#access_token=…`, `user=…&password=…`
    static func maskingQuery(_ word: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var pair: [UInt8] = []
        for byte in word {
            guard byte == UInt8(ascii: "?") || byte == UInt8(ascii: "&") || byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";") else {
                pair.append(byte)
                continue
            }
            out += maskingPair(pair) + [byte]
            pair = []
        }
        return out + maskingPair(pair)
    }

    private static func maskingPair(_ pair: [UInt8]) -> [UInt8] {
        guard let equals = pair.firstIndex(of: UInt8(ascii: "=")), SecretName.saysParameter(pair[..<equals]),
            !SecretName.counts(pair[..<equals], pair[(equals + 1)...])
        else { return pair }
        return pair[...equals] + ArgumentRedaction.mask
    }
}
