"""Requests of DynamoDB's protocol, signed here: AWS's signature version 4,
written out so that a test can get any part of it wrong."""
import datetime
import hashlib
import hmac
import json
import urllib.parse

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
JSON = "application/x-amz-json-1.0"
TARGET = "DynamoDB_20120810."


def keyed(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def quote(text):
    return urllib.parse.quote(text, safe="-_.~")


def stamp(seconds=0):
    """Now, or so many seconds later."""
    return (datetime.datetime.now(datetime.timezone.utc) +
            datetime.timedelta(seconds=seconds)).strftime("%Y%m%dT%H%M%SZ")


class Signer:
    """A key, and whatever else a signature depends on."""

    def __init__(self, key=KEY, secret=SECRET, token=None, region="eu-1",
                 service="dynamodb", end="aws4_request"):
        self.key, self.secret, self.token = key, secret, token
        self.scope = (region, service, end)

    def signature(self, time, canonical):
        scope = (time[:8], *self.scope)
        key = ("AWS4" + self.secret).encode()
        for part in scope:
            key = keyed(key, part)
        return keyed(key, "\n".join((
            "AWS4-HMAC-SHA256", time, "/".join(scope),
            hashlib.sha256(canonical.encode()).hexdigest()))).hex()

    def credential(self, time):
        return "/".join((self.key, time[:8], *self.scope))

    @staticmethod
    def canonical(path, query, fields, payload):
        """`fields` by lower-case name, each a list of values."""
        names = sorted(fields)
        return "\n".join((
            "POST", urllib.parse.quote(path, safe="-_.~/"), query,
            *("%s:%s" % (n, ",".join(" ".join(v.split()) for v in fields[n]))
              for n in names),
            "", ";".join(names), payload))

    def headers(self, host, target, body, time=None, path="/", more=(),
                payload=None):
        """All header fields of a signed request; `more` are signed too."""
        time = time or stamp()
        sent = [("Host", host), ("Content-Type", JSON), ("X-Amz-Date", time),
                ("X-Amz-Target", target), *more]
        if self.token:
            sent.append(("X-Amz-Security-Token", self.token))
        fields = {}
        for name, value in sent:
            fields.setdefault(name.lower(), []).append(value)
        payload = payload or hashlib.sha256(body).hexdigest()
        return sent + [("Authorization", "AWS4-HMAC-SHA256 Credential=%s, "
                        "SignedHeaders=%s, Signature=%s" % (
                            self.credential(time), ";".join(sorted(fields)),
                            self.signature(time, self.canonical(
                                path, "", fields, payload))))]

    def presigned(self, host, target, body, time=None, expires=60):
        """The query, and the header fields that go with it."""
        time = time or stamp()
        fields = {"host": [host], "x-amz-target": [target]}
        query = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256",
                 "X-Amz-Credential": self.credential(time),
                 "X-Amz-Date": time, "X-Amz-Expires": str(expires),
                 "X-Amz-SignedHeaders": ";".join(sorted(fields))}
        if self.token:
            query["X-Amz-Security-Token"] = self.token
        text = "&".join("%s=%s" % (quote(k), quote(query[k]))
                        for k in sorted(query))
        canonical = self.canonical("/", text, fields,
                                   hashlib.sha256(body).hexdigest())
        return (text + "&X-Amz-Signature=" + self.signature(time, canonical),
                [("Host", host), ("X-Amz-Target", target)])


class Client:
    """Asks one way into a site."""

    def __init__(self, way, signer=None, path="/"):
        self.way = way
        self.signer = signer or Signer()
        self.path = path
        self.host = "localhost:%d" % getattr(way, "port", 80)

    def send(self, operation, what, time=None, chunked=False, prefix=TARGET,
             headers=(), unsigned=(), payload=None):
        """The reply; `headers` are signed, `unsigned` not."""
        body = what if isinstance(what, bytes) else json.dumps(what).encode()
        return self.way.post(self.path, body, self.signer.headers(
            self.host, prefix + operation, body, time, self.path, headers,
            payload) + list(unsigned), chunked=chunked)

    def ask(self, operation, what, **more):
        """The reply's JSON, which must be a success."""
        reply = self.send(operation, what, **more)
        assert reply.status == 200, reply
        return reply.json()

    def fails(self, name, operation, what, **more):
        """Asserts that it is refused with that exception: its message."""
        reply = self.send(operation, what, **more)
        assert reply.status in (400, 413, 500), reply
        answer = reply.json()
        assert answer["__type"].rpartition("#")[2] == name, answer
        return answer.get("message", answer.get("Message"))

    def table(self, name):
        self.ask("CreateTable", {
            "TableName": name, "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "p",
                                      "AttributeType": "S"}]})
