"""The results as text: tables that can be pasted into a README."""
from required import AT_LEAST, fork_limit


def table(head, rows):
    """GitHub's table, aligned for a terminal: first column left."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [head] + rows)
              for i in range(len(head))]

    def line(cells):
        return '| ' + ' | '.join(
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(cells, widths))) + ' |'

    rule = '|' + '|'.join('-' * (w + 2) if i == 0 else '-' * (w + 1) + ':'
                          for i, w in enumerate(widths)) + '|'
    return '\n'.join([line(head), rule] + [line(row) for row in rows])


def number(n):
    return '{:,.0f}'.format(n)


def ms(us):
    return '%.2f' % (us / 1000) if us < 10000 else '%.0f' % (us / 1000)


def machine_text(r):
    m, s, v = r['machine'], r['settings'], r['machine']['versions']
    lines = [
        '%d cores (%s), %s MB, Linux %s, %s' % (
            m['cores'], m['cpu'], m['memory_mb'], m['kernel'], m['system']),
        ', '.join('%s %s' % (k, n) for k, n in v.items() if n),
        'Bothy %s; %d routes; containment %s; %s' % (
            m.get('commit') or '', s['routes'], s['containment'],
            'missing: ' + s['missing'] if s['missing'] else
            'nothing of the sandbox is missing'),
        'medians of %d round%s of %d s each, interleaved; wrk and the '
        'servers share the cores' % (
            s['rounds'], 's' * (s['rounds'] > 1), s['seconds']),
    ]
    if m['load_at_start'] > 0.5:
        lines.append('NOT QUIET: the load was %.1f before the start' %
                     m['load_at_start'])
    return '\n'.join(lines)


def level_text(r, connections):
    rows = []
    for c in r['contenders'].values():
        at = c['at'][str(connections)]
        label = c['label']
        if c['choice']:
            label += ', ' + c['choice']
        rows.append([label, number(at['rps']['median']),
                     '%s to %s' % (number(at['rps']['min']),
                                   number(at['rps']['max'])),
                     ms(at['p50_us']['median']), ms(at['p99_us']['median']),
                     number(at['errors'])])
    title = '%d connection%s' % (connections, 's' * (connections > 1))
    return table([title, 'req/s', 'spread', 'p50 ms', 'p99 ms', 'errors'],
                 rows)


def raw_text(r):
    names = (('fork', 'fork, exit, wait, from a static process'),
             ('fork_namespace', 'the same, each in a pid namespace'),
             ('spawn', 'posix_spawn of a static program, until reaped'),
             ('fork_busy', 'fork, exit, wait on all cores at once: '
              'time of a core'))
    rows = [[text, '%.0f' % r['raw'][name]['median'],
             '%.0f to %.0f' % (r['raw'][name]['min'], r['raw'][name]['max'])]
            for name, text in names if r['raw'].get(name)]
    limits = 'bare fork+exit+wait beside the in-process path allows %s ' \
        'req/s (%s with the cost on all cores at once)' % (
            number(fork_limit(r)), number(fork_limit(r, 'fork_busy')))
    return table(['raw costs', 'us', 'spread'], rows) + '\n\n' + limits


def memory_text(r):
    parts = []
    for when, title in (('fresh', 'memory, started and used once'),
                        ('load', 'memory, warm under 200 connections'),
                        ('rest', 'memory, at rest after all load'),
                        ('others', 'memory, the others after all load')):
        parts.append(table([title, 'processes', 'RSS MB (largest)',
                            'PSS MB (together)'], [
            [row['role'], row['processes'], '%.1f' % (row['rss_kb'] / 1024),
             '-' if row['pss_kb'] is None else
             '%.1f' % (row['pss_kb'] / 1024)]
            for row in r['memory'][when]]))
    return '\n\n'.join(parts)


def overload_text(r):
    o = r['overload']
    rows = [['%s%s' % (number(level['connections']), level['note']),
             number(level['goodput']['median']),
             '%.0f%%' % (100 * level['goodput']['median'] / o['peak']),
             ms(level['p50_us']['median']), ms(level['p99_us']['median']),
             number(level['refused_rps']['median']),
             number(level['other']), number(level['broken']),
             number(level['overdue'])]
            for level in o['steps'] + o['over']]
    return table(['overload: connections', '2xx/s', 'of peak', 'p50 ms',
                  'p99 ms', '503/s', 'other', 'broken', 'overdue'], rows)


def neighbours_text(r):
    n = r['neighbours']
    usual = n['usual_p99_us']['median']
    rows = [['nobody', ms(usual), '', '', '']] + [
        [b['what'], ms(b['p99_us']['median']),
         '%.2f' % (b['p99_us']['median'] / usual), number(b['rps']['median']),
         number(b['errors'])] for b in n['beside'].values()]
    return table(['1 connection, warm, beside', 'p99 ms', 'of the usual',
                  'req/s', 'errors'], rows)


def required_text(r):
    rows = [[row['what'], row['text'],
             '%s %g' % ('at least' if row['relation'] == AT_LEAST
                        else 'under', row['needed']),
             '' if row['aim'] is None else '%g%s' % (
                 row['aim'], ' reached' if row['aim_reached'] else ''),
             'pass' if row['pass'] else 'FAIL']
            for row in r['required']]
    return table(['required', 'measured', 'needed', 'aim', ''], rows)


def full_text(r):
    parts = [machine_text(r)]
    parts += [level_text(r, n) for n in r['settings']['connections']]
    parts += [raw_text(r), memory_text(r), overload_text(r),
              neighbours_text(r), required_text(r)]
    return '\n\n'.join(parts) + '\n'
