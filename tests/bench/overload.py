"""Ten times as many connections as saturate it, each retrying at once."""
from statistics import median

import load
from required import spread

STEPS = (4, 8, 16, 32, 64)
TIMES = 10
MANY = 1000             # connections, whatever saturates
SATURATED = 0.95        # of the peak


class Overload:
    """Rounds of `contender` at growing numbers of connections."""

    def __init__(self, program, contender, ms):
        self.program = program
        self.contender = contender
        self.ms = ms
        self.runs = {}      # connections -> what each round gave
        self.saturation = None

    def run(self, connections):
        self.runs.setdefault(connections, []).append(load.flood(
            self.program, self.contender, connections, self.ms))

    def goodput(self, connections):
        return median(run['goodput'] for run in self.runs[connections])

    def levels_over(self):
        return sorted({TIMES * self.saturation, MANY})

    def round(self):
        for n in STEPS:
            self.run(n)
        if self.saturation is None:
            peak = max(map(self.goodput, STEPS))
            self.saturation = next(n for n in STEPS if
                                   self.goodput(n) >= SATURATED * peak)
        for n in self.levels_over():
            self.run(n)

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

    def results(self):
        notes = {TIMES * self.saturation: ', 10 times what saturates'}
        return {
            'saturation': self.saturation,
            'peak': max(map(self.goodput, STEPS)),
            'steps': [self.level(n, ', saturates' *
                                 (n == self.saturation)) for n in STEPS],
            'over': [self.level(n, notes.get(n, ''))
                     for n in self.levels_over()],
        }
