import Foundation
import Testing

extension EndToEnd.CarriesTests {
    /// What stands beside classified data, or talks to who may have it, goes on. `C` is the cleared sink's port.
    static let innocent = [
        "cat $F > /dev/tcp/127.0.0.2/$C", "curl -s -m 10 --data-binary @$F http://127.0.0.2:$C/",
        "wc -l < $F > n; cat n > /dev/tcp/127.0.0.2/$C",
        "cat $F | wc -l; echo hello > /dev/tcp/127.0.0.1/$P", "wc -l $F; echo hello > /dev/tcp/127.0.0.1/$P",
        "gzip -c $F > kept; echo hello > /dev/tcp/127.0.0.1/$P", "cp $F kept & echo hello > /dev/tcp/127.0.0.1/$P; wait",
        "sort $F | uniq | tail -1; date > d; cat d > /dev/tcp/127.0.0.1/$P",
        "ls -l ${F%/*}; stat $F; test -r $F; echo hello > /dev/tcp/127.0.0.1/$P",
        "cmp $F $F && echo hello > /dev/tcp/127.0.0.1/$P", "grep -q SECRET $F && echo hello > /dev/tcp/127.0.0.1/$P",
        "(cat $F; cat $F) > kept; cat $G > /dev/tcp/127.0.0.1/$P",
        "for i in 1 2 3 4 5; do cat $F | cat | cat | wc -c; done; cat $G > /dev/tcp/127.0.0.1/$P",
        "tar cf a.tar -C / ${F#/}; tar cf b.tar -C / ${G#/}; cat b.tar > /dev/tcp/127.0.0.1/$P",
        "git init -q r && cd r && cp $G f && git add f && git -c user.name=n -c user.email=e commit -qm m; wc -l $F; git push -q git://127.0.0.1:$P/r HEAD:m; true",
        "printf 'all: x\\nx: ; cat $F > x\\n' > Makefile; make -s; cat $G > /dev/tcp/127.0.0.1/$P",
        "/usr/bin/python3 -c 'import subprocess; subprocess.run([\"wc\", \"-l\", \"'$F'\"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)'; cat $G > /dev/tcp/127.0.0.1/$P",
        "mkfifo p; cat p > kept & cat $F > p; wait; cat $G > /dev/tcp/127.0.0.1/$P",
        "cp $F kept; rm kept; cp $G kept; cat kept > /dev/tcp/127.0.0.1/$P",
        "sed -n 1p $F > kept; sleep 0 | cat $G > /dev/tcp/127.0.0.1/$P",
        "cp $F kept; mv kept named; ls; echo * | wc -c; cat $G > /dev/tcp/127.0.0.1/$P",
        "sed -i s/a/b/ $F; gzip -k $F; rm $F.gz; ls ${F%/*} > n; cat n > /dev/tcp/127.0.0.1/$P",
        "(cat $F; readlink l; ln -s $G l; readlink -f l) > kept; readlink /proc/self/exe > n; cat n > /dev/tcp/127.0.0.1/$P",
        "cat $F > /dev/tcp/127.0.0.2/$C; cp -a $F kept; cat $G > /dev/tcp/127.0.0.1/$P",
        "/usr/bin/python3 $T/channels.py innocent; cat $G > /dev/tcp/127.0.0.1/$P",
        "/usr/bin/python3 $T/channels.py innocent-descriptors",
        "/usr/bin/python3 $T/channels.py innocent-connections && cat $G > /dev/tcp/127.0.0.1/$P",
        "less $F > kept; (read -r l < $F; exec curl -s -m 10 http://127.0.0.2:$C/); curl -s -m 10 --data-binary @$G http://127.0.0.1:$P/",
        "tmux -S t -f /dev/null new-session -d \"bash -c 'cat $G > /dev/tcp/127.0.0.1/$P'; tmux -S t wait-for -S sent\"; tmux -S t wait-for sent",
        "wc -l $F; vim -u NONE -es -c \"r $G\" -c 'w! c' -c 'q!'; cat c > /dev/tcp/127.0.0.1/$P",
        "grep -c SECRET $F; ssh -F none -o ConnectTimeout=5 -p $P x@127.0.0.1 true; true",
        "tail -n 1 $F; psql \"host=127.0.0.1 port=$P user=u dbname=d sslmode=disable gssencmode=disable connect_timeout=5\" -c 'select 1'; true",
        "cp $F kept; git init -q r && cd r && git fetch -q git://127.0.0.1:$P/r; true",
        "/usr/bin/python3 -m pip download -q --no-deps --retries 0 --timeout 5 -i http://127.0.0.1:$P/ nothing; cat $F > kept; echo x > /dev/tcp/127.0.0.1/$P",
        "node -e 'require(\"child_process\").execFileSync(\"wc\", [\"'$F'\"], {stdio: \"ignore\"}); require(\"net\").connect('$P', \"127.0.0.1\").end(\"x\")'",
        "node -e 'require(\"fs\").readFileSync(\"'$F'\")'; node -e 'require(\"net\").connect('$P', \"127.0.0.1\").end(\"x\")'",
        "cat $F | wc -c > n & cat $G | cat > /dev/tcp/127.0.0.1/$P; wait",
        "sqlite3 a.db \"CREATE TABLE t AS SELECT readfile('$F') AS d\"; sqlite3 b.db 'CREATE TABLE t (d); INSERT INTO t VALUES (1)'; sqlite3 b.db 'SELECT d FROM t' > /dev/tcp/127.0.0.1/$P",
        "export G; printf 'all: x y\\nx: ; cat $F > x\\ny: ; cat $G > /dev/tcp/127.0.0.1/$P\\n' > Makefile; make -s -j2 SHELL=/bin/bash",
        "printf '%s\\0' $F $F $F | xargs -0 -P 3 -n 1 wc -l > n; cat $G > /dev/tcp/127.0.0.1/$P",
        "timeout 9 gzip -c $F > kept; timeout 9 bash -c 'cat '$G' > /dev/tcp/127.0.0.1/'$P",
        "(trap 'cat $G > /dev/tcp/127.0.0.1/$P' EXIT; wc -l $F > n)",
        "diff $F $G && sha256sum $F && stat $F && find ${F%/*} -name '*.csv' -size -9k && cat $G > /dev/tcp/127.0.0.1/$P",
        "mkdir d; tar cf - -C / ${F#/} | tar xf - -C d; rm -r d; cat $G > /dev/tcp/127.0.0.1/$P",
    ]

