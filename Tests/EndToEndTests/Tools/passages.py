"""Still other ways from the file F to the port P: copies made inside the kernel, memory, what sockets tell besides data, descriptors
that were handed out before, and programs that keep something for others (see `channels.py`)."""
import ctypes, fcntl, http.server, mmap, os, pty, signal, socket, sqlite3, struct, subprocess, sys, tty

# What somebody has compiled who carries the class would be another's to load.
sys.dont_write_bytecode = True
from channels import F, P, after_reading, child, libc, make_file, read, send, text, until, wait

# Copied inside the kernel.

def copy_range():
    with open(F, "rb") as a, open("c", "w+b") as b:
        os.copy_file_range(a.fileno(), b.fileno(), 4096)
    wait(child(lambda: None))
    send(open("c", "rb").read())


def copied_by_another():
    """Whoever has the descriptor copies without reading."""
    fd = os.open("c", os.O_RDWR | os.O_CREAT, 0o600)
    def way(data):
        with open(F, "rb") as f:
            os.copy_file_range(f.fileno(), fd, 4096)
    def opens():
        until(lambda: os.fstat(fd).st_size > 0)
        return os.pread(fd, 64, 0)
    after_reading(opens, way)


def tee_between_pipes():
    """A third process has both pipes and copies between them, tee(2)."""
    a, b = os.pipe(), os.pipe()

    def way(data):
        os.write(a[1], data)

    r, w = os.pipe()
    def copier():
        until(lambda: libc.tee(a[0], b[1], 64, 2) > 0)
    pid = child(copier)

    def opens():
        return os.read(b[0], 64)
    after_reading(opens, way)
    os.kill(pid, signal.SIGKILL)
    wait(pid)


# Memory.

def mapped_and_synced():
    """Written by a mapping, and read from the file after msync(2)."""
    with open("m", "w+b") as f:
        f.truncate(4096)
        m = mmap.mmap(f.fileno(), 4096)
    fd = os.open("m", os.O_RDONLY)
    def way(data):
        m[: len(data)] = data
        m.flush()
    def opens():
        until(lambda: os.pread(fd, 1, 0) != b"\0")
        return os.pread(fd, 64, 0)
    after_reading(opens, way)


def sealed_memory():
    fd = os.memfd_create("s", os.MFD_ALLOW_SEALING)
    def way(data):
        os.write(fd, data)
        fcntl.fcntl(fd, 1033, 15)
    def opens():
        until(lambda: fcntl.fcntl(fd, 1034) != 0)
        return os.pread(fd, 64, 0)
    after_reading(opens, way)


def mapped_anew():
    """A mapping that was made for reading alone is made writable afterwards."""
    with open("m", "w+b") as f:
        f.truncate(4096)
        fd = os.open("m", os.O_RDWR)
    libc.mmap.restype = ctypes.c_void_p
    at = libc.mmap(None, ctypes.c_size_t(4096), 1, 1, fd, ctypes.c_long(0))
    os.close(fd)
    out = os.open("m", os.O_RDONLY)
    def way(data):
        assert libc.mprotect(ctypes.c_void_p(at), ctypes.c_size_t(4096), 3) == 0
        ctypes.memmove(at, data, len(data))
    def opens():
        until(lambda: os.pread(out, 1, 0) != b"\0")
        return os.pread(out, 64, 0)
    after_reading(opens, way)


def asynchronous_io():
    """io_submit(2) writes what was read; the reader polls the file."""
    fd = os.open("a", os.O_RDWR | os.O_CREAT, 0o600)
    nr = (206, 209) if os.uname().machine == "x86_64" else (0, 2)
    def way(data):
        context = ctypes.c_ulong(0)
        if libc.syscall(ctypes.c_long(nr[0]), 1, ctypes.byref(context)) != 0:
            raise OSError(ctypes.get_errno(), "io_setup")
        buffer = ctypes.create_string_buffer(data)
        cb = ctypes.create_string_buffer(struct.pack("=QIIHhIQQqQII", 0, 0, 0, 1, 0, fd, ctypes.addressof(buffer), len(data), 0, 0, 0, 0))
        cbs = (ctypes.c_void_p * 1)(ctypes.addressof(cb))
        if libc.syscall(ctypes.c_long(nr[1]), context, ctypes.c_long(1), cbs) != 1:
            raise OSError(ctypes.get_errno(), "io_submit")
        until(lambda: os.fstat(fd).st_size > 0)
    def opens():
        until(lambda: os.fstat(fd).st_size > 0)
        return os.pread(fd, 64, 0)
    after_reading(opens, way)


