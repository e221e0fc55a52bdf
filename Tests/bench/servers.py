"""The servers that the workloads talk to: on loopback, on ports that are free, outside of what is measured. They are children
of the runner, which ends them by their process; if it dies, the kernel does."""
import ctypes
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time

running = []


def dies_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG; for PostgreSQL the fast shutdown


def start_http(programs):
    server = subprocess.Popen([programs + "/serve"], stdout=subprocess.PIPE, text=True, start_new_session=True)
    running.append((server, signal.SIGTERM))
    return server.stdout.readline().strip()


def postgres_programs():
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
    found = folders[-1] if folders else os.path.dirname(shutil.which("postgres") or "")
    if not os.path.exists(found + "/initdb"):
        raise RuntimeError("PostgreSQL is not installed")
    return found


def start_postgres(base):
    """The port. PostgreSQL refuses to run as root, and is then run as its own account."""
    programs, folder = postgres_programs(), base + "/postgres"
    account = {}
    if os.getuid() == 0:
        entry = pwd.getpwnam("postgres")
        account = dict(user=entry.pw_uid, group=entry.pw_gid, extra_groups=[])
    os.makedirs(folder, exist_ok=True)
    if account:
        os.chown(folder, account["user"], account["group"])
    quiet = dict(cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"})
    data = folder + "/data"
    if not os.path.exists(folder + "/filled"):
        shutil.rmtree(data, ignore_errors=True)
        subprocess.run([programs + "/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"], check=True, **quiet, **account)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    # Durable it need not be; nothing of its own accord should run during a measurement.
    settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off", "autovacuum": "off",
                "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "256MB", "jit": "off"}
    command = [programs + "/postgres", "-D", data] + [word for name, value in settings.items() for word in ("-c", name + "=" + value)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL, preexec_fn=dies_with_parent, start_new_session=True, **quiet, **account)
    running.append((server, signal.SIGINT))
    where = ["-h", "127.0.0.1", "-p", port, "-U", "postgres"]
    for _ in range(150):
        if subprocess.run([programs + "/pg_isready", *where], **quiet).returncode == 0:
            break
        if server.poll() is not None:
            raise RuntimeError("PostgreSQL ended at once; is %s open to the account postgres?" % base)
        time.sleep(0.2)
    if not os.path.exists(folder + "/filled"):
        subprocess.run([programs + "/createdb", *where, "bench"], check=True, **quiet)
        subprocess.run([programs + "/pgbench", "-q", "-i", "-s", "10", *where, "bench"], check=True, stderr=subprocess.DEVNULL, **quiet)
        open(folder + "/filled", "w").close()
    return port


def stop_all():
    for server, how in running:
        server.send_signal(how)
    for server, _ in running:
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    running.clear()
