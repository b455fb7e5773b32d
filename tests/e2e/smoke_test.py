"""Smoke requests: what a push asks of a release before it goes live."""
import json
import os

import pytest

import fcgi
import procs
from deploy_test import Deployed
from lab import HERE

GUESTBOOK = os.path.join(HERE, "..", "..", "functions", "guestbook",
                         "guestbook.c")

SITE = """service: shop
provider: {name: bothy, runtime: exec, timeout: 60}
functions:
  say:
    handler: say.sh
    %s
    events: [httpApi: 'GET /say', httpApi: 'GET /say/{what}']
deploy:
  smoke: [%s]
"""

SAY = """#!/bin/sh
printf 'Content-Type: text/plain\\n\\n%s'
"""

PASS = "'GET /say 200'"


@pytest.fixture
def shop(lab):
    shop = Deployed(lab, "smoke%d" % len(lab.sites))
    yield shop
    shop.close()


def site(script, smoke=PASS, more="timeout: 60"):
    return {"deploy.yaml": SITE % (more, smoke), "say.sh": script}


def test_a_release_that_answers_goes_live(shop):
    taken, said = shop.developer.push(site(
        """#!/bin/sh
case $BOTHY_PARAM_what in
"a b") status=404;;
"") test "$QUERY_STRING" = x=1 && status=200;;
esac
printf 'Status: %d\\nContent-Type: text/plain\\n\\none' ${status:-500}
""", "'GET /say?x=1 200', 'HEAD /say?x=1 200', 'GET /say/a%20b 404'"))
    assert taken and shop.live() == 1, said
    for line in ("GET /say?x=1: 200", "HEAD /say?x=1: 200",
                 "GET /say/a%20b: 404"):
        assert " s  " + line in said, said
    assert not os.path.exists(shop.dir + "/deploy/smoke")
    procs.wait_for(lambda: not procs.below(shop.dir), what="all to end")


@pytest.mark.parametrize("script, more, wrong, shown", [
    (SAY.replace("Content", "Status: 503\\nContent") % "out of order",
     "timeout: 60", "GET /say: status 503, not 200", "out of order"),
    ("#!/bin/sh\necho '<3>no spoons' >&2\nkill -SEGV $$\n", "timeout: 60",
     "GET /say: killed by signal 11", "say: error: no spoons"),
    ("#!/bin/sh\necho 'looking' >&2\nsleep 1000\n", "timeout: 5",
     "GET /say: timed out after 5.0 s", "the log of say ends:"),
    ("#!/bin/sh\necho nothing\n", "timeout: 60",
     "GET /say: no CGI reply", ""),
    ("#!/bin/sh\nprintf 'Status: 500\\nContent-Type: text/plain\\n\\n\\033['\n"
     "head -c 100000000 /dev/zero | tr '\\0' x\n", "timeout: 60",
     "GET /say: status 500, not 200", "?[xxx"),
], ids=["status", "crash", "timeout", "no reply", "much"])
def test_one_that_does_not_is_refused(shop, script, more, wrong, shown):
    shop.developer.push(site(SAY % "one"))
    said = shop.developer.refused(site(script, more=more))
    assert wrong in said and shown in said, said
    assert "a smoke request failed" in said and len(said) < 5000, said
    assert shop.live() == 1 and shop.numbers() == [1]
    procs.wait_for(lambda: not procs.below(shop.dir), what="all to end")
    taken, said = shop.developer.push(site(SAY % "two"))
    assert taken and shop.live() == 2, said


def test_what_no_function_answers_is_refused(shop):
    said = shop.developer.refused(dict(
        site(SAY % "one", "'GET /say 200', 'GET / 200'"),
        **{"www/index.html": "x"}))
    assert "GET /say: 200" in said, said
    assert "no function answers GET /;" in said and shop.live() == 0, said


def test_what_is_no_request_is_told_with_its_place(shop):
    said = shop.developer.refused(site(SAY % "one", "'GET /say'"))
    assert "deploy.yaml:9:11: " in said and "as 'GET /health 200'" in said, \
        said
    said = shop.developer.refused(site(SAY % "one", "'GET /say 200', 7"))
    assert "deploy.yaml:9:27: " in said, said
    assert shop.live() == 0


