"""A client of the DynamoDB endpoint that sends what nobody should.

    dynamofuzz.py URL [SECONDS [SEED]]

Requests that were right once are mutated: their trees, their bytes, their
headers and signatures.  Every one must be answered in time, by something that
is an answer of DynamoDB's and no internal error.  Prints its seed first, and
how many requests and answers there were; exits 1 at what must not be.
"""
import base64
import collections
import copy
import gzip
import http.client
import json
import random
import socket
import sys
import threading
import time
import traceback

from dynamo import Bare

TABLE = "Fuzzed"
CLIENTS = 4
DEPTH = 40              # that changes are made in
SECONDS_EACH = 15       # an answer is due within
TABLES_MOST = 20
ENCODING = b"The body is not of its Content-Encoding"
DATA, STREAMS = "DynamoDB_20120810.", "DynamoDBStreams_20120810."

KEY = {"p": {"S": "a"}, "s": {"N": "1"}}
ITEM = dict(KEY, g={"S": "x"}, l={"L": [{"N": "1"}, {"M": {"x": {"S": "y"}}}]},
            t={"SS": ["a", "b"]}, b={"B": "AAEC"}, n={"NULL": True},
            until={"N": "1"}, y={"BOOL": False}, ns={"NS": ["1", "2.5"]})
VALUES = {":v": {"N": "1"}, ":w": {"S": "x"}, ":l": {"L": [{"N": "2"}]},
          ":t": {"SS": ["c"]}}
UPDATE = {"TableName": TABLE, "Key": KEY, "ReturnValues": "ALL_NEW",
          "UpdateExpression": "SET l[1].x = :w, #c = if_not_exists(c, :v) + "
                              ":v, l = list_append(l, :l) REMOVE n "
                              "ADD t :t",
          "ConditionExpression": "attribute_exists(p) OR size(g) >= :v",
          "ExpressionAttributeNames": {"#c": "c"},
          "ExpressionAttributeValues": VALUES}
TABLE_MADE = {
    "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"},
                  {"AttributeName": "s", "KeyType": "RANGE"}],
    "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"},
                             {"AttributeName": "s", "AttributeType": "N"},
                             {"AttributeName": "g", "AttributeType": "S"}],
    "GlobalSecondaryIndexes": [{
        "IndexName": "byG", "Projection": {"ProjectionType": "ALL"},
        "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}]}],
    "LocalSecondaryIndexes": [{
        "IndexName": "byPG", "Projection": {
            "ProjectionType": "INCLUDE", "NonKeyAttributes": ["l"]},
        "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"},
                      {"AttributeName": "g", "KeyType": "RANGE"}]}],
    "StreamSpecification": {"StreamEnabled": True,
                            "StreamViewType": "NEW_AND_OLD_IMAGES"},
    "Tags": [{"Key": "k", "Value": "v"}]}
ARN = "arn:aws:dynamodb:bothy:000000000000:table/" + TABLE

