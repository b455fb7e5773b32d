"""A push that is killed by -9 before each step of its hooks, one after the
other: strace ends the hook as it begins a system call."""
import json
import os
import shutil

import pytest

import procs
from deploy_test import PAGE_SH, Deployed

STRACE = shutil.which("strace")

pytestmark = pytest.mark.skipif(
    not STRACE, reason="NOT TESTED: nothing kills at each step; install "
    "strace")

# What of each hook changes the disk, or says that it is there.
STEPS = [("pre-receive", ["rename", "fsync", "syncfs", "mkdirat"]),
         ("reference-transaction", ["rename", "symlink", "unlink", "syncfs"]),
         ("post-receive", ["rename", "unlinkat", "syncfs"])]

DEPLOY = """service: shop
provider: {name: bothy, runtime: exec, timeout: 20}
functions:
  page: {handler: page.sh, events: [httpApi: 'GET /page']}
"""


class Deadly:
    """One of the repository's hooks, killed at a step."""

    def __init__(self, shop, name):
        self.hook = shop.repository + "/hooks/" + name
        self.begun, self.told = (shop.lab.path(name + part)
                                 for part in (".begun", ".told"))
        with open(self.hook) as f:
            self.right = f.read()

    def at(self, step, count):
        """-D: git stays the parent of what is traced."""
        for name in (self.begun, self.told):
            with open(name, "w"):
                os.chmod(name, 0o666)
        with open(self.hook, "w") as f:
            f.write(self.right.replace(
                'exec "$bothy"', "echo >>%s && exec %s -D -A -o %s -e "
                "trace=%s -e inject=%s:signal=KILL:when=%d \"$bothy\"" % (
                    self.begun, STRACE, self.told, step, step, count)))

    def restore(self):
        """Gives whether it was killed, by what strace says of its end."""
        with open(self.hook, "w") as f:
            f.write(self.right)
        with open(self.begun) as f:
            begun = len(f.read())

        def ends():
            with open(self.told) as f:
                found = [x for x in f.read().split("\n") if "+++ " in x]
            return found if len(found) == begun else None

        return any("killed" in x for x in procs.wait_for(
            ends, what="strace to tell how each ended"))


@pytest.fixture(scope="module")
def shop(lab):
    shop = Deployed(lab, "killed")
    shop.developer.push({"deploy.yaml": DEPLOY, "page.sh": PAGE_SH % 0})
    assert shop.live() == 1
    yield shop
    shop.close()


def read_json(*path):
    with open(os.path.join(*path)) as f:
        return json.load(f)


def branch(shop):
    return shop.developer.git("ls-remote", "bothy", "main")[1].split()[0]


def check(shop):
    """No release but of what was in the branch, and nothing that waits."""
    shop.bothy("releases")
    assert not os.path.exists(shop.dir + "/deploy/prepared")
    tip = branch(shop)
    history = shop.developer.git("rev-list", tip)[1].split()
    for n in shop.numbers():
        assert read_json(shop.dir, "releases", str(n), "release.json")[
            "commit"] in history
    assert read_json(shop.dir, "live", "release.json")["commit"] == tip


@pytest.mark.parametrize("hook, step", [
    (hook, step) for hook, steps in STEPS for step in steps])
def test_killed_before_a_step_it_lives_or_does_not(shop, hook, step):
    deadly = Deadly(shop, hook)
    count, killed = 0, True
    while killed:
        count += 1
        before, deployed = shop.live(), branch(shop)
        deadly.at(step, count)
        taken, said = shop.developer.push(
            {"page.sh": PAGE_SH % ("%s %d" % (step, count))}, check=False)
        killed = deadly.restore()
        assert taken == (branch(shop) != deployed), said
        check(shop)
        assert shop.live() == before + taken, said
        again, said = shop.developer.push(check=False)
        assert again and branch(shop) != deployed, said
        check(shop)
