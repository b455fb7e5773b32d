"""The SDK's calls on documents, against a store's daemon."""
import json
import os
import signal
import subprocess
import threading

import pytest

import procs
from storeclient import BIN, Store, allow, mint

HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """A function that does the steps it is told; run as a CGI program."""
    path = str(tmp_path_factory.mktemp("documents") / "documents")
    sdk = os.path.join(BIN, "../sdk")
    subprocess.run(["gcc", "-static", "-O1", "-Wall", "-I" + sdk, "-o", path,
                    os.path.join(HERE, "documents/documents.c"), "-L" + sdk,
                    "-lbothy", "-ljansson"], check=True)
    return path


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store").started()
    with store.connect() as c:
        c.table("notes")
        c.table("messages", "room", KeySchema=[
            {"AttributeName": "room", "KeyType": "HASH"},
            {"AttributeName": "at", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "room", "AttributeType": "S"},
                {"AttributeName": "at", "AttributeType": "N"},
                {"AttributeName": "author", "AttributeType": "S"}],
            GlobalSecondaryIndexes=[{
                "IndexName": "byAuthor", "KeySchema": [
                    {"AttributeName": "author", "KeyType": "HASH"},
                    {"AttributeName": "at", "KeyType": "RANGE"}],
                "Projection": {"ProjectionType": "ALL"}}])
    yield store
    store.stop()


@pytest.fixture
def run(program, store):
    def start(*steps, grants=None, deadline_ms=0):
        token = mint(store.key(), {
            "f": "documents", "r": "1", "d": deadline_ms,
            "g": grants if grants is not None else [allow(["*"], ["*"])]})
        body = json.dumps(steps).encode()
        env = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/json",
               "CONTENT_LENGTH": str(len(body)), "BOTHY_STORE_TOKEN": token,
               "BOTHY_STORE": os.path.join(store.directory, "store.sock")}
        done = subprocess.run([program], input=body, env=env, timeout=60,
                              stdout=subprocess.PIPE, check=True)
        head, _, reply = done.stdout.partition(b"\r\n\r\n")
        assert head.startswith(b"Status: 200"), done.stdout
        return json.loads(reply)
    return start


def put(doc, table="notes", **more):
    return dict({"do": "put", "table": table, "doc": doc}, **more)


def get(key, table="notes"):
    return {"do": "get", "table": table, "key": {"id": key}}


def rows(table="messages", **more):
    return dict({"do": "rows", "table": table}, **more)


# ---- one document ------------------------------------------------------------

DOCUMENT = {
    "id": "ä/\u0001~\U0001f3d4", "empty": "", "yes": True, "nothing": None,
    "list": [1, [], {}, "x"], "deep": {"a": {"b": {"c": [0]}}},
    "numbers": [0, -1, 0.1, 1.5e-7, 123456789012345678, 3.141592653589793,
                1e+22, -2.5e-100],
    "set": {"$set": ["a", "b"]}, "numberSet": {"$set": [1, 2.5]},
    "bytes": {"$binary": "aGk="}, "escaped": {"$map": {"$set": "text"}},
    " ": "a space", "quoted\"": "\\",
}


def test_a_document_comes_back_as_it_was(run, store):
    assert run(put(DOCUMENT), get(DOCUMENT["id"])) == [True, DOCUMENT]
    folder = os.path.join(store.directory, "data", "notes")
    name, = [n for n in os.listdir(folder) if not n.startswith(".")]
    with open(os.path.join(folder, name)) as f:
        text = f.read()
    assert json.loads(text) == DOCUMENT
    assert "0.1," in text           # and not 0.1000000000000000055


def test_the_file_is_there_when_put_returns(run, store):
    folder = os.path.join(store.directory, "data", "notes")
    for i in range(20):
        assert run(put({"id": "n%d" % i, "i": i})) == [True]
        with open(os.path.join(folder, "n%d.json" % i)) as f:
            assert json.load(f) == {"id": "n%d" % i, "i": i}


def test_absent_is_null(run):
    assert run(get("none"), {"do": "delete", "table": "notes",
                             "key": {"id": "none"}}) == [None, True]


