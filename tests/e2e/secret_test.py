"""Secrets and the stage reach functions on hosts that pass no HOME on."""
import subprocess

import pytest

import ways

DEPLOY = """service: hidden
provider: {name: bothy}
params: {default: {where: here}, prod: {where: there}}
functions:
  tell:
    runtime: exec
    handler: tell.sh
    environment: {WORD: '${secret:WORD} ${param:where}'}
    events: [httpApi: 'GET /tell']
"""
TELL = """#!/bin/sh
printf 'Content-Type: text/plain\\n\\n%s' "$WORD"
"""


@pytest.fixture(scope="module")
def hidden(lab):
    site = lab.site("hidden", files={"deploy.yaml": DEPLOY, "tell.sh": TELL},
                    build=False)
    p = lab.popen([lab.path("bin", "bothy"), "secret", "set", "WORD",
                   "--stage", "prod", *site.places()],
                  stdin=subprocess.PIPE)
    p.communicate(b"sesame")
    assert p.returncode == 0
    return site


@pytest.mark.parametrize("cls", [ways.ApacheCgi, ways.ApacheFcgid])
def test_secret_behind_htaccess(hidden, cls):
    missing = cls.missing()
    if missing:
        pytest.skip(missing)
    way = cls(hidden)
    way.more_args = ["--stage", "prod"]
    try:
        way.start()
        assert way.get("/tell").body == b"sesame there"
    finally:
        way.stop()
        hidden.stop_launcher()
