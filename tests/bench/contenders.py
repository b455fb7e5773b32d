"""The contenders of the benchmark and the servers that they run behind.

Each gives the same JSON reply with the same headers.  All lighttpds have one
configuration but for the few lines that make the contender; Bothy's are what
`bothy config lighttpd` prints, and so are those of the in-process responder.
"""
import json
import os
import shutil
import subprocess

from processes import BenchError, free_port

ROUTES = 1000
BODY = b'{"hello":"ada"}\n'
REQUEST_ID = '0' * 26       # as long as the gateway's
THREADS = (2, 4, 8, 16)     # of the in-process responder: the best is taken
WRAPPERS = (4, 16)          # fcgiwrap -c: the better is taken
APACHE_MODULES = '/usr/lib/apache2/modules'

# name -> what tables and the picture call it, in their order
LABELS = {
    'inprocess': 'libfcgi, in process (ceiling)',
    'reused': 'Bothy, requestsPerProcess: 0',
    'warm': 'Bothy, a fresh process each',
    'exec': 'Bothy, runtime: exec',
    'plaincgi': 'Bothy as plain CGI',
    'modcgi': 'lighttpd mod_cgi',
    'cgid': 'Apache mod_cgid',
    'fcgiwrap': 'nginx + fcgiwrap',
}

LIGHTTPD = '''\
server.document-root = "{root}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{root}/error.log"
server.upload-dirs = ("{root}")
server.max-fds = 8192
server.max-connections = 4096
server.max-keep-alive-requests = 65535
server.listen-backlog = 4096
{lines}
'''

MOD_CGI = '''\
server.modules += ("mod_rewrite", "mod_cgi")
cgi.assign = (".cgi" => "")
url.rewrite-once = ("^/(.*)$" => "/{program}/$1")
'''

APACHE = '''\
ServerRoot "{root}"
ServerName localhost
Listen 127.0.0.1:{port}
PidFile "{root}/apache.pid"
ErrorLog "{root}/error.log"
DefaultRuntimeDir "{root}"
LoadModule mpm_event_module "{modules}/mod_mpm_event.so"
LoadModule authz_core_module "{modules}/mod_authz_core.so"
LoadModule alias_module "{modules}/mod_alias.so"
LoadModule env_module "{modules}/mod_env.so"
LoadModule cgid_module "{modules}/mod_cgid.so"
ScriptSock "{root}/cgid.sock"
# or it drops Content-Length, and sends chunks
SetEnv ap_trust_cgilike_cl 1
KeepAlive On
MaxKeepAliveRequests 0
ServerLimit 4
ThreadsPerChild 64
MaxRequestWorkers 256
ScriptAlias "/" "{program}/"
<Directory "/">
	Require all granted
</Directory>
'''

NGINX = '''\
daemon off;
worker_processes auto;
pid "{root}/nginx.pid";
error_log "{root}/error.log";
events {{ worker_connections 4096; }}
http {{
	access_log off;
	client_body_temp_path "{root}/body";
	proxy_temp_path "{root}/proxy";
	fastcgi_temp_path "{root}/fastcgi";
	uwsgi_temp_path "{root}/uwsgi";
	scgi_temp_path "{root}/scgi";
	keepalive_requests 1000000;
	server {{
		listen 127.0.0.1:{port} backlog=4096;
		include /etc/nginx/fastcgi_params;
		fastcgi_param SCRIPT_FILENAME "{program}";
{locations}
	}}
}}
'''


class Contender:
    """Where one is reached; `choice` says what was picked for it."""

    def __init__(self, name, port, path):
        self.name = name
        self.label = LABELS[name]
        self.port = port
        self.path = path
        self.choice = None

    @property
    def url(self):
        return 'http://127.0.0.1:%d%s' % (self.port, self.path)


