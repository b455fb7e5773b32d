"""A plain HTTP/1.1 client that sends exactly what a test says.

One connection a request unless a Connection is used.  It notes when each
piece of a body arrived, and whether the reply was whole, which libraries
hide.
"""
import json
import socket
import time


class Broken(Exception):
    """The peer sent no HTTP."""


class Reply:
    def __init__(self, status, reason, headers):
        self.status = status
        self.reason = reason
        self.headers = headers          # [(name, value)], as sent
        self.body = b""
        self.times = []                 # (seconds since the request, bytes)
        self.whole = False              # the body has ended as it should

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    def header(self, name, default=None):
        values = self.all(name)
        return ", ".join(values) if values else default

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return "<%d %s %r%s>" % (self.status, self.headers, self.body[:300],
                                 "" if self.whole else " not whole")


def encode_body(body, chunked):
    """The headers that frame a body, and its bytes on the wire."""
    if body is None:
        return [], b""
    if not chunked:
        return [("Content-Length", str(len(body)))], body
    out = b""
    for at in range(0, len(body), 16000):
        piece = body[at:at + 16000]
        out += b"%x\r\n%s\r\n" % (len(piece), piece)
    return [("Transfer-Encoding", "chunked")], out + b"0\r\n\r\n"


def to_bytes(value):
    return value if isinstance(value, bytes) else value.encode("latin-1")


class Connection:
    """A connection that is kept open over several requests."""

    def __init__(self, port, timeout=60):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = port
        self.file = self.sock.makefile("rb")

    def close(self):
        self.file.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def send(self, method, target, headers=(), body=None, chunked=False,
             keep=True):
        names = {n.lower() for n, _ in headers}
        lines = [b"%s %s HTTP/1.1" % (to_bytes(method), to_bytes(target))]
        extra, data = encode_body(body, chunked)
        if "host" not in names:
            extra.append(("Host", "localhost:%d" % self.port))
        if not keep:
            extra.append(("Connection", "close"))
        for name, value in extra + list(headers):
            lines.append(b"%s: %s" % (to_bytes(name), to_bytes(value)))
        try:
            self.sock.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + data)
        except (BrokenPipeError, ConnectionResetError):
            pass                        # refused early: read the answer
        self.head = method == "HEAD"
        self.sent = time.monotonic()

    def receive(self):
        while True:
            reply = self.receive_head()
            if reply.status >= 200:
                break
        self.data = []
        try:
            self._body(reply)
        except (ConnectionResetError, ValueError):
            pass                        # not whole
        reply.body = b"".join(self.data)
        return reply

    def request(self, *args, **kwargs):
        self.send(*args, **kwargs)
        return self.receive()

    def receive_head(self):
        line = self.file.readline(65536)
        parts = line.decode("latin-1").rstrip("\r\n").split(" ", 2)
        if len(parts) < 2 or not parts[0].startswith("HTTP/1."):
            raise Broken("no status line: %r" % line)
        headers = []
        while True:
            line = self.file.readline(1 << 17)
            if line in (b"\r\n", b"\n"):
                break
            if not line:
                raise Broken("the header was cut off")
            name, _, value = line.decode("latin-1").partition(":")
            headers.append((name.strip(), value.strip()))
        reason = parts[2] if len(parts) > 2 else ""
        return Reply(int(parts[1]), reason, headers)

    def _piece(self, reply, n):
        while n > 0:
            data = self.file.read1(min(n, 1 << 16))
            if not data:
                return False
            self.data.append(data)
            reply.times.append((time.monotonic() - self.sent, len(data)))
            n -= len(data)
        return True

    def _body(self, reply):
        if self.head or reply.status in (204, 304):
            reply.whole = True
        elif "chunked" in reply.header("Transfer-Encoding", "").lower():
            self._chunks(reply)
        elif reply.header("Content-Length") is not None:
            n = int(reply.header("Content-Length"))
            reply.whole = self._piece(reply, n)
        else:
            while self._piece(reply, 1 << 16):
                pass
            reply.whole = True

    def _chunks(self, reply):
        while True:
            n = int(self.file.readline(1024).split(b";")[0], 16)
            if n == 0:
                self.file.readline(1024)
                reply.whole = True
                return
            if not self._piece(reply, n):
                return
            self.file.readline(16)


def request(port, method, target, headers=(), body=None, chunked=False,
            timeout=60):
    with Connection(port, timeout) as c:
        return c.request(method, target, headers, body, chunked, keep=False)
