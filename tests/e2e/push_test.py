"""Documents edited in a clone of the history and pushed back: git push to
import/NAME, what it merges, what it refuses, and what the pusher is told."""
import json
import os
import subprocess
import time

import pytest

from storeclient import BIN, PLAIN, WAIT_FILE, Store

BOTHY = os.path.join(BIN, "bothy")


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store").started()
    yield store
    store.stop()


class Clone:
    """Somebody's clone of a store's history."""

    def __init__(self, store, path):
        self.path = str(path)
        self.env = dict(os.environ, HOME=str(path) + ".home",
                        GIT_CONFIG_NOSYSTEM="1", LANG="C")
        os.makedirs(self.env["HOME"], exist_ok=True)
        subprocess.run(["git", "clone", "-q",
                        store.directory + "/history.git", self.path],
                       check=True, env=self.env)
        self.git("config", "user.name", "Ann")
        self.git("config", "user.email", "ann@example.org")

    def git(self, *args, check=True):
        done = subprocess.run(["git", "-C", self.path, *args], env=self.env,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=120)
        if check:
            assert done.returncode == 0, done
        return done

    def write(self, name, text):
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text if isinstance(text, str) else json.dumps(text))

    def commit(self, message="edited"):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def push(self, *options, to="import/edit", what="HEAD"):
        """Exit status, and what was said."""
        done = self.git("push", *options, "origin", what + ":refs/heads/" +
                        to if "/" not in to or to.startswith("import") else
                        what + ":" + to, check=False)
        return done.returncode, done.stderr


def fill(c, n=5, table="notes"):
    c.table(table)
    for i in range(n):
        c.put(table, {"id": "n%d" % i, "v": i}, PLAIN | WAIT_FILE)
    c.call("Checkpoint", {})


def packs(store):
    return sorted(n for n in os.listdir(store.directory +
                                        "/history.git/objects/pack")
                  if n.endswith(".pack"))


def own_packs(store):
    names = os.listdir(store.directory + "/history.git/objects/pack")
    return [n for n in packs(store) if n[:-5] + ".span" in names]


