python3 - <<'P'
import os, subprocess, tempfile, shutil, threading, multiprocessing, socket, glob, signal
d = tempfile.mkdtemp(dir="."); open(d + "/a", "w").write("x"); os.rename(d + "/a", d + "/b"); print(os.listdir(d)); shutil.rmtree(d)
print(subprocess.run(["sh", "-c", "cat; exit 4"], input=b"in", capture_output=True))
def work(n): return n * n
if __name__ == "__main__":
    ctx = multiprocessing.get_context("fork")
    with ctx.Pool(4) as pool: print(sum(pool.map(work, range(100))))
    r, w = os.pipe(); pid = os.fork()
    if pid == 0: os.write(w, b"child"); os._exit(3)
    print(os.read(r, 9), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    a, b = socket.socketpair(); socket.send_fds(a, [b"m"], [0]); m, fds, *_ = socket.recv_fds(b, 9, 1); print(m, len(fds))
    try: open("/nonexistent/x")
    except OSError as e: print(e.errno)
    signal.signal(signal.SIGALRM, lambda *a: print("alarm")); signal.setitimer(signal.ITIMER_REAL, 0.01); signal.pause()
P
