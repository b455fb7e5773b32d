"""What the store does beside answering: checkpoints, and the puts that wait
meanwhile; starts, and the index made again; and how much history that is.

Taken when the store was filled and files and history have followed, so that
no checkpoint has more to do than what is asked of it.
"""
import os
import shutil
import time

CHECKPOINTS = ((1, 21), (1000, 7))      # documents changed, times
RATE = 1000                             # puts a second beside checkpoints
PACED_CLIENTS = 16
PACED_RUNS = 5                          # as long as so many of the others
DAY_S = 24 * 60 * 60
KB = 1024


def checkpoints(bothy, changes, times):
    """Of so many changed documents each: how long, and bytes of history."""
    before = bothy.stat()['History']
    found = bothy.ask('checkpoint', changes, times)
    after = bothy.stat()['History']
    commits = max(after['Commits'] - before['Commits'], 1)
    return {'p50_ms': found['p50_us'] / 1000,
            'most_ms': found['most_us'] / 1000,
            'history_kb': (after['Bytes'] - before['Bytes']) / commits / KB}


def paced(bothy, ms):
    """Puts at a rate, with a checkpoint of a second's puts each second."""
    before = bothy.stat()['History']['Commits']
    found = bothy.ask('put', PACED_CLIENTS, ms, str(RATE))
    found['checkpoints'] = bothy.stat()['History']['Commits'] - before
    return found


def clean_start(bothy):
    bothy.stop()
    begin = time.monotonic()
    bothy.start()
    return (time.monotonic() - begin) * 1000


def rebuilt(bothy):
    """Seconds of a start that makes the index again; the files are warm."""
    bothy.stop()
    shutil.rmtree(os.path.join(bothy.directory, 'index'))
    begin = time.monotonic()
    bothy.start()
    return time.monotonic() - begin


def measure(bothy, seconds):
    bothy.catch_up()
    found = {'checkpoint': {str(n): checkpoints(bothy, n, times)
                            for n, times in CHECKPOINTS}}
    found['paced'] = paced(bothy, PACED_RUNS * seconds * 1000)
    bothy.catch_up()
    found['start_ms'] = clean_start(bothy)
    found['rebuild_s'] = rebuilt(bothy)
    one = found['checkpoint']['1']['history_kb']
    found['history_day_mb'] = one * DAY_S / KB
    return found
