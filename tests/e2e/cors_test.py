"""Cross-origin requests: preflights, replies, and errors too."""
import pytest

ORIGIN = "https://app.example"


def preflight(way, target, method, origin=ORIGIN):
    return way.request("OPTIONS", target, [
        ("Origin", origin), ("Access-Control-Request-Method", method),
        ("Access-Control-Request-Headers", "x-token")])


def test_preflight(way):
    r = preflight(way, "/methods", "PUT")
    assert r.status in (200, 204), r
    assert r.header("Access-Control-Allow-Origin") == ORIGIN
    assert "PUT" in r.header("Access-Control-Allow-Methods")
    assert "x-token" in r.header("Access-Control-Allow-Headers").lower()
    assert r.header("Access-Control-Max-Age") == "60"


def test_preflight_of_a_stranger(way):
    r = preflight(way, "/methods", "PUT", "https://evil.example")
    assert r.header("Access-Control-Allow-Origin") is None


def test_reply(way):
    r = way.get("/echo", [("Origin", ORIGIN)])
    assert r.header("Access-Control-Allow-Origin") == ORIGIN
    assert r.header("Access-Control-Expose-Headers") == "X-Seen"
    assert "Origin" in r.header("Vary")
    r = way.get("/echo", [("Origin", "https://evil.example")])
    assert r.header("Access-Control-Allow-Origin") is None
    assert "Origin" in r.header("Vary")


@pytest.mark.parametrize("target,status", [
    ("/nowhere", 404), ("/raw/garbage", 502), ("/fault/segv", 502),
    ("/file.txt", 200), ("/off/0", 429)])
def test_errors_and_files_too(way, target, status):
    r = way.get(target, [("Origin", ORIGIN)])
    assert r.status == status, r
    assert r.header("Access-Control-Allow-Origin") == ORIGIN


def test_options_without_a_preflight(way):
    r = way.request("OPTIONS", "/methods")
    assert r.status in (204, 405), r
    assert way.request("OPTIONS", "/echo").status == 200
