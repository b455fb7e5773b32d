"""The gateway alone: connections, overload, signals, logs."""
import json
import os
import random
import signal
import socket
import threading
import time

import pytest

import fcgi
import procs
import ways
import wire
from lab import HERE, together
from ways import Gateway


@pytest.fixture
def gateway(site, request):
    """A gateway of one's own; its options are the test's `options` mark."""
    running = []

    def start(*options):
        g = Gateway(site, "own%d" % len(os.listdir(site.lab.root)), *options)
        running.append(g)
        return g

    yield start
    for g in running:
        procs.stop(g.process)


def get(g, target, **more):
    return fcgi.request(g.socket, "GET", target, **more)


def test_silent_connections_hold_nobody(gateway):
    g = gateway("--workers", "4")
    idle = [fcgi.connect(g.socket) for _ in range(300)]
    try:
        began = time.monotonic()
        for _ in range(10):
            for r in together(lambda i: get(g, "/file.txt"), range(2)):
                assert r.status == 200, r
        assert time.monotonic() - began < 60
    finally:
        for s in idle:
            s.close()


def test_kept_connections_hold_nobody(gateway):
    """More kept connections than workers, as a web server's pool makes."""
    g = gateway("--workers", "2")
    kept = [fcgi.connect(g.socket) for _ in range(12)]

    def send(i):
        kept[i].sendall(fcgi.request_bytes("GET", "/echo", keep=True))

    def receive(i):
        """Who has waited too long is refused, and its connection closed."""
        r = fcgi.receive(kept[i])
        assert r.status in (200, 503), r
        if r.status == 503:
            kept[i].close()
            kept[i] = fcgi.connect(g.socket)
        return r.status

    try:
        for _ in range(5):
            for i in range(len(kept)):
                send(i)
            for i in range(len(kept)):
                receive(i)
        until = time.monotonic() + 30
        for i in range(len(kept)):
            send(i)
            while receive(i) != 200:
                assert time.monotonic() < until
                send(i)
    finally:
        for s in kept:
            s.close()


def test_web_servers_kept_connections(site):
    """nginx keeps connections to a gateway of two workers, for many more
    clients that keep theirs."""
    if ways.Nginx.missing():
        pytest.skip(ways.Nginx.missing())

    class Few(ways.Nginx):
        name = "nginx-few"
        gateway_options = ("--workers", "2")

    way = Few(site)
    try:
        way.start()
        clients = [wire.Connection(way.port) for _ in range(20)]
        for _ in range(5):
            for c in clients:
                assert c.request("GET", "/echo").status == 200
        for c in clients:
            c.close()
    finally:
        way.stop()


def test_web_server_starts_the_gateway_again(lab):
    """One that lighttpd has started and that was killed."""
    if ways.Lighttpd.missing():
        pytest.skip(ways.Lighttpd.missing())
    site = lab.site("again", os.path.join(HERE, "site"))
    way = ways.LighttpdSpawned(site)
    try:
        way.start()
        mine = [p for p in procs.descendants(way.process.pid)
                if procs.link(p, "exe").endswith(b"bothy-fcgi")]
        assert len(mine) == 1
        procs.end(mine[0], signal.SIGKILL)
        procs.wait_for(lambda: way.get("/echo").status == 200, 6,
                       "lighttpd to start the gateway again")
    finally:
        way.stop()
        site.stop_launcher()


def test_slow_parameters_are_cut(gateway):
    g = gateway("--workers", "2")
    data = fcgi.request_bytes("GET", "/echo")
    slow = [fcgi.connect(g.socket) for _ in range(2)]
    began = time.monotonic()

    def drip(s):
        try:
            for at in range(len(data)):
                s.sendall(data[at:at + 1])
                time.sleep(0.2)
        except OSError:
            return time.monotonic() - began
        return None

    for cut_s in together(drip, slow):
        assert cut_s is not None and cut_s > 4
    assert get(g, "/echo").status == 200
    for s in slow:
        s.close()


@pytest.mark.parametrize("data", [
    b"", b"\0", b"GET / HTTP/1.0\r\n\r\n", random.Random(1).randbytes(500),
    fcgi.record(fcgi.BEGIN, b"x"), fcgi.begin() + fcgi.record(fcgi.END),
    fcgi.begin() + fcgi.record(fcgi.PARAMS, b"\xff" * 20),
    fcgi.begin() + fcgi.record(fcgi.PARAMS,
                               b"\xff\xff\xff\xff\xff\xff\xff\xffab"),
    fcgi.begin() + fcgi.record(fcgi.PARAMS),
    fcgi.begin() + fcgi.record(fcgi.ABORT)])
