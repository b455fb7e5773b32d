"""The results of the stores' benchmark: what is required, tables, picture."""
from chart import STYLE, nice_step, text
from report import ms, number, table
from required import AT_LEAST, BELOW, met

OPERATIONS = (('get', 'get'), ('put', 'put over another'),
              ('putnew', 'put new'), ('update', 'conditional update'),
              ('query', 'query of 20'), ('scan', 'scan of all, in segments'))
WRITES = ('put', 'putnew', 'update')


def run(r, size, name, operation, clients):
    """One result, or None: '+file' is a write that waits for its file."""
    peer = r['sizes'].get(str(size), {}).get(name, {})
    return peer.get('runs', {}).get('%s/%d' % (operation, clients))


def rate(r, size, name, operation, clients):
    found = run(r, size, name, operation, clients)
    return found and found['operations'] / found['seconds']


def p50(r, size, name, operation, clients):
    found = run(r, size, name, operation, clients)
    return found and found['p50_us']


def upkeep(r, size):
    """What storeupkeep.py found; {} if it was not there."""
    return r['sizes'].get(str(size), {}).get('bothy', {}).get('upkeep', {})


def checkpoint_ms(r, size, changes):
    found = upkeep(r, size).get('checkpoint', {}).get(str(changes))
    return found and found['p50_ms']


def paced_p99_ms(r, size):
    found = upkeep(r, size).get('paced')
    return found and found['p99_us'] / 1000


def ratio(a, b):
    return a / b if a is not None and b else None


# ---- what is required -------------------------------------------------------

def required_rows(r):
    """what, measured, relation, needed, aim, form"""
    sizes = r['settings']['sizes']
    small, large = sizes[0], sizes[-1]
    raw = r['raw'].get(str(small), {}).get('1')
    raw_p50 = raw and raw['p50_us']
    rows = []
    for size in sizes:
        rows += [
            ('gets/s, best, %s documents' % number(size),
             max((rate(r, size, 'bothy', 'get', n) or 0
                  for n in r['settings']['clients']), default=None),
             AT_LEAST, 60000, 120000, '%.0f'),
            ('gets: Bothy / PostgreSQL, 16 clients, %s' % number(size),
             ratio(rate(r, size, 'bothy', 'get', 16),
                   rate(r, size, 'postgres', 'get', 16)),
             AT_LEAST, 1, None, '%.2f'),
            ('puts over: Bothy / PostgreSQL, 64 clients, %s' % number(size),
             ratio(rate(r, size, 'bothy', 'put', 64),
                   rate(r, size, 'postgres', 'put', 64)),
             AT_LEAST, 1, None, '%.2f')]
    rows += [
        ('puts over/s, 64 clients, %s documents' % number(small),
         rate(r, small, 'bothy', 'put', 64), AT_LEAST, 15000, 30000, '%.0f'),
        ('puts over/s, 64 clients, %s documents' % number(large),
         rate(r, large, 'bothy', 'put', 64), AT_LEAST, 5000, 10000, '%.0f'),
        ('put p50 / append + fdatasync p50, 1 client',
         ratio(p50(r, small, 'bothy', 'put', 1), raw_p50), BELOW, 1.5, None,
         '%.2f'),
        ('the same, waiting for the file',
         ratio(p50(r, small, 'bothy', 'put+file', 1), raw_p50), BELOW, 2,
         None, '%.2f'),
        ('anonymous memory, MB, %s documents' % number(large),
         r['sizes'][str(large)].get('bothy', {}).get('after', {}).get(
             'anonymous_mb'), BELOW, 150, None, '%.0f'),
        ('checkpoint of 1, p50 ms, %s documents' % number(large),
         checkpoint_ms(r, large, 1), BELOW, 10, None, '%.1f'),
        ('checkpoint of 1,000, p50 ms, %s documents' % number(large),
         checkpoint_ms(r, large, 1000), BELOW, 400, None, '%.0f'),
        ('put p99 ms beside checkpoints of 1,000, %s' % number(large),
         paced_p99_ms(r, large), BELOW, 20, None, '%.1f'),
        ('clean start, ms, %s documents' % number(large),
         upkeep(r, large).get('start_ms'), BELOW, 500, None, '%.0f'),
        ('index made again of warm files, s, %s' % number(large),
         upkeep(r, large).get('rebuild_s'), BELOW, 60, None, '%.1f')]
    return rows


