"""The command line: each command as a person types it, with its exit status.
"""
import json
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import time

import pytest

import lab as labs
import procs
import wire

OK, FAILED, USAGE, INVALID, MISSING, FUNCTION = range(6)

DEPLOY = """\
service: tool
provider: {name: bothy, timeout: 2}
functions:
  hello:
    handler: functions/hello.c
    events: [httpApi: 'GET /hello/{name}']
  other:
    handler: functions/other.c
    events: [httpApi: 'GET /other']
  fault:
    handler: functions/fault.c
    timeout: 0.3
    environment: {KEY: '${secret:KEY}'}
    events: [httpApi: 'ANY /fault/{how}']
  script:
    handler: functions/script.sh
    runtime: exec
    events: [httpApi: 'POST /script/{rest+}']
"""

HELLO = """\
#include <bothy.h>
#include "word.h"

int
bothy_handle(struct bothy_req *req)
{
	return bothy_text(req, 200, WORD " %s\\n", bothy_param(req, "name"));
}
"""

FAULT = """\
#include <bothy.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
fail(struct bothy_req *req, const char *how)
{
	char *p;

	if (strcmp(how, "crash") == 0) {
		memcpy(&p, &(char *){NULL}, sizeof p);
		*(volatile char *)p = 1;
	}
	if (strcmp(how, "overflow") == 0) {
		p = malloc(4);
		memset(p, 1, (size_t)(5 + (getpid() == 0)));
		return p[4];
	}
	if (strcmp(how, "leak") == 0)
		return ((volatile char *)calloc(10, 1))[0] ? 1 :
		    bothy_text(req, 200, "leaked\\n");
	if (strcmp(how, "sleep") == 0)
		sleep(20);
	if (strcmp(how, "exit") == 0)
		exit(3);
	if (strcmp(how, "moved") == 0)
		return bothy_text(req, 303, "elsewhere\\n");
	if (strcmp(how, "500") == 0)
		return bothy_error(req, 500, "as asked");
	return bothy_error(req, 404, "%s", bothy_env("KEY", "no key"));
}

int
bothy_handle(struct bothy_req *req)
{
	return fail(req, bothy_param(req, "how"));
}
"""

SCRIPT = """\
#!/bin/sh
printf 'Content-Type: text/plain\\nX-Info: %s\\n\\n' "$PATH_INFO"
echo "$REQUEST_METHOD $SCRIPT_NAME $QUERY_STRING $CONTENT_TYPE $HTTP_X_TOKEN"
echo "to the log" >&2
cat
"""

FILES = {
    "deploy.yaml": DEPLOY,
    "functions/hello.c": HELLO,
    "functions/word.h": '#define WORD "hello"\n',
    "functions/other.c": HELLO.replace('WORD " %s\\n", bothy_param('
                                       'req, "name")', '"other\\n"'),
    "functions/fault.c": FAULT,
    "functions/script.sh": SCRIPT,
}


@pytest.fixture(scope="module")
def tool(lab):
    """A built site; its secret is set."""
    site = lab.site("tool", files=FILES, build=False)
    type_secret(site, "KEY", "k1")
    site.build()
    return site


def call(site, *args, **more):
    return site.lab.bothy(*args, *site.places(), check=False, **more)


