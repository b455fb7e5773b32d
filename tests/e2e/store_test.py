"""bothy-store as its clients see it: coming, going, frames, limits."""
import os
import pwd
import resource
import signal
import socket
import statistics
import struct
import tempfile
import threading
import time

import pytest

from procs import read, uid, wait_for
from storeclient import (PLAIN, PROGRAM, WAIT_FILE, Closed, Fault, Store,
                         allow, mint)


@pytest.fixture
def unstarted(tmp_path):
    store = Store(tmp_path / "store")
    yield store
    store.stop()


@pytest.fixture
def store(unstarted):
    return unstarted.started()


@pytest.fixture
def client(store):
    with store.connect() as client:
        client.table("notes")
        yield client


def refused(call, name):
    with pytest.raises(Fault) as fault:
        call()
    assert fault.value.name == name, fault.value


def resident_kb(pid):
    for line in read(pid, "status").splitlines():
        if line.startswith(b"RssAnon:"):
            return int(line.split()[1])
    return 0


# ---- coming -----------------------------------------------------------------

def test_started_means_that_it_answers(store):
    with store.connect() as c:
        assert c.call("ListTables", {}) == {"TableNames": []}
    mode = os.stat(os.path.join(store.directory, "store.sock")).st_mode
    assert mode & 0o777 == (0o600 if os.geteuid() else 0o666)
    assert os.stat(os.path.join(store.directory, "key")).st_mode & 0o77 == 0


def test_is_ready_in_milliseconds(unstarted):
    store = unstarted
    store.started()
    store.stop()
    took = []
    while len(took) < 10 and (not took or took[-1] > 1):
        begin = time.monotonic()
        store.started()
        took.append(time.monotonic() - begin)
        store.stop()
    assert min(took) < 1


def test_a_second_start_leaves_the_first_alone(store):
    pid = store.pid
    store.started()
    assert store.pid == pid


def test_of_many_starts_at_once_one_serves(unstarted):
    store = unstarted
    results = []
    threads = [threading.Thread(
        target=lambda: results.append(store.start())) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [(r.returncode, r.stderr) for r in results] == [(0, "")] * 6
    wait_for(lambda: len(store.daemons()) == 1)
    with store.connect() as c:
        c.call("ListTables", {})


def test_a_start_while_another_leaves(unstarted):
    store = unstarted
    socket_path = os.path.join(store.directory, "store.sock")
    for _ in range(5):
        store.started()
        pid = store.pid
        with store.connect() as c:
            c.call("ListTables", {})
        os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not os.path.exists(socket_path))
        store.started()
        wait_for(lambda: pid not in store.daemons())
        with store.connect() as c:
            c.call("ListTables", {})


def test_the_stale_socket_of_a_killed_one_is_replaced(store, client):
    client.put("notes", {"id": "a", "n": 1})
    store.stop(signal.SIGKILL)
    assert os.path.exists(os.path.join(store.directory, "store.sock"))
    store.started()
    with store.connect() as c:
        assert c.get("notes", {"id": "a"}) == {"id": "a", "n": 1}


def test_a_path_longer_than_a_socket_address(tmp_path):
    store = Store(tmp_path / ("d" * 100) / ("e" * 100)).started()
    with store.connect() as c:
        assert c.call("ListTables", {}) == {"TableNames": []}
    store.stop()


def test_the_socket_may_lie_elsewhere(tmp_path, unstarted):
    store = unstarted
    other = Store(tmp_path / "run")
    os.mkdir(other.directory)
    socket_path = os.path.join(other.directory, "store.sock")
    store.started("--socket", socket_path)
    os.symlink(os.path.join(store.directory, "key"),
               os.path.join(other.directory, "key"))
    with other.connect() as c:
        assert c.call("ListTables", {}) == {"TableNames": []}
    store.started("--socket", socket_path)
    store.stop()
    assert not os.path.exists(socket_path)


def test_says_why_it_cannot_start(tmp_path):
    (tmp_path / "file").write_text("no directory")
    done = Store(tmp_path / "file").start()
    assert done.returncode == 1
    assert str(tmp_path / "file") in done.stderr
    done = Store(tmp_path / "store").start("--segment-bytes", "many")
    assert done.returncode == 2 and "usage:" in done.stderr


def test_keeps_nothing_of_who_started_it(unstarted):
    r, w = os.pipe()
    unstarted.started(pass_fds=(w,))
    os.close(w)
    assert os.read(r, 1) == b""     # at once: the daemon has no copy
    os.close(r)


