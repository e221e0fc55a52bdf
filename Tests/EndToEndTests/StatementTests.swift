import Foundation
import Testing

/// SQL that a client takes from elsewhere than its arguments.
extension EndToEnd {
    @Suite(.serialized, .enabled(if: Built.exists(Built.sandbox) && Built.installed("sqlite3", "python3", "bash")))
    struct StatementTests {
        private static var script: String { (try? String(contentsOfFile: "\(Built.tools)/statements.sh", encoding: .utf8)) ?? "exit 99" }
        static let drop = "drop table @;", harmless = "insert into @ values (7); delete from @ where a = 8;"

        private func profile(_ world: World, _ rule: String = "intent: sql.drop, decide: deny, reason: never", mode: String = "enforce")
            throws
            -> String
        {
            try world.profile(
                "statements",
                """
                mode: \(mode)
                files: { default: allow }
                exec: { default: allow }
                network: { default: allow }
                rules:
                  - { name: no-drop, \(rule) }
                """)
        }

        // MARK: Every way

        /// What a rule denies happens by none of them; everything else comes out as it does outside.
        private func everyWay(_ client: String, _ options: (World) -> String, renew: () throws -> Void) throws {
            func outcome(_ sql: String, _ account: Account, isInside: Bool) throws -> [String] {
                try renew()
                let world = try World(account)
                let words = ["env", "C=" + options(world), "SQL=" + sql, "bash", "-c", Self.script, "bash", client]
                let outcome = try isInside ? world.sandboxed(words, profile: profile(world)) : world.native(words)
                #expect(!outcome.late, "\(outcome)")
                return outcome.out.split(separator: "\n").map(String.init)
            }
            let dropped = try outcome(Self.drop, .own, isInside: false), outside = try outcome(Self.harmless, .own, isInside: false)
            #expect(dropped.count >= 14 && dropped.allSatisfy { $0.contains("here=no") && $0.contains("ran ") }, "\(dropped)")
            #expect(outside.allSatisfy { $0.contains("here=yes 1 out=") && $0.contains("ran ") }, "\(outside)")
            for account in Account.all {
                let kept = try outcome(Self.drop, account, isInside: true)
                #expect(kept.count == dropped.count)
                // Of a conversation what was said before has been answered.
                #expect(kept.allSatisfy { $0.contains("here=yes 0 out=") && !$0.contains("ran ") }, "\(kept)")
                #expect(kept.last?.hasSuffix("out=8") == true)
                #expect(try outcome(Self.harmless, account, isInside: true) == outside)
            }
        }

        @Test func sqlite() throws { try everyWay("sqlite3", { "sqlite3 " + $0.work + "/db" }, renew: {}) }

        @Test(.enabled(if: Postgres.isInstalled)) func postgres() throws {
            let server = try Postgres()
            try everyWay("psql", { _ in server.client }) { try server.run("drop schema public cascade; create schema public") }
            try bigDump(.own, server)
            for account in Account.all { try followsData(account, server) }
        }

        @Test(.enabled(if: MariaDB.isInstalled)) func mariadb() throws {
            let server = try MariaDB()
            try everyWay("mysql", { _ in server.client }) { try server.run("drop database if exists t; create database t") }
        }

        /// More than is waited for, and what comes by a pipe more than it holds: not a byte is lost or changed.
        private func bigDump(_ account: Account, _ server: Postgres) throws {
            let world = try World(account)
            let rows = (0..<10_000).map { "\($0)\t" + String(repeating: "it's \($0) ", count: 90) }
            #expect(rows.reduce(0) { $0 + $1.utf8.count } > 8 << 20)
            let dump =
                "create temp table big (a int, b text);\ncopy big from stdin;\n" + rows.joined(separator: "\n")
                + "\n\\.\nselect count(*), md5(string_agg(a || b, ',' order by a)) from big;\n"
            try dump.write(toFile: world.work + "/dump.sql", atomically: false, encoding: .utf8)
            let client = server.client + " -v ON_ERROR_STOP=1"
            let native = try world.native(["bash", "-c", client + " < dump.sql"])
            #expect(native.out.hasPrefix("10000|"), "\(native)")
            let inside = try world.sandboxed(["bash", "-c", "cat dump.sql | " + client], profile: profile(world))
            #expect(inside.out == native.out, "\(inside)")
        }

