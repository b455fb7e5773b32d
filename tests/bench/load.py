"""Load on a contender: one run of wrk, of flood, or of rawcost."""
import http.client
import json
import os
import re
import subprocess

from processes import BenchError

SLACK_S = 30    # for a run, beyond its own time
WARM_MS = 300   # of load before each run of wrk

HERE = os.path.dirname(os.path.abspath(__file__))


def finish(argv, seconds):
    done = subprocess.run(argv, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True,
                          timeout=seconds + SLACK_S)
    if done.returncode:
        raise BenchError('%s failed:\n%s' % (' '.join(argv),
                                             done.stderr + done.stdout))
    return done.stdout


def wrk(contender, connections, seconds):
    """Requests a second, latencies in microseconds, errors."""
    text = finish(['wrk', '-t1', '-c%d' % connections, '-d%ds' % seconds,
                   '--timeout', '10s', '--latency',
                   '-s', os.path.join(HERE, 'wrk.lua'), contender.url],
                  seconds)
    line = re.search(r'^BENCH (\{.*\})$', text, re.M)
    if not line:
        raise BenchError('wrk says nothing that can be read:\n' + text)
    got = json.loads(line.group(1))
    good = got['requests'] - got['not_2xx']
    return {
        'rps': good / (got['duration_us'] / 1e6),
        'p50_us': got['p50_us'],
        'p99_us': got['p99_us'],
        'errors': got['not_2xx'] + got['socket_errors'],
    }


def flood(program, contender, connections, ms):
    """As the program prints it, and accepted and refused a second."""
    got = json.loads(finish([program, str(contender.port), contender.path,
                             str(connections), str(ms)], ms / 1000))
    seconds = got['duration_us'] / 1e6
    got['goodput'] = got['accepted']['count'] / seconds
    got['refused_rps'] = got['refused']['count'] / seconds
    return got


def rawcost(program, spawned, ms):
    return json.loads(finish([program, str(ms), spawned], 4 * ms / 1000))


def get(contender):
    """One request: status, headers in lower case, body."""
    c = http.client.HTTPConnection('127.0.0.1', contender.port, timeout=20)
    try:
        c.request('GET', contender.path)
        reply = c.getresponse()
        return (reply.status,
                {k.lower(): v for k, v in reply.getheaders()}, reply.read())
    except (OSError, http.client.HTTPException) as e:
        return 0, {}, str(e).encode()
    finally:
        c.close()
