"""git push over HTTP: git http-backend behind the gateway, for who has a key
that may deploy."""
import base64
import gzip
import hashlib
import json
import os
import select
import signal
import struct
import subprocess
import zlib

import pytest

import cgi
import fcgi
import procs
import ways
from deploy_test import (DEPLOY, FIRST, SAY_C, SLOW_MAKE, Deployed,
                         Developer, copy_example)
from lab import Lab

PATH = "/deploy.git"
RECEIVE = PATH + "/info/refs?service=git-receive-pack"
WAYS = [ways.Lighttpd, ways.Nginx, ways.Apache, ways.Caddy, ways.ApacheCgi]

# What is not the web server's to do right or wrong.
by_two = pytest.mark.parametrize(
    "door", WAYS[:2], indirect=True, ids=[w.name for w in WAYS[:2]],
    scope="module")

# Says that it builds, and goes on when the test has seen that.
WAITING_MAKE = """$(OUT):
	echo here >started
	@echo "main.c:1:1: warning: in the midst"
	while ! test -e go; do sleep .02; done
	$(CC) $(CFLAGS) -o $@ other.c $(LDLIBS)
"""


def make_key(shop, *options):
    said = shop.bothy("key", "create", *options).stdout
    return dict(line.split("=", 1) for line in said.splitlines())[
        "AWS_SECRET_ACCESS_KEY"]


@pytest.fixture(scope="module")
def pushed(lab):
    """A site with something live, that takes pushes over HTTP."""
    shop = Deployed(lab, "http-shop", "--http", PATH)
    shop.developer.push(FIRST)
    shop.secret = make_key(shop, "--allow", "deploy")
    yield shop
    shop.close()


@pytest.fixture(scope="module", params=WAYS, ids=[w.name for w in WAYS])
def door(request, pushed):
    if request.param.missing():
        pytest.skip("NOT TESTED: " + request.param.missing())
    door = request.param(pushed).start()
    door.developers = 0
    yield door
    door.stop()
    pushed.stop_residents()


def url_of(door, secret, user="any", place=PATH):
    return "http://%s:%s@127.0.0.1:%d%s" % (
        user, secret.replace("/", "%2F").replace("+", "%2B"), door.port,
        place)


def developer(door, secret=None):
    """Who cloned over HTTP, and pushes there."""
    door.developers += 1
    dev = Developer(door.lab, "http-dev-%s-%d" % (door.name, door.developers),
                    url_of(door, secret or door.site.secret),
                    door.lab.environment(GIT_CONFIG_NOSYSTEM="1",
                                        GIT_TERMINAL_PROMPT="0"))
    dev.git("pull", "-q", "bothy", "main")
    return dev


def basic(secret, user="any"):
    return ("Authorization", "Basic " + base64.b64encode(
        ("%s:%s" % (user, secret)).encode()).decode())


def test_what_is_pushed_serves(door):
    dev, shop = developer(door), door.site
    text = "by " + door.name
    before = shop.live()
    taken, said = dev.push({"functions/say/say.c": SAY_C % text})
    assert taken and "say built" in said, said
    assert "release %d is live" % (before + 1) in said, said
    procs.wait_for(lambda: door.get("/say").body.decode() == text,
                   what="it to be served")
    said = dev.refused({"functions/say/say.c": SAY_C % "x" +
                        "int x = nothing;\n"})
    assert "functions/say/say.c:8:9: error: " in said, said
    assert shop.live() == before + 1
    assert door.get("/say").body.decode() == text


def test_a_large_push(door):
    dev, shop = developer(door), door.site
    before = shop.live()
    noise = os.urandom(20 << 20)
    os.makedirs(dev.dir + "/www", exist_ok=True)
    with open(dev.dir + "/www/noise-" + door.name, "wb") as f:
        f.write(noise)
    taken, said = dev.push({})
    assert taken and shop.live() == before + 1, said
    with open(shop.dir + "/live/tree/www/noise-" + door.name, "rb") as f:
        assert f.read() == noise
    os.unlink(dev.dir + "/www/noise-" + door.name)
    dev.push({})


