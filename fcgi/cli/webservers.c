/*
 * The table of web servers and their templates (webconf.h).
 *
 * @NAME@ stands for a value; a line that begins with @?NAME@ is there only if
 * the value is not empty, one with @!NAME@ only if it is.  What a line is
 * for stands in the template, where the user who pastes it reads it too.
 */
#include "webconf.h"

#include <string.h>

static const char lighttpd_fragment[] =
    "# Bothy behind lighttpd: paste into lighttpd.conf\n"
    "server.modules += (\"mod_fastcgi\")\n"
    "server.stream-response-body = 1   # what a function flushes goes out\n"
    "fastcgi.balance = \"least-connection\"\n"
    "@?BASE@$HTTP[\"url\"] =~ \"^@BASE@(?:/|$)\" {\n"
    "fastcgi.server = (\"@BASE_OR_ROOT@\" => ((\n"
    "\t\"socket\" => \"@SOCKET@\",\n"
    "@?SPAWNED@\t\"bin-path\" => \"@GATEWAY@\",\n"
    "@?SPAWNED@\t\"bin-environment\" => (\n"
    "@?SPAWNED@\t\t\"BOTHY_SITE\" => \"@SITE@\",\n"
    "@?SPAWNED@@?STAGE@\t\t\"BOTHY_STAGE\" => \"@STAGE@\",\n"
    "@?SPAWNED@\t\t\"BOTHY_STATE\" => \"@STATE@\"\n"
    "@?SPAWNED@\t),\n"
    "@?SPAWNED@\t\"max-procs\" => 1,   # it has threads\n"
    "\t\"check-local\" => \"disable\",\n"
    "\t\"tcp-fin-propagate\" => \"enable\"\n"
    ")))\n"
    "@?BASE@}\n";

static const char lighttpd_standalone[] =
    "server.document-root = \"@ROOT@/empty\"\n"
    "server.bind = \"@LISTEN@\"\n"
    "server.port = @PORT@\n"
    "server.pid-file = \"@ROOT@/lighttpd.pid\"\n"
    "server.errorlog = \"@ROOT@/error.log\"\n"
    "server.upload-dirs = (\"@ROOT@\")\n"
    "@?USER@server.username = \"@USER@\"\n"
    "@?USER@server.groupname = \"@GROUP@\"\n"
    "\n"
    "@FRAGMENT@";

static const char apache_fragment[] =
    "# Bothy behind Apache: paste into a <VirtualHost>\n"
    "# (on Debian: a2enmod proxy proxy_fcgi)\n"
    "AllowEncodedSlashes NoDecode\n"
    "<Proxy \"fcgi://bothy/\">\n"
    "\tProxySet flushpackets=on enablereuse=off timeout=3600\n"
    "</Proxy>\n"
    "<Location \"@BASE_OR_ROOT@\">\n"
    "\tSetHandler \"proxy:unix:@SOCKET@|fcgi://bothy/\"\n"
    "\tProxyFCGIBackendType GENERIC\n"
    "\tCGIPassAuth On\n"
    "\tDirectorySlash Off\n"
    "\tDirectoryIndex disabled\n"
    "\tRequire all granted\n"
    "</Location>\n";

#define APACHE_MODULE(name) \
	"<IfModule !" name "_module>\n" \
	"\tLoadModule " name "_module \"@MODULES@/mod_" name ".so\"\n" \
	"</IfModule>\n"

#define APACHE_COMMON \
	"ServerRoot \"@ROOT@\"\n" \
	"ServerName localhost\n" \
	"Listen @LISTEN@:@PORT@\n" \
	"PidFile \"@ROOT@/apache.pid\"\n" \
	"ErrorLog \"@ROOT@/error.log\"\n" \
	"DefaultRuntimeDir \"@ROOT@\"\n" \
	APACHE_MODULE("mpm_event") \
	APACHE_MODULE("unixd") \
	APACHE_MODULE("authz_core") \
	APACHE_MODULE("dir") \
	"@?USER@User \"@USER@\"\n" \
	"@?USER@Group \"@GROUP@\"\n" \
	"<Directory \"/\">\n" \
	"\tAllowOverride None\n" \
	"\tRequire all denied\n" \
	"</Directory>\n"

#define APACHE_DOCROOT \
	APACHE_MODULE("mime") \
	"TypesConfig /dev/null\n" \
	APACHE_MODULE("rewrite") \
	"DocumentRoot \"@DOCROOT@\"\n" \
	"<Directory \"@DOCROOT@\">\n" \
	"\t# what is pasted is the .htaccess there\n" \
	"\tAllowOverride All\n" \
	"\tRequire all granted\n" \
	"</Directory>\n"

