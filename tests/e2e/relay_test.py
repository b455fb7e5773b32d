"""A store whose documents are in another DynamoDB."""
import json
import os
import time

import pytest

import guestbook_test
import ways
from far import KEYS, PREFIX, Dynalite, Far, find_dynalite
from storeclient import PLAIN, Fault, Store, allow, mint

HERE = 8                                # a flag: of the documents here
ENVIRONMENT = dict(os.environ, **KEYS)


@pytest.fixture
def far():
    far = Far()
    yield far
    far.stop()


def relayed(path, endpoint, **environment):
    return Store(path, "--segment-bytes", "1048576", "--relay", endpoint,
                 "--region", "eu-test-1").started(
                     env=dict(ENVIRONMENT, **environment))


@pytest.fixture
def store(tmp_path, far):
    store = relayed(tmp_path / "store", far.endpoint)
    yield store
    store.stop()


@pytest.fixture
def client(store):
    with store.connect() as client:
        yield client


def fault(call, name):
    with pytest.raises(Fault) as raised:
        call()
    assert raised.value.name == name, raised.value
    return raised.value.body


# ---- over the wire ----------------------------------------------------------

def test_typed_calls_go_as_they_are(client, far):
    far.answer = lambda target, body: (200, {"Item": {"id": {"S": "a"}}})
    body = {"TableName": "tab", "Key": {"id": {"S": "a"}}}
    assert client.call("GetItem", body) == {"Item": {"id": {"S": "a"}}}
    target, seen, parts, scope, _ = far.seen[0]
    assert (target, seen) == ("DynamoDB_20120810.GetItem", body)
    assert parts["Credential"].startswith("AKIDFAR/")
    assert scope.endswith("/eu-test-1/dynamodb/aws4_request")
    assert {"host", "x-amz-date"} <= set(parts["SignedHeaders"].split(";"))


def test_plain_documents_are_typed_on_the_way(client, far):
    far.answer = lambda target, body: (200, {
        "Attributes": {"id": {"S": "a"}, "b": {"B": "YQ=="},
                       "s": {"SS": ["x"]}, "n": {"N": "1.50"}}})
    got = client.call("UpdateItem", {
        "TableName": "tab", "Key": {"id": "a"},
        "UpdateExpression": "SET x = :x, y = :y",
        "ExpressionAttributeValues": {":x": {"l": [1, None, {"$set": [1]}]},
                                      ":y": "\u00fc"},
        "ReturnValues": "ALL_OLD"}, PLAIN)
    assert far.seen[0][1] == {
        "TableName": "tab", "Key": {"id": {"S": "a"}},
        "UpdateExpression": "SET x = :x, y = :y",
        "ExpressionAttributeValues": {
            ":x": {"M": {"l": {"L": [{"N": "1"}, {"NULL": True},
                                     {"NS": ["1"]}]}}},
            ":y": {"S": "\u00fc"}},
        "ReturnValues": "ALL_OLD"}
    assert got == {"Attributes": {"id": "a", "b": {"$binary": "YQ=="},
                                  "s": {"$set": ["x"]}, "n": 1.5}}


def test_batches_and_transactions_are_typed(client, far):
    far.answer = lambda target, body: (200, {
        "Responses": {"tab": [{"id": {"S": "a"}}]},
        "UnprocessedKeys": {"tab": {"Keys": [{"id": {"S": "b"}}]}}})
    assert client.call("BatchGetItem", {"RequestItems": {"tab": {
        "Keys": [{"id": "a"}, {"id": "b"}]}}}, PLAIN) == {
            "Responses": {"tab": [{"id": "a"}]},
            "UnprocessedKeys": {"tab": {"Keys": [{"id": "b"}]}}}
    assert far.seen[-1][1]["RequestItems"]["tab"]["Keys"][1] == \
        {"id": {"S": "b"}}
    far.answer = lambda target, body: (200, {"UnprocessedItems": {
        "tab": [{"PutRequest": {"Item": {"id": {"S": "c"}}}}]}})
    assert client.call("BatchWriteItem", {"RequestItems": {"tab": [
        {"PutRequest": {"Item": {"id": "c", "n": 1}}},
        {"DeleteRequest": {"Key": {"id": "d"}}}]}}, PLAIN) == {
            "UnprocessedItems": {"tab": [
                {"PutRequest": {"Item": {"id": "c"}}}]}}
    assert far.seen[-1][1]["RequestItems"]["tab"][0] == \
        {"PutRequest": {"Item": {"id": {"S": "c"}, "n": {"N": "1"}}}}
    far.answer = lambda target, body: (200, {"Responses": [
        {"Item": {"id": {"S": "a"}}}, {}]})
    assert client.call("TransactGetItems", {"TransactItems": [
        {"Get": {"TableName": "tab", "Key": {"id": "a"}}},
        {"Get": {"TableName": "tab", "Key": {"id": "b"}}}]}, PLAIN) == {
            "Responses": [{"Item": {"id": "a"}}, {}]}
    assert far.seen[-1][1]["TransactItems"][1]["Get"]["Key"] == \
        {"id": {"S": "b"}}


