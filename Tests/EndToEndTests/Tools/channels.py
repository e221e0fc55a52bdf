"""Less usual ways from the file F to the port P, the unix socket U, or to whoever connects to what is named in the file `door`."""
import ctypes, mmap, os, pty, signal, socket, struct, sys, threading, time, tty

F, P, U = os.environ["F"], int(os.environ["P"]), os.environ["U"]
SINK = ("127.0.0.1", P)
libc = ctypes.CDLL(None, use_errno=True)


def read():
    with open(F, "rb") as f:
        return f.read()


def send(data):
    with socket.create_connection(SINK, 10) as s:
        s.sendall(data)


def text():
    """What fits into a name."""
    return read().decode().split(",")[0]


def child(body):
    pid = os.fork()
    if pid:
        return pid
    try:
        body()
        os._exit(0)
    except BaseException as e:
        print(e, file=sys.stderr)
        os._exit(1)


def wait(*pids):
    return [os.waitpid(pid, 0)[1] for pid in pids]


def until(condition):
    end = time.monotonic() + 5
    while not condition() and time.monotonic() < end:
        time.sleep(0.002)


# A reader who has a connection already, and does not open what the writer opens before the writer has read.

def after_reading(opens, way, first=lambda: None):
    """One that is connected first, and waits in `opens`; another reads the file and then writes to what `way` gives."""
    r, w = os.pipe()

    def reader():
        os.close(r)
        first()
        s = socket.create_connection(SINK, 10)
        os.write(w, b"x")
        os.close(w)
        s.sendall(opens())

    pid = child(reader)
    os.close(w)
    os.read(r, 1)
    os.close(r)
    # Whichever of them is refused, the other may be waiting for it.
    both = {pid, child(lambda: way(read()))}
    while both:
        for each in set(both):
            done, status = os.waitpid(each, os.WNOHANG)
            if done:
                both.discard(each)
            if done and status:
                for other in both:
                    os.kill(other, signal.SIGKILL)
        time.sleep(0.002)


def fifo_waited_for():
    os.mkfifo("p")

    def opens():
        with open("p", "rb") as f:
            return f.read(64)

    def way(data):
        with open("p", "wb") as f:
            f.write(data)

    after_reading(opens, way)


def file_in_the_making():
    """The reader has the new file open before its maker has been told that it is there."""
    def opens():
        fd = -1
        while fd < 0:
            try:
                fd = os.open("new", os.O_RDONLY)
            except FileNotFoundError:
                pass
        until(lambda: os.fstat(fd).st_size > 0)
        return os.read(fd, 64)

    def way(data):
        fd = os.open("new", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(fd, data)

    after_reading(opens, way)


def first_thread_gone():
    """Of the reader's process only another thread is left: the first has ended, and shows nothing of what the process holds."""
    r, w = os.pipe()
    started, go = os.pipe()

    def reader():
        os.close(w)
        s = socket.create_connection(SINK, 10)

        def rest():
            until(lambda: b") Z " in open("/proc/%d/stat" % os.getpid(), "rb").read())
            os.write(go, b"x")
            s.sendall(os.read(r, 64))
            os._exit(0)

        threading.Thread(target=rest).start()
        libc.syscall(ctypes.c_long(60 if os.uname().machine == "x86_64" else 93), ctypes.c_long(0))

    pid = child(reader)
    os.close(r)
    os.read(started, 1)
    if wait(child(lambda: os.write(w, read()))) != [0]:
        os.kill(pid, signal.SIGKILL)
    wait(pid)


# What has no name, and what is in nobody's hands.

def in_flight(make, write, take):
    """A descriptor lies in a socket whose other end is closed before anybody reads the file."""
    a, b = socket.socketpair()
    mine, theirs = make()
    socket.send_fds(a, [b"x"], [theirs])
    a.close()

    def opens():
        until(lambda: os.path.exists("written"))
        return take(socket.recv_fds(b, 16, 1)[1][0])

    def way(data):
        write(mine, data)
        make_file("written")

    after_reading(opens, way, first=lambda: [os.close(fd) for fd in {mine, theirs}])


def counter_in_flight():
    fd = os.eventfd(0)
    in_flight(
        lambda: (fd, fd), lambda fd, data: os.eventfd_write(fd, int.from_bytes(data[:6], "big")),
        lambda fd: os.eventfd_read(fd).to_bytes(6, "big"))


def terminal_in_flight():
    master, slave = pty.openpty()
    tty.setraw(slave)
    in_flight(lambda: (master, slave), os.write, lambda fd: os.read(fd, 64))


def words_of_waits():
    """What is registered with epoll(7) has eight bytes of its own."""
    ADD, MOD, IN = 1, 3, 1
    waits, ready = libc.epoll_create1(0), os.eventfd(1)

    def register(how, word):
        assert libc.epoll_ctl(waits, how, ready, struct.pack("=IQ", IN, word)) == 0

    register(ADD, 0)

    def opens():
        event = ctypes.create_string_buffer(12)
        until(lambda: libc.epoll_wait(waits, event, 1, 10) == 1 and event.raw[4:] != bytes(8))
        return event.raw[4:10][::-1]

    after_reading(opens, lambda data: register(MOD, int.from_bytes(data[:6], "big")), first=lambda: os.close(ready))


def timers():
    """How often a timer goes off, timerfd_create(2)."""
    fds = [libc.timerfd_create(1, 0) for _ in range(2)]

    def set(data):
        for i, fd in enumerate(fds):
            value = struct.pack("4q", int.from_bytes(data[3 * i:3 * i + 3], "big"), 0, 1000000, 0)
            assert libc.timerfd_settime(fd, 0, value, None) == 0

    def interval(fd):
        value = ctypes.create_string_buffer(32)
        libc.timerfd_gettime(fd, value)
        return struct.unpack("4q", value.raw)[0]

    def opens():
        until(lambda: all(interval(fd) for fd in fds))
        return b"".join(interval(fd).to_bytes(3, "big") for fd in fds)

    after_reading(opens, set)


def value_of_signal():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])

    def first():
        with open("pid", "w") as f:
            f.write(str(os.getpid()))

    def opens():
        mask, info = struct.pack("16Q", 1 << (signal.SIGUSR1 - 1), *[0] * 15), ctypes.create_string_buffer(128)
        libc.sigwaitinfo(mask, info)
        return info.raw[24:30][::-1]

    def way(data):
        with open("pid") as f:
            pid = int(f.read())
        value = ctypes.c_void_p(int.from_bytes(data[:6], "big"))
        if libc.sigqueue(pid, signal.SIGUSR1, value) != 0:
            raise OSError(ctypes.get_errno(), "sigqueue")

    after_reading(opens, way, first)


