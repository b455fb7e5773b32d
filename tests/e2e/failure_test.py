"""Functions that crash, hang or break off: what the client sees."""
import time

import pytest

import procs
from lab import together
from reply_test import is_error


def fault(way, how):
    return way.get("/fault/" + how)


@pytest.mark.parametrize("how", [
    "segv", "null", "abort", "stack", "kill", "segv-after-reply", "exit",
    "_exit", "fail", "silent"])
def test_crash_is_502(way, how):
    is_error(fault(way, how), 502)
    assert fault(way, "fine").status == 200


def test_too_much_memory_is_502(way, site):
    r = way.get("/hungry/memory")
    is_error(r, 502)
    line, = site.logged("access", r.header("X-Request-Id"))
    assert line["outcome"] == "crashed" and "memorySize" in line["detail"]


def test_timeout_is_504(way):
    targets = ["/fault/sleep", "/fault/spin", "/fault/stubborn",
               "/raw/hang", "/raw/late", "/raw/stubborn"]
    for reply in together(way.get, targets):
        is_error(reply, 504)


@pytest.mark.parametrize("how,outcome", [
    ("exit-after-reply", "ok"), ("fail-after-reply", "failed")])
def test_valid_reply_counts(way, site, how, outcome):
    r = fault(way, how)
    assert r.status == 200 and r.body == b"fine"
    line, = site.logged("access", r.header("X-Request-Id"))
    assert line["outcome"] == outcome


@pytest.mark.parametrize("how,outcome", [
    ("segv-after-flush", "truncated"), ("timeout-after-flush", "truncated")])
def test_reply_that_breaks_off(way, site, how, outcome):
    until = time.monotonic() + 20
    r = fault(way, how)
    while r.status == 504 and time.monotonic() < until:
        r = fault(way, how)     # a busy machine gave it no time to flush
    if r.status == 200:
        assert r.body == b"begin"
        if not way.lacks("broken-reply"):
            assert not r.whole
        line, = site.logged("access", r.header("X-Request-Id"))
        assert line["outcome"] == outcome and line["status"] == 200
    else:
        assert way.lacks("broken-reply") and r.status in (500, 502), r


def test_failures_are_logged(way, site):
    r = fault(way, "segv")
    request_id = r.header("X-Request-Id")
    line, = site.logged("access", request_id)
    assert line["outcome"] == "crashed" and line["signal"] == 11
    assert line["function"] == "fault" and line["status"] == 502
    texts = [e["text"] for e in site.logged("fault", request_id)]
    assert any("signal 11" in t for t in texts)
    assert any("bothy invoke fault" in t for t in texts)


def test_exit_status_with_a_reply_is_logged(way, site):
    r = way.get("/raw/exit-3")
    line, = site.logged("access", r.header("X-Request-Id"))
    assert line["outcome"] == "failed" and line["exit"] == 3
    assert line["status"] == 200


def test_nothing_is_left_behind(way, site):
    way.get("/raw/background")
    way.get("/raw/closed")
    procs.wait_for(lambda: not [
        p for p in procs.pids()
        if procs.arguments(p) == [b"sleep", b"600"] and
        procs.uid(p) in (site.lab.user, None)], 3, "sleep to be ended")
