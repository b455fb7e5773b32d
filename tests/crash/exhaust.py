"""Disk, inodes, descriptors and memory used up while clients work: reads go
on, writes are refused with the reason, it resumes by itself when there is
room again, and nothing that was acknowledged is lost.

    exhaust.py --store PROGRAM [--seed N] [SCENE...]

Scenes: disk inodes descriptors memory (all, if none is named).  The first two
need a small file system of their own; where there can be none they are skipped
aloud.
"""

import argparse
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from daemon import GONE, Daemon, Fault, fault_of, settled
import disk
from linear import (PLAIN, Client, History, check, compare_files,
                    compare_history, compare_story, keep, look, make_tables)
from linear_replay import Story

CLIENTS = 3
PATIENCE = 120          # seconds until something that is to come has come
BIG = "x" * 300_000     # a document that takes room


class Scene:
    """A store, clients that work on it all the time, and a want."""

    options = ()

    def __init__(self, args, work):
        self.args, self.work = args, Path(work)
        self.rng = random.Random(args.seed)
        self.directory = Path(work, "store")
        self.history, self.wrong, self.clients = History(), [], []
        self.daemon = None

    def play(self):
        self.daemon = Daemon(self.args.store, self.directory,
                             "--checkpoint-ms", "50", "--segment-bytes",
                             "65536", *self.options, force=True)
        try:
            self.begin()
            self.drama()
            self.stop_clients()
            self.end()
        except AssertionError as error:
            self.wrong.append(error)
        finally:
            self.stop_clients()
            if self.daemon.is_up():
                self.daemon.kill()
            if self.wrong:
                self.wrong.append(f"{keep(self.directory)})")
        return self.wrong

    def begin(self):
        self.start()
        with self.daemon.connect() as c:
            make_tables(c)
            c.table("ballast")
            for i in range(20):
                c.put("ballast", {"id": f"b{i}", "text": BIG})
        self.start_clients()

    def start(self):
        assert self.daemon.start() is not None, \
            f"it doesn't start: {self.daemon.said}"

    def start_clients(self):
        self.clients = [Client(self.history, self.daemon,
                               random.Random(self.rng.random()))
                        for _ in range(CLIENTS)]
        for client in self.clients:
            client.start()

    def stop_clients(self):
        for client in self.clients:
            client.stopping.set()
        for client in self.clients:
            client.join(PATIENCE)
            if client.failed or client.is_alive():
                self.wrong.append(f"a client hangs or fell: {client.failed}")
            if client.connection:
                client.connection.socket.close()
        self.clients = []

    def end(self):
        """It was a story of one store after all."""
        with self.daemon.connect() as c:
            look(self.history, c)
            compare_files(self.directory, c, self.wrong)
            # The next checkpoint may be some way off.
            self.until(lambda: not c.call("Stat", {})["Trouble"],
                       "the end of its trouble")
        if self.daemon.stop() != 0:
            self.wrong.append(f"left with an error: {self.daemon.said}")
        story = Story(self.directory)
        self.wrong += check(self.history, story)
        compare_history(self.directory, self.wrong)
        self.start()
        with self.daemon.connect() as c:
            compare_story(story, c, self.wrong)
            for i in range(20):
                item = c.get("ballast", {"id": f"b{i}"})
                if item != {"id": f"b{i}", "text": BIG}:
                    self.wrong.append(f"b{i} is lost: {str(item)[:100]}")

    # --- what is looked at meanwhile --------------------------------------------

    def until(self, condition, what):
        end = time.monotonic() + PATIENCE
        while True:
            value = condition()
            if value:
                return value
            assert self.daemon.is_up(), \
                f"it fell: {self.daemon.kill()} {self.daemon.said[-2000:]}"
            assert time.monotonic() < end, f"waited for {what}"
            time.sleep(0.02)

    def try_put(self, c, key="probe"):
        """What came of it: "ok", or the name of the fault, and its message."""
        try:
            c.put("ballast", {"id": key, "text": BIG[:20000]})
            return "ok", ""
        except Fault as error:
            return fault_of(error), error.body.get("message", "")

    def refused(self, c, name, word):
        """Writes come to be refused so, and the message has the word."""
        def is_refused():
            told, message = self.try_put(c)
            return told == name and word in message
        self.until(is_refused, f"writes to be refused: {name}, {word}; the "
                   f"last was {self.try_put(c)}")

    def reads_go_on(self, c):
        begin = time.monotonic()
        for i in range(20):
            item = c.get("ballast", {"id": f"b{i}"})
            assert item and item["text"] == BIG, f"read {str(item)[:100]}"
        assert len(c.call("Scan", {"TableName": "ballast", "Limit": 5,
                                   "ConsistentRead": True}, PLAIN)["Items"])
        assert time.monotonic() - begin < 60, "reads are slow"

    def deletes_work(self, c, key):
        c.call("DeleteItem", {"TableName": "ballast",
                              "Key": {"id": key}}, PLAIN)
        assert c.get("ballast", {"id": key}) is None

    def resumes(self):
        """By itself: a fresh connection writes, its file lies there."""
        def works():
            try:
                with self.daemon.connect(30) as c:
                    c.call("PutItem", {"TableName": "ballast", "Item": {
                        "id": "after"}}, PLAIN | 2)
                    return Path(self.directory,
                                "data/ballast/after.json").exists()
            except (*GONE, Fault):
                return False
        self.until(works, "writes to go on")


