"""The ways into a site: each web server, started with what `bothy config`
prints, and plain CGI.

QUIRKS is the one place where ways differ: what a web server does not let
through, and why.  A test asks way.lacks(...) and is skipped aloud, or expects
what stands here.
"""
import os
import shutil
import socket

import cgi
import lab
import procs
import wire

# (server, what it lacks): the reason.
QUIRKS = {
    ("apache-fcgid", "stream"):
        "mod_fcgid holds replies back and .htaccess can't change it",
    ("apache-fcgid", "large-body"):
        "mod_fcgid refuses bodies over 128 KB with 500",
    ("apache-fcgid", "broken-reply"):
        "mod_fcgid makes a reply that broke off look whole",
    ("apache-cgi", "broken-reply"):
        "mod_cgid makes a reply that broke off look whole",
    ("lighttpd", "broken-reply"):
        "lighttpd makes a reply that broke off look whole",
    ("nginx", "broken-reply"):
        "nginx makes a reply that broke off look whole",
    ("caddy", "broken-reply"):
        "Caddy makes a reply that broke off look whole",
    ("plain-cgi", "broken-reply"):
        "CGI has no way to say that a reply broke off",
    ("apache-fcgid", "large-headers"):
        "mod_fcgid answers 500 where a process gets too many variables",
    ("apache-fcgid", "upgrade"):
        "mod_fcgid does not pass Upgrade on",
    ("caddy", "twins"):
        "Caddy lets X_Foo take the place of X-Foo, and only it could tell",
    ("lighttpd", "ranges"):
        "lighttpd judges ranges of whole replies itself",
}


class Way:
    """A running way in.  `server` is the key of QUIRKS."""
    name = server = None
    program = None
    max_body = 100 << 20    # the gateway's default

    def __init__(self, site):
        self.site = site
        self.lab = site.lab
        self.processes = []
        self.root = site.lab.path("web-" + self.name + "-" + site.name)

    def lacks(self, what):
        return QUIRKS.get((self.server, what))

    @classmethod
    def missing(cls):
        """Why it can't be started on this machine, or None."""
        path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
        if cls.program and not shutil.which(cls.program, path=path):
            return cls.program + " is not installed"
        return None

    def start(self):
        return self

    def stop(self):
        for process in reversed(self.processes):
            procs.stop(process)
        self.processes = []

    def request(self, method, target, headers=(), body=None, chunked=False,
                timeout=60):
        return wire.request(self.port, method, target, headers, body,
                            chunked, timeout)

    def get(self, target, headers=(), **more):
        return self.request("GET", target, headers, **more)

    def post(self, target, body, headers=(), **more):
        return self.request("POST", target, headers, body, **more)


def answers(port):
    """Does the gateway answer there?"""
    try:
        return wire.request(port, "GET", "/_bothy/health",
                            timeout=60).status == 200
    except (OSError, wire.Broken):
        return False


class Gateway:
    """bothy-fcgi on a unix socket of its own."""

    def __init__(self, site, name, *options, env=None):
        self.site = site
        self.socket = site.lab.path(name + ".sock")
        self.log = site.lab.path(name + ".out")
        args = [site.lab.path("bin", "bothy-fcgi"), *site.places(),
                "--listen", "unix:" + self.socket, *options]
        with open(self.log, "ab") as out:
            self.process = site.lab.popen(
                args, env=site.lab.environment(**(env or {})), stdout=out,
                stderr=out)
        procs.wait_for(self.listens, 10, self.log + " to say that it serves")

    def listens(self):
        if self.process.poll() is not None:
            with open(self.log, errors="replace") as f:
                raise AssertionError("bothy-fcgi ended: " + f.read())
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(self.socket)
            return True
        except OSError:
            return False


class Server(Way):
    """A web server of its own on a free port."""
    start_args = []
    config_args = []
    more_args = []      # of a test's own
    external = True     # the gateway listens at a socket of its own
    max_body = 2 << 20
    gateway_options = ("--max-body", "2")
    gateway_env = {}

    def config(self):
        args = ["config", self.server, "--standalone", *self.site.places(),
                "--root", self.root, "--port", str(self.port),
                *self.config_args, *self.more_args]
        if self.external:
            args += ["--socket", self.gateway.socket]
        return self.lab.bothy(*args).stdout

    def start(self):
        self.port = lab.free_port()
        if self.external:
            self.gateway = Gateway(self.site,
                                   self.name + "-" + self.site.name,
                                   *self.gateway_options,
                                   env=self.gateway_env)
            self.processes.append(self.gateway.process)
        path = self.lab.path(self.name + "-" + self.site.name + ".conf")
        with open(path, "w") as f:
            f.write(self.config())
        out = open(self.lab.path(self.name + ".out"), "ab")
        with out:
            process = self.lab.popen(
                [self.program, *self.start_args, path],
                env=self.lab.environment(**self.gateway_env),
                stdout=out, stderr=out)
        self.processes.append(process)
        self.process = process
        procs.wait_for(self.up, 15, self.name + " to listen")
        return self

    def up(self):
        if self.process.poll() is not None:
            with open(self.lab.path(self.name + ".out"),
                      errors="replace") as f:
                raise AssertionError(self.name + " ended: " + f.read())
        return answers(self.port)


class Lighttpd(Server):
    name = server = program = "lighttpd"
    start_args = ["-D", "-f"]


class LighttpdSpawned(Lighttpd):
    name = "lighttpd-spawned"
    external = False
    max_body = Way.max_body

    def start(self):
        self.socket = self.lab.path(self.name + "-" + self.site.name +
                                    ".sock")
        return super().start()

    def config(self):
        self.config_args = ["--spawned", "--socket", self.socket]
        return super().config()


class Apache(Server):
    name = server = "apache"
    program = "apache2"
    start_args = ["-D", "FOREGROUND", "-f"]


class ApacheHtaccess(Apache):
    external = False
    max_body = Way.max_body

    def start(self):
        docroot = self.lab.path("docroot-" + self.name + "-" +
                                self.site.name)
        self.config_args = ["--install", docroot]
        return super().start()


class ApacheFcgid(ApacheHtaccess):
    name = server = "apache-fcgid"


class ApacheCgi(ApacheHtaccess):
    name = server = "apache-cgi"


class Nginx(Server):
    name = server = program = "nginx"
    start_args = ["-c"]


class Caddy(Server):
    name = server = program = "caddy"
    start_args = ["run", "--adapter", "caddyfile", "--config"]


class PlainCgi(Way):
    name = server = "plain-cgi"

    def start(self):
        self.env = {"BOTHY_SITE": self.site.dir,
                    "BOTHY_STATE": self.site.state,
                    "TMPDIR": self.lab.path("tmp")}
        return self

    def run(self, *args, **more):
        return cgi.Run(self.lab.popen, self.lab.path("bin", "bothy-dispatch"),
                       self.env, *args, **more)

    def request(self, method, target, headers=(), body=None, chunked=False,
                timeout=60):
        return self.run(method, target, headers, body, chunked).reply()


class PlainCgiAlone(PlainCgi):
    """Where no gateway may stay behind: each request brings its own."""
    name = "plain-cgi-alone"

    def start(self):
        super().start()
        self.env["BOTHY_RESIDENT"] = "0"
        return self


ALL = [Lighttpd, LighttpdSpawned, Apache, ApacheFcgid, ApacheCgi, Nginx,
       Caddy, PlainCgi, PlainCgiAlone]