def test_connections_are_kept(client, far):
    for _ in range(20):
        client.call("ListTables", {})
    assert len({seen[4] for seen in far.seen}) == 1


def test_many_are_under_way_at_once(store, far):
    def answer(target, body):
        time.sleep(0.3)
        return 200, {}
    far.answer = answer
    with store.connect() as client:
        for tries in range(1, 6):       # again if the machine is busy
            begun = time.monotonic()
            numbers = [client.send("ListTables", {}) for _ in range(8)]
            heard = {client.hear()[0] for _ in numbers}
            took = time.monotonic() - begun
            assert heard == set(numbers)
            assert len(far.seen) == 8 * tries
            if took < 1.5:
                break
    assert took < 1.5


def test_a_session_token_is_sent_and_signed(tmp_path, far):
    store = relayed(tmp_path / "session", far.endpoint,
                    AWS_SESSION_TOKEN="session/token==")
    try:
        with store.connect() as client:
            client.call("ListTables", {})
    finally:
        store.stop()
    assert "x-amz-security-token" in far.seen[0][2]["SignedHeaders"]


def test_a_large_body_goes_through(client, far):
    far.answer = lambda target, body: (200, {})
    items = [{"PutRequest": {"Item": {"id": str(i), "x": "x" * 90000}}}
             for i in range(25)]
    assert client.call("BatchWriteItem",
                       {"RequestItems": {"tab": items}}, PLAIN) == {}
    assert len(far.seen[0][1]["RequestItems"]["tab"]) == 25


# ---- what goes wrong ---------------------------------------------------------

def test_errors_come_back_as_they_are(client, far):
    far.answer = lambda target, body: (400, {
        "__type": PREFIX + "ConditionalCheckFailedException",
        "message": "The conditional request failed",
        "Item": {"id": {"S": "a"}}})
    put = {"TableName": "tab", "Item": {"id": "a"}}
    assert fault(lambda: client.call("PutItem", put, PLAIN), "Condition") == \
        {"message": "The conditional request failed", "Item": {"id": "a"}}
    far.answer = lambda target, body: (400, {
        "__type": PREFIX + "TransactionCanceledException",
        "Message": "canceled [None]",
        "CancellationReasons": [{"Code": "None",
                                 "Item": {"id": {"S": "a"}}}]})
    body = fault(lambda: client.call("TransactWriteItems", {
        "TransactItems": [{"Put": put}]}, PLAIN), "Canceled")
    assert body["CancellationReasons"] == [{"Code": "None",
                                           "Item": {"id": "a"}}]
    far.answer = lambda target, body: (400, {
        "__type": "com.amazon.coral.availability#ThrottlingException",
        "message": "slow down"})
    fault(lambda: client.call("ListTables", {}), "Throughput")


@pytest.mark.parametrize("answer, read, write", [
    ((500, b"<html>"), "Busy", "UnknownOutcome"),
    ((503, b"<html>"), "Busy", "Busy"),
    ((200, b"rubbish"), "Internal", "UnknownOutcome"),
    ((None, None), "Busy", "UnknownOutcome"),
    ((404, b""), "Internal", "Internal"),
])
def test_nonsense_is_told(client, far, answer, read, write):
    far.answer = lambda target, body: answer
    fault(lambda: client.call("ListTables", {}), read)
    fault(lambda: client.put("tab", {"id": "a"}), write)
    far.answer = lambda target, body: (200, {"TableNames": []})
    assert client.call("ListTables", {}) == {"TableNames": []}


