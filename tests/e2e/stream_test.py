"""What a function flushes reaches the client at once; who leaves is noticed."""
import time

import pytest

import wire

EVENTS = 5
PAUSES_MS = [80, 500, 3000]     # longer where a machine is busy
BODY = b"".join(b"data: %d\n\n" % i for i in range(1, EVENTS + 1))


@pytest.mark.parametrize("route", ["events", "flush"])
def test_events_arrive_one_by_one(way, route):
    for pause_ms in PAUSES_MS:
        if route == "flush" and EVENTS * pause_ms > 5000:
            break       # its time would be up
        r = way.get("/%s/%d/%d" % (route, EVENTS, pause_ms))
        assert r.status == 200 and r.body == BODY and r.whole
        assert r.header("Content-Type").startswith("text/event-stream")
        took = r.times[-1][0] - r.times[0][0]
        if way.lacks("stream") or (
                took > (EVENTS - 1) * pause_ms / 1000 * 0.8 and
                len(r.times) >= EVENTS - 1):
            return
    raise AssertionError("not one by one: %r" % r.times)


def test_stream_outlives_idle_moments(way):
    r = way.get("/events/3/300")
    assert r.body.count(b"data:") == 3 and r.whole


def test_client_that_leaves_ends_the_function(way, site):
    if way.lacks("stream") or not hasattr(way, "port"):
        pytest.skip(way.lacks("stream") or "the client is a pipe")
    c = wire.Connection(way.port)
    c.send("GET", "/events/100000/20")
    head = c.receive_head()
    assert head.status == 200
    while b"data: 1" not in c.file.readline():
        pass
    request_id = head.header("X-Request-Id")
    began = time.monotonic()
    c.close()
    line, = site.logged("access", request_id, 10)
    assert line["outcome"] == "client-left"
    assert time.monotonic() - began < 60


def test_head_of_a_stream(way):
    r = way.request("HEAD", "/events/2/10")
    assert r.status == 200 and r.body == b""
