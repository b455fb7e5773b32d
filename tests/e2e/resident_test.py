"""Plain CGI's resident gateway: how it comes, serves and goes.

All over bothy-dispatch, run as a web server would; and once behind one.
"""
import contextlib
import itertools
import os
import shutil
import signal
import socket
import struct
import threading
import time

import pytest

import procs
import wire
from lab import together
from ways import Apache, ApacheCgi, Lighttpd, PlainCgi

IDLE_S = 2


@pytest.fixture
def home(lab):
    """A site of its own, and a way in whose resident leaves soon."""
    site = lab.site("home%d" % len(lab.sites), files={
        "deploy.yaml": DEPLOY % "one",
        "count.sh": COUNT,
        "www/page.txt": "page\n",
    })
    way = PlainCgi(site).start()
    way.env["BOTHY_RESIDENT"] = str(IDLE_S)
    yield way
    site.stop_launcher()


DEPLOY = """\
service: home
provider: {name: bothy, runtime: exec, timeout: 20}
functions:
  count:
    handler: count.sh
    environment: {WHICH: %s}
    events:
      - httpApi: '* /count'
  slow:
    handler: count.sh
    response: stream
    environment: {SLOW: 1}
    events:
      - httpApi: 'GET /slow'
"""

# Says how many bytes came, and leaves a mark for each run.
COUNT = """\
#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
if [ "$SLOW" ]; then
	for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done
	exit
fi
echo "$WHICH $(wc -c)"
"""


def settle(way):
    """A resident that answers; its pid."""
    def there():
        way.get("/count")
        return way.site.residents()

    def listens():
        return sockets(way.site)

    pids = procs.wait_for(there, 10, "a resident")
    procs.wait_for(listens, 10, "the resident to listen")
    assert way.get("/page.txt").status == 200
    assert len(way.site.residents()) == 1
    return pids[0]


def exe_of(run):
    """Did the dispatcher stay what it is, so that a resident served?"""
    while run.process.poll() is None:
        name = procs.link(run.process.pid, "exe")
        if name.endswith(b"bothy-fcgi"):
            return False
        time.sleep(0.0005)
    return True


def sockets(site):
    run = os.path.join(site.state, "run")
    return [os.path.join(run, name) for name in os.listdir(run)
            if name.endswith(".sock") and name.startswith("resident-")]


def test_first_request_leaves_one_that_goes_when_idle(home):
    assert home.get("/count").body == b"one 0\n"
    pid = settle(home)
    assert os.readlink("/proc/%d/cwd" % pid) == "/"
    assert b"HTTP_" not in procs.read(pid, "environ")
    assert b"GATEWAY_INTERFACE" not in procs.read(pid, "environ")
    assert os.getsid(pid) == pid
    for fd in (0, 1, 2):
        assert procs.link(pid, "fd/%d" % fd) == b"/dev/null"
    assert os.stat(sockets(home.site)[0]).st_mode & 0o777 == 0o600
    procs.wait_for(lambda: not procs.alive(pid), IDLE_S + 5,
                   "the resident to leave")
    assert sockets(home.site) == []
    assert home.get("/count").body == b"one 0\n"


def test_many_first_requests_start_one(home):
    for r in together(lambda i: home.get("/count"), range(12)):
        assert r.status == 200
    settle(home)
    assert len(home.site.residents()) == 1


def test_none_where_none_is_wanted(home):
    home.env["BOTHY_RESIDENT"] = "0"
    for _ in range(3):
        assert home.get("/count").status == 200
    del home.env["BOTHY_RESIDENT"]
    home.env["BOTHY_LAUNCHER"] = "private"
    assert home.get("/count").status == 200
    assert home.site.residents() == [] and sockets(home.site) == []


def test_stale_socket(home):
    """What a killed one leaves behind is nobody, and is replaced."""
    pid = settle(home)
    os.kill(pid, signal.SIGKILL)
    procs.wait_for(lambda: not procs.alive(pid), 5, "it to die")
    path, = sockets(home.site)
    assert os.path.exists(path)
    assert home.get("/count").body == b"one 0\n"
    assert settle(home) != pid


def test_socket_that_is_none(home):
    pid = settle(home)
    path, = sockets(home.site)
    os.kill(pid, signal.SIGKILL)
    procs.wait_for(lambda: not procs.alive(pid), 5, "it to die")
    os.unlink(path)
    os.mkdir(path)
    assert home.get("/count").body == b"one 0\n"
    os.rmdir(path)