def call_with_input(site, text, *args):
    p = site.lab.popen([site.lab.path("bin", "bothy"), *args,
                        *site.places()], stdin=subprocess.PIPE,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = p.communicate(text.encode(), timeout=60)
    return subprocess.CompletedProcess(args, p.returncode, out.decode(),
                                       err.decode())


def type_secret(site, name, value):
    r = call_with_input(site, value + "\n", "secret", "set", name)
    assert r.returncode == OK, r.stderr


# --- init, build, check -------------------------------------------------------

def test_a_new_site(lab):
    path = lab.path("fresh")
    out = lab.bothy("init", path).stdout
    assert "wrote  deploy.yaml" in out
    again = lab.bothy("init", path, check=False)
    assert again.returncode == FAILED and "is there already" in again.stderr
    os.unlink(os.path.join(path, "deploy.yaml"))
    assert "kept   www/index.html" in lab.bothy("init", path).stdout
    r = lab.bothy("invoke", "hello", "--path", "/hello/you", "--site", path)
    assert json.loads(r.stdout) == {"hello": "you"}
    assert lab.bothy("invoke", "hello", "--site",
                     path).stdout == '{"hello":"world"}\n'


def test_the_site_is_found_upwards(tool):
    p = tool.lab.popen([tool.lab.path("bin", "bothy"), "routes", "--state",
                        tool.state], stdout=subprocess.PIPE,
                       cwd=os.path.join(tool.dir, "functions"))
    out, _ = p.communicate(timeout=60)
    assert p.returncode == OK and b"/hello/{name}" in out


def results(site, *args):
    rows = json.loads(site.lab.bothy("build", "--json", *args,
                                     *site.places()).stdout)
    return {r["function"]: r["result"] for r in rows}


def test_build_follows_content(tool):
    assert set(results(tool).values()) == {"current"}
    tool.write("functions/word.h", '#define WORD "hallo"\n')
    assert results(tool) == {"hello": "built", "other": "built",
                             "fault": "current"}
    tool.write("functions/word.h", FILES["functions/word.h"])
    assert set(results(tool).values()) == {"current"}
    assert results(tool, "hello") == {"hello": "current"}


def test_a_broken_source_keeps_the_good_binary(tool):
    link = os.path.join(tool.state, "build", "hello")
    good = os.readlink(link)
    tool.write("functions/hello.c", HELLO.replace("req,", "req;", 1))
    r = call(tool, "build")
    assert r.returncode == INVALID
    assert "functions/hello.c:7:" in r.stderr and "error:" in r.stderr
    assert os.readlink(link) == good
    assert call(tool, "invoke", "hello").returncode == INVALID
    tool.write("functions/hello.c", HELLO)
    assert call(tool, "build").returncode == OK


def test_no_compiler(tool):
    r = call(tool, "build", env=tool.lab.environment(CC="/nowhere/cc"))
    assert r.returncode == MISSING
    assert "there is no C compiler /nowhere/cc" in r.stderr


def test_check_tells_all_errors_at_once(lab):
    site = lab.site("wrong", files={"deploy.yaml": DEPLOY.replace(
        "timeout: 2", "timeot: 2").replace("runtime: exec", "runtime: exc")},
        build=False)
    r = call(site, "check")
    assert r.returncode == INVALID
    assert "deploy.yaml:2:" in r.stderr and "'timeout'" in r.stderr
    assert "deploy.yaml:17:" in r.stderr
    errors = json.loads(call(site, "check", "--json").stdout)
    assert {"file", "line", "col", "message"} <= set(errors[0])
    assert len(errors) == len(r.stderr.splitlines())


def test_check_and_schema(tool):
    facts = json.loads(call(tool, "check", "--json").stdout)
    assert (facts["service"], facts["functions"], facts["routes"],
            facts["unbuilt"]) == ("tool", 4, 4, 0)
    assert os.path.exists(os.path.join(tool.state, "snap", "current"))
    schema = json.loads(call(tool, "check", "--schema").stdout)
    assert "json-schema.org" in schema["$schema"]


def test_routes(tool):
    rows = json.loads(call(tool, "routes", "--json").stdout)
    assert [(r["method"], r["path"], r["function"]) for r in rows] == [
        ("GET", "/hello/{name}", "hello"), ("GET", "/other", "other"),
        ("ANY", "/fault/{how}", "fault"), ("POST", "/script/{rest+}",
                                           "script")]


# --- invoke -------------------------------------------------------------------

def test_invoke_a_script(tool):
    r = call_with_input(tool, "body", "invoke", "script", "--path",
                        "/script/a%20b/c?q=1", "-d", "@-", "-H",
                        "Content-Type: text/x", "-H", "x-token: T", "-i")
    assert r.returncode == OK
    assert r.stdout == ("Content-Type: text/plain\nX-Info: /a b/c\n"
                        "Status: 200\n\n"
                        "POST /script q=1 text/x T\nbody")
    assert "to the log" in r.stderr


def test_invoke_an_event(tool):
    tool.write("event.json", json.dumps({
        "version": "2.0", "rawPath": "/script/x", "rawQueryString": "a=b",
        "headers": {"content-type": "text/y"}, "cookies": ["c=d"],
        "requestContext": {"http": {"method": "POST"}},
        "body": "aGVsbG8=", "isBase64Encoded": True}))
    r = call(tool, "invoke", "script", "--event", tool.dir + "/event.json")
    assert r.stdout == "POST /script a=b text/y \nhello"
    r = call(tool, "invoke", "script", "--event", tool.dir + "/none.json")
    assert r.returncode == FAILED and "none.json" in r.stderr


@pytest.mark.parametrize("how, code, said", [
    ("none", OK, "fault: status 404"),
    ("500", FUNCTION, "fault: status 500"),
    ("crash", FUNCTION, "killed by signal 11"),
    ("exit", FUNCTION, "fault: exit status 3, and no CGI reply"),
    ("sleep", FUNCTION, "timed out after 0.3 s"),
])
def test_how_an_invoked_function_ends(tool, how, code, said):
    r = call(tool, "invoke", "fault", "--path", "/fault/" + how)
    assert r.returncode == code, r.stderr
    assert said in r.stderr
    if how == "none":
        assert json.loads(r.stdout) == {"message": "k1"}


def test_invoke_what_is_not_there(tool):
    r = call(tool, "invoke", "helo")
    assert r.returncode == FAILED and "did you mean hello?" in r.stderr
    r = call(tool, "invoke", "hello", "--path", "/nope")
    assert r.returncode == FAILED
    assert "it answers GET /hello/{name}" in r.stderr


def test_sanitizers(tool):
    r = call(tool, "invoke", "fault", "--sanitize", "--path",
             "/fault/overflow")
    assert r.returncode == FUNCTION
    assert "heap-buffer-overflow" in r.stderr
    assert "functions/fault.c" in r.stderr


@pytest.mark.skipif(not shutil.which("gdb"), reason="gdb is not installed")
def test_gdb(tool):
    r = call(tool, "invoke", "fault", "--debug=gdb", "--path",
             "/fault/crash")
    assert r.returncode == FUNCTION
    assert "SIGSEGV" in r.stdout and "fail (req=" in r.stdout


@pytest.mark.skipif(not shutil.which("valgrind"),
                    reason="valgrind is not installed")
def test_valgrind(tool):
    r = call(tool, "invoke", "fault", "--debug=valgrind", "--path",
             "/fault/leak")
    assert r.returncode == FUNCTION
    assert "definitely lost" in r.stderr and "fault.c" in r.stderr


def test_nothing_of_a_bare_invocation_is_left(tool):
    call(tool, "invoke", "hello", "--debug")
    left = os.listdir(os.path.join(tool.state, "scratch", "hello"))
    assert not [n for n in left if n.startswith("invoke.")]


# --- invoke keeps a function in its limits, as the gateway does ----------------

BEAST = """\
#include <bothy.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int
look(struct bothy_req *req, const char *path)
{
	int fd = open(path, O_RDONLY);

	return bothy_text(req, 200, "%s\\n", fd < 0 ? strerror(errno) :
	    "open");
}

int
bothy_handle(struct bothy_req *req)
{
	const char *how = bothy_param(req, "how");
	const char *home = getenv("HOME");
	int i;

	alarm(8);
	if (strcmp(how, "look") == 0)
		return look(req, bothy_query(req, "path"));
	if (strcmp(how, "home") == 0)
		return chdir(home) == 0 && open("f", O_CREAT | O_EXCL | O_RDWR,
		    0600) >= 0 ? bothy_text(req, 200, "%s %s\\n", home,
		    bothy_env("BOTHY_DEADLINE_MS", "none")) : 1;
	prctl(PR_SET_NAME, bothy_query(req, "mark"));
	if (strcmp(how, "hog") == 0)
		for (i = 0; i < 200; i++, usleep(1000))
			memset(malloc(1 << 20), i, 1 << 20);
	if (strcmp(how, "bomb") == 0)
		for (i = 0; i < 100; i++)
			if (fork() == 0) {
				setsid();
				signal(SIGTERM, SIG_IGN);
				alarm(8);
				i = 100;
			}
	for (;;)
		pause();
}
"""

PEN = {"deploy.yaml": """\
service: pen
provider: {name: bothy, timeout: 2, memorySize: 64}
functions:
  beast:
    handler: functions/beast.c
    events: [httpApi: 'GET /beast/{how}']
  slow:
    handler: functions/beast.c
    timeout: 0.5
    events: [httpApi: 'GET /slow/{how}']
  off:
    handler: functions/beast.c
    reservedConcurrency: 0
    events: [httpApi: 'GET /off/{how}']
  bare:
    handler: functions/bare.sh
    runtime: exec
    events: [httpApi: 'GET /bare']
""", "functions/beast.c": BEAST, "functions/bare.sh": """\
#!/bin/sh
printf 'Content-Type: text/plain\\n\\n'
cat "$(dirname "$0")/../deploy.yaml" 2>&1 || echo refused
"""}


def users():
    return ["user", "root"] if os.geteuid() == 0 else ["user"]


@pytest.fixture(scope="module", params=users())
def pen(request):
    lab = labs.Lab(as_root=request.param == "root", user_offset=200000)
    yield lab.site("pen", files=PEN)
    lab.close()


def beast(pen, how, *args, function="beast"):
    return call(pen, "invoke", function, "--path",
                "/%s/%s" % (function, how), *args)


def marked(mark):
    return [p for p in procs.pids() if procs.alive(p) and
            procs.read(p, "comm").strip() == mark.encode()]


def test_an_invoked_function_is_confined(pen):
    aside = pen.lab.path("aside")
    with open(aside, "w") as f:
        f.write("open to all")
    os.chmod(aside, 0o644)
    for path in (pen.dir + "/deploy.yaml", aside, "/etc/shadow",
                 pen.state + "/snap/current"):
        r = beast(pen, "look?path=" + path)
        assert r.stdout == "Permission denied\n", (path, r.stdout, r.stderr)
    # The same function bare: it is the sandbox that refuses.
    r = beast(pen, "look?path=" + aside, "--debug")
    assert r.stdout == "open\n", r.stderr
    r = call(pen, "invoke", "bare")
    assert "service:" not in r.stdout and "refused" in r.stdout, r.stderr
    assert "service:" in call(pen, "invoke", "bare", "--debug").stdout


def test_an_invoked_function_has_scratch_and_deadline(pen):
    r = beast(pen, "home")
    home, deadline = r.stdout.split()
    assert home.startswith(pen.state + "/scratch/beast/"), r.stderr
    assert -60 < int(deadline) / 1000 - time.time() < 2
    assert r.returncode == OK
    assert beast(pen, "home").returncode == OK      # it is empty again
    assert beast(pen, "home", "--debug").stdout.split()[1] == "none"


def test_an_invoked_bomb_is_gone(pen):
    mark = "inv%d" % (time.time_ns() % 10**9)
    r = beast(pen, "bomb?mark=" + mark, function="slow")
    assert marked(mark) == []
    assert r.returncode == FUNCTION
    assert "slow: timed out after 0.5 s" in r.stderr


def test_an_invoked_hog_is_ended(pen):
    mark = "inv%d" % (time.time_ns() % 10**9)
    r = beast(pen, "hog?mark=" + mark)
    assert marked(mark) == []
    assert r.returncode == FUNCTION
    assert "beast: used more than its memorySize of 64 MB" in r.stderr


def test_invoke_honours_reserved_concurrency(pen):
    r = beast(pen, "home", function="off")
    assert r.returncode == FUNCTION
    assert "reservedConcurrency" in r.stderr, r.stderr
    assert r.stdout == ""


def test_invoke_leaves_no_launcher(pen):
    beast(pen, "home")
    assert pen.launchers() == []


def test_invoke_uses_a_launcher_that_runs(pen):
    launcher = pen.lab.popen([pen.lab.path("bin", "bothy-launch"), "--site",
                              pen.dir, "--state", pen.state, "--foreground"])
    procs.wait_for(lambda: os.path.exists(pen.state + "/run/launch.sock"),
                   what="the launcher")
    r = beast(pen, "home")
    assert r.returncode == OK, r.stderr
    assert pen.launchers() == [launcher.pid]
    procs.end(launcher.pid)
    launcher.wait(60)


# --- secrets, usage, completion -----------------------------------------------

def test_secrets(tool):
    type_secret(tool, "OTHER", "very-secret")
    names = json.loads(call(tool, "secret", "ls", "--json").stdout)
    assert names == [{"name": "KEY"}, {"name": "OTHER"}]
    path = tool.lab.path("home", ".config", "bothy", "tool", "dev", "OTHER")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with open(path, encoding="utf-8") as f:
        assert f.read() == "very-secret"
    assert call(tool, "secret", "rm", "OTHER").returncode == OK
    assert call(tool, "secret", "rm", "OTHER").returncode == FAILED
    assert call_with_input(tool, "\n", "secret", "set",
                           "EMPTY").returncode == FAILED


@pytest.mark.parametrize("args, said", [
    (["biuld"], "did you mean build?"),
    (["build", "--nope"], "there is no option --nope"),
    (["init", "a", "b"], "init takes [DIR]"),
    (["invoke"], "invoke takes FUNCTION"),
    (["run", "--json"], "run has no --json"),
    (["config", "iis"], "there is no web server iis"),
    (["config", "nginx", "--spawned"], "--spawned is for lighttpd"),
    (["config", "apache-cgi", "--standalone"], "needs --install DIR"),
    (["config", "nginx", "--port", "70000"], "--port is a number"),
    (["secret", "get", "X"], "none of set, ls, rm"),
    (["key", "lst"], "did you mean ls?"),
    (["key", "create", "x"], "takes no argument"),
    (["logs", "-n", "0"], "--lines is a number"),
    (["completion", "fish"], "none for fish"),
])
def test_usage(lab, args, said):
    r = lab.bothy(*args, check=False)
    assert r.returncode == USAGE
    assert said in r.stderr and "bothy help" in r.stderr


def test_help_fits_a_screen(lab):
    names = [line.split()[0] for line in
             lab.bothy("--help").stdout.splitlines()
             if line.startswith("  ")]
    assert len(names) == 17
    names.remove("store")      # storecli_test.py
    for name in names:
        lines = lab.bothy("help", name).stdout.splitlines()
        assert len(lines) <= 24, name
        assert max(map(len, lines)) < 80, name
        assert lab.bothy(name, "--help").stdout.splitlines() == lines


def test_a_full_disk_is_no_success(lab):
    with open("/dev/full", "wb") as full:
        p = lab.popen([lab.path("bin", "bothy"), "--help"], stdout=full,
                      stderr=subprocess.PIPE)
        _, err = p.communicate(timeout=60)
    assert p.returncode == FAILED and b"cannot write the output" in err


def complete(site, *words):
    """What bash would offer for the last word."""
    script = ('source <(bothy completion bash); COMP_WORDS=(bothy "$@"); '
              'COMP_CWORD=$#; _bothy; printf "%s\\n" "${COMPREPLY[@]}"')
    env = site.lab.environment(BOTHY_SITE=site.dir, BOTHY_STATE=site.state)
    env["PATH"] = site.lab.path("bin") + ":" + env["PATH"]
    p = site.lab.popen(["bash", "-c", script, "bash", *words], env=env,
                       stdout=subprocess.PIPE)
    out, _ = p.communicate(timeout=60)
    return out.decode().split()


def test_completion(tool):
    assert complete(tool, "in") == ["init", "invoke"]
    assert complete(tool, "invoke", "--san") == ["--sanitize"]
    assert complete(tool, "invoke", "sc") == ["script"]
    assert complete(tool, "config", "apa") == ["apache", "apache-cgi",
                                               "apache-fcgid"]
    assert "--json" not in complete(tool, "invoke", "--")


# --- run ----------------------------------------------------------------------

class Run:
    """`bothy run`, and what it has printed."""

    def __init__(self, site, *args):
        self.site = site
        self.port = labs.free_port()
        self.process = site.lab.popen(
            [site.lab.path("bin", "bothy"), "run", "--port", str(self.port),
             *site.places(), *args], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.text = ""

    def expect(self, text, seconds=20):
        """Waits until it has printed the text; gives what came till then."""
        end = time.monotonic() + seconds
        while text not in self.text:
            ready, _, _ = select.select([self.process.stdout], [], [],
                                        max(0, end - time.monotonic()))
            chunk = os.read(self.process.stdout.fileno(),
                            65536) if ready else b""
            assert chunk, "no %r in:\n%s" % (text, self.text)
            self.text += chunk.decode()
        before, _, self.text = self.text.partition(text)
        return before

    def get(self, target):
        return wire.request(self.port, "GET", target)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(60)
        self.process.stdout.close()
        return code


@pytest.fixture(scope="module")
def running(tool):
    if not shutil.which("lighttpd", path="/usr/sbin:/usr/bin"):
        pytest.skip("lighttpd is not installed")
    run = Run(tool)
    run.expect("requests:")
    yield run
    assert run.stop() == OK
    procs.wait_for(lambda: not [p for p in procs.below(tool.state)], 10,
                   "everything to end with bothy run")


def test_run_serves_and_shows(running):
    assert running.get("/hello/you").body == b"hello you\n"
    running.expect("200 GET  /hello/you hello")
    assert running.get("/fault/crash").status == 502
    running.expect("fault: ")
    running.expect("signal 11")


def test_run_rebuilds_what_changes(running, tool):
    tool.write("functions/word.h", '#define WORD "servus"\n')
    running.expect("built other")
    procs.wait_for(lambda: running.get("/hello/a").body == b"servus a\n", 10,
                   "the new function")
    tool.write("functions/hello.c", HELLO.replace("return", "retrun"))
    running.expect("functions/hello.c:7:")
    running.expect("hello does not compile")
    page = running.get("/hello/a")
    assert page.status == 500 and b"functions/hello.c:7:" in page.body
    assert running.get("/other").body == b"other\n"
    tool.write("functions/hello.c", HELLO)
    tool.write("functions/word.h", FILES["functions/word.h"])
    running.expect("hello is as it was built before")
    procs.wait_for(lambda: running.get("/hello/a").body == b"hello a\n", 10,
                   "the function to be back")


def test_run_takes_a_new_deploy_yaml(running, tool):
    tool.write("deploy.yaml", DEPLOY.replace("GET /other", "GET /new"))
    procs.wait_for(lambda: running.get("/new").status == 200, 10,
                   "the new route")
    tool.write("deploy.yaml", DEPLOY.replace("handler:", "hander:", 1))
    running.expect("did you mean 'handler'?")
    running.expect("the site goes on as it was")
    assert running.get("/new").status == 200
    tool.write("deploy.yaml", DEPLOY)
    procs.wait_for(lambda: running.get("/other").status == 200, 10,
                   "the old route")


def test_run_keeps_the_gateway(running):
    gateways = [p for p in procs.descendants(running.process.pid)
                if procs.arguments(p)[:1] and
                procs.arguments(p)[0].endswith(b"bothy-fcgi")]
    assert len(gateways) == 1
    time.sleep(2.1)     # one that ends sooner is taken for a failed start
    procs.end(gateways[0], signal.SIGKILL)
    running.expect("is started again")
    procs.wait_for(lambda: running.get("/other").status == 200, 10,
                   "the gateway to be back")


def test_a_second_run(running, tool):
    r = call(tool, "run", "--port", str(labs.free_port()))
    assert r.returncode == FAILED
    assert "another `bothy run` serves" in r.stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        r = call(tool, "run", "--port", str(taken.getsockname()[1]))
    assert r.returncode == FAILED and "another --port" in r.stderr


def test_run_sees_a_directory_that_is_replaced(running, tool):
    functions = os.path.join(tool.dir, "functions")
    assert running.get("/other").body == b"other\n"
    os.rename(functions, functions + ".away")
    running.expect("the site goes on as it was")
    assert running.get("/other").body == b"other\n"
    for path, text in FILES.items():
        tool.write(path, text.replace('"other', '"brand new'))
    tool.lab.own(tool.dir)
    procs.wait_for(lambda: running.get("/other").body == b"brand new\n", 10,
                   "the new sources")
    shutil.rmtree(functions)
    os.rename(functions + ".away", functions)
    procs.wait_for(lambda: running.get("/other").body == b"other\n", 10,
                   "the old sources")


def test_status(running, tool):
    running.get("/other")
    assert running.get("/fault/moved").status == 303

    def counted():
        s = json.loads(call(tool, "status", "--json").stdout)
        rows = {r["function"]: r for r in s["functions"]}
        return rows["fault"]["3xx"] == 1 and (s, rows)

    s, rows = procs.wait_for(counted, what="the 303 to be counted")
    assert s["gateways"] == 1
    assert rows["other"]["requests"] >= 1 and rows["fault"]["5xx"] >= 1
    assert s["launcher"]["pid"] in tool.launchers()
    text = call(tool, "status").stdout
    assert "containment" in text
    head, *lines = text[text.index("FUNCTION"):].splitlines()
    assert head.split()[1:6] == ["REQUESTS", "2XX", "3XX", "4XX", "5XX"]
    assert len(head) <= 80
    fault, = (line.split() for line in lines if line.startswith("fault "))
    assert [int(n) for n in fault[1:6]] == [
        rows["fault"][k] for k in ("requests", "2xx", "3xx", "4xx", "5xx")]


def test_logs(running, tool):
    running.get("/hello/logged")
    running.get("/fault/crash")
    procs.wait_for(lambda: "signal 11" in call(
        tool, "logs", "fault").stdout, 5, "the crash in the log")
    lines = call(tool, "logs", "hello", "-n", "1").stdout.splitlines()
    assert len(lines) == 1 and "GET  /hello/logged hello" in lines[0]
    raw = call(tool, "logs", "--json", "-n", "500").stdout.splitlines()
    assert all(json.loads(line)["time"] for line in raw)
    times = [json.loads(line)["time"] for line in raw]
    assert times == sorted(times)
    assert "nothing of nobody is logged" in call(
        tool, "logs", "nobody").stderr


def test_logs_follow_through_rotation(running, tool):
    p = tool.lab.popen([tool.lab.path("bin", "bothy"), "logs", "-f", "-n",
                        "1", *tool.places()], stdout=subprocess.PIPE)
    log = os.path.join(tool.state, "log", "access.jsonl")
    try:
        p.stdout.readline()
        os.rename(log, log + ".1")
        for pid in procs.descendants(running.process.pid):
            if procs.arguments(pid)[:1] and \
                    procs.arguments(pid)[0].endswith(b"bothy-fcgi"):
                procs.end(pid, signal.SIGUSR1)
        for _ in range(3):
            running.get("/hello/rotated")
        line = b""
        while b"/hello/rotated" not in line:
            assert select.select([p.stdout], [], [], 10)[0], "no line"
            line = p.stdout.readline()
            assert line
    finally:
        p.terminate()
        p.wait(60)
        p.stdout.close()


def test_run_where_a_function_never_compiled(lab):
    site = lab.site("half", build=False, files=dict(FILES, **{
        "deploy.yaml": DEPLOY.replace(
            "{name: bothy,", "{name: bothy, basePath: /base,").replace(
            "'${secret:KEY}'", "x"),
        "functions/fault.c": "int x"}))
    run = Run(site, "--stage", "prod")
    run.expect("fault does not compile")
    run.expect("requests:")
    assert run.get("/base/hello/you").body == b"hello you\n"
    assert b"functions/fault.c:1:" in run.get("/base/fault/x").body
    assert run.get("/hello/you").status in (403, 404)
    site.write("functions/fault.c", FAULT)
    procs.wait_for(lambda: run.get("/base/fault/x").status == 404, 10,
                   "the function")
    assert run.stop() == OK


def test_status_when_nothing_runs(lab):
    site = lab.site("quiet", files=FILES, build=False)
    r = call(site, "status")
    assert r.returncode == OK
    assert "gateway    not running" in r.stdout
    assert "launcher   not running" in r.stdout
