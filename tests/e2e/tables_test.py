"""Tables as a whole, through the daemon: backups, exports and imports whose
work goes on after the reply."""
import gzip
import json
import os

import pytest

from procs import wait_for
from storeclient import PLAIN, Fault, Store


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store").started()
    yield store
    store.stop()


@pytest.fixture
def client(store):
    with store.connect() as client:
        client.table("notes")
        yield client


def refused(call, name):
    with pytest.raises(Fault) as fault:
        call()
    assert fault.value.name == name, fault.value


def active(client, name):
    def look():
        try:
            told = client.call("DescribeTable", {"TableName": name})
        except Fault:
            return False
        return told["Table"]["TableStatus"] == "ACTIVE" and told["Table"]
    return wait_for(look, 20, name + " to be active")


def items(client, name):
    got, more = [], {}
    while True:
        page = client.call("Scan", dict(TableName=name, **more), PLAIN)
        got += page["Items"]
        if "LastEvaluatedKey" not in page:
            return {x["id"]: x for x in got}
        more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def fill(client, n, size=2000):
    for i in range(n):
        client.put("notes", {"id": "n%05d" % i, "text": "x" * size, "n": i})


# ---- backups ----------------------------------------------------------------

def test_a_table_is_restored_behind_the_reply(store, client):
    fill(client, 1100)
    arn = client.call("CreateBackup", {"TableName": "notes", "BackupName":
                      "monday"})["BackupDetails"]["BackupArn"]
    client.put("notes", {"id": "n00001", "text": "later"})
    made = client.call("RestoreTableFromBackup", {
        "TargetTableName": "again", "BackupArn": arn})["TableDescription"]
    assert made["TableStatus"] == "CREATING"
    told = active(client, "again")
    assert told["ItemCount"] == 1100
    assert told["RestoreSummary"]["RestoreInProgress"] is False
    assert items(client, "again")["n00001"]["n"] == 1
    refused(lambda: client.call("RestoreTableFromBackup", {
        "TargetTableName": "again", "BackupArn": arn}),
        "TableExists")
    client.call("DeleteBackup", {"BackupArn": arn})
    refused(lambda: client.call("DescribeBackup", {"BackupArn": arn}),
            "BackupNotFound")


def test_backups_outlive_the_daemon_and_their_table(store):
    with store.connect() as client:
        client.table("notes")
        fill(client, 20)
        arn = client.call("CreateBackup", {"TableName": "notes", "BackupName":
                          "kept"})["BackupDetails"]["BackupArn"]
        client.call("DeleteTable", {"TableName": "notes"})
    store.stop(9)
    store.started()
    with store.connect() as client:
        listed = client.call("ListBackups", {})["BackupSummaries"]
        assert [b["BackupName"] for b in listed] == ["kept"]
        client.call("RestoreTableFromBackup", {
            "TargetTableName": "notes", "BackupArn": arn})
        active(client, "notes")
        assert len(items(client, "notes")) == 20


def test_the_daemon_stays_for_what_it_has_to_do(tmp_path):
    """It leaves for idleness once all is done, and not before."""
    store = Store(tmp_path / "store").started("--idle", "1")
    try:
        with store.connect() as client:
            client.table("notes")
            fill(client, 1500)
            arn = client.call("CreateBackup", {
                "TableName": "notes", "BackupName": "all"})
            client.call("RestoreTableFromBackup", {
                "TargetTableName": "again",
                "BackupArn": arn["BackupDetails"]["BackupArn"]})
        store.gone()
        store.started()
        with store.connect() as client:
            assert active(client, "again")["ItemCount"] == 1500
    finally:
        store.stop()


# ---- exports and imports ----------------------------------------------------

IMPORT = {"InputFormat": "DYNAMODB_JSON", "TableCreationParameters": {
    "TableName": "made", "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}}


def bucket(store, name):
    path = os.path.join(store.directory, "buckets", name)
    os.makedirs(path)
    return path


def over(client, what, arn):
    def look():
        told = client.call("Describe" + what, {what + "Arn": arn})
        told = told.get("ExportDescription") or told["ImportTableDescription"]
        return told[what + "Status"] != "IN_PROGRESS" and told
    return wait_for(look, 30, "the end of " + arn)


def test_an_export_is_whole_and_can_be_imported(store, client):
    path = bucket(store, "mine")
    client.call("UpdateContinuousBackups", {
        "TableName": "notes", "PointInTimeRecoverySpecification":
        {"PointInTimeRecoveryEnabled": True}})
    fill(client, 300)
    arn = client.call("DescribeTable", {"TableName": "notes"})
    asked = client.call("ExportTableToPointInTime", {
        "TableArn": arn["Table"]["TableArn"], "S3Bucket": "mine",
        "ClientToken": "once"})["ExportDescription"]
    client.put("notes", {"id": "later"})
    told = over(client, "Export", asked["ExportArn"])
    assert (told["ExportStatus"], told["ItemCount"]) == ("COMPLETED", 300)
    with open(os.path.join(path, told["ExportManifest"])) as f:
        summary = json.load(f)
    assert summary["itemCount"] == 300
    with open(os.path.join(path, summary["manifestFilesS3Key"])) as f:
        data = json.loads(f.readline())["dataFileS3Key"]
    with gzip.open(os.path.join(path, data), "rt") as f:
        ids = sorted(json.loads(line)["Item"]["id"]["S"] for line in f)
    assert ids == ["n%05d" % i for i in range(300)]
    made = client.call("ImportTable", dict(
        IMPORT, ClientToken="t", InputCompressionType="GZIP", S3BucketSource={
            "S3Bucket": "mine", "S3KeyPrefix": os.path.dirname(data) + "/"}))
    told = over(client, "Import", made["ImportTableDescription"]["ImportArn"])
    assert told["ImportStatus"] == "COMPLETED", told
    assert told["ImportedItemCount"] == 300
    active(client, "made")
    assert items(client, "made")["n00299"]["n"] == 299


def test_an_import_without_its_bucket_leaves_no_table(store, client):
    made = client.call("ImportTable", dict(
        IMPORT, ClientToken="t", S3BucketSource={"S3Bucket": "none"}))
    told = over(client, "Import", made["ImportTableDescription"]["ImportArn"])
    assert told["FailureCode"] == "S3NoSuchBucket"
    refused(lambda: client.call("DescribeTable", {"TableName": "made"}),
            "NotFound")


def test_a_daemon_that_leaves_says_what_it_has_not_done(tmp_path):
    store = Store(tmp_path / "store").started()
    try:
        with open(os.path.join(bucket(store, "mine"), "a.json"), "w") as f:
            for i in range(400000):
                f.write('{"Item":{"id":{"S":"%d"}}}\n' % i)
        with store.connect() as client:
            made = client.call("ImportTable", dict(
                IMPORT, ClientToken="t",
                S3BucketSource={"S3Bucket": "mine"}))
            arn = made["ImportTableDescription"]["ImportArn"]
            assert client.call("DescribeTable", {"TableName": "made"})[
                "Table"]["TableStatus"] == "CREATING"
            refused(lambda: client.put("made", {"id": "x"}), "InUse")
        store.stop()
        store.started()
        with store.connect() as client:
            told = client.call("DescribeImport", {"ImportArn": arn})[
                "ImportTableDescription"]
            assert told["ImportStatus"] == "FAILED"
            refused(lambda: client.call("DescribeTable", {
                "TableName": "made"}), "NotFound")
    finally:
        store.stop()
