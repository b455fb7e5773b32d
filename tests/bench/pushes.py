#!/usr/bin/python3
"""make bench, pushes: how long until what is pushed serves.

A site of 20 functions in C, each a page of its own with Jansson in it, pushed
to Bothy over a path; beside it what Piku documents (a hook that checks out and
builds, then a restart), done by hand with plain git and make: the same
handlers as FastCGI programs, of which a push restarts all.  Timed is from the
begin of `git push` to the first reply of the new release: cold with all 20, and
with one changed.  A table goes to stdout; pushes.json and pushes.txt to
BENCH_OUT.

  BOTHY_BIN      the programs (build/release/bin)
  BENCH_OUT      where the results go (build/bench)
  BENCH_DIR      a directory on the disk that is measured (TMPDIR)
  BENCH_ROUNDS   pushes with one change, of which the median counts (3)
  BENCH_QUICK=1  one round
"""
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import machine
from bench import TOP, number, say
from processes import BenchError, Processes, adopt_descendants
from report import table
from required import BELOW, met

FUNCTIONS = 20
PATIENCE_S = 120
LOOK_S = 0.002

HANDLER = """#include <bothy.h>

int
bothy_handle(struct bothy_req *req)
{
	return bothy_json_new(req, 200, json_pack("{s:s, s:i}", "says",
	    "%s", "function", %d));
}
"""

PROGRAM = """#include <fcgiapp.h>
#include <jansson.h>

#include <stdlib.h>

int
main(void)
{
	FCGX_Request r;
	char *text;
	json_t *reply;

	FCGX_Init();
	FCGX_InitRequest(&r, 0, 0);
	while (FCGX_Accept_r(&r) == 0) {
		reply = json_pack("{s:s, s:i}", "says", "%s", "function", %d);
		text = json_dumps(reply, JSON_COMPACT);
		FCGX_FPrintF(r.out, "Content-Type: application/json\\r\\n\\r\\n"
		    "%%s", text);
		free(text);
		json_decref(reply);
		FCGX_Finish_r(&r);
	}
	return 0;
}
"""

MAKEFILE = """PROGRAMS := $(patsubst %.c,$(OUT)/%,$(wildcard *.c))
all: $(PROGRAMS)
$(OUT)/%: %.c
	$(CC) -O2 -o $@ $< -lfcgi -ljansson
"""

# Check out, build, restart.  make builds what the checkout has changed.
HOOK = """#!/bin/sh
set -e
while read old new ref; do
	GIT_WORK_TREE={app} git checkout -q -f main
	make -s -j{cores} -C {app} OUT={out}
	touch {restart}
done
"""


# ---- asking -----------------------------------------------------------------

def pair(name, value):
    return bytes([len(name), len(value)]) + name + value


def record(kind, content):
    return bytes([1, kind, 0, 1]) + len(content).to_bytes(2, 'big') + \
        b'\0\0' + content


def ask(path, target):
    """What a FastCGI responder replies, its framing with it; b'' if none."""
    params = b''.join(pair(n.encode(), v.encode()) for n, v in (
        ('REQUEST_METHOD', 'GET'), ('REQUEST_URI', target),
        ('SCRIPT_NAME', ''), ('PATH_INFO', target),
        ('SERVER_PROTOCOL', 'HTTP/1.1'), ('QUERY_STRING', '')))
    got = b''
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(PATIENCE_S)
        try:
            s.connect(path)
            s.sendall(record(1, b'\0\1\0\0\0\0\0\0') + record(4, params) +
                      record(4, b'') + record(5, b''))
            while True:
                more = s.recv(65536)
                got += more
                if not more:
                    return got
        except OSError:
            return b''


def wait_for(path, target, word):
    until = time.monotonic() + PATIENCE_S
    while word.encode() not in ask(path, target):
        if time.monotonic() > until:
            raise BenchError('%s does not say %s' % (target, word))
        time.sleep(LOOK_S)


# ---- contenders -------------------------------------------------------------

