"""A site that is deployed by git push, as push.py attacks it: what is pushed to
it, and the verdict on what is left of it.

Commits are numbered from 1, each with files of its own, so that of every
release it is known what it holds.  What was asked and told is kept as text
(`sent`): lines of asking(), and between them whatever the pusher was shown.
"""

import hashlib
import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path

GIT = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
       "LANG": "C.UTF-8", "PATH": os.environ["PATH"]}
BRANCH = "refs/heads/main"
ZEROS = "0" * 40
ROOM = 1 << 30      # bytes that disks and sites may take
PATIENCE = 300      # seconds for what takes a moment where little else runs
STAYS = {"before", "build", "lock", "scratch", "sources", "uids"}

DEPLOY = """service: crash
provider: {name: bothy, timeout: 60}
functions:
  page: {handler: page.sh, runtime: exec, events: [httpApi: 'GET /page']}
"""
BUILT = """  built: {handler: functions/built, events: [httpApi: 'GET /built']}
"""
PAGE = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n%d'\n"
C = """#include <bothy.h>

int
bothy_handle(struct bothy_req *req)
{
	return bothy_text(req, 200, "%%s", "%d");
}
"""


class Wrong(Exception):
    """What is not as it was promised."""


def files(number, built=False):
    """What commit `number` holds: path -> (mode, bytes)."""
    rng = random.Random(number)
    tree = {
        "deploy.yaml": ("100644", (DEPLOY + BUILT * built).encode()),
        "page.sh": ("100755", (PAGE % number).encode()),
        "www/index.html": ("100644", b"%d" % number),
        "www/big": ("100644", rng.randbytes(rng.randint(1, 12000))),
        f"docs/{number % 3}/{number}/of": ("100644", b"%d\n" % number),
        "tool": ("100755" if number % 2 else "100644", b"a tool\n"),
    }
    if number % 2:
        tree["here"] = ("120000", b"www/index.html")
    if built:
        tree["functions/built/built.c"] = ("100644", (C % number).encode())
    return tree


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]


class Story:
    """Commits to push, in a repository of the developer's."""

    def __init__(self, repository, count, built=False, refused=()):
        self.repository, self.commits = str(repository), [ZEROS]
        self.manifests = [{}]
        self.refused = set(refused)     # their deploy.yaml has an error
        self.git("init", "-q", "--bare", self.repository, cwd="/")
        self.fill(count, built)

    def git(self, *words, cwd=None, **how):
        return subprocess.run(["git", *words], cwd=cwd or self.repository,
                              env=dict(GIT, HOME=self.repository), check=True,
                              capture_output=True, **how).stdout

    def fill(self, count, built):
        stream = []
        for number in range(1, count + 1):
            tree = files(number, built)
            if number in self.refused:
                tree["deploy.yaml"] = ("100644", b"service: crash\nnon: 1\n")
            stream.append(b"commit %s\nmark :%d\ncommitter Ann <a@b.example> "
                          b"%d +0000\ndata 1\n%d\ndeleteall\n" %
                          (BRANCH.encode(), number, 10 ** 9 + number,
                           number % 10))
            for path, (mode, data) in tree.items():
                stream.append(b"M %s inline %s\ndata %d\n%s\n" % (
                    mode.encode(), path.encode(), len(data), data))
            self.manifests.append({
                path: [mode, digest(data)]
                for path, (mode, data) in tree.items()})
        marks = Path(self.repository, "marks")
        self.git("fast-import", "--quiet", f"--export-marks={marks}",
                 input=b"".join(stream))
        by_mark = dict(line.split() for line in
                       marks.read_text().splitlines())
        self.commits += [by_mark[f":{n}"] for n in range(1, count + 1)]

    def save(self, path):
        Path(path).write_text(json.dumps(vars(self), default=list))

    @classmethod
    def load(cls, path):
        story = cls.__new__(cls)
        vars(story).update(json.loads(Path(path).read_text()))
        return story