# Whoever connects from outside.

def door(server, address):
    """Somebody comes to the address, and says by `shut` that he has gone."""
    server.listen()

    def shut():
        until(lambda: os.path.exists("shut"))
        server.shutdown(socket.SHUT_RDWR)

    threading.Thread(target=shut, daemon=True).start()
    with open("door.new", "w") as f:
        f.write(address)
    os.rename("door.new", "door")


def inet():
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    return server, "127.0.0.1:%d" % server.getsockname()[1]


def serve_after():
    server, address = inet()
    data = read()
    door(server, address)
    c, _ = server.accept()
    c.sendall(data)
    c.shutdown(socket.SHUT_WR)
    c.recv(1)


def serve_nonblocking():
    server, address = inet()
    data = read()
    door(server, address)
    server.setblocking(False)
    while True:
        try:
            c, _ = server.accept()
        except BlockingIOError:
            time.sleep(0.005)
            continue
        c.sendall(data)
        c.shutdown(socket.SHUT_WR)
        c.setblocking(True)
        c.recv(1)
        return


def serve_before():
    server, address = inet()
    door(server, address)
    c, peer = server.accept()
    assert peer == c.getpeername()
    c.sendall(read())
    c.shutdown(socket.SHUT_WR)
    c.recv(1)


def serve_thread():
    """One thread waits for a connection while another reads."""
    server, address = inet()
    found = []
    t = threading.Thread(target=lambda: found.append(server.accept()[0]), daemon=True)
    server.listen()
    t.start()
    time.sleep(0.05)
    data = read()
    door(server, address)
    t.join(3)
    if found:
        found[0].sendall(data)
        found[0].shutdown(socket.SHUT_WR)
        found[0].recv(1)


def serve_unix():
    server = socket.socket(socket.AF_UNIX)
    server.bind("served")
    os.chmod("served", 0o777)
    data = read()
    door(server, os.path.abspath("served"))
    c, _ = server.accept()
    c.sendall(data)
    c.shutdown(socket.SHUT_WR)
    c.recv(1)


# Descriptors.

def end_given_away():
    """Somebody outside gets the end of a pipe that reads, before anybody has read the file."""
    r, w = os.pipe()
    s = socket.socket(socket.AF_UNIX)
    s.connect(U)
    socket.send_fds(s, [b" "], [r])
    os.close(r)
    s.close()
    wait(child(lambda: os.write(w, read())))


