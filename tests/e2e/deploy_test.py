"""git push is the deployment: what is pushed goes live whole, or is refused
and changes nothing."""
import fcntl
import json
import os
import shutil
import signal
import subprocess
import threading

import pytest

import fcgi
import procs
import ways
from lab import HERE, Lab, Site
from ssh_test import SSHD, server       # noqa: F401  (a fixture)

TOP = os.path.join(HERE, "..", "..")

SAY_C = """#include <bothy.h>

int
bothy_handle(struct bothy_req *req)
{
	return bothy_text(req, 200, "%%s", "%s");
}
"""

DEPLOY = """service: shop
provider: {name: bothy, timeout: 20}
functions:
  say: {handler: functions/say/say.c, events: [httpApi: 'GET /say']}
  other: {handler: functions/other, events: [httpApi: 'GET /other']}
"""

FIRST = {
    "deploy.yaml": DEPLOY,
    "functions/say/say.c": SAY_C % "one",
    "functions/other/other.c": SAY_C % "other",
    "www/index.html": "one",
}

# A program that is pushed as it is.
PAGE_SH = """#!/bin/sh
printf 'Content-Type: text/plain\\n\\n%s'
"""


class Developer:
    """A working tree with the site as its remote."""

    def __init__(self, lab, name, url, env=None):
        self.lab, self.dir = lab, lab.path(name)
        self.env = env or lab.environment(GIT_CONFIG_NOSYSTEM="1")
        os.makedirs(self.dir)
        lab.own(self.dir)
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "Ann")
        self.git("config", "user.email", "ann@example.org")
        self.git("config", "core.symlinks", "true")
        self.git("remote", "add", "bothy", url)

    def start(self, *args, **options):
        return self.lab.popen(["git", *args], cwd=self.dir, env=self.env,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, **options)

    def git(self, *args, check=True, stdin=None):
        more = {"stdin": subprocess.PIPE} if stdin is not None else {}
        p = self.start(*args, **more)
        out = p.communicate(stdin, timeout=300)[0].decode(errors="replace")
        assert not check or p.returncode == 0, (args, out)
        return p.returncode, out

    def write(self, files):
        for path, text in files.items():
            full = os.path.join(self.dir, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w") as f:
                f.write(text)
            os.chmod(full, 0o755 if path.endswith(".sh") else 0o644)
        self.lab.own(self.dir)

    def commit(self, files=None, message="a change"):
        self.write(files or {})
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def push(self, files=None, check=True):
        """Commits and pushes; gives whether it was taken, and what was
        said."""
        if files is not None:
            self.commit(files)
        code, out = self.git("push", "bothy", "main", check=check)
        return code == 0, out

    def refused(self, files=None):
        taken, out = self.push(files, check=False)
        assert not taken, out
        return out


class Deployed(Site):
    """A site that `bothy site create` made, with someone who pushes to it."""

    def __init__(self, lab, name, *options, url=None, env=None):
        Site.__init__(self, lab, name)
        lab.sites.append(self)
        lab.bothy("site", "create", self.dir, *options)
        self.state = os.path.join(self.dir, ".bothy")
        self.repository = self.dir + ".git"
        self.developer = Developer(lab, name.replace("/", "-") + "-dev",
                                   url or self.repository, env)
        self.gateway = None

    def live(self):
        try:
            return int(os.readlink(self.dir + "/live").split("/")[1])
        except FileNotFoundError:
            return 0

    def numbers(self):
        return sorted(int(n) for n in os.listdir(self.dir + "/releases"))

    def bothy(self, *args, **more):
        return self.lab.bothy("--site", self.dir, *args, **more)

    def serve(self):
        self.gateway = ways.Gateway(self, self.name)

    def get(self, target="/say"):
        return fcgi.request(self.gateway.socket, "GET", target)

    def says(self, text, target="/say"):
        """Waits until the gateway has noticed what is live."""
        procs.wait_for(lambda: self.get(target).body.decode() == text,
                       what="%s to say %s" % (target, text))

    def close(self):
        if self.gateway:
            procs.stop(self.gateway.process)
        self.stop_launcher()
        self.stop_store()


@pytest.fixture
def shop(lab):
    shop = Deployed(lab, "shop%d" % len(lab.sites))
    yield shop
    shop.close()


def test_what_is_pushed_serves(shop):
    taken, said = shop.developer.push(FIRST)
    assert taken and shop.live() == 1, said
    assert "say built" in said and "other built" in said, said
    assert "release 1 is live" in said and "GET     /say" in said, said
    shop.serve()
    assert shop.get().body == b"one"
    assert shop.get("/").body == b"one"
    taken, said = shop.developer.push({
        "functions/say/say.c": SAY_C % "two", "www/index.html": "two"})
    assert "say built" in said and "other built" not in said, said
    shop.says("two")
    assert shop.get("/").body == b"two"
    assert shop.get("/other").body == b"other"
    assert shop.bothy("invoke", "say").stdout.strip() == "two"
    refused = shop.bothy("build", check=False)
    assert refused.returncode != 0 and "git push" in refused.stderr


def test_a_release_says_what_it_is(shop):
    shop.developer.push(FIRST)
    shop.developer.push({"functions/say/say.c": SAY_C % "two"})
    commit = shop.developer.git("rev-parse", "HEAD")[1].strip()
    rows = json.loads(shop.bothy("releases", "--json").stdout)
    assert [r["release"] for r in rows] == [2, 1]
    assert [r["state"] for r in rows] == ["live", ""]
    assert rows[0]["commit"] == commit
    assert rows[0]["author"] == "Ann <ann@example.org>"
    assert rows[0]["subject"] == "a change"
    assert rows[0]["changed"] == "say; 1 file"
    assert rows[1]["changed"] == "say, other"
    assert rows[0]["mb"] > 0
    assert "2 are kept" not in shop.bothy("releases").stdout


def test_compile_errors_are_told_and_refused(shop):
    shop.developer.push(FIRST)
    said = shop.developer.refused({
        "functions/say/say.c": SAY_C % "two" + "int x = nothing;\n"})
    assert "functions/say/say.c:8:9: error: " in said, said
    assert "release 1 serves on" in said, said
    assert shop.live() == 1 and shop.numbers() == [1]
    assert os.listdir(shop.dir + "/releases/1/bin")
    taken, said = shop.developer.push({
        "functions/say/say.c": SAY_C % "two"})
    assert taken and shop.live() == 2, said


def test_no_ref_moves_without_a_release(shop):
    """git goes on where its shell can't read the hook that makes one."""
    shop.developer.push(FIRST)
    hook = shop.repository + "/hooks/pre-receive"
    with open(hook) as f:
        body = f.read()
    with open(hook, "w") as f:
        f.write("#!/bin/sh\n")
    said = shop.developer.refused({"functions/say/say.c": SAY_C % "two"})
    assert "there is none: push again" in said, said
    with open(hook, "w") as f:
        f.write(body)
    taken, said = shop.developer.push({"www/more.html": "more"})
    assert taken and shop.live() == 2 and shop.numbers() == [1, 2], said


def test_errors_in_deploy_yaml_are_told_and_refused(shop):
    said = shop.developer.refused(dict(FIRST, **{
        "deploy.yaml": DEPLOY + "  more: {handlr: x.c}\n"}))
    assert "deploy.yaml:6:" in said and "handler" in said, said
    assert shop.live() == 0 and shop.numbers() == []
    said = shop.developer.refused({"deploy.yaml": DEPLOY.replace(
        "say.c,", "say.c, paths: {write: [data]},")})
    assert "lies in the release" in said, said


def test_secrets_must_be_there_first(shop):
    files = dict(FIRST, **{"deploy.yaml": DEPLOY.replace(
        "say.c,", "say.c, environment: {KEY: '${secret:KEY}'},")})
    said = shop.developer.refused(files)
    assert "bothy --stage prod secret set KEY" in said, said
    p = shop.lab.popen(
        [shop.lab.path("bin", "bothy"), "--site", shop.dir, "--stage", "prod",
         "secret", "set", "KEY"], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert p.communicate(b"hidden\n")[1] == b"" and p.returncode == 0
    taken, said = shop.developer.push()
    assert taken and shop.live() == 1, said


def test_only_the_branch_is_pushed(shop):
    dev = shop.developer
    dev.push(FIRST)
    code, said = dev.git("push", "bothy", "main:more", check=False)
    assert code != 0 and "deployed from main alone" in said, said
    code, said = dev.git("push", "bothy", ":main", check=False)
    assert code != 0 and "can't be deleted" in said, said
    assert shop.live() == 1


def test_rolling_back_is_one_command(shop):
    dev = shop.developer
    dev.push(FIRST)
    dev.push({"functions/say/say.c": SAY_C % "two"})
    shop.serve()
    assert shop.get().body == b"two"
    assert "release 1 is live, 2 was" in shop.bothy("rollback").stdout
    shop.says("one")
    refused = shop.bothy("rollback", check=False)
    assert "no release before 1" in refused.stderr
    refused = shop.bothy("rollback", "7", check=False)
    assert "there is no release 7" in refused.stderr and shop.live() == 1
    shop.bothy("rollback", "2")
    shop.says("two")
    dev.push({"functions/say/say.c": SAY_C % "three"})
    shop.says("three")
    assert shop.live() == 3


def test_old_releases_go_but_not_while_they_run(lab):
    shop = Deployed(lab, "shop-keep", "--keep", "2")
    try:
        shop.developer.push(dict(FIRST, **{"deploy.yaml": DEPLOY +
            "  page: {handler: page.sh, runtime: exec, events: "
            "[httpApi: 'GET /page']}\n", "page.sh": PAGE_SH % 1}))
        shop.serve()
        assert shop.get("/page").body == b"1"
        for i in (2, 3, 4):
            shop.developer.push({"page.sh": PAGE_SH % i})
            shop.says(str(i), "/page")
        # The launcher has not forgotten them.
        assert shop.numbers() == [1, 2, 3, 4]
        shop.close()
        shop.gateway = None
        shop.developer.push({"page.sh": PAGE_SH % 5})
        assert shop.numbers() == [4, 5] and shop.live() == 5
    finally:
        shop.close()


class Load:
    """Requests without a pause, each to be answered by one release."""

    def __init__(self, shop, threads=3):
        self.shop, self.bad, self.seen, self.stop = shop, [], [], False
        self.threads = [threading.Thread(target=self.run)
                        for _ in range(threads)]

    def run(self):
        while not self.stop:
            try:
                r = self.shop.get("/both")
                self.seen.append(r.body)
                halves = r.body.split()
                if r.status != 200 or len(halves) != 2 or \
                        halves[0] != halves[1]:
                    self.bad.append((r.status, r.body))
            except Exception as e:      # counts as a lost request
                self.bad.append(e)

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *exc):
        self.stop = True
        for t in self.threads:
            t.join()


# Half of the reply is compiled in, half lies beside it in the release.
BOTH_C = """#include <bothy.h>

#include <stdio.h>

int
bothy_handle(struct bothy_req *req)
{
	char half[16] = "";
	FILE *f = fopen("half", "r");

	if (!f || !fgets(half, sizeof half, f))
		return bothy_text(req, 500, "no half");
	fclose(f);
	return bothy_text(req, 200, "%s %%s", half);
}
"""


def test_no_request_is_lost_or_mixed(shop):
    deploy = """service: shop
provider: {name: bothy, timeout: 20}
functions:
  both: {handler: functions/both, events: [httpApi: 'GET /both']}
"""

    def files(i):
        return {"deploy.yaml": deploy, "functions/both/half": str(i),
                "functions/both/both.c": BOTH_C % i}

    shop.developer.push(files(0))
    shop.serve()
    with Load(shop) as load:
        for i in range(1, 7):
            shop.developer.push(files(i))
            shop.says("%d %d" % (i, i), "/both")
    assert not load.bad, load.bad[:3]
    assert set(load.seen) == {b"%d %d" % (i, i) for i in range(7)}


def test_a_push_that_git_refuses_never_goes_live(shop):
    shop.developer.push(FIRST)
    hook = shop.repository + "/hooks/update"
    with open(hook, "w") as f:
        f.write("#!/bin/sh\nexit 1\n")
    os.chmod(hook, 0o755)
    said = shop.developer.refused({"functions/say/say.c": SAY_C % "two"})
    assert "release 2 is ready" in said and shop.live() == 1
    os.unlink(hook)
    taken, said = shop.developer.push()
    assert taken and "say built" not in said, said
    assert shop.live() == 2 and shop.numbers() == [1, 2]


@pytest.mark.parametrize("by", ["gateway", "command"])
def test_killed_before_the_switch_it_goes_live_later(shop, by):
    shop.developer.push(FIRST)
    hook = shop.repository + "/hooks/reference-transaction"
    with open(hook) as f:
        right = f.read()
    with open(hook, "w") as f:
        f.write("#!/bin/sh\nexit 0\n")
    taken, said = shop.developer.push({
        "functions/say/say.c": SAY_C % "two"})
    assert taken and "not live" in said and shop.live() == 1, said
    with open(hook, "w") as f:
        f.write(right)
    if by == "gateway":
        shop.serve()
        assert shop.get().body == b"two"
    else:
        shop.bothy("releases")
    assert shop.live() == 2
    assert not os.path.exists(shop.dir + "/deploy/prepared")


def test_a_rollback_is_not_taken_back_by_a_killed_push(shop):
    """It had to wait while the push was not live yet."""
    shop.developer.push(FIRST)
    hook = shop.repository + "/hooks/reference-transaction"
    with open(hook, "w") as f:
        f.write("#!/bin/sh\nexit 0\n")
    shop.developer.push({"www/index.html": "two"})
    assert shop.live() == 1
    with open(shop.dir + "/deploy/lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        back = shop.lab.popen(
            [shop.lab.path("bin", "bothy"), "--site", shop.dir, "rollback"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

        def waits():
            with open("/proc/locks") as f:
                return any("->" in x and " %d " % back.pid in x for x in f)

        procs.wait_for(waits, what="the rollback to wait for the lock")
    said = back.communicate(timeout=120)[0].decode()
    assert back.returncode == 0 and "release 1 is live, 2 was" in said, said
    shop.bothy("releases")
    assert shop.live() == 1


# Tells that it runs, and goes on for long.
SLOW_MAKE = """$(OUT):
	echo here >started
	sleep 1000
"""


def slow(shop):
    """A push that hangs in its build."""
    shop.developer.commit({"functions/other/Makefile": SLOW_MAKE})
    push = shop.developer.start("push", "bothy", "main")
    procs.wait_for(lambda: os.path.exists(
        shop.dir + "/deploy/sources/functions/other/started"),
        what="the build to begin")
    return push


def test_killed_in_its_midst_the_next_push_is_clean(shop):
    shop.developer.push(FIRST)
    push = slow(shop)
    names = (b"receive-pack", b"pre-receive")
    for pid in procs.descendants(push.pid):
        if any(n in a for n in names for a in procs.arguments(pid)):
            procs.end(pid, signal.SIGKILL)
    push.communicate(timeout=120)
    procs.wait_for(lambda: not procs.below(shop.dir), what="all to end")
    assert shop.live() == 1 and shop.numbers() == [1]
    os.unlink(shop.developer.dir + "/functions/other/Makefile")
    taken, said = shop.developer.push({
        "functions/say/say.c": SAY_C % "two"})
    assert taken and shop.live() == 2, said


def test_what_a_killed_git_left_goes(shop):
    """Beside another push only after a day: it may send for hours."""
    shop.developer.push(FIRST)
    objects = shop.repository + "/objects"
    old, busy, new = (objects + "/tmp_objdir-incoming-" + x for x in "abc")
    for top in (old, busy, new):
        os.makedirs(top + "/pack")
        with open(top + "/pack/tmp_pack_x", "w") as f:
            f.write("x")
        shop.lab.own(top)
    for path in (old, old + "/pack", old + "/pack/tmp_pack_x", busy,
                 busy + "/pack"):
        os.utime(path, (1, 1))
    other = shop.lab.popen(["git", "receive-pack", shop.repository],
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert b"refs/heads/main" in other.stdout.readline()
    shop.developer.push({"www/index.html": "two"})
    assert not os.path.exists(old)
    assert os.path.exists(busy) and os.path.exists(new)
    other.communicate(b"0000", timeout=120)
    shop.developer.push({"www/index.html": "three"})
    assert not [n for n in os.listdir(objects) if n.startswith("tmp_")]


def test_a_second_push_waits_and_is_judged_by_its_base(shop):
    dev = shop.developer
    dev.push(FIRST)
    second = Developer(shop.lab, shop.name + "-second", shop.repository)
    second.git("pull", "-q", "bothy", "main")
    dev.commit({"functions/other/Makefile":
                "$(OUT):\n\techo here >started\n"
                "\twhile ! test -e go; do sleep .02; done\n"
                "\t$(CC) $(CFLAGS) -o $@ other.c $(LDLIBS)\n"})
    first = dev.start("push", "bothy", "main")
    work = shop.dir + "/deploy/sources/functions/other"
    procs.wait_for(lambda: os.path.exists(work + "/started"),
                   what="the build to begin")
    second.commit({"www/index.html": "second"})
    late = second.start("push", "bothy", "main")
    said = b""
    while b"waiting for it" not in said:
        line = late.stdout.readline()
        assert line, said
        said += line
    with open(work + "/go", "w"):
        pass
    out = first.communicate(timeout=120)[0]
    assert first.returncode == 0, out
    said += late.communicate(timeout=120)[0]
    assert late.returncode != 0 and b"has moved on" in said, said
    assert shop.live() == 2 and shop.numbers() == [1, 2]


# A program for any Linux, built by who pushes it.
STATIC_C = """#include <stdio.h>

int
main(void)
{
	puts("Content-Type: text/plain\\n\\nbuilt elsewhere");
	return 0;
}
"""


def test_without_a_compiler_programs_are_pushed(shop):
    dev = shop.developer
    dev.env["CC"] = "no-such-cc"
    said = dev.refused(FIRST)
    assert "say: there is no C compiler no-such-cc; install one" in said, said
    assert "as `runtime: exec`" in said and shop.live() == 0, said
    dev.git("rm", "-rq", "functions")
    dev.write({"ready.c": STATIC_C, "deploy.yaml": """service: shop
provider: {name: bothy, runtime: exec, timeout: 20}
functions:
  ready: {handler: ready, events: [httpApi: 'GET /ready']}
"""})
    subprocess.run(["cc", "-static", "-o", dev.dir + "/ready",
                    dev.dir + "/ready.c"], check=True)
    shop.lab.own(dev.dir)
    taken, said = dev.push({})
    assert taken and shop.live() == 1, said
    shop.serve()
    assert shop.get("/ready").body == b"built elsewhere\n"


# --- pushes that mean no good --------------------------------------------------


def plumb(dev, mode, name, content):
    """A commit with an entry that `git add` would not make."""
    kind = "commit" if mode == "160000" else "blob"
    if kind == "blob":
        oid = dev.git("hash-object", "-w", "--stdin",
                      stdin=content.encode())[1].strip()
    else:
        oid = dev.git("rev-parse", "HEAD")[1].strip()
    base = dev.git("ls-tree", "HEAD")[1]
    tree = b"".join(sorted(
        (b"%s %s\0" % (m.lstrip("0").encode(), n.encode("utf-8")) +
         bytes.fromhex(o) for m, o, n in
         [(x.split()[0], x.split()[2], x.split("\t")[1])
          for x in base.splitlines()] + [(mode, oid, name)]),
        key=lambda e: e.split(b" ", 1)[1].split(b"\0")[0] +
        (b"/" if e.startswith(b"40000") else b"")))
    top = dev.git("hash-object", "-t", "tree", "-w", "--literally",
                  "--stdin", stdin=tree)[1].strip()
    commit = dev.git("commit-tree", "-p", "HEAD", "-m", "no good",
                     top)[1].strip()
    return dev.git("push", "bothy", commit + ":main", check=False)


@pytest.mark.parametrize("mode, name, content", [
    ("100644", "..", "x"),
    ("100644", "a/../../x", "x"),
    ("100644", ".git", "x"),
    ("100644", ".GIT", "x"),
    ("100644", "git~1", "x"),
    ("100644", "a\x1bb", "x"),
    ("120000", "out", "/etc/passwd"),
    ("120000", "out", "../../../live"),
    ("120000", "out", "nowhere"),
    ("160000", "module", None),
], ids=["dots", "slashes", "git", "GIT", "short", "control", "absolute",
        "relative", "dangling", "submodule"])
def test_trees_that_lead_out_are_refused(shop, mode, name, content):
    shop.developer.push(FIRST)
    code, said = plumb(shop.developer, mode, name, content)
    assert code != 0 and shop.live() == 1, said
    assert shop.numbers() == [1]
    taken, said = shop.developer.push({"www/index.html": "good"})
    assert taken and shop.live() == 2, said


def test_a_link_that_leads_out_by_another_is_refused(shop):
    dev = shop.developer
    dev.commit(FIRST)
    os.makedirs(dev.dir + "/a/b")
    os.symlink("../..", dev.dir + "/a/b/top")
    os.symlink("a/b/top/..", dev.dir + "/out")
    said = dev.refused({})
    assert "out: the link leads out of the site" in said, said
    os.unlink(dev.dir + "/out")
    os.symlink("a/b/top/www", dev.dir + "/in")
    taken, said = dev.push({})
    assert taken, said
    assert os.path.isfile(shop.dir + "/live/tree/in/index.html")


def test_names_like_options_and_hooks_are_only_files(shop):
    taken, said = shop.developer.push(dict(FIRST, **{
        "-rf": "x", "--help": "x", "hooks/pre-receive.sh": "#!/bin/sh\n",
        ".githooks/post-receive.sh": "#!/bin/sh\ntouch /tmp/never\n"}))
    assert taken, said
    assert os.path.isfile(shop.dir + "/live/tree/-rf")


def test_huge_files_are_refused(shop):
    dev = shop.developer
    dev.push(FIRST)
    with open(dev.dir + "/www/huge", "wb") as f:
        f.truncate(101 << 20)
    said = dev.refused({})
    assert "a file of a site has at most 100" in said, said
    assert shop.live() == 1


def test_variables_stay_inside(shop):
    said = shop.developer.refused(dict(FIRST, **{
        "deploy.yaml": DEPLOY.replace("say.c,",
                                      "say.c, environment: "
                                      "{X: '${file(../../bothy.json)}'},")}))
    assert "deploy.yaml:4:" in said, said
    said = shop.developer.refused({"deploy.yaml": DEPLOY.replace(
        "say.c,", "say.c, environment: {X: '${env:HOME}'},")})
    assert "deploy.yaml:4:" in said, said


# What it can reach is told by a compile error: `message` is its text.
SPY_MAKE = """$(OUT):
	for f in %s; do \\
		if cat $$f >/dev/null 2>&1; then echo "READ $$f"; fi; done
	for d in %s; do \\
		if touch $$d/spy 2>/dev/null; then echo "WROTE $$d"; fi; done
	echo "main.c:1:1: error: spied"
	(setsid sleep 1000 </dev/null >/dev/null 2>&1 &)
	exit 1
"""


def test_a_makefile_ends_with_its_time(lab):
    shop = Deployed(lab, "shop-time")
    try:
        shop.developer.push(FIRST)
        lab.bothy("site", "create", shop.dir, "--build-time", "2")
        said = shop.developer.refused({"functions/other/Makefile": SLOW_MAKE})
        assert "it took longer than 2 s" in said, said
        procs.wait_for(lambda: not procs.below(shop.dir), what="all to end")
        assert shop.live() == 1
        lab.bothy("site", "create", shop.dir, "--build-time", "600")
        os.unlink(shop.developer.dir + "/functions/other/Makefile")
        taken, said = shop.developer.push({})
        assert taken and shop.live() == 2, said
    finally:
        shop.close()


@pytest.mark.parametrize("rung", ["", "subreaper"],
                         ids=["chosen", "subreaper"])
def test_a_makefile_reaches_nothing_of_others(shop, lab, rung):
    other = Deployed(lab, shop.name + "-other")
    other.developer.push(FIRST)
    home = lab.path("home", "key")
    with open(home, "w") as f:
        f.write("secret")
    lab.own(home)
    shop.developer.push(FIRST)
    shop.developer.env["BOTHY_CONTAINMENT"] = rung
    reads = [other.dir + "/bothy.json", home,
             other.repository + "/config", shop.dir + "/bothy.json",
             shop.repository + "/config",
             shop.dir + "/releases/1/release.json"]
    writes = [other.dir, shop.dir, shop.dir + "/releases/1/tree",
              shop.repository, lab.path("home"), lab.path("tmp")]
    probe = shop.bothy("status", "--start").stdout
    shop.stop_launcher()
    if "Landlock" in probe and "missing" in probe:
        pytest.skip("no isolation of files here: " + probe)
    said = shop.developer.refused({
        "functions/other/Makefile":
            SPY_MAKE % (" ".join(reads), " ".join(writes))})
    assert "error: spied" in said, said
    assert "READ" not in said and "WROTE" not in said, said
    procs.wait_for(lambda: not [p for p in procs.pids()
                                if procs.arguments(p)[:1] == [b"sleep"] and
                                procs.mentions(p, shop.dir)],
                   what="what it left running to end")
    assert shop.live() == 1


# Writes to what is built of another function, and leads what is looked for
# there elsewhere.
SPOIL_MAKE = """$(OUT):
	for f in $(dir $(OUT))../*/say; do echo spoiled >>$$f; done; exit 1
"""
LEAD_MAKE = """$(OUT):
	cd $(dir $(OUT)).. && for f in */say; do \\
		d=$${f%%/say}; mv $$d x$$d && ln -s %s $$d; done
	$(CC) $(CFLAGS) -o $@ other.c $(LDLIBS)
"""


def test_a_build_changes_no_release(shop):
    shop.developer.push(FIRST)
    program = shop.dir + "/releases/1/bin/say"
    with open(program, "rb") as f:
        right = f.read()
    shop.developer.refused({"functions/other/Makefile": SPOIL_MAKE})
    with open(program, "rb") as f:
        assert f.read() == right
    # What is the same takes its room once, all the same.
    shop.developer.git("rm", "-q", "functions/other/Makefile")
    shop.developer.push({"functions/say/say.c": SAY_C % "two"})
    taken, said = shop.developer.push({"www/index.html": "three"})
    inode = [os.stat(shop.dir + "/releases/%d/bin/say" % n).st_ino
             for n in (1, 2, 3)]
    assert inode[0] != inode[1] == inode[2], said


def test_a_build_leads_to_no_file_of_others(shop):
    """The site's user could read it; a release's program everybody can."""
    secret = shop.lab.path("home", shop.name)
    os.mkdir(secret)
    with open(secret + "/say", "w") as f:
        f.write("secret")
    os.chmod(secret + "/say", 0o755)
    shop.lab.own(secret)
    shop.developer.push(FIRST)
    shop.developer.push({"functions/other/Makefile": LEAD_MAKE % secret},
                        check=False)
    for n in shop.numbers():
        with open(shop.dir + "/releases/%d/bin/say" % n, "rb") as f:
            assert b"secret" != f.read()


# More than a program may have, and more than all may who each have less.
MEMORY_MAKE = """$(OUT):
	head -c 300000000 /dev/zero | tail -c 300000000 >/dev/null
"""
ALL_MEMORY_MAKE = """$(OUT):
	for i in 1 2 3 4; do \\
		head -c 80000000 /dev/zero | tail -c 80000000 | sleep 1000 & \\
	done; wait
"""
FORK_MAKE = """$(OUT):
	for i in $$(seq 400); do sleep 1000 & done; wait
"""


@pytest.mark.parametrize("rung", ["", "subreaper"],
                         ids=["chosen", "subreaper"])
@pytest.mark.parametrize("make, why", [
    (MEMORY_MAKE, "memory exhausted"),
    (ALL_MEMORY_MAKE, "used more than 200 MB of memory"),
    (FORK_MAKE, "had more than 256 processes"),
], ids=["program", "all", "processes"])
def test_a_build_that_takes_all_is_ended(shop, make, why, rung):
    shop.developer.push(FIRST)
    shop.lab.bothy("site", "create", shop.dir, "--build-memory", "100")
    shop.developer.env["BOTHY_CONTAINMENT"] = rung
    said = shop.developer.refused({"functions/other/Makefile": make})
    assert why in said, said
    procs.wait_for(lambda: not procs.below(shop.dir), what="all to end")
    assert shop.live() == 1 and shop.numbers() == [1]
    for name in ("next", "sources", "scratch"):
        assert not os.path.exists(shop.dir + "/deploy/" + name)
    shop.developer.git("rm", "-q", "functions/other/Makefile")
    taken, said = shop.developer.push({"www/index.html": "two"})
    assert taken and shop.live() == 2, said


# --- a disk without room ---------------------------------------------------------


@pytest.fixture
def small():
    """A site on a disk of 24 MB."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    lab = Lab(as_root=True)
    disk = lab.path("disk")
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=755",
                       "none", disk]).returncode != 0:
        lab.close()
        pytest.skip("no file system can be mounted here")
    shop = Deployed(lab, "disk/shop")
    shop.disk = disk
    yield shop
    shop.close()
    subprocess.run(["umount", disk], check=True)
    lab.close()


def room(shop):
    st = os.statvfs(shop.disk)
    return st.f_bavail * st.f_bsize


def test_a_full_disk_refuses_and_the_next_push_is_clean(small):
    small.developer.push(FIRST)
    with open(small.disk + "/filler", "wb") as f:
        f.write(b"x" * (room(small) - (700 << 10)))
    # The pack has room, the tree beside it has not.
    with open(small.developer.dir + "/www/noise", "wb") as f:
        f.write(os.urandom(400 << 10))
    said = small.developer.refused({"functions/say/say.c": SAY_C % "two"})
    assert "No space left on device" in said, said
    assert small.live() == 1 and small.numbers() == [1]
    os.unlink(small.disk + "/filler")
    taken, said = small.developer.push()
    assert taken and small.live() == 2, said


FILL_MAKE = """$(OUT):
	for i in $$(seq 1000); do \\
		head -c 500000 /dev/zero >%s$$i || break; done; sleep 1000
"""


@pytest.mark.parametrize("where", ["x", "$$TMPDIR/x", "$(dir $(OUT))"],
                         ids=["sources", "scratch", "cache"])
def test_a_build_that_fills_the_disk_is_ended(small, where):
    small.developer.push(FIRST)
    before = room(small)
    said = small.developer.refused({
        "functions/other/Makefile": FILL_MAKE % where})
    assert "the build was ended: it filled the disk" in said, said
    assert small.live() == 1 and room(small) > before - (1 << 20)
    os.unlink(small.developer.dir + "/functions/other/Makefile")
    taken, said = small.developer.push({})
    assert taken and small.live() == 2, said


# --- other ways in ---------------------------------------------------------------


needs_ssh = pytest.mark.skipif(
    not SSHD, reason="NOT TESTED: nothing over ssh; install openssh-server")


@pytest.fixture
def far(server):                        # noqa: F811
    """Over ssh, by the user of the tests: root's builds have a uid of their
    own."""
    lab = Lab(as_root=True)
    far = Deployed(lab, "far", url=server.url(lab.path("far.git")),
                   env=dict(server.env, GIT_CONFIG_NOSYSTEM="1"))
    yield far
    far.close()
    lab.close()


@needs_ssh
def test_over_ssh(far):
    taken, said = far.developer.push(FIRST)
    assert taken and "remote: bothy: release 1 is live" in said, said
    far.serve()
    assert far.get().body == b"one"
    said = far.developer.refused({
        "functions/say/say.c": SAY_C % "two" + "int x = nothing;\n"})
    assert "functions/say/say.c:8:9: error: " in said, said
    taken, said = far.developer.push({"functions/say/say.c": SAY_C % "two"})
    far.says("two")


def copy_example(to):
    """The site that this repository is."""
    shutil.copy(os.path.join(TOP, "deploy.yaml"), to)
    for name in ("functions", "www"):
        shutil.copytree(os.path.join(TOP, name), os.path.join(to, name),
                        ignore=shutil.ignore_patterns("docs"))


@needs_ssh
def test_the_example_site_over_ssh(far):
    """Its documents are there after the next release, too."""
    copy_example(far.developer.dir)
    taken, said = far.developer.push({})
    assert taken and "guestbook built" in said, said
    far.serve()
    assert far.get("/hello/you").status == 200
    r = fcgi.request(far.gateway.socket, "POST", "/rooms/hall/messages",
                     [("Content-Type", "application/json")],
                     b'{"author": "Ann", "text": "kept"}')
    assert r.status == 201, r
    taken, said = far.developer.push({"www/new.html": "new"})
    assert taken and "guestbook built" not in said, said
    far.says("new", "/new.html")
    assert b"kept" in far.get("/rooms/hall/messages").body


def test_what_init_makes_is_pushed_as_it_is(shop):
    dev = shop.developer
    shop.lab.bothy("init", dev.dir)
    taken, said = dev.push({})
    assert taken, said
    shop.serve()
    assert shop.get("/hello/you").json() == {"hello": "you"}


def test_create_is_repeatable_and_careful(lab):
    first = lab.bothy("site", "create", lab.path("again"), "--keep", "3",
                      "--url", "https://shop.example")
    assert "git push bothy main" in first.stdout
    hook = lab.path("again.git", "hooks", "pre-receive")
    os.unlink(hook)
    lab.bothy("site", "create", lab.path("again.git"))
    assert os.access(hook, os.X_OK)
    with open(lab.path("again", "bothy.json")) as f:
        site = json.load(f)
    assert site["keep"] == 3 and site["url"] == "https://shop.example"
    os.makedirs(lab.path("taken", "by-another"))
    for args in (["taken"], ["-x"], ["a b"], ["again", "--keep", "0"],
                 ["again", "--build-time", "x"],
                 ["again", "--url", "shop"]):
        args[0] = lab.path(args[0])
        assert lab.bothy("site", "create", *args, check=False).returncode
    shutil.rmtree(lab.path("again"))
    shutil.rmtree(lab.path("again.git"))