# Answers when it may.
GATED = """#!/bin/sh
while ! test -e %s; do sleep .02; done
printf 'Content-Type: text/plain\\n\\ntwo'
"""


def test_the_old_release_serves_meanwhile(shop):
    dev = shop.developer
    dev.push(site(SAY % "one"))
    shop.serve()
    assert shop.get().body == b"one"
    gate = shop.lab.path("gate-" + shop.name)
    dev.commit(site(GATED % gate, more="paths: {read: ['%s']}" %
                    shop.lab.root))
    push = dev.start("push", "bothy", "main")
    try:
        procs.wait_for(lambda: any(
            b"deploy/smoke" in b" ".join(procs.arguments(p))
            for p in procs.below(shop.dir)), what="the smoke request")
        for _ in range(5):
            assert shop.get().body == b"one"
        assert push.poll() is None and shop.live() == 1
    finally:
        with open(gate, "w"):
            pass
        said = push.communicate(timeout=120)[0]
    assert push.returncode == 0, said
    shop.says("two")


def guestbook(smoke):
    with open(GUESTBOOK) as f:
        source = f.read()
    return {"book.c": source, "deploy.yaml": """service: shop
provider: {name: bothy, timeout: 60}
functions:
  book:
    handler: book.c
    iam: {role: {statements: [{Effect: Allow, Action: 'dynamodb:*',
                               Resource: 'table/messages*'}]}}
    events:
      - httpApi: 'GET /rooms/{room}/messages'
      - httpApi: 'POST /rooms/{room}/messages'
      - httpApi: 'GET /put'
deploy: {smoke: [%s]}
resources:
  tables:
    messages: {key: {room: S, at: S}}
""" % smoke}


# Tries to change a document, in a release that could.
PUT_C = """#include <bothy.h>

int
bothy_handle(struct bothy_req *req)
{
	if (bothy_put(req, "messages", bothy_keep(req, json_pack(
	    "{s:s, s:s}", "room", "a", "at", "smoke"))) < 0)
		return bothy_refuse(req);
	return bothy_text(req, 200, "written");
}
"""


def test_it_reads_the_documents_and_writes_none(shop):
    dev = shop.developer
    taken, said = dev.push(guestbook("'GET /rooms/a/messages 200'"),
                           check=False)
    assert taken and shop.live() == 1, said
    shop.serve()
    r = fcgi.request(shop.gateway.socket, "POST", "/rooms/a/messages",
                     body=json.dumps({"author": "Ann",
                                      "text": "hi"}).encode(),
                     headers=[("Content-Type", "application/json")])
    assert r.status == 201, r.body
    said = dev.refused(dict(guestbook("'GET /put 200'"),
                            **{"book.c": PUT_C}))
    assert "GET /put: status 500, not 200" in said, said
    assert "dynamodb:PutItem" in said, said
    rows = json.loads(fcgi.request(shop.gateway.socket, "GET",
                                   "/rooms/a/messages").body)["messages"]
    assert [m["text"] for m in rows] == ["hi"]
    # Live, the same function may.
    taken, said = dev.push(dict(guestbook(""), **{"book.c": PUT_C}))
    assert taken, said
    procs.wait_for(lambda: fcgi.request(shop.gateway.socket, "GET",
                                        "/put").body == b"written",
                   what="the new release")


def test_it_writes_to_no_path(shop):
    place = shop.lab.path("own-" + shop.name)
    os.mkdir(place)
    shop.lab.own(place)
    script = "#!/bin/sh\n" \
        "echo x >%s/smoke || s=500\n" \
        "printf 'Status: %%d\\nContent-Type: text/plain\\n\\n' ${s:-200}\n" % \
        place
    said = shop.developer.refused(site(
        script, more="paths: {write: ['%s']}" % place))
    assert "GET /say: status 500, not 200" in said, said
    assert os.listdir(place) == []
