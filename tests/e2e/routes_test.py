"""Routes, methods, parameters, and their precedence over www/."""
import zlib

import pytest


def crc(body):
    return zlib.crc32(body)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
def test_method_reaches_function(way, method):
    body = None if method in ("GET", "DELETE") else b"some body"
    r = way.request(method, "/echo", body=body)
    assert r.status == 200
    assert r.json()["env"]["REQUEST_METHOD"] == method
    assert r.json()["crc32"] == crc(body or b"")


def test_path_parameter(way):
    env = way.get("/echo/J%C3%B6rg%20x").json()["env"]
    assert env["BOTHY_PARAM_name"] == "J\u00f6rg x"
    assert env["BOTHY_ROUTE"] == "GET /echo/{name}"
    assert env["SCRIPT_NAME"] == "/echo/J\u00f6rg x"
    assert env["PATH_INFO"] == ""


def test_full_route_wins_over_parameter(way):
    assert way.get("/echo/fixed").json()["env"]["BOTHY_ROUTE"] == \
        "GET /echo/fixed"


def test_greedy_parameter(way):
    env = way.get("/files/a/b%20c/d").json()["env"]
    assert env["BOTHY_PARAM_proxy"] == "a/b c/d"
    assert env["SCRIPT_NAME"] == "/files"
    assert env["PATH_INFO"] == "/a/b c/d"


def test_file_wins_over_greedy_route(way):
    assert way.get("/assets/real.txt").body == b"real asset\n"
    env = way.get("/assets/other.txt").json()["env"]
    assert env["BOTHY_ROUTE"] == "GET /assets/{proxy+}"


def test_exact_route_wins_over_file(way):
    assert way.get("/exact.txt").json()["env"]["BOTHY_ROUTE"] == \
        "GET /exact.txt"


def test_not_found(way):
    r = way.get("/nowhere")
    assert r.status == 404
    assert r.header("Content-Type") == "application/json"
    assert "message" in r.json()
    assert r.header("X-Request-Id")


def test_method_not_allowed(way):
    r = way.post("/methods", b"x")
    assert r.status == 405
    allowed = {m.strip() for m in r.header("Allow").split(",")}
    assert {"GET", "HEAD", "PUT"} <= allowed
    assert "POST" not in allowed


def test_head_has_no_body(way):
    r = way.request("HEAD", "/echo")
    assert r.status == 200 and r.body == b""
    r = way.request("HEAD", "/nowhere")
    assert r.status == 404 and r.body == b""


def test_exec_function_sees_the_same(way):
    r = way.post("/script", b"body", [("Content-Type", "text/x-test")])
    env = r.json()["env"]
    assert r.json()["crc32"] == crc(b"body")
    assert env["CONTENT_TYPE"] == "text/x-test"
    assert env["CONTENT_LENGTH"] == "4"
    assert env["GREETING"] == "hello"