REQUESTS = [
    ("PutItem", {"TableName": TABLE, "Item": ITEM, "ReturnValues": "ALL_OLD",
                 "ReturnConsumedCapacity": "INDEXES"}),
    ("PutItem", {"TableName": TABLE, "Item": ITEM, "Expected": {
        "g": {"ComparisonOperator": "IN", "AttributeValueList": [
            {"S": "x"}, {"S": "y"}]}, "q": {"Exists": False}},
        "ConditionalOperator": "OR"}),
    ("GetItem", {"TableName": TABLE, "Key": KEY, "ConsistentRead": True,
                 "ProjectionExpression": "l[0], #g, m.x",
                 "ExpressionAttributeNames": {"#g": "g"}}),
    ("UpdateItem", UPDATE),
    ("UpdateItem", {"TableName": TABLE, "Key": KEY, "AttributeUpdates": {
        "c": {"Action": "ADD", "Value": {"N": "1"}},
        "n": {"Action": "DELETE"}}}),
    ("DeleteItem", {"TableName": TABLE, "Key": KEY,
                    "ConditionExpression": "contains(t, :w) AND NOT "
                                           "begins_with(g, :w)",
                    "ExpressionAttributeValues": {":w": {"S": "x"}}}),
    ("Query", {"TableName": TABLE, "IndexName": "byPG", "Limit": 3,
               "KeyConditionExpression": "p = :p AND begins_with(g, :g)",
               "FilterExpression": "s BETWEEN :v AND :w",
               "ExclusiveStartKey": dict(KEY, g={"S": "x"}),
               "ExpressionAttributeValues": {
                   ":p": {"S": "a"}, ":g": {"S": ""}, ":v": {"N": "0"},
                   ":w": {"N": "9"}}, "ScanIndexForward": False}),
    ("Query", {"TableName": TABLE, "KeyConditions": {
        "p": {"ComparisonOperator": "EQ", "AttributeValueList": [
            {"S": "a"}]}}, "QueryFilter": {"g": {
                "ComparisonOperator": "NOT_NULL"}}, "Select": "COUNT"}),
    ("Scan", {"TableName": TABLE, "Segment": 1, "TotalSegments": 3,
              "FilterExpression": "attribute_type(l, :s)", "Limit": 5,
              "ExpressionAttributeValues": {":s": {"S": "L"}}}),
    ("Scan", {"TableName": TABLE, "IndexName": "byG",
              "ExclusiveStartKey": dict(KEY, g={"S": "x"})}),
    ("BatchGetItem", {"RequestItems": {TABLE: {"Keys": [KEY]}}}),
    ("BatchWriteItem", {"RequestItems": {TABLE: [
        {"PutRequest": {"Item": dict(ITEM, s={"N": "2"})}},
        {"DeleteRequest": {"Key": KEY}}]}}),
    ("TransactGetItems", {"TransactItems": [
        {"Get": {"TableName": TABLE, "Key": KEY}}]}),
    ("TransactWriteItems", {"ClientRequestToken": "again", "TransactItems": [
        {"Put": {"TableName": TABLE, "Item": dict(ITEM, s={"N": "3"})}},
        {"Update": {k: v for k, v in UPDATE.items()
                    if k != "ReturnValues"}},
        {"ConditionCheck": {"TableName": TABLE,
                            "Key": dict(KEY, s={"N": "4"}),
                            "ConditionExpression":
                                "attribute_not_exists(p)"}}]}),
    ("ExecuteStatement", {"Statement":
                          'SELECT l[0], g FROM "Fuzzed"."byPG" WHERE p = ? '
                          "AND g IN ['x', 'y'] ORDER BY g DESC",
                          "Parameters": [{"S": "a"}], "Limit": 2}),
    ("ExecuteStatement", {"Statement":
                          "INSERT INTO Fuzzed VALUE {'p': 'a', 's': 7, "
                          "'l': [1, {'x': <<'a'>>}], 'n': null}"}),
    ("ExecuteStatement", {"Statement":
                          "UPDATE Fuzzed SET c = c + 1 SET l = list_append("
                          "l, [1]) REMOVE n WHERE p = 'a' AND s = 1 "
                          "RETURNING ALL NEW *"}),
    ("BatchExecuteStatement", {"Statements": [
        {"Statement": "SELECT * FROM Fuzzed WHERE p = 'a' AND s = 1"},
        {"Statement": "SELECT * FROM Fuzzed WHERE p = ? AND s = ?",
         "Parameters": [{"S": "a"}, {"N": "2"}]}]}),
    ("ExecuteTransaction", {"TransactStatements": [
        {"Statement": "DELETE FROM Fuzzed WHERE p = 'a' AND s = 7"}]}),
    ("CreateTable", TABLE_MADE),
    ("CreateTable", dict(TABLE_MADE, TableName="Fuzzed.2")),
    ("DescribeTable", {"TableName": TABLE}),
    ("ListTables", {"Limit": 5, "ExclusiveStartTableName": "A.b"}),
    ("UpdateTable", {"TableName": TABLE, "AttributeDefinitions": [
        {"AttributeName": "c", "AttributeType": "N"},
        {"AttributeName": "p", "AttributeType": "S"}],
        "GlobalSecondaryIndexUpdates": [{"Create": {
            "IndexName": "byC", "Projection": {"ProjectionType": "KEYS_ONLY"},
            "KeySchema": [{"AttributeName": "c", "KeyType": "HASH"}]}}]}),
    ("UpdateTable", {"TableName": TABLE, "GlobalSecondaryIndexUpdates": [
        {"Delete": {"IndexName": "byC"}}]}),
    ("DeleteTable", {"TableName": "Fuzzed.2"}),
    ("UpdateTimeToLive", {"TableName": TABLE, "TimeToLiveSpecification": {
        "Enabled": True, "AttributeName": "until"}}),
    ("DescribeTimeToLive", {"TableName": TABLE}),
    ("TagResource", {"ResourceArn": ARN, "Tags": [
        {"Key": "k", "Value": "w"}]}),
    ("UntagResource", {"ResourceArn": ARN, "TagKeys": ["k"]}),
    ("ListTagsOfResource", {"ResourceArn": ARN}),
    ("UpdateContinuousBackups", {"TableName": TABLE,
                                 "PointInTimeRecoverySpecification": {
                                     "PointInTimeRecoveryEnabled": True}}),
    ("DescribeContinuousBackups", {"TableName": TABLE}),
    ("ListBackups", {"TableName": TABLE}),
    ("DescribeBackup", {"BackupArn": ARN + "/backup/1"}),
    ("DeleteBackup", {"BackupArn": ARN + "/backup/1"}),
    ("RestoreTableFromBackup", {"TargetTableName": "Fuzzed.3",
                                "BackupArn": ARN + "/backup/1"}),
    ("DescribeLimits", {}),
    ("DescribeEndpoints", {}),
    (STREAMS + "ListStreams", {"TableName": TABLE, "Limit": 3}),
    (STREAMS + "DescribeStream", {"StreamArn": ARN + "/stream/2026"}),
    (STREAMS + "GetShardIterator", {
        "StreamArn": ARN + "/stream/2026", "ShardId": "shardId-1",
        "ShardIteratorType": "TRIM_HORIZON"}),
    (STREAMS + "GetRecords", {"ShardIterator": "AAAA"}),
]

