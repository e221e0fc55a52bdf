"""One of two sessions: `SCENE-reads` reads the file F and passes on what it has, `SCENE-sends` brings that to the port P."""
import os, socket, sys, time

F, P = os.environ["F"], int(os.environ["P"])


def until(condition):
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.002)


def say(name):
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600))


def hear(name):
    until(lambda: os.path.exists(name))


def read():
    with open(F, "rb") as f:
        return f.read()


def sink():
    return socket.create_connection(("127.0.0.1", P), 10)


def written(name, text):
    with open(name + ".new", "w") as f:
        f.write(text)


def shown(name):
    os.rename(name + ".new", name)


def server():
    s = socket.socket()
    s.bind(("127.0.0.2", 0))
    s.listen()
    return s


def client():
    hear("port")
    with open("port") as f:
        return socket.create_connection(("127.0.0.2", int(f.read())), 10)


# The other has the end that reads, and a connection, before anybody has read the file.

def fifo_reads():
    hear("p")
    fd = os.open("p", os.O_RDWR)
    hear("ready")
    try:
        os.write(fd, read())
        say("over")
        hear("done")
    finally:
        say("over")


def fifo_sends():
    os.mkfifo("p.new")
    os.rename("p.new", "p")
    s = sink()
    fd = os.open("p", os.O_RDWR | os.O_NONBLOCK)
    say("ready")
    hear("over")
    try:
        s.sendall(os.read(fd, 64))
    finally:
        say("done")


def file_reads():
    hear("x")
    fd = os.open("x", os.O_WRONLY)
    hear("ready")
    try:
        os.write(fd, read())
    finally:
        say("over")


def file_sends():
    say("x")
    fd = os.open("x", os.O_RDONLY)
    s = sink()
    say("ready")
    hear("over")
    s.sendall(os.read(fd, 64))


def tcp_reads():
    c = client()
    hear("ready")
    c.sendall(read())


def tcp_sends():
    s, out = server(), sink()
    written("port", str(s.getsockname()[1]))
    shown("port")
    c, _ = s.accept()
    say("ready")
    out.sendall(c.recv(64))


def unix_reads():
    hear("ready")
    c = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        c.sendto(read(), "u")
    finally:
        say("over")


def unix_sends():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind("u")
    s.setblocking(False)
    out = sink()
    say("ready")
    hear("over")
    out.sendall(s.recv(64))


# It has been read before the other comes.

def late_reads():
    os.mkfifo("p")
    fd = os.open("p", os.O_RDWR)
    os.write(fd, read())
    say("ready")
    hear("over")


def late_sends():
    hear("ready")
    fd = os.open("p", os.O_RDONLY | os.O_NONBLOCK)
    try:
        data = os.read(fd, 64)
        sink().sendall(data)
    finally:
        say("over")


def served_reads():
    s = server()
    # What is written before is nothing that has been read.
    written("port", str(s.getsockname()[1]))
    data = read()
    shown("port")
    s.settimeout(3)
    c, _ = s.accept()
    c.sendall(data)
    c.recv(1)


def served_sends():
    data = client().recv(64)
    sink().sendall(data)


def pipe_reads():
    os.write(1, read())


def pipe_sends():
    sink().sendall(os.read(0, 64))


globals()[sys.argv[1].replace("-", "_")]()
