"""Many requests at once, over every way in."""
import threading
import time

import pytest

import wire
from lab import together


def test_fifty_at_once(way):
    replies = together(lambda i: way.get("/echo/n%d" % i), range(50))
    for i, r in enumerate(replies):
        assert r.status == 200, r
        assert r.json()["env"]["BOTHY_PARAM_name"] == "n%d" % i
    ids = {r.header("X-Request-Id") for r in replies}
    assert len(ids) == 50


def test_slow_ones_run_side_by_side(way):
    for ms in (300, 1000, 3000):        # longer if the machine is busy
        began = time.monotonic()
        replies = together(lambda i: way.get("/pause/%d" % ms), range(16))
        assert all(r.status == 200 for r in replies)
        took_ms = (time.monotonic() - began) * 1000
        if took_ms < 16 * ms:
            return
    assert took_ms < 16 * ms


def test_reserved_concurrency(way):
    for ms in (400, 4000):              # longer if they did not meet
        replies = together(lambda i: way.get("/single/%d" % ms), range(4))
        statuses = sorted(r.status for r in replies)
        if statuses[-1] == 429:
            break
    assert statuses[0] == 200 and statuses[-1] == 429
    assert set(statuses) == {200, 429}
    refused = next(r for r in replies if r.status == 429)
    assert int(refused.header("Retry-After")) >= 1
    assert refused.json()["message"]
    assert way.get("/single/0").status == 200


def test_function_that_is_off(way):
    r = way.get("/off/0")
    assert r.status == 429 and r.header("Retry-After")


def test_health(way):
    r = way.get("/_bothy/health")
    assert r.status == 200 and r.json()["status"] == "ok"
    assert way.request("HEAD", "/_bothy/health").body == b""


def test_connections_are_kept(way):
    if not hasattr(way, "port"):
        pytest.skip("no connections in plain CGI")
    with wire.Connection(way.port) as c:
        for i in range(20):
            r = c.request("GET", "/echo/k%d" % i)
            assert r.json()["env"]["BOTHY_PARAM_name"] == "k%d" % i
            r = c.request("POST", "/echo", body=b"x" * 1000 * i)
            assert r.json()["bytes"] == 1000 * i


def test_one_limit_for_all_copies(site, started):
    """reservedConcurrency is counted once, whichever way a request takes."""
    if len(started) < 2:
        pytest.skip("needs two ways in")
    ways = list(started.values())
    for ms in (500, 4000):              # longer if they did not meet
        replies = together(lambda w: w.get("/single/%d" % ms), ways)
        served = [r.status for r in replies].count(200)
        if served == 1:
            break
    assert served == 1


def test_processes_that_serve_again(way):
    """Three requests a process, unless one leaves a descriptor open."""
    pids = [way.get("/reused/0").json()["served"] for _ in range(6)]
    if way.server not in ("apache-cgi", "plain-cgi"):
        assert max(pids) > 1
    assert max(pids) <= 3


def test_process_that_leaks_is_retired(way):
    """One that has left a descriptor open does not serve again."""
    for _ in range(6):
        assert way.get("/leaky/0?leak=1").json()["served"] == 1


def test_load_while_others_leave(way):
    """Clients that go away in the middle take nobody's reply."""
    if not hasattr(way, "port"):
        pytest.skip("no connections in plain CGI")
    stop = threading.Event()

    def leaver(i):
        while not stop.is_set():
            c = wire.Connection(way.port)
            c.send("GET", "/pause/50" if i % 2 else "/big/300000")
            time.sleep(0.002 * i)
            c.close()
            time.sleep(0.05)

    threads = [threading.Thread(target=leaver, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    try:
        for _ in range(3):
            for r in together(lambda i: way.get("/echo/l%d" % i), range(8)):
                assert r.status == 200, r
    finally:
        stop.set()
        for t in threads:
            t.join()
