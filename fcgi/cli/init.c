/*
 * bothy init: a new site from nothing, which builds and answers at once.
 */
#include "cli.h"

#include "store/base/buf.h"
#include "store/base/io.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char deploy_yaml[] =
    "service: %s\n"
    "\n"
    "provider:\n"
    "  name: bothy\n"
    "  timeout: 6          # seconds\n"
    "  memorySize: 128     # megabytes\n"
    "\n"
    "functions:\n"
    "  hello:\n"
    "    handler: functions/hello/hello.c\n"
    "    events:\n"
    "      - httpApi: 'GET /hello'\n"
    "      - httpApi: 'GET /hello/{name}'\n"
    "    # what it may do with documents, which bothy_store(3) is for:\n"
    "    # iam: {role: {statements: [{Effect: Allow, Action: "
    "'dynamodb:*',\n"
    "    #   Resource: table/notes}]}}\n"
    "\n"
    "# Tables of documents; `bothy store` looks into them:\n"
    "# resources:\n"
    "#   tables:\n"
    "#     notes: {key: {id: S}}\n";

static const char hello_c[] =
    "#include <bothy.h>\n"
    "\n"
    "/* GET /hello and GET /hello/{name} */\n"
    "int\n"
    "bothy_handle(struct bothy_req *req)\n"
    "{\n"
    "\tconst char *name = bothy_param(req, \"name\");\n"
    "\n"
    "\treturn bothy_json_new(req, 200,\n"
    "\t    json_pack(\"{s:s}\", \"hello\", name ? name : \"world\"));\n"
    "}\n";

static const char index_html[] =
    "<!doctype html>\n"
    "<html lang=\"en\">\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, "
    "initial-scale=1\">\n"
    "<title>%s</title>\n"
    "<h1>%s</h1>\n"
    "<p>This page is <code>www/index.html</code>, and\n"
    "<a href=\"hello/you\">hello/you</a> is answered by\n"
    "<code>functions/hello/hello.c</code>.</p>\n"
    "</html>\n";

static const char gitignore[] =
    "/.bothy/\n"
    "/.env\n";

static const struct {
	const char *path, *text;
} files[] = {
    {"deploy.yaml", deploy_yaml},
    {"functions/hello/hello.c", hello_c},
    {"www/index.html", index_html},
    {".gitignore", gitignore},
};

enum { SERVICE_MAX = 64 };

/* A service's name from the directory's: letters, digits and dashes. */
static void
service_name(const char *directory, char *out)
{
	const char *slash = strrchr(directory, '/');
	const char *s = slash ? slash + 1 : directory;
	size_t n = 0;

	while (*s && !isalpha((unsigned char)*s))
		s++;
	for (; *s && n < SERVICE_MAX - 1; s++) {
		if (isalnum((unsigned char)*s))
			out[n++] = (char)tolower((unsigned char)*s);
		else if (n && out[n - 1] != '-')
			out[n++] = '-';
	}
	while (n && out[n - 1] == '-')
		n--;
	out[n] = '\0';
	if (!n)
		memcpy(out, "site", sizeof "site");
}

/* Every "%s" of a template becomes the service's name. */
static void
fill(const char *template, const char *service, struct buf *out)
{
	const char *mark;

	while ((mark = strstr(template, "%s"))) {
		buf_add(out, template, (size_t)(mark - template));
		buf_puts(out, service);
		template = mark + 2;
	}
	buf_puts(out, template);
}

/* Writes one file that does not exist yet; says so either way. */
static int
write_file(const char *site, const char *name, const struct buf *text,
    struct err *e)
{
	char path[PATH_MAX], dir[PATH_MAX];
	int fd, rc = 0;

	if (place_path(path, e, "%s/%s", site, name) < 0)
		return -1;
	memcpy(dir, path, sizeof dir);
	*strrchr(dir, '/') = '\0';
	if (io_mkdirs(dir, 0755, e) < 0)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 && errno == EEXIST) {
		printf("kept   %s\n", name);
		return 0;
	}
	if (fd < 0)
		return err_sys(e, "cannot create %s", path);
	if (io_write_all(fd, buf_str(text), text->len) < 0)
		rc = err_sys(e, "cannot write %s", path);
	close(fd);
	if (rc == 0)
		printf("wrote  %s\n", name);
	return rc;
}

static int
find_directory(const char *given, char *site, struct err *e)
{
	if (io_mkdirs(given, 0755, e) < 0)
		return -1;
	if (!realpath(given, site))
		return err_sys(e, "cannot find %s", given);
	return 0;
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	char site[PATH_MAX], file[PATH_MAX], service[SERVICE_MAX];
	const char *given = argc ? argv[0] : c->site ? c->site : ".";
	struct buf text;
	struct err e;
	size_t i;
	int rc = 0;

	(void)values;
	if (find_directory(given, site, &e) < 0 ||
	    place_path(file, &e, "%s/deploy.yaml", site) < 0)
		return cli_fail(&e, CLI_FAILED);
	if (access(file, F_OK) == 0) {
		err_set(&e, EEXIST, "%s is there already: this is a site",
		    file);
		return cli_fail(&e, CLI_FAILED);
	}
	service_name(site, service);
	buf_init(&text, 8192);
	for (i = 0; i < sizeof files / sizeof *files && rc == 0; i++) {
		buf_reset(&text);
		fill(files[i].text, service, &text);
		rc = write_file(site, files[i].path, &text, &e);
	}
	buf_release(&text);
	if (rc < 0)
		return cli_fail(&e, CLI_FAILED);
	printf("\n%s is a site; now:\n", service);
	if (strcmp(given, ".") != 0)
		printf("  cd %s\n", given);
	puts("  bothy run           # http://127.0.0.1:8080/hello/you\n"
	     "  bothy invoke hello  # without a web server");
	return CLI_OK;
}

const struct command command_init = {
	.name = "init",
	.arguments = "[DIR]",
	.summary = "make a new site",
	.help =
	    "Makes a new site: writes deploy.yaml, "
	    "functions/hello/hello.c, www/index.html and .gitignore. "
	    "Files that are there are kept.",
	.most = 1,
	.run = run,
};