def open_to_all(path):
    """`nobody` can go there."""
    for part in (path, *path.parents):
        if part.stat().st_uid == os.geteuid() and \
                part.is_relative_to(tempfile.gettempdir()):
            part.chmod(part.stat().st_mode | 0o055)


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: needs root")
def test_root_becomes_the_owner(tmp_path, unstarted):
    nobody = pwd.getpwnam("nobody")
    open_to_all(tmp_path)
    store = unstarted
    os.mkdir(store.directory, 0o700)
    os.chown(store.directory, nobody.pw_uid, nobody.pw_gid)
    store.started()
    assert uid(store.pid) == nobody.pw_uid


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: needs root")
def test_nobody_else_may_serve_it(tmp_path, unstarted):
    store = unstarted
    open_to_all(tmp_path)
    os.mkdir(store.directory, 0o755)
    done = store.start(user=pwd.getpwnam("nobody").pw_uid)
    assert done.returncode == 1 and "belongs to" in done.stderr


# ---- going ------------------------------------------------------------------

def test_leaves_when_idle_and_not_before(unstarted):
    store = unstarted.started("--idle", "1")
    with store.connect() as c:
        time.sleep(2.5)
        c.call("ListTables", {})
    store.gone()
    assert not os.path.exists(os.path.join(store.directory, "store.sock"))
    assert [line["message"] for line in store.log()][-1] == "leaving"


def test_stop_is_an_operation(store, client):
    client.put("notes", {"id": "a"})
    client.call("Stop", {})
    store.gone()
    store.started()
    with store.connect() as c:
        assert c.get("notes", {"id": "a"}) == {"id": "a"}


def test_a_token_may_not_stop_it(store):
    with store.connect(mint(store.key(), {
            "f": "f", "r": "1", "d": 0,
            "g": [allow(["dynamodb:*"], ["*"])]})) as c:
        refused(lambda: c.call("Stop", {}), "Denied")


def test_what_runs_is_answered_before_it_leaves(store, client):
    """Every request has one reply, and what it says is true afterwards."""
    for i in range(200):
        client.send("PutItem", {"TableName": "notes",
                                "Item": {"id": "k%d" % i}}, PLAIN)
    os.kill(store.pid, signal.SIGTERM)
    done = set()
    try:
        while len(done) < 200:
            number, status, _, _ = client.hear()
            assert status in (0, 1020)      # done, or leaving
            if status == 0:
                done.add(number)
    except Closed:
        pass
    store.gone()
    store.started()
    with store.connect() as c:
        there = {item["id"] for item in
                 c.call("Scan", {"TableName": "notes"}, PLAIN)["Items"]}
    first = min(done, default=0)
    assert {"k%d" % (n - 2) for n in done} <= there, first


def test_a_request_is_refused_aloud_once_it_leaves(store, client):
    """A request that was sent and not begun is answered, not swallowed."""
    client.put("notes", {"id": "a"})
    os.kill(store.pid, signal.SIGTERM)
    try:
        client.send("GetItem", {"TableName": "notes", "Key": {"id": "a"}},
                    PLAIN)
        number, status, _, _ = client.hear()
        assert status in (0, 1020)
    except (BrokenPipeError, Closed):
        pass        # nothing was read of it
    store.gone()


# ---- who may ----------------------------------------------------------------

def test_nothing_shown_nothing_allowed(store, client):
    with store.connect(b"") as c:
        for name in ("ListTables", "GetItem", "Stat", "Stop", 999):
            refused(lambda: c.call(name, {}), "Denied")


def test_a_wrong_proof_takes_the_right_away(store):
    with store.connect() as c:
        c.call("ListTables", {})
        c.token = b"x" * 32
        refused(lambda: c.call("ListTables", {}), "Denied")
        refused(lambda: c.call("ListTables", {}), "Denied")


def test_a_proof_is_for_one_connection(store):
    with store.connect() as a, store.connect() as b:
        b.token = a.token
        refused(lambda: b.call("ListTables", {}), "Denied")


def test_a_token_reaches_what_it_grants(store, client):
    client.table("others")
    client.put("notes", {"id": "a", "n": 1})
    token = mint(store.key(), {
        "f": "reader", "r": "1", "d": 0,
        "g": [allow(["dynamodb:GetItem"], ["notes"])]})
    with store.connect(token) as c:
        assert c.get("notes", {"id": "a"}) == {"id": "a", "n": 1}
        refused(lambda: c.get("others", {"id": "a"}), "Denied")
        refused(lambda: c.put("notes", {"id": "b"}), "Denied")
        refused(lambda: c.call("Checkpoint", {}), "Denied")


def test_a_token_ends_at_its_deadline(store, client):
    claims = {"f": "f", "r": "1", "g": [allow(["dynamodb:*"], ["*"])]}
    with store.connect(mint(store.key(), dict(claims, d=0))) as c:
        for ms in (700, 5000):          # longer if the machine is busy
            end = time.time() + ms / 1000
            c.token = mint(store.key(), dict(claims, d=int(end * 1000)))
            try:
                c.get("notes", {"id": "a"})
                break
            except Fault:
                assert time.time() > end
        time.sleep(max(0, end - time.time()) + 0.1)
        refused(lambda: c.get("notes", {"id": "a"}), "Denied")
        c.token = mint(store.key(), dict(claims, d=0))      # renewed
        c.get("notes", {"id": "a"})


