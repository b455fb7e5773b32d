"""What is written down: the access log and what functions say."""
import json
import os
import re

import pytest


def test_function_log(way, site):
    r = way.post("/speak", b"<3>it is bad\nplain\r\n\nlast\n")
    assert r.status == 204
    request_id = r.header("X-Request-Id")
    lines = site.logged("speak", request_id)
    texts = [(e.get("level"), e["text"]) for e in lines]
    assert ("error", "it is bad") in texts
    assert (None, "plain") in texts
    assert (None, "last") in texts
    assert any(level == "warning" and "said 26 bytes" in text
               for level, text in texts), texts
    for e in lines:
        assert e["function"] == "speak" and e["id"] == request_id
        assert re.match(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
                        e["time"])


def test_control_bytes_are_cleaned(way, site):
    body = b"\x1b[31mred\x07 \xff\xfe \"quoted\" back\\slash \xc2\x9b\n"
    r = way.post("/speak", body)
    name = os.path.join(site.state, "log", "speak.jsonl")
    texts = [e["text"] for e in site.logged("speak", r.header("X-Request-Id"))]
    assert any('"quoted" back\\slash' in t and "red" in t for t in texts)
    with open(name, "rb") as f:
        data = f.read()
    data.decode("utf-8")
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", data)
    assert b"\xc2\x9b" not in data


def test_log_is_bounded(way, site):
    body = b"y" * 20000 + b"\nshort\n" + b"many\n" * 20000
    r = way.post("/speak", body)
    lines = site.logged("speak", r.header("X-Request-Id"))
    assert max(len(e["text"]) for e in lines) <= 8192
    assert any(e.get("cut_bytes") for e in lines)
    assert any(e["text"] == "short" for e in lines)
    assert len(lines) < 15000
    assert "dropped" in lines[-1]["text"]


def test_access_log(way, site):
    r = way.request("POST", "/echo?a=b", [("Origin", "https://x.example")],
                    b"12345")
    line, = site.logged("access", r.header("X-Request-Id"))
    assert line["method"] == "POST" and line["path"] == "/echo"
    assert line["query_bytes"] == 3 and line["bytes_in"] == 5
    assert line["status"] == 200 and line["outcome"] == "ok"
    assert line["bytes_out"] == len(r.body)
    assert line["function"] == "echo" and line["route"] == "ANY /echo"
    assert line["client"] == "127.0.0.1"
    assert 0 <= line["wait_ms"] <= line["duration_ms"] < 20000
    assert line["cpu_ms"] >= 0 and line["peak_kb"] > 0
    assert "a=b" not in json.dumps(line)    # queries may hold secrets


@pytest.mark.parametrize("target,status,outcome", [
    ("/nowhere", 404, "refused"), ("/raw/garbage", 502, "bad-reply"),
    ("/fault/sleep", 504, "timeout"), ("/off/0", 429, "throttled"),
    ("/file.txt", 200, "ok")])
def test_outcomes(way, site, target, status, outcome):
    r = way.get(target)
    line, = site.logged("access", r.header("X-Request-Id"))
    assert (line["status"], line["outcome"]) == (status, outcome)


def test_all_lines_are_json(started, site):
    for name in os.listdir(os.path.join(site.state, "log")):
        assert name.endswith(".jsonl")
        for e in site.log(name[:-6]):
            assert isinstance(e, dict)


def test_logs_are_private(started, site):
    log = os.path.join(site.state, "log")
    assert os.stat(log).st_mode & 0o077 == 0
    for name in os.listdir(log):
        assert os.stat(os.path.join(log, name)).st_mode & 0o077 == 0
