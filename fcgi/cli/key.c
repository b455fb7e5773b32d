/*
 * bothy key: makes, lists and removes the access keys by which clients sign
 * requests from outside.
 *
 * A secret is printed once, when it is made, and never again.
 */
#include "cli.h"
#include "keytext.h"
#include "table.h"

#include "fcgi/aws/keyedit.h"
#include "fcgi/aws/target.h"
#include "store/base/clock.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct opt create_opts[] = {
	{"allow", 0, OPT_LIST, "ACTION",
	    offsetof(struct keytext_options, allow),
	    "what it may do: dynamodb:GetItem, 'dynamodb:*' (all of them, "
	    "unless given), deploy, deploy:BRANCH"},
	{"deny", 0, OPT_LIST, "ACTION",
	    offsetof(struct keytext_options, deny),
	    "what it may not do, whatever is allowed"},
	{"table", 0, OPT_LIST, "TABLE",
	    offsetof(struct keytext_options, tables),
	    "with which tables, their indexes and streams (all, unless "
	    "given)"},
	{"for", 0, OPT_VALUE, "TIME",
	    offsetof(struct keytext_options, lifetime),
	    "a session's key, with a token, for 15m, 12h or 7d"},
	{"import", 0, OPT_VALUE, "ID",
	    offsetof(struct keytext_options, import),
	    "a key that there is already; its secret is read from standard "
	    "input"},
	{NULL, 0, OPT_SWITCH, NULL, 0, NULL},
};

/* A key that is being made, with room for what is made up. */
struct making {
	struct aws_key key;
	char id[KEYEDIT_ID_SIZE], secret[KEY_SECRET_MAX + 2];
	char token[KEYEDIT_TOKEN_SIZE];
	struct buf grants;
};

/*
 * Finds the site's state.  Root becomes who owns it, so that what is written
 * there can be read by the site's own gateway.
 */
static int
find_state(const struct cli *c, struct place *p, struct err *e)
{
	struct stat st;

	if (cli_place(c, p, e) < 0)
		return -1;
	if (geteuid() != 0 || stat(p->state, &st) < 0 || st.st_uid == 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setgid(st.st_gid) < 0 ||
	    setuid(st.st_uid) < 0)
		return err_sys(e, "cannot become uid %u, who owns %s",
		    (unsigned)st.st_uid, p->state);
	return 0;
}

/* --- create --------------------------------------------------------------- */

/* The secret of a key that is somebody else's, from standard input. */
static int
read_secret(struct making *m, struct err *e)
{
	ssize_t n;

	if (isatty(STDIN_FILENO))
		fputs("its secret: ", stderr);
	n = read(STDIN_FILENO, m->secret, sizeof m->secret - 1);
	if (n < 0)
		return err_sys(e, "cannot read the secret");
	m->secret[n] = '\0';
	m->secret[strcspn(m->secret, "\r\n")] = '\0';
	n = (ssize_t)strlen(m->secret);
	if (n == 0 || n > KEY_SECRET_MAX)
		return err_set(e, EINVAL, "a secret has 1 to %d bytes",
		    KEY_SECRET_MAX);
	return 0;
}

static int
make_names(struct making *m, const struct keytext_options *o, struct err *e)
{
	m->key.id = o->import ? o->import : m->id;
	m->key.secret = m->secret;
	if (o->import) {
		if (!aws_key_id_valid(o->import))
			return err_set(e, EINVAL, "the id of a key is 3 to %d "
			    "letters, digits, '_' and '-'", KEY_ID_MAX);
		return read_secret(m, e);
	}
	if (keyedit_make_id(m->id, o->lifetime != NULL, e) < 0)
		return -1;
	return keyedit_make_secret(m->secret, e);
}

static int
make(struct making *m, const struct keytext_options *o, struct err *e)
{
	int64_t seconds;

	if (keytext_grants(o, &m->grants, e) < 0 || make_names(m, o, e) < 0)
		return -1;
	m->key.grants = (struct text){buf_str(&m->grants), m->grants.len};
	m->key.created_ms = clock_wall_ms();
	if (!o->lifetime)
		return 0;
	if (keytext_seconds(o->lifetime, &seconds, e) < 0)
		return -1;
	m->key.expires_ms = m->key.created_ms + seconds * 1000;
	m->key.token = m->token;
	return keyedit_make_token(m->token, e);
}

/* As the credential_process of AWS's SDKs wants it. */
static void
print_json(const struct aws_key *k)
{
	char expires[CLOCK_ISO_SIZE];
	json_t *out = json_pack("{s:i, s:s, s:s}", "Version", 1,
	    "AccessKeyId", k->id, "SecretAccessKey", k->secret);

	if (k->token) {
		clock_iso(k->expires_ms, expires);
		json_object_set_new(out, "SessionToken",
		    json_string(k->token));
		json_object_set_new(out, "Expiration", json_string(expires));
	}
	table_json(out);
	json_decref(out);
}

static void
print_key(const struct making *m, bool json)
{
	const struct aws_key *k = &m->key;
	struct buf text;

	if (json)
		print_json(k);
	else {
		printf("AWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\n",
		    k->id, k->secret);
		if (k->token)
			printf("AWS_SESSION_TOKEN=%s\n", k->token);
	}
	fflush(stdout);
	buf_init(&text, KEYTEXT_MAX);
	keytext_show(&k->grants, &text);
	fprintf(stderr, "bothy: this is shown once. The key may: %s\n",
	    buf_str(&text));
	buf_release(&text);
}

