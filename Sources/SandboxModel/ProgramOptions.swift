/// Where a program takes a secret, as only that program knows it.
enum ProgramOptions {
    private enum Takes { case attached, separate, either, user, cookie, pair, login }
    /// Where the secret is in the same word, in the next, or in either; `user`: behind a colon, in either; `pair`: behind a `=` in the
    /// next; `login`: any word may be `user/secret@database`.
    private static let options: [String: [(option: String, takes: Takes)]] = [
        "mysql": [("-p", .attached)], "mysqldump": [("-p", .attached)], "mysqladmin": [("-p", .attached)],
        "mysqlimport": [("-p", .attached)], "mariadb": [("-p", .attached)], "mariadb-dump": [("-p", .attached)], "7z": [("-p", .attached)],
        "sshpass": [("-p", .either)], "redis-cli": [("-a", .either)], "docker": [], "podman": [], "docker login": [("-p", .separate)],
        "ldapsearch": [("-w", .separate)], "ldapmodify": [("-w", .separate)], "zip": [("-P", .separate)], "unzip": [("-P", .separate)],
        "curl": [
            ("-u", .user), ("--user", .user), ("-U", .user), ("--proxy-user", .user), ("-E", .user), ("--cert", .user), ("-b", .cookie),
            ("--cookie", .cookie),
        ],
        "http": [("-a", .user), ("--auth", .user)], "https": [("-a", .user), ("--auth", .user)], "xh": [("-a", .user), ("--auth", .user)],
        "openssl": [("pass:", .attached), ("-k", .separate), ("-K", .separate)], "smbclient": [("-U", .user), ("--user", .user)],
        "ssh-keygen": [("-N", .separate), ("-P", .separate)], "lftp": [("-u", .user)],
        "mongosh": [("-p", .either)], "mongo": [("-p", .either)], "mongodump": [("-p", .either)], "mongorestore": [("-p", .either)],
        "cqlsh": [("-p", .either)], "sqlcmd": [("-P", .either)], "bcp": [("-P", .either)], "twine": [("-p", .either)],
        "az": [("-p", .separate)], "gh": [("-b", .either), ("--body", .separate)], "mosquitto_pub": [("-P", .either)],
        "mosquitto_sub": [("-P", .either)], "ipmitool": [("-P", .either)], "ncftpget": [("-p", .either)], "ncftpput": [("-p", .either)],
        "snmpget": [("-c", .either), ("-A", .either), ("-X", .either)], "snmpwalk": [("-c", .either), ("-A", .either), ("-X", .either)],
        "snmpset": [("-c", .either), ("-A", .either), ("-X", .either)], "useradd": [("-p", .separate)], "usermod": [("-p", .separate)],
        "kubectl": [("--from-literal", .pair)], "oc": [("--from-literal", .pair)], "sqlplus": [("", .login)], "expdp": [("", .login)],
        "impdp": [("", .login)], "sqlldr": [("", .login)], "rman": [("", .login)], "vault": [], "wpa_passphrase": [], "rabbitmqctl": [],
        "htpasswd": [],
    ]

    /// Secrets that stand in a place of their own: so many words behind a verb, or behind the program's name.
    private static let places: [String: [(verb: String, skips: Int)]] = [
        "vault": [("login", 0)], "wpa_passphrase": [("", 1)], "htpasswd": [("-b", 2), ("-nb", 1)],
        "redis-cli": [("auth", 0), ("requirepass", 0)],
        "rabbitmqctl": [("add_user", 1), ("change_password", 1), ("authenticate_user", 1)],
    ]

    private static let byPlace: [[UInt8]] =
        (Array(places.keys) + options.filter { $0.value.contains { $0.takes == .login } }.map(\.key)).map { Array($0.utf8) }

    /// For a look that must cost next to nothing.
    static func takesSecretsByPlace(_ name: Span<UInt8>) -> Bool {
        byPlace.contains { known in known.count == name.count && known.indices.allSatisfy { known[$0] == name[$0] } }
    }

    static func known(_ word: [UInt8]) -> String? {
        guard word.count < 64, let last = word.last, Bytes.isName(last) else { return nil }
        let name = ArgumentRedaction.programName(word)
        return options[name] == nil ? nil : name
    }

    // MARK: Places

    struct Place {
        private let verbs: [(verb: String, skips: Int)]
        private var left: Int?

        init(_ program: String) {
            verbs = places[program] ?? []
            left = verbs.first { $0.verb.isEmpty }?.skips
        }

