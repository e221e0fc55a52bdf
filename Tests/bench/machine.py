"""What else the machine does meanwhile, and what a wrapper's own processes take of its memory."""
import os
import re
import resource
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")


def stat_fields(pid):
    """proc_pid_stat(5) from its third field on: the second may hold anything."""
    with open("/proc/%s/stat" % pid) as file:
        text = file.read()
    return text[text.rindex(")") + 2:].split()


def children_of():
    table = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            table.setdefault(int(stat_fields(pid)[1]), []).append(int(pid))
        except OSError:
            pass
    return table


class Clock:
    """Seconds of processor time since it was made: of our own tree (only what was waited for), and of others."""

    def __init__(self, servers):
        self.servers = servers
        self.began = time.monotonic()
        self.busy, self.mine, self.served = self.now()

    def now(self):
        with open("/proc/stat") as file:
            user, nice, system, _, _, irq, softirq = [int(word) / TICK for word in file.readline().split()[1:8]]
        mine = 0.0
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
            usage = resource.getrusage(who)
            mine += usage.ru_utime + usage.ru_stime
        return user + nice + system + irq + softirq, mine, self.served_now()

    def served_now(self):
        if not self.servers:
            return 0.0
        table, total = children_of(), 0.0
        for server in self.servers:
            for pid in [server] + table.get(server, []):
                try:
                    # A server's children that ended are in its own last two.
                    fields = stat_fields(pid)
                    total += sum(int(word) for word in fields[11:15 if pid == server else 13]) / TICK
                except OSError:
                    pass
        return total

    def read(self):
        """Our own seconds, and what part of one processor others took."""
        busy, mine, served = self.now()
        others = (busy - self.busy) - (mine - self.mine) - (served - self.served)
        return mine - self.mine, max(0.0, others) / max(time.monotonic() - self.began, 1e-3)


def wait_until_quiet(most, servers, patience):
    """The seconds that were waited for others."""
    began = time.monotonic()
    while patience > 0:
        clock = Clock(servers)
        time.sleep(0.25)
        # Time is counted in hundredths of seconds: two of them are no load yet.
        if clock.read()[1] <= most + 0.08:
            return time.monotonic() - began - 0.25
        if time.monotonic() - began > patience:
            break
        time.sleep(0.5)
    return time.monotonic() - began


class Memory(threading.Thread):
    """The highest sum of PSS over those processes below `root` that run `program`: the wrapper, and not what it wraps.
    Without root the supervisor's own figures cannot be read (it is not dumpable): then what may be read counts, RSS."""

    def __init__(self, root, program):
        super().__init__(daemon=True)
        self.root, self.program, self.peak, self.kind, self.over = root, os.path.realpath(program), 0.0, "PSS", False

    def run(self):
        while not self.over:
            table, todo, total = children_of(), [self.root], 0
            while todo:
                pid = todo.pop()
                todo += table.get(pid, [])
                try:
                    total += self.kib(pid)
                except OSError:
                    pass
            self.peak = max(self.peak, total / 1024)
            time.sleep(0.05)

    def kib(self, pid):
        try:
            if os.readlink("/proc/%d/exe" % pid) != self.program:
                return 0
            path, line = "/proc/%d/smaps_rollup" % pid, r"(?m)^Pss:\s+(\d+)"
            with open(path) as file:
                return int(re.search(line, file.read()).group(1))
        except PermissionError:
            with open("/proc/%d/status" % pid) as file:
                status = file.read()
            if re.search(r"(?m)^Name:\s+(.*)$", status).group(1) != os.path.basename(self.program)[:15]:
                return 0
            self.kind = "RSS"
            return int(re.search(r"(?m)^VmRSS:\s+(\d+)", status).group(1))
