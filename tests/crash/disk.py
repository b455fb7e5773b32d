"""A file system of one's own, in a file: filled up by exhaust.py, and cut off
from its power by powercut.py.  Needs root, a loop device and mkfs."""

import ctypes
import fcntl
import os
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

# _IOR('X', 125, __u32) of linux/fs.h, and how the log is left.
FS_IOC_SHUTDOWN = 0x8004587D
CUTS = {"default": 0, "logflush": 1, "nologflush": 2}

MAKE = {
    "ext4": ["mkfs.ext4", "-q", "-E", "lazy_itable_init=1"],
    "xfs": ["mkfs.xfs", "-q"],
}


TRIES = 50      # of an umount
LIBC = ctypes.CDLL(None)
PAGE, PAGES_MAX = 4096, 1024
WRITTEN = 7     # SYNC_FILE_RANGE_WAIT_BEFORE, _WRITE and _WAIT_AFTER


class Missing(Exception):
    """Why there can be none here."""


class Disk:
    """Mounted at `mount` from its making until `close`."""

    def __init__(self, work, kind="ext4", size="700M", options=()):
        self.kind = kind
        self.image, self.mount = Path(work, "image"), Path(work, "mount")
        if os.geteuid() != 0:
            raise Missing("needs root, for a file system of its own")
        if not shutil.which(MAKE[kind][0]):
            raise Missing(f"{MAKE[kind][0]} is not installed")
        self.mount.mkdir()
        self.do("truncate", "-s", size, self.image)
        self.do(*MAKE[kind], *options, self.image)
        self.attach()

    def do(self, *command):
        done = subprocess.run([str(c) for c in command], text=True,
                              capture_output=True, check=False)
        if done.returncode:
            raise Missing(f"{command[0]}: {done.stderr.strip()}")

    def attach(self):
        self.do("mount", "-t", self.kind, "-o", "loop", self.image,
                self.mount)

    def detach(self):
        """Also if somebody looks at it right now, as udev may."""
        for _ in range(TRIES):
            if subprocess.run(["umount", self.mount], check=False,
                              stderr=subprocess.DEVNULL).returncode == 0:
                return
            time.sleep(0.1)
        subprocess.run(["umount", self.mount], check=True)

    def cut(self, how):
        """What is not on the disk by now never gets there."""
        fd = os.open(self.mount, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(fd, FS_IOC_SHUTDOWN, struct.pack("I", CUTS[how]))
        finally:
            os.close(fd)

    def write_back(self, directory, rng):
        """As the kernel may at any time: half of each file's pages."""
        paths = [Path(at, name) for at, _, names in os.walk(directory)
                 for name in names]
        for path in paths:
            try:
                fd = os.open(path, os.O_RDONLY)
            except OSError:
                continue        # it is gone meanwhile, or a socket
            size = os.fstat(fd).st_size
            for page in range(min(size // PAGE + 1, PAGES_MAX)):
                if rng.random() < 0.5:
                    LIBC.sync_file_range(fd, ctypes.c_int64(page * PAGE),
                                         ctypes.c_int64(PAGE), WRITTEN)
            os.close(fd)

    def close(self):
        if os.path.ismount(self.mount):
            self.detach()
        self.image.unlink()


def alone():
    """Mounts made from here on are nobody else's, and end with the process."""
    if os.geteuid() != 0 or os.environ.get("CRASH_ALONE") or \
            not shutil.which("unshare") or \
            subprocess.run(["unshare", "--mount", "true"],
                           stderr=subprocess.DEVNULL, check=False).returncode:
        return
    os.environ["CRASH_ALONE"] = "1"
    os.execvp("unshare", ["unshare", "--mount", sys.executable, "-B",
                          *sys.argv])
