"""A bothy-store under attack, as linear.py, fault.py and exhaust.py run it:
in the foreground, killed and started again on the same directory."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLANTS = HERE.parent.parent / "store/base/plant.h"
sys.path.insert(0, str(HERE.parent / "e2e"))

# pylint: disable=wrong-import-position
from storeclient import Closed, Connection, Fault  # noqa: E402

# What says that nothing has been done (store-wire.5).
NOT_DONE = {"NoRoom", "ReadOnly", "Busy", "Leaving", "Validation", "Denied",
            "NotFound", "InUse", "Limit"}
GONE = (Closed, OSError)


class Daemon:
    """The process; `options` go to it, and to later ones."""

    def __init__(self, program, directory, *options, force=False):
        self.program, self.directory = str(program), str(directory)
        self.options = [*options, "--idle", "0"]
        if force:
            self.options.append("--force")
        self.process = None
        self.said = ""

    def start(self, seconds=60, env=None, **how):
        """Until it answers: the seconds that took, or None if it ended."""
        begin = time.monotonic()
        self.process = subprocess.Popen(
            [self.program, "--dir", self.directory, "--foreground",
             *self.options], env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **how)
        while time.monotonic() < begin + seconds:
            if self.process.poll() is not None:
                self.said = self.process.stderr.read().decode()
                return None
            if self.answers():
                return time.monotonic() - begin
            time.sleep(0.003)
        self.kill()
        raise AssertionError(f"no answer for {seconds} s")

    def answers(self):
        try:
            Connection(self.directory).socket.close()
        except (*GONE, FileNotFoundError):
            return False
        return True

    def connect(self, seconds=20):
        connection = Connection(self.directory)
        connection.socket.settimeout(seconds)
        return connection

    @property
    def pid(self):
        return self.process.pid

    def is_up(self):
        return self.process is not None and self.process.poll() is None

    def kill(self, number=signal.SIGKILL, seconds=60):
        """Its exit status; None if it doesn't end and had to be killed."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        try:
            self.said = self.process.communicate(timeout=seconds)[1].decode()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            return None
        return self.process.returncode

    def stop(self, seconds=60):
        return self.kill(signal.SIGTERM, seconds)

    def log(self):
        try:
            return Path(self.directory, "store.log").read_text()
        except FileNotFoundError:
            return ""


def settled(connection, seconds=120):
    """Waits until the files have what the journal has: the last Stat."""
    end = time.monotonic() + seconds
    while True:
        stat = connection.call("Stat", {})
        if stat["Files"]["Applied"] >= stat["Journal"]["End"]:
            return stat
        if time.monotonic() > end:
            raise AssertionError(f"files lag behind: {stat}")
        time.sleep(0.01)


def plants(subject):
    """The planted mistakes that a program of tests/crash is to find."""
    return [name for name, where in re.findall(
        r"^\tX\((\w+), (\w+),", PLANTS.read_text(), re.M)
        if where == subject]


def fault_of(error):
    """The name of what went wrong: of a Fault, or Gone."""
    return error.name if isinstance(error, Fault) else "Gone"
