"""A changed deploy.yaml or function: swapped in without a lost request; and
logs that are moved away."""
import collections
import json
import os
import signal
import threading
import time

import pytest

import fcgi
import procs
import ways

HEAD = """service: reload
provider: {name: bothy, timeout: 3}
functions:
  version:
    handler: version.c
    events:
      - httpApi: 'GET /version'
"""

VERSION_C = """#include <bothy.h>

int
bothy_handle(struct bothy_req *req)
{
	return bothy_text(req, 200, "%%s", "%s");
}
"""


def deploy(*routes):
    return HEAD + "".join("      - httpApi: 'GET %s'\n" % r for r in routes)


class Load:
    """Requests without a pause, from several threads, all to be 200."""

    def __init__(self, way, target, threads=3):
        self.bad, self.count, self.stop = [], 0, False
        self.threads = [threading.Thread(target=self.run,
                                         args=(way, target))
                        for _ in range(threads)]

    def run(self, way, target):
        while not self.stop:
            try:
                r = way.get(target)
                if r.status != 200:
                    self.bad.append(r)
            except Exception as e:      # counts as a lost request
                self.bad.append(e)
            self.count += 1

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *exc):
        self.stop = True
        for t in self.threads:
            t.join()


@pytest.fixture(scope="module", params=[ways.Lighttpd, ways.Nginx],
                ids=["lighttpd", "nginx"])
def reloading(request, lab):
    if request.param.missing():
        pytest.skip(request.param.missing())
    name = "reload-" + request.param.name
    site = lab.site(name, files={"deploy.yaml": deploy(),
                                 "version.c": VERSION_C % "v1"})
    way = request.param(site)
    way.start()
    yield way
    way.stop()
    site.stop_launcher()


def hup(way):
    way.gateway.process.send_signal(signal.SIGHUP)


def test_ten_swaps_under_load(reloading):
    way, site = reloading, reloading.site
    with Load(way, "/version") as load:
        for i in range(10):
            site.write("deploy.yaml", deploy("/swap%d" % i))
            if i:
                hup(way)        # the first is found without being told
            procs.wait_for(lambda: way.get("/swap%d" % i).status == 200, 5,
                           "the new route")
            if i:
                procs.wait_for(
                    lambda: way.get("/swap%d" % (i - 1)).status == 404, 5,
                    "the old route to go")
    assert not load.bad, load.bad[:3]
    assert load.count > 50


def test_bad_file_keeps_the_old_one(reloading):
    way, site = reloading, reloading.site
    site.write("deploy.yaml", deploy("/kept"))
    hup(way)
    procs.wait_for(lambda: way.get("/kept").status == 200, 5)
    site.write("deploy.yaml", deploy("/kept") + "    tiemout: 3\n")
    hup(way)
    procs.wait_for(lambda: any("tiemout" in e["message"]
                               for e in site.log("gateway")), 5,
                   "the refusal in the log")
    line = [e for e in site.log("gateway") if "tiemout" in e["message"]][0]
    assert "deploy.yaml:" in line["message"] and line["level"] == "error"
    assert "timeout" in line["message"]
    assert way.get("/kept").status == 200
    site.write("deploy.yaml", deploy("/mended"))
    hup(way)
    procs.wait_for(lambda: way.get("/mended").status == 200, 5)


def test_new_binary_is_swapped_in(reloading):
    way, site = reloading, reloading.site
    assert way.get("/version").body == b"v1"
    with Load(way, "/version") as load:
        site.write("version.c", VERSION_C % "v2")
        site.lab.bothy("build", *site.places())
        procs.wait_for(lambda: way.get("/version").body == b"v2", 5,
                       "the new version")
    assert not load.bad, load.bad[:3]
    assert {way.get("/version").body for _ in range(20)} == {b"v2"}


def test_build_that_fails_changes_nothing(reloading):
    way, site = reloading, reloading.site
    version = way.get("/version").body
    site.write("version.c", "this is no C\n")
    r = site.lab.bothy("build", *site.places(), check=False)
    assert r.returncode != 0 and "version.c:1" in r.stdout + r.stderr
    hup(way)
    assert way.get("/version").body == version
    site.write("version.c", VERSION_C % version.decode())
    site.build()


