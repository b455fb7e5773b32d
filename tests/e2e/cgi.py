"""Runs the gateway as a plain CGI program, as a web server would."""
import os
import subprocess
import time
import urllib.parse

import wire


def environment(method, target, headers, body, chunked):
    target = target.decode("latin-1") if isinstance(target, bytes) else target
    at = target.partition("?")[0]
    if "://" in at:
        at = "/" + at.split("://", 1)[1].partition("/")[2]
    path = urllib.parse.unquote_to_bytes(at.encode("latin-1"))
    env = {
        b"GATEWAY_INTERFACE": b"CGI/1.1",
        b"SERVER_SOFTWARE": b"e2e/1",
        b"SERVER_PROTOCOL": b"HTTP/1.1",
        b"SERVER_NAME": b"localhost",
        b"SERVER_PORT": b"80",
        b"REMOTE_ADDR": b"127.0.0.1",
        b"REMOTE_PORT": b"40000",
        b"REQUEST_METHOD": method.encode(),
        b"REQUEST_URI": target.encode("latin-1"),
        b"QUERY_STRING": target.partition("?")[2].encode("latin-1"),
        b"SCRIPT_NAME": b"",
        b"PATH_INFO": at.encode("latin-1") if b"\0" in path else path,
        b"HTTP_HOST": b"localhost",
        b"PATH": b"/usr/bin:/bin",
    }
    if body is not None and not chunked:
        env[b"CONTENT_LENGTH"] = b"%d" % len(body)
    for name, value in headers:
        if "_" in name:
            continue                    # as Apache does
        name = wire.to_bytes(name).upper().replace(b"-", b"_")
        value = wire.to_bytes(value)
        if name != b"CONTENT_TYPE":
            name = b"HTTP_" + name
        env[name] = env[name] + b", " + value if name in env and \
            name != b"HTTP_HOST" else value
    return env


def take_head(text):
    """The Reply of a CGI header block, all of which must be there."""
    headers = []
    status, reason = 200, "OK"
    for line in text.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "status":
            status, _, reason = value.strip().partition(" ")
        else:
            headers.append((name.strip(), value.strip()))
    return wire.Reply(int(status), reason, headers)


class Run:
    """One request, under way."""

    def __init__(self, popen, program, env, method, target, headers=(),
                 body=None, chunked=False):
        env = dict(env)
        env.update(environment(method, target, headers, body, chunked))
        self.head = method == "HEAD"
        self.began = time.monotonic()
        self.process = popen([program], env=env, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        if body:
            os.set_blocking(self.process.stdin.fileno(), True)
        try:
            self.process.stdin.write(body or b"")
            self.process.stdin.close()
        except BrokenPipeError:
            pass

    def reply(self):
        """Reads the output to its end."""
        out = self.process.stdout
        data, times = b"", []
        while True:
            piece = out.read1(1 << 16)
            if not piece:
                break
            data += piece
            times.append((time.monotonic() - self.began, len(piece)))
        out.close()
        self.stderr = self.process.stderr.read()
        self.process.stderr.close()
        self.process.wait()
        head, gap, rest = data.partition(b"\r\n\r\n")
        if not gap:
            raise wire.Broken("no CGI reply: %r, %r" % (data, self.stderr))
        reply = take_head(head)
        reply.body, reply.times = rest, times
        length = reply.header("Content-Length")
        reply.whole = self.process.returncode == 0 and (
            self.head or length is None or int(length) == len(rest))
        return reply
