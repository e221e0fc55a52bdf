"""lineage.py STATE SANDBOX ACCESSES: repeats the sessions in a state directory until there are so many accesses, and asks for the
lineage of targets of every kind; prints how long each took, how much memory, and what came. Ends with 1 where one took a second."""
import json
import os
import sqlite3
import subprocess
import sys
import time

state, sandbox, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
db = sqlite3.connect(state + "/trail.db")
one = lambda sql: db.execute(sql).fetchone()[0]

accesses = one("SELECT sum(count) FROM event")
copies = max(0, -(-wanted // accesses) - 1) if one("SELECT count(*) FROM session") < 50 else 0
sessions, texts, images = one("SELECT max(id) FROM session"), one("SELECT max(id) FROM text"), one("SELECT max(id) FROM image")
span = one("SELECT max(ended) - min(started) FROM session")
# By how much each column is greater in the next copy.
steps = {
    "text": {"id": texts},
    "session": {"id": sessions, "started": span, "ended": span},
    "image": {"id": images, "session": sessions, "program": texts},
    "process": {"id": sessions << 32, "started": span, "ended": span, "image": images},
    "event": {"id": sessions << 40, "image": images, "resource": texts, "second": texts, "first": span, "last": span},
}
for table, by in steps.items():
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    bound = (sessions + 1) << 40 if table == "event" else (sessions + 1) << 32 if table == "process" else by["id"] + 1
    for copy in range(1, copies + 1):
        values = [f'"{c}" + {by[c] * copy}' if c in by else f'"{c}"' for c in columns]
        if table == "session":
            values[columns.index("name")] = f"replace(name, 's-01K', 's-01L{copy:05}')"
        db.execute(f"INSERT INTO {table} SELECT {','.join(values)} FROM {table} WHERE id < {bound}")
        db.commit()
accesses = one("SELECT sum(count) FROM event")
last = one("SELECT name FROM session ORDER BY id DESC LIMIT 1")
recent = one("SELECT datetime((max(started) - 3600000000000) / 1000000000, 'unixepoch') FROM session").replace(" ", "T") + "Z"
db.close()


def ask(*words):
    """How long, how much memory, and the answer."""
    with open(state + "/answer", "w+b") as out:
        begin = time.monotonic()
        child = subprocess.Popen([sandbox, "lineage", "--state", state, "--json", *words], stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        took = time.monotonic() - begin
        out.seek(0)
        return took, usage.ru_maxrss // 1024, json.load(out) if status == 0 else {}


took, memory, _ = ask("last")
print(f"the graph was made in {took:.1f} s, {memory} MiB")
size = sum(os.path.getsize(state + "/" + f) for f in ("trail.db", "trail.db-wal") if os.path.exists(state + "/" + f))
print(f"{accesses} accesses, {size / accesses:.1f} bytes each")
hub, leaf = "/usr/lib/x86_64-linux-gnu/libc.so.6", "/w/p3/f77.o"
questions = [[target, way] for target in (hub, "/bin/sh", "/usr/include/h7.h", leaf, "/w/p3/prog", "10.0.0.1:443", "10.9.0.1:443")
             for way in ("--upstream", "--downstream")]
questions += [["last"], [last], ["pid:3@" + last], [hub], [hub, "--depth", "1"], [hub, "--since", recent], ["/w/p3/prog", "--since", recent],
              [hub, "--identity", "agent:rare"], ["10.0.0.1:443", "--identity", "agent:rare"], [hub, "--identity", "nobody"]]
slow = size >= 100 * accesses
for words in questions:
    took, memory, answer = min((ask(*words) for _ in range(3)), key=lambda each: each[0])
    nodes = answer.get("nodes", [])
    more = max((node.get("more", 0) for node in nodes), default=0)
    print(f"{took:7.3f} s {memory:5} MiB {len(nodes):6} nodes {more:7} more  {' '.join(words)}", flush=True)
    slow = slow or took >= 1
sys.exit(1 if slow else 0)
