"""Request bodies: with and without a length, of all sizes, read or not."""
import os
import zlib

import pytest

KB = 1024
ORDERS = ["write-first", "unread", "half", "read-first"]


def fits(way, body):
    if len(body) > 128 * KB and way.lacks("large-body"):
        pytest.skip(way.lacks("large-body"))


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("size", [0, 1, 8 * KB, 64 * KB, 64 * KB + 1,
                                  100 * KB, 1024 * KB])
def test_body_arrives_whole(way, size, chunked):
    body = os.urandom(size)
    fits(way, body)
    r = way.post("/echo", body, chunked=chunked)
    assert r.status == 200, r
    assert (r.json()["bytes"], r.json()["crc32"]) == (size, zlib.crc32(body))
    if size:
        assert r.json()["env"]["CONTENT_LENGTH"] == str(size)


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_exec_function_reads_to_the_end(way, chunked):
    body = os.urandom(100 * KB)
    r = way.post("/script", body, chunked=chunked)
    assert (r.json()["bytes"], r.json()["crc32"]) == \
        (len(body), zlib.crc32(body))


def test_program_that_copies(way):
    body = os.urandom(1024 * KB)
    fits(way, body)
    r = way.post("/cat", body)
    assert r.status == 200 and r.body == body and r.whole


@pytest.mark.parametrize("order", ORDERS)
def test_no_order_deadlocks(way, order):
    body = b"x" * (600 * KB)
    if way.lacks("large-body"):
        body = body[:120 * KB]
    r = way.post("/order/" + order, body)
    assert r.status == 200 and r.whole
    read = {"unread": 0, "half": 50000}.get(order, len(body))
    assert r.body[300000:] == str(read).encode()


def test_no_body_has_no_length(way):
    env = way.get("/echo").json()["env"]
    assert "CONTENT_LENGTH" not in env or env["CONTENT_LENGTH"] == "0"


def test_delete_with_a_body(way):
    r = way.request("DELETE", "/echo", body=b"gone")
    assert r.status == 200 and r.json()["bytes"] == 4


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_body_over_the_limit(way, chunked):
    if way.lacks("large-body"):
        pytest.skip(way.lacks("large-body"))
    if chunked and way.max_body > 10 << 20:
        pytest.skip("its gateway has the default limit of 100 MB")
    body = b"x" * (way.max_body + 1)
    r = way.post("/echo", body, chunked=chunked)
    assert r.status == 413, r
    assert way.get("/echo").status == 200


def test_body_at_the_limit(way):
    if way.lacks("large-body") or way.max_body > 10 << 20:
        pytest.skip("its gateway has the default limit of 100 MB")
    r = way.post("/echo", b"x" * way.max_body)
    assert r.status == 200 and r.json()["bytes"] == way.max_body


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_refused_before_the_function_starts(way, site, chunked):
    """Also of a client that asks first; and nothing is left of the body."""
    if way.lacks("large-body") or way.max_body > 10 << 20:
        pytest.skip("its gateway has the default limit of 100 MB")
    asks = [("Expect", "100-continue")]
    body = b"said\n" * (way.max_body // 5)
    r = way.post("/cat", body, asks, chunked=chunked)
    assert r.status == 200 and len(r.body) == len(body)
    over = b"x" * (way.max_body + 1)
    r = way.post("/speak", over, asks, chunked=chunked)
    assert r.status == 413, r
    request_id = r.header("X-Request-Id")
    line, = site.logged("access", request_id)
    assert line["status"] == 413 and "cpu_ms" not in line
    assert not site.log("speak", request_id)
    assert os.listdir(os.path.join(site.state, "run", "spool")) == []


def test_large_body_to_no_function(way):
    r = way.post("/nowhere", b"x" * (100 * KB))
    assert r.status == 404
    assert way.get("/echo").status == 200
