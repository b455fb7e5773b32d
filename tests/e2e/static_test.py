"""Files of www/: the gateway serves them itself, the same over every way."""
import os
import time

import pytest


def test_file(way):
    r = way.get("/file.txt")
    assert r.status == 200 and r.body == b"a file\n" and r.whole
    assert r.header("Content-Type") == "text/plain; charset=utf-8"
    assert r.header("X-Content-Type-Options") == "nosniff"
    assert r.header("Content-Length") in ("7", None)


def test_index(way):
    assert way.get("/").body == b"<h1>e2e</h1>\n"
    assert way.get("/dir/").body == b"<h1>dir</h1>\n"


def test_directory_gets_its_slash(way):
    r = way.get("/dir?x=1")
    assert r.status == 301
    assert r.header("Location").endswith("/dir/?x=1")


def test_head(way):
    r = way.request("HEAD", "/file.txt")
    assert r.status == 200 and r.body == b""
    assert r.header("Content-Length") in ("7", None)
    assert r.header("ETag")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_get_and_head(way, method):
    r = way.request(method, "/file.txt", body=b"x")
    assert r.status in (404, 405)


def test_etag(way):
    tag = way.get("/file.txt").header("ETag")
    r = way.get("/file.txt", [("If-None-Match", tag)])
    assert r.status == 304 and r.body == b""
    assert way.get("/file.txt", [("If-None-Match", '"x"')]).status == 200


def test_modified_since(way):
    modified = way.get("/file.txt").header("Last-Modified")
    r = way.get("/file.txt", [("If-Modified-Since", modified)])
    assert r.status == 304
    old = "Sat, 01 Jan 2000 00:00:00 GMT"
    assert way.get("/file.txt", [("If-Modified-Since", old)]).status == 200


@pytest.mark.parametrize("value,body,content_range", [
    ("bytes=0-0", b"a", "bytes 0-0/7"),
    ("bytes=2-", b"file\n", "bytes 2-6/7"),
    ("bytes=-3", b"le\n", "bytes 4-6/7"),
    ("bytes=2-100", b"file\n", "bytes 2-6/7")])
def test_range(way, value, body, content_range):
    r = way.get("/file.txt", [("Range", value)])
    assert r.status == 206 and r.body == body and r.whole
    assert r.header("Content-Range") == content_range


def test_range_that_is_none(way):
    r = way.get("/file.txt", [("Range", "bytes=7-")])
    assert r.status == 416
    for value in ("bytes=x", "lines=1-2", "bytes=3-1"):
        r = way.get("/file.txt", [("Range", value)])
        if r.status == 416 and way.lacks("ranges"):
            continue
        assert r.status == 200 and r.body == b"a file\n"


def test_if_range(way):
    tag = way.get("/file.txt").header("ETag")
    r = way.get("/file.txt", [("Range", "bytes=0-0"), ("If-Range", tag)])
    assert r.status == 206
    r = way.get("/file.txt", [("Range", "bytes=0-0"), ("If-Range", '"x"')])
    assert r.status == 200 and r.body == b"a file\n"


def test_new_file_is_seen_and_gone_again(way, site):
    site.write("www/new.txt", "new")
    assert way.get("/new.txt").body == b"new"
    os.unlink(os.path.join(site.dir, "www/new.txt"))
    assert way.get("/new.txt").status == 404


def test_what_is_no_file_hangs_nobody(way, site):
    www = os.path.join(site.dir, "www")
    os.mkfifo(os.path.join(www, "fifo"))
    os.symlink("../deploy.yaml", os.path.join(www, "out.txt"))
    os.symlink("/etc/passwd", os.path.join(www, "far.txt"))
    try:
        began = time.monotonic()
        for name in ("fifo", "out.txt", "far.txt"):
            assert way.get("/" + name).status == 404
        assert time.monotonic() - began < 60
    finally:
        for name in ("fifo", "out.txt", "far.txt"):
            os.unlink(os.path.join(www, name))


def test_large_file(way, site):
    path = os.path.join(site.dir, "www", "large.bin")
    if not os.path.exists(path):
        site.write("www/large.bin", os.urandom(5 << 20))
    with open(path, "rb") as f:
        data = f.read()
    r = way.get("/large.bin")
    assert r.body == data and r.whole
    r = way.get("/large.bin", [("Range", "bytes=1000000-1999999")])
    assert r.status == 206 and r.body == data[1000000:2000000]
