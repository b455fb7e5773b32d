#!/usr/bin/python3
"""make bench: Bothy beside its peers, on this machine, in one run.

Every contender gives the same JSON reply at 1, 16 and 200 connections, in
interleaved rounds; then overload, memory, raw costs, and the ratios that are
required.  A table goes to stdout; results.json, results.txt and results.svg
to BENCH_OUT.

  BOTHY_BIN      the programs, with ../sdk beside them (build/release/bin)
  BENCH_OUT      where the results go (build/bench)
  BENCH_SECONDS  of a run (5)
  BENCH_ROUNDS   (3)
  BENCH_QUICK=1  one round of 1 s: shows that all works, measures little

Works as an ordinary user; started by root it becomes `nobody` first.  All is
done in a temporary directory and on loopback ports, and nothing is left.
"""
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from statistics import median

import chart
import load
import machine
import memory
import neighbours
from contenders import (BODY, LABELS, ROUTES, THREADS, Stage)
from overload import Overload
from processes import (BenchError, Processes, adopt_descendants,
                       descendants_of)
from report import full_text
from required import judge, spread

CONNECTIONS = (1, 16, 200)
CHOICE_MS = 700         # of each run that picks the best of a kind
CHOICE_ROUNDS = 2
RAW_MS = 800            # for each kind of process
OVERLOAD_MS = 500       # of each run, for each second of a run of wrk
LEASES_GO_S = 13        # until the gateway has let its idle children go
HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
ORDINARY_USER = 'nobody'
NAMES = ('results.json', 'results.txt', 'results.svg')


def say(fmt, *args):
    print('bench: ' + fmt % args, file=sys.stderr, flush=True)


# ---- the part that measures, as an ordinary user --------------------------

