#!/usr/bin/env python3
"""terminal.py SCENE [PREFIX…]: drives a program on a pseudo-terminal, PREFIX (`sandbox run … --`) before it. Exit 0: all of it
came."""
import os, signal, sys, tempfile
sys.dont_write_bytecode = True
from typist import Terminal

scene, prefix = sys.argv[1], sys.argv[2:]
OUTER = ["bash", "--norc", "--noprofile", "-i"]
def quoted(words): return " ".join("'" + w.replace("'", "'\\''") + "'" for w in words)
def bash(): 
    t = Terminal(prefix + OUTER)
    t.type("stty -echo; PS1='$ '; bind 'set enable-bracketed-paste off' 2>/dev/null; echo rea''dy\n"); t.until("ready\r?\n")
    return t

if scene == "stop-and-continue":
    # Job control inside, and of the sandbox itself as a job of an outer shell.
    t = bash()
    t.type("cat\n"); t.type("echoed once\n"); t.until("echoed once"); t.type("\x1a"); t.until("Stopped.*?\\$ ")
    t.type("jobs; echo lis''ted\n"); t.until("cat.*listed"); t.type("fg\n"); t.until("cat"); t.type("again\n"); t.until("again"); t.type("\x04")
    t.type("echo sta''tus $?\n"); t.until("status 0"); t.type("exit 5\n"); t.exits(5)
    t = Terminal(OUTER); t.type("stty -echo; PS1='$ '; echo rea''dy\n"); t.until("ready\r?\n")
    t.type(quoted(prefix + ["sh", "-c", "echo in; cat; echo out"]) + "\n"); t.until("in\r?\n"); t.type("x1\n"); t.until("x1"); t.type("\x1a"); t.until("Stopped.*?\\$ ")
    t.type("echo sh''ell\n"); t.until("shell"); t.type("fg\n"); t.type("x2\n"); t.until("x2"); t.type("\x04"); t.until("out\r?\n.*?\\$ "); t.type("exit 6\n"); t.exits(6)
elif scene == "interrupt":
    t = bash()
    t.type("(trap 'echo cau''ght' INT; echo wa''iting; read x; echo sur''vived)\n"); t.until("waiting"); t.type("\x03"); t.until("caught"); t.type("\n"); t.until("survived|\\$ ")
    t.type("cat\n"); t.type("here\n"); t.until("here\r?\n"); t.type("\x03"); t.until("\\$ "); t.type("echo co''de $?\n"); t.until("code 130"); t.type("exit 3\n"); t.exits(3)
    t = Terminal(prefix + ["sh", "-c", "echo go; exec cat"]); t.until("go\r?\n"); t.type("\x03"); t.exits(130 if prefix else -2)
elif scene == "quit":
    t = Terminal(prefix + ["sh", "-c", "ulimit -c 0; echo go; exec cat"]); t.until("go\r?\n"); t.type("\x1c"); t.exits(131 if prefix else -3)
elif scene == "window-size":
    t = bash(); t.type("stty size\n"); t.until("24 80"); t.type("trap 'echo chan''ged $(stty size)' WINCH\n"); t.type("echo s''et\n"); t.until("set\r?\n")
    t.size(31, 97); t.type("\n"); t.until("changed 31 97"); t.type("stty size; tty >/dev/null && echo is-a-''tty\n"); t.until("31 97.*is-a-tty"); t.type("exit\n"); t.exits(0)
elif scene == "python":
    t = Terminal(prefix + ["python3", "-q"]); t.until(">>> "); t.type("6 * 7\n"); t.until("42"); t.type("import os; os.isatty(0)\n"); t.until("True")
    t.type("import time; print('wai' + 'ting'); time.sleep(60)\n"); t.until("waiting\r?\n"); t.type_until("\x03", "KeyboardInterrupt"); t.type("exit(4)\n"); t.exits(4)
elif scene == "less":
    t = Terminal(prefix + ["less", "/etc/services"]); t.until("/etc/services|tcp"); t.type("G"); t.until("END"); t.type("q"); t.exits(0)
    t = Terminal(prefix + ["sh", "-c", "seq 500 | less"]); t.until("20"); t.type("G"); t.until("500"); t.type("q"); t.exits(0)
elif scene == "vim":
    d = tempfile.mkdtemp(dir="."); path = d + "/f"
    t = Terminal(prefix + ["vim", "-u", "NONE", "-i", "NONE", "-n", path]); t.until("\\[New|~"); t.type("ihello vim\x1b:w\r"); t.until("written"); t.type(":!echo fr''om-shell\r"); t.until("from-shell"); t.type("\r:q\r"); t.exits(0)
    assert open(path).read() == "hello vim\n"
elif scene == "background":
    t = bash(); t.type("sh -c 'read x < /dev/null; echo backgr''ound' & wait; echo wai''ted\n"); t.until("background.*waited"); t.type("cat &\n"); t.until("\\[1\\]"); t.type("echo ne''xt; jobs\n"); t.until("Stopped|next"); t.type("kill -KILL %1\nexit 2\nexit 2\n"); t.exits(2)
elif scene == "cooked":
    # Whoever is killed in raw mode leaves a usable terminal to the shell it came from.
    t = Terminal(OUTER); t.type("stty -echo; PS1='$ '; echo rea''dy\n"); t.until("ready\r?\n"); t.type("stty -a | tr ' ' '\\n' | grep -c '^-' > /dev/null; stty -g > " + tempfile.gettempdir() + "/before.$$\n")
    t.type(quoted(prefix + ["sh", "-c", "stty raw -echo; echo raw; kill -KILL $$"]) + "; echo en''ded\n"); t.until("raw"); t.until("ended")
    t.type("stty -g | " + "cmp -s - " + tempfile.gettempdir() + "/before.$$ && echo sa''me || echo dif''ferent; rm -f " + tempfile.gettempdir() + "/before.$$\n")
    t.until("same"); t.type("exit\n"); t.exits(0)
elif scene == "restored":
    # An agent that ends well and leaves raw mode, no echo and stopped output behind: natively it stays, here it is put right.
    t = Terminal(OUTER); t.type("stty -echo; PS1='$ '; echo rea''dy\n"); t.until("ready\r?\n"); t.type("before=$(stty -g)\n")
    t.type(quoted(prefix + ["python3", "-c", "import termios, tty; tty.setraw(0); termios.tcflow(0, termios.TCOOFF)" if prefix else "import tty; tty.setraw(0)"]) + "; after=$(stty -g); stty sane -echo; [ \"$before\" = \"$after\" ] && echo sa''me || echo dif''ferent\n")
    t.until("same" if prefix else "different"); t.type("exit\n"); t.exits(0)
elif scene == "hangup":
    # The terminal goes away: its session's leader is told, and that is us where there is no shell, as with `ssh -t`.
    t = Terminal(prefix + ["sh", "-c", "trap 'exit 9' HUP; sleep 60 & echo go; wait"]); t.until("go\r?\n"); os.close(t.fd)
    signal.alarm(20)
    assert os.waitstatus_to_exitcode(os.waitpid(t.pid, 0)[1]) == 9
elif scene == "tmux":
    sock = "g%d" % os.getpid()
    t = Terminal(prefix + ["tmux", "-f", "/dev/null", "-L", sock, "new-session", "bash --norc --noprofile"]); t.until("bash|\\$|#"); t.type("echo in-''tmux\r"); t.until("in-tmux"); t.type("exit\r"); t.until("exited"); t.exits(0)
else: sys.exit("no scene " + scene)
print("seen")
