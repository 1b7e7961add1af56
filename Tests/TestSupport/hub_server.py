"""A loopback hub with faults. usage: hub_server.py FOLDER [SEED]

Serves FOLDER/OWNER/NAME/FILE as a hub does, by the part of its protocol that huggingface_hub uses:
/api/models/REPO/revision/REV, and HEAD and GET of /REPO/resolve/REV/FILE; any other path below /web is
FOLDER's file. The commit of every repository is FOLDER/commit, or 40 times "c".

FOLDER/faults.json, read at each request for a file's bytes, is a list of [FAULT, VALUE], of which each
request takes the first and "repeat" says whether it stays; with SEED, faults are drawn instead. Prints
its port, writes FOLDER/log (a JSON line a request) and FOLDER/sent (start and bytes of each answer with
a file's bytes). Ends when its standard input does.
"""
import gzip, hashlib, http.server, json, os, random, socket, sys, threading, time

folder = sys.argv[1]
draw = random.Random(int(sys.argv[2])) if len(sys.argv) > 2 else None
guard = threading.Lock()


def commit():
    try: return open(f"{folder}/commit").read().strip()
    except OSError: return "c" * 40


def next_fault():
    with guard:
        if draw: return drawn_fault()
        try: state = json.load(open(f"{folder}/faults.json"))
        except (OSError, ValueError): return "none", 0
        faults = state["faults"]
        if not faults: return "none", 0
        fault = faults[0]
        if not state.get("repeat"):
            json.dump({"faults": faults[1:]}, open(f"{folder}/faults.json", "w"))
        return fault


def drawn_fault():
    kinds = ["none", "cut", "wrong-bytes", "ignore-range", "status", "page", "longer", "wrong-start",
             "wrong-total", "no-length", "new-etag", "no-etag", "gzip", "shorter", "close", "416"]
    return draw.choice(kinds), draw.random()


