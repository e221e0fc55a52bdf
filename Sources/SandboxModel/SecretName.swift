/// What a name says about its value: of options, variables, parameters and headers.
enum SecretName {
    private static let parts = [
        "token", "secret", "password", "passwd", "passphrase", "passcode", "credential", "apikey", "accesskey", "bearer",
        "authorization", "sonarlogin",
    ].map { Array($0.utf8) }
    /// As the last of the words that a name is made of: `DB_PASS`, `MYSQL_PWD`.
    private static let endings: Set<String> = ["pass", "pwd", "pw", "psw", "pat"]
    private static let whole: Set<String> = [
        "storepass", "keypass", "dbpass", "pgpass", "vaultpass", "userpass", "rootpass", "sshpass", "pass", "pw",
        "requirepass", "masterauth", "rediscliauth", "jsessionid", "phpsessid", "cookie", "basicauth", "httpauth", "samlassertion",
    ]
    /// As an option and nothing else.
    private static let short: Set<String> = ["auth", "pat", "otp", "psk", "jwt", "pin", "mfacode", "totp", "sessionid", "cookie"]
    /// Keys that are none to a lock.
    private static let openKeys = [
        "publickey", "pubkey", "sortkey", "primarykey", "foreignkey", "partitionkey", "hostkey", "cachekey", "newkey", "genkey", "cakey",
        "inkey", "signkey", "idempotencykey", "hotkey", "monkey", "hockey", "donkey", "usersigningkey",
    ].map { Array($0.utf8) }
    /// The value says where the secret is, what it is called or how long it is: that may be seen.
    private static let places = [
        "file", "path", "dir", "env", "stdin", "name", "type", "count", "length", "limit", "ttl", "size", "policy", "version",
        "url", "uri", "endpoint", "helper", "tokenid", "existingsecret",
    ].map { Array($0.utf8) }
    /// In the query of an address, where a name is not chosen with care.
    private static let parameters: Set<String> = [
        "sig", "signature", "xamzsignature", "xgoogsignature", "hmac", "key", "code", "auth", "session", "sessionid", "sid", "jwt",
        "assertion", "samlresponse", "samlrequest", "ticket", "otp", "pin", "nonce",
    ]

