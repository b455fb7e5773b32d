"""DynamoDB's protocol over HTTP: signatures, keys, and what passes the web
servers."""
import gzip
import json
import os
import random
import re
import socket
import subprocess
import time
import zlib

import pytest

import cgi
import fcgi
import procs
import ways
import wire
from awsclient import JSON, KEY, SECRET, TARGET, Client, Signer, stamp
from lab import together

SITE = """\
service: documents
provider: {name: bothy, aws: {path: /dynamodb}}
"""


def add_key(site, *options, secret=None):
    """What `bothy key create` prints, as a Signer."""
    p = site.lab.popen(
        [site.lab.path("bin", "bothy"), "key", "create", "--json", *options,
         *site.places()], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE)
    out, err = p.communicate((secret or "").encode(), timeout=60)
    assert p.returncode == 0, err
    made = json.loads(out)
    return Signer(made["AccessKeyId"], made["SecretAccessKey"],
                  made.get("SessionToken"))


@pytest.fixture(scope="module")
def documents(lab):
    site = lab.site("documents", files={"deploy.yaml": SITE}, build=False)
    add_key(site, "--import", KEY, secret=SECRET)
    way = ways.Lighttpd(site)
    way.gateway_options = ()
    way.start()
    yield way
    way.stop()
    site.stop_store()


@pytest.fixture(scope="module")
def client(documents):
    c = Client(documents)
    c.table("notes")
    return c


# ---- over every way in ------------------------------------------------------

@pytest.fixture(scope="module")
def known(site):
    """The session's site knows the key, and has a table of its own."""
    signer = add_key(site)
    made = []

    def table(way):
        c = Client(way, signer)
        if not made:
            c.table("everywhere")
            made.append(True)
        return c
    return table


def test_every_way(way, known):
    c = known(way)
    item = {"p": {"S": "Küche & co"}, "b": {"B": "AP8="},
            "n": {"N": "12345678901234567890.5"}}
    assert c.ask("PutItem", {"TableName": "everywhere", "Item": item}) == {}
    key = {"TableName": "everywhere", "Key": {"p": item["p"]}}
    reply = c.send("GetItem", key)
    assert reply.json() == {"Item": item}
    assert reply.header("Content-Type") == JSON
    assert re.fullmatch("[A-Z0-9]{52}", reply.header("x-amzn-RequestId"))
    assert int(reply.header("x-amz-crc32")) == zlib.crc32(reply.body)
    # Whatever the web server does to fields that were sent twice.
    twice = [("X-Twice", "b  c"), ("X-Twice", "a,d")]
    assert c.ask("GetItem", key, headers=twice) == {"Item": item}
    assert c.ask("GetItem", key, headers=[("X-A", " a   b ")]) == {
        "Item": item}
    packed = gzip.compress(json.dumps(key).encode())
    assert c.ask("GetItem", packed, headers=[
        ("Content-Encoding", "gzip")]) == {"Item": item}
    assert c.ask("ListTables", {}, prefix=TARGET)["TableNames"] == [
        "everywhere"]
    assert c.ask("ListStreams", {}, prefix="DynamoDBStreams_20120810.")


def test_every_way_refuses(way, known):
    c = known(way)
    wrong = Client(way, Signer(c.signer.key, "wrong"))
    assert "does not match" in wrong.fails("InvalidSignatureException",
                                           "ListTables", {})
    assert c.fails("ResourceNotFoundException", "GetItem", {
        "TableName": "nowhere", "Key": {"p": {"S": "x"}}})
    reply = way.post("/", b"{}", [("X-Amz-Target", TARGET + "ListTables")])
    assert reply.status == 400
    assert reply.json() == {
        "__type": "com.amazon.coral.service#"
                  "MissingAuthenticationTokenException",
        "message": "Request is missing Authentication Token"}


def test_every_way_takes_a_presigned_query(way, known):
    c = known(way)
    query, headers = c.signer.presigned(c.host, TARGET + "ListTables", b"{}")
    reply = way.post("/?" + query, b"{}", headers)
    assert reply.status == 200, reply
    assert way.post("/?" + query, b"{ }", headers).status == 400


def test_every_way_takes_chunks(way, known):
    c = known(way)
    big = {"p": {"S": "chunks"}, "t": {"S": "x" * 60000}}
    c.ask("PutItem", {"TableName": "everywhere", "Item": big}, chunked=True)
    assert c.ask("GetItem", {"TableName": "everywhere", "Key": {
        "p": {"S": "chunks"}}})["Item"] == big