def test_progress_comes_while_it_builds(door):
    dev, shop = developer(door), door.site
    go = shop.dir + "/deploy/sources/functions/other/go"
    dev.commit({"functions/other/Makefile": WAITING_MAKE, "www/now":
                door.name})
    push = dev.start("push", "bothy", "main")
    said = b""
    while b"routes" not in said:
        assert select.select([push.stdout], [], [], 120)[0], said
        more = os.read(push.stdout.fileno(), 65536)
        assert more, said
        said += more
    procs.wait_for(lambda: os.path.exists(os.path.dirname(go) + "/started"),
                   what="the build to begin")
    with open(go, "w"):
        pass
    said += push.communicate(timeout=120)[0]
    assert push.returncode == 0 and b"is live" in said, said
    dev.git("rm", "-q", "functions/other/Makefile")
    dev.push({})


def no_quarantine(shop):
    return not [n for n in os.listdir(shop.repository + "/objects")
                if n.startswith("tmp_")]


@by_two
def test_a_client_that_is_killed_leaves_all_as_it_was(door):
    dev, shop = developer(door), door.site
    before, numbers = shop.live(), shop.numbers()
    dev.commit({"functions/other/Makefile": SLOW_MAKE + "# " + door.name})
    push = dev.start("push", "bothy", "main")
    procs.wait_for(lambda: os.path.exists(
        shop.dir + "/deploy/sources/functions/other/started"),
        what="the build to begin")
    for pid in [push.pid, *procs.descendants(push.pid)]:
        procs.end(pid, signal.SIGKILL)
    push.communicate(timeout=120)

    def is_over():
        return not [p for p in procs.pids() if procs.arguments(p)[:1] ==
                    [b"sleep"] and procs.mentions(p, shop.dir)]

    procs.wait_for(is_over, what="the build to end")
    assert shop.live() == before and shop.numbers() == numbers
    assert door.get("/say").status == 200
    dev.git("rm", "-q", "functions/other/Makefile")
    taken, said = dev.push({"www/after": door.name})
    assert taken and shop.live() == before + 1, said
    assert no_quarantine(shop)


@by_two
def test_a_second_push_waits_and_is_refused(door):
    first, second, shop = developer(door), developer(door), door.site
    go = shop.dir + "/deploy/sources/functions/other/go"
    before = shop.live()
    first.commit({"functions/other/Makefile": WAITING_MAKE, "www/two":
                  door.name})
    push = first.start("push", "bothy", "main")
    procs.wait_for(lambda: os.path.exists(os.path.dirname(go) + "/started"),
                   what="the build to begin")
    second.commit({"www/index.html": "second"})
    late = second.start("push", "bothy", "main")
    said = b""
    while b"waiting for it" not in said:
        more = os.read(late.stdout.fileno(), 65536)
        assert more, said
        said += more
    with open(go, "w"):
        pass
    out = push.communicate(timeout=120)[0]
    assert push.returncode == 0, out
    said += late.communicate(timeout=120)[0]
    assert late.returncode != 0 and b"has moved on" in said, said
    assert shop.live() == before + 1
    first.git("rm", "-q", "functions/other/Makefile")
    first.push({})


def test_without_a_key_nothing_is_told(door):
    for headers in ([], [basic("wrong")], [basic("")],
                    [("Authorization", "Bearer wrong")],
                    [("Authorization", "Basic !!!")],
                    [("Authorization", "Basic")],
                    [basic(door.site.secret[:-1])],
                    [basic(door.site.secret + "x")],
                    [("Authorization", "Digest " + door.site.secret)]):
        for target in (RECEIVE, PATH + "/info/refs"):
            r = door.get(target, headers)
            assert r.status == 401, (headers, r)
            assert r.header("WWW-Authenticate").startswith("Basic realm=")
        r = door.post(PATH + "/git-receive-pack", b"0000", headers)
        assert r.status == 401, (headers, r)


@by_two
def test_a_key_for_documents_may_not(door):
    shop = door.site
    for options in ([], ["--allow", "dynamodb:GetItem"], ["--allow", "*"]):
        secret = make_key(shop, *options)
        r = door.get(RECEIVE, [basic(secret)])
        assert r.status == 403 and "may not deploy" in r.json()["message"]
    secret = make_key(shop, "--allow", "deploy", "--allow",
                      "dynamodb:GetItem", "--table", "notes")
    assert door.get(RECEIVE, [basic(secret)]).status == 200


def test_bearer_and_removal(door):
    shop = door.site
    made = json.loads(shop.bothy("--json", "key", "create", "--allow",
                                 "deploy").stdout)
    bearer = [("Authorization", "Bearer " + made["SecretAccessKey"])]
    r = door.get(RECEIVE, bearer)
    assert r.status == 200 and b"# service=git-receive-pack" in r.body
    shop.bothy("key", "rm", made["AccessKeyId"])
    assert door.get(RECEIVE, bearer).status == 401


