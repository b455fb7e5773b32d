#!/usr/bin/python3
"""make bench, DynamoDB's protocol: Bothy behind lighttpd beside dynalite.

Items of 200 bytes under one partition key each, got and put at random by 1 and
16 connections of wrk, which shares the cores with the server.  The requests are
signed beforehand; Bothy verifies each signature and writes durably, dynalite
verifies nothing and syncs nothing, in memory or with a path.  A table goes to
stdout; dynamo.json and dynamo.txt to BENCH_OUT.

  BOTHY_BIN       the programs (build/release/bin)
  BENCH_OUT       where the results go (build/bench)
  BENCH_DIR       a directory on the disk that is measured (TMPDIR)
  BENCH_SECONDS   of a run (5)
  BENCH_ROUNDS    of all runs, of which the median counts (3)
  DYNALITE        its cli.js (installed with npm unless given)
  BENCH_QUICK=1   1 s, one round: shows that all works
"""
import datetime
import hashlib
import hmac
import http.client
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

import machine
from bench import HERE, TOP, number, say
from contenders import LIGHTTPD
from load import finish
from processes import BenchError, Processes, adopt_descendants, free_port

ITEMS = 10000
REQUESTS = 4000         # signed for a run; wrk sends them in turn
ITEM_BYTES = 200
CONNECTIONS = (1, 16)
GET, PUT = 'get', 'put'
KEY, SECRET = 'benchmark', 'secret'
NPM_S = 180
TARGET = 'DynamoDB_20120810.'
TABLE = {'TableName': 'bench', 'BillingMode': 'PAY_PER_REQUEST',
         'KeySchema': [{'AttributeName': 'p', 'KeyType': 'HASH'}],
         'AttributeDefinitions': [{'AttributeName': 'p',
                                   'AttributeType': 'S'}]}


# ---- requests ---------------------------------------------------------------

