set -e
mkdir tests; cat > tests/test_it.py <<'P'
import os, subprocess, tempfile, threading, socket, pytest
@pytest.mark.parametrize("n", range(50))
def test_files(tmp_path, n):
    f = tmp_path / "f"; f.write_text(str(n)); assert f.read_text() == str(n); f.unlink()
def test_process(): assert subprocess.run(["sh", "-c", "exit 3"]).returncode == 3
def test_threads():
    seen = []; ts = [threading.Thread(target=lambda: seen.append(open("/etc/passwd").read())) for _ in range(20)]
    [t.start() for t in ts]; [t.join() for t in ts]; assert len(seen) == 20
def test_socket():
    s = socket.create_server(("127.0.0.1", 0)); c = socket.create_connection(s.getsockname()); c.close()
def test_fails(): assert 1 == 2
P
code=0; pytest -q -p no:cacheprovider tests > out 2>&1 || code=$?; tail -1 out | sed 's/ in .*//'; echo "exit $code"