def test_a_write_is_sent_once(client, far):
    """However a kept connection ends."""
    far.answer = lambda target, body: (200, {"TableNames": []})
    client.call("ListTables", {})
    far.answer = lambda target, body: (None, None)
    fault(lambda: client.put("tab", {"id": "a"}), "UnknownOutcome")
    assert len(far.seen) == 2
    assert far.seen[0][4] == far.seen[1][4]


def test_wrong_keys_are_told(tmp_path, far):
    store = relayed(tmp_path / "wrong", far.endpoint,
                    AWS_SECRET_ACCESS_KEY="other")
    try:
        with store.connect() as client:
            body = fault(lambda: client.call("ListTables", {}), "Denied")
    finally:
        store.stop()
    assert "does not take bothy-store's keys" in body["message"]


def test_nobody_there(client, far):
    far.stop()
    body = fault(lambda: client.put("tab", {"id": "a"}), "Busy")
    assert far.endpoint in body["message"]


@pytest.mark.parametrize("relay, environment, why", [
    ("http://127.0.0.1:1/path", {}, "is no endpoint"),
    ("ftp://127.0.0.1", {}, "is no endpoint"),
    ("http://127.0.0.1:1", {"AWS_ACCESS_KEY_ID": None},
     "AWS_ACCESS_KEY_ID"),
])
def test_what_it_needs_is_told(tmp_path, relay, environment, why):
    env = {k: v for k, v in dict(ENVIRONMENT, **environment).items() if v}
    done = Store(tmp_path / "store", "--relay", relay, "--region",
                 "r").start(env=env)
    assert done.returncode == 1 and why in done.stderr


def test_bothys_own_operations_are_refused(client):
    body = fault(lambda: client.call("Backup", {"Name": "monday"}),
                 "Validation")
    assert "no counterpart" in body["message"]
    assert client.call("Stat", {})["Tables"] == 0


# ---- by the settings that deploy.yaml gives ------------------------------------

def declare(client, **settings):
    client.call(114, {"Tables": [], "Settings": json.dumps(settings)})


def test_settings_turn_it_on_and_off(tmp_path, far):
    far.answer = lambda target, body: (200, {"Item": {"id": {"S": "far"}}})
    store = Store(tmp_path / "store", "--segment-bytes", "1048576").started(
        env=ENVIRONMENT)
    here = {"TableName": "tab", "Key": {"id": "a"}}
    try:
        with store.connect() as client:
            client.table("tab")
            client.put("tab", {"id": "a"})
            declare(client, endpoint=far.endpoint, region="eu-test-1")
            assert client.get("tab", {"id": "a"}) == {"id": "far"}
            assert client.call("GetItem", here, PLAIN | HERE)["Item"] == \
                {"id": "a"}
            claims = {"f": "f", "r": "r", "g": [allow(["*"], ["tab"])],
                      "d": int(time.time() * 1000) + 60000}
        with store.connect(mint(store.key(), claims)) as other:
            assert other.call("GetItem", here, PLAIN | HERE)["Item"] == \
                {"id": "far"}
        store.stop()
        store.started(env=ENVIRONMENT)
        with store.connect() as client:
            assert client.get("tab", {"id": "a"}) == {"id": "far"}
            declare(client)
            assert client.get("tab", {"id": "a"}) == {"id": "a"}
    finally:
        store.stop()


def test_without_keys_nothing_is_served_in_its_stead(tmp_path, far):
    env = {k: v for k, v in ENVIRONMENT.items() if k not in KEYS}
    store = Store(tmp_path / "store", "--segment-bytes", "1048576").started(
        env=env)
    try:
        with store.connect() as client:
            client.table("tab")
            with pytest.raises(Fault) as raised:
                declare(client, endpoint=far.endpoint, region="r")
            assert "AWS_ACCESS_KEY_ID" in str(raised.value)
            assert client.get("tab", {"id": "a"}) is None
        store.stop()
        store.started(env=ENVIRONMENT)
        with store.connect() as client:
            declare(client, endpoint=far.endpoint, region="r")
        store.stop()
        store.started(env=env)
        with store.connect() as client:
            body = fault(lambda: client.get("tab", {"id": "a"}), "ReadOnly")
            assert "AWS_ACCESS_KEY_ID" in body["message"]
            declare(client)
            assert client.get("tab", {"id": "a"}) is None
    finally:
        store.stop()
    assert far.seen == []


