"""Somebody at a pseudo-terminal, who waits for expected text and never for time."""
import fcntl, os, pty, re, select, signal, struct, sys, termios, time

class Terminal:
    def __init__(self, command, rows=24, columns=80):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(PS1="", TERM="xterm", INPUTRC="/dev/null", HISTFILE="")
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            try: os.execvp(command[0], command)
            finally: os._exit(127)
        self.text = b""
    def size(self, rows, columns): fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    def type(self, text): os.write(self.fd, text.encode())
    def type_until(self, text, pattern):
        """For a program that may be between looking for signals and sleeping: once is not always enough, anywhere."""
        for _ in range(20):
            self.type(text)
            end = time.monotonic() + 1
            while time.monotonic() < end and not re.search(pattern.encode(), self.text, re.S):
                if select.select([self.fd], [], [], 0.1)[0]: self.text += os.read(self.fd, 65536)
            if re.search(pattern.encode(), self.text, re.S): break
        return self.until(pattern)
    def until(self, pattern, seconds=20):
        end = time.monotonic() + seconds
        while True:
            found = re.search(pattern.encode(), self.text, re.S)
            if found:
                self.text = self.text[found.end():]
                return found
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                self.fail("waited in vain for %r" % pattern)
            try: more = os.read(self.fd, 65536)
            except OSError: more = b""
            if not more: self.fail("ended before %r" % pattern)
            self.text += more
    def fail(self, why):
        print("%s; on the terminal: %r" % (why, self.text[-1500:]))
        os.kill(self.pid, signal.SIGKILL)
        sys.exit(1)
    def exits(self, code, seconds=20):
        end = time.monotonic() + seconds
        while True:
            if select.select([self.fd], [], [], 0.02)[0]:
                try: self.text += os.read(self.fd, 65536)
                except OSError: pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid: break
            if time.monotonic() > end: self.fail("does not end")
        got = os.waitstatus_to_exitcode(status)
        if got != code: print("exit %d, not %d: %r" % (got, code, self.text[-800:])); sys.exit(1)
    def shows(self):
        """What has come by now."""
        while select.select([self.fd], [], [], 0)[0]:
            # The other side may be closed by now: then Linux says EIO.
            try: self.text += os.read(self.fd, 65536)
            except OSError: break
        return self.text