def memfd_given():
    a, b = socket.socketpair()
    fd = os.memfd_create("m")
    os.truncate(fd, 4096)

    def taker():
        a.close()
        _, fds, _, _ = socket.recv_fds(b, 16, 1)
        s = socket.create_connection(SINK, 10)
        b.sendall(b"x")
        b.recv(1)
        s.sendall(os.pread(fds[0], 64, 0))

    pid = child(taker)
    b.close()
    socket.send_fds(a, [b"x"], [fd])
    a.recv(1)
    m = mmap.mmap(fd, 4096)
    wait(child(lambda: m.write(read())))
    a.sendall(b"x")
    wait(pid)


def counter():
    fd = os.eventfd(0)
    back = os.eventfd(0)

    def writer():
        for b in read()[:8]:
            os.eventfd_write(fd, b)
            os.eventfd_read(back)

    pid = child(writer)
    data = bytearray()
    for _ in range(8):
        data.append(os.eventfd_read(fd) & 0xff)
        os.eventfd_write(back, 1)
    wait(pid)
    send(bytes(data))


def terminal_pair():
    master, slave = pty.openpty()
    tty.setraw(slave)
    pid = child(lambda: os.write(slave, read()))
    wait(pid)
    send(os.read(master, 64))


# Memory.

def mapped(fd, how):
    """Without the descriptor that the module `mmap` keeps."""
    libc.mmap.restype = ctypes.c_void_p
    at = libc.mmap(None, ctypes.c_size_t(4096), mmap.PROT_READ | mmap.PROT_WRITE, how, fd, ctypes.c_long(0))
    return (ctypes.c_char * 4096).from_address(at)


def private_mapping():
    with open("m", "w+b") as f:
        f.truncate(4096)
        m = mapped(f.fileno(), mmap.MAP_PRIVATE)

    def writer():
        data = read()
        with open("m", "r+b") as f:
            f.write(data)

    wait(child(writer))
    send(m[:64])


def dev_shm():
    name = "/dev/shm/sandbox-%d" % os.getpid()
    fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    os.unlink(name)
    os.truncate(fd, 4096)
    m = mapped(fd, mmap.MAP_SHARED)
    os.close(fd)

    def writer():
        data = read()
        m[: len(data)] = data

    wait(child(writer))
    send(m[:64])


# What is no content of a file.

def title():
    r, w = os.pipe()
    pid = child(lambda: (os.close(w), libc.prctl(15, text().encode()[:15]), os.read(r, 1)))
    os.close(r)
    def name():
        with open("/proc/%d/comm" % pid) as f:
            return f.read()
    before = name()
    until(lambda: name() != before)
    data = name()
    os.close(w)
    send(data.encode())
    wait(pid)


def name_of_memory():
    r, w = os.pipe()
    fd = 50

    def other():
        os.close(w)
        os.dup2(os.memfd_create(text()), fd)
        os.read(r, 1)

    pid = child(other)
    os.close(r)
    link = "/proc/%d/fd/%d" % (pid, fd)
    def there():
        try:
            return os.readlink(link)
        except OSError:
            return ""
    until(there)
    data = there()
    os.close(w)
    send(data.encode())
    wait(pid)


def link_text():
    wait(child(lambda: os.symlink(text(), "l")))
    send(os.readlink("l").encode())


def attribute():
    with open("a", "w"):
        pass
    wait(child(lambda: os.setxattr("a", "user.x", read())))
    send(os.getxattr("a", "user.x"))


def listed(make):
    def run():
        os.mkdir("d")
        wait(child(lambda: make("d/" + text())))
        send("".join(os.listdir("d")).encode())
    return run


