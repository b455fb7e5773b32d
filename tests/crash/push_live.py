"""Pushes to a site that are killed, fail, find the disk full, or lose their
power: what push.py replays, on the disk itself.

    push_live.py --bin DIR --crash DIR [--kills N] [--faults N] [--rooms N]
        [--cuts N] [--seed N] [PART...]

Parts (all, if none is named):
    kills    kill -9 of one process or of all, at N of a push's steps (0: each)
    faults   N calls of each kind that fail, once and from then on, in
             whichever process of the push (0: each)
    rooms    N disks that become full, or have no inode left, during a push
    cuts     N real power cuts (FS_IOC_SHUTDOWN) on ext4 and on xfs each, with
             a function that is compiled

The last two need a file system of their own; where there can be none they are
skipped aloud.
"""

import argparse
import concurrent.futures
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from disk import CUTS, Disk, Missing, alone
from push_site import (PATIENCE, Site, Story, Told, Wrong, asking, copy,
                       quick_place, wait_until)

FOLLOWING = 3       # the commit after the one that is cut short
KINDS = {"open": "EMFILE", "read": "EIO", "write": "ENOSPC", "sync": "EIO",
         "name": "ENOSPC", "truncate": "EIO"}
UNASKED = 10 ** 9   # a step that never comes: only counts
NEEDED = 60         # more kilobytes than a push needs, and inodes
NEEDED_INODES = 40


def session_of(pid):
    """The session and the state of a process; None if it is gone."""
    try:
        text = Path("/proc", pid, "stat").read_text()
    except OSError:
        return None
    words = text.rpartition(")")[2].split()
    return None if words[0] == "Z" else int(words[3])


def running(test):
    return [int(pid) for pid in os.listdir("/proc")
            if pid.isdigit() and test(pid)]


def works_in(pid, directory):
    """True if it has its place there."""
    try:
        return os.readlink(f"/proc/{pid}/cwd").startswith(str(directory))
    except OSError:
        return False


class Attack:
    """One site and its way through the trouble."""

    def __init__(self, suite, root, story):
        root.mkdir(exist_ok=True)
        root.chmod(0o755)
        self.suite, self.root = suite, root
        self.site = Site(root, story, suite.bin / "bothy", suite.bin,
                         suite.work)
        self.said = ""

    def begin(self):
        """Made, and once pushed to."""
        done = self.site.create()
        self.said = asking("created") + asking("push", 1)
        if done.returncode == 0:
            done = self.site.push(1)
        if done.returncode:
            raise Wrong(f"it does not begin: {done.stdout}")
        self.said += "ok refs/heads/main"

    def push(self, number, env=None, **how):
        """Gives what was told, when all of its processes have ended."""
        self.said += asking("push", number)
        if how.get("doubt"):
            self.said += asking("doubt")
        done = self.site.push(number, env)
        self.said += done.stdout
        if done.returncode == 0:
            self.said += "\nok refs/heads/main\n"
        if "pre-receive hook declined" in done.stdout:
            self.said += asking("refused", number)
        # What ends is in no directory any more, but a process for a while.
        if not wait_until(lambda: not running(
                lambda pid: works_in(pid, self.root) or
                session_of(pid) == self.site.session)):
            raise Wrong("a process of the push does not end")
        return done

    def judge(self, following=FOLLOWING, slow=False):
        self.site.judge(Told(self.said), following, slow)


