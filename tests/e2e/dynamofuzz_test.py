"""Random and mutated requests leave the endpoint as it was.

Five seconds; `make fuzz-dynamodb` takes ten minutes.
"""
import os
import random

import pytest

import dynamofuzz
import procs

SECONDS = float(os.environ.get("BOTHY_FUZZ_SECONDS", "5"))
SEED = os.environ.get("BOTHY_SEED") or "%08x" % random.getrandbits(32)
GROWTH_KB = 24 * 1024       # of what caches and allocators keep


def resident_kb(pid):
    for line in procs.read(pid, "status").splitlines():
        if line.startswith(b"RssAnon:"):
            return int(line.split()[1])
    return 0


def daemons(endpoint):
    gateway = endpoint.way.gateway.process.pid
    return {"store": endpoint.site.stores()[0], "gateway": gateway}


def test_fuzzed(endpoint):
    if not endpoint.site:
        pytest.skip("BOTHY_DYNAMODB's daemons can't be looked at")
    pytest.importorskip("botocore", reason="python3-boto3 is not installed")
    print("seed", SEED)
    before = daemons(endpoint)
    dynamofuzz.run(endpoint.url, min(60, SECONDS / 5), SEED + "/warm")
    level = {name: resident_kb(pid) for name, pid in before.items()}
    answers, wrong = dynamofuzz.run(endpoint.url, SECONDS, SEED)
    print("%d requests: %s" % (sum(answers.values()), answers.most_common()))
    assert not wrong, "seed %s:\n%s" % (SEED, "\n".join(wrong))
    assert sum(answers.values()) > 20 * SECONDS and answers["200"] > 10
    assert daemons(endpoint) == before
    after = {name: resident_kb(pid) for name, pid in before.items()}
    print("resident, KB: %s, then %s" % (level, after))
    for name in before:
        assert after[name] < level[name] + GROWTH_KB, name
    endpoint.run("bothy", "store", "check", "--deep", "--force",
                 *endpoint.site.places())