        /// What a client gets through a pipe of ours it gets from where the pipe comes from.
        private func followsData(_ account: Account, _ server: Postgres) throws {
            let world = try World(account)
            let profile = try world.profile(
                "carries",
                """
                files: { default: allow }
                exec: { default: allow }
                network: { default: allow }
                data: { secret: { files: ["\(world.root)/vault/**"] } }
                rules:
                  - { name: home, intent: net.egress, when: { carries: secret }, decide: deny, reason: no }
                  - { name: no-drop, intent: sql.drop, decide: deny, reason: never }
                """)
            let talk = """
                import subprocess, sys
                client = subprocess.Popen(sys.argv[1].split(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                client.stdin.write("select 8;\\n")
                client.stdin.flush()
                print(client.stdout.readline().strip())
                try: print("read", len(open(sys.argv[2]).read()))
                except PermissionError: print("denied")
                """
            let words = ["python3", "-c", talk, server.client, world.secret]
            #expect(try world.native(words).out == "8\nread \(World.secretText.utf8.count)\n")
            let inside = try world.sandboxed(words, profile: profile)
            #expect(inside.out == "8\ndenied\n", "\(inside)")
        }

        /// redis-cli's commands, by every way.
        @Test(.enabled(if: Redis.isInstalled), arguments: Account.all) func redis(account: Account) throws {
            let server = try Redis(), client = server.client
            let talk = """
                import subprocess, sys
                client = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                client.stdin.write("PING talk\\n")
                client.stdin.flush()
                print(client.stdout.readline().strip(), flush=True)
                try: print(client.communicate("flushall\\n")[0].strip())
                except BrokenPipeError: pass
                """
            let script = """
                printf 'set k "x y"\n 2 "\\\\x66lushall"\n' > bad; printf 'GET flushall\nset k flushall\n' > good
                there() { [ $($C exists keep) = 1 ] && echo "$1: kept" || echo "$1: gone"; $C set keep 1 > said; }
                $C set keep 1 > said
                for f in good bad; do
                    $C < $f; there file; cat $f | $C -n 0; there pipe; $C <<< "$(cat $f)"; there here; (exec < $f; exec $C); there exec
                done
                $C -x set k < bad; there text
                printf '*1\r\n$8\r\nFLUSHALL\r\n' | $C --pipe > said; there protocol
                $C eval 'return redis.call("flushall")' 0; there lua
                python3 -c "$TALK" $C; there talk
                """
            let words = ["env", "TALK=" + talk, "C=" + client, "bash", "-c", script]
            func answers(_ good: String, _ bad: String, _ end: String) -> String {
                ["file", "pipe", "here", "exec"].map { "\nOK\n\($0): kept\n" }.joined()
                    + ["file", "pipe", "here", "exec"].map { bad + "\($0): \(good)\n" }.joined() + "OK\ntext: kept\n" + end
            }
            let native = try World(account).native(words)
            #expect(
                native.out
                    == answers("gone", "OK\nOK\nOK\n", "protocol: gone\nOK\nlua: gone\ntalk\nOK\ntalk: gone\n"), "\(native)")
            let inside = try World(account),
                outcome = try inside.sandboxed(words, profile: profile(inside, "intent: kv.flush, decide: deny, reason: never"))
            #expect(outcome.out == answers("kept", "", "protocol: kept\nlua: kept\ntalk\n\ntalk: kept\n"), "\(outcome)")
            let denied = try inside.events("--decision", "deny")
            #expect(denied.count == 7 && denied.allSatisfy { $0.intents.contains("kv.flush") }, "\(denied)")
            #expect(outcome.err.contains("(commands from standard input)"), "\(outcome.err)")
        }

        // MARK: Races

