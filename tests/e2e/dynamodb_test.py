"""The DynamoDB endpoint as boto3's users see it, behind lighttpd."""
import decimal
import json
import time
import uuid

import pytest

from dynamo import KEY, SECRET, Bare, boto
from procs import wait_for

pytest.importorskip("boto3", reason="python3-boto3 is not installed")

from boto3.dynamodb.conditions import Attr, Key             # noqa: E402
from boto3.dynamodb.types import Binary                     # noqa: E402
from botocore.exceptions import ClientError                 # noqa: E402

D = decimal.Decimal


def refused(call, name, text=""):
    """The answer of a call that has to fail so."""
    with pytest.raises(ClientError) as failed:
        call()
    answer = failed.value.response
    assert answer["Error"]["Code"] == name, answer
    assert text in answer["Error"]["Message"], answer
    return answer


def fresh(what):
    return "%s.%s" % (what, uuid.uuid4().hex[:12])


def schema(hash_key, range_key=None):
    keys = [{"AttributeName": hash_key, "KeyType": "HASH"}]
    if range_key:
        keys.append({"AttributeName": range_key, "KeyType": "RANGE"})
    return keys


def index(name, hash_key, range_key=None, **projection):
    return {"IndexName": name, "KeySchema": schema(hash_key, range_key),
            "Projection": projection or {"ProjectionType": "ALL"}}


def attributes(**types):
    return [{"AttributeName": n, "AttributeType": t}
            for n, t in types.items()]


@pytest.fixture(scope="module")
def dynamodb(endpoint):
    return boto("dynamodb", endpoint.url)


@pytest.fixture(scope="module")
def resource(endpoint):
    return boto("dynamodb", endpoint.url, kind="resource")


@pytest.fixture(scope="module")
def table(resource):
    """Orders, by customer and number; by day, and by customer and total."""
    table = resource.create_table(
        TableName=fresh("orders"), BillingMode="PAY_PER_REQUEST",
        KeySchema=schema("customer", "number"),
        AttributeDefinitions=attributes(customer="S", number="N", day="S",
                                        total="N"),
        GlobalSecondaryIndexes=[index("byDay", "day", "number")],
        LocalSecondaryIndexes=[index(
            "byTotal", "customer", "total", ProjectionType="INCLUDE",
            NonKeyAttributes=["note"])])
    table.wait_until_exists()
    yield table
    table.delete()
    table.wait_until_not_exists()


@pytest.fixture
def customer():
    return uuid.uuid4().hex


@pytest.fixture
def orders(table, customer):
    """Twenty orders of a customer nobody else has."""
    with table.batch_writer() as batch:
        for n in range(20):
            batch.put_item(Item={
                "customer": customer, "number": n, "total": (n * 7) % 20,
                "day": customer + "-%d" % (n % 3), "note": "order %d" % n,
                "late": n % 2 == 0})
    return table


# ---- tables -----------------------------------------------------------------