def test_old_processes_drain(reloading):
    """Nothing of an old release runs on once its requests are done."""
    way, site = reloading, reloading.site
    for i in range(3):
        site.write("version.c", VERSION_C % ("d%d" % i))
        site.lab.bothy("build", *site.places())
        procs.wait_for(
            lambda: way.get("/version").body == b"d%d" % i, 5)

    def zygotes():
        return {procs.link(p, "exe") for p in procs.below(site.state)
                if b"/build/" in procs.link(p, "exe")}

    procs.wait_for(lambda: len(zygotes()) == 1, 10,
                   "old processes to leave: %r" % zygotes())


def test_default_route(reloading):
    way, site = reloading, reloading.site
    site.write("deploy.yaml", HEAD + "      - httpApi: '*'\n")
    hup(way)
    procs.wait_for(lambda: way.get("/what/ever").status == 200, 5)
    assert way.post("/x", b"").status == 200
    for target in ("/%2e%2e/x", "/a%2fb", "/%00"):
        assert way.get(target).status in (400, 404)


def test_log_rotation(reloading):
    way, site = reloading, reloading.site
    log = os.path.join(site.state, "log")
    before = way.get("/_bothy/health").header("X-Request-Id")
    site.logged("access", before)
    os.rename(os.path.join(log, "access.jsonl"),
              os.path.join(log, "access.1.jsonl"))
    held = way.get("/_bothy/health").header("X-Request-Id")
    site.logged("access.1", held)           # still the old file
    way.gateway.process.send_signal(signal.SIGUSR1)

    def moved():
        request_id = way.get("/_bothy/health").header("X-Request-Id")
        return site.log("access", request_id)

    procs.wait_for(moved, 5, "the new log file")
    assert site.log("access.1", before)
    assert not site.log("access", before)


COPIES = 3


class Asking:
    """Requests to one copy, one after the other, and the ids they had."""

    def __init__(self, copy):
        self.copy, self.ids, self.stop = copy, [], False
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stop:
            r = fcgi.request(self.copy.socket, "GET", "/_bothy/health")
            self.ids.append(r.header("X-Request-Id"))
            time.sleep(0.002)

    def opened(self):
        """The inodes of all access logs that the copy has open."""
        top, found = "/proc/%d/fd/" % self.copy.process.pid, set()
        for name in os.listdir(top):
            try:
                if "/access.jsonl" in os.readlink(top + name):
                    found.add(os.stat(top + name).st_ino)
            except FileNotFoundError:
                pass                    # closed meanwhile
        return found


def all_lines(log):
    """How often each request id stands in the logs, moved away or not."""
    seen = collections.Counter()
    for name in os.listdir(os.path.dirname(log)):
        if name.startswith(os.path.basename(log)):
            with open(os.path.join(os.path.dirname(log), name)) as f:
                seen.update(json.loads(line)["id"] for line in f
                            if line.endswith("\n"))
    return seen


def test_all_copies_see_a_log_moved_away(lab):
    """Nobody tells them: each looks, whoever has started it."""
    site = lab.site("rotate", files={
        "deploy.yaml": HEAD, "version.c": VERSION_C % "1"})
    log = os.path.join(site.state, "log", "access.jsonl")
    copies = [Asking(ways.Gateway(site, "rotate-%d" % i))
              for i in range(COPIES)]

    def all_moved():
        if not os.path.exists(log):
            return False
        inode = os.stat(log).st_ino
        return all(c.opened() == {inode} for c in copies)

    try:
        for c in copies:
            c.thread.start()
        for i in range(2):
            procs.wait_for(all_moved, what="all copies to have one log")
            os.rename(log, "%s.%d" % (log, i))
        procs.wait_for(all_moved, what="all copies to have one log")
    finally:
        for c in copies:
            c.stop = True
            c.thread.join()
            procs.stop(c.copy.process)
    assert all_lines(log) == collections.Counter(
        i for c in copies for i in c.ids)
