"""Transactions against several keys and tables: the journal's units, in order,
through a plain model; every outcome and every read must fit to it.

A unit that a client caused is known by its token, or by what the item that it
puts says in `by`."""

import json
from bisect import bisect_left
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

KEYS = {"left": ("id",), "right": ("id", "at")}


@dataclass
class Act:
    """One part of a transaction, or a write by itself."""
    kind: str           # Put Update Delete ConditionCheck
    table: str
    key: tuple
    n: int = 0          # Put: n of the item; Update: what is added to it
    expected: object = True     # None: absent; a number: n is so; True: any;
    #                             "there": present


@dataclass
class Transaction:
    """What one client wrote under one token, tried once or more often."""
    token: str
    acts: list
    begin: float
    tries: int = 0
    last_begin: float = 0
    end: float = float("inf")
    outcome: str = "unknown"    # ok canceled refused unknown
    reasons: list = field(default_factory=list)
    items: list = field(default_factory=list)


@dataclass
class Read:
    """One TransactGetItems."""
    keys: list          # (table, key)
    begin: float
    end: float
    items: list


def key_of(table, item):
    return tuple(next(iter(item[name].values())) for name in KEYS[table])


def key_value(table, key):
    kinds = {"id": "S", "at": "N"}
    return {name: {kinds[name]: part}
            for name, part in zip(KEYS[table], key)}


def met(act, item):
    """Its condition holds."""
    if act.expected is True:
        return True
    if act.expected is None:
        return item is None
    if act.expected == "there":
        return item is not None
    return item is not None and item["n"]["N"] == str(act.expected)


def effect(act, token, item):
    """The item after it; None if none is left."""
    if act.kind == "ConditionCheck":
        return item
    if act.kind == "Delete":
        return None
    n = act.n if act.kind == "Put" else act.n + int(
        item["n"]["N"] if item else 0)
    return {**key_value(act.table, act.key), "by": {"S": token},
            "n": {"N": str(n)}}


# --- the journal ----------------------------------------------------------------

HEAD = 53               # bytes of a line before its unit (segment.h)


class Journal:
    """The units of a store's journal, read on from life to life: the store
    lets go of old ones, and what it keeps stays as it was."""

    def __init__(self, directory):
        self.directory = Path(directory, "journal")
        self.begin = self.next = None   # positions: kept from, read up to
        self.lines = {}         # position: checksum of the whole line

    def segments(self):
        """(position, file) of those that have a line, in order."""
        for path in sorted(self.directory.glob("*.jsonl")):
            try:
                f = open(path, "rb")
            except FileNotFoundError:   # let go meanwhile
                continue
            with f:
                head = f.read(HEAD)
                if head.strip(b"\0"):
                    f.seek(0)
                    yield int(json.loads(head + b"0]")[2], 16), f

    def read(self, end=None):
        """Units that were not read yet, up to the position `end`."""
        first = True
        for begin, f in self.segments():
            if first:
                self.begin, first = begin, False
            if self.next is None:
                self.next = begin
            if self.next == end:
                return
            assert begin <= self.next, f"the journal begins at {begin}, " \
                f"and was read up to {self.next}"
            f.seek(self.next - begin)
            for line in f:
                if self.next == end or not line.strip(b"\0"):
                    break
                position, unit = json.loads(line)[2::2]
                assert int(position, 16) == self.next, \
                    f"a line for {position} lies at {self.next:x}"
                self.lines[self.next] = crc32(line)
                self.next += len(line)
                yield unit

    def changed(self):
        """Positions of lines that are not as they were when they were read."""
        for begin, f in self.segments():
            for line in f:
                if begin >= self.next or not line.strip(b"\0"):
                    break
                if self.lines.get(begin) != crc32(line):
                    yield begin
                    break
                begin += len(line)


class Story:
    """The documents after each unit: those of KEYS whole, of others only
    that they changed."""

    def __init__(self, directory):
        self.journal = Journal(directory)
        self.tables = {}        # by id
        self.names = []         # of each unit, by number: token or by
        self.changes = []       # {(table, key): item or None}
        self.versions = {}      # (table, key): [(number of the unit, item)]

    def __str__(self):
        lines = self.journal.lines
        let_go = (self.journal.begin or 0) - min(lines, default=0)
        return f"{len(lines)} units of which {let_go >> 20} MB were let go"

    def read(self, end=None):
        """On to the position `end`, or to the journal's."""
        for unit in self.journal.read(end):
            self.add(unit)

    def add(self, unit):
        if "table" in unit:
            self.tables[unit["table"]["id"]] = unit["table"]["name"]
        changes, name = {}, unit.get("token", [None])[0]
        for change in unit.get("changes", ()):
            table = self.tables[change["t"]]
            item = change.get("new")
            if item and not name:
                name = item.get("by", {}).get("S")
            if table not in KEYS:
                changes[table, str(change.get("key"))] = "another's"
                continue
            changes[table, key_of(table, item or change["key"])] = item
        number = len(self.names)
        self.names.append(name)
        self.changes.append(changes)
        for place, item in changes.items():
            if place[0] in KEYS:
                self.versions.setdefault(place, [(-1, None)]).append(
                    (number, item))

    def at(self, place, number):
        """What lay there after unit `number`."""
        versions = self.versions.get(place, [(-1, None)])
        return versions[bisect_left(versions, number + 1,
                                    key=lambda v: v[0]) - 1][1]

    def moments(self, places, low, high):
        """Numbers from low to high at which something of them changed."""
        if low <= high:
            yield low
        found = set()
        for place in places:
            versions = self.versions.get(place, ())
            i = bisect_left(versions, low + 1, key=lambda v: v[0])
            while i < len(versions) and versions[i][0] <= high:
                found.add(versions[i][0])
                i += 1
        yield from sorted(found)

    def final(self):
        """{table: {key: item}} at the end."""
        tables = {}
        for (table, key), versions in self.versions.items():
            if versions[-1][1] is not None:
                tables.setdefault(table, {})[key] = versions[-1][1]
        return tables