def begun(shop, length=1000, secret=None):
    """A push of which some of the body has been sent."""
    s = fcgi.connect(shop.gateway.socket)
    env = cgi.environment("POST", PATH + "/git-receive-pack", [
        basic(secret or shop.secret), (
            "Content-Type", "application/x-git-receive-pack-request")],
        b"x" * length, False)
    s.sendall(fcgi.begin() + fcgi.params(env) +
              fcgi.record(fcgi.STDIN, b"0"))
    return s


@pytest.fixture
def straight(pushed):
    """The site without a web server before it."""
    pushed.serve()
    yield pushed
    procs.stop(pushed.gateway.process)
    pushed.gateway = None


def test_a_key_that_goes_amid_a_push_lets_nothing_in(straight):
    made = json.loads(straight.bothy("--json", "key", "create", "--allow",
                                     "deploy").stdout)

    def is_used():
        rows = json.loads(straight.bothy("--json", "key", "ls").stdout)
        return [r for r in rows if r["id"] == made["AccessKeyId"] and
                r["used"]]

    with begun(straight, 5, made["SecretAccessKey"]) as s:
        procs.wait_for(is_used, what="the key to be looked at")
        straight.bothy("key", "rm", made["AccessKeyId"])
        s.sendall(fcgi.stdin(b"0000"))
        assert fcgi.receive(s).status == 401


def test_slow_pushes_take_not_all_workers(straight):
    slow = [begun(straight) for _ in range(16)]

    def is_busy():
        r = fcgi.request(straight.gateway.socket, "GET", RECEIVE,
                         [basic(straight.secret)])
        return r.status == 503 and "too many pushes" in r.json()["message"]

    procs.wait_for(is_busy, what="one more push to be refused")
    assert straight.get().status == 200
    for s in slow:
        s.close()
    procs.wait_for(lambda: not is_busy(), what="pushes to be taken again")


@pytest.mark.parametrize("target", [
    "/info/refs", "/info/refs?service=git-upload-archive",
    "/info/refs?service=git-receive-pack&x=y",
    "/info/refs?service=../../hooks/pre-receive",
    "/info/refs?service=git-receive-pack%00", "/HEAD", "/config",
    "/objects/info/packs", "/hooks/pre-receive", "/../http-shop/bothy.json",
    "/%2e%2e/info/refs?service=git-receive-pack",
    "/x/info/refs?service=git-receive-pack",
    "/../other.git/info/refs?service=git-receive-pack"])
def test_all_else_is_refused(door, target):
    r = door.get(PATH + target, [basic(door.site.secret)])
    assert r.status in (400, 403, 404), (target, r)


def test_methods_and_queries_of_posts(door):
    key = [basic(door.site.secret)]
    assert door.post(RECEIVE, b"", key).status == 405
    r = door.get(PATH + "/git-receive-pack", key)
    assert r.status == 405 and r.header("Allow") == "POST"
    r = door.post(PATH + "/git-receive-pack?service=x", b"0000", key)
    assert r.status == 403
    r = door.post(PATH + "/git-receive-pack", b"0000", key + [
        ("Content-Type", "text/plain")])
    assert r.status == 415


@by_two
def test_what_is_tampered_with_is_refused(door):
    """A command and a pack that is cut, and one that is not a pack."""
    shop = door.site
    before, numbers = shop.live(), shop.numbers()
    with open(shop.repository + "/refs/heads/main") as f:
        old = f.read().strip()
    line = ("%s %s refs/heads/main\0report-status" %
            (old, "1" * 40)).encode()
    command = b"%04x" % (len(line) + 4) + line + b"0000"
    for pack in (b"", b"PACK\0\0\0\2\0\0\0\1", b"x" * 5000):
        r = door.post(PATH + "/git-receive-pack", command + pack,
                     [basic(shop.secret), (
                         "Content-Type",
                         "application/x-git-receive-pack-request")])
        assert b"ok refs/heads/main" not in r.body, r
    assert shop.live() == before and shop.numbers() == numbers


def size_bytes(n):
    """As git's deltas say a size."""
    out = b""
    while n > 0x7f:
        out += bytes([n & 0x7f | 0x80])
        n >>= 7
    return out + bytes([n])