class Site:
    """shop and shop.git below `root`."""

    def __init__(self, root, story, bothy, bin_dir, home):
        self.root, self.story = Path(root), story
        self.dir, self.repository = self.root / "shop", self.root / "shop.git"
        self.bothy, self.bin = str(bothy), Path(bin_dir)
        self.took = 0       # by the last push, in seconds
        self.session = 0    # of its processes
        self.env = dict(GIT, HOME=str(home))
        if "BOTHY_PLANT" in os.environ:
            self.env["BOTHY_PLANT"] = os.environ["BOTHY_PLANT"]

    def run(self, *words, recorded=None, env=None, **how):
        """A program to its end; `recorded` is the recorder's environment."""
        return subprocess.run(
            [str(w) for w in words], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=dict(self.env, **(recorded or {}), **(env or {})),
            timeout=PATIENCE, check=False, errors="replace", **how)

    def create(self, recorded=None, keep=2):
        return self.run(self.bothy, "site", "create", "--keep", keep,
                        self.dir, recorded=recorded)

    def command(self, *words, recorded=None):
        return self.run(self.bothy, "--site", self.dir, *words,
                        recorded=recorded)

    def pushing(self, number, recorded=None, to=None):
        """The command line; only git's other side is recorded."""
        receive = " ".join(shlex.quote(f"{key}={value}") for key, value in
                           (recorded or {}).items())
        return ["git", "-C", self.story.repository, "push",
                f"--receive-pack=env {receive} git-receive-pack",
                str(to or self.repository),
                f"{self.story.commits[number]}:{BRANCH}"]

    def push(self, number, recorded=None, env=None):
        """In a group of its own, which may be killed as one."""
        begin = time.monotonic()
        p = subprocess.Popen(
            self.pushing(number, recorded), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=dict(self.env, **(env or {})), start_new_session=True,
            errors="replace")
        self.session = p.pid
        try:
            out = p.communicate(timeout=PATIENCE)[0]
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            out = p.communicate()[0] + "\nit hangs"
        self.took = time.monotonic() - begin
        return subprocess.CompletedProcess(p.args, p.returncode, out)

    # --- what is there --------------------------------------------------------

    def live(self):
        """The number of the live release, 0 for none."""
        try:
            return int(os.readlink(self.dir / "live").partition("/")[2])
        except FileNotFoundError:
            return 0

    def numbers(self):
        return sorted(int(n) for n in os.listdir(self.dir / "releases"))

    def commit_of(self, release):
        """Which commit it is of."""
        text = (self.dir / "releases" / str(release) / "release.json")
        return self.story.commits.index(json.loads(text.read_text())["commit"])

    def ref(self):
        """The commit that the ref stands at, 0 for none."""
        done = self.run("git", "--git-dir", self.repository, "rev-parse",
                        "-q", "--verify", BRANCH)
        if done.returncode:
            return 0
        return self.story.commits.index(done.stdout.strip())

    def manifest(self, release):
        top = self.dir / "releases" / str(release) / "tree"
        found = {}
        for at, folders, names in os.walk(top):
            for name in folders + names:
                path = Path(at, name)
                if path.is_symlink():
                    found[str(path.relative_to(top))] = [
                        "120000", digest(os.readlink(path).encode())]
                elif path.is_file():
                    found[str(path.relative_to(top))] = [
                        "100755" if path.stat().st_mode & 0o111 else "100644",
                        digest(path.read_bytes())]
        return found

    def get(self, target):
        """What the gateway answers, run as plain CGI."""
        done = self.run(self.bin / "bothy-fcgi", env={
            "BOTHY_SITE": str(self.dir),
            "GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET",
            "REQUEST_URI": target, "PATH_INFO": target, "SCRIPT_NAME": "",
            "SERVER_PROTOCOL": "HTTP/1.1"})
        head, _, body = done.stdout.replace("\r", "").partition("\n\n")
        if "Status: 200" not in head:
            raise Wrong(f"GET {target}: {done.stdout}")
        return body

    def end_daemons(self):
        """Those that were started for this site."""
        for entry in os.listdir("/proc"):
            try:
                words = Path("/proc", entry, "cmdline").read_bytes()
                if entry.isdigit() and b"bothy-launch" in words and \
                        f"{self.dir}".encode() in words.split(b"\0"):
                    os.kill(int(entry), signal.SIGKILL)
            except OSError:
                continue        # it has ended meanwhile

    # --- the verdict -----------------------------------------------------------

    def whole(self, release):
        """Of which commit a release is, all of whose files are as pushed."""
        try:
            commit = self.commit_of(release)
        except (OSError, ValueError, KeyError) as error:
            raise Wrong(f"release {release} is none: {error!r}") from error
        found, pushed = self.manifest(release), self.story.manifests[commit]
        if found != pushed:
            raise Wrong(f"release {release} is not commit {commit}: " + str(
                {p: (pushed.get(p), found.get(p))
                 for p in set(found) | set(pushed)
                 if found.get(p) != pushed.get(p)}))
        if "functions/built/built.c" in pushed and not os.access(
                self.dir / f"releases/{release}/bin/built", os.X_OK):
            raise Wrong(f"release {release} lacks its program")
        return commit

    def repository_is_whole(self):
        done = self.run("git", "--git-dir", self.repository, "fsck", "--full",
                        "--strict", "--no-dangling")
        said = re.sub(r"notice: .*\n", "", done.stdout)
        if done.returncode or said.strip():
            raise Wrong(f"git fsck: {done.returncode} {done.stdout}")

    def settled(self, told, slow):
        """Reconciles; what is live then must be one of what it may be."""
        done = self.command("releases")
        if done.returncode:
            raise Wrong(f"bothy releases: {done.stdout}")
        live = self.live()
        for release in self.numbers():
            self.whole(release)
        commit, ref = self.whole(live) if live else 0, self.ref()
        if (commit, ref) not in told.may_be:
            raise Wrong(f"commit {commit} is live (release {live}), the ref "
                        f"at {ref}; both may be {sorted(told.may_be)}")
        self.repository_is_whole()
        if live and self.get("/") != str(commit):
            raise Wrong(f"release {live} serves: {self.get('/')}")
        if live and slow:
            built = "functions/built/built.c" in self.story.manifests[commit]
            for page in ["/page"] + ["/built"] * built:
                if self.get(page) != str(commit):
                    raise Wrong(f"release {live} runs: {self.get(page)}")
        return commit

    def next_push(self, number):
        """As if nothing had been."""
        done = self.push(number)
        if done.returncode or not re.search(r"release \d+ is live",
                                            done.stdout):
            raise Wrong(f"the next push: {done.returncode} {done.stdout}")
        live = self.live()
        if self.whole(live) != number or self.ref() != number:
            raise Wrong(f"after the next push, {live} is live, the ref at "
                        f"{self.ref()}, not at {number}: {done.stdout}")
        left = set(os.listdir(self.dir / "deploy")) - STAYS
        left |= {str(p) for p in self.repository.rglob("*.lock")}
        if left:
            raise Wrong(f"left behind: {sorted(left)}")

    def judge(self, told, following, slow=False):
        """Raises Wrong; `following` is the commit to push next."""
        try:
            if not told.created:
                done = self.create()
                if done.returncode:
                    raise Wrong(f"made again: {done.stdout}")
            self.settled(told, slow)
            self.next_push(following)
        finally:
            self.end_daemons()


