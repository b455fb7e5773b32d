"""Random operations on the endpoint and on dynalite: the answers agree.

dynalite (npm) was written against DynamoDB itself, message by message.  Where
it is known to be wrong, or DynamoDB says nothing certain, nothing is asked.
The seed is printed; BOTHY_SEED repeats a run, BOTHY_SECONDS makes it longer.
"""
import json
import os
import random
import re
import subprocess
import time

import pytest

import lab
import procs
from dynamo import Bare, node_modules

SEED = int(os.environ.get("BOTHY_SEED", "20261122"))
SECONDS = float(os.environ.get("BOTHY_SECONDS", "6"))

HASH, BOTH = "Hashed.1", "Ranged.1"
KEYS = {HASH: (("h", "S"),), BOTH: (("h", "S"), ("r", "N"))}
INDEXES = {"byA": ("h", "a"), "byB": ("b", None), "byBA": ("b", "a")}


def schema(*names):
    return [{"AttributeName": n, "KeyType": k}
            for n, k in zip(names, ("HASH", "RANGE")) if n]


def definition(table):
    made = {"TableName": table, "KeySchema": schema(*(
        n for n, _ in KEYS[table])), "AttributeDefinitions": [
            {"AttributeName": n, "AttributeType": t}
            for n, t in KEYS[table]], "BillingMode": "PAY_PER_REQUEST"}
    if table == BOTH:
        made["AttributeDefinitions"] += [
            {"AttributeName": "a", "AttributeType": "N"},
            {"AttributeName": "b", "AttributeType": "S"}]
        made["LocalSecondaryIndexes"] = [
            {"IndexName": "byA", "KeySchema": schema("h", "a"),
             "Projection": {"ProjectionType": "ALL"}}]
        made["GlobalSecondaryIndexes"] = [
            {"IndexName": "byB", "KeySchema": schema("b"),
             "Projection": {"ProjectionType": "ALL"}},
            {"IndexName": "byBA", "KeySchema": schema("b", "a"),
             "Projection": {"ProjectionType": "INCLUDE",
                            "NonKeyAttributes": ["c"]}}]
    return made


