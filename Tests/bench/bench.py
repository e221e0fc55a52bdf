#!/usr/bin/env python3
"""What supervision costs: bench.py PATH-OF-SANDBOX. See README.md beside it, and rows.py for what is measured.

Runs go N A B N C D N within a round (N: without a wrapper), and A B C D move on by one place each round. So every wrapped run
stands beside a native one, which it is compared with, and no wrapper always has the same place."""
import ctypes
import datetime
import fcntl
import json
import os
import pwd
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time

import inputs
import machine
import report
import rows
import servers

HERE = os.path.dirname(os.path.abspath(__file__))
FOREIGN = 0.15  # of one processor: more than that used by others spoils a run
REPEATS = 2     # of a spoilt run
LONGEST = 900   # seconds that one run may take
PATIENCE = 600  # seconds, in all, to wait for others to be quiet


def setting(name, default):
    return os.environ.get(name) or default


class Bench:
    def __init__(self, sandbox):
        self.sandbox = os.path.realpath(sandbox)
        self.rounds = int(setting("BENCH_ROUNDS", 7))
        self.rows = rows.chosen([name for name in setting("BENCH_ONLY", "").split(",") if name])
        default = os.path.join(setting("TMPDIR", "/var/tmp"), "sandbox-bench")
        self.base = os.path.realpath(setting("BENCH_DIR", default))
        self.runs, self.servers, self.unable, self.patience = [], [], {}, PATIENCE

    def prepare(self):
        os.umask(0o022)
        os.makedirs(self.base, exist_ok=True)
        if os.stat(self.base).st_uid != os.getuid():
            raise SystemExit("%s belongs to somebody else; BENCH_DIR names another folder" % self.base)
        self.lock = open(self.base + "/lock", "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit("another run is under way in %s" % self.base)
        self.clear("work", "retired", "state", "home", "scratch")
        for folder in ("work", "retired", "state", "home", "scratch"):
            os.makedirs("%s/%s" % (self.base, folder))
        work = {row.work for row in self.rows if not row.micro}
        self.inputs = inputs.make_all(self.base, {item for name in work for item in rows.INPUTS.get(name, [])})
        inputs.compile_programs(HERE, self.base + "/bin")
        inputs.write_profiles(self.base + "/profiles")
        who = pwd.getpwuid(os.getuid()).pw_name
        self.environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": self.base + "/home", "LANG": "C.UTF-8",
            "TMPDIR": self.base + "/scratch", "USER": who, "LOGNAME": who, "GIT_CONFIG_GLOBAL": "/dev/null",
            "SANDBOX_STATE": self.base + "/state", "SANDBOX_POLICIES": os.path.join(HERE, "../../Policies"),
            "BENCH_INPUTS": self.inputs, "BENCH_RETIRED": self.base + "/retired", "BENCH_PYTHON": "/usr/bin/python3",
            "BENCH_SECONDS": setting("BENCH_SECONDS", "5"),
        }
        for profile in ("enforce", "rules"):
            self.must(self.sandbox, "profile", "check", "%s/profiles/%s.yaml" % (self.base, profile))
        # Orphans come to us, so that their time is counted as ours.
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
        if work & {"w6", "w6k"}:
            self.environment["BENCH_HTTP"] = servers.start_http(self.base + "/bin")
        if "w8" in work:
            try:
                self.environment["BENCH_POSTGRES"] = servers.postgres_programs()
                self.environment["BENCH_SQL"] = servers.start_postgres(self.base)
            except (OSError, KeyError, RuntimeError, subprocess.CalledProcessError) as problem:
                self.unable["w8"] = str(problem)
        if "w5-tests" in work and subprocess.run(["/usr/bin/python3", "-m", "pytest", "--version"], capture_output=True).returncode:
            self.unable["w5-tests"] = "/usr/bin/python3 has no pytest"
        if "w6k" in work and not shutil.which("wrk"):
            self.unable["w6k"] = "wrk is not installed"
        self.servers = [server.pid for server, _ in servers.running]

    def clear(self, *folders):
        for folder in folders:
            shutil.rmtree("%s/%s" % (self.base, folder), ignore_errors=True)

    def must(self, *command):
        done = subprocess.run(command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise SystemExit("%s: exit %d\n%s" % (shlex.join(command), done.returncode, done.stdout))
        return done.stdout.strip()

    def wrapper(self, column, row):
        profile = {"enforce": self.base + "/profiles/enforce.yaml", "rules": self.base + "/profiles/rules.yaml"}.get(column, column)
        return {
            "native": [],
            "floor": [self.base + "/bin/floor", *row.floor.split()],
            "strace": ["/usr/bin/strace", "-f", "--seccomp-bpf", "-qq", "-o", self.base + "/scratch/strace", "-e", "trace=" + rows.SAME_CALLS],
        }.get(column, [self.sandbox, "run", "--quiet", "-p", profile, "-w", self.base, "--"])

    def command(self, row):
        if row.micro:
            *options, operation = row.work.split()
            return [self.base + "/bin/micro", *options, self.base + "/work", operation]
        return ["/bin/true"] if row.work == "true" else ["/bin/sh", HERE + "/workloads.sh", row.work]

    def once(self, row, column):
        """One run: what is kept of it."""
        if not row.micro and row.work != "true":
            subprocess.run(["/bin/sh", HERE + "/workloads.sh", "prepare", row.work], cwd=self.base + "/work", env=self.environment, check=True)
        wrapper = self.wrapper(column, row)
        short = row.judged == rows.ABOVE  # too short for any look at the load, but there are many
        if not short:
            self.patience -= machine.wait_until_quiet(FOREIGN, self.servers, min(20, self.patience))
        log = open(self.base + "/scratch/log", "w+")
        clock, began = machine.Clock(self.servers), time.perf_counter()
        process = subprocess.Popen(wrapper + self.command(row), cwd=self.base + "/work", env=self.environment, stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        memory = None
        if row.judged == rows.MEMORY:
            memory = machine.Memory(process.pid, wrapper[0])
            memory.start()
        # Not wait(timeout=…), which looks only every so often, up to 50 ms late. With this group `sandbox` takes its session along.
        watchdog = threading.Timer(LONGEST, os.killpg, (process.pid, signal.SIGKILL))
        watchdog.start()
        try:
            code = process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        finally:
            watchdog.cancel()
        wall = time.perf_counter() - began
        if memory:
            memory.over = True
            memory.join()
        self.reap()
        cpu, foreign = clock.read()
        log.seek(0)
        text = log.read()
        log.close()
        found = re.search(r"(?m)^result \S+ (\S+) (\S+)$", text)
        value, unit = (memory.peak, "MiB") if memory else (float(found[1]), found[2]) if found else (wall, "s")
        run = {"row": row.name, "column": column, "value": value, "unit": unit, "wall": wall, "cpu": cpu,
               "foreign": 0.0 if short else round(foreign, 3), "code": code}
        if memory:
            run["kind"] = memory.kind
        done = found if row.micro else row.work == "true" or re.search(r"(?m)^complete$", text)
        if code != 0 or not done:
            run["failed"] = "exit %d: %s" % (code, text[-500:].strip() or "without a word")
        return run

    @staticmethod
    def reap():
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass

    def measure(self, row):
        wrapped = list(row.columns)
        number = self.rounds if not row.rounds else max(1, row.rounds * min(self.rounds, 7) // 7)
        alone = row.judged == rows.MEMORY  # there is nothing native to compare with
        if not alone:
            self.keep(self.once(row, "native"), -1)  # warms the caches, and is not counted
        for turn in range(number):
            if not wrapped:
                return
            place = turn % len(wrapped)
            order = wrapped[place:] + wrapped[:place]
            sequence = order if alone else ["native"]
            for i, column in enumerate(order if not alone else []):
                sequence += [column] if i % 2 == 0 else [column, "native"]
            kept = []
            for column in sequence:
                for attempt in range(REPEATS + 1):
                    run = self.once(row, column)
                    if run["foreign"] <= FOREIGN or "failed" in run:
                        break
                run["attempts"] = attempt + 1
                kept.append(self.keep(run, turn))
                if "failed" in run:
                    print("%s under %s: %s" % (row.name, column, run["failed"]), file=sys.stderr)
                    if column == "native":
                        return
                    wrapped.remove(column)
            for i, run in enumerate(kept):
                if run["column"] != "native" and not alone:
                    run["beside"] = next(kept[j]["number"] for j in (i - 1, i + 1) if 0 <= j < len(kept) and kept[j]["column"] == "native")
            if number <= 7:
                print("%s %d/%d  %s" % (row.name, turn + 1, number, "  ".join(
                    "%s %.4g%s" % (run["column"], run["value"], "!" if run["foreign"] > FOREIGN else "") for run in kept)), file=sys.stderr)

    def keep(self, run, turn):
        run.update(round=turn, number=len(self.runs))
        self.runs.append(run)
        return run

    def about(self):
        with open("/proc/cpuinfo") as file:
            model = re.search(r"(?m)^model name\s*: (.*)$", file.read())
        lua = os.path.exists(self.inputs + "/c/src/lua.h")
        return {"date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"), "kernel": os.uname().release,
                "architecture": os.uname().machine, "processor": model[1] if model else "", "cores": os.cpu_count(), "root": os.getuid() == 0,
                "sandbox": self.must(self.sandbox, "--version"), "rounds": self.rounds, "c_project": "Lua" if lua else "generated",
                "foreign_limit": FOREIGN, "unable": self.unable}

    def main(self):
        self.prepare()
        path = setting("BENCH_JSON", self.base + "/result.json")
        about = self.about()
        try:
            for row in self.rows:
                if row.work not in self.unable:
                    self.measure(row)
        except KeyboardInterrupt:
            print("stopped; this is what there is:", file=sys.stderr)
        finally:
            self.clear("work", "retired")
            table, judged = report.table(self.rows, self.runs, about)
            with open(path, "w") as file:
                json.dump({"about": about, "rows": judged, "runs": self.runs}, file, indent=1)
        print(table)
        print("\nall runs: " + path)
        broken = sorted({(run["row"], run["column"]) for run in self.runs if "failed" in run and run["column"] not in ("floor", "strace")})
        for name, column in broken:
            print("failed: %s, %s" % (name, column), file=sys.stderr)
        return 1 if broken else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: bench.py PATH-OF-SANDBOX")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(Bench(sys.argv[1]).main())
    finally:
        servers.stop_all()