def asking(*words):
    """A line of what is asked, among what is told."""
    return "\n@" + " ".join(str(w) for w in words) + "\n"


class Told:
    """What was asked and told; so what may be, as pairs: the commits that are
    live and that the ref stands at."""

    def __init__(self, text=""):
        self.created = False
        self.may_be = {(0, 0)}
        self.asked, self.doubted = 0, False
        for line in re.findall(
                r"@[^\n]+|ok refs/heads/main|release \d+ is live", text):
            self.take(*line.split())

    def take(self, what, number=0, *_):
        number = int(number) if what.startswith("@") else 0
        if what == "@created":
            self.created = True
        elif what == "@push":
            self.asked, self.doubted = number, False
            self.may_be |= {(number, number)}
        elif what == "@refused":
            self.may_be -= {(number, number)}
        elif what == "@rollback":
            self.may_be |= {(number, ref) for _, ref in self.may_be}
        elif what == "@live":   # as was seen, or told by `bothy rollback`
            self.may_be = {p for p in self.may_be if p[0] == number}
        elif what == "@doubt":  # git says "ok" though our hook fails
            self.doubted = True
        elif what == "release" or not self.doubted:
            self.may_be = {(self.asked, self.asked)}


def quick_place():
    """A directory where a sync costs nothing and hooks can run, or None."""
    shm = "/dev/shm"
    if not os.access(shm, os.W_OK):
        return None
    place = os.statvfs(shm)
    able = not place.f_flag & os.ST_NOEXEC and \
        place.f_bavail * place.f_frsize > ROOM
    return shm if able else None


def copy(source, to):
    """A site as it is, but for what only a process has."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(source, to, symlinks=True,
                    ignore=shutil.ignore_patterns("*.sock"))


def wait_until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True