def test_edits_are_merged_and_come_back_by_pull(store, tmp_path):
    with store.connect() as c:
        fill(c)
        clone = Clone(store, tmp_path / "clone")
        clone.write("notes/n1.json", {"id": "n1", "v": "edited"})
        clone.write("notes/fresh.json", {"id": "fresh", "v": [1, {"a": 2}]})
        os.unlink(clone.path + "/notes/n2.json")
        clone.commit()
        code, said = clone.push()
        assert code == 0, said
        assert "remote: bothy: merged: 1 new, 1 changed, 1 removed" in said
        assert c.get("notes", {"id": "n1"})["v"] == "edited"
        assert c.get("notes", {"id": "fresh"})["v"] == [1, {"a": 2}]
        assert c.get("notes", {"id": "n2"}) is None
        assert c.get("notes", {"id": "n3"})["v"] == 3
        with open(store.directory + "/data/notes/n1.json") as f:
            assert json.load(f)["v"] == "edited"
        clone.git("fetch", "-q", "origin")
        clone.git("reset", "-q", "--hard", "origin/main")
        with open(clone.path + "/notes/n1.json") as f:
            assert f.read() == '{\n  "id": "n1",\n  "v": "edited"\n}\n'
        # Nothing of the push is left, and the branch may be used again.
        assert packs(store) == own_packs(store)
        clone.write("notes/n3.json", {"id": "n3", "v": "again"})
        clone.commit()
        code, said = clone.push()
        assert code == 0 and "0 new, 1 changed, 0 removed" in said, said
    refs = subprocess.run(["git", "-C", store.directory + "/history.git",
                           "for-each-ref"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    assert "import" not in refs
    subprocess.run(["git", "-C", store.directory + "/history.git", "fsck",
                    "--strict"], check=True, stderr=subprocess.DEVNULL)


def test_conflicts_are_told_and_the_rest_is_merged(store, tmp_path):
    with store.connect() as c:
        fill(c)
        clone = Clone(store, tmp_path / "clone")
        c.put("notes", {"id": "n0", "v": "of the store"})
        c.put("notes", {"id": "n1", "v": "same"})
        c.call("DeleteItem", {"TableName": "notes", "Key": {"id": "n2"}},
               PLAIN)
        c.put("notes", {"id": "new", "v": "of the store"})
        c.put("notes", {"id": "n4", "v": "of the store"})
        clone.write("notes/n0.json", {"id": "n0", "v": "mine"})
        clone.write("notes/n1.json", {"id": "n1", "v": "same"})
        clone.write("notes/n2.json", {"id": "n2", "v": "mine"})
        clone.write("notes/new.json", {"id": "new", "v": "mine"})
        clone.write("notes/n3.json", {"id": "n3", "v": "mine"})
        os.unlink(clone.path + "/notes/n4.json")
        clone.commit()
        code, said = clone.push("--atomic")
        assert code == 1 and "so nothing was" in said, said
        assert c.get("notes", {"id": "n3"})["v"] == 3
        code, said = clone.push()
        assert code == 1 and "[remote rejected]" in said, said
        for name, why in (
                ("n0", "conflict: it was changed in the store since"),
                ("n2", "conflict: it was removed from the store since"),
                ("new", "conflict: it was made in the store too"),
                ("n4", "conflict: it was changed in the store since, and "
                       "removed here")):
            assert "notes/%s.json: %s" % (name, why) in said, said
        assert "1 changed" in said and "1 were so already" in said, said
        assert c.get("notes", {"id": "n0"})["v"] == "of the store"
        assert c.get("notes", {"id": "n4"})["v"] == "of the store"
        assert c.get("notes", {"id": "n3"})["v"] == "mine"
        # Merged by hand as git says, they are no conflicts any more.
        clone.git("fetch", "-q", "origin")
        clone.git("merge", "-q", "-X", "ours", "origin/main", check=False)
        clone.write("notes/n2.json", {"id": "n2", "v": "mine"})
        clone.write("notes/n4.json", {"id": "n4", "v": "both"})
        clone.commit()
        code, said = clone.push()
        assert code == 0, said
        assert c.get("notes", {"id": "n0"})["v"] == "mine"
        assert c.get("notes", {"id": "n2"})["v"] == "mine"
        assert c.get("notes", {"id": "n4"})["v"] == "both"


def test_what_is_no_document_is_told_and_left_alone(store, tmp_path):
    with store.connect() as c:
        fill(c)
        clone = Clone(store, tmp_path / "clone")
        clone.write("notes/broken.json", "{\"id\": \"broken\",")
        clone.write("notes/n1.json", {"id": "other", "v": 1})
        clone.write("notes/nokey.json", {"v": 1})
        clone.write("notes/long.json", {"id": "long", "v": "x" * 500000})
        clone.write("notes/huge.json", "x" * (9 << 20))
        clone.write("nothere/a.json", {"id": "a"})
        clone.write("README", "hello")
        clone.write("notes/.table.json", "{}")
        os.symlink("n0.json", clone.path + "/notes/link.json")
        clone.write("notes/good.json", {"id": "good"})
        clone.commit()
        code, said = clone.push()
        assert code == 1, said
        for name in ("notes/broken.json: invalid: ",
                     "notes/n1.json: invalid: its key is that of other.json",
                     "notes/nokey.json: invalid: ",
                     "notes/long.json: invalid: Item size has exceeded",
                     "notes/huge.json: refused: it is longer",
                     "nothere/a.json: refused: there is no such table",
                     "README: refused: only documents",
                     "notes/.table.json: refused: what a table is like",
                     "notes/link.json: invalid: "):
            assert "bothy: " + name in said, (name, said)
        assert "1 new, 0 changed, 0 removed" in said, said
        assert c.get("notes", {"id": "good"}) == {"id": "good"}
        assert c.get("notes", {"id": "n1"})["v"] == 1


def test_only_imports_can_be_pushed(store, tmp_path):
    with store.connect() as c:
        fill(c)
        c.call("Backup", {"Name": "monday"})
        clone = Clone(store, tmp_path / "clone")
        clone.write("notes/n1.json", {"id": "n1", "v": "edited"})
        clone.commit()
        for to, why in (("refs/heads/main", "written by the store alone"),
                        ("refs/tags/monday", "a tag is a backup"),
                        ("refs/tags/x", "a tag is a backup"),
                        ("refs/heads/other", "only import/NAME"),
                        ("refs/bothy/held/x", "")):
            done = clone.git("push", "-f", "origin", "HEAD:" + to,
                             check=False)
            assert done.returncode == 1 and why in done.stderr, done.stderr
        done = clone.git("push", "origin", ":refs/heads/main", check=False)
        assert done.returncode == 1, done.stderr
        done = clone.git("push", "origin", "HEAD:import/a", "HEAD:import/b",
                         check=False)
        assert done.returncode == 1 and "one at a time" in done.stderr
        done = clone.git("push", "-o", "what", "origin", "HEAD:import/a",
                         check=False)
        assert done.returncode == 1 and "isn't known" in done.stderr
        code, said = clone.push("-o", "dry-run")
        assert code == 1 and "would be: 0 new, 1 changed" in said, said
        assert c.get("notes", {"id": "n1"})["v"] == 1
        assert packs(store) == own_packs(store) or len(packs(store)) < 4
        tip = c.call("Checkpoint", {})["Commit"]
    assert clone.git("ls-remote", "origin", "main").stdout.startswith(tip)


def test_an_amended_commit_of_the_store_is_an_edit(store, tmp_path):
    with store.connect() as c:
        fill(c)
        c.put("notes", {"id": "later", "v": 1})
        c.call("Checkpoint", {})
        clone = Clone(store, tmp_path / "clone")
        clone.write("notes/n1.json", {"id": "n1", "v": "amended"})
        clone.git("add", "-A")
        clone.git("commit", "-q", "--amend", "--no-edit")
        code, said = clone.push()
        assert code == 0, said
        assert c.get("notes", {"id": "n1"})["v"] == "amended"


def test_pushes_beside_writes_and_upkeep(store, tmp_path):
    with store.connect() as c:
        fill(c, 40)
        clone = Clone(store, tmp_path / "clone")
        for i in range(12):
            clone.write("notes/n%d.json" % i, {"id": "n%d" % i, "v": "p"})
            clone.commit()
            process = subprocess.Popen(
                ["git", "-C", clone.path, "push", "-q", "origin",
                 "HEAD:refs/heads/import/x"], env=clone.env,
                stderr=subprocess.PIPE, text=True)
            while process.poll() is None:
                c.put("notes", {"id": "w%d" % i, "v": time.time()})
                c.call("Checkpoint", {})
            assert process.returncode == 0, process.stderr.read()
            process.stderr.close()
        for i in range(12):
            assert c.get("notes", {"id": "n%d" % i})["v"] == "p"
    subprocess.run(["git", "-C", store.directory + "/history.git", "fsck",
                    "--strict"], check=True, stderr=subprocess.DEVNULL)


def test_the_command_merges_a_clone(store, tmp_path):
    with store.connect() as c:
        fill(c)
        clone = Clone(store, tmp_path / "clone")
        clone.write("notes/n1.json", {"id": "n1", "v": "edited"})
        clone.commit()
        command = [BOTHY, "store", "--dir", store.directory, "merge"]
        done = subprocess.run([*command, "--dry-run", clone.path],
                              env=clone.env, stderr=subprocess.PIPE,
                              text=True)
        assert done.returncode == 1 and "would be" in done.stderr, done
        assert c.get("notes", {"id": "n1"})["v"] == 1
        done = subprocess.run([*command, clone.path], env=clone.env,
                              stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0 and "1 changed" in done.stderr, done
        assert c.get("notes", {"id": "n1"})["v"] == "edited"


def test_a_push_starts_the_daemon(tmp_path):
    store = Store(tmp_path / "store").started()
    with store.connect() as c:
        fill(c)
    store.stop()
    clone = Clone(store, tmp_path / "clone")
    clone.write("notes/n1.json", {"id": "n1", "v": "edited"})
    clone.commit()
    try:
        code, said = clone.push()
        if "promised" in said:
            pytest.skip("the file system here is none for a store: " + said)
        assert code == 0 and "1 changed" in said, said
        with store.connect() as c:
            assert c.get("notes", {"id": "n1"})["v"] == "edited"
    finally:
        store.stop()
