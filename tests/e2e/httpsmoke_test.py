"""Smoke requests of pushes over HTTP: what they started, and what stays when
they are killed."""
import os
import signal

import pytest

import fcgi
import procs
import ways
from deploy_test import Deployed, Developer
from httppush_test import PATH, make_key, url_of
from smoke_test import SAY, guestbook, site


class Swept(ways.Lighttpd):
    """Its launcher ends what others leave to it."""
    name = "lighttpd-swept"
    gateway_env = {"BOTHY_CONTAINMENT": "subreaper"}


@pytest.mark.skipif(Swept.missing(), reason="NOT TESTED: %s" %
                    Swept.missing())
def test_the_store_that_a_push_starts_stays(lab):
    shop = Deployed(lab, "http-store", "--http", PATH)
    secret = make_key(shop, "--allow", "deploy")
    door = Swept(shop).start()
    try:
        dev = shop.developer
        dev.git("remote", "set-url", "bothy", url_of(door, secret))
        taken, said = dev.push(guestbook("'GET /rooms/a/messages 200'"))
        assert taken, said
        before = shop.stores()
        assert len(before) == 1
        # Whoever ends has the launcher look for what is left over.
        for i in range(5):
            r = door.get("/rooms/a/messages")
            procs.wait_for(lambda: door.get("/rooms/a/messages").status ==
                           200, what="the release to be served")
        taken, said = dev.push({"www/index.html": "two"})
        assert taken, said
        assert shop.stores() == before
    finally:
        door.stop()
        shop.close()


# Waits for what does not come.
HANGS = """#!/bin/sh
(setsid sleep 1000 &)
sleep 1000
"""


@pytest.mark.parametrize("victim, rung", [
    (b"pre-receive", ""), (b"pre-receive", "subreaper"),
    (b"receive-pack", "subreaper"), (b"bothy-launch", ""),
], ids=["hook", "hook-subreaper", "git-subreaper", "launcher"])
def test_killed_amid_a_smoke_request(lab, victim, rung):
    shop = Deployed(lab, "amid%d" % len(lab.sites))
    dev = shop.developer
    try:
        dev.push(site(SAY % "one"))
        dev.env["BOTHY_CONTAINMENT"] = rung
        dev.commit(site(HANGS))
        push = dev.start("push", "bothy", "main")

        def hanging():
            return [p for p in procs.below(shop.dir) if
                    procs.arguments(p)[:1] == [b"sleep"]]

        procs.wait_for(lambda: len(hanging()) == 2, what="the request")
        victims = [p for p in procs.below(shop.dir) if any(
            a.endswith(victim) for a in procs.arguments(p))]
        assert victims, procs.describe(procs.below(shop.dir))
        for pid in victims:
            procs.end(pid, signal.SIGKILL)
        said = push.communicate(timeout=120)[0]
        assert push.returncode != 0, said
        procs.wait_for(lambda: not procs.below(shop.dir), what="all to end")
        assert shop.live() == 1
        taken, said = dev.push(site(SAY % "two"))
        assert taken and shop.live() == 2 and shop.numbers() == [1, 2], said
        assert not os.path.exists(shop.dir + "/deploy/smoke")
    finally:
        shop.close()
