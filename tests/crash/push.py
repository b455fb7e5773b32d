"""What a push reported is there: git pushes to a site, cut short in all ways.

    push.py --bin DIR --crash DIR [--states N] [--seed N] [PART...]

Parts (all, if none is named):
    states   pushes are recorded, and the power cuts they could have replayed
    planted  the same with each planted mistake: every one must be found

Whatever happened: the site serves one release whole, the one that its ref
says; the new one, if the pusher was told so; and the next push goes through
and leaves nothing of the one before.
"""

import argparse
import concurrent.futures
import os
import random
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from daemon import plants
from push_site import Site, Story, Wrong, asking, copy, quick_place

HERE = Path(__file__).resolve().parent
COMMITS, FOLLOWING = 9, 9       # of a story; the one that comes afterwards
RECORD_SENT, RECORD_DURABLE = 8, 9      # record.h
KEPT = "/tmp"
TRIES = 6       # all lives, until a planted mistake has to show
SHOWN_BY = {"REMOVAL_UNSYNCED": "steady", "MARK_REMOVED_FIRST": "one more"}


@dataclass
class Life:
    """What happens to a site while it is recorded, step by step."""
    name: str
    steps: list = field(default_factory=list)
    recorded_from: int = 0      # steps before are on the disk for sure


def lives(rng):
    """Steps: create; push N; back N (`bothy rollback`); look (`bothy
    releases`); and what happens meanwhile, as the recorder is told."""
    def kill(most=130):
        how = rng.choice(["", ":all"])
        return {"CRASH_KILL": f"{rng.randint(5, most)}{how}"}

    def fail(kind, most):
        return {"CRASH_FAIL": f"{kind}:{rng.randint(1, most)}:EIO:once"}

    yield Life("the first", [("create",), ("push", 1), ("push", 2)])
    yield Life("steady", [("create",)] + [("push", n) for n in range(1, 5)],
               3)
    yield Life("one more", [("create",), ("push", 1), ("push", 2)], 2)
    for i in range(2):
        yield Life(f"killed {i}", [
            ("create",), ("push", 1), ("push", 2, kill()), ("look",),
            ("push", 3, kill()), ("push", 4, kill()), ("look",)], 2)
    yield Life("refused", [("create",), ("push", 1), ("push", 8),
                           ("push", 2)], 1)
    yield Life("back", [("create",), ("push", 1), ("push", 2), ("back", 1),
                        ("push", 3)], 2)
    yield Life("a sync fails", [("create",), ("push", 1),
                                ("push", 2, fail("sync", 12)), ("look",),
                                ("push", 3)], 2)
    return