class Operations:
    """Random requests, most of them right, some of them not quite."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.with_keys = True

    def chance(self, part):
        return self.random.random() < part

    def one(self, *of):
        return self.random.choice(of)

    def number(self):
        return self.one("0", "1", "2", "-3", "10", "7.5", "1e2", "007",
                        "-0.5", "123456789012345678901234567890", "1.50",
                        "3E-5", "99999999999999999999999999999999999999")

    def text(self):
        return self.one("", "a", "ab", "b", "zebra", "żółw", "a b", "10")

    def value(self, depth=0):
        kind = self.one("S", "S", "N", "N", "N", "BOOL", "NULL", "B", "SS",
                        "NS", *(("L", "M") if depth < 3 else ()))
        if kind == "S":
            return {"S": self.text()}
        if kind == "N":
            return {"N": self.number()}
        if kind == "B":
            return {"B": self.one("AA==", "/+8=", "YWI=")}
        if kind == "BOOL":
            return {"BOOL": self.chance(0.5)}
        if kind == "NULL":
            return {"NULL": True}
        if kind == "SS":
            return {"SS": self.random.sample(["a", "b", "c", "d"],
                                             self.random.randint(1, 4))}
        if kind == "NS":
            return {"NS": self.random.sample(["1", "2", "3.5", "-4"],
                                             self.random.randint(1, 4))}
        if kind == "L":
            return {"L": [self.value(depth + 1)
                          for _ in range(self.random.randint(0, 3))]}
        return {"M": {self.one("x", "y", "z"): self.value(depth + 1)
                      for _ in range(self.random.randint(0, 3))}}

    def indexed(self):
        """Of an index's key; dynalite takes an empty one."""
        value = self.value()
        return {"S": "p"} if value == {"S": ""} else value

    def table(self):
        if self.chance(0.01):
            return "Missing.1"
        return self.one(HASH, BOTH, BOTH)

    def key(self, table):
        key = {"h": {"S": self.one("k1", "k2", "k3")}}
        if table == BOTH:
            key["r"] = {"N": self.one("1", "2", "3", "-4", "1.5")}
        if self.chance(0.02):
            key[self.one("h", "r", "q")] = self.value()
        if self.chance(0.01):
            key.pop("h")
        return key

    def item(self, table):
        item = {}
        for name in "abcde":
            if self.chance(0.5):
                item[name] = self.indexed() if name < "c" else self.value()
        if table == BOTH and self.chance(0.95):     # its indexes' keys
            for name, kind in (("a", "N"), ("b", "S")):
                if name in item:
                    item[name] = {kind: self.number() if kind == "N" else
                                  self.one("p", "q")}
        item.update(self.key(table))
        return item

    # -- expressions ----------------------------------------------------------

    def path(self, values, names="abcde"):
        name = self.one(*(names if self.with_keys else "cde"))
        if self.chance(0.2):
            values["names"]["#" + name] = name
            name = "#" + name
        if self.chance(0.3):
            name += self.one("[0]", "[1]", ".x", ".y", ".x.y", "[0].x")
        return name

    def operand(self, values):
        if self.chance(0.3):
            return self.path(values)
        return self.literal(values)

    def compared(self, values):
        """A comparison and its right side; dynalite finds what is missing on
        both sides equal, and orders what has no order."""
        if self.chance(0.4):
            return "=", self.literal(values, self.value(depth=3))
        return self.one("<", "<=", ">", ">="), self.literal(
            values, self.one({"S": self.text()}, {"N": self.number()}))

    def literal(self, values, value=None):
        name = ":v%d" % len(values["values"])
        values["values"][name] = value or self.value()
        return name

    def condition(self, values, depth=0):
        what = self.random.randint(0, 9 if depth < 2 else 6)
        if what < 3:
            return "%s %s %s" % (
                self.one("%s", "%s", "%s", "size(%s)") % self.path(values),
                *self.compared(values))
        if what == 3:
            return "%s(%s)" % (self.one("attribute_exists",
                                        "attribute_not_exists"),
                               self.path(values))
        if what == 4:
            return "%s(%s, %s)" % (
                self.one("begins_with", "contains"), self.path(values),
                self.literal(values, {"S": self.text()}))
        if what == 5:
            return "attribute_type(%s, %s)" % (
                self.path(values), self.literal(values, {"S": self.one(
                    "S", "N", "SS", "L", "M", "NULL", "BOOL")}))
        if what == 6:
            return "%s IN (%s)" % (self.path(values), ", ".join(
                self.literal(values, self.value(depth=3)) for _ in range(3)))
        if what == 7:
            return "NOT (%s)" % self.condition(values, depth + 1)
        return "(%s) %s (%s)" % (self.condition(values, depth + 1),
                                 self.one("AND", "OR"),
                                 self.condition(values, depth + 1))

    def held(self, values):
        """A write's condition; dynalite doesn't look in it for what is below
        an index's key."""
        self.with_keys = False
        text = self.condition(values)
        self.with_keys = True
        return text

    def right(self, values):
        what = self.random.randint(0, 5)
        path = self.path(values, "cd")
        if what == 0:
            return "if_not_exists(%s, %s)" % (path, self.literal(values))
        if what == 1:
            return "list_append(%s, %s)" % (path, self.literal(values, {
                "L": [self.value(2)]}))
        if what == 2:
            return "%s %s %s" % (path, self.one("+", "-"), self.literal(
                values, {"N": self.one("1", "-2", "0.5", "1e3", "007")}))
        return path if what == 3 else self.literal(values)

    def set(self, values):
        if self.chance(0.2):        # an index's key
            return "%s = %s" % (self.one("a", "b"), self.literal(
                values, self.indexed()))
        return "%s = %s" % (self.path(values, "cd"), self.right(values))

    def update(self, values):
        """It sets something: dynalite makes an item of nothing else, too; and
        no set that it copies is changed, for the copy would be."""
        parts = ["SET " + ", ".join(self.set(values) for _ in
                                    range(self.one(1, 1, 2)))]
        if self.chance(0.3):
            parts.append("REMOVE " + self.path(values, "abcde"))
        if self.chance(0.2):
            parts.append("ADD %s %s" % (self.path(values, "e"),
                                        self.literal(values, self.one(
                                            {"N": "1"}, {"SS": ["a", "x"]},
                                            {"NS": ["1", "9"]}))))
        if self.chance(0.1):
            parts.append("DELETE %s %s" % (
                self.path(values, "e"), self.literal(
                    values, {"SS": ["a", "b"]})))
        return " ".join(parts)

    def finish(self, request, values):
        """The placeholders that expressions took."""
        if values["names"]:
            request["ExpressionAttributeNames"] = values["names"]
        if values["values"]:
            request["ExpressionAttributeValues"] = values["values"]
        return request

    # -- operations -----------------------------------------------------------

    def put_item(self):
        table, values = self.table(), {"names": {}, "values": {}}
        request = {"TableName": table, "Item": self.item(table)}
        if self.chance(0.3):
            request["ConditionExpression"] = self.held(values)
        if self.chance(0.3):
            request["ReturnValues"] = self.one("NONE", "ALL_OLD", "ALL_NEW")
        return self.finish(request, values)

    def delete_item(self):
        table, values = self.table(), {"names": {}, "values": {}}
        request = {"TableName": table, "Key": self.key(table)}
        if self.chance(0.5):
            request["ConditionExpression"] = self.held(values)
        if self.chance(0.3):
            request["ReturnValues"] = self.one("NONE", "ALL_OLD")
        return self.finish(request, values)

    def update_item(self):
        table, values = self.table(), {"names": {}, "values": {}}
        request = {"TableName": table, "Key": self.key(table)}
        if self.chance(0.9):
            request["UpdateExpression"] = self.update(values)
        if self.chance(0.3):
            request["ConditionExpression"] = self.held(values)
        request["ReturnValues"] = self.one("NONE", "ALL_OLD", "ALL_NEW",
                                           "UPDATED_OLD", "UPDATED_NEW")
        return self.finish(request, values)

    def get_item(self):
        table, values = self.table(), {"names": {}, "values": {}}
        request = {"TableName": table, "Key": self.key(table)}
        if self.chance(0.4):
            request["ProjectionExpression"] = ", ".join(
                self.path(values) for _ in range(self.one(1, 2)))
        if self.chance(0.5):
            request["ConsistentRead"] = self.chance(0.5)
        return self.finish(request, values)

    def query(self):
        table, values = self.table(), {"names": {}, "values": {}}
        request = {"TableName": table}
        keys = ("h", "r" if table == BOTH else None)
        if table == BOTH and self.chance(0.5):
            request["IndexName"] = self.one(*INDEXES)
            keys = INDEXES[request["IndexName"]]
        text = "%s = %s" % (keys[0], self.literal(values, {
            "S": self.one("k1", "k2", "k3") if keys[0] == "h" else
                 self.one("p", "q")}))
        if keys[1] and self.chance(0.5):
            text += " AND %s %s %s" % (
                keys[1], self.one("=", "<", "<=", ">", ">="),
                self.literal(values, {"N": self.number()}))
        request["KeyConditionExpression"] = text
        if request.get("IndexName") != "byBA" and self.chance(0.3):
            request["FilterExpression"] = self.condition(values)
        if self.chance(0.3):
            request["ScanIndexForward"] = self.chance(0.5)
        # Equal keys of an index come in no order that is told.
        # Of one row dynalite says that there may be more.
        if table == BOTH and "IndexName" not in request and \
                " r = " not in text and self.chance(0.4):
            request["Limit"] = self.random.randint(0, 4)
        if self.chance(0.2):
            request["Select"] = self.one("COUNT", "ALL_ATTRIBUTES")
        return self.finish(request, values)

    def scan(self):
        table, values = self.table(), {"names": {}, "values": {}}
        request = {"TableName": table}
        if table == BOTH and self.chance(0.4):
            request["IndexName"] = self.one(*INDEXES)
        if request.get("IndexName") != "byBA" and self.chance(0.6):
            request["FilterExpression"] = self.condition(values)
        if self.chance(0.2):
            request["Select"] = self.one("COUNT", "ALL_ATTRIBUTES")
        return self.finish(request, values)

    def batch_write_item(self):
        table = self.one(HASH, BOTH)
        wanted = [{"PutRequest": {"Item": self.item(table)}}
                  if self.chance(0.6) else
                  {"DeleteRequest": {"Key": self.key(table)}}
                  for _ in range(self.random.randint(1, 3))]
        return {"RequestItems": {table: wanted}}

    def batch_get_item(self):
        table = self.one(HASH, BOTH)
        return {"RequestItems": {table: {"Keys": [
            self.key(table) for _ in range(self.random.randint(1, 3))]}}}

    def next(self):
        name = self.one("PutItem", "PutItem", "PutItem", "UpdateItem",
                        "UpdateItem", "UpdateItem", "DeleteItem", "GetItem",
                        "GetItem", "Query", "Query", "Scan",
                        "BatchWriteItem", "BatchGetItem")
        request = getattr(self, re.sub("(?<!^)([A-Z])", r"_\1",
                                       name).lower())()
        # What writing to indexes costs dynalite doesn't count.
        if self.chance(0.3) and request.get("TableName") == HASH and \
                name not in ("Query", "Scan"):
            request["ReturnConsumedCapacity"] = self.one("TOTAL", "NONE")
        return name, request