def judge(r):
    return [{'what': what, 'relation': relation, 'needed': needed, 'aim': aim,
             'measured': value,
             'text': '-' if value is None else form % value,
             'pass': value is not None and met(value, relation, needed),
             'aim_reached': aim is not None and value is not None and
             met(value, relation, aim)}
            for what, value, relation, needed, aim, form in required_rows(r)]


# ---- tables ------------------------------------------------------------------

def cells(found):
    if not found:
        return ['-', '-', '-']
    return [number(found['operations'] / found['seconds']) +
            (' (%d errors)' % found['errors'] if found['errors'] else ''),
            ms(found['p50_us']), ms(found['p99_us'])]


def operation_rows(r, size, operation, clients):
    rows = []
    for name, peer in r['sizes'][str(size)].items():
        found = run(r, size, name, operation, clients)
        if found:
            rows.append([peer['label']] + cells(found) +
                        [number(found['backlog'])
                         if found.get('backlog') is not None else ''])
    found = operation in WRITES and run(r, size, 'bothy',
                                        operation + '+file', clients)
    if found:
        rows.insert(1, ['Bothy, waiting for the file'] + cells(found) +
                    [number(found['backlog'])])
    if operation == 'put':
        raw = r['raw'].get(str(size), {}).get(str(clients))
        if raw:
            rows.append(['append + fdatasync alone'] + cells(raw) + [''])
    return rows


def upkeep_rows(r, size):
    found = upkeep(r, size)
    if not found:
        return []
    rows = [['checkpoint of %s document%s, ms' % (
        number(int(n)), 's' * (n != '1')), '%.1f' % c['p50_ms'],
        'most %.1f; %.1f KB of history' % (c['most_ms'], c['history_kb'])]
        for n, c in found['checkpoint'].items()]
    p = found['paced']
    return rows + [
        ['put p99 beside them, ms', '%.1f' % (p['p99_us'] / 1000),
         'p50 %.2f; %.0f puts/s in %.0f s with %d checkpoints' % (
             p['p50_us'] / 1000, p['operations'] / p['seconds'],
             p['seconds'], p['checkpoints'])],
        ['history a day, MB', '%.0f' % found['history_day_mb'],
         'one document changed each second, before thinning; beyond 100 MB '
         'a day checkpoints come less often'],
        ['clean start, ms', '%.0f' % found['start_ms'], ''],
        ['index made again, s', '%.1f' % found['rebuild_s'],
         'from warm files']]


def size_text(r, size):
    parts = []
    for operation, title in OPERATIONS:
        for clients in r['settings']['clients']:
            rows = operation_rows(r, size, operation, clients)
            if not rows:
                continue
            head = '%s, %d client%s' % (title, clients, 's' * (clients > 1))
            unit = 'documents/s' if operation == 'scan' else 'ops/s'
            parts.append(table([head, unit, 'p50 ms', 'p99 ms', 'backlog'],
                               rows))
    rows = []
    for peer in r['sizes'][str(size)].values():
        after = peer['after']
        rows.append([peer['label'], number(peer['fill_per_s']),
                     '%.0f' % after['anonymous_mb'],
                     '%.0f' % after['file_mb'], number(after['disk_mb']),
                     '%.0f' % after['history_mb']
                     if 'history_mb' in after else '',
                     after.get('checkpoint_ms', '')])
    parts.append(table(['after all of it', 'filled/s', 'anonymous MB',
                        'file-backed MB', 'disk MB', 'history MB',
                        'checkpoint ms'], rows))
    rows = upkeep_rows(r, size)
    if rows:
        parts.append(table(['Bothy, beside answering', 'p50', ''], rows))
    return '\n\n'.join(['%s documents of 400 bytes' % number(size)] + parts)


