"""Ten times as many connections as saturate it, each retrying at once."""
from statistics import median

import load
from required import spread

STEPS = (4, 8, 16, 32, 64)
TIMES = 10
LEAST = 16              # all ratios are taken there: saturation is no less
MANY = 1000             # connections, whatever saturates
SATURATED = 0.95        # of the peak


class Overload:
    """Rounds of `contender`: first what saturates it, then beyond."""

    def __init__(self, program, contender, ms):
        self.program = program
        self.contender = contender
        self.ms = ms
        self.runs = {}      # connections -> what each round gave

    def round(self, levels):
        for n in levels:
            self.runs.setdefault(n, []).append(load.flood(
                self.program, self.contender, n, self.ms))

    def goodput(self, connections):
        return median(run['goodput'] for run in self.runs[connections])

    def level(self, connections, note=''):
        runs = self.runs[connections]
        return {
            'connections': connections,
            'note': note,
            'goodput': spread([run['goodput'] for run in runs]),
            'p50_us': spread([run['accepted']['p50_us'] for run in runs]),
            'p99_us': spread([run['accepted']['p99_us'] for run in runs]),
            'refused_rps': spread([run['refused_rps'] for run in runs]),
            'other': sum(run['other']['count'] for run in runs),
            'broken': sum(run['broken'] for run in runs),
            'overdue': sum(run['overdue'] for run in runs),
        }

    def measure(self, rounds):
        """The peak is taken again beside what goes beyond it."""
        for _ in range(rounds):
            self.round(STEPS)
        peak = max(map(self.goodput, STEPS))
        saturation = max(LEAST, next(
            n for n in STEPS if self.goodput(n) >= SATURATED * peak))
        over = [TIMES * saturation, MANY]
        best = max(STEPS, key=self.goodput)
        for _ in range(rounds):
            self.round([best] + over)
        return {
            'saturation': saturation,
            'peak': self.goodput(best),
            'steps': [self.level(n, ', saturates' * (n == saturation))
                      for n in STEPS],
            'over': [self.level(over[0], ', 10 times what saturates'),
                     self.level(over[1])],
        }
