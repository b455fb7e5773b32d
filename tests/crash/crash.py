"""The crash suite: what was promised is there after any crash.

    crash.py --bin DIR [--states N] [--kills N] [--seed N] [PART...]

Parts (all, if none is named):
    states   record some lives of a store, replay the crashes they could have
    planted  the same with each planted mistake: every one must be found
    kills    kill -9 at random moments, on the disk itself
    faults   every call that can fail made to fail, once and for ever

A subject is a program that works and one that checks: see SUBJECTS.

What fails is left below /tmp, as it was before anything recovered from it, and
the command that asks again is told.
"""

import argparse
import concurrent.futures
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLANTS = HERE.parent.parent / "store/base/plant.h"
PATIENCE = 300  # seconds for what takes a moment where little else runs
OPS_SAID = 30   # of what a state has or hasn't, that went wrong in one life
TRIES = 8       # all lives, until a planted mistake has to show
REFUSED = 3     # exit status: an error that was told, as it should be

# Kinds of calls that the recorder makes fail, and with what.
FAULTS = {
    "open": "EMFILE", "read": "EIO", "write": "EIO", "sync": "EIO",
    "name": "EIO", "truncate": "EIO", "allocate": "ENOSPC",
    "memory": "ENOMEM",
}


@dataclass
class Subject:
    """A store under test: its work and its checks as command lines."""
    name: str
    program: str        # in --bin; with "-planted" behind it, that build
    share: float        # of the states and kills that are asked for
    steps: float        # of a life's steps that it takes
    rot: bool           # the checker knows what damage it may bear
    faults: int         # calls of a kind that are made to fail, at most
    patience: float     # seconds until it is killed when all calls fail
    daemon: bool = False    # it starts one, which is recorded in its place

    def work(self, bin_dir, planted, store, run, steps, seed):
        return [self.path(bin_dir, planted), "run", str(store), str(run),
                str(max(1, round(steps * self.steps))), str(seed)]

    def checker(self, bin_dir, planted):
        return [self.path(bin_dir, planted)]

    def path(self, bin_dir, planted):
        planted = planted and not self.daemon   # then that has the mistake
        return str(bin_dir / (self.program + ("-planted" if planted else "")))


SUBJECTS = [
    Subject("journal", "journal_store", 0.7, 1, True, 400, 60),
    Subject("documents", "document_store", 0.2, 0.25, False, 24, 0.5),
    Subject("daemon", "daemon_store", 0.1, 0.25, False, 12, 1, True),
]

# Where planted mistakes are to show: here, and in programs beside this one.
LOOKED_FOR = {"journal", "documents", "daemon", "linear", "fault", "powercut",
              "push"}

# Index and stamp tell by this that a machine was started again.
BOOTS = ["11111111-1111-1111-1111-111111111111",
         "22222222-2222-2222-2222-222222222222"]


@dataclass
class Life:
    """How a store is brought up, again and again, while it is recorded."""
    name: str
    runs: list = field(default_factory=list)    # (steps, environment)


def lives(rng):
    """Quiet ones, ones cut short by kill -9, ones whose disk fails."""
    yield Life("quiet", [(120, {})])
    yield Life("a sync of the journal fails", [
        (80, {"CRASH_FAIL": f"datasync:{rng.randint(3, 30)}:EIO:once"}),
        (50, {})])
    yield Life("a sync of files fails", [
        (80, {"CRASH_FAIL": f"syncfs:{rng.randint(1, 3)}:EIO:once"}),
        (50, {})])
    yield Life("started often", [(15, {})] * 7)
    for i in range(3):
        yield Life(f"killed {i}", [
            (60, {"CRASH_KILL": str(rng.randint(20, 400))}),
            (40, {"CRASH_KILL": str(rng.randint(10, 200))}), (40, {})])
    at = rng.randint(3, 60)
    yield Life("any sync fails", [
        (80, {"CRASH_FAIL": f"sync:{at}:EIO:once"}), (50, {})])


def shorten(said):
    """Some of the operations that made a state, and all else."""
    kept, ops = [], 0
    for line in said.splitlines():
        ops += line.startswith("  with")
        if not line.startswith("  with") or ops <= OPS_SAID:
            kept.append(line)
    return "\n".join(kept) + "\n"