# --- what the clients saw ---------------------------------------------------------

class Check:
    """`wrong` gets what doesn't fit, in words."""

    def __init__(self, story, transactions, reads):
        self.story, self.wrong = story, []
        self.transactions = transactions
        self.reads = reads
        self.place = {}         # number of a unit, by token
        for number, name in enumerate(story.names):
            if name in self.place:
                self.wrong.append(f"{name} was done twice: units "
                                  f"{self.place[name]} and {number}")
            if name:
                self.place[name] = number

    def run(self):
        for t in self.transactions:
            self.effects(t)
        self.times()
        return self.wrong

    def effects(self, t):
        """A unit is there exactly if it was done, and does just what it says."""
        number = self.place.get(t.token)
        if number is None:
            if t.outcome == "ok" and any(a.kind != "ConditionCheck"
                                         for a in t.acts) and \
                    not self.is_void(t):
                self.wrong.append(f"acknowledged and lost: {t}")
            return
        if t.outcome in ("canceled", "refused"):
            self.wrong.append(f"{t.outcome}, and done all the same: {t}")
        expected = {}
        for act in t.acts:
            place = act.table, act.key
            before = self.story.at(place, number - 1)
            if not met(act, before):
                self.wrong.append(f"done against its condition ({before} at "
                                  f"{place}): {t}")
            after = effect(act, t.token, before)
            if act.kind != "ConditionCheck" and (before or after):
                expected[place] = after
        if expected != self.story.changes[number]:
            self.wrong.append(f"{t} did {self.story.changes[number]}, not "
                              f"{expected}")

    def is_void(self, t):
        """Deletes of what isn't there leave no unit."""
        return all(a.kind in ("Delete", "ConditionCheck") for a in t.acts)

    def times(self):
        """A moment for each, within its time, in an order that fits."""
        done = []               # (end, number): the greatest number so far
        events = [(t.end, t) for t in self.transactions] + \
            [(r.end, r) for r in self.reads]
        begun = sorted((t.begin, self.place[t.token])
                       for t in self.transactions if t.token in self.place)
        least = [len(self.story.names)]         # of all begun from there on
        for _, number in reversed(begun):
            least.append(min(least[-1], number))
        least.reverse()
        for end, what in sorted(events, key=lambda e: e[0]):
            begin = what.begin if isinstance(what, Read) or \
                what.outcome != "canceled" else what.last_begin
            i = bisect_left(done, begin, key=lambda d: d[0])
            low = done[i - 1][1] if i else -1
            high = least[bisect_left(begun, end, key=lambda b: b[0])] - 1
            number = self.moment(what, low, high)
            if number is None:
                self.wrong.append(f"fits nowhere between units {low} and "
                                  f"{high}: {what}")
            elif end != float("inf"):
                done.append((end, max(number, done[-1][1] if done else -1)))

    def moment(self, what, low, high):
        if isinstance(what, Read):
            return self.first(what.keys, low, high, lambda n: all(
                self.story.at(place, n) == item
                for place, item in zip(what.keys, what.items)))
        number = self.place.get(what.token)
        if number is not None:
            return number if low < number <= high else None
        if what.outcome in ("unknown", "refused"):
            return low
        places = [(a.table, a.key) for a in what.acts]
        if what.outcome == "ok":
            return self.first(places, low, high, lambda n: all(
                met(a, self.story.at((a.table, a.key), n))
                for a in what.acts))
        return self.first(places, low, high, lambda n: self.fails_so(what, n))

    def fails_so(self, t, number):
        olds = [self.story.at((a.table, a.key), number) for a in t.acts]
        reasons = ["None" if met(a, old) else "ConditionalCheckFailed"
                   for a, old in zip(t.acts, olds)]
        return reasons == t.reasons and all(
            item == old for reason, item, old in zip(reasons, t.items, olds)
            if reason != "None")

    def first(self, places, low, high, fits):
        return next((n for n in self.story.moments(places, low, high)
                     if fits(n)), None)