# ---- comparing --------------------------------------------------------------

# Where an update is wrong in two places, which is told depends.
WRONG_TOGETHER = (
    "An operand in the update expression has an incorrect data type",
    "The document path provided in the update expression is invalid for "
    "update",
    "The provided expression refers to an attribute that does not exist in "
    "the item", "One or more parameter values were invalid: Type mismatch "
    "for Index Key", "Key attributes must be scalars", "Number overflow")
MORE = re.compile(r",| (REMOVE|ADD|DELETE|[+-]) ")


def even(value):
    """An answer without what has no order."""
    if isinstance(value, dict):
        return {k: sorted(v) if k in ("SS", "NS", "BS") and
                isinstance(v, list) else even(v) for k, v in value.items()}
    if isinstance(value, list):
        return [even(v) for v in value]
    return float(value) if type(value) is int else value


def comparable(name, request, status, answer):
    answer = even(answer)
    kind = answer.pop("__type", "").partition("#")[2]
    message = answer.pop("Message", None) or answer.pop("message", None)
    if name == "Scan" or "IndexName" in request:
        answer.get("Items", []).sort(
            key=lambda i: json.dumps(i, sort_keys=True))
    for items in answer.get("Responses", {}).values():
        items.sort(key=lambda i: json.dumps(i, sort_keys=True))
    for part in ("Item", "Attributes"):
        if not answer.get(part):
            answer.pop(part, None)      # DynamoDB gives an empty Item
    update = request.get("UpdateExpression", "")
    message = re.sub(r"((Index Key|IndexKey:|path one:) ).*", r"\1...",
                     message or "")
    message = message.replace("are not valid. The Attr",
                              "were invalid: The Attr")
    message = re.sub(r"(in expressions: keys:).*", r"\1 ...", message)
    if MORE.search(update) and message.startswith(WRONG_TOGETHER):
        message = "one of these"
    return status, kind, message, json.dumps(answer, sort_keys=True)