def packed(kind, content, base=b""):
    n, first = len(content), len(content) & 15
    head = [kind << 4 | first]
    n >>= 4
    while n:
        head[-1] |= 0x80
        head.append(n & 0x7f)
        n >>= 7
    return bytes(head) + base + zlib.compress(content, 9)


def bomb(gigabytes):
    """A pack of some kilobytes with an object of gigabytes: 16 MB of zeros,
    and "these again, so many times"."""
    blob, ref_delta = 3, 7
    piece = (1 << 24) - 1
    zeros = bytes(piece)
    base = hashlib.sha1(b"blob %d\0" % piece + zeros).digest()
    times = gigabytes << 6
    copy = b"\xf0" + piece.to_bytes(3, "little")
    delta = size_bytes(piece) + size_bytes(piece * times) + copy * times
    body = b"PACK" + struct.pack(">II", 2, 2) + packed(blob, zeros) + \
        packed(ref_delta, delta, base)
    return body + hashlib.sha1(body).digest()


@by_two
def test_a_pack_that_becomes_gigabytes_is_refused(door):
    shop = door.site
    before, numbers = shop.live(), shop.numbers()
    with open(shop.repository + "/refs/heads/main") as f:
        old = f.read().strip()
    line = ("%s %s refs/heads/main\0report-status side-band-64k" %
            (old, "1" * 40)).encode()
    pack = bomb(3)
    assert len(pack) < 50000
    r = door.post(PATH + "/git-receive-pack",
                  b"%04x" % (len(line) + 4) + line + b"0000" + pack,
                  [basic(shop.secret), (
                      "Content-Type",
                      "application/x-git-receive-pack-request")])
    assert b"fatal: Out of memory" in r.body, r
    assert b"unpack index-pack abnormal exit" in r.body, r
    assert shop.live() == before and shop.numbers() == numbers
    assert no_quarantine(shop)
    taken, said = developer(door).push({"www/after": "bomb " + door.name})
    assert taken and shop.live() == before + 1, said


def limits(pid):
    text = procs.read(pid, "limits").decode()
    return {x[:25].strip(): x[25:46].strip() for x in text.split("\n")}


@by_two
def test_git_has_limits_and_its_hooks_have_not(door):
    """A hook starts builds, and daemons that stay."""
    dev, shop = developer(door), door.site
    go = shop.dir + "/deploy/sources/functions/other/go"
    dev.commit({"functions/other/Makefile": WAITING_MAKE, "www/limits":
                door.name})
    push = dev.start("push", "bothy", "main")
    procs.wait_for(lambda: os.path.exists(os.path.dirname(go) + "/started"),
                   what="the build to begin")
    found = {}
    for pid in procs.below(shop.lab.root):
        args = procs.arguments(pid)
        for name in (b"http-backend", b"receive-pack", b"pre-receive"):
            if name in args[1:] and b"push" not in args:
                found[name] = limits(pid)
    with open(go, "w"):
        pass
    out = push.communicate(timeout=120)[0]
    assert push.returncode == 0, out
    for name in (b"http-backend", b"receive-pack"):
        assert found[name]["Max data size"] == str(1 << 30), found
        assert found[name]["Max cpu time"] == "300", found
    assert found[b"pre-receive"]["Max data size"] == "unlimited"
    assert found[b"pre-receive"]["Max cpu time"] == "unlimited"
    dev.git("rm", "-q", "functions/other/Makefile")
    dev.push({})


def test_zipped_requests(door):
    body = b"0014command=ls-refs\n0000"
    headers = [basic(door.site.secret), ("Git-Protocol", "version=2"),
               ("Content-Type", "application/x-git-upload-pack-request")]
    target = PATH + "/git-upload-pack"
    plain = door.post(target, body, headers)
    assert plain.status == 200 and b"refs/heads/main" in plain.body
    r = door.post(target, gzip.compress(body),
                 headers + [("Content-Encoding", "gzip")])
    assert r.body == plain.body


