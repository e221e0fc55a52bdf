"""An issuer of tokens on this machine: serves the files below a folder, prints its port, then each path that is asked for.
A file that begins with `-> ` is a redirection."""
import http.server
import sys

root = sys.argv[1]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print(self.path, flush=True)
        try:
            with open(root + self.path, "rb") as file:
                body = file.read()
        except OSError:
            return self.send_error(404)
        if body.startswith(b"-> "):
            self.send_response(302)
            self.send_header("Location", body[3:].decode())
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
