"""Every call of a bothy-store made to fail, once, often and for ever, while
clients work: it must not end, must tell, must keep what it acknowledged.

    fault.py --store PROGRAM --recorder record.so [--each N] [--seed N]

Calls are made to fail by the recorder (record.c).  Afterwards the store is
opened again without a fault, and what clients saw is judged as linear.py does.
"""

import argparse
import concurrent.futures
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from daemon import GONE, Daemon, Fault, plants
from linear import (PATIENCE, Client, History, Op, check, compare_files,
                    compare_history, compare_story, look, make_tables)
from linear_replay import Story

# Kinds of calls, and with what they fail.
KINDS = {
    "open": "EMFILE", "read": "EIO", "write": "EIO", "sync": "EIO",
    "syncfs": "EIO", "name": "EIO", "truncate": "EIO", "allocate": "ENOSPC",
    "memory": "ENOMEM",
}
CLIENTS, OPERATIONS = 3, 60
UNASKED = 10 ** 9       # a call that never comes: only counts
SHM = "/dev/shm"        # where the index is written by calls, not by memory
TRIES = 400             # until a planted mistake has to show
SEEDS = 10 ** 9
SHOWN_BY = {"DOUBT_REFUSED": ("sync", 60, "EIO", "once"),
            "TABLE_UNKNOWN": ("memory", 900, "ENOMEM", "often"),
            "HANDED_OVER_ONCE": ("memory", 3000, "ENOMEM", "once")}


class Filler(Client):
    """Puts documents that nobody writes again: a file not written is missed."""

    def act(self):
        number = next(self.history.numbers)
        self.do(f"f{number}", Op("put", 0, 0, v=f"v{number}"))


class Maker(Client):
    """Makes tables and drops them: either is so once it is answered."""

    def act(self):
        name = f"made{next(self.history.numbers)}"
        item = {"TableName": name, "Item": {"id": {"S": "a"}}}
        if self.ask("CreateTable", table(name)) != "ok":
            return
        outcome = self.ask("PutItem", item)
        assert outcome != "NotFound", f"{name} was made and isn't known"
        if self.ask("DeleteTable", {"TableName": name}) == "ok":
            outcome = self.ask("PutItem", item)
            assert outcome != "ok", f"{name} was dropped and is there"

    def ask(self, name, body):
        if self.connection is None:
            return "Gone"
        outcome, _ = self.call(name, body)
        if outcome != "ok":
            self.history.count_refused(outcome)
        return outcome


def table(name):
    return {"TableName": name, "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id",
                                      "AttributeType": "S"}]}