def test_a_table_is_described_as_it_was_made(dynamodb, table):
    told = dynamodb.describe_table(TableName=table.name)["Table"]
    assert told["TableStatus"] == "ACTIVE"
    assert told["KeySchema"] == schema("customer", "number")
    assert told["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert told["TableArn"].endswith(":table/" + table.name)
    assert told["TableId"] and told["CreationDateTime"]
    byday, = told["GlobalSecondaryIndexes"]
    assert (byday["IndexName"], byday["IndexStatus"]) == ("byDay", "ACTIVE")
    assert byday["Projection"] == {"ProjectionType": "ALL"}
    bytotal, = told["LocalSecondaryIndexes"]
    assert bytotal["Projection"] == {"ProjectionType": "INCLUDE",
                                     "NonKeyAttributes": ["note"]}
    assert sorted(a["AttributeName"] for a in told["AttributeDefinitions"]) \
        == ["customer", "day", "number", "total"]


def test_tables_are_listed_in_pages(dynamodb, table):
    pages = list(dynamodb.get_paginator("list_tables").paginate(
        PaginationConfig={"PageSize": 1}))
    names = [n for page in pages for n in page["TableNames"]]
    assert table.name in names and names == sorted(names)
    assert all(len(page["TableNames"]) <= 1 for page in pages)


def test_waiters_see_a_table_come_and_go(dynamodb):
    name = fresh("brief")
    dynamodb.create_table(
        TableName=name, KeySchema=schema("id"),
        AttributeDefinitions=attributes(id="S"),
        ProvisionedThroughput={"ReadCapacityUnits": 5,
                               "WriteCapacityUnits": 6})
    dynamodb.get_waiter("table_exists").wait(
        TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    refused(lambda: dynamodb.create_table(
        TableName=name, KeySchema=schema("id"),
        AttributeDefinitions=attributes(id="S"),
        BillingMode="PAY_PER_REQUEST"), "ResourceInUseException", name)
    told = dynamodb.describe_table(TableName=name)["Table"]
    assert told["ProvisionedThroughput"]["WriteCapacityUnits"] == 6
    dynamodb.delete_table(TableName=name)
    dynamodb.get_waiter("table_not_exists").wait(
        TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    refused(lambda: dynamodb.describe_table(TableName=name),
            "ResourceNotFoundException", name)
    refused(lambda: dynamodb.delete_table(TableName=name),
            "ResourceNotFoundException", name)


def test_an_index_comes_and_goes_on_line(dynamodb, resource):
    table = resource.create_table(
        TableName=fresh("plants"), KeySchema=schema("id"),
        AttributeDefinitions=attributes(id="S"),
        BillingMode="PAY_PER_REQUEST")
    with table.batch_writer() as batch:
        for n in range(200):
            batch.put_item(Item={"id": str(n), "family": "f%d" % (n % 4)})
        batch.put_item(Item={"id": "odd", "family": 7})

    def indexes():
        return dynamodb.describe_table(TableName=table.name)["Table"].get(
            "GlobalSecondaryIndexes", [])

    dynamodb.update_table(
        TableName=table.name, AttributeDefinitions=attributes(family="S"),
        GlobalSecondaryIndexUpdates=[{"Create": index("byFamily",
                                                      "family")}])
    wait_for(lambda: [i["IndexStatus"] for i in indexes()] == ["ACTIVE"], 10,
             "the index to be filled")
    found = table.query(IndexName="byFamily",
                        KeyConditionExpression=Key("family").eq("f3"))
    assert found["Count"] == 50
    table.put_item(Item={"id": "new", "family": "f3"})
    wait_for(lambda: table.query(
        IndexName="byFamily", Select="COUNT",
        KeyConditionExpression=Key("family").eq("f3"))["Count"] == 51)
    refused(lambda: table.put_item(Item={"id": "bad", "family": 9}),
            "ValidationException", "family")

    dynamodb.update_table(TableName=table.name, GlobalSecondaryIndexUpdates=[
        {"Delete": {"IndexName": "byFamily"}}])
    wait_for(lambda: not indexes(), 10, "the index to go")
    refused(lambda: table.query(
        IndexName="byFamily",
        KeyConditionExpression=Key("family").eq("f3")),
            "ValidationException", "byFamily")
    table.delete()


def test_tags_limits_and_endpoints(dynamodb, table):
    arn = table.table_arn
    dynamodb.tag_resource(ResourceArn=arn, Tags=[
        {"Key": "team", "Value": "hills"}, {"Key": "stage", "Value": "test"}])
    dynamodb.untag_resource(ResourceArn=arn, TagKeys=["stage"])
    assert dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"] == [
        {"Key": "team", "Value": "hills"}]
    limits = dynamodb.describe_limits()
    assert limits["TableMaxReadCapacityUnits"] > 0
    there, = dynamodb.describe_endpoints()["Endpoints"]
    assert there["CachePeriodInMinutes"] > 0
    again = boto("dynamodb", "http://" + there["Address"])
    assert again.describe_endpoints()["Endpoints"] == [there]


# ---- items ------------------------------------------------------------------

def test_every_type_comes_back_as_it_was(table, customer):
    item = {
        "customer": customer, "number": D("1"),
        "text": "żółw 🐢", "empty": "", "true": True, "none": None,
        "precise": D("12345678901234567890123456789012345678"),
        "small": D("-1E-130"), "large": D("9.9E+36"),
        "bytes": Binary(b"\0\xff\x80"),
        "strings": {"a", "b"}, "numbers": {D("1"), D("2.5")},
        "binaries": {Binary(b"x"), Binary(b"y")},
        "list": [1, "two", [3], {"four": D("4")}],
        "map": {"a.b": {"$binary": "mine"}, "$": []},
    }
    table.put_item(Item=item)
    found = table.get_item(Key={"customer": customer, "number": 1},
                           ConsistentRead=True)
    assert found["Item"] == item


def test_put_replaces_and_tells_the_old(table, customer):
    old = {"customer": customer, "number": 1, "a": 1}
    assert "Attributes" not in table.put_item(Item=old,
                                              ReturnValues="ALL_OLD")
    new = {"customer": customer, "number": 1, "b": 2}
    assert table.put_item(Item=new,
                          ReturnValues="ALL_OLD")["Attributes"] == old
    key = {"customer": customer, "number": 1}
    assert table.get_item(Key=key)["Item"] == new
    assert table.delete_item(Key=key,
                             ReturnValues="ALL_OLD")["Attributes"] == new
    assert "Item" not in table.get_item(Key=key)


def test_conditions(table, customer):
    key = {"customer": customer, "number": 1}
    table.put_item(Item=dict(key, state="open", count=3),
                   ConditionExpression=Attr("customer").not_exists())
    refused(lambda: table.put_item(
        Item=key, ConditionExpression=Attr("customer").not_exists()),
            "ConditionalCheckFailedException",
            "The conditional request failed")
    answer = refused(lambda: table.delete_item(
        Key=key, ConditionExpression=Attr("count").gt(3) |
        Attr("state").begins_with("x")), "ConditionalCheckFailedException")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    table.delete_item(Key=key, ConditionExpression=(
        Attr("count").between(1, 3) & Attr("state").is_in(["open", "shut"]) &
        Attr("state").size().eq(4) & Attr("count").attribute_type("N") &
        ~Attr("gone").exists()))


def test_an_update_changes_what_it_says(table, customer):
    key = {"customer": customer, "number": 1}

    def update(expression, values=None, names=None, returns="ALL_NEW"):
        more = {}
        if values:
            more["ExpressionAttributeValues"] = values
        if names:
            more["ExpressionAttributeNames"] = names
        return table.update_item(Key=key, UpdateExpression=expression,
                                 ReturnValues=returns, **more)["Attributes"]

    assert update("SET a = if_not_exists(a, :z) + :n, #l = :l, m = :m",
                  {":z": 10, ":n": 1, ":l": [1], ":m": {"x": {"y": 1}}},
                  {"#l": "list"}) == dict(
                      key, a=11, list=[1], m={"x": {"y": 1}})
    assert update("SET #l = list_append(#l, :l), m.x.z = m.x.y - :n "
                  "REMOVE a ADD seen :s", {":l": [2], ":n": 3, ":s": {"u"}},
                  {"#l": "list"}, "UPDATED_NEW") == {
                      "list": [1, 2], "m": {"x": {"z": -2}}, "seen": {"u"}}
    assert update("DELETE seen :s SET #l[0] = :n", {":s": {"u"}, ":n": 0},
                  {"#l": "list"}, "UPDATED_OLD") == {"list": [1],
                                                     "seen": {"u"}}
    assert update("REMOVE #l[1]", names={"#l": "list"}) == dict(
        key, list=[0], m={"x": {"y": 1, "z": -2}})
    refused(lambda: update("SET m.x.y.z = :n", {":n": 1}),
            "ValidationException", "document path")
    refused(lambda: update("SET customer = :n", {":n": "other"}),
            "ValidationException", "part of the key")


def test_what_a_request_may_not_say(table, customer):
    key = {"customer": customer, "number": 1}
    refused(lambda: table.get_item(Key={"customer": customer}),
            "ValidationException",
            "The provided key element does not match the schema")
    refused(lambda: table.put_item(Item={"customer": customer,
                                         "number": "one"}),
            "ValidationException", "Type mismatch for key number")
    refused(lambda: table.update_item(Key=key, UpdateExpression="SET a = :v"),
            "ValidationException", ":v")
    refused(lambda: table.put_item(
        Item=dict(key, big="x" * (400 * 1024))), "ValidationException",
            "Item size has exceeded the maximum allowed size")
    refused(lambda: table.query(
        KeyConditionExpression=Key("number").eq(1)), "ValidationException",
            "Query condition missed key schema element")


# ---- many -------------------------------------------------------------------

def test_a_query_takes_what_it_asks_for(orders, customer):
    mine = Key("customer").eq(customer)
    found = orders.query(KeyConditionExpression=mine &
                         Key("number").between(5, 8))
    assert [i["number"] for i in found["Items"]] == [5, 6, 7, 8]
    found = orders.query(KeyConditionExpression=mine, ScanIndexForward=False,
                         Limit=3, ProjectionExpression="#n, note",
                         ExpressionAttributeNames={"#n": "number"})
    assert found["Items"] == [{"number": n, "note": "order %d" % n}
                              for n in (19, 18, 17)]
    assert found["LastEvaluatedKey"] == {"customer": customer, "number": 17}
    found = orders.query(KeyConditionExpression=mine,
                         FilterExpression=Attr("late").eq(True) &
                         Attr("total").lt(10), Select="COUNT")
    wanted = [n for n in range(20) if n % 2 == 0 and n * 7 % 20 < 10]
    assert (found["Count"], found["ScannedCount"]) == (len(wanted), 20)


def test_pages_hold_everything_once(dynamodb, orders, customer):
    pages = list(dynamodb.get_paginator("query").paginate(
        TableName=orders.name, KeyConditionExpression="customer = :c",
        ExpressionAttributeValues={":c": {"S": customer}},
        PaginationConfig={"PageSize": 6}))
    assert [len(p["Items"]) for p in pages] == [6, 6, 6, 2]
    numbers = [int(i["number"]["N"]) for p in pages for i in p["Items"]]
    assert numbers == list(range(20))


def test_indexes_answer_in_their_own_order(orders, customer):
    found = orders.query(IndexName="byTotal", ConsistentRead=True,
                         KeyConditionExpression=Key("customer").eq(customer)
                         & Key("total").gte(15))
    assert [i["total"] for i in found["Items"]] == [15, 16, 17, 18, 19]
    assert set(found["Items"][0]) == {"customer", "number", "total", "note"}
    day = customer + "-1"
    first = orders.query(IndexName="byDay", Limit=4,
                         KeyConditionExpression=Key("day").eq(day))
    assert set(first["LastEvaluatedKey"]) == {"customer", "number", "day"}
    rest = orders.query(IndexName="byDay",
                        KeyConditionExpression=Key("day").eq(day),
                        ExclusiveStartKey=first["LastEvaluatedKey"])
    assert [i["number"] for i in first["Items"] + rest["Items"]] == [
        n for n in range(20) if n % 3 == 1]
    refused(lambda: orders.query(
        IndexName="byDay", ConsistentRead=True,
        KeyConditionExpression=Key("day").eq(day)), "ValidationException",
            "Consistent reads are not supported on global secondary indexes")


def test_a_page_of_a_megabyte(table, customer):
    with table.batch_writer() as batch:
        for n in range(5):
            batch.put_item(Item={"customer": customer, "number": n,
                                 "text": "x" * 300000})
    found = table.query(KeyConditionExpression=Key("customer").eq(customer))
    assert [len(i["text"]) for i in found["Items"]] == [300000] * 4
    rest = table.query(KeyConditionExpression=Key("customer").eq(customer),
                       ExclusiveStartKey=found["LastEvaluatedKey"])
    assert [i["number"] for i in rest["Items"]] == [4]


def test_segments_of_a_scan_make_a_whole(orders, customer):
    def scan(**more):
        items, start = [], {}
        while True:
            found = orders.scan(FilterExpression=Attr("customer").eq(
                customer), Limit=7, **more, **start)
            items += found["Items"]
            if "LastEvaluatedKey" not in found:
                return sorted(i["number"] for i in items)
            start = {"ExclusiveStartKey": found["LastEvaluatedKey"]}

    assert scan() == list(range(20))
    assert sorted(sum((scan(Segment=n, TotalSegments=4) for n in range(4)),
                      [])) == list(range(20))


def test_batches(dynamodb, orders, customer):
    keys = [{"customer": {"S": customer}, "number": {"N": str(n)}}
            for n in range(15, 25)]
    found = dynamodb.batch_get_item(RequestItems={orders.name: {
        "Keys": keys, "ProjectionExpression": "note",
        "ConsistentRead": True}})
    assert sorted(i["note"]["S"] for i in found["Responses"][orders.name]) \
        == ["order %d" % n for n in range(15, 20)]
    assert found["UnprocessedKeys"] == {}
    done = dynamodb.batch_write_item(RequestItems={orders.name: [
        {"DeleteRequest": {"Key": k}} for k in keys[:5]]})
    assert done["UnprocessedItems"] == {}
    found = orders.query(Select="COUNT", KeyConditionExpression=Key(
        "customer").eq(customer))
    assert found["Count"] == 15
    refused(lambda: dynamodb.batch_get_item(RequestItems={orders.name: {
        "Keys": keys[:1] * 2}}), "ValidationException", "duplicates")


# ---- transactions -----------------------------------------------------------

def test_a_transaction_is_whole_or_not_at_all(dynamodb, orders, customer):
    def key(n):
        return {"customer": {"S": customer}, "number": {"N": str(n)}}

    def take(number, least):
        return {"Update": {
            "TableName": orders.name, "Key": key(number),
            "UpdateExpression": "SET #t = #t - :one",
            "ConditionExpression": "#t >= :least",
            "ExpressionAttributeNames": {"#t": "total"},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            "ExpressionAttributeValues": {":one": {"N": "1"},
                                          ":least": {"N": str(least)}}}}

    put = {"Put": {"TableName": orders.name,
                   "Item": dict(key(100), note={"S": "both"})}}
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as e:
        dynamodb.transact_write_items(TransactItems=[
            put, take(1, 7), take(2, 1000)])
    none, fine, failed = e.value.response["CancellationReasons"]
    assert (none["Code"], fine["Code"]) == ("None", "None")
    assert failed["Code"] == "ConditionalCheckFailed"
    assert failed["Item"]["note"] == {"S": "order 2"}
    token = uuid.uuid4().hex
    for _ in range(2):          # the second time it has been done
        dynamodb.transact_write_items(
            ClientRequestToken=token, TransactItems=[
                put, take(1, 7),
                {"Delete": {"TableName": orders.name, "Key": key(3)}},
                {"ConditionCheck": {
                    "TableName": orders.name, "Key": key(4),
                    "ConditionExpression": "attribute_exists(note)"}}])
    refused(lambda: dynamodb.transact_write_items(
        ClientRequestToken=token, TransactItems=[put]),
            "IdempotentParameterMismatchException")
    answers = dynamodb.transact_get_items(TransactItems=[
        {"Get": {"TableName": orders.name, "Key": key(n)}}
        for n in (1, 3, 100)])["Responses"]
    assert answers[0]["Item"]["total"] == {"N": "6"}
    assert "Item" not in answers[1]
    assert answers[2]["Item"]["note"] == {"S": "both"}


# ---- PartiQL ----------------------------------------------------------------

def test_statements(dynamodb, orders, customer):
    def run(statement, *parameters):
        more = {"Parameters": list(parameters)} if parameters else {}
        return dynamodb.execute_statement(Statement=statement,
                                          **more).get("Items")

    name, mine = orders.name, {"S": customer}
    run("INSERT INTO \"%s\" VALUE {'customer': ?, 'number': 50, "
        "'tags': <<'a', 'b'>>}" % name, mine)
    run("UPDATE \"%s\" SET note = 'changed' WHERE customer = ? AND "
        "number = 50" % name, mine)
    found, = run("SELECT note, tags FROM \"%s\" WHERE customer = ? AND "
                 "number > 40" % name, mine)
    assert found["note"] == {"S": "changed"}
    assert sorted(found["tags"]["SS"]) == ["a", "b"]
    run("DELETE FROM \"%s\" WHERE customer = ? AND number = 50" % name, mine)
    assert run("SELECT * FROM \"%s\" WHERE customer = ? AND number = 50" %
               name, mine) == []
    answers = dynamodb.batch_execute_statement(Statements=[
        {"Statement": "SELECT note FROM \"%s\" WHERE customer = ? AND "
                      "number = %d" % (name, n), "Parameters": [mine]}
        for n in (1, 2)])["Responses"]
    assert [a["Item"]["note"]["S"] for a in answers] == ["order 1", "order 2"]
    refused(lambda: run("SELEKT * FROM x"), "ValidationException")


# ---- time, streams, backups -------------------------------------------------

def test_what_has_expired_goes(dynamodb, resource):
    table = resource.create_table(
        TableName=fresh("sessions"), KeySchema=schema("id"),
        AttributeDefinitions=attributes(id="S"),
        BillingMode="PAY_PER_REQUEST")
    setting = {"Enabled": True, "AttributeName": "until"}
    dynamodb.update_time_to_live(TableName=table.name,
                                 TimeToLiveSpecification=setting)
    told = dynamodb.describe_time_to_live(TableName=table.name)
    assert told["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED", "AttributeName": "until"}
    now = int(time.time())
    table.put_item(Item={"id": "old", "until": now - 10})
    table.put_item(Item={"id": "new", "until": now + 1000})
    table.put_item(Item={"id": "text", "until": "soon"})
    wait_for(lambda: "Item" not in table.get_item(Key={"id": "old"}), 10,
             "the old item to go")
    assert sorted(i["id"] for i in table.scan()["Items"]) == ["new", "text"]
    table.delete()


def test_a_stream_tells_what_changed(endpoint, resource):
    streams = boto("dynamodbstreams", endpoint.url)
    table = resource.create_table(
        TableName=fresh("watched"), KeySchema=schema("id"),
        AttributeDefinitions=attributes(id="S"),
        BillingMode="PAY_PER_REQUEST", StreamSpecification={
            "StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
    table.put_item(Item={"id": "a", "n": 1})
    table.put_item(Item={"id": "a", "n": 2})
    table.delete_item(Key={"id": "a"})
    arn = table.latest_stream_arn
    listed = streams.list_streams(TableName=table.name)["Streams"]
    assert [s["StreamArn"] for s in listed] == [arn]
    shards = streams.describe_stream(
        StreamArn=arn)["StreamDescription"]["Shards"]
    places = [streams.get_shard_iterator(
        StreamArn=arn, ShardId=s["ShardId"],
        ShardIteratorType="TRIM_HORIZON")["ShardIterator"] for s in shards]
    records = []

    def read():
        for n, place in enumerate(places):
            answer = streams.get_records(ShardIterator=place)
            records.extend(answer["Records"])
            places[n] = answer["NextShardIterator"]
        return len(records) >= 3

    wait_for(read, 5, "three records")
    assert [r["eventName"] for r in records] == ["INSERT", "MODIFY", "REMOVE"]
    change = records[1]["dynamodb"]
    assert change["Keys"] == {"id": {"S": "a"}}
    assert change["OldImage"]["n"] == {"N": "1"}
    assert change["NewImage"]["n"] == {"N": "2"}
    table.delete()


def test_a_backup_becomes_a_table(dynamodb, resource):
    table = resource.create_table(
        TableName=fresh("kept"), KeySchema=schema("id"),
        AttributeDefinitions=attributes(id="S"),
        BillingMode="PAY_PER_REQUEST")
    table.put_item(Item={"id": "a", "n": 1})
    backup = dynamodb.create_backup(
        TableName=table.name, BackupName="before")["BackupDetails"]
    table.put_item(Item={"id": "a", "n": 2})
    listed = dynamodb.list_backups(TableName=table.name)["BackupSummaries"]
    assert [b["BackupArn"] for b in listed] == [backup["BackupArn"]]
    again = fresh("again")
    dynamodb.restore_table_from_backup(TargetTableName=again,
                                       BackupArn=backup["BackupArn"])
    restored = resource.Table(again)
    restored.wait_until_exists()
    assert restored.get_item(Key={"id": "a"})["Item"]["n"] == 1
    dynamodb.delete_backup(BackupArn=backup["BackupArn"])
    restored.delete()
    table.delete()


# ---- what a request costs, and who asks -------------------------------------

def test_capacity_is_counted(table, customer):
    put = table.put_item(Item={"customer": customer, "number": 1,
                               "text": "x" * 3000},
                         ReturnConsumedCapacity="TOTAL")
    assert put["ConsumedCapacity"] == {"TableName": table.name,
                                       "CapacityUnits": 3.0}
    key = {"customer": customer, "number": 1}
    for consistent, units in ((True, 1.0), (False, 0.5)):
        got = table.get_item(Key=key, ConsistentRead=consistent,
                             ReturnConsumedCapacity="TOTAL")
        assert got["ConsumedCapacity"]["CapacityUnits"] == units


@pytest.mark.parametrize("key, secret, name", [
    (KEY, "another", "InvalidSignatureException"),
    ("nobody", SECRET, "UnrecognizedClientException")])
def test_who_is_not_known_is_refused(endpoint, key, secret, name):
    client = boto("dynamodb", endpoint.url, key=key, secret=secret)
    refused(client.list_tables, name)


def test_answers_have_their_headers(endpoint):
    client = boto("dynamodb", endpoint.url)
    headers = client.list_tables()["ResponseMetadata"]["HTTPHeaders"]
    assert len(headers["x-amzn-requestid"]) == 52
    assert headers["x-amz-crc32"].isdigit()
    assert headers["content-type"] == "application/x-amz-json-1.0"


def test_a_body_that_is_none(endpoint):
    bare = Bare(endpoint.url)
    for body, name in ((b"{", "Serialization"), (b"[]", "Serialization"),
                       (b"\xff", "Serialization"),
                       (b'{"TableName": 1}', "Serialization"),
                       (b"[" * 100000, "Serialization"),
                       (b"{}", "Validation")):
        status, answer = bare.send("DynamoDB_20120810.GetItem", body)
        assert (status, json.loads(answer)["__type"].partition("#")[2]) == (
            400, name + "Exception"), body[:20]
    status, answer = bare.send("DynamoDB_20120810.GetItems", b"{}")
    assert status == 400 and b"#UnknownOperationException" in answer
    bare.close()
