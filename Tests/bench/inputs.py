"""What the workloads work on. All of it is the same on every machine but Lua's sources, which are Debian's where apt can fetch
them. Made once: the folder's name holds a hash of this file, so that what is changed here is made anew."""
import hashlib
import os
import random
import re
import shutil
import subprocess
import sys

WORDS = ["word%d" % i for i in range(3000)]


def make_all(base, wanted):
    """The folder of the inputs; `wanted` names those that must be there."""
    with open(__file__, "rb") as source:
        name = "inputs-" + hashlib.sha256(source.read()).hexdigest()[:8]
    for old in os.listdir(base):
        if old.startswith("inputs-") and old != name:
            shutil.rmtree(os.path.join(base, old))
    folder = os.path.join(base, name)
    os.makedirs(folder, exist_ok=True)
    for item in sorted(wanted):
        path = os.path.join(folder, item)
        if os.path.exists(path):
            continue
        print("making %s" % path, file=sys.stderr)
        # Under its name there is only what is complete.
        unfinished = path + ".unfinished"
        if os.path.exists(unfinished):
            shutil.rmtree(unfinished) if os.path.isdir(unfinished) else os.unlink(unfinished)
        MAKERS[item](unfinished)
        os.rename(unfinished, path)
    return folder


def put(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def c_project(folder):
    """Lua 5.4, or a project of the same size that is built the same way."""
    try:
        lua_from_debian(folder)
    except (OSError, StopIteration, subprocess.SubprocessError) as problem:
        print("no sources of Lua from apt (%s): a C project is generated" % problem, file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        generated_c_project(folder)


def lua_from_debian(folder):
    # With lists of its own: needs no root, and leaves the machine's alone.
    apt = folder + ".apt"
    shutil.rmtree(apt, ignore_errors=True)
    os.makedirs(apt + "/lists/partial")
    os.makedirs(apt + "/sources")
    known = ["/etc/apt/sources.list"] + sorted(
        os.path.join("/etc/apt/sources.list.d", name) for name in os.listdir("/etc/apt/sources.list.d"))
    for path in known:
        if not os.path.exists(path):
            continue
        with open(path) as file:
            text = file.read()
        if "debian" in text:
            text = re.sub(r"(?m)^Types:.*$", "Types: deb-src", re.sub(r"(?m)^deb ", "deb-src ", text))
            put(os.path.join(apt, "sources", os.path.basename(path)), text)
    options = ["-qq", "-o", "APT::Sandbox::User=", "-o", "Acquire::Languages=none"]
    for name, value in (("Dir::Etc::SourceList", "/dev/null"), ("Dir::Etc::SourceParts", apt + "/sources"),
                        ("Dir::State::Lists", apt + "/lists"), ("Dir::Cache", apt)):
        options += ["-o", "%s=%s" % (name, value)]
    quiet = dict(cwd=apt, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
    subprocess.run(["apt-get", *options, "update"], check=False, **quiet)
    subprocess.run(["apt-get", *options, "source", "--download-only", "lua5.4"], check=True, **quiet)
    archive = next(os.path.join(apt, name) for name in os.listdir(apt) if re.match(r"lua5\.4_.*\.orig\.tar\.", name))
    os.mkdir(folder)
    subprocess.run(["tar", "-xf", archive, "--no-same-owner", "--strip-components=1", "-C", folder], check=True)
    shutil.rmtree(apt)


def generated_c_project(folder):
    dice = random.Random(1)
    names = ["part%02d" % i for i in range(33)]
    for i, name in enumerate(names):
        put("%s/src/%s.h" % (folder, name), "#include <stddef.h>\nint %s(int, const char *);\n" % name)
        lines = ["#include <stdio.h>", "#include <stdlib.h>", "#include <string.h>", "#include <math.h>"]
        lines += ['#include "%s.h"' % other for other in sorted({name, *dice.sample(names, 6)})]
        for k in range(12):
            lines.append("static int step%d(int n, const char *text) {" % k)
            lines.append("    char copy[256];\n    int sum = %d;" % dice.randrange(1000))
            lines.append('    snprintf(copy, sizeof copy, "%%d %%s", n, text);')
            for _ in range(8):
                lines.append("    for (size_t i = 0; i < strlen(copy); i++) sum = sum * %d + (copy[i] ^ %d);"
                             % (dice.randrange(3, 99, 2), dice.randrange(255)))
            lines.append("    return sum %% %d;\n}" % dice.randrange(2, 9999))
        calls = " + ".join("step%d(n, text)" % k for k in range(12))
        lines.append("int %s(int n, const char *text) { return %s; }" % (name, calls))
        put("%s/src/%s.c" % (folder, name), "\n".join(lines) + "\n")
    # It answers to what the workload asks Lua.
    put(folder + "/src/lua.c", "#include <stdio.h>\n%s\nint main(int argc, char **argv) {\n    int sum = 0;\n    if (argc > 99) sum = %s;\n"
        "    printf(\"%%d\\n\", sum ? sum : 42);\n    return 0;\n}\n"
        % ("\n".join('#include "%s.h"' % name for name in names), " + ".join("%s(argc, *argv)" % name for name in names)))
    objects = " ".join(name + ".o" for name in names + ["lua"])
    put(folder + "/src/Makefile", "CFLAGS = -O2\nlinux: lua\nlua: %s\n\t$(CC) -o $@ $^ -lm\n%%.o: %%.c\n\t$(CC) $(CFLAGS) -c -o $@ $<\n"
        % objects)


def repository(folder):
    """2,500 files, 150 commits."""
    subprocess.run(["git", "init", "-q", "--bare", folder], check=True)
    dice = random.Random(2)
    stream = subprocess.Popen(["git", "-C", folder, "fast-import", "--quiet"], stdin=subprocess.PIPE)
    text = lambda: "\n".join(" ".join(dice.choices(WORDS, k=8)) for _ in range(60)) + "\n"
    data = lambda words: b"data %d\n%s\n" % (len(words), words.encode())
    files = ["area%d/group%d/file%d.c" % (i % 25, i % 7, i) for i in range(2500)]
    for commit in range(150):
        who = b"Bench <bench@localhost> %d +0000" % (1700000000 + 3600 * commit)
        stream.stdin.write(b"commit refs/heads/main\nauthor %s\ncommitter %s\n%s" % (who, who, data("Change %d" % commit)))
        for file in files if commit == 0 else dice.sample(files, 50):
            stream.stdin.write(b"M 100644 inline %s\n%s" % (file.encode(), data(text())))
    stream.stdin.close()
    if stream.wait():
        raise SystemExit("git fast-import failed")
    subprocess.run(["git", "-C", folder, "symbolic-ref", "HEAD", "refs/heads/main"], check=True)


def tree(folder):
    """24,000 files of 200 bytes to 20 KiB in 1,200 folders; one in a thousand holds the needle."""
    dice = random.Random(3)
    pool = " ".join(dice.choices(WORDS, k=40000)).replace(" word1", "\nword1")
    for i in range(24000):
        size = int(200 * 100 ** dice.random())
        start = dice.randrange(len(pool) - size)
        path = "%s/area%d/group%d/file%d.txt" % (folder, i % 40, i // 40 % 30, i)
        put(path, pool[start:start + size] + ("\nneedle\n" if i % 1000 == 0 else "\n"))


def python_project(folder):
    """40 modules with 30 tests each, as pytest finds them."""
    dice = random.Random(4)
    put(folder + "/conftest.py", "import sys, pathlib\nsys.path.insert(0, str(pathlib.Path(__file__).parent))\n")
    put(folder + "/library/__init__.py", "")
    for i in range(40):
        functions, tests = [], []
        for k in range(30):
            a, b = dice.randrange(100), dice.randrange(100)
            functions.append("def work%d(values):\n    return sum(v * %d + %d for v in values)\n" % (k, a, b))
            expected = sum(v * a + b for v in range(50))
            tests.append("def test_work%d(tmp_path):\n    file = tmp_path / 'values.json'\n    file.write_text(json.dumps(list(range(50))))\n"
                         "    assert part%d.work%d(json.loads(file.read_text())) == %d\n" % (k, i, k, expected) if k % 3 == 0 else
                         "def test_work%d():\n    assert part%d.work%d(range(50)) == %d\n" % (k, i, k, expected))
        put("%s/library/part%d.py" % (folder, i), "\n\n".join(functions))
        put("%s/tests/test_part%d.py" % (folder, i), "import json\nfrom library import part%d\n\n\n" % i + "\n\n".join(tests))


def data(path):
    """512 MiB that no file system can make smaller."""
    dice = random.Random(5)
    with open(path, "wb") as file:
        for _ in range(512):
            file.write(dice.randbytes(1 << 20))


MAKERS = {"c": c_project, "repository.git": repository, "tree": tree, "python": python_project, "data": data}


def compile_programs(source, folder):
    """Static, so that nothing but the measured calls is made."""
    os.makedirs(folder, exist_ok=True)
    for name in ("micro", "floor", "serve"):
        subprocess.run(["gcc", "-O2", "-Wall", "-static", "-pthread", "-o", "%s/%s" % (folder, name), "%s/%s.c" % (source, name)],
                       check=True)


PROFILE = """version: 1
name: %s
description: What an agent's profile comes to; %s.
mode: enforce
files:
  default: deny
  read: ["/**"]
  write: ["${workspace}/**", "/tmp/**", "/var/tmp/**", "/dev/**"]
  deny:
    - "/etc/shadow"
    - "~/.ssh/**"
    - "~/.aws/**"
%sexec:
  default: allow
network:
  default: deny
  allow: ["localhost:*", "unix:/**"]
%s"""


def write_profiles(folder):
    """`enforce.yaml`, and `rules.yaml`: the same with 1,000 more rules, none of which ever matches."""
    os.makedirs(folder, exist_ok=True)
    put(folder + "/enforce.yaml", PROFILE % ("bench-enforce", "a few rules", "", ""))
    shapes = ["/srv/absent%d/secret", "/srv/absent%d/**", "~/absent%d/*.key", "**/absent%d.pem"]
    paths = "".join('    - "%s"\n' % (shapes[i % 4] % i) for i in range(700))
    hosts = ["198.18.%d.%d" % (i // 200, i % 200 + 1) if i % 3 else "198.19.%d.0/24:443" % (i // 3) for i in range(300)]
    network = "  deny:\n" + "".join('    - "%s"\n' % host for host in hosts)
    put(folder + "/rules.yaml", PROFILE % ("bench-rules", "1,000 rules more", paths, network))