class Store:
    """One store, its daemon under a fault, and its clients."""

    def __init__(self, args, work, seed, plant=None):
        self.args, self.rng, self.plant = args, random.Random(seed), plant
        self.directory = Path(work, "store")
        self.daemon = Daemon(args.planted if plant else args.store,
                             self.directory,
                             "--checkpoint-ms", "20",
                             "--segment-bytes", "16384", force=True)
        self.history, self.wrong = History(), []

    def env(self, fault, plant=None, **more):
        if plant:
            more["BOTHY_PLANT"] = plant
        return dict(os.environ, CRASH_ROOT=str(self.directory),
                    CRASH_FAIL=fault, LD_PRELOAD=self.args.recorder, **more)

    def first_life(self, connection):
        """A store with tables: what comes later opens one that is there."""
        make_tables(connection)
        self.work(20)

    def work(self, operations=OPERATIONS, leaves=False):
        """Clients do what they can, for some seconds at most; in midst of it
        the daemon may be told to leave."""
        kinds = [Client] * CLIENTS + [Filler, Maker]
        clients = [kind(self.history, self.daemon,
                        random.Random(self.rng.random()), operations, 5)
                   for kind in kinds]
        for client in clients:
            client.start()
        if leaves:
            time.sleep(self.rng.uniform(0, 0.3))
            self.daemon.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 5
        for client in clients:
            client.join(max(0.01, end - time.monotonic()))
            client.stopping.set()
        for client in clients:
            client.join(PATIENCE)
            if client.is_alive() or client.failed:
                self.wrong.append(f"a client hangs or fell: {client.failed}")
            if client.connection:
                client.connection.socket.close()

    def trouble(self):
        try:
            with self.daemon.connect(5) as c:
                return c.call("Stat", {})["Trouble"]
        except (*GONE, Fault, AssertionError):
            return None

    def under(self, fault):
        """A life with the fault: what is wrong with it."""
        if self.daemon.start() is None:
            return [f"no first start: {self.daemon.said}"]
        with self.daemon.connect() as c:
            self.first_life(c)
        self.daemon.kill()
        self.suffer(fault)
        if not self.wrong:
            self.recover()
        return self.wrong

    def starts(self, fault):
        """It answers; what has no memory for a connection need not."""
        try:
            return self.daemon.start(
                PATIENCE if fault.endswith("once") else 5,
                env=self.env(fault, self.plant)) is not None
        except AssertionError:
            if fault.endswith("once"):
                raise
            return False

    def suffer(self, fault):
        if not self.starts(fault):
            # It may refuse to start, with the reason.
            if self.daemon.process.returncode not in (1, -signal.SIGKILL) or \
                    not (self.daemon.said or not fault.endswith("once")):
                self.wrong.append(f"it fell at its start: status "
                                  f"{self.daemon.process.returncode} "
                                  f"{self.daemon.said[-3000:]}")
            return
        leaves = self.rng.random() < 0.4
        self.work(leaves=leaves)
        if not leaves and not self.daemon.is_up():
            # It leaves where only a new start helps, and says so.
            if self.daemon.process.returncode != 0 or not (
                    "to be opened anew" in self.daemon.log() or
                    fault.startswith("write")):     # of its log, too
                self.wrong.append("it fell: status "
                                  f"{self.daemon.process.returncode} "
                                  f"{self.daemon.kill()} "
                                  f"{self.daemon.said[-3000:]}")
            return
        if not leaves:
            self.told()
        status = self.daemon.stop(PATIENCE)
        if status not in (0, None):
            self.wrong.append(f"left with status {status}: "
                              f"{self.daemon.said[-3000:]}")
        if status is None:
            self.wrong.append("it doesn't leave")

    def told(self):
        """Whoever was refused hears why, as soon as it is known."""
        refused = self.history.refused
        end = time.monotonic() + PATIENCE
        while "ReadOnly" in refused and self.trouble() == "":
            if time.monotonic() > end:
                self.wrong.append(f"writes were refused ({refused}), and Stat "
                                  "tells no trouble")
                return
            time.sleep(0.05)

    def recover(self):
        """All of it is there again once nothing fails."""
        if self.daemon.start() is None:
            self.wrong.append(f"no start afterwards: {self.daemon.said}")
            return
        with self.daemon.connect() as c:
            look(self.history, c)
            compare_files(self.directory, c, self.wrong)
        if self.daemon.stop() != 0:
            self.wrong.append(f"left with an error: {self.daemon.said}")
        story = Story(self.directory)
        self.wrong += check(self.history, story)
        compare_history(self.directory, self.wrong)
        if self.daemon.start() is not None:
            with self.daemon.connect() as c:
                compare_story(story, c, self.wrong)
        self.daemon.stop()


