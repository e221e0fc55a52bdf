#!/usr/bin/env python3
"""regrtest.py SANDBOX [MODULE…]: CPython's own tests outside and inside `--profile observe`; prints every test whose result
differs and exits 1 if there is one that docs do not explain (EXPECTED below)."""
import os, re, shutil, subprocess, sys, tempfile

MODULES = ["test_os", "test_subprocess", "test_signal", "test_socket", "test_tempfile", "test_pathlib", "test_threading",
           "test_select", "test_pty", "test_multiprocessing_fork", "test_multiprocessing_spawn", "test_multiprocessing_forkserver"]
EXPECTED = set()   # names of tests whose difference has a reason; each with a line in docs

def with_tests():
    named = os.environ.get("SOAK_PYTHON")
    names = ["/usr/bin/python3"] + [shutil.which(f"python3.{minor}") for minor in (13, 12, 11, 10)] + [sys.executable]
    for python in [named] if named else [name for name in names if name]:
        if shutil.which(python) and subprocess.run([python, "-c", "import test.test_os, test.libregrtest"], capture_output=True).returncode == 0:
            return python
    sys.exit("no Python here has the `test` package: set SOAK_PYTHON")

def results(command, module):
    with tempfile.TemporaryDirectory() as work:
        try:
            done = subprocess.run(command + ["-m", "test", "-v", "--timeout", "600", "-u", "none", module], cwd=work, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1800, start_new_session=True)
            text, code = done.stdout.decode(errors="replace"), done.returncode
        except subprocess.TimeoutExpired as late:
            text, code = (late.stdout or b"").decode(errors="replace"), "late"
    found = re.findall(r"^(\w+ \([\w.<>]+\))(?:\n[^\n]*)?? \.\.\. .*?(ok|FAIL|ERROR|skipped|expected failure)", text, re.M)
    return dict(found), code

python, sandbox, worse = with_tests(), sys.argv[1], 0
for module in sys.argv[2:] or MODULES:
    outside, code = results([python], module)
    inside, code_inside = results([sandbox, "run", "--quiet", "--profile", "observe", "--", python], module)
    # Warnings that other processes print into a line hide its result; where both runs passed as a whole it was no failure.
    names = outside.keys() & inside.keys() if code == code_inside == 0 else outside.keys() | inside.keys()
    differ = sorted(name for name in names if outside.get(name) != inside.get(name))
    print(f"{module}: {len(outside)} tests outside, {len(inside)} inside; exit {code} and {code_inside}; {len(differ)} differ", flush=True)
    for name in differ:
        print(f"  {name}: {outside.get(name)} outside, {inside.get(name)} inside{' (explained)' if name in EXPECTED else ''}")
        worse += name not in EXPECTED
    if code != code_inside and not differ: worse += 1
sys.exit(1 if worse else 0)