        /// Somebody changes the file all the time, in place and by name.
        @Test(arguments: Account.all) func aFileThatChangesMeanwhile(account: Account) throws {
            let script = """
                for i in $(seq 1 60); do sqlite3 db "create table if not exists keep (a)"; done
                echo "select 'harmless, and as long as';" > good; echo "drop table keep; select 'and dr';" > bad
                (while [ ! -e done ]; do cp good s.sql; cp bad s.sql; cp good n; mv n s.sql; cp bad n; mv n s.sql; done) &
                for i in $(seq 1 60); do
                    case $((i % 3)) in 0) sqlite3 db < s.sql ;; 1) sqlite3 db ".read s.sql" ;; 2) cat s.sql | sqlite3 db ;; esac
                    sqlite3 db "select count(*) from keep" > /dev/null 2>&1 || { echo gone; break; }
                done > out 2> err
                touch done; wait; cat out
                """
            let world = try World(account)
            let native = try world.native(["bash", "-c", script])
            #expect(native.out.contains("gone"), "\(native)")
            let other = try World(account)
            let inside = try other.sandboxed(["bash", "-c", script], profile: profile(other))
            #expect(!inside.out.contains("gone") && inside.out.contains("harmless"), "\(inside)")
            #expect(try !other.events("--decision", "deny").isEmpty)
        }

        // MARK: What stays as it is

        /// Who shares the open file goes on where the client stopped; what it has not read is there for others.
        @Test(arguments: Account.all) func sharedInput(account: Account) throws {
            let script = """
                sqlite3 db "create table t (a)"
                printf 'select 1;\\n.quit\\nrest 1\\nrest 2\\n' > f; (echo 'select 2;'; seq 1 5000 | sed 's/.*/select &;/') > g
                (sqlite3 db; cat) < f; (read x; sqlite3 db; echo --; cat) < f; (sqlite3 db | tail -1; cat) < g
                while read line; do sqlite3 db "select 7"; done < f; cat f | (head -1; sqlite3 db 2>&1)
                seq 1 3 | while read x; do echo "select $x;" | sqlite3 db; done
                sqlite3 db < /dev/null; sqlite3 db <&-; echo "select 3;" > h; exec 3< h; sqlite3 db <&3; cat <&3
                """
            let outside = try World(account), inside = try World(account)
            let native = try outside.native(["bash", "-c", script])
            #expect(native.out.contains("rest 1") && native.code == 0, "\(native)")
            let outcome = try inside.sandboxed(["bash", "-c", script], profile: profile(inside))
            #expect(firstDifference(native.out, outcome.out) == nil && outcome.code == 0, "\(outcome.err)")
        }

        /// Where no rule asks what SQL does, nothing is put in anybody's place.
        @Test(arguments: ["intent: sql.drop, decide: deny", "intent: git.push, decide: deny"]) func onlyWhereItMatters(rule: String) throws
        {
            let world = try World()
            try ".shell readlink /proc/$PPID/fd/0\n".write(toFile: world.work + "/f", atomically: false, encoding: .utf8)
            let outcome = try world.sandboxed(["sh", "-c", "sqlite3 db < f"], profile: profile(world, rule))
            #expect(outcome.out.hasPrefix("/memfd:") == rule.contains("sql") && !outcome.out.isEmpty, "\(outcome)")
        }

        // MARK: What else rules do

        @Test(arguments: Account.all) func isRewritten(account: Account) throws {
            let world = try World(account)
            let rule = "intent: sql.select, when: { program: sqlite3 }, decide: rewrite, rewrite: { sql: { limit: 2 } }"
            let script = """
                sqlite3 db "create table t (a); insert into t values (1), (2), (3)"; echo "select a from t;" > f
                sqlite3 db < f; cat f | sqlite3 db; sqlite3 db ".read f" 2>&1; echo ".read f" | sqlite3 db
                """
            let outcome = try world.sandboxed(["bash", "-c", script], profile: profile(world, rule))
            #expect(outcome.out == "1\n2\n1\n2\n1\n2\n1\n2\n", "\(outcome)")
        }

        /// An answer for the session is about the text as well.
        @Test(arguments: Account.all) func isAskedAbout(account: Account) throws {
            let world = try World(account)
            let script = """
                sqlite3 db "create table a (x); create table b (x)"
                echo "drop table a;" | sqlite3 db; echo "drop table a;" | sqlite3 db 2>&1; echo "drop table b;" | sqlite3 db; sqlite3 db .tables
                """
            let running = try world.start(
                world.sandboxCommand(
                    ["bash", "-c", script], profile: profile(world, "intent: sql.drop, decide: ask, ask: { timeout: 1h }")))
            func question() throws -> String {
                var found: String?
                _ = eventually(within: 60) {
                    let list = try? world.native([Built.sandbox, "approvals", "list"])
                    found = list?.out.split(separator: " ").first.map(String.init)
                    return found != nil
                }
                return try #require(found)
            }
            #expect(try world.native([Built.sandbox, "approvals", "approve", question(), "--for", "session"]).code == 0)
            #expect(try world.native([Built.sandbox, "approvals", "deny", question()]).code == 0)
            let outcome = running.finish()
            #expect(outcome.out.contains("no such table: a") && outcome.out.hasSuffix("b\n"), "\(outcome)")
        }