    @Test(arguments: innocent) func isNotStopped(script: String) throws {
        let place = try Place(.own)
        defer { place.end() }
        let outcome = try place.run("G=\(place.open); C=\(place.cleared.port)\n" + script, file: place.classified)
        #expect(!place.sink.received().isEmpty || !place.cleared.received().isEmpty, "\(outcome)")
        let denied = try place.world.events("--decision", "deny")
        #expect(denied.isEmpty, "\(denied) \(outcome)")
    }

    /// What was refused has brought nobody anything: others talk to the same server as before.
    @Test(arguments: Account.all) func aRefusalLeavesTheServerAsItWas(account: Account) throws {
        let place = try Place(account)
        defer { place.end() }
        let script = """
            (read -r l < $F; echo "$l" > /dev/tcp/127.0.0.1/$P); (read -r l < $F; exec curl -s --unix-socket $U -d "$l" http://x/)
            echo one > /dev/tcp/127.0.0.1/$P; curl -s -d two --unix-socket $U http://x/
            """
        let outcome = try place.run(script, file: place.classified)
        let received = String(decoding: place.sink.received(), as: UTF8.self)
        #expect(received.contains("one\n") && received.hasSuffix("two") && !received.contains("SECRET"), "\(received) \(outcome)")
        #expect(try place.world.events("--decision", "deny").count == 2, "\(outcome)")
    }

    /// What is looked at for a call is held no longer than that.
    @Test func aListenerThatWasClosedIsGone() throws {
        let place = try Place(.own)
        defer { place.end() }
        let script = """
            import socket, sys
            s = socket.socket()
            s.bind(("127.0.0.1", 0))
            s.listen()
            s.setblocking(False)
            try:
                s.accept()
            except BlockingIOError:
                port = s.getsockname()[1]
                s.close()
                print(port, flush=True)
                sys.stdin.read()
            """
        let world = place.world
        let running = try world.start(world.sandboxCommand(["/usr/bin/python3", "-c", script], profile: place.profile))
        let port = try #require(running.line())
        let outcome = try world.native(["bash", "-c", "exec 3<> /dev/tcp/127.0.0.1/\(port)"])
        #expect(outcome.code != 0, "somebody listens at port \(port) yet")
        running.closeInput()
        #expect(running.finish().code == 0)
    }
}