def test_the_example_site(lab):
    """From nothing to its documents, which outlive a release."""
    shop = Deployed(lab, "http-example", "--http", PATH)
    secret = make_key(shop, "--allow", "deploy")
    kind = next(w for w in WAYS if not w.missing())
    door = kind(shop).start()
    try:
        dev = shop.developer
        dev.git("remote", "set-url", "bothy", url_of(door, secret))
        copy_example(dev.dir)
        lab.own(dev.dir)
        taken, said = dev.push({})
        assert taken and "guestbook built" in said, said
        procs.wait_for(lambda: door.get("/hello/you").status == 200,
                       what="the site to be served")
        r = door.post("/rooms/hall/messages",
                      b'{"author": "Ann", "text": "kept"}',
                      [("Content-Type", "application/json")])
        assert r.status == 201, r
        taken, said = dev.push({"www/new.html": "new"})
        assert taken and "guestbook built" not in said, said
        procs.wait_for(lambda: door.get("/new.html").body == b"new",
                       what="the next release")
        assert b"kept" in door.get("/rooms/hall/messages").body
    finally:
        door.stop()
        shop.close()


# Those, too, that hold progress back or take no large pushes.
EVERY_WAY = WAYS + [ways.LighttpdSpawned, ways.ApacheFcgid]


@pytest.mark.parametrize("kind", EVERY_WAY, ids=[w.name for w in EVERY_WAY])
def test_the_first_push(lab, kind):
    """A site is reached, and pushed to, before anything was."""
    if kind.missing():
        pytest.skip("NOT TESTED: " + kind.missing())
    shop = Deployed(lab, "first-" + kind.name, "--http", PATH)
    secret = make_key(shop, "--allow", "deploy")
    door = kind(shop).start()
    try:
        for method, target in (("GET", "/"), ("GET", "/say"),
                               ("POST", "/say"), ("OPTIONS", "/say"),
                               ("GET", "/release.json"), ("GET", "/1/tree/")):
            r = door.request(method, target,
                             body=b"" if method == "POST" else None)
            assert r.status == 503, (method, target, r)
            assert r.json()["message"] == \
                "nothing is deployed here yet; git push does it"
            assert r.header("Retry-After") == "60"
        assert door.get(RECEIVE).status == 401
        dev = shop.developer
        dev.git("remote", "set-url", "bothy", url_of(door, secret))
        taken, said = dev.push(dict(FIRST, **{"deploy.yaml": DEPLOY.replace(
            "{name:", "{basePath: /api, name:")}))
        assert taken and "release 1 is live" in said, said
        procs.wait_for(lambda: door.get("/api/say").body == b"one",
                       what="the release to be served")
        assert door.get("/say").status == 404
        # By the path that it had, and by that below the basePath.
        for place in (PATH, "/api" + PATH):
            dev.git("remote", "set-url", "bothy",
                    url_of(door, secret, place=place))
            taken, said = dev.push({"www/new": place})
            assert taken, said
    finally:
        door.stop()
        shop.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_deploys_as_who_owns_the_site():
    lab = Lab(as_root=True)
    owner = 700000 + os.getpid() % 100000
    shop = Deployed(lab, "owned", "--http", PATH)
    try:
        shop.developer.push(FIRST)
        secret = make_key(shop, "--allow", "deploy")
        for path in (shop.dir, shop.repository):
            subprocess.run(["chown", "-R", str(owner), path], check=True)
        way = ways.Lighttpd(shop).start()
        try:
            shop.developer.git("remote", "set-url", "bothy",
                               url_of(way, secret))
            taken, said = shop.developer.push({"www/index.html": "two"})
            assert taken and shop.live() == 2, said
            assert os.stat(shop.dir + "/releases/2").st_uid == owner
            assert os.stat(shop.dir + "/releases/2/tree").st_uid == owner
        finally:
            way.stop()
    finally:
        shop.close()
        lab.close()


def test_it_is_off_unless_it_is_named(lab):
    shop = Deployed(lab, "http-off")
    try:
        shop.developer.push(FIRST)
        secret = make_key(shop, "--allow", "deploy")
        shop.serve()

        def ask(target=RECEIVE):
            return fcgi.request(shop.gateway.socket, "GET", target,
                                [basic(secret)]).status

        assert ask() == 404
        lab.bothy("site", "create", shop.dir, "--http", "/a/b.git")
        assert ask() == 404
        assert ask("/a/b.git/info/refs?service=git-receive-pack") == 200
        lab.bothy("site", "create", shop.dir, "--http", "")
        assert ask("/a/b.git/info/refs?service=git-receive-pack") == 404
        for wrong in ("x", "/", "/x/", "/a//b", "/../x", "/a/../b", "/a b"):
            p = lab.bothy("site", "create", shop.dir, "--http", wrong,
                          check=False)
            assert p.returncode and "--http" in p.stderr, wrong
    finally:
        shop.close()
