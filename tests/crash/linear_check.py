"""What a history of operations is held against: that of one register for each
key, by Wing and Gong's search with Lowe's memory."""

from dataclasses import dataclass

FOR_EVER = float("inf")


@dataclass
class Op:
    """One operation on one key, as its client saw it.

    Its state is a pair (v, n), or None where no document lies.  `seen` is
    what it told of that: before it (get, put, create, swap, remove) or after
    it (add); of a swap that succeeded nothing is told.
    """
    kind: str       # get put create swap add remove
    begin: float
    end: float
    v: str = ""     # what it writes
    expected: str = ""  # swap: v as it must be
    outcome: str = "ok"     # failed: its condition; unknown: not heard of
    seen: object = None


def step(op, state):
    """The state after `op`, as a list of it; [] if it didn't see `state`."""
    told = op.outcome != "unknown"
    met = {"create": state is None,
           "swap": state is not None and state[0] == op.expected}
    if op.kind == "get":
        return [state] if op.seen == state else []
    if not met.get(op.kind, True):
        return [state] if not told or (op.outcome == "failed"
                                       and op.seen == state) else []
    if op.outcome == "failed":
        return []
    after = {"add": (op.v, (state[1] if state else 0) + 1),
             "remove": None}.get(op.kind, (op.v, 0))
    if op.kind == "swap":
        return [after]
    return [after] if not told or op.seen == (
        after if op.kind == "add" else state) else []


def linearizable(ops, state=None):
    """Is there an order of `ops`, each within its time, that explains all?

    What is unknown may have happened within its time, or not at all.
    """
    ops = sorted(ops, key=lambda op: op.begin)
    stack, known = [(0, 0, state)], set()
    while stack:
        # All before `low` have their place, and of the rest those in `done`.
        low, done, state = stack.pop()
        while done & 1:
            low, done = low + 1, done >> 1
        if low == len(ops):
            return True
        if (low, done, state) in known:
            continue
        known.add((low, done, state))
        first_end, at = FOR_EVER, low
        while at < len(ops) and ops[at].begin <= first_end:
            if not done >> (at - low) & 1:
                first_end = min(first_end, ops[at].end)
            at += 1
        for i in range(low, at):
            op, bit = ops[i], 1 << (i - low)
            if done & bit or op.begin > first_end:
                continue
            for after in step(op, state):
                stack.append((low, done | bit, after))
            if op.outcome == "unknown":
                stack.append((low, done | bit, state))
    return False


def core(ops, state=None):
    """A short beginning of `ops` that can't be explained, to be shown."""
    ops = sorted(ops, key=lambda op: op.end)
    low, high = 0, len(ops)
    while low < high:
        middle = (low + high) // 2
        if linearizable(ops[:middle], state):
            low = middle + 1
        else:
            high = middle
    return ops[max(0, low - 12):low]


def selftest():
    """The checker sees what it is there to see."""
    def ops(*rows):
        return [Op(k, b, e, v=v, seen=s) for k, b, e, v, s in rows]
    a, b = ("a", 0), ("b", 0)
    good = [
        ops(("put", 0, 1, "a", None), ("get", 2, 3, "", a)),
        ops(("put", 0, 5, "a", None), ("get", 1, 2, "", None),
            ("get", 3, 4, "", a)),
        ops(("put", 0, 9, "a", None), ("put", 0, 9, "b", a),
            ("get", 10, 11, "", b)),
        [Op("put", 0, 5, "a", outcome="unknown"), Op("get", 6, 7)],
        [Op("put", 0, 5, "a", outcome="unknown"), Op("get", 6, 7, seen=a)],
    ]
    bad = [
        ops(("put", 0, 1, "a", None), ("get", 2, 3, "", None)),
        ops(("put", 0, 9, "a", None), ("get", 1, 2, "", a),
            ("get", 3, 4, "", None)),
        ops(("put", 0, 1, "a", None), ("put", 0, 1, "b", None)),
        ops(("add", 0, 5, "a", ("a", 1)), ("add", 0, 5, "b", ("b", 1))),
        [Op("put", 0, 5, "a", outcome="unknown"), Op("get", 6, 7, seen=a),
         Op("get", 8, 9)],
        [Op("create", 0, 1, "a"), Op("create", 2, 3, "b")],
        [Op("put", 0, 1, "a"), Op("swap", 2, 3, "b", "a", "failed", a)],
    ]
    assert all(map(linearizable, good)), "the checker refuses a good history"
    assert not any(map(linearizable, bad)), "the checker takes a bad history"