class Bench:
    def __init__(self, top, settings):
        self.top = top
        self.settings = settings
        env = {'PATH': os.environ['PATH'], 'LANG': 'C.UTF-8',
               'HOME': os.path.join(top, 'home'),
               'TMPDIR': os.path.join(top, 'tmp'),
               'BOTHY_SDK': os.path.join(top, 'bothy', 'sdk')}
        for name in ('home', 'tmp', 'logs', 'web', 'out'):
            os.mkdir(os.path.join(top, name))
        self.processes = Processes(os.path.join(top, 'logs'), env)
        self.stage = Stage(top, self.processes)
        self.results = {'settings': settings}
        self.runs = {}      # (name, connections) -> what each round gave
        self.raw = []

    def best_of(self, candidates):
        """Short interleaved runs at 16 connections; the best one stays."""
        rates = [[] for _ in candidates]
        for _ in range(CHOICE_ROUNDS):
            for c, found in zip(candidates, rates):
                found.append(load.flood(self.stage.program('flood'), c, 16,
                                        CHOICE_MS)['goodput'])
        best = max(range(len(candidates)), key=lambda i: median(rates[i]))
        return candidates[best], best

    def start_servers(self):
        stage = self.stage
        say('compiling, and starting servers')
        stage.compile_programs()
        stage.make_site()
        stage.start_bothy()
        stage.start_plain_cgi()
        stage.start_mod_cgi()
        stage.start_apache()
        wrapper, _ = self.best_of(stage.start_nginx())
        responder, best = self.best_of([stage.start_inprocess(n)
                                        for n in THREADS])
        for i, threads in enumerate(THREADS):
            if i != best:
                stage.stop_inprocess(threads)
        stage.contenders['fcgiwrap'] = wrapper
        stage.contenders['inprocess'] = responder

    def check_replies(self):
        """The same reply from all, or there is nothing to compare."""
        for name in LABELS:
            c = self.stage.contenders[name]
            status, headers, body = load.get(c)
            if status != 200 or body != BODY:
                raise BenchError('%s (%s) answers %d %r instead of %r' % (
                    c.label, c.url, status, body[:200], BODY))
            for field in ('content-type', 'content-length', 'x-request-id'):
                if field not in headers:
                    raise BenchError('%s sends no %s' % (c.label, field))

    def describe(self):
        status = self.stage.status()
        self.results['machine'] = machine.describe()
        self.results['machine']['commit'] = self.settings.pop('commit')
        self.settings['routes'] = ROUTES
        self.settings['connections'] = list(CONNECTIONS)
        self.settings['containment'] = status.get('containment', 'unknown')
        self.settings['missing'] = ' '.join(
            status.get('missing', '').split())

    def measure_memory(self):
        return memory.measure(self.processes.pid('bothy-fcgi'),
                              self.stage.status())

    def round(self, number):
        flood = self.stage.program('flood')
        self.raw.append(load.rawcost(self.stage.program('rawcost'),
                                     self.stage.program('hello'), RAW_MS))
        for connections in CONNECTIONS:
            for name in LABELS:
                c = self.stage.contenders[name]
                load.flood(flood, c, connections, load.WARM_MS)
                got = load.wrk(c, connections, self.settings['seconds'])
                self.runs.setdefault((name, connections), []).append(got)
                say('round %d, %d connections, %s: %.0f/s', number,
                    connections, c.label, got['rps'])

    def contender_results(self, name):
        c = self.stage.contenders[name]
        at = {}
        for n in CONNECTIONS:
            runs = self.runs[name, n]
            at[str(n)] = {key: spread([run[key] for run in runs])
                          for key in ('rps', 'p50_us', 'p99_us')}
            at[str(n)]['errors'] = sum(run['errors'] for run in runs)
        return {'label': c.label, 'choice': c.choice, 'url': c.path,
                'at': at}

    def overload(self):
        say('overload')
        return Overload(self.stage.program('flood'),
                        self.stage.contenders['warm'],
                        OVERLOAD_MS * self.settings['seconds']
                        ).measure(self.settings['rounds'])

    def neighbours(self):
        say('bad neighbours')
        return neighbours.measure(self.stage.contenders['warm'],
                                  self.settings['rounds'],
                                  self.settings['seconds'])

    def memory_under_load(self):
        c = self.stage.contenders['warm']
        busy = subprocess.Popen([self.stage.program('flood'), str(c.port),
                                 c.path, '200', '1500'],
                                stdout=subprocess.DEVNULL)
        time.sleep(1)
        rows = self.measure_memory()
        busy.wait()
        return rows

    def memory_of_others(self):
        return memory.measure_others(
            [(name, [p.pid] + descendants_of(p.pid))
             for name, p in self.processes.running.items()
             if name != 'bothy-fcgi'])

    def run(self):
        self.start_servers()
        self.check_replies()
        self.describe()
        mem = {'fresh': self.measure_memory()}
        for number in range(1, self.settings['rounds'] + 1):
            self.round(number)
        overload = self.overload()
        beside = self.neighbours()
        mem['load'] = self.memory_under_load()
        if not self.settings['quick']:
            say('waiting until the gateway is at rest')
            time.sleep(LEASES_GO_S)
        mem['rest'] = self.measure_memory()
        mem['others'] = self.memory_of_others()
        self.results.update(
            contenders={name: self.contender_results(name)
                        for name in LABELS},
            raw={key: spread([raw[key] for raw in self.raw])
                 for key in self.raw[0]
                 if all(raw[key] is not None for raw in self.raw)},
            memory=mem, overload=overload, neighbours=beside)
        self.results['required'] = judge(self.results)

    def write(self):
        out = os.path.join(self.top, 'out')
        texts = (json.dumps(self.results, indent='\t') + '\n',
                 full_text(self.results), chart.draw(self.results))
        for name, words in zip(NAMES, texts):
            with open(os.path.join(out, name), 'w') as f:
                f.write(words)


def interrupted(number, frame):
    raise KeyboardInterrupt


