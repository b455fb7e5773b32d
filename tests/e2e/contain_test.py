"""What functions do to get out of their limits, on each rung of the ladder."""
import os
import socket
import threading
import time
import uuid

import pytest

import fcgi
import procs
from lab import HERE, Lab
from ways import Gateway

# Delegated cgroups are rare where nobody is root: so root tries them, too.
RUNGS = ["namespace", "subreaper", "cgroup", "cgroup-root"]


@pytest.fixture(scope="module", params=RUNGS)
def rung(request):
    """A gateway on one rung, in a lab whose user nobody else has: some of
    the beasts shoot at all that they see."""
    as_root = request.param.endswith("-root")
    if as_root and os.geteuid() != 0:
        pytest.skip("needs root")
    name = request.param.partition("-")[0]
    lab = Lab(as_root=as_root, user_offset=100000)
    site = lab.site("beast-" + name, os.path.join(HERE, "beast"))
    gateway = Gateway(site, name, env={"BOTHY_CONTAINMENT": name})
    gateway.on = name
    r = fcgi.request(gateway.socket, "GET", "/fine")
    if r.status == 200:
        yield gateway
    procs.stop(gateway.process)
    lab.close()
    if r.status != 200:
        assert r.status == 503, r       # 502: it is there, and fails
        pytest.skip("no rung %s here as this user" % name)


def get(gateway, target, timeout=60):
    return fcgi.request(gateway.socket, "GET", target, timeout=timeout)


def marked(mark):
    mark = mark.encode()
    return [p for p in procs.pids() if procs.alive(p) and (
        procs.read(p, "comm").strip() == mark or
        mark in procs.read(p, "cmdline"))]


def all_gone(mark):
    """Killed processes that gave way die late where others compute; by
    themselves beasts end after a minute."""
    procs.wait_for(lambda: not marked(mark), 30,
                   "all of %s to end" % mark)


class Neighbour:
    """Somebody else's requests, all to be answered as always."""

    def __init__(self, gateway):
        self.gateway, self.answered, self.bad = gateway, 0, []
        self.stop = False
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stop:
            try:
                r = get(self.gateway, "/fine")
                if r.status != 200:
                    self.bad.append(r)
            except Exception as e:
                self.bad.append(e)
            self.answered += 1
            time.sleep(0.01)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.stop = True
        self.thread.join()


def mark():
    return str(uuid.uuid4().int)[:12]


@pytest.mark.parametrize("how,statuses", [
    ("bomb", (502, 504)), ("loop", (504,)), ("hog", (502,)), ("hogs", (502,)),
    ("stubborn", (504,)), ("stopped", (200, 504)), ("closer", (200,)),
    ("daemon", (200,)), ("children", (502,)), ("kill", (200, 502))])
def test_beast(rung, how, statuses):
    assert_kept_in(rung, "beast" if 504 in statuses else "patient", how,
                   statuses)


@pytest.mark.parametrize("how,statuses", [
    ("bomb", (502, 504)), ("loop", (504,)), ("hog", (502,)),
    ("stubborn", (504,)), ("closer", (200,)), ("daemon", (200,)),
    ("children", (502,))])
def test_beast_in_a_process_that_serves_again(rung, how, statuses):
    assert_kept_in(rung, "reused" if 504 in statuses else "patient-again",
                   how, statuses)


def assert_kept_in(rung, function, how, statuses):
    name = mark()
    if how == "kill" and os.geteuid() != 0:
        pytest.skip("would shoot at everything that this user runs")
    launchers = rung.site.launchers()
    with Neighbour(rung) as neighbour:
        r = get(rung, "/%s/%s/%s" % (function, how, name))
        assert r.status in statuses, r
        all_gone(name)
        before = neighbour.answered
        procs.wait_for(lambda: neighbour.answered > before + 2, 30,
                       "its neighbour to be served")
    assert not neighbour.bad, neighbour.bad[:3]
    assert rung.site.launchers() == launchers
    # It gives way for a while: a busy machine may leave it nothing so long.
    procs.wait_for(lambda: get(rung, "/%s/fine/%s" % (
        function, mark())).status == 200, 30, "it to serve again")


def policy(gateway, target):
    r = get(gateway, target)
    assert r.status == 200, r
    return int(r.body)


LEAST_SHARE = 10                # of who gives way, as fcgi/launch/schedule.c


def share(session):
    """Of the processors, as a nice value; None: gone, or there is no such
    thing here."""
    text = procs.read(session, "autogroup").decode()
    return int(text.split()[-1]) if text else None


