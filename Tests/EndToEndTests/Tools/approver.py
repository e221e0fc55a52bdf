"""Somebody who answers questions by a webhook. Prints its port; for each question that comes `asked ID SIGNED OPERATION RESOURCE`; takes
lines `ID HOW JSON` and gives the question the answer JSON, HOW it says: right, wrong (signature), stale, unsigned, again (the
bytes of the last right one). `heard ID`: that has had its effect."""
import hashlib, hmac, http.server, json, queue, sys, threading, time

secret = sys.argv[1].encode()
answers, lock, last = {}, threading.Lock(), None
def box(id):
    with lock: return answers.setdefault(id, queue.Queue())
def sign(when, body, key=secret): return "sha256=" + hmac.new(key, when.encode() + b"." + body, hashlib.sha256).hexdigest()

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        global last
        body = self.rfile.read(int(self.headers["Content-Length"]))
        when, question = self.headers["X-Sandbox-Timestamp"], json.loads(body)
        good = hmac.compare_digest(self.headers["X-Sandbox-Signature"], sign(when, body)) and abs(int(when) - time.time()) < 60
        print("asked", question["approval"], "yes" if good else "no", question["operation"], question["resource"], flush=True)
        how, text = box(question["approval"]).get()
        when, body = str(int(time.time()) - (3600 if how == "stale" else 0)), text.encode()
        answer = (when, sign(when, body, b"another secret, as long" if how == "wrong" else secret), body)
        if how == "again": answer = last
        if how == "right": last = answer
        self.send_response(200)
        if how != "unsigned":
            self.send_header("X-Sandbox-Timestamp", answer[0])
            self.send_header("X-Sandbox-Signature", answer[1])
        self.send_header("Content-Length", str(len(answer[2])))
        self.end_headers()
        self.wfile.write(answer[2])
        self.connection.recv(1)
        print("heard", question["approval"], flush=True)
    def log_message(self, *_): pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
for line in sys.stdin:
    id, how, text = line.split(" ", 2)
    box(id).put((how, text.strip()))