def test_a_token_of_another_key_is_denied(store):
    with store.connect(mint(b"k" * 32, {
            "f": "f", "r": "1", "d": 0,
            "g": [allow(["*"], ["*"])]})) as c:
        refused(lambda: c.call("ListTables", {}), "Denied")


# ---- requests ---------------------------------------------------------------

def test_many_at_once_are_each_answered_once(client):
    sent = {}
    for i in range(client.in_flight):
        if i % 3:
            number = client.send("PutItem", {
                "TableName": "notes", "Item": {"id": "k%d" % i}}, PLAIN)
        else:
            number = client.send("GetItem", {
                "TableName": "notes", "Key": {"id": "k%d" % i}}, PLAIN)
        sent[number] = i
    while sent:
        number, status, _, _ = client.hear()
        assert status == 0
        del sent[number]


def test_more_than_may_be_under_way_wait(client):
    """1,000 puts in one write: the store reads on as it answers."""
    frames = [client.frame("PutItem", {
        "TableName": "notes", "Item": {"id": "k%d" % i}}, PLAIN)
        for i in range(1000)]
    sender = threading.Thread(target=client.socket.sendall, args=(
        b"".join(data for data, _ in frames),))
    sender.start()
    left = {number for _, number in frames}
    while left:
        number, status, _, _ = client.hear()
        assert status == 0
        left.remove(number)
    sender.join()


def test_a_file_lies_there_when_it_was_asked_for(store, client):
    for i in range(20):
        client.put("notes", {"id": "f%d" % i}, PLAIN | WAIT_FILE)
        found = [name for _, _, names in os.walk(
            os.path.join(store.directory, "data")) for name in names]
        assert "f%d.json" % i in found


def test_a_frame_byte_by_byte(client):
    data, number = client.frame("ListTables", {})
    for i in range(len(data)):
        client.socket.send(data[i:i + 1])
    assert client.wait(number) == {"TableNames": ["notes"]}


def test_who_sends_no_more_still_gets_replies(client):
    numbers = [client.send("PutItem", {
        "TableName": "notes", "Item": {"id": "k%d" % i}}, PLAIN)
        for i in range(50)]
    client.socket.shutdown(socket.SHUT_WR)
    assert {client.hear()[0] for _ in numbers} == set(numbers)
    with pytest.raises(Closed):
        client.hear()


def test_a_long_operation_holds_nobody(store, client):
    client.put("notes", {"id": "a"})
    numbers = [client.send("Checkpoint", {}) for _ in range(8)]
    number = client.send("GetItem", {"TableName": "notes",
                                     "Key": {"id": "a"}}, PLAIN)
    assert client.hear()[0] == number
    assert {client.hear()[0] for _ in numbers} == set(numbers)


def test_read_only(store, client):
    client.put("notes", {"id": "a", "n": 1})
    store.stop()
    store.started("--read-only")
    with store.connect() as c:
        assert c.get("notes", {"id": "a"}) == {"id": "a", "n": 1}
        refused(lambda: c.put("notes", {"id": "b"}), "ReadOnly")


# ---- peers that mean no good ------------------------------------------------

def still_well(store):
    with store.connect() as c:
        c.call("ListTables", {})
    assert store.pid


@pytest.mark.parametrize("garbage", [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\xff" * 4096, b"\0" * 4096,
    struct.pack("<I", 3) + b"abc", struct.pack("<I", 0xffffffff),
    struct.pack("<I", 64 << 20) + b"x" * 100])
def test_garbage_ends_the_connection_alone(store, garbage):
    with store.connect() as c:
        c.call("ListTables", {})
        c.socket.sendall(garbage)
        with pytest.raises(Closed):
            while True:
                c.hear()
    still_well(store)


@pytest.mark.parametrize("frame", [
    struct.pack("<IIHHIHH", 16, 7, 36, 0x8000, 0, 0, 0),
    struct.pack("<IIHHIHH", 16, 7, 36, 0, 0, 9, 0),
    struct.pack("<IIHHIHH", 16, 7, 36, 0, 0, 0, 1)])
def test_a_frame_that_makes_no_sense_is_told(store, frame):
    with store.connect() as c:
        c.call("ListTables", {})
        c.socket.sendall(frame)
        assert c.hear()[:2] == (7, 1001)
        c.call("ListTables", {})


def test_bodies_that_are_no_requests(client):
    for body in (b"", b"{", b"[]", b"\xff\xfe", b"{}" * 1000,
                 b"[" * 100000, b'{"TableName":' + b"9" * 1000 + b"}"):
        with pytest.raises(Fault):
            client.call("PutItem", body)
    client.put("notes", {"id": "a"})