@pytest.mark.parametrize("function", ["patient", "patient-again"])
def test_who_computes_long_gives_way(rung, function):
    """Its descendants and its function, to neighbours who are prompt then;
    and nobody is served by it afterwards."""
    name = mark()
    with fcgi.connect(rung.socket) as s:
        s.sendall(fcgi.request_bytes("GET", "/%s/crowd/%s" % (
            function, name)))
        procs.wait_for(lambda: len(marked(name)) > 2 and all(
            os.sched_getscheduler(p) == os.SCHED_IDLE
            for p in marked(name)), 30, "all of it to give way")
        session = os.getsid(marked(name)[0])
        procs.wait_for(lambda: share(session) in (LEAST_SHARE, None), 30,
                       "its function to give way")
        procs.wait_for(lambda: policy(rung, "/fine") == os.SCHED_OTHER, 30,
                       "its neighbour to be prompt")
        assert share(rung.process.pid) != LEAST_SHARE
    all_gone(name)
    assert policy(rung, "/%s/policy/%s" % (function, mark())) == \
        os.SCHED_BATCH
    procs.wait_for(lambda: policy(rung, "/fine") == os.SCHED_BATCH, 30,
                   "its neighbour to be as usual")
    procs.wait_for(lambda: share(session) in (0, None), 30,
                   "its function to be forgiven")


def test_who_waits_after_it_computed_is_forgiven(rung):
    """A stream that does a little now and then: its function may have its
    share again, though itself gives way to its end."""
    name = mark()
    with fcgi.connect(rung.socket) as s:
        s.sendall(fcgi.request_bytes("GET", "/patient/compute-and-wait/" +
                                     name))
        procs.wait_for(lambda: [os.sched_getscheduler(p) for p in marked(
            name)] == [os.SCHED_IDLE], 30, "it to give way")
        session = os.getsid(marked(name)[0])
        procs.wait_for(lambda: policy(rung, "/fine") == os.SCHED_BATCH, 30,
                       "its neighbour to be as usual")
        procs.wait_for(lambda: share(session) in (0, None), 30,
                       "its function to be forgiven")
        assert [os.sched_getscheduler(p) for p in marked(name)] == [
            os.SCHED_IDLE]
    all_gone(name)


def test_long_work_that_ends_well_gives_way_for_nobody_else(rung):
    for _ in range(2):
        r = get(rung, "/patient-again/compute/" + mark())
        assert r.status == 200 and int(r.body) == os.SCHED_IDLE
        r = get(rung, "/patient-again/policy/" + mark())
        assert r.status == 200 and int(r.body) == os.SCHED_BATCH


def test_processes_of_a_request_are_limited(rung):
    name = mark()
    # A cgroup may hold them without ending them: that takes its timeout.
    function = "beast" if rung.on == "cgroup" else "patient"
    r = get(rung, "/%s/bomb/%s" % (function, name))
    assert r.status == 502 or function == "beast", r
    all_gone(name)
    if r.status == 502:
        # Their memory may be too much before they are too many.
        text = str(rung.site.log(function)[-1])
        assert "more than the 256 processes" in text or \
            "more than its memorySize" in text, text


def test_closing_everything_ends_it(rung):
    name = mark()
    try:
        get(rung, "/beast/close-all/" + name)
    except ConnectionError:
        pass                    # broken off: nobody could say how it ended
    all_gone(name)


@pytest.mark.parametrize("how,status", [
    ("daemon", 200), ("stubborn", 504), ("crowd", 504)])
def test_beast_that_is_a_program(rung, how, status):
    name = mark()
    r = get(rung, "/script/%s/%s" % (how, name))
    assert r.status == status, r
    all_gone(name)


def test_writer_that_never_ends(rung):
    name = mark()
    with fcgi.connect(rung.socket) as s:
        s.sendall(fcgi.request_bytes("GET", "/beast/writer/" + name))
        began = time.monotonic()
        try:
            while s.recv(1 << 20):
                assert time.monotonic() - began < 30
        except ConnectionError:
            pass
    all_gone(name)


def test_writer_that_nobody_reads(rung):
    name = mark()
    with fcgi.connect(rung.socket) as s:
        s.sendall(fcgi.request_bytes("GET", "/beast/writer/" + name))
        procs.wait_for(lambda: marked(name), 5)
        all_gone(name)


def test_descriptors_are_limited(rung):
    r = get(rung, "/patient/descriptors/" + mark())
    assert r.status == 200 and 10 < int(r.body) <= 256


def test_client_that_leaves_ends_the_tree(rung):
    name = mark()
    s = fcgi.connect(rung.socket)
    s.sendall(fcgi.request_bytes("GET", "/beast/children/" + name))
    s.close()
    s = fcgi.connect(rung.socket)
    s.sendall(fcgi.request_bytes("GET", "/beast/stubborn/" + name))
    procs.wait_for(lambda: marked(name), 5)
    s.close()
    all_gone(name)


def test_files_of_others_are_out_of_reach(rung):
    site = rung.site
    secret = site.lab.path("home", "secret")
    with open(secret, "w") as f:
        f.write("x")
    os.chmod(secret, 0o644)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        r = get(rung, "/peek?read=%s&write=%s&port=%d" % (
            secret, os.path.join(site.dir, "deploy.yaml"),
            listener.getsockname()[1])).json()
    assert r["read"] == 13 and r["write"] in (13, 30), r
    assert r["system"] == 0 and r["scratch"] == 0 and r["connect"] != 0, r
    # No request sees what another has left in its scratch directory.
    for _ in range(20):
        assert get(rung, "/peek").json()["scratch"] == 0
