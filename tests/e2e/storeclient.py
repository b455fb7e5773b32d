"""A store's daemon under test, and a client of its frames (store-wire.5)."""
import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import struct
import subprocess

from procs import alive, arguments, pids, wait_for

BIN = os.environ.get("BOTHY_BIN") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "../../build/release/bin")
PROGRAM = os.path.join(BIN, "bothy-store")

HELLO_SIZE = 72
MAGIC = 0x53687442
PLAIN, WAIT_FILE, PROOF = 1, 2, 4       # flags of a request
PROGRESS = 2                            # of a reply

OPERATIONS = {name: number for number, name in {
    1: "GetItem", 2: "PutItem", 3: "UpdateItem", 4: "DeleteItem", 5: "Query",
    6: "Scan", 7: "BatchGetItem", 8: "BatchWriteItem", 9: "TransactGetItems",
    10: "TransactWriteItems", 32: "CreateTable", 35: "DescribeTable",
    36: "ListTables", 33: "UpdateTable", 34: "DeleteTable", 39: "TagResource",
    44: "UpdateContinuousBackups", 46: "CreateBackup", 47: "ListBackups",
    48: "DescribeBackup", 49: "DeleteBackup", 50: "RestoreTableFromBackup",
    51: "RestoreTableToPointInTime", 52: "ExportTableToPointInTime",
    53: "DescribeExport", 54: "ListExports", 55: "ImportTable",
    56: "DescribeImport", 57: "ListImports", 96: "Stat", 97: "Path", 98: "Log", 102: "Checkpoint",
    103: "Backup", 106: "Forget", 109: "Reindex", 112: "Mirror",
    113: "Stop"}.items()}

FAULTS = dict(enumerate((
    "Validation", "Serialization", "Condition", "NotFound", "InUse", "Limit",
    "Canceled", "Conflict", "InProgress", "TokenMismatch", "CollectionSize",
    "Throughput", "Trimmed", "ExpiredIterator", "Denied", "UnknownOperation",
    "Internal", "NoRoom", "ReadOnly", "Busy", "Leaving", "UnknownOutcome",
    "Ended", "TableNotFound", "TableExists", "BackupNotFound", "PitrOff",
    "RestoreTime", "ExportNotFound", "ExportConflict", "ExportTime",
    "ImportNotFound", "ImportConflict", "Duplicate"), 1000))


class Fault(Exception):
    """What the store said instead of a result."""

    def __init__(self, status, body):
        super().__init__("%s: %r" % (FAULTS.get(status, status), body))
        self.name = FAULTS.get(status, str(status))
        self.body = json.loads(body)


class Closed(Exception):
    """The store closed the connection."""


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def mint(key, claims):
    """A token as the gateway would make it."""
    text = b"b1." + base64url(json.dumps(claims).encode())
    return text + b"." + base64url(hmac.new(key, text,
                                            hashlib.sha256).digest())


def allow(actions, tables, **more):
    return dict({"e": "Allow", "a": actions,
                 "t": ["table/" + t for t in tables]}, **more)


class Connection:
    """One connection; `token` None proves the key, b"" shows nothing."""

    def __init__(self, directory, token=None, hello=True):
        self.directory = directory
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        fd = os.open(directory, os.O_PATH | os.O_DIRECTORY)
        try:
            self.socket.connect("/proc/self/fd/%d/store.sock" % fd)
        finally:
            os.close(fd)
        self.flags = 0
        self.token = token
        self.last_id = 0
        if hello:
            self.hear_hello()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def exactly(self, n):
        data = b""
        while len(data) < n:
            try:
                more = self.socket.recv(n - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                raise Closed(data)
            data += more
        return data

    def hear_hello(self):
        hello = self.exactly(HELLO_SIZE)
        length, magic, version, self.in_flight, self.request_max = \
            struct.unpack("<IIHHI", hello[:16])
        assert (length, magic, version) == (HELLO_SIZE - 4, MAGIC, 1)
        self.store_id, self.challenge = hello[24:40], hello[40:72]
        if self.token is None:
            with open(os.path.join(self.directory, "key"), "rb") as f:
                key = f.read()
            self.token = hmac.new(key, b"bothy-store" + self.challenge,
                                  hashlib.sha256).digest()
            self.flags = PROOF

    def frame(self, name, body, flags=0):
        """The bytes of a request, and its id; token or proof come once."""
        self.last_id += 1
        token, self.token = self.token, b""
        flags |= self.flags if token else 0
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        number = name if isinstance(name, int) else OPERATIONS[name]
        return struct.pack(
            "<IIHHIHH", 16 + len(token) + len(body), self.last_id, number,
            flags, 0, len(token), 0) + token + body, self.last_id

    def send(self, name, body, flags=0):
        data, number = self.frame(name, body, flags)
        self.socket.sendall(data)
        return number

    def hear(self):
        """Any reply: id, status, flags, body."""
        length, = struct.unpack("<I", self.exactly(4))
        frame = self.exactly(length)
        return struct.unpack("<IHH", frame[:8]) + (frame[8:],)

    def wait(self, number):
        while True:
            replied, status, flags, body = self.hear()
            assert replied == number
            if flags & PROGRESS:
                continue
            if status:
                raise Fault(status, body)
            return json.loads(body)

    def call(self, name, body, flags=0):
        return self.wait(self.send(name, body, flags))

    def table(self, name, hash_key="id", **more):
        return self.call("CreateTable", dict({
            "TableName": name,
            "KeySchema": [{"AttributeName": hash_key, "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": hash_key,
                                      "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST"}, **more))

    def put(self, table, item, flags=PLAIN):
        return self.call("PutItem", {"TableName": table, "Item": item}, flags)

    def get(self, table, key):
        return self.call("GetItem", {"TableName": table, "Key": key},
                         PLAIN).get("Item")


class Store:
    """A directory and the daemon that serves it; started detached."""

    def __init__(self, directory, *options):
        self.directory = str(directory)
        self.options = options

    def start(self, *more, **how):
        """The finished first process; its daemon lives on if status is 0."""
        return subprocess.run(
            [PROGRAM, "--dir", self.directory, "--force", "--idle", "60",
             *self.options, *more], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=60, **how)

    def started(self, *more, **how):
        done = self.start(*more, **how)
        assert (done.returncode, done.stderr) == (0, ""), done
        return self

    def daemons(self):
        return [p for p in pids() if alive(p) and
                self.directory.encode() in arguments(p)]

    @property
    def pid(self):
        """One that found another serving may take a moment to end."""
        return wait_for(lambda: len(self.daemons()) == 1 and
                        self.daemons(), 5, "a single daemon")[0]

    def connect(self, token=None):
        return Connection(self.directory, token)

    def key(self):
        with open(os.path.join(self.directory, "key"), "rb") as f:
            return f.read()

    def log(self):
        with open(os.path.join(self.directory, "store.log")) as f:
            return [json.loads(line) for line in f]

    def gone(self):
        wait_for(lambda: not self.daemons(), 20, "the daemon to leave")

    def stop(self, number=signal.SIGTERM):
        for pid in self.daemons():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        self.gone()
