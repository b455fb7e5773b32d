"""Paths that want to leave the site, and files that are nobody's."""
import pytest

import procs

# Never the file, never a function: 404, or 400 by the web server or us.
ATTACKS = [
    "/../deploy.yaml", "/../../../../etc/passwd", "/assets/../../deploy.yaml",
    "/%2e%2e/deploy.yaml", "/assets/%2e%2e/%2E%2E/deploy.yaml",
    "/..%2fdeploy.yaml", "/assets/..%2f..%2fdeploy.yaml",
    "/%2e%2e%2fdeploy.yaml", "/assets%2freal.txt", "/file.txt%00.html",
    "/%00", "/assets/..\\..\\deploy.yaml", "/assets%5creal.txt",
    "/..%5cdeploy.yaml", "/%ff%fe", "/%c0%ae%c0%ae/deploy.yaml",
    "/%ed%a0%80", "/%zz", "/%", "/%4", "/file.txt/", "/file.txt/x",
    "//etc/passwd", "/.hidden", "/dir/.hidden",
]

PRIVATE = [
    "/deploy.yaml", "/.git/config", "/.env", "/functions/echo.c",
    "/functions/", "/functions", "/bothy.site", "/.htaccess", "/.bothy/",
    "/.bothy/log/access.jsonl", "/www/file.txt", "/www/../deploy.yaml",
    "/dispatch.fcgi", "/dispatch.cgi", "/dispatch.cgi/file.txt",
    "/dispatch.fcgi/echo",
]

SECRETS = [b"service:", b"bothy_handle", b"root:", b"RewriteRule", b"\x7fELF",
           b"repositoryformat", b"state="]


def assert_kept(reply, statuses=(400, 404)):
    assert reply.status in statuses, reply
    for secret in SECRETS:
        assert secret not in reply.body


@pytest.mark.parametrize("target", ATTACKS)
def test_attack(way, target):
    assert_kept(way.get(target), (400, 403, 404))


@pytest.mark.parametrize("target", PRIVATE)
def test_private_file(way, target):
    assert_kept(way.get(target), (400, 403, 404))


@pytest.mark.parametrize("target", [
    "/%c3", b"/\xc3\x28", b"/a\xffb", "/a b", "/a\tb", "/#x"])
def test_not_a_path(way, target):
    assert_kept(way.get(target))


def test_refusals_of_ours_are_json(way):
    r = way.get("/%c3")
    assert r.status == 400
    assert "UTF-8" in r.json()["message"]
    assert r.header("X-Request-Id")


def test_absolute_form(way):
    r = way.get("http://example.test/echo/absolute?x=1",
                [("Host", "example.test")])
    assert r.status == 200
    env = r.json()["env"]
    assert env["BOTHY_PARAM_name"] == "absolute"
    assert env["REQUEST_URI"] == "/echo/absolute?x=1"
    assert env["QUERY_STRING"] == "x=1"


def test_double_slash_is_not_the_same_path(way):
    r = way.get("/echo//fixed")
    assert r.status in (400, 404), r


def test_dot_segments_do_not_reach_a_route(way):
    """A rule of the web server for one path must not be walked around."""
    for target in ("/echo/../echo/fixed", "/x/%2e%2e/echo/fixed"):
        r = way.get(target)
        assert r.status in (301, 307, 308, 400, 404), r


def test_encoded_path_is_decoded_once(way):
    env = way.get("/echo/%2541").json()["env"]
    assert env["BOTHY_PARAM_name"] == "%41"


def test_query_is_handed_on_as_it_is(way):
    query = "a=1&b=%2F%20+x&c==;d&e=%41%c3%b6"
    assert way.get("/echo?" + query).json()["env"]["QUERY_STRING"] == query


def test_empty_query(way):
    assert way.get("/echo?").json()["env"]["QUERY_STRING"] == ""


def test_long_path(way):
    assert way.get("/echo/" + "a" * 4000).status == 200
    r = way.get("/echo/" + "a" * 20000)
    assert r.status in (400, 414, 431), r


def test_nothing_of_it_killed_the_gateway(way):
    procs.wait_for(lambda: way.get("/echo").status == 200, 5)
