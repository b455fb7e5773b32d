"""Where the tests run: a directory of their own, and a user without rights.

Started by root, everything runs as a user id that nothing else has; started
by anybody else, as that user.  Programs and SDK are copied there first, so
that a user who can't see the build directory can run them.
"""
import json
import os
import shutil
import socket
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

import procs

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = ("bothy", "bothy-fcgi", "bothy-dispatch", "bothy-launch",
            "bothy-store")


def programs_directory():
    default = os.path.join(HERE, "..", "..", "build", "release", "bin")
    return os.path.abspath(os.environ.get("BOTHY_BIN") or default)


class Lab:
    def __init__(self, as_root=False, user_offset=0):
        self.root = tempfile.mkdtemp(prefix="bothy-e2e-", dir="/tmp")
        os.chmod(self.root, 0o755)
        self.user = None
        if os.geteuid() == 0 and not as_root:
            self.user = 600000 + os.getpid() % 100000 + user_offset
        self.sites = []
        self._install()
        self.own(self.root)

    def _install(self):
        source = programs_directory()
        for name in PROGRAMS:
            if not os.access(os.path.join(source, name), os.X_OK):
                raise SystemExit("%s has no %s: run make first, or set "
                                 "BOTHY_BIN" % (source, name))
        os.mkdir(self.path("bin"), 0o755)
        for name in PROGRAMS:
            shutil.copy(os.path.join(source, name), self.path("bin", name))
        shutil.copytree(os.path.join(source, "..", "sdk"), self.path("sdk"))
        for name in ("home", "tmp"):
            os.mkdir(self.path(name), 0o755)

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def own(self, path):
        """Gives a tree to the user."""
        if self.user is None:
            return
        for top, dirs, files in os.walk(path):
            for name in [top] + [os.path.join(top, n) for n in dirs + files]:
                os.chown(name, self.user, self.user, follow_symlinks=False)

    def environment(self, **more):
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
                       "/sbin:/bin",
               "HOME": self.path("home"), "TMPDIR": self.path("tmp"),
               "LANG": "C.UTF-8"}
        for name in ("ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:      # of a sanitizer build
                env[name] = os.environ[name]
        env.update(more)
        return env

    def popen(self, args, env=None, **options):
        if self.user is not None:
            options.update(user=self.user, group=self.user, extra_groups=[])
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("cwd", self.root)
        return subprocess.Popen(args, env=env or self.environment(),
                                **options)

    def bothy(self, *args, check=True, timeout=60, env=None):
        """Runs the command line; gives its result with text output."""
        p = self.popen([self.path("bin", "bothy"), *args], env=env,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = p.communicate(timeout=timeout)
        if check and p.returncode != 0:
            raise AssertionError("bothy %s: %d\n%s%s" % (
                " ".join(args), p.returncode, out.decode(), err.decode()))
        return subprocess.CompletedProcess(args, p.returncode, out.decode(),
                                           err.decode())

    def site(self, name, source=None, files=None, build=True):
        """A site from a directory, or from a dictionary of texts."""
        site = Site(self, name)
        if source:
            shutil.copytree(source, site.dir, symlinks=True)
        else:
            os.makedirs(site.dir)
        for path, text in (files or {}).items():
            site.write(path, text)
        self.own(site.dir)
        self.sites.append(site)
        if build:
            site.build()
        return site

    def close(self):
        for site in self.sites:
            site.stop_launcher()
            site.stop_store()
        procs.wait_for(lambda: not procs.below(self.root), 5,
                       "all processes to end; alive are " + "; ".join(
                           procs.describe(procs.below(self.root))))
        if not os.environ.get("BOTHY_E2E_KEEP"):
            shutil.rmtree(self.root)


class Site:
    def __init__(self, lab, name):
        self.lab = lab
        self.name = name
        self.dir = lab.path(name)
        self.state = lab.path(name + ".state")

    def write(self, path, text, mode=None):
        full = os.path.join(self.dir, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        new = full + ".new"
        with open(new, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        if mode is None:
            mode = 0o755 if path.endswith((".sh", ".py", ".pl")) else 0o644
        os.chmod(new, mode)
        if self.lab.user is not None:
            os.chown(new, self.lab.user, self.lab.user)
        os.rename(new, full)

    def places(self):
        return ["--site", self.dir, "--state", self.state]

    def build(self):
        self.lab.bothy("build", *self.places(), timeout=120)
        self.lab.bothy("check", *self.places())

    def log(self, name, part=""):
        """The JSON lines of a log, or those that hold a text."""
        try:
            with open(os.path.join(self.state, "log", name + ".jsonl"),
                      encoding="utf-8") as f:
                lines = f.read().split("\n")
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines[:-1] if part in line]

    def logged(self, name, request_id, seconds=5):
        """Waits for the lines of a request."""
        return procs.wait_for(
            lambda: [e for e in self.log(name, request_id)
                     if e.get("id") == request_id],
            seconds, "%s's line of %s" % (name, request_id))

    def launchers(self):
        def is_launcher(pid):
            args = procs.arguments(pid)
            return args and args[0].endswith(b"bothy-launch") and \
                self.state.encode() in args

        # A zygote looks like its launcher between fork and exec.
        found = [p for p in procs.pids() if is_launcher(p) and procs.alive(p)]
        return [p for p in found if procs.parent(p) not in found]

    def residents(self):
        """The gateways that plain CGI has left behind."""
        return [p for p in procs.pids() if procs.alive(p) and
                (self.state + "/run/resident-").encode() in
                procs.read(p, "cmdline")]

    def stop_residents(self):
        for pid in self.residents():
            procs.end(pid)
        procs.wait_for(lambda: not self.residents(), 10,
                       "the resident gateways to leave")

    def stores(self):
        """The daemon of the site's documents."""
        return [p for p in procs.pids() if procs.alive(p) and
                (self.state + "/store").encode() in procs.arguments(p)]

    def stop_store(self):
        for pid in self.stores():
            procs.end(pid)
        procs.wait_for(lambda: not self.stores(), 20, "the store to leave")

    def stop_launcher(self):
        self.stop_residents()       # or they start another
        for pid in self.launchers():
            procs.end(pid)
        procs.wait_for(lambda: not self.launchers(), 10,
                       "the launcher to leave")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def together(call, arguments):
    """Calls with each argument at the same time; the results in order."""
    arguments = list(arguments)
    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(call, arguments))
