"""Power cuts: a bothy-store works on a file system of its own, which is shut
down under it (FS_IOC_SHUTDOWN), mounted again and opened again; what clients
saw before must be there.

    powercut.py --store PROGRAM --recorder record.so [--cuts N] [--seed N]
        [--planted PROGRAM]

On ext4 and xfs, N cuts each, of three kinds: all that the kernel has goes to
the disk first, or only the file system's log, or nothing; and before that some
of it by chance, as the kernel itself may write it.  Where there can be no such
file system it says so, and is content.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from daemon import GONE, Fault, plants
from disk import CUTS, Disk, Missing, alone
from linear import Run, compare_history, keep, make_tables

KINDS = ("ext4", "xfs")
TRIES = 30              # until a planted mistake has to show
CUTS_OF_A_TRY = 6


class CutRun(Run):
    """A store's lives, which end with the power's."""

    checkpoint_ms = 300     # so that much is not synced

    def __init__(self, args, disk, program, plant=None):
        super().__init__(args, disk.mount, program, plant)
        self.disk, self.cuts = disk, 0

    def all(self):
        if not self.start():
            return
        with self.daemon.connect() as c:
            make_tables(c)
            c.table("pairs")
        if self.args.seed % 2:  # the index is clean when it begins
            self.daemon.stop()
            self.start()
        while self.cuts < self.args.cuts and not self.wrong:
            self.live(self.cuts)
        if not self.wrong:
            self.end()

    def live(self, life):
        clients = self.clients(4)
        time.sleep(self.rng.uniform(0.02, 0.2))
        if life % 3 == 2:       # it has left when the power goes
            self.join(clients)
            if self.daemon.stop() != 0:
                self.wrong.append(f"it left with an error: {self.daemon.said}")
        self.disk.write_back(self.directory, self.rng)
        self.disk.cut(self.rng.choice(list(CUTS)))
        self.cuts += 1
        if self.daemon.is_up():
            self.daemon.kill()
        self.join(clients)
        self.disk.detach()
        self.disk.attach()
        if self.start():
            self.look_around(files=True)
        if life % 5 == 4:
            compare_history(self.directory, self.wrong)

    def summary(self):
        h = self.history
        return (f"powercut: {self.disk.kind}: {self.cuts} cuts, "
                f"{sum(map(len, h.ops.values()))} operations, "
                f"{len(h.transactions)} transactions, slowest start "
                f"{max(self.started, default=0):.2f} s, seed "
                f"{self.args.seed}")


def attack(args, kind, program, plant=None):
    """A disk and a store from their beginning to their end: the Run."""
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="bothy-cut-", dir=shm) as work:
        disk = Disk(work, kind)
        try:
            run = CutRun(args, disk, program, plant)
            try:
                run.all()
            except (*GONE, AssertionError, Fault) as error:
                run.wrong.append(repr(error))
            finally:
                if run.daemon.is_up():
                    run.daemon.kill()
                if run.wrong and not plant:
                    run.wrong.append(
                        f"{keep(run.directory)}; again: powercut.py --cuts "
                        f"{args.cuts} --seed {args.seed})")
        finally:
            disk.close()
    return run


def find_planted(args, kind):
    """How many mistakes survived, each tried until it shows."""
    survived = 0
    args.cuts = CUTS_OF_A_TRY
    for name in plants("powercut"):
        for again in range(TRIES):
            args.seed += 1
            run = attack(args, kind, args.planted, name)
            if run.wrong:
                break
        survived += not run.wrong
        how = str(run.wrong[0])[:110] if run.wrong else "SURVIVED"
        print(f"powercut: {name}, run {again + 1}, cut {run.cuts}: {how}",
              flush=True)
    return survived


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--store", required=True, help="the program bothy-store")
    p.add_argument("--recorder", required=True, help="record.so, which makes "
                   "some of its lives slow")
    p.add_argument("--cuts", type=int, default=6)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--planted", help="bothy-store with mistakes in it: each "
                   "must be found")
    args = p.parse_args()
    args.recorder = str(Path(args.recorder).resolve())
    alone()
    failed, able = False, []
    for kind in KINDS:
        try:
            run = attack(args, kind, args.store)
        except Missing as why:
            print(f"powercut: {kind}: NOT TESTED: {why}", flush=True)
            continue
        able.append(kind)
        print(run.summary(), flush=True)
        for what in run.wrong[:10]:
            print(f"FAILED: {kind}: {str(what)[:4000]}")
            failed = True
    if args.planted and able:
        failed = find_planted(args, able[0]) > 0 or failed
    elif args.planted:
        print(f"powercut: planted {', '.join(plants('powercut'))}: NOT TESTED")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