def test_a_long_frame_of_a_stranger_is_refused(store):
    with store.connect(b"") as c:
        c.socket.sendall(struct.pack("<IIHHIHH", 8 << 20, 7, 2, 0, 0, 0, 0) +
                         b"x" * 100000)
        number, status, _, body = c.hear()
        assert (number, status) == (7, 1014), body
        with pytest.raises(Closed):
            c.hear()
    still_well(store)


def test_the_longest_frame(store, client):
    """Too long for an item, not for a frame: an answer, and on it goes."""
    most = client.request_max - (16 << 10) - 1000
    with pytest.raises(Fault) as fault:
        client.call("PutItem", b'{"TableName":"notes","Item":{"id":{"S":"' +
                    b"x" * most + b'"}}}')
    assert fault.value.name == "Validation"
    client.put("notes", {"id": "a"})


def test_connections_end_somewhere(store):
    connections = []
    with pytest.raises((Closed, BlockingIOError)):
        for _ in range(1100):
            connections.append(store.connect(b""))
    assert len(connections) == 1000
    connections.pop().socket.close()
    wait_for(lambda: answers(store), 5, "a free place")
    for c in connections:
        c.socket.close()
    wait_for(lambda: answers(store), 5, "a free place")


def answers(store):
    try:
        still_well(store)
        return True
    except Closed:
        return False


def test_out_of_descriptors(unstarted):
    store = unstarted.started(preexec_fn=lambda: (
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))))
    with store.connect() as c:
        c.table("notes")
        c.put("notes", {"id": "a"})
        waiting = []
        for _ in range(120):
            s = socket.socket(socket.AF_UNIX)
            s.connect(os.path.join(store.directory, "store.sock"))
            waiting.append(s)
        time.sleep(0.3)
        assert c.get("notes", {"id": "a"}) == {"id": "a"}
        for s in waiting:
            s.close()
    wait_for(lambda: answers(store), 5, "descriptors to come back")
    assert any("descriptors" in line["message"] or "open files" in
               line["message"] for line in store.log())


def test_one_that_does_not_read_holds_nobody_and_little(store, client):
    """It asks for a gigabyte of replies and reads none."""
    for i in range(8):
        client.put("notes", {"id": "big%d" % i, "text": "x" * 300000})
    before = resident_kb(store.pid)
    with store.connect() as greedy:
        greedy.call("ListTables", {})
        greedy.socket.settimeout(0.2)
        with pytest.raises((TimeoutError, socket.timeout)):
            for i in range(100000):
                greedy.send("GetItem", {
                    "TableName": "notes", "Key": {"id": "big%d" % (i % 8)}},
                    PLAIN)
        took = []
        for i in range(200):
            begin = time.monotonic()
            client.get("notes", {"id": "none"})
            took.append(time.monotonic() - begin)
        assert statistics.median(took) < 0.1 and max(took) < 20
        assert resident_kb(store.pid) - before < 64 << 10
    still_well(store)


def test_many_half_frames_hold_little(store, client):
    """50 clients begin a frame of 8 MB and send no more of it."""
    before = resident_kb(store.pid)
    half = []
    for _ in range(50):
        c = store.connect()
        c.call("ListTables", {})
        c.socket.sendall(struct.pack("<IIHHIHH", 8 << 20, 7, 2, 0, 0, 0, 0) +
                         b"x" * 1000)
        half.append(c)
    client.get("notes", {"id": "none"})
    client.put("notes", {"id": "a"})
    assert resident_kb(store.pid) - before < 64 << 10
    for c in half:
        c.socket.close()


def test_who_goes_amid_everything(store, client):
    """Connections that end at any point cost nobody anything."""
    for i in range(60):
        c = store.connect()
        data, _ = c.frame("PutItem", {"TableName": "notes",
                                      "Item": {"id": "k%d" % i}}, PLAIN)
        c.socket.sendall(data * 3 + data[:i])
        c.socket.close()
    client.put("notes", {"id": "last"})
    still_well(store)


def test_the_log_is_json_and_is_put_aside_when_long(unstarted):
    store = unstarted
    os.mkdir(store.directory, 0o700)
    with open(os.path.join(store.directory, "store.log"), "w") as f:
        f.write("{}\n" * 400000)
    store.started()
    wait_for(lambda: store.log()[0], 5, "it to say something")
    assert store.log()[0]["level"] == "info"
    assert "serving" in store.log()[0]["message"]
    assert os.path.exists(os.path.join(store.directory, "store.log.1"))


def test_help():
    import subprocess
    done = subprocess.run([PROGRAM, "--help"], stdout=subprocess.PIPE,
                          text=True, check=True)
    assert done.stdout.startswith("usage: bothy-store")
