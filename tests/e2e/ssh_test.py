"""Over ssh, to a server of the test's own on the loopback: mirrors that are
pushed to, a store made of one, and edits that are pushed to a store."""
import getpass
import os
import shutil
import subprocess

import pytest

from lab import free_port
from procs import wait_for
from push_test import Clone
from storeclient import PLAIN, WAIT_FILE, Store

SSHD = shutil.which("sshd", path="/usr/sbin:/sbin:" + os.environ["PATH"])

pytestmark = pytest.mark.skipif(
    not SSHD, reason="NOT TESTED: nothing over ssh; install openssh-server")

# Root's wants a directory that the system's own start makes.
PRIVILEGES = "/run/sshd"


class Server:
    def __init__(self, top):
        self.port = free_port()
        self.home = str(top / "home")
        keys = os.path.join(self.home, ".ssh")
        os.makedirs(keys, 0o700)
        for name in ("host", "id_ecdsa"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-m", "PEM",
                            "-N", "", "-f", os.path.join(keys, name)],
                           check=True)
        shutil.copy(keys + "/id_ecdsa.pub", keys + "/authorized_keys")
        with open(keys + "/host.pub") as f:
            host = " ".join(f.read().split()[:2])
        with open(keys + "/known_hosts", "w") as f:
            f.write("[127.0.0.1]:%d %s\n" % (self.port, host))
        with open(keys + "/config", "w") as f:
            f.write("Port %d\nListenAddress 127.0.0.1\nHostKey %s/host\n"
                    "AuthorizedKeysFile %s/authorized_keys\nUsePAM no\n"
                    "StrictModes no\nPidFile none\n" % (self.port, keys,
                                                        keys))
        self.made = os.geteuid() == 0 and not os.path.isdir(PRIVILEGES)
        if self.made:
            os.mkdir(PRIVILEGES, 0o755)
        self.log = open(str(top / "sshd.log"), "w+")
        self.process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", keys + "/config"], stderr=self.log,
            stdin=subprocess.DEVNULL)
        self.env = dict(
            os.environ, HOME=self.home, GIT_SSH_COMMAND="ssh -F none -i "
            "%s/id_ecdsa -o UserKnownHostsFile=%s/known_hosts -o "
            "IdentitiesOnly=yes" % (keys, keys))
        self.env.pop("SSH_AUTH_SOCK", None)
        wait_for(self.listens, 10, "sshd to listen")

    def listens(self):
        assert self.process.poll() is None, self.said()
        return "Server listening" in self.said()

    def said(self):
        self.log.flush()
        with open(self.log.name) as f:
            return f.read()

    def url(self, path):
        return "ssh://%s@127.0.0.1:%d%s" % (getpass.getuser(), self.port,
                                            path)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()
        if self.made:
            os.rmdir(PRIVILEGES)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("ssh"))
    yield server
    server.stop()


@pytest.fixture
def store(tmp_path, server):
    store = Store(tmp_path / "store").started(env=server.env)
    with store.connect() as c:
        c.table("notes")
        for i in range(20):
            c.put("notes", {"id": "n%d" % i, "v": i}, PLAIN | WAIT_FILE)
        c.call("Checkpoint", {})
    yield store
    store.stop()


def test_a_mirror_is_pushed_to_and_made_a_store_again(store, server,
                                                      tmp_path):
    bare = str(tmp_path / "mirror.git")
    subprocess.run(["git", "init", "-q", "--bare", bare], check=True)
    with store.connect() as c:
        c.call("Mirror", {"Name": "far=" + server.url(bare)})
        state = c.call("Mirror", {"Name": "far"})["Mirrors"][0]
        assert "Error" not in state, (state, server.said())
        tip = c.call("Checkpoint", {})["Commit"]
    there = subprocess.run(["git", "-C", bare, "rev-parse", "main"],
                           check=True, text=True, stdout=subprocess.PIPE)
    assert there.stdout.strip() == tip
    made = Store(tmp_path / "made")
    done = made.start("--from", server.url(bare), env=server.env)
    try:
        assert done.returncode == 0, (done.stderr, server.said())
        with made.connect() as c:
            assert c.get("notes", {"id": "n7"})["v"] == 7
    finally:
        made.stop()


def test_a_server_of_another_key_is_none(store, server, tmp_path):
    known = server.home + "/.ssh/known_hosts"
    with open(known) as f:
        right = f.read()
    with open(server.home + "/.ssh/id_ecdsa.pub") as f:
        wrong = " ".join(f.read().split()[:2])
    with open(known, "w") as f:
        f.write("[127.0.0.1]:%d %s\n" % (server.port, wrong))
    try:
        with store.connect() as c:
            c.call("Mirror", {"Name": "far=" + server.url("/nowhere.git")})
            state = c.call("Mirror", {"Name": "far"})["Mirrors"][0]
            assert "Error" in state and "Pushed" not in state, state
    finally:
        with open(known, "w") as f:
            f.write(right)


def test_edits_are_pushed_to_a_store(store, server, tmp_path):
    clone = Clone(store, tmp_path / "clone")
    clone.env = server.env
    clone.git("remote", "set-url", "origin",
              server.url(store.directory + "/history.git"))
    clone.write("notes/n3.json", {"id": "n3", "v": "edited"})
    clone.commit()
    code, said = clone.push()
    assert code == 0 and "remote: bothy: merged: 0 new, 1 changed" in said, (
        said, server.said())
    clone.git("fetch", "-q", "origin")
    clone.git("reset", "-q", "--hard", "origin/main")
    with open(clone.path + "/notes/n3.json") as f:
        assert f.read() == '{\n  "id": "n3",\n  "v": "edited"\n}\n'
    with store.connect() as c:
        assert c.get("notes", {"id": "n3"})["v"] == "edited"
