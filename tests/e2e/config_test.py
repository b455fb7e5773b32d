"""What `bothy config` prints, for sites in places with odd names."""
import pytest

import procs
import ways

DEPLOY = """service: odd
provider: {name: bothy, runtime: exec, basePath: /v1.0}
functions:
  hello:
    handler: hello.sh
    events: [httpApi: 'GET /hello']
"""

HELLO = """#!/bin/sh
printf 'Content-Type: text/plain\\n\\nhello\\n'
"""

SERVERS = [w for w in ways.ALL if issubclass(w, ways.Server)]


NAME = "two words, sch\u00f6n & (b+c) ~@=!"


@pytest.fixture(scope="module")
def sites(lab):
    return {name: lab.site(name, files={
        "deploy.yaml": DEPLOY, "hello.sh": HELLO})
        for name in (NAME, NAME.replace(" ", "_"))}


@pytest.mark.parametrize("server", SERVERS, ids=lambda w: w.name)
def test_odd_places_and_a_base_path(sites, server):
    if server.missing():
        pytest.skip(server.missing())
    no_spaces = server is ways.ApacheFcgid
    way = server(sites[NAME.replace(" ", "_") if no_spaces else NAME])
    way.up = lambda: way.process.poll() is None and said(way, "/v1.0/hello")
    try:
        way.start()
        assert not said(way, "/v1x0/hello")     # a dot is a dot
        assert not said(way, "/v1.0hello")
        assert not said(way, "/hello")
    finally:
        way.stop()


class LighttpdAlone(ways.LighttpdSpawned):
    """As one has it who names no socket."""

    def start(self):
        return ways.Lighttpd.start(self)

    def config(self):
        self.config_args = ["--spawned"]
        return ways.Lighttpd.config(self)


def test_a_gateway_is_spawned_where_none_ever_ran(lab):
    if LighttpdAlone.missing():
        pytest.skip(LighttpdAlone.missing())
    way = LighttpdAlone(lab.site("fresh", files={
        "deploy.yaml": DEPLOY, "hello.sh": HELLO}))
    way.up = lambda: way.process.poll() is None and said(way, "/v1.0/hello")
    try:
        way.start()
    finally:
        way.stop()


@pytest.mark.parametrize("args,said", [
    (["apache-fcgid", "--install", "a b"], "with a space in its name"),
    (["nginx", "--socket", "/it's"], "holds byte 0x27"),
    (["caddy", "--socket", "/" + 107 * "x"], "has 108 bytes"),
    (["lighttpd", "--socket", "/a\nb"], "holds byte 0x0a")])
def test_what_no_server_can_take_is_refused(lab, sites, args, said):
    r = lab.bothy("config", *args, *sites[NAME].places(), check=False)
    assert r.returncode == 1 and not r.stdout
    assert said in r.stderr


def said(way, target):
    try:
        r = way.get(target)
    except OSError:
        return False
    return r.status == 200 and r.body == b"hello\n"
