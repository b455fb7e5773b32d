"""Fixtures: the lab, the site, and every way into it, made once a session."""
import os
import signal

import pytest

import dynamo
import ways
from lab import HERE, Lab

skipped_ways = []


def pytest_addoption(parser):
    parser.addoption("--way", action="append", default=[],
                     help="only this way in (may be given more than once)")


def pytest_generate_tests(metafunc):
    if "way" not in metafunc.fixturenames:
        return
    only = metafunc.config.getoption("--way")
    names = [w.name for w in ways.ALL if not only or w.name in only]
    metafunc.parametrize("way", names, indirect=True, scope="session")


def interrupt(number, frame):
    raise KeyboardInterrupt("signal %d" % number)


def pytest_configure(config):
    """Who ends the run early leaves nothing running either."""
    signal.signal(signal.SIGTERM, interrupt)


def pytest_terminal_summary(terminalreporter):
    for line in skipped_ways:
        terminalreporter.write_line("NOT TESTED: " + line, red=True)


@pytest.fixture(scope="session")
def lab():
    lab = Lab()
    yield lab
    lab.close()         # fails if anything is left running


@pytest.fixture(scope="session")
def site(lab):
    return lab.site("main", os.path.join(HERE, "site"))


@pytest.fixture(scope="session")
def started(site):
    """The ways in that were started, by name."""
    running = {}
    yield running
    for way in running.values():
        way.stop()


@pytest.fixture(scope="session")
def way(request, site, started):
    name = request.param
    cls = next(w for w in ways.ALL if w.name == name)
    missing = cls.missing()
    if missing:
        line = "%s: %s" % (name, missing)
        if line not in skipped_ways:
            skipped_ways.append(line)
        pytest.skip(line)
    if name not in started:
        started[name] = cls(site)
        started[name].start()
    return started[name]


@pytest.fixture(scope="session")
def endpoint(request):
    """DynamoDB's protocol over HTTP, on a store of its own."""
    url = os.environ.get("BOTHY_DYNAMODB")
    there = dynamo.Given(url) if url else dynamo.Endpoint(
        request.getfixturevalue("lab"))
    yield there
    there.stop()