class Contender:
    def __init__(self, top, settings, processes):
        self.top = os.path.join(top, self.name)
        self.dev = os.path.join(self.top, 'dev')
        self.settings, self.processes = settings, processes
        self.env = dict(processes.env, GIT_CONFIG_NOSYSTEM='1')
        os.makedirs(self.dev)
        self.git('init', '-q', '-b', 'main')
        self.git('config', 'user.name', 'Ann')
        self.git('config', 'user.email', 'ann@example.org')

    def run(self, *argv, cwd=None):
        done = subprocess.run(argv, cwd=cwd or self.dev, env=self.env,
                              stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode:
            raise BenchError('%s: %s' % (' '.join(argv), done.stdout))
        return done.stdout

    def git(self, *argv):
        return self.run('git', *argv)

    def write(self, name, text):
        path = os.path.join(self.dev, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w') as f:
            f.write(text)

    def change(self, words):
        """Functions by number, and what each is to say."""
        for i, word in words.items():
            self.write(self.source % i, self.text % (word, i))
        self.git('add', '-A')
        self.git('commit', '-q', '-m', 'a change')

    def push(self, words):
        """Seconds until all of them say so."""
        self.change(words)
        begin = time.monotonic()
        self.git('push', '-q', 'site', 'main')
        self.pushed()
        for i, word in words.items():
            wait_for(self.socket(i), '/f%d' % i, word)
        return time.monotonic() - begin


class Bothy(Contender):
    name, label = 'bothy', 'Bothy, checked, confined, synced'
    source, text = 'functions/f%d.c', HANDLER
    gateway = None

    def prepare(self):
        self.site = os.path.join(self.top, 'site')
        self.run(self.program('bothy'), 'site', 'create', self.site)
        self.git('remote', 'add', 'site', self.site + '.git')
        self.write('deploy.yaml', 'service: bench\n'
                   'provider: {name: bothy}\nfunctions:\n' + ''.join(
                       "  f%d: {handler: functions/f%d.c, events: "
                       "[httpApi: 'GET /f%d']}\n" % (i, i, i)
                       for i in range(FUNCTIONS)))

    def program(self, name):
        return os.path.join(self.settings['bin'], name)

    def socket(self, i):
        return os.path.join(self.top, 'gateway.sock')

    def pushed(self):
        """The gateway runs from the first release on."""
        if self.gateway:
            return
        self.gateway = self.processes.start('gateway', [
            self.program('bothy-fcgi'), '--site', self.site, '--listen',
            'unix:' + self.socket(0)], self.socket(0))


class Piku(Contender):
    name, label = 'piku', 'checkout, make, restart of all, by hand'
    source, text = 'f%d.c', PROGRAM

    def prepare(self):
        repository = os.path.join(self.top, 'site.git')
        self.out = os.path.join(self.top, 'out')
        self.restart = os.path.join(self.top, 'restart')
        app = os.path.join(self.top, 'app')
        os.mkdir(app)
        os.mkdir(self.out)
        self.run('git', 'init', '-q', '--bare', '-b', 'main', repository)
        hook = os.path.join(repository, 'hooks', 'post-receive')
        with open(hook, 'w') as f:
            f.write(HOOK.format(app=app, out=self.out, restart=self.restart,
                                cores=os.cpu_count()))
        os.chmod(hook, 0o755)
        self.git('remote', 'add', 'site', repository)
        self.write('Makefile', MAKEFILE)

    def socket(self, i):
        return os.path.join(self.top, 'f%d.sock' % i)

    def pushed(self):
        """The supervisor's part: what the hook asks for."""
        os.unlink(self.restart)
        for i in range(FUNCTIONS):
            name = 'f%d' % i
            if name in self.processes.running:
                self.processes.stop(name)
            self.start(name, self.socket(i))

    def start(self, name, path):
        if os.path.exists(path):
            os.unlink(path)
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
            s.listen(16)
            self.processes.running[name] = subprocess.Popen(
                [os.path.join(self.out, name)], stdin=s.fileno(),
                env=self.env)


# ---- runs -------------------------------------------------------------------

def measure(kind, top, settings):
    processes = Processes(os.path.join(top, 'logs'),
                          dict(os.environ, HOME=top, TMPDIR=top))
    os.makedirs(processes.log_dir, exist_ok=True)
    contender = kind(top, settings, processes)
    try:
        contender.prepare()
        cold = contender.push({i: 'cold' for i in range(FUNCTIONS)})
        say('%s, all %d: %.2f s', kind.label, FUNCTIONS, cold)
        changed = []
        for i in range(settings['rounds']):
            changed.append(contender.push({i: 'changed %d' % i}))
            say('%s, one changed: %.2f s', kind.label, changed[-1])
    finally:
        processes.stop_all()
    return {'label': kind.label, 'cold_s': cold, 'changed': changed,
            'changed_s': statistics.median(changed)}


# what, which, under how many seconds
REQUIRED = (('push to live, one of 20 changed, s', 'changed_s', 2),
            ('push to live, all 20, cold, s', 'cold_s', 20))


def judge(contenders):
    found = contenders[Bothy.name]
    return [{'what': what, 'measured': found[which], 'relation': BELOW,
             'needed': needed, 'pass': met(found[which], BELOW, needed)}
            for what, which, needed in REQUIRED]


def full_text(results):
    rows = [[found['label'], '%.2f' % found['cold_s'],
             '%.2f' % found['changed_s']]
            for found in results['contenders'].values()]
    return table(['git push until it serves, 20 functions', 'all, cold, s',
                  'one changed, s'], rows) + '\n\n' + table(
        ['required', 'measured', 'needed', ''],
        [[row['what'], '%.2f' % row['measured'], 'under %g' % row['needed'],
          'pass' if row['pass'] else 'FAIL']
         for row in results['required']]) + '\n'


def main():
    quick = os.environ.get('BENCH_QUICK', '') not in ('', '0')
    settings = {
        'bin': os.path.realpath(os.environ.get('BOTHY_BIN') or os.path.join(
            TOP, 'build', 'release', 'bin')),
        'rounds': number('BENCH_ROUNDS', 1 if quick else 3, FUNCTIONS)}
    if not os.path.exists(os.path.join(settings['bin'], 'bothy')):
        raise BenchError('bothy is not in %s: run make first, or set '
                         'BOTHY_BIN' % settings['bin'])
    out = os.environ.get('BENCH_OUT') or os.path.join(TOP, 'build', 'bench')
    os.makedirs(out, exist_ok=True)
    adopt_descendants()
    top = tempfile.mkdtemp(prefix='bothy-pushes-',
                           dir=os.environ.get('BENCH_DIR'))
    try:
        os.chmod(top, 0o755)    # root's functions have users of their own
        results = {'machine': machine.describe(), 'settings': settings,
                   'contenders': {k.name: measure(k, top, settings)
                                  for k in (Bothy, Piku)}}
        results['required'] = judge(results['contenders'])
    finally:
        shutil.rmtree(top, ignore_errors=True)
    with open(os.path.join(out, 'pushes.json'), 'w') as f:
        f.write(json.dumps(results, indent='\t') + '\n')
    with open(os.path.join(out, 'pushes.txt'), 'w') as f:
        f.write(full_text(results))
    print(full_text(results), end='')
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except BenchError as problem:
        say('%s', problem)
        sys.exit(1)