def measure(top):
    """The worker: everything but the temporary directory's coming and going."""
    with open(os.path.join(top, 'settings.json')) as f:
        bench = Bench(top, json.load(f))
    adopt_descendants()
    signal.signal(signal.SIGTERM, interrupted)
    try:
        bench.run()
        bench.write()
    except BenchError as e:
        say('%s', e)
        return 1
    except KeyboardInterrupt:
        say('interrupted')
        return 130
    finally:
        bench.processes.stop_all()
    return 0


# ---- the part that prepares and cleans up, as whoever started it ----------

def number(name, fallback, most):
    text = os.environ.get(name) or str(fallback)
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise BenchError('%s is a number from 1 to %d, not %s' % (
            name, most, text))
    return int(text)


def read_settings():
    quick = os.environ.get('BENCH_QUICK', '') not in ('', '0')
    commit = machine.first_line(['git', '-C', TOP, 'rev-parse', '--short',
                                 'HEAD'])
    return {'quick': quick,
            'commit': commit if commit and ' ' not in commit else None,
            'seconds': number('BENCH_SECONDS', 1 if quick else 5, 600),
            'rounds': number('BENCH_ROUNDS', 1 if quick else 3, 99)}


def copy_in(top, settings):
    bin_dir = os.path.realpath(os.environ.get('BOTHY_BIN') or os.path.join(
        TOP, 'build', 'release', 'bin'))
    for name in ('bothy', 'bothy-fcgi', 'bothy-dispatch', 'bothy-launch',
                 '../sdk/libbothy.a'):
        if not os.path.exists(os.path.join(bin_dir, name)):
            raise BenchError('%s is not in %s: run make first, or set '
                             'BOTHY_BIN' % (name, bin_dir))
    shutil.copytree(bin_dir, os.path.join(top, 'bothy', 'bin'))
    shutil.copytree(os.path.join(bin_dir, '..', 'sdk'),
                    os.path.join(top, 'bothy', 'sdk'))
    shutil.copytree(HERE, os.path.join(top, 'bench'))
    with open(os.path.join(top, 'settings.json'), 'w') as f:
        json.dump(settings, f)


def identity(top):
    """How to start the worker: as an ordinary user, who owns `top`."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(ORDINARY_USER)
    for path, _, names in os.walk(top):
        for name in ['.'] + names:
            os.lchown(os.path.join(path, name), user.pw_uid, user.pw_gid)
    return {'user': user.pw_uid, 'group': user.pw_gid, 'extra_groups': []}


def run_worker(top):
    """Its exit status; our own signals become its own."""
    worker = subprocess.Popen(
        [sys.executable, '-B', os.path.join(top, 'bench', 'bench.py'), top],
        cwd=top, stdin=subprocess.DEVNULL, **identity(top))
    signal.signal(signal.SIGTERM, lambda *_: worker.terminate())
    signal.signal(signal.SIGINT, lambda *_: worker.terminate())
    return worker.wait()


def main():
    os.environ['PATH'] = os.environ.get('PATH', '') + \
        ':/usr/local/sbin:/usr/sbin:/sbin'
    missing = machine.missing_packages()
    if missing:
        raise BenchError('packages are missing; type: apt-get install ' +
                         ' '.join(missing))
    out = os.environ.get('BENCH_OUT') or os.path.join(TOP, 'build', 'bench')
    settings = read_settings()
    os.makedirs(out, exist_ok=True)
    top = tempfile.mkdtemp(prefix='bothy-bench-')
    try:
        copy_in(top, settings)
        status = run_worker(top)
        if status:
            return status
        for name in NAMES:
            shutil.copyfile(os.path.join(top, 'out', name),
                            os.path.join(out, name))
    finally:
        shutil.rmtree(top, ignore_errors=True)
    with open(os.path.join(out, 'results.txt')) as f:
        print(f.read(), end='')
    say('%s, results.txt and results.svg are in %s', NAMES[0], out)
    return 0


if __name__ == '__main__':
    try:
        sys.exit(measure(sys.argv[1]) if len(sys.argv) == 2 else main())
    except BenchError as problem:
        say('%s', problem)
        sys.exit(1)
