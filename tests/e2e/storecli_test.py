"""bothy store: each command as a person types it, against the real daemon."""
import json
import os
import pty
import select
import shlex
import shutil
import subprocess
import time

import pytest

import procs

OK, FAILED, USAGE, INVALID, MISSING = range(5)

DEPLOY = """\
service: shop
provider: {name: bothy}
functions: {}
resources:
  tables:
    messages:
      key: {room: S, at: N}
      indexes:
        byAuthor: {key: {author: S, at: N}, projection: ALL}
      ttl: expires
    notes: {key: {id: S}}
    blobs: {key: {id: B}}
    secret: {key: {id: S}, history: off}
"""

KEEP = "--force"        # tests may run on any file system


class Shop:
    """A site with tables; its store is the site's."""

    def __init__(self, site):
        self.site = site
        self.lab = site.lab
        self.store = os.path.join(site.state, "store")

    def popen(self, *args, env=None, **options):
        return self.lab.popen(
            [self.lab.path("bin", "bothy"), "store", *args,
             *self.site.places(), KEEP],
            env=self.lab.environment(**(env or {})), **options)

    def call(self, *args, text=None, code=OK, env=None):
        """stdout of a command that has to end with `code`."""
        p = self.popen(*args, env=env, stdin=subprocess.PIPE,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = p.communicate((text or "").encode(), timeout=60)
        self.err = err.decode()
        assert p.returncode == code, (args, p.returncode, out, self.err)
        return out.decode()

    def put(self, table, **document):
        self.call("put", table, json.dumps(document))

    def get(self, table, *key):
        return json.loads(self.call("get", table, *key))

    def lines(self, *args):
        return [json.loads(line) for line in
                self.call(*args, "--json").splitlines()]

    def file(self, table, *key):
        return self.call("path", table, *key).strip()

    def holds(self, text):
        """Files of the store, the journal's and git's too, that have it."""
        found = subprocess.run(["grep", "-rlaF", text, self.store],
                               stdout=subprocess.PIPE, text=True, check=False)
        return found.stdout.split()


@pytest.fixture(scope="module")
def shop(lab):
    site = lab.site("shop", files={"deploy.yaml": DEPLOY}, build=False)
    shop = Shop(site)
    yield shop
    shop.call("stop")
    procs.wait_for(lambda: not site.stores(), 20, "the store to leave")


@pytest.fixture
def room(shop, request):
    """A partition of `messages` that no other test has."""
    name = request.node.name[:40]
    for at in (1, 2, 3, 10):
        shop.put("messages", room=name, at=at, author="ann-" + name,
                 text="text %d" % at)
    return name


# ---- tables, documents --------------------------------------------------------

def test_tables_of_deploy_yaml_are_there(shop):
    shown = shop.call("tables")
    assert "messages  room, at  byAuthor (author, at)  expires" in shown
    names = [t["TableName"] for t in json.loads(shop.call("tables",
                                                          "--json"))]
    assert names == ["blobs", "messages", "notes", "secret"]
    assert shop.call("ls") == shop.call("tables")


def test_put_get_rm(shop):
    document = ('{"id":"a","big":123456789012345678901234567890.5,'
                '"list":[1,{"x":null}],"set":{"$set":["a","b"]}}')
    shop.call("put", "notes", document)
    got = shop.call("get", "notes", "a")
    assert "123456789012345678901234567890.5" in got
    with open(shop.file("notes", "a"), encoding="utf-8") as f:
        assert f.read() == got       # it lay there when put had ended
    assert shop.call("get", "notes", "a", "--json") == got
    shop.call("put", "notes", text='{"id": "b"}')
    shop.site.write("b.json", '{"id": "b", "n": 2}')
    shop.call("put", "notes", os.path.join(shop.site.dir, "b.json"))
    assert shop.get("notes", "b") == {"id": "b", "n": 2}
    shop.call("rm", "notes", "b")
    assert not os.path.exists(shop.file("notes", "b"))
    assert "no such file" in shop.err
    shop.call("get", "notes", "b", code=FAILED)
    assert "notes has no document b" in shop.err
    shop.call("rm", "notes", "b", code=FAILED)
    assert "no such document" in shop.err


def test_conditions(shop):
    shop.put("notes", id="c", version=3, status="open")
    shop.call("put", "notes", '{"id":"c"}', "--new", code=FAILED)
    assert "there is a document with this key" in shop.err
    # `status` is a reserved word of DynamoDB's, and nobody has to know.
    shop.call("put", "notes", '{"id":"c","version":4}', "--if",
              'version = 2 OR status = "shut"', code=FAILED)
    assert "doesn't meet --if" in shop.err
    shop.call("put", "notes", '{"id":"c","version":4}', "--if",
              "version = 3 AND begins_with(status, 'op') AND "
              "attribute_not_exists(nothing.there[0])")
    assert shop.get("notes", "c") == {"id": "c", "version": 4}
    shop.call("rm", "notes", "c", "--if", "version = 3", code=FAILED)
    shop.call("rm", "notes", "c", "--if", "version IN (4, 5)")
    shop.call("put", "notes", '{"id":"c"}', "--if", "a = :v", code=USAGE)
    assert "without # and :" in shop.err
    shop.call("put", "notes", '{"id":"c"}', "--if", "a = 'x", code=USAGE)


def test_keys_are_words(shop):
    shop.put("messages", room="-5", at=-5)
    assert shop.get("messages", "-5", "-5") == {"room": "-5", "at": -5}
    shop.put("messages", room="a/b ü", at=1.5)
    assert shop.get("messages", "a/b ü", "1.50e0")["at"] == 1.5
    shop.call("put", "blobs", '{"id":{"$binary":"AP8="}}')
    assert shop.get("blobs", "AP8=") == {"id": {"$binary": "AP8="}}


@pytest.mark.parametrize("args, said", [
    (["get", "messages", "lobby"], "named by ROOM AT: 2 words, not 1"),
    (["get", "messages", "lobby", "soon"], "at is a number (N)"),
    (["get", "blobs", "a b"], "written in base64"),
    (["get", "messags", "a", "1"], "did you mean messages?"),
    (["get", "nothing", "a"], "no table nothing"),
    (["query", "messages", "a", "1", "--from", "2"], "which is given"),
    (["query", "notes", "a", "--begins", "2"], "no sort key"),
    (["query", "messages", "a", "--index", "byTime"], "no index byTime"),
    (["scan", "notes", "--filter", "1 +"], ""),
    (["put", "notes", '{"id": 5}'], ""),
    (["put", "notes", '{"id": "x",}'], "the document:1:"),
    (["import", "notes", "/nothing/here"], "/nothing/here"),
    (["restore", "--at", "no-such-state", "--yes"], "no-such-state"),
    (["forget", "notes", "a"], "say --yes"),
    (["restore"], "say which state"),
    (["show", "notes", "a"], "say which state"),
    (["diff"], "say from which state"),
    (["gett"], "did you mean get?"),
    (["scan", "notes", "--limit", "x"], "--limit is a number"),
    (["ls", "--limit", "3"], "name one"),
    (["export", "notes", "-"], "bothy store scan notes --json"),
])
def test_errors_say_what_and_where(shop, args, said):
    p = shop.popen(*args, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = p.communicate(timeout=60)
    assert p.returncode in (FAILED, USAGE)
    assert said in err.decode() and err.startswith(b"bothy: ") or \
        said in err.decode() and b":1:" in err
    assert out == b""


# ---- many ---------------------------------------------------------------------

def ats(rows):
    return [row["at"] for row in rows]


def test_query(shop, room):
    assert ats(shop.lines("query", "messages", room)) == [1, 2, 3, 10]
    for options, expected in (
            (["--from", "2"], [2, 3, 10]), (["--to", "2"], [1, 2]),
            (["--from", "2", "--to", "3"], [2, 3]),
            (["--reverse"], [10, 3, 2, 1]), (["--limit", "2"], [1, 2]),
            (["--filter", 'text = "text 3"'], [3])):
        assert ats(shop.lines("query", "messages", room, *options)) == \
            expected, options
    assert ats(shop.lines("query", "messages", room, "3")) == [3]
    assert ats(shop.lines("query", "messages", "ann-" + room, "--index",
                          "byAuthor", "--from", "3")) == [3, 10]
    table = shop.call("query", "messages", room, "--limit", "1").splitlines()
    assert table[0].split() == ["room", "at", "author", "text"]
    assert len(table) == 2 and "there are more" in shop.err


def test_begins(shop):
    for at in ("2026-11-21", "2026-11-22", "2027-01-01"):
        shop.put("notes", id=at)
    assert shop.lines("scan", "notes", "--filter",
                      "begins_with(id, '2026')").__len__() == 2


def test_scan_and_ls(shop, room):
    found = shop.lines("scan", "messages", "--filter",
                       "room = '%s' AND at BETWEEN 2 AND 3" % room)
    assert sorted(ats(found)) == [2, 3]
    assert shop.lines("ls", "messages", room) == [
        {"room": room, "at": at} for at in (1, 2, 3, 10)]
    shop.call("scan", "secret")
    assert "there are none" in shop.err


def test_pages_are_seen_by_nobody(shop):
    text = "".join(json.dumps({"room": "pages", "at": i, "fill": "x" * 3000})
                   + "\n" for i in range(1000))
    shop.call("import", "messages", "-", text=text)
    assert ats(shop.lines("query", "messages", "pages")) == list(range(1000))
    assert ats(shop.lines("query", "messages", "pages", "--reverse",
                          "--limit", "700")) == list(range(999, 299, -1))
    shown = shop.call("query", "messages", "pages")
    assert len(shown.splitlines()) == 101


# ---- edit ---------------------------------------------------------------------

def editor(shop, script):
    """An $EDITOR that runs a shell script on its file, $1."""
    path = os.path.join(shop.site.dir, "editor.sh")
    shop.site.write("editor.sh", "#!/bin/sh\n" + script)
    return {"EDITOR": shlex.quote(path) + " --its-argument",
            "SCRIPT": "yes"}


def test_edit(shop):
    shop.put("notes", id="e", text="old", gone=1, same=[1])
    shop.call("edit", "notes", "e", env=editor(
        shop, "sed -i 's/old/new/; /gone/d; s/\"id\"/\"more\": 1.50, &/' "
        '"$2"\n'))
    assert shop.get("notes", "e") == {"id": "e", "text": "new", "more": 1.5,
                                      "same": [1]}
    shop.call("edit", "notes", "e", env=editor(shop, "exit 0\n"))
    assert "nothing was changed" in shop.err
    shop.call("edit", "notes", "e-new", env=editor(
        shop, "sed -i 's/\"id\"/\"made\": true, &/' \"$2\"\n"))
    assert shop.get("notes", "e-new") == {"id": "e-new", "made": True}


def kept(shop):
    """The text that a refused edit left for its author."""
    path = [w for w in shop.err.replace(";", " ").replace(":", " ").split()
            if "bothy-edit-" in w][0]
    with open(path, encoding="utf-8") as f:
        text = f.read()
    os.unlink(path)
    return text


def test_edit_is_refused_if_it_changed_meanwhile(shop):
    shop.put("notes", id="m", text="old")
    other = "%s store put notes '%s' --site %s --state %s\n" % (
        shop.lab.path("bin", "bothy"), '{"id":"m","text":"old","new":1}',
        shop.site.dir, shop.site.state)
    shop.call("edit", "notes", "m", code=FAILED, env=editor(
        shop, "sed -i 's/old/mine/' \"$2\"\n" + other))
    assert "changed the document meanwhile" in shop.err
    assert "mine" in kept(shop)
    assert shop.get("notes", "m") == {"id": "m", "text": "old", "new": 1}


@pytest.mark.parametrize("script, said", [
    ("sed -i 's/}/,,}/' \"$2\"", "nothing was written"),
    ("sed -i 's/\"w\"/\"v\"/' \"$2\"", "id is of the key"),
    ("exit 3", "did not end well")])
def test_an_edit_that_is_no_document(shop, script, said):
    shop.put("notes", id="w", n=1)
    shop.call("edit", "notes", "w", code=FAILED, env=editor(shop, script))
    assert said in shop.err
    kept(shop)
    assert shop.get("notes", "w") == {"id": "w", "n": 1}


# ---- history --------------------------------------------------------------------

def test_log_blame_show_diff(shop, room):
    shop.call("checkpoint")
    time.sleep(1.1)         # another second, so another commit's time
    before = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    time.sleep(1.1)
    shop.put("messages", room=room, at=1, author="bob", text="text 1")
    commit = json.loads(shop.call("checkpoint", "--json"))["Commit"]
    log = shop.call("log", "messages", room, "1")
    assert log.index('+ "author": "bob"') < log.index('+ "author": "ann-')
    versions = json.loads(shop.call("log", "messages", room, "1",
                                    "--json"))["Versions"]
    assert [v["Item"]["author"] for v in versions] == ["bob", "ann-" + room]
    assert versions[0]["Commit"] == commit
    assert commit[:10] in shop.call("log", "messages", "--limit", "1")
    blame = shop.call("blame", "messages", room, "1").splitlines()
    assert blame[1].split()[0] == "author" and commit[:10] in blame[1]
    assert commit[:10] not in blame[2]
    for state in (before, versions[1]["Commit"], "2s ago"):
        shown = json.loads(shop.call("show", "messages", room, "1", "--at",
                                     state))
        if state != "2s ago":
            assert shown["author"] == "ann-" + room, state
    diff = shop.call("diff", "messages", "--from", before)
    assert '- "author": "ann-%s"' % room in diff
    assert '+ "author": "bob"' in diff
    assert "text 2" not in diff
    assert "0 new, 1 changed, 0 removed" in shop.err


def test_restore_a_document_by_time(shop, room):
    time.sleep(1.1)
    then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    time.sleep(1.1)
    shop.put("messages", room=room, at=1, text="spoilt")
    shop.put("messages", room=room, at=2, text="wanted")
    shown = shop.call("restore", "messages", room, "1", "--at", then,
                      "--dry-run")
    assert '- "text": "spoilt"' in shown and '+ "text": "text 1"' in shown
    assert shop.get("messages", room, "1")["text"] == "spoilt"
    shop.call("restore", "messages", room, "1", "--at", then, code=FAILED)
    assert "say --yes" in shop.err
    shop.call("restore", "messages", room, "1", "--at", then, "--yes")
    assert shop.get("messages", room, "1")["text"] == "text 1"
    assert shop.get("messages", room, "2")["text"] == "wanted"
    with open(shop.file("messages", room, "1"), encoding="utf-8") as f:
        assert json.load(f)["text"] == "text 1"
    again = shop.call("restore", "messages", room, "1", "--at", then)
    assert "nothing to restore" in again


def test_restore_a_table_by_backup(shop):
    shop.put("notes", id="kept", v=1)
    shop.put("notes", id="lost", v=1)
    shop.call("backup", "before-spoiling")
    assert "before-spoiling" in shop.call("backups")
    shop.call("backup", "before-spoiling", code=FAILED)
    before = sorted(shop.lines("scan", "notes"), key=str)
    shop.call("rm", "notes", "lost")
    shop.put("notes", id="kept", v=2)
    shop.put("notes", id="new")
    shop.put("secret", id="stays")
    shown = shop.call("restore", "notes", "--at", "before-spoiling",
                      "--dry-run")
    assert "notes: 1 to be added, 1 changed, 1 removed" in shown
    made = shop.call("restore", "notes", "--at", "before-spoiling",
                     "--into", "notes-then", "--yes")
    assert "(a new table)" in made
    assert sorted(shop.lines("scan", "notes-then"), key=str) == before
    assert shop.get("notes", "kept")["v"] == 2
    shop.call("restore", "notes", "--at", "before-spoiling", "--yes")
    assert sorted(shop.lines("scan", "notes"), key=str) == before
    assert shop.get("secret", "stays") == {"id": "stays"}


def test_restore_everything(shop):
    shop.put("notes", id="all", v=1)
    shop.call("backup", "everything")
    before = [sorted(shop.lines("scan", t), key=str)
              for t in ("notes", "messages", "blobs")]
    shop.call("rm", "notes", "all")
    shop.put("messages", room="everything", at=1)
    shop.call("restore", "--at", "everything", "--yes")
    assert before == [sorted(shop.lines("scan", t), key=str)
                      for t in ("notes", "messages", "blobs")]


def test_history_off_is_said(shop):
    shop.put("secret", id="s")
    shop.call("log", "secret", "s", code=FAILED)
    shop.call("restore", "secret", "--at", "1s ago", "--yes", code=FAILED)
    assert "history" in shop.err


def typed(shop, answer, *args):
    """A command at a terminal, which is answered once; all that it showed."""
    master, slave = pty.openpty()
    p = shop.popen(*args, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    shown, end = b"", time.monotonic() + 60
    answered = False
    while time.monotonic() < end:
        ready, _, _ = select.select([master], [], [], 1)
        try:
            part = os.read(master, 4096) if ready else b""
        except OSError:
            break
        shown += part
        if b"[y/N]" in shown and not answered:
            os.write(master, answer)
            answered = True
    code = p.wait(60)
    os.close(master)
    return code, shown.decode()


def test_restore_asks_at_a_terminal(shop):
    shop.put("notes", id="ask", v=1)
    shop.call("backup", "asked")
    shop.put("notes", id="ask", v=2)
    code, shown = typed(shop, b"n\n", "restore", "notes", "ask", "--at",
                        "asked")
    assert code == FAILED and "\033[31m- \"v\": 2" in shown
    assert shop.get("notes", "ask")["v"] == 2
    code, shown = typed(shop, b"y\n", "restore", "notes", "ask", "--at",
                        "asked")
    assert code == OK and "restored" in shown
    assert shop.get("notes", "ask")["v"] == 1


# ---- files ------------------------------------------------------------------------

def test_hand_edit_and_adopt(shop):
    shop.put("notes", id="h", text="by the store")
    path = shop.file("notes", "h")
    with open(path, "w", encoding="utf-8") as f:
        f.write('{"id": "h", "text": "by hand"}')
    assert "edited" in shop.call("check", code=FAILED)
    shop.call("path", "notes", "h")
    assert "edited by hand" in shop.err
    assert shop.get("notes", "h")["text"] == "by the store"
    assert "changed" in shop.call("adopt", "notes", "h")
    assert shop.get("notes", "h")["text"] == "by hand"
    shop.call("check", "--deep")
    with open(path, "w", encoding="utf-8") as f:
        f.write('{"id": "other"}')
    shop.call("adopt", code=FAILED)
    assert shop.get("notes", "h")["text"] == "by hand"
    assert "neither such a file" in shop.call("adopt", "notes", "never",
                                              code=FAILED)
    shop.call("query", "notes", "h", "two", code=USAGE)
    assert "there are none" not in shop.err and "wants ID" in shop.err
    shop.put("notes", id="h", text="written over")
    with open(path, encoding="utf-8") as f:
        assert json.load(f)["text"] == "written over"
    shop.call("check", "--deep")


@pytest.mark.parametrize("form", ["lines", "files", "dynamodb"])
def test_export_and_import(shop, form):
    shop.put("notes", id="x", set={"$set": [1, 2]}, bin={"$binary": "AA=="},
             deep={"a": [1, {"b": None}]})
    before = sorted(shop.lines("scan", "notes"), key=str)
    path = shop.lab.path("tmp", "out." + form)
    out = shop.call("export", "notes", path, "--format", form)
    assert "documents" in out
    shop.call("export", "notes", path, code=FAILED)
    assert "there already" in shop.err
    # Cleared, and read again.
    for document in before:
        shop.call("rm", "notes", document["id"])
    dry = shop.call("import", "notes", path, "--format", form, "--dry-run")
    assert dry.split()[1] == str(len(before)), dry
    assert shop.lines("scan", "notes") == []
    shop.call("import", "notes", path, "--format", form)
    assert sorted(shop.lines("scan", "notes"), key=str) == before
    again = json.loads(shop.call("import", "notes", path, "--format", form,
                                 "--json"))
    assert (again["Added"], again["Same"]) == (0, len(before))


def test_progress_is_for_a_terminal(shop):
    shop.put("notes", id="progress")
    shop.call("backup", "before-many")
    path = os.path.join(shop.site.dir, "many.jsonl")
    shop.site.write("many.jsonl", "".join(
        json.dumps({"id": "many%d" % i, "fill": "x" * 500}) + "\n"
        for i in range(5000)))
    code, shown = typed(shop, b"", "import", "notes", path)
    assert code == OK and "\r\033[Kimport " in shown
    shop.call("import", "notes", path)
    assert shop.err == ""
    shop.call("restore", "notes", "--at", "before-many", "--yes")


def test_import_tells_what_it_left_out(shop):
    shop.put("notes", id="there", v=1)
    out = shop.call("import", "notes", "-", code=FAILED, text=(
        '{"id":"there","v":2}\n{"id":\n{"id":"fresh"}\n{"no":"key"}\n'))
    for line in (1, 2, 4):
        assert "standard input:%d " % line in out
    assert "import-" not in out
    assert "read 4 documents: 1 added, 0 there already, 3 refused" in out
    assert shop.get("notes", "there")["v"] == 1
    assert shop.get("notes", "fresh") == {"id": "fresh"}
    assert [n for n in os.listdir(shop.lab.path("tmp"))
            if "import" in n] == []


# ---- forget, mirrors ---------------------------------------------------------------

def test_forget_leaves_nothing(shop):
    shop.put("notes", id="erase", text="Zuppa-4711-private")
    shop.call("backup", "with-it")
    shop.put("notes", id="erase", text="Zuppa-4711-second")
    shop.put("notes", id="beside", text="stays")
    shop.call("checkpoint")
    shop.call("forget", "notes", "erase", code=FAILED)
    out = shop.call("forget", "notes", "erase", "--yes")
    assert "erased from" in out and "can't be reached" in shop.err
    shop.call("get", "notes", "erase", code=FAILED)
    assert shop.holds("Zuppa-4711") == []
    git = ["git", "-c", "safe.directory=*", "-C",
           os.path.join(shop.store, "history.git")]
    names = subprocess.run(
        [*git, "log", "--all", "--format=", "--name-only"],
        stdout=subprocess.PIPE, text=True, check=True).stdout
    assert "beside" in names and "erase" not in names
    shop.call("show", "notes", "erase", "--at", "with-it", code=FAILED)
    assert shop.get("notes", "beside")["text"] == "stays"
    shop.call("check", "--deep")


def test_mirror_and_a_new_store_from_it(shop):
    bare, new = shop.lab.path("mirror.git"), shop.lab.path("from-mirror")
    subprocess.run(["git", "init", "-q", "--bare", bare], check=True)
    shop.lab.own(bare)
    assert "no mirror" in shop.call("mirror")
    shop.put("notes", id="mirrored", big=12345678901234567890)
    shop.call("backup", "mirrored")
    assert bare in shop.call("mirror", "there", bare)
    assert "has everything" in shop.call("mirror", "there")
    before = {t: sorted(shop.lines("scan", t), key=str)
              for t in ("messages", "notes", "blobs")}
    other = ["--dir", new, KEEP]

    def call(*args, code=OK):
        r = shop.lab.bothy("store", *args, *other, check=False)
        assert r.returncode == code, r
        return r.stdout

    made = call("create", "--from", bare)
    assert "up to 20" in made and "commit" in made
    try:
        for table, documents in before.items():
            rows = [json.loads(line) for line in
                    call("scan", table, "--json").splitlines()]
            assert sorted(rows, key=str) == documents
        assert "mirrored" in call("backups")
        call("put", "notes", '{"id":"its-own"}')
        call("check", "--deep")
        call("create", "--from", bare, code=FAILED)
    finally:
        call("stop")
    shop.call("mirror", "there", "--remove")
    shop.call("mirror", "nowhere", "/nothing/there.git", code=FAILED)
    assert "nowhere was not pushed to" in shop.err
    assert "No such file or directory" in shop.err
    shop.call("mirror", "nowhere", "--remove")
    shop.call("mirror", "nowhere", "ftp://a/b", code=FAILED)
    assert "ssh:// or https://" in shop.err


# ---- upkeep --------------------------------------------------------------------------

def test_stat_and_status(shop):
    stat = json.loads(shop.call("stat", "--json"))
    assert stat["Tables"] >= 4 and stat["Trouble"] == ""
    shown = shop.call("stat")
    assert "all are written" in shown and "commits in" in shown
    status = shop.lab.bothy("status", *shop.site.places()).stdout
    assert "commits in" in status and "checkpoint" in status
    answer = json.loads(shop.lab.bothy("status", "--json",
                                       *shop.site.places()).stdout)
    assert answer["store"]["running"] and answer["store"]["History"]


def test_check_says_what_it_found(shop):
    shop.put("notes", id="checked", n=1)
    assert shop.call("check").startswith("all is well: ")
    deep = shop.call("check", "notes", "--deep").splitlines()[0]
    assert "all is well" in deep and "in notes" in deep and "journal" in deep
    assert shop.err == ""
    assert json.loads(shop.call("check", "--json"))["Count"] == 0
    shop.call("check", "nowhere", code=FAILED)
    assert "not found" in shop.err
    os.unlink(shop.file("notes", "checked"))
    said = shop.call("check", "--deep", code=FAILED)
    assert "1 finding: " in said and "missing" in said
    assert "bothy store put TABLE -" in said
    # What it says to do does it.
    shop.call("put", "notes", "-", text=shop.call("get", "notes", "checked"))
    assert shop.call("check", "--deep").startswith("all is well: ")


def test_a_history_that_is_gone_is_told_of(lab):
    lost = Shop(lab.site("lost", files={"deploy.yaml": DEPLOY}))

    def leave():
        lost.call("stop")
        procs.wait_for(lambda: not lost.site.stores(), 60, "the store to leave")

    def history():
        return json.loads(lost.call("stat", "--json"))["History"]

    try:
        lost.put("notes", id="a", n=1)
        lost.call("checkpoint")
        before = history()
        assert before["DayBytes"] > 0 and "BegunAnew" not in before
        leave()
        assert history()["DayBytes"] == before["DayBytes"]
        assert history()["Since"] == before["Since"]
        assert "reaches back to 20" in lost.call("stat")
        leave()
        shutil.rmtree(os.path.join(lost.store, "history.git"))
        assert lost.call("check").startswith("all is well: ")
        assert "begun anew at 20" in lost.err
        anew = history()["BegunAnew"]
        with open(os.path.join(lost.store, "store.log"),
                  encoding="utf-8") as f:
            assert [json.loads(line)["level"] for line in f
                    if "history.git is gone" in line] == ["warning"]
        lost.call("checkpoint")
        leave()
        assert history()["BegunAnew"] == anew
        assert "begun anew at 20" in lost.call("stat")
        assert lost.get("notes", "a") == {"id": "a", "n": 1}
    finally:
        lost.site.stop_store()


def test_reindex(shop):
    shop.put("notes", id="before", n=1)
    assert "made anew" in shop.call("reindex")
    assert shop.get("notes", "before") == {"id": "before", "n": 1}
    shop.call("check", "--deep")


def test_stop_and_start_again(shop):
    shop.put("notes", id="stop", n=1)
    shop.call("stop")
    procs.wait_for(lambda: not shop.site.stores(), 20, "the store to leave")
    assert "isn't running" in shop.call("stop")
    status = shop.lab.bothy("status", *shop.site.places()).stdout
    assert "starts when it is first used" in status
    assert shop.get("notes", "stop") == {"id": "stop", "n": 1}
    assert len(shop.site.stores()) == 1


def test_a_store_alone(shop):
    alone = shop.lab.path("alone")

    def call(*args, code=OK):
        r = shop.lab.bothy("store", *args, "--dir", alone, KEEP, check=False)
        assert r.returncode == code, r
        return r

    assert "is no store" in call("ls", code=FAILED).stderr
    assert not os.path.exists(alone)
    call("create")
    assert "already" in call("create", code=FAILED).stderr
    assert "no table" in call("tables").stdout
    call("stop")
    # The site's, by its directory: the daemon that runs is found.
    r = shop.lab.bothy("store", "tables", "--dir", shop.store, KEEP)
    assert "messages" in r.stdout


def test_a_damaged_store_opens_read_only(shop):
    new = shop.lab.path("damaged")

    def call(*args, code=OK):
        r = shop.lab.bothy("store", *args, "--dir", new, KEEP, check=False)
        assert r.returncode == code, r
        return r

    shop.put("notes", id="survivor", n=1)
    path = shop.lab.path("tmp", "survivor")
    bare = shop.lab.path("damaged.git")
    subprocess.run(["git", "init", "-q", "--bare", bare], check=True)
    shop.lab.own(bare)
    shop.call("mirror", "damaged", bare)
    shop.call("mirror", "damaged", "--remove")
    call("create", "--from", bare)
    for i in range(50):
        call("put", "notes", json.dumps({"id": "d%d" % i}))
    call("stop")
    procs.wait_for(lambda: not procs.below(new), 20, "the store to leave")
    journal = os.path.join(new, "journal")
    marks = os.path.join(journal, "mark")
    with open(marks, "r+b") as f:
        f.write(b"x" * 512)
        f.seek(4096)
        f.write(b"x" * 512)
    assert "mark" in call("get", "notes", "survivor", code=MISSING).stderr
    r = shop.lab.bothy("store", "get", "notes", "survivor", "--dir", new,
                       KEEP, "--read-only")
    assert json.loads(r.stdout) == {"id": "survivor", "n": 1}
    shop.lab.bothy("store", "export", "notes", path, "--dir", new, KEEP,
                   "--read-only")
    call("put", "notes", '{"id":"x"}', code=FAILED)
    call("stop")


# ---- help, completion --------------------------------------------------------------

def names(shop):
    """Of the chapters of `bothy help store`; two columns, the second wraps."""
    text = shop.lab.bothy("store", "--help").stdout.split("\n\n")[2]
    return [name for line in text.splitlines()
            for name in line[14:].rstrip(",").split(", ")]


SCREEN = 23             # lines of 24: the prompt has the last


def test_help(shop):
    found = names(shop)
    assert len(found) == 30
    for name in found:
        lines = shop.lab.bothy("help", "store", name).stdout.splitlines()
        assert lines[0].startswith("usage: bothy store %s" % name)
        assert len(lines) <= SCREEN and max(map(len, lines)) < 80, name
        assert shop.lab.bothy("store", name,
                              "--help").stdout.splitlines() == lines
    assert shop.lab.bothy("help", "store").stdout == \
        shop.lab.bothy("store", "--help").stdout
    r = shop.lab.bothy("store", check=False)
    assert r.returncode == USAGE


def test_every_help_fits_a_screen(shop):
    overview = shop.lab.bothy("help").stdout.splitlines()
    commands = [line.split()[0] for line in overview
                if line.startswith("  ") and line[2].isalpha()]
    assert {"init", "run", "store", "config"} <= set(commands)
    pages = [overview]
    for name in commands:
        pages.append(shop.lab.bothy("help", name).stdout.splitlines())
        assert shop.lab.bothy(name, "--help").stdout.splitlines() == pages[-1]
    for page in pages:
        assert len(page) <= SCREEN and max(map(len, page)) < 80, page[0]


def test_every_command_has_its_place_in_the_manual(shop):
    page = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                        "../../fcgi/cli/bothy-store.1")
    with open(page, encoding="utf-8") as f:
        text = f.read()
    for name in names(shop):
        assert ".It Cm %s" % name in text or "\n.Cm %s\n" % name in text, name
        assert "bothy store %s" % name in text, "no example of " + name


def complete(shop, *words):
    script = ('source <(bothy completion bash); COMP_WORDS=(bothy "$@"); '
              'COMP_CWORD=$#; _bothy; printf "%s\\n" "${COMPREPLY[@]}"')
    env = shop.lab.environment(BOTHY_SITE=shop.site.dir,
                               BOTHY_STATE=shop.site.state)
    env["PATH"] = shop.lab.path("bin") + ":" + env["PATH"]
    p = shop.lab.popen(["bash", "-c", script, "bash", *words], env=env,
                       stdout=subprocess.PIPE)
    return p.communicate(timeout=60)[0].decode().split()


def test_completion(shop):
    assert complete(shop, "store", "ba") == ["backup", "backups"]
    assert complete(shop, "store", "get", "me") == ["messages"]
    assert complete(shop, "store", "restore", "--in") == ["--into"]
    assert complete(shop, "store", "--dir", "/", "re") == [
        "restore", "receive", "reindex"]
    assert complete(shop, "sto") == ["store"]
