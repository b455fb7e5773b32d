"""Concurrent clients of a bothy-store that is killed again and again: what
they saw must be the story of one store.

    linear.py --store PROGRAM --recorder record.so [--kills N] [--seed N]
        [--planted PROGRAM]

Operations on single keys are held against a register (linear_check.py),
transactions against a replay of the journal (linear_replay.py), and between
two lives of the daemon files against index, and the history against git.
"""

import argparse
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

from daemon import (GONE, NOT_DONE, Daemon, Fault, fault_of, plants,
                    settled)
from linear_check import FOR_EVER, Op, core, linearizable, selftest
from linear_replay import (KEYS, Act, Check, Read, Story, Transaction,
                           key_of, key_value)

CLIENTS = 6
KEYS_AT_ONCE = 4        # of the register's table
TRIES = 24              # until a planted mistake has to show
OPS_OF_KEY = 250        # then it is left alone, but for a last look
PLAIN, WAIT_FILE = 1, 2
HELD = 0.004            # seconds for which a reader has a file open
LONG = 250_000          # of a document that takes longer than its successor
LONGS_OF_LIFE = 12      # such documents, and each client's turns: all that
TURNS_OF_LIFE = 500     # is written between two looks is less than...
JOURNAL_BYTES = 8 << 20     # ...the journal keeps
OLD_KEYS = 20           # that are left alone, looked at now and then
PATIENCE = 120          # seconds for what should take a moment
AT_ONCE = 8             # transactions that wait together
APART = 98              # keys without a document, between those of a pair


class History:
    """What all clients did; each appends under the lock."""

    def __init__(self):
        self.lock = threading.Lock()
        self.ops = {}           # by key
        self.transactions, self.reads = [], []
        self.again = []         # transactions whose outcome is unknown
        self.done = []          # the last ones that were done
        self.refused = {}       # how often, by name
        self.numbers = itertools.count()
        self.ages = [0] * KEYS_AT_ONCE
        self.touched = set()    # keys, since the last look
        self.longs = 0          # documents, likewise

    def add(self, key, op):
        with self.lock:
            self.ops.setdefault(key, []).append(op)
            self.touched.add(key)

    def in_use(self):
        """The keys that are worked on now."""
        with self.lock:
            for slot, age in enumerate(self.ages):
                while len(self.ops.get(f"k{slot}-{age}", ())) >= OPS_OF_KEY:
                    age += 1
                self.ages[slot] = age
            return [f"k{slot}-{age}" for slot, age in enumerate(self.ages)]

    def take_long(self):
        """May one more long document be written before the next look?"""
        with self.lock:
            self.longs += 1
            return self.longs <= LONGS_OF_LIFE

    def take_touched(self):
        with self.lock:
            touched, self.touched, self.longs = self.touched, set(), 0
        return touched

    def count_refused(self, name):
        with self.lock:
            self.refused[name] = self.refused.get(name, 0) + 1


def state_of(item):
    return (item["v"]["S"], int(item["n"]["N"])) if item else None


# --- one client -------------------------------------------------------------------

