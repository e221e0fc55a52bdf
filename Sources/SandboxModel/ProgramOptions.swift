/// Where a program takes a secret, as only that program knows it.
enum ProgramOptions {
    private enum Takes { case attached, separate, either, user, cookie, pair, login, pairs, name }
    /// Where the secret is in the same word, in the next, or in either; `user`: behind a colon, in either; `pair`: behind a `=` in the
    /// next; `login`: any word may be `user/secret@database`; `pairs`: any may be `NAME=secret`; `name`: what follows is only called like a secret. A program and its verb, with a colon
    /// between them, are another program.
    private static let table: [(programs: String, options: [(option: String, takes: Takes)])] = [
        ("mysql mysqldump mysqladmin mysqlimport mysqlcheck mysqlshow mysqlslap mysqlpump mysql_upgrade", [("-p", .attached)]),
        (
            "mariadb mariadb-dump mariadb-admin mariadb-import mariadb-check mariadb-show mariadb-slap mariadb-upgrade", [("-p", .attached)]
        ),
        ("7z 7za 7zz 7zr unrar", [("-p", .attached)]), ("rar", [("-p", .attached), ("-hp", .attached)]),
        ("sshpass", [("-p", .either)]), ("redis-cli", [("-a", .either)]),
        (
            "docker:login podman:login oc:login skopeo:login buildah:login nerdctl:login crane:auth oras:login regctl:registry",
            [("-p", .either)]
        ), ("skopeo buildah podman", [("--creds", .user), ("--src-creds", .user), ("--dest-creds", .user)]),
        ("ldapsearch ldapmodify ldapadd ldapdelete ldapwhoami ldapcompare", [("-w", .either)]),
        ("ldappasswd", [("-w", .either), ("-s", .separate), ("-a", .separate)]), ("zip unzip", [("-P", .either)]),
        (
            "curl",
            [
                ("-u", .user), ("--user", .user), ("-U", .user), ("--proxy-user", .user), ("-E", .user), ("--cert", .user), ("-b", .cookie),
                ("--cookie", .cookie),
            ]
        ),
        ("http https xh xhs", [("-a", .either), ("--auth", .either)]),
        (
            "openssl",
            [("pass:", .attached), ("key:", .attached), ("hexkey:", .attached), ("-k", .separate), ("-K", .separate), ("-hmac", .separate)]
        ),
        ("smbclient smbget rpcclient net wbinfo", [("-U", .user), ("--user", .user)]),
        ("ssh-keygen", [("-N", .either), ("-P", .either)]), ("lftp open hurl", [("-u", .user), ("--user", .user)]),
        ("ab", [("-A", .user), ("-P", .user)]),
        ("etcdctl", [("--user", .user)]),
        ("mongosh mongo mongodump mongorestore mongoexport mongoimport cqlsh twine ncftpget ncftpput rdesktop mycli", [("-p", .either)]),
        ("rabbitmqadmin cypher-shell steghide hydra nxc netexec evil-winrm racadm helm:registry airflow:users", [("-p", .either)]),
        ("dotnet:nuget caddy:hash-password expo:login taosql", [("-p", .either)]),
        ("poetry:publish uv:publish", [("-p", .either)]),
        ("sqlcmd bcp mosquitto_pub mosquitto_sub ipmitool knife gpg-preset-passphrase", [("-P", .either)]),
        ("az", [("-p", .either)]), ("gh:secret gh:variable", [("-b", .either), ("--body", .either)]),
        ("influx doctl:auth vercel glab:auth uv:publish anaconda codecov", [("-t", .either)]), ("glab:variable", [("-v", .separate)]),
        ("aws:ssm az:keyvault eas", [("--value", .either)]), ("bw op", [("--session", .either)]), ("hatch:publish", [("-a", .either)]),
        ("security", [("-w", .separate), ("-p", .separate)]), ("openai", [("-k", .separate)]), ("swaks", [("-ap", .separate)]),
        ("sendemail sendEmail", [("-xp", .separate)]),
        ("snmpget snmpwalk snmpset snmpbulkwalk snmpgetnext", [("-c", .either), ("-A", .either), ("-X", .either)]),
        ("useradd usermod", [("-p", .either)]), ("kubectl oc", [("--from-literal", .pair)]),
        ("sqlplus expdp impdp sqlldr rman", [("", .login)]), ("dotnet:nuget", [("-k", .either)]),
        ("caddy caddy:hash-password", [("--plaintext", .separate)]),
        ("xfreerdp xfreerdp3 wlfreerdp", [("/p:", .attached), ("/gp:", .attached), ("/password:", .attached)]),
        ("pdftotext pdftoppm pdftocairo pdfimages pdfinfo", [("-upw", .separate), ("-opw", .separate)]),
        ("openssl:passwd", [("-salt", .separate)]),
        ("fly:secrets flyctl:secrets heroku:config:set vault:kv vault:write", [("", .pairs)]),
        ("gcloud docker podman nerdctl buildah", [("--secret", .name)]),
        ("aws", [("--secret-id", .name), ("--next-token", .name), ("--starting-token", .name)]), ("netlify", []),
        ("docker nerdctl crane oras regctl snyk oc vault wpa_passphrase wpa_cli nmcli iw rabbitmqctl htpasswd mkpasswd qpdf pdftk mc", []),
        ("gh cargo poetry composer pulumi dotnet fly flyctl heroku aws doctl glab uv hatch helm airflow expo redis-server", []),
        ("ansible-vault keyctl nuget neo4j-admin cloudflared ngrok rclone pm2 wandb mosquitto_passwd isql", []),
    ]
    private static let options: [String: [(option: String, takes: Takes)]] = table.reduce(into: [:]) { options, row in
        for name in row.programs.split(separator: " ") { options[String(name), default: []] += row.options }
    }

