"""What is measured, and what it is judged by. One row here is one row of the table, and a name for BENCH_ONLY."""
import os
from dataclasses import dataclass

CORES = str(os.cpu_count())

# The calls that `sandbox` looks at (Sources/SandboxDecode/SystemCallTable.swift), for strace to look at the same. `?`: not on every architecture.
# Without sendto: `sandbox` looks at that one only where an address is given, which strace's filter cannot tell apart.
SAME_CALLS = ",".join("""execve execveat ?open openat openat2 ?creat ?unlink unlinkat ?rmdir ?rename ?renameat renameat2 ?mkdir mkdirat
    ?mknod mknodat ?link linkat ?symlink symlinkat truncate ?chmod fchmod fchmodat ?chown ?lchown fchown fchownat ?utime ?utimes
    ?futimesat utimensat setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr connect bind listen sendmsg sendmmsg""".split())

READING = "-o notify -s -r"
TRACING = "-o notify -s -r -e trace"
# What is continued there, or done on behalf, nobody can race.
SAFE = "-o notify -s -r -l"

# How a row is judged; what is compared is always the same round's, each run with the native one beside it.
ADDED = "× what the floor adds"      # (ours − native) / (floor − native)
NATIVE = "× native"                  # ours / native
FLOOR = "× the floor's time"         # ours / floor
ABOVE = "ms above native"            # ours − native
MEMORY = "MiB"                       # ours
OBSERVE = "× observe"                # with 1,000 rules / observe


@dataclass(frozen=True)
class Row:
    name: str
    title: str
    work: str                        # operation of `micro`, after its options; or else a name in workloads.sh
    judged: str = NATIVE
    floor: str = TRACING
    columns: tuple = ("floor", "strace", "observe", "enforce")
    micro: bool = False
    rounds: int = 0                  # other than BENCH_ROUNDS: at the default of 7
    limit: dict | float | None = None  # for both modes, or {"observe": …, "enforce": …}

    def limit_of(self, column):
        return self.limit.get(column) if isinstance(self.limit, dict) else self.limit


def micro(name, title, work, floor, **more):
    return Row(name, title, work, floor=floor, micro=True, **{"judged": ADDED, **more})


RULES = dict(columns=("observe", "enforce", "rules"), judged=OBSERVE)

ROWS = [
    micro("open", "open for reading, and close", "open", READING, limit=1.3),
    micro("open-2", "the same in 2 processes at once", "-p 2 open", READING),
    # One thread at the listener is a queue of one: with a hundred callers the floor is what all cores can do.
    micro("open-100", "the same in 100 processes at once", "-p 100 open", READING + " -n " + CORES),
    micro("write", "open for writing, and close", "write", "-o addfd -s", limit=1.3),
    micro("connect", "connect (UDP)", "connect", READING, limit=1.5),
    micro("open-safe", "open for reading, beside the least that is safe", "open", SAFE, columns=("floor", "observe", "enforce"), limit=1.3),
    micro("write-safe", "open for writing, beside the least that is safe", "write", "-o addfd -s -l", columns=("floor", "enforce"), limit=1.3),
    micro("connect-safe", "connect (UDP), beside the least that is safe", "connect", SAFE, columns=("floor", "observe", "enforce"), limit=1.5),
    micro("fork", "fork, exec and wait for a static program", "fork", TRACING, limit=1.3),
    micro("fork-safe", "the same beside the least that is safe", "fork", SAFE + " -e event", columns=("floor", "observe", "enforce"), limit=1.3),
    micro("untouched", "write and read a byte in a pipe", "rw", READING, judged=NATIVE),
    Row("w1", "C build, make -j2", "w1", limit=1.1),
    Row("w2", "2,000 × /bin/true from a shell", "w2", judged=FLOOR, limit=1.2),
    Row("w2-safe", "the same beside the least that is safe", "w2", judged=FLOOR, floor=SAFE + " -e event",
        columns=("floor", "observe", "enforce"), limit=1.2),
    Row("w3", "git: clone, status, log, grep", "w3", limit=1.1),
    Row("w3-safe", "the same beside the least that is safe", "w3", judged=FLOOR, floor=SAFE + " -e event",
        columns=("floor", "observe", "enforce"), limit=1.1),
    Row("w4", "find and grep -r over 24,000 files", "w4", judged=FLOOR, limit=1.3),
    Row("w4-safe", "the same beside the least that is safe", "w4", judged=FLOOR, floor=SAFE, columns=("floor", "observe", "enforce"),
        limit=1.3),
    Row("w5-tests", "1,200 tests with pytest", "w5-tests", limit=1.1),
    Row("w5-imports", "20 Python interpreters that import much", "w5-imports", limit=1.1),
    Row("w6", "6,000 HTTP requests, a connection each", "w6", limit=1.25),
    Row("w6k", "HTTP requests on open connections", "w6k", limit=1.02),
    Row("w7", "4 GiB through pipes and files", "w7", limit=1.02),
    Row("w8", "pgbench -S", "w8", limit=1.02),
    Row("start", "start-up, around /bin/true", "true", judged=ABOVE, rounds=50, limit=8),
    Row("memory", "the wrapper's own memory at the peak of w1", "w1", judged=MEMORY, rounds=3, limit=40),
    micro("rules-open", "1,000 rules: open for reading, and close", "open", READING, **RULES, limit=1.03),
    micro("rules-connect", "1,000 rules: connect (UDP)", "connect", READING, **RULES, limit=1.03),
    micro("rules-fork", "1,000 rules: fork, exec and wait", "fork", TRACING, **RULES, limit=1.03),
    Row("rules-w1", "1,000 rules: C build", "w1", **RULES, limit=1.03),
    Row("rules-w4", "1,000 rules: find and grep -r", "w4", **RULES, limit=1.03),
]

INPUTS = {"w1": ["c"], "w3": ["repository.git"], "w4": ["tree"], "w5-tests": ["python"], "w7": ["data"]}


def chosen(names):
    """`open` means that row and those whose names go on from it with `-`."""
    if not names:
        return ROWS
    for name in names:
        if not any(row.name == name or row.name.startswith(name + "-") for row in ROWS):
            raise SystemExit("BENCH_ONLY: no row `%s`; there are: %s" % (name, " ".join(row.name for row in ROWS)))
    return [row for row in ROWS if any(row.name == name or row.name.startswith(name + "-") for name in names)]
