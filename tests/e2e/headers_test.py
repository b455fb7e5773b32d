"""Request headers and variables that a function sees."""
import re

import pytest


def env(way, headers=(), target="/echo", **more):
    r = way.get(target, headers, **more)
    assert r.status == 200, r
    return r.json()["env"]


def test_meta_variables(way):
    e = env(way, target="/echo/x?a=b")
    assert e["GATEWAY_INTERFACE"] == "CGI/1.1"
    assert e["SERVER_PROTOCOL"].startswith("HTTP/1.")
    assert e["REQUEST_METHOD"] == "GET"
    assert e["QUERY_STRING"] == "a=b"
    assert e["REMOTE_ADDR"] == "127.0.0.1"
    assert e["REQUEST_URI"] == "/echo/x?a=b"
    assert e["BOTHY_FUNCTION"] == "echo"
    assert e["GREETING"] == "hello"
    assert int(e["BOTHY_DEADLINE_MS"]) > 1e12
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]",
                        e["TRACEPARENT"])
    assert e["HOME"] == e["TMPDIR"]
    assert "DOCUMENT_ROOT" not in e and "SCRIPT_FILENAME" not in e


def test_request_id_is_the_same_everywhere(way, site):
    r = way.get("/echo")
    request_id = r.header("X-Request-Id")
    assert r.json()["env"]["BOTHY_REQUEST_ID"] == request_id
    line, = site.logged("access", request_id)
    assert line["status"] == 200 and line["path"] == "/echo"


def test_headers_arrive(way):
    e = env(way, [("X-Custom", "some value"), ("Accept", "text/x"),
                  ("Authorization", "Bearer abc"), ("Cookie", "a=1; b=2"),
                  ("User-Agent", "e2e")])
    assert e["HTTP_X_CUSTOM"] == "some value"
    assert e["HTTP_ACCEPT"] == "text/x"
    assert e["HTTP_AUTHORIZATION"] == "Bearer abc"
    assert e["HTTP_COOKIE"] == "a=1; b=2"
    assert e["HTTP_USER_AGENT"] == "e2e"


def test_httpoxy(way):
    e = env(way, [("Proxy", "http://evil.example/")])
    assert "HTTP_PROXY" not in e and "evil" not in str(e)


def test_hop_by_hop_headers_stay_behind(way):
    e = env(way, [("TE", "trailers"), ("Keep-Alive", "timeout=5"),
                  ("Proxy-Authorization", "Basic x"),
                  ("Proxy-Connection", "keep-alive")])
    for name in ("CONNECTION", "KEEP_ALIVE", "TE", "TRAILER", "UPGRADE",
                 "TRANSFER_ENCODING", "PROXY_AUTHORIZATION",
                 "PROXY_CONNECTION", "CONTENT_LENGTH", "CONTENT_TYPE"):
        assert "HTTP_" + name not in e


def test_underscore_does_not_pass_for_a_dash(way):
    if way.lacks("twins"):
        pytest.skip(way.lacks("twins"))
    e = env(way, [("X-Twin", "true"), ("X_Twin", "false")])
    assert e.get("HTTP_X_TWIN") in ("true", None)


def test_doubled_header_is_joined(way):
    e = env(way, [("Accept", "text/a"), ("Accept", "text/b")])
    assert e["HTTP_ACCEPT"].replace(" ", "") == "text/a,text/b"


def test_doubled_cookie(way):
    r = way.get("/echo", [("Cookie", "a=1"), ("Cookie", "b=2")])
    assert r.status == 200
    assert re.fullmatch("a=1[;,] b=2", r.json()["env"]["HTTP_COOKIE"])


def test_bytes_above_ascii(way):
    e = env(way, [("X-Name", "J\u00f6rg".encode())])
    assert e["HTTP_X_NAME"] == "J\u00f6rg"


def test_large_header(way):
    r = way.get("/echo", [("X-Large", "y" * 7000)])
    assert r.status == 200
    assert r.json()["env"]["HTTP_X_LARGE"] == "y" * 7000


def test_too_large_headers(way):
    r = way.get("/echo", [("X-%d" % i, "y" * 7000) for i in range(10)])
    assert r.status in (400, 413, 431) or way.lacks("large-headers"), r
    assert way.get("/echo").status == 200


def test_too_many_headers(way):
    r = way.get("/echo", [("X-%d" % i, "y") for i in range(150)])
    assert r.status in (400, 431), r


def test_function_may_not_be_told_another_id(way):
    e = env(way, [("Bothy-Request-Id", "x"), ("X-Request-Id", "mine")])
    assert e["BOTHY_REQUEST_ID"] != "mine"
    assert e["HTTP_X_REQUEST_ID"] == "mine"


def test_trace_is_taken_over(way):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert env(way, [("traceparent", trace)])["TRACEPARENT"] == trace


@pytest.mark.parametrize("value", ["websocket", "WebSocket"])
def test_websocket_is_426(way, value):
    if way.lacks("upgrade"):
        pytest.skip(way.lacks("upgrade"))
    r = way.get("/echo", [("Upgrade", value), ("Connection", "Upgrade"),
                          ("Sec-WebSocket-Version", "13"),
                          ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")])
    assert r.status == 426, r