@pytest.fixture(scope="module")
def dynalite():
    modules = node_modules()
    port = lab.free_port()
    process = subprocess.Popen(
        ["node", os.path.join(modules, "node_modules/dynalite/cli.js"),
         "--port", str(port), "--host", "127.0.0.1", "--createTableMs", "0",
         "--deleteTableMs", "0", "--updateTableMs", "0"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    bare = Bare("http://127.0.0.1:%d" % port)

    def up():
        try:
            return bare.call("ListTables", {})[0] == 200
        except OSError:
            return False

    procs.wait_for(up, 20, "dynalite")
    yield bare
    bare.close()
    procs.stop(process)


def test_the_same_answers(endpoint, dynalite):
    ours = Bare(endpoint.url)
    operations = Operations(SEED)
    differences, done = [], 0
    for table in (HASH, BOTH):
        for side in (ours, dynalite):
            status, answer = side.call("CreateTable", definition(table))
            assert status == 200, answer
        procs.wait_for(lambda: dynalite.call("DescribeTable", {
            "TableName": table})[1]["Table"]["TableStatus"] == "ACTIVE")
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and len(differences) < 20:
        name, request = operations.next()
        answers = [comparable(name, request, *side.call(name, request))
                   for side in (ours, dynalite)]
        done += 1
        if answers[0] != answers[1]:
            differences.append((name, request, *answers))
    for table in (HASH, BOTH):
        ours.call("DeleteTable", {"TableName": table})
    ours.close()
    print("seed %d: %d operations" % (SEED, done))
    assert not differences, "seed %d, after %d operations:\n%s" % (
        SEED, done, "\n".join(
            "%s %s\n  ours   %s\n  theirs %s" % (
                name, json.dumps(request), a, b)
            for name, request, a, b in differences))
    assert done > 200
