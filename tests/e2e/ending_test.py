"""What takes long, when the store is told to end or its client has gone; and
how far it is, as a terminal shows it."""
import json
import os
import pty
import select
import signal
import struct
import subprocess
import time

import pytest

import storeclient
from procs import wait_for
from storeclient import BIN, PLAIN, PROGRESS, Store

BOTHY = os.path.join(BIN, "bothy")
DOCUMENTS = 40000
ENDED = 1022

storeclient.OPERATIONS.update({"DeleteTable": 34, "Check": 108,
                               "Import": 110, "Export": 111})


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A store with many documents; each test leaves it as it was."""
    top = tmp_path_factory.mktemp("ending")
    lines = str(top / "lines")
    with open(lines, "w") as f:
        for i in range(DOCUMENTS):
            f.write('{"id":"n%d","text":"%s"}\n' % (i, "x" * (i % 97)))
    store = Store(top / "store").started()
    with store.connect() as c:
        c.table("notes")
        c.table("copy")
        c.call("Import", {"TableName": "notes", "Path": lines})
        c.call("Checkpoint", {})
    store.lines = lines
    yield store
    store.stop()


def long_ones(full, tmp_path):
    """Each takes a second or so."""
    return [("Export", {"TableName": "notes", "Format": "files",
                        "Path": str(tmp_path / "out")}),
            ("Import", {"TableName": "copy", "Path": full.lines}),
            ("Check", {"Deep": True})]


def under_way(c, number):
    """Waits for the first word on how far it is."""
    length, = struct.unpack("<I", c.exactly(4))
    frame = c.exactly(length)
    replied, _, flags = struct.unpack("<IHH", frame[:8])
    assert replied == number and flags & PROGRESS, frame
    return json.loads(frame[8:])


@pytest.mark.parametrize("which", range(3))
def test_sigterm_ends_it_soon_and_clean(full, tmp_path, which):
    full.started()
    name, body = long_ones(full, tmp_path)[which]
    c = full.connect()
    under_way(c, c.send(name, body))
    begin = time.monotonic()
    for pid in full.daemons():
        os.kill(pid, signal.SIGTERM)
    while True:
        replied, status, flags, text = c.hear()
        if not flags & PROGRESS:
            break
    assert status == ENDED and b"closing" in text, (status, text)
    full.gone()
    assert time.monotonic() - begin < 60
    assert not os.path.exists(str(tmp_path / "out"))
    full.started()
    with full.connect() as c:
        assert c.get("notes", {"id": "n7"})["text"] == "x" * 7
        assert c.call(name, body, PLAIN)["Documents"] >= DOCUMENTS
        if name == "Import":
            c.call("DeleteTable", {"TableName": "copy"})
            c.table("copy")


def test_a_client_that_goes_ends_its_work(full, tmp_path):
    full.started()
    out = str(tmp_path / "out")
    c = full.connect()
    under_way(c, c.send("Export", {"TableName": "notes", "Format": "files",
                                   "Path": out}))
    assert os.path.exists(out)
    c.socket.close()
    wait_for(lambda: not os.path.exists(out), 10, "the export to be undone")


def test_sigterm_ends_a_start_that_makes_the_index(full):
    full.stop()
    subprocess.run(["rm", "-r", full.directory + "/index"], check=True)
    process = subprocess.Popen(
        [storeclient.PROGRAM, "--dir", full.directory, "--force",
         "--foreground"], stderr=subprocess.PIPE, text=True)
    wait_for(lambda: os.path.exists(full.directory + "/index/data.mdb"), 10,
             "it to begin")
    process.send_signal(signal.SIGTERM)
    begin = time.monotonic()
    said = process.communicate(timeout=60)[1]
    assert time.monotonic() - begin < 60
    assert process.returncode == 1 and "told to end" in said, said
    full.started()
    with full.connect() as c:
        assert c.get("notes", {"id": "n9"})["text"] == "x" * 9


# ---- how far it is -----------------------------------------------------------

def on_a_terminal(args):
    """What a command shows, and its exit status."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["COLUMNS"] = "100"
        os.execv(args[0], args)
    seen = b""
    while True:
        if not select.select([fd], [], [], 60)[0]:
            break
        try:
            more = os.read(fd, 65536)
        except OSError:
            break
        if not more:
            break
        seen += more
    status = os.waitpid(pid, 0)[1]
    os.close(fd)
    return os.waitstatus_to_exitcode(status), seen.decode()


@pytest.mark.parametrize("words, what, bar", [
    (["export", "notes", "OUT", "--format", "files"], "export", True),
    (["import", "copy", "LINES", "--dry-run"], "import", False),
    (["check", "--deep"], "files", False)])
def test_a_bar_says_how_far_it_is(full, tmp_path, words, what, bar):
    full.started()
    named = {"OUT": str(tmp_path / "out"), "LINES": full.lines}
    code, seen = on_a_terminal(
        [BOTHY, "store", "--dir", full.directory,
         *[named.get(w, w) for w in words]])
    assert code == 0, seen
    assert "\r\033[K" + what in seen, seen
    if bar:
        assert "[#" in seen and "%" in seen and " of 40,000" in seen, seen
