"""Stages: other branches than main, each with releases, environment, secrets
and documents of its own, behind the same gateway."""
import json
import os

import pytest

import fcgi
import procs
from deploy_test import DEPLOY, FIRST, SAY_C, Deployed
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
