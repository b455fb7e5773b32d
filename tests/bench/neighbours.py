"""What a function that takes all it can get costs its neighbours: p99 of
others' requests beside it, and without it."""
import http.client
import threading

import load
from required import spread

# What each is, as the table says it.
BEASTS = {
    'loop': 'an endless loop',
    'crowd': 'nine of them in one request',
    'bomb': 'a fork bomb',
    'hog': 'memory up to the limit, again and again',
}


class Beast(threading.Thread):
    """One request after the other; each is ended at its limit."""

    def __init__(self, port, how):
        super().__init__(daemon=True)
        self.port, self.path = port, '/beast/' + how
        self.ended = []         # how each was answered
        self.leaving = threading.Event()

    def run(self):
        while not self.leaving.is_set():
            c = http.client.HTTPConnection('127.0.0.1', self.port, timeout=20)
            try:
                c.request('GET', self.path)
                self.ended.append(c.getresponse().status)
            except (OSError, http.client.HTTPException):
                self.ended.append(0)
            finally:
                c.close()


def beside(contender, how, seconds):
    beast = Beast(contender.port, how)
    beast.start()
    try:
        found = load.wrk(contender, 1, seconds)
    finally:
        beast.leaving.set()
        beast.join()
    found['beasts'] = beast.ended
    return found


def measure(contender, rounds, seconds):
    """Usual and beside each beast, in turns: the medians of the rounds."""
    usual, others = [], {how: [] for how in BEASTS}
    for _ in range(rounds):
        for how, runs in others.items():
            usual.append(load.wrk(contender, 1, seconds))
            runs.append(beside(contender, how, seconds))
    return {
        'usual_p99_us': spread([run['p99_us'] for run in usual]),
        'beside': {how: {
            'what': BEASTS[how],
            'p99_us': spread([run['p99_us'] for run in runs]),
            'rps': spread([run['rps'] for run in runs]),
            'errors': sum(run['errors'] for run in runs),
            'ended': [s for run in runs for s in run['beasts']],
        } for how, runs in others.items()},
    }