class Suite:
    def __init__(self, args, work):
        self.args, self.work = args, Path(work)
        self.work.chmod(0o755)
        self.bin, self.crash = Path(args.bin), Path(args.crash)
        self.story = Story(self.work / "story", FOLLOWING)
        self.failed = 0

    def wrong(self, what):
        self.failed += 1
        print(f"FAILED push: {what}", flush=True)

    def each(self, function, items):
        with concurrent.futures.ThreadPoolExecutor(self.args.jobs) as pool:
            return list(pool.map(function, items))

    def chosen(self, items, most):
        """All, or as many as asked for, in an order by chance."""
        rng = random.Random(self.args.seed)
        return rng.sample(items, min(most, len(items)) if most else
                          len(items))

    def directory(self):
        work = Path(tempfile.mkdtemp(dir=self.work))
        work.chmod(0o755)
        return work

    # --- processes and calls --------------------------------------------------

    def recorder(self, work, root, **more):
        count = work / "count"
        count.write_bytes(bytes(16))
        return dict(LD_PRELOAD=str(self.crash / "record.so"),
                    CRASH_ROOT=str(root), CRASH_COUNT=str(count), **more)

    def try_push(self, doubt=False, **more):
        """A push under the recorder: how many steps and calls it had."""
        work = self.directory()
        attack = Attack(self, work / "root", self.story)
        try:
            attack.begin()
            done = attack.push(2, self.recorder(work, work / "root", **more),
                               doubt=doubt)
            attack.judge()
            return struct.unpack("qq", (work / "count").read_bytes()), done
        except Wrong as wrong:
            kept = tempfile.mkdtemp(prefix="bothy-push-kept-", dir="/tmp")
            copy(work, f"{kept}/work")
            self.wrong(f"{more}: {wrong}\nit was told: {attack.said}\n"
                       f"(left in {kept})")
            return (0, 0), None
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def kills(self):
        begin = time.monotonic()
        (steps, _), done = self.try_push(CRASH_KILL=str(UNASKED))
        if done is None or done.returncode:
            return
        todo = self.chosen([f"{n}{how}" for n in range(1, steps + 1)
                            for how in ("", ":all")], self.args.kills)
        self.each(lambda at: self.try_push(CRASH_KILL=at), todo)
        print(f"push: killed {len(todo)} times at one of {steps} steps, "
              f"{time.monotonic() - begin:.0f} s, seed {self.args.seed}",
              flush=True)

    def faults(self):
        begin, tried = time.monotonic(), 0
        for kind, error in KINDS.items():
            (_, calls), _ = self.try_push(
                CRASH_FAIL=f"{kind}:{UNASKED}:EIO:once")
            todo = self.chosen([f"{kind}:{n}:{error}:{how}"
                                for n in range(1, calls + 1)
                                for how in ("once", "ever")],
                               self.args.faults)
            self.each(lambda fault: self.try_push(True, CRASH_FAIL=fault),
                      todo)
            tried += len(todo)
        print(f"push: {tried} calls made to fail, "
              f"{time.monotonic() - begin:.0f} s, seed {self.args.seed}",
              flush=True)

    # --- room ------------------------------------------------------------------

    def rooms(self):
        begin, refused = time.monotonic(), 0
        rng = random.Random(self.args.seed)
        with tempfile.TemporaryDirectory(dir=self.work) as work:
            os.chmod(work, 0o755)
            try:
                disk = Disk(work, "ext4", "24M", ["-m", "0", "-b", "1024",
                                                  "-N", "1000"])
            except Missing as why:
                print(f"push: rooms: NOT TESTED: {why}", flush=True)
                return
            try:
                for i in range(self.args.rooms):
                    refused += self.fill(disk, rng, i % 3 == 2)
            finally:
                disk.close()
        print(f"push: {self.args.rooms} pushes on a disk that became full, "
              f"{refused} refused, {time.monotonic() - begin:.0f} s, seed "
              f"{self.args.seed}", flush=True)

    def fill(self, disk, rng, inodes):
        """True if a push to what is left was refused."""
        root = disk.mount / "root"
        shutil.rmtree(root, ignore_errors=True)
        attack = Attack(self, root, self.story)
        left = rng.randint(0, NEEDED_INODES if inodes else NEEDED)
        try:
            attack.begin()
            take_inodes(disk, left) if inodes else take_room(disk, left)
            done = attack.push(2, doubt=True)
            shutil.rmtree(disk.mount / "ballast")
            attack.judge()
            return done.returncode != 0
        except Wrong as wrong:
            self.wrong(f"{left} {'inodes' if inodes else 'kB'} left: {wrong}"
                       f"\nit was told: {attack.said}")
            return False
        finally:
            shutil.rmtree(disk.mount / "ballast", ignore_errors=True)

    # --- power ----------------------------------------------------------------

    def cuts(self):
        story = Story(self.work / "built", 2 * self.args.cuts + 2, True)
        for kind in ("ext4", "xfs"):
            begin = time.monotonic()
            with tempfile.TemporaryDirectory(dir=self.work) as work:
                os.chmod(work, 0o755)
                try:
                    disk = Disk(work, kind, "400M")
                except Missing as why:
                    print(f"push: {kind}: NOT TESTED: {why}", flush=True)
                    continue
                try:
                    taken = self.cut_off(disk, story)
                except Wrong as wrong:
                    self.wrong(f"{kind}: {wrong}")
                    continue
                finally:
                    disk.close()
            print(f"push: {kind}: {self.args.cuts} power cuts, {taken} of "
                  f"the pushes were live, {time.monotonic() - begin:.0f} s, "
                  f"seed {self.args.seed}", flush=True)

    def cut_off(self, disk, story):
        """One push after the other loses its power, and one does not."""
        rng, taken = random.Random(self.args.seed), 0
        attack = Attack(self, disk.mount / "root", story)
        attack.begin()
        for i in range(self.args.cuts):
            following = 2 * i + 3
            try:
                self.lose_power(disk, attack, following - 1, rng)
                attack.judge(following, i % 4 == 0)
            except Wrong as wrong:
                raise Wrong(f"cut {i + 1}: {wrong}\nit was told: "
                            f"{attack.said}") from wrong
            taken += "is live" in attack.said
            attack.said = asking("created") + asking("push", following) + \
                "ok refs/heads/main"
        return taken

    @staticmethod
    def lose_power(disk, attack, number, rng):
        """In midst of a push, or shortly after."""
        # Git says "ok" even if what follows can't be synced any more.
        attack.said += asking("push", number) + asking("doubt")
        p = subprocess.Popen(
            attack.site.pushing(number), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=attack.site.env, start_new_session=True, errors="replace")
        time.sleep(rng.uniform(0, 1.2) * attack.site.took)
        disk.write_back(attack.root, rng)
        disk.cut(rng.choice(list(CUTS)))
        end_all(disk.mount, p)
        attack.said += p.communicate(timeout=PATIENCE)[0]
        disk.detach()
        disk.attach()