# ---- grants --------------------------------------------------------------------

def test_grants_hold_before_anything_is_sent(store, far):
    claims = {"f": "f", "r": "r", "d": int(time.time() * 1000) + 60000,
              "g": [allow(["dynamodb:GetItem", "dynamodb:Query",
                           "dynamodb:PartiQLSelect"], ["tab"])]}
    with store.connect(mint(store.key(), claims)) as client:
        client.get("tab", {"id": "a"})
        query = {"TableName": "tab", "KeyConditionExpression": "id = :i",
                 "ExpressionAttributeValues": {":i": "a"}}
        client.call("Query", query, PLAIN)
        client.call(11, {"Statement": "SELECT * FROM tab"}, PLAIN)
        assert len(far.seen) == 3
        fault(lambda: client.get("other", {"id": "a"}), "Denied")
        fault(lambda: client.put("tab", {"id": "a"}), "Denied")
        fault(lambda: client.call("Query", dict(query, TableName="other"),
                                  PLAIN), "Denied")
        fault(lambda: client.call(11, {"Statement": "DELETE FROM tab WHERE "
                                       "id = 'a'"}, PLAIN), "Denied")
        fault(lambda: client.call("Backup", {"Name": "b"}), "Denied")
    claims["g"] = [allow(["dynamodb:Query"], ["tab"], k=["mine"])]
    with store.connect(mint(store.key(), claims)) as client:
        fault(lambda: client.call("Query", query, PLAIN), "Denied")
    assert len(far.seen) == 3


def test_grants_for_a_table_are_for_none_of_another_account(store, far):
    arn = "arn:aws:dynamodb:eu-test-1:999999999999:table/tab"
    key = {"id": {"S": "a"}}

    def ask(client):
        yield lambda: client.call("GetItem", {"TableName": arn, "Key": key})
        yield lambda: client.call("Query", {
            "TableName": arn, "KeyConditionExpression": "id = :i",
            "ExpressionAttributeValues": {":i": {"S": "a"}}})
        yield lambda: client.call("BatchGetItem", {
            "RequestItems": {arn: {"Keys": [key]}}})
        yield lambda: client.call("TagResource", {
            "ResourceArn": arn, "Tags": [{"Key": "k", "Value": "v"}]})

    claims = {"f": "f", "r": "r", "d": int(time.time() * 1000) + 60000,
              "g": [allow(["dynamodb:*"], ["tab"])]}
    with store.connect(mint(store.key(), claims)) as client:
        for call in ask(client):
            assert "another account" in fault(call, "Denied")["message"]
        client.get("tab", {"id": "a"})      # with an ARN as its value, too
        client.put("tab", {"id": arn}, PLAIN)
        assert len(far.seen) == 2
    claims["g"] = [allow(["dynamodb:*"], ["*"])]
    with store.connect(mint(store.key(), claims)) as client:
        for call in ask(client):
            call()
    assert len(far.seen) == 6
    assert far.seen[2][1]["TableName"] == arn


# ---- dynalite ------------------------------------------------------------------

# ---- a whole site -----------------------------------------------------------

class Messages:
    """The guestbook's table, elsewhere."""

    def __init__(self):
        self.items = {}

    def __call__(self, target, body):
        assert body["TableName"] == "messages"
        if target.endswith(".PutItem"):
            item = body["Item"]
            key = item["room"]["S"], item["at"]["S"]
            if key in self.items:
                return 400, {"__type": "com.amazonaws.dynamodb.v20120810#"
                                       "ConditionalCheckFailedException",
                             "message": "The conditional request failed"}
            self.items[key] = item
            return 200, {}
        assert target.endswith(".Query"), target
        rooms = [v["S"] for v in body["ExpressionAttributeValues"].values()]
        found = [self.items[key] for key in sorted(self.items, reverse=True)
                 if key[0] in rooms]
        return 200, {"Items": found, "Count": len(found),
                     "ScannedCount": len(found)}