def draw_near(value):
    """A little more each time, or less."""
    return value + random.randrange(-value // 2, value // 2)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_): pass

    def setup(self):
        # Small, so that what was sent is what arrived, or nearly.
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        super().setup()

    def note(self, **more):
        line = dict(method=self.command, path=self.path, range=self.headers.get("Range"),
                    if_range=self.headers.get("If-Range"), auth=self.headers.get("Authorization"),
                    encoding=self.headers.get("Accept-Encoding"), host=self.headers.get("Host"), **more)
        with guard, open(f"{folder}/log", "a") as f: f.write(json.dumps(line) + "\n")

    def answer(self, status, data=b"", headers=(), announce=None, pace=None):
        self.send_response(status)
        for name, value in headers: self.send_header(name, value)
        if announce != "none": self.send_header("Content-Length", str(len(data) if announce is None else announce))
        else: self.send_header("Connection", "close")
        self.end_headers()
        sent = 0
        try:
            if self.command != "HEAD":
                step = pace[0] if pace else 1 << 14
                for start in range(0, len(data), step):
                    self.wfile.write(data[start:start + step])
                    sent += len(data[start:start + step])
                    if pace: time.sleep(pace[1])
        except OSError: pass
        if announce is not None and announce != len(data): self.close_connection = True
        return sent

    def do_HEAD(self): self.do_GET()

    def do_GET(self):
        path = self.path.split("?")[0]
        # Asked as a proxy.
        if path.startswith("http://"): path = "/" + path.split("/", 3)[3]
        if path.startswith("/api/models/"): return self.api(path)
        parts = path.strip("/").split("/")
        if len(parts) >= 5 and parts[2] == "resolve":
            name = f"{folder}/{parts[0]}/{parts[1]}/{'/'.join(parts[4:])}"
        else:
            name = f"{folder}/{path.strip('/')}"
        if self.command == "HEAD":
            self.note()
            try: data = open(name, "rb").read()
            except OSError: return self.answer(404, b"", [("X-Error-Code", "EntryNotFound")])
            return self.answer(200, data, self.about(data))
        self.file(name)

    def about(self, data):
        digest = hashlib.sha256(data).hexdigest()
        return [("ETag", f'"{digest}"'), ("X-Linked-Etag", f'"{digest}"'), ("X-Linked-Size", str(len(data))),
                ("X-Repo-Commit", commit()), ("Accept-Ranges", "bytes")]

    def api(self, path):
        self.note()
        try: return self.answer(200, open(f"{folder}/api-answer", "rb").read())
        except OSError: pass
        repository = "/".join(path.split("/")[3:5])
        root = f"{folder}/{repository}"
        if not os.path.isdir(root): return self.answer(404, b"{}", [("X-Error-Code", "RepoNotFound")])
        files = []
        for place, _, names in os.walk(root):
            for name in names:
                data = open(f"{place}/{name}", "rb").read()
                files.append(dict(rfilename=os.path.relpath(f"{place}/{name}", root), size=len(data),
                                  lfs=dict(sha256=hashlib.sha256(data).hexdigest(), size=len(data), pointerSize=130)))
        self.answer(200, json.dumps(dict(id=repository, sha=commit(), siblings=files, tags=[], private=False)).encode(),
                    [("Content-Type", "application/json")])

    def file(self, name):
        try: body = open(name, "rb").read()
        except OSError:
            self.note()
            return self.answer(404, b"no such file")
        fault, value = next_fault()
        wanted = self.headers.get("Range")
        start, last = wanted[6:].split("-") if wanted else ("0", "")
        start, self.last = int(start), int(last) if last else None
        headers = self.about(body)
        self.note(fault=fault)
        sent = self.faulty(fault, value, body, start, headers)
        with guard, open(f"{folder}/sent", "a") as f: f.write(f"{start} {sent}\n")

    def faulty(self, fault, value, body, start, headers):
        size = len(body)
        if fault == "status":
            status = int(value) if value > 1 else random.choice([500, 503, 429, 408, 522])
            return self.answer(status, b"later")
        if fault == "retry-after": return self.answer(503, b"later", [("Retry-After", str(value))])
        if fault == "redirect": return self.answer(302, b"", [("Location", value)])
        if fault == "loop": return self.answer(302, b"", [("Location", self.path)])
        if fault == "realm":
            return self.answer(401, b"", [("WWW-Authenticate", f'Bearer realm="{value}",service="hub"')])
        if fault == "page": return self.answer(200, b"<html><b>please log in</b>\n" + b"x" * size)
        if fault == "longer": return self.answer(200, body + b"more" * 1000, headers)
        if fault == "close":
            self.close_connection = True
            return 0
        if fault == "416": return self.answer(416, b"", [("Content-Range", f"bytes */{size}")])
        if fault == "gzip":
            packed = gzip.compress(body)
            return self.answer(200, packed, headers + [("Content-Encoding", "gzip")])
        if fault == "bomb":
            packed = gzip.compress(b"GGUF" + b"\0" * int(value))
            return self.answer(200, packed, [("Content-Encoding", "gzip")])
        if fault in ("new-etag", "no-etag"):
            headers = headers[2:] + ([("ETag", f'"{value}"')] if fault == "new-etag" else [])
        condition = self.headers.get("If-Range")
        if condition and condition != dict(headers).get("ETag") and fault != "ignore-condition": start = 0
        if fault in ("ignore-range", "cut-from-start"): start = 0
        if fault == "wrong-bytes": body = bytes(b ^ 1 if i > 100 else b for i, b in enumerate(body))
        last = size - 1 if self.last is None or fault in ("ignore-range", "cut-from-start") else min(self.last, size - 1)
        if start or last < size - 1:
            if start >= size: return self.answer(416, b"", [("Content-Range", f"bytes */{size}")])
            told, total = start, size
            if fault == "wrong-start": told = start + 5
            if fault == "wrong-total": total = size + 5
            headers = headers + [("Content-Range", f"bytes {told}-{last}/{total}")]
            if fault == "wrong-start": start += 5
        status, data = (206, body[start:last + 1]) if start or last < size - 1 else (200, body)
        if fault == "shorter": return self.answer(status, data[:len(data) // 2], headers)
        if fault == "no-length": return self.answer(status, data, headers, announce="none")
        if fault == "cut-from-start":
            return self.answer(status, data[:draw_near(int(value))], headers, announce=len(data))
        if fault == "cut":
            part = int(value * len(data)) if value < 1 else min(int(value), len(data))
            return self.answer(status, data[:part], headers, announce=len(data))
        if fault == "cut-at-zero": return self.answer(status, b"", headers, announce=len(data))
        if fault == "stall":
            self.answer(status, data[:int(value)], headers, announce=len(data))
            self.wfile.flush()
            time.sleep(20)
            return int(value)
        if fault == "hold":
            # Half, and the rest when FOLDER/release is there.
            self.send_response(status)
            for name, text in headers + [("Content-Length", str(len(data)))]: self.send_header(name, text)
            self.end_headers()
            self.wfile.write(data[:len(data) // 2])
            for _ in range(60000):
                if os.path.exists(f"{folder}/release"): break
                time.sleep(0.01)
            try: self.wfile.write(data[len(data) // 2:])
            except OSError: pass
            return len(data)
        if fault == "trickle":
            return self.answer(status, data, headers, pace=(1, value))
        if fault == "slow": return self.answer(status, data, headers, pace=(1 << 16, (1 << 16) / value))
        return self.answer(status, data, headers)


threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
if os.path.exists(f"{folder}/certificate.pem"):
    import ssl
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/certificate.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
