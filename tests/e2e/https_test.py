"""Mirrors over https, to a server of the test's own on the loopback, whose
certificate only those know who are told."""
import http.server
import os
import shutil
import ssl
import subprocess
import threading
import urllib.parse

import pytest

from storeclient import PLAIN, PROGRAM, WAIT_FILE, Store

# libgit2 looks nowhere else.
TRUSTED = "/etc/ssl/certs/ca-certificates.crt"
NAMESPACE = ["unshare", "-m" if os.geteuid() == 0 else "-rm"]
BIND = 'mount --bind "$0" %s && exec "$@"' % TRUSTED


def why_not():
    for name in ("git", "openssl", "unshare"):
        if not shutil.which(name):
            return "there is no " + name
    if not os.path.exists(TRUSTED):
        return "there is no " + TRUSTED
    if subprocess.run([*NAMESPACE, "sh", "-c", BIND, TRUSTED, "true"],
                      stderr=subprocess.DEVNULL).returncode:
        return "no certificate can be trusted without the system's trust"
    return None


WHY_NOT = why_not()
pytestmark = pytest.mark.skipif(
    WHY_NOT is not None, reason="NOT TESTED: nothing over https; %s" % WHY_NOT)


class Handler(http.server.BaseHTTPRequestHandler):
    """git's smart protocol, for the repositories below the server's `top`."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def run(self, service, *args, body=b""):
        name = urllib.parse.urlsplit(self.path).path.split("/")[1]
        return subprocess.run(
            ["git", service, "--stateless-rpc", *args,
             os.path.join(self.server.top, name)], input=body,
            stdout=subprocess.PIPE, check=True).stdout

    def answer(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", "application/x-" + kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"]))
        parts = []
        while True:
            n = int(self.rfile.readline(), 16)
            parts.append(self.rfile.read(n))
            self.rfile.readline()
            if not n:
                return b"".join(parts)

    def do_GET(self):
        query = urllib.parse.urlsplit(self.path).query
        service = urllib.parse.parse_qs(query)["service"][0]
        line = b"# service=%s\n" % service.encode()
        refs = self.run(service[4:], "--advertise-refs")
        self.answer(service + "-advertisement",
                    b"%04x%s0000%s" % (len(line) + 4, line, refs))

    def do_POST(self):
        service = self.path.rpartition("/")[2]
        self.answer(service + "-result",
                    self.run(service[4:], body=self.body()))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, top):
        super().__init__(("127.0.0.1", 0), Handler)
        self.top = str(top)
        self.certificate = os.path.join(self.top, "certificate")
        key = os.path.join(self.top, "key")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
             "-days", "2", "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost", "-keyout", key, "-out",
             self.certificate], check=True, stderr=subprocess.DEVNULL)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True,
                                          do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        """A client that does not trust us hangs up."""

    def url(self, name):
        return "https://localhost:%d/%s" % (self.server_address[1], name)

    def stop(self):
        self.shutdown()
        self.server_close()


class Trusting(Store):
    """For its daemon the server's certificate is all that is trusted."""

    def __init__(self, directory, server):
        super().__init__(directory)
        self.server = server

    def start(self, *more, **how):
        return subprocess.run(
            [*NAMESPACE, "sh", "-c", BIND, self.server.certificate, PROGRAM,
             "--dir", self.directory, "--force", "--idle", "60", *more],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, timeout=60, **how)


@pytest.fixture
def server(tmp_path):
    top = tmp_path / "server"
    top.mkdir()
    subprocess.run(["git", "init", "-q", "--bare", str(top / "mirror.git")],
                   check=True)
    server = Server(top)
    yield server
    server.stop()


def fill(c):
    c.table("notes")
    for i in range(20):
        c.put("notes", {"id": "n%d" % i, "v": i}, PLAIN | WAIT_FILE)
    return c.call("Checkpoint", {})["Commit"]


def test_a_mirror_is_pushed_to_and_made_a_store_again(tmp_path, server):
    store = Trusting(tmp_path / "store", server).started()
    try:
        with store.connect() as c:
            fill(c)
            c.call("Mirror", {"Name": "far=" + server.url("mirror.git")})
            state = c.call("Mirror", {"Name": "far"})["Mirrors"][0]
            assert "Error" not in state, state
            tip = c.call("Checkpoint", {})["Commit"]
    finally:
        store.stop()
    there = subprocess.run(
        ["git", "-C", server.top + "/mirror.git", "rev-parse", "main"],
        check=True, text=True, stdout=subprocess.PIPE)
    assert there.stdout.strip() == tip
    made = Trusting(tmp_path / "made", server)
    done = made.start("--from", server.url("mirror.git"))
    try:
        assert done.returncode == 0, done.stderr
        with made.connect() as c:
            assert c.get("notes", {"id": "n7"})["v"] == 7
    finally:
        made.stop()


def test_a_server_of_an_unknown_certificate_is_none(tmp_path, server):
    store = Store(tmp_path / "store").started()
    try:
        with store.connect() as c:
            fill(c)
            c.call("Mirror", {"Name": "far=" + server.url("mirror.git")})
            state = c.call("Mirror", {"Name": "far"})["Mirrors"][0]
            assert "certificate" in state["Error"], state
            assert "Pushed" not in state, state
    finally:
        store.stop()
    refs = subprocess.run(["git", "-C", server.top + "/mirror.git",
                           "for-each-ref"], check=True,
                          stdout=subprocess.PIPE)
    assert refs.stdout == b""