STRANGE = [
    None, True, False, 0, -1, 1, 2 ** 31, 2 ** 63, -2 ** 63, 2 ** 64, 0.5,
    1e308, float("nan"), float("inf"), "", "a", "A" * 300, "A" * 70000,
    "\0", "\ud800", "'\"`", "../../x", "%00", "NaN", "1e999999999",
    "9" * 5000, "-", ".", "#", ":", "żółw", "p", "s", "g", TABLE, "byG", [],
    {}, [[]], [{}], {"S": "x"}, {"N": "x"}, {"N": "1"}, {"SS": []},
    {"SS": ["a", "a"]}, {"B": "!"}, {"NULL": False}, {"L": [{}]},
    {"M": {"": {"S": ""}}}, {"S": "x", "N": "1"}, [1, 2, 3], ["x"] * 200]


class Fuzzer:
    """One client: its own connection, its own dice."""

    def __init__(self, url, seed):
        self.random = random.Random(seed)
        self.bare = Bare(url, timeout=SECONDS_EACH)
        self.answers = collections.Counter()
        self.wrong = []

    # -- what is sent ---------------------------------------------------------

    def strange(self):
        if self.random.random() < 0.05:
            value = self.random.choice(STRANGE)
            for _ in range(self.random.choice((3, 31, 32, 33, 500, 900))):
                value = self.random.choice(({"L": [value]}, {"M": {
                    "x": value}}, [value]))
            return value
        return copy.deepcopy(self.random.choice(STRANGE))

    def places(self, tree, found, depth=0):
        """(container, key) of what is in a tree, not too deep."""
        pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
        for key, value in list(pairs):
            found.append((tree, key))
            if isinstance(value, (dict, list)) and depth < DEPTH:
                self.places(value, found, depth + 1)
        return found

    def text(self, text):
        """An expression, a statement, a name, with something changed."""
        at = self.random.randint(0, len(text))
        return self.random.choice((
            lambda: text[:at] + self.random.choice("()[]{}<>:#.,'\"=+-*? \0"
                                                   "a1é") + text[at:],
            lambda: text[:at] + text[at + self.random.randint(1, 4):],
            lambda: text[:at] + text[:at],
            lambda: text[:at] + "(" * 400 + text[at:],
            lambda: " ".join([text] * self.random.choice((2, 50))),
            lambda: text.replace(" AND ", " OR ").replace("=", "<>")))()

    def change(self, request):
        places = self.places(request, [])
        if not places:
            return
        tree, key = self.random.choice(places)
        what = self.random.random()
        if what < 0.1 and isinstance(tree, dict):
            tree[self.text(key)] = tree.pop(key)
        elif what < 0.2:
            del tree[key]
        elif what < 0.3 and isinstance(tree, list):
            tree.extend(copy.deepcopy(tree[key])
                        for _ in range(self.random.choice((1, 30, 120))))
        elif what < 0.6 and isinstance(tree[key], str):
            tree[key] = self.text(tree[key])
        elif what < 0.7:
            tree[key] = copy.deepcopy(tree[self.random.choice(
                list(tree) if isinstance(tree, dict) else
                range(len(tree)))])
        else:
            tree[key] = self.strange()

    def spoil(self, body):
        """Bytes that were JSON."""
        data = bytearray(body)
        for _ in range(self.random.randint(1, 5)):
            at = self.random.randint(0, len(data))
            data[at:at + self.random.choice((0, 0, 1, 9))] = \
                self.random.choice((b"", b"\0", b"\xff", b'"', b"{", b"[",
                                    b"\\u", b"\\ud800", b"1e9999", b",",
                                    b"\xc3", b"}" * 9, b"[" * 2000,
                                    bytes([self.random.randint(0, 255)])))
        return bytes(data)

    def twice(self, body):
        """An object with a member twice."""
        members = body[1:-1]
        return b"{" + members + b"," + members + b"}" if members else body

    def headers(self, headers):
        """Headers that were signed, with one of them changed."""
        name = self.random.choice(list(headers))
        value = headers[name]
        at = self.random.randint(0, len(value))
        headers[name] = self.random.choice((
            value[:at], value[:at] + "," + value[at:], "A" * 5000,
            value + "/" * 9, value.replace("=", ""), value.upper(),
            value[:at] + chr(self.random.randint(33, 126)) + value[at + 1:]))
        if self.random.random() < 0.2:
            del headers[name]
        return headers

    def make(self):
        """Target, body and headers (None: as they should be) of a request."""
        name, request = self.random.choice(REQUESTS)
        target = name if "." in name else DATA + name
        request = copy.deepcopy(request)
        for _ in range(self.random.choice((0, 1, 1, 1, 2, 5))):
            self.change(request)
        try:
            body = json.dumps(request).encode()
        except (RecursionError, UnicodeEncodeError):
            body = b"{}"
        what = self.random.random()
        if what < 0.1:
            body = self.spoil(body)
        elif what < 0.13:
            body = self.twice(body)
        elif what < 0.15:
            target = self.text(target).encode("ascii", "ignore").decode()
            target = "".join(c for c in target if " " <= c < "\x7f")[:4000]
        elif what < 0.2:
            packed = gzip.compress(body)
            if self.random.random() < 0.5:
                packed = self.spoil(packed)
            return target, packed, self.bare.headers(
                target, packed, **{"Content-Encoding": "gzip"})
        elif what < 0.3:
            return target, body, self.headers(self.bare.headers(target,
                                                                body))
        return target, body, None

    # -- what comes back ------------------------------------------------------

    def judge(self, sent, status, answer):
        kind = "200"
        if status != 200:
            try:
                told = json.loads(answer)
                kind = told.get("__type", "").partition("#")[2] or str(status)
            except (ValueError, AttributeError):
                kind = "%d without JSON" % status
        self.answers[kind] += 1
        if ENCODING in answer:      # DynamoDB, too, calls it its own error
            return
        if status >= 500 or kind == "InternalServerError" or \
                "without JSON" in kind and status not in (400, 411, 413, 431):
            self.fail(sent, "%d %r" % (status, answer[:300]))

    def fail(self, sent, text):
        target, body, headers = sent
        self.wrong.append("%s %s\n  %r\n  -> %s" % (
            target, headers or "", body[:3000], text))

    def one(self):
        sent = self.make()
        try:
            self.judge(sent, *self.bare.send(*sent))
        except ValueError:          # the client's own library won't send it
            self.answers["not sent"] += 1
            self.bare.close()
        except (socket.timeout, OSError, http.client.HTTPException) as e:
            self.fail(sent, repr(e))
            self.bare.close()

    def tidy(self):
        """The table is there, and not too many beside it."""
        self.bare.call("CreateTable", TABLE_MADE)
        _, answer = self.bare.call("ListTables", {})
        names = answer.get("TableNames", [])
        for name in names[:max(0, len(names) - TABLES_MOST)]:
            self.bare.call("DeleteTable", {"TableName": name})

    def run(self, end):
        n = 0
        try:
            while time.monotonic() < end and len(self.wrong) < 10:
                if n % 500 == 0:
                    self.tidy()
                self.one()
                n += 1
        except Exception:           # or the thread would be missed by nobody
            self.wrong.append(traceback.format_exc())
        self.bare.close()


def run(url, seconds, seed, clients=CLIENTS):
    """Counts of answers, and what was wrong."""
    fuzzers = [Fuzzer(url, "%s/%d" % (seed, n)) for n in range(clients)]
    end = time.monotonic() + seconds
    sys.setrecursionlimit(10000)        # for what is nested deep
    threading.stack_size(64 << 20)
    threads = [threading.Thread(target=f.run, args=(end,)) for f in fuzzers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers = sum((f.answers for f in fuzzers), collections.Counter())
    return answers, [w for f in fuzzers for w in f.wrong]


def main(url, seconds="600", seed=None):
    seed = seed or base64.b32encode(random.randbytes(5)).decode()
    print("seed %s" % seed, flush=True)
    answers, wrong = run(url, float(seconds), seed)
    print("%d requests: %s" % (sum(answers.values()), ", ".join(
        "%s %d" % pair for pair in answers.most_common())))
    for text in wrong:
        print("WRONG: " + text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