class OnDisk(Scene):
    """On a file system of its own, which is unmounted in any case."""

    size, inodes = "700M", 30000

    def play(self):
        own = disk.Disk(self.work, "ext4", self.size,
                        ["-N", str(self.inodes)])
        self.mount, self.directory = own.mount, own.mount / "store"
        try:
            return super().play()
        finally:
            own.close()

    def free(self):
        fs = os.statvfs(self.mount)
        return fs.f_bfree * fs.f_frsize, fs.f_ffree


class Disk(OnDisk):
    def fill(self, left):
        """Another's file takes all but `left` bytes."""
        with open(self.mount / f"other-{left}", "wb") as f:
            taken, step = 0, 64 << 20
            while step >= 4096:
                if self.free()[0] - step < left:
                    step //= 2
                    continue
                try:
                    os.posix_fallocate(f.fileno(), taken, step)
                    taken += step
                except OSError:
                    step //= 2

    def empty(self):
        for path in self.mount.glob("other-*"):
            path.unlink()

    def drama(self):
        with self.daemon.connect() as c:
            for i in range(8):
                assert self.try_put(c, f"spare{i}")[0] == "ok"
            self.fill(200 << 20)
            self.refused(c, "NoRoom", "held back")
            self.reads_go_on(c)
            for i in range(4):
                self.deletes_work(c, f"spare{i}")
            self.fill(0)
            self.refused(c, "NoRoom", "no room")
            self.reads_go_on(c)
            for i in range(4, 8):
                self.deletes_work(c, f"spare{i}")
            self.fill(0)
        self.daemon.kill()
        self.fill(0)
        self.start()
        with self.daemon.connect() as c:
            self.reads_go_on(c)
            self.refused(c, "NoRoom", "no room")
            self.deletes_work(c, "probe")
        assert self.daemon.stop() == 0, self.daemon.said
        self.fill(0)
        self.start()
        with self.daemon.connect() as c:
            self.reads_go_on(c)
        self.empty()
        self.resumes()


class Inodes(OnDisk):
    def fill(self, left):
        made = self.mount / f"others-{left}"
        made.mkdir(exist_ok=True)
        number = len(os.listdir(made))
        while self.free()[1] > left:
            try:
                (made / str(number)).touch()
            except OSError:
                return
            number += 1

    def empty(self):
        for path in self.mount.glob("others-*/*"):
            path.unlink()

    def drama(self):
        with self.daemon.connect() as c:
            for i in range(8):
                assert self.try_put(c, f"spare{i}")[0] == "ok"
            self.fill(11000)
            self.refused(c, "NoRoom", "inodes")
            self.reads_go_on(c)
            for i in range(4):
                self.deletes_work(c, f"spare{i}")
            self.fill(0)
            self.reads_go_on(c)
            for i in range(4, 8):
                self.deletes_work(c, f"spare{i}")
            self.fill(0)
        self.daemon.kill()
        self.fill(0)
        self.start()
        with self.daemon.connect() as c:
            self.reads_go_on(c)
            self.refused(c, "NoRoom", "inodes")
        assert self.daemon.stop() == 0, self.daemon.said
        self.fill(2)        # where it listens, and the next segment
        self.start()
        with self.daemon.connect() as c:
            self.reads_go_on(c)
        self.empty()
        self.resumes()