        /// Observe mode says what would have been, and changes nothing. The trail says where the SQL came from, and not what it was.
        @Test(arguments: Account.all, ["enforce", "observe"]) func isOnRecord(account: Account, mode: String) throws {
            let world = try World(account)
            let script =
                "sqlite3 db 'create table t (a)'; echo \"drop table t; select 'PAYLOAD';\" > f; sqlite3 db < f; sqlite3 db '.read f'"
            let outcome = try world.sandboxed(["bash", "-c", script], profile: profile(world, mode: mode))
            #expect(outcome.out.contains("PAYLOAD") == (mode == "observe"), "\(outcome)")
            let trail = try world.native([Built.sandbox, "audit", "events", "--json", "--decision", "deny"]).out
            #expect(trail.contains("SQL from standard input") && trail.contains(#""note":"SQL from f""#), "\(trail)")
            #expect(trail.split(separator: "\n").allSatisfy { $0.contains("sql.drop") }, "\(trail)")
        }

        /// What comes by a pipe is looked at and stays there; whoever goes on writing is not waited for.
        @Test(arguments: Account.all) func pipesAreObserved(account: Account) throws {
            let world = try World(account)
            let script = """
                sqlite3 db 'create table t (a)'; echo "drop table if exists t; select 'ONE';" > f; mkfifo p
                exec 3< <(cat f); wait $!; sqlite3 db <&3; exec 4<>p 5<p; cat f >&4; exec 4>&-; sqlite3 db <&5
                sqlite3 db <<< "drop table if exists t; select 'THREE';"
                (cat f; head -c 300000 /dev/zero | tr '\\0' ' '; echo ';') | sqlite3 db 2>&1
                """
            let outcome = try world.sandboxed(["bash", "-c", script], profile: profile(world, mode: "observe"))
            #expect(outcome.out.split(separator: "\n").filter { $0 == "ONE" || $0 == "THREE" }.count == 4, "\(outcome)")
            let trail = try world.native([Built.sandbox, "audit", "events", "--json", "--operation", "exec"]).out
            let clients = trail.split(separator: "\n").filter { $0.contains("sqlite3") }
            #expect(
                clients.filter { $0.contains("sql.drop") }.count == 3 && clients.filter { $0.contains("sql.unknown") }.count == 1,
                "\(clients)")
        }

        @Test func explainReadsFiles() throws {
            let world = try World()
            try ".read b\n".write(toFile: world.work + "/a", atomically: false, encoding: .utf8)
            try "drop table t;\n".write(toFile: world.work + "/b", atomically: false, encoding: .utf8)
            for words in [["sh", "-c", "echo flushall | redis-cli"], ["sh", "-c", "redis-cli -n 1 <<< 'FLUSHDB async'"]] {
                let outcome = try world.native(
                    [Built.sandbox, "explain", "-p", profile(world, "intent: kv.flush, decide: deny"), "--"] + words)
                #expect(outcome.code == 1 && outcome.out.contains("kv.flush"), "\(words) \(outcome)")
            }
            for (text, intents) in [("flushall", "kv.flush"), ("get flushall\ndel a", "kv.delete"), ("get flushall", "")] {
                let outcome = try world.native([
                    Built.sandbox, "explain", "-p", profile(world), "--json", "--sql", text, "--dialect", "redis",
                ])
                #expect(outcome.out.contains("\"intents\":[" + (intents.isEmpty ? "]" : "\"" + intents)), "\(outcome)")
            }
            for words in [["psql", "-f", "b"], ["sqlite3", "db", ".read a"], ["mysql", "-e", "source b"], ["psql", "-c", "\\i b"]] {
                let outcome = try world.native([Built.sandbox, "explain", "-p", profile(world), "--"] + words)
                #expect(outcome.code == 1 && outcome.out.contains("sql.drop"), "\(words) \(outcome)")
            }
        }
    }
}
