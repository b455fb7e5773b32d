"""kill -9 of anything at any time: every request is answered, and the service
is back at once."""
import os
import random
import signal
import socket
import statistics
import threading
import time

import pytest

import procs
import ways
from lab import HERE

SECONDS = 8
BACK_S = 1.0        # most often: a busy machine may take longer at times
PATIENCE_S = 60.0


class Supervisor:
    """Holds the listening socket, and starts the gateway whenever it ends."""

    def __init__(self, site, path):
        self.site, self.path, self.ending = site, path, False
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        os.chmod(path, 0o666)
        self.socket.listen(1024)
        self.log = open(site.lab.path("supervised.out"), "ab")
        self.process = self.spawn()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def spawn(self):
        return self.site.lab.popen(
            [self.site.lab.path("bin", "bothy-fcgi"), *self.site.places()],
            stdin=self.socket, stdout=self.log, stderr=self.log)

    def run(self):
        while not self.ending:
            self.process.wait()
            if not self.ending:
                self.process = self.spawn()

    def stop(self):
        self.ending = True
        procs.end(self.process.pid)
        self.thread.join()
        self.socket.close()
        self.log.close()


class Supervised(ways.Nginx):
    """nginx before a supervised gateway."""
    name = "nginx-supervised"

    def start(self):
        self.external = False
        path = self.lab.path("supervised.sock")
        self.supervisor = Supervisor(self.site, path)
        self.config_args = ["--socket", path]
        return super().start()

    def stop(self):
        super().stop()
        self.supervisor.stop()


@pytest.fixture(scope="module")
def chaos(lab):
    if ways.Nginx.missing():
        pytest.skip(ways.Nginx.missing())
    site = lab.site("chaos", os.path.join(HERE, "site"))
    way = Supervised(site)
    way.start()
    yield way
    way.stop()
    site.stop_launcher()


class Client:
    TARGETS = ["/echo", "/script", "/pause/20", "/reused/1", "/big/100000"]

    def __init__(self, way):
        self.way, self.stop = way, False
        self.statuses, self.bad, self.slowest = {}, [], 0
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stop:
            began = time.monotonic()
            try:
                r = self.way.get(random.choice(self.TARGETS), timeout=60)
                self.statuses[r.status] = self.statuses.get(r.status, 0) + 1
                if r.status not in (200, 502, 503):
                    self.bad.append(r)
            except Exception as e:
                self.bad.append(e)
            self.slowest = max(self.slowest, time.monotonic() - began)


def victims(way):
    """Processes by kind."""
    found = {"gateway": [way.supervisor.process.pid], "launcher": [],
             "zygote": [], "child": []}
    for launcher in way.site.launchers():
        found["launcher"].append(launcher)
        for p in procs.descendants(launcher):
            found["zygote" if procs.parent(p) == launcher
                  else "child"].append(p)
    return found


def test_kill_anything(chaos):
    way, site = chaos, chaos.site
    random.seed(7)
    for target in Client.TARGETS:
        assert way.get(target).status == 200
    clients = [Client(way) for _ in range(4)]
    killed, back = {}, []
    began = time.monotonic()
    try:
        while time.monotonic() - began < SECONDS:
            found = victims(way)
            kind = random.choice([k for k in found if found[k]])
            procs.end(random.choice(found[kind]), signal.SIGKILL)
            killed[kind] = killed.get(kind, 0) + 1
            ended = time.monotonic()
            procs.wait_for(lambda: way.get("/echo").status == 200, PATIENCE_S,
                           "the service after the end of a " + kind)
            back.append(time.monotonic() - ended)
            time.sleep(random.uniform(0, 0.05))
    finally:
        for c in clients:
            c.stop = True
        for c in clients:
            c.thread.join()
    assert set(killed) == {"gateway", "launcher", "zygote", "child"}, killed
    for c in clients:
        assert not c.bad, c.bad[:3]
        assert c.slowest < PATIENCE_S, c.slowest
    assert statistics.median(back) < BACK_S, back
    assert all(c.statuses.get(200) for c in clients), [
        c.statuses for c in clients]
    # What those who were killed have left behind is gone as well.
    launcher = procs.wait_for(lambda: victims(way)["launcher"], 5)[0]

    def strangers():
        family = set(procs.descendants(launcher)) | {launcher}
        return [p for p in procs.below(site.state)
                if p not in family and
                (b"/build/" in procs.link(p, "exe") or
                 b"bothy-launch" in procs.link(p, "exe"))]

    procs.wait_for(lambda: not strangers(), 5,
                   "orphans to end: %r" % procs.describe(strangers()))


def test_restart_loses_nothing(chaos):
    """TERM while a supervisor holds the socket: no request is lost."""
    way = chaos
    for target in Client.TARGETS:       # what was killed before is forgotten
        procs.wait_for(lambda: way.get(target).status == 200, 10)
    clients = [Client(way) for _ in range(3)]
    try:
        for _ in range(4):
            old = way.supervisor.process
            procs.end(old.pid)
            procs.wait_for(lambda: way.supervisor.process is not old, 10,
                           "the old gateway to leave")
            procs.wait_for(lambda: way.get("/echo").status == 200, 5)
    finally:
        for c in clients:
            c.stop = True
        for c in clients:
            c.thread.join()
    for c in clients:
        assert not c.bad and set(c.statuses) == {200}, (c.bad, c.statuses)
