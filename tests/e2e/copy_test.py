"""bothy store copy: tables to another DynamoDB and back."""
import json
import os
import subprocess

import pytest

from far import KEYS, PREFIX, Dynalite, Far, find_dynalite
from storeclient import BIN, PLAIN, Store

ENVIRONMENT = dict(os.environ, **KEYS)
SMALL = ("--segment-bytes", "1048576")
BOTHY = os.path.join(BIN, "bothy")


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "mine", *SMALL).started()
    yield store
    store.stop()


def copy(store, *words, status=0):
    done = subprocess.run(
        [BOTHY, "store", "--dir", store.directory, "copy", *words],
        env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == status, done
    return done


def items(client, table):
    got, more = [], {}
    while True:
        page = client.call("Scan", dict(TableName=table, **more), PLAIN)
        got += page["Items"]
        if "LastEvaluatedKey" not in page:
            return sorted(got, key=lambda item: item["id"])
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def fill(client, n):
    wanted = [{"PutRequest": {"Item": {
        "id": "n%04d" % i, "n": i, "text": "\u00fc" * 20,
        "tags": {"$set": [1, 2]}, "none": None,
        "deep": {"a": [True, {"$binary": "AAE="}]}}}} for i in range(n)]
    for i in range(0, n, 25):
        client.call("BatchWriteItem",
                    {"RequestItems": {"notes": wanted[i:i + 25]}}, PLAIN)


def test_what_is_to_be_said(store):
    assert "--to, or --from" in copy(store, status=2).stderr
    assert "--to, or --from" in copy(store, "--to", "--from",
                                     status=2).stderr


def test_to_dynalite_and_back(tmp_path, store):
    program = find_dynalite()
    if not program:
        pytest.skip("npm could not install dynalite")
    dynalite = Dynalite(program)
    other = Store(tmp_path / "other", *SMALL).started()
    try:
        with store.connect() as client:
            client.table("notes", AttributeDefinitions=[
                {"AttributeName": "id", "AttributeType": "S"},
                {"AttributeName": "n", "AttributeType": "N"}],
                GlobalSecondaryIndexes=[{
                    "IndexName": "byN", "KeySchema": [
                        {"AttributeName": "n", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "KEYS_ONLY"}}])
            client.table("empty")
            fill(client, 130)
            mine = items(client, "notes")
        done = copy(store, "--to", "--endpoint", dynalite.endpoint)
        assert done.stdout.splitlines() == ["empty: 0 items",
                                            "notes: 130 items"]
        copy(other, "--from", "--endpoint", dynalite.endpoint, "notes")
        with other.connect() as client:
            assert items(client, "notes") == mine
            table = client.call("DescribeTable",
                                {"TableName": "notes"})["Table"]
            assert table["GlobalSecondaryIndexes"][0]["IndexName"] == "byN"
            assert client.call("ListTables", {})["TableNames"] == ["notes"]
        copy(store, "--to", "--endpoint", dynalite.endpoint, "notes")
    finally:
        other.stop()
        dynalite.stop()
    assert not os.path.exists(store.directory + ".copy")


class Table:
    """A far table that takes a few items and then breaks."""

    def __init__(self, breaks_after):
        self.breaks_after = breaks_after
        self.items = {}
        self.batches = 0

    def __call__(self, target, body):
        name = target.split(".")[1]
        if name == "DescribeTable":
            return 200, {"Table": {"TableStatus": "ACTIVE"}}
        if name != "BatchWriteItem":
            return 400, {"__type": "x#UnknownOperationException",
                         "message": name}
        self.batches += 1
        if self.batches > self.breaks_after:
            return 400, {"__type": PREFIX + "ValidationException",
                         "message": "broken"}
        (table, writes), = body["RequestItems"].items()
        taken = len(writes) - (self.batches % 10 == 0 and len(writes) > 1)
        for write in writes[:taken]:
            item = write["PutRequest"]["Item"]
            self.items[item["id"]["S"]] = item
        left = {table: writes[taken:]} if writes[taken:] else {}
        return 200, {"UnprocessedItems": left}


def test_it_goes_on_where_it_was_cut_off(store):
    far = Far()
    try:
        with store.connect() as client:
            client.table("notes")
            fill(client, 2400)
        table = far.answer = Table(breaks_after=60)
        done = copy(store, "--to", "--endpoint", far.endpoint, "notes",
                    status=1)
        assert "broken" in done.stderr
        before = len(table.items)
        assert 1000 <= before < 2400
        table.breaks_after = 10 ** 6
        table.batches = 0
        done = copy(store, "--to", "--endpoint", far.endpoint, "notes")
        assert done.stdout == "notes: 2400 items, with those of before\n"
        assert table.batches < 2 * 1400 / 25 + 2
        assert sorted(table.items) == ["n%04d" % i for i in range(2400)]
    finally:
        far.stop()
    assert not os.path.exists(store.directory + ".copy")


def test_a_missing_table_is_told(store):
    far = Far()
    try:
        far.answer = lambda target, body: (200, {})
        done = copy(store, "--to", "--endpoint", far.endpoint, "none",
                    status=1)
        assert "Requested resource not found" in done.stderr
        env = {k: v for k, v in ENVIRONMENT.items() if k not in KEYS}
        done = subprocess.run(
            [BOTHY, "store", "--dir", store.directory, "copy", "--to",
             "--endpoint", far.endpoint], env=env, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == 4
        assert "AWS_ACCESS_KEY_ID" in done.stderr
    finally:
        far.stop()


def test_numbers_pass_digit_by_digit(store):
    far = Far()
    number = "12345678901234567890123456789012345678"
    try:
        with store.connect() as client:
            client.table("notes")
            client.call("PutItem", {"TableName": "notes", "Item": {
                "id": {"S": "a"}, "n": {"N": number}}})
        table = far.answer = Table(breaks_after=100)
        copy(store, "--to", "--endpoint", far.endpoint, "notes")
        assert json.dumps(table.items["a"]["n"]) == '{"N": "%s"}' % number
    finally:
        far.stop()


def test_a_site_names_the_other_in_one_line(tmp_path):
    far = Far()
    (tmp_path / "site").mkdir()
    (tmp_path / "site/deploy.yaml").write_text(
        "service: far\n"
        "provider: {name: bothy}\n"
        "resources:\n"
        "  store: {endpoint: '%s', region: eu-1, anyFileSystem: true}\n"
        "  tables: {notes: {key: {id: S}}}\n" % far.endpoint)

    def bothy(*words, status=0):
        done = subprocess.run(
            [BOTHY, "store", *words], cwd=tmp_path / "site",
            env=ENVIRONMENT, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == status, done
        return done.stdout
    try:
        far.answer = lambda target, body: (200, {
            "Table": {"TableName": "notes", "TableStatus": "ACTIVE",
                      "KeySchema": [{"AttributeName": "id",
                                     "KeyType": "HASH"}],
                      "AttributeDefinitions": [{"AttributeName": "id",
                                                "AttributeType": "S"}]}}
            if target.endswith("DescribeTable") else {})
        bothy("put", "notes", '{"id": "a", "n": 1}')
        put = [body for target, body, *_ in far.seen
               if target.endswith("PutItem")]
        assert put == [{"TableName": "notes",
                        "Item": {"id": {"S": "a"}, "n": {"N": "1"}}}]
        assert far.seen[0][3].endswith("/eu-1/dynamodb/aws4_request")
        far.answer = lambda target, body: (200, {
            "Table": {"TableName": "notes", "TableStatus": "ACTIVE",
                      "ItemCount": 1},
            "Items": [{"id": {"S": "b"}}], "Count": 1})
        assert bothy("copy", "--from", "notes") == "notes: 1 item\n"
    finally:
        bothy("stop")
        far.stop()
    assert (tmp_path / "site/.bothy/store/data/notes/b.json").exists()