class Client(threading.Thread):
    """Does this and that until it is told to stop, over any daemon's end."""

    def __init__(self, history, daemon, rng, limit=None,
                 seconds=PATIENCE, own=None):
        super().__init__(daemon=True)
        self.own = own          # a key that nobody else writes
        self.history, self.target, self.rng = history, daemon, rng
        self.limit, self.seconds = limit, seconds
        self.stopping = threading.Event()
        self.connection = None
        self.seen = {}          # the last state of each key
        self.failed = None

    def run(self):
        try:
            turns = itertools.count() if self.limit is None \
                else range(self.limit)
            for _ in turns:
                if self.stopping.is_set():
                    break
                self.turn()
        except Exception as error:  # pylint: disable=broad-except
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.failed = f"{where.name}: {error!r}"

    def turn(self):
        if self.connection is None:
            try:
                self.connection = self.target.connect(self.seconds)
            except (*GONE, FileNotFoundError, AssertionError):
                time.sleep(0.005)
                return
        self.act()

    def act(self):
        with self.history.lock:
            again = self.history.again.pop() if self.history.again else None
            done = self.rng.choice(self.history.done or [None])
        kind = self.rng.random()
        if again:
            self.write(again)
        elif self.own and kind < 0.04 and self.history.take_long():
            self.put_and_look()
        elif kind < 0.6:
            self.operate()
        elif kind < 0.8:
            self.read()
        elif done and kind < 0.83:
            self.write_again(done)
        else:
            self.write(self.transaction())

    def call(self, name, body):
        """(outcome, reply): ok, a fault's name, Gone, or Late: the daemon is
        there, does not answer, and may yet do it."""
        try:
            return "ok", self.connection.call(name, body)
        except Fault as error:
            if error.name in NOT_DONE:
                time.sleep(0.002)
            return fault_of(error), error.body
        except GONE as error:
            self.connection.socket.close()
            self.connection = None
            return "Late" if isinstance(error, TimeoutError) else "Gone", {}

    # --- operations on one key ------------------------------------------------

    def operate(self):
        key = self.rng.choice(self.history.in_use())
        kind = self.rng.choice(["get", "get", "put", "create", "swap", "add",
                                "add", "remove"])
        op = Op(kind, 0, 0, v=f"v{next(self.history.numbers)}")
        if kind == "swap":
            if not self.seen.get(key):
                return
            op.expected = self.seen[key][0]
        self.do(key, op)

    def put_and_look(self):
        """Of two writes the file has the second, when that is answered."""
        texts = [f"v{next(self.history.numbers)}" for _ in range(2)]
        try:
            for text, size, flags in zip(texts, (LONG, 0), (0, WAIT_FILE)):
                self.connection.send("PutItem", {
                    "TableName": "register", "Item": {
                        "id": self.own, "v": text, "x": "x" * size}},
                    flags | PLAIN)
            refused = [self.connection.hear()[1] for _ in texts]
        except GONE:
            self.connection.socket.close()
            self.connection = None
            return
        if not any(refused):
            self.look_at_file(texts[1])
            time.sleep(HELD)
            self.look_at_file(texts[1])

    def look_at_file(self, text):
        path = Path(self.target.directory, "data/register",
                    f"{self.own}.json")
        try:
            there = path.read_text()
        except FileNotFoundError:
            there = "not there"
        except OSError:         # the disk went meanwhile
            return
        assert f'"{text}"' in there, \
            f"{path.name} is {there[:60]} when {text} is answered"

    def do(self, key, op):
        op.begin = time.monotonic()
        outcome, reply = self.call(*request(key, op))
        op.end = time.monotonic()
        if outcome == "ok":
            op.seen = self.seen[key] = state_of(
                reply.get("Item") or reply.get("Attributes"))
        elif outcome == "Condition":
            op.outcome = "failed"
            op.seen = self.seen[key] = state_of(reply.get("Item"))
        elif op.kind == "get" or outcome in NOT_DONE:
            self.history.count_refused(outcome)
            return
        else:
            self.history.count_refused(outcome)
            op.outcome = "unknown"
            if outcome != "Gone":   # it may be done by the next start
                op.end = FOR_EVER
        self.history.add(key, op)

    # --- transactions ----------------------------------------------------------

    def place(self):
        if self.rng.random() < 0.5:
            return "left", (f"l{self.rng.randrange(4)}",)
        return "right", (f"r{self.rng.randrange(2)}",
                         str(self.rng.randrange(-1, 2)))

    def places(self, most=4):
        return list({self.place(): 0
                     for _ in range(self.rng.randint(1, most))})

    def transaction(self):
        acts = []
        for table, key in self.places():
            kind = self.rng.choice(["Put", "Put", "Update", "Update",
                                    "Delete", "ConditionCheck"])
            expected = self.rng.choice(
                [None, "there", self.rng.randrange(4)]
                if kind == "ConditionCheck" else
                [True] * 5 + [None, "there", self.rng.randrange(4)])
            acts.append(Act(kind, table, key, self.rng.randrange(4),
                            expected))
        t = Transaction(f"t{next(self.history.numbers)}", acts,
                        time.monotonic())
        with self.history.lock:
            self.history.transactions.append(t)
        return t

    def write(self, t):
        """Tries it, perhaps again: its token makes that safe."""
        t.tries += 1
        t.last_begin = time.monotonic()
        name, body = write_request(t, alone=t.tries == 1 and len(t.acts) == 1
                                   and t.acts[0].kind == "Put"
                                   and self.rng.random() < 0.5)
        outcome, reply = self.call(name, body)
        end = time.monotonic()
        if outcome in ("Canceled", "Condition"):
            told = reply.get("CancellationReasons", [
                {"Code": "ConditionalCheckFailed", **reply}])
            t.reasons = [r["Code"] for r in told]
            t.items = [r.get("Item") for r in told]
            t.outcome, t.end = "canceled", end
        elif outcome == "ok":
            t.outcome, t.end = "ok", end
            if name == "TransactWriteItems":
                with self.history.lock:
                    self.history.done = self.history.done[-20:] + [t]
        else:
            self.history.count_refused(outcome)
            if outcome in NOT_DONE and t.tries == 1:
                t.outcome, t.end = "refused", end
            elif name == "TransactWriteItems":
                with self.history.lock:
                    self.history.again.append(t)

    def write_again(self, t):
        """As one that was never told would: nothing more is done."""
        outcome, _ = self.call(*write_request(t, alone=False))
        if outcome != "ok":
            self.history.count_refused(outcome)
        assert outcome not in ("Canceled", "TokenMismatch"), \
            f"{t} was done, and then {outcome}"

    def read(self):
        places = self.places(30)
        begin = time.monotonic()
        outcome, reply = self.call("TransactGetItems", {"TransactItems": [
            {"Get": {"TableName": table, "Key": key_value(table, key)}}
            for table, key in places]})
        if outcome != "ok":
            self.history.count_refused(outcome)
            return
        with self.history.lock:
            self.history.reads.append(Read(
                places, begin, time.monotonic(),
                [r.get("Item") for r in reply["Responses"]]))