# ---- signatures -------------------------------------------------------------

def test_times(client):
    for late in (-290, 290):
        client.ask("ListTables", {}, time=stamp(late))
    assert "Signature expired" in client.fails(
        "InvalidSignatureException", "ListTables", {}, time=stamp(-310))
    assert "Signature not yet current" in client.fails(
        "InvalidSignatureException", "ListTables", {}, time=stamp(310))


@pytest.mark.parametrize("signer, name", [
    (Signer(key="AKIDNOBODY"), "UnrecognizedClientException"),
    (Signer(secret=SECRET[:-1]), "InvalidSignatureException"),
    (Signer(token="made up"), "UnrecognizedClientException"),
    (Signer(service="s3"), "InvalidSignatureException"),
    (Signer(end="aws4"), "InvalidSignatureException"),
    (Signer(region=""), "InvalidSignatureException"),
])
def test_signers(documents, client, signer, name):
    Client(documents, signer).fails(name, "ListTables", {})


def test_tampering(documents, client):
    def headers():
        return client.signer.headers(client.host, TARGET + "ListTables",
                                     b"{}")

    def status(fields, body=b"{}", target="/"):
        reply = documents.post(target, body, fields)
        if reply.status != 200:
            assert reply.json()["__type"] == "com.amazon.coral.service#" \
                "InvalidSignatureException", reply
        return reply.status

    def with_field(name, value):
        return [(n, value if n == name else v) for n, v in headers()]

    assert status(headers()) == 200
    assert status(headers(), b"{ }") == 400
    assert status(headers(), target="/?a=b") == 400
    assert status(headers(), target="/dynamodb") == 400
    assert status(with_field("X-Amz-Target",
                             TARGET + "DescribeLimits")) in (400,)
    assert status(with_field("Content-Type", "text/plain")) == 400
    assert status(with_field("Host", "elsewhere")) == 400
    unsigned = [(n, v.replace(";x-amz-target", "")) for n, v in headers()]
    assert status(unsigned) == 400


def test_what_a_client_says_of_its_body(client):
    client.ask("ListTables", {}, payload="UNSIGNED-PAYLOAD",
               headers=[("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")])
    client.fails("InvalidSignatureException", "ListTables", {},
                 payload="UNSIGNED-PAYLOAD")
    client.fails("InvalidSignatureException", "ListTables", {},
                 headers=[("X-Amz-Content-Sha256", "0" * 64)])


def test_presigned_ones_expire(documents, client):
    def status(time, expires):
        query, headers = client.signer.presigned(
            client.host, TARGET + "ListTables", b"{}", stamp(time), expires)
        return documents.post("/?" + query, b"{}", headers).status

    assert status(-3000, 3600) == 200
    assert status(-3700, 3600) == 400
    assert status(400, 3600) == 400
    assert status(0, 604801) == 400


# ---- keys -------------------------------------------------------------------

def test_a_key_holds_from_its_making_to_its_removal(documents, client):
    site = documents.site
    signer = add_key(site)
    c = Client(documents, signer)
    c.ask("ListTables", {})
    site.lab.bothy("key", "rm", signer.key, *site.places())
    c.fails("UnrecognizedClientException", "ListTables", {})
    assert site.lab.bothy("key", "rm", signer.key, *site.places(),
                          check=False).returncode == 1


def test_grants(documents, client):
    site = documents.site
    if not any(t == "other" for t in client.ask("ListTables", {})[
            "TableNames"]):
        client.table("other")
    c = Client(documents, add_key(site, "--allow", "dynamodb:GetItem",
                                  "--allow", "dynamodb:Put*", "--deny",
                                  "dynamodb:DeleteItem", "--table", "notes"))
    key = {"TableName": "notes", "Key": {"p": {"S": "granted"}}}
    c.ask("PutItem", {"TableName": "notes", "Item": key["Key"]})
    assert c.ask("GetItem", key)["Item"] == key["Key"]
    text = c.fails("AccessDeniedException", "DeleteItem", key)
    assert "user/" + c.signer.key in text and "dynamodb:DeleteItem" in text
    c.fails("AccessDeniedException", "GetItem", dict(key, TableName="other"))
    c.fails("AccessDeniedException", "ListTables", {})
    refused = site.lab.bothy("key", "create", "--allow", "dynamodb:GetItm",
                             *site.places(), check=False)
    assert refused.returncode == 1
    assert "did you mean 'dynamodb:GetItem'?" in refused.stderr