class Suite:
    def __init__(self, args, work):
        self.args, self.work = args, work
        self.failed = 0

    def count(self, kind):
        """About how many calls of a kind there are."""
        with tempfile.TemporaryDirectory(dir=self.work) as work:
            store = Store(self.args, work, self.args.seed)
            calls = Path(work, "calls")
            store.daemon.start()
            with store.daemon.connect() as c:
                store.first_life(c)
            store.daemon.kill()
            took = store.daemon.start(env=store.env(
                f"{kind}:{UNASKED}:EIO:once", CRASH_CALLS=str(calls)))
            assert took is not None, store.daemon.said
            store.work()
            assert store.daemon.stop() == 0, store.daemon.said
            assert not store.wrong, store.wrong
            return int(calls.read_text())

    def one(self, fault, seed, plant=None):
        """What goes wrong in a life with a fault, perhaps a mistake too."""
        place = SHM if os.access(SHM, os.W_OK) and \
            random.Random(f"place {seed}").random() < 0.4 else self.work
        with tempfile.TemporaryDirectory(prefix="bothy-fault-",
                                         dir=place) as work:
            store = Store(self.args, work, seed, plant)
            try:
                wrong = store.under(fault)
            except AssertionError as error:
                wrong = [f"{error}"]
            finally:
                if store.daemon.is_up():
                    store.daemon.kill()
            if wrong and not plant:
                kept = tempfile.mkdtemp(prefix="bothy-fault-kept-")
                shutil.copytree(
                    store.directory, f"{kept}/store",
                    ignore=shutil.ignore_patterns("*.sock", "*.mdb"))
                wrong.append(f"(left in {kept}; again: fault.py --one "
                             f"{fault} --seed {seed}; log: "
                             f"{store.daemon.log()})")
        return wrong

    def kind(self, kind, rng):
        calls = self.count(kind)
        faults = []
        for how, share in (("once", 1), ("often", 0.4), ("ever", 0.4)):
            several = max(1, round(self.args.each * share))
            for i in range(several):
                # Early calls are rarer ones: half of the tries go there.
                most = max(1, calls if i % 2 else min(calls, calls // 5))
                faults.append(f"{kind}:{rng.randint(1, most)}:"
                              f"{KINDS[kind]}:{how}")
        return calls, faults

    def all(self):
        rng = random.Random(self.args.seed)
        begin, tried = time.monotonic(), 0
        lock = threading.Lock()

        def try_one(item):
            wrong = self.one(*item)
            with lock:
                for what in wrong:
                    print(f"FAILED {item[0]}: {str(what)[:3000]}", flush=True)
                self.failed += bool(wrong)

        for kind in self.args.kinds or KINDS:
            calls, faults = self.kind(kind, rng)
            self.each(try_one,
                      [(f, rng.randrange(SEEDS)) for f in faults])
            tried += len(faults)
            print(f"fault: {kind}: {len(faults)} of about {calls} calls made "
                  "to fail", flush=True)
        print(f"fault: {tried} lives with a fault, {self.failed} went wrong, "
              f"{time.monotonic() - begin:.0f} s, seed {self.args.seed}")


    def find_planted(self):
        """Each mistake with fault after fault, until it shows."""
        rng = random.Random(self.args.seed)
        for name in plants("fault"):
            shown, tries = "SURVIVED", 0
            kind, most, error, how = SHOWN_BY[name]
            while shown == "SURVIVED" and tries < TRIES:
                faults = [f"{kind}:{rng.randint(10, most)}:{error}:{how}"
                          for _ in range(2 * self.args.jobs)]
                tries += len(faults)
                for fault, wrong in zip(faults, self.each(
                        lambda f, n=name: self.one(f, rng.randrange(SEEDS), n),
                        faults)):
                    if wrong:
                        shown = f"{fault}: {wrong[0]}"[:110]
            print(f"fault: {name}, {tries} runs: {shown}", flush=True)
            self.failed += shown == "SURVIVED"

    def each(self, function, items):
        with concurrent.futures.ThreadPoolExecutor(self.args.jobs) as pool:
            return list(pool.map(function, items))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--store", required=True, help="the program bothy-store")
    p.add_argument("--recorder", required=True, help="record.so")
    p.add_argument("--planted", help="bothy-store with mistakes in it: each "
                   "must be found")
    p.add_argument("--preload", default="", help="a sanitizer's library")
    p.add_argument("--each", type=int, default=4,
                   help="how many calls of a kind fail once")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--one", help="KIND:N:ERRNO:once|often|ever, only this")
    p.add_argument("kinds", nargs="*")
    args = p.parse_args()
    args.recorder = f"{Path(args.recorder).resolve()} {args.preload}".strip()
    with tempfile.TemporaryDirectory(prefix="bothy-fault-") as work:
        suite = Suite(args, work)
        if args.one:
            for what in suite.one(args.one, args.seed):
                print(f"FAILED: {what}")
                suite.failed = 1
        else:
            suite.all()
            if args.planted:
                suite.find_planted()
    sys.exit(1 if suite.failed else 0)


if __name__ == "__main__":
    main()
