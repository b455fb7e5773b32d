"""DynamoDB's protocol for the tests that know no more of it than its clients
do: an endpoint, boto3, bare signed requests, and node's modules.

BOTHY_DYNAMODB=URL lets the tests judge an endpoint that is running already and
knows the key `unknownuser` with the secret `unknownsecret`.
"""
import fcntl
import hashlib
import http.client
import json
import os
import shutil
import subprocess
import urllib.parse

import pytest

import ways
from lab import HERE
from procs import wait_for

KEY, SECRET, REGION = "unknownuser", "unknownsecret", "us-east-1"
TOP = os.path.abspath(os.path.join(HERE, "..", ".."))
NPM_SECONDS = 120
NODE_LEAST = 18


def not_tested(reason):
    """Skips, and says so again at the end of the run."""
    from conftest import skipped_ways
    if reason not in skipped_ways:
        skipped_ways.append(reason)
    pytest.skip(reason)


class Endpoint:
    """A site without functions, behind lighttpd, that knows the key; its
    store looks five times a second for what has expired."""

    def __init__(self, lab):
        site = lab.site("dynamodb", files={"deploy.yaml": (
            "service: dynamodb\nprovider: {name: bothy}\n")}, build=False)
        self.site, self.store = site, os.path.join(site.state, "store")
        self.run("bothy", "key", "create", "--import", KEY, *site.places(),
                 text=SECRET)
        run = os.path.join(site.state, "run")
        os.makedirs(run, exist_ok=True)
        lab.own(site.state)
        self.run("bothy-store", "--dir", self.store, "--socket",
                 os.path.join(run, "store.sock"), "--force", "--idle", "600",
                 "--ttl-sweep-ms", "200")
        wait_for(lambda: len(site.stores()) == 1, 5, "a single daemon")
        self.way = ways.Lighttpd(site)
        self.way.gateway_options = ()
        self.way.start()
        self.url = "http://127.0.0.1:%d" % self.way.port

    def run(self, program, *args, text=""):
        p = self.site.lab.popen(
            [self.site.lab.path("bin", program), *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        out, _ = p.communicate(text.encode(), timeout=60)
        assert p.returncode == 0, out.decode()
        return out.decode()

    def stop(self):
        self.way.stop()
        self.site.stop_store()


class Given:
    """An endpoint that runs already."""
    site = None

    def __init__(self, url):
        self.url = url

    def stop(self):
        pass


def boto(service, url, kind="client", key=KEY, secret=SECRET, **config):
    """A client, or `kind` "resource", that tries each request once."""
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        not_tested("boto3: python3-boto3 is not installed")
    config.setdefault("retries", {"max_attempts": 0})
    return getattr(boto3, kind)(
        service, endpoint_url=url, region_name=REGION,
        aws_access_key_id=key, aws_secret_access_key=secret,
        config=Config(read_timeout=30, connect_timeout=10, **config))


class Bare:
    """Requests as bytes over one connection, signed with SigV4."""

    def __init__(self, url, key=KEY, secret=SECRET, timeout=60):
        from botocore.auth import SigV4Auth
        from botocore.credentials import Credentials
        self.url = url.rstrip("/") + "/"
        self.netloc = urllib.parse.urlsplit(url).netloc
        self.timeout = timeout
        self.signer = SigV4Auth(Credentials(key, secret), "dynamodb", REGION)
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def headers(self, target, body, **more):
        from botocore.awsrequest import AWSRequest
        headers = {"Content-Type": "application/x-amz-json-1.0",
                   "X-Amz-Target": target, **more}
        request = AWSRequest("POST", self.url, headers=headers, data=body)
        self.signer.add_auth(request)
        return dict(request.headers)

    def send(self, target, body, headers=None):
        """Status and body of the answer; tries again if the server closed
        an idle connection."""
        headers = headers or self.headers(target, body)
        for again in (True, False):
            if not self.connection:
                self.connection = http.client.HTTPConnection(
                    self.netloc, timeout=self.timeout)
            try:
                self.connection.request("POST", "/", body, headers)
                reply = self.connection.getresponse()
                return reply.status, reply.read()
            except (ConnectionError, http.client.BadStatusLine):
                self.close()
                if not again:
                    raise
        raise AssertionError

    def call(self, name, request, api="DynamoDB_20120810"):
        """Status and the answer, read."""
        status, body = self.send("%s.%s" % (api, name),
                                 json.dumps(request).encode())
        return status, json.loads(body)


def node_modules():
    """The directory where tests/e2e/node's modules are, installed by npm once
    for each list of versions; or skips aloud."""
    source = os.path.join(HERE, "node")
    with open(os.path.join(source, "package.json"), "rb") as f:
        versions = f.read()
    for program in ("node", "npm"):
        if not shutil.which(program):
            not_tested("node's clients: %s is not installed" % program)
    if node_version() < NODE_LEAST:
        not_tested("node's clients: they need node %d" % NODE_LEAST)
    top = os.environ.get("BOTHY_NPM") or os.path.join(
        TOP, "build", "npm", hashlib.sha256(versions).hexdigest()[:16])
    os.makedirs(top, exist_ok=True)
    with open(os.path.join(top, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)    # files are tested side by side
        if not os.path.exists(os.path.join(top, "done")):
            install(top, versions)
    return top


def node_version():
    said = subprocess.run(["node", "--version"], stdout=subprocess.PIPE,
                          text=True, check=False).stdout
    return int(said.lstrip("v").partition(".")[0] or 0)


def install(top, versions):
    with open(os.path.join(top, "package.json"), "wb") as f:
        f.write(versions)
    try:
        done = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock",
             "--loglevel=error"], cwd=top, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=NPM_SECONDS, check=False)
        said = done.stdout if done.returncode else None
    except subprocess.TimeoutExpired:
        said = "it took over %d s" % NPM_SECONDS
    if said is not None:
        not_tested("node's clients: npm could not install them: " +
                   said.strip()[-200:])
    with open(os.path.join(top, "done"), "w"):
        pass


def node(program, endpoint):
    """Runs a program of tests/e2e/node: the names of the checks that held."""
    modules = node_modules()
    for name in (program, "check.js"):
        shutil.copy(os.path.join(HERE, "node", name),
                    os.path.join(modules, name))
    done = subprocess.run(
        ["node", os.path.join(modules, program), endpoint.url],
        env=dict(os.environ, DYNAMO_KEY=KEY, DYNAMO_SECRET=SECRET),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    return [line[3:] for line in done.stdout.splitlines()
            if line.startswith("ok ")]
