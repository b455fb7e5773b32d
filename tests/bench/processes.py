"""The processes of a benchmark: started, watched, measured, and ended by pid.

Daemons that detach come back to us, because we are a child subreaper; so at
the end every process that the benchmark started is a descendant of this one,
and none is left.
"""
import ctypes
import glob
import os
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
START_S = 10        # for a daemon until it listens
END_S = 5           # from TERM to KILL


class BenchError(Exception):
    """What stops the benchmark, as a sentence for who runs it."""


def adopt_descendants():
    """Ends with our parent; detached descendants become our children."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) or \
            prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0):
        raise BenchError('cannot become a child subreaper')


def children_of(pid):
    found = []
    for path in glob.glob('/proc/%d/task/*/children' % pid):
        try:
            with open(path) as f:
                found += [int(word) for word in f.read().split()]
        except OSError:
            pass        # it ended in the meantime
    return found


def descendants_of(pid):
    found = children_of(pid)
    for child in found:
        found += children_of(child)
    return found


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def tail(path, size=2000):
    try:
        with open(path, 'rb') as f:
            return f.read()[-size:].decode(errors='replace').strip()
    except OSError:
        return ''


def listens(where):
    """True if a port (int) or a unix socket (path) takes connections."""
    kind = socket.AF_INET if isinstance(where, int) else socket.AF_UNIX
    address = ('127.0.0.1', where) if isinstance(where, int) else where
    with socket.socket(kind) as s:
        s.settimeout(1)
        try:
            s.connect(address)
        except OSError:
            return False
        return True


class Processes:
    """What was started: name -> Popen, each with a log file of its own."""

    def __init__(self, log_dir, env):
        self.log_dir = log_dir
        self.env = env
        self.running = {}

    def start(self, name, argv, where):
        """Starts a daemon and waits until it listens at `where`."""
        log = os.path.join(self.log_dir, name + '.log')
        with open(log, 'wb') as out:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=out, env=self.env)
        self.running[name] = process
        until = time.monotonic() + START_S
        while not listens(where):
            if process.poll() is not None or time.monotonic() > until:
                raise BenchError('%s does not start:\n%s' % (name, tail(log)))
            time.sleep(0.02)
        return process.pid

    def pid(self, name):
        return self.running[name].pid

    def stop(self, name):
        process = self.running.pop(name)
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop_all(self):
        for name in reversed(list(self.running)):
            self.stop(name)
        end_descendants()


def end_descendants():
    """Ends what has detached itself, TERM first, and waits for it."""
    until = time.monotonic() + END_S
    asked = set()
    while True:
        reap()
        left = descendants_of(os.getpid())
        if not left:
            return
        late = time.monotonic() > until
        for pid in left:
            if late or pid not in asked:
                asked.add(pid)
                send_signal(pid, signal.SIGKILL if late else signal.SIGTERM)
        time.sleep(0.05)


def send_signal(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def memory_of(pid):
    """(RSS, PSS) in KB; PSS is None where it may not be read; None: gone."""
    try:
        with open('/proc/%d/smaps_rollup' % pid) as f:
            fields = dict(line.split()[:2] for line in list(f)[1:])
        return int(fields['Rss:']), int(fields['Pss:'])
    except (OSError, KeyError, ValueError):
        pass
    try:
        with open('/proc/%d/status' % pid) as f:
            for line in f:
                if line.startswith('VmRSS:'):
                    return int(line.split()[1]), None
    except OSError:
        pass
    return None