def end_all(directory, pushing):
    """Whatever still works there."""
    def works(pid):
        return session_of(pid) == pushing.pid or works_in(pid, directory)

    def none_works():
        for pid in running(works):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return pushing.poll() is not None and not running(works)

    if not wait_until(none_works):
        raise Wrong("a process does not end")


def take_room(disk, kilobytes):
    """Leaves so much of it."""
    ballast = disk.mount / "ballast"
    ballast.mkdir()
    with open(ballast / "all", "wb", 0) as out:
        try:
            while out.write(bytes(65536)):
                pass
        except OSError:
            out.truncate(max(0, out.tell() - 1024 * kilobytes))


def take_inodes(disk, number):
    ballast = disk.mount / "ballast"
    ballast.mkdir()
    made = []
    try:
        while True:
            made.append(ballast / str(len(made)))
            made[-1].touch()
    except OSError:
        for path in made[-number - 1:-1]:
            path.unlink()


PARTS = ["kills", "faults", "rooms", "cuts"]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--bin", required=True, help="bothy's programs")
    p.add_argument("--crash", required=True, help="the suite's programs")
    p.add_argument("--kills", type=int, default=20)
    p.add_argument("--faults", type=int, default=3)
    p.add_argument("--rooms", type=int, default=6)
    p.add_argument("--cuts", type=int, default=4)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("parts", nargs="*", metavar="PART")
    args = p.parse_args()
    args.bin, args.crash = (str(Path(d).resolve()) for d in
                            (args.bin, args.crash))
    alone()
    with tempfile.TemporaryDirectory(prefix="bothy-push-",
                                     dir=quick_place()) as work:
        suite = Suite(args, work)
        for part in args.parts or PARTS:
            getattr(suite, part)()
    sys.exit(1 if suite.failed else 0)


if __name__ == "__main__":
    main()