class Suite:
    def __init__(self, args, work):
        self.args, self.work = args, Path(work)
        self.work.chmod(0o755)
        self.bin, self.crash = Path(args.bin), Path(args.crash)
        self.failed = []
        self.story = Story(self.work / "story", COMMITS, refused=[8])
        self.saved = self.work / "story.json"
        self.story.save(self.saved)

    def directory(self):
        """A new one, through which functions' users may go."""
        work = Path(tempfile.mkdtemp(dir=self.work))
        work.chmod(0o755)
        return work

    def wrong(self, part, what):
        self.failed.append(part)
        print(f"FAILED push: {part}: {what}", flush=True)

    def each(self, function, items):
        with concurrent.futures.ThreadPoolExecutor(self.args.jobs) as pool:
            return list(pool.map(function, items))

    def bothy(self, plant):
        return self.crash / "planted/bothy" if plant else self.bin / "bothy"

    def site(self, root, plant=None, story=None):
        site = Site(root, story or self.story, self.bothy(plant), self.bin,
                    self.work)
        if plant:
            site.env["BOTHY_PLANT"] = plant
        return site

    # --- states of a recorded life --------------------------------------------

    def recorder(self, work, root, **more):
        count = work / "count"
        count.write_bytes(bytes(16))
        return dict(LD_PRELOAD=str(self.crash / "record.so"),
                    CRASH_ROOT=str(root), CRASH_LOG=str(work / "log"),
                    CRASH_COUNT=str(count), CRASH_PIPES="1", **more)

    @staticmethod
    def note(work, kind, text=b""):
        """A record of our own."""
        padding = bytes(-len(text) % 8)
        with open(work / "log", "ab") as log:
            log.write(struct.pack("=IIIIQQQQ", kind, len(text), 0, 0, 0, 0, 0,
                                  0) + text + padding)

    def say(self, work, *words):
        self.note(work, RECORD_SENT, asking(*words).encode())

    def record(self, life, plant, work):
        """A life's log; raises Wrong if it didn't go as it should."""
        root = work / "root"
        root.mkdir()
        site = self.site(root, plant)
        for number, step in enumerate(life.steps):
            if number == life.recorded_from:
                self.note(work, RECORD_DURABLE)
            more = step[-1] if isinstance(step[-1], dict) else {}
            env = self.recorder(work, root, **more)
            done = getattr(self, f"do_{step[0]}")(site, work, env, *step[1:])
            if done.returncode and not more and step != ("push", 8):
                raise Wrong(f"{life.name}: {step}: {done.returncode} "
                            f"{done.stdout}")
        return work / "log"

    def do_create(self, site, work, env):
        done = site.create(env)
        self.say(work, "created")
        return done

    def do_push(self, site, work, env, number, *_):
        self.say(work, "push", number)
        if "CRASH_FAIL" in env:
            self.say(work, "doubt")
        done = site.push(number, env)
        if "pre-receive hook declined" in done.stdout:
            self.say(work, "refused", number)
        return done

    def do_back(self, site, work, env, number):
        self.say(work, "rollback", number)
        done = site.command("rollback", recorded=env)
        self.say(work, "live", number)
        return done

    def do_look(self, site, work, env):
        done = site.command("releases", recorded=env)
        return done

    def live_and_cut(self, life, seed, plant, states, first):
        """(number of states, what was found wrong or None)."""
        work = self.directory()
        try:
            log = self.record(life, plant, work)
        except Wrong as wrong:
            return 0, f"{wrong}"
        command = [self.crash / "states", "--log", log, "--work", work,
                   "--states", states, "--seed", seed]
        command += ["--first"] * first
        command += ["--", sys.executable, "-B", HERE / "push_check.py",
                    work / "root", self.saved, self.bothy(plant), self.bin,
                    FOLLOWING]
        command = [str(c) for c in command]
        env = dict(os.environ, **({"BOTHY_PLANT": plant} if plant else {}))
        done = subprocess.run(command, env=env, capture_output=True,
                              text=True, errors="replace", check=False)
        made = re.search(r"(\d+) states", done.stdout)
        wrong = None
        if done.returncode:
            wrong = f"{life.name}, seed {seed}: {done.stdout}{done.stderr}"
            if not plant:
                wrong += f"\nall of it again: {shlex.join(command)}\n"
                wrong = self.keep(work, wrong)
        shutil.rmtree(work, ignore_errors=True)
        return int(made.group(1)) if made else 0, wrong

    @staticmethod
    def keep(work, text):
        kept = Path(tempfile.mkdtemp(prefix="bothy-push-kept-", dir=KEPT))
        copy(work, kept / "work")
        return f"{text}\n(left in {kept})"

    def states(self):
        rng = random.Random(self.args.seed)
        todo, total, seed = list(lives(rng)), 0, self.args.seed
        begin = time.monotonic()
        while total < self.args.states and not self.failed:
            each = max(6, min(200, (self.args.states - total) // len(todo)))
            for made, wrong in self.each(
                    lambda p, e=each: self.live_and_cut(*p, None, e, False),
                    [(life, seed + i) for i, life in enumerate(todo)]):
                total += made
                if wrong:
                    self.wrong("states", wrong)
            seed += 100
            todo = list(lives(rng))
        print(f"push: {total} crash states, {time.monotonic() - begin:.0f} s, "
              f"seed {self.args.seed}", flush=True)

    def planted(self):
        names = [n for n in plants("push") if self.args.plant in (None, n)]
        found = self.each(self.look_for, names)
        print(f"push: {len(names)} planted mistakes, {sum(found)} found",
              flush=True)

    def look_for(self, plant):
        begin, tried = time.monotonic(), 0
        for again in range(TRIES):
            rng = random.Random(self.args.seed + again)
            for life in sorted(lives(rng), key=lambda life:
                               life.name != SHOWN_BY.get(plant)):
                tried += 1
                _, wrong = self.live_and_cut(
                    life, self.args.seed + 100 * again + tried, plant, 100,
                    True)
                if wrong:
                    said = re.search(r"the checker: (.+)", wrong)
                    print(f"push: {plant}, {time.monotonic() - begin:.1f} s, "
                          f"life {tried}, "
                          f"{(said.group(1) if said else wrong)[:100]}",
                          flush=True)
                    return True
        self.wrong("planted", f"{plant} survived")
        return False


PARTS = ["states", "planted"]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--bin", required=True, help="bothy's programs")
    p.add_argument("--crash", required=True, help="the suite's programs")
    p.add_argument("--states", type=int, default=100)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--plant", help="only this mistake")
    p.add_argument("parts", nargs="*", metavar="PART")
    args = p.parse_args()
    args.bin, args.crash = (str(Path(d).resolve()) for d in
                            (args.bin, args.crash))
    with tempfile.TemporaryDirectory(prefix="bothy-push-",
                                     dir=quick_place()) as work:
        suite = Suite(args, work)
        for part in args.parts or PARTS:
            getattr(suite, part)()
    sys.exit(1 if suite.failed else 0)


if __name__ == "__main__":
    main()