def full_text(r):
    m, s = r['machine'], r['settings']
    lines = ['%d cores (%s), %s MB, Linux %s, %s; Bothy %s' % (
        m['cores'], m['cpu'], m['memory_mb'], m['kernel'], m['system'],
        m.get('commit') or ''),
        '%d s each; clients and servers share the cores%s' % (
            s['seconds'], '; the file system was forced upon bothy-store'
            if r.get('forced') else '')]
    lines += ['NOT THERE: ' + why for why in r['missing']]
    rows = [[row['what'], row['text'], '%s %g' % (
        'at least' if row['relation'] == AT_LEAST else 'under',
        row['needed']),
        '' if row['aim'] is None else '%g%s' % (
            row['aim'], ' reached' if row['aim_reached'] else ''),
        'pass' if row['pass'] else 'FAIL'] for row in r['required']]
    return '\n\n'.join(
        ['\n'.join(lines)] +
        [size_text(r, size) for size in s['sizes'] if str(size) in
         r['sizes']] +
        [table(['required', 'measured', 'needed', 'aim', ''], rows)]) + '\n'


# ---- the picture ----------------------------------------------------------------

LEFT, RIGHT, TOP, ROW, BAR = 236, 690, 62, 26, 16


def bars(r):
    """(label, rate, ours), a group a size and operation; None between."""
    for size in r['settings']['sizes']:
        for operation, title in (('get', 'gets'), ('put', 'puts over')):
            yield ('%s documents, %s' % (number(size), title), None, False)
            for name, peer in r['sizes'].get(str(size), {}).items():
                value = rate(r, size, name, operation, 16)
                if value:
                    yield (peer['label'], value, name == 'bothy')


def draw(r):
    rows = list(bars(r))
    most = max([value for _, value, _ in rows if value] or [1])
    scale = (RIGHT - LEFT) / most
    bottom = TOP + ROW * len(rows)
    parts = [text(16, 27, 'Operations a second, 16 clients', 'title'),
             text(16, 46, '%d s each; %d cores shared with the load '
                  'generator' % (r['settings']['seconds'],
                                 r['machine']['cores']), 'note')]
    step = nice_step(most)
    for i in range(int(most / step) + 1):
        x = LEFT + i * step * scale
        parts.append('<line class="grid" x1="%.1f" y1="%d" x2="%.1f" '
                     'y2="%d"/>' % (x, TOP - 8, x, bottom))
        parts.append(text(x, bottom + 15, number(i * step), 'note', 'middle'))
    for i, (label, value, ours) in enumerate(rows):
        y = TOP + i * ROW
        if value is None:
            parts.append(text(16, y + BAR / 2 + 4.5, label, 'value'))
            continue
        width = max(value * scale, 1)
        parts.append(text(LEFT - 10, y + BAR / 2 + 4.5, label, '', 'end'))
        parts.append('<rect class="%s" x="%d" y="%.1f" width="%.1f" '
                     'height="%d" rx="2"/>' % ('ours' if ours else 'other',
                                               LEFT, y, width, BAR))
        parts.append(text(LEFT + width + 8, y + BAR / 2 + 4.5,
                          number(value), 'value halo'))
    height = bottom + 30
    return ('<svg xmlns="http://www.w3.org/2000/svg" width="860" height="%d" '
            'viewBox="0 0 860 %d" role="img" aria-label="Bar chart of '
            'operations a second">\n<style>%s</style>\n<rect class="page" '
            'width="860" height="%d" rx="6"/>\n%s\n</svg>\n' % (
                height, height, STYLE, height, '\n'.join(parts)))