# Sockets.

def abstract_datagram():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    name = "\0d-%d" % os.getpid()
    s.bind(name)
    def way(data):
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(data, name)
    def opens():
        s.settimeout(5)
        return s.recv(64)
    after_reading(opens, way)


def seqpacket():
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    after_reading(lambda: b.recv(64), lambda data: a.send(data))


def datagram_to_self():
    """A socket of the session sends to another of it, by loopback UDP."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    def way(data):
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(data, s.getsockname())
    def opens():
        s.settimeout(5)
        return s.recv(64)
    after_reading(opens, way)


def urgent_byte():
    """Out of band, a byte at a time, over a connection inside the session."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    a = socket.create_connection(server.getsockname())
    b, _ = server.accept()
    b.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    def way(data):
        for i in range(6):
            a.send(data[i:i + 1], socket.MSG_OOB)
    def opens():
        b.settimeout(5)
        data = b""
        while len(data) < 6:
            data += b.recv(6)
        return data
    after_reading(opens, way)


def peer_credentials_name():
    """The name that a socket of the other side is bound to is read by getpeername(2)."""
    server = socket.socket(socket.AF_UNIX)
    name = "\0p-%d" % os.getpid()
    server.bind(name)
    server.listen()
    def way(data):
        s = socket.socket(socket.AF_UNIX)
        s.bind("\0" + text())
        s.connect(name)
        until(lambda: os.path.exists("seen"))
    def opens():
        server.settimeout(5)
        c, peer = server.accept()
        make_file("seen")
        return peer if isinstance(peer, bytes) else peer.encode()
    after_reading(opens, way)


def source_port():
    """The port that a connection comes from is its maker's choice."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    def way(data):
        for i in range(0, 6, 2):
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", 0x4000 | int.from_bytes(data[i:i + 2], "big") & 0x3fff))
            s.connect(server.getsockname())
    def opens():
        server.settimeout(5)
        return b"".join(struct.pack(">H", server.accept()[1][1]) for _ in range(3))
    after_reading(opens, way)


# Descriptors that were handed out before.

def helper_with_connection():
    """A helper has a connection out and takes descriptors from whoever asks; he is given the classified file, open."""
    a, b = socket.socketpair()
    def opens():
        _, fds, _, _ = socket.recv_fds(b, 16, 1)
        return os.read(fds[0], 64)
    def way(data):
        f = os.open(F, os.O_RDONLY)
        socket.send_fds(a, [b"x"], [f])
    after_reading(opens, way)


def descriptor_taken():
    """The reader takes the open file out of the other process, pidfd_getfd(2)."""
    def way(data):
        f = os.open(F, os.O_RDONLY)
        os.dup2(f, 77)
        with open("pid", "w") as p:
            p.write(str(os.getpid()))
        os.rename("pid", "ready")
        until(lambda: os.path.exists("seen"))
    def opens():
        until(lambda: os.path.exists("ready"))
        try:
            pid = os.pidfd_open(int(open("ready").read()))
            return os.pread(libc.syscall(ctypes.c_long(438), pid, 77, 0), 64, 0)
        finally:
            make_file("seen")
    after_reading(opens, way)


def reopened_by_proc():
    """The reader opens what another process has open, by /proc/PID/fd."""
    def way(data):
        f = os.open("private", os.O_RDWR | os.O_CREAT, 0o600)
        os.unlink("private")
        os.write(f, data)
        os.dup2(f, 77)
        with open("pid", "w") as p:
            p.write(str(os.getpid()))
        os.rename("pid", "ready")
        until(lambda: os.path.exists("seen"))
    def opens():
        until(lambda: os.path.exists("ready"))
        try:
            with open("/proc/%s/fd/77" % open("ready").read(), "rb") as f:
                return f.read(64)
        finally:
            make_file("seen")
    after_reading(opens, way)


def nameless_linked():
    """O_TMPFILE, named afterwards."""
    def way(data):
        fd = os.open(".", os.O_RDWR | os.O_TMPFILE, 0o600)
        os.write(fd, data)
        if libc.linkat(-100, b"/proc/self/fd/%d" % fd, -100, b"linked", 0x400) != 0:
            raise OSError(ctypes.get_errno(), "linkat")
    wait(child(lambda: way(read())))
    send(open("linked", "rb").read())


def command_line():
    """Another's arguments, read while it runs."""
    r, w = os.pipe()
    os.set_inheritable(r, True)
    def way(data):
        pid = subprocess.Popen(["/usr/bin/sh", "-c", "read x", data.decode().strip()], stdin=r).pid
        with open("pid", "w") as p:
            p.write(str(pid))
        os.rename("pid", "ready")
        until(lambda: os.path.exists("seen"))
    def opens():
        until(lambda: os.path.exists("ready"))
        try:
            with open("/proc/%s/cmdline" % open("ready").read(), "rb") as f:
                return f.read()
        finally:
            make_file("seen")
    after_reading(opens, way)
    os.close(w)


