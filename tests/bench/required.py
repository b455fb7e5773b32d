"""What the benchmark has to show: a table of ratios, and how each is taken
from the results."""
from statistics import median

KB = 1024


def rps(r, name):
    return r['contenders'][name]['at']['16']['rps']['median']


def p50(r, name):
    return r['contenders'][name]['at']['1']['p50_us']['median']


def over(a, b):
    return lambda r: rps(r, a) / rps(r, b)


def fork_limit(r, cost='fork'):
    """
    Requests a second that a bare fork, exit and wait for each would allow
    beside the in-process path: both take microseconds of the same cores.
    """
    cores = r['machine']['cores']
    in_process_us = cores * 1e6 / rps(r, 'inprocess')
    return cores * 1e6 / (in_process_us + r['raw'][cost]['median'])


def rss_mb(role):
    def largest(r):
        found = [row['rss_kb'] for when in ('fresh', 'rest')
                 for row in r['memory'][when] if row['role'].startswith(role)]
        return max(found) / KB if found else None
    return largest


TEN_TIMES, THOUSAND = 0, 1      # in overload's `over`


def goodput(which):
    return lambda r: (r['overload']['over'][which]['goodput']['median'] /
                      r['overload']['peak'])


def p99_ms(which):
    return lambda r: r['overload']['over'][which]['p99_us']['median'] / 1000


def beside(names):
    def worst(r):
        n = r['neighbours']
        return max(n['beside'][name]['p99_us']['median'] for name in names) / \
            n['usual_p99_us']['median']
    return worst


AT_LEAST, BELOW = '>=', '<'

# what, how, relation, needed, aim (or None), how to print it
REQUIRED = (
    ('warm / lighttpd mod_cgi', over('warm', 'modcgi'),
     AT_LEAST, 3.3, 4.5, '%.2f'),
    ('warm / nginx + fcgiwrap', over('warm', 'fcgiwrap'),
     AT_LEAST, 2.5, None, '%.2f'),
    ('warm / what bare fork+exit+wait allows',
     lambda r: rps(r, 'warm') / fork_limit(r), AT_LEAST, 0.60, None, '%.2f'),
    ('exec / lighttpd mod_cgi', over('exec', 'modcgi'),
     AT_LEAST, 1.1, None, '%.2f'),
    ('requestsPerProcess 0 / in process', over('reused', 'inprocess'),
     AT_LEAST, 0.70, None, '%.2f'),
    ('plain CGI, 1,000 routes / lighttpd mod_cgi',
     over('plaincgi', 'modcgi'), AT_LEAST, 0.80, None, '%.2f'),
    ('warm p50 - in process p50, 1 connection, us',
     lambda r: p50(r, 'warm') - p50(r, 'inprocess'),
     BELOW, 150, 110, '%.0f'),
    ('gateway at rest, MB resident', rss_mb('gateway'),
     BELOW, 12, None, '%.1f'),
    ('launcher at rest, MB resident', rss_mb('launcher'),
     BELOW, 3, None, '%.1f'),
    ('largest zygote at rest, MB resident', rss_mb('zygote'),
     BELOW, 3, None, '%.1f'),
    ('10 times what saturates: goodput / its peak', goodput(TEN_TIMES),
     AT_LEAST, 0.90, None, '%.2f'),
    ('10 times what saturates: p99 of accepted, ms', p99_ms(TEN_TIMES),
     BELOW, 100, None, '%.1f'),
    ('1,000 connections: goodput / its peak', goodput(THOUSAND),
     AT_LEAST, 0.90, None, '%.2f'),
    ('1,000 connections: p99 of accepted, ms', p99_ms(THOUSAND),
     BELOW, 100, None, '%.1f'),
    ('p99 beside endless loops or memory hogs / the usual',
     beside(('loop', 'crowd', 'hog')), BELOW, 2, None, '%.2f'),
    ('p99 beside one fork bomb after the other / the usual',
     beside(('bomb',)), BELOW, 2, None, '%.2f'),
)


def met(value, relation, needed):
    return value >= needed if relation == AT_LEAST else value < needed


def judge(results):
    rows = []
    for what, how, relation, needed, aim, form in REQUIRED:
        value = how(results)
        rows.append({
            'what': what, 'relation': relation, 'needed': needed, 'aim': aim,
            'measured': value,
            'text': '-' if value is None else form % value,
            'pass': value is not None and met(value, relation, needed),
            'aim_reached': aim is not None and value is not None and
            met(value, relation, aim)})
    return rows


def spread(values):
    return {'median': median(values), 'min': min(values),
            'max': max(values), 'rounds': values}