def test_sessions(documents, client):
    signer = add_key(documents.site, "--for", "1h")
    assert signer.key.startswith("ASIA")
    Client(documents, signer).ask("ListTables", {})
    for token in (None, "x", signer.token + "x"):
        Client(documents, Signer(signer.key, signer.secret, token)).fails(
            "UnrecognizedClientException", "ListTables", {})
    short = add_key(documents.site, "--for", "1s")
    time.sleep(1.1)
    Client(documents, short).fails("ExpiredTokenException", "ListTables", {})


def test_what_is_kept_and_listed(documents, client):
    site = documents.site
    client.ask("ListTables", {})
    path = os.path.join(site.state, "keys", "keys.json")
    assert os.stat(path).st_mode & 0o777 == 0o600
    rows = json.loads(site.lab.bothy("key", "ls", "--json",
                                     *site.places()).stdout)
    row, = [r for r in rows if r["id"] == KEY]
    today = time.strftime("%Y-%m-%d", time.gmtime())
    assert row["created"] == today and row["used"] == today
    assert row["may"] == "dynamodb:* on every table"
    listed = site.lab.bothy("key", "ls", *site.places()).stdout
    assert KEY in listed and SECRET not in listed


# ---- HTTP -------------------------------------------------------------------

def test_operations_and_targets(documents, client):
    for operation in ("Nonsense", "", "getItem", "Stat"):
        client.fails("UnknownOperationException", operation, {})
    client.fails("UnknownOperationException", "ListStreams", {})
    client.fails("UnknownOperationException", "GetItem", {},
                 prefix="DynamoDBStreams_20120810.")
    # Nothing else has an answer there.
    for body in (b"", b"a=b"):
        reply = documents.post("/", body)
        assert reply.status == 400
        assert reply.json()["__type"].endswith("#UnknownOperationException")


def test_the_named_path(documents, client):
    for path in ("/dynamodb", "/dynamodb/"):
        Client(documents, path=path).ask("ListTables", {})
    assert documents.post("/dynamodbs", b"{}").status == 404


def test_health(documents):
    reply = documents.get("/", [("Host", "there:8000")])
    assert (reply.status, reply.body) == (200, b"healthy: there:8000")
    reply = documents.request("HEAD", "/")
    assert (reply.status, reply.body) == (200, b"")
    assert documents.get("/elsewhere").status == 404


def test_no_key_no_endpoint(lab):
    site = lab.site("keyless", files={"deploy.yaml": SITE}, build=False)
    way = ways.Lighttpd(site).start()
    try:
        assert way.get("/").status == 404
        assert way.post("/", b"").status == 404
        Client(way).fails("UnrecognizedClientException", "ListTables", {})
        assert not site.stores()
    finally:
        way.stop()


def test_cross_origin(documents, client):
    asked = [("Origin", "https://x.example"),
             ("Access-Control-Request-Method", "POST"),
             ("Access-Control-Request-Headers", "x-amz-target, x-amz-date")]
    reply = documents.request("OPTIONS", "/", asked)
    assert reply.status == 200
    assert reply.header("Access-Control-Allow-Origin") == "*"
    assert reply.header("Access-Control-Allow-Methods") == "POST"
    assert reply.header("Access-Control-Allow-Headers") == \
        "x-amz-target, x-amz-date"
    assert reply.header("Access-Control-Max-Age")
    for reply in (client.send("ListTables", {}, unsigned=asked[:1]),
                  documents.post("/", b"", asked[:1]),
                  documents.get("/", asked[:1])):
        assert reply.header("Access-Control-Allow-Origin") == "*"
        assert "x-amz-crc32" in reply.header("Access-Control-Expose-Headers")
        assert not reply.header("Access-Control-Max-Age")
    for reply in (client.send("ListTables", {}), documents.get("/")):
        assert not reply.header("Access-Control-Allow-Origin")


def test_replies_are_encoded_where_it_is_worth_it(client):
    client.ask("PutItem", {"TableName": "notes", "Item": {
        "p": {"S": "long"}, "t": {"S": "x" * 5000}}})
    key = {"TableName": "notes", "Key": {"p": {"S": "long"}}}
    plain = client.send("GetItem", key).body
    for name, decode in (("gzip", gzip.decompress),
                         ("deflate", zlib.decompress)):
        reply = client.send("GetItem", key, headers=[
            ("Accept-Encoding", name)])
        assert reply.header("Content-Encoding") == name
        assert int(reply.header("x-amz-crc32")) == zlib.crc32(reply.body)
        assert decode(reply.body) == plain
    short = dict(key, ProjectionExpression="p")
    assert not client.send("GetItem", short, headers=[
        ("Accept-Encoding", "gzip")]).header("Content-Encoding")