class PairWriter(Client):
    """Puts two documents together, many times in little time."""

    number = 0

    def act(self):
        try:
            for _ in range(AT_ONCE):
                PairWriter.number += 1
                self.connection.send("TransactWriteItems", {"TransactItems": [
                    {"Put": {"TableName": "pairs", "Item": {
                        "id": key, "n": PairWriter.number}}}
                    for key in "ab"]}, PLAIN)
            for _ in range(AT_ONCE):
                self.connection.hear()
        except GONE:
            self.connection.socket.close()
            self.connection = None


class PairReader(Client):
    """Finds them alike, though its read has them far apart."""

    keys = ["a", *(f"none{i}" for i in range(APART)), "b"]

    def act(self):
        outcome, reply = self.call("TransactGetItems", {"TransactItems": [
            {"Get": {"TableName": "pairs", "Key": {"id": {"S": key}}}}
            for key in self.keys]})
        if outcome == "ok":
            one, other = (reply["Responses"][i].get("Item", {}).get("n")
                          for i in (0, -1))
            assert one == other, f"a read saw half a transaction: {one} " \
                f"without {other}"


class Reader(threading.Thread):
    """Has documents' files open for a while: each stays as it was."""

    def __init__(self, history, directory):
        super().__init__(daemon=True)
        self.history = history
        self.table = Path(directory, "data/register")
        self.stopping = threading.Event()
        self.read, self.wrong = 0, []

    def run(self):
        while not self.stopping.is_set() and not self.wrong:
            for key in self.history.in_use():
                try:
                    self.hold(self.table / f"{key}.json")
                except FileNotFoundError:
                    pass
            time.sleep(0.001)

    def hold(self, path):
        with open(path, "rb") as f:
            first = f.read()
            time.sleep(HELD)
            f.seek(0)
            again = f.read()
        self.read += 1
        if again != first or f'"{path.stem}"'.encode() not in first:
            self.wrong.append(f"a reader of {path.name} saw {first}, then "
                              f"{again}")


