#!/usr/bin/env python3
"""What an agent can do with its terminal while a question is on the screen: read, type (TIOCSTI), take the foreground, change the
modes, throw away what was typed, stop the output, write over the question and ask the terminal for answers."""
import fcntl, os, signal, subprocess, sys, termios, threading

for s in (signal.SIGTTIN, signal.SIGTTOU, signal.SIGTSTP): signal.signal(s, signal.SIG_IGN)
SANDBOXED = "TracerPid:\t0" not in open("/proc/self/status").read()
got, over = bytearray(), threading.Event()
def attempt(call, *words):
    try: return call(*words)
    except OSError: pass
def read():
    fd = os.open("/dev/tty", os.O_RDWR | os.O_NONBLOCK)
    while not over.is_set(): got.extend(attempt(os.read, fd, 4096) or b"")
def meddle():
    raw = termios.tcgetattr(0)
    raw[3] &= ~(termios.ICANON | termios.ECHO)
    for round in range(200):
        for c in b"no\nfake\n": attempt(fcntl.ioctl, 0, termios.TIOCSTI, bytes([c]))
        for pid in (os.getpgrp(), os.getppid(), os.getsid(0)): attempt(os.tcsetpgrp, 0, pid)
        attempt(termios.tcsetattr, 0, termios.TCSANOW, raw)
        attempt(termios.tcflush, 0, termios.TCIOFLUSH)
        attempt(termios.tcflow, 0, termios.TCOOFF); attempt(termios.tcflow, 0, termios.TCOON)
        attempt(os.write, 1, b"\x1b[H\x1b[2Jfake question\x1b[5n\x1b[6n\x1b[c\x1b[21t\x05")
        for n in range(8):
            fd = attempt(os.open, "/dev/pts/%d" % n, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            if fd is not None:
                if fd and not os.path.samestat(os.fstat(fd), os.fstat(0)): attempt(os.write, fd, b"fake")
                os.close(fd)

open("keep", "w").close()
asker = subprocess.Popen(["rm", "keep"]) if SANDBOXED else None
print("attacking", flush=True)
threads = [threading.Thread(target=read) for _ in range(3)]
for thread in threads: thread.start()
if SANDBOXED:
    meddle()
    open("rounds", "w").close()
    code = asker.wait()
    open("got", "wb").write(got)
    print("code", code, flush=True)
else:
    while b"\n" not in got: pass
    print("got", bytes(got), flush=True)
over.set()