/* Everything goes to the gateway but the proof for a certificate. */
#define HTACCESS(script) \
	"Options +ExecCGI -MultiViews\n" \
	"DirectoryIndex disabled\n" \
	"DirectorySlash Off\n" \
	"CGIPassAuth On\n" \
	"RewriteEngine On\n" \
	"RewriteCond %{REQUEST_URI} !/\\.well-known/acme-challenge/\n" \
	"RewriteRule ^(.*)$ " script "/$1 [B=?%#,END]\n"

static const char apache_standalone[] =
    APACHE_COMMON
    APACHE_MODULE("proxy")
    APACHE_MODULE("proxy_fcgi")
    "DocumentRoot \"@ROOT@/empty\"\n"
    "\n"
    "@FRAGMENT@";

static const char cgi_fragment[] =
    "# Bothy as plain CGI on a shared host: .htaccess of the document root,\n"
    "# with dispatch.cgi (a copy of bothy-dispatch) and bothy.site beside it\n"
    "AddHandler cgi-script .cgi\n"
    HTACCESS("dispatch.cgi");

static const char cgi_standalone[] =
    APACHE_COMMON
    APACHE_MODULE("cgid")
    "ScriptSock \"@ROOT@/cgid.sock\"\n"
    APACHE_DOCROOT;

static const char fcgid_fragment[] =
    "# Bothy under mod_fcgid on a shared host: .htaccess of the document\n"
    "# root, with dispatch.fcgi (a copy of bothy-fcgi) and bothy.site beside\n"
    "# it; bodies end at the host's FcgidMaxRequestLen (128 KB) and replies\n"
    "# do not stream: where that hurts, use apache-cgi\n"
    "AddHandler fcgid-script .fcgi\n"
    HTACCESS("dispatch.fcgi");

static const char fcgid_standalone[] =
    APACHE_COMMON
    APACHE_MODULE("fcgid")
    "FcgidIPCDir \"@ROOT@/fcgid\"\n"
    "FcgidProcessTableFile \"@ROOT@/fcgid.table\"\n"
    APACHE_DOCROOT;

static const char nginx_fragment[] =
    "# Bothy behind nginx: a file in /etc/nginx/conf.d\n"
    "upstream bothy {\n"
    "\tserver \"unix:@SOCKET@\";\n"
    "\tkeepalive 8;\n"
    "}\n"
    "server {\n"
    "\tlisten @LISTEN@:@PORT@;\n"
    "\tserver_name localhost;\n"
    "\tmerge_slashes off;   # the gateway sees the path as it was sent\n"
    "@!PUSH@\tclient_max_body_size 110m;   # the gateway ends at 100 MB\n"
    "@?PUSH@\tclient_max_body_size 530m;   # pushes end at 512 MB\n"
    "@!BASE@\tlocation / {\n"
    "@?BASE@\tlocation ~ \"^@BASE@(?:/|$)\" {\n"
    "\t\tfastcgi_pass bothy;\n"
    "\t\tfastcgi_keep_conn on;\n"
    "\t\tfastcgi_read_timeout 3600s;   # functions have limits of their own\n"
    "\t\t# reply headers may be 32 KB in all\n"
    "\t\tfastcgi_buffer_size 40k;\n"
    "\t\tfastcgi_buffers 8 40k;\n"
    "\t\tfastcgi_busy_buffers_size 80k;\n"
    "\t\tfastcgi_param GATEWAY_INTERFACE CGI/1.1;\n"
    "\t\tfastcgi_param SERVER_SOFTWARE nginx/$nginx_version;\n"
    "\t\tfastcgi_param SERVER_PROTOCOL $server_protocol;\n"
    "\t\tfastcgi_param SERVER_NAME $host;\n"
    "\t\tfastcgi_param SERVER_ADDR $server_addr;\n"
    "\t\tfastcgi_param SERVER_PORT $server_port;\n"
    "\t\tfastcgi_param REMOTE_ADDR $remote_addr;\n"
    "\t\tfastcgi_param REMOTE_PORT $remote_port;\n"
    "\t\tfastcgi_param REMOTE_USER $remote_user if_not_empty;\n"
    "\t\tfastcgi_param REQUEST_METHOD $request_method;\n"
    "\t\tfastcgi_param REQUEST_SCHEME $scheme;\n"
    "\t\tfastcgi_param REQUEST_URI $request_uri;\n"
    "\t\tfastcgi_param HTTPS $https if_not_empty;\n"
    "\t\tfastcgi_param SCRIPT_NAME \"\";\n"
    "\t\tfastcgi_param PATH_INFO $uri;\n"
    "\t\tfastcgi_param QUERY_STRING $query_string;\n"
    "\t\tfastcgi_param CONTENT_TYPE $content_type;\n"
    "\t\tfastcgi_param CONTENT_LENGTH $content_length;\n"
    "\t\tfastcgi_param HTTP_PROXY \"\";\n"
    "\t}\n"
    "}\n";