class Descriptors(Scene):
    """The limit falls below what is open; then many come at once."""

    def limit(self, number):
        _, hard = resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE,
                         (number, hard))

    def drama(self):
        with self.daemon.connect() as c:
            before = resource.prlimit(self.daemon.pid,
                                      resource.RLIMIT_NOFILE)[0]
            self.limit(8)
            self.refused(c, "Busy", "open files")
            self.reads_go_on(c)
            self.until(lambda: "open files" in c.call("Stat", {})["Trouble"],
                       "Stat to tell it")
            self.limit(before)
            self.resumes()
        self.daemon.kill()
        self.crowd()

    def crowd(self):
        """More connections than there are descriptors for: files come first."""
        assert self.daemon.start(preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_NOFILE, (100, 100))) is not None, self.daemon.said
        many = []
        for _ in range(200):
            try:
                many.append(self.daemon.connect(5))
            except GONE:
                pass
        assert 20 < len(many) < 60, len(many)
        self.reads_go_on(many[0])
        for i in range(50):
            told = self.try_put(many[0], f"probe{i}")
            assert told[0] == "ok", f"a put among many connections: {told}"
        settled(many[0])
        for connection in many:
            connection.socket.close()
        self.resumes()


class Memory(Scene):
    """The address space is used up to its limit by large requests."""

    def limit(self, more):
        """What it has now and so many bytes; None: as it was."""
        pages = int(Path(f"/proc/{self.daemon.pid}/statm").read_text()
                    .split()[0])
        limit = resource.RLIM_INFINITY if more is None else \
            pages * resource.getpagesize() + more
        resource.prlimit(self.daemon.pid, resource.RLIMIT_AS,
                         (limit, resource.RLIM_INFINITY))

    def drama(self):
        for more in (0, 1 << 20, 8 << 20):
            self.limit(more)
            self.press()
            assert self.daemon.is_up(), \
                f"it fell: {self.daemon.kill()} {self.daemon.said[-2000:]}"
            self.limit(None)
            self.resumes()

    def press(self):
        """Requests and replies that take much, many at a time."""
        keys = [{"id": f"b{i}"} for i in range(20)]
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            many = []
            try:
                for i in range(16):
                    many.append(self.daemon.connect(2))
                    many[-1].send("PutItem", {"TableName": "ballast", "Item": {
                        "id": f"m{i}", "text": BIG}}, PLAIN)
                    many[-1].send("BatchGetItem", {"RequestItems": {
                        "ballast": {"Keys": keys}}}, PLAIN)
                for connection in many:
                    for _ in range(2):
                        status = connection.hear()[1]
                        self.history.count_refused(f"status {status}")
            except GONE:
                self.history.count_refused("closed")
            for connection in many:
                connection.socket.close()


SCENES = {"disk": Disk, "inodes": Inodes, "descriptors": Descriptors,
          "memory": Memory}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--store", required=True, help="the program bothy-store")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("scenes", nargs="*", metavar="SCENE")
    args = p.parse_args()
    disk.alone()
    failed = False
    for name in args.scenes or SCENES:
        scene = SCENES[name]
        begin = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="bothy-exhaust-") as work:
            played = scene(args, work)
            try:
                wrong = played.play()
            except disk.Missing as why:
                print(f"exhaust: {name}: NOT TESTED: {why}", flush=True)
                continue
            log = played.daemon.log() if played.daemon else ""
        for what in wrong:
            print(f"FAILED {name}: {str(what)[:3000]}")
            failed = True
        if wrong:
            print(log[-3000:])
        refused = ", ".join(f"{k} {v} times" for k, v in
                            sorted(played.history.refused.items()))
        print(f"exhaust: {name}: {time.monotonic() - begin:.1f} s; clients "
              f"heard {refused or 'no refusal'}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