def request(key, op):
    """The operation and its body."""
    body = {"TableName": "register"}
    name = {"get": "GetItem", "add": "UpdateItem",
            "remove": "DeleteItem"}.get(op.kind, "PutItem")
    if name == "PutItem":
        body["Item"] = {"id": {"S": key}, "v": {"S": op.v}, "n": {"N": "0"}}
    else:
        body["Key"] = {"id": {"S": key}}
    if op.kind == "get":
        body["ConsistentRead"] = True
        return name, body
    body["ReturnValues"] = "ALL_NEW" if op.kind == "add" else "ALL_OLD"
    if op.kind == "add":
        body.update(UpdateExpression="SET v = :v ADD n :n",
                    ExpressionAttributeValues={":v": {"S": op.v},
                                               ":n": {"N": "1"}})
    elif op.kind in ("create", "swap"):
        body.update(ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    ConditionExpression="attribute_not_exists(id)"
                    if op.kind == "create" else "v = :v")
        if op.kind == "swap":
            del body["ReturnValues"]
            body["ExpressionAttributeValues"] = {":v": {"S": op.expected}}
    return name, body


def write_request(t, alone):
    parts = [{a.kind: part(a, t.token)}
             for a in t.acts]
    if alone:
        return "PutItem", parts[0]["Put"]
    return "TransactWriteItems", {"TransactItems": parts,
                                  "ClientRequestToken": t.token}


