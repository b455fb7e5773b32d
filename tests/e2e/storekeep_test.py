"""A store's mirrors, a store made of one, erasure and reindexing, as a whole:
the daemon, its pushing child and git's own view of what is left."""
import os
import signal
import socket
import subprocess
import time

import pytest

import storeclient
from procs import wait_for
from storeclient import PLAIN, WAIT_FILE, Fault, Store

SECRET = "Zyzzogeton-4711"

storeclient.OPERATIONS.update({"DeleteTable": 34, "Adopt": 107, "Check": 108})


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store").started()
    yield store
    store.stop()


def fill(c, n=50):
    c.table("notes")
    for i in range(n):
        c.put("notes", {"id": "n%d" % i, "text": "note %d" % i},
              PLAIN | WAIT_FILE)


def check(c, n=50):
    for i in range(n):
        assert c.get("notes", {"id": "n%d" % i})["text"] == "note %d" % i


def everything(repository):
    """All objects of a repository as git shows them."""
    names = subprocess.run(
        ["git", "-C", repository, "cat-file", "--batch-all-objects",
         "--batch-check=%(objectname)"], check=True, stdout=subprocess.PIPE)
    return subprocess.run(
        ["git", "-C", repository, "cat-file", "--batch"], check=True,
        input=names.stdout, stdout=subprocess.PIPE).stdout


def grep(directory, text):
    return subprocess.run(["grep", "-rlF", text, directory],
                          stdout=subprocess.PIPE, text=True).stdout


def make_mirror(c, name, url):
    c.call("Mirror", {"Name": "%s=%s" % (name, url)})
    found = c.call("Mirror", {"Name": name})["Mirrors"]
    return [m for m in found if m["Name"] == name][0]


def test_a_new_store_is_made_of_a_mirror(store, tmp_path):
    bare = str(tmp_path / "mirror.git")
    with store.connect() as c:
        fill(c)
        c.call("Backup", {"Name": "monday"})
        c.put("notes", {"id": "late", "text": "later"})
        position = c.call("Checkpoint", {})["Position"]
        state = make_mirror(c, "near", bare)
        assert state["Position"] == position and not state["Behind"], state
    store.stop()
    made = Store(tmp_path / "made")
    done = made.start("--from", "file://" + bare)
    try:
        assert done.returncode == 0, done.stderr
        assert "position %d" % position in done.stderr
        with made.connect() as c:
            check(c)
            assert c.get("notes", {"id": "late"})["text"] == "later"
            assert os.path.exists(made.directory + "/data/notes/late.json")
            c.put("notes", {"id": "after", "text": "goes on"})
            assert c.call("Checkpoint", {})["Position"] > position
            first = c.call("Log", {"TableName": "notes",
                                 "Key": {"id": "n1"}}, PLAIN)["Versions"]
            assert first[-1]["Item"]["text"] == "note 1"
        made.stop()
        again = made.start("--from", bare)
        assert again.returncode == 1 and "already" in again.stderr
    finally:
        made.stop()


def test_a_half_made_store_is_begun_again(store, tmp_path):
    bare = str(tmp_path / "mirror.git")
    with store.connect() as c:
        fill(c)
        c.call("Checkpoint", {})
        make_mirror(c, "near", bare)
    made = Store(tmp_path / "made")
    done = made.start("--from", str(tmp_path / "nothing.git"))
    assert done.returncode == 1 and not os.path.exists(
        made.directory + "/from"), done.stderr
    subprocess.run(["git", "init", "-q", "--bare",
                    str(tmp_path / "empty.git")], check=True)
    done = made.start("--from", str(tmp_path / "empty.git"))
    assert done.returncode == 1 and "no history" in done.stderr
    done = made.start()
    assert done.returncode == 1 and "--from" in done.stderr
    done = made.start("--from", bare)
    try:
        assert done.returncode == 0, done.stderr
        with made.connect() as c:
            check(c)
    finally:
        made.stop()


def test_a_mirror_follows_by_itself_at_the_end(store, tmp_path):
    bare = str(tmp_path / "mirror.git")
    with store.connect() as c:
        fill(c, 5)
        c.call("Checkpoint", {})
        make_mirror(c, "near", bare)
        c.put("notes", {"id": "last", "text": SECRET})
    store.stop()
    assert SECRET.encode() in everything(bare)


def test_a_hanging_mirror_holds_up_nothing(store, tmp_path):
    deaf = socket.socket()
    deaf.bind(("127.0.0.1", 0))
    deaf.listen(8)
    with store.connect() as c, store.connect() as asks:
        fill(c, 5)
        c.call("Checkpoint", {})
        url = "http://127.0.0.1:%d/x.git" % deaf.getsockname()[1]
        c.call("Mirror", {"Name": "deaf=" + url})
        wait_for(lambda: c.call("Stat", {})["Mirrors"][0]["Pushing"], 10,
                 "the push")
        begin = time.monotonic()
        near = make_mirror(c, "near", str(tmp_path / "near.git"))
        assert "Error" not in near, near
        for i in range(20):
            c.put("notes", {"id": "x%d" % i, "text": "on"})
        c.call("Checkpoint", {})
        assert time.monotonic() - begin < 60
        asks.call("Mirror", {"Name": "deaf="})
        assert time.monotonic() - begin < 60
        assert len(c.call("Mirror", {})["Mirrors"]) == 1
        with pytest.raises(Fault):
            c.call("Mirror", {"Name": "deaf="})
    begin = time.monotonic()
    store.stop()
    assert time.monotonic() - begin < 60
    deaf.close()