    /// With what names of programs end, and which have verbs: most words are told from them without being copied.
    private static let names: (lasts: [Bool], haveVerbs: Set<String>) = {
        var lasts = [Bool](repeating: false, count: 256)
        for name in options.keys { lasts[Int(name.utf8.last ?? 0)] = true }
        return (lasts, Set(options.keys.compactMap { name in name.firstIndex(of: ":").map { String(name[..<$0]) } }))
    }()

    /// Secrets that stand in a place of their own: so many words behind a verb, or behind the program's name; one or more of them.
    private static let places: [String: [(verb: String, skips: Int, count: Int)]] = [
        "vault": ["login", "unseal", "lookup", "renew", "revoke", "unwrap"].map { ($0, 0, 1) }, "wpa_passphrase": [("", 1, 1)],
        "htpasswd": ["-b", "-bb", "-cb", "-bc", "-cbb"].map { ($0, 2, 1) } + ["-nb", "-bn", "-nbb", "-bnb", "-bbn"].map { ($0, 1, 1) },
        "redis-cli": [("auth", 0, 2), ("requirepass", 0, 1), ("masterauth", 0, 1), ("setuser", 1, 9)],
        "rabbitmqctl": [("add_user", 1, 1), ("change_password", 1, 1), ("authenticate_user", 1, 1)],
        "mkpasswd": [("", 0, 2)], "openssl:passwd": [("", 0, 1)], "qpdf": [("--encrypt", 0, 2)],
        "pdftk": [("input_pw", 0, 1), ("user_pw", 0, 1), ("owner_pw", 0, 1)], "mc": [("set", 2, 2), ("host", 3, 2), ("user", 3, 1)],
        "cargo": [("login", 0, 1)], "snyk": [("auth", 0, 1)],
        "poetry": [("config", 2, 1)], "composer": [("config", 2, 1), ("github-oauth.github.com", 0, 1)], "pulumi": [("set", 1, 1)],
        "glab:variable": [("set", 1, 1)], "ansible-vault": [("encrypt_string", 0, 1)],
        "bw": [("login", 1, 1), ("unlock", 0, 1)], "keyctl": [("add", 2, 1)], "nuget": [("setapikey", 0, 1)], "isql": [("", 2, 1)],
        "neo4j-admin": [("set-initial-password", 0, 1)], "cloudflared": [("install", 0, 1)], "rclone": [("obscure", 0, 1)],
        "ngrok": [("authtoken", 0, 1), ("add-authtoken", 0, 1)], "pm2": [("link", 0, 1)], "wandb": [("login", 0, 1)],
        "mosquitto_passwd": [("-b", 2, 1)], "netlify": [("env:set", 1, 1)], "etcdctl": [("add", 0, 1)],
        "wpa_cli": [("psk", 0, 1), ("wep_key0", 0, 1)], "iw": [("key", 0, 4)],
        "nmcli": ["802-1x.password", "psk", "wifi-sec.psk", "802-11-wireless-security.psk", "wifi-sec.wep-key0", "vpn.secrets"].map {
            ($0, 0, 1)
        },
    ]

    /// Those that take a secret by its place, by their first bytes. From the table: `options` need not be made for it.
    private static let byFirst: [[[UInt8]]] = {
        let logins = table.lazy.filter { row in row.options.contains { $0.takes == .login } }
        let names = Array(places.keys) + logins.flatMap { $0.programs.split(separator: " ").map(String.init) }
        return names.reduce(into: Array(repeating: [], count: 256)) { $0[Int($1.utf8.first ?? 0)].append(Array($1.utf8)) }
    }()

    /// Whether one of these words, the first of which begins at `start`, is the name of a program, or ends with it: for a look that
    /// must cost next to nothing.
    static func takeSecretsByPlace(_ words: Span<UInt8>, from start: Int) -> Bool {
        var start = start
        for i in start...words.count {
            if i < words.count, words[i] != 0, words[i] != UInt8(ascii: "/") { continue }
            if i > start, byFirst[Int(words[start])].contains(where: { name in begins(words, start, i, name) }) { return true }
            start = i + 1
        }
        return false
    }