def part(a, token):
    body, values = {"TableName": a.table}, {}
    if a.kind == "Put":
        body["Item"] = {**key_value(a.table, a.key), "by": {"S": token},
                        "n": {"N": str(a.n)}}
    else:
        body["Key"] = key_value(a.table, a.key)
    if a.kind == "Update":
        body.update(UpdateExpression="SET #by = :by ADD n :d",
                    ExpressionAttributeNames={"#by": "by"})
        values = {":by": {"S": token}, ":d": {"N": str(a.n)}}
    if a.expected is None:
        body["ConditionExpression"] = "attribute_not_exists(id)"
    elif a.expected == "there":
        body["ConditionExpression"] = "attribute_exists(id)"
    elif a.expected is not True:
        body["ConditionExpression"] = "n = :n"
        values[":n"] = {"N": str(a.expected)}
    if values:
        body["ExpressionAttributeValues"] = values
    if a.expected is not True:
        body["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    return body


# --- a store and what is looked at ---------------------------------------------------

def make_tables(connection):
    connection.table("register")
    connection.table("left")
    connection.call("CreateTable", {
        "TableName": "right", "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"},
                      {"AttributeName": "at", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"}]})


def look(history, connection, rng=None):
    """Every key of the register once more; with `rng` those that something
    was done to since the last look, and some that are left alone."""
    keys = list(history.ops)
    touched = history.take_touched()
    if rng:
        touched.update(rng.sample(keys, min(OLD_KEYS, len(keys))))
        keys = sorted(touched)
    for key in keys:
        op = Op("get", time.monotonic(), 0)
        op.seen = state_of(connection.call(*request(key, op)).get("Item"))
        op.end = time.monotonic()
        history.add(key, op)
    history.take_touched()


def scan(connection, table, flags=0):
    items, body = [], {"TableName": table}
    while True:
        reply = connection.call("Scan", body, flags)
        items += reply["Items"]
        if "LastEvaluatedKey" not in reply:
            return items
        body["ExclusiveStartKey"] = reply["LastEvaluatedKey"]


def by_text(items):
    return sorted(json.dumps(i, sort_keys=True) for i in items)


def compare_files(directory, connection, wrong):
    """The documents' files are what the index has, and nothing else."""
    settled(connection)
    for table in ("register", "left", "right"):
        files = []
        for path in Path(directory, "data", table).rglob("*.json"):
            if path.name.startswith("."):
                continue
            try:
                files.append(json.loads(path.read_text()))
            except ValueError:
                wrong.append(f"{path} is torn: {path.read_bytes()[:200]}")
        told = by_text(scan(connection, table, PLAIN))
        if by_text(files) != told:
            wrong.append(f"{table}: files {set(by_text(files)) ^ set(told)} "
                         "differ from the index")
    left = list(Path(directory, "conflicts").rglob("*"))
    if left:
        wrong.append(f"conflicts without an edit: {left[:5]}")


def compare_history(directory, wrong, end=None):
    """git has nothing to say of it; with `end` it has all up to there."""
    def git(*arguments):
        return subprocess.run(
            ["git", "-c", "safe.directory=*", "-C", f"{directory}/history.git",
             *arguments], capture_output=True, text=True, check=False)
    said = git("fsck", "--full", "--strict", "--no-dangling")
    if said.returncode or "error" in said.stderr:
        wrong.append(f"git fsck: {said.stdout}{said.stderr}")
    told = git("log", "-1", "--format=%(trailers:key=Bothy-Position,"
               "valueonly)").stdout.strip()
    if end is not None and told != str(end):
        wrong.append(f"the last commit is of {told}, the journal's end {end}")


def check(history, story):
    """What is wrong with what was seen, given the journal of a closed store:
    `story` has what of it was read before."""
    story.read()
    wrong = [f"the journal's line at {position} was another before"
             for position in story.journal.changed()]
    for key, ops in history.ops.items():
        if not linearizable(ops):
            wrong.append(f"{key} can't be explained, ending with:\n    "
                         + "\n    ".join(map(str, core(ops))))
    with history.lock:
        wrong += Check(story, history.transactions, history.reads).run()
    return wrong


def compare_story(story, connection, wrong):
    """The documents at the end are those of the journal."""
    final = story.final()
    for table in KEYS:
        found = {key_of(table, i): i for i in scan(connection, table)}
        if found != final.get(table, {}):
            wrong.append(f"{table} holds {found}, the journal says "
                         f"{final.get(table)}")


# --- lives and deaths ----------------------------------------------------------------

def sync(path):
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


class Run:
    checkpoint_ms = 50

    def __init__(self, args, work, program, plant=None):
        self.args, self.rng = args, random.Random(args.seed)
        self.directory = Path(work, "store")
        self.daemon = Daemon(program, self.directory,
                             "--checkpoint-ms", str(self.checkpoint_ms),
                             "--segment-bytes", "65536", force=True)
        self.env = dict(os.environ)
        if plant:
            self.env["BOTHY_PLANT"] = plant
        self.directory.mkdir()
        settings = self.directory / "settings"
        settings.write_text(json.dumps({"journalBytes": JOURNAL_BYTES}))
        for path in (settings, self.directory, self.directory.parent):
            sync(path)      # it is not the store's: a power cut may come
        self.history, self.story = History(), Story(self.directory)
        self.wrong = []
        self.started = []       # seconds that each start took
        self.files_read = 0

    def start(self):
        slow = {} if self.rng.random() < 0.5 else {
            "LD_PRELOAD": self.args.recorder, "CRASH_SLOW": "5",
            "CRASH_ROOT": str(self.directory)}
        took = self.daemon.start(env={**self.env, **slow})
        if took is None:
            self.wrong.append(f"it doesn't start: {self.daemon.said}")
        else:
            self.started.append(took)
        return took is not None

    def clients(self, number, pairs=False):
        found = [Client(self.history, self.daemon,
                        random.Random(self.rng.random()), TURNS_OF_LIFE,
                        own=f"w{i}") for i in range(number)]
        if pairs:
            found += [kind(self.history, self.daemon, self.rng, TURNS_OF_LIFE)
                      for kind in (PairWriter, PairReader)]
        for client in found:
            client.start()
        return found

    def all(self):
        if not self.start():
            return
        with self.daemon.connect() as c:
            make_tables(c)
            c.table("pairs")
        reader = Reader(self.history, self.directory)
        reader.start()
        for life in range(self.args.kills + 1):
            self.live(life)
            self.wrong += reader.wrong
            if self.wrong:
                break
        reader.stopping.set()
        reader.join(PATIENCE)
        self.files_read = reader.read
        if not self.wrong:
            self.end()

    def live(self, life):
        """Clients, a kill, and the next start; sometimes a look around."""
        clients = self.clients(CLIENTS, pairs=life % 2 == 0)
        time.sleep(self.rng.uniform(*self.args.seconds))
        if not self.daemon.is_up():
            self.wrong.append(f"it ended by itself: {self.daemon.kill()} "
                              f"{self.daemon.said}")
        if life == self.args.kills:
            self.join(clients)
            return
        self.daemon.kill()
        self.join(clients)
        if self.rng.random() < 0.1:
            shutil.rmtree(self.directory / "index")
        if not self.start():
            return
        self.look_around(files=life % 4 == 0)
        if life % 10 == 9:
            compare_history(self.directory, self.wrong)

    def look_around(self, files):
        """After a start, before clients come: what the journal has lasts."""
        with self.daemon.connect() as c:
            self.story.read(c.call("Stat", {})["Journal"]["End"])
            look(self.history, c, self.rng)
            if files:
                compare_files(self.directory, c, self.wrong)

    def join(self, clients):
        for client in clients:
            client.stopping.set()
        for client in clients:
            client.join(PATIENCE)
            if client.failed or client.is_alive():
                self.wrong.append(f"a client hangs or fell: {client.failed}")
            if client.connection:
                client.connection.socket.close()
        for name, what in (("Late", f"had no answer for {PATIENCE} s"),
                           ("NoRoom", "were refused: the disk is too small "
                            "to show anything")):
            if name in self.history.refused:
                self.wrong.append(f"{self.history.refused[name]} requests "
                                  f"{what}")

    def end(self):
        """Left clean, judged, and opened once more."""
        with self.daemon.connect() as c:
            look(self.history, c)
            compare_files(self.directory, c, self.wrong)
            journal_end = settled(c)["Journal"]["End"]
        if self.daemon.stop() != 0:
            self.wrong.append(f"it left with an error: {self.daemon.said}")
        compare_history(self.directory, self.wrong, journal_end)
        self.wrong += check(self.history, self.story)
        if self.start():
            with self.daemon.connect() as c:
                compare_story(self.story, c, self.wrong)
                compare_files(self.directory, c, self.wrong)

    def summary(self):
        h = self.history
        ops = sum(map(len, h.ops.values()))
        return (f"linear: {ops} operations on {len(h.ops)} keys, "
                f"{len(h.transactions)} transactions, {len(h.reads)} reads of "
                f"several, {self.files_read} of files, {self.story} in "
                f"{self.args.kills} kills, slowest start "
                f"{max(self.started, default=0):.2f} s, seed {self.args.seed}")


def keep(directory):
    """Leaves a copy of a store in which something is wrong; says where."""
    kept = tempfile.mkdtemp(prefix="bothy-crash-kept-", dir="/tmp")
    try:
        shutil.copytree(directory, f"{kept}/store",
                        ignore=shutil.ignore_patterns("*.sock", "*.mdb"))
    except (shutil.Error, OSError) as error:
        return f"(left in {kept}, but {str(error)[:300]}"
    return f"(left in {kept}"


def attack(args, program, plant=None):
    """A store from its beginning to its end: its Run, judged."""
    with tempfile.TemporaryDirectory(prefix="bothy-linear-") as work:
        run = Run(args, work, program, plant)
        try:
            run.all()
        except (*GONE, AssertionError, Fault) as error:
            run.wrong.append(repr(error))
        finally:
            if run.daemon.is_up():
                run.daemon.kill()
        if run.wrong and not plant:
            run.wrong.append(keep(run.directory) + "; again: linear.py "
                             f"--kills {args.kills} --seed {args.seed})")
    return run


def find_planted(args):
    """How many mistakes survived, each tried until it shows."""
    survived = 0
    for name in plants("linear"):
        for again in range(TRIES):
            args.seed += 1
            run = attack(args, args.planted, name)
            if run.wrong:
                break
        survived += not run.wrong
        how = str(run.wrong[0])[:110] if run.wrong else "SURVIVED"
        print(f"linear: {name}, run {again + 1}: {how}", flush=True)
    return survived


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--store", required=True, help="the program bothy-store")
    p.add_argument("--recorder", required=True, help="record.so, which makes "
                   "some of its lives slow")
    p.add_argument("--kills", type=int, default=20)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--seconds", type=float, nargs=2, default=(0.02, 0.3),
                   help="that a life lasts, from and to")
    p.add_argument("--planted", help="bothy-store with mistakes in it: each "
                   "must be found")
    args = p.parse_args()
    args.recorder = str(Path(args.recorder).resolve())
    selftest()
    run = attack(args, args.store)
    print(run.summary(), flush=True)
    for what in run.wrong[:10]:
        print(f"FAILED: {str(what)[:4000]}")
    if args.planted:
        args.kills = 12
    survived = find_planted(args) if args.planted else 0
    sys.exit(1 if run.wrong or survived else 0)


if __name__ == "__main__":
    main()
