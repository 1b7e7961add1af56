"""A loopback server that serves one file with a fault. usage: faulty_server.py FAULT FILE LOG

Prints its port, then logs a line a request: the Range header or "-". Faults end when they say "once".
Ends when its standard input does, so that it never outlives the test that started it.
"""
import http.server, os, sys, threading

fault, path, log = sys.argv[1:]
body = open(path, "rb").read()
requests = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_): pass

    def send(self, status, data, headers=(), announce=None):
        self.send_response(status)
        for name, value in headers: self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if announce is None else announce))
        self.end_headers()
        self.wfile.write(data)
        if announce is not None and announce != len(data): self.close_connection = True

    def do_GET(self):
        global requests
        requests += 1
        wanted = self.headers.get("Range")
        with open(log, "a") as f: f.write(f"{wanted or '-'} auth={self.headers.get('Authorization') or '-'}\n")
        start = int(wanted[6:].split("-")[0]) if wanted else 0
        data = body
        if fault == "missing": return self.send(404, b"no such file")
        if fault == "busy-once" and requests == 1: return self.send(503, b"later")
        if fault == "page": return self.send(200, b"<html>please log in</html>")
        if fault == "wrong-bytes" or (fault == "wrong-once" and requests == 1):
            data = bytes(b ^ 1 for b in body)
        if fault == "longer": return self.send(200, body + b"more")
        if fault == "to-file":
            return self.send(302, b"", [("Location", "file:///etc/passwd")])
        if fault == "loop": return self.send(302, b"", [("Location", self.path)])
        if fault == "cut-once" and requests == 1: return self.send(200, body[:len(body) // 3], announce=len(body))
        if fault == "cut-ignore-range":
            if requests == 1: return self.send(200, body[:len(body) // 3], announce=len(body))
            return self.send(200, body)
        if fault == "cut-wrong-range":
            if requests == 1: return self.send(200, body[:len(body) // 3], announce=len(body))
            return self.send(206, body[5:], [("Content-Range", f"bytes 5-{len(body) - 1}/{len(body)}")])
        if start:
            if start >= len(body): return self.send(416, b"", [("Content-Range", f"bytes */{len(body)}")])
            return self.send(206, data[start:], [("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")])
        self.send(200, data)


threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