def test_one_that_takes_none_in(home):
    """A socket whose owner dies with what came: served by another."""
    with impostor(home):
        runs = [home.run("GET", "/count"),
                home.run("POST", "/count", body=b"x" * 5000)]
        time.sleep(0.3)
    assert [r.reply().body for r in runs] == [b"one 0\n", b"one 5000\n"]


def records(*parts, padding=0):
    """FastCGI records of a reply, and its end."""
    out = b""
    for kind, content in (*parts, (3, b"\0" * 8)):
        out += struct.pack(">BBHHBB", 1, kind, 1, len(content), padding, 0)
        out += content + b"p" * padding
    return out


def read_request(c):
    """Parameters and body of a FastCGI request, to its end mark."""
    f = c.makefile("rb")
    streams = {4: b"", 5: b""}
    while True:
        version, kind, number, length, padding, _ = struct.unpack(
            ">BBHHBB", f.read(8))
        assert (version, number) == (1, 1)
        content = f.read(length)
        f.read(padding)
        if kind == 1:
            assert content == b"\0\1" + b"\0" * 6
        elif content:
            streams[kind] += content
        elif kind == 5:
            break
    params, at, text = {}, 0, streams[4]
    while at < len(text):
        sizes = []
        for _ in range(2):
            size, width = text[at], 1
            if size > 127:
                size = struct.unpack_from(">I", text, at)[0] & 0x7fffffff
                width = 4
            sizes.append(size)
            at += width
        name = text[at:at + sizes[0]]
        at += sizes[0] + sizes[1]
        params[name] = text[at - sizes[1]:at]
    return params, streams[5]


@contextlib.contextmanager
def impostor(home):
    """A socket of ours where the resident's was."""
    pid = settle(home)
    path, = sockets(home.site)
    os.kill(pid, signal.SIGKILL)
    procs.wait_for(lambda: not procs.alive(pid), 5, "it to die")
    os.unlink(path)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)
        os.chmod(path, 0o777)
        s.listen()
        yield s


def test_parameters_and_bodies_of_all_sizes(home):
    body = bytes(range(256)) * 1000
    sizes = (0, 1, 126, 127, 128, 65528 - 2000, 65536, 100000)
    requests = []

    def serve(s):
        for size in sizes:
            c, _ = s.accept()
            requests.append(read_request(c))
            c.sendall(records((6, b"Status: 200 OK\r\n\r\n%d" % size)))
            c.close()

    with impostor(home) as s:
        thread = threading.Thread(target=serve, args=(s,), daemon=True)
        thread.start()
        replies = [home.post("/count", body, [("Long", "v" * size)]).body
                   for size in sizes]
        thread.join(5)
    assert replies == [b"%d" % size for size in sizes]
    for size, (params, came) in zip(sizes, requests):
        assert came == body
        assert params[b"HTTP_LONG"] == b"v" * size
        assert params[b"REQUEST_METHOD"] == b"POST"


@pytest.mark.parametrize("piece", [1, 7, 100000])
def test_records_in_any_pieces(home, piece):
    reply = b"Status: 200 OK\r\n\r\n" + b"0123456789" * 300
    data = records((6, reply[:10]), (7, b"a word\n"), (6, reply[10:2000]),
                   (11, b"unknown"), (6, reply[2000:]), (6, b""), padding=5)
    with impostor(home) as s:
        run = home.run("GET", "/count")
        c, _ = s.accept()
        read_request(c)
        try:
            for at in range(0, len(data), piece):
                c.sendall(data[at:at + piece])
        except BrokenPipeError:
            pass            # it has seen the last record's header, and left
        assert run.reply().body == b"0123456789" * 300
        assert run.stderr == b"a word\n"
        assert run.process.returncode == 0
        c.close()


@pytest.mark.parametrize("took", [b"", b"\1\6\0\1\0\4\0\0abcd"],
                         ids=["silent", "begun"])
def test_one_that_dies_with_a_request(home, took):
    """It had all of the request: nobody asks again, and the error is clear."""
    with impostor(home) as s:
        run = home.run("GET", "/count")
        c, _ = s.accept()
        read_request(c)
        c.sendall(took)
        c.close()
    if took:
        with pytest.raises(wire.Broken):
            run.reply()
    else:
        r = run.reply()
        assert r.status == 502 and r.json()["message"]
        assert b"ended before it answered" in run.stderr
    assert run.process.returncode == 1


