"""Resident memory of Bothy's processes, each by its role."""
from processes import children_of, memory_of


def bothy_processes(gateway_pid, status):
    """(role, pid) of every one, from the gateway to the children."""
    found = [('gateway', gateway_pid)]
    if status:
        found.append(('launcher', status['pid']))
    for pool in status.get('functions', []):
        if not pool.get('zygote'):
            continue
        name = pool['function']
        found.append(('zygote of ' + name, pool['zygote']))
        found += [('child of ' + name, pid)
                  for pid in children_of(pool['zygote'])]
    return found


def measure(gateway_pid, status):
    """role -> count, largest RSS, PSS of all together, in KB."""
    rows = {}
    for role, pid in bothy_processes(gateway_pid, status):
        got = memory_of(pid)
        if not got:
            continue
        row = rows.setdefault(role, {'role': role, 'processes': 0,
                                     'rss_kb': 0, 'pss_kb': 0})
        row['processes'] += 1
        row['rss_kb'] = max(row['rss_kb'], got[0])
        if got[1] is None:
            row['pss_kb'] = None    # of one it may not be read
        elif row['pss_kb'] is not None:
            row['pss_kb'] += got[1]
    return list(rows.values())


def measure_others(named):
    """[(name, pids)] of other servers -> one row each."""
    rows = []
    for name, pids in named:
        got = [m for m in map(memory_of, pids) if m]
        pss = [m[1] for m in got]
        rows.append({'role': name, 'processes': len(got),
                     'rss_kb': max([m[0] for m in got], default=0),
                     'pss_kb': None if None in pss else sum(pss)})
    return rows
