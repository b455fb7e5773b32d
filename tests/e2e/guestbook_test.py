"""The example's guestbook: from a browser's request to a file and back."""
import json
import os
import signal
import urllib.parse

import pytest

import procs
import ways
from lab import HERE, together

TOP = os.path.join(HERE, "..", "..")
SITE = """\
service: guestbook
provider: {name: bothy, runtime: c, confinement: best-effort}
functions:
  guestbook:
    handler: functions/guestbook/guestbook.c
    iam: {role: {statements: [{Effect: Allow, Action: [
      'dynamodb:PutItem', 'dynamodb:Query'], Resource: table/messages}]}}
    events:
      - httpApi: 'GET /rooms/{room}/messages'
      - httpApi: 'POST /rooms/{room}/messages'
  stranger:
    handler: functions/guestbook/guestbook.c
    iam: {role: {statements: [{Effect: Allow, Action: 'dynamodb:Query',
      Resource: table/messages}]}}
    events:
      - httpApi: '* /stranger/{room}'
resources:
  tables:
    messages:
      key: {room: S, at: S}
"""


@pytest.fixture(scope="module")
def guestbook(lab):
    files = {"deploy.yaml": SITE}
    for name in ("functions/guestbook/guestbook.c", "www/guestbook.html"):
        with open(os.path.join(TOP, name)) as f:
            files[name] = f.read()
    site = lab.site("guestbook", files=files)
    way = ways.Lighttpd(site)
    way.start()
    yield way
    way.stop()
    site.stop_launcher()
    site.stop_store()


def sign(way, room, author, text):
    return way.post("/rooms/%s/messages" % urllib.parse.quote(room),
                    json.dumps({"author": author, "text": text}).encode(),
                    [("Content-Type", "application/json")])


def read(way, room, query=""):
    return way.get("/rooms/%s/messages%s" % (urllib.parse.quote(room), query))


def test_an_empty_room(guestbook):
    r = read(guestbook, "empty")
    assert r.status == 200
    assert r.json() == {"room": "empty", "messages": [], "after": None}


def test_a_message_lies_there_as_a_file(guestbook):
    r = sign(guestbook, "Küche", "Ada", "Zwei Zeilen,\n<b>ü</b>")
    assert r.status == 201
    message = r.json()
    assert message["text"] == "Zwei Zeilen,\n<b>ü</b>"
    folder = os.path.join(guestbook.site.state, "store", "data", "messages")
    name, = [n for n in os.listdir(folder) if n.startswith("K")]
    with open(os.path.join(folder, name), encoding="utf-8") as f:
        assert json.load(f) == message
    assert read(guestbook, "Küche").json()["messages"] == [message]


def test_invoked_it_reaches_the_same_documents(guestbook):
    run = guestbook.site.lab.bothy
    places = guestbook.site.places()
    for how in ((), ("--debug",)):
        told = run("invoke", "guestbook", "--path", "/rooms/cli/messages",
                   "-d", json.dumps({"author": "a", "text": "by hand"}),
                   *how, *places)
        assert json.loads(told.stdout)["text"] == "by hand", told
    assert len(read(guestbook, "cli").json()["messages"]) == 2
    refused = run("invoke", "stranger", "--path", "/stranger/cli",
                  "-d", json.dumps({"author": "a", "text": "no"}), *places,
                  check=False)
    assert refused.returncode == 5


def test_newest_first_and_page_by_page(guestbook):
    for i in range(25):
        assert sign(guestbook, "hut", "h", "day %d" % i).status == 201
    seen, query = [], "?limit=10"
    while True:
        page = read(guestbook, "hut", query).json()
        seen += [m["text"] for m in page["messages"]]
        if not page["after"]:
            break
        query = "?limit=10&after=" + page["after"]
    assert seen == ["day %d" % i for i in range(24, -1, -1)]


def test_many_sign_at_once(guestbook):
    replies = together(lambda i: sign(guestbook, "crowd", "c", str(i)),
                       range(24))
    assert [r.status for r in replies] == [201] * 24
    messages = read(guestbook, "crowd", "?limit=100").json()["messages"]
    assert sorted(int(m["text"]) for m in messages) == list(range(24))


@pytest.mark.parametrize("body,status", [
    ({}, 422), ({"author": "a", "text": " \n"}, 422), ({"author": 1}, 422),
    ({"author": "a" * 81, "text": "t"}, 422),
    ({"author": "a", "text": "t" * 2001}, 422), ([], 422), ("{", 400)])
def test_what_is_no_message(guestbook, body, status):
    body = body if isinstance(body, str) else json.dumps(body)
    r = guestbook.post("/rooms/x/messages", body.encode())
    assert r.status == status and "message" in r.json()
    assert read(guestbook, "x").json()["messages"] == []


@pytest.mark.parametrize("query", ["?limit=0", "?limit=101", "?limit=x",
                                   "?limit=-1", "?after=%25%25"])
def test_what_is_no_page(guestbook, query):
    assert read(guestbook, "hut", query).status == 400


