"""Judges a state that a crash may have left of a site, for the replayer:

    push_check.py ROOT STORY BOTHY BIN FOLLOWING STATE SENT cut

The state is moved to ROOT, where it was recorded: its files name each other.
FOLLOWING is the commit to push next.
"""

import os
import shutil
import sys
import zlib
from pathlib import Path

from push_site import Site, Story, Told, Wrong

SLOW = 8        # of so many states one starts a function, which takes longer


def main():
    root, story, bothy, bin_dir, following, state, sent, _ = sys.argv[1:]
    told = Told(Path(sent).read_bytes().decode(errors="replace"))
    story = Story.load(story)
    shutil.rmtree(root, ignore_errors=True)
    shutil.move(state, root)
    os.chmod(root, 0o755)       # functions may have a user of their own
    site = Site(root, story, bothy, bin_dir, os.path.dirname(root))
    try:
        site.judge(told, int(following),
                   zlib.crc32(os.urandom(1)) % SLOW == 0)
    except Wrong as wrong:
        print(wrong)
        sys.exit(1)


if __name__ == "__main__":
    main()