static int
create(struct cli *c, const void *values, int argc, char **argv)
{
	struct making m = {.key = {.id = NULL}};
	struct place p;
	struct err e;
	int rc = -1;

	(void)argc;
	(void)argv;
	buf_init(&m.grants, KEYTEXT_MAX);
	if (find_state(c, &p, &e) == 0 && place_make_state(&p, &e) == 0 &&
	    make(&m, values, &e) == 0)
		rc = keyedit_add(p.state, &m.key, &e);
	if (rc == 0)
		print_key(&m, c->json);
	explicit_bzero(m.secret, sizeof m.secret);
	buf_release(&m.grants);
	return rc < 0 ? cli_fail(&e, CLI_FAILED) : CLI_OK;
}

/* --- ls and rm ------------------------------------------------------------ */

static json_t *
day(int64_t ms)
{
	char iso[CLOCK_ISO_SIZE];

	if (!ms)
		return json_null();
	clock_iso(ms, iso);
	return json_stringn(iso, 10);
}

static json_t *
row(const char *state, const struct aws_key *k)
{
	json_t *grants;
	struct buf text;
	json_t *out;

	buf_init(&text, KEYTEXT_MAX);
	keytext_show(&k->grants, &text);
	grants = json_loadb(k->grants.p, k->grants.n, 0, NULL);
	out = json_pack("{s:s, s:o, s:o, s:o, s:s, s:o*}", "id", k->id,
	    "created", day(k->created_ms), "used",
	    day(keyedit_used_s(state, k->id) * 1000), "expires",
	    day(k->expires_ms), "may", buf_str(&text), "statements", grants);
	buf_release(&text);
	return out;
}

static int
list(struct cli *c, const void *values, int argc, char **argv)
{
	static const struct column columns[] = {{"id", "ID"},
	    {"created", "CREATED"}, {"used", "LAST USED"},
	    {"expires", "EXPIRES"}, {"may", "MAY"}, {NULL, NULL}};
	struct aws_keys *keys;
	struct place p;
	struct err e;
	json_t *rows;
	size_t i;

	(void)values;
	(void)argc;
	(void)argv;
	if (find_state(c, &p, &e) < 0 || aws_keys_load(p.state, &keys, &e) < 0)
		return cli_fail(&e, CLI_FAILED);
	rows = json_array();
	for (i = 0; i < keys->count; i++)
		json_array_append_new(rows, row(p.state, &keys->list[i]));
	aws_keys_release(keys);
	if (json_array_size(rows) || c->json)
		table_print(rows, columns, c->json);
	else
		puts("there is no key; `bothy key create` makes one");
	json_decref(rows);
	return CLI_OK;
}

static int
removal(struct cli *c, const void *values, int argc, char **argv)
{
	struct place p;
	struct err e;

	(void)values;
	(void)argc;
	if (find_state(c, &p, &e) < 0 ||
	    keyedit_remove(p.state, argv[0], &e) < 0)
		return cli_fail(&e, CLI_FAILED);
	return CLI_OK;
}

/* --- what there is -------------------------------------------------------- */

static int
operations(struct cli *c, const void *values, int argc, char **argv)
{
	static const struct column columns[] = {{"operation", "OPERATION"},
	    {"target", "X-AMZ-TARGET"}, {"action", "ACTION"}, {NULL, NULL}};
	const struct operation_info *op;
	json_t *rows = json_array();
	char target[128];
	int i;

	(void)values;
	(void)argc;
	(void)argv;
	for (i = 0; i < OP_END; i++) {
		op = operation_info(i);
		if (!op || aws_target_name(op, target, sizeof target) < 0)
			continue;
		json_array_append_new(rows, json_pack("{s:s, s:s, s:s}",
		    "operation", op->name, "target", target, "action",
		    op->action));
	}
	table_print(rows, columns, c->json);
	json_decref(rows);
	return CLI_OK;
}

static const struct command command_key_create = {
	.name = "key create",
	.arguments = "",
	.summary = "make a key, and show its secret this once",
	.help =
	    "Makes an access key for clients of DynamoDB's protocol, and "
	    "prints it as the environment that they read, or with --json as "
	    "their credential_process. With --allow deploy its secret is the "
	    "password of a push over HTTP (bothy site create --http). A "
	    "gateway that runs knows it at once.",
	.opts = create_opts,
	.size = sizeof(struct keytext_options),
	.tables = true,
	.run = create,
};

static const struct command command_key_ls = {
	.name = "key ls",
	.arguments = "",
	.summary = "list the keys, when each was used last, and what it may",
	.tables = true,
	.run = list,
};

static const struct command command_key_rm = {
	.name = "key rm",
	.arguments = "ID",
	.summary = "remove a key, from the next request on",
	.least = 1,
	.most = 1,
	.run = removal,
};

static const struct command command_key_operations = {
	.name = "key operations",
	.arguments = "",
	.summary = "list what answers, and the action that it needs",
	.tables = true,
	.run = operations,
};

static const struct command *const key_commands[] = {
	&command_key_create,
	&command_key_ls,
	&command_key_rm,
	&command_key_operations,
	NULL,
};

const struct command command_key = {
	.name = "key",
	.arguments = "COMMAND ...",
	.summary = "access keys for DynamoDB's protocol and pushes",
	.help =
	    "The keys by which clients sign their requests: boto3, AWS's "
	    "SDKs and command line; and those that git pushes with over "
	    "HTTP. They are kept with mode 0600 in the "
	    "site's state; no function can see them.",
	.tables = true,
	.below = key_commands,
};
