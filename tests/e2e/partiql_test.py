"""PartiQL through the DynamoDB endpoint, as boto3's users see it."""
import uuid

import pytest

from dynamo import boto

pytest.importorskip("boto3", reason="python3-boto3 is not installed")

from botocore.exceptions import ClientError                 # noqa: E402


@pytest.fixture(scope="module")
def dynamodb(endpoint):
    return boto("dynamodb", endpoint.url)


@pytest.fixture
def table(dynamodb):
    name = "music." + uuid.uuid4().hex[:12]
    dynamodb.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "artist", "KeyType": "HASH"},
                   {"AttributeName": "song", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "artist", "AttributeType": "S"},
            {"AttributeName": "song", "AttributeType": "S"}])
    dynamodb.get_waiter("table_exists").wait(TableName=name)
    yield name
    dynamodb.delete_table(TableName=name)


def refused(call, name):
    with pytest.raises(ClientError) as failed:
        call()
    answer = failed.value.response
    assert answer["Error"]["Code"] == name, answer
    return answer


def test_statements(dynamodb, table):
    def run(text, *parameters, **more):
        if parameters:
            more["Parameters"] = list(parameters)
        return dynamodb.execute_statement(
            Statement=text.replace("TABLE", '"%s"' % table), **more)

    assert run("INSERT INTO TABLE VALUE {'artist': 'a', 'song': 's', "
               "'year': 1999, 'tags': <<'x', 'y'>>}")["Items"] == []
    refused(lambda: run("INSERT INTO TABLE VALUE {'artist': 'a', "
                        "'song': 's'}"), "DuplicateItemException")
    assert run("SELECT * FROM TABLE WHERE artist = ? AND song = ?",
               {"S": "a"}, {"S": "s"})["Items"] == [
                   {"artist": {"S": "a"}, "song": {"S": "s"},
                    "year": {"N": "1999"}, "tags": {"SS": ["x", "y"]}}]
    assert run("UPDATE TABLE SET year = year + 1 WHERE artist = 'a' AND "
               "song = 's' RETURNING MODIFIED NEW *")["Items"] == [
                   {"year": {"N": "2000"}}]
    refused(lambda: run("UPDATE TABLE SET year = 1 WHERE artist = 'a' AND "
                        "song = 'none'"), "ConditionalCheckFailedException")
    refused(lambda: run("SELECTT"), "ValidationException")
    refused(lambda: dynamodb.execute_statement(
        Statement="SELECT * FROM nowhere"), "ResourceNotFoundException")
    for i in range(7):
        run("INSERT INTO TABLE VALUE {'artist': 'b', 'song': ?}",
            {"S": "s%d" % i})
    songs, more = [], {}
    while True:
        page = run("SELECT song FROM TABLE WHERE artist = 'b' ORDER BY song "
                   "DESC", Limit=3, **more)
        songs += [item["song"]["S"] for item in page["Items"]]
        if "NextToken" not in page:
            break
        more = {"NextToken": page["NextToken"]}
    assert songs == ["s%d" % i for i in range(6, -1, -1)]
    assert run("DELETE FROM TABLE WHERE artist = 'a' AND song = 's' "
               "RETURNING ALL OLD *")["Items"][0]["year"] == {"N": "2000"}


def test_batches(dynamodb, table):
    told = dynamodb.batch_execute_statement(Statements=[
        {"Statement": "INSERT INTO \"%s\" VALUE {'artist': 'a', 'song': ?}"
         % table, "Parameters": [{"S": song}]} for song in "abca"[:3]])
    assert told["Responses"] == [{"TableName": table}] * 3
    told = dynamodb.batch_execute_statement(Statements=[
        {"Statement": "SELECT song FROM \"%s\" WHERE artist = 'a' AND song "
         "= 'b'" % table}, {"Statement": "nonsense"}])["Responses"]
    assert told[0]["Item"] == {"song": {"S": "b"}}
    assert told[1]["Error"]["Code"] == "ValidationError"


def test_transactions(dynamodb, table):
    def run(*statements, **more):
        return dynamodb.execute_transaction(TransactStatements=[
            {"Statement": s.replace("TABLE", '"%s"' % table)}
            for s in statements], **more)

    run("INSERT INTO TABLE VALUE {'artist': 'a', 'song': '1', 'n': 0}",
        "INSERT INTO TABLE VALUE {'artist': 'a', 'song': '2'}")
    token = uuid.uuid4().hex
    for _ in range(2):
        run("UPDATE TABLE SET n = n + 1 WHERE artist = 'a' AND song = '1'",
            ClientRequestToken=token)
    answer = refused(lambda: run(
        "DELETE FROM TABLE WHERE artist = 'a' AND song = '1'",
        "INSERT INTO TABLE VALUE {'artist': 'a', 'song': '2'}"),
        "TransactionCanceledException")
    assert [r["Code"] for r in answer["CancellationReasons"]] == \
        ["None", "DuplicateItem"]
    told = run("SELECT n FROM TABLE WHERE artist = 'a' AND song = '1'",
               "SELECT n FROM TABLE WHERE artist = 'a' AND song = 'none'")
    assert told["Responses"] == [{"Item": {"n": {"N": "1"}}}, {}]
    assert run("EXISTS(SELECT * FROM TABLE WHERE artist = 'a' AND song = "
               "'1' AND n = 1)",
               "DELETE FROM TABLE WHERE artist = 'a' AND song = '2'")[
                   "Responses"] == [{}, {}]