static const char nginx_standalone[] =
    "daemon off;\n"
    "worker_processes auto;\n"
    "@?USER@user \"@USER@\" \"@GROUP@\";\n"
    "pid \"@ROOT@/nginx.pid\";\n"
    "error_log \"@ROOT@/error.log\";\n"
    "events {\n"
    "\tworker_connections 1024;\n"
    "}\n"
    "http {\n"
    "access_log off;   # the gateway keeps one\n"
    "client_body_temp_path \"@ROOT@/body\";\n"
    "proxy_temp_path \"@ROOT@/proxy\";\n"
    "fastcgi_temp_path \"@ROOT@/fastcgi\";\n"
    "uwsgi_temp_path \"@ROOT@/uwsgi\";\n"
    "scgi_temp_path \"@ROOT@/scgi\";\n"
    "\n"
    "@FRAGMENT@"
    "}\n";

static const char caddy_fragment[] =
    "# Bothy behind Caddy: paste into a site's block of the Caddyfile\n"
    "@?BASE@@bothy path @BASE@ @BASE@/*\n"
    "@?BASE@reverse_proxy @bothy \"unix/@SOCKET@\" {\n"
    "@!BASE@reverse_proxy \"unix/@SOCKET@\" {\n"
    "\tflush_interval -1\n"
    "\theader_up -Proxy\n"
    "\ttransport fastcgi\n"
    "}\n";

static const char caddy_standalone[] =
    "{\n"
    "\tadmin off\n"
    "\tauto_https off\n"
    "\tstorage file_system \"@ROOT@/caddy\"\n"
    "\tlog {\n"
    "\t\toutput file \"@ROOT@/error.log\"\n"
    "\t}\n"
    "}\n"
    "http://:@PORT@ {\n"
    "bind @LISTEN@\n"
    "\n"
    "@FRAGMENT@"
    "}\n";

const struct webserver webservers[] = {
	{
	    .name = "lighttpd",
	    .summary = "lighttpd, mod_fastcgi",
	    .program = "lighttpd",
	    .start = "-D -f",
	    .fragment = lighttpd_fragment,
	    .standalone = lighttpd_standalone,
	    .can_spawn = true,
	},
	{
	    .name = "apache",
	    .summary = "Apache, mod_proxy_fcgi",
	    .program = "apache2",
	    .start = "-D FOREGROUND -f",
	    .fragment = apache_fragment,
	    .standalone = apache_standalone,
	    .root_user = "www-data",
	},
	{
	    .name = "apache-cgi",
	    .summary = "Apache, plain CGI by .htaccess (shared hosts)",
	    .program = "apache2",
	    .start = "-D FOREGROUND -f",
	    .dispatch = "dispatch.cgi",
	    .each_request = true,
	    .fragment = cgi_fragment,
	    .standalone = cgi_standalone,
	    .root_user = "www-data",
	},
	{
	    .name = "apache-fcgid",
	    .summary = "Apache, mod_fcgid by .htaccess (shared hosts)",
	    .program = "apache2",
	    .start = "-D FOREGROUND -f",
	    .dispatch = "dispatch.fcgi",
	    .fragment = fcgid_fragment,
	    .standalone = fcgid_standalone,
	    .root_user = "www-data",
	},
	{
	    .name = "nginx",
	    .summary = "nginx, ngx_http_fastcgi_module",
	    .program = "nginx",
	    .start = "-c",
	    .fragment = nginx_fragment,
	    .standalone = nginx_standalone,
	    .root_user = "root",
	},
	{
	    .name = "caddy",
	    .summary = "Caddy, reverse_proxy with transport fastcgi",
	    .program = "caddy",
	    .start = "run --adapter caddyfile --config",
	    .fragment = caddy_fragment,
	    .standalone = caddy_standalone,
	},
	{.name = NULL},
};

const struct webserver *
webserver_find(const char *name)
{
	const struct webserver *s;

	for (s = webservers; s->name; s++) {
		if (strcmp(s->name, name) == 0)
			return s;
	}
	return NULL;
}