        /// Whether this word is the secret. Options do not count.
        mutating func holdsSecret(_ word: [UInt8]) -> Bool {
            if verbs.isEmpty { return false }
            if let verb = verbs.first(where: { Bytes.lowercased(word[...]).elementsEqual($0.verb.utf8) }) {
                left = verb.skips
                return false
            }
            guard let n = left, word.first != UInt8(ascii: "-") else { return false }
            left = n > 0 ? n - 1 : nil
            return n == 0
        }
    }

    // MARK: Options

    static func masking(_ word: [UInt8], of program: String, expecting next: inout ArgumentRedaction.Expectation) -> [UInt8]? {
        for (text, takes) in options[program] ?? [] {
            if case .login = takes {
                if let login = maskingLogin(word) { return login }
            } else if let masked = masking(word, Array(text.utf8), takes, &next) {
                return masked
            }
        }
        return nil
    }

    private static func masking(
        _ word: [UInt8], _ option: [UInt8], _ takes: Takes, _ next: inout ArgumentRedaction.Expectation
    ) -> [UInt8]? {
        guard word.starts(with: option) else { return maskingBundle(word, option, takes, &next) }
        if word.count == option.count {
            if takes == .attached { return nil }
            next = takes == .user ? .userAndSecret : takes == .cookie ? .cookie : takes == .pair ? .pair : .secret
            return word
        }
        // `--user-agent`, `-pr`; a short option's value follows at once, a long one's behind a `=`.
        let isLong = option.starts(with: Array("--".utf8))
        if isLong ? word[option.count] != UInt8(ascii: "=") : word[1] == UInt8(ascii: "-") { return nil }
        switch takes {
        case .attached, .either: return option + ArgumentRedaction.mask
        case .user: return maskingAfter(":,%", word)
        case .cookie: return word.contains(UInt8(ascii: "=")) ? option + ArgumentRedaction.mask : nil
        case .pair: return option + [0x3d] + maskingAfter("=", Array(word[(option.count + 1)...]))
        case .separate, .login: return nil
        }
    }

    /// `-fsSLu`, `-rP`: short options together, the last of which takes what follows; `-su user:secret` in one word.
    private static func maskingBundle(
        _ word: [UInt8], _ option: [UInt8], _ takes: Takes, _ next: inout ArgumentRedaction.Expectation
    ) -> [UInt8]? {
        guard option.count == 2, option[0] == UInt8(ascii: "-"), word.count > 2, word[0] == option[0], word[1] != option[0],
            takes != .attached,
            let at = word.firstIndex(of: option[1]), word[1..<at].allSatisfy({ (0x61...0x7a).contains($0 | 0x20) })
        else { return nil }
        if at == word.count - 1 {
            next = takes == .user ? .userAndSecret : takes == .cookie ? .cookie : .secret
            return word
        }
        return takes == .user && word[at...].contains(UInt8(ascii: ":")) ? maskingAfter(":", word) : nil
    }

    /// Behind the first of these.
    static func maskingAfter(_ marks: StaticString, _ word: [UInt8]) -> [UInt8] {
        let marks = Array(marks.description.utf8)
        guard let at = word.firstIndex(where: marks.contains) else { return word }
        return word[...at] + ArgumentRedaction.mask
    }

    /// `user/secret@database`, as Oracle's programs and drivers take it.
    static func maskingLogin(_ word: [UInt8]) -> [UInt8]? {
        guard let slash = word.firstIndex(of: UInt8(ascii: "/")), let at = word[slash...].firstIndex(of: UInt8(ascii: "@")), at > slash + 1
        else {
            return nil
        }
        return word[...slash] + ArgumentRedaction.mask + word[at...]
    }

    // MARK: What is printed for another to read

    private static let readers = [
        "--password-stdin", "sudo -S", "chpasswd", "passwd --stdin", "--with-token", "cryptsetup", "--passphrase-fd",
    ]
    .map { Array($0.utf8) }

    /// `echo … | docker login --password-stdin`
    static func readsSecret(_ text: [UInt8]) -> Bool { readers.contains { Bytes.position(of: $0, in: text) != nil } }

    static func maskingPrinted(_ words: [[UInt8]]) -> [[UInt8]] {
        var prints = false
        return words.map { word in
            if word.contains(UInt8(ascii: "|")) || word.contains(UInt8(ascii: ";")) { prints = false }
            let isPrinter = ["echo", "printf", "<<<"].contains { word.elementsEqual($0.utf8) }
            if isPrinter { prints = true }
            return prints && !isPrinter && !word.isEmpty ? ArgumentRedaction.mask : word
        }
    }
}