class Stage:
    """Builds the site and the programs, and starts every server."""

    def __init__(self, top, processes):
        self.top = top
        self.processes = processes
        self.bin = os.path.join(top, 'bothy', 'bin')
        self.site = os.path.join(top, 'site')
        self.state = os.path.join(top, 'state')
        self.socket = os.path.join(self.state, 'run', 'gateway.sock')
        self.contenders = {}

    # ---- programs and site ------------------------------------------------

    def run(self, argv):
        done = subprocess.run(argv, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True,
                              env=self.processes.env)
        if done.returncode:
            raise BenchError('%s failed:\n%s' %
                             (' '.join(argv), done.stderr + done.stdout))
        return done.stdout

    def bothy(self, *argv):
        return self.run([os.path.join(self.bin, 'bothy'), *argv,
                         '--site', self.site, '--state', self.state])

    def program(self, name):
        return os.path.join(self.top, 'programs', name)

    def compile_programs(self):
        source = os.path.join(self.top, 'bench', 'programs')
        os.mkdir(os.path.join(self.top, 'programs'))
        common = ['cc', '-std=c11', '-O2', '-D_GNU_SOURCE',
                  '-DREQUEST_ID="%s"' % REQUEST_ID]
        for name, sources, flags in (
                ('hello', ['hello.c'], ['-static']),
                ('rawcost', ['rawcost.c'], ['-static']),
                ('flood', ['flood.c', 'reply.c'], []),
                ('inprocess', ['inprocess.c'], ['-lfcgi', '-pthread'])):
            self.run(common + [os.path.join(source, s) for s in sources] +
                     ['-o', self.program(name)] + flags)

    def make_site(self):
        """The committed site, with routes until there are ROUTES."""
        shutil.copytree(os.path.join(self.top, 'bench', 'site'), self.site)
        os.mkdir(os.path.join(self.site, 'program'))
        shutil.copy(self.program('hello'),
                    os.path.join(self.site, 'program', 'hello'))
        deploy = os.path.join(self.site, 'deploy.yaml')
        with open(deploy) as f:
            there = f.read().count('httpApi:')
        with open(deploy, 'a') as f:
            for i in range(ROUTES - there):
                f.write("      - httpApi: 'GET /shop/%03d/{id}/items'\n" % i)
        self.bothy('build')
        self.bothy('check')

    # ---- servers ----------------------------------------------------------

    def add(self, name, port, path):
        self.contenders[name] = Contender(name, port, path)

    def web_root(self, name):
        root = os.path.join(self.top, 'web', name)
        os.makedirs(root)
        return root

    def start_lighttpd(self, name, lines, root=None):
        root = root or self.web_root(name)
        port = free_port()
        path = os.path.join(self.top, 'web', name + '.conf')
        with open(path, 'w') as f:
            f.write(LIGHTTPD.format(root=root, port=port, lines=lines))
        self.processes.start('lighttpd-' + name,
                             ['lighttpd', '-D', '-f', path], port)
        return port

    def start_bothy(self):
        self.processes.start('bothy-fcgi', [
            os.path.join(self.bin, 'bothy-fcgi'), '--site', self.site,
            '--state', self.state, '--listen', 'unix:' + self.socket],
            self.socket)
        port = self.start_lighttpd('bothy', self.bothy(
            'config', 'lighttpd', '--socket', self.socket))
        self.add('reused', port, '/reused/ada')
        self.add('warm', port, '/hello/ada')
        self.add('exec', port, '/exec/ada')

    def start_inprocess(self, threads):
        """One of several responders; the lighttpd in front is its own."""
        name = 'inprocess-%d' % threads
        path = os.path.join(self.top, 'i%d.sock' % threads)
        self.processes.start(name, [self.program('inprocess'), path,
                                    str(threads)], path)
        port = self.start_lighttpd(name, self.bothy(
            'config', 'lighttpd', '--socket', path))
        contender = Contender('inprocess', port, '/hello/ada')
        contender.choice = '%d threads' % threads
        return contender

    def stop_inprocess(self, threads):
        self.processes.stop('inprocess-%d' % threads)
        self.processes.stop('lighttpd-inprocess-%d' % threads)

    def start_plain_cgi(self):
        """As on a shared host: the dispatcher in the document root."""
        root = self.web_root('plaincgi')
        shutil.copy(os.path.join(self.bin, 'bothy-dispatch'),
                    os.path.join(root, 'dispatch.cgi'))
        with open(os.path.join(root, 'bothy.site'), 'w') as f:
            f.write('site=%s\nstate=%s\nlaunch=%s\ngateway=%s\n' % (
                self.site, self.state,
                os.path.join(self.bin, 'bothy-launch'),
                os.path.join(self.bin, 'bothy-fcgi')))
        port = self.start_lighttpd(
            'plaincgi', MOD_CGI.format(program='dispatch.cgi'), root)
        self.add('plaincgi', port, '/hello/ada')

    def start_mod_cgi(self):
        root = self.web_root('modcgi')
        shutil.copy(self.program('hello'), os.path.join(root, 'hello.cgi'))
        port = self.start_lighttpd(
            'modcgi', MOD_CGI.format(program='hello.cgi'), root)
        self.add('modcgi', port, '/hello/ada')

    def start_apache(self):
        root = self.web_root('cgid')
        port = free_port()
        path = os.path.join(root, 'apache.conf')
        with open(path, 'w') as f:
            f.write(APACHE.format(root=root, port=port,
                                  modules=APACHE_MODULES,
                                  program=self.program('hello')))
        self.processes.start('apache', [
            'apache2', '-D', 'FOREGROUND', '-f', path], port)
        self.add('cgid', port, '/hello/ada')

    def start_nginx(self):
        """Gives one contender for each number of WRAPPERS."""
        root = self.web_root('fcgiwrap')
        locations = ''
        for n in WRAPPERS:
            path = os.path.join(self.top, 'w%d.sock' % n)
            self.processes.start('fcgiwrap-%d' % n, [
                'fcgiwrap', '-c', str(n), '-s', 'unix:' + path], path)
            locations += '\t\tlocation /c%d/ { fastcgi_pass unix:%s; }\n' % (
                n, path)
        port = free_port()
        path = os.path.join(root, 'nginx.conf')
        with open(path, 'w') as f:
            f.write(NGINX.format(root=root, port=port, locations=locations,
                                 program=self.program('hello')))
        self.processes.start('nginx', [
            'nginx', '-e', os.path.join(root, 'error.log'), '-c', path],
            port)
        found = []
        for n in WRAPPERS:
            contender = Contender('fcgiwrap', port, '/c%d/ada' % n)
            contender.choice = '-c %d' % n
            found.append(contender)
        return found

    def status(self):
        """What `bothy status` says of the launcher; {} if it says nothing."""
        answer = json.loads(self.bothy('status', '--json'))
        launcher = answer.get('launcher') or {}
        return launcher if 'pid' in launcher else {}