def test_bodies_that_are_not_of_their_encoding(client):
    for name in ("gzip", "deflate", "br"):
        client.fails("InternalServerError", "ListTables", {},
                     headers=[("Content-Encoding", name)])


def test_bodies_that_are_too_long(client):
    spaces = b" " * (16 << 20)
    packed = gzip.compress(b"{" + spaces + b"}")
    client.fails("RequestEntityTooLargeException", "ListTables", packed,
                 headers=[("Content-Encoding", "gzip")])
    client.fails("RequestEntityTooLargeException", "ListTables",
                 b"{" + spaces + b"}")
    longest = b"{" + spaces[:-2] + b"}"
    client.ask("ListTables", longest)
    client.ask("ListTables", gzip.compress(longest),
               headers=[("Content-Encoding", "gzip")])
    for n in range(256 * 1024 - 3, 256 * 1024 + 3):
        client.ask("ListTables", gzip.compress(b"{" + spaces[:n] + b"}"),
                   headers=[("Content-Encoding", "gzip")])


def test_nonsense_is_answered(client):
    for body in (b"", b"[]", b"7", b"{", b'{"TableName":', b"\xff", b"null",
                 b'{"TableName":"notes","TableName":"notes"}',
                 b"[" * 100000, b'{"a":' * 20000):
        client.fails("SerializationException", "GetItem", body)


def test_what_a_serialization_exception_says(client):
    """Its member is called Message; of what is no JSON, nothing is said."""
    kind = "com.amazon.coral.service#SerializationException"
    for body in (b"{broken", b'{"TableName":"notes"', b'{"a":1}}', b"\xff"):
        assert client.send("GetItem", body).json() == {"__type": kind}
    assert client.send("GetItem", {"TableName": {}}).json() == {
        "__type": kind, "Message":
            "Start of structure or map found where not expected"}
    packed = gzip.compress(b'{"TableName":[]}')
    assert "Message" in client.send("GetItem", packed, headers=[
        ("Content-Encoding", "gzip")]).json()


def test_a_kept_connection(documents, client):
    with wire.Connection(documents.port) as c:
        for i in range(20):
            body = b'{"Limit":%d}' % (i % 2)
            reply = c.request("POST", "/", client.signer.headers(
                client.host, TARGET + "ListTables", body), body)
            assert reply.status == (200 if i % 2 else 400)


def test_continue(documents, client):
    body = b"{}"
    head = client.signer.headers(client.host, TARGET + "ListTables", body)
    with socket.create_connection(("127.0.0.1", documents.port), 10) as s:
        s.sendall(("POST / HTTP/1.1\r\n" + "".join(
            "%s: %s\r\n" % f for f in head) + "Content-Length: 2\r\n"
            "Expect: 100-continue\r\nConnection: close\r\n\r\n").encode())
        assert s.recv(100).startswith(b"HTTP/1.1 100")
        s.sendall(body)
        got = b""
        while piece := s.recv(4096):
            got += piece
    assert b"200 OK" in got and b"TableNames" in got


# ---- around it --------------------------------------------------------------

def test_the_log_names_operation_and_table(documents, client):
    reply = client.send("GetItem", {"TableName": "notes",
                                    "Key": {"p": {"S": "x"}}})
    entry, = documents.site.logged("access",
                                   reply.header("x-amzn-RequestId")[:26])
    assert entry["operation"] == "GetItem" and entry["table"] == "notes"
    assert entry["status"] == 200 and "function" not in entry
    reply = client.send("GetItem", {"TableName": "none",
                                    "Key": {"p": {"S": "x"}}})
    entry, = documents.site.logged("access",
                                   reply.header("x-amzn-RequestId")[:26])
    assert entry["outcome"] == "refused" and entry["table"] == "none"


def test_status_counts_them(documents, client):
    def counted():
        rows = json.loads(documents.site.lab.bothy(
            "status", "--json", *documents.site.places()).stdout)["functions"]
        return sum(r["requests"] for r in rows
                   if r["function"] == "(dynamodb)")

    before = counted()
    client.ask("ListTables", {})
    procs.wait_for(lambda: counted() > before, 5, "the request to count")


