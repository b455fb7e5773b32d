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
    fill(client, 500)
    arn = client.call("CreateBackup", {"TableName": "notes", "BackupName":
                      "monday"})["BackupDetails"]["BackupArn"]
    client.put("notes", {"id": "n00001", "text": "later"})
    made = client.call("RestoreTableFromBackup", {
        "TargetTableName": "again", "BackupArn": arn})["TableDescription"]
    assert made["TableStatus"] == "CREATING"
    told = active(client, "again")
    assert told["ItemCount"] == 500
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
