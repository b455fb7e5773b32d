"""What the numbers were taken on: the machine, and versions of what ran."""
import os
import platform
import re
import shutil
import subprocess

# Program -> Debian package, of what the benchmark starts or compiles with.
TOOLS = {
    'cc': 'gcc',
    'wrk': 'wrk',
    'lighttpd': 'lighttpd',
    'apache2': 'apache2-bin',
    'nginx': 'nginx-light',
    'fcgiwrap': 'fcgiwrap',
}
HEADERS = {
    '/usr/include/fcgiapp.h': 'libfcgi-dev',
    '/usr/include/jansson.h': 'libjansson-dev',
}
VERSIONS = {
    'lighttpd': ['lighttpd', '-v'],
    'apache': ['apache2', '-v'],
    'nginx': ['nginx', '-v'],
    'wrk': ['wrk', '-v'],
    'cc': ['cc', '--version'],
}
PACKAGES = ['fcgiwrap', 'libfcgi-dev']     # these can't say it themselves


def missing_packages():
    return sorted({package for tool, package in TOOLS.items()
                   if not shutil.which(tool)} |
                  {package for header, package in HEADERS.items()
                   if not os.path.exists(header)})


def first_line(argv):
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.split('\n')[0].strip() or None


def version_of_package(name):
    return first_line(['dpkg-query', '-W', '-f', '${Version}', name])


def versions():
    found = {}
    for name, argv in VERSIONS.items():
        line = first_line(argv) or ''
        number = re.search(r'\d+\.\d+(\.\d+)?', line)
        found[name] = number.group(0) if number else None
    for name in PACKAGES:
        found[name] = version_of_package(name)
    return found


def grep(path, pattern):
    try:
        with open(path) as f:
            match = re.search(pattern, f.read(), re.M)
    except OSError:
        return None
    return match.group(1).strip() if match else None


def describe():
    memory_kb = grep('/proc/meminfo', r'^MemTotal:\s+(\d+)')
    return {
        'cores': os.cpu_count(),
        'cpu': grep('/proc/cpuinfo', r'^model name\s*:(.*)$') or
               platform.machine(),
        'memory_mb': int(memory_kb) // 1024 if memory_kb else None,
        'kernel': platform.release(),
        'system': grep('/etc/os-release', r'^PRETTY_NAME="?([^"\n]*)'),
        'versions': versions(),
        'load_at_start': os.getloadavg()[0],
    }
