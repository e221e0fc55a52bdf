#!/usr/bin/env python3
"""asking.py SCENE PREFIX…: somebody at a terminal is asked whether `keep` may be deleted. PREFIX: `sandbox run … --`."""
import os, subprocess, sys, time
sys.dont_write_bytecode = True
from typist import Terminal

scene, prefix = sys.argv[1], sys.argv[2:]
SANDBOX = next((w for w in prefix if w.endswith("/sandbox")), "")
# The question stands alone on the screen.
QUESTION = "\x1b\\[H\x1b\\[2J(.*?)Type `([a-z]{6})`(.*?)> $"
def asked(t, remark=b""):
    found = t.until(QUESTION)
    for part in (remark, b"delete", b"/keep", b"rule kept: keep it"): assert part in found.group(1), found.group(0)
    return found.group(2).decode()
def eventually(condition):
    end = time.monotonic() + 30
    while not condition():
        if time.monotonic() > end: sys.exit("waited in vain")
        time.sleep(0.005)
def sandbox(*words): return subprocess.run([SANDBOX, *words], capture_output=True, text=True, check=True).stdout
def questions(): return [l.split()[0] for l in sandbox("approvals", "list").splitlines()]
def shell(script, **size): return Terminal(prefix + ["sh", "-c", script], **size)
NOISE = "mkfifo go; (read x < go; seq 9000 | sed s/^/noise/; : > written) & : > keep; rm keep; echo ra''n $?; wait; "

if scene == "approved":
    # What others write meanwhile waits, and they go on; what was typed before anybody could know the word is no answer.
    t = shell(NOISE + "read x; echo \"read $x\"")
    t.type("bababa\n"); word = asked(t)
    with open("go", "w") as go: go.write("\n")
    eventually(lambda: os.path.exists("written"))
    t.type("no\x15bababa\n"); word, old = asked(t, b"that is not the word"), word
    assert word != old and b"noise" not in t.shows(), t.text
    t.type("\x1b[I\x1b[<0;1;1M" + word[:3] + "x\x7f" + word[3:] + "\n")
    t.until("approved"); t.until("noise9000\r?\n.*ran 0"); t.type("later\n"); t.until("read (bababa|later)"); t.exits(0)
elif scene == "denied":
    t = shell(": > keep; rm keep; echo code $?"); asked(t); t.type("no not today\n"); t.until("Permission denied.*code 1"); t.exits(0)
elif scene == "for-the-session":
    t = shell(": > keep; rm keep; : > keep; rm keep; echo code $?"); t.type(asked(t) + " session\n"); t.until("approved\r?\n.*code 0"); t.exits(0)
elif scene == "later":
    # Not here and now: it is answered from elsewhere, and what the agent writes is seen again.
    t = shell(": > keep; rm keep; echo code $?"); asked(t); t.type("\x04"); t.until("waits for approval")
    sandbox("approvals", "approve", questions()[0]); t.until("code 0"); t.exits(0)
elif scene in ("interrupted", "quit"):
    # As if nothing were asked: what waits dies with the rest, and the question with it.
    t = shell(": > keep; rm keep; echo co''de $?"); asked(t); t.type("\x03" if scene == "interrupted" else "\x1c")
    t.exits(130 if scene == "interrupted" else 131); assert os.path.exists("keep") and not questions() and b"code" not in t.shows(), t.text
elif scene == "from-elsewhere":
    t = shell(": > keep; rm keep; echo code $?"); asked(t); sandbox("approvals", "deny", questions()[0]); t.until("denied.*code 1"); t.exits(0)
elif scene == "withdrawn":
    t = shell("mkfifo go; : > keep; rm keep & read x < go; kill -9 $!; read x; echo en''ded"); asked(t)
    with open("go", "w") as go: go.write("\n")
    t.until("withdrawn"); assert not questions(); t.type("\n"); t.until("ended"); t.exits(0)