def test_a_function_may_do_what_it_is_granted_alone(guestbook):
    assert guestbook.get("/stranger/hut").status == 200
    r = guestbook.post("/stranger/hut", b'{"author": "a", "text": "t"}')
    assert (r.status, r.json()) == (500, {"message": "internal error"})
    log = guestbook.site.logged("stranger", r.header("X-Request-Id"))
    assert any("is not authorized to perform: dynamodb:PutItem" in str(e)
               for e in log)


def test_messages_outlive_a_killed_store(guestbook):
    assert sign(guestbook, "storm", "s", "before").status == 201
    for pid in guestbook.site.stores():
        os.kill(pid, signal.SIGKILL)
    procs.wait_for(lambda: not guestbook.site.stores(), 5, "its end")
    assert sign(guestbook, "storm", "s", "after").status == 201
    assert [m["text"] for m in
            read(guestbook, "storm").json()["messages"]] == ["after", "before"]


def test_its_page(guestbook):
    r = guestbook.get("/guestbook.html")
    assert r.status == 200 and b"<form" in r.body


# ---- resources.store -------------------------------------------------------

def settings(way):
    with open(os.path.join(way.site.state, "store/settings")) as f:
        return json.load(f)


def test_a_running_store_follows_deploy_yaml(guestbook):
    """The gateway tells it at the first request after the file was read."""
    site = guestbook.site
    assert sign(guestbook, "settings", "Ada", "before").status == 201
    daemon = site.stores()
    assert settings(guestbook)["checkpointMs"] == 1000
    near = os.path.join(site.state, "near.git")
    more = """\
  store:
    history: {interval: 0.2, budget: 50}
    mirrors: {near: %s}
""" % near
    site.write("deploy.yaml", SITE + more)
    procs.wait_for(lambda: read(guestbook, "settings").status == 200 and
                   settings(guestbook)["checkpointMs"] == 200, 20,
                   "the store to hear of it")
    assert settings(guestbook)["dayBytes"] == 50 << 20
    assert site.stores() == daemon
    procs.wait_for(lambda: os.path.exists(near + "/refs/heads/main") or
                   os.path.exists(near + "/packed-refs"), 20, "the mirror")
    listed = json.loads(site.lab.bothy("store", "mirror", "--json",
                                       *site.places()).stdout)
    assert [(m["Name"], m["Url"], m["Declared"]) for m in listed] == [
        ("near", near, True)]
    done = site.lab.bothy("store", "mirror", "near", "--remove",
                          *site.places(), check=False)
    assert done.returncode == 1 and "deploy.yaml" in done.stderr
    site.write("deploy.yaml", SITE)
    assert "there is no mirror" in site.lab.bothy(
        "store", "mirror", *site.places()).stdout
    assert settings(guestbook)["checkpointMs"] == 1000


# ---- one process, many requests ----------------------------------------------

KEEPS = """\
service: keeps
provider: {name: bothy, runtime: c, confinement: best-effort}
functions:
  keeps:
    handler: keeps.c
    requestsPerProcess: 5
    reservedConcurrency: 1
    iam: {role: {statements: [{Effect: Allow, Action: ['dynamodb:PutItem',
      'dynamodb:GetItem'], Resource: table/notes}]}}
    events: [httpApi: 'POST /{id}']
resources: {tables: {notes: {key: {id: S}}}}
"""

# Answers which sockets it had open before and after its calls.
KEEPS_C = r"""
#include <bothy.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static json_t *
sockets(void)
{
	json_t *list = json_array();
	struct stat st;
	int fd;

	for (fd = 4; fd < 256; fd++)
		if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
			json_array_append_new(list, json_integer(
			    (json_int_t)st.st_ino));
	return list;
}

int
bothy_handle(struct bothy_req *req)
{
	json_t *before = sockets();
	const char *id = bothy_param(req, "id");

	bothy_put(req, "notes", bothy_keep(req, json_pack("{s:s}", "id", id)));
	if (!bothy_get(req, "notes", bothy_keep(req,
	    json_pack("{s:s}", "id", id))))
		return -1;
	return bothy_json(req, 200, bothy_keep(req, json_pack(
	    "{s:o, s:o}", "before", before, "after", sockets())));
}
"""


def test_a_process_keeps_its_connection(lab):
    site = lab.site("keeps", files={"deploy.yaml": KEEPS,
                                    "keeps.c": KEEPS_C})
    way = ways.Lighttpd(site)
    way.start()
    try:
        seen = []
        for i in range(10):
            r = way.post("/n%d" % i, b"")
            assert r.status == 200, r
            seen.append(r.json())
        # Five requests a process, and a connection a process.
        assert all(len(s["after"]) == 1 for s in seen), seen
        assert [s["before"] == [] for s in seen] == ([True] + 4 * [False]) * 2
        assert all(s["before"] in ([], s["after"]) for s in seen), seen
        assert len({s["after"][0] for s in seen}) == 2, seen
        # The store comes anew: the process finds it.
        site.stop_store()
        assert way.post("/again", b"").status == 200
    finally:
        way.stop()
        site.stop_launcher()
        site.stop_store()
