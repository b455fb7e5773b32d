"""Processes of a test run: found through /proc, ended by their ids."""
import os
import signal
import time


PATIENCE = 60.0     # no wait is shorter: a machine may be busy


def wait_for(condition, seconds=PATIENCE, what="a condition"):
    """Polls until condition() is true, and gives its value."""
    seconds = max(seconds, PATIENCE)
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("waited %.1f s for %s" % (seconds, what))
        time.sleep(0.005)


def read(pid, name):
    try:
        with open("/proc/%d/%s" % (pid, name), "rb") as f:
            return f.read()
    except OSError:
        return b""


def link(pid, name):
    try:
        return os.readlink("/proc/%d/%s" % (pid, name)).encode()
    except OSError:
        return b""


def pids():
    return [int(n) for n in os.listdir("/proc") if n.isdigit()]


def arguments(pid):
    return read(pid, "cmdline").split(b"\0")[:-1]


def state(pid):
    """"R", "S", "Z", ...; "" if there is no such process."""
    text = read(pid, "stat").rpartition(b") ")[2]
    return text[:1].decode()


def parent(pid):
    fields = read(pid, "stat").rpartition(b") ")[2].split()
    return int(fields[1]) if len(fields) > 1 else 0


def alive(pid):
    return state(pid) not in ("", "Z")


def uid(pid):
    try:
        return os.stat("/proc/%d" % pid).st_uid
    except OSError:
        return -1


def mentions(pid, text):
    """Does a process run from, in, or with anything below a directory?"""
    text = text.encode()
    return any(text in part for part in (
        read(pid, "cmdline"), link(pid, "exe"), link(pid, "cwd"),
        read(pid, "environ")))


def below(root):
    """All live processes that have to do with a directory, but our own."""
    return [p for p in pids()
            if p != os.getpid() and alive(p) and mentions(p, root)]


def descendants(pid):
    children = {}
    for p in pids():
        children.setdefault(parent(p), []).append(p)
    found, queue = [], [pid]
    while queue:
        for child in children.get(queue.pop(), []):
            found.append(child)
            queue.append(child)
    return found


def describe(found):
    return ["%d %s %s" % (p, state(p),
                          b" ".join(arguments(p)).decode(errors="replace"))
            for p in found]


def end(pid, sig=signal.SIGTERM):
    try:
        os.kill(pid, sig)
    except ProcessLookupError:
        pass


def stop(process, seconds=PATIENCE):
    """TERM to a Popen, KILL if it doesn't leave; its exit status."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(seconds)
        except Exception:
            process.kill()
            process.wait()
            raise AssertionError("%s did not leave within %d s of SIGTERM" %
                                 (process.args[0], seconds)) from None
    return process.returncode