def test_forget_leaves_nothing_in_store_or_mirror(store, tmp_path):
    bare = str(tmp_path / "mirror.git")
    key = {"TableName": "notes", "Key": {"id": "secret"}}
    with store.connect() as c:
        fill(c)
        for i in range(4):
            c.put("notes", {"id": "secret", "text": SECRET + " %d" % i},
                  PLAIN | WAIT_FILE)
            c.call("Checkpoint", {})
        c.call("Backup", {"Name": "monday"})
        make_mirror(c, "near", bare)
        assert SECRET.encode() in everything(bare)
        assert grep(store.directory, SECRET)
        done = c.call("Forget", key, PLAIN)
        assert done["Deleted"] and done["States"] > 0 and done["Lines"] > 3
        assert grep(store.directory, SECRET) == ""
        assert grep(store.directory, '"secret"') == ""
        assert SECRET.encode() not in everything(
            store.directory + "/history.git")
        reached = subprocess.run(
            ["git", "-C", bare, "log", "--all", "-p"], check=True,
            stdout=subprocess.PIPE, text=True).stdout
        assert SECRET not in reached and "note 7" in reached
        check(c)
    store.stop(signal.SIGKILL)
    subprocess.run(["rm", "-r", store.directory + "/index"], check=True)
    store.started()
    with store.connect() as c:
        check(c)
        assert c.get("notes", {"id": "secret"}) is None
        assert c.call("Log", key, PLAIN)["Versions"] == []


def test_forget_done_again_after_a_kill_finishes(store):
    key = {"TableName": "notes", "Key": {"id": "secret"}}
    with store.connect() as c:
        fill(c)
    for pause_ms in (0, 5, 10, 20, 40, 80):
        with store.connect() as c:
            c.put("notes", {"id": "secret", "text": SECRET},
                  PLAIN | WAIT_FILE)
            c.call("Checkpoint", {})
            c.send("Forget", key, PLAIN)
            time.sleep(pause_ms / 1000)
            store.stop(signal.SIGKILL)
        store.started()
        with store.connect() as c:
            c.call("Forget", key, PLAIN)
            assert grep(store.directory, SECRET) == ""
            check(c)


def test_reindex_makes_the_index_again(store):
    with store.connect() as c:
        fill(c)
        c.call("Reindex", {})
    store.gone()
    assert not os.path.exists(store.directory + "/index/stamp")
    store.started()
    assert os.path.exists(store.directory + "/index/stamp")
    with store.connect() as c:
        check(c)


def test_an_index_that_is_none_is_made_again(store):
    with store.connect() as c:
        fill(c)
    store.stop(signal.SIGTERM)
    with open(store.directory + "/index/data.mdb", "r+b") as f:
        f.write(b"\xff" * 3 * 4096)
    store.started()
    with store.connect() as c:
        check(c)


# ---- files that were removed by hand -----------------------------------------

def lose_index(store, number=signal.SIGTERM):
    store.stop(number)
    subprocess.run(["rm", "-r", store.directory + "/index"], check=True)


def problems(c):
    return {(p["Kind"], p["Path"]) for p in c.call("Check", {})["Problems"]}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_removed_file_is_no_delete(store, how):
    with store.connect() as c:
        fill(c)
        c.table("off", History=False)
        c.put("off", {"id": "a"}, PLAIN | WAIT_FILE)
        long = "k" * 600
        c.put("notes", {"id": long, "text": "cut"}, PLAIN | WAIT_FILE)
        c.put("notes", {"id": "/n", "text": "slash"}, PLAIN | WAIT_FILE)
        c.call("Checkpoint", {})
        c.call("DeleteItem", {"TableName": "notes", "Key": {"id": "n9"}},
               PLAIN | WAIT_FILE)
        c.put("notes", {"id": "n8", "text": "newer"}, PLAIN | WAIT_FILE)
        cut, = [n for n in os.listdir(store.directory + "/data/notes")
                if n.startswith("kkk")]
        lose_index(store, how)
    for name in ("n3.json", "n4.json", "n8.json", "%2Fn.json", cut):
        os.unlink(store.directory + "/data/notes/" + name)
    store.started()
    with store.connect() as c:
        assert c.get("notes", {"id": "n3"})["text"] == "note 3"
        assert c.get("notes", {"id": "n8"})["text"] == "newer"
        assert c.get("notes", {"id": "n9"}) is None
        assert c.get("notes", {"id": long})["text"] == "cut"
        assert c.get("notes", {"id": "/n"})["text"] == "slash"
        found = problems(c)
        assert ("missing", "data/notes/n3.json") in found, found
        assert {kind for kind, _ in found} == {"missing"}
        c.call("Adopt", {"TableName": "notes", "Key": {"id": "n3"}}, PLAIN)
        assert c.get("notes", {"id": "n3"}) is None
    assert any("came back from the history" in e["message"]
               for e in store.log() if e["level"] == "warning"), store.log()


def test_a_removed_table_is_no_drop(store):
    with store.connect() as c:
        fill(c)
        c.table("dropped")
        c.put("dropped", {"id": "x"}, PLAIN | WAIT_FILE)
        c.call("Checkpoint", {})
        c.call("DeleteTable", {"TableName": "dropped"})
        lose_index(store, signal.SIGKILL)
    subprocess.run(["rm", "-r", store.directory + "/data/notes"], check=True)
    store.started()
    with store.connect() as c:
        check(c)
        assert c.call("ListTables", {})["TableNames"] == ["notes"]
        c.put("notes", {"id": "n1", "text": "again"}, PLAIN | WAIT_FILE)
        assert os.path.exists(store.directory + "/data/notes/n1.json")
        c.call("Checkpoint", {})
        assert len(problems(c)) == 49
    lose_index(store)
    store.started()
    with store.connect() as c:
        assert c.get("notes", {"id": "n2"})["text"] == "note 2"
        assert c.get("notes", {"id": "n1"})["text"] == "again"
