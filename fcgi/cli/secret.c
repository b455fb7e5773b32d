/*
 * bothy secret: sets, lists and removes the values of ${secret:NAME}.
 *
 * A value comes from standard input or a prompt, never from an argument that
 * other users could see, and is never printed.
 */
#include "cli.h"
#include "site.h"
#include "table.h"

#include "fcgi/conf/secret.h"
#include "store/base/io.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* The service and stage whose secrets are meant. */
struct vault {
	const char *service, *stage;
};

/* Only so that a read ends. */
static void
wake(int sig)
{
	(void)sig;
}

/*
 * Reads a line from the terminal that is not shown.  Ctrl-C ends it (EINTR),
 * with the terminal as it was.
 */
static ssize_t
prompt(const char *name, char *out, size_t room)
{
	struct sigaction interrupt = {.sa_handler = wake}, before;
	struct termios old, quiet;
	int error;
	ssize_t n;

	if (tcgetattr(STDIN_FILENO, &old) < 0)
		return -1;
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	fprintf(stderr, "value of %s (not shown): ", name);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) < 0)
		return -1;
	sigaction(SIGINT, &interrupt, &before);
	n = read(STDIN_FILENO, out, room);
	error = errno;
	sigaction(SIGINT, &before, NULL);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	fputc('\n', stderr);
	errno = error;
	return n;
}

/* Reads all of standard input; -1 with errno, EFBIG if it does not fit. */
static ssize_t
read_input(char *out, size_t room)
{
	size_t n = 0;
	ssize_t k;

	do {
		k = io_read(STDIN_FILENO, out + n, room - n);
		if (k < 0)
			return -1;
		n += (size_t)k;
	} while (k > 0 && n < room);
	if (n == room) {
		errno = EFBIG;
		return -1;
	}
	return (ssize_t)n;
}

static int
set(const struct vault *v, const char *name, struct err *e)
{
	char value[SECRET_MAX_VALUE + 2];
	ssize_t n;
	int rc;

	n = isatty(STDIN_FILENO) ? prompt(name, value, sizeof value) :
	    read_input(value, sizeof value);
	if (n < 0)
		return errno == EFBIG ? err_set(e, EFBIG, "the value is "
		    "longer than %d bytes", (int)SECRET_MAX_VALUE) :
		    err_sys(e, "cannot read the value");
	/* The newline that a terminal or echo adds is not part of it. */
	if (n && value[n - 1] == '\n')
		n--;
	if (n == 0)
		rc = err_set(e, EINVAL, "the value of %s is empty; nothing "
		    "was set", name);
	else
		rc = secret_set(v->service, v->stage, name, value, (size_t)n,
		    e);
	explicit_bzero(value, sizeof value);
	return rc;
}

static int
list(const struct vault *v, bool json, struct err *e)
{
	static const struct column columns[] = {
	    {"name", "NAME"}, {NULL, NULL}};
	json_t *rows;
	char **names;
	size_t i;

	if (secret_list(v->service, v->stage, &names, e) < 0)
		return -1;
	rows = json_array();
	for (i = 0; names[i]; i++)
		json_array_append_new(rows,
		    json_pack("{s:s}", "name", names[i]));
	secret_list_free(names);
	if (json_array_size(rows) || json)
		table_print(rows, columns, json);
	else
		printf("no secret is set for service %s, stage %s\n",
		    v->service, v->stage);
	json_decref(rows);
	return 0;
}

static int
run(struct cli *c, const void *values, int argc, char **argv)
{
	const char *verb = argv[0];
	struct vault v;
	struct site s;
	struct err e;
	int code, rc;

	(void)values;
	if (strcmp(verb, "set") != 0 && strcmp(verb, "rm") != 0 &&
	    strcmp(verb, "ls") != 0)
		return cli_usage("secret", "secret %s is none of set, ls, rm",
		    verb);
	if ((argc == 2) != (strcmp(verb, "ls") != 0))
		return cli_usage("secret", strcmp(verb, "ls") == 0 ?
		    "secret ls takes no name" :
		    "secret set and secret rm take a NAME (the value comes "
		    "from standard input)");
	code = site_open_pushed(c, &s, c->json);
	if (code != CLI_OK)
		return code;
	v = (struct vault){s.conf->service, s.conf->stage};
	if (strcmp(verb, "set") == 0)
		rc = set(&v, argv[1], &e);
	else if (strcmp(verb, "rm") == 0)
		rc = secret_remove(v.service, v.stage, argv[1], &e);
	else
		rc = list(&v, c->json, &e);
	site_close(&s);
	return rc < 0 ? cli_fail(&e, CLI_FAILED) : CLI_OK;
}

const struct command command_secret = {
	.name = "secret",
	.arguments = "set NAME | ls | rm NAME",
	.summary = "set, list and remove secrets",
	.help =
	    "Sets, lists and removes what ${secret:NAME} in deploy.yaml "
	    "stands for when a function starts. A value is read from "
	    "standard input, or asked for without echo; it is kept with "
	    "mode 0600 below $BOTHY_SECRETS or ~/.config/bothy, outside "
	    "the site.",
	.least = 1,
	.most = 2,
	.tables = true,
	.words = "set ls rm",
	.run = run,
};