@pytest.fixture
def site(lab, far):
    """The guestbook, with its documents there."""
    files = {"deploy.yaml": guestbook_test.SITE +
             "  store: {endpoint: '%s', region: eu-test-1}\n" % far.endpoint}
    for name in ("functions/guestbook/guestbook.c", "www/guestbook.html"):
        with open(os.path.join(os.path.dirname(__file__), "..", "..", name)) as f:
            files[name] = f.read()
    site = lab.site("elsewhere", files=files)
    way = ways.Lighttpd(site)
    way.gateway_env = KEYS
    way.start()
    yield way
    way.stop()
    site.stop_launcher()
    site.stop_store()


def test_functions_of_a_site_run_against_it(site, far):
    """No line of theirs is another, and no document lies here."""
    far.answer = messages = Messages()
    told = [guestbook_test.sign(site, "hut", "Ada", text)
            for text in ("first", "z\u00fcrich")]
    assert [r.status for r in told] == [201, 201]
    assert guestbook_test.read(site, "hut").json()["messages"] == [
        r.json() for r in reversed(told)]
    assert [item["text"]["S"] for item in messages.items.values()] == [
        "first", "z\u00fcrich"]
    assert {(seen[2]["Credential"].split("/")[0], seen[3].split("/")[1])
            for seen in far.seen} == {("AKIDFAR", "eu-test-1")}
    data = os.path.join(site.site.state, "store", "data")
    assert not [n for _, _, names in os.walk(data) for n in names
                if n[0] != "."]
    # Grants are asked about before anything goes out.
    n = len(far.seen)
    refused = site.post("/stranger/hut", b'{"author":"x","text":"y"}',
                        [("Content-Type", "application/json")])
    assert refused.status == 500 and len(far.seen) == n
    far.answer = lambda target, body: (500, {})
    assert guestbook_test.read(site, "hut").status >= 500
    far.answer = messages
    assert guestbook_test.read(site, "hut").status == 200


@pytest.fixture(scope="module")
def dynalite():
    program = find_dynalite()
    if not program:
        pytest.skip("npm could not install dynalite")
    dynalite = Dynalite(program)
    yield dynalite
    dynalite.stop()


def test_an_application_runs_against_dynalite(tmp_path, dynalite):
    store = relayed(tmp_path / "store", dynalite.endpoint)
    try:
        with store.connect() as client:
            client.table("notes", "room")
            for i in range(60):
                client.put("notes", {"room": "r%d" % i, "n": i,
                                     "tags": {"$set": ["a", "b"]}})
            assert client.get("notes", {"room": "r7"}) == {
                "room": "r7", "n": 7, "tags": {"$set": ["a", "b"]}}
            got = client.call("UpdateItem", {
                "TableName": "notes", "Key": {"room": "r7"},
                "UpdateExpression": "SET n = n + :one",
                "ExpressionAttributeValues": {":one": 1},
                "ReturnValues": "UPDATED_NEW"}, PLAIN)
            assert got == {"Attributes": {"n": 8}}
            body = fault(lambda: client.call("PutItem", {
                "TableName": "notes", "Item": {"room": "r7"},
                "ConditionExpression": "attribute_not_exists(room)"}, PLAIN),
                "Condition")
            assert body["message"] == "The conditional request failed"
            fault(lambda: client.put("none", {"id": "a"}), "NotFound")
            seen, more = 0, {}
            while True:
                page = client.call("Scan", dict(TableName="notes", Limit=13,
                                                **more), PLAIN)
                seen += page["Count"]
                if "LastEvaluatedKey" not in page:
                    break
                more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
            assert seen == 60
            got = client.call("Query", {
                "TableName": "notes", "KeyConditionExpression": "room = :r",
                "ExpressionAttributeValues": {":r": "r9"}}, PLAIN)
            assert got["Items"][0]["n"] == 9
            client.call("DeleteTable", {"TableName": "notes"})
    finally:
        store.stop()