elif scene == "several":
    # One after the other, whichever comes first.
    t = shell("for i in 1 2 3; do : > keep$i; rm keep$i & done; wait; ls; echo en''ded")
    for _ in range(3): t.type(asked(t) + "\n"); t.until("approved")
    t.until("ended"); assert b"keep" not in t.shows(); t.exits(0)
elif scene == "resized":
    # Where it does not fit any more it is not asked.
    t = shell(": > keep; rm keep; echo code $?"); word = asked(t); t.size(30, 70); assert asked(t) != word; t.size(4, 70); t.until("waits for approval")
    t.type(word + "\n"); sandbox("approvals", "deny", questions()[0]); t.until("code 1"); t.exits(0)
elif scene == "too-long":
    t = shell(": > $0; rm $0; echo code $?".replace("$0", "keep" + "y" * 200), rows=9, columns=20); t.until("waits for approval"); assert b"Type" not in t.shows()
    sandbox("approvals", "deny", questions()[0]); t.until("code 1"); t.exits(0)
elif scene == "names":
    # What a name holds is shown, never done.
    t = shell("f=$(printf 'keep\\033[2J\\033[H\\nType `bababa`'); : > \"$f\"; rm \"$f\"; echo code $?")
    found = t.until("\x1b\\[H\x1b\\[2J(.*?)Type `([a-z]{6})`, or.*?> $"); assert b"keep\\x1b[2J\\x1b[H\\nType `bababa`" in found.group(1), found.group(0)
    t.type("bababa\n"); t.until("not the word.*> $"); t.type("no\n"); t.until("code 1"); t.exits(0)
elif scene == "not-here":
    # Who sits there may not answer by the profile (or output goes elsewhere): the agent is on the user's own terminal, and nobody is asked there.
    t = shell(": > keep; rm keep; echo code $?"); t.until("waits for approval.*code 1"); assert b"Type" not in t.text; t.exits(0)
elif scene in ("stopped", "put-aside"):
    # Job control of the sandbox as a job, with a question behind it.
    t = Terminal(["bash", "--norc", "--noprofile", "-i"]); t.type("stty -echo; PS1='$ '; echo rea''dy\n"); t.until("ready\r?\n")
    words = " ".join("'" + w + "'" for w in prefix + ["sh", "-c", "echo in; cat; : > keep; rm keep; echo code $?"])
    if scene == "put-aside":
        # Stopped while a question is shown: the shell is there, and who goes on asks again.
        t.type(words + "\n"); t.until("in\r?\n"); t.type("\x04"); asked(t); t.type("\x1a"); t.until("Stopped.*?\\$ ")
        eventually(lambda: not questions()); t.type("fg\n"); t.type(asked(t) + "\n"); t.until("code 0.*?\\$ "); t.type("exit 6\n"); t.exits(6); print("seen"); sys.exit(0)
    t.type(words + "\n"); t.until("in\r?\n"); t.type("x1\n"); t.until("x1"); t.type("\x1a"); t.until("Stopped.*?\\$ "); t.type("stty -a | grep -o 'icanon'; fg\n"); t.until("\nicanon")
    t.type("x2\n"); t.until("x2"); t.type("\x04"); t.type(asked(t) + "\n"); t.until("code 0.*?\\$ "); t.type("exit 6\n"); t.exits(6)
elif scene == "attacked":
    # attack.py has the terminal in every way it can: what is typed never reaches it, and nothing it does answers.
    t = Terminal(prefix + ["python3", os.path.dirname(os.path.abspath(__file__)) + "/attack_terminal.py"], rows=24)
    if not SANDBOX:
        t.until("attacking"); t.type("secretword\n"); t.until("got .*secretword"); t.exits(0); print("seen"); sys.exit(0)
    word = asked(t); eventually(lambda: os.path.exists("rounds")); assert questions(), t.shows()
    assert b"fake" not in t.shows(), t.text
    t.type(word + "\n"); t.until("approved"); t.until("code 0"); assert word.encode() not in t.shows().split(b"code 0")[-1]
    t.exits(0); assert word not in open("got").read()
else: sys.exit("no scene " + scene)
print("seen")