def working_folder():
    """The name of the folder that another works in."""
    def way(data):
        os.mkdir(text())
        os.chdir(text())
        with open("../pid", "w") as p:
            p.write(str(os.getpid()))
        os.rename("../pid", "../ready")
        until(lambda: os.path.exists("../seen"))
    def opens():
        until(lambda: os.path.exists("ready"))
        try:
            return os.readlink("/proc/%s/cwd" % open("ready").read()).encode()
        finally:
            make_file("seen")
    after_reading(opens, way)


def lock_owner():
    """Record locks tell where they are: two numbers of 63 bits."""
    fd = os.open("locked", os.O_RDWR | os.O_CREAT, 0o600)
    def way(data):
        at = int.from_bytes(data[:6], "big")
        mine = os.open("locked", os.O_RDWR)
        fcntl.lockf(mine, fcntl.LOCK_EX, 1, at)
        make_file("set")
        until(lambda: os.path.exists("seen"))
    def opens():
        until(lambda: os.path.exists("set"))
        value = fcntl.fcntl(fd, 5, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
        make_file("seen")
        return struct.unpack("hhqqi4x", value)[2].to_bytes(6, "big")
    after_reading(opens, way)


# Terminals.

def terminal_size():
    """The size of a window: four numbers of 16 bits."""
    master, slave = pty.openpty()
    def way(data):
        fcntl.ioctl(slave, 0x5414, data[:8])
    def opens():
        before = fcntl.ioctl(master, 0x5413, bytes(8))
        until(lambda: fcntl.ioctl(master, 0x5413, bytes(8)) != bytes(8))
        return fcntl.ioctl(master, 0x5413, bytes(8))
    after_reading(opens, way)


def terminal_opened_by_name():
    master, slave = pty.openpty()
    tty.setraw(slave)
    name = os.ttyname(slave)
    def way(data):
        with open(name, "wb", buffering=0) as f:
            f.write(data)
    after_reading(lambda: os.read(master, 64), way, first=lambda: os.close(slave))


# Programs that keep something for others.


def database():
    with sqlite3.connect("x.db") as db:
        db.execute("CREATE TABLE t (d)")
    db.close()
    def way(data):
        with sqlite3.connect("x.db") as db:
            db.execute("INSERT INTO t VALUES (?)", (data,))
    wait(child(lambda: way(read())))
    db = sqlite3.connect("x.db")
    send(db.execute("SELECT d FROM t").fetchone()[0])


def database_log():
    """A database that is open in both, in the mode that has its log in shared memory."""
    db = sqlite3.connect("x.db")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("CREATE TABLE t (d)")
    db.commit()
    def way(data):
        other = sqlite3.connect("x.db")
        other.execute("INSERT INTO t VALUES (?)", (data,))
        other.commit()
        other.close()
    def opens():
        mine = sqlite3.connect("x.db")
        rows = []
        def there():
            rows[:] = mine.execute("SELECT d FROM t").fetchall()
            return rows
        until(there)
        return rows[0][0]
    db.close()
    after_reading(opens, way)


def own_web_server():
    """A web server of the session serves the file; whoever fetches it there sends it on."""
    r, w = os.pipe()
    def serve():
        os.chdir(os.path.dirname(F))
        server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
        os.write(w, b"%d\n" % server.server_port)
        server.handle_request()
    pid = child(serve)
    port = int(os.read(r, 16))
    data = subprocess.run(["curl", "-s", "-m", "10", "http://127.0.0.1:%d/people.csv" % port], stdout=subprocess.PIPE).stdout
    wait(pid)
    send(data)


def cache_server():
    """A server that keeps what it is told for whoever asks: one process sets, another gets."""
    r, w = os.pipe()
    def serve():
        server = socket.socket()
        server.bind(("127.0.0.1", 0))
        server.listen()
        os.write(w, b"%d\n" % server.getsockname()[1])
        kept = b""
        for _ in range(2):
            c, _ = server.accept()
            said = c.recv(256)
            if said.startswith(b"SET "):
                kept = said[4:]
            c.sendall(kept)
            c.close()
    pid = child(serve)
    port = int(os.read(r, 16))
    def ask(what):
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(what)
            return s.recv(256)
    wait(child(lambda: ask(b"SET " + read())))
    send(ask(b"GET"))
    wait(pid)


def by_shell(script):
    return lambda: subprocess.run(["bash", "-c", script], check=True)


SCRIPTS = {
    "tmux-buffer": """
        tmux -S t -f /dev/null new-session -d 'sleep 30'; tmux -S t load-buffer $F
        tmux -S t save-buffer b && cat b > /dev/tcp/127.0.0.1/$P; r=$?; tmux -S t kill-server; exit $r""",
    "git-objects": "git init -q && git hash-object -w $F > /dev/null && git cat-file --batch-all-objects --batch > /dev/tcp/127.0.0.1/$P",
    "socat": "socat -u FILE:$F TCP:127.0.0.1:$P",
    "socat-starts": "socat -u SYSTEM:'cat $F' TCP:127.0.0.1:$P",
    "vim": "vim -u NONE -es -c \"r $F\" -c 'w c' -c 'q!'; cat c > /dev/tcp/127.0.0.1/$P",
    "curl-configuration": "(printf 'data = '; head -n 1 $F) > k; curl -s -m 10 -K k http://127.0.0.1:$P/; true",
    "in-parts": "split -b 4 $F part; cat part* > /dev/tcp/127.0.0.1/$P",
    "patch": "diff /dev/null $F > d; cat d > /dev/tcp/127.0.0.1/$P",
    "exit-trap": "(trap 'cat c > /dev/tcp/127.0.0.1/$P' EXIT; cp $F c)",
    "make": "printf 'x: y; @cat y > /dev/tcp/127.0.0.1/$(P)\\ny: ; @cp $(F) y\\n' > Makefile; make -s SHELL=/bin/bash",
    "parallel": "xargs -P 2 -n 1 bash -c 'cat $0 > c; cat c > /dev/tcp/127.0.0.1/$P' <<< $F",
    "attached-database": "sqlite3 x.db \"ATTACH 'y.db' AS y; CREATE TABLE y.t AS SELECT readfile('$F') AS d\"; sqlite3 y.db 'SELECT d FROM t' > /dev/tcp/127.0.0.1/$P",
}

FUNCTIONS = [
    copy_range, copied_by_another, tee_between_pipes, mapped_and_synced, sealed_memory, mapped_anew, asynchronous_io,
    abstract_datagram, seqpacket, datagram_to_self, urgent_byte, peer_credentials_name, source_port,
    helper_with_connection, descriptor_taken, reopened_by_proc, nameless_linked, command_line, working_folder,
    lock_owner, terminal_size, terminal_opened_by_name, database, database_log, own_web_server, cache_server,
]

WAYS = {f.__name__.replace("_", "-"): f for f in FUNCTIONS} | {name: by_shell(script) for name, script in SCRIPTS.items()}
if __name__ == "__main__":
    WAYS[sys.argv[1]]()
