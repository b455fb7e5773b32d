#!/usr/bin/python3
"""make bench, the stores: Bothy's beside others, on this machine, in one run.

Each is filled, then asked for random documents by 1, 16 and 64 clients that
share the cores with it; at 10,000 and at 1,000,000 documents.  A table goes to
stdout; stores.json, stores.txt and stores.svg to BENCH_OUT.

  BOTHY_BIN            the programs (build/release/bin)
  BENCH_OUT            where the results go (build/bench)
  BENCH_DIR            a directory on the disk that is measured (TMPDIR)
  BENCH_STORE_SECONDS  of a run (2)
  BENCH_SIZES          numbers of documents (10000,1000000)
  BENCH_QUICK=1        1 s, 2,000 documents: shows that all works

Works as an ordinary user; started by root it becomes `nobody` first.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import machine
import storereport
import storeupkeep
from bench import HERE, TOP, identity, interrupted, number, say
from processes import BenchError, Processes, adopt_descendants
from storepeers import GET, NEW, PEERS, PUT, QUERY, SCAN, UPDATE, Raw, there

CLIENTS = (1, 16, 64)
# New ones come last, for they stay; then all are scanned.
ORDER = (GET, PUT, UPDATE, QUERY, NEW, SCAN)
WRITES = (PUT, UPDATE, NEW)
NAMES = ('stores.json', 'stores.txt', 'stores.svg')
NPM_S = 180


class Stage:
    """What all contenders need: directories, programs, processes."""

    def __init__(self, top, settings):
        self.top = top
        self.bin = os.path.join(top, 'bin')
        self.forced = False
        self.short_dir = os.path.join(top, 's')
        env = {'PATH': os.environ['PATH'], 'LANG': 'C.UTF-8',
               'HOME': os.path.join(top, 'home'),
               'TMPDIR': os.path.join(top, 'tmp')}
        for name in ('home', 'tmp', 'logs', 'data', 'out', 's', 'programs'):
            os.mkdir(os.path.join(top, name))
        if 'LD_LIBRARY_PATH' in os.environ:
            env['LD_LIBRARY_PATH'] = os.environ['LD_LIBRARY_PATH']
        self.processes = Processes(os.path.join(top, 'logs'), env)
        self.compile()
        self.dynalite = self.install_dynalite(settings)

    def program(self, name):
        return os.path.join(self.top, 'programs', name)

    def compile(self):
        source = os.path.join(self.top, 'bench', 'programs')
        for name, sources, flags in (
                ('storeload', ('storeload.c', 'storeload_net.c',
                               'storeload_dynamo.c', 'storeload_others.c'),
                 ['-lcrypto']),
                ('journalcost', ('journalcost.c',), ['-pthread'])):
            done = subprocess.run(
                ['cc', '-std=c11', '-O2', '-D_GNU_SOURCE'] +
                [os.path.join(source, s) for s in sources] +
                ['-o', self.program(name)] + flags, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode:
                raise BenchError(done.stdout)

    def install_dynalite(self, settings):
        """Its program, or None; from npm, unless DYNALITE names it."""
        found = settings['dynalite']
        if found or not shutil.which('npm'):
            return found
        say('installing dynalite with npm')
        subprocess.run(['npm', 'install', '--no-audit', '--no-fund',
                        'dynalite'], cwd=os.path.join(self.top, 'home'),
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       timeout=NPM_S, env=self.processes.env)
        path = os.path.join(self.top, 'home', 'node_modules', 'dynalite',
                            'cli.js')
        return path if os.path.exists(path) else None


class Bench:
    def __init__(self, top, settings):
        self.settings = settings
        self.stage = Stage(top, settings)
        self.raw = Raw(self.stage)
        self.results = {'settings': settings, 'sizes': {}, 'raw': {},
                        'missing': []}

    def one(self, peer, operation, clients, wait_file=False):
        found = peer.load(operation, clients, self.settings['seconds'] *
                          1000, wait_file)
        if peer.name == 'bothy':
            found['backlog'] = peer.backlog()
            peer.settle()
        say('%s documents, %s%s, %d clients, %s: %.0f/s',
            '{:,}'.format(peer.documents), operation,
            ' to the file' if wait_file else '', clients, peer.label,
            found['operations'] / found['seconds'])
        return found

    def writes(self, peer, operation, clients, runs):
        """Bothy's; puts between two runs of the bare journal, of which the
        better counts."""
        ms = self.settings['seconds'] * 1000
        raw = [self.raw.load(clients, ms)] if operation == PUT else []
        runs['%s/%d' % (operation, clients)] = self.one(
            peer, operation, clients)
        runs['%s+file/%d' % (operation, clients)] = self.one(
            peer, operation, clients, True)
        if not raw:
            return
        raw.append(self.raw.load(clients, ms))
        self.results['raw'].setdefault(str(peer.documents), {})[
            str(clients)] = min(raw, key=lambda run: run['p50_us'])

    def measure(self, kind, size):
        peer = kind(self.stage, size)
        runs = {}
        found = {'label': peer.label, 'runs': runs}
        peer.start()
        try:
            filled = peer.fill()
            found['fill_per_s'] = filled['operations'] / filled['seconds']
            if peer.name == 'bothy':
                say('%s documents: checkpoints, starts',
                    '{:,}'.format(size))
                found['upkeep'] = storeupkeep.measure(
                    peer, self.settings['seconds'])
            for operation in ORDER:
                if operation not in peer.operations:
                    continue
                for clients in peer.clients:
                    if peer.name == 'bothy' and operation in WRITES:
                        self.writes(peer, operation, clients, runs)
                    else:
                        runs['%s/%d' % (operation, clients)] = self.one(
                            peer, operation, clients)
            found['after'] = peer.measure()
            return found
        finally:
            peer.stop()
            peer.remove()

    def run(self):
        self.results['machine'] = machine.describe()
        self.results['machine']['commit'] = self.settings.pop('commit')
        for size in self.settings['sizes']:
            found = self.results['sizes'][str(size)] = {}
            for kind in PEERS:
                why = there(kind, self.stage)
                if why and size == self.settings['sizes'][0]:
                    self.results['missing'].append(
                        '%s: %s' % (kind.label, why))
                if why or (kind.most_documents or size) < size:
                    continue
                found[kind.name] = self.measure(kind, size)
        self.results['forced'] = self.stage.forced
        self.results['required'] = storereport.judge(self.results)

    def write(self):
        out = os.path.join(self.stage.top, 'out')
        texts = (json.dumps(self.results, indent='\t') + '\n',
                 storereport.full_text(self.results),
                 storereport.draw(self.results))
        for name, words in zip(NAMES, texts):
            with open(os.path.join(out, name), 'w') as f:
                f.write(words)


def work(top):
    with open(os.path.join(top, 'settings.json')) as f:
        settings = json.load(f)
    adopt_descendants()
    signal.signal(signal.SIGTERM, interrupted)
    bench = None
    try:
        bench = Bench(top, settings)
        bench.run()
        bench.write()
    except BenchError as e:
        say('%s', e)
        return 1
    except KeyboardInterrupt:
        say('interrupted')
        return 130
    finally:
        if bench:
            bench.stage.processes.stop_all()
    return 0


def read_settings():
    quick = os.environ.get('BENCH_QUICK', '') not in ('', '0')
    sizes = os.environ.get('BENCH_SIZES') or (
        '2000' if quick else '10000,1000000')
    return {'quick': quick, 'clients': list(CLIENTS),
            'dynalite': os.environ.get('DYNALITE'),
            'commit': machine.first_line([
                'git', '-C', TOP, 'rev-parse', '--short', 'HEAD']),
            'seconds': number('BENCH_STORE_SECONDS', 1 if quick else 2, 600),
            'sizes': [int(n) for n in sizes.split(',')]}


def main():
    os.environ['PATH'] += ':/usr/local/sbin:/usr/sbin:/sbin'
    bin_dir = os.path.realpath(os.environ.get('BOTHY_BIN') or os.path.join(
        TOP, 'build', 'release', 'bin'))
    program = os.path.join(bin_dir, 'bothy-store')
    if not os.path.exists(program):
        raise BenchError('%s is not there: run make first, or set BOTHY_BIN'
                         % program)
    out = os.environ.get('BENCH_OUT') or os.path.join(TOP, 'build', 'bench')
    settings = read_settings()
    os.makedirs(out, exist_ok=True)
    top = tempfile.mkdtemp(prefix='bothy-stores-',
                           dir=os.environ.get('BENCH_DIR'))
    try:
        os.mkdir(os.path.join(top, 'bin'))
        shutil.copy(program, os.path.join(top, 'bin'))
        shutil.copytree(HERE, os.path.join(top, 'bench'))
        with open(os.path.join(top, 'settings.json'), 'w') as f:
            json.dump(settings, f)
        worker = subprocess.Popen(
            [sys.executable, '-B', os.path.join(top, 'bench', 'stores.py'),
             top], cwd=top, stdin=subprocess.DEVNULL, **identity(top))
        signal.signal(signal.SIGTERM, lambda *_: worker.terminate())
        signal.signal(signal.SIGINT, lambda *_: worker.terminate())
        status = worker.wait()
        if status:
            return status
        for name in NAMES:
            shutil.copyfile(os.path.join(top, 'out', name),
                            os.path.join(out, name))
    finally:
        shutil.rmtree(top, ignore_errors=True)
    with open(os.path.join(out, 'stores.txt')) as f:
        print(f.read(), end='')
    say('%s are in %s', ', '.join(NAMES), out)
    return 0


if __name__ == '__main__':
    try:
        sys.exit(work(sys.argv[1]) if len(sys.argv) == 2 else main())
    except BenchError as problem:
        say('%s', problem)
        sys.exit(1)
