"""Started by root: a function still runs as a user of its own."""
import os

import pytest

import fcgi
import procs
import ways
from lab import HERE, Lab

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

WHO_C = """#include <bothy.h>

#include <fcntl.h>
#include <unistd.h>

int
bothy_handle(struct bothy_req *req)
{
	const char *path = bothy_query(req, "read");
	int fd = path ? open(path, O_RDONLY) : -1;

	return bothy_json_new(req, 200, json_pack("{s:i, s:i, s:b}",
	    "uid", (int)getuid(), "gid", (int)getgid(), "read", fd >= 0));
}
"""

WHO_SH = """#!/bin/sh
printf 'Content-Type: text/plain\\n\\n%s %s' "$(id -u)" "$(id -g)"
"""

DEPLOY = """service: root
provider: {name: bothy, timeout: 5}
functions:
  one: {handler: who.c, events: [httpApi: 'GET /one']}
  two: {handler: who.c, events: [httpApi: 'GET /two']}
  script: {handler: who.sh, runtime: exec, events: [httpApi: 'GET /script']}
"""


@pytest.fixture(scope="module")
def root_lab():
    lab = Lab(as_root=True)
    yield lab
    lab.close()


@pytest.fixture(scope="module", params=["", "namespace", "subreaper",
                                        "cgroup"],
                ids=["chosen", "namespace", "subreaper", "cgroup"])
def gateway(request, root_lab):
    site = root_lab.site("root" + request.param, files={
        "deploy.yaml": DEPLOY, "who.c": WHO_C, "who.sh": WHO_SH})
    g = ways.Gateway(site, "root" + request.param,
                     env={"BOTHY_CONTAINMENT": request.param})
    r = get(g, "/one")
    if r.status != 200 and request.param:
        procs.stop(g.process)
        site.stop_launcher()
        assert r.status == 503, r       # 502: it is there, and fails
        pytest.skip("no rung %s here: %s" % (request.param, r.body))
    yield g
    procs.stop(g.process)
    site.stop_launcher()


def get(g, target):
    return fcgi.request(g.socket, "GET", target)


def test_function_is_not_root(gateway):
    for target in ("/one", "/two"):
        said = get(gateway, target).json()
        assert said["uid"] != 0 and said["gid"] != 0
    uid, gid = get(gateway, "/script").body.split()
    assert int(uid) != 0 and int(gid) != 0


def test_functions_do_not_share_a_user(gateway):
    """Seen from outside: in a namespace of its own each may see itself as
    the same user."""
    for target in ("/one", "/two", "/script"):
        assert get(gateway, target).status == 200
    site = gateway.site
    users = {}
    for pid in procs.below(site.state):
        exe = procs.link(pid, "exe")
        if b"/build/" in exe:
            users.setdefault(exe.rpartition(b"/")[2], set()).add(
                procs.uid(pid))
    assert set(users) == {b"one", b"two"}, users
    assert not users[b"one"] & users[b"two"]
    assert 0 not in users[b"one"] | users[b"two"]


def test_function_cannot_read_what_is_roots(gateway):
    site = gateway.site
    site.write("secret", "x", 0o600)
    for path in ("/etc/shadow", os.path.join(site.dir, "secret"),
                 os.path.join(site.state, "log", "access.jsonl")):
        assert get(gateway, "/one?read=" + path).json()["read"] is False


@pytest.mark.parametrize("cls", [ways.Lighttpd, ways.Nginx])
def test_behind_a_server_that_root_started(root_lab, cls):
    if cls.missing():
        pytest.skip(cls.missing())
    site = root_lab.site("behind-" + cls.name, os.path.join(HERE, "site"))
    way = cls(site)
    try:
        way.start()
        assert way.get("/echo/root").status == 200
        assert way.post("/script", b"x").json()["bytes"] == 1
        assert way.get("/file.txt").body == b"a file\n"
    finally:
        way.stop()
        site.stop_launcher()
