import Foundation
import SandboxModel
import Testing

/// What must not be kept, and what looks like it and must.
@Suite struct RedactionTests {
    /// `arguments.txt`: as it is, in a shell's text, and behind programs that start others.
    @Test(arguments: [[], ["sudo", "-u", "ada"], ["ssh", "h"], ["timeout", "5"], ["sh", "-c"]]) func aTableOfArguments(before: [String])
        throws
    {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "arguments.txt")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").dropFirst(2)
        let innocent = try #require(lines.firstIndex(of: "innocent"))
        for line in lines where line != "innocent" {
            let words = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            let given = before + (before.first == "sh" ? [words.map(quoted).joined(separator: " ")] : words)
            let flat = Array(given.joined(separator: "\0").utf8) + [0]
            let shown = ArgumentRedaction.mayHoldSecrets(flat.span) ? redacted(given) : given
            if line.startIndex < lines[innocent].startIndex {
                #expect(!shown.joined(separator: " ").contains("hunter2Xq"), "\(shown)")
            } else if before.isEmpty {
                #expect(shown == given)
            }
        }
    }

    private func quoted(_ word: String) -> String {
        word.contains(where: { " '\"$;|&<>(){}*?#\\".contains($0) })
            ? "'" + word.replacingOccurrences(of: "'", with: "'\"'\"'") + "'" : word
    }

    private func redacted(_ given: [String], byEntropy: Bool = false) -> [String] {
        ArgumentRedaction.redact(given.map { Array($0.utf8) }, byEntropy: byEntropy).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [
        (["git", "push"], ["git", "push"]),
        (["app", "--password=hunter2", "x"], ["app", "--password=***", "x"]),
        (["app", "--token", "abc", "x"], ["app", "--token", "***", "x"]),
        (["app", "--token", "--verbose"], ["app", "--token", "--verbose"]),
        (["mysql", "-u", "root", "-phunter2", "db"], ["mysql", "-u", "root", "-p***", "db"]),
        (["cp", "-pr", "a", "b"], ["cp", "-pr", "a", "b"]),
        (["psql", "postgres://bob:hunter2@db/x"], ["psql", "postgres://bob:***@db/x"]),
        (["git", "clone", "https://ghp_abc@github.com/x"], ["git", "clone", "https://***@github.com/x"]),
        (["ssh", "ssh://git@host/x"], ["ssh", "ssh://git@host/x"]),
        (
            ["env", "API_KEY=abc", "AWS_SECRET_ACCESS_KEY=x", "PATH=/bin"],
            ["env", "API_KEY=***", "AWS_SECRET_ACCESS_KEY=***", "PATH=/bin"]
        ),
        (
            ["docker", "run", "-e", "GITHUB_TOKEN=abc", "--env=DB_PASSWORD=x"],
            ["docker", "run", "-e", "GITHUB_TOKEN=***", "--env=DB_PASSWORD=***"]
        ),
        (["curl", "-H", "Authorization: Bearer abc"], ["curl", "-H", "Authorization: Bearer ***"]),
        (["curl", "-u", "bob:hunter2", "--user", "a:b"], ["curl", "-u", "bob:***", "--user", "a:***"]),
        (["sh", "-c", "TOKEN=abc make --password hunter2 all"], ["sh", "-c", "TOKEN=*** make --password *** all"]),
        (["redis-cli", "-a", "pw", "get", "k"], ["redis-cli", "-a", "***", "get", "k"]),
        (["app", "--turkey=abc"], ["app", "--turkey=***"]),
    ])
    func secretsAreMasked(given: [String], shown: [String]) { #expect(redacted(given) == shown) }

    /// Each by its place: a name, an option, a header, an address, a form, JSON. The secret must be gone, the rest need not stay.
    @Test(arguments: [
        "app --api-key S", "app --client-secret=S", "app --passphrase S", "app --oauth2-bearer S", "app --db-pass S", "env MYSQL_PWD=S x",
        "env FOO_TOKEN=S x", "env REDIS_PASS=S x", "sudo mysql -pS", "curl -uada:S", "curl --user ada:S", "curl --user=ada:S",
        "curl --proxy-user ada:S", "curl -b sid=S", "curl --cookie sid=S", "wget --http-password=S", "http -a ada:S example.com",
        "docker login -u ada -p S", "redis-cli -aS", "openssl enc -passin pass:S", "ssh-keygen -N S", "zip -P S a.zip a",
        "keytool -storepass S", "aws configure set aws_secret_access_key S", "git config github.token S",
        "npm config set //registry.example/:_authToken S", "npm --//registry.example/:_authToken=S",
        "java -Djavax.net.ssl.keyStorePassword=S",
        "helm --set auth.password=S", "docker build --build-arg NPM_TOKEN=S", "kubectl create secret --from-literal=password=S",
        "curl https://ada:S@example.com/a=b", "curl https://S@example.com", "curl https://a.example/x?token=S",
        "curl https://a.example/x?a=b&access_token=S&c=d", "curl https://a.example/x?X-Amz-Signature=S",
        "curl https://a.example/x?sv=1&sig=S",
        "curl https://a.example/cb?code=S", "curl https://a.example/cb#access_token=S", "curl -d user=ada&password=S",
        "curl --data=user[password]=S", "git clone x --config=http.extraHeader=Authorization:S", "psql postgres://ada:S@db/x",
        "app redis://:S@cache:6379", "app a://b,https://ada:S@c", #"curl -d {"password":"S"}"#, #"curl -d {"a":1,"client_secret":'S'}"#,
        #"curl -d {"pin":S}"#, #"curl -d {\"token\":\"S\"}"#, "curl -HAuthorization:S", "curl -HX-Vault-Token:S", "curl -HPrivate-Token:S",
    ])
    func secretsInTheirPlaces(line: String) {
        let given = line.split(separator: " ").map(String.init)
        let marked = given.map { replacingSecret($0) }
        #expect(marked != given, "the line names no secret")
        let shown = redacted(marked).joined(separator: " ")
        #expect(!shown.contains("hunter2"), "\(shown)")
        #expect(shown.contains("***"))
        // The same in the text of a shell.
        let text = redacted(["sh", "-c", marked.joined(separator: " ")])[2]
        #expect(!text.contains("hunter2"), "\(text)")
    }

    /// `S` where nothing of a word stands beside it.
    private func replacingSecret(_ word: String) -> String {
        var out = ""
        let all = Array(word)
        for (i, c) in all.enumerated() {
            let isEnd = i + 1 == all.count || !(all[i + 1].isLetter || all[i + 1].isNumber)
            let isStart = i == 0 || !(all[i - 1].isLetter || all[i - 1].isNumber) || "aup".contains(all[i - 1]) && word.hasPrefix("-")
            out += c == "S" && isStart && isEnd ? "hunter2" : String(c)
        }
        return out
    }

    @Test(arguments: [
        ["sh", "-c", #"curl -H "Authorization: Bearer hunter2" https://a.example"#], ["sh", "-c", #"TOKEN="hunter2 hunter2" make"#],
        ["sh", "-c", "export PASSWORD='hunter2 hunter2'"], ["sh", "-c", #"x; (API_KEY=hunter2 y)"#],
        ["curl", "-H", "X-Vault-Token: hunter2"],
        ["curl", "-d", #"{"auth": {"user": "ada", "password": "hunter2 \" hunter2"}}"#], ["curl", "-H", "Cookie: a=hunter2; b=hunter2"],
        [
            "app",
            "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----\nx",
        ],
        ["app", "a\n-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2"],
    ])
    func secretsAmongBlanks(given: [String]) {
        let shown = redacted(given).joined(separator: " ")
        #expect(!shown.contains("hunter2") && shown.contains("***"), "\(shown)")
    }

    /// As people type them: by the options, verbs and places of each program.
    static let commands: [[String]] = [
        ["curl", "-su", "ada:hunter2", "x"], ["curl", "-fsSLu", "ada:hunter2", "x"], ["curl", "-suada:hunter2", "x"],
        ["curl", "-H", "apikey: hunter2"], ["curl", "-E", "cert.pem:hunter2"], ["curl", "--cert", "cert.pem:hunter2"],
        ["curl", "ada:hunter2@127.0.0.1/x"], ["curl", "--cert=cert.pem:hunter2"], ["zip", "-rP", "hunter2", "a.zip", "f"],
        ["sh", "-c", "echo hunter2 | docker login -u a --password-stdin"], ["sh", "-c", "echo 'hunter2' | sudo -S true"],
        ["sh", "-c", "echo 'bob:hunter2' | chpasswd"], ["sh", "-c", "printf %s hunter2 | gh auth login --with-token"],
        ["app", "--auth", "hunter2"], ["app", "--auth-token:hunter2"], ["app", "smtp_password:hunter2"], ["app", "password", "hunter2"],
        ["psql", "-c", "ALTER USER ada WITH PASSWORD 'hunter2'"], ["psql", "-c", "CREATE ROLE b ENCRYPTED PASSWORD E'hunter2' CREATEDB"],
        ["mysql", "-e", "CREATE USER 'a'@'%' IDENTIFIED BY 'hunter2'"], ["mysql", "-e", "SET PASSWORD FOR 'a' = PASSWORD('hunter2')"],
        ["mysql", "-e", "ALTER USER a IDENTIFIED WITH caching_sha2_password BY \"hunter2\""], ["sqlite3", "db", "PRAGMA key='hunter2';"],
        ["sh", "-c", #"echo "ALTER USER ada WITH PASSWORD 'hunter2'" | psql"#],
        ["sh", "-c", #"psql -c \"ALTER USER a PASSWORD 'hunter2'\""#],
        ["kubectl", "create", "secret", "generic", "x", "--from-literal=foo=hunter2"],
        ["kubectl", "create", "secret", "generic", "x", "--from-literal", "foo=hunter2"],
        ["aws", "configure", "set", "aws_secret_access_key", "hunter2"], ["redis-cli", "AUTH", "hunter2"],
        ["redis-cli", "config", "set", "requirepass", "hunter2"], ["mongosh", "-u", "a", "-p", "hunter2"], ["mongo", "-phunter2"],
        ["openssl", "enc", "-aes-256-cbc", "-k", "hunter2"], ["openssl", "enc", "-K", "hunter2"],
        ["smbclient", "//h/s", "--user=a%hunter2"],
        ["htpasswd", "-b", "f", "user", "hunter2"], ["useradd", "-p", "hunter2", "bob"], ["twine", "upload", "-u", "a", "-p", "hunter2"],
        ["az", "login", "-u", "a", "-p", "hunter2"], ["sqlcmd", "-U", "sa", "-P", "hunter2"], ["vault", "login", "hunter2"],
        ["gh", "secret", "set", "X", "--body", "hunter2"], ["gh", "secret", "set", "X", "-bhunter2"],
        ["mosquitto_pub", "-P", "hunter2"], ["nmcli", "dev", "wifi", "connect", "x", "password", "hunter2"],
        ["wpa_passphrase", "ssid", "hunter2"], ["lftp", "-u", "ada,hunter2", "h"], ["ncftpget", "-u", "u", "-p", "hunter2", "h"],
        ["snmpget", "-v2c", "-c", "hunter2", "h"], ["ipmitool", "-U", "a", "-P", "hunter2"], ["rabbitmqctl", "add_user", "bob", "hunter2"],
        ["cqlsh", "-u", "c", "-p", "hunter2"], ["python3", "-c", "os.environ['API_TOKEN']='hunter2'"],
        ["python3", "-c", #"connect(host='h', password = "hunter2")"#], ["perl", "-e", "$password = 'hunter2';"],
        ["sh", "-c", "cat <<EOF > f\npassword: hunter2\nEOF"], ["sh", "-c", "printf 'machine h login a password hunter2' > netrc"],
        ["app", "jdbc:oracle:thin:u/hunter2@h:1521/x"], ["sqlplus", "u/hunter2@h"], ["sudo", "-u", "x", "vault", "login", "hunter2"],
        ["mariadb-admin", "-phunter2", "status"], ["mysqlshow", "-phunter2"], ["mysqlcheck", "-uroot", "-phunter2"],
        ["mysql_upgrade", "-phunter2"], ["curl", "-d", "<login><password>hunter2</password></login>"],
        ["curl", "-d", "<ns:apiKey>hunter2</ns:apiKey>"], ["psql", "-d", "user=a password = hunter2"], ["psql", "-v", "pw=hunter2"],
        ["app", "Data Source=h;User ID=x;Pwd=hunter2"], ["app", "https://hooks.slack.com/services/T00/B00/hunter2XX"],
        ["sh", "-c", "curl -d x 'https://hooks.slack.com/workflows/T0/A0/hunter2'"],
        ["app", "https://discord.com/api/webhooks/1234567890/hunter2-abc"],
        ["app", "https://acme.webhook.office.com/webhookb2/a@b/hunter2/c"],
        ["app", "https://api.telegram.org/bot123456:hunter2abc/sendMessage"],
        ["app", "https://maker.ifttt.com/trigger/e/with/key/hunter2"],
        ["docker", "login", "-phunter2"], ["docker", "run", "-e", "KEY=hunter2"], ["oc", "login", "-p", "hunter2"],
        ["npm", "config", "set", "_auth", "hunter2"], ["npm", "config", "set", "//r.example/:_auth=hunter2"],
        ["poetry", "config", "http-basic.foo", "user", "hunter2"], ["poetry", "publish", "-u", "u", "-p", "hunter2"],
        ["composer", "config", "http-basic.repo", "u", "hunter2"], ["cargo", "login", "hunter2"],
        ["dotnet", "nuget", "push", "x.nupkg", "-k", "hunter2"], ["pulumi", "config", "set", "--secret", "db", "hunter2"],
        ["vault", "unseal", "hunter2"], ["vault", "operator", "unseal", "hunter2"], ["fly", "secrets", "set", "X=1", "DB=hunter2"],
        ["flyctl", "secrets", "set", "X=hunter2", "-a", "app"], ["heroku", "config:set", "SALT=hunter2"],
        ["7za", "a", "-phunter2", "x.7z"],
        ["7zz", "x", "-phunter2"], ["unrar", "x", "-phunter2"], ["rar", "a", "-hphunter2"], ["zip", "-Phunter2", "a.zip"],
        ["qpdf", "--encrypt", "ada", "hunter2", "256", "--", "a", "b"], ["pdftk", "a.pdf", "input_pw", "hunter2", "cat"],
        ["pdftotext", "-upw", "hunter2", "a.pdf"], ["pdfinfo", "-opw", "hunter2", "a.pdf"],
        ["mount", "-t", "cifs", "-o", "user=a,pass=hunter2,ro", "//h/s", "/m"], ["xfreerdp", "/u:a", "/p:hunter2", "/v:h"],
        ["rdesktop", "-u", "a", "-p", "hunter2"], ["ldappasswd", "-s", "hunter2"], ["ldapadd", "-w", "hunter2"],
        ["net", "-U", "a%hunter2"],
        ["rpcclient", "--user=a%hunter2", "h"], ["wpa_cli", "set_network", "0", "psk", "\"hunter2\""],
        ["nmcli", "con", "add", "wifi-sec.psk", "hunter2"], ["iw", "dev", "w", "connect", "x", "key", "0:hunter2"],
        ["influx", "-t", "hunter2"], ["mc", "alias", "set", "x", "https://h", "AK", "hunter2"], ["openssl", "passwd", "-6", "hunter2"],
        ["openssl", "dgst", "-hmac", "hunter2"], ["mkpasswd", "-m", "sha-512", "hunter2"],
        ["caddy", "hash-password", "--plaintext", "hunter2"], ["htpasswd", "-bn", "u", "hunter2"], ["htpasswd", "-nbB", "u", "hunter2"],
        ["htpasswd", "-cbB", "f", "u", "hunter2"], ["app", "Bearer", "hunter2"], ["app", "Bearer hunter2"], ["app", "pass=hunter2"],
        ["app", "--jwt", "hunter2"], ["app", "--pin", "hunter2"], ["app", "--mfa-code=hunter2"], ["app", "--session-id=hunter2"],
        ["app", "--cookie=hunter2"], ["az", "login", "-phunter2"], ["mongoexport", "-p", "hunter2"], ["sudo", "oc", "login", "-phunter2"],
        ["sh", "-c", "mysql -phunter2 x; app --password hunter2; curl -H 'Authorization: Bearer hunter2' h"],
        ["sh", "-c", "app 'Bearer hunter2'"], ["sh", "-c", "app --token hunter2 && curl -H 'X-Vault-Token: hunter2' h"],
        ["sh", "-c", "true; fly secrets set X=hunter2"], ["bash", "-c", "openssl passwd -6 hunter2"],
    ]

    /// Programs that take it as others do, texts within texts, and secrets that have blanks.
    static let more: [[String]] =
        [
            "aws ssm put-parameter --name x --value hunter2", "az keyvault secret set --name n --value hunter2",
            "doctl auth init -t hunter2",
            "vercel -t hunter2 deploy", "gh secret set X --body=hunter2", "glab auth login -t hunter2", "glab variable set K hunter2",
            "glab variable set K -v hunter2", "git remote add o https://hunter2:x-oauth-basic@github.com/o/r",
            "helm registry login h -u u -p hunter2", "ansible-vault encrypt_string hunter2 --name x", "knife bootstrap h -P hunter2",
            "vault kv put secret/x value=hunter2", "vault write secret/x bar=hunter2", "vault token lookup hunter2", "vault unwrap hunter2",
            "bw login a@b hunter2", "bw unlock hunter2", "bw get item x --session hunter2", "security add-generic-password -a a -w hunter2",
            "security unlock-keychain -p hunter2 k", "keyctl add user k hunter2 @u", "env SSHPASS=hunter2 sshpass -e ssh h",
            "hurl --user u:hunter2 x", "ab -A u:hunter2 http://h/", "http --auth-type=bearer --auth=hunter2 h", "mycli -p hunter2 x",
            "redis-cli AUTH u hunter2", "redis-cli CONFIG SET masterauth hunter2", "redis-cli ACL SETUSER a on >hunter2 ~*",
            "redis-server --requirepass hunter2", "redis-cli HELLO 3 AUTH default hunter2", "isql dsn u hunter2", "sqlplus u/hunter2",
            "cypher-shell -u neo4j -p hunter2", "neo4j-admin dbms set-initial-password hunter2", "etcdctl --user root:hunter2 get x",
            "rabbitmqadmin -u u -p hunter2 list", "nats sub -s nats://hunter2@h x", "mosquitto_passwd -b f u hunter2",
            "openssl dgst -mac HMAC -macopt key:hunter2 f", "keytool -genkey -storepass hunter2 -alias a", "mvn -Dsonar.login=hunter2 x",
            "uv publish -t hunter2", "hatch publish -u u -a hunter2", "composer config github-oauth.github.com hunter2",
            "nuget setapikey hunter2", "dotnet nuget add source s -u u -p hunter2", "caddy hash-password -p hunter2",
            "ldapsearch -whunter2",
            "nmcli con add type wifi 802-1x.password hunter2", "cloudflared service install hunter2", "ngrok config add-authtoken hunter2",
            "gpg-preset-passphrase --preset -P hunter2 g", "rclone obscure hunter2", "mc admin user add m u hunter2", "pm2 link hunter2 p",
            "steghide extract -phunter2 -sf x", "swaks -ap hunter2", "wandb login --relogin hunter2", "openai api -k hunter2 x",
            "airflow users create -u a -p hunter2", "jq --arg token hunter2 x", "csh -c setenv API_TOKEN hunter2",
        ].map { $0.split(separator: " ").map(String.init) } + [
            ["curl", "-H", "Token: hunter2"], ["wget", "--header=X-Auth-Key: hunter2"], ["curl", "--header=Authorization: hunter2"],
            ["bazel", "build", "--remote_header=Authorization=Bearer hunter2"], ["ssh", "-o", "ProxyCommand=sshpass -phunter2 ssh h"],
            ["lftp", "-e", "open -u u,hunter2 h; ls"], ["sqlplus", "sys/hunter2@h as sysdba"], ["sh", "-c", "echo hunter2 | kinit u"],
            ["bash", "-c", "docker exec c sh -c 'mysql -uroot -phunter2'"], ["bash", "-c", "watch 'curl -u u:hunter2 h'"],
            ["bash", "-c", "ssh h 'echo \"u:hunter2\" | chpasswd'"], ["bash", "-c", "curl -H 'Authorization: hunter2' h"],
            ["sh", "-c", "echo h:5432:d:u:hunter2 > ~/.pgpass"], ["mysql", "-e", "SET PASSWORD FOR 'a'@'b' = 'hunter2'"],
            ["mongosh", "--eval", "db.auth(\"u\", \"hunter2\")"], ["mongosh", "--eval", "db.createUser({user:\"u\",pwd:\"hunter2\"})"],
            ["python3", "-c", "requests.get('h', auth=('u', 'hunter2'))"], ["php", "-r", "define(\"DB_PASSWORD\", \"hunter2\");"],
            ["app", "--passphrase=correct hunter2"], ["mysql", "-pcorrect hunter2", "d"], ["env", "DB_PASSWORD=correct hunter2", "x"],
            ["curl", "--user=ada:correct hunter2"], ["sshpass", "-pcorrect hunter2", "ssh"],
            ["openssl", "rsa", "-passin", "pass:a hunter2"],
            ["docker", "run", "-e", "DB_PASSWORD=correct hunter2", "x"], ["kubectl", "create", "secret", "--from-literal=k=a hunter2"],
            ["helm", "install", "x", "--set", "auth.password=correct hunter2"], ["curl", "-F", "password=correct hunter2"],
            ["vault", "kv", "put", "secret/x", "foo=correct hunter2"], ["terraform", "apply", "-var", "db_password=correct hunter2"],
        ]

    @Test(arguments: commands + more) func secretsInCommands(given: [String]) {
        let shown = redacted(given).joined(separator: " ")
        #expect(!shown.contains("hunter2") && shown.contains("***"), "\(shown)")
        let arguments = Array(given.joined(separator: "\0").utf8) + [0], mayHold = ArgumentRedaction.mayHoldSecrets(arguments.span)
        #expect(mayHold)
    }

    /// By their look alone. Made up here from two halves, so that no scanner takes this file for a leak.
    @Test(arguments: [
        ("ghp_", 36), ("gho_", 36), ("ghs_", 36), ("github_pat_", 60), ("glpat-", 20), ("xoxb-", 40), ("xoxp-", 40), ("AKIA", 16),
        ("ASIA", 16),
        ("gsk_", 52), ("dapi", 32), ("r8_", 37), ("GOCSPX-", 28), ("figd_", 40), ("pscale_tkn_", 43), ("sk-", 48), ("sk-proj-", 80),
        ("sk_live_", 24), ("npm_", 36), ("AIza", 35), ("hf_", 34), ("hvs.", 24), ("dckr_pat_", 27),
    ])
    func tokensByTheirLook(prefix: String, length: Int) {
        let alphabet = prefix.hasPrefix("A") && prefix != "AIza" ? "ABCDEFGH2345" : "aB3dE6gH9jK2"
        let token = prefix + String((0..<length).map { Array(alphabet)[($0 * 7) % 12] })
        for word in [token, "x:\(token)", "https://a.example/\(token)/x", "echo '\(token)' | tee", "{\(token)}"] {
            #expect(!redacted(["app", word])[1].contains(token), "\(word)")
            let arguments = Array("app\0\(word)\0".utf8), mayHold = ArgumentRedaction.mayHoldSecrets(arguments.span)
            #expect(mayHold)
        }
    }

    @Test func webTokensAreMasked() {
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl-_x"
        for word in [token, "jwt:\(token)", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ."] {
            #expect(redacted(["app", word])[1].hasSuffix("***"))
        }
    }

    static let innocent = [
        "3f786850e387550fdab836ed7e6dc881de23001b", "HEAD~3..origin/main",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "123e4567-e89b-12d3-a456-426614174000", "/usr/lib/gcc/x86_64-linux-gnu/12/include/stddef.h", "src/components/TokenInput.tsx",
        "/home/ada/projects/password-manager/src/main.rs", "libstdc++.so.6.0.30", "node_modules/@types/jsonwebtoken/index.d.ts",
        "-DCMAKE_BUILD_TYPE=Release", "--sort-key", "--public-key", "-march=native", "https://example.com/a/b?page=2&sort=name#top",
        "git@github.com:org/repo.git", "ssh://git@host/x", "registry.example.com/app:1.2@sha256:0123456789abcdef0123456789abcdef",
        "2026-11-20T10:00:00Z", "a=b", "x=y=z", "PATH=/usr/bin", "PWD=/home/ada", "OLDPWD=/tmp", "--max-tokens=4096", "--token-file=/run/t",
        "POSTGRES_PASSWORD_FILE=/run/secrets/db", "--no-password", "s/foo/bar/g", "task-management-for-everyone-2024", "sk-learn",
        "risk-assessment-of-things-2024",
        "ghp_short", "glpat-", "AKIA", "AKIAIOSFODNN7EXAMPLEXTRA", "npm_config_registry_for_everybody_in_here", "xoxo-hugs", "hf_transfer",
        "eyJ", "eyJhbGciOiJ9.x",
        "/nix/store/0c7c96gikmzv87i7lv3vq5s1cmfjd6zf-hello-2.12", "swift-6.3.1-RELEASE-debian12.tar.gz", "12345678901234567890123456",
        "-j8",
        "MyVeryLongClassNameForTestingPurposes2", "com.example.android.permission.READ_STORAGE_V2", "x86_64-unknown-linux-gnu",
        "-Wl,-rpath,$ORIGIN",
        "linux-image-6.18.0-1-cloud-amd64-unsigned_6.18.5-1_amd64.deb", "keyboard", "monkey-patch", "tokenizer.json",
        #"{"name":"ada","max_tokens":100}"#,
    ]

    /// Options that are called like a secret, and words that are looked for or said.
    @Test(arguments: [
        "openssl req -newkey rsa:2048 -keyout key.pem", "keytool -genkey -alias a", "grep -rn password src/", "gh run list -b main",
        "app --token-count 5 --secret-name x", "git commit -m token: --no-edit", "redis-cli set k v", "mysql -h h -P 3306 -u root d",
        "http GET example.com/a b==c", "sqlplus /nolog @scripts/run.sql", "mc cp a b/c", "vault kv get secret/x", "isql -v dsn",
        "uv pip install x==1.0", "steghide info f", "ansible-vault view group_vars/all/vault.yml", "jq -r --arg name ada f",
    ])
    func commandsStay(line: String) {
        let given = line.split(separator: " ").map(String.init)
        #expect(redacted(given) == given)
    }

    /// What only looks like a secret stays, with and without entropy, alone and in a shell's text.
    @Test(arguments: innocent, [false, true]) func lookAlikesStay(word: String, byEntropy: Bool) {
        #expect(redacted(["app", word, "next"], byEntropy: byEntropy) == ["app", word, "next"])
        #expect(redacted(["sh", "-c", "app \(word) next"], byEntropy: byEntropy) == ["sh", "-c", "app \(word) next"])
    }

    @Test(arguments: [
        (["docker", "run", "-p", "8080:80", "x"]), ["cp", "-pr", "a", "b"], ["curl", "-b", "cookies.txt", "x"],
        ["app", "--max-tokens", "4096"],
        ["sort", "-k", "2"], ["git", "config", "user.name", "ada"],
        ["git", "commit", "-m", "ask for the password once"], ["tar", "-cf", "a", "b"], ["scp", "ada@h:x", "y"], ["vault", "status"],
        ["docker", "pull", "h:5000/a@sha256:0123"], ["zip", "-r", "a.zip", "b"], ["redis-cli", "get", "x"],
        ["curl", "-sS", "-o", "u", "x"],
        ["npm", "install", "@types/node@20"], ["htpasswd", "-c", "f"], ["echo", "it's: 'quoted'"],
        ["kubectl", "patch", "-p", "x"], ["docker", "run", "-p80:80", "x"], ["git", "pull", "net", "main"], ["cargo", "build", "login"],
        ["fly", "deploy", "--build-arg", "A=b"], ["poetry", "config", "virtualenvs.in-project", "true"],
        ["composer", "config", "name", "x"],
        ["pulumi", "config", "get", "x"], ["openssl", "x509", "-text", "a"], ["qpdf", "a.pdf", "b.pdf"], ["mc", "ls", "a/b"],
        ["sh", "-c", "cat <a >b <c"], ["app", "<p>text</p>"], ["app", "https://hooks.example/services/x"], ["make", "KEYS=1", "X=KEY"],
        ["iw", "dev"], ["nmcli", "con", "show"], ["rar", "a", "x"], ["heroku", "logs", "a=b"], ["dotnet", "build", "-k"], ["net", "use"],
        ["git", "commit", "-m", "parse the token: it may be empty"],
    ])
    func linesStay(given: [String]) { #expect(redacted(given) == given) }

    /// No name and no prefix: only where the profile asks for it.
    @Test(arguments: [
        "q7Zt2Vb9XkL4mN8pR1sW6yC3", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLE9KEY2", "d8f3k2m9x7q4z1v6b5n0j8h2g7p4",
        "dGhpcyBpcyBh4HNlY3JldCB0aGF0IGlzIGxvbmc2Nw==",
    ])
    func randomWordsByEntropy(word: String) {
        for given in [word, "x:\(word)", "value is \(word), so"] {
            #expect(redacted(["app", given])[1] == given)
            #expect(!redacted(["app", given], byEntropy: true)[1].contains(word))
        }
    }

    @Test func anythingCanBeRedacted() {
        var random = SeededRandom(state: 7)
        let pieces = [
            "-", "--", "=", ":", "//", "@", " ", "token", "curl", "authorization:", "-u", "-p", "mysql", "\u{1}", "a", "\"", "'", "\\", "{",
            "?", "&",
            "eyJ", ".", "-----BEGIN PRIVATE KEY-----", "-----END ", "sk-", "password", "set",
        ]
        for _ in 0..<4000 {
            let words = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                Array((0..<Int.random(in: 0...7, using: &random)).map { _ in pieces.randomElement(using: &random)! }.joined().utf8)
            }
            #expect(ArgumentRedaction.redact(words, byEntropy: true).count == words.count)
        }
    }

    /// It is done on the tracer's thread, on up to 64 KiB: where the work grew with the square of that, this would take for ever.
    @Test(arguments: [
        "=", "a=", "a:b@c://", "eyJ.", "eyJaaaaaaa.", "a+", "\"token\":", "&token=", "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "sk-",
        " x", "'", "X-a-Token:", "password'", "password='", "by \"", "\npassword: ", "a:b@", "x/y@", "-u", "echo sudo -S ",
    ])
    func hostileArgumentsAreQuick(piece: String) {
        let word = Array(String(repeating: piece, count: 65_536 / piece.utf8.count).utf8)
        #expect(ArgumentRedaction.redact([[0x61], word], byEntropy: true).count == 2)
    }
}