def make_file(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def rename_to(path):
    make_file("r")
    os.rename("r", path)


def link_to(path):
    make_file("r")
    os.link("r", path)


def bind_to(path):
    socket.socket(socket.AF_UNIX).bind(path)


def folder_held():
    """The folder is open before."""
    os.mkdir("d")
    fd = os.open("d", os.O_RDONLY | os.O_DIRECTORY)
    wait(child(lambda: make_file("d/" + text())))
    send("".join(os.listdir(fd)).encode())


def watched():
    os.mkdir("d")
    fd = libc.inotify_init1(0)
    libc.inotify_add_watch(fd, b"d", 0x100)
    wait(child(lambda: make_file("d/" + text())))
    send(os.read(fd, 4096)[16:])


def abstract_name():
    r, w = os.pipe()

    def other():
        os.close(w)
        s = socket.socket(socket.AF_UNIX)
        s.bind("\0" + text())
        s.listen()
        os.read(r, 1)

    def names():
        with open("/proc/net/unix") as f:
            return [line for line in f if "@" in line]

    before = len(names())
    pid = child(other)
    os.close(r)
    until(lambda: len(names()) > before)
    data = "".join(names())
    os.close(w)
    send(data.encode())
    wait(pid)


def semaphore():
    IPC_CREAT, SETVAL, GETVAL = 0o1000, 16, 12
    i = libc.semget(0, 6, IPC_CREAT | 0o600)

    def writer():
        for n, b in enumerate(read()[:6]):
            libc.semctl(i, n, SETVAL, b)

    wait(child(writer))
    data = bytes(libc.semctl(i, n, GETVAL) & 0xff for n in range(6))
    libc.semctl(i, 0, 0)
    send(data)


def client_gone():
    """Who has connected has ended before anybody takes the connection."""
    server, _ = inet()
    server.listen()
    wait(child(lambda: socket.create_connection(server.getsockname()).sendall(read())))
    with server.accept()[0] as c:
        send(c.recv(64))


def innocent_connections():
    """A server of this session takes connections late, and while whoever connects reads the file."""
    server, _ = inet()
    server.listen()
    server.settimeout(10)
    for is_late in [True] + [False] * 20:
        pid = child(lambda: socket.create_connection(server.getsockname()).sendall(read()))
        if is_late:
            wait(pid)
        with server.accept()[0] as c:
            assert c.recv(64).startswith(b"SECRET")
        if not is_late:
            wait(pid)


def innocent():
    """One reads the file; another talks to a server of this session."""
    wait(child(read))
    server, address = inet()
    server.listen()
    pid = child(lambda: socket.create_connection(server.getsockname()).sendall(b"hello"))
    c, peer = server.accept()
    assert peer[0] == "127.0.0.1" and c.recv(16) == b"hello"
    wait(pid)


def innocent_descriptors():
    """Somebody is sent an end of a pipe, and writes there what he reads; another keeps a pair of sockets to wake itself."""
    def group():
        a, b = socket.socketpair()
        r, w = os.pipe()
        pid = child(lambda: os.write(socket.recv_fds(b, 16, 1)[1][0], read()))
        socket.send_fds(a, [b"x"], [w])
        wait(pid)

    wait(child(group))
    pair = socket.socketpair()
    send(b"hello")
    pair[0].close()


def lends():
    """What the calls answer that put pages into a pipe without copying them."""
    r, w = os.pipe()
    with open(F, "rb") as f:
        for name, call in (("sendfile", lambda: os.sendfile(w, f.fileno(), 0, 4)), ("splice", lambda: os.splice(f.fileno(), w, 4))):
            try:
                print(name, call())
            except OSError as e:
                print(name, e.strerror)
    v = (ctypes.c_size_t * 2)(ctypes.cast(ctypes.c_char_p(b"text"), ctypes.c_void_p).value, 4)
    n = libc.vmsplice(w, v, ctypes.c_size_t(1), 0)
    print("vmsplice", n if n >= 0 else os.strerror(ctypes.get_errno()))


def mapped_before():
    """A file that is mapped, and closed before anything is read."""
    with open(sys.argv[2], "w+b") as f:
        f.truncate(mmap.PAGESIZE)
        m = mmap.mmap(f.fileno(), mmap.PAGESIZE)
    data = read()
    m[:len(data)] = data


WAYS = {
    "mapped-before": mapped_before,
    "client-gone": client_gone, "innocent-connections": innocent_connections, "innocent": innocent, "innocent-descriptors": innocent_descriptors, "lends": lends,
    "fifo-waited-for": fifo_waited_for, "file-in-the-making": file_in_the_making, "first-thread-gone": first_thread_gone,
    "serve-after": serve_after,
    "serve-nonblocking": serve_nonblocking, "serve-before": serve_before, "serve-thread": serve_thread, "serve-unix": serve_unix,
    "end-given-away": end_given_away, "memfd-passed": memfd_given, "counter": counter, "terminal-pair": terminal_pair,
    "private-mapping": private_mapping, "dev-shm": dev_shm, "title": title, "name-of-memory": name_of_memory, "link-text": link_text,
    "attribute": attribute, "name-file": listed(make_file), "name-folder": listed(os.mkdir), "name-moved": listed(rename_to),
    "name-linked": listed(link_to), "name-socket": listed(bind_to), "name-held": folder_held, "name-watched": watched,
    "name-abstract": abstract_name, "semaphore": semaphore, "counter-in-flight": counter_in_flight,
    "terminal-in-flight": terminal_in_flight, "words-of-waits": words_of_waits, "timers": timers, "value-of-signal": value_of_signal,
}
if __name__ == "__main__":
    WAYS[sys.argv[1]]()