def test_conditions(run):
    new = put({"id": "a", "v": 1}, condition="attribute_not_exists(#i)",
              values={"#i": "id"})
    first, second, old, updated, wrong = run(
        new, new, get("a"),
        {"do": "update", "table": "notes", "key": {"id": "a"},
         "update": "SET v = v + :one", "condition": "v = :seen",
         "values": {":one": 1, ":seen": 1}},
        {"do": "delete", "table": "notes", "key": {"id": "a"},
         "condition": "v = :seen", "values": {":seen": 1}})
    assert (first, old, updated) == (True, {"id": "a", "v": 1},
                                     {"id": "a", "v": 2})
    for failure in (second, wrong):
        assert failure["failed"] == "ConditionalCheckFailedException"
        assert failure["status"] == 409 and not failure["unknown"]


def test_an_update_makes_what_is_not_there(run):
    count = {"do": "update", "table": "notes", "key": {"id": "c"},
             "update": "ADD n :one", "values": {":one": 1}}
    assert run(count, count, count)[2] == {"id": "c", "n": 3}


def test_mistakes_have_names(run):
    absent, no_key, too_long, nonsense = run(
        put({"id": "a"}, table="nowhere"), put({"x": 1}),
        put({"id": "a", "x": "x" * 420000}),
        {"do": "store", "operation": "Query", "body": {"TableName": "notes"}})
    assert absent["failed"] == "ResourceNotFoundException"
    assert no_key["failed"] == "ValidationException"
    assert "Missing the key id" in no_key["message"]
    assert too_long["message"] == \
        "Item size has exceeded the maximum allowed size"
    assert nonsense["status"] == 500
    assert nonsense["message"].startswith("Either the KeyConditions")


def test_any_operation(run):
    described, old = run(
        {"do": "store", "operation": "DescribeTable",
         "body": {"TableName": "notes"}},
        {"do": "store", "operation": "PutItem", "body": {
            "TableName": "notes", "Item": {"id": "a"},
            "ReturnValues": "ALL_OLD"}})
    assert described["Table"]["TableStatus"] == "ACTIVE"
    assert old == {}


# ---- many ---------------------------------------------------------------------

def messages(n, size=0):
    return [{"room": "hut", "at": i, "author": "ab"[i % 2],
             "text": "x" * size} for i in range(n)]


def test_newest_first_page_by_page(run):
    every = messages(57)
    assert run({"do": "batch_write", "table": "messages", "puts": every}) == \
        [True]
    seen, after = [], None
    while True:
        page, = run(rows(condition="room = :r", values={":r": "hut"},
                         limit=10, descending=True, after=after))
        seen += page["rows"]
        after = page["after"]
        if not after:
            break
        assert len(page["rows"]) == 10
    assert seen == every[::-1]


def test_a_filter_and_a_limit(run):
    run({"do": "batch_write", "table": "messages", "puts": messages(60)})
    how = dict(condition="room = :r", filter="author = :a",
               values={":r": "hut", ":a": "b"}, limit=7)
    first, = run(rows(**how))
    assert [m["at"] for m in first["rows"]] == [1, 3, 5, 7, 9, 11, 13]
    then, = run(rows(**how, after=first["after"]))
    assert [m["at"] for m in then["rows"]] == [15, 17, 19, 21, 23, 25, 27]


def test_an_index_and_a_projection(run):
    run({"do": "batch_write", "table": "messages", "puts": messages(9)})
    found, = run(rows(condition="author = :a AND #at > :t", index="byAuthor",
                      values={":a": "a", ":t": 3, "#at": "at"},
                      attributes="#at"))
    assert found == {"rows": [{"at": 4}, {"at": 6}, {"at": 8}],
                     "after": None}


def test_more_than_a_page_holds(run):
    every = messages(40, 100000)        # a page is 1 MB
    run({"do": "batch_write", "table": "messages", "puts": every})
    found, scanned = run(rows(condition="room = :r", values={":r": "hut"}),
                         rows())
    assert found["rows"] == every
    assert sorted(scanned["rows"], key=lambda m: m["at"]) == every


