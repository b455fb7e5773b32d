"""A FastCGI client of a few lines, for what no web server would send.

A record is version 1, type, request id, content length, padding length, 0.
"""
import socket
import struct
import time

import cgi

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR = 1, 2, 3, 4, 5, 6, 7


def record(kind, content=b"", request=1):
    return struct.pack(">BBHHBB", 1, kind, request, len(content), 0, 0) + \
        content


def begin(keep=False):
    return record(BEGIN, struct.pack(">HB5x", 1, 1 if keep else 0))


def pair(name, value):
    out = b""
    for n in (len(name), len(value)):
        out += struct.pack(">B", n) if n < 128 else \
            struct.pack(">I", n | 0x80000000)
    return out + name + value


def params(variables):
    data = b"".join(pair(n, v) for n, v in variables.items())
    out = b""
    while data:
        out, data = out + record(PARAMS, data[:65000]), data[65000:]
    return out + record(PARAMS)


def stdin(body):
    out = b""
    while body:
        out, body = out + record(STDIN, body[:65000]), body[65000:]
    return out + record(STDIN)


def request_bytes(method, target, headers=(), body=None, keep=False):
    env = cgi.environment(method, target, headers, body, False)
    return begin(keep) + params(env) + stdin(body or b"")


def connect(path, timeout=60):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    s.connect(path)
    return s


def read_exactly(s, n):
    data = b""
    while len(data) < n:
        piece = s.recv(n - len(data))
        if not piece:
            raise ConnectionError("closed after %d of %d bytes" %
                                  (len(data), n))
        data += piece
    return data


def receive(s):
    """The Reply on a connection, up to its END_REQUEST."""
    began = time.monotonic()
    out, times = b"", []
    while True:
        _, kind, _, length, padding, _ = struct.unpack(
            ">BBHHBB", read_exactly(s, 8))
        content = read_exactly(s, length)
        read_exactly(s, padding)
        if kind == STDOUT and content:
            out += content
            times.append((time.monotonic() - began, length))
        if kind == END:
            break
    head, _, body = out.partition(b"\r\n\r\n")
    reply = cgi.take_head(head)
    reply.body, reply.times = body, times
    length = reply.header("Content-Length")
    reply.whole = method_has_no_body(reply) or length is None or \
        int(length) == len(body)
    return reply


def method_has_no_body(reply):
    return reply.status in (204, 304)


def request(path, method, target, headers=(), body=None, timeout=60):
    with connect(path, timeout) as s:
        s.sendall(request_bytes(method, target, headers, body))
        return receive(s)
