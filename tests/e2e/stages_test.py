"""Stages: other branches than main, each with releases, environment, secrets
and documents of its own, behind the same gateway."""
import json
import os
import shutil
import subprocess
import threading

import pytest

import fcgi
import procs
import ways
from deploy_test import DEPLOY, FIRST, SAY_C, Deployed, Developer
from httppush_test import PATH, WAITING_MAKE, make_key, url_of
from lab import Site

RULES = DEPLOY + """deploy:
  stages:
    feature: {path: /feature}
    'review/*': {path: '/r/*'}
    'try/*': {host: '*.try.example.org'}
"""

SITE = dict(FIRST, **{"deploy.yaml": RULES})


class Staged(Deployed):
    """A site with main live, whose deploy.yaml allows stages."""

    def __init__(self, lab, name, files=None):
        Deployed.__init__(self, lab, name)
        self.developer.push(files or SITE)

    def push(self, branch, files, check=True, options=()):
        """A branch with these files, from main; whether it was taken."""
        dev = self.developer
        dev.git("checkout", "-q", "-B", branch, "main")
        dev.commit(files)
        code, said = dev.git("push", *options, "bothy", "+" + branch,
                             check=check)
        dev.git("checkout", "-q", "main")
        return code == 0, said

    def drop(self, branch):
        """Deletes a branch; a busy gateway lets go of its stage later than a
        push waits."""
        said = self.developer.git("push", "bothy", ":" + branch)[1]
        gone = self.dir_of(branch.replace("/", "-"))
        procs.wait_for(lambda: self.bothy("stage", "ls") and
                       not os.path.exists(gone), what="%s to go" % branch)
        return said

    def dir_of(self, stage):
        return "%s/stages/%s" % (self.dir, stage)

    def ask(self, target, host=None):
        return fcgi.request(self.gateway.socket, "GET", target,
                            [("Host", host)] if host else ())

    def close(self):
        Deployed.close(self)
        stages = self.dir + "/stages"
        for name in os.listdir(stages) if os.path.isdir(stages) else []:
            stage = Site(self.lab, "%s/stages/%s" % (self.name, name))
            stage.state = stage.dir + "/.bothy"
            stage.stop_launcher()
            stage.stop_store()

    def runs(self, stage):
        """How many requests of it are in flight."""
        said = self.bothy("--stage", stage, "status", "--json").stdout
        return json.loads(said).get("in_flight")

    def tells(self, text, target, host=None):
        procs.wait_for(
            lambda: self.ask(target, host).body.decode() == text,
            what="%s %s to say %s" % (host, target, text))


@pytest.fixture(scope="module")
def shop(lab):
    shop = Staged(lab, "stages")
    shop.serve()
    yield shop
    shop.close()


def test_a_branch_serves_under_its_path(shop):
    taken, said = shop.push("feature", {"functions/say/say.c": SAY_C % "new",
                                        "www/index.html": "new"})
    assert taken and "release 1 of stage feature is live" in said, said
    assert "GET     /feature/say" in said, said
    shop.tells("new", "/feature/say")
    assert shop.ask("/feature/").body == b"new"
    assert shop.ask("/say").body == b"one" and shop.live() == 1
    taken, said = shop.push("feature", {"functions/say/say.c": SAY_C % "2nd"})
    assert taken and "release 2 of stage feature is live" in said, said
    shop.tells("2nd", "/feature/say")
    assert shop.numbers() == [1]


def test_commands_go_to_a_stage(shop):
    shop.push("review/7", {"functions/say/say.c": SAY_C % "seven"})
    shop.tells("seven", "/r/7/say")
    shop.push("review/7", {"functions/say/say.c": SAY_C % "eight"})
    shop.tells("eight", "/r/7/say")
    for name in ("review-7", "review/7"):
        rows = json.loads(shop.bothy("--stage", name, "releases",
                                     "--json").stdout)
        assert [r["release"] for r in rows] == [2, 1]
    shop.bothy("--stage", "review-7", "rollback")
    shop.tells("seven", "/r/7/say")
    assert shop.live() == 1
    said = shop.bothy("--stage", "review-7", "invoke", "say").stdout
    assert said.strip() == "seven"
    assert "/r/7/say" in shop.bothy("--stage", "review-7", "routes").stdout
    lines = shop.bothy("--stage", "review-7", "logs", "access").stdout
    assert "/r/7/say" in lines
    rows = json.loads(shop.bothy("stage", "ls", "--json").stdout)
    mine = [r for r in rows if r["stage"] == "review-7"][0]
    assert mine["address"] == "/r/7" and mine["branch"] == "review/7"
    refused = shop.bothy("--stage", "nothing", "rollback", check=False)
    assert "there is no stage nothing" in refused.stderr
    assert shop.bothy("--stage", "prod", "releases").stdout == \
        shop.bothy("releases").stdout