def test_killed_under_load(home):
    """kill -9, again and again: each request is served, or told clearly."""
    settle(home)
    stop = threading.Event()
    statuses, broken = [], []

    def client(i):
        while not stop.is_set():
            try:
                r = home.get("/count")
                statuses.append(r.status)
                assert r.status in (200, 502), r
                assert r.status != 200 or r.body == b"one 0\n"
            except (AssertionError, wire.Broken) as e:
                broken.append(e)

    threads = [threading.Thread(target=client, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    kills = 0
    until = time.monotonic() + 8
    while time.monotonic() < until:
        time.sleep(0.5)
        for pid in home.site.residents():
            os.kill(pid, signal.SIGKILL)
            kills += 1
    stop.set()
    for t in threads:
        t.join()
    assert not broken, broken[:3]
    assert kills >= 1
    assert statuses.count(502) <= 6 * kills
    assert statuses.count(200) > kills


def test_terminated_under_load(home):
    """One that leaves in peace loses nobody."""
    settle(home)
    stop = threading.Event()
    signals = itertools.cycle([signal.SIGTERM, signal.SIGXCPU])
    bad = []

    def client(i):
        while not stop.is_set():
            r = home.post("/count", b"y" * 100) if i % 2 else \
                home.get("/count")
            if r.status != 200:
                bad.append(r)

    threads = [threading.Thread(target=client, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    until = time.monotonic() + 7
    while time.monotonic() < until:
        time.sleep(0.5)
        for pid in home.site.residents():
            procs.end(pid, next(signals))
    stop.set()
    for t in threads:
        t.join()
    assert not bad, bad[:3]


def test_new_configuration_at_once(home):
    settle(home)
    for i in range(5):
        home.site.write("deploy.yaml", DEPLOY % ("number%d" % i))
        assert home.get("/count").body == b"number%d 0\n" % i
    home.site.write("deploy.yaml", "nonsense: true\n")
    assert home.get("/count").body == b"number4 0\n"
    home.site.write("deploy.yaml", DEPLOY % "last")
    procs.wait_for(lambda: home.get("/count").body == b"last 0\n", 3,
                   "the mended file to be in use")


def test_another_release_is_not_asked(home):
    """A new bothy-fcgi in the old one's place is another gateway."""
    pid = settle(home)
    path = home.lab.path("bin", "bothy-fcgi")
    info = os.stat(path)
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns + 1))
    try:
        run = home.run("GET", "/count")
        assert not exe_of(run)
        assert run.reply().body == b"one 0\n"
        procs.wait_for(lambda: not procs.alive(pid), IDLE_S + 5,
                       "the old one to leave")
    finally:
        os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def test_other_settings_are_not_shared(home):
    settle(home)
    home.env["BOTHY_STAGE"] = "other"
    run = home.run("GET", "/count")
    assert not exe_of(run)
    assert run.reply().status == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_large_body(home, chunked):
    settle(home)
    body = b"0123456789abcdef" * (50 << 16)
    r = home.post("/count", body, chunked=chunked, timeout=60)
    assert r.body == b"one %d\n" % len(body)


def test_body_that_is_too_large(home):
    settle(home)
    run = home.run("POST", "/count", body=b"z" * (101 << 20))
    r = run.reply()
    assert r.status == 413, r


def test_stream(home):
    settle(home)
    r = home.get("/slow")
    assert r.body == b"1\n2\n3\n4\n5\n6\n"
    assert len(r.times) >= 3
    assert r.times[-1][0] - r.times[0][0] > 1


@pytest.mark.parametrize("how", ["close", "kill"])
def test_client_leaves(home, how):
    """The web server ends the program, or just reads no more."""
    settle(home)
    run = home.run("GET", "/slow")
    assert run.process.stdout.read1(1 << 16)
    if how == "kill":
        run.process.terminate()
    run.process.stdout.close()
    run.process.wait(60)
    run.process.stderr.close()

    def logged():
        return [e for e in home.site.log("access")
                if e["path"] == "/slow" and e["outcome"] == "client-left"]

    procs.wait_for(logged, 2, "the function to be ended")


def test_arguments_are_nobodys(home):
    """A query string becomes arguments under some web servers."""
    run = home.run("GET", "/count")
    run.reply()
    out = home.lab.popen(
        [home.lab.path("bin", "bothy-fcgi"), "--help"],
        env=dict(home.env, GATEWAY_INTERFACE="CGI/1.1",
                 REQUEST_METHOD="GET", REQUEST_URI="/count",
                 SCRIPT_NAME="", PATH_INFO="/count"),
        stdout=-1, stderr=-1).communicate()[0]
    assert b"\r\n\r\none 0\n" in out


class LighttpdCgi(Lighttpd):
    name = "lighttpd-cgi"
    external = False
    text = """
server.document-root = "{root}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{root}/error.log"
server.upload-dirs = ("{root}")
server.modules += ("mod_rewrite", "mod_cgi")
server.stream-response-body = 1
cgi.assign = (".cgi" => "")
url.rewrite-once = ("^/(.*)$" => "/dispatch.cgi/$1")
"""

    def config(self):
        install(self.site, self.root)
        return self.text.format(root=self.root, port=self.port,
                                modules="/usr/lib/apache2/modules")


class ApacheModCgi(LighttpdCgi):
    """Not mod_cgid: a process for each request, as old shared hosts have."""
    name = "apache-mod-cgi"
    program = "apache2"
    start_args = Apache.start_args
    text = """
ServerRoot "{root}"
ServerName localhost
Listen 127.0.0.1:{port}
PidFile "{root}/apache.pid"
ErrorLog "{root}/error.log"
DefaultRuntimeDir "{root}"
LoadModule mpm_prefork_module "{modules}/mod_mpm_prefork.so"
LoadModule authz_core_module "{modules}/mod_authz_core.so"
LoadModule alias_module "{modules}/mod_alias.so"
LoadModule cgi_module "{modules}/mod_cgi.so"
ScriptAlias "/" "{root}/dispatch.cgi/"
<Directory "{root}">
	Require all granted
</Directory>
"""


def install(site, root):
    """The dispatcher with its file, in a directory of its own."""
    os.makedirs(root)
    shutil.copy(site.lab.path("bin", "bothy-dispatch"),
                os.path.join(root, "dispatch.cgi"))
    with open(os.path.join(root, "bothy.site"), "w") as f:
        f.write("site=%s\nstate=%s\ngateway=%s\nresident=%d\n" % (
            site.dir, site.state, site.lab.path("bin", "bothy-fcgi"), IDLE_S))
    site.lab.own(root)


@pytest.mark.parametrize("server", [LighttpdCgi, ApacheModCgi],
                         ids=lambda server: server.name)
def test_behind_a_server(home, server):
    """With the first request, with a resident, and when it is gone."""
    if server.missing():
        pytest.skip(server.missing())
    way = server(home.site).start()
    try:
        assert way.get("/count").body == b"one 0\n"
        pid = settle(way)
        for size in (0, 1, 70000, 3 << 20):
            assert way.post("/count", b"x" * size).body == b"one %d\n" % size
        r = way.get("/slow")
        assert r.body == b"1\n2\n3\n4\n5\n6\n"
        assert r.times[-1][0] - r.times[0][0] > 1
        leave(way)
        os.kill(pid, signal.SIGKILL)
        for r in together(lambda i: way.get("/count"), range(8)):
            assert r.body == b"one 0\n"
        procs.wait_for(lambda: not home.site.residents(), IDLE_S + 10,
                       "the resident to leave")
        assert way.get("/count").body == b"one 0\n"
    finally:
        way.stop()


def leave(way):
    """A client goes in the middle of a stream, which ends with it."""
    c = wire.Connection(way.port)
    c.send("GET", "/slow")
    time.sleep(0.7)
    c.close()
    procs.wait_for(
        lambda: [e for e in way.site.log("access")
                 if e["path"] == "/slow" and e["outcome"] == "client-left"],
        3, "the function to be ended")


def test_behind_apache(home):
    """The .htaccess and what lies beside it, as `bothy config` puts them."""
    if ApacheCgi.missing():
        pytest.skip(ApacheCgi.missing())
    way = ApacheCgi(home.site).start()
    try:
        r = way.get("/count?--help+--site+/nowhere")
        assert r.body == b"one 0\n"
        settle(way)
        assert way.get("/count?--help+--site+/nowhere").body == b"one 0\n"
    finally:
        way.stop()
