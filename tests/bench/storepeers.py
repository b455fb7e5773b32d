"""The stores of the benchmark: each started in a directory of its own, asked
by tests/bench/programs/storeload, and measured.

All write documents of 400 bytes durably before they reply: PostgreSQL 15 with
its defaults (fsync on; JSONB under a primary key; prepared statements over a
unix socket), Redis with appendfsync always, dynalite on LevelDB as it is (which
syncs nothing).  `raw` is append and fdatasync alone, into space that was
written before, which no store can beat but by doing less.
"""
import glob
import json
import os
import shutil
import signal
import subprocess
import time

from processes import BenchError, descendants_of, free_port, reap

POSTGRES = '/usr/lib/postgresql/15/bin'
LINE_BYTES = 500        # a document of 400 bytes as a line of a journal
SLACK_S = 300
RECOVERY_S = 120

GET, PUT, NEW, UPDATE, QUERY, SCAN = (
    'get', 'put', 'putnew', 'update', 'query', 'scan')
ALL = (GET, PUT, NEW, UPDATE, QUERY)


def finish(argv, seconds):
    done = subprocess.run(argv, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True,
                          timeout=seconds + SLACK_S)
    if done.returncode:
        raise BenchError('%s failed:\n%s' % (' '.join(argv),
                                             done.stderr + done.stdout))
    return done.stdout


def anonymous_and_file_kb(pid):
    found = {'RssAnon:': 0, 'RssFile:': 0, 'RssShmem:': 0}
    try:
        with open('/proc/%d/status' % pid) as f:
            for line in f:
                word, *rest = line.split()
                if word in found:
                    found[word] = int(rest[0])
    except OSError:
        pass
    return (found['RssAnon:'], found['RssFile:'] + found['RssShmem:'])


def disk_mb(directory):
    blocks = 0
    for path, _, names in os.walk(directory):
        for name in names + ['.']:
            try:
                blocks += os.lstat(os.path.join(path, name)).st_blocks
            except OSError:
                pass
    return blocks / 2048


class Peer:
    """One contender at one number of documents."""
    operations = ALL + (SCAN,)
    clients = (1, 16, 64)
    most_documents = None       # takes too long with more

    def __init__(self, stage, documents):
        self.stage = stage
        self.documents = documents
        self.directory = os.path.join(stage.top, 'data',
                                      '%s-%d' % (self.name, documents))
        os.makedirs(self.directory)

    def log(self):
        return os.path.join(self.stage.top, 'logs', self.name + '.log')

    def ask(self, operation, clients, ms, *more):
        argv = [self.stage.program('storeload'), self.driver, self.where,
                operation, str(clients), str(ms), str(self.documents)]
        return json.loads(finish(argv + list(more), ms / 1000))

    def load(self, operation, clients, ms, wait_file=False):
        return self.ask(operation, clients, ms, *['file'] * wait_file)

    def fill(self):
        finish([self.stage.program('storeload'), self.driver, self.where,
                'prepare'], 10)
        return self.load('fill', 16, 0)

    def pids(self):
        pid = self.stage.processes.pid(self.name)
        return [pid] + descendants_of(pid)

    def memory(self):
        """Anonymous and file-backed KB; shared pages are counted once."""
        found = [anonymous_and_file_kb(pid) for pid in self.pids()]
        return (sum(a for a, _ in found), max(f for _, f in found))

    def measure(self):
        anonymous, file = self.memory()
        return {'anonymous_mb': anonymous / 1024, 'file_mb': file / 1024,
                'disk_mb': disk_mb(self.directory)}

    def stop(self):
        self.stage.processes.stop(self.name)

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)