def test_a_host_is_a_stage_too(shop):
    shop.lab.bothy("site", "create", shop.dir, "--url", "http://host:8123")
    taken, said = shop.push("try/it", {"functions/say/say.c": SAY_C % "it"})
    assert taken and "http://it.try.example.org:8123/say" in said, said
    shop.tells("it", "/say", "it.try.example.org")
    shop.tells("it", "/say", "IT.try.example.org:8080")
    assert shop.ask("/say", "other.try.example.org").body == b"one"
    assert shop.ask("/say").body == b"one"


# Tells what its stage is, and what it was given.
ENV_C = """#include <bothy.h>

#include <stdlib.h>

int
bothy_handle(struct bothy_req *req)
{
	return bothy_text(req, 200, "%s %s %s", getenv("STAGE"),
	    getenv("PLAIN"), getenv("KEY"));
}
"""

ENV = dict(FIRST, **{"deploy.yaml": RULES.replace(
    "say.c,", "say.c, environment: {STAGE: '${sls:stage}', "
    "PLAIN: '${env:PLAIN}', KEY: '${secret:KEY}'},"),
    "functions/say/say.c": ENV_C})


def secret(shop, *words, value="hidden"):
    p = shop.lab.popen([shop.lab.path("bin", "bothy"), "--site", shop.dir,
                        *words, "secret", "set", "KEY"],
                       stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    said = p.communicate(value.encode())[1].decode()
    assert p.returncode == 0, said


def test_each_has_its_own_environment_and_secrets(lab):
    shop = Staged(lab, "staged-env", dict(SITE, **{
        "deploy.yaml": RULES.replace("service: shop", "service: envy")}))
    files = dict(ENV, **{"deploy.yaml": ENV["deploy.yaml"].replace(
        "service: shop", "service: envy")})
    try:
        shop.write(".env", "PLAIN=mine\n")
        secret(shop, value="prod's")
        shop.developer.push(files)
        shop.serve()
        shop.says("prod mine prod's")
        taken, said = shop.push("feature", files, check=False)
        assert not taken and "PLAIN" in said, said
        assert not os.path.exists(shop.dir_of("feature"))
        os.makedirs(shop.dir_of("feature"))
        shop.lab.own(shop.dir_of("feature"))
        shop.write("stages/feature/.env", "PLAIN=yours\n")
        taken, said = shop.push("feature", files, check=False)
        assert not taken and "secret KEY is not set" in said, said
        refused = shop.bothy("--stage", "nothing", "secret", "ls",
                             check=False)
        assert "nothing" in refused.stderr
        secret(shop, "--stage", "feature", value="the stage's")
        secret(shop, "--stage", "review/1", value="one's")
        taken, said = shop.push("feature", files)
        shop.tells("feature yours the stage's", "/feature/say")
        assert shop.get().body == b"prod mine prod's"
        taken, said = shop.push("review/1", files, check=False)
        assert not taken and "PLAIN" in said, said
        other = dict(files, **{"deploy.yaml": files["deploy.yaml"].replace(
            "service: envy", "service: else")})
        taken, said = shop.push("feature", other, check=False)
        assert not taken and "same service" in said, said
        named = dict(files, **{"deploy.yaml": files["deploy.yaml"].replace(
            "name: bothy", "name: bothy, stage: feature")})
        taken, said = shop.developer.push(named, check=False)
        assert not taken and "stage of another branch" in said, said
    finally:
        shop.close()


NOTE_C = """#include <bothy.h>

#include <string.h>

int
bothy_handle(struct bothy_req *req)
{
	const char *id = bothy_param(req, "id");
	json_t *key = bothy_keep(req, json_pack("{s:s}", "id", id)), *note;

	if (strcmp(bothy_method(req), "PUT") == 0)
		return bothy_put(req, "notes", key) < 0 ? bothy_refuse(req) :
		    bothy_text(req, 200, "written");
	note = bothy_get(req, "notes", key);
	return note ? bothy_text(req, 200, "there") :
	    bothy_text(req, 404, "missing");
}
"""

NOTES = {
    "deploy.yaml": """service: notes
provider: {name: bothy, timeout: 20}
functions:
  note:
    handler: functions/note
    iam: {role: {statements: [{Effect: Allow, Action: 'dynamodb:*',
                               Resource: 'table/notes'}]}}
    events: [httpApi: '* /notes/{id}']
resources:
  tables:
    notes: {key: {id: S}}
  store: {anyFileSystem: true}
deploy:
  stages:
    feature: {path: /feature}
    copied: {path: /copied}
""", "functions/note/note.c": NOTE_C}


def test_each_has_its_own_documents(lab):
    shop = Staged(lab, "staged-notes", NOTES)
    try:
        shop.serve()

        def put(target):
            r = fcgi.request(shop.gateway.socket, "PUT", target)
            assert r.status == 200, (target, r.body)

        taken, said = shop.push("copied", {}, check=False,
                                options=["-o", "data-from=prod"])
        assert not taken and "no documents to copy" in said, said
        assert shop.bothy("stage", "ls", "--json").stdout.strip() == "[]"
        put("/notes/first")
        shop.push("feature", {})
        shop.tells("missing", "/feature/notes/first")
        put("/feature/notes/own")
        shop.tells("missing", "/notes/own")
        taken, said = shop.push("copied", {}, check=False,
                                options=["-o", "data-from=prod"])
        assert taken and "documents copied from prod" in said, said
        shop.tells("there", "/copied/notes/first")
        put("/notes/second")
        put("/copied/notes/third")
        assert shop.ask("/copied/notes/second").status == 404
        assert shop.ask("/notes/third").status == 404
        shown = shop.bothy("--stage", "copied", "store", "get", "notes",
                           "third").stdout
        assert "third" in shown
        for options, why in (("data-from=prod", "documents already"),
                             ("data-from=feature", "from prod alone"),
                             ("else", "not known")):
            taken, said = shop.push("copied", {}, check=False,
                                    options=["-o", options])
            assert not taken and why in said, said
        taken, said = shop.push("main", {}, check=False,
                                options=["-o", "data-from=prod"])
        assert not taken and "for stages" in said, said
    finally:
        shop.close()


def test_a_dropped_branch_takes_all_along(lab):
    shop = Staged(lab, "staged-drop", NOTES)
    try:
        shop.serve()
        shop.push("feature", {})
        secret(shop, "--stage", "feature")
        shop.tells("missing", "/feature/notes/none")
        r = fcgi.request(shop.gateway.socket, "PUT", "/feature/notes/own")
        assert r.status == 200, r.body
        said = shop.drop("feature")
        assert "its releases, documents, environment and secrets" in said
        assert "stage feature is" in said, said
        assert shop.ask("/feature/notes/own").status == 404
        procs.wait_for(lambda: not [
            p for p in procs.pids() if procs.alive(p) and
            shop.dir_of("feature").encode() in procs.read(p, "cmdline")],
            what="its daemons to end")
        refused = shop.bothy("--stage", "feature", "releases", check=False)
        assert "there is no stage feature" in refused.stderr
        assert shop.bothy("--stage", "feature", "secret", "ls",
                          "--json").stdout.strip() == "[]"
        code, said = shop.developer.git("push", "bothy", ":main",
                                        check=False)
        assert code != 0 and "can't be deleted" in said, said
        shop.push("feature", {})
        shop.tells("missing", "/feature/notes/own")
    finally:
        shop.close()


SLOW_C = """#include <bothy.h>

#include <unistd.h>

int
bothy_handle(struct bothy_req *req)
{
	const char *seen = bothy_query(req, "seen");

	while (access("go", F_OK) < 0)
		usleep(20000);
	return bothy_text(req, 200, "slow %s", seen ? seen : "");
}
"""


def test_what_runs_finishes_when_a_stage_is_dropped(shop):
    shop.push("review/slow", {
        "functions/say/say.c": SLOW_C,
        "deploy.yaml": RULES.replace("timeout: 20", "timeout: 300")})
    go = shop.dir_of("review-slow") + "/releases/1/tree/functions/say/go"
    with open(go, "w"):
        pass
    shop.tells("slow ", "/r/slow/say")
    os.unlink(go)
    got = []
    asking = threading.Thread(
        target=lambda: got.append(shop.ask("/r/slow/say?seen=yes")))
    asking.start()
    procs.wait_for(lambda: shop.runs("review-slow") == 1,
                   what="the request to run")
    push = shop.developer.start("push", "bothy", ":review/slow")
    procs.wait_for(lambda: not os.path.exists(
        shop.dir_of("review-slow") + "/bothy.json"), what="the drop")
    assert not got
    with open(go, "w"):
        pass
    asking.join()
    assert got[0].body == b"slow yes", got[0].body
    said = push.communicate(timeout=60)[0].decode()
    assert push.returncode == 0, said
    procs.wait_for(lambda: shop.ask("/r/slow/other").status == 404)
    procs.wait_for(lambda: shop.bothy("stage", "ls") and not os.path.exists(
        shop.dir_of("review-slow")), what="the rest to be removed")


def test_a_drop_that_is_killed_is_ended_by_the_next(lab):
    shop = Staged(lab, "staged-kill")
    try:
        shop.push("feature", {})
        hook = shop.repository + "/hooks/post-receive"
        committed = shop.repository + "/hooks/reference-transaction"
        kept = [open(name).read() for name in (hook, committed)]
        for i, name in enumerate((hook, committed)):
            shop.push("feature", {"www/more.html": str(i)})
            with open(name, "w") as f:
                f.write("#!/bin/sh\ncat >/dev/null\n")
            shop.developer.git("push", "bothy", ":feature")
            assert os.path.exists(shop.dir_of("feature"))
            with open(name, "w") as f:
                f.write(kept[i])
            rows = json.loads(shop.bothy("stage", "ls", "--json").stdout)
            assert rows == [] and not os.path.exists(shop.dir_of("feature"))
            # And a push does the same.
            shop.push("feature", {"www/more.html": "again"})
            with open(name, "w") as f:
                f.write("#!/bin/sh\ncat >/dev/null\n")
            shop.developer.git("push", "bothy", ":feature")
            with open(name, "w") as f:
                f.write(kept[i])
            taken, said = shop.push("feature", {"www/more.html": "3"})
            assert "release 1 of stage feature is live" in said, said
    finally:
        shop.close()


@pytest.mark.parametrize("branch,why", [
    ("nowhere", "no such branch"),
    ("review/a/b", "no such branch"),
    ("prod", "no such branch"),
    ("review/\u00fc", "must be at most 100 letters"),
    ("review/-x", "must be at most 100 letters"),
    ("review/a+b", "must be at most 100 letters"),
    ("review/" + "a" * 100, "must be at most 100 letters"),
    ("try/Big", "can't stand for *"),
    ("try/a_b", "can't stand for *"),
])
def test_other_names_are_refused(shop, branch, why):
    taken, said = shop.push(branch, {}, check=False)
    assert not taken and why in said, said
    assert not [n for n in os.listdir(shop.dir + "/stages")
                if n not in ("feature", "review-7", "try-it", ".lock")]


def test_names_that_are_nearly_the_same_are_refused(shop):
    shop.push("review/one", {})
    for branch in ("review/ONE", "review/One"):
        taken, said = shop.push(branch, {}, check=False)
        assert not taken and "take a branch that is called otherwise" in said
    code, said = shop.developer.git("push", "bothy", "main:refs/tags/x",
                                    check=False)
    assert code != 0 and "branches are deployed, nothing else" in said
    code, said = shop.developer.git(
        "push", "bothy", "main:refs/heads/review/2",
        "main:refs/heads/review/3", check=False)
    assert code != 0 and "one branch at a time" in said
    shop.drop("review/one")


def test_a_first_push_that_is_refused_leaves_nothing(shop):
    taken, said = shop.push("review/bad", {
        "functions/say/say.c": SAY_C % "x" + "int x = nothing;\n"},
        check=False)
    assert not taken and "functions/say/say.c:8:9: error: " in said, said
    assert not os.path.exists(shop.dir_of("review-bad"))
    taken, said = shop.push("review/bad", {"deploy.yaml": RULES.replace(
        "say.c,", "say.c, environment: {KEY: '${secret:NONE}'},")},
        check=False)
    assert "bothy --stage review-bad secret set NONE" in said, said
    rows = json.loads(shop.bothy("stage", "ls", "--json").stdout)
    assert [r["state"] for r in rows if r["stage"] == "review-bad"] == \
        ["refused"]
    shop.bothy("stage", "rm", "review-bad")
    assert not os.path.exists(shop.dir_of("review-bad"))
    refused = shop.bothy("stage", "rm", "feature", check=False)
    assert "git push <remote> :feature" in refused.stderr


def test_two_stages_are_pushed_at_once(lab, shop):
    """Neither waits for the other, nor for main."""
    names = ["review/p1", "review/p2", "main"]
    devs = []
    for name in names:
        dev = Developer(lab, "dev-" + name.replace("/", "-"),
                        shop.repository)
        dev.git("pull", "-q", "bothy", "main")
        dev.commit({"functions/say/say.c": SAY_C % name,
                    "functions/other/Makefile": WAITING_MAKE})
        devs.append(dev)
    before = shop.live()
    pushes = [dev.start("push", "bothy", "HEAD:refs/heads/" + name)
              for dev, name in zip(devs, names)]
    builds = [d + "/deploy/sources/functions/other/" for d in (
        shop.dir_of("review-p1"), shop.dir_of("review-p2"), shop.dir)]
    procs.wait_for(lambda: all(os.path.exists(b + "started")
                               for b in builds), what="all to build")
    for build in builds:
        with open(build + "go", "w"):
            pass
    for push, name in zip(pushes, names):
        said = push.communicate(timeout=120)[0].decode()
        assert push.returncode == 0, said
    shop.tells("review/p1", "/r/p1/say")
    shop.tells("review/p2", "/r/p2/say")
    shop.says("main")
    assert shop.live() == before + 1


def test_the_rules_of_main_count(shop):
    shop.push("review/move", {"deploy.yaml": RULES.replace(
        "/r/*", "/stolen/*")})
    shop.tells("one", "/r/move/say")
    assert shop.ask("/stolen/move/say").status == 404
    taken, said = shop.push("stolen/x", {"deploy.yaml": RULES.replace(
        "review/*", "stolen/*")}, check=False)
    assert not taken and "no such branch" in said, said
    shop.push("main", {"deploy.yaml": RULES.replace("/r/*", "/moved/*")})
    shop.tells("one", "/moved/move/say")
    assert shop.ask("/r/move/say").status == 404
    shop.push("main", {"deploy.yaml": DEPLOY})
    procs.wait_for(lambda: shop.ask("/moved/move/say").status == 404,
                   what="the stage to be reached no more")
    said = shop.bothy("stage", "ls").stdout
    assert "not in deploy.stages" in said or "none:" in said
    shop.drop("review/move")
    shop.push("main", {"deploy.yaml": RULES})
    shop.tells("one", "/say")


def test_there_are_not_too_many(lab):
    shop = Staged(lab, "staged-many")
    try:
        shop.push("feature", {})
        for i in range(49):
            d = shop.dir_of("review-%d" % i)
            os.makedirs(d)
            shutil.copy(shop.dir_of("feature") + "/bothy.json", d)
        lab.own(shop.dir + "/stages")
        taken, said = shop.push("review/more", {}, check=False)
        assert not taken and "there are 50 stages" in said, said
        shop.push("feature", {"www/more.html": "more"})
    finally:
        shop.close()


@pytest.mark.parametrize("server", [ways.Lighttpd, ways.Nginx, ways.ApacheCgi],
                         ids=lambda w: w.name)
def test_every_web_server_reaches_them(lab, server):
    if server.missing():
        pytest.skip("NOT TESTED: " + server.missing())
    shop = Staged(lab, "staged-" + server.name)
    door = None
    try:
        shop.push("feature", {"functions/say/say.c": SAY_C % "new",
                              "www/index.html": "page"})
        door = server(shop).start()
        for _ in range(3):
            assert door.get("/say").body == b"one"
            assert door.get("/feature/say").body == b"new"
            assert door.get("/feature/").body == b"page"
        shop.push("feature", {"functions/say/say.c": SAY_C % "newer"})
        procs.wait_for(lambda: door.get("/feature/say").body == b"newer")
        shop.push("review/9", {"functions/say/say.c": SAY_C % "9"})
        procs.wait_for(lambda: door.get("/r/9/say").body == b"9")
        shop.developer.git("push", "bothy", ":feature")
        procs.wait_for(lambda: door.get("/feature/say").status == 404)
    finally:
        if door:
            door.stop()
        shop.stop_residents()
        shop.close()


def test_a_key_may_be_for_some_branches(lab):
    shop = Staged(lab, "staged-keys")
    door = None
    try:
        lab.bothy("site", "create", shop.dir, "--http", PATH)
        refused = shop.bothy("key", "create", "--allow", "deploy:../x",
                             check=False)
        assert "what is deployed must be a branch" in refused.stderr
        key = make_key(shop, "--allow", "deploy:review/*")
        said = shop.bothy("key", "ls").stdout
        assert "deploy:review/*" in said and "every table" not in said
        door = ways.Lighttpd(shop).start()
        dev = Developer(lab, "staged-keys-http", url_of(door, key),
                        lab.environment(GIT_CONFIG_NOSYSTEM="1",
                                        GIT_TERMINAL_PROMPT="0"))
        dev.git("pull", "-q", "bothy", "main")
        dev.commit({"functions/say/say.c": SAY_C % "by http"})
        for branch in ("main", "feature"):
            code, said = dev.git("push", "bothy", "HEAD:refs/heads/" + branch,
                                 check=False)
            assert code != 0, said
            assert "this key may deploy review/* alone" in said, said
        dev.git("push", "bothy", "HEAD:refs/heads/review/1")
        procs.wait_for(lambda: door.get("/r/1/say").body == b"by http")
        code, said = dev.git("push", "bothy", ":review/1")
        assert "stage review-1 is" in said, said
        assert door.get("/say").body == b"one" and shop.live() == 1
    finally:
        if door:
            door.stop()
        shop.close()


HARD = SITE["deploy.yaml"]


@pytest.mark.parametrize("part,other,why", [
    ("say.c,", "say.c, paths: {read: ['%s']},", "has to have it first"),
    ("say.c,", "say.c, paths: {read: ['../../..']},", "has to have it first"),
    ("say.c,", "say.c, paths: {write: ['/var/tmp']},", "has to have it first"),
    ("deploy:", "resources: {store: {mirrors: {a: '%s'}}}\ndeploy:",
     "a stage has none"),
], ids=["read", "up", "write", "mirrors"])
def test_a_stage_reaches_nothing_of_the_site(shop, part, other, why):
    if "%s" in other:
        other %= shop.dir
    taken, said = shop.push("review/sly", {
        "deploy.yaml": HARD.replace(part, other)}, check=False)
    assert not taken and why in said, said
    assert not os.path.exists(shop.dir_of("review-sly"))


def test_a_stage_reaches_what_the_site_does(lab):
    rules = HARD.replace("say.c,", "say.c, paths: {read: [/var/tmp, www]},")
    rules = rules.replace("deploy:", """params:
  default: {mirrors: {}}
  prod: {mirrors: {other: '%s'}}
resources: {store: {mirrors: '${param:mirrors}'}}
deploy:""" % lab.path("mirror.git"))
    shop = Staged(lab, "staged-same", dict(SITE, **{"deploy.yaml": rules}))
    try:
        taken, said = shop.push("feature", {})
        assert "release 1 of stage feature is live" in said, said
    finally:
        shop.close()


def test_requests_of_main_go_on(shop):
    """While stages come, change and go, none of main's fails or waits for
    them."""
    bad, stop = [], []

    def ask():
        while not stop:
            r = shop.ask("/say")
            if r.status != 200 or r.body != b"one":
                bad.append((r.status, r.body))

    shop.push("main", {})
    shop.tells("one", "/say")
    threads = [threading.Thread(target=ask) for _ in range(3)]
    for t in threads:
        t.start()
    try:
        for i in range(3):
            shop.push("review/load", {"functions/say/say.c": SAY_C % i})
            shop.tells(str(i), "/r/load/say")
        shop.drop("review/load")
    finally:
        stop.append(True)
        for t in threads:
            t.join()
    assert not bad, bad[:3]