def test_nonsense_ends_nobody(started, site, data):
    way = next((w for w in started.values() if hasattr(w, "gateway")), None)
    if not way:
        pytest.skip("needs a way in with a gateway of its own")
    with fcgi.connect(way.gateway.socket) as s:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        s.settimeout(60)
        try:
            while s.recv(4096):
                pass
        except ConnectionError:
            pass
    assert get(way.gateway, "/echo").status == 200


def test_who_waits_keeps_nobody_waiting(gateway):
    """Forty that sleep are in flight at once, on however few processors."""
    g = gateway("--workers", "40")
    for ms in (500, 4000, 20000):       # longer if they did not meet
        replies = together(lambda i: get(g, "/pause/%d" % ms), range(40))
        assert all(r.status == 200 for r in replies)
        times = [r.json() for r in replies]
        last, first = (max(t["began"] for t in times),
                       min(t["ended"] for t in times))
        if last < first:
            return
    assert last < first


def test_overload_is_503_at_once(gateway):
    g = gateway("--workers", "2", "--queue", "2")
    began = time.monotonic()

    def timed(_):
        r = get(g, "/pause/1500")
        return r, time.monotonic() - began

    results = together(timed, range(12))
    shed = [(r, t) for r, t in results if r.status == 503]
    assert len([r for r, _ in results if r.status == 200]) >= 2
    assert len(shed) >= 6
    for r, _ in shed:
        assert int(r.header("Retry-After")) >= 1
        assert json.loads(r.body)["message"] and r.whole
    assert len({r.header("X-Request-Id") for r, _ in shed}) == len(shed)
    assert min(t for _, t in shed) < min(
        t for r, t in results if r.status == 200)
    procs.wait_for(lambda: get(g, "/echo").status == 200, 3)


def test_term_finishes_what_runs(gateway):
    g = gateway()
    replies = []
    slow = threading.Thread(
        target=lambda: replies.append(get(g, "/pause/800")))
    slow.start()
    procs.wait_for(lambda: b"pause" in b" ".join(
        procs.link(p, "exe") for p in procs.below(g.site.state)), 5)
    time.sleep(0.1)
    g.process.send_signal(signal.SIGTERM)
    assert g.process.wait(60) == 0
    slow.join()
    assert replies[0].status == 200
    assert not os.path.exists(g.socket)


def test_term_with_a_peer_that_drips(gateway):
    """A peer that never finishes its request does not hold the gateway."""
    g = gateway()
    with fcgi.connect(g.socket) as s:
        s.sendall(fcgi.request_bytes("GET", "/echo")[:100])
        time.sleep(0.1)
        g.process.send_signal(signal.SIGTERM)
        assert g.process.wait(60) == 0


def test_second_gateway_is_refused_the_socket(gateway, site):
    g = gateway()
    p = site.lab.popen([site.lab.path("bin", "bothy-fcgi"), *site.places(),
                        "--listen", "unix:" + g.socket],
                       stderr=-1, stdout=-1)
    out, err = p.communicate(timeout=60)
    assert p.returncode != 0 and b"another bothy-fcgi" in err
    assert get(g, "/echo").status == 200


def test_socket_of_a_dead_gateway_is_taken_over(gateway, site):
    g = gateway()
    g.process.kill()
    g.process.wait()
    again = Gateway(site, os.path.basename(g.socket)[:-5])
    try:
        assert get(again, "/echo").status == 200
    finally:
        procs.stop(again.process)


def test_tcp_is_for_this_machine_only(site):
    p = site.lab.popen([site.lab.path("bin", "bothy-fcgi"), *site.places(),
                        "--listen", "tcp:0.0.0.0:0"], stderr=-1)
    _, err = p.communicate(timeout=60)
    assert p.returncode != 0 and b"127.0.0.1" in err


def test_why_no_launcher_can_be_had(lab):
    site = lab.site("nolauncher", build=False, files={
        "deploy.yaml": "service: s\nprovider: {name: bothy}\nfunctions:\n"
        "  f: {handler: f.sh, runtime: exec, events: [httpApi: 'GET /f']}\n",
        "f.sh": "#!/bin/sh\n"})
    g = Gateway(site, "nolauncher", env={"BOTHY_CONTAINMENT": "a-cage"})
    try:
        r = get(g, "/f")
    finally:
        procs.stop(g.process)
    assert r.status == 503 and b"launcher's log says why" in r.body
    assert any("cannot start: " in e["message"] and "a-cage" in e["message"]
               for e in site.log("launch"))