def keyed(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Signer:
    """Signs for one day and one server."""

    def __init__(self, host):
        self.host = host
        self.time = datetime.datetime.now(datetime.timezone.utc).strftime(
            '%Y%m%dT%H%M%SZ')
        self.scope = self.time[:8] + '/us-east-1/dynamodb/aws4_request'
        key = ('AWS4' + SECRET).encode()
        for part in self.scope.split('/'):
            key = keyed(key, part)
        self.key = key

    def headers(self, operation, body):
        fields = (('content-type', 'application/x-amz-json-1.0'),
                  ('host', self.host), ('x-amz-date', self.time),
                  ('x-amz-target', TARGET + operation))
        names = ';'.join(name for name, _ in fields)
        canonical = 'POST\n/\n\n%s\n%s\n%s' % (
            ''.join('%s:%s\n' % field for field in fields), names,
            hashlib.sha256(body.encode()).hexdigest())
        string = 'AWS4-HMAC-SHA256\n%s\n%s\n%s' % (
            self.time, self.scope,
            hashlib.sha256(canonical.encode()).hexdigest())
        return dict(fields, Authorization='AWS4-HMAC-SHA256 Credential=%s/%s, '
                    'SignedHeaders=%s, Signature=%s' % (
                        KEY, self.scope, names,
                        keyed(self.key, string).hex()))

    def line(self, operation, body):
        """The request as dynamo.lua takes it."""
        head = ['POST / HTTP/1.1'] + [
            '%s: %s' % field for field in self.headers(operation,
                                                       body).items()]
        return '\1'.join(head + ['content-length: %d' % len(body), '', body])


def item(n, chance):
    """ITEM_BYTES of names and values."""
    fixed = {'p': {'S': 'item-%06d' % n}, 'n': {'N': str(n)},
             'name': {'S': 'somebody'}}
    used = sum(len(k) + len(next(iter(v.values())))
               for k, v in fixed.items()) + len('text')
    letters = ''.join(chance.choices('abcdefghijklmnopqrstuvwxyz ', k=(
        ITEM_BYTES - used)))
    return dict(fixed, text={'S': letters})


def body(operation, n, chance):
    if operation == GET:
        return 'GetItem', json.dumps({
            'TableName': 'bench', 'Key': {'p': {'S': 'item-%06d' % n}}})
    return 'PutItem', json.dumps({'TableName': 'bench',
                                  'Item': item(n, chance)})


class Client:
    """Prepares a server, one request after the other."""

    def __init__(self, port):
        self.host = '127.0.0.1:%d' % port
        self.connection = http.client.HTTPConnection('127.0.0.1', port,
                                                     timeout=60)

    def ask(self, operation, what):
        text = json.dumps(what)
        self.connection.request('POST', '/', text, Signer(
            self.host).headers(operation, text))
        reply = self.connection.getresponse()
        answer = reply.read()
        if reply.status != 200:
            raise BenchError('%s: %d %s' % (operation, reply.status,
                                            answer.decode()))
        return json.loads(answer)

    def fill(self):
        chance = random.Random(1)
        self.ask('CreateTable', TABLE)
        for begin in range(0, ITEMS, 25):
            rest = {'bench': [{'PutRequest': {'Item': item(n, chance)}}
                              for n in range(begin, begin + 25)]}
            while rest:
                rest = self.ask('BatchWriteItem', {
                    'RequestItems': rest}).get('UnprocessedItems')


# ---- contenders -------------------------------------------------------------

class Bothy:
    label = 'Bothy, durable, signatures verified'

    def __init__(self, top, settings, processes):
        self.top = os.path.join(top, 'bothy')
        self.bin = settings['bin']
        self.processes = processes

    def bothy(self, *argv, **more):
        done = subprocess.run(
            [os.path.join(self.bin, 'bothy'), *argv, '--site', self.top],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            **more)
        if done.returncode:
            raise BenchError(done.stderr)
        return done.stdout

    def start(self):
        port = free_port()
        state = os.path.join(self.top, '.bothy')
        socket = os.path.join(state, 'run', 'gateway.sock')
        os.mkdir(self.top)
        with open(os.path.join(self.top, 'deploy.yaml'), 'w') as f:
            f.write('service: bench\nprovider: {name: bothy}\n')
        self.bothy('key', 'create', '--import', KEY, input=SECRET)
        self.processes.start('gateway', [
            os.path.join(self.bin, 'bothy-fcgi'), '--site', self.top,
            '--listen', 'unix:' + socket], socket)
        config = os.path.join(self.top, 'lighttpd.conf')
        with open(config, 'w') as f:
            f.write(LIGHTTPD.format(root=self.top, port=port, lines=self.bothy(
                'config', 'lighttpd', '--socket', socket)))
        self.processes.start('lighttpd', ['lighttpd', '-D', '-f', config],
                             port)
        return port


class Dynalite:
    label = 'dynalite, in memory'

    def __init__(self, top, settings, processes):
        self.top = os.path.join(top, 'dynalite')
        self.program = settings['dynalite']
        self.processes = processes

    def start(self):
        port = free_port()
        self.processes.start(self.__class__.__name__, [
            'node', self.program, '--port', str(port), '--createTableMs',
            '0'] + self.more(), port)
        return port

    def more(self):
        return []


class DynalitePath(Dynalite):
    label = 'dynalite, with a path'

    def more(self):
        return ['--path', self.top]


def install_dynalite(top):
    """Its program, or None without npm."""
    if not shutil.which('npm'):
        return None
    say('installing dynalite with npm')
    subprocess.run(['npm', 'install', '--no-audit', '--no-fund', 'dynalite'],
                   cwd=top, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, timeout=NPM_S)
    path = os.path.join(top, 'node_modules', 'dynalite', 'cli.js')
    return path if os.path.exists(path) else None


# ---- runs -------------------------------------------------------------------

def run(port, operation, connections, settings, top):
    signer = Signer('127.0.0.1:%d' % port)
    chance = random.Random(connections)
    path = os.path.join(top, 'requests')
    with open(path, 'w') as f:
        for _ in range(REQUESTS):
            f.write(signer.line(*body(operation, chance.randrange(ITEMS),
                                      chance)) + '\n')
    seconds = settings['seconds']
    text = finish(['wrk', '-t1', '-c%d' % connections, '-d%ds' % seconds,
                   '--timeout', '10s', '--latency', '-s',
                   os.path.join(HERE, 'dynamo.lua'),
                   'http://127.0.0.1:%d/' % port, '--', path], seconds)
    got = json.loads(re.search(r'^BENCH (\{.*\})$', text, re.M).group(1))
    if got['not_2xx'] or got['socket_errors']:
        raise BenchError('%d of %d requests failed' % (
            got['not_2xx'] + got['socket_errors'], got['requests']))
    got['rps'] = got['requests'] / (got['duration_us'] / 1e6)
    return got


def measure(kind, top, settings):
    processes = Processes(os.path.join(top, 'logs'), dict(os.environ))
    os.makedirs(processes.log_dir, exist_ok=True)
    runs = {}
    try:
        port = kind(top, settings, processes).start()
        Client(port).fill()
        for _ in range(settings['rounds']):
            for operation in (GET, PUT):
                for connections in CONNECTIONS:
                    got = run(port, operation, connections, settings, top)
                    say('%s, %s, %d connections: %.0f/s, p50 %d us',
                        kind.label, operation, connections, got['rps'],
                        got['p50_us'])
                    runs.setdefault('%s/%d' % (operation, connections),
                                    []).append(got)
    finally:
        processes.stop_all()
    return {name: {'rps': statistics.median(r['rps'] for r in found),
                   'p50_us': statistics.median(r['p50_us'] for r in found),
                   'p99_us': statistics.median(r['p99_us'] for r in found)}
            for name, found in runs.items()}


def table(results):
    columns = ['%s/%d' % (o, c) for o in (GET, PUT) for c in CONNECTIONS]
    lines = ['%-38s' % 'requests a second (p50 ms)' +
             ''.join('%16s' % c for c in columns)]
    for label, found in results['contenders'].items():
        lines.append('%-38s' % label + ''.join('%16s' % '%s (%.2f)' % (
            '{:,.0f}'.format(found[c]['rps']), found[c]['p50_us'] / 1000)
            for c in columns))
    return '\n'.join(lines) + '\n'


def main():
    os.environ['PATH'] += ':/usr/local/sbin:/usr/sbin:/sbin'
    quick = os.environ.get('BENCH_QUICK', '') not in ('', '0')
    settings = {
        'bin': os.path.realpath(os.environ.get('BOTHY_BIN') or os.path.join(
            TOP, 'build', 'release', 'bin')),
        'seconds': number('BENCH_SECONDS', 1 if quick else 5, 600),
        'rounds': number('BENCH_ROUNDS', 1 if quick else 3, 99)}
    out = os.environ.get('BENCH_OUT') or os.path.join(TOP, 'build', 'bench')
    os.makedirs(out, exist_ok=True)
    adopt_descendants()
    top = tempfile.mkdtemp(prefix='bothy-dynamo-',
                           dir=os.environ.get('BENCH_DIR'))
    try:
        settings['dynalite'] = os.environ.get('DYNALITE') or \
            install_dynalite(top)
        kinds = [Bothy]
        if settings['dynalite']:
            kinds += [Dynalite, DynalitePath]
        results = {'machine': machine.describe(), 'settings': settings,
                   'contenders': {k.label: measure(k, top, settings)
                                  for k in kinds}}
    finally:
        shutil.rmtree(top, ignore_errors=True)
    with open(os.path.join(out, 'dynamo.json'), 'w') as f:
        f.write(json.dumps(results, indent='\t') + '\n')
    with open(os.path.join(out, 'dynamo.txt'), 'w') as f:
        f.write(table(results))
    print(table(results), end='')
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except BenchError as problem:
        say('%s', problem)
        sys.exit(1)