def test_what_answers_is_listed(documents, client):
    rows = json.loads(documents.site.lab.bothy("key", "operations",
                                               "--json").stdout)
    for row in rows:
        prefix, operation = row["target"].split(".")
        reply = client.send(operation, {}, prefix=prefix + ".")
        assert "UnknownOperation" not in reply.body.decode(), row


def test_the_store_may_die(documents, client):
    key = {"p": {"S": "survivor"}}
    client.ask("PutItem", {"TableName": "notes", "Item": key})
    pid, = documents.site.stores()
    os.kill(pid, 9)
    procs.wait_for(lambda: pid not in documents.site.stores(), 10,
                   "the store to end")
    assert client.ask("GetItem", {"TableName": "notes", "Key": key})[
        "Item"] == key


def test_keys_that_cannot_be_read_let_nobody_in(documents, client):
    site = documents.site
    path = os.path.join(site.state, "keys", "keys.json")
    os.chmod(path, 0o644)
    try:
        text = client.fails("InternalServerError", "ListTables", {})
        assert "log says why" in text and path not in text
        procs.wait_for(lambda: site.log("gateway", "open to others"), 5,
                       "the gateway to log why")
    finally:
        os.chmod(path, 0o600)
    client.ask("ListTables", {})


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_makes_keys_for_the_owner(documents, client):
    site = documents.site
    made = subprocess.run(
        [site.lab.path("bin", "bothy"), "key", "create", "--json",
         *site.places()], stdout=subprocess.PIPE, check=True, timeout=60,
        env=site.lab.environment())
    made = json.loads(made.stdout)
    assert os.stat(os.path.join(site.state, "keys", "keys.json")).st_uid == \
        site.lab.user
    Client(documents, Signer(made["AccessKeyId"],
                             made["SecretAccessKey"])).ask("ListTables", {})


def raw(client, body, length=None, **changed):
    """A request as records, past any web server, with variables changed."""
    env = cgi.environment("POST", "/", client.signer.headers(
        "localhost", TARGET + "ListTables", body), body, False)
    if length is not None:
        env[b"CONTENT_LENGTH"] = b"%d" % length
    for name, value in changed.items():
        env[name.encode()] = value
    return fcgi.begin() + fcgi.params(env) + fcgi.stdin(body)


def answer(documents, data):
    """What the gateway says, or b"" if it breaks off."""
    with fcgi.connect(documents.gateway.socket) as s:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        got = b""
        try:
            while piece := s.recv(65536):
                got += piece
        except ConnectionResetError:
            pass
    return got


def test_what_no_web_server_sends(documents, client):
    assert b"TableNames" in answer(documents, raw(client, b"{}"))
    assert b"ended too early" in answer(documents, raw(client, b"{}", 20))
    assert b"TooLarge" in answer(documents, raw(client, b"{}", 1 << 40))
    assert b"TableNames" in answer(documents, raw(
        client, b"{}", CONTENT_LENGTH=b""))
    assert b"InvalidSignature" in answer(documents, raw(
        client, b"{}", HTTP_HOST=b"localhost:9"))
    assert b"400" in answer(documents, raw(client, b"{}",
                                           HTTP_X_AMZ_DATE=b"\xff" * 16))


def test_mutated_requests(documents, client):
    """Whatever comes, each is answered or cut, and the next one is served."""
    chance = random.Random(20261122)
    whole = raw(client, b'{"Limit":7}')
    at = whole.index(b"POST")
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 1, 2, 8))):
            i = chance.randrange(at, len(data))
            data[i] = chance.choice((0, 10, 32, 34, 37, 44, 47, 59, 61, 255,
                                     chance.randrange(256)))
        got = answer(documents, bytes(data))
        assert b"Status: 200" not in got or b"TableNames" in got or \
            b"healthy" in got
    client.ask("ListTables", {})
    assert documents.gateway.process.poll() is None


def test_many_at_once(documents, client):
    add_key(documents.site)     # whoever is under way has the keys of before

    def put(i):
        c = Client(documents)
        item = {"p": {"S": "many-%d" % i}, "n": {"N": str(i)}}
        for _ in range(5):
            c.ask("PutItem", {"TableName": "notes", "Item": item})
        return c.ask("GetItem", {"TableName": "notes",
                                 "Key": {"p": item["p"]}})["Item"] == item

    assert all(together(put, range(24)))
