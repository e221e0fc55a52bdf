import Foundation
import Testing

extension EndToEnd.AuditTests {
    /// A name, and arguments with a secret in them, for bash.
    static let secretive = [
        "app --password hunter2", "app --pass hunter2", "app --token=hunter2", "app -token hunter2", "app --private-key=hunter2",
        "app 'Bearer hunter2'", "app 'Server=h;User Id=sa;Password=hunter2;'", "app 'Data Source=h;Pwd=hunter2'",
        "app 'Endpoint=sb://h/;SharedAccessKey=hunter2'", "app 'https://a.blob.core.windows.net/c?sv=2020&sr=b&sig=hunter2'",
        "app 'https://h/x?X-Amz-Credential=a&X-Amz-Security-Token=hunter2'", "app https://hooks.slack.com/services/T0/B0/hunter2",
        "app https://discord.com/api/webhooks/1/hunter2", "app https://api.telegram.org/bot1:hunter2/x", "app amqp://u:hunter2@h",
        "app rediss://:hunter2@h", "app AWS_SECRET_ACCESS_KEY=hunter2", "mysql -uroot -phunter2", "mysqlcheck -phunter2",
        "mariadb-dump -phunter2", "psql postgres://u:hunter2@h/d", "psql 'host=h password=hunter2'", "psql 'user=a password = hunter2'",
        "psql 'postgresql://u@h/d?password=hunter2'", "mongosh mongodb+srv://u:hunter2@h/d", "redis-cli --pass hunter2",
        "curl -u u:hunter2",
        "curl -H 'Authorization: Basic hunter2'", "curl -H 'X-API-Key: hunter2'", "curl -H 'Proxy-Authorization: Basic hunter2'",
        "curl https://u:hunter2@h/p", "curl -x u:hunter2@p:1 x", "curl --oauth2-bearer hunter2", "curl -F password=hunter2",
        "curl --json '{\"apiKey\":\"hunter2\"}'", "curl -d '<password>hunter2</password>'", "env PGPASSWORD=hunter2 psql",
        "env DATABASE_URL=postgres://u:hunter2@h/d x", "env -S 'TOKEN=hunter2 true'", "sh -c 'PGPASSWORD=hunter2 psql -h x'",
        "bash -lc \"export AWS_SESSION_TOKEN='hunter2'\"", "docker run -e KEY=hunter2", "docker run --env API_KEY=hunter2",
        "docker login -phunter2",
        "docker build --build-arg=TOKEN=hunter2", "kubectl create secret generic x --from-literal=password=hunter2",
        "kubectl config set-credentials u --password=hunter2", "helm install --set db.password=hunter2", "oc login -p hunter2",
        "sshpass -phunter2 ssh", "sshpass -p hunter2 ssh", "openssl rsa -passin pass:hunter2", "openssl passwd -6 hunter2",
        "git -c http.extraHeader='Authorization: Bearer hunter2' fetch", "git clone https://oauth2:hunter2@h/o/r",
        "git remote set-url origin https://hunter2@github.com/o/r", "npm config set //r.example/:_authToken hunter2",
        "npm config set //r.example/:_auth=hunter2", "pip install -i https://__token__:hunter2@h/simple x",
        "poetry config http-basic.a u hunter2",
        "cargo login hunter2", "dotnet nuget push x -k hunter2", "aws configure set aws_secret_access_key hunter2",
        "az storage blob list --account-key hunter2", "terraform apply -var db_password=hunter2", "vault kv put secret/x password=hunter2",
        "vault operator unseal hunter2", "fly secrets set X=hunter2", "ansible-playbook -e ansible_password=hunter2",
        "gpg --passphrase hunter2",
        "7zz a -phunter2 x", "zip -Phunter2 a b", "qpdf --encrypt u hunter2 256 -- a b", "mount.cifs -o username=a,password=hunter2",
        "mount -t cifs -o user=a,pass=hunter2", "xfreerdp /u:a /p:hunter2", "smbclient -U 'a%hunter2'", "ldapsearch -x -w hunter2",
        "nmcli con add wifi-sec.psk hunter2", "htpasswd -nbB u hunter2", "java -Dspring.datasource.password=hunter2",
        "app $'-----BEGIN RSA PRIVATE KEY-----\\nhunter2\\n-----END RSA PRIVATE KEY-----'",
    ]

    /// In nothing that is written down or shown: not in the journal, nor in what people are asked, nor in any answer.
    @Test(arguments: Account.all) func noSecretOfAnArgumentIsKept(account: Account) throws {
        let world = try World(account)
        let profile = try world.profile(
            "asking",
            """
            mode: enforce
            files: { default: allow }
            exec: { default: allow }
            network: { default: allow }
            rules: [{ name: asked, intent: proc.exec, when: { args: please-ask }, decide: ask, ask: { timeout: 60s } }]
            """)
        func start(_ line: String) -> String {
            let words = line.split(separator: " ", maxSplits: 1)
            return "(exec -a \(words[0]) /bin/true \(words[1]))\n"
        }
        let script = Self.secretive.map(start).joined() + start("psql please-ask -d postgres://u:hunter2@h/d --password hunter2")
        try script.write(toFile: world.work + "/script", atomically: false, encoding: .utf8)
        let running = try world.start(world.sandboxCommand(["bash", "script"], profile: profile))
        running.closeInput()
        var shown = ""
        func ask(_ words: String...) throws -> String {
            let outcome = try world.native([Built.sandbox] + words)
            shown += outcome.out + outcome.err
            return outcome.out
        }
        // While it is held, the journal is as it was written.
        #expect(eventually(within: 60) { (try? ask("approvals", "list", "--json").contains("\"approval\"")) == true })
        let question = try #require(
            try JSONSerialization.jsonObject(with: Data(ask("approvals", "list", "--json").utf8)) as? [String: Any])
        let id = try #require(question["approval"] as? String)
        _ = try ask("approvals", "show", id)
        _ = try ask("approvals", "list")
        func raw() throws -> String { try world.native(["sh", "-c", "find '\(world.state)' -type f -exec cat {} + | tr -d '\\0'"]).out }
        let before = try raw()
        _ = try ask("approvals", "deny", id)
        let outcome = running.finish(within: 60)
        let events = try ask("audit", "events", "--json", "--operation", "exec")
        for line in Self.secretive {
            let program = line.split(separator: " ")[0]
            #expect(events.contains("\"args\":[\"\(program)\","), "\(program) \(outcome)")
        }
        _ = try ask("audit", "events")
        _ = try ask("audit", "show", "last")
        _ = try ask("audit", "show", "last", "--json")
        for format in ["tree", "json", "dot", "mermaid", "prov", "openlineage"] { _ = try ask("lineage", "last", "--format", format) }
        #expect(shown.contains("***") && !before.isEmpty)
        for text in [shown, before, try raw(), outcome.out, outcome.err] {
            let places = text.ranges(of: "hunter2").prefix(5).map { text[..<$0.lowerBound].suffix(80) }
            #expect(places.isEmpty, "\(places)")
        }
    }
}