    private static func begins(_ words: Span<UInt8>, _ start: Int, _ end: Int, _ name: [UInt8]) -> Bool {
        name.count == end - start && name.indices.allSatisfy { words[start + $0] == name[$0] }
    }

    static func known(_ given: [UInt8]) -> String? {
        guard (2..<64).contains(given.count), let last = given.last, Bytes.isName(last), names.lasts[Int(last)] else { return nil }
        // `ProxyCommand=sshpass`
        let name = ArgumentRedaction.programName(Bytes.unquoted(Array(given[((given.lastIndex(of: 0x3d) ?? -1) + 1)...])))
        return options[name] == nil ? nil : name
    }

    /// A program and its verb.
    static func known(_ program: String, _ word: [UInt8]) -> String? {
        guard word.count < 24, names.haveVerbs.contains(program) else { return nil }
        let name = program + ":" + String(decoding: word, as: UTF8.self)
        return options[name] == nil ? nil : name
    }

    // MARK: Places

    struct Place {
        private let verbs: [(verb: String, skips: Int, count: Int)]
        /// How many words come before it, and how many it is.
        private var left: (skips: Int, count: Int)?

        init(_ program: String) {
            verbs = places[program] ?? []
            left = verbs.first { $0.verb.isEmpty }.map { ($0.skips, $0.count) }
        }

        /// Whether this word is the secret. Options do not count.
        mutating func holdsSecret(_ word: [UInt8]) -> Bool {
            if verbs.isEmpty { return false }
            if let verb = verbs.first(where: { Bytes.lowercased(word[...]).elementsEqual($0.verb.utf8) }) {
                left = (verb.skips, verb.count)
                return false
            }
            guard let (skips, count) = left, word.first != UInt8(ascii: "-") else { return false }
            left = skips > 0 ? (skips - 1, count) : count > 1 ? (0, count - 1) : nil
            return skips == 0
        }
    }

    // MARK: Options

    static func masking(_ word: [UInt8], of program: String, expecting next: inout ArgumentRedaction.Expectation) -> [UInt8]? {
        for (text, takes) in options[program] ?? [] {
            if case .login = takes {
                if let login = maskingLogin(word) ?? maskingBareLogin(word) { return login }
            } else if case .pairs = takes {
                if word.first != UInt8(ascii: "-"), word.contains(UInt8(ascii: "=")) { return maskingAfter("=", word) }
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
            if takes == .name { return word }
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
        case .name: return word
        case .pair: return option + [0x3d] + maskingAfter("=", Array(word[(option.count + 1)...]))
        case .separate, .login, .pairs: return nil
        }
    }

    /// `-fsSLu`, `-rP`: short options together, the last of which takes what follows; `-su user:secret` in one word.
    private static func maskingBundle(
        _ word: [UInt8], _ option: [UInt8], _ takes: Takes, _ next: inout ArgumentRedaction.Expectation
    ) -> [UInt8]? {
        guard option.count == 2, option[0] == UInt8(ascii: "-"), word.count > 2, word[0] == option[0], word[1] != option[0],
            takes != .attached, takes != .name,
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

    /// `user/secret`, of a data base that the environment names.
    private static func maskingBareLogin(_ word: [UInt8]) -> [UInt8]? {
        let parts = word.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0.first != UInt8(ascii: ".") && $0.first != UInt8(ascii: "-") }),
            !word.contains(UInt8(ascii: "@")), !word.contains(UInt8(ascii: "="))
        else { return nil }
        return parts[0] + [UInt8(ascii: "/")] + ArgumentRedaction.mask
    }

    // MARK: What is printed for another to read

    private static let readers = [
        "--password-stdin", "sudo -S", "chpasswd", "passwd --stdin", "--with-token", "cryptsetup", "--passphrase-fd",
        "kinit", ".pgpass", ".netrc", ".git-credentials",
    ]
    .map { Array($0.utf8) }

    /// `echo … | docker login --password-stdin`
    static func readsSecret(_ text: [UInt8]) -> Bool { readers.contains { Bytes.position(of: $0, in: text) != nil } }

    static func maskingPrinted(_ words: [[UInt8]]) -> [[UInt8]] {
        var prints = false
        return words.map { word in
            if word.contains(UInt8(ascii: "|")) || word.contains(UInt8(ascii: ";")) { prints = false }
            let isPrinter = ["echo", "printf", "<<<"].contains { Bytes.unquoted(word).elementsEqual($0.utf8) }
            if isPrinter { prints = true }
            return prints && !isPrinter && !word.isEmpty ? ArgumentRedaction.mask : word
        }
    }
}
