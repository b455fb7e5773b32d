"""Programs that nobody here wrote: git http-backend, cgit, php-cgi, CGI.pm."""
import hashlib
import os
import shutil
import subprocess

import pytest

import ways
from lab import HERE

GATEWAY = ("--max-body", "100")
WAYS = [ways.Lighttpd, ways.Nginx, ways.Apache, ways.Caddy, ways.ApacheFcgid,
        ways.ApacheCgi]


@pytest.fixture(scope="module")
def programs(lab):
    repositories = lab.path("repositories")
    os.mkdir(repositories)
    lab.own(repositories)
    git(lab, "init", "-q", "--bare", "-b", "main",
        os.path.join(repositories, "seed.git"))
    files = {}
    for name in ("deploy.yaml", "cgitrc"):
        with open(os.path.join(HERE, "programs", name)) as f:
            files[name] = f.read().replace(
                "@REPOSITORIES@", repositories).replace(
                "@SITE@", lab.path("programs"))
    site = lab.site("programs", os.path.join(HERE, "programs"), files)
    yield site
    site.stop_launcher()


@pytest.fixture(scope="module", params=WAYS, ids=[w.name for w in WAYS])
def program_way(request, programs):
    if request.param.missing():
        pytest.skip(request.param.missing())
    cls = type(request.param.__name__, (request.param,),
               {"gateway_options": GATEWAY})
    way = cls(programs)
    way.start()
    yield way
    way.stop()


def need(path):
    if not os.path.exists(path):
        pytest.skip(path + " is not installed")


def git(lab, *args, cwd=None):
    env = lab.environment(
        GIT_CONFIG_NOSYSTEM="1", GIT_TERMINAL_PROMPT="0",
        GIT_AUTHOR_NAME="e2e", GIT_AUTHOR_EMAIL="e2e@example.org",
        GIT_COMMITTER_NAME="e2e", GIT_COMMITTER_EMAIL="e2e@example.org")
    p = lab.popen(["git", *args], env=env, cwd=cwd or lab.root,
                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = p.communicate(timeout=60)
    assert p.returncode == 0, (args, out.decode(), err.decode())
    return out.decode()


def new_repository(lab, name):
    bare = os.path.join(lab.path("repositories"), name)
    shutil.rmtree(bare, ignore_errors=True)
    git(lab, "init", "-q", "--bare", "-b", "main", bare)
    git(lab, "-C", bare, "config", "http.receivepack", "true")
    return bare


def test_git_clone_and_push(program_way):
    need("/usr/lib/git-core/git-http-backend")
    way, lab = program_way, program_way.lab
    name = way.name + ".git"
    bare = new_repository(lab, name)
    url = "http://127.0.0.1:%d/git/%s" % (way.port, name)
    one, two = lab.path("one-" + way.name), lab.path("two-" + way.name)
    git(lab, "clone", "-q", url, one)
    with open(os.path.join(one, "file"), "wb") as f:
        # Over git's post buffer of 1 MB it is sent in chunks.
        f.write(os.urandom(50000 if way.lacks("large-body") else 3 << 20))
    lab.own(one)
    git(lab, "add", "file", cwd=one)
    git(lab, "commit", "-q", "-m", "first", cwd=one)
    git(lab, "push", "-q", "origin", "HEAD:main", cwd=one)
    git(lab, "clone", "-q", url, two)
    with open(os.path.join(one, "file"), "rb") as a, \
            open(os.path.join(two, "file"), "rb") as b:
        assert a.read() == b.read()
    head = git(lab, "rev-parse", "HEAD", cwd=one)
    assert git(lab, "-C", bare, "rev-parse", "main") == head
    with open(os.path.join(two, "other"), "w") as f:
        f.write("more")
    lab.own(two)
    git(lab, "add", "other", cwd=two)
    git(lab, "commit", "-q", "-m", "second", cwd=two)
    git(lab, "push", "-q", "origin", "HEAD:main", cwd=two)
    git(lab, "pull", "-q", "origin", "main", cwd=one)
    assert os.path.exists(os.path.join(one, "other"))


def test_git_refuses_what_is_not_there(program_way):
    need("/usr/lib/git-core/git-http-backend")
    r = program_way.get("/git/none.git/info/refs?service=git-upload-pack")
    assert r.status == 404
    for path in ("/git/../programs/deploy.yaml", "/git/%2e%2e/x"):
        assert program_way.get(path).status in (400, 403, 404)


def test_cgit(program_way):
    need("/usr/lib/cgit/cgit.cgi")
    r = program_way.get("/cgit/")
    assert r.status == 200 and b"seed.git" in r.body
    assert r.header("Content-Type").startswith("text/html")
    r = program_way.get("/cgit/seed.git/")
    assert r.status == 200 and b"/cgit/seed.git/" in r.body
    assert program_way.get("/cgit/none.git/").status == 404


def test_php(program_way):
    need("/usr/bin/php-cgi")
    r = program_way.post(
        "/php/some/path?a=1&b%5B%5D=2", b"x=y&z=%C3%B6",
        [("Content-Type", "application/x-www-form-urlencoded"),
         ("Cookie", "k=v")])
    assert r.status == 200, r
    assert r.header("X-Php") == "cgi-fcgi"
    assert r.header("Set-Cookie") == "seen=yes"
    said = r.json()
    assert said["get"] == {"a": "1", "b": ["2"]}
    assert said["post"] == {"x": "y", "z": "\u00f6"}
    assert said["cookie"] == {"k": "v"} and said["method"] == "POST"


def test_php_status_and_redirect(program_way):
    need("/usr/bin/php-cgi")
    assert program_way.get("/php/x?status=418").status == 418
    r = program_way.get("/php/x?to=https://example.org/")
    assert r.status == 302
    assert r.header("Location") == "https://example.org/"


def test_php_upload(program_way):
    need("/usr/bin/php-cgi")
    data = os.urandom(60000)
    body = (b"--b\r\nContent-Disposition: form-data; name=\"f\"; "
            b"filename=\"x.bin\"\r\nContent-Type: application/octet-stream"
            b"\r\n\r\n" + data + b"\r\n--b--\r\n")
    r = program_way.post("/php/up", body, [
        ("Content-Type", "multipart/form-data; boundary=b")])
    assert r.json()["file"] == hashlib.md5(data).hexdigest()


def test_perl(program_way):
    need("/usr/share/perl5/CGI.pm")
    r = program_way.get("/perl?name=World")
    assert r.status == 200 and b"<h1>Hello World</h1>" in r.body
    assert r.header("Set-Cookie").startswith("visit=first")
    r = program_way.post("/perl", b"name=Post", [
        ("Content-Type", "application/x-www-form-urlencoded")])
    assert b"Hello Post" in r.body and b"method POST" in r.body
    lines = program_way.site.logged("perl", r.header("X-Request-Id"))
    assert [e["text"] for e in lines] == ["said hello"]
    r = program_way.get("/perl?to=https://example.org/p")
    assert r.status == 302