class Bothy(Peer):
    name, label, driver = 'bothy', 'Bothy', 'store'

    def start(self):
        self.where = self.directory
        argv = [os.path.join(self.stage.bin, 'bothy-store'), '--dir',
                self.directory, '--idle', '0']
        done = subprocess.run(argv, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=RECOVERY_S)
        if done.returncode:
            done = subprocess.run(argv + ['--force'], text=True,
                                  stdin=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, timeout=RECOVERY_S)
            self.stage.forced = True
        if done.returncode:
            raise BenchError('bothy-store does not start: ' + done.stderr)

    def pids(self):
        wanted = self.directory.encode()
        found = []
        for path in glob.glob('/proc/[0-9]*/cmdline'):
            try:
                with open(path, 'rb') as f:
                    words = f.read().split(b'\0')
            except OSError:
                continue
            if wanted in words and words[0].endswith(b'bothy-store'):
                found.append(int(path.split('/')[2]))
        return found

    def stat(self):
        return json.loads(finish([self.stage.program('storeload'), 'store',
                                  self.where, 'stat'], 10))

    def backlog(self):
        return self.stat()['Files']['BacklogDocuments']

    def settle(self):
        """Until the files have followed."""
        until = time.monotonic() + SLACK_S
        while time.monotonic() < until and self.backlog():
            time.sleep(0.2)

    def catch_up(self):
        """Until files and history have."""
        self.settle()
        self.ask('checkpoint', 1, 1)

    def measure(self):
        got = super().measure()
        stat = self.stat()
        got['history_mb'] = stat['History']['Bytes'] / (1 << 20)
        got['checkpoint_ms'] = stat['History']['CheckpointMs']
        got['trouble'] = stat['Trouble']
        return got

    def stop(self):
        for pid in self.pids():
            os.kill(pid, signal.SIGTERM)
        until = time.monotonic() + RECOVERY_S
        while self.pids() and time.monotonic() < until:
            reap()
            time.sleep(0.02)


class Postgres(Peer):
    name, label, driver = 'postgres', 'PostgreSQL 15', 'postgres'

    def start(self):
        data = os.path.join(self.directory, 'data')
        if not os.path.exists(data):
            finish([os.path.join(POSTGRES, 'initdb'), '-D', data, '-U',
                    'bench', '-A', 'trust', '-E', 'UTF8', '--locale=C'], 60)
        self.where = self.stage.short_dir
        self.stage.processes.start(self.name, [
            os.path.join(POSTGRES, 'postgres'), '-D', data, '-k', self.where,
            '-c', 'listen_addresses=', '-c', 'max_connections=100'],
            os.path.join(self.where, '.s.PGSQL.5432'))
        until = time.monotonic() + RECOVERY_S
        while subprocess.run([os.path.join(POSTGRES, 'pg_isready'), '-q',
                              '-h', self.where]).returncode:
            if time.monotonic() > until:
                raise BenchError('PostgreSQL does not get ready')
            time.sleep(0.02)

    def stop(self):
        os.kill(self.stage.processes.pid(self.name), signal.SIGINT)
        super().stop()


class Redis(Peer):
    name, label, driver = 'redis', 'Redis, appendfsync always', 'redis'
    operations = (GET, PUT, NEW)

    def start(self):
        self.where = os.path.join(self.stage.short_dir, 'redis')
        self.stage.processes.start(self.name, [
            'redis-server', '--port', '0', '--unixsocket', self.where,
            '--dir', self.directory, '--appendonly', 'yes', '--appendfsync',
            'always', '--save', ''], self.where)


class Dynalite(Peer):
    name, label, driver = 'dynalite', 'dynalite, with a path', 'http'
    clients = (1, 16)
    most_documents = 20000

    def start(self):
        port = free_port()
        self.where = str(port)
        self.stage.processes.start(self.name, [
            'node', self.stage.dynalite, '--port', str(port), '--path',
            self.directory, '--createTableMs', '0'], port)


class Raw:
    """No store: what its journal would cost."""
    name, label = 'raw', 'append + fdatasync alone'

    def __init__(self, stage):
        self.stage = stage

    def load(self, clients, ms):
        return json.loads(finish([
            self.stage.program('journalcost'),
            os.path.join(self.stage.top, 'data', 'raw'), str(LINE_BYTES),
            str(clients), str(ms)], ms / 1000))


PEERS = (Bothy, Postgres, Redis, Dynalite)


def there(peer, stage):
    """None, or why it can't take part."""
    if peer is Postgres and not os.path.exists(
            os.path.join(POSTGRES, 'postgres')):
        return 'postgresql-15 is not installed'
    if peer is Redis and not shutil.which('redis-server'):
        return 'redis-server is not installed'
    if peer is Dynalite and not stage.dynalite:
        return 'npm could not install dynalite'
    return None