    /// `*TOKEN*`, `*SECRET*`, `*PASSWORD*`, `*KEY`, `*_PASS` and their spellings, in any case, `-` and `_` apart.
    /// What stands before the name itself (`"`, `$(`, `//registry.example/:`) does not matter.
    static func says(_ given: ArraySlice<UInt8>) -> Bool {
        let name = last(given)
        let plain = Bytes.lowercased(name).filter { Bytes.isName($0) && $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: ".") }
        guard !plain.isEmpty, !isAsking(name), !places.contains(where: { plain.ends(with: $0) }) else { return false }
        if parts.contains(where: { part in Bytes.position(of: part, in: plain).map { !isOther(plain[$0...]) } ?? false }) {
            return true
        }
        if plain.count > 3, plain.ends(with: Array("key".utf8)) { return !openKeys.contains { plain.ends(with: $0) } }
        let text = String(decoding: plain, as: UTF8.self)
        // `-auth`, `//registry.example/:_auth`
        let isOption = name.first == UInt8(ascii: "-") || name.first == UInt8(ascii: "_")
        if whole.contains(text) || isOption && short.contains(String(text.drop { $0 == "-" })) { return true }
        if name.elementsEqual("KEY".utf8) { return true }
        let words = name.split { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".") }
        guard let ending = words.last, endings.contains(String(decoding: Bytes.lowercased(ending), as: UTF8.self)) else { return false }
        // `PWD=/home/ada` is a folder; `…;Pwd=` is none.
        return words.count > 1 || name.first == UInt8(ascii: "-")
            || name.startIndex > given.startIndex && given[name.startIndex - 1] == 0x3b
    }

    /// `--no-password`, `--export-secret-keys ada`: nothing is told.
    private static func isAsking(_ name: ArraySlice<UInt8>) -> Bool {
        guard name.starts(with: [0x2d, 0x2d]) else { return false }
        return ["--no-", "--list-", "--show-", "--export-secret-"].contains { name.starts(with: $0.utf8) }
    }

    /// `--tokenizer`, `--secretary`
    private static func isOther(_ rest: ArraySlice<UInt8>) -> Bool {
        rest.starts(with: "secretar".utf8)
            || rest.starts(with: "tokeniz".utf8) && !rest.dropFirst(7).contains { $0 == UInt8(ascii: "k") || $0 == UInt8(ascii: "p") }
    }

    /// `env:NAME`, `file:PATH`, `fd:N` behind openssl(1)'s `-pass`, `-passin`, `-passout`: where it is, and not what.
    static func isSource(_ word: [UInt8], of name: [UInt8]) -> Bool {
        name.starts(with: "-pass".utf8) && ["env:", "file:", "fd:"].contains { word.starts(with: $0.utf8) }
    }

    static func isEnding(_ name: ArraySlice<UInt8>) -> Bool { endings.contains(String(decoding: Bytes.lowercased(name), as: UTF8.self)) }

    /// As words that say it of the one that follows: `… dev wifi connect x password y`.
    private static let words = ["password", "passwd", "passphrase", "passcode"].map { Array($0.utf8) }
    static func isWord(_ word: [UInt8]) -> Bool { (6...10).contains(word.count) && words.contains(Bytes.lowercased(word[...])) }

    /// `Bearer`, as headers have it, with or without the quote that a text begins with.
    static func isScheme(_ word: [UInt8]) -> Bool {
        (6...8).contains(word.count) && Bytes.lowercased(word.suffix(6)).elementsEqual("bearer".utf8)
            && !word.dropLast(6).contains(where: Bytes.isName)
    }

    /// Whether one of them, or one that another may stand behind, is among these arguments.
    static func isWord(in arguments: Span<UInt8>) -> Bool {
        let told = words + ["config", "configure", "set", "bearer"].map { Array($0.utf8) }
        var start = 0
        for i in 0...arguments.count where i == arguments.count || arguments[i] == 0 {
            if told.contains(where: { word in
                word.count == i - start && word.indices.allSatisfy { arguments[start + $0] | 0x20 == word[$0] }
            }) {
                return true
            }
            start = i + 1
        }
        return false
    }

    /// The same for a parameter of a query or a form.
    static func saysParameter(_ text: ArraySlice<UInt8>) -> Bool {
        if says(text) { return true }
        let plain = Bytes.lowercased(text).filter { Bytes.isName($0) && $0 != UInt8(ascii: "_") }
        return parameters.contains(String(decoding: plain, as: UTF8.self)) || endings.contains(String(decoding: plain, as: UTF8.self))
    }

    /// `--max-tokens 4096` counts them, `USE_TOKEN=off` and `TOKEN_MAX=9` switch something.
    static func counts(_ name: ArraySlice<UInt8>, _ value: some Collection<UInt8>) -> Bool {
        guard value.count < 9 else { return false }
        let isNumber = value.allSatisfy { (0x30...0x39).contains($0) }
        if !isNumber { return value.count < 6 && switches.contains(Bytes.lowercased(Array(value)[...])) }
        let lower = Bytes.lowercased(name)
        return value.count < 2 || limits.contains { Bytes.position(of: $0, in: lower) != nil }
    }
    private static let switches = Set(["on", "off", "yes", "no", "true", "false", "none", "null"].map { Array($0.utf8) })
    private static let limits = ["tokens", "token_max", "max_token", "token-max", "max-token"].map { Array($0.utf8) }

    private static func last(_ given: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let text = given.last.map(Bytes.isName) == false ? given.dropLast() : given  // `user[password]`, `"password"`
        guard let before = text.lastIndex(where: { !Bytes.isName($0) && $0 != UInt8(ascii: "-") }) else { return text }
        return text[(before + 1)...]
    }
}

/// What is asked of bytes here.
enum Bytes {
    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

    static func isName(_ byte: UInt8) -> Bool {
        (0x61...0x7a).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
    }

    /// Without the quotes or brackets that a text within a text begins with.
    static func unquoted(_ word: [UInt8]) -> [UInt8] {
        Array(word.drop { $0 == 0x22 || $0 == 0x27 || $0 == 0x28 || $0 == 0x60 || $0 == UInt8(ascii: "$") || $0 == UInt8(ascii: "\\") })
    }

    static func lowercased(_ bytes: ArraySlice<UInt8>) -> [UInt8] { bytes.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 } }

    static func position(of needle: [UInt8], in bytes: [UInt8], from start: Int = 0) -> Int? {
        guard bytes.count - start >= needle.count else { return nil }
        return (start...(bytes.count - needle.count)).first {
            bytes[$0] == needle[0] && bytes[$0..<($0 + needle.count)].elementsEqual(needle)
        }
    }
}

extension [UInt8] {
    func ends(with other: [UInt8]) -> Bool { suffix(other.count).elementsEqual(other) }
}
