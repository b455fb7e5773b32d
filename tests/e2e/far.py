"""Other DynamoDBs for tests: one that answers what it is told to and checks
every signature by itself, and dynalite, if npm can install it."""
import hashlib
import hmac
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading
import time

from procs import wait_for

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDFAR", "AWS_SECRET_ACCESS_KEY": "far+secret/"}
PREFIX = "com.amazonaws.dynamodb.v20120810#"
CACHE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                     "../../build/dynalite")


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature(secret, authorization, method, path, headers, body):
    """The signature that AWS documents, computed step by step."""
    parts = dict(p.split("=", 1) for p in
                 authorization.split(" ", 1)[1].replace(" ", "").split(","))
    scope = parts["Credential"].split("/", 1)[1]
    canonical = "\n".join([method, path, ""] + [
        "%s:%s" % (name, headers[name].strip())
        for name in parts["SignedHeaders"].split(";")] +
        ["", parts["SignedHeaders"], hashlib.sha256(body).hexdigest()])
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = sign(key, part)
    return parts, scope, hmac.new(key, text.encode(),
                                  hashlib.sha256).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        far = self.server
        body = self.rfile.read(int(self.headers["content-length"]))
        parts, scope, expected = signature(
            KEYS["AWS_SECRET_ACCESS_KEY"], self.headers["authorization"],
            "POST", self.path, self.headers, body)
        far.seen.append((self.headers["x-amz-target"], json.loads(body),
                         parts, scope, self.client_address))
        if parts["Signature"] != expected:
            status, reply = 400, {"__type":
                                  "com.amazon.coral.service#"
                                  "InvalidSignatureException",
                                  "message": "wrong"}
        else:
            status, reply = far.answer(self.headers["x-amz-target"],
                                       json.loads(body))
        if status is None:
            self.close_connection = True
            return
        data = reply if isinstance(reply, bytes) else \
            json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Far(http.server.ThreadingHTTPServer):
    """Answers by `answer(target, body)`; `seen` is what came."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen = []
        self.answer = lambda target, body: (200, {})
        self.endpoint = "http://127.0.0.1:%d" % self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self):
        self.shutdown()
        self.server_close()


def find_dynalite():
    """The program, installed once below build/; or None."""
    program = os.path.join(CACHE, "node_modules/dynalite/cli.js")
    told = os.environ.get("BOTHY_DYNALITE")
    if told:
        return told
    if os.path.exists(program):
        return program
    if not shutil.which("npm"):
        return None
    os.makedirs(CACHE, exist_ok=True)
    try:
        subprocess.run(["npm", "install", "--no-audit", "--no-fund",
                        "--prefix", CACHE, "dynalite@4"], check=True,
                       timeout=240, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except (subprocess.SubprocessError, OSError):
        return None
    return program if os.path.exists(program) else None


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Dynalite:
    def __init__(self, program):
        port = free_port()
        self.endpoint = "http://127.0.0.1:%d" % port
        self.process = subprocess.Popen(
            ["node", program, "--port", str(port), "--createTableMs", "0",
             "--deleteTableMs", "0"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def listens():
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", port)) == 0
        wait_for(listens, 20, "dynalite to listen")
        time.sleep(0.1)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