class Suite:
    def __init__(self, args, work):
        self.args, self.work = args, work
        self.bin = Path(args.bin).resolve()
        self.preload = f"{self.bin}/record.so {args.preload}".strip()
        self.failed = []
        self.boots = [work / f"boot-{i}" for i in range(len(BOOTS))]
        for path, boot in zip(self.boots, BOOTS):
            path.write_text(boot + "\n")

    def env(self, subject, record=True, plant=None, **more):
        """What a program is started with."""
        if record:
            more["DRILL_PRELOAD" if subject.daemon else
                 "LD_PRELOAD"] = self.preload
        if subject.daemon:
            more["DRILL_DAEMON"] = f"{self.bin}/bothy-store-planted" \
                if plant else str(Path(self.args.daemon).resolve())
        if plant:
            more["BOTHY_PLANT"] = plant
        return dict(os.environ, **more)

    # --- recording and replaying -----------------------------------------

    def record(self, subject, life, seed, plant, work):
        """One life, recorded: the log, or a message if it went wrong."""
        store, log = work / "store", work / "log"
        store.mkdir()
        for number, (steps, more) in enumerate(life.runs):
            env = self.env(subject, plant=plant, CRASH_ROOT=str(store),
                           CRASH_LOG=str(log),
                           CRASH_BOOT_ID=str(self.boots[0]), **more)
            done = subprocess.run(
                subject.work(self.bin, plant, store, number + 1, steps,
                             seed + number),
                env=env, capture_output=True, text=True, timeout=PATIENCE)
            if done.returncode not in (0, REFUSED, -signal.SIGKILL):
                return None, (f"{life.name}, seed {seed}, run {number + 1}: "
                              f"status {done.returncode}: "
                              f"{done.stdout[-300:]}{done.stderr[-300:]}")
        return log, None

    def replaying(self, subject, log, seed, plant, work, states, first):
        """The command for it."""
        command = [self.bin / "states", "--log", log, "--work", work,
                   "--states", states, "--seed", seed,
                   "--rot", states // 10 if subject.rot else 0,
                   "--nest", 0 if subject.daemon else max(1, states // 100),
                   "--recorder", self.preload]
        if first:
            command.append("--first")
        command += ["--", *subject.checker(self.bin, plant)]
        return [str(c) for c in command]

    def replay(self, command, plant):
        env = dict(os.environ, CRASH_BOOT_ID=str(self.boots[1]))
        if plant:
            env["BOTHY_PLANT"] = plant
        return subprocess.run(command, env=env, capture_output=True,
                              text=True)

    def live_and_crash(self, subject, life, seed, plant, states, first):
        """(number of states, what was found wrong or None)."""
        work = Path(tempfile.mkdtemp(dir=self.work))
        log, wrong = self.record(subject, life, seed, plant, work)
        if wrong:
            return 0, wrong if plant else f"{wrong}\n({self.keep(work)[0]})"
        command = self.replaying(subject, log, seed, plant, work, states,
                                 first)
        done = self.replay(command, plant)
        counts = re.findall(r"(\d+) (?:states|rotten|of a second)",
                            done.stdout)
        wrong = None
        if done.returncode:
            wrong = f"{life.name}, seed {seed}:\n" + shorten(
                done.stdout + done.stderr)
            if not plant:
                told, kept = self.keep(work)
                wrong += f"all of it again: {shlex.join(command)}\n"
                wrong = f"{wrong.replace(str(work), str(kept))}({told})"
        shutil.rmtree(work, ignore_errors=True)
        return sum(map(int, counts)), wrong

    def keep(self, work):
        """What says where a copy is left, and where it is."""
        kept = Path(tempfile.mkdtemp(prefix="bothy-crash-kept-", dir="/tmp"))
        shutil.copytree(work, kept, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("*.sock"))
        return f"left in {kept}", kept

    def wrong(self, part, what):
        self.failed.append(part)
        print(f"FAILED {part}: {what}", flush=True)

    # --- the parts -----------------------------------------------------------

    def states(self):
        for subject in SUBJECTS:
            rng = random.Random(self.args.seed)
            todo = list(lives(rng))
            total, seed = 0, self.args.seed
            wanted = self.args.states * subject.share
            while total < wanted:
                each = int(max(50, min(2000, (wanted - total)
                                       / len(todo) / 1.3)))
                for made, wrong in self.each(
                        lambda p, e=each, s=subject: self.live_and_crash(
                            s, p[0], p[1], None, e, False),
                        [(life, seed + i) for i, life in enumerate(todo)]):
                    total += made
                    if wrong:
                        self.wrong("states", wrong)
                seed += 100
                if self.failed:
                    break
            print(f"{subject.name}: {total} crash states, seed "
                  f"{self.args.seed}", flush=True)

    def planted(self):
        plants = re.findall(r"^\tX\((\w+), (\w+),", PLANTS.read_text(), re.M)
        for name, where in plants:
            if where not in LOOKED_FOR:
                self.wrong("planted", f"nobody looks for {name} ({where})")
        for subject in SUBJECTS:
            names = [name for name, where in plants if where == subject.name
                     and self.args.plant in (None, name)]
            found = self.each(
                lambda name, s=subject: self.look_for(s, name), names)
            print(f"{subject.name}: {len(names)} planted mistakes, "
                  f"{sum(found)} found", flush=True)

    def look_for(self, subject, plant):
        begin, how = time.monotonic(), self.find(subject, plant)
        if how:
            print(f"{subject.name}: {plant}, {time.monotonic() - begin:.1f} "
                  f"s, {how}", flush=True)
        else:
            self.wrong("planted", f"{plant} survived")
        return bool(how)

    def find(self, subject, plant):
        """In which life the mistake shows first, and how; or None."""
        tried = 0
        for again in range(TRIES):
            rng = random.Random(self.args.seed + again)
            for life in lives(rng):
                tried += 1
                _, wrong = self.live_and_crash(
                    subject, life, self.args.seed + 100 * again + tried,
                    plant, 400 if again else 200, True)
                if wrong:
                    says = re.search(r"the checker: (.+)", wrong)
                    return f"life {tried}, " + (
                        says.group(1) if says else
                        wrong.splitlines()[-1])[:100].strip()
        return None

    def kills(self):
        for subject in SUBJECTS:
            rng = random.Random(self.args.seed)
            kills = round(self.args.kills * subject.share)
            with tempfile.TemporaryDirectory(prefix="bothy-kill-") as disk:
                for i in range(kills):
                    wrong = self.kill_once(subject, Path(disk), i, rng)
                    if wrong:
                        self.wrong("kills", f"round {i}: {wrong}")
                        break
            print(f"{subject.name}: killed {kills} times, seed "
                  f"{self.args.seed}", flush=True)

    def kill_once(self, subject, disk, i, rng):
        store, sent = disk / "store", disk / "sent"
        if i % 20 == 0:
            shutil.rmtree(store, ignore_errors=True)
            store.mkdir()
            sent.write_text("")
        with open(sent, "ab") as out:
            work = subprocess.Popen(
                subject.work(self.bin, None, store, i + 1, 100000, i + 1),
                env=self.env(subject, False), stdout=out,
                stderr=subprocess.PIPE)
            try:
                work.wait(timeout=rng.uniform(0.002, 0.05))
            except subprocess.TimeoutExpired:
                work.kill()
            error = work.communicate()[1]
        if work.returncode not in (0, -signal.SIGKILL):
            return f"status {work.returncode}: {error.decode()}"
        whole = sent.read_bytes().rpartition(b"\n")[0] + b"\n"
        sent.write_bytes(whole if len(whole) > 1 else b"")
        return self.check_live(subject, disk)

    def faults(self):
        for subject in SUBJECTS:
            tried = 0
            for n, wrong in self.each(
                    lambda p, s=subject: self.fail_all(s, *p),
                    [(kind, how) for kind in FAULTS
                     for how in ("once", "ever")]):
                tried += n
                for what in wrong:
                    self.wrong("faults", what)
            print(f"{subject.name}: {tried} calls made to fail", flush=True)

    def fail_all(self, subject, kind, how):
        """Each call of a kind in turn, or some of very many."""
        wrong = []
        calls = range(1, self.count_calls(subject, kind) + 1)
        most = self.args.faults * subject.faults // (
            1 if how == "once" else 3)
        if len(calls) > most:
            calls = random.Random(self.args.seed).sample(calls, most)
        for n in calls:
            fault = f"{kind}:{n}:{FAULTS[kind]}:{how}"
            what = self.fail_once(subject, fault)
            if what:
                wrong.append(f"{fault}: {what}")
        return len(calls), wrong

    def count_calls(self, subject, kind):
        with tempfile.TemporaryDirectory(dir=self.work) as work:
            count = Path(work) / "calls"
            status, error = self.work_with(subject, Path(work), PATIENCE, {
                "CRASH_FAIL": f"{kind}:1000000:EIO:once",
                "CRASH_CALLS": str(count)})
            if status or not count.exists():
                raise RuntimeError(f"{subject.name} does not work without a "
                                   f"fault: status {status}: {error}")
            return int(count.read_text())

    def work_with(self, subject, work, seconds, more):
        """What came of it: its status, and what it said of errors."""
        store = work / "store"
        store.mkdir()
        with open(work / "sent", "wb") as sent:
            done = subprocess.Popen(
                subject.work(self.bin, None, store, 1, 25, self.args.seed),
                env=self.env(subject, CRASH_ROOT=str(store), **more),
                stdout=sent, stderr=subprocess.PIPE, text=True)
            try:
                error = done.communicate(timeout=seconds)[1]
            except subprocess.TimeoutExpired:
                done.kill()
                error = done.communicate()[1]
        return done.returncode, error

    def fail_once(self, subject, fault):
        how = fault.split(":")[-1]
        with tempfile.TemporaryDirectory(dir=self.work) as work:
            status, error = self.work_with(
                subject, Path(work), PATIENCE if how == "once" else
                subject.patience, {"CRASH_FAIL": fault})
            killed = how == "ever" and status == -signal.SIGKILL
            if status not in (0, REFUSED) and not killed:
                said = (Path(work) / "sent").read_text()[-300:]
                what = "it hangs" if status == -signal.SIGKILL else \
                    f"status {status}"
                return f"{what}: {said}{error[-900:]}"
            return self.check_live(subject, Path(work))

    def check_live(self, subject, work):
        """After the end of a process, the machine staying up."""
        copy, checker = work / "copy", subject.checker(self.bin, None)
        shutil.copytree(work / "store", copy,
                        ignore=shutil.ignore_patterns("*.sock"))
        done = subprocess.run(
            checker + [str(copy), str(work / "sent"), "live"],
            capture_output=True, text=True)
        shutil.rmtree(copy)
        if not done.returncode:
            return None
        _, kept = self.keep(work)
        again = shlex.join(checker)
        return (f"{done.stdout}{done.stderr}again: rm -rf /tmp/again; cp -r "
                f"{kept}/store /tmp/again && {again} /tmp/again {kept}/sent "
                "live")

    def each(self, function, items):
        with concurrent.futures.ThreadPoolExecutor(self.args.jobs) as pool:
            return list(pool.map(function, items))


PARTS = ["states", "planted", "kills", "faults"]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--bin", required=True)
    p.add_argument("--states", type=int, default=3000)
    p.add_argument("--kills", type=int, default=20)
    p.add_argument("--faults", type=int, default=1,
                   help="times as many calls made to fail")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--preload", default="", help="a sanitizer's library")
    p.add_argument("--daemon", default="build/release/bin/bothy-store")
    p.add_argument("--only", help="the subject")
    p.add_argument("--plant", help="only this mistake")
    p.add_argument("parts", nargs="*", metavar="PART")
    args = p.parse_args()
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="bothy-crash-", dir=shm) as work:
        suite = Suite(args, Path(work))
        if args.only:
            SUBJECTS[:] = [s for s in SUBJECTS if s.name == args.only]
        for part in args.parts or PARTS:
            getattr(suite, part)()
    sys.exit(1 if suite.failed else 0)


if __name__ == "__main__":
    main()