def test_a_forged_cursor(run):
    no_cursor, elsewhere = run(
        rows(condition="room = :r", values={":r": "hut"}, after="%%%"),
        rows(condition="room = :r", values={":r": "hut"},
             after="eyJyb29tIjoic3VtbWl0IiwiYXQiOjF9"))
    assert no_cursor["status"] == 400
    assert elsewhere["failed"] == "ValidationException"


def test_batches_of_any_length(run):
    docs = [{"id": "k%d" % i} for i in range(130)]
    wrote, got, _, left = run(
        {"do": "batch_write", "table": "notes", "puts": docs},
        {"do": "batch_get", "table": "notes",
         "keys": docs + [{"id": "none"}]},
        {"do": "batch_write", "table": "notes", "deletes": docs[:100]},
        {"do": "batch_get", "table": "notes", "keys": docs})
    assert wrote is True
    assert sorted(d["id"] for d in got) == sorted(d["id"] for d in docs)
    assert len(left) == 30


def transfer(coins):
    return {"do": "transact", "writes": [
        {"do": "update", "table": "notes", "key": {"id": "from"},
         "update": "SET coins = coins - :n", "condition": "coins >= :n",
         "values": {":n": coins}},
        {"do": "update", "table": "notes", "key": {"id": "to"},
         "update": "SET coins = coins + :n", "values": {":n": coins}},
        {"do": "put", "table": "messages",
         "doc": {"room": "log", "at": coins}},
        {"do": "check", "table": "notes", "key": {"id": "open"},
         "condition": "attribute_exists(id)"}]}


def test_all_or_none(run):
    both = {"do": "transact_get", "wanted": [
        {"table": "notes", "key": {"id": "from"}},
        {"table": "messages", "key": {"room": "log", "at": 70}},
        {"table": "notes", "key": {"id": "to"}}]}
    results = run(put({"id": "from", "coins": 100}),
                  put({"id": "to", "coins": 0}), put({"id": "open"}),
                  transfer(70), both, transfer(71), both)
    assert results[3] is True
    assert results[4] == results[6] == [
        {"id": "from", "coins": 30}, {"room": "log", "at": 70},
        {"id": "to", "coins": 70}]
    assert results[5]["failed"] == "TransactionCanceledException"
    assert results[5]["status"] == 409
    reasons = results[5]["body"]["CancellationReasons"]
    assert [r["Code"] for r in reasons] == ["ConditionalCheckFailed", "None",
                                            "None", "None"]


# ---- who may, and what if ------------------------------------------------------

def test_grants(run):
    only = [allow(["dynamodb:GetItem"], ["notes"])]
    found, denied, other = run(get("a"), put({"id": "a"}),
                               get("a", table="messages"), grants=only)
    assert found is None
    for failure in (denied, other):
        assert failure["failed"] == "AccessDeniedException"
    assert "dynamodb:PutItem on resource: table/notes" in denied["message"]
    nothing, = run(get("a"), grants=[])
    late, = run(get("a"), deadline_ms=1)
    assert nothing["failed"] == late["failed"] == "AccessDeniedException"


def test_the_store_is_killed_in_mid_request(run, store, tmp_path):
    """Nothing is under way: whatever comes next goes to the new one."""
    flag = tmp_path / "flag"
    flag.write_text("")
    wait = {"do": "wait", "file": str(flag)}
    results = []
    thread = threading.Thread(target=lambda: results.extend(run(
        put({"id": "a", "n": 1}), wait, put({"id": "b"}), get("a"))))
    thread.start()
    procs.wait_for((tmp_path / "flag.waits").exists,
                   what="the first put to be answered")
    store.stop(signal.SIGKILL)
    store.started()
    flag.unlink()
    thread.join()
    assert results == [True, True, True, {"id": "a", "n": 1}]


def test_a_stopped_store_is_said(run, store):
    store.stop()
    failed, = run(get("a"))
    assert failed["failed"] == "UnreachableException"
    assert failed["status"] == 503 and not failed["unknown"]
