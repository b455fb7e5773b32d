"""Replies: what a function says, what is checked and completed (RFC 3875)."""
import pytest


def raw(way, case, method="GET"):
    return way.request(method, "/raw/" + case)


def is_error(reply, status):
    assert reply.status == status, reply
    assert reply.header("Content-Type") == "application/json"
    assert reply.json()["message"]
    assert len(reply.header("X-Request-Id")) >= 16


@pytest.mark.parametrize("case", ["ok", "crlf", "length", "exit-3", "own-id",
                                  "sendfile"])
def test_good(way, case):
    r = raw(way, case)
    assert r.status == 200 and r.body == b"fine" and r.whole
    assert r.header("Content-Type") == "text/plain"
    assert r.header("X-Request-Id") not in (None, "mine")
    assert r.header("X-Sendfile") is None


def test_surplus_is_cut_off(way):
    r = raw(way, "surplus")
    assert r.body == b"fine" and r.whole


def test_status(way):
    r = raw(way, "status")
    assert r.status == 418 and r.body == b"fine"
    assert raw(way, "status-number").status == 299
    r = raw(way, "error")
    assert r.status == 500 and r.body == b"my own"


def test_no_content(way):
    r = raw(way, "no-content")
    assert r.status == 204 and r.body == b"" and r.whole
    assert r.header("Content-Length") in (None, "0")


def test_absolute_redirect(way):
    r = raw(way, "absolute")
    assert r.status == 302
    assert r.header("Location") == "https://example.org/there?x=1"


def test_redirect_with_a_document(way):
    r = raw(way, "document")
    assert r.status == 302 and r.body == b"moved"


def test_redirect_with_status(way):
    r = raw(way, "relative")
    assert r.status == 303
    assert r.header("Location").endswith("/there")


def test_local_redirect(way):
    r = raw(way, "local")
    assert r.status == 200, r
    env = r.json()["env"]
    assert env["BOTHY_ROUTE"] == "GET /echo/{name}"
    assert env["BOTHY_PARAM_name"] == "moved"
    assert env["QUERY_STRING"] == "x=1"
    assert env["REQUEST_METHOD"] == "GET"


def test_local_redirect_of_a_post_is_a_get(way):
    r = way.post("/raw/local", b"body")
    assert r.status == 200, r
    assert r.json()["env"]["REQUEST_METHOD"] == "GET"
    assert r.json()["bytes"] == 0


def test_local_redirect_that_goes_nowhere(way):
    is_error(raw(way, "loop"), 502)
    is_error(raw(way, "nowhere"), 404)


def test_set_cookie_twice(way):
    assert raw(way, "cookies").all("Set-Cookie") == ["a=1; Path=/", "b=2"]


def test_long_header_line(way):
    r = raw(way, "line-8000")
    assert r.status == 200, r
    assert len(r.header("X-Long")) == 7980


@pytest.mark.parametrize("count,size", [(4, 7000), (28, 1000), (90, 250)])
def test_large_header(way, count, size):
    r = way.get("/headers/%d/%d" % (count, size))
    assert r.status == 200, r
    for i in range(1, count + 1):
        assert r.header("X-H%d" % i) == "v" * size


@pytest.mark.parametrize("case", [
    "nothing", "nothing-3", "garbage", "no-end", "no-header", "no-type",
    "no-colon", "bad-name", "control", "return", "folded", "http",
    "status-word", "status-101", "status-999", "two-status", "two-lengths",
    "length-word", "too-short", "chunked", "upgrade", "line-9000",
    "header-40k", "killed", "segv"])
def test_bad(way, case):
    is_error(raw(way, case), 502)


def test_bad_reply_to_head(way):
    r = raw(way, "garbage", "HEAD")
    assert r.status == 502 and r.body == b""


def test_program_that_cannot_start(way):
    is_error(way.get("/missing"), 502)


def test_head_of_a_function(way):
    r = raw(way, "ok", "HEAD")
    assert r.status == 200 and r.body == b"" and r.whole
    assert r.header("Content-Type") == "text/plain"
    assert r.header("Content-Length") in (None, "4")
    r = way.request("HEAD", "/big/5000000")
    assert r.status == 200 and r.body == b"" and r.whole


@pytest.mark.parametrize("size", [64, 4096, 65536, 65600, 1 << 20, 10 << 20])
def test_big_reply(way, size):
    r = way.get("/big/%d" % size)
    assert r.status == 200 and r.whole and len(r.body) == size
    lines = r.body.split(b"\n")
    assert len(lines) == size // 64 + 1
    for at in (0, size // 128, size // 64 - 1):
        assert int(lines[at]) == at


@pytest.mark.parametrize("target,body", [
    ("/raw/background", b"fine"), ("/fault/closed", b"begin")])
def test_reply_ends_with_the_process_or_its_output(way, target, body):
    r = way.get(target)
    assert r.status == 200 and r.body == body and r.whole
